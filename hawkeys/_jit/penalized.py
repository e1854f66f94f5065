"""Penalised row problems, alone or coupled by groups: proximal Newton steps with a proven distance.

A problem is a set of rows. Over the parameters x >= 0 of all of them it minimises

    F(x) = c.x - sum_k w_k log(v_k . x) + 1/2 sum_p ridge_p x_p^2 + sum_g s_g |x_g|,

where c is the cost plus the strength of the absolute values, and g are groups of parameters, which
may lie in several rows. A step minimises the same with the logarithms replaced by their quadratic
model: by coordinates and groups in turn, with Newton steps over the parameters above 0.

Two upper bounds on F(x) - min F are known, and the smaller is reported. With a = sum_k w_k v_k /
lambda_k and any factor t in (0, 1] for which t a - c is admissible, the dual gives

    c.x + ridge and group terms - sum(w) (1 + log t) + sum_ridge (t a - c)_+^2 / (2 ridge).

And because the negative log-likelihood is self-concordant, a step d that promises a fall of m has

    F(x) - min F <= m - e^2 + w (-e/r - log(1 - e/r)),  e^2 = d'Hd,  r^2 = w = the smallest weight.
"""

import math

import numpy as np
from numba import njit

__all__ = ["solve_penalized"]

_TILE = 512
_ARMIJO = 1e-4
_SHORTEST = 1e-5
_SWEEPS = 300
_RIDGE = 1e-11
_SILENT = 1e-60  # a gradient below this share of its cost is 0


@njit(cache=True, nogil=True)
def _log_terms(columns, weights, x, slope, hessian):
    """Fill slope = sum w v / lambda and hessian = sum w v v' / lambda^2; return sum w log lambda.

    `columns` is the flat (P, n) matrix of one row; no use is made of the derivatives if some
    event is impossible, when the value is -inf.
    """
    size = x.size
    n = columns.size // size
    tile = np.empty((size, max(1, min(n, _TILE))))
    lam = np.empty(tile.shape[1])
    total = 0.0
    for at in range(0, n, _TILE):
        m = min(_TILE, n - at)
        for k in range(lam.size):
            lam[k] = 0.0
            for p in range(size if k >= m else 0):
                tile[p, k] = 0.0
        for p in range(size):
            if x[p] != 0.0:
                for k in range(m):
                    lam[k] += x[p] * columns[p * n + at + k]
        for k in range(m):
            weight = 1.0 if weights.size == 0 else weights[at + k]
            if weight == 0.0:
                lam[k] = 0.0
                continue
            if lam[k] <= 0.0:
                return -math.inf
            total += weight * math.log(lam[k])
            lam[k] = math.sqrt(weight) / lam[k]
        for p in range(size):
            for k in range(m):
                tile[p, k] = lam[k] * columns[p * n + at + k]
                root = 1.0 if weights.size == 0 else math.sqrt(weights[at + k])
                slope[p] += root * tile[p, k]
        product = np.dot(tile, tile.T)
        for p in range(size):
            for q in range(size):
                hessian[p, q] += product[p, q]
    return total


