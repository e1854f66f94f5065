"""Rounds of federated averaging whose clients run in Flower's simulation engine."""

from __future__ import annotations

import copy
import logging
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

import numpy as np
import torch
from torch import nn

from hawkeys._typing import IntArray
from hawkeys.exceptions import InvalidParameterError, MissingExtraError
from hawkeys.neural._nets.training import arrays_of, load_arrays, train
from hawkeys.neural.extra import Runtime, Schedule

__all__ = ["Training", "flower_rounds"]

# so many processors of the machine are one client's
_RESOURCES = {"num_cpus": 1, "num_gpus": 0.0}


@dataclass(frozen=True, eq=False)
class Training:
    """What clients train, and how.

    Attributes
    ----------
    module : torch.nn.Module
        The common network.
    loss : callable
        ``loss(module, *batch)``.
    parts : sequence of tuple of torch.Tensor
        The samples of all clients.
    schedule : Schedule
        Of a client in a round.
    runtime : Runtime
        Where it trains.
    """

    module: nn.Module
    loss: Callable[..., torch.Tensor]
    parts: Sequence[tuple[torch.Tensor, ...]]
    schedule: Schedule
    runtime: Runtime


def flower_rounds(
    training: Training,
    drawn: Sequence[IntArray],
    seeds: Sequence[int],
    after: Callable[[int], None],
) -> None:
    """Train on the clients drawn for each round, side by side; the module gets their averages.

    `drawn` holds the numbers of the clients of each round, which start from ``seeds[round]``;
    ``after(round)`` is called with the average in the module.
    """
    flower = _require_flower()
    client, strategy = _client(flower, training), _strategy(flower, training, drawn, seeds, after)

    def server(_: Any) -> Any:
        rounds = flower.server.ServerConfig(num_rounds=len(drawn))
        return flower.server.ServerAppComponents(strategy=strategy, config=rounds)

    flower.simulation.run_simulation(
        server_app=flower.server.ServerApp(server_fn=server),
        client_app=flower.client.ClientApp(client_fn=lambda _: client().to_client()),
        num_supernodes=max(len(some) for some in drawn),
        backend_config={"client_resources": _RESOURCES},
    )
    if strategy.n_done < len(drawn):
        raise InvalidParameterError(
            f"Flower ended after {strategy.n_done} of {len(drawn)} rounds: a client failed; its "
            "log above tells why. The plain engine shows the error itself: FederatedOptions()."
        )


def _client(flower: Any, training: Training) -> Any:
    """Return the class of clients, which train a copy of the network on the samples they are told.

    Its objects are sent to other processes.
    """
    names = list(arrays_of(training.module))

    class Client(flower.client.NumPyClient):
        def fit(self, parameters: list[np.ndarray], config: dict[str, Any]) -> Any:
            own, data = copy.deepcopy(training.module), training.parts[int(config["client"])]
            load_arrays(own, dict(zip(names, parameters, strict=True)))
            train(own, training.loss, data, training.schedule, runtime=training.runtime,
                  seed=int(config["seed"]), what="Client")  # fmt: skip
            return list(arrays_of(own).values()), len(data[0]), {}

    return Client


def _strategy(
    flower: Any,
    training: Training,
    drawn: Sequence[IntArray],
    seeds: Sequence[int],
    after: Callable[[int], None],
) -> Any:
    """Return federated averaging over the clients of each round; `n_done` counts the rounds."""
    module, common = training.module, flower.common
    start = arrays_of(module)

    class Rounds(flower.server.strategy.FedAvg):
        n_done = 0

        def configure_fit(self, server_round: int, parameters: Any, client_manager: Any) -> Any:
            clients, first = drawn[server_round - 1], seeds[server_round - 1]
            nodes = client_manager.sample(len(clients), min_num_clients=len(clients))
            told = [{"client": int(k), "seed": first + i} for i, k in enumerate(clients)]
            return [(node, common.FitIns(parameters, one))
                    for node, one in zip(nodes, told, strict=True)]  # fmt: skip

        def aggregate_fit(self, server_round: int, results: Any, failures: Any) -> Any:
            if failures or len(results) != len(drawn[server_round - 1]):
                return None, {}  # the run ends short of its rounds, which is told
            found = super().aggregate_fit(server_round, results, failures)
            arrays = common.parameters_to_ndarrays(found[0])
            load_arrays(module, dict(zip(start, arrays, strict=True)))
            self.n_done = server_round
            after(server_round - 1)
            return found

    return Rounds(
        initial_parameters=common.ndarrays_to_parameters(list(start.values())),
        fraction_evaluate=0.0,
        accept_failures=False,
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
