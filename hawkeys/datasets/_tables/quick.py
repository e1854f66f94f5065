"""Columns of a plain, even table from its bytes, without an object for each cell.

Every row must have as many cells as the header, and no cell a quotation mark: the caller reads all
else line by line.
"""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from hawkeys._typing import FloatArray
from hawkeys.datasets._tables.codes import codes_of_words

__all__ = ["QuickTable", "quick_table"]

_NUMERIC = ("press", "release", "time")
# bytes that are looked through at a time, so that they stay in the cache
_PART = 2**18
# bytes of a label; longer ones are left to the reader of lines
_LONGEST = 400
_LARGEST_WHOLE = 2**53
# the first k bytes of eight, in the order of little-endian machines
_FIRST = np.array([(1 << (8 * k)) - 1 for k in range(9)], dtype=np.uint64)


class QuickTable(NamedTuple):
    """The header, and where every cell of it and of the rows under it ends in the bytes."""

    header: list[str]
    content: bytes
    ends: Any

    @property
    def n_rows(self) -> int:
        """Number of rows under the header."""
        return self.ends.shape[0] - 1

    def cells(self, places: Mapping[str, int], separator: str) -> dict[str, Any] | None:
        """Return labels as categories and times as doubles, by part; None if it is not sure."""
        found: dict[str, Any] = {}
        times = {part: place for part, place in places.items() if part in _NUMERIC}
        numbers = self._numbers(sorted(times.values()), separator)
        if numbers is None:
            return None
        for part, place in places.items():
            cells = numbers[place] if part in times else self._labels(place)
            if cells is None:
                return None
            found[part] = cells
        return found

    def _numbers(self, places: list[int], separator: str) -> dict[int, FloatArray] | None:
        """Return columns of numbers; None if a cell is written otherwise, or beyond doubles."""
        version = tuple(int(part) for part in pd.__version__.split(".")[:2])
        # newer versions read numbers exactly without being asked
        exact = {} if version >= (3, 1) else {"float_precision": "round_trip"}
        try:
            table = pd.read_csv(
                io.BytesIO(memoryview(self.content)[: -_LONGEST - 8]),
                header=None,
                skiprows=1,
                sep=separator,
                usecols=places,
                dtype="float64",
                na_filter=False,
                quoting=3,
                skip_blank_lines=False,
                **exact,
            )
        except (ValueError, pd.errors.ParserError):
            return None
        columns = {place: table[place].to_numpy(np.float64) for place in places}
        sure = all((np.abs(column) < _LARGEST_WHOLE).all() for column in columns.values())
        return columns if sure and len(table) == self.n_rows else None

    def _labels(self, place: int) -> pd.Categorical | None:
        """Return a column of labels; None if one is very long."""
        ends = self.ends[1:, place]
        begins = (self.ends[1:, place - 1] if place else self.ends[:-1, -1]) + 1
        lengths = ends - begins
        longest = int(lengths.max())
        if longest > _LONGEST:
            return None
        # eight bytes from any place on; the content is longer by as many zeros as a label may have
        letters = np.frombuffer(self.content, np.uint8)
        words = np.lib.stride_tricks.as_strided(
            letters[:8].view("<u8"), shape=(letters.size - 7,), strides=(1,)
        )
        codes = codes_of_words(
            words[begins + first] & _FIRST[np.clip(lengths - first, 0, 8)]
            for first in range(0, max(longest, 1), 8)
        )
        rows = np.full(int(codes.max()) + 1, -1)
        rows[codes[::-1]] = np.arange(codes.size)[::-1]
        names = [self.content[begins[row] : ends[row]].decode() for row in rows.tolist()]
        return pd.Categorical.from_codes(codes, names)


def quick_table(text: str, separator: str) -> QuickTable | None:
    """Return the table in a text whose lines end with a line feed; None for all but even ones."""
    content = text.encode() + b"\n" + b"\0" * (_LONGEST + 8)
    letters = np.frombuffer(content, np.uint8)[: -_LONGEST - 8]
    kind = np.int32 if letters.size < 2**31 else np.int64
    found = []
    for first in range(0, letters.size, _PART):
        part = letters[first : first + _PART]
        places = np.flatnonzero((part == ord(separator)) | (part == 10)).astype(kind)
        places += kind(first)
        found.append(places)
    ends: Any = np.concatenate(found)
    header = text[: text.find("\n")].split(separator)
    width = len(header)
    if ends.size % width or width < 2 or ends.size == width:
        return None
    kinds = letters[ends].reshape(-1, width)
    if (kinds[:, -1] != 10).any() or (kinds[:, :-1] == 10).any():
        return None
    return QuickTable(header, content, ends.reshape(-1, width))
