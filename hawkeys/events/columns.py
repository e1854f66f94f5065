"""Reads one column of a caller's data as numbers, dates or codes of labels.

Columns of pandas, polars, pyarrow and their kin are read by `narwhals`, which is small, asks for
none of them, and knows the types, missing values and zones of each; its stable interface does not
change.
"""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from hawkeys._typing import IntArray
from hawkeys._validation import brief_names, refuse_disguised
from hawkeys.events._checks import as_times, plain_times
from hawkeys.events.clock import Instants, instants_of
from hawkeys.exceptions import InvalidEventsError

if TYPE_CHECKING:
    import narwhals.stable.v2 as nw

__all__ = ["as_column", "as_frame", "as_table", "labels_of", "refuse_series_of_values", "times_of"]

_DATES = (datetime.date, np.datetime64)
_DURATIONS = (datetime.timedelta, np.timedelta64)
_ROWS = 1 << 16
_PARSE = (
    "Parse text first: pandas.to_datetime(x) for dates, with format= unless they are as 2024-03-01 "
    "(of 01.03.2024 it takes the month first), pandas.to_numeric(x) for numbers."
)


def as_frame(data: Any) -> nw.DataFrame[Any] | None:
    """Return a table of pandas, polars, pyarrow or their kin; None of anything else.

    Raises `InvalidEventsError` if columns have one name.
    """
    if _is_plain(data):
        return None
    import narwhals.stable.v2 as nw

    try:
        frame = nw.from_native(data, eager_only=True, pass_through=True)
    except nw.exceptions.DuplicateError as error:
        names = [str(name) for name in data.columns]
        twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
        raise InvalidEventsError(
            f"the frame has several columns of one name, {brief_names(twice)}. Rename or drop them."
        ) from error
    return frame if isinstance(frame, nw.DataFrame) else None


def as_table(data: Any) -> Any:
    """Return a record array or batch of pyarrow as a table; anything else as it is."""
    if getattr(getattr(data, "dtype", None), "names", None):
        import pandas as pd

        return pd.DataFrame(data)
    if type(data).__module__.startswith("pyarrow") and hasattr(data, "to_struct_array"):
        import pyarrow as pa

        return data if isinstance(data, pa.Table) else pa.Table.from_batches([data])
    return data


def _is_plain(data: Any) -> bool:
    """Tell what comes of Python or NumPy alone, for which nothing needs to be imported."""
    return type(data).__module__ in ("builtins", "numpy")


def as_column(data: Any) -> nw.Series[Any] | None:
    """Return a column of pandas, polars or pyarrow; None of anything else."""
    if _is_plain(data):
        return None
    import narwhals.stable.v2 as nw

    if type(data).__module__.startswith("pandas") and hasattr(data, "to_series"):  # an index
        data = data.to_series(index=range(len(data)))
    if type(data).__module__.startswith("pyarrow") and hasattr(data, "dictionary_encode"):
        import pyarrow as pa

        data = data if isinstance(data, pa.ChunkedArray) else pa.chunked_array([data])
    column = nw.from_native(data, series_only=True, pass_through=True)
    return column if isinstance(column, nw.Series) else None


def times_of(data: Any, where: str) -> np.ndarray | Instants:
    """Return one column of times: doubles or exact integers, shape (n,), or `Instants`.

    `where` names the column in messages, with a space behind it if there is something.
    """
    data = plain_times(data, where)
    if hasattr(data, "detach") and hasattr(data, "cpu"):  # a tensor
        data = data.detach().cpu().numpy()
    refuse_disguised(data, f"{where}times", InvalidEventsError)
    column = as_column(data)
    if column is not None:
        return _times_of_column(column, where)
    array = data if isinstance(data, np.ndarray) else _array_of(data, where)
    if array.dtype.kind in "mM" and array.ndim == 1:
        return instants_of(array, f"{where}times")
    return _times_of_objects(array, where) if array.dtype.kind == "O" else as_times(array, where)


def _array_of(data: Any, where: str) -> np.ndarray:
    """Return a sequence as an array, of objects if it holds anything but plain numbers."""
    try:
        array = np.asarray(data)
    except (TypeError, ValueError) as error:
        raise InvalidEventsError(
            f"{where}times must be a one-dimensional sequence of numbers or dates; got "
            f"{type(data).__name__} ({str(error)[:80]})."
        ) from error
    if array.dtype.kind == "f" and isinstance(data, list | tuple):
        mixed = np.empty(len(data), dtype=object)
        if array.ndim == 1 and any(type(x) is int and abs(x) > 2**53 for x in data):
            mixed[:] = data  # whole numbers that a double would round
            return mixed
    return array


