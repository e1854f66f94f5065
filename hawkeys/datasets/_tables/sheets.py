"""The first sheet of an .xls or .xlsx file as rows of text."""

from __future__ import annotations

import importlib
import io
import struct
import zipfile
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from hawkeys.datasets._tables.telling import BrokenFileError

__all__ = ["is_sheet", "read_sheet"]

_XLS, _ZIP = b"\xd0\xcf\x11\xe0", b"PK\x03\x04"
_DAMAGE = (ValueError, AssertionError, IndexError, KeyError, TypeError, struct.error)
_MOST_BYTES = 2**30


def is_sheet(content: bytes) -> bool:
    """Tell whether the bytes are those of an .xls or an .xlsx file."""
    if content.startswith(_XLS):
        return True
    return content.startswith(_ZIP) and b"xl/" in content


def read_sheet(content: bytes) -> list[list[str]]:
    """Return the rows of the first sheet that are not blank, every cell as text.

    Raises `BrokenFileError`.
    """
    rows = _read_xls(content) if content.startswith(_XLS) else _read_xlsx(content)
    rows = [row for row in rows if any(row)]
    if not rows:
        raise BrokenFileError("the first sheet of the file is empty.")
    return rows


def _read_xls(content: bytes) -> list[list[str]]:
    try:
        xlrd = importlib.import_module("xlrd")
    except ImportError as error:
        raise BrokenFileError(
            "reading .xls needs the package xlrd: pip install xlrd, or save the sheet as csv."
        ) from error
    try:
        frame = pd.read_excel(
            io.BytesIO(content),
            engine="xlrd",
            header=None,
            dtype=str,
            keep_default_na=False,
            engine_kwargs={"logfile": io.StringIO()},  # xlrd would print to the screen
        )
    except (xlrd.XLRDError, xlrd.compdoc.CompDocError, *_DAMAGE) as error:
        raise BrokenFileError(f"the .xls file is damaged ({error!r}).") from error
    return [[str(cell).strip() for cell in row] for row in frame.to_numpy(dtype=object)]


def _read_xlsx(content: bytes) -> list[list[str]]:
    try:
        openpyxl = importlib.import_module("openpyxl")
    except ImportError as error:
        raise BrokenFileError(
            "reading .xlsx needs the package openpyxl: pip install hawkeys[xlsx], or save the "
            "sheet as csv."
        ) from error
    try:
        _check_size(content)
        book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
        rows = [[_text(cell) for cell in row] for row in book.worksheets[0].values]
        book.close()
    except (zipfile.BadZipFile, EOFError, OSError, SyntaxError, *_DAMAGE) as error:
        raise BrokenFileError(f"the .xlsx file is damaged ({type(error).__name__}).") from error
    width = max(map(len, rows), default=0)
    return [row + [""] * (width - len(row)) for row in rows]


def _check_size(content: bytes) -> None:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        size = sum(part.file_size for part in archive.infolist())
    if size > _MOST_BYTES:
        raise BrokenFileError(f"the file holds more than {_MOST_BYTES / 2**30:g} GiB; split it.")


def _text(cell: Any) -> str:
    """Return what a cell holds as it would stand in a csv file."""
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return cell.isoformat(sep=" ")
    if isinstance(cell, float | np.floating):
        return repr(int(cell)) if cell.is_integer() and abs(cell) < 2**53 else repr(float(cell))
    return str(cell)
