"""Value and gradient of row problems; see `hawkeys._jit.likelihood`."""

from __future__ import annotations

import numpy as np

from hawkeys._typing import FloatArray, IntArray

__all__ = ["log_total", "row_of", "row_values"]


def row_of(
    data: tuple[FloatArray, FloatArray, IntArray], n_sources: int, b: int
) -> tuple[FloatArray, FloatArray]:
    """Return v (1 + n_sources, n_events) of one row problem, whose first row is 1, and weights."""
    excitation, weights, offsets = data
    begin, end = offsets[b], offsets[b + 1]
    v = np.ones((n_sources + 1, end - begin))
    v[1:] = excitation[n_sources * begin : n_sources * end].reshape(n_sources, -1)
    return v, weights[begin:end] if weights.size else np.ones(end - begin)


def log_total(lam: FloatArray, weights: FloatArray) -> float:
    """Return sum(w * log(lambda)); an event of weight 0 adds nothing, however impossible."""
    counts = weights > 0
    if not (lam[counts] > 0).all():
        return -np.inf
    return float(weights[counts] @ np.log(lam[counts]))


def row_values(
    data: tuple[FloatArray, FloatArray, IntArray],
    cost: FloatArray,
    x: FloatArray,
    out: FloatArray,
    gradient: FloatArray,
    part: tuple[int, int],
) -> None:
    """Write sum_k w_k log(v_k . x) - cost . x of the row problems ``range(*part)`` to `out`."""
    for b in range(*part):
        v, weights = row_of(data, cost.shape[1] - 1, b)
        lam = x[b] @ v
        out[b] = log_total(lam, weights) - cost[b] @ x[b]
        if gradient.shape[1]:
            share = np.where(weights > 0, np.inf, 0.0)
            np.divide(weights, lam, out=share, where=(lam > 0) & (weights > 0))
            with np.errstate(invalid="ignore"):  # 0 times infinity, where no likelihood is left
                gradient[b] += v @ share - cost[b]
