"""Simulation of intensities link(x) with steps and exponentials of the lags of all events.

The predictor of target i is x_i(t) = theta[i, 0] + sum_j (sum_b w_ijb n_jb(t) + sum_k w_ijk
s_ijk(t)), n_jb the number of events of source j whose lag is between edges b and b + 1, s_ijk the
sum of exp(-decay_ik lag) over all of them. ``theta`` (D, 1 + D F) has w_ijb and w_ijk at 1 + j F +
(b, or n_steps + k). Events pass every edge in their order, so that ``passed`` (n_edges,) holds how
many have. Link 0 is exp(x), 1 is log(1 + exp(x)).
"""

import math

import numpy as np
from numba import njit

__all__ = ["simulate_events"]


@njit(cache=True, nogil=True)
def _rate(x, link):
    """Return the intensity."""
    if link == 0:
        return math.exp(x)
    return x + math.log1p(math.exp(-x)) if x > 0.0 else math.log1p(math.exp(x))


@njit(cache=True, nogil=True)
def _held(theta, counts, out):
    """Write what does not change until an edge is passed: baseline and steps."""
    n_marks, n_steps = counts.shape
    n_filters = (theta.shape[1] - 1) // n_marks
    for i in range(n_marks):
        total = theta[i, 0]
        for j in range(n_marks):
            for b in range(n_steps):
                total += theta[i, 1 + j * n_filters + b] * counts[j, b]
        out[i] = total


@njit(cache=True, nogil=True)
def _fading(theta, sums, out):
    """Write what fades, by target and decay."""
    n_marks, n_decays = out.shape
    n_filters = (theta.shape[1] - 1) // n_marks
    for i in range(n_marks):
        for k in range(n_decays):
            total = 0.0
            for j in range(n_marks):
                total += theta[i, (j + 1) * n_filters - n_decays + k + 1] * sums[i, j, k]
            out[i, k] = total


@njit(cache=True, nogil=True)
def _fade(sums, fading, decays, elapsed):
    """Let time pass without events and edges."""
    for i in range(decays.shape[0]):
        for k in range(decays.shape[1]):
            factor = math.exp(-decays[i, k] * elapsed)
            fading[i, k] *= factor
            for j in range(sums.shape[1]):
                sums[i, j, k] *= factor


@njit(cache=True, nogil=True)
def _bound(held, fading, decays, width, link):
    """Return an upper bound of the sum of the intensities over a stretch: each part is monotone."""
    total = 0.0
    for i in range(held.size):
        x = held[i]
        for k in range(decays.shape[1]):
            x += max(fading[i, k], fading[i, k] * math.exp(-decays[i, k] * width))
        total += _rate(x, link)
    return total


@njit(cache=True, nogil=True)
def _pass_edges(now, edges, passed, counts, times, marks, n):
    """Let every event whose lag has reached an edge pass it."""
    for e in range(edges.size):
        while passed[e] < n and times[passed[e]] + edges[e] <= now:
            source = marks[passed[e]]
            if e < counts.shape[1]:
                counts[source, e] += 1.0
            if e > 0:
                counts[source, e - 1] -= 1.0
            passed[e] += 1


@njit(cache=True, nogil=True)
def _until_next(now, end, edges, passed, times, n):
    """Return the time until the next event passes an edge, or until the end if that is sooner."""
    width = end - now
    for e in range(edges.size):
        if passed[e] < n:
            width = min(width, times[passed[e]] + edges[e] - now)
    return max(width, 0.0)


@njit(cache=True, nogil=True)
def _choose(draw, held, fading, link):
    """Return the target whose intensity a draw falls into, -1 for none."""
    for i in range(held.size):
        x = held[i]
        for k in range(fading.shape[1]):
            x += fading[i, k]
        rate = _rate(x, link)
        if draw < rate:
            return i
        draw -= rate
    return -1


@njit(cache=True, nogil=True)
def simulate_events(rng, clock, theta, state, filters, path, n):
    """Fill times and marks by exact thinning; return how many they hold then.

    ``clock`` holds the present and the end; state: (passed, counts (D, n_steps), sums (D, D,
    n_decays)), left where the buffers were full, so that a further call goes on. filters: (edges,
    decays (D, n_decays), link). path: (times, marks), whose first n are the events so far. Returns
    -1 if the intensity is beyond all numbers.
    """
    passed, counts, sums = state
    edges, decays, link = filters
    times, marks = path
    held, fading = np.empty(theta.shape[0]), np.empty(decays.shape)
    _pass_edges(clock[0], edges, passed, counts, times, marks, n)
    _held(theta, counts, held)
    _fading(theta, sums, fading)
    while n < times.size and clock[0] < clock[1]:
        width = _until_next(clock[0], clock[1], edges, passed, times, n)
        # a hair more: the ends of a stretch are rounded
        total = _bound(held, fading, decays, width, link) * (1.0 + 1e-9)
        if not math.isfinite(total):
            return -1
        wait = rng.standard_exponential() / total if total > 0.0 else math.inf
        if wait >= width:
            _fade(sums, fading, decays, width)
            clock[0] = clock[0] + width if width < clock[1] - clock[0] else clock[1]
            _pass_edges(clock[0], edges, passed, counts, times, marks, n)
            _held(theta, counts, held)
            continue
        clock[0] += wait
        _fade(sums, fading, decays, wait)
        target = _choose(rng.random() * total, held, fading, link)
        if target >= 0:
            times[n], marks[n] = clock[0], target
            n += 1
            sums[:, target] += 1.0
            _pass_edges(clock[0], edges, passed, counts, times, marks, n)
            _held(theta, counts, held)
            _fading(theta, sums, fading)
    return n
