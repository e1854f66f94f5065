"""Reading the file of the CMU keystroke benchmark and checking that it is complete."""

from __future__ import annotations

import gzip
import importlib
import io
import struct
import zlib

import numpy as np
import pandas as pd

from hawkeys.datasets.keystrokes import Keystrokes
from hawkeys.datasets.timings import check_timings, timing_columns
from hawkeys.exceptions import DatasetError, InvalidTimingsError

__all__ = ["CMU_KEYS", "parse_cmu"]

CMU_KEYS = ("period", "t", "i", "e", "five", "Shift.r", "o", "a", "n", "l", "Return")
_LABELS = ("subject", "sessionIndex", "rep")
_N_SUBJECTS, _N_SESSIONS, _N_REPETITIONS = 51, 8, 50
_ADVICE = "Replace the file by a complete copy, or remove it so that it is downloaded."
_GZIP, _XLS, _ZIP = b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"PK\x03\x04"


def parse_cmu(content: bytes, source: str) -> Keystrokes:
    """Return the benchmark held by the bytes of its file; `source` names the file in messages.

    Parameters
    ----------
    content : bytes
        The file as it lies on disk: csv, gzipped csv or xls, told apart by its first bytes.
    source : str
        Path or address of the file.

    Returns
    -------
    Keystrokes
        Ordered by subject, session and repetition.

    Raises
    ------
    DatasetError
        The file is damaged or something else.

    Examples
    --------
    >>> from hawkeys.datasets._cmu_file import parse_cmu
    >>> parse_cmu(b"", "empty.csv")
    Traceback (most recent call last):
    ...
    hawkeys.exceptions.DatasetError: empty.csv: the file is empty. Replace the file by a complete \
copy, or remove it so that it is downloaded.
    """
    try:
        frame = _read_table(content)
        _check_columns(frame)
        labels = _check_labels(frame)
        matrix = _numbers(frame, timing_columns(CMU_KEYS))
        check_timings(matrix, keys=CMU_KEYS)
        _check_design(labels)
    except (_BrokenFileError, InvalidTimingsError) as error:
        raise DatasetError(f"{source}: {_one_line(error)} {_ADVICE}") from error
    order = np.lexsort((labels["rep"], labels["sessionIndex"], labels["subject"]))
    who, session, repetition = (labels[name].to_numpy()[order] for name in _LABELS)
    return Keystrokes.from_timings(
        matrix[order], subject=who, session=session, repetition=repetition, keys=CMU_KEYS
    )


class _BrokenFileError(Exception):
    """What is wrong with the file, without its name."""


def _read_table(content: bytes) -> pd.DataFrame:
    """Return the table in the bytes of a csv, gzipped csv or xls file."""
    if content.startswith(_XLS):
        return _read_xls(content)
    if content.startswith(_GZIP):
        try:
            content = gzip.decompress(content)
        except (EOFError, OSError, zlib.error) as error:
            raise _BrokenFileError(f"the gzip file is truncated or damaged ({error}).") from error
    return _read_csv(_decode(content))


