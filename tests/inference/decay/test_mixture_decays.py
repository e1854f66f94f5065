"""Decays of a sum of exponentials that are estimated: maximum, errors, limits, what follows."""

import numpy as np
import pytest
from scipy import optimize

import hawkeys
from hawkeys import Hawkes, kernels, productivity
from hawkeys.baselines import LogLinear, Periodic
from hawkeys.exceptions import IdentifiabilityWarning, InvalidParameterError
from hawkeys.inference.decay import climb
from hawkeys.inference.post_estimation.refits import fit_again
from hawkeys.kernels import Exponential, SumExponential

TWO = SumExponential([0.3, 6.0], [0.5, 0.5])


def draw(kernel, end, size=1, seed=1, **how):
    adjacency = np.full((size, size), 0.6 / size)
    return hawkeys.simulate(
        Hawkes(np.full(size, 0.5), adjacency, kernel=kernel), end_time=end, rng=seed, **how
    )


@pytest.fixture(scope="module")
def events():
    return draw(TWO, 1_500.0)


@pytest.fixture(scope="module")
def found(events):
    return hawkeys.fit(events, kernel=SumExponential(n_decays=2))


def test_decays_are_found_and_in_increasing_order(found):
    lower, upper = found.kernel_interval()["decays"]
    assert ((lower < TWO.decays) & (TWO.decays < upper)).all()
    assert found.kernel.decays[0] < found.kernel.decays[1]
    assert found.n_parameters == 5  # baseline, two weights of the adjacency, two decays
    assert found.optimality_gap < 1e-6
    assert f"{found.kernel.decays[1]:.4g}" in found.summary()


@pytest.mark.parametrize(("size", "n_decays", "end"), [(1, 2, 400.0), (2, 3, 700.0)])
@pytest.mark.parametrize("seed", range(2))
def test_no_search_over_given_decays_finds_more(size, n_decays, end, seed):
    sample = draw(TWO, end, size, seed)
    result = hawkeys.fit(sample, kernel=SumExponential(n_decays=n_decays))
    again = hawkeys.fit(sample, kernel=SumExponential(result.kernel.decays))
    assert again.log_likelihood == pytest.approx(result.log_likelihood, abs=1e-6)

    def minus(logs):
        if np.diff(np.sort(logs)).min() < 1e-2 or abs(logs).max() > 7.0:
            return 1e9
        return -hawkeys.fit(sample, kernel=SumExponential(np.exp(logs))).log_likelihood

    rng = np.random.default_rng(seed)
    for _ in range(2):
        best = optimize.minimize(
            minus, np.sort(rng.normal(0.0, 2.0, n_decays)), method="Nelder-Mead",
            options={"xatol": 1e-3, "fatol": 1e-6, "maxfev": 150},
        )  # fmt: skip
        assert -best.fun <= result.log_likelihood + 1e-5


def naive_log_likelihood(times, end, vector):
    rate, weights, decays = vector[0], vector[1:3], np.exp(vector[3:])
    total = -rate * end
    for k, time in enumerate(times):
        lags = (time - times[:k])[:, None]
        total += np.log(rate + (weights * decays * np.exp(-decays * lags)).sum())
    return total - (weights * (1.0 - np.exp(-decays * (end - times)[:, None]))).sum()


def test_standard_errors_are_those_of_the_numerical_hessian():
    sample = draw(TWO, 600.0, seed=4)
    result = hawkeys.fit(sample, kernel=SumExponential(n_decays=2))
    weights = result.adjacency[0, 0] * result.kernel.weights[0, 0]
    point = np.concatenate((result.baseline, weights, np.log(result.kernel.decays)))
    value = naive_log_likelihood(sample.times, 600.0, point)
    assert value == pytest.approx(result.log_likelihood, abs=1e-8)
    step, unit = 2e-4, np.eye(5)
    hessian = np.empty((5, 5))
    for a in range(5):
        for b in range(5):
            corners = [
                one * two * naive_log_likelihood(
                    sample.times, 600.0, point + step * (one * unit[a] + two * unit[b])
                )
                for one in (1, -1)
                for two in (1, -1)
            ]  # fmt: skip
            hessian[a, b] = sum(corners) / (4.0 * step**2)
    covariance = np.linalg.inv(-hessian)
    errors = np.sqrt(np.diagonal(covariance))
    np.testing.assert_allclose(
        result.kernel_std_err["decays"], result.kernel.decays * errors[3:], rtol=5e-3
    )
    assert result.std_err[0, 0] == pytest.approx(errors[0], rel=5e-3)
    both = np.sqrt(covariance[1:3, 1:3].sum())
    assert result.std_err[0, 1] == pytest.approx(both, rel=5e-3)


