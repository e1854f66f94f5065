"""`events_from_pynapple`: a TsGroup, a Ts, or several of them by name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys._validation import brief, check_flag
from hawkeys.events import Events
from hawkeys.exceptions import InvalidEventsError
from hawkeys.interop.spikes._units import (
    as_intervals,
    cut,
    events_of_records,
    sorted_times,
    stored_intervals,
)

__all__ = ["events_from_pynapple"]


def events_from_pynapple(spikes: Any, *, epochs: Any = None, drop_outside: bool = False) -> Events:
    """Return the spikes of pynapple as events, an epoch a realisation.

    Parameters
    ----------
    spikes : TsGroup, Ts or mapping from label to Ts
        Units; the label of each is its mark, that of a lone Ts "0".
    epochs : IntervalSet or array_like of shape (n_epochs, 2), optional
        When units were observed, in seconds. Default: their ``time_support``, if its ends are not
        merely those of the spikes (see Notes).
    drop_outside : bool, default False
        Leave out spikes outside of the epochs. Else they are refused.

    Returns
    -------
    Events
        A realisation per epoch, a mark per unit, times in seconds on the clock of the recording.

    Raises
    ------
    InvalidEventsError
        `spikes` are nothing of pynapple, or values at times (Tsd); the window is not known; units
        have different supports; or a spike is outside of the epochs.
    InvalidParameterError
        `epochs` are no intervals, are not sorted, or overlap.

    Notes
    -----
    Without a ``time_support`` pynapple takes the time from the first to the last spike, of a group
    the union of such spans. A window that ends because of an event gives wrong rates, so that a
    support with an end at the first or last spike is refused, unless it is given as `epochs`. The
    ``obs_intervals`` of NWB files are read by `events_from_nwb`, not by pynapple.

    Nothing of an epoch excites the next one, also where both touch; where it does, take one epoch
    around all and then `Events.within`. A spike where two epochs touch belongs to the earlier one.
    An IntervalSet takes a microsecond away from epochs that touch: a spike within it is outside.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.interop import events_from_pynapple
    >>> class Ts:  # as pynapple.Ts(np.array([0.5, 2.0, 7.5]), time_support=...)
    ...     t = np.array([0.5, 2.0, 7.5])
    ...     time_support = np.array([[0.0, 4.0], [6.0, 9.0]])
    >>> events_from_pynapple({"cell 3": Ts()})
    Events(n_events=3, n_marks=1, n_realizations=2, mark_names=('cell 3',))
    """
    drop = check_flag(drop_outside, "drop_outside")
    units = _units(spikes)
    if epochs is not None:
        is_set = hasattr(epochs, "start") and hasattr(epochs, "end")
        intervals = as_intervals(np.asarray(epochs) if is_set else epochs, "epochs")
    else:
        intervals = _support(spikes, list(units.values()))
    return events_of_records(cut(units, intervals, drop=drop))


def _units(spikes: Any) -> dict[str, FloatArray]:
    """Return sorted times by label."""
    if not isinstance(spikes, Mapping):
        spikes = {"0": spikes}
    out: dict[str, FloatArray] = {}
    for label, one in spikes.items():
        if not (hasattr(one, "t") and hasattr(one, "time_support")):
            raise InvalidEventsError(
                "expected a TsGroup or Ts of pynapple, or a mapping from label to Ts; got "
                f"{brief(one)} under {label!r}. Other times go into Events.from_data."
            )
        if hasattr(one, "d") or hasattr(one, "values"):
            raise InvalidEventsError(
                f"unit {label}: a {type(one).__name__} holds values at times. Pass its times, "
                "pynapple.Ts(x.t, time_support=x.time_support)."
            )
        if str(label) in out:
            raise InvalidEventsError(
                f"two units have the label {str(label)!r}, as a number and as text. Rename one."
            )
        out[str(label)] = sorted_times(one.t, str(label))
    if not out:
        raise InvalidEventsError("there is no unit: the group is empty.")
    return out


def _support(spikes: Any, times: list[FloatArray]) -> FloatArray:
    """Return the support that all share; refuse that which is a span of spikes."""
    holders = {"": spikes} if hasattr(spikes, "time_support") else spikes
    (_, shared), *others = ((label, np.asarray(one.time_support, dtype=np.float64))
                            for label, one in holders.items())  # fmt: skip
    for label, other in others:
        if not np.array_equal(other, shared):
            raise InvalidEventsError(
                f"unit {label} has another time_support than those before it. Give epochs= on "
                "which all units were observed, or make them one TsGroup with time_support=."
            )
    every, bounds = np.concatenate(times), shared.ravel()
    if not bounds.size or (every.size and (bounds[0] == every.min() or bounds[-1] == every.max())):
        raise InvalidEventsError(
            "the time_support begins with the first spike or ends with the last, which is what "
            "pynapple takes if it is not told: the window of observation is not known. Give "
            "epochs=[[start, end]] in seconds, or an IntervalSet; the time_support itself if it is "
            "the window."
        )
    return stored_intervals(shared, "time_support")
