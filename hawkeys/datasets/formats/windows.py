"""The log of a keyboard hook of Windows: milliseconds, message, virtual-key code.

Keys pressed with Alt come as WM_SYSKEYDOWN. The clock of the messages starts again after 49.7 days.
"""

from __future__ import annotations

import re

from hawkeys.datasets.formats._base import EventFormat, Reading, Table, sample_lines
from hawkeys.datasets.formats._keys import vk_key
from hawkeys.datasets.key_events._rows import EventRows

__all__ = ["WINDOWS"]

_TIME = r"\"?(?P<time>\d+(?:\.\d+)?)\"?"
_KIND = r"\"?WM_(?:SYS)?KEY(?P<kind>DOWN|UP)\"?"
_KEY = r"\"?(?P<key>0[xX][0-9a-fA-F]{1,2}|\d{1,3})\"?"
_GAP = r"\s*[,;\t ]\s*"
_LINES = [
    re.compile(rf"^\s*{_GAP.join(order)}\s*(?:[,;\t ].*)?$")
    for order in ((_TIME, _KIND, _KEY), (_KEY, _KIND, _TIME), (_TIME, _KEY, _KIND))
]


def _match(line: str) -> re.Match[str] | None:
    return next((found for one in _LINES if (found := one.match(line))), None)


def _is_windows(text: str) -> bool:
    lines = sample_lines(text)
    n_read = sum(_match(line) is not None for line in lines)
    return n_read > 0 and 2 * n_read >= len(lines) - 1


def _read_windows(reading: Reading) -> EventRows:
    table = Table(("time", "type", "key", "code"), "ms")
    for number, line in reading.lines():
        found = _match(line)
        if not line.strip():
            table.n_blank += 1
        elif found is not None:
            code = int(found["key"], 0)
            table.add(number, found["time"], found["kind"].lower(), vk_key(code), str(code))
        elif number > 1 or re.match(r"^\s*\"?\d", line):
            reading.faults.strike(
                "unknown line",
                lambda number=number, line=line: (  # type: ignore[misc]
                    f"line {number}: expected milliseconds, WM_KEYDOWN or WM_KEYUP and a "
                    f"virtual-key code, got {line.strip()[:40]!r}"
                ),
            )
    return table.finish(reading, "message of a keyboard hook")


WINDOWS = EventFormat(
    "windows-hook",
    "a low-level keyboard hook of Windows: time, message, virtual-key code (milliseconds)",
    "123456789,WM_KEYDOWN,65",
    _is_windows,
    _read_windows,
)
