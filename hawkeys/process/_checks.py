"""What processes ask of the events and the times they are given: one rule, one message."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys._validation import as_float_array, brief, brief_names, refuse_disguised
from hawkeys.events import Events
from hawkeys.events.lists import as_events
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError

__all__ = ["as_process", "as_times", "check_events", "check_queries", "read_for"]


def as_process(model: Any) -> Any:
    """Return the process of a fitted result; a process, and all else, as it is.

    Raises `InvalidParameterError` if the result holds a process for every realisation.
    """
    process = getattr(model, "process", model)
    if callable(process):
        raise InvalidParameterError(
            f"{type(model).__name__} holds a process for every realisation; got all of them. Pass "
            "one, result.process(r)."
        )
    return process


def read_for(model: Any, process: Any, data: Any, reading: Mapping[str, Any]) -> Events:
    """Return data as Events with the marks of a process, in its order, and the unit of a result.

    Raises `InvalidEventsError` for other marks, `InvalidParameterError` for another unit, what is
    wrong with the reading, or a fit whose times are not known.
    """
    if "resolution" in getattr(model, "options", ()):
        raise InvalidParameterError(
            "this fit is of times known up to their ticks, or of counts, and exact times are "
            "needed here. Pass its process, result.process, beside exact times."
        )
    unit, wanted = getattr(model, "unit", None), getattr(process, "mark_names", None)
    if isinstance(data, Events) and not reading:
        events = data
    else:
        own = {} if unit is None or isinstance(data, Events) else {"unit": unit}
        given = own | dict(reading)
        events = as_events(data, given, alone=True, mark_names=wanted)
    names = events.mark_names
    if wanted and names != wanted and sorted(names) == sorted(wanted):
        raise InvalidEventsError(
            f"the events have the marks {brief_names(names)} in another order than "
            f"the process, {brief_names(wanted)}. Put them in its order: "
            "events.with_marks(process.mark_names)."
        )
    if None not in (unit, events.unit) and unit != events.unit:
        raise InvalidParameterError(
            f"the events are counted in {events.unit!r}, the fit in {unit!r}. Read them with "
            f"unit={unit!r}."
        )
    return events


def check_events(events: Any, n_marks: int) -> None:
    """Refuse, with `InvalidEventsError`, what is not `Events` with the marks of the process."""
    if not isinstance(events, Events):
        raise InvalidEventsError(
            f"expected hawkeys.Events, got {type(events).__name__}. Build them with "
            "Events.from_lists(..., end_times=...)."
        )
    if events.n_marks != n_marks:
        raise InvalidEventsError(
            f"the events have {events.n_marks} marks, the process has {n_marks}. Build "
            "the events with the same marks, empty ones included."
        )


def check_queries(events: Events, times: Any, realization: int) -> tuple[FloatArray, int]:
    """Return times within the window of a realisation, in any order, and its number from 0.

    Dates are counted on the clock of the events.
    """
    whole = isinstance(realization, int | np.integer) and not isinstance(realization, bool)
    if not whole or not -events.n_realizations <= realization < events.n_realizations:
        raise InvalidParameterError(
            f"realization must lie in 0..{events.n_realizations - 1}; got {brief(realization)}."
        )
    queries = np.atleast_1d(as_times(events, times, "times"))
    start, end = events.start_times[realization], events.end_times[realization]
    if queries.ndim != 1 or ((queries < start) | (queries > end)).any():
        raise InvalidParameterError(
            f"times must be one-dimensional and lie in the window [{start}, {end}]; got "
            f"shape {queries.shape}, from {queries.min()} to {queries.max()}.{_count_from(events)}"
        )
    return queries, realization % events.n_realizations


def as_times(events: Events, times: Any, name: str) -> FloatArray:
    """Return times as numbers on the clock of the events, shape () or (n,): dates too.

    Raises `InvalidParameterError` for what is neither.
    """
    if not _are_dates(times):
        return as_float_array(times, name)
    one = isinstance(times, str) or np.ndim(times) == 0
    found = events.moments([times] if one else times)
    return found[0] if one else found


def _are_dates(times: Any) -> bool:
    """Tell dates, or one of them, from numbers; a text is a date, and so is what is neither."""
    refuse_disguised(times, "times")
    kind = getattr(getattr(times, "dtype", None), "kind", None)
    if kind in ("f", "i", "u", "b"):
        return False
    many = not isinstance(times, str) and (np.ndim(times) > 0 or hasattr(times, "__len__"))
    first = next(iter(times), 0.0) if many else times
    return isinstance(first, str | dt.date | np.datetime64)


def _count_from(events: Events) -> str:
    """Say where times are counted from, if not from the caller's 0."""
    return "" if events.origins is None else " Subtract events.origins first, as exact integers."
