"""Expected predictive accuracy of variational fits: WAIC and leave-one-out over realisations."""

from __future__ import annotations

import math
import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np

from hawkeys._typing import FloatArray, IntArray, RandomState
from hawkeys._validation import brief
from hawkeys.events import Events
from hawkeys.exceptions import ImportanceWarning, InvalidParameterError
from hawkeys.inference.post_estimation.pareto import reliable_below, smooth_weights
from hawkeys.inference.post_estimation.posterior_draws import realization_weights, targets
from hawkeys.inference.post_estimation.refits import check_same_events, events_of_fit
from hawkeys.results import VariationalResult
from hawkeys.results.fit_result import FitResult

__all__ = ["PredictiveAccuracy", "psis_loo", "waic"]

_WAIC_LIMIT = 0.4  # on the variance of a point's log-likelihood (Vehtari et al. 2017, section 2.2)


@dataclass(frozen=True, eq=False)
class PredictiveAccuracy:
    """Expected log predictive density of as many new realisations as were observed.

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
        WAIC. Targets that share parameters have the same.
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
    result: FitResult,
    events: Any,
    *,
    n_draws: int = 2000,
    rng: RandomState = 0,
    **windows: Any,
) -> PredictiveAccuracy:
    r"""Return the widely applicable information criterion, realisations being the points.

    .. math:: \sum_r \big[ \log E\, p(y_r \mid \theta) - \mathrm{var} \log p(y_r \mid \theta) \big],

    over the posterior; the variances sum to the effective number of parameters.

    Parameters
    ----------
    result : VariationalResult
        A fit with ``method="vi"``, "vi_stochastic" or "vi_branching".
    events : Events, frame, mapping or sequence
        The data of the fit, at least two realisations; all but Events need ``end_time``.
    n_draws : int, default 2000
        Draws per target mark, at least 100.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None, default 0
        Randomness of the draws.
    **windows
        ``end_time``, ``start_time`` and all else that says how data are read, as for `hawkeys.fit`;
        marks are found by name.

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
    events = events_of_fit(result, events, windows)
    fit = _check(result, events)
    weights = realization_weights(fit, len(events))
    pointwise = np.zeros((len(events), 2))
    blocks = _blocks(fit)
    shapes = np.empty(blocks.max() + 1)
    for i, target in enumerate(targets(fit, events, n_draws, rng)):
        log_ratios, values = target.draw(weights)
        log_weights, shapes[i] = smooth_weights(log_ratios)
        density = np.logaddexp.reduce(values + log_weights, axis=1)
        mean = values @ np.exp(log_weights)
        variance = (values - mean[:, None]) ** 2 @ np.exp(log_weights)
        pointwise += np.column_stack((density - variance, variance))
    _warn("posterior", shapes, n_draws)
    if (pointwise[:, 1] > _WAIC_LIMIT).any():
        large = int((pointwise[:, 1] > _WAIC_LIMIT).sum())
        warnings.warn(
            f"WAIC: the log-likelihood of {large} realisations varies by more than {_WAIC_LIMIT} "
            "over the posterior, too much for its approximation. Use psis_loo.",
            ImportanceWarning,
            stacklevel=2,
        )
    terms, parameters = pointwise.T
    return PredictiveAccuracy("waic", terms, parameters, None, shapes[blocks], n_draws)


