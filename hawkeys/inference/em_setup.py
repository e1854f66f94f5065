"""From data and options to a problem of expectation-maximisation, and back to a kernel."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from hawkeys._jit import delayed as jit
from hawkeys._typing import ArrayLike, BoolArray, IntArray
from hawkeys._validation import check_nonnegative, check_shape
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.branching_options import BranchingKernelOptions
from hawkeys.inference.em_problem import EMProblem
from hawkeys.inference.kernel_steps import (
    GammaStep,
    HistogramStep,
    KernelStep,
    LogNormalStep,
    Parameters,
    Pseudo,
)
from hawkeys.inference.options import EMOptions
from hawkeys.inference.priors import KernelPrior
from hawkeys.inference.selection import check_support, check_weights
from hawkeys.kernels import DelayedKernel, Gamma, Histogram, LogNormal

__all__ = ["KernelOptions", "build_kernel", "set_up", "start_kernel"]

KernelOptions: TypeAlias = EMOptions | BranchingKernelOptions

_STEPS: dict[type[DelayedKernel], type[KernelStep]] = {
    LogNormal: LogNormalStep,
    Gamma: GammaStep,
    Histogram: HistogramStep,
}
# a start narrower than this could miss the lags it should find
_LEAST_START_SPREAD = 0.5


def set_up(
    events: Events,
    kernel: DelayedKernel,
    options: KernelOptions,
    prior: KernelPrior | None,
    *,
    support: ArrayLike | None,
    weights: ArrayLike | None,
) -> dict[str, Any]:
    """Return the fields that every `EMProblem` has.

    Parameters
    ----------
    events : Events
        The data.
    kernel : DelayedKernel
        Kernel whose parameters are left out.
    options : EMOptions or BranchingKernelOptions
        Those of the kernel are read.
    prior : KernelPrior or None
        Prior of the kernel parameters.
    support : array_like of bool, shape (n_marks, n_marks), or None
        Which pairs (target, source) may be child and parent. None: all.
    weights : array_like, shape (n_realizations,), or None
        Weight of the log-likelihood of each realisation. None: 1.

    Returns
    -------
    dict
        events, weights, support, groups and step.

    Raises
    ------
    InvalidParameterError
        `support`, `weights`, the groups or the prior do not fit.
    """
    allowed = check_support(support, events.n_marks)
    groups = _check_groups(options.groups, allowed)
    pseudo = None
    if prior is not None:
        own = _by_group(prior.kernel, kernel, groups, allowed, "prior")
        location_weight = prior.weight if prior.location_weight is None else prior.location_weight
        pseudo = Pseudo(own, prior.weight, location_weight)
    step = _STEPS[type(kernel)](
        kernel, pseudo=pseudo, smoothing=options.smoothing, min_spread=options.min_spread
    )
    return {
        "events": events,
        "weights": check_weights(weights, events.n_realizations),
        "support": allowed,
        "groups": groups,
        "step": step,
    }


def start_kernel(problem: EMProblem, given: DelayedKernel | None) -> Parameters:
    """Return the parameters to start from: those given, or from the lags after each source.

    Parameters
    ----------
    problem : EMProblem
        The data.
    given : DelayedKernel or None
        Kernel to start from.

    Returns
    -------
    tuple of ndarray
        Kernel parameters, one row per group.

    Raises
    ------
    InvalidParameterError
        The kernel is of another kind, or differs within a group.
    """
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


def build_kernel(problem: EMProblem, kernel: Parameters) -> DelayedKernel:
    """Return the estimated kernel: shared, or an entry for each pair.

    Parameters
    ----------
    problem : EMProblem
        The data.
    kernel : tuple of ndarray
        Kernel parameters, one row per group.

    Returns
    -------
    DelayedKernel
        With all its parameters.
    """
    if problem.n_groups == 1:
        return problem.step.build(tuple(value[0] for value in kernel))
    return problem.step.build(tuple(value[problem.groups] for value in kernel))


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
