"""`sandwich_covariance`: standard errors that hold if the model is wrong, over realisations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from hawkeys._design import Design
from hawkeys._design.columns import ColumnMap, FittedColumns
from hawkeys._loops import profile as loops
from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys._validation import check_level
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.post_estimation.fitted_rows import FittedRows, columns_of, rows_again
from hawkeys.inference.post_estimation.jackknife import posterior_influence
from hawkeys.inference.post_estimation.linked import linked_sandwich
from hawkeys.inference.post_estimation.refits import (
    check_fit,
    check_same_events,
    events_of_fit,
    task_again,
)
from hawkeys.inference.rows.least_squares import exponential_gram
from hawkeys.results import VariationalResult
from hawkeys.results.contrast import ContrastResult
from hawkeys.results.fit_result import FitResult
from hawkeys.results.frames import parameter_frame, piece_labels
from hawkeys.results.nonlinear import LinkedResult

if TYPE_CHECKING:
    import pandas as pd

    from hawkeys.kernels import Exponential

__all__ = ["SandwichCovariance", "sandwich_covariance"]


@dataclass(frozen=True, eq=False, repr=False)
class SandwichCovariance:
    """Covariance of the estimates, clustered by realisation.

    Attributes
    ----------
    covariance : ndarray of float64, shape (n_marks, n_marks + 1, n_marks + 1)
        Of each target's parameters, baseline first; NaN at the bound, if not identified, and for
        what a prior alone determines.
    estimates : ndarray of float64, shape (n_marks, n_marks + 1)
        The estimates, of variational inference the posterior means; NaN if not identified.
    n_realizations : int
        Number of realisations with a weight above 0.
    mark_names : tuple of str
        Labels of the marks.
    pieces : tuple of str or None, length n_pieces
        Labels of the pieces of the baseline; ``(None,)`` if it is constant, and the shapes are
        those stated, else n_pieces + n_marks stands for n_marks + 1.
    method : str
        Method of the fit.
    lowest : float or ndarray of float64, shape (P,)
        Smallest value of each parameter: 0, or minus infinity where there is no bound.
    places : pandas.DataFrame or None
        What each parameter of `hawkeys.fit_nonlinear` is, whose arrays have P for n_marks + 1.
    """

    covariance: FloatArray
    estimates: FloatArray
    n_realizations: int
    mark_names: tuple[str, ...]
    pieces: tuple[str | None, ...] = (None,)
    method: str = "mle"
    lowest: FloatArray | float = 0.0
    places: pd.DataFrame | None = None

    @cached_property
    def std_err(self) -> FloatArray:
        """Standard errors, shape (n_marks, n_marks + 1); NaN at the bound and if unidentified."""
        return np.sqrt(np.diagonal(self.covariance, axis1=1, axis2=2))

    def conf_int(self, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Return normal confidence intervals, cut at 0 where parameters cannot be negative.

        Parameters
        ----------
        level : float, default 0.95
            Nominal coverage.

        Returns
        -------
        lower, upper : ndarray of float64, shape (n_marks, n_marks + 1)
            Baseline, then adjacency row, of each target; NaN at the bound.

        Raises
        ------
        InvalidParameterError
            `level` is not strictly between 0 and 1.
        """
        reach = NormalDist().inv_cdf(0.5 + 0.5 * check_level(level)) * self.std_err
        return np.maximum(self.estimates - reach, self.lowest), self.estimates + reach

    def to_frame(self, *, level: float = 0.95) -> pd.DataFrame:
        """Return one row per parameter.

        Parameters
        ----------
        level : float, default 0.95
            Level of the intervals.

        Returns
        -------
        pandas.DataFrame, shape (n_marks * (n_marks + 1), 7)
            Columns parameter ("baseline" or "adjacency"), target, source, estimate, std_err, lower
            and upper.

        Raises
        ------
        InvalidParameterError
            `level` is not strictly between 0 and 1.
        """
        lower, upper = self.conf_int(level)
        return parameter_frame(
            self.mark_names,
            self.pieces,
            self.places,
            estimate=self.estimates,
            std_err=self.std_err,
            lower=lower,
            upper=upper,
        )

    def __repr__(self) -> str:
        other = "" if self.method == "mle" else f", method={self.method!r}"
        return (
            f"SandwichCovariance(n_marks={len(self.mark_names)}, "
            f"n_realizations={self.n_realizations}{other})"
        )


