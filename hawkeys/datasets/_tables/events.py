"""Tables of events in files: their cells, which columns are meant, dates, and first and last times.

All cells are text, as in `hawkeys.datasets._tables.files`.
"""

from __future__ import annotations

import io
import os
import warnings
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from hawkeys.datasets._tables.columns import find_column
from hawkeys.datasets._tables.files import (
    BrokenFileError,
    list_names,
    load_bytes,
    one_line,
    read_table,
    times_of,
)
from hawkeys.events.tables import (
    MARK_NAMES,
    REALIZATION_NAMES,
    TIME_NAMES,
    looks_like_time,
    plain,
)
from hawkeys.exceptions import DatasetError

__all__ = ["EventColumns", "edge_times", "instants_of", "load_cells", "pick_columns"]

_PARQUET = b"PAR1"


class EventColumns(NamedTuple):
    """Names of the columns with times, marks, realisations and values, all but times or None."""

    time: str
    mark: str | None
    realization: str | None
    values: str | None = None


def load_cells(path: str | os.PathLike[str], content: bytes | None = None) -> pd.DataFrame:
    """Return the table in a csv, gzipped csv, sheet or Parquet file, every cell as text.

    `content` are its bytes, if they are known. Raises `DatasetError`, which names the file.
    """
    held = load_bytes(path) if content is None else content
    try:
        return _parquet_cells(held) if held[:4] == _PARQUET else read_table(held)
    except BrokenFileError as error:
        raise DatasetError(f"{path}: {one_line(error)}") from error


def _parquet_cells(content: bytes) -> pd.DataFrame:
    try:
        frame = pd.read_parquet(io.BytesIO(content))
    except ImportError as error:
        raise BrokenFileError(
            "a Parquet file, which takes pyarrow to read: pip install pyarrow."
        ) from error
    except (OSError, ValueError) as error:
        raise BrokenFileError(f"the Parquet file is damaged ({one_line(error)}).") from error
    if not isinstance(frame.index, pd.RangeIndex):
        frame = frame.reset_index()
    cells = {str(name): _as_text(frame[name]) for name in frame.columns}
    return pd.DataFrame(cells, dtype=object)


def _as_text(column: pd.Series) -> list[str]:
    """Return cells as text that reads back as the same value; empty where there is none."""
    empty = column.isna().tolist()
    values = column.tolist()
    return ["" if gone else _cell(value) for gone, value in zip(empty, values, strict=True)]


def _cell(value: Any) -> str:
    return repr(float(value)) if isinstance(value, float | np.floating) else str(value)


def pick_columns(
    frame: pd.DataFrame, given: EventColumns | None = None, ignore: tuple[str, ...] = ()
) -> EventColumns:
    """Return the columns that are meant: those given (an empty time is none), else by their names.

    Raises `BrokenFileError` where several names fit, or none does.
    """
    asked = given or EventColumns("", None, None)
    for name in (*asked, *ignore):
        if name:
            find_column(name, list(frame.columns))
    taken = [*(name for name in asked if name), *ignore]
    rest = [name for name in frame.columns if name not in taken]
    time = asked.time or _one(rest, TIME_NAMES, "times", "--time")
    if not time:
        if len(frame.columns) > 1:
            raise BrokenFileError(
                f"which column holds the times? Name it (--time); there are "
                f"{list_names(list(frame.columns), 8)}."
            )
        time = str(frame.columns[0])
        if looks_like_time(time):
            raise BrokenFileError(
                f"the first line, {time[:40]!r}, is a time, where the name of the column is "
                "expected; its event would be lost. Write a first line with a name, such as time, "
                f"above it; if it is the name, say so: --time {time[:40]}."
            )
    return EventColumns(
        time,
        asked.mark or _one(rest, MARK_NAMES, "marks", "--mark"),
        asked.realization or _one(rest, REALIZATION_NAMES, "realisations", "--realization"),
        asked.values,
    )


def _one(names: list[str], known: set[str], what: str, option: str) -> str | None:
    found = [name for name in names if plain(name) in known]
    if len(found) > 1:
        raise BrokenFileError(
            f"the columns {list_names(found)} could all hold the {what}. Say which: "
            f"{option} {found[0]}, and --ignore for the others."
        )
    return found[0] if found else None


def instants_of(frame: pd.DataFrame, column: str) -> Any:
    """Return a column of times: numbers as `times_of`, or dates (ISO 8601) as a series of them.

    Dates with a zone are in Universal Time. Raises `BrokenFileError`, which names the row.
    """
    cells = frame[column].tolist()
    if not cells or not _is_date(cells[0]):
        return times_of(frame, column)
    zoned = pd.Timestamp(cells[0]).tz is not None
    try:
        with warnings.catch_warnings():  # what pandas 2 says of mixed zones, pandas 3 refuses
            warnings.simplefilter("error", FutureWarning)
            dates = pd.Series(pd.to_datetime(cells, format="ISO8601", utc=zoned))
        if not zoned and dates.dt.tz is not None:
            raise ValueError("some have a zone")
        return dates
    except (ValueError, TypeError, FutureWarning) as error:
        row = next((k for k, cell in enumerate(cells) if not _is_date(cell, zoned)), 0)
        raise BrokenFileError(
            f"data row {row + 1}, column {column}: expected a date as in the first row, "
            f"{cells[0]!r}, got {cells[row][:40]!r} ({one_line(error)})."
        ) from error


def _is_date(cell: str, zoned: bool | None = None) -> bool:
    """Tell a date, year first, with or without a zone as asked."""
    text = cell.strip()
    if not (text[:4].isdigit() and text[4:5] == "-"):
        return False
    try:
        return zoned is None or (pd.Timestamp(text).tz is not None) == zoned
    except ValueError:
        return False


def edge_times(frame: pd.DataFrame, columns: EventColumns, which: str) -> Any:
    """Return the "first" or "last" time of the table, or of each realisation by its label."""
    times = pd.Series(instants_of(frame, columns.time))
    if columns.realization is None:
        return times.min() if which == "first" else times.max()
    groups = times.groupby(frame[columns.realization].to_numpy())
    found = groups.min() if which == "first" else groups.max()
    return dict(found.items())
