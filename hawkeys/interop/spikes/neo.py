"""`events_from_neo`: spike trains of neo, a segment a realisation."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys._validation import brief, brief_names
from hawkeys.events import Events
from hawkeys.exceptions import InvalidEventsError
from hawkeys.interop.spikes._units import Record, events_of_records, sorted_times

__all__ = ["events_from_neo"]

# ends that were converted from several units of time may differ in their last places
_SAME = 1e-12


def events_from_neo(source: Any, *, label: Callable[[Any], object] | None = None) -> Events:
    """Return the spike trains of neo as events, a segment a realisation.

    Parameters
    ----------
    source : SpikeTrain, Segment, Block, or sequence of SpikeTrain or of Segment
        Spike trains of one sequence or segment are units that were recorded together; each segment
        of a block or sequence is a realisation.
    label : callable, optional
        Function of a SpikeTrain that returns the label of its unit, for instance
        ``lambda train: train.annotations["id"]``. Default: its ``name``; if no train has one, its
        number within the segment.

    Returns
    -------
    Events
        Times in seconds, whatever the trains are counted in; the window of a realisation is from
        ``t_start`` to ``t_stop``, on the clock of the segment. Marks are in the order of the first
        segment.

    Raises
    ------
    InvalidEventsError
        `source` is nothing of neo, or is not loaded; trains of a segment were not observed on the
        same window; two have the same label; or segments have different units.

    Notes
    -----
    A window of neo has both of its ends, so that two slices that touch share a spike there. A spike
    of a unit that two touching segments have at their common end is counted once, in the earlier
    one. Spikes need not be sorted.

    References
    ----------
    S. Garcia et al. (2014). Neo: an object model for handling electrophysiology data in multiple
    formats. Frontiers in Neuroinformatics 8, 10, doi:10.3389/fninf.2014.00010.

    Examples
    --------
    >>> from hawkeys.interop import events_from_neo
    >>> class Seconds(float):  # as 0.5 * quantities.s
    ...     magnitude = property(float)
    ...     def rescale(self, unit):
    ...         return self
    >>> class SpikeTrain:  # as neo.SpikeTrain([0.12, 0.04], units="s", t_stop=0.5, name="a")
    ...     name, magnitude, t_start, t_stop = "a", [0.12, 0.04], Seconds(0.0), Seconds(0.5)
    ...     def rescale(self, unit):
    ...         return self
    >>> events_from_neo([SpikeTrain()]).to_lists()[0][0]
    array([0.04, 0.12])
    """
    segments = _segments(source)
    named = [_labelled(trains, label, r) for r, trains in enumerate(segments)]
    for r, units in enumerate(named):
        if set(units) != set(named[0]):
            odd = sorted(set(units) ^ set(named[0]))
            raise InvalidEventsError(
                f"segment {r} does not have the units of segment 0; {brief_names(odd)} "
                f"{'are' if len(odd) > 1 else 'is'} in one of them alone. A unit that was recorded "
                "and silent is a SpikeTrain without spikes; one that was not is left out of all. "
                "label= says what tells units."
            )
    records = [_record(units, r) for r, units in enumerate(named)]
    return events_of_records(_without_shared(records))


def _segments(source: Any) -> list[list[Any]]:
    """Return the spike trains of each segment."""
    if _is_train(source):
        return [[source]]
    if hasattr(source, "segments"):
        parts = list(source.segments)
    elif hasattr(source, "spiketrains"):
        parts = [source]
    elif isinstance(source, Iterable) and not isinstance(source, str | bytes):
        parts = list(source)
        if parts and all(_is_train(part) for part in parts):
            return [parts]
    else:
        parts = [source]
    out = []
    for r, part in enumerate(parts):
        trains = list(getattr(part, "spiketrains", ()))
        for one in trains or [part]:
            if not _is_train(one):
                raise InvalidEventsError(_no_train(one, r, is_segment=hasattr(part, "spiketrains")))
        out.append(trains)
    if not out:
        raise InvalidEventsError("there is no segment and no spike train.")
    return out


def _is_train(value: Any) -> bool:
    """Tell a SpikeTrain; one that is not loaded has no spikes yet."""
    return all(hasattr(value, name) for name in ("t_start", "t_stop", "rescale", "magnitude"))


def _no_train(value: Any, r: int, *, is_segment: bool) -> str:
    if hasattr(value, "load"):
        return f"segment {r}: a spike train is not loaded. Read with lazy=False, or call load()."
    if is_segment:
        return f"segment {r} has no spike train. Leave it out."
    return (
        "expected SpikeTrain, Segment or Block of neo, or a list of trains or segments; got "
        f"{brief(value)}. Other times go into Events.from_data."
    )


def _labelled(trains: Sequence[Any], label: Any, r: int) -> dict[str, Any]:
    """Return the trains of segment r by label."""
    if label is not None:
        labels = [label(train) for train in trains]
    else:
        labels = [getattr(train, "name", None) for train in trains]
        if not any(labels):
            labels = list(range(len(trains)))
    out: dict[str, Any] = {}
    for k, (name, train) in enumerate(zip(labels, trains, strict=True)):
        if name is None or str(name) in out:
            which = "has no label" if name is None else f"has the label {str(name)!r} of another"
            raise InvalidEventsError(
                f"segment {r}: spike train {k} {which}. Say what tells units with label=, such as "
                'label=lambda train: train.annotations["id"].'
            )
        out[str(name)] = train
    return out


def _record(units: dict[str, Any], r: int) -> Record:
    """Return the record of segment r, whose trains share one window."""
    bounds = {
        name: tuple(float(bound.rescale("s").magnitude) for bound in (train.t_start, train.t_stop))
        for name, train in units.items()
    }
    (first, window), *others = bounds.items()
    for name, other in others:
        if not np.allclose(other, window, rtol=_SAME, atol=0.0):
            raise InvalidEventsError(
                f"segment {r}: unit {name} was observed from {other[0]:.12g} to {other[1]:.12g} s, "
                f"unit {first} from {window[0]:.12g} to {window[1]:.12g} s. Cut all to the time "
                "that they share, with segment.time_slice(start, stop)."
            )
    starts, ends = zip(*bounds.values(), strict=True)
    times = {
        name: sorted_times(train.rescale("s").magnitude, f"{name} of segment {r}")
        for name, train in units.items()
    }
    return Record(min(starts), max(ends), times)


def _without_shared(records: list[Record]) -> list[Record]:
    """Return records in which a spike at the common end of two is in the earlier one alone."""
    out = []
    for record in records:
        before = [one for one in records if one.end == record.start]
        units = {name: _kept(times, record.start, [one.units[name] for one in before])
                 for name, times in record.units.items()}  # fmt: skip
        out.append(record._replace(units=units))
    return out


def _kept(times: FloatArray, start: float, before: list[FloatArray]) -> FloatArray:
    """Return times without those at the start that the segment before has, too."""
    shared = max((int(np.count_nonzero(one == start)) for one in before), default=0)
    return times[min(shared, int(np.count_nonzero(times == start))) :]
