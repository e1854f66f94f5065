"""The last step of every constructor of `Events`: windows, origins, checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from hawkeys._typing import FloatArray, IntArray
from hawkeys._validation import brief
from hawkeys.events._checks import (
    Origins,
    check_inside,
    check_marks,
    check_order,
    check_times,
    check_windows,
    freeze,
)
from hawkeys.events._exact import as_window, find_origins, shift_realizations, shift_windows
from hawkeys.events.clock import Clock, Instants, check_unit, show_instant
from hawkeys.events.columns import times_of
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError

__all__ = [
    "Parts",
    "Windows",
    "date_bounds",
    "from_instants",
    "from_numbers",
    "number_windows",
    "parsed_date",
]


class Parts(NamedTuple):
    """The fields of `Events`, in their order; then the labels of realisations, if they have any."""

    times: FloatArray
    marks: IntArray
    offsets: IntArray
    start_times: FloatArray
    end_times: FloatArray
    mark_names: tuple[str, ...]
    origins: Origins = None
    clock: Clock | None = None
    values: FloatArray | None = None
    labels: tuple[Any, ...] | None = None


class Windows(NamedTuple):
    """Starts and ends as they were given: one for all realisations, or one each."""

    start: Any
    end: Any


def number_windows(windows: Windows, size: int) -> tuple[np.ndarray, np.ndarray]:
    """Return starts (0.0 if None) and ends that are numbers, one per realisation."""
    start = 0.0 if windows.start is None else windows.start
    return as_window(start, "start_times", size), as_window(windows.end, "end_times", size)


def from_numbers(
    times: np.ndarray,
    marks: IntArray,
    offsets: IntArray,
    windows: tuple[np.ndarray, np.ndarray],
    names: tuple[str, ...],
    *,
    origins: Origins = None,
    clock: Clock | None = None,
) -> Parts:
    """Return checked parts of events; `origins` are those that were subtracted from `times`."""
    check_marks(marks, len(names), offsets)
    if origins is None:
        origins = find_origins([times], windows[0])
        if origins is not None:
            times = shift_realizations(times, offsets, origins)
    if origins is not None:
        windows = shift_windows(windows[0], origins), shift_windows(windows[1], origins)
    starts, ends = (bound.astype(np.float64) for bound in windows)
    check_windows(starts, ends, origins)
    check_times(times, offsets, starts, ends, origins)
    freeze(times, marks, offsets, starts, ends)
    kept = origins if any(origins or ()) else None
    return Parts(times, marks, offsets, starts, ends, names, kept, clock)


def from_instants(
    instants: Instants,
    marks: IntArray,
    offsets: IntArray,
    windows: Windows,
    names: tuple[str, ...],
    *,
    unit: str | None,
) -> Parts:
    """Return checked parts of events whose times are dates or durations.

    Dates count from the earliest start, the same for all realisations, so that a baseline with a
    period means the same in all of them; durations from 0. All comparisons are of whole numbers.
    Refuses what breaks the contract of `Events`, and dates without a start.
    """
    size = offsets.size - 1
    clock = Clock(_required(unit, instants), None, instants.zone)
    if not instants.is_date:
        bounds = _duration_windows(windows, size, clock)
        times = instants.since(0, clock.length)
        return from_numbers(times, marks, offsets, bounds, names, clock=clock)
    check_marks(marks, len(names), offsets)
    if windows.start is None:
        raise InvalidParameterError(
            "start_time is missing: dates have no 0 to start from, and the start of observation is "
            f"never guessed from the first event, {_first(instants)}. Pass start_time='2024-01-01' "
            "or the like."
        )
    starts = date_bounds(windows.start, "start_time", size, instants)
    ends = date_bounds(windows.end, "end_time", size, instants)
    _check_dates(instants, offsets, starts, ends)
    origin = min(starts)
    clock = Clock(clock.unit, origin, instants.zone)
    begin = np.array([(start - origin) / clock.length for start in starts])
    until = np.array([(end - origin) / clock.length for end in ends])
    times = instants.since(origin, clock.length)
    for r in range(size):  # the last place of a double must not lie outside the window
        own = times[offsets[r] : offsets[r + 1]]
        np.clip(own, begin[r], until[r], out=own)
    freeze(times, marks, offsets, begin, until)
    return Parts(times, marks, offsets, begin, until, names, None, clock)


def _required(unit: str | None, instants: Instants) -> str:
    """Return the unit; refuse dates without one."""
    if unit is None:
        raise InvalidParameterError(
            f"unit= is missing: the times are {'dates' if instants.is_date else 'durations'}, and "
            "rates and decays are per unit of time. Write unit='s', 'min', 'h', 'day' or the like."
        )
    return check_unit(unit)


def _first(instants: Instants) -> str:
    return (
        instants.shown(int(instants.ticks[0])) if instants.ticks.size else "of which there is none"
    )


def date_bounds(value: Any, name: str, size: int, instants: Instants) -> list[int]:
    """Return the exact nanoseconds since 1970 of one date per realisation. Refuses all else."""
    many = not isinstance(value, str) and (np.ndim(value) > 0 or hasattr(value, "to_list"))
    values = list(value) if many else [value]
    if len(values) not in (1, size) or (many and len(values) != size):
        raise InvalidEventsError(
            f"{name} must be one date or one per realisation ({size}); got {len(values)}."
        )
    found = times_of([parsed_date(one, name) for one in values], f"{name}: ")
    if not isinstance(found, Instants) or not found.is_date:
        written = f"{name}=" if name.isidentifier() else ""
        raise InvalidParameterError(
            f"{name} must be a date, as the times are; got {values[0]!r}. Write "
            f"{written}'2024-01-31' or pass a datetime."
        )
    if (found.zone is None) != (instants.zone is None):
        have, lack = (name, "the times") if found.zone else ("the times", name)
        raise InvalidParameterError(
            f"{have} have a time zone ({found.zone or instants.zone}) and {lack} have none. Write "
            f"{name} with the zone of the times, as in pandas.Timestamp('2024-01-31', tz='UTC'), "
            "or give the times one by .dt.tz_localize(...)."
        )
    bounds = found.nanoseconds()
    return bounds if len(bounds) == size else bounds * size


def parsed_date(value: Any, name: str) -> Any:
    """Return a date that was written as text, year first. Refuses other text."""
    if not isinstance(value, str):
        return value
    import pandas as pd

    try:
        if not value[:4].isdigit() or value[4:5] not in ("-", ""):
            raise ValueError("the year comes first")
        return pd.Timestamp(value)
    except ValueError as error:
        raise InvalidParameterError(
            f"{name}={brief(value)} is no date ({error}). Write '2024-01-31' or "
            "'2024-01-31T12:00:00Z'."
        ) from error


def _duration_windows(windows: Windows, size: int, clock: Clock) -> tuple[np.ndarray, np.ndarray]:
    """Return starts and ends in the unit of the clock: numbers as they are, or durations."""
    bounds = []
    for value in windows:
        many = np.ndim(value) > 0
        first = value[0] if many and len(value) else value
        if value is not None and not isinstance(first, int | float | np.number):
            found = times_of(value if many else [value], "a bound of the windows: ")
            if not isinstance(found, Instants) or found.is_date:
                raise InvalidParameterError(
                    f"the times are durations, but a bound of the window is {brief(value)}. Pass a "
                    f"duration, or a number of unit {clock.unit!r}."
                )
            numbers = found.since(0, clock.length)
            value = numbers if many else float(numbers[0])
        bounds.append(value)
    return number_windows(Windows(*bounds), size)


def _check_dates(
    instants: Instants, offsets: IntArray, starts: Sequence[int], ends: Sequence[int]
) -> None:
    """Refuse dates that decrease or leave their window; exact."""
    zone, tick = instants.zone, instants.tick
    for r, (start, end) in enumerate(zip(starts, ends, strict=True)):
        if end <= start:
            raise InvalidEventsError(
                f"realization {r}: the window must end after it starts; got start "
                f"{show_instant(start, zone)} and end {show_instant(end, zone)}."
            )
    check_order(instants.ticks, offsets, lambda k, r: show_instant(int(k) * tick, zone))
    bounds = np.array(starts, dtype=object), np.array(ends, dtype=object)
    check_inside(instants.ticks, offsets, bounds, lambda t, r: show_instant(t, zone), tick=tick)
