"""Times in any unit as seconds: numbers, ticks, ISO texts, dates of a frame.

Times since 1970 or since the year 1 are too large for a double to hold microseconds of them well.
From 1e9 s on a whole number of seconds is subtracted first, exactly, and kept as the origin.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from hawkeys._typing import BoolArray, FloatArray

__all__ = ["LATEST", "PER_SECOND", "TIME_UNITS", "SeenTimes", "read_times"]

# number of the unit in a second; the two last are dates and need none
PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9, "100ns": 10**7}
TIME_UNITS = (*PER_SECOND, "iso")
# Far above any clock in seconds: a time in milliseconds since 1970, read as seconds, is 1.7e12.
LATEST = 1e11
# A double this large holds no tenth of a microsecond.
_FAR = 1e9
_LARGEST_WHOLE = 2**53
_LONGEST_NUMBER = 100
_DIGITS = frozenset("0123456789+-.eE ")
_ISO = re.compile(r"\s*\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}")


class SeenTimes(NamedTuple):
    """Seconds since `origin`, one array per column; NaN where a cell holds no finite number.

    `late` marks numbers that are no times of any clock in this unit (beyond `LATEST` seconds).
    """

    seconds: list[FloatArray]
    origin: float
    late: list[BoolArray]


def read_times(columns: Sequence[Any], unit: str | None) -> SeenTimes:
    """Return columns of cells (lists or arrays) as seconds since one origin.

    `unit` None means seconds, or dates if the first cell is one.
    """
    if unit in (None, "iso") and all(_is_dated(cells, unit) for cells in columns):
        return _of_dates([_nanoseconds(cells) for cells in columns])
    per_second = PER_SECOND[unit or "s"]
    values = [_floats(cells) for cells in columns]
    late = [np.abs(one) > LATEST * per_second for one in values]
    first = next((float(one[np.isfinite(one)][0]) for one in values if np.isfinite(one).any()), 0.0)
    if max((_largest(one) for one in values), default=0.0) > _LARGEST_WHOLE:
        whole = [_whole(cells) for cells in columns]
        if all(one is not None for one in whole):
            exact = [one for one in whole if one is not None]
            return SeenTimes(*_of_whole(exact, per_second), late)
    if abs(first) < _FAR * per_second:
        return SeenTimes([one / per_second for one in values], 0.0, late)
    origin = math.floor(first / per_second)
    seconds = [(one - float(origin) * per_second) / per_second for one in values]
    if any((one[np.isfinite(one)] % 1 != 0).any() for one in values):
        # the doubles of the source end here, with less than half a microsecond of noise
        seconds = [np.round(one, 6) for one in seconds]
    return SeenTimes(seconds, float(origin), late)


def _of_whole(columns: list[list[int | None]], per_second: int) -> tuple[list[FloatArray], float]:
    """Return whole numbers beyond doubles, subtracted from each other before they become such."""
    first = next((cell for column in columns for cell in column if cell is not None), 0)
    origin = first // per_second
    start = origin * per_second
    seconds = [
        np.array([math.nan if one is None else one - start for one in column]) / per_second
        for column in columns
    ]
    return seconds, float(origin)


def _of_dates(columns: list[np.ndarray]) -> SeenTimes:
    """Return nanoseconds since 1970 (int64, the least number for none) as seconds."""
    none = np.iinfo(np.int64).min
    known = [column[column != none] for column in columns]
    first = next((int(column[0]) for column in known if column.size), 0)
    start = first // 10**9 * 10**9
    seconds = [np.where(column == none, np.nan, (column - start) / 1e9) for column in columns]
    late = [np.zeros(one.size, dtype=bool) for one in seconds]
    return SeenTimes(seconds, start / 1e9, late)


def _is_dated(cells: Any, unit: str | None) -> bool:
    """Tell whether a column holds dates: by its type, or by its first cell that is not empty."""
    if unit == "iso":
        return True
    if isinstance(cells, np.ndarray):
        return cells.dtype.kind == "M"
    first = next((cell for cell in cells[:100] if cell not in ("", None)), None)
    if isinstance(first, str):
        return _ISO.match(first) is not None
    return isinstance(first, pd.Timestamp | np.datetime64)


def _nanoseconds(cells: Any) -> np.ndarray:
    """Return dates as nanoseconds since 1970; those without a zone count as UTC."""
    if isinstance(cells, np.ndarray) and cells.dtype.kind == "M":
        return cells.astype("datetime64[ns]").astype(np.int64)
    texts = [cell if isinstance(cell, str | pd.Timestamp) else None for cell in cells]
    dates = pd.to_datetime(
        pd.Series(texts, dtype=object), errors="coerce", utc=True, format="ISO8601"
    )
    return dates.dt.tz_localize(None).to_numpy("datetime64[ns]").astype(np.int64)


def _floats(cells: Any) -> FloatArray:
    """Return cells as doubles, NaN for all that is not written as a finite number."""
    if isinstance(cells, np.ndarray) and cells.dtype.kind == "f":
        values = cells.astype(np.float64)
    else:
        values = _floats_of_list(list(cells))
    values[~np.isfinite(values)] = math.nan
    return values


def _floats_of_list(cells: list[Any]) -> FloatArray:
    if set(map(type, cells)) == {str}:
        text = "".join(cells)
        if _DIGITS.issuperset(text):
            try:
                return np.fromiter(map(float, cells), np.float64, len(cells))
            except ValueError:
                pass
    return np.fromiter(map(_number, cells), np.float64, len(cells))


def _number(cell: Any) -> float:
    """Return the number in a cell, or NaN."""
    if isinstance(cell, str):
        if len(cell) > _LONGEST_NUMBER or not _DIGITS.issuperset(cell):
            return math.nan
    elif isinstance(cell, bool) or not isinstance(cell, int | float | np.integer | np.floating):
        return math.nan
    try:
        return float(cell)
    except (ValueError, OverflowError):
        return math.nan


def _whole(cells: Any) -> list[int | None] | None:
    """Return cells as whole numbers (None for what is no number); None if one has a fraction."""
    whole: list[int | None] = []
    for cell in cells:
        if isinstance(cell, int | np.integer) and not isinstance(cell, bool):
            whole.append(int(cell))
            continue
        text = cell.strip().lstrip("+") if isinstance(cell, str) else ""
        if re.fullmatch(r"-?[0-9]{1,30}", text):
            whole.append(int(text))
        elif math.isfinite(_number(cell)):
            return None
        else:
            whole.append(None)
    return whole


def _largest(values: FloatArray) -> float:
    return float(np.max(np.abs(values), where=np.isfinite(values), initial=0.0))
