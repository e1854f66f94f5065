"""`profile_interval`: intervals from profiles of the objective, which respect the bound 0."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from hawkeys._loops import profile as loops
from hawkeys._progress import Verbose, told
from hawkeys._typing import ArrayLike, BoolArray, FloatArray
from hawkeys._validation import check_level, check_mask, refuse_labels
from hawkeys.events import Events
from hawkeys.exceptions import ConvergenceWarning, InvalidParameterError
from hawkeys.inference.post_estimation.chi_bar import mixture_quantile, mixture_weights
from hawkeys.inference.post_estimation.fitted_rows import FittedRows
from hawkeys.inference.post_estimation.held_at_zero import falls_at_zero
from hawkeys.inference.post_estimation.linked import linked_profile
from hawkeys.inference.post_estimation.maximised import likelihood_rows
from hawkeys.inference.post_estimation.refits import events_of_fit, options_again
from hawkeys.inference.priors.conjugate import GammaPrior
from hawkeys.results import LikelihoodResult
from hawkeys.results.frames import parameter_frame, piece_labels
from hawkeys.results.nonlinear import LinkedResult

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ProfileIntervals", "profile_figures", "profile_interval", "weights_at_zero"]

# nats per target mark; far above what a fit may leave, far below what matters to an interval
_NOT_THE_FIT = 0.01


@dataclass(frozen=True, eq=False, repr=False)
class ProfileIntervals:
    """Profile intervals of every parameter of a fit.

    Attributes
    ----------
    level : float
        Nominal coverage.
    estimates, lower, upper : ndarray of float64, shape (n_marks, n_marks + 1)
        Baseline, then adjacency row, of each target, the estimates at the maximum of `objective`;
        NaN for what was not asked for, is excluded by the support or is not identified. A baseline
        with several pieces has a column for each.
    statistic_at_zero : ndarray of float64, shape (n_marks, n_marks + 1)
        Twice the fall of the objective at the value 0 (of the log-likelihood the likelihood-ratio
        statistic); 0 where the estimate is 0.
    cutoff : float
        What the statistic may reach at values above 0: the chi-square quantile with one degree of
        freedom.
    cutoff_at_zero : float or ndarray of float64, shape (n_marks, n_marks + 1)
        What it may reach at 0: the quantile of the mixture of chi-square with 0 and 1 degrees of
        freedom, half each. An array if the weights of the kernel were estimated: there more degrees
        of freedom are mixed for adjacency entries, by shares that depend on the entry. Of another
        objective than the log-likelihood it is `cutoff`.
    mark_names : tuple of str
        Labels of the marks.
    pieces : tuple of str or None, length n_pieces
        Labels of the pieces of the baseline; ``(None,)`` if it is constant.
    objective : str
        Whose profile it is: "log-likelihood", "log posterior" or "penalised log-likelihood".
    method : str
        How its maximum was found: "mle", "map", or for a fit by another method, say "vi",
        "mle, from 'vi'".
    places : pandas.DataFrame or None
        What each parameter of `hawkeys.fit_nonlinear` is, whose arrays have shape (n_marks, P).
    """

    level: float
    estimates: FloatArray
    lower: FloatArray
    upper: FloatArray
    statistic_at_zero: FloatArray
    cutoff: float
    cutoff_at_zero: float | FloatArray
    mark_names: tuple[str, ...]
    pieces: tuple[str | None, ...] = (None,)
    objective: str = "log-likelihood"
    method: str = "mle"
    places: pd.DataFrame | None = None

    @property
    def includes_zero(self) -> BoolArray:
        """Whether 0 itself is in the set, by the cut-off that is right there."""
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
            self.pieces,
            self.places,
            estimate=self.estimates,
            lower=self.lower,
            upper=self.upper,
            includes_zero=self.includes_zero,
        )

    def __repr__(self) -> str:
        found = int((~np.isnan(self.upper)).sum())
        other = "" if self.method == "mle" else f", {self.objective}, method={self.method!r}"
        return f"ProfileIntervals(level={self.level:g}, n_parameters={found}{other})"


def profile_interval(
    result: Any,
    events: Any,
    *,
    level: float = 0.95,
    parameters: ArrayLike | None = None,
    verbose: Verbose = False,
    **windows: Any,
) -> ProfileIntervals:
    r"""Return profile intervals, by the likelihood or, for a fit by "map", by the posterior.

    With :math:`l(x)` the log-likelihood maximised over all other parameters at least 0, the
    interval is :math:`\{x \ge 0: 2 (l_{max} - l(x)) \le q\}`, q the `level` quantile of chi-square
    with one degree of freedom.

    Parameters
    ----------
    result : FitResult, RectifiedResult or NonlinearResult
        A fit by any method of `hawkeys.fit`, of `hawkeys.fit_rectified`, or of
        `hawkeys.fit_nonlinear` without penalty; its weights, support, baseline and ties are kept.
        Methods other than "mle" and "map" have no profile of their own: the likelihood of their
        model is maximised first, from their estimates, and it is profiled.
    events : Events, frame, mapping or sequence
        The events of the fit; all but Events need ``end_time``.
    level : float, default 0.95
        Nominal coverage.
    parameters : array_like of bool, shape (n_marks, n_marks + 1), optional
        Which parameters: baseline (all of its pieces), then adjacency row, of each target; of
        `hawkeys.fit_nonlinear` of the shape of its estimates. Default: all.
    verbose : bool or callable, default False
        True shows how far it is on stderr; a function is called as ``verbose(what, done, total)``.
    **windows
        ``end_time``, ``start_time`` and all else that says how data are read, as for `hawkeys.fit`;
        marks are found by name.

    Returns
    -------
    ProfileIntervals
        Frozen: lower and upper ends; `to_frame`.

    Raises
    ------
    InvalidParameterError
        The result is not of `hawkeys.fit` or not of these events, its penalty has groups, or an
        argument is wrong.
    InvalidEventsError
        `events` cannot be read, or have another number of marks.

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
    The weights of `SumExponential` are not held: an adjacency entry is the sum of its components,
    whose shares are maximised anew, and the mixture at 0 is that of as many parameters at least 0
    (Shapiro 1985), with the information at 0. Pieces of a baseline have an interval each; what is
    tied has one, which stands at each of its places. In 200 simulated data sets (two marks, two
    pieces, two decays, 30 realisations of about 30 events) the 95 % intervals covered 93.5 to 96 %.

    *Priors and penalties.* Of a fit by "map" :math:`l` is the log posterior, or log-likelihood less
    penalty, as `ProfileIntervals.objective` says. If it is near a parabola, the interval is a
    credible one of the posterior, with the other parameters maximised over instead of integrated
    out (Tierney and Kadane 1986, without their correction for the curvature along them). As a
    confidence interval it is drawn towards the prior. The value 0 is then judged by q like any
    other: a prior that is 0 there excludes it whatever the data are, which is no test; use
    `edge_tests`. A group penalty joins the rows and has a kink where a group is 0; it is refused.
    *With a link* parameters may have either sign, so that the value 0 is inside and the cut-off
    there is chi-square, too, but for baselines of the rectified link. An end is infinite if the
    profile never falls so far, as where any stronger inhibition fits as well; what lies at a limit
    has no interval.

    Rows separate and are concave, so every end is the one root of a monotone function: Newton
    steps in which the other parameters are maximised anew. Cost: about 25 passes of
    O(n_events_i n_columns^2) for each parameter of target i, of all targets that share parameters
    for what is tied.

    References
    ----------
    Self, S. G. and Liang, K.-Y. (1987). Asymptotic properties of maximum likelihood estimators and
    likelihood ratio tests under nonstandard conditions. Journal of the American Statistical
    Association 82, 605-610. doi:10.1080/01621459.1987.10478472

    Shapiro, A. (1985). Asymptotic distribution of test statistics in the analysis of moment
    structures under inequality constraints. Biometrika 72(1), 133-144, eq. 5.3.
    doi:10.1093/biomet/72.1.133

    Tierney, L. and Kadane, J. B. (1986). Accurate approximations for posterior moments and marginal
    densities. Journal of the American Statistical Association 81, 82-86, section 4.
    doi:10.1080/01621459.1986.10478240

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

    coverage = check_level(level)
    events = events_of_fit(result, events, windows)
    if isinstance(result, LinkedResult):
        return ProfileIntervals(**linked_profile(result, events, coverage, parameters))
    rows, method = _rows(result, events)
    fitted = rows.result
    wanted = fitted.identified.copy()
    if parameters is not None:
        meaning = "baseline and adjacency row of each target"
        refuse_labels(parameters, "parameters")
        wanted &= check_mask(parameters, "parameters", wanted.shape, meaning)
    cutoff = float(chi2.ppf(coverage, 1))
    with told(verbose, "Following profiles", len(rows.columns.estimates)) as done:
        lower, upper, fall = profile_figures(rows, wanted, 0.5 * cutoff, done)
    return ProfileIntervals(
        level=coverage,
        estimates=np.where(wanted, fitted.estimates, np.nan),
        lower=lower,
        upper=upper,
        statistic_at_zero=2.0 * fall,
        cutoff=cutoff,
        cutoff_at_zero=_cutoff_at_zero(rows, wanted, coverage),
        mark_names=fitted.process.mark_names,
        pieces=piece_labels(fitted.process.baseline_function),
        objective=_objective(fitted),
        method=method,
    )


