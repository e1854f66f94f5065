"""Penalised maximum likelihood of row problems, alone or coupled by groups."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np

from hawkeys._design import Design
from hawkeys._loops.penalized import solvers
from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.inference.priors.penalty_terms import PenaltyTerms
from hawkeys.inference.rows.solution import Solution

__all__ = ["PenalizedRows"]


@dataclass(frozen=True, eq=False)
class PenalizedRows:
    """Row problems with their columns written out, to be solved under many penalties.

    Attributes
    ----------
    design : Design
        The row problems.
    columns : ndarray of float64, shape (n_events * n_columns,)
        Block after block, each an (n_columns, block size) matrix; the first column is the constant.
    """

    design: Design
    columns: FloatArray

    @classmethod
    def of(cls, design: Design) -> PenalizedRows:
        """Write the columns out."""
        width = design.n_columns + 1
        columns = np.empty(width * int(design.offsets[-1]))
        for b in range(design.n_blocks):
            begin, end = width * design.offsets[b : b + 2]
            block = columns[begin:end].reshape(width, -1)
            block[0] = 1.0
            block[1:] = design.block(b)
        return cls(design, columns)

    def block(self, index: int) -> FloatArray:
        """Return the (n_columns, block size) matrix of one block."""
        width = self.design.n_columns + 1
        begin, end = width * self.design.offsets[index : index + 2]
        return self.columns[begin:end].reshape(width, -1)

    def slopes(self, x: FloatArray) -> FloatArray:
        """Return the derivatives of the log-likelihood at `x` (n_blocks, n_columns)."""
        out = -self.design.cost
        for b, matrix in ((b, self.block(b)) for b in range(self.design.n_blocks)):
            weights = self.design.event_weights(b)
            counted = weights > 0
            intensity = x[b] @ matrix[:, counted]
            out[b] += matrix[:, counted] @ (weights[counted] / intensity)
        return out

    def solve(
        self,
        terms: PenaltyTerms,
        tolerance: float,
        max_iter: int,
        *,
        start: FloatArray | None = None,
        held: BoolArray | None = None,
    ) -> Solution:
        """Minimise the penalised loss.

        Parameters
        ----------
        terms : PenaltyTerms
            The penalty.
        tolerance : float
            Proven distance from the optimum, in nats per row problem.
        max_iter : int
            Most Newton steps.
        start : ndarray, shape (n_blocks, n_columns), optional
            Where to start. Default: all parameters explain equally many events.
        held : ndarray of bool, shape (n_blocks, n_columns), optional
            Columns that are held at 0.

        Returns
        -------
        Solution
            Of rows that are coupled, objective and gap are shared out evenly.
        """
        design = self.design
        free = design.cost > 0.0
        free &= ~held if held is not None else True
        cost = np.where(free, design.cost + terms.slope, 0.0)
        group = np.where(free, terms.group, -1)
        ridge = np.where(free, terms.ridge, 0.0)
        x = self._interior(start, cost)
        problems = _problems(group, design)
        size = np.diff(problems)
        own = PenaltyTerms(cost, ridge, group, terms.strength)
        report, traces, information = self._descend(own, problems, x, (tolerance, max_iter))
        shared = report[:, :2] / size[:, None]
        _add_norm_curvature(information, x, group, terms.strength)
        return Solution(
            x=x,
            identified=free,
            objective=np.repeat(shared[:, 0], size),
            gap=np.repeat(shared[:, 1], size),
            violation=np.repeat(report[:, 2], size),
            converged=np.repeat(shared[:, 1] <= tolerance, size),
            n_iterations=np.repeat(report[:, 3].astype(np.int64), size),
            traces=np.repeat(traces / size[:, None], size, axis=0),
            information=information,
        )

    def _descend(
        self, terms: PenaltyTerms, problems: IntArray, x: FloatArray, limits: tuple[float, int]
    ) -> tuple[FloatArray, FloatArray, FloatArray]:
        """Solve one problem after another in place; return reports, traces and information.

        `terms` holds the whole cost of each column, 0 for those that are held.
        """
        tolerance, max_iter = limits
        n_problems, width = problems.size - 1, x.shape[1]
        report = np.empty((n_problems, 4))
        traces = np.full((n_problems, max_iter), np.nan)
        information = np.zeros((*x.shape, width))
        largest = width * int(np.diff(problems).max(initial=0))
        loops = solvers(self.columns.size, len(x), largest)
        for s, (first, last) in enumerate(itertools.pairwise(problems)):
            rows = slice(first, last)
            cost, group = terms.slope[rows].ravel(), terms.group[rows].ravel()
            report[s] = loops.solve_penalized(
                self._data(first, last),
                (cost, terms.ridge[rows].ravel(), group, terms.strength),
                _sets(cost > 0.0, group),
                tolerance * (last - first),
                x[rows].ravel(),
                information[rows],
                traces[s],
            )
        return report, traces, information

    def _data(self, first: int, last: int) -> tuple[FloatArray, FloatArray, IntArray]:
        """Return columns, weights and offsets of some rows."""
        design = self.design
        begin, end = design.offsets[first], design.offsets[last]
        width = design.n_columns + 1
        weights = design.weights[begin:end]
        return self.columns[width * begin : width * end], weights, design.offsets[first : last + 1]

    def _interior(self, start: FloatArray | None, cost: FloatArray) -> FloatArray:
        """Return a point at which every event is possible, `start` if it is one."""
        out = np.zeros(cost.shape)
        for b in range(self.design.n_blocks):
            matrix, weights = self.block(b), self.design.event_weights(b)
            matrix = matrix[:, weights > 0]
            if start is not None:
                own = np.where(cost[b] > 0.0, start[b], 0.0)
                if (own @ matrix > 0.0).all():
                    out[b] = own
                    continue
            acts = (cost[b] > 0.0) & (matrix > 0.0).any(axis=1)
            if not acts.any():  # no event counts
                continue
            out[b, acts] = weights.sum() / acts.sum() / cost[b, acts]
        return out


def _sets(free: BoolArray, group: IntArray) -> tuple[IntArray, IntArray, IntArray]:
    """Return the free parameters ordered by group, where groups begin, and their labels."""
    free_index = np.flatnonzero(free)
    order = free_index[np.argsort(group[free_index], kind="stable")]
    labels, first = np.unique(group[order], return_index=True)
    return order, np.append(first, order.size), labels


def _problems(group: IntArray, design: Design) -> IntArray:
    """Return the boundaries of what must be solved together: rows, or all rows if groups couple."""
    n_blocks = design.n_blocks
    rows = np.broadcast_to(np.arange(n_blocks)[:, None], group.shape)[group >= 0]
    pairs = np.unique(np.column_stack((group[group >= 0], rows)), axis=0)
    coupled = np.unique(pairs[:, 0]).size < len(pairs)
    step = design.n_blocks_each if coupled else 1
    return np.arange(0, n_blocks + 1, max(step, 1))


def _add_norm_curvature(
    information: FloatArray, x: FloatArray, group: IntArray, strength: FloatArray
) -> None:
    """Add the curvature of the group norms within each row to the information."""
    if strength.size == 0:
        return
    inside = group >= 0
    squares = np.bincount(group[inside], weights=x[inside] ** 2, minlength=strength.size)
    norms = np.maximum(np.sqrt(squares), 1e-150)
    for b, index in ((b, np.flatnonzero(inside[b] & (x[b] > 0))) for b in range(len(x))):
        own = group[b, index]
        same = own[:, None] == own
        share = x[b, index] / norms[own]
        curve = np.eye(index.size) - np.outer(share, share)
        information[b][np.ix_(index, index)] += same * (strength[own] / norms[own]) * curve
