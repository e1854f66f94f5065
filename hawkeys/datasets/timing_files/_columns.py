"""Which text the timing columns of a table are of, and which of them are missing."""

from __future__ import annotations

from collections.abc import Sequence

from hawkeys.datasets._tables.files import BrokenFileError, list_names
from hawkeys.datasets.timings import timing_columns

__all__ = ["PREFIXES", "sort_timing_columns"]

PREFIXES = ("H.", "DD.", "UD.")


def sort_timing_columns(
    columns: Sequence[str], others: Sequence[str]
) -> tuple[tuple[str, ...], list[str]]:
    """Return the keys of the text, in the order typed, and the columns H, DD, UD, H, ... of it.

    The order of the keys is told by the names DD.k1.k2; if these form no chain through all keys, it
    is that of the columns H.k1, H.k2, ... The columns may stand anywhere. Raises `BrokenFileError`
    if one is missing or there is one too many.
    """
    keys = _keys_of(columns)
    expected = timing_columns(keys)
    missing = [name for name in expected if name not in columns]
    unknown = [name for name in columns if name not in expected]
    if missing:
        near = {name.lower(): name for name in others}
        spelt = [near[name.lower()] for name in missing if name.lower() in near]
        hint = f" ({list_names(spelt)} must be spelt as here)" if spelt else ""
        rest = f"; unknown {list_names(unknown)}" if unknown else ""
        raise BrokenFileError(
            f"the timing column{'s' * (len(missing) > 1)} {list_names(missing)} "
            f"{'are' if len(missing) > 1 else 'is'} missing{hint}; expected {len(expected)} for "
            f"the keys {' '.join(keys)[:60]}{rest}. Add what is missing, as in the CMU benchmark."
        )
    if unknown:
        raise BrokenFileError(
            f"the timing column{'s' * (len(unknown) > 1)} {list_names(unknown)} "
            f"{'do' if len(unknown) > 1 else 'does'} not belong to the keys "
            f"{' '.join(keys)[:60]}, whose columns are {list_names(expected)}. Rename or remove."
        )
    return tuple(keys), expected


def _keys_of(columns: Sequence[str]) -> list[str]:
    """Return the keys that have a hold, and those that only the other columns know."""
    keys = [name[2:] for name in columns if name.startswith("H.")]
    rests = [name[3:] for name in columns if not name.startswith("H.")]
    waiting = True
    while waiting:
        waiting = False
        for rest in rests:
            found = _unknown_key(rest, keys)
            if found is not None:
                keys.insert(*found)
                waiting = True
    keys = keys or [part for part in rests[0].split(".", 1) if part]
    return _chain([name[3:] for name in columns if name.startswith("DD.")], keys) or keys


def _chain(pairs: Sequence[str], keys: Sequence[str]) -> list[str] | None:
    """Return the keys in the order that "k1.k2" pairs tell, None if they tell none."""
    after: dict[str, str] = {}
    for pair in pairs:
        splits = [(one, pair[len(one) + 1 :]) for one in keys if pair.startswith(f"{one}.")]
        splits = [(one, two) for one, two in splits if two in keys]
        if len(splits) != 1 or splits[0][0] in after:
            return None
        after[splits[0][0]] = splits[0][1]
    first = [key for key in keys if key not in after.values()]
    if len(first) != 1 or len(after) != len(keys) - 1:
        return None
    chain = first
    while chain[-1] in after:
        chain.append(after[chain[-1]])
    return chain if len(chain) == len(keys) else None


def _unknown_key(rest: str, keys: Sequence[str]) -> tuple[int, str] | None:
    """Return place and name of the key in "k1.k2" that is not among `keys`, if the other is."""
    if any(rest == f"{one}.{two}" for one in keys for two in keys):
        return None
    for place, key in enumerate(keys):
        before, after = rest.removesuffix(f".{key}"), rest.removeprefix(f"{key}.")
        if after not in (rest, "", *keys):
            return place + 1, after
        if before not in (rest, "", *keys):
            return place, before
    return None
