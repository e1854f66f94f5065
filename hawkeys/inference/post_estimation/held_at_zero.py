"""How far the maximum of a row problem falls if a parameter is 0, by the solver of fits."""

from __future__ import annotations

import numpy as np

from hawkeys._design.design import row_values
from hawkeys._threads import in_threads
from hawkeys._typing import BoolArray, FloatArray
from hawkeys.inference.post_estimation.fitted_rows import FittedRows
from hawkeys.inference.rows.newton import precise_enough, solve_rows

__all__ = ["falls_at_zero"]

_MAX_ITER = 200
# nanoseconds per event and pair of columns
_WORK = 5.0


def falls_at_zero(
    rows: FittedRows, block: int, members: BoolArray
) -> tuple[FloatArray, float] | None:
    """Return how far the maximum falls with each group of columns at 0, all others found anew.

    Parameters
    ----------
    rows : FittedRows
        The fit.
    block : int
        Number of the row problem.
    members : ndarray of bool, shape (n_groups, n_columns)
        The columns that are 0 together.

    Returns
    -------
    falls : ndarray of float64, shape (n_groups,)
        In nats, at least 0.
    gain : float
        How much higher the likelihood is at its maximum than at the fit.
        Instead of both None, if a maximum is not found so: some event would be impossible, or the
        steps ran out.
    """
    found = rows.columns.estimates[block]
    problem = _Problem(rows, block)
    if (found[rows.held[block]] != 0.0).any():
        return None
    best, hessian = problem.maximise(found, np.zeros(found.size, dtype=bool))
    here = problem.value(found)
    at_zero = np.full(len(members), best)

    def run(part: tuple[int, int]) -> None:
        for g in range(*part):
            if found[members[g]].sum() > 0.0:
                start = _without(found, hessian, members[g])
                at_zero[g] = problem.maximise(start, members[g])[0]

    in_threads(run, len(members), len(members) * problem.work)
    if not np.isfinite([best, here, *at_zero]).all():
        return None
    return np.maximum(best - at_zero, 0.0), best - here


class _Problem:
    """One row problem as the row solver takes it."""

    def __init__(self, rows: FittedRows, block: int) -> None:
        design = rows.design
        begin, end = design.offsets[block : block + 2]
        self.excitation = design.excitation[design.n_columns * begin : design.n_columns * end]
        self.weights = design.weights[begin:end] if design.weights.size else design.weights
        self.offsets = np.array([0, end - begin])
        self.cost = design.cost[block]
        tolerance = precise_enough(int(end - begin), weighted=design.weights.size > 0)
        self.limits = tolerance, _MAX_ITER
        self.work = _WORK * self.cost.size**2 * float(end - begin)

    def maximise(self, start: FloatArray, zero: BoolArray) -> tuple[float, FloatArray]:
        """Return the maximum with some columns at 0 and its negative Hessian; NaN if not found."""
        cost = np.where(zero, 0.0, self.cost)[None]
        data = self.excitation, self.weights, self.offsets
        prior = np.zeros(cost.size)
        _, report, hessian, _ = solve_rows(data, cost, prior, self.limits, start[None], keep=True)
        return (report[0, 0] if report[0, 1] <= self.limits[0] else np.nan), hessian[0]

    def value(self, x: FloatArray) -> float:
        """Return the log-likelihood."""
        data = self.excitation, self.weights, self.offsets
        return float(row_values(data, self.cost[None], x[None], np.empty((1, 0)))[0])


def _without(x: FloatArray, hessian: FloatArray, group: BoolArray) -> FloatArray:
    """Return where a quadratic model has its maximum with a group at 0, as a start."""
    rest = np.flatnonzero((x > 0.0) & ~group)
    out = np.where(group, 0.0, x)
    if rest.size:
        scale = 1.0 / np.sqrt(np.maximum(np.diagonal(hessian)[rest], 1e-300))
        matrix = hessian[np.ix_(rest, rest)] * np.outer(scale, scale)
        pull = scale * (hessian[np.ix_(rest, np.flatnonzero(group))] @ x[group])
        matrix[np.diag_indices(rest.size)] += 1e-9
        out[rest] = np.maximum(out[rest] + scale * np.linalg.solve(matrix, pull), 0.0)
    return out
