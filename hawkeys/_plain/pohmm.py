"""Partially observable hidden Markov model, all samples of a text at once.

See `hawkeys._jit.pohmm`.

Sums over hidden states are written out in the order of the compiled code, and no operation mixes
samples: the score of a sample does not depend on those beside it.
"""

from __future__ import annotations

import numpy as np

from hawkeys._typing import FloatArray, IntArray

__all__ = ["log_emission", "log_likelihood", "posterior", "weighted_moments"]

_HALF_LOG_TWO_PI = 0.5 * np.log(2.0 * np.pi)


def log_emission(
    values: FloatArray,
    location: FloatArray,
    scale: FloatArray,
    jacobian: float,
    floor: float,
    out: FloatArray,
) -> None:
    """Write the sum over features of max(floor, log normal density - jacobian * value).

    `values` is (N, T, F) and `out` (N, T, M); see the compiled twin.
    """
    log_scale = np.log(scale)
    out[:] = 0.0
    for f in range(values.shape[2]):
        value = values[:, :, f, None]
        zero = value == -np.inf  # ln 0: the density of x = 0 is 0
        value = np.where(zero, 0.0, value)
        z = (value - location[:, f]) / scale[:, f]
        density = -0.5 * z * z - log_scale[:, f] - _HALF_LOG_TWO_PI
        out += np.where(zero, floor, np.maximum(floor, density - jacobian * value))


def _forward(
    emission: FloatArray, start: FloatArray, transition: FloatArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return filtered probabilities and rates (T, N, M), and the log-likelihood (N,)."""
    # the largest density is divided out, so that no exp underflows in all states
    shift = emission.max(axis=2)
    rates = np.exp(np.ascontiguousarray(np.swapaxes(emission - shift[:, :, None], 0, 1)))
    filtered = np.empty_like(rates)
    totals = np.zeros(len(emission))
    prior = np.broadcast_to(start, rates.shape[1:])
    for t in range(len(rates)):
        joint = prior * rates[t]
        norm = joint.sum(axis=1)
        totals += shift[:, t] + np.log(norm)
        filtered[t] = joint / norm[:, None]
        rates[t] /= norm[:, None]
        if t < len(transition):
            prior = (filtered[t][:, :, None] * transition[t]).sum(axis=1)
    return filtered, rates, totals


def log_likelihood(
    emission: FloatArray, start: FloatArray, transition: FloatArray, out: FloatArray
) -> None:
    """Write the log-likelihood of each sample into `out` (N,); `emission` is (N, T, M)."""
    out[:] = _forward(emission, start, transition)[2]


def posterior(
    emission: FloatArray,
    start: FloatArray,
    transition: FloatArray,
    states: FloatArray,
    pairs: FloatArray,
) -> float:
    """Write the posterior of the hidden states and return the log-likelihood of all samples.

    `states` is (N, T, M), `pairs` (T - 1, M, M); see the compiled twin.
    """
    filtered, rates, totals = _forward(emission, start, transition)
    backward = np.ones_like(filtered)
    for t in range(len(transition) - 1, -1, -1):
        step = transition[t] * (rates[t + 1] * backward[t + 1])[:, None, :]
        pairs[t] = (filtered[t][:, :, None] * step).sum(axis=0)
        backward[t] = step.sum(axis=2)
    states[:] = np.swapaxes(filtered * backward, 0, 1)
    return float(totals.sum())


def weighted_moments(
    values: FloatArray,
    states: FloatArray,
    types: IntArray,
    floor: float,
    location: FloatArray,
    scale: FloatArray,
) -> None:
    """Replace mean and standard deviation of each type by those of its events, weighted by state.

    See the compiled twin.
    """
    scale[:] = floor
    for w in np.unique(types):
        events, weights = values[:, types == w], states[:, types == w]
        events, weights = events.reshape(-1, values.shape[2]), weights.reshape(-1, states.shape[2])
        total = weights.sum(axis=0)
        some = total > 0.0
        share = weights[:, some]
        location[w][:, some] = events.T @ share / total[some]
        gaps = events[:, :, None] - location[w][:, some]
        spread = (share[:, None, :] * gaps * gaps).sum(axis=0)
        scale[w][:, some] = np.maximum(floor, np.sqrt(spread / total[some]))
