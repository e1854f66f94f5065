"""Flat arrays in npz files, checked."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from hawkeys.exceptions import DatasetError, DatasetNotFoundError

__all__ = ["find_array_file", "read_array_file"]


def find_array_file(
    path: str | os.PathLike[str] | None, places: list[Path], what: str, advice: str
) -> Path:
    """Return the file given, or the first place that exists; raises `DatasetNotFoundError`."""
    if path is not None:
        if not Path(path).exists():
            raise DatasetNotFoundError(f"{path}: no such file. Check the path.")
        return Path(path)
    for place in places:
        if place.exists():
            return place
    if places:
        raise DatasetNotFoundError(f"{what}: no file {places[0]}. {advice}")
    raise DatasetNotFoundError(f"{what}: no path given and HAWKEYS_DATA is not set. {advice}")


def read_array_file(file: Path, names: tuple[str, ...], what: str) -> dict[str, np.ndarray]:
    """Return the arrays of these names; raises `DatasetError` if it is no such file of numbers."""
    try:
        with np.load(file, allow_pickle=False) as found:
            columns = {name: found[name] for name in names if name in found}
    except (OSError, ValueError) as error:
        raise DatasetError(f"{file}: expected an npz file of numbers ({error}).") from error
    missing = [name for name in names if name not in columns]
    if missing:
        raise DatasetError(
            f"{file}: no array {missing[0]!r}; expected {', '.join(names)}. Check that it is "
            f"{what}."
        )
    return columns
