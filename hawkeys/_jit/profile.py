"""Profile likelihoods of one row problem: maxima with a parameter held, and where they fall off.

A row problem is to maximise L(x) = sum_k w_k log(v_k . x) - cost . x - 1/2 sum_p ridge_p x_p^2 over
x >= 0, which is concave. It comes as `row` = (basis, weights, cost, ridge), where `basis` holds v
as an (n_parameters, n_events) matrix, contiguous; parameters without cost stay where they are. With
the sum s of a group of parameters held (of one, mostly), L is maximised over all else by Newton
steps, each the optimum of a quadratic model over x >= 0 (primal active set), from the last optimum.
By concavity the profile l(s) has slope dL/dx_p there, p any of the group above 0, and falls on both
sides of the estimate.
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


@njit(cache=True, nogil=True)
def _evaluate(row, x, slope, hessian):
    """Return L; fill its gradient and its negative second derivatives."""
    basis, weights, cost, ridge = row
    size, n = basis.shape
    root, scaled = np.dot(x, basis), np.empty_like(basis)
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
        slope[p] -= cost[p] + ridge[p] * x[p]
        value -= (cost[p] + 0.5 * ridge[p] * x[p]) * x[p]
    np.dot(scaled, scaled.T, hessian)
    for p in range(size):
        hessian[p, p] += ridge[p]
    return value


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _residual(slope, hessian, step, p):
    """Return the slope of the quadratic model at `step` along p."""
    total = slope[p]
    for q in range(step.size):
        total -= hessian[p, q] * step[q]
    return total


@njit(cache=True, nogil=True)
def _shorten(x, step, change, free):
    """Return how much of the change keeps x + step >= 0, and what stops it (-1: nothing)."""
    length, stop = 1.0, -1
    for p in range(x.size):
        room = x[p] + step[p]
        if free[p] and room + change[p] < 0.0 and room <= -length * change[p]:
            length, stop = room / -change[p], p
    return length, stop


@njit(cache=True, nogil=True)
def _largest(linked, free, x, step):
    """Return the largest free parameter among those linked, -1 if there is none."""
    best = -1
    for p in range(x.size):
        if linked[p] and free[p] and (best < 0 or x[p] + step[p] > x[best] + step[best]):
            best = p
    return best


@njit(cache=True, nogil=True)
def _solve_linked(matrix, linked, free, last, out):
    """Replace out by the solution of the model in which `last` takes what keeps the linked sum."""
    size = out.size
    link, rest, reduced = np.zeros(size), free.copy(), np.empty_like(matrix)
    rest[last] = False
    for a in range(size):
        link[a] = 1.0 if linked[a] and rest[a] else 0.0
    for a in range(size):
        out[a] -= link[a] * out[last] if a != last else 0.0
        for b in range(size):
            across = link[a] * matrix[last, b] + link[b] * matrix[a, last]
            reduced[a, b] = matrix[a, b] - across + link[a] * link[b] * matrix[last, last]
        if link[a] > 0.0:  # what two parameters that are all but one exchange is rounding
            least = _RIDGE * (matrix[a, a] + matrix[last, last])
            reduced[a, a] = max(reduced[a, a], least)
    _solve(reduced, rest, np.empty_like(matrix), out)
    out[last] = 0.0
    for a in range(size):
        out[last] -= link[a] * out[a] if a != last else 0.0


@njit(cache=True, nogil=True)
def _model_step(slope, hessian, held, linked, x, step):
    """Fill the step that maximises slope . d - d'Hd / 2 over x + d >= 0, the linked sum kept."""
    size = x.size
    free = np.empty(size, dtype=np.bool_)
    change, factor = np.empty(size), np.empty((size, size))
    for p in range(size):
        step[p] = 0.0
        free[p] = not held[p] and (x[p] > 0.0 or slope[p] > 0.0)
    for _ in range(10 * size):
        for p in range(size):
            change[p] = _residual(slope, hessian, step, p)
        last = _largest(linked, free, x, step)
        if last < 0:
            _solve(hessian, free, factor, change)
        else:
            _solve_linked(hessian, linked, free, last, change)
        length, stop = _shorten(x, step, change, free)
        for p in range(size):
            step[p] += length * change[p]
        if stop >= 0:
            step[stop] = -x[stop]
            free[stop] = False
            continue
        # release the bound parameter that gains most, in nats
        best, enter = 1e-3 * _TOLERANCE, -1
        price = _residual(slope, hessian, step, last) if last >= 0 else 0.0
        for p in range(size):
            pull = _residual(slope, hessian, step, p) - (price if linked[p] else 0.0)
            if not (free[p] or held[p]) and pull > 0.0:
                gain = pull * pull / max(hessian[p, p], 1e-300)
                if gain > best:
                    best, enter = gain, p
        if enter < 0:
            return
        free[enter] = True


