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

__all__ = ["row_sums", "solve_rows", "sums_shared"]

# A function that is called is compiled again within each caller, and every loop and view costs: so
# calls go two or three deep, vectors are rows of one array, and loops are shared. Loops over events
# vectorise if their indices start at 0 for certain: they run over views.

_TILE = 512
# products of 8 numbers between these neither overflow nor lose digits
_SMALL, _LARGE = 1e-37, 1e37
_RIDGE = 1e-9
_ARMIJO = 1e-4
_SHORTEST = 1e-6
# events from which on a row may begin on a part of them, and ends with a last step
_MANY = 20_000
# events of a row whose excitations are held until they fill a tile, and most numbers held in all
_LANES, _HELD = 128, 65_536
# a state below is 0: slow arithmetic on the smallest numbers is spared
_FAINTEST = 1e-290
_SILENT = 1e-60  # a coordinate with a gradient D below this could never matter: D is 0

# vectors of a row problem, with a number for each coordinate: x; z; costs; D; lower bounds of the
# step; 1 where the step may move; z before the step; the step; its change
_X, _Z, _COST, _SLOPE, _LOWER, _FREE, _BEFORE, _STEP, _CHANGE = range(9)


@njit(cache=True, nogil=True)
def _invert(rate, pairs, inverse):
    """Write 1 / rate, with one division for four; return sum(log(rate)), with few logarithms.

    The rates, a multiple of 8, are within _SMALL and _LARGE. `pairs`, as long, is overwritten.
    """
    half, quarter, eighth = rate.size // 2, rate.size // 4, rate.size // 8
    total, product = 0.0, 1.0
    for k in range(half):
        pairs[k] = rate[k] * rate[half + k]
    for k in range(quarter):
        inverse[k] = pairs[k] * pairs[quarter + k]
    for k in range(eighth):
        eight = inverse[k] * inverse[eighth + k]
        if 1e-150 < product * eight < 1e150:
            product *= eight
        else:
            total += math.log(product) + math.log(eight)
            product = 1.0
    for k in range(quarter):
        one, of_four = pairs[k], 1.0 / inverse[k] if inverse[k] > 0.0 else 0.0
        pairs[k] = of_four * pairs[quarter + k]
        pairs[quarter + k] = of_four * one
    for k in range(half):
        inverse[k] = pairs[k] * rate[half + k]
        inverse[half + k] = pairs[k] * rate[k]
    return total + math.log(product)


@njit(cache=True, nogil=True)
def _fill_tile(block, own, at, n, v, tile):
    """Write q = sqrt(w) (1, c_1, ..., c_D, lambda) / lambda of n events from `at` on as columns.

    Further columns are 0; a further, last row holds lambda itself. `block` is the flat
    (n_sources, n_events) matrix of excitations. Returns sum(w log(lambda)).
    """
    size = tile.shape[0] - 2
    rate, inverse, root, stride = tile[size + 1], tile[0], tile[size], block.size // (size - 1)
    within, total, baseline = 0, 0.0, v[_X, 0]
    for k in range(n):
        rate[k] = baseline
    for j in range(1, size - 1):
        effect, row = v[_X, j + 1], block[j * stride + at : (j + 1) * stride]
        if effect != 0.0:
            for k in range(n):
                rate[k] += effect * row[k]
    effect, row = v[_X, 1], block[at:stride]
    for k in range(n):
        whole = rate[k] + effect * row[k]
        within += (whole > _SMALL) & (whole < _LARGE)
        rate[k], root[k] = whole, 1.0
    for k in range(n, rate.size):
        rate[k] = 1.0
    if own.size == 0 and within == n:
        total = _invert(rate, tile[1], inverse)
    else:
        for k in range(n):
            weight = own[at + k] if own.size > 0 else 1.0
            if weight > 0.0:
                total += weight * math.log(rate[k]) if rate[k] > 0.0 else -math.inf
            # an impossible event makes the value -inf, and no use is made of the derivatives
            root[k] = math.sqrt(weight)
            inverse[k] = root[k] / rate[k] if rate[k] > 0.0 else 0.0
    for j in range(size - 1):
        share, row = tile[j + 1], block[j * stride + at : (j + 1) * stride]
        for k in range(n):
            share[k] = row[k] * inverse[k]
    for a in range(size + 1 if n < tile.shape[1] else 0):
        for k in range(n, tile.shape[1]):
            tile[a, k] = 0.0
    return total


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def _inner(tile, a, b):
    """Return the product of two rows of a tile."""
    total = 0.0
    for k in range(tile.shape[1]):
        total += tile[a, k] * tile[b, k]
    return total


