"""Reading the file of the CMU keystroke benchmark and checking that it is complete."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hawkeys.datasets._tables.files import (
    BrokenFileError,
    list_names,
    numbers_of,
    one_line,
    read_table,
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
        frame = read_table(content)
        _check_columns(frame)
        labels = _check_labels(frame)
        matrix = numbers_of(frame, timing_columns(CMU_KEYS))
        check_timings(matrix, keys=CMU_KEYS)
        _check_design(labels)
    except (BrokenFileError, InvalidTimingsError) as error:
        raise DatasetError(f"{source}: {one_line(error)} {_ADVICE}") from error
    order = np.lexsort((labels["rep"], labels["sessionIndex"], labels["subject"]))
    who, session, repetition = (labels[name].to_numpy()[order] for name in _LABELS)
    return Keystrokes.from_timings(
        matrix[order], subject=who, session=session, repetition=repetition, keys=CMU_KEYS
    )


def _check_columns(frame: pd.DataFrame) -> None:
    expected = [*_LABELS, *timing_columns(CMU_KEYS)]
    missing = [column for column in expected if column not in frame.columns]
    if missing:
        raise BrokenFileError(
            f"expected {len(expected)} columns (subject, sessionIndex, rep and 31 timings), got "
            f"{len(frame.columns)}; missing {list_names(missing)}."
        )
    extra = [str(column) for column in frame.columns if column not in expected]
    if extra:
        raise BrokenFileError(f"expected {len(expected)} columns; unknown {list_names(extra)}.")


def _check_labels(frame: pd.DataFrame) -> pd.DataFrame:
    """Return subject, session and repetition of each row, in their proper ranges."""
    empty = np.flatnonzero(frame["subject"] == "")
    if empty.size:
        raise BrokenFileError(f"data row {empty[0] + 1}, column subject: got an empty cell.")
    numbers = numbers_of(frame, list(_LABELS[1:]))
    highest = np.array([_N_SESSIONS, _N_REPETITIONS])
    bad = (numbers < 1) | (numbers > highest) | (numbers != np.round(numbers))
    for row, column in np.argwhere(bad)[:1]:
        raise BrokenFileError(
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
        raise BrokenFileError(
            f"data row {repeated[0] + 1} repeats subject {subject}, session {session}, repetition "
            f"{repetition}; each may occur once."
        )
    sizes = labels["subject"].value_counts(sort=False)
    per_subject = _N_SESSIONS * _N_REPETITIONS
    short = sizes[sizes != per_subject]
    if len(sizes) != _N_SUBJECTS or len(short):
        detail = f"; {short.index[0]} has {short.iloc[0]}" if len(short) else ""
        raise BrokenFileError(
            f"expected {_N_SUBJECTS} subjects with {per_subject} rows each, got {len(sizes)} "
            f"subjects and {len(labels)} rows{detail}."
        )
