"""One round of federated averaging, for any network."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import nn

from hawkeys.neural._nets.training import arrays_of, load_arrays, train
from hawkeys.neural.extra import Runtime, Schedule
from hawkeys.neural.federated import average_weights

__all__ = ["federated_round"]


def federated_round(
    module: nn.Module,
    loss: Callable[..., torch.Tensor],
    parts: list[tuple[torch.Tensor, ...]],
    schedule: Schedule,
    *,
    runtime: Runtime,
    seed: int,
) -> None:
    """Train the module on each client's part from its present weights, and set their average."""
    before = arrays_of(module)
    after = []
    for client, data in enumerate(parts):
        load_arrays(module, before)
        train(module, loss, data, schedule, runtime=runtime, seed=seed + client, what="Client")
        after.append(arrays_of(module))
    load_arrays(module, average_weights(after, [len(data[0]) for data in parts]))
