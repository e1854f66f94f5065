"""Columns of the linear predictor: what is inside a link, by parameter, at events and nodes.

For a process with a link g the predictor of a target is x(t) = sum_p theta_p v_p(t). The columns
v_p are the pieces of the baseline, then the filters by order, source and filter. Between the
moments when an event happens, a lag passes an edge or the baseline changes, they are constant or
smooth, so that the integral of g(x) is a weighted sum over nodes.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hawkeys._plain.exponential import run
from hawkeys._typing import FloatArray, IntArray
from hawkeys.baselines import Baseline, Periodic, PiecewiseConstant
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.process.filters import LogTimeFilters
from hawkeys.process.lag_filters import LagFilters

__all__ = ["N_NODES", "Columns", "Predictor", "changes", "link_at_events", "link_slopes"]

N_NODES = 8
"""Gauss-Legendre nodes between two changes, where an exponential fades by a factor of e or less."""

# beyond, the softplus is its argument's exponential to the last digit
_LOW = -30.0
# of an exponential, after 1, 2, 4, ... 32 of its lengths a stretch is cut for the quadrature
_CUTS = 2.0 ** np.arange(6)
_MOST_NUMBERS = 2e8


class Columns(NamedTuple):
    """The columns of all events and of the nodes between them.

    Attributes
    ----------
    at_events : ndarray of float64, shape (n_events, P)
        Columns just before each event.
    counts : ndarray of bool, shape (n_events,)
        Which events count; the first ones of a realisation may be given.
    at_nodes : ndarray of float64, shape (n_nodes, P)
        Columns at the nodes of the quadrature.
    mass : ndarray of float64, shape (n_nodes,)
        Weights of the nodes, in units of time.
    owner : ndarray of int64, shape (n_nodes,)
        Realisation of each node.
    """

    at_events: FloatArray
    counts: np.ndarray
    at_nodes: FloatArray
    mass: FloatArray
    owner: IntArray


class Predictor(NamedTuple):
    """What the columns are made of.

    Attributes
    ----------
    filters : LagFilters or LogTimeFilters
        Functions of the time since an event.
    memory : int or None
        How many events have an influence; None for all.
    n_orders : int
        1, or as many as `memory` if each order has weights of its own.
    pieces : PiecewiseConstant, Periodic or None
        When the baseline changes; None if it does not.
    """

    filters: LagFilters | LogTimeFilters
    memory: int | None
    n_orders: int
    pieces: Baseline | None

    @property
    def n_pieces(self) -> int:
        """Number of pieces of the baseline."""
        return 1 if self.pieces is None else self.pieces.n_pieces

    @property
    def filters_differ(self) -> bool:
        """Whether each target mark has decays of its own."""
        return isinstance(self.filters, LagFilters) and self.filters.decays.ndim == 2

    def size(self, n_marks: int) -> int:
        """Number of parameters of a target."""
        return self.n_pieces + self.n_orders * n_marks * self.filters.n_filters

    def at(
        self, events: Events, realization: int, times: FloatArray, target: int = 0
    ) -> FloatArray:
        """Return the columns at times of one realisation, events at them not counted, (n, P)."""
        here = slice(events.offsets[realization], events.offsets[realization + 1])
        path = events.times[here], events.marks[here]
        out = np.empty((times.size, self.size(events.n_marks)))
        end = np.full(times.size, events.end_times[realization])
        out[:, : self.n_pieces] = (
            1.0 if self.pieces is None else self.pieces.basis_within(times, end)
        )
        shape = times.size, self.n_orders, events.n_marks, self.filters.n_filters
        if isinstance(self.filters, LagFilters):
            found = _of_all(self.filters, path, events.n_marks, times, target)
        else:
            found = self._of_last(self.filters, path, times, shape)
        out[:, self.n_pieces :] = found.reshape(times.size, out.shape[1] - self.n_pieces)
        return out

    def _of_last(
        self,
        filters: LogTimeFilters,
        path: tuple[FloatArray, IntArray],
        times: FloatArray,
        shape: tuple[int, ...],
    ) -> FloatArray:
        """Return the filters of the last events, (n, orders, sources, filters)."""
        out = np.zeros(shape)
        before = np.searchsorted(path[0], times, side="left")
        for order in range(self.memory or 0):
            rows = np.flatnonzero(before > order)
            which = before[rows] - 1 - order
            layer = np.full(rows.size, order if self.n_orders > 1 else 0)
            found = filters.values(times[rows] - path[0][which])
            np.add.at(out, (rows, layer, path[1][which]), found)
        return out

    def cuts(self, events: Events, realization: int, begin: float, target: int) -> FloatArray:
        """Return the moments from `begin` to the end between which all is smooth."""
        end = float(events.end_times[realization])
        times = events.times[events.offsets[realization] : events.offsets[realization + 1]]
        filters = self.filters
        lags = filters.edges if isinstance(filters, LagFilters) else filters.knots
        moments = [times, (times[:, None] + lags).ravel(), changes(self.pieces, begin, end)]
        found = np.unique(np.concatenate([[begin, end], *moments]))
        found = found[(found >= begin) & (found <= end)]
        if isinstance(filters, LagFilters):
            return _cut_fading(found, filters.decays_of(target))
        return found

    def rule(self, n_nodes: int = N_NODES) -> tuple[FloatArray, FloatArray]:
        """Return nodes and weights on [0, 1] for a stretch between two cuts."""
        filters = self.filters
        if isinstance(filters, LogTimeFilters):
            return filters.rule()
        nodes, weights = np.polynomial.legendre.leggauss(n_nodes if filters.n_decays else 1)
        return 0.5 * (nodes + 1.0), 0.5 * weights

    def columns(
        self, events: Events, target: int = 0, n_given: int = 0, n_nodes: int = N_NODES
    ) -> Columns:
        """Return the columns of all realisations.

        Parameters
        ----------
        events : Events
            The data.
        target : int, default 0
            The target mark, if each has decays of its own.
        n_given : int, default 0
            First events of each realisation that are given: neither they nor the time up to the
            last of them count.
        n_nodes : int, default 8
            Nodes between two cuts, if there are exponentials.

        Returns
        -------
        Columns
            Of all events and nodes.

        Raises
        ------
        InvalidParameterError
            They are more than 2e8 numbers.
        """
        nodes, weights = self.rule(n_nodes)
        rows, at_nodes, mass, owner = [], [], [], []
        place = np.arange(events.n_events) - events.offsets[events.realization]
        total = 0
        for r in range(events.n_realizations):
            times = events.times[events.offsets[r] : events.offsets[r + 1]]
            first = min(n_given, times.size)
            begin = float(times[first - 1]) if first else float(events.start_times[r])
            cuts = self.cuts(events, r, begin, target)
            widths = np.diff(cuts)
            when = (cuts[:-1, None] + widths[:, None] * nodes).ravel()
            total += (when.size + times.size) * self.size(events.n_marks)
            _check_size(total)
            rows.append(self.at(events, r, times, target))
            at_nodes.append(self.at(events, r, when, target))
            mass.append((widths[:, None] * weights).ravel())
            owner.append(np.full(when.size, r))
        joined = [np.concatenate(parts) for parts in (rows, at_nodes, mass, owner)]
        return Columns(joined[0], place >= n_given, *joined[1:])


def _check_size(total: int) -> None:
    if total > _MOST_NUMBERS:
        raise InvalidParameterError(
            f"the columns of the predictor need more than {_MOST_NUMBERS:.0e} numbers. Give fewer "
            "edges, or fewer events at a time: cut the windows and fit a part."
        )


def _of_all(
    filters: LagFilters,
    path: tuple[FloatArray, IntArray],
    n_marks: int,
    times: FloatArray,
    target: int,
) -> FloatArray:
    """Return the filters summed over all events before, (n, sources, filters)."""
    out = np.zeros((times.size, n_marks, filters.n_filters))
    decays = filters.decays_of(target)
    for source in range(n_marks):
        own = path[0][path[1] == source]
        if own.size == 0:
            continue
        if filters.n_steps:
            beyond = np.searchsorted(own, times[:, None] - filters.edges, side="left")
            out[:, source, : filters.n_steps] = beyond[:, :-1] - beyond[:, 1:]
        if decays.size:
            fades = np.exp(-np.diff(own, prepend=own[0])[:, None] * decays)
            state = run(fades, np.ones_like(fades))
            last = np.searchsorted(own, times, side="left") - 1
            since = times - own[np.maximum(last, 0)]
            faded = state[np.maximum(last, 0)] * np.exp(-np.maximum(since, 0.0)[:, None] * decays)
            out[:, source, filters.n_steps :] = np.where(last[:, None] >= 0, faded, 0.0)
    return out


def _cut_fading(cuts: FloatArray, decays: FloatArray) -> FloatArray:
    """Cut stretches that are longer than an exponential: after 1, 2, 4, ... of its lengths."""
    more = [
        (cuts[:-1, None] + reach)[cuts[:-1, None] + reach < cuts[1:, None]]
        for reach in (_CUTS / decay for decay in decays.tolist())
    ]
    return np.unique(np.concatenate([cuts, *more]))


def changes(pieces: Baseline | None, start: float, end: float) -> FloatArray:
    """Return the moments of a window at which a baseline changes."""
    if isinstance(pieces, Periodic):
        first = np.floor((start - pieces.knots[0]) / pieces.period)
        last = np.ceil((end - pieces.knots[0]) / pieces.period)
        rounds = np.arange(first, last + 1.0) * pieces.period
        found = np.sort((pieces.knots + rounds[:, None]).ravel())
    elif isinstance(pieces, PiecewiseConstant):
        found = pieces.knots
    else:
        found = np.empty(0)
    return found[(found > start) & (found < end)]


def link_slopes(x: FloatArray, link: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the intensity at x, its first and its second derivative."""
    if link == "exponential":
        rate = np.exp(x)
        return rate, rate, rate
    rate = np.logaddexp(0.0, x)
    share = np.exp(x - rate)
    return rate, share, share * np.exp(-rate)


def link_at_events(x: FloatArray, link: str) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the log-intensity at x, its derivative, and minus its second derivative."""
    if link == "exponential":
        return x, np.ones_like(x), np.zeros_like(x)
    low = x < _LOW
    rate, first, second = link_slopes(np.maximum(x, _LOW), link)
    slope = first / rate
    log_rate = np.where(low, x, np.log(rate))
    return log_rate, np.where(low, 1.0, slope), np.where(low, 0.0, slope**2 - second / rate)
