"""The cluster construction: immigrants, children, and the children still due of past events.

Times here are elapsed times since the start of each realisation's window.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.baselines import Constant
from hawkeys.events import Events
from hawkeys.events.values import pick_values
from hawkeys.exceptions import InvalidParameterError, UnstableProcessError
from hawkeys.process import Hawkes

__all__ = [
    "CHILD_OF_HISTORY",
    "IMMIGRANT",
    "Points",
    "collect",
    "draw_children",
    "draw_due_children",
    "draw_immigrants",
    "draw_points",
    "first_points",
    "grow",
    "join_points",
    "recent_part",
    "time_order",
]

# parents of events that have none among the events drawn
IMMIGRANT, CHILD_OF_HISTORY = -1, -2
_MAX_EXTENSIONS = 60
_ADDED_SHARE = 0.2
_MOST_DUE = 1e8
# numbers that fit in 16 bits
_FEW = 2**16


class Points(NamedTuple):
    """Events being drawn: elapsed times, marks, owning realisations and indices of the parents.

    And their values, if the process asks for them.
    """

    times: FloatArray
    marks: IntArray
    owners: IntArray
    parents: IntArray
    values: FloatArray | None = None

    def pick(self, rows: BoolArray | IntArray) -> Points:
        """Return the points of some rows."""
        values = pick_values(self.values, rows)
        return Points(
            self.times[rows], self.marks[rows], self.owners[rows], self.parents[rows], values
        )


def join_points(parts: list[Points]) -> Points:
    """Return points one after the other."""
    values = [part.values for part in parts if part.values is not None]
    return Points(
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.marks for part in parts]),
        np.concatenate([part.owners for part in parts]),
        np.concatenate([part.parents for part in parts]),
        np.concatenate(values) if values else None,
    )


def _with_values(process: Hawkes, points: Points, rng: np.random.Generator) -> Points:
    """Return points with values drawn from their law, if the process has a productivity."""
    if process.productivity is None:
        return points
    law = process.productivity.law
    if law is None:
        raise InvalidParameterError(
            "the law of the values is not known, so that none can be drawn. Give the productivity "
            "its law=, such as hawkeys.productivity.ExponentialValues(mean)."
        )
    return points._replace(values=law.sample(rng, points.marks))


def _means(process: Hawkes, parents: Points) -> FloatArray:
    """Return the expected number of direct children of each point, (n_points,)."""
    means = process.adjacency.sum(axis=0)[parents.marks]
    if process.productivity is None or parents.values is None:
        return means
    return means * process.productivity.factors(parents.values, parents.marks)


def draw_immigrants(
    process: Hawkes, starts: FloatArray, durations: FloatArray, rng: np.random.Generator
) -> Points:
    """Draw the events that nothing excites, on windows of given starts (clock) and durations."""
    function = process.baseline_function
    if not isinstance(function, Constant):
        function.check_windows(starts, starts + durations)
        times, marks, owners = function.immigrants(rng, starts, starts + durations)
        elapsed = np.clip(times - starts[owners], 0.0, durations[owners])
        points = Points(elapsed, marks, owners, np.full(times.size, IMMIGRANT))
        return _with_values(process, points, rng)
    counts = rng.poisson(np.outer(durations, process.baseline))
    owners, marks = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    times = rng.uniform(0.0, durations[owners])
    points = Points(times, marks, owners, np.full(times.size, IMMIGRANT))
    return _with_values(process, points, rng)


def draw_children(process: Hawkes, parents: Points, first: int, rng: np.random.Generator) -> Points:
    """Draw all direct children; row k of `parents` has the index first + k."""
    counts = rng.poisson(_means(process, parents))
    rows = np.repeat(np.arange(parents.times.size), counts)
    sources = parents.marks[rows]
    targets = _draw_targets(process.adjacency, sources, rng)
    lags = process.kernel.sample_lags(rng, targets, sources)
    points = Points(parents.times[rows] + lags, targets, parents.owners[rows], first + rows)
    return _with_values(process, points, rng)


def recent_part(process: Hawkes, history: Events) -> Events:
    """Return a history without the events whose influence is over: less than 1e-12 remains."""
    elapsed = np.repeat(history.end_times, np.diff(history.offsets)) - history.times
    recent = process.kernel.remaining_mass(elapsed, history.marks, process.n_marks).any(axis=1)
    return Events.from_arrays(
        history.times[recent],
        history.marks[recent],
        offsets=np.concatenate(([0], np.cumsum(recent)))[history.offsets],
        start_times=history.start_times,
        end_times=history.end_times,
        mark_names=history.mark_names,
        values=pick_values(history.values, recent),
    )


def draw_due_children(
    process: Hawkes,
    history: Events | None,
    n_realizations: int,
    rng: np.random.Generator,
    *,
    limit: float = _MOST_DUE,
    horizon: float = np.inf,
) -> Points:
    """Draw the direct children that past events have after the end of the history.

    Raises `UnstableProcessError` if more than `limit` are expected, within the `horizon`: where all
    are too many, only those are drawn.

    An event of mark j has a Poisson number of further children of mark i with mean
    W_ij (1 - G_ij(elapsed)). One past may serve all realisations; then their children are drawn
    together and dealt out.
    """
    if history is None:
        none = np.empty(0, dtype=np.int64)
        return _with_values(process, Points(np.empty(0), none, none, none), rng)
    elapsed = np.repeat(history.end_times, np.diff(history.offsets)) - history.times
    shared = history.n_realizations == 1
    due = _due(process, history, elapsed) * (n_realizations if shared else 1)
    soon = due.sum() > limit and np.isfinite(horizon)
    if soon:
        later = _due(process, history, elapsed + horizon) * (n_realizations if shared else 1)
        due = np.maximum(due - later, 0.0)
    if due.sum() > limit:
        raise UnstableProcessError(
            f"about {due.sum():.3g} children of past events are still to come, beyond the limit of "
            f"{limit:.3g}; the largest adjacency is {process.adjacency.max():.6g}. Scale the "
            "adjacency down, or check the unit of time."
        )
    counts = rng.poisson(due)
    rows, targets = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    pairs = targets, history.marks[rows]
    if soon:
        times = process.kernel.sample_lags_until(rng, *pairs, elapsed[rows], horizon)
    else:
        times = process.kernel.sample_residual_lags(rng, *pairs, elapsed[rows])
    owners = history.realization[rows]
    if shared:
        owners = rng.integers(n_realizations, size=rows.size)
    points = Points(times, targets, owners, np.full(rows.size, CHILD_OF_HISTORY))
    return _with_values(process, points, rng)


def _due(process: Hawkes, history: Events, elapsed: FloatArray) -> FloatArray:
    """Return the children that are still to come at `elapsed` after each event, (n, n_marks)."""
    left = process.kernel.remaining_mass(elapsed, history.marks, process.n_marks)
    out = left * process.adjacency[:, history.marks].T
    if process.productivity is not None:
        out *= process.productivity.strengths(history)[:, None]
    return np.asarray(out)


def grow(
    process: Hawkes,
    seeds: Points,
    durations: FloatArray,
    rng: np.random.Generator,
    *,
    limit: float,
) -> Points:
    """Add the descendants of `seeds` within the windows, generation after generation.

    Raises `UnstableProcessError` if more than `limit` events would be drawn.
    """
    fresh = seeds.pick(seeds.times <= durations[seeds.owners])
    everyone = [fresh]
    size, drawn = fresh.times.size, 0.0
    while fresh.times.size:
        drawn += float(_means(process, fresh).sum())
        if drawn > limit:
            raise UnstableProcessError(
                f"the simulated clusters grow beyond {limit:.3g} events; the spectral radius is "
                f"{process.spectral_radius:.6g}. Shorten the windows or scale the adjacency down."
            )
        children = draw_children(process, fresh, size - fresh.times.size, rng)
        fresh = children.pick(children.times <= durations[children.owners])
        size += fresh.times.size
        everyone.append(fresh)
    return join_points(everyone)


def draw_points(
    process: Hawkes,
    starts: FloatArray,
    ends: FloatArray,
    history: Events | None,
    rng: np.random.Generator,
    *,
    limit: float,
) -> Points:
    """Draw immigrants, the children still due of the history, and their descendants.

    The history is one realisation for all or one for each. Raises as `grow`.
    """
    seeds = [
        draw_immigrants(process, starts, ends - starts, rng),
        draw_due_children(
            process, history, starts.size, rng, limit=limit, horizon=float((ends - starts).max())
        ),
    ]
    return grow(process, join_points(seeds), ends - starts, rng, limit=limit)


def first_points(
    process: Hawkes,
    starts: FloatArray,
    history: Events | None,
    n_events: int,
    rng: np.random.Generator,
) -> Points:
    """Draw the first `n_events` events of each realisation, whatever the spectral radius.

    The n-th of the events drawn so far is never earlier than the n-th of all: what is later can be
    dropped, and its descendants, later still, need not be drawn.
    """
    points = fresh = join_points(
        [
            _enough_immigrants(process, starts, n_events, rng),
            draw_due_children(process, history, starts.size, rng),
        ]
    )
    points, bounds = _first_of_each(points, n_events, starts.size)
    added = 0
    while fresh.times.size:
        fresh = fresh.pick(fresh.times <= bounds[fresh.owners])
        fresh = draw_children(process, fresh, 0, rng)
        fresh = fresh.pick(fresh.times <= bounds[fresh.owners])
        points = join_points([points, fresh])
        added += fresh.times.size
        # to find the n-th again costs a sort; an older one only drops less
        if added > _ADDED_SHARE * n_events * starts.size:
            points, bounds = _first_of_each(points, n_events, starts.size)
            added = 0
    return _first_of_each(points, n_events, starts.size)[0]


def _first_of_each(points: Points, n_events: int, size: int) -> tuple[Points, FloatArray]:
    """Return the first events of each realisation, in order, and the time of the n-th."""
    order = time_order(points)
    sizes = np.bincount(points.owners, minlength=size)
    rank = np.arange(order.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)
    first = points.pick(order[rank < n_events])
    return first, first.times[n_events - 1 :: n_events]


def _enough_immigrants(
    process: Hawkes, starts: FloatArray, n_events: int, rng: np.random.Generator
) -> Points:
    """Draw immigrants on windows one after the other until each realisation has `n_events`."""
    rate = float(process.baseline.sum())
    if not rate > 0:
        raise InvalidParameterError(
            f"{n_events} events may never come: every baseline is 0. Give a positive baseline, or "
            "simulate up to an end_time."
        )
    length = 1.2 * n_events / rate
    parts: list[Points] = []
    so_far = 0.0
    for _ in range(_MAX_EXTENSIONS):
        new = draw_immigrants(process, starts + so_far, np.full(starts.size, length), rng)
        parts.append(new._replace(times=new.times + so_far))
        so_far += length
        counts = np.bincount(np.concatenate([p.owners for p in parts]), minlength=starts.size)
        if counts.min() >= n_events:
            return join_points(parts)
    raise InvalidParameterError(
        f"{n_events} events may never come: the baseline gave {counts.min()} in the first "
        f"{so_far:.3g} units of time. Ask for fewer, or simulate up to an end_time."
    )


def collect(
    process: Hawkes, starts: FloatArray, ends: FloatArray, points: Points, order: IntArray
) -> Events:
    """Return points, in the order given, as events on the clock."""
    times = np.minimum(points.times + starts[points.owners], ends[points.owners])
    sizes = np.bincount(points.owners, minlength=ends.size)
    return Events.from_arrays(
        times[order],
        points.marks[order],
        offsets=np.concatenate(([0], np.cumsum(sizes))),
        start_times=starts,
        end_times=ends,
        mark_names=process.mark_names,
        values=pick_values(points.values, order),
    )


def time_order(points: Points) -> IntArray:
    """Return the order by realisation and time; a parent stays before a child as late as it."""
    order = np.argsort(points.times)
    sorted_times = points.times[order]
    if (sorted_times[1:] == sorted_times[:-1]).any():
        order = np.argsort(points.times, kind="stable")
    n_owners = int(points.owners.max(initial=0)) + 1
    if n_owners == 1:
        return order
    # small whole numbers are sorted by their digits
    few = points.owners.astype(np.uint16) if n_owners < _FEW else points.owners
    return order[np.argsort(few[order], kind="stable")]


def _draw_targets(adjacency: FloatArray, sources: IntArray, rng: np.random.Generator) -> IntArray:
    """Draw the mark of each child with probabilities proportional to the source's column."""
    cumulative = np.cumsum(adjacency, axis=0)
    # one search in the columns laid end to end: column j occupies the interval (j, j + 1]
    share = cumulative / np.where(cumulative[-1] > 0, cumulative[-1], 1.0)
    edges = (share + np.arange(adjacency.shape[0])).ravel(order="F")
    found = np.searchsorted(edges, sources + rng.random(sources.size), side="right")
    return np.minimum(found - sources * adjacency.shape[0], adjacency.shape[0] - 1)
