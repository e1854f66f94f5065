"""Integer times beyond 2**53: an exact origin is subtracted before they become doubles.

A double holds every integer up to 2**53 = 9.0e15; nanoseconds since 1970, 1.7e18, lie on a grid of
256. So times, starts and ends are kept as the integers they came as until the whole number at which
the window starts has been subtracted.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import as_float_array, refuse_disguised, refuse_labels
from hawkeys.exceptions import InvalidEventsError

__all__ = [
    "as_exact",
    "as_window",
    "find_origins",
    "is_large",
    "shift_column",
    "shift_realizations",
    "shift_windows",
]

_LARGEST = 2**53
_INT64 = np.iinfo(np.int64)
# of the median distance of events: rounding that moves none of them by more is let pass
_NEGLIGIBLE = 1e-3


def as_exact(value: Any) -> np.ndarray:
    """Return `value` as an array that has not lost a digit of an integer.

    Integers that a double cannot hold are of type int64, uint64 or, beyond those, object; so are
    the doubles beside them.
    """
    array = np.asarray(value)
    if array.dtype.kind == "f" and isinstance(value, list | tuple):
        mixed = np.array(value, dtype=object)
        if mixed.ndim == array.ndim and any(_is_large_int(x) for x in mixed.flat):
            return mixed
    if array.dtype.kind == "O" and array.size and all(_is_number(x) for x in array.flat):
        large = any(_is_large_int(x) for x in array.flat)
        return array if large else array.astype(np.float64)
    return array


def is_large(array: np.ndarray) -> bool:
    """Tell whether the array holds integers that a double may not."""
    if array.dtype.kind == "O":
        return array.size > 0 and all(_is_number(x) for x in array.flat)
    if array.dtype.kind not in "iu" or array.dtype.itemsize < 8 or array.size == 0:
        return False
    return bool(array.max() > _LARGEST or array.min() < -_LARGEST)


def as_window(value: ArrayLike, name: str, n_realizations: int) -> np.ndarray:
    """Return one window bound per realisation: doubles, or objects if there are large integers."""
    refuse_disguised(value, name)
    refuse_labels(value, name)
    exact = as_exact(value)
    array = exact.astype(object) if is_large(exact) else as_float_array(exact, name)
    if array.dtype.kind == "O":
        as_float_array(array.astype(np.float64), name)  # infinity beside integers
    if array.ndim == 0:
        return np.full(n_realizations, array[()])
    if array.shape != (n_realizations,):
        raise InvalidEventsError(
            f"{name} must be one number or one per realisation ({n_realizations}); got shape "
            f"{array.shape}."
        )
    return array


def find_origins(times: Sequence[np.ndarray], starts: np.ndarray) -> tuple[int, ...] | None:
    """Return the whole number at which each window starts if large integers ask for it."""
    if starts.dtype.kind != "O" and not any(is_large(array) for array in times):
        return None
    return tuple(math.floor(start) for start in starts.tolist())


def shift_column(r: int, times: np.ndarray, origin: int) -> FloatArray:
    """Return times of realisation r counted from their origin; refuse what rounding would hurt."""
    shifted = _shift(times, origin)
    if is_large(times):
        _refuse_rounding(r, times, shifted, origin)
    return shifted


def shift_realizations(times: np.ndarray, offsets: IntArray, origins: Sequence[int]) -> FloatArray:
    """Return the times of all realisations, each counted from its own origin."""
    parts = [times[offsets[r] : offsets[r + 1]] for r in range(len(origins))]
    return np.concatenate([shift_column(r, part, origins[r]) for r, part in enumerate(parts)])


def _shift(times: np.ndarray, origin: int) -> FloatArray:
    """Return times - origin, subtracted exactly, as doubles."""
    if times.dtype.kind == "f" and abs(origin) <= _LARGEST:
        return times - float(origin)
    if times.dtype.kind in "iu" and times.size:
        low, high = int(times.min()), int(times.max())
        bounds = (low, high, origin, low - origin, high - origin)
        if _INT64.min <= min(bounds) and max(bounds) <= _INT64.max:
            return (times.astype(np.int64) - origin).astype(np.float64)
    return np.array([_difference(time, origin) for time in times.tolist()], dtype=np.float64)


def shift_windows(bounds: np.ndarray, origins: Sequence[int]) -> FloatArray:
    """Return bounds - origins, one of each realisation, subtracted exactly, as doubles."""
    pairs = zip(bounds.tolist(), origins, strict=True)
    return np.array([_difference(bound, origin) for bound, origin in pairs], dtype=np.float64)


def _refuse_rounding(r: int, exact: np.ndarray, shifted: FloatArray, origin: int) -> None:
    """Refuse integers of realisation r too far from their origin to be told apart as doubles."""
    spacing = float(np.spacing(np.abs(shifted).max(initial=0.0)))
    if spacing <= 1.0:
        return
    gaps = np.diff(shifted)
    equal = gaps == 0
    lost = int(np.count_nonzero(equal & (exact[1:] != exact[:-1])))
    if lost or (not equal.all() and spacing > _NEGLIGIBLE * np.median(gaps[~equal])):
        raise InvalidEventsError(
            f"realization {r}: the integer times are so far from the start of the window, "
            f"{origin}, that doubles lie {spacing:g} apart there, and {lost} of {exact.size} times "
            "become equal to the one before. Give the start of observation as an integer near the "
            "first event (start_time= of a fit, start_times= of Events), which is subtracted "
            "exactly, or count in a coarser unit."
        )


def _difference(value: float, origin: int) -> float:
    """Return value - origin, rounded once."""
    if isinstance(value, float):
        if not math.isfinite(value) or not value.is_integer():
            return value - origin
        value = int(value)
    return float(value - origin)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float | np.integer | np.floating) and not isinstance(value, bool)


def _is_large_int(value: Any) -> bool:
    return isinstance(value, int | np.integer) and abs(int(value)) > _LARGEST
