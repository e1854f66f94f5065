"""Files of published studies: Aalto's 136 million keystrokes, LSIA, Buffalo, GREYC web."""

from __future__ import annotations

import re
from collections.abc import Callable

from hawkeys.datasets._tables.files import find_separator
from hawkeys.datasets._tables.telling import BrokenFileError, list_names
from hawkeys.datasets.formats._base import EventFormat, Reading, Table, sample_lines
from hawkeys.datasets.formats._keys import dotnet_key, named_key, vk_key
from hawkeys.datasets.key_events._rows import EventRows

__all__ = ["AALTO", "BUFFALO", "GREYC", "LATIN_MARK", "LSIA"]

# Aalto's files are partly in Latin-1
LATIN_MARK = b"TEST_SECTION_ID"
_AALTO = ("PARTICIPANT_ID", "TEST_SECTION_ID", "PRESS_TIME", "RELEASE_TIME", "LETTER", "KEYCODE")
_BUFFALO = re.compile(r"^\s*(\S+)[ \t]+(KeyDown|KeyUp)[ \t]+(\S+)\s*$", re.IGNORECASE)
_GREYC = re.compile(r"^\s*(\d{1,3})\s*[,; \t]\s*(\d{10,19})\s*[,; \t]\s*(\d{10,19})\s*$")
# digits that no code of a key has
_LONG = 4
_NUMBER = re.compile(r"^[+-]?\d+(\.\d*)?$")


def _header(text: str) -> list[str]:
    first = text[:10_000].lstrip("\n").split("\n", 1)[0]
    return [cell.strip().strip('"') for cell in first.split(find_separator(text))]


def _places(header: list[str], names: tuple[str, ...]) -> list[int]:
    """Return where columns stand in a header; raises `BrokenFileError`."""
    missing = [name for name in names if name not in header]
    if missing:
        raise BrokenFileError(
            f"no column {list_names(missing)} among {list_names(header, 8)}; expected "
            f"{', '.join(names)}."
        )
    return [header.index(name) for name in names]


def _cells(
    reading: Reading, table: Table, separator: str, width: int
) -> list[tuple[int, list[str]]]:
    """Return the cells of every line under the header; quotation marks mean nothing."""
    rows = []
    for number, line in list(reading.lines())[1:]:
        cells = line.rstrip("\r").split(separator)
        if not line.strip():
            table.n_blank += 1
        elif len(cells) != width:
            reading.faults.strike(
                "wrong number of cells",
                lambda number=number, cells=cells: (  # type: ignore[misc]
                    f"line {number}: expected {width} cells, as in the header, got {len(cells)}"
                ),
            )
        else:
            rows.append((number, cells))
    return rows


def _is_aalto(text: str) -> bool:
    return {"PARTICIPANT_ID", "TEST_SECTION_ID", "PRESS_TIME"} <= set(_header(text))


def _read_aalto(reading: Reading) -> EventRows:
    header = _header(reading.text)
    places = _places(header, _AALTO)
    table = Table(("user", "session", "press", "release", "key", "code"), "ms")
    rows = []
    for number, cells in _cells(reading, table, "\t", len(header)):
        user, section, press, release, letter, code = (cells[place] for place in places)
        # rows of one sentence are not always in the order of their presses
        order = float(press) if _NUMBER.match(press) else 0.0
        key = named_key(letter) if letter.strip() or letter == " " else ""
        if not key and code.strip().isdecimal():
            key = vk_key(int(code))
        rows.append((user, section, order, number, press, release, key, code))
    sections: dict[tuple[str, str], int] = {}
    for row in rows:
        sections.setdefault(row[:2], len(sections))
    rows.sort(key=lambda row: (sections[row[:2]], row[2]))
    for user, section, _, number, press, release, key, code in rows:
        table.add(number, user, section, press, release, key, code)
    return table.finish(reading, "row with a keystroke")


def _is_lsia(text: str) -> bool:
    return {"VK", "HT", "FT"} <= set(_header(text))


