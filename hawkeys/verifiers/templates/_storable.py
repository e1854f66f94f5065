"""Verifiers by class name and plain parameters, as a template stores them."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Mapping
from dataclasses import fields
from importlib import import_module
from typing import Any

import numpy as np

from hawkeys._records import shown
from hawkeys._typing import FloatArray
from hawkeys._validation import check_count, check_positive, check_positive_number
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers.base import OneClassVerifier
from hawkeys.verifiers.fixed_text.background import Background

__all__ = [
    "background_record",
    "is_known",
    "known_verifiers",
    "make_background",
    "make_verifier",
    "plain_parameters",
]

_PACKAGE = "hawkeys.verifiers."
# Whole numbers are sizes and counts of steps: far above the default they only cost time and memory.
_LARGEST_FACTOR = 10
_SEED = "random_state"
# Samples of others: a template keeps what was learned from them, beside the parameters.
_BACKGROUND = "background"
_COUNTS = ("n_typists", "n_samples")
_TYPES: Mapping[str, tuple[type, ...]] = {
    "float": (int, float),
    "int": (int,),
    "str": (str,),
    "bool": (bool,),
    "None": (type(None),),
    "RandomState": (int, type(None)),
}
_LONGEST_TEXT, _LONGEST_LIST = 100, 1000


def known_verifiers() -> dict[str, type[OneClassVerifier]]:
    """Return the verifiers of this package that a name and plain parameters describe.

    Wrappers of another verifier, which have a parameter without default, are left out.
    """
    package = import_module("hawkeys.verifiers")
    for name in package.__all__:  # a class is known once it is imported
        getattr(package, name)
    found: dict[str, type[OneClassVerifier]] = {}
    waiting = list(OneClassVerifier.__subclasses__())
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if _is_known(kind):
            found[kind.__name__] = kind
    return dict(sorted(found.items()))


def _find(name: Any) -> type[OneClassVerifier] | None:
    """Return the known verifier of a name, importing no other; None if there is none."""
    package = import_module("hawkeys.verifiers")
    if isinstance(name, str) and name in package.__all__:
        kind = getattr(package, name)
        if isinstance(kind, type) and issubclass(kind, OneClassVerifier) and _is_known(kind):
            return kind
    return known_verifiers().get(name) if isinstance(name, str) else None


def is_known(kind: type) -> bool:
    """Tell whether a class is one of the known verifiers, importing no other."""
    return _find(kind.__name__) is kind


def _is_known(kind: type[OneClassVerifier]) -> bool:
    public = kind.__module__.startswith(_PACKAGE) and not kind.__name__.startswith("_")
    return public and not inspect.isabstract(kind) and _needs_nothing(kind)


def _needs_nothing(kind: type[OneClassVerifier]) -> bool:
    parameters = list(inspect.signature(kind.__init__).parameters.values())[1:]
    return all(parameter.default is not parameter.empty for parameter in parameters)


def plain_parameters(verifier: Any) -> dict[str, Any]:
    """Return the parameters of a verifier as JSON types.

    Raises `InvalidParameterError` if it is not one of the known verifiers, or a parameter cannot
    be stored.
    """
    kind = type(verifier)
    if not is_known(kind):
        raise InvalidParameterError(
            f"verifier must be an instance of one of {', '.join(known_verifiers())}, because a "
            f"template stores no code; got {kind.__name__}."
        )
    parameters = {
        key: _plain(value)
        for key, value in verifier.get_params(deep=False).items()
        if key != _BACKGROUND
    }
    return _check_parameters(kind, parameters)


def background_record(background: Background) -> dict[str, Any]:
    """Return what a verifier learned of other typists as JSON types."""
    return {one.name: _plain(getattr(background, one.name)) for one in fields(background)}


def make_background(record: Any) -> Background:
    """Return the background of what `background_record` returned.

    Raises `InvalidParameterError` for whatever else may come.
    """
    names = [one.name for one in fields(Background)]
    if not isinstance(record, Mapping) or sorted(record) != sorted(names):
        raise InvalidParameterError(
            f"background must have the values {', '.join(names)}; got {shown(record)}."
        )
    found = dict(record)
    size = len(record["level"]) if isinstance(record["level"], list) else 0
    for name, value in record.items():
        if name in _COUNTS:
            check_count(value, name, minimum=0)
        elif name == "degrees" or (name == "half_life" and value is not None):
            check_positive_number(value, name)
        elif name != "half_life":
            found[name] = _law(name, value, size)
    return Background(**found)


def _law(name: str, value: Any, size: int) -> FloatArray:
    """Return one number per interval, of an odd number of intervals; variances are positive."""
    right = isinstance(value, list) and len(value) == size and size % 2 == 1
    if not right or not all(type(item) is float and math.isfinite(item) for item in value):
        raise InvalidParameterError(
            f"background: {name} must be a list of 2 K - 1 finite numbers with a decimal point, as "
            f"long as the others; got {shown(value)}."
        )
    numbers = np.array(value, dtype=np.float64)
    return check_positive(numbers, name) if name.endswith("variance") else numbers


def make_verifier(name: Any, parameters: Mapping[str, Any]) -> OneClassVerifier:
    """Return a verifier, not yet fitted, from what `plain_parameters` returned.

    Raises `InvalidParameterError`, also for whatever else may come instead.
    """
    kind = _find(name)
    if kind is None:
        known = ", ".join(known_verifiers())
        raise InvalidParameterError(
            f"verifier is {shown(name)}; expected one of {known}. If a newer hawkeys wrote it, "
            "upgrade."
        )
    if not isinstance(parameters, Mapping):
        raise InvalidParameterError(
            f"parameters must be named values (an object); got {shown(parameters)}."
        )
    return kind(**_check_parameters(kind, parameters))


def _is_scalar(value: Any) -> bool:
    return value is None or isinstance(value, bool | int | float)


def _plain(value: Any) -> Any:
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    return [_plain(item) for item in value] if isinstance(value, list | tuple) else value


def _check_parameters(
    kind: type[OneClassVerifier], parameters: Mapping[str, Any]
) -> dict[str, Any]:
    defaults = kind().get_params(deep=False)
    for key, value in parameters.items():
        if key not in defaults:
            raise InvalidParameterError(
                f"{kind.__name__} has no parameter {shown(key)}; expected {', '.join(defaults)}. "
                "If a newer hawkeys wrote it, upgrade."
            )
        if not _is_plain(value):
            raise InvalidParameterError(
                f"parameter {key} of {kind.__name__} must be a finite number, a short text, true, "
                f"false, null or a list of these to be stored in a template; got {_type(value)}."
            )
        _check_type(kind, key, value)
        _check_size(kind.__name__, key, value, defaults[key])
    if _SEED in defaults and parameters.get(_SEED, defaults[_SEED]) is None:
        raise InvalidParameterError(
            f"{kind.__name__} with {_SEED}=None learns something else each time, and a template "
            f"learns again when it is loaded. Give {_SEED} a whole number."
        )
    return dict(parameters)


def _check_type(kind: type[OneClassVerifier], key: str, value: Any) -> None:
    """Refuse a value that is not of a type that the signature of the verifier names."""
    annotation = inspect.signature(kind.__init__).parameters[key].annotation
    if annotation is inspect.Parameter.empty:
        return
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    names = set(re.findall(r"\w+", text))
    if isinstance(value, list):
        fits = "Sequence" in names and all(isinstance(item, str) for item in value)
    else:
        allowed = {known for name, types in _TYPES.items() if name in names for known in types}
        fits = type(value) in allowed - ({str} if "Sequence" in names else set())
    if not fits:
        raise InvalidParameterError(
            f"parameter {key} of {kind.__name__} must be {text}; got {shown(value)}."
        )


def _is_plain(value: Any) -> bool:
    if isinstance(value, list):
        return len(value) <= _LONGEST_LIST and all(
            not isinstance(item, list) and _is_plain(item) for item in value
        )
    if isinstance(value, str):
        return len(value) <= _LONGEST_TEXT and value.isprintable()
    return _is_scalar(value) and not (isinstance(value, float) and not math.isfinite(value))


def _type(value: Any) -> str:
    return shown(value) if _is_scalar(value) or isinstance(value, str) else type(value).__name__


def _check_size(name: str, key: str, value: Any, default: Any) -> None:
    if isinstance(value, bool) or not isinstance(value, int):
        return
    base = abs(default) if isinstance(default, int | float) else 0
    largest = 2**32 - 1 if key == _SEED else math.floor(_LARGEST_FACTOR * max(base, 10))
    if abs(value) > largest:
        raise InvalidParameterError(
            f"parameter {key} of {name} is {shown(value)}; a template takes whole numbers up to "
            f"{largest} there (ten times the default, or 100). Choose a smaller one."
        )
