"""A process whose events have productivities: likelihood, branching, simulation, forecast."""

import naive_strengths as naive
import numpy as np
import pytest
from scipy import stats

import hawkeys
from hawkeys import productivity
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError, UnstableProcessError
from hawkeys.inference import goodness_of_fit
from hawkeys.kernels import Exponential, PowerLaw, SumExponential
from hawkeys.productivity import ExponentialValues

LAW = ExponentialValues(mean=[0.5, 0.3], start=3.0)
SIZE = productivity.Exponential(a=[0.8, 1.2], v0=3.0, law=LAW)
KERNELS = [Exponential([1.0, 3.0]), SumExponential([1.0, 5.0], [0.4, 0.6]), PowerLaw(0.2, 1.8)]
ADJACENCY = np.array([[0.2, 0.1], [0.25, 0.15]])


def process(kernel, size=SIZE):
    return hawkeys.Hawkes([0.4, 0.2], ADJACENCY, kernel=kernel, productivity=size)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_likelihood_is_the_one_by_pairs_and_quadrature(kernel):
    truth = process(kernel)
    events = hawkeys.simulate(truth, end_time=25.0, n_realizations=2, rng=1)
    expected = naive.log_likelihood(
        events, SIZE.strengths(events), kernel, truth.baseline, ADJACENCY
    )
    assert truth.log_likelihood(events) == pytest.approx(expected, abs=1e-7)
    first, second = events.split(share=0.4)
    both = truth.log_likelihood(first) + truth.log_likelihood(second, history=first)
    assert both == pytest.approx(expected, abs=1e-7)
    # values at the events of another order are another likelihood
    assert abs(truth.log_likelihood(events.with_values(events.values[::-1])) - expected) > 0.1


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_gradient_is_that_of_differences(kernel):
    truth = process(kernel)
    events = hawkeys.simulate(truth, end_time=25.0, rng=1)
    found = truth.log_likelihood_gradient(events)
    for i in range(2):
        for j in range(2):
            values = []
            for sign in (1, -1):
                other = ADJACENCY.copy()
                other[i, j] += sign * 1e-5
                moved = hawkeys.Hawkes([0.4, 0.2], other, kernel=kernel, productivity=SIZE)
                values.append(moved.log_likelihood(events))
            slope = (values[0] - values[1]) / 2e-5
            assert found[1][i, j] == pytest.approx(slope, rel=1e-5, abs=1e-5)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_branching_probabilities_are_shares_of_the_intensity(kernel):
    truth = process(kernel)
    events = hawkeys.simulate(truth, end_time=40.0, rng=2)
    strengths = SIZE.strengths(events)
    found = hawkeys.branching_probabilities(truth, events)
    whole = found.immigrant + found.matrix().sum(axis=1)
    np.testing.assert_allclose(whole, 1.0, rtol=1e-9)
    k = events.n_events - 1
    target, shares = events.marks[k], np.zeros(events.n_events)
    for m in range(k):
        lag = events.times[k] - events.times[m]
        density = naive.pair_density(kernel, 2, target, events.marks[m], lag)
        shares[m] = ADJACENCY[target, events.marks[m]] * strengths[m] * density
    rate = truth.baseline[target] + shares.sum()
    np.testing.assert_allclose(found.matrix().toarray()[k], shares / rate, rtol=1e-8, atol=1e-12)


def test_spectral_radius_and_rate_are_those_of_the_mean_productivity():
    truth = process(KERNELS[0])
    mean = 1.0 / (1.0 - np.array([0.8 * 0.5, 1.2 * 0.3]))
    matrix = ADJACENCY * mean
    np.testing.assert_allclose(truth.mean_adjacency, matrix, rtol=1e-9)
    assert truth.spectral_radius == pytest.approx(np.abs(np.linalg.eigvals(matrix)).max())
    rate = np.linalg.solve(np.eye(2) - matrix, [0.4, 0.2])
    np.testing.assert_allclose(truth.stationary_rate, rate)
    counts = hawkeys.simulate(
        truth, end_time=300.0, start_time=0.0, n_realizations=100, rng=0
    ).counts
    error = stats.sem(counts, axis=0)
    # windows start from nothing, which misses less than a child generation's lags
    assert (np.abs(counts.mean(axis=0) - 300.0 * rate) < 4 * error + 3.0).all()
    # and those of values that do not matter are far off
    plain = np.linalg.solve(np.eye(2) - ADJACENCY, [0.4, 0.2])
    assert (counts.mean(axis=0) - 300.0 * plain > 10 * error).any()


