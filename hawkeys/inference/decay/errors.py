r"""Standard errors of baseline and adjacency beside decays that were estimated too.

With A_i the information of row i for the decays held, B_i that of row and log decays, C that of the
log decays and S = C - sum_i B_i' A_i^+ B_i, the information of row i with the decays estimated is

.. math:: A_i - B_i \, (S + B_i^\top A_i^+ B_i)^{-1} B_i^\top,

the inverse of its block of the joint covariance. How an excitation changes with its own log decay
is told by central differences of excitations and integrals.

References
----------
Ogata, Y. (1978). The asymptotic behaviour of maximum likelihood estimators for stationary point
processes. Annals of the Institute of Statistical Mathematics 30, 243-261. doi:10.1007/BF02480216
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from hawkeys._design import Design
from hawkeys._linalg import FLAT, scaled_directions
from hawkeys._typing import ArrayLike, BoolArray, FloatArray
from hawkeys.inference.kernel.errors import regular_inverse
from hawkeys.results.decay_profile import DecayProfile

__all__ = ["beside_decays"]

# of a log decay: second differences are then right to some 1e-6
_STEP = 1e-3
# relative eigenvalues of a row that are 0


@dataclass(frozen=True, eq=False)
class _Mixed:
    """Information of one row and the log decay of each of its columns.

    Attributes
    ----------
    mixed : ndarray, shape (P, P)
        Row by decay.
    own : ndarray, shape (P, P)
        Decays.
    """

    mixed: FloatArray
    own: FloatArray


def beside_decays(
    design: Callable[[ArrayLike], Design],
    x: FloatArray,
    information: FloatArray,
    profile: DecayProfile,
) -> FloatArray:
    """Return the information of each row problem with the decays estimated beside it.

    Parameters
    ----------
    design : callable
        Row problems at a decay.
    x : ndarray, shape (n_blocks, P)
        The estimates.
    information : ndarray, shape (n_blocks, P, P)
        Information for the decays held.
    profile : DecayProfile
        The decays. Those at a bound, or that the data do not determine, are held.

    Returns
    -------
    ndarray of float64, shape (n_blocks, P, P)
        Never more than `information`.
    """
    decay = np.asarray(profile.chosen)
    if profile.limit is not None and (decay.ndim == 0 or profile.limit == "no excitation"):
        return information
    there = [design(decay * np.exp(step)) for step in (-_STEP, 0.0, _STEP)]
    rows = [_row(there, b, x[b]) for b in range(len(x))]
    n_sources = decay.shape[-1] if decay.ndim else 0
    if decay.ndim == 0:
        sums = np.ones((x.shape[1], 1))
    else:
        sums = np.eye(x.shape[1])[:, x.shape[1] - n_sources :]
    held = np.zeros((len(x), sums.shape[1]), dtype=bool)
    if decay.ndim:
        held = profile.held(n_sources)
    parts = [[b] for b in range(len(x))] if decay.ndim == 2 else [list(range(len(x)))]
    out = information.copy()
    for part in parts:
        moves = [(rows[b].mixed @ sums, sums.T @ rows[b].own @ sums) for b in part]
        estimated = np.array([not held[part, k].any() for k in range(held.shape[1])])
        found = _beside([information[b] for b in part], x[part], moves, estimated)
        for b, matrix in zip(part, found, strict=True):
            out[b] = matrix
    return out


def _row(there: list[Design], index: int, x: FloatArray) -> _Mixed:
    """Return the information of a row and the log decay of each column."""
    low, middle, high = (one.block(index) for one in there)
    first, second = (high - low) / (2.0 * _STEP), (high - 2.0 * middle + low) / _STEP**2
    costs = [one.cost[index] for one in there]
    paid = (costs[2] - costs[0]) / (2.0 * _STEP)
    paid_more = (costs[2] - 2.0 * costs[1] + costs[0]) / _STEP**2
    own = there[1].weights[there[1].offsets[index] : there[1].offsets[index + 1]]
    rate = x[0] + x[1:] @ middle
    pull = (own if own.size else 1.0) / rate
    terms = np.vstack((np.ones(rate.size), middle))
    moved = x[:, None] * np.vstack((np.zeros(rate.size), first))
    weighted = moved * (pull / rate)
    slope = np.append(0.0, first @ pull) - paid
    bend = np.append(0.0, second @ pull) - paid_more
    return _Mixed(
        mixed=terms @ weighted.T - np.diag(slope), own=moved @ weighted.T - np.diag(x * bend)
    )


def _beside(
    rows: list[FloatArray],
    x: FloatArray,
    moves: list[tuple[FloatArray, FloatArray]],
    estimated: BoolArray,
) -> list[FloatArray]:
    """Return the information of rows that share decays; `moves` are their B and C."""
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
