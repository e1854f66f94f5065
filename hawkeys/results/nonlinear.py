"""Fitted processes with a link: what all have in common, and `NonlinearResult`."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys._validation import check_level
from hawkeys.process.nonlinear import NonlinearHawkes
from hawkeys.results.base import Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NONLINEAR_SCHEMA", "LinkedResult", "NonlinearResult"]

NONLINEAR_SCHEMA = "hawkeys-nonlinear-fit/2"


class LinkedResult(Result):
    """A fit of `NonlinearHawkes`, `RectifiedHawkes` included; see `Result`.

    Attributes
    ----------
    process : NonlinearHawkes
        The fitted process.
    to_gain : float
        What another step promises, in nats.
    at_bound : ndarray of bool, shape (n_marks, P)
        Which of `estimates` lie at a bound.
    information : ndarray of float64, shape (n_marks, p, p)
        Observed information of each target, p at least P.
    """

    process: NonlinearHawkes
    to_gain: float
    at_bound: BoolArray
    information: FloatArray

    @property
    @abstractmethod
    def estimates(self) -> FloatArray:
        """Estimated parameters of each target, shape (n_marks, P)."""

    @abstractmethod
    def with_parameters(self, estimates: FloatArray) -> NonlinearHawkes:
        """Return the process with other parameters, of the shape of `estimates`."""

    @property
    def _free(self) -> BoolArray:
        """Which parameters of the information have a standard error, shape (n_marks, p)."""
        return self.identified & ~self.at_bound

    @property
    def lowest(self) -> FloatArray:
        """Smallest value of each parameter, shape (P,): 0 for baselines of the rectified link."""
        out = np.full(self.estimates.shape[1], -np.inf)
        if self.process.link == "rectified":
            out[0] = 0.0
        return out

    @property
    def n_parameters(self) -> int:
        """Number of identified parameters; those at a bound count."""
        return int(self.identified.sum())

    @property
    def aic(self) -> float:
        """Akaike's criterion, 2 n_parameters - 2 log_likelihood."""
        return 2.0 * self.n_parameters - 2.0 * self.log_likelihood

    @property
    def bic(self) -> float:
        """Schwarz's criterion, log(n_events) n_parameters - 2 log_likelihood."""
        return math.log(max(self.n_events, 1)) * self.n_parameters - 2.0 * self.log_likelihood

    @cached_property
    def covariance(self) -> FloatArray:
        """Inverse of the information, shape (n_marks, p, p), NaN where it has no meaning."""
        out = np.full_like(self.information, np.nan)
        for i, matrix in enumerate(self.information):
            index = np.flatnonzero(self._free[i] & (np.diagonal(matrix) > 0))
            if index.size == 0:
                continue
            scale = 1.0 / np.sqrt(matrix[index, index])
            scaled = matrix[np.ix_(index, index)] * np.outer(scale, scale)
            out[i][np.ix_(index, index)] = np.linalg.pinv(scaled) * np.outer(scale, scale)
        return out

    @property
    def std_err(self) -> FloatArray:
        """Standard errors of `estimates`, shape (n_marks, P)."""
        variance = np.diagonal(self.covariance, axis1=1, axis2=2)
        own = variance[:, : self.estimates.shape[1]]
        return np.sqrt(np.where(own >= 0, own, np.nan))

    def conf_int(self, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Return Wald confidence intervals; those of baselines that are rates are cut at 0.

        Parameters
        ----------
        level : float, default 0.95
            Nominal coverage.

        Returns
        -------
        lower, upper : ndarray, shape (n_marks, P)
            Of `estimates`; NaN where there is no standard error.

        Raises
        ------
        InvalidParameterError
            `level` is not strictly between 0 and 1.
        """
        reach = NormalDist().inv_cdf(0.5 + 0.5 * check_level(level)) * self.std_err
        return np.maximum(self.estimates - reach, self.lowest), self.estimates + reach


@dataclass(frozen=True, eq=False, repr=False)
class NonlinearResult(LinkedResult):
    """What `hawkeys.fit_nonlinear` returns.

    Attributes
    ----------
    process : NonlinearHawkes
        The fitted process.
    log_likelihood : float
        Of the data, without penalty, in nats.
    objective : float
        What was maximised: the weighted log-likelihood less the penalty.
    to_gain : float
        What another step promises, the most of the target marks, in nats.
    optimality_gap : float
        What no parameters within their limits can gain in all, in nats: a proof, as the objective
        is concave.
    quadrature_error : float
        How much the log-likelihood changes with twice the nodes, in nats; 0 without exponentials.
    converged : bool
        Whether every target mark met the tolerance.
    message : str
        Why it stopped.
    n_iterations : int
        Most steps of a target mark.
    traces : tuple of ndarray, one per target mark
        Objective after each step.
    at_bound : ndarray of bool, shape (n_marks, P)
        Which of `parameters` the data do not determine; they may be minus infinity.
    information : ndarray of float64, shape (n_marks, P, P)
        Minus the second derivatives of the objective by the parameters of each target.
    event_counts : ndarray of int64, shape (n_marks,)
        Events per mark.
    n_realizations : int
        Number of realisations.
    total_time : float
        Sum of the window lengths.
    options : mapping
        Options of the fit.
    version : str
        Version of hawkeys that made it.
    unit : str or None
        Unit of time of the data if it was told.
    """

    schema: ClassVar[str] = NONLINEAR_SCHEMA

    process: NonlinearHawkes
    log_likelihood: float
    objective: float
    to_gain: float
    optimality_gap: float
    quadrature_error: float
    converged: bool
    message: str
    n_iterations: int
    traces: tuple[FloatArray, ...]
    at_bound: BoolArray
    information: FloatArray
    event_counts: IntArray
    n_realizations: int
    total_time: float
    options: Mapping[str, Any]
    version: str
    unit: str | None = None

    @property
    def method(self) -> str:  # type: ignore[override]
        """Name of the inference method: "mle", or "penalised mle"."""
        return "mle" if self._unpenalised else "penalised mle"

    @property
    def _unpenalised(self) -> bool:
        penalty = self.options["penalty"]
        return isinstance(penalty, float | int) and penalty == 0

    @property
    def parameters(self) -> FloatArray:
        """Baseline, then weights by order, source and filter, of each target, (n_marks, P)."""
        return self.process.parameters

    @property
    def estimates(self) -> FloatArray:
        """The parameters, by the name that they have in other results."""
        return self.process.parameters

    @property
    def identified(self) -> BoolArray:  # type: ignore[override]
        """Which of `parameters` the data determine, shape (n_marks, P)."""
        return ~self.at_bound

    def with_parameters(self, estimates: FloatArray) -> NonlinearHawkes:
        """Return the process with other parameters.

        Parameters
        ----------
        estimates : ndarray of float64, shape (n_marks, P)
            As `parameters`.

        Returns
        -------
        NonlinearHawkes
            With the filters, link and marks of the fit.
        """
        return self.process.with_parameters(estimates)

    @property
    def _free(self) -> BoolArray:
        # an L1 penalty has set to 0 what is exactly 0
        return super()._free & (self._unpenalised | (self.estimates != 0.0))

    @property
    def places(self) -> pd.DataFrame:
        """What each parameter is, (n_marks P, 5): parameter, target, source, order and knot."""
        import pandas as pd

        process, names = self.process, self.process.mark_names
        orders = range(1, process.n_orders + 1) if process.n_orders > 1 else [0]
        labels = [
            (kind, source, order, number)
            for order in orders
            for source in names
            for kind, number in process.filters.labels
        ]
        pieces = [None] if process.pieces is None else process.pieces.labels
        baselines = [("baseline", piece, 0, float("nan")) for piece in pieces]
        rows = [
            (kind, target, source, order, knot)
            for target in names
            for kind, source, order, knot in [*baselines, *labels]
        ]
        return pd.DataFrame(rows, columns=["parameter", "target", "source", "order", "knot"])

    def to_frame(self, *, level: float = 0.95) -> pd.DataFrame:
        """Return one row per parameter.

        Parameters
        ----------
        level : float, default 0.95
            Level of the intervals.

        Returns
        -------
        pandas.DataFrame, shape (n_marks P, 9)
            Columns parameter ("baseline", "weight", or "fading" of an exponential), target, source
            (of a baseline the piece), order (1 is the last event, 0 all of them alike), knot (where
            a step begins, or the decay), estimate, std_err, lower, upper.

        Raises
        ------
        InvalidParameterError
            `level` is not strictly between 0 and 1.
        """
        lower, upper = self.conf_int(level)
        return self.places.assign(
            estimate=self.parameters.ravel(),
            std_err=self.std_err.ravel(),
            lower=lower.ravel(),
            upper=upper.ravel(),
        )

    def _title(self) -> str:
        return "Process with a link, by Newton's method"

    def _interval_name(self) -> str:
        return "Wald intervals given the penalty"

    def _facts(self) -> dict[str, str]:
        penalty = self.options["penalty"]
        told = f"{penalty:g}" if isinstance(penalty, float | int) else repr(penalty)
        return {
            "Events": f"{self.n_events}",
            "Log-likelihood": f"{self.log_likelihood:.6f}",
            "Realisations": self._realizations_and_marks,
            "Objective": f"{self.objective:.6f}",
            "Total time": self._total_time,
            "Penalty": told,
            "Link": self.process.link,
            "Optimality gap": f"{self.optimality_gap:.1e}",
            "AIC": f"{self.aic:.4f}",
            "Converged": f"{self.converged} ({self.message})",
        }

    def __repr__(self) -> str:
        return (
            f"NonlinearResult(n_marks={self.process.n_marks}, link={self.process.link!r}, "
            f"n_events={int(self.event_counts.sum())}, "
            f"log_likelihood={self.log_likelihood:.6g}, converged={self.converged})"
        )