def _decode(content: bytes) -> str:
    """Return the text of a csv file, refusing what is not text."""
    if not content.strip():
        raise _BrokenFileError("the file is empty.")
    if content.startswith(_ZIP):
        raise _BrokenFileError("expected csv, got a zip archive or .xlsx; save it as csv.")
    if content.lstrip()[:1] == b"<":
        raise _BrokenFileError("expected csv, got a web page.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _BrokenFileError(f"expected csv, got no text (byte {error.start}).") from error
    if "\0" in text:
        raise _BrokenFileError(f"expected csv, got no text (byte {text.index(chr(0))}).")
    return text


def _read_csv(text: str) -> pd.DataFrame:
    try:
        frame = pd.read_csv(io.StringIO(text), dtype={"subject": str}, low_memory=False)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise _BrokenFileError(f"the table cannot be read ({error}).") from error
    if not isinstance(frame.index, pd.RangeIndex):
        raise _BrokenFileError(
            f"the rows have more fields than the header names ({len(frame.columns)})."
        )
    return frame


def _read_xls(content: bytes) -> pd.DataFrame:
    try:
        xlrd = importlib.import_module("xlrd")
    except ImportError as error:
        raise _BrokenFileError(
            "reading .xls needs the package xlrd: pip install xlrd, or save the sheet as csv."
        ) from error
    damage = (ValueError, AssertionError, IndexError, KeyError, struct.error)
    try:
        return pd.read_excel(
            io.BytesIO(content),
            engine="xlrd",
            dtype={"subject": str},
            engine_kwargs={"logfile": io.StringIO()},  # xlrd would print to the screen
        )
    except (xlrd.XLRDError, xlrd.compdoc.CompDocError, *damage) as error:
        raise _BrokenFileError(f"the .xls file is damaged ({error!r}).") from error


def _check_columns(frame: pd.DataFrame) -> None:
    expected = [*_LABELS, *timing_columns(CMU_KEYS)]
    missing = [column for column in expected if column not in frame.columns]
    if missing:
        raise _BrokenFileError(
            f"expected {len(expected)} columns (subject, sessionIndex, rep and 31 timings), got "
            f"{len(frame.columns)}; missing {_list(missing)}."
        )
    extra = [str(column) for column in frame.columns if column not in expected]
    if extra:
        raise _BrokenFileError(f"expected {len(expected)} columns; unknown {_list(extra)}.")


def _numbers(frame: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """Return columns as floats, refusing text, empty cells and infinity."""
    values = {name: pd.to_numeric(frame[name], errors="coerce") for name in columns}
    matrix = np.column_stack([values[name].to_numpy(dtype=np.float64) for name in columns])
    for row, column in np.argwhere(~np.isfinite(matrix))[:1]:
        cell = frame[columns[column]].iloc[row]
        came = "an empty cell" if pd.isna(cell) else f"{str(cell)[:40]!r}"
        raise _BrokenFileError(
            f"data row {row + 1}, column {columns[column]}: expected a finite number, got {came}."
        )
    return matrix


def _check_labels(frame: pd.DataFrame) -> pd.DataFrame:
    """Return subject, session and repetition of each row, in their proper ranges."""
    empty = np.flatnonzero(frame["subject"].isna())
    if empty.size:
        raise _BrokenFileError(f"data row {empty[0] + 1}, column subject: got an empty cell.")
    numbers = _numbers(frame, list(_LABELS[1:]))
    highest = np.array([_N_SESSIONS, _N_REPETITIONS])
    bad = (numbers < 1) | (numbers > highest) | (numbers != np.round(numbers))
    for row, column in np.argwhere(bad)[:1]:
        raise _BrokenFileError(
            f"data row {row + 1}, column {_LABELS[column + 1]}: expected a whole number from 1 to "
            f"{highest[column]}, got {numbers[row, column]:g}."
        )
    labels = pd.DataFrame(numbers.astype(np.int64), columns=list(_LABELS[1:]))
    labels.insert(0, "subject", frame["subject"].to_numpy())
    return labels


def _check_design(labels: pd.DataFrame) -> None:
    """Refuse anything but 51 subjects with every session and repetition once."""
    repeated = np.flatnonzero(labels.duplicated())
    if repeated.size:
        subject, session, repetition = labels.iloc[repeated[0]]
        raise _BrokenFileError(
            f"data row {repeated[0] + 1} repeats subject {subject}, session {session}, repetition "
            f"{repetition}; each may occur once."
        )
    sizes = labels["subject"].value_counts(sort=False)
    per_subject = _N_SESSIONS * _N_REPETITIONS
    short = sizes[sizes != per_subject]
    if len(sizes) != _N_SUBJECTS or len(short):
        detail = f"; {short.index[0]} has {short.iloc[0]}" if len(short) else ""
        raise _BrokenFileError(
            f"expected {_N_SUBJECTS} subjects with {per_subject} rows each, got {len(sizes)} "
            f"subjects and {len(labels)} rows{detail}."
        )


def _list(names: list[str], limit: int = 3) -> str:
    rest = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(repr(name) for name in names[:limit]) + rest


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
