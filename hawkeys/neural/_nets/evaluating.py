"""What trained networks say, and the loss of classifiers."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import nn

__all__ = ["outputs_of", "weighted_cross_entropy"]

_ROWS = 512


def outputs_of(module: nn.Module, *data: torch.Tensor) -> np.ndarray:
    """Return outputs for all rows without changing the module, float32, (n, ...)."""
    module.eval()
    device = next(module.parameters()).device
    with torch.no_grad():
        parts = [
            module(*(part[begin : begin + _ROWS].to(device) for part in data)).cpu()
            for begin in range(0, len(data[0]), _ROWS)
        ]
    return torch.cat(parts).numpy()


def weighted_cross_entropy(weight: torch.Tensor) -> Callable[..., torch.Tensor]:
    """Return the loss of a classifier whose class k weighs weight[k] per sample."""

    def loss(module: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(module(x), y, weight=weight.to(x.device))

    return loss
