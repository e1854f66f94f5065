"""Logs of the Python packages pynput and keyboard.

The listener of pynput gives no time: whoever logs takes ``time.time()`` in the callback. Its
repeats are presses without a release between.
"""

from __future__ import annotations

import ast
import re

from hawkeys.datasets._tables.json_rows import first_object, json_objects
from hawkeys.datasets.formats._base import EventFormat, Reading, Table, sample_lines
from hawkeys.datasets.formats._keys import named_key
from hawkeys.datasets.key_events._rows import EventRows, rows_of_json

__all__ = ["KEYBOARD", "PYNPUT"]

_TIME = r"(?P<time>[-+]?\d[\d.eE+:TZ -]*?\d|\d)"
_TYPE = r"(?P<type>pressed|press|released|release|down|up)"
_KEY = r"(?P<key>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"|Key\.\w+|<\d+>|None|\S+)"
_GAP = r"\s*[,;\t ]\s*"
_ORDERS = (
    (_TIME, _TYPE, _KEY),
    (_TIME, _KEY, _TYPE),
    (_TYPE, _KEY, _TIME),
    (_KEY, _TYPE, _TIME),
)
_LINES = [
    re.compile(rf"^\s*{_GAP.join(order)}\s*$", re.IGNORECASE)
    for order in (
        (_TIME, _TYPE, _KEY),
        (_TIME, _KEY, _TYPE),
        (_TYPE, _KEY, _TIME),
        (_KEY, _TYPE, _TIME),
    )
]
_TELLING = re.compile(r"(?<![\w.])Key\.\w+|'(?:[^'\\]|\\.)+'|\"'(?:[^'\\]|\\.)'\"")
_HEADER = re.compile(r"time", re.IGNORECASE)


def _match(line: str) -> re.Match[str] | None:
    return next((found for one in _LINES if (found := one.match(line))), None)


def _is_pynput(text: str) -> bool:
    if text.lstrip()[:1] in ("{", "["):
        row = first_object(text)
        return row is not None and _TELLING.fullmatch(str(row.get("key"))) is not None
    lines = sample_lines(text)
    read = [line for line in lines if _match(line)]
    return 2 * len(read) >= len(lines) and any(_TELLING.search(line) for line in read)


def _read_pynput(reading: Reading) -> EventRows:
    if reading.text.lstrip()[:1] in ("{", "["):
        return _read_pynput_json(reading)
    table = Table(("time", "type", "key"), "s")
    for number, line in reading.lines():
        if not line.strip():
            table.n_blank += 1
            continue
        found = _match(line)
        if found is None and not table.rows and _HEADER.search(line) and number == 1:
            continue  # the names of the columns
        if found is None:
            reading.faults.strike(
                "unknown line",
                lambda number=number, line=line: (  # type: ignore[misc]
                    f"line {number}: expected a time, press or release, and a key ('a' or "
                    f"Key.enter), got {line.strip()[:40]!r}"
                ),
            )
            continue
        table.add(number, found["time"], found["type"], _pynput_key(found["key"]))
    return table.finish(reading, "event of a pynput listener")


def _read_pynput_json(reading: Reading) -> EventRows:
    """Return the rows of a listener that logs JSON, by the names of the parts."""
    given = dict.fromkeys(("user", "session"), "")
    rows = rows_of_json(reading.text, reading.columns, tuple(given), reading.faults)
    table = Table(tuple(rows.cells), "s", n_blank=rows.n_blank, unit=rows.unit)
    for place, cells in zip(rows.lines, zip(*rows.cells.values(), strict=True), strict=True):
        named = dict(zip(rows.cells, cells, strict=True))
        named["key"] = _pynput_key(str(named["key"]))
        table.add(place, *named.values())
    return table.finish(reading, "event of a pynput listener")


def _pynput_key(written: str) -> str:
    """Return the name of a key as pynput prints it: 'a', Key.enter, <65027>."""
    for _ in range(2):  # the printed text may have been quoted once more
        if written[:1] in "'\"" and len(written) > 2:
            try:
                written = str(ast.literal_eval(written))
            except (ValueError, SyntaxError):
                break
    if len(written) == 1 and ord(written) < 32 and written not in "\t\n\r\b":
        return chr(ord(written) + 96)  # typed with Control
    return named_key(written.removeprefix("Key."))


def _is_keyboard(text: str) -> bool:
    row = first_object(text) if text.lstrip()[:1] in ("{", "[") else None
    return row is not None and "event_type" in row and ("scan_code" in row or "is_keypad" in row)


def _read_keyboard(reading: Reading) -> EventRows:
    found = json_objects(reading.text, reading.faults)
    table = Table(("time", "type", "key", "code"), "s", n_blank=found.n_blank, unit=found.unit)
    for place, row in found.objects:
        code = row.get("scan_code")
        name = row.get("name")
        if not isinstance(name, str) or name in ("", "unknown"):
            name = f"scan{code}"
        keypad = "keypad" * (row.get("is_keypad") is True)
        physical = "" if code in (None, -1, "") else f"{code}{keypad}"
        table.add(place, row.get("time"), row.get("event_type"), named_key(name), physical)
    return table.finish(reading, "event of the package keyboard")


PYNPUT = EventFormat(
    "pynput",
    "a listener of pynput that logs time, press or release, and the key",
    "1700000000.123456,press,'a'",
    _is_pynput,
    _read_pynput,
)
KEYBOARD = EventFormat(
    "keyboard",
    "events of the Python package keyboard as JSON (seconds)",
    '{"event_type": "down", "scan_code": 30, "name": "a", "time": 1700000000.12, ...}',
    _is_keyboard,
    _read_keyboard,
)