@njit(cache=True, nogil=True)
def _value(row, x):
    """Return L alone."""
    basis, weights, cost, ridge = row
    value = 0.0
    for p in range(x.size):
        value -= (cost[p] + 0.5 * ridge[p] * x[p]) * x[p]
    rate = np.dot(x, basis)
    for k in range(rate.size):
        if weights[k] > 0.0:
            if rate[k] <= 0.0:
                return -math.inf
            value += weights[k] * math.log(rate[k])
    return value


@njit(cache=True, nogil=True)
def _total(x, group):
    """Return the sum of a group, and how many it has."""
    total, n = 0.0, 0
    for p in range(x.size):
        if group[p]:
            total += x[p]
            n += 1
    return total, n


@njit(cache=True, nogil=True)
def _copy(x, out):
    for p in range(x.size):
        out[p] = x[p]


@njit(cache=True, nogil=True)
def _start(row, held, linked, x):
    """Spread the events over all that may move, and what is linked evenly, if that is better.

    From events that are all but impossible Newton steps would take very long.
    """
    basis, weights, cost, _ = row
    total = weights.sum()
    if total == 0.0:
        return
    spread, (whole, n_linked) = x.copy(), _total(x, linked)
    for p in range(x.size):
        if linked[p]:
            spread[p] = 0.5 * (x[p] + whole / n_linked)
        elif not held[p] and cost[p] > 0.0 and basis[p].max() > 0.0:
            spread[p] = max(x[p], total / (x.size * cost[p]))
    if _value(row, spread) > _value(row, x):
        _copy(spread, x)


@njit(cache=True, nogil=True)
def climb(row, held, linked, x, slope, hessian):
    """Maximise L over the parameters not held, from x in place; the sum of those linked stays.

    Returns L (minus infinity if some event stays impossible, NaN if the steps ran out); fills the
    gradient and the negative second derivatives at the optimum.
    """
    size = x.size
    _start(row, held, linked, x)
    step, before = np.zeros(size), x.copy()
    value = _evaluate(row, x, slope, hessian)
    if value == -math.inf:
        return value
    for _ in range(_MOST_STEPS):
        _model_step(slope, hessian, held, linked, x, step)
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
                _copy(before, x)
                return _evaluate(row, x, slope, hessian)
            for p in range(size):
                x[p] = max(before[p] + length * step[p], 0.0)
            reached = _evaluate(row, x, slope, hessian)
        value = reached
    return math.nan


@njit(cache=True, nogil=True)
def _first_guess(slope, hessian, held, group, x, drop):
    """Return how far from the group's sum a quadratic profile has fallen by `drop`."""
    size = x.size
    free, along = np.empty(size, dtype=np.bool_), np.zeros(size)
    steepest, top = -1, 0.0
    for q in range(size):
        free[q] = not held[q] and x[q] > 0.0
        if group[q]:
            along[q] = 1.0
            top += x[q]
            if steepest < 0 or slope[q] > slope[steepest]:
                steepest = q
    free[steepest] = True
    _solve(hessian, free, np.empty_like(hessian), along)
    gained = 0.0
    for q in range(size):
        gained += along[q] if group[q] else 0.0
    fall = max(-slope[steepest], 0.0) if top == 0.0 else 0.0
    bend = max(1.0 / gained, _RIDGE * hessian[steepest, steepest])
    if fall == 0.0 and bend < 1e-290:
        return 1.0
    return 2.0 * drop / (fall + math.sqrt(fall * fall + 2.0 * bend * drop))


