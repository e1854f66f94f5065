"""Integrals of products of exponential excitations; see `hawkeys._jit.contrast`."""

from __future__ import annotations

import numpy as np

from hawkeys._plain.exponential import run
from hawkeys._plain.layout import owners
from hawkeys._typing import FloatArray, IntArray

__all__ = ["add_products"]


def add_products(
    data: tuple[FloatArray, IntArray, IntArray],
    end_times: FloatArray,
    scale: FloatArray,
    decay: FloatArray,
    out: FloatArray,
) -> None:
    """Add sum_r scale_r int A_j(t) A_l(t) dt over each window to `out` (D, D).

    See the compiled twin: each pair of events counts when the later one comes.
    """
    times, marks, offsets = data
    owner, size = owners(offsets), decay.size
    lags = np.diff(times, prepend=0.0)
    opens = offsets[:-1][offsets[:-1] < offsets[1:]]
    lags[opens] = 0.0
    fades = np.exp(-decay * lags[:, None])
    fades[opens] = 0.0
    jumps = np.where(marks[:, None] == np.arange(size), decay, 0.0)
    states = np.zeros_like(jumps)
    states[1:] = run(fades, jumps)[:-1] * fades[1:]
    totals = decay[marks][:, None] + decay
    left = (end_times[owner] - times)[:, None]
    seen = scale[owner][:, None] * -np.expm1(-totals * left) / totals
    values = decay[marks][:, None] * states * seen
    met = np.zeros((size, size))
    for j in range(size):
        met[:, j] = np.bincount(marks, values[:, j], size)
    own = decay[marks] ** 2 * seen[np.arange(times.size), marks]
    out += met + met.T + np.diag(np.bincount(marks, own, size))
