"""How the log-likelihood of exponential kernels changes with the logarithm of each decay.

With c_ij(t) = sum_{t_l < t} b exp(-b (t - t_l)) and b = decay[i, j]

    dc / dlog b = sum_{t_l < t} (b - b^2 (t - t_l)) exp(-b (t - t_l)),
    dK / dlog b = sum_l b (T - t_l) exp(-b (T - t_l)),

so two sums per source, of exp(-b u) and of u exp(-b u), are carried from event to event; the second
derivatives,

    d2c / dlog b2 = sum_{t_l < t} (b - 3 b^2 (t - t_l) + b^3 (t - t_l)^2) exp(-b (t - t_l)),
    d2K / dlog b2 = sum_l b (T - t_l) (1 - b (T - t_l)) exp(-b (T - t_l)),

need a third one, of u^2 exp(-b u).
"""

import math

import numpy as np
from numba import njit

__all__ = ["decay_curvatures", "log_decay_slopes"]

_NEGLIGIBLE = 40.0
# a sum below is 0: slow arithmetic on the smallest numbers is spared
_FAINTEST = 1e-290


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


@njit(cache=True, nogil=True)
def _pass_time(elapsed, decay, state):
    """Let the sums of exp(-b u), u exp(-b u) and u^2 exp(-b u) of every source fade."""
    fade = math.exp(-decay[0] * elapsed)
    for j in range(decay.size):
        if j > 0 and decay[j] != decay[j - 1]:
            fade = math.exp(-decay[j] * elapsed)
        first, second = state[0, j], state[1, j]
        grown = second + elapsed * first
        left = first * fade
        if left > _FAINTEST:
            state[2, j] = (state[2, j] + elapsed * (second + grown)) * fade
            state[1, j], state[0, j] = grown * fade, left
        else:
            state[0, j], state[1, j], state[2, j] = 0.0, 0.0, 0.0


@njit(cache=True, nogil=True)
def _bend(decay, x, i, state, terms):
    """Fill terms = (1, c; 0, x dc/dlog b; 0, x d2c/dlog b2) of target i; return the intensity."""
    rate = x[i, 0]
    for j in range(decay.size):
        b, effect = decay[j], x[i, j + 1]
        mass, lost = b * state[0, j], b * b * state[1, j]
        rate += effect * mass
        terms[0, j + 1] = mass
        terms[1, j + 1] = effect * (mass - lost)
        terms[2, j + 1] = effect * (mass - 3.0 * lost + b * b * b * state[2, j])
    return rate


@njit(cache=True, nogil=True)
def _add_event(terms, pull, share, out, i):
    """Add an event of target i to slopes, mixed and curvatures; `share` is `pull` over the rate."""
    slopes, mixed, curvatures = out
    size, whole, bent = terms.shape[1], 0.0, 0.0
    for q in range(1, size):
        slopes[i, q - 1] += pull * terms[1, q]
        whole += terms[1, q]
        bent += terms[2, q]
    if mixed.shape[2] == 1:
        for p in range(size):
            mixed[i, p, 0] += terms[0, p] * share * whole
        curvatures[i, 0, 0] += whole * share * whole - pull * bent
        return
    for q in range(1, size):
        pushed = share * terms[1, q]
        for p in range(size):
            mixed[i, p, q - 1] += terms[0, p] * pushed
        for p in range(1, size):
            curvatures[i, q - 1, p - 1] += terms[1, p] * pushed
        curvatures[i, q - 1, q - 1] -= pull * terms[2, q]


@njit(cache=True, nogil=True)
def decay_curvatures(events, ends, weights, decay, x, out, part):
    """Fill the first and second derivatives of L by the log decays, and by x and log decays.

    As for `log_decay_slopes`, but `decay` (1, n_marks) is the same for all targets, or one row per
    target. out = (slopes, mixed, curvatures): dL / dlog decay[i, j], (n_marks, n_marks); minus the
    second derivatives by x and log decay, (n_marks, P, K), and by log decays, (n_marks, K, K), with
    K the number of marks, or 1 if all decays of a target are one. All come filled with 0.
    """
    times, marks, offsets = events
    size = decay.shape[1]
    state, terms = np.empty((3, size)), np.ones((3, size + 1))
    for row in range(part[0] if decay.shape[0] > 1 else 0, part[1] if decay.shape[0] > 1 else 1):
        low = row if decay.shape[0] > 1 else part[0]
        high = row + 1 if decay.shape[0] > 1 else part[1]
        own = decay[row]
        for r in range(ends.size):
            state[:] = 0.0
            applied = offsets[r]
            for k in range(offsets[r], offsets[r + 1]):
                if times[k] > times[applied]:
                    for e in range(applied, k):
                        state[0, marks[e]] += 1.0
                    _pass_time(times[k] - times[applied], own, state)
                    applied = k
                i = marks[k]
                if low <= i < high:
                    rate = _bend(own, x, i, state, terms)
                    if rate > 0.0:
                        once = 1.0 / rate
                        _add_event(terms, weights[r] * once, weights[r] * once * once, out, i)
                lag = own[i] * (ends[r] - times[k])
                if lag < _NEGLIGIBLE:
                    at, cost = i if out[2].shape[2] > 1 else 0, weights[r] * lag * math.exp(-lag)
                    for target in range(low, high):
                        out[0][target, i] -= x[target, i + 1] * cost
                        out[2][target, at, at] += x[target, i + 1] * cost * (1.0 - lag)
    for i in range(part[0], part[1]):
        for j in range(size):
            if x[i, j + 1] > 0.0:
                out[1][i, j + 1, j if out[1].shape[2] > 1 else 0] -= out[0][i, j] / x[i, j + 1]
