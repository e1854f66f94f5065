"""Maximum-likelihood and MAP solutions of row problems, many at a time.

For fixed excitation kernels the Hawkes log-likelihood separates by target mark. Each row problem is

    maximise  L(x) = sum_k w_k log(v_k . x) - cost . x + sum_p shape_p log x_p   over x >= 0,

with x = (baseline, adjacency row), v_k = (1, c_k1, ..., c_kD). In the scaled variables
z = cost * x the optimum has sum(z) = sum(w) + sum(shape) =: total and gradient D - 1 with
D_p = (sum_k w_k v_kp / lambda_k + shape_p / x_p) / cost_p, so that by concavity

    L* - L(z) <= total * (max_p D_p - 2) + sum(z),

an upper bound on what is still to gain. A Newton step is a small quadratic programme over z >= 0;
the expectation-maximisation step z <- z * D, which never lowers L, is the fallback.
"""

import math

import numpy as np
from numba import njit

__all__ = ["solve_rows"]

_TILE = 512
_FEW = 32
# rows of a tile up to which single products are quicker than a product of matrices
_NARROW = 4
_FOLD = 8
# products of _FOLD numbers between these neither overflow nor lose digits
_SMALL, _LARGE = 1e-37, 1e37
_RIDGE = 1e-9
_ARMIJO = 1e-4
_SHORTEST = 1e-6
# many events are solved on one in 64 of them first, then on one in 8, then on all
_PARTS = (64, 8, 1)
_PARTS_FROM = 20_000
_ROUGH = 0.01  # nats to gain at most where a part is left for the next
_SILENT = 1e-60  # a coordinate with a gradient D below this could never matter: D is 0


@njit(cache=True, nogil=True)
def _log_each(values, weights):
    """Return sum(w * log(values)), weights left out if there are none."""
    total = 0.0
    for k in range(values.size):
        weight = weights[k] if weights.size > 0 else 1.0
        if weight > 0.0:
            total += weight * math.log(values[k]) if values[k] > 0.0 else -math.inf
    return total


@njit(cache=True, nogil=True)
def _log_product(values, total):
    """Return total + sum(log(values)) with few logarithms; a product is kept within range."""
    product = 1.0
    for k in range(values.size):
        longer = product * values[k]
        if 1e-150 < longer < 1e150:
            product = longer
        else:
            total += math.log(product) + math.log(values[k])
            product = 1.0
    return total + math.log(product)


@njit(cache=True, nogil=True)
def _log_total(values, scratch):
    """Return sum(log(values)): logs are taken of products, in loops that vectorise."""
    n, usual = values.size, 0
    for k in range(n):
        usual += (values[k] > _SMALL) & (values[k] < _LARGE)
    if usual < n:
        return _log_each(values, scratch[:0])
    m = n // _FOLD
    folded = scratch[:m]
    folded[:] = values[:m]
    for s in range(1, _FOLD):
        part = values[s * m : s * m + m]
        for k in range(m):
            folded[k] *= part[k]
    return _log_product(folded, _log_product(values[_FOLD * m :], 0.0))


@njit(cache=True, nogil=True)
def _intensities(excitation, at, n, x, lam):
    """Write the intensity at the n events from `at` on."""
    n_sources = x.size - 1
    width = excitation.size // n_sources
    for k in range(n):
        lam[k] = x[0]
    for j in range(n_sources):
        if x[j + 1] != 0.0:
            row = excitation[j * width + at : j * width + at + n]
            for k in range(n):
                lam[k] += x[j + 1] * row[k]


@njit(cache=True, nogil=True)
def _fill_tile(excitation, weights, at, x, tile):
    """Write q = sqrt(w) (1, c_1, ..., c_D, lambda) / lambda of events from `at` on as columns.

    A further, last row holds lambda itself; columns beyond the block are zero. `excitation` is the
    flat (n_sources, width) matrix of the block. Returns the number of events in the tile.
    """
    n_sources = tile.shape[0] - 3
    width = excitation.size // n_sources
    n = min(tile.shape[1], width - at)
    lam, inverse, root = tile[n_sources + 2], tile[0], tile[n_sources + 1]
    _intensities(excitation, at, n, x, lam)
    for k in range(n):
        root[k] = 1.0
        # an impossible event makes the value -inf, and no use is made of the derivatives
        inverse[k] = 1.0 / lam[k] if lam[k] > 0.0 else 0.0
    for k in range(n, tile.shape[1]):
        root[k], inverse[k] = 0.0, 0.0
    for k in range(n if weights.size > 0 else 0):
        root[k] = math.sqrt(weights[at + k])
        inverse[k] *= root[k]
    for j in range(n_sources):
        row, out = excitation[j * width + at : j * width + at + n], tile[j + 1]
        for k in range(n):
            out[k] = row[k] * inverse[k]
        for k in range(n, out.size):
            out[k] = 0.0
    return n


