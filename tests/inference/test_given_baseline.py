"""Fits that hold a baseline whose rates are given."""

import warnings

import numpy as np
import pytest
from scipy import stats
from scipy.optimize import minimize

import hawkeys
from hawkeys.baselines import Baseline, Constant, Periodic, PiecewiseConstant
from hawkeys.exceptions import ConvergenceWarning, IdentifiabilityWarning, InvalidParameterError
from hawkeys.inference import (
    GammaPrior,
    Lasso,
    bootstrap,
    edge_tests,
    penalty_path,
    profile_interval,
    sandwich_covariance,
)
from hawkeys.kernels import Exponential, Gamma, LogNormal, PowerLaw, SumExponential

RATES = [[1.0, 0.3], [0.2, 0.5]]
STEPS = PiecewiseConstant([0.0, 30.0, 80.0], RATES)


class Wave(Baseline):
    """1 + sin(t) / 2, times a rate for each mark."""

    n_pieces = 1
    labels = ("wave",)
    shares = np.array([1.0])

    def basis(self, times):
        return 1.0 + 0.5 * np.sin(times)[:, None]

    def integrals(self, starts, ends):
        return (ends - starts + 0.5 * (np.cos(starts) - np.cos(ends)))[:, None]


BASELINES = {
    "constant": Constant([[0.6], [0.4]]),
    "steps": STEPS,
    "periodic": Periodic([0.0, 4.0], 10.0, RATES),
    "own": Wave([[0.5], [0.5]]),
}
KERNELS = {
    "exponential": Exponential(2.0),
    "log-normal": LogNormal(-1.0, 0.8),
    "power law": PowerLaw(0.3, 2.0),
    "two decays": SumExponential([1.0, 5.0], [0.4, 0.6]),
}
ALL = np.ones((2, 2), dtype=bool)
ADJACENCY = [[0.3, 0.1], [0.0, 0.5]]


def sample(baseline=STEPS, seed=1, n=3, end=80.0, adjacency=ADJACENCY):
    truth = hawkeys.Hawkes(baseline, adjacency, decay=2.0)
    return hawkeys.simulate(truth, end_time=end, n_realizations=n, rng=seed)


def best(events, baseline, kernel, free=ALL, penalty=lambda w: 0.0):
    """Return the adjacency and the maximum by a search on the public log-likelihood."""

    def loss(x):
        adjacency = np.zeros((2, 2))
        adjacency[free] = x
        process = hawkeys.Hawkes(baseline, adjacency, kernel=kernel)
        return penalty(x) - process.log_likelihood(events)

    found = minimize(
        loss,
        np.full(free.sum(), 0.2),
        method="L-BFGS-B",
        bounds=[(0.0, None)] * free.sum(),
        options={"ftol": 1e-15, "gtol": 1e-8},
    )
    adjacency = np.zeros((2, 2))
    adjacency[free] = found.x
    return adjacency, -found.fun


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("name", BASELINES)
def test_the_maximum_is_that_of_a_search(name, kernel):
    baseline, kernel = BASELINES[name], KERNELS[kernel]
    events = sample()
    result = hawkeys.fit(events, kernel=kernel, baseline=baseline)
    adjacency, value = best(events, baseline, kernel)
    assert result.converged
    assert result.log_likelihood >= value - 1e-7
    assert result.log_likelihood <= value + 1e-4
    np.testing.assert_allclose(result.adjacency, adjacency, atol=2e-4)
    assert result.objective == pytest.approx(result.log_likelihood, abs=1e-9)
    assert result.process.log_likelihood(events) == pytest.approx(result.log_likelihood, abs=1e-9)
    given = result.process.baseline_function
    assert given.to_dict() == baseline.to_dict()
    assert (result.estimates[:, : baseline.n_pieces] == baseline.rates).all()


@pytest.mark.parametrize("seed", range(20))
def test_the_gap_is_an_upper_bound(seed):
    """Stopped early, the distance to the maximum is at most what the certificate says."""
    rng = np.random.default_rng(seed)
    rates = rng.uniform(0.05, 2.0, (2, 2))
    baseline = STEPS.with_rates(rates)
    events = sample(seed=seed, n=2)
    full = hawkeys.fit(events, decay=2.0, baseline=baseline, tolerance=1e-9)
    for steps in (1, 2, 3):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", ConvergenceWarning)
            early = hawkeys.fit(events, decay=2.0, baseline=baseline, max_iter=steps)
        missing = full.objective - early.objective
        assert missing <= early.optimality_gap + full.optimality_gap + 1e-9


