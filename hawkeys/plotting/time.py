"""Plots over time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys._validation import brief, brief_names
from hawkeys.events import Events
from hawkeys.events.showing import label_time, on_axis
from hawkeys.events.windows import history_from_record
from hawkeys.exceptions import InvalidParameterError
from hawkeys.plotting._axes import current_axes
from hawkeys.process.base import Process, as_process, as_times, read_for

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["mark_index", "plot_intensity"]

_N_TIMES = 1_000
_MAX_LEGEND = 8
# heights as shares of the highest intensity: a row of ticks, all rows, and the room above
_ROW, _ALL_ROWS, _TOP = 0.06, 0.6, 1.2
# names in a row of the legend, and the room that each further row takes
_LEGEND_COLUMNS, _LEGEND_ROW = 4, 0.15


def plot_intensity(
    process: Any,
    events: Any,
    *,
    realization: int = 0,
    marks: Sequence[str | int] | None = None,
    window: tuple[Any, Any] | None = None,
    ax: Axes | None = None,
    **windows: Any,
) -> Axes:
    """Draw the intensity of each mark over time, and its events as ticks below.

    Parameters
    ----------
    process : Hawkes, RectifiedHawkes or NonlinearHawkes, or the result of a fit
        The process. Of a fit that was given a history, its events excite here, too.
    events : Events, frame, mapping or sequence
        Realisations with the marks of the process; all but Events need ``end_time``. Those of the
        fit if it was given a history.
    realization : int, default 0
        Which realisation.
    marks : sequence of str or int, optional
        Names or numbers of the marks drawn. Default: all.
    window : (float, float) or two dates, optional
        Times from and to, within the observation window. Default: all of it. All earlier events
        count, also those before it.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: the current axes.
    **windows
        ``end_time``, ``start_time`` and all else that says how data are read, as for `hawkeys.fit`;
        marks are found by name.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on; the horizontal axis shows dates (Universal Time) if times were dates.

    Raises
    ------
    InvalidParameterError
        No such realisation or mark, a window outside the observation, no ``end_time``, or events
        that are not those after the history of the fit.
    InvalidEventsError
        `events` cannot be read, or has another number of marks.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import hawkeys
    >>> process = hawkeys.Hawkes([0.5, 0.2], [[0.3, 0.1], [0.2, 0.4]], decay=1.0)
    >>> events = hawkeys.simulate(process, end_time=20.0, rng=0)
    >>> ax = hawkeys.plotting.plot_intensity(process, events, ax=Figure().subplots())
    >>> ax.get_ylabel()
    'intensity, events per unit of time'
    """
    events = read_for(process, as_process(process), events, windows)
    process = _after_its_history(process, events)
    names = process.mark_names
    shown = range(len(names)) if marks is None else [mark_index(mark, names) for mark in marks]
    start, end = _check_window(process, events, realization, window)
    one = events[realization]
    inside = (one.times >= start) & (one.times <= end)
    times = _dense_times(one.times[inside], start, end)
    rates = process.intensity(events, times, realization=realization)[:, list(shown)]
    top = float(rates.max(initial=1e-300))
    height = top * min(_ROW, _ALL_ROWS / max(len(shown), 1))
    highest = (_TOP + _LEGEND_ROW * ((min(len(shown), _MAX_LEGEND) - 1) // _LEGEND_COLUMNS)) * top
    axes = current_axes() if ax is None else ax
    for row, mark in enumerate(shown):
        (line,) = axes.plot(on_axis(one, times), rates[:, row], lw=1.0, label=names[mark])
        here = on_axis(one, one.times[inside & (one.marks == mark)])
        axes.vlines(here, -height * (row + 1), -height * (row + 0.25), color=line.get_color(), lw=1)
    axes.set_xlim(*on_axis(one, np.array([start, end])))
    axes.set(ylim=(-height * (len(shown) + 0.3), highest))
    label_time(axes, one)
    axes.set_ylabel("intensity, events per unit of time")
    axes.axhline(0.0, color="0.4", lw=0.6)
    axes.set_yticks([tick for tick in axes.get_yticks() if 0 <= tick <= highest])
    if len(shown) <= _MAX_LEGEND:
        axes.legend(loc="upper right", fontsize="small", ncols=_LEGEND_COLUMNS, frameon=False)
    for row, mark in enumerate(shown if len(shown) > _MAX_LEGEND else ()):
        at = (1.0, -height * (row + 0.625))
        axes.annotate(names[mark], at, (3, 0), axes.get_yaxis_transform(),
                      textcoords="offset points", va="center", fontsize="xx-small")  # fmt: skip
    return axes


def _after_its_history(model: Any, events: Events) -> Process:
    """Return the process of a model, which knows the history that a fit was given."""
    process, past = as_process(model), getattr(model, "options", {}).get("history")
    return process if past is None else process._after(history_from_record(past, events), events)


def mark_index(mark: str | int, names: Sequence[str]) -> int:
    """Return the number of a mark given by name or number.

    Parameters
    ----------
    mark : str or int
        Name, or number from 0.
    names : sequence of str, length n_marks
        Names of all marks.

    Returns
    -------
    int
        From 0 to n_marks - 1.

    Raises
    ------
    InvalidParameterError
        No such mark.

    Examples
    --------
    >>> from hawkeys.plotting.time import mark_index
    >>> mark_index("b", ("a", "b"))
    1
    """
    if isinstance(mark, str) and mark in names:
        return list(names).index(mark)
    masked = isinstance(mark, bool)
    if not masked and isinstance(mark, int | np.integer) and 0 <= mark < len(names):
        return int(mark)
    raise InvalidParameterError(
        f"mark must be one of the names {brief_names(names)} or a number from 0 to "
        f"{len(names) - 1}; got {brief(mark)}."
    )


def _check_window(
    process: Process, events: Events, realization: int, window: tuple[Any, Any] | None
) -> tuple[float, float]:
    process.intensity(events, np.empty(0), realization=realization)
    first = float(events.start_times[realization])
    last = float(events.end_times[realization])
    if window is None:
        return first, last
    bounds = as_times(events, window, "window")
    if bounds.shape != (2,) or not first <= bounds[0] < bounds[1] <= last:
        raise InvalidParameterError(
            f"window must be two increasing times within the observation [{first}, {last}]; got "
            f"{brief(window)}."
        )
    return float(bounds[0]), float(bounds[1])


def _dense_times(times: FloatArray, start: float, end: float) -> FloatArray:
    """Return even times, the events, and the moments just after them, when intensities jump."""
    even = np.linspace(start, end, _N_TIMES + 1)
    even[-1] = end
    after = np.minimum(np.nextafter(times, np.inf), end)
    return np.unique(np.concatenate((even, times, after)))
