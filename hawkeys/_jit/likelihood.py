"""Value and gradient of row problems whose excitations are at hand.

L(x) = sum_k w_k log(v_k . x) - cost . x with v_k = (1, c_k1, ..., c_kD), for many rows at once.
"""

import math

import numpy as np
from numba import njit

__all__ = ["row_values"]

_TILE = 512
_FOLD = 8
# products of _FOLD numbers between these neither overflow nor lose digits
_SMALL, _LARGE = 1e-37, 1e37


@njit(cache=True, nogil=True)
def _log_each(values, weights):
    """Return sum(w * log(values)), weights left out if there are none."""
    total = 0.0
    for k in range(values.size):
        weight = weights[k] if weights.size > 0 else 1.0
        if weight > 0.0:
            total += weight * math.log(values[k]) if values[k] > 0.0 else -math.inf
    return total


@njit(cache=True, nogil=True)
def _log_product(values, total):
    """Return total + sum(log(values)) with few logarithms; a product is kept within range."""
    product = 1.0
    for k in range(values.size):
        longer = product * values[k]
        if 1e-150 < longer < 1e150:
            product = longer
        else:
            total += math.log(product) + math.log(values[k])
            product = 1.0
    return total + math.log(product)


@njit(cache=True, nogil=True)
def _log_total(values, scratch):
    """Return sum(log(values)): logs are taken of products, in loops that vectorise."""
    n, usual = values.size, 0
    for k in range(n):
        usual += (values[k] > _SMALL) & (values[k] < _LARGE)
    if usual < n:
        return _log_each(values, scratch[:0])
    m = n // _FOLD
    folded = scratch[:m]
    for k in range(m):
        folded[k] = values[k]
    for s in range(1, _FOLD):
        part = values[s * m : s * m + m]
        for k in range(m):
            folded[k] *= part[k]
    return _log_product(folded, _log_product(values[_FOLD * m :], 0.0))


@njit(cache=True, nogil=True)
def _intensities(excitation, at, x, lam):
    """Write the intensities at the events from `at` on; sources without effect are passed over."""
    n_sources = x.size - 1
    width = excitation.size // n_sources
    lam[:] = x[0]
    for j in range(n_sources):
        effect = x[j + 1]
        if effect != 0.0:
            row = excitation[j * width + at : j * width + at + lam.size]
            for k in range(lam.size):
                lam[k] += effect * row[k]


@njit(cache=True, nogil=True)
def _value(excitation, weights, x, gradient):
    """Return sum_k w_k log(v_k . x); add its gradient if there is room for it."""
    n_sources = x.size - 1
    width = excitation.size // n_sources
    tile = np.ones((3, min(_TILE, max(width, 1))))
    total = 0.0
    for at in range(0, width, _TILE):
        n = min(_TILE, width - at)
        lam, share, ones = tile[0, :n], tile[1, :n], tile[2, :n]
        _intensities(excitation, at, x, lam)
        own = weights[at : at + n]
        total += _log_each(lam, own) if own.size > 0 else _log_total(lam, share)
        if gradient.size == 0:
            continue
        for k in range(n):
            share[k] = 1.0 / lam[k] if lam[k] > 0.0 else math.inf
        for k in range(own.size):
            share[k] = share[k] * own[k] if own[k] > 0.0 else 0.0
        gradient[0] += np.dot(ones, share)
        for j in range(n_sources):
            row = excitation[j * width + at : j * width + at + n]
            gradient[j + 1] += np.dot(row, share)
    return total


@njit(cache=True, nogil=True)
def row_values(data, cost, x, out, gradient, part):
    """Write sum_k w_k log(v_k . x) - cost . x of the row problems ``range(*part)`` to `out`.

    data = (excitation, weights, offsets). `gradient` (n_blocks, P) comes filled with zeros and
    leaves with the gradients, or has no columns and is left alone.
    """
    excitation, weights, offsets = data
    size = cost.shape[1]
    for b in range(part[0], part[1]):
        begin, end = offsets[b], offsets[b + 1]
        block = excitation[(size - 1) * begin : (size - 1) * end]
        value = _value(block, weights[begin:end], x[b], gradient[b])
        for p in range(size):
            value -= cost[b, p] * x[b, p]
        for p in range(gradient.shape[1]):
            gradient[b, p] -= cost[b, p]
        out[b] = value
