"""Reading records strictly: exact types, regular arrays, no more and no fewer names.

True is no number, 1.0 no count, null nothing but what it stands for. `msgspec` checks the names and
the plain types; numbers and arrays are kinds of our own, because it takes 1 for a float.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from itertools import chain
from typing import Annotated, Any, TypeVar

import msgspec
import numpy as np

from hawkeys._records import INFINITIES, RecordError, shown, unpack

__all__ = [
    "AGAIN",
    "Bools",
    "Count",
    "Extended",
    "Floats",
    "Fraction",
    "Integers",
    "Marginal",
    "Mask",
    "Number",
    "Numbers",
    "Positive",
    "Real",
    "Record",
    "Several",
    "Text",
    "Unbounded",
    "check_shape",
    "demand",
    "read",
]

_LARGEST = float("inf")  # nothing is below it that is not finite
AGAIN = "Take an undamaged copy, or fit and save again."


class Floats(np.ndarray):
    """A number with a decimal point, or regular lists of them, or packed matrices; finite."""


class Unbounded(np.ndarray):
    """A number with a decimal point, null, inf or -inf, or regular lists or matrices of them."""


class Marginal(np.ndarray):
    """Regular lists of numbers with a decimal point or null, or of true and false."""


class Integers(np.ndarray):
    """Regular lists of whole numbers."""


class Bools(np.ndarray):
    """Regular lists of true and false."""


class Mask(np.ndarray):
    """Regular lists of true and false, or of 1 and 0."""


class Numbers(np.ndarray):
    """A finite number, whole or with a decimal point, or regular lists of them."""


class Real(float):
    """A finite number with a decimal point."""


class Extended(float):
    """A number with a decimal point, or the text inf or -inf."""


class Number(float):
    """A finite number, whole or with a decimal point."""


class Positive(Number):
    """A number above 0, whole or with a decimal point."""


class Fraction(Number):
    """A number between 0 and 1."""


Text = Annotated[str, msgspec.Meta(max_length=10_000)]
Count = Annotated[int, msgspec.Meta(ge=0)]
Several = Annotated[int, msgspec.Meta(ge=1)]


class Record(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """An object with exactly these names."""


T = TypeVar("T")


def read(value: Any, kind: type[T], where: str = "") -> T:
    """Return `value`, which is at `where` in a file, as a record or array of some kind.

    Raises `RecordError` that names the place, what is there and what was expected.
    """
    try:
        return msgspec.convert(value, kind, dec_hook=_hook)
    except msgspec.ValidationError as error:
        what, _, place = str(error).partition(" - at `$")
        path = f"{where}{place.rstrip('`')}".lstrip(".")
        if "missing required field" in what or "unknown field" in what:
            name = what.split("`")[1]
            verb = "lacks" if "missing" in what else "has"
            raise RecordError(
                f"{f'the object {path} ' if path else ''}{verb} the field {shown(name)}"
                f"{'' if 'missing' in what else ', unlike every such result'}. {AGAIN}"
            ) from error
        came = _came(value, place) if "`" in what else ""
        plain = ascii(what[:1].lower() + what[1:300].replace("`", ""))[1:-1]
        raise RecordError(f"field {path}: {plain}{came}. {AGAIN}") from error


def _came(value: Any, place: str) -> str:
    """Return what is at a place of the form .a.b[0], in words; nothing if that is not found."""
    for name, index in re.findall(r"\.(\w+)|\[(\d+)\]", place):
        try:
            value = value[name] if name else value[int(index)]
        except (LookupError, TypeError):
            return ""
    return f" ({shown(value)})" if not isinstance(value, list | dict) else ""


def _hook(kind: Any, value: Any) -> Any:
    """Return a number or array of one of the kinds above, or raise ValueError."""
    if isinstance(value, dict) and kind in (Floats, Unbounded):
        array = unpack(value)
        return (_finite(array) if kind is Floats else array).view(kind)
    if issubclass(kind, np.ndarray):
        leaves, shape = _flatten(value)
        return _ARRAYS[kind](leaves, shape).reshape(shape).view(kind)
    if type(value) is str and kind is Extended and value in INFINITIES:
        return kind(INFINITIES[value])
    whole = type(value) is int and issubclass(kind, Number)
    if not (whole or type(value) is float) or not abs(value) < _LARGEST or not _inside(value, kind):
        raise ValueError(f"expected {str(kind.__doc__)[:-1].lower()}, got {shown(value)}")
    return kind(value)


def _inside(value: float, kind: Any) -> bool:
    return (kind is not Positive or value > 0) and (kind is not Fraction or 0 < value < 1)


def _flatten(value: Any) -> tuple[list[Any], tuple[int, ...]]:
    """Return the leaves of nested lists and the shape; raises ValueError if they are irregular."""
    level: list[Any] = [value]
    shape: tuple[int, ...] = ()
    while level and type(level[0]) is list:
        sizes = set(map(len, level)) if set(map(type, level)) == {list} else set()
        if len(sizes) != 1:
            raise ValueError("expected lists of one length")
        shape += (sizes.pop(),)
        level = list(chain.from_iterable(level))
    return level, shape


def _check_types(leaves: list[Any], shape: tuple[int, ...], allowed: set[type], what: str) -> None:
    if not set(map(type, leaves)) <= allowed:
        k = next(k for k, leaf in enumerate(leaves) if type(leaf) not in allowed)
        place = ", ".join(str(index) for index in np.unravel_index(k, shape)) if shape else ""
        raise ValueError(f"entry [{place}]: expected {what}, got {shown(leaves[k])}")


def _floats(leaves: list[Any], shape: tuple[int, ...]) -> np.ndarray:
    _check_types(leaves, shape, {float}, "a number with a decimal point")
    return _finite(np.array(leaves, dtype=np.float64))


def _finite(array: np.ndarray) -> np.ndarray:
    if not np.isfinite(array).all():
        raise ValueError("a number is too large to be one")
    return array


def _unbounded(leaves: list[Any], shape: tuple[int, ...]) -> np.ndarray:
    _check_types(leaves, shape, {float, type(None), str}, "a number with a decimal point or null")
    if str in set(map(type, leaves)):
        texts = {leaf for leaf in leaves if type(leaf) is str}
        if not texts <= set(INFINITIES):
            raise ValueError(f"expected numbers, got {shown((texts - set(INFINITIES)).pop())}")
        return np.array([INFINITIES.get(x, x) for x in leaves], dtype=np.float64)
    array = np.array(leaves, dtype=np.float64)
    if np.isinf(array).any():
        raise ValueError("a number is too large to be one")
    return array


def _integers(leaves: list[Any], shape: tuple[int, ...]) -> np.ndarray:
    _check_types(leaves, shape, {int}, "a whole number")
    if any(not -(2**63) <= leaf < 2**63 for leaf in leaves):
        raise ValueError("a whole number is too large")
    return np.array(leaves, dtype=np.int64)


def _bools(leaves: list[Any], shape: tuple[int, ...]) -> np.ndarray:
    _check_types(leaves, shape, {bool}, "true or false")
    return np.array(leaves, dtype=bool)


def _marginal(leaves: list[Any], shape: tuple[int, ...]) -> np.ndarray:
    truths = set(map(type, leaves)) == {bool}
    return _bools(leaves, shape) if truths else _unbounded(leaves, shape)


def _mask(leaves: list[Any], shape: tuple[int, ...]) -> np.ndarray:
    _check_types(leaves, shape, {bool, int, float}, "true or false")
    if not set(leaves) <= {0, 1} or len(set(map(type, leaves))) > 1:
        raise ValueError("expected true and false alone")
    return np.array(leaves, dtype=bool)


def _numbers(leaves: list[Any], shape: tuple[int, ...]) -> np.ndarray:
    _check_types(leaves, shape, {int, float}, "a number")
    try:
        return _finite(np.array(leaves, dtype=np.float64))
    except OverflowError:
        raise ValueError("a number is too large to be one") from None


_ARRAYS: Mapping[type, Callable[[list[Any], tuple[int, ...]], np.ndarray]] = {
    Floats: _floats,
    Unbounded: _unbounded,
    Integers: _integers,
    Marginal: _marginal,
    Bools: _bools,
    Mask: _mask,
    Numbers: _numbers,
}


def demand(fact: bool | np.bool_, where: str, expected: str) -> None:
    """Raise `RecordError` unless `fact` holds."""
    if not fact:
        raise RecordError(f"field {where}: {expected}. {AGAIN}")


def check_shape(array: np.ndarray, where: str, *shape: int) -> None:
    """Refuse an array of another shape."""
    demand(
        array.shape == shape,
        where,
        f"the other fields ask for the shape {shape}, and it has {array.shape}",
    )
