"""What happened before the windows of events: a history on which all that follows depends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from hawkeys._typing import BoolArray, FloatArray
from hawkeys._validation import brief_names
from hawkeys.events._checks import freeze
from hawkeys.events.container import Events
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError

__all__ = ["continued", "history_before", "history_from_record", "history_to_record"]

# spacings of doubles by which the same moment may differ on two clocks
_ROUNDING = 4.0


def history_before(events: Events, history: Any) -> Events:
    """Return a history as one realisation before each window of the events, on their clock.

    Parameters
    ----------
    events : Events
        What follows.
    history : Events
        What happened before: one realisation that all share, or one for each. Each ends where the
        window of the events starts.

    Returns
    -------
    Events
        As many realisations as the events have; its times and theirs count from the same moment.

    Raises
    ------
    InvalidEventsError
        `history` is no Events, or has other marks or another kind of times; or only one of the
        two has values.
    InvalidParameterError
        Another number of realisations, or a realisation that does not end where the window starts.
    """
    if not isinstance(history, Events):
        raise InvalidEventsError(
            f"history must be hawkeys.Events, got {type(history).__name__}. Build them with "
            "Events.from_data(..., end_time=...), or cut them off with events.split(...)."
        )
    if history.mark_names != events.mark_names:
        raise InvalidEventsError(
            f"the history has the marks {brief_names(history.mark_names)}, the events "
            f"{brief_names(events.mark_names)}. Build both with the same marks in the same order, "
            "empty ones included: history.with_marks(events.mark_names)."
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
    if history.n_realizations not in (1, events.n_realizations):
        raise InvalidParameterError(
            f"history has {history.n_realizations} realisations, the events have "
            f"{events.n_realizations}. Pick one with history[k], which all share, or pass one for "
            "each."
        )
    if history.n_realizations < events.n_realizations:
        history = history[np.zeros(events.n_realizations, dtype=np.int64)]
    return _on_clock_of(events, history)


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


def continued(history: Events, events: Events) -> tuple[Events, BoolArray]:
    """Return a history with the events after it, and which of its events are those.

    Parameters
    ----------
    history, events : Events
        As `history_before` returns them: the same number of realisations, on one clock.

    Returns
    -------
    whole : Events
        Realisations from the start of the history to the end of the window.
    later : ndarray of bool, shape (whole.n_events,)
        True for events of the window, in their order.

    Raises
    ------
    InvalidParameterError
        Different numbers of realisations.
    """
    if history.n_realizations != events.n_realizations:
        raise InvalidParameterError(
            f"history has {history.n_realizations} realisations, the events have "
            f"{events.n_realizations}; there must be one before each window."
        )
    sizes = np.column_stack((np.diff(history.offsets), np.diff(events.offsets)))
    later = np.repeat(np.tile([False, True], len(sizes)), sizes.ravel())
    times, marks = np.empty(later.size), np.empty(later.size, dtype=np.int64)
    for part, rows in ((history, ~later), (events, later)):
        times[rows], marks[rows] = part.times, part.marks
    offsets = np.concatenate(([0], np.cumsum(sizes.sum(axis=1)))).astype(np.int64)
    values = None
    if events.values is not None and history.values is not None:
        values = np.empty(later.size)
        values[~later], values[later] = history.values, events.values
        freeze(values)
    freeze(times, marks, offsets)
    whole = replace(
        events,
        times=times,
        marks=marks,
        offsets=offsets,
        start_times=history.start_times,
        values=values,
    )
    return whole, later


def history_to_record(history: Events) -> dict[str, Any]:
    """Return a history as arrays by name, which a result keeps among its options.

    Parameters
    ----------
    history : Events
        As `history_before` returns it.

    Returns
    -------
    dict
        Times, marks, offsets, start_times and end_times, and values if there are.
    """
    names = ("times", "marks", "offsets", "start_times", "end_times", "values")
    found = {name: getattr(history, name) for name in names}
    return {name: array for name, array in found.items() if array is not None}


def history_from_record(record: Mapping[str, Any], events: Events) -> Events:
    """Return the history of which `history_to_record` wrote a record.

    Parameters
    ----------
    record : mapping
        Arrays, or from a file lists.
    events : Events
        What follows, whose marks and clock the history has.

    Returns
    -------
    Events
        As `history_before` returned it.

    Raises
    ------
    InvalidEventsError
        The record holds no events.
    InvalidParameterError
        They are not those before these events.
    """
    found = Events.from_arrays(**record, mark_names=events.mark_names)
    return history_before(events, replace(found, origins=events.origins, clock=events.clock))
