"""Cells of a table of key events as numbers and labels; broken ones are struck, never guessed."""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.datasets._tables.faults import Faults
from hawkeys.datasets._tables.times import LATEST, read_times
from hawkeys.datasets.key_events._rows import EventRows
from hawkeys.events.tables import plain

__all__ = ["Labels", "downs_of", "flags_of", "labels_of", "numbered", "times_of"]

# Fixed-width text arrays take 4 bytes per character and row, so that one huge cell costs them all.
_LONGEST_LABEL = 100
_NOT_TEXT = re.compile("[\0\ud800-\udfff]")
_HELD = "hold"
_DOWN = {"down", "press", "pressed", "keydown", "wmkeydown", "wmsyskeydown", _HELD}
_UP = {"up", "release", "released", "keyup", "wmkeyup", "wmsyskeyup"}
_SHOWN_TYPES = "down, keydown, keyup, press, pressed, release, released, up"


class Labels(NamedTuple):
    """A column of labels: the different ones as text, and the number of each row's."""

    names: np.ndarray
    codes: IntArray

    def numbers(self, codes: IntArray) -> np.ndarray:
        """Return labels by number as int64 if each is a whole number, else as text."""
        used = np.zeros(self.names.size, dtype=bool)
        used[codes] = True
        kept = numbered(self.names[used])
        return kept[codes if used.all() else (np.cumsum(used) - 1)[codes]]


def times_of(
    rows: EventRows, parts: tuple[str, ...], unit: str | None, faults: Faults, alive: BoolArray
) -> tuple[list[FloatArray], float]:
    """Return columns as seconds since one origin, and that; strikes cells that are no times."""
    seen = read_times([rows.cells[part] for part in parts], unit)
    for part, seconds, late in zip(parts, seen.seconds, seen.late, strict=True):
        bad = alive & ~np.isfinite(seconds)
        faults.strike_rows(
            f"no time in {part}",
            bad,
            lambda row, part=part: (  # type: ignore[misc]
                f"{rows.place(row, part)}: expected a finite number, got "
                f"{_shown(rows.cells[part][row])}"
            ),
        )
        alive &= ~bad
        faults.strike_rows(
            f"no time in {part}",
            alive & late,
            lambda row, part=part, seconds=seconds: (  # type: ignore[misc]
                f"{rows.place(row, part)}: {seconds[row] + seen.origin:g} s is not a time (more "
                f"than {LATEST:g} s); check time_unit"
            ),
        )
        alive &= ~late
    return seen.seconds, seen.origin


def labels_of(rows: EventRows, part: str, faults: Faults, alive: BoolArray) -> Labels:
    """Return a column as labels: text as it stands, whole numbers as their digits.

    Blanks around it do not count; the key of a blank alone is a blank.
    """
    cells = rows.cells[part]
    different, codes = _different(cells)
    labels = [_label(_tidy(cell, part, rows.comma_blank)) for cell in different]
    if part == "code":  # not every key has one
        labels = [label or "" for label in labels]
    bad_names = np.array([label is None for label in labels], dtype=bool)
    if bad_names.any():
        bad = alive & bad_names[codes]
        faults.strike_rows(
            f"no label in {part}",
            bad,
            lambda row: (
                f"{rows.place(row, part)}: expected text of 1 to {_LONGEST_LABEL} characters or a "
                f"whole number, got {_shown(cells[row])}"
            ),
        )
        alive &= ~bad
    names = np.array([label or "" for label in labels], dtype=np.str_)
    merged = pd.factorize(names.astype(object))
    return Labels(merged[1].astype(np.str_), merged[0][codes].astype(np.int64))


def _different(cells: Any) -> tuple[list[Any], IntArray]:
    """Return the different cells, and the number of each row's."""
    if isinstance(cells, pd.Categorical):
        return cells.categories.tolist(), cells.codes.astype(np.int64)
    cells = list(cells)
    # before pandas 3 a text ended at a character 0 there
    if set(map(type, cells)) == {str} and "\0" not in "".join(cells):
        codes, names = pd.factorize(np.array(cells, dtype=object))
        return names.tolist(), codes.astype(np.int64)
    return cells, np.arange(len(cells))


def _tidy(cell: Any, part: str, comma_blank: bool) -> Any:
    """Return a cell without the blanks around it."""
    if not isinstance(cell, str):
        return cell
    if part != "key":
        return cell.strip()
    # a blank may be the name of a key
    return cell.strip() or (cell[1:] if comma_blank and len(cell) > 1 else cell)


def downs_of(rows: EventRows, faults: Faults, alive: BoolArray) -> tuple[BoolArray, BoolArray]:
    """Return the column of event types as True for a press, and where it is a repeated one."""
    cells = rows.cells["type"]
    different, codes = _different(cells)
    kinds = [_kind(cell) for cell in different]
    known = np.array([kind in _DOWN or kind in _UP for kind in kinds], dtype=bool)
    bad = alive & ~known[codes]
    faults.strike_rows(
        "unknown type",
        bad,
        lambda row: (
            f"{rows.place(row, 'type')}: expected one of {_SHOWN_TYPES}, got {_shown(cells[row])}"
        ),
    )
    alive &= ~bad
    down = np.array([kind in _DOWN for kind in kinds], dtype=bool)[codes]
    return down, np.array([kind == _HELD for kind in kinds], dtype=bool)[codes]


def _kind(cell: Any) -> str:
    return plain(cell) if isinstance(cell, str) else ""


def flags_of(cells: Any) -> BoolArray:
    """Return a column of yes and no as True for yes; what is neither is no."""
    return np.array([cell is True or plain(str(cell)) in ("true", "1") for cell in cells])


def numbered(labels: np.ndarray) -> np.ndarray:
    """Return labels as int64 if each is a whole number written without leading zeros."""
    names = labels.tolist() if labels.size < 1000 else set(labels.tolist())
    whole = all(re.fullmatch(r"-?(0|[1-9][0-9]{0,17})", name) and name != "-0" for name in names)
    return labels.astype(np.int64) if whole else labels


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
        return repr(float(cell)) if isinstance(cell, float) else repr(cell)
    if isinstance(cell, int) and abs(cell) < 10**18:
        return repr(cell)
    return f"a value of type {type(cell).__name__}"
