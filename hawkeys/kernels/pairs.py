"""Pairs of moments and the events before them, some at a time."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

import numpy as np

from hawkeys._typing import FloatArray, IntArray
from hawkeys.events import Events

__all__ = ["earliest_within", "in_ranges", "one_pair", "parts_of"]

# pairs looked at together, to bound the memory
_MOST_PAIRS = 1_000_000


def parts_of(many: IntArray) -> Iterator[slice]:
    """Split moments, each of so many pairs, so that a part has about a million pairs at most."""
    ends = np.cumsum(many)
    total = int(ends[-1]) if many.size else 0
    cuts = np.searchsorted(ends, np.arange(_MOST_PAIRS, total, _MOST_PAIRS))
    bounds = np.unique(np.concatenate(([0], cuts, [many.size])))
    for begin, end in pairwise(bounds):
        yield slice(begin, end)


def in_ranges(first: IntArray, last: IntArray, rows: slice) -> tuple[IntArray, IntArray]:
    """Return all pairs (moment k of `rows`, event from first[k] to before last[k])."""
    own = np.arange(rows.start, rows.stop)
    many = last[rows] - first[rows]
    moments = np.repeat(own, many)
    within = np.arange(moments.size) - np.repeat(np.cumsum(many) - many, many)
    return moments, within + first[moments]


def earliest_within(
    events: Events, times: FloatArray, owners: IntArray, memory: FloatArray | float
) -> IntArray:
    """Return the first event of each moment's realisation not longer ago than `memory`.

    Moments of one realisation follow each other; `owners` (n,) are their realisations.
    """
    oldest = times - memory
    out = np.empty(times.size, dtype=np.int64)
    bounds = np.searchsorted(owners, np.arange(events.n_realizations + 1))
    for r, (begin, end) in enumerate(pairwise(bounds)):
        first, last = events.offsets[r : r + 2]
        out[begin:end] = first + np.searchsorted(events.times[first:last], oldest[begin:end])
    return out


def one_pair(density: FloatArray, n_marks: int, target: int, source: int) -> FloatArray:
    """Return one pair's part, shape (n,), of what `Kernel.density` returned."""
    if density.ndim == 1:
        return density
    columns = {n_marks**2: target * n_marks + source, n_marks: source, 1: 0}
    return density[:, columns[density.shape[1]]]
