"""Slow, obvious versions of the rectified process: quadrature, bisection, sums over events."""

import itertools
import math

import numpy as np
from naive_hawkes import realizations
from scipy.integrate import quad
from scipy.optimize import brentq


def underlying(times, marks, mu, row, decay, when):
    """mu + sum of W_j b exp(-b lag) over the events strictly before `when`; may be negative."""
    total = mu
    for t, j in zip(times, marks, strict=True):
        if t < when:
            total += row[j] * decay * math.exp(-decay * (when - t))
    return total


def integral(times, marks, mu, row, decay, start, end):
    """Integral of max(0, underlying), by quadrature between events and sign changes."""
    total = 0.0
    knots = [start, *sorted({t for t in times if start < t < end}), end]
    for left, right in itertools.pairwise(knots):
        if right <= left:
            continue
        inside = left + 1e-12 * (right - left)  # just after the jump at the left end

        def x(u):
            return underlying(times, marks, mu, row, decay, u)

        ends = [inside, right]
        if x(inside) * x(right) < 0:
            ends.insert(1, brentq(x, inside, right, xtol=1e-14))
        for a, b in itertools.pairwise(ends):
            total += quad(lambda u: max(0.0, x(u)), a, b, epsabs=1e-12, epsrel=1e-12, limit=200)[0]
    return total


def row_log_likelihood(events, target, mu, row, decay, weights=None):
    total = 0.0
    for r, (times, marks, start, end) in enumerate(realizations(events)):
        part = -integral(times, marks, mu, row, decay, start, end)
        for t, i in zip(times, marks, strict=True):
            if i == target:
                rate = underlying(times, marks, mu, row, decay, t)
                part += math.log(rate) if rate > 0 else -math.inf
        total += part * (1.0 if weights is None else weights[r])
    return total


def log_likelihood(events, baseline, adjacency, decay):
    return sum(
        row_log_likelihood(events, i, baseline[i], adjacency[i], decay[i])
        for i in range(len(baseline))
    )


def simulate_events(rng, end, baseline, adjacency, decay):
    """Thinning with the same draws as the compiled one, the rate summed over all events."""
    times, marks, now = [], [], 0.0
    while True:
        at = np.nextafter(now, math.inf)  # the last event counts
        x = [underlying(times, marks, *row, at) for row in zip(baseline, adjacency, decay)]  # noqa: B905
        bound = sum(max(value, mu) for value, mu in zip(x, baseline, strict=True))
        now += rng.standard_exponential() / bound
        if now > end:
            return times, marks
        draw = rng.random() * bound
        for i, row in enumerate(zip(baseline, adjacency, decay, strict=True)):
            rate = max(0.0, underlying(times, marks, *row, now))
            if draw < rate:
                times.append(now)
                marks.append(i)
                break
            draw -= rate
