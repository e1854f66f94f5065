"""Profile likelihoods of one row problem: maxima with a parameter held, and where they fall off.

A row problem is to maximise L(x) = sum_k w_k log(v_k . x) - cost . x over x >= 0, which is concave.
`basis` holds v as an (n_parameters, n_events) matrix, contiguous; parameters without cost stay
where they are. With x_p held, L is maximised over the others by Newton steps, each the optimum of
a quadratic model over x >= 0 (primal active set), from the last optimum. By concavity the profile
l(x_p) has slope dL/dx_p there and falls on both sides of the estimate.
"""

import math

import numpy as np
from numba import njit

__all__ = ["climb", "profile_ends", "scores"]

_RIDGE = 1e-10
# nats; what an optimum may still gain, and how near an end point must come to its level
_TOLERANCE = 1e-11
_NEAR = 1e-9
_ROUNDING = 1e-13
_MOST_STEPS = 200


@njit(cache=True)
def _evaluate(basis, weights, cost, x, slope, hessian):
    """Return L; fill its gradient and its negative second derivatives."""
    size, n = basis.shape
    root = np.dot(x, basis)
    scaled = np.empty_like(basis)
    value = 0.0
    for k in range(n):
        if weights[k] == 0.0:
            root[k] = 0.0
        elif root[k] > 0.0:
            value += weights[k] * math.log(root[k])
            root[k] = math.sqrt(weights[k]) / root[k]
        else:
            return -math.inf
    for p in range(size):
        slope[p] = 0.0
        for k in range(n):
            scaled[p, k] = basis[p, k] * root[k]
            slope[p] += scaled[p, k] * math.sqrt(weights[k])
        slope[p] -= cost[p]
        value -= cost[p] * x[p]
    np.dot(scaled, scaled.T, hessian)
    return value


@njit(cache=True)
def _solve(matrix, free, factor, out):
    """Replace out by the solution y of matrix[free, free] y = out[free], 0 elsewhere."""
    size, rest = out.size, 0.0
    for a in range(size):
        if not free[a]:
            out[a] = 0.0
            continue
        for b in range(a + 1):
            if free[b]:
                rest = matrix[a, b]
                for c in range(b):
                    rest -= factor[a, c] * factor[b, c] if free[c] else 0.0
                if b < a:
                    factor[a, b] = rest / factor[b, b]
        # a direction in which the data say nothing keeps a little curvature
        factor[a, a] = math.sqrt(max(rest, _RIDGE * matrix[a, a], 1e-300))
        for c in range(a):
            out[a] -= factor[a, c] * out[c] if free[c] else 0.0
        out[a] /= factor[a, a]
    for a in range(size - 1, -1, -1):
        if free[a]:
            for c in range(a + 1, size):
                out[a] -= factor[c, a] * out[c] if free[c] else 0.0
            out[a] /= factor[a, a]


@njit(cache=True)
def _residual(slope, hessian, step, p):
    """Return the slope of the quadratic model at `step` along p."""
    total = slope[p]
    for q in range(step.size):
        total -= hessian[p, q] * step[q]
    return total


@njit(cache=True)
def _shorten(x, step, change, free):
    """Return how much of the change keeps x + step >= 0, and what stops it (-1: nothing)."""
    length, stop = 1.0, -1
    for p in range(x.size):
        room = x[p] + step[p]
        if free[p] and room + change[p] < 0.0 and room <= -length * change[p]:
            length, stop = room / -change[p], p
    return length, stop


