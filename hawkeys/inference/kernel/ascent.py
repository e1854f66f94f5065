"""Maximises over rates and kernel: expectation-maximisation first, then Newton steps."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass

import numpy as np

from hawkeys.inference.kernel.bin_curvature import Bins, can_have_bins, wake
from hawkeys.inference.kernel.newton import Curvature, curvature, newton_step, search_along
from hawkeys.inference.kernel.problem import EMProblem, EMState
from hawkeys.inference.kernel.separate_histograms import is_concave, solve_apart
from hawkeys.inference.kernel.setup import KernelOptions
from hawkeys.inference.outcome import total_trace

__all__ = ["Path", "climb", "path_message", "to_the_top"]

# a parameter that explains fewer events than this, and falls, is 0
_NOTHING = 1e-3
# steps; a leap that gained may be followed by one this much longer
_FIRST_LEAP = 4.0
_LONGER = 4.0
# times the tolerance
_ROUGH = 100.0
# nats from where Newton steps lead histograms to the top
_NEAR = 0.3
# times what a Newton step promises: no self-concordant function (Nesterov 2004, theorem 4.1.11) has
# more to gain where that is below .2 nats
_SAFE = 2.0
# what a search found was up to 60 times what two steps of a histogram promised
_HIDDEN = 100.0


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
        What is still to gain: extrapolated, or by gradient and curvature.
    converged : bool
        Whether it is below the tolerance.
    is_maximum : bool or None
        Whether the curvature is that of a maximum; None if it is not known.
    is_proven : bool
        Whether nowhere more than the gap is to gain, since the problem is concave.
    """

    state: EMState
    trace: list[float]
    gap: float
    converged: bool
    is_maximum: bool | None = None
    is_proven: bool = False


def to_the_top(
    problem: EMProblem, state: EMState, options: KernelOptions
) -> tuple[Path, Curvature]:
    """Climb, and take Newton steps until what is left to gain is below the tolerance.

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
    Curvature
        The objective near its end.
    """
    bins = None
    if not problem.step.names:
        if not can_have_bins(problem):
            strict = dataclasses.replace(options, tolerance=options.tolerance / _HIDDEN)
            path = climb(problem, state, strict)
            path = dataclasses.replace(path, gap=_HIDDEN * path.gap)
            return path, curvature(problem, path.state)
        bins = Bins.of(problem)
        if bins.kept and is_concave(problem):
            return _prove(problem, bins, state, options)
    return _polish(problem, climb(problem, state, _rough(problem, options)), options, bins)


def _prove(
    problem: EMProblem, bins: Bins, start: EMState, options: KernelOptions
) -> tuple[Path, Curvature]:
    """Return the highest maximum, with a bound on how far it is."""
    state, solution = solve_apart(problem, bins, start, options)
    near = curvature(problem, state)
    gap = float(solution.gap.sum()) + max(near.value - state.objective, 0.0)
    path = Path(
        state,
        total_trace(solution.traces).tolist(),
        gap,
        bool(solution.converged.all()),
        is_maximum=True,
        is_proven=True,
    )
    return path, near


def _rough(problem: EMProblem, options: KernelOptions) -> KernelOptions:
    """Return options to climb with: roughly where a Newton step, four evaluations, ends it."""
    if problem.n_groups > 1 and problem.step.names:
        return options
    enough = _ROUGH * options.tolerance
    if not problem.step.names:  # whose Newton steps are cheaper, and exact
        enough = max(enough, _NEAR)
    return dataclasses.replace(options, tolerance=enough)


def _polish(
    problem: EMProblem, path: Path, options: KernelOptions, bins: Bins | None
) -> tuple[Path, Curvature]:
    """Take Newton steps until what is left to gain is below the tolerance."""
    state, trace = path.state, path.trace
    while True:
        near = curvature(problem, state, bins)
        step = newton_step(problem, state, near)
        # a difference between two ways to compute the objective would be left to gain
        gap = _SAFE * step.promise + max(near.value - state.objective, 0.0)
        done = gap < options.tolerance and step.is_maximum
        further = None
        if not done and len(trace) <= options.max_iter:
            further = search_along(problem, state, step)
            if further is None and (closer := _closer(problem, state, options, len(trace))):
                further = closer.state
                trace.extend(closer.trace[1:-1])
        if done and bins is not None:
            if (woken := _woken(problem, state, near, bins)) and len(trace) <= options.max_iter:
                state = woken
                trace.append(state.objective)
                continue
            # what is stated of the place before holds at its end with digits to spare
            if last := search_along(problem, state, step):
                trace.append(last.objective)
                return Path(last, trace, gap, True, is_maximum=True), curvature(problem, last, bins)
        if further is None:
            return Path(state, trace, gap, done, is_maximum=step.is_maximum), near
        state = further
        trace.append(state.objective)


def _woken(problem: EMProblem, state: EMState, near: Curvature, bins: Bins) -> EMState | None:
    """Return a higher state where kernels without excitation have some; None if there is none."""
    if not np.isfinite(problem.lowest(state)).all():  # no posterior mean is 0
        return None
    return wake(problem, state, near.design, bins)


def _closer(problem: EMProblem, state: EMState, options: KernelOptions, steps: int) -> Path | None:
    """Return some more steps of expectation-maximisation; None if they gain less than rounding."""
    strict = dataclasses.replace(
        options, tolerance=0.01 * options.tolerance, max_iter=options.max_iter - steps + 1
    )
    path = climb(problem, state, strict)
    return path if path.state.objective > state.objective + options.tolerance else None


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

    A step never loses but by rounding.
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


def path_message(path: Path, limits: str = "") -> str:
    """Return in words why the iteration stopped, and which limits were met."""
    steps = len(path.trace) - 1
    text = f"about {path.gap:.1e} nats to gain, extrapolated"
    if path.is_maximum is not None:
        text = (
            f"{path.gap:.1e} nats to gain nearby, by gradient and curvature (not concave: other "
            "maxima may be higher)"
        )
    if path.is_proven:
        text = f"at most {path.gap:.1e} nats to gain, with any baseline, adjacency and kernel"
    if not path.converged:
        text = f"stopped after {steps} steps before the tolerance was met: {text}"
    if path.is_maximum is False:
        text = f"stopped after {steps} steps where the curvature is not that of a maximum"
    return f"{text}; no kernel identified: {limits}" if limits else text
