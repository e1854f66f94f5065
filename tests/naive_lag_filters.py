"""Slow, obvious versions of intensities with steps and exponentials of the lags of all events."""

import itertools
import math

import numpy as np
from naive_hawkes import realizations
from naive_nonlinear import link_of
from scipy.integrate import quad


def filter_values(process, target, lag):
    """Steps are 1 for edge < lag <= next edge; exponentials follow."""
    edges = process.filters.edges
    steps = [1.0 if a < lag <= b else 0.0 for a, b in itertools.pairwise(edges)]
    return np.array(steps + [math.exp(-b * lag) for b in process.filters.decays_of(target)])


def inside(process, times, marks, target, when, piece):
    """What is inside the link: the baseline's piece, and every event strictly before `when`."""
    total = process.inside[target, piece(when)]
    for t, j in zip(times, marks, strict=True):
        if t < when:
            total += process.weights[0, target, j] @ filter_values(process, target, when - t)
    return total


def integral(process, times, marks, target, bounds, piece, changes=()):
    """By adaptive quadrature between events, edges and changes of the baseline."""
    start, end = bounds
    cuts = {start, end, *changes, *times}
    cuts |= {t + e for t in times for e in process.filters.edges}
    inner = sorted(t for t in cuts if start <= t <= end)

    def rate(u):
        return link_of(process.link, inside(process, times, marks, target, u, piece))

    return sum(
        quad(rate, a, b, epsabs=1e-11, epsrel=1e-11, limit=200)[0]
        for a, b in itertools.pairwise(inner)
        if b > a
    )


def log_likelihood(process, events, piece=lambda when: 0, changes=(), n_given=0):
    total = 0.0
    for times, marks, start, end in realizations(events):
        begin = times[min(n_given, len(times)) - 1] if n_given and len(times) else start
        for i in range(process.n_marks):
            total -= integral(process, times, marks, i, (begin, end), piece, changes)
        for k, (t, i) in enumerate(zip(times, marks, strict=True)):
            if k >= n_given:
                x = inside(process, times, marks, i, t, piece)
                total += math.log(link_of(process.link, x))
    return total


def simulate_steps(process, rng, end, step):
    """Events of one mark on a fine grid, at most one per step, by the rate at its end."""
    times = []
    for k in range(int(end / step)):
        now = (k + 1) * step
        x = inside(process, times, [0] * len(times), 0, now, lambda when: 0)
        if rng.random() < -math.expm1(-link_of(process.link, x) * step):
            times.append(now)
    return np.array(times)
