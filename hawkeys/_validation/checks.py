"""Checks of arguments: one rule, one function, one message.

Each function returns the checked value in canonical form (float64 or int64, C-contiguous) or raises
`InvalidParameterError` with a message that names the argument, what came and what was expected.
"""

import datetime as dt
import difflib
import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, BoolArray, FloatArray
from hawkeys.exceptions import HawkeysError, InvalidParameterError

__all__ = [
    "as_float_array",
    "as_generator",
    "brief",
    "brief_names",
    "check_choice",
    "check_count",
    "check_flag",
    "check_fraction",
    "check_jobs",
    "check_level",
    "check_mask",
    "check_nonnegative",
    "check_nonnegative_number",
    "check_positive",
    "check_positive_number",
    "check_shape",
    "check_square",
    "did_you_mean",
    "refuse_disguised",
]

# longest repr in a message
_SHOWN = 60
_NAMED, _SHORT = 8, 24
_DATES = "dates; count them in the unit of the times, as events.moments(dates) does"
# attributes of the types whose numbers have a unit: pint, unyt; astropy
_UNITS = ("units", "unit")


def as_float_array(value: ArrayLike, name: str) -> FloatArray:
    """Return `value` as a new float64 array, refusing what has no plain finite number for each.

    That is text, dates, complex numbers, numbers with units, masked entries, NaN and infinity.
    """
    if type(value) is float and math.isfinite(value):
        return np.array(value)  # the usual case, quickly
    refuse_disguised(value, name)
    try:
        array = np.array(value, order="C")
        if array.dtype.kind == "O" and any(isinstance(each, dt.date) for each in array.ravel()):
            raise TypeError(_DATES)
        if array.dtype.kind == "c":
            raise TypeError("complex numbers")
        if array.dtype.kind in "SU":
            # "2.5" would pass here, and the text itself be used later
            raise TypeError(f"text with {_DATES}" if _holds_dates(array) else "text")
        if array.dtype.kind in "mM":
            raise TypeError(_DATES)
        array = array.astype(np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidParameterError(
            f"{name}: expected numbers in a regular array, got {brief(value)} ({error})."
        ) from error
    if not np.isfinite(array).all():
        where = tuple(int(k) for k in np.argwhere(~np.isfinite(array))[0])
        place = f"{name}{list(where)}" if where else name
        raise InvalidParameterError(
            f"{place} is {array[where]}; every value must be finite. Remove or impute it first."
        )
    return array


def _holds_dates(array: np.ndarray) -> bool:
    """Tell whether texts begin as ISO dates do."""
    return array.size > 0 and re.match(r"\d{4}-\d\d", str(array.ravel()[0])) is not None


def refuse_disguised(
    value: Any, name: str, error: type[HawkeysError] = InvalidParameterError
) -> None:
    """Refuse masked entries and numbers with units, which an array would lose, and `Events`."""
    if isinstance(value, np.ma.MaskedArray):
        n_masked = int(np.ma.count_masked(value))
        if n_masked:
            raise error(
                f"{name}: {n_masked} of {value.size} entries are masked. Pass what is left, "
                "x.compressed(), or fill them."
            )
    if hasattr(value, "mark_names") and hasattr(value, "offsets"):
        raise error(f"{name}: got {type(value).__name__} where numbers are expected. Pass numbers.")
    parts: list[Any] = [value]
    if isinstance(value, list | tuple):
        # one of each type: a list may be long
        parts += list({type(part): part for part in value}.values())
    for part in parts:
        unit = _unit_of(part)
        if unit is not None:
            raise error(
                f"{name}: got {type(part).__name__} with the unit {unit}, which a plain number "
                "would lose. Convert times, start, end and decay to one unit first and pass plain "
                f"numbers: {_plain(part)}, of a decay in 1/s likewise."
            )


def _unit_of(value: Any) -> Any:
    """Return the unit of a quantity; None for plain numbers, and for dates, refused elsewhere."""
    kind = type(value)
    if kind.__module__.partition(".")[0] in ("builtins", "numpy", "pandas"):
        return None
    if hasattr(kind, "rescale"):  # of quantities or neo
        return value.dimensionality
    names = [name for name in _UNITS if hasattr(kind, name)]
    return getattr(value, names[0]) if names else None


def _plain(value: Any) -> str:
    """Return what to write to get the numbers."""
    if hasattr(value, "rescale"):
        return 'x.rescale("s").magnitude'
    return 'x.to_value("s")' if hasattr(value, "to_value") else 'x.to("s").magnitude'


def as_generator(rng: Any, name: str = "rng") -> np.random.Generator:
    """Return a NumPy Generator from a seed, a SeedSequence, a Generator or None."""
    try:
        if isinstance(rng, bool | np.bool_):
            raise TypeError("a truth value")
        return np.random.default_rng(rng)
    except (TypeError, ValueError) as error:
        raise InvalidParameterError(
            f"{name} must be a non-negative int, a numpy Generator or SeedSequence, or None; got "
            f"{brief(rng)}."
        ) from error


def check_positive(value: ArrayLike, name: str) -> FloatArray:
    """Return `value` as a float array whose entries are all > 0."""
    array = as_float_array(value, name)
    if not (array > 0).all():
        raise InvalidParameterError(
            f"{name} must be positive; got {_first(array, array <= 0, name)}."
        )
    return array


def check_positive_number(value: Any, name: str) -> float:
    """Return `value` as a float that is > 0."""
    array = as_float_array(value, name)
    if array.ndim != 0 or _is_truth(value) or not array > 0:
        raise InvalidParameterError(f"{name} must be one positive number; got {brief(value)}.")
    return float(array)


def check_nonnegative_number(value: Any, name: str) -> float:
    """Return `value` as a float that is >= 0."""
    array = as_float_array(value, name)
    if array.ndim != 0 or _is_truth(value) or not array >= 0:
        raise InvalidParameterError(f"{name} must be one number of at least 0; got {brief(value)}.")
    return float(array)


def check_nonnegative(value: ArrayLike, name: str) -> FloatArray:
    """Return `value` as a float array whose entries are all >= 0."""
    array = as_float_array(value, name)
    if not (array >= 0).all():
        raise InvalidParameterError(
            f"{name} must not be negative; got {_first(array, array < 0, name)}."
        )
    return array


def check_fraction(value: Any, name: str) -> float:
    """Return `value` as a float strictly between 0 and 1."""
    number = as_float_array(value, name)
    if number.ndim != 0 or _is_truth(value) or not 0 < number < 1:
        raise InvalidParameterError(
            f"{name} must be one number strictly between 0 and 1 (5 % is 0.05); got {brief(value)}."
        )
    return float(number)


def check_level(value: Any) -> float:
    """Return the level of an interval; below 0.5 it is taken for 1 minus the level, and refused."""
    level = check_fraction(value, "level")
    if level < 0.5:
        raise InvalidParameterError(
            f"level is the coverage of the interval, 0.95 by default and at least 0.5; got "
            f"{level:g}. If you mean the share outside (alpha), write level={1.0 - level:.6g}."
        )
    return level


def check_count(value: Any, name: str, *, minimum: int = 1) -> int:
    """Return `value` as an int that is at least `minimum`; floats and booleans are refused."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | np.integer):
        raise InvalidParameterError(f"{name} must be a whole number (int); got {brief(value)}.")
    if value < minimum:
        raise InvalidParameterError(f"{name} must be at least {minimum}; got {value}.")
    return int(value)


def check_jobs(value: Any) -> int:
    """Return `value` as a number of processes: an int other than 0, negative counted from all."""
    if isinstance(value, bool | np.bool_) or not isinstance(value, int) or value == 0:
        raise InvalidParameterError(
            "n_jobs must be a whole number other than 0 (1 for one process, -1 for all cores); "
            f"got {brief(value)}."
        )
    return value


def check_choice(value: Any, name: str, choices: Sequence[str]) -> str:
    """Return `value` if it is one of the names in `choices`."""
    if not isinstance(value, str) or value not in choices:
        known = ", ".join(repr(choice) for choice in choices)
        raise InvalidParameterError(f"{name} must be one of {known}; got {brief(value)}.")
    return str(value)


def check_square(array: FloatArray, name: str) -> FloatArray:
    """Return `array` if it is a (D, D) matrix with D >= 1."""
    if array.ndim != 2 or array.shape[0] != array.shape[1] or array.shape[0] == 0:
        raise InvalidParameterError(
            f"{name} must be a square matrix (n_marks, n_marks); got shape {array.shape}."
        )
    return array


def check_shape(array: FloatArray, name: str, shape: tuple[int, ...], meaning: str) -> FloatArray:
    """Return `array` if it has exactly `shape`; `meaning` puts the shape into words."""
    if array.shape != shape:
        raise InvalidParameterError(
            f"{name} must have shape {shape} ({meaning}); got shape {array.shape}."
        )
    return array


def check_mask(value: ArrayLike, name: str, shape: tuple[int, ...], meaning: str) -> BoolArray:
    """Return `value` as a new boolean array of exactly `shape`; 0 and 1 stand for no and yes."""
    array = as_float_array(value, name)
    if not np.isin(array, (0.0, 1.0)).all():
        raise InvalidParameterError(
            f"{name} must hold only True and False; got "
            f"{_first(array, ~np.isin(array, (0.0, 1.0)), name)}."
        )
    return check_shape(array, name, shape, meaning) > 0


def _is_truth(value: Any) -> bool:
    """Tell whether a value is True or False, which is no number."""
    return bool(np.asarray(value).dtype.kind == "b")


def check_flag(value: Any, name: str) -> bool:
    """Return a truth value; refuse all else, which Python would take for one."""
    if not isinstance(value, bool | np.bool_):
        raise InvalidParameterError(f"{name} must be True or False; got {brief(value)}.")
    return bool(value)


def brief(value: Any) -> str:
    """Return what came, for a message: one short line, whatever its size, and no address."""
    shape = getattr(value, "shape", None)
    if isinstance(value, np.ndarray) and not shape:
        return brief(value[()])
    if isinstance(shape, tuple) and shape:
        return f"{_article(value)} of shape {shape}"
    text = " ".join(repr(value).split())
    if " at 0x" in text:
        return f"{_article(value)} from {type(value).__module__}"
    if len(text) <= _SHOWN:
        return text
    if isinstance(value, list | tuple | dict | set):
        return f"{_article(value)} of {len(value)}"
    return f"{text[: _SHOWN - 3]}..."


def did_you_mean(name: str, choices: Iterable[str]) -> str:
    """Return " Did you mean 'support'?" of a misspelt name; empty if none is like it."""
    near = difflib.get_close_matches(name, list(choices), n=1)
    return f" Did you mean {near[0]!r}?" if near else ""


def brief_names(names: Iterable[Any]) -> str:
    """Return the first of some names in brief, with commas between, and how many more there are."""
    every = list(names)
    more = f" and {len(every) - _NAMED} more" if len(every) > _NAMED else ""
    return ", ".join(_short(name) for name in every[:_NAMED]) + more


def _short(name: Any) -> str:
    text = brief(name)
    return text if len(text) <= _SHORT else f"{text[: _SHORT - 3]}..."


def _article(value: Any) -> str:
    name = type(value).__name__
    name = "array" if name == "ndarray" else name
    return f"{'an' if name[0] in 'aeiouAEIOU' else 'a'} {name}"


def _first(array: FloatArray, bad: np.ndarray, name: str) -> str:
    where = tuple(int(k) for k in np.argwhere(bad)[0])
    return f"{name}{list(where)} = {array[where]}" if where else f"{array[()]}"
