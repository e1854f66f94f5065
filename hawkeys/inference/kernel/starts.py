"""Where expectation-maximisation over a kernel starts.

The usual start is a broad kernel around the lags after the latest event of each source. A narrow
one between many other lags can be missed from there: the pairs of events at each lag are compared
with those that independent events would give, and where a narrow kernel explains many more of them
than the usual start does, both are tried.
"""

from __future__ import annotations

import numpy as np

from hawkeys._loops import lags as loops
from hawkeys._typing import FloatArray
from hawkeys.inference.kernel.families import Parameters
from hawkeys.inference.kernel.problem import EMProblem, EMState
from hawkeys.inference.kernel.setup import by_group, start_kernel
from hawkeys.kernels import DelayedKernel

__all__ = ["first_state"]

# nats by which another start must be better than the usual one
_BETTER = 10.0
_STEPS = 3
_WIDTH, _N_BINS = 0.05, 240
# narrow ones, which a broad start may miss, and what explains lags without them
_NARROW, _BROAD = (0.05, 0.1, 0.2), (0.3, 0.5, 0.8, 1.6)
# events that are looked at, and earlier ones for each of them
_MOST_EVENTS, _EARLIER = 20_000, 100.0
_MOST_COUNTS = 10_000_000
_ROUNDS = 4
# pairs per bin that chance may bring where nearly none is expected
_WONDER = 5.0


def first_state(problem: EMProblem, given: DelayedKernel | None) -> EMState:
    """Return the state to climb from.

    Parameters
    ----------
    problem : EMProblem
        The data.
    given : DelayedKernel or None
        Kernel to start from.

    Returns
    -------
    EMState
        At the kernel given, or the better of two starts a few steps on.

    Raises
    ------
    InvalidParameterError
        The kernel is of another kind, or differs within a group.
    """
    if given is not None:
        return problem.start(by_group(problem, given))
    usual = start_kernel(problem)
    other = _narrow_start(problem, usual)
    state = problem.start(usual)
    if other is None:
        return state
    states = state, problem.start(other)
    for _ in range(_STEPS):
        states = problem.advance(states[0]), problem.advance(states[1])
    return states[1] if states[1].objective > states[0].objective + _BETTER else states[0]


def _narrow_start(problem: EMProblem, usual: Parameters) -> Parameters | None:
    """Return a start with kernels at the lags most in excess; None if none is much better."""
    events, step = problem.events, problem.step
    too_large = events.n_realizations * events.n_marks**2 > _MOST_COUNTS
    if not step.names or too_large or events.n_events < 2 or not problem.support.any():
        return None
    last = _last_log_lag(problem)
    first = last - _N_BINS * _WIDTH
    bins = first + _WIDTH * (np.arange(_N_BINS) + 0.5)
    seen, expected = _pairs(problem, first)
    location, spread = step.log_lags(usual)
    narrow = _grid(bins[:: 2 if problem.n_groups == 1 else 4], _NARROW)
    broad = _grid(bins[::4], _BROAD)
    shapes, broad_shapes = _shapes(bins, *narrow), _shapes(bins, *broad)
    best = location.copy(), spread.copy()
    for g in np.flatnonzero(seen.sum(axis=1) >= 2.0):
        noise = expected[g] + _WONDER * problem.weights.max()
        gains = _explained(shapes, seen[g], noise)
        top = int(gains.argmax())
        if gains[top] > _explained(broad_shapes, seen[g], noise).max() + _BETTER:
            best[0][g], best[1][g] = narrow[0][top], narrow[1][top]
    changed = (best[0] != location) | (best[1] != spread)
    if not changed.any():
        return None
    other = step.start(*best)
    return tuple(np.where(changed, a, b) for a, b in zip(other, usual, strict=True))


def _last_log_lag(problem: EMProblem) -> float:
    """Return the log of the longest lag: the longest window, or less if events are many."""
    events = problem.events
    gap = float(events.durations.sum()) / events.n_events
    return float(np.log(min(float(events.durations.max()), _EARLIER * gap)))


def _pairs(problem: EMProblem, first: float) -> tuple[FloatArray, FloatArray]:
    """Return pairs of events by group and log-lag, and how many independent events would give."""
    events = problem.events
    some = min(events.n_events, _MOST_EVENTS)
    offsets = np.minimum(events.offsets, some)
    groups = np.where(problem.support, problem.groups, -1)
    seen = np.zeros((problem.n_groups, _N_BINS))
    data = events.times[:some], events.marks[:some], offsets, events.end_times, problem.weights
    loops.count_lags(data, groups, first, _WIDTH, seen)
    part = np.diff(offsets) / np.maximum(np.diff(events.offsets), 1)
    window = events.durations * np.where(part > 0, part, 1.0)
    counts = events.counts * part[:, None]
    bounds = np.exp(first + _WIDTH * np.arange(_N_BINS + 1))
    bounds[0] = 0.0
    inside = np.minimum(bounds, window[:, None])
    chance = np.diff(inside / window[:, None] - 0.5 * (inside / window[:, None]) ** 2, axis=1)
    both = counts[:, :, None] * counts[:, None, :]
    both[:, np.arange(events.n_marks), np.arange(events.n_marks)] -= counts
    pairs = np.zeros((problem.n_groups, events.n_realizations))
    np.add.at(pairs, problem.groups[problem.support], both[:, problem.support].T)
    return seen, np.maximum(pairs, 0.0) @ (problem.weights[:, None] * chance)


def _grid(locations: np.ndarray, spreads: tuple[float, ...]) -> tuple[FloatArray, FloatArray]:
    """Return all combinations."""
    return np.repeat(locations, len(spreads)), np.tile(spreads, locations.size)


def _shapes(bins: np.ndarray, location: FloatArray, spread: FloatArray) -> FloatArray:
    """Return the mass in each bin of normal densities of the log-lag, (n_shapes, n_bins)."""
    z = (bins - location[:, None]) / spread[:, None]
    return _WIDTH / (np.sqrt(2.0 * np.pi) * spread[:, None]) * np.exp(-0.5 * z * z)


def _explained(shapes: FloatArray, seen: FloatArray, noise: FloatArray) -> FloatArray:
    """Return what each shape, in the best amount, adds to the log-likelihood of the counts."""
    amount = shapes @ np.maximum(seen - noise, 0.0) + 1e-3
    whole = np.maximum(shapes.sum(axis=1), 1e-300)
    for _ in range(_ROUNDS):
        parts = amount[:, None] * shapes
        amount = (parts * (seen / (noise + parts))).sum(axis=1) / whole
    return (seen * np.log1p(amount[:, None] * shapes / noise)).sum(axis=1) - amount * whole
