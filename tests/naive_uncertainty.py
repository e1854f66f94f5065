"""Slow, obvious uncertainty of a fit: scipy instead of Newton, loops over events."""

import naive_hawkes as naive
import numpy as np
from scipy import optimize


def row_data(events, decay, target, weights=None, support=None):
    """Return (1, excitations) of every event of a target, its weight, cost, and realisation."""
    size = events.n_marks
    decays = np.broadcast_to(np.asarray(decay, dtype=float), (size, size))
    allowed = np.ones(size) if support is None else np.asarray(support)[target].astype(float)
    scale = np.ones(events.n_realizations) if weights is None else np.asarray(weights, dtype=float)
    vectors, weight, owner = [], [], []
    cost = np.zeros((events.n_realizations, size + 1))
    for r, (times, marks, start, end) in enumerate(naive.realizations(events)):
        cost[r, 0] = scale[r] * (end - start)
        for t, j in zip(times, marks, strict=True):
            mass = 1.0 - np.exp(-decays[target, j] * (end - t))
            cost[r, j + 1] += scale[r] * allowed[j] * mass
            if j == target:
                c = naive.excitation(times, marks, decays, target, t, size)
                vectors.append(np.concatenate(([1.0], allowed * c)))
                weight.append(scale[r])
                owner.append(r)
    return np.array(vectors).reshape(-1, size + 1), np.array(weight), cost, np.array(owner)


def log_likelihood(data, x):
    vectors, weight, cost, _ = data
    return weight @ np.log(vectors @ x) - cost.sum(axis=0) @ x


def profile(data, fixed):
    """Maximise over all parameters but those in `fixed` (index: value), at least 0."""
    vectors, weight, cost, _ = data
    vectors, weight = vectors[weight > 0], weight[weight > 0]
    total = cost.sum(axis=0)
    open_ = [p for p in range(total.size) if p not in fixed and total[p] > 0]
    x = np.zeros(total.size)
    for p, value in fixed.items():
        x[p] = value

    def loss(part):
        x[open_] = part
        rate = vectors @ x
        if (rate <= 0).any():
            return 1e300, np.zeros(len(open_))
        return total @ x - weight @ np.log(rate), (total - vectors.T @ (weight / rate))[open_]

    # expectation-maximisation comes near from anywhere, L-BFGS-B does the rest
    x[open_] = 0.1
    if (vectors @ x <= 0).any():
        return -np.inf
    for _ in range(300):
        x[open_] *= (vectors.T @ (weight / (vectors @ x)) / np.where(total > 0, total, 1.0))[open_]
    tight = {"ftol": 1e-15, "gtol": 1e-8, "maxiter": 5000, "maxfun": 50000}
    found = optimize.minimize(
        loss, x[open_], jac=True, method="L-BFGS-B", bounds=[(0.0, None)] * len(open_),
        options=tight,
    )  # fmt: skip
    return -found.fun


def scores(data, x):
    """Return the score of each realisation, shape (n_realizations, n_parameters)."""
    vectors, weight, cost, owner = data
    out = -cost.copy()
    for v, w, r in zip(vectors, weight, owner, strict=True):
        out[r] += w * v / (v @ x)
    return out


def sandwich(data, x, free):
    """Return the covariance of the free parameters, clustered by realisation."""
    vectors, weight, _, _ = data
    bread = sum(w * np.outer(v, v) / (v @ x) ** 2 for v, w in zip(vectors, weight, strict=True))
    each = scores(data, x)[:, free]
    inverse = np.linalg.inv(bread[np.ix_(free, free)])
    count = len(each)
    return count / (count - 1) * inverse @ (each.T @ each) @ inverse


def holm(pvalues):
    """Holm's adjusted p-values, from the definition."""
    order = np.argsort(pvalues)
    out = np.empty(len(pvalues))
    for rank, k in enumerate(order):
        steps = [(len(pvalues) - s) * pvalues[order[s]] for s in range(rank + 1)]
        out[k] = min(1.0, max(steps))
    return out