@pytest.mark.parametrize("end", [80.0, 8_000.0])
def test_held_at_its_estimate_nothing_changes(end):
    """The maximum over all is that over the adjacency with the baseline there, at either size."""
    rates = [[0.6], [0.4]]
    truth = hawkeys.Hawkes(Constant(rates), ADJACENCY, decay=2.0)
    events = hawkeys.simulate(truth, end_time=end, n_realizations=2, rng=3)
    assert (events.n_events * 3 > 20_000) == (end > 1_000.0)
    free = hawkeys.fit(events, decay=2.0, tolerance=1e-9)
    held = hawkeys.fit(events, decay=2.0, baseline=Constant(free.baseline[:, None]), tolerance=1e-9)
    assert held.log_likelihood == pytest.approx(free.log_likelihood, abs=1e-7)
    np.testing.assert_allclose(held.adjacency, free.adjacency, atol=1e-5)
    smaller = held.std_err[:, 1:] / free.std_err[:, 1:]
    assert (smaller[~np.isnan(smaller)] < 1.0).all()
    assert held.n_parameters == free.n_parameters - 2


def test_weights_support_and_ties_are_kept():
    events = sample(n=4)
    weights = np.array([1.0, 0.0, 2.0, 1.0])
    result = hawkeys.fit(events, decay=2.0, baseline=STEPS, weights=weights)
    twice = events[[0, 2, 2, 3]]
    again = hawkeys.fit(twice, decay=2.0, baseline=STEPS)
    np.testing.assert_allclose(result.adjacency, again.adjacency, atol=1e-6)
    support = np.array([[True, False], [True, True]])
    result = hawkeys.fit(events, decay=2.0, baseline=STEPS, support=support)
    adjacency, value = best(events, STEPS, Exponential(2.0), support)
    np.testing.assert_allclose(result.adjacency, adjacency, atol=2e-4)
    assert result.log_likelihood == pytest.approx(value, abs=1e-5)
    assert result.held.tolist() == [[True, True, False, True], [True, True, False, False]]
    tied = {"adjacency": [[0, 1], [1, 0]], "baseline": [-1, -1]}
    result = hawkeys.fit(events, decay=2.0, baseline=STEPS, tied=tied)
    search = minimize(
        lambda x: (
            -hawkeys.Hawkes(
                STEPS, [[x[0], x[1]], [x[1], x[0]]], kernel=Exponential(2.0)
            ).log_likelihood(events)
        ),
        [0.2, 0.2],
        bounds=[(0.0, None)] * 2,
        options={"ftol": 1e-15},
    )
    np.testing.assert_allclose(result.adjacency[0], search.x, atol=2e-4)
    assert result.n_parameters == 2


def test_without_excitation_nothing_is_left_to_estimate():
    events = sample()
    nothing = hawkeys.fit(events, decay=2.0, baseline=STEPS, support=np.zeros((2, 2), bool))
    times, marks = events.times, events.marks
    logs = np.log(STEPS.at(times)[np.arange(times.size), marks]).sum()
    spent = 3 * (np.array(RATES) @ [30.0, 50.0]).sum()
    assert nothing.log_likelihood == pytest.approx(logs - spent, rel=1e-12)
    assert nothing.n_parameters == 0
    assert nothing.optimality_gap == pytest.approx(0.0, abs=1e-9)


def test_a_mark_without_events_costs_what_its_baseline_expects():
    events = hawkeys.Events.from_lists([[[1.0, 2.0], []]], end_times=10.0)
    baseline = Constant([[0.2], [0.1]])
    with pytest.warns(IdentifiabilityWarning, match=r"2 parameters .*: adjacency\[0, 1\], adj"):
        result = hawkeys.fit(events, decay=1.0, baseline=baseline)
    assert result.process.baseline.tolist() == [0.2, 0.1]
    assert result.log_likelihood == pytest.approx(result.process.log_likelihood(events), rel=1e-12)
    assert result.adjacency[1].tolist() == [0.0, 0.0]


