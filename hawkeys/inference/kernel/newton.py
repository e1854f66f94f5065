r"""Newton steps on the log-likelihood over rows and kernel together, and what is left to gain.

Expectation-maximisation says where a maximum is; how far it is from there say the gradient and the
curvature of the log-likelihood itself. With A_i the information of row i, B_i that of row and free
kernel parameters, C that of the kernel and g the gradients, the step solves

.. math:: \begin{pmatrix} A & B \\ B^T & C \end{pmatrix} s = g,

within the bounds of all parameters, and promises :math:`g^T s - s^T H s / 2` nats, H that matrix.
Gradient and information of the rows are those of the excitations and integrals that
`Hawkes.log_likelihood` evaluates; so are those of the masses of a histogram, exactly. The
likelihood is not concave in the kernel: the promise is about the maximum nearby, not about others.
A variational bound is raised likewise, with E log theta in place of the rates.

References
----------
Bertsekas, D. P. (1982). Projected Newton methods for optimization problems with simple constraints.
SIAM Journal on Control and Optimization 20(2), 221-246. doi:10.1137/0320018
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from hawkeys._design import Design
from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.inference.kernel.bin_curvature import Bins, bin_curvature
from hawkeys.inference.kernel.errors import LEAST_LAGS, differences, touched
from hawkeys.inference.kernel.problem import EMProblem, EMState
from hawkeys.inference.kernel.setup import build_kernel

__all__ = ["Curvature", "Step", "curvature", "newton_step", "search_along"]

# relative eigenvalues: of a row that are 0, of the kernel below which the step is bounded, and
# below minus which the point is no maximum
_FLAT, _LEAST, _SADDLE = 1e-12, 1e-9, 1e-3
_HALVINGS = 20
_LONGEST = 1.0
# events that a rate explains
_TINY = 0.01


@dataclass(frozen=True, eq=False)
class Curvature:
    """The log-likelihood near a state, to second order; F free kernel parameters.

    Attributes
    ----------
    design : Design
        Row problems of the support at the kernel, weighted.
    value : float
        Weighted log-likelihood and log prior, as `Hawkes.log_likelihood` has it.
    slope : ndarray, shape (n_marks, n_marks + 1)
        Derivatives of sum w log lambda by the rates.
    gradient : ndarray, shape (n_marks, n_marks + 1)
        The same less the cost: derivatives of the objective.
    rows : ndarray, shape (n_marks, n_marks + 1, n_marks + 1)
        Information of each row for the kernel held.
    score : ndarray, shape (F,)
        Gradient by the free kernel parameters.
    mixed : ndarray, shape (n_marks, F, n_marks + 1)
        Information of kernel and rows.
    own : ndarray, shape (F, F)
        Information of the kernel.
    """

    design: Design
    value: float
    slope: FloatArray
    gradient: FloatArray
    rows: FloatArray
    score: FloatArray
    mixed: FloatArray
    own: FloatArray


@dataclass(frozen=True, eq=False)
class Step:
    """A Newton step within the bounds.

    Attributes
    ----------
    rates : ndarray, shape (n_marks, n_marks + 1)
        Change of the rates.
    kernel : ndarray, shape (n_sets, k)
        Change of the free kernel parameters.
    promise : float
        Rise to second order, in nats, or more.
    is_maximum : bool
        Whether the curvature is that of a maximum.
    """

    rates: FloatArray
    kernel: FloatArray
    promise: float
    is_maximum: bool


def curvature(problem: EMProblem, state: EMState, bins: Bins | None = None) -> Curvature:
    """Return the objective near `state` to second order; `bins` are those of a histogram."""
    kernel = build_kernel(problem, state.kernel)
    design = Design.build(
        problem.events, kernel, realization_weights=problem.weights, support=problem.support
    )
    size = design.n_marks
    rows, slope = np.zeros((size, size + 1, size + 1)), np.zeros((size, size + 1))
    rates = problem.rates(state.x, state.window)
    value = problem.step.log_prior(state.kernel)
    value -= problem.spent(state.x, replace(state.window, cost=design.cost[:, 1:]))
    for i in range(size):
        own = design.weights[design.offsets[i] : design.offsets[i + 1]]
        matrix = design.block(i)
        if own.size:  # what has no weight may be impossible
            matrix, own = matrix[:, own > 0], own[own > 0]
        terms = np.vstack((np.ones(matrix.shape[1]), matrix))
        rate = rates[i] @ terms
        scaled = terms / rate
        weighted = scaled * own if own.size else scaled
        rows[i], slope[i] = weighted @ scaled.T, weighted.sum(axis=1)
        value += float(own @ np.log(rate)) if own.size else float(np.log(rate).sum())
    gradient, rows = problem.by_point(state, slope, rows)
    gradient = np.where(problem.paid(state.window) > 0, gradient, 0.0)
    score, mixed, own = _of_kernel(problem, state, design, bins)
    return Curvature(design, value, slope, gradient, rows, score, mixed, own)


def _of_kernel(
    problem: EMProblem, state: EMState, design: Design, bins: Bins | None
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return `Curvature.score`, `mixed` and `own`; of histograms without `bins` empty ones."""
    sets = problem.step.amount(state.moments) > LEAST_LAGS
    if bins is None:
        mixed, own = differences(problem, state, sets)
        score = np.where(sets[:, None], problem.step.score(state.moments, state.kernel), 0.0)
        return score.ravel(), mixed, own
    score, mixed, own = bin_curvature(problem, state, design, bins)
    if problem.step.pseudo is None and problem.step.smoothing == 0.0:
        idle = np.repeat(~sets, score.size // sets.size)
        score[idle], mixed[:, idle], own[idle], own[:, idle] = 0.0, 0.0, 0.0, 0.0
    return score, mixed, own


@dataclass(frozen=True, eq=False)
class _Moves:
    """Which parameters move, and by how much those do that stop at a bound."""

    rates: BoolArray
    kernel: BoolArray
    stop_rates: FloatArray
    stop_kernel: FloatArray


def newton_step(problem: EMProblem, state: EMState, near: Curvature) -> Step:
    """Return the Newton step from `state` that leaves no parameter beyond its bound."""
    lower, point = problem.lowest(state), problem.point(state)
    here, low, high = _kernel_point(problem, state, near)
    parts = _parts(problem, near)
    used = (problem.paid(state.window) > 0) & ((point > lower) | (near.gradient > 0))
    # a rate that excites no event at all costs, and goes to its bound at once
    idle = used & (np.diagonal(near.rows, axis1=1, axis2=2) == 0) & np.isfinite(lower)
    moves = _Moves(
        used & ~idle,
        (np.diagonal(near.own) != 0)
        & ((here > low) | (near.score > 0))
        & ((here < high) | (near.score < 0)),
        np.where(idle, lower - point, 0.0),
        np.zeros_like(here),
    )
    rates, kernel, is_maximum = _solve(near, moves, parts)
    # without bounds: as much as any step within them promises, or more
    most = 0.5 * float((near.gradient * np.where(idle, 2.0, 1.0) * rates).sum())
    most += 0.5 * float(near.score @ kernel)
    box = lower - point, low - here, high - here
    tiny = _tiny(problem, state, near)
    at = np.zeros_like(rates), np.zeros_like(kernel)
    while True:
        below = moves.rates & (rates < box[0])
        outside = moves.kernel & ((kernel < box[1]) | (kernel > box[2]))
        if not (below.any() or outside.any()):
            break
        moves, at = _stopped(moves, at, (rates, kernel), (below, outside), box, tiny)
        rates, kernel, is_maximum = _solve(near, moves, parts)
    promise = _promise(near, moves, rates, kernel)
    promise = most if promise is None else promise
    return Step(rates, kernel.reshape(problem.n_groups, -1), promise, is_maximum)


def _parts(problem: EMProblem, near: Curvature) -> list[IntArray]:
    """Return the kernel parameters in parts that no row connects."""
    from scipy.sparse.csgraph import connected_components

    if near.score.size == 0:
        return []
    touches = touched(problem).astype(float)
    label = connected_components(touches @ touches.T > 0)[1]
    label = np.repeat(label, near.score.size // problem.n_groups)
    return [np.flatnonzero(label == part) for part in np.unique(label)]


def _tiny(problem: EMProblem, state: EMState, near: Curvature) -> tuple[BoolArray, BoolArray]:
    """Return rates, and bins, that explain next to no events; others are never told."""
    rates = np.isfinite(problem.lowest(state)) & (state.x * near.design.cost < _TINY)
    bins = np.zeros(near.score.size, dtype=bool)
    if not problem.step.names and bins.size:
        here = problem.step.point(state.kernel)
        amount = problem.step.amount(state.moments)[:, None]
        bins = (np.isfinite(problem.step.bounds[0]) & (here * amount < _TINY)).ravel()
    return rates, bins


def _stopped(
    moves: _Moves,
    at: tuple[FloatArray, FloatArray],
    to: tuple[FloatArray, FloatArray],
    over: tuple[BoolArray, BoolArray],
    box: tuple[FloatArray, FloatArray, FloatArray],
    tiny: tuple[BoolArray, BoolArray],
) -> tuple[_Moves, tuple[FloatArray, FloatArray]]:
    """Return the moves with one more parameter stopped, the first that meets its bound.

    And where on the way that is. What explains next to nothing is stopped all at once.
    """
    below, outside = over
    bound = np.where(to[1] < box[1], box[1], box[2])
    if not ((below & tiny[0]).any() or (outside & tiny[1]).any()):
        share = [
            np.divide(edge - a, b - a, out=np.ones_like(a), where=out)
            for edge, a, b, out in zip((box[0], bound), at, to, over, strict=True)
        ]
        share = [np.where(out, part, np.inf) for part, out in zip(share, over, strict=True)]
        first = min(part.min(initial=np.inf) for part in share)
        at = at[0] + first * (to[0] - at[0]), at[1] + first * (to[1] - at[1])
        below, outside = (part <= first for part in share)
    else:
        below, outside = below & tiny[0], outside & tiny[1]
    return _Moves(
        moves.rates & ~below,
        moves.kernel & ~outside,
        np.where(below, box[0], moves.stop_rates),
        np.where(outside, bound, moves.stop_kernel),
    ), at


def _promise(near: Curvature, moves: _Moves, rates: FloatArray, kernel: FloatArray) -> float | None:
    """Return the rise to second order, if no step within the bounds rises higher; else None."""
    left = near.gradient - np.einsum("ipq,iq->ip", near.rows, rates)
    left -= np.einsum("ifp,f->ip", near.mixed, kernel)
    left_kernel = near.score - np.einsum("ifp,ip->f", near.mixed, rates) - near.own @ kernel
    # a parameter that was stopped must want to go further
    back = (moves.stop_rates < 0) & (left > 0)
    if back.any() or (moves.stop_kernel * left_kernel < 0).any():
        return None
    rise = (near.gradient + left) * rates
    return max(0.5 * float(rise.sum() + (near.score + left_kernel) @ kernel), 0.0)


def _kernel_point(
    problem: EMProblem, state: EMState, near: Curvature
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return what moves of the kernel, flat, and its bounds; empty if nothing is known of it."""
    if near.score.size == 0:
        return np.empty(0), np.empty(0), np.empty(0)
    here = problem.step.point(state.kernel)
    low, high = (np.broadcast_to(bound, here.shape).ravel() for bound in problem.step.bounds)
    return here.ravel(), low, high


def _solve(
    near: Curvature, moves: _Moves, parts: list[IntArray]
) -> tuple[FloatArray, FloatArray, bool]:
    """Return the step of the rates and of the kernel, and whether it leads to a maximum."""
    held = near.score - np.einsum("ifp,ip->f", near.mixed, moves.stop_rates)
    held -= near.own @ moves.stop_kernel
    wanted = near.gradient - np.einsum("ipq,iq->ip", near.rows, moves.stop_rates)
    wanted -= np.einsum("ifp,f->ip", near.mixed, moves.stop_kernel)
    found = [_inverse(a, free) for a, free in zip(near.rows, moves.rates, strict=True)]
    inverses, is_maximum = [inverse for inverse, _ in found], all(top for _, top in found)
    schur = near.own.copy()
    for inverse, mixed, pull in zip(inverses, near.mixed, wanted, strict=True):
        lever = mixed @ inverse
        schur -= lever @ mixed.T
        held -= lever @ pull
    kernel = moves.stop_kernel.copy()
    for part in parts:
        index = part[moves.kernel[part]]
        if index.size:
            kernel[index], is_top = _uphill(schur[np.ix_(index, index)], held[index])
            is_maximum &= is_top
    change = np.where(moves.kernel, kernel, 0.0)
    rates = moves.stop_rates.copy()
    for i, inverse in enumerate(inverses):
        rates[i] += inverse @ (wanted[i] - near.mixed[i].T @ change)
    return rates, kernel, is_maximum


def _uphill(matrix: FloatArray, gradient: FloatArray) -> tuple[FloatArray, bool]:
    """Return a step that rises along every eigenvector, the Newton step at a maximum."""
    scale = 1.0 / np.sqrt(np.maximum(np.abs(np.diagonal(matrix)), 1e-300))
    values, vectors = np.linalg.eigh(matrix * np.outer(scale, scale))
    size = np.maximum(np.abs(values), _LEAST)
    step = scale * (vectors @ ((vectors.T @ (scale * gradient)) / size))
    return step, bool((values > -_SADDLE).all())


def _inverse(matrix: FloatArray, free: BoolArray) -> tuple[FloatArray, bool]:
    """Return the inverse over the free parameters and where it exists, 0 elsewhere.

    Eigenvalues lose their sign, so that a step rises; and whether none was below 0 is told. Those
    of likelihoods never are, those of bounds may.
    """
    out, is_top = np.zeros_like(matrix), True
    index = np.flatnonzero(free & (np.diagonal(matrix) != 0))
    if index.size:
        part = matrix[np.ix_(index, index)]
        scale = 1.0 / np.sqrt(np.abs(np.diagonal(part)))
        values, vectors = np.linalg.eigh(part * np.outer(scale, scale))
        size = np.abs(values)
        some = size > _FLAT * size.max()
        inverse = (vectors[:, some] / size[some]) @ vectors[:, some].T
        out[np.ix_(index, index)] = inverse * np.outer(scale, scale)
        is_top = bool((values > -_SADDLE).all())
    return out, is_top


def search_along(problem: EMProblem, state: EMState, step: Step) -> EMState | None:
    """Return the first state along `step`, halved until it gains; None if no length gains."""
    length = min(1.0, _LONGEST / max(float(np.abs(step.kernel).max(initial=0.0)), 1e-300))
    lower, point = problem.lowest(state), problem.point(state)
    for _ in range(_HALVINGS):
        kernel = state.kernel
        if step.kernel.size:
            moved = problem.step.point(kernel) + length * step.kernel
            kernel = problem.step.of_point(moved, kernel)
        found = problem.at(np.maximum(point + length * step.rates, lower), kernel)
        if found.objective > state.objective:
            return found
        length *= 0.5
    return None
