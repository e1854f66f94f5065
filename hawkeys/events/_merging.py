"""Lists of times per mark merged into one sequence, as `Events.from_lists` needs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hawkeys._loops.layout import are_regular, merge_realizations
from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys.events._checks import Origins, as_columns, merge_marks
from hawkeys.events._exact import find_origins, shift_column

__all__ = ["merge_checked", "merge_quickly"]

_FLOAT = np.dtype(np.float64)


def merge_quickly(
    realizations: Sequence[Sequence[ArrayLike]], starts: FloatArray, ends: FloatArray
) -> tuple[FloatArray, IntArray, IntArray] | None:
    """Return times, marks and offsets in one compiled pass; None if `merge_checked` is needed.

    That is so for anything but float64 arrays that increase and stay in their windows, and for
    times that bunch very unevenly.
    """
    columns: list[Any] = [column for per_mark in realizations for column in per_mark]
    if not all(type(c) is np.ndarray and c.dtype == _FLOAT and c.ndim == 1 for c in columns):
        return None
    n_marks = len(columns) // len(realizations)
    flat = np.concatenate(columns)
    ends_of_columns = np.cumsum([0, *(column.size for column in columns)], dtype=np.int64)
    windows = np.stack((starts, ends))
    if n_marks == 1:
        if not are_regular(flat, ends_of_columns, windows):
            return None
        return flat, np.zeros(flat.size, dtype=np.int64), ends_of_columns
    first = n_marks * np.arange(len(realizations))
    bounds = ends_of_columns[first[:, None] + np.arange(n_marks + 1)]
    times, marks = np.empty(flat.size), np.empty(flat.size, dtype=np.int64)
    if not merge_realizations(flat, bounds, windows, times, marks):
        return None
    return times, marks, np.append(bounds[:, 0], flat.size)


def merge_checked(
    realizations: Sequence[Sequence[ArrayLike]], starts: np.ndarray
) -> tuple[FloatArray, IntArray, IntArray, Origins]:
    """Return times, marks, offsets and origins; an error names what is wrong with which list."""
    columns = [as_columns(r, per_mark) for r, per_mark in enumerate(realizations)]
    origins = find_origins([column for part in columns for column in part], starts)
    if origins is not None:
        columns = [
            [shift_column(r, column, origin) for column in part]
            for r, (part, origin) in enumerate(zip(columns, origins, strict=True))
        ]
    merged = [merge_marks(part) for part in columns]
    sizes = [times.size for times, _ in merged]
    return (
        np.concatenate([times for times, _ in merged]),
        np.concatenate([marks for _, marks in merged]),
        np.concatenate(([0], np.cumsum(sizes, dtype=np.int64))),
        origins,
    )
