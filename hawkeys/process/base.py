"""`Process`: base class of processes with fixed parameters, and the checks of their events."""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any, Literal, overload

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys._validation import as_float_array, brief, brief_names, check_flag, refuse_disguised
from hawkeys.events import Events
from hawkeys.events.container import as_events
from hawkeys.events.windows import Past
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError
from hawkeys.process.event_densities import log_densities

__all__ = ["Process", "as_process", "as_times", "check_events", "check_queries", "read_for"]


class Process(ABC):
    """A multivariate point process with fixed parameters, such as `Hawkes`.

    Attributes
    ----------
    baseline : ndarray of float64, shape (n_marks,)
        Rates of events that nothing influences, per unit of time; of `NonlinearHawkes` what is
        inside the link then.
    adjacency : ndarray of float64, shape (n_marks, n_marks)
        Influence of source on target, target by source; no unit. `NonlinearHawkes` has `weights`
        instead, by order and filter.
    mark_names : tuple of str, length n_marks
        Labels of the marks.
    """

    baseline: FloatArray
    adjacency: FloatArray
    mark_names: tuple[str, ...]

    @property
    def n_marks(self) -> int:
        """Number of marks D."""
        return self.baseline.size

    @overload
    def log_likelihood(
        self,
        events: Any,
        *,
        per_event: Literal[False] = ...,
        history: Past | None = ...,
        **windows: Any,
    ) -> float: ...

    @overload
    def log_likelihood(
        self,
        events: Any,
        *,
        per_event: Literal[True],
        history: Past | None = ...,
        **windows: Any,
    ) -> FloatArray: ...

    def log_likelihood(
        self,
        events: Any,
        *,
        per_event: bool = False,
        history: Past | None = None,
        **windows: Any,
    ) -> float | FloatArray:
        r"""Return the log-likelihood of `events`, natural log, summed, nothing dropped.

        .. math:: \sum_i \Big[ \sum_k \log \lambda_i(t_{ik}) - \int \lambda_i(t)\, dt \Big]

        Parameters
        ----------
        events : Events, frame, mapping or sequence
            Realisations with n_marks marks; all but Events need ``end_time``.
        per_event : bool, default False
            Return the logarithm of the density of each event instead, given all before it.
        history : Events or History, optional
            What happened before the windows: one realisation that all share, or one for each,
            observed up to where its window starts (the first part of ``events.split(...)``). Its
            events excite, but only the windows count: the answer is the likelihood given the
            history, and the two add up to that of both together. Or what happened outside the
            windows of ``events.within(...)``. For `Hawkes` alone. Default: nothing happened.
        **windows
            ``end_time``, ``start_time`` and all else that says how data are read, as for
            `hawkeys.fit`; marks are found by name.

        Returns
        -------
        float, or ndarray of float64 of shape (n_events,)
            In nats (of a density per unit of time); minus infinity if an event was impossible. With
            `per_event` in the order of ``events.times``:
            :math:`\log \lambda_{i_k}(t_k) - \int_{t_{k-1}}^{t_k} \sum_i \lambda_i(t)\, dt`. Their
            sum is the log-likelihood but for the time between the last event of a realisation and
            its end, in which nothing happened.

        Raises
        ------
        InvalidEventsError
            `events` has another number of marks, or is not what is said above; nor is `history`.
        InvalidParameterError
            ``end_time`` is missing for lists, or given beside Events; a history that does not end
            where its window starts, or of a process other than `Hawkes`.

        Notes
        -----
        Values per event take O(n_events n_marks) time and no more than some 100 MB beside the
        events, whatever the number of marks.

        References
        ----------
        Daley, D. J. and Vere-Jones, D. (2003). An Introduction to the Theory of Point Processes I,
        2nd ed., proposition 7.2.III. doi:10.1007/b97277

        Examples
        --------
        >>> import hawkeys
        >>> process = hawkeys.Hawkes([0.5], [[0.0]], decay=1.0)
        >>> events = hawkeys.Events.from_lists([[[1.0, 3.0]]], end_times=4.0)
        >>> round(process.log_likelihood(events), 6)  # 2 log(0.5) - 0.5 * 4
        -3.386294
        >>> process.log_likelihood(events, per_event=True).round(3)  # log(0.5) - 0.5 * (1, 2)
        array([-1.193, -1.693])
        >>> excited = hawkeys.Hawkes([0.5], [[0.4]], decay=1.0)
        >>> train, test = events.split(at=2.0)
        >>> given = excited.log_likelihood(test, history=train)
        >>> total = excited.log_likelihood(events)
        >>> abs(excited.log_likelihood(train) + given - total) < 1e-12
        True
        """
        sample = read_for(self, self, events, windows)
        check_events(sample, self.n_marks)
        process = self if history is None else self._after(history, sample)
        if per_event is not False and check_flag(per_event, "per_event"):
            return log_densities(sample, process._intensity_at, process._compensator_at)
        return process._log_likelihood(sample)

    def intensity(
        self, events: Any, times: Any, *, realization: int = 0, **windows: Any
    ) -> FloatArray:
        """Return the intensity of every mark at given times, given the events before them.

        Parameters
        ----------
        events : Events, frame, mapping or sequence
            Realisations with n_marks marks; all but Events need ``end_time``.
        times : array_like of numbers or dates, shape (n_times,)
            Times within the window, in any order. An event at such a time is not yet counted.
        realization : int, default 0
            Which realisation.
        **windows
            ``end_time``, ``start_time`` and all else that says how data are read, as for
            `hawkeys.fit`; marks are found by name.

        Returns
        -------
        ndarray of float64, shape (n_times, n_marks)
            Events per unit of time.

        Raises
        ------
        InvalidParameterError
            A time is not finite or lies outside the window; no such realisation; ``end_time`` is
            missing.
        InvalidEventsError
            `events` cannot be read, or has another number of marks.

        Examples
        --------
        >>> import hawkeys
        >>> process = hawkeys.Hawkes([0.5], [[1.0]], decay=2.0)
        >>> events = hawkeys.Events.from_lists([[[1.0]]], end_times=4.0)
        >>> process.intensity(events, [1.0, 1.5]).round(4)
        array([[0.5   ],
               [1.2358]])
        """
        sample = read_for(self, self, events, windows)
        r, queries, back = self._sorted(sample, times, realization)
        return self._intensity_at(sample, r, queries)[back]

    def compensator(
        self, events: Any, times: Any, *, realization: int = 0, **windows: Any
    ) -> FloatArray:
        """Return the integral of the intensity from the start of the window to given times.

        Parameters
        ----------
        events : Events, frame, mapping or sequence
            Realisations with n_marks marks; all but Events need ``end_time``.
        times : array_like of numbers or dates, shape (n_times,)
            Times within the window, in any order.
        realization : int, default 0
            Which realisation.
        **windows
            ``end_time``, ``start_time`` and all else that says how data are read, as for
            `hawkeys.fit`; marks are found by name.

        Returns
        -------
        ndarray of float64, shape (n_times, n_marks)
            Expected number of events so far, given the past at each moment. Exact.

        Raises
        ------
        InvalidParameterError
            A time is not finite or lies outside the window; no such realisation; ``end_time`` is
            missing.
        InvalidEventsError
            `events` cannot be read, or has another number of marks.

        Examples
        --------
        >>> import hawkeys
        >>> process = hawkeys.Hawkes([0.5], [[1.0]], decay=2.0)
        >>> events = hawkeys.Events.from_lists([[[1.0]]], end_times=4.0)
        >>> process.compensator(events, [1.0, 4.0]).round(4)
        array([[0.5   ],
               [2.9975]])
        """
        sample = read_for(self, self, events, windows)
        r, queries, back = self._sorted(sample, times, realization)
        return self._compensator_at(sample, r, queries)[back]

    def _after(self, history: Any, events: Events) -> Process:
        """Return the process as it goes on after a history, to look at these events alone.

        Raises `InvalidParameterError` or `InvalidEventsError` for what is no history of them.
        """
        raise InvalidParameterError(
            f"history continues a hawkeys.Hawkes process; got {type(self).__name__}, whose windows "
            "start from nothing. Leave history out."
        )

    @abstractmethod
    def _log_likelihood(self, events: Events) -> float:
        """Return the log-likelihood of checked events."""

    @abstractmethod
    def _intensity_at(self, events: Events, realization: int, times: FloatArray) -> FloatArray:
        """Return the intensities at sorted times within the window, (n_times, n_marks)."""

    @abstractmethod
    def _compensator_at(self, events: Events, realization: int, times: FloatArray) -> FloatArray:
        """Return the integrals up to sorted times within the window, (n_times, n_marks)."""

    def _sorted(
        self, events: Events, times: Any, realization: int
    ) -> tuple[int, FloatArray, np.ndarray]:
        """Return the realisation, the checked times in order, and what restores their order."""
        check_events(events, self.n_marks)
        queries, r = check_queries(events, times, realization)
        order = np.argsort(queries, kind="stable")
        return r, queries[order], np.argsort(order, kind="stable")


