"""Slow, obvious versions of the laws and statistics of intervals."""

import itertools
import math

import numpy as np


def normal(x, mean, variance):
    return math.exp(-0.5 * (x - mean) ** 2 / variance) / math.sqrt(2.0 * math.pi * variance)


def mixture_density(mixture, interval):
    """Density per second of one interval."""
    x = math.log(interval)
    parts = zip(mixture.weights_, mixture.means_[:, 0], mixture.covariances_[:, 0, 0], strict=True)
    return sum(w * normal(x, m, v) for w, m, v in parts) / interval


def conditional_density(mixture, interval, before):
    """Density per second of an interval given the one before, by the regression of each part."""
    x, y = math.log(before), math.log(interval)
    weight = value = 0.0
    for w, mean, cov in zip(mixture.weights_, mixture.means_, mixture.covariances_, strict=True):
        own = w * normal(x, mean[0], cov[0, 0])
        slope = cov[0, 1] / cov[0, 0]
        weight += own
        value += own * normal(y, mean[1] + slope * (x - mean[0]), cov[1, 1] - slope * cov[0, 1])
    return value / weight / interval


def statistics(intervals):
    """The 23 statistics of one sample, one by one."""
    log = [math.log(v) for v in intervals]
    n = len(log)
    mean = sum(log) / n
    sd = math.sqrt(sum((x - mean) ** 2 for x in log) / n)
    scaled = [(x - mean) / sd if sd > 1e-12 else 0.0 for x in log]
    steps = [abs(b - a) for a, b in itertools.pairwise(log)]
    out = [mean, sd]
    out += [float(np.quantile(log, q)) for q in (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)]
    out += [sum(x**3 for x in scaled) / n, sum(x**4 for x in scaled) / n]
    out += [sum(v < limit for v in intervals) / n for limit in (0.05, 0.08, 0.12, 0.18, 0.3)]
    out += [sum(v > limit for v in intervals) / n for limit in (0.6, 1.2)]
    for lag in (1, 2, 3):
        products = [scaled[k] * scaled[k + lag] for k in range(n - lag)]
        out.append(sum(products) / len(products))
    middle = sorted(steps)[(len(steps) - 1) // 2 : len(steps) // 2 + 1]
    return [*out, sum(steps) / len(steps), sum(middle) / len(middle)]
