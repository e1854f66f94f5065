"""Stochastic variational inference with log-normal posteriors, one row problem at a time.

The algorithm of Salehi, Trouleau, Grossglauser and Thiran (2019): one draw of the posterior per
step, Adam on the location a and the log scale b, and a damped update of the prior variances every
so many steps. Rows are independent given the excitations, so each runs alone with its own seed.
"""

import math

import numpy as np
from numba import njit

__all__ = ["ascend_rows"]


@njit(cache=True, nogil=True)
def _fill_normal(out):
    """Fill with standard normals, by Marsaglia's polar method (numba's own costs three times)."""
    for p in range(0, out.size, 2):
        square = 0.0
        u = v = 0.0
        while square >= 1.0 or square == 0.0:
            u = 2.0 * np.random.random() - 1.0
            v = 2.0 * np.random.random() - 1.0
            square = u * u + v * v
        factor = math.sqrt(-2.0 * math.log(square) / square)
        out[p] = factor * u
        if p + 1 < out.size:
            out[p + 1] = factor * v


@njit(cache=True, nogil=True)
def _draw(loc, log_scale, shock, theta):
    """Draw theta = exp(a + s e) and keep the shock s e."""
    _fill_normal(shock)
    for p in range(loc.size):
        shock[p] *= math.exp(log_scale[p])
        theta[p] = math.exp(loc[p] + shock[p])


@njit(cache=True, nogil=True)
def _gradient(excitation, weights, cost, theta, gradient):
    """Write the gradient of the weighted log-likelihood in theta; return its value.

    Minus infinity, and no gradient, if an intensity is 0 or beyond the largest number.
    """
    n_sources = cost.size - 1
    width = excitation.size // n_sources
    value = 0.0
    for p in range(cost.size):
        gradient[p] = -cost[p]
        value -= cost[p] * theta[p]
    used = 1.0 if cost[0] > 0.0 else 0.0  # without cost, x0 is held at 0: it would explain all
    for k in range(width):
        lam = used * theta[0]
        for j in range(n_sources):
            lam += theta[j + 1] * excitation[j * width + k]
        if not 0.0 < lam < math.inf:
            return -math.inf
        weight = weights[k] if weights.size > 0 else 1.0
        value += weight * math.log(lam)
        share = weight / lam
        gradient[0] += used * share
        for j in range(n_sources):
            gradient[j + 1] += share * excitation[j * width + k]
    return value


@njit(cache=True, nogil=True)
def _adam(slope, moments, pace, settings):
    """Return Adam's move up along `slope` and update its moments (2,).

    pace = (rate / (1 - beta1^t), 1 / sqrt(1 - beta2^t)).
    """
    moments[0] = settings[2] * moments[0] + (1.0 - settings[2]) * slope
    moments[1] = settings[3] * moments[1] + (1.0 - settings[3]) * slope * slope
    return pace[0] * moments[0] / (math.sqrt(moments[1]) * pace[1] + settings[4])


@njit(cache=True, nogil=True)
def _start(settings, loc, log_scale, variance):
    """Draw the starting point: a ~ N(c, h^2), s ~ N(d, h^2) clipped to [h, 2]."""
    centre, spread, jitter = settings[7], settings[8], settings[9]
    for p in range(loc.size):
        loc[p] = centre + jitter * np.random.normal()
        scale = spread + jitter * np.random.normal()
        log_scale[p] = math.log(min(max(scale, 0.1), 2.0))
        variance[p] = settings[5]


@njit(cache=True, nogil=True)
def _move(draw, slope, moments, pace, settings, out):
    """Move every coordinate by one step; draw = (shock, theta), out as in `_ascend`."""
    shock, theta = draw
    for p in range(theta.size):
        gain = theta[p] * (slope[p] - 2.0 * theta[p] / out[2, p])
        by_scale = gain * shock[p] + 1.0 + shock[p]
        out[0, p] += _adam(gain + 1.0, moments[2 * p], pace, settings)
        out[1, p] += _adam(by_scale, moments[2 * p + 1], pace, settings)


@njit(cache=True, nogil=True)
def _ascend(excitation, weights, cost, settings, steps, out, trace):
    """Run one row; out (3, P) receives location, log scale and prior variance.

    NaN if the steps leave the range of numbers, as they do at a very large rate.
    """
    size = cost.size
    loc, log_scale, variance = out[0], out[1], out[2]
    shock, theta, slope = np.empty(size), np.empty(size), np.empty(size)
    moments, powers = np.zeros((2 * size, 2)), np.ones(2)
    _start(settings, loc, log_scale, variance)
    rate, every = settings[0], steps[1]
    for step in range(steps[0]):
        powers[0] *= settings[2]
        powers[1] *= settings[3]
        pace = rate / (1.0 - powers[0]), 1.0 / math.sqrt(1.0 - powers[1])
        _draw(loc, log_scale, shock, theta)
        value = _gradient(excitation, weights, cost, theta, slope)
        for p in range(size):
            value += loc[p] + log_scale[p] - theta[p] * theta[p] / variance[p]
        if not -math.inf < value < math.inf:
            for p in range(size):
                loc[p] = log_scale[p] = math.nan
            return
        trace[step // every] += value / every
        _move((shock, theta), slope, moments, pace, settings, out)
        rate *= settings[1]
        if (step + 1) % every == 0 and settings[6] > 0.0:
            _draw(loc, log_scale, shock, theta)
            for p in range(size):
                variance[p] += settings[6] * (2.0 * theta[p] * theta[p] - variance[p])


@njit(cache=True, nogil=True)
def ascend_rows(data, cost, settings, steps, seeds, out, part):
    """Run the row problems ``range(*part)``; settings and steps are described in `inference`.

    data = (excitation, weights, offsets). out = (parameters, traces), both filled with zeros:
    location, log scale and prior variance (n_blocks, 3, P); and the objective averaged over each
    stretch of ``steps[1]`` draws, (n_blocks, stretches).
    """
    excitation, weights, offsets = data
    params, traces = out
    size = cost.shape[1]
    for b in range(part[0], part[1]):
        np.random.seed(seeds[b])  # the generator of this thread, for this row
        begin, end = offsets[b], offsets[b + 1]
        _ascend(
            excitation[(size - 1) * begin : (size - 1) * end],
            weights[begin:end],
            cost[b],
            settings,
            steps,
            params[b],
            traces[b],
        )
