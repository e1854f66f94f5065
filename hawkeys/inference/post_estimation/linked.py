"""Profiles, sandwich covariances and tests of pairs, for fits with inhibition or a link."""

from __future__ import annotations

from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import check_mask, refuse_labels
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.nonlinear.linked_rows import LinkedRows
from hawkeys.inference.post_estimation.refits import check_same_events, fit_again
from hawkeys.inference.task import check_weights
from hawkeys.results.nonlinear import LinkedResult

__all__ = ["linked_edges", "linked_profile", "linked_sandwich"]

_PENALISED = "penalised mle"


def _rows(result: LinkedResult, events: Events, what: str) -> LinkedRows:
    """Return the problems whose maximum a fit of a process with a link is.

    Parameters
    ----------
    result : LinkedResult
        By maximum likelihood, or penalised.
    events : Events
        The events of the fit.
    what : str
        Who asks, for the messages.

    Returns
    -------
    LinkedRows
        With an estimated decay held.

    Raises
    ------
    InvalidParameterError
        The fit did not converge, or is of other events.
    InvalidEventsError
        `events` are no Events, or have another number of marks.
    """
    if not result.converged:
        raise InvalidParameterError(
            f"{what} needs a fit that converged; this one stopped with: {result.message}. Raise "
            "max_iter."
        )
    check_same_events(result, events)
    return LinkedRows(result, events)


def _maximised(result: LinkedResult, events: Events) -> tuple[LinkedResult, str]:
    """Return the fit of the same model without its penalty, and how it came about."""
    if result.method != _PENALISED:
        return result, result.method
    check_same_events(result, events)
    return fit_again(result)(events, penalty=0.0), f"mle, from {result.method!r}"


def linked_profile(
    result: LinkedResult, events: Events, level: float, parameters: ArrayLike | None
) -> dict[str, Any]:
    """Return the fields of `ProfileIntervals`: ends of any sign, chi-square at 0 too.

    Of a penalised fit those of its model, whose likelihood is maximised first.
    """
    from scipy.stats import chi2

    result, method = _maximised(result, events)
    rows = _rows(result, events, "profile_interval")
    wanted = result.identified & ~(result.at_bound & (result.estimates != 0.0))
    if parameters is not None:
        refuse_labels(parameters, "parameters")
        wanted &= check_mask(parameters, "parameters", wanted.shape, "parameters of each target")
    cutoff = float(chi2.ppf(level, 1))
    lower, upper, statistic = np.full((3, *wanted.shape), np.nan)
    for i, p in np.argwhere(wanted).tolist():
        lower[i, p], upper[i, p] = rows.ends(i, p, 0.5 * cutoff)
        statistic[i, p] = 2.0 * rows.fall_at(i, np.arange(wanted.shape[1]) == p, 0.0)
    at_zero = np.where(result.lowest == 0.0, chi2.ppf(max(2.0 * level - 1.0, 0.0), 1), cutoff)
    return {
        "level": level,
        "estimates": np.where(wanted, result.estimates, np.nan),
        "lower": lower,
        "upper": upper,
        "statistic_at_zero": statistic,
        "cutoff": cutoff,
        "cutoff_at_zero": np.broadcast_to(at_zero, wanted.shape),
        "mark_names": result.process.mark_names,
        "method": method,
        "places": getattr(result, "places", None),
    }


def linked_sandwich(result: LinkedResult, events: Events) -> dict[str, Any]:
    """Return the fields of `SandwichCovariance`, over the parameters that are free.

    Of a penalised fit that of the penalised objective: each realisation bears an equal part of the
    penalty's slope.
    Raises `InvalidParameterError` if fewer than two realisations count.
    """
    rows = _rows(result, events, "sandwich_covariance")
    weights = check_weights(result.options.get("weights"), events.n_realizations)
    count, size = int((weights > 0).sum()), result.estimates.shape[1]
    if count < 2:
        raise InvalidParameterError(
            f"sandwich_covariance needs at least 2 realisations that count; got {count}. A single "
            "one has no spread between realisations: cut its window into several, or use "
            "hawkeys.inference.bootstrap."
        )
    scores = rows.scores()
    if result.method == _PENALISED:
        scores[weights > 0] -= scores[weights > 0].mean(axis=0)
    meat = count / (count - 1) * np.einsum("rip,riq->ipq", scores, scores)
    free = np.isfinite(result.std_err)
    covariance = np.full((len(free), size, size), np.nan)
    for i, each in enumerate(free):
        index = np.ix_(each, each)
        scale = 1.0 / np.sqrt(np.diagonal(result.information[i])[:size][each])
        between = np.outer(scale, scale)
        inverse = np.linalg.pinv(result.information[i, :size, :size][index] * between) * between
        covariance[i][index] = inverse @ meat[i][index] @ inverse
    return {
        "covariance": covariance,
        "estimates": np.where(result.identified, result.estimates, np.nan),
        "n_realizations": count,
        "mark_names": result.process.mark_names,
        "method": result.method,
        "lowest": result.lowest,
        "places": getattr(result, "places", None),
    }


def linked_edges(
    result: LinkedResult, events: Events
) -> tuple[FloatArray, FloatArray, FloatArray, str]:
    """Return effects, statistics and two-sided p-values of pairs, of all their weights at once.

    And the method: a penalised fit's likelihood is maximised first.
    """
    from scipy.stats import chi2

    result, method = _maximised(result, events)
    rows = _rows(result, events, "edge_tests")
    process = result.process
    statistic, pvalues = np.full((2, process.n_marks, process.n_marks), np.nan)
    for i, j in np.ndindex(statistic.shape):
        weights = rows.pairs(i, j)
        if weights.any():
            statistic[i, j] = 2.0 * rows.fall_at(i, weights, 0.0)
            pvalues[i, j] = chi2.sf(statistic[i, j], int(weights.sum()))
    effects = getattr(process, "adjacency", process.kernel_integrals)
    return np.where(np.isnan(pvalues), np.nan, effects), statistic, pvalues, method
