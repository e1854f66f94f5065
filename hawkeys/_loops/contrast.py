"""Integrals of products of exponential excitations."""

from __future__ import annotations

from hawkeys._loops.choice import Compiled, is_small
from hawkeys._plain import contrast as plain
from hawkeys._typing import FloatArray, IntArray

__all__ = ["add_products"]

jit = Compiled("contrast")


def add_products(
    data: tuple[FloatArray, IntArray, IntArray],
    end_times: FloatArray,
    scale: FloatArray,
    decay: FloatArray,
    out: FloatArray,
) -> None:
    """Add sum_r scale_r int A_j(t) A_l(t) dt over each window to `out` (D, D).

    See `hawkeys._jit.contrast`.
    """
    loops = plain if is_small(data[0].size * decay.size) else jit
    loops.add_products(data, end_times, scale, decay, out)
