"""Combinations of features by different hands, against slow computations and invariances."""

from __future__ import annotations

import contextlib
import dataclasses

import numpy as np
import pytest

import hawkeys
from hawkeys import baselines, inference, kernels
from hawkeys.exceptions import HawkeysError, IdentifiabilityWarning, InvalidParameterError

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


def _fit(sample, **how):
    return hawkeys.fit(sample, **({} if "kernel" in how else {"decay": 2.0}), **how)


PIECES = baselines.PiecewiseConstant([0, 10, 40])
NOT_NESTED = {
    "knots": ({"baseline": PIECES}, {"baseline": baselines.PiecewiseConstant([0, 5, 20, 40])}),
    "phases": (
        {"baseline": baselines.Periodic([0, 3], 8)},
        {"baseline": baselines.Periodic([0, 2, 5], 8)},
    ),
    "ties": ({"tied": [[0, 1, 2], [0, 2, 1]]}, {"tied": [[0, 1, 2], [3, 1, 2]]}),
    "decays": (
        {"tied": [[0, 1, 1], [0, 1, 1]]},
        {"kernel": kernels.SumExponential([1.5, 8.0])},
    ),
    "kernels": ({"tied": [[0, 1, 1], [0, 1, 1]]}, {"kernel": kernels.LogNormal()}),
}


@pytest.mark.parametrize("name", NOT_NESTED)
def test_models_that_are_not_nested_have_no_likelihood_ratio_test(sample, name):
    """The larger one may well have the larger likelihood: that alone says nothing."""
    small, large = (_fit(sample[0], **how) for how in NOT_NESTED[name])
    # as if the larger one had fitted better, whatever the data
    large = dataclasses.replace(large, log_likelihood=small.log_likelihood + 3.0)
    with pytest.raises(InvalidParameterError, match="not nested"):
        hawkeys.likelihood_ratio_test(small, large)


@pytest.mark.parametrize(
    ("small", "large"),
    [
        ({"baseline": PIECES}, {"baseline": baselines.PiecewiseConstant([0, 10, 25, 40])}),
        ({}, {"baseline": PIECES}),
        ({}, {"kernel": kernels.SumExponential([2.0, 8.0])}),
        ({"tied": [[0, 1, 1], [0, 1, 1]]}, {"tied": [[0, 1, 2], [0, 2, 1]]}),
        (
            {"support": np.eye(2), "tied": [[0, 1, -1], [0, -1, 1]]},
            {"tied": [[0, 1, 2], [0, 2, 1]]},
        ),
        ({"support": np.zeros((2, 2))}, {"kernel": kernels.LogNormal()}),
    ],
    ids=["pieces", "constant", "decays", "ties", "support", "no excitation"],
)
def test_models_that_are_nested_are_tested(sample, small, large):
    fits = [_fit(sample[0], **how) for how in (small, large)]
    found = hawkeys.likelihood_ratio_test(*fits)
    gain = fits[1].log_likelihood - fits[0].log_likelihood
    assert found.statistic == pytest.approx(2.0 * gain, abs=1e-5)
    assert found.n_added == fits[1].n_parameters - fits[0].n_parameters


def test_a_kernel_with_a_prior_is_no_maximum_of_the_likelihood(sample):
    prior = inference.KernelPrior(kernels.LogNormal(-1.0, 0.5), weight=20.0)
    result = hawkeys.fit(sample, kernel=kernels.LogNormal(), prior=prior)
    assert hawkeys.compare({"with prior": result}).maximised.tolist() == [False]
    free = hawkeys.fit(sample, kernel=kernels.LogNormal())
    assert hawkeys.compare({"free": free}).maximised.tolist() == [True]


def test_waic_refuses_other_events_with_the_same_counts(sample):
    result = hawkeys.fit(sample, decay=2.0, method="vi")
    moved = hawkeys.Events.from_arrays(
        sample.times**2 / 40.0, sample.marks, offsets=sample.offsets, start_times=0.0,
        end_times=sample.end_times,
    )  # fmt: skip
    for criterion in (inference.waic, inference.psis_loo):
        with pytest.raises(InvalidParameterError, match="fitted to other events"):
            criterion(result, moved)
        with pytest.raises(InvalidParameterError, match=r"has none\. Fit with method='vi'"):
            criterion(TRUTH, sample)


@pytest.mark.parametrize("method", ["mle", "vi_branching"])
def test_a_kernel_estimated_from_no_events_is_estimated_again(method):
    nothing = hawkeys.Events.from_lists([[[]]], end_times=5.0)
    with pytest.warns(IdentifiabilityWarning) if method == "mle" else contextlib.nullcontext():
        result = hawkeys.fit(nothing, kernel=kernels.LogNormal(), method=method)
    found = hawkeys.goodness_of_fit(result, nothing, n_mc_samples=2, rng=0)
    assert found.parameters == f"re-fitted by {method}"


def test_pooling_refuses_a_prior_of_ones_own(sample):
    """It would be replaced by the one that is estimated, without a word."""
    how = {"decay": 2.0, "method": "map", "pooling": "row"}
    with pytest.raises(InvalidParameterError, match=r"estimated from all realisations; got also"):
        hawkeys.fit_each(sample, **how, prior=inference.Lasso(1.0))
