"""What the events of each mark have left of exponential influence, at any times."""

import math

import numpy as np
from numba import njit

__all__ = ["own_mass", "source_sums_at"]


@njit(cache=True, nogil=True)
def source_sums_at(times, marks, decay, queries, mass, out):
    """Write c_j, or if `mass` its integral since the start, at sorted query times.

    Of one realisation; `decay` has one entry per source and `out` the shape (n_queries, n_sources).
    Events at a query time itself are not counted. A source fades when it is looked at, so that an
    event costs one exponential (or two), whatever the number of marks.
    """
    state, lost, since = np.zeros(decay.size), np.zeros(decay.size), np.zeros(decay.size)
    k = 0
    for q in range(queries.size):
        while k < times.size and times[k] < queries[q]:
            j = marks[k]
            if state[j] > 0.0:
                faded = decay[j] * (times[k] - since[j])
                if mass:
                    lost[j] -= state[j] * math.expm1(-faded)
                state[j] *= math.exp(-faded)
            state[j] += 1.0
            since[j] = times[k]
            k += 1
        for j in range(decay.size):
            out[q, j] = lost[j]
            if state[j] > 0.0:
                faded = decay[j] * (queries[q] - since[j])
                if mass:
                    out[q, j] -= state[j] * math.expm1(-faded)
                else:
                    out[q, j] = decay[j] * state[j] * math.exp(-faded)


@njit(cache=True, nogil=True)
def own_mass(times, marks, offsets, decay, adjacency, out, part):
    """Write each event's sum_j W_ij times the integral of c_j up to it, i its own mark.

    For one decay that all share, of the realisations ``range(*part)``. Simultaneous events do not
    count for each other.
    """
    size = adjacency.shape[0]
    for r in range(part[0], part[1]):
        state, lost = np.zeros(size), np.zeros(size)
        applied = offsets[r]
        for k in range(offsets[r], offsets[r + 1]):
            if k > offsets[r] and times[k] > times[k - 1]:
                for e in range(applied, k):
                    state[marks[e]] += 1.0
                applied = k
                change = math.expm1(-decay * (times[k] - times[k - 1]))
                for j in range(size):
                    lost[j] -= state[j] * change
                    state[j] += state[j] * change
            row, total = adjacency[marks[k]], 0.0
            for j in range(size):
                total += row[j] * lost[j]
            out[k] = total
