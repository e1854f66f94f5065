"""Earthquakes with their moments and magnitudes, made events."""

from __future__ import annotations

import datetime as dt
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from hawkeys._validation import as_float_array, brief
from hawkeys.events import Events
from hawkeys.events.building import parsed_date
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError

__all__ = ["Quake", "events_of_quakes"]


class Quake(NamedTuple):
    """An event and its place, in words that begin a message."""

    place: str
    nanoseconds: int  # since 1970, in Universal Time
    magnitude: float | None


def events_of_quakes(
    quakes: Sequence[Quake], windows: tuple[Any, Any], min_magnitude: float | None, unit: str
) -> Events:
    """Return one realisation in order of time, with magnitudes as values if there are any."""
    import pandas as pd

    valued = min_magnitude is not None or any(one.magnitude is not None for one in quakes)
    if valued:
        _refuse_without_magnitude(quakes)
    if min_magnitude is not None:
        least = as_float_array(min_magnitude, "min_magnitude")
        if least.ndim:
            raise InvalidParameterError(
                f"min_magnitude must be one number; got {brief(min_magnitude)}."
            )
        quakes = [one for one in quakes if one.magnitude is not None and one.magnitude >= least]
    for one in quakes:
        if abs(one.nanoseconds) >= 2**63:
            raise InvalidEventsError(
                f"{one.place}the date lies outside of 1678 to 2261, the years whose nanoseconds "
                "are counted. Leave it out."
            )
    moments = np.array([one.nanoseconds for one in quakes], dtype="datetime64[ns]")
    return Events.from_data(
        pd.Series(moments).dt.tz_localize("UTC"),
        values=[one.magnitude for one in quakes] if valued else None,
        start_time=_in_universal_time(windows[0], "start_time"),
        end_time=_in_universal_time(windows[1], "end_time"),
        unit=unit,
        sort=True,
    )


def _refuse_without_magnitude(quakes: Sequence[Quake]) -> None:
    """Refuse a magnitude that is missing or no finite number."""
    lacking = [one for one in quakes if one.magnitude is None or not np.isfinite(one.magnitude)]
    if lacking:
        first = lacking[0]
        what = "no magnitude" if first.magnitude is None else f"the magnitude {first.magnitude}"
        raise InvalidEventsError(
            f"{first.place}the event has {what}, the first of {len(lacking)} of {len(quakes)}. "
            "Leave such events out, or find their magnitudes."
        )


def _in_universal_time(value: Any, name: str) -> Any:
    """Return a date with its zone; one without is in Universal Time, as those of catalogues."""
    import pandas as pd

    try:
        if hasattr(value, "ns"):  # UTCDateTime
            return pd.Timestamp(value.ns, unit="ns", tz="UTC")
        if not isinstance(value, str | dt.date | np.datetime64):
            raise ValueError("no date")
        stamp = pd.Timestamp(parsed_date(value, name))
    except ValueError as error:
        raise InvalidParameterError(
            f"{name} must be a date, such as '2024-01-31' or a UTCDateTime; got {brief(value)}."
        ) from error
    return stamp.tz_localize("UTC") if stamp.tzinfo is None else stamp
