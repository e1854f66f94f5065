"""From data and options to a problem of expectation-maximisation, and back to a kernel."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from hawkeys._loops import lags as loops
from hawkeys._typing import ArrayLike, BoolArray, FloatArray, IntArray
from hawkeys._validation import brief, check_nonnegative, check_shape, refuse_labels
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.branching_options import BranchingKernelOptions
from hawkeys.inference.kernel.families import (
    Box,
    GammaStep,
    KernelStep,
    LogNormalStep,
    Parameters,
    Pseudo,
)
from hawkeys.inference.kernel.histogram_step import HistogramStep
from hawkeys.inference.kernel.problem import EMProblem
from hawkeys.inference.options import EMOptions
from hawkeys.inference.priors.conjugate import KernelPrior
from hawkeys.inference.task import check_support, check_weights
from hawkeys.kernels import DelayedKernel, Gamma, Histogram, LogNormal

__all__ = ["KernelOptions", "build_kernel", "by_group", "set_up", "start_kernel"]

KernelOptions: TypeAlias = EMOptions | BranchingKernelOptions

_STEPS: dict[type[DelayedKernel], type[KernelStep]] = {
    LogNormal: LogNormalStep,
    Gamma: GammaStep,
    Histogram: HistogramStep,
}
# a start narrower than this could miss the lags it should find
_LEAST_START_SPREAD = 0.5
# of the longest window: without shorter lags, the shortest that the data can tell
_SHORT = 0.1
# of the standard deviation of the log-lag, whose largest is half the range of log-lags or this
_LEAST_WIDEST = 2.0


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
    counted = check_weights(weights, events.n_realizations)
    box = Box(spread=(options.min_spread, np.inf))
    if prior is None:
        box = _box(events, counted, options.min_spread)
    step = _STEPS[type(kernel)](kernel, pseudo=pseudo, smoothing=options.smoothing, box=box)
    return {
        "events": events,
        "weights": counted,
        "support": allowed,
        "groups": groups,
        "step": step,
    }


def _box(events: Events, weights: FloatArray, min_spread: float) -> Box:
    """Return what the data can tell: lags from the shortest to the longest window."""
    counted = weights > 0
    longest = float(events.durations[counted].max())
    lags = np.diff(events.times)
    inside = (np.diff(events.realization) == 0) & counted[events.realization[1:]] & (lags > 0)
    shortest = min(float(lags[inside].min(initial=np.inf)), _SHORT * longest)
    widest = max(0.5 * np.log(longest / shortest), _LEAST_WIDEST, 2.0 * min_spread)
    return Box((np.log(shortest), np.log(longest)), (min_spread, float(widest)))


def by_group(problem: EMProblem, given: DelayedKernel) -> Parameters:
    """Return the parameters of a given kernel, one row per group.

    Parameters
    ----------
    problem : EMProblem
        The data.
    given : DelayedKernel
        Kernel to start from.

    Returns
    -------
    tuple of ndarray
        Kernel parameters, within what the data can tell.

    Raises
    ------
    InvalidParameterError
        The kernel is of another kind, or differs within a group.
    """
    step = problem.step
    own = _by_group(given, step.kernel, problem.groups, problem.support, "start")
    return step.of_free(np.clip(step.free(own), *step.bounds)) if step.names else own


def start_kernel(problem: EMProblem) -> Parameters:
    """Return the parameters to start from, by the lags after the latest event of each source.

    Parameters
    ----------
    problem : EMProblem
        The data.

    Returns
    -------
    tuple of ndarray
        Kernel parameters, one row per group.
    """
    groups, support = problem.groups, problem.support
    lags = np.zeros((*groups.shape, 3))
    loops.nearest_lags(problem.data, support, lags)
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
            f"groups must be 'shared', 'edge' or a matrix of group numbers; got {brief(groups)}."
        )
    else:
        refuse_labels(groups, "groups")
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
            f"{', with the same edges' if wanted.edges.size else ''}; got {brief(given)}."
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
                f"{name}: {brief(given)} differs between pairs that share an estimate; use "
                "groups='edge', or equal values within each group."
            )
        out.append(own[first] if first.size else pairs[:1])
    return tuple(out)
