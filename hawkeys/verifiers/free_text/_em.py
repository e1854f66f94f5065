"""Expectation-maximisation of a free-text process: branching weights, and kernels with back-off."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from hawkeys._typing import FloatArray, IntArray
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
    """Lags of one edge above zero, standardised by the prior kernel of each."""

    rows: IntArray
    y: FloatArray
    jacobian: FloatArray  # ln of d y / d lag
    pair: IntArray  # place in tree.pairs
    tree: Tree
    exposure: int


def pause_log_density(strokes: Recordings, target: str) -> FloatArray:
    """Return the log density of the baseline: uniform in the log of the time waited.

    The wait of a press is since the press before, that of a release since its press; waits count
    as at least 1 ms and at most 1,000 s. NaN where nothing came before.
    """
    lags = strokes.lags("press-press" if target == "press" else "press-release")
    density = np.full(len(strokes), np.nan)
    wait = np.clip(lags.lag, _SHORTEST, _LONGEST)
    density[lags.rows] = -np.log(wait * np.log(_LONGEST / _SHORTEST))
    return density


def log_intensities(
    strokes: Recordings,
    kernels: dict[str, EdgeKernels],
    weights: dict[str, float],
    target: str,
) -> tuple[FloatArray, FloatArray]:
    """Return the log intensity of each target event, and the compensator of its stream.

    Both are of shape (n_strokes,), NaN for the first press of a recording.
    """
    terms = [np.log(weights[PAUSE]) + pause_log_density(strokes, target)]
    compensator = np.where(np.isnan(terms[0]), np.nan, weights[PAUSE])
    for name, kernel in kernels.items():
        if EDGES[name].target != target:
            continue
        lags = strokes.lags(name)
        compensator[lags.rows] += weights[name]
        ahead = lags.forward()
        location, scale = kernel.at(strokes.names, ahead)
        logs = np.log(ahead.lag)
        term = np.full(len(strokes), -np.inf)
        term[ahead.rows] = (
            np.log(weights[name]) + _log_normal((logs - location) / scale) - np.log(scale) - logs
        )
        terms.append(term)
    with np.errstate(invalid="ignore"):  # NaN where there is no event to score
        return np.logaddexp.reduce(terms, axis=0), compensator


def estimate(strokes: Recordings, pull: Pull, options: Options) -> Fit:
    """Estimate the maximum of the posterior by expectation and conditional maximisation.

    The log posterior density (of log variances and log weights, up to a constant) never falls.
    """
    data = {name: _edge_data(strokes, name, prior) for name, prior in pull.kernels.items()}
    pauses = {target: pause_log_density(strokes, target) for target in pull.weights}
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
        moments = {name: _moments(edge, shares[name]) for name, edge in data.items()}
        kernels = {
            name: update(kernels[name], moments[name], edge.tree, options.location, options.scale)
            for name, edge in data.items()
        }
    fitted = {
        name: EdgeKernels(
            pull.kernels[name],
            strokes.names,
            edge.tree,
            kernels[name],
            _moments(edge, shares[name]).weight,
            options.location,
        )
        for name, edge in data.items()
    }
    return Fit(fitted, weights, np.array(trace), converged)


def _edge_data(strokes: Recordings, name: str, prior: FixedPrior | EdgeKernels) -> _EdgeData:
    every = strokes.lags(name)
    lags = every.forward()
    location, scale = prior.at(strokes.names, lags)
    logs = np.log(lags.lag)
    number = lags.first * len(strokes.names) + lags.second
    pairs, first, pair = np.unique(number, return_index=True, return_inverse=True)
    classes, parent = np.unique(lags.classes[first], return_inverse=True)
    return _EdgeData(
        lags.rows,
        (logs - location) / scale,
        -np.log(scale) - logs,
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
        variance = node.pair_variance[edge.pair]
        z = (edge.y - node.pair_location[edge.pair]) / np.sqrt(variance)
        density = _log_normal(z) - 0.5 * np.log(variance) + edge.jacobian
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


def _log_normal(z: FloatArray) -> FloatArray:
    return -0.5 * z * z - _HALF_LOG_TWO_PI


def _moments(edge: _EdgeData, share: FloatArray) -> Moments:
    def total(values: FloatArray) -> FloatArray:
        return np.asarray(np.bincount(edge.pair, values, edge.tree.pairs.size), dtype=np.float64)

    return Moments(total(share), total(share * edge.y), total(share * edge.y**2))


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
