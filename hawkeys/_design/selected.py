"""`SelectedRows`: row problems of many marks, whose columns are written out as they are chosen.

All excitations of a million events by a thousand marks take 8 GB, and nearly all of them belong to
pairs that end at 0. Here the events of one target and a few sources make columns, and what all the
other sources are worth to a target is summed without any.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hawkeys._design.design import Design
from hawkeys._loops import over_time as loops
from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.events import Events
from hawkeys.kernels import Exponential

__all__ = ["SelectedRows"]

# numbers that are written out at once where decays differ
_MOST_NUMBERS = 4_000_000


@dataclass(frozen=True, eq=False)
class SelectedRows:
    """The plain row problems of `Design` under an exponential kernel, all realisations pooled.

    Attributes
    ----------
    events : Events
        The data.
    kernel : Exponential
        Its decays are given.
    cost : ndarray of float64, shape (n_marks, n_marks + 1)
        As `Design` has it, 0 for what is held at 0.
    weights : ndarray of float64, shape (n_events,), or None
        Likelihood weight of each event as `events` orders them; None if all are 1.
    by_mark : tuple of ndarray
        Times and realisations of the events ordered by mark, and where each mark begins.
    order : ndarray of int64, shape (n_events,)
        The events in that order.
    fades : ndarray of float64, shape (n_events,) or (0,)
        What is left of an excitation after the event before; empty if decays differ.
    """

    events: Events
    kernel: Exponential
    cost: FloatArray
    weights: FloatArray | None
    by_mark: tuple[FloatArray, IntArray, IntArray]
    order: IntArray
    fades: FloatArray

    @classmethod
    def build(
        cls,
        events: Events,
        kernel: Exponential,
        *,
        realization_weights: FloatArray | None = None,
        support: BoolArray | None = None,
    ) -> SelectedRows:
        """Sum the costs and order the events; pairs outside `support` cost nothing.

        `realization_weights` (n_realizations,) multiply the log-likelihood of each realisation.
        """
        size, weights = events.n_marks, None
        scale = np.ones(events.n_realizations)
        if realization_weights is not None:
            scale = realization_weights
            weights = scale[events.realization]
        cost = np.empty((size, size + 1))
        cost[:, 0] = scale @ events.durations
        cost[:, 1:] = _summed_integrals(events, kernel, scale)
        if support is not None:
            cost[:, 1:][~support] = 0.0
        order = np.argsort(events.marks, kind="stable")
        bounds = np.searchsorted(events.marks[order], np.arange(size + 1))
        by_mark = events.times[order], events.realization[order], bounds
        shared = kernel.decay.ndim == 0
        fades = loops.fades(events.times, float(kernel.decay)) if shared else np.empty(0)
        return cls(events, kernel, cost, weights, by_mark, order, fades)

    @property
    def n_marks(self) -> int:
        """Number of marks."""
        return self.events.n_marks

    @property
    def counts(self) -> IntArray:
        """Events of each mark, (n_marks,)."""
        return np.diff(self.by_mark[2])

    def outline(self) -> Design:
        """Return the row problems without events: costs, and where the parameters are."""
        size = self.n_marks
        none, offsets = np.empty(0), np.zeros(size + 1, np.int64)
        return Design(none, none, offsets, self.cost, size)

    def with_outline(self, design: Design) -> SelectedRows:
        """Return the same with the costs of a design."""
        return replace(self, cost=design.cost)

    def where(self, target: int) -> IntArray:
        """Return which events are of the target, in the order of its columns."""
        bounds = self.by_mark[2]
        return self.order[bounds[target] : bounds[target + 1]]

    def event_weights(self, target: int) -> FloatArray:
        """Return the likelihood weight of each event of the target; empty if all are 1."""
        return np.empty(0) if self.weights is None else self.weights[self.where(target)]

    def columns(self, target: int, sources: IntArray) -> FloatArray:
        """Return the excitations of a target by chosen sources, (n_sources, events of it)."""
        return loops.selected_excitation(
            self.by_mark, target, sources, self._decays(target)[sources]
        )

    def problem(self, target: int, columns: FloatArray, cost: FloatArray) -> Design:
        """Return the row problem of one target over some columns (n, events), of costs (n + 1,)."""
        return Design(
            columns.ravel(),
            self.event_weights(target),
            np.array([0, columns.shape[1]]),
            cost[None],
            len(columns),
        )

    def pulls(self, targets: IntArray, residuals: FloatArray) -> FloatArray:
        """Return sum_k residuals[k] c_jk over the events of each target, for every source.

        Shape (n_targets, n_marks); `residuals` (n_events,) as `events` orders them. No excitation
        is written out if all marks share a decay, else those of some sources at a time.
        """
        if self.fades.size:
            events = self.events.times, self.events.marks, self.events.offsets
            decay = float(self.kernel.decay)
            return decay * loops.pulls(events, self.fades, targets, residuals, self.n_marks)
        out = np.empty((targets.size, self.n_marks))
        for row, target in zip(out, targets.tolist(), strict=True):
            own = residuals[self.where(target)]
            step = max(1, _MOST_NUMBERS // max(own.size, 1))
            for first in range(0, self.n_marks, step):
                some = np.arange(first, min(first + step, self.n_marks))
                row[some] = self.columns(target, some) @ own
        return out

    def log_likelihood(self, x: FloatArray) -> FloatArray:
        """Return the log-likelihood of each row at x (n_marks, n_marks + 1), (n_marks,)."""
        out = -(self.cost * x).sum(axis=1)
        for target, own in enumerate(x):
            sources = np.flatnonzero(own[1:])
            rates = own[0] + own[1:][sources] @ self.columns(target, sources)
            weights = self.event_weights(target)
            with np.errstate(divide="ignore"):
                logs = np.log(rates)
            out[target] += weights[weights > 0] @ logs[weights > 0] if weights.size else logs.sum()
        return out

    def _decays(self, target: int) -> FloatArray:
        """Return the decay of each source's influence on the target, (n_marks,)."""
        decay = self.kernel.decay
        return decay[target] if decay.ndim == 2 else np.full(self.n_marks, decay)


def _summed_integrals(events: Events, kernel: Exponential, scale: FloatArray) -> FloatArray:
    """Return the weighted kernel integrals, (n_marks, n_marks), realisations a few at a time."""
    size = events.n_marks
    if kernel.decay.ndim < 2:
        return np.broadcast_to(scale @ kernel.integrals(events)[:, 0], (size, size))
    out, step = np.zeros((size, size)), max(1, _MOST_NUMBERS // size**2)
    for first in range(0, events.n_realizations, step):
        part = slice(first, first + step)
        out += np.tensordot(scale[part], kernel.integrals(events[part]), axes=1)
    return out
