"""Clipped Manhattan distances from the nearest of weighted templates."""

import numpy as np
from numba import njit

__all__ = ["neighbor_distances"]


@njit(cache=True, nogil=True)
def _nearest_mean(distances, weights, mass):
    """Return the mean of the smallest distances whose weights sum to `mass`, the last in part.

    Overwrites both arrays. A few smallest values are found sooner one by one than by sorting.
    """
    used = 0.0
    total = 0.0
    nearest = distances.min()
    for _ in range(distances.size):
        t = np.argmin(distances)
        share = min(weights[t], mass - used)
        if share > 0.0:
            used += share
            total += share * distances[t]
        if used >= mass:
            break
        distances[t], weights[t] = np.inf, 0.0
    return total / used if used > 0.0 else nearest


@njit(cache=True, nogil=True)
def neighbor_distances(samples, own, templates, weights, share, clip, out):
    """Fill `out` with the mean distance of each sample from its nearest templates.

    Samples have shape (n_samples, n_features), templates (n_features, n_templates). The distance of
    two is the mean over the features of min(|difference|, clip). Templates are used from the
    nearest on until the share `share` of all weight is used. Template `own[i]` is no neighbour of
    sample i; -1 leaves none out. A sample without neighbours has the distance 0.
    """
    n_features, n_templates = templates.shape
    distances = np.empty(n_templates)
    others = np.empty(n_templates)
    for i in range(samples.shape[0]):
        for t in range(n_templates):
            distances[t], others[t] = 0.0, weights[t]
        # templates run innermost, so that the loop is compiled to vector instructions
        for j in range(n_features):
            value = samples[i, j]
            for t in range(n_templates):
                distances[t] += min(abs(value - templates[j, t]), clip)
        if own[i] >= 0:
            others[own[i]] = 0.0
            distances[own[i]] = np.inf
        out[i] = 0.0
        if n_templates > 1 or own[i] < 0:
            out[i] = _nearest_mean(distances, others, share * others.sum()) / n_features
