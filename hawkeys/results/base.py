"""`Result`: what every fitted result shows, draws and writes."""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import fields, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

import numpy as np

from hawkeys._files import write_text
from hawkeys._records import CHECKSUM, checksum_of, encode, seal
from hawkeys._typing import BoolArray, FloatArray
from hawkeys.events import Events
from hawkeys.events.clock import plural
from hawkeys.plotting import plot_adjacency
from hawkeys.plotting.estimates import plot_estimates
from hawkeys.process.base import Process
from hawkeys.results.by_name import estimates_by_name
from hawkeys.summary import MAX_ROWS, render, render_html, strongest

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["Result"]

AnyResult = TypeVar("AnyResult", bound="Result")


class Result(ABC):
    """A frozen dataclass of a fit: its process, a table, a picture, a file.

    Attributes
    ----------
    process : Hawkes or RectifiedHawkes
        The fitted process.
    method : str
        Name of the inference method.
    log_likelihood : float
        Log-likelihood of the data under `process`, in nats.
    converged : bool
        Whether every target mark met the tolerance.
    message : str
        Why the method stopped.
    identified : ndarray of bool, shape (n_marks, n_marks + 1)
        Baseline, then adjacency row, of each target: False where the data say nothing, and for
        pairs outside the support.
    event_counts : ndarray of int, shape (n_marks,)
        Events per mark.
    n_realizations : int
        Number of realisations.
    total_time : float
        Sum of the window lengths.
    options : mapping
        Options of the fit.
    unit : str or None
        Unit of time of the data if it was told: "s", "day" and so on.
    """

    schema: ClassVar[str]

    process: Process
    method: str
    log_likelihood: float
    converged: bool
    message: str
    identified: BoolArray
    event_counts: np.ndarray
    n_realizations: int
    total_time: float
    options: Mapping[str, Any]
    unit: str | None

    @property
    def baseline(self) -> FloatArray:
        """Estimated baseline, shape (n_marks,), per unit of time; its mean if it changes."""
        return self.process.baseline

    @property
    def adjacency(self) -> FloatArray:
        """Estimated adjacency, shape (n_marks, n_marks), target by source."""
        return self.process.adjacency

    @property
    def spectral_radius(self) -> float:
        """Spectral radius of the fitted process, which is stable below 1; no unit."""
        return float(self.process.spectral_radius)  # type: ignore[attr-defined]

    @property
    def params(self) -> pd.Series:
        """Estimates by name, such as "baseline[a]" and "adjacency[a, b]" (target, source)."""
        return estimates_by_name(self.to_frame())

    @property
    def pvalues(self) -> FloatArray:
        """p-values of the adjacency, (n_marks, n_marks), target by source; NaN if there are none.

        They are of the hypothesis that an entry is 0. Under a prior or penalty there are none.
        """
        return np.full(self.adjacency.shape, np.nan)

    @property
    def n_events(self) -> int:
        """Number of events."""
        return int(self.event_counts.sum())

    @property
    def _realizations_and_marks(self) -> str:
        """How the data were read: a list of arrays is one realisation of several marks."""
        size = self.baseline.size
        return f"{self.n_realizations} ({size} mark{'s' * (size > 1)})"

    def in_unit_of(self: AnyResult, events: Events) -> AnyResult:
        """Return the result with the unit of time of the events; itself if they have none.

        Parameters
        ----------
        events : Events
            What was fitted.

        Returns
        -------
        Result
            The same fit.
        """
        return self if events.unit is None else replace(self, unit=events.unit)  # type: ignore[type-var]

    @abstractmethod
    def to_frame(self, *, level: float = 0.95) -> pd.DataFrame:
        """Return one row per parameter; subclasses say which columns."""

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
        return render(*self._layout(level))

    def _repr_html_(self) -> str:
        """Return `summary` as HTML, for notebooks."""
        return render_html(*self._layout(0.95))

    def plot_adjacency(self, ax: Axes | None = None, *, cluster: bool = False) -> Axes:
        """Draw the estimated adjacency; see `hawkeys.plotting.plot_adjacency`.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw. Default: the current axes.
        cluster : bool, default False
            Whether marks with much the same sources and targets are put side by side.

        Returns
        -------
        matplotlib.axes.Axes
            The axes drawn on.
        """
        names = self.process.mark_names
        return plot_adjacency(self.adjacency, mark_names=names, cluster=cluster, ax=ax)

    def plot(self, *, level: float = 0.95) -> Figure:
        """Draw the fit: estimates with intervals, and the adjacency.

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

    def forecast(self, events: Any, horizon: float, **options: Any) -> Any:
        """Forecast what happens after the end of `events`; see `hawkeys.forecast`.

        Parameters
        ----------
        events : Events, or a list of D arrays of times
            One realisation.
        horizon : float
            Length of time to forecast, in the unit of time of the events.
        **options
            As for `hawkeys.forecast`.

        Returns
        -------
        Forecast
            Futures, counts with intervals, and the law of the next event.

        Raises
        ------
        InvalidParameterError, InvalidEventsError, UnstableProcessError
            As `hawkeys.forecast`.
        """
        # found when called: forecasts know results, and results do not know forecasts
        return import_module("hawkeys.forecasting").forecast(self, events, horizon, **options)

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write the result as JSON; `hawkeys.load_result` reads it back.

        Parameters
        ----------
        path : str or path-like
            File to write; replaced only when the new one is complete.

        Raises
        ------
        OutputError
            The file cannot be written.
        """
        write_text(path, seal(self._record()))

    def to_dict(self) -> dict[str, Any]:
        """Return the result as plain JSON types.

        Returns
        -------
        dict
            Every field, with the schema's name and version under "schema", and under "checksum" the
            SHA-256 of the rest, written as JSON with sorted names and without spaces. NaN is None,
            and an infinite number the text "inf" or "-inf". Matrices of 100,000 numbers and more
            (the information of 46 marks) are packed: an object with "data", the base64 of
            little-endian doubles row by row (of symmetric matrices each row up to the diagonal),
            "packed", "shape" and "symmetric".
        """
        record = self._record()
        return {**record, CHECKSUM: checksum_of(record)}

    def _record(self) -> dict[str, Any]:
        """Return the fields as plain JSON types, without a checksum."""
        record = {f.name: encode(getattr(self, f.name)) for f in fields(self)}  # type: ignore[arg-type]
        return {"schema": self.schema, **record}

    def _layout(self, level: float) -> tuple[str, dict[str, str], pd.DataFrame, list[str]]:
        """Return what `summary` shows: title, facts, table and notes."""
        frame = self.to_frame(level=level)
        frame["source"] = frame["source"].fillna("")
        shown = frame.drop(columns=["at_bound", "identified"], errors="ignore")
        notes = self._notes(level)
        if self.baseline.size >= MAX_ROWS:  # the first rows would have no pair among them
            shown, told = strongest(shown)
            notes.insert(0, told)
        return self._title(), self._facts(), shown, notes

    @abstractmethod
    def _title(self) -> str:
        """Return the first line of the summary."""

    @property
    def _total_time(self) -> str:
        """The sum of the windows with its unit, for the summary; that of marks if it is less."""
        unit, of_marks = f" {plural(self.unit)}" if self.unit else "", self._time_of_marks
        least, most = f"{of_marks.min():.6g}", f"{of_marks.max():.6g}"
        shown = least if least == most else f"{least} to {most}"
        own = "" if of_marks.min() == self.total_time else f" (of a mark: {shown})"
        return f"{self.total_time:.6g}{unit}{own}"

    @property
    def _time_of_marks(self) -> FloatArray:
        """The time that each mark was observed, shape (n_marks,)."""
        past = self.options.get("history") or {}
        if "observed" not in past:
            return np.full(self.event_counts.shape, self.total_time)
        durations = np.subtract(past["window_ends"], past["window_starts"])
        return np.asarray(durations @ np.asarray(past["observed"], dtype=np.float64))

    @abstractmethod
    def _facts(self) -> dict[str, str]:
        """Return what stands above the table of the summary, by name."""

    @abstractmethod
    def _interval_name(self) -> str:
        """Return what the intervals are, for the summary."""

    def _notes(self, level: float) -> list[str]:
        notes = [f"lower, upper: {100 * level:g} % {self._interval_name()}."]
        if self.unit is not None:
            notes.append(
                f"Times are in {plural(self.unit)}: baseline and decay are per {self.unit}."
            )
        excluded = self._excluded
        if excluded.any():
            notes.append(f"{excluded.sum()} pairs are outside the support: held at 0 (-).")
        unknown = ~self.identified & ~self.held
        if unknown.any():
            notes.append(f"{unknown.sum()} parameters are not identified (-).")
        return notes

    @property
    def held(self) -> BoolArray:
        """What the caller held, shaped as `identified`: at 0 the pairs outside the support."""
        return self._excluded

    @property
    def _excluded(self) -> BoolArray:
        """Which parameters the caller's support left out, shape as `identified`."""
        out = np.zeros(self.identified.shape, dtype=bool)
        support = self.options.get("support")
        if support is not None:
            size = self.event_counts.size
            out[:, -size:] = ~np.asarray(support, dtype=bool) & ~self.identified[:, -size:]
        return out
