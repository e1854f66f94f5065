"""Solutions of row problems by maximum likelihood, and their value and gradient anywhere."""

from __future__ import annotations

import numpy as np

from hawkeys._loops.choice import Compiled, is_small, is_wide
from hawkeys._plain import likelihood as plain_likelihood
from hawkeys._plain import rows as plain
from hawkeys._plain import wide_rows as wide
from hawkeys._threads import in_threads
from hawkeys._typing import FloatArray, IntArray

__all__ = ["row_log_likelihood", "row_values_and_gradients", "solve_rows"]

jit, jit_likelihood = Compiled("rows"), Compiled("likelihood")
# nanoseconds per event: of its logarithm, and of each column; and steps that a solution takes
_LOG, _COLUMN, _STEPS = 5, 1, 4


def solve_rows(
    excitation: FloatArray,
    weights: FloatArray,
    offsets: IntArray,
    cost: FloatArray,
    shape: FloatArray,
    limits: tuple[float, int],
    start: FloatArray,
    keep: bool,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Solve every row problem; see `hawkeys._jit.rows`.

    Returns x (n_blocks, P); report (n_blocks, 4) with the objective, the gap bound, the violation
    of the optimality conditions and the number of iterations; and, if `keep`, the negative Hessians
    in x (n_blocks, P, P) and the objective's traces (n_blocks, max_iter), else empty arrays.
    """
    n_blocks, size = cost.shape
    kept = n_blocks if keep else 0
    out = (
        np.empty((n_blocks, size)),
        np.empty((n_blocks, 4)),
        np.empty((kept, size, size)),
        np.empty((kept, limits[1])),
    )
    data = excitation, weights, offsets
    small = is_small(excitation.size, n_blocks)
    loops = wide if is_wide(offsets, size) else plain if small else jit
    in_threads(
        lambda part: loops.solve_rows(data, cost, shape, limits, start, out, part),
        n_blocks,
        _STEPS * (offsets[-1] * _LOG + excitation.size * _COLUMN * size + n_blocks * size**3),
    )
    return out


def row_log_likelihood(
    excitation: FloatArray,
    weights: FloatArray,
    offsets: IntArray,
    cost: FloatArray,
    x: FloatArray,
) -> FloatArray:
    """Return sum_k w_k log(v_k . x) - cost . x of every row problem, shape (n_blocks,)."""
    return _values((excitation, weights, offsets), cost, x, np.empty((x.shape[0], 0)))


def row_values_and_gradients(
    excitation: FloatArray,
    weights: FloatArray,
    offsets: IntArray,
    cost: FloatArray,
    x: FloatArray,
) -> tuple[FloatArray, FloatArray]:
    """Return the value of every row problem (n_blocks,) and its gradient (n_blocks, P)."""
    gradient = np.zeros(cost.shape)
    return _values((excitation, weights, offsets), cost, x, gradient), gradient


def _values(
    data: tuple[FloatArray, FloatArray, IntArray],
    cost: FloatArray,
    x: FloatArray,
    gradient: FloatArray,
) -> FloatArray:
    out = np.empty(cost.shape[0])
    work = _LOG * data[2][-1] + _COLUMN * data[0].size
    loops = plain_likelihood if is_small(data[0].size, out.size) else jit_likelihood
    in_threads(lambda part: loops.row_values(data, cost, x, out, gradient, part), out.size, work)
    return out
