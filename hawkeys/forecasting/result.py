"""`Forecast`: what `hawkeys.forecast` returns."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, partial
from typing import TYPE_CHECKING

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import as_float_array, check_count, check_level
from hawkeys.events import Events
from hawkeys.events.showing import in_table, label_time, on_axis
from hawkeys.exceptions import InvalidParameterError
from hawkeys.forecasting.next_event import NextEvent, next_event, shown_time
from hawkeys.plotting._axes import current_axes
from hawkeys.plotting.time import mark_index
from hawkeys.process import Hawkes, NonlinearHawkes
from hawkeys.simulation._clusters import recent_part
from hawkeys.summary import render

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Forecast"]

_N_TIMES = 100
_ALL = "all"
_TICKS = {"s": 1e9, "ms": 1e6, "us": 1e3, "ns": 1.0}


@dataclass(frozen=True, eq=False, repr=False)
class Forecast:
    """Simulated futures of one realisation, and the law of its next event.

    Attributes
    ----------
    process : Hawkes or NonlinearHawkes
        The process; of a fit, at its estimates.
    history : Events
        The realisation observed, up to the start of the forecast.
    horizon : float
        Length of time forecast.
    level : float
        Level of the intervals.
    paths : Events
        Futures, one per realisation, all from the same history.
    draws : tuple of Hawkes or NonlinearHawkes
        Processes with drawn parameters, which the paths share; none if the parameters were held.
    version : str
        Version of hawkeys.
    held_from : float or None
        Moment at which the baseline of the fit ends, and from which its value is held; None if the
        forecast does not go beyond it. `process` and `draws` then have the baseline that is held.
    """

    process: Hawkes | NonlinearHawkes
    history: Events
    horizon: float
    level: float
    paths: Events
    draws: tuple[Hawkes | NonlinearHawkes, ...]
    version: str
    held_from: float | None = None

    @property
    def n_draws(self) -> int:
        """Number of parameter draws; 0 if the parameters were held."""
        return len(self.draws)

    @cached_property
    def next_event(self) -> NextEvent:
        """Law of the next event, without simulation; the mean over the parameter draws if any."""
        recent = self.history
        if isinstance(self.process, Hawkes):
            recent = recent_part(self.process, self.history)
        return next_event(self.draws or (self.process,), recent, self.horizon)

    @property
    def n_paths(self) -> int:
        """Number of simulated futures."""
        return self.paths.n_realizations

    @property
    def start(self) -> float:
        """Start of the forecast: the end of the history."""
        return float(self.history.end_times[0])

    @property
    def end(self) -> float:
        """End of the forecast."""
        return float(self.paths.end_times[0])

    @cached_property
    def counts(self) -> IntArray:
        """Number of events of each path and mark, shape (n_paths, n_marks)."""
        return self.paths.counts

    @property
    def mean(self) -> FloatArray:
        """Mean number of events of each mark, shape (n_marks,)."""
        return np.asarray(self.counts.mean(axis=0))

    def counts_up_to(self, times: ArrayLike) -> IntArray:
        """Return the number of events of each path and mark up to given times.

        Parameters
        ----------
        times : array_like, shape (n_times,)
            Increasing, between the start and the end of the forecast.

        Returns
        -------
        ndarray of int64, shape (n_times, n_paths, n_marks)
            Events after the start and not later than each time.

        Raises
        ------
        InvalidParameterError
            Times that do not increase, or outside the forecast.
        """
        edges = np.atleast_1d(as_float_array(times, "times"))
        inside = (edges >= self.start).all() and (edges <= self.end).all()
        if edges.ndim != 1 or not inside or (np.diff(edges) <= 0).any():
            raise InvalidParameterError(
                f"times must increase and lie in the forecast [{self.start}, {self.end}]; got "
                f"{times!r}."
            )
        cells = self.n_paths * self.paths.n_marks
        place = np.searchsorted(edges, self.paths.times, side="left") * cells
        place += self.paths.realization * self.paths.n_marks + self.paths.marks
        counts = np.bincount(place, minlength=(edges.size + 1) * cells)
        shaped = counts.reshape(edges.size + 1, self.n_paths, self.paths.n_marks)
        return np.cumsum(shaped[:-1], axis=0)

    def interval(self, level: float | None = None) -> tuple[FloatArray, FloatArray]:
        """Return equal-tailed prediction intervals of the counts.

        Parameters
        ----------
        level : float, optional
            Nominal coverage. Default: the forecast's.

        Returns
        -------
        lower, upper : ndarray of float64, shape (n_marks,)
            Whole numbers: counts are discrete, so that the coverage is the level or more.

        Raises
        ------
        InvalidParameterError
            `level` is not strictly between 0 and 1.
        """
        lower, _, upper = _quantiles(self.counts, self.level if level is None else level)
        return lower, upper

    def to_frame(self, *, n_bins: int = 1, level: float | None = None) -> pd.DataFrame:
        """Return the forecast of the counts, one row per bin of time and mark, and all together.

        Parameters
        ----------
        n_bins : int, default 1
            Number of bins of equal length over the horizon.
        level : float, optional
            Level of the intervals. Default: the forecast's.

        Returns
        -------
        pandas.DataFrame, shape (n_bins * (n_marks + 1), 7)
            Columns start, end (dates if the times of the history were dates), mark ("all" is their
            sum), mean, median, lower, upper.

        Raises
        ------
        InvalidParameterError
            `n_bins` is no positive whole number, or `level` no fraction.
        """
        import pandas as pd

        edges = np.linspace(self.start, self.end, check_count(n_bins, "n_bins") + 1)
        edges[-1] = self.end
        counts = np.diff(self.counts_up_to(edges), axis=0)
        counts = np.concatenate((counts, counts.sum(axis=2, keepdims=True)), axis=2)
        names = [*self.paths.mark_names, _ALL]
        lower, median, upper = _quantiles(
            counts.transpose(1, 0, 2), self.level if level is None else level
        )
        return pd.DataFrame(
            {
                "start": in_table(self.history, np.repeat(edges[:-1], len(names))),
                "end": in_table(self.history, np.repeat(edges[1:], len(names))),
                "mark": names * (edges.size - 1),
                "mean": counts.mean(axis=1).ravel(),
                "median": median.ravel(),
                "lower": lower.ravel(),
                "upper": upper.ravel(),
            }
        )

    def summary(self, *, n_bins: int = 1) -> str:
        """Return a text table of the forecast.

        Parameters
        ----------
        n_bins : int, default 1
            Number of bins of equal length over the horizon.

        Returns
        -------
        str
            No clock in it: the same forecast gives the same text.

        Raises
        ------
        InvalidParameterError
            `n_bins` is no positive whole number.
        """
        coming = self.next_event
        facts = {
            "From": self._shown(self.start),
            "To": self._shown(self.end),
            "Events so far": f"{self.history.n_events}",
            "Paths": f"{self.n_paths}",
            "Parameters": f"{self.n_draws} draws" if self.n_draws else "held",
            "Next event": f"median at {self._shown(coming.median)}",
        }
        if self.held_from is not None:
            facts["Baseline"] = f"held from {self._shown(self.held_from)}"
        shares = coming.mark_probabilities
        likely = ", ".join(
            f"{self.paths.mark_names[m]} {shares[m]:.3f}" for m in np.argsort(-shares)[:5]
        )
        notes = [
            f"lower, upper: {100 * self.level:g} % prediction intervals of the counts.",
            f"Probability that the next event comes by {self._shown(self.end)}: "
            f"{coming.probability:.4f}, of mark {likely}.",
        ]
        return render("Forecast of a Hawkes process", facts, self.to_frame(n_bins=n_bins), notes)

    def plot(self, ax: Axes | None = None, *, mark: str | int | None = None) -> Axes:
        """Draw the number of events: the history, and its continuation with a band.

        Events are counted from one and a half horizons before the start of the forecast.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw. Default: the current axes.
        mark : str or int, optional
            Name or number of a mark. Default: all marks together.

        Returns
        -------
        matplotlib.axes.Axes
            The axes drawn on.

        Raises
        ------
        InvalidParameterError
            No such mark.
        """
        marks = np.arange(self.paths.n_marks)
        if mark is not None:
            marks = np.array([mark_index(mark, self.paths.mark_names)])
        axes = current_axes() if ax is None else ax
        first = max(float(self.history.start_times[0]), self.start - 1.5 * self.horizon)
        seen = np.isin(self.history.marks, marks) & (self.history.times >= first)
        past = np.concatenate(([first], self.history.times[seen], [self.start]))
        so_far = past.size - 2
        steps = np.append(np.arange(so_far + 1), so_far)
        shown = partial(on_axis, self.history)
        (line,) = axes.step(shown(past), steps, where="post", label=self._label(mark))
        times = np.linspace(self.start, self.end, _N_TIMES + 1)
        times[-1] = self.end
        future = so_far + self.counts_up_to(times)[:, :, marks].sum(axis=2).T
        lower, _, upper = _quantiles(future, self.level)
        band = f"{100 * self.level:g} % of the futures"
        dated, colour = shown(times), line.get_color()
        axes.fill_between(dated, lower, upper, color=colour, alpha=0.25, lw=0, label=band)
        axes.plot(dated, future.mean(axis=0), color=colour, ls="--", label="mean")
        axes.axvline(dated[0], color="0.4", lw=0.8, ls=":")
        axes.set_xlim(*shown(np.array([first, self.end])))
        label_time(axes, self.history)
        axes.set_ylabel("number of events")
        axes.set_ylim(bottom=0.0)
        axes.legend(loc="upper left", fontsize="small", frameon=False)
        return axes

    def __repr__(self) -> str:
        return (
            f"Forecast(start={self.start:g}, horizon={self.horizon:g}, n_paths={self.n_paths}, "
            f"n_draws={self.n_draws}, mean={np.round(self.mean[:9], 4).tolist()})"
        )

    def _shown(self, time: float) -> str:
        """Return a moment as a date if the times of the history were dates, else as a number."""
        clock = self.history.clock
        if clock is None or clock.origin is None or not np.isfinite(time):
            return shown_time(time, self.end - self.start)
        step = (self.end - self.start) * clock.length / 1000.0  # a thousandth of the horizon, ns
        unit = next(unit for unit in ("s", "ms", "us", "ns") if _TICKS[unit] <= max(step, 1.0))
        return str(clock.stamps(np.array([time])).round(unit)[0].isoformat())

    def _label(self, mark: str | int | None) -> str:
        if mark is None:
            return "all marks" if self.paths.n_marks > 1 else "events"
        return f"mark {self.paths.mark_names[mark_index(mark, self.paths.mark_names)]}"


def _quantiles(counts: IntArray, level: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the lower end, the median and the upper end over the first axis: values that occur."""
    tail = 0.5 * (1.0 - check_level(level))
    found = np.quantile(counts, [tail, 0.5, 1.0 - tail], axis=0, method="inverted_cdf")
    lower, median, upper = found.astype(np.float64)
    return lower, median, upper
