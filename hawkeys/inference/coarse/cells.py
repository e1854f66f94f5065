"""`Cells`: the intervals in which events are known to lie, from ticks of a clock or from bins."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hawkeys._typing import FloatArray, IntArray
from hawkeys._validation import check_choice, check_positive_number
from hawkeys.events import Events
from hawkeys.events.counts import EventCounts
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError
from hawkeys.inference.coarse.clock import clock_step

__all__ = ["Cells", "cells_of_counts", "cells_of_events", "step_of"]

# of a tick: how far a time may lie from the grid
_OFF = 1e-6
_ROUNDINGS = ("floor", "nearest")


@dataclass(frozen=True, eq=False)
class Cells:
    """Cells that hold events, in order of time; those without events need not be named.

    Attributes
    ----------
    offsets : ndarray of int64, shape (n_cells + 1,)
        Cell c holds the events ``offsets[c]:offsets[c + 1]``.
    lows, highs : ndarray of float64, shape (n_cells,)
        Where cells begin and end.
    firsts : ndarray of int64, shape (n_realizations + 1,)
        Realisation r has the cells ``firsts[r]:firsts[r + 1]``.
    marks : ndarray of int64, shape (n_events,)
        Mark of each event, in any order within a cell.
    start_times, end_times : ndarray of float64, shape (n_realizations,)
        Windows.
    mark_names : tuple of str
        Labels of the marks.
    log_volume : float
        What is added to the log of the mean density of the times, given uniform times within the
        cells, to give the log-likelihood: 0 for times, for counts that of the counts.
    """

    offsets: IntArray
    lows: FloatArray
    highs: FloatArray
    firsts: IntArray
    marks: IntArray
    start_times: FloatArray
    end_times: FloatArray
    mark_names: tuple[str, ...]
    log_volume: float = 0.0

    @property
    def n_marks(self) -> int:
        """Number of marks."""
        return len(self.mark_names)

    @property
    def event_counts(self) -> IntArray:
        """Events of each mark, shape (n_marks,)."""
        return np.bincount(self.marks, minlength=self.n_marks)

    @property
    def total_time(self) -> float:
        """Sum of the lengths of the windows."""
        return float((self.end_times - self.start_times).sum())

    @property
    def sizes(self) -> IntArray:
        """Events of each cell, shape (n_cells,)."""
        return np.diff(self.offsets)

    def spread(self, rng: np.random.Generator) -> FloatArray:
        """Return times drawn uniformly within the cells, in order, shape (n_events,)."""
        sizes = self.sizes
        low, high = np.repeat(self.lows, sizes), np.repeat(self.highs, sizes)
        times = low + (high - low) * rng.random(low.size)
        return times[np.lexsort((times, np.repeat(np.arange(sizes.size), sizes)))]

    def as_events(self, times: FloatArray) -> Events:
        """Return events at times within the cells."""
        return Events.from_arrays(
            times,
            self.marks,
            offsets=self.offsets[self.firsts],
            start_times=self.start_times,
            end_times=self.end_times,
            mark_names=self.mark_names,
        )


def step_of(events: Events) -> float | None:
    """Return the tick of the clock that times lie on, or None if none is apparent."""
    gaps = np.diff(events.times)
    edges = events.offsets[1:-1]
    gaps[edges[(edges > 0) & (edges < events.n_events)] - 1] = 0.0
    spacing = float(np.spacing(np.abs(events.times).max(initial=0.0)))
    return clock_step(gaps, 16.0 * spacing)


def cells_of_events(events: Events, resolution: Any, rounding: str) -> tuple[Cells, float]:
    """Return the cells of times that are known up to a tick, and the tick.

    Parameters
    ----------
    events : Events
        Times on a grid.
    resolution : float or "detect"
        The tick, in the unit of the times.
    rounding : {"floor", "nearest"}
        Whether a time t stands for [t, t + tick) or for t - tick / 2 to t + tick / 2.

    Returns
    -------
    cells : Cells
        Cut to the windows.
    tick : float
        The tick.

    Raises
    ------
    InvalidParameterError
        The times lie on no grid of that tick, or none is apparent; or another `rounding`.
    InvalidEventsError
        There is no event, or nothing of a cell lies in its window.
    """
    check_choice(rounding, "rounding", _ROUNDINGS)
    if events.n_events == 0:
        raise InvalidEventsError("there are no events, and nothing to fit by their ticks.")
    tick = _tick(events, resolution)
    times, of = events.times, events.realization
    ticks = _numbered(events, tick)
    begins = np.ones(times.size, dtype=bool)
    begins[1:] = (ticks[1:] != ticks[:-1]) | (of[1:] != of[:-1])
    first = np.flatnonzero(begins)
    shift = 0.0 if rounding == "floor" else 0.5 * tick
    where = of[first]
    lows = np.maximum(times[first] - shift, events.start_times[where])
    highs = np.minimum(times[first] - shift + tick, events.end_times[where])
    # one clock: neighbouring cells touch, whatever rounding says
    touching = np.flatnonzero((where[1:] == where[:-1]) & (highs[:-1] > lows[1:]))
    highs[touching] = lows[touching + 1]
    _refuse_empty(events, first, where, (lows, highs), tick)
    return Cells(
        np.append(first, times.size).astype(np.int64),
        lows,
        highs,
        np.searchsorted(where, np.arange(events.n_realizations + 1)).astype(np.int64),
        events.marks.copy(),
        events.start_times,
        events.end_times,
        events.mark_names,
    ), tick


def _tick(events: Events, resolution: Any) -> float:
    if not isinstance(resolution, str):
        return check_positive_number(resolution, "resolution")
    check_choice(resolution, "resolution", ("detect",))
    found = step_of(events)
    if found is None:
        raise InvalidParameterError(
            "resolution='detect': the times lie on no grid that is apparent. Give the tick of "
            "their clock as a number, or leave resolution out if times are exact."
        )
    return found


def _numbered(events: Events, tick: float) -> FloatArray:
    """Return the number of ticks of each time from the first one; refuse times between ticks."""
    times = events.times
    ticks = (times - times[0]) / tick
    whole = np.rint(ticks)
    spacing = 4.0 * float(np.spacing(np.abs(times).max())) / tick
    off = np.abs(ticks - whole)
    # the tick may have been given in a few digits
    wrong = np.flatnonzero(off > _OFF + spacing + 1e-9 * np.abs(whole))
    if wrong.size:
        k, step = int(wrong[0]), step_of(events)
        told = "no grid is apparent" if step is None else f"they lie on one of {step:.6g}"
        raise InvalidParameterError(
            f"resolution={tick:g}: {wrong.size} of {times.size} times are no whole ticks from the "
            f"first, times[0]={times[0]:.12g}; the first of them is times[{k}]={times[k]:.12g}; "
            f"{told}. Round the times to the tick of their clock, or give the right one."
        )
    return whole


def _refuse_empty(
    events: Events,
    first: IntArray,
    where: IntArray,
    bounds: tuple[FloatArray, FloatArray],
    tick: float,
) -> None:
    empty = np.flatnonzero(~(bounds[1] > bounds[0]))
    if empty.size:
        k, r = int(first[empty[0]]), int(where[empty[0]])
        raise InvalidEventsError(
            f"realization {r}: nothing of the tick of times[{k}]={events.times[k]:.12g} is in its "
            f"window, {events.start_times[r]:.12g} to {events.end_times[r]:.12g}. If the end was "
            f"rounded down as the times were, add the tick to it ({tick:g})."
        )


def cells_of_counts(counts: EventCounts) -> Cells:
    """Return the bins that hold events.

    Parameters
    ----------
    counts : EventCounts
        At least one event.

    Returns
    -------
    Cells
        Whose log-likelihood is that of the counts.

    Raises
    ------
    InvalidEventsError
        There is no event.
    """
    if counts.n_events == 0:
        raise InvalidEventsError("all counts are 0, and there is nothing to fit.")
    full = [one.sum(axis=1) > 0 for one in counts.counts]
    tables = [one[some] for one, some in zip(counts.counts, full, strict=True)]
    table = np.concatenate(tables)
    pairs = list(zip(counts.edges, full, strict=True))
    lows = np.concatenate([edges[:-1][some] for edges, some in pairs])
    highs = np.concatenate([edges[1:][some] for edges, some in pairs])
    marks = np.tile(np.arange(counts.n_marks), len(table))
    return Cells(
        np.concatenate(([0], np.cumsum(table.sum(axis=1)))).astype(np.int64),
        lows,
        highs,
        np.concatenate(([0], np.cumsum([len(one) for one in tables]))).astype(np.int64),
        np.repeat(marks, table.ravel()),
        np.array([edges[0] for edges in counts.edges]),
        np.array([edges[-1] for edges in counts.edges]),
        counts.mark_names,
        _log_volume(table, highs - lows),
    )


def _log_volume(table: IntArray, widths: FloatArray) -> float:
    """Return the log of widths^n / n! over all bins and marks."""
    from scipy.special import gammaln

    return float((table.sum(axis=1) * np.log(widths)).sum() - gammaln(table + 1.0).sum())
