"""Exponential excitation: states at events and at arbitrary times, and compensator integrals.

Simultaneous events do not excite each other: the jumps of all events at one time are applied only
when time advances. Excitations, c_j(t) = sum_{t_l < t} b exp(-b (t - t_l)), are not yet multiplied
by the adjacency.
"""

import math

import numpy as np
from numba import njit

__all__ = [
    "excitation_at",
    "excitation_per_pair",
    "excitation_per_source",
    "excitation_shared",
    "integrals_per_pair",
    "integrals_per_source",
]

# exp(-40) is below the rounding error of 1.
_NEGLIGIBLE = 40.0
# a state below is 0: slow arithmetic on the smallest numbers is spared
_FAINTEST = 1e-290

# events whose exponentials are taken at once
_CHUNK = 512
# columns of a block that are held back and written at once, to spare the memory, and most numbers
# held in all
_LANES = 128
_HELD = 65_536

# constants of exp: see `_fades`
_LOWEST = -708.0
_PER_LOG_2 = 1.4426950408889634
_LOG_2_HIGH = 6.93147180369123816490e-01
_LOG_2_LOW = 1.90821492927058770002e-10
_SHIFT = 6755399441055744.0  # 1.5 * 2**52


@njit(cache=True, nogil=True)
def _fades(before, after, decay, scale, out):
    """Write exp(-decay (after - before)), within 1 unit in the last place, as loops that vectorise.

    exp(y) = 2^m exp(r) with integer m and |r| <= log(2) / 2. Adding _SHIFT to y / log(2) leaves m
    in the low bits, from where it is moved to the exponent. Below exp(-708) the result is 0.
    """
    bits = scale.view(np.int64)
    for k in range(out.size):
        y = decay * (before[k] - after[k])
        out[k] = y if y > _LOWEST else _LOWEST
    for k in range(out.size):
        scale[k] = out[k] * _PER_LOG_2 + _SHIFT
    for k in range(out.size):
        m = scale[k] - _SHIFT
        r = (out[k] - m * _LOG_2_HIGH) - m * _LOG_2_LOW
        p = 1.0 / 479001600.0 + r * (1.0 / 6227020800.0)
        p = 1.0 / 3628800.0 + r * (1.0 / 39916800.0 + r * p)
        p = 1.0 / 40320.0 + r * (1.0 / 362880.0 + r * p)
        p = 1.0 / 720.0 + r * (1.0 / 5040.0 + r * p)
        p = 1.0 / 24.0 + r * (1.0 / 120.0 + r * p)
        p = 0.5 + r * (1.0 / 6.0 + r * p)
        out[k] = 1.0 + (r + r * r * p) if out[k] > _LOWEST else 0.0
    for k in range(out.size):
        bits[k] = (bits[k] + 1023) << 52
    for k in range(out.size):
        out[k] *= scale[k]


@njit(cache=True, nogil=True)
def _excite_alone(times, decay, out):
    """Write the excitation at the events of a single mark."""
    fade, scale = np.zeros(_CHUNK), np.empty(_CHUNK)
    state, jump = 0.0, 0.0
    for at in range(0, times.size, _CHUNK):
        here = times[at : at + _CHUNK]
        row = out[at : at + _CHUNK]
        skip = 1 if at == 0 else 0  # the very first event has none before it
        n = here.size
        _fades(times[at - 1 + skip : at - 1 + n], here[skip:], decay, scale, fade[skip:n])
        now = times[at - 1 + skip]
        for k in range(n):
            if here[k] > now:
                state = (state + jump) * fade[k]
                state = state if state > _FAINTEST else 0.0
                jump = 0.0
                now = here[k]
            row[k] = state
            jump += decay


@njit(cache=True, nogil=True)
def _release(held, n, start, width, out):
    """Copy n held events, each n_marks states, to columns of a block whose first entry is start."""
    n_marks = held.shape[1]
    flat = held.ravel()
    for j in range(n_marks):
        row = out[start + j * width : start + j * width + n]
        for c in range(n):
            row[c] = flat[c * n_marks + j]


@njit(cache=True, nogil=True)
def _advance_all(state, fade):
    """Let all states fade by one factor."""
    for j in range(state.size):
        faded = state[j] * fade
        state[j] = faded if faded > _FAINTEST else 0.0


