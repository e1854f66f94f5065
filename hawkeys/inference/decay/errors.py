r"""Standard errors of baseline and adjacency beside decays that were estimated too.

With A_i the information of row i for the decays held, B_i that of row and log decays, C that of the
log decays and S = C - sum_i B_i' A_i^+ B_i, the information of row i with the decays estimated is

.. math:: A_i - B_i \, (S + B_i^\top A_i^+ B_i)^{-1} B_i^\top,

the inverse of its block of the joint covariance. B_i and C are sums over the events; where a
baseline changes or parameters are tied, central differences of excitations and integrals tell how
an excitation changes with its own log decay.

References
----------
Ogata, Y. (1978). The asymptotic behaviour of maximum likelihood estimators for stationary point
processes. Annals of the Institute of Statistical Mathematics 30, 243-261. doi:10.1007/BF02480216
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np

from hawkeys._design import Design
from hawkeys._linalg import FLAT, scaled_directions
from hawkeys._loops.decay_slope import decay_curvatures
from hawkeys._typing import BoolArray, FloatArray
from hawkeys.inference.kernel.errors import regular_inverse
from hawkeys.inference.task import Task
from hawkeys.kernels import Exponential
from hawkeys.results.decay_profile import DecayProfile

__all__ = ["Moves", "beside_decays", "decay_derivatives", "information_beside", "moves_of"]

# of a log decay: second differences are then right to some 1e-6
_STEP = 1e-3


# B (P, K) and C (K, K) of a row
Moves: TypeAlias = tuple[FloatArray, FloatArray]


def beside_decays(
    x: FloatArray,
    information: FloatArray,
    profile: DecayProfile,
    moves: Callable[[FloatArray], list[Moves]],
) -> FloatArray:
    """Return the information of each row problem with the decays estimated beside it.

    Parameters
    ----------
    x : ndarray, shape (n_blocks, P)
        The estimates.
    information : ndarray, shape (n_blocks, P, P)
        Information for the decays held.
    profile : DecayProfile
        The decays. Those at a bound, or that the data do not determine, are held.
    moves : callable
        Returns B and C of each row at decays, as `moves_of` has them; not called if all are held.

    Returns
    -------
    ndarray of float64, shape (n_blocks, P, P)
        Never more than `information`.
    """
    decay = np.asarray(profile.chosen)
    if profile.limit is not None and (decay.ndim == 0 or profile.limit == "no excitation"):
        return information
    found = moves(decay)
    held = np.zeros((len(x), found[0][0].shape[1]), dtype=bool)
    if decay.ndim:
        held = profile.held(decay.shape[-1])
    parts = [[b] for b in range(len(x))] if decay.ndim == 2 else [list(range(len(x)))]
    out = information.copy()
    for part in parts:
        estimated = np.array([not held[part, k].any() for k in range(held.shape[1])])
        less = information_beside(
            [information[b] for b in part], x[part], [found[b] for b in part], estimated
        )
        for b, matrix in zip(part, less, strict=True):
            out[b] = matrix
    return out


def moves_of(task: Task, weight: float, decay: FloatArray, x: FloatArray) -> list[Moves]:
    """Return B (P, K) and C (K, K) of each row; K decays, of which a row may have its own.

    Parameters
    ----------
    task : Task
        Data and model, or a part of the data: both are sums over realisations.
    weight : float
        Of the whole log-likelihood.
    decay : ndarray, shape (), (n_marks,) or (n_marks, n_marks)
        Where.
    x : ndarray, shape (n_blocks, P)
        The estimates.

    Returns
    -------
    list of tuple of ndarray, shapes (P, K) and (K, K)
        Of each row problem.
    """
    if task.is_plain:
        return list(zip(*decay_derivatives(task, weight, decay, x)[1:], strict=True))
    steps = (-_STEP, 0.0, _STEP)
    there = [task.design(Exponential(decay * np.exp(step)), weight) for step in steps]
    sums = np.ones((x.shape[1], 1))
    if decay.ndim:
        sums = np.eye(x.shape[1])[:, -decay.shape[-1] :]
    rows = [_row(there, b, x[b]) for b in range(len(x))]
    return [(mixed @ sums, sums.T @ own @ sums) for mixed, own in rows]


def decay_derivatives(
    task: Task, weight: float, decay: FloatArray, x: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return how the log-likelihood of the plain model changes with the log decays.

    Parameters
    ----------
    task : Task
        Data and model, with one constant baseline per mark and nothing tied.
    weight : float
        Of the whole log-likelihood.
    decay : ndarray, shape (), (n_marks,) or (n_marks, n_marks)
        Where.
    x : ndarray, shape (n_marks, n_marks + 1)
        Baseline and adjacency of each target.

    Returns
    -------
    slopes : ndarray of float64, shape (n_marks, n_marks)
        By the log decay of each pair.
    mixed : ndarray of float64, shape (n_marks, n_marks + 1, K)
        Minus the second derivatives by the parameters of a row and its log decays; K is the number
        of marks, or 1 if all have one decay.
    curvatures : ndarray of float64, shape (n_marks, K, K)
        Minus those by the log decays.
    """
    events = task.events
    weights = np.full(events.n_realizations, float(weight))
    if task.weights is not None:
        weights = weights * task.weights
    arrays = events.times, events.marks, events.offsets
    return decay_curvatures(arrays, events.end_times, weights, decay, x)


