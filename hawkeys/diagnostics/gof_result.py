"""`GoodnessOfFit`: what `hawkeys.goodness_of_fit` returns."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys._validation import brief, brief_names
from hawkeys.diagnostics.residual_tests import TESTS, Scope, monte_carlo_pvalues, scopes_of
from hawkeys.diagnostics.time_rescaling import RescaledEvents
from hawkeys.exceptions import InvalidParameterError
from hawkeys.plotting._axes import current_axes
from hawkeys.process.base import Process
from hawkeys.summary import render

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["GoodnessOfFit"]

_NAMES = [test.name for test in TESTS]
_LEVEL = 0.95
_OUTSIDE = "#d55e00"
# 95 % points of the limits for known parameters: Kolmogorov, and sup |Brownian motion|
_LIMITS = {"ks": 1.3581, "residual_process": 2.2414}


@dataclass(frozen=True, eq=False, repr=False)
class GoodnessOfFit:
    """Residuals of a process by time rescaling, with tests of them.

    Attributes
    ----------
    process : Hawkes or RectifiedHawkes
        The process tested.
    parameters : str
        How its parameters came about: "known", or how every Monte Carlo sample was re-fitted.
    rescaled : RescaledEvents
        The events on the time axis of their compensators.
    observed : ndarray of float64, shape (n_marks + 1, n_tests)
        Statistics, pooled over marks and then of each mark; NaN where there are too few events.
    null : ndarray of float64, shape (n_mc_samples, n_marks + 1, n_tests)
        The same statistics of the Monte Carlo samples.
    seed : int or None
        Seed of the Monte Carlo samples; None if a generator was handed in.
    version : str
        Version of hawkeys.
    failures : tuple of str
        Why re-fits of Monte Carlo samples failed, one entry per sample that did; such samples are
        NaN in `null` and left out of the p-values.
    """

    process: Process
    parameters: str
    rescaled: RescaledEvents
    observed: FloatArray
    null: FloatArray
    seed: int | None
    version: str
    failures: tuple[str, ...] = ()

    @property
    def n_mc_samples(self) -> int:
        """Number of Monte Carlo samples."""
        return len(self.null)

    @property
    def known(self) -> bool:
        """Whether the parameters were known, not fitted on these events."""
        return self.parameters == "known"

    @property
    def residuals(self) -> FloatArray:
        """Residuals of all marks, one per event in the order of the events; Exp(1) if right.

        See `RescaledEvents.residuals` for a mark's first event.
        """
        return self.rescaled.residuals

    def residuals_of(self, mark: str | int) -> FloatArray:
        """Return the residuals of one mark.

        Parameters
        ----------
        mark : str or int
            Its name, or its number from 0.

        Returns
        -------
        ndarray of float64, shape (number of its events,)
            In the order of the events.

        Raises
        ------
        InvalidParameterError
            No such mark.
        """
        return self._scopes[self._index(mark)].residuals

    @property
    def pvalue(self) -> float:
        """Monte Carlo p-value of the pooled Kolmogorov-Smirnov test; NaN without samples."""
        return float(self._monte_carlo[0, _NAMES.index("ks")])

    @property
    def statistics(self) -> pd.DataFrame:
        """Statistics, one row per scope (pooled, then the marks) and one column per test."""
        return self._wide(self.observed)

    @property
    def pvalues(self) -> pd.DataFrame:
        """Monte Carlo p-values, one row per scope and one column per test."""
        return self._wide(self._monte_carlo)

    @property
    def asymptotic_pvalues(self) -> pd.DataFrame:
        """Asymptotic p-values in the same form; NaN if the parameters were fitted.

        Of the dispersion between windows there is none.
        """
        return self._wide(self._asymptotic)

    def to_frame(self) -> pd.DataFrame:
        """Return one row per scope and test.

        Returns
        -------
        pandas.DataFrame, shape ((n_marks + 1) * n_tests, 6)
            Columns scope ("pooled", then the names of the marks), test, n_events, statistic,
            pvalue (Monte Carlo), asymptotic_pvalue (NaN if the parameters were fitted).
        """
        import pandas as pd

        rows = len(self.observed)
        sizes = [scope.n_events for scope in self._scopes]
        return pd.DataFrame(
            {
                "scope": np.repeat(["pooled", *self.rescaled.mark_names], len(TESTS)),
                "test": _NAMES * rows,
                "n_events": np.repeat(sizes, len(TESTS)),
                "statistic": self.observed.ravel(),
                "pvalue": self._monte_carlo.ravel(),
                "asymptotic_pvalue": self._asymptotic.ravel(),
            }
        )

    def summary(self) -> str:
        """Return a text table of the p-values.

        Returns
        -------
        str
            No clock in it: the same test gives the same text.
        """
        table = self.pvalues.reset_index(names="scope")
        table.insert(1, "n_events", [scope.n_events for scope in self._scopes])
        facts = {
            "Events": f"{len(self.residuals)}",
            "Monte Carlo": f"{self.n_mc_samples} samples, seed {self.seed}",
            "Realisations": f"{len(self.rescaled.expected)}",
            "Mean residual": f"{self.residuals.mean():.4g}" if len(self.residuals) else "-",
            "Parameters": self.parameters,
            "p-value (KS)": f"{self.pvalue:.4g}",
        }
        notes = ["p-values by Monte Carlo; pooled: the residuals of all marks together."]
        if self.failures:
            notes.append(
                f"{len(self.failures)} of {self.n_mc_samples} re-fits failed and are left out; the "
                f"first: {self.failures[0]}"
            )
        return render("Goodness of fit by time rescaling", facts, table, notes)

    def plot_qq(self, ax: Axes | None = None, *, mark: str | int | None = None) -> Axes:
        """Draw the residuals' quantiles against those of Exp(1).

        The band holds all points in 95 % of the samples of a right model: a point outside it means
        a Kolmogorov-Smirnov p-value below 5 %. It comes from the Monte Carlo samples; without them
        from the asymptotic law if the parameters are known, else it is not drawn. Points outside it
        have a colour of their own, and the legend counts them.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw. Default: the current axes.
        mark : str or int, optional
            Name or number of a mark. Default: the residuals of all marks together.

        Returns
        -------
        matplotlib.axes.Axes
            The axes drawn on.

        Raises
        ------
        InvalidParameterError
            No such mark, or it has no event.
        """
        index = self._with_events(mark)
        axes = current_axes() if ax is None else ax
        x = np.sort(self._scopes[index].residuals)
        middle = -np.log1p(-(np.arange(x.size) + 0.5) / x.size)
        reach = self._reach("ks", index) / math.sqrt(x.size)
        outside = np.zeros(x.size, dtype=bool)
        if not math.isnan(reach):
            band = _qq_band(x.size, reach)
            axes.fill_between(*band, color="0.85", lw=0, label="95 % band")
            outside = (x < band[1]) | (x > band[2])
        top = 1.03 * max(middle[-1], x[-1])
        axes.plot([0, top], [0, top], color="0.4", lw=1, label="Exp(1)")
        inside = ~outside
        axes.plot(middle[inside], x[inside], ".", ms=4, color="C0", label=self._label(index))
        if outside.any():
            label = f"outside the band: {outside.sum():,} of {x.size:,}"
            axes.plot(middle[outside], x[outside], ".", ms=4, color=_OUTSIDE, label=label)
        axes.set(xlim=(0, top), ylim=(0, top), xlabel="quantile of Exp(1)", ylabel="residual")
        axes.legend(loc="upper left", frameon=False)
        return axes

    def plot_residual_process(
        self, ax: Axes | None = None, *, mark: str | int | None = None
    ) -> Axes:
        """Draw the number of rescaled events less its expectation, N(s) - s.

        The band holds the whole path in 95 % of the samples of a right model; see `plot_qq` for
        where it comes from. Drifts show a rate that changes, and bursts or lulls where they are.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw. Default: the current axes.
        mark : str or int, optional
            Name or number of a mark. Default: all marks, their axes laid end to end (dotted lines).

        Returns
        -------
        matplotlib.axes.Axes
            The axes drawn on.

        Raises
        ------
        InvalidParameterError
            No such mark, or it has no event.
        """
        index = self._with_events(mark)
        axes = current_axes() if ax is None else ax
        scope = self._scopes[index]
        total = scope.total
        reach = self._reach("residual_process", index) * math.sqrt(total)
        if not math.isnan(reach):
            axes.fill_between(
                [0, total], [-reach] * 2, [reach] * 2, color="0.85", lw=0, label="95 % band"
            )
        axes.axhline(0, color="0.4", lw=1)
        for edge in np.cumsum(self.rescaled.totals)[:-1] if index == 0 else ():
            axes.axvline(edge, color="0.4", lw=0.8, ls=":")
        axes.plot(*_path(scope.times, total), color="C0", lw=1, label=self._label(index))
        axes.margins(y=0.2)
        axes.set(xlim=(0, total), xlabel="rescaled time s", ylabel="N(s) - s")
        axes.legend(loc="upper left", frameon=False)
        return axes

    def __repr__(self) -> str:
        return (
            f"GoodnessOfFit(pvalue={self.pvalue:.4g}, n_events={len(self.residuals)}, "
            f"n_mc_samples={self.n_mc_samples}, parameters={self.parameters!r})"
        )

    @cached_property
    def _scopes(self) -> list[Scope]:
        return scopes_of(self.rescaled)

    @cached_property
    def _monte_carlo(self) -> FloatArray:
        return monte_carlo_pvalues(self.observed, self.null)

    @cached_property
    def _asymptotic(self) -> FloatArray:
        out = np.full_like(self.observed, np.nan)
        for where, value in np.ndenumerate(self.observed):
            if self.known and not math.isnan(value):
                out[where] = TESTS[where[1]].asymptotic(float(value), self._scopes[where[0]])
        return out

    def _wide(self, values: FloatArray) -> pd.DataFrame:
        import pandas as pd

        return pd.DataFrame(values, index=["pooled", *self.rescaled.mark_names], columns=_NAMES)

    def _index(self, mark: str | int | None) -> int:
        """Return the row of a mark (0: pooled)."""
        names = self.rescaled.mark_names
        if mark is None:
            return 0
        if isinstance(mark, str) and mark in names:
            return 1 + names.index(mark)
        if isinstance(mark, int | np.integer) and 0 <= mark < len(names):
            return 1 + int(mark)
        raise InvalidParameterError(
            f"mark must be one of the names {brief_names(names)} or a number from 0 to "
            f"{len(names) - 1}; got {brief(mark)}."
        )

    def _with_events(self, mark: str | int | None) -> int:
        index = self._index(mark)
        if self._scopes[index].n_events == 0:
            raise InvalidParameterError(
                f"there is nothing to draw: {self._label(index)} has no event. Choose another mark."
            )
        return index

    def _label(self, index: int) -> str:
        return "all marks" if index == 0 else f"mark {self.rescaled.mark_names[index - 1]}"

    def _reach(self, test: str, index: int) -> float:
        """Return the 95 % point of a statistic under the model, or NaN."""
        values = self.null[:, index, _NAMES.index(test)]
        values = values[~np.isnan(values)]
        if values.size:
            return float(np.quantile(values, _LEVEL, method="higher"))
        return _LIMITS[test] if self.known else math.nan


def _qq_band(n: int, reach: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return Exp(1) quantiles and the bounds of the k-th residual: F within reach of k/n."""
    k = np.arange(n)
    lower = -np.log1p(-np.clip((k + 1) / n - reach, 0.0, None))
    with np.errstate(divide="ignore"):
        upper = -np.log1p(-np.clip(k / n + reach, None, 1.0))
    # without an upper bound: far above every axis
    return -np.log1p(-(k + 0.5) / n), lower, np.where(np.isinf(upper), 1e3, upper)


def _path(times: FloatArray, total: float) -> tuple[FloatArray, FloatArray]:
    """Return the corners of N(s) - s."""
    count = np.arange(times.size)
    s = np.concatenate(([0.0], np.repeat(times, 2), [total]))
    height = np.column_stack((count - times, count + 1 - times)).ravel()
    return s, np.concatenate(([0.0], height, [times.size - total]))
