"""Estimated kernels against a general optimiser and differences of the public log-likelihood."""

import naive_uncertainty_of_kernels as naive
import numpy as np
import pytest
from scipy import optimize, special

import hawkeys
from hawkeys import Events
from hawkeys.exceptions import IdentifiabilityWarning
from hawkeys.inference.kernel.roughness import roughness
from hawkeys.kernels import Gamma, Histogram, LogNormal

SHARP = {
    "gamma 20": Gamma(20.0, 40.0),
    "gamma 150": Gamma(150.0, 300.0),
    "gamma 300": Gamma(300.0, 600.0),
    "gamma 0.6": Gamma(0.6, 1.2),
    "log-normal 0.05": LogNormal(-0.7, 0.05),
    "log-normal 1.5": LogNormal(-0.7, 1.5),
}


def short_windows(kernel, seed=0, n=300, end=10.0):
    process = hawkeys.Hawkes([0.5], [[0.6]], kernel=kernel)
    return hawkeys.simulate(process, end_time=end, n_realizations=n, rng=seed)


def unknown(kernel):
    return type(kernel)()


def free(result):
    """Logs of rates and of kernel parameters (a location as it is)."""
    own = [float(getattr(result.kernel, name)) for name in result.kernel.parameter_names]
    if isinstance(result.kernel, Gamma):  # mean and shape: rate and shape go together
        own = [np.log(own[0] / own[1]), np.log(own[0])]
    else:
        own = [own[0], np.log(own[1])]
    return np.append(np.log(result.estimates.ravel()), own)


def public(events, kind, point):
    """The log-likelihood that users evaluate."""
    own = np.exp(point[-1])
    kernel = Gamma(own, own / np.exp(point[-2])) if kind is Gamma else LogNormal(point[-2], own)
    x = np.exp(point[:-2]).reshape(1, 2)
    return hawkeys.Hawkes(x[:, 0], x[:, 1:], kernel=kernel).log_likelihood(events)


@pytest.mark.parametrize("name", SHARP)
def test_a_simplex_search_gains_no_more_than_stated(name):
    """300 windows of 10: at shape 300 the likelihood's tails cost 29 nats once."""
    events = short_windows(SHARP[name], seed=1)
    kind = type(SHARP[name])
    result = hawkeys.fit(events, kernel=kind(), tolerance=1e-6)
    assert result.converged
    assert "by gradient and curvature" in result.message
    # to rounding, summed in another order
    assert result.log_likelihood == pytest.approx(result.process.log_likelihood(events), rel=1e-14)
    start = free(result)
    found = optimize.minimize(
        lambda point: -public(events, kind, point), start, method="Nelder-Mead",
        options={"xatol": 1e-7, "fatol": 1e-10, "maxfev": 1500,
                 "initial_simplex": start + 0.02 * np.vstack((np.zeros(4), np.eye(4)))},
    )  # fmt: skip
    gain = -found.fun - result.log_likelihood
    assert gain <= 1.01 * result.optimality_gap + 1e-9


@pytest.mark.parametrize("name", SHARP)
def test_standard_errors_are_those_of_the_public_likelihood(name):
    events = short_windows(SHARP[name], n=200)
    result = hawkeys.fit(events, kernel=unknown(SHARP[name]), tolerance=1e-9)
    rows, own = naive.standard_errors(events, result, np.zeros((1, 1), dtype=int), step=1e-3)
    np.testing.assert_allclose(result.std_err, rows, rtol=5e-3)
    for value, expected in zip(result.kernel_std_err.values(), own, strict=True):
        assert value == pytest.approx(expected[0, 0], rel=5e-3)


