"""Combinations of features by different hands, against slow computations and invariances."""

from __future__ import annotations

import numpy as np
import pytest

import hawkeys
from hawkeys import inference, kernels
from hawkeys.exceptions import HawkeysError

TRUTH = hawkeys.Hawkes([0.4, 0.3], [[0.3, 0.2], [0.1, 0.4]], decay=2.0)


@pytest.fixture(scope="module")
def sample():
    return hawkeys.simulate(TRUTH, end_time=40.0, n_realizations=3, rng=0)


@pytest.fixture(scope="module")
def short():
    return hawkeys.simulate(TRUTH, end_time=12.0, n_realizations=20, rng=0)


@pytest.mark.parametrize(
    "penalty",
    [
        inference.Ridge(3.0),
        inference.Lasso([[1.0, 2.0], [3.0, 4.0]], baseline=1.0),
        inference.ElasticNet(3.0, l1_ratio=0.2),
        inference.GroupLasso(3.0, groups="target"),
    ],
    ids=lambda penalty: type(penalty).__name__,
)
def test_a_saved_penalised_fit_is_fitted_again_in_the_same_way(sample, tmp_path, penalty):
    result = hawkeys.fit(sample, decay=2.0, method="map", prior=penalty)
    result.save(tmp_path / "fit.json")
    saved = hawkeys.load_result(tmp_path / "fit.json")
    assert saved.options["prior"]["name"] == type(penalty).__name__
    fresh, again = (
        inference.bootstrap(fit, sample, n_replicates=3, rng=1) for fit in (result, saved)
    )
    np.testing.assert_array_equal(fresh.replicates, again.replicates)


def test_an_unknown_penalty_in_a_file_is_named(sample):
    result = hawkeys.fit(sample, decay=2.0, method="map", prior=inference.Ridge())
    result.options["prior"] = {"name": "Bridge", "strength": 1.0}
    with pytest.raises(HawkeysError, match=r"unknown penalty 'Bridge'.*Ridge, Lasso"):
        hawkeys.goodness_of_fit(result, sample, n_mc_samples=1)


def test_the_sandwich_of_an_estimated_kernel_holds_it_in_bread_and_meat(short):
    """Its scores are those of baseline and adjacency alone, so must be the information."""
    estimated = hawkeys.fit(short, kernel=kernels.LogNormal(), max_iter=4000)
    process = estimated.process
    x = np.column_stack((process.baseline, process.adjacency))
    expected = np.empty_like(x)
    for i in range(2):
        scores, information = np.zeros((short.n_realizations, 3)), np.zeros((3, 3))
        for r in range(short.n_realizations):
            one = short[r]
            own = one.times[one.marks == i]
            c = [np.ones(own.size)]
            mass = [float(one.durations[0])]
            for j in range(2):
                only = np.zeros((2, 2))
                only[i, j] = 1.0
                lit = hawkeys.Hawkes([0.0, 0.0], only, kernel=process.kernel)
                c.append(lit.intensity(one, own)[:, i])
                mass.append(float(lit.compensator(one, one.end_times)[0, i]))
            basis = np.array(c)
            rate = x[i] @ basis
            scores[r] = (basis / rate).sum(axis=1) - mass
            information += (basis / rate**2) @ basis.T
        inverse = np.linalg.inv(information)
        spread = 20 / 19 * inverse @ scores.T @ scores @ inverse
        expected[i] = np.sqrt(np.diagonal(spread))
    robust = inference.sandwich_covariance(estimated, short)
    np.testing.assert_allclose(robust.std_err, expected, rtol=1e-8)
