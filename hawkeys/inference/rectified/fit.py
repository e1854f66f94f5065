"""`fit_rectified`: maximum likelihood with excitation and inhibition."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from hawkeys._linalg import exchanged
from hawkeys._typing import ArrayLike, BoolArray, Bounds, FloatArray
from hawkeys._validation import brief, check_count, check_positive_number
from hawkeys._version import __version__
from hawkeys.events import Events
from hawkeys.events.container import as_events
from hawkeys.exceptions import IdentifiabilityWarning, InvalidParameterError
from hawkeys.inference.examine import examine, log_fit
from hawkeys.inference.identify import warn_about, warn_if_unseen
from hawkeys.inference.rectified.rows import (
    LEFT_OUT,
    LIMITS,
    LOWEST,
    RowFit,
    best_decay,
    climb,
    climb_over_kinks,
    climb_to_the_edge,
    decay_range,
    event_columns,
)
from hawkeys.inference.task import about_all, admissible, by_labels, check_weights, leave_out
from hawkeys.kernels import Exponential
from hawkeys.process.rectified import RectifiedHawkes, as_target_decays, row_terms
from hawkeys.results.rectified import RectifiedResult

__all__ = ["fit_rectified"]

_RELATIVE_STEP = 1e-5


def fit_rectified(
    data: Any,
    *,
    decay: ArrayLike | str,
    end_time: Bounds | None = None,
    start_time: Bounds | None = None,
    support: ArrayLike | None = None,
    weights: ArrayLike | None = None,
    tolerance: float = 1e-8,
    max_iter: int = 500,
    **reading: Any,
) -> RectifiedResult:
    r"""Fit a process with excitation and inhibition to all realisations together.

    Maximises the exact log-likelihood of `hawkeys.RectifiedHawkes`,

    .. math:: \sum_i \Big[ \sum_k \log \lambda_i(t_{ik}) - \int \max(0, x_i(t))\, dt \Big], \quad
        x_i(t) = \mu_i + \sum_j W_{ij} \sum_{t_{jl} < t} \beta_i e^{-\beta_i (t - t_{jl})}.

    Parameters
    ----------
    data : Events, frame, mapping, or sequence
        Anything that `hawkeys.Events.from_data` reads: a frame of pandas, polars or pyarrow, a
        mapping from mark to times, one flat sequence of times, a list of D arrays of times, or a
        list of such lists. All but Events need `end_time`.
    decay : float, array_like of shape (n_marks,) or (n_marks, n_marks), or "estimate"
        Decay of the exponential kernel, per unit of time: one for all or one per TARGET mark, held
        fixed (a matrix must be constant along each row). "estimate" finds one per target mark.
    end_time : float or array_like, shape (n_realizations,), optional
        End of observation, for lists. It is data, and never guessed from the last event.
    start_time : float or array_like, shape (n_realizations,), optional
        Start of observation, for lists. Default: 0.0. Times since 1970 need it; integers too large
        for doubles (nanoseconds) are subtracted exactly, see `hawkeys.Events`.
    support : array_like of bool, shape (n_marks, n_marks), optional
        Which pairs (target, source) may influence; elsewhere the adjacency is 0. Default: all.
    weights : array_like, shape (n_realizations,), optional
        Weight >= 0 of the log-likelihood of each realisation. Default: 1. The `log_likelihood` of
        the result is unweighted.
    tolerance : float, default 1e-8
        Stop when the next step promises less, in nats per target mark.
    max_iter : int, default 500
        Most steps per target mark and decay.
    **reading
        How data other than Events are read: ``time``, ``mark``, ``realization``, ``unit``, ``sort``
        and ``mark_names``; see `hawkeys.Events.from_data`.

    Returns
    -------
    RectifiedResult
        Frozen: parameters, standard errors, information, why it stopped.

    Raises
    ------
    InvalidEventsError
        The data break the contract of `Events`.
    InvalidParameterError
        Decay, support, weights, tolerance or max_iter is wrong.

    Warns
    -----
    EventsWarning
        As `hawkeys.fit`.
    IdentifiabilityWarning
        The data do not determine some parameters, or an estimated decay lies at the edge of its
        range or cannot be told from there.
    ConvergenceWarning
        The tolerance was not met.

    Notes
    -----
    Target marks separate. For a given decay the log-likelihood of a target is concave in baseline
    and adjacency row, with inhibition too: the logarithm of a linear function is concave, and the
    compensator integrates max(0, a linear function), which is convex. One start therefore suffices,
    the constant rate, and the maximum found is global; in particular it is never below that of
    `hawkeys.fit`, which maximises the same function over adjacency >= 0 only. The derivatives are
    exact; where a mark is silent after an event for part of the time until the next, the moment of
    restart adds to the second derivatives. Where those jump and Newton steps stop short, a bundle
    of tangent planes goes on, and proves what is left to gain.

    An estimated decay maximises the profile, which need not be concave: a grid of three values a
    decade over a range that the data set, then Brent's method around the best. If that is at the
    edge of the range, or less than 1.92 nats better than the edge or than no influence at all,
    there is no estimate: a warning and `message` say which limit it is, and decay and adjacency of
    the target have no intervals and are flagged. Influence that gains next to nothing, or runs off
    to the slow edge, where it is a trend in the baseline, is left out; else what is returned is the
    maximum within the range.

    If no event of the target follows one of the source, stronger inhibition may only ever gain. The
    adjacency then ends at -1e6, marked `at_bound`.

    In short windows (some hundred events) estimates of self-influence are too low by a fraction of
    a standard error, as those of maximum likelihood are; the bias falls in proportion to the
    length. How often intervals covered in simulations stands in ``benchmarks/README.md``.

    Cost: O(n_events n_marks) per step and target mark, about ten steps.

    References
    ----------
    Bonnet, A., Martinez Herrera, M. and Sangnier, M. (2021). Maximum likelihood estimation for
    Hawkes processes with self-excitation or inhibition. Statistics & Probability Letters 179,
    109214. doi:10.1016/j.spl.2021.109214

    Bonnet, A., Martinez Herrera, M. and Sangnier, M. (2023). Inference of multivariate exponential
    Hawkes processes with inhibition and application to neuronal activity. Statistics and Computing
    33, 91. doi:10.1007/s11222-023-10264-w

    Examples
    --------
    >>> import hawkeys
    >>> truth = hawkeys.RectifiedHawkes([1.0, 1.0], [[0.2, -0.6], [0.0, 0.3]], decay=2.0)
    >>> sample = hawkeys.simulate_rectified(truth, end_time=2_000.0, rng=0)
    >>> result = hawkeys.fit_rectified(sample, decay=2.0)
    >>> bool(result.adjacency[0, 1] < -0.5)
    True
    >>> result.converged
    True
    """
    events = as_events(data, reading, end_time=end_time, start_time=start_time, alone=True)
    log_fit("fit_rectified", events)
    decay, support, weights = by_labels(events, decay, support, weights)
    allowed = admissible(support, events.n_marks)
    counting, positive = leave_out(events, weights)
    problem = _Problem(
        counting,
        allowed,
        check_weights(positive, counting.n_realizations),
        check_positive_number(tolerance, "tolerance"),
        check_count(max_iter, "max_iter"),
    )
    decays = _check_decay(decay, events.n_marks)
    examine(counting, None if decays is None else Exponential(decays))
    rows = [problem.row(i, None if decays is None else decays[i]) for i in range(events.n_marks)]
    options = {"support": support, "weights": weights, "tolerance": tolerance, "max_iter": max_iter}
    found = _result(problem, rows, decays is None, options)
    silent = np.zeros_like(allowed)
    silent[problem.counts == 0, 1:] = True  # no events, no influence: said in event_counts
    climbed = np.array([row.converged for row in rows])
    silent[:, 1:] |= np.array([bool(row.limit) for row in rows])[:, None]  # said below
    warn_about(found.identified | ~allowed | silent, climbed, events.mark_names, priors=False)
    _warn_about_limits(rows, events.mark_names)
    warn_if_unseen(found, counting, "Give a kernel", stacklevel=3)
    found = found if counting is events else about_all(found, events, weights)
    return found.in_unit_of(events)


def _check_decay(decay: ArrayLike | str, n_marks: int) -> FloatArray | None:
    """Return the decays, or None if they are to be estimated."""
    if isinstance(decay, str):
        if decay != "estimate":
            raise InvalidParameterError(
                f"decay must be a number, one per target mark, or 'estimate'; got {brief(decay)}."
            )
        return None
    return as_target_decays(decay, n_marks)


def _warn_about_limits(rows: list[RowFit], names: tuple[str, ...]) -> None:
    text = _limits(rows, names)
    if text:
        warnings.warn(
            f"not every decay is identified by the data. {text}. These decays and the adjacency of "
            "their targets have no intervals and are flagged in the result. Give a decay, observe "
            "more, or set a support that is False in the rows of these target marks.",
            IdentifiabilityWarning,
            stacklevel=3,
        )


def _limits(rows: list[RowFit], names: tuple[str, ...]) -> str:
    """Return which targets have run into which limit, empty if none has."""
    parts = []
    for limit, meaning in LIMITS.items():
        marks = [names[i] for i, row in enumerate(rows) if row.limit == limit]
        if marks:
            more = ", ..." if len(marks) > 5 else ""
            parts.append(f"target {', '.join(marks[:5])}{more}: {meaning}")
    return "; ".join(parts)


@dataclass(frozen=True, eq=False)
class _Problem:
    """What all rows share."""

    events: Events
    allowed: BoolArray
    weights: FloatArray
    tolerance: float
    max_iter: int

    @property
    def counts(self) -> FloatArray:
        """Weighted number of events per mark."""
        return self.weights @ self.events.counts

    def terms(self, target: int) -> Callable[[FloatArray], tuple[float, FloatArray, FloatArray]]:
        return lambda theta: row_terms(self.events, target, theta, self.weights)

    def row(self, target: int, decay: float | None) -> RowFit:
        """Fit one target mark; without a decay, over it too."""
        if self.counts[target] == 0:
            return self._silent(target, decay)
        if decay is not None:
            return self._climb(target, decay, None)
        if not self.allowed[target, 1:].any():  # a decay of nothing
            return self._climb(target, decay_range(self.events)[0], None)
        alone = self._constant(target, decay_range(self.events)[0])
        value, gradient, curvature = self.terms(target)(alone)
        found = best_decay(lambda b, start: self._climb(target, b, start), self.events, value)
        if found.limit not in LEFT_OUT:
            return found
        return RowFit(alone, value, gradient, curvature, 0.0, True, (value,), found.limit)

    def _climb(self, target: int, decay: float, start: FloatArray | None) -> RowFit:
        """Climb from the constant rate, or from `start` if that is possible with this decay."""
        theta = self._constant(target, decay)
        terms = self.terms(target)
        if start is not None:
            near = np.append(start[:-1], decay)
            theta = near if np.isfinite(terms(near)[0]) else theta
        limits, allowed = (self.tolerance, self.max_iter), self.allowed[target]
        found = climb(terms, theta, allowed, limits)
        if found.converged or not allowed[1:].any():
            return found
        time = float(self.weights @ self.events.durations)
        constant = self._constant(target, decay)
        found = climb_to_the_edge(terms, found, constant, allowed, limits, time)
        if found.converged:
            return found
        columns = event_columns(self.events, target, decay)
        return climb_over_kinks(terms, found, allowed, columns, limits)

    def _constant(self, target: int, decay: float) -> FloatArray:
        """Return the parameters of a constant rate."""
        rate = self.counts[target] / float(self.weights @ self.events.durations)
        return np.concatenate(([rate], np.zeros(self.events.n_marks), [decay]))

    def _silent(self, target: int, decay: float | None) -> RowFit:
        """Return the fit of a mark without events: its baseline is 0, all else is free."""
        slowest = decay_range(self.events)[0] if decay is None else decay
        theta = np.append(np.zeros(self.events.n_marks + 1), slowest)
        gradient = np.zeros(theta.size)
        gradient[0] = -float(self.weights @ self.events.durations)
        size = theta.size - 1
        return RowFit(theta, 0.0, gradient, np.zeros((size, size)), 0.0, True, (0.0,))


def _result(
    problem: _Problem, rows: list[RowFit], estimated: bool, options: dict[str, Any]
) -> RectifiedResult:
    events = problem.events
    theta = np.array([row.theta for row in rows])
    process = RectifiedHawkes(
        theta[:, 0], theta[:, 1:-1], decay=theta[:, -1], mark_names=events.mark_names
    )
    pieces = [_information(problem, i, row, estimated) for i, row in enumerate(rows)]
    lowest = np.append(0.0, np.full(events.n_marks, LOWEST))
    identified = np.array([_identified(problem, row, i) for i, row in enumerate(rows)])
    free = np.array([not row.limit for row in rows])
    identified[:, 1:] &= free[:, None]
    inside = _converged(rows) & (problem.counts > 0) & estimated & free
    return RectifiedResult(
        process=process,
        method="rectified mle",
        log_likelihood=process.log_likelihood(events),
        to_gain=float(sum(row.to_gain for row in rows)),
        gradient_norm=_gradient_norm(problem, rows, lowest),
        converged=bool(_converged(rows).all()),
        message=_message(rows, events.mark_names),
        n_iterations=max(len(row.trace) - 1 for row in rows),
        trace=_trace(rows),
        identified=identified,
        at_bound=identified & (theta[:, :-1] <= lowest),
        information=np.array(pieces),
        decay_identified=inside & (theta[:, 1:-1] != 0).any(axis=1),
        event_counts=events.counts.sum(axis=0),
        n_realizations=events.n_realizations,
        total_time=float(events.durations.sum()),
        options=options,
        version=__version__,
    )


def _information(problem: _Problem, target: int, row: RowFit, estimated: bool) -> FloatArray:
    """Return minus the second derivatives; those by the decay as differences of the gradient."""
    if not estimated:
        return row.curvature
    out = np.zeros((row.theta.size, row.theta.size))
    out[:-1, :-1] = row.curvature
    reach = np.zeros(row.theta.size)
    reach[-1] = _RELATIVE_STEP * row.theta[-1]
    terms = problem.terms(target)
    up, down = terms(row.theta + reach), terms(row.theta - reach)
    if problem.counts[target] > 0 and np.isfinite(up[0] + down[0]):
        out[-1] = out[:, -1] = (down[1] - up[1]) / (2.0 * reach[-1])
    return out


def _identified(problem: _Problem, row: RowFit, target: int) -> BoolArray:
    """Return which of baseline and adjacency row matter, and cannot be exchanged for others."""
    diagonal = np.diagonal(row.curvature)
    out = problem.allowed[target] & ((diagonal > 0) | (np.abs(row.gradient[:-1]) > 0))
    index = np.flatnonzero(out & (diagonal > 0))
    if index.size > 1:
        out[index[exchanged(row.curvature, index)]] = False
    return out


def _gradient_norm(problem: _Problem, rows: list[RowFit], lowest: FloatArray) -> float:
    scale = np.append(float(problem.weights @ problem.events.durations), 1.0 + problem.counts)
    worst = 0.0
    for row, allowed in zip(rows, problem.allowed, strict=True):
        gradient = np.where(allowed, row.gradient[:-1], 0.0) / scale
        held = row.theta[:-1] <= lowest
        gradient[held] = np.maximum(gradient[held], 0.0)
        worst = max(worst, float(np.abs(gradient).max()))
    return worst


def _converged(rows: list[RowFit]) -> BoolArray:
    return np.array([row.converged and not row.at_edge for row in rows])


def _message(rows: list[RowFit], names: tuple[str, ...]) -> str:
    stopped = sum(not row.converged for row in rows)
    text = f"the next steps promise {sum(row.to_gain for row in rows):.1e} nats"
    if stopped:
        text = f"{stopped} target marks stopped before the tolerance was met"
    limits = _limits(rows, names)
    return f"{text}; decays not identified: {limits}" if limits else text


def _trace(rows: list[RowFit]) -> FloatArray:
    """Add the traces of the rows, each held at its last value once it has stopped."""
    steps = max(len(row.trace) for row in rows)
    return np.sum([row.trace + row.trace[-1:] * (steps - len(row.trace)) for row in rows], axis=0)
