"""Variational inference over the branching structure, row by row, for excitations that are given.

The parameters theta_p of a row have Gamma(g_p, r_p) priors; event k has density sum_p theta_p v_kp
with v_k0 = 1, and a unit of theta_p costs cost_p. The posterior is q(Z) prod_p Gamma(a_p, b_p) with
b_p = r_p + cost_p. With Z at its optimum the bound is a function of the shapes a alone,

    F(a) = sum_k w_k log sum_p e_p v_kp
           - sum_p [(a_p - g_p) digamma(a_p) - ln Gamma(a_p) + ln Gamma(g_p) + g_p ln (b_p / r_p)]

with e_p = exp(digamma(a_p)) / b_p. Its derivative by log e_p is N_p - (a_p - g_p), N the expected
number of events of each parameter, and minus its second derivatives are
sum_k w_k resp_kp resp_kq + [p = q] (1 / trigamma(a_p) - N_p).
"""

import math

import numpy as np
from numba import njit

__all__ = ["digamma", "raise_rows", "share_events", "trigamma"]

# the asymptotic series are exact to rounding from here on
_LARGE = 12.0
# of the log of a shape, in one step
_LONGEST = 1.5


@njit(cache=True, nogil=True)
def digamma(x):
    """Return the derivative of ln Gamma at x > 0."""
    out = 0.0
    while x < _LARGE:
        out -= 1.0 / x
        x += 1.0
    y = 1.0 / (x * x)
    tail = y * (1.0 / 12 - y * (1.0 / 120 - y * (1.0 / 252 - y * (1.0 / 240 - y / 132))))
    return out + math.log(x) - 0.5 / x - tail


@njit(cache=True, nogil=True)
def trigamma(x):
    """Return the second derivative of ln Gamma at x > 0."""
    out = 0.0
    while x < _LARGE:
        out += 1.0 / (x * x)
        x += 1.0
    y = 1.0 / (x * x)
    tail = 1.0 / 6 - y * (1.0 / 30 - y * (1.0 / 42 - y * (1.0 / 30 - y * 5.0 / 66)))
    return out + 1.0 / x + 0.5 * y + tail * y / x


@njit(cache=True, nogil=True)
def share_events(matrix, weights, e, counts, cross):
    """Share the events of a row among its parameters in proportion to e_p v_kp.

    `matrix` (P - 1, n) holds v without its first row of ones. Writes the expected counts (P,) and
    the sum of resp resp' (P, P), lower triangle; returns sum_k w_k log sum_p e_p v_kp.
    """
    size = e.size
    counts[:] = 0.0
    cross[:] = 0.0
    resp = np.empty(size)
    total = 0.0
    for k in range(matrix.shape[1]):
        weight = weights[k] if weights.size else 1.0
        if weight == 0.0:
            continue
        resp[0] = e[0]
        rate = e[0]
        for p in range(1, size):
            resp[p] = e[p] * matrix[p - 1, k]
            rate += resp[p]
        if not rate > 0.0:
            return -math.inf
        total += weight * math.log(rate)
        for p in range(size):
            resp[p] /= rate
            if resp[p] > 0.0:
                counts[p] += weight * resp[p]
                for q in range(p + 1):
                    cross[p, q] += weight * resp[p] * resp[q]
    return total


@njit(cache=True, nogil=True)
def _evaluate(row, a, counts, cross):
    """Return the bound of a row at shapes `a` without the g ln r of its prior."""
    matrix, weights, g, b = row
    e = np.zeros(a.size)
    spent = 0.0
    for p in range(a.size):
        if b[p] > 0.0:
            psi = digamma(a[p])
            e[p] = math.exp(psi) / b[p]
            spent += (a[p] - g[p]) * psi - math.lgamma(a[p])
            spent += math.lgamma(g[p]) + g[p] * math.log(b[p])
    return share_events(matrix, weights, e, counts, cross) - spent


