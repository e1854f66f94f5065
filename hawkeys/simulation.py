"""Exact simulation by the branching (cluster) construction."""

from __future__ import annotations

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, IntArray, RandomState
from hawkeys._validation import as_float_array, as_generator, check_count
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError, UnstableProcessError
from hawkeys.process import Hawkes

__all__ = ["simulate", "simulate_clusters"]

_MAX_EXPECTED_EVENTS = 2e8
# above what a stable process with that many expected events ever draws
_MAX_EVENTS = 1e9


def simulate(
    process: Hawkes,
    *,
    end_time: ArrayLike,
    start_time: ArrayLike = 0.0,
    n_realizations: int | None = None,
    rng: RandomState = None,
) -> Events:
    r"""Simulate a stable Hawkes process exactly.

    Immigrants of mark i arrive as a Poisson process of rate :math:`\mu_i`; each event of mark j has
    a Poisson number of direct children of mark i with mean :math:`W_{ij}`, with lags drawn from the
    kernel density :math:`g_{ij}`; children beyond the window are dropped. Nothing happens
    before the window starts.

    Parameters
    ----------
    process : Hawkes
        The process; its spectral radius must be below 1.
    end_time, start_time : float or array_like, shape (n_realizations,)
        Observation windows, in the unit of time of the process; `start_time` is 0.0 unless given.
    n_realizations : int, optional
        Number of independent realisations. Default: the length of `end_time`, or 1.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Source of randomness; the same seed gives the same events.

    Returns
    -------
    Events
        The simulated realisations, with the process's mark names.

    Raises
    ------
    UnstableProcessError
        The spectral radius is 1 or more; the message gives it.
    InvalidParameterError
        A window that does not end after it starts, or more than 2e8 expected events.

    Notes
    -----
    The cost is linear in the number of events and does not depend on the number of marks, but for
    the sort at the end.

    References
    ----------
    Hawkes, A. G. and Oakes, D. (1974). A cluster process representation of a self-exciting process.
    Journal of Applied Probability 11(3), 493-503. doi:10.2307/3212693

    Examples
    --------
    >>> import hawkeys
    >>> process = hawkeys.Hawkes(baseline=[1.0], adjacency=[[0.5]], decay=2.0)
    >>> hawkeys.simulate(process, end_time=100.0, rng=0)
    Events(n_events=219, n_marks=1, n_realizations=1, mark_names=('0',))
    """
    starts, ends = _windows(start_time, end_time, n_realizations)
    _check_size(process, ends - starts)
    return simulate_clusters(process, starts, ends, as_generator(rng), limit=_MAX_EVENTS)


def simulate_clusters(
    process: Hawkes,
    starts: FloatArray,
    ends: FloatArray,
    rng: np.random.Generator,
    *,
    limit: float,
) -> Events:
    """Simulate on given windows, whatever the spectral radius: on short windows all is finite.

    Parameters
    ----------
    process : Hawkes
        The process.
    starts, ends : ndarray of float64, shape (n_realizations,)
        Observation windows.
    rng : numpy.random.Generator
        Source of randomness.
    limit : float
        Most events to draw, those beyond the windows included.

    Returns
    -------
    Events
        As `simulate`.

    Raises
    ------
    UnstableProcessError
        The clusters grow beyond `limit` events.
    """
    times, marks, owners = _immigrants(process, ends - starts, rng)
    generations = [(times, marks, owners)]
    drawn = 0.0
    while times.size:
        drawn += float(process.adjacency.sum(axis=0)[marks].sum())
        if drawn > limit:
            raise UnstableProcessError(
                f"the simulated clusters grow beyond {limit:.3g} events; the spectral radius is "
                f"{process.spectral_radius:.6g}."
            )
        times, marks, owners = _children(process, times, marks, owners, rng)
        inside = times <= (ends - starts)[owners]
        times, marks, owners = times[inside], marks[inside], owners[inside]
        generations.append((times, marks, owners))
    return _collect(process, starts, ends, generations)


def _collect(
    process: Hawkes,
    starts: FloatArray,
    ends: FloatArray,
    generations: list[tuple[FloatArray, IntArray, IntArray]],
) -> Events:
    times, marks, owners = (np.concatenate(part) for part in zip(*generations, strict=True))
    times = np.minimum(times + starts[owners], ends[owners])
    order = np.lexsort((times, owners))
    sizes = np.bincount(owners, minlength=ends.size)
    return Events.from_arrays(
        times[order],
        marks[order],
        offsets=np.concatenate(([0], np.cumsum(sizes))),
        start_times=starts,
        end_times=ends,
        mark_names=process.mark_names,
    )


def _windows(
    start_time: ArrayLike, end_time: ArrayLike, n_realizations: int | None
) -> tuple[FloatArray, FloatArray]:
    starts = as_float_array(start_time, "start_time")
    ends = as_float_array(end_time, "end_time")
    size = max(starts.size, ends.size)
    if n_realizations is not None:
        size = max(size, check_count(n_realizations, "n_realizations"))
    if any(bound.ndim > 1 or bound.size not in (1, size) for bound in (starts, ends)):
        raise InvalidParameterError(
            f"start_time and end_time must be one number or one per realisation ({size}); got "
            f"shapes {starts.shape} and {ends.shape}."
        )
    starts, ends = np.full(size, starts), np.full(size, ends)
    if not (ends > starts).all():
        raise InvalidParameterError(
            f"every window must end after it starts; got start_time {start_time!r} and end_time "
            f"{end_time!r}."
        )
    return starts, ends


def _check_size(process: Hawkes, durations: FloatArray) -> None:
    if process.spectral_radius >= 1:
        raise UnstableProcessError(
            f"the process is unstable: its spectral radius is {process.spectral_radius:.6g}, and "
            "simulation needs less than 1. Scale the adjacency down."
        )
    expected = float(process.stationary_rate.sum() * durations.sum())
    if expected > _MAX_EXPECTED_EVENTS:
        raise InvalidParameterError(
            f"about {expected:.3g} events would be simulated, the limit is "
            f"{_MAX_EXPECTED_EVENTS:.0e}. Shorten the windows or check the unit of time."
        )


def _immigrants(
    process: Hawkes, durations: FloatArray, rng: np.random.Generator
) -> tuple[FloatArray, IntArray, IntArray]:
    counts = rng.poisson(np.outer(durations, process.baseline))
    owners, marks = (np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape))
    return rng.uniform(0.0, durations[owners]), marks, owners


def _children(
    process: Hawkes,
    times: FloatArray,
    marks: IntArray,
    owners: IntArray,
    rng: np.random.Generator,
) -> tuple[FloatArray, IntArray, IntArray]:
    counts = rng.poisson(process.adjacency.sum(axis=0)[marks])
    parents = np.repeat(np.arange(times.size), counts)
    sources = marks[parents]
    targets = _draw_targets(process.adjacency, sources, rng)
    lags = process.kernel.sample_lags(rng, targets, sources)
    return times[parents] + lags, targets, owners[parents]


def _draw_targets(adjacency: FloatArray, sources: IntArray, rng: np.random.Generator) -> IntArray:
    """Draw the mark of each child with probabilities proportional to the source's column."""
    cumulative = np.cumsum(adjacency, axis=0)
    # one search in the columns laid end to end: column j occupies the interval (j, j + 1]
    share = cumulative / np.where(cumulative[-1] > 0, cumulative[-1], 1.0)
    edges = (share + np.arange(adjacency.shape[0])).ravel(order="F")
    found = np.searchsorted(edges, sources + rng.random(sources.size), side="right")
    return np.minimum(found - sources * adjacency.shape[0], adjacency.shape[0] - 1)
