"""`open_timings`: samples of a fixed text by the million, in Parquet files, one part at a time."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from hawkeys._typing import FloatArray, IntArray
from hawkeys._validation import check_choice, check_count
from hawkeys.datasets._tables.telling import BrokenFileError, list_names, one_line
from hawkeys.datasets._tables.times import PER_SECOND
from hawkeys.datasets.timing_files._columns import PREFIXES, sort_timing_columns
from hawkeys.datasets.timings import check_timings, check_unit
from hawkeys.exceptions import (
    DatasetError,
    DatasetNotFoundError,
    InvalidParameterError,
    InvalidTimingsError,
)
from hawkeys.partitions.layout import require_pyarrow

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PartitionedTimings", "open_timings"]

_PER_PARTITION = 10_000
_MAGIC, _TAIL = b"PAR1", 8


@dataclass(frozen=True, eq=False, repr=False)
class PartitionedTimings:
    """Typing samples on disk, in partitions of whole row groups; get it from `open_timings`.

    Iterating gives the partitions, one after the other, each as `read_timings` gives a table.

    Attributes
    ----------
    paths : tuple of Path
        The files, in the order of their names.
    keys : tuple of str, length K
        Keys of the text, in the order typed.
    columns : tuple of str, length 3 K - 2
        The timing columns, H.k1, DD.k1.k2, UD.k1.k2, H.k2, ...
    labels : tuple of str
        The other columns.
    places : ndarray of int64, shape (n_groups, 2)
        File and row group of each row group, in their order.
    sizes : ndarray of int64, shape (n_groups,)
        Samples of each.
    bounds : ndarray of int64, shape (n_partitions + 1,)
        Partition k holds the row groups ``bounds[k]:bounds[k + 1]``.
    time_unit : str
        Unit of the intervals in the files.
    sha256 : str
        Hash of the names, sizes and footers of the files.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import pandas as pd
    >>> from hawkeys.datasets import open_timings
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "timings.parquet"
    >>> table = {"subject": ["s1", "s2"], "H.a": [0.1, 0.2], "DD.a.b": [0.3, 0.3]}
    >>> pd.DataFrame(table | {"UD.a.b": [0.2, 0.1], "H.b": [0.1, 0.1]}).to_parquet(path)
    >>> data = open_timings(path)
    >>> data.n_samples, data.keys, data.labels
    (2, ('a', 'b'), ('subject',))
    >>> [timings.shape for timings, labels in data]
    [(2, 4)]
    """

    paths: tuple[Path, ...]
    keys: tuple[str, ...]
    columns: tuple[str, ...]
    labels: tuple[str, ...]
    places: IntArray
    sizes: IntArray
    bounds: IntArray
    time_unit: str
    sha256: str
    n_samples: int = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "n_samples", int(self.sizes.sum()))

    @property
    def n_partitions(self) -> int:
        """Number of partitions."""
        return len(self.bounds) - 1

    def __len__(self) -> int:
        """Return the number of partitions."""
        return self.n_partitions

    def __iter__(self) -> Iterator[tuple[pd.DataFrame, pd.DataFrame]]:
        """Yield timings and labels of each partition."""
        return (self.partition(k) for k in range(self.n_partitions))

    def partition(self, number: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Read one partition.

        Parameters
        ----------
        number : int
            From 0; negative ones count from the end.

        Returns
        -------
        timings : pandas.DataFrame, shape (n_samples of the partition, 3 K - 2)
            Intervals in seconds, checked.
        labels : pandas.DataFrame, shape (n_samples of the partition, any)
            The other columns.

        Raises
        ------
        InvalidParameterError
            There is no such partition.
        DatasetError
            A file is missing, damaged or has changed, or its timings contradict each other or
            cannot be in the unit; the message names file, row group and row.
        """
        import pandas as pd

        if not -self.n_partitions <= number < self.n_partitions:
            raise InvalidParameterError(
                f"partition must lie in 0..{self.n_partitions - 1}; got {number}."
            )
        k = number % self.n_partitions
        groups = range(int(self.bounds[k]), int(self.bounds[k + 1]))
        matrices, labels = zip(*(self._group(place) for place in groups), strict=True)
        matrix = np.concatenate(matrices)
        return pd.DataFrame(matrix, columns=list(self.columns)), pd.concat(
            labels, ignore_index=True
        )

    def read(self) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Read all samples into memory.

        Returns
        -------
        timings, labels : pandas.DataFrame
            As for `partition`, of all.

        Raises
        ------
        DatasetError
            As for `partition`.
        """
        import pandas as pd

        timings, labels = zip(*self, strict=True)
        return pd.concat(timings, ignore_index=True), pd.concat(labels, ignore_index=True)

    def __repr__(self) -> str:
        return (
            f"PartitionedTimings({len(self.paths)} files, n_samples={self.n_samples}, "
            f"n_keys={len(self.keys)}, n_partitions={self.n_partitions})"
        )

    def _group(self, place: int) -> tuple[FloatArray, pd.DataFrame]:
        """Return the timings of a row group in seconds, and its labels."""
        pa, parquet = require_pyarrow()
        number, group = (int(one) for one in self.places[place])
        path, where = self.paths[number], f"{self.paths[number]}, row group {group}: "
        try:
            with parquet.ParquetFile(path) as file:
                told = file.num_row_groups, file.schema_arrow.names
                if group < told[0] and {*self.columns, *self.labels} <= set(told[1]):
                    table = file.read_row_group(group, columns=[*self.columns, *self.labels])
                    told = table.num_rows, table.schema.names
                if told[0] != int(self.sizes[place]):
                    raise DatasetError(
                        f"{where}the file is not the one that was opened. Open it again."
                    )
        except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
            raise DatasetError(f"{where}cannot be read: {one_line(error)}") from error
        matrix = np.column_stack([_numbers(table, name, where) for name in self.columns])
        try:
            matrix = check_timings(matrix / PER_SECOND[self.time_unit], keys=self.keys)
            check_unit(matrix)
        except InvalidTimingsError as error:
            raise DatasetError(f"{where}{one_line(error)}") from error
        return matrix, table.select(list(self.labels)).to_pandas()


def open_timings(
    path: str | os.PathLike[str],
    *,
    time_unit: str = "s",
    samples_per_partition: int = _PER_PARTITION,
) -> PartitionedTimings:
    """Open typing samples of many typists in Parquet files, without reading their timings.

    Parameters
    ----------
    path : str or path-like
        A Parquet file, or a folder of them (``*.parquet``, in the order of their names), with one
        sample per row: columns H.k1, DD.k1.k2, UD.k1.k2, H.k2, ... of numbers, in any order, and
        any others, which are labels. All files have the same columns.
    time_unit : {"s", "ms", "us", "ns", "100ns"}, default "s"
        Unit of the intervals.
    samples_per_partition : int, default 10_000
        Samples that are read at once later. Row groups are whole: a larger one is a partition of
        its own, small ones are read together.

    Returns
    -------
    PartitionedTimings
        Keys, labels and counts; iterate over it for the samples.

    Raises
    ------
    DatasetNotFoundError
        There is no such file or folder.
    DatasetError
        There is no Parquet file or no sample, a footer is damaged, a timing column is missing, one
        too many or holds no numbers, or the files' columns differ; the message names the file.
    InvalidParameterError
        An unknown unit, or no whole number of samples above 0.
    MissingExtraError
        pyarrow is not installed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import pandas as pd
    >>> from hawkeys.datasets import open_timings
    >>> folder = pathlib.Path(tempfile.mkdtemp())
    >>> for k in range(3):
    ...     pd.DataFrame({"H.a": [0.1 + 0.01 * k] * 4}).to_parquet(folder / f"day-{k}.parquet")
    >>> open_timings(folder, samples_per_partition=8).n_partitions
    2
    """
    check_choice(time_unit, "time_unit", tuple(PER_SECOND))
    most = check_count(samples_per_partition, "samples_per_partition")
    paths = _files(Path(path))
    known, places, sizes, digest = None, [], [], hashlib.sha256()
    for number, one in enumerate(paths):
        footer, found, rows = _footer(one)
        digest.update(f"{one.name}\0{one.stat().st_size}\0".encode() + footer)
        known = known or found
        if found != known:
            raise DatasetError(
                f"{one}: its columns or their types differ from those of {paths[0]}: "
                f"{_difference(found, known)}. Write all files alike."
            )
        places += [(number, group) for group in range(len(rows))]
        sizes += rows
    full = np.flatnonzero(np.array(sizes, dtype=np.int64) > 0)
    if known is None or not full.size:
        raise DatasetError(f"{path}: there is no sample. Check the file.")
    keys, columns = _timing_columns(known, paths[0])
    labels = tuple(name for name in known if name not in columns)
    counts = np.array(sizes, dtype=np.int64)[full]
    return PartitionedTimings(
        tuple(paths), keys, columns, labels, np.array(places, dtype=np.int64)[full], counts,
        _bounds(counts, most), time_unit, digest.hexdigest(),
    )  # fmt: skip


def _files(path: Path) -> list[Path]:
    """Return the files that a path stands for."""
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise DatasetNotFoundError(f"{path}: there is no such file or folder. Check the path.")
    paths = sorted(one for one in path.glob("*.parquet") if one.is_file())
    if not paths:
        raise DatasetError(f"{path}: the folder holds no file *.parquet. Check the path.")
    return paths


def _footer(path: Path) -> tuple[bytes, dict[str, str], list[int]]:
    """Return the footer of a Parquet file, the type of each column and the rows of each group."""
    pa, parquet = require_pyarrow()
    try:
        with path.open("rb") as file:
            size = file.seek(0, os.SEEK_END)
            file.seek(max(0, size - _TAIL))
            tail = file.read(_TAIL)
            length = int.from_bytes(tail[:4], "little")
            if tail[4:] != _MAGIC or not 0 < length <= size - _TAIL - len(_MAGIC):
                raise DatasetError(
                    f"{path}: it does not end as a Parquet file of its size does: it is cut short, "
                    "or of another format. Write or copy it again."
                )
            file.seek(size - _TAIL - length)
            footer = file.read(length)
        told = parquet.read_metadata(pa.BufferReader(_MAGIC + footer + tail))
        schema = told.schema.to_arrow_schema()
        rows = [told.row_group(group).num_rows for group in range(told.num_row_groups)]
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        raise DatasetError(f"{path}: its footer is damaged: {one_line(error)}") from error
    if min(rows, default=0) < 0:
        raise DatasetError(f"{path}: its footer is damaged: a row group of {min(rows)} rows.")
    return footer, _types(schema, path), rows


def _types(schema: Any, path: Path) -> dict[str, str]:
    """Return the type of each column; refuse two of one name."""
    out = dict(zip(schema.names, map(str, schema.types), strict=True))
    if len(out) < len(schema.names):
        twice = sorted({name for name in schema.names if schema.names.count(name) > 1})
        raise DatasetError(f"{path}: there are two columns {list_names(twice)}. Rename one.")
    return out


def _difference(found: dict[str, str], known: dict[str, str]) -> str:
    """Say in what columns two files differ."""
    for name in (*known, *found):
        if found.get(name) != known.get(name):
            return f"{name!r} is {found.get(name, 'missing')}, there {known.get(name, 'missing')}"
    return "they stand in another order"


def _timing_columns(types: dict[str, str], path: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return the keys and the timing columns; refuse those that hold no numbers."""
    columns = [name for name in types if name.startswith(PREFIXES)]
    if not columns:
        raise DatasetError(
            f"{path}: expected timing columns (H.k1, DD.k1.k2, UD.k1.k2, H.k2, ...), got "
            f"{list_names(list(types))}. Name the columns as the CMU benchmark does."
        )
    for name in columns:
        if not types[name].startswith(("int", "uint", "float", "double", "halffloat")):
            raise DatasetError(
                f"{path}: column {name!r} must hold numbers; got {types[name]}. Write it as double."
            )
    try:
        keys, ordered = sort_timing_columns(columns, [one for one in types if one not in columns])
    except (BrokenFileError, InvalidParameterError) as error:
        raise DatasetError(f"{path}: {one_line(error)}") from error
    return keys, tuple(ordered)


def _bounds(sizes: IntArray, most: int) -> IntArray:
    """Return where partitions of whole row groups begin, and the end."""
    out, held = [0], 0
    for place, size in enumerate(sizes.tolist()):
        if held and held + size > most:
            out.append(place)
            held = 0
        held += size
    return np.array([*out, sizes.size], dtype=np.int64)


def _numbers(table: Any, name: str, where: str) -> FloatArray:
    """Return a column as doubles; refuse nulls."""
    column = table.column(name)
    if column.null_count:
        row = int(np.argmax(column.is_null().to_numpy()))
        raise DatasetError(
            f"{where}column {name!r} has {column.null_count} nulls, the first in row {row}. Leave "
            "these samples out."
        )
    return np.asarray(column.to_numpy(), dtype=np.float64)
