"""The row problems whose optimum a fit by maximum likelihood or by a posterior mode is."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from hawkeys._design import Design
from hawkeys._design.columns import ColumnMap, FittedColumns
from hawkeys._loops.choice import has_many_marks
from hawkeys._plain.profile import Row
from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.post_estimation.prior_terms import PriorTerms
from hawkeys.inference.post_estimation.refits import (
    check_fit,
    check_likelihood,
    check_same_events,
    task_again,
    to_estimate,
)
from hawkeys.inference.smoothed import refuse_smoothing
from hawkeys.process.base import check_events
from hawkeys.results import LikelihoodResult, VariationalResult
from hawkeys.results.fit_result import FitResult

__all__ = ["FittedRows", "columns_of", "rows_again"]

# of the excitations of all pairs
_MOST_BYTES = 4e9


@dataclass(frozen=True, eq=False)
class FittedRows:
    """The row problems whose optimum a fit is.

    Attributes
    ----------
    result : LikelihoodResult
        The fit.
    design : Design
        Its data, with the weights, the support and the model of the fit.
    prior : PriorTerms
        What the prior or penalty of the fit adds.
    """

    result: LikelihoodResult
    design: Design
    prior: PriorTerms = field(repr=False)

    @classmethod
    def check(cls, result: Any, events: Events, what: str) -> FittedRows:
        """Return the row problems of a fit by a likelihood method to these events.

        Parameters
        ----------
        result : LikelihoodResult
            Of ``method="mle"`` or ``"map"``.
        events : Events
            The events of the fit.
        what : str
            Who asks, for the messages.

        Returns
        -------
        FittedRows
            With the kernel of the fit.

        Raises
        ------
        InvalidParameterError
            The result is of another kind, or of other events.
        InvalidEventsError
            `events` are no Events, or have another number of marks.
        """
        fitted = check_fit(result, what)
        if not isinstance(fitted, LikelihoodResult):
            raise InvalidParameterError(
                f"{what} needs a fit by 'mle' or 'map'; this one is by {fitted.method!r}."
            )
        check_events(events, fitted.process.n_marks)
        design = rows_again(fitted, events)
        if fitted.options.get("weights") is None:
            here = design.log_likelihood(columns_of(fitted).estimates).sum()
            check_likelihood(fitted, float(here))
        else:
            check_same_events(fitted, events)
        return cls(fitted, design, PriorTerms.of(fitted, design))

    @property
    def columns(self) -> FittedColumns:
        """The estimates by column of the row problems."""
        return columns_of(self.result)

    def row(self, block: int) -> Row:
        """Return one row problem as (basis, weights, cost, ridge); see `hawkeys._jit.profile`.

        The logarithms of a prior are those of further events, each of one column alone.
        """
        design, prior = self.design, self.prior
        basis, weights = design.rows(block), design.event_weights(block)
        power = np.where(self.held[block], 0.0, prior.power[block])
        index = np.flatnonzero(power)
        if index.size:
            basis = np.hstack((basis, np.eye(len(basis))[:, index]))
            weights = np.append(weights, power[index])
        return basis, weights, self.cost[block], prior.ridge[block]

    @cached_property
    def cost(self) -> FloatArray:
        """What each column costs, the slope of the prior included, (n_blocks, n_columns)."""
        return np.asarray(self.design.cost + self.prior.slope)

    @property
    def held(self) -> BoolArray:
        """Columns that cannot move, (n_blocks, n_columns): they cost nothing, or are given."""
        free = self.cost > 0.0
        return ~free if self.design.held is None else ~(free & np.isnan(self.design.held))

    def distinct(self, wanted: BoolArray) -> Iterator[tuple[int, IntArray, BoolArray]]:
        """Yield each row problem with the different parameters wanted of it.

        Parameters
        ----------
        wanted : ndarray of bool, shape (n_marks, P)
            Which parameters.

        Yields
        ------
        block : int
            Number of the row problem.
        names : ndarray of int64, shape (n,)
            As `ColumnMap.identities` has them.
        members : ndarray of bool, shape (n, n_columns)
            The columns whose sum is the parameter.
        """
        where, held = self.columns.map, self.held
        for b in np.unique(where.blocks[wanted.any(axis=1)]).tolist():
            rows = np.flatnonzero(where.blocks == b)
            names, first = np.unique(where.identities[rows][wanted[rows]], return_index=True)
            parts = np.array([where.matrix(i) for i in rows.tolist()])[wanted[rows]][first]
            members = (parts > 0) & ~held[b]
            moving = members.any(axis=1)
            yield b, names[moving], members[moving]


def columns_of(result: FitResult) -> FittedColumns:
    """Return the estimates of a fit by column of its row problems.

    Parameters
    ----------
    result : FitResult
        A fit by any method; of a posterior the means.

    Returns
    -------
    FittedColumns
        Those of the plain model are its parameters.
    """
    if isinstance(result, LikelihoodResult) and result.columns is not None:
        return result.columns
    if isinstance(result, VariationalResult) and result.column_posterior is not None:
        posterior = result.column_posterior
        means = np.nan_to_num(posterior.posterior.mean)
        return FittedColumns(posterior.map, means, posterior.used)
    where = ColumnMap.plain(result.process.n_marks)
    return FittedColumns(where, result.estimates, result.identified)


def rows_again(
    result: FitResult, events: Events, *, separate: bool = False, weight: float = 1.0
) -> Design:
    """Return the row problems of a fit.

    Parameters
    ----------
    result : FitResult
        A fit.
    events : Events
        Its events.
    separate : bool, default False
        Whether each realisation has blocks of its own.
    weight : float, default 1.0
        Factor on the log-likelihood.

    Returns
    -------
    Design
        With the weights, support, baseline, ties and kernel of the fit.

    Raises
    ------
    InvalidParameterError
        The excitations of all pairs take too much memory, or the baseline is smoothed.
    """
    size = 8.0 * events.n_events * events.n_marks
    if size > _MOST_BYTES and has_many_marks(events.n_events, events.n_marks):
        raise InvalidParameterError(
            f"a test, a profile or a robust error of {events.n_events} events of {events.n_marks} "
            f"marks would write out {size / 1e9:.2g} GB of excitations. hawkeys.goodness_of_fit "
            "and hawkeys.inference.bootstrap do not; or take a part of the record (events.between)."
        )
    task = task_again(result, events)
    refuse_smoothing(task.baseline, "a test, a profile or a robust error of a fit")
    several = columns_of(result).map.n_components > 1
    kernel = to_estimate(result.kernel) if several else result.kernel
    return task.design(kernel, weight, separate=separate)
