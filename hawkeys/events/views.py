"""Makes new `Events` from given ones: cut in time, picked by mark or realisation, joined."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Sequence
from typing import Any, TypeVar

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import as_float_array, brief, brief_names, check_fraction
from hawkeys.events._checks import freeze
from hawkeys.events.building import date_bounds
from hawkeys.events.clock import Clock, Instants, plural
from hawkeys.events.showing import Shown
from hawkeys.events.values import as_values, pick_values, values_of_all
from hawkeys.exceptions import EventsWarning, InvalidEventsError, InvalidParameterError

__all__ = ["Views", "on_clock"]

AnyEvents = TypeVar("AnyEvents", bound="Views")

# of the longest window: a moment before that is unlikely to be meant as one
_HARDLY_BEGUN = 0.01


class Views(Shown):
    """The methods of `hawkeys.Events` that give other events."""

    __slots__ = ()

    def between(self: AnyEvents, start: Any = None, end: Any = None) -> AnyEvents:
        """Return what was observed after `start` and up to `end`, with windows cut to match.

        Parameters
        ----------
        start, end : number or date, optional
            On the clock of the events: dates if their times came as dates. Default: the start, the
            end of each realisation.

        Returns
        -------
        Events
            Realisations whose window overlaps; an event at `start` itself belongs to what is
            before, so that two parts have no event in common, and none is lost.

        Raises
        ------
        InvalidParameterError
            A bound that is no number or date, or nothing in between.

        Notes
        -----
        What happened before `start` is not known to the part: a fit of it takes its first events
        for spontaneous ones that may be children. With long parts that matters little; else give
        it to the fit, ``history=events.between(end=start)``.

        Examples
        --------
        >>> from hawkeys import Events
        >>> events = Events.from_lists([[[1.0, 2.0, 3.0]]], end_times=4.0)
        >>> part = events.between(1.0, 3.0)
        >>> part.times, part.start_times, part.end_times
        (array([2., 3.]), array([1.]), array([3.]))
        """
        low = self.start_times if start is None else self._moments(start, "start")
        high = self.end_times if end is None else self._moments(end, "end")
        starts, ends = np.maximum(self.start_times, low), np.minimum(self.end_times, high)
        kept = np.flatnonzero(starts < ends)
        if not kept.size:
            raise InvalidParameterError(
                f"no window overlaps the time from {start} to {end}; the first is "
                f"{self._window(0)}."
            )
        group = self._group
        inside = (self.times > starts[group]) | (starts == self.start_times)[group]
        inside &= (self.times <= ends[group]) & (starts < ends)[group]
        return self._cut(inside, kept, starts[kept], ends[kept])

    def split(
        self: AnyEvents, at: Any = None, *, share: float | None = None
    ) -> tuple[AnyEvents, AnyEvents]:
        """Cut the windows in two, as for training and test.

        Parameters
        ----------
        at : number or date, optional
            Where to cut, the same moment for all realisations.
        share : float, optional
            Instead: the share of each realisation's window that comes first, in (0, 1).

        Returns
        -------
        first, second : Events
            An event at the cut belongs to the first.

        Raises
        ------
        InvalidParameterError
            Not exactly one of `at` and `share`, or a part without any window.

        Warns
        -----
        EventsWarning
            `at` is between 0 and 1, as a share would be, within the first hundredth of the longest
            window, and all events are on one side of it.

        Examples
        --------
        >>> from hawkeys import Events
        >>> events = Events.from_lists([[[1.0, 2.0, 3.0]]], end_times=4.0)
        >>> train, test = events.split(share=0.75)
        >>> train.n_events, test.start_times
        (3, array([3.]))
        """
        if (at is None) == (share is None):
            raise InvalidParameterError(
                "give exactly one of at= (a moment) and share= (of the time); got "
                f"at={brief(at)} and "
                f"share={brief(share)}."
            )
        if share is None:
            parts = self.between(end=at), self.between(start=at)
            self._warn_of_empty(at, [part.times.size for part in parts])
            return parts
        width = self.end_times - self.start_times
        cut = self.start_times + check_fraction(share, "share") * width
        first, every = self.times <= cut[self._group], np.arange(len(self))
        return (
            self._cut(first, every, self.start_times, cut),
            self._cut(~first, every, cut, self.end_times),
        )

    def _warn_of_empty(self, at: Any, sizes: list[int]) -> None:
        """Warn of a moment that was meant as a share: all events are on one side of it."""
        if not (isinstance(at, float) and 0.0 < at < 1.0):
            return
        longest = float((self.end_times - self.start_times).max())
        early = at - float(self.start_times.min()) < _HARDLY_BEGUN * longest
        if early and self.times.size and 0 in sizes:
            warnings.warn(
                f"split(at={brief(at)}): the {'first' if sizes[0] == 0 else 'second'} part has "
                f"none of the {self.times.size} events. at= is a moment on the clock of the "
                "events; for a part of the time write share=0.7.",
                EventsWarning,
                stacklevel=3,
            )

    def with_marks(self: AnyEvents, marks: Iterable[str | int]) -> AnyEvents:
        """Return the events of some marks alone, in the order given.

        Parameters
        ----------
        marks : iterable of str or int
            Names, or numbers from 0.

        Returns
        -------
        Events
            The same windows; the events of other marks are left out as if they had not happened.

        Raises
        ------
        InvalidParameterError
            No such mark, one twice, or none at all.

        Examples
        --------
        >>> from hawkeys import Events
        >>> events = Events.from_lists([[[1.0], [0.5]]], end_times=3.0, mark_names="ab")
        >>> events.with_marks(["b"]).times
        array([0.5])
        """
        if not hasattr(marks, "__iter__"):
            raise InvalidParameterError(
                f"marks must be names or numbers of marks; got {brief(marks)}. Write ['a', 'b']."
            )
        given = [marks] if isinstance(marks, str | int) else list(marks)
        wanted = [self._mark(mark) for mark in given]
        if len(set(wanted)) != len(wanted) or not wanted:
            raise InvalidParameterError(
                f"marks must be one or more, each once; got {brief(given)}."
            )
        place = np.full(len(self.mark_names), -1, dtype=np.int64)
        place[wanted] = np.arange(len(wanted))
        inside = place[self.marks] >= 0
        part = self._cut(inside, np.arange(len(self)), self.start_times, self.end_times)
        moved = place[part.marks]
        freeze(moved)
        names = tuple(self.mark_names[mark] for mark in wanted)
        return self._made(part.times, moved, part.offsets, part.start_times, part.end_times,
                          names, self.origins, self.clock, part.values)  # fmt: skip

    def with_values(self: AnyEvents, values: ArrayLike | None) -> AnyEvents:
        """Return the events with other values.

        Parameters
        ----------
        values : array_like, shape (n_events,), or None
            A finite number for each event, in the order of `times`; None for none.

        Returns
        -------
        Events
            The same times, marks and windows.

        Raises
        ------
        InvalidEventsError
            Not one finite number per event.

        Examples
        --------
        >>> from hawkeys import Events
        >>> events = Events.from_lists([[[1.0, 2.0]]], end_times=3.0)
        >>> events.with_values([4.5, 3.1])
        Events(n_events=2, n_marks=1, n_realizations=1, mark_names=('0',), values=3.1..4.5)
        """
        return self._made(self.times, self.marks, self.offsets, self.start_times, self.end_times,
                          self.mark_names, self.origins, self.clock,
                          as_values(values, self.offsets))  # fmt: skip

    @classmethod
    def joined(cls: type[AnyEvents], parts: Sequence[AnyEvents]) -> AnyEvents:
        """Return the realisations of several events as one, in order.

        Parameters
        ----------
        parts : sequence of Events
            With the same marks, unit and kind of times.

        Returns
        -------
        Events
            As many realisations as all of them have.

        Raises
        ------
        InvalidEventsError
            No part, or parts with other marks, units or time zones; some with values and some
            without.

        Examples
        --------
        >>> from hawkeys import Events
        >>> one = Events.from_lists([[[1.0]]], end_times=3.0)
        >>> Events.joined([one, one]).n_realizations
        2
        """
        parts = list(parts)
        if not parts or not all(isinstance(part, Views) for part in parts):
            got = type(parts[0]).__name__ if parts else "an empty list"
            raise InvalidEventsError(f"expected a list of Events; got {got}.")
        first = parts[0]
        for k, part in enumerate(parts):
            if part.mark_names != first.mark_names or part._kind != first._kind:
                raise InvalidEventsError(
                    f"part {k} has marks {part.mark_names[:6]} and times {part._kind}, the first "
                    f"{first.mark_names[:6]} and {first._kind}. Read them in one way, with "
                    "mark_names= and unit=."
                )
        clock, shifts = _common_clock([part.clock for part in parts])
        moved = list(zip(parts, shifts, strict=True))
        sizes = np.concatenate([np.diff(part.offsets) for part in parts])
        arrays = (
            np.concatenate([part.times + shift for part, shift in moved]),
            np.concatenate([part.marks for part in parts]),
            np.concatenate(([0], np.cumsum(sizes))).astype(np.int64),
            np.concatenate([part.start_times + shift for part, shift in moved]),
            np.concatenate([part.end_times + shift for part, shift in moved]),
        )
        origins = None
        if any(part.origins is not None for part in parts):
            origins = tuple(o for part in parts for o in (part.origins or (0,) * len(part)))
        values = values_of_all(parts)
        return cls._made(*arrays, first.mark_names, origins, clock, values)

    def __getitem__(self: AnyEvents, index: Any) -> AnyEvents:
        """Return the realisations picked by an integer, a slice, indices or a boolean mask."""
        picked = np.atleast_1d(np.arange(len(self))[index])
        sizes = np.diff(self.offsets)[picked]
        bounds = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        flat = np.arange(bounds[-1]) + np.repeat(self.offsets[picked] - bounds[:-1], sizes)
        starts, ends = self.start_times[picked], self.end_times[picked]
        origins = None if self.origins is None else tuple(self.origins[r] for r in picked)
        arrays = self.times[flat], self.marks[flat], bounds, starts, ends
        values = pick_values(self.values, flat)
        made = self._made(*arrays, self.mark_names, origins, self.clock, values)
        if self._labels is not None:
            object.__setattr__(made, "_labels", tuple(self._labels[r] for r in picked))
        return made

    @property
    def _kind(self) -> str:
        """What the times are, in words."""
        if self.clock is None:
            return "without a unit"
        dated = "dates" if self.clock.origin is not None else "numbers"
        return f"{dated} in {plural(self.clock.unit)}, zone {self.clock.zone}"

    def _window(self, r: int) -> str:
        """The window of a realisation as its caller would write it."""
        bounds = float(self.start_times[r]), float(self.end_times[r])
        if self.origins is not None and (self.clock is None or self.clock.origin is None):
            return str([self.origins[r] + round(bound) for bound in bounds])
        return str(list(bounds)) if self.clock is None else str([*map(self.clock.show, bounds)])

    def _mark(self, mark: str | int) -> int:
        """Return the number of a mark given by name or number."""
        if isinstance(mark, str) and mark in self.mark_names:
            return self.mark_names.index(mark)
        masked = isinstance(mark, bool)
        if not masked and isinstance(mark, int | np.integer) and 0 <= mark < len(self.mark_names):
            return int(mark)
        names = brief_names(self.mark_names)
        raise InvalidParameterError(
            f"mark must be a name ({names}) or a number from 0 to {len(self.mark_names) - 1}; got "
            f"{brief(mark)}."
        )

    def moment(self, date: Any) -> float:
        """Return a date as a number on the clock of the events.

        Parameters
        ----------
        date : str, datetime or the like
            With a time zone if the times had one.

        Returns
        -------
        float
            In the unit of `times`, which count from the same origin.

        Raises
        ------
        InvalidParameterError
            No date, or the times of the events did not come as dates.

        Examples
        --------
        >>> import numpy as np
        >>> from hawkeys import Events
        >>> days = np.array(["2024-03-02"], "M8[D]")
        >>> window = {"start_time": "2024-03-01", "end_time": "2024-03-05"}
        >>> events = Events.from_data(days, unit="h", **window)
        >>> events.moment("2024-03-01T06:00")
        6.0
        """
        return float(self.moments([date])[0])

    def moments(self, dates: Any) -> FloatArray:
        """Return dates as numbers on the clock of the events.

        Parameters
        ----------
        dates : sequence of str, datetime or the like, shape (n,)
            With a time zone if the times had one.

        Returns
        -------
        ndarray of float64, shape (n,)
            In the unit of `times`, which count from the same origin.

        Raises
        ------
        InvalidParameterError
            What is no date, or the times of the events did not come as dates.

        Examples
        --------
        >>> import numpy as np
        >>> from hawkeys import Events
        >>> days = np.array(["2024-03-02"], "M8[D]")
        >>> window = {"start_time": "2024-03-01", "end_time": "2024-03-05"}
        >>> events = Events.from_data(days, unit="h", **window)
        >>> events.moments(["2024-03-01T06:00", "2024-03-04"])
        array([ 6., 72.])
        """
        clock, given = self.clock, list(dates)
        if clock is None or clock.origin is None:
            raise InvalidParameterError(
                f"the times of these events are no dates, and {brief(given[0] if given else dates)}"
                " has no place among them."
            )
        return on_clock(clock, given, "dates")

    def _moments(self, value: Any, name: str) -> FloatArray:
        """Return a moment on the clock of the events, shape (1,) or (n_realizations,)."""
        clock = self.clock
        if clock is None or clock.origin is None:
            moment = as_float_array(value, name)
            if moment.ndim:
                raise InvalidParameterError(f"{name} must be one moment; got {brief(value)}.")
            if self.origins is None:
                return moment.reshape(1)
            exact = int(value) if float(moment).is_integer() else float(moment)
            return np.array([float(exact - origin) for origin in self.origins])
        return on_clock(clock, [value], name)

    def _cut(
        self: AnyEvents, inside: np.ndarray, kept: IntArray, starts: FloatArray, ends: FloatArray
    ) -> AnyEvents:
        """Return the events `inside` of the realisations `kept`, with other windows."""
        sizes = np.bincount(self._group[inside], minlength=len(self))[kept]
        offsets = np.concatenate(([0], np.cumsum(sizes))).astype(np.int64)
        origins = None if self.origins is None else tuple(self.origins[r] for r in kept)
        arrays = self.times[inside], self.marks[inside], offsets, starts.copy(), ends.copy()
        values = pick_values(self.values, inside)
        return self._made(*arrays, self.mark_names, origins, self.clock, values)

    @classmethod
    def _made(cls: type[AnyEvents], *fields: Any) -> AnyEvents:
        """Return events of these fields, the arrays read-only."""
        freeze(*(field for field in fields if isinstance(field, np.ndarray)))
        return cls(*fields)


def on_clock(clock: Clock, dates: list[Any], name: str) -> FloatArray:
    """Return dates as numbers on a clock that has an origin.

    Parameters
    ----------
    clock : Clock
        With an origin.
    dates : list
        Text, datetimes or the like, with a time zone if the clock has one.
    name : str
        What they are, for messages.

    Returns
    -------
    ndarray of float64, shape (n_dates,)
        In the unit of the clock.

    Raises
    ------
    InvalidParameterError
        What is no date, or dates of another kind of zone.
    """
    like = Instants(np.empty(0, dtype=np.int64), 1, True, clock.zone)
    found = date_bounds(dates, name, len(dates), like) if dates else []
    return np.array([(one - (clock.origin or 0)) / clock.length for one in found])


def _common_clock(clocks: list[Clock | None]) -> tuple[Clock | None, list[float]]:
    """Return the clock with the earliest origin, and what to add to times of each other."""
    first = clocks[0]
    origins = [clock.origin for clock in clocks if clock is not None and clock.origin is not None]
    if first is None or not origins:
        return first, [0.0] * len(clocks)
    earliest = min(origins)
    shifts = [(origin - earliest) / first.length for origin in origins]
    return Clock(first.unit, earliest, first.zone), shifts
