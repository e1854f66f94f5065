"""Maximum likelihood and posterior modes of row problems in partitions: a pass a Newton step.

The ascent is that of `hawkeys._plain.rows`, of all rows together. Long data are solved on one
partition first, then on some, so that few steps over all are left.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from hawkeys._design import Design
from hawkeys._loops.choice import is_small
from hawkeys._plain.rows import Climb, Row, certify, climb
from hawkeys._typing import BoolArray, FloatArray
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.methods import Method
from hawkeys.inference.on_disk.rows import PartitionedRows, Sums
from hawkeys.inference.on_disk.task import PartitionedTask
from hawkeys.inference.options import MAPOptions
from hawkeys.inference.priors.conjugate import GammaPrior
from hawkeys.inference.rows.solution import Solution
from hawkeys.kernels import Kernel

__all__ = ["check_prior", "likelihood_at", "solve_partitioned"]

# one partition in so many is solved first, where that is more than twice what was solved before
_LEVELS = 64, 8
# numbers of a partition up to which it is solved by itself: 0.4 GB
_LARGEST = 50_000_000
# nats to gain at most where a part is left for the next
_ROUGH = 0.01
# events of a row from which parts are solved first, and a last step is taken without a start, too
_MANY = 20_000
# nats to gain under which an estimate is right to nine digits, and which passes may be the last
_FINEST, _FURTHER = 1e-19, (False, False, True)


def solve_partitioned(
    rows: PartitionedRows,
    how: tuple[Method, Any],
    *,
    start: FloatArray | None = None,
    keep: bool = True,
) -> Solution:
    """Maximise the objective of every row; all that are not done take each step together.

    A `start` (n_blocks, P) near the maximum spares passes; the maximum is the same. `keep` asks for
    information and traces. Few data are climbed as they are in memory, to the same digits. Of long
    data, which start where their parts lead, what is kept depends neither on the start nor on the
    partitions: it is taken at the maximum itself, in a last pass or two.
    """
    long = rows.task.data.n_events >= _MANY * len(rows.template.cost)
    if start is None and long:
        start = _rough(rows, how)
    return _Ascent(rows, how[1], keep=keep).run(start, polish=long)


def check_prior(task: PartitionedTask, kernel: Kernel, settings: Any) -> None:
    """Refuse penalties that are not linear.

    Raises `InvalidParameterError`.
    """
    template = task.template(kernel)
    cost = np.ones(template.cost.shape)
    if template.excluded is not None:
        cost[template.excluded] = 0.0
    _terms(settings, replace(template, cost=cost))


def likelihood_at(rows: PartitionedRows, settings: Any, solution: Solution) -> float:
    """Return the log-likelihood at a solution, which is the objective without the priors."""
    exponents, rates = _terms(settings, rows.template)
    pulled = solution.identified & (np.broadcast_to(exponents, solution.x.shape) > 0)
    logs = np.log(np.where(pulled, solution.x, 1.0)) @ exponents
    return float((solution.objective - logs + (rates * solution.x).sum(axis=1)).sum())


def _terms(settings: Any, design: Design) -> tuple[FloatArray, FloatArray]:
    """Return exponents and rates of the priors of each column, (P,) and (P,) or (n_blocks, P)."""
    flat = np.zeros(design.n_columns + 1)
    if not isinstance(settings, MAPOptions):
        return flat, flat
    prior = settings.prior
    if isinstance(prior, GammaPrior):
        width = design.n_baselines, design.n_columns + 1 - design.n_baselines
        return np.repeat(prior.exponents(1), width), np.repeat(prior.rates(1), width)
    penalty = prior.terms(design)
    if not penalty.plain:
        raise InvalidParameterError(
            "events on disk are fitted under a GammaPrior or Lasso; got a penalty with squares or "
            f"groups, {type(prior).__name__}. Use one of these, or fit a part: "
            "hawkeys.fit(data.partition(0), ...)."
        )
    return flat, penalty.slope


def _rough(rows: PartitionedRows, how: tuple[Method, Any]) -> FloatArray | None:
    """Return where parts of the data have the maximum; None where data are few."""
    data, size = rows.task.data, rows.shape[1]
    sizes = np.add.reduceat(data.sizes, data.bounds[:-1])[list(rows.numbers)]
    long = [
        k
        for k, n in zip(rows.numbers, (sizes * size).tolist(), strict=True)
        if n <= _LARGEST and not is_small(n)
    ]
    if not long:
        return None
    method, settings = how[0], replace(how[1], tolerance=max(_ROUGH, how[1].tolerance))
    design = rows.task.part(long[0]).design(rows.kernel)
    x = method.solve(design, settings, np.empty(0, np.int64), keep=False).x
    done, total = int(design.counts.sum()), int(sizes.sum())
    for step in _LEVELS:
        some = long[step // 2 :: step]
        share = len(some) / len(long) * total
        if len(some) > 1 and share > 2 * done:
            part = _Ascent(rows.some(some), settings, keep=False)
            x, done = part.run(x).x, int(share)
    return np.asarray(x)


class _Ascent:
    """Newton ascents of all rows, which ask for their sums together."""

    def __init__(self, rows: PartitionedRows, settings: Any, *, keep: bool) -> None:
        n_blocks, size = rows.shape
        self.rows, self.settings = rows, settings
        self.x, self.report = np.zeros((n_blocks, size)), np.zeros((n_blocks, 4))
        self.information = np.zeros((n_blocks, size, size)) if keep else None
        self.traces = np.full((n_blocks, settings.max_iter), np.nan)
        self.each: list[Row] = []
        self.climbs: dict[int, Climb] = {}
        self.points: dict[int, FloatArray] = {}

    def run(self, start: FloatArray | None, *, polish: bool = False) -> Solution:
        """Climb until no row wants more, and with `polish` to the last digits."""
        self._begin(start)
        while self.points:
            for b, z in self.points.items():
                self.x[b] = self.each[b].point(z)
            wanted = np.zeros(len(self.x), dtype=bool)
            wanted[list(self.points)] = True
            self._step(self.rows.sums(self.x, wanted))
        if self.information is not None and polish:
            self._certify(self.information)
        return self._solution()

    def _begin(self, start: FloatArray | None) -> None:
        """Start the ascents, near `start` where that is possible."""
        x, everyone = np.ones(self.x.shape), np.ones(len(self.x), dtype=bool)
        sums = self.rows.sums(x if start is None else start, everyone)
        self._make_rows()
        near = np.zeros(len(x), dtype=bool)
        if start is not None:
            near = np.array([self._is_near(b, start[b], sums) for b in range(len(x))])
            far = ~near & (self.rows.known().counts > 0)
            acts = self.rows.sums(x, far).first > 0 if far.any() else everyone[:, None]
            acts = np.where(near[:, None], sums.first > 0, acts)
        else:
            acts = sums.first > 0
        for b, row in enumerate(self.each):
            if self.rows.known().counts[b] == 0 and not row.has_prior:
                continue
            z = self._flat(row, acts[b])
            if near[b] and start is not None:
                z = np.where(z > 0, start[b] * row.cost, 0.0)
            self.climbs[b] = climb(row, z, self.settings.tolerance, self.traces[b])
            self.points[b] = next(self.climbs[b])
        if near.any():
            self._step(sums, near)

    def _make_rows(self) -> None:
        """Make the row problems, without events, from the facts of the first pass."""
        facts, template = self.rows.known(), self.rows.template
        exponents, rates = _terms(self.settings, template)
        cost = facts.cost + rates
        if template.excluded is not None:
            cost[template.excluded] = 0.0
        for b, count in enumerate(facts.counts):
            row = Row(np.empty((cost.shape[1], 0)), np.empty(0), cost[b], exponents)
            row.total += float(count)
            row.takes_last_step = count >= _MANY and not row.has_prior
            self.each.append(row)

    def _flat(self, row: Row, acts: BoolArray) -> FloatArray:
        """Return the total spread evenly over the coordinates that can gain from it."""
        usable = row.costs & (row.prior | acts)
        share = row.total / max(int(usable.sum()), 1)
        return np.where(usable, np.maximum(share, row.shape), 0.0)

    def _is_near(self, b: int, x: FloatArray, sums: Sums) -> bool:
        """Tell whether the sums at x are those of a point that row problem b may start from."""
        row, acts = self.each[b], sums.first[b] > 0
        possible = bool(np.isfinite(sums.value[b])) and bool(x[row.costs].any())
        return possible and not x[acts & ~row.costs].any() and bool((x[row.prior] > 0).all())

    def _step(self, sums: Sums, which: BoolArray | None = None) -> None:
        """Give the sums to the ascents that wait for them."""
        for b in [b for b in self.points if which is None or which[b]]:
            own = float(sums.value[b]), sums.first[b], sums.second[b]
            try:
                self.points[b] = self.climbs[b].send(own)
            except StopIteration as done:
                z, hessian, self.report[b] = done.value
                row = self.each[b]
                self.x[b] = row.point(z)
                if self.information is not None:
                    self.information[b] = hessian * np.outer(row.cost, row.cost)
                del self.points[b]

    def _certify(self, information: FloatArray) -> None:
        """Take value, gap, violation and information where the ascents ended, in a pass.

        Rows that a further Newton step brings nearer to the maximum take it, in further passes.
        """
        left = np.zeros(len(self.x), dtype=bool)
        left[list(self.climbs)] = True
        for last in _FURTHER:
            sums = self.rows.sums(self.x, left)
            for b in np.flatnonzero(left):
                row, own = self.each[b], (float(sums.value[b]), sums.first[b], sums.second[b])
                z = np.where(row.costs, self.x[b] * row.cost, 0.0)
                hessian, self.report[b, :3], step = certify(row, z, own)
                information[b] = hessian * np.outer(row.cost, row.cost)
                left[b] = _FINEST < self.report[b, 1] <= self.settings.tolerance and not last
                if left[b]:
                    self.x[b] = row.point(np.maximum(z + step, 0.0))
            if not left.any():
                return

    def _solution(self) -> Solution:
        report = self.report
        return Solution(
            x=self.x,
            identified=np.array([row.costs for row in self.each]),
            objective=report[:, 0],
            gap=report[:, 1],
            violation=report[:, 2],
            converged=report[:, 1] <= self.settings.tolerance,
            n_iterations=report[:, 3].astype(np.int64),
            traces=self.traces,
            information=self.information,
        )