@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def _add_four(tile, a, b, gram):
    """Add the products of rows a and a + 1 with rows b and b + 1 of a tile, each read once."""
    one, two, three, four = 0.0, 0.0, 0.0, 0.0
    for k in range(tile.shape[1]):
        one += tile[a, k] * tile[b, k]
        two += tile[a, k] * tile[b + 1, k]
        three += tile[a + 1, k] * tile[b, k]
        four += tile[a + 1, k] * tile[b + 1, k]
    gram[a, b] += one
    gram[a, b + 1] += two
    gram[a + 1, b] += three
    gram[a + 1, b + 1] += four


@njit(cache=True, nogil=True)
def _aligned(n_rows, n_columns):
    """Return an array that begins with a line of the cache: its rows are read half as fast else."""
    held = np.empty(n_rows * n_columns + 8)
    first = (64 - held.ctypes.data % 64) % 64 // 8
    return held[first : first + n_rows * n_columns].reshape((n_rows, n_columns))


@njit(cache=True, nogil=True)
def _add_tile(tile, gram):
    """Add q q' of a tile's events to `gram`, on and below the diagonal, but for its last entry.

    Sums of our own are quicker than a product of matrices, as they do only what is needed.
    """
    n_rows = gram.shape[0]
    for a in range(0, n_rows - 1, 2):
        for b in range(0, a + 1, 2):
            _add_four(tile, a, b, gram)
    if n_rows % 2 == 1:
        for b in range(n_rows - 1):
            gram[n_rows - 1, b] += _inner(tile, n_rows - 1, b)


@njit(cache=True, nogil=True)
def _accumulate(block, own, n, v, gram, tile):
    """Add sum_k q q' over n events (see `_fill_tile`) to `gram`; return sum_k w_k log lambda_k.

    What is above the diagonal is of no use, nor is the last entry. `tile` is overwritten; it has a
    multiple of 8 columns.
    """
    width, total = tile.shape[1], 0.0
    for at in range(0, n, width):
        total += _fill_tile(block, own, at, min(width, n - at), v, tile)
        _add_tile(tile, gram)
    return total


@njit(cache=True, nogil=True)
def _derive(gram, shape, v, hessian):
    """Fill D, the bounds of the step and the negative Hessian, both in z, from `gram`.

    What has no cost stays 0 and never enters. The last row of `gram` is used up. Returns what L has
    beside the logarithms of the intensities.
    """
    size, value = shape.size, 0.0
    for p in range(size):
        cost, z = v[_COST, p], v[_Z, p]
        acts = cost > 0.0 and gram[size, p] > _SILENT * cost
        scale = 1.0 / cost if acts else 0.0
        slope, gram[size, p] = gram[size, p] * scale, scale
        for q in range(p + 1):
            hessian[p, q] = gram[p, q] * scale * gram[size, q]
            hessian[q, p] = hessian[p, q]
        lower = 1.0
        if cost > 0.0:
            value -= z
            lower = -z
            if shape[p] > 0.0:
                value += shape[p] * math.log(z / cost)
                slope += shape[p] / z
                hessian[p, p] += shape[p] / (z * z)
                lower = -0.95 * z
        v[_SLOPE, p], v[_LOWER, p] = slope, lower
        v[_FREE, p] = cost > 0.0 and (z > 0.0 or slope > 1.0)
    return value


@njit(cache=True, nogil=True)
def _solve_free(hessian, v, factor):
    """Replace the change by the solution y of hessian y = change among the free coordinates.

    By Cholesky with a small ridge; the change of the others becomes 0.
    """
    size = v.shape[1]
    for a in range(size):
        for b in range(a + 1):
            if v[_FREE, a] == 0.0 or v[_FREE, b] == 0.0:
                factor[a, b] = 0.0
                continue
            total = hessian[a, b]
            if a == b:
                total *= 1.0 + _RIDGE
            for c in range(b):
                total -= factor[a, c] * factor[b, c]
            if a == b:
                factor[a, a] = math.sqrt(max(total, 1e-14 * hessian[a, a] + 1e-300))
            else:
                factor[a, b] = total / factor[b, b]
                v[_CHANGE, a] -= factor[a, b] * v[_CHANGE, b]
        v[_CHANGE, a] = v[_CHANGE, a] / factor[a, a] if v[_FREE, a] > 0.0 else 0.0
    for a in range(size - 1, -1, -1):
        if v[_FREE, a] > 0.0:
            for c in range(a + 1, size):
                v[_CHANGE, a] -= factor[c, a] * v[_CHANGE, c]
            v[_CHANGE, a] /= factor[a, a]