@njit(cache=True)
def _model_step(slope, hessian, held, x, step):
    """Fill the step that maximises slope . d - d'Hd / 2 over x + d >= 0."""
    size = x.size
    free = np.empty(size, dtype=np.bool_)
    change, factor = np.empty(size), np.empty((size, size))
    for p in range(size):
        step[p] = 0.0
        free[p] = not held[p] and (x[p] > 0.0 or slope[p] > 0.0)
    for _ in range(10 * size):
        for p in range(size):
            change[p] = _residual(slope, hessian, step, p)
        _solve(hessian, free, factor, change)
        length, stop = _shorten(x, step, change, free)
        for p in range(size):
            step[p] += length * change[p]
        if stop >= 0:
            step[stop] = -x[stop]
            free[stop] = False
            continue
        # release the bound parameter that gains most, in nats
        best, enter = 1e-3 * _TOLERANCE, -1
        for p in range(size):
            pull = _residual(slope, hessian, step, p)
            if not (free[p] or held[p]) and pull > 0.0:
                gain = pull * pull / max(hessian[p, p], 1e-300)
                if gain > best:
                    best, enter = gain, p
        if enter < 0:
            return
        free[enter] = True


@njit(cache=True)
def _value(basis, weights, cost, x):
    """Return L alone."""
    value = 0.0
    for p in range(x.size):
        value -= cost[p] * x[p]
    rate = np.dot(x, basis)
    for k in range(rate.size):
        if weights[k] > 0.0:
            if rate[k] <= 0.0:
                return -math.inf
            value += weights[k] * math.log(rate[k])
    return value


@njit(cache=True)
def _start(basis, weights, cost, held, x):
    """Spread the events over all that may move, if that is better.

    From events that are all but impossible Newton steps would take very long.
    """
    total = weights.sum()
    if total == 0.0:
        return
    spread = x.copy()
    for p in range(x.size):
        if not held[p] and cost[p] > 0.0 and basis[p].max() > 0.0:
            spread[p] = max(x[p], total / (x.size * cost[p]))
    if _value(basis, weights, cost, spread) > _value(basis, weights, cost, x):
        x[:] = spread


@njit(cache=True)
def climb(basis, weights, cost, held, x, slope, hessian):
    """Maximise L over the parameters not held, from x in place.

    Returns L (minus infinity if some event stays impossible, NaN if the steps ran out); fills the
    gradient and the negative second derivatives at the optimum.
    """
    size = x.size
    _start(basis, weights, cost, held, x)
    step, before = np.zeros(size), x.copy()
    value = _evaluate(basis, weights, cost, x, slope, hessian)
    if value == -math.inf:
        return value
    for _ in range(_MOST_STEPS):
        _model_step(slope, hessian, held, x, step)
        promised = 0.0
        for p in range(size):
            before[p] = x[p]
            promised += slope[p] * step[p]
        if promised <= _TOLERANCE:
            return value
        length, reached = 2.0, -math.inf
        while not reached >= value + 1e-4 * length * promised - _ROUNDING * abs(value):
            length *= 0.5
            if length < 1e-12:  # rounding: there is nothing to gain
                x[:] = before
                return _evaluate(basis, weights, cost, x, slope, hessian)
            for p in range(size):
                x[p] = max(before[p] + length * step[p], 0.0)
            reached = _evaluate(basis, weights, cost, x, slope, hessian)
        value = reached
    return math.nan


@njit(cache=True)
def _first_guess(slope, hessian, held, x, p, drop):
    """Return how far from x_p a quadratic profile has fallen by `drop`."""
    free = np.empty(x.size, dtype=np.bool_)
    for q in range(x.size):
        free[q] = not held[q] and q != p and x[q] > 0.0
    along = hessian[p].copy()
    _solve(hessian, free, np.empty_like(hessian), along)
    bend = hessian[p, p]
    for q in range(x.size):
        bend -= hessian[p, q] * along[q]
    fall = max(-slope[p], 0.0) if x[p] == 0.0 else 0.0
    bend = max(bend, _RIDGE * hessian[p, p])
    if fall + bend == 0.0:
        return 1.0
    return 2.0 * drop / (fall + math.sqrt(fall * fall + 2.0 * bend * drop))


