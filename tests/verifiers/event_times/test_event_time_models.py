"""Laws of intervals: densities against brute force, and what they refuse."""

import itertools

import naive_event_times as naive
import naive_nonlinear
import numpy as np
import pytest
from scipy.integrate import quad
from sklearn.exceptions import NotFittedError

import hawkeys
from hawkeys.exceptions import ConvergenceWarning, InvalidParameterError, InvalidTimingsError
from hawkeys.verifiers.event_times import (
    STATISTICS,
    ExponentialHawkes,
    LogLinearHawkes,
    LogNormalRenewal,
    MarkovRenewal,
    MixtureRenewal,
    interval_statistics,
)
from hawkeys.verifiers.event_times.hawkes import slices_as_events
from hawkeys.verifiers.event_times.single_samples import single_sample_fits


@pytest.fixture(scope="module")
def samples():
    """Log intervals that follow an autoregression, with a second short component."""
    rng = np.random.default_rng(0)
    log = np.empty((60, 20))
    log[:, 0] = rng.normal(-1.8, 0.5, 60)
    for k in range(1, 20):
        log[:, k] = -1.8 + 0.6 * (log[:, k - 1] + 1.8) + rng.normal(0.0, 0.4, 60)
    short = rng.random(log.shape) < 0.1
    log[short] = rng.normal(-3.5, 0.1, short.sum())
    return np.exp(log)


def test_lognormal_renewal_is_its_closed_form(samples):
    model = LogNormalRenewal().fit(samples)
    log = np.log(samples)
    assert model.location_ == pytest.approx(log.mean())
    assert model.variance_ == pytest.approx(log.var() + 1e-4)
    wanted = [
        sum(np.log(naive.normal(np.log(v), model.location_, model.variance_) / v) for v in row)
        for row in samples[:5]
    ]
    np.testing.assert_allclose(model.log_likelihood(samples[:5]), wanted)


def test_mixture_renewal_is_its_mixture(samples):
    model = MixtureRenewal(3).fit(samples)
    wanted = [sum(np.log(naive.mixture_density(model.mixture_, v)) for v in row)
              for row in samples[:5]]  # fmt: skip
    np.testing.assert_allclose(model.log_likelihood(samples[:5]), wanted)


def test_markov_renewal_is_the_regression_of_its_parts(samples):
    model = MarkovRenewal(3).fit(samples)
    one = model.log_likelihood(samples[:5])
    first = model.log_likelihood(samples[:5, :1])
    wanted = [
        sum(
            np.log(naive.conditional_density(model.mixture_, row[k], row[k - 1]))
            for k in range(1, len(row))
        )
        for row in samples[:5]
    ]
    np.testing.assert_allclose(one - first, wanted, rtol=1e-9)


@pytest.mark.parametrize("model", [LogNormalRenewal(), MixtureRenewal(3), MarkovRenewal(3),
                                   LogLinearHawkes(memory=2), ExponentialHawkes()])  # fmt: skip
def test_densities_integrate_to_one(samples, model):
    """That of the second interval, given the first."""
    model.fit(samples)
    first = model.log_likelihood([[0.2]])[0]

    def density(log):
        return np.exp(model.log_likelihood([[0.2, np.exp(log)]])[0] - first + log)

    cuts = np.linspace(-13.0, 6.0, 20)
    total = sum(quad(density, a, b, limit=100)[0] for a, b in itertools.pairwise(cuts))
    assert total == pytest.approx(1.0, abs=1e-4)


def test_log_linear_hawkes_is_the_process_of_its_fit(samples):
    model = LogLinearHawkes(memory=2, n_filters=9).fit(samples)
    process = model.result_.process
    few = slices_as_events(samples[:2])
    wanted = naive_nonlinear.row_log_likelihoods(process, few, 0, n_given=1)
    np.testing.assert_allclose(model.log_likelihood(samples[:2]), wanted, rtol=1e-6)
    flat = hawkeys.NonlinearHawkes(
        [np.log(1.0 / samples.mean())], np.zeros((2, 1, 1, 9)), process.filters, memory=2
    )
    events = slices_as_events(samples)
    poor = flat.realization_log_likelihoods(events, n_given=1).sum()
    assert model.log_likelihood(samples).sum() > poor + 100.0


def test_exponential_hawkes_is_the_classical_process(samples):
    """Its terms, given the first event: those of the process without the first event's own."""
    model = ExponentialHawkes().fit(samples)
    process = model.process_
    for row in samples[:5]:
        events = slices_as_events(row[None])
        wanted = process.log_likelihood(events) - np.log(process.baseline[0])
        assert model.log_likelihood(row[None])[0] == pytest.approx(wanted, rel=1e-9)


