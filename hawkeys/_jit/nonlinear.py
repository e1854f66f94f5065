"""Intensities link(x): likelihood with derivatives, compensator and simulation.

The predictor of a target is x(t) = theta[0] + sum_r sum_b theta[place(r, b)] f_b(age_r), over the
last events before t, the newest first (r = 0). The filters f_b are tents in the logarithm of the
age: 1 at knot b, 0 at the other knots, straight in between; below the first knot the first is 1,
from the last knot on all are 0. Between events and the moments when an age passes a knot, x is
smooth: integrals go over these pieces by Gauss-Legendre nodes.

``shape`` is (knots, nodes, node_weights, memory, n_orders, link): knots (B + 1,) increasing ages;
nodes and weights of the rule on [0, 1]; how many events are remembered; 1 if all of them have the
same weights, else memory; link 0 is exp(x), 1 is log(1 + exp(x)). ``theta`` (1 + n_orders D B,) of
one target has the weight of order o, source j and filter b at 1 + (o D + j) B + b.
``ages`` and ``sources`` (memory,) hold the remembered events, ``passed`` how many knots each age
has passed; -1 where there is no event.
"""

import math

import numpy as np
from numba import njit

__all__ = ["compensator_at", "predictor_at", "row_log_likelihood", "simulate_events"]


@njit(cache=True, nogil=True)
def _rate(x, link):
    """Return the intensity."""
    if link == 0:
        return math.exp(x)
    return x + math.log1p(math.exp(-x)) if x > 0.0 else math.log1p(math.exp(x))


@njit(cache=True, nogil=True)
def _slopes(x, link):
    """Return intensity, its first and second derivative by x."""
    if link == 0:
        rate = math.exp(x)
        return rate, rate, rate
    share = 1.0 / (1.0 + math.exp(-x)) if x > 0.0 else math.exp(x) / (1.0 + math.exp(x))
    return _rate(x, link), share, share * (1.0 - share)


@njit(cache=True, nogil=True)
def _at_event(x, link):
    """Return log of the intensity, its derivative by x, and minus its second derivative."""
    if link == 0:
        return x, 1.0, 0.0
    if x < -30.0:  # log(log1p(e^x)) is x there, to the last digit
        return x, 1.0, 0.0
    rate, first, second = _slopes(x, link)
    return math.log(rate), first / rate, (first / rate) ** 2 - second / rate


@njit(cache=True, nogil=True)
def _active(ages, sources, passed, elapsed, shape, place, value, n_sources):
    """Write the parameters that x depends on a moment later, and their factors; return how many."""
    knots, memory = shape[0], ages.size
    n_filters = knots.size - 1
    place[0], value[0] = 0, 1.0
    n = 1
    for r in range(memory):
        k = passed[r]
        if k < 0 or k > n_filters:
            continue
        order = r if shape[4] > 1 else 0
        begin = 1 + (order * n_sources + sources[r]) * n_filters
        if k == 0:
            place[n], value[n] = begin, 1.0
            n += 1
            continue
        reach = math.log(knots[k] / knots[k - 1])
        share = math.log((ages[r] + elapsed) / knots[k - 1]) / reach
        place[n], value[n] = begin + k - 1, 1.0 - share
        n += 1
        if k < n_filters:
            place[n], value[n] = begin + k, share
            n += 1
    return n


@njit(cache=True, nogil=True)
def _predictor(theta, place, value, n):
    total = 0.0
    for a in range(n):
        total += theta[place[a]] * value[a]
    return total


@njit(cache=True, nogil=True)
def _next_piece(ages, passed, knots, left):
    """Return the time until the next age passes a knot, or `left` if that comes first."""
    width = left
    for r in range(ages.size):
        if 0 <= passed[r] < knots.size:
            width = min(width, knots[passed[r]] - ages[r])
    return max(width, 0.0)


@njit(cache=True, nogil=True)
def _advance(ages, passed, knots, width):
    """Let time pass, at most to the next knot of any age."""
    for r in range(ages.size):
        if passed[r] < 0:
            continue
        ages[r] += width
        while passed[r] < knots.size and ages[r] >= knots[passed[r]] * (1.0 - 1e-13):
            passed[r] += 1


@njit(cache=True, nogil=True)
def _pass(ages, passed, knots, elapsed):
    """Let a stretch without events pass."""
    left = elapsed
    while left > 0.0:
        width = _next_piece(ages, passed, knots, left)
        _advance(ages, passed, knots, width)
        left = left - width if width < left else 0.0


@njit(cache=True, nogil=True)
def _remember(ages, sources, passed, source):
    """Put a new event in front of the remembered ones; the last is forgotten."""
    for r in range(ages.size - 1, 0, -1):
        ages[r], sources[r], passed[r] = ages[r - 1], sources[r - 1], passed[r - 1]
    ages[0], sources[0], passed[0] = 0.0, source, 0