@pytest.mark.parametrize("name", BASELINES)
def test_standard_errors_are_those_of_the_curvature(name):
    events, baseline = sample(end=80.0, n=6, seed=4), BASELINES[name]
    result = hawkeys.fit(events, decay=2.0, baseline=baseline)

    def value(x):
        return hawkeys.Hawkes(baseline, x.reshape(2, 2), decay=2.0).log_likelihood(events)

    x, step = result.adjacency.ravel(), 1e-3
    free = np.flatnonzero(x > 0)
    unit = np.eye(4) * step
    curve = np.array([
        [
            value(x + unit[i] + unit[j]) - value(x + unit[i] - unit[j])
            - value(x - unit[i] + unit[j]) + value(x - unit[i] - unit[j])
            for j in free
        ]
        for i in free
    ]) / (4.0 * step**2)  # fmt: skip
    errors = np.sqrt(np.diagonal(np.linalg.inv(-curve)))
    np.testing.assert_allclose(result.std_err[:, -2:].ravel()[free], errors, rtol=1e-3)
    assert np.isnan(result.std_err[:, :-2]).all()


def test_profiles_and_tests_of_edges_are_those_of_a_search():
    events = sample(seed=2)
    result = hawkeys.fit(events, decay=2.0, baseline=STEPS)
    ends = profile_interval(result, events)
    assert np.isnan(ends.lower[:, :2]).all()
    kernel, cutoff = Exponential(2.0), 0.5 * stats.chi2.ppf(0.95, 1)

    def profile(i, j, value):
        free = np.ones((2, 2), bool)
        free[i, j] = False

        def loss(x):
            adjacency = np.zeros((2, 2))
            adjacency[free], adjacency[i, j] = x, value
            return -hawkeys.Hawkes(STEPS, adjacency, kernel=kernel).log_likelihood(events)

        start = result.adjacency[free] + 0.01
        return -minimize(loss, start, bounds=[(0.0, None)] * 3, options={"ftol": 1e-14}).fun

    for i, j in ((0, 0), (0, 1), (1, 1)):
        at = profile(i, j, ends.upper[i, j + 2])
        assert result.log_likelihood - at == pytest.approx(cutoff, abs=1e-4)
    tests = edge_tests(result, events)
    fall = result.log_likelihood - profile(0, 1, 0.0)
    assert tests.statistic[0, 1] == pytest.approx(2.0 * fall, abs=1e-4)
    spread = sandwich_covariance(result, events).std_err
    assert np.isnan(spread[:, :2]).all()
    assert (spread[:, 2:][result.adjacency > 0] > 0).all()


def test_an_estimated_decay_is_that_of_a_search():
    events = sample(seed=5, n=6)
    result = hawkeys.fit(events, decay="estimate", baseline=STEPS)

    def loss(log_decay):
        return -hawkeys.fit(events, decay=float(np.exp(log_decay)), baseline=STEPS).log_likelihood

    grid = np.linspace(0.0, 1.5, 61)
    values = np.array([loss(one) for one in grid])
    assert result.log_likelihood >= -values.min() - 1e-8
    assert np.log(result.kernel.decay) == pytest.approx(grid[values.argmin()], abs=0.026)
    given = hawkeys.fit(events, decay=float(result.kernel.decay), baseline=STEPS)
    assert (result.std_err[:, 2:] >= given.std_err[:, 2:] - 1e-12)[given.adjacency > 0].all()
    assert result.n_parameters == given.n_parameters + 1


@pytest.mark.parametrize("name", ["constant", "steps"])
def test_standard_errors_beside_a_decay_are_those_of_the_joint_curvature(name):
    events, baseline = sample(seed=5, n=6, adjacency=[[0.3, 0.2], [0.1, 0.5]]), BASELINES[name]
    result = hawkeys.fit(events, decay="estimate", baseline=baseline)
    found = np.append(result.adjacency.ravel(), np.log(result.kernel.decay))

    def value(x):
        return hawkeys.Hawkes(
            baseline, x[:4].reshape(2, 2), decay=float(np.exp(x[4]))
        ).log_likelihood(events)

    step = 1e-3 * np.eye(5)
    curve = np.array([
        [
            value(found + a + b) - value(found + a - b)
            - value(found - a + b) + value(found - a - b)
            for b in step
        ]
        for a in step
    ]) / 4e-6  # fmt: skip
    errors = np.sqrt(np.diagonal(np.linalg.inv(-curve)))[:4]
    np.testing.assert_allclose(result.std_err[:, -2:].ravel(), errors, rtol=2e-3)