@njit(cache=True, nogil=True)
def _excite_together(times, marks, decay, first, blocks, out):
    """Write the excitations at the events of one realisation, many events of a block at once."""
    n_marks = first.size
    lanes = max(1, min(times.size, _LANES, max(8, _HELD // (n_marks * n_marks))))
    state, held = np.zeros(n_marks), np.empty((n_marks, lanes, n_marks))
    filled, place = np.zeros(n_marks, dtype=np.int64), first + (n_marks - 1) * blocks[:-1]
    fade, scale = np.zeros(_CHUNK), np.empty(_CHUNK)
    applied = 0
    for at in range(0, times.size, _CHUNK):
        n = min(_CHUNK, times.size - at)
        skip = 1 if at == 0 else 0
        now = times[at - 1 + skip]
        before = times[at - 1 + skip : at - 1 + n]
        _fades(before, times[at + skip : at + n], decay, scale, fade[skip:n])
        for k in range(n):
            if times[at + k] > now:
                now = times[at + k]
                for e in range(applied, at + k):
                    state[marks[e]] += decay
                applied = at + k
                _advance_all(state, fade[k])
            i = marks[at + k]
            column = held[i, filled[i]]
            for j in range(n_marks):
                column[j] = state[j]
            filled[i] += 1
            if filled[i] == lanes:
                _release(held[i], lanes, place[i], blocks[i + 1] - blocks[i], out)
                place[i] += lanes
                filled[i] = 0
    for i in range(n_marks):
        _release(held[i], filled[i], place[i], blocks[i + 1] - blocks[i], out)


@njit(cache=True, nogil=True)
def excitation_shared(times, marks, offsets, decay, layout, out, part):
    """Write c_j at every event, for one decay that all share.

    layout = (first, block_offsets, stride): `out` holds one (n_sources, n_block) matrix per block;
    the events of mark i in realisation r fill the columns from ``first[r, i] - block_offsets[b]``
    on of block ``b = r * stride + i``. Realisations ``range(*part)`` are done; each writes to its
    own events' columns only.
    """
    first, block_offsets, stride = layout
    n_marks = first.shape[1]
    for r in range(part[0], part[1]):
        here = slice(offsets[r], offsets[r + 1])
        if n_marks == 1:
            _excite_alone(times[here], decay, out[first[r, 0] :])
        else:
            blocks = block_offsets[r * stride : r * stride + n_marks + 1]
            _excite_together(times[here], marks[here], decay, first[r], blocks, out)


@njit(cache=True, nogil=True)
def excitation_per_source(times, marks, offsets, decay, layout, out, part):
    """Write c_j at every event, for decays that depend on the source mark only.

    layout = (slots, block_offsets, stride): `out` holds one (n_sources, n_block) matrix per block;
    event k belongs to block ``realization * stride + mark`` and to its column
    ``slots[k] - block_offsets[block]``.
    """
    slots, block_offsets, stride = layout
    n_marks = decay.size
    for r in range(part[0], part[1]):
        state = np.zeros(n_marks)
        applied = offsets[r]
        for k in range(offsets[r], offsets[r + 1]):
            if k > applied and times[k] > times[k - 1]:
                for e in range(applied, k):
                    state[marks[e]] += decay[marks[e]]
                applied = k
                for j in range(n_marks):
                    state[j] *= math.exp(-decay[j] * (times[k] - times[k - 1]))
            block = r * stride + marks[k]
            width = block_offsets[block + 1] - block_offsets[block]
            at = n_marks * block_offsets[block] + slots[k] - block_offsets[block]
            for j in range(n_marks):
                out[at + j * width] = state[j]


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def excitation_per_pair(times, marks, offsets, decay, layout, out, part):
    """Write c_ij at every event of mark i, for a (target, source) matrix of decays.

    Same layout as `excitation_per_source`; `out` must come filled with zeros.
    """
    slots, block_offsets, stride = layout
    n_marks = decay.shape[0]
    for r in range(part[0], part[1]):
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


@njit(cache=True, nogil=True)
def integrals_per_source(times, marks, offsets, ends, decay, out):
    """Add sum_l (1 - exp(-decay_j (T - t_l))) to ``out[r, j]`` for every realisation.

    Only the last events need an exponential; the others count as they are.
    """
    slowest = decay.min()
    # in four tables, so that the same mark twice need not wait for the first
    tables = np.empty((4, decay.size), dtype=np.int64)
    for r in range(offsets.size - 1):
        late = offsets[r + 1]
        while late > offsets[r] and slowest * (ends[r] - times[late - 1]) <= _NEGLIGIBLE:
            late -= 1
        if decay.size == 1:
            out[r, 0] += late - offsets[r]
        else:
            tables[:] = 0
            for k in range(offsets[r], late):
                tables[k & 3, marks[k]] += 1
            for t in range(4):
                out[r] += tables[t]
        for k in range(late, offsets[r + 1]):
            j = marks[k]
            lag = decay[j] * (ends[r] - times[k])
            out[r, j] += 1.0 if lag > _NEGLIGIBLE else -math.expm1(-lag)


@njit(cache=True, nogil=True)
def integrals_per_pair(times, marks, offsets, ends, decay, out):
    """Add sum_l (1 - exp(-decay_ij (T - t_l))) to ``out[r, i, j]`` for every realisation."""
    for r in range(offsets.size - 1):
        for k in range(offsets[r], offsets[r + 1]):
            j = marks[k]
            for i in range(decay.shape[0]):
                lag = decay[i, j] * (ends[r] - times[k])
                out[r, i, j] += 1.0 if lag > _NEGLIGIBLE else -math.expm1(-lag)


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
            state[:, marks[k]] += decay[:, marks[k]]
            k += 1
        if k > 0:
            _advance(state, mass, decay, queries[q] - now)
            now = queries[q]
        excitation[q] = state
        integrals[q] = mass


@njit(cache=True, nogil=True)
def _advance(state, mass, decay, elapsed):
    """Let time pass: states fade, and what they lose (over the decay) joins the mass."""
    for i in range(decay.shape[0]):
        for j in range(decay.shape[1]):
            mass[i, j] -= state[i, j] / decay[i, j] * math.expm1(-decay[i, j] * elapsed)
            state[i, j] *= math.exp(-decay[i, j] * elapsed)
