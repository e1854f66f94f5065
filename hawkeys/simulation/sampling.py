"""Exact simulation by the branching (cluster) construction."""

from __future__ import annotations

from typing import Any

import numpy as np

from hawkeys._progress import Verbose, told
from hawkeys._typing import Bounds, FloatArray, RandomState
from hawkeys._validation import as_generator, check_count
from hawkeys.events import Events
from hawkeys.process import Hawkes, NonlinearHawkes
from hawkeys.process.base import as_process
from hawkeys.simulation._bulk_clusters import is_bulk, simulate_bulk
from hawkeys.simulation._clusters import collect, draw_points, first_points, time_order
from hawkeys.simulation._windows import (
    as_history,
    check_hawkes,
    check_windows,
    limit_of_events,
    on_clock_of,
)
from hawkeys.simulation.nonlinear import simulate_nonlinear

__all__ = ["simulate", "simulate_clusters", "simulate_until"]


def simulate(
    process: Hawkes | Any,
    *,
    end_time: Bounds,
    start_time: Bounds | None = None,
    n_realizations: int | None = None,
    history: Any = None,
    max_events: int | None = None,
    rng: RandomState = None,
    verbose: Verbose = False,
    **reading: Any,
) -> Events:
    r"""Simulate a Hawkes process exactly, from nothing or as the continuation of a history.

    Immigrants of mark i arrive as a Poisson process of rate :math:`\mu_i`; each event of mark j has
    a Poisson number of direct children of mark i with mean :math:`W_{ij}`, with lags drawn from the
    kernel density :math:`g_{ij}`; children beyond the window are dropped. A past event of mark j at
    time s has :math:`\mathrm{Poisson}(W_{ij} [1 - G_{ij}(t_0 - s)])` children of mark i after the
    start :math:`t_0`, with lags from the tail of the density.

    Parameters
    ----------
    process : Hawkes, RectifiedHawkes or NonlinearHawkes, or the result of a fit
        The process, or what holds it; the spectral radius of a `Hawkes` must be below 1 unless
        `max_events` is given. The other two are handed to `hawkeys.simulate_nonlinear`.
    end_time, start_time : float or array_like, shape (n_realizations,)
        Observation windows, in the unit of time of the process; `start_time` is the end of the
        history, or 0.0 without one.
    n_realizations : int, optional
        Number of independent realisations. Default: the length of `end_time`, or 1.
    history : Events, frame, mapping or sequence, optional
        What happened up to the start: one realisation that all share, or one for each; they carry
        their own start of observation. If they have `origins`, so has the answer, and integers too
        large for doubles are counted from there. Default: nothing happened.
    max_events : int, optional
        Simulate whatever the spectral radius, and raise an error if the clusters grow beyond so
        many events in all. An unstable process is finite on every window, but explodes with it.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Source of randomness; the same seed gives the same events.
    verbose : bool or callable, default False
        True says on stderr what goes on; a function is called as ``verbose(what, done, total)``.
    **reading
        How a history is read that is no Events: ``history_start``, where its observation began (0.0
        unless given; dates need it), and ``unit``, ``sort``, ``time``, ``mark`` and so on, as for
        `hawkeys.fit`. It ends at `start_time`; its marks are found by name, and its unit is that of
        the result unless given.

    Returns
    -------
    Events
        The events after the start, with the process's mark names; those of the history left out.

    Raises
    ------
    UnstableProcessError
        The spectral radius is 1 or more and `max_events` is not given, or it is exceeded.
    InvalidParameterError
        A window that does not end after it starts, a history that does not end where it starts, or
        more than 2e8 expected events.
    InvalidEventsError
        A history with other marks, or that cannot be read.

    Notes
    -----
    The cost is linear in the number of events and does not depend on the number of marks, but for
    the sort at the end; a history costs its number of events times the number of marks. From 20,000
    expected events on, with exponential kernels and constant baselines, all children of one pair of
    marks and one generation are drawn at once: the same law, other random numbers.

    References
    ----------
    Hawkes, A. G. and Oakes, D. (1974). A cluster process representation of a self-exciting process.
    Journal of Applied Probability 11(3), 493-503. doi:10.2307/3212693

    Examples
    --------
    >>> import hawkeys
    >>> process = hawkeys.Hawkes(baseline=[1.0], adjacency=[[0.5]], decay=2.0)
    >>> past = hawkeys.simulate(process, end_time=100.0, rng=0)
    >>> past
    Events(n_events=219, n_marks=1, n_realizations=1, mark_names=('0',))
    >>> future = hawkeys.simulate(process, end_time=110.0, history=past, rng=1)
    >>> future.start_times
    array([100.])
    """
    model, process = process, as_process(process)
    clusters = not isinstance(process, NonlinearHawkes)
    if clusters:
        check_hawkes(process)
    history = as_history(model, process, history, start_time, reading)
    starts, ends = check_windows(start_time, end_time, n_realizations, history)
    with told(verbose, "Simulating", 1):
        if not clusters:
            return _by_thinning(process, (starts, ends), history, max_events, rng)
        limit = limit_of_events(process, starts, ends, max_events)
        generator = as_generator(rng)
        if history is None and is_bulk(process, ends - starts):
            return simulate_bulk(process, starts, ends, generator, limit=limit)
        points = draw_points(process, starts, ends, history, generator, limit=limit)
        return on_clock_of(history, collect(process, starts, ends, points, time_order(points)))


