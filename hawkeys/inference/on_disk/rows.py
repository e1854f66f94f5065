"""Row problems whose events lie in partitions, and their sums over events: a pass over all.

The row problems are those of `hawkeys._design.Design`; of exponential kernels with one decay the
excitations are computed and used at once, and never written out.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import NamedTuple, TypeVar

import numpy as np

from hawkeys._design import Design
from hawkeys._loops.rows import row_sums, shared_sums
from hawkeys._typing import BoolArray, FloatArray
from hawkeys.events import Events
from hawkeys.inference.on_disk.task import PartitionedTask, over_partitions
from hawkeys.kernels import Exponential, Kernel, Productive

__all__ = ["Facts", "PartitionedRows", "Sums"]

T = TypeVar("T")


class Sums(NamedTuple):
    """Sums over events at parameters x: sum log lambda, its gradient and minus its Hessian.

    Of shapes (n_blocks,), (n_blocks, P) and (n_blocks, P, P), all 0 for rows not asked for.
    """

    value: FloatArray
    first: FloatArray
    second: FloatArray


class Facts(NamedTuple):
    """What does not depend on the parameters.

    `cost` (n_blocks, P) as `Design` has it; `counts` (n_blocks,) of events of each row problem,
    `marks` (n_marks,) of each mark, and `strengths` (n_marks,) what these count for as sources.
    """

    cost: FloatArray
    counts: FloatArray
    marks: FloatArray
    strengths: FloatArray


@dataclass(eq=False)
class PartitionedRows:
    """Row problems of some partitions under one kernel.

    Attributes
    ----------
    task : PartitionedTask
        Data and model.
    kernel : Kernel
        Its parameters are given.
    numbers : sequence of int
        Partitions.
    template : Design
        The row problems without events; once `sums` was called, with the costs of all.
    facts : Facts or None
        None until `sums` was called.
    kept : dict
        Designs that memory was granted for, by partition.
    """

    task: PartitionedTask
    kernel: Kernel
    numbers: Sequence[int]
    template: Design
    facts: Facts | None = None
    kept: dict[int, Design] = field(default_factory=dict)

    @classmethod
    def of(cls, task: PartitionedTask, kernel: Kernel) -> PartitionedRows:
        """Return those of all partitions."""
        return cls(task, kernel, range(task.data.n_partitions), task.template(kernel))

    def some(self, numbers: Sequence[int]) -> PartitionedRows:
        """Return those of some partitions."""
        return replace(self, numbers=numbers, template=self.task.template(self.kernel), facts=None)

    @property
    def shape(self) -> tuple[int, int]:
        """Number of row problems, and of columns."""
        n_blocks, size = self.template.cost.shape
        return n_blocks, size

    @property
    def is_shared(self) -> bool:
        """Whether the model is plain and all marks share one decay."""
        kernel = self.kernel
        plain = self.template.is_plain and self.task.model.is_plain
        return plain and isinstance(kernel, Exponential) and kernel.decay.ndim == 0

    def known(self) -> Facts:
        """Return the facts, in a pass of its own if there was none."""
        while self.facts is None:
            self.sums(np.ones(self.shape), np.zeros(len(self.template.cost), dtype=bool))
        return self.facts

    def sums(self, x: FloatArray, wanted: BoolArray) -> Sums:
        """Return the sums at x (n_blocks, P) of the rows wanted, in one pass over the partitions.

        The first pass takes the facts, too. Partitions are added in their order, so that the sums
        do not depend on the number of threads.
        """
        (n_blocks, size), n_marks = self.shape, self.template.n_marks
        value, first = np.zeros(n_blocks), np.zeros((n_blocks, size))
        total = Sums(value, first, np.zeros((n_blocks, size, size)))
        facts = Facts(np.zeros((n_blocks, size)), np.zeros(n_blocks), *np.zeros((2, n_marks)))
        run = partial(self._part, x, wanted)
        for sums, own in over_partitions(self.task, run, self.numbers):
            _add(total, sums)
            if own is not None:
                _add(facts, own)
        if self.facts is None:
            self._learn(facts)
        return total

    def log_likelihood(self, x: FloatArray) -> float:
        """Return the log-likelihood of all events at x (n_blocks, P), in one pass."""
        sums = self.sums(x, np.ones(len(x), dtype=bool))
        return float(sums.value.sum() - (self.known().cost * x).sum())

    def over_designs(self, one: Callable[[Design], T]) -> Iterator[T]:
        """Yield ``one(design)`` of the row problems of each partition, in their order."""

        def of_part(number: int) -> T:
            design = self.kept.get(number)
            if design is None:
                design = self._design(number, self.task.events(number))
            return one(design)

        return over_partitions(self.task, of_part, self.numbers)

    def _part(self, x: FloatArray, wanted: BoolArray, number: int) -> tuple[Sums, Facts | None]:
        """Return the sums over one partition and, in the first pass, its facts."""
        first, design = self.facts is None, self.kept.get(number)
        if design is not None and not first:
            return self._sums_of(design, x, wanted), None
        events = self.task.events(number)
        if self.is_shared:
            arrays = events.times, events.marks, events.offsets
            decay = float(self.kernel.components[0].decay)  # type: ignore[attr-defined]
            sums = Sums(*shared_sums(arrays, decay, x, wanted))
        else:
            design = self._design(number, events) if design is None else design
            sums = self._sums_of(design, x, wanted)
        return sums, self._facts_of(events, design) if first else None

    def _sums_of(self, design: Design, x: FloatArray, wanted: BoolArray) -> Sums:
        data = design.excitation, design.weights, design.offsets
        return Sums(*row_sums(data, x, wanted))

    def _facts_of(self, events: Events, design: Design | None) -> Facts:
        """Return the facts of a partition; `design` may be missing if all marks share a decay."""
        marks = np.bincount(events.marks, minlength=events.n_marks).astype(np.float64)
        if design is not None:
            strengths = marks
            if isinstance(self.kernel, Productive):
                each = self.kernel.productivity.strengths(events)
                strengths = np.bincount(events.marks, each, events.n_marks).astype(np.float64)
            return Facts(design.cost, design.counts.astype(np.float64), marks, strengths)
        time = np.full(events.n_marks, events.durations.sum())
        cost = np.column_stack((time, self.kernel.integrals(events).sum(axis=0)))
        if self.template.excluded is not None:
            cost[self.template.excluded] = 0.0
        return Facts(cost, marks, marks, marks)

    def _design(self, number: int, events: Events) -> Design:
        """Return the row problems of one partition, and keep them if memory is granted."""
        model = self.task.model
        design = Design.build(
            events, self.kernel, support=model.support, baseline=model.baseline, ties=model.ties
        )
        if self.task.memory.take(design.excitation.nbytes):
            self.kept[number] = design
        return design

    def release(self) -> None:
        """Give back the memory of what was kept."""
        for design in self.kept.values():
            self.task.memory.give(design.excitation.nbytes)
        self.kept.clear()

    def _learn(self, facts: Facts) -> None:
        """Keep the facts, without what the windows show next to nothing of; see `Design`."""
        template = replace(self.template, cost=facts.cost)
        if template.may_have_unseen(float(facts.strengths.sum())):
            template = template.without_unseen(facts.strengths[None])
        self.template, self.facts = template, facts._replace(cost=template.cost)


def _add(total: Sums | Facts, part: Sums | Facts) -> None:
    for whole, own in zip(total, part, strict=True):
        whole += own
