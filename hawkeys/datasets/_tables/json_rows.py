"""Objects in a JSON text: one a line, in an array, or in lists of larger objects."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from hawkeys.datasets._tables.faults import Faults
from hawkeys.datasets._tables.files import BrokenFileError, one_line
from hawkeys.events.tables import plain

__all__ = ["JsonObjects", "first_object", "json_objects"]

# names of the list of events in an object that is one attempt
_LISTS = {"events", "keystrokes", "keyevents", "keys", "log"}


@dataclass
class JsonObjects:
    """Objects with the place of each; `attempt` is True if they stood in lists of attempts."""

    objects: list[tuple[int, dict[str, Any]]]
    unit: str
    n_blank: int = 0
    attempts: bool = False


def json_objects(text: str, faults: Faults) -> JsonObjects:
    """Return every object of a JSON text, or raise `BrokenFileError`."""
    start = text.lstrip()[:1]
    if start == "[" or (start == "{" and _is_one_object(text)):
        whole = _load(text, "the file")
        rows = whole if isinstance(whole, list) else [whole]
        numbered = list(enumerate(rows, 1))
        found = JsonObjects([], "event")
        where = "element"
    else:
        found = JsonObjects([], "line")
        numbered, where = list(_lines(text, found, faults)), "line"
    for place, row in numbered:
        if not isinstance(row, dict) or not row:
            shown = json.dumps(row)[:40]
            faults.strike(
                "no object",
                lambda place=place, shown=shown: (  # type: ignore[misc]
                    f"{where} {place}: expected one JSON object with names, got {shown!r}"
                ),
            )
        else:
            found.objects.append((place, row))
    return _spread(found, faults)


def first_object(text: str) -> dict[str, Any] | None:
    """Return the first event of a JSON text, None if there is none; for telling formats apart."""
    for part in (text.lstrip().split("\n", 1)[0], text):
        try:
            found = json_objects(part, Faults("drop"))
        except BrokenFileError:
            continue
        if found.objects:
            return found.objects[0][1]
    return None


def _lines(text: str, found: JsonObjects, faults: Faults) -> Iterator[tuple[int, Any]]:
    """Yield the value on every line that is not blank."""
    for line, content in enumerate(text.removesuffix("\n").split("\n"), 1):
        if not content.strip():
            found.n_blank += 1
            continue
        try:
            row = _load(content, f"line {line}")
        except BrokenFileError as error:
            faults.strike("no valid JSON", lambda error=error: str(error))  # type: ignore[misc]
            continue
        yield line, row


def _spread(found: JsonObjects, faults: Faults) -> JsonObjects:
    """Return the events of attempts, each with the labels of its attempt; or all as it is."""
    if not found.objects or not any(_list_of(row) for _, row in found.objects):
        return found
    objects: list[tuple[int, dict[str, Any]]] = []
    for number, (_, row) in enumerate(found.objects, 1):
        name = _list_of(row)
        labels = {key: value for key, value in row.items() if isinstance(value, str | int | float)}
        for event in row[name] if name else ():
            if not isinstance(event, dict):
                faults.strike(
                    "no object",
                    lambda number=number: (  # type: ignore[misc]
                        f"attempt {number}: an event is no JSON object with names"
                    ),
                )
                continue
            own = {key: labels[key] for key in labels if key not in event}
            if not any(plain(key) in ("repetition", "attempt", "rep", "trial") for key in own):
                own["attempt"] = number
            objects.append((len(objects) + 1, {**own, **event}))
    return JsonObjects(objects, "event", found.n_blank, attempts=True)


def _list_of(row: dict[str, Any]) -> str | None:
    """Return the name of the list of events in an object that is an attempt."""
    return next(
        (name for name in row if plain(name) in _LISTS and isinstance(row[name], list)), None
    )


def _is_one_object(text: str) -> bool:
    """Tell whether the first line is not an object of its own: one object over many lines."""
    first, _, rest = text.strip().partition("\n")
    if not rest:
        return False
    try:
        json.loads(first)
    except (ValueError, RecursionError):
        return first.strip() in ("{", "[") or not first.rstrip().endswith("}")
    return False


def _load(text: str, place: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_unique)
    except (ValueError, RecursionError, BrokenFileError) as error:
        raise BrokenFileError(
            f"{place}: no valid JSON ({one_line(error)}); expected one object per line, or an "
            "array of them."
        ) from error


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    row = dict(pairs)
    if len(row) < len(pairs):
        raise BrokenFileError("a name occurs twice in one object")
    return row
