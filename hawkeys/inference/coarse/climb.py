"""Newton steps to the maximum of the likelihood of cells, with derivatives by Monte Carlo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.inference.coarse.chain import Chain, Moments

__all__ = ["Climbed", "Step", "climb", "newton_step"]

_FIRST_DRAWS = 40
# most draws: as many as have so many events in all, but within a range
_EVENTS_DRAWN, _RANGE = 8e6, (2_500, 12_000)
# curvature, relative to that with known times, from which the cells are believed to have it
_CURVED = 0.01
# a step changes rates by no more than a factor, the log decay by no more than
_FACTOR, _REACH = 2.0, 0.7
# children of an event, below which an adjacency is taken for 0
_NONE = 1e-3
# relative standard error of the information that is good enough
_SHARP = 0.15


@dataclass(frozen=True, eq=False)
class Step:
    """A Newton step.

    Attributes
    ----------
    move : ndarray, shape (P,)
        What is added.
    moved : ndarray of int64
        Indices of parameters that are free to move and not held at 0.
    promise : float
        Square of its length in standard errors: twice the nats that it promises.
    noise : float
        Part of `promise` that is expected of the randomness of the draws.
    rough : float
        Relative standard error of the information in its worst direction.
    sure : bool
        Whether the information of the cells is positive; otherwise that of known times was used.
    """

    move: FloatArray
    moved: IntArray
    promise: float
    noise: float
    rough: float
    sure: bool


@dataclass(frozen=True, eq=False)
class Climbed:
    """Where Newton steps have led.

    Attributes
    ----------
    theta : ndarray, shape (P,)
        The parameters.
    moments : Moments
        There, one step before.
    step : Step
        The last one.
    converged : bool
        Whether the last step was within the precision asked for.
    gains : list of float
        What each step gained, in nats, by the derivatives at its ends.
    n_draws : int
        Draws of the last step.
    """

    theta: FloatArray
    moments: Moments
    step: Step
    converged: bool
    gains: list[float]
    n_draws: int


def newton_step(
    moments: Moments, theta: FloatArray, free: BoolArray, bounds: tuple[float, float]
) -> Step:
    """Return the Newton step of the free parameters; those at 0 that should fall are held.

    Parameters
    ----------
    moments : Moments
        At `theta`.
    theta : ndarray, shape (P,)
        Parameters.
    free : ndarray of bool, shape (P,)
        Which may move.
    bounds : tuple of float
        Of the last one, the log decay.

    Returns
    -------
    Step
        Where nothing moves, an empty one.
    """
    known = np.diagonal(moments.complete) > 0
    at_zero = (theta == 0) & (np.arange(theta.size) < theta.size - 1)
    up = moments.score > 2.0 * np.sqrt(np.diagonal(moments.error))
    able = free & known & (~at_zero | up)
    outward = moments.score[-1] > 0
    able[-1] &= not (theta[-1] >= bounds[1] if outward else theta[-1] <= bounds[0])
    moved = np.flatnonzero(able)
    move = np.zeros(theta.size)
    if moved.size == 0:
        return Step(move, moved, 0.0, 0.0, 0.0, sure=True)
    index = np.ix_(moved, moved)
    scale = 1.0 / np.sqrt(np.diagonal(moments.complete)[moved])
    both = np.outer(scale, scale)
    floor = _CURVED * np.linalg.eigvalsh(moments.complete[index] * both)[0]
    values, vectors = np.linalg.eigh(moments.observed[index] * both)
    sure = bool(values[0] > floor)
    if not sure:
        values, vectors = np.linalg.eigh(moments.complete[index] * both)
    inverse = (vectors / values) @ vectors.T * both
    score = moments.score[moved]
    move[moved] = inverse @ score
    noise = float(np.trace(inverse @ moments.error[index]))
    lost = float(np.trace(inverse @ moments.missing[index]))
    # draws that are as good as independent; of a covariance each entry is off by sqrt(2 / n)
    worth = lost / noise if noise > 0 else np.inf
    rough = lost * float(np.sqrt(2.0 / worth)) if lost > 0 else 0.0
    return Step(move, moved, float(score @ move[moved]), noise, rough, sure)


def climb(
    chain: Chain,
    start: FloatArray,
    free: BoolArray,
    bounds: tuple[float, float],
    *,
    precision: float,
    max_iter: int,
) -> Climbed:
    """Climb to the maximum of the likelihood of the cells.

    Parameters
    ----------
    chain : Chain
        Which draws the times.
    start : ndarray, shape (P,)
        Where to begin, above 0.
    free : ndarray of bool, shape (P,)
        Which parameters may move.
    bounds : tuple of float
        Of the last one, the log decay.
    precision : float
        Monte Carlo error to end with, in standard errors of each parameter.
    max_iter : int
        Most steps.

    Returns
    -------
    Climbed
        The parameters, and what the last draws told.
    """
    theta, n_draws, gains, past = start.copy(), _FIRST_DRAWS, [], None
    most = int(np.clip(_EVENTS_DRAWN / chain.cells.marks.size, *_RANGE))
    for _ in range(max_iter):
        moments = chain.at(theta, n_draws)
        if past is not None:
            gains.append(0.5 * float((past[1] + moments.score) @ (theta - past[0])))
        step = newton_step(moments, theta, free, bounds)
        past = theta, moments.score
        theta = _bounded(theta, step.move, bounds)
        size = max(step.moved.size, 1)
        goal = size * precision**2
        fine = step.noise <= goal
        near = step.promise <= 4.0 * goal + 2.0 * step.noise
        if step.sure and near and (n_draws >= most or (fine and step.rough <= _SHARP)):
            gains.append(0.5 * step.promise)
            return Climbed(theta, moments, step, fine, gains, n_draws)
        if near or step.noise > 0.2 * step.promise:
            wanted = max(step.noise / goal, (step.rough / _SHARP) ** 2, 1.0)
            n_draws = int(min(n_draws * min(max(1.2 * wanted, 1.5), 5.0), most))
    gains.append(0.5 * step.promise)
    return Climbed(theta, moments, step, False, gains, n_draws)


def _bounded(theta: FloatArray, move: FloatArray, bounds: tuple[float, float]) -> FloatArray:
    """Return the parameters after a step, shortened where it would go too far."""
    new = theta + move
    rates, old = new[:-1], theta[:-1]
    lowest = np.where((rates <= 0) & (old < _NONE), 0.0, old / _FACTOR)
    highest = np.where(old > 0, old * _FACTOR, 10.0 * _NONE)
    new[:-1] = np.clip(rates, lowest, np.maximum(highest, lowest))
    new[-1] = np.clip(new[-1], theta[-1] - _REACH, theta[-1] + _REACH)
    new[-1] = np.clip(new[-1], *bounds)
    return new