def test_exponential_hawkes_recovers_its_parameters():
    truth = hawkeys.Hawkes([1.0], [[0.5]], decay=4.0)
    times = hawkeys.simulate(truth, end_time=20_000.0, rng=0).times
    size = (times.size - 1) // 500 * 500
    fitted = ExponentialHawkes().fit(np.diff(times)[:size].reshape(-1, 500)).process_
    # each sample forgets what came before it, a small share of 500 intervals
    assert fitted.baseline[0] == pytest.approx(1.0, abs=0.05)
    assert fitted.adjacency[0, 0] == pytest.approx(0.5, abs=0.03)
    assert float(fitted.kernel.to_dict()["decay"]) == pytest.approx(4.0, abs=0.4)


def test_single_sample_fits_are_maxima_of_the_likelihood(samples):
    """No step in either direction gains; a weight that runs to 0 is all but there."""
    fits = single_sample_fits(samples[:6])
    for row, (log_mu, weight, *_) in zip(samples[:6], fits, strict=True):
        events = slices_as_events(row[None])

        def value(mu, w, events=events):
            process = hawkeys.Hawkes([mu], [[w]], decay=4.0)
            return process.log_likelihood(events) - np.log(mu)

        mu, best = np.exp(log_mu), value(np.exp(log_mu), weight)
        for step in (0.9, 1.1):
            assert value(mu * step, weight) < best + 1e-3
            assert value(mu, weight * step) < best + 1e-3


def test_statistics_one_by_one(samples):
    rows = np.vstack([samples[:6, :9], np.full((1, 9), 0.2)])
    got = interval_statistics(rows)
    assert got.shape == (7, len(STATISTICS)) == (7, 23)
    np.testing.assert_allclose(got, [naive.statistics(row) for row in rows], atol=1e-12)


def test_samples_of_any_length_are_scored(samples):
    model = MarkovRenewal(3).fit(samples)
    assert model.log_likelihood(samples[:, :7]).shape == (60,)


MODELS = [LogNormalRenewal(), MixtureRenewal(2), MarkovRenewal(2), ExponentialHawkes()]


@pytest.mark.parametrize("model", MODELS)
def test_bad_intervals_are_refused(model):
    good = np.full((4, 6), 0.1) + 0.01 * np.arange(6)
    with pytest.raises(NotFittedError):
        type(model)().log_likelihood(good)
    for value, message in (
        (
            0.0,
            r"samples: interval 2 of sample 1 is 0 s; intervals must be positive.*snap_intervals",
        ),
        (-0.1, r"samples: interval 2 of sample 1 is -0.1 s; events must be in the order of time"),
    ):
        bad = good.copy()
        bad[1, 2] = value
        with pytest.raises(InvalidTimingsError, match=message):
            model.fit(bad)
    bad[1, 2] = np.nan
    with pytest.raises(InvalidParameterError, match="every value must be finite"):
        model.fit(bad)
    with pytest.raises(InvalidTimingsError, match=r"must have shape \(n_samples, n_intervals\)"):
        model.fit(good[0])


def test_too_few_intervals_are_refused():
    with pytest.raises(InvalidTimingsError, match="4 intervals for n_components=8"):
        MixtureRenewal().fit(np.full((2, 2), 0.1))
    with pytest.raises(InvalidTimingsError, match="have one interval each"):
        MarkovRenewal().fit(np.full((2, 1), 0.1))
    with pytest.raises(InvalidTimingsError, match="have 4 intervals; five or more"):
        interval_statistics(np.full((2, 4), 0.1))
    with pytest.raises(InvalidParameterError, match="n_components must be at least 1"):
        MixtureRenewal(0).fit(np.full((2, 5), 0.1))
    with pytest.raises(InvalidParameterError, match="min_variance must be one positive"):
        LogNormalRenewal(0.0).fit(np.full((2, 5), 0.1))


def test_a_mixture_that_does_not_converge_is_said(samples, monkeypatch):
    from sklearn.mixture import GaussianMixture

    class Hasty(GaussianMixture):
        def __init__(self, n_components, **how):
            super().__init__(n_components, **{**how, "max_iter": 1, "tol": 1e-12})

    monkeypatch.setattr("hawkeys.verifiers.event_times.renewal.GaussianMixture", Hasty)
    with pytest.warns(ConvergenceWarning, match="mixture of 5 components did not converge in 1"):
        MixtureRenewal(5).fit(samples)
