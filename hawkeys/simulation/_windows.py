"""Checks of the windows and histories that simulations and forecasts start from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from hawkeys._typing import Bounds, FloatArray
from hawkeys._validation import as_float_array, check_count, refuse_disguised, refuse_labels
from hawkeys.events import Events
from hawkeys.events._exact import as_exact, is_large, shift_windows
from hawkeys.events.container import as_events
from hawkeys.events.observed import History
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError, UnstableProcessError
from hawkeys.process import Hawkes
from hawkeys.process.base import Process, read_for

__all__ = [
    "as_history",
    "check_hawkes",
    "check_history",
    "check_windows",
    "limit_of_events",
    "on_clock_of",
]

_MAX_EXPECTED_EVENTS = 2e8
# above what a stable process with that many expected events ever draws
_MAX_EVENTS = 1e9


def check_hawkes(process: Any) -> Hawkes:
    """Return the process; refuse, with `InvalidParameterError`, all but a Hawkes process."""
    if not isinstance(process, Hawkes):
        raise InvalidParameterError(
            f"expected a hawkeys.Hawkes process or the result of hawkeys.fit; got "
            f"{type(process).__name__}. Clusters of parents and children exist without inhibition "
            "and links alone; hawkeys.simulate takes all processes."
        )
    return process


def as_history(
    model: Any, process: Process, history: Any, start_time: Any, reading: Mapping[str, Any]
) -> Events | None:
    """Return a history as Events; of other data it ends where the simulation starts.

    `reading` says how it is read, with its own start under "history_start"; a unit that is not said
    is that of the result. Raises `InvalidParameterError` if the end is not said, or if there is
    nothing to read, `InvalidEventsError` for other marks, or for what was outside windows.
    """
    given = dict(reading)
    if "history_start" in given:
        given["start_time"] = given.pop("history_start")
    if history is None:
        if reading:
            raise InvalidParameterError(
                f"{', '.join(reading)}: says how a history is read, and there is none. Pass "
                "history=, or leave it out."
            )
        return None
    if isinstance(history, History):
        raise InvalidEventsError(
            "a simulation continues recordings from their ends, and was given what happened "
            "outside windows of them. Pass the recordings, history=events."
        )
    if not isinstance(history, Events):
        if start_time is None:
            raise InvalidParameterError(
                "start_time is missing: a history that is no Events ends where the simulation "
                "starts. Pass start_time=, or build Events with their own end."
            )
        history = read_for(model, process, history, {**given, "end_time": start_time})
    elif given:
        history = as_events(history, given, alone=True)
    check_history(process, history)
    return history


def check_history(process: Process, history: Events, name: str = "history") -> None:
    """Refuse what is not `Events` with the marks of the process."""
    if not isinstance(history, Events):
        raise InvalidEventsError(
            f"{name} must be hawkeys.Events, got {type(history).__name__}. Build them with "
            "Events.from_lists(..., end_times=...)."
        )
    if history.n_marks != process.n_marks:
        raise InvalidEventsError(
            f"{name} has {history.n_marks} marks, the process has {process.n_marks}. Build the "
            "events with the same marks, empty ones included."
        )


def check_windows(
    start_time: Bounds | None,
    end_time: Bounds | None,
    n_realizations: int | None,
    history: Events | None,
) -> tuple[FloatArray, FloatArray]:
    """Return the starts and ends of the windows, one per realisation; no end is infinite."""
    begin = _default_start(history) if start_time is None else start_time
    starts = _as_bounds(begin, "start_time", history)
    ends = np.array(np.inf) if end_time is None else _as_bounds(end_time, "end_time", history)
    size = max(starts.size, ends.size)
    if n_realizations is not None:
        size = max(size, check_count(n_realizations, "n_realizations"))
    if history is not None and history.n_realizations not in (1, size):
        raise InvalidParameterError(
            f"history has {history.n_realizations} realisations, but {size} are to be simulated. "
            "Pick one with history[k], which all share, or pass one for each."
        )
    if any(bound.ndim > 1 or bound.size not in (1, size) for bound in (starts, ends)):
        raise InvalidParameterError(
            f"start_time and end_time must be one number or one per realisation ({size}); got "
            f"shapes {starts.shape} and {ends.shape}."
        )
    starts, ends = np.full(size, starts), np.full(size, ends)
    if not (ends > starts).all():
        r = int(np.argmin(ends > starts))
        raise InvalidParameterError(
            f"realization {r}: every window must end after it starts; got start_time {starts[r]} "
            f"and end_time {ends[r]}."
        )
    if history is not None:
        _check_no_gap(history, starts)
    return starts, ends


def on_clock_of(history: Events | None, events: Events) -> Events:
    """Return events that continue a history, counted from the same origins."""
    if history is None or (history.origins is None and history.clock is None):
        return events
    copies = events.n_realizations // history.n_realizations
    origins = None if history.origins is None else history.origins * copies
    return replace(events, origins=origins, clock=history.clock)


def _as_bounds(value: Any, name: str, history: Events | None) -> FloatArray:
    """Return bounds counted as the history is; large integers and dates are not yet."""
    refuse_disguised(value, name)
    refuse_labels(value, name)
    clock = None if history is None else history.clock
    plain = np.ndim(value) > 0 or (
        isinstance(value, int | float | np.number) and not isinstance(value, np.timedelta64)
    )
    if history is not None and clock is not None and clock.origin is not None and not plain:
        return history._moments(value, name).reshape(())
    exact = as_exact(value)
    if history is None or history.origins is None or not is_large(exact):
        return as_float_array(value, name)
    size = max(exact.size, history.n_realizations)
    if history.n_realizations not in (1, size) or exact.size not in (1, size):
        return as_float_array(value, name)  # refused by the caller
    origins = history.origins * (size // history.n_realizations)
    return shift_windows(np.full(size, exact.astype(object)), origins)


def _default_start(history: Events | None) -> Bounds:
    return 0.0 if history is None else history.end_times


def _check_no_gap(history: Events, starts: FloatArray) -> None:
    gap = starts - history.end_times
    if (gap != 0).any():
        r = int(np.argmax(gap != 0))
        end = np.full(starts.size, history.end_times)[r]
        raise InvalidParameterError(
            f"realization {r}: the history is observed up to {end} but the window starts at "
            f"{starts[r]}. Leave start_time out, or cut the history at the start: events and "
            "end_times."
        )


def limit_of_events(
    process: Hawkes, starts: FloatArray, ends: FloatArray, max_events: int | None
) -> float:
    """Refuse what would explode or not fit, unless the caller set a limit."""
    if max_events is not None:
        return float(check_count(max_events, "max_events"))
    if process.spectral_radius >= 1:
        raise UnstableProcessError(
            f"the process is unstable: its spectral radius is {process.spectral_radius:.6g}, and "
            "simulation needs less than 1. Scale the adjacency down, or give max_events= to "
            "simulate it on a short window. A fit with few events per parameter has too large an "
            "adjacency: estimate less with hawkeys.inference.penalty_path, or support=."
        )
    process.baseline_function.check_windows(starts, ends)
    immigrants = process.baseline_function.integral(starts, ends).sum(axis=0)
    children = np.eye(process.n_marks) - process.mean_adjacency
    expected = float(np.linalg.solve(children, immigrants).sum())
    if expected > _MAX_EXPECTED_EVENTS:
        raise InvalidParameterError(
            f"about {expected:.3g} events would be simulated, the limit is "
            f"{_MAX_EXPECTED_EVENTS:.0e}. Shorten the windows or check the unit of time."
        )
    return _MAX_EVENTS
