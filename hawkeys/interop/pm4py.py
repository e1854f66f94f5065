"""`events_from_pm4py`: event logs of processes, a case a realisation."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from hawkeys._validation import brief, brief_names
from hawkeys.events import Events
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["events_from_pm4py"]

_LIFECYCLE = "lifecycle:transition"


def events_from_pm4py(
    log: Any,
    *,
    start_time: Any,
    end_time: Any,
    unit: str,
    lifecycle: str | None = None,
    names: tuple[str, str, str] = ("case:concept:name", "concept:name", "time:timestamp"),
) -> Events:
    """Return an event log of pm4py as events, a case a realisation.

    Parameters
    ----------
    log : pandas.DataFrame or pm4py EventLog
        What ``pm4py.read_xes`` and ``pm4py.format_dataframe`` return. It is not changed.
    start_time : date, mapping from case to date, or "first"
        When observation of each case began. "first": with its first event.
    end_time : date, mapping from case to date, or "last"
        When it ended, for instance when the log was drawn. "last": with the last event of each.
    unit : {"ns", "us", "ms", "s", "min", "h", "day", "week"}
        Unit that times are counted in, from the earliest start.
    lifecycle : str, optional
        Keep events of this ``lifecycle:transition``, such as "complete", in capitals or not.
        Required where a log has several.
    names : tuple of str, default ("case:concept:name", "concept:name", "time:timestamp")
        Columns of cases, activities and times.

    Returns
    -------
    Events
        Cases in sorted order, activities as marks; events of one time in the order of the log.

    Raises
    ------
    InvalidEventsError
        `log` is no log or has no such columns, an event lacks one of them, a case has no window or
        an event outside of it, or activities are told several times, by their lifecycle.
    InvalidParameterError
        A window, `unit` or `lifecycle` is wrong, or dates have a time zone on one side alone.

    Notes
    -----
    A log tells neither when a case was opened nor whether it is closed. A case that is observed
    until its last event ends when it does because of that event: rates come out too high, by about
    one event in as many as a case has.

    References
    ----------
    A. Berti, S. van Zelst and D. Schuster (2023). PM4Py: a process mining library for Python.
    Software Impacts 17, 100556, doi:10.1016/j.simpa.2023.100556.

    Examples
    --------
    >>> import pandas as pd
    >>> from hawkeys.interop import events_from_pm4py
    >>> log = pd.DataFrame({
    ...     "case:concept:name": ["17", "17", "20"], "concept:name": ["open", "pay", "open"],
    ...     "time:timestamp": pd.to_datetime(["2024-01-01", "2024-01-03", "2024-01-02"], utc=True),
    ... })
    >>> drawn = pd.Timestamp("2024-02-01", tz="UTC")
    >>> events_from_pm4py(log, start_time="first", end_time=drawn, unit="day")
    Events(n_events=3, n_marks=2, n_realizations=2, mark_names=('open', 'pay'))
    """
    frame, cases = _frame(log, names)
    if frame.empty:
        raise InvalidEventsError("the log has no event.")
    frame = _of_lifecycle(frame, lifecycle)
    case, activity, time = names
    groups = frame.groupby(case)[time]
    starts = groups.min().to_dict() if _is_word(start_time, "first") else start_time
    ends = groups.max().to_dict() if _is_word(end_time, "last") else end_time
    return Events.from_frame(
        frame,
        time=time,
        mark=activity,
        realization=case,
        start_times=_each(starts, cases),
        end_times=_each(ends, cases),
        unit=unit,
        sort=True,
    )


def _is_word(value: Any, word: str) -> bool:
    return isinstance(value, str) and value == word


def _each(value: Any, cases: Sequence[Any]) -> Any:
    """Return one bound for each case, those without an event included."""
    return value if isinstance(value, Mapping) else dict.fromkeys(cases, value)


def _frame(log: Any, names: tuple[str, str, str]) -> tuple[pd.DataFrame, list[Any]]:
    """Return a frame of its own with what is read of a log, and all cases."""
    import pandas as pd

    if isinstance(log, pd.DataFrame):
        missing = [name for name in names if name not in log.columns]
        if missing:
            raise InvalidEventsError(
                f"the log has no column {missing[0]!r}; it has {brief_names(log.columns)}. Say "
                "which hold cases, activities and times with names=."
            )
        wanted = [*names, *([_LIFECYCLE] if _LIFECYCLE in log.columns else [])]
        frame = log[wanted].reset_index(drop=True)
        return frame, frame[names[0]].dropna().unique().tolist()
    is_log = isinstance(log, Sequence) and all(hasattr(trace, "attributes") for trace in log)
    if not is_log or isinstance(log, str):
        raise InvalidEventsError(
            f"expected a pandas.DataFrame or an EventLog of pm4py; got {brief(log)}. pm4py.read_xes"
            "(path) reads XES files."
        )
    return _frame_of_traces(log, names)


def _frame_of_traces(
    log: Sequence[Any], names: tuple[str, str, str]
) -> tuple[pd.DataFrame, list[Any]]:
    """Return the frame of an EventLog, whose cases are traces with attributes of their own."""
    import pandas as pd

    key = names[0].removeprefix("case:")
    seen: dict[Any, int] = {}
    rows = []
    for k, trace in enumerate(log):
        case = trace.attributes.get(key)
        if case is None or case in seen:
            what = "no" if case is None else f"that of trace {seen[case]}, {brief(case)}, as its"
            raise InvalidEventsError(f"trace {k} has {what} {key!r}. Cases are told apart by it.")
        seen[case] = k
        for i, event in enumerate(trace):
            missing = [name for name in names[1:] if name not in event]
            if missing:
                raise InvalidEventsError(
                    f"trace {k} ({brief(case)}), event {i}: there is no {missing[0]!r}; there are "
                    f"{brief_names(event)}. Leave the event out, or say what to read with names=."
                )
            rows.append((case, event[names[1]], event[names[2]], event.get(_LIFECYCLE)))
    frame = pd.DataFrame(rows, columns=[*names, _LIFECYCLE])
    return (frame.drop(columns=_LIFECYCLE) if frame[_LIFECYCLE].isna().all() else frame), list(seen)


def _of_lifecycle(frame: pd.DataFrame, lifecycle: str | None) -> pd.DataFrame:
    """Return the events of one step of the lifecycle; refuse several of which none was chosen."""
    if _LIFECYCLE not in frame:
        if lifecycle is not None:
            raise InvalidParameterError(
                f"lifecycle={lifecycle!r}, but the log has no {_LIFECYCLE!r}. Leave it out."
            )
        return frame
    steps = frame[_LIFECYCLE].astype(object).fillna("missing").map(lambda step: str(step).lower())
    there = sorted(set(steps))
    if lifecycle is None:
        if len(there) > 1:
            raise InvalidEventsError(
                f"the log tells activities several times, by {_LIFECYCLE!r}: {brief_names(there)}. "
                f"Choose one, such as lifecycle={there[0]!r}."
            )
        return frame
    if not isinstance(lifecycle, str) or lifecycle.lower() not in there:
        raise InvalidParameterError(
            f"lifecycle must be one of those of the log, {brief_names(there)}; got "
            f"{brief(lifecycle)}."
        )
    return frame[steps == lifecycle.lower()].reset_index(drop=True)
