"""Information matrices: their directions in a common scale, and which parameters these exchange."""

from __future__ import annotations

import numpy as np

from hawkeys._typing import BoolArray, FloatArray, IntArray

__all__ = ["FLAT", "NULL", "SHARE", "exchanged", "factor", "scaled_directions"]

FLAT = 1e-9
"""Curvature, relative to the largest, below which a direction counts as flat."""

NULL = 1e-13
"""Eigenvalue, relative to the largest, that is 0 but for rounding."""

SHARE = 1e-3
"""Share of a parameter in a flat direction from which the data do not determine it."""


def scaled_directions(
    matrix: FloatArray, index: IntArray
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Return scales (n,), and increasing eigenvalues (n,) and eigenvectors (n, n) so scaled.

    Of the parameters in `index`, n of them, whose diagonal entries are above 0; scaled, they are 1.
    """
    scale = 1.0 / np.sqrt(matrix[index, index])
    values, vectors = np.linalg.eigh(matrix[np.ix_(index, index)] * np.outer(scale, scale))
    return scale, values, vectors


def exchanged(matrix: FloatArray, index: IntArray) -> BoolArray:
    """Return which of the parameters in `index`, (n,), a flat direction exchanges for others."""
    _, values, vectors = scaled_directions(matrix, index)
    flat = np.abs(vectors[:, values < FLAT * values[-1]]).max(axis=1, initial=0.0)
    return np.asarray(flat > SHARE)


def factor(matrix: FloatArray) -> FloatArray:
    """Return F (rank, n) with F' F = `matrix` (n, n), which is symmetric with eigenvalues >= 0.

    x' F' F x keeps its digits where it is small, x' matrix x does not.
    """
    values, vectors = np.linalg.eigh(matrix)
    kept = values > NULL * values.max(initial=0.0)
    return np.asarray(np.sqrt(values[kept])[:, None] * vectors[:, kept].T)
