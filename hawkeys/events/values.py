"""Values of events: a number for each, such as a magnitude or the size of a trade."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hawkeys._typing import FloatArray, IntArray
from hawkeys._validation import brief, brief_names, refuse_disguised
from hawkeys.events._checks import freeze, is_sequence, locate
from hawkeys.exceptions import InvalidEventsError

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw

    from hawkeys.events.showing import Shown

__all__ = [
    "as_values",
    "pick_values",
    "range_of",
    "take_values",
    "values_beside",
    "values_of_all",
    "values_of_lists",
    "values_of_mapping",
]


def as_values(values: Any, offsets: IntArray) -> FloatArray | None:
    """Return values in the order of the events, checked and read-only, (n_events,); None of None.

    `offsets` (n_realizations + 1,) tell where each realisation starts. Refuses what is not one
    finite number per event.
    """
    if values is None:
        return None
    array = values_beside(values, int(offsets[-1]))
    for k in np.flatnonzero(~np.isfinite(array))[:1]:
        r, within = locate(int(k), offsets)
        raise InvalidEventsError(
            f"realization {r}: values must be finite; values[{within}]={array[k]}. Drop the event, "
            "or fill in what is missing."
        )
    freeze(array)
    return array


def values_beside(values: Any, n_events: int, where: str = "") -> FloatArray:
    """Return a column of numbers as doubles, one for each of so many events, (n_events,).

    Refuses all else; `where` names the column, with a space behind it if there is something.
    """
    if isinstance(values, str) or not is_sequence(values):
        raise InvalidEventsError(
            f"{where}values must be one number per event; got {brief(values)}. The name of a "
            "column goes with a frame."
        )
    refuse_disguised(values, f"{where}values", InvalidEventsError)
    native = values.to_numpy() if hasattr(values, "to_numpy") else values
    array = np.asarray(native)
    if array.dtype.kind == "O":
        array = _of_objects(array, where)
    if array.size == 0 and array.ndim == 1:
        array = array.astype(np.float64)
    if array.ndim != 1 or array.dtype.kind not in "fiu":
        raise InvalidEventsError(
            f"{where}values must be a one-dimensional sequence of numbers; got shape {array.shape} "
            f"of type {array.dtype}. Convert them to numbers first."
        )
    if array.size != n_events:
        raise InvalidEventsError(
            f"{where}values must be one number per event; got {array.size} values for {n_events} "
            "events."
        )
    return array.astype(np.float64)


def _of_objects(array: np.ndarray, where: str) -> FloatArray:
    """Return numbers among which some are missing, these as NaN."""
    try:
        return np.array([np.nan if x is None else x for x in array.tolist()], dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidEventsError(
            f"{where}values must be numbers; got {brief(array.tolist())} ({error}). Convert them "
            "to numbers first."
        ) from error


def take_values(frame: nw.DataFrame[Any], name: Any) -> tuple[nw.DataFrame[Any], FloatArray]:
    """Return a table without the column of values, and that column. Refuses an unknown name."""
    if not isinstance(name, str) or name not in frame.columns:
        raise InvalidEventsError(
            f"values must be the name of a column of the frame, {brief_names(frame.columns)}; got "
            f"{brief(name)}."
        )
    column = frame[name]
    return frame.drop(name), values_beside(column.to_numpy(), len(column), f"column {name!r}: ")


def values_of_mapping(values: Any, keys: Sequence[Any], sizes: Sequence[int]) -> FloatArray:
    """Return the values of a mapping, mark after mark. Refuses other marks than the times have."""
    if not isinstance(values, Mapping) or set(values) != set(keys):
        raise InvalidEventsError(
            "values must be a mapping with the same marks as the times, each with one number per "
            f"time; got {brief(values)}."
        )
    parts = [
        values_beside(values[key], size, f"mark {key!r}: ")
        for key, size in zip(keys, sizes, strict=True)
    ]
    return np.concatenate(parts)


def values_of_lists(values: Any, sizes: IntArray) -> FloatArray:
    """Return the values of lists per realisation and mark, one after the other.

    `sizes` (n_realizations, n_marks) are the numbers of times. Refuses other lengths.
    """
    same = is_sequence(values) and len(values) == len(sizes)
    if not same or not all(is_sequence(part) and len(part) == sizes.shape[1] for part in values):
        raise InvalidEventsError(
            "values must be lists of the same lengths as the times, one number per time; got "
            f"{brief(values)} for {len(sizes)} realisations of {sizes.shape[1]} marks."
        )
    parts = [
        values_beside(values[r][m], int(size), f"realization {r}, mark {m}: ")
        for r, row in enumerate(sizes)
        for m, size in enumerate(row)
    ]
    return np.concatenate(parts)


def values_of_all(parts: Sequence[Shown]) -> FloatArray | None:
    """Return the values of several events one after the other. Refuses some without any."""
    found = [part.values for part in parts if part.values is not None]
    if not found:
        return None
    if len(found) < len(parts):
        lacks = next(k for k, part in enumerate(parts) if part.values is None)
        has = next(k for k, part in enumerate(parts) if part.values is not None)
        raise InvalidEventsError(
            f"part {lacks} has no values, part {has} has. Read all of them with values=, or none."
        )
    return np.concatenate(found)


def pick_values(values: FloatArray | None, rows: Any) -> FloatArray | None:
    """Return the values of some events; None of None."""
    return None if values is None else values[rows]


def range_of(values: FloatArray) -> str:
    """Return the least and the largest value in words."""
    return f"{values.min():.4g}..{values.max():.4g}" if values.size else "none"
