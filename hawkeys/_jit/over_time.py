"""What events have left of exponential influence at any times, and its integrals up to there."""

import math

import numpy as np
from numba import njit

__all__ = ["excitation_at", "own_mass", "pulls", "selected_excitation", "source_sums_at"]

# a state below is 0: slow arithmetic on the smallest numbers is spared
_FAINTEST = 1e-290


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


@njit(cache=True, nogil=True)
def selected_excitation(times, owners, bounds, target, sources, decay, out):
    """Write c_j at every event of one target, for chosen sources alone.

    Events are ordered by mark, then realisation (`owners`), then time; those of mark m are
    ``bounds[m]:bounds[m + 1]``. `decay` has one entry per chosen source, and `out` the shape
    (n_sources, events of the target). Each column costs one pass over the events of both marks.
    """
    first, last = bounds[target], bounds[target + 1]
    for s in range(sources.size):
        rate, state = decay[s], 0.0
        at, end = bounds[sources[s]], bounds[sources[s] + 1]
        for k in range(first, last):
            if k > first and owners[k] == owners[k - 1]:
                state *= math.exp(-rate * (times[k] - times[k - 1]))
                state = state if state > _FAINTEST else 0.0
            else:
                state = 0.0
            while at < end and owners[at] < owners[k]:
                at += 1
            while at < end and owners[at] == owners[k] and times[at] < times[k]:
                state += rate * math.exp(-rate * (times[k] - times[at]))
                at += 1
            out[s, k - first] = state


@njit(cache=True, nogil=True)
def pulls(times, marks, offsets, fades, lanes, residuals, out):
    """Add sum_k residuals[k] sum_l exp(-decay (t_k - t_l)) over later events k of each lane.

    Event k is in lane ``lanes[marks[k]]``, -1 for none; `out` (n_marks, n_lanes) is summed by the
    mark of the earlier event l. fades[k] is exp(-decay (t_k - t_(k-1))). One pass backward in time
    gives what the excitations of all sources, summed over a target's events with weights, are worth
    to that target, without any excitation being written out.
    """
    n_lanes = out.shape[1]
    ahead = np.empty(n_lanes)
    for r in range(offsets.size - 1):
        begin, end = offsets[r], offsets[r + 1]
        applied = end
        for q in range(n_lanes):
            ahead[q] = 0.0
        for k in range(end - 1, begin - 1, -1):
            if k < end - 1 and times[k] < times[k + 1]:
                for e in range(k + 1, applied):
                    lane = lanes[marks[e]]
                    if lane >= 0:
                        ahead[lane] += residuals[e]
                applied, fade = k + 1, fades[k + 1]
                for q in range(n_lanes):
                    faded = ahead[q] * fade
                    ahead[q] = faded if faded > _FAINTEST else 0.0
            row = out[marks[k]]
            for q in range(n_lanes):
                row[q] += ahead[q]


@njit(cache=True, nogil=True)
def _advance(state, mass, decay, elapsed):
    """Let time pass: states fade, and what they lose (over the decay) joins the mass."""
    for i in range(decay.shape[0]):
        for j in range(decay.shape[1]):
            mass[i, j] -= state[i, j] / decay[i, j] * math.expm1(-decay[i, j] * elapsed)
            state[i, j] *= math.exp(-decay[i, j] * elapsed)


@njit(cache=True, nogil=True)
def excitation_at(times, marks, decay, queries, excitation, integrals):
    """Write c_ij and its integral since the start at sorted query times of one realisation.

    Both outputs have shape (n_queries, n_targets, n_sources). Events at a query time itself are
    not counted.
    """
    n_marks = decay.shape[0]
    state = np.zeros((n_marks, n_marks))
    mass = np.zeros((n_marks, n_marks))
    now = 0.0
    k = 0
    for q in range(queries.size):
        while k < times.size and times[k] < queries[q]:
            _advance(state, mass, decay, times[k] - now if k > 0 else 0.0)
            now = times[k]
            for i in range(n_marks):
                state[i, marks[k]] += decay[i, marks[k]]
            k += 1
        if k > 0:
            _advance(state, mass, decay, queries[q] - now)
            now = queries[q]
        for i in range(n_marks):
            for j in range(n_marks):
                excitation[q, i, j], integrals[q, i, j] = state[i, j], mass[i, j]
