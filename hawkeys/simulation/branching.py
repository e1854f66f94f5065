"""Simulation that keeps who triggered whom."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from hawkeys._typing import Bounds, FloatArray, IntArray, RandomState
from hawkeys._validation import as_generator
from hawkeys.events import Events
from hawkeys.process import Hawkes
from hawkeys.process.base import as_process
from hawkeys.simulation._clusters import (
    CHILD_OF_HISTORY,
    IMMIGRANT,
    collect,
    draw_points,
    time_order,
)
from hawkeys.simulation._windows import (
    as_history,
    check_hawkes,
    check_windows,
    limit_of_events,
    on_clock_of,
)

__all__ = ["Branching", "simulate_branching"]


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Branching:
    """Simulated events with the parent and the generation of each.

    Attributes
    ----------
    events : Events
        The events.
    parents : ndarray of int64, shape (n_events,)
        Index of each event's parent in ``events.times``; -1 for an immigrant, -2 for a child of an
        event of the history.
    generations : ndarray of int64, shape (n_events,)
        0 for an immigrant, one more than the parent's for a child, 1 for a child of the history.

    Examples
    --------
    >>> import hawkeys
    >>> process = hawkeys.Hawkes(baseline=[1.0], adjacency=[[0.5]], decay=2.0)
    >>> hawkeys.simulate_branching(process, end_time=100.0, rng=0)
    Branching(n_events=219, n_immigrants=104, n_generations=6)
    """

    events: Events
    parents: IntArray
    generations: IntArray

    @property
    def is_immigrant(self) -> np.ndarray:
        """Whether nothing excited the event, shape (n_events,)."""
        return self.parents == IMMIGRANT

    @property
    def children(self) -> IntArray:
        """Number of direct children of each event within its window, shape (n_events,)."""
        inside = self.parents[self.parents >= 0]
        return np.bincount(inside, minlength=self.parents.size).astype(np.int64)

    @property
    def mean_children(self) -> FloatArray:
        """Direct children of mark i per event of mark j, target by source.

        Shape (n_marks, n_marks). It estimates the adjacency, from below because windows cut
        children off; NaN for a source
        without events.
        """
        size = self.events.n_marks
        child = self.parents >= 0
        pairs = self.events.marks[child] * size + self.events.marks[self.parents[child]]
        counts = np.bincount(pairs, minlength=size**2).reshape(size, size)
        totals = self.events.counts.sum(axis=0)
        return counts / np.where(totals > 0, totals, np.nan)

    def __repr__(self) -> str:
        return (
            f"Branching(n_events={self.events.n_events}, n_immigrants={self.is_immigrant.sum()}, "
            f"n_generations={self.generations.max(initial=-1) + 1})"
        )


def simulate_branching(
    process: Hawkes | Any,
    *,
    end_time: Bounds,
    start_time: Bounds | None = None,
    n_realizations: int | None = None,
    history: Any = None,
    max_events: int | None = None,
    rng: RandomState = None,
    **reading: Any,
) -> Branching:
    """Simulate as `hawkeys.simulate`, and keep the parent of each event.

    Parameters
    ----------
    process : Hawkes
        The process; its spectral radius must be below 1 unless `max_events` is given.
    end_time, start_time : float or array_like, shape (n_realizations,)
        Observation windows; `start_time` is the end of the history, or 0.0 without one.
    n_realizations : int, optional
        Number of independent realisations. Default: the length of `end_time`, or 1.
    history : Events, frame, mapping or sequence, optional
        What happened up to the start: one realisation that all share, or one for each.
    max_events : int, optional
        Simulate whatever the spectral radius, with this limit; see `hawkeys.simulate`.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Source of randomness; the events are those of `hawkeys.simulate` with the same seed.
    **reading
        How a history is read that is no Events; see `hawkeys.simulate`.

    Returns
    -------
    Branching
        Events, parents and generations.

    Raises
    ------
    UnstableProcessError
        As `hawkeys.simulate`.
    InvalidParameterError
        As `hawkeys.simulate`.
    InvalidEventsError
        As `hawkeys.simulate`.

    References
    ----------
    Hawkes, A. G. and Oakes, D. (1974). A cluster process representation of a self-exciting process.
    Journal of Applied Probability 11(3), 493-503. doi:10.2307/3212693

    Examples
    --------
    >>> import hawkeys
    >>> process = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)
    >>> tree = hawkeys.simulate_branching(process, end_time=10_000.0, rng=0)
    >>> tree.mean_children.round(2)
    array([[0.3, 0.1],
           [0. , 0.5]])
    """
    model, process = process, check_hawkes(as_process(process))
    history = as_history(model, process, history, start_time, reading)
    starts, ends = check_windows(start_time, end_time, n_realizations, history)
    limit = limit_of_events(process, starts, ends, max_events)
    points = draw_points(process, starts, ends, history, as_generator(rng), limit=limit)
    order = time_order(points)
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    inside = points.parents >= 0
    parents = np.where(inside, place[points.parents], points.parents)
    generations = _generations(points.parents)[order]
    events = on_clock_of(history, collect(process, starts, ends, points, order))
    return Branching(events, parents[order], generations)


def _generations(parents: IntArray) -> IntArray:
    """Return the depth of each point below its root; parents come before their children."""
    out = (parents == CHILD_OF_HISTORY).astype(np.int64)
    rows = np.flatnonzero(parents >= 0)
    while rows.size:
        deeper = out[parents[rows]] + 1
        changed = out[rows] != deeper
        rows, deeper = rows[changed], deeper[changed]
        out[rows] = deeper
    return out
