"""Kernels of events on disk that count by their values."""

from __future__ import annotations

from typing import Any

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys._validation import brief
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError
from hawkeys.kernels import Kernel, Productive
from hawkeys.partitions import PartitionedEvents
from hawkeys.process.hawkes import with_productivity
from hawkeys.productivity import EmpiricalValues, Productivity, as_productivity

__all__ = ["with_values"]

# values that differ, of which a law of the data may have so many
_MOST = 100_000


def with_values(data: PartitionedEvents, kernel: Kernel | None, productivity: Any) -> Kernel | None:
    """Return a kernel whose events count with a productivity, if there is one.

    What was left out of it, v0 and the law of the values, is that of the data, in one pass. Raises
    `InvalidParameterError` for what takes the events in memory.
    """
    if isinstance(kernel, Productive):
        if productivity is not None:
            with_productivity(kernel, productivity)  # refuses two
        productivity, kernel = kernel.productivity, kernel.kernel
    if productivity is None:
        return kernel
    productivity = as_productivity(productivity)
    if kernel is None or productivity.a is None:
        raise InvalidParameterError(
            "of events on disk the productivity's a, and the decay or kernel beside it, are given; "
            f"got {brief(productivity)}"
            f"{' and a decay to be estimated' if kernel is None else ''}. Estimate them on a part, "
            "hawkeys.fit(data.partition(0), ...), and give them."
        )
    return with_productivity(kernel, _filled(data, productivity))


def _filled(data: PartitionedEvents, productivity: Productivity) -> Productivity:
    """Return the productivity with v0 and law of the data, where they were left out."""
    if productivity.law is not None and productivity.v0 is not None:
        return productivity
    values, counts = np.empty(0), np.empty((data.n_marks, 0))
    for number, events in enumerate(data):
        if events.n_events == 0:
            continue
        if events.values is None:
            raise InvalidEventsError(
                f"{data.path}, partition {number}: a productivity depends on the values of the "
                "events, and these have none. Write events that were read with values=."
            )
        own = EmpiricalValues.of(events)
        values, counts = _merged((values, counts), (own.values, own.counts))
        if productivity.law is None and values.size > _MOST:
            raise InvalidParameterError(
                f"the events have more than {_MOST} different values, too many for a law of the "
                "data. Give one, such as law=hawkeys.productivity.ExponentialValues(mean)."
            )
        if productivity.law is not None:
            values, counts = values[:1], counts[:, :1]  # v0 alone is wanted
    if not values.size:
        raise InvalidEventsError(f"{data.path}: there is no event, and none has a value.")
    law = EmpiricalValues(values, counts) if productivity.law is None else productivity.law
    v0 = float(values[0]) if productivity.v0 is None else productivity.v0
    filled: Productivity = productivity.replaced(law=law, v0=v0)
    return filled


def _merged(
    one: tuple[FloatArray, FloatArray], other: tuple[FloatArray, FloatArray]
) -> tuple[FloatArray, FloatArray]:
    """Return values, in order, and their counts by mark (n_marks, n), of both."""
    values = np.union1d(one[0], other[0])
    counts = np.zeros((len(one[1]), values.size))
    for own, number in (one, other):
        counts[:, np.searchsorted(values, own)] += number
    return values, counts