def _times_of_column(column: nw.Series[Any], where: str) -> np.ndarray | Instants:
    """Return the times of a column; refuse empty cells, text and truth values."""
    import narwhals.stable.v2 as nw

    refuse_empty(column, f"{where.rstrip(': ') or 'the column of times'} ")
    kind = column.dtype
    if isinstance(kind, nw.Datetime):
        zone = kind.time_zone
        if zone is not None:
            column = column.dt.convert_time_zone("UTC").dt.replace_time_zone(None)
        return instants_of(_dates_of(column), f"{where}times", zone)
    if kind == nw.Date:
        return instants_of(_dates_of(column.cast(nw.Datetime("ms"))), f"{where}times")
    if isinstance(kind, nw.Duration):
        return instants_of(_dates_of(column), f"{where}times")
    if isinstance(kind, nw.Decimal):
        column = column.cast(nw.Float64())
    elif kind == nw.Object:
        return _times_of_objects(np.array(column.to_list(), dtype=object), where)
    elif not kind.is_numeric():
        hint = f" {_PARSE}" if kind in (nw.String, nw.Categorical, nw.Enum) else ""
        got = getattr(column.to_native(), "dtype", kind) if kind == nw.Unknown else kind
        if str(got).startswith("period"):
            hint = " Say which moment of a period is meant: x.to_timestamp() is its start."
        raise InvalidEventsError(f"{where}times must be numbers or dates; got {got}.{hint}")
    return as_times(column.to_numpy(), where)


def _dates_of(column: nw.Series[Any]) -> np.ndarray:
    """Return a column of dates or durations without zone as datetime64 or timedelta64."""
    array = column.to_numpy()
    if array.dtype.kind in "mM":
        return array
    letter = "m" if str(column.dtype).startswith("Duration") else "M"
    unit = getattr(column.dtype, "time_unit", "ns")
    return np.array(column.to_list(), dtype=f"{letter}8[{unit}]")


def _times_of_objects(array: np.ndarray, where: str) -> np.ndarray | Instants:
    """Return times that came as Python objects: dates, durations, or any kind of real numbers."""
    if array.ndim != 1:
        return as_times(array, where)
    values = array.tolist()
    for k, value in enumerate(values):
        if value is None or value != value:
            raise InvalidEventsError(
                f"{where}times[{k}] is missing ({value}). Fill it or drop the row."
            )
    if values and all(isinstance(x, _DATES) for x in values):
        return _from_dates(values, where)
    if values and all(isinstance(x, _DURATIONS) for x in values):
        return instants_of(_by_pandas(values, "to_timedelta", where), f"{where}times")
    for k, value in enumerate(values):
        if isinstance(value, str):
            raise InvalidEventsError(f"{where}times[{k}] is text, {value[:40]!r}. {_PARSE}")
    if any(isinstance(x, Decimal | Fraction) for x in values):
        plain = [x if isinstance(x, float) else int(x) if x == int(x) else float(x) for x in values]
        array = np.array(plain, dtype=object)
    return as_times(array, where)


def _from_dates(values: Sequence[Any], where: str) -> Instants:
    """Return dates of Python or NumPy; refuse those with a zone beside those without."""
    zones = [getattr(x, "tzinfo", None) for x in values]
    aware = sum(zone is not None for zone in zones)
    if 0 < aware < len(values):
        k = next(k for k, zone in enumerate(zones) if zone is None)
        raise InvalidEventsError(
            f"{where}times[{k}] has no time zone, but {aware} others have one. Give all of them "
            "one, or none."
        )
    if not aware:
        return instants_of(_by_pandas(values, "to_datetime", where), f"{where}times")
    array = _by_pandas(values, "to_datetime", where, utc=True)
    return instants_of(array, f"{where}times", _zone_name(zones[0]))


def _zone_name(zone: Any) -> str:
    """Return the name by which pandas finds a zone again; Universal Time if it has none."""
    import pandas as pd

    for name in (getattr(zone, "key", None), str(zone)):
        try:
            pd.Timestamp(0, tz="UTC").tz_convert(name)
        except (TypeError, ValueError, KeyError):
            continue
        if name is not None:
            return str(name)
    return "UTC"


def _by_pandas(values: Sequence[Any], name: str, where: str, **options: Any) -> np.ndarray:
    """Return dates or durations as an array without zone, by a function of pandas."""
    import pandas as pd

    try:
        index = getattr(pd, name)(list(values), **options)
    except (ValueError, TypeError, OverflowError) as error:
        raise InvalidEventsError(f"{where}times cannot be read as dates: {error}") from error
    if getattr(index, "tz", None) is not None:
        index = index.tz_localize(None)
    return np.asarray(index)


