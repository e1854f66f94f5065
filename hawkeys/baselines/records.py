"""Baselines from plain JSON types."""

from __future__ import annotations

from typing import Any

from hawkeys._registry import rebuild
from hawkeys.baselines.base import Baseline

__all__ = ["baseline_from_dict"]


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
        No class of this name is defined (import the module that defines your own), or its
        constructor refuses the rest.

    Examples
    --------
    >>> from hawkeys.baselines import Periodic, baseline_from_dict
    >>> baseline_from_dict(Periodic([0, 8], period=24).to_dict())
    Periodic(n_pieces=2, period=24)
    """
    baseline: Baseline = rebuild("baseline", record)
    return baseline
