"""Maximum likelihood of one target mark with inhibition.

For a given decay the log-likelihood is concave in baseline and adjacency row: an intensity at an
event is the logarithm of a linear function, and the compensator integrates the maximum of 0 and a
linear function, which is convex. It is once continuously differentiable, with jumps in the second
derivative where a piece between events starts or stops being silent; damped Newton steps climb it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeAlias

import numpy as np
import scipy

from hawkeys._typing import BoolArray, FloatArray
from hawkeys.events import Events
from hawkeys.inference.rectified.bundle import possible_start, summit
from hawkeys.process._rectified_rows import row_terms
from hawkeys.process.lag_filters import LagFilters
from hawkeys.process.predictor import Predictor

__all__ = [
    "LEFT_OUT",
    "LIMITS",
    "LOWEST",
    "RowFit",
    "best_decay",
    "best_row",
    "climb",
    "climb_over_kinks",
    "climb_to_the_edge",
    "decay_range",
    "event_columns",
]

TREND, BURST, FAR, NEAR, FAINT = "trend", "burst", "far", "near", "faint"
LEFT_OUT = TREND, FAINT
LIMITS = {
    TREND: "the decay runs off to the slowest that the windows can tell, as it does for a trend in "
    "the baseline; the influence is left out",
    BURST: "the decay runs off to the fastest that the lags can tell, as it does for bursts; what "
    "is returned is the fit at that edge",
    FAR: "the decay cannot be told from the slowest of its range, as for a trend in the baseline",
    NEAR: "the decay cannot be told from the fastest of its range, as for bursts",
    FAINT: "with any decay the influence gains less than 1.92 nats over none; it is left out",
}

# Inhibition beyond this leaves no trace that data could tell apart.
LOWEST = -1e6
_FIRST_DAMPING = 1e-2
_LEAST_DAMPING = 1e-12
_MOST_DAMPING = 1e12
# of a gradient in its own scale, at most 1
_PULL = 1e-12
_DECAYS_PER_DECADE = 3
# ratio of two least baselines in a row, on the way to the edge
_SMALLER, _LEAST_RATIO = 4.0, 1.05
_LOG_TOLERANCE = 1e-7
_SHORT_LAG = 0.05
# tolerance and steps of maxima after the fit
_AGAIN = 1e-9, 500
# bundles, with Newton steps between
_ROUNDS = 3
# half the 95 % quantile of chi-square with one degree of freedom
_FAINT = 1.92

Terms: TypeAlias = Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]


@dataclass(frozen=True, eq=False)
class RowFit:
    """Best parameters of one target mark.

    Attributes
    ----------
    theta : ndarray of float64, shape (n_marks + 2,)
        Baseline, adjacency row and decay.
    value : float
        Weighted log-likelihood.
    gradient : ndarray of float64, shape (n_marks + 2,)
        By `theta`.
    curvature : ndarray of float64, shape (n_marks + 1, n_marks + 1)
        Minus the second derivatives by baseline and adjacency row.
    to_gain : float
        What the next step promised, in nats.
    converged : bool
        Whether that is below the tolerance.
    trace : tuple of float
        Value after each step that gained.
    limit : str
        Which edge of its range an estimated decay lies at or cannot be told from; a key of
        `LIMITS`, or empty.
    """

    theta: FloatArray
    value: float
    gradient: FloatArray
    curvature: FloatArray
    to_gain: float
    converged: bool
    trace: tuple[float, ...]
    limit: str = ""

    @property
    def at_edge(self) -> bool:
        """Whether the decay was estimated and lies at the edge of its range."""
        return self.limit in (TREND, BURST)


def climb(
    terms: Terms,
    theta: FloatArray,
    allowed: BoolArray,
    limits: tuple[float, int],
    least: float = 0.0,
) -> RowFit:
    """Maximise over baseline and adjacency row, the decay held, by damped Newton steps.

    Parameters
    ----------
    terms : callable
        Value, gradient and curvature at `theta`.
    theta : ndarray of float64, shape (n_marks + 2,)
        Start, where the value is finite.
    allowed : ndarray of bool, shape (n_marks + 1,)
        Which of baseline and adjacency row may move.
    limits : tuple (tolerance, max_iter)
        Stop when the next step promises less, in nats; most steps, refused ones included.
    least : float, default 0.0
        Smallest baseline.

    Returns
    -------
    RowFit
        Its value is never below that of the start.
    """
    tolerance, max_iter = limits
    lowest = np.append(least, np.full(allowed.size - 1, LOWEST))
    value, gradient, curvature = terms(theta)
    damping, trace, to_gain = _FIRST_DAMPING, [value], np.inf
    for _ in range(max_iter):
        room = np.where(allowed, lowest - theta[:-1], 0.0)
        # damping makes any promise small: whether this is the maximum is for the full step to say
        step, promised = _step(gradient[:-1], curvature, room, allowed, _LEAST_DAMPING)
        if promised < tolerance or damping > _MOST_DAMPING:
            to_gain = promised
            break
        if damping > _LEAST_DAMPING:
            step, _ = _step(gradient[:-1], curvature, room, allowed, damping)
        moved = theta.copy()
        moved[:-1] = np.maximum(theta[:-1] + step, lowest)
        found = terms(moved)
        if found[0] > value:
            theta, (value, gradient, curvature) = moved, found
            trace.append(value)
            damping = max(0.1 * damping, _LEAST_DAMPING)
        else:
            damping *= 8.0
    converged = bool(to_gain < tolerance)
    return RowFit(theta, value, gradient, curvature, to_gain, converged, tuple(trace))


def climb_to_the_edge(
    terms: Terms,
    row: RowFit,
    constant: FloatArray,
    allowed: BoolArray,
    limits: tuple[float, int],
    time: float,
) -> RowFit:
    r"""Maximise where `climb` has stopped at an edge: the best baseline is 0, or next to it.

    Without a baseline the intensity never comes back from below 0, and the log-likelihood is not
    differentiable where influences cancel. With one it is: maxima over all baselines of at least
    :math:`\epsilon`, for ever smaller :math:`\epsilon`, lead to the edge. The maximum over the
    adjacency row is concave in the baseline, with a slope of -T or more, T the time observed, so
    that no more than :math:`\epsilon T` is left to gain below :math:`\epsilon`.

    Parameters
    ----------
    terms : callable
        Value, gradient and curvature at `theta`.
    row : RowFit
        Where `climb` has stopped.
    constant : ndarray of float64, shape (n_marks + 2,)
        Parameters of a constant rate.
    allowed : ndarray of bool, shape (n_marks + 1,)
        Which of baseline and adjacency row may move.
    limits : tuple (tolerance, max_iter)
        As of `climb`; so many steps for each least baseline.
    time : float
        Weighted time observed, above 0.

    Returns
    -------
    RowFit
        The better of that and `row`.
    """
    tolerance, rate = limits[0], constant[0]
    limits = 0.5 * tolerance, limits[1]
    near, least, ratio = climb(terms, constant, allowed, limits, 0.1 * rate), 0.1 * rate, _SMALLER
    while least * time > 0.1 * tolerance:
        if near.converged and near.theta[0] > 2.0 * least:
            break  # a maximum over all baselines
        further = climb(terms, near.theta, allowed, limits, least / ratio)
        if further.converged:
            near, least, ratio = further, least / ratio, _SMALLER
        elif ratio > _LEAST_RATIO:  # too far for Newton steps: a shorter way
            ratio = float(np.sqrt(ratio))
        else:
            break
    to_gain = near.to_gain + least * time
    without = near.theta.copy()
    without[0] = 0.0
    found = terms(without)
    theta, value = near.theta, near.value
    if near.theta[0] <= 2.0 * least and found[0] >= value - 0.1 * tolerance:
        to_gain += max(value - found[0], 0.0)
        theta, (value, gradient, curvature) = without, found
    else:
        value, gradient, curvature = terms(theta)
    if value <= row.value:  # what was found there is known of the other, too
        to_gain += value - row.value
        return replace(row, to_gain=max(to_gain, 0.0), converged=bool(to_gain < tolerance))
    done = bool(to_gain < tolerance)
    return RowFit(theta, value, gradient, curvature, to_gain, done, (*row.trace, value))


def climb_over_kinks(
    terms: Terms,
    row: RowFit,
    allowed: BoolArray,
    columns: FloatArray,
    limits: tuple[float, int],
) -> RowFit:
    """Maximise where Newton steps stop short: by a bundle of tangent planes, and steps again.

    Parameters
    ----------
    terms : callable
        Value, gradient and curvature at `theta`.
    row : RowFit
        Where they have stopped.
    allowed : ndarray of bool, shape (n_marks + 1,)
        Which of baseline and adjacency row may move.
    columns : ndarray of float64, shape (n_events, n_marks + 1)
        Of `event_columns`.
    limits : tuple (tolerance, max_iter)
        Stop when no more is to be gained, in nats; most tangent planes of a bundle, 200 at the
        utmost, and most steps.

    Returns
    -------
    RowFit
        The better of that and `row`. From a bundle its `to_gain` is proved, not promised.
    """
    for _ in range(_ROUNDS):
        row = _over_kinks(terms, row, allowed, columns, limits)
        if row.converged:
            break
        further = climb(terms, row.theta, allowed, limits)
        if further.converged:
            return replace(further, trace=(*row.trace, *further.trace[1:]))
        row = further if further.value > row.value else row
    return row


def _over_kinks(
    terms: Terms,
    row: RowFit,
    allowed: BoolArray,
    columns: FloatArray,
    limits: tuple[float, int],
) -> RowFit:
    index = np.flatnonzero(allowed)
    lowest = np.append(0.0, np.full(allowed.size - 1, LOWEST))[index]

    def inside(point: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        theta = row.theta.copy()
        theta[index] = point
        value, gradient, curvature = terms(theta)
        return value, gradient[index], curvature

    top = summit(inside, row.theta[index], lowest, columns[:, index], limits)
    theta = row.theta.copy()
    theta[index] = top.point
    value, gradient, curvature = terms(theta)
    trace = (*row.trace, value) if value > row.value else row.trace
    return RowFit(theta, value, gradient, curvature, top.gap, bool(top.gap < limits[0]), trace)


def event_columns(events: Events, target: int, decay: float) -> FloatArray:
    """Return what each parameter adds to the intensity at events of a target, (n, n_marks + 1)."""
    model = Predictor(LagFilters(decays=[decay]), None, 1, None)
    parts = []
    for r in range(events.n_realizations):
        here = slice(events.offsets[r], events.offsets[r + 1])
        times = events.times[here][events.marks[here] == target]
        parts.append(model.at(events, r, times))
    out = np.concatenate(parts)
    out[:, 1:] *= decay
    return out


def best_row(
    events: Events, weights: FloatArray, target: int, theta: FloatArray, allowed: BoolArray
) -> RowFit | None:
    """Return the maximum with some parameters held where `theta` has them.

    Parameters
    ----------
    events : Events
        The data.
    weights : ndarray of float64, shape (n_realizations,)
        Weight of each realisation.
    target : int
        The mark.
    theta : ndarray of float64, shape (n_marks + 2,)
        Start: baseline, adjacency row and decay.
    allowed : ndarray of bool, shape (n_marks + 1,)
        Which of baseline and adjacency row may move.

    Returns
    -------
    RowFit or None
        None if some event is impossible wherever the others are.
    """

    def terms(point: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        return row_terms(events, target, point, weights)

    columns = event_columns(events, target, theta[-1])
    lowest = np.append(0.0, np.full(allowed.size - 1, LOWEST))
    start = possible_start(columns, theta[:-1], lowest, allowed)
    if start is None:
        return None
    found = climb(terms, np.append(start, theta[-1]), allowed, _AGAIN)
    if found.converged or not allowed.any():
        return found
    return climb_over_kinks(terms, found, allowed, columns, _AGAIN)


def _step(
    gradient: FloatArray,
    curvature: FloatArray,
    lower: FloatArray,
    allowed: BoolArray,
    damping: float,
) -> tuple[FloatArray, float]:
    """Return the best step >= lower of the damped quadratic model, and what the model promises.

    The damping of a parameter is relative to its curvature, or to its squared gradient if that is
    larger: where the likelihood is straight, damping d makes a step that promises 1 / (2 d) nats.
    """
    size = np.maximum(np.diagonal(curvature), gradient**2)
    usable = allowed & (size > 0)
    scale = np.where(usable, 1.0 / np.sqrt(np.where(usable, size, 1.0)), 0.0)
    hessian = curvature * np.outer(scale, scale) + damping * np.eye(size.size)
    slope, bound = scale * gradient, np.where(usable, lower * np.sqrt(size), 0.0)
    moving = usable & ((bound < 0.0) | (slope > 0.0))
    step = np.zeros(size.size)
    for _ in range(4 * size.size):
        index = np.flatnonzero(moving)
        change = np.zeros(size.size)
        rest = slope - hessian @ step
        change[index] = np.linalg.solve(hessian[np.ix_(index, index)], rest[index])
        blocked = np.flatnonzero(moving & (step + change < bound))
        if blocked.size:
            shares = (bound - step)[blocked] / change[blocked]
            step += shares.min() * change
            first = blocked[np.argmin(shares)]
            step[first], moving[first] = bound[first], False
            continue
        step += change
        rest = np.where(usable & ~moving, slope - hessian @ step, 0.0)
        if not rest.max() > _PULL:
            break
        moving[np.argmax(rest)] = True
    out = scale * step
    return out, float(gradient @ out - 0.5 * out @ curvature @ out)


def decay_range(events: Events) -> tuple[float, float]:
    """Return the slowest and the fastest decay that the data could tell from none and instant.

    Parameters
    ----------
    events : Events
        The data.

    Returns
    -------
    slowest, fastest : float
        A third of the inverse of the longest window, and twice the inverse of a short lag between
        successive events (the 5 % quantile): faster kernels would be fitted to chance pairs.
    """
    longest = float(events.durations.max())
    inside = np.diff(events.realization) == 0
    lags = np.diff(events.times)[inside]
    lags = lags[lags > 0]
    short = float(np.quantile(lags, _SHORT_LAG)) if lags.size else longest
    return 1.0 / (3.0 * longest), max(2.0 / short, 10.0 / longest)


def best_decay(
    fit_at: Callable[[float, FloatArray | None], RowFit], events: Events, alone: float
) -> RowFit:
    """Maximise the profile over the decay of one target mark.

    Parameters
    ----------
    fit_at : callable
        ``fit_at(decay, start)``: the best fit with that decay.
    events : Events
        The data, for the range of decays.
    alone : float
        Log-likelihood of the constant rate.

    Returns
    -------
    RowFit
        The best of a grid over the range, then of Brent's method between its neighbours. It says if
        that is at the edge, or no better than the edge or than no influence by 1.92 nats.
    """
    low, high = np.log(decay_range(events))
    grid = np.linspace(low, high, 2 + round(_DECAYS_PER_DECADE * (high - low) / np.log(10.0)))
    fits = [fit_at(float(np.exp(point)), None) for point in grid]
    best = int(np.argmax([fit.value for fit in fits]))
    top = fits[best]
    if top.value - alone < _FAINT:
        return replace(top, limit=FAINT)
    if not 0 < best < grid.size - 1:
        return replace(top, limit=TREND if best == 0 else BURST)

    def loss(point: float) -> float:
        nonlocal top
        fit = fit_at(float(np.exp(point)), top.theta)
        top = fit if fit.value > top.value else top
        return -fit.value

    bounds = (float(grid[best - 1]), float(grid[best + 1]))
    scipy.optimize.minimize_scalar(
        loss, bounds=bounds, method="bounded", options={"xatol": _LOG_TOLERANCE}
    )
    for edge, limit in ((fits[0], FAR), (fits[-1], NEAR)):
        if top.value - edge.value < _FAINT:
            return replace(top, limit=limit)
    return top
