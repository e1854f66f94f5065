"""Cells of a table of key events as numbers and labels, refusing everything else."""

from __future__ import annotations

import math
import re
from typing import Any

import numpy as np

from hawkeys._typing import BoolArray, FloatArray
from hawkeys.datasets._columns import plain
from hawkeys.datasets._event_rows import EventRows
from hawkeys.datasets._tables import BrokenFileError

__all__ = ["downs_of", "labels_of", "numbered", "times_of"]

# Far above any clock in seconds: a time in milliseconds since 1970, read as seconds, is 1.7e12.
_LATEST = 1e11
# Fixed-width text arrays take 4 bytes per character and row, so that one huge cell costs them all.
_LONGEST_LABEL = 100
_LONGEST_NUMBER = 100
_NOT_TEXT = re.compile("[\0\ud800-\udfff]")
_DIGITS = frozenset("0123456789+-.eE ")
_DOWN, _UP = {"down", "press", "keydown"}, {"up", "release", "keyup"}


def times_of(rows: EventRows, part: str, unit: float) -> FloatArray:
    """Return a column as finite seconds; `unit` is the number of its units in a second."""
    cells = rows.cells[part]
    seconds = np.array([_number(cell) for cell in cells], dtype=np.float64) / unit
    for row in np.flatnonzero(~np.isfinite(seconds))[:1]:
        raise BrokenFileError(
            f"{rows.place(row, part)}: expected a finite number, got {_shown(cells[row])}; "
            "correct or remove the row."
        )
    for row in np.flatnonzero(np.abs(seconds) > _LATEST)[:1]:
        raise BrokenFileError(
            f"{rows.place(row, part)}: {seconds[row]:g} s is not a time (more than {_LATEST:g} s); "
            "check time_unit."
        )
    return seconds


def labels_of(rows: EventRows, part: str) -> np.ndarray:
    """Return a column as labels: text as it stands, whole numbers as their digits.

    Blanks around it do not count, except for keys.
    """
    cells = rows.cells[part]
    if part != "key":  # a blank may be the name of a key
        cells = [cell.strip() if isinstance(cell, str) else cell for cell in cells]
    labels = [_label(cell) for cell in cells]
    for row, label in enumerate(labels):
        if label is None:
            raise BrokenFileError(
                f"{rows.place(row, part)}: expected text of 1 to {_LONGEST_LABEL} characters or a "
                f"whole number, got {_shown(cells[row])}; correct or remove the row."
            )
    return np.array(labels, dtype=np.str_)


def downs_of(rows: EventRows) -> BoolArray:
    """Return the column of event types as True for a press."""
    kinds = [plain(cell) if isinstance(cell, str) else "" for cell in rows.cells["type"]]
    for row, kind in enumerate(kinds):
        if kind not in _DOWN and kind not in _UP:
            raise BrokenFileError(
                f"{rows.place(row, 'type')}: expected one of {', '.join(sorted(_DOWN | _UP))}, got "
                f"{_shown(rows.cells['type'][row])}; correct or remove the row."
            )
    return np.array([kind in _DOWN for kind in kinds])


def numbered(labels: np.ndarray) -> np.ndarray:
    """Return labels as int64 if each is a whole number written without leading zeros."""
    names = set(labels.tolist())
    whole = all(re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", name) and name != "-0" for name in names)
    return labels.astype(np.int64) if whole else labels


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


def _label(cell: Any) -> str | None:
    """Return a cell as a label, or None."""
    if isinstance(cell, float) and cell.is_integer() and abs(cell) < 2**53:
        cell = int(cell)
    if isinstance(cell, int | np.integer) and not isinstance(cell, bool):
        return str(int(cell)) if abs(int(cell)) < 10**18 else None
    if not isinstance(cell, str) or not 0 < len(cell) <= _LONGEST_LABEL:
        return None
    return None if _NOT_TEXT.search(cell) else str(cell)


def _shown(cell: Any) -> str:
    """Put a cell into a few words; the repr of a foreign object may be anything."""
    if isinstance(cell, str):
        return repr(cell[:40]) if cell.strip() else f"an empty cell ({cell[:40]!r})"
    if isinstance(cell, float) or cell is None:
        return repr(cell)
    if isinstance(cell, int) and abs(cell) < 10**18:
        return repr(cell)
    return f"a value of type {type(cell).__name__}"
