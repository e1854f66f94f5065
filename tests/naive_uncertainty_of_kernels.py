"""Standard errors by second differences of the log-likelihood in all parameters together."""

import numpy as np

from hawkeys import Hawkes


def standard_errors(events, result, groups, step=3e-4):
    """Return those of the estimates (NaN at 0), and of each kernel parameter by pair."""
    names = result.kernel.parameter_names
    kernel = [np.broadcast_to(getattr(result.kernel, name), groups.shape) for name in names]
    free = result.estimates > 0
    labels = [g for g in np.unique(groups) if free[:, 1:][groups == g].any()]
    values = [np.array([own[groups == g][0] for g in labels]) for own in kernel]
    best = np.concatenate((result.estimates[free], *values))
    scale = np.maximum(np.abs(best), 0.1) * step

    def likelihood(theta):
        x = np.zeros(free.shape)
        x[free] = theta[: free.sum()]
        own = [value.copy() for value in kernel]
        for p, part in enumerate(np.split(theta[free.sum() :], len(names))):
            for g, value in zip(labels, part, strict=True):
                own[p][groups == g] = value
        return Hawkes(x[:, 0], x[:, 1:], kernel=type(result.kernel)(*own)).log_likelihood(events)

    size = best.size
    hessian = np.empty((size, size))
    for a in range(size):
        for b in range(a + 1):
            total = 0.0
            for s, t in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
                move = np.zeros(size)
                move[a] += s * scale[a]
                move[b] += t * scale[b]
                total += s * t * likelihood(best + move)
            hessian[a, b] = hessian[b, a] = total / (4 * scale[a] * scale[b])
    errors = np.sqrt(np.diagonal(np.linalg.inv(-hessian)))
    rows = np.full(free.shape, np.nan)
    rows[free] = errors[: free.sum()]
    by_pair = []
    for part in np.split(errors[free.sum() :], len(names)):
        out = np.full(groups.shape, np.nan)
        for g, value in zip(labels, part, strict=True):
            out[groups == g] = value
        by_pair.append(out)
    return rows, by_pair
