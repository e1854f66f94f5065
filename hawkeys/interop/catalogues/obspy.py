"""`events_from_obspy`: a Catalog, as `obspy.read_events` reads it from QuakeML and others."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable
from typing import Any

from hawkeys._validation import brief
from hawkeys.events import Events
from hawkeys.exceptions import EventsWarning, InvalidEventsError
from hawkeys.interop.catalogues._quakes import Quake, events_of_quakes

__all__ = ["events_from_obspy"]

# types of QuakeML that are earthquakes; many catalogues do not say the type
_EARTHQUAKES = (None, "not reported", "earthquake", "induced or triggered event")


def events_from_obspy(
    catalog: Any,
    *,
    start_time: Any,
    end_time: Any,
    min_magnitude: float | None = None,
    unit: str = "day",
) -> Events:
    """Return a catalogue of obspy as events whose values are magnitudes.

    Parameters
    ----------
    catalog : obspy.Catalog or sequence of obspy.core.event.Event
        Events in any order.
    start_time, end_time : date, text or UTCDateTime
        Window that the catalogue is complete on; without a zone in Universal Time.
    min_magnitude : float, optional
        Leave out events below it. Default: all are kept.
    unit : {"ns", "us", "ms", "s", "min", "h", "day", "week"}, default "day"
        Unit that times are counted in, from `start_time`.

    Returns
    -------
    Events
        One realisation with one mark, in order of time, which is exact to the nanosecond. Without
        any magnitude it has no values.

    Raises
    ------
    InvalidEventsError
        `catalog` holds no events of obspy, an event has no origin time, some have magnitudes and
        one has none, or one lies outside of the window; the message names it.
    InvalidParameterError
        The window, `min_magnitude` or `unit` is wrong.

    Warns
    -----
    EventsWarning
        Events have several origins or magnitudes and none that is preferred: the first is taken.
        Events are of a type that is no earthquake.

    Notes
    -----
    Origin and magnitude are the preferred ones. Catalogues mix types of magnitudes; they are taken
    as they are. Parts of a catalogue are cut by `Events.between` (`Catalog.filter` would do, too).

    References
    ----------
    L. Krischer et al. (2015). ObsPy: a bridge for seismology into the scientific Python ecosystem.
    Computational Science & Discovery 8, 014003, doi:10.1088/1749-4699/8/1/014003.

    Examples
    --------
    >>> from types import SimpleNamespace as Made
    >>> from hawkeys.interop import events_from_obspy
    >>> origin = Made(time=Made(ns=1_577_880_000_000_000_000))  # UTCDateTime(2020, 1, 1, 12)
    >>> quake = Made(origins=[origin], preferred_origin=lambda: None, magnitudes=[Made(mag=4.5)],
    ...              preferred_magnitude=lambda: None)
    >>> events = events_from_obspy([quake], start_time="2020-01-01", end_time="2020-02-01")
    >>> events.times, events.values
    (array([0.5]), array([4.5]))
    """
    is_many = isinstance(catalog, Iterable) and not isinstance(catalog, str | bytes)
    found = list(catalog) if is_many else [catalog]
    for k, event in enumerate(found):
        if not (hasattr(event, "preferred_origin") and hasattr(event, "magnitudes")):
            raise InvalidEventsError(
                f"event {k}: expected an Event of obspy, as obspy.read_events(path) gives them in "
                f"a Catalog; got {brief(event)}."
            )
    quakes = [_quake(event, k) for k, event in enumerate(found)]
    for name in ("origin", "magnitude"):
        _warn_of_first(found, name)
    _warn_of_types(found)
    return events_of_quakes(quakes, (start_time, end_time), min_magnitude, unit)


def _quake(event: Any, k: int) -> Quake:
    """Return what is read of event k."""
    identity = getattr(getattr(event, "resource_id", None), "id", None)
    place = f"event {k}{f' ({identity})' if identity else ''}: "
    origin, magnitude = (_preferred(event, name) for name in ("origin", "magnitude"))
    if origin is None or origin.time is None:
        raise InvalidEventsError(f"{place}there is no origin with a time. Leave the event out.")
    mag = None if magnitude is None or magnitude.mag is None else float(magnitude.mag)
    return Quake(place, int(origin.time.ns), mag)


def _preferred(event: Any, name: str) -> Any:
    """Return the preferred origin or magnitude, else the first, else None."""
    preferred = getattr(event, f"preferred_{name}")()
    return preferred if preferred is not None else next(iter(getattr(event, f"{name}s")), None)


def _warn_of_first(events: list[Any], name: str) -> None:
    """Warn of events that have several of a thing, of which none is preferred."""
    unclear = [k for k, event in enumerate(events)
               if getattr(event, f"preferred_{name}")() is None
               and len(getattr(event, f"{name}s")) > 1]  # fmt: skip
    if unclear:
        warnings.warn(
            f"{len(unclear)} of {len(events)} events have several {name}s and none that is "
            f"preferred, the first of them event {unclear[0]}; their first {name} is taken. Set "
            f"event.preferred_{name}_id to choose another.",
            EventsWarning,
            stacklevel=3,
        )


def _warn_of_types(events: list[Any]) -> None:
    """Warn of events that are no earthquakes."""
    types = [getattr(event, "event_type", None) for event in events]
    others = Counter(str(one) for one in types if one not in _EARTHQUAKES)
    if others:
        told = ", ".join(f"{count} {name!r}" for name, count in others.most_common(4))
        warnings.warn(
            f"{sum(others.values())} of {len(events)} events are no earthquakes: {told}. They are "
            "kept; leave them out by event.event_type if that is not meant.",
            EventsWarning,
            stacklevel=3,
        )
