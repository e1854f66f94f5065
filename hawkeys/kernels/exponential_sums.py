r"""A power law as a sum of exponentials, with a bound of the error that is computed, not measured.

With :math:`v = e^x` the gamma integral

.. math:: (1 + U)^{-p} = \frac{1}{\Gamma(p)} \int_{-\infty}^\infty e^{p x - e^x (1 + U)} \, dx

is a trapezoidal sum of step h, term after term an exponential in U. By Poisson's summation formula
its relative error is, for every U, at most :math:`2 \sum_k |\Gamma(p + 2 \pi i k / h)| / \Gamma(p)`
(Beylkin and Monzón 2010, section 4). What the sum lacks beyond its last and below its first term is
an incomplete gamma function and a geometric series. The many slow terms become few by Gauss's
quadrature of their discrete measure, whose error follows from the derivatives of exp(-v U).

References
----------
Beylkin, G. and Monzón, L. (2010). Approximation by exponential sums revisited. Applied and
Computational Harmonic Analysis 28(2), 131-149. doi:10.1016/j.acha.2009.08.011

Golub, G. H. and Welsch, J. H. (1969). Calculation of Gauss quadrature rules. Mathematics of
Computation 23, 221-230. doi:10.2307/2004418
"""

from __future__ import annotations

import math
from functools import lru_cache
from typing import NamedTuple

import numpy as np
import scipy

from hawkeys._typing import FloatArray

__all__ = ["ExponentialSum", "power_as_exponentials"]

# parts of the tolerance: the step, the first terms, the last terms, the quadrature of slow terms
_SHARE = 0.25
# harmonics of the step that are added up; each is smaller than the one before, squared or so
_HARMONICS = np.arange(1, 33)
_HALVINGS = 60
# logarithm of the share of its height at which a power law counts as nothing
_NOTHING = 550.0
# nodes of the quadrature at most; more would not be worth the terms that they replace
_MOST_NODES = 24


class ExponentialSum(NamedTuple):
    """Exponentials ``sum_n heights[n] exp(-rates[n] u)`` that stand for a density.

    Attributes
    ----------
    rates : ndarray of float64, shape (n_terms,)
        Decay rates > 0, per unit of time, decreasing.
    heights : ndarray of float64, shape (n_terms,)
        Heights > 0 at lag 0, per unit of time.
    error : float
        Bound of the relative error of the density at every lag of the range, but for rounding.
    """

    rates: FloatArray
    heights: FloatArray
    error: float


@lru_cache(maxsize=64)
def power_as_exponentials(p: float, longest: float, tolerance: float) -> ExponentialSum:
    """Return exponentials whose sum is (1 + U)^-p for all U from 0 to `longest`.

    Parameters
    ----------
    p : float
        Exponent > 0, at most 1000: rounding grows with it, to some 1e-12.
    longest : float
        End of the range, >= 0; or where the power is below 1e-238, if that is earlier.
    tolerance : float
        Largest relative error, between 1e-13 and 0.1.

    Returns
    -------
    ExponentialSum
        Its `error` is at most the tolerance; arrays are read-only.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.kernels.exponential_sums import power_as_exponentials
    >>> rates, heights, error = power_as_exponentials(1.2, 1e5, 1e-6)
    >>> rates.size, error < 1e-6
    (30, True)
    >>> float(abs(heights @ np.exp(-rates * 9.0) * 10.0**1.2 - 1.0) < error)
    1.0
    """
    longest = min(longest, math.expm1(min(_NOTHING / p, _NOTHING)))
    part = _SHARE * tolerance
    step, errors = _step(p, part)
    fastest = math.log(scipy.special.gammainccinv(p, part))
    reach = p * math.log1p(longest)
    norm = scipy.special.gammaln(p)
    # what is below the first term: a geometric series of height exp(p x), against (1 + longest)^-p
    front = math.log(step) - math.log(-math.expm1(-step * p)) - norm + reach
    slowest = min((math.log(part) - front) / p, fastest - 2.0 * step)
    points = fastest - step * np.arange(math.ceil((fastest - slowest) / step) + 1)
    errors += part + math.exp(front + p * (points[-1] - step))
    heights = step * np.exp(p * points - np.exp(points) - norm)
    rates, heights, quadrature = _fewer(np.exp(points), heights, (longest, reach), part)
    rates.flags.writeable = heights.flags.writeable = False
    return ExponentialSum(rates, heights, errors + quadrature)


def _step(p: float, part: float) -> tuple[float, float]:
    """Return the longest step whose error is at most `part`, and its error."""
    short, long = 0.0, 4.0 * math.pi
    for _ in range(_HALVINGS):
        middle = 0.5 * (short + long)
        short, long = (middle, long) if _of_step(p, middle) <= part else (short, middle)
    return short, _of_step(p, short)


def _of_step(p: float, step: float) -> float:
    """Return the bound of the relative error of a trapezoidal sum."""
    at = p + 2j * math.pi * _HARMONICS / step
    logs = scipy.special.loggamma(at).real - scipy.special.gammaln(p)
    return float(2.0 * np.exp(logs).sum())


def _fewer(
    rates: FloatArray, heights: FloatArray, within: tuple[float, float], part: float
) -> tuple[FloatArray, FloatArray, float]:
    """Replace the slowest terms by the nodes of a quadrature, as many as leaves fewest in all.

    `within` holds the range of U and p log(1 + range). A quadrature with m nodes of a measure of
    mass M on [0, b] errs by at most 4 M (b U / 4)^2m / (2 m)!, since the monic polynomial of least
    norm is no larger than Chebyshev's, 2 (b / 4)^m.
    """
    longest, reach = within
    mass = np.cumsum(heights[::-1])[::-1]
    nodes = np.arange(1, _MOST_NODES + 1)
    with np.errstate(divide="ignore"):
        scale = np.log(0.25 * rates * longest)[:, None]
        logs = np.log(4.0 * mass)[:, None] + reach + 2.0 * nodes * scale
    bounds = np.exp(np.minimum(logs - scipy.special.gammaln(2.0 * nodes + 1.0), 1.0))
    need = np.where((bounds <= part).any(axis=1), (bounds <= part).argmax(axis=1), rates.size)
    total = np.arange(rates.size) + need
    first = int(total.argmin())
    many = int(need[first]) + 1
    if many >= rates.size - first:
        return rates, heights, 0.0
    slow, weights = _quadrature(rates[first:], heights[first:], many)
    error = float(bounds[first, many - 1])
    return np.append(rates[:first], slow), np.append(heights[:first], weights), error


def _quadrature(
    points: FloatArray, masses: FloatArray, n_nodes: int
) -> tuple[FloatArray, FloatArray]:
    """Return nodes, decreasing, and weights of Gauss's rule for a discrete measure, by Lanczos."""
    start = np.sqrt(masses / masses.sum())
    basis, diagonal, beside = [start], [], []
    for k in range(n_nodes):
        rest = points * basis[k]
        diagonal.append(float(basis[k] @ rest))
        for _ in range(2):  # orthogonal to all before to the last digit
            rest -= np.stack(basis).T @ (np.stack(basis) @ rest)
        beside.append(float(np.linalg.norm(rest)))
        basis.append(rest / beside[k])
    nodes, vectors = scipy.linalg.eigh_tridiagonal(diagonal, beside[:-1])
    order = np.argsort(-nodes)
    return np.abs(nodes[order]), masses.sum() * vectors[0, order] ** 2
