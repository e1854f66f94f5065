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


@njit(cache=True)
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
    slope[:] = 0.0
    hessian[:, :] = 0.0
    for at in range(0, n, _TILE):
        m = min(_TILE, n - at)
        lam[:] = 0.0
        tile[:, :] = 0.0
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
        hessian += np.dot(tile, tile.T)
    return total


@njit(cache=True)
def _evaluate(data, terms, x, slope, hessian):
    """Fill the log-likelihood's slope (without cost) and negative Hessian; return -F."""
    columns, weights, offsets = data
    cost, ridge, group, strength = terms
    n_rows, size = cost.shape
    value = 0.0
    squares = np.zeros(strength.size)
    for b in range(n_rows):
        begin, end = offsets[b], offsets[b + 1]
        at = slice(begin - offsets[0], end - offsets[0]) if weights.size else slice(0, 0)
        part = columns[size * (begin - offsets[0]) : size * (end - offsets[0])]
        value += _log_terms(part, weights[at], x[b], slope[b], hessian[b])
        for p in range(size):
            value -= cost[b, p] * x[b, p] + 0.5 * ridge[b, p] * x[b, p] ** 2
            hessian[b, p, p] += ridge[b, p]
            if group[b, p] >= 0:
                squares[group[b, p]] += x[b, p] ** 2
    for g in range(strength.size):
        value -= strength[g] * math.sqrt(squares[g])
    return value


@njit(cache=True)
def _shift(hessian, rest, i, change):
    """Let coordinate i of the model move by `change`: its slopes `rest` follow."""
    size = hessian.shape[1]
    b, p = i // size, i % size
    for q in range(size):
        rest[b * size + q] -= hessian[b, q, p] * change


@njit(cache=True)
def _root(h, pull, strength, others):
    """Return the y > 0 at which h y + strength y / sqrt(others + y^2) = pull."""
    y = max(0.0, (pull - strength) / h)
    for _ in range(60):
        norm = math.sqrt(others + y * y)
        if norm == 0.0:
            break
        slack = pull - h * y - strength * y / norm
        step = slack / (h + strength * others / norm**3)
        y += step
        if abs(step) <= 1e-15 * y:
            break
    return max(y, 0.0)


