"""Row problems of many marks, solved over the few columns that matter and certified over all.

Most pairs of a thousand marks end at 0, and a penalty makes that sure. A column that is at 0 stays
there as long as its gradient is below its cost, as it is of a pair that is never within reach. So
each row problem is solved over a working set of columns; then one pass over the events sums the
gradients of all columns at the solution; those above their cost join the set. What is still to gain
is at the end bounded by the duality gap with all columns in it (see `hawkeys._jit.penalized`), so
that nothing rests on how the sets were found.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np

from hawkeys._design import SelectedRows
from hawkeys._loops.choice import compiled_only
from hawkeys._threads import in_threads
from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.inference.options import MLEOptions
from hawkeys.inference.priors.penalty_terms import PenaltyTerms
from hawkeys.inference.rows.newton import solve_penalty
from hawkeys.inference.rows.solution import Solution
from hawkeys.results.row_matrices import RowMatrices

__all__ = ["RowState", "SelectedTile", "Stage", "over_tiles", "solve_selected"]

# targets that are looked at in one pass over the events
_LANES = 32
# columns up to which all of a row are in its set from the start, and most that join at first
_FEW, _JOIN = 32, 8
# Newton steps at the end, and the violation that they leave at most
_POLISH, _POLISHED = 4, 1e-14
# a step that promises less than so many nats ends at the top
_NEAR = 0.01
_RIDGE = 1e-12
# times that a row is solved once more, more finely, where no column is left to join
_AGAIN = 3
# nanoseconds: a tile is worth a thread
_LONG = 1e12


class Stage(NamedTuple):
    """One problem of each target.

    `terms` is the penalty by column, its adjacency multiplied by `factor`; ``free[target]``
    (n_marks + 1,) tells which columns may be above 0, None all that cost something.
    """

    terms: PenaltyTerms
    factor: float = 1.0
    free: BoolArray | Mapping[int, BoolArray] | None = None

    def of(self, rows: SelectedRows, target: int) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Return a target's costs without and with the penalty, and its ridge, (n_marks + 1,)."""
        data, slope = rows.cost[target].copy(), self.terms.slope[target].copy()
        ridge = self.terms.ridge[target].copy()
        slope[1:] *= self.factor
        ridge[1:] *= self.factor
        if self.free is not None:
            for one in (data, slope, ridge):
                one[~self.free[target]] = 0.0
        return data, data + slope, ridge


@dataclass
class RowState:
    """One row problem on its way, and where it ended.

    `x`, `working` (may be above 0), `slope` (sum of w v / lambda), `data` (costs without the
    penalty), `cost` and `ridge` have shape (n_marks + 1,); `rates` and `residuals`, w / lambda, are
    those of the target's events. `information` is of the columns `index`, those above 0.
    """

    target: int
    x: FloatArray
    working: BoolArray
    data: FloatArray
    cost: FloatArray
    ridge: FloatArray
    slope: FloatArray
    rates: FloatArray
    residuals: FloatArray
    value: float = 0.0
    gap: float = 0.0
    violation: float = 0.0
    n_finer: int = 0
    trace: list[float] = field(default_factory=list)
    index: IntArray = field(default_factory=lambda: np.empty(0, np.int64))
    information: FloatArray = field(default_factory=lambda: np.empty((0, 0)))

    @property
    def log_likelihood(self) -> float:
        """The log-likelihood of the row: `value` without what the penalty takes off."""
        penalty = (self.cost - self.data) @ self.x + 0.5 * (self.ridge @ self.x**2)
        return self.value + float(penalty)

    @property
    def is_whole(self) -> bool:
        """Whether all columns that cost something are in the working set."""
        return bool((self.working | (self.cost <= 0.0)).all())

    def admit(self, wanted: BoolArray) -> bool:
        """Let the columns of the steepest gradients among those wanted join; tell if any did."""
        out = np.flatnonzero(wanted & ~self.working & (self.cost > 0.0))
        most = max(_JOIN, 2 * int(self.working.sum()))
        steep = self.slope[out] / self.cost[out]
        self.working[out[np.argsort(-steep, kind="stable")[:most]]] = True
        return out.size > 0

    def certify(self, total: float) -> None:
        """Bound what is to gain, in nats, and the violation, over all columns; see the module."""
        cost, slope, ridge, x = self.cost, self.slope, self.ridge, self.x
        linear = (cost > 0.0) & (ridge == 0.0) & (slope > 0.0)
        factor = min(1.0, float((cost[linear] / slope[linear]).min(initial=1.0)))
        gap = -total * (1.0 + math.log(factor)) + cost @ x + 0.5 * (ridge @ x**2)
        bent = ridge > 0.0
        above = np.maximum(factor * slope[bent] - cost[bent], 0.0)
        self.gap = max(float(gap + 0.5 * (above**2 / ridge[bent]).sum()), 0.0)
        costs = cost > 0.0
        pull = (slope[costs] - ridge[costs] * x[costs]) / cost[costs] - 1.0
        share = cost[costs] * x[costs] / total
        self.violation = float(np.maximum(pull, share * np.abs(pull)).max(initial=0.0))


