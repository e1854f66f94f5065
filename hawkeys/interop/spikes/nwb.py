"""`events_from_nwb` and `windows_from_nwb`: units of an NWB file that pynwb has opened."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys._validation import brief, brief_names, check_flag
from hawkeys.events import Events
from hawkeys.events.observed import History
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError
from hawkeys.interop.spikes._units import (
    Record,
    as_intervals,
    cut,
    events_of_records,
    sorted_times,
    stored_intervals,
)

__all__ = ["events_from_nwb", "windows_from_nwb"]


def events_from_nwb(
    units: Any,
    *,
    intervals: Any = None,
    ids: Sequence[int] | None = None,
    drop_outside: bool = False,
) -> Events:
    """Return the units of an NWB file as events, an interval of observation a realisation.

    Parameters
    ----------
    units : pynwb.misc.Units or pynwb.NWBFile
        Table of units, as ``nwbfile.units``, of a file that is open.
    intervals : array_like of shape (n_intervals, 2), optional
        When all of these units were observed, in seconds. Default: their ``obs_intervals``, which
        are then the same for all. What is given lies within those that the file has.
    ids : sequence of int, optional
        Identities (``id``) of the units wanted, in this order. Default: all.
    drop_outside : bool, default False
        Leave out spikes outside of the intervals. Else they are refused.

    Returns
    -------
    Events
        A realisation per interval, a mark per unit, times in seconds on the clock of the file.

    Raises
    ------
    InvalidEventsError
        There are no units or spike times, no intervals are known, they differ between units, or a
        spike is outside of them.
    InvalidParameterError
        `intervals` are no intervals, are not sorted, overlap, or hold times at which a unit was not
        observed; or an identity of `ids` does not exist or stands twice.

    Notes
    -----
    ``obs_intervals`` are optional in NWB; several of a unit mean gaps in its window. Other readers
    leave them out (pynapple) or take one at most (neo). Spikes outside are stored unchecked.

    Nothing of an interval excites the next one (in `windows_from_nwb` it does). A spike where two
    touch belongs to the earlier.

    References
    ----------
    O. Rübel et al. (2022). The Neurodata Without Borders ecosystem for neurophysiological data
    science. eLife 11, e78362, doi:10.7554/eLife.78362.

    Examples
    --------
    >>> from hawkeys.interop import events_from_nwb
    >>> class Units:  # as pynwb.NWBHDF5IO("session.nwb", "r").read().units
    ...     colnames, id = ("spike_times", "obs_intervals"), [4, 9]
    ...     def get_unit_spike_times(self, row):
    ...         return ([0.5, 2.0, 7.5], [1.0])[row]
    ...     def get_unit_obs_intervals(self, row):
    ...         return [[0.0, 4.0], [6.0, 9.0]]
    >>> events_from_nwb(Units())
    Events(n_events=4, n_marks=2, n_realizations=2, mark_names=('4', '9'))
    """
    drop = check_flag(drop_outside, "drop_outside")
    times, known = _read(units, ids)
    if intervals is None:
        chosen = _common(known)
    else:
        chosen = as_intervals(intervals, "intervals")
        _refuse_unobserved(chosen, known)
    return events_of_records(cut(times, chosen, drop=drop))


def windows_from_nwb(
    units: Any, *, ids: Sequence[int] | None = None, drop_outside: bool = False
) -> tuple[Events, History]:
    """Return units of an NWB file in the windows in which each was observed, and their history.

    For units that were lost or found half-way, and where spikes before a gap may excite those after
    it; `events_from_nwb` forgets them and needs units that were observed together.

    Parameters
    ----------
    units : pynwb.misc.Units or pynwb.NWBFile
        Table of units, as ``nwbfile.units``, of a file that is open, with ``obs_intervals``.
    ids : sequence of int, optional
        Identities (``id``) of the units wanted, in this order. Default: all.
    drop_outside : bool, default False
        Leave out spikes outside of the intervals of their unit. Else they are refused.

    Returns
    -------
    windows : Events
        A realisation for each time in which the same units are observed, from ``Events.within``.
    history : History
        What ``history=`` of `hawkeys.fit`, `Hawkes.log_likelihood` and others takes beside it.

    Raises
    ------
    InvalidEventsError
        There are no units or spike times, a unit has no ``obs_intervals``, or a spike is outside of
        them.
    InvalidParameterError
        An identity of `ids` does not exist or stands twice.

    Examples
    --------
    >>> from hawkeys.interop import windows_from_nwb
    >>> class Units:  # as pynwb.NWBHDF5IO("session.nwb", "r").read().units
    ...     colnames, id = ("spike_times", "obs_intervals"), [4, 9]
    ...     def get_unit_spike_times(self, row):
    ...         return ([0.5, 2.0, 7.5], [1.0])[row]
    ...     def get_unit_obs_intervals(self, row):
    ...         return ([[0.0, 9.0]], [[0.0, 4.0]])[row]
    >>> windows, history = windows_from_nwb(Units())
    >>> windows.end_times, history.observed
    (array([4., 9.]), array([[ True,  True],
           [ True, False]]))
    """
    drop = check_flag(drop_outside, "drop_outside")
    times, known = _read(units, ids)
    _refuse_unknown(known)
    kept = {}
    for name, intervals in known.items():
        parts = cut({name: times[name]}, intervals, drop=drop)
        kept[name] = np.concatenate([part.units[name] for part in parts])
    bounds = np.concatenate(list(known.values()))
    whole = Record(float(bounds.min()), float(bounds.max()), kept)
    return events_of_records([whole]).within(known)


def _read(
    units: Any, ids: Sequence[int] | None
) -> tuple[dict[str, FloatArray], dict[str, FloatArray]]:
    """Return spike times, and the intervals of observation of those of which they are known."""
    table = getattr(units, "units", units)
    for name in ("colnames", "id", "get_unit_spike_times"):
        if not hasattr(table, name):
            raise InvalidEventsError(
                "expected the table of units of an NWB file, nwbfile.units of pynwb; got "
                f"{'a file without units' if table is None else brief(table)}."
            )
    if "spike_times" not in table.colnames:
        raise InvalidEventsError(
            f"the units have no spike_times; their columns are {brief_names(table.colnames)}."
        )
    rows = _rows([int(one) for one in table.id[:]], ids)
    times = {one: sorted_times(table.get_unit_spike_times(row), one) for one, row in rows.items()}
    return times, _observed(table, rows)


def _rows(there: list[int], ids: Sequence[int] | None) -> dict[str, int]:
    """Return the row of each unit wanted, by identity as text."""
    if not there:
        raise InvalidEventsError("the table of units is empty.")
    given = np.ravel(there if ids is None else ids)
    if given.size and given.dtype.kind not in "iu":
        raise InvalidParameterError(f"ids must be whole numbers; got {brief(ids)}.")
    wanted = [int(one) for one in given]
    if not wanted:
        raise InvalidParameterError(f"ids is empty; the units have {brief_names(there)}.")
    for one in wanted:
        if there.count(one) != 1:
            raise InvalidParameterError(
                f"{'no' if one not in there else 'more than one'} unit has the id {one}; there are "
                f"{brief_names(there)}."
            )
        if wanted.count(one) > 1:
            raise InvalidParameterError(f"ids has {one} twice. Name each unit once.")
    return {str(one): there.index(one) for one in wanted}


def _observed(table: Any, rows: dict[str, int]) -> dict[str, FloatArray]:
    """Return the intervals of observation of the units of which they are known."""
    if "obs_intervals" not in table.colnames:
        return {}
    out = {}
    for one, row in rows.items():
        found = np.asarray(table.get_unit_obs_intervals(row), dtype=np.float64)
        out[one] = stored_intervals(found, f"unit {one}: obs_intervals") if found.size else found
    return out


def _refuse_unknown(known: dict[str, FloatArray]) -> None:
    """Refuse units of which no interval of observation is known."""
    lacking = [one for one, found in known.items() if not found.size]
    if lacking or not known:
        whose = f"of unit {lacking[0]}" if lacking else "of any unit"
        raise InvalidEventsError(
            f"the file has no obs_intervals {whose}, so that the window of observation is not "
            "known. Give intervals=[[start, end]] in seconds to events_from_nwb."
        )


def _common(known: dict[str, FloatArray]) -> FloatArray:
    """Return the intervals that all units share; refuse those that are unknown or differ."""
    _refuse_unknown(known)
    (first, shared), *others = known.items()
    for one, found in others:
        if not np.array_equal(found, shared):
            raise InvalidEventsError(
                f"the obs_intervals of unit {one} are not those of unit {first}. windows_from_nwb "
                "takes such units; or choose others with ids=, or give intervals= at which all "
                "were observed, with drop_outside=True."
            )
    return shared


def _refuse_unobserved(intervals: FloatArray, known: dict[str, FloatArray]) -> None:
    """Refuse intervals that are not within those of each unit that has any."""
    for one, found in known.items():
        for start, end in intervals if found.size else ():
            if not ((found[:, 0] <= start) & (end <= found[:, 1])).any():
                raise InvalidParameterError(
                    f"intervals: unit {one} was not observed all the time from {start:.12g} to "
                    f"{end:.12g} s; its obs_intervals are {found.tolist()[:4]}"
                    f"{' and more' if len(found) > 4 else ''}. Shorten intervals=, or leave the "
                    "unit out with ids=."
                )
