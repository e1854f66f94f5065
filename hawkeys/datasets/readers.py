"""Reader of tables of events in the user's own files.

What a table must look like is said in `hawkeys.datasets._tables.files`; in short: commas between
the columns, a header, one row a line, and a point in numbers. Labels are text as it stands.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from hawkeys._typing import Bounds
from hawkeys.datasets._tables.columns import find_column
from hawkeys.datasets._tables.events import EventColumns, instants_of, load_cells
from hawkeys.datasets._tables.files import BrokenFileError, list_names, numbers_of
from hawkeys.datasets.key_events._cells import numbered
from hawkeys.events import Events
from hawkeys.events.tables import MARK_NAMES, OPEN_NAMES, REALIZATION_NAMES, plain
from hawkeys.exceptions import (
    DatasetError,
    HawkeysWarning,
    InvalidEventsError,
)

__all__ = ["events_in_cells", "read_events"]

_ONE_MARK = "events"
# names under which a column is more than a measurement, even if its values are all different
_TELLING = MARK_NAMES | REALIZATION_NAMES | OPEN_NAMES | {"unit"}


def read_events(
    path: str | os.PathLike[str],
    *,
    end_times: Bounds,
    start_times: Bounds | None = None,
    time: str = "time",
    mark: str | None = "mark",
    realization: str | None = None,
    values: str | None = None,
    ignore: Sequence[str] = (),
    **reading: Any,
) -> Events:
    """Read a table with one row per event.

    Parameters
    ----------
    path : str or path-like
        A csv, gzipped csv or xls file with a header line, or a Parquet file.
    end_times, start_times : float, array_like (n_realizations,) or mapping
        Observation windows, as for `hawkeys.Events.from_frame`. Starts are 0.0 unless given.
    time, mark : str, default "time" and "mark"
        Names of the columns with the times (numbers; whole numbers too large for doubles, such as
        nanoseconds since 1970, stay exact, see `hawkeys.Events`) and the marks (any labels).
        None for `mark`: all events have one mark.
    realization : str, optional
        Name of the column that tells the realisations apart. Default: one realisation.
    values : str, optional
        Name of a column with a number for each event, such as its magnitude. Default: none.
    ignore : sequence of str, optional
        Names of columns that are neither marks nor realisations. Default: none.
    **reading
        ``unit`` and ``sort``, as for `hawkeys.Events.from_frame`. Times that are dates (ISO 8601,
        year first; with a zone they are taken in Universal Time) need ``unit``, and windows that
        are dates.

    Returns
    -------
    Events
        Marks and realisations in the sorted order of their labels: by value if each is a whole
        number written without leading zeros, otherwise as text. Labels are not changed: 007, 7 and
        7.0 are three.

    Raises
    ------
    DatasetNotFoundError
        There is no such file.
    DatasetError
        The file is damaged, lacks a column, holds no event, or holds text where numbers or unsorted
        times where sorted ones are expected; or a further column could be marks or realisations.
        The message names the file and the place.

    Warns
    -----
    HawkeysWarning
        A further column is not read: one of numbers that are all different, such as a measurement.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from hawkeys.datasets import read_events
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "events.csv"
    >>> _ = path.write_text("time,mark\\n0.5,a\\n1.5,b\\n")
    >>> read_events(path, end_times=2.0)
    Events(n_events=2, n_marks=2, n_realizations=1, mark_names=('a', 'b'))
    """
    columns = EventColumns(time, mark, realization, values)
    windows = {"end_times": end_times, "start_times": start_times}
    return events_in_cells(load_cells(path), path, columns, windows, tuple(ignore), **reading)


def events_in_cells(
    frame: pd.DataFrame,
    path: str | os.PathLike[str],
    columns: EventColumns,
    windows: dict[str, Any],
    ignore: tuple[str, ...] = (),
    **reading: Any,
) -> Events:
    """Return the events in a table whose cells are text; `path` names it in messages.

    Raises `DatasetError`, which names the file and the place.
    """
    time, mark, realization, values = columns
    named = [name for name in columns if name is not None]
    try:
        for name in (*named, *ignore):
            find_column(name, list(frame.columns))
        if len(set(named)) < len(named):
            raise BrokenFileError(
                f"times, marks, realisations and values must be columns of their own; got {named}."
            )
        if frame.empty:
            raise BrokenFileError("there is a header but no row with an event; check the file.")
        _check_unread(frame, {"mark": mark, "realization": realization}, [*named, *ignore])
        table = pd.DataFrame({"time": _times(frame, time, reading.get("unit"))})
        table["mark"] = _ONE_MARK if mark is None else _sorted(numbered(_labels(frame, mark)))
        if realization is not None:
            runs, windows = _windows(_labels(frame, realization), windows)
            table["realization"] = _sorted(runs)
        if values is not None:
            table["value"] = numbers_of(frame, [values])[:, 0]
        return Events.from_frame(
            table,
            time="time",
            mark="mark",
            realization=None if realization is None else "realization",
            values=None if values is None else "value",
            **windows,
            **reading,
        )
    except (BrokenFileError, InvalidEventsError) as error:
        raise DatasetError(f"{path}: {error}") from error


def _times(frame: pd.DataFrame, name: str, unit: Any) -> Any:
    """Return the times, numbers or dates; refuse dates without a unit."""
    times = instants_of(frame, name)
    if isinstance(times, pd.Series) and unit is None:
        raise BrokenFileError(
            f"column {name}: the times are dates, as {frame[name].iloc[0]!r}, and rates are per "
            "unit of time. Give unit='s', 'h', 'day' or the like, and windows that are dates."
        )
    return times


def _labels(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return a column of labels as text, none of them empty."""
    cells = frame[name].tolist()
    if "" in cells:
        raise BrokenFileError(
            f"data row {cells.index('') + 1}, column {name}: expected a label, got an empty cell. "
            "Fill it in or remove the row."
        )
    return np.array(cells, dtype=np.str_)


