"""BKSD, a second set of fixed texts: where its files are looked for, and how they are loaded."""

from __future__ import annotations

import hashlib
import io
import os
import re
import zipfile
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from hawkeys._typing import BoolArray, FloatArray
from hawkeys._validation import check_choice
from hawkeys.datasets._repeats import find_copies
from hawkeys.datasets._tables.files import (
    BrokenFileError,
    load_bytes,
    numbers_of,
    one_line,
    read_table,
)
from hawkeys.datasets.keystrokes import Keystrokes, with_origin
from hawkeys.datasets.named import cmu
from hawkeys.datasets.named._download import download, keep
from hawkeys.datasets.provenance import Provenance
from hawkeys.datasets.tally import Tally
from hawkeys.exceptions import DatasetError, DatasetNotFoundError

__all__ = ["BKSD_TEXTS", "bksd_places", "bksd_url", "load_bksd", "read_bksd"]

BKSD_COMMIT = "eb0b5907a090a9ba06d47f98cd63cf1c7f0e3339"
_ZIP = b"PK\x03\x04"
_MOST_BYTES = 2**26
# share of a typist's rows with one and the same DD below 0 from which on it is the order of the
# keys
_MOSTLY = 0.8


class _Text(NamedTuple):
    """Files of one of the texts: the table, the archive with its hash, and the number of keys."""

    table: str
    archive: str
    sha256: str
    n_keys: int


BKSD_TEXTS = {
    "password": _Text(
        "password_english.csv",
        "Password-English.zip",
        "a20859e6c96193b6e65e19995eb4658818162d60a2e9dc19d84382aa57ce4c88",
        8,
    ),
    "phrase": _Text(
        "phrase_english.csv",
        "Phrase-English.zip",
        "789db23e0151b4754af12ac250fdde45f29c159b7aa86104701dbb4b4e1fdaf9",
        16,
    ),
}


def load_bksd(which: str = "password", *, path: str | os.PathLike[str] | None = None) -> Keystrokes:
    """Load one of the English texts of BKSD, the bilingual keystroke dynamics data set [1]_.

    About 400 repetitions each, by 50 people of a password of 8 keys and by 35 of a phrase of 16.

    Parameters
    ----------
    which : {"password", "phrase"}, default "password"
        The text.
    path : path, optional
        The public archive (.zip), or one table of all typists (.csv or .csv.gz) with a column
        subject. Default: ``bksd/password_english.csv`` (or .csv.gz, or ``Password-English.zip``)
        in the folder named by the environment variable HAWKEYS_DATA; else the archive in the
        user's cache; else it is downloaded from the authors' repository (MIT licence), at a fixed
        commit and only if its SHA-256 is the known one.

    Returns
    -------
    Keystrokes
        In seconds, in the order recorded. There are no sessions: all are of session 1. Typists are
        s01, s02, ... in the order of their files. `tally` counts the rows that were read and,
        rule by rule, those left out; the notice in `origin` says the same in words.

    Raises
    ------
    DatasetNotFoundError
        No file, and no download.
    DatasetError
        The file is damaged or something else.
    InvalidParameterError
        An unknown text.

    Notes
    -----
    Left out, in this order: all rows of a typist whose keys are listed in another order than they
    are pressed (one DD is negative in at least 80 % of the rows: 12 typists of the password, who
    seem to have typed something else); rows with a negative hold; rows with another negative DD;
    rows that equal an earlier row of another typist in every number (the files S32e and S49e of
    the password are the same, 395 of the 398 rows of s105e are those of s102e); and rows that
    equal an earlier one of the same typist (blocks of up to 161 rows of the phrase occur twice).
    Nobody types 22 intervals twice to the millisecond. Pauses of hours are left in.

    References
    ----------
    .. [1] N. Altwaijry, "Authentication by keystroke dynamics: the influence of typing language",
       Applied Sciences 13, 2023, doi:10.3390/app132011478.

    Examples
    --------
    >>> from hawkeys.datasets import load_bksd
    >>> load_bksd(path="no-such-file.csv")
    Traceback (most recent call last):
    ...
    hawkeys.exceptions.DatasetNotFoundError: no-such-file.csv: no such file. Check the path.
    """
    return read_bksd(which, path)[0]