@pytest.mark.parametrize("kind", [LogNormal, Gamma])
def test_by_groups_too(kind):
    """Two marks, two groups, one pair excluded, weights: L-BFGS-B gains nothing from there."""
    truth = LogNormal([[-1.5, 0.2], [0.2, 0.2]], [[0.1, 0.6], [0.6, 0.6]])
    process = hawkeys.Hawkes([0.3, 0.2], [[0.3, 0.4], [0.4, 0.0]], kernel=truth)
    events = hawkeys.simulate(process, end_time=40.0, n_realizations=20, rng=3)
    weights, groups = np.linspace(0.5, 1.5, 20), np.array([[0, 1], [1, 1]])
    support = np.array([[True, True], [True, False]])
    result = hawkeys.fit(
        events, kernel=kind(), groups=groups, support=support, weights=weights, tolerance=1e-7
    )
    names = result.kernel.parameter_names
    own = [np.asarray(getattr(result.kernel, name)) for name in names]
    own = np.array([[value[0, 0], value[0, 1]] for value in own])
    logged = [name != "location" for name in names]
    rates = np.column_stack((result.baseline, result.adjacency))
    used = np.column_stack((np.ones(2, dtype=bool), support)) & (rates > 0)
    one = [events[r] for r in range(20)]

    def loss(point):
        x = np.zeros((2, 3))
        x[used] = np.exp(point[: used.sum()])
        pairs = point[used.sum() :].reshape(2, 2)
        values = [np.exp(v) if log else v for v, log in zip(pairs, logged, strict=True)]
        kernel = kind(*(v[groups] for v in values))
        there = hawkeys.Hawkes(x[:, 0], x[:, 1:], kernel=kernel)
        return -sum(w * there.log_likelihood(e) for w, e in zip(weights, one, strict=True))

    start = np.concatenate(
        (np.log(rates[used]),
         *(np.log(v) if log else v for v, log in zip(own, logged, strict=True)))
    )  # fmt: skip
    assert -loss(start) == pytest.approx(result.objective, rel=1e-12)
    found = optimize.minimize(loss, start + 1e-3, method="L-BFGS-B",
                              options={"ftol": 1e-14, "maxiter": 60})  # fmt: skip
    # differences of a function of 1e3 leave the search 1e-6 nats of noise
    assert -found.fun - result.objective < result.optimality_gap + 1e-6
    assert result.converged


@pytest.mark.parametrize("kind", [LogNormal, Gamma])
@pytest.mark.parametrize("shape", [50.0, 300.0, 2000.0])
def test_a_narrow_kernel_is_found_between_other_lags(kind, shape):
    """The broad start misses it by hundreds of nats."""
    truth = Gamma(shape, 2.0 * shape)
    for seed in range(2):
        events = short_windows(truth, seed=seed, n=100)
        start = truth if kind is Gamma else LogNormal(np.log(0.5), shape**-0.5)
        near = hawkeys.fit(events, kernel=kind(), start=start)
        assert hawkeys.fit(events, kernel=kind()).log_likelihood > near.log_likelihood - 1e-3


def uniform(seed, n, end=100.0, power=1.0):
    return end * np.sort(np.random.default_rng(seed).uniform(0.0, 1.0, n) ** power)


LIMITS = {
    # (times, end of window, part of the message, whether the excitation is left out)
    "no excitation": (uniform(5, 100), 100.0, "gains less than 4.74 nats over none", True),
    "trend": ([1, 4, 6, 7.5, 8.5, 9.2, 9.8], 10.0, "beyond what the windows show", True),
    "steep trend": (uniform(0, 300, power=0.15), 100.0, "beyond what the windows show", True),
    "slow trend": (uniform(0, 200, power=0.5), 100.0, "cannot be told from ones beyond", False),
    "one lag": (np.arange(1.0, 60.0), 60.0, "its spread falls to min_spread = 0.01", False),
    "one lag of four": (
        [2.0, 2.5, 11.0, 11.5, 21.0, 21.5, 31.0, 31.5], 40.0,
        "its spread falls to min_spread = 0.01", False,
    ),
    "two events": ([2.0, 2.5], 10.0, "gains less than 4.74 nats over none", True),
}  # fmt: skip


@pytest.mark.parametrize("kind", [LogNormal, Gamma])
@pytest.mark.parametrize("case", LIMITS)
@pytest.mark.parametrize("unit", [1.0, 1e-9, 1e9])
def test_a_kernel_at_a_limit_is_no_estimate(kind, case, unit):
    times, end, text, left_out = LIMITS[case]
    with pytest.warns(IdentifiabilityWarning, match=text) as told:
        result = hawkeys.fit([np.array(times) * unit], end_time=end * unit, kernel=kind())
    assert len(told) == 1
    assert text in result.message
    assert result.converged
    assert result.identified.tolist() == [[True, False]]
    assert np.isnan(result.std_err[0, 1])
    assert np.isnan(list(result.kernel_std_err.values())).all()
    assert np.isfinite(result.estimates).all()
    assert result.process.spectral_radius < 10
    assert result.n_kernel_parameters == 0
    if left_out:
        rate = len(times) / (end * unit)
        assert result.estimates[0].tolist() == pytest.approx([rate, 0.0])
        assert result.log_likelihood == pytest.approx(len(times) * (np.log(rate) - 1.0))


