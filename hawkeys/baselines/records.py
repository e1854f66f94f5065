"""Baselines from plain JSON types."""

from __future__ import annotations

from typing import Any

from hawkeys.baselines.base import Baseline
from hawkeys.baselines.constant import Constant
from hawkeys.baselines.periodic import Periodic
from hawkeys.baselines.piecewise import PiecewiseConstant
from hawkeys.exceptions import InvalidParameterError

__all__ = ["baseline_from_dict"]

_BASELINES: dict[str, type[Baseline]] = {
    kind.name: kind for kind in (Constant, PiecewiseConstant, Periodic)
}


def baseline_from_dict(record: dict[str, Any]) -> Baseline:
    """Rebuild a baseline from `Baseline.to_dict`.

    Parameters
    ----------
    record : dict
        Plain JSON types.

    Returns
    -------
    Baseline
        The baseline that was written.

    Raises
    ------
    InvalidParameterError
        The name is unknown.

    Examples
    --------
    >>> from hawkeys.baselines import Periodic, baseline_from_dict
    >>> baseline_from_dict(Periodic([0, 8], period=24).to_dict())
    Periodic(n_pieces=2, period=24)
    """
    name = record.get("name")
    if name not in _BASELINES:
        known = ", ".join(repr(baseline) for baseline in _BASELINES)
        raise InvalidParameterError(f"unknown baseline {name!r}; this version knows {known}.")
    return _BASELINES[name](**{key: value for key, value in record.items() if key != "name"})
