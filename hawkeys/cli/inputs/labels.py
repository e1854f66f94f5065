"""Which columns of a table of samples tell the typist, the session and the impostors."""

from __future__ import annotations

import numpy as np
import pandas as pd

from hawkeys.datasets._tables.columns import is_called
from hawkeys.events.tables import plain
from hawkeys.exceptions import DatasetError

__all__ = ["impostors_of", "only_column"]

_GENUINE = {"", "0", "false", "no", "genuine", "own"}
_NAMELESS = {"1", "true", "yes", "impostor", "imposter"}
_CALLED = {"impostor", "imposter", "isimpostor"}


def only_column(labels: pd.DataFrame, part: str, source: str) -> str | None:
    """Return the column of the typist ("user") or of the session, which has no empty cell.

    Raises `DatasetError` if several columns could be it, and differ.
    """
    found = [name for name in labels if is_called(name, part)]
    codes = {name: pd.factorize(labels[name])[0] for name in found}
    what = {"user": "typist"}.get(part, part)
    for name in found:
        if not np.array_equal(codes[name], codes[found[0]]):
            raise DatasetError(
                f"{source}: the columns {found[0]!r} and {name!r} could each be the {what}, and "
                "they differ. Remove or rename one of them."
            )
        for row in np.flatnonzero(codes[name] < 0)[:1]:
            raise DatasetError(
                f"{source}: data row {row + 1}, column {name}: got an empty cell. Fill in the "
                f"{what} or remove the row."
            )
    return found[0] if found else None


def impostors_of(
    labels: pd.DataFrame, subject: np.ndarray, column: str | None, source: str
) -> np.ndarray:
    """Return who typed each sample if it was not its subject, empty text otherwise.

    `column` holds yes or no (1, true; 0, false), or the name of who typed. By default it is the
    one called impostor, if there is one. Raises `DatasetError` if a named column is missing.
    """
    if column is None:
        column = next((name for name in labels if plain(str(name)) in _CALLED), None)
        if column is None:
            return np.full(len(labels), "", dtype=np.str_)
    if column not in labels:
        raise DatasetError(
            f"{source}: --impostor-column {column}: the table has no such column, but "
            f"{', '.join(map(str, labels.columns))}."
        )
    cells = labels[column].fillna("").astype(str).str.strip().tolist()
    typed = ["impostor" if cell.lower() in _NAMELESS else cell for cell in cells]
    return np.array(
        ["" if cell.lower() in _GENUINE or cell == who else cell
         for cell, who in zip(typed, subject.tolist(), strict=True)], dtype=np.str_)  # fmt: skip
