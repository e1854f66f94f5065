"""Reading tables from csv, gzipped csv and xls files, and saying what is wrong with them.

All cells are read as text, as they stand: a label may look like a number (007, 7 and 1e3 are three
labels) or like nothing (NA). Columns are separated by commas; blanks around a cell do not count; a
cell in double quotes may hold commas, and a quotation mark written twice; each row is one line.
Blank lines are left out. The first line names the columns. All else is refused.
"""

from __future__ import annotations

import csv
import gzip
import io
import os
import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hawkeys.datasets._tables.faults import Faults
from hawkeys.datasets._tables.sheets import is_sheet, read_sheet
from hawkeys.datasets._tables.telling import BrokenFileError, list_names, one_line
from hawkeys.exceptions import DatasetError, DatasetNotFoundError

__all__ = [
    "BrokenFileError",
    "cells_by_name",
    "csv_rows",
    "decode_text",
    "find_separator",
    "frame_of",
    "list_names",
    "load_bytes",
    "load_table",
    "loose_numbers",
    "numbers_of",
    "one_line",
    "read_columns",
    "read_table",
    "times_of",
]

_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"
# a few kilobytes of gzip can hold terabytes of zeros
_MOST_BYTES = 2**30
_DIGITS = "0123456789+-.eE"
_LONGEST_NUMBER = 100
# letters that are looked through for the separator
_HEADER = 100_000
# beyond it not every whole number is a double
_LARGEST_WHOLE = 2**53
_SEPARATORS = (";", "\t", "|")


def load_table(path: str | os.PathLike[str]) -> pd.DataFrame:
    """Return the table in a csv, gzipped csv or xls file, every cell as text.

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
    """Return the table in the bytes of a csv, gzipped csv or sheet file, every cell as text.

    Empty cells are empty text. A first column without a name that numbers the rows is left out.
    """
    return frame_of(read_columns(content))


def read_columns(content: bytes, faults: Faults | None = None) -> list[list[str]]:
    """Return the columns of such a table, the name of each first.

    Rows of another length than the header are struck by `faults`.
    """
    if is_sheet(content):
        return [list(column) for column in zip(*read_sheet(content), strict=True)]
    text = decode_text(content)
    separator = find_separator(text)
    columns = _columns_without_quotes(text, separator)
    if columns is None:
        rows = [cells for _, cells in _even_rows(text, separator, faults or Faults("raise", ""))]
        if not rows:
            raise BrokenFileError("the file is empty.")
        columns = [list(column) for column in zip(*rows, strict=True)]
    if re.search(r"[^\S\r\n]", text):
        columns = [[cell.strip() for cell in column] for column in columns]
    return columns


def find_separator(text: str) -> str:
    """Return what stands between the cells of the first line: comma, semicolon, tab or bar."""
    first = text[:_HEADER].lstrip("\r\n").split("\n", 1)[0]
    counts = {mark: first.count(mark) for mark in (",", *_SEPARATORS)}
    return max(counts, key=lambda mark: counts[mark]) if any(counts.values()) else ","


def _columns_without_quotes(text: str, separator: str) -> list[list[str]] | None:
    """Return what `_even_rows` gives, by columns and six times as fast; None if it is not sure."""
    if '"' in text:
        return None
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    lines = [line for line in lines if line and not line.isspace()]
    n_commas = {line.count(separator) for line in lines}
    if len(n_commas) != 1 or 0 in n_commas or lines[0].lstrip()[:1] == "#":
        return None
    width = n_commas.pop() + 1
    cells = separator.join(lines).split(separator)
    return [cells[k::width] for k in range(width)]


def decode_text(content: bytes, *, latin_mark: bytes = b"") -> str:
    """Return the text of a csv file, gzipped or not, refusing what is not text.

    A file that begins with `latin_mark` somewhere in its first line may be Latin-1, too.
    """
    if content.startswith(_GZIP):
        content = _decompress(content)
    if not content or content.isspace():
        raise BrokenFileError("the file is empty.")
    if content.startswith(_ZIP):
        raise BrokenFileError("expected csv, got a zip archive or .xlsx; save it as csv.")
    if content.lstrip()[:1] == b"<":
        raise BrokenFileError("expected csv, got a web page.")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        if not latin_mark or latin_mark not in content[:1000].split(b"\n")[0]:
            raise BrokenFileError(f"expected csv, got no text (byte {error.start}).") from error
        text = content.decode("latin-1")
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


def csv_rows(
    text: str, *, skip_blanks: bool = True, separator: str = ","
) -> Iterator[tuple[int, list[str]]]:
    """Yield the cells of every line of a csv text, with the number of the line, from 1.

    Blank lines have no cell. A cell over the end of a line is refused, unless it is only that line
    break (the name of a key): a lone quotation mark would swallow whole rows. `skip_blanks` drops
    blanks before a cell.
    """
    reader = csv.reader(
        io.StringIO(text, newline=""),
        strict=True,
        skipinitialspace=skip_blanks and separator != "\t",
        delimiter=separator,
    )
    start = 1
    try:
        for row in reader:
            if reader.line_num != start and any(map(_goes_on, row)):
                raise BrokenFileError(
                    f"line {start}: a quotation mark opens a cell that ends on line "
                    f"{reader.line_num}; each row must be one line. Remove the lone quotation mark "
                    "or the line break in the cell."
                )
            yield start, row if len(row) > 1 or "".join(row).strip() else []
            start = reader.line_num + 1
    except csv.Error as error:
        raise BrokenFileError(
            f"line {start}: no valid csv ({one_line(error)}). Correct the line; a quotation mark "
            "within quotation marks is written twice."
        ) from error


def _goes_on(cell: str) -> bool:
    """Tell whether a cell holds a line break and something else."""
    return bool(cell.strip()) and ("\n" in cell or "\r" in cell)


def _even_rows(text: str, separator: str, faults: Faults) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows that are not blank, all as long as the header."""
    header: list[str] | None = None
    for line, cells in csv_rows(text, separator=separator):
        if not cells:
            continue
        if header is None:
            header = cells
            _check_header_line(line, cells)
        elif len(cells) != len(header):
            faults.strike("wrong number of cells", _ragged(line, header, cells))
            continue
        yield line, cells


