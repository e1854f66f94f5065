"""`EventTimes`: when keys were struck, without which; two people of Calin, and simulated ones."""

from __future__ import annotations

import itertools
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from hawkeys._typing import FloatArray, IntArray, RandomState
from hawkeys._validation import (
    as_float_array,
    as_generator,
    check_count,
    check_nonnegative,
    check_positive_number,
)
from hawkeys.datasets._tables.files import load_bytes
from hawkeys.datasets.provenance import Provenance, sha256_of
from hawkeys.exceptions import DatasetError, DatasetNotFoundError, InvalidParameterError

__all__ = [
    "CLOCK_TICK",
    "EventTimes",
    "clock_residuals",
    "load_press_times",
    "press_time_places",
    "simulate_event_times",
    "snap_intervals",
]

CLOCK_TICK = 0.004
"""Seconds between two polls of the keyboards of `load_press_times`."""

_NAME = re.compile(r"timestamps_([0-9a-z]+?)(?:_(\d+))?\.bin")
_PER_SECOND = 1_000_000
_ADVICE = (
    "There is no download: place the files timestamps_*.bin in the folder press_times of a folder "
    "named by the environment variable HAWKEYS_DATA, or give their folder; "
    "simulate_event_times() needs none."
)


@dataclass(frozen=True, eq=False, repr=False)
class EventTimes:
    """Times of the key events of several people, without keys.

    Attributes
    ----------
    subjects : tuple of str
        The people.
    times : tuple of ndarray of int64, one per subject, shape (n_events,)
        Microseconds on the clock of the source, never decreasing; read-only.
    origin : Provenance or None
        Where they come from; its samples are events.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.datasets import EventTimes
    >>> EventTimes(("ann",), (np.array([0, 120_000, 9_000_000_000]),)).sessions()
    (array([0, 0, 1]),)
    """

    subjects: tuple[str, ...]
    times: tuple[IntArray, ...]
    origin: Provenance | None = None

    def __post_init__(self) -> None:
        if len(self.subjects) != len(self.times):
            raise InvalidParameterError(
                f"times must hold one array per subject; got {len(self.times)} arrays for "
                f"{len(self.subjects)} subjects."
            )
        for subject, times in zip(self.subjects, self.times, strict=True):
            if times.dtype != np.int64 or times.ndim != 1:
                raise InvalidParameterError(
                    f"times of subject {subject!r} must be a flat array of int64, microseconds; "
                    f"got {times.dtype} of shape {times.shape}."
                )
            for place in np.flatnonzero(np.diff(times) < 0)[:1]:
                raise InvalidParameterError(
                    f"times of subject {subject!r} must not decrease; times[{place + 1}]="
                    f"{times[place + 1]} < times[{place}]={times[place]}. Sort the parts of a "
                    "recording by their first time."
                )
            times.flags.writeable = False

    @property
    def provenance(self) -> dict[str, str]:
        """Where the events come from, as text for a report; empty if it is not known."""
        return {} if self.origin is None else self.origin.to_dict()

    def sessions(self, gap: float = 3600.0) -> tuple[IntArray, ...]:
        """Number the sessions of each subject, which longer pauses part.

        Parameters
        ----------
        gap : float, default 3600.0
            Seconds; a longer pause starts a session.

        Returns
        -------
        tuple of ndarray of int64, one per subject, shape (n_events,)
            0, 1, ... in the order of time.

        Raises
        ------
        InvalidParameterError
            `gap` is not positive.
        """
        limit = check_positive_number(gap, "gap") * _PER_SECOND
        return tuple(
            np.concatenate(
                [np.zeros(min(times.size, 1), np.int64), np.cumsum(np.diff(times) > limit)]
            )
            for times in self.times
        )

    def __repr__(self) -> str:
        counts = ", ".join(
            f"{subject} {times.size}"
            for subject, times in zip(self.subjects, self.times, strict=True)
        )
        return f"EventTimes: {len(self.subjects)} subjects, events: {counts}"