def psis_loo(
    result: FitResult,
    events: Any,
    *,
    n_draws: int = 2000,
    rng: RandomState = 0,
    **windows: Any,
) -> PredictiveAccuracy:
    r"""Return the leave-one-realisation-out log predictive density, without re-fitting.

    .. math:: \sum_r \log p(y_r \mid y_{-r}), \qquad
        p(y_r \mid y_{-r}) = \frac{\sum_s w_{rs}\, p(y_r \mid \theta_s)}{\sum_s w_{rs}}, \qquad
        w_{rs} \propto \frac{p(y \mid \theta_s)\, p(\theta_s)}{q(\theta_s)\, p(y_r \mid \theta_s)}

    with the largest weights smoothed.

    Parameters
    ----------
    result : VariationalResult
        A fit with ``method="vi"``, "vi_stochastic" or "vi_branching".
    events : Events, frame, mapping or sequence
        The data of the fit, at least two realisations; all but Events need ``end_time``.
    n_draws : int, default 2000
        Draws per target mark, at least 100.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None, default 0
        Randomness of the draws.
    **windows
        ``end_time``, ``start_time`` and all else that says how data are read, as for `hawkeys.fit`;
        marks are found by name.

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
        A tail shape k above min(0.7, 1 - 1 / log10(n_draws)), even of draws made for it: that
        realisation is too influential. Re-fit without it.

    Notes
    -----
    For fixed kernels likelihood and posterior separate by target, and so do both criteria: each
    target (or all that share parameters) has draws and weights of its own, of n_marks + 1
    dimensions only; of baselines with several pieces and of the components of a kernel whose
    weights were estimated each has a dimension. Draws q are Student t
    with 4 degrees of freedom in the log-parameters, first with the location of the variational
    posterior and its linear-response covariance (if it has one), then twice with the weighted
    moments of the draws before; the weights take them to the exact posterior under the fitted prior
    coefficients, which are not fitted anew without a realisation. Where k is too large, that
    realisation is left out of the target from the start and draws are made for it. The
    realisation is the point because events within one are dependent. Cost: O(n_draws n_events
    n_marks).

    References
    ----------
    Vehtari, A., Gelman, A. and Gabry, J. (2017). Practical Bayesian model evaluation using
    leave-one-out cross-validation and WAIC. Statistics and Computing 27, 1413-1432, eqs. 4-10.
    doi:10.1007/s11222-016-9696-4

    Cappe, O., Guillin, A., Marin, J. M. and Robert, C. P. (2004). Population Monte Carlo. Journal
    of Computational and Graphical Statistics 13(4), 907-929. doi:10.1198/106186004X12803

    Paananen, T., Piironen, J., Burkner, P.-C. and Vehtari, A. (2021). Implicitly adaptive
    importance sampling. Statistics and Computing 31, 16, section 3. doi:10.1007/s11222-020-09982-2

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
    events = events_of_fit(result, events, windows)
    fit = _check(result, events)
    weights = realization_weights(fit, len(events))
    pointwise = np.zeros((len(events), 2))
    blocks = _blocks(fit)
    shapes = np.empty((len(events), blocks.max() + 1))
    whole = np.empty(blocks.max() + 1)
    for i, target in enumerate(targets(fit, events, n_draws, rng)):
        log_ratios, values = target.draw(weights)
        log_weights, whole[i] = smooth_weights(log_ratios)
        within = np.logaddexp.reduce(values + log_weights, axis=1)
        for r in range(len(events)):
            own, density = log_ratios - weights[r] * values[r], values[r]
            if smooth_weights(own)[1] > reliable_below(n_draws):
                own, drawn = target.draw(np.where(np.arange(len(events)) == r, 0.0, weights))
                density = drawn[r]
            log_weights, shapes[r, i] = smooth_weights(own)
            left_out = np.logaddexp.reduce(density + log_weights)
            pointwise[r] += left_out, within[r] - left_out
    _warn("leave-one-out", shapes, n_draws)
    terms, parameters = pointwise.T
    tails = shapes[:, blocks], whole[blocks]
    return PredictiveAccuracy("psis_loo", terms, parameters, *tails, n_draws)


def _blocks(fit: VariationalResult) -> IntArray:
    """Return which row problem each target mark is in: those that share parameters are in one."""
    if fit.column_posterior is None:
        return np.arange(fit.process.n_marks)
    return fit.column_posterior.map.blocks


def _check(result: FitResult, events: Events) -> VariationalResult:
    """Return `result` if it is a variational fit of `events` with several realisations."""
    if not isinstance(result, VariationalResult):
        kind = f"method {result.method!r}" if isinstance(result, FitResult) else repr(result)
        raise InvalidParameterError(
            f"WAIC and PSIS-LOO need posterior draws, and {kind} has none. Fit with method='vi', "
            "or compare aic."
        )
    wide = bool({"baseline", "tied"} & set(result.options)) or result.n_kernel_parameters > 0
    if wide and result.column_posterior is None:
        raise InvalidParameterError(
            "WAIC and PSIS-LOO need the posterior of all that was estimated, and this fit of "
            f"{brief(result.process)} does not have that of its kernel, its pieces or its ties: a "
            "kernel whose parameters were estimated must be given, and a fit that an earlier "
            "version saved must be made again."
        )
    counts = np.bincount(events.marks, minlength=events.n_marks)
    if len(events) != result.n_realizations or not np.array_equal(counts, result.event_counts):
        raise InvalidParameterError(
            f"events must be the data of the fit: {result.n_realizations} realisations with "
            f"{result.event_counts.tolist()} events by mark; got {len(events)} with "
            f"{counts.tolist()}."
        )
    check_same_events(result, events)
    if len(events) < 2:
        raise InvalidParameterError(
            "WAIC and PSIS-LOO are over realisations, because events within one are dependent; got "
            "1. Cut the record into windows that hardly influence each other and fit those."
        )
    return result


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
