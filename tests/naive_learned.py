"""Slow, obvious twins of the learned verifiers: nets, fuzzy sets, clusters, support vectors."""

import itertools
import math

import numpy as np
from scipy import optimize
from scipy.special import expit


def net_outputs(samples, hidden_weights, output_weights, logistic):
    hidden = expit(np.column_stack([samples, np.ones(len(samples))]) @ hidden_weights)
    raw = np.column_stack([hidden, np.ones(len(samples))]) @ output_weights
    return expit(raw) if logistic else raw


def squared_error(sample, target, hidden_weights, output_weights, logistic):
    out = net_outputs(sample[None, :], hidden_weights, output_weights, logistic)[0]
    return 0.5 * np.square(out - target).sum()


def net_gradients(sample, target, hidden_weights, output_weights, logistic):
    """Gradients of the squared error of one sample with respect to both matrices of weights."""
    signal = np.append(sample, 1.0)
    hidden = np.append(expit(signal @ hidden_weights), 1.0)
    out = hidden @ output_weights
    slope = 1.0
    if logistic:
        out = expit(out)
        slope = out * (1.0 - out)
    error = (out - target) * slope
    back = (output_weights @ error)[:-1] * hidden[:-1] * (1.0 - hidden[:-1])
    return np.outer(signal, back), np.outer(hidden, error)


def train_net(samples, targets, weights, *, n_epochs, rate, momentum, logistic):
    """Return the trained (hidden_weights, output_weights)."""
    weights = [array.copy() for array in weights]
    change = [np.zeros_like(array) for array in weights]
    for _ in range(n_epochs):
        for sample, target in zip(samples, targets, strict=True):
            gradients = net_gradients(sample, target, *weights, logistic)
            change = [
                momentum * last - rate * gradient
                for last, gradient in zip(change, gradients, strict=True)
            ]
            weights = [array + step for array, step in zip(weights, change, strict=True)]
    return weights


def membership(time, centre, half_width):
    return max(0.0, 1.0 - abs(time - centre) / half_width)


def fuzzy_centre(column, spacing, half_width, weights=None):
    """Of all sets in a wide range, the one with most membership; the lowest of equals."""
    weights = [1.0] * len(column) if weights is None else weights
    first = math.floor(min(column) / spacing) - 5
    last = math.ceil(max(column) / spacing) + 5
    totals = {
        k: math.fsum(
            w * membership(x, k * spacing, half_width) for x, w in zip(column, weights, strict=True)
        )
        for k in range(first, last + 1)
    }
    largest = max(totals.values())
    return spacing * min(k for k, total in totals.items() if total >= largest - 1e-9 * largest)


def fuzzy_score(sample, centres, half_width):
    lack = [1.0 - membership(x, c, half_width) for x, c in zip(sample, centres, strict=True)]
    return -math.fsum(lack) / len(lack)


def best_centroids(samples, n_clusters):
    """Of all partitions, the centroids of the one with the least sum of squares, sorted."""
    best, least = None, math.inf
    for labels in itertools.product(range(n_clusters), repeat=len(samples)):
        if len(set(labels)) < n_clusters:
            continue
        groups = [samples[np.array(labels) == k] for k in range(n_clusters)]
        total = sum(np.square(group - group.mean(axis=0)).sum() for group in groups)
        if total < least:
            best, least = [group.mean(axis=0) for group in groups], total
    return np.array(sorted(best, key=tuple))


def svm_shares(standard, nu, gamma, weights):
    """The alphas of the one-class machine, by a general solver."""
    gaps = standard[:, None, :] - standard[None, :, :]
    kernel = np.exp(-gamma * np.square(gaps).sum(axis=2))
    weights = np.asarray(weights, dtype=float)
    most = weights / (nu * weights.sum())
    found = optimize.minimize(
        lambda alpha: alpha @ kernel @ alpha,
        weights / weights.sum(),
        jac=lambda alpha: 2.0 * kernel @ alpha,
        bounds=[(0.0, bound) for bound in most],
        constraints={
            "type": "eq", "fun": lambda a: a.sum() - 1.0, "jac": lambda a: np.ones(len(a))
        },
        method="SLSQP",
        options={"ftol": 1e-14, "maxiter": 1000},
    )  # fmt: skip
    return found.x
