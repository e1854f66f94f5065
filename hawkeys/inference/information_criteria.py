"""Expected predictive accuracy of variational fits: WAIC and leave-one-out over realisations."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from hawkeys._design import Design
from hawkeys._typing import FloatArray, IntArray, RandomState
from hawkeys._validation import as_generator, check_count
from hawkeys.events import Events
from hawkeys.exceptions import ImportanceWarning, InvalidParameterError
from hawkeys.fit_result import FitResult
from hawkeys.inference.pareto import reliable_below, smooth_weights
from hawkeys.results import VariationalResult

__all__ = ["PredictiveAccuracy", "psis_loo", "waic"]

# Heavier tails than the posterior's keep the importance weights bounded.
_DEGREES = 4.0
_TILE = 4096
_ROUNDS = 3


@dataclass(frozen=True, eq=False)
class PredictiveAccuracy:
    """Expected log predictive density of a new realisation for each one observed.

    Attributes
    ----------
    criterion : {"waic", "psis_loo"}
        What was computed.
    pointwise : ndarray, shape (n_realizations,)
        Log predictive density of each realisation, in nats.
    pointwise_parameters : ndarray, shape (n_realizations,)
        What each realisation adds to `n_effective`.
    pareto_k : ndarray, shape (n_realizations, n_marks), or None
        Shape of the tail of the leave-one-out weights of each realisation and target; None for
        WAIC.
    posterior_k : ndarray, shape (n_marks,)
        The same of the weights that take the draws to the posterior.
    n_draws : int
        Number of draws per target.
    """

    criterion: str
    pointwise: FloatArray
    pointwise_parameters: FloatArray
    pareto_k: FloatArray | None
    posterior_k: FloatArray
    n_draws: int

    @property
    def elpd(self) -> float:
        """Expected log predictive density, summed over realisations, in nats; more is better."""
        return float(self.pointwise.sum())

    @property
    def std_err(self) -> float:
        """Standard error of `elpd`, from the spread over realisations."""
        return float(math.sqrt(self.pointwise.size * self.pointwise.var(ddof=1)))

    @property
    def n_effective(self) -> float:
        """Effective number of parameters."""
        return float(self.pointwise_parameters.sum())

    @property
    def deviance(self) -> float:
        """-2 `elpd`, on the scale of AIC."""
        return -2.0 * self.elpd

    def __repr__(self) -> str:
        return (
            f"PredictiveAccuracy(criterion={self.criterion!r}, elpd={self.elpd:.1f}, "
            f"std_err={self.std_err:.1f}, n_effective={self.n_effective:.1f}, "
            f"n_realizations={self.pointwise.size})"
        )


def waic(
    result: FitResult, events: Events, *, n_draws: int = 2000, rng: RandomState = 0
) -> PredictiveAccuracy:
    r"""Return the widely applicable information criterion, realisations being the points.

    .. math:: \sum_r \big[ \log E\, p(y_r \mid \theta) - \mathrm{var} \log p(y_r \mid \theta) \big],

    over the posterior; the variances sum to the effective number of parameters.

    Parameters
    ----------
    result : VariationalResult
        A fit with ``method="vi"`` or "vi_stochastic".
    events : Events
        The data of the fit, at least two realisations.
    n_draws : int, default 2000
        Draws per target mark, at least 100.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None, default 0
        Randomness of the draws.

    Returns
    -------
    PredictiveAccuracy
        Pointwise values, standard error, effective number of parameters, diagnostics.

    Raises
    ------
    InvalidParameterError
        `result` is not variational, `events` are not its data, or there is one realisation only.

    Warns
    -----
    ImportanceWarning
        The posterior's weights are unreliable, or a realisation's variance exceeds 0.4, so that
        `psis_loo` is the safer choice.

    Notes
    -----
    As for `psis_loo`.

    References
    ----------
    Watanabe, S. (2010). Asymptotic equivalence of Bayes cross validation and widely applicable
    information criterion. JMLR 11, 3571-3594, definition 3 and section 6.

    Vehtari, A., Gelman, A. and Gabry, J. (2017). Practical Bayesian model evaluation using
    leave-one-out cross-validation and WAIC. Statistics and Computing 27, 1413-1432, eqs. 11-13.
    doi:10.1007/s11222-016-9696-4

    Examples
    --------
    >>> import hawkeys
    >>> truth = hawkeys.Hawkes([0.5], [[0.4]], decay=2.0)
    >>> sample = hawkeys.simulate(truth, end_time=50.0, n_realizations=40, rng=0)
    >>> result = hawkeys.fit(sample, decay=2.0, method="vi")
    >>> score = hawkeys.inference.waic(result, sample)
    >>> 1.5 < score.n_effective < 2.5
    True
    """
    fit = _check(result, events)
    pointwise = np.zeros((len(events), 2))
    shapes = np.empty(events.n_marks)
    for i, (log_ratios, values) in enumerate(_targets(fit, events, n_draws, rng)):
        log_weights, shapes[i] = smooth_weights(log_ratios)
        density = np.logaddexp.reduce(values + log_weights, axis=1)
        mean = values @ np.exp(log_weights)
        variance = (values - mean[:, None]) ** 2 @ np.exp(log_weights)
        pointwise += np.column_stack((density - variance, variance))
    _warn("posterior", shapes, n_draws)
    if (pointwise[:, 1] > 0.4).any():
        warnings.warn(
            f"WAIC: the log-likelihood of {(pointwise[:, 1] > 0.4).sum()} realisations varies by "
            "more than 0.4 over the posterior, too much for its approximation. Use psis_loo.",
            ImportanceWarning,
            stacklevel=2,
        )
    return PredictiveAccuracy("waic", pointwise[:, 0], pointwise[:, 1], None, shapes, n_draws)


def psis_loo(
    result: FitResult, events: Events, *, n_draws: int = 2000, rng: RandomState = 0
) -> PredictiveAccuracy:
    r"""Return the leave-one-realisation-out log predictive density, without re-fitting.

    .. math:: \sum_r \log p(y_r \mid y_{-r}), \qquad
        p(y_r \mid y_{-r}) = \frac{\sum_s w_{rs}\, p(y_r \mid \theta_s)}{\sum_s w_{rs}}, \qquad
        w_{rs} \propto \frac{p(y \mid \theta_s)\, p(\theta_s)}{q(\theta_s)\, p(y_r \mid \theta_s)}

    with the largest weights smoothed.

    Parameters
    ----------
    result : VariationalResult
        A fit with ``method="vi"`` or "vi_stochastic".
    events : Events
        The data of the fit, at least two realisations.
    n_draws : int, default 2000
        Draws per target mark, at least 100.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None, default 0
        Randomness of the draws.

    Returns
    -------
    PredictiveAccuracy
        Pointwise values, standard error, effective number of parameters, diagnostics.

    Raises
    ------
    InvalidParameterError
        `result` is not variational, `events` are not its data, or there is one realisation only.

    Warns
    -----
    ImportanceWarning
        A tail shape k above min(0.7, 1 - 1 / log10(n_draws)): that realisation is too influential,
        or the variational posterior too far from the exact one. Re-fit without it.

    Notes
    -----
    For fixed kernels likelihood and posterior separate by target, and so do both criteria: each
    target has draws and weights of its own, of n_marks + 1 dimensions only. Draws q are Student t
    with 4 degrees of freedom in the log-parameters, first with the location of the variational
    posterior and its linear-response covariance (if it has one), then twice with the weighted
    moments of the draws before; the weights take them to the exact posterior under the fitted prior
    coefficients, which are not fitted anew without a realisation. The
    realisation is the point because events within one are dependent. Cost: O(n_draws n_events
    n_marks).

    References
    ----------
    Vehtari, A., Gelman, A. and Gabry, J. (2017). Practical Bayesian model evaluation using
    leave-one-out cross-validation and WAIC. Statistics and Computing 27, 1413-1432, eqs. 4-10.
    doi:10.1007/s11222-016-9696-4

    Cappe, O., Guillin, A., Marin, J. M. and Robert, C. P. (2004). Population Monte Carlo. Journal
    of Computational and Graphical Statistics 13(4), 907-929. doi:10.1198/106186004X12803

    Magnusson, M., Andersen, M. R., Jonasson, J. and Vehtari, A. (2019). Bayesian leave-one-out
    cross-validation for large data. ICML, eq. 8. arXiv:1904.10679

    Examples
    --------
    >>> import hawkeys
    >>> truth = hawkeys.Hawkes([0.5], [[0.4]], decay=2.0)
    >>> sample = hawkeys.simulate(truth, end_time=50.0, n_realizations=40, rng=0)
    >>> result = hawkeys.fit(sample, decay=2.0, method="vi")
    >>> score = hawkeys.inference.psis_loo(result, sample)
    >>> bool(score.pareto_k.max() < 0.7)
    True
    """
    fit = _check(result, events)
    weights = _weights(fit, len(events))
    pointwise = np.zeros((len(events), 2))
    shapes = np.empty((len(events), events.n_marks))
    whole = np.empty(events.n_marks)
    for i, (log_ratios, values) in enumerate(_targets(fit, events, n_draws, rng)):
        log_weights, whole[i] = smooth_weights(log_ratios)
        within = np.logaddexp.reduce(values + log_weights, axis=1)
        for r, weight in enumerate(weights):
            log_weights, shapes[r, i] = smooth_weights(log_ratios - weight * values[r])
            left_out = np.logaddexp.reduce(values[r] + log_weights)
            pointwise[r] += left_out, within[r] - left_out
    _warn("leave-one-out", shapes, n_draws)
    return PredictiveAccuracy("psis_loo", pointwise[:, 0], pointwise[:, 1], shapes, whole, n_draws)


def _targets(
    fit: VariationalResult, events: Events, n_draws: int, rng: RandomState
) -> Iterator[tuple[FloatArray, FloatArray]]:
    """Yield, of each target, log p / q of draws from q (S,) and what realisations make of them.

    The latter are unweighted log-likelihoods (R, S).
    """
    check_count(n_draws, "n_draws", minimum=100)
    generator, weights = as_generator(rng), _weights(fit, len(events))
    support = fit.options.get("support")
    design = Design.build(
        events,
        fit.kernel,
        separate=True,
        support=None if support is None else np.asarray(support, dtype=bool),
        baseline=fit.process.baseline_function,
    )
    for i in range(events.n_marks):
        blocks = range(i, design.n_blocks, events.n_marks)
        location, covariance, used = _start(fit, i)
        for _ in range(_ROUNDS):
            theta, logs, log_student = _student(location, covariance, n_draws, generator)
            values = np.array([_log_likelihood(design, b, theta, used) for b in blocks])
            # the half-normal prior as a density of the log-parameter
            log_prior = logs - theta**2 / fit.prior_coefficient[i, used]
            ratios = weights @ values + log_prior.sum(axis=1) - log_student
            location, covariance = _weighted_moments(logs, ratios)
        yield ratios, values


def _weights(fit: VariationalResult, n_realizations: int) -> FloatArray:
    """Return the weight that the fit gave to each realisation's log-likelihood."""
    given = np.asarray(fit.options.get("weights", 1.0), dtype=np.float64)
    return np.ones(n_realizations) * given * float(fit.options.get("likelihood_weight", 1.0))


