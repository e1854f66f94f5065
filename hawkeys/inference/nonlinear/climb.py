"""Newton's method for one target mark of a process with a link, with penalties."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from hawkeys._typing import BoolArray, FloatArray

__all__ = ["LIMIT", "Box", "Climb", "Pull", "climb", "optimality_gap", "roughness", "undetermined"]

LIMIT = 30.0
"""Largest size of a weight: a factor of e to the power of it in the rate."""

_SHORTEST = 2.0**-40
_FLAT = 1e-10
_LEAST = 1e-4
# of coordinate steps, relative to the promise of the first sweep, and most sweeps
_SETTLED, _SWEEPS = 1e-10, 1000
_POLISHES = 4
# tolerance from which on nothing is polished: who asks for no more wants no more
_FINE = 1e-6

Terms = Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]


class Box(NamedTuple):
    """Where parameters may be, and which may move; each (P,)."""

    lower: FloatArray
    upper: FloatArray
    free: BoolArray

    @classmethod
    def around(cls, start: FloatArray, n_pieces: int, limit: float = LIMIT) -> Box:
        """Return a box around 0 for weights, around its start for the baseline."""
        centre = np.where(np.arange(start.size) < n_pieces, start, 0.0)
        return cls(centre - limit, centre + limit, np.ones(start.size, dtype=bool))


class Pull(NamedTuple):
    """A penalty: half of theta' matrix theta, (P, P), and `lasso` (P,) times absolute values."""

    matrix: FloatArray
    lasso: FloatArray


class Climb(NamedTuple):
    """Where a climb ended.

    Attributes
    ----------
    theta : ndarray of float64, shape (P,)
        Parameters.
    value : float
        Objective, in nats.
    gradient : ndarray of float64, shape (P,)
        Of the objective without the absolute values.
    curvature : ndarray of float64, shape (P, P)
        Minus the second derivatives of the objective.
    to_gain : float
        What the next step promises, in nats.
    n_iterations : int
        Steps taken.
    trace : list of float
        Objective after each step, never falling.
    """

    theta: FloatArray
    value: float
    gradient: FloatArray
    curvature: FloatArray
    to_gain: float
    n_iterations: int
    trace: list[float]


def roughness(n_kernels: int, n_filters: int, penalty: float, n_pieces: int = 1) -> FloatArray:
    """Return the penalty matrix of baseline and weights, (n_pieces + n_kernels n_filters,) squared.

    Half of theta' R theta is half of `penalty` times the sum of the squared steps of each kernel
    from knot to knot, the one down to 0 at the last knot included. The baseline is free.
    """
    steps = np.eye(n_filters) - np.eye(n_filters, k=1)
    out = np.zeros((n_pieces + n_kernels * n_filters,) * 2)
    out[n_pieces:, n_pieces:] = np.kron(np.eye(n_kernels), penalty * steps.T @ steps)
    return out


def climb(
    terms: Terms, start: FloatArray, pull: Pull, box: Box, limits: tuple[float, int]
) -> Climb:
    """Maximise a concave log-likelihood less a penalty, within a box.

    limits = (tolerance, max_iter): stop when the next step promises less, in nats; most steps.
    """
    tolerance, most = limits
    theta = start
    value, gradient, curvature = _penalised(terms, theta, pull)
    trace = [value]
    for iteration in range(most + 1):
        step = _step(theta, gradient, curvature, pull, box)
        promise = _promise(theta, step, gradient, curvature, pull)
        if promise < tolerance or iteration == most:
            break
        length = 1.0
        while length > _SHORTEST:
            new = np.clip(theta + length * step, box.lower, box.upper)
            found = _penalised(terms, new, pull)
            if found[0] > value:
                break
            length *= 0.5
        else:
            break
        theta, (value, gradient, curvature) = new, found
        trace.append(value)
    out = Climb(theta, value, gradient, curvature, promise, len(trace) - 1, trace)
    fine = promise < tolerance <= _FINE
    return _polished(terms, out, pull, box) if fine else out


def _polished(terms: Terms, found: Climb, pull: Pull, box: Box) -> Climb:
    """Take full steps on to where rounding ends them: the gap that can be proved shrinks."""
    for _ in range(_POLISHES):
        step = _step(found.theta, found.gradient, found.curvature, pull, box)
        new = np.clip(found.theta + step, box.lower, box.upper)
        value, gradient, curvature = _penalised(terms, new, pull)
        better = found._replace(theta=new, value=value, gradient=gradient, curvature=curvature)
        before, after = optimality_gap(found, pull, box), optimality_gap(better, pull, box)
        if not (after < before and value >= found.value - 1e-9 * (1.0 + abs(value))):
            break
        found = better
    return found