def read_bksd(
    which: str, path: str | os.PathLike[str] | None = None
) -> tuple[Keystrokes, Provenance]:
    """Return the samples of a text and the record of where they come from.

    Raises `DatasetNotFoundError`, `DatasetError` or `InvalidParameterError`, as `load_bksd` does.
    """
    check_choice(which, "which", tuple(BKSD_TEXTS))
    content, source = _obtain(which, path)
    try:
        who, repetition, matrix = _rows_of(content, BKSD_TEXTS[which].n_keys)
    except BrokenFileError as error:
        raise DatasetError(f"{source}: {one_line(error)}") from error
    alive, tally, notice = _sound_rows(who, matrix)
    if not alive.any():
        raise DatasetError(f"{source}: no row is left ({notice}). Check that it is BKSD's file.")
    typed = Keystrokes.from_timings(
        matrix[alive] / 1000.0,
        subject=who[alive],
        repetition=repetition[alive],
        keys=[str(k) for k in range(1, BKSD_TEXTS[which].n_keys + 1)],
    )
    return with_origin(typed, f"bksd-{which}", source, content=content, notice=notice, tally=tally)


def bksd_places(which: str) -> list[Path]:
    """Return the places where a text's file is looked for before it is downloaded, in order."""
    names = BKSD_TEXTS[which]
    places = [cmu.cache_folder() / names.archive]
    if os.environ.get("HAWKEYS_DATA"):
        folder = Path(os.environ["HAWKEYS_DATA"]).expanduser() / "bksd"
        own = (names.table, f"{names.table}.gz", names.archive)
        places = [*(folder / name for name in own), *places]
    return places


def bksd_url(which: str) -> str:
    """Return the address of a text's archive, at the commit whose hash is known."""
    return (
        f"https://raw.githubusercontent.com/ntwaijry/BKSD/{BKSD_COMMIT}/dataset/"
        f"{BKSD_TEXTS[which].archive}"
    )


def _obtain(which: str, path: str | os.PathLike[str] | None) -> tuple[bytes, str]:
    """Return the content of a text's file and where it came from."""
    if path is not None:
        given = Path(path).expanduser()
        return load_bytes(given), str(given)
    for place in bksd_places(which):
        if place.exists():
            return load_bytes(place), str(place)
    url, names = bksd_url(which), BKSD_TEXTS[which]
    hint = "" if os.environ.get("HAWKEYS_DATA") else " (HAWKEYS_DATA is not set)"
    start = f"BKSD: no file {', '.join(map(str, bksd_places(which)))}{hint}, and "
    advice = (
        f"Place {names.archive} of the repository ntwaijry/BKSD in the folder bksd of a folder "
        "named by the environment variable HAWKEYS_DATA, or give its path."
    )
    try:
        content = download(url)
    except DatasetNotFoundError as error:
        raise DatasetNotFoundError(f"{start}{error} {advice}") from None
    found = hashlib.sha256(content).hexdigest()
    if found != names.sha256:
        raise DatasetNotFoundError(
            f"{start}the download from {url} is not usable: its SHA-256 is {found}, expected "
            f"{names.sha256}. {advice}"
        )
    return content, keep(content, cmu.cache_folder() / names.archive) or url


def _rows_of(content: bytes, n_keys: int) -> tuple[np.ndarray, np.ndarray, FloatArray]:
    """Return typist, repetition and intervals in milliseconds of every row of a file.

    Raises `BrokenFileError`.
    """
    if content.startswith(_ZIP):
        tables = _members(content)
        who = [f"s{k:02d}" for k, table in enumerate(tables, 1) for _ in range(len(table))]
        matrix = np.vstack([_intervals(table, n_keys) for table in tables])
        repetition = np.concatenate([np.arange(1, len(table) + 1) for table in tables])
        return np.array(who), repetition, matrix
    table = read_table(content)
    matrix = _intervals(table, n_keys)
    if "subject" not in table:
        raise BrokenFileError("there is no column 'subject' that names the typist of each row.")
    subject = np.array(table["subject"].tolist(), dtype=np.str_)
    order = pd.Series(subject).groupby(subject).cumcount().to_numpy() + 1
    return subject, order, matrix