@njit(cache=True, nogil=True)
def _newton_step(hessian, v, factor):
    """Minimise 1/2 d'Hd - (slope - 1)'d over d >= lower by a primal active-set method."""
    size, blocking = v.shape[1], 0
    for p in range(size):
        v[_STEP, p] = 0.0
    for _ in range(6 * size + 1):
        worst, entering = 1e-12, -1
        for p in range(size):
            pull = v[_SLOPE, p] - 1.0
            for q in range(size):
                pull -= hessian[p, q] * v[_STEP, q]
            v[_CHANGE, p] = pull
            if v[_FREE, p] == 0.0 and v[_LOWER, p] <= 0.0 and pull > worst:
                worst, entering = pull, p
        if blocking < 0:
            if entering < 0:
                return
            v[_FREE, entering] = 1.0
        _solve_free(hessian, v, factor)
        length, blocking = 1.0, -1
        for p in range(size):
            change = v[_CHANGE, p]
            if v[_FREE, p] > 0.0 and v[_STEP, p] + change < v[_LOWER, p]:
                ratio = (v[_LOWER, p] - v[_STEP, p]) / change if change < 0.0 else 0.0
                if blocking < 0 or ratio < length:
                    length, blocking = ratio, p
        for p in range(size):
            v[_STEP, p] += length * v[_CHANGE, p]
        if blocking >= 0:
            v[_FREE, blocking], v[_STEP, blocking] = 0.0, v[_LOWER, blocking]


@njit(cache=True, nogil=True)
def _assess(total, v, hessian):
    """Return a bound on what is to gain, the violation, the step's promise and its first order.

    The bound is in nats (see the module's text). Near the optimum, where L is all but quadratic,
    twice the rise that the Newton step promises is tighter: 2 (gradient . step) - step' H step. The
    violation of the optimality conditions has no unit: D_p must be at most 1, and equal to 1 where
    z_p > 0, there counted by the share of z_p.
    """
    highest, mass, first, twice, worst = 0.0, 0.0, 0.0, 0.0, 0.0
    for p in range(v.shape[1]):
        slope, step = v[_SLOPE, p], v[_STEP, p]
        excess = max(slope - 1.0, v[_Z, p] / total * abs(slope - 1.0))
        worst, highest = max(worst, excess), max(highest, slope)
        mass += v[_Z, p]
        first += (slope - 1.0) * step
        for q in range(v.shape[1]):
            twice -= step * hessian[p, q] * v[_STEP, q]
    twice += 2.0 * first
    gap = total * (highest - 2.0) + mass
    if twice < 0.01 and twice < gap:
        gap = twice
    return max(0.0, gap), worst, 0.5 * twice, first


@njit(cache=True, nogil=True)
def _move(v, length, fresh):
    """Move z along the step from where it was; by z <- z D, if the length is < 0. Write x, too."""
    for p in range(v.shape[1]):
        if fresh:
            v[_BEFORE, p] = v[_Z, p]
        moved = v[_BEFORE, p] + length * v[_STEP, p]
        if length < 0.0:
            moved = v[_Z, p] * v[_SLOPE, p]
        v[_Z, p] = moved if moved > 0.0 else 0.0
        v[_X, p] = v[_Z, p] / v[_COST, p] if v[_COST, p] > 0.0 else 0.0


