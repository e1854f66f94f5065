"""`EventSlices`: stretches of successive intervals, cut from event times."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from hawkeys._typing import BoolArray, FloatArray, IntArray, RandomState
from hawkeys._validation import as_generator, check_count, check_positive_number
from hawkeys.datasets.named.event_times import CLOCK_TICK, EventTimes, snap_intervals
from hawkeys.exceptions import InvalidParameterError

__all__ = ["EventSlices", "cut_slices", "uniform_slices"]

_PER_SECOND = 1_000_000


@dataclass(frozen=True, eq=False, repr=False)
class EventSlices:
    """Slices of event times: successive intervals, with the person and the session.

    ``slices[rows]`` picks slices by a boolean mask, indices or a slice.

    Attributes
    ----------
    intervals : ndarray of float64, shape (n_slices, length)
        Seconds from event to event.
    subject : ndarray of str, shape (n_slices,)
        The person.
    session : ndarray of int64, shape (n_slices,)
        The person's session, from 0.
    first : ndarray of int64, shape (n_slices,)
        Place of the first of the length + 1 events among the person's.
    overlapping : ndarray of bool, shape (n_slices,)
        Slices that start in the middle of the one before, which starts afresh.
    """

    intervals: FloatArray
    subject: np.ndarray
    session: IntArray
    first: IntArray
    overlapping: BoolArray

    @property
    def length(self) -> int:
        """Number of intervals of a slice."""
        return int(self.intervals.shape[1])

    def __len__(self) -> int:
        return int(self.first.size)

    def __getitem__(self, rows: Any) -> EventSlices:
        return EventSlices(
            self.intervals[rows],
            self.subject[rows],
            self.session[rows],
            self.first[rows],
            self.overlapping[rows],
        )

    def __repr__(self) -> str:
        return (
            f"EventSlices: {len(self)} slices of {self.length} intervals, "
            f"{np.unique(self.subject).size} subjects, {int(self.overlapping.sum())} overlapping"
        )

    def snapped(self, *, tick: float = CLOCK_TICK, rng: RandomState = None) -> EventSlices:
        """Return the slices with intervals rounded to a clock's ticks, with uniform noise added.

        Parameters
        ----------
        tick : float, default 0.004
            Seconds between two ticks.
        rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
            Source of the noise; see `snap_intervals`.

        Returns
        -------
        EventSlices
            The same slices.

        Raises
        ------
        InvalidParameterError
            `tick` is not positive.
        """
        return replace(self, intervals=snap_intervals(self.intervals, tick=tick, rng=rng))


def cut_slices(
    data: EventTimes,
    length: int = 30,
    *,
    step_back: int = 0,
    gap: float = 4.0,
    whole_seconds: bool = False,
    session_gap: float = 3600.0,
) -> EventSlices:
    """Cut event times into slices of ``length + 1`` successive events.

    Within each run of events without a pause, slices start at the first event and then where the
    one before ended, less `step_back` events; what is left at the end of a run is dropped.

    Parameters
    ----------
    data : EventTimes
        The events.
    length : int, default 30
        Intervals of a slice.
    step_back : int, default 0
        Events that a slice shares with the next; every second slice of a run is then marked
        `overlapping`. 0: slices share no event.
    gap : float, default 4.0
        Seconds; a longer pause ends a run.
    whole_seconds : bool, default False
        Compare whole seconds of the clock, as [1]_ does: a pause between `gap` and `gap` + 1
        seconds then sometimes stays.
    session_gap : float, default 3600.0
        Seconds; a longer pause starts a session.

    Returns
    -------
    EventSlices
        Subject by subject, in the order of time.

    Raises
    ------
    InvalidParameterError
        `length`, `step_back`, `gap` or `session_gap` is not valid, or `step_back` is larger than
        `length`.

    References
    ----------
    .. [1] S. A. Calin, "Deep learning approach for keystroke recognition", whose slices have 31
       events and step back 15.

    Examples
    --------
    >>> from hawkeys.datasets import cut_slices, simulate_event_times
    >>> cut_slices(simulate_event_times(n_sessions=2, n_events=200), 30, step_back=15)
    EventSlices: 35 slices of 30 intervals, 2 subjects, 15 overlapping
    """
    check_count(length, "length")
    check_count(step_back, "step_back", minimum=0)
    if step_back > length:
        raise InvalidParameterError(
            f"step_back must be at most length={length}, else a slice never moves on; got "
            f"{step_back}."
        )
    limit = check_positive_number(gap, "gap")
    parts = []
    numbered = zip(data.subjects, data.times, data.sessions(session_gap), strict=True)
    for subject, times, session in numbered:
        first, overlapping = _starts(_pauses(times, limit, whole_seconds), length, step_back)
        path = times[first[:, None] + np.arange(length + 1)]
        parts.append(
            EventSlices(
                np.diff(path, axis=1) / _PER_SECOND,
                np.full(first.size, subject),
                session[first],
                first,
                overlapping,
            )
        )
    return _join(parts)


def uniform_slices(n_slices: int, length: int = 30, *, rng: RandomState = None) -> EventSlices:
    """Draw the "random class" of [1]_: independent intervals of 80 to 300 whole milliseconds.

    Parameters
    ----------
    n_slices : int
        How many slices.
    length : int, default 30
        Intervals of each.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Source of randomness.

    Returns
    -------
    EventSlices
        Of the subject "random", each a session of its own, none of them overlapping.

    Raises
    ------
    InvalidParameterError
        A number is no count.

    References
    ----------
    .. [1] S. A. Calin, "Deep learning approach for keystroke recognition".

    Examples
    --------
    >>> from hawkeys.datasets import uniform_slices
    >>> uniform_slices(4, rng=0)
    EventSlices: 4 slices of 30 intervals, 1 subjects, 0 overlapping
    """
    shape = check_count(n_slices, "n_slices"), check_count(length, "length")
    number = np.arange(shape[0], dtype=np.int64)
    return EventSlices(
        intervals=as_generator(rng).integers(80, 300, shape, endpoint=True) / 1000.0,
        subject=np.full(shape[0], "random"),
        session=number,
        first=number * (length + 1),
        overlapping=np.zeros(shape[0], dtype=bool),
    )


def _pauses(times: IntArray, gap: float, whole_seconds: bool) -> BoolArray:
    """Return where a run starts, (n_events,)."""
    steps = np.diff(times // _PER_SECOND) if whole_seconds else np.diff(times) / _PER_SECOND
    return np.concatenate([np.ones(min(times.size, 1), dtype=bool), steps > gap])


def _starts(new: BoolArray, length: int, step_back: int) -> tuple[IntArray, BoolArray]:
    """Return the first event of each slice, and whether it overlaps the slice before."""
    begin = np.flatnonzero(new)
    size = np.diff(np.append(begin, new.size))
    step = length + 1 - step_back
    count = np.maximum((size - length - 1) // step + 1, 0)
    place = np.arange(count.sum()) - np.repeat(np.cumsum(count) - count, count)
    first = np.repeat(begin, count) + step * place
    return first, (place % 2 == 1) & (step_back > 0)


def _join(parts: list[EventSlices]) -> EventSlices:
    names = ("intervals", "subject", "session", "first", "overlapping")
    return EventSlices(
        **{name: np.concatenate([getattr(part, name) for part in parts]) for name in names}
    )