def _check(result: FitResult, events: Events) -> VariationalResult:
    """Return `result` if it is a variational fit of `events` with several realisations."""
    if not isinstance(result, VariationalResult):
        raise InvalidParameterError(
            f"WAIC and PSIS-LOO need posterior draws, and method {result.method!r} has none. Fit "
            "with method='vi', or compare aic."
        )
    if not isinstance(events, Events):
        raise InvalidParameterError(
            f"events must be the hawkeys.Events of the fit; got {type(events).__name__}."
        )
    if {"baseline", "tied"} & set(result.options) or result.n_kernel_parameters:
        raise InvalidParameterError(
            "WAIC and PSIS-LOO are made for one constant baseline per mark, a kernel whose "
            f"parameters are given, and nothing tied; the fit has {result.process!r} and the "
            f"options {sorted(result.options)}."
        )
    counts = np.bincount(events.marks, minlength=events.n_marks)
    if len(events) != result.n_realizations or not np.array_equal(counts, result.event_counts):
        raise InvalidParameterError(
            f"events must be the data of the fit: {result.n_realizations} realisations with "
            f"{result.event_counts.tolist()} events by mark; got {len(events)} with "
            f"{counts.tolist()}."
        )
    if len(events) < 2:
        raise InvalidParameterError(
            "WAIC and PSIS-LOO are over realisations, because events within one are dependent; got "
            "1. Cut the record into windows that hardly influence each other and fit those."
        )
    return result


