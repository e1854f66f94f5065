"""Maximum likelihood over baseline, adjacency and kernel parameters together."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, BoolArray, FloatArray, IntArray
from hawkeys._version import __version__
from hawkeys.events import Events
from hawkeys.inference.identify import flat_directions
from hawkeys.inference.kernel.ascent import Path, path_message, to_the_top
from hawkeys.inference.kernel.errors import LEAST_LAGS, KernelErrors, kernel_errors
from hawkeys.inference.kernel.limits import LEFT_OUT, NONE, Limits, beyond_reach, find_limits
from hawkeys.inference.kernel.newton import Curvature
from hawkeys.inference.kernel.problem import EMProblem
from hawkeys.inference.kernel.setup import KernelOptions, build_kernel, set_up
from hawkeys.inference.kernel.starts import first_state
from hawkeys.inference.options import EMOptions
from hawkeys.kernels import DelayedKernel
from hawkeys.process import Hawkes
from hawkeys.results import LikelihoodResult

__all__ = ["fit_kernel", "settings"]


@dataclass(frozen=True, eq=False)
class Found:
    """The maximum.

    Attributes
    ----------
    problem : EMProblem
        What was maximised: without the pairs that were left out.
    path : Path
        Where the iteration went.
    near : Curvature
        The log-likelihood near its end.
    codes : ndarray of int, shape (n_groups,)
        Which limit each group has run into.
    """

    problem: EMProblem
    path: Path
    near: Curvature
    codes: IntArray


def fit_kernel(
    events: Events,
    kernel: DelayedKernel,
    options: EMOptions,
    *,
    support: ArrayLike | None,
    weights: ArrayLike | None,
) -> tuple[LikelihoodResult, Limits]:
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
    Limits
        Which pairs have no kernel, and why.

    Raises
    ------
    InvalidParameterError
        `support`, `weights`, or the groups, start or prior in `options` do not fit.
    """
    problem = EMProblem(
        **set_up(events, kernel, options, options.prior, support=support, weights=weights),
        baseline_floor=options.baseline_floor,
    )
    found = maximise(problem, options)
    limits = Limits.of(problem, found.codes)
    return _result(
        found, limits, settings(problem, options, support=support, weights=weights)
    ), limits


def maximise(problem: EMProblem, options: EMOptions) -> Found:
    """Climb, take Newton steps to the top, and see which kernels have run into a limit.

    Excitation that stands for a trend, or gains next to nothing, is left out, and the rest climbed
    again.
    """
    codes = np.zeros(problem.n_groups, dtype=np.int64)
    state = first_state(problem, options.start)
    while True:
        path, near = to_the_top(problem, state, options)
        codes = np.where(
            np.isin(codes, LEFT_OUT), codes, find_limits(problem, path.state, near.design)
        )
        found = Found(problem, path, near, codes)
        errors = _errors(found, _identified(found))
        if errors is not None:
            far = beyond_reach(problem, path.state, errors.location)
            codes = np.where((codes == NONE) & (far != NONE), far, codes)
        dropped = problem.support & np.isin(codes, LEFT_OUT)[problem.groups]
        if not dropped.any():
            return dataclasses.replace(found, codes=codes)
        problem = dataclasses.replace(problem, support=problem.support & ~dropped)
        state = problem.start(path.state.kernel)


def _result(found: Found, limits: Limits, options: dict[str, Any]) -> LikelihoodResult:
    problem, path, near = found.problem, found.path, found.near
    events, state, cost = problem.events, path.state, near.design.cost
    kernel = build_kernel(problem, state.kernel)
    process = Hawkes(state.x[:, 0], state.x[:, 1:], kernel=kernel, mark_names=events.mark_names)
    identified = _identified(found)
    errors = _errors(found, identified)
    seen = (problem.step.amount(state.moments) > LEAST_LAGS) & (found.codes == NONE)
    return LikelihoodResult(
        process=process,
        method="mle",
        log_likelihood=_unweighted(process, found),
        objective=state.objective,
        optimality_gap=float(path.gap),
        converged=path.converged,
        message=path_message(path, limits.text),
        n_iterations=len(path.trace) - 1,
        trace=np.array(path.trace),
        identified=identified,
        event_counts=events.counts.sum(axis=0),
        n_realizations=events.n_realizations,
        total_time=float(events.durations.sum()),
        options=options,
        version=__version__,
        kkt_residual=_violation(problem, state.x, cost, near.slope),
        information=near.rows if errors is None else errors.information,
        kernel_std_err=None if errors is None else _by_name(problem, errors),
        n_kernel_parameters=int(seen.sum()) * problem.step.n_free,
    )


def _unweighted(process: Hawkes, found: Found) -> float:
    """Return the log-likelihood as `Hawkes` has it."""
    design = found.near.design
    if design.weights.size:
        return process.log_likelihood(found.problem.events)
    return float(design.log_likelihood(found.path.state.x).sum())


def _identified(found: Found) -> BoolArray:
    """Return which rates the data determine, shape (n_marks, n_marks + 1)."""
    determined = found.near.design.cost > 0
    determined[:, 1:] &= (found.codes == NONE)[found.problem.groups]
    return flat_directions(found.near.rows, found.path.state.x, determined)


def _errors(found: Found, identified: BoolArray) -> KernelErrors | None:
    """Return what the joint information says; None of bins."""
    problem, state, near = found.problem, found.path.state, found.near
    if not problem.step.names:
        return None
    free = identified & (state.x > 0)
    free[:, 0] &= state.x[:, 0] > problem.baseline_floor
    inside = ~problem.step.edges_met(state.kernel).any(axis=1) & (found.codes == NONE)
    sets = inside & (problem.step.amount(state.moments) > LEAST_LAGS)
    return kernel_errors(problem, state, (near.rows, near.mixed, near.own), (free, sets))


def _by_name(problem: EMProblem, errors: KernelErrors) -> dict[str, FloatArray]:
    """Return the standard errors of the kernel, shaped as its parameters."""
    out = {}
    for name, value in zip(problem.step.names, errors.std_err, strict=True):
        shared = problem.n_groups == 1
        out[name] = value[0] if shared else np.where(problem.support, value[problem.groups], np.nan)
    return {name: np.asarray(value) for name, value in out.items()}


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


def _violation(problem: EMProblem, x: FloatArray, cost: FloatArray, slope: FloatArray) -> float:
    """Return the largest violation of the optimality conditions for the kernel found, no unit.

    slope / cost must be at most 1, and 1 where x > 0 (there counted by the share of the events).
    """
    ratio = np.divide(slope, cost, out=np.ones_like(slope), where=cost > 0)
    share = x * cost
    share = share / np.maximum(share.sum(axis=1, keepdims=True), np.finfo(float).tiny)
    share[:, 0] = np.where(x[:, 0] > problem.baseline_floor, share[:, 0], 0.0)
    return float(np.maximum(ratio - 1.0, share * np.abs(ratio - 1.0)).max(initial=0.0))
