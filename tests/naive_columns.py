"""Slow, obvious versions of richer linear models: loops over events, pieces and decays."""

import math
from itertools import pairwise

import numpy as np
from naive_hawkes import realizations


def piece_at(when, knots, period=None):
    """The number of the piece that holds at a time."""
    if period is not None:
        while when < knots[0]:
            when += period
        while when >= knots[0] + period:
            when -= period
        knots = [*knots, knots[0] + period]
    for q in range(len(knots) - 1):
        if knots[q] <= when < knots[q + 1]:
            return q
    return len(knots) - 2


def time_in_pieces(start, end, knots, period=None):
    """How long each piece holds between two times: cut at every knot and look where we are."""
    cuts = {start, end}
    if period is None:
        n_pieces = len(knots) - 1
        cuts |= set(knots)
    else:
        n_pieces = len(knots)
        first = math.floor((start - knots[-1]) / period) - 1
        last = math.ceil((end - knots[0]) / period) + 1
        cuts |= {knot + k * period for knot in knots for k in range(first, last + 1)}
    inside = sorted(cut for cut in cuts if start <= cut <= end)
    out = np.zeros(n_pieces)
    for low, high in pairwise(inside):
        out[piece_at(0.5 * (low + high), knots, period)] += high - low
    return out


def columns(events, decays, knots=None, period=None):
    """Columns and costs of every target: baseline pieces, then decay after decay the sources.

    Without knots the baseline is constant. Returns a list of (n_events, P) and one cost (P,).
    """
    n_pieces = 1 if knots is None else len(knots) - (period is None)
    size = n_pieces + len(decays) * events.n_marks
    cost, rows = np.zeros(size), [[] for _ in range(events.n_marks)]
    for times, marks, start, end in realizations(events):
        if knots is None:
            cost[0] += end - start
        else:
            cost[:n_pieces] += time_in_pieces(start, end, knots, period)
        for t, i in zip(times, marks, strict=True):
            v = np.zeros(size)
            v[0 if knots is None else piece_at(t, knots, period)] = 1.0
            for u, decay in enumerate(decays):
                first = n_pieces + u * events.n_marks
                cost[first + i] += 1.0 - math.exp(-decay * (end - t))
                for s, j in zip(times, marks, strict=True):
                    if s < t:
                        v[first + j] += decay * math.exp(-decay * (t - s))
            rows[i].append(v)
    return [np.array(row).reshape(-1, size) for row in rows], cost


def log_likelihood(events, parameters, decays, knots=None, period=None):
    """The log-likelihood at parameters (n_marks, P) of the columns above."""
    rows, cost = columns(events, decays, knots, period)
    total = 0.0
    for v, x in zip(rows, parameters, strict=True):
        total += sum(math.log(value) for value in v @ x) - cost @ x
    return total


def maximise(events, decays, labels, knots=None, period=None):
    """Maximise over shared values: labels (n_marks, P) number them from 0, -1: held at 0."""
    from scipy.optimize import minimize

    rows, cost = columns(events, decays, knots, period)

    def loss(theta):
        value, gradient = 0.0, np.zeros(theta.size + 1)
        for v, label in zip(rows, labels, strict=True):
            x = np.append(theta, 0.0)[label]
            lam = v @ x
            value -= np.log(lam).sum() - cost @ x
            np.add.at(gradient, label, cost - v.T @ (1.0 / lam))
        return value, gradient[:-1]

    n = labels.max() + 1
    start = np.full(n, sum(map(len, rows)) / (n * cost.max()))
    options = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 5000, "maxfun": 10_000, "maxcor": 30}
    bounds = [(1e-12, None)] * n
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options)
    return -found.fun, np.append(found.x, 0.0)[labels]


def value_at(rows, cost, labels, theta):
    """The log-likelihood of rows as `columns` returns them, at shared values."""
    values = np.append(theta, 0.0)[labels]
    return sum(np.log(v @ x).sum() - cost @ x for v, x in zip(rows, values, strict=True) if len(v))


def restricted(rows, cost, labels, group, total):
    """Maximise over shared values, those of `group` (one or two) adding to a total."""
    from scipy.optimize import minimize

    n = labels.max() + 1
    rest = np.array([k for k in range(n) if k not in group], dtype=int)
    shares = len(group) - 1

    def expand(free):
        theta = np.zeros(n)
        theta[rest] = free[: rest.size]
        theta[list(group)] = [total] if not shares else [total * free[-1], total * (1 - free[-1])]
        return theta

    def loss(free):
        theta = expand(free)
        values = np.append(theta, 0.0)[labels]
        value, slope = 0.0, np.zeros(n + 1)
        for v, x, label in zip(rows, values, labels, strict=True):
            lam = v @ x
            if (lam <= 0).any():
                return 1e10, np.zeros(free.size)
            value -= np.log(lam).sum() - cost @ x
            np.add.at(slope, label, cost - v.T @ (1.0 / lam))
        along = [total * (slope[group[0]] - slope[group[1]])] if shares else []
        return value, np.concatenate((slope[rest], along))

    bounds = [(0.0, None)] * rest.size + [(0.0, 1.0)] * shares
    options = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 5000, "maxfun": 10_000, "maxcor": 30}
    start = np.concatenate((np.full(rest.size, 0.2), np.full(shares, 0.5)))
    return -minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options=options
    ).fun  # fmt: skip


def sandwich(each, labels, theta):
    """The covariance of shared values; `each` has the `columns` of every realisation.

    Scores by central differences of each realisation's log-likelihood; values at 0 stay there.
    """
    n = theta.size
    free = np.flatnonzero(theta > 0)
    bread, scores = np.zeros((n + 1, n + 1)), np.zeros((len(each), n))
    values = np.append(theta, 0.0)[labels]
    for r, (rows, cost) in enumerate(each):
        for v, x, label in zip(rows, values, labels, strict=True):
            for row in v:
                one = np.zeros(n + 1)
                np.add.at(one, label, row)
                bread += np.outer(one, one) / (row @ x) ** 2
        for k in free:
            step = np.zeros(n)
            step[k] = 1e-5 * theta[k]
            up, down = (value_at(rows, cost, labels, theta + sign * step) for sign in (1, -1))
            scores[r, k] = (up - down) / (2 * step[k])
    inverse = np.linalg.inv(bread[np.ix_(free, free)])
    part = scores[:, free]
    out = np.zeros((n, n))
    count = len(each)
    out[np.ix_(free, free)] = count / (count - 1) * inverse @ (part.T @ part) @ inverse
    return out
