"""Columns whose names say that they are timings."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys.datasets._units import check_usual_unit
from hawkeys.datasets.timings import TOLERANCE, check_timings, timing_columns

__all__ = ["check_named"]


def check_named(samples: FloatArray, names: Sequence[str] | None, *, train: bool) -> None:
    """Refuse timings with a negative hold or press interval, or, to train on, not in seconds.

    They are timings if the columns are named so and DD = H + UD in most rows; scaled or centred
    ones, which may keep their names, are not. Raises `InvalidTimingsError`.
    """
    given = [] if names is None else [str(name) for name in names]
    keys = [name[2:] for name in given[::3]]
    distinct = "" not in keys and len(set(keys)) == len(keys) > 1
    if not distinct or given != timing_columns(keys):
        return
    hold, down_down, up_down = samples[:, 0:-1:3], samples[:, 1::3], samples[:, 2::3]
    alike = np.abs(down_down - hold - up_down) <= TOLERANCE * np.maximum(1.0, np.abs(down_down))
    if np.median(alike.all(axis=1)) < 1.0:
        return
    checked = check_timings(samples, keys=keys)
    if train:
        check_usual_unit(checked)