def as_process(model: Any) -> Any:
    """Return the process of a fitted result; a process, and all else, as it is.

    Raises `InvalidParameterError` if the result holds a process for every realisation.
    """
    process = getattr(model, "process", model)
    if callable(process):
        raise InvalidParameterError(
            f"{type(model).__name__} holds a process for every realisation; got all of them. Pass "
            "one, result.process(r)."
        )
    return process


def read_for(model: Any, process: Any, data: Any, reading: Mapping[str, Any]) -> Events:
    """Return data as Events with the marks of a process, in its order, and the unit of a result.

    Raises `InvalidEventsError` for other marks, `InvalidParameterError` for another unit, what is
    wrong with the reading, or a fit whose times are not known.
    """
    if "resolution" in getattr(model, "options", ()):
        raise InvalidParameterError(
            "this fit is of times known up to their ticks, or of counts, and exact times are "
            "needed here. Pass its process, result.process, beside exact times."
        )
    unit, wanted = getattr(model, "unit", None), getattr(process, "mark_names", None)
    if isinstance(data, Events) and not reading:
        events = data
    else:
        own = {} if unit is None or isinstance(data, Events) else {"unit": unit}
        given = own | dict(reading)
        events = as_events(data, given, alone=True, mark_names=wanted)
    names = events.mark_names
    if wanted and names != wanted and sorted(names) == sorted(wanted):
        raise InvalidEventsError(
            f"the events have the marks {brief_names(names)} in another order than "
            f"the process, {brief_names(wanted)}. Put them in its order: "
            "events.with_marks(process.mark_names)."
        )
    if None not in (unit, events.unit) and unit != events.unit:
        raise InvalidParameterError(
            f"the events are counted in {events.unit!r}, the fit in {unit!r}. Read them with "
            f"unit={unit!r}."
        )
    return events


