"""Inner loops of the partially observable hidden Markov model, for samples of one text.

Sizes: N samples, T events per sample, F features per event, M hidden states. `start` (M,),
`transition` (T - 1, M, M), `location` and `scale` (T, F, M) are those of each position of the text.
"""

import math

import numpy as np
from numba import njit

__all__ = ["log_emission", "log_likelihood", "posterior", "weighted_moments"]

_HALF_LOG_TWO_PI = 0.5 * math.log(2.0 * math.pi)


@njit(cache=True, nogil=True)
def log_emission(values, location, scale, jacobian, floor, out):
    """Write the sum over features of max(floor, log normal density - jacobian * value).

    `values` is (N, T, F) and `out` (N, T, M). With values = ln x and jacobian = 1 the density is
    the log-normal one of x.
    """
    n_samples, n_events, n_features = values.shape
    log_scale = np.log(scale)
    for n in range(n_samples):
        for t in range(n_events):
            for j in range(location.shape[2]):
                total = 0.0
                for f in range(n_features):
                    value = values[n, t, f]
                    if value == -math.inf:  # ln 0: the density of x = 0 is 0
                        total += floor
                        continue
                    z = (value - location[t, f, j]) / scale[t, f, j]
                    density = -0.5 * z * z - log_scale[t, f, j] - _HALF_LOG_TWO_PI
                    total += max(floor, density - jacobian * value)
                out[n, t, j] = total


@njit(cache=True, nogil=True)
def _forward(emission, start, transition, filtered, rates):
    """Run the scaled forward pass of one sample and return its log-likelihood.

    `filtered` (T, M) receives P(state at t | events up to t), `rates` (T, M) the density of event t
    in each state divided by its density given the events before it.
    """
    n_events, n_states = emission.shape
    total = 0.0
    for t in range(n_events):
        # the largest density is divided out, so that no exp underflows in all states
        shift = emission[t].max()
        norm = 0.0
        for j in range(n_states):
            prior = start[j]
            if t > 0:
                prior = 0.0
                for i in range(n_states):
                    prior += filtered[t - 1, i] * transition[t - 1, i, j]
            rates[t, j] = math.exp(emission[t, j] - shift)
            filtered[t, j] = prior * rates[t, j]
            norm += filtered[t, j]
        for j in range(n_states):
            filtered[t, j] /= norm
            rates[t, j] /= norm
        total += shift + math.log(norm)
    return total


@njit(cache=True, nogil=True)
def log_likelihood(emission, start, transition, out):
    """Write the log-likelihood of each sample into `out` (N,); `emission` is (N, T, M)."""
    filtered = np.empty(emission.shape[1:])
    rates = np.empty(emission.shape[1:])
    for n in range(emission.shape[0]):
        out[n] = _forward(emission[n], start, transition, filtered, rates)


@njit(cache=True, nogil=True)
def posterior(emission, start, transition, states, pairs):
    """Write the posterior of the hidden states and return the log-likelihood of all samples.

    `states` (N, T, M) receives P(state at t | sample), `pairs` (T - 1, M, M) the sum over samples
    of P(state i at t, state j at t + 1 | sample).
    """
    n_samples, n_events, n_states = emission.shape
    rates = np.empty((n_events, n_states))
    backward = np.empty((n_events, n_states))
    pairs[:] = 0.0
    total = 0.0
    for n in range(n_samples):
        # `states` holds the filtered probabilities until the backward pass has used them
        total += _forward(emission[n], start, transition, states[n], rates)
        backward[n_events - 1] = 1.0
        for t in range(n_events - 2, -1, -1):
            for i in range(n_states):
                ahead = 0.0
                for j in range(n_states):
                    step = transition[t, i, j] * rates[t + 1, j] * backward[t + 1, j]
                    pairs[t, i, j] += states[n, t, i] * step
                    ahead += step
                backward[t, i] = ahead
        for t in range(n_events):
            for j in range(n_states):
                states[n, t, j] *= backward[t, j]
    return total


@njit(cache=True, nogil=True)
def weighted_moments(values, states, types, floor, location, scale):
    """Replace mean and standard deviation of each type by those of its events, weighted by state.

    `types` (T,) says which row of `location` and `scale` (n_types, F, M) an event belongs to. Rows
    without weight keep their mean; standard deviations are at least `floor`.
    """
    n_samples, n_events, n_features = values.shape
    n_states = states.shape[2]
    weight = np.zeros((location.shape[0], n_states))
    mean = np.zeros(location.shape)
    spread = np.zeros(location.shape)
    for n in range(n_samples):
        for t in range(n_events):
            for j in range(n_states):
                weight[types[t], j] += states[n, t, j]
                for f in range(n_features):
                    mean[types[t], f, j] += states[n, t, j] * values[n, t, f]
    for w in range(location.shape[0]):
        for j in range(n_states):
            if weight[w, j] > 0.0:
                for f in range(n_features):
                    location[w, f, j] = mean[w, f, j] / weight[w, j]
    for n in range(n_samples):
        for t in range(n_events):
            for f in range(n_features):
                for j in range(n_states):
                    gap = values[n, t, f] - location[types[t], f, j]
                    spread[types[t], f, j] += states[n, t, j] * gap * gap
    for w in range(location.shape[0]):
        for j in range(n_states):
            for f in range(n_features):
                scale[w, f, j] = floor
                if weight[w, j] > 0.0:
                    scale[w, f, j] = max(floor, math.sqrt(spread[w, f, j] / weight[w, j]))
