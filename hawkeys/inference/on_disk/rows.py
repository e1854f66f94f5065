"""Maximum likelihood of row problems whose events lie in partitions: a pass over them a step.

The row problems and their ascent are those of `hawkeys._plain.rows`; only their sums over events
are taken partition by partition, all rows in one pass.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple

import numpy as np

from hawkeys._design import Design
from hawkeys._plain.rows import Row, Sums, climb
from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.inference.options import MLEOptions
from hawkeys.inference.rows.solution import Solution
from hawkeys.kernels.base import TAIL

__all__ = ["PartitionedRows", "solve_partitioned"]


class PartitionedRows(NamedTuple):
    """Row problems in partitions.

    `designs` starts a pass over the partitions; `cost` (n_marks, P) and `counts` (n_marks,) are
    sums over all; `acts` (n_marks, P) tells which columns are above 0 at some event.
    """

    designs: Callable[[], Iterable[Design]]
    cost: FloatArray
    counts: IntArray
    acts: BoolArray

    @classmethod
    def of(cls, designs: Callable[[], Iterable[Design]], n_marks: int) -> PartitionedRows:
        """Take the sums that do not depend on the parameters, in one pass."""
        cost, counts = np.zeros((n_marks, n_marks + 1)), np.zeros(n_marks, np.int64)
        acts = np.zeros(cost.shape, dtype=bool)
        acts[:, 0] = True
        for design in designs():
            cost += design.cost
            counts += design.counts
            for b in range(n_marks):
                acts[b, 1:] |= (design.block(b) > 0).any(axis=1)
        # what the windows show next to nothing of neither excites nor costs; see `Design`
        cost[:, 1:][cost[:, 1:] < TAIL * counts] = 0.0
        return cls(designs, cost, counts, acts)

    def alone(self, b: int) -> Row:
        """Return one row problem without its events, whose sums are taken elsewhere."""
        size = self.cost.shape[1]
        row = Row(np.empty((size, 0)), np.empty(0), self.cost[b], np.zeros(size))
        row.total = float(self.counts[b])
        return row

    def sums(self, x: FloatArray, rows: list[int]) -> list[Sums]:
        """Return sum(log lambda), its gradient and minus its Hessian in x, of some rows."""
        size = self.cost.shape[1]
        value = np.zeros(len(self.cost))
        first, second = np.zeros(self.cost.shape), np.zeros((len(self.cost), size, size))
        for design in self.designs():
            for b in rows:
                own = Row(design.rows(b), design.event_weights(b), self.cost[b], np.zeros(size))
                found = own.sums(x[b])
                value[b] += found[0]
                first[b] += found[1]
                second[b] += found[2]
        return [(float(value[b]), first[b], second[b]) for b in rows]


def solve_partitioned(rows: PartitionedRows, options: MLEOptions) -> Solution:
    """Maximise the log-likelihood of every row; all that are not done take each step together."""
    n_blocks, size = rows.cost.shape
    x, report = np.zeros(rows.cost.shape), np.zeros((n_blocks, 4))
    information = np.zeros((n_blocks, size, size))
    traces = np.full((n_blocks, options.max_iter), np.nan)
    each = [rows.alone(b) for b in range(n_blocks)]
    climbs, points = {}, {}
    for b in range(n_blocks):
        if rows.counts[b]:
            usable = each[b].costs & rows.acts[b]
            z = np.where(usable, rows.counts[b] / max(usable.sum(), 1), 0.0)
            climbs[b] = climb(each[b], z, options.tolerance, traces[b])
            points[b] = next(climbs[b])
    while points:
        for b, z in points.items():
            x[b] = each[b].point(z)
        active = list(points)
        for b, found in zip(active, rows.sums(x, active), strict=True):
            try:
                points[b] = climbs[b].send(found)
            except StopIteration as done:
                z, hessian, report[b] = done.value
                x[b] = each[b].point(z)
                information[b] = hessian * np.outer(rows.cost[b], rows.cost[b])
                del points[b]
    return Solution(
        x=x,
        identified=rows.cost > 0,
        objective=report[:, 0],
        gap=report[:, 1],
        violation=report[:, 2],
        converged=report[:, 1] <= options.tolerance,
        n_iterations=report[:, 3].astype(np.int64),
        traces=traces,
        information=information,
    )
