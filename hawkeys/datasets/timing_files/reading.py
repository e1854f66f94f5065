"""`read_timings`: samples of a fixed text, one a row, from a file of any known layout."""

from __future__ import annotations

import os
import warnings
from collections.abc import Sequence

import numpy as np
import pandas as pd

from hawkeys._typing import BoolArray, FloatArray
from hawkeys._validation import check_choice
from hawkeys.datasets._tables.columns import is_called
from hawkeys.datasets._tables.faults import DROP_HINT, Faults
from hawkeys.datasets._tables.files import (
    BrokenFileError,
    frame_of,
    list_names,
    load_bytes,
    loose_numbers,
    numbers_of,
    one_line,
    read_columns,
)
from hawkeys.datasets._tables.times import PER_SECOND
from hawkeys.datasets.formats import TIMING_FORMATS
from hawkeys.datasets.key_events._cells import numbered
from hawkeys.datasets.timing_files._columns import PREFIXES, sort_timing_columns
from hawkeys.datasets.timing_files._layouts import find_layout, named_columns
from hawkeys.datasets.timings import TOLERANCE, check_timings, check_unit, wrong_units
from hawkeys.exceptions import DatasetError, HawkeysWarning, InvalidTimingsError

__all__ = ["parse_timings", "read_timings"]

# share of the rows with a negative DD from which on it is the order of the columns that is wrong
_MOSTLY = 0.8


