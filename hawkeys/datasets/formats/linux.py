"""Logs of Linux: evtest, libinput debug-events, python-evdev.

The value 2 is auto-repeat. libinput hides the keys unless it is told to show them, and gives times
since its start, to the millisecond.
"""

from __future__ import annotations

import re

from hawkeys.datasets._tables.telling import BrokenFileError
from hawkeys.datasets.formats._base import EventFormat, Reading, Table, sample_lines
from hawkeys.datasets.formats._keys import linux_key
from hawkeys.datasets.key_events._rows import EventRows

__all__ = ["EVDEV", "EVTEST", "LIBINPUT"]

# letters in which a format shows
_HEAD = 1_000_000
_KINDS = {"0": "up", "1": "down", "2": "hold", "up": "up", "down": "down", "hold": "hold"}
_EVTEST = re.compile(
    r"Event: time (\d+)\.(\d+), type 1 \(EV_KEY\), code (\d+) \((\w+|\?)\), value ([012])\s*$"
)
_LIBINPUT = re.compile(
    r"^\s*-?\s*event\d+\s+KEYBOARD_KEY\s+(?:\d+\s+)?\+?\s*(\d+(?:\.\d+)?)s\s+(\S+) \((-?\d+)\) "
    r"(pressed|released)\s*$"
)
_EVDEV = re.compile(
    r"^\s*(?P<time>\d+(?:\.\d+)?)\s*[,;\t ]\s*['\"\[]*(?P<code>(?:KEY|BTN)_\w+)[^,;\t]*?['\"\]]*"
    r"\s*[,;\t ]\s*(?P<kind>[012]|up|down|hold)\s*$"
)
_EVDEV_TEXT = re.compile(
    r"key event at (?P<time>\d+\.\d+), \d+ \(['\"\[]*(?P<code>(?:KEY|BTN)_\w+)[^)]*\), "
    r"(?P<kind>up|down|hold)\s*$"
)
_ANY_EVDEV = re.compile(r"^\s*event at \d+\.\d+, code")


def _is_evtest(text: str) -> bool:
    return "(EV_KEY)" in text[:_HEAD] and any(
        _EVTEST.search(line) for line in text[:_HEAD].split("\n")
    )


def _read_evtest(reading: Reading) -> EventRows:
    found = [
        (number, one) for number, line in reading.lines() if (one := _EVTEST.search(line.rstrip()))
    ]
    # old versions wrote the microseconds without leading zeros
    lengths = {len(one[2]) for _, one in found}
    unpadded = len(lengths) > 1 and max(lengths) <= 6
    table = Table(("time", "type", "key", "code"), "s")
    for number, one in found:
        fraction = one[2].zfill(6) if unpadded else one[2]
        if len(fraction) > 6:
            reading.faults.strike(
                "no time in time",
                lambda number=number, one=one: (  # type: ignore[misc]
                    f"line {number}: expected seconds and up to 6 digits of microseconds, got "
                    f"{one[1]}.{one[2][:20]}"
                ),
            )
            continue
        if one[4].startswith("BTN_"):
            table.skip("no key")
            continue
        table.add(number, f"{one[1]}.{fraction}", _KINDS[one[5]], *_named(one[4], one[3]))
    _count_others(table, reading, {number for number, _ in found})
    return table.finish(reading, "key event (EV_KEY) of evtest")


def _named(code: str, number: str) -> tuple[str, str]:
    """Return name and code of a key; one without a name is called by its number."""
    return (f"KEY{number}", number) if code == "?" else (linux_key(code), code)


def _count_others(table: Table, reading: Reading, read: set[int]) -> None:
    """Count the blank lines and those that are no key events."""
    for number, line in reading.lines():
        if not line.strip():
            table.n_blank += 1
        elif number not in read:
            table.skip("other line")


def _is_libinput(text: str) -> bool:
    return "KEYBOARD_KEY" in text[:_HEAD] and any(
        _LIBINPUT.match(line) for line in text[:_HEAD].split("\n")
    )


def _read_libinput(reading: Reading) -> EventRows:
    table = Table(("time", "type", "key", "code"), "s")
    read, hidden = set(), 0
    for number, line in reading.lines():
        found = _LIBINPUT.match(line)
        if found is None:
            continue
        read.add(number)
        hidden += found[2] == "***"
        table.add(number, found[1], found[4], *_named(found[2].replace("***", "?"), found[3]))
    if hidden:
        raise BrokenFileError(
            f"libinput hid the keys of {hidden} of {len(read)} events (***). Record again with "
            "libinput debug-events --show-keycodes."
        )
    _count_others(table, reading, read)
    return table.finish(reading, "KEYBOARD_KEY event of libinput")


def _evdev_line(line: str) -> re.Match[str] | None:
    return _EVDEV.match(line) or _EVDEV_TEXT.search(line)


def _is_evdev(text: str) -> bool:
    lines = sample_lines(text)
    return any(_evdev_line(line) for line in lines[:20]) and "(EV_KEY)" not in text[:10_000]


def _read_evdev(reading: Reading) -> EventRows:
    table = Table(("time", "type", "key", "code"), "s")
    for number, line in reading.lines():
        found = _evdev_line(line)
        if not line.strip():
            table.n_blank += 1
        elif found is not None and found["code"].startswith("BTN_"):
            table.skip("no key")
        elif found is not None:
            code = found["code"]
            table.add(number, found["time"], _KINDS[found["kind"]], *_named(code, code))
        elif _ANY_EVDEV.match(line):
            table.skip("other line")
        elif number > 1 or not re.match(r"^\s*[\"']?[A-Za-z#]", line):
            reading.faults.strike(
                "unknown line",
                lambda number=number, line=line: (  # type: ignore[misc]
                    f"line {number}: expected a time, a code as KEY_A and a value 0, 1 or 2, got "
                    f"{line.strip()[:40]!r}"
                ),
            )
    return table.finish(reading, "key event of python-evdev")


EVTEST = EventFormat(
    "evtest",
    "what evtest prints, with everything else in it (microseconds)",
    "Event: time 1700000000.123456, type 1 (EV_KEY), code 30 (KEY_A), value 1",
    _is_evtest,
    _read_evtest,
)
EVDEV = EventFormat(
    "evdev",
    "python-evdev: timestamp, code and value, or its printed events (microseconds)",
    "1700000000.123456,KEY_A,1",
    _is_evdev,
    _read_evdev,
)
LIBINPUT = EventFormat(
    "libinput",
    "what libinput debug-events --show-keycodes prints (milliseconds since its start)",
    "-event3  KEYBOARD_KEY  +3.123s  KEY_A (30) pressed",
    _is_libinput,
    _read_libinput,
)
