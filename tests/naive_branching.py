"""Slow, obvious branching: every pair of events, every possible assignment of parents."""

import itertools
import math

import numpy as np
from naive_delayed import densities
from scipy import special


def probabilities(process, events):
    """Return immigrant probabilities and the dense (child, parent) matrix, by double loops."""
    size = events.n_events
    own = events.realization
    matrix = np.zeros((size, size + 1))
    for k in range(size):
        i = events.marks[k]
        matrix[k, 0] = process.baseline_function.at(events.times[k : k + 1])[0, i]
        for e in range(size):
            lag = events.times[k] - events.times[e]
            if own[e] != own[k] or lag <= 0:
                continue
            g = pair(process.kernel, process.n_marks, i, events.marks[e])(lag)
            matrix[k, e + 1] = process.adjacency[i, events.marks[e]] * g
    with np.errstate(invalid="ignore"):
        matrix /= matrix.sum(axis=1, keepdims=True)
    return matrix[:, 0], matrix[:, 1:]


def pair(kernel, size, i, j):
    """Return the density of a pair as a function of the lag."""
    if hasattr(kernel, "decay_matrix"):
        decay = kernel.decay_matrix(size)[i, j]
        return lambda lag: decay * math.exp(-decay * lag)
    if hasattr(kernel, "decays"):
        weights = np.broadcast_to(kernel.weights, (size, size, kernel.decays.size))[i, j]
        return lambda lag: float(weights @ (kernel.decays * np.exp(-kernel.decays * lag)))
    return densities(kernel, size)[i][j].pdf


def log_evidence(v, cost, shape, rate):
    """Return the log evidence of a row with Gamma priors, summed over all assignments of parents.

    `v` (n_events, P) holds the densities, `cost` (P,) what a unit of each parameter costs; the
    prior's constant is left out where its rate is 0.
    """
    n, size = v.shape
    terms = []
    for z in itertools.product(range(size), repeat=n):
        own = math.prod(v[k, p] for k, p in enumerate(z))
        if own == 0:
            continue
        counts = np.bincount(z, minlength=size)
        a, b = shape + counts, rate + cost
        log_terms = special.gammaln(a) - special.gammaln(shape) - a * np.log(b)
        terms.append(math.log(own) + log_terms.sum() + special.xlogy(shape, rate)[rate > 0].sum())
    return special.logsumexp(terms)


def bound(v, cost, weights, shape, rate, a, resp):
    """Return the bound term by term: E log joint - E log q(Z) - E log q(theta), improper ones left.

    `resp` (n_events, P) are the probabilities of the parents, `a` the shapes of q.
    """
    b = rate + cost
    mean_log = special.digamma(a) - np.log(b)
    with np.errstate(divide="ignore", invalid="ignore"):
        inside = np.where(resp > 0, resp * (mean_log + np.log(v) - np.log(resp)), 0.0)
    total = float(weights @ inside.sum(axis=1)) - cost @ (a / b)
    log_prior = (shape - 1) * mean_log - rate * a / b - special.gammaln(shape)
    log_prior = log_prior + np.where(rate > 0, special.xlogy(shape, rate), 0.0)
    entropy = a - np.log(b) + special.gammaln(a) + (1 - a) * special.digamma(a)
    return total + float((log_prior + entropy).sum())


def update(v, cost, weights, shape, rate, a):
    """Return the shapes after one round of coordinate ascent, and the responsibilities before."""
    b = rate + cost
    e = np.exp(special.digamma(a)) / b
    resp = e * v
    resp /= resp.sum(axis=1, keepdims=True)
    return shape + weights @ resp, resp
