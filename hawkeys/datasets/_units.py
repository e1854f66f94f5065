"""Timings in any unit as seconds, and whether they can be that."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import check_choice
from hawkeys.datasets._time_cells import PER_SECOND
from hawkeys.datasets.timings import LONGEST_HOLD, check_timings, join_timings
from hawkeys.exceptions import InvalidTimingsError

__all__ = ["in_seconds"]


def in_seconds(
    X: ArrayLike,
    unit: str,
    *,
    release: ArrayLike | None = None,
    keys: Sequence[str] | None = None,
) -> FloatArray:
    """Return a timing matrix in seconds: X, or that of press times X and release times.

    Raises `InvalidTimingsError` if it is broken, or half of its holds are longer than anybody's.
    """
    check_choice(unit, "time_unit", tuple(PER_SECOND))
    per_second = PER_SECOND[unit]
    if release is None:
        checked = check_timings(_scaled(X, per_second), keys=keys)
    else:
        press, up = np.asarray(X), np.asarray(release)
        if press.ndim == 2 and press.size and press.dtype.kind in "iu" and up.dtype.kind in "iu":
            press, up = press - press[:, :1], up - press[:, :1]  # exact, however late the origin
        checked = join_timings(_scaled(press, per_second), _scaled(up, per_second))
    hold = float(np.median(checked[:, 0::3])) if checked.size else 0.0
    if hold > LONGEST_HOLD:
        raise InvalidTimingsError(
            f"the median hold of the timings is {hold:g} s with time_unit={unit!r}; expected "
            f"typing, at most {LONGEST_HOLD:g} s. Say the unit with time_unit: "
            f"{', '.join(PER_SECOND)}."
        )
    return checked


def _scaled(values: ArrayLike, per_second: int) -> ArrayLike:
    """Return numbers in seconds; what is no array of numbers is left for its check to refuse."""
    if per_second == 1:
        return values
    array = np.asarray(values)
    return array / per_second if array.dtype.kind in "iuf" else values
