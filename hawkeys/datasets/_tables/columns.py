"""Which column of a table of key events plays which part."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from hawkeys.datasets._tables.files import BrokenFileError, list_names
from hawkeys.events.tables import plain
from hawkeys.exceptions import InvalidParameterError

__all__ = [
    "EVENT_PARTS",
    "LABELS",
    "STROKE_PARTS",
    "check_columns",
    "find_column",
    "find_columns",
    "is_called",
]

LABELS = ("user", "session", "key")
STROKE_PARTS = ("press", "release")
EVENT_PARTS = ("type", "time")
# compared without case, blanks and punctuation: "Press_Time" is "presstime"
_SYNONYMS = {
    "user": {"user", "userid", "subject", "subjectid", "participant", "participantid", "typist"},
    "session": {"session", "sessionid", "sessionindex", "sitting"},
    "key": {"key", "keyname", "keycode"},
    "press": {"press", "timepress", "presstime", "downtime", "timedown"},
    "release": {"release", "timerelease", "releasetime", "uptime", "timeup"},
    "type": {"type", "eventtype", "event", "action"},
    "time": {"time", "timestamp", "eventtime"},
    "repetition": {"repetition", "rep", "attempt", "trial"},
    "code": {"code", "scancode", "keycode"},
    "repeat": {"repeat", "isrepeat"},
}
_OPTIONAL = ("repetition", "code", "repeat")


def check_columns(columns: Any) -> dict[str, str]:
    """Return the argument `columns` as a dict, refusing parts that do not exist."""
    if columns is None:
        return {}
    if not isinstance(columns, Mapping):
        raise InvalidParameterError(
            'columns must map parts to names of columns, as {"press": "timepress"}; got '
            f"{type(columns).__name__}."
        )
    for part, name in columns.items():
        if part not in _SYNONYMS or not isinstance(name, str):
            known = ", ".join(_SYNONYMS)
            raise InvalidParameterError(
                f"columns: {str(part)[:40]!r} to {str(name)[:40]!r}: expected a part ({known}) and "
                "the name of a column."
            )
    return dict(columns)


def is_called(name: str, part: str) -> bool:
    """Tell whether a column's name says that it is the part ("user", "session", ...)."""
    return plain(name) in _SYNONYMS[part]


def find_column(name: str, header: Sequence[str]) -> None:
    """Refuse a header without the column, naming one that differs in spelling only.

    Raises `BrokenFileError`.
    """
    if name not in header:
        near = [other for other in header if plain(other) == plain(name)]
        advice = f"did you mean {near[0]!r}?" if near else "name the column that is meant."
        raise BrokenFileError(
            f"no column {name!r} among {list_names([n[:40] for n in header], 8)}; {advice}"
        )


def find_columns(
    header: Sequence[str], given: Mapping[str, str], filled: Sequence[str] = ()
) -> dict[str, int]:
    """Return the place in the header of every part: the labels, and either layout's times.

    The parts `filled` may be missing, for the caller has a label for them; so may the releases of
    a table of presses. Raises `BrokenFileError`.
    """
    repeated = [name[:40] for name, count in Counter(header).items() if count > 1]
    if repeated:
        raise BrokenFileError(f"duplicate column {list_names(repeated)}; rename or remove one.")
    found = {part: _find(part, header, given) for part in _SYNONYMS}
    if found["code"] == found["key"]:
        found["code"] = None
    strokes = found["press"] is not None and found["release"] is not None
    times: tuple[str, ...] = STROKE_PARTS if strokes or found["type"] is None else EVENT_PARTS
    if times == STROKE_PARTS and found["press"] is not None:
        times = STROKE_PARTS[: 1 + strokes]  # presses alone
    labels = [part for part in LABELS if part not in filled]
    missing = [part for part in (*labels, *times) if found[part] is None]
    if missing:
        raise BrokenFileError(
            f"no column for {list_names(missing)} among {list_names([n[:40] for n in header], 8)}; "
            "expected user, session, key and either press and release or type and time. Name the "
            'others with columns={"press": "..."}, or give user and session (--user, --session).'
        )
    wanted = (*LABELS, *times, *_OPTIONAL)
    return {part: place for part in wanted if (place := found[part]) is not None}


def _find(part: str, header: Sequence[str], given: Mapping[str, str]) -> int | None:
    if part in given:
        if given[part] not in header:
            raise BrokenFileError(
                f"no column {given[part]!r} (for {part}) among "
                f"{list_names([n[:40] for n in header], 8)}; correct the argument columns."
            )
        return header.index(given[part])
    names = [name for name in header if plain(name) in _SYNONYMS[part]]
    if part == "key" and len(names) > 1:  # a name and the number of the same key
        names = [name for name in names if plain(name) not in _SYNONYMS["code"]]
    if part == "code":
        names = names[:1]
    if len(names) > 1:
        raise BrokenFileError(
            f"{list_names(names)} could each be {part}; say which with "
            f'columns={{"{part}": "{names[0]}"}}.'
        )
    return header.index(names[0]) if names else None
