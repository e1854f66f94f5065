"""`Events`, the container that all parts of hawkeys use, and `as_events`, which reads other data.

`as_events` is the entrance of every function that takes data.
"""

from __future__ import annotations

from collections.abc import Iterable, MutableMapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hawkeys._loops.choice import is_small_sum
from hawkeys._loops.layout import jit
from hawkeys._typing import ArrayLike, Bounds, FloatArray, IntArray
from hawkeys.events._checks import (
    Origins,
    as_marks,
    as_names,
    as_offsets,
    as_times,
    count_marks,
    name_marks,
)
from hawkeys.events.building import Parts, Windows, from_numbers, number_windows
from hawkeys.events.clock import Clock
from hawkeys.events.counts import EventCounts, read_counts, refuse_counts
from hawkeys.events.nested import parts_of, parts_of_lists, refuse_reading
from hawkeys.events.observed import Observed
from hawkeys.events.options import WORDS, Reading, refuse_unknown, take_reading
from hawkeys.events.reading import read_lists, read_table
from hawkeys.events.values import as_values, range_of
from hawkeys.exceptions import InvalidEventsError

__all__ = ["Events", "as_events"]


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Events(Observed):
    """Marked event times of one or many realisations, each observed on its own window.

    Build it with `from_lists`, `from_arrays` or `from_frame`, which check the data and make
    read-only copies. Within a realisation times never decrease; simultaneous events are allowed
    (and do not excite each other). A window that ends is data: it is never guessed from the last
    event.

    Attributes
    ----------
    times : ndarray of float64, shape (n_events,)
        Event times, realisation after realisation, in the unit of the caller.
    marks : ndarray of int64, shape (n_events,)
        Mark of each event, 0 to n_marks - 1.
    offsets : ndarray of int64, shape (n_realizations + 1,)
        Realisation r owns the events ``offsets[r]:offsets[r + 1]``.
    start_times, end_times : ndarray of float64, shape (n_realizations,)
        Observation window of each realisation, in the same unit as `times`.
    mark_names : tuple of str, length n_marks
        Label of each mark.
    origins : tuple of int, length n_realizations, or None
        What was subtracted from the times and the window of each realisation (see Notes); None if
        nothing was.
    clock : Clock or None
        Unit of time and, of dates, the moment that time 0 is; None if neither was told.
    values : ndarray of float64, shape (n_events,), or None
        A number for each event that says how much it excites (a magnitude, the size of a trade), in
        its own unit; None if there is none. See `hawkeys.productivity`.
    n_events, n_realizations : int
        Number of events over all realisations, and of realisations (independent windows).
    n_marks : int
        Number of marks, including those without an event.
    unit : str or None
        Unit of time, "s" or "day" for instance; None if it was not told.
    durations : ndarray of float64, shape (n_realizations,)
        Length of each observation window.

    Notes
    -----
    Times are doubles, which hold whole numbers up to 2**53 = 9.0e15 and skip some of the larger
    ones: nanoseconds since 1970 would be rounded to multiples of 256. If times or starts are
    integers beyond that, the whole number at which each window starts is subtracted from its times,
    exactly and before anything becomes a double; `times`, `start_times` and `end_times` count from
    there, and ``origins[r]`` is that number. So give the start of observation as an integer, too.
    Durations and decays are per unit of the integers, here per nanosecond.

    Examples
    --------
    >>> import hawkeys
    >>> events = hawkeys.Events.from_lists(
    ...     [[[0.5, 2.0], [1.5]], [[], [3.0]]], end_times=[4.0, 5.0], mark_names=["a", "b"]
    ... )
    >>> events
    Events(n_events=4, n_marks=2, n_realizations=2, mark_names=('a', 'b'))
    >>> events[0].times
    array([0.5, 1.5, 2. ])
    >>> start = 1_700_000_000_000_000_000  # nanoseconds since 1970
    >>> recent = hawkeys.Events.from_lists(
    ...     [[[start + 5, start + 7]]], start_times=start, end_times=start + 60_000_000_000
    ... )
    >>> recent.times, recent.origins
    (array([5., 7.]), (1700000000000000000,))
    """

    times: FloatArray
    marks: IntArray
    offsets: IntArray
    start_times: FloatArray
    end_times: FloatArray
    mark_names: tuple[str, ...]
    origins: Origins = None
    clock: Clock | None = None
    values: FloatArray | None = None
    n_events: int = field(init=False)
    n_marks: int = field(init=False)
    n_realizations: int = field(init=False)
    unit: str | None = field(init=False)
    durations: FloatArray = field(init=False)
    _n_ties: int = field(init=False, default=-1)  # not yet counted
    _labels: tuple[Any, ...] | None = field(init=False, default=None)  # of realisations

    def __post_init__(self) -> None:
        durations = self.end_times - self.start_times
        durations.flags.writeable = False
        for name, value in (
            ("n_events", self.times.size),
            ("n_marks", len(self.mark_names)),
            ("n_realizations", self.end_times.size),
            ("unit", None if self.clock is None else self.clock.unit),
            ("durations", durations),
        ):
            object.__setattr__(self, name, value)

    @classmethod
    def _of(cls, parts: Parts) -> Events:
        """Return the events that were read, with the labels of their realisations."""
        made = cls(*parts[:-1])
        object.__setattr__(made, "_labels", parts.labels)
        return made

    @property
    def realization(self) -> IntArray:
        """Realisation index of each event, shape (n_events,)."""
        return np.repeat(np.arange(self.n_realizations), np.diff(self.offsets))

    @property
    def n_ties(self) -> int:
        """Number of events at the time of the event before, of the same realisation."""
        if self._n_ties < 0:
            tied = self.times[1:] == self.times[:-1]
            firsts = self.offsets[1:-1]
            tied[firsts[(firsts > 0) & (firsts < self.n_events)] - 1] = False
            object.__setattr__(self, "_n_ties", int(np.count_nonzero(tied)))
        return self._n_ties

    @property
    def counts(self) -> IntArray:
        """Number of events per realisation and mark, shape (n_realizations, n_marks)."""
        shape = self.n_realizations, self.n_marks
        if self.n_marks == 1:
            return np.diff(self.offsets)[:, None]
        if not is_small_sum(self.n_events * self.n_marks):
            counts: IntArray = jit.count_events(self.marks, self.offsets, self.n_marks)
            return counts
        firsts = np.arange(self.n_realizations) * self.n_marks
        cell = np.repeat(firsts, np.diff(self.offsets)) + self.marks
        return np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)

    @classmethod
    def from_arrays(
        cls,
        times: ArrayLike,
        marks: ArrayLike,
        *,
        end_times: ArrayLike,
        start_times: ArrayLike = 0.0,
        offsets: ArrayLike | None = None,
        n_marks: int | None = None,
        mark_names: Iterable[object] | None = None,
        values: ArrayLike | None = None,
    ) -> Events:
        """Build from flat arrays.

        Parameters
        ----------
        times : array_like, shape (n_events,)
            Event times, non-decreasing within each realisation.
        marks : array_like of int, shape (n_events,)
            Mark of each event, 0 to n_marks - 1.
        end_times : float or array_like, shape (n_realizations,)
            End of observation of each realisation; one number serves all.
        start_times : float or array_like, shape (n_realizations,), default 0.0
            Start of observation.
        offsets : array_like of int, shape (n_realizations + 1,), optional
            Where each realisation starts in `times`, and n_events at the end. Default: one
            realisation.
        n_marks : int, optional
            Number of marks. Default: the length of `mark_names`, else the largest mark + 1.
        mark_names : iterable, length n_marks, optional
            Labels of the marks. Default: "0", "1", ...
        values : array_like, shape (n_events,), optional
            A finite number for each event, such as its magnitude. Default: none.

        Returns
        -------
        Events
            Read-only copy of the data.

        Raises
        ------
        InvalidEventsError
            Times unsorted, NaN, infinite or outside the window; marks out of range; arrays of
            different length. The message names realisation, index and value.

        Examples
        --------
        >>> from hawkeys import Events
        >>> Events.from_arrays([1.0, 2.5, 2.5], [0, 1, 0], end_times=3.0)
        Events(n_events=3, n_marks=2, n_realizations=1, mark_names=('0', '1'))
        """
        flat_times = as_times(times)
        flat_marks = as_marks(marks)
        if flat_marks.size != flat_times.size:
            raise InvalidEventsError(
                f"times and marks must have one entry per event; got {flat_times.size} times and "
                f"{flat_marks.size} marks."
            )
        bounds = as_offsets(offsets, flat_times.size)
        names = name_marks(mark_names, n_marks, flat_marks)
        windows = number_windows(Windows(start_times, end_times), bounds.size - 1)
        parts = from_numbers(flat_times, flat_marks, bounds, windows, names)
        return cls._of(parts._replace(values=as_values(values, bounds)))

    @classmethod
    def from_lists(
        cls,
        realizations: Sequence[Sequence[ArrayLike]],
        *,
        end_times: ArrayLike,
        start_times: ArrayLike = 0.0,
        mark_names: Iterable[object] | None = None,
        values: Sequence[Sequence[ArrayLike]] | None = None,
    ) -> Events:
        """Build from one list per realisation, each holding one list of times per mark.

        Parameters
        ----------
        realizations : sequence, shape (n_realizations, n_marks, any number of times)
            ``realizations[r][m]`` are the non-decreasing times of mark m in realisation r.
        end_times, start_times : float or array_like, shape (n_realizations,)
            Observation windows; `start_times` is 0.0 unless given.
        mark_names : iterable, length n_marks, optional
            Labels of the marks. Default: "0", "1", ...
        values : sequence, of the same lengths as `realizations`, optional
            ``values[r][m]`` are the finite numbers that belong to ``realizations[r][m]``.

        Returns
        -------
        Events
            Times of all marks merged; simultaneous events are ordered by mark.

        Raises
        ------
        InvalidEventsError
            As `from_arrays`, and if realisations disagree about the number of marks.

        Examples
        --------
        >>> from hawkeys import Events
        >>> Events.from_lists([[[1.0], [0.5, 2.0]]], end_times=3.0).marks
        array([1, 0, 1])
        """
        names = None if mark_names is None else as_names(mark_names)
        windows = Windows(start_times, end_times)
        if values is None:
            return cls._of(parts_of_lists(realizations, windows, names))
        count_marks(realizations, names)
        how = Reading(windows=windows, mark_names=names, values=values)
        return cls._of(read_lists(realizations, how))

    @classmethod
    def from_data(cls, data: Any, *, end_time: Any = None, **reading: Any) -> Events:
        """Build from any data that hawkeys can read, in the way of every function that takes data.

        Parameters
        ----------
        data : Events, frame, mapping or sequence
            A frame of pandas, polars or pyarrow has one row per event (`from_frame`). A mapping
            holds the times of each mark. A flat sequence of times is one mark, or has its labels
            beside it (``mark=``). A list of D sequences is one realisation with D marks, a list of
            such lists many. Times are numbers, dates or durations.
        end_time : number, date, array_like (n_realizations,) or mapping
            End of observation; it is data, and never guessed from the last event.
        **reading
            ``start_time``: start of observation, 0.0 unless given; dates need it. ``end_times`` and
            ``start_times`` are other names. ``unit``: "ns", "us", "ms", "s", "min", "h", "day" or
            "week", in which dates and durations are counted; of numbers, the unit they are in.
            ``sort``: True sorts the times. ``time``, ``mark``, ``realization``: names of columns of
            a frame; the last two may be labels beside flat times. ``mark_names``: all marks, in the
            order wanted. ``values``: a number for each event, as a column's name, or in the form
            of the times: a sequence beside flat times, a mapping, lists.

        Returns
        -------
        Events
            The checked data; Events as they are.

        Raises
        ------
        InvalidEventsError
            The data break the contract of `Events`.
        InvalidParameterError
            No end, no unit or no start of dates, or an unknown option.

        Notes
        -----
        Dates with a zone are counted in Universal Time, so that no hour is lost or counted twice;
        those without are taken as they are written. They count from the earliest start, as exact
        integers until that has been subtracted (`Clock`).

        Examples
        --------
        >>> import datetime
        >>> from hawkeys import Events
        >>> dates = [datetime.datetime(2024, 1, 1, 6), datetime.datetime(2024, 1, 2, 12)]
        >>> events = Events.from_data(
        ...     dates, mark=["a", "b"], unit="day", start_time="2024-01-01", end_time="2024-01-03"
        ... )
        >>> events.times, events.end_times, events.mark_names
        (array([0.25, 1.5 ]), array([2.]), ('a', 'b'))
        >>> events.clock.show(1.5)
        '2024-01-02T12:00:00'
        """
        return as_events(data, reading, end_time=end_time, alone=True)

    @classmethod
    def from_frame(
        cls,
        frame: Any,
        *,
        time: str | None = None,
        mark: str | None = None,
        realization: str | None = None,
        end_times: Bounds | None = None,
        start_times: Bounds | None = None,
        unit: str | None = None,
        **reading: Any,
    ) -> Events:
        """Build from a data frame with one row per event.

        Parameters
        ----------
        frame : pandas.DataFrame, polars.DataFrame or pyarrow.Table, shape (n_events, any)
            Rows of one realisation must be in time order.
        time, mark : str, optional
            Names of the columns with the times (numbers, dates or durations) and the marks (any
            labels; they become `mark_names`, sorted, or in the order of a categorical column, whose
            unused categories become marks without events). Default: found by the rules of
            `hawkeys.events.tables`; what they leave open is refused.
        realization : str, optional
            Name of the column that tells the realisations apart. Default: one called realization,
            run or trial, else one realisation.
        end_times, start_times : number or date, array_like (n_realizations,) or mapping
            Observation windows: one for all, one per realisation in sorted order of its label, or a
            mapping from label to time, which may name realisations without events. Starts are 0.0
            unless given; those of dates are required.
        unit : {"ns", "us", "ms", "s", "min", "h", "day", "week"}, optional
            Unit that dates and durations are counted in; of numbers, the unit that they are in.
        **reading
            ``end_time``, ``start_time``: other names of the windows. ``sort``: True sorts the times
            of each realisation. ``mark_names``: all marks, in the order wanted. ``values``: name of
            the column with a number for each event, such as its magnitude.

        Returns
        -------
        Events
            Realisations in sorted order of their labels.

        Raises
        ------
        InvalidEventsError
            A column is missing, a label is missing, or as `from_arrays`.
        InvalidParameterError
            No end, no unit or no start of dates, or an unknown option.

        Examples
        --------
        >>> import pandas as pd
        >>> from hawkeys import Events
        >>> frame = pd.DataFrame({"t": [0.2, 0.9, 0.4], "who": ["b", "a", "b"], "day": [1, 1, 2]})
        >>> Events.from_frame(frame, time="t", mark="who", realization="day", end_times=1.0)
        Events(n_events=3, n_marks=2, n_realizations=2, mark_names=('a', 'b'))
        """
        given = {"time": time, "mark": mark, "realization": realization, "unit": unit, **reading}
        how = take_reading(given, end_times, start_times)
        refuse_unknown(given)
        return cls._of(read_table(frame, how))

    @staticmethod
    def from_counts(
        counts: Any,
        *,
        edges: Any = None,
        width: float | None = None,
        start_time: float = 0.0,
        mark_names: Iterable[object] | None = None,
        unit: str | None = None,
    ) -> EventCounts:
        """Build `EventCounts` from numbers of events per bin, where the times are not known.

        Parameters
        ----------
        counts : array_like of int, frame, or list of them, one per realisation
            Events in each bin, shape (n_bins,) or (n_bins, n_marks); a frame has a column for each
            mark. A list of tables (n_bins, n_marks) is several realisations. Empty bins belong to
            it: a bin that is left out is a gap in the window.
        edges : array_like, shape (n_bins + 1,), or list of them, one per realisation
            Where bins begin and end; the bins fill the window.
        width : float
            Width of bins of one width, instead of `edges`.
        start_time : float, default 0.0
            Where the first bin begins, beside `width`.
        mark_names : iterable, length n_marks, optional
            Labels of the marks. Default: the columns of a frame, else "0", "1", ...
        unit : {"ns", "us", "ms", "s", "min", "h", "day", "week"}, optional
            Unit of time of edges and width.

        Returns
        -------
        EventCounts
            The checked counts.

        Raises
        ------
        InvalidEventsError
            Counts that are negative, no whole numbers or of different marks; edges that do not
            increase, or do not fit.
        InvalidParameterError
            Neither edges nor a width, or both; NaN.

        Examples
        --------
        >>> from hawkeys import Events
        >>> Events.from_counts([[3, 0], [1, 2]], width=7.0, mark_names=["a", "b"], unit="day")
        EventCounts(n_events=6, n_bins=2, n_marks=2, n_realizations=1, unit='day')
        """
        return read_counts(counts, edges, width, start_time, mark_names, unit)

    def __repr__(self) -> str:
        names = self.mark_names if self.n_marks <= 6 else (*self.mark_names[:5], "...")
        values = "" if self.values is None else f", values={range_of(self.values)}"
        return (
            f"Events(n_events={self.n_events}, n_marks={self.n_marks}, "
            f"n_realizations={self.n_realizations}, mark_names={names}{values})"
        )


def as_events(
    data: Any,
    options: MutableMapping[str, Any] | None = None,
    *,
    end_time: Any = None,
    start_time: Any = None,
    alone: bool = False,
    mark_names: Sequence[str] | None = None,
) -> Events:
    """Return data that `Events.from_data` reads as `Events`; Events as they are.

    What says how to read is taken out of `options` (as ``**reading`` there); if they are `alone`,
    what is left is refused. `mark_names` are the marks expected, in their order, unless the options
    or Events say otherwise. `end_time` is required, but refused for Events, which know theirs.

    Raises `InvalidParameterError` or `InvalidEventsError`, as `Events.from_data` does.
    """
    given: MutableMapping[str, Any] = {} if options is None else options
    plain = end_time is None and start_time is None and WORDS.isdisjoint(given)
    if isinstance(data, Events) and plain and data.n_realizations and not (alone and given):
        return data
    how = take_reading(given, end_time, start_time)
    if alone:
        refuse_unknown(given)
    if isinstance(data, Events):
        refuse_reading(data, how)
        return data
    refuse_counts(data)
    if how.mark_names is None and mark_names is not None:
        how = how._replace(mark_names=mark_names)
    return Events._of(parts_of(data, how))
