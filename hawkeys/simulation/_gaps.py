"""Simulation on windows of recordings, one after another: each continues those before it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.events import Events
from hawkeys.events.observed import History
from hawkeys.events.values import pick_values
from hawkeys.events.windows import continued
from hawkeys.exceptions import InvalidParameterError
from hawkeys.process import Hawkes
from hawkeys.simulation.sampling import simulate_clusters

__all__ = ["simulate_windows"]


def simulate_windows(
    process: Hawkes, events: Events, history: History, rng: np.random.Generator, *, limit: float
) -> Events:
    """Simulate on the windows of recordings, given what happened outside them.

    Parameters
    ----------
    process : Hawkes
        The process.
    events : Events
        Whose windows.
    history : History
        What happened outside; before a window comes what was drawn on those before it, too.
    rng : numpy.random.Generator
        Source of randomness.
    limit : float
        Most events to draw at a time.

    Returns
    -------
    Events
        Events of the same windows, none of marks that are not observed there.

    Raises
    ------
    UnstableProcessError
        The clusters grow beyond `limit` events.
    InvalidParameterError
        Something is known to have happened within a window, to marks not observed there.
    """
    _refuse_within(events, history)
    owners = history.owners
    order = np.arange(owners.size) - np.searchsorted(owners, owners)  # within the recording
    drawn = events[np.zeros(0, dtype=np.int64)]
    done = np.zeros(0, dtype=np.int64)
    for k in range(int(order.max(initial=-1)) + 1):
        rows = np.flatnonzero(order == k)
        past = History(
            history.outside, owners[done], history.start_times[done], history.end_times[done]
        )
        whole = continued(past, drawn)[0][owners[rows]]
        before = _until(whole, events.start_times[rows])
        part = _draw(process, events[rows], before, history, rows, rng, limit)
        joined = Events.joined([drawn, part]) if done.size else part
        numbers = np.concatenate((done, rows))
        sort = np.argsort(numbers)
        drawn, done = joined[sort], numbers[sort]
    return replace(drawn, clock=events.clock, origins=events.origins)


def _draw(
    process: Hawkes,
    windows: Events,
    before: Events,
    history: History,
    rows: IntArray,
    rng: np.random.Generator,
    limit: float,
) -> Events:
    """Return a sample of windows, of the marks that are observed in each."""
    seen = np.ones((rows.size, windows.n_marks), dtype=bool)
    seen = seen if history.observed is None else history.observed[rows]
    patterns, which = np.unique(seen, axis=0, return_inverse=True)
    parts, places = [], []
    for p, pattern in enumerate(patterns):
        own = np.flatnonzero(which.ravel() == p)
        starts, ends = windows.start_times[own], windows.end_times[own]
        one = _without_others(process, pattern)
        parts.append(simulate_clusters(one, starts, ends, rng, limit=limit, history=before[own]))
        places.append(own)
    return Events.joined(parts)[np.argsort(np.concatenate(places))]


def _without_others(process: Hawkes, pattern: BoolArray) -> Hawkes:
    """Return the process in which only some marks have events."""
    if pattern.all():
        return process
    function = process.baseline_function
    rates = function.known_rates * pattern[:, None]
    adjacency = process.adjacency * pattern[:, None]
    return Hawkes(
        function.with_rates(rates),
        adjacency,
        kernel=process.kernel,
        mark_names=process.mark_names,
    )


def _until(whole: Events, ends: FloatArray) -> Events:
    """Return recordings cut off at a moment each."""
    kept = whole.times <= ends[whole.realization]
    sizes = np.bincount(whole.realization[kept], minlength=ends.size)
    before = ends - np.maximum(1.0, 1e-9 * np.abs(ends))  # of a window that starts the recording
    return Events.from_arrays(
        whole.times[kept],
        whole.marks[kept],
        offsets=np.concatenate(([0], np.cumsum(sizes))),
        start_times=np.where(whole.start_times < ends, whole.start_times, before),
        end_times=ends,
        mark_names=whole.mark_names,
        values=pick_values(whole.values, kept),
    )


def _refuse_within(events: Events, history: History) -> None:
    """Refuse events outside that lie within a window, where their children cannot be drawn."""
    outside = history.outside
    for r in np.unique(history.owners):
        rows = np.flatnonzero(history.owners == r)
        times = outside.times[outside.offsets[r] : outside.offsets[r + 1]]
        k = np.searchsorted(events.start_times[rows], times) - 1
        within = (k >= 0) & (times < events.end_times[rows][k])
        if within.any():
            raise InvalidParameterError(
                f"realization {r}: an event at {times[within][0]} belongs to a mark that is not "
                "observed in the window around it, and samples cannot be drawn around such events. "
                "Use n_mc_samples=0 for the residuals alone, or leave such events out."
            )
