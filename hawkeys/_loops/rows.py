"""Solutions of row problems by maximum likelihood, and their value and gradient anywhere."""

from __future__ import annotations

from functools import partial

import numpy as np

from hawkeys._loops.choice import Compiled, is_small, is_small_sum, is_wide
from hawkeys._plain import exponential as plain_exponential
from hawkeys._plain import rows as plain
from hawkeys._plain import wide_rows as wide
from hawkeys._threads import in_threads
from hawkeys._typing import BoolArray, FloatArray, IntArray

__all__ = [
    "certain_rows",
    "row_log_likelihood",
    "row_sums",
    "row_values_and_gradients",
    "shared_sums",
    "solve_rows",
]

jit, jit_likelihood = Compiled("rows"), Compiled("likelihood")
jit_exponential = Compiled("exponential")
# nanoseconds per event: of its logarithm, and of each column; and steps that a solution takes
_LOG, _COLUMN, _STEPS = 5, 1, 4
# rows of so many events are solved on one in 64 of them first, then on one in 8, then on all, with
# so many nats to gain at most where a part is left for the next
_PARTS, _PARTS_FROM, _ROUGH = (64, 8, 1), 20_000, 0.01


def solve_rows(
    data: tuple[FloatArray, FloatArray, IntArray],
    cost: FloatArray,
    shape: FloatArray,
    limits: tuple[float, int],
    start: FloatArray,
    keep: bool,
    held: FloatArray | None = None,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Solve every row problem; see `hawkeys._jit.rows`.

    `data` are excitation, weights and offsets of a `Design`. Parameters that `held` (n_blocks, P)
    has a value for stay at it; those problems are solved without compiled code, whatever the size.
    Returns x (n_blocks, P); report (n_blocks, 4) with the objective, the gap bound, the violation
    of the optimality conditions and the number of iterations; and, if `keep`, the negative Hessians
    in x (n_blocks, P, P) and the objective's traces (n_blocks, max_iter), else empty arrays.
    """
    (excitation, _, offsets), (n_blocks, size) = data, cost.shape
    kept = n_blocks if keep else 0
    out = (
        np.zeros((n_blocks, size)),
        np.zeros((n_blocks, 4)),
        np.zeros((kept, size, size)),
        np.full((kept, limits[1]), np.nan),
    )
    small = is_small(excitation.size, n_blocks)
    loops = wide if is_wide(offsets, size) else plain if small else jit
    work = _STEPS * (offsets[-1] * _LOG + excitation.size * _COLUMN * size + n_blocks * size**3)
    if held is not None:
        run = partial(plain.solve_held_rows, data, cost, shape, (*limits, 1), held, out)
        in_threads(run, n_blocks, work)
        return out
    # rows of many events are solved on a part of them first
    in_parts = loops is jit and not start.size and np.diff(offsets).max(initial=0) >= _PARTS_FROM
    for level in _PARTS if in_parts else (1,):
        begin, settings = out[0].copy() if in_parts else start, (*limits, level)
        if level > 1:
            settings = _ROUGH, *settings[1:]
        run = partial(loops.solve_rows, data, cost, shape, settings, begin, out)
        in_threads(run, n_blocks, work / level)
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


def _values(
    data: tuple[FloatArray, FloatArray, IntArray],
    cost: FloatArray,
    x: FloatArray,
    gradient: FloatArray,
) -> FloatArray:
    out = np.empty(cost.shape[0])
    work = _LOG * data[2][-1] + _COLUMN * data[0].size
    loops = plain if is_small_sum(data[0].size, out.size) else jit_likelihood
    in_threads(lambda part: loops.row_values(data, cost, x, out, gradient, part), out.size, work)
    return out


def certain_rows(
    information: FloatArray, x: FloatArray, identified: BoolArray, least: float, n_numbers: int
) -> BoolArray:
    """Tell which row problems have a determinant above `least`; see `hawkeys._jit.likelihood`.

    Of the information (n_rows, P, P) in x (n_rows, P), which came from `n_numbers` excitations.
    """
    certain = np.empty(len(x), dtype=bool)
    loops = plain if is_small(n_numbers, len(x)) else jit_likelihood
    loops.certain_rows(information, x, identified, least, certain)
    return certain
