"""`write_events`: events, or a stream of them, as one folder of Parquet files."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from hawkeys._files import explained, temporary_folder
from hawkeys._validation import brief, check_count
from hawkeys.events import Events
from hawkeys.exceptions import InvalidEventsError, OutputError
from hawkeys.partitions.layout import WINDOWS, file_name, metadata_of, require_pyarrow

__all__ = ["write_events"]

# events of a row group, unless a realisation has more: 20 MB as read
_PER_GROUP = 1_000_000
# row groups of a file
_PER_FILE = 64


def write_events(
    events: Events | Iterable[Events],
    path: str | os.PathLike[str],
    *,
    events_per_partition: int = _PER_GROUP,
) -> Path:
    """Write events to a new folder that `open_events` opens.

    Parameters
    ----------
    events : Events or iterable of Events
        All of them, or parts one after the other, which need not be in memory together. Parts have
        the same marks and the same clock; their realisations follow one another.
    path : str or path-like
        Folder to be made. It appears as a whole when all is written, or not at all.
    events_per_partition : int, default 1_000_000
        Events that are read at once later; a longer realisation is a partition of its own.

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    InvalidEventsError
        Something is no `Events`, a part has other marks or another clock, some parts have values
        and others none, or there is no part.
    InvalidParameterError
        `events_per_partition` is no whole number above 0.
    OutputError
        The folder is there already, or cannot be written.
    MissingExtraError
        pyarrow is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import hawkeys
    >>> process = hawkeys.Hawkes([0.5], [[0.4]], decay=2.0)
    >>> parts = (
    ...     hawkeys.simulate(process, end_time=50.0, n_realizations=4, rng=k) for k in range(3)
    ... )
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     data = hawkeys.open_events(hawkeys.write_events(parts, Path(folder) / "events"))
    >>> data.n_realizations
    12
    """
    pa, parquet = require_pyarrow()
    most = check_count(events_per_partition, "events_per_partition")
    target = Path(path)
    if target.exists() or target.is_symlink():
        raise OutputError(
            f"{str(target)!r} is there already, and nothing is written over. Name a new folder, or "
            "remove that one first."
        )
    parts = iter((events,) if isinstance(events, Events) else _checked(events))
    with explained(target):
        place = temporary_folder(target)
        place.mkdir()
        try:
            _write(parts, place, most, pa, parquet)
            place.rename(target)
        finally:
            shutil.rmtree(place, ignore_errors=True)
    return target


def _checked(parts: Any) -> Iterator[Events]:
    """Yield the parts, each like the first."""
    try:
        each = iter(parts)
    except TypeError:
        raise InvalidEventsError(
            f"expected Events or an iterable of Events; got {brief(parts)}. Read data as they are "
            "with hawkeys.Events.from_data."
        ) from None
    first = None
    for k, part in enumerate(each):
        if not isinstance(part, Events):
            raise InvalidEventsError(
                f"part {k}: expected Events; got {brief(part)}. Read data as they are with "
                "hawkeys.Events.from_data."
            )
        first = first or part
        if (part.values is None) != (first.values is None):
            has, lacks = ("first", f"part {k}") if part.values is None else (f"part {k}", "first")
            raise InvalidEventsError(
                f"{has} has values, {lacks} has none. Read all with values=, or none."
            )
        for name in ("mark_names", "clock"):
            if getattr(part, name) != getattr(first, name):
                raise InvalidEventsError(
                    f"part {k} has {name} {brief(getattr(part, name))}, the first "
                    f"{brief(getattr(first, name))}. Read all in one way, with mark_names=, unit= "
                    "and the same start_time=."
                )
        yield part


def _write(parts: Iterator[Events], place: Path, most: int, pa: Any, parquet: Any) -> None:
    """Write the files of events, then the table of windows."""
    windows: list[Any] = []
    first, n_groups, n_done = None, 0, 0
    writer: Any = None
    try:
        for part in parts:
            first = first or part
            for begin, end in _groups(part.offsets, most):
                group = part[begin:end]
                number, inside = divmod(n_groups, _PER_FILE)
                table = _event_table(group, n_done, pa)
                if inside == 0:
                    if writer is not None:
                        writer.close()
                    writer = parquet.ParquetWriter(place / file_name(number), table.schema)
                writer.write_table(table, row_group_size=max(1, table.num_rows))
                windows.append(_window_table(group, n_done, (number, inside), pa))
                n_groups, n_done = n_groups + 1, n_done + group.n_realizations
    finally:
        if writer is not None:
            writer.close()
    if first is None or n_done == 0:
        raise InvalidEventsError("there is no realisation to write.")
    table = pa.concat_tables(windows, promote_options="default")
    metadata = metadata_of(first.mark_names, first.clock, -(-n_groups // _PER_FILE))
    parquet.write_table(table.replace_schema_metadata(metadata), place / WINDOWS)


def _groups(offsets: np.ndarray, most: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of realisations with at least one event and at most `most`, if one has not more.

    Realisations without events go with the next, or the last.
    """
    size, begin = offsets.size - 1, 0
    while begin < size:
        end = int(np.searchsorted(offsets, offsets[begin] + most, side="right")) - 1
        end = max(end, int(np.searchsorted(offsets, offsets[begin], side="right")))
        end = min(end, size)
        yield begin, end
        begin = end


def _event_table(group: Events, n_before: int, pa: Any) -> Any:
    columns = {
        "realization": pa.array(group.realization + n_before, pa.int64()),
        "time": pa.array(group.times, pa.float64()),
        "mark": pa.array(group.marks, pa.int32()),
    }
    if group.values is not None:
        columns["value"] = pa.array(group.values, pa.float64())
    return pa.table(columns)


def _window_table(group: Events, n_before: int, where: tuple[int, int], pa: Any) -> Any:
    size = group.n_realizations
    columns = {
        "realization": pa.array(np.arange(n_before, n_before + size), pa.int64()),
        "start": pa.array(group.start_times, pa.float64()),
        "end": pa.array(group.end_times, pa.float64()),
        "n_events": pa.array(np.diff(group.offsets), pa.int64()),
        "file": pa.array(np.full(size, where[0]), pa.int32()),
        "row_group": pa.array(np.full(size, where[1]), pa.int32()),
    }
    if group.origins is not None:
        columns["origin"] = pa.array([str(origin) for origin in group.origins], pa.string())
    return pa.table(columns)