def _ragged(line: int, header: list[str], cells: list[str]) -> Callable[[], str]:
    return lambda: (
        f"line {line}: expected {len(header)} cells, as in the header, got {len(cells)}; a number "
        "is written with a point (1.5), and a cell that holds a comma in quotation marks "
        '("a,b")'
    )


def _check_header_line(line: int, cells: list[str]) -> None:
    if cells[0].lstrip()[:1] == "#":
        raise BrokenFileError(
            f"line {line} is a comment ({cells[0][:40]!r}); expected the names of the columns. "
            "Remove the lines above them."
        )


def frame_of(columns: list[list[str]]) -> pd.DataFrame:
    """Return columns of equal length, their names first, as a frame of text."""
    cells = cells_by_name(columns)
    block = np.empty((len(cells), len(columns[0]) - 1), dtype=object)
    for row, column in zip(block, cells.values(), strict=True):
        row[:] = column
    return pd.DataFrame(block.T, columns=list(cells), dtype=object)


def cells_by_name(columns: list[list[str]]) -> dict[str, list[str]]:
    """Return the cells of each column by its name; a column that numbers the rows is left out.

    Raises `BrokenFileError` for names that are missing or repeated.
    """
    header, columns = [column[0] for column in columns], [column[1:] for column in columns]
    if header[0] == "" and len(header) > 1 and _number_the_rows(columns[0]):
        header, columns = header[1:], columns[1:]
    repeated = list(dict.fromkeys(name for name in header if name and header.count(name) > 1))
    if repeated:
        raise BrokenFileError(
            f"two columns are called {list_names(repeated)}. Number keys that occur again, as in "
            "H.l, DD.l.l2, UD.l.l2, H.l2."
        )
    if "" in header:
        raise BrokenFileError(
            f"column {header.index('') + 1} has no name; name it in the header or remove it."
        )
    return dict(zip(header, columns, strict=True))