def test_posterior_modes_are_those_of_a_search():
    events = sample(seed=6)
    prior = GammaPrior(shape=1.5, rate=0.5)
    result = hawkeys.fit(events, decay=2.0, baseline=STEPS, method="map", prior=prior)
    exponents, rates = prior.exponents(1)[-1], prior.rates(1)[-1]
    adjacency, _ = best(
        events,
        STEPS,
        Exponential(2.0),
        penalty=lambda x: (rates * x - exponents * np.log(np.maximum(x, 1e-300))).sum(),
    )
    np.testing.assert_allclose(result.adjacency, adjacency, atol=2e-4)
    assert result.log_likelihood == pytest.approx(result.process.log_likelihood(events), rel=1e-12)


def test_a_history_excites_beside_it():
    events = sample(n=1)
    past, future = events.split(30.0)
    result = hawkeys.fit(future, decay=2.0, baseline=STEPS, history=past)
    process = hawkeys.Hawkes(STEPS, result.adjacency, decay=2.0)
    assert result.log_likelihood == pytest.approx(
        process.log_likelihood(future, history=past), abs=1e-9
    )
    for shift in (0.98, 1.02):
        other = hawkeys.Hawkes(STEPS, shift * result.adjacency, decay=2.0)
        assert other.log_likelihood(future, history=past) < result.log_likelihood


def test_each_realisation_alone():
    events = sample()
    for method in ("mle", "map"):
        each = hawkeys.fit_each(events, decay=2.0, baseline=STEPS, method=method)
        for r in range(3):
            one = hawkeys.fit(events[r], decay=2.0, baseline=STEPS, method=method)
            np.testing.assert_allclose(each.adjacency[r], one.adjacency, atol=1e-9)
            assert each.log_likelihood[r] == pytest.approx(one.log_likelihood, abs=1e-9)
        assert not each.identified[:, :, :2].any()
        assert each.process(0).baseline_function.rates.tolist() == RATES


def test_intervals_cover_and_are_shorter_than_with_the_baseline_estimated():
    covered, width = [], []
    truth = hawkeys.Hawkes(Constant([[0.5]]), [[0.4]], decay=2.0)
    for seed in range(300):
        events = hawkeys.simulate(truth, end_time=200.0, rng=seed)
        held = hawkeys.fit(events, decay=2.0, baseline=Constant([[0.5]]))
        free = hawkeys.fit(events, decay=2.0)
        low, high = held.conf_int(0.95)
        covered.append(low[0, 1] <= 0.4 <= high[0, 1])
        width.append(held.std_err[0, 1] / free.std_err[0, 1])
    assert 0.92 < np.mean(covered) < 0.98  # 3 standard errors of 300 around .95
    assert np.median(width) < 0.9


def test_a_result_is_saved_summarised_fitted_again_and_compared(tmp_path):
    events = sample()
    result = hawkeys.fit(events, decay=2.0, baseline=STEPS)
    result.save(tmp_path / "fit.json")
    loaded = hawkeys.load_result(tmp_path / "fit.json")
    assert loaded.summary() == result.summary()
    assert "The baseline was given: held (-)." in result.summary()
    assert "not identified" not in result.summary()
    assert loaded.held.tolist() == [[True, True, False, False]] * 2
    frame = loaded.to_frame()
    assert frame.estimate[:4].tolist() == [1.0, 0.3, 0.2, 0.5]
    assert frame.std_err[:4].isna().all()
    constant = hawkeys.fit(events, decay=2.0, baseline=Constant([[0.6], [0.4]]))
    constant.save(tmp_path / "constant.json")
    assert hawkeys.load_result(tmp_path / "constant.json").summary() == constant.summary()
    again = bootstrap(loaded, events, n_replicates=5, rng=0)
    assert np.isfinite(again.std_err[:, 2:]).all()
    gof = hawkeys.goodness_of_fit(loaded, events, n_mc_samples=19, rng=0)
    assert gof.pvalue > 0.05
    free = hawkeys.fit(events, decay=2.0, baseline=STEPS.with_rates(None))
    test = hawkeys.likelihood_ratio_test(result, free)
    assert (test.n_added, test.n_bounded) == (4, 0)
    assert test.pvalue > 0.01  # the rates given are the true ones
    low = Constant([[0.1], [0.1]])
    plain = hawkeys.fit(events, decay=2.0, support=np.eye(2, dtype=bool), baseline=low)
    with pytest.raises(InvalidParameterError, match=r"baseline of 'large', Piecewise.* is given"):
        hawkeys.likelihood_ratio_test(plain, result)
    assert hawkeys.compare(result, free).to_frame().n_parameters.tolist() == [4, 8]