def _rows(result: Any, events: Events) -> tuple[FittedRows, str]:
    """Return the row problems whose objective is profiled, and how its maximum was found."""
    if not (isinstance(result, LikelihoodResult) and result.method == "map"):
        return likelihood_rows(result, events, "profile_interval")
    rows = FittedRows.check(result, events, "profile_interval")
    if rows.prior.strength.size:
        raise InvalidParameterError(
            "profile_interval cannot follow a penalty with groups, whose norms join the targets; "
            "got one by GroupLasso or the like. Use hawkeys.inference.bootstrap, or edge_tests."
        )
    return rows, "map"


def _objective(fitted: LikelihoodResult) -> str:
    """Return the name of what a fit by "mle" or "map" maximises."""
    if fitted.method == "mle":
        return "log-likelihood"
    gamma = isinstance(options_again(fitted.options)["prior"], GammaPrior)
    return "log posterior" if gamma else "penalised log-likelihood"


def _cutoff_at_zero(rows: FittedRows, wanted: BoolArray, level: float) -> float | FloatArray:
    """Return the quantile of the statistic of the value 0, by parameter if it differs."""
    from scipy.stats import chi2

    if rows.result.method == "map":
        return float(chi2.ppf(level, 1))
    if rows.columns.map.n_components == 1:
        return float(chi2.ppf(max(2.0 * level - 1.0, 0.0), 1))
    weights = weights_at_zero(rows, wanted)
    return np.apply_along_axis(lambda mixture: mixture_quantile(level, mixture), 2, weights)


