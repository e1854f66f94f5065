"""c and p of a power law are estimated: the maximum, its errors, its limits."""

import warnings

import numpy as np
import pytest
from scipy import optimize, stats

import hawkeys
from hawkeys import Events, Hawkes
from hawkeys.exceptions import IdentifiabilityWarning, InvalidParameterError
from hawkeys.inference.post_estimation.refits import fit_again
from hawkeys.kernels import Exponential, PowerLaw, SumExponential
from hawkeys.kernels.exponential_sums import power_as_exponentials

TRUTH = np.array([0.5, 0.5, 0.2, 2.0])  # baseline, adjacency, c, p


def simulate(end=600.0, seed=1, kernel=None):
    process = Hawkes([TRUTH[0]], [[TRUTH[1]]], kernel=kernel or PowerLaw(*TRUTH[2:]))
    return hawkeys.simulate(process, end_time=end, rng=seed)


@pytest.fixture(scope="module")
def events():
    return simulate()


@pytest.fixture(scope="module")
def result(events):
    return hawkeys.fit(events, kernel=PowerLaw())


@pytest.fixture(scope="module")
def likelihood(events):
    """All pairs of events, in the joint parameters; nothing shared with the package."""
    times, end = events.times, events.end_times[0]
    later, earlier = np.tril_indices(times.size, -1)
    lags = times[later] - times[earlier]

    def evaluate(theta):
        baseline, adjacency, c, p = theta
        density = np.exp(np.log(p - 1) + (p - 1) * np.log(c) - p * np.log(lags + c))
        rates = baseline + adjacency * np.bincount(later, density, times.size)
        mass = 1.0 - ((end - times) / c + 1.0) ** (1.0 - p)
        return np.log(rates).sum() - baseline * end - adjacency * mass.sum()

    return evaluate


def values(result):
    return np.append(result.estimates[0], result.kernel.law())


def errors(result):
    return np.append(result.std_err[0], [result.kernel_std_err[name] for name in ("c", "p")])


def test_another_optimiser_finds_no_more(likelihood, result):
    def theta(logs):
        return np.append(np.exp(logs[:3]), 1.0 + np.exp(logs[3]))

    found = optimize.minimize(
        lambda logs: -likelihood(theta(logs)),
        np.log(values(result) - [0, 0, 0, 1]) + np.array([0.3, -0.3, 0.5, -0.4]),
        method="Nelder-Mead",
        options={"maxiter": 1500, "fatol": 1e-7, "xatol": 1e-4},
    )
    assert result.log_likelihood == pytest.approx(-found.fun, abs=1e-5)
    assert likelihood(values(result)) == pytest.approx(result.log_likelihood, abs=1e-6)
    np.testing.assert_allclose(values(result), theta(found.x), rtol=2e-3)
    assert result.converged
    assert result.optimality_gap < 1e-6
    assert result.n_kernel_parameters == 2
    assert result.aic == pytest.approx(2 * 4 - 2 * result.log_likelihood)


def test_standard_errors_invert_the_joint_information(events, likelihood, result):
    at, steps = values(result), 1e-3 * values(result)
    steps[3] = 1e-3 * (at[3] - 1)
    information = np.empty((4, 4))
    for i in range(4):
        for j in range(4):
            moves = [np.eye(4)[k] * steps[k] for k in (i, j)]
            information[i, j] = -sum(
                a * b * likelihood(at + a * moves[0] + b * moves[1])
                for a in (1, -1) for b in (1, -1)
            ) / (4 * steps[i] * steps[j])  # fmt: skip
    expected = np.sqrt(np.diag(np.linalg.inv(information)))
    np.testing.assert_allclose(errors(result), expected, rtol=5e-3)
    held = hawkeys.fit(events, kernel=PowerLaw(*result.kernel.law()))
    assert (held.std_err < 0.99 * result.std_err).all()


def test_truth_is_recovered_and_another_is_not():
    fits = [hawkeys.fit(simulate(1_500.0, seed), kernel=PowerLaw()) for seed in range(10, 14)]
    off = np.array([(values(fit) - TRUTH) / errors(fit) for fit in fits])
    assert (np.abs(off) < 4).all()
    assert (np.abs(off.mean(axis=0)) < 4 / np.sqrt(len(fits))).all()
    other = np.array([(values(fit)[3] - 4.0) / errors(fit)[3] for fit in fits])
    assert abs(other.mean()) > 4 / np.sqrt(len(fits))
    lower, upper = fits[0].kernel_interval()["p"]
    assert lower < fits[0].kernel.law()[1] < upper


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_unit_of_time_does_not_matter(events, result, scale):
    other = Events.from_arrays(
        events.times * scale, events.marks, end_times=events.end_times * scale
    )
    same = hawkeys.fit(other, kernel=PowerLaw())
    units = np.array([1 / scale, 1.0, scale, 1.0])
    np.testing.assert_allclose(values(same), values(result) * units, rtol=1e-4)
    np.testing.assert_allclose(errors(same), errors(result) * units, rtol=1e-3)


