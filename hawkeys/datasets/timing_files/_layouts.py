"""Layouts of timing tables: the names of CMU from those of BKSD and of KeyRecs."""

from __future__ import annotations

import re
from collections.abc import Sequence

from hawkeys.datasets._tables.telling import BrokenFileError, list_names

__all__ = ["find_layout", "named_columns", "number_keys"]

_BKSD = re.compile(r"^(DD|UD)\.([^._]+)_([^._]+)$")
_KEYRECS = re.compile(r"^(DU|DD|UD|UU)\.(.+?)(?:\.\d+)?$")
# the columns of KeyRecs for a key and the one after it
_CYCLE = ("DU", "DD", "DU", "UD", "UU")


def find_layout(header: Sequence[str]) -> str:
    """Return the name of the layout that a header has."""
    if any(name.startswith("UU.") for name in header):
        return "keyrecs"
    return "bksd" if any(_BKSD.match(name) for name in header) else "cmu"


def number_keys(keys: Sequence[str]) -> list[str]:
    """Return names that are all different: a name that occurs again gets a number."""
    names: list[str] = []
    taken = set(keys)
    for key in keys:
        name, number = key, 2
        while name in names or (name != key and name in taken):
            name, number = f"{key}{number}", number + 1
        names.append(name)
    return names


def named_columns(columns: list[list[str]], layout: str) -> list[list[str]]:
    """Return columns (the name of each first) under the names of the CMU benchmark.

    Raises `BrokenFileError` if the columns are not those of the layout.
    """
    if layout == "bksd":
        return [[_BKSD.sub(r"\1.\2.\3", column[0]), *column[1:]] for column in columns]
    return _from_keyrecs(columns) if layout == "keyrecs" else columns


def _from_keyrecs(columns: list[list[str]]) -> list[list[str]]:
    """Return H, DD and UD by the places of the columns: a key that comes again has one name twice.

    The last hold is not there: it is DU of the last two keys less DD of them.
    """
    timed = [column for column in columns if _KEYRECS.match(column[0])]
    others = [column for column in columns if not _KEYRECS.match(column[0])]
    kinds = [column[0].split(".")[0] for column in timed]
    n_pairs, rest = divmod(len(timed), len(_CYCLE))
    expected = [*_CYCLE * n_pairs, *_CYCLE[:rest]]
    if not n_pairs or rest > 1 or kinds != expected:
        raise BrokenFileError(
            "expected the columns of KeyRecs, for each key DU.k1.k1, DD.k1.k2, DU.k1.k2, UD.k1.k2 "
            f"and UU.k1.k2; got {list_names([column[0] for column in timed], 8)}."
        )
    keys: list[str] = []
    for column in timed[1::5]:
        before, _, after = column[0].removeprefix("DD.").partition(".")
        keys += [before] if not keys else []
        keys.append(after.split(".")[0])
    names = number_keys(keys)
    found = []
    for k in range(n_pairs):
        hold, dd, _, ud, _ = timed[5 * k : 5 * k + 5]
        pair = f"{names[k]}.{names[k + 1]}"
        found += [[f"H.{names[k]}", *hold[1:]], [f"DD.{pair}", *dd[1:]], [f"UD.{pair}", *ud[1:]]]
    last = timed[-1][1:] if rest else _differences(timed[-3][1:], timed[-4][1:])
    return [*others, *found, [f"H.{names[-1]}", *last]]


def _differences(larger: Sequence[str], smaller: Sequence[str]) -> list[str]:
    """Return differences of numbers as text; empty where one is no number."""
    cells = []
    for one, other in zip(larger, smaller, strict=True):
        try:
            cells.append(repr(round(float(one) - float(other), 9)))
        except ValueError:
            cells.append("")
    return cells
