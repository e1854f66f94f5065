"""Forecasts: what may happen after the end of an observed realisation."""

from __future__ import annotations

import datetime as dt
import warnings
from typing import Any

import numpy as np

from hawkeys._typing import RandomState
from hawkeys._validation import (
    as_generator,
    brief,
    check_count,
    check_flag,
    check_level,
    check_positive_number,
)
from hawkeys._version import __version__
from hawkeys.events import Events
from hawkeys.events.columns import times_of
from hawkeys.events.observed import History
from hawkeys.events.values import values_of_all
from hawkeys.events.windows import continued, history_before
from hawkeys.exceptions import EventsWarning, InvalidParameterError, UnstableProcessError
from hawkeys.forecasting.parameter_draws import draw_processes
from hawkeys.forecasting.result import Forecast
from hawkeys.process import Hawkes, NonlinearHawkes
from hawkeys.process.base import as_process, read_for
from hawkeys.results.base import Result
from hawkeys.simulation._clusters import collect, draw_points, recent_part, time_order
from hawkeys.simulation._windows import check_history, on_clock_of
from hawkeys.simulation.nonlinear import simulate_nonlinear

__all__ = ["forecast"]

_MAX_DRAWS = 200
_MAX_EVENTS = 2e7


def forecast(
    model: Hawkes | NonlinearHawkes | Result,
    events: Any,
    horizon: Any,
    *,
    n_paths: int = 1000,
    level: float = 0.95,
    parameter_uncertainty: bool = False,
    rng: RandomState = 0,
    history: Events | None = None,
    **windows: Any,
) -> Forecast:
    r"""Forecast the counts and the next event after the end of an observed realisation.

    The counts come from exact simulation conditional on the history; the law of the next event
    comes from the compensator: nothing happens up to t with probability
    :math:`\exp(-\sum_i \int_{t_0}^t \lambda_i(s)\,ds)`.

    Parameters
    ----------
    model : Hawkes, NonlinearHawkes (`RectifiedHawkes` is one), or result of a fit
        The process; any spectral radius, since the horizon is finite.
    events : Events, frame, mapping or sequence
        One realisation; the forecast starts where its observation ends. All but Events need
        ``end_time``.
    horizon : float or duration
        Length of time to forecast, in the unit of time of the events; or a timedelta, if they have
        a unit.
    n_paths : int, default 1000
        Number of simulated futures. A 95 % interval needs some hundreds for steady ends.
    level : float, default 0.95
        Level of the prediction intervals.
    parameter_uncertainty : bool, default False
        Draw the parameters too, from the posterior of a variational fit or the asymptotic normal
        law of a likelihood fit, truncated at 0 where it must be. Each of at most 200 draws serves
        as many paths. Kernel parameters are held at their estimates.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None, default 0
        Source of randomness; the same seed gives the same forecast.
    history : Events, optional
        What happened before `events`, up to where their window starts; its events excite, too.
    **windows
        ``end_time``, ``start_time`` and all else that says how data are read, as for `hawkeys.fit`;
        marks are found by name.

    Returns
    -------
    Forecast
        Futures, counts with intervals, and the law of the next event.

    Raises
    ------
    InvalidEventsError
        `events` is not `Events`, or has other marks than the process.
    InvalidParameterError
        More than one realisation; a horizon, `n_paths` or `level` out of range; no parameter
        uncertainty is known for the model; a history that does not end where the window starts.
    UnstableProcessError
        More than 2e7 events in all.

    Warns
    -----
    EventsWarning
        The forecast goes beyond the last knot of the baseline, whose value there is held; the
        summary says so, too.

    References
    ----------
    Daley, D. J. and Vere-Jones, D. (2003). An Introduction to the Theory of Point Processes I,
    2nd ed., section 7.2. doi:10.1007/b97277

    Examples
    --------
    >>> import hawkeys
    >>> truth = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)
    >>> past = hawkeys.simulate(truth, end_time=500.0, rng=0)
    >>> result = hawkeys.fit(past, decay=2.0)
    >>> future = hawkeys.forecast(result, past, horizon=50.0)
    >>> future.to_frame()[["mark", "mean", "lower", "upper"]]
      mark    mean  lower  upper
    0    0  30.713   17.0   47.0
    1    1  15.135    4.0   33.0
    2  all  45.848   26.0   71.0
    """
    process = as_process(model)
    events = read_for(model, process, events, windows)
    if isinstance(history, History):
        raise InvalidParameterError(
            "a forecast starts where a recording ends, and was given windows of it. Pass the "
            "recording itself, forecast(result, events, horizon), without history=."
        )
    _check_start(process, events)
    if history is not None:
        events = continued(history_before(events, history), events)[0]
    length = check_positive_number(_in_unit(horizon, events), "horizon")
    size = check_count(n_paths, "n_paths")
    width = check_level(level)
    generator = as_generator(rng)
    draws: list[Any] = []
    if check_flag(parameter_uncertainty, "parameter_uncertainty"):
        draws = draw_processes(model, min(size, _MAX_DRAWS), generator)
    end, last = float(events.end_times[0]) + length, process._last
    if end > last:
        process, draws = process._held_until(end), [one._held_until(end) for one in draws]
    paths = _simulate(draws or [process], events, length, size, generator)
    held = last if end > last else None
    found = Forecast(process, events, length, width, paths, tuple(draws), __version__, held)
    if held is not None:
        _warn_of_held(found, held)
    return found


