"""`PartitionedBounds`: evidence bounds of row problems in partitions, raised a pass a step.

The ascent is that of `hawkeys._plain.bound_ascent`, of all rows together.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any

import numpy as np

from hawkeys._design import Design
from hawkeys._plain.bound_ascent import Ascent, Ask, EventSums, Problem, climb_row
from hawkeys._plain.variational import sums_over
from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.inference.on_disk.rows import PartitionedRows

__all__ = ["PartitionedBounds"]


@dataclass(frozen=True, eq=False)
class PartitionedBounds:
    """Row problems over partitions as variational inference takes them; see `BoundRows`.

    Attributes
    ----------
    rows : PartitionedRows
        The row problems.
    weight : float
        Factor on the log-likelihood.
    cost : ndarray of float64, shape (n_blocks, P)
        Cost of each column, times the weight.
    acts : ndarray of bool, shape (n_blocks, P)
        Which columns excite an event.
    """

    rows: PartitionedRows
    weight: float
    cost: FloatArray
    acts: BoolArray

    @classmethod
    def of(cls, rows: PartitionedRows, weight: float) -> PartitionedBounds:
        """Return the bounds, after one pass."""
        everyone = np.ones(rows.shape[0], dtype=bool)
        acts = rows.sums(np.ones(rows.shape), everyone).first > 0
        return cls(rows, weight, weight * rows.known().cost, acts & (weight > 0.0))

    @property
    def counts(self) -> IntArray:
        """Number of events of each block, (n_blocks,)."""
        return self.rows.known().counts.astype(np.int64)

    @property
    def amounts(self) -> FloatArray:
        """Total weight of the events of each block, (n_blocks,)."""
        return self.weight * self.rows.known().counts

    @property
    def n_baselines(self) -> int:
        """How many of the first columns are baselines."""
        return self.rows.template.n_baselines

    @property
    def n_blocks(self) -> int:
        """Number of row problems."""
        return len(self.cost)

    @property
    def n_blocks_each(self) -> int:
        """As `n_blocks`: no realisation is alone."""
        return len(self.cost)

    def with_cost(self, cost: FloatArray) -> PartitionedBounds:
        """Return the same row problems with other costs."""
        return replace(self, cost=cost)

    def raise_bound(
        self, prior: FloatArray, draws: FloatArray, start: FloatArray, limits: tuple[float, int]
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Raise every bound; all that are not done take each step together, in one pass."""
        params = start.copy()
        report, traces = np.empty((self.n_blocks, 3)), np.full((self.n_blocks, limits[1]), np.nan)
        ascents: dict[int, Ascent] = {
            b: climb_row(
                self._problem(b, prior, draws), self.acts[b], params[b], limits[0], traces[b]
            )
            for b in range(self.n_blocks)
        }
        asked = {b: _next(one, report[b]) for b, one in ascents.items()}
        while waiting := {b: ask for b, ask in asked.items() if ask is not None}:
            found = self._answers(waiting, draws)
            asked = {b: _next(ascents[b], report[b], sums) for b, sums in found.items()}
        return params, report, traces

    def expected_log(self, draws: FloatArray, params: FloatArray) -> FloatArray:
        """Return the expected log intensities of the events of each block, summed, (n_blocks,)."""
        return self._added(lambda design: design.expected_log(draws, params))

    def bound_curvature(
        self, prior: FloatArray, draws: FloatArray, params: FloatArray
    ) -> FloatArray:
        """Return minus the second derivatives of every bound, (n_blocks, 2 P, 2 P)."""
        size = self.cost.shape[1]
        out = np.full((self.n_blocks, 2 * size, 2 * size), np.nan)
        used = [np.flatnonzero(cost > 0) for cost in self.cost]
        problems = {
            b: self._problem(b, prior, draws).on(idx) for b, idx in enumerate(used) if idx.size
        }
        points = {b: params[b][:, used[b]].ravel() for b in problems}
        found = self._answers({b: one.ask(points[b]) for b, one in problems.items()}, draws)
        for b, sums in found.items():
            both = np.concatenate((used[b], used[b] + size))
            out[b][np.ix_(both, both)] = problems[b].derivatives(points[b], sums)[1]
        return out

    def _problem(self, b: int, prior: FloatArray, draws: FloatArray) -> Problem:
        return Problem(np.empty(0, int), np.concatenate((self.cost[b : b + 1], prior[b])), draws)

    def _answers(self, asked: dict[int, Ask], draws: FloatArray) -> dict[int, EventSums]:
        """Return the sums that some rows ask for, in one pass over the partitions."""

        def one(design: Design) -> list[EventSums]:
            weights = np.full(int(design.counts.max(initial=0)), self.weight)
            return [
                sums_over(design.rows(b), weights[: design.counts[b]], draws, ask)
                for b, ask in asked.items()
            ]

        total = [EventSums.nothing(ask) for ask in asked.values()]
        for found in self.rows.over_designs(one):
            total = [mine + theirs for mine, theirs in zip(total, found, strict=True)]
        return dict(zip(asked, total, strict=True))

    def _added(self, one: Callable[[Design], FloatArray]) -> FloatArray:
        """Return the sum over partitions, times the weight."""
        return self.weight * reduce(np.add, self.rows.over_designs(one))


def _next(ascent: Ascent, report: FloatArray, sums: Any = None) -> Ask | None:
    """Return what an ascent asks next; None, with its report (3,) written, once it is done."""
    try:
        return ascent.send(sums)
    except StopIteration as done:
        report[:] = done.value
        return None
