"""Deterministic variational inference with log-normal posteriors, one row problem at a time.

With theta_p = exp(a_p + s_p e_p) and b = log s, the bound of a row problem is, up to a constant,

    F(a, b) = sum_k w_k E log(v_k . theta) - sum_p cost_p exp(a_p + s_p^2 / 2) + sum_p prior_p,
    prior_p = a_p + b_p - exp(2 a_p + 2 s_p^2) / C_p    for a prior variance parameter C_p,
    prior_p = b_p - s_p^2                               at the optimal C_p = 2 E theta_p^2,
    prior_p = b_p - t_p ((a_p - m_p)^2 + s_p^2) / 2     for a log-normal prior (m_p, 1 / t_p),
    prior_p = m_p a_p + b_p                             for a Gamma prior of shape m_p.

The expectation is an average over base draws e fixed beforehand, so that F is an ordinary function;
it is raised by damped Newton steps. `prior` holds C, m and t: t > 0 chooses the third form, t < 0
the fourth (the rate of the Gamma is part of the cost), else C = 0 the second.
"""

import math

import numpy as np
from numba import njit

__all__ = ["SILENT", "curvature_rows", "expected_log_rows", "raise_rows"]

_LOC_LIMIT = 3.0
_SCALE_LIMIT = 1.0
SILENT = 1e-10  # events that a parameter whose optimum is 0 still stands for
_SMALL = 0.01
_WANING = 0.9999
_RETURNS = 3
_LEAST, _MOST = 1e-290, 1e290


@njit(cache=True, nogil=True)
def _draws_of(idx, draws, point, theta, shock):
    """Write theta and s e of the coordinates in idx, (d, n_draws); draws come in pairs e, -e."""
    d, half = idx.size, draws.shape[0] // 2
    for a in range(d):
        centre, scale = math.exp(point[a]), math.exp(point[d + a])
        for m in range(half):
            shock[a, m] = scale * draws[m, idx[a]]
            shock[a, half + m] = -shock[a, m]
            ratio = math.exp(shock[a, m])
            theta[a, m] = centre * ratio
            theta[a, half + m] = centre / ratio


@njit(cache=True, nogil=True)
def _intensities(excitation, k, idx, n_sources, theta, lam):
    """Write the intensity of event k under every draw, (n_draws,)."""
    width = excitation.size // n_sources
    for m in range(lam.size):
        lam[m] = 0.0
    for a in range(idx.size):
        p = idx[a]
        factor = excitation[(p - 1) * width + k] if p > 0 else 1.0
        for m in range(lam.size):
            lam[m] += factor * theta[a, m]