def test_children_of_an_event_are_as_many_as_its_value_says():
    size = productivity.Exponential(a=1.5, v0=3.0, law=ExponentialValues(0.1, 3.0))
    truth = hawkeys.Hawkes([0.0], [[0.5]], decay=2.0, productivity=size)
    for value in (3.0, 4.0, 5.0):
        past = hawkeys.Events.from_data([1.0], values=[value], end_time=1.0)
        found = hawkeys.simulate_branching(
            truth, end_time=40.0, history=past, n_realizations=4_000, rng=0, max_events=10**6
        )
        direct = np.bincount(found.events.realization[found.generations == 1], minlength=4_000)
        mean = 0.5 * np.exp(1.5 * (value - 3.0))
        assert direct.mean() == pytest.approx(mean, abs=4 * np.sqrt(mean / 4_000))
    assert found.events.values.min() >= 3.0


def test_simulation_says_what_it_lacks():
    unknown = process(KERNELS[0], SIZE.replaced(law=None))
    assert np.isnan(unknown.spectral_radius)
    assert "nan" in repr(unknown)
    with pytest.raises(InvalidParameterError, match="law of the values is not known, so that"):
        hawkeys.simulate(unknown, end_time=10.0, rng=0)
    with pytest.raises(InvalidParameterError, match="no stationary rate is known"):
        _ = unknown.stationary_rate
    heavy = process(KERNELS[0], SIZE.replaced(a=2.5))
    assert heavy.spectral_radius == np.inf
    with pytest.raises(UnstableProcessError, match="spectral radius is inf"):
        hawkeys.simulate(heavy, end_time=10.0, rng=0)
    plain = hawkeys.Events.from_arrays([1.0], [0], n_marks=2, end_times=2.0)
    with pytest.raises(InvalidEventsError, match="depends on the values of the events"):
        hawkeys.simulate(process(KERNELS[0]), end_time=10.0, history=plain, rng=0)


def test_simulate_until_gives_values():
    found = hawkeys.simulate_until(process(KERNELS[2]), 50, n_realizations=3, rng=0)
    assert found.values.shape == (150,)
    assert found.values.min() >= 3.0


@pytest.mark.parametrize("kernel", [Exponential(1.0), *KERNELS[1:]], ids=repr)
def test_residuals_are_exponential_and_without_values_they_are_not(kernel):
    law = ExponentialValues(mean=0.5, start=3.0)
    size = productivity.Exponential(a=1.6, v0=3.0, law=law)
    truth = hawkeys.Hawkes([0.4], [[0.13]], kernel=kernel, productivity=size)
    events = hawkeys.simulate(truth, end_time=8_000.0, rng=3)
    right = goodness_of_fit(truth, events, refit=False, n_mc_samples=0)
    assert stats.kstest(right.residuals, "expon").pvalue > 0.01
    same = float(truth.mean_adjacency[0, 0])
    wrong = hawkeys.Hawkes([0.4], [[same]], kernel=kernel)
    found = goodness_of_fit(wrong, events, refit=False, n_mc_samples=0)
    assert stats.kstest(found.residuals, "expon").pvalue < 1e-3
    tested = goodness_of_fit(truth, events.between(end=300.0), refit=False, n_mc_samples=19, rng=0)
    assert tested.pvalue > 0.05


def test_a_forecast_knows_the_values_of_the_past():
    law = ExponentialValues(mean=0.3, start=3.0)
    size = productivity.Exponential(a=1.5, v0=3.0, law=law)
    truth = hawkeys.Hawkes([0.1], [[0.4]], decay=1.0, productivity=size)
    counts = []
    for value in (3.0, 5.0):
        past = hawkeys.Events.from_data([10.0], values=[value], end_time=10.0)
        found = hawkeys.forecast(truth, past, horizon=20.0, n_paths=2_000, rng=0)
        counts.append(found.mean[0])
        assert found.paths.values.min() >= 3.0
        # no event within 1: exp(-(0.1 + 0.4 s (1 - exp(-1))))
        mass = 0.1 + 0.4 * np.exp(1.5 * (value - 3.0)) * (1.0 - np.exp(-1.0))
        survival = np.interp(11.0, found.next_event.times, found.next_event.survival)
        assert survival == pytest.approx(np.exp(-mass), abs=2e-3)
    # the children of both have as many descendants, on average
    more = 0.4 * (np.exp(1.5 * 2.0) - 1.0) / (1.0 - truth.spectral_radius)
    assert counts[1] - counts[0] == pytest.approx(more, rel=0.1)
