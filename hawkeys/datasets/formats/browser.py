"""KeyboardEvents of a browser as JSON: an array, lines, or one object per attempt with `events`.

Times are in milliseconds since the page was loaded, so that the clock starts again with each page.
On the keyboards that phones show, and under an input method, a browser hides which key it was:
keyCode 229 and the key "Unidentified" or "Process".
"""

from __future__ import annotations

from typing import Any

from hawkeys.datasets._tables.json_rows import first_object, json_objects
from hawkeys.datasets._tables.telling import BrokenFileError
from hawkeys.datasets.formats._base import EventFormat, Reading, Table
from hawkeys.datasets.formats._keys import linux_key, named_key, vk_key
from hawkeys.datasets.key_events._rows import EventRows
from hawkeys.events.tables import plain

__all__ = ["BROWSER"]

_KINDS = ("keydown", "keyup")
_TIMES = ("timestamp", "time", "t")
_HIDDEN_KEYS = {"unidentified", "process", ""}
_LABELS = {
    "user": {"user", "userid", "subject", "participant", "typist"},
    "session": {"session", "sessionid", "sessionindex", "sitting", "page", "pageid"},
    "repetition": {"repetition", "rep", "attempt", "trial"},
}
_EXPLAINED = (
    "hide the key (keyCode 229 or 'Unidentified'), as the keyboards that phones show and input "
    "methods do: nobody can tell which key it was. Record on a physical keyboard without an input "
    "method, or log what was typed from 'input' events, which gives no holds"
)


def _is_browser(text: str) -> bool:
    row = first_object(text) if text.lstrip()[:1] in ("{", "[") else None
    if row is None:
        return False
    names = {plain(name) for name in row}
    kind = str(row.get("type", row.get("event", ""))).lower()
    return bool(names & {"code", "keycode", "which"} or "timeStamp" in row) and (
        kind.startswith(("key", "input", "composition")) or kind in ("focus", "blur")
    )


def _read_browser(reading: Reading) -> EventRows:
    found = json_objects(reading.text, reading.faults)
    rows = [(place, _parts(row)) for place, row in found.objects]
    labels = [p for p in _LABELS if any(p in row for _, row in rows) and p not in reading.filled]
    table = Table(("time", "type", "key", "code", "repeat", *labels), "ms", unit=found.unit)
    table.n_blank = found.n_blank
    hidden = 0
    for place, row in rows:
        if row["type"] not in _KINDS:
            table.skip(f"{str(row['type'])[:20] or 'nameless'} event")
            continue
        if row["key"] is None:
            hidden += 1
            if reading.faults.drop:
                reading.faults.strike("hidden key", _hidden_at(found.unit, place))
            continue
        rest = [row.get(part) for part in labels]
        table.add(place, row["time"], row["type"], row["key"], row["code"], row["repeat"], *rest)
    n_keys = hidden + len(table.rows)
    if hidden and (not reading.faults.drop or 2 * hidden > n_keys):
        raise BrokenFileError(
            f"{hidden} of {n_keys} events {_EXPLAINED}."
            + ' With on_error="drop" they are left out.' * (2 * hidden <= n_keys)
        )
    return table.finish(reading, "keydown or keyup event")


def _hidden_at(unit: str, place: int) -> Any:
    return lambda: f"{unit} {place}: keyCode 229 or 'Unidentified'"


def _parts(row: dict[str, Any]) -> dict[str, Any]:
    """Return the parts of an event by our names; the key is None if the browser hid it."""
    names = {plain(name): value for name, value in row.items()}
    parts: dict[str, Any] = {
        "type": str(names.get("type", names.get("event", names.get("eventtype", "")))).lower(),
        "time": next((names[name] for name in _TIMES if name in names), None),
        "repeat": names.get("repeat", False),
    }
    code = names.get("code")
    code = code if isinstance(code, str) and code not in ("Unidentified", "") else ""
    parts["code"], parts["key"] = code, _key(names, code)
    for part, known in _LABELS.items():
        value = next((names[name] for name in names if name in known), None)
        if value is not None:
            parts[part] = value
    return parts


def _key(names: dict[str, Any], code: str) -> str | None:
    """Return the name of a key: its character, its code, or its number."""
    key, number = names.get("key"), names.get("keycode", names.get("which"))
    if isinstance(key, str) and key.lower() not in _HIDDEN_KEYS:
        # both Shift keys have one name and two codes
        return named_key(code if key in ("Shift", "Control", "Alt", "Meta") and code else key)
    if code:
        return _key_of_code(code)
    if isinstance(number, int) and not isinstance(number, bool) and number not in (0, 229):
        return vk_key(number)
    return None


def _key_of_code(code: str) -> str:
    """Return the name of a key by its place: KeyA, Digit1, Space."""
    for start in ("Key", "Digit"):
        if code.startswith(start) and len(code) == len(start) + 1:
            return code[-1].lower()
    places = {"Period": "dot", "Quote": "apostrophe", "Backquote": "grave",
              "BracketLeft": "leftbrace", "BracketRight": "rightbrace"}  # fmt: skip
    named = linux_key(f"KEY_{places.get(code, code)}")
    return named_key(code) if named.startswith("KEY_") else named


BROWSER = EventFormat(
    "browser",
    "KeyboardEvents of a browser as JSON (milliseconds, from the start of the page)",
    '{"type": "keydown", "key": "a", "code": "KeyA", "timeStamp": 1234.5, "repeat": false}',
    _is_browser,
    _read_browser,
)
