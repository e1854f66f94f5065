"""Value and gradient of row problems; see `hawkeys._jit.likelihood`."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from hawkeys._typing import FloatArray, IntArray

__all__ = ["log_total", "row_values"]


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
    """Write sum_k w_k log(v_k . x) - cost . x of the row problems ``range(*part)`` to `out`.

    Rows with equally many events are done together, each as it would be alone.
    """
    for rows, v, weights in _alike_rows(data, cost.shape[1] - 1, part):
        lam = np.matmul(x[rows, None], v)[:, 0]
        counts = weights > 0
        possible = lam > 0
        logs = np.log(np.where(possible & counts, lam, 1.0))
        value = np.matmul(weights[:, None], logs[:, :, None])[:, 0, 0]
        value[(counts & ~possible).any(axis=1)] = -np.inf
        out[rows] = value - np.matmul(cost[rows, None], x[rows, :, None])[:, 0, 0]
        if gradient.shape[1]:
            share = np.where(counts, np.inf, 0.0)
            np.divide(weights, lam, out=share, where=possible & counts)
            with np.errstate(invalid="ignore"):  # 0 times infinity, where no likelihood is left
                gradient[rows] += np.matmul(v, share[:, :, None])[:, :, 0] - cost[rows]


def _alike_rows(
    data: tuple[FloatArray, FloatArray, IntArray], n_sources: int, part: tuple[int, int]
) -> Iterator[tuple[IntArray, FloatArray, FloatArray]]:
    """Yield the rows of each number of events n, their v (n_rows, 1 + n_sources, n) and weights."""
    excitation, weights, offsets = data
    begins, sizes = offsets[part[0] : part[1]], np.diff(offsets[part[0] : part[1] + 1])
    for n in np.unique(sizes):
        rows = np.flatnonzero(sizes == n)
        v = np.ones((rows.size, n_sources + 1, n))
        flat = _stretches(excitation, n_sources * begins[rows], n_sources * n)
        v[:, 1:] = flat.reshape(rows.size, n_sources, n)
        own = _stretches(weights, begins[rows], n) if weights.size else np.ones((rows.size, n))
        yield part[0] + rows, v, own


def _stretches(values: FloatArray, begins: IntArray, n: int) -> FloatArray:
    """Return the n numbers from each place on, (n_places, n); a view if there is one place."""
    if begins.size == 1:
        return values[None, begins[0] : begins[0] + n]
    return values[begins[:, None] + np.arange(n)]