def test_one_decay_that_is_enough_is_told():
    truth = Hawkes([0.5], [[0.5]], decay=2.0)
    sample = hawkeys.simulate(truth, end_time=1_000.0, rng=1)
    with pytest.warns(IdentifiabilityWarning, match=r"no pair has weight .* one decay is enough"):
        result = hawkeys.fit(sample, kernel=SumExponential(n_decays=2))
    single = hawkeys.fit(sample, decay="estimate")
    assert result.log_likelihood == pytest.approx(single.log_likelihood, abs=1e-5)
    errors = result.kernel_std_err["decays"]
    known = np.isfinite(errors)
    assert known.sum() == 1
    assert float(result.kernel.decays[known][0]) == pytest.approx(float(single.kernel.decay), 1e-2)
    assert np.isfinite(result.std_err).all()


def test_no_excitation_is_told():
    sample = draw(Exponential(2.0), 300.0)
    poisson = [np.sort(np.random.default_rng(0).uniform(0.0, 300.0, sample.n_events))]
    with pytest.warns(IdentifiabilityWarning, match="nats over none"):
        result = hawkeys.fit(poisson, end_time=300.0, kernel=SumExponential(n_decays=2))
    assert not result.identified[0, 1]
    assert np.isnan(result.kernel_std_err["decays"]).all()


def test_the_unit_of_time_does_not_matter(events, found):
    result = hawkeys.fit(
        [60.0 * events.times], end_time=90_000.0, kernel=SumExponential(n_decays=2)
    )
    np.testing.assert_allclose(60.0 * result.kernel.decays, found.kernel.decays, rtol=1e-3)


@pytest.mark.parametrize(
    "baseline",
    [
        Periodic([0.0, 5.0], period=10.0),
        LogLinear(np.linspace(0.0, 1_500.0, 31), np.tile([0.0, 1.0, 2.0], 10)),
    ],
)
def test_beside_a_baseline_that_changes(events, found, baseline):
    result = hawkeys.fit(events, kernel=SumExponential(n_decays=2), baseline=baseline)
    assert result.log_likelihood >= found.log_likelihood - 1e-6
    assert result.log_likelihood < found.log_likelihood + 8.0
    np.testing.assert_allclose(result.kernel.decays, found.kernel.decays, rtol=0.3)


def test_beside_a_productivity():
    size = productivity.Exponential(
        a=1.0, v0=3.0, law=productivity.ExponentialValues(mean=0.4, start=3.0)
    )
    truth = Hawkes([0.5], [[0.35]], kernel=TWO, productivity=size)
    sample = hawkeys.simulate(truth, end_time=800.0, rng=2)
    asked = productivity.Exponential(v0=3.0)
    result = hawkeys.fit(sample, kernel=SumExponential(n_decays=2), productivity=asked)
    again = hawkeys.fit(
        sample, kernel=SumExponential(result.kernel.kernel.decays), productivity=asked
    )
    assert result.log_likelihood == pytest.approx(again.log_likelihood, abs=1e-5)
    assert result.kernel_std_err.keys() == {"decays", "a"}
    assert fit_again(result)(sample).log_likelihood == pytest.approx(
        result.log_likelihood, abs=1e-6
    )


def test_it_is_saved_and_fitted_again(events, found, tmp_path):
    found.save(tmp_path / "fit.json")
    again = hawkeys.load_result(tmp_path / "fit.json")
    assert again.summary() == found.summary()
    assert (again.aic, again.n_parameters) == (found.aic, found.n_parameters)
    for result in (found, again):
        refit = fit_again(result)(events)
        np.testing.assert_allclose(refit.kernel.decays, found.kernel.decays, rtol=1e-6)


