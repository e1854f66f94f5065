"""Maximum likelihood over baseline, adjacency and kernel parameters together."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from hawkeys._design import Design
from hawkeys._jit import delayed as jit
from hawkeys._typing import ArrayLike, BoolArray, FloatArray, IntArray
from hawkeys._validation import check_nonnegative, check_shape
from hawkeys._version import __version__
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.em_problem import EMProblem, EMState
from hawkeys.inference.identify import flat_directions
from hawkeys.inference.kernel_steps import (
    GammaStep,
    HistogramStep,
    KernelStep,
    LogNormalStep,
    Parameters,
    Pseudo,
)
from hawkeys.inference.methods import make_options
from hawkeys.inference.options import EMOptions
from hawkeys.inference.selection import admissible, check_support, check_weights
from hawkeys.kernels import DelayedKernel, Gamma, Histogram, LogNormal
from hawkeys.process import Hawkes
from hawkeys.results import LikelihoodResult

__all__ = ["em_options", "fit_kernel"]

_STEPS: dict[type[DelayedKernel], type[KernelStep]] = {
    LogNormal: LogNormalStep,
    Gamma: GammaStep,
    Histogram: HistogramStep,
}
# a start narrower than this could miss the lags it should find
_LEAST_START_SPREAD = 0.5
# a parameter that explains fewer events than this, and falls, is 0
_NOTHING = 1e-3
# steps; a leap that gained may be followed by one this much longer
_FIRST_LEAP = 4.0
_LONGER = 4.0


@dataclass(frozen=True, eq=False)
class _Path:
    """Where the iteration went and why it stopped."""

    state: EMState
    trace: list[float]
    gap: float
    converged: bool


def em_options(method: str, given: dict[str, Any]) -> EMOptions:
    """Return the options of expectation-maximisation, checked.

    Parameters
    ----------
    method : str
        Must be "mle".
    given : dict
        Options by name.

    Returns
    -------
    EMOptions
        The record.

    Raises
    ------
    InvalidParameterError
        Another method, an unknown option or a value out of range.
    """
    if method != "mle":
        raise InvalidParameterError(
            f"the kernel's parameters are left out, and only method 'mle' estimates them; got "
            f"method {method!r}. Give the parameters, for example those of a fit by 'mle'."
        )
    options: EMOptions = make_options(EMOptions, given, "estimating the kernel")
    return options


def fit_kernel(
    events: Events,
    kernel: DelayedKernel,
    options: EMOptions,
    *,
    support: ArrayLike | None,
    weights: ArrayLike | None,
) -> LikelihoodResult:
    """Fit baseline, adjacency and the parameters of `kernel` by expectation-maximisation.

    Parameters
    ----------
    events : Events
        The data.
    kernel : DelayedKernel
        Kernel whose parameters are left out.
    options : EMOptions
        Options.
    support : array_like of bool, shape (n_marks, n_marks), or None
        Which pairs (target, source) may be child and parent. None: all.
    weights : array_like, shape (n_realizations,), or None
        Weight of the log-likelihood of each realisation. None: 1.

    Returns
    -------
    LikelihoodResult
        With ``kernel`` the estimated one.

    Raises
    ------
    InvalidParameterError
        `support`, `weights`, or the groups, start or prior in `options` do not fit.
    """
    problem = _problem(events, kernel, options, support, weights)
    path = _climb(problem, problem.start(_start(problem, options.start)), options)
    return _result(problem, path, options, support, weights)


def _problem(
    events: Events,
    kernel: DelayedKernel,
    options: EMOptions,
    support: ArrayLike | None,
    weights: ArrayLike | None,
) -> EMProblem:
    allowed = check_support(support, events.n_marks)
    groups = _check_groups(options.groups, allowed)
    pseudo = None
    if options.prior is not None:
        prior = options.prior
        own = _by_group(prior.kernel, kernel, groups, allowed, "prior")
        location_weight = prior.weight if prior.location_weight is None else prior.location_weight
        pseudo = Pseudo(own, prior.weight, location_weight)
    step = _STEPS[type(kernel)](
        kernel, pseudo=pseudo, smoothing=options.smoothing, min_spread=options.min_spread
    )
    return EMProblem(
        events=events,
        weights=check_weights(weights, events.n_realizations),
        support=allowed,
        groups=groups,
        step=step,
        baseline_floor=options.baseline_floor,
    )


def _check_groups(groups: ArrayLike | str, support: BoolArray) -> IntArray:
    """Return the group of each pair, numbered from 0 over the admissible ones, 0 elsewhere."""
    if isinstance(groups, str) and groups == "shared":
        given = np.zeros(support.shape)
    elif isinstance(groups, str) and groups == "edge":
        given = np.arange(float(support.size)).reshape(support.shape)
    elif isinstance(groups, str):
        raise InvalidParameterError(
            f"groups must be 'shared', 'edge' or a matrix of group numbers; got {groups!r}."
        )
    else:
        given = check_nonnegative(groups, "groups")
        check_shape(given, "groups", support.shape, "the group of each pair, target by source")
    out = np.zeros(support.shape, dtype=np.int64)
    if support.any():
        out[support] = np.unique(given[support], return_inverse=True)[1].ravel()
    return out


def _by_group(
    given: DelayedKernel,
    wanted: DelayedKernel,
    groups: IntArray,
    support: BoolArray,
    name: str,
) -> Parameters:
    """Return the parameters of a known kernel, one row per group."""
    if type(given) is not type(wanted) or not np.array_equal(given.edges, wanted.edges):
        raise InvalidParameterError(
            f"{name}: the kernel must be of the kind that is estimated, {wanted!r}"
            f"{', with the same edges' if wanted.edges.size else ''}; got {given!r}."
        )
    size = support.shape[0]
    given.check_marks(size)
    out = []
    for value in given.parameters()[-len(given.parameter_names) :]:
        pairs = np.broadcast_to(value, (size**2, *value.shape[1:])) if len(value) == 1 else value
        own, labels = pairs[support.ravel()], groups[support]
        first = np.unique(labels, return_index=True)[1]
        if not (own == own[first][labels]).all():
            raise InvalidParameterError(
                f"{name}: {given!r} differs between pairs that share an estimate; use "
                "groups='edge', or equal values within each group."
            )
        out.append(own[first] if first.size else pairs[:1])
    return tuple(out)


def _start(problem: EMProblem, given: DelayedKernel | None) -> Parameters:
    """Return the parameters to start from: those given, or from the lags after each source."""
    kernel, groups, support = problem.step.kernel, problem.groups, problem.support
    if given is not None:
        return _by_group(given, kernel, groups, support, "start")
    lags = np.zeros((*groups.shape, 3))
    jit.nearest_lags(problem.data, support, lags)
    sums = np.zeros((problem.n_groups, 3))
    np.add.at(sums, groups, lags)
    pooled = sums.sum(axis=0)
    if pooled[0] == 0:  # no lag at all: any kernel fits
        pooled = np.array([1.0, np.log(0.1 * problem.events.durations.mean()), 0.0])
        pooled[2] = pooled[1] ** 2
    sums = np.where(sums[:, :1] > 0, sums, pooled)
    location = sums[:, 1] / sums[:, 0]
    variance = sums[:, 2] / sums[:, 0] - location**2
    spread = np.sqrt(np.maximum(variance, _LEAST_START_SPREAD**2))
    return problem.step.start(location, spread)


def _climb(problem: EMProblem, state: EMState, options: EMOptions) -> _Path:
    """Take steps in pairs, a leap after each pair, until little is to gain."""
    trace = [state.objective]
    gap, longest = np.inf, _FIRST_LEAP
    while len(trace) <= options.max_iter and gap >= options.tolerance:
        one = _step(problem, state)
        two = _step(problem, one)
        if two is one:  # only rounding is left
            state, gap = one, 0.0
            trace.append(one.objective)
            break
        leapt = problem.leap((state, one, two), longest)
        further = leapt.objective > two.objective
        longest = max(_FIRST_LEAP, longest * (_LONGER if further else 1.0 / _LONGER))
        last = leapt if further else two
        trace.extend([one.objective, two.objective, *([last.objective] if further else [])])
        gap = _still_to_gain(state, one, two, last)
        state = last
    pruned = problem.prune(state, _NOTHING)
    if pruned is not state:
        trace.append(pruned.objective)
    return _Path(pruned, trace, gap, gap < options.tolerance)


def _step(problem: EMProblem, state: EMState) -> EMState:
    """Return the next state, or the same one if no step gains anything.

    A step never loses but by rounding, or by the difference that stands for a slope in the tails of
    gamma kernels; without the kernel's part it is exact.
    """
    for hold_kernel in (False, True):
        new = problem.advance(state, hold_kernel=hold_kernel)
        if new.objective > state.objective:
            return new
    return state


def _still_to_gain(before: EMState, one: EMState, two: EMState, last: EMState) -> float:
    """Extrapolate the gains of two steps as a geometric series; at least what was just gained."""
    first, second = one.objective - before.objective, two.objective - one.objective
    series = second**2 / (first - second) if second < first else np.inf
    return max(series, last.objective - before.objective)


def _result(
    problem: EMProblem,
    path: _Path,
    options: EMOptions,
    support: ArrayLike | None,
    weights: ArrayLike | None,
) -> LikelihoodResult:
    events, state = problem.events, path.state
    kernel = _build(problem, state.kernel)
    design = Design.build(events, kernel)
    information, slope = _curvature(problem, design, state.x)
    cost = np.column_stack((np.full(events.n_marks, problem.time), state.window.cost))
    identified = (cost > 0) & admissible(support, events.n_marks)
    n_seen = int((problem.step.amount(state.moments) > _NOTHING).sum())
    return LikelihoodResult(
        process=Hawkes(state.x[:, 0], state.x[:, 1:], kernel=kernel, mark_names=events.mark_names),
        method="mle",
        log_likelihood=float(design.log_likelihood(state.x).sum()),
        objective=state.objective,
        optimality_gap=float(path.gap),
        converged=path.converged,
        message=_message(path),
        n_iterations=len(path.trace) - 1,
        trace=np.array(path.trace),
        identified=flat_directions(information, state.x, identified),
        event_counts=design.counts,
        n_realizations=events.n_realizations,
        total_time=float(events.durations.sum()),
        options=_settings(problem, options, support=support, weights=weights),
        version=__version__,
        kkt_residual=_violation(problem, state.x, cost, slope),
        information=information,
        n_kernel_parameters=n_seen * problem.step.n_free,
    )


def _settings(problem: EMProblem, options: EMOptions, **given: ArrayLike | None) -> dict[str, Any]:
    """Return all that `hawkeys.fit` needs to fit again in the same way."""
    out = {f.name: getattr(options, f.name) for f in dataclasses.fields(options)}
    if not isinstance(options.groups, str):
        out["groups"] = problem.groups
    for name, value in given.items():
        out[name] = None if value is None else getattr(problem, name)
    return out


def _build(problem: EMProblem, kernel: Parameters) -> DelayedKernel:
    """Return the estimated kernel: shared, or an entry for each pair."""
    if problem.n_groups == 1:
        return problem.step.build(tuple(value[0] for value in kernel))
    return problem.step.build(tuple(value[problem.groups] for value in kernel))


def _curvature(problem: EMProblem, design: Design, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return minus the second derivatives and sum w v / lambda of each row, for a fixed kernel."""
    size = design.n_marks
    weights = problem.weights[problem.events.realization]
    information = np.zeros((size, size + 1, size + 1))
    slope = np.zeros((size, size + 1))
    for i in range(size):
        matrix = design.block(i)
        terms = np.vstack((np.ones(matrix.shape[1]), matrix * problem.support[i][:, None]))
        scaled = terms / (x[i] @ terms)
        own = weights[problem.events.marks == i]
        information[i] = (scaled * own) @ scaled.T
        slope[i] = scaled @ own
    return information, slope


def _violation(problem: EMProblem, x: FloatArray, cost: FloatArray, slope: FloatArray) -> float:
    """Return the largest violation of the optimality conditions for the kernel found, no unit.

    slope / cost must be at most 1, and 1 where x > 0 (there counted by the share of the events).
    """
    ratio = np.divide(slope, cost, out=np.ones_like(slope), where=cost > 0)
    share = x * cost
    share = share / np.maximum(share.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    share[:, 0] = np.where(x[:, 0] > problem.baseline_floor, share[:, 0], 0.0)
    return float(np.maximum(ratio - 1.0, share * np.abs(ratio - 1.0)).max(initial=0.0))


def _message(path: _Path) -> str:
    if not path.converged:
        return f"stopped after {len(path.trace) - 1} steps before the tolerance was met"
    return f"about {path.gap:.1e} nats to gain, extrapolated"
