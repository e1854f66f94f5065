"""Penalised fits of many marks along a range of strengths, a few targets at a time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from hawkeys._design import SelectedRows
from hawkeys._typing import BoolArray, FloatArray
from hawkeys.events import Events
from hawkeys.inference.options import MLEOptions
from hawkeys.inference.priors.penalty_terms import PenaltyTerms
from hawkeys.inference.rows.many_marks import ManyMarks
from hawkeys.inference.rows.selected import RowState, SelectedTile, Stage, over_tiles
from hawkeys.inference.task import Task

__all__ = ["PathValues", "emptying_strength", "selected_path"]

_BEYOND = 1.0 + 1e-6
_EXACT = 1e-10
_NOTHING = 1e-12


class PathValues(NamedTuple):
    """What a path holds at each strength; see `PenaltyPath`."""

    coefficients: FloatArray
    log_likelihood: FloatArray
    refit_log_likelihood: FloatArray
    cv_log_likelihood: FloatArray | None
    optimality_gap: FloatArray
    converged: BoolArray


@dataclass(frozen=True, eq=False)
class _Fold:
    """Rows of the events trained on, and of those held out; the share of the time trained on."""

    train: SelectedRows
    test: SelectedRows
    share: float


def emptying_strength(problems: ManyMarks, max_iter: int) -> float:
    """Return the smallest strength at which all penalised adjacency entries are 0."""
    rows, terms = problems
    penalised = terms.slope > 0.0
    penalised[:, 0] = False
    found = [0.0]

    def run(tile: SelectedTile) -> None:
        empty = tile.solve(Stage(terms, free=~penalised), MLEOptions(_EXACT, max_iter))
        for state, slope in zip(empty, tile.slopes(empty), strict=True):
            own = penalised[state.target]
            pull = np.maximum(slope - rows.cost[state.target], 0.0)[own]
            found.append(float((pull / terms.slope[state.target][own]).max(initial=0.0)))

    over_tiles(rows, run)
    return max(found) * _BEYOND if max(found) > 0.0 else 1.0


def selected_path(
    task: Task, problems: ManyMarks, strengths: FloatArray, options: MLEOptions, n_folds: int
) -> PathValues:
    """Fit at each strength, each target from where it ended at the one before.

    Parameters
    ----------
    task : Task
        Data and model; realisations of weight 0 are left out.
    problems : ManyMarks
        Row problems, and the penalty at strength 1.
    strengths : ndarray of float64, shape (n_strengths,)
        Largest first.
    options : MLEOptions
        Tolerance and most steps.
    n_folds : int
        Folds of cross-validation; 0 leaves it out.

    Returns
    -------
    PathValues
        Certified over all pairs at each strength.
    """
    rows, terms = problems
    folds = list(_folds(task.observed, rows, n_folds)) if n_folds else []
    shape = strengths.size, rows.n_marks
    coefficients = np.zeros((*shape, rows.n_marks + 1))
    values, refits, gaps = np.zeros((3, *shape))
    held_out = np.zeros((len(folds), *shape))

    def run(tile: SelectedTile) -> None:
        for s, states in enumerate(_along(tile, terms, strengths, options)):
            again = tile.solve(_support(terms, states), options, states)
            for state, refit in zip(states, again, strict=True):
                coefficients[s, state.target] = state.x
                values[s, state.target] = state.log_likelihood
                gaps[s, state.target] = state.gap
                refits[s, state.target] = refit.value
        for k, fold in enumerate(folds):
            own = tile.using(fold.train)
            scaled = _weakened(terms, fold.share, 1.0)
            for s, states in enumerate(_along(own, scaled, fold.share * strengths, options)):
                for state in states:
                    held_out[k, s, state.target] = _held_out(fold.test, state)

    over_tiles(rows, run)
    return PathValues(
        coefficients=coefficients,
        log_likelihood=values.sum(axis=1),
        refit_log_likelihood=refits.sum(axis=1),
        cv_log_likelihood=held_out.sum(axis=2).T if folds else None,
        optimality_gap=gaps.sum(axis=1),
        converged=np.all(gaps <= options.tolerance, axis=1),
    )


def _along(
    tile: SelectedTile, terms: PenaltyTerms, strengths: FloatArray, options: MLEOptions
) -> Iterator[list[RowState]]:
    """Yield the optimum of each target at each strength."""
    states = None
    for strength in strengths.tolist():
        states = tile.solve(Stage(terms, strength), options, states)
        yield states


def _support(terms: PenaltyTerms, states: list[RowState]) -> Stage:
    """Return the problem without penalty over what is above 0."""
    return Stage(_weakened(terms, 0.0, 0.0), free={state.target: state.x > 0.0 for state in states})


def _weakened(terms: PenaltyTerms, baseline: float, other: float) -> PenaltyTerms:
    """Return the penalty with its strengths on baselines and on all else multiplied."""
    factor = np.full(terms.slope.shape[1], other)
    factor[0] = baseline
    return terms._replace(slope=terms.slope * factor, ridge=terms.ridge * factor)


def _held_out(test: SelectedRows, state: RowState) -> float:
    """Return the log-likelihood of what is held out of a row at its optimum for the others."""
    weights = test.event_weights(state.target)
    counted = weights > 0.0
    with np.errstate(divide="ignore"):
        logs = np.log(state.rates[counted])
    return float(weights[counted] @ logs - test.cost[state.target] @ state.x)


def _folds(task: Task, rows: SelectedRows, n_folds: int) -> Iterator[_Fold]:
    """Yield the folds as `hawkeys.inference.decay.folds.make_folds` has them."""
    events = task.events
    weights = np.ones(events.n_events) if rows.weights is None else rows.weights
    if events.n_realizations == 1:
        yield from _time_folds(task, rows, weights, n_folds)
        return
    exposure = events.durations * (1.0 if task.weights is None else task.weights)
    label = np.arange(events.n_realizations) % min(n_folds, events.n_realizations)
    for k in range(int(label.max()) + 1):
        held = label == k
        own = held[events.realization]
        train = replace(rows, weights=weights * ~own, cost=_cost(task.pick(~held), rows))
        test = replace(rows, weights=weights * own, cost=_cost(task.pick(held), rows))
        yield _Fold(train, test, float(exposure[~held].sum() / exposure.sum()))


def _time_folds(
    task: Task, rows: SelectedRows, weights: FloatArray, n_folds: int
) -> Iterator[_Fold]:
    """Yield the folds of a single realisation, blocks of time; each is history of later ones."""
    events = task.events
    start, end = float(events.start_times[0]), float(events.end_times[0])
    cuts = start + (end - start) * np.arange(1, n_folds) / n_folds
    label, total = np.searchsorted(cuts, events.times, side="left"), rows.cost
    before = np.zeros_like(total)
    for k in range(n_folds):
        until = total if k == n_folds - 1 else _cost(_cut(task, float(cuts[k])), rows)
        own, rest = until - before, total - (until - before)
        held = label == k
        train = replace(rows, weights=weights * ~held, cost=_above(rest, total))
        test = replace(rows, weights=weights * held, cost=_above(own, total))
        yield _Fold(train, test, 1.0 - 1.0 / n_folds)
        before = until


def _above(cost: FloatArray, total: FloatArray) -> FloatArray:
    """Return costs, those that are rounding alone as 0."""
    return np.where(cost > _NOTHING * np.maximum(total, 1e-300), cost, 0.0)


def _cost(task: Task, rows: SelectedRows) -> FloatArray:
    """Return the costs of part of the data, of the pairs that all of them have."""
    part = SelectedRows.build(
        task.events, rows.kernel, realization_weights=task.weights, support=task.support
    )
    return np.where(rows.cost > 0.0, part.cost, 0.0)


def _cut(task: Task, end: float) -> Task:
    """Return the task of the window cut off at a time; an event there belongs to it."""
    events = task.events
    before = events.times <= end
    cut = Events.from_arrays(
        events.times[before], events.marks[before], start_times=events.start_times, end_times=end,
        mark_names=events.mark_names,
    )  # fmt: skip
    return replace(task, events=cut)
