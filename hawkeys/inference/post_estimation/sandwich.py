"""`sandwich_covariance`: standard errors that hold if the model is wrong, over realisations."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from hawkeys._design import Design
from hawkeys._loops import profile as loops
from hawkeys._typing import FloatArray
from hawkeys._validation import check_fraction
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.post_estimation.refits import FittedRows, events_of_fit
from hawkeys.inference.task import check_weights
from hawkeys.results.frames import parameter_frame, piece_labels

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["SandwichCovariance", "sandwich_covariance"]


@dataclass(frozen=True, eq=False, repr=False)
class SandwichCovariance:
    """Covariance of the estimates, clustered by realisation.

    Attributes
    ----------
    covariance : ndarray of float64, shape (n_marks, n_marks + 1, n_marks + 1)
        Of each target's parameters, baseline first; NaN at the bound and if not identified.
    estimates : ndarray of float64, shape (n_marks, n_marks + 1)
        The estimates; NaN if not identified.
    n_realizations : int
        Number of realisations with a weight above 0.
    mark_names : tuple of str
        Labels of the marks.
    pieces : tuple of str or None, length n_pieces
        Labels of the pieces of the baseline; ``(None,)`` if it is constant, and the shapes are
        those stated, else n_pieces + n_marks stands for n_marks + 1.
    """

    covariance: FloatArray
    estimates: FloatArray
    n_realizations: int
    mark_names: tuple[str, ...]
    pieces: tuple[str | None, ...] = (None,)

    @cached_property
    def std_err(self) -> FloatArray:
        """Standard errors, shape (n_marks, n_marks + 1); NaN at the bound and if unidentified."""
        return np.sqrt(np.diagonal(self.covariance, axis1=1, axis2=2))

    def conf_int(self, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Return normal confidence intervals, cut at 0.

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
        reach = NormalDist().inv_cdf(0.5 + 0.5 * check_fraction(level, "level")) * self.std_err
        return np.maximum(self.estimates - reach, 0.0), self.estimates + reach

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
            estimate=self.estimates,
            std_err=self.std_err,
            lower=lower,
            upper=upper,
        )

    def __repr__(self) -> str:
        return (
            f"SandwichCovariance(n_marks={len(self.mark_names)}, "
            f"n_realizations={self.n_realizations})"
        )


def sandwich_covariance(result: Any, events: Any, **windows: Any) -> SandwichCovariance:
    r"""Return the covariance of maximum-likelihood estimates, robust to a wrong model.

    With :math:`u_r` the score of realisation r (times its weight) at the estimate and H the
    observed information, over the parameters above 0,

    .. math:: V = H^{-1} \Big[ \tfrac{R}{R - 1} \sum_r u_r u_r^\top \Big] H^{-1}.

    Parameters
    ----------
    result : LikelihoodResult
        A fit by ``method="mle"``; its weights, support, baseline and ties are kept.
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
        The result is not a maximum-likelihood fit or not of these events, or only one realisation
        counts.
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

    References
    ----------
    White, H. (1982). Maximum likelihood estimation of misspecified models. Econometrica 50(1),
    1-25, eq. 3.2. doi:10.2307/1912526

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
    rows = FittedRows.check(result, events, "sandwich_covariance")
    fitted = rows.result
    weights = check_weights(fitted.options.get("weights"), events.n_realizations)
    count = int((weights > 0).sum())
    if count < 2:
        raise InvalidParameterError(
            f"sandwich_covariance needs at least 2 realisations that count; got {count}. A single "
            "one has no spread between realisations: cut its window into several, or use "
            "hawkeys.inference.bootstrap."
        )
    columns = rows.columns
    meat = _meat(columns.estimates, FittedRows.build(fitted, events, separate=True))
    covariance = columns.covariance(_information(rows), count / (count - 1) * meat)
    return SandwichCovariance(
        covariance=np.where(np.isnan(fitted.covariance), np.nan, covariance),
        estimates=np.where(fitted.identified, fitted.estimates, np.nan),
        n_realizations=count,
        mark_names=fitted.process.mark_names,
        pieces=piece_labels(fitted.process.baseline_function),
    )


def _information(rows: FittedRows) -> FloatArray:
    """Return the information of each row problem, the kernel held as it is in the scores."""
    x = rows.columns.estimates
    held = np.empty((*x.shape, x.shape[1]))
    for b in range(len(x)):
        held[b] = rows.design.information(b, x[b])
    return held


def _meat(x: FloatArray, design: Design) -> FloatArray:
    """Return the sum over realisations of the outer products of each row problem's scores."""
    flat = loops.scores(design.excitation, design.weights, design.offsets, design.cost, x)
    each = flat.reshape(-1, *x.shape)
    return np.einsum("rip,riq->ipq", each, each)
