"""Profile likelihoods and scores of row problems."""

from __future__ import annotations

from hawkeys._loops.choice import Compiled, is_small
from hawkeys._plain import profile as plain
from hawkeys._plain.profile import Row
from hawkeys._typing import BoolArray, FloatArray, IntArray

__all__ = ["climb", "profile_ends", "scores"]

jit = Compiled("profile")
# parameters of one row, which the interpreter takes one by one
_MOST_PARAMETERS = 6


def _is_small(basis: FloatArray) -> bool:
    return is_small(basis.size) and len(basis) <= _MOST_PARAMETERS


def climb(
    row: Row,
    held: BoolArray,
    linked: BoolArray,
    x: FloatArray,
    slope: FloatArray,
    hessian: FloatArray,
) -> float:
    """Maximise L over the parameters not held, from x in place; see `hawkeys._jit.profile`."""
    loops = plain if _is_small(row[0]) else jit
    return float(loops.climb(row, held, linked, x, slope, hessian))


def profile_ends(
    row: Row,
    held: BoolArray,
    groups: BoolArray,
    x: FloatArray,
    drop: float,
) -> tuple[FloatArray, float]:
    """Return the profile's figures for the sum of every group of a row, from its optimum x.

    See `hawkeys._jit.profile`.
    """
    loops = plain if _is_small(row[0]) else jit
    found, gain = loops.profile_ends(row, held, groups, x, drop)
    return found, float(gain)


def scores(
    excitation: FloatArray, weights: FloatArray, offsets: IntArray, cost: FloatArray, x: FloatArray
) -> FloatArray:
    """Return the gradient of every block, (n_blocks, n_parameters); see `hawkeys._jit.profile`."""
    loops = plain if is_small(excitation.size, len(cost)) else jit
    found: FloatArray = loops.scores(excitation, weights, offsets, cost, x)
    return found
