r"""Standard errors of kernel parameters, and of the other parameters beside them.

The observed information of a fit is that of all rows theta_i = (mu_i, W_i.) and all free kernel
parameters phi together. The rows' own blocks A_i are exact; the blocks B_i (rows by kernel) and C
(kernel) are central differences of the exact gradient, which by Fisher's identity is the expected
gradient of the complete data, seen and unseen children, given the events. Then

.. math:: \operatorname{cov}(\phi) = S^{-1}, \quad S = C - \sum_i B_i^T A_i^{-1} B_i, \quad
    \operatorname{cov}(\theta_i) = A_i^{-1} + A_i^{-1} B_i S^{-1} B_i^T A_i^{-1}.

Groups of pairs that no third group connects are moved together, so that the cost is a few steps of
expectation-maximisation, however many edges there are.

References
----------
Louis, T. A. (1982). Finding the observed information matrix when using the EM algorithm. JRSS B
44(2), 226-233, eq. 3.1. doi:10.1111/j.2517-6161.1982.tb01203.x

Ogata, Y. (1978). The asymptotic behaviour of maximum likelihood estimators for stationary point
processes. Annals of the Institute of Statistical Mathematics 30, 243-261. doi:10.1007/BF02480216
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hawkeys._linalg import FLAT, SHARE, scaled_directions
from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.inference.kernel.problem import EMProblem, EMState

__all__ = [
    "LEAST_LAGS",
    "KernelErrors",
    "colours",
    "differences",
    "kernel_errors",
    "regular_inverse",
    "touched",
]

# a kernel with fewer lags than this has no curvature to speak of
LEAST_LAGS = 1e-3


@dataclass(frozen=True, eq=False)
class KernelErrors:
    """What the joint information says.

    Attributes
    ----------
    std_err : tuple of ndarray, shape (n_groups,)
        Standard error of each parameter of each group; NaN at a bound or if not identified.
    location : ndarray, shape (n_groups,)
        That of the first free parameter.
    information : ndarray, shape (n_marks, n_marks + 1, n_marks + 1)
        Information of each row with the kernel parameters estimated beside it: the inverse of
        cov(theta_i), where a row is free; elsewhere that for the kernel held.
    """

    std_err: tuple[FloatArray, ...]
    location: FloatArray
    information: FloatArray


def kernel_errors(
    problem: EMProblem,
    state: EMState,
    blocks: tuple[FloatArray, FloatArray, FloatArray],
    free: tuple[BoolArray, BoolArray],
) -> KernelErrors:
    """Return the standard errors of the kernel and the information of the rows beside it.

    Parameters
    ----------
    problem : EMProblem
        The data.
    state : EMState
        The maximum.
    blocks : tuple of ndarray
        A_i of every row, and what `differences` returns.
    free : tuple of ndarray of bool, shapes (n_marks, n_marks + 1) and (n_groups,)
        Rates that are identified and above their bound; groups that have an estimate.

    Returns
    -------
    KernelErrors
        Both.
    """
    n_params = len(problem.step.names)
    information, mixed, own = blocks
    rates, sets = free
    # where the likelihood does not bend there is no error
    rates = rates & (np.diagonal(information, axis1=1, axis2=2) > 0)
    inverses = [_inverse(information[i], rates[i]) for i in range(len(rates))]
    schur = own - sum(b @ inv @ b.T for b, inv in zip(mixed, inverses, strict=True))
    flags = np.repeat(sets, n_params)
    covariance = regular_inverse(schur, flags)
    out = information.copy()
    for i, (b, inverse) in enumerate(zip(mixed, inverses, strict=True)):
        lever = inverse @ b.T
        total = inverse + lever @ np.nan_to_num(covariance) @ lever.T
        index = np.ix_(rates[i], rates[i])
        if rates[i].any():
            out[i][index] = _scaled_inverse(total[index])
    square = covariance.reshape(sets.size, n_params, sets.size, n_params)
    each = square[np.arange(sets.size), :, np.arange(sets.size)]
    slope = problem.step.jacobian(state.kernel)
    variance = np.einsum("sij,sjk,sik->si", slope, each, slope)
    errors = np.column_stack((variance, each[:, 0, 0]))
    errors = np.sqrt(np.where(errors > 0, errors, np.nan))
    return KernelErrors(tuple(errors[:, :-1].T), errors[:, -1], out)


def differences(
    problem: EMProblem, state: EMState, sets: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Return minus the derivatives by the kernel of the gradient of the rows and of the kernel.

    Shapes (n_marks, n_free, n_marks + 1) and (n_free, n_free), the free parameters of a group next
    to each other; 0 of groups not among `sets`.
    """
    n_params, size = len(problem.step.names), problem.events.n_marks
    if n_params == 0:
        return np.zeros((size, 0, size + 1)), np.zeros((0, 0))
    touches = touched(problem)
    near = touches.astype(float) @ touches.T > 0
    probes = problem.step.probes(state.kernel)
    mixed = np.zeros((size, sets.size, n_params, size + 1))
    own = np.zeros((sets.size, n_params, sets.size, n_params))
    for together in colours(near.astype(float) @ near > 0, sets):
        reached = near[together]  # disjoint: each group is reached by one of them at most
        for m in range(n_params):
            step = np.zeros((sets.size, n_params))
            step[together, m] = probes[together, m]
            up, down = (_gradient(problem, state, sign * step) for sign in (1.0, -1.0))
            by_row, by_kernel = (0.5 * (b - a) for a, b in zip(up, down, strict=True))
            for s, others in zip(together, reached, strict=True):
                mixed[touches[s], s, m] = by_row[touches[s]] / probes[s, m]
                own[s, m, others] = by_kernel[others] / probes[s, m]
    n_free = sets.size * n_params
    square = own.reshape(n_free, n_free)
    return mixed.reshape(size, n_free, size + 1), 0.5 * (square + square.T)


