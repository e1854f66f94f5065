"""`open_events`: a folder of events on disk, of which one part is in memory at a time."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from hawkeys._typing import FloatArray, IntArray
from hawkeys._validation import brief
from hawkeys.events import Events
from hawkeys.events.building import from_numbers
from hawkeys.events.clock import Clock
from hawkeys.events.values import as_values
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError
from hawkeys.partitions.layout import (
    EVENT_TYPES,
    VALUE_TYPE,
    WINDOW_TYPES,
    WINDOWS,
    file_name,
    parse_metadata,
    require_pyarrow,
)

__all__ = ["PartitionedEvents", "open_events"]


@dataclass(frozen=True, eq=False, repr=False)
class PartitionedEvents:
    """Events on disk, in partitions of whole realisations; get it from `open_events`.

    Iterating gives the partitions, one after the other, as `Events`. Windows and counts are in
    memory, times and marks are not.

    Attributes
    ----------
    path : Path
        The folder.
    mark_names : tuple of str, length n_marks
        Label of each mark.
    clock : Clock or None
        Unit of time and, of dates, the moment that time 0 is.
    start_times, end_times : ndarray of float64, shape (n_realizations,)
        Observation window of each realisation.
    sizes : ndarray of int64, shape (n_realizations,)
        Number of events of each realisation.
    bounds : ndarray of int64, shape (n_partitions + 1,)
        Partition k holds the realisations ``bounds[k]:bounds[k + 1]``.
    places : ndarray of int32, shape (n_partitions, 2)
        File and row group of each partition.
    origins : tuple of int, length n_realizations, or None
        What was subtracted from the times of each realisation, see `hawkeys.Events`.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import hawkeys
    >>> process = hawkeys.Hawkes([0.5], [[0.4]], decay=2.0)
    >>> sample = hawkeys.simulate(process, end_time=50.0, n_realizations=12, rng=0)
    >>> folder = tempfile.TemporaryDirectory()
    >>> path = hawkeys.write_events(sample, Path(folder.name) / "events", events_per_partition=200)
    >>> data = hawkeys.open_events(path)
    >>> data.n_realizations, sum(part.n_events for part in data) == data.n_events
    (12, True)
    >>> folder.cleanup()
    """

    path: Path
    mark_names: tuple[str, ...]
    clock: Clock | None
    start_times: FloatArray
    end_times: FloatArray
    sizes: IntArray
    bounds: IntArray
    places: IntArray
    origins: tuple[int, ...] | None
    n_events: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_events", int(self.sizes.sum()))

    @property
    def n_realizations(self) -> int:
        """Number of realisations."""
        return self.sizes.size

    @property
    def n_marks(self) -> int:
        """Number of marks, including those without an event."""
        return len(self.mark_names)

    @property
    def n_partitions(self) -> int:
        """Number of partitions."""
        return len(self.places)

    @property
    def unit(self) -> str | None:
        """Unit of time, "s" or "day" for instance; None if it was not told."""
        return None if self.clock is None else self.clock.unit

    @property
    def durations(self) -> FloatArray:
        """Length of each observation window, shape (n_realizations,)."""
        return self.end_times - self.start_times

    def __len__(self) -> int:
        """Return the number of partitions."""
        return self.n_partitions

    def __iter__(self) -> Iterator[Events]:
        """Yield the partitions."""
        return (self.partition(k) for k in range(self.n_partitions))

    def partition(self, number: int) -> Events:
        """Read one partition.

        Parameters
        ----------
        number : int
            From 0; negative ones count from the end.

        Returns
        -------
        Events
            Its realisations, checked as all events are.

        Raises
        ------
        InvalidParameterError
            There is no such partition.
        InvalidEventsError
            The file is missing or damaged, or breaks the layout or the contract of `Events`; the
            message names file, row group and realisation.
        """
        if not -self.n_partitions <= number < self.n_partitions:
            raise InvalidParameterError(
                f"partition must lie in 0..{self.n_partitions - 1}; got {number}."
            )
        k = number % self.n_partitions
        rows = slice(int(self.bounds[k]), int(self.bounds[k + 1]))
        file, group = (int(place) for place in self.places[k])
        where = f"{self.path / file_name(file)}, row group {group}: "
        begin, end = np.searchsorted(self.places[:, 0], [file, file + 1])
        named = self.places[begin:end, 1]
        columns = _read_group(self.path / file_name(file), group, named, where)
        offsets = np.concatenate(([0], np.cumsum(self.sizes[rows])))
        expected = np.repeat(np.arange(rows.start, rows.stop), self.sizes[rows])
        _check_realizations(columns["realization"], expected, where)
        windows = self.start_times[rows].copy(), self.end_times[rows].copy()
        times, marks = np.array(columns["time"]), columns["mark"].astype(np.int64)
        try:
            parts = from_numbers(times, marks, offsets, windows, self.mark_names, clock=self.clock)
            values = as_values(columns.get("value"), offsets)
        except InvalidEventsError as error:
            begins = f" (its realisations count from {rows.start})" if rows.start else ""
            raise InvalidEventsError(f"{where}{error}{begins}") from error
        origins = self.origins and self.origins[rows]
        return Events._of(parts._replace(origins=origins, values=values))

    def read(self) -> Events:
        """Read all partitions into memory.

        Returns
        -------
        Events
            All realisations, in their order.

        Raises
        ------
        InvalidEventsError
            As for `partition`.
        """
        return Events.joined(list(self))

    def __repr__(self) -> str:
        return (
            f"PartitionedEvents({str(self.path)!r}, n_events={self.n_events}, "
            f"n_marks={self.n_marks}, n_realizations={self.n_realizations}, "
            f"n_partitions={self.n_partitions})"
        )


def open_events(path: str | os.PathLike[str]) -> PartitionedEvents:
    """Open events on disk without reading their times.

    Parameters
    ----------
    path : str or path-like
        A folder that `write_events` made, or another program by the layout that
        `hawkeys.partitions.layout` describes.

    Returns
    -------
    PartitionedEvents
        Counts, windows and marks; iterate over it for the events.

    Raises
    ------
    InvalidEventsError
        The folder is missing, or its table of windows is damaged, breaks the layout or names files
        that are not there.
    MissingExtraError
        pyarrow is not installed.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import hawkeys
    >>> sample = hawkeys.Events.from_lists([[[1.0, 2.0]], [[]]], end_times=3.0)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     data = hawkeys.open_events(hawkeys.write_events(sample, Path(folder) / "events"))
    ...     [part.n_events for part in data]
    [2]
    """
    pa, parquet = require_pyarrow()
    folder = Path(path)
    table = folder / WINDOWS
    if not table.is_file():
        raise InvalidEventsError(
            f"{str(folder)!r} holds no {WINDOWS}, the table of windows of events on disk. Name a "
            "folder that hawkeys.write_events made."
        )
    try:
        found = parquet.read_table(table)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InvalidEventsError(f"{table} is damaged: {_line(error)}") from error
    names, clock, n_files = parse_metadata(found.schema.metadata, table)
    columns = _columns(found, WINDOW_TYPES, f"{table}: ")
    sizes = columns["n_events"]
    _check_windows(columns, n_files, f"{table}: ")
    places = np.column_stack((columns["file"], columns["row_group"]))
    new = np.ones(len(places), dtype=bool)
    new[1:] = (places[1:] != places[:-1]).any(axis=1)
    begins = np.flatnonzero(new)
    _check_files(folder, n_files, columns["file"])
    return PartitionedEvents(
        folder, names, clock, columns["start"], columns["end"], sizes,
        np.append(begins, len(places)), places[begins], _origins(found, f"{table}: "),
    )  # fmt: skip


def _check_files(folder: Path, n_files: int, named: np.ndarray) -> None:
    """Refuse a folder that lacks files, or has files of events that no window names."""
    present = {entry.name for entry in os.scandir(folder) if entry.is_file()}
    missing = [k for k in range(n_files) if file_name(k) not in present]
    if missing:
        raise InvalidEventsError(
            f"{str(folder)!r} lacks {len(missing)} of {n_files} files of events, "
            f"{file_name(missing[0])} for one. Copy the whole folder."
        )
    known = {file_name(k) for k in np.unique(named).tolist()}
    first, last = file_name(0).split("00000")
    unknown = {one for one in present if one.startswith(first) and one.endswith(last)} - known
    if unknown:
        raise InvalidEventsError(
            f"{str(folder)!r} has {len(unknown)} files of events that {WINDOWS} does not name, "
            f"{min(unknown)} for one. Their realisations have no window: write the table of all, "
            "or take these files away."
        )


def _check_groups(file: Any, named: np.ndarray, path: Path) -> None:
    """Refuse a file with events in row groups that no window names."""
    for group in sorted(set(range(file.num_row_groups)) - set(named.tolist())):
        size = file.metadata.row_group(group).num_rows
        if size:
            raise InvalidEventsError(
                f"{path}, row group {group}: {WINDOWS} does not name it, and it has {size} events. "
                "Their realisations have no window: write the table of windows of all."
            )


def _read_group(path: Path, group: int, named: np.ndarray, where: str) -> dict[str, np.ndarray]:
    """Read a row group of a file, of which the table of windows names some, (n_named,)."""
    pa, parquet = require_pyarrow()
    try:
        with parquet.ParquetFile(path) as file:
            if group >= file.num_row_groups:
                raise InvalidEventsError(
                    f"{where}the file has {file.num_row_groups} row groups. It is not the one that "
                    f"{WINDOWS} was written for."
                )
            _check_groups(file, named, path)
            table = file.read_row_group(group)
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise InvalidEventsError(f"{where}cannot be read: {_line(error)}") from error
    has_values = table.schema.get_field_index("value") >= 0
    return _columns(table, EVENT_TYPES | (VALUE_TYPE if has_values else {}), where)


def _columns(table: Any, types: dict[str, str], where: str) -> dict[str, np.ndarray]:
    """Return the columns of a table as arrays; refuse other types and nulls."""
    out = {}
    for name, kind in types.items():
        if table.schema.get_field_index(name) < 0:
            raise InvalidEventsError(
                f"{where}there is no column {name!r}, or two of them; there are "
                f"{', '.join(table.schema.names)}."
            )
        column = table.column(name)
        if str(column.type) != kind:
            raise InvalidEventsError(
                f"{where}column {name!r} must be of type {kind}; got {column.type}."
            )
        if column.null_count:
            raise InvalidEventsError(f"{where}column {name!r} has {column.null_count} nulls.")
        out[name] = column.to_numpy()
    return out


def _check_windows(columns: dict[str, np.ndarray], n_files: int, where: str) -> None:
    """Refuse windows that are none, and places that are out of order."""
    start, end = columns["start"], columns["end"]
    numbers = columns["realization"]
    if numbers.size == 0:
        raise InvalidEventsError(f"{where}there is no realisation.")
    bad = np.flatnonzero(numbers != np.arange(numbers.size))
    if bad.size:
        raise InvalidEventsError(
            f"{where}realizations must be numbered 0, 1, 2, ...; row {bad[0]} has "
            f"{numbers[bad[0]]}."
        )
    bad = np.flatnonzero(~(end > start) | ~np.isfinite(end - start) | (columns["n_events"] < 0))
    if bad.size:
        r = int(bad[0])
        raise InvalidEventsError(
            f"{where}realization {r}: the window must end after it starts and hold 0 events or "
            f"more; got start {start[r]}, end {end[r]} and {columns['n_events'][r]} events."
        )
    file, group = columns["file"].astype(np.int64), columns["row_group"].astype(np.int64)
    outside = (file < 0) | (file >= n_files) | (group < 0)
    steps = np.diff(file), np.diff(group)
    backwards = (steps[0] < 0) | ((steps[0] == 0) & (steps[1] < 0))
    if outside.any() or backwards.any():
        r = int(np.argmax(outside)) if outside.any() else int(np.argmax(backwards)) + 1
        raise InvalidEventsError(
            f"{where}realization {r}: files (0..{n_files - 1}) and row groups are filled in order; "
            f"got file {file[r]}, row group {group[r]}."
        )


def _check_realizations(found: np.ndarray, expected: np.ndarray, where: str) -> None:
    """Refuse events of other realisations than the table of windows says."""
    if found.size != expected.size:
        raise InvalidEventsError(
            f"{where}{WINDOWS} tells of {expected.size} events; got {found.size}. The files are "
            "not of one folder, or a realisation is cut by a row group."
        )
    bad = np.flatnonzero(found != expected)
    if bad.size:
        raise InvalidEventsError(
            f"{where}event {bad[0]} should be of realization {expected[bad[0]]}; got "
            f"{found[bad[0]]}. Realisations are whole and in order."
        )


def _origins(table: Any, where: str) -> tuple[int, ...] | None:
    if table.schema.get_field_index("origin") < 0:
        return None
    try:
        return tuple(int(text or "0") for text in table.column("origin").to_pylist())
    except (TypeError, ValueError) as error:
        raise InvalidEventsError(
            f"{where}column 'origin' must hold whole numbers; {brief(str(error))}."
        ) from error


def _line(error: BaseException) -> str:
    """Return the first line of a message."""
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
