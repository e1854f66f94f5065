"""Lags between events as they come, from which kernels are started and their limits read."""

from __future__ import annotations

import numpy as np

from hawkeys._loops.choice import Compiled, has_few_pairs
from hawkeys._plain import lags as plain
from hawkeys._plain.delayed import first_within
from hawkeys._typing import BoolArray, FloatArray, IntArray

__all__ = ["count_lags", "nearest_lags"]

jit = Compiled("lags")


def nearest_lags(
    data: tuple[FloatArray, IntArray, IntArray, FloatArray, FloatArray],
    allowed: BoolArray,
    out: FloatArray,
) -> None:
    """Add (1, log lag, its square) of each event after the latest earlier event of each source.

    See `hawkeys._jit.lags`.
    """
    n_events = data[0].size
    loops = plain if has_few_pairs(n_events * len(allowed), n_events) else jit
    loops.nearest_lags(data, allowed, out)


def count_lags(
    data: tuple[FloatArray, IntArray, IntArray, FloatArray, FloatArray],
    groups: IntArray,
    first: float,
    width: float,
    out: FloatArray,
) -> None:
    """Add the weights of all pairs of events by group and bin of the log-lag to `out`.

    See `hawkeys._jit.lags`.
    """
    times, _, offsets = data[:3]
    own = np.arange(offsets[-1])
    begin = np.repeat(offsets[:-1], np.diff(offsets))
    longest = np.full(own.size, np.exp(first + out.shape[1] * width))
    n_pairs = int((own - first_within(times, times[own], begin, own, longest)).sum())
    loops = plain if has_few_pairs(n_pairs, own.size) else jit
    loops.count_lags(data, groups, first, width, out)