class _Columns:
    """The columns of one target that were written out so far."""

    def __init__(self, rows: SelectedRows, target: int) -> None:
        self._rows, self._target = rows, target
        self._slot = np.full(rows.n_marks, -1)
        self._held = np.empty((0, int(rows.counts[target])))

    def of(self, sources: IntArray) -> FloatArray:
        """Return those of some sources, (n_sources, events of the target)."""
        new = sources[self._slot[sources] < 0]
        if new.size:
            self._slot[new] = len(self._held) + np.arange(new.size)
            self._held = np.concatenate((self._held, self._rows.columns(self._target, new)))
        return self._held[self._slot[sources]]


class SelectedTile:
    """Row problems of some targets, whose gradients are summed in one pass over the events."""

    def __init__(self, rows: SelectedRows, targets: IntArray) -> None:
        self.rows, self.targets = rows, targets
        self._columns = [_Columns(rows, target) for target in targets.tolist()]

    def using(self, rows: SelectedRows) -> SelectedTile:
        """Return the same targets with other weights or costs of the same events."""
        out = SelectedTile(rows, self.targets)
        out._columns = self._columns
        return out

    def solve(
        self, stage: Stage, options: MLEOptions, before: list[RowState] | None = None
    ) -> list[RowState]:
        """Return the optimum of each target, from where `before` ended if that is given."""
        states = [
            self._begin(int(target), stage, None if before is None else before[q])
            for q, target in enumerate(self.targets)
        ]
        pending = [q for q, one in enumerate(states) if self._weights(one.target).any()]
        if before is None:
            self._look([states[q] for q in pending if not states[q].is_whole])
        for q in pending:
            states[q].admit(states[q].slope > states[q].cost)
        while pending:
            for q in pending:
                self._solve_one(q, states[q], options)
            self._look([states[q] for q in pending])
            pending = [q for q in pending if self._goes_on(states[q], options.tolerance)]
        return states

    def _begin(self, target: int, stage: Stage, before: RowState | None) -> RowState:
        """Return where to start: the baseline alone, or the columns above 0 before."""
        data, cost, ridge = stage.of(self.rows, target)
        weights = self._weights(target)
        x, slope = np.zeros(cost.size), np.zeros(cost.size)
        working = np.zeros(cost.size, dtype=bool)
        if before is None:
            x[0] = weights.sum() / cost[0]
        else:
            x, slope = np.where(cost > 0.0, before.x, 0.0), before.slope.copy()
        working |= x > 0.0
        working[0] = True
        if np.count_nonzero(cost > 0.0) <= _FEW:
            working |= cost > 0.0
        rates = np.full(weights.size, x[0])
        residuals = _ratio(weights, rates)
        return RowState(target, x, working, data, cost, ridge, slope, rates, residuals)

    def _weights(self, target: int) -> FloatArray:
        """Return the likelihood weight of each event of a target."""
        given = self.rows.event_weights(target)
        return given if given.size else np.ones(int(self.rows.counts[target]))

    def _solve_one(self, q: int, state: RowState, options: MLEOptions) -> None:
        """Solve a row problem over its working set."""
        sources = np.flatnonzero(state.working[1:])
        if sources.size == 0:  # a column that costs nothing stays at 0
            sources = np.array([0])
        chosen = np.concatenate(([0], sources + 1))
        columns = self._columns[q].of(sources)
        design = self.rows.problem(state.target, columns, state.data[chosen])
        none = np.full((1, chosen.size), -1)
        slope = (state.cost - state.data)[chosen][None]
        terms = PenaltyTerms(slope, state.ridge[chosen][None], none, np.empty(0))
        finer = replace(options, tolerance=options.tolerance * 1e-3**state.n_finer)
        found = solve_penalty(design, finer, terms, keep=False, start=state.x[chosen][None])
        state.x[:] = 0.0
        state.x[chosen] = found.x[0]
        self._polish(state, chosen, np.vstack((np.ones(columns.shape[1]), columns)))
        state.trace.append(state.value)

    def _polish(self, state: RowState, chosen: IntArray, columns: FloatArray) -> None:
        """Take the last Newton steps over what is above 0; fill rates, slopes and information."""
        cost, ridge, weights = state.cost[chosen], state.ridge[chosen], self._weights(state.target)
        x = state.x[chosen]
        for step in range(_POLISH + 1):
            free = np.flatnonzero(x > 0.0)
            rates = x[free] @ columns[free]
            residuals = _ratio(weights, rates)
            slope = columns @ residuals
            shares = columns[free] * _ratio(np.sqrt(weights), rates)
            bend = shares @ shares.T + np.diag(ridge[free])
            pull = slope[free] - cost[free] - ridge[free] * x[free]
            if step == _POLISH or (np.abs(pull) <= _POLISHED * cost[free]).all():
                break
            diagonal = np.diagonal(bend)
            if not (diagonal > 0.0).all():
                break
            change = np.linalg.solve(bend + np.diag(_RIDGE * diagonal), pull)
            if not 0.0 <= pull @ change <= _NEAR:
                break
            moved = x.copy()
            moved[free] = np.maximum(x[free] + change, 0.0)
            if not ((moved @ columns)[weights > 0.0] > 0.0).all():
                break
            x = moved
        state.x[chosen] = x
        state.rates, state.residuals = rates, residuals
        state.slope[chosen] = slope
        state.index, state.information = chosen[free], bend
        counted = weights > 0.0
        logs = float(weights[counted] @ np.log(rates[counted]))
        state.value = logs - float(cost @ x + 0.5 * (ridge @ x**2))

    def slopes(self, states: list[RowState]) -> FloatArray:
        """Return the sum of w v / lambda of all columns, (n_states, n_marks + 1)."""
        residuals = np.zeros(self.rows.events.n_events)
        for state in states:
            residuals[self.rows.where(state.target)] = state.residuals
        found = self.rows.pulls(np.array([state.target for state in states]), residuals)
        return np.column_stack(([state.residuals.sum() for state in states], found))

    def _look(self, states: list[RowState]) -> None:
        """Sum the gradients of all columns that are not in the working sets; see `RowState`."""
        beyond = [state for state in states if not state.is_whole]
        for state, own in zip(beyond, self.slopes(beyond) if beyond else (), strict=True):
            state.slope[:] = np.where(state.working, state.slope, own)

    def _goes_on(self, state: RowState, tolerance: float) -> bool:
        """Certify a row; tell whether columns joined it or it is to be solved more finely."""
        state.certify(float(self._weights(state.target).sum()))
        if state.gap <= tolerance:
            return False
        if state.admit(state.slope > state.cost):
            return True
        state.n_finer += 1
        return state.n_finer <= _AGAIN


