"""Directions of information matrices, and which parameters they exchange."""

import numpy as np

from hawkeys._linalg import exchanged, scaled_directions


def test_directions_are_those_of_the_matrix_with_a_unit_diagonal():
    rng = np.random.default_rng(0)
    root = rng.normal(size=(4, 4)) * [1e-6, 1.0, 1e3, 1e6]
    matrix, index = root.T @ root, np.array([0, 2, 3])
    scale, values, vectors = scaled_directions(matrix, index)
    unit = matrix[np.ix_(index, index)] * np.outer(scale, scale)
    np.testing.assert_allclose(np.diag(unit), 1.0)
    np.testing.assert_allclose((vectors * values) @ vectors.T, unit, atol=1e-12)
    assert (np.diff(values) >= 0).all()


def test_two_equal_columns_are_exchanged_whatever_their_scale():
    rng = np.random.default_rng(1)
    columns = rng.normal(size=(50, 4))
    columns[:, 3] = 1e5 * columns[:, 1]
    matrix = columns.T @ columns
    assert exchanged(matrix, np.arange(4)).tolist() == [False, True, False, True]
    assert exchanged(matrix, np.array([0, 1, 2])).tolist() == [False] * 3
    assert exchanged(matrix, np.array([1, 3])).tolist() == [True, True]
