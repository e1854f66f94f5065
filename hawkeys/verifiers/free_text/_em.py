"""Expectation-maximisation of a free-text process: branching weights, and kernels with back-off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hawkeys._typing import FloatArray, IntArray
from hawkeys.verifiers.fixed_text._censored import bounds, log_mass, moments
from hawkeys.verifiers.free_text._backoff import Counts, Kernels, Moments, Tree, log_prior, update
from hawkeys.verifiers.free_text._edge_kernels import EdgeKernels, FixedPrior
from hawkeys.verifiers.free_text.recordings import EDGES, Recordings

__all__ = ["PAUSE", "Fit", "Options", "Pull", "estimate", "log_intensities", "pause_log_density"]

PAUSE = "pause"
"""Name of the baseline among the branching weights of a target."""

_HALF_LOG_TWO_PI = 0.5 * np.log(2.0 * np.pi)
_SHORTEST, _LONGEST = 1e-3, 1e3


class Pull(NamedTuple):
    """Where parameters are drawn to.

    Attributes
    ----------
    kernels : dict of FixedPrior or EdgeKernels
        Of each edge.
    weights : dict of dict of float
        Branching weights by target ("press", "release") and edge or pause.
    """

    kernels: dict[str, FixedPrior | EdgeKernels]
    weights: dict[str, dict[str, float]]


@dataclass(frozen=True)
class Options:
    """How to estimate.

    Attributes
    ----------
    location, scale : Counts
        Lags that a parent is worth.
    weight : float
        Keystrokes that the prior of the branching weights is worth.
    tol : float
        Gain of the objective per keystroke below which it stops.
    max_iter : int
        Largest number of updates.
    """

    location: Counts
    scale: Counts
    weight: float
    tol: float
    max_iter: int


class Fit(NamedTuple):
    """Estimate, and how it was reached.

    Attributes
    ----------
    kernels : dict of EdgeKernels
        Of each edge.
    weights : dict of dict of float
        Branching weights by target and edge or pause.
    trace : ndarray, shape (n_iter + 1,)
        Log posterior density before each update and at the estimate.
    converged : bool
        Whether the last gain was below the tolerance.
    """

    kernels: dict[str, EdgeKernels]
    weights: dict[str, dict[str, float]]
    trace: FloatArray
    converged: bool


class _EdgeData(NamedTuple):
    """Lags of one edge above zero, standardised by the prior kernel of each.

    Of a clock with ticks, `ends` are those of the interval that each lag stands for, standardised,
    and the density of the lag is the mass of that interval over the width of a tick.
    """

    rows: IntArray
    y: FloatArray
    ends: tuple[FloatArray, FloatArray] | None
    jacobian: FloatArray  # ln of d y / d lag, or of 1 / width
    pair: IntArray  # place in tree.pairs
    tree: Tree
    exposure: int


def pause_log_density(strokes: Recordings, target: str, width: float = 0.0) -> FloatArray:
    """Return the log density of the baseline: uniform in the log of the time waited.

    The wait of a press is since the press before, that of a release since its press; waits count
    as at least 1 ms and at most 1,000 s. NaN where nothing came before. With a width of ticks it is
    the mean over the interval that a wait stands for.
    """
    lags = strokes.lags("press-press" if target == "press" else "press-release")
    density = np.full(len(strokes), np.nan)
    span = np.log(_LONGEST / _SHORTEST)
    if width > 0.0:
        low, high = np.clip(bounds(lags.lag, width), np.log(_SHORTEST), np.log(_LONGEST))
        # a wait out of range counts as the nearest one in it
        edge = np.log(np.clip(lags.lag, _SHORTEST, _LONGEST)) + np.log(span)
        with np.errstate(divide="ignore"):
            density[lags.rows] = np.where(high > low, np.log((high - low) / (span * width)), -edge)
        return density
    wait = np.clip(lags.lag, _SHORTEST, _LONGEST)
    density[lags.rows] = -np.log(wait * span)
    return density


def log_intensities(
    strokes: Recordings,
    kernels: dict[str, EdgeKernels],
    weights: dict[str, float],
    target: str,
    width: float = 0.0,
) -> tuple[FloatArray, FloatArray]:
    """Return the log intensity of each target event, and the compensator of its stream.

    Both are of shape (n_strokes,), NaN for the first press of a recording.
    """
    terms = [np.log(weights[PAUSE]) + pause_log_density(strokes, target, width)]
    compensator = np.where(np.isnan(terms[0]), np.nan, weights[PAUSE])
    for name, kernel in kernels.items():
        if EDGES[name].target != target:
            continue
        lags = strokes.lags(name)
        compensator[lags.rows] += weights[name]
        ahead = lags.forward(width)
        location, scale = kernel.at(strokes.names, ahead)
        term = np.full(len(strokes), -np.inf)
        term[ahead.rows] = np.log(weights[name]) + _lag_log_density(
            ahead.lag, location, scale, width
        )
        terms.append(term)
    with np.errstate(invalid="ignore"):  # NaN where there is no event to score
        return np.logaddexp.reduce(terms, axis=0), compensator


def estimate(strokes: Recordings, pull: Pull, options: Options, width: float = 0.0) -> Fit:
    """Estimate the maximum of the posterior by expectation and conditional maximisation.

    The log posterior density (of log variances and log weights, up to a constant) never falls.
    `width` is that of the clock's ticks in seconds, 0 for exact times.
    """
    data = {name: _edge_data(strokes, name, prior, width) for name, prior in pull.kernels.items()}
    pauses = {target: pause_log_density(strokes, target, width) for target in pull.weights}
    kernels = {name: Kernels.prior(edge.tree) for name, edge in data.items()}
    weights = {target: dict(start) for target, start in pull.weights.items()}
    trace: list[float] = []
    while True:
        objective = _log_prior(kernels, weights, data, pull, options)
        shares: dict[str, FloatArray] = {}
        for target, pause in pauses.items():
            gain, found = _expect(target, pause, data, kernels, weights[target])
            objective += gain
            shares.update(found)
        trace.append(objective)
        converged = len(trace) > 1 and trace[-1] - trace[-2] < options.tol * len(strokes)
        if converged or len(trace) > options.max_iter:
            break
        weights = _weigh(shares, data, pauses, pull, options.weight)
        expected = {
            name: _moments(edge, shares[name], kernels[name]) for name, edge in data.items()
        }
        kernels = {
            name: update(kernels[name], expected[name], edge.tree, options.location, options.scale)
            for name, edge in data.items()
        }
    fitted = {
        name: EdgeKernels(
            pull.kernels[name],
            strokes.names,
            edge.tree,
            kernels[name],
            _moments(edge, shares[name], kernels[name]).weight,
            options.location,
        )
        for name, edge in data.items()
    }
    return Fit(fitted, weights, np.array(trace), converged)


def _edge_data(
    strokes: Recordings, name: str, prior: FixedPrior | EdgeKernels, width: float
) -> _EdgeData:
    every = strokes.lags(name)
    lags = every.forward(width)
    location, scale = prior.at(strokes.names, lags)
    ends, jacobian = None, np.full(lags.lag.size, -np.log(width) if width > 0.0 else 0.0)
    with np.errstate(divide="ignore"):
        logs = np.log(lags.lag)
    if width > 0.0:
        low, high = bounds(lags.lag, width)
        ends = ((low - location) / scale, (high - location) / scale)
    else:
        jacobian = -np.log(scale) - logs
    number = lags.first * len(strokes.names) + lags.second
    pairs, first, pair = np.unique(number, return_index=True, return_inverse=True)
    classes, parent = np.unique(lags.classes[first], return_inverse=True)
    return _EdgeData(
        lags.rows,
        (logs - location) / scale,
        ends,
        jacobian,
        pair,
        Tree(pairs, classes, parent),
        every.rows.size,
    )


def _expect(
    target: str,
    pause: FloatArray,
    data: dict[str, _EdgeData],
    kernels: dict[str, Kernels],
    weights: dict[str, float],
) -> tuple[float, dict[str, FloatArray]]:
    """Return the log-likelihood of one target's events, and each parent's share in them."""
    names = [name for name in data if EDGES[name].target == target]
    terms = np.full((len(names) + 1, pause.size), -np.inf)
    terms[0] = np.log(weights[PAUSE]) + pause
    for place, name in enumerate(names, start=1):
        edge, node = data[name], kernels[name]
        center, spread = node.pair_location[edge.pair], np.sqrt(node.pair_variance[edge.pair])
        if edge.ends is None:
            density = _log_normal((edge.y - center) / spread) - np.log(spread) + edge.jacobian
        else:
            density = log_mass(*edge.ends, center, spread) + edge.jacobian
        terms[place, edge.rows] = np.log(weights[name]) + density
    scored = ~np.isnan(pause)
    top = terms[:, scored].max(axis=0)
    parts = np.exp(terms[:, scored] - top)
    intensity = parts.sum(axis=0)
    shares = np.zeros_like(terms)
    shares[:, scored] = parts / intensity
    compensator = weights[PAUSE] * scored.sum() + sum(
        weights[name] * data[name].exposure for name in names
    )
    found = {name: shares[place][data[name].rows] for place, name in enumerate(names, start=1)}
    found[_pause_of(target)] = shares[0]
    return float((top + np.log(intensity)).sum() - compensator), found


def _pause_of(target: str) -> str:
    return f"{target} {PAUSE}"


def _lag_log_density(
    lag: FloatArray, location: FloatArray, scale: FloatArray, width: float
) -> FloatArray:
    """Return the log density of log-normal lags, its mean over a tick if there are ticks."""
    if width > 0.0:
        return log_mass(*bounds(lag, width), location, scale) - np.log(width)
    logs = np.log(lag)
    return _log_normal((logs - location) / scale) - np.log(scale) - logs


def _log_normal(z: FloatArray) -> FloatArray:
    return -0.5 * z * z - _HALF_LOG_TWO_PI


def _moments(edge: _EdgeData, share: FloatArray, node: Kernels) -> Moments:
    """Return weights and sums of lags and squares of each pair, expected where ticks hide them."""
    mean, variance = edge.y, np.zeros_like(share)
    if edge.ends is not None:
        spread = np.sqrt(node.pair_variance[edge.pair])
        mean, variance = moments(*edge.ends, node.pair_location[edge.pair], spread)

    def total(values: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(edge.pair, values, edge.tree.pairs.size), dtype=np.float64)

    return Moments(total(share), total(share * mean), total(share * (variance + mean**2)))


def _weigh(
    shares: dict[str, FloatArray],
    data: dict[str, _EdgeData],
    pauses: dict[str, FloatArray],
    pull: Pull,
    count: float,
) -> dict[str, dict[str, float]]:
    """Return the branching weights: expected children over parents, drawn to their prior."""
    weights: dict[str, dict[str, float]] = {}
    for target, prior in pull.weights.items():
        weights[target] = {}
        for name, toward in prior.items():
            at = _pause_of(target) if name == PAUSE else name
            exposure = (~np.isnan(pauses[target])).sum() if name == PAUSE else data[name].exposure
            weights[target][name] = float((shares[at].sum() + count * toward) / (exposure + count))
    return weights


def _log_prior(
    kernels: dict[str, Kernels],
    weights: dict[str, dict[str, float]],
    data: dict[str, _EdgeData],
    pull: Pull,
    options: Options,
) -> float:
    total = sum(
        log_prior(kernels[name], edge.tree, options.location, options.scale)
        for name, edge in data.items()
    )
    for target, prior in pull.weights.items():
        for name, toward in prior.items():
            weight = weights[target][name]
            total += options.weight * (toward * np.log(weight) - weight)
    return float(total)
