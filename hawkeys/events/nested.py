"""Reads lists of times per mark, and chooses the reader for data of any other form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike
from hawkeys.events._checks import as_names, count_marks, freeze, is_sequence, name_marks
from hawkeys.events._frames import by_label
from hawkeys.events._merging import merge_checked, merge_quickly
from hawkeys.events.building import Parts, Windows, from_numbers, number_windows
from hawkeys.events.columns import as_frame, as_table
from hawkeys.events.options import Reading
from hawkeys.events.reading import is_flat, read_flat, read_lists
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError

__all__ = ["parts_of", "parts_of_lists", "refuse_reading"]

_PARSE = (
    "; parse text first, by pandas.to_datetime(x), with format= unless it is as 2024-03-01 (of "
    "01.03.2024 it takes the month first)"
)

_OF_WITHIN = (
    "Write windows, history = events.within(...), and pass the windows, with history=history to "
    "hawkeys.fit and others that have it."
)


def refuse_reading(events: Any, how: Reading) -> None:
    """Refuse beside `Events` what could only say how something else is read; and no realisation."""
    if how.given or how.sort or any(bound is not None for bound in how.windows):
        told = ", ".join([*how.given, *(["end_time or start_time"] if any(
            bound is not None for bound in how.windows) else [])])  # fmt: skip
        raise InvalidParameterError(
            f"{told}: end_time and start_time belong to lists of times, as does all that says how "
            "data are read; Events carry their windows already. Leave it out, or build new Events."
        )
    if events.n_realizations == 0:
        raise InvalidEventsError(
            "the events have no realisation; what was picked from others with [...] was empty."
        )


def parts_of(data: Any, how: Reading) -> Parts:
    """Return the parts of events from anything but `Events`. Refuses what holds no times."""
    data = as_table(data)
    if isinstance(data, str | bytes) or not (is_sequence(data) or is_flat(data)):
        advice = " Call .collect() first." if hasattr(data, "collect") else ""
        advice = f" {_OF_WITHIN}" if hasattr(data, "outside") else advice
        raise InvalidEventsError(
            "expected Events, a list of D sequences of times, a list of such lists, a frame, a "
            f"mapping from mark to times, or one sequence of times; got {type(data).__name__}."
            f"{advice}"
        )
    return read_flat(data, how) if is_flat(data) else _of_lists(data, how)


def parts_of_lists(
    realizations: Sequence[Sequence[ArrayLike]], windows: Windows, names: Sequence[Any] | None
) -> Parts:
    """Return the parts of events from lists of numbers per realisation and mark.

    Raises `InvalidEventsError` if there is no mark.
    """
    known = None if names is None else as_names(names)
    n_marks = count_marks(realizations, known)
    if n_marks == 0:
        raise InvalidEventsError(
            "there is no mark: got an empty list, where [t1, t2, ...] has the times of each mark. "
            "One mark without events is [[]]."
        )
    starts, ends = number_windows(windows, len(realizations))
    exact = starts.dtype.kind == "O" or ends.dtype.kind == "O"
    merged = None if exact else merge_quickly(realizations, starts, ends)
    if merged is None or not (ends > starts).all():
        times, marks, offsets, origins = merge_checked(realizations, starts)
        labels = name_marks(known, n_marks, marks)
        return from_numbers(times, marks, offsets, (starts, ends), labels, origins=origins)
    freeze(*merged, starts, ends)
    return Parts(*merged, starts, ends, name_marks(known, n_marks, merged[1]))


def _of_lists(data: Any, how: Reading) -> Parts:
    """Read lists of times per mark, of one realisation or of many."""
    for name in ("time", "mark", "realization"):
        if getattr(how, name) is not None:
            raise InvalidParameterError(
                f"{name}= goes with a frame, or as labels beside one flat sequence of times; these "
                "data are lists of times per mark."
            )
    _refuse_rows(data)
    if how.windows.end is None:
        raise InvalidParameterError(
            "end_time is missing: the end of observation is data and is never guessed from the "
            "last event. Pass end_time=..., or Events."
        )
    nested = data if _is_nested(data) else [data]
    if nested is not data:
        for name, bound in zip(("start_time", "end_time"), how.windows, strict=True):
            _refuse_two_readings(len(data), bound, name)
    numbers = tuple(range(len(nested)))
    bounds = zip(("start_time", "end_time"), how.windows, strict=True)
    how = how._replace(windows=Windows(*(by_label(one, numbers, name) for name, one in bounds)))
    plain = how.unit is None and not how.sort and how.values is None
    if plain and not _are_dates(nested):
        return parts_of_lists(nested, how.windows, how.mark_names)
    count_marks(nested, None if how.mark_names is None else as_names(how.mark_names))
    if how.values is not None and nested is not data:
        how = how._replace(values=[how.values])
    return read_lists(nested, how)


def _are_dates(nested: Sequence[Sequence[Any]]) -> bool:
    """Tell whether the first of the times is a date or a duration, or no plain number."""
    for per_mark in nested:
        for times in per_mark:
            kind = getattr(getattr(times, "dtype", None), "kind", None)
            if kind in ("f", "i", "u"):
                return False
            if len(times):
                return not isinstance(next(iter(times)), int | float | np.number | str)
    return False


def _refuse_rows(data: Any) -> None:
    """Refuse what looks like one row per event, (time, mark), where each row would be a mark."""
    shape = getattr(data, "shape", None)
    if shape is not None and len(shape) == 2 and shape[0] > 2 and shape[1] <= 2:
        what = "pass x[:, 0] with mark=x[:, 1]" if shape[1] == 2 else "pass x.ravel()"
        raise InvalidEventsError(
            f"an array of shape {tuple(shape)} would be read as {shape[0]} marks with {shape[1]} "
            f"times each. If its rows are events, {what}; if not, pass list(x)."
        )
    if isinstance(data, list | tuple) and len(data) > 2 and all(
        isinstance(row, tuple) and len(row) == 2 for row in data
    ):  # fmt: skip
        raise InvalidEventsError(
            f"{len(data)} pairs would be read as as many marks with 2 times each. If they are "
            "(time, mark), write times, marks = zip(*pairs) and pass times with mark=marks; if "
            "not, pass lists."
        )
    for element in data:
        if hasattr(element, "offsets") and hasattr(element, "mark_names"):
            advice = "a list of Events: put them together by Events.joined(list) first."
            if any(hasattr(one, "outside") for one in data):
                advice = f"events and a history in one. {_OF_WITHIN}"
            raise InvalidEventsError(advice)
        if isinstance(element, Mapping) or as_frame(element) is not None:
            raise InvalidEventsError(
                f"a list of {type(element).__name__}: join them first, with a column that tells "
                "the realisations apart (pandas.concat), or read each by Events.from_data and put "
                "them together by Events.joined."
            )


def _refuse_two_readings(n_lists: int, bound: ArrayLike, name: str) -> None:
    """Refuse as many bounds as there are lists of times where one realisation has one."""
    if np.ndim(bound) == 1 and np.size(bound) == n_lists > 1:
        raise InvalidEventsError(
            f"{n_lists} sequences of times and {n_lists} values of {name}: a list [t1, t2, ...] is "
            f"one realisation with one mark per sequence, which has one {name}; for {n_lists} "
            "realisations of one mark put each into a list of its own, [[t1], [t2], ...]."
        )


def _is_nested(data: Any) -> bool:
    """Tell many realisations (three levels) from one (two levels)."""
    for element in data:
        if not is_sequence(element):
            raise InvalidEventsError(
                f"expected one sequence of times per mark; got {_short(element)} where a sequence "
                "should be. For a single mark pass its times alone"
                f"{_PARSE * isinstance(element, str)}."
            )
    deep = [_holds_sequences(element) for element in data]
    for element, holds in zip(data, deep, strict=True):
        if any(deep) and not holds and len(element):
            raise InvalidEventsError(
                f"some elements are lists of sequences, and one is {_short(element)}: it is not "
                "clear how many realisations there are. One realisation is [t1, t2, ...], many are "
                "[[t1, t2, ...], [t1, t2, ...]], each t a sequence of times."
            )
    return any(deep)


def _short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 60 else f"{text[:57]}..."


def _holds_sequences(element: Any) -> bool:
    """Look into a list item by item; an array of numbers or a Series tells by its dimensions."""
    if getattr(getattr(element, "dtype", None), "kind", "O") in "fiumM":
        return element.ndim > 1
    if hasattr(element, "time_support"):  # of pynapple, whose items are sequences of length 1
        return False
    return any(is_sequence(inner) for inner in element)
