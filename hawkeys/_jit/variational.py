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
from numba import njit, prange

__all__ = ["curvature_rows", "expected_log_rows", "raise_rows"]

_LOC_LIMIT = 3.0
_SCALE_LIMIT = 1.0
_SILENT = 1e-10


@njit(cache=True)
def _draws_of(idx, draws, point, theta, shock):
    """Write theta and s e of every draw for the coordinates in idx."""
    d = idx.size
    for a in range(d):
        scale = math.exp(point[d + a])
        for m in range(draws.shape[0]):
            shock[m, a] = scale * draws[m, idx[a]]
            theta[m, a] = math.exp(point[a] + shock[m, a])


@njit(cache=True)
def _expected_log(excitation, weights, idx, n_sources, theta):
    """Return sum_k w_k of the mean over draws of log lambda_k."""
    width = excitation.size // n_sources
    total = 0.0
    for k in range(width):
        part = 0.0
        for m in range(theta.shape[0]):
            lam = 0.0
            for a in range(idx.size):
                p = idx[a]
                lam += theta[m, a] * (excitation[(p - 1) * width + k] if p > 0 else 1.0)
            part += math.log(lam)
        total += part * (weights[k] if weights.size > 0 else 1.0)
    return total / theta.shape[0]


@njit(cache=True)
def _add_event(q, shock, weight, gradient, curvature):
    """Add one draw of one event: gradient by (a, b) and minus the second derivatives (lower)."""
    d = q.size
    for a in range(d):
        gradient[a] += weight * q[a]
        gradient[d + a] += weight * q[a] * shock[a]
        curvature[a, a] -= weight * q[a]
        curvature[d + a, a] -= weight * q[a] * shock[a]
        curvature[d + a, d + a] -= weight * q[a] * shock[a] * (1.0 + shock[a])
        for c in range(d):
            outer = weight * q[a] * q[c]
            if c <= a:
                curvature[a, c] += outer
                curvature[d + a, d + c] += outer * shock[a] * shock[c]
            curvature[d + a, c] += outer * shock[a]


@njit(cache=True)
def _add_likelihood(excitation, weights, idx, n_sources, theta, shock, gradient, curvature):
    """Add the derivatives of the expected log intensities."""
    width = excitation.size // n_sources
    n_draws = theta.shape[0]
    q = np.empty(idx.size)
    for k in range(width):
        weight = (weights[k] if weights.size > 0 else 1.0) / n_draws
        for m in range(n_draws):
            lam = 0.0
            for a in range(idx.size):
                p = idx[a]
                q[a] = theta[m, a] * (excitation[(p - 1) * width + k] if p > 0 else 1.0)
                lam += q[a]
            for a in range(idx.size):
                q[a] /= lam
            _add_event(q, shock[m], weight, gradient, curvature)


@njit(cache=True)
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


@njit(cache=True)
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


@njit(cache=True)
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


@njit(cache=True)
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


@njit(cache=True)
def _bound(problem, point, theta, shock):
    """Return F and leave the draws at `point` in theta and shock."""
    excitation, weights, idx, terms, draws = problem
    _draws_of(idx, draws, point, theta, shock)
    value = _expected_log(excitation, weights, idx, terms.shape[1] - 1, theta)
    return value + _closed_form(idx, terms, point)


