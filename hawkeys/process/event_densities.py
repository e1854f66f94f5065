"""The log-likelihood event by event: the density of each, given all before it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys.events import Events

__all__ = ["log_densities"]

# intensities of all marks at so many events at once take at most 32 MB
_MOST_NUMBERS = 2**22


def log_densities(
    events: Events,
    intensity_at: Callable[[Events, int, FloatArray], FloatArray],
    compensator_at: Callable[[Events, int, FloatArray], FloatArray],
) -> FloatArray:
    """Return the log of each event's density in time and mark, shape (n_events,), in nats.

    The functions return intensities and their integrals at sorted times, (n_times, n_marks).
    """
    out = np.empty(events.n_events)
    for r in range(events.n_realizations):
        first, last = events.offsets[r : r + 2].tolist()
        before = 0.0
        for begin in range(first, last, _MOST_NUMBERS // events.n_marks + 1):
            rows = slice(begin, min(begin + _MOST_NUMBERS // events.n_marks + 1, last))
            times, marks = events.times[rows], events.marks[rows]
            rates = intensity_at(events, r, times)[np.arange(marks.size), marks]
            passed = compensator_at(events, r, times).sum(axis=1)
            with np.errstate(divide="ignore"):
                out[rows] = np.log(rates) - np.diff(passed, prepend=before)
            before = passed[-1]
    return out