@njit(cache=True, nogil=True)
def _logs(ages, passed, knots, out):
    """Write, for each age, the log of the knot before it and one over the log of the step after."""
    for r in range(ages.size):
        if 0 < passed[r] < knots.size:
            out[0, r] = math.log(knots[passed[r] - 1])
            out[1, r] = 1.0 / (math.log(knots[passed[r]]) - out[0, r])


@njit(cache=True, nogil=True)
def _values(ages, passed, elapsed, logs, n_filters, value):
    """Write the factors of `_active` at another moment of the same piece."""
    n = 1
    for r in range(ages.size):
        k = passed[r]
        if k < 0 or k > n_filters:
            continue
        if k == 0:
            n += 1
            continue
        share = (math.log(ages[r] + elapsed) - logs[0, r]) * logs[1, r]
        value[n] = 1.0 - share
        n += 1
        if k < n_filters:
            value[n] = share
            n += 1


@njit(cache=True, nogil=True)
def _add_piece(value, n, slope, curve, part):
    """Add to the derivatives of one piece, by active parameter: gradient, upper triangle."""
    for a in range(n):
        part[0, a] += slope * value[a]
        gain = curve * value[a]
        for b in range(a, n):
            part[1 + a, b] += gain * value[b]


@njit(cache=True, nogil=True)
def _spread(place, n, weight, part, out):
    """Move the derivatives of one piece to the parameters: subtract gradient, add curvature."""
    for a in range(n):
        out[0, place[a]] -= weight * part[0, a]
        part[0, a] = 0.0
        for b in range(a, n):
            out[1 + place[a], place[b]] += weight * part[1 + a, b]
            if b > a:
                out[1 + place[b], place[a]] += weight * part[1 + a, b]
            part[1 + a, b] = 0.0


@njit(cache=True, nogil=True)
def _integral(theta, history, elapsed, shape, weight, out):
    """Return the integral over a stretch without events, and let it pass.

    Its weighted derivatives are subtracted from ``out[0]`` and added to ``out[1:]``, if there are
    any rows.
    """
    ages, sources, passed = history
    knots, nodes = shape[0], shape[1]
    n_sources = (theta.size - 1) // (shape[4] * (knots.size - 1))
    most = 1 + 2 * ages.size
    place, value, logs = np.empty(most, np.int64), np.empty(most), np.empty((2, ages.size))
    part = np.zeros((most + 1, most)) if out.shape[0] > 0 else np.zeros((0, 0))
    total, left = 0.0, elapsed
    while left > 0.0:
        width = _next_piece(ages, passed, knots, left)
        n = _active(ages, sources, passed, 0.0, shape, place, value, n_sources)
        _logs(ages, passed, knots, logs)
        for q in range(nodes.size):
            _values(ages, passed, nodes[q] * width, logs, knots.size - 1, value)
            rate, first, second = _slopes(_predictor(theta, place, value, n), shape[5])
            mass = width * shape[2][q]
            total += mass * rate
            if out.shape[0] > 0:
                _add_piece(value, n, mass * first, mass * second, part)
        if out.shape[0] > 0:
            _spread(place, n, weight, part, out)
        _advance(ages, passed, knots, width)
        left = left - width if width < left else 0.0
    return total


@njit(cache=True, nogil=True)
def _event(theta, history, shape, weight, out):
    """Return the log-intensity at an event of the target and add its derivatives."""
    ages, sources, passed = history
    n_sources = (theta.size - 1) // (shape[4] * (shape[0].size - 1))
    place, value = np.empty(1 + 2 * ages.size, np.int64), np.empty(1 + 2 * ages.size)
    n = _active(ages, sources, passed, 0.0, shape, place, value, n_sources)
    log_rate, first, second = _at_event(_predictor(theta, place, value, n), shape[5])
    if out.shape[0] > 0:
        for a in range(n):
            out[0, place[a]] += weight * first * value[a]
            if second != 0.0:
                for b in range(n):
                    out[1 + place[a], place[b]] += weight * second * value[a] * value[b]
    return log_rate


@njit(cache=True, nogil=True)
def _empty_history(memory):
    return np.zeros(memory), np.zeros(memory, np.int64), np.full(memory, -1)


@njit(cache=True, nogil=True)
def row_log_likelihood(data, windows, target, theta, shape, values, out):
    """Write the log-likelihood of one target mark in each realisation; return the weighted sum.

    data: (times, marks, offsets). windows: start, end and weight of each realisation, and how many
    of its first events are given, (n_realizations, 4): those act on what follows, but neither they
    nor the time up to the last of them count. ``out`` (P + 1, P) comes filled with zeros and
    receives the weighted gradient in row 0 and minus the second derivatives below; with no rows,
    nothing. Simultaneous events see the same past.
    """
    times, marks, offsets = data
    total = 0.0
    for r in range(offsets.size - 1):
        values[r] = 0.0
        weight = windows[r, 2]
        history = _empty_history(shape[3])
        now, applied = windows[r, 0], offsets[r]
        begin = min(offsets[r] + int(windows[r, 3]), offsets[r + 1])
        for k in range(offsets[r], offsets[r + 1]):
            if times[k] > now:
                for e in range(applied, k):
                    _remember(history[0], history[1], history[2], marks[e])
                applied = k
                if k < begin:
                    _pass(history[0], history[2], shape[0], times[k] - now)
                else:
                    values[r] -= _integral(theta, history, times[k] - now, shape, weight, out)
                now = times[k]
            if marks[k] == target and k >= begin:
                values[r] += _event(theta, history, shape, weight, out)
        for e in range(applied, offsets[r + 1]):
            _remember(history[0], history[1], history[2], marks[e])
        values[r] -= _integral(theta, history, windows[r, 1] - now, shape, weight, out)
        total += weight * values[r]
    return total


