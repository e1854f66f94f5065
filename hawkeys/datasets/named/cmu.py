"""The CMU keystroke benchmark: where its file is looked for, and how it is loaded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple

import pooch

from hawkeys.datasets.keystrokes import Keystrokes, with_origin
from hawkeys.datasets.named._cmu_file import parse_cmu
from hawkeys.datasets.named._download import download, keep
from hawkeys.datasets.provenance import Provenance
from hawkeys.exceptions import DatasetError, DatasetNotFoundError

__all__ = ["load_cmu"]

CMU_URL = "http://www.cs.cmu.edu/~keystroke/DSL-StrongPasswordData.csv"
CMU_FILE = "DSL-StrongPasswordData.csv"
_PLACE = (
    f"Place {CMU_FILE} in the folder cmu of a folder named by the environment variable HAWKEYS_DATA"
)
_ADVICE = f"{_PLACE}, or take the simulated demo."
DEMO_TAKEN = f"{_PLACE} to have it."
"""What to do if the benchmark cannot be had, where the demo has been taken already."""


class RawFile(NamedTuple):
    """Content of a data file and where it came from."""

    content: bytes
    source: str


def load_cmu(path: str | os.PathLike[str] | None = None) -> Keystrokes:
    """Load the CMU keystroke benchmark of Killourhy and Maxion [1]_.

    51 subjects typed ``.tie5Roanl`` and Return 400 times each, 50 times in each of 8 sessions.

    Parameters
    ----------
    path : path, optional
        The file (.csv, .csv.gz or .xls). Default: ``cmu/DSL-StrongPasswordData.csv`` (or .csv.gz,
        or .xls) in the folder named by the environment variable HAWKEYS_DATA; else the same name
        in the user's cache; else it is downloaded from the authors' page into that cache, once its
        structure has been checked. Without network the attempt ends within 10 s.

    Returns
    -------
    Keystrokes
        20,400 samples of 11 keys, ordered by subject, session and repetition; `timings` gives
        the numbers of the file.

    Raises
    ------
    DatasetNotFoundError
        No file, and no download.
    DatasetError
        The file is not the benchmark, or is damaged. The message names the file, what came, what
        was expected and what to do.

    References
    ----------
    .. [1] K. S. Killourhy and R. A. Maxion, "Comparing anomaly-detection algorithms for keystroke
       dynamics", DSN 2009, doi:10.1109/DSN.2009.5270346.

    Examples
    --------
    >>> from hawkeys.datasets import load_cmu
    >>> load_cmu("no-such-file.csv")
    Traceback (most recent call last):
    ...
    hawkeys.exceptions.DatasetNotFoundError: no-such-file.csv: no such file. Check the path.
    """
    return read_cmu(path)[0]


def read_cmu(
    path: str | os.PathLike[str] | None = None, *, advice: str = _ADVICE
) -> tuple[Keystrokes, Provenance]:
    """Return the benchmark and the record of where it comes from.

    `advice` ends the error if it can be neither found nor downloaded.
    """
    content, source = obtain_cmu(path, advice=advice)
    return with_origin(parse_cmu(content, source), "cmu", source, content=content)


def obtain_cmu(path: str | os.PathLike[str] | None = None, *, advice: str = _ADVICE) -> RawFile:
    """Return the content of the benchmark's file, downloading it if it is nowhere else.

    Raises `DatasetNotFoundError` or `DatasetError`, as `load_cmu` does.
    """
    if path is not None:
        given = Path(path).expanduser()
        if not given.exists():
            raise DatasetNotFoundError(f"{given}: no such file. Check the path.")
        return _read(given)
    found = find_cmu()
    return _read(found) if found is not None else _obtain_from_web(advice)


def find_cmu() -> Path | None:
    """Return the first of the usual places that exists."""
    return next((place for place in cmu_places() if place.exists()), None)


def cmu_places() -> list[Path]:
    """Return the places where the file is looked for before it is downloaded, in order."""
    folders = [cache_folder()]
    if os.environ.get("HAWKEYS_DATA"):
        folders.insert(0, Path(os.environ["HAWKEYS_DATA"]).expanduser() / "cmu")
    names = [CMU_FILE, f"{CMU_FILE}.gz", str(Path(CMU_FILE).with_suffix(".xls"))]
    return [folder / name for folder in folders for name in names]


def cache_folder() -> Path:
    """Return the folder where downloads are kept."""
    return Path(pooch.os_cache("hawkeys"))


def _read(path: Path) -> RawFile:
    if path.is_dir():
        raise DatasetError(f"{path}: is a folder; name the file in it.")
    try:
        return RawFile(path.read_bytes(), str(path))
    except OSError as error:
        raise DatasetError(
            f"{path}: cannot be read ({error.strerror}). Check its permissions."
        ) from error


def _obtain_from_web(advice: str) -> RawFile:
    looked = ", ".join(str(place) for place in cmu_places()[::3])
    hint = "" if os.environ.get("HAWKEYS_DATA") else "; HAWKEYS_DATA is not set"
    start = f"CMU benchmark: no file {looked} (nor .csv.gz or .xls there{hint}), and "
    try:
        raw = RawFile(download(CMU_URL), CMU_URL)
    except DatasetNotFoundError as error:
        raise DatasetNotFoundError(f"{start}{error} {advice}") from None
    try:
        parse_cmu(*raw)
    except DatasetError as error:
        raise DatasetNotFoundError(
            f"{start}the download is not usable: {error} {advice}"
        ) from error
    return RawFile(raw.content, keep(raw.content, cache_folder() / CMU_FILE) or CMU_URL)
