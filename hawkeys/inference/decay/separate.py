"""One decay per source mark, or per pair of marks, by maximum likelihood."""

from __future__ import annotations

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.decay.problem import NO_GAIN, DecayObjective
from hawkeys.results.decay_profile import AT_EDGE, DecayProfile

__all__ = ["optimise_apart"]

_PER_DECADE = 3
# times that decays without excitation are moved to where there is some
_ROUNDS = 5


def optimise_apart(problem: DecayObjective, sharing: str, start: float) -> DecayProfile:
    """Maximise over one decay per source or pair, with the gradient at the inner optimum.

    There the other parameters' derivatives vanish, so that only the direct effect remains. The
    decay of a pair whose adjacency is 0 has no effect at all: it is moved to where the adjacency
    could gain, if there is such a decay, and the search goes on from there.

    Parameters
    ----------
    problem : DecayObjective
        What is maximised over everything else.
    sharing : {"source", "pair"}
        What has a decay of its own.
    start : float
        The best decay for all.

    Returns
    -------
    DecayProfile
        The one best set of decays.

    Raises
    ------
    InvalidParameterError
        The baseline changes, parameters are tied, or there is a history.
    """
    if not problem.model.is_plain:
        raise InvalidParameterError(
            f"decay_sharing={sharing!r} needs one constant baseline per mark, nothing tied and no "
            "history. Use decay_sharing='shared' or decay_grid."
        )
    size, edges = problem.model.n_marks, problem.bounds()
    shape = (size,) if sharing == "source" else (size, size)
    logs, value = _climb(problem, np.full(shape, np.log(start)), edges)
    for _ in range(_ROUNDS):
        moved = _move_idle(problem, logs, edges)
        if moved is None:
            break
        further, higher = _climb(problem, moved, edges)
        if not higher > value:
            break
        logs, value = further, higher
    return _profile(problem, logs, value, edges)


def _climb(
    problem: DecayObjective, start: FloatArray, edges: tuple[float, float]
) -> tuple[FloatArray, float]:
    """Return the nearest maximum to log decays `start` within the edges, and the objective."""
    from scipy.optimize import minimize

    shape = start.shape

    def loss(flat: FloatArray) -> tuple[float, FloatArray]:
        decay = np.exp(flat.reshape(shape))
        value, x = problem.solve(decay)
        slopes = problem.slopes(decay, x)
        gradient = slopes.sum(axis=0) if len(shape) == 1 else slopes.ravel()
        return -value, -gradient

    found = minimize(
        loss,
        start.ravel(),
        jac=True,
        method="L-BFGS-B",
        bounds=[edges] * start.size,
        options={"ftol": 1e-12, "gtol": 1e-4, "maxiter": 500},
    )
    return found.x.reshape(shape), -float(found.fun)


def _move_idle(
    problem: DecayObjective, logs: FloatArray, edges: tuple[float, float]
) -> FloatArray | None:
    """Return log decays at which adjacency entries that are 0 could gain most; None if none can."""
    x = problem.solve(np.exp(logs))[1]
    idle = x[:, 1:] == 0.0
    if logs.ndim == 1:
        idle &= (x[:, 1:] == 0.0).all(axis=0)
    if not idle.any():
        return None
    grid = np.linspace(*edges, 2 + round(_PER_DECADE * (edges[1] - edges[0]) / np.log(10.0)))
    gains = problem.gains(logs, x, grid) * idle
    if logs.ndim == 1:
        gains = gains.sum(axis=1)
    best = gains.max(axis=0)
    if not (best > NO_GAIN).any():
        return None
    return np.where(best > NO_GAIN, grid[gains.argmax(axis=0)], logs)


def _profile(
    problem: DecayObjective, logs: FloatArray, value: float, edges: tuple[float, float]
) -> DecayProfile:
    """Return the decays found, with the limits at which some of them are."""
    low, high = edges
    at = {"trend": logs <= low + AT_EDGE, "burst": logs >= high - AT_EDGE}
    limits = [name for name, edge in at.items() if edge.any()]
    if value - problem.without_excitation() <= NO_GAIN:
        limits = ["no excitation"]
    best = np.array([value])
    return DecayProfile(
        np.exp(logs)[None],
        best,
        best,
        bounds=(float(np.exp(low)), float(np.exp(high))),
        limit=" and ".join(limits) or None,
    )
