"""Rounds of federated averaging whose clients run in Flower's simulation engine."""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Callable, Sequence
from importlib import import_module
from typing import Any

import numpy as np
import torch
from torch import nn

from hawkeys._typing import IntArray
from hawkeys.exceptions import InvalidParameterError, MissingExtraError
from hawkeys.neural._nets.training import arrays_of, load_arrays, train
from hawkeys.neural.extra import Runtime, Schedule

__all__ = ["flower_rounds"]

# so many processors of the machine are one client's
_RESOURCES = {"num_cpus": 1, "num_gpus": 0.0}


def flower_rounds(
    module: nn.Module,
    loss: Callable[..., torch.Tensor],
    parts: Sequence[tuple[torch.Tensor, ...]],
    drawn: Sequence[IntArray],
    schedule: Schedule,
    *,
    runtime: Runtime,
    seeds: Sequence[int],
    after: Callable[[int], None],
) -> None:
    """Train on the clients drawn for each round, side by side; the module gets their averages.

    `parts` are the samples of all clients; `drawn` the numbers of those of each round, which start
    from ``seeds[round]``; ``after(round)`` is called with the average in the module.
    """
    flower = _require_flower()
    names = list(arrays_of(module))

    class Client(flower.client.NumPyClient):  # type: ignore[name-defined]
        def fit(self, parameters: list[np.ndarray], config: dict[str, Any]) -> Any:
            own, data = copy.deepcopy(module), parts[int(config["client"])]
            load_arrays(own, dict(zip(names, parameters, strict=True)))
            train(own, loss, data, schedule, runtime=runtime, seed=int(config["seed"]),
                  what="Client")  # fmt: skip
            return list(arrays_of(own).values()), len(data[0]), {}

    class Rounds(flower.server.strategy.FedAvg):  # type: ignore[name-defined]
        n_done = 0

        def configure_fit(self, server_round: int, parameters: Any, client_manager: Any) -> Any:
            clients = drawn[server_round - 1]
            nodes = client_manager.sample(len(clients), min_num_clients=len(clients))
            first = seeds[server_round - 1]
            told = [{"client": int(k), "seed": first + i} for i, k in enumerate(clients)]
            return [(node, flower.common.FitIns(parameters, one))
                    for node, one in zip(nodes, told, strict=True)]  # fmt: skip

        def aggregate_fit(self, server_round: int, results: Any, failures: Any) -> Any:
            if failures or len(results) != len(drawn[server_round - 1]):
                return None, {}  # the run ends short of its rounds, which is told
            found = super().aggregate_fit(server_round, results, failures)
            arrays = flower.common.parameters_to_ndarrays(found[0])
            load_arrays(module, dict(zip(names, arrays, strict=True)))
            Rounds.n_done = server_round
            after(server_round - 1)
            return found

    def server(_: Any) -> Any:
        start = flower.common.ndarrays_to_parameters(list(arrays_of(module).values()))
        strategy = Rounds(initial_parameters=start, fraction_evaluate=0.0, accept_failures=False)
        rounds = flower.server.ServerConfig(num_rounds=len(drawn))
        return flower.server.ServerAppComponents(strategy=strategy, config=rounds)

    flower.simulation.run_simulation(
        server_app=flower.server.ServerApp(server_fn=server),
        client_app=flower.client.ClientApp(client_fn=lambda _: Client().to_client()),
        num_supernodes=max(len(some) for some in drawn),
        backend_config={"client_resources": _RESOURCES},
    )
    if Rounds.n_done < len(drawn):
        raise InvalidParameterError(
            f"Flower ended after {Rounds.n_done} of {len(drawn)} rounds: a client failed; its log "
            "above tells why. The plain engine shows the error itself: FederatedOptions()."
        )


def _require_flower() -> Any:
    """Import Flower, its telemetry off and its log short; raises MissingExtraError."""
    os.environ.setdefault("FLWR_TELEMETRY_ENABLED", "0")
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        flower = import_module("flwr")
        for part in ("client", "common", "server.strategy", "simulation"):
            import_module(f"flwr.{part}")
    except ImportError as error:
        raise MissingExtraError(
            "the engine 'flower' needs Flower and Ray, which are not installed here. Install the "
            'extra: pip install "hawkeys[flower]"; or leave engine out.'
        ) from error
    logging.getLogger("flwr").setLevel(logging.ERROR)
    return flower