def refuse_series_of_values(data: Any) -> None:
    """Refuse a Series of numbers at dates, or of times at texts: the index would be lost."""
    index = getattr(data, "index", None)
    kind = getattr(getattr(index, "dtype", None), "kind", "")
    if index is not None and kind == "O" and any(isinstance(label, str) for label in index):
        raise InvalidEventsError(
            f"the index of the Series holds labels ({brief_names(dict.fromkeys(index))}), which "
            "would be lost. Pass mark=x.index beside the times if they are marks; else pass the "
            "times alone, x.to_numpy()."
        )
    if kind in ("m", "M") and getattr(getattr(data, "dtype", None), "kind", "") not in ("m", "M"):
        raise InvalidEventsError(
            "a Series with dates as its index holds values at times. Pass the times, x.index, and "
            "mark=x if the values are the marks."
        )


def refuse_empty(column: nw.Series[Any], where: str) -> None:
    """Refuse a column with missing values."""
    if column.null_count():
        row = int(column.is_null().arg_true()[0])
        raise InvalidEventsError(f"{where}is empty at row {row}. Fill it or drop the row.")


def _refuse_missing(codes: np.ndarray, where: str, first: int = 0) -> None:
    """Refuse labels that are missing, whose code is -1; the first code is of row `first`."""
    if codes.size and codes.min() < 0:
        row = first + int(np.argmax(codes < 0))
        raise InvalidEventsError(f"{where}is empty at row {row}. Fill it or drop the row.")


def labels_of(data: Any, where: str) -> tuple[IntArray, tuple[Any, ...]]:
    """Return codes, shape (n,), and the labels they stand for.

    Labels are sorted, or in the order of a categorical column, unused ones included. Raises
    `InvalidEventsError` for missing ones, or ones that have no order.
    """
    import narwhals.stable.v2 as nw

    column = as_column(data)
    if column is None:
        import pandas as pd

        refuse_disguised(data, where.strip(), InvalidEventsError)
        array = np.asarray(data)
        if array.ndim != 1:
            raise InvalidEventsError(
                f"{where}must be one label per event; got an array of shape {array.shape}."
            )
        column = nw.from_native(pd.Series(array), series_only=True)
    if column.implementation.is_pandas():
        return _codes_of_pandas(column.to_native(), where)
    refuse_empty(column, where)
    if column.dtype == nw.Enum:
        labels = list(column.dtype.categories)  # type: ignore[union-attr]
        column = column.cast(nw.String())
    else:
        if column.dtype == nw.Categorical:
            column = column.cast(nw.String())
        labels = _in_order(column.unique().to_list(), where)
    if not labels:
        return np.empty(0, dtype=np.int64), ()
    codes = np.empty(len(column), dtype=np.int64)
    numbers = list(range(len(labels)))
    for first in range(0, codes.size, _ROWS):  # by blocks, as those of pandas
        part = column[first : first + _ROWS]
        numbered = part.replace_strict(labels, numbers, return_dtype=nw.Int64())
        codes[first : first + _ROWS] = numbered.to_numpy()
    return codes, tuple(labels)


def _codes_of_pandas(column: Any, where: str) -> tuple[IntArray, tuple[Any, ...]]:
    """Return codes and labels of a column of pandas, by hashing; only the labels are sorted."""
    import pandas as pd

    if hasattr(column, "cat"):
        codes, labels = column.cat.codes.to_numpy(), tuple(column.cat.categories)
        _refuse_missing(codes, where)
        return codes.astype(np.int64), labels
    codes = np.empty(len(column), dtype=np.int64)
    place: dict[Any, int] = {}
    # by blocks: the hash table of all rows at once would take more than the result
    for first in range(0, codes.size, _ROWS):
        part, found = pd.factorize(column.iloc[first : first + _ROWS])
        _refuse_missing(part, where, first)
        known = [place.setdefault(label, len(place)) for label in found.tolist()]
        codes[first : first + _ROWS] = np.array(known, dtype=np.int64)[part]
    ordered = _in_order(list(place), where)
    rank = np.empty(len(ordered), dtype=np.int64)
    rank[[place[label] for label in ordered]] = np.arange(len(ordered))
    if (rank[1:] < rank[:-1]).any():
        for first in range(0, codes.size, _ROWS):
            block = codes[first : first + _ROWS]
            block[:] = rank[block]
    return codes, tuple(ordered)


def _in_order(labels: list[Any], where: str) -> list[Any]:
    """Return labels sorted; refuse those of kinds that have no common order."""
    try:
        return sorted(labels)
    except TypeError as error:
        kinds = ", ".join(sorted({type(label).__name__ for label in labels}))
        raise InvalidEventsError(
            f"{where}holds labels of several kinds ({kinds}). Make all of them text, as by "
            "x.astype(str)."
        ) from error