def check_events(events: Any, n_marks: int) -> None:
    """Refuse, with `InvalidEventsError`, what is not `Events` with the marks of the process."""
    if not isinstance(events, Events):
        raise InvalidEventsError(
            f"expected hawkeys.Events, got {type(events).__name__}. Build them with "
            "Events.from_lists(..., end_times=...)."
        )
    if events.n_marks != n_marks:
        raise InvalidEventsError(
            f"the events have {events.n_marks} marks, the process has {n_marks}. Build "
            "the events with the same marks, empty ones included."
        )


def check_queries(events: Events, times: Any, realization: int) -> tuple[FloatArray, int]:
    """Return times within the window of a realisation, in any order, and its number from 0.

    Dates are counted on the clock of the events. Raises `InvalidParameterError` for a time outside
    the window, and for no such realisation.
    """
    whole = isinstance(realization, int | np.integer) and not isinstance(realization, bool)
    if not whole or not -events.n_realizations <= realization < events.n_realizations:
        raise InvalidParameterError(
            f"realization must lie in 0..{events.n_realizations - 1}; got {brief(realization)}."
        )
    queries = np.atleast_1d(as_times(events, times, "times"))
    start, end = events.start_times[realization], events.end_times[realization]
    if queries.ndim != 1 or ((queries < start) | (queries > end)).any():
        raise InvalidParameterError(
            f"times must be one-dimensional and lie in the window [{start}, {end}]; got "
            f"shape {queries.shape}, from {queries.min()} to {queries.max()}.{_count_from(events)}"
        )
    return queries, realization % events.n_realizations


def as_times(events: Events, times: Any, name: str) -> FloatArray:
    """Return times as numbers on the clock of the events, shape () or (n,): dates too.

    Raises `InvalidParameterError` for what is neither.
    """
    if not _are_dates(times):
        return as_float_array(times, name)
    one = isinstance(times, str) or np.ndim(times) == 0
    found = events.moments([times] if one else times)
    return found[0] if one else found


def _are_dates(times: Any) -> bool:
    """Tell dates, or one of them, from numbers; a text is a date, and so is what is neither."""
    refuse_disguised(times, "times")
    kind = getattr(getattr(times, "dtype", None), "kind", None)
    if kind in ("f", "i", "u", "b"):
        return False
    many = not isinstance(times, str) and (np.ndim(times) > 0 or hasattr(times, "__len__"))
    first = next(iter(times), 0.0) if many else times
    return isinstance(first, str | dt.date | np.datetime64)


def _count_from(events: Events) -> str:
    """Say where times are counted from, if not from the caller's 0."""
    return "" if events.origins is None else " Subtract events.origins first, as exact integers."
