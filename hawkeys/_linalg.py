"""Information matrices: their directions in a common scale, and which parameters these exchange."""

from __future__ import annotations

import numpy as np

from hawkeys._typing import BoolArray, FloatArray, IntArray

__all__ = ["FLAT", "SHARE", "exchanged", "scaled_directions"]

FLAT = 1e-9
"""Curvature, relative to the largest, below which a direction counts as flat."""

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
