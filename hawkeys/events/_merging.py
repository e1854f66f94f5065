"""Lists of times per mark merged into one sequence, as `Events.from_lists` needs it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hawkeys._jit.merging import are_regular, merge_realizations
from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys.events._checks import merge_marks

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
    realizations: Sequence[Sequence[ArrayLike]],
) -> tuple[FloatArray, IntArray, IntArray]:
    """Return times, marks and offsets; an error names what is wrong with which list."""
    merged = [merge_marks(r, per_mark) for r, per_mark in enumerate(realizations)]
    sizes = [times.size for times, _ in merged]
    return (
        np.concatenate([times for times, _ in merged]),
        np.concatenate([marks for _, marks in merged]),
        np.concatenate(([0], np.cumsum(sizes, dtype=np.int64))),
    )
