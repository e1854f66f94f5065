"""Which characters share a key, by layout: the physical key of a name where no code tells it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hawkeys.events.tables import plain
from hawkeys.exceptions import InvalidParameterError

__all__ = ["LAYOUTS", "check_layout", "is_shift", "physical_names", "shifted"]

# each group is a key: what it types alone, with Shift, with AltGr
LAYOUTS = {
    "us": "`~ 1! 2@ 3# 4$ 5% 6^ 7& 8* 9( 0) -_ =+ [{ ]} \\| ;: '\" ,< .> /?",
    "uk": "`¬ 1! 2\" 3£ 4$€ 5% 6^ 7& 8* 9( 0) -_ =+ [{ ]} #~ ;: '@ ,< .> /? \\|",
    "de": "^° 1! 2\"² 3§³ 4$ 5% 6& 7/{ 8([ 9)] 0=} ß?\\ ´` üÜ +*~ öÖ äÄ #' <>| ,; .: -_ qQ@ eE€",
    "fr": "² &1 é2~ \"3# '4{ (5[ -6| è7` _8\\ ç9^ à0@ )°] =+} ^¨ $£¤ ù% *µ <> ,? ;. :/ !§ eE€",
}
_SHIFTS = {"shift", "shiftl", "shiftr", "lshift", "rshift", "shiftleft", "shiftright"} | {
    "leftshift",
    "rightshift",
    "lshiftkey",
    "rshiftkey",
}


def is_shift(key: str) -> bool:
    """Return whether a key is a Shift key, left or right."""
    return plain(key).removeprefix("key") in _SHIFTS


def check_layout(layout: Any) -> list[str] | None:
    """Return the keys of a layout as groups of characters; None for "auto"."""
    if isinstance(layout, str) and layout in LAYOUTS:
        return LAYOUTS[layout].split(" ")
    if layout is None or (isinstance(layout, str) and layout == "auto"):
        return None if layout == "auto" else []
    if not isinstance(layout, Mapping) or not all(
        isinstance(one, str) and isinstance(other, str) for one, other in layout.items()
    ):
        raise InvalidParameterError(
            f"layout must be auto, {', '.join(LAYOUTS)}, None, or a mapping from what a key types "
            f'alone to what it types with Shift, as {{"1": "!"}}; got {str(layout)[:40]!r}.'
        )
    return [f"{one}\n{other}" for one, other in layout.items()]


def _parts(group: str) -> list[str]:
    """Return the names in a group: characters, or the two of a user's table."""
    return group.split("\n") if "\n" in group else list(group)


def physical_names(groups: list[str]) -> dict[str, str]:
    """Return the physical key, called as what it types alone, of each name in the groups."""
    return {name: _parts(group)[0].lower() for group in groups for name in _parts(group)}


def shifted(groups: list[str]) -> dict[str, str]:
    """Return what each key types with Shift, by what it types alone."""
    pairs = [_parts(group) for group in groups]
    return {parts[0]: parts[1] for parts in pairs if len(parts) > 1}
