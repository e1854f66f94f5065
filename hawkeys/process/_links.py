"""Checks of the link, filters and pieces of `NonlinearHawkes`."""

from __future__ import annotations

from typing import Any

from hawkeys._typing import FloatArray
from hawkeys._validation import brief, check_choice, check_count
from hawkeys.baselines import Periodic, PiecewiseConstant
from hawkeys.exceptions import InvalidParameterError
from hawkeys.process.filters import LogTimeFilters
from hawkeys.process.lag_filters import LagFilters

__all__ = ["LINKS", "check_link", "check_model"]

LINKS = ("exponential", "softplus", "rectified")
"""Names of the link functions."""


def check_model(filters: Any, memory: int | None, link: str, pieces: Any) -> int | None:
    """Return how many events have an influence, None for all.

    Raises `InvalidParameterError` if filters, memory, link or pieces are unknown, or do not go
    together.
    """
    check_choice(link, "link", LINKS)
    if not isinstance(filters, LogTimeFilters | LagFilters):
        raise InvalidParameterError(
            "filters must be hawkeys.process.LogTimeFilters or LagFilters; got "
            f"{type(filters).__name__}."
        )
    if pieces is not None and not isinstance(pieces, PiecewiseConstant | Periodic):
        raise InvalidParameterError(
            "a baseline inside a link changes as hawkeys.baselines.PiecewiseConstant or Periodic "
            f"say; got {brief(pieces)}."
        )
    if pieces is not None and pieces.known:
        raise InvalidParameterError(
            f"{pieces!r} has rates, and what stands inside the link is no rate. Leave rates out "
            "and give the numbers as baseline."
        )
    if isinstance(filters, LogTimeFilters):
        return check_count(3 if memory is None else memory, "memory")
    if memory is not None:
        raise InvalidParameterError(
            f"with LagFilters all events have an influence; got memory={brief(memory)}. Leave "
            "memory out, or use LogTimeFilters."
        )
    if link == "rectified" and pieces is not None:
        raise InvalidParameterError(
            f"the rectified link takes a constant baseline; got {pieces!r}. Use the softplus link."
        )
    return None


def check_link(filters: LogTimeFilters | LagFilters, link: str, inside: FloatArray) -> None:
    """Refuse what the rectified link cannot have, and decays for other marks."""
    if isinstance(filters, LagFilters):
        filters.check_marks(inside.shape[0])
    if link != "rectified":
        return
    if isinstance(filters, LogTimeFilters) or filters.n_steps or filters.n_decays != 1:
        raise InvalidParameterError(
            "the rectified link takes LagFilters of one decay without edges, so that the moment "
            f"when inhibition ends is explicit; got {filters!r}. Use the softplus link for others."
        )
    if (inside < 0.0).any():
        raise InvalidParameterError(
            f"with the rectified link a baseline must not be negative; got {float(inside.min()):g}."
        )