def _by_thinning(
    process: NonlinearHawkes,
    windows: tuple[FloatArray, FloatArray],
    history: Events | None,
    max_events: int | None,
    rng: RandomState,
) -> Events:
    """Return the simulation of a process without clusters."""
    limit: dict[str, Any] = {} if max_events is None else {"max_events": max_events}
    starts, ends = windows
    return simulate_nonlinear(
        process, start_time=starts, end_time=ends, history=history, rng=rng, **limit
    )


def simulate_until(
    process: Hawkes | Any,
    n_events: int,
    *,
    start_time: Bounds | None = None,
    n_realizations: int | None = None,
    history: Any = None,
    rng: RandomState = None,
    **reading: Any,
) -> Events:
    """Simulate the first events of a Hawkes process exactly, whatever its spectral radius.

    Parameters
    ----------
    process : Hawkes
        The process; a baseline must be positive.
    n_events : int
        Number of events of each realisation, all marks together.
    start_time : float or array_like, shape (n_realizations,), optional
        Start of observation. Default: the end of the history, or 0.0 without one.
    n_realizations : int, optional
        Number of independent realisations. Default: the length of `start_time`, or 1.
    history : Events, frame, mapping or sequence, optional
        What happened up to the start; see `simulate`.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Source of randomness; the same seed gives the same events.
    **reading
        How a history is read that is no Events; see `simulate`.

    Returns
    -------
    Events
        Exactly `n_events` per realisation; each window ends at its last event.

    Raises
    ------
    InvalidParameterError
        `n_events` is no positive whole number, or every baseline is 0; or as `simulate`.
    InvalidEventsError
        As `simulate`.
    UnstableProcessError
        More than 1e8 children of the history are still to come.

    Notes
    -----
    Clusters are grown generation after generation, and what is later than the n-th event so far is
    dropped: it cannot be among the first n. No horizon is guessed, so the law is exact.

    References
    ----------
    Hawkes, A. G. and Oakes, D. (1974). A cluster process representation of a self-exciting process.
    Journal of Applied Probability 11(3), 493-503. doi:10.2307/3212693

    Examples
    --------
    >>> import hawkeys
    >>> process = hawkeys.Hawkes(baseline=[1.0], adjacency=[[1.2]], decay=2.0)
    >>> hawkeys.simulate_until(process, 50, rng=0)
    Events(n_events=50, n_marks=1, n_realizations=1, mark_names=('0',))
    """
    model, process = process, check_hawkes(as_process(process))
    wanted = check_count(n_events, "n_events")
    history = as_history(model, process, history, start_time, reading)
    starts, _ = check_windows(start_time, None, n_realizations, history)
    points = first_points(process, starts, history, wanted, as_generator(rng))
    order = time_order(points)
    # the last event ends the window; each realisation has as many
    ends = starts + points.times[order[wanted - 1 :: wanted]]
    return on_clock_of(history, collect(process, starts, ends, points, order))


def simulate_clusters(
    process: Hawkes,
    starts: FloatArray,
    ends: FloatArray,
    rng: np.random.Generator,
    *,
    limit: float,
    history: Events | None = None,
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
    history : Events or None, optional
        What happened before each window.

    Returns
    -------
    Events
        As `simulate`.

    Raises
    ------
    UnstableProcessError
        The clusters grow beyond `limit` events.
    """
    points = draw_points(process, starts, ends, history, rng, limit=limit)
    return on_clock_of(history, collect(process, starts, ends, points, time_order(points)))
