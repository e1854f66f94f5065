"""Observation windows that are given by the labels of realisations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, IntArray
from hawkeys._validation import brief_names
from hawkeys.exceptions import InvalidEventsError

__all__ = ["add_silent_labels", "by_label"]


def add_silent_labels(
    group: IntArray, labels: tuple[Any, ...], end_times: ArrayLike | Mapping[Any, float]
) -> tuple[IntArray, tuple[Any, ...]]:
    """Add realisations that only the mapping of end times names: they have no event."""
    if not isinstance(end_times, Mapping):
        return group, labels
    known = set(labels)
    try:
        every = sorted((*labels, *(label for label in end_times if label not in known)))
    except TypeError as error:
        raise InvalidEventsError(
            f"end_times has the labels {brief_names(end_times)} and the realisations are "
            f"{brief_names(labels)}, of another type. Write labels as the data have them."
        ) from error
    place = {label: k for k, label in enumerate(every)}
    position = np.array([place[label] for label in labels], dtype=np.int64)
    return (position[group] if group.size else group), tuple(every)


def by_label(
    value: ArrayLike | Mapping[Any, float], labels: tuple[Any, ...], name: str
) -> ArrayLike:
    """Return `value` in the order of the labels, if it is a mapping."""
    if not isinstance(value, Mapping):
        return value
    missing = [label for label in labels if label not in value]
    if missing:
        raise InvalidEventsError(
            f"{name} has no entry for realisation {missing[0]!r}; it has {brief_names(value)}. "
            "Give one for each."
        )
    return [value[label] for label in labels]