def _row(there: list[Design], index: int, x: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the information of a row, and the log decay of each column, by log decays, (P, P).

    By differences of the row problems at three decays.
    """
    low, middle, high = (one.block(index) for one in there)
    first, second = (high - low) / (2.0 * _STEP), (high - 2.0 * middle + low) / _STEP**2
    costs = [one.cost[index] for one in there]
    paid = (costs[2] - costs[0]) / (2.0 * _STEP)
    paid_more = (costs[2] - 2.0 * costs[1] + costs[0]) / _STEP**2
    rate = x[0] + x[1:] @ middle
    pull = there[1].event_weights(index) / rate
    terms = there[1].rows(index)
    moved = x[:, None] * np.vstack((np.zeros(rate.size), first))
    weighted = moved * (pull / rate)
    slope = np.append(0.0, first @ pull) - paid
    bend = np.append(0.0, second @ pull) - paid_more
    return terms @ weighted.T - np.diag(slope), moved @ weighted.T - np.diag(x * bend)


def information_beside(
    rows: list[FloatArray],
    x: FloatArray,
    moves: list[tuple[FloatArray, FloatArray]],
    estimated: BoolArray,
) -> list[FloatArray]:
    """Return the information of rows that share kernel parameters, given that these are estimated.

    Parameters
    ----------
    rows : list of ndarray, shape (P, P)
        Information of each row with the kernel held.
    x : ndarray, shape (n_rows, P)
        The estimates; those at 0 are held.
    moves : list of tuple of ndarray, shapes (P, K) and (K, K)
        B and C of each row.
    estimated : ndarray of bool, shape (K,)
        Kernel parameters that are not held.

    Returns
    -------
    list of ndarray, shape (P, P)
        Never more than `rows`.
    """
    free = [(x_i > 0) & (np.diagonal(a) > 0) for a, x_i in zip(rows, x, strict=True)]
    mixed = [np.where(own[:, None], b, 0.0) for (b, _), own in zip(moves, free, strict=True)]
    pulled = [b.T @ _inverse(a, own) @ b for a, own, b in zip(rows, free, mixed, strict=True)]
    total = sum(c for _, c in moves) - sum(pulled)
    known = ~np.isnan(np.diagonal(regular_inverse(total, estimated)))
    if not known.any():
        return rows
    index = np.ix_(known, known)
    out = []
    for a, b, own in zip(rows, mixed, pulled, strict=True):
        less = b[:, known] @ np.linalg.solve(total[index] + own[index], b[:, known].T)
        out.append(a - 0.5 * (less + less.T))
    return out


def _inverse(matrix: FloatArray, free: BoolArray) -> FloatArray:
    """Return the inverse over free parameters and where there is curvature, 0 elsewhere."""
    out = np.zeros_like(matrix)
    index = np.flatnonzero(free)
    if index.size:
        scale, values, vectors = scaled_directions(matrix, index)
        some = values > FLAT * values[-1]
        inverse = (vectors[:, some] / values[some]) @ vectors[:, some].T
        out[np.ix_(index, index)] = inverse * np.outer(scale, scale)
    return out
