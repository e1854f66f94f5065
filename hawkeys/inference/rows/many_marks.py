"""Row problems of fits with so many marks that only some of their columns are written out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from hawkeys._design import SelectedRows
from hawkeys._loops.choice import has_many_marks
from hawkeys._typing import FloatArray
from hawkeys.inference.priors.conjugate import GammaPrior
from hawkeys.inference.priors.penalties import Penalty
from hawkeys.inference.priors.penalty_terms import PenaltyTerms
from hawkeys.inference.task import Task
from hawkeys.kernels import Exponential, Kernel

__all__ = ["ManyMarks", "many_marks"]


class ManyMarks(NamedTuple):
    """Row problems whose columns are written out as they are found to matter, and the penalty."""

    rows: SelectedRows
    terms: PenaltyTerms

    def log_likelihood(self, task: Task, x: FloatArray, values: FloatArray) -> float:
        """Return the unweighted log-likelihood at x, of which `values` are the weighted parts."""
        if task.weights is None:
            return float(values.sum())
        plain = SelectedRows.build(self.rows.events, self.rows.kernel, support=task.support)
        return float(plain.log_likelihood(x).sum())


def many_marks(task: Task, kernel: Kernel, prior: object) -> ManyMarks | None:
    """Return the row problems if their columns are to be chosen; None if all are written out.

    Sizes decide, and what is fitted: a plain model with exponential kernel, by maximum likelihood,
    with a penalty that has no groups or with Gamma priors of shape 1 (`prior`, None for none).
    """
    task = task.observed
    events = task.events
    if not has_many_marks(events.n_events, events.n_marks) or not task.is_plain:
        return None
    if not isinstance(kernel, Exponential):
        return None
    if isinstance(prior, GammaPrior) and prior.exponents(1).any():
        return None
    rows = SelectedRows.build(
        events, kernel, realization_weights=task.weights, support=task.support
    )
    rows = _without_unseen(task, rows)
    terms = _terms(task, prior, rows)
    return None if terms.strength.size else ManyMarks(rows, terms)


def _without_unseen(task: Task, rows: SelectedRows) -> SelectedRows:
    """Leave out pairs of whose kernel the windows show next to nothing; see `Design`."""
    outline = rows.outline()
    marks, weights = task.events.marks, rows.weights
    counts = np.bincount(marks, weights=weights, minlength=rows.n_marks).astype(np.float64)
    if not outline.may_have_unseen(float(counts.sum())):
        return rows
    return rows.with_outline(outline.without_unseen(counts[None]))


def _terms(task: Task, prior: object, rows: SelectedRows) -> PenaltyTerms:
    if isinstance(prior, Penalty):
        return prior.terms(rows.outline())
    shape = rows.cost.shape
    slope = np.zeros(shape)
    if isinstance(prior, GammaPrior):
        first, other = prior.rates(1)
        slope[:, 0] = first
        slope[:, 1:] = other if task.support is None else other * task.support
    return PenaltyTerms(slope, np.zeros(shape), np.full(shape, -1), np.empty(0))