def _sorted(labels: np.ndarray) -> pd.Categorical:
    """Return labels with their categories in order; quicker than to sort all of them as text."""
    cells = labels.tolist()
    return pd.Categorical(cells, categories=sorted(set(cells)))


def _windows(labels: np.ndarray, windows: Mapping[str, Any]) -> tuple[np.ndarray, dict[str, Any]]:
    """Return labels, and windows by label, as whole numbers if all of them are; else as text."""
    named = [value for value in windows.values() if isinstance(value, Mapping)]
    keys = [str(key) for value in named for key in value]
    known = numbered(np.concatenate((labels, np.array(keys, dtype=np.str_))))
    kind = int if known.dtype.kind == "i" else str
    by_label = {
        name: {kind(key): time for key, time in value.items()}
        if isinstance(value, Mapping)
        else value
        for name, value in windows.items()
    }
    return known[: labels.size], by_label


def _check_unread(frame: pd.DataFrame, parts: Mapping[str, str | None], known: list[str]) -> None:
    """Refuse columns that would change the meaning if they were read, and report the others."""
    unread = [name for name in frame.columns if name not in known and frame[name].nunique() > 1]
    telling = [name for name in unread if _could_be_labels(frame, name)]
    if telling:
        first = telling[0]
        meanings = {"mark": "holds the marks", "realization": "tells realisations (runs) apart"}
        open_parts = [part for part, column in parts.items() if column is None]
        ways = [f"{part}={first!r} if it {meanings[part]}" for part in open_parts]
        ways.append(f"ignore=[{first!r}] if it is to be left out")
        taken = "of one mark " * ("mark" in open_parts) + "in one realisation " * (
            "realization" in open_parts
        )
        raise BrokenFileError(
            f"the column{'s' * (len(telling) > 1)} {list_names(telling)} would not be read, and "
            f"the {len(frame)} events be taken {taken}whatever it says. Say what it is: "
            f"{', or '.join(ways)} (--mark, --realization, --ignore of hawkeys fit)."
        )
    if unread:
        warnings.warn(
            f"the column{'s' * (len(unread) > 1)} {list_names(unread)} of the table "
            f"{'are' if len(unread) > 1 else 'is'} not read.",
            HawkeysWarning,
            stacklevel=4,
        )


def _could_be_labels(frame: pd.DataFrame, name: str) -> bool:
    """Tell whether a column that varies may be marks or realisations and not a measurement."""
    if plain(name) in _TELLING or frame[name].nunique() < len(frame):
        return True
    try:
        numbers_of(frame, [name])
    except BrokenFileError:
        return True
    return False
