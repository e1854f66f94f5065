"""Sums of row problems over their events: value, gradient and curvature anywhere."""

from __future__ import annotations

import numpy as np

from hawkeys._loops.choice import Compiled, is_small, is_wide
from hawkeys._plain import exponential as plain_exponential
from hawkeys._plain import rows as plain
from hawkeys._typing import BoolArray, FloatArray, IntArray

__all__ = ["row_sums", "shared_sums"]

jit, jit_exponential = Compiled("rows"), Compiled("exponential")


def row_sums(
    data: tuple[FloatArray, FloatArray, IntArray], x: FloatArray, wanted: BoolArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return sum_k w_k log(v_k . x_b), its gradient and minus its Hessian of the rows wanted.

    Of shapes (n_blocks,), (n_blocks, P) and (n_blocks, P, P); 0 for other rows. An impossible event
    makes a value -inf, and is left out of the derivatives.
    """
    n_blocks, size = x.shape
    value, gram = np.zeros(n_blocks), np.zeros((n_blocks, size + 1, size + 1))
    small = is_small(data[0].size, n_blocks) or is_wide(data[2], size)
    (plain if small else jit).row_sums(data, x, wanted, value, gram)
    return value, *_derivatives(gram)


def shared_sums(
    events: tuple[FloatArray, IntArray, IntArray],
    decay: float,
    x: FloatArray,
    wanted: BoolArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return the same for events (times, marks, offsets) and one decay that all marks share.

    The excitations are never written out as a whole. `x` (n_marks, n_marks + 1), baseline first.
    """
    times, n_marks = events[0], len(x)
    value, gram = np.zeros(n_marks), np.zeros((n_marks, n_marks + 2, n_marks + 2))
    small, fades = is_small(times.size * n_marks), np.empty(times.size)
    (plain_exponential if small else jit_exponential).fades(times, decay, fades)
    (plain if small else jit).sums_shared(events, fades, decay, x, wanted, value, gram)
    return value, *_derivatives(gram)


def _derivatives(gram: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return gradients and minus Hessians held on and below the diagonal of `gram`."""
    size = gram.shape[1] - 1
    lower = np.tril(gram[:, :size, :size])
    first = gram[:, size, :size].copy()
    return first, lower + np.tril(lower, -1).transpose(0, 2, 1)