@njit(cache=True, nogil=True)
def _expected_log(excitation, weights, idx, n_sources, theta, lam):
    """Return sum_k w_k of the mean over draws of log lambda_k; lam (n_draws,) is overwritten."""
    half = lam.size // 2
    total = 0.0
    for k in range(excitation.size // n_sources):
        _intensities(excitation, k, idx, n_sources, theta, lam)
        part = 0.0
        for m in range(half):
            pair = lam[m] * lam[half + m]
            # one logarithm for two, unless the product leaves the range of doubles
            inside = _LEAST < pair < _MOST
            part += math.log(pair) if inside else math.log(lam[m]) + math.log(lam[half + m])
        total += part * (weights[k] if weights.size > 0 else 1.0)
    return total / lam.size


# the order of the sum is left to the compiler, which then uses vector instructions
@njit(cache=True, nogil=True, fastmath={"contract", "reassoc"})
def _inner(x, y):
    """Return the inner product of two vectors."""
    total = 0.0
    for m in range(x.size):
        total += x[m] * y[m]
    return total


@njit(cache=True, nogil=True)
def _add_likelihood(excitation, weights, idx, n_sources, theta, shock, gradient, curvature):
    """Add the derivatives of the expected log intensities (minus the second ones, lower triangle).

    With q = theta v / lambda of an event and z = (q, q s e), the gradient is the mean of z; minus
    the second derivatives are the mean of z z' less the diagonals of q, q s e and q s e (1 + s e).
    """
    d, n_draws = shock.shape
    width = excitation.size // n_sources
    z, lam, ones = np.empty((2 * d, n_draws)), np.empty(n_draws), np.ones(n_draws)
    for k in range(width):
        weight = (weights[k] if weights.size > 0 else 1.0) / n_draws
        _intensities(excitation, k, idx, n_sources, theta, lam)
        for a in range(d):
            p = idx[a]
            factor = excitation[(p - 1) * width + k] if p > 0 else 1.0
            for m in range(n_draws):
                z[a, m] = factor * theta[a, m] / lam[m]
                z[d + a, m] = z[a, m] * shock[a, m]
        for a in range(d):
            location, scale = weight * _inner(z[a], ones), weight * _inner(z[d + a], ones)
            gradient[a] += location
            gradient[d + a] += scale
            curvature[a, a] -= location
            curvature[d + a, a] -= scale
            curvature[d + a, d + a] -= scale + weight * _inner(z[d + a], shock[a])
        for a in range(2 * d):
            for c in range(a + 1):
                curvature[a, c] += weight * _inner(z[a], z[c])


@njit(cache=True, nogil=True)
def _closed_form(idx, terms, point):
    """Return the part of F that needs no draws; terms = (cost, C, m, t), each (P,)."""
    cost, prior, centre, precision = terms[0], terms[1], terms[2], terms[3]
    d = idx.size
    total = 0.0
    for a in range(d):
        p = idx[a]
        square = math.exp(2.0 * point[d + a])
        total += point[d + a] - cost[p] * math.exp(point[a] + 0.5 * square)
        if precision[p] > 0.0:
            total -= 0.5 * precision[p] * ((point[a] - centre[p]) ** 2 + square)
        elif precision[p] < 0.0:
            total += centre[p] * point[a]
        elif prior[p] > 0.0:
            total += point[a] - math.exp(2.0 * point[a] + 2.0 * square) / prior[p]
        else:
            total -= square
    return total


@njit(cache=True, nogil=True)
def _add_closed_form(idx, terms, point, gradient, curvature):
    """Add the derivatives of `_closed_form` (curvature is minus the second derivatives)."""
    cost, prior, centre, precision = terms[0], terms[1], terms[2], terms[3]
    d = idx.size
    for a in range(d):
        p = idx[a]
        square = math.exp(2.0 * point[d + a])
        mean = cost[p] * math.exp(point[a] + 0.5 * square)
        gradient[a] -= mean
        gradient[d + a] += 1.0 - mean * square
        curvature[a, a] += mean
        curvature[d + a, a] += mean * square
        curvature[d + a, d + a] += mean * square * (2.0 + square)
        if precision[p] > 0.0:
            gradient[a] -= precision[p] * (point[a] - centre[p])
            gradient[d + a] -= precision[p] * square
            curvature[a, a] += precision[p]
            curvature[d + a, d + a] += 2.0 * precision[p] * square
        elif precision[p] < 0.0:
            gradient[a] += centre[p]
        elif prior[p] > 0.0:
            ridge = 2.0 * math.exp(2.0 * point[a] + 2.0 * square) / prior[p]
            gradient[a] += 1.0 - ridge
            gradient[d + a] -= 2.0 * ridge * square
            curvature[a, a] += 2.0 * ridge
            curvature[d + a, a] += 4.0 * ridge * square
            curvature[d + a, d + a] += ridge * square * (4.0 + 8.0 * square)
        else:
            gradient[d + a] -= 2.0 * square
            curvature[d + a, d + a] += 4.0 * square


@njit(cache=True, nogil=True)
def _solve_damped(curvature, damping, gradient, factor, step):
    """Solve (curvature + damping * |diagonal|) step = gradient; False if not positive definite."""
    size = gradient.size
    for a in range(size):
        for b in range(a + 1):
            total = curvature[a, b]
            if a == b:
                total += damping * (abs(total) + 1e-3) + 1e-14
            for c in range(b):
                total -= factor[a, c] * factor[b, c]
            if a == b:
                if not total > 1e-12 * abs(curvature[a, a]):
                    return False
                factor[a, a] = math.sqrt(total)
            else:
                factor[a, b] = total / factor[b, b]
    for a in range(size):
        step[a] = gradient[a]
        for c in range(a):
            step[a] -= factor[a, c] * step[c]
        step[a] /= factor[a, a]
    for a in range(size - 1, -1, -1):
        for c in range(a + 1, size):
            step[a] -= factor[c, a] * step[c]
        step[a] /= factor[a, a]
    return True


@njit(cache=True, nogil=True)
def _shorten(step):
    """Scale the step so that no location or log scale moves too far; return the scale."""
    d = step.size // 2
    length = 1.0
    for a in range(d):
        length = min(length, _LOC_LIMIT / max(abs(step[a]), _LOC_LIMIT))
        length = min(length, _SCALE_LIMIT / max(abs(step[d + a]), _SCALE_LIMIT))
    for a in range(step.size):
        step[a] *= length
    return length


@njit(cache=True, nogil=True)
def _bound(problem, point, theta, shock):
    """Return F and leave the draws at `point` in theta and shock."""
    excitation, weights, idx, terms, draws = problem
    _draws_of(idx, draws, point, theta, shock)
    lam = np.empty(draws.shape[0])
    value = _expected_log(excitation, weights, idx, terms.shape[1] - 1, theta, lam)
    return value + _closed_form(idx, terms, point)


@njit(cache=True, nogil=True)
def _improve(problem, point, value, damping, derivatives, tolerance, theta, shock):
    """Move `point` to a higher F, damping the Newton step as needed; return F, gain, damping.

    The draws at the new point are left in theta and shock.
    """
    gradient, curvature = derivatives
    size = point.size
    step, trial, factor = np.empty(size), np.empty(size), np.empty((size, size))
    gain = 0.0
    while damping < 1e8:
        if _solve_damped(curvature, damping, gradient, factor, step):
            gain = 0.5 * _inner(gradient, step)
            if gain <= tolerance:
                break
            _shorten(step)
            for a in range(size):
                trial[a] = point[a] + step[a]
            new = _bound(problem, trial, theta, shock)
            if new >= value:
                for a in range(size):
                    point[a] = trial[a]
                return new, gain, 0.1 * damping if damping > 1e-4 else 0.0
        damping = max(4.0 * damping, 1e-2)
    return value, gain if damping < 1e8 else 0.0, damping


@njit(cache=True, nogil=True)
def _dying(idx, terms, point, share):
    """Tell which, and how many, coordinates have an optimum at theta = 0 and are on the way there.

    With the prior variance at its optimum, F has no prior term in a: once theta is small, F changes
    with it by theta times (its share of the events / E theta - cost), which a Newton step on log
    theta shrinks by 1 / e only. share (d,) is the likelihood's part of the gradient.
    """
    dying, n = np.empty(idx.size, dtype=np.bool_), 0
    for a in range(idx.size):
        p = idx[a]
        mean = terms[0, p] * math.exp(point[a] + 0.5 * math.exp(2.0 * point[idx.size + a]))
        dying[a] = _is_free(terms, p) and mean < _SMALL and share[a] < _WANING * mean
        n += dying[a]
    return dying, n


@njit(cache=True, nogil=True)
def _raise(problem, point, tolerance, trace, leave):
    """Damped Newton ascent of F from `point` in place; return (F, promised gain, iterations).

    With `leave` it stops as soon as coordinates are dying, see `_dying`, and tells which, too; the
    last value returned is empty otherwise.
    """
    excitation, weights, idx, terms, draws = problem
    d = idx.size
    gradient, curvature = np.empty(2 * d), np.empty((2 * d, 2 * d))
    theta, shock = np.empty((d, draws.shape[0])), np.empty((d, draws.shape[0]))
    value, gain, damping = _bound(problem, point, theta, shock), math.inf, 0.0
    dying, n_dying = np.empty(0, dtype=np.bool_), 0
    for iteration in range(trace.size):
        trace[iteration] = value
        for a in range(2 * d):
            gradient[a] = 0.0
            for c in range(2 * d):
                curvature[a, c] = 0.0
        _add_likelihood(
            excitation, weights, idx, terms.shape[1] - 1, theta, shock, gradient, curvature
        )
        if leave:
            dying, n_dying = _dying(idx, terms, point, gradient)
            if n_dying > 0:
                return value, gain, iteration, dying
        _add_closed_form(idx, terms, point, gradient, curvature)
        value, gain, damping = _improve(
            problem, point, value, damping, (gradient, curvature), tolerance, theta, shock
        )
        if gain <= tolerance:
            return value, gain, iteration + 1, dying[:0]
    return value, gain, trace.size, dying[:0]


@njit(cache=True, nogil=True)
def _select(excitation, weights, cost):
    """Return the coordinates that excite an event that counts, and the others, if they cost."""
    width = excitation.size // (cost.size - 1)
    acting, n = np.empty(cost.size, dtype=np.int64), 0
    silent, n_silent = np.empty(cost.size, dtype=np.int64), 0
    for p in range(cost.size):
        acts, k = False, 0
        while k < width and not acts:
            excites = p == 0 or excitation[(p - 1) * width + k] > 0.0
            acts = excites and (weights.size == 0 or weights[k] > 0.0)
            k += 1
        if cost[p] > 0.0 and acts:
            acting[n], n = p, n + 1
        elif cost[p] > 0.0:
            silent[n_silent], n_silent = p, n_silent + 1
    return acting[:n], silent[:n_silent]


@njit(cache=True, nogil=True)
def _quiet(idx, terms, level):
    """Return the point where each coordinate has E theta = level / cost and its best scale."""
    d = idx.size
    point = np.empty(2 * d)
    for a in range(d):
        point[a] = math.log(level / terms[0, idx[a]]) - 0.25
        point[d + a] = -0.5 * math.log(2.0)
    return point


@njit(cache=True, nogil=True)
def _parted(idx, mask):
    """Return the coordinates of idx where the mask, one entry for each, is true, and the others."""
    out, n = np.empty(idx.size, dtype=np.int64), 0
    rest, n_rest = np.empty(idx.size, dtype=np.int64), 0
    for a in range(idx.size):
        if mask[a]:
            out[n], n = idx[a], n + 1
        else:
            rest[n_rest], n_rest = idx[a], n_rest + 1
    return out[:n], rest[:n_rest]


@njit(cache=True, nogil=True)
def _joined(first, second):
    """Return the coordinates of both."""
    out = np.empty(first.size + second.size, dtype=np.int64)
    for a in range(out.size):
        out[a] = first[a] if a < first.size else second[a - first.size]
    return out


@njit(cache=True, nogil=True)
def _read(point, idx):
    """Return locations, then log scales, of some coordinates of a point (2, P)."""
    own = np.empty(2 * idx.size)
    for a in range(idx.size):
        own[a], own[idx.size + a] = point[0, idx[a]], point[1, idx[a]]
    return own


@njit(cache=True, nogil=True)
def _write(point, idx, own):
    """Put locations and log scales of some coordinates back."""
    for a in range(idx.size):
        point[0, idx[a]], point[1, idx[a]] = own[a], own[idx.size + a]


@njit(cache=True, nogil=True)
def _wanted(problem, point, gone):
    """Tell which coordinates of `gone` (whose theta is 0) would raise F if theta grew.

    `point` holds locations, then log scales, of the others.
    """
    excitation, weights, idx, terms, draws = problem
    n_sources, n_draws = terms.shape[1] - 1, draws.shape[0]
    width = excitation.size // n_sources
    theta, shock = np.empty((idx.size, n_draws)), np.empty((max(idx.size, gone.size), n_draws))
    _draws_of(idx, draws, point, theta, shock)
    # the direction in which each grows: E theta = 1 / cost, so that its cost is 1
    growth, share = np.empty((gone.size, n_draws)), np.zeros(gone.size)
    _draws_of(gone, draws, _quiet(gone, terms, 1.0), growth, shock)
    lam = np.empty(n_draws)
    for k in range(width):
        _intensities(excitation, k, idx, n_sources, theta, lam)
        weight = (weights[k] if weights.size > 0 else 1.0) / n_draws
        for a in range(gone.size):
            p = gone[a]
            factor = weight * (excitation[(p - 1) * width + k] if p > 0 else 1.0)
            for m in range(n_draws):
                share[a] += factor * growth[a, m] / lam[m]
    wanted = np.empty(gone.size, dtype=np.bool_)
    for a in range(gone.size):
        wanted[a] = share[a] > 1.0
    return wanted


@njit(cache=True, nogil=True)
def _leave_out(problem, point, value, gone):
    """Return the part of F of the coordinates in `gone` once they are 0, if that raises F.

    `problem` is that of the others, `point` (2, P), `value` F as it is. NaN if F would fall.
    """
    idx, terms, n_draws = problem[2], problem[3], problem[4].shape[0]
    if idx.size == 0:
        return math.nan
    theta, shock = np.empty((idx.size, n_draws)), np.empty((idx.size, n_draws))
    own = _closed_form(gone, terms, _quiet(gone, terms, SILENT))
    rest = _bound(problem, _read(point, idx), theta, shock)
    return own if rest + own >= value else math.nan


@njit(cache=True, nogil=True)
def _raise_acting(excitation, weights, acting, terms, draws, point, tolerance, trace):
    """Raise F in the coordinates that act, from `point` (2, P) in place; return (F, gain, steps).

    A coordinate that is dying is set to 0 at once and left out, if that raises F; at the end those
    left out that would raise F after all come back.
    """
    live, gone, silence = acting, acting[:0], 0.0
    steps, returns = 0, 0
    leave = returns < _RETURNS  # not the literal True, for which `_raise` is compiled once more
    while True:
        problem = (excitation, weights, live, terms, draws)
        own = _read(point, live)
        value, gain, n, dying = _raise(problem, own, tolerance, trace[steps:], leave)
        _write(point, live, own)
        for k in range(steps, steps + n):
            trace[k] += silence
        steps += n
        if dying.size > 0:
            out, stay = _parted(live, dying)
            lost = _leave_out((excitation, weights, stay, terms, draws), point, value, out)
            leave = not math.isnan(lost)
            if leave:
                silence += lost
                _write(point, out, _quiet(out, terms, SILENT))
                live, gone = stay, _joined(gone, out)
            continue
        wanted = _wanted(problem, own, gone)
        back, gone = _parted(gone, wanted)
        if back.size == 0 or steps == trace.size:
            return value + silence, gain, steps
        silence -= _closed_form(back, terms, _read(point, back))
        _write(point, back, _quiet(back, terms, 0.01 * _SMALL))
        live = _joined(live, back)
        returns += 1
        leave = returns < _RETURNS


@njit(cache=True, nogil=True)
def _is_free(terms, p):
    """Tell whether a coordinate has its prior variance at its optimum."""
    return terms[1, p] == 0.0 and terms[3, p] == 0.0


@njit(cache=True, nogil=True)
def _load(cost, prior, start, terms, point):
    """Copy what is known of one row: cost (P,), prior (3, P) and start (2, P)."""
    for p in range(cost.size):
        terms[0, p] = cost[p]
        for c in range(3):
            terms[1 + c, p] = prior[c, p]
        point[0, p], point[1, p] = start[0, p], start[1, p]


@njit(cache=True, nogil=True)
def raise_rows(data, cost, prior, draws, start, tolerance, out, part):
    """Raise the bound of the row problems ``range(*part)`` from ``start`` (n_blocks, 2, P).

    data = (excitation, weights, offsets); prior (n_blocks, 3, P) holds C, m and t. out = (params,
    report, traces): the locations and log scales (n_blocks, 2, P), a report (n_blocks, 3) with F,
    the promised further gain and the number of iterations, and the traces of the coordinates that
    act (n_blocks, max_iter), NaN after the last iteration. Coordinates that act are raised
    together, then the silent ones one by one.
    """
    excitation, weights, offsets = data
    params, report, traces = out
    n_sources, terms = cost.shape[1] - 1, np.empty((4, cost.shape[1]))
    spare = np.empty(traces.shape[1])
    for b in range(part[0], part[1]):
        begin, end, point = offsets[b], offsets[b + 1], params[b]
        flat, own = excitation[n_sources * begin : n_sources * end], weights[begin:end]
        _load(cost[b], prior[b], start[b], terms, point)
        for k in range(traces.shape[1]):
            traces[b, k] = math.nan
        idx, silent = _select(flat, own, terms[0])
        value, gain, steps, trace = 0.0, 0.0, 0, traces[b]
        # one call for all: each would have the whole ascent compiled into this function once more
        for a in range(silent.size + 1):
            if a > 0:
                flat, own, idx, trace = flat[:0], own[:0], silent[a - 1 : a], spare
            if a > 0 and _is_free(terms, idx[0]):  # no event: theta = 0 is best, with s^2 = 1/2
                best = _quiet(idx, terms, SILENT)
                _write(point, idx, best)
                value += _closed_form(idx, terms, best)
            elif idx.size > 0:
                raised, promised, n = _raise_acting(
                    flat, own, idx, terms, draws, point, tolerance, trace
                )
                value, gain, steps = value + raised, gain + promised, max(steps, n)
        report[b, 0], report[b, 1], report[b, 2] = value, gain, steps


@njit(cache=True, nogil=True)
def expected_log_rows(data, draws, params, out, part):
    """Write sum_k w_k E log(v_k . theta) of the row problems ``range(*part)`` to `out`.

    data = (excitation, weights, offsets); params (n_blocks, 2, P) locations and log scales.
    """
    excitation, weights, offsets = data
    size = params.shape[2]
    theta, shock = np.empty((size, draws.shape[0])), np.empty((size, draws.shape[0]))
    lam, idx, point = np.empty(draws.shape[0]), np.arange(size), np.empty(2 * size)
    for b in range(part[0], part[1]):
        begin, end = offsets[b], offsets[b + 1]
        for p in range(size):
            point[p], point[size + p] = params[b, 0, p], params[b, 1, p]
        _draws_of(idx, draws, point, theta, shock)
        flat = excitation[(size - 1) * begin : (size - 1) * end]
        out[b] = _expected_log(flat, weights[begin:end], idx, size - 1, theta, lam)


@njit(cache=True, nogil=True)
def _curvature(problem, point):
    """Return minus the second derivatives of F at `point`, both triangles filled."""
    excitation, weights, idx, terms, draws = problem
    d = idx.size
    gradient, curvature = np.zeros(2 * d), np.zeros((2 * d, 2 * d))
    theta, shock = np.empty((d, draws.shape[0])), np.empty((d, draws.shape[0]))
    _draws_of(idx, draws, point, theta, shock)
    n_sources = terms.shape[1] - 1
    _add_likelihood(excitation, weights, idx, n_sources, theta, shock, gradient, curvature)
    _add_closed_form(idx, terms, point, gradient, curvature)
    for a in range(2 * d):
        for c in range(a):
            curvature[c, a] = curvature[a, c]
    return curvature


@njit(cache=True, nogil=True)
def curvature_rows(data, cost, prior, draws, params, out, part):
    """Write minus the second derivatives of F of the row problems ``range(*part)`` to `out`.

    data = (excitation, weights, offsets); `out` (n_blocks, 2 P, 2 P) comes filled with NaN.
    Locations come first, then log scales; NaN in the rows and columns of what costs nothing.
    """
    excitation, weights, offsets = data
    size = cost.shape[1]
    terms, indices, point = np.empty((4, size)), np.empty(size, np.int64), np.empty((2, size))
    for b in range(part[0], part[1]):
        begin, end, d = offsets[b], offsets[b + 1], 0
        _load(cost[b], prior[b], params[b], terms, point)
        for p in range(size):
            if cost[b, p] > 0.0:
                indices[d], d = p, d + 1
        idx = indices[:d]
        flat = excitation[(size - 1) * begin : (size - 1) * end]
        problem = (flat, weights[begin:end], idx, terms, draws)
        curvature = _curvature(problem, _read(point, idx))
        for a in range(2 * d):
            row = idx[a] if a < d else size + idx[a - d]
            for c in range(2 * d):
                out[b, row, idx[c] if c < d else size + idx[c - d]] = curvature[a, c]