def read_timings(
    path: str | os.PathLike[str],
    *,
    format: str = "auto",  # noqa: A002 (pandas calls it so)
    time_unit: str | None = None,
    on_error: str = "raise",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Read a table with one typing sample per row.

    Parameters
    ----------
    path : str or path-like
        A csv file (commas, semicolons, tabs or bars), gzipped or not, or an .xls or .xlsx one, in
        the layout of the CMU benchmark: columns H.k1, DD.k1.k2, UD.k1.k2, H.k2, ..., in any order,
        and any others. Or in that of BKSD or of KeyRecs (see `available_formats`).
    format : {"auto", "cmu", "bksd", "keyrecs"}, default "auto"
        The layout; "auto" finds it from the names of the columns.
    time_unit : {"s", "ms", "us", "ns", "100ns"}, optional
        Unit of the intervals. Default: seconds, of BKSD milliseconds.
    on_error : {"raise", "drop"}, default "raise"
        "drop" leaves rows out that are broken, contradict themselves or cannot be in the unit, and
        warns how many by rule, and where the first of them stand.

    Returns
    -------
    timings : pandas.DataFrame, shape (n_samples, 3 K - 2)
        The timing columns in seconds, checked, in the order H.k1, DD.k1.k2, UD.k1.k2, H.k2, ...
        of the keys as they are typed: the names DD.k1.k2 tell which key comes after which.
    labels : pandas.DataFrame, shape (n_samples, any)
        The other columns: int64 where each cell is a whole number written without leading zeros,
        otherwise text as it stands, NaN for an empty cell. The typist (a column subject, user,
        participant, ...) is always text. ``labels.attrs["tally"]`` counts the rows.

    Raises
    ------
    DatasetNotFoundError
        There is no such file.
    DatasetError
        The file is damaged, lacks a timing column or has one too many, or its timings contradict
        each other or cannot be in the unit; the message names the file and the place.
    InvalidParameterError
        An unknown format, unit or rule.

    Warns
    -----
    HawkeysWarning
        Rows were left out.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from hawkeys.datasets import read_timings
    >>> path = pathlib.Path(tempfile.mkdtemp()) / "timings.csv"
    >>> _ = path.write_text("subject,H.a,DD.a.b,UD.a.b,H.b\\ns1,0.1,0.3,0.2,0.1\\n")
    >>> timings, labels = read_timings(path)
    >>> timings.shape, list(labels)
    ((1, 4), ['subject'])
    """
    check_choice(format, "format", ("auto", *TIMING_FORMATS))
    if time_unit is not None:
        check_choice(time_unit, "time_unit", tuple(PER_SECOND))
    faults = Faults(on_error)
    return parse_timings(load_bytes(path), str(path), format, time_unit, faults)


def parse_timings(
    content: bytes, source: str, layout: str, time_unit: str | None, faults: Faults
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return timings and labels in the bytes of a file; `source` names it in messages.

    Raises `DatasetError`.
    """
    try:
        columns = read_columns(content, faults)
        kind = find_layout([column[0] for column in columns]) if layout == "auto" else layout
        frame = frame_of(named_columns(columns, kind))
        timings, labels = _timings_of(frame, kind, time_unit, faults)
    except (BrokenFileError, InvalidTimingsError) as error:
        raise DatasetError(f"{source}: {one_line(error)}") from error
    labels.attrs["tally"] = {"read": len(labels), **faults.counts}
    if faults.counts:
        n_rows = len(labels) + sum(faults.counts.values())
        warnings.warn(
            f"{source}: {len(labels):,} of {n_rows:,} rows read; {' '.join(faults.described())}.",
            HawkeysWarning,
            stacklevel=3,
        )
    return timings, labels


def _timings_of(
    frame: pd.DataFrame, kind: str, time_unit: str | None, faults: Faults
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the timing columns of a table in seconds, and the others."""
    columns = [name for name in frame.columns if name.startswith(PREFIXES)]
    others = [name for name in frame.columns if name not in columns]
    if not columns:
        raise BrokenFileError(
            f"expected timing columns (H.k1, DD.k1.k2, UD.k1.k2, H.k2, ...), got "
            f"{list_names(others)}. Name the columns as the CMU benchmark does."
        )
    keys, columns = sort_timing_columns(columns, others)
    per_second = PER_SECOND[time_unit or ("ms" if kind == "bksd" else "s")]
    labels = pd.DataFrame({name: _column(frame, name) for name in others}, frame.index)
    if faults.drop:
        matrix = loose_numbers(frame, columns) / per_second
        alive = _sound_rows(matrix, columns, faults)
        matrix, labels = matrix[alive], labels[alive].reset_index(drop=True)
    else:
        matrix = numbers_of(frame, columns) / per_second
        _explain_order(matrix, columns, labels)
    try:
        matrix = check_timings(matrix, keys=keys)
        check_unit(matrix)
    except InvalidTimingsError as error:
        raise BrokenFileError(f"{one_line(error).rstrip('.')}; {DROP_HINT}.") from error
    return pd.DataFrame(matrix, columns=columns), labels


def _sound_rows(matrix: FloatArray, columns: Sequence[str], faults: Faults) -> BoolArray:
    """Return which rows keep every rule of a timing matrix, striking the others."""
    hold, dd, ud = matrix[:, 0::3], matrix[:, 1::3], matrix[:, 2::3]
    wrong = np.zeros(matrix.shape, dtype=bool)
    wrong[:, 1::3] = ~(np.abs(dd - hold[:, :-1] - ud) <= TOLERANCE + 1e-6 * np.abs(dd))
    negative = matrix < 0
    negative[:, 2::3] = False
    alive = np.ones(matrix.shape[0], dtype=bool)
    for rule, bad in (
        ("no number", np.isnan(matrix)),
        ("negative H", negative & (np.arange(matrix.shape[1]) % 3 == 0)),
        ("negative DD", negative),
        ("DD is not H + UD", wrong),
    ):
        struck = alive & bad.any(axis=1)
        faults.strike_rows(
            rule,
            struck,
            lambda row, bad=bad: (  # type: ignore[misc]
                f"data row {row + 1}, column {columns[int(np.argmax(bad[row]))]}"
            ),
        )
        alive &= ~struck
    odd = np.zeros_like(alive)
    odd[np.flatnonzero(alive)[wrong_units(matrix[alive])]] = True
    faults.strike_rows("not in the unit", odd, lambda row: f"data row {row + 1}")
    return alive & ~odd


def _explain_order(matrix: FloatArray, columns: Sequence[str], labels: pd.DataFrame) -> None:
    """Refuse columns whose DD is negative nearly throughout: keys are not listed as typed."""
    who = next((name for name in labels if is_called(str(name), "user")), None)
    groups = [("", np.ones(len(labels), dtype=bool))]
    if who is not None:
        groups = [(f" of {who} {one}", (labels[who] == one).to_numpy())
                  for one in labels[who].dropna().unique()]  # fmt: skip
    for place in (np.flatnonzero((matrix[:, 1::3] < 0).any(axis=0)) * 3 + 1).tolist():
        for name, rows in groups:
            below, total = int((matrix[rows, place] < 0).sum()), int(rows.sum())
            if total > 1 and below >= _MOSTLY * total:
                raise BrokenFileError(
                    f"{columns[place]} is negative in {below:,} of {total:,} rows{name}: the "
                    "second key is pressed before the first, so the columns list the keys in "
                    "another order than they are typed. Put the columns (H, DD, UD) into the "
                    f"order of the presses, {DROP_HINT}."
                )


def _column(frame: pd.DataFrame, name: str) -> np.ndarray:
    """Return a column of labels as `read_timings` says."""
    cells = np.array(frame[name].tolist(), dtype=np.str_)
    labels = cells if is_called(name, "user") or not cells.size else numbered(cells)
    if labels.dtype.kind == "i":
        return labels
    text = labels.astype(object)
    text[cells == ""] = np.nan
    return text