def _warn_of_held(found: Forecast, last: float) -> None:
    """Warn that a forecast goes beyond what the baseline says."""
    warnings.warn(
        f"the forecast goes to {found._shown(found.end)}, and the baseline ends at "
        f"{found._shown(last)}: its value there is held. If you know more, forecast with a process "
        "whose baseline goes on, such as a periodic one.",
        EventsWarning,
        stacklevel=3,
    )


def _in_unit(horizon: Any, events: Events) -> Any:
    """Return a duration as a number of the unit of the events; a number as it is."""
    if not isinstance(horizon, dt.timedelta | np.timedelta64):
        return horizon
    if events.clock is None:
        raise InvalidParameterError(
            f"horizon is a duration, {horizon}, and the events have no unit of time. Give a "
            "number, or read the events with unit=."
        )
    length = times_of([horizon], "horizon: ")
    return float(length.since(0, events.clock.length)[0])  # type: ignore[union-attr]


def _check_start(process: Hawkes | NonlinearHawkes, events: Events) -> None:
    if not isinstance(process, Hawkes | NonlinearHawkes):
        raise InvalidParameterError(
            f"model must be a process or the result of a fit; got {brief(process)}."
        )
    check_history(process, events, "events")
    if events.n_realizations != 1:
        raise InvalidParameterError(
            f"a forecast continues one realisation; events has {events.n_realizations}. Pick one "
            "with events[k]."
        )


def _simulate(
    processes: list[Any],
    history: Events,
    horizon: float,
    n_paths: int,
    rng: np.random.Generator,
) -> Events:
    """Return futures, as evenly divided among the processes as possible."""
    if isinstance(processes[0], NonlinearHawkes):
        return _by_thinning(processes, history, horizon, n_paths, rng)
    start = float(history.end_times[0])
    recent = recent_part(processes[0], history)  # found once: all have the same kernel
    parts: list[Events] = []
    for rows in np.array_split(np.arange(n_paths), len(processes)):
        process = processes[len(parts)]
        starts = np.full(rows.size, start)
        limit = _MAX_EVENTS * rows.size / n_paths
        try:
            points = draw_points(process, starts, starts + horizon, recent, rng, limit=limit)
        except UnstableProcessError as error:
            raise UnstableProcessError(
                f"the forecast is too large: {error} Take a shorter horizon or fewer paths."
            ) from error
        parts.append(collect(process, starts, starts + horizon, points, time_order(points)))
    return on_clock_of(history, _end_to_end(parts))


def _by_thinning(
    processes: list[NonlinearHawkes],
    history: Events,
    horizon: float,
    n_paths: int,
    rng: np.random.Generator,
) -> Events:
    """Return futures of processes with a link."""
    end = float(history.end_times[0]) + horizon
    parts = []
    for rows, process in zip(
        np.array_split(np.arange(n_paths), len(processes)), processes, strict=True
    ):
        try:
            parts.append(
                simulate_nonlinear(
                    process,
                    end_time=end,
                    n_realizations=rows.size,
                    history=history,
                    rng=rng,
                    max_events=int(_MAX_EVENTS / n_paths) + 1,
                )
            )
        except UnstableProcessError as error:
            raise UnstableProcessError(
                f"the forecast is too large: {error} Take a shorter horizon or fewer paths."
            ) from error
    return on_clock_of(history, _end_to_end(parts))


def _end_to_end(parts: list[Events]) -> Events:
    """Return the realisations of several `Events` as one."""
    sizes = np.concatenate([np.diff(part.offsets) for part in parts])
    return Events.from_arrays(
        np.concatenate([part.times for part in parts]),
        np.concatenate([part.marks for part in parts]),
        offsets=np.concatenate(([0], np.cumsum(sizes))),
        start_times=np.concatenate([part.start_times for part in parts]),
        end_times=np.concatenate([part.end_times for part in parts]),
        mark_names=parts[0].mark_names,
        values=values_of_all(parts),
    )
