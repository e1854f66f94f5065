"""Slow, obvious twins of `hawkeys._jit.coarse_times`, and integrals over all times."""

import math

import numpy as np


def log_likelihood(times, marks, model, end, start=0.0):
    """Of one realisation, pair by pair."""
    baseline, adjacency, decay = model
    total = -float(np.sum(baseline)) * (end - start)
    for k, t in enumerate(times):
        i = marks[k]
        rate = baseline[i]
        for s, j in zip(times, marks, strict=True):
            if s < t:
                rate += adjacency[i][j] * decay[j] * math.exp(-decay[j] * (t - s))
        total += math.log(rate)
        for target in range(len(baseline)):
            total -= adjacency[target][i] * (1.0 - math.exp(-decay[i] * (end - t)))
    return total


def parameters(model):
    """Return baseline and adjacency of each target, then the log of all decays together, (P,)."""
    baseline, adjacency, _ = model
    return np.append(np.column_stack((baseline, adjacency)).ravel(), 0.0)


def model_of(theta, decay):
    """Return the model of parameters, (P,), whose decays are those given times exp(theta[-1])."""
    size = len(decay)
    rows = np.reshape(theta[:-1], (size, size + 1))
    return rows[:, 0], rows[:, 1:], np.asarray(decay) * math.exp(theta[-1])


def sweep(rng, cells, model, times, marks):
    """Move the times on as the compiled sweep does, each step by the whole log-likelihood."""
    offsets, lows, highs, firsts, ends = cells
    accepted = 0
    for r in range(len(firsts) - 1):
        own = slice(offsets[firsts[r]], offsets[firsts[r + 1]])
        for c in range(firsts[r], firsts[r + 1]):
            first, end = offsets[c], offsets[c + 1]
            for _ in range(end - first):
                p = first + int(rng.random() * (end - first))
                reach = 2.0 / model[2][marks[p]]
                new = propose(rng, times[p], lows[c], highs[c], reach)
                moved = times.copy()
                moved[p] = new
                old = log_likelihood(times[own], marks[own], model, ends[r])
                change = log_likelihood(moved[own], marks[own], model, ends[r]) - old
                if math.log(rng.random()) < change:
                    order = first + np.argsort(moved[first:end], kind="stable")
                    times[first:end], marks[first:end] = moved[order], marks[order]
                    accepted += 1
    return accepted


def propose(rng, old, low, high, reach):
    if rng.random() < 0.5 or reach >= high - low:
        return low + (high - low) * rng.random()
    new = old + reach * (2.0 * rng.random() - 1.0)
    if new < low:
        return 2.0 * low - new
    return 2.0 * high - new if new > high else new


def log_mean_density(lows, highs, model, end, n_nodes):
    """Return the log of the density of one mark's times, averaged over a cell for each event.

    By the midpoint rule in every event; events that share a cell are sorted first. Each event has
    one node more than the one before, so that no two times are ever equal.
    """
    (mu,), ((ratio,),), (decay,) = model
    axes = [
        low + (high - low) * (np.arange(n_nodes + k) + 0.5) / (n_nodes + k)
        for k, (low, high) in enumerate(zip(lows, highs, strict=True))
    ]
    times = np.sort(np.stack([g.ravel() for g in np.meshgrid(*axes, indexing="ij")]), axis=0)
    value = np.full(times.shape[1], -mu * end)
    for k, t in enumerate(times):
        lags = t - times[:k]
        rate = mu + ratio * decay * np.where(lags > 0, np.exp(-decay * lags), 0.0).sum(axis=0)
        value += np.log(rate) - ratio * (1.0 - np.exp(-decay * (end - t)))
    return float(np.log(np.exp(value).mean()))