def load_press_times(path: str | os.PathLike[str] | None = None) -> EventTimes:
    """Load the event times of two people who typed freely, mostly programs [1]_.

    Parameters
    ----------
    path : path, optional
        Folder of the files ``timestamps_NAME.bin`` or ``timestamps_NAME_PART.bin``. Default:
        ``press_times`` in the folder named by the environment variable HAWKEYS_DATA. There is no
        download.

    Returns
    -------
    EventTimes
        One subject per NAME; the parts are put in the order of their first times.

    Raises
    ------
    DatasetNotFoundError
        There is no such folder, or no such file in it; the message says where it was looked for.
    DatasetError
        A file is not made of whole records, its microseconds are 1,000,000 or more, its times
        decrease, or two parts of one person overlap.

    Notes
    -----
    A record is two little-endian unsigned 64-bit integers, seconds and microseconds since 1970,
    without a header. The recorder kept the RELEASES of keys although its paper says presses; here
    they are called event times. Every interval lies on a grid of 4 ms (polling of the keyboard),
    and the scatter about the grid tells the two MACHINES apart: see `snap_intervals`.

    References
    ----------
    .. [1] S. A. Calin, "Deep learning approach for keystroke recognition", and the data published
       with it.

    Examples
    --------
    >>> from hawkeys.datasets import load_press_times
    >>> load_press_times("nowhere")
    Traceback (most recent call last):
    ...
    hawkeys.exceptions.DatasetNotFoundError: nowhere: no file timestamps_*.bin. Check the path.
    """
    files = _find(path)
    contents = {file: load_bytes(file) for file in files}
    parts: dict[str, list[IntArray]] = {}
    for file, content in contents.items():
        name = _NAME.fullmatch(file.name)
        if name is not None:
            parts.setdefault(name[1], []).append(_read_records(content, file))
    subjects = tuple(sorted(parts))
    times = tuple(_join(subject, parts[subject]) for subject in subjects)
    origin = Provenance(
        name="press-times",
        source=str(files[0].parent),
        sha256=sha256_of(b"".join(contents.values())),
        n_samples=sum(one.size for one in times),
        n_subjects=len(subjects),
        simulated=False,
    )
    return EventTimes(subjects, times, origin)


def simulate_event_times(
    n_subjects: int = 2,
    *,
    n_sessions: int = 6,
    n_events: int = 1500,
    rng: RandomState = 0,
) -> EventTimes:
    """Simulate people who type freely, so that nothing has to be downloaded.

    Within a burst the log of an interval follows an autoregression around the person's own level,
    with occasional short repeats; bursts end in pauses of 5 s or more, sessions in two hours.

    Parameters
    ----------
    n_subjects : int, default 2
        How many people.
    n_sessions : int, default 6
        Sessions of each.
    n_events : int, default 1500
        Events of each session.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None, default 0
        Seed.

    Returns
    -------
    EventTimes
        Subjects "simulated-0", "simulated-1", ...; times on a grid of 4 ms. They say nothing
        about people.

    Raises
    ------
    InvalidParameterError
        A count or the seed is not valid.

    Examples
    --------
    >>> from hawkeys.datasets import simulate_event_times
    >>> simulate_event_times(n_sessions=2, n_events=100)
    EventTimes: 2 subjects, events: simulated-0 200, simulated-1 200
    """
    check_count(n_subjects, "n_subjects")
    size = check_count(n_sessions, "n_sessions") * check_count(n_events, "n_events", minimum=2)
    draws = as_generator(rng)
    times = tuple(_simulate_person(draws, size, n_events) for _ in range(n_subjects))
    joined = b"".join(one.astype("<i8").tobytes() for one in times)
    origin = Provenance(
        name="simulated-event-times",
        source=f"hawkeys.datasets.simulate_event_times({n_subjects}, n_sessions={n_sessions}, "
        f"n_events={n_events})",
        sha256=sha256_of(joined),
        n_samples=size * n_subjects,
        n_subjects=n_subjects,
        simulated=True,
        notice="SIMULATED event times, no real person. The figures say nothing about people.",
    )
    return EventTimes(tuple(f"simulated-{k}" for k in range(n_subjects)), times, origin)


def snap_intervals(
    intervals: FloatArray, *, tick: float = CLOCK_TICK, rng: RandomState = None
) -> FloatArray:
    """Round intervals to the ticks of a clock, then add uniform noise of up to half a tick.

    What a machine's clock adds to an interval is so replaced by the same noise for everybody:
    a uniform one of half a tick to either side. An interval rounded to 0 is spread over half a
    tick, so that all stay positive.

    Parameters
    ----------
    intervals : array_like, any shape
        Seconds, >= 0.
    tick : float, default 0.004
        Seconds between two ticks.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Source of the noise.

    Returns
    -------
    ndarray of float64, same shape
        Seconds, > 0.

    Raises
    ------
    InvalidParameterError
        An interval is negative or not finite, or `tick` is not positive.

    Examples
    --------
    >>> from hawkeys.datasets import snap_intervals
    >>> bool((abs(snap_intervals([0.1201, 0.0799], rng=0) - [0.120, 0.080]) <= 0.002).all())
    True
    """
    given = check_nonnegative(intervals, "intervals")
    step = check_positive_number(tick, "tick")
    noise = as_generator(rng).uniform(-0.5, 0.5, given.shape)
    # a draw of exactly 0 about the tick 0 would give the interval 0
    return np.maximum(np.abs(np.round(given / step) + noise), 1e-9) * step


