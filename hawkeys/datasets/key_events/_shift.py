"""Shift folded into the keys that it changed."""

from __future__ import annotations

import numpy as np

from hawkeys._typing import FloatArray, IntArray
from hawkeys.datasets.key_events._layouts import is_shift, shifted

__all__ = ["fold_shift"]

_FOLDED, _IDLE = "shift folded", "shift without letter"


def fold_shift(
    keys: np.ndarray,
    press: FloatArray,
    release: FloatArray,
    group: IntArray,
    table: list[str],
) -> tuple[IntArray, np.ndarray, dict[str, int]]:
    """Return the strokes to keep, the keys with capitals, and the number of events per rule.

    `table` tells what Shift makes of other keys than letters. A release that is not known (NaN)
    lets a Shift reach to the next key alone, and is one event, not two.
    """
    shift = np.array([is_shift(key) for key in keys.tolist()], dtype=bool)
    folded = keys.tolist()
    symbols = shifted(table)
    made = set(symbols.values())
    used: set[int] = set()
    held, holder = -np.inf, -1
    for stroke in range(keys.size):
        if stroke and group[stroke] != group[stroke - 1]:
            held = -np.inf
        key = folded[stroke]
        if shift[stroke]:
            until = release[stroke] if release[stroke] == release[stroke] else np.inf
            if until > held:
                held, holder = until, stroke
        elif press[stroke] < held:
            if _has_capital(key) or key in symbols or key in made:
                folded[stroke] = symbols.get(key, key if key in made else key.upper())
                used.add(holder)
            if held == np.inf:
                held = -np.inf
    n_each = 1 if np.isnan(release).any() else 2
    counts = {_FOLDED: n_each * len(used), _IDLE: n_each * (int(shift.sum()) - len(used))}
    return np.flatnonzero(~shift), np.array(folded, dtype=np.str_), counts


def _has_capital(key: str) -> bool:
    return len(key) == 1 and key.isalpha() and len(key.upper()) == 1