def optimality_gap(found: Climb, pull: Pull, box: Box) -> float:
    """Return what no parameters within the box can gain over those found, in nats.

    The objective is concave, so that it lies below its tangent plane; less the absolute values the
    plane has its maximum over the box parameter by parameter, at an end or at 0.
    """
    theta, inside = found.theta, np.clip(0.0, box.lower, box.upper)
    free = np.where(box.free, 1.0, 0.0)
    here = pull.lasso * np.abs(theta)
    gains = [
        found.gradient * (end - theta) - pull.lasso * np.abs(end) + here
        for end in (box.lower, box.upper, inside)
    ]
    return float(free @ np.maximum(np.max(gains, axis=0), 0.0))


def _penalised(terms: Terms, theta: FloatArray, pull: Pull) -> tuple[float, FloatArray, FloatArray]:
    with np.errstate(over="ignore", invalid="ignore"):
        value, gradient, curvature = terms(theta)
    pulled = pull.matrix @ theta
    total = value - 0.5 * float(theta @ pulled) - float(pull.lasso @ np.abs(theta))
    total = total if np.isfinite(total) else -np.inf
    return total, gradient - pulled, curvature + pull.matrix


def _promise(
    theta: FloatArray, step: FloatArray, gradient: FloatArray, curvature: FloatArray, pull: Pull
) -> float:
    """Return what the quadratic model says that a step gains."""
    if not pull.lasso.any():
        return 0.5 * float(gradient @ step)
    bent = float(pull.lasso @ (np.abs(theta + step) - np.abs(theta)))
    return float(gradient @ step - 0.5 * step @ curvature @ step) - bent


def _step(
    theta: FloatArray, gradient: FloatArray, curvature: FloatArray, pull: Pull, box: Box
) -> FloatArray:
    """Return Newton's step over the parameters that the data move, 0 elsewhere."""
    moved = np.diagonal(curvature) > 0.0
    if pull.lasso.any():
        return _coordinates(theta, gradient, curvature, pull, box)
    free = np.flatnonzero(box.free & ~_pressed(theta, gradient, box) & moved)
    scale = 1.0 / np.sqrt(np.diagonal(curvature)[free])
    scaled = curvature[np.ix_(free, free)] * np.outer(scale, scale)
    values, vectors = np.linalg.eigh(scaled)
    kept = values > _FLAT
    inverse = np.where(kept, 1.0 / np.where(kept, values, 1.0), 0.0)
    out = np.zeros_like(theta)
    out[free] = scale * (vectors @ (inverse * (vectors.T @ (scale * gradient[free]))))
    return out


def _coordinates(
    theta: FloatArray, gradient: FloatArray, curvature: FloatArray, pull: Pull, box: Box
) -> FloatArray:
    """Return the best step of the quadratic model less absolute values, by coordinate descent.

    Friedman, Hastie and Tibshirani (2010), Journal of Statistical Software 33(1), eq. 10.
    """
    new, slope, first = theta.copy(), gradient.copy(), 0.0
    free = np.flatnonzero(box.free & (np.diagonal(curvature) > 0.0)).tolist()
    for sweep in range(_SWEEPS):
        gained = 0.0
        for p in free:
            bend, weight = curvature[p, p], pull.lasso[p]
            centre = bend * new[p] + slope[p]
            shrunk = np.sign(centre) * max(abs(centre) - weight, 0.0) / bend
            change = min(max(shrunk, box.lower[p]), box.upper[p]) - new[p]
            if change != 0.0:
                new[p] += change
                slope -= curvature[:, p] * change
                gained += bend * change**2
        first = gained if sweep == 0 else first
        if gained <= _SETTLED * first:
            break
    return new - theta


def _pressed(theta: FloatArray, gradient: FloatArray, box: Box) -> BoolArray:
    """Return which parameters lie at an end of the box with the data pressing outwards."""
    outwards = (theta <= box.lower) & (gradient < 0.0) | (theta >= box.upper) & (gradient > 0.0)
    return np.asarray(outwards)


def undetermined(found: Climb, box: Box) -> BoolArray:
    """Return which weights the data leave open: at the limit, or moved by 100 for half a nat."""
    pressed = _pressed(found.theta, found.gradient, box)
    return pressed | (np.diagonal(found.curvature) < _LEAST)
