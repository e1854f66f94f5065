"""Options that say how data are read: columns, windows, unit, order."""

from __future__ import annotations

import sys
from collections.abc import Mapping, MutableMapping, Sequence
from types import FrameType
from typing import Any, NamedTuple

from hawkeys._validation import as_mapping, check_flag, did_you_mean, refuse_disguised
from hawkeys.events.building import Windows
from hawkeys.exceptions import InvalidParameterError

__all__ = ["READING", "WORDS", "Reading", "refuse_unknown", "take_reading"]

READING = ("time", "mark", "realization", "unit", "sort", "mark_names", "values")
# all options that `take_reading` takes
WORDS = frozenset((*READING, "start_time", "start_times", "end_time", "end_times"))


class Reading(NamedTuple):
    """How data are to be read: columns, windows, unit, order."""

    time: str | None = None
    mark: Any = None
    realization: Any = None
    windows: Windows = Windows(None, None)
    unit: str | None = None
    sort: bool = False
    mark_names: Sequence[Any] | None = None
    values: Any = None

    @property
    def given(self) -> list[str]:
        """Names of what was given, windows apart."""
        return [
            name
            for name in READING
            if getattr(self, name) is not None and getattr(self, name) is not False
        ]


def take_reading(
    options: MutableMapping[str, Any], end_time: Any = None, start_time: Any = None
) -> Reading:
    """Take out of `options` what says how data are read, windows by either name.

    Refuses both names of one thing, and a `sort` that is no truth value.
    """
    bounds = []
    for name, value in (("start_time", start_time), ("end_time", end_time)):
        given = [value, options.pop(name, None), options.pop(f"{name}s", None)]
        given = [as_mapping(one, name) for one in given if one is not None]
        for one in given:
            refuse_disguised(one, f"{name}s")
        if len(given) > 1:
            raise InvalidParameterError(
                f"{name} and {name}s are two names of one thing; give one of them."
            )
        bounds.append(given[0] if given else None)
    sort = check_flag(options.pop("sort", False), "sort")
    rest = {name: options.pop(name) for name in READING if name in options}
    return Reading(**rest, windows=Windows(*bounds), sort=sort)


def refuse_unknown(options: Mapping[str, Any]) -> None:
    """Refuse what is left of options that say how data are read."""
    for name in options:
        known = (*READING, "end_time", "start_time")
        function, own = _called()
        has = f"{function} has {', '.join(own)}; " if own else ""
        raise InvalidParameterError(
            f"there is no argument {name!r} here. {has}{', '.join(known)} say how data are read."
            f"{did_you_mean(name, (*own, *known))}"
        )


def _called() -> tuple[str, tuple[str, ...]]:
    """Return the name and the keyword arguments of the function of hawkeys that was called."""
    frame: FrameType | None = sys._getframe(1)
    called: FrameType | None = None
    while frame is not None and frame.f_globals.get("__name__", "").startswith("hawkeys."):
        frame, called = frame.f_back, frame
    if called is None:
        return "", ()
    code = called.f_code
    names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
    own = tuple(one for one in names if one not in ("self", "cls") and one[0] != "_")
    return code.co_name, own if not code.co_name.startswith("_") else ()