def _number_the_rows(cells: list[str]) -> bool:
    """Tell whether cells count 0, 1, 2, ... or 1, 2, 3, ..., as saved frames do."""
    return bool(cells) and any(
        cells == [str(k) for k in range(first, first + len(cells))] for first in (0, 1)
    )


def numbers_of(table: pd.DataFrame | Mapping[str, list[str]], columns: Sequence[str]) -> np.ndarray:
    """Return columns of text as floats, refusing all that is not written as a finite number."""
    cells = [table[name] for name in columns]
    lists = [cell if isinstance(cell, list) else cell.tolist() for cell in cells]
    return np.column_stack([_numbers(*both) for both in zip(lists, columns, strict=True)])


def loose_numbers(frame: pd.DataFrame, columns: Sequence[str]) -> np.ndarray:
    """Return columns of text as floats, NaN for all that is not written as a finite number."""
    values = [np.fromiter(map(_number, frame[name]), np.float64, len(frame)) for name in columns]
    matrix = np.column_stack(values)
    matrix[~np.isfinite(matrix)] = np.nan
    return matrix


def times_of(frame: pd.DataFrame, column: str) -> np.ndarray:
    """Return a column of text as floats, or as integers if there are some too large for floats."""
    cells = frame[column].tolist()
    digits = max(map(len, cells), default=0)
    if digits >= len(str(_LARGEST_WHOLE)) and all(_is_whole(cell) for cell in cells):
        whole = [int(cell) for cell in cells]
        if max(map(abs, whole)) > _LARGEST_WHOLE:
            low, high = np.iinfo(np.int64).min, np.iinfo(np.int64).max
            return np.array(whole, np.int64 if low <= min(whole) <= max(whole) <= high else object)
    return numbers_of(frame, [column])[:, 0]


def _is_whole(cell: str) -> bool:
    text = cell.strip()
    unsigned = text[1:] if text[:1] in ("+", "-") else text
    return unsigned.isascii() and unsigned.isdecimal() and len(unsigned) <= _LONGEST_NUMBER


def _numbers(cells: list[str], name: str) -> np.ndarray:
    read: Callable[[str], float] = _number
    text = "".join(cells)
    if text.isascii() and "_" not in text:
        read = float  # takes no more than `_number`, but for infinity and NaN
    try:
        values = np.fromiter(map(read, cells), np.float64, len(cells))
    except ValueError:
        values = np.fromiter(map(_number, cells), np.float64, len(cells))
    for row in np.flatnonzero(~np.isfinite(values))[:1]:
        raise BrokenFileError(
            f"data row {row + 1}, column {name}: expected a finite number, got "
            f"{_shown(cells[row])}{_hint(cells[row])}."
        )
    for row in np.flatnonzero(np.abs(values) > _LARGEST_WHOLE):
        if cells[row].lstrip("+-").isdecimal() and int(cells[row]) != int(values[row]):
            raise BrokenFileError(
                f"data row {row + 1}, column {name}: {_shown(cells[row])} has more digits than a "
                "floating-point number holds (15 to 17). Write all of the column as whole numbers, "
                "or subtract a common start first."
            )
    return values


def _number(cell: str) -> float:
    """Return the number in a cell, or NaN."""
    if len(cell) > _LONGEST_NUMBER or cell.strip(_DIGITS):
        return np.nan
    try:
        return float(cell)
    except ValueError:
        return np.nan


def _shown(cell: str) -> str:
    return repr(cell[:40]) if cell else "an empty cell"


def _hint(cell: str) -> str:
    """Say what to do with a cell that is a number or a time to somebody."""
    if re.fullmatch(r"[+-]?[\d., '_]*\d[\d., '_]*", cell) and cell.strip(_DIGITS):
        return "; write 1234.5 with a point and nothing between the thousands"
    if re.match(r"\d{1,4}[-/.:]\d{1,2}([-/.:]|$)", cell):
        return "; convert dates and clock times to numbers, such as seconds since the start"
    return ""
