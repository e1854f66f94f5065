"""Penalised row problems, alone or coupled by groups; see `hawkeys._jit.penalized`.

Only the sums over events are written anew; what is done with a few parameters is the compiled
twin's own text.
"""

from __future__ import annotations

from functools import cache
from types import ModuleType
from typing import Any

import numpy as np

from hawkeys._plain.interpreted import interpreted
from hawkeys._typing import FloatArray, IntArray

__all__ = ["solve_penalized"]


def _log_terms(
    columns: FloatArray, weights: FloatArray, x: FloatArray, slope: FloatArray, hessian: FloatArray
) -> float:
    """Fill slope = sum w v / lambda and hessian = sum w v v' / lambda^2; return sum w log lambda.

    `columns` is the flat (P, n) matrix of one row; both outputs come filled with zeros. If some
    event is impossible, the value is -inf and they mean nothing.
    """
    v = columns.reshape(x.size, -1)
    if weights.size:
        v, weights = v[:, weights > 0.0], weights[weights > 0.0]
    lam = x @ v
    if not (lam > 0.0).all():
        return -np.inf
    root = np.sqrt(weights) if weights.size else np.ones(lam.size)
    scaled = v * (root / lam)
    slope += scaled @ root
    hessian += scaled @ scaled.T
    logs = np.log(lam)
    return float(weights @ logs if weights.size else logs.sum())


def _shift(hessian: FloatArray, rest: FloatArray, i: int, change: float) -> None:
    """Let coordinate i of the model move by `change`: its slopes `rest` follow."""
    size = hessian.shape[1]
    b, p = divmod(i, size)
    rest[b * size : (b + 1) * size] -= hessian[b, :, p] * change


@cache
def _twin() -> ModuleType:
    """Return the compiled twin's text, read when it is first needed."""
    return interpreted("penalized", _log_terms=_log_terms, _shift=_shift)


def solve_penalized(
    data: tuple[FloatArray, FloatArray, IntArray],
    terms: tuple[FloatArray, FloatArray, IntArray, FloatArray],
    sets: tuple[IntArray, IntArray, IntArray],
    tolerance: float,
    x: FloatArray,
    hessian: FloatArray,
    trace: FloatArray,
) -> tuple[float, float, float, int]:
    """Solve one problem of rows by proximal Newton descent from x, in place.

    See the compiled twin.
    """
    found: Any = _twin().solve_penalized(data, terms, sets, tolerance, x, hessian, trace)
    return float(found[0]), float(found[1]), float(found[2]), int(found[3])
