"""From solutions of row problems to results."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from hawkeys._design import Design
from hawkeys._design.columns import FittedColumns
from hawkeys._linalg import FLAT
from hawkeys._typing import FloatArray, IntArray
from hawkeys._version import __version__
from hawkeys.events import Events
from hawkeys.inference.identify import flat_directions
from hawkeys.inference.methods import Method
from hawkeys.inference.options import MLEOptions
from hawkeys.inference.rows.in_parameters import in_parameters
from hawkeys.inference.rows.solution import Solution
from hawkeys.inference.task import Task
from hawkeys.kernels import Kernel, SumExponential
from hawkeys.kernels.productive import spread_again, spread_of
from hawkeys.partitions import PartitionedEvents
from hawkeys.process import Hawkes
from hawkeys.results import LikelihoodResult, VariationalResult
from hawkeys.results.column_posterior import ColumnPosterior
from hawkeys.results.fit_result import FitResult

__all__ = ["partitioned_result", "result_of", "total_trace"]

_SMOOTH_FLAT = 1e-13


def result_of(
    task: Task,
    kernel: Kernel,
    design: Design,
    solution: Solution,
    how: tuple[Method, Any],
) -> FitResult:
    """Return the result of a method.

    Parameters
    ----------
    task : Task
        Data and model.
    kernel : Kernel
        Of the fit; its weights may be unknown.
    design : Design
        The row problems.
    solution : Solution
        Their solutions.
    how : tuple of Method and its options
        What solved them.

    Returns
    -------
    LikelihoodResult or VariationalResult
        Complete but for what a search of decays adds.

    Raises
    ------
    TypeError
        The method returned neither a posterior nor a certificate.
    """
    columns = _columns(design, solution)
    counts = np.diff(design.offsets) if columns is None else task.events.counts.sum(axis=0)
    process = _process(task, kernel, solution.x, columns)
    seen = counts, _log_likelihood(task, process, design, solution, how[1])
    return _complete(task.events, process, (design, columns), solution, how, seen)


def partitioned_result(
    data: Events | PartitionedEvents,
    task: Task,
    kernel: Kernel,
    design: Design,
    solution: Solution,
    how: tuple[Method, Any],
    seen: tuple[IntArray, float],
) -> FitResult:
    """Return the result of a fit without a whole design.

    That is one of events on disk, or of so many marks that few columns are ever written out.

    Parameters
    ----------
    data : Events or PartitionedEvents
        The data; their times are not read.
    task : Task
        The model, of whatever data.
    kernel : Kernel
        Of the fit; its weights may be unknown.
    design : Design
        Where the parameters are in the row problems.
    solution : Solution
        Of the row problems of all events.
    how : tuple of Method and its options
        What solved them.
    seen : tuple of ndarray of int64, shape (n_marks,), and float
        Events of each mark, and the log-likelihood at the estimate.

    Returns
    -------
    LikelihoodResult or VariationalResult
        Complete but for what a search of decays adds.

    Raises
    ------
    TypeError
        The method returned neither a posterior nor a certificate.
    """
    columns = _columns(design, solution)
    process = _process(task, kernel, solution.x, columns)
    return _complete(data, process, (design, columns), solution, how, seen)


def _columns(design: Design, solution: Solution) -> FittedColumns | None:
    """Return the estimates by column, unless the columns are the parameters."""
    if design.mapping is None:
        return None
    # a strong penalty makes the other directions look flat
    flat = FLAT if design.roughness is None else _SMOOTH_FLAT
    return FittedColumns(design.mapping, solution.x, solution.identified, flat)


def _complete(
    data: Events | PartitionedEvents,
    process: Hawkes,
    where: tuple[Design, FittedColumns | None],
    solution: Solution,
    how: tuple[Method, Any],
    seen: tuple[IntArray, float],
) -> FitResult:
    """Return the result, given the events of each mark and the log-likelihood."""
    design, columns = where
    final = _identified(solution) if columns is None else in_parameters(solution, columns)
    common = {
        "process": process,
        "log_likelihood": seen[1],
        **_common(data, seen[0], solution, how),
        "identified": final.identified,
        "converged": bool(solution.converged.all()),
        "n_kernel_parameters": _n_kernel_weights(columns, final),
    }
    if final.posterior is not None and final.prior_coefficient is not None:
        return VariationalResult(
            **common,
            posterior=final.posterior,
            prior_coefficient=final.prior_coefficient,
            log_covariance=final.log_covariance,
            posterior_covariance=final.covariance,
            column_posterior=_column_posterior(design, solution),
            prior=final.prior,
            inclusion_probability=final.inclusion,
        )
    if final.violation is None or final.information is None:
        raise TypeError(f"method {how[0].name!r} returned neither a posterior nor a certificate")
    return LikelihoodResult(
        **common,
        kkt_residual=float(final.violation.max(initial=0.0)),
        information=final.information,
        columns=columns,
    )


def _process(task: Task, kernel: Kernel, x: FloatArray, columns: FittedColumns | None) -> Hawkes:
    names = task.events.mark_names
    if columns is None:
        return Hawkes.of_estimates(x[:, 0], x[:, 1:], kernel, names)
    where = columns.map
    spread = spread_of(kernel)
    if isinstance(spread, SumExponential) and not spread.known:
        kernel = spread_again(kernel, SumExponential(spread.decays, where.shares(x)))
    return Hawkes(
        task.baseline.with_rates(where.rates(x)),
        where.mixture(x).sum(axis=2),
        kernel=kernel,
        mark_names=names,
    )


def _column_posterior(design: Design, solution: Solution) -> ColumnPosterior | None:
    """Return the posterior by column, unless the columns are the parameters."""
    marginals, coefficient = solution.posterior, solution.prior_coefficient
    if design.mapping is None or marginals is None or coefficient is None:
        return None
    return ColumnPosterior(
        design.mapping, marginals, coefficient, solution.log_covariance, solution.prior
    )


def _identified(solution: Solution) -> Solution:
    """Return the solution with parameters along flat directions flagged."""
    if solution.information is None:
        return solution
    identified = flat_directions(solution.information, solution.x, solution.identified)
    return dataclasses.replace(solution, identified=identified)


def _n_kernel_weights(columns: FittedColumns | None, final: Solution) -> int:
    """Return the number of kernel weights estimated: one less than components, by pair."""
    if columns is None:
        return 0
    where = columns.map
    pairs = where.n_distinct_pairs(final.identified[:, where.n_pieces :])
    return pairs * (where.n_components - 1)


def _common(
    events: Events | PartitionedEvents,
    counts: IntArray,
    solution: Solution,
    how: tuple[Method, Any],
) -> dict[str, Any]:
    """Return the fields that every result has and that need no translation."""
    method, settings = how
    return {
        "method": method.name,
        "objective": float(solution.objective.sum()),
        "optimality_gap": float(solution.gap.sum()),
        "message": _message(solution),
        "n_iterations": int(solution.n_iterations.max(initial=0)),
        "trace": total_trace(solution.traces),
        "event_counts": counts,
        "n_realizations": events.n_realizations,
        "total_time": float(events.durations.sum()),
        "options": {f.name: getattr(settings, f.name) for f in dataclasses.fields(settings)},
        "version": __version__,
    }


def total_trace(traces: FloatArray) -> FloatArray:
    """Add the traces of rows (n_blocks, steps), each held at its last value once it has stopped."""
    if traces.size == 0:
        return np.empty(0)
    steps = int((~np.isnan(traces)).sum(axis=1).max())
    part = traces[:, :steps].copy()
    for row in part:
        stopped = np.isnan(row)
        row[stopped] = row[~stopped][-1] if (~stopped).any() else 0.0
    return part.sum(axis=0)


def _log_likelihood(
    task: Task, process: Hawkes, design: Design, solution: Solution, settings: Any
) -> float:
    """Return the unweighted log-likelihood at the estimate."""
    if task.weights is not None:
        return process.log_likelihood(task.events, history=task.history)
    if type(settings) is MLEOptions and design.roughness is None:  # it is what was maximised
        return float(solution.objective.sum())
    weighted = design.log_likelihood(solution.x).sum()
    return float(weighted) / getattr(settings, "likelihood_weight", 1.0)


def _message(solution: Solution) -> str:
    if not solution.converged.all():
        return f"{(~solution.converged).sum()} target marks stopped before the tolerance was met"
    if np.isnan(solution.gap).any():
        return f"ran the {solution.n_iterations.max(initial=0)} steps asked for"
    if solution.posterior is not None:  # the bound is not concave: no more is known
        return f"the next step promises {solution.gap.sum():.1e} nats"
    return f"at most {solution.gap.sum():.1e} nats to gain"
