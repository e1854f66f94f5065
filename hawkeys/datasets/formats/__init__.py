"""The formats of loggers and of published studies, one table: what is known, detected and read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from hawkeys.datasets.formats._base import EventFormat, Reading
from hawkeys.datasets.formats.browser import BROWSER
from hawkeys.datasets.formats.linux import EVDEV, EVTEST, LIBINPUT
from hawkeys.datasets.formats.listeners import KEYBOARD, PYNPUT
from hawkeys.datasets.formats.studies import AALTO, BUFFALO, GREYC, LATIN_MARK, LSIA
from hawkeys.datasets.formats.windows import WINDOWS
from hawkeys.datasets.key_events._rows import EventRows, rows_of_json, rows_of_text

__all__ = [
    "EVENT_FORMATS",
    "LATIN_MARK",
    "TIMING_FORMATS",
    "EventFormat",
    "FormatInfo",
    "Reading",
    "available_formats",
    "find_format",
]


def _read_csv(reading: Reading) -> EventRows:
    return rows_of_text(reading.text, reading.columns, tuple(reading.filled), reading.faults)


def _read_json(reading: Reading) -> EventRows:
    return rows_of_json(reading.text, reading.columns, tuple(reading.filled), reading.faults)


def _is_json(text: str) -> bool:
    return text.lstrip()[:1] in ("{", "[")


_CSV = EventFormat(
    "csv",
    "a table with a header: commas, semicolons, tabs or bars; .xlsx likewise (seconds)",
    "user,session,key,type,time  or  user,session,key,press,release",
    lambda text: True,
    _read_csv,
)
_JSONL = EventFormat(
    "jsonl",
    "JSON lines, or an array, of objects with such names (seconds)",
    '{"user": "ann", "session": 1, "key": "a", "press": 0.5, "release": 0.58}',
    _is_json,
    _read_json,
)
# in the order in which they are tried; the two last take what is left
_ORDER = (EVTEST, LIBINPUT, EVDEV, AALTO, LSIA, BUFFALO, GREYC, WINDOWS, KEYBOARD, BROWSER, PYNPUT)
EVENT_FORMATS = {one.name: one for one in (*_ORDER, _JSONL, _CSV)}
TIMING_FORMATS = {
    "cmu": (
        "one sample a row, named as in the CMU benchmark (seconds, or time_unit)",
        "subject,sessionIndex,rep,H.k1,DD.k1.k2,UD.k1.k2,H.k2,...",
    ),
    "bksd": (
        "one sample a row, as in BKSD (milliseconds)",
        "subject,repetition,H.1,DD.1_2,UD.1_2,H.2,...",
    ),
    "keyrecs": (
        "one sample a row, the fixed text of KeyRecs (seconds)",
        "participant,session,repetition,DU.k1.k1,DD.k1.k2,DU.k1.k2,UD.k1.k2,UU.k1.k2,...",
    ),
}


class Found(NamedTuple):
    """The format of a text, and the text with plain ends of lines."""

    format: EventFormat
    text: str


@dataclass(frozen=True)
class FormatInfo:
    """A format that is read by name or found from the file.

    Attributes
    ----------
    name : str
        As `read_key_events` and `read_timings` take it.
    holds : {"key events", "timings"}
        "key events" are read by `read_key_events`, "timings" by `read_timings`.
    description, layout : str
        What it is, and a line of it.
    """

    name: str
    holds: str
    description: str
    layout: str


def available_formats() -> list[FormatInfo]:
    """Return the formats of files that can be read, in the order in which they are tried.

    Returns
    -------
    list of FormatInfo
        Formats of key events first, then those of timing tables.

    Examples
    --------
    >>> from hawkeys.datasets import available_formats
    >>> [info.name for info in available_formats() if info.holds == "timings"]
    ['cmu', 'bksd', 'keyrecs']
    """
    events = [
        FormatInfo(one.name, "key events", one.description, one.layout)
        for one in EVENT_FORMATS.values()
    ]
    timings = [FormatInfo(name, "timings", *about) for name, about in TIMING_FORMATS.items()]
    return [*events, *timings]


def find_format(text: str, name: str) -> Found:
    """Return the format of a text: the named one, or with "auto" the first that knows it."""
    if name in ("csv", "jsonl"):
        return Found(EVENT_FORMATS[name], text)
    plain = text.replace("\r\n", "\n") if "\r" in text else text
    if name != "auto":
        return Found(EVENT_FORMATS[name], plain)
    format_ = next(one for one in EVENT_FORMATS.values() if one.detect(plain))
    return Found(format_, text if format_.name in ("csv", "jsonl") else plain)
