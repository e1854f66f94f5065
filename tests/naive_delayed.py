"""Slow, obvious delayed kernels: densities of scipy.stats, double loops over events."""

import math

import numpy as np
from naive_hawkes import realizations
from scipy import stats


class Bins:
    """A piecewise-constant density on (edges[b], edges[b + 1]]."""

    def __init__(self, edges, masses):
        self.edges, self.masses = edges, masses

    def pdf(self, lag):
        for low, high, mass in zip(self.edges[:-1], self.edges[1:], self.masses, strict=True):
            if low < lag <= high:
                return mass / (high - low)
        return 0.0

    def cdf(self, lag):
        total = 0.0
        for low, high, mass in zip(self.edges[:-1], self.edges[1:], self.masses, strict=True):
            total += mass * min(max((lag - low) / (high - low), 0.0), 1.0)
        return total


def pair_density(kernel, i, j):
    """The density of one pair, with methods pdf and cdf."""
    own = [np.asarray(getattr(kernel, name)) for name in kernel.parameter_names]
    if kernel.name == "histogram":
        return Bins(kernel.edges, own[0][i, j] if own[0].ndim == 3 else own[0])
    a, b = (value[i, j] if value.ndim else value[()] for value in own)
    return (
        stats.lognorm(b, scale=math.exp(a))
        if kernel.name == "log_normal"
        else stats.gamma(a, scale=1 / b)
    )


def densities(kernel, size):
    return [[pair_density(kernel, i, j) for j in range(size)] for i in range(size)]


def intensity(events, realization, process, when):
    times, marks, _, _ = list(realizations(events))[realization]
    g = densities(process.kernel, process.n_marks)
    out = np.array(process.baseline)
    for i in range(process.n_marks):
        for t, j in zip(times, marks, strict=True):
            if t < when:
                out[i] += process.adjacency[i, j] * g[i][j].pdf(when - t)
    return out


def compensator(events, realization, process, when):
    times, marks, start, _ = list(realizations(events))[realization]
    g = densities(process.kernel, process.n_marks)
    out = np.array(process.baseline) * (when - start)
    for i in range(process.n_marks):
        for t, j in zip(times, marks, strict=True):
            if t < when:
                out[i] += process.adjacency[i, j] * g[i][j].cdf(when - t)
    return out


def log_likelihood(events, process):
    total = 0.0
    for r, (times, marks, _, end) in enumerate(realizations(events)):
        for t, i in zip(times, marks, strict=True):
            rate = intensity(events, r, process, t)[i]
            total += math.log(rate) if rate > 0 else -math.inf
        total -= compensator(events, r, process, end).sum()
    return total
