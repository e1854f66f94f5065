"""Reads tables, flat arrays and lists of a caller as the parts of `Events`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from hawkeys._typing import FloatArray, IntArray
from hawkeys._validation import brief, brief_names
from hawkeys.events._checks import as_names, is_sequence, name_marks
from hawkeys.events._frames import add_silent_labels, by_label
from hawkeys.events.building import Parts, Windows, from_instants, from_numbers, number_windows
from hawkeys.events.clock import Clock, Instants, check_unit
from hawkeys.events.columns import (
    as_column,
    as_frame,
    labels_of,
    refuse_series_of_values,
    times_of,
)
from hawkeys.events.options import Reading
from hawkeys.events.tables import choose_columns, looks_like_columns
from hawkeys.events.values import (
    as_values,
    pick_values,
    take_values,
    values_beside,
    values_of_lists,
    values_of_mapping,
)
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError

__all__ = [
    "is_flat",
    "read_flat",
    "read_lists",
    "read_table",
]

# numbers of a unit beyond that many years are of another unit
_YEARS = 20_000
_YEAR = 31_556_952 * 10**9


class Flat(NamedTuple):
    """Events one after the other: times, labels by number, realisations by number."""

    times: np.ndarray | Instants
    marks: IntArray
    names: tuple[Any, ...]
    group: IntArray | None
    labels: tuple[Any, ...]
    values: FloatArray | None = None


def read_table(data: Any, how: Reading) -> Parts:
    """Return the parts of events from a table. Refuses all else."""
    frame = as_frame(data)
    if frame is None:
        lazy = " Call .collect() first." if hasattr(data, "collect") else ""
        raise InvalidEventsError(
            f"expected a frame of pandas, polars or pyarrow; got {type(data).__name__}.{lazy}"
        )
    return _finished(_of_frame(frame, how), how)


def read_flat(data: Any, how: Reading) -> Parts:
    """Return the parts of events from a table, a mapping, or one flat column of times."""
    frame = as_frame(data)
    if frame is not None:
        flat = _of_frame(frame, how)
    elif isinstance(data, Mapping):
        flat = _of_mapping(data, how)
    else:
        flat = _of_column(data, how)
    return _finished(flat, how)


def read_lists(realizations: Sequence[Sequence[Any]], how: Reading) -> Parts:
    """Return the parts of events from lists of times per mark of each realisation."""
    columns = [
        [times_of(times, f"realization {r}, mark {m}: ") for m, times in enumerate(per_mark)]
        for r, per_mark in enumerate(realizations)
    ]
    n_marks = len(columns[0])
    sizes = np.array([[_size(column) for column in part] for part in columns], dtype=np.int64)
    if not how.sort:
        _refuse_unsorted(columns)
    names = how.mark_names if how.mark_names is not None else range(n_marks)
    marks = np.concatenate([np.repeat(np.arange(n_marks), row) for row in sizes])
    group = np.repeat(np.arange(len(columns)), sizes.sum(axis=1))
    times = _joined([column for part in columns for column in part])
    values = None if how.values is None else values_of_lists(how.values, sizes)
    flat = Flat(times, marks, tuple(names), group, tuple(range(len(columns))), values)
    return _finished(flat, how._replace(sort=True, mark_names=None))


def _size(column: np.ndarray | Instants) -> int:
    return (column.ticks if isinstance(column, Instants) else column).size


def _joined(columns: Sequence[np.ndarray | Instants]) -> np.ndarray | Instants:
    """Return columns of one kind as one, exact; refuse numbers beside dates."""
    full = [column for column in columns if _size(column)] or list(columns[:1])
    dated = [column for column in full if isinstance(column, Instants)]
    if not dated:
        return np.concatenate([np.asarray(column) for column in full])
    kinds = {(one.is_date, one.zone is None) for one in dated}
    if len(dated) < len(full) or len(kinds) > 1:
        raise InvalidEventsError(
            "some times are dates and others are numbers, durations or dates without a time zone. "
            "Pass all of them in one form."
        )
    tick = min(one.tick for one in dated)
    if any(one.tick % tick for one in dated):
        tick = 1
    parts = []
    for one in dated:
        low, high = int(one.ticks.min()), int(one.ticks.max())
        if max(abs(low), abs(high)) * (one.tick // tick) >= 2**63:
            raise InvalidEventsError(
                "the dates have different resolutions and lie too far from 1970 for the finest of "
                "them. Convert all to one, as by x.astype('datetime64[us]')."
            )
        parts.append(one.ticks * (one.tick // tick))
    return Instants(np.concatenate(parts), tick, dated[0].is_date, dated[0].zone)


def _refuse_unsorted(columns: Sequence[Sequence[np.ndarray | Instants]]) -> None:
    for r, part in enumerate(columns):
        for m, column in enumerate(part):
            values = column.ticks if isinstance(column, Instants) else column
            falls = np.flatnonzero(values[1:] < values[:-1])
            if falls.size:
                k = int(falls[0]) + 1
                old, new = (
                    column.shown(int(values[i])) if isinstance(column, Instants) else values[i]
                    for i in (k - 1, k)
                )
                raise InvalidEventsError(
                    f"realization {r}, mark {m}: times must not decrease; times[{k}]={new} < times"
                    f"[{k - 1}]={old}. Sort them (sort=True) or check the clock."
                )


def _of_frame(frame: Any, how: Reading) -> Flat:
    """Read a table, by the names of its columns or by the rules of `tables`."""
    for name in ("time", "mark", "realization"):
        value = getattr(how, name)
        if value is not None and is_sequence(value):
            raise InvalidParameterError(
                f"{name} must be the name of a column of the frame; got {type(value).__name__}."
            )
    values = None
    if how.values is not None:
        frame, values = take_values(frame, how.values)
    time, mark, realization = choose_columns(frame, how.time, how.mark, how.realization)
    where = f"column {time.name!r}: " if hasattr(time, "implementation") else "the index: "
    return _flat(time, mark, realization, where)._replace(values=values)


def _flat(time: Any, mark: Any, realization: Any, where: str = "") -> Flat:
    """Read one column of times, and the columns of labels beside it."""
    native = time.to_native() if hasattr(time, "to_native") else time
    times = times_of(native, where)
    size = _size(times)
    marks, names = np.zeros(size, dtype=np.int64), ("0",)
    group, labels = None, (0,)
    if mark is not None:
        marks, names = labels_of(_native(mark), _named(mark, "mark"))
    if realization is not None:
        group, labels = labels_of(_native(realization), _named(realization, "realization"))
    for name, codes in (("mark", marks), ("realization", group)):
        if codes is not None and codes.size != size:
            raise InvalidEventsError(
                f"{name} must have one label per event; got {codes.size} labels for {size} times."
            )
    return Flat(times, marks, names, group, labels)


def _native(column: Any) -> Any:
    return column.to_native() if hasattr(column, "to_native") else column


def _named(column: Any, name: str) -> str:
    """Return the name of a column with a space behind it, for messages."""
    own = getattr(column, "name", None)
    return f"{name} " if own in (None, "") else f"column {own!r} "


def _of_mapping(data: Mapping[Any, Any], how: Reading) -> Flat:
    """Read a mapping from mark to its times."""
    if how.time is not None or looks_like_columns(data):
        raise InvalidEventsError(
            f"the keys {brief_names(data)} look like columns, but a mapping is "
            "read as mark -> times. Pass pandas.DataFrame(data)."
        )
    if how.mark is not None or how.realization is not None:
        raise InvalidParameterError(
            "mark= and realization= belong to flat times or a frame; a mapping has its marks as "
            "keys, and is one realisation."
        )
    for key, times in data.items():
        if as_frame(times) is not None or hasattr(times, "offsets"):
            raise InvalidEventsError(
                f"a mapping goes from mark to times; got {type(times).__name__} under {key!r}. If "
                "the keys tell realisations apart, write pandas.concat(data, names=['realization'])"
                ".reset_index() with realization='realization', or Events.joined."
            )
    lone = [key for key, times in data.items() if not is_sequence(times)]
    if lone or not data:
        raise InvalidEventsError(
            "a mapping must hold a sequence of times for each mark; got "
            f"{f'{data[lone[0]]!r} under {lone[0]!r}' if lone else 'an empty one'}."
        )
    columns = [times_of(times, f"mark {key!r}: ") for key, times in data.items()]
    if not how.sort:
        _refuse_unsorted([columns])
    sizes = [_size(column) for column in columns]
    marks = np.repeat(np.arange(len(columns)), sizes)
    times = _joined(columns)
    order = np.argsort(times.ticks if isinstance(times, Instants) else times, kind="stable")
    values = None
    if how.values is not None:
        values = values_of_mapping(how.values, tuple(data), sizes)[order]
    return Flat(_picked(times, order), marks[order], tuple(data), None, (0,), values)


def _of_column(data: Any, how: Reading) -> Flat:
    """Read one flat column of times, with labels beside it if there are."""
    if how.time is not None:
        raise InvalidParameterError(
            f"time={brief(how.time)} names a column, but the data are no frame: "
            f"{type(data).__name__}. Leave it out."
        )
    for name, value in (("mark", how.mark), ("realization", how.realization)):
        if value is not None and (isinstance(value, str) or not is_sequence(value)):
            raise InvalidParameterError(
                f"{name} must be one label per event beside flat times; got {brief(value)}. "
                "The name of a column goes with a frame."
            )
    refuse_series_of_values(data)
    flat = _flat(data, how.mark, how.realization)
    values = None if how.values is None else values_beside(how.values, flat.marks.size)
    return flat._replace(values=values)


def _picked(times: np.ndarray | Instants, order: np.ndarray) -> np.ndarray | Instants:
    return times._replace(ticks=times.ticks[order]) if isinstance(times, Instants) else times[order]


def _finished(flat: Flat, how: Reading) -> Parts:
    """Order by realisation (and time), put windows beside, and check all."""
    if how.windows.end is None:
        raise InvalidParameterError(
            "end_time is missing: the end of observation is data and is never guessed from the "
            "last event. Pass end_time=..., or Events."
        )
    marks, names = _with_names(flat, how)
    times, group, labels, values = flat.times, flat.group, flat.labels, flat.values
    if group is not None:
        group, labels = add_silent_labels(group, labels, how.windows.end)
    windows = Windows(
        by_label(how.windows.start, labels, "start_times"),
        by_label(how.windows.end, labels, "end_times"),
    )
    order = _order(times, group, sort=how.sort)
    if order is not None:
        times, marks = _picked(times, order), marks[order]
        values = pick_values(values, order)
    sizes = [marks.size] if group is None else np.bincount(group, minlength=len(labels))
    offsets = np.concatenate(([0], np.cumsum(sizes, dtype=np.int64)))
    names = name_marks(names, None, marks)
    if isinstance(times, Instants):
        parts = from_instants(times, marks, offsets, windows, names, unit=how.unit)
    else:
        clock = None if how.unit is None else _clock_of_numbers(times, how.unit)
        bounds = number_windows(windows, len(labels))
        parts = from_numbers(times, marks, offsets, bounds, names, clock=clock)
    labelled = None if group is None else labels
    return parts._replace(values=as_values(values, offsets), labels=labelled)


def _order(times: np.ndarray | Instants, group: IntArray | None, *, sort: bool) -> Any:
    """Return the order by realisation, and within it by time if asked; None if it is as it is."""
    values = times.ticks if isinstance(times, Instants) else times
    if sort and (values[1:] < values[:-1]).any():
        order = np.argsort(values, kind="stable")
        return order if group is None else order[np.argsort(group[order], kind="stable")]
    if group is None or not (group[1:] < group[:-1]).any():
        return None
    return np.argsort(group, kind="stable")


def _with_names(flat: Flat, how: Reading) -> tuple[IntArray, tuple[Any, ...]]:
    """Return marks and their names, in the order asked for if there is one."""
    if how.mark_names is None:
        if not flat.names:
            raise InvalidEventsError(
                "there are no rows, so that nothing tells the marks. For windows without events "
                "pass mark_names=['a', ...]."
            )
        return flat.marks, flat.names
    wanted = as_names(how.mark_names)
    place = {name: k for k, name in enumerate(wanted)}
    alone = flat.names == ("0",) and len(wanted) == 1
    unknown = [name for name in flat.names if str(name) not in place]
    if unknown and not alone:
        raise InvalidEventsError(
            f"the data have the mark {brief(str(unknown[0]))}, which is none of "
            f"{brief_names(wanted)}. Drop its events, or name it among the marks."
        )
    if alone:
        return flat.marks, wanted
    moved = np.array([place[str(name)] for name in flat.names], dtype=np.int64)
    return moved[flat.marks] if flat.marks.size else flat.marks, wanted


def _clock_of_numbers(times: np.ndarray, unit: str) -> Clock:
    """Return the clock of numbers that are counted in `unit`; refuse what cannot be."""
    clock = Clock(check_unit(unit))
    largest = float(np.abs(times.astype(np.float64)).max(initial=0.0)) if times.size else 0.0
    if largest * clock.length > _YEARS * _YEAR:
        raise InvalidEventsError(
            f"times as large as {largest:.3g} would be {largest * clock.length / _YEAR:.2g} years "
            f"in the unit {clock.unit!r}. If they count nanoseconds since 1970, pass dates, "
            "x.astype('datetime64[ns]'), which unit= converts; numbers are taken as they are."
        )
    return clock


def is_flat(data: Any) -> bool:
    """Tell one column of numbers or dates (or a table or mapping) from lists of columns."""
    if isinstance(data, Mapping) or as_frame(data) is not None or as_column(data) is not None:
        return True
    if hasattr(data, "time_support") and not isinstance(data, list | tuple):
        return True
    if hasattr(data, "dtype") and hasattr(data, "ndim"):
        return int(data.ndim) == 1 and not any(map(is_sequence, data.tolist()[:1]))
    if not is_sequence(data):
        return False
    return bool(len(data)) and not any(is_sequence(x) or isinstance(x, str) for x in data)
