"""`PartitionedTask`: events on disk with what is fitted to them, and the memory granted."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import copy_context
from dataclasses import dataclass, field, replace
from functools import partial
from threading import Lock
from typing import Any, TypeVar

import numpy as np

from hawkeys._design import Design
from hawkeys._design.ties import Ties
from hawkeys._threads import in_threads, limit_threads, n_threads
from hawkeys._typing import ArrayLike, BoolArray
from hawkeys._validation import brief
from hawkeys.baselines import Baseline
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.smoothed import refuse_smoothing
from hawkeys.inference.task import Task
from hawkeys.kernels import Kernel
from hawkeys.partitions import PartitionedEvents

__all__ = ["Memory", "PartitionedTask", "bytes_of", "over_partitions"]

T = TypeVar("T")
_UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
# nanoseconds: a partition is worth a thread
_LONG = 1e12


class Memory:
    """Bytes that may be kept from one pass to the next."""

    def __init__(self, granted: int) -> None:
        self.granted, self._left, self._lock = granted, granted, Lock()

    def take(self, size: int) -> bool:
        """Tell whether so many bytes are left, and count them as taken if so."""
        with self._lock:
            fits = size <= self._left
            self._left -= size if fits else 0
        return fits

    def give(self, size: int) -> None:
        """Count so many bytes as free again."""
        with self._lock:
            self._left += size


@dataclass(frozen=True, eq=False)
class PartitionedTask:
    """Events on disk with what is fitted to them; see `Task`.

    Partitions that fit in `memory` are kept once they were read.
    """

    data: PartitionedEvents
    memory: Memory
    model: Task
    kept: dict[int, Events] = field(default_factory=dict)

    @classmethod
    def check(
        cls,
        data: PartitionedEvents,
        support: ArrayLike | None,
        model: Mapping[str, Any],
        memory: Memory,
    ) -> PartitionedTask:
        """Check what `hawkeys.fit` was given; `model` holds its options baseline and tied."""
        task = Task.check(_nothing(data), support, None, model)
        if model.get("baseline") is not None:
            refuse_smoothing(task.baseline, "a fit of events on disk")
            task.baseline.check_windows(data.start_times, data.end_times)
        return cls(data, memory, task)

    @property
    def support(self) -> BoolArray | None:
        """Pairs that may excite, as `Task` has them."""
        return self.model.support

    @property
    def baseline(self) -> Baseline:
        """The baseline, as `Task` has it."""
        return self.model.baseline

    @property
    def ties(self) -> Ties | None:
        """Parameters that are one, as `Task` has them."""
        return self.model.ties

    def events(self, number: int) -> Events:
        """Return a partition."""
        events = self.kept.get(number)
        if events is None:
            events = self.data.partition(number)
            size = events.times.nbytes + events.marks.nbytes + 4 * events.offsets.nbytes
            if self.memory.take(size):
                self.kept[number] = events
        return events

    def part(self, number: int) -> Task:
        """Return what is fitted to a partition."""
        return replace(self.model, events=self.events(number))

    def template(self, kernel: Kernel) -> Design:
        """Return the row problems without events: where the parameters are."""
        return Design.build(
            self.model.events,
            kernel,
            support=self.support,
            baseline=self.baseline,
            ties=self.ties,
        )


def _nothing(data: PartitionedEvents) -> Events:
    """Return the first window without events, which may have values for a productivity."""
    return Events.from_arrays(
        [], np.empty(0, np.int64), start_times=data.start_times[0], end_times=data.end_times[0],
        mark_names=data.mark_names, values=[],
    )  # fmt: skip


def over_partitions(
    task: PartitionedTask, one: Callable[[int], T], numbers: Sequence[int] | None = None
) -> Iterator[T]:
    """Yield ``one(k)`` of all partitions or those numbered, in their order.

    As many are in memory as there are threads. What is summed in that order does not depend on
    their number.
    """
    every = range(task.data.n_partitions) if numbers is None else numbers
    at_once = n_threads()
    for at in range(0, len(every), at_once):
        yield from _side_by_side([partial(one, k) for k in every[at : at + at_once]])


def _side_by_side(calls: list[Callable[[], T]]) -> list[T]:
    """Return what the calls return, each in a thread of its own that works alone."""
    if len(calls) < 2 or n_threads() < 2:
        return [call() for call in calls]
    out: list[Any] = [None] * len(calls)
    contexts = [copy_context() for _ in calls]

    def run(part: tuple[int, int]) -> None:
        for k in range(*part):
            out[k] = contexts[k].run(_alone, calls[k])

    in_threads(run, len(calls), _LONG)
    return out


def _alone(call: Callable[[], T]) -> T:
    with limit_threads(1):
        return call()


def bytes_of(memory: Any) -> int:
    """Return a number of bytes given as such or as a text like "2GB".

    Raises `InvalidParameterError` for anything else.
    """
    if isinstance(memory, int) and not isinstance(memory, bool) and memory >= 0:
        return memory
    found = None
    if isinstance(memory, str):
        found = re.fullmatch(r"\s*(\d+(?:\.\d*)?)\s*([kmgt]?b?)\s*", memory.lower())
    if found is None or (unit := _UNITS.get(found[2])) is None:
        raise InvalidParameterError(
            f"memory must be a number of bytes or a text such as '2GB'; got {brief(memory)}."
        )
    return int(float(found[1]) * unit)
