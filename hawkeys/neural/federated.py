"""Federated averaging: clients train on their own samples, and only weights travel."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, IntArray, RandomState
from hawkeys._validation import (
    as_float_array,
    as_generator,
    check_choice,
    check_count,
    check_fraction,
)
from hawkeys.exceptions import InvalidParameterError
from hawkeys.neural.characters import TemporalCharacters, cross_entropy_of_recordings
from hawkeys.neural.extra import require_torch

__all__ = ["FederatedOptions", "FederatedRun", "average_weights", "fit_federated"]

Arrays = Mapping[str, np.ndarray]
Watch = Callable[[int, TemporalCharacters], None]


@dataclass(frozen=True, eq=False)
class FederatedRun:
    """A federated training.

    Attributes
    ----------
    model : TemporalCharacters
        What all clients have after the last round.
    clients : tuple of IntArray
        Numbers of the clients of each round.
    bytes_down, bytes_up : int
        What was sent to clients, and by them, in all rounds together.
    """

    model: TemporalCharacters
    clients: tuple[IntArray, ...]
    bytes_down: int
    bytes_up: int


@dataclass(frozen=True)
class FederatedOptions:
    """What else `fit_federated` may be told.

    Attributes
    ----------
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None, default 0
        Draws the clients of each round.
    watch : callable or None, default None
        Called as ``watch(round, model)`` after each round, from 0, with the common model.
    engine : {"plain", "flower"}, default "plain"
        What runs the clients: this process, one after the other, or the simulation engine of Flower
        [1]_, side by side (extra ``[flower]``; its telemetry is off). The same clients train from
        the same seeds: the weights are the same but for rounding.

    Raises
    ------
    InvalidParameterError
        There is no such engine.

    References
    ----------
    .. [1] D. J. Beutel et al., "Flower: a friendly federated learning research framework",
       arXiv:2007.14390.
    """

    rng: RandomState = 0
    watch: Watch | None = None
    engine: str = "plain"

    def __post_init__(self) -> None:
        check_choice(self.engine, "engine", ("plain", "flower"))


def average_weights(weights: Sequence[Arrays], counts: ArrayLike) -> dict[str, np.ndarray]:
    """Average the weights of clients, each counted by its samples.

    Parameters
    ----------
    weights : sequence of mapping of str to ndarray
        Of each client, the same names and shapes.
    counts : array_like, shape (n_clients,)
        Samples of each, > 0.

    Returns
    -------
    dict of str to ndarray
        Weighted means, added up in double precision and returned in that of the clients.

    Raises
    ------
    InvalidParameterError
        There is no client, counts are not positive or differ in number, or names or shapes differ.

    References
    ----------
    H. B. McMahan et al., "Communication-efficient learning of deep networks from decentralized
    data", AISTATS 2017, arXiv:1602.05629, algorithm 1.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.neural import average_weights
    >>> average_weights([{"w": np.array([0.0])}, {"w": np.array([4.0])}], [1, 3])
    {'w': array([3.])}
    """
    share = as_float_array(counts, "counts")
    if share.shape != (len(weights),) or not len(weights) or (share <= 0).any():
        raise InvalidParameterError(
            "counts must hold one positive number per client, and there must be one client or "
            f"more; got {counts!r} for {len(weights)} clients."
        )
    shapes = [{name: array.shape for name, array in one.items()} for one in weights]
    for client, found in enumerate(shapes):
        if found != shapes[0]:
            raise InvalidParameterError(
                f"weights[{client}] has other names or shapes than weights[0]. Average clients of "
                "one network."
            )
    share = share / share.sum()
    out = {}
    for name, first in weights[0].items():
        stacked = np.stack([one[name] for one in weights]).astype(np.float64)
        out[name] = np.tensordot(share, stacked, axes=1).astype(first.dtype)
    return out


def fit_federated(
    model: TemporalCharacters,
    X: Any,
    y: ArrayLike,
    *,
    clients: ArrayLike | None = None,
    n_rounds: int = 5,
    share: float | None = 0.1,
    warm_up: TemporalCharacters | None = None,
    options: FederatedOptions | None = None,
) -> FederatedRun:
    """Train by federated averaging: in each round some clients train, weights are averaged.

    The simulation runs in one process, or in Flower's engine (`options`). Every client of a round
    starts from the common weights, trains by the model's schedule on its own recordings alone, and
    returns its weights.

    Parameters
    ----------
    model : TemporalCharacters
        Its parameters; not changed. The epochs of its schedule are those of a client in a round.
    X : Strokes, DataFrame or mapping
        Keystrokes in recordings.
    y : array_like, shape (n_recordings,)
        The person of each recording.
    clients : array_like, shape (n_recordings,), optional
        Who keeps each recording. Default: every person keeps theirs.
    n_rounds : int, default 5
        Rounds.
    share : float or None, default 0.1
        Share of the clients that train in a round, drawn anew each time; None: all.
    warm_up : TemporalCharacters, optional
        Fitted to other people: the start of all weights but those of the last layer, and the keys,
        means and spreads. Without it the start is random, and keys, means and spreads are taken
        from the recordings of all clients, which then have to be shared.
    options : FederatedOptions, optional
        Randomness, and what is called after each round.

    Returns
    -------
    FederatedRun
        The common model, and how much was sent.

    Raises
    ------
    InvalidParameterError
        A parameter is not valid, or `warm_up` is another network.
    InvalidTimingsError
        Times are not finite or not in order.
    MissingExtraError
        torch is not installed, or Flower, if that is to run the clients.

    Examples
    --------
    >>> from hawkeys.datasets import simulate_keyed_text
    >>> from hawkeys.neural import Schedule, TemporalCharacters, fit_federated
    >>> from hawkeys.verifiers import MarkedRenewal
    >>> strokes = simulate_keyed_text(3, n_sessions=2, n_keys=10)
    >>> people = MarkedRenewal.people_of(strokes)
    >>> model = TemporalCharacters(schedule=Schedule("sgd", 0.1, batch_size=8, epochs=1))
    >>> run = fit_federated(model, strokes, people, share=None, n_rounds=2)
    >>> [len(some) for some in run.clients], run.bytes_up == run.bytes_down
    ([3, 3], True)
    """
    chosen = options or FederatedOptions()
    require_torch()
    check_count(n_rounds, "n_rounds")
    common, tensors = _start(model, X, y, warm_up)
    rows = _rows_of_clients(y if clients is None else clients, len(tensors[0]))
    draws = as_generator(chosen.rng)
    n_drawn = max(1, round((1.0 if share is None else check_fraction(share, "share")) * len(rows)))
    drawn = [np.sort(draws.choice(len(rows), n_drawn, replace=False)) for _ in range(n_rounds)]

    def after(number: int) -> None:
        if chosen.watch is not None:
            chosen.watch(number, common)
        if model.runtime.report is not None:
            model.runtime.report("Rounds", number + 1, n_rounds)

    parts = [tuple(part[own] for part in tensors) for own in rows]
    _rounds(common, parts, drawn, after, flower=chosen.engine == "flower")
    size = sum(one.numel() * one.element_size() for one in common.network_.parameters())
    sent = size * sum(len(some) for some in drawn)
    return FederatedRun(common, tuple(drawn), sent, sent)


def _rounds(
    common: TemporalCharacters,
    parts: list[tuple[Any, ...]],
    drawn: list[IntArray],
    after: Callable[[int], None],
    *,
    flower: bool,
) -> None:
    """Train the network of `common` on the parts of the clients drawn, round after round."""
    loss = cross_entropy_of_recordings(
        require_torch().ones(common.classes_.size), common.regularization.label_smoothing
    )
    quiet = replace(common.runtime, checkpoint=None, report=None)
    seeds = [common.random_state + 7919 * number for number in range(len(drawn))]
    if flower:
        from hawkeys.neural._nets.flower import Training, flower_rounds

        training = Training(common.network_, loss, parts, common.schedule, quiet)
        flower_rounds(training, drawn, seeds, after)
        return
    from hawkeys.neural._nets.federated import federated_round

    for number, some in enumerate(drawn):
        federated_round(common.network_, loss, [parts[k] for k in some], common.schedule,
                        runtime=quiet, seed=seeds[number])  # fmt: skip
        after(number)


def _start(
    model: TemporalCharacters, X: Any, y: ArrayLike, warm_up: TemporalCharacters | None
) -> tuple[TemporalCharacters, tuple[Any, ...]]:
    """Return a copy of the model with its first weights, and all recordings as it takes them."""
    common = TemporalCharacters(**model.get_params(deep=False))
    data, index = common.prepare(X, y, None if warm_up is None else warm_up.inputs_)
    common.network_ = common.new_network()
    if warm_up is not None:
        _start_from(common.network_, warm_up)
    return common, common.tensors(data, index)


def _rows_of_clients(clients: ArrayLike, size: int) -> list[IntArray]:
    labels = np.asarray(clients)
    if labels.shape != (size,):
        raise InvalidParameterError(
            f"clients must hold one label per recording, shape ({size},); got shape {labels.shape}."
        )
    _, number = np.unique(labels, return_inverse=True)
    return [np.flatnonzero(number == k) for k in range(int(number.max()) + 1)]


def _start_from(network: Any, warm_up: TemporalCharacters) -> None:
    """Copy all weights but those of the last layer, which belong to other people."""
    source = warm_up.network_.state_dict()
    target = network.state_dict()
    kept = {name: one for name, one in source.items() if not name.startswith("output.")}
    named = {name: tuple(one.shape) for name, one in kept.items()}
    wanted = {k: tuple(v.shape) for k, v in target.items() if not k.startswith("output.")}
    if named != wanted:
        raise InvalidParameterError(
            "warm_up is another network: its head, characters, times or population differ from "
            "those of the model. Fit it with the same ones."
        )
    network.load_state_dict({**target, **kept})