@njit(cache=True, nogil=True)
def _begin(block, own, n, cost, shape, start, v):
    """Fill the costs of a row's first n events, z and x to start from; return their total.

    The total is sum(w) + sum(shape), the sum of z at the optimum; what costs nothing has no z.
    Without a start, or with 0 throughout, the total is spread evenly over the coordinates that can
    gain from it: the baseline does, sources that excite no event do not. A coordinate at 0 starts a
    little above if it has a prior, or without a baseline, when some event may be impossible.
    """
    stride, given, usable = block.size // (cost.size - 1), 0.0, 0
    whole, total = float(stride), float(n)
    if own.size > 0:
        whole, total = 0.0, 0.0
        for k in range(stride):
            whole += own[k]
            total += own[k] if k < n else 0.0
    for p in range(cost.size):
        whole += shape[p] if cost[p] > 0.0 else 0.0
        total += shape[p] if cost[p] > 0.0 else 0.0
        gains, k = p == 0 or shape[p] > 0.0, (p - 1) * stride
        while not gains and k < p * stride:
            gains = block[k] > 0.0
            k += 1
        v[_FREE, p] = gains and cost[p] > 0.0
        usable += gains and cost[p] > 0.0
        v[_Z, p] = start[0, p] * cost[p] if start.shape[0] > 0 else 0.0
        given = max(given, v[_Z, p])
    share, possible = total / whole if whole > 0.0 else 0.0, v[_Z, 0] > 0.0
    for p in range(cost.size):
        z = v[_Z, p] if given > 0.0 else max(whole / max(usable, 1), shape[p])
        least = 0.0 if possible and shape[p] == 0.0 else 1e-6 * whole
        v[_Z, p] = share * max(z, least) if v[_FREE, p] > 0.0 else 0.0
        v[_COST, p] = cost[p] * share
        v[_X, p] = v[_Z, p] / v[_COST, p] if v[_COST, p] > 0.0 else 0.0
    return total


@njit(cache=True, nogil=True)
def _finish(cost, v, hessian, report, out, b):
    """Write x, the report and, where it is kept, the negative Hessian in x."""
    out[1][b, 0], out[1][b, 1], out[1][b, 2], out[1][b, 3] = report
    for p in range(cost.size):
        out[0][b, p] = v[_X, p]
        for q in range(cost.size if out[2].shape[0] > 0 else 0):
            out[2][b, p, q] = hessian[p, q] * cost[p] * cost[q]