def weights_at_zero(rows: FittedRows, wanted: BoolArray) -> FloatArray:
    """Return how many degrees of freedom are mixed in the statistic of the value 0.

    Parameters
    ----------
    rows : FittedRows
        The fit.
    wanted : ndarray of bool, shape (n_marks, P)
        For which parameters.

    Returns
    -------
    ndarray of float64, shape (n_marks, P, n_components + 1)
        Weights of 0, 1, ..., n_components degrees of freedom; NaN where not wanted.
    """
    where = rows.columns.map
    out = np.full((*wanted.shape, where.n_components + 1), np.nan)
    for b, names, members in rows.distinct(wanted):
        mixtures = np.zeros((names.size, where.n_components + 1))
        mixtures[:, :2] = 0.5
        for g in np.flatnonzero(members.sum(axis=1) > 1).tolist():
            found = mixture_weights(_information_at_zero(rows, b, members[g]))
            mixtures[g, : found.size] = found
        where.scatter(out, names, mixtures, wanted)
    return out


def _information_at_zero(rows: FittedRows, block: int, group: BoolArray) -> FloatArray:
    """Return the information of a group of columns where it is 0 and all others are maximised."""
    x = np.where(group, 0.0, rows.columns.estimates[block])
    slope, hessian = np.empty(x.size), np.empty((x.size, x.size))
    held, linked = rows.held[block] | group, np.zeros(x.size, dtype=bool)
    loops.climb(rows.row(block), held, linked, x, slope, hessian)
    inside, others = np.flatnonzero(group), np.flatnonzero(x > 0)
    unit = 1.0 / np.sqrt(np.maximum(np.diagonal(hessian)[others], 1e-300))
    both = hessian[np.ix_(inside, others)] * unit
    nuisance = hessian[np.ix_(others, others)] * np.outer(unit, unit)
    explained = both @ np.linalg.pinv(nuisance, rcond=1e-9, hermitian=True) @ both.T
    return np.asarray(hessian[np.ix_(inside, inside)] - explained)


def profile_figures(
    rows: FittedRows, wanted: BoolArray, drop: float, done: Callable[[int], None] | None = None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the ends where each profile has fallen by `drop`, and its fall at 0.

    Parameters
    ----------
    rows : FittedRows
        The fit.
    wanted : ndarray of bool, shape (n_marks, P)
        For which parameters.
    drop : float
        In nats; infinity for the fall at 0 alone.
    done : callable, optional
        Called with the number of row problems that are done.

    Returns
    -------
    lower, upper, fall : ndarray of float64, shape (n_marks, P)
        NaN where not wanted; the same of all that are tied.

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
    columns, held = rows.columns, rows.held
    for b, names, members in rows.distinct(wanted):
        quick = None if np.isfinite(drop) else falls_at_zero(rows, b, members)
        if quick is not None:
            found, gain = np.full((len(members), 3), np.nan), quick[1]
            found[:, 2] = quick[0]
        else:
            start = columns.estimates[b].copy()
            found, gain = loops.profile_ends(rows.row(b), held[b], members, start, drop)
        if not gain < _NOT_THE_FIT:
            labels = np.array(rows.result.process.mark_names)[columns.map.blocks == b]
            raise InvalidParameterError(
                f"the fit is not the maximum of the {_objective(rows.result)} for target "
                f"{' and '.join(map(repr, labels.tolist()))}, which is {gain:.4g} nats higher. A "
                "fit under constraints (baseline_floor, say) has no such intervals."
            )
        columns.map.scatter(out, names, found, wanted)
        if done is not None:
            done(b + 1)
    ends = out[..., 0], out[..., 1], out[..., 2]
    _warn_if_missing(wanted, ends if np.isfinite(drop) else ends[2:])
    return ends


def _warn_if_missing(wanted: BoolArray, figures: tuple[FloatArray, ...]) -> None:
    lost = wanted & np.isnan(figures).any(axis=0)
    if lost.any():
        warnings.warn(
            f"the profiles of {lost.sum()} parameters could not be followed to the end; their "
            "figures are NaN. Please report this with the data.",
            ConvergenceWarning,
            stacklevel=4,
        )
