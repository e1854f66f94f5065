"""Hawkes processes of one typed text: structure, lags, expectation-maximisation."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hawkeys._typing import FloatArray, IntArray
from hawkeys.datasets.timings import press_release
from hawkeys.verifiers.fixed_text import _coarse_hawkes as coarse
from hawkeys.verifiers.fixed_text import _hawkes_sums as loops

__all__ = ["STRUCTURES", "Fit", "Lags", "Options", "Parameters", "estimate", "make_edges"]

STRUCTURES = ("key", "rollover")
"""Which actions excite a release: those before it, or the press of the next key as well."""

_FIRST_BASELINE = 0.05
_FIRST_CHILDREN = 0.9
_LEAST_SCALE = 0.05


def make_edges(n_keys: int, lags: int, structure: str) -> IntArray:
    """Return the edges (n_edges, 2), target and source, sorted; mark 2 i is the press of key i.

    The press of key i is excited by presses and releases of the keys i - 1 to i - `lags`, its
    release by its own press and by the release of key i - 1; with "rollover" by the press of key
    i + 1 too.
    """
    edges = []
    for i in range(n_keys):
        for back in range(1, min(lags, i) + 1):
            edges += [(2 * i, 2 * (i - back)), (2 * i, 2 * (i - back) + 1)]
        edges.append((2 * i + 1, 2 * i))
        if i > 0:
            edges.append((2 * i + 1, 2 * i - 1))
        if structure == "rollover" and i + 1 < n_keys:
            edges.append((2 * i + 1, 2 * i + 2))
    return np.array(sorted(edges), dtype=np.int64)


@dataclass(frozen=True)
class Lags:
    """Samples as the inner loops take them.

    Attributes
    ----------
    times : ndarray, shape (2 K, n_samples)
        Seconds since the first press.
    windows : ndarray, shape (n_samples,)
        Time of the last event.
    lags, rests : ndarray, shape (n_edges, n_samples)
        Logarithms of the time from source to target, and to the end of the window; -inf if none.
    first : ndarray of int64, shape (2 K + 1,)
        First edge into each mark.
    width : float
        Seconds that a reading of the clock stands for; 0 for exact times.
    """

    times: FloatArray
    windows: FloatArray
    lags: FloatArray
    rests: FloatArray
    first: IntArray
    width: float = 0.0

    @classmethod
    def of(cls, X: FloatArray, edges: IntArray, width: float = 0.0) -> Lags:
        """Return the lags of a timing matrix (n_samples, 3 K - 2).

        With a width, a lag of 0 is half a tick or less, and counts as a quarter.
        """
        press, release = press_release(X)
        times = np.empty((2 * press.shape[1], press.shape[0]))
        times[0::2], times[1::2] = press.T, release.T
        windows = times.max(axis=0)
        target, source = edges.T
        lags = times[target] - times[source]
        if width > 0.0:
            lags = np.where(lags >= 0.0, np.maximum(lags, 0.25 * width), -1.0)
        return cls(
            times,
            windows,
            _logarithm(lags),
            _logarithm(windows - times)[source],
            np.searchsorted(target, np.arange(times.shape[0] + 1)),
            width,
        )

    def logs_and_masses(self, parameters: Parameters) -> tuple[FloatArray, FloatArray]:
        """Return ln lambda of every event, and every mark's compensator, (2 K, n_samples)."""
        if self.width > 0.0:
            return coarse.contributions(self.read(), parameters.baseline, parameters.edges)
        logs, masses = np.empty_like(self.times), np.empty_like(self.times)
        loops.contributions(
            self.lags, self.rests, self.windows, self.first, *parameters.arrays, logs, masses
        )
        return logs, masses

    def read(self) -> coarse.Readings:
        """Return the lags as readings of a clock."""
        lags = np.exp(self.lags)
        lags[lags < 0.5 * self.width] = 0.0
        return coarse.Readings(
            lags, np.isfinite(self.lags), self.rests, self.windows, self.first, self.width
        )

    def residuals(self, parameters: Parameters) -> FloatArray:
        """Return the compensator of every mark up to its event, (2 K, n_samples)."""
        out = np.empty_like(self.times)
        loops.mark_masses(self.times, self.lags, self.first, *parameters.arrays, out)
        return out


