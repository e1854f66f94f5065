"""Sums of exponentials over earlier events that have strengths: at events and at any times.

The density of source j is sum_n heights[j, n] exp(-rates[j, n] u); an event counts with its
strength. Simultaneous events do not excite each other.
"""

import math

import numpy as np
from numba import njit

__all__ = ["sums_at", "sums_at_events"]

# constants of exp: see `hawkeys._jit.exponential._fades`
_LOWEST = -708.0
_PER_LOG_2 = 1.4426950408889634
_LOG_2_HIGH = 6.93147180369123816490e-01
_LOG_2_LOW = 1.90821492927058770002e-10
_SHIFT = 6755399441055744.0  # 1.5 * 2**52
# a state below is 0: slow arithmetic on the smallest numbers is spared
_FAINTEST = 1e-290


@njit(cache=True, nogil=True)
def fades(rates, elapsed, scale, out):
    """Write exp(-rates elapsed), within 1 unit in the last place, as loops that vectorise."""
    bits, n = scale.view(np.int64), rates.size
    for k in range(n):
        y = -rates[k] * elapsed
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
def inner(left, right):
    """Return the sum of products, in four parts, which need not wait for each other."""
    n = left.size - left.size % 4
    one, two, three, four = 0.0, 0.0, 0.0, 0.0
    for k in range(0, n, 4):
        one += left[k] * right[k]
        two += left[k + 1] * right[k + 1]
        three += left[k + 2] * right[k + 2]
        four += left[k + 3] * right[k + 3]
    for k in range(n, left.size):
        one += left[k] * right[k]
    return (one + two) + (three + four)


@njit(cache=True, nogil=True)
def add(row, value):
    """Add a number to all of a row."""
    for k in range(row.size):
        row[k] += value


@njit(cache=True, nogil=True)
def multiply(row, factors):
    """Multiply a row by factors; what is too small to matter becomes 0."""
    for k in range(row.size):
        less = row[k] * factors[k]
        row[k] = less if less > _FAINTEST else 0.0


@njit(cache=True, nogil=True)
def sums_at_events(path, offsets, strengths, terms, where, target, out, part):
    """Write c_j at every event of the target mark, or of all if it is -1.

    `path` holds times and marks, `terms` rates and heights (n_sources, n_terms) of every source,
    rates with one row if all share them; `where` = (slots, block offsets, stride) as for
    `hawkeys._jit.exponential.excitation_per_source`. Of the realisations ``range(*part)``.
    """
    times, marks = path
    rates, heights = terms
    slots, bounds, stride = where
    n_marks, n_terms = heights.shape
    state = np.zeros((n_marks, n_terms))
    fade, scale = np.empty(n_terms), np.empty(n_terms)
    for r in range(part[0], part[1]):
        state[:] = 0.0
        applied = offsets[r]
        for k in range(offsets[r], offsets[r + 1]):
            if k > offsets[r] and times[k] > times[k - 1]:
                for e in range(applied, k):
                    add(state[marks[e]], strengths[e])
                applied = k
                elapsed = times[k] - times[k - 1]
                for j in range(n_marks):
                    if j < rates.shape[0]:
                        fades(rates[j], elapsed, scale, fade)
                    multiply(state[j], fade)
            if target >= 0 and marks[k] != target:
                continue
            block = r * stride + marks[k]
            width = bounds[block + 1] - bounds[block]
            at = (n_marks - 1) * bounds[block] + slots[k]
            for j in range(n_marks):
                out[at + j * width] = inner(heights[j], state[j])


@njit(cache=True, nogil=True)
def sums_at(path, strengths, terms, queries, mass, out):
    """Write c_j, or if `mass` its integral since the start, at sorted query times.

    Of one realisation; `out` has the shape (n_queries, n_sources). Events at a query time itself
    are not counted.
    """
    times, marks = path
    heights = terms[1]
    n_marks, n_terms = heights.shape
    state, lost = np.zeros((n_marks, n_terms)), np.zeros(n_marks)
    k, now = 0, 0.0
    for q in range(queries.size):
        while k < times.size and times[k] < queries[q]:
            _advance(state, lost, terms, times[k] - now if k > 0 else 0.0, mass)
            now = times[k]
            add(state[marks[k]], strengths[k])
            k += 1
        if k > 0:
            _advance(state, lost, terms, queries[q] - now, mass)
            now = queries[q]
        for j in range(n_marks):
            out[q, j] = lost[j] if mass else inner(heights[j], state[j])


@njit(cache=True, nogil=True)
def _advance(state, lost, terms, elapsed, mass):
    """Let time pass: states fade, and what they lose joins the mass."""
    rates, heights = terms
    for j in range(state.shape[0]):
        row = rates[min(j, rates.shape[0] - 1)]
        for n in range(state.shape[1]):
            if mass:
                share = heights[j, n] / row[n]
                lost[j] -= share * state[j, n] * math.expm1(-row[n] * elapsed)
            state[j, n] *= math.exp(-row[n] * elapsed)
