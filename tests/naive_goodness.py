"""Slow, obvious versions of time rescaling and its tests, from the definitions by quadrature."""

import math
from itertools import pairwise

import numpy as np
from naive_hawkes import realizations
from scipy import integrate


def integral(intensity, start, end, events):
    """Integrate piece by piece between the events, where the intensity jumps."""
    edges = [start, *sorted({t for t in events if start < t < end}), end]
    return sum(
        integrate.quad(intensity, a, b, epsabs=1e-13, epsrel=1e-12)[0]
        for a, b in pairwise(edges)
        if b > a
    )


def rescaled(events, baseline, adjacency, density, width=None):
    """Return the rescaled time of every event, and the expected counts (n_realizations, n_marks).

    `density(target, source, lag)`; one of bounded support ends at lag `width`.
    """
    size = len(baseline)
    out, expected, before = [], [], np.zeros(size)
    for times, marks, start, end in realizations(events):
        times, end, start = times - start, end - start, 0.0  # epoch times are too coarse for quad
        jumps = [*times, *(t + width for t in times)] if width else times

        def intensity(when, i, times=times, marks=marks):
            parts = zip(times, marks, strict=True)
            return baseline[i] + sum(
                adjacency[i, j] * density(i, j, when - t) for t, j in parts if t < when
            )

        for t, i in zip(times, marks, strict=True):
            out.append(before[i] + integral(lambda u, i=i: intensity(u, i), start, t, jumps))
        ends = [integral(lambda u, i=i: intensity(u, i), start, end, jumps) for i in range(size)]
        expected.append(ends)
        before += ends
    return np.array(out), np.array(expected)


def anderson_darling(residuals):
    """n times the integral of (F_n - F)^2 / (F (1 - F)) over F."""
    u = np.sort(1 - np.exp(-residuals))
    edges = [0.0, *u, 1.0]
    total = 0.0
    for k, (a, b) in enumerate(pairwise(edges)):
        level = k / len(u)
        total += integrate.quad(
            lambda x, level=level: (level - x) ** 2 / (x * (1 - x)), a, b, epsabs=1e-12
        )[0]
    return len(u) * total


def correlations(residuals, lags):
    u = [1 - math.exp(-x) - 0.5 for x in residuals]
    power = sum(a * a for a in u)
    out = []
    for lag in range(1, lags + 1):
        pairs = [u[k] * u[k - lag] for k in range(lag, len(u))]
        out.append(sum(pairs) / power * len(u) / math.sqrt(len(pairs)))
    return np.array(out)


def largest_deviation(times, total):
    """sup |N(s) - s| / sqrt(total), on a fine grid that holds both sides of every jump."""
    grid = np.sort([0.0, *times, *(t - 1e-9 for t in times), total])
    return max(abs(sum(times <= s) - s) for s in grid) / math.sqrt(total)
