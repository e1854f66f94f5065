"""Densities, masses and tails of log-normal, gamma and histogram kernels at many lags.

See `hawkeys._jit.delayed`. An array `s` names the set of parameters of each lag.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy

from hawkeys._typing import FloatArray, IntArray

__all__ = [
    "GAMMA",
    "HISTOGRAM",
    "LOG_NORMAL",
    "QUIETLY",
    "bins_of",
    "densities_of",
    "density_and_mass",
    "measures_of",
    "pair_densities",
    "splits_of",
    "tails_of",
]

# the families, as the compiled code numbers them
LOG_NORMAL, GAMMA, HISTOGRAM = range(3)
# squares of far lags in units of a narrow scale may be infinite: their density is 0
QUIETLY = np.errstate(over="ignore")

_SQRT_HALF = np.sqrt(0.5)
_PHI_0 = 1.0 / np.sqrt(2.0 * np.pi)
_EPSILON = 1e-16
_TINY = 1e-300
_HUGE = 1e300
_MOST_TERMS = 1_000_000
_SLOPE_ERROR = 1e-14
# at much larger ones the series of scipy end too soon: 4 % are missing at 1e7
_MOST_SHAPE = 1e4


def bins_of(lags: FloatArray, edges: FloatArray) -> IntArray:
    """Return the bin b with edges[b] < lag <= edges[b + 1] of each lag, or -1."""
    found = np.searchsorted(edges, lags, side="left") - 1
    found[lags > edges[-1]] = -1
    return found


def measures_of(family: int, lags: FloatArray, sets: FloatArray, s: IntArray) -> FloatArray:
    """Return d = log lag - location, the deviance D(lag / mean), or 0 for bins, at lags > 0."""
    if family == LOG_NORMAL:
        return np.asarray(np.log(lags) - sets[s, 0])
    if family == GAMMA:
        ratio = np.minimum(lags * sets[s, 1], _HUGE)
        return np.asarray((ratio - 1.0) - np.log(ratio))
    return np.zeros_like(lags)


def densities_of(
    kernel: tuple[int, FloatArray, FloatArray], lags: FloatArray, measures: FloatArray, s: IntArray
) -> FloatArray:
    """Return the density at each lag > 0 of its set s; kernel = (family, sets, edges)."""
    family, sets, edges = kernel
    if family == LOG_NORMAL:
        z = measures / sets[s, 1]
        return np.asarray(sets[s, 2] * np.exp(-0.5 * z * z) / lags)
    if family == GAMMA:
        return np.asarray(np.exp(sets[s, 2] - sets[s, 0] * measures) / lags)
    b = bins_of(lags, edges)
    return np.where(b >= 0, sets[s, b], 0.0)


def _gamma_series(shape: FloatArray, ratio: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return T and its derivative by the shape; see the compiled twin."""
    x = shape * ratio
    term = 1.0 / shape
    slope = -term
    total, total_slope = term.copy(), term * slope
    going = np.arange(shape.size)
    for n in range(1, _MOST_TERMS):
        own = shape[going]
        term = term * (x[going] / (own + n))
        slope = slope + n / (own * (own + n))
        total[going] += term
        total_slope[going] += term * slope
        more = term * np.maximum(1.0, np.abs(slope) * own) >= total[going] * _EPSILON
        if not more.any():
            break
        going, term, slope = going[more], term[more], slope[more]
    return total, total_slope


