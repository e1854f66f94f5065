"""Lists of times as `Events`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike
from hawkeys.events._checks import is_sequence
from hawkeys.events.container import Events
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError

__all__ = ["as_events"]


def as_events(
    data: Any, *, end_time: ArrayLike | None = None, start_time: ArrayLike | None = None
) -> Events:
    """Return `data` as `Events`, converting lists of times.

    Parameters
    ----------
    data : Events or sequence
        Events are returned as they are. A sequence of D sequences of numbers is one realisation
        with D marks; a sequence of such sequences is many.
    end_time : float or array_like, shape (n_realizations,), optional
        End of observation. Required for lists, refused for Events (which know theirs).
    start_time : float or array_like, shape (n_realizations,), optional
        Start of observation, 0.0 unless given; refused for Events. Integers too large for doubles
        (nanoseconds since 1970) are subtracted exactly; see `Events`.

    Returns
    -------
    Events
        The checked data.

    Raises
    ------
    InvalidParameterError
        `end_time` missing for lists, or given beside Events.
    InvalidEventsError
        The data break the contract of `Events`.

    Examples
    --------
    >>> from hawkeys.events.lists import as_events
    >>> as_events([[0.1, 0.4], [0.2]], end_time=1.0).n_marks
    2
    """
    if isinstance(data, Events):
        if end_time is not None or start_time is not None:
            raise InvalidParameterError(
                "end_time and start_time belong to lists of times; Events carry their windows "
                "already. Leave them out, or build new Events."
            )
        if data.n_realizations == 0:
            raise InvalidEventsError(
                "the events have no realisation; what was picked from others with [...] was empty."
            )
        return data
    if end_time is None:
        raise InvalidParameterError(
            "end_time is missing: the end of observation is data and is never guessed from the "
            "last event. Pass end_time=..., or Events."
        )
    start = 0.0 if start_time is None else start_time
    nested = data if _is_nested(data) else [data]
    if nested is not data:
        for name, bound in (("end_time", end_time), ("start_time", start)):
            _refuse_two_readings(len(data), bound, name)
    return Events.from_lists(nested, end_times=end_time, start_times=start)


def _refuse_two_readings(n_lists: int, bound: ArrayLike, name: str) -> None:
    """Refuse as many bounds as there are lists of times where one realisation has one."""
    if np.ndim(bound) == 1 and np.size(bound) == n_lists > 1:
        raise InvalidEventsError(
            f"{n_lists} sequences of times and {n_lists} values of {name}: a list [t1, t2, ...] is "
            f"one realisation with one mark per sequence, which has one {name}; for {n_lists} "
            "realisations of one mark put each into a list of its own, [[t1], [t2], ...]."
        )


def _is_nested(data: Any) -> bool:
    """Tell many realisations (three levels) from one (two levels)."""
    if isinstance(data, str | bytes | Mapping) or not is_sequence(data):
        advice = " Pass list(x.values())." if isinstance(data, Mapping) else ""
        raise InvalidEventsError(
            f"expected Events, a list of D sequences of times, or a list of such lists; got "
            f"{type(data).__name__}.{advice}"
        )
    for element in data:
        if not is_sequence(element):
            raise InvalidEventsError(
                f"expected one sequence of times per mark; got {element!r} where a sequence should "
                "be. For a single mark wrap the times: [times]."
            )
    return any(_holds_sequences(element) for element in data)


def _holds_sequences(element: Any) -> bool:
    """Look into a list item by item; an array of numbers or a Series tells by its dimensions."""
    if getattr(getattr(element, "dtype", None), "kind", "O") in "fiu":
        return element.ndim > 1
    if hasattr(element, "time_support"):  # of pynapple, whose items are sequences of length 1
        return False
    return any(is_sequence(inner) for inner in element)
