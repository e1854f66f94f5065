"""Sequences of times and types, as benchmarks of event sequences store them, made events."""

from __future__ import annotations

from collections.abc import Sequence as Many
from typing import Any, NamedTuple

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import brief, check_count
from hawkeys.events import Events
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError

__all__ = ["Sequence", "events_of_sequences"]


class Sequence(NamedTuple):
    """A sequence and its place, in words that begin a message; times and types are lists."""

    place: str
    times: Any
    marks: Any


def events_of_sequences(
    sequences: Many[Sequence], windows: tuple[ArrayLike | str, ArrayLike | str], n_marks: int
) -> Events:
    """Return a realisation per sequence; windows = (start or "first", end or "last")."""
    size = check_count(n_marks, "n_marks")
    times = [_numbers(one.times, one.place, "times") for one in sequences]
    marks = [_types(one, size) for one in sequences]
    for one, t, m in zip(sequences, times, marks, strict=True):
        if t.size != m.size:
            raise InvalidEventsError(f"{one.place}{t.size} times and {m.size} types.")
    starts = _bounds(windows[0], "start_time", "first", times, sequences)
    ends = _bounds(windows[1], "end_time", "last", times, sequences)
    offsets = np.concatenate(([0], np.cumsum([t.size for t in times]))).astype(np.int64)
    return Events.from_arrays(
        np.concatenate(times), np.concatenate(marks), offsets=offsets, start_times=starts,
        end_times=ends, n_marks=size,
    )  # fmt: skip


def _numbers(values: Any, place: str, what: str) -> FloatArray:
    """Return a list of numbers."""
    array = np.asarray(values)
    if array.size == 0:
        return np.empty(0)
    if array.ndim != 1 or array.dtype.kind not in "iuf":
        raise InvalidEventsError(f"{place}{what} must be a list of numbers; got {brief(values)}.")
    out: FloatArray = array.astype(np.float64)
    if not np.isfinite(out).all():
        k = int(np.argmin(np.isfinite(out)))
        raise InvalidEventsError(f"{place}{what}[{k}] is {out[k]}, which is no finite number.")
    return out


def _types(one: Sequence, size: int) -> IntArray:
    """Return types, whole numbers from 0 to below `size`."""
    found = _numbers(one.marks, one.place, "types")
    bad = np.flatnonzero((found != np.round(found)) | (found < 0) | (found >= size))
    if bad.size:
        raise InvalidEventsError(
            f"{one.place}types are whole numbers from 0 to {size - 1}; types[{bad[0]}] is "
            f"{found[bad[0]]:g}. Padding is no event; with other types give n_marks=."
        )
    return found.astype(np.int64)


def _bounds(
    given: ArrayLike | str,
    name: str,
    word: str,
    times: list[FloatArray],
    sequences: Many[Sequence],
) -> ArrayLike:
    """Return one side of the windows; of each sequence its first or last event, if asked."""
    if not isinstance(given, str):
        return given
    if given != word:
        raise InvalidParameterError(
            f"{name} must be a number, one each, or {word!r}; got {given!r}."
        )
    for one, t in zip(sequences, times, strict=True):
        if t.size == 0:
            raise InvalidEventsError(
                f"{one.place}there is no event, and so no {word} one. Give {name} in numbers."
            )
    return np.array([t[0] if word == "first" else t[-1] for t in times])
