"""Penalised log-likelihoods and the least-squares contrast by definition, and slow optimisers."""

import itertools
import math

import naive_hawkes
import numpy as np
from scipy.integrate import quad
from scipy.optimize import minimize


def row(events, decay, target, weights):
    """Columns (1, c) and weights of a target's events, and the costs of its parameters."""
    size = events.n_marks
    columns, counted, cost = [], [], np.zeros(size + 1)
    for r, (times, marks, start, end) in enumerate(naive_hawkes.realizations(events)):
        cost[0] += weights[r] * (end - start)
        for t, j in zip(times, marks, strict=True):
            cost[j + 1] += weights[r] * (1.0 - math.exp(-decay[target, j] * (end - t)))
            if j == target:
                own = naive_hawkes.excitation(times, marks, decay, target, t, size)
                columns.append([1.0, *own])
                counted.append(weights[r])
    return np.array(columns).reshape(-1, size + 1), np.array(counted), cost


def penalty(x, l1, ridge, labels, strength):
    """Sum over the adjacency; `labels` (D, D) with -1 for none, `strength` of each label."""
    total = 0.0
    for i, j in np.ndindex(*labels.shape):
        w = x[i, j + 1]
        total += l1[i, j] * w + 0.5 * ridge[i, j] * w**2
    for g, s in enumerate(strength):
        total += s * math.sqrt(sum(x[i, j + 1] ** 2 for i, j in np.argwhere(labels == g)))
    return total


def objective(x, rows, terms):
    """Log-likelihood less penalty; `rows` as `row` returns them."""
    total = -penalty(x, *terms)
    for i, (columns, counted, cost) in enumerate(rows):
        total += float(counted @ np.log(columns @ x[i])) if len(columns) else 0.0
        total -= float(cost @ x[i])
    return total


def slope(x, rows, terms, rounding=1e-12):
    """Derivatives of the objective; of a group at 0 those without its norm."""
    l1, ridge, labels, strength = terms
    out = np.zeros(x.shape)
    for i, (columns, counted, cost) in enumerate(rows):
        if len(columns):
            out[i] = columns.T @ (counted / (columns @ x[i]))
        out[i] -= cost
    out[:, 1:] -= l1 + ridge * x[:, 1:]
    for g, s in enumerate(strength):
        inside = labels == g
        norm = math.sqrt((x[:, 1:][inside] ** 2).sum())
        if norm > rounding:
            out[:, 1:][inside] -= s * x[:, 1:][inside] / norm
    return out


def maximise(rows, terms, starts):
    """The best that L-BFGS-B finds from several starts."""
    shape = starts[0].shape

    def loss(flat):
        x = flat.reshape(shape)
        with np.errstate(divide="ignore", invalid="ignore"):
            value, gradient = -objective(x, rows, terms), -slope(x, rows, terms)
        if not np.isfinite(value):
            return 1e10, np.zeros(flat.size)
        return value, gradient.ravel()

    best = math.inf
    for start in starts:
        options = {"maxiter": 1000, "maxfun": 2000, "ftol": 1e-15, "gtol": 1e-9}
        found = minimize(loss, start.ravel(), jac=True, method="L-BFGS-B",
                         bounds=[(0.0, None)] * start.size, options=options)  # fmt: skip
        best = min(best, float(found.fun))
    return -best


def contrast(events, x, decay, weights, target):
    """The least-squares contrast of one target, its integral by quadrature between events."""
    total = 0.0
    full = np.zeros((events.n_marks, events.n_marks + 1))
    full[target] = x
    for r, (times, marks, start, end) in enumerate(naive_hawkes.realizations(events)):

        def intensity(when, r=r):
            rates = naive_hawkes.intensity(events, r, full[:, 0], full[:, 1:], decay, when)
            return rates[target]

        # quadrature must see the steep part after each event
        further = [t + lag for t in times for lag in (1.0, 10.0, 100.0) if t + lag < end]
        cuts = np.unique([start, *times, *further, end])
        for a, b in itertools.pairwise(cuts):
            square = quad(lambda t, f=intensity: f(t) ** 2, a, b, epsabs=1e-12, epsrel=1e-11)[0]
            total += weights[r] * square
        for t, i in zip(times, marks, strict=True):
            total -= 2.0 * weights[r] * intensity(t) if i == target else 0.0
    return total
