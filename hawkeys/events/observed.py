"""Events within windows of longer recordings, and what happened outside, which excites too."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys._validation import as_float_array, brief, brief_names, refuse_disguised
from hawkeys.events.views import Views, on_clock
from hawkeys.exceptions import InvalidParameterError

__all__ = ["History", "Observed"]

AnyEvents = TypeVar("AnyEvents", bound="Observed")


@dataclass(frozen=True, eq=False)
class History:
    """What happened outside the windows of `Events.within`, which excites but does not count.

    Attributes
    ----------
    outside : Events
        The recordings, with the events that belong to no window.
    owners : ndarray of int64, shape (n_windows,)
        Recording that each window is part of; the windows of one come one after the other.
    start_times, end_times : ndarray of float64, shape (n_windows,)
        The windows, on the clock of the recordings.
    observed : ndarray of bool, shape (n_windows, n_marks), or None
        Which marks are observed in each window; None if all are.
    """

    outside: Any
    owners: IntArray
    start_times: FloatArray
    end_times: FloatArray
    observed: BoolArray | None = None

    @property
    def n_events(self) -> int:
        """Number of events outside the windows."""
        return int(self.outside.n_events)

    @property
    def mark_names(self) -> tuple[str, ...]:
        """Label of each mark."""
        names: tuple[str, ...] = self.outside.mark_names
        return names


class Observed(Views):
    """The method of `hawkeys.Events` that picks the windows in which it was observed."""

    __slots__ = ()

    def within(self: AnyEvents, observed: Any) -> tuple[AnyEvents, History]:
        """Return the windows in which events are known to be complete, and what happened outside.

        For recordings with gaps (nights, pauses, artefacts), and marks that were observed for part
        of the time. A fit of the windows ``history=`` the rest lets all events excite, through
        gaps too, and counts only the time observed.

        Parameters
        ----------
        observed : array_like of shape (n_intervals, 2), sequence of such, or mapping
            Start and end of each interval of observation, numbers or dates on the clock of the
            events, the same in all realisations; or for each realisation such a list; or for each
            mark, by name or number, either of the two. Marks left out of a mapping are observed
            throughout. What is beyond the windows of the events is cut off.

        Returns
        -------
        windows : Events
            Each interval, or part of one in which the same marks are observed, as a realisation of
            its own; one realisation after the other, on the clock of the events. An event at the
            start of an interval belongs to what is before, as for `between`.
        history : History
            The events outside, for ``history=`` of `hawkeys.fit`, `Hawkes.log_likelihood` and
            `hawkeys.goodness_of_fit`.

        Raises
        ------
        InvalidParameterError
            Bounds that are no numbers or dates, or masked, an interval that does not end after it
            starts, intervals that overlap, another number of lists than realisations, a mark that
            there is not, or no time observed at all.

        Notes
        -----
        The likelihood is that of a process whose intensity is 0 outside the intervals, and whose
        history goes on (Daley and Vere-Jones 2003, section 7.2, with the predictable indicator of
        observation as a factor of the intensity). It is exact where nothing happens outside, as
        at night in a market, and where the events outside are known. What happened there
        unseen is not known to it: events soon after a gap then have parents that are missing, and
        seem spontaneous. That is little where gaps are few beside the memory of the kernel, or
        long.

        Examples
        --------
        >>> import hawkeys
        >>> events = hawkeys.Events.from_lists([[[1.0, 2.0, 5.0, 8.0]]], end_times=9.0)
        >>> windows, history = events.within([(0.0, 3.0), (6.0, 9.0)])
        >>> windows.start_times, windows.end_times, windows.times, history.outside.times
        (array([0., 6.]), array([3., 9.]), array([1., 2., 8.]), array([5.]))
        >>> process = hawkeys.Hawkes([0.5], [[0.4]], decay=1.0)
        >>> round(process.log_likelihood(windows, history=history), 6)
        -5.780717
        """
        per_mark = self._intervals_by_mark(observed)
        starts, ends, owners, seen = [], [], [], []
        for r in range(len(self)):
            own = [intervals[r] for intervals in per_mark]
            low, high, which = _pieces(own)
            starts.append(low)
            ends.append(high)
            owners.append(np.full(low.size, r, dtype=np.int64))
            seen.append(which)
        if not sum(part.size for part in starts):
            raise InvalidParameterError(
                f"no window overlaps the intervals observed, {brief(observed)}; the first window "
                f"is {self._window(0)}."
            )
        every = np.concatenate(owners)
        each = np.concatenate(seen)
        mask = None if each.all() else np.tile(each, (1, len(self.mark_names) // each.shape[1]))
        return self._parts((np.concatenate(starts), np.concatenate(ends)), every, mask)

    def _parts(
        self: AnyEvents,
        windows: tuple[FloatArray, FloatArray],
        owners: IntArray,
        mask: BoolArray | None,
    ) -> tuple[AnyEvents, History]:
        """Return the events of windows (n_windows,) of the realisations `owners`, and the rest."""
        starts, ends = windows
        place = _places(self.times, self._group, starts, ends, owners, self.start_times)
        inside = place >= 0
        if mask is not None:
            inside &= mask[place, self.marks]
        offsets = np.searchsorted(place[inside], np.arange(owners.size + 1))
        origins = None if self.origins is None else tuple(self.origins[r] for r in owners)
        values = None if self.values is None else self.values[inside]
        part = self._made(self.times[inside], self.marks[inside], offsets.astype(np.int64), starts,
                          ends, self.mark_names, origins, self.clock, values)  # fmt: skip
        outside = self._cut(~inside, np.arange(len(self)), self.start_times, self.end_times)
        return part, History(outside, owners, starts, ends, mask)

    def _intervals_by_mark(self, observed: Any) -> list[list[FloatArray]]:
        """Return intervals (n, 2) of each realisation, of each mark or of all marks together."""
        if not isinstance(observed, Mapping):
            return [self._intervals(observed, "observed")]
        every = np.column_stack((self.start_times, self.end_times))[:, None, :]
        out = [list(every) for _ in self.mark_names]
        given = [self._mark(mark) for mark in observed]
        if len(set(given)) != len(given) or not given:
            raise InvalidParameterError(
                "observed must name one or more marks, each once; got "
                f"{brief_names(observed) or 'an empty mapping'}."
            )
        for i, (name, value) in zip(given, observed.items(), strict=True):
            out[i] = self._intervals(value, f"observed[{name!r}]")
        return out

    def _intervals(self, value: Any, name: str) -> list[FloatArray]:
        """Return sorted intervals (n, 2) of each realisation, cut to its window."""
        refuse_disguised(value, name)
        array = hasattr(value, "__array__")
        some = array or (isinstance(value, Iterable) and not isinstance(value, str))
        given = list(np.asarray(value) if array else value) if some else []
        if not some or any(isinstance(one, str) or not np.iterable(one) for one in given):
            raise InvalidParameterError(
                f"{name} must be intervals [(start, end), ...], also if there is but one; got "
                f"{brief(value)}. Of pandas Intervals, pass [(one.left, one.right) for one in x]."
            )
        alone = not given or _is_pair(given[0])
        if not alone and len(given) != len(self):
            raise InvalidParameterError(
                f"{name} has {len(given)} lists of intervals, the events have {len(self)} "
                "realisations. Give one list for each, or one list [(start, end), ...] for all."
            )
        shared = self._bounds(given, name) if alone else None
        out = []
        for r in range(len(self)):
            where = name if alone else f"{name}[{r}]"
            own = self._bounds(given[r], where, r) if shared is None else shared[r % len(shared)]
            window = self.start_times[r], self.end_times[r]
            cut = np.clip(own, *window)
            out.append(cut[cut[:, 0] < cut[:, 1]])
        return out

    def _bounds(self, pairs: Any, name: str, r: int | None = None) -> FloatArray:
        """Return checked intervals on the clock of the events, one (n, 2) array or one for each."""
        pairs = [list(pair) if np.iterable(pair) else [pair] for pair in pairs]
        if not all(len(pair) == 2 for pair in pairs):
            wrong = next(pair for pair in pairs if len(pair) != 2)
            raise InvalidParameterError(
                f"{name} must be pairs of start and end; got {brief(wrong)} among them."
            )
        flat = [bound for pair in pairs for bound in pair]
        on_clock = self._on_own_clock(flat, name, r)
        out = on_clock.reshape(len(on_clock), -1, 2)
        given = np.array(flat, dtype=object).reshape(-1, 2)  # large integers keep their digits
        for intervals in out if self.origins is None else [given]:
            _check_order(intervals, name)
        return out[0] if r is not None else out

    def _on_own_clock(self, flat: list[Any], name: str, r: int | None) -> FloatArray:
        """Return moments (1 or n_realizations, n) on the clock of one realisation or of each."""
        if self.clock is not None and self.clock.origin is not None:
            return on_clock(self.clock, flat, f"the bounds of {name}")[None, :]
        if self.origins is None:
            return as_float_array(flat, name).reshape(1, -1)
        rows = range(len(self)) if r is None else [r]
        each = [self._moments(bound, name) for bound in flat]
        return np.array([[moment[row] for moment in each] for row in rows])


def _is_pair(value: Any) -> bool:
    """Whether a value is a pair of bounds, and no list of pairs."""
    bounds: list[Any] = list(value) if np.iterable(value) else []
    return bool(bounds) and (isinstance(bounds[0], str) or not np.iterable(bounds[0]))


def _check_order(intervals: FloatArray, name: str) -> None:
    """Refuse intervals that do not end after they start, or overlap."""
    starts, ends = intervals[:, 0], intervals[:, 1]
    if (starts >= ends).any():
        k = int(np.argmax(starts >= ends))
        raise InvalidParameterError(
            f"{name}: interval {k} starts at {starts[k]} and ends at {ends[k]}; it must end later."
        )
    if (starts[1:] < ends[:-1]).any():
        k = int(np.argmax(starts[1:] < ends[:-1]))
        raise InvalidParameterError(
            f"{name}: interval {k + 1} starts at {starts[k + 1]}, before interval {k} ends at "
            f"{ends[k]}. Sort them, and join those that overlap."
        )


def _pieces(own: list[FloatArray]) -> tuple[FloatArray, FloatArray, BoolArray]:
    """Return windows in which the same marks are observed: starts, ends, and which, (n, n_lists).

    `own` has the intervals (n, 2) of each mark, or one list of all marks.
    """
    if len(own) == 1:
        return own[0][:, 0], own[0][:, 1], np.ones((len(own[0]), 1), dtype=bool)
    cuts = np.unique(np.concatenate([intervals.ravel() for intervals in own]))
    low, high = cuts[:-1], cuts[1:]
    seen = np.zeros((low.size, len(own)), dtype=bool)
    for i, intervals in enumerate(own):
        k = np.searchsorted(intervals[:, 0], low, side="right") - 1
        seen[:, i] = (k >= 0) & (high <= np.append(intervals[:, 1], -np.inf)[k])
    some = seen.any(axis=1)
    return low[some], high[some], seen[some]


def _places(
    times: FloatArray,
    group: IntArray,
    starts: FloatArray,
    ends: FloatArray,
    owners: IntArray,
    begins: FloatArray,
) -> IntArray:
    """Return the window of each event, -1 of those in none, (n_events,).

    An event at the start of a window is before it, but for one that starts the recording.
    """
    out = np.full(times.size, -1, dtype=np.int64)
    bounds = np.searchsorted(owners, np.arange(begins.size + 1))
    rows = np.searchsorted(group, np.arange(begins.size + 1))
    for r in range(begins.size):
        part, events = slice(*bounds[r : r + 2]), slice(*rows[r : r + 2])
        low, high, own = starts[part], ends[part], times[events]
        k = np.searchsorted(low, own, side="left") - 1
        if low.size and low[0] == begins[r]:
            k[own == low[0]] = 0
        inside = (k >= 0) & (own <= np.append(high, -np.inf)[k])
        out[events] = np.where(inside, bounds[r] + k, -1)
    return out
