"""Profile likelihoods of one row problem; see `hawkeys._jit.profile`.

Only the sums over events are written anew; what is done with a few parameters is the compiled
twin's own text.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any, TypeAlias

import numpy as np

from hawkeys._plain.interpreted import interpreted
from hawkeys._plain.rows import row_of
from hawkeys._typing import BoolArray, FloatArray, IntArray

__all__ = ["climb", "profile_ends", "scores"]

Row: TypeAlias = tuple[FloatArray, FloatArray, FloatArray, FloatArray]


def _evaluate(row: Row, x: FloatArray, slope: FloatArray, hessian: FloatArray) -> float:
    """Return L; fill its gradient and its negative second derivatives."""
    basis, weights, cost, ridge = row
    counts = weights > 0.0
    rate = x @ basis
    if not (rate[counts] > 0.0).all():
        return -np.inf
    root, share = np.sqrt(weights), np.zeros_like(rate)
    np.divide(root, rate, out=share, where=counts)
    scaled = basis * share
    slope[:] = scaled @ root - cost - ridge * x
    np.matmul(scaled, scaled.T, out=hessian)
    hessian[np.diag_indices(x.size)] += ridge
    return float(weights[counts] @ np.log(rate[counts]) - (cost + 0.5 * ridge * x) @ x)


def _value(row: Row, x: FloatArray) -> float:
    """Return L alone."""
    basis, weights, cost, ridge = row
    counts = weights > 0.0
    rate = (x @ basis)[counts]
    if not (rate > 0.0).all():
        return -np.inf
    return float(weights[counts] @ np.log(rate) - (cost + 0.5 * ridge * x) @ x)


@cache
def _twin() -> ModuleType:
    """Return the compiled twin's text, read when it is first needed."""
    return interpreted("profile", _evaluate=_evaluate, _value=_value)


def climb(
    row: Row,
    held: BoolArray,
    linked: BoolArray,
    x: FloatArray,
    slope: FloatArray,
    hessian: FloatArray,
) -> float:
    """Maximise L over the parameters not held, from x in place; the sum of those linked stays.

    See the compiled twin.
    """
    return float(_twin().climb(row, held, linked, x, slope, hessian))


def profile_ends(
    row: Row,
    held: BoolArray,
    groups: BoolArray,
    x: FloatArray,
    drop: float,
) -> tuple[FloatArray, float]:
    """Return the profile's figures for the sum of every group of a row, from its optimum x.

    See the compiled twin.
    """
    found: Any = _twin().profile_ends(row, held, groups, x, drop)
    return found[0], float(found[1])


def scores(
    excitation: FloatArray, weights: FloatArray, offsets: IntArray, cost: FloatArray, x: FloatArray
) -> FloatArray:
    """Return the gradient of L of every block, at the row of x that its number modulo rows names.

    Shape (n_blocks, n_parameters); `excitation`, `weights` and `offsets` as in `Design`.
    """
    out = -cost.copy()
    for b in range(len(cost)):
        v, own = row_of((excitation, weights, offsets), cost.shape[1] - 1, b)
        counts = own > 0.0
        rate = x[b % len(x)] @ v[:, counts]
        out[b] += v[:, counts] @ (own[counts] / rate)
    return out
