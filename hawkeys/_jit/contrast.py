"""Integrals of products of exponential excitations."""

import math

import numpy as np
from numba import njit

__all__ = ["add_products"]

_NOTHING_LEFT = 40.0


@njit(cache=True, nogil=True)
def _meet(state, decay, m, left, out):
    """Add the integrals, over the `left` time, of an event of mark m times itself and the past."""
    for j in range(decay.size):
        total = decay[m] + decay[j]
        seen = -math.expm1(-total * left) if total * left < _NOTHING_LEFT else 1.0
        value = decay[m] * state[j] * seen / total
        out[m, j] += value
        out[j, m] += value
        if j == m:
            out[m, m] += decay[m] ** 2 * seen / total


@njit(cache=True, nogil=True)
def add_products(data, end_times, scale, decay, out):
    """Add sum_r scale_r int A_j(t) A_l(t) dt over each window to `out` (D, D).

    `data` holds times, marks and offsets; A_j = sum of decay_j exp(-decay_j lag) over the earlier
    events of mark j. Each pair of events is counted when the later one comes, with what the
    earlier one has left: all terms are positive, and nothing cancels.
    """
    times, marks, offsets = data
    part = np.zeros(out.shape)
    for r in range(end_times.size):
        state = np.zeros(decay.size)
        now = end_times[r]
        part[:, :] = 0.0
        for k in range(offsets[r], offsets[r + 1]):
            if k > offsets[r] and times[k] > now:
                for j in range(decay.size):
                    state[j] *= math.exp(-decay[j] * (times[k] - now))
            now = times[k]
            _meet(state, decay, marks[k], end_times[r] - now, part)
            state[marks[k]] += decay[marks[k]]
        for i in range(decay.size):
            for j in range(decay.size):
                out[i, j] += scale[r] * part[i, j]
