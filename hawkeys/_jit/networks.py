"""Inner loops of a perceptron with one logistic hidden layer, trained by back-propagation.

Sizes: N samples, P inputs, H hidden units, Q outputs. `hidden_weights` is (P + 1, H) and
`output_weights` (H + 1, Q), with the biases in the last row. Loops run along the rows of the
weights, where the compiler can use vector instructions without changing the order of a sum.
"""

import math

import numpy as np
from numba import njit

__all__ = ["outputs", "train"]


@njit(cache=True, nogil=True)
def _logistic(x):
    return 1.0 / (1.0 + math.exp(-x))


@njit(cache=True, nogil=True)
def _layer(signal, weights, out):
    """Write the weighted sums of one layer's units, bias included."""
    last = signal.size
    for unit in range(out.size):
        out[unit] = weights[last, unit]
    for j in range(last):
        for unit in range(out.size):
            out[unit] += signal[j] * weights[j, unit]


@njit(cache=True, nogil=True)
def _forward(sample, hidden_weights, output_weights, logistic, hidden, out):
    """Write the hidden signals and the outputs for one sample."""
    _layer(sample, hidden_weights, hidden)
    for h in range(hidden.size):
        hidden[h] = _logistic(hidden[h])
    _layer(hidden, output_weights, out)
    if logistic:
        for q in range(out.size):
            out[q] = _logistic(out[q])


@njit(cache=True, nogil=True)
def _propagate_back(error, output_weights, hidden, out):
    """Write the error of each hidden unit: its weighted output errors times its slope."""
    for h in range(hidden.size):
        out[h] = 0.0
    for q in range(error.size):
        for h in range(hidden.size):
            out[h] += output_weights[h, q] * error[q]
    for h in range(hidden.size):
        out[h] *= hidden[h] * (1.0 - hidden[h])


@njit(cache=True, nogil=True)
def _descend(weights, change, signal, error, rate, momentum):
    """Move the weights of one layer against their gradient, plus a part of the last change."""
    for j in range(signal.size + 1):
        step = rate * signal[j] if j < signal.size else rate
        for unit in range(error.size):
            change[j, unit] = momentum * change[j, unit] - step * error[unit]
            weights[j, unit] += change[j, unit]


@njit(cache=True, nogil=True)
def train(samples, targets, hidden_weights, output_weights, n_epochs, rate, momentum, logistic):
    """Train in place: after each sample in turn, descend half its squared error, `n_epochs` times.

    `targets` is (N, Q); `logistic` says whether the output units are logistic or linear.
    """
    hidden = np.empty(hidden_weights.shape[1])
    hidden_error = np.empty(hidden.size)
    out = np.empty(output_weights.shape[1])
    error = np.empty(out.size)
    hidden_change = np.zeros_like(hidden_weights)
    output_change = np.zeros_like(output_weights)
    for _ in range(n_epochs):
        for n in range(samples.shape[0]):
            _forward(samples[n], hidden_weights, output_weights, logistic, hidden, out)
            for q in range(out.size):
                slope = out[q] * (1.0 - out[q]) if logistic else 1.0
                error[q] = (out[q] - targets[n, q]) * slope
            _propagate_back(error, output_weights, hidden, hidden_error)
            _descend(output_weights, output_change, hidden, error, rate, momentum)
            _descend(hidden_weights, hidden_change, samples[n], hidden_error, rate, momentum)


@njit(cache=True, nogil=True)
def outputs(samples, hidden_weights, output_weights, logistic, out):
    """Write the outputs (N, Q) of the net, each row as if it were alone."""
    hidden = np.empty(hidden_weights.shape[1])
    for n in range(samples.shape[0]):
        _forward(samples[n], hidden_weights, output_weights, logistic, hidden, out[n])