def _start(fit: VariationalResult, target: int) -> tuple[FloatArray, FloatArray, IntArray]:
    """Return location and covariance of the log-parameters of a target, and which they are."""
    location = fit.posterior.location[target]
    used = np.flatnonzero(~np.isnan(location))
    covariance = np.diag(fit.posterior.scale[target, used] ** 2)
    if fit.log_covariance is not None:
        covariance = fit.log_covariance[target][np.ix_(used, used)]
    return location[used], covariance, used


def _student(
    location: FloatArray, covariance: FloatArray, n_draws: int, generator: np.random.Generator
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return exp of draws, the draws, both (S, n), and their log density up to a constant."""
    size = location.size
    noise = generator.standard_normal((n_draws, size))
    noise *= np.sqrt(_DEGREES / generator.chisquare(_DEGREES, n_draws))[:, None]
    logs = location + noise @ np.linalg.cholesky(covariance).T
    log_density = -0.5 * (_DEGREES + size) * np.log1p((noise**2).sum(axis=1) / _DEGREES)
    return np.exp(logs), logs, log_density


def _weighted_moments(logs: FloatArray, log_ratios: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return mean and covariance of draws under smoothed weights."""
    weights = np.exp(smooth_weights(log_ratios)[0])
    location = weights @ logs
    centred = logs - location
    covariance = (weights[:, None] * centred).T @ centred
    return location, covariance + 1e-9 * np.eye(location.size)


def _log_likelihood(design: Design, block: int, theta: FloatArray, used: IntArray) -> FloatArray:
    """Return the log-likelihood of one block for each draw (S, n) of the parameters used."""
    total = -theta @ design.cost[block, used]
    matrix = np.vstack((np.ones(design.counts[block]), design.block(block)))[used]
    for begin in range(0, matrix.shape[1], _TILE):
        total += np.log(theta @ matrix[:, begin : begin + _TILE]).sum(axis=1)
    return np.asarray(total)


def _warn(what: str, shapes: FloatArray, n_draws: int) -> None:
    limit = reliable_below(n_draws)
    if (shapes > limit).any():
        warnings.warn(
            f"{(shapes > limit).sum()} of {shapes.size} {what} weights have a Pareto k above "
            f"{limit:.2f} (largest {shapes.max():.2f}): those terms are unreliable. Draw more, or "
            "re-fit without the realisations concerned.",
            ImportanceWarning,
            stacklevel=3,
        )
