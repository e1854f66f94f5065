"""Timings in any unit as seconds, and whether they can be that."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import check_choice
from hawkeys.datasets._tables.times import PER_SECOND
from hawkeys.datasets.timings import LONGEST_HOLD, check_timings, join_timings
from hawkeys.exceptions import InvalidTimingsError

__all__ = ["check_usual_unit", "in_seconds"]

# the median interval from press to press of a typist lies between, in seconds
_LONGEST, _SHORTEST = 60.0, 5e-4


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
        if press.dtype.kind == up.dtype.kind == "M":  # dates have a unit of their own
            press, up = (one.astype("datetime64[ns]").astype(np.int64) for one in (press, up))
            per_second = PER_SECOND["ns"]
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


def check_usual_unit(samples: FloatArray, what: str = "timing matrix") -> None:
    """Refuse a checked timing matrix of which most samples cannot be in seconds.

    Single samples with a pause of hours or a broken clock are data; most of a typist's are a unit.
    `what` names the samples in the message. Raises `InvalidTimingsError`.
    """
    if samples.shape[0] == 0:
        return
    hold = float(np.median(np.median(samples[:, 0::3], axis=1)))
    interval = float(np.median(samples[:, 1::3])) if samples.shape[1] > 1 else 0.0
    if hold > LONGEST_HOLD or interval > _LONGEST:
        found = f"a median hold of {hold:g} s and press-to-press interval of {interval:g} s"
        rule = f"expected seconds, at most {LONGEST_HOLD:g} and {_LONGEST:g}"
    elif 0.0 < interval < _SHORTEST:
        found = f"a median press-to-press interval of {interval:g} s"
        rule = f"expected seconds, at least {_SHORTEST:g}"
    else:
        return
    raise InvalidTimingsError(
        f"{what} has {found}; {rule}. Say the unit with time_unit (ms, us, ns, 100ns), or convert "
        "the intervals to seconds."
    )
