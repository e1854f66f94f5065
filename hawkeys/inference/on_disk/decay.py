"""Decays estimated over partitions: the search is that of `hawkeys.inference.decay`."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from hawkeys._loops.choice import usual_form
from hawkeys._loops.decay_slope import log_decay_slopes
from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.decay.errors import Moves, moves_of
from hawkeys.inference.decay.peak import extrapolate, first_events, which_part
from hawkeys.inference.decay.problem import (
    DecayObjective,
    DecayProblem,
    Model,
    bounds_of_lags,
    rising,
    slope_and_bend,
    smallest_lags,
)
from hawkeys.inference.methods import Method
from hawkeys.inference.on_disk.rows import PartitionedRows
from hawkeys.inference.on_disk.solve import solve_partitioned
from hawkeys.inference.on_disk.task import PartitionedTask, over_partitions
from hawkeys.inference.rows.newton import finer_options, solve_mle
from hawkeys.kernels import Exponential

__all__ = ["PartitionedDecays", "moves_over_partitions"]

# numbers of an event: time, mark and, with those of a design, what it takes beside its excitations
_BESIDE = 4
# bytes that a part may take whatever is granted: it is gone when it was searched
_ALWAYS = 50_000_000


@dataclass(frozen=True, eq=False)
class PartitionedDecays(DecayObjective):
    """Events on disk and the method whose objective is maximised over all but the decay."""

    task: PartitionedTask
    method: Method
    settings: Any
    found: dict[float, FloatArray] = field(default_factory=dict)

    @property
    def model(self) -> Model:
        """As `DecayObjective.model`."""
        task, heard = self.task, self._survey[0] > 0
        return Model(task.data.n_marks, task.support, task.ties, heard, task.model.is_plain)

    @cached_property
    def _survey(self) -> tuple[IntArray, FloatArray]:
        """Events of each mark, and the smallest lags, in one pass."""
        task, n_marks = self.task, self.task.data.n_marks

        def one(number: int) -> tuple[IntArray, FloatArray]:
            events = task.events(number)
            return np.bincount(events.marks, minlength=n_marks), smallest_lags(events)

        parts = list(over_partitions(task, one))
        lags = np.sort(np.concatenate([lags for _, lags in parts]))
        return np.sum([counts for counts, _ in parts], axis=0), lags

    @property
    def by_likelihood(self) -> bool:
        """As `DecayObjective.by_likelihood`."""
        return self.method.solve is solve_mle

    def bounds(self) -> tuple[float, float]:
        """As `DecayObjective.bounds`."""
        return bounds_of_lags(self._survey[1], float(self.task.data.durations.max()))

    def part(self, share: float = 0.0) -> DecayProblem | None:
        """As `DecayObjective.part`, in memory; less than `share` where that is not granted."""
        data = self.task.data
        if share > 0.0:
            granted = max(self.task.memory.granted, _ALWAYS)
            most = granted / (8 * (data.n_marks + _BESIDE))
            share = min(share, most / max(data.n_events, 1))
        found = which_part(data.sizes, data.n_marks, share)
        if found is None:
            return None
        rows, wanted = found
        events = self._read(np.arange(data.n_realizations)[rows])
        events = events if wanted is None else first_events(events, wanted)
        task = replace(self.task.model, events=events)
        return DecayProblem(task, self.method, self.settings, None)

    def _read(self, realizations: np.ndarray) -> Events:
        """Return some realisations, in their order."""
        bounds, parts = self.task.data.bounds, []
        owners = np.searchsorted(bounds, realizations, side="right") - 1
        for k in np.unique(owners).tolist():
            parts.append(self.task.events(k)[realizations[owners == k] - bounds[k]])
        return Events.joined(parts)

    def solve(self, decay: ArrayLike) -> tuple[float, FloatArray]:
        """As `DecayObjective.solve`."""
        return self._maximise(decay, self.settings, None)

    def _maximise(
        self, decay: ArrayLike, settings: Any, start: FloatArray | None
    ) -> tuple[float, FloatArray]:
        """Return the same from a start; what is kept for its passes is not for those to come."""
        rows = PartitionedRows.of(self.task, Exponential(decay))
        try:
            solution = solve_partitioned(rows, (self.method, settings), start=start, keep=False)
        finally:
            rows.release()
        return float(solution.objective.sum()), solution.x

    def without_excitation(self) -> float:
        """As `DecayObjective.without_excitation`."""
        size = self.task.data.n_marks
        none = replace(self.task.model, support=np.zeros((size, size), dtype=bool))
        return replace(self, task=replace(self.task, model=none)).value(1.0)

    def held_out(self, decay: FloatArray, n_folds: int) -> float:
        """Refuse: folds are made in memory.

        Raises `InvalidParameterError`.
        """
        raise InvalidParameterError(
            "decays of events on disk are chosen by their likelihood; got "
            "decay_selection='cross-validation'. Leave it out, or choose on a part: "
            "hawkeys.fit(data.partition(0), decay_grid=...)."
        )

    def log_value(self, log_decay: float, *, precise: bool = False) -> float:
        """As `DecayObjective.log_value`."""
        decay, settings = np.exp(log_decay), self.settings
        if not self.by_likelihood:
            return self.value(decay)
        if precise:
            settings = finer_options(settings, int(self._survey[0].min()), weighted=False)
        start = extrapolate(self.found, log_decay)
        value, x = self._maximise(decay, settings, start if start.size else None)
        self.found[log_decay] = x
        return value

    def slopes(self, decay: FloatArray, x: FloatArray) -> FloatArray:
        """As `DecayObjective.slopes`."""
        size = len(x)
        full = usual_form(np.broadcast_to(decay, (size, size)))

        def one(number: int) -> FloatArray:
            events, out = self.task.events(number), np.empty((size, size))
            arrays = events.times, events.marks, events.offsets
            weights = np.ones(events.n_realizations)
            log_decay_slopes(arrays, events.end_times, weights, full, x, out)
            return out

        return np.asarray(sum(over_partitions(self.task, one)))

    def gains(self, logs: FloatArray, x: FloatArray, grid: FloatArray) -> FloatArray:
        """As `DecayObjective.gains`."""

        def one(number: int) -> FloatArray:
            task = self.task.part(number)
            now = task.design(Exponential(np.exp(logs)))
            there = (task.design(Exponential(np.exp(point))) for point in grid)
            return np.array([slope_and_bend(now, design, x) for design in there])

        total = np.asarray(sum(over_partitions(self.task, one)))
        return np.array([rising(*each) for each in total])


def moves_over_partitions(task: PartitionedTask, decay: FloatArray, x: FloatArray) -> list[Moves]:
    """Return B and C of each row problem, as `moves_of` has them, summed over partitions."""

    def one(number: int) -> FloatArray:
        rows = moves_of(task.part(number), 1.0, decay, x)
        return np.array([np.vstack(pair) for pair in rows])

    size = x.shape[1]
    return [(row[:size], row[size:]) for row in np.asarray(sum(over_partitions(task, one)))]