@njit(cache=True)
def _improve(problem, point, value, damping, derivatives, tolerance):
    """Move `point` to a higher F, damping the Newton step as needed; return F, gain, damping."""
    gradient, curvature = derivatives
    size = point.size
    n_draws = problem[4].shape[0]
    step, trial, factor = np.empty(size), np.empty(size), np.empty((size, size))
    theta, shock = np.empty((n_draws, size // 2)), np.empty((n_draws, size // 2))
    gain = 0.0
    while damping < 1e8:
        if _solve_damped(curvature, damping, gradient, factor, step):
            gain = 0.5 * np.dot(gradient, step)
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


@njit(cache=True)
def _raise(problem, point, tolerance, trace):
    """Damped Newton ascent of F from `point` in place; return (F, promised gain, iterations)."""
    excitation, weights, idx, terms, draws = problem
    d = idx.size
    gradient, curvature = np.empty(2 * d), np.empty((2 * d, 2 * d))
    theta, shock = np.empty((draws.shape[0], d)), np.empty((draws.shape[0], d))
    value, gain, damping = _bound(problem, point, theta, shock), math.inf, 0.0
    for iteration in range(trace.size):
        trace[iteration] = value
        _draws_of(idx, draws, point, theta, shock)
        for a in range(2 * d):
            gradient[a] = 0.0
            for c in range(2 * d):
                curvature[a, c] = 0.0
        _add_likelihood(
            excitation, weights, idx, terms.shape[1] - 1, theta, shock, gradient, curvature
        )
        _add_closed_form(idx, terms, point, gradient, curvature)
        value, gain, damping = _improve(
            problem, point, value, damping, (gradient, curvature), tolerance
        )
        if gain <= tolerance:
            return value, gain, iteration + 1
    return value, gain, trace.size


@njit(cache=True)
def _select(excitation, cost, silent):
    """Return the coordinates that cost something and do (or do not) excite an event."""
    n_sources = cost.size - 1
    width = excitation.size // n_sources
    chosen = np.empty(cost.size, dtype=np.int64)
    n = 0
    for p in range(cost.size):
        acts = p == 0 and width > 0
        for k in range((p - 1) * width, p * width if p > 0 else 0):
            acts = acts or excitation[k] > 0.0
        if cost[p] > 0.0 and acts != silent:
            chosen[n] = p
            n += 1
    return chosen[:n]


@njit(cache=True)
def _raise_row(excitation, weights, terms, draws, point, tolerance, trace):
    """Solve one row problem from point (2, P) in place: the coordinates that act together, then
    the silent ones one by one; return (F, promised gain, iterations)."""
    value, gain, steps = 0.0, 0.0, 0
    acting = _select(excitation, terms[0], False)
    silent = _select(excitation, terms[0], True)
    spare = np.empty(trace.size)
    for group in range(silent.size + 1):
        idx = acting if group == 0 else silent[group - 1 : group]
        d = idx.size
        own = np.empty(2 * d)
        for a in range(d):
            own[a], own[d + a] = point[0, idx[a]], point[1, idx[a]]
        if group > 0 and terms[1, idx[0]] == 0.0 and terms[3, idx[0]] == 0.0:
            # no event speaks for it: the optimum is theta = 0, with s^2 = 1/2
            own[0], own[1] = math.log(_SILENT / terms[0, idx[0]]) - 0.25, -0.5 * math.log(2.0)
            value += _closed_form(idx, terms, own)
        elif d > 0:
            n_used = weights.size if group == 0 else 0
            part = excitation if group == 0 else excitation[:0]
            problem = (part, weights[:n_used], idx, terms, draws)
            reached = _raise(problem, own, tolerance, trace if group == 0 else spare)
            value += reached[0]
            gain += reached[1]
            steps = max(steps, reached[2])
        for a in range(d):
            point[0, idx[a]], point[1, idx[a]] = own[a], own[d + a]
    return value, gain, steps


@njit(cache=True, parallel=True)
def raise_rows(excitation, weights, offsets, cost, prior, draws, start, limits):
    """Raise the bound of every row problem from ``start`` (n_blocks, 2, P).

    prior (n_blocks, 3, P) holds C, m and t; limits = (tolerance, max_iter). Returns the locations
    and log scales (n_blocks, 2, P), a report (n_blocks, 3) with F, the promised further gain and
    the number of iterations, and the traces of the coordinates that act (n_blocks, max_iter), NaN
    after the last iteration.
    """
    n_blocks, size = cost.shape
    max_iter = int(limits[1])
    out = start.copy()
    report = np.zeros((n_blocks, 3))
    traces = np.full((n_blocks, max_iter), np.nan)
    # parallel over blocks: each has its own outputs
    for b in prange(n_blocks):
        begin, end = offsets[b], offsets[b + 1]
        terms = np.empty((4, size))
        terms[0], terms[1:] = cost[b], prior[b]
        value, gain, steps = _raise_row(
            excitation[(size - 1) * begin : (size - 1) * end],
            weights[begin:end],
            terms,
            draws,
            out[b],
            limits[0],
            traces[b],
        )
        report[b, 0], report[b, 1], report[b, 2] = value, gain, steps
    return out, report, traces


@njit(cache=True, parallel=True)
def expected_log_rows(excitation, weights, offsets, draws, params):
    """Return sum_k w_k E log(v_k . theta) of every row problem, for params (n_blocks, 2, P)."""
    n_blocks, size = params.shape[0], params.shape[2]
    out = np.zeros(n_blocks)
    # parallel over blocks: each has its own output
    for b in prange(n_blocks):
        begin, end = offsets[b], offsets[b + 1]
        theta, shock = np.empty((draws.shape[0], size)), np.empty((draws.shape[0], size))
        idx = np.arange(size)
        point = np.empty(2 * size)
        for p in range(size):
            point[p], point[size + p] = params[b, 0, p], params[b, 1, p]
        _draws_of(idx, draws, point, theta, shock)
        flat = excitation[(size - 1) * begin : (size - 1) * end]
        out[b] = _expected_log(flat, weights[begin:end], idx, size - 1, theta)
    return out


@njit(cache=True)
def _curvature(problem, point):
    """Return minus the second derivatives of F at `point`, both triangles filled."""
    excitation, weights, idx, terms, draws = problem
    d = idx.size
    gradient, curvature = np.zeros(2 * d), np.zeros((2 * d, 2 * d))
    theta, shock = np.empty((draws.shape[0], d)), np.empty((draws.shape[0], d))
    _draws_of(idx, draws, point, theta, shock)
    n_sources = terms.shape[1] - 1
    _add_likelihood(excitation, weights, idx, n_sources, theta, shock, gradient, curvature)
    _add_closed_form(idx, terms, point, gradient, curvature)
    for a in range(2 * d):
        for c in range(a):
            curvature[c, a] = curvature[a, c]
    return curvature


@njit(cache=True, parallel=True)
def curvature_rows(excitation, weights, offsets, cost, prior, draws, params):
    """Return minus the second derivatives of F of every row problem, (n_blocks, 2 P, 2 P).

    Locations come first, then log scales; NaN in the rows and columns of what costs nothing.
    """
    n_blocks, size = cost.shape
    out = np.full((n_blocks, 2 * size, 2 * size), np.nan)
    # parallel over blocks: each has its own output
    for b in prange(n_blocks):
        begin, end = offsets[b], offsets[b + 1]
        terms = np.empty((4, size))
        terms[0], terms[1:] = cost[b], prior[b]
        idx = np.flatnonzero(cost[b] > 0.0)
        both = np.concatenate((idx, idx + size))
        flat = excitation[(size - 1) * begin : (size - 1) * end]
        problem = (flat, weights[begin:end], idx, terms, draws)
        curvature = _curvature(problem, params[b].copy().reshape(2 * size)[both])
        for a in range(both.size):
            for c in range(both.size):
                out[b, both[a], both[c]] = curvature[a, c]
    return out
