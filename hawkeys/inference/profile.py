"""`profile_interval`: profile-likelihood intervals that respect the bound 0."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hawkeys._jit.profile import profile_ends
from hawkeys._typing import ArrayLike, BoolArray, FloatArray
from hawkeys._validation import check_fraction, check_mask
from hawkeys.events import Events
from hawkeys.exceptions import ConvergenceWarning, InvalidParameterError
from hawkeys.inference.frames import parameter_frame
from hawkeys.inference.refits import FittedRows

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ProfileIntervals", "profile_figures", "profile_interval"]

# nats per target mark; far above what a fit may leave, far below what matters to an interval
_NOT_THE_FIT = 0.01


@dataclass(frozen=True, eq=False, repr=False)
class ProfileIntervals:
    """Profile-likelihood intervals of every parameter of a fit.

    Attributes
    ----------
    level : float
        Nominal coverage.
    estimates, lower, upper : ndarray of float64, shape (n_marks, n_marks + 1)
        Baseline, then adjacency row, of each target; NaN for what was not asked for, is excluded
        by the support or is not identified.
    statistic_at_zero : ndarray of float64, shape (n_marks, n_marks + 1)
        Likelihood-ratio statistic of the value 0; 0 where the estimate is 0.
    cutoff : float
        What the statistic may reach at values above 0: the chi-square quantile with one degree of
        freedom.
    cutoff_at_zero : float
        What it may reach at 0: the quantile of the mixture of chi-square with 0 and 1 degrees of
        freedom, half each.
    mark_names : tuple of str
        Labels of the marks.
    """

    level: float
    estimates: FloatArray
    lower: FloatArray
    upper: FloatArray
    statistic_at_zero: FloatArray
    cutoff: float
    cutoff_at_zero: float
    mark_names: tuple[str, ...]

    @property
    def includes_zero(self) -> BoolArray:
        """Whether 0 itself is in the confidence set, by the cut-off that is right there."""
        return self.statistic_at_zero <= self.cutoff_at_zero

    def to_frame(self) -> pd.DataFrame:
        """Return one row per parameter.

        Returns
        -------
        pandas.DataFrame, shape (n_marks * (n_marks + 1), 7)
            Columns parameter ("baseline" or "adjacency"), target, source, estimate, lower, upper
            and includes_zero.
        """
        return parameter_frame(
            self.mark_names,
            estimate=self.estimates,
            lower=self.lower,
            upper=self.upper,
            includes_zero=self.includes_zero,
        )

    def __repr__(self) -> str:
        found = int((~np.isnan(self.upper)).sum())
        return f"ProfileIntervals(level={self.level:g}, n_parameters={found})"


def profile_interval(
    result: Any,
    events: Events,
    *,
    level: float = 0.95,
    parameters: ArrayLike | None = None,
) -> ProfileIntervals:
    r"""Return profile-likelihood intervals of a maximum-likelihood fit.

    With :math:`l(x)` the log-likelihood maximised over all other parameters at least 0, the
    interval is :math:`\{x \ge 0: 2 (l_{max} - l(x)) \le q\}`, q the `level` quantile of chi-square
    with one degree of freedom.

    Parameters
    ----------
    result : LikelihoodResult
        A fit by ``method="mle"``; its weights and support are kept.
    events : Events
        The events of the fit.
    level : float, default 0.95
        Nominal coverage.
    parameters : array_like of bool, shape (n_marks, n_marks + 1), optional
        Which parameters: baseline, then adjacency row, of each target. Default: all.

    Returns
    -------
    ProfileIntervals
        Frozen: lower and upper ends; `to_frame`.

    Raises
    ------
    InvalidParameterError
        The result is not a maximum-likelihood fit or not of these events, or an argument is wrong.
    InvalidEventsError
        `events` are no `Events`, or have another number of marks.

    Warns
    -----
    ConvergenceWarning
        A profile needs more steps than allowed; its figures are NaN.

    Notes
    -----
    *At the bound.* `lower` is 0 if the statistic at 0 is within q. The true value 0 is on the
    boundary, where the statistic is not chi-square with one degree of freedom but, if the other
    parameters are above 0, the mixture of 0 and 1 degrees of freedom, half each (Self and Liang
    1987, case 5). So an interval with `lower` 0 covers a true 0 with probability
    (1 + level) / 2, 97.5 % instead of 95 %. `includes_zero` uses the quantile of the mixture (2.71
    instead of 3.84 at 95 %) and is exact there; it agrees with `edge_tests`. For true values just
    above 0 the coverage lies between the two; a smaller cut-off for the upper end, where the
    estimate is 0, would bring it down to 92.5 %, so none is used. If other parameters of the same
    target are at their bound, all this holds approximately.

    A kernel whose parameters were estimated is held at the estimate; `bootstrap` estimates it anew.

    Rows separate and are concave, so every end is the one root of a monotone function: Newton
    steps in which the other parameters are maximised anew. Cost: about 25 passes of
    O(n_events_i n_marks^2) for each parameter of target i.

    References
    ----------
    Self, S. G. and Liang, K.-Y. (1987). Asymptotic properties of maximum likelihood estimators and
    likelihood ratio tests under nonstandard conditions. Journal of the American Statistical
    Association 82, 605-610. doi:10.1080/01621459.1987.10478472

    Venzon, D. J. and Moolgavkar, S. H. (1988). A method for computing profile-likelihood-based
    confidence intervals. Applied Statistics 37, 87-94. doi:10.2307/2347496

    Examples
    --------
    >>> import hawkeys
    >>> truth = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)
    >>> sample = hawkeys.simulate(truth, end_time=2_000.0, rng=0)
    >>> result = hawkeys.fit(sample, decay=2.0)
    >>> intervals = hawkeys.inference.profile_interval(result, sample)
    >>> intervals.lower[1].round(2), intervals.upper[1].round(2)
    (array([0.16, 0.  , 0.43]), array([0.2 , 0.02, 0.55]))
    """
    from scipy.stats import chi2

    coverage = check_fraction(level, "level")
    rows = FittedRows.check(result, events, "profile_interval")
    fitted = rows.result
    wanted = fitted.identified.copy()
    if parameters is not None:
        meaning = "baseline and adjacency row of each target"
        wanted &= check_mask(parameters, "parameters", wanted.shape, meaning)
    cutoff = float(chi2.ppf(coverage, 1))
    lower, upper, fall = profile_figures(rows, wanted, 0.5 * cutoff)
    return ProfileIntervals(
        level=coverage,
        estimates=np.where(wanted, fitted.estimates, np.nan),
        lower=lower,
        upper=upper,
        statistic_at_zero=2.0 * fall,
        cutoff=cutoff,
        cutoff_at_zero=float(chi2.ppf(max(2.0 * coverage - 1.0, 0.0), 1)),
        mark_names=fitted.process.mark_names,
    )


def profile_figures(
    rows: FittedRows, wanted: BoolArray, drop: float
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the ends where each profile has fallen by `drop`, and its fall at 0.

    Parameters
    ----------
    rows : FittedRows
        The fit.
    wanted : ndarray of bool, shape (n_marks, n_marks + 1)
        For which parameters.
    drop : float
        In nats; infinity for the fall at 0 alone.

    Returns
    -------
    lower, upper, fall : ndarray of float64, shape (n_marks, n_marks + 1)
        NaN where not wanted.

    Raises
    ------
    InvalidParameterError
        The fit is not the maximum of the likelihood.

    Warns
    -----
    ConvergenceWarning
        A profile needs more steps than allowed; its figures are NaN.
    """
    out = np.full((*wanted.shape, 3), np.nan)
    held = rows.held
    for i in np.flatnonzero(wanted.any(axis=1)).tolist():
        x = rows.result.estimates[i].copy()
        given = rows.basis(i), rows.weights(i), rows.design.cost[i], held[i]
        out[i], gain = profile_ends(*given, x, wanted[i], drop)
        if not gain < _NOT_THE_FIT:
            raise InvalidParameterError(
                f"the fit is not the maximum of the likelihood for target "
                f"{rows.result.process.mark_names[i]!r}, which is {gain:.4g} nats higher. A fit "
                "under constraints (baseline_floor, say) has no such intervals."
            )
    figures = out[..., 0], out[..., 1], out[..., 2]
    _warn_if_missing(wanted, figures if np.isfinite(drop) else figures[2:])
    return figures


def _warn_if_missing(wanted: BoolArray, figures: tuple[FloatArray, ...]) -> None:
    lost = wanted & np.isnan(figures).any(axis=0)
    if lost.any():
        warnings.warn(
            f"the profiles of {lost.sum()} parameters could not be followed to the end; their "
            "figures are NaN. Please report this with the data.",
            ConvergenceWarning,
            stacklevel=4,
        )