@njit(cache=True, nogil=True)
def compensator_at(path, start, theta, shape, queries, out):
    """Write the integral from the start to sorted query times of one realisation.

    path: (times, marks).
    """
    times, marks = path
    nothing = np.empty((0, 0))
    history = _empty_history(shape[3])
    now, total = start, 0.0
    k = 0
    for q in range(queries.size):
        while k < times.size and times[k] < queries[q]:
            total += _integral(theta, history, times[k] - now, shape, 0.0, nothing)
            now = times[k]
            _remember(history[0], history[1], history[2], marks[k])
            k += 1
        total += _integral(theta, history, queries[q] - now, shape, 0.0, nothing)
        now = queries[q]
        out[q] = total


@njit(cache=True, nogil=True)
def predictor_at(path, start, theta, shape, queries, out):
    """Write x at sorted query times of one realisation; path: (times, marks)."""
    times, marks = path
    history = _empty_history(shape[3])
    n_sources = (theta.size - 1) // (shape[4] * (shape[0].size - 1))
    place, value = np.empty(1 + 2 * shape[3], np.int64), np.empty(1 + 2 * shape[3])
    now = start
    k = 0
    for q in range(queries.size):
        while True:
            more = k < times.size and times[k] < queries[q]
            until = times[k] if more else queries[q]
            _pass(history[0], history[2], shape[0], until - now)
            if not more:
                break
            now = times[k]
            _remember(history[0], history[1], history[2], marks[k])
            k += 1
        now = queries[q]
        n = _active(history[0], history[1], history[2], 0.0, shape, place, value, n_sources)
        out[q] = _predictor(theta, place, value, n)


@njit(cache=True, nogil=True)
def _effect(theta, begin, k, age, knots):
    """Return what one event, k knots past, adds to x; its weights start at `begin`."""
    n_filters = knots.size - 1
    if k > n_filters:
        return 0.0
    if k == 0:
        return theta[begin]
    share = math.log(age / knots[k - 1]) / math.log(knots[k] / knots[k - 1])
    after = theta[begin + k] if k < n_filters else 0.0
    return (1.0 - share) * theta[begin + k - 1] + share * after


@njit(cache=True, nogil=True)
def _bounds(theta, history, width, shape):
    """Return an upper bound of the sum of the intensities over a piece.

    What one event adds to x is monotone over a piece, so that the larger of its ends bounds it.
    """
    ages, sources, passed = history
    knots = shape[0]
    total = 0.0
    for i in range(theta.shape[0]):
        x = theta[i, 0]
        for r in range(ages.size):
            if passed[r] < 0:
                continue
            order = r if shape[4] > 1 else 0
            begin = 1 + (order * theta.shape[0] + sources[r]) * (knots.size - 1)
            now = _effect(theta[i], begin, passed[r], ages[r], knots)
            x += max(now, _effect(theta[i], begin, passed[r], ages[r] + width, knots))
        total += _rate(x, shape[5])
    return total


@njit(cache=True, nogil=True)
def simulate_events(rng, clock, theta, history, shape, times, marks):
    """Fill `times` and `marks` by exact thinning; return how many.

    ``clock`` holds the present and the end of the window; it and `history` are left where the
    buffers were full, so that a further call goes on. ``theta`` (D, P) has a row per target.
    """
    ages, sources, passed = history
    knots = shape[0]
    place, value = np.empty(1 + 2 * ages.size, np.int64), np.empty(1 + 2 * ages.size)
    n = 0
    while n < times.size and clock[0] < clock[1]:
        width = _next_piece(ages, passed, knots, clock[1] - clock[0])
        # a hair more: the ends of a piece are rounded
        total = _bounds(theta, history, width, shape) * (1.0 + 1e-9)
        wait = rng.standard_exponential() / total if total > 0.0 else math.inf
        if wait >= width:
            _advance(ages, passed, knots, width)
            clock[0] = clock[0] + width if width < clock[1] - clock[0] else clock[1]
            continue
        clock[0] += wait
        _advance(ages, passed, knots, wait)
        draw = rng.random() * total
        m = _active(ages, sources, passed, 0.0, shape, place, value, theta.shape[0])
        for i in range(theta.shape[0]):
            rate = _rate(_predictor(theta[i], place, value, m), shape[5])
            if draw < rate:
                times[n], marks[n] = clock[0], i
                n += 1
                _remember(ages, sources, passed, i)
                break
            draw -= rate
    return n
