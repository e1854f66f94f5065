"""Pareto-smoothed importance sampling."""

from __future__ import annotations

import math

import numpy as np

from hawkeys._typing import FloatArray

__all__ = ["fit_generalized_pareto", "reliable_below", "smooth_weights"]

_FEWEST = 5


def smooth_weights(log_ratios: FloatArray) -> tuple[FloatArray, float]:
    """Return normalised log weights, the largest smoothed, and the shape k of their tail.

    The M = min(S / 5, 3 sqrt(S)) largest of S ratios become the expected order statistics of the
    generalised Pareto distribution fitted to them, cut at the largest. k is infinite if fewer than
    five ratios stand out, and minus infinity if none does because they are equal.

    References
    ----------
    Vehtari, A., Gelman, A. and Gabry, J. (2017). Practical Bayesian model evaluation using
    leave-one-out cross-validation and WAIC. Statistics and Computing 27, 1413-1432, section 2.1.
    doi:10.1007/s11222-016-9696-4
    """
    log_weights = log_ratios - log_ratios.max()
    n = log_weights.size
    order = np.argsort(log_weights, kind="stable")
    n_tail = math.ceil(min(0.2 * n, 3.0 * math.sqrt(n)))
    cutoff = max(float(log_weights[order[-n_tail - 1]]), math.log(np.finfo(float).tiny))
    tail = order[-n_tail:][log_weights[order[-n_tail:]] > cutoff]
    shape = math.inf if tail.size > 0 else -math.inf
    if tail.size >= _FEWEST:
        floor = math.exp(cutoff)
        shape, scale = fit_generalized_pareto(np.exp(log_weights[tail]) - floor)
        level = (np.arange(tail.size) + 0.5) / tail.size
        excess = _pareto_quantile(level, shape, scale)
        log_weights[tail] = np.minimum(np.log(floor + excess), 0.0)
    return log_weights - np.logaddexp.reduce(log_weights), shape


def fit_generalized_pareto(excess: FloatArray) -> tuple[float, float]:
    """Return shape k and scale sigma of positive excesses in increasing order.

    The posterior mean under an empirical prior, k drawn towards 1/2 as by ten observations.

    References
    ----------
    Zhang, J. and Stephens, M. A. (2009). A new and efficient estimation method for the generalized
    Pareto distribution. Technometrics 51(3), 316-325, section 3. doi:10.1198/tech.2009.08017
    """
    n = excess.size
    n_points = 30 + int(math.sqrt(n))
    quartile = excess[int(n / 4 + 0.5) - 1]
    theta = 1.0 - np.sqrt(n_points / (np.arange(1, n_points + 1) - 0.5))
    theta = theta / (3.0 * quartile) + 1.0 / excess[-1]
    shapes = np.log1p(-theta[:, None] * excess).mean(axis=1)
    profile = n * (np.log(-theta / shapes) - shapes - 1.0)
    weights = np.exp(profile - np.logaddexp.reduce(profile))
    best = float(weights @ theta)
    shape = float(np.log1p(-best * excess).mean())
    return (n * shape + 5.0) / (n + 10.0), -shape / best


def reliable_below(n_draws: int) -> float:
    """Return the k up to which n draws suffice: 1 - 1 / log10(n), at most 0.7.

    References
    ----------
    Vehtari, A., Simpson, D., Gelman, A., Yao, Y. and Gabry, J. (2024). Pareto smoothed importance
    sampling. JMLR 25(72), section 3.2.4. arXiv:1507.02646
    """
    return min(1.0 - 1.0 / math.log10(n_draws), 0.7)


def _pareto_quantile(level: FloatArray, shape: float, scale: float) -> FloatArray:
    if abs(shape) < 1e-12:
        return np.asarray(-scale * np.log1p(-level))
    return np.asarray(scale * np.expm1(-shape * np.log1p(-level)) / shape)
