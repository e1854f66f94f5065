"""Slow, obvious versions of the core: double loops over events, nothing shared with the package."""

import math

import numpy as np


def excitation(times, marks, decay, target, when, n_marks):
    """Sum of densities b exp(-b lag) of the events strictly before `when`, by source mark."""
    out = np.zeros(n_marks)
    for t, j in zip(times, marks, strict=True):
        if t < when:
            out[j] += decay[target, j] * math.exp(-decay[target, j] * (when - t))
    return out


def realizations(events):
    for r in range(events.n_realizations):
        rows = slice(events.offsets[r], events.offsets[r + 1])
        yield events.times[rows], events.marks[rows], events.start_times[r], events.end_times[r]


def log_likelihood(events, baseline, adjacency, decay):
    total = 0.0
    size = len(baseline)
    for times, marks, start, end in realizations(events):
        for t, i in zip(times, marks, strict=True):
            c = excitation(times, marks, decay, i, t, size)
            total += math.log(baseline[i] + adjacency[i] @ c)
        for i in range(size):
            total -= baseline[i] * (end - start)
            for t, j in zip(times, marks, strict=True):
                total -= adjacency[i, j] * (1.0 - math.exp(-decay[i, j] * (end - t)))
    return total


def log_likelihood_given(history, events, baseline, adjacency, decay):
    """That of the windows given what happened before them: nothing but double loops."""
    total, size = 0.0, len(baseline)
    for before, now in zip(realizations(history), realizations(events), strict=True):
        times, marks = np.append(before[0], now[0]), np.append(before[1], now[1])
        for t, i in zip(now[0], now[1], strict=True):
            total += math.log(
                baseline[i] + adjacency[i] @ excitation(times, marks, decay, i, t, size)
            )
        for i in range(size):
            total -= baseline[i] * (now[3] - now[2])
            for t, j in zip(times, marks, strict=True):
                since = math.exp(-decay[i, j] * max(now[2] - t, 0.0))
                total -= adjacency[i, j] * (since - math.exp(-decay[i, j] * (now[3] - t)))
    return total


def intensity(events, realization, baseline, adjacency, decay, when):
    times, marks, _, _ = list(realizations(events))[realization]
    size = len(baseline)
    return np.array(
        [
            baseline[i] + adjacency[i] @ excitation(times, marks, decay, i, when, size)
            for i in range(size)
        ]
    )


def compensator(events, realization, baseline, adjacency, decay, when):
    times, marks, start, _ = list(realizations(events))[realization]
    out = np.array(baseline) * (when - start)
    for i in range(len(baseline)):
        for t, j in zip(times, marks, strict=True):
            if t < when:
                out[i] += adjacency[i, j] * (1.0 - math.exp(-decay[i, j] * (when - t)))
    return out


def em_step(x, matrix, cost, exponent):
    """One expectation-maximisation step of a row problem; `matrix` is (n_sources, n_events)."""
    counts = np.array(exponent, dtype=float)
    for k in range(matrix.shape[1]):
        parts = x * np.concatenate(([1.0], matrix[:, k]))
        counts += parts / parts.sum()
    return counts / cost


def variational_bound(location, scale, matrix, cost, coefficient, draws):
    """The evidence bound of a row problem, averaged over base draws; coefficient None: optimal."""
    total = 0.0
    for e in draws:
        theta = np.exp(location + scale * e)
        total += sum(math.log(theta[0] + theta[1:] @ c) for c in matrix.T) / len(draws)
    second = np.exp(2 * location + 2 * scale**2)
    c = 2 * second if coefficient is None else np.full_like(location, coefficient)
    prior = -second / c + math.log(2) - 0.5 * np.log(math.pi * c)
    entropy = location + np.log(scale) + 0.5 * math.log(2 * math.pi * math.e)
    return total - cost @ np.exp(location + scale**2 / 2) + (prior + entropy).sum()
