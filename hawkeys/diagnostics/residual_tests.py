"""Test statistics of rescaled events, each with its asymptotic p-value for known parameters.

ks: sqrt(n) sup |F_n - F|, F the Exp(1) law. anderson_darling: A^2 against F. lag_1: |r_1| n /
sqrt(n - 1), r_k the correlation at lag k of u = F(residual) about the mean 1/2. ljung_box: sum of
r_k^2 n^2 / (n - k) over lags 1 to 10. dispersion: sum (count - expected)^2 / sum expected over
cells. residual_process: sup |N(s) - s| / sqrt(S) of the counting process N of rescaled times on
[0, S].

References
----------
Marsaglia, G. and Marsaglia, J. (2004). Evaluating the Anderson-Darling distribution. Journal of
Statistical Software 9(2). doi:10.18637/jss.v009.i02

Ljung, G. M. and Box, G. E. P. (1978). On a measure of lack of fit in time series models. Biometrika
65(2), 297-303. doi:10.1093/biomet/65.2.297

Ogata, Y. (1988). Statistical models for earthquake occurrences and residual analysis for point
processes. Journal of the American Statistical Association 83(401), 9-27.
doi:10.1080/01621459.1988.10478560
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import scipy

from hawkeys._typing import FloatArray
from hawkeys.diagnostics.time_rescaling import RescaledEvents, steps

__all__ = ["TESTS", "ResidualTest", "Scope", "measure", "monte_carlo_pvalues", "scopes_of"]

_LAGS = 10
# coefficients of the two ranges of the Anderson-Darling limit, highest power first
_SMALL = (0.00168691, -0.0116720, 0.0347962, -0.0649821, 0.247105, 2.00012)
_LARGE = (-0.0003146, 0.008056, -0.082433, 0.43424, -2.30695, 1.0776)


@dataclass(frozen=True, eq=False)
class Scope:
    """What one test looks at: one mark, or all marks pooled.

    Attributes
    ----------
    times : ndarray of float64, shape (n_events,)
        Rescaled times, increasing; of all marks with their axes laid end to end.
    total : float
        Length of that axis.
    counts, expected : ndarray of float64, shape (n_cells,)
        Events in each cell, and the cell's rescaled length.
    windows : bool
        Whether the cells are the windows of observation, not equal stretches.
    """

    times: FloatArray
    total: float
    counts: FloatArray
    expected: FloatArray
    windows: bool = False

    @property
    def n_events(self) -> int:
        """Number of events."""
        return self.times.size

    @cached_property
    def residuals(self) -> FloatArray:
        """Steps between the times, shape (n_events,)."""
        return steps(self.times)

    @cached_property
    def uniforms(self) -> FloatArray:
        """What is U(0, 1) if the process is right, 1 - exp(-residual), shape (n_events,)."""
        return -np.expm1(-self.residuals)

    @cached_property
    def ordered(self) -> FloatArray:
        """The residuals from the smallest to the largest, shape (n_events,)."""
        return np.sort(self.residuals)


@dataclass(frozen=True)
class ResidualTest:
    """A statistic of a `Scope`, large when the process is wrong.

    Attributes
    ----------
    name : str
        Name in tables.
    statistic : callable
        ``statistic(scope) -> float``; NaN if the scope has too few events.
    asymptotic : callable
        ``asymptotic(statistic, scope) -> float``: p-value if the process is known, not fitted; NaN
        if there is none.
    two_sided : bool
        Whether small values speak against the process as well.
    """

    name: str
    statistic: Callable[[Scope], float]
    asymptotic: Callable[[float, Scope], float]
    two_sided: bool = False


def scopes_of(rescaled: RescaledEvents) -> list[Scope]:
    """Return the pooled scope, then that of each mark.

    The cells are the windows; of a single window, about sqrt(expected events) equal stretches
    of rescaled time.

    Parameters
    ----------
    rescaled : RescaledEvents
        Rescaled events.

    Returns
    -------
    list of Scope, length n_marks + 1
        In the pooled scope a window counts the events of all marks.
    """
    single = [_scope(rescaled, [i]) for i in range(rescaled.totals.size)]
    if len(single) == 1:
        return [*single, *single]
    return [_scope(rescaled, list(range(len(single)))), *single]


def _scope(rescaled: RescaledEvents, marks: list[int]) -> Scope:
    """Lay the axes of some marks end to end."""
    totals = rescaled.totals[marks]
    starts = np.cumsum(totals) - totals
    parts = [start + rescaled.of_mark(i) for start, i in zip(starts, marks, strict=True)]
    times, total = np.concatenate(parts), float(totals.sum())
    if len(rescaled.expected) == 1:
        return Scope(times, total, *_stretches(times, total))
    counts = rescaled.counts[:, marks].sum(axis=1).astype(np.float64)
    return Scope(times, total, counts, rescaled.expected[:, marks].sum(axis=1), windows=True)


def _stretches(times: FloatArray, total: float) -> tuple[FloatArray, FloatArray]:
    number = max(2, round(math.sqrt(total)))
    edges = np.linspace(0.0, total, number + 1)[1:-1]
    below = np.searchsorted(np.maximum.accumulate(times), edges)
    counts = np.diff(below, prepend=0, append=times.size).astype(np.float64)
    return counts, np.full(number, total / number)


def _kolmogorov_smirnov(scope: Scope) -> float:
    n = scope.n_events
    if n == 0:
        return math.nan
    probability = -np.expm1(-scope.ordered)
    step = np.arange(n + 1) / n
    distance = max((step[1:] - probability).max(), (probability - step[:-1]).max())
    return float(math.sqrt(n) * distance)


def _kolmogorov_smirnov_tail(statistic: float, scope: Scope) -> float:
    from scipy.stats import kstwo  # slow to import, and of use with known parameters only

    return float(kstwo.sf(statistic / math.sqrt(scope.n_events), scope.n_events))


def _anderson_darling(scope: Scope) -> float:
    n = scope.n_events
    if n == 0:
        return math.nan
    x = scope.ordered
    if x[0] <= 0.0:
        return math.inf
    odd = 2.0 * np.arange(1, n + 1) - 1.0
    return float(-n - (odd * (np.log(-np.expm1(-x)) - x[::-1])).sum() / n)


def _anderson_darling_tail(statistic: float, scope: Scope) -> float:
    """Return 1 - adinf of Marsaglia & Marsaglia (2004), good to 2e-6."""
    del scope
    z = statistic
    if z <= 0.0 or math.isinf(z):
        return float(z <= 0.0)
    if z < 2.0:
        factor = float(np.polyval(_SMALL, z))
        return 1.0 - math.exp(-1.2337141 / z) / math.sqrt(z) * factor
    return -math.expm1(-math.exp(float(np.polyval(_LARGE, z))))


def _autocorrelations(scope: Scope, lags: int) -> FloatArray:
    """Return r_k n / sqrt(n - k), about N(0, 1), of each lag k that has a pair."""
    n = scope.n_events
    u = scope.uniforms - 0.5
    used = np.arange(1, min(lags, n - 1) + 1)
    power = float(u @ u)
    if not power:
        return np.empty(0)
    return np.array([u[k:] @ u[:-k] for k in used]) / power * n / np.sqrt(n - used)


def _lag_one(scope: Scope) -> float:
    values = _autocorrelations(scope, 1)
    return float(abs(values[0])) if values.size else math.nan


def _lag_one_tail(statistic: float, scope: Scope) -> float:
    del scope
    return math.erfc(statistic / math.sqrt(2.0))


def _ljung_box(scope: Scope) -> float:
    values = _autocorrelations(scope, _LAGS)
    return float(values @ values) if values.size else math.nan


def _ljung_box_tail(statistic: float, scope: Scope) -> float:
    return float(scipy.special.chdtrc(min(_LAGS, scope.n_events - 1), statistic))


def _dispersion(scope: Scope) -> float:
    if not scope.total:
        return math.nan
    return float(((scope.counts - scope.expected) ** 2).sum() / scope.total)


def _dispersion_tail(statistic: float, scope: Scope) -> float:
    """Return the p-value of a chi-square with the mean and variance of independent Poissons.

    Windows have no such law, for their rescaled lengths are random and depend on the counts.
    """
    if scope.windows:
        return math.nan
    freedom = 2.0 * scope.total**2 / float((2.0 * scope.expected**2 + scope.expected).sum())
    upper = float(scipy.special.chdtrc(freedom, freedom * statistic))
    return min(1.0, 2.0 * min(upper, 1.0 - upper))


def _residual_process(scope: Scope) -> float:
    if not scope.total:
        return math.nan
    count = np.arange(scope.n_events)
    above = np.abs(count + 1 - scope.times).max(initial=0.0)
    below = np.abs(count - scope.times).max(initial=0.0)
    at_end = abs(scope.n_events - scope.total)
    return float(max(above, below, at_end) / math.sqrt(scope.total))


def _residual_process_tail(statistic: float, scope: Scope) -> float:
    """Return the probability that a Brownian motion on [0, 1] leaves +-statistic."""
    del scope
    odd = 2.0 * np.arange(10) + 1.0
    signs = np.where(np.arange(10) % 2, -1.0, 1.0)
    if statistic >= 1.0:  # each series converges fast on its side of 1
        return float(4.0 * (signs * scipy.special.ndtr(-odd * statistic)).sum())
    inside = signs / odd * np.exp(-((math.pi * odd / statistic) ** 2) / 8.0)
    return float(1.0 - 4.0 / math.pi * inside.sum())


TESTS = (
    ResidualTest("ks", _kolmogorov_smirnov, _kolmogorov_smirnov_tail),
    ResidualTest("anderson_darling", _anderson_darling, _anderson_darling_tail),
    ResidualTest("lag_1", _lag_one, _lag_one_tail),
    ResidualTest("ljung_box", _ljung_box, _ljung_box_tail),
    ResidualTest("dispersion", _dispersion, _dispersion_tail, two_sided=True),
    ResidualTest("residual_process", _residual_process, _residual_process_tail),
)


def measure(rescaled: RescaledEvents) -> FloatArray:
    """Compute every statistic in every scope.

    Parameters
    ----------
    rescaled : RescaledEvents
        Rescaled events.

    Returns
    -------
    ndarray of float64, shape (n_marks + 1, n_tests)
        Pooled, then each mark, in the order of `TESTS`; NaN where there are too few events.
    """
    scopes = scopes_of(rescaled)
    if len(scopes) == 2:  # of one mark, both are the same
        scopes = scopes[:1]
    values = np.array([[test.statistic(scope) for test in TESTS] for scope in scopes])
    return np.resize(values, (len(rescaled.mark_names) + 1, len(TESTS)))


def monte_carlo_pvalues(observed: FloatArray, null: FloatArray) -> FloatArray:
    """Rank the observed statistics among simulated ones: (1 + #as large) / (1 + #simulated).

    Parameters
    ----------
    observed : ndarray of float64, shape (n_marks + 1, n_tests)
        From `measure`.
    null : ndarray of float64, shape (n_samples, n_marks + 1, n_tests)
        The same of simulated samples; those where a statistic is NaN do not count for it.

    Returns
    -------
    ndarray of float64, shape (n_marks + 1, n_tests)
        NaN where the observed statistic is, or without a simulated one.

    References
    ----------
    Davison, A. C. and Hinkley, D. V. (1997). Bootstrap Methods and their Application, eq. 4.11.
    doi:10.1017/CBO9780511802843
    """
    size = 1 + (~np.isnan(null)).sum(axis=0)
    above = (1 + (null >= observed).sum(axis=0)) / size
    below = (1 + (null <= observed).sum(axis=0)) / size
    both = np.array([test.two_sided for test in TESTS])
    value = np.where(both, np.minimum(1.0, 2.0 * np.minimum(above, below)), above)
    return np.where(np.isnan(observed) | (size == 1), np.nan, value)
