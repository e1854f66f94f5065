r"""Fits one histogram for each pair of marks, which is a concave problem.

The products :math:`\theta_{ijb} = W_{ij} M_{ijb}` of adjacency and masses are the coefficients of
fixed excitations, those of kernels with all mass in one bin. In them the log-likelihood of a row is
that of a row problem with a column for each source and bin: concave, with a proven distance from
the maximum, over all baselines, adjacencies and masses.

References
----------
Lewis, E. and Mohler, G. (2011). A nonparametric EM algorithm for multiscale Hawkes processes.
Journal of Nonparametric Statistics 1(1), 1-20.
"""

from __future__ import annotations

import numpy as np

from hawkeys._design import Design
from hawkeys._design.columns import ColumnMap
from hawkeys._typing import FloatArray, IntArray
from hawkeys.inference.kernel.bin_curvature import Bins
from hawkeys.inference.kernel.problem import EMProblem, EMState
from hawkeys.inference.kernel.setup import KernelOptions
from hawkeys.inference.options import MLEOptions
from hawkeys.inference.rows.newton import solve_mle
from hawkeys.inference.rows.solution import Solution

__all__ = ["is_concave", "solve_apart"]


def is_concave(problem: EMProblem) -> bool:
    """Tell whether each pair has masses of its own, without prior, penalty or least baseline."""
    step = problem.step
    return (
        type(problem) is EMProblem
        and not step.names
        and step.pseudo is None
        and step.smoothing == 0.0
        and problem.baseline_floor == 0.0
        and problem.n_groups == problem.support.sum()
    )


def solve_apart(
    problem: EMProblem, bins: Bins, start: EMState, options: KernelOptions
) -> tuple[EMState, Solution]:
    """Return the maximum, and the solution of the row problems that proves it.

    Mass in bins of which the windows show nothing stays as it is at the `start`.
    """
    design, sources = _design(problem, bins)
    size = problem.events.n_marks
    limits = MLEOptions(tolerance=options.tolerance / size, max_iter=options.max_iter)
    solution = solve_mle(design, limits, np.empty(0, np.int64), keep=True)
    theta, seen = np.zeros((2, size, problem.step.width, size))
    theta[:, :, sources] = solution.x[:, 1:].reshape(size, -1, sources.size)
    seen[:, :, sources] = design.cost[:, 1:].reshape(size, -1, sources.size)
    theta, seen = theta.transpose(0, 2, 1), seen.transpose(0, 2, 1) > 0
    masses = start.kernel[0][problem.groups]
    total = theta.sum(axis=2)
    share = np.where(seen, masses, 0.0).sum(axis=2)
    adjacency = np.divide(total, share, out=np.zeros_like(total), where=share > 0)
    fitted = theta / np.where(adjacency > 0, adjacency, 1.0)[:, :, None]
    masses = np.where(seen & (adjacency > 0)[:, :, None], fitted, masses)
    kernel = start.kernel[0].copy()
    kernel[problem.groups[problem.support]] = masses[problem.support]
    kernel /= kernel.sum(axis=1, keepdims=True)
    x = np.column_stack((solution.x[:, 0], adjacency))
    return problem.at(x, (kernel,)), solution


def _design(problem: EMProblem, bins: Bins) -> tuple[Design, IntArray]:
    """Return row problems with a column for each bin and source that excites anything."""
    sources = np.flatnonzero(problem.support.any(axis=0))
    each = list(bins.each())
    first = each[0]
    size = problem.events.n_marks
    parts: list[FloatArray] = [np.empty(0)]
    for i in range(size):
        parts.extend(one.block(i)[sources].ravel() for one in each)
    cost = np.column_stack(
        [first.cost[:, 0], *(one.cost[:, 1 + j] for one in each for j in sources)]
    )
    excluded = np.column_stack((np.zeros(size, bool), np.tile(~problem.support[:, sources],
                                                              (1, len(each)))))  # fmt: skip
    places = np.arange(cost.size).reshape(cost.shape)
    adjacency = np.full((size, size, len(each)), -1)
    adjacency[:, sources] = places[:, 1:].reshape(size, len(each), -1).swapaxes(1, 2)
    columns = ColumnMap(places[:, :1], adjacency, cost.shape[1])
    excitation = np.concatenate(parts)
    return Design(
        excitation, first.weights, first.offsets, cost, size, excluded, mapping=columns
    ), sources