def sandwich_covariance(result: Any, events: Any, **windows: Any) -> SandwichCovariance:
    r"""Return the covariance of estimates over realisations, robust to a wrong model.

    What is estimated by maximum likelihood, with a prior or penalty, or by least squares is the
    root of a sum over realisations of :math:`\psi_r(x)`, the slopes of what realisation r adds to
    the objective (times its weight) and of an equal share of the prior. With H minus the
    derivatives of that sum at the estimate, over the parameters above 0,

    .. math:: V = H^{-1} \Big[ \tfrac{R}{R - 1} \sum_r \psi_r \psi_r^\top \Big] H^{-1}.

    Of a variational posterior it is the covariance of the posterior means, by the infinitesimal
    jackknife: with :math:`m_r` the derivative of the means by the logarithm of the weight of
    realisation r,

    .. math:: V = \tfrac{R}{R - 1} \sum_r (m_r - \bar m) (m_r - \bar m)^\top.

    Parameters
    ----------
    result : FitResult, RectifiedResult or NonlinearResult
        A fit by any method of `hawkeys.fit`, of `hawkeys.fit_rectified`, or of
        `hawkeys.fit_nonlinear` without penalty; its weights, support, baseline and ties are kept.
    events : Events, frame, mapping or sequence
        The events of the fit: two realisations or more, taken as independent. All but Events need
        ``end_time``.
    **windows
        ``end_time``, ``start_time`` and all else that says how data are read, as for `hawkeys.fit`;
        marks are found by name.

    Returns
    -------
    SandwichCovariance
        Frozen: `covariance`, `std_err`, `conf_int`, `to_frame`.

    Raises
    ------
    InvalidParameterError
        The result is not of `hawkeys.fit` or not of these events, only one realisation counts, or
        the second derivatives at a variational optimum are not those of a maximum.
    InvalidEventsError
        `events` cannot be read, or have another number of marks.

    Notes
    -----
    If the model is right, V and the inverse information agree as R grows. If it is wrong (typists
    who differ from sample to sample, a wrong kernel), V is the covariance of the estimates around
    the parameters that fit best, while the inverse information is not. It needs many realisations:
    the sum of squares has R - 1 degrees of freedom, and below about 30 realisations the normal
    intervals are too short. A kernel whose parameters were estimated is held at the estimate; use
    `bootstrap` to include its uncertainty. The weights of `SumExponential` are not held: they are
    part of the same problem. Parameters that are tied have one score, summed over their targets.

    The form with a term per event instead of per realisation would be of no use: the intensity is
    linear in the parameters, so the sum of squares of :math:`\nabla \log \lambda` over events *is*
    the observed information, and the sandwich its plain inverse, `LikelihoodResult.covariance`.
    For one long realisation cut the window into realisations much longer than the kernel (which
    neglects excitation across the cuts), or use `bootstrap`.

    *Priors and penalties* are held, and add their curvature to H: V is the covariance of what was
    estimated, around a value that they have drawn in, and intervals made of it do not cover the
    truth where the prior pulls. What a prior alone determines does not scatter and has none (NaN).
    Norms of groups join the targets, and so does H.

    *Variational inference.* The means answer to a weight as the optimum of the evidence bound does
    (linear response: Giordano, Broderick and Jordan 2018): through the likelihood, through the
    default prior of a baseline, whose mean is the mean rate of the events, and through the prior
    variances that relevance determination sets. As an exact posterior's jackknife it is consistent
    where the posterior's own variance is not (Giordano and Broderick 2023, theorem 2). For "vi"
    the optimum is found again from the posterior, on the base draws of the default seed. For
    "vi_stochastic" it is the optimum that its steps approach; the randomness of these steps is not
    in V. What is switched off there, or here, has none (NaN).

    References
    ----------
    White, H. (1982). Maximum likelihood estimation of misspecified models. Econometrica 50(1),
    1-25, eq. 3.2. doi:10.2307/1912526

    Stefanski, L. A. and Boos, D. D. (2002). The calculus of M-estimation. The American Statistician
    56(1), 29-38, eq. 10. doi:10.1198/000313002753631330

    Giordano, R. and Broderick, T. (2023). The Bayesian infinitesimal jackknife for variance.
    arXiv:2305.06466, eq. 3.

    Giordano, R., Broderick, T. and Jordan, M. I. (2018). Covariances, robustness, and variational
    Bayes. JMLR 19(51), theorem 1. arXiv:1709.02536

    Examples
    --------
    >>> import hawkeys
    >>> truth = hawkeys.Hawkes([0.5], [[0.5]], decay=2.0)
    >>> sample = hawkeys.simulate(truth, end_time=20.0, n_realizations=200, rng=0)
    >>> result = hawkeys.fit(sample, decay=2.0)
    >>> robust = hawkeys.inference.sandwich_covariance(result, sample)
    >>> result.std_err.round(3), robust.std_err.round(3)
    (array([[0.016, 0.016]]), array([[0.015, 0.014]]))
    """
    events = events_of_fit(result, events, windows)
    if isinstance(result, LinkedResult):
        return SandwichCovariance(**linked_sandwich(result, events))
    fitted = check_fit(result, "sandwich_covariance")
    check_same_events(fitted, events)
    weights = task_again(fitted, events).weights
    counts = np.ones(events.n_realizations, bool) if weights is None else weights > 0
    count = int(counts.sum())
    if count < 2:
        raise InvalidParameterError(
            f"sandwich_covariance needs at least 2 realisations that count; got {count}. A single "
            "one has no spread between realisations: cut its window into several, or use "
            "hawkeys.inference.bootstrap."
        )
    covariance = count / (count - 1) * _covariance(fitted, events, np.flatnonzero(counts))
    known = fitted.identified & ~fitted.at_bound & _seen(fitted, events)
    both = known[:, :, None] & known[:, None, :]
    return SandwichCovariance(
        covariance=np.where(both & ~_undefined(fitted), covariance, np.nan),
        estimates=np.where(fitted.identified, fitted.estimates, np.nan),
        n_realizations=count,
        mark_names=fitted.process.mark_names,
        pieces=piece_labels(fitted.process.baseline_function),
        method=fitted.method,
    )


