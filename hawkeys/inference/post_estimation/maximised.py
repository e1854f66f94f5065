"""The likelihood of the model of a fit at its maximum, whatever the method of the fit."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

import numpy as np

from hawkeys._design import Design
from hawkeys._typing import FloatArray
from hawkeys.events import Events
from hawkeys.inference.examine import quietly
from hawkeys.inference.fit_pooled import fit
from hawkeys.inference.methods import choose_method
from hawkeys.inference.outcome import result_of
from hawkeys.inference.post_estimation.fitted_rows import FittedRows, columns_of, rows_again
from hawkeys.inference.post_estimation.refits import (
    check_fit,
    check_same_events,
    options_again,
    task_again,
    to_estimate,
)
from hawkeys.inference.rows.newton import solve_mle
from hawkeys.results import LikelihoodResult
from hawkeys.results.fit_result import FitResult

__all__ = ["likelihood_rows", "maximise_likelihood"]

# what belongs to the model, not to the method that it was fitted by
_MODEL = ("support", "weights", "baseline", "tied", "history")
_DECAYS = ("decay_grid", "decay_sharing", "decay_selection", "n_folds")
_KERNEL = ("groups", "min_spread", "start")
# nats: so near the maximum that its estimates are those of any other search
_FINE = 1e-10
# share of an equal part of the events that each column has at least at the start
_LEAST = 1e-3


def likelihood_rows(result: Any, events: Events, what: str) -> tuple[FittedRows, str]:
    """Return the row problems of the model of a fit at the maximum of the likelihood.

    Parameters
    ----------
    result : FitResult
        Of any method of `hawkeys.fit`.
    events : Events
        The events of the fit.
    what : str
        Who asks, for the messages.

    Returns
    -------
    rows : FittedRows
        Of the fit itself if it is by maximum likelihood, else of the one found from there.
    method : str
        "mle", or "mle, from 'vi'" and so on.

    Raises
    ------
    InvalidParameterError
        The result is of another kind, or of other events, or the maximum is not found.
    InvalidEventsError
        `events` are no Events, or have another number of marks.
    """
    fitted = check_fit(result, what)
    if fitted.method == "mle":
        return FittedRows.check(fitted, events, what), "mle"
    check_same_events(fitted, events)
    best = maximise_likelihood(fitted, events)
    return FittedRows.check(best, events, what), f"mle, from {fitted.method!r}"


def maximise_likelihood(result: FitResult, events: Events) -> LikelihoodResult:
    """Return the fit by maximum likelihood of the model of another fit.

    Parameters
    ----------
    result : FitResult
        By another method, of `events`.
    events : Events
        Its events.

    Returns
    -------
    LikelihoodResult
        With the same weights, support, baseline and ties. A kernel that was given is held, and the
        search starts at the estimates. What was estimated of a kernel is estimated again, without
        priors and penalties; that search starts afresh, because its maximum need not be the nearest
        one.
    """
    options = options_again(result.options)
    if any(name in options for name in (*_DECAYS, "groups")):
        return _with_kernel(result, events, options)
    task, design = task_again(result, events), rows_again(result, events)
    start = _interior(design, columns_of(result).estimates)
    for given in ({"tolerance": _FINE}, {}):  # the usual one if rounding forbids that
        method = choose_method("mle", given)
        seeds = np.empty(0, np.int64)
        solution = solve_mle(design, method[1], seeds, keep=True, start=start)
        if solution.converged.all():
            break
    several = columns_of(result).map.n_components > 1
    kernel = to_estimate(result.kernel) if several else result.kernel
    found = cast("LikelihoodResult", result_of(task, kernel, design, solution, method))
    return replace(found, options=dict(found.options) | task.as_options())


def _with_kernel(result: FitResult, events: Events, options: Mapping[str, Any]) -> LikelihoodResult:
    """Return the maximum over the parameters of the kernel, too."""
    kept = {name: options[name] for name in _MODEL if options.get(name) is not None}
    given: dict[str, Any] = {}
    if "groups" in options:
        given = {"kernel": to_estimate(result.kernel)}
        kept |= {name: options[name] for name in _KERNEL if options.get(name) is not None}
    else:
        given = {"decay": "estimate"} if "decay_sharing" in options else {}
        kept |= {name: options[name] for name in _DECAYS if name in options}
    with quietly():
        found: LikelihoodResult = fit(events, method="mle", **given, **kept)
    return found


def _interior(design: Design, estimates: FloatArray) -> FloatArray:
    """Return estimates as a start, each column with some of the events, so that all are possible.

    Both (n_blocks, n_columns + 1).
    """
    amount = np.array([design.event_weights(b).sum() for b in range(design.n_blocks)])
    free = design.cost > 0.0
    equal = amount[:, None] / np.maximum(free.sum(axis=1, keepdims=True), 1)
    least = np.divide(_LEAST * equal, design.cost, out=np.zeros(free.shape), where=free)
    return np.where(free, np.maximum(estimates, least), 0.0)
