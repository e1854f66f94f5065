"""Units and the intervals on which they were observed, made events."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys._validation import as_float_array
from hawkeys.events import Events
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError

__all__ = ["Record", "as_intervals", "cut", "events_of_records", "sorted_times", "stored_intervals"]


class Record(NamedTuple):
    """An interval and the sorted spikes within it of each unit, in seconds."""

    start: float
    end: float
    units: Mapping[str, FloatArray]


def events_of_records(records: Sequence[Record]) -> Events:
    """Return a realisation per record; all have the same units, those of the first in its order."""
    names = list(records[0].units)
    return Events.from_data(
        [[record.units[name] for name in names] for record in records],
        start_time=[record.start for record in records],
        end_time=[record.end for record in records],
        mark_names=names,
        unit="s",
    )


def cut(units: Mapping[str, FloatArray], intervals: FloatArray, *, drop: bool) -> list[Record]:
    """Return a record per interval, shape (n, 2); refuse spikes outside, unless told to drop them.

    Both ends belong to an interval; a spike where two touch belongs to the earlier one.
    """
    parts: list[dict[str, FloatArray]] = [{} for _ in intervals]
    follows = np.concatenate(([False], intervals[1:, 0] == intervals[:-1, 1]))
    for name, times in units.items():
        inside = np.zeros(times.size, dtype=bool)
        for part, (start, end), touches in zip(parts, intervals, follows, strict=True):
            first = np.searchsorted(times, start, side="right" if touches else "left")
            last = np.searchsorted(times, end, side="right")
            part[name] = times[first:last]
            inside[first:last] = True
        if not (drop or inside.all()):
            outside = times[~inside]
            raise InvalidEventsError(
                f"unit {name}: {outside.size} of {times.size} spikes lie outside of the intervals "
                f"of observation, the first at {outside[0]:.12g} s. Correct the intervals, or "
                "leave such spikes out with drop_outside=True."
            )
    return [
        Record(float(start), float(end), part)
        for (start, end), part in zip(intervals, parts, strict=True)
    ]


def as_intervals(value: Any, name: str) -> FloatArray:
    """Return intervals in seconds, shape (n, 2): increasing, touching at most."""
    if np.size(value) == 0:
        raise InvalidParameterError(f"{name} holds no interval. Say when spikes were observed.")
    array = np.atleast_2d(as_float_array(value, name))
    if array.ndim != 2 or array.shape[1] != 2:
        raise InvalidParameterError(
            f"{name} must be pairs of start and end in seconds, shape (n, 2); got shape "
            f"{array.shape}."
        )
    empty = np.flatnonzero(array[:, 1] <= array[:, 0])
    if empty.size:
        start, end = array[empty[0]]
        raise InvalidParameterError(
            f"{name}[{empty[0]}] must end after it starts; got {start:.12g} to {end:.12g} s."
        )
    early = np.flatnonzero(array[1:, 0] < array[:-1, 1])
    if early.size:
        k = int(early[0]) + 1
        raise InvalidParameterError(
            f"{name}[{k}] starts at {array[k, 0]:.12g} s, before {name}[{k - 1}] ends at "
            f"{array[k - 1, 1]:.12g} s. Sort intervals, and merge those that overlap."
        )
    return array


def stored_intervals(value: Any, name: str) -> FloatArray:
    """Return intervals as `as_intervals`, of data: what is wrong with them is wrong with events."""
    try:
        return as_intervals(value, name)
    except InvalidParameterError as error:
        raise InvalidEventsError(str(error)) from error


def sorted_times(times: Any, unit: str) -> FloatArray:
    """Return the spike times of a unit sorted; refuse what is no list of finite numbers."""
    array = np.asarray(times)
    if array.size and (array.ndim != 1 or array.dtype.kind not in "iuf"):
        raise InvalidEventsError(
            f"unit {unit}: spike times must be a list of numbers; got shape {array.shape} of type "
            f"{array.dtype}."
        )
    out: FloatArray = np.sort(array.astype(np.float64).ravel())
    if not np.isfinite(out).all():
        n_bad = out.size - int(np.isfinite(out).sum())
        raise InvalidEventsError(
            f"unit {unit}: {n_bad} of {out.size} spike times are NaN or infinite. Leave them out."
        )
    return out