@njit(cache=True)
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
    if now == 0.0:  # leave 0 along the pull
        bend = 0.0
        for a in range(members.size):
            for b in range(members.size):
                i, j = members[a], members[b]
                if i // size == j // size:
                    both = max(pull[a], 0.0) * max(pull[b], 0.0) / norm**2
                    bend += both * hessian[i // size, i % size, j % size]
        for a in range(members.size):
            i = members[a]
            y[i] = (norm - strength) / bend * max(pull[a], 0.0) / norm
            now += y[i] ** 2
            _shift(hessian, rest, i, y[i])
        moved = bend * now
    for i in members:
        h = hessian[i // size, i % size, i % size]
        new = _root(h, rest[i] + h * y[i], strength, max(now - y[i] ** 2, 0.0))
        now = max(now - y[i] ** 2, 0.0) + new**2
        moved += h * (new - y[i]) ** 2
        _shift(hessian, rest, i, new - y[i])
        y[i] = new
    return moved


@njit(cache=True)
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


@njit(cache=True)
def _norms(y, sets, n_groups):
    """Return the norm of each group."""
    order, bounds, labels = sets
    out = np.zeros(n_groups)
    for s in range(labels.size):
        if labels[s] >= 0:
            for i in order[bounds[s] : bounds[s + 1]]:
                out[labels[s]] += y[i] ** 2
    return np.sqrt(out)


@njit(cache=True)
def _newton_direction(hessian, rest, y, group, strength, norms):
    """Return the Newton direction of the model over the coordinates above 0, 0 elsewhere."""
    size = hessian.shape[1]
    index = np.flatnonzero(y > 0.0)
    matrix = np.zeros((index.size, index.size))
    right = np.zeros(index.size)
    for a in range(index.size):
        i = index[a]
        g = group[i]
        right[a] = rest[i] - (strength[g] * y[i] / norms[g] if g >= 0 else 0.0)
        for b in range(index.size):
            j = index[b]
            if i // size == j // size:
                matrix[a, b] += hessian[i // size, i % size, j % size]
            if g >= 0 and group[j] == g:
                matrix[a, b] += strength[g] / norms[g] * ((i == j) - y[i] * y[j] / norms[g] ** 2)
    scale = np.empty(index.size)
    for a in range(index.size):
        scale[a] = 1.0 / math.sqrt(matrix[a, a])
    for a in range(index.size):
        for b in range(index.size):
            matrix[a, b] *= scale[a] * scale[b]
        matrix[a, a] += _RIDGE
    out = np.zeros(y.size)
    out[index] = scale * np.linalg.solve(matrix, scale * right)
    return out


@njit(cache=True)
def _jump(hessian, rest, y, group, strength, sets):
    """Take one Newton step of the model over the coordinates above 0, cut at 0, if it helps."""
    norms = _norms(y, sets, strength.size)
    step = _newton_direction(hessian, rest, y, group, strength, norms)
    length, blocking = 1.0, -1
    for i in range(y.size):
        if step[i] < 0.0 and y[i] + length * step[i] < 0.0:
            length, blocking = -y[i] / step[i], i
    if not length > 0.0:
        return
    after = rest.copy()
    for i in range(y.size):
        if step[i] != 0.0:
            _shift(hessian, after, i, step[i])
    linear, bend = np.dot(rest, step), np.dot(rest - after, step)
    for _ in range(20):
        new = np.maximum(y + length * step, 0.0)
        if blocking >= 0:
            new[blocking] = 0.0
        penalty = np.dot(strength, _norms(new, sets, strength.size) - norms)
        if 0.5 * length**2 * bend - length * linear + penalty <= 0.0:
            for i in range(y.size):
                if new[i] != y[i]:
                    _shift(hessian, rest, i, new[i] - y[i])
                    y[i] = new[i]
            return
        length, blocking = 0.5 * length, -1


@njit(cache=True)
def _sets(cost, group):
    """Return the coordinates that can move, ordered by group: order, bounds, labels (-1: none)."""
    flat = group.ravel()
    moving = np.flatnonzero(cost.ravel() > 0.0)
    order = moving[np.argsort(flat[moving], kind="mergesort")]
    bounds, labels = [0], [0]
    labels.pop()
    for k in range(order.size):
        if k + 1 == order.size or flat[order[k + 1]] != flat[order[k]]:
            bounds.append(k + 1)
            labels.append(flat[order[k]])
    return order, np.array(bounds), np.array(labels).astype(np.int64)


@njit(cache=True)
def _minimise_model(hessian, slope, terms, x, sets, fine):
    """Return the minimiser of the quadratic model with penalties, to `fine` nats, flat."""
    cost, ridge, group, strength = terms
    y = x.ravel().copy()
    rest = (slope - cost - ridge * x).ravel()
    flat = group.ravel()
    for _ in range(_SWEEPS):
        if _sweep(hessian, rest, y, sets, strength) <= fine:
            break
        _jump(hessian, rest, y, flat, strength, sets)
    return y


@njit(cache=True)
def _dual_factor(slope, terms, sets):
    """Return the largest factor t <= 1 for which t slope is admissible in the dual."""
    cost, ridge, _, strength = terms
    order, bounds, labels = sets
    a, c, r = slope.ravel(), cost.ravel(), ridge.ravel()
    factor = 1.0
    for s in range(labels.size):
        members = order[bounds[s] : bounds[s + 1]]
        if labels[s] < 0:
            for i in members:
                if r[i] == 0.0 and a[i] > 0.0:
                    factor = min(factor, c[i] / a[i])
            continue
        low, high = 0.0, factor
        for k in range(60):
            middle = high if k == 0 else 0.5 * (low + high)
            excess = 0.0
            for i in members:
                excess += max(middle * a[i] - c[i], 0.0) ** 2
            if excess <= strength[labels[s]] ** 2:
                low = middle
            else:
                high = middle
            if low == high:
                break
        factor = low
    return factor


@njit(cache=True)
def _dual_gap(total, slope, terms, x, sets):
    """Return the duality gap at x (see the module's text)."""
    cost, ridge, _, strength = terms
    factor = _dual_factor(slope, terms, sets)
    if factor <= 0.0:
        return math.inf
    gap = np.dot(strength, _norms(x.ravel(), sets, strength.size))
    gap -= total * (1.0 + math.log(factor))
    for b in range(x.shape[0]):
        for p in range(x.shape[1]):
            gap += cost[b, p] * x[b, p] + 0.5 * ridge[b, p] * x[b, p] ** 2
            if ridge[b, p] > 0.0:
                excess = max(factor * slope[b, p] - cost[b, p], 0.0)
                gap += 0.5 * excess**2 / ridge[b, p]
    return max(gap, 0.0)


@njit(cache=True)
def _newton_gap(promised, step, hessian, least):
    """Return the bound from self-concordance (see the module's text)."""
    decrement = 0.0
    for b in range(hessian.shape[0]):
        decrement += np.dot(step[b], np.dot(hessian[b], step[b]))
    share = math.sqrt(max(decrement, 0.0) / least)
    if share >= 0.5:
        return math.inf
    return max(promised - decrement, 0.0) + least * (-share - math.log(1.0 - share))


@njit(cache=True)
def _violation(slope, terms, x, sets, total):
    """Return the largest violation of the optimality conditions, relative to the costs."""
    cost, ridge, _, strength = terms
    order, bounds, labels = sets
    size = x.shape[1]
    norms = _norms(x.ravel(), sets, strength.size)
    worst = 0.0
    for s in range(labels.size):
        g = labels[s]
        excess = 0.0
        for i in order[bounds[s] : bounds[s + 1]]:
            at = x[i // size, i % size]
            c = cost[i // size, i % size]
            pull = slope[i // size, i % size] - c - ridge[i // size, i % size] * at
            if g >= 0 and norms[g] == 0.0:
                excess += max(pull, 0.0) ** 2
                continue
            pull -= strength[g] * at / norms[g] if g >= 0 else 0.0
            worst = max(worst, pull / c, c * at / max(total, 1e-300) * abs(pull / c))
        if g >= 0 and norms[g] == 0.0 and excess > strength[g] ** 2:
            worst = max(worst, math.sqrt(excess) / strength[g] - 1.0 if strength[g] > 0 else 1.0)
    return worst


@njit(cache=True)
def _promise(slope, terms, x, y, sets):
    """Return by how much F falls from x to y if the logarithms were linear."""
    cost, ridge, _, strength = terms
    out = np.dot((slope - cost - ridge * x).ravel(), y.ravel() - x.ravel())
    change = _norms(y.ravel(), sets, strength.size) - _norms(x.ravel(), sets, strength.size)
    return out - np.dot(strength, change)


@njit(cache=True)
def _climb(data, terms, x, tolerance, hessian, trace):
    """Proximal Newton descent from x in place; return (-F, gap, violation, steps)."""
    sets = _sets(terms[0], terms[2])
    total, least = _mass(data)
    slope = np.empty(x.shape)
    before, target = x.copy(), x.copy()
    value, gap, promised, length, damping = -math.inf, math.inf, 0.0, 1.0, 0.0
    iteration = 0
    while iteration < trace.size:
        new = _evaluate(data, terms, x, slope, hessian)
        if not new >= value + _ARMIJO * length * promised:
            length *= 0.5
            if length < _SHORTEST:
                damping = 10.0 * damping + 1e-3
                x[:] = before
                value = -math.inf
                continue
            x[:] = before + length * (target - before)
            continue
        value = new
        trace[iteration] = value
        iteration += 1
        for b in range(x.shape[0]):
            for p in range(x.shape[1]):
                hessian[b, p, p] *= 1.0 + damping
        flat = _minimise_model(hessian, slope, terms, x, sets, 1e-3 * tolerance)
        for b in range(x.shape[0]):
            for p in range(x.shape[1]):
                hessian[b, p, p] /= 1.0 + damping
        target[:] = flat.reshape(x.shape)
        promised = max(_promise(slope, terms, x, target, sets), 0.0)
        gap = _dual_gap(total, slope, terms, x, sets)
        if damping == 0.0:
            gap = min(gap, _newton_gap(promised, target - x, hessian, least))
        if gap <= tolerance and length == 1.0:  # a shorter step leaves no exact zeros
            break
        damping = 0.0 if length == 1.0 else damping
        length = 1.0
        before[:] = x
        x[:] = target
    return value, gap, _violation(slope, terms, x, sets, total), iteration


@njit(cache=True)
def _mass(data):
    """Return the sum of the weights and the smallest one above 0 (1 if there are none)."""
    _, weights, offsets = data
    if weights.size == 0:
        return float(offsets[-1] - offsets[0]), 1.0
    least = math.inf
    for w in weights:
        if 0.0 < w < least:
            least = w
    return weights.sum(), least if least < math.inf else 1.0


@njit(cache=True)
def solve_penalized(data, terms, problems, start, tolerance, max_iter):
    """Solve problems of rows; `problems` (n + 1,) tells which rows each owns.

    `data` holds the columns (flat, block after block (P, size)), the weights of the events (empty:
    1) and the offsets of the blocks; `terms` the costs and ridges (n_blocks, P), the group of each
    parameter (n_blocks, P; -1: none) and the strength of each group. `start` (n_blocks, P) must
    make every event possible.

    Returns x (n_blocks, P); report (n_problems, 4) with -F, the gap bound, the violation of the
    optimality conditions and the number of steps; the negative Hessians of log-likelihood and
    ridge (n_blocks, P, P); and the traces of -F (n_problems, max_iter).
    """
    columns, weights, offsets = data
    cost, ridge, group, strength = terms
    n_problems, size = problems.size - 1, cost.shape[1]
    x = start.copy()
    report = np.zeros((n_problems, 4))
    hessians = np.zeros((cost.shape[0], size, size))
    traces = np.full((n_problems, max_iter), np.nan)
    for s in range(n_problems):
        rows = slice(problems[s], problems[s + 1])
        begin, end = offsets[problems[s]], offsets[problems[s + 1]]
        part = (
            columns[size * begin : size * end],
            weights[begin:end],
            offsets[problems[s] : problems[s + 1] + 1],
        )
        own = (cost[rows], ridge[rows], group[rows], strength)
        limit = tolerance * (problems[s + 1] - problems[s])
        value, gap, violation, steps = _climb(part, own, x[rows], limit, hessians[rows], traces[s])
        report[s, 0], report[s, 1], report[s, 2], report[s, 3] = value, gap, violation, steps
    return x, report, hessians, traces