def _members(content: bytes) -> list[pd.DataFrame]:
    """Return the tables in an archive, one per typist, in the order of their names.

    Raises `BrokenFileError`.
    """
    tables = []
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            members = [one for one in archive.infolist() if one.filename.endswith(".csv")]
            if not members or sum(one.file_size for one in members) > _MOST_BYTES:
                raise BrokenFileError(
                    f"expected an archive of tables, at most {_MOST_BYTES:,} bytes; got "
                    f"{len(members)} of {sum(one.file_size for one in members):,} bytes."
                )
            for one in sorted(members, key=lambda member: member.filename):
                tables.append(read_table(archive.read(one)))
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, RuntimeError) as error:
        raise BrokenFileError(f"the archive is damaged ({one_line(error)}).") from error
    return tables


def _intervals(table: pd.DataFrame, n_keys: int) -> FloatArray:
    """Return the intervals of a table, in the order H.1, DD.1_2, UD.1_2, H.2, ...

    Raises `BrokenFileError`.
    """
    pairs = [f"{k}_{k + 1}" for k in range(1, n_keys)]
    columns = [name for k, pair in enumerate(pairs, 1)
               for name in (f"H.{k}", f"DD.{pair}", f"UD.{pair}")] + [f"H.{n_keys}"]  # fmt: skip
    timed = [name for name in table.columns if re.match(r"(H|DD|UD)\.", name)]
    if timed != columns:
        raise BrokenFileError(
            f"expected the {len(columns)} timing columns H.1, DD.1_2, UD.1_2, ..., H.{n_keys}; got "
            f"{len(timed)} ({', '.join(timed[:4])}, ...). Check that it is the file of this text."
        )
    matrix = numbers_of(table, columns)
    wrong = np.abs(matrix[:, 1::3] - matrix[:, 0:-1:3] - matrix[:, 2::3]) > 0.01
    for row in np.flatnonzero(wrong.any(axis=1))[:1]:
        raise BrokenFileError(
            f"data row {row + 1}: DD is not H + UD; expected whole milliseconds that agree. "
            "Take an undamaged copy."
        )
    return matrix


def _sound_rows(who: np.ndarray, matrix: FloatArray) -> tuple[BoolArray, Tally, str]:
    """Return which rows are left, how many are not by rule, and that in words."""
    below = matrix[:, 1::3] < 0
    disordered = [
        name for name in dict.fromkeys(who.tolist())
        if below[who == name].mean(axis=0).max() >= _MOSTLY
    ]  # fmt: skip
    copies = find_copies(matrix, who)
    counts, alive = {}, np.ones(len(who), dtype=bool)
    for rule, bad in (
        ("keys in another order", np.isin(who, disordered)),
        ("negative hold", (matrix[:, 0::3] < 0).any(axis=1)),
        ("negative DD", below.any(axis=1)),
        ("copy of another typist's row", copies.of_others),
        ("copy of an own row", copies.of_own),
    ):
        counts[rule] = int((alive & bad).sum())
        alive &= ~bad
    tally = Tally({"read": int(alive.sum()), **counts})
    words = ", ".join(f"{rule} {count:,}" for rule, count in counts.items() if count)
    people = set(who[alive].tolist())
    gone = [name for name in dict.fromkeys(who.tolist()) if name not in people]
    notice = f"{alive.sum():,} of {len(who):,} rows are used. Left out: {words or 'none'}."
    if gone:
        notice += f" No row is left of {len(gone)} typists ({', '.join(gone)})."
    return alive, tally, notice
