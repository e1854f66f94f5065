"""Deterministic variational inference with log-normal posteriors, row by row."""

from __future__ import annotations

from typing import Any

import numpy as np

from hawkeys._loops.choice import Compiled, is_small
from hawkeys._plain import variational as plain
from hawkeys._threads import in_threads
from hawkeys._typing import FloatArray, IntArray

__all__ = ["SILENT", "curvature_rows", "expected_log_rows", "raise_rows"]

SILENT = plain.SILENT
jit = Compiled("variational")
# nanoseconds per event, draw and column of an evaluation; and evaluations that a solution takes
_EVALUATION, _STEPS = 1, 20


def raise_rows(
    excitation: FloatArray,
    weights: FloatArray,
    offsets: IntArray,
    cost: FloatArray,
    prior: FloatArray,
    draws: FloatArray,
    start: FloatArray,
    limits: FloatArray,
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Raise the bound of every row problem from ``start`` (n_blocks, 2, P).

    limits = (tolerance, max_iter). Returns the locations and log scales (n_blocks, 2, P), a report
    (n_blocks, 3) with F, the promised further gain and the number of iterations, and the traces of
    the coordinates that act (n_blocks, max_iter); see `hawkeys._jit.variational`.
    """
    n_blocks, size = cost.shape
    out = np.empty(start.shape), np.empty((n_blocks, 3)), np.empty((n_blocks, int(limits[1])))
    data, tolerance = (excitation, weights, offsets), float(limits[0])
    loops = _loops(data, draws)
    in_threads(
        lambda part: loops.raise_rows(data, cost, prior, draws, start, tolerance, out, part),
        n_blocks,
        _STEPS * _work(data, draws) * size,
    )
    return out


def expected_log_rows(
    excitation: FloatArray,
    weights: FloatArray,
    offsets: IntArray,
    draws: FloatArray,
    params: FloatArray,
) -> FloatArray:
    """Return sum_k w_k E log(v_k . theta) of every row problem, for params (n_blocks, 2, P)."""
    out = np.zeros(params.shape[0])
    data = excitation, weights, offsets
    loops = _loops(data, draws)
    in_threads(
        lambda part: loops.expected_log_rows(data, draws, params, out, part),
        out.size,
        _work(data, draws),
    )
    return out


def curvature_rows(
    excitation: FloatArray,
    weights: FloatArray,
    offsets: IntArray,
    cost: FloatArray,
    prior: FloatArray,
    draws: FloatArray,
    params: FloatArray,
) -> FloatArray:
    """Return minus the second derivatives of F of every row problem, (n_blocks, 2 P, 2 P).

    Locations come first, then log scales; NaN in the rows and columns of what costs nothing.
    """
    n_blocks, size = cost.shape
    out = np.full((n_blocks, 2 * size, 2 * size), np.nan)
    data = excitation, weights, offsets
    loops = _loops(data, draws)
    in_threads(
        lambda part: loops.curvature_rows(data, cost, prior, draws, params, out, part),
        n_blocks,
        _work(data, draws) * size,
    )
    return out


def _loops(data: tuple[FloatArray, FloatArray, IntArray], draws: FloatArray) -> Any:
    """Choose by the number of evaluations of an event, in units of the usual 32 draws."""
    return plain if is_small(data[0].size * draws.shape[0] // 32, data[2].size - 1) else jit


def _work(data: tuple[FloatArray, FloatArray, IntArray], draws: FloatArray) -> float:
    """Return the nanoseconds that one evaluation takes."""
    return float(_EVALUATION * (data[0].size + data[2][-1]) * draws.shape[0])
