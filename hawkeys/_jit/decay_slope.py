"""How the log-likelihood of exponential kernels changes with the logarithm of each decay.

With c_ij(t) = sum_{t_l < t} b exp(-b (t - t_l)) and b = decay[i, j]

    dc / dlog b = sum_{t_l < t} (b - b^2 (t - t_l)) exp(-b (t - t_l)),
    dK / dlog b = sum_l b (T - t_l) exp(-b (T - t_l)),

so two sums per source, of exp(-b u) and of u exp(-b u), are carried from event to event.
"""

import math

import numpy as np
from numba import njit

__all__ = ["log_decay_slopes"]

_NEGLIGIBLE = 40.0


@njit(cache=True, nogil=True)
def _flush(times, marks, applied, k, decay, state):
    """Add the events applied..k-1 to the sums of their sources; state = (sums, moments, last)."""
    sums, moments, last = state
    for e in range(applied, k):
        j = marks[e]
        elapsed = times[e] - last[j]
        fade = math.exp(-decay[j] * elapsed)
        moments[j] = (moments[j] + elapsed * sums[j]) * fade
        sums[j] = sums[j] * fade + 1.0
        last[j] = times[e]


@njit(cache=True, nogil=True)
def _at_event(time, decay, x, state, slopes):
    """Fill slopes = x dc/dlog b of every source at `time`; return the intensity."""
    sums, moments, last = state
    rate = x[0]
    for j in range(decay.size):
        slopes[j] = 0.0
        if sums[j] > 0.0 and x[j + 1] > 0.0:
            elapsed = time - last[j]
            fade = math.exp(-decay[j] * elapsed)
            mass = decay[j] * sums[j] * fade
            moment = (moments[j] + elapsed * sums[j]) * fade
            rate += x[j + 1] * mass
            slopes[j] = x[j + 1] * (mass - decay[j] * decay[j] * moment)
    return rate


@njit(cache=True, nogil=True)
def _add_target(times, marks, end, weight, target, decay, x, out):
    """Add to `out` the slopes of one target's row in one realisation."""
    size = decay.size
    state = np.zeros(size), np.zeros(size), np.zeros(size)
    for j in range(size):
        state[2][j] = times[0] if times.size > 0 else 0.0
    slopes = np.empty(size)
    applied = size - size  # not the literal 0, for which `_flush` is compiled once more
    for k in range(times.size):
        if times[k] > times[applied]:
            _flush(times, marks, applied, k, decay, state)
            applied = k
        if marks[k] == target:
            rate = _at_event(times[k], decay, x, state, slopes)
            for j in range(size if rate > 0.0 else 0):
                out[j] += weight * slopes[j] / rate
        j = marks[k]
        lag = decay[j] * (end - times[k])
        if lag < _NEGLIGIBLE:
            out[j] -= weight * x[j + 1] * lag * math.exp(-lag)


@njit(cache=True, nogil=True)
def log_decay_slopes(events, ends, weights, decay, x, out, part):
    """Fill out[i, j] with dL / dlog decay[i, j] at the parameters x (n_marks, n_marks + 1).

    events = (times, marks, offsets); `weights` holds one weight per realisation. Target marks
    ``range(*part)`` are done.
    """
    times, marks, offsets = events
    for i in range(part[0], part[1]):
        for j in range(decay.shape[1]):
            out[i, j] = 0.0
        for r in range(ends.size):
            here = slice(offsets[r], offsets[r + 1])
            _add_target(times[here], marks[here], ends[r], weights[r], i, decay[i], x[i], out[i])
