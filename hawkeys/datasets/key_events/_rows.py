"""Rows of key events from the text of a csv or JSON lines file, or from a frame."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from hawkeys.datasets._tables.columns import find_columns
from hawkeys.datasets._tables.faults import Faults
from hawkeys.datasets._tables.files import BrokenFileError, csv_rows, find_separator
from hawkeys.datasets._tables.json_rows import json_objects
from hawkeys.datasets._tables.quick import quick_table

__all__ = ["EventRows", "rows_of_frame", "rows_of_json", "rows_of_text"]

_NO_CELL = "wrong number of cells"


@dataclass
class EventRows:
    """The cells of the columns that matter, and where each row stands.

    Attributes
    ----------
    cells : dict of str to list, ndarray or Categorical, each (n_rows,)
        By part: user, session, repetition, key, code, repeat, press, release, type, time.
    names : dict of str to str
        Name of the column of each part.
    lines : sequence of int
        Line of each row, and what the lines are called (`unit`).
    n_blank : int
        Blank lines.
    other : dict of str to int
        Lines and rows that hold no key event, by rule.
    comma_blank : bool
        Whether a blank follows every separator, and belongs to no cell.
    time_unit : str or None
        Unit of the times, if the format has one.
    """

    cells: dict[str, Any]
    names: dict[str, str]
    lines: Sequence[int]
    unit: str = "line"
    n_blank: int = 0
    other: dict[str, int] = field(default_factory=dict)
    comma_blank: bool = False
    time_unit: str | None = None

    def place(self, row: int, part: str) -> str:
        """Say where a cell stands."""
        return f"{self.unit} {self.lines[row]}, column {self.names.get(part, part)!r}"

    def __len__(self) -> int:
        return len(self.lines)


def rows_of_text(
    text: str, given: Mapping[str, str], filled: Sequence[str], faults: Faults
) -> EventRows:
    """Return the rows of a csv text; `filled` are parts that need no column."""
    separator = find_separator(text)
    quick = _quick_rows(text, separator, given, filled)
    if quick is not None:
        return quick
    header: list[str] = []
    places: dict[str, int] = {}
    rows, lines, n_blank = [], [], 0
    # a blank may be the name of a key
    for line, row in csv_rows(text, skip_blanks=False, separator=separator):
        if not row:
            n_blank += 1
        elif not header:
            header = row
            places = find_columns([name.strip() for name in header], given, filled)
        elif len(row) != len(header):
            faults.strike(_NO_CELL, _ragged(line, header, row))
        else:
            rows.append([row[place] for place in places.values()])
            lines.append(line)
    if not rows:
        raise BrokenFileError(_nothing(faults) if header else "no row.")
    columns = [list(column) for column in zip(*rows, strict=True)]
    return EventRows(
        cells=dict(zip(places, columns, strict=True)),
        names={part: header[place].strip() for part, place in places.items()},
        lines=lines,
        n_blank=n_blank,
        comma_blank=_is_spaced(header),
    )


def _nothing(faults: Faults) -> str:
    return "there is a header but no row of data" + " left" * bool(faults.counts) + "."


def _ragged(line: int, header: Sequence[str], row: Sequence[str]) -> Callable[[], str]:
    return lambda: f"line {line}: expected {len(header)} cells, as in the header, got {len(row)}"


def _is_spaced(header: Sequence[str]) -> bool:
    """Tell whether a blank follows every separator."""
    return len(header) > 1 and all(name.startswith(" ") for name in header[1:])


def _quick_rows(
    text: str, separator: str, given: Mapping[str, str], filled: Sequence[str]
) -> EventRows | None:
    """Return what `rows_of_text` does, ten times as fast; None for all but plain, even tables."""
    if '"' in text:
        return None
    body = text.replace("\r\n", "\n") if "\r" in text else text
    if "\r" in body or body[:1] == "\n":
        return None
    n_blank = len(body) - len(body := body.rstrip("\n")) - 1
    table = quick_table(body, separator)
    if table is None:
        return None
    header = table.header
    places = find_columns([name.strip() for name in header], given, filled)
    cells = table.cells(places, separator)
    if cells is None:
        return None
    return EventRows(
        cells=cells,
        names={part: header[place].strip() for part, place in places.items()},
        lines=range(2, table.n_rows + 2),
        n_blank=max(n_blank, 0),
        comma_blank=_is_spaced(header),
    )


def rows_of_json(
    text: str, given: Mapping[str, str], filled: Sequence[str], faults: Faults
) -> EventRows:
    """Return the rows of JSON lines, of an array of objects, or of objects with `events`."""
    found = json_objects(text, faults)
    header: list[str] = []
    places: dict[str, int] = {}
    rows, lines = [], []
    for line, row in found.objects:
        if not header:
            header = list(row)
            places = find_columns(header, given, filled)
        missing = [header[place] for place in places.values() if header[place] not in row]
        if missing:
            faults.strike(
                "missing name",
                lambda line=line, name=missing[0]: (  # type: ignore[misc]
                    f"{found.unit} {line}: no {name!r}, which the first one has"
                ),
            )
            continue
        rows.append([row[header[place]] for place in places.values()])
        lines.append(line)
    if not rows:
        raise BrokenFileError("no row.")
    columns = [list(column) for column in zip(*rows, strict=True)]
    return EventRows(
        cells=dict(zip(places, columns, strict=True)),
        names={part: header[place] for part, place in places.items()},
        lines=lines,
        unit=found.unit,
        n_blank=found.n_blank,
    )


def rows_of_frame(
    frame: pd.DataFrame, given: Mapping[str, str], filled: Sequence[str]
) -> EventRows:
    """Return the rows of a frame, counted from 0."""
    header = [str(name) for name in frame.columns]
    places = find_columns(header, given, filled)
    if not len(frame):
        raise BrokenFileError("the frame has columns but no row.")
    cells = {part: _cells_of(frame.iloc[:, place]) for part, place in places.items()}
    names = {part: header[place] for part, place in places.items()}
    return EventRows(cells, names, range(len(frame)), "row")


def _cells_of(column: pd.Series) -> Any:
    """Return a column of a frame as a list, or dates as an array without a zone."""
    if column.dtype.kind == "M":
        plain = column if column.dt.tz is None else column.dt.tz_convert("UTC").dt.tz_localize(None)
        return plain.to_numpy()
    return column.tolist()
