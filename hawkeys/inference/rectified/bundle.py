"""Maxima at kinks: a bundle of tangent planes, which also proves how little is left to gain.

Where silence starts and ends the second derivatives jump, and without a baseline the gradient does,
too; Newton steps may then zigzag and stop short. The log-likelihood is concave, so that it lies
below every tangent plane: the least of them, maximised by a linear programme, bounds the maximum,
and the level method moves between the two.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from scipy.optimize import linprog, nnls

from hawkeys._typing import BoolArray, FloatArray

__all__ = ["Summit", "possible_start", "summit"]

Terms = Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]

# of what is left to gain, at which level the next point is sought
_LEVEL = 0.3
# reach of the search in units of each parameter, and that of the proof
_NEAR, _WIDE = 10.0, 1000.0
_UNIT = 0.1
_FEASIBLE = 1e-10
_MOST_CUTS = 200


class Summit(NamedTuple):
    """The best point found, (P,), its value, and how much more there may be within reach."""

    point: FloatArray
    value: float
    gap: float


class _Planes:
    """Tangent planes in the units of the parameters, and half-spaces of possible points."""

    def __init__(self, terms: Terms, columns: FloatArray, unit: FloatArray) -> None:
        self.terms, self.columns, self.unit = terms, columns * unit, unit
        self.slopes: list[FloatArray] = []
        self.heights: list[float] = []
        self.sides: list[FloatArray] = []

    def add(self, y: FloatArray) -> float:
        """Add the plane at a point; where an event is impossible, that it must be possible."""
        with np.errstate(divide="ignore", invalid="ignore"):
            value, gradient, _ = self.terms(y * self.unit)
        if np.isfinite(value) and np.isfinite(gradient).all():
            self.slopes.append(gradient * self.unit)
            self.heights.append(value - float(self.slopes[-1] @ y))
            return value
        worst = self.columns[np.argmin(self.columns @ y)]
        self.sides.append(worst / np.linalg.norm(worst))
        return -np.inf

    def highest(
        self, y: FloatArray, value: float, low: FloatArray, high: FloatArray
    ) -> tuple[FloatArray, float] | None:
        """Return where the least plane is highest within a box, from `y`, and how far above."""
        slopes, sides = np.array(self.slopes), np.array(self.sides).reshape(-1, y.size)
        above = np.array(self.heights) + slopes @ y - value
        rows = np.vstack((np.column_stack((-slopes, np.ones(len(slopes)))),
                          np.column_stack((-sides, np.zeros(len(sides))))))  # fmt: skip
        bounds = [*zip((low - y).tolist(), (high - y).tolist(), strict=True), (None, None)]
        cost = np.append(np.zeros(y.size), -1.0)
        found = linprog(cost, rows, np.concatenate((above, sides @ y)), bounds=bounds)
        return (found.x[:-1], float(found.x[-1])) if found.status == 0 else None

    def nearest(
        self, y: FloatArray, level: float, low: FloatArray, high: FloatArray
    ) -> FloatArray | None:
        """Return the shortest step from `y` to where all planes reach a level, None if none."""
        slopes, sides = np.array(self.slopes), np.array(self.sides).reshape(-1, y.size)
        one = np.eye(y.size)
        rows = np.vstack((slopes, sides, one, -one))
        least = np.concatenate(
            (level - np.array(self.heights) - slopes @ y, -sides @ y, low - y, y - high)
        )
        size = np.linalg.norm(rows, axis=1)
        return _least_distance(rows / size[:, None], least / size)


def _least_distance(rows: FloatArray, least: FloatArray) -> FloatArray | None:
    """Return the shortest x with rows @ x >= least.

    Lawson and Hanson (1974), Solving Least Squares Problems, chapter 23, problem LDP.
    """
    matrix = np.vstack((rows.T, least))
    wanted = np.zeros(len(matrix))
    wanted[-1] = 1.0
    try:
        found, _ = nnls(matrix, wanted, maxiter=50 * rows.shape[0])
    except RuntimeError:  # too many steps of the active set
        return None
    rest = matrix @ found - wanted
    return None if np.linalg.norm(rest) < _FEASIBLE else -rest[:-1] / rest[-1]


def summit(
    terms: Terms,
    start: FloatArray,
    lowest: FloatArray,
    columns: FloatArray,
    limits: tuple[float, int],
) -> Summit:
    """Maximise a concave function by the level method.

    Parameters
    ----------
    terms : callable
        Value, gradient and more at a point (P,).
    start : ndarray of float64, shape (P,)
        Where the value is finite.
    lowest : ndarray of float64, shape (P,)
        Smallest values.
    columns : ndarray of float64, shape (n_events, P)
        What must be positive for a point to be possible, by parameter.
    limits : tuple (tolerance, most)
        Stop when no more is to be gained, in nats; most planes.

    Returns
    -------
    Summit
        Never below the start. Its gap holds within 1000 units of each parameter (10 if the planes
        ran out): its size at the start, or a tenth if that is larger.

    References
    ----------
    Lemarechal, C., Nemirovskii, A. and Nesterov, Y. (1995). New variants of bundle methods.
    Mathematical Programming 69, 111-147. doi:10.1007/BF01585555
    """
    tolerance, most = limits
    unit = np.maximum(np.abs(start), _UNIT)
    planes, low = _Planes(terms, columns, unit), lowest / unit
    best = start / unit
    value, gap, reach = planes.add(best), np.inf, _NEAR
    for _ in range(min(most, _MOST_CUTS)):
        box = np.maximum(low, best - reach), best + reach
        above = planes.highest(best, value, *box)
        if above is None:
            break
        gap = max(above[1], 0.0)
        if gap < tolerance:
            if reach == _WIDE:
                return Summit(best * unit, value, gap)
            reach = _WIDE
            continue
        step = planes.nearest(best, value + _LEVEL * gap, *box)
        new = np.maximum(best + (above[0] if step is None else step), low)
        found = planes.add(new)
        if found > value:
            best, value = new, found
    return Summit(best * unit, value, gap)


def possible_start(
    columns: FloatArray, start: FloatArray, lowest: FloatArray, free: BoolArray
) -> FloatArray | None:
    """Return a point at which every event is possible, held parameters as they are; or None."""
    if columns.shape[0] == 0 or (columns @ start > 0.0).all():
        return start
    index = np.flatnonzero(free)
    rows = np.column_stack((-columns[:, index], np.ones(len(columns))))
    base = columns @ np.where(free, 0.0, start)
    scale = np.abs(start).max() + 1.0
    bounds = [*((low, 1e3 * scale) for low in np.maximum(lowest[index], -1e3 * scale)), (None, 1.0)]
    found = linprog(np.append(np.zeros(index.size), -1.0), rows, base, bounds=bounds)
    if found.status != 0 or found.x[-1] <= 0.0:
        return None
    out = start.copy()
    out[index] = found.x[:-1]
    return out
