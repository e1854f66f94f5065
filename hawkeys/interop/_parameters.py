"""Checks of the parameters that come from, or go to, another library."""

from __future__ import annotations

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import (
    brief,
    check_nonnegative,
    check_positive,
    check_shape,
    check_square,
    refuse_labels,
)
from hawkeys.baselines import Constant
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels import Exponential
from hawkeys.process import Hawkes

__all__ = ["check_decay", "check_rates", "check_weights", "common_decay", "exponential_decay"]

_SHAPES = {
    0: "one number",
    1: "one number per mark, shape ({0},)",
    2: "one number per (target, source) pair, shape ({0}, {0})",
}


def check_weights(value: ArrayLike, name: str) -> FloatArray:
    """Return a square matrix of weights >= 0; a single number is the matrix of one mark."""
    refuse_labels(value, name)
    matrix = check_nonnegative(value, name)
    return check_square(matrix.reshape(1, 1) if matrix.ndim == 0 else matrix, name)


def check_rates(value: ArrayLike, name: str, n_marks: int) -> FloatArray:
    """Return the baseline rates >= 0, one per mark; a single number is the rate of one mark."""
    refuse_labels(value, name)
    rates = np.atleast_1d(check_nonnegative(value, name))
    return check_shape(rates, name, (n_marks,), "one rate per mark of the matrix")


def check_decay(
    value: ArrayLike, name: str, n_marks: int, dimensions: tuple[int, ...]
) -> FloatArray:
    """Return decays > 0 whose number of dimensions is one of those the other library has."""
    refuse_labels(value, name)
    decay = check_positive(value, name)
    if decay.ndim not in dimensions or any(size != n_marks for size in decay.shape):
        wanted = " or ".join(_SHAPES[d].format(n_marks) for d in dimensions)
        raise InvalidParameterError(f"{name} must be {wanted}; got shape {decay.shape}.")
    return decay


def exponential_decay(process: Hawkes, peer: str) -> FloatArray:
    """Return the decay of the process, of any shape; refuse other kernels and baselines."""
    if not isinstance(process, Hawkes):
        raise InvalidParameterError(
            f"expected a hawkeys.Hawkes, got {type(process).__name__}. Of a fitted result pass "
            "result.process."
        )
    if not isinstance(process.kernel, Exponential):
        raise InvalidParameterError(
            f"{peer} is converted for exponential kernels only; the process has {process.kernel!r}."
        )
    if not isinstance(process.baseline_function, Constant):
        raise InvalidParameterError(
            f"{peer} is converted for constant baselines only; the process has "
            f"{brief(process.baseline_function)}."
        )
    return process.kernel.decay


def common_decay(process: Hawkes, peer: str) -> float:
    """Return the decay that all pairs share; refuse a process with several."""
    decay = exponential_decay(process, peer)
    smallest, largest = float(decay.min()), float(decay.max())
    if smallest != largest:
        raise InvalidParameterError(
            f"{peer} has one decay for all pairs of marks; the process has decays from "
            f"{smallest} to {largest}. Choose a process with decay=one number."
        )
    return largest
