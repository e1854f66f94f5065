"""The layout of events on disk, version 1: a folder with one table of windows and files of events.

``windows.parquet``
    One row per realisation, in order: ``realization`` (int64, 0, 1, 2, ...), ``start`` and ``end``
    of its window (double), ``n_events`` (int64), ``file`` (int32) and ``row_group`` (int32) that
    hold its events; and, where a whole number was subtracted from the times (`Events.origins`),
    ``origin`` (its decimal digits, string). Realisations of one row group follow one another, and
    row groups and files are filled in order. The metadata of the table have under the key
    ``hawkeys`` a JSON object: ``format`` ("hawkeys-events/1"), ``mark_names``, ``n_files``, and
    ``clock``, null or ``unit``, ``origin`` and ``zone`` of `hawkeys.events.clock.Clock`.
``events-00000.parquet``, ``events-00001.parquet``, ...
    One row per event: ``realization`` (int64), ``time`` (double, not decreasing within a
    realisation), ``mark`` (int32, its place in ``mark_names``) and, of events that have values,
    ``value`` (double, finite). A row group holds whole realisations. Nothing is null. Realisations
    without events have a window alone.

A row group is what is read at once: a partition.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path
from typing import Any

from hawkeys.events.clock import Clock, check_unit
from hawkeys.exceptions import InvalidEventsError, MissingExtraError

__all__ = [
    "EVENT_TYPES",
    "FORMAT",
    "VALUE_TYPE",
    "WINDOWS",
    "WINDOW_TYPES",
    "file_name",
    "metadata_of",
    "parse_metadata",
    "require_pyarrow",
]

FORMAT = "hawkeys-events/1"
WINDOWS = "windows.parquet"
WINDOW_TYPES = {
    "realization": "int64",
    "start": "double",
    "end": "double",
    "n_events": "int64",
    "file": "int32",
    "row_group": "int32",
}
EVENT_TYPES = {"realization": "int64", "time": "double", "mark": "int32"}
VALUE_TYPE = {"value": "double"}  # of events that have values
_KEY = b"hawkeys"


def require_pyarrow() -> tuple[Any, Any]:
    """Return the modules pyarrow and pyarrow.parquet.

    Raises `MissingExtraError` if they are not installed.
    """
    try:
        return import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as error:
        raise MissingExtraError(
            "events and typing samples on disk are Parquet files, which take pyarrow: "
            'pip install "hawkeys[parquet]".'
        ) from error


def file_name(number: int) -> str:
    """Return the name of a file of events."""
    return f"events-{number:05d}.parquet"


def metadata_of(mark_names: tuple[str, ...], clock: Clock | None, n_files: int) -> dict[bytes, str]:
    """Return what the table of windows says of all events."""
    told = None
    if clock is not None:
        origin = None if clock.origin is None else str(clock.origin)
        told = {"unit": clock.unit, "origin": origin, "zone": clock.zone}
    record = {"format": FORMAT, "mark_names": mark_names, "n_files": n_files, "clock": told}
    return {_KEY: json.dumps(record)}


def parse_metadata(
    metadata: dict[bytes, bytes] | None, path: Path
) -> tuple[tuple[str, ...], Clock | None, int]:
    """Return mark names, clock and number of files, checked.

    Raises `InvalidEventsError`, naming the file, for anything else than `metadata_of` writes.
    """
    try:
        record = json.loads((metadata or {})[_KEY])
        told, names, n_files = record["clock"], record["mark_names"], record["n_files"]
        if record["format"] != FORMAT:
            raise InvalidEventsError(
                f"{path}: its layout is {record['format']!r}, and this version of hawkeys reads "
                f"{FORMAT!r}. Write it anew, or take the version that wrote it."
            )
        if not (names and all(type(name) is str for name in names)) or type(n_files) is not int:
            raise TypeError("mark names or number of files")
        if len(set(names)) < len(names) or n_files < 0:
            raise TypeError("mark names or number of files")
        clock = None
        if told is not None:
            origin = None if told["origin"] is None else int(told["origin"])
            if not isinstance(told["zone"], str | None):
                raise TypeError("zone")
            clock = Clock(check_unit(told["unit"]), origin, told["zone"])
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        if type(error) is InvalidEventsError:
            raise
        what = "" if isinstance(error, KeyError) else f" ({error})"
        raise InvalidEventsError(
            f"{path}: its metadata lack the marks and the clock of hawkeys{what}. Write the folder "
            "with hawkeys.write_events, or by the layout of hawkeys.partitions.layout."
        ) from error
    return tuple(names), clock, n_files
