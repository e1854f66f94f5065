"""How the log-likelihood changes with the logarithm of each decay; see `hawkeys._jit.decay_slope`.

The sum of exp(-b u) fades and jumps; that of u exp(-b u) fades too, and gains the lag times the
former: a second recursion of the same kind.
"""

from __future__ import annotations

import numpy as np

from hawkeys._plain.exponential import Instants, run
from hawkeys._plain.layout import owners
from hawkeys._typing import FloatArray, IntArray

__all__ = ["log_decay_slopes"]


def log_decay_slopes(
    events: tuple[FloatArray, IntArray, IntArray],
    ends: FloatArray,
    weights: FloatArray,
    decay: FloatArray,
    x: FloatArray,
    out: FloatArray,
    part: tuple[int, int],
) -> None:
    """Fill out[i, j] with dL / dlog decay[i, j] at the parameters x (n_marks, n_marks + 1).

    See the compiled twin.
    """
    times, marks, offsets = events
    owner, size = owners(offsets), decay.shape[0]
    instants = Instants.of(times, offsets)
    jumps = np.zeros((instants.at.size, size))
    np.add.at(jumps, (instants.group, marks), 1.0)
    for i in range(*part):
        own = np.flatnonzero(marks == i)
        sums, moments = (y[instants.group[own]] for y in _sums(instants, jumps, decay[i]))
        mass = decay[i] * sums
        rate = x[i, 0] + mass @ x[i, 1:]
        share = np.divide(weights[owner[own]], rate, out=np.zeros_like(rate), where=rate > 0.0)
        out[i] = x[i, 1:] * (share @ (mass - decay[i] ** 2 * moments))
        lags = decay[i, marks] * (ends[owner] - times)
        unseen = weights[owner] * lags * np.exp(-lags)
        out[i] -= x[i, 1:] * np.bincount(marks, unseen, size)


def _sums(
    instants: Instants, jumps: FloatArray, decay: FloatArray
) -> tuple[FloatArray, FloatArray]:
    """Return the sums of exp(-b u) and u exp(-b u) just before each instant, (n_instants, D)."""
    fades = instants.fades(decay)
    sums, moments = np.zeros_like(jumps), np.zeros_like(jumps)
    sums[1:] = run(fades, jumps)[:-1] * fades[1:]
    moments[:] = run(fades, instants.lags[:, None] * sums)
    return sums, moments
