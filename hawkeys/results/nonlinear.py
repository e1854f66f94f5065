"""`NonlinearResult`: a fitted process with a link."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np

from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys._validation import check_fraction
from hawkeys.events.clock import plural
from hawkeys.plotting.estimates import plot_estimates
from hawkeys.process.nonlinear import NonlinearHawkes
from hawkeys.results.by_name import estimates_by_name
from hawkeys.summary import render

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure

__all__ = ["NonlinearResult"]


@dataclass(frozen=True, eq=False, repr=False)
class NonlinearResult:
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

    process: NonlinearHawkes
    log_likelihood: float
    objective: float
    to_gain: float
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
    def method(self) -> str:
        """Name of the inference method: "mle", or "penalised mle"."""
        return "penalised mle" if self.options["penalty"] > 0 else "mle"

    @property
    def params(self) -> pd.Series:
        """Estimates by name, such as "baseline[a]" and "weight[a, b, 0, 0.5]" (as `to_frame`)."""
        return estimates_by_name(self.to_frame())

    @property
    def parameters(self) -> FloatArray:
        """Baseline, then weights by order, source and filter, of each target, (n_marks, P)."""
        return self.process.parameters

    @cached_property
    def std_err(self) -> FloatArray:
        """Standard errors of `parameters`; NaN where the data do not determine them."""
        out = np.full(self.parameters.shape, np.nan)
        for row, matrix, at in zip(out, self.information, self.at_bound, strict=True):
            free = np.flatnonzero(~at & (np.diagonal(matrix) > 0.0))
            scale = 1.0 / np.sqrt(np.diagonal(matrix)[free])
            inverse = np.linalg.pinv(matrix[np.ix_(free, free)] * np.outer(scale, scale))
            row[free] = np.sqrt(np.diagonal(inverse)) * scale
        return out

    def conf_int(self, level: float = 0.95) -> tuple[FloatArray, FloatArray]:
        """Return Wald confidence intervals of `parameters`, given the penalty.

        Parameters
        ----------
        level : float, default 0.95
            Nominal coverage.

        Returns
        -------
        lower, upper : ndarray, shape (n_marks, P)
            NaN where the data do not determine a parameter.

        Raises
        ------
        InvalidParameterError
            `level` is not strictly between 0 and 1.
        """
        reach = NormalDist().inv_cdf(0.5 + 0.5 * check_fraction(level, "level")) * self.std_err
        return self.parameters - reach, self.parameters + reach

    def plot(self, *, level: float = 0.95) -> Figure:
        """Draw the fit: baselines and weights with their intervals.

        Parameters
        ----------
        level : float, default 0.95
            Level of the intervals.

        Returns
        -------
        matplotlib.figure.Figure
            ``savefig`` writes it as PNG, SVG or PDF, by the ending of the name.

        Raises
        ------
        InvalidParameterError
            `level` is not strictly between 0 and 1.
        """
        return plot_estimates(self.to_frame(level=level), self.process, level=level)

    def to_frame(self, *, level: float = 0.95) -> pd.DataFrame:
        """Return one row per parameter.

        Parameters
        ----------
        level : float, default 0.95
            Level of the intervals.

        Returns
        -------
        pandas.DataFrame, shape (n_marks P, 9)
            Columns parameter ("baseline" or "weight"), target, source, order (1 is the last
            event, 0 all of them alike), knot, estimate, std_err, lower, upper.

        Raises
        ------
        InvalidParameterError
            `level` is not strictly between 0 and 1.
        """
        import pandas as pd

        lower, upper = self.conf_int(level)
        process, names = self.process, self.process.mark_names
        orders = range(1, process.n_orders + 1) if process.n_orders > 1 else [0]
        labels = [
            ("weight", source, order, float(knot))
            for order in orders
            for source in names
            for knot in process.filters.knots[:-1]
        ]
        rows = [
            (kind, target, source, order, knot)
            for target in names
            for kind, source, order, knot in [("baseline", None, 0, float("nan")), *labels]
        ]
        frame = pd.DataFrame(rows, columns=["parameter", "target", "source", "order", "knot"])
        return frame.assign(
            estimate=self.parameters.ravel(),
            std_err=self.std_err.ravel(),
            lower=lower.ravel(),
            upper=upper.ravel(),
        )

    def summary(self, *, level: float = 0.95) -> str:
        """Return a text table of the fit.

        Parameters
        ----------
        level : float, default 0.95
            Level of the intervals.

        Returns
        -------
        str
            No clock in it: the same fit gives the same text.

        Raises
        ------
        InvalidParameterError
            `level` is not strictly between 0 and 1.
        """
        facts = {
            "Events": f"{int(self.event_counts.sum())}",
            "Log-likelihood": f"{self.log_likelihood:.6f}",
            "Realisations": f"{self.n_realizations}",
            "Objective": f"{self.objective:.6f}",
            "Total time": f"{self.total_time:.6g}{f' {plural(self.unit)}' if self.unit else ''}",
            "Penalty": f"{self.options['penalty']:g}",
            "Link": self.process.link,
            "Converged": f"{self.converged} ({self.message})",
        }
        table = self.to_frame(level=level)
        table["source"] = table["source"].fillna("")
        notes = [f"lower, upper: {100 * level:g} % Wald intervals given the penalty."]
        return render("Process with a link, by Newton's method", facts, table, notes)

    def __repr__(self) -> str:
        return (
            f"NonlinearResult(n_marks={self.process.n_marks}, link={self.process.link!r}, "
            f"n_events={int(self.event_counts.sum())}, "
            f"log_likelihood={self.log_likelihood:.6g}, converged={self.converged})"
        )
