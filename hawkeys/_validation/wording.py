"""What came, in words for a message."""

import difflib
from collections.abc import Iterable
from typing import Any

import numpy as np

__all__ = ["brief", "brief_names", "did_you_mean"]

# longest repr in a message
_SHOWN = 60
_NAMED, _SHORT = 8, 24


def brief(value: Any) -> str:
    """Return what came, for a message: one short line, whatever its size, and no address."""
    shape = getattr(value, "shape", None)
    if isinstance(value, np.ndarray) and not shape:
        return brief(value[()])
    if isinstance(shape, tuple) and shape:
        return f"{_article(value)} of shape {shape}"
    text = " ".join(repr(value).split())
    if " at 0x" in text:
        return f"{_article(value)} from {type(value).__module__}"
    if len(text) <= _SHOWN:
        return text
    if isinstance(value, list | tuple | dict | set):
        return f"{_article(value)} of {len(value)}"
    return f"{text[: _SHOWN - 3]}..."


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Return " Did you mean 'support'?" of a misspelt name; empty if none is like it."""
    near = difflib.get_close_matches(name, list(choices), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def brief_names(names: Iterable[Any]) -> str:
    """Return the first of some names in brief, with commas between, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - _NAMED} more" if len(every) > _NAMED else ""
    return ", ".join(_short(name) for name in every[:_NAMED]) + more


def _short(name: Any) -> str:
    text = brief(name)
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 3]}..."


def _article(value: Any) -> str:
    name = type(value).__name__
    name = "array" if name == "ndarray" else name
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"