@njit(cache=True, nogil=True)
def _invert(lam, pairs, fours, inverse):
    """Write 1 / lambda with one division for four numbers, whose product is left in `fours`."""
    half, quarter = pairs.size, fours.size
    for k in range(half):
        pairs[k] = lam[k] * lam[half + k]
    for k in range(quarter):
        fours[k] = pairs[k] * pairs[quarter + k]
    for k in range(quarter):
        one, inverse_of_four = pairs[k], 1.0 / fours[k]
        pairs[k] = inverse_of_four * pairs[quarter + k]
        pairs[quarter + k] = inverse_of_four * one
    for k in range(half):
        inverse[k] = pairs[k] * lam[half + k]
        inverse[half + k] = pairs[k] * lam[k]


@njit(cache=True, nogil=True)
def _accumulate_one(excitation, x, gram):
    """Do what `_accumulate` does for one source and no weights; NaN if intensities are extreme."""
    tile, ones = np.ones((3, _TILE)), np.ones(_TILE)
    pairs, fours = np.empty(_TILE // 2), np.empty(_TILE // 4)
    lam, eights = tile[0], fours[: _TILE // 8]
    total = 0.0
    gram[:] = 0.0
    for at in range(0, excitation.size, _TILE):
        row = excitation[at : at + _TILE]
        n = row.size
        lam[n:] = 1.0
        usual = 0
        for k in range(n):
            rate = x[0] + x[1] * row[k]
            lam[k] = rate
            usual += (rate > _SMALL) & (rate < _LARGE)
        if usual < n:
            return math.nan
        _invert(lam, pairs, fours, tile[1])
        for k in range(eights.size):
            eights[k] *= fours[eights.size + k]
        total = _log_product(eights, total)
        one, inverse, share = ones[:n], tile[1, :n], tile[2, :n]
        for k in range(n):
            share[k] = row[k] * inverse[k]
        gram[0, 0] += np.dot(inverse, inverse)
        gram[1, 0] += np.dot(inverse, share)
        gram[1, 1] += np.dot(share, share)
        gram[2, 0] += np.dot(one, inverse)
        gram[2, 1] += np.dot(one, share)
    return total


@njit(cache=True, nogil=True)
def _accumulate(excitation, weights, x, gram, work):
    """Fill `gram` with sum_k q q' (see `_fill_tile`) and return sum_k w_k log lambda_k.

    work = (tile, product, folded) is overwritten.
    """
    tile, product, scratch = work
    n_rows = gram.shape[0]
    n_events = excitation.size // (n_rows - 2)
    if n_rows == 3 and n_events >= _TILE and weights.size == 0:
        value = _accumulate_one(excitation, x, gram)
        if not math.isnan(value):
            return value
    total = 0.0
    for a in range(n_rows):
        for b in range(n_rows):
            gram[a, b] = 0.0
    for at in range(0, n_events, _TILE):
        n = _fill_tile(excitation, weights, at, x, tile)
        own = weights[at : at + n]
        lam = tile[n_rows, :n]
        total += _log_each(lam, own) if own.size > 0 else _log_total(lam, scratch)
        if n_events > _FEW and n_rows <= _NARROW:
            for a in range(n_rows):
                for b in range(a + 1):
                    gram[a, b] += np.dot(tile[a], tile[b])
            continue
        if n_events > _FEW:
            np.dot(tile[:n_rows], tile[:n_rows].T, product)
            for a in range(n_rows):
                for b in range(a + 1):
                    gram[a, b] += product[a, b]
            continue
        for a in range(n_rows):
            for b in range(a + 1):
                for k in range(n):
                    gram[a, b] += tile[a, k] * tile[b, k]
    return total


@njit(cache=True, nogil=True)
def _natural(cost, z, x):
    """Write x = z / cost; 0 for what costs nothing."""
    for p in range(cost.size):
        x[p] = z[p] / cost[p] if cost[p] > 0.0 else 0.0


@njit(cache=True, nogil=True)
def _derive(gram, cost, shape, z, slope, hessian):
    """Fill slope = D and the negative Hessian, both in z, from `gram`; empty costs stay 0.

    The last row of `gram` is used up. Returns what L has beside the logarithms of the intensities.
    """
    size = cost.size
    value = 0.0
    for p in range(size):
        acts = cost[p] > 0.0 and gram[size, p] > _SILENT * cost[p]
        scale = 1.0 / cost[p] if acts else 0.0
        slope[p], gram[size, p] = gram[size, p] * scale, scale
        for q in range(p + 1):
            hessian[p, q] = gram[p, q] * scale * gram[size, q]
            hessian[q, p] = hessian[p, q]
        if cost[p] > 0.0:
            value -= z[p]
            if shape[p] > 0.0:
                value += shape[p] * math.log(z[p] / cost[p])
                slope[p] += shape[p] / z[p]
                hessian[p, p] += shape[p] / (z[p] * z[p])
    return value


@njit(cache=True, nogil=True)
def _solve_free(matrix, free, factor, out):
    """Solve matrix[free, free] y = out[free] by Cholesky with a small ridge; y replaces out."""
    size = out.size
    for a in range(size):
        for b in range(a + 1):
            if not (free[a] and free[b]):
                continue
            total = matrix[a, b]
            if a == b:
                total *= 1.0 + _RIDGE
            for c in range(b):
                if free[c]:
                    total -= factor[a, c] * factor[b, c]
            if a == b:
                factor[a, a] = math.sqrt(max(total, 1e-14 * matrix[a, a] + 1e-300))
            else:
                factor[a, b] = total / factor[b, b]
    for a in range(size):
        if free[a]:
            for c in range(a):
                if free[c]:
                    out[a] -= factor[a, c] * out[c]
            out[a] /= factor[a, a]
    for a in range(size - 1, -1, -1):
        if free[a]:
            for c in range(a + 1, size):
                if free[c]:
                    out[a] -= factor[c, a] * out[c]
            out[a] /= factor[a, a]


@njit(cache=True, nogil=True)
def _pull(hessian, slope, step, p):
    """Return the gradient of the step's objective, slope - 1 - H d, at coordinate p."""
    total = slope[p] - 1.0
    for q in range(step.size):
        total -= hessian[p, q] * step[q]
    return total


@njit(cache=True, nogil=True)
def _move_free(hessian, slope, lower, free, step, scratch):
    """Move the free coordinates towards their optimum; return the one that blocks, or -1."""
    size = slope.size
    change = scratch[size]
    for p in range(size):
        change[p] = _pull(hessian, slope, step, p) if free[p] else 0.0
    _solve_free(hessian, free, scratch, change)
    length, blocking = 1.0, -1
    for p in range(size):
        if free[p] and step[p] + change[p] < lower[p]:
            ratio = (lower[p] - step[p]) / change[p]
            if blocking < 0 or ratio < length:
                length, blocking = ratio, p
    for p in range(size):
        step[p] += length * change[p]
    return blocking


@njit(cache=True, nogil=True)
def _newton_step(hessian, slope, lower, free, step, scratch):
    """Minimise 1/2 d'Hd - (slope - 1)'d over d >= lower by a primal active-set method."""
    size = slope.size
    for p in range(size):
        step[p] = 0.0
    for _ in range(6 * size):
        blocking = _move_free(hessian, slope, lower, free, step, scratch)
        if blocking >= 0:
            free[blocking] = False
            step[blocking] = lower[blocking]
            continue
        worst, entering = 1e-12, -1
        for p in range(size):
            if not free[p] and lower[p] <= 0.0:
                pull = _pull(hessian, slope, step, p)
                if pull > worst:
                    worst, entering = pull, p
        if entering < 0:
            return
        free[entering] = True


@njit(cache=True, nogil=True)
def _prepare(cost, shape, z, slope, lower, free):
    """Set the lower bounds of the step and the coordinates that start free."""
    for p in range(cost.size):
        if cost[p] <= 0.0:
            lower[p] = 1.0  # never enters
            free[p] = False
        else:
            lower[p] = -z[p] if shape[p] == 0.0 else -0.95 * z[p]
            free[p] = z[p] > 0.0 or slope[p] > 1.0


@njit(cache=True, nogil=True)
def _gap(total, slope, z, step, hessian):
    """Return an upper bound, in nats, on what is still to gain (see the module's text).

    Near the optimum, where L is all but quadratic, twice the rise that the Newton step promises is
    tighter: decrement = 2 (gradient . step) - step' H step.
    """
    highest, mass, decrement = 0.0, 0.0, 0.0
    for p in range(z.size):
        highest = max(highest, slope[p])
        mass += z[p]
        decrement += 2.0 * (slope[p] - 1.0) * step[p]
        for q in range(z.size):
            decrement -= step[p] * hessian[p, q] * step[q]
    simplex = total * (highest - 2.0) + mass
    return max(0.0, min(simplex, decrement) if decrement < 0.01 else simplex)


@njit(cache=True, nogil=True)
def _violation(total, slope, z):
    """Return the largest violation of the optimality conditions, without unit.

    D_p must be at most 1, and equal to 1 where z_p > 0 (there counted by the share of z_p).
    """
    worst = 0.0
    for p in range(z.size):
        worst = max(worst, slope[p] - 1.0, z[p] / total * abs(slope[p] - 1.0))
    return worst


@njit(cache=True, nogil=True)
def _polish(hessian, slope, step, tolerance, z):
    """Take the last Newton step where L is all but quadratic; return the rise it promises.

    L is self-concordant: if the promise r is small, the rise differs from it by a small multiple of
    r^(3/2) at most, and what is left to gain is of the order of r^2. Among many events the second
    derivatives hardly change on the way.
    """
    rise = 0.0
    for p in range(z.size):
        rise += 0.5 * (slope[p] - 1.0 + _pull(hessian, slope, step, p)) * step[p]
    if not 0.0 <= 2.0 * rise <= tolerance:
        return 0.0
    for p in range(z.size):
        z[p] = max(z[p] + step[p], 0.0)
    return rise


@njit(cache=True, nogil=True)
def _climb(excitation, weights, cost, shape, tolerance, z, hessian, trace):
    """Newton ascent from z in place; return (value, gap, violation, iterations)."""
    size, n_events = cost.size, excitation.size // (cost.size - 1)
    x, slope, lower, before = np.empty(size), np.empty(size), np.empty(size), z.copy()
    step, free, scratch = np.zeros(size), np.empty(size, np.bool_), np.empty((size + 1, size))
    gram, folded = np.empty((size + 1, size + 1)), np.empty(_TILE // _FOLD)
    work = np.empty((size + 2, max(1, min(n_events, _TILE)))), np.empty(gram.shape), folded
    total = _total(n_events, weights, cost, shape)
    value, gap, promised, length = -math.inf, math.inf, 0.0, 1.0
    iteration = 0
    while iteration < trace.size:
        _natural(cost, z, x)
        new = _accumulate(excitation, weights, x, gram, work)
        new += _derive(gram, cost, shape, z, slope, hessian)
        if length > 0.0 and not new >= value + _ARMIJO * length * promised:
            length = 0.5 * length if length > _SHORTEST else 0.0
            for p in range(size):
                z[p] = max(before[p] + length * step[p], 0.0)
            continue
        value = new
        trace[iteration] = value
        iteration += 1
        _prepare(cost, shape, z, slope, lower, free)
        stuck = length == 0.0  # no length of the Newton step helped: expectation-maximisation
        _newton_step(hessian, slope, lower, free, step, scratch)
        gap = _gap(total, slope, z, step, hessian)
        if gap <= tolerance:
            many = excitation.size >= _PARTS_FROM * (size - 1)
            if many and weights.size == 0 and shape.max() == 0.0:
                value += _polish(hessian, slope, step, tolerance, z)
                trace[iteration - 1] = value
            break
        length = -1.0 if stuck else 1.0
        promised = 0.0
        for p in range(size):
            before[p] = z[p]
            promised += (slope[p] - 1.0) * step[p]
            z[p] = z[p] * slope[p] if stuck else max(z[p] + step[p], 0.0)
    return value, gap, _violation(total, slope, z), iteration


@njit(cache=True, nogil=True)
def _total(n_events, weights, cost, shape):
    """Return sum(w) + sum(shape), the sum of z at the optimum; what costs nothing has no z."""
    total = float(n_events) if weights.size == 0 else 0.0
    for k in range(weights.size):
        total += weights[k]
    for p in range(shape.size):
        total += shape[p] if cost[p] > 0.0 else 0.0
    return total


@njit(cache=True, nogil=True)
def _acts(excitation, n_sources, p):
    """Tell whether coordinate p excites any event: the baseline does, silent sources do not."""
    width = excitation.size // n_sources
    for k in range((p - 1) * width, p * width if p > 0 else 0):
        if excitation[k] > 0.0:
            return True
    return p == 0


@njit(cache=True, nogil=True)
def _start(excitation, total, cost, shape, z):
    """Spread the expected total evenly over the coordinates that can gain from it."""
    usable = 0
    for p in range(cost.size):
        gains = shape[p] > 0.0 or _acts(excitation, cost.size - 1, p)
        z[p] = 1.0 if cost[p] > 0.0 and gains else 0.0
        usable += z[p] > 0.0
    for p in range(cost.size):
        if z[p] > 0.0:
            z[p] = max(total / usable, shape[p])


@njit(cache=True, nogil=True)
def _head(excitation, n_sources, m):
    """Return the first m columns of a flat (n_sources, width) matrix, flat."""
    width = excitation.size // n_sources
    part = np.empty(n_sources * m)
    for j in range(n_sources):
        for k in range(m):
            part[j * m + k] = excitation[j * width + k]
    return part


@njit(cache=True, nogil=True)
def _begin(excitation, total, cost, shape, z, usable):
    """Fill `usable` with a start; z, if it is 0, too. Return whether z was given."""
    _start(excitation, total, cost, shape, usable)
    given = z.max() > 0.0
    for p in range(0 if given else z.size):
        z[p] = usable[p]
    return given


@njit(cache=True, nogil=True)
def _finish(cost, hessian, trace, x, hessians, traces):
    """Turn z into x, and write what is kept (one entry, or none)."""
    for p in range(cost.size):
        x[p] = x[p] / cost[p] if cost[p] > 0.0 else 0.0
    for own in range(hessians.shape[0]):
        for p in range(cost.size):
            for q in range(cost.size):
                hessians[own, p, q] = hessian[p, q] * cost[p] * cost[q]
        for k in range(trace.size):
            traces[own, k] = trace[k]


@njit(cache=True, nogil=True)
def solve_rows(data, cost, shape, limits, start, out, part):
    """Solve the row problems ``range(*part)``.

    data = (excitation, weights, offsets); limits = (tolerance, most iterations); `start` is a first
    guess (n_blocks, P), or empty. out = (x, report, hessians, traces): x (n_blocks, P); report
    (n_blocks, 4) with the objective, the gap bound, the violation of the optimality conditions and
    the number of iterations; and, unless they are empty, the negative Hessians in x
    (n_blocks, P, P) and the objective's traces (n_blocks, max_iter).

    Without a start, a row of many events begins on a part of them. A coordinate at 0 starts a
    little above: it may matter in the whole, or at another decay.
    """
    x, report, hessians, traces = out
    size, trace = cost.shape[1], np.empty(limits[1])
    given, usable, hessian = np.zeros(size), np.empty(size), np.empty((size, size))
    stored = trace[: trace.size if traces.size > 0 else 0]
    for b in range(part[0], part[1]):
        begin, n = data[2][b], data[2][b + 1] - data[2][b]
        block, z = data[0][(size - 1) * begin : (size - 1) * (begin + n)], x[b]
        total = _total(n, data[1][begin : begin + n], cost[b], shape)
        for p in range(size):
            given[p] = start[b, p] * cost[b, p] if start.size > 0 else 0.0
            z[p] = 0.0
            hessian[p] = 0.0
        at_once = _begin(block, total, cost[b], shape, given, usable) or n < _PARTS_FROM
        report[b], stored[:], price = 0.0, np.nan, cost[b]
        for level in _PARTS:
            m = n // level
            if total == 0.0 or (level > 1 and (at_once or m == 0)):
                continue
            own, share, events, limit = data[1][begin : begin + n][:m], 1.0, block, limits[0]
            if level > 1:
                share = _total(m, own, cost[b], shape) / total
                price, events, limit = cost[b] * share, _head(block, size - 1, m), _ROUGH
            if share == 0.0:
                continue
            for p in range(size):
                z[p] = share * max(given[p], 1e-6 * total) if usable[p] > 0.0 else 0.0
            stored[:] = np.nan
            report[b, 0], report[b, 1], report[b, 2], report[b, 3] = _climb(
                events, own, price, shape, limit, z, hessian, trace
            )
            for p in range(size if level > 1 else 0):
                given[p] = z[p] / share
            price = cost[b]
        _finish(cost[b], hessian, trace, z, hessians[b : b + 1], traces[b : b + 1])
