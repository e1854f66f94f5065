"""Stochastic variational inference, row by row."""

from __future__ import annotations

import numpy as np

from hawkeys._loops.choice import Compiled
from hawkeys._threads import in_threads
from hawkeys._typing import FloatArray, IntArray

__all__ = ["ascend_rows"]

jit = Compiled("stochastic")
# nanoseconds per event and column, and of any step
_PER_EVENT, _PER_STEP = 2, 200


def ascend_rows(
    excitation: FloatArray,
    weights: FloatArray,
    offsets: IntArray,
    cost: FloatArray,
    settings: FloatArray,
    steps: IntArray,
    seeds: IntArray,
) -> tuple[FloatArray, FloatArray]:
    """Run every row problem; settings and steps are described in `inference`.

    Returns parameters (n_blocks, 3, P): location, log scale and prior variance; and the objective
    averaged over each stretch of ``steps[1]`` draws, (n_blocks, stretches).
    """
    n_blocks, size = cost.shape
    stretches = (int(steps[0]) + int(steps[1]) - 1) // int(steps[1])
    out = np.zeros((n_blocks, 3, size)), np.zeros((n_blocks, stretches))
    data = excitation, weights, offsets
    in_threads(
        lambda part: jit.ascend_rows(data, cost, settings, steps, seeds, out, part),
        n_blocks,
        float(steps[0]) * (_PER_EVENT * excitation.size + _PER_STEP * n_blocks * size),
    )
    return out
