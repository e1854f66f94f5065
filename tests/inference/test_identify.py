"""Which parameters the data determine: a determinant clears most rows, eigenvectors the others."""

import math

import numpy as np
import pytest

from hawkeys._linalg import FLAT, exchanged
from hawkeys.inference.identify import _is_certain as is_certain
from hawkeys.inference.identify import flat_directions

SIZES = (2, 3, 6)


def informations(size, seed):
    """Return informations (40, size, size) of every condition up to singular, in units of any size.

    The last eigenvalue falls from 1 to 1e-14 of the others; then parameters that are not
    identified, at 0 or without curvature.
    """
    rng = np.random.default_rng(seed)
    out = np.empty((40, size, size))
    for k, matrix in enumerate(out):
        vectors = np.linalg.qr(rng.normal(size=(size, size)))[0]
        values = np.append(rng.uniform(0.3, 1.0, size - 1), 10.0 ** -(0.35 * k))
        matrix[:] = (vectors * values) @ vectors.T
    units = 10.0 ** rng.integers(-12, 12, size=(40, size))
    x = rng.uniform(0.1, 1.0, (40, size)) * (rng.uniform(size=(40, size)) > 0.1)
    identified = rng.uniform(size=(40, size)) > 0.05
    out *= units[:, :, None] * units[:, None, :]
    out[::7, 0, :] = out[::7, :, 0] = 0.0
    return out, x, identified


def by_eigenvectors(information, x, identified):
    """Return `identified` less what a flat direction exchanges, and whether a row has any."""
    out, flat = identified.copy(), np.zeros(len(x), dtype=bool)
    for b, matrix in enumerate(information):
        index = np.flatnonzero(identified[b] & (x[b] > 0) & (np.diagonal(matrix) > 0))
        if index.size > 1:
            bad = index[exchanged(matrix, index)]
            out[b, bad], flat[b] = False, bad.size > 0
    return out, flat


@pytest.mark.parametrize("size", SIZES)
def test_flat_directions_are_those_of_the_eigenvectors(size):
    some_flat = 0
    for seed in range(5):
        given = informations(size, seed)
        expected, flat = by_eigenvectors(*given)
        np.testing.assert_array_equal(flat_directions(*given), expected)
        some_flat += flat.sum()
    assert some_flat > 10


def free_parameters(matrix, x, identified):
    """Return the parameters that are identified, above 0 and of curvature."""
    return np.flatnonzero(identified & (x > 0) & (np.diagonal(matrix) > 0))


@pytest.mark.parametrize("size", SIZES)
def test_certain_rows_have_no_flat_direction_and_most_are_certain(size):
    enough = math.e * FLAT * size
    n_certain = n_clear = 0
    for seed in range(5):
        given = informations(size, seed)
        index = [free_parameters(*one) for one in zip(*given, strict=True)]
        certain = np.array([one.size < 2 or is_certain(matrix, one, enough)
                            for matrix, one in zip(given[0], index, strict=True)])  # fmt: skip
        flat = by_eigenvectors(*given)[1]
        assert not flat[certain].any()
        n_certain, n_clear = n_certain + certain.sum(), n_clear + (~flat).sum()
    assert n_certain > 0.8 * n_clear


def test_a_determinant_against_numpy():
    """Of what is identified, above 0 and of curvature, at two thresholds next to it."""
    n_compared = 0
    for size in SIZES:
        for matrix, x, identified in zip(*informations(size, 9), strict=True):
            free = free_parameters(matrix, x, identified)
            scale = 1.0 / np.sqrt(np.diagonal(matrix)[free])
            scaled = matrix[np.ix_(free, free)] * np.outer(scale, scale)
            value = np.linalg.det(scaled)
            if free.size < 2 or not value > 1e-6:
                continue
            n_compared += 1
            assert is_certain(matrix, free, value * (1 - 1e-8))
            assert not is_certain(matrix, free, value * (1 + 1e-8))
    assert n_compared > 20


def test_a_matrix_with_a_negative_direction_is_not_certain():
    """Nor one with two, whose determinant is above 0."""
    for lowest in ([-0.2], [-0.2, -0.3]):
        values = np.append(np.linspace(1.0, 2.0, 4 - len(lowest)), lowest)
        vectors = np.linalg.qr(np.random.default_rng(3).normal(size=(4, 4)))[0]
        matrix = (vectors * values) @ vectors.T
        free = np.flatnonzero(np.diagonal(matrix) > 0)
        assert np.linalg.eigvalsh(matrix[np.ix_(free, free)]).min() < 0
        assert not is_certain(matrix, free, 1e-12)
