"""Differences of the log-likelihood of cells, by integrals of its derivatives."""

from __future__ import annotations

import numpy as np

from hawkeys._typing import BoolArray, FloatArray
from hawkeys.inference.coarse.cells import Cells
from hawkeys.inference.coarse.chain import Chain
from hawkeys.inference.coarse.climb import Climbed, newton_step
from hawkeys.results.decay_profile import DecayProfile

__all__ = ["decay_profile", "excitation_gain", "without_excitation"]

_NODES = 10
_DRAWS, _MOST_DRAWS = 20, 200
# nats, up to which the log-likelihood is known
_GOOD = 0.25
# nats below the maximum to which the profile goes, and most nodes to each side
_DEEP, _MOST_NODES = 3.5, 12
# standard errors between the nodes
_STEP = 0.8
_FEWEST, _FIRST, _LAST, _TRIES = 40, 0.15, 0.6, 4
# nats by which a node must be higher than the maximum for it to be taken for another one
_HIGHER = 0.7
# nats, to which what a node adds to the profile is known
_UNCERTAIN = 0.1


def without_excitation(cells: Cells) -> float:
    """Return the log-likelihood of the cells under the best Poisson process, in nats."""
    counts = cells.event_counts[cells.event_counts > 0]
    rates = counts / cells.total_time
    return float(counts @ np.log(rates)) - float(counts.sum()) + cells.log_volume


def excitation_gain(chain: Chain, theta: FloatArray) -> tuple[float, float]:
    """Return what parameters gain over no excitation, and its Monte Carlo error, in nats.

    The derivative of the log-likelihood is integrated along a straight line to them from the best
    Poisson process (Gelman and Meng 1998, eq. 11), by Gauss and Legendre in the square root of the
    distance, since it falls at once.
    """
    cells = chain.cells
    begin = theta.copy()
    begin[:-1] = 0.0
    begin[: -1 : cells.n_marks + 1] = cells.event_counts / cells.total_time
    way = theta - begin
    nodes, weights = np.polynomial.legendre.leggauss(_NODES)
    value, variance = 0.0, 0.0
    for node, weight in zip(0.5 * (nodes + 1.0), 0.5 * weights, strict=True):
        share = 2.0 * node * weight
        place = begin + node**2 * way
        n_draws = _DRAWS
        while True:
            moments = chain.at(place, n_draws)
            noise = share**2 * float(way @ moments.error @ way)
            if noise <= _GOOD**2 / _NODES or n_draws >= _MOST_DRAWS:
                break
            n_draws = min(3 * n_draws, _MOST_DRAWS)
        value += share * float(way @ moments.score)
        variance += noise
    return value, float(np.sqrt(variance))


def decay_profile(
    chain: Chain,
    climbed: Climbed,
    free: BoolArray,
    bounds: tuple[float, float],
) -> tuple[DecayProfile, FloatArray | None]:
    """Return the profile of the log decay, and better parameters if it has some.

    Parameters
    ----------
    chain : Chain
        Which draws the times.
    climbed : Climbed
        The maximum.
    free : ndarray of bool, shape (P,)
        Which parameters are estimated, the last one among them.
    bounds : tuple of float
        Of the log decay.

    Returns
    -------
    profile : DecayProfile
        Decays as factors on those of the chain; its objective is 0 at the maximum.
    better : ndarray, shape (P,), or None
        Parameters whose likelihood is higher by more than chance.
    """
    others = free.copy()
    others[-1] = False
    width = _width(climbed, others, bounds)
    sides = [_walk(chain, climbed, others, sign * width, bounds) for sign in (-1.0, 1.0)]
    logs = np.array([*(log for log, _, _ in sides[0][::-1]), climbed.theta[-1],
                     *(log for log, _, _ in sides[1])])  # fmt: skip
    fall = np.array([*(drop for _, drop, _ in sides[0][::-1]), 0.0,
                     *(drop for _, drop, _ in sides[1])])  # fmt: skip
    better = min((node for side in sides for node in side), key=lambda node: node[1], default=None)
    values = -np.where(logs == climbed.theta[-1], 0.0, np.maximum(fall, 1e-6))
    profile = DecayProfile(
        np.exp(logs), values, values, bounds=(float(np.exp(bounds[0])), float(np.exp(bounds[1])))
    )
    found = None if better is None or better[1] > -_HIGHER else better[2]
    return profile, found


