"""What ``hawkeys fit`` reads: a table, its columns, dates and windows."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pandas as pd

from hawkeys.cli.logs import STDIN, read_input
from hawkeys.datasets._tables.events import (
    EventColumns,
    edge_times,
    instants_of,
    load_cells,
    pick_columns,
)
from hawkeys.datasets._tables.files import BrokenFileError, one_line
from hawkeys.datasets.readers import events_in_cells
from hawkeys.events import Events
from hawkeys.exceptions import DatasetError, EventsWarning, InvalidParameterError
from hawkeys.partitions import PartitionedEvents, open_events

__all__ = ["open_folder_of_events", "read_table_of_events"]

_EDGES = {"--start-time": "first", "--end-time": "last"}
_UNITS = {"day": 86_400.0, "h": 3_600.0, "min": 60.0, "s": 1.0, "ms": 1e-3}


def open_folder_of_events(path: Path, given: Mapping[str, Any]) -> PartitionedEvents:
    """Return events on disk.

    Parameters
    ----------
    path : Path
        A folder that `hawkeys.write_events` made.
    given : mapping
        Options that say how a table is read, or ask for the events in memory, by their names; those
        that are None, False or empty were not given.

    Returns
    -------
    PartitionedEvents
        Opened, not read.

    Raises
    ------
    InvalidEventsError
        The folder is no such one.
    InvalidParameterError
        An option is given that events on disk have no use for.
    """
    asked = [name for name, value in given.items() if value]
    if asked:
        raise InvalidParameterError(
            f"{path} is a folder of events, whose windows, marks and unit were written with it, "
            f"and which is not read as a whole; got {', '.join(asked)}. Leave that out."
        )
    return open_events(path)


def read_table_of_events(
    path: Path, columns: EventColumns, bounds: Mapping[str, str | None], how: Mapping[str, Any]
) -> tuple[Events, list[str]]:
    """Return the events of a table, and what was chosen for the caller.

    Parameters
    ----------
    path : Path
        A csv, sheet or Parquet file; - for stdin.
    columns : EventColumns
        Columns that were named; what is empty is picked.
    bounds : mapping
        What stands behind "--start-time" and "--end-time".
    how : mapping
        "ignore" (tuple of names), "unit", "sort" and "decay" (which, given as a number, asks for a
        unit of dates).

    Returns
    -------
    events : Events
        The data.
    said : list of str
        Columns and unit that were chosen, in a line each.

    Raises
    ------
    DatasetError
        The file is damaged, or a column is missing or ambiguous.
    InvalidParameterError
        A bound of the windows is missing, or is neither a number nor a date; or there is a decay,
        and nobody knows its unit.
    """
    content, name = read_input(path) if path == STDIN else (None, str(path))
    frame = load_cells(name, content)
    try:
        chosen = pick_columns(frame, columns, how["ignore"])
        if frame.empty:
            raise BrokenFileError("there is a header but no row with an event; check the file.")
        times = instants_of(frame, chosen.time)
        dated = isinstance(times, pd.Series)
        windows = {
            option: _window(text, option, (frame, chosen), times if dated else None)
            for option, text in bounds.items()
        }
    except BrokenFileError as error:
        raise DatasetError(f"{name}: {one_line(error)}") from error
    if dated and how["unit"] is None and not isinstance(how["decay"], str):
        raise InvalidParameterError(
            "--unit is missing: the times are dates, and --decay is per unit of time. Write "
            "--unit s, min, h, day or the like; or --decay estimate, which needs none."
        )
    unit = how["unit"] or (_unit_of(times) if dated else None)
    said = _choices(columns, chosen, unit if dated and how["unit"] is None else None)
    ends = {"end_times": windows["--end-time"], "start_times": windows["--start-time"]}
    how_read = {"unit": unit, "sort": how["sort"]}
    return events_in_cells(frame, name, chosen, ends, how["ignore"], **how_read), said


def _choices(given: EventColumns, chosen: EventColumns, unit: str | None) -> list[str]:
    """Return which columns and which unit were chosen for the caller; times called so need none."""
    picked = [
        f"{part} from {name!r} (--{part})"
        for part, name, asked in zip(chosen._fields, chosen, given, strict=True)
        if name is not None and not asked and name != "time"
    ]
    said = [f"columns picked: {', '.join(picked)}"] if picked else []
    if unit is not None:
        said.append(f"the times are dates, counted in {unit} (--unit)")
    return said


def _unit_of(dates: pd.Series) -> str:
    """Return the longest unit in which the mean step between events is at least 1."""
    span = (dates.max() - dates.min()).total_seconds() / max(len(dates) - 1, 1)
    return next((unit for unit, seconds in _UNITS.items() if span >= seconds), "ms")


def _window(
    text: str | None, option: str, table: tuple[pd.DataFrame, EventColumns], dates: Any
) -> Any:
    """Return one bound, or one per label of a realisation; the first or last times if asked."""
    frame, columns = table
    edge = _EDGES[option]
    if text is None and option == "--start-time" and dates is None:
        return None
    if text is None:
        shown = edge_times(frame, columns._replace(realization=None), edge)
        raise InvalidParameterError(
            f"{option} is missing: when observation {'ended' if edge == 'last' else 'began'} is "
            f"data and is never guessed. The {edge} event is at {shown}. Write {option} TIME, or "
            f"{option} {edge} if observation {'ended' if edge == 'last' else 'began'} with it."
        )
    if text == edge:
        warnings.warn(
            f"{option} {edge}: observation is taken to have "
            f"{'ended' if edge == 'last' else 'begun'} with the {edge} event, which makes rates "
            "too high where it went on without events.",
            EventsWarning,
            stacklevel=2,
        )
        return edge_times(frame, columns, edge)
    told = _told(text, option, columns, dates)
    if dates is not None:
        _check_zones(told, option, dates, str(frame[columns.time].iloc[0]))
    return told


def _check_zones(told: Any, option: str, dates: pd.Series, first: str) -> None:
    """Refuse a bound without a zone beside times with one, and the reverse; `first` is a time."""
    for bound in told.values() if isinstance(told, dict) else [told]:
        if (bound.tz is None) == (dates.dt.tz is None):
            continue
        here, offset = bound.tz_localize(None), pd.Timestamp(first).strftime("%z")
        offset = f"{offset[:3]}:{offset[3:5]}" if offset else ""
        raise InvalidParameterError(
            f"{option} {bound.isoformat()} has {'no' if bound.tz is None else 'a'} time zone and "
            f"the times have {'one' if bound.tz is None else 'none'}, as {first!r}. Write "
            f"{option} {here.isoformat()}{offset}{', or the zone that is meant' if offset else ''}."
        )


def _told(text: str, option: str, columns: EventColumns, dates: Any) -> Any:
    """Return what an option says: one time, or LABEL=TIME,..."""
    with suppress(ValueError):
        return _time(text, dates)
    if dates is None and re.match(r"\d{4}-\d|\d{1,2}[./]\d{1,2}[./]\d", text.rpartition("=")[2]):
        raise InvalidParameterError(
            f"{option} {text} is a date, but the column {columns.time!r} holds numbers. Write a "
            "number in their unit, or the times as dates (year-month-day)."
        )
    realization = columns.realization
    times: dict[str, Any] = {}
    for part in text.split(","):
        label, sign, value = (word.strip() for word in part.rpartition("="))
        time = None
        with suppress(ValueError):
            time = _time(value, dates)
        if not sign or not label or time is None or realization is None or label in times:
            kind = "time" if dates is None else "date (year-month-day, T, hour:minute:second)"
            raise InvalidParameterError(
                f"{option} must be one {kind}, or with --realization one for each label, as in "
                f"{option} a=50,b=60; got {text!r}."
            )
        times[label] = time
    return times


def _time(text: str, dates: Any) -> Any:
    """Return a number, or a date with the zone of the times; raises `ValueError`.

    A whole number stays an integer, which may be too large for a float.
    """
    if dates is None:
        with suppress(ValueError):
            return int(text)
        return float(text)
    if not text[:4].isdigit() or text[4:5] != "-":
        raise ValueError("the year comes first")
    found = pd.Timestamp(text)
    return found