def test_several_marks_support_and_weights():
    truth = Hawkes([0.4, 0.2], [[0.3, 0.1], [0.4, 0.0]], kernel=PowerLaw(0.2, 1.6))
    sample = hawkeys.simulate(truth, end_time=800.0, n_realizations=3, rng=0)
    support = [[True, True], [True, False]]
    doubled = sample[[0, 1, 1]]
    found = hawkeys.fit(doubled, kernel=PowerLaw(), support=support)
    weighted = hawkeys.fit(sample, kernel=PowerLaw(), support=support, weights=[1.0, 2.0, 0.0])
    np.testing.assert_allclose(weighted.estimates, found.estimates, atol=1e-5)
    np.testing.assert_allclose(weighted.std_err, found.std_err, rtol=1e-3)
    np.testing.assert_allclose(weighted.kernel.law(), found.kernel.law(), rtol=1e-4)
    assert found.adjacency[1, 1] == 0.0


def test_saved_and_fitted_again(events, result, tmp_path):
    result.save(tmp_path / "fit.json")
    loaded = hawkeys.load_result(tmp_path / "fit.json")
    assert loaded.kernel.law() == result.kernel.law()
    assert loaded.kernel_std_err == result.kernel_std_err
    np.testing.assert_array_equal(loaded.information, result.information)
    checked = hawkeys.goodness_of_fit(loaded, events, n_mc_samples=0)
    assert stats.kstest(checked.residuals, "expon").pvalue > 0.01
    again = fit_again(loaded)(events)
    np.testing.assert_allclose(again.kernel.law(), result.kernel.law(), rtol=1e-4)


class TestLimits:
    def test_an_exponential_is_no_power_law(self):
        sample = simulate(2_000.0, 3, Exponential(3.0))
        with pytest.warns(IdentifiabilityWarning, match="p rises to 51: the kernel is an expon"):
            found = hawkeys.fit(sample, kernel=PowerLaw())
        c, p = found.kernel.law()
        assert p == pytest.approx(51.0, rel=1e-3)
        own = hawkeys.fit(sample, decay="estimate")
        assert p / c == pytest.approx(float(own.kernel.decay), rel=0.05)
        np.testing.assert_allclose(found.adjacency, own.adjacency, rtol=0.02)
        assert np.isnan(found.kernel_std_err["p"])
        assert np.isfinite(found.kernel_std_err["c"])
        assert found.identified.all()

    def test_without_excitation(self):
        times = np.sort(np.random.default_rng(0).uniform(0, 400.0, 400))
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", IdentifiabilityWarning)
            found = hawkeys.fit([times], kernel=PowerLaw(), end_time=400.0)
        assert "nats over none, less than 4.74, as by chance" in str(caught[0].message)
        assert not found.identified[0, 1]
        assert found.identified[0, 0]
        assert np.isnan(found.kernel_std_err["c"])

    def test_mass_beyond_the_windows(self):
        # (1 + u / 0.01)^-0.8 up to the longest lag, which no density falls as slowly as for ever
        found = power_as_exponentials(0.8, 2_000.0 / 0.01, 1e-6)
        masses = found.heights / found.rates
        spread = SumExponential(found.rates / 0.01, masses / masses.sum())
        process = Hawkes([0.2], [[0.8]], kernel=spread)
        sample = hawkeys.simulate(process, end_time=2_000.0, rng=1)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", IdentifiabilityWarning)
            found = hawkeys.fit(sample, kernel=PowerLaw())
        assert "p falls to 1.002: nearly all its mass" in str(caught[0].message)
        assert not found.identified[0, 1]
        assert np.isnan(found.kernel_std_err["p"])


@pytest.mark.parametrize("method", ["map", "vi", "vi_branching"])
def test_other_methods_are_refused(events, method):
    with pytest.raises(InvalidParameterError, match="c and p of PowerLaw are left out, and only"):
        hawkeys.fit(events, kernel=PowerLaw(), method=method)


def test_other_uses_of_an_unknown_law_are_refused(events):
    for use in (
        lambda: hawkeys.fit_each(events, kernel=PowerLaw()),
        lambda: Hawkes([0.5], [[0.2]], kernel=PowerLaw()),
        lambda: PowerLaw().density([1.0]),
    ):
        with pytest.raises(InvalidParameterError, match="c and p of PowerLaw are not known; give"):
            use()


def test_baselines_that_change_and_histories(events, result):
    clock = hawkeys.baselines.Periodic([0.0, 12.0], 24.0)
    found = hawkeys.fit(events, kernel=PowerLaw(), baseline=clock)
    assert found.log_likelihood > result.log_likelihood
    assert found.n_parameters == 5
    held = hawkeys.fit(events, kernel=found.kernel, baseline=clock)
    np.testing.assert_allclose(held.estimates, found.estimates, rtol=1e-4)
    assert (held.std_err[0] < found.std_err[0]).all()
    first, second = events.split(share=0.5)
    given = hawkeys.fit(second, kernel=PowerLaw(), history=first)
    direct = given.process.log_likelihood(second, history=first)
    assert given.log_likelihood == pytest.approx(direct, abs=1e-6)
    for p in (-0.05, 0.05):
        near = PowerLaw(given.kernel.law()[0], given.kernel.law()[1] + p)
        other = hawkeys.fit(second, kernel=near, history=first)
        assert other.log_likelihood < given.log_likelihood
