"""`EventCounts`: how many events fell into each bin of time, where the times are not known."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from hawkeys._typing import FloatArray, IntArray
from hawkeys._validation import as_float_array, brief, check_positive_number
from hawkeys.events._checks import as_names
from hawkeys.events.clock import check_unit
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError

__all__ = ["EventCounts", "read_counts", "refuse_counts"]


@dataclass(frozen=True, eq=False, repr=False)
class EventCounts:
    """Counts of events by bin and mark, of one or many realisations; `hawkeys.fit` takes them.

    Built by `hawkeys.Events.from_counts`. The times within the bins are unknown, so that only a fit
    can be made of them; all that needs times refuses them.

    Attributes
    ----------
    counts : tuple of ndarray of int64, shape (n_bins, n_marks), one per realisation
        Events of each mark in each bin.
    edges : tuple of ndarray of float64, shape (n_bins + 1,), one per realisation
        Bin b lasts from ``edges[b]`` to ``edges[b + 1]``; the bins fill the window.
    mark_names : tuple of str, length n_marks
        Label of each mark.
    unit : str or None
        Unit of time of the edges, if it was told.
    n_events, n_marks, n_realizations : int
        Numbers of events, marks and realisations.
    durations : ndarray of float64, shape (n_realizations,)
        Length of each window.

    Examples
    --------
    >>> import hawkeys
    >>> hawkeys.Events.from_counts([3, 0, 1, 2], width=1.0, unit="day")
    EventCounts(n_events=6, n_bins=4, n_marks=1, n_realizations=1, unit='day')
    """

    counts: tuple[IntArray, ...]
    edges: tuple[FloatArray, ...]
    mark_names: tuple[str, ...]
    unit: str | None = None
    n_events: int = field(init=False)
    n_marks: int = field(init=False)
    n_realizations: int = field(init=False)
    durations: FloatArray = field(init=False)

    def __post_init__(self) -> None:
        for name, value in (
            ("n_events", int(sum(one.sum() for one in self.counts))),
            ("n_marks", len(self.mark_names)),
            ("n_realizations", len(self.counts)),
            ("durations", np.array([edges[-1] - edges[0] for edges in self.edges])),
        ):
            object.__setattr__(self, name, value)

    @property
    def totals(self) -> IntArray:
        """Events of each mark, shape (n_marks,)."""
        return np.sum([one.sum(axis=0) for one in self.counts], axis=0)

    def __repr__(self) -> str:
        unit = "" if self.unit is None else f", unit={self.unit!r}"
        return (
            f"EventCounts(n_events={self.n_events}, n_bins={sum(map(len, self.counts))}, "
            f"n_marks={self.n_marks}, n_realizations={self.n_realizations}{unit})"
        )


def read_counts(
    counts: Any,
    edges: Any,
    width: float | None,
    start_time: float,
    mark_names: Iterable[object] | None,
    unit: str | None,
) -> EventCounts:
    """Return checked counts; arguments and what it raises as of `hawkeys.Events.from_counts`."""
    several = _are_several(counts)
    parts = list(counts) if several else [counts]
    if not parts:
        raise InvalidEventsError("there are no counts: got an empty list of realisations.")
    where = [f"realization {r}: " if several else "" for r in range(len(parts))]
    tables = tuple(_table(part, place) for part, place in zip(parts, where, strict=True))
    sizes = {table.shape[1] for table in tables}
    if len(sizes) > 1:
        raise InvalidEventsError(
            f"all realisations must count the same marks; got {sorted(sizes)} columns."
        )
    if mark_names is None:
        mark_names = getattr(parts[0], "columns", range(sizes.pop()))
    names = as_names(mark_names)
    if len(names) != tables[0].shape[1]:
        raise InvalidEventsError(
            f"mark_names has {len(names)} names for {tables[0].shape[1]} columns of counts."
        )
    bins = _bins(edges, width, start_time, [len(table) for table in tables])
    checked = tuple(_edges(*one) for one in zip(bins, tables, where, strict=True))
    return EventCounts(tables, checked, names, None if unit is None else check_unit(unit))


def refuse_counts(data: Any) -> None:
    """Refuse `EventCounts` where times are needed."""
    if isinstance(data, EventCounts):
        raise InvalidEventsError(
            "these are counts by bins, of EventCounts, and times are needed here: of counts only "
            "hawkeys.fit makes something (by 'mle', with an exponential kernel)."
        )


def _are_several(counts: Any) -> bool:
    """Tell a list of tables, (n_bins, n_marks) each, from one table or column of counts."""
    if hasattr(counts, "ndim"):
        return bool(counts.ndim == 3)
    if not isinstance(counts, list | tuple) or not counts:
        return False
    return all(np.ndim(part) == 2 for part in counts)


def _table(counts: Any, where: str) -> IntArray:
    """Return counts of one realisation as whole numbers, (n_bins, n_marks)."""
    found = as_float_array(counts, f"{where}counts")
    if found.ndim == 1:
        found = found[:, None]
    if found.ndim != 2 or found.size == 0:
        raise InvalidEventsError(
            f"{where}counts must have shape (n_bins,) or (n_bins, n_marks), several realisations a "
            f"list of (n_bins, n_marks); got shape {found.shape}."
        )
    wrong = np.argwhere((found < 0) | (found != np.floor(found)) | (found > 2**53))
    if wrong.size:
        b, m = wrong[0]
        raise InvalidEventsError(
            f"{where}counts must be whole numbers of events, at least 0; got {found[b, m]:g} in "
            f"bin {b} of mark {m}. Rates must be multiplied by the width of the bin."
        )
    table = found.astype(np.int64)
    table.flags.writeable = False
    return table


def _bins(edges: Any, width: float | None, start: float, sizes: Sequence[int]) -> list[FloatArray]:
    """Return the edges of the bins of each realisation."""
    if (edges is None) == (width is None):
        raise InvalidParameterError(
            "give either edges= (n_bins + 1 times) or width= of the bins (with start_time=); got "
            f"{'neither' if edges is None else 'both'}."
        )
    if width is not None:
        step = check_positive_number(width, "width")
        begin = float(as_float_array(start, "start_time"))
        return [begin + step * np.arange(size + 1, dtype=np.float64) for size in sizes]
    if isinstance(edges, list | tuple) and edges and np.ndim(edges[0]) == 1:
        if len(edges) != len(sizes):
            raise InvalidEventsError(
                f"edges has {len(edges)} lists for {len(sizes)} realisations; give one for each, "
                "or one for all."
            )
        return [as_float_array(one, "edges") for one in edges]
    return [as_float_array(edges, "edges")] * len(sizes)


def _edges(edges: FloatArray, table: IntArray, where: str) -> FloatArray:
    if edges.shape != (len(table) + 1,):
        raise InvalidEventsError(
            f"{where}{len(table)} bins have {len(table) + 1} edges; got shape {edges.shape}."
        )
    falls = np.flatnonzero(~(np.diff(edges) > 0))
    if falls.size:
        b = int(falls[0])
        raise InvalidEventsError(
            f"{where}edges must increase; edges[{b + 1}]={brief(float(edges[b + 1]))} is not above "
            f"edges[{b}]={brief(float(edges[b]))}."
        )
    own = edges.copy()
    own.flags.writeable = False
    return own