def over_tiles(rows: SelectedRows, run: Callable[[SelectedTile], None]) -> None:
    """Call ``run(tile)`` for all targets, some at a time, over the threads that there are."""
    size = rows.n_marks
    firsts = range(0, size, _LANES)

    def some(part: tuple[int, int]) -> None:
        with compiled_only():
            for first in firsts[slice(*part)]:
                run(SelectedTile(rows, np.arange(first, min(first + _LANES, size))))

    in_threads(some, len(firsts), _LONG)


def solve_selected(
    rows: SelectedRows, terms: PenaltyTerms, options: MLEOptions
) -> tuple[Solution, FloatArray]:
    """Solve every row problem, and return the log-likelihood of each row without penalty, too."""
    out: list[RowState | None] = [None] * rows.n_marks
    stage = Stage(terms)

    def run(tile: SelectedTile) -> None:
        for state in tile.solve(stage, options):
            out[state.target] = state

    over_tiles(rows, run)
    states = [state for state in out if state is not None]
    return _solution(rows, states, options), np.array([one.log_likelihood for one in states])


def _ratio(weights: FloatArray, rates: FloatArray) -> FloatArray:
    """Return weights / rates, 0 where the rate is, as it may be of an event that does not count."""
    return np.divide(weights, rates, out=np.zeros(rates.size), where=rates > 0.0)


def _solution(rows: SelectedRows, states: list[RowState], options: MLEOptions) -> Solution:
    size = rows.n_marks + 1
    traces = np.full((len(states), max(len(one.trace) for one in states)), np.nan)
    for own, state in zip(traces, states, strict=True):
        own[: len(state.trace)] = state.trace
    gaps = np.array([state.gap for state in states])
    return Solution(
        x=np.array([state.x for state in states]),
        identified=np.array([state.cost > 0.0 for state in states]),
        objective=np.array([state.value for state in states]),
        gap=gaps,
        violation=np.array([state.violation for state in states]),
        converged=gaps <= options.tolerance,
        n_iterations=np.array([len(state.trace) for state in states]),
        traces=traces,
        information=RowMatrices.of(((one.index, one.information) for one in states), size),
    )
