"""Maximum likelihood of row problems whose events lie in partitions: a pass over them a step.

The row problems and their ascent are those of `hawkeys._plain.rows`; only their sums over events
are taken partition by partition, all rows in one pass.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable
from typing import NamedTuple, TypeAlias

import numpy as np

from hawkeys._design import Design
from hawkeys._plain.rows import gap_bound, newton_step
from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.inference.options import MLEOptions
from hawkeys.inference.rows.solution import Solution
from hawkeys.kernels.base import TAIL

__all__ = ["PartitionedRows", "solve_partitioned"]

_ARMIJO = 1e-4
_SHORTEST = 1e-6
# a gradient of excitation next to nothing, whose square leaves the range of doubles
_SILENT = 1e-60

Sums: TypeAlias = tuple[float, FloatArray, FloatArray]


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

    def sums(self, x: FloatArray, rows: list[int]) -> list[Sums]:
        """Return sum(log lambda), its gradient and minus its Hessian in x, of some rows."""
        size = self.cost.shape[1]
        value = np.zeros(len(self.cost))
        first, second = np.zeros(self.cost.shape), np.zeros((len(self.cost), size, size))
        for design in self.designs():
            for b in rows:
                v = design.rows(b)
                lam = x[b] @ v
                possible = lam > 0
                with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
                    value[b] += np.log(lam).sum() if possible.all() else -np.inf
                    q = v / np.where(possible, lam, np.inf)
                    first[b] += q.sum(axis=1)
                    second[b] += q @ q.T
        return [(float(value[b]), first[b], second[b]) for b in rows]


def solve_partitioned(rows: PartitionedRows, options: MLEOptions) -> Solution:
    """Maximise the log-likelihood of every row; all that are not done take each step together."""
    n_blocks, size = rows.cost.shape
    costs = rows.cost > 0
    unit = np.where(costs, rows.cost, 1.0)
    x, report = np.zeros(rows.cost.shape), np.zeros((n_blocks, 4))
    information = np.zeros((n_blocks, size, size))
    traces = np.full((n_blocks, options.max_iter), np.nan)
    climbs = {}
    for b in range(n_blocks):
        if rows.counts[b] == 0:
            continue
        usable = costs[b] & rows.acts[b]
        z = np.where(usable, rows.counts[b] / max(usable.sum(), 1), 0.0)
        climbs[int(b)] = _climb(
            float(rows.counts[b]), rows.cost[b], z, options.tolerance, traces[b]
        )
    points = {b: next(climb) for b, climb in climbs.items()}
    while points:
        for b, z in points.items():
            x[b] = np.where(costs[b], z / unit[b], 0.0)
        active = list(points)
        for b, found in zip(active, rows.sums(x, active), strict=True):
            try:
                points[b] = climbs[b].send(found)
            except StopIteration as done:
                z, hessian, report[b] = done.value
                x[b] = np.where(costs[b], z / unit[b], 0.0)
                information[b] = hessian * np.outer(rows.cost[b], rows.cost[b])
                del points[b]
    return Solution(
        x=x,
        identified=costs,
        objective=report[:, 0],
        gap=report[:, 1],
        violation=report[:, 2],
        converged=report[:, 1] <= options.tolerance,
        n_iterations=report[:, 3].astype(np.int64),
        traces=traces,
        information=information,
    )


def _climb(
    total: float, cost: FloatArray, z: FloatArray, tolerance: float, trace: FloatArray
) -> Generator[FloatArray, Sums, tuple[FloatArray, FloatArray, tuple[float, float, float, int]]]:
    """Newton ascent of one row from z: yields points, is sent the sums there.

    Returns z, the negative Hessian in z, and (value, gap, violation, steps).
    """
    costs = cost > 0
    unit = np.where(costs, cost, 1.0)
    value, gap, promised, length = -np.inf, np.inf, 0.0, 1.0
    before, step, iteration = z, np.zeros(z.size), 0
    slope, hessian = np.zeros(z.size), np.zeros((z.size, z.size))
    while iteration < trace.size:
        log_total, first, second = yield z
        new = log_total - float(z[costs].sum())
        slope = np.where(costs & (first > _SILENT * cost), first / unit, 0.0)
        scale = np.where(slope > 0, 1.0 / unit, 0.0)
        hessian = second * scale[:, None] * scale
        if length > 0.0 and not new >= value + _ARMIJO * length * promised:
            length = 0.5 * length if length > _SHORTEST else 0.0
            z = np.maximum(before + length * step, 0.0)
            continue
        value = trace[iteration] = new
        iteration += 1
        lower = np.where(costs, -z, 1.0)  # 1: never enters
        stuck = length == 0.0  # no length of the Newton step helped: expectation-maximisation
        step = newton_step(hessian, slope, lower, costs & ((z > 0) | (slope > 1)))
        gap = gap_bound(total, slope, z, step, hessian)
        if gap <= tolerance:
            break
        length = -1.0 if stuck else 1.0
        before, promised = z, float((slope - 1.0) @ step)
        z = z * slope if stuck else np.maximum(z + step, 0.0)
    excess = slope - 1.0
    violation = max(0.0, float(excess.max()), float((z / total * np.abs(excess)).max()))
    return z, hessian, (value, gap, violation, iteration)
