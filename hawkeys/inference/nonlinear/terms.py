"""Log-likelihood of one target mark of a process with a link, and its derivatives."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys.events import Events
from hawkeys.process.filters import LogTimeFilters
from hawkeys.process.nonlinear import filter_shape, nonlinear_terms
from hawkeys.process.predictor import N_NODES, Columns, Predictor, link_at_events, link_slopes

__all__ = ["TargetTerms", "terms_of_targets"]


class TargetTerms(NamedTuple):
    """What is asked of one target mark.

    Attributes
    ----------
    weighted : callable
        Weighted log-likelihood at parameters (P,), its gradient (P,) and minus its second
        derivatives (P, P).
    scores : callable
        Gradients of the weighted realisations at parameters (P,), shape (n_realizations, P).
    """

    weighted: Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]
    scores: Callable[[FloatArray], FloatArray]


def terms_of_targets(
    events: Events,
    model: Predictor,
    link: str,
    weights: FloatArray,
    n_given: int = 0,
    n_nodes: int = N_NODES,
) -> Iterator[TargetTerms]:
    """Yield the terms of each target mark; columns are built once if they serve all."""
    if isinstance(model.filters, LogTimeFilters) and model.pieces is None:
        shape = filter_shape(model.filters, model.memory or 0, model.n_orders, link)
        yield from (_by_loops(events, i, shape, weights, n_given) for i in range(events.n_marks))
        return
    columns = None
    for i in range(events.n_marks):
        if columns is None or model.filters_differ:
            columns = model.columns(events, i, n_given, n_nodes)
        yield _by_columns(events, i, columns, link, weights)


def _by_loops(
    events: Events, target: int, shape: Any, weights: FloatArray, n_given: int
) -> TargetTerms:
    def weighted(theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        values, gradient, curvature = nonlinear_terms(
            events, target, theta, shape, weights, n_given, derivatives=True
        )
        return float(weights @ values), gradient, curvature

    def scores(theta: FloatArray) -> FloatArray:
        rows = [
            weights[r]
            * nonlinear_terms(
                events[r], target, theta, shape, np.ones(1), n_given, derivatives=True
            )[1]
            for r in range(events.n_realizations)
        ]
        return np.array(rows)

    return TargetTerms(weighted, scores)


def _by_columns(
    events: Events, target: int, columns: Columns, link: str, weights: FloatArray
) -> TargetTerms:
    own = columns.counts & (events.marks == target)
    owner = events.realization[own]
    rows, nodes = columns.at_events[own], columns.at_nodes
    row_weights, mass = weights[owner], weights[columns.owner] * columns.mass

    def weighted(theta: FloatArray) -> tuple[float, FloatArray, FloatArray]:
        log_rate, slope, bend = link_at_events(rows @ theta, link)
        rate, first, second = link_slopes(nodes @ theta, link)
        gradient = rows.T @ (row_weights * slope) - nodes.T @ (mass * first)
        curvature = (rows.T * (row_weights * bend)) @ rows + (nodes.T * (mass * second)) @ nodes
        return float(row_weights @ log_rate - mass @ rate), gradient, curvature

    def scores(theta: FloatArray) -> FloatArray:
        out = np.zeros((events.n_realizations, theta.size))
        np.add.at(out, owner, rows * (row_weights * link_at_events(rows @ theta, link)[1])[:, None])
        first = link_slopes(nodes @ theta, link)[1]
        np.subtract.at(out, columns.owner, nodes * (mass * first)[:, None])
        return out

    return TargetTerms(weighted, scores)
