"""The latency at which the likelihood is largest: against all lags one by one, and recovered."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.optimize import minimize_scalar

import hawkeys
from hawkeys.baselines import PiecewiseConstant
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference import fit_latency
from hawkeys.kernels import Exponential, Gamma, LogNormal, Shifted, SumExponential

SHIFT = 0.7


def sample(kernel, end_time, seed=0, n_realizations=1):
    truth = hawkeys.Hawkes([0.5], [[0.5]], kernel=Shifted(kernel, SHIFT))
    return hawkeys.simulate(truth, end_time=end_time, n_realizations=n_realizations, rng=seed)


@pytest.mark.parametrize("seed", range(7))
def test_no_lag_is_better(seed):
    """The likelihood just before every lag between two events, and without a latency."""
    events = sample(
        Exponential(2.0), (30.0, 150.0)[seed % 2] if seed < 6 else 300.0, seed, n_realizations=2
    )
    found = fit_latency(events, 3.0, decay=2.0)
    best = hawkeys.fit(events, decay=2.0).log_likelihood
    for one in events:
        lags = (one.times[:, None] - one.times)[np.tril_indices(one.n_events, -1)]
        for lag in lags[lags < 3.0]:
            kernel = Shifted(Exponential(2.0), lag - 1e-10)
            best = max(best, hawkeys.fit(events, kernel=kernel).log_likelihood)
    assert found.result.log_likelihood == pytest.approx(best, abs=1e-7)
    assert found.log_likelihood.max() == found.result.log_likelihood


@pytest.mark.parametrize("kernel", [Gamma(3.0, 3.0), LogNormal(0.0, 0.5)])
def test_of_a_smooth_kernel_it_is_the_top_of_the_profile(kernel):
    events = sample(kernel, 500.0)
    found = fit_latency(events, 3.0, kernel=kernel)
    top = minimize_scalar(
        lambda s: -hawkeys.fit(events, kernel=Shifted(kernel, s)).log_likelihood,
        bounds=(found.shift - 0.1, found.shift + 0.1),
        method="bounded",
        options={"xatol": 1e-8},
    )
    assert found.result.log_likelihood >= -top.fun - 1e-5
    assert found.shift == pytest.approx(top.x, abs=2e-3)


def test_it_is_recovered_with_the_decay_and_ever_more_exactly():
    errors = []
    for end_time in (100.0, 2000.0):
        errors.append([])
        for seed in range(12):
            found = fit_latency(sample(Exponential(2.0), end_time, seed), 3.0, decay=2.0)
            errors[-1].append(abs(found.shift - SHIFT))
    few, many = np.median(errors, axis=1)
    assert few < 0.05
    assert many < few / 5.0  # with the number of events, not with its square root: a 20th expected
    events = sample(Exponential(2.0), 2000.0, 3)
    found = fit_latency(events, 3.0, decay="estimate")
    assert found.shift == pytest.approx(SHIFT, abs=0.02)
    assert float(found.result.kernel.kernel.decay) == pytest.approx(2.0, rel=0.2)
    assert found.gain > 20.0
    assert found.n_parameters == found.result.n_parameters + 2
    expected = 2.0 * found.n_parameters - 2.0 * found.result.log_likelihood
    assert found.aic == pytest.approx(expected)
    # the decay is the best of its latency
    for factor in (0.97, 1.03):
        kernel = Exponential(factor * float(found.result.kernel.kernel.decay))
        other = hawkeys.fit(events, kernel=Shifted(kernel, found.shift))
        assert other.log_likelihood < found.result.log_likelihood


def test_unit_and_origin_do_not_matter():
    events = sample(Exponential(2.0), 300.0)
    scaled = hawkeys.Events.from_lists(
        [[60.0 * events.times + 7.0]], start_times=7.0, end_times=18_007.0
    )
    found = fit_latency(events, 3.0, decay=2.0)
    again = fit_latency(scaled, 180.0, decay=2.0 / 60.0)
    assert again.shift == pytest.approx(60.0 * found.shift, rel=1e-9)
    np.testing.assert_allclose(again.result.estimates * [60.0, 1.0], found.result.estimates)


def test_without_a_latency_there_is_little_to_gain():
    """95 % of such samples gain less than 3.0 nats."""
    truth = hawkeys.Hawkes([0.5], [[0.5]], decay=2.0)
    gains = [
        fit_latency(hawkeys.simulate(truth, end_time=300.0, rng=seed), 3.0, decay=2.0).gain
        for seed in range(40)
    ]
    assert min(gains) >= 0.0
    assert sum(gain > 3.0 for gain in gains) <= 6  # binomial, 1 %


def test_options_of_a_fit_and_what_is_shown():
    events = sample(Exponential(2.0), 200.0, n_realizations=2)
    options = {"baseline": PiecewiseConstant([0.0, 100.0, 200.0])}
    found = fit_latency(events, 3.0, decay=2.0, **options)
    kernel = Shifted(Exponential(2.0), found.shift)
    again = hawkeys.fit(events, kernel=kernel, **options)
    np.testing.assert_allclose(found.result.estimates, again.estimates)
    frame = found.to_frame()
    assert frame["shift"].is_monotonic_increasing
    assert frame["shift"].iloc[0] == 0.0
    assert "nats over no latency" in repr(found)
    ax = found.plot(plt.figure().subplots())
    assert ax.lines[0].get_ydata().max() == 0.0
    plt.close("all")
    lists = fit_latency([events[0].times], 3.0, decay=2.0, end_time=200.0)
    assert lists.shift == fit_latency(events[0], 3.0, decay=2.0).shift


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"largest": 0.0, "decay": 2.0}, "largest"),
        ({"largest": 20.0, "decay": 2.0}, "less than the longest window, 20; got 20"),
        ({"largest": 3.0}, "decay is missing"),
        ({"largest": 3.0, "decay": 2.0, "kernel": Gamma(3.0, 3.0)}, "exactly one"),
        ({"largest": 3.0, "decay": "estimate", "kernel": Gamma(3.0, 3.0)}, "without kernel="),
        ({"largest": 3.0, "decay": "guess"}, "must be a number or 'estimate'"),
        ({"largest": 3.0, "kernel": Gamma()}, "left out"),
        ({"largest": 3.0, "kernel": SumExponential([1.0, 3.0])}, "left out"),
        ({"largest": 3.0, "decay": 2.0, "method": "vi"}, "maximises the likelihood"),
        ({"largest": 3.0, "decay": 2.0, "bas": 1}, "bas"),
        ({"largest": 3.0, "decay": 2.0, "weights": [1.0]}, "leave weights out"),
    ],
)
def test_what_is_refused(options, message):
    with pytest.raises(InvalidParameterError, match=message):
        fit_latency(sample(Exponential(2.0), 20.0), **options)