def _gamma_fraction(shape: FloatArray, ratio: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return f and its derivative by the shape; see the compiled twin."""
    out, out_slope = np.empty_like(shape), np.empty_like(shape)
    going = np.arange(shape.size)
    slope = ratio - 1.0  # of every b
    b = shape * slope + 1.0
    d = 1.0 / b
    d_slope = -d * d * slope
    c, c_slope = np.full_like(b, 1.0 / _TINY), np.zeros_like(b)
    total, total_slope = d, d_slope
    for n in range(1, _MOST_TERMS):
        a = -n * (n - shape)
        b = b + 2.0
        before = n * d + a * d_slope + slope
        d = 1.0 / (a * d + b)
        d_slope = -d * d * before
        c_slope = slope + (n - a * c_slope / c) / c
        c = b + a / c
        factor, change = c * d, c_slope * d + c * d_slope
        total_slope = total_slope * factor + total * change
        total = total * factor
        done = np.abs(factor - 1.0) < _EPSILON
        done &= np.abs(total * change) <= _SLOPE_ERROR * np.abs(total_slope)
        out[going], out_slope[going] = total, total_slope
        if done.all():
            break
        if done.any():
            rows = np.stack((shape, slope, b, c, c_slope, d, d_slope, total, total_slope))
            shape, slope, b, c, c_slope, d, d_slope, total, total_slope = rows[:, ~done]
            going = going[~done]
    return out, out_slope


def _gamma_split(
    lags: FloatArray, sets: FloatArray, s: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Return the mass below and beyond each lag > 0, the integral of D beyond it, and F."""
    shape, ratio = sets[s, 0], np.minimum(lags * sets[s, 1], _HUGE)
    deviance = (ratio - 1.0) - np.log(ratio)
    front = np.exp(sets[s, 2] - shape * deviance)
    below, beyond, integral = np.ones_like(front), np.zeros_like(front), np.zeros_like(front)
    over = (front == 0.0) & (ratio > 1.0)
    early = ~over & (shape * (ratio - 1.0) < 1.0)
    late = ~over & ~early
    total, slope = _gamma_series(shape[early], ratio[early])
    below[early] = front[early] * total
    beyond[early] = 1.0 - below[early]
    integral[early] = sets[s, 3][early] - front[early] * (deviance[early] * total - slope)
    total, slope = _gamma_fraction(shape[late], ratio[late])
    beyond[late] = front[late] * total
    below[late] = 1.0 - beyond[late]
    integral[late] = front[late] * (deviance[late] * total - slope)
    front[over] = 0.0
    return below, beyond, integral, front


def _gamma_masses(lags: FloatArray, sets: FloatArray, s: IntArray) -> tuple[FloatArray, FloatArray]:
    """Return the mass below and beyond each lag > 0, without the integral of D."""
    shape, ratio = sets[s, 0], np.minimum(lags * sets[s, 1], _HUGE)
    below, beyond = (
        scipy.special.gammainc(shape, shape * ratio),
        scipy.special.gammaincc(shape, shape * ratio),
    )
    large = shape > _MOST_SHAPE
    if large.any():
        below[large], beyond[large], _, _ = _gamma_split(lags[large], sets, s[large])
    return below, beyond


def splits_of(
    kernel: tuple[int, FloatArray, FloatArray], lags: FloatArray, s: IntArray
) -> tuple[FloatArray, FloatArray]:
    """Return the mass up to each lag and the mass beyond it, the smaller one exact."""
    family, sets, edges = kernel
    below, beyond = np.zeros_like(lags), np.ones_like(lags)
    some = lags > (edges[0] if family == HISTOGRAM else 0.0)
    lags, s = lags[some], s[some]
    if family == LOG_NORMAL:
        z = (np.log(lags) - sets[s, 0]) / sets[s, 1]
        tail = 0.5 * scipy.special.erfc(np.abs(z) * _SQRT_HALF)
        below[some] = np.where(z < 0.0, tail, 1.0 - tail)
        beyond[some] = np.where(z < 0.0, 1.0 - tail, tail)
    elif family == GAMMA:
        below[some], beyond[some] = _gamma_masses(lags, sets, s)
    else:
        b = bins_of(lags, edges)
        at = np.maximum(b, 0)
        mass = np.minimum(sets[s, edges.size - 1 + at] + sets[s, at] * (lags - edges[at]), 1.0)
        below[some] = np.where(b >= 0, mass, 1.0)
        beyond[some] = 1.0 - below[some]
    return below, beyond


@QUIETLY
def density_and_mass(
    family: int, lags: FloatArray, sets: FloatArray, edges: FloatArray, out: FloatArray
) -> None:
    """Write density and mass up to a lag, of every set (columns), to ``out[0]`` and ``out[1]``."""
    kernel = family, sets, edges
    every = np.repeat(lags, sets.shape[0])
    s = np.tile(np.arange(sets.shape[0]), lags.size)
    flat = out.reshape(2, -1)
    flat[0] = 0.0
    some = every > 0.0
    measures = measures_of(family, every[some], sets, s[some])
    flat[0, some] = densities_of(kernel, every[some], measures, s[some])
    flat[1] = splits_of(kernel, every, s)[0]
    out[:] = flat.reshape(out.shape)


@QUIETLY
def pair_densities(
    family: int,
    lags: FloatArray,
    which: IntArray,
    sets: FloatArray,
    edges: FloatArray,
    out: FloatArray,
) -> None:
    """Write the density at each lag > 0 under its own set to `out`, the reach disregarded."""
    measures = measures_of(family, lags, sets, which)
    out[:] = densities_of((family, sets, edges), lags, measures, which)


def tails_of(
    kernel: tuple[Any, ...], lags: FloatArray, s: IntArray
) -> tuple[FloatArray, list[FloatArray]]:
    """Return the mass up to each lag, and the expected statistics of the lags beyond it."""
    family, sets, edges, _, _ = kernel
    if family == GAMMA:
        mass, beyond, front = np.zeros_like(lags), np.ones_like(lags), np.zeros_like(lags)
        deviance, some = sets[s, 3], lags > 0.0
        found = _gamma_split(lags[some], sets, s[some])
        mass[some], beyond[some], deviance[some], front[some] = found
        return mass, [beyond, front / sets[s, 0], deviance]
    mass, beyond = splits_of((family, sets, edges), lags, s)
    if family == HISTOGRAM:
        left = [
            np.maximum(edges[b + 1] - np.maximum(lags, edges[b]), 0.0) * sets[s, b]
            for b in range(edges.size - 1)
        ]
        return mass, left
    some = lags > 0.0
    z, phi = np.zeros_like(lags), np.zeros_like(lags)
    z[some] = (np.log(lags[some]) - sets[s[some], 0]) / sets[s[some], 1]
    phi[some] = _PHI_0 * np.exp(-0.5 * z[some] ** 2)
    return mass, [beyond, sets[s, 1] * phi, sets[s, 1] ** 2 * (beyond + z * phi)]
