"""Renewal laws of intervals: log-normal, mixtures of log-normals, and Markov."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.special import logsumexp
from sklearn.exceptions import ConvergenceWarning as NotConverged
from sklearn.mixture import GaussianMixture

from hawkeys._typing import FloatArray
from hawkeys._validation import check_count, check_positive_number
from hawkeys.exceptions import ConvergenceWarning, InvalidTimingsError
from hawkeys.verifiers.event_times.model import EventTimeModel

__all__ = ["LogNormalRenewal", "MarkovRenewal", "MixtureRenewal"]

_LOG_2_PI = float(np.log(2.0 * np.pi))


class LogNormalRenewal(EventTimeModel):
    """Independent log-normal intervals.

    Parameters
    ----------
    min_variance : float, default 1e-4
        Added to the variance of the log intervals.

    Attributes
    ----------
    location_ : float
        Mean log interval (seconds).
    variance_ : float
        Variance of the log intervals.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.verifiers.event_times import LogNormalRenewal
    >>> round(LogNormalRenewal().fit(np.exp([[-2.0, 0.0]])).location_, 4)
    -1.0
    """

    def __init__(self, min_variance: float = 1e-4) -> None:
        self.min_variance = min_variance

    def _learn(self, intervals: FloatArray) -> None:
        floor = check_positive_number(self.min_variance, "min_variance")
        log = np.log(intervals)
        self.location_ = float(log.mean())
        self.variance_ = float(log.var()) + floor

    def _log_likelihood(self, intervals: FloatArray) -> FloatArray:
        log = np.log(intervals)
        scaled = (log - self.location_) ** 2 / self.variance_
        return np.asarray((-0.5 * (_LOG_2_PI + np.log(self.variance_) + scaled) - log).sum(axis=1))


class MixtureRenewal(EventTimeModel):
    """Independent intervals with a mixture of log-normals as their law.

    Parameters
    ----------
    n_components : int, default 8
        Number of log-normals.
    min_variance : float, default 1e-3
        Added to the variance of each.
    random_state : int or None, default 0
        Seed of the start.

    Attributes
    ----------
    mixture_ : sklearn.mixture.GaussianMixture
        Of the log intervals.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.verifiers.event_times import MixtureRenewal
    >>> samples = np.exp(np.random.default_rng(0).normal(-2.0, 0.5, (20, 30)))
    >>> MixtureRenewal(2).fit(samples).log_likelihood(samples).shape
    (20,)
    """

    def __init__(
        self, n_components: int = 8, min_variance: float = 1e-3, random_state: int | None = 0
    ) -> None:
        self.n_components = n_components
        self.min_variance = min_variance
        self.random_state = random_state

    def _learn(self, intervals: FloatArray) -> None:
        self.mixture_ = _fit_mixture(np.log(intervals).reshape(-1, 1), self)

    def _log_likelihood(self, intervals: FloatArray) -> FloatArray:
        log = np.log(intervals)
        density = self.mixture_.score_samples(log.reshape(-1, 1)).reshape(log.shape)
        return np.asarray((density - log).sum(axis=1))


class MarkovRenewal(EventTimeModel):
    """Intervals whose law depends on the interval before, by a mixture of pairs.

    Successive log intervals (x, y) have a mixture of bivariate normals as their law; an interval
    given the one before has the density of the pair over that of its first member, and the first
    interval of a sample that of first members.

    Parameters
    ----------
    n_components : int, default 16
        Number of normals.
    min_variance : float, default 1e-3
        Added to the variances of each.
    random_state : int or None, default 0
        Seed of the start.

    Attributes
    ----------
    mixture_ : sklearn.mixture.GaussianMixture
        Of the pairs of log intervals.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.verifiers.event_times import MarkovRenewal
    >>> samples = np.exp(np.random.default_rng(0).normal(-2.0, 0.5, (20, 30)))
    >>> MarkovRenewal(2).fit(samples).log_likelihood(samples).shape
    (20,)
    """

    def __init__(
        self, n_components: int = 16, min_variance: float = 1e-3, random_state: int | None = 0
    ) -> None:
        self.n_components = n_components
        self.min_variance = min_variance
        self.random_state = random_state

    def _learn(self, intervals: FloatArray) -> None:
        if intervals.shape[1] < 2:
            raise InvalidTimingsError(
                "samples have one interval each, so that none has one before it. Give samples of "
                "two or more."
            )
        self.mixture_ = _fit_mixture(_pairs(np.log(intervals)), self)

    def _log_likelihood(self, intervals: FloatArray) -> FloatArray:
        log = np.log(intervals)
        n, length = log.shape
        first = self._first(log)
        total = first[:, 0] - log.sum(axis=1)
        if length > 1:
            joint = self.mixture_.score_samples(_pairs(log)).reshape(n, length - 1)
            total = total + (joint - first[:, :-1]).sum(axis=1)
        return np.asarray(total)

    def _first(self, log: FloatArray) -> FloatArray:
        """Return the log density of first members, same shape."""
        mixture = self.mixture_
        variance = mixture.covariances_[:, 0, 0]
        scaled = (log[..., None] - mixture.means_[:, 0]) ** 2 / variance
        parts = np.log(mixture.weights_) - 0.5 * (_LOG_2_PI + np.log(variance) + scaled)
        return np.asarray(logsumexp(parts, axis=-1))


def _pairs(log: FloatArray) -> FloatArray:
    """Return successive log intervals of all samples, (n_samples (n_intervals - 1), 2)."""
    return np.stack((log[:, :-1].ravel(), log[:, 1:].ravel()), axis=1)


def _fit_mixture(points: FloatArray, model: MixtureRenewal | MarkovRenewal) -> GaussianMixture:
    """Fit the mixture of a model; fewer points than components are refused."""
    n_components = check_count(model.n_components, "n_components")
    floor = check_positive_number(model.min_variance, "min_variance")
    if len(points) < n_components:
        raise InvalidTimingsError(
            f"there are {len(points)} intervals for n_components={n_components}. Give more samples "
            "or use fewer components."
        )
    mixture = GaussianMixture(
        n_components, reg_covar=floor, random_state=model.random_state, max_iter=500
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", NotConverged)  # said in our own words below
        mixture.fit(points)
    if not mixture.converged_:
        warnings.warn(
            f"the mixture of {n_components} components did not converge in {mixture.max_iter} "
            "steps; use fewer components.",
            ConvergenceWarning,
            stacklevel=4,
        )
    return mixture