def test_likelihood_ratio_of_one_decay_and_two(events, found):
    single = hawkeys.fit(events, decay="estimate")
    test = hawkeys.likelihood_ratio_test(single, found)
    assert test.pvalue < 1e-4
    assert test.n_added == 2
    assert any("further decays mean nothing" in caveat for caveat in test.caveats)


@pytest.mark.parametrize("method", ["map", "vi", "vi_branching", "least_squares"])
def test_other_methods_refuse(events, method):
    with pytest.raises(InvalidParameterError, match="decays of SumExponential are"):
        hawkeys.fit(events, kernel=SumExponential(n_decays=2), method=method)


def test_what_needs_decays_says_that_they_are_not_known(events):
    unknown = SumExponential(n_decays=2)
    assert repr(unknown) == "SumExponential(n_decays=2)"
    assert kernels.kernel_from_dict(unknown.to_dict()).n_decays == 2
    for ask in (
        lambda: hawkeys.fit_each(events, kernel=unknown),
        lambda: Hawkes([0.5], [[0.2]], kernel=unknown),
        lambda: unknown.density(1.0),
        lambda: unknown.components,
    ):
        with pytest.raises(InvalidParameterError, match="decays of SumExponential are not known"):
            ask()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, r"needs decays=\[...\], or n_decays=2"),
        ({"n_decays": 1}, "n_decays must be"),
        ({"n_decays": 9}, "at most 8"),
        ({"n_decays": 2, "weights": [0.5, 0.5]}, "those of decays that are given"),
        ({"decays": [1.0, 2.0], "n_decays": 3}, "got 3 beside 2 decays"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments, message):
    with pytest.raises(InvalidParameterError, match=message):
        SumExponential(**arguments)


@pytest.mark.parametrize(
    "how", ["plain", "support", "weights", "history", "periodic", "log-linear"]
)
def test_columns_of_a_decay_alone_tell_as_much_as_all_columns(how, monkeypatch):
    sample = draw(TWO, 300.0, 2, 3)
    past, later = sample.split(at=50.0)
    options = {
        "plain": {},
        "support": {"support": [[True, False], [True, True]]},
        "weights": {"weights": [0.7]},
        "history": {"history": past},
        "periodic": {"baseline": Periodic([0.0, 7.0], period=20.0)},
        "log-linear": {"baseline": LogLinear([0.0, 100.0, 200.0, 300.0], [0.0, 1.0, 0.5])},
    }[how]
    sample = later if how == "history" else sample
    alone = hawkeys.fit(sample, kernel=SumExponential(n_decays=2), **options)
    monkeypatch.setattr(climb.Search, "_parts_alone", False)
    whole = hawkeys.fit(sample, kernel=SumExponential(n_decays=2), **options)
    np.testing.assert_allclose(alone.kernel.decays, whole.kernel.decays, rtol=1e-6)
    np.testing.assert_allclose(
        alone.kernel_std_err["decays"], whole.kernel_std_err["decays"], rtol=1e-5
    )
    np.testing.assert_allclose(alone.std_err, whole.std_err, rtol=1e-5)


@pytest.mark.parametrize("size", [10, 12])
def test_many_weights_do_not_hide_a_slow_decay(size):
    """A few thousand events of so many pairs have maxima that all events have not."""
    rng = np.random.default_rng(3)
    adjacency = np.where(rng.random((size, size)) < 0.4, rng.uniform(0.05, 0.3, (size, size)), 0)
    adjacency *= 0.6 / np.abs(np.linalg.eigvals(adjacency)).max()
    decays = [0.3, 3.0, 40.0]
    kernel = SumExponential(decays, rng.dirichlet([2.0, 2.0, 2.0], (size, size)))
    truth = Hawkes(rng.uniform(0.5, 2.0, size), adjacency, kernel=kernel)
    sample = hawkeys.simulate(truth, end_time=42_000 / truth.stationary_rate.sum(), rng=3)
    found = hawkeys.fit(sample, kernel=SumExponential(n_decays=3))
    given = hawkeys.fit(sample, kernel=SumExponential(decays))
    assert found.log_likelihood > given.log_likelihood