@njit(cache=True, nogil=True)
def _evaluate(data, terms, x, slope, hessian):
    """Fill the log-likelihood's slope (without cost) and negative Hessian; return -F."""
    columns, weights, offsets = data
    cost, ridge, group, strength = terms
    size = hessian.shape[1]
    value = 0.0
    squares = np.zeros(strength.size)
    for i in range(x.size):
        slope[i] = 0.0
        for q in range(size):
            hessian[i // size, i % size, q] = 0.0
    for b in range(hessian.shape[0]):
        begin, end = offsets[b] - offsets[0], offsets[b + 1] - offsets[0]
        own = slice(b * size, (b + 1) * size)
        part = columns[size * begin : size * end]
        value += _log_terms(part, weights[begin:end], x[own], slope[own], hessian[b])
    for i in range(x.size):
        if slope[i] <= _SILENT * cost[i]:
            slope[i] = 0.0
            for q in range(size):
                hessian[i // size, i % size, q], hessian[i // size, q, i % size] = 0.0, 0.0
        value -= cost[i] * x[i] + 0.5 * ridge[i] * x[i] ** 2
        hessian[i // size, i % size, i % size] += ridge[i]
        if group[i] >= 0:
            squares[group[i]] += x[i] ** 2
    for g in range(strength.size):
        value -= strength[g] * math.sqrt(squares[g])
    return value


@njit(cache=True, nogil=True)
def _shift(hessian, rest, i, change):
    """Let coordinate i of the model move by `change`: its slopes `rest` follow."""
    size = hessian.shape[1]
    b, p = i // size, i % size
    for q in range(size):
        rest[b * size + q] -= hessian[b, q, p] * change


@njit(cache=True, nogil=True)
def _root(h, pull, strength, others):
    """Return the y >= 0 nearest to h y + strength y / sqrt(others + y^2) = pull."""
    if pull <= 0.0:  # h may be 0, too
        return 0.0
    y = max(0.0, (pull - strength) / h)
    for _ in range(60):
        norm = math.sqrt(others + y * y)
        if norm == 0.0:
            break
        slack = pull - h * y - strength * y / norm
        step = slack / (h + strength * (others / norm / norm) / norm)
        y += step
        if abs(step) <= 1e-15 * y:
            break
    return max(y, 0.0)


@njit(cache=True, nogil=True)
def _leave_zero(hessian, rest, y, members, pull, strength):
    """Move a group from 0 along its pull to the best point; return what `_move_group` does."""
    size = hessian.shape[1]
    bend, norm, now = 0.0, 0.0, 0.0
    for a in range(members.size):
        norm += max(pull[a], 0.0) ** 2
        for b in range(members.size):
            i, j = members[a], members[b]
            if i // size == j // size:
                both = max(pull[a], 0.0) * max(pull[b], 0.0)
                bend += both * hessian[i // size, i % size, j % size]
    length = (math.sqrt(norm) - strength) * math.sqrt(norm) / bend
    for a in range(members.size):
        y[members[a]] = length * max(pull[a], 0.0)
        now += y[members[a]] ** 2
        _shift(hessian, rest, members[a], y[members[a]])
    return bend / norm * now


@njit(cache=True, nogil=True)
def _move_group(hessian, rest, y, members, strength):
    """Improve one group in place; return sum of h times squared changes."""
    size = hessian.shape[1]
    pull = np.zeros(members.size)
    norm, now = 0.0, 0.0
    for a in range(members.size):
        i = members[a]
        pull[a] = rest[i]
        for j in members:
            if j // size == i // size:
                pull[a] += hessian[i // size, i % size, j % size] * y[j]
        norm += max(pull[a], 0.0) ** 2
        now += y[i] ** 2
    norm = math.sqrt(norm)
    moved = 0.0
    if norm <= strength:  # the whole group is best at 0
        for i in members:
            moved += hessian[i // size, i % size, i % size] * y[i] ** 2
            _shift(hessian, rest, i, -y[i])
            y[i] = 0.0
        return moved
    if now == 0.0:
        moved += _leave_zero(hessian, rest, y, members, pull, strength)
        for i in members:
            now += y[i] ** 2
    for i in members:
        h = hessian[i // size, i % size, i % size]
        new = _root(h, rest[i] + h * y[i], strength, max(now - y[i] ** 2, 0.0))
        now = max(now - y[i] ** 2, 0.0) + new**2
        moved += h * (new - y[i]) ** 2
        _shift(hessian, rest, i, new - y[i])
        y[i] = new
    return moved


@njit(cache=True, nogil=True)
def _sweep(hessian, rest, y, sets, strength):
    """Improve every coordinate or group in turn; return sum of h times squared changes."""
    order, bounds, labels = sets
    size = hessian.shape[1]
    moved = 0.0
    for s in range(labels.size):
        members = order[bounds[s] : bounds[s + 1]]
        if labels[s] >= 0:
            moved += _move_group(hessian, rest, y, members, strength[labels[s]])
            continue
        for i in members:
            h = hessian[i // size, i % size, i % size]
            pull = rest[i] + h * y[i]
            change = (pull / h if pull > 0.0 else 0.0) - y[i]
            moved += h * change * change
            _shift(hessian, rest, i, change)
            y[i] += change
    return moved


@njit(cache=True, nogil=True)
def _norms(y, sets, n_groups):
    """Return the norm of each group."""
    order, bounds, labels = sets
    out = np.zeros(n_groups)
    for s in range(labels.size):
        if labels[s] >= 0:
            for i in order[bounds[s] : bounds[s + 1]]:
                out[labels[s]] += y[i] ** 2
    for g in range(n_groups):
        out[g] = math.sqrt(out[g])
    return out


@njit(cache=True, nogil=True)
def _solve_in_place(matrix, right):
    """Solve matrix y = right by Cholesky with a small ridge; y replaces right."""
    size = right.size
    for a in range(size):
        for b in range(a + 1):
            total = matrix[a, b] * (1.0 + _RIDGE if a == b else 1.0)
            least = 1e-14 * matrix[a, a]
            for c in range(b):
                total -= matrix[a, c] * matrix[b, c]
            matrix[a, b] = math.sqrt(max(total, least)) if a == b else total / matrix[b, b]
    for a in range(size):
        for c in range(a):
            right[a] -= matrix[a, c] * right[c]
        right[a] /= matrix[a, a]
    for a in range(size - 1, -1, -1):
        for c in range(a + 1, size):
            right[a] -= matrix[c, a] * right[c]
        right[a] /= matrix[a, a]


@njit(cache=True, nogil=True)
def _newton_direction(hessian, rest, y, group, strength, norms):
    """Return the Newton direction of the model over the coordinates above 0, 0 elsewhere."""
    size, out = hessian.shape[1], np.zeros(y.size)
    positive, n = np.empty(y.size, dtype=np.int64), 0
    for i in range(y.size):
        if y[i] > 0.0:
            if group[i] >= 0 and norms[group[i]] == 0.0:  # its square underflows
                return out
            positive[n], n = i, n + 1
    index, right, matrix = positive[:n], np.empty(n), np.empty((n, n))
    for a in range(index.size):
        i = index[a]
        g = group[i]
        right[a] = rest[i] - (strength[g] * y[i] / norms[g] if g >= 0 else 0.0)
        for b in range(index.size):
            j = index[b]
            same = i // size == j // size
            matrix[a, b] = hessian[i // size, i % size, j % size] if same else 0.0
            if g >= 0 and group[j] == g:
                share = y[i] / norms[g] * y[j] / norms[g]
                matrix[a, b] += strength[g] / norms[g] * ((i == j) - share)
    _solve_in_place(matrix, right)
    for a in range(index.size):
        out[index[a]] = right[a]
    return out


@njit(cache=True, nogil=True)
def _jump(hessian, rest, y, group, strength, sets):
    """Take one Newton step of the model over the coordinates above 0, cut at 0, if it helps."""
    norms = _norms(y, sets, strength.size)
    step = _newton_direction(hessian, rest, y, group, strength, norms)
    after, new = rest.copy(), y.copy()
    length, blocking, linear, bend = 1.0, -1, 0.0, 0.0
    for i in range(y.size):
        if step[i] != 0.0:
            _shift(hessian, after, i, step[i])
        if step[i] < 0.0 and y[i] + length * step[i] < 0.0:
            length, blocking = -y[i] / step[i], i
    for i in range(y.size):
        linear += rest[i] * step[i]
        bend += (rest[i] - after[i]) * step[i]
    for _ in range(20 if length > 0.0 else 0):
        for i in range(y.size):
            new[i] = 0.0 if i == blocking else max(y[i] + length * step[i], 0.0)
        change = 0.5 * length**2 * bend - length * linear
        longer = _norms(new, sets, strength.size)
        for g in range(strength.size):
            change += strength[g] * (longer[g] - norms[g])
        if change <= 0.0:
            for i in range(y.size):
                if new[i] != y[i]:
                    _shift(hessian, rest, i, new[i] - y[i])
                    y[i] = new[i]
            return
        length, blocking = 0.5 * length, -1


@njit(cache=True, nogil=True)
def _minimise_model(hessian, slope, terms, x, sets, fine):
    """Return the minimiser of the quadratic model with penalties, to `fine` nats, flat."""
    cost, ridge, group, strength = terms
    y, rest = x.copy(), x.copy()
    for i in range(x.size):
        rest[i] = slope[i] - cost[i] - ridge[i] * x[i]
    for _ in range(_SWEEPS):
        if _sweep(hessian, rest, y, sets, strength) <= fine:
            break
        _jump(hessian, rest, y, group, strength, sets)
    return y


@njit(cache=True, nogil=True)
def _dual_factor(slope, terms, sets):
    """Return the largest factor t <= 1 for which t slope is admissible in the dual."""
    cost, ridge, _, strength = terms
    order, bounds, labels = sets
    factor = 1.0
    for s in range(labels.size):
        members = order[bounds[s] : bounds[s + 1]]
        if labels[s] < 0:
            for i in members:
                if ridge[i] == 0.0 and slope[i] > 0.0:
                    factor = min(factor, cost[i] / slope[i])
            continue
        low, high = 0.0, factor
        for k in range(60):
            middle = high if k == 0 else 0.5 * (low + high)
            excess = 0.0
            for i in members:
                excess += max(middle * slope[i] - cost[i], 0.0) ** 2
            if excess <= strength[labels[s]] ** 2:
                low = middle
            else:
                high = middle
            if low == high:
                break
        factor = low
    return factor


@njit(cache=True, nogil=True)
def _dual_gap(total, slope, terms, x, sets):
    """Return the duality gap at x (see the module's text)."""
    cost, ridge, _, strength = terms
    factor = _dual_factor(slope, terms, sets)
    if factor <= 0.0:
        return math.inf
    gap = -total * (1.0 + math.log(factor))
    norms = _norms(x, sets, strength.size)
    for g in range(strength.size):
        gap += strength[g] * norms[g]
    for i in range(x.size):
        gap += cost[i] * x[i] + 0.5 * ridge[i] * x[i] ** 2
        if ridge[i] > 0.0:
            gap += 0.5 * max(factor * slope[i] - cost[i], 0.0) ** 2 / ridge[i]
    return max(gap, 0.0)


@njit(cache=True, nogil=True)
def _newton_gap(promised, x, y, hessian, least):
    """Return the bound from self-concordance (see the module's text)."""
    size = hessian.shape[1]
    decrement = 0.0
    for i in range(x.size):
        first = i // size * size
        for j in range(first, first + size):
            decrement += hessian[i // size, i % size, j % size] * (y[i] - x[i]) * (y[j] - x[j])
    share = math.sqrt(max(decrement, 0.0) / least)
    if share >= 0.5:
        return math.inf
    return max(promised - decrement, 0.0) + least * (-share - math.log(1.0 - share))


@njit(cache=True, nogil=True)
def _violation(slope, terms, x, sets, total):
    """Return the largest violation of the optimality conditions, relative to the costs."""
    cost, ridge, _, strength = terms
    order, bounds, labels = sets
    norms = _norms(x, sets, strength.size)
    worst = 0.0
    for s in range(labels.size):
        g = labels[s]
        excess = 0.0
        for i in order[bounds[s] : bounds[s + 1]]:
            at, c = x[i], cost[i]
            pull = slope[i] - c - ridge[i] * at
            if g >= 0 and norms[g] == 0.0:
                excess += max(pull, 0.0) ** 2
                continue
            pull -= strength[g] * at / norms[g] if g >= 0 else 0.0
            worst = max(worst, pull / c, c * at / max(total, 1e-300) * abs(pull / c))
        if g >= 0 and norms[g] == 0.0 and excess > strength[g] ** 2:
            worst = max(worst, math.sqrt(excess) / strength[g] - 1.0 if strength[g] > 0 else 1.0)
    return worst


@njit(cache=True, nogil=True)
def _promise(slope, terms, x, y, sets):
    """Return by how much F falls from x to y if the logarithms were linear."""
    cost, ridge, _, strength = terms
    before, after = _norms(x, sets, strength.size), _norms(y, sets, strength.size)
    out = 0.0
    for i in range(x.size):
        out += (slope[i] - cost[i] - ridge[i] * x[i]) * (y[i] - x[i])
    for g in range(strength.size):
        out -= strength[g] * (after[g] - before[g])
    return max(out, 0.0)


@njit(cache=True, nogil=True)
def _damp(hessian, factor):
    """Multiply the diagonals."""
    for b in range(hessian.shape[0]):
        for p in range(hessian.shape[1]):
            hessian[b, p, p] *= factor


@njit(cache=True, nogil=True)
def _mass(data):
    """Return the sum of the weights and the smallest one above 0 (1 if there are none)."""
    _, weights, offsets = data
    total, least = 0.0, math.inf
    for w in weights:
        total += w
        if 0.0 < w < least:
            least = w
    if weights.size == 0:
        total = float(offsets[-1] - offsets[0])
    return total, least if least < math.inf else 1.0


@njit(cache=True, nogil=True)
def _same_zeros(x, y):
    """Tell whether two points have the same coordinates above 0."""
    n_other = 0
    for i in range(x.size):
        n_other += (x[i] > 0.0) != (y[i] > 0.0)
    return n_other == 0


@njit(cache=True, nogil=True)
def solve_penalized(data, terms, sets, tolerance, x, hessian, trace):
    """Solve one problem of rows by proximal Newton descent from x, in place.

    `data` holds the columns (flat, row after row, each a (P, size) matrix), the weights of the
    events (empty: 1) and the offsets of the rows; `terms` cost, ridge and group (-1: none) of each
    parameter, flat (n_rows * P,), and the strength of each group; `sets` the parameters that may
    move, ordered by group, where each group begins in that order, and the groups' labels. The
    start `x` (n_rows * P,) must make every event possible.

    Fills `hessian` (n_rows, P, P), the negative Hessian of log-likelihood and ridge, and `trace`,
    -F along the way. Returns -F, the gap bound, the violation of the optimality conditions and the
    number of steps.
    """
    total, least = _mass(data)
    slope, before, target = np.empty(x.size), x.copy(), x.copy()
    value, gap, promised, length, damping = -math.inf, math.inf, 0.0, 1.0, 0.0
    iteration, near = 0, False
    while iteration < trace.size:
        new = _evaluate(data, terms, x, slope, hessian)
        if near and not new >= value:  # nothing is left but rounding
            for i in range(x.size):
                x[i] = before[i]
            _evaluate(data, terms, x, slope, hessian)
            break
        if not near and not new >= value + _ARMIJO * length * promised:
            length *= 0.5
            if length < _SHORTEST:
                damping, length, value = 10.0 * damping + 1e-3, 0.0, -math.inf
            for i in range(x.size):
                x[i] = before[i] + length * (target[i] - before[i])
            continue
        value = new
        trace[iteration] = value
        iteration += 1
        _damp(hessian, 1.0 + damping)
        target = _minimise_model(hessian, slope, terms, x, sets, 1e-3 * tolerance)
        _damp(hessian, 1.0 / (1.0 + damping))
        promised = _promise(slope, terms, x, target, sets)
        gap = _dual_gap(total, slope, terms, x, sets)
        if damping == 0.0:
            gap = min(gap, _newton_gap(promised, x, target, hessian, least))
        near = gap <= tolerance
        if near and _same_zeros(x, target):  # go on while zeros are still found
            break
        damping = 0.0 if length == 1.0 else damping
        length = 1.0
        for i in range(x.size):
            before[i], x[i] = x[i], target[i]
    return value, gap, _violation(slope, terms, x, sets, total), iteration
