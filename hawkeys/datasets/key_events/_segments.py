"""Events in the order of their recordings, cut where the clock goes back.

The order of a file is data: where time goes back by more than 20 ms within a recording, the clock
has started again or was set, and what follows is a segment of its own. A step back of less is
disorder of neighbours, as loggers with several threads make it, and is sorted. A file that was
shuffled or sorted by another column looks alike; it is told by what cutting would tear apart.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.exceptions import DatasetError

__all__ = ["Arrangement", "arrange"]

# seconds by which neighbouring rows may be in disorder
_DISORDER = 0.020
# events of a segment on the average, from which on a cut may tear some strokes
_LONG = 8
_TORN, _TORN_SHORT = 4, 1
# presses for each key of a file, from which on keys in one block each say that it is sorted by key
_PRESSES = 1.5


class Arrangement(NamedTuple):
    """Rows in order, and the number of each one's segment, counted through all recordings.

    `n_back` is the number of places where a clock went back, `n_disorder` of rows that were sorted
    between their neighbours.
    """

    order: IntArray
    segment: IntArray
    n_back: int
    n_disorder: int


def arrange(
    group: IntArray,
    time: FloatArray,
    order: str,
    *,
    also: FloatArray | None = None,
    keys: IntArray,
    torn: Callable[[Arrangement], IntArray],
    name: Callable[[int], str],
) -> Arrangement:
    """Return the rows by recording (group), each in the order of the file, cut and sorted.

    `also` is a second time that must go back with the first (the release of a keystroke). `torn`
    counts by row 1 for each event that an arrangement leaves without a partner, `keys` are the keys
    of the rows, `name` calls a recording by one of its rows. With `order` "time" all is sorted,
    with "file" cut at every step back.

    Raises `DatasetError` if the two cannot be told apart.
    """
    rows = np.arange(group.size)
    if (group[1:] < group[:-1]).any():
        rows = np.argsort(group, kind="stable")
    inside = group[rows][1:] == group[rows][:-1]
    steps = np.diff(time[rows])
    late = inside & (steps < 0)
    if not late.any():
        return Arrangement(rows, group[rows], 0, 0)
    if order == "time":
        return _sorted(rows, group, time, 0)
    back = late & (steps < (-_DISORDER if order == "auto" else 0.0))
    if also is not None:
        back &= np.diff(also[rows]) < (-_DISORDER if order == "auto" else 0.0)
    if not back.any():
        return _sorted(rows, group, time, int(late.sum()))
    segment = np.empty(group.size, np.int64)
    segment[rows] = np.append(0, np.cumsum(back | ~inside))
    cut = _sorted(rows, segment, time, int((late & ~back).sum()), int(back.sum()))
    if order == "auto":
        whole = _sorted(rows, group, time, 0)
        excess = np.bincount(group, torn(cut) - torn(whole))
        by_key = _is_by_key(rows, group, keys, n_each=2 if also is None else 1)
        _check(cut, group, excess, by_key, name)
    return cut


def _sorted(
    rows: IntArray, group: IntArray, time: FloatArray, n_disorder: int, n_back: int = 0
) -> Arrangement:
    """Return rows by group and time; at one time in the order of the file."""
    ordered = rows[np.lexsort((time[rows], group[rows]))]
    return Arrangement(ordered, group[ordered], n_back, n_disorder)


def _check(
    cut: Arrangement,
    group: IntArray,
    excess: IntArray | FloatArray,
    by_key: BoolArray,
    name: Callable[[int], str],
) -> None:
    """Refuse recordings whose cuts tear more than a clock that starts again would."""
    starts = np.flatnonzero(np.append(True, cut.segment[1:] != cut.segment[:-1]))
    recording = group[cut.order[starts]]
    n_cuts, n_events = np.bincount(recording) - 1, np.bincount(group)
    allowed = np.where(n_events >= _LONG * (n_cuts + 1), _TORN, _TORN_SHORT) * n_cuts
    first = np.full(n_events.size, group.size)
    np.minimum.at(first, group, np.arange(group.size))
    for bad in np.flatnonzero((n_cuts > 0) & ((excess > allowed) | by_key))[:1]:
        raise DatasetError(
            f"{name(int(first[bad]))}: time goes back {n_cuts[bad]} times in "
            f"{n_events[bad]} events, and it cannot be told whether the clock started again or "
            "the rows are out of order (sorted "
            'by another column, or shuffled). Say order="time" (--order time) to sort them by '
            'time, or order="file" to begin a new segment wherever time goes back.'
        )


def _is_by_key(rows: IntArray, group: IntArray, keys: IntArray, *, n_each: int) -> BoolArray:
    """Tell of each recording whether all rows of a key stand together, one key after another."""
    chain = group[rows] * (int(keys.max()) + 1) + keys[rows]
    begins = np.append(True, chain[1:] != chain[:-1])
    n_runs = np.bincount(group[rows][begins])
    n_keys = np.bincount(group[rows][np.unique(chain, return_index=True)[1]])
    n_rows = np.bincount(group)
    return (n_runs == n_keys) & (n_keys > 1) & (n_rows >= _PRESSES * n_each * n_keys)
