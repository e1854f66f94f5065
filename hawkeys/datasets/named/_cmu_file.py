"""Reading the file of the CMU keystroke benchmark and checking that it is complete."""

from __future__ import annotations

from collections import Counter

import numpy as np

from hawkeys._typing import IntArray
from hawkeys.datasets._tables.files import (
    BrokenFileError,
    cells_by_name,
    list_names,
    numbers_of,
    one_line,
    read_columns,
)
from hawkeys.datasets.keystrokes import Keystrokes
from hawkeys.datasets.timings import check_timings, timing_columns
from hawkeys.exceptions import DatasetError, InvalidTimingsError

__all__ = ["CMU_KEYS", "parse_cmu"]

CMU_KEYS = ("period", "t", "i", "e", "five", "Shift.r", "o", "a", "n", "l", "Return")
_LABELS = ("subject", "sessionIndex", "rep")
_N_SUBJECTS, _N_SESSIONS, _N_REPETITIONS = 51, 8, 50
_ADVICE = "Replace the file by a complete copy, or remove it so that it is downloaded."


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
    >>> from hawkeys.datasets.named._cmu_file import parse_cmu
    >>> parse_cmu(b"", "empty.csv")
    Traceback (most recent call last):
    ...
    hawkeys.exceptions.DatasetError: empty.csv: the file is empty. Replace the file by a complete \
copy, or remove it so that it is downloaded.
    """
    try:
        cells = cells_by_name(read_columns(content))
        _check_columns(cells)
        subjects, numbers = _check_labels(cells)
        matrix = numbers_of(cells, timing_columns(CMU_KEYS))
        check_timings(matrix, keys=CMU_KEYS)
        _check_design(subjects, numbers)
    except (BrokenFileError, InvalidTimingsError) as error:
        raise DatasetError(f"{source}: {one_line(error)} {_ADVICE}") from error
    who, (session, repetition) = np.array(subjects), numbers.T
    order = np.lexsort((repetition, session, who))
    return Keystrokes.from_timings(
        matrix[order],
        subject=who[order],
        session=session[order],
        repetition=repetition[order],
        keys=CMU_KEYS,
    )


def _check_columns(cells: dict[str, list[str]]) -> None:
    expected = [*_LABELS, *timing_columns(CMU_KEYS)]
    missing = [column for column in expected if column not in cells]
    if missing:
        raise BrokenFileError(
            f"expected {len(expected)} columns (subject, sessionIndex, rep and 31 timings), got "
            f"{len(cells)}; missing {list_names(missing)}."
        )
    extra = [column for column in cells if column not in expected]
    if extra:
        raise BrokenFileError(f"expected {len(expected)} columns; unknown {list_names(extra)}.")


def _check_labels(cells: dict[str, list[str]]) -> tuple[list[str], IntArray]:
    """Return the subject of each row, and session and repetition (n_rows, 2) in proper ranges."""
    subjects = cells["subject"]
    if "" in subjects:
        raise BrokenFileError(
            f"data row {subjects.index('') + 1}, column subject: got an empty cell."
        )
    numbers = numbers_of(cells, _LABELS[1:])
    highest = np.array([_N_SESSIONS, _N_REPETITIONS])
    bad = (numbers < 1) | (numbers > highest) | (numbers != np.round(numbers))
    for row, column in np.argwhere(bad)[:1]:
        raise BrokenFileError(
            f"data row {row + 1}, column {_LABELS[column + 1]}: expected a whole number from 1 to "
            f"{highest[column]}, got {numbers[row, column]:g}."
        )
    return subjects, numbers.astype(np.int64)


def _check_design(subjects: list[str], numbers: IntArray) -> None:
    """Refuse anything but 51 subjects with every session and repetition once."""
    seen: set[tuple[str, int, int]] = set()
    for row, one in enumerate(zip(subjects, *numbers.T.tolist(), strict=True)):
        if one in seen:
            raise BrokenFileError(
                f"data row {row + 1} repeats subject {one[0]}, session {one[1]}, repetition "
                f"{one[2]}; each may occur once."
            )
        seen.add(one)
    sizes, per_subject = Counter(subjects), _N_SESSIONS * _N_REPETITIONS
    short = [(name, size) for name, size in sizes.items() if size != per_subject]
    if len(sizes) != _N_SUBJECTS or short:
        detail = f"; {short[0][0]} has {short[0][1]}" if short else ""
        raise BrokenFileError(
            f"expected {_N_SUBJECTS} subjects with {per_subject} rows each, got {len(sizes)} "
            f"subjects and {len(subjects)} rows{detail}."
        )
