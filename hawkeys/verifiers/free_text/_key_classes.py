"""Classes of keys of a QWERTY keyboard, by hand, row and use, for keys that are rarely seen."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from hawkeys._typing import IntArray

__all__ = ["KEY_CLASSES", "class_of", "class_pairs", "classes_of"]

_MEMBERS = {
    "left upper row": "q w e r t",
    "left home row": "a s d f g",
    "left lower row": "z x c v b",
    "right upper row": "y u i o p",
    "right home row": "h j k l",
    "right lower row": "n m",
    "left digit": "1 2 3 4 5 back_quote",
    "right digit": "6 7 8 9 0 dash equals",
    "space": "space",
    "shift": "shift caps_lock",
    "editing": "backspace delete",
    "enter": "enter tab",
    "punctuation": "period comma slash semicolon quote back_slash open_bracket close_bracket",
    "moving": "left right up down home end page_up page_down insert",
}
_SPELLINGS = {
    " ": "space",
    ".": "period",
    ",": "comma",
    "/": "slash",
    ";": "semicolon",
    "'": "quote",
    "-": "dash",
    "=": "equals",
    "`": "back_quote",
    "\\": "back_slash",
    "[": "open_bracket",
    "]": "close_bracket",
    "\n": "enter",
    "\t": "tab",
    "return": "enter",
    "shift_l": "shift",
    "shift_r": "shift",
}
_OTHER = "other"

KEY_CLASSES = (*_MEMBERS, _OTHER)
"""Names of the classes; keys that are nowhere else are "other"."""

_NUMBER = {key: place for place, keys in enumerate(_MEMBERS.values()) for key in keys.split()}


def class_of(key: str) -> str:
    """Return the name of the class of a key.

    Parameters
    ----------
    key : str
        Name of a key, such as "a", "space" or "."; case does not matter.

    Returns
    -------
    str
        One of `KEY_CLASSES`.

    Examples
    --------
    >>> from hawkeys.verifiers.free_text._key_classes import class_of
    >>> class_of("T"), class_of("."), class_of("F13")
    ('left upper row', 'punctuation', 'other')
    """
    name = str(key).lower()
    return KEY_CLASSES[_NUMBER.get(_SPELLINGS.get(name, name), len(KEY_CLASSES) - 1)]


def classes_of(keys: Iterable[str]) -> IntArray:
    """Return the number of the class of each key, its place in `KEY_CLASSES`."""
    return np.array([KEY_CLASSES.index(class_of(key)) for key in keys], dtype=np.int64)


def class_pairs(first: IntArray, second: IntArray, same: np.ndarray) -> IntArray:
    """Return the number of each pair of classes; one key struck twice is a pair of its own."""
    n_classes = len(KEY_CLASSES)
    return np.where(same, n_classes**2, 0) + first * n_classes + second
