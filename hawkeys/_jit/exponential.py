"""Exponential excitation: states at events and at arbitrary times, and compensator integrals.

Simultaneous events do not excite each other: the jumps of all events at one time are applied only
when time advances. Excitations, c_j(t) = sum_{t_l < t} b exp(-b (t - t_l)), are not yet multiplied
by the adjacency.
"""

import math

import numpy as np
from numba import njit, prange

__all__ = [
    "excitation_at",
    "excitation_per_pair",
    "excitation_per_source",
    "integrals_per_pair",
    "integrals_per_source",
]

# exp(-40) is below the rounding error of 1.
_NEGLIGIBLE = 40.0


@njit(cache=True, parallel=True)
def excitation_per_source(times, marks, offsets, decay, fade, layout, out):
    """Write c_j at every event, for decays that depend on the source mark only.

    `fade` holds exp(-decay (t_k - t_{k-1})) of every event if all sources share one decay, else
    nothing. layout = (slots, block_offsets, stride): `out` holds one (n_sources, n_block) matrix
    per block; event k belongs to block ``realization * stride + mark`` and to its column
    ``slots[k] - block_offsets[block]``.
    """
    slots, block_offsets, stride = layout
    n_marks = decay.size
    # parallel over realisations: each writes to its own events' columns only
    for r in prange(offsets.size - 1):
        state = np.zeros(n_marks)
        applied = offsets[r]
        for k in range(offsets[r], offsets[r + 1]):
            if k > applied and times[k] > times[k - 1]:
                for e in range(applied, k):
                    state[marks[e]] += decay[marks[e]]
                applied = k
                for j in range(n_marks):
                    if fade.size > 0:
                        state[j] *= fade[k]
                    else:
                        state[j] *= math.exp(-decay[j] * (times[k] - times[k - 1]))
            block = r * stride + marks[k]
            width = block_offsets[block + 1] - block_offsets[block]
            at = n_marks * block_offsets[block] + slots[k] - block_offsets[block]
            for j in range(n_marks):
                out[at + j * width] = state[j]


@njit(cache=True)
def _excite_target(times, marks, target, decay, columns, out):
    """Write c_j at the events of one target mark of one realisation; `decay` is its row."""
    n_marks = decay.size
    width = out.size // n_marks
    state = np.zeros(n_marks)
    last = np.zeros(n_marks)
    for j in range(n_marks):
        last[j] = times[0] if times.size > 0 else 0.0
    applied = 0
    for k in range(times.size):
        if times[k] > times[applied]:
            for e in range(applied, k):
                j = marks[e]
                state[j] = state[j] * math.exp(-decay[j] * (times[e] - last[j])) + decay[j]
                last[j] = times[e]
            applied = k
        if marks[k] == target:
            for j in range(n_marks):
                if state[j] > 0.0:
                    fade = math.exp(-decay[j] * (times[k] - last[j]))
                    out[columns[k] + j * width] = state[j] * fade


@njit(cache=True, parallel=True)
def excitation_per_pair(times, marks, offsets, decay, layout, out):
    """Write c_ij at every event of mark i, for a (target, source) matrix of decays.

    Same layout as `excitation_per_source`; `out` must come filled with zeros.
    """
    slots, block_offsets, stride = layout
    n_marks = decay.shape[0]
    # parallel over realisations: each writes to its own events' columns only
    for r in prange(offsets.size - 1):
        here = slice(offsets[r], offsets[r + 1])
        for i in range(n_marks):
            block = r * stride + i
            begin, end = block_offsets[block], block_offsets[block + 1]
            _excite_target(
                times[here],
                marks[here],
                i,
                decay[i],
                slots[here] - begin,
                out[n_marks * begin : n_marks * end],
            )


@njit(cache=True)
def integrals_per_source(times, marks, offsets, ends, decay, out):
    """Add sum_l (1 - exp(-decay_j (T - t_l))) to ``out[r, j]`` for every realisation."""
    for r in range(offsets.size - 1):
        for k in range(offsets[r], offsets[r + 1]):
            j = marks[k]
            lag = decay[j] * (ends[r] - times[k])
            out[r, j] += 1.0 if lag > _NEGLIGIBLE else -math.expm1(-lag)


@njit(cache=True)
def integrals_per_pair(times, marks, offsets, ends, decay, out):
    """Add sum_l (1 - exp(-decay_ij (T - t_l))) to ``out[r, i, j]`` for every realisation."""
    for r in range(offsets.size - 1):
        for k in range(offsets[r], offsets[r + 1]):
            j = marks[k]
            for i in range(decay.shape[0]):
                lag = decay[i, j] * (ends[r] - times[k])
                out[r, i, j] += 1.0 if lag > _NEGLIGIBLE else -math.expm1(-lag)


@njit(cache=True)
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
            state[:, marks[k]] += decay[:, marks[k]]
            k += 1
        if k > 0:
            _advance(state, mass, decay, queries[q] - now)
            now = queries[q]
        excitation[q] = state
        integrals[q] = mass


@njit(cache=True)
def _advance(state, mass, decay, elapsed):
    """Let time pass: states fade, and what they lose (over the decay) joins the mass."""
    for i in range(decay.shape[0]):
        for j in range(decay.shape[1]):
            mass[i, j] -= state[i, j] / decay[i, j] * math.expm1(-decay[i, j] * elapsed)
            state[i, j] *= math.exp(-decay[i, j] * elapsed)
