"""`events_from_hotpp`: the Parquet of HoTPP, one sequence a row."""

from __future__ import annotations

import os
from importlib import import_module
from pathlib import Path
from typing import Any

from hawkeys._typing import ArrayLike
from hawkeys._validation import brief
from hawkeys.events import Events
from hawkeys.exceptions import InvalidEventsError, MissingExtraError
from hawkeys.interop._sequences import Sequence, events_of_sequences

__all__ = ["events_from_hotpp"]


def events_from_hotpp(
    path: str | os.PathLike[str],
    *,
    end_time: ArrayLike | str,
    start_time: ArrayLike | str = 0.0,
    n_marks: int | None = None,
    names: tuple[str, str, str] = ("id", "timestamps", "labels"),
) -> Events:
    """Read event sequences from the Parquet of HoTPP.

    Parameters
    ----------
    path : path-like
        A file, or a folder of files as Spark writes them (``train.parquet/part-...parquet``), each
        row a sequence: its identity, and lists of times and of types. Files are read in the order
        of their names; those that begin with "_" or "." are none.
    end_time : float, array_like of shape (n_sequences,) or "last"
        End of observation, which the files do not tell. "last": with the last event of each.
    start_time : float, array_like of shape (n_sequences,) or "first", default 0.0
        Its start. "first": with the first event of each.
    n_marks : int, optional
        Number of types. Default: one more than the largest that occurs; give it where files are
        read one after the other.
    names : tuple of str, default ("id", "timestamps", "labels")
        Columns of identities, times and types; other columns are not read.

    Returns
    -------
    Events
        A realisation per row, in their order; mark k is type k.

    Raises
    ------
    InvalidEventsError
        A file is missing, damaged or of another layout, an identity stands in two rows, or a row
        breaks the contract of `Events`; the message names file and row.
    InvalidParameterError
        `end_time`, `start_time` or `n_marks` is wrong.
    MissingExtraError
        pyarrow is not installed.

    Notes
    -----
    Sets too large for memory are written part by part: `hawkeys.write_events` takes a stream of
    what is read from each file.

    References
    ----------
    I. Karpukhin, F. Shipilov and A. Savchenko (2024). HoTPP benchmark: are we good at the long
    horizon events forecasting? arXiv:2406.14341.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import pyarrow as pa
    >>> from pyarrow import parquet
    >>> from hawkeys.interop import events_from_hotpp
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "test.parquet"
    >>> rows = {"id": [7, 9], "timestamps": [[0.0, 1.5], [2.0]], "labels": [[1, 0], [1]]}
    >>> parquet.write_table(pa.table(rows), path)
    >>> events_from_hotpp(path, end_time=3.0)
    Events(n_events=3, n_marks=2, n_realizations=2, mark_names=('0', '1'))
    """
    sequences: list[Sequence] = []
    seen: dict[Any, str] = {}
    for file in _files(Path(path)):
        for identity, sequence in _rows(file, names):
            if identity in seen:
                raise InvalidEventsError(
                    f"{sequence.place}{names[0]} {brief(identity)} stands in {seen[identity]} "
                    "already; a sequence is whole, in one row. Read one portion at a time."
                )
            seen[identity] = sequence.place.removesuffix(": ")
            sequences.append(sequence)
    if not sequences:
        raise InvalidEventsError(f"{path} holds no sequence.")
    return events_of_sequences(sequences, (start_time, end_time), n_marks or _n_types(sequences))


def _files(path: Path) -> list[Path]:
    """Return the file, or those of the folder in order."""
    if path.is_file():
        return [path]
    files = sorted(p for p in path.rglob("*.parquet") if p.is_file() and p.name[0] not in "_.")
    if not files:
        raise InvalidEventsError(
            f"{str(path)!r} is no Parquet file, nor a folder that holds any. Name a portion, such "
            "as train.parquet."
        )
    return files


def _rows(file: Path, names: tuple[str, str, str]) -> list[tuple[Any, Sequence]]:
    """Return identity and sequence of each row of a file."""
    try:
        pa, parquet = import_module("pyarrow"), import_module("pyarrow.parquet")
    except ImportError as error:
        raise MissingExtraError(
            'Parquet files take pyarrow to read: pip install "hawkeys[parquet]".'
        ) from error
    try:
        with parquet.ParquetFile(file) as opened:
            there = opened.schema_arrow.names
            missing = [name for name in names if name not in there]
            if missing:
                raise InvalidEventsError(
                    f"{file}: there is no column {missing[0]!r}; there are {brief(there)}. Say "
                    "which hold identities, times and types with names=."
                )
            table = opened.read(columns=list(names))
    except (pa.ArrowException, OSError) as error:
        line = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise InvalidEventsError(f"{file} cannot be read: {line}") from error
    for name in names[1:]:
        kind = table.schema.field(name).type
        if not (pa.types.is_list(kind) or pa.types.is_large_list(kind)):
            raise InvalidEventsError(f"{file}: column {name!r} must hold lists; got {kind}.")
    columns = [table.column(name).to_pylist() for name in names]
    out = []
    for k, (identity, times, marks) in enumerate(zip(*columns, strict=True)):
        place = f"{file}, row {k}: "
        for name, values in zip(names[1:], (times, marks), strict=True):
            if values is None or None in values:
                raise InvalidEventsError(f"{place}{name!r} is null, or has a null.")
        out.append((identity, Sequence(place, times, marks)))
    return out


def _n_types(sequences: list[Sequence]) -> int:
    """Return one more than the largest type; 1 without events."""
    largest = [max(one.marks) for one in sequences if len(one.marks)]
    return int(max(largest, default=0)) + 1 if _all_numbers(largest) else 1


def _all_numbers(values: list[Any]) -> bool:
    return all(isinstance(value, int | float) for value in values)
