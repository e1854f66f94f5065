"""WAIC and PSIS-LOO against quadrature, exact leave-one-out and another program."""

import json
import math
import sys
import warnings
from pathlib import Path

import numpy as np
import pytest

import hawkeys
from hawkeys._design import Design
from hawkeys.exceptions import ImportanceWarning, InvalidParameterError
from hawkeys.inference import psis_loo, waic
from hawkeys.inference.post_estimation.pareto import (
    fit_generalized_pareto,
    reliable_below,
    smooth_weights,
)
from hawkeys.kernels import Exponential

REFERENCE = Path(__file__).parents[2] / "reference" / "psis.json"
PROCESS = hawkeys.Hawkes([0.5], [[0.5]], decay=1.0)
PRIOR = {"relevance_determination": False, "prior_coefficient": 2.0}


@pytest.mark.parametrize("case", json.loads(REFERENCE.read_text(encoding="utf-8"))["cases"])
def test_smoothing_agrees_with_arviz(case):
    ratios = case["slope"] * np.random.default_rng(case["seed"]).standard_exponential(case["n"])
    log_weights, k = smooth_weights(ratios)
    assert k == pytest.approx(case["k"], abs=1e-10)
    largest = log_weights[np.argsort(ratios)[-5:]]
    np.testing.assert_allclose(largest, case["largest_log_weights"], atol=1e-10)
    assert np.exp(log_weights).sum() == pytest.approx(1.0, abs=1e-12)


@pytest.mark.parametrize("shape", [-0.2, 0.0, 0.5, 0.9])
def test_pareto_shape_is_recovered(shape):
    level = (np.arange(20_000) + 0.5) / 20_000
    excess = -np.log1p(-level) if shape == 0 else np.expm1(-shape * np.log1p(-level)) / shape
    found = fit_generalized_pareto(3.0 * excess)
    assert found == (pytest.approx(shape, abs=0.01), pytest.approx(3.0, rel=0.01))


def test_extreme_ratios():
    assert smooth_weights(np.zeros(200))[1] == -math.inf
    one_counts = np.where(np.arange(200) == 7, 0.0, -1e4)
    log_weights, k = smooth_weights(one_counts)
    assert k == math.inf
    assert log_weights[7] == pytest.approx(0.0, abs=1e-12)
    assert reliable_below(100) == pytest.approx(0.5)
    assert reliable_below(10_000) == 0.7


@pytest.fixture(scope="module")
def sample():
    return hawkeys.simulate(PROCESS, end_time=25.0, n_realizations=12, rng=5)


@pytest.fixture(scope="module")
def result(sample):
    return hawkeys.fit(sample, decay=1.0, method="vi", **PRIOR)


def grid():
    mu, w = np.meshgrid(np.linspace(0.05, 1.3, 160), np.linspace(1e-4, 1.4, 160))
    return np.column_stack((mu.ravel(), w.ravel()))


def on_a_grid(sample):
    """Return log prior (up to a constant) and log-likelihoods (R, n) on a grid of (mu, W)."""
    theta = grid()
    design = Design.build(sample, Exponential(1.0), separate=True)
    values = [
        np.log(theta @ np.vstack((np.ones(design.counts[r]), design.block(r)[0]))).sum(axis=1)
        - theta @ design.cost[r]
        for r in range(len(sample))
    ]
    return -(theta**2).sum(axis=1) / 2.0, np.array(values)


def log_mean(values, log_weights):
    return np.logaddexp.reduce(values + log_weights) - np.logaddexp.reduce(log_weights)


def test_leave_one_out_is_that_of_the_exact_posterior_without_the_realisation(sample, result):
    prior, values = on_a_grid(sample)
    exact = [
        log_mean(values[r], prior + np.delete(values, r, axis=0).sum(axis=0)) for r in range(12)
    ]
    found = psis_loo(result, sample, n_draws=4000)
    # Monte Carlo error of 4000 draws
    np.testing.assert_allclose(found.pointwise, exact, atol=0.02)
    assert found.elpd == pytest.approx(sum(exact), abs=0.05)
    assert (found.pareto_k < 0.7).all()
    spread = np.array(exact).std(ddof=1) * math.sqrt(12)
    assert found.std_err == pytest.approx(spread, rel=0.01)


def test_leave_one_out_agrees_with_re_fits():
    """Two marks; re-fitted with the realisation's weight 0, then averaged over its own draws."""
    process = hawkeys.Hawkes([0.4, 0.3], [[0.3, 0.2], [0.1, 0.3]], decay=1.0)
    sample = hawkeys.simulate(process, end_time=60.0, n_realizations=15, rng=2)
    options = {"decay": 1.0, "method": "vi", **PRIOR}
    found = psis_loo(hawkeys.fit(sample, **options), sample)
    for r in range(3):
        without = hawkeys.fit(sample, weights=np.arange(15) != r, **options)
        # a realisation without weight is predicted by the others, left out or not
        again = psis_loo(without, sample)
        assert again.pointwise[r] == pytest.approx(found.pointwise[r], abs=0.05)
        assert again.pointwise_parameters[r] == pytest.approx(0.0, abs=1e-9)


