"""Events as tables, lists and pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hawkeys._typing import FloatArray, IntArray
from hawkeys.events._checks import Origins
from hawkeys.events.clock import Clock, plural
from hawkeys.exceptions import InvalidParameterError

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

__all__ = ["Shown", "in_table", "label_time", "on_axis"]

# ticks of a mark from which on a picture holds pixels instead of lines
_MANY = 10_000


class Shown:
    """The methods of `hawkeys.Events` that show them; and its fields."""

    __slots__ = ()

    times: FloatArray
    marks: IntArray
    offsets: IntArray
    start_times: FloatArray
    end_times: FloatArray
    mark_names: tuple[str, ...]
    origins: Origins
    clock: Clock | None
    values: FloatArray | None
    _labels: tuple[Any, ...] | None

    def __len__(self) -> int:
        return self.end_times.size

    def describe(self) -> pd.DataFrame:
        """Return one row per mark: how many events, how often, how far apart.

        Returns
        -------
        pandas.DataFrame, shape (n_marks, 6), or (n_marks, 7) if the events have values
            Index mark; columns n_events, rate (events per unit of time over all windows),
            n_realizations (with an event of the mark), median_gap (between events of the mark, NaN
            below two), first and last (times, NaN without events; dates if times were dates);
            mean_value (NaN without events) if there are values.

        Examples
        --------
        >>> from hawkeys import Events
        >>> events = Events.from_lists([[[1.0, 2.0], [0.5]]], end_times=4.0, mark_names="ab")
        >>> events.describe()[["n_events", "rate", "last"]].to_dict("list")
        {'n_events': [2, 1], 'rate': [0.5, 0.25], 'last': [2.0, 0.5]}
        """
        import pandas as pd

        total = float((self.end_times - self.start_times).sum())
        rows = []
        for m in range(len(self.mark_names)):
            own = self.marks == m
            times, runs = self.times[own], self._group[own]
            gaps = np.diff(times)[runs[1:] == runs[:-1]]
            rows.append(
                {
                    "n_events": times.size,
                    "rate": times.size / total,
                    "n_realizations": np.unique(runs).size,
                    "median_gap": float(np.median(gaps)) if gaps.size else np.nan,
                    "first": float(times.min()) if times.size else np.nan,
                    "last": float(times.max()) if times.size else np.nan,
                }
            )
        frame = pd.DataFrame(rows, index=pd.Index(self.mark_names, name="mark"))
        for name in ("first", "last"):
            frame[name] = in_table(self, frame[name].to_numpy(np.float64))
        if self.values is not None:
            own = [self.values[self.marks == m] for m in range(len(self.mark_names))]
            frame["mean_value"] = [part.mean() if part.size else np.nan for part in own]
        return frame

    def plot(self, ax: Axes | None = None, *, realization: int = 0) -> Axes:
        """Draw the events of one realisation: a row per mark, a tick per event.

        Parameters
        ----------
        ax : matplotlib.axes.Axes, optional
            Where to draw. Default: the current axes.
        realization : int, default 0
            Which realisation.

        Returns
        -------
        matplotlib.axes.Axes
            The axes drawn on; the horizontal axis shows dates (Universal Time) if times were dates.

        Raises
        ------
        InvalidParameterError
            No such realisation.

        Examples
        --------
        >>> from matplotlib.figure import Figure
        >>> from hawkeys import Events
        >>> events = Events.from_lists([[[1.0, 2.0], [0.5]]], end_times=4.0)
        >>> events.plot(Figure().subplots()).get_xlabel()
        'time'
        """
        if not -len(self) <= realization < len(self):
            raise InvalidParameterError(
                f"realization must lie in 0..{len(self) - 1}; got {realization}."
            )
        if ax is None:
            import matplotlib.pyplot as plt

            ax = plt.gca()
        size = len(self.mark_names)
        first, last = self.offsets[:-1][realization], self.offsets[1:][realization]
        times, marks = self.times[first:last], self.marks[first:last]
        for m in range(size):
            own = on_axis(self, times[marks == m])
            ax.vlines(own, size - m - 1.4, size - m - 0.6, lw=0.8, color=f"C{m % 10}",
                      rasterized=own.size > _MANY)  # fmt: skip
        ax.set_yticks(size - 1.0 - np.arange(size), self.mark_names)
        window = np.array([self.start_times[realization], self.end_times[realization]])
        ax.set_xlim(*on_axis(self, window))
        ax.set_ylim(-0.6, size - 0.4)
        label_time(ax, self)
        return ax

    def to_lists(self) -> list[list[FloatArray]]:
        """Return the times as one list per realisation of one array per mark.

        Returns
        -------
        list of list of ndarray, shape (n_realizations, n_marks, any)
            The inverse of `from_lists`, but that times count from `origins`, and values, if there
            are, stay behind: `to_frame` has them.

        Examples
        --------
        >>> from hawkeys import Events
        >>> Events.from_lists([[[1.0], [0.5]]], end_times=3.0).to_lists()
        [[array([1.]), array([0.5])]]
        """
        out = []
        for r in range(len(self)):
            rows = slice(self.offsets[r], self.offsets[r + 1])
            times, marks = self.times[rows], self.marks[rows]
            out.append([times[marks == m] for m in range(len(self.mark_names))])
        return out

    def to_frame(self) -> pd.DataFrame:
        """Return one row per event: realization, time, mark (a categorical label), perhaps value.

        Returns
        -------
        pandas.DataFrame, shape (n_events, 3), or (n_events, 4) if the events have values
            In the order of `times`, which count from `origins`; dates, in their zone, if times were
            dates.

        Examples
        --------
        >>> from hawkeys import Events
        >>> Events.from_lists([[[1.0], [0.5]]], end_times=3.0, mark_names="ab").to_frame()
           realization  time mark
        0            0   0.5    b
        1            0   1.0    a
        """
        import pandas as pd

        mark = pd.Categorical.from_codes(self.marks, categories=list(self.mark_names))
        time = in_table(self, self.times)
        frame = pd.DataFrame({"realization": self._group, "time": time, "mark": mark})
        return frame if self.values is None else frame.assign(value=self.values)

    @property
    def dates(self) -> np.ndarray:
        """Event times as ``datetime64[ns]`` in Universal Time, shape (n_events,).

        Raises `InvalidEventsError` if the times did not come as dates.
        """
        return (self.clock or Clock("s")).dates(self.times)

    @property
    def _group(self) -> IntArray:
        """Realisation of each event, shape (n_events,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))


def on_axis(events: Shown, times: FloatArray) -> np.ndarray:
    """Return times as a picture shows them, same shape: dates if those of the events were dates."""
    clock = events.clock
    return times if clock is None or clock.origin is None else clock.dates(times)


def label_time(axes: Axes, events: Shown) -> None:
    """Say below a picture what its times are; dates get labels that leave room for each other."""
    clock = events.clock
    if clock is None or clock.origin is None:
        axes.set_xlabel("time" if clock is None else f"time ({plural(clock.unit)})")
        return
    from matplotlib.dates import AutoDateLocator, ConciseDateFormatter

    locator = AutoDateLocator(maxticks=7)
    axes.xaxis.set_major_locator(locator)
    axes.xaxis.set_major_formatter(ConciseDateFormatter(locator))
    axes.set_xlabel("date" if clock.zone is None else "date (UTC)")


def in_table(events: Shown, times: FloatArray) -> FloatArray | pd.DatetimeIndex:
    """Return times as a table holds them, shape (n,): in their zone if they were dates."""
    clock = events.clock
    return times if clock is None or clock.origin is None else clock.stamps(times)
