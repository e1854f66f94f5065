"""Slow, obvious delayed kernels: densities of scipy.stats, double loops over events."""

import math
from decimal import Decimal, localcontext

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
    if kernel.name == "power_law":
        return stats.lomax(kernel.p - 1.0, scale=kernel.c)
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


def lag_statistics(kernel, i, j, lag):
    """What determines the parameters of a pair; see hawkeys._jit.delayed.responsibilities."""
    own = [np.asarray(getattr(kernel, name)) for name in kernel.parameter_names]
    if kernel.name == "histogram":
        return np.array(
            [float(a < lag <= b) for a, b in zip(kernel.edges[:-1], kernel.edges[1:], strict=True)]
        )
    a, b = (value[i, j] if value.ndim else value[()] for value in own)
    if kernel.name == "log_normal":
        return np.array([1.0, math.log(lag) - a, (math.log(lag) - a) ** 2])
    ratio = b * lag / a
    return np.array([1.0, ratio - 1.0, ratio - 1.0 - math.log(ratio)])


def responsibilities(events, weights, x, kernel, support):
    """Weighted sum of log intensities, expected events per parent, statistics of the lags."""
    size = len(x)
    g = densities(kernel, size)
    width = lag_statistics(kernel, 0, 0, 1.0).size
    total, counts, moments = 0.0, np.zeros((size, size + 1)), np.zeros((size, size, width))
    for r, (times, marks, _, _) in enumerate(realizations(events)):
        for t, i in zip(times, marks, strict=True):
            parents = [(s, j) for s, j in zip(times, marks, strict=True) if s < t and support[i, j]]
            parts = [x[i, j + 1] * g[i][j].pdf(t - s) for s, j in parents]
            rate = x[i, 0] + sum(parts)
            total += weights[r] * math.log(rate)
            counts[i, 0] += weights[r] * x[i, 0] / rate
            for (s, j), part in zip(parents, parts, strict=True):
                p = weights[r] * part / rate
                counts[i, j + 1] += p
                if p > 0:
                    moments[i, j] += p * lag_statistics(kernel, i, j, t - s)
    return total, counts, moments


def tails(events, weights, kernel, support):
    """Mass within the windows, and by quadrature the statistics of the lags beyond them."""
    size = len(support)
    g = densities(kernel, size)
    width = lag_statistics(kernel, 0, 0, 1.0).size
    cost, moments = np.zeros((size, size)), np.zeros((size, size, width))
    nodes, share = np.polynomial.legendre.leggauss(200)
    for r, (times, marks, _, end) in enumerate(realizations(events)):
        for t, j in zip(times, marks, strict=True):
            for i in range(size):
                if not support[i, j]:
                    continue
                cost[i, j] += weights[r] * g[i][j].cdf(end - t)
                if kernel.name == "histogram":
                    for b, (low, high) in enumerate(
                        zip(kernel.edges[:-1], kernel.edges[1:], strict=True)
                    ):
                        beyond = max(high - max(low, end - t), 0.0) / (high - low)
                        moments[i, j, b] += weights[r] * g[i][j].masses[b] * beyond
                    continue
                # equally likely lags beyond the end, by the quantile function
                mass = g[i][j].sf(end - t)
                v = 0.5 * (nodes + 1.0)
                # crowded at both ends, where the log-lag is unbounded
                u = mass * v**3 * (10 - 15 * v + 6 * v**2)
                dose = weights[r] * mass * 0.5 * share * 30 * v**2 * (1 - v) ** 2
                for lag, amount in zip(quantiles(kernel, i, j, u), dose, strict=True):
                    if amount > 1e-30:  # else the lag may be infinite
                        moments[i, j] += amount * lag_statistics(kernel, i, j, lag)
    return cost, moments


def quantiles(kernel, i, j, tail):
    """Lags that a share `tail` exceeds; that of the log-normal in scipy 1.11 ends at 1e-16."""
    if kernel.name != "log_normal":
        return pair_density(kernel, i, j).isf(tail)
    own = [np.asarray(getattr(kernel, name)) for name in kernel.parameter_names]
    a, b = (value[i, j] if value.ndim else value[()] for value in own)
    return np.exp(a + b * stats.norm.isf(tail))


def nearest_lags(events, weights, support):
    """(1, log lag, its square) after the latest earlier event of each source, summed."""
    out = np.zeros((*support.shape, 3))
    for r, (times, marks, _, _) in enumerate(realizations(events)):
        for t, i in zip(times, marks, strict=True):
            for j in range(len(support)):
                earlier = [s for s, m in zip(times, marks, strict=True) if m == j and s < t]
                if support[i, j] and earlier:
                    value = math.log(t - max(earlier))
                    out[i, j] += weights[r] * np.array([1.0, value, value**2])
    return out


def count_lags(events, weights, groups, first, width, n_bins):
    """Weights of pairs of events by group and bin of the log-lag."""
    out = np.zeros((groups.max() + 1, n_bins))
    for r, (times, marks, _, _) in enumerate(realizations(events)):
        for t, i in zip(times, marks, strict=True):
            for s, j in zip(times, marks, strict=True):
                if s < t and groups[i, j] >= 0 and t - s <= math.exp(first + n_bins * width):
                    b = math.ceil((math.log(t - s) - first) / width) - 1
                    out[groups[i, j], min(max(b, 0), n_bins - 1)] += weights[r]
    return out


def gamma_excess(shape):
    """log(shape) - digamma(shape) to 30 digits: by recurrence to where the series is exact."""
    with localcontext() as context:
        context.prec = 40
        a = Decimal(shape)
        far = a + 2000
        inverse = 1 / far**2
        series = inverse * (
            Decimal(1) / 12 - inverse * (Decimal(1) / 120 - inverse * (Decimal(1) / 252))
        )
        digamma = far.ln() - 1 / (2 * far) - series - sum(1 / (a + k) for k in range(2000))
        return a.ln() - digamma


def gamma_log_front(shape):
    """shape log(shape) - shape - log gamma(shape) to 25 digits, in the same way."""
    with localcontext() as context:
        context.prec = 45
        a = Decimal(shape)
        far = a + 2000
        inverse = 1 / far**2
        series = (Decimal(1) / 12 - inverse * (Decimal(1) / 360 - inverse / 1260)) / far
        log_2_pi = Decimal("1.837877066409345483560659472811235279722794947275566825634")
        far_gamma = (far - Decimal("0.5")) * far.ln() - far + log_2_pi / 2 + series
        return a * a.ln() - a - far_gamma + sum((a + k).ln() for k in range(2000))
