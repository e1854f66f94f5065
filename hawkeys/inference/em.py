"""Maximum likelihood over baseline, adjacency and kernel parameters together."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from hawkeys._design import Design
from hawkeys._typing import ArrayLike, BoolArray, FloatArray
from hawkeys._version import __version__
from hawkeys.events import Events
from hawkeys.inference.em_problem import EMProblem, EMState
from hawkeys.inference.em_setup import KernelOptions, build_kernel, set_up, start_kernel
from hawkeys.inference.identify import flat_directions
from hawkeys.inference.kernel_errors import kernel_errors
from hawkeys.inference.options import EMOptions
from hawkeys.inference.selection import admissible
from hawkeys.kernels import DelayedKernel
from hawkeys.process import Hawkes
from hawkeys.results import LikelihoodResult

__all__ = ["Path", "climb", "fit_kernel", "path_message", "settings"]

# a parameter that explains fewer events than this, and falls, is 0
_NOTHING = 1e-3
# steps; a leap that gained may be followed by one this much longer
_FIRST_LEAP = 4.0
_LONGER = 4.0


@dataclass(frozen=True, eq=False)
class Path:
    """Where the iteration went and why it stopped.

    Attributes
    ----------
    state : EMState
        The last one.
    trace : list of float
        Objective along the way, in nats.
    gap : float
        What is still to gain, extrapolated.
    converged : bool
        Whether it is below the tolerance.
    """

    state: EMState
    trace: list[float]
    gap: float
    converged: bool


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
    problem = EMProblem(
        **set_up(events, kernel, options, options.prior, support=support, weights=weights),
        baseline_floor=options.baseline_floor,
    )
    path = climb(problem, problem.start(start_kernel(problem, options.start)), options)
    return _result(problem, path, options, support, weights)


def climb(problem: EMProblem, state: EMState, options: KernelOptions) -> Path:
    """Take steps in pairs, a leap after each pair, until little is to gain.

    Parameters
    ----------
    problem : EMProblem
        What to maximise.
    state : EMState
        Where to start.
    options : EMOptions or BranchingKernelOptions
        When to stop.

    Returns
    -------
    Path
        Where the iteration went.
    """
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
    return Path(pruned, trace, gap, gap < options.tolerance)


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
    path: Path,
    options: EMOptions,
    support: ArrayLike | None,
    weights: ArrayLike | None,
) -> LikelihoodResult:
    events, state = problem.events, path.state
    kernel = build_kernel(problem, state.kernel)
    design = Design.build(events, kernel)
    held, slope = _curvature(problem, design, state.x)
    cost = np.column_stack((np.full(events.n_marks, problem.time), state.window.cost))
    costly = (cost > 0) & admissible(support, events.n_marks)
    n_seen = int((problem.step.amount(state.moments) > _NOTHING).sum())
    identified = flat_directions(held, state.x, costly)
    errors, information = _errors(problem, state, held, identified)
    return LikelihoodResult(
        process=Hawkes(state.x[:, 0], state.x[:, 1:], kernel=kernel, mark_names=events.mark_names),
        method="mle",
        log_likelihood=float(design.log_likelihood(state.x).sum()),
        objective=state.objective,
        optimality_gap=float(path.gap),
        converged=path.converged,
        message=path_message(path),
        n_iterations=len(path.trace) - 1,
        trace=np.array(path.trace),
        identified=identified,
        event_counts=design.counts,
        n_realizations=events.n_realizations,
        total_time=float(events.durations.sum()),
        options=settings(problem, options, support=support, weights=weights),
        version=__version__,
        kkt_residual=_violation(problem, state.x, cost, slope),
        information=information,
        kernel_std_err=errors,
        n_kernel_parameters=n_seen * problem.step.n_free,
    )


def _errors(
    problem: EMProblem, state: EMState, held: FloatArray, identified: BoolArray
) -> tuple[dict[str, FloatArray] | None, FloatArray]:
    """Return the standard errors of the kernel by name, and the information of the rows."""
    names = problem.step.names
    if not names:
        return None, held
    free = identified & (state.x > 0)
    free[:, 0] &= state.x[:, 0] > problem.baseline_floor
    found = kernel_errors(problem, state, held, free)
    out = {}
    for name, value in zip(names, found.std_err, strict=True):
        shared = problem.n_groups == 1
        out[name] = value[0] if shared else np.where(problem.support, value[problem.groups], np.nan)
    return {name: np.asarray(value) for name, value in out.items()}, found.information


def settings(
    problem: EMProblem, options: KernelOptions, **given: ArrayLike | None
) -> dict[str, Any]:
    """Return all that `hawkeys.fit` needs to fit again in the same way.

    Parameters
    ----------
    problem : EMProblem
        The data.
    options : EMOptions or BranchingKernelOptions
        The options of the fit.
    **given
        Arguments of `hawkeys.fit` that `problem` holds, checked; None if they were left out.

    Returns
    -------
    dict
        Options by name.
    """
    out = {f.name: getattr(options, f.name) for f in dataclasses.fields(options)}
    if not isinstance(options.groups, str):
        out["groups"] = problem.groups
    for name, value in given.items():
        out[name] = None if value is None else getattr(problem, name)
    return out


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


def path_message(path: Path) -> str:
    """Return in words why the iteration stopped."""
    if not path.converged:
        return f"stopped after {len(path.trace) - 1} steps before the tolerance was met"
    return f"about {path.gap:.1e} nats to gain, extrapolated"