def _read_lsia(reading: Reading) -> EventRows:
    header = _header(reading.text)
    places = _places(header, ("VK", "HT", "FT"))
    table = Table(("press", "release", "key", "code", "repetition"), "ms")
    clock, part = 0.0, 1
    for number, cells in _cells(reading, table, find_separator(reading.text), len(header)):
        code, hold, flight = (cells[place].strip().strip('"') for place in places)
        if not (code.isdecimal() and _NUMBER.match(hold) and _NUMBER.match(flight)):
            # the time of all that follows would not be known
            reading.faults.strike("no number", _no_number(number, (code, hold, flight)))
            part, clock = part + bool(table.rows), 0.0
            continue
        if not table.rows:
            clock = 0.0
        elif float(flight) < 0:  # not known: what follows has a clock of its own
            part, clock = part + 1, 0.0
        else:
            clock += float(flight)
        if float(hold) < 0:
            table.skip("unknown hold")
            continue
        table.add(number, clock, clock + float(hold), vk_key(int(code)), code, part)
    return table.finish(reading, "row with a keystroke")


def _no_number(number: int, cells: tuple[str, str, str]) -> Callable[[], str]:
    return lambda: f"line {number}: expected whole numbers VK, HT and FT, got {cells}"


def _majority(pattern: re.Pattern[str], text: str) -> bool:
    lines = sample_lines(text)
    return 2 * sum(pattern.match(line) is not None for line in lines) > len(lines) > 0


def _is_buffalo(text: str) -> bool:
    return _majority(_BUFFALO, text)


def _read_buffalo(reading: Reading) -> EventRows:
    table = Table(("key", "type", "time", "code"), "ms")
    for number, line in reading.lines():
        found = _BUFFALO.match(line)
        if not line.strip():
            table.n_blank += 1
        elif found is not None:
            key, kind, time = found[1], found[2], found[3]
            if _NUMBER.match(key) and (len(key) > _LONG or not _NUMBER.match(time)):
                key, time = time, key  # the time stands first
            name = vk_key(int(key)) if key.isdecimal() and len(key) > 1 else dotnet_key(key)
            table.add(number, name, kind, time, key)
        else:
            reading.faults.strike(
                "unknown line",
                lambda number=number, line=line: (  # type: ignore[misc]
                    f"line {number}: expected a key, KeyDown or KeyUp, and a time, with blanks "
                    f"between; got {line.strip()[:40]!r}"
                ),
            )
    return table.finish(reading, "KeyDown or KeyUp line")


def _is_greyc(text: str) -> bool:
    return _majority(_GREYC, text)


def _read_greyc(reading: Reading) -> EventRows:
    table = Table(("key", "code", "press", "release"), "100ns")
    for number, line in reading.lines():
        found = _GREYC.match(line)
        if not line.strip():
            table.n_blank += 1
        elif found is not None:
            table.add(number, vk_key(int(found[1])), found[1], int(found[2]), int(found[3]))
        elif number > 1 or re.match(r"^\s*\d", line):
            reading.faults.strike(
                "unknown line",
                lambda number=number, line=line: (  # type: ignore[misc]
                    f"line {number}: expected a key code and the ticks of press and release, got "
                    f"{line.strip()[:40]!r}"
                ),
            )
    return table.finish(reading, "row with a keystroke")


AALTO = EventFormat(
    "aalto",
    "one participant of the 136 million keystrokes of Aalto (tabs, milliseconds since 1970)",
    "PARTICIPANT_ID  TEST_SECTION_ID  ...  PRESS_TIME  RELEASE_TIME  LETTER  KEYCODE",
    _is_aalto,
    _read_aalto,
)
LSIA = EventFormat(
    "lsia",
    "virtual-key code, hold and time from the press before, in milliseconds; negative: unknown",
    "VK,HT,FT",
    _is_lsia,
    _read_lsia,
)
BUFFALO = EventFormat(
    "buffalo",
    "the free text of Buffalo: key, KeyDown or KeyUp, milliseconds since the year 1",
    "LShiftKey KeyDown 63578429792961",
    _is_buffalo,
    _read_buffalo,
)
GREYC = EventFormat(
    "greyc-web",
    "GREYC web: key code, press and release in ticks of 100 ns",
    "84 634567890123450000 634567890124370000",
    _is_greyc,
    _read_greyc,
)