def clock_residuals(intervals: FloatArray, *, tick: float = CLOCK_TICK) -> FloatArray:
    """Return how far intervals lie from the ticks of a clock: the trace of the machine alone.

    A classifier that sees nothing else must not tell people apart; where it does, so may any other
    that sees intervals that were not snapped.

    Parameters
    ----------
    intervals : array_like, any shape
        Seconds.
    tick : float, default 0.004
        Seconds between two ticks.

    Returns
    -------
    ndarray of float64, same shape
        Seconds, at most half a tick to either side.

    Raises
    ------
    InvalidParameterError
        An interval is not finite, or `tick` is not positive.

    Examples
    --------
    >>> from hawkeys.datasets import clock_residuals
    >>> clock_residuals([0.1201, 0.0799]).round(6)
    array([ 0.0001, -0.0001])
    """
    given = as_float_array(intervals, "intervals")
    step = check_positive_number(tick, "tick")
    return given - np.round(given / step) * step


def press_time_places() -> list[Path]:
    """Return the folders where the files of `load_press_times` are looked for, in order."""
    folder = os.environ.get("HAWKEYS_DATA")
    return [Path(folder).expanduser() / "press_times"] if folder else []


def _find(path: str | os.PathLike[str] | None) -> list[Path]:
    """Return the files, sorted by name."""
    places = press_time_places() if path is None else [Path(path)]
    for place in places:
        files = sorted(file for file in place.glob("*.bin") if _NAME.fullmatch(file.name))
        if files:
            return files
    if path is not None:
        raise DatasetNotFoundError(f"{path}: no file timestamps_*.bin. Check the path.")
    looked = ", ".join(str(place) for place in places)
    raise DatasetNotFoundError(
        f"press times: no file {looked}/timestamps_*.bin. {_ADVICE}"
        if places
        else f"press times: no path given and HAWKEYS_DATA is not set. {_ADVICE}"
    )


def _read_records(content: bytes, file: Path) -> IntArray:
    """Return the microseconds of one part, (n_events,)."""
    if not content or len(content) % 16:
        raise DatasetError(
            f"{file}: expected records of 16 bytes (seconds and microseconds, unsigned 64-bit, "
            f"little-endian); got {len(content)} bytes. Copy the file anew."
        )
    records = np.frombuffer(content, dtype="<u8").reshape(-1, 2)
    for row in np.flatnonzero((records[:, 1] >= _PER_SECOND) | (records[:, 0] >= 2**40))[:1]:
        raise DatasetError(
            f"{file}: record {row} holds {records[row, 0]} seconds and {records[row, 1]} "
            "microseconds; these are no seconds since 1970 with less than 1,000,000 microseconds. "
            "Check that the file is a recording of event times."
        )
    times = records[:, 0].astype(np.int64) * _PER_SECOND + records[:, 1].astype(np.int64)
    for row in np.flatnonzero(np.diff(times) < 0)[:1]:
        raise DatasetError(
            f"{file}: record {row + 1} is {times[row] - times[row + 1]} microseconds before the "
            "one before it; a recording must be in the order of time. Check the file."
        )
    return times


def _join(subject: str, parts: Sequence[IntArray]) -> IntArray:
    """Return the parts of one person in the order of their first times."""
    ordered = sorted(parts, key=lambda part: int(part[0]))
    for before, after in itertools.pairwise(ordered):
        if after[0] < before[-1]:
            raise DatasetError(
                f"press times: two parts of subject {subject!r} overlap, one ends at {before[-1]} "
                f"and the next starts at {after[0]} microseconds. Remove the part that is double."
            )
    return np.concatenate(ordered)


def _simulate_person(rng: np.random.Generator, size: int, n_events: int) -> IntArray:
    level, spread, memory = rng.normal(-1.8, 0.2), rng.uniform(0.35, 0.6), rng.uniform(0.0, 0.5)
    log = np.empty(size)
    state = 0.0
    for k, shock in enumerate(rng.normal(0.0, 1.0, size).tolist()):
        state = memory * state + spread * shock
        log[k] = level + state
    repeats = rng.random(size) < rng.uniform(0.02, 0.1)
    log[repeats] = np.log(rng.uniform(0.02, 0.05, int(repeats.sum())))
    interval = np.exp(log)
    pauses = rng.random(size) < 0.01
    interval[pauses] = rng.uniform(5.0, 60.0, int(pauses.sum()))
    interval[n_events::n_events] = 7200.0
    ticks = np.maximum(np.round(interval / CLOCK_TICK), 1.0).astype(np.int64)
    return np.cumsum(ticks) * int(CLOCK_TICK * _PER_SECOND)
