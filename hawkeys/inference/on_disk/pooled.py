"""`hawkeys.fit` of events on disk: one process for all partitions, of which one is in memory."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

from hawkeys._design import Design
from hawkeys._typing import ArrayLike, BoolArray
from hawkeys._validation import brief
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.examine import examine
from hawkeys.inference.identify import warn_about_fit
from hawkeys.inference.methods import METHODS, make_options, name_of_method
from hawkeys.inference.on_disk.rows import PartitionedRows, solve_partitioned
from hawkeys.inference.outcome import plain_result
from hawkeys.inference.task import check_support
from hawkeys.kernels import DelayedKernel, Kernel
from hawkeys.partitions import PartitionedEvents
from hawkeys.process.hawkes import choose_kernel
from hawkeys.results import LikelihoodResult

__all__ = ["fit_partitions"]

_UNITS = {"": 1, "kb": 10**3, "mb": 10**6, "gb": 10**9, "tb": 10**12}
_MEMORY = "1GB"


def fit_partitions(
    data: PartitionedEvents,
    *,
    decay: ArrayLike | str | None,
    kernel: Kernel | None,
    method: str,
    support: ArrayLike | None,
    options: dict[str, Any],
) -> LikelihoodResult:
    """Fit one process by maximum likelihood, each Newton step in one pass over the partitions.

    Parameters
    ----------
    data : PartitionedEvents
        Events on disk.
    decay : float or array_like, shape (), (n_marks,) or (n_marks, n_marks), or None
        As for `hawkeys.fit`, but given.
    kernel : Kernel or None
        As for `hawkeys.fit`, its parameters given, of one component.
    method : str
        "mle".
    support : array_like of bool, shape (n_marks, n_marks), or None
        As for `hawkeys.fit`.
    options : dict
        `tolerance` and `max_iter` of `MLEOptions`, and `memory`: how much the excitations may take
        to be kept from one pass to the next, such as "2GB" or a number of bytes; what does not fit
        is computed anew in each pass. Default: "1GB".

    Returns
    -------
    LikelihoodResult
        As of all events in memory.

    Raises
    ------
    InvalidParameterError
        Anything else than that is asked for.
    InvalidEventsError
        A partition is damaged.

    Warns
    -----
    EventsWarning, IdentifiabilityWarning, ConvergenceWarning
        As `hawkeys.fit`; the window, the unit and the clock are judged by the first partition.
    """
    rest = dict(options)
    most = _bytes_of(rest.pop("memory", _MEMORY))
    if name_of_method(method) != "mle" or isinstance(decay, str):
        raise InvalidParameterError(
            f"events on disk are fitted by method 'mle' with a decay or kernel that is given; got "
            f"method {method!r}, decay {brief(decay)}. Choose on a part first, for example with "
            "hawkeys.fit(data.partition(0), decay='estimate'), and give what it finds."
        )
    excitation = choose_kernel(decay, kernel)
    parts = excitation.components
    if (isinstance(excitation, DelayedKernel) and not excitation.known) or len(parts) > 1:
        raise InvalidParameterError(
            "events on disk are fitted with one kernel whose parameters are given; got "
            f"{brief(excitation)}. Estimate it on a part, hawkeys.fit(data.partition(0), "
            "kernel=...)."
        )
    parts[0].check_marks(data.n_marks)
    settings = make_options(METHODS["mle"].options, rest, "a fit of events on disk")
    allowed = check_support(support, data.n_marks)
    admitted = None if support is None else allowed
    rows = PartitionedRows.of(_Designs(data, excitation, admitted, most), data.n_marks)
    solution = solve_partitioned(rows, settings)
    found = plain_result(data, rows.counts, excitation, solution, (METHODS["mle"], settings))
    if support is not None:
        found = replace(found, options={**found.options, "support": allowed})
    warn_about_fit(found, solution.converged, data, allowed, rows.cost[:, 1:])
    return found


class _Designs:
    """Row problems of each partition, kept from pass to pass as far as they fit in memory."""

    def __init__(
        self, data: PartitionedEvents, kernel: Kernel, support: BoolArray | None, most: int
    ) -> None:
        self._data, self._kernel, self._support, self._most = data, kernel, support, most
        self._kept: dict[int, Design] = {}
        self._passes = 0

    def __call__(self) -> Iterable[Design]:
        self._passes += 1
        return self._pass(first=self._passes == 1)

    def _pass(self, *, first: bool) -> Iterator[Design]:
        for k in range(self._data.n_partitions):
            design = self._kept.get(k)
            if design is None:
                design = self._build(k, first=first)
            yield design

    def _build(self, k: int, *, first: bool) -> Design:
        events = self._data.partition(k)
        if first and k == 0:
            examine(events, self._kernel)
        design = Design.build(events, self._kernel, support=self._support)
        size = design.excitation.nbytes
        if first and size <= self._most:
            self._most -= size
            self._kept[k] = design
        return design


def _bytes_of(memory: Any) -> int:
    """Return a number of bytes given as such or as a text like "2GB"."""
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
