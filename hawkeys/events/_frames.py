"""Conversions of labelled data frames for `Events.from_frame`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from hawkeys._typing import ArrayLike, IntArray
from hawkeys.exceptions import InvalidEventsError

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["add_silent_labels", "by_label", "check_column", "encode_labels"]


def check_column(frame: pd.DataFrame, column: str) -> None:
    """Refuse a frame without the column, or with empty cells in it."""
    if column not in frame.columns:
        known = ", ".join(map(repr, frame.columns))
        raise InvalidEventsError(f"the frame has no column {column!r}; it has {known}.")
    missing = np.flatnonzero(frame[column].isna().to_numpy())
    if missing.size:
        raise InvalidEventsError(
            f"column {column!r} is empty at row {missing[0]}. Fill it or drop the row."
        )


def encode_labels(column: pd.Series) -> tuple[IntArray, tuple[Any, ...]]:
    """Return integer codes and the labels they stand for."""
    if hasattr(column, "cat"):
        return column.cat.codes.to_numpy().astype(np.int64), tuple(column.cat.categories)
    labels, codes = np.unique(column.to_numpy(), return_inverse=True)
    return codes.astype(np.int64), tuple(labels.tolist())


def add_silent_labels(
    group: IntArray, labels: tuple[Any, ...], end_times: ArrayLike | Mapping[Any, float]
) -> tuple[IntArray, tuple[Any, ...]]:
    """Add realisations that only the mapping of end times names: they have no event."""
    if not isinstance(end_times, Mapping):
        return group, labels
    silent = [label for label in end_times if label not in labels]
    every = sorted((*labels, *silent))
    position = np.array([every.index(label) for label in labels], dtype=np.int64)
    return (position[group] if group.size else group), tuple(every)


def by_label(
    value: ArrayLike | Mapping[Any, float], labels: tuple[Any, ...], name: str
) -> ArrayLike:
    """Return `value` in the order of the labels, if it is a mapping."""
    if not isinstance(value, Mapping):
        return value
    missing = [label for label in labels if label not in value]
    if missing:
        raise InvalidEventsError(f"{name} has no entry for realisation {missing[0]!r}.")
    return [value[label] for label in labels]
