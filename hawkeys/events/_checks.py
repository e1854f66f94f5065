"""Checks and conversions behind `hawkeys.Events`: one rule, one function, one message."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import brief, check_count, refuse_disguised
from hawkeys.events._exact import as_exact, is_large
from hawkeys.exceptions import InvalidEventsError

__all__ = [
    "Origins",
    "as_columns",
    "as_given",
    "as_marks",
    "as_offsets",
    "as_times",
    "check_inside",
    "check_marks",
    "check_order",
    "check_times",
    "check_windows",
    "count_marks",
    "freeze",
    "is_sequence",
    "merge_marks",
    "name_marks",
    "plain_times",
]


# the whole number that was subtracted from the times of each realisation; None: none was
Origins: TypeAlias = tuple[int, ...] | None


def is_sequence(value: Any) -> bool:
    """Tell a sequence (list, tuple, array, Series) from a scalar or text."""
    if isinstance(value, np.ndarray):
        return value.ndim > 0
    return hasattr(value, "__len__") and not isinstance(value, str | bytes)


def as_times(times: ArrayLike, where: str = "") -> np.ndarray:
    """Return `times` as a new one-dimensional array of doubles, or of integers beyond 2**53."""
    refuse_disguised(times, f"{where}times", InvalidEventsError)
    array = as_exact(plain_times(times, where))
    if array.size == 0:
        array = array.astype(np.float64)
    if array.ndim != 1 or not (array.dtype.kind in "fiu" or is_whole(array)):
        raise InvalidEventsError(
            f"{where}times must be a one-dimensional sequence of numbers; got shape {array.shape} "
            f"of type {array.dtype}. {_advice(array)}"
        )
    return array.copy() if is_large(array) else array.astype(np.float64)


def is_whole(array: np.ndarray) -> bool:
    """Tell whether an array of objects holds whole numbers alone."""
    numbers = (int, np.integer)
    return array.dtype.kind == "O" and all(
        isinstance(x, numbers) or (isinstance(x, float) and x.is_integer()) for x in array.flat
    )


def plain_times(times: Any, where: str) -> Any:
    """Return the times of a pynapple Ts; refuse time series, whose values are no times."""
    if not (hasattr(times, "time_support") and hasattr(times, "t")):
        return times
    if hasattr(times, "d") or hasattr(times, "values"):
        raise InvalidEventsError(
            f"{where}times: a {type(times).__name__} holds values at times. Pass its times, x.t."
        )
    return times.t


def _advice(array: np.ndarray) -> str:
    if array.dtype.kind in "mM":
        return (
            "Events.from_data (and every fit) reads dates, with unit= and start_time=. Or pass "
            "integers, which stay exact, such as x.astype('datetime64[ns]').astype('int64')."
        )
    return "Convert them to numbers first, and drop or fill what is missing."


def as_marks(marks: ArrayLike) -> IntArray:
    """Return `marks` as a new one-dimensional int64 array."""
    refuse_disguised(marks, "marks", InvalidEventsError)
    array = np.asarray(marks)
    if array.size == 0:
        return np.empty(0, dtype=np.int64)
    if array.ndim != 1 or array.dtype.kind not in "iu":
        raise InvalidEventsError(
            f"marks must be a one-dimensional sequence of integers; got shape {array.shape} of "
            f"type {array.dtype}. For labels use Events.from_data(times, mark=labels, ...)."
        )
    return array.astype(np.int64)


def as_offsets(offsets: ArrayLike | None, n_events: int) -> IntArray:
    """Return the bounds of the realisations; None means one realisation."""
    if offsets is None:
        return np.array([0, n_events], dtype=np.int64)
    refuse_disguised(offsets, "offsets", InvalidEventsError)
    array = np.asarray(offsets)
    regular = array.ndim == 1 and array.size >= 2 and array.dtype.kind in "iu"
    if not regular or array[0] != 0 or array[-1] != n_events or (np.diff(array) < 0).any():
        raise InvalidEventsError(
            f"offsets must be non-decreasing integers from 0 to n_events = {n_events}, one more "
            f"than there are realisations (at least one); got {brief(offsets)}."
        )
    return array.astype(np.int64)


def as_names(names: Any) -> tuple[str, ...]:
    """Return labels of marks as text; refuse what holds none, or arrays in their place."""
    every = tuple(names) if hasattr(names, "__iter__") else None
    if every is None or any(np.ndim(name) for name in every):
        raise InvalidEventsError(
            f"mark_names must be one label per mark, as ['a', 'b']; got {brief(names)}."
        )
    return tuple(str(name) for name in every)


def name_marks(
    names: Iterable[object] | None, n_marks: int | None, marks: IntArray
) -> tuple[str, ...]:
    """Return the labels of the marks, numbered unless given."""
    if n_marks is not None:
        n_marks = check_count(n_marks, "n_marks")
    if names is None:
        size = n_marks if n_marks is not None else int(marks.max(initial=-1)) + 1
        if size < 1:
            raise InvalidEventsError(
                "there is no event to count the marks by; pass n_marks or mark_names."
            )
        return tuple(str(m) for m in range(size))
    labels = as_names(names)
    if not labels or len(set(labels)) != len(labels):
        raise InvalidEventsError(
            f"mark_names must be one or more distinct labels; got {brief(labels)}."
        )
    if n_marks is not None and len(labels) != n_marks:
        raise InvalidEventsError(
            f"got {len(labels)} mark_names for {n_marks} marks: {brief(labels)}."
        )
    return labels


def check_marks(marks: IntArray, n_marks: int, offsets: IntArray) -> None:
    """Refuse marks outside 0..n_marks - 1."""
    bad = np.flatnonzero((marks < 0) | (marks >= n_marks))
    if bad.size:
        r, k = locate(bad[0], offsets)
        raise InvalidEventsError(
            f"realization {r}: marks must lie in 0..{n_marks - 1}; marks[{k}]={marks[bad[0]]}."
        )


def check_windows(starts: FloatArray, ends: FloatArray, origins: Origins) -> None:
    """Refuse windows that do not end after they start."""
    bad = np.flatnonzero(~(ends > starts))
    if bad.size:
        r = int(bad[0])
        raise InvalidEventsError(
            f"realization {r}: the window must end after it starts; got start "
            f"{as_given(starts[r], r, origins)} and end {as_given(ends[r], r, origins)}."
        )


def check_times(
    times: FloatArray, offsets: IntArray, starts: FloatArray, ends: FloatArray, origins: Origins
) -> None:
    """Refuse times that are not finite, decrease, or leave their window."""
    for r in range(offsets.size - 1) if not np.isfinite(times).all() else ():
        check_finite(times[offsets[r] : offsets[r + 1]], f"realization {r}: ")
    check_order(times, offsets, lambda time, r: as_given(time, r, origins))
    check_inside(times, offsets, (starts, ends), lambda time, r: as_given(time, r, origins))


Shown: TypeAlias = Callable[[Any, int], str]


def check_order(times: np.ndarray, offsets: IntArray, shown: Shown) -> None:
    """Refuse times, of any type, that decrease within a realisation; `shown` writes one."""
    falls = times[1:] < times[:-1]
    edges = offsets[1:-1]
    falls[edges[(edges > 0) & (edges < times.size)] - 1] = False
    if falls.any():
        bad = int(np.argmax(falls)) + 1
        r, k = locate(bad, offsets)
        raise InvalidEventsError(
            f"realization {r}: times must not decrease; times[{k}]={shown(times[bad], r)} < times"
            f"[{k - 1}]={shown(times[bad - 1], r)}. Sort them (sort=True of a fit) or check the "
            "clock."
        )


def check_inside(
    times: np.ndarray,
    offsets: IntArray,
    window: tuple[np.ndarray, np.ndarray],
    shown: Shown,
    *,
    tick: int | None = None,
) -> None:
    """Refuse sorted times before the start or after the end of their window.

    With `tick` times are whole ticks, and windows whole numbers of which a tick has `tick`.
    """
    starts, ends = window
    full = np.flatnonzero(np.diff(offsets))
    first, last = times[offsets[full]], times[offsets[full + 1] - 1]
    if tick is not None:
        first, last = first.astype(object) * tick, last.astype(object) * tick
    early, late = first < starts[full], last > ends[full]
    if not (early | late).any():
        return
    where = int(np.argmax(early | late))
    r, k = int(full[where]), 0
    own = times[offsets[r] : offsets[r + 1]]
    if not early[where]:
        k = int(np.argmax(own > (ends[r] if tick is None else ends[r] // tick)))
    time = own[k] if tick is None else int(own[k]) * tick
    raise InvalidEventsError(
        f"realization {r}: times[{k}]={shown(time, r)} lies outside the window "
        f"[{shown(starts[r], r)}, {shown(ends[r], r)}]. Correct the window or drop the event."
    )


def as_given(time: float, r: int, origins: Origins) -> str:
    """Return a time of realisation r as the caller wrote it."""
    if origins is None:
        return f"{time}"
    return f"{origins[r] + int(time)}" if float(time).is_integer() else f"{origins[r]} + {time}"


def check_finite(times: FloatArray, where: str) -> None:
    """Refuse NaN and infinite times."""
    for k in np.flatnonzero(~np.isfinite(times))[:1]:
        raise InvalidEventsError(
            f"{where}times must be finite; times[{k}]={times[k]}. Remove it or repair the record."
        )


def locate(flat_index: int, offsets: IntArray) -> tuple[int, int]:
    """Return the realisation, and the index within it, of a flat index."""
    r = int(np.searchsorted(offsets, flat_index, side="right")) - 1
    return r, int(flat_index - offsets[r])


def count_marks(realizations: Sequence[Sequence[ArrayLike]], names: tuple[str, ...] | None) -> int:
    """Return the number of marks that all realisations agree on."""
    no_list = not is_sequence(realizations) or isinstance(realizations, Mapping)
    if no_list or len(realizations) == 0:
        raise InvalidEventsError(
            "expected at least one realisation, each a list with one sequence of times per mark; "
            f"got {brief(realizations)}."
        )
    n_marks = len(names) if names is not None else n_lists(0, realizations[0])
    for r, per_mark in enumerate(realizations):
        if n_lists(r, per_mark) != n_marks:
            raise InvalidEventsError(
                f"realization {r} has {len(per_mark)} sequences of times, expected {n_marks}, one "
                "per mark (an empty one for a mark without events)."
            )
    return n_marks


def n_lists(r: int, per_mark: Any) -> int:
    """Return how many sequences of times one realisation holds."""
    if not is_sequence(per_mark) or not all(is_sequence(times) for times in per_mark):
        raise InvalidEventsError(
            f"realization {r}: expected one sequence of times per mark; got {brief(per_mark)}."
        )
    return len(per_mark)


def as_columns(r: int, per_mark: Sequence[ArrayLike]) -> list[np.ndarray]:
    """Return the times of each mark of one realisation, checked, large integers as they came."""
    columns = [as_times(t, f"realization {r}, mark {m}: ") for m, t in enumerate(per_mark)]
    for m, column in enumerate(columns):
        if column.dtype.kind == "f":
            check_finite(column, f"realization {r}, mark {m}: ")
        for k in np.flatnonzero(column[1:] < column[:-1])[:1]:
            raise InvalidEventsError(
                f"realization {r}, mark {m}: times must not decrease; times[{k + 1}]="
                f"{column[k + 1]} < times[{k}]={column[k]}. Sort them or check the clock."
            )
    return columns


def merge_marks(columns: Sequence[FloatArray]) -> tuple[FloatArray, IntArray]:
    """Return the times and marks of one realisation in time order."""
    times = np.concatenate(columns) if columns else np.empty(0)
    marks = np.repeat(np.arange(len(columns)), [column.size for column in columns])
    order = np.argsort(times, kind="stable")
    return times[order], marks[order].astype(np.int64)


def freeze(*arrays: np.ndarray) -> None:
    """Make the arrays read-only."""
    for array in arrays:
        array.flags.writeable = False
