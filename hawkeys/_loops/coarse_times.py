"""Draws of times within their cells, and derivatives of the log-likelihood at them."""

from __future__ import annotations

from typing import Any

import numpy as np

from hawkeys._loops.choice import Compiled
from hawkeys._typing import FloatArray

__all__ = ["draw_times"]

jit = Compiled("coarse_times")


def draw_times(
    rng: np.random.Generator,
    cells: tuple[Any, ...],
    model: tuple[FloatArray, FloatArray, FloatArray],
    state: tuple[Any, ...],
    n_draws: int,
) -> tuple[FloatArray, FloatArray]:
    """Move the times of `state` on, sweep after sweep; return derivatives after each.

    Scores have shape (n_draws, D (D + 1) + 1), without the cost of the baselines; the mean
    information of each target (D, D + 2, D + 2). See `hawkeys._jit.coarse_times`.
    """
    size = model[0].size
    scores = np.empty((n_draws, size * (size + 1) + 1))
    information = np.zeros((size, size + 2, size + 2))
    jit.draw(rng, cells, model, state, 1, scores, information)
    return scores, information / n_draws