@pytest.mark.parametrize("method", ["vi", "vi_stochastic", "vi_branching"])
def test_methods_that_estimate_all_refuse_it(method):
    with pytest.raises(InvalidParameterError, match=f"hold; '{method}' estimates them"):
        hawkeys.fit(sample(), decay=2.0, baseline=STEPS, method=method)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"baseline": Constant([[1.0]])}, r"a row of rates for each of the 2 marks .* got 1 rows"),
        (
            {"method": "least_squares"},
            r"least squares has one constant .* by 'mle' or 'map', which",
        ),
        (
            {"kernel": Gamma(), "decay": None},
            r"by 'mle' or 'map', .* with a kernel whose parameters are given, such as Gamma\(shape",
        ),
        (
            {"method": "least_squares", "baseline": STEPS.with_rates(None)},
            "Use hawkeys.fit by 'mle', 'map' or 'vi', with a kernel",
        ),
        ({"method": "map", "prior": Lasso(1.0)}, r"'map' with a GammaPrior; got the penalty Lasso"),
        ({"kernel": LogNormal(), "decay": None}, "one constant baseline per mark and free param"),
        ({"tied": {"baseline": [0, 0], "adjacency": [[-1, -1], [-1, -1]]}}, "tied baselines have"),
    ],
)
def test_what_cannot_hold_it_says_so(options, message):
    given = {"decay": 2.0, "baseline": STEPS} | options
    with pytest.raises(InvalidParameterError, match=message):
        hawkeys.fit(sample(), **given)


def test_a_path_of_penalties_and_pooling_refuse_it():
    with pytest.raises(InvalidParameterError, match="hold; 'penalty_path' estimates them"):
        penalty_path(sample(), decay=2.0, baseline=STEPS)
    with pytest.raises(InvalidParameterError, match="pooling has a common prior for one constant"):
        hawkeys.fit_each(
            sample(), decay=2.0, baseline=Constant([[1.0], [1.0]]), method="map", pooling="row"
        )


def test_events_that_a_baseline_of_0_forbids_are_told():
    baseline = PiecewiseConstant([0.0, 5.0, 10.0], [[0.0, 1.0]])
    events = hawkeys.Events.from_lists([[[2.0, 2.5, 6.0]]], end_times=10.0)
    with pytest.raises(InvalidParameterError, match=r"1 events cannot be, those of mark '0'"):
        hawkeys.fit(events, decay=1.0, baseline=baseline)
    later = hawkeys.Events.from_lists([[[6.0, 7.0]]], end_times=10.0)
    result = hawkeys.fit(later, decay=1.0, baseline=baseline)
    assert result.process.baseline_function.rates.tolist() == [[0.0, 1.0]]
    mixed = hawkeys.Events.from_lists([[[6.0, 7.0], [3.0, 8.0]]], end_times=10.0)
    both = PiecewiseConstant([0.0, 5.0, 10.0], [[0.0, 1.0], [0.5, 0.5]])
    adjacency, value = best(mixed, both, Exponential(1.0))
    found = hawkeys.fit(mixed, decay=1.0, baseline=both)
    assert found.log_likelihood == pytest.approx(value, abs=1e-5)
    np.testing.assert_allclose(found.adjacency, adjacency, atol=1e-3)


def test_the_unit_of_time_does_not_matter():
    events = sample()
    result = hawkeys.fit(events, decay=2.0, baseline=STEPS)
    lists = [[60.0 * one.times[one.marks == i] for i in range(2)] for one in events]
    slow = hawkeys.Events.from_lists(lists, end_times=60.0 * events.end_times)
    baseline = PiecewiseConstant(60.0 * STEPS.knots, STEPS.rates / 60.0)
    again = hawkeys.fit(slow, decay=2.0 / 60.0, baseline=baseline)
    np.testing.assert_allclose(again.adjacency, result.adjacency, rtol=1e-6, atol=1e-9)
    np.testing.assert_allclose(again.std_err[:, 2:], result.std_err[:, 2:], rtol=1e-6)
