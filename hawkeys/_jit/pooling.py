"""Expected numbers of children by parent, one row problem at a time."""

import math

import numpy as np
from numba import njit, prange

__all__ = ["expected_children"]


@njit(cache=True)
def _row_children(excitation, weights, level, counts):
    """Add the expected children of each parent to counts; return sum_k w_k log(v_k . level)."""
    n_sources = level.size - 1
    width = excitation.size // n_sources
    total = 0.0
    for k in range(width):
        lam = level[0]
        for j in range(n_sources):
            lam += level[j + 1] * excitation[j * width + k]
        weight = weights[k] if weights.size > 0 else 1.0
        total += weight * math.log(lam) if lam > 0.0 else -math.inf
        share = weight / lam if lam > 0.0 else 0.0
        counts[0] += share * level[0]
        for j in range(n_sources):
            counts[j + 1] += share * level[j + 1] * excitation[j * width + k]
    return total


@njit(cache=True, parallel=True)
def expected_children(excitation, weights, offsets, level):
    """Return the children of each parent (n_blocks, P) and sum_k w_k log(v_k . level) (n_blocks,).

    Event k is a child of parent p with probability level_p v_kp / sum_q level_q v_kq, where
    v_k = (1, c_k1, ..., c_kD).
    """
    n_blocks, size = level.shape
    counts = np.zeros((n_blocks, size))
    totals = np.zeros(n_blocks)
    # parallel over blocks: each has its own outputs
    for b in prange(n_blocks):
        begin, end = offsets[b], offsets[b + 1]
        flat = excitation[(size - 1) * begin : (size - 1) * end]
        totals[b] = _row_children(flat, weights[begin:end], level[b], counts[b])
    return counts, totals