def touched(problem: EMProblem) -> BoolArray:
    """Return which targets each group of pairs has, shape (n_groups, n_marks)."""
    out = np.zeros((problem.n_groups, problem.events.n_marks), dtype=bool)
    out[problem.groups[problem.support], np.nonzero(problem.support)[0]] = True
    return out


def colours(conflict: BoolArray, sets: BoolArray) -> list[IntArray]:
    """Split the flagged groups into parts without two that conflict."""
    parts: list[list[int]] = []
    for s in np.flatnonzero(sets):
        for part in parts:
            if not conflict[s, part].any():
                part.append(int(s))
                break
        else:
            parts.append([int(s)])
    return [np.array(part) for part in parts]


def _gradient(
    problem: EMProblem, state: EMState, step: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the gradient by rates and by free kernel parameters after a step of the latter."""
    kernel = problem.step.of_free(problem.step.free(state.kernel) + step)
    there = problem.at(problem.point(state), kernel)
    return problem.pull(there), problem.step.score(there.moments, kernel)


def _inverse(matrix: FloatArray, free: BoolArray) -> FloatArray:
    """Return the inverse over the free parameters, 0 elsewhere."""
    out = np.zeros_like(matrix)
    if free.any():
        out[np.ix_(free, free)] = _scaled_inverse(matrix[np.ix_(free, free)])
    return out


def _scaled_inverse(matrix: FloatArray) -> FloatArray:
    scale = 1.0 / np.sqrt(np.diagonal(matrix))
    return np.linalg.inv(matrix * np.outer(scale, scale)) * np.outer(scale, scale)


def regular_inverse(matrix: FloatArray, flags: BoolArray) -> FloatArray:
    """Return the inverse over the flagged parameters that are determined, NaN elsewhere."""
    out = np.full_like(matrix, np.nan)
    index = np.flatnonzero(flags & (np.diagonal(matrix) > 0))
    while index.size:
        scale, values, vectors = scaled_directions(matrix, index)
        flat = values < FLAT * max(values[-1], 1.0)
        if not flat.any():
            inverse = (vectors / values) @ vectors.T
            out[np.ix_(index, index)] = inverse * np.outer(scale, scale)
            break
        index = index[np.abs(vectors[:, flat]).max(axis=1) <= SHARE]
    return out