def _width(climbed: Climbed, others: BoolArray, bounds: tuple[float, float]) -> float:
    """Return the step of the profile, from the curvature of the log-likelihood at the maximum."""
    matrix, last = climbed.moments.observed, climbed.theta.size - 1
    index = climbed.step.moved[others[climbed.step.moved]]
    beside = matrix[index, last]
    curvature = matrix[last, last] - beside @ np.linalg.solve(matrix[np.ix_(index, index)], beside)
    most = 0.1 * (bounds[1] - bounds[0])
    return float(min(_STEP / np.sqrt(curvature) if curvature > 0 else most, most, 0.7))


def _walk(
    chain: Chain, climbed: Climbed, others: BoolArray, step: float, bounds: tuple[float, float]
) -> list[tuple[float, float, FloatArray]]:
    """Return log decay, fall below the maximum and parameters of nodes on one side of it.

    The slope of the profile at a node is the score of the log decay, less what a Newton step of the
    other parameters would make of it. It is all but linear, and integrated as if it were.
    """
    theta, drop, last, out = climbed.theta.copy(), 0.0, 0.0, []
    direction = _tangent(climbed.moments.observed, climbed.step.moved, others)
    for _ in range(_MOST_NODES):
        ahead = float(np.clip(theta[-1] + step, *bounds)) - theta[-1]
        if abs(ahead) < 1e-3:
            break
        theta = _ahead(theta, direction, ahead)
        goal = climbed.n_draws, _UNCERTAIN / abs(ahead)
        slope, theta, direction = _slope(chain, theta, others, bounds, goal)
        drop -= 0.5 * ahead * (slope + last)
        last = slope
        out.append((float(theta[-1]), drop, theta.copy()))
        if drop > _DEEP:
            break
        step *= 1.0 if drop > 0.3 else 1.4
    return out


def _tangent(matrix: FloatArray, moved: np.ndarray, others: BoolArray) -> FloatArray:
    """Return how the other parameters change with the log decay along the profile, shape (P,)."""
    out = np.zeros(matrix.shape[0])
    index = moved[others[moved]]
    out[index] = -np.linalg.solve(matrix[np.ix_(index, index)], matrix[index, -1])
    out[-1] = 1.0
    return out


def _ahead(theta: FloatArray, direction: FloatArray, ahead: float) -> FloatArray:
    new = theta + ahead * direction
    low = np.where(theta[:-1] > 0, 0.5 * theta[:-1], 0.0)
    new[:-1] = np.clip(new[:-1], low, np.maximum(2.0 * theta[:-1], low))
    return new


def _slope(
    chain: Chain,
    theta: FloatArray,
    others: BoolArray,
    bounds: tuple[float, float],
    goal: tuple[int, float],
) -> tuple[float, FloatArray, FloatArray]:
    """Return the slope of the profile, parameters nearer to it, and their direction along it.

    `goal` are the draws that the maximum took, and the standard error of the slope that will do.
    """
    error, last = goal[1], max(int(_LAST * goal[0]), _FEWEST)
    n_draws = max(int(_FIRST * goal[0]), _FEWEST)
    for _ in range(_TRIES):
        moments = chain.at(theta, n_draws)
        step = newton_step(moments, theta, others, bounds)
        matrix = moments.observed if step.sure else moments.complete
        direction = _tangent(matrix, step.moved, others)
        slope = float(direction @ moments.score)
        theta = theta + step.move
        theta[:-1] = np.maximum(theta[:-1], 0.0)
        noise = float(direction @ moments.error @ direction)
        near = step.sure and step.promise <= 0.25 + 3.0 * step.noise
        if near and (noise <= error**2 or n_draws >= last):
            break
        n_draws = int(min(n_draws * np.clip(noise / error**2, 1.0, 8.0), last))
    return slope, theta, direction
