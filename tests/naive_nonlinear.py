"""Slow, obvious versions of the process with a link: sums over events, adaptive quadrature."""

import itertools
import math

import numpy as np
from naive_hawkes import realizations
from scipy.integrate import quad


def filter_values(knots, lag):
    """Tents in log lag: below the first knot the first is 1, from the last on all are 0."""
    n = len(knots) - 1
    if lag <= knots[0]:
        return np.eye(n)[0]
    if lag >= knots[-1]:
        return np.zeros(n)
    out = np.zeros(n + 1)
    for b in range(n):
        if knots[b] <= lag <= knots[b + 1]:
            share = (math.log(lag) - math.log(knots[b])) / (
                math.log(knots[b + 1]) - math.log(knots[b])
            )
            out[b], out[b + 1] = 1.0 - share, share
            break
    return out[:n]


def link_of(name, x):
    return math.exp(x) if name == "exponential" else math.log1p(math.exp(x))


def inside(process, times, marks, target, when):
    """Baseline plus what the last `memory` events strictly before `when` add."""
    before = [(t, j) for t, j in zip(times, marks, strict=True) if t < when]
    total = process.baseline[target]
    for order, (t, j) in enumerate(reversed(before[-process.memory :])):
        layer = process.weights[order if process.n_orders > 1 else 0]
        total += layer[target, j] @ filter_values(process.filters.knots, when - t)
    return total


def integral(process, times, marks, target, start, end):
    """By quadrature between events and the moments when an event's age passes a knot."""
    knots = {start, end, *times}
    knots |= {t + u for t in times for u in process.filters.knots}
    cuts = sorted(t for t in knots if start <= t <= end)

    def rate(u):
        return link_of(process.link, inside(process, times, marks, target, u))

    return sum(
        quad(rate, a, b, epsabs=1e-11, epsrel=1e-11)[0]
        for a, b in itertools.pairwise(cuts)
        if b > a
    )


def row_log_likelihoods(process, events, target, n_given=0):
    """One number per realisation."""
    out = []
    for times, marks, start, end in realizations(events):
        begin = times[min(n_given, len(times)) - 1] if n_given and len(times) else start
        value = -integral(process, times, marks, target, begin, end)
        for k, (t, i) in enumerate(zip(times, marks, strict=True)):
            if i == target and k >= n_given:
                value += math.log(link_of(process.link, inside(process, times, marks, target, t)))
        out.append(value)
    return np.array(out)


def simulate_steps(process, rng, end, step):
    """Events of one mark on a fine grid, at most one per step, by the rate at its end."""
    times = []
    for k in range(int(end / step)):
        now = (k + 1) * step
        rate = link_of(process.link, inside(process, times, [0] * len(times), 0, now))
        if rng.random() < -math.expm1(-rate * step):
            times.append(now)
    return np.array(times)
