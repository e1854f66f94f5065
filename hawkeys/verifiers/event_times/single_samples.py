"""The classical Hawkes process fitted to each sample alone, as features."""

from __future__ import annotations

import numpy as np

from hawkeys._typing import FloatArray

__all__ = ["single_sample_fits"]

_DECAYS = (4.0, 20.0)
_STEPS = 60


def single_sample_fits(intervals: FloatArray) -> FloatArray:
    """Return the log baseline and the adjacency of each sample's own fit, at decays 4 and 20 per s.

    Parameters
    ----------
    intervals : ndarray of float64, shape (n_samples, n_intervals)
        Seconds, > 0.

    Returns
    -------
    ndarray of float64, shape (n_samples, 4)
        For each decay the log of the baseline and the adjacency, after 60 steps of
        expectation-maximisation from the same start for all, the first event given.
    """
    columns: list[FloatArray] = []
    for decay in _DECAYS:
        excitation, mass = _excitation(intervals, decay)
        time, count = intervals.sum(axis=1), float(intervals.shape[1])
        mu, weight = 0.5 * count / time, np.full(len(intervals), 0.5)
        for _ in range(_STEPS):
            own = mu / (mu + weight * excitation.T)
            from_baseline = own.sum(axis=0)
            mu, weight = from_baseline / time, (count - from_baseline) / mass
        columns += [np.log(np.maximum(mu, 1e-3)), weight]
    return np.stack(columns, axis=1)


def _excitation(intervals: FloatArray, decay: float) -> tuple[FloatArray, FloatArray]:
    """Return kernel sums at the events after the first, (n, L), and kernel mass spent, (n,)."""
    state, mass = np.ones(len(intervals)), np.zeros(len(intervals))
    out = np.empty(intervals.shape)
    for k, step in enumerate(intervals.T):
        left = state * np.exp(-decay * step)
        mass += state - left
        out[:, k] = decay * left
        state = left + 1.0
    return out, mass