@pytest.mark.parametrize("kind", [LogNormal, Gamma])
@pytest.mark.parametrize("case", ["no excitation", "one lag", "two events"])
def test_variational_inference_says_so_too(kind, case):
    times, end, text, left_out = LIMITS[case]
    prior = hawkeys.GammaPrior()
    with pytest.warns(IdentifiabilityWarning, match=text) as told:
        result = hawkeys.fit(
            [times], end_time=end, kernel=kind(), method="vi_branching", prior=prior
        )
    assert len(told) == 1
    assert text in result.message
    assert result.identified.tolist() == [[True, False]]
    for bound in result.interval():
        assert np.isnan(bound[0, 1])
        assert np.isfinite(bound[0, 0])
    assert np.isfinite(result.estimates).all()
    assert (result.adjacency[0, 0] == 0) == left_out


def degenerate():
    """Lists of events, the end of their window, and options."""
    rng = np.random.default_rng(0)
    yield from (([rng.uniform(0, 10, n)], 10.0, {}) for n in range(9))
    yield [np.full(8, 3.0)], 10.0, {}
    yield [np.repeat([1.0, 2.0, 3.0, 7.0], 5)], 10.0, {}
    # they climb a ridge that has no top: 50 steps show what the usual 2000 do
    yield [[9.999999, 10.0]], 10.0, {"max_iter": 50}
    yield [100 - np.exp(np.linspace(np.log(90), -3, 80))], 100.0, {}
    yield [np.append(50 + rng.uniform(0, 0.01, 40), [3.0, 80.0])], 100.0, {}
    yield [np.concatenate([c + rng.uniform(0, 0.05, 6) for c in range(5, 95, 10)])], 100.0, {}
    yield [rng.uniform(0, 10, 4), [9.5]], 10.0, {}
    yield [uniform(5, 100, power=0.5), uniform(6, 50)], 100.0, {}


@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.EventsWarning")
@pytest.mark.parametrize("kind", ["log-normal", "gamma", "histogram"])
@pytest.mark.parametrize("groups", ["shared", "edge"])
@pytest.mark.parametrize("method", ["mle", "vi_branching"])
@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.IdentifiabilityWarning")
def test_nothing_on_degenerate_data_is_not_finite(kind, groups, method):
    for lists, end, options in degenerate():
        kernels = {"log-normal": LogNormal(), "gamma": Gamma(),
                   "histogram": Histogram(np.linspace(0.0, end / 2, 9))}  # fmt: skip
        lists = [np.sort(times) for times in lists]
        result = hawkeys.fit(
            lists, end_time=end, kernel=kernels[kind], groups=groups, method=method, **options
        )
        assert result.converged
        assert np.isfinite(result.estimates).all()
        assert np.isfinite(result.log_likelihood)
        assert result.log_likelihood == pytest.approx(
            result.process.log_likelihood(Events.from_lists([lists], end_times=end)), rel=1e-12
        )
        assert (np.diff(result.trace) >= 0).all()
        assert result.process.spectral_radius < 10
        free_entries = result.identified[:, 1:] & (result.adjacency > 0)
        assert not np.isnan(result.interval()[0][:, 1:][free_entries]).any()
        assert np.isnan(result.interval()[0][:, 1:][~result.identified[:, 1:]]).all()


@pytest.mark.parametrize("smoothing", [0.0, 1.0])
@pytest.mark.parametrize("seed", range(3))
def test_a_histogram_with_empty_bins_too(smoothing, seed):
    """L-BFGS-B over rates and masses together gains no more than is stated."""
    process = hawkeys.Hawkes([0.3, 0.2], [[0.2, 0.5], [0.4, 0.0]], kernel=LogNormal(-0.2, 0.5))
    events = hawkeys.simulate(process, end_time=60.0, n_realizations=4, rng=seed)
    edges = np.append(np.linspace(0.0, 4.0, 13), 30.0)
    result = hawkeys.fit(events, kernel=Histogram(edges), smoothing=smoothing)
    used = result.estimates > 0

    def loss(point):
        x = np.zeros((2, 3))
        x[used] = np.exp(point[: used.sum()])
        masses = special.softmax(point[used.sum() :])
        own = hawkeys.Hawkes(x[:, 0], x[:, 1:], kernel=Histogram(edges, masses))
        return 0.5 * smoothing * roughness(masses[None], edges)[0] - own.log_likelihood(events)

    masses = np.maximum(result.kernel.masses, 1e-12)
    start = np.log(np.concatenate((result.estimates[used], masses)))
    assert -loss(start) == pytest.approx(result.objective, rel=1e-12)
    found = optimize.minimize(loss, start, method="L-BFGS-B", options={"maxiter": 200})
    assert -found.fun - result.objective <= result.optimality_gap
    assert result.optimality_gap <= 1e-4
    assert "nats to gain nearby, by gradient and curvature" in result.message
