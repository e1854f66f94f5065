"""Checks of arguments, and labels of the objects that they come in: one rule, one message.

Each function returns the checked value in canonical form (float64 or int64, C-contiguous) or raises
`InvalidParameterError` with a message that names the argument, what came and what was expected.
A value of pandas, polars, pyarrow or xarray belongs where its label says.
"""

import datetime as dt
import math
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, BoolArray, FloatArray, RandomState
from hawkeys._validation.wording import brief, brief_names
from hawkeys.exceptions import HawkeysError, InvalidParameterError

__all__ = [
    "as_float_array",
    "as_generator",
    "as_mapping",
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
    "in_order",
    "labels_of_axes",
    "refuse_disguised",
    "refuse_labels",
    "same_names",
    "seeded",
]

_DATES = "dates; count them in the unit of the times, as events.moments(dates) does"
# attributes of the types whose numbers have a unit: pint, unyt; astropy
_UNITS = ("units", "unit")

Labels = tuple[Any, ...] | None


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


def seeded(rng: RandomState) -> tuple[np.random.Generator, int | None]:
    """Return the generator, and the seed that gives it again (a fresh one for None).

    Parameters
    ----------
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None
        Source of randomness.

    Returns
    -------
    generator : numpy.random.Generator
        The generator.
    seed : int or None
        None if a generator or a sequence was handed in.

    Raises
    ------
    InvalidParameterError
        It is none of these.
    """
    seed = np.random.SeedSequence().entropy if rng is None else rng
    generator = as_generator(seed)
    return generator, int(seed) if isinstance(seed, int | np.integer) else None


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


def _first(array: FloatArray, bad: np.ndarray, name: str) -> str:
    where = tuple(int(k) for k in np.argwhere(bad)[0])
    return f"{name}{list(where)} = {array[where]}" if where else f"{array[()]}"


def labels_of_axes(value: Any) -> tuple[Labels, ...]:
    """Return the labels along each axis; None of an axis without any, or numbered from 0."""
    if type(value).__module__.partition(".")[0] in ("builtins", "numpy"):
        return ()
    if hasattr(value, "dims") and hasattr(value, "indexes"):  # of xarray
        axes = [value.indexes.get(dim) for dim in value.dims]
    elif hasattr(value, "column_names"):  # of pyarrow
        axes = [None, value.column_names]
    elif hasattr(value, "columns"):  # of pandas; those of polars have no index
        axes = [getattr(value, "index", None), value.columns]
    else:
        axes = [None if callable(getattr(value, "index", None)) else getattr(value, "index", None)]
    return tuple(map(_told, axes))


def _told(axis: Any) -> Labels:
    """Return labels that say more than the number of the place."""
    if axis is None or (hasattr(axis, "step") and (axis.start, axis.step) == (0, 1)):
        return None
    labels = tuple(axis)
    counted = (list(range(len(labels))), [f"column_{k}" for k in range(len(labels))])
    return None if list(labels) in counted else labels


def refuse_labels(value: Any, name: str) -> None:
    """Refuse labels where it is not known which of them stands for what; numbers from 0 are none.

    Raises `InvalidParameterError`.
    """
    for labels in labels_of_axes(value):
        if labels is not None:
            raise InvalidParameterError(
                f"{name}: got a {type(value).__name__} with the labels {brief_names(labels)}, and "
                "which of them stands for what is not known here. Put its entries in order and "
                "pass x.to_numpy()."
            )


def in_order(value: Any, names: Sequence[str], argument: str) -> Any:
    """Return an array of what has labels, each axis in the order of the names; all else as it is.

    Raises `InvalidParameterError` for other labels, one twice, or for rows without labels beside
    columns in another order (or the reverse).
    """
    axes = labels_of_axes(value)
    if all(labels is None for labels in axes):
        return value
    array = np.asarray(value)
    for axis, labels in enumerate(axes):
        if labels is None:
            continue
        place = {str(label): k for k, label in enumerate(labels)}
        if len(place) < len(labels) or set(place) != set(names):
            raise InvalidParameterError(
                f"{argument} has the labels {brief_names(labels)}, and the marks are "
                f"{brief_names(names)}. Label each mark once, or pass x.to_numpy() in their order."
            )
        order = [place[name] for name in names]
        if order != sorted(order) and any(other is None for other in axes):
            raise InvalidParameterError(
                f"{argument} has the labels {brief_names(labels)} along one axis, in another order "
                f"than the marks {brief_names(names)}, and none along the other. Label both."
            )
        array = array.take(order, axis=axis)
    return array


def same_names(names: Any, **arguments: Any) -> tuple[Any, ...]:
    """Return names of marks, then each argument in their order.

    Without names they are the labels of the first argument that has some.
    """
    found = (labels for one in arguments.values() for labels in labels_of_axes(one))
    first = next((labels for labels in found if labels is not None), None)
    if first is None:
        return names, *arguments.values()
    wanted = tuple(map(str, first if names is None else names))
    return wanted, *(in_order(value, wanted, name) for name, value in arguments.items())


def as_mapping(value: Any, name: str) -> Any:
    """Return a labelled Series as a mapping from its labels; all else as it is."""
    axes = labels_of_axes(value)
    if len(axes) != 1 or axes[0] is None or isinstance(value, Mapping):
        return value
    found = dict(zip(axes[0], value.tolist(), strict=True))
    if len(found) < len(axes[0]):
        twice = next(label for label in axes[0] if axes[0].count(label) > 1)
        raise InvalidParameterError(
            f"{name} has several values for the label {brief(twice)}. Give one for each."
        )
    return found
