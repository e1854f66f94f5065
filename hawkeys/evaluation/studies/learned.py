"""What a fitted system holds: how many numbers it has learned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

__all__ = ["count_learned", "uses"]

# what a fit leaves for its reader, and no decision looks at
_TOLD = ("curve_", "curves_", "n_parameters_", "n_features_in_", "evolution_")


def count_learned(system: Any) -> int:
    """Return how many numbers a fitted system holds besides its settings.

    In its attributes and what these hold; weights of networks are among them, training curves are
    not.

    Parameters
    ----------
    system : object
        A fitted verifier or classifier.

    Returns
    -------
    int
        Numbers, whatever their precision.
    """
    return _learned(system, set())


def uses(needs: Any) -> str:
    """Return in words what a system looks at besides times of presses, and whom it needs.

    Parameters
    ----------
    needs : Needs or None
        As the system declares it.

    Returns
    -------
    str
        Such as "holds, keys, other people".
    """
    if needs is None:
        return ""
    said = {"holds": needs.holds, "keys": needs.keys, "other people": needs.background}
    return ", ".join(name for name, used in said.items() if used) or "times alone"


def _learned(system: Any, seen: set[int]) -> int:
    """Return the numbers of an estimator besides its settings."""
    settings = system.get_params(deep=False) if hasattr(system, "get_params") else {}
    total = 0
    for name, value in vars(system).items():
        if name in settings:  # a setting that is an estimator may have been fitted in place
            total += sum(_learned(one, seen) for one in _estimators(value) if _is_new(one, seen))
        elif name not in _TOLD:
            total += _numbers(value, seen)
    return total


def _estimators(value: Any) -> Iterator[Any]:
    """Return the estimators in a setting, such as the steps of a pipeline."""
    if hasattr(value, "get_params") and not isinstance(value, type):
        yield value
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _estimators(one)


def _is_new(value: Any, seen: set[int]) -> bool:
    new = id(value) not in seen
    seen.add(id(value))
    return new


def _numbers(value: Any, seen: set[int]) -> int:
    """Return how many numbers a value holds, each object once."""
    if isinstance(value, int | float | np.number):
        return 0 if isinstance(value, bool) else 1
    if isinstance(value, str | bytes | type | np.bool_ | None) or not _is_new(value, seen):
        return 0
    if isinstance(value, np.ndarray):
        if value.dtype == object:
            return sum(_numbers(one, seen) for one in value.ravel().tolist())
        return value.size if np.issubdtype(value.dtype, np.number) else 0
    if hasattr(value, "parameters") and hasattr(value, "state_dict"):  # a network
        return sum(int(weights.numel()) for weights in value.parameters())
    if isinstance(value, Mapping):
        return sum(_numbers(one, seen) for one in value.values())
    if isinstance(value, list | tuple):
        return sum(_numbers(one, seen) for one in value)
    return _learned(value, seen) if hasattr(value, "__dict__") and not callable(value) else 0
