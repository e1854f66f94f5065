"""The clock behind keystrokes of free text."""

from __future__ import annotations

import numpy as np

from hawkeys.datasets.clocks import interval_tick
from hawkeys.verifiers.fixed_text._intervals import resolution_of, stated_resolution
from hawkeys.verifiers.free_text.recordings import Recordings

__all__ = ["resolution_of_strokes"]

# intervals of a kind (holds of a key, press intervals of a pair) from which it counts, and kinds
_FEWEST, _MOST_KINDS = 10, 200


def resolution_of_strokes(strokes: Recordings, clock: float | None) -> float:
    """Return the resolution of keystrokes in seconds, 0 for exact ones.

    The one that is given; else the tick that is found, if it is coarse or an interval is zero, as
    for samples of a fixed text, where each key and pair of keys is a column.
    """
    if clock is not None:
        return stated_resolution(clock)
    lags = strokes.lags("press-press")
    n_keys = len(strokes.names)
    intervals = np.concatenate([strokes.release - strokes.press, lags.lag])
    kind = np.concatenate([strokes.key, n_keys * (1 + lags.first) + lags.second])
    kinds, column, count = np.unique(kind, return_inverse=True, return_counts=True)
    common = np.argsort(-count, kind="stable")[:_MOST_KINDS]
    common = common[count[common] >= _FEWEST]
    place = np.full(kinds.size, -1)
    place[common] = np.arange(common.size)
    used = place[column] >= 0
    tick = interval_tick(intervals[used], place[column][used])
    return resolution_of(tick, bool((intervals == 0.0).any()))