def _covariance(fitted: FitResult, events: Events, counts: IntArray) -> FloatArray:
    """Return the covariance of each target's parameters without the factor of realisations.

    `counts` says which realisations count.
    """
    if isinstance(fitted, VariationalResult):
        influence = posterior_influence(fitted, events)[counts]
        influence = influence - influence.mean(axis=0)
        return np.asarray(np.einsum("rip,riq->ipq", influence, influence))
    columns = columns_of(fitted)
    if isinstance(fitted, ContrastResult):
        scores = _contrast_scores(fitted, events)
        return columns.covariance(0.5 * fitted.information, _meat(scores[counts]))
    rows = FittedRows.check(fitted, events, "sandwich_covariance")
    scores = _likelihood_scores(columns.estimates, rows_again(fitted, events, separate=True))
    information = _information(rows)
    if len(information) < len(columns.estimates):  # rows joined by groups of a penalty
        where = columns.map
        joined = ColumnMap(where.baseline, where.adjacency, columns.estimates.size)
        flat = columns.estimates.reshape(1, -1), columns.used.reshape(1, -1)
        columns = FittedColumns(joined, *flat)
        scores = scores.reshape(len(scores), 1, -1)
    return columns.covariance(information, _meat(scores[counts]))


def _seen(fitted: FitResult, events: Events) -> BoolArray:
    """Return which parameters the data know of, (n_marks, P): a prior identifies others, too."""
    if fitted.method in ("mle", "least_squares"):
        return fitted.identified
    return columns_of(fitted).map.any_of(rows_again(fitted, events).cost > 0.0)


def _undefined(fitted: FitResult) -> BoolArray:
    """Return which covariances the fit itself has none of, (n_marks, P, P)."""
    own = getattr(fitted, "covariance", None)
    return np.zeros(1, dtype=bool) if own is None else np.isnan(own)


def _information(rows: FittedRows) -> FloatArray:
    """Return the information of each row problem, or of all together if a penalty joins them.

    The kernel is held, as it is in the scores. Shape (n, P, P), or (1, n * P, n * P).
    """
    x, prior = rows.columns.estimates, rows.prior
    size = x.shape[1]
    step = len(x) if prior.joins_rows else 1
    out = np.empty((len(x) // step, step * size, step * size))
    for b in range(0, len(x), step):
        out[b // step] = prior.information(x, slice(b, b + step))
        for row in range(step):
            own = slice(row * size, (row + 1) * size)
            out[b // step, own, own] += rows.design.information(b + row, x[b + row])
    return out


def _likelihood_scores(x: FloatArray, design: Design) -> FloatArray:
    """Return the scores of each realisation and row problem, (n_realizations, n_blocks, P)."""
    flat = loops.scores(design.excitation, design.weights, design.offsets, design.cost, x)
    return flat.reshape(-1, *x.shape)


def _contrast_scores(fitted: ContrastResult, events: Events) -> FloatArray:
    """Return b - G x of each realisation and target, (n_realizations, n_marks, P)."""
    x, kernel = fitted.estimates, cast("Exponential", fitted.kernel)
    design = rows_again(fitted, events, separate=True)
    weights = task_again(fitted, events).weights
    scale = np.ones(events.n_realizations) if weights is None else weights
    out = np.empty((events.n_realizations, *x.shape))
    for r in range(events.n_realizations):
        blocks = range(r * len(x), (r + 1) * len(x))
        cost = design.cost[blocks.start : blocks.stop]
        gram = exponential_gram(events[r : r + 1], kernel, scale[r : r + 1], cost)
        linear = np.array([design.rows(b) @ design.event_weights(b) for b in blocks])
        out[r] = linear - np.einsum("ipq,iq->ip", gram, x)
    return out


def _meat(scores: FloatArray) -> FloatArray:
    """Return the sum over realisations of outer products of scores less their mean.

    (n_realizations, n_blocks, P) gives (n_blocks, P, P). The mean is minus the share of the prior
    in each, and 0 without one.
    """
    each = scores - scores.mean(axis=0)
    return np.asarray(np.einsum("rip,riq->ipq", each, each))
