"""What a reader of a format gets and gives."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hawkeys.datasets._tables.faults import Faults
from hawkeys.datasets._tables.telling import BrokenFileError
from hawkeys.datasets.key_events._rows import EventRows

__all__ = ["EventFormat", "Reading", "Table", "sample_lines"]

_SAMPLED = 50


@dataclass(frozen=True)
class Reading:
    """The text of a file, and how it is read."""

    text: str
    columns: Mapping[str, str]
    filled: Mapping[str, str]
    faults: Faults

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield every line with its number, from 1."""
        return enumerate(self.text.removesuffix("\n").split("\n"), 1)


@dataclass(frozen=True)
class EventFormat:
    """A format of key events: its name, how it is told from others, and its reader."""

    name: str
    description: str
    layout: str
    detect: Callable[[str], bool]
    read: Callable[[Reading], EventRows]


@dataclass
class Table:
    """Rows as a reader finds them, part by part."""

    parts: tuple[str, ...]
    time_unit: str | None
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    places: list[int] = field(default_factory=list)
    other: dict[str, int] = field(default_factory=dict)
    n_blank: int = 0
    unit: str = "line"

    def add(self, place: int, *cells: Any) -> None:
        """Add a row."""
        self.rows.append(cells)
        self.places.append(place)

    def skip(self, rule: str) -> None:
        """Count a line that holds no key event."""
        self.other[rule] = self.other.get(rule, 0) + 1

    def finish(self, reading: Reading, what: str) -> EventRows:
        """Return the rows, with a label for the typist and the sitting where there is none.

        Raises `BrokenFileError` if there is no row.
        """
        if not self.rows:
            struck = "; ".join(reading.faults.described())
            raise BrokenFileError(f"no {what}{f' is left ({struck})' if struck else ''}.")
        cells: dict[str, Any] = {
            part: list(column)
            for part, column in zip(self.parts, zip(*self.rows, strict=True), strict=True)
        }
        for part, label in {"user": "user", "session": "1"}.items():
            if part not in cells:
                cells[part] = [reading.filled.get(part, label)] * len(self.rows)
        rows = EventRows(cells, {}, self.places, self.unit, self.n_blank, self.other)
        rows.time_unit = self.time_unit
        return rows


def sample_lines(text: str) -> list[str]:
    """Return the first lines that are not blank, stripped."""
    found: list[str] = []
    for line in re.finditer(r"[^\n]*\S[^\n]*", text[: 200 * _SAMPLED]):
        found.append(line.group().strip())
        if len(found) == _SAMPLED:
            break
    return found
