"""Newton's method for one target mark of a process with a link."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from hawkeys._typing import BoolArray, FloatArray

__all__ = ["LIMIT", "Climb", "climb", "roughness", "undetermined"]

LIMIT = 30.0
"""Largest size of a weight: a factor of e to the power of it in the rate."""

_SHORTEST = 2.0**-40
_FLAT = 1e-10
_LEAST = 1e-4

Terms = Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]


class Climb(NamedTuple):
    """Where a climb ended.

    Attributes
    ----------
    theta : ndarray of float64, shape (P,)
        Parameters.
    value : float
        Objective, in nats.
    gradient : ndarray of float64, shape (P,)
        Of the objective.
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


def roughness(n_kernels: int, n_filters: int, penalty: float) -> FloatArray:
    """Return the penalty matrix of baseline and weights, (1 + n_kernels n_filters,) squared.

    Half of theta' R theta is half of `penalty` times the sum of the squared steps of each kernel
    from knot to knot, the one down to 0 at the last knot included. The baseline is free.
    """
    steps = np.eye(n_filters) - np.eye(n_filters, k=1)
    out = np.zeros((1 + n_kernels * n_filters,) * 2)
    out[1:, 1:] = np.kron(np.eye(n_kernels), penalty * steps.T @ steps)
    return out


def climb(
    terms: Terms, start: FloatArray, penalty: FloatArray, tolerance: float, most: int
) -> Climb:
    """Maximise a concave log-likelihood minus half of theta' penalty theta.

    Weights stay within `LIMIT`; those that press against it are held there.
    """
    theta = start
    value, gradient, curvature = _penalised(terms, theta, penalty)
    trace = [value]
    for iteration in range(most + 1):
        step = _step(theta, gradient, curvature)
        promise = 0.5 * float(gradient @ step)
        if promise < tolerance or iteration == most:
            break
        length = 1.0
        while length > _SHORTEST:
            new = _within(theta + length * step)
            found = _penalised(terms, new, penalty)
            if found[0] > value:
                break
            length *= 0.5
        else:
            break
        theta, (value, gradient, curvature) = new, found
        trace.append(value)
    return Climb(theta, value, gradient, curvature, promise, len(trace) - 1, trace)


def _penalised(
    terms: Terms, theta: FloatArray, penalty: FloatArray
) -> tuple[float, FloatArray, FloatArray]:
    with np.errstate(over="ignore", invalid="ignore"):
        value, gradient, curvature = terms(theta)
    pulled = penalty @ theta
    total = value - 0.5 * float(theta @ pulled)
    return (total if np.isfinite(total) else -np.inf), gradient - pulled, curvature + penalty


def _within(theta: FloatArray) -> FloatArray:
    out = theta.copy()
    out[1:] = np.clip(theta[1:], -LIMIT, LIMIT)
    return out


def _step(theta: FloatArray, gradient: FloatArray, curvature: FloatArray) -> FloatArray:
    """Return Newton's step over the parameters that the data move, 0 elsewhere."""
    free = np.flatnonzero(~_pressed(theta, gradient) & (np.diagonal(curvature) > 0.0))
    scale = 1.0 / np.sqrt(np.diagonal(curvature)[free])
    scaled = curvature[np.ix_(free, free)] * np.outer(scale, scale)
    values, vectors = np.linalg.eigh(scaled)
    kept = values > _FLAT
    inverse = np.where(kept, 1.0 / np.where(kept, values, 1.0), 0.0)
    out = np.zeros_like(theta)
    out[free] = scale * (vectors @ (inverse * (vectors.T @ (scale * gradient[free]))))
    return out


def _pressed(theta: FloatArray, gradient: FloatArray) -> BoolArray:
    """Return which weights lie at the limit with the data pressing outwards."""
    at = np.abs(theta) >= LIMIT
    at[0] = False
    return at & (gradient * np.sign(theta) > 0.0)


def undetermined(found: Climb) -> BoolArray:
    """Return which weights the data leave open: at the limit, or moved by 100 for half a nat."""
    return _pressed(found.theta, found.gradient) | (np.diagonal(found.curvature) < _LEAST)
