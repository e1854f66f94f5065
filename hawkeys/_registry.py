"""Classes found by their name, so that what was written of an object can be rebuilt from a file."""

from __future__ import annotations

import inspect
import math
import sys
from collections.abc import Mapping
from typing import Any, ClassVar

import numpy as np

from hawkeys._validation import brief
from hawkeys.exceptions import HawkeysError, InvalidParameterError

__all__ = ["Named", "known_names", "rebuild"]

# of each kind ("kernel"), the classes of each name, by the place where they are defined
_CLASSES: dict[str, dict[str, dict[str, type[Named]]]] = {}
_PLAIN = (str, bool, int, float, type(None))


class Named:
    """A class of which every subclass has a `name`, by which `rebuild` finds it.

    The class that starts a family says in `_kind` what its members are. A subclass that says
    nothing is named after itself: it never inherits a name, whose owner would be rebuilt instead.
    """

    _kind: ClassVar[str]
    name: ClassVar[str]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        if "_kind" in cls.__dict__:
            _CLASSES.setdefault(cls._kind, {})
            return
        name = cls.__dict__.get("name")
        if not isinstance(name, str):  # none, or the descriptor of something else
            cls.name = name = cls.__name__
        same = _CLASSES[cls._kind].setdefault(name, {})
        here = f"{cls.__module__}.{cls.__qualname__}"
        if any(is_ours(other) for place, other in same.items() if place != here):
            raise InvalidParameterError(
                f"{here}: the name {name!r} is that of a {cls._kind} of hawkeys, which would be "
                "rebuilt in its place. Give the class another name."
            )
        same[here] = cls  # a class that is defined again, as in a notebook, replaces itself

    def __repr__(self) -> str:
        """The class and the arguments of its constructor, as far as attributes hold them."""
        names = [name for name in inspect.signature(type(self)).parameters if hasattr(self, name)]
        return (
            f"{type(self).__name__}({', '.join(f'{n}={brief(getattr(self, n))}' for n in names)})"
        )

    def to_dict(self) -> dict[str, Any]:
        """Return what the constructor was given as plain JSON types, with `name` under "name".

        Each argument of the constructor is read from the attribute of the same name.

        Returns
        -------
        dict
            Arrays as lists.

        Raises
        ------
        InvalidParameterError
            There is no such attribute, or it has no JSON type.
        """
        own = type(self)
        values: dict[str, Any] = {"name": own.name}
        for argument in inspect.signature(own).parameters:
            if not hasattr(self, argument):
                raise InvalidParameterError(
                    f"{own.__name__} has no attribute {argument!r}, which its constructor takes, "
                    "so that it cannot be written to a file. Keep it under that name, or write the "
                    "methods to_dict and from_dict."
                )
            values[argument] = _as_json(getattr(self, argument), f"{own.__name__}.{argument}")
        return values

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Any:
        """Return the object of which `to_dict` wrote these values, without the name.

        Parameters
        ----------
        values : mapping
            Arguments of the constructor; of a user's own class lists of numbers come as arrays.

        Returns
        -------
        object
            An instance of the class.

        Raises
        ------
        InvalidParameterError
            The constructor refuses them.
        """
        arguments = values if is_ours(cls) else {k: _as_array(v) for k, v in values.items()}
        try:
            return cls(**arguments)
        except HawkeysError:
            raise
        except (TypeError, ValueError, LookupError, ArithmeticError) as error:
            raise InvalidParameterError(
                f"{cls.__name__} cannot be made of {', '.join(values) or 'nothing'}: {error}. Its "
                "constructor must take what its to_dict writes."
            ) from error


def known_names(kind: str) -> list[str]:
    """Return the names of a kind that `rebuild` finds."""
    return [name for name in _CLASSES.get(kind, {}) if _found(kind, name)]


def rebuild(kind: str, record: Mapping[str, Any]) -> Any:
    """Return the object of which `Named.to_dict` wrote a record.

    Raises `InvalidParameterError` if no class of that kind has the name, or several have.
    """
    name = record.get("name")
    found = _found(kind, name) if isinstance(name, str) else []
    if not found:
        known = ", ".join(map(repr, known_names(kind)))
        raise InvalidParameterError(
            f"unknown {kind} {name!r}; this version knows {known}. If it is your own, import the "
            f"module that defines the class whose name is {name!r} first."
        )
    if len(found) > 1:
        places = " and ".join(f"{one.__module__}.{one.__qualname__}" for one in found)
        raise InvalidParameterError(
            f"{kind} {name!r} may be {places}; give one of them another name."
        )
    return found[0].from_dict({key: value for key, value in record.items() if key != "name"})


def _found(kind: str, name: str) -> list[type[Named]]:
    classes = _CLASSES.get(kind, {}).get(name, {}).values()
    return [one for one in classes if not inspect.isabstract(one)]


def is_ours(cls: type) -> bool:
    """Tell whether a class is one of this package's modules, not of an example in a docstring."""
    module = sys.modules.get(cls.__module__)
    here = cls.__module__.partition(".")[0] == "hawkeys"
    return here and getattr(module, cls.__name__, None) is cls


def _as_json(value: Any, where: str) -> Any:
    """Return a value as plain JSON types, finite; raises `InvalidParameterError`."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, list | tuple):
        return [_as_json(each, where) for each in value]
    if not isinstance(value, _PLAIN) or (isinstance(value, float) and not math.isfinite(value)):
        raise InvalidParameterError(
            f"{where} cannot be written to a file: expected text, finite numbers, None, or lists "
            f"and arrays of these, got {brief(value)}. Write the methods to_dict and from_dict."
        )
    return value


def _as_array(value: Any) -> Any:
    """Return regular lists of numbers as an array, all else as it is."""
    if not isinstance(value, list) or not value:
        return value
    try:
        array = np.array(value)
    except ValueError:  # lists of several lengths
        return value
    return array if array.dtype.kind in "biuf" else value