@dataclass(frozen=True)
class Parameters:
    """Baseline (2 K,) per second, and (adjacency, location, scale) of each edge, (n_edges, 3)."""

    baseline: FloatArray
    edges: FloatArray

    @property
    def arrays(self) -> tuple[FloatArray, FloatArray]:
        """Both arrays."""
        return self.baseline, self.edges


@dataclass(frozen=True)
class Options:
    """Of the estimation."""

    min_baseline: float
    prior_strength: float
    prior_scale: float
    n_iter: int


@dataclass(frozen=True)
class Fit:
    """Parameters, and the objective before each update and at the end."""

    parameters: Parameters
    trace: FloatArray


def estimate(data: Lags, weights: FloatArray, options: Options) -> Fit:
    """Maximise the weighted log-likelihood plus log-priors by expectation-maximisation."""
    parameters = _start(data, weights, options)
    trace = []
    for _ in range(options.n_iter):
        parameters, before = _update(data, weights, parameters, options)
        trace.append(before)
    trace.append(_objective(data, weights, parameters, options))
    return Fit(parameters, np.array(trace))


def _objective(data: Lags, weights: FloatArray, parameters: Parameters, options: Options) -> float:
    """Return the weighted log-likelihood plus the log-prior."""
    logs, masses = data.logs_and_masses(parameters)
    return float((logs - masses).sum(axis=0) @ weights) + _log_prior(parameters, options)


def _logarithm(lags: FloatArray) -> FloatArray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(lags > 0, np.log(lags), -np.inf)


def _start(data: Lags, weights: FloatArray, options: Options) -> Parameters:
    """Return adjacency alike for all edges into a mark, location and scale from all lags."""
    n_edges = data.lags.shape[0]
    seen = np.isfinite(data.lags)
    each = np.where(seen, weights, 0.0)
    mass = np.maximum(each.sum(axis=1), 1e-300)
    logs = np.where(seen, data.lags, 0.0)
    location = (each * logs).sum(axis=1) / mass
    spread = np.sqrt((each * (logs - location[:, None]) ** 2).sum(axis=1) / mass)
    degree = np.diff(data.first)
    edges = np.empty((n_edges, 3))
    edges[:, 0] = _FIRST_CHILDREN / np.repeat(degree, degree)
    edges[:, 1] = location
    edges[:, 2] = np.maximum(spread, _LEAST_SCALE)
    baseline = np.full(degree.size, max(_FIRST_BASELINE, options.min_baseline))
    return Parameters(baseline, edges)


def _update(
    data: Lags, weights: FloatArray, parameters: Parameters, options: Options
) -> tuple[Parameters, float]:
    """Return new parameters, and the objective under the old ones."""
    moments, arrivals = np.zeros_like(parameters.edges), np.zeros_like(parameters.baseline)
    if data.width > 0.0:
        total = coarse.expected_children(
            data.read(), weights, *parameters.arrays, moments, arrivals
        )
    else:
        total = loops.expected_children(
            data.lags, data.rests, weights, data.first, *parameters.arrays, moments, arrivals
        )
    exposure = float(weights @ data.windows)
    objective = total - float(parameters.baseline.sum()) * exposure
    objective += _log_prior(parameters, options)
    children = np.maximum(moments[:, 0], 1e-300)
    shift = moments[:, 1] / children
    squares = moments[:, 2] - children * shift**2
    pseudo = options.prior_strength
    edges = np.empty_like(parameters.edges)
    edges[:, 0] = moments[:, 0] / (weights.sum() + pseudo)
    edges[:, 1] = parameters.edges[:, 1] + shift
    edges[:, 2] = np.sqrt((squares + pseudo * options.prior_scale**2) / (children + pseudo))
    baseline = np.maximum(arrivals / exposure, options.min_baseline)
    return Parameters(baseline, edges), objective


def _log_prior(parameters: Parameters, options: Options) -> float:
    """Return the log-prior of the edges, up to a constant."""
    adjacency, _, scale = parameters.edges.T
    pseudo, typical = options.prior_strength, options.prior_scale
    of_scale = -0.5 * pseudo * (2.0 * np.log(scale) + (typical / scale) ** 2)
    return float((of_scale - pseudo * adjacency).sum())
