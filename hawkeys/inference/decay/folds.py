"""Folds of cross-validation: realisations, or blocks of time if there is only one."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hawkeys._design import Design
from hawkeys._typing import BoolArray, FloatArray
from hawkeys.events import Events
from hawkeys.events.values import pick_values
from hawkeys.inference.task import Task
from hawkeys.kernels import Kernel

__all__ = ["Fold", "fold_names", "make_folds"]

_NOTHING = 1e-12


@dataclass(frozen=True, eq=False)
class Fold:
    """Row problems of the data trained on and of those held out.

    Attributes
    ----------
    train, test : Design
        Their columns are the same.
    share : float
        Share of the (weighted) time observed that is trained on.
    """

    train: Design
    test: Design
    share: float


def fold_names(events: Events) -> str:
    """Return what is held out in turn, in words."""
    return "realisations" if events.n_realizations > 1 else "blocks of time"


def make_folds(task: Task, kernel: Kernel, n_folds: int, *, weight: float = 1.0) -> list[Fold]:
    """Split the data into folds, each of which is held out once.

    Several realisations are dealt out in turn. A single one is cut into blocks of equal length. A
    block is then held out of the likelihood alone, in which it counts as

        sum over its events of log intensity - integral of the intensity over it,

    the log-likelihood conditional on the history before it. It stays in the history of later
    blocks, so that the blocks trained on are likelihoods of the same kind. An event on a cut
    belongs to the earlier block.

    Parameters
    ----------
    task : Task
        Data and model.
    kernel : Kernel
        Kernel with its parameters given.
    n_folds : int
        Most folds; there are no more than realisations if there are several.
    weight : float, default 1.0
        Weight of the log-likelihood trained on.

    Returns
    -------
    list of Fold
        In the order of realisations or time.
    """
    task = task.observed
    if task.events.n_realizations == 1:
        return _time_folds(task, kernel, n_folds, weight)
    events = task.events
    exposure = events.durations * (1.0 if task.weights is None else task.weights)
    label = np.arange(events.n_realizations) % min(n_folds, events.n_realizations)
    out = []
    for k in range(int(label.max()) + 1):
        held = label == k
        out.append(
            Fold(
                task.pick(~held).design(kernel, weight),
                task.pick(held).design(kernel),
                float(exposure[~held].sum() / exposure.sum()),
            )
        )
    return out


def _time_folds(task: Task, kernel: Kernel, n_folds: int, weight: float) -> list[Fold]:
    """Return the folds of a single realisation, blocks of time."""
    events = task.events
    whole = task.design(kernel)
    start, end = float(events.start_times[0]), float(events.end_times[0])
    cuts = start + (end - start) * np.arange(1, n_folds) / n_folds
    until = [_cost_until(task, kernel, cut) for cut in cuts]
    costs = np.diff([np.zeros_like(whole.cost), *until, whole.cost], axis=0)
    label = np.searchsorted(cuts, _times_by_slot(events, whole), side="left")
    total = np.maximum(whole.cost, 1e-300)
    out = []
    for k, cost in enumerate(costs):
        held = np.where(cost > _NOTHING * total, cost, 0.0)
        rest = whole.cost - cost
        trained = np.where(rest > _NOTHING * total, rest, 0.0)
        train = _part(whole, label != k, trained)
        out.append(Fold(_weighted(train, weight), _part(whole, label == k, held), 1 - 1 / n_folds))
    return out


def _cost_until(task: Task, kernel: Kernel, end: float) -> FloatArray:
    """Return the costs of the window cut off at a time."""
    events = task.events
    before = events.times <= end
    cut = Events.from_arrays(
        events.times[before],
        events.marks[before],
        start_times=events.start_times,
        end_times=end,
        mark_names=events.mark_names,
        values=pick_values(events.values, before),
    )
    return replace(task, events=cut).design(kernel).cost


def _times_by_slot(events: Events, design: Design) -> FloatArray:
    """Return the time of each event of a single realisation in the order of the design."""
    order = np.argsort(design.columns.blocks, kind="stable")
    parts = [events.times[events.marks == i] for i in order]
    return np.concatenate(parts)


def _part(design: Design, kept: BoolArray, cost: FloatArray) -> Design:
    """Return the design of some of its events, with given costs."""
    blocks, sizes = [], []
    for b in range(design.n_blocks):
        own = kept[design.offsets[b] : design.offsets[b + 1]]
        blocks.append(design.block(b)[:, own].ravel())
        sizes.append(int(own.sum()))
    return replace(
        design,
        excitation=np.concatenate(blocks),
        weights=design.weights[kept] if design.weights.size else design.weights,
        offsets=np.concatenate(([0], np.cumsum(sizes))),
        cost=cost,
    )


def _weighted(design: Design, weight: float) -> Design:
    """Return the design with its log-likelihood multiplied."""
    if weight == 1.0:
        return design
    weights = design.weights if design.weights.size else np.ones(int(design.offsets[-1]))
    return replace(design, weights=weight * weights, cost=weight * design.cost)
