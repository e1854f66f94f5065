"""Results of likelihood methods and of variational inference."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import ClassVar

import numpy as np

from hawkeys._design.columns import ColumnMap, FittedColumns
from hawkeys._typing import ArrayLike, BoolArray, FloatArray, IntArray
from hawkeys._validation import check_level
from hawkeys.baselines import LogLinear
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels.productive import value_of
from hawkeys.results.by_name import wald_pvalues
from hawkeys.results.column_posterior import ColumnPosterior
from hawkeys.results.decay_profile import DecayProfile
from hawkeys.results.few_events import counted_parameters
from hawkeys.results.fit_result import FitResult
from hawkeys.results.gamma_posterior import GammaPosterior
from hawkeys.results.point_result import PointResult
from hawkeys.results.posterior import LogNormalPosterior
from hawkeys.results.row_matrices import RowMatrices
from hawkeys.results.smoothness import baseline_band, effective_parameters, smoothness_note

__all__ = ["LikelihoodResult", "VariationalResult"]

# marks whose rates a note names, and parameters of a kernel
_SHOWN, _PARAMETERS = 5, 8


@dataclass(frozen=True, eq=False, repr=False)
class LikelihoodResult(PointResult):
    """Result of maximum likelihood or of a posterior mode.

    Attributes
    ----------
    kkt_residual : float
        Largest violation of the optimality conditions, without unit; 0 at the exact optimum.
    information : ndarray or RowMatrices, shape (n_marks, n_marks + 1, n_marks + 1)
        Observed information of each target's parameters (minus the second derivatives of the
        objective), baseline first. Of many marks (64 and more, and more than 25 million events
        times marks) it is kept for the parameters above 0 alone: ``information[i]`` is target i's,
        0 elsewhere. With `columns`, of each row problem's columns; with a log-normal
        or gamma kernel estimated, the inverse of the covariance that allows for it.
    decay_profile : DecayProfile or None
        The decays that were tried, if the decay was chosen by the data.
    columns : FittedColumns or None
        How parameters share the columns of row problems, if a baseline has several pieces, the
        weights of a kernel were estimated or parameters are tied; else None.
    kernel_std_err : mapping of str to ndarray, or None
        Standard errors of the parameters of a log-normal, gamma or power-law kernel, of several
        decays, or of one beside a productivity or covariates, that were estimated by "mle": by
        name, shaped as they are; NaN at a bound or if not identified. None of others.
    coefficient_std_err : ndarray, shape (n_covariates,), or None
        Standard errors of the coefficients of a `hawkeys.baselines.LogLinear` that were estimated;
        NaN at a bound. None if there are none.

    Notes
    -----
    Standard errors invert the information over the parameters that are identified and above 0.
    At the bound 0 a normal interval has no meaning: the parameter is marked `at_bound`, and its
    standard error and interval are NaN.

    References
    ----------
    Ogata, Y. (1978). The asymptotic behaviour of maximum likelihood estimators for stationary
    point processes. Annals of the Institute of Statistical Mathematics 30, 243-261.
    doi:10.1007/BF02480216
    """

    kind: ClassVar[str] = "likelihood"

    kkt_residual: float
    information: FloatArray | RowMatrices
    decay_profile: DecayProfile | None = None
    columns: FittedColumns | None = None
    kernel_std_err: Mapping[str, FloatArray] | None = None
    coefficient_std_err: FloatArray | None = None

    def kernel_interval(self, level: float = 0.95) -> dict[str, tuple[FloatArray, FloatArray]]:
        """Return confidence intervals of the kernel parameters.

        Wald intervals; of one shared decay that was estimated the profile-likelihood interval of
        `DecayProfile.interval`, under the name "decay".

        Parameters
        ----------
        level : float, default 0.95
            Nominal coverage.

        Returns
        -------
        dict
            Lower and upper bounds, each shaped as the parameter, by its name; NaN at a bound or if
            not identified. Empty if no kernel parameter has an interval.

        Raises
        ------
        InvalidParameterError
            `level` is not strictly between 0 and 1.
        """
        reach = NormalDist().inv_cdf(0.5 + 0.5 * check_level(level))
        out = {}
        profile = self.decay_profile
        if profile is not None and profile.is_estimate and profile.decays.ndim == 1:
            lower, upper = profile.interval(level)
            out["decay"] = (np.asarray(lower), np.asarray(upper))
        for name, error in (self.kernel_std_err or {}).items():
            value = np.asarray(value_of(self.kernel, name))
            out[name] = (value - reach * error, value + reach * error)
        return out

    def coefficient_interval(self, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Return Wald confidence intervals of the coefficients of a log-linear baseline.

        Parameters
        ----------
        level : float, default 0.95
            Nominal coverage.

        Returns
        -------
        lower, upper : ndarray, shape (n_covariates,)
            Bounds, NaN where a coefficient is at the edge of what the data tell.

        Raises
        ------
        InvalidParameterError
            `level` is not strictly between 0 and 1, or no coefficients were estimated.
        """
        reach = NormalDist().inv_cdf(0.5 + 0.5 * check_level(level))
        baseline = self.process.baseline_function
        if self.coefficient_std_err is None or not isinstance(baseline, LogLinear):
            raise InvalidParameterError(
                "no coefficients were estimated in this fit. Fit with baseline="
                "hawkeys.baselines.LogLinear(knots, covariates), its coefficients left out."
            )
        value = np.asarray(baseline.coefficients)
        error = self.coefficient_std_err
        return value - reach * error, value + reach * error

    def baseline_interval(
        self, times: ArrayLike, level: float = 0.95
    ) -> tuple[FloatArray, FloatArray]:
        """Return pointwise Wald confidence intervals of each mark's baseline.

        Parameters
        ----------
        times : array_like, shape (n_times,)
            On the clock of the events, within the span of the baseline.
        level : float, default 0.95
            Nominal coverage.

        Returns
        -------
        lower, upper : ndarray, shape (n_times, n_marks)
            Bounds per unit of time, cut at 0; NaN where a rate is not identified. Of a smooth
            baseline they are those of the posterior, which cover the truth on average over time
            (Marra and Wood 2012, section 2).

        Raises
        ------
        InvalidParameterError
            `level` is not strictly between 0 and 1, or a time is outside the span.

        References
        ----------
        Marra, G. and Wood, S. N. (2012). Coverage properties of confidence intervals for
        generalized additive model components. Scandinavian Journal of Statistics 39(1), 53-74.
        doi:10.1111/j.1467-9469.2011.00760.x

        Examples
        --------
        >>> import hawkeys
        >>> steps = hawkeys.baselines.PiecewiseConstant([0.0, 4.0, 10.0])
        >>> times = [1.0, 2.0, 3.0, 5.0, 9.0]
        >>> result = hawkeys.fit([times], end_time=10.0, decay=1.0, baseline=steps)
        >>> lower, upper = result.baseline_interval([2.0, 6.0])
        >>> lower.shape, bool((lower <= upper).all())
        ((2, 1), True)
        """
        return baseline_band(self, times, level)

    @cached_property
    def covariance(self) -> FloatArray | RowMatrices:
        """Covariance of each target's estimates, (n_marks, n_marks + 1, n_marks + 1), or NaN.

        Kept, like `information`, for the estimates above 0 alone if there are many marks.
        """
        if isinstance(self.information, RowMatrices):
            rows = map(self.information.kept, range(len(self.information)))
            found = [self._inverse(i, *row) for i, row in enumerate(rows)]
            return RowMatrices.of(found, self.information.n_columns, np.nan)
        if self.columns is not None:
            free = self.identified & ~self.at_bound
            both = free[:, :, None] & free[:, None, :]
            return np.where(both, self.columns.covariance(self.information), np.nan)
        out = np.full_like(self.information, np.nan)
        every = np.arange(self.information.shape[1])
        for i, matrix in enumerate(self.information):
            index, inverse = self._inverse(i, every, matrix)
            out[i][np.ix_(index, index)] = inverse
        return out

    def _inverse(
        self, target: int, index: IntArray, matrix: FloatArray
    ) -> tuple[IntArray, FloatArray]:
        """Return which of a target's parameters have a covariance, and it.

        Of those in `index` (n,), whose information is `matrix` (n, n).
        """
        identified, estimates = self.identified[target], self.estimates[target]
        able = identified[index] & (estimates[index] > 0) & (np.diagonal(matrix) > 0)
        own, index = np.flatnonzero(able), index[able]
        if index.size == 0:
            return index, np.empty((0, 0))
        if (~identified & (estimates > 0)).any():
            return index, self._beside_unidentified(target)[np.ix_(index, index)]
        scale = 1.0 / np.sqrt(matrix[own, own])
        scaled = matrix[np.ix_(own, own)] * np.outer(scale, scale)
        return index, np.linalg.inv(scaled) * np.outer(scale, scale)

    def _beside_unidentified(self, target: int) -> FloatArray:
        """Return the covariance of a target's estimates with those not identified left free."""
        size = self.estimates.shape[1]
        where = ColumnMap(np.zeros((1, 1), np.int64), np.arange(1, size)[None, :, None], size)
        used = np.ones((1, size), dtype=bool)
        columns = FittedColumns(where, self.estimates[target : target + 1], used)
        return columns.covariance(np.asarray(self.information[target])[None])[0]

    @property
    def pvalues(self) -> FloatArray:
        r"""One-sided Wald p-values of the adjacency, shape (n_marks, n_marks), target by source.

        Of the hypothesis that an entry is 0: :math:`1 - \Phi(\hat W / \mathrm{se})`, and 1 at the
        bound. NaN where there is no standard error, and for what is not maximum likelihood, whose
        estimates a prior or penalty has drawn in. They need no data, and are cautious: a true
        hypothesis was rejected at 5 % in 3.3 % of 1,000 samples of 410 events and in 3.6 % of 500
        of 2,050. `hawkeys.inference.edge_tests` has those of the likelihood ratio, adjusted for
        their number.
        """
        if self.method != "mle":
            return super().pvalues
        size = self.adjacency.shape[0]
        errors, bound = self.std_err[:, -size:], self.at_bound[:, -size:]
        return wald_pvalues(self.adjacency, errors, bound, signed=False)

    @property
    def n_parameters(self) -> float:
        """Number of identified parameters, the kernel's included.

        Parameters that are tied count once. Those at the bound 0 count, but pairs that a penalty or
        prior (method "map") has set to 0 do not: what is left is the degrees of freedom of a lasso
        (Zou, Hastie & Tibshirani 2007, Annals of Statistics 35, theorem 1), and not fewer than
        those of a fit that squares, groups or a Gamma prior draw in besides. With a smooth baseline
        it is the effective number, no integer, in which those at the bound do not count.
        """
        if self.columns is not None:
            extra = self.n_kernel_parameters if self.decay_profile is not None else 0
            if self.kernel_std_err is not None:  # weights of a mixture are columns
                extra = sum(np.size(error) for error in self.kernel_std_err.values())
            if self.coefficient_std_err is not None:
                extra += self.coefficient_std_err.size
            smooth = effective_parameters(self)
            if smooth is not None:
                return float(smooth.sum()) + extra
            information, chosen = np.asarray(self.information), self.method == "map"
            return self.columns.n_determined(information, chosen=chosen) + extra
        counted = counted_parameters(self)
        if self.decay_profile is not None and self.decay_profile.limit is not None:
            counted = counted | (self.estimates > 0)  # fitted, if to no avail
        return int(counted.sum()) + self.n_kernel_parameters

    @property
    def aic(self) -> float:
        """Akaike's criterion, 2 n_parameters - 2 log_likelihood."""
        return 2.0 * self.n_parameters - 2.0 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion, log(n_events) n_parameters - 2 log_likelihood."""
        return math.log(max(self.n_events, 1)) * self.n_parameters - 2.0 * self.log_likelihood

    @property
    def _without_excitation(self) -> list[str]:
        """What the model without excitation is, where no decay fits clearly better."""
        plain = self.method == "mle" and not {"baseline", "tied", "weights"} & set(self.options)
        if self.decay_profile is None or self.decay_profile.limit != "no excitation" or not plain:
            return []
        rates, names = self.event_counts / self._time_of_marks, self.process.mark_names[:_SHOWN]
        told = [f"{name}: {rate:.4g}" for name, rate in zip(names, rates, strict=False)]
        more = ", ..." if len(rates) > len(told) else ""
        return [
            f"Without excitation the baseline is events by time, {', '.join(told)}{more}; the "
            "baseline above goes with the excitation that is not identified."
        ]

    def _decay_note(self, level: float) -> str | None:
        """Return what the data say of decays that they chose; None of decays that were given."""
        profile = self.decay_profile
        if profile is None or profile.limit is not None:
            return None
        n = self.n_kernel_parameters
        told = f"Decay: estimated ({n} of the {self.n_parameters:.4g} parameters)"
        if profile.selection != "likelihood":
            return f"{told} by {profile.selection}, which gives no interval."
        if profile.decays.ndim > 1:
            return f"{told}; only one shared decay has an interval. See decay_profile."
        lower, upper = profile.interval(level)
        return (
            f"{told}, {100 * level:g} % profile interval {lower:.4g} to {upper:.4g}: "
            "decay_profile.interval()."
        )

    def _kernel_note(self, level: float) -> str | None:
        """Return the estimated parameters of the kernel with their intervals; None without any."""
        bounds = self.kernel_interval(level)
        bounds.pop("decay", None)  # that of one decay has a note of its own
        told = []
        for name, (lower, upper) in bounds.items():
            value = np.broadcast_to(value_of(self.kernel, name), np.shape(lower))
            each = zip(value.ravel(), np.ravel(lower), np.ravel(upper), strict=True)
            told += [f"{name} {_with_interval(*one)}" for one in each]
        if not told:
            return None
        more = f" and {len(told) - _PARAMETERS} more" if len(told) > _PARAMETERS else ""
        what = f"Kernel, {100 * level:g} % Wald: {', '.join(told[:_PARAMETERS])}{more}"
        return f"{what}: kernel_interval()."

    def _coefficient_note(self, level: float) -> str:
        """Return the coefficients of the baseline with their intervals."""
        baseline = self.process.baseline_function
        told = [
            f"{name} {_with_interval(*one)}"
            for name, *one in zip(
                baseline.names,  # type: ignore[attr-defined]
                baseline.coefficients,  # type: ignore[attr-defined]
                *self.coefficient_interval(level),
                strict=True,
            )
        ]
        return f"Coefficients of the baseline, {100 * level:g} % Wald: {', '.join(told)}."

    def _facts(self) -> dict[str, str]:
        return {
            **super()._facts(),
            "KKT residual": f"{self.kkt_residual:.1e}",
            "AIC": f"{self.aic:.4f}",
            "BIC": f"{self.bic:.4f}",
        }

    def _notes(self, level: float) -> list[str]:
        notes = super()._notes(level)
        if self.at_bound.any():
            notes.append(f"{self.at_bound.sum()} estimates are at the bound 0: no normal interval.")
        smooth = smoothness_note(self)
        if smooth is not None:
            notes.append(smooth)
        about_kernel = self._decay_note(level), self._kernel_note(level)
        notes += [note for note in about_kernel if note is not None]
        if self.coefficient_std_err is not None:
            notes.append(self._coefficient_note(level))
        if self.decay_profile is not None and self.decay_profile.limit is not None:
            message = self.decay_profile.limit_message()
            notes.append(message[0].upper() + message[1:] + ".")
            notes += self._without_excitation
        return notes

    def _interval_name(self) -> str:
        return "Wald intervals, cut at 0" if self.method == "mle" else "curvature intervals"


@dataclass(frozen=True, eq=False, repr=False)
class VariationalResult(FitResult):
    """Result of variational inference; `process` holds the posterior means, 0 if switched off.

    Attributes
    ----------
    posterior : LogNormalPosterior or (of "vi_branching") GammaPosterior
        Marginals of shape (n_marks, n_marks + 1): baseline, then adjacency row, of each target.
    prior_coefficient : ndarray, shape (n_marks, n_marks + 1)
        C of the log prior -theta^2 / C of each parameter; NaN under Gamma priors.
    log_covariance : ndarray, shape (n_marks, n_marks + 1, n_marks + 1), or None
        Linear-response covariance of the logarithms of each target's parameters, C held.
    posterior_covariance : ndarray, shape (n_marks, n_marks + 1, n_marks + 1), or None
        Linear-response covariance of each target's parameters, C held. None for
        "vi_branching"; both None for the stochastic form and if it estimated the kernel.
    column_posterior : ColumnPosterior or None
        The posterior from which `posterior` was derived, if a baseline has several pieces, the
        weights of a kernel were estimated or parameters are tied; else None.
    prior : GammaPosterior or None
        Shape and rate of the Gamma priors of method "vi", of the shape of `posterior`; None under
        half-normal ones, and for "vi_branching", whose prior is in `options`.
    inclusion_probability : ndarray, shape (n_marks, n_marks + 1), or None
        Probability that a parameter which relevance determination switched off is on, if both were
        equally probable before: from the evidence bounds with it (under its default prior, the
        posteriors of the target's other parameters found anew) and without it. NaN for all others
        and for pairs with several components; None without relevance determination, and of the
        stochastic form, which has no optimum to compare.

    Notes
    -----
    If the weights of a kernel were estimated, each component of a pair has a log-normal posterior,
    and `posterior` is the log-normal with the mean and variance of their sum, of which there is no
    prior (NaN).

    Independent marginals are too narrow where parameters are correlated, as the baseline and a
    row's adjacency are: of methods "vi" and "vi_branching", `std_err` and `credible_interval` are
    those of linear response, Gamma distributions with the mean logarithms of `posterior` and the
    linear-response variances of the logarithms; `posterior` keeps the independent marginals.

    What relevance determination switched off, because it explains next to nothing (in expectation
    less than 0.1 events), is marked `at_bound` and has no interval (NaN): the prior that was fitted
    to it allows nothing but 0.

    A positive parameter has a positive interval. Whether an entry is 0 is a question for
    `hawkeys.inference.edge_tests`.

    References
    ----------
    Giordano, R., Broderick, T. and Jordan, M. I. (2018). Covariances, robustness, and variational
    Bayes. JMLR 19(51), theorem 1. arXiv:1709.02536

    Salehi, F., Trouleau, W., Grossglauser, M. and Thiran, P. (2019). Learning Hawkes processes from
    a handful of events. NeurIPS 32, section 4. arXiv:1911.00292
    """

    kind: ClassVar[str] = "variational"

    posterior: LogNormalPosterior | GammaPosterior
    prior_coefficient: FloatArray
    log_covariance: FloatArray | None = None
    posterior_covariance: FloatArray | None = None
    column_posterior: ColumnPosterior | None = None
    prior: GammaPosterior | None = None
    inclusion_probability: FloatArray | None = None

    @property
    def elbo(self) -> float:
        """Lower bound on the log evidence (of the weighted likelihood), in nats."""
        return self.objective

    @property
    def std_err(self) -> FloatArray:
        """Posterior standard deviations, (n_marks, n_marks + 1), as in `credible_interval`."""
        return self._marginals(None).sd

    def interval(self, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Return credible intervals; the same as `credible_interval`."""
        return self.credible_interval(level)

    @property
    def switched_off(self) -> BoolArray:
        """What relevance determination switched off, shape (n_marks, n_marks + 1)."""
        off = getattr(self.posterior, "switched_off", None)
        return np.zeros(self.identified.shape, dtype=bool) if off is None else off

    @property
    def at_bound(self) -> BoolArray:
        """Whether an identified estimate is 0 or was switched off, shape (n_marks, n_marks + 1)."""
        return self.identified & ((self.estimates == 0) | self.switched_off)

    @cached_property
    def linear_response(self) -> GammaPosterior:
        """Gamma marginals: mean logarithms of `posterior`, variances by linear response.

        Raises
        ------
        InvalidParameterError
            The fit has no linear-response covariance.
        """
        if self.log_covariance is None:
            raise InvalidParameterError(
                f"linear response needs the optimum of method 'vi'; this fit is of method "
                f"{self.method!r} and has none. Fit with method='vi', or use linear_response=False."
            )
        mean = np.where(self.switched_off, np.nan, self.posterior.mean_log)
        variance = np.diagonal(self.log_covariance, axis1=1, axis2=2)
        return GammaPosterior.from_log_moments(mean, variance)

    def credible_interval(
        self, level: float = 0.95, *, linear_response: bool | None = None
    ) -> tuple[FloatArray, FloatArray]:
        """Return equal-tailed credible intervals.

        Parameters
        ----------
        level : float, default 0.95
            Posterior probability inside.
        linear_response : bool, optional
            Whether the marginals are those of linear response, which allow for the correlation of
            the parameters, or the independent ones. Default: linear response if the fit has it
            ("vi", and "vi_branching" of a given kernel).

        Returns
        -------
        lower, upper : ndarray, shape (n_marks, n_marks + 1)
            Baseline, then adjacency row, of each target; NaN where relevance determination
            switched a parameter off (see `inclusion_probability`).

        Raises
        ------
        InvalidParameterError
            `level` is not strictly between 0 and 1, or linear response of a fit that has none.
        """
        return self._marginals(linear_response).interval(level)

    def _marginals(self, linear_response: bool | None) -> LogNormalPosterior | GammaPosterior:
        if linear_response is None:
            linear_response = self.log_covariance is not None
        return self.linear_response if linear_response else self.posterior

    def _facts(self) -> dict[str, str]:
        return {**super()._facts(), "Evidence bound": f"{self.elbo:.6f}"}

    def _notes(self, level: float) -> list[str]:
        notes = super()._notes(level)
        off = self.switched_off
        if off.any():
            notes.append(
                f"{off.sum()} estimates were switched off by relevance determination: no interval; "
                f"{self._inclusion_note(off)}."
            )
        return notes

    def _few_note(self) -> str:
        return (
            "the priors say as much as the data, and intervals may not hold; those of the "
            "adjacency are rather too wide."
        )

    def _inclusion_note(self, off: BoolArray) -> str:
        """Return what is known of the probability that those are on."""
        given = self.inclusion_probability
        known = np.empty(0) if given is None else given[off & ~np.isnan(given)]
        if known.size == 0:
            return "the probability that they are on is not known"
        return f"they are on with probability {known.min():.2g} to {known.max():.2g}"

    def _interval_name(self) -> str:
        kind = "independent marginals" if self.log_covariance is None else "linear response"
        return f"credible intervals (estimate: posterior mean; std_err: posterior sd; {kind})"


def _with_interval(value: float, lower: float, upper: float) -> str:
    """Return an estimate with its interval, as a note has it; one at a bound has none."""
    known = np.isfinite(lower) and np.isfinite(upper)
    return f"{value:.4g} ({f'{lower:.4g} to {upper:.4g}' if known else 'no interval'})"