@njit(cache=True, nogil=True)
def _factor(matrix):
    """Overwrite the lower triangle by its Cholesky factor; return whether there is one."""
    for p in range(matrix.shape[0]):
        for q in range(p + 1):
            value = matrix[p, q]
            for s in range(q):
                value -= matrix[p, s] * matrix[q, s]
            if p > q:
                matrix[p, q] = value / matrix[q, q]
            elif value > 1e-12 * matrix[p, p]:
                matrix[p, p] = math.sqrt(value)
            else:
                return False
    return True


@njit(cache=True, nogil=True)
def _newton(row, a, counts, cross, trial):
    """Write shapes after a Newton step to `trial`; return what it promises, or -1 if uphill.

    `cross` is overwritten.
    """
    _, _, g, b = row
    step = np.zeros(a.size)
    for p in range(a.size):
        cross[p, p] += 1.0 / trigamma(a[p]) - counts[p] if b[p] > 0.0 else 1.0
        step[p] = counts[p] - (a[p] - g[p]) if b[p] > 0.0 else 0.0
    if not _factor(cross):
        return -1.0
    for p in range(a.size):
        for q in range(p):
            step[p] -= cross[p, q] * step[q]
        step[p] /= cross[p, p]
    promise = 0.0
    for p in range(a.size):
        promise += 0.5 * step[p] * step[p]
    for p in range(a.size - 1, -1, -1):
        for q in range(p + 1, a.size):
            step[p] -= cross[q, p] * step[q]
        step[p] /= cross[p, p]
        if b[p] > 0.0:
            change = step[p] / (a[p] * trigamma(a[p]))
            trial[p] = a[p] * math.exp(min(max(change, -_LONGEST), _LONGEST))
    return promise


@njit(cache=True, nogil=True)
def _raise_row(row, a, tolerance, trace):
    """Raise the bound of a row by Newton steps, or coordinate ascent where they do not help.

    `a` holds the start and then the shapes found. Returns the promise of the next step (infinity if
    it is not known) and the number of steps.
    """
    g, b = row[2], row[3]
    size = a.size
    counts, cross = np.zeros(size), np.zeros((size, size))
    trial, best = a.copy(), np.zeros(size)
    value = _evaluate(row, a, counts, cross)
    trace[0] = value
    for step in range(1, trace.size):
        for p in range(size):
            best[p] = g[p] + counts[p] if b[p] > 0.0 else a[p]
        promise = _newton(row, a, counts, cross, trial)
        if 0.0 <= promise <= tolerance or value == -math.inf:
            return promise, step - 1
        new = _evaluate(row, trial, counts, cross) if promise >= 0.0 else -math.inf
        if not new > value:
            for p in range(size):
                trial[p] = best[p]
            new = _evaluate(row, trial, counts, cross)
        if not new > value:  # only rounding is left
            return max(promise, 0.0), step - 1
        for p in range(size):
            a[p] = trial[p]
        value = new
        trace[step] = value
    return math.inf, trace.size - 1


@njit(cache=True, nogil=True)
def raise_rows(data, g, b, shapes, tolerance, out, part):
    """Raise the bound of the rows ``range(*part)``.

    data = (excitation, weights, offsets). The rows of `b` hold cost plus prior rate, 0 for
    parameters that are left out; `g` (P,) the prior's shapes; `shapes` the start, and then what was
    found. out = (report, traces): (bound, promise, steps), and the bounds after each step, filled
    with NaN. The prior's g ln r is left out of the bounds.
    """
    excitation, weights, offsets = data
    report, traces = out
    size = b.shape[1]
    for r in range(part[0], part[1]):
        begin, end = offsets[r], offsets[r + 1]
        matrix = excitation[(size - 1) * begin : (size - 1) * end].reshape((size - 1, end - begin))
        own = weights[begin:end] if weights.size else weights
        row = (matrix, own, g, b[r])
        promise, steps = _raise_row(row, shapes[r], tolerance, traces[r])
        report[r, 0] = traces[r, steps]
        report[r, 1] = promise
        report[r, 2] = steps
