"""The text of a recording: which keys it is, and how intervals between them are told in words."""

from __future__ import annotations

import re
from typing import Any

from hawkeys.datasets.timing_files._layouts import number_keys
from hawkeys.datasets.timings import timing_columns
from hawkeys.exceptions import InvalidParameterError

__all__ = ["RETURN", "TypedText"]

RETURN = "Return"
_END = f"<{RETURN}>"
_LONGEST = 100
_NAMED = re.compile(r"<\w{2,}>")


class TypedText:
    """A text of characters that ends with Return, which belongs to each sample.

    Attributes: `characters` (without Return), `keys` (names, Return last), `numbered` (the same,
    all different), `spelling` (as --text of the other commands takes it), `columns` (the names of
    the intervals).
    """

    def __init__(self, text: Any) -> None:
        if not isinstance(text, str):
            raise InvalidParameterError(
                f"text must be what is to be typed, as text; got {type(text).__name__}."
            )
        self.characters = text.removesuffix(_END)
        _check(self.characters)
        self.spelling = self.characters + _END
        self.keys = [{" ": "Space"}.get(one, one) for one in self.characters] + [RETURN]
        self.numbered = number_keys(self.keys)
        self.columns = timing_columns(self.numbered)

    def in_words(self, column: int) -> str:
        """Return which interval a column of the timing matrix is."""
        first, kind = divmod(column, 3)
        one = self._name(first)
        if kind == 0:
            return f"hold of {one}"
        start = "press" if kind == 1 else "release"
        return f"{start} of {one} to press of {self._name(first + 1)}"

    def _name(self, place: int) -> str:
        """Return the name of a key, with its place if the text has it twice."""
        key = self.keys[place]
        again = f" (key {place + 1})" if self.keys.count(key) > 1 else ""
        return f"{key}{again}"


def _check(characters: str) -> None:
    """Refuse a text that the page cannot ask for."""
    named = _NAMED.search(characters)
    bad = next((one for one in characters if not one.isprintable()), None)
    if named or bad is not None:
        raise InvalidParameterError(
            f"text holds {named.group() if named else ascii(bad)}; the page takes characters that "
            f"a key types, and {_END} at the end at most. Leave it out."
        )
    if not characters.strip() or characters != characters.strip() or len(characters) > _LONGEST:
        raise InvalidParameterError(
            f"text must be 1 to {_LONGEST} characters, the first and the last no blanks; got "
            f"{len(characters)}: {characters[:40]!r}. Give another text."
        )