@njit(cache=True, nogil=True)
def _move(x, group, total):
    """Give the group another sum, in the same shares."""
    before, n = _total(x, group)
    for p in range(x.size):
        if group[p]:
            x[p] = total * (x[p] / before if before > 0.0 else 1.0 / n)


@njit(cache=True, nogil=True)
def _find_end(row, held, group, x, levels):
    """Return at which sum of the group its profile crosses a level, from the guess in x on.

    `levels` holds the maximum, the level and the bracket (low, high) of the sum.
    Newton steps on the square root of the fall, which is all but linear in the sum, else bisection.
    """
    best, level, low, high = levels[0], levels[1], levels[2], levels[3]
    upper = high == math.inf
    slope, hessian = np.empty(x.size), np.empty((x.size, x.size))
    at, _ = _total(x, group)
    for _ in range(_MOST_STEPS):
        value = climb(row, held, group, x, slope, hessian)
        if math.isnan(value):
            return math.nan
        if abs(value - level) <= max(_NEAR, _ROUNDING * abs(level)):
            return at
        if (value < level) == upper:
            high = at
        else:
            low = at
        root = math.sqrt(max(best - value, 0.0))
        new, along = math.nan, -math.inf
        for p in range(x.size):
            along = max(along, slope[p]) if group[p] else along
        if value > -math.inf and along != 0.0:
            new = at + 2.0 * root * (root - math.sqrt(best - level)) / along
        if not low < new < high:
            new = 0.5 * (low + high) if high < math.inf else 2.0 * at
        if high < math.inf and high - low <= 1e-15 * high:
            return at
        _move(x, group, new)
        at = new
    return math.nan


@njit(cache=True, nogil=True)
def profile_ends(row, held, groups, x, drop):
    """Return the profile's figures for the sum of every group of a row, from its optimum x.

    `groups` (n_groups, n_parameters) says which parameters, none of them held, are in each. Returns
    (n_groups, 3): where the profile has fallen by `drop` below and above the estimate (0 below if
    it has not fallen so far at 0), and its fall at 0; NaN if it could not be followed. With an
    infinite `drop` the ends are not searched for. Returns also how much higher L is at the optimum
    than at the x that came; x is moved there.
    """
    size = x.size
    out = np.empty((len(groups), 3))
    slope, hessian, spare = np.empty(size), np.empty((size, size)), np.empty((size, size))
    none, moved = np.zeros(size, dtype=np.bool_), np.empty(size)
    fixed, away, levels = np.empty(size, dtype=np.bool_), np.empty(size), np.empty(4)
    given = _value(row, x)
    best = climb(row, held, none, x, slope, hessian)
    for g in range(len(groups)):
        group, at_zero = groups[g], best
        out[g, 0], out[g, 1], out[g, 2] = math.nan, math.nan, math.nan
        estimate, n = _total(x, group)
        if estimate > 0.0 and not math.isnan(best):
            for p in range(size):
                moved[p], fixed[p] = 0.0 if group[p] else x[p], held[p] or group[p]
            at_zero = climb(row, fixed, none, moved, away, spare)
        if math.isnan(at_zero):
            continue
        out[g, 2] = max(best - at_zero, 0.0)
        if drop < math.inf:
            guess = _first_guess(slope, hessian, held, group, x, drop)
            for p in range(size):
                fixed[p] = held[p] or (n == 1 and group[p])
            levels[0], levels[1], out[g, 0] = best, best - drop, 0.0
            for side in range(0 if out[g, 2] > drop else 1, 2):
                levels[2], levels[3] = (estimate, math.inf) if side else (0.0, estimate)
                down = estimate - guess if guess < estimate else 0.5 * estimate
                _copy(x, moved)
                _move(moved, group, estimate + guess if side else down)
                out[g, side] = _find_end(row, fixed, group, moved, levels)
    return out, best - given


@njit(cache=True, nogil=True)
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
