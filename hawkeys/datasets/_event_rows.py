"""Rows of key events from the text of a csv or JSON lines file, or from a frame."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import pandas as pd

from hawkeys.datasets._columns import find_columns
from hawkeys.datasets._tables import BrokenFileError, csv_rows, one_line

__all__ = ["EventRows", "rows_of_frame", "rows_of_text"]


class EventRows(NamedTuple):
    """The cells of the columns that matter, and where each row stands."""

    cells: dict[str, list[Any]]
    names: dict[str, str]
    lines: list[int]
    unit: str
    n_blank: int

    def place(self, row: int, part: str) -> str:
        """Say where a cell stands."""
        return f"{self.unit} {self.lines[row]}, column {self.names[part]!r}"


def rows_of_text(text: str, kind: str, given: Mapping[str, str]) -> EventRows:
    """Return the rows of a file; `kind` is "csv", "jsonl" or "auto"."""
    if kind == "auto":
        kind = "jsonl" if text.lstrip()[:1] in ("{", "[") else "csv"
    rows, lines, n_blank = [], [], 0
    header: list[str] = []
    places: dict[str, int] = {}
    # a blank may be the name of a key
    found = csv_rows(text, skip_blanks=False) if kind == "csv" else _json_rows(text)
    for line, row in found:
        if not row:
            n_blank += 1
            continue
        if not header:
            header = list(row)
            places = find_columns(header, given)
            if kind == "csv":
                continue
        rows.append(_pick(row, line, header, places))
        lines.append(line)
    if not rows:
        raise BrokenFileError("there is a header but no row of data." if header else "no row.")
    columns = [list(column) for column in zip(*rows, strict=True)]
    cells = dict(zip(places, columns, strict=True))
    names = {part: header[place] for part, place in places.items()}
    return EventRows(cells, names, lines, "line", n_blank)


def rows_of_frame(frame: pd.DataFrame, given: Mapping[str, str]) -> EventRows:
    """Return the rows of a frame, counted from 0."""
    header = [str(name) for name in frame.columns]
    places = find_columns(header, given)
    if not len(frame):
        raise BrokenFileError("the frame has columns but no row.")
    cells = {part: frame.iloc[:, place].tolist() for part, place in places.items()}
    names = {part: header[place] for part, place in places.items()}
    return EventRows(cells, names, list(range(len(frame))), "row", 0)


def _pick(row: list[str] | dict[str, Any], line: int, header: list[str], places: dict) -> list[Any]:
    """Return the cells of a row that matter."""
    if isinstance(row, dict):
        for place in places.values():
            if header[place] not in row:
                raise BrokenFileError(
                    f"line {line}: no {header[place]!r}, which the first line has; add it or "
                    "remove the line."
                )
        return [row[header[place]] for place in places.values()]
    if len(row) != len(header):
        raise BrokenFileError(
            f"line {line}: expected {len(header)} cells, as in the header, got {len(row)}; "
            "correct or remove the line."
        )
    return [row[place] for place in places.values()]


def _json_rows(text: str) -> Iterator[tuple[int, dict[str, Any]]]:
    for line, content in enumerate(text.removesuffix("\n").split("\n"), 1):
        if not content.strip():
            yield line, {}
            continue
        try:
            row = json.loads(content, object_pairs_hook=_unique)
        except (ValueError, RecursionError, BrokenFileError) as error:
            raise BrokenFileError(
                f"line {line}: no valid JSON ({one_line(error)}); expected one object per line."
            ) from error
        if not isinstance(row, dict) or not row:
            raise BrokenFileError(
                f"line {line}: expected one JSON object with names per line, got "
                f"{content.strip()[:40]!r}."
            )
        yield line, row


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise BrokenFileError("a name occurs twice in one object")
    return row
