"""What a page sends for an attempt, and the line that is kept of it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec

from hawkeys._records import words
from hawkeys.exceptions import InvalidParameterError

__all__ = ["FOCUS_LOSSES", "SCHEMA", "AttemptRecord", "KeyEvent", "line_of", "read_record"]

SCHEMA = "hawkeys-attempts/1"
"""Named in every line of a file of attempts."""

FOCUS_LOSSES = ("blur", "hidden")
"""Events that end an attempt: the field lost the focus, or the page was hidden."""

_MOST_EVENTS = 4_000
_LATEST = 1e11  # milliseconds; three years
_Name = Annotated[str, msgspec.Meta(max_length=32)]


class KeyEvent(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A KeyboardEvent of a browser, by the browser's names, or a loss of focus."""

    type: Literal["keydown", "keyup", "blur", "hidden"]
    timeStamp: Annotated[float, msgspec.Meta(ge=0.0, le=_LATEST)]
    key: _Name = ""
    code: _Name = ""
    repeat: bool = False


class AttemptRecord(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One attempt: its events in the order in which they came, and the clock's step (ms)."""

    events: Annotated[list[KeyEvent], msgspec.Meta(min_length=1, max_length=_MOST_EVENTS)]
    clock_resolution_ms: Annotated[float, msgspec.Meta(ge=0.0, le=1_000.0)]

    @property
    def lost_focus(self) -> bool:
        """Whether the focus was lost before the attempt ended."""
        return any(event.type in FOCUS_LOSSES for event in self.events)


def read_record(record: Any) -> AttemptRecord:
    """Return a checked attempt from JSON (bytes) or from plain types.

    Raises `InvalidParameterError`.
    """
    try:
        content = record if isinstance(record, bytes) else msgspec.json.encode(record)
        return msgspec.json.decode(content, type=AttemptRecord)
    except (msgspec.MsgspecError, RecursionError, UnicodeError, TypeError, OverflowError) as error:
        raise InvalidParameterError(
            f"no attempt ({words(error)}); expected an object with clock_resolution_ms and 1 to "
            f"{_MOST_EVENTS} events, each with type (keydown, keyup, blur or hidden), timeStamp "
            "(ms), key, code and repeat. Reload the page."
        ) from error


def line_of(record: AttemptRecord, labels: dict[str, Any]) -> bytes:
    """Return an attempt with labels as one line of JSON, which the reader "browser" reads."""
    events = [_named(event) for event in record.events]
    whole = {
        "schema": SCHEMA,
        **labels,
        "clock_resolution_ms": record.clock_resolution_ms,
        "events": events,
    }
    return msgspec.json.encode(whole) + b"\n"


def _named(event: KeyEvent) -> dict[str, Any]:
    """Return an event with all names of a KeyboardEvent, or those of a loss of focus."""
    if event.type in FOCUS_LOSSES:
        return {"type": event.type, "timeStamp": event.timeStamp}
    return msgspec.structs.asdict(event)