def test_waic_is_that_of_the_exact_posterior(sample, result):
    prior, values = on_a_grid(sample)
    log_weights = prior + values.sum(axis=0)
    weights = np.exp(log_weights - np.logaddexp.reduce(log_weights))
    density = np.array([log_mean(row, log_weights) for row in values])
    mean = values @ weights
    variance = (values**2) @ weights - mean**2
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportanceWarning)
        found = waic(result, sample, n_draws=20_000)
    np.testing.assert_allclose(found.pointwise, density - variance, atol=0.03)
    np.testing.assert_allclose(found.pointwise_parameters, variance, atol=0.03)
    assert found.n_effective == pytest.approx(variance.sum(), abs=0.1)
    assert found.deviance == -2.0 * found.elpd
    assert found.pareto_k is None
    assert repr(found).startswith("PredictiveAccuracy(criterion='waic', elpd=-")


def test_the_right_model_predicts_better():
    sample = hawkeys.simulate(PROCESS, end_time=50.0, n_realizations=20, rng=1)
    fits = [
        hawkeys.fit(sample, decay=1.0, method="vi", support=support) for support in ([[1]], [[0]])
    ]
    for criterion in (waic, psis_loo):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ImportanceWarning)
            right, wrong = (criterion(fit, sample) for fit in fits)
        difference = right.pointwise - wrong.pointwise
        assert difference.sum() > 2.0 * math.sqrt(20) * difference.std()


def test_weights_of_realisations_and_of_all_are_one(sample):
    options = {"decay": 1.0, "method": "vi", **PRIOR}
    one = psis_loo(hawkeys.fit(sample, weights=np.full(12, 2.0), **options), sample)
    other = psis_loo(hawkeys.fit(sample, likelihood_weight=2.0, **options), sample)
    np.testing.assert_allclose(one.pointwise, other.pointwise, atol=1e-8)


def test_the_stochastic_form_and_a_saved_fit_will_do(sample, result, tmp_path):
    result.save(tmp_path / "fit.json")
    again = psis_loo(hawkeys.load_result(tmp_path / "fit.json"), sample)
    np.testing.assert_allclose(again.pointwise, psis_loo(result, sample).pointwise, atol=1e-10)
    other = hawkeys.fit(sample, decay=1.0, method="vi_stochastic", n_steps=2000, **PRIOR)
    found = psis_loo(other, sample)
    assert found.elpd == pytest.approx(again.elpd, abs=0.2)


def test_gamma_posteriors_under_their_prior(sample, tmp_path):
    prior = hawkeys.GammaPrior(shape=2.0, rate=3.0, baseline_shape=1.5, baseline_rate=1.0)
    result = hawkeys.fit(sample, decay=1.0, method="vi_branching", prior=prior)
    theta, values = grid(), on_a_grid(sample)[1]
    power, rate = np.array([0.5, 1.0]), np.array([1.0, 3.0])
    log_prior = np.log(theta) @ power - theta @ rate
    exact = [log_mean(values[r], log_prior + values.sum(axis=0) - values[r]) for r in range(12)]
    np.testing.assert_allclose(psis_loo(result, sample, n_draws=8000).pointwise, exact, atol=0.05)
    result.save(tmp_path / "fit.json")
    again = hawkeys.load_result(tmp_path / "fit.json")
    np.testing.assert_allclose(psis_loo(again, sample, n_draws=8000).pointwise, exact, atol=0.05)


def test_an_influential_realisation_has_draws_of_its_own():
    quiet, busy = [[0.5, 4.0, 7.0]], [np.arange(0.25, 10.0, 0.75)]
    events = hawkeys.Events.from_lists([quiet, quiet, busy], end_times=10.0)
    result = hawkeys.fit(events, decay=1.0, method="vi", **PRIOR)
    prior, values = on_a_grid(events)
    exact = [log_mean(values[r], prior + values.sum(axis=0) - values[r]) for r in range(3)]
    np.testing.assert_allclose(psis_loo(result, events).pointwise, exact, atol=0.15)
    with pytest.warns(ImportanceWarning, match="varies by more than 0.4 over the posterior"):
        waic(result, events)


def test_unreliable_weights_are_reported(sample, result, monkeypatch):
    module = sys.modules["hawkeys.inference.post_estimation.predictive"]
    monkeypatch.setattr(module, "reliable_below", lambda n_draws: -1.0)
    with pytest.warns(ImportanceWarning, match="12 of 12 leave-one-out weights have a Pareto k"):
        psis_loo(result, sample, n_draws=100)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        waic(result, sample, n_draws=100)
    assert "1 of 1 posterior weights have a Pareto k above -1.00" in str(caught[0].message)


@pytest.mark.parametrize("criterion", [waic, psis_loo])
def test_bad_input(criterion, sample, result):
    with pytest.raises(InvalidParameterError, match="and method 'mle' has none"):
        criterion(hawkeys.fit(sample, decay=1.0), sample)
    with pytest.raises(InvalidParameterError, match="end_time is missing"):
        criterion(result, [[1.0]])
    with pytest.raises(InvalidParameterError, match="must be the data of the fit: 12 realisations"):
        criterion(result, sample[:11])
    with pytest.raises(InvalidParameterError, match="n_draws must be at least 100; got 10"):
        criterion(result, sample, n_draws=10)
    alone = hawkeys.fit(sample[:1], decay=1.0, method="vi")
    with pytest.raises(InvalidParameterError, match=r"over realisations.*got 1\. Cut the record"):
        criterion(alone, sample[:1])