@njit(cache=True)
def _find_end(basis, weights, cost, held, x, p, levels):
    """Return where the profile crosses a level, from the first guess x_p on.

    `levels` holds the maximum, the level and the bracket (low, high) of x_p; `held` includes p.
    Newton steps on the square root of the fall, which is all but linear in x_p, else bisection.
    """
    best, level, low, high = levels[0], levels[1], levels[2], levels[3]
    upper = high == math.inf
    slope, hessian = np.empty(x.size), np.empty((x.size, x.size))
    for _ in range(_MOST_STEPS):
        value = climb(basis, weights, cost, held, x, slope, hessian)
        if math.isnan(value):
            return math.nan
        at = x[p]
        if abs(value - level) <= max(_NEAR, _ROUNDING * abs(level)):
            return at
        if (value < level) == upper:
            high = at
        else:
            low = at
        root = math.sqrt(max(best - value, 0.0))
        new = math.nan
        if value > -math.inf and slope[p] != 0.0:
            new = at + 2.0 * root * (root - math.sqrt(best - level)) / slope[p]
        if not low < new < high:
            new = 0.5 * (low + high) if high < math.inf else 2.0 * at
        if high < math.inf and high - low <= 1e-15 * high:
            return at
        x[p] = new
    return math.nan


@njit(cache=True)
def profile_ends(basis, weights, cost, held, x, wanted, drop):
    """Return the profile's figures for every wanted parameter of a row, from its optimum x.

    Returns (n_parameters, 3): where the profile has fallen by `drop` below and above the estimate
    (0 below if it has not fallen so far at 0), and its fall at 0; NaN where not wanted. With an
    infinite `drop` the ends are not searched for. Returns also how much higher L is at the optimum
    than at the x that came; x is moved there.
    """
    size = x.size
    out = np.full((size, 3), np.nan)
    slope, hessian, spare = np.empty(size), np.empty((size, size)), np.empty((size, size))
    fixed, moved = held.copy(), np.empty(size)
    given = _value(basis, weights, cost, x)
    best = climb(basis, weights, cost, held, x, slope, hessian)
    for p in range(size):
        if not wanted[p] or held[p] or math.isnan(best):
            continue
        fixed[p] = True
        at_zero = best
        if x[p] > 0.0:
            moved[:] = x
            moved[p] = 0.0
            at_zero = climb(basis, weights, cost, fixed, moved, np.empty(size), spare)
        out[p, 2] = math.nan if math.isnan(at_zero) else max(best - at_zero, 0.0)
        if drop < math.inf and not math.isnan(at_zero):
            guess = _first_guess(slope, hessian, held, x, p, drop)
            out[p, 0] = 0.0
            if out[p, 2] > drop:
                moved[:] = x
                moved[p] = x[p] - guess if guess < x[p] else 0.5 * x[p]
                levels = np.array([best, best - drop, 0.0, x[p]])
                out[p, 0] = _find_end(basis, weights, cost, fixed, moved, p, levels)
            moved[:] = x
            moved[p] = x[p] + guess
            levels = np.array([best, best - drop, x[p], math.inf])
            out[p, 1] = _find_end(basis, weights, cost, fixed, moved, p, levels)
        fixed[p] = held[p]
    return out, best - given


@njit(cache=True)
def scores(excitation, weights, offsets, cost, x):
    """Return the gradient of L of every block, at the row of x that its number modulo rows names.

    Shape (n_blocks, n_parameters); `excitation`, `weights` and `offsets` as in `Design`.
    """
    n_blocks, size = cost.shape
    out = -cost.copy()
    for b in range(n_blocks):
        begin, n = offsets[b], offsets[b + 1] - offsets[b]
        row = x[b % x.shape[0]]
        matrix = excitation[(size - 1) * begin : (size - 1) * (begin + n)].reshape((size - 1, n))
        for k in range(n):
            intensity = row[0]
            for j in range(size - 1):
                intensity += row[j + 1] * matrix[j, k]
            weight = weights[begin + k] if weights.size > 0 else 1.0
            share = weight / intensity if weight > 0.0 else 0.0
            out[b, 0] += share
            for j in range(size - 1):
                out[b, j + 1] += share * matrix[j, k]
    return out
