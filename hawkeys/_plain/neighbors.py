"""Clipped Manhattan distances from the nearest of weighted templates.

See `hawkeys._jit.neighbors`; sums are taken in the same order, to the same bits.
"""

from __future__ import annotations

import numpy as np

from hawkeys._typing import FloatArray, IntArray

__all__ = ["neighbor_distances"]

# distances of samples from templates that are held at once
_BLOCK = 65_536


def neighbor_distances(
    samples: FloatArray,
    own: IntArray,
    templates: FloatArray,
    weights: FloatArray,
    share: float,
    clip: float,
    out: FloatArray,
) -> None:
    """Fill `out` with the mean distance of each sample from its nearest templates.

    See the compiled twin.
    """
    n_features, n_templates = templates.shape
    step = max(1, _BLOCK // n_templates)
    for begin in range(0, len(samples), step):
        here = slice(begin, begin + step)
        distances = _distances(samples[here], templates, clip)
        out[here] = _nearest_mean(distances, own[here], weights, share) / n_features


def _distances(samples: FloatArray, templates: FloatArray, clip: float) -> FloatArray:
    """Return the sums over features of min(|difference|, clip), (n_samples, n_templates)."""
    out = np.zeros((len(samples), templates.shape[1]))
    gap = np.empty_like(out)
    for value, template in zip(samples.T, templates, strict=True):
        np.subtract(value[:, None], template, out=gap)
        np.abs(gap, out=gap)
        np.minimum(gap, clip, out=gap)
        out += gap
    return out


def _nearest_mean(
    distances: FloatArray, own: IntArray, weights: FloatArray, share: float
) -> FloatArray:
    """Return the mean of the smallest distances whose weights sum to a share, the last in part."""
    others = np.broadcast_to(weights, distances.shape).copy()
    kept = np.flatnonzero(own >= 0)
    others[kept, own[kept]] = 0.0
    distances[kept, own[kept]] = np.inf
    mass = share * np.cumsum(others, axis=1)[:, -1]
    order = np.argsort(distances, axis=1, kind="stable")
    rows = np.arange(len(distances))
    used, total = np.zeros((2, len(distances)))
    for k in order.T:  # the nearest of each sample, the next nearest, ...
        part = np.maximum(np.minimum(others[rows, k], mass - used), 0.0)
        total += part * np.where(part > 0.0, distances[rows, k], 0.0)
        used += part
        if (used >= mass).all():
            break
    nearest = distances[rows, order[:, 0]]
    alone = np.isinf(nearest)  # without neighbours
    mean = np.divide(total, used, out=nearest, where=used > 0.0)
    mean[alone] = 0.0
    return mean
