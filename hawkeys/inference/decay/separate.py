"""One decay per source mark, or per pair of marks, by maximum likelihood."""

from __future__ import annotations

import numpy as np

from hawkeys._design import Design
from hawkeys._loops.choice import usual_form
from hawkeys._loops.decay_slope import log_decay_slopes
from hawkeys._typing import FloatArray
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.decay.problem import NO_GAIN, DecayProblem, decay_bounds
from hawkeys.inference.task import check_weights, leave_out
from hawkeys.kernels import Exponential
from hawkeys.results.decay_profile import AT_EDGE, DecayProfile

__all__ = ["optimise_apart"]

_PER_DECADE = 3
# times that decays without excitation are moved to where there is some
_ROUNDS = 5


def optimise_apart(problem: DecayProblem, sharing: str, start: float) -> DecayProfile:
    """Maximise over one decay per source or pair, with the gradient at the inner optimum.

    There the other parameters' derivatives vanish, so that only the direct effect remains. The
    decay of a pair whose adjacency is 0 has no effect at all: it is moved to where the adjacency
    could gain, if there is such a decay, and the search goes on from there.

    Parameters
    ----------
    problem : DecayProblem
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
    if not problem.task.is_plain:
        raise InvalidParameterError(
            f"decay_sharing={sharing!r} needs one constant baseline per mark, nothing tied and no "
            "history. Use decay_sharing='shared' or decay_grid."
        )
    size, edges = problem.events.n_marks, decay_bounds(problem.events)
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
    problem: DecayProblem, start: FloatArray, edges: tuple[float, float]
) -> tuple[FloatArray, float]:
    """Return the nearest maximum to log decays `start` within the edges, and the objective."""
    from scipy.optimize import minimize

    events, counting = leave_out(problem.events, problem.task.weights)
    weights = problem.scale * check_weights(counting, events.n_realizations)
    size, shape = events.n_marks, start.shape
    arrays = events.times, events.marks, events.offsets
    slopes = np.empty((size, size))

    def loss(flat: FloatArray) -> tuple[float, FloatArray]:
        decay = np.exp(flat.reshape(shape))
        value, x = problem.solve(decay)
        full = usual_form(np.broadcast_to(decay, (size, size)))
        log_decay_slopes(arrays, events.end_times, weights, full, x, slopes)
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
    problem: DecayProblem, logs: FloatArray, edges: tuple[float, float]
) -> FloatArray | None:
    """Return log decays at which adjacency entries that are 0 could gain most; None if none can."""
    x = problem.solve(np.exp(logs))[1]
    idle = x[:, 1:] == 0.0
    if logs.ndim == 1:
        idle &= (x[:, 1:] == 0.0).all(axis=0)
    if not idle.any():
        return None
    now = problem.task.design(Exponential(np.exp(logs)), problem.scale)
    grid = np.linspace(*edges, 2 + round(_PER_DECADE * (edges[1] - edges[0]) / np.log(10.0)))
    gains = np.array([_gains(problem, float(point), now, x) for point in grid])
    gains *= idle
    if logs.ndim == 1:
        gains = gains.sum(axis=1)
    best = gains.max(axis=0)
    if not (best > NO_GAIN).any():
        return None
    return np.where(best > NO_GAIN, grid[gains.argmax(axis=0)], logs)


def _gains(problem: DecayProblem, log_decay: float, now: Design, x: FloatArray) -> FloatArray:
    """Return what each adjacency entry alone could gain at a decay, to second order, (D, D)."""
    there = problem.task.design(Exponential(np.exp(log_decay)), problem.scale)
    out = np.zeros((len(x), len(x)))
    for i in range(len(x)):
        rate = x[i, 0] + x[i, 1:] @ now.block(i)
        own = now.weights[now.offsets[i] : now.offsets[i + 1]] if now.weights.size else 1.0
        share = there.block(i) / rate
        slope = (share * own).sum(axis=1) - there.cost[i, 1:]
        bend = (share**2 * own).sum(axis=1)
        rising = (slope > 0.0) & (bend > 0.0)
        out[i] = np.where(rising, slope**2, 0.0) / np.where(rising, 2.0 * bend, 1.0)
    return out


def _profile(
    problem: DecayProblem, logs: FloatArray, value: float, edges: tuple[float, float]
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
