"""Sums over events that have strengths, pair by pair; and likelihoods from them. Slow, obvious."""

from itertools import pairwise

import numpy as np
from scipy import integrate

from hawkeys.kernels.pairs import one_pair


def pair_density(kernel, n_marks, target, source, lag):
    return float(one_pair(kernel.density(np.array([lag])), n_marks, target, source)[0])


def excitation(times, marks, strengths, kernel, n_marks, at, *, target):
    """Sum over earlier events of each source, shape (n_marks,)."""
    out = np.zeros(n_marks)
    for time, mark, strength in zip(times, marks, strengths, strict=True):
        if time < at:
            out[mark] += strength * pair_density(kernel, n_marks, target, mark, at - time)
    return out


def mass(times, marks, strengths, kernel, n_marks, end, *, target):
    """Integral of the same from the first event to `end`, by quadrature, shape (n_marks,)."""
    out = np.zeros(n_marks)
    for time, mark, strength in zip(times, marks, strengths, strict=True):
        if time >= end:
            continue

        def density(lag, mark=mark):
            return pair_density(kernel, n_marks, target, mark, lag)

        edges = (end - time) * np.array([0.0, 1e-4, 1e-3, 1e-2, 0.1, 1.0])
        out[mark] += strength * sum(
            integrate.quad(density, low, high, epsrel=1e-10)[0] for low, high in pairwise(edges)
        )
    return out


def log_likelihood(events, strengths, kernel, baseline, adjacency):
    """Of constant baselines, by pairs and quadrature."""
    size, total = events.n_marks, 0.0
    for r in range(events.n_realizations):
        rows = slice(events.offsets[r], events.offsets[r + 1])
        path = events.times[rows], events.marks[rows], strengths[rows]
        for time, mark in zip(path[0], path[1], strict=True):
            found = excitation(*path, kernel, size, time, target=mark)
            total += np.log(baseline[mark] + adjacency[mark] @ found)
        for target in range(size):
            whole = mass(*path, kernel, size, events.end_times[r], target=target)
            total -= baseline[target] * events.durations[r] + adjacency[target] @ whole
    return total
