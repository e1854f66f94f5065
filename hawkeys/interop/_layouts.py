"""How other libraries lay out event data: one array per mark, or times beside marks.

They all count time from the start of the window, so `start_times` are subtracted on the way out.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import cast

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys.events import Events
from hawkeys.exceptions import HawkeysWarning, InvalidEventsError

__all__ = [
    "as_realizations",
    "check_events",
    "flat_arrays",
    "lists_per_mark",
    "one_realization",
    "warn_of_ties",
]


def check_events(events: Events) -> Events:
    """Return `events` if they are Events without values, of which other libraries know nothing."""
    if not isinstance(events, Events):
        raise InvalidEventsError(
            f"expected hawkeys.Events, got {type(events).__name__}. Build them with "
            "Events.from_lists(..., end_times=...)."
        )
    if events.values is not None:
        raise InvalidEventsError(
            "the events have values, for which the other library has no place. Leave them behind "
            "with events.with_values(None) if that is meant."
        )
    return events


def one_realization(events: Events, peer: str) -> Events:
    """Return `events` if they hold exactly one realisation."""
    if check_events(events).n_realizations != 1:
        raise InvalidEventsError(
            f"{peer} takes one realisation at a time; got {events.n_realizations}. Convert "
            "events[r] for each r and add up the log-likelihoods."
        )
    return events


def lists_per_mark(events: Events) -> list[list[FloatArray]]:
    """Return one array of times per realisation and mark, each window starting at 0."""
    starts = events.start_times
    return [[times - starts[r] for times in part] for r, part in enumerate(events.to_lists())]


def flat_arrays(events: Events) -> tuple[FloatArray, IntArray, float]:
    """Return times, marks and length of the window of one realisation, the start being 0."""
    return events.times - events.start_times[0], events.marks.copy(), float(events.durations[0])


def warn_of_ties(events: Events, peer: str) -> None:
    """Warn that the other library lets simultaneous events excite each other."""
    tied = int((np.diff(events.times) == 0).sum())
    if tied:
        warnings.warn(
            f"{tied} of {events.n_events} events happen at the time of the event before; {peer} "
            "lets the earlier in the array excite the later, hawkeys does not, and their "
            "log-likelihoods differ.",
            HawkeysWarning,
            stacklevel=3,
        )


def as_realizations(
    timestamps: Sequence[ArrayLike] | Sequence[Sequence[ArrayLike]],
) -> list[Sequence[ArrayLike]]:
    """Return a list of realisations; one array per mark directly is one realisation."""
    flat = len(timestamps) > 0 and all(isinstance(part, np.ndarray) for part in timestamps)
    return cast(list[Sequence[ArrayLike]], [timestamps] if flat else list(timestamps))
