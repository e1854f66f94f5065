"""What happened before the windows of events: a history on which all that follows depends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np

from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys._validation import brief_names
from hawkeys.events._checks import freeze
from hawkeys.events.container import Events
from hawkeys.events.observed import History
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError

__all__ = [
    "Past",
    "continued",
    "history_before",
    "history_from_record",
    "history_to_record",
    "owners_of",
    "pick_history",
    "without_values",
]

Past: TypeAlias = "Events | History"

# spacings of doubles by which the same moment may differ on two clocks
_ROUNDING = 4.0
# names of the bounds of windows in a record
_OF_WINDOWS = ("window_starts", "window_ends")


def history_before(events: Events, history: Any) -> Past:
    """Return a history as one realisation before each window of the events, on their clock.

    What `Events.within` returned beside windows is checked, and stays what it is.

    Parameters
    ----------
    events : Events
        What follows.
    history : Events or History
        What happened before: one realisation that all share, or one for each. Each ends where the
        window of the events starts. Or what happened outside the windows.

    Returns
    -------
    Events or History
        As many realisations as the events have; its times and theirs count from the same moment.

    Raises
    ------
    InvalidEventsError
        `history` is no Events, or has other marks or another kind of times; or only one of the
        two has values.
    InvalidParameterError
        Another number of realisations, or a realisation that does not end where the window starts.
    """
    if not isinstance(history, Events | History):
        raise InvalidEventsError(
            f"history must be hawkeys.Events, got {type(history).__name__}. Build them with "
            "Events.from_data(..., end_time=...), or cut them off with events.split(...) or "
            "events.within(...)."
        )
    if isinstance(history, History):
        _check_alike(events, history.outside)
        _check_places(events, history)
        return history
    _check_alike(events, history)
    if history.n_realizations not in (1, events.n_realizations):
        raise InvalidParameterError(
            f"history has {history.n_realizations} realisations, the events have "
            f"{events.n_realizations}. Pick one with history[k], which all share, or pass one for "
            "each."
        )
    if history.n_realizations < events.n_realizations:
        history = history[np.zeros(events.n_realizations, dtype=np.int64)]
    return _on_clock_of(events, history)


def _check_alike(events: Events, history: Events) -> None:
    """Refuse a history with other marks, another kind of times, or values that the other lacks."""
    if history.mark_names != events.mark_names:
        raise InvalidEventsError(
            f"the history has the marks {brief_names(history.mark_names)}, the events "
            f"{brief_names(events.mark_names)}. Build both with the same marks in the same order, "
            "empty ones included: x.with_marks(names), before x.within(...) if windows are cut."
        )
    if history._kind != events._kind:
        raise InvalidEventsError(
            f"the times of the history are {history._kind}, those of the events {events._kind}. "
            "Read both in the same way, with the same unit=."
        )
    if (history.values is None) != (events.values is None):
        has, lacks = ("events", "history") if history.values is None else ("history", "events")
        raise InvalidEventsError(
            f"the {has} have values, the {lacks} have none. Read both with values=, or both "
            "without."
        )


def _check_places(events: Events, history: History) -> None:
    """Refuse windows that are not those `Events.within` returned beside the history."""
    owners, outside = history.owners, history.outside
    remedy = (
        "Take both from one call, windows, history = events.within(...). To count some of them "
        "alone, call it with fewer intervals, or give the others the weight 0."
    )
    if owners.size != events.n_realizations:
        raise InvalidParameterError(
            f"the history has {owners.size} windows, the events have {events.n_realizations} "
            f"realisations. {remedy}"
        )
    low, high = history.start_times, history.end_times
    wrong = (events.start_times != low) | (events.end_times != high)
    clocks = outside.clock, events.clock
    here = None if outside.origins is None else tuple(outside.origins[r] for r in owners)
    if wrong.any() or clocks[0] != clocks[1] or here != events.origins:
        r = int(np.argmax(wrong))
        raise InvalidParameterError(
            f"realization {r}: the window from {events.start_times[r]} to {events.end_times[r]} is "
            f"not that of the history, from {low[r]} to {high[r]} of recording {owners[r]}, or "
            f"counts from another moment. {remedy}"
        )
    unseen = np.zeros(events.n_events, dtype=bool)
    if history.observed is not None:
        unseen = ~history.observed[events.realization, events.marks]
    if unseen.any():
        k = int(np.argmax(unseen))
        raise InvalidParameterError(
            f"realization {events.realization[k]}: the event at {events.times[k]} has the mark "
            f"{events.mark_names[events.marks[k]]!r}, which the history says is not observed in "
            f"that window. {remedy}"
        )


def _on_clock_of(events: Events, history: Events) -> Events:
    """Return the history counted as the events are; refuse a gap, or an overlap."""
    shift = _shift(history, events)
    ends = history.end_times + shift
    gap, size = events.start_times - ends, np.maximum(np.abs(ends), np.abs(shift))
    allowed = np.where(shift == 0.0, 0.0, _ROUNDING * np.spacing(size))
    if (np.abs(gap) > allowed).any():
        r = int(np.argmax(np.abs(gap) > allowed))
        raise InvalidParameterError(
            f"realization {r}: the history is observed up to {ends[r]} but the window starts at "
            f"{events.start_times[r]}. Cut both at the same moment, as events.split(...) does."
        )
    if not shift.any():
        return history
    owners = history.realization
    times = np.minimum(history.times + shift[owners], events.start_times[owners])
    starts = np.minimum(history.start_times + shift, events.start_times)
    freeze(times, starts)
    return replace(
        history,
        times=times,
        start_times=starts,
        end_times=events.start_times,
        origins=events.origins,
        clock=events.clock,
    )


def _shift(history: Events, events: Events) -> FloatArray:
    """Return what takes the times of each realisation of a history to the clock of the events."""
    none = (0,) * events.n_realizations
    there, here = history.origins or none, events.origins or none
    out = np.array([float(one - other) for one, other in zip(there, here, strict=True)])
    if history.clock is not None and events.clock is not None:
        since = (history.clock.origin or 0) - (events.clock.origin or 0)
        out += since / events.clock.length
    return out


def without_values(history: Past | None, events: Events) -> Past | None:
    """Return a history without values if the events, drawn from a process, have none.

    Parameters
    ----------
    history, events : Events, History or None, Events
        As `history_before` returns them, but for values of the history alone.

    Returns
    -------
    Events, History or None
        The same times and marks.
    """
    if history is None or events.values is not None:
        return history
    if isinstance(history, History):
        return replace(history, outside=history.outside.with_values(None))
    return history.with_values(None)


def owners_of(history: Past, events: Events) -> IntArray:
    """Return which realisation of `continued` each window is part of.

    Parameters
    ----------
    history, events : Events or History, Events
        As `history_before` returns them.

    Returns
    -------
    ndarray of int64, shape (events.n_realizations,)
        Never decreasing.
    """
    if isinstance(history, History):
        return history.owners
    return np.arange(events.n_realizations)


def pick_history(history: Past, events: Events, rows: Any) -> Past:
    """Return the history of some of the windows; the events of the others are outside them.

    Parameters
    ----------
    history, events : Events or History, Events
        As `history_before` returns them.
    rows : mask or slice
        Which windows, in their order.

    Returns
    -------
    Events or History
        What happened before, or outside, those that are picked.
    """
    if not isinstance(history, History):
        return history[rows]
    left = np.ones(events.n_realizations, dtype=bool)
    left[rows] = False
    picked = None if history.observed is None else history.observed[~left]
    starts, ends = history.start_times, history.end_times
    rest = History(history.outside, history.owners[left], starts[left], ends[left])
    outside = continued(rest, events[left])[0]
    return History(outside, history.owners[~left], starts[~left], ends[~left], picked)


def continued(history: Past, events: Events) -> tuple[Events, BoolArray]:
    """Return a history with the events after it, and which of its events are those.

    Parameters
    ----------
    history, events : Events or History, Events
        As `history_before` returns them: the same number of realisations, on one clock.

    Returns
    -------
    whole : Events
        Realisations from the start of the history to the end of the window; or the recordings that
        the windows are part of.
    later : ndarray of bool, shape (whole.n_events,)
        True for events of the windows, in their order.

    Raises
    ------
    InvalidParameterError
        Different numbers of realisations.
    """
    owners = owners_of(history, events)
    if isinstance(history, History):
        before, starts, ends = history.outside, history.outside.start_times, None
    else:
        before, starts, ends = history, history.start_times, events.end_times
    if owners.size != events.n_realizations or (ends is not None and starts.size != ends.size):
        raise InvalidParameterError(
            f"history has {before.n_realizations} realisations, the events have "
            f"{events.n_realizations}; there must be one before each window."
        )
    group = np.concatenate((before.realization, owners[events.realization]))
    times = np.concatenate((before.times, events.times))
    order = np.lexsort((times, group))  # stable: events of windows keep their order
    later = order >= before.n_events
    times = times[order]
    marks = np.concatenate((before.marks, events.marks))[order]
    offsets = np.searchsorted(group[order], np.arange(before.n_realizations + 1))
    values = None
    if events.values is not None and before.values is not None:
        values = np.concatenate((before.values, events.values))[order]
        freeze(values)
    offsets = offsets.astype(np.int64)
    freeze(times, marks, offsets)
    whole = replace(
        events if ends is not None else before,
        times=times,
        marks=marks,
        offsets=offsets,
        start_times=starts,
        values=values,
    )
    return whole, later


def history_to_record(history: Past) -> dict[str, Any]:
    """Return a history as arrays by name, which a result keeps among its options.

    Parameters
    ----------
    history : Events or History
        As `history_before` returns it.

    Returns
    -------
    dict
        Times, marks, offsets, start_times and end_times, and values if there are; of what happened
        outside windows, owners, window_starts, window_ends and, where marks have windows of their
        own, observed.
    """
    names = ("times", "marks", "offsets", "start_times", "end_times", "values")
    events = history.outside if isinstance(history, History) else history
    found = {name: getattr(events, name) for name in names}
    if isinstance(history, History):
        found |= {"owners": history.owners, "observed": history.observed}
        found |= dict(zip(_OF_WINDOWS, (history.start_times, history.end_times), strict=True))
    return {name: array for name, array in found.items() if array is not None}


def history_from_record(record: Mapping[str, Any], events: Events) -> Past:
    """Return the history of which `history_to_record` wrote a record.

    Parameters
    ----------
    record : mapping
        Arrays, or from a file lists.
    events : Events
        What follows, whose marks and clock the history has.

    Returns
    -------
    Events or History
        As `history_before` returned it.

    Raises
    ------
    InvalidEventsError
        The record holds no events.
    InvalidParameterError
        They are not those before these events.
    """
    arrays = dict(record)
    owners, observed = arrays.pop("owners", None), arrays.pop("observed", None)
    starts, ends = (np.asarray(arrays.pop(n, ()), dtype=np.float64) for n in _OF_WINDOWS)
    if events.values is None:  # a sample of a process that knows of none
        arrays.pop("values", None)
    found = Events.from_arrays(**arrays, mark_names=events.mark_names)
    if owners is None:
        return history_before(events, replace(found, origins=events.origins, clock=events.clock))
    owners = np.asarray(owners, dtype=np.int64)
    origins = None
    if events.origins is not None and owners.size == events.n_realizations:
        known = dict(zip(owners.tolist(), events.origins, strict=True))
        origins = tuple(known.get(r, 0) for r in range(found.n_realizations))
    found = replace(found, origins=origins, clock=events.clock)
    mask = None if observed is None else np.asarray(observed, dtype=bool)
    return history_before(events, History(found, owners, starts, ends, mask))
