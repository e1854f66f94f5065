"""Reading tables from csv, gzipped csv and xls files, and saying what is wrong with them."""

from __future__ import annotations

import gzip
import importlib
import io
import os
import struct
import zlib
from pathlib import Path

import numpy as np
import pandas as pd

from hawkeys.exceptions import DatasetError, DatasetNotFoundError

__all__ = [
    "BrokenFileError",
    "decode_text",
    "list_names",
    "load_bytes",
    "load_table",
    "numbers_of",
    "one_line",
    "read_table",
]

_GZIP, _XLS, _ZIP = b"\x1f\x8b", b"\xd0\xcf\x11\xe0", b"PK\x03\x04"
# a few kilobytes of gzip can hold terabytes of zeros
_MOST_BYTES = 2**30


class BrokenFileError(Exception):
    """What is wrong with the file, without its name."""


def load_table(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Return the table in a csv, gzipped csv or xls file.

    Raises `DatasetError`, or `DatasetNotFoundError` if there is no such file; both name the file.
    """
    try:
        return read_table(load_bytes(path))
    except BrokenFileError as error:
        raise DatasetError(f"{path}: {one_line(error)}") from error


def load_bytes(path: str | os.PathLike[str]) -> bytes:
    """Return what a file holds.

    Raises `DatasetError`, or `DatasetNotFoundError` if there is no such file; both name the file.
    """
    try:
        return Path(path).read_bytes()
    except FileNotFoundError as error:
        raise DatasetNotFoundError(f"{path}: no such file. Check the path.") from error
    except OSError as error:
        raise DatasetError(f"{path}: cannot be read ({error.strerror}).") from error
    except ValueError as error:  # a path with a NUL or a lone surrogate
        raise DatasetError(f"{str(path)!r}: is no path ({error}).") from error


def read_table(content: bytes) -> pd.DataFrame:
    """Return the table in the bytes of a csv, gzipped csv or xls file."""
    if content.startswith(_XLS):
        return _read_xls(content)
    return _read_csv(decode_text(content))


def decode_text(content: bytes) -> str:
    """Return the text of a csv file, gzipped or not, refusing what is not text."""
    if content.startswith(_GZIP):
        content = _decompress(content)
    if not content.strip():
        raise BrokenFileError("the file is empty.")
    if content.startswith(_ZIP):
        raise BrokenFileError("expected csv, got a zip archive or .xlsx; save it as csv.")
    if content.lstrip()[:1] == b"<":
        raise BrokenFileError("expected csv, got a web page.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BrokenFileError(f"expected csv, got no text (byte {error.start}).") from error
    if "\0" in text:
        raise BrokenFileError(f"expected csv, got no text (byte {text.index(chr(0))}).")
    return text


def _decompress(content: bytes) -> bytes:
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(content)) as file:
            plain = file.read(_MOST_BYTES + 1)
    except (EOFError, OSError, zlib.error) as error:
        raise BrokenFileError(f"the gzip file is truncated or damaged ({error}).") from error
    if len(plain) > _MOST_BYTES:
        raise BrokenFileError(
            f"the gzip file holds more than {_MOST_BYTES / 2**30:g} GiB; split it."
        )
    return plain


def _read_csv(text: str) -> pd.DataFrame:
    try:
        frame = pd.read_csv(io.StringIO(text), low_memory=False)
        header = pd.read_csv(io.StringIO(text), header=None, nrows=1, dtype=str).iloc[0].dropna()
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise BrokenFileError(f"the table cannot be read ({error}).") from error
    if not isinstance(frame.index, pd.RangeIndex):
        raise BrokenFileError(
            f"the rows have more fields than the header names ({len(frame.columns)})."
        )
    repeated = header[header.duplicated()].tolist()
    if repeated:
        raise BrokenFileError(
            f"two columns are called {list_names(repeated)}. Number keys that occur again, as in "
            "H.l, DD.l.l2, UD.l.l2, H.l2."
        )
    if "subject" in frame:
        # as written: a typist may be called 007, NA or None
        names = pd.read_csv(
            io.StringIO(text), usecols=["subject"], dtype=str, keep_default_na=False
        )["subject"]
        frame["subject"] = names.mask(names == "")
    return frame


def _read_xls(content: bytes) -> pd.DataFrame:
    try:
        xlrd = importlib.import_module("xlrd")
    except ImportError as error:
        raise BrokenFileError(
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
        raise BrokenFileError(f"the .xls file is damaged ({error!r}).") from error


def numbers_of(frame: pd.DataFrame, columns: list[str]) -> np.ndarray:
    """Return columns as floats, refusing text, empty cells and infinity."""
    values = {name: pd.to_numeric(frame[name], errors="coerce") for name in columns}
    matrix = np.column_stack([values[name].to_numpy(dtype=np.float64) for name in columns])
    for row, column in np.argwhere(~np.isfinite(matrix))[:1]:
        cell = frame[columns[column]].iloc[row]
        came = "an empty cell" if pd.isna(cell) else f"{str(cell)[:40]!r}"
        raise BrokenFileError(
            f"data row {row + 1}, column {columns[column]}: expected a finite number, got {came}."
        )
    return matrix


def list_names(names: list[str], limit: int = 3) -> str:
    """Quote the first few names and count the rest."""
    rest = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(repr(name) for name in names[:limit]) + rest


def one_line(error: Exception) -> str:
    """Return the message without line breaks."""
    return " ".join(str(error).split())
