"""Exponential excitation: states at events, and compensator integrals.

Simultaneous events do not excite each other: the jumps of all events at one time are applied only
when time advances. Excitations, c_j(t) = sum_{t_l < t} b exp(-b (t - t_l)), are not yet multiplied
by the adjacency.

The derivatives of the log-likelihood of a single mark by its decay stand here, too, for `_fades`;
see `hawkeys._jit.decay_slope`.
"""

import math

import numpy as np
from numba import njit

__all__ = [
    "curvature_alone",
    "excitation_alone",
    "excitation_per_pair",
    "excitation_per_source",
    "excitation_shared",
    "fades",
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
    """Write exp(-decay (after - before)) to the first numbers of `out`.

    Within 1 unit in the last place, as loops that vectorise: exp(y) = 2^m exp(r) with integer m and
    |r| <= log(2) / 2. Adding _SHIFT to y / log(2) leaves m in the low bits, from where it is moved
    to the exponent. Below exp(-708) the result is 0.
    """
    bits, n = scale.view(np.int64), after.size
    for k in range(n):
        y = decay * (before[k] - after[k])
        out[k] = y if y > _LOWEST else _LOWEST
        scale[k] = out[k] * _PER_LOG_2 + _SHIFT
    for k in range(n):
        m = scale[k] - _SHIFT
        r = (out[k] - m * _LOG_2_HIGH) - m * _LOG_2_LOW
        p = 1.0 / 479001600.0 + r * (1.0 / 6227020800.0)
        p = 1.0 / 3628800.0 + r * (1.0 / 39916800.0 + r * p)
        p = 1.0 / 40320.0 + r * (1.0 / 362880.0 + r * p)
        p = 1.0 / 720.0 + r * (1.0 / 5040.0 + r * p)
        p = 1.0 / 24.0 + r * (1.0 / 120.0 + r * p)
        p = 0.5 + r * (1.0 / 6.0 + r * p)
        out[k] = 1.0 + (r + r * r * p) if out[k] > _LOWEST else 0.0
    for k in range(n):
        bits[k] = (bits[k] + 1023) << 52
    for k in range(n):
        out[k] *= scale[k]


@njit(cache=True, nogil=True)
def fades(times, decay, out):
    """Write exp(-decay (t_k - t_(k-1))) of every event; the first of a realisation is of no use."""
    scale = np.empty(_CHUNK)
    for at in range(1, times.size, _CHUNK):
        here = times[at : at + _CHUNK]
        _fades(times[at - 1 : at - 1 + here.size], here, decay, scale, out[at:])


@njit(cache=True, nogil=True)
def excitation_alone(times, offsets, decay, first, out, part):
    """Write the excitation at every event, if there is a single mark; see `excitation_shared`."""
    fade, scale = np.empty(_CHUNK), np.empty(_CHUNK)
    for r in range(part[0], part[1]):
        begin, state, jump = offsets[r], 0.0, 0.0
        shift = first[r, 0] - begin
        for at in range(begin, offsets[r + 1], _CHUNK):
            n = min(_CHUNK, offsets[r + 1] - at)
            skip = 1 if at == begin else 0  # the very first event has none before it
            here = times[at : at + n]
            _fades(times[at - 1 + skip : at - 1 + n], here[skip:], decay, scale, fade)
            for k in range(at, at + n):
                if k > begin and times[k] > times[k - 1]:
                    state = (state + jump) * fade[k - at - skip]
                    jump = 0.0
                # the next state hangs on this one: not on the comparison, for the time it takes
                out[k + shift] = state if state > _FAINTEST else 0.0
                jump += decay


@njit(cache=True, nogil=True)
def _bend(times, at, fade, decay, x, state, out):
    """Add the events from `at` on, one for each of `fade`, to out (4,), without a weight.

    state (4,) = sums of u^n exp(-b u), n = 0, 1, 2, over the events before the last time, and the
    number of events at that time; 0 before the first event, whose `fade` is not asked for.
    """
    zeroth, first, second, jump = state[0], state[1], state[2], state[3]
    slope, mixed, pushed, curvature = 0.0, 0.0, 0.0, 0.0
    for k in range(at, at + fade.size):
        if jump > 0.0 and times[k] > times[k - 1]:
            factor, lag = fade[k - at], times[k] - times[k - 1]
            zeroth += jump
            grown = first + lag * zeroth
            second = (second + lag * (first + grown)) * factor
            first, zeroth, jump = grown * factor, zeroth * factor, 0.0
            if zeroth <= _FAINTEST:
                zeroth, first, second = 0.0, 0.0, 0.0
        jump += 1.0
        mass, lost = decay * zeroth, decay * decay * first
        rate = x[0] + x[1] * mass
        once = 1.0 / rate if rate > 0.0 else 0.0
        moved = once * x[1] * (mass - lost)
        slope += moved
        mixed += once * moved
        pushed += once * moved * mass
        bent = once * x[1] * (mass - 3.0 * lost + decay * decay * decay * second)
        curvature += moved * moved - bent
    state[0], state[1], state[2], state[3] = zeroth, first, second, jump
    out[0], out[1], out[2] = out[0] + slope, out[1] + mixed, out[2] + pushed
    out[3] += curvature


@njit(cache=True, nogil=True)
def curvature_alone(times, offsets, ends, weights, decay, x, out):
    """Add derivatives of the log-likelihood, if there is a single mark, to `out`.

    x = (baseline, adjacency). out (4,) = dL / dlog b, and minus the second derivatives by the
    baseline and log b, by the adjacency and log b, and by log b twice.
    """
    fade, scale = np.empty(_CHUNK), np.empty(_CHUNK)
    state, sums = np.empty(4), np.empty(4)
    for r in range(ends.size):
        begin, end = offsets[r], offsets[r + 1]
        state[:], sums[:] = 0.0, 0.0
        for at in range(begin, end, _CHUNK):
            n = min(_CHUNK, end - at)
            skip = 1 if at == begin else 0  # the very first event has none before it
            before, after = times[at - 1 + skip : at - 1 + n], times[at + skip : at + n]
            _fades(before, after, decay, scale, fade[skip:])
            _bend(times, at, fade[:n], decay, x, state, sums)
        for k in range(end - 1, begin - 1, -1):
            lag = decay * (ends[r] - times[k])
            if lag >= _NEGLIGIBLE:
                break
            cost = x[1] * lag * math.exp(-lag)
            sums[0] -= cost
            sums[3] += cost * (1.0 - lag)
        for q in range(4):
            out[q] += weights[r] * sums[q]
        if x[1] > 0.0:
            out[2] -= weights[r] * sums[0] / x[1]


@njit(cache=True, nogil=True)
def _release(held, i, filled, out):
    """Copy the held events of mark i, each its states, to the next columns of their block.

    filled[:, i] = (events held, place of the first, columns of the block).
    """
    n_marks, n = held.shape[0], filled[0, i]
    for j in range(n_marks):
        row = out[filled[1, i] + j * filled[2, i] :]
        for c in range(n):
            row[c] = held[i, c * n_marks + j]
    filled[0, i], filled[1, i] = 0, filled[1, i] + n


@njit(cache=True, nogil=True)
def excitation_shared(times, marks, offsets, decay, layout, out, part):
    """Write c_j at every event, for one decay that all of several marks share.

    layout = (first, block_offsets, stride): `out` holds one (n_sources, n_block) matrix per block;
    the events of mark i in realisation r fill the columns from ``first[r, i] - block_offsets[b]``
    on of block ``b = r * stride + i``. Realisations ``range(*part)`` are done; each writes to its
    own events' columns only. Many events of a block are written at once.
    """
    first, block_offsets, stride = layout
    n_marks = first.shape[1]
    longest = 1
    for r in range(part[0], part[1]):
        longest = max(longest, offsets[r + 1] - offsets[r])
    lanes = min(longest, _LANES, max(8, _HELD // (n_marks * n_marks)))
    state, fade, scale = np.empty(n_marks), np.empty(_CHUNK), np.empty(_CHUNK)
    held, filled = np.empty((n_marks, lanes * n_marks)), np.empty((3, n_marks), np.int64)
    for r in range(part[0], part[1]):
        begin, end = offsets[r], offsets[r + 1]
        applied = begin
        for i in range(n_marks):
            b = r * stride + i
            state[i], filled[0, i] = 0.0, 0
            filled[1, i] = first[r, i] + (n_marks - 1) * block_offsets[b]
            filled[2, i] = block_offsets[b + 1] - block_offsets[b]
        for k in range(begin, end):
            at = (k - begin) % _CHUNK
            if at == 0:
                skip = 1 if k == begin else 0  # the very first event has none before it
                here = times[k : min(k + _CHUNK, end)]
                _fades(times[k - 1 + skip : k - 1 + here.size], here[skip:], decay, scale, fade)
            if k > begin and times[k] > times[k - 1]:
                for e in range(applied, k):
                    state[marks[e]] += decay
                applied, factor = k, fade[at - skip]
                for j in range(n_marks):
                    faded = state[j] * factor
                    state[j] = faded if faded > _FAINTEST else 0.0
            i = marks[k]
            for j in range(n_marks):
                held[i, filled[0, i] * n_marks + j] = state[j]
            filled[0, i] += 1
            if filled[0, i] == lanes:
                _release(held, i, filled, out)
        for i in range(n_marks):
            _release(held, i, filled, out)


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
    slowest = decay[0]
    for j in range(decay.size):
        slowest = decay[j] if decay[j] < slowest else slowest
    # in four tables, so that the same mark twice need not wait for the first
    tables = np.empty((4, decay.size), np.int64)
    for r in range(offsets.size - 1):
        for j in range(decay.size):
            tables[0, j], tables[1, j], tables[2, j], tables[3, j] = 0, 0, 0, 0
        late = offsets[r + 1]
        while late > offsets[r] and slowest * (ends[r] - times[late - 1]) <= _NEGLIGIBLE:
            late -= 1
        if decay.size == 1:
            out[r, 0] += late - offsets[r]
        else:
            for k in range(offsets[r], late):
                tables[k & 3, marks[k]] += 1
            for j in range(decay.size):
                out[r, j] += tables[0, j] + tables[1, j] + tables[2, j] + tables[3, j]
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
