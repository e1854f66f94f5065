"""Rectified exponential intensities: likelihood, compensator and simulation.

The intensity of a target is max(0, x), x = mu + sum_j W_j S_j with S_j(t) = sum_{t_l < t} b exp(-b
(t - t_l)) over the events of source j. All sources share the decay b of the target, so that between
events x moves monotonically towards mu: from x < 0 it comes back to 0 after log(1 - x / mu) / b.

Parameters of a target: theta = (mu, W_0, ..., W_{D-1}, b).
"""

import math

import numpy as np
from numba import njit

__all__ = ["compensator_at", "row_log_likelihood", "simulate_events"]


@njit(cache=True, nogil=True)
def _restart(excess, mu, decay):
    """Return the time until mu + excess exp(-decay u) is no longer negative."""
    if mu + excess >= 0.0:
        return 0.0
    return math.log(-excess / mu) / decay if mu > 0.0 else math.inf


@njit(cache=True, nogil=True)
def _excess(theta, state):
    total = 0.0
    for j in range(state.shape[1]):
        total += theta[1 + j] * state[0, j]
    return total


@njit(cache=True, nogil=True)
def _slope_by_decay(theta, state):
    """Return the derivative of x by the decay: of each state it is S / b - V."""
    total = 0.0
    for j in range(state.shape[1]):
        total += theta[1 + j] * (state[0, j] / theta[-1] - state[1, j])
    return total


@njit(cache=True, nogil=True)
def _fade(state, decay, elapsed):
    """Let time pass; state holds S and V = sum_l b u_l exp(-b u_l), u_l the age of event l."""
    fade = math.exp(-decay * elapsed)
    for j in range(state.shape[1]):
        state[1, j] = fade * (state[1, j] + elapsed * state[0, j])
        state[0, j] *= fade


@njit(cache=True, nogil=True)
def _piece(theta, state, elapsed, weight, out):
    """Return the integral of max(0, x) over a piece without events.

    The weighted derivatives are subtracted from ``out[0]``; ``out[1:]`` gains the second
    derivatives by mu and W, which only a restart within the piece has.
    """
    mu, decay = theta[0], theta[-1]
    excess = _excess(theta, state)
    wait = _restart(excess, mu, decay)
    if wait >= elapsed:
        return 0.0
    open_time = elapsed - wait
    left = math.exp(-decay * wait)
    mass = -left * math.expm1(-decay * open_time) / decay
    late = left * (wait + 1.0 / decay) - math.exp(-decay * elapsed) * (elapsed + 1.0 / decay)
    out[0, 0] -= weight * open_time
    for j in range(state.shape[1]):
        out[0, 1 + j] -= weight * mass * state[0, j]
    out[0, -1] -= weight * (_slope_by_decay(theta, state) * mass - excess * late / decay)
    if wait > 0.0:
        _add_outer(state, left, weight / (decay * mu), out)
    return mu * open_time + excess * mass


@njit(cache=True, nogil=True)
def _add_outer(state, fade, weight, out):
    """Add weight v v' to ``out[1:]``, v = (1, fade S)."""
    for a in range(state.shape[1] + 1):
        left = weight * (1.0 if a == 0 else fade * state[0, a - 1])
        for b in range(state.shape[1] + 1):
            out[1 + a, b] += left * (1.0 if b == 0 else fade * state[0, b - 1])


@njit(cache=True, nogil=True)
def _own_event(theta, state, weight, out):
    """Return the log-intensity at an event of the target and add its derivatives."""
    rate = theta[0] + _excess(theta, state)
    if rate <= 0.0:
        return -math.inf
    out[0, 0] += weight / rate
    for j in range(state.shape[1]):
        out[0, 1 + j] += weight * state[0, j] / rate
    out[0, -1] += weight * _slope_by_decay(theta, state) / rate
    _add_outer(state, 1.0, weight / (rate * rate), out)
    return math.log(rate)


@njit(cache=True, nogil=True)
def row_log_likelihood(times, marks, offsets, windows, weights, target, theta, out):
    """Return the weighted log-likelihood of one target mark, minus infinity if impossible.

    windows: start and end of each realisation, (n_realizations, 2). ``out`` (D + 2, D + 2) comes
    filled with zeros; it receives the gradient by theta in row 0 and minus the second derivatives
    by (mu, W) in the rows below, the last column unused. Simultaneous events see the same past.
    """
    total = 0.0
    for r in range(offsets.size - 1):
        if weights[r] == 0.0:
            continue
        state = np.zeros((2, theta.size - 2))
        now = windows[r, 0]
        applied = offsets[r]
        for k in range(offsets[r], offsets[r + 1]):
            if times[k] > now:
                for e in range(applied, k):
                    state[0, marks[e]] += theta[-1]
                applied = k
                total -= weights[r] * _piece(theta, state, times[k] - now, weights[r], out)
                _fade(state, theta[-1], times[k] - now)
                now = times[k]
            if marks[k] == target:
                total += weights[r] * _own_event(theta, state, weights[r], out)
                if total == -math.inf:
                    return total
        for e in range(applied, offsets[r + 1]):
            state[0, marks[e]] += theta[-1]
        total -= weights[r] * _piece(theta, state, windows[r, 1] - now, weights[r], out)
    return total


@njit(cache=True, nogil=True)
def compensator_at(times, marks, start, theta, queries, out):
    """Write the integral of max(0, x) from the start to sorted query times of one realisation."""
    state = np.zeros((2, theta.size - 2))
    unused = np.zeros((theta.size, theta.size))
    now, total = start, 0.0
    k = 0
    for q in range(queries.size):
        while k < times.size and times[k] < queries[q]:
            total += _piece(theta, state, times[k] - now, 0.0, unused)
            _fade(state, theta[-1], times[k] - now)
            state[0, marks[k]] += theta[-1]
            now = times[k]
            k += 1
        out[q] = total + _piece(theta, state, queries[q] - now, 0.0, unused)


@njit(cache=True, nogil=True)
def simulate_events(rng, clock, baseline, adjacency, decay, excess, times, marks):
    """Fill `times` and `marks` by exact thinning; return how many.

    ``clock`` holds the present and the end of the window, ``excess`` x - mu of every target; both
    are left where the buffers were full, so that a further call goes on. Between events x never
    leaves the range from its present value to mu, which bounds the rate until the next candidate.
    """
    n = 0
    while n < times.size:
        bound = 0.0
        for i in range(baseline.size):
            bound += baseline[i] + max(excess[i], 0.0)
        wait = rng.standard_exponential() / bound if bound > 0.0 else math.inf
        if clock[0] + wait > clock[1]:
            clock[0] = clock[1]
            return n
        clock[0] += wait
        draw = rng.random() * bound
        for i in range(baseline.size):
            excess[i] *= math.exp(-decay[i] * wait)
            rate = max(baseline[i] + excess[i], 0.0)
            if 0.0 <= draw < rate:
                times[n], marks[n] = clock[0], i
                n += 1
                draw = -1.0
            elif draw >= 0.0:
                draw -= rate
        if draw < 0.0:
            for i in range(baseline.size):
                excess[i] += adjacency[i, marks[n - 1]] * decay[i]
    return n