@njit(cache=True, nogil=True)
def solve_rows(data, cost, shape, limits, start, out, part):
    """Solve the row problems ``range(*part)``.

    data = (excitation, weights, offsets); limits = (tolerance, most iterations, level); `start` is
    a first guess (n_blocks, P), or empty. out = (x, report, hessians, traces): x (n_blocks, P);
    report (n_blocks, 4) with the objective, the gap bound, the violation of the optimality
    conditions and the number of iterations; and, unless they are empty, the negative Hessians in x
    (n_blocks, P, P) and the objective's traces (n_blocks, most iterations). They come filled with 0
    (traces with NaN), and rows without any weight leave them so.

    A level above 1 solves rows of many events on one event in `level`, and leaves the others out.
    """
    (excitation, weights, offsets), size, level = data, cost.shape[1], limits[2]
    gram, v, factor = np.empty((size + 1, size + 1)), np.empty((9, size)), np.empty((size, size))
    hessian = np.empty((size, size))
    for b in range(part[0], part[1]):
        begin, end = offsets[b], offsets[b + 1]
        n, own = (end - begin) // level, weights[begin:end]
        block = excitation[(size - 1) * begin : (size - 1) * end]
        tile = _aligned(size + 2, max(8, min(n + 7, _TILE) // 8 * 8))
        total = _begin(block, own, n, cost[b], shape, start[b : b + 1], v)
        if total == 0.0 or (level > 1 and end - begin < _MANY):
            continue
        value, gap, violation, promised = -math.inf, math.inf, math.inf, 0.0
        length, iteration, done = 1.0, 0, False
        while iteration < limits[1] and not done:
            gram[:, :] = 0.0
            new = _accumulate(block, own, n, v, gram, tile)
            new += _derive(gram, shape, v, hessian)
            risen = length <= 0.0 or new >= value + _ARMIJO * length * promised
            if risen:
                stuck = length == 0.0  # no length of the step helped: expectation-maximisation
                _newton_step(hessian, v, factor)
                gap, violation, rise, promised = _assess(total, v, hessian)
                value, length, done = new, -1.0 if stuck else 1.0, gap <= limits[0]
                if done:
                    # L is self-concordant: the rise differs from the promise r by a small multiple
                    # of r^(3/2) at most, and what is left to gain is of the order of r^2
                    many = end - begin >= _MANY and own.size == 0 and total == n
                    length = 1.0 if many and 0.0 <= 2.0 * rise <= limits[0] else 0.0
                    value += length * rise
                if out[3].shape[0] > 0:
                    out[3][b, iteration] = value
                iteration += 1
            else:
                length = 0.5 * length if length > _SHORTEST else 0.0
            if not done or length > 0.0:
                _move(v, length, risen)
        _finish(cost[b], v, hessian, (value, gap, violation, float(iteration)), out, b)


@njit(cache=True, nogil=True)
def _add_held(held, n, block, v, gram, tile):
    """Add q q' of n events, whose excitations are held one after the other; return sum(log lambda).

    `block` (n_sources * tile width) is overwritten with the excitations, source after source.
    """
    n_marks, width = gram.shape[0] - 2, tile.shape[1]
    for j in range(n_marks):
        row = block[j * width :]
        for c in range(n):
            row[c] = held[c * n_marks + j]
    return _accumulate(block, held[:0], n, v, gram, tile)


@njit(cache=True, nogil=True)
def row_sums(data, x, wanted, value, gram):
    """Add what a Newton step needs of the sums over the events of row problems.

    data = (excitation, weights, offsets). With v = (1, c_1, ...), lambda = x_b . v and
    q = sqrt(w) (v, lambda) / lambda at an event of row problem b, add w log(lambda) to value[b] and
    q q' to gram[b] (P + 1, P + 1), of which what is above the diagonal is of no use, nor is the
    last entry. Rows not `wanted` (n_blocks,) are left as they are.
    """
    (excitation, weights, offsets), size = data, x.shape[1]
    v = np.empty((1, size))
    for b in range(value.size):
        begin, end = offsets[b], offsets[b + 1]
        if wanted[b]:
            tile = _aligned(size + 2, max(8, min(end - begin + 7, _TILE) // 8 * 8))
            block, own = excitation[(size - 1) * begin : (size - 1) * end], weights[begin:end]
            for p in range(size):
                v[_X, p] = x[b, p]
            value[b] += _accumulate(block, own, end - begin, v, gram[b], tile)


@njit(cache=True, nogil=True)
def sums_shared(events, fades, decay, x, wanted, value, gram):
    """Add what a step needs of the sums over events, excitations from one decay for all marks.

    events = (times, marks, offsets), of several marks; fades[k] is exp(-decay (t_k - t_(k-1))). At
    an event of mark i, with v = (1, c_1, ..., c_D), lambda = x_i . v and q = (v, lambda) / lambda,
    add log(lambda) to value[i] and q q' to gram[i] (D + 2, D + 2), of which what is above the
    diagonal is of no use, nor is the last entry. Marks not `wanted` (n_marks,) are left out. No
    excitation is written out but those of the next tile of each mark.
    """
    (times, marks, offsets), n_marks = events, value.size
    lanes = max(8, min(_LANES, _HELD // (n_marks * n_marks)) // 8 * 8)
    state, filled = np.empty(n_marks), np.zeros(n_marks, np.int64)
    held, block = np.empty((n_marks, lanes * n_marks)), np.empty(lanes * n_marks)
    tile, v = _aligned(n_marks + 3, lanes), np.empty((1, n_marks + 1))
    for r in range(offsets.size - 1):
        begin = offsets[r]
        applied = begin
        for j in range(n_marks):
            state[j] = 0.0
        for k in range(begin, offsets[r + 1]):
            if k > begin and times[k] > times[k - 1]:
                for e in range(applied, k):
                    state[marks[e]] += decay
                applied, factor = k, fades[k]
                for j in range(n_marks):
                    faded = state[j] * factor
                    state[j] = faded if faded > _FAINTEST else 0.0
            i = marks[k]
            if not wanted[i]:
                continue
            for j in range(n_marks):
                held[i, filled[i] * n_marks + j] = state[j]
            filled[i] += 1
            if filled[i] == lanes:
                for p in range(n_marks + 1):
                    v[_X, p] = x[i, p]
                value[i] += _add_held(held[i], lanes, block, v, gram[i], tile)
                filled[i] = 0
    for i in range(n_marks):
        n = filled[i]
        if n > 0:
            for p in range(n_marks + 1):
                v[_X, p] = x[i, p]
            value[i] += _add_held(held[i], n, block, v, gram[i], tile)
