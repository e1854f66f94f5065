"""Processes with a link: likelihood, compensator, simulation, Newton's method."""

import warnings

import naive_nonlinear as naive
import numpy as np
import pytest
from scipy.integrate import simpson, trapezoid
from scipy.stats import kstest

import hawkeys
from hawkeys.diagnostics.time_rescaling import rescale
from hawkeys.exceptions import (
    ConvergenceWarning,
    IdentifiabilityWarning,
    InvalidEventsError,
    InvalidParameterError,
    UnstableProcessError,
)
from hawkeys.inference.nonlinear.climb import roughness
from hawkeys.process import LogTimeFilters, NonlinearHawkes
from hawkeys.process.nonlinear import filter_shape, nonlinear_terms

FILTERS = LogTimeFilters([0.1, 0.25, 0.5, 1.5])
EDGES = [
    hawkeys.Events.from_lists([[[], []]], end_times=3.0),
    hawkeys.Events.from_lists([[[1.0], []]], end_times=3.0),
    hawkeys.Events.from_lists([[[0.0, 1.0, 1.0, 3.0], [1.0, 3.0]]], end_times=3.0),
    hawkeys.Events.from_lists([[[1.0, 90.0], [1.5]]], end_times=100.0),
    hawkeys.Events.from_lists([[[1.0, 2.0], [1.5]], [[], []], [[0.5], [0.4]]], end_times=4.0),
    hawkeys.Events.from_lists(
        [[[5.1, 5.3, 5.35, 5.4, 6.1], [5.3, 5.9]]], start_times=5.0, end_times=7.5
    ),
]
MODELS = [
    pytest.param(link, memory, orders, id=f"{link}-{memory}-{orders}")
    for link in ("exponential", "softplus")
    for memory, orders in ((1, 1), (3, 3), (3, 1))
]
ONE = NonlinearHawkes([1.0], [[[[-1.0, 0.5, 0.8]]], [[[0.5, 0.2, -0.4]]]], FILTERS, memory=2)


def random_process(rng, link, memory, n_orders, n_marks=2):
    weights = rng.normal(0.0, 1.5, (n_orders, n_marks, n_marks, FILTERS.n_filters))
    return NonlinearHawkes(
        rng.normal(0.0, 0.5, n_marks), weights, FILTERS, memory=memory, link=link
    )


@pytest.mark.parametrize(("link", "memory", "orders"), MODELS)
@pytest.mark.parametrize("events", EDGES)
def test_log_likelihood_equals_quadrature(events, link, memory, orders):
    process = random_process(np.random.default_rng(1), link, memory, orders)
    wanted = sum(naive.row_log_likelihoods(process, events, i) for i in range(2))
    np.testing.assert_allclose(
        process.realization_log_likelihoods(events), wanted, rtol=1e-7, atol=1e-7
    )
    assert process.log_likelihood(events) == pytest.approx(wanted.sum(), rel=1e-7, abs=1e-7)


@pytest.mark.parametrize("n_given", [1, 2, 9])
def test_given_events_act_but_do_not_count(n_given):
    process = random_process(np.random.default_rng(2), "exponential", 3, 3)
    for events in EDGES:
        wanted = sum(naive.row_log_likelihoods(process, events, i, n_given) for i in range(2))
        np.testing.assert_allclose(
            process.realization_log_likelihoods(events, n_given=n_given),
            wanted,
            rtol=1e-7,
            atol=1e-7,
        )


def test_orientation_target_by_source():
    """Mark 0 follows mark 1 and not the other way round; the transpose is another process."""
    weights = np.zeros((1, 2, 2, 3))
    weights[0, 0, 1] = [3.0, 3.0, 0.0]
    process = NonlinearHawkes([-1.0, -1.0], weights, FILTERS, memory=2)
    events = hawkeys.Events.from_lists([[[1.2], [1.0]]], end_times=2.0)
    rates = process.intensity(events, [1.15])
    np.testing.assert_allclose(rates, [[np.exp(2.0), np.exp(-1.0)]])
    turned = NonlinearHawkes([-1.0, -1.0], weights.transpose(0, 2, 1, 3), FILTERS, memory=2)
    assert process.log_likelihood(events) > turned.log_likelihood(events) + 2.0


@pytest.mark.parametrize(("link", "memory", "orders"), MODELS)
def test_gradient_and_curvature_by_differences(link, memory, orders):
    rng = np.random.default_rng(3)
    process = random_process(rng, link, memory, orders)
    events = EDGES[4]
    weights = np.array([1.0, 0.5, 2.0])

    def at(theta, derivatives=False):
        return nonlinear_terms(events, 0, theta, process.shape, weights, derivatives=derivatives)

    theta = process.parameters[0]
    _, gradient, curvature = at(theta, True)
    for k in range(theta.size):
        h = np.zeros_like(theta)
        h[k] = 1e-5
        slope = weights @ (at(theta + h)[0] - at(theta - h)[0]) / 2e-5
        assert gradient[k] == pytest.approx(slope, abs=2e-7)
        rise = (at(theta + h, True)[1] - at(theta - h, True)[1]) / 2e-5
        np.testing.assert_allclose(-curvature[k], rise, atol=2e-6)
    assert np.linalg.eigvalsh(curvature).min() > -1e-10


@pytest.mark.parametrize(("link", "memory", "orders"), MODELS)
def test_compensator_is_the_integral_of_the_intensity(link, memory, orders):
    process = random_process(np.random.default_rng(4), link, memory, orders)
    events = EDGES[5]
    times = np.array([5.0, 5.05, 5.3, 5.47, 6.9, 7.5])
    got = process.compensator(events, times)
    path = events.times, events.marks
    wanted = [[naive.integral(process, *path, i, 5.0, t) for i in range(2)] for t in times]
    np.testing.assert_allclose(got, wanted, rtol=1e-7, atol=1e-9)
    fine = np.linspace(6.2, 7.4, 4001)
    rates = process.intensity(events, fine)
    part = process.compensator(events, [6.2, 7.4])
    np.testing.assert_allclose(simpson(rates, x=fine, axis=0), part[1] - part[0], rtol=1e-6)


def test_intensity_is_that_of_the_definition():
    process = random_process(np.random.default_rng(5), "softplus", 3, 3)
    for events in EDGES[2:]:
        times = np.linspace(events.start_times[0], events.end_times[0], 57)
        here = slice(0, events.offsets[1])
        path = events.times[here], events.marks[here]
        wanted = [
            [naive.link_of("softplus", naive.inside(process, *path, i, t)) for i in range(2)]
            for t in times
        ]
        np.testing.assert_allclose(process.intensity(events, times), wanted, rtol=1e-12)


def test_likelihood_keeps_its_value_in_another_unit_and_origin():
    process, c = random_process(np.random.default_rng(6), "exponential", 3, 3), 1e6
    events = EDGES[4]
    scaled = NonlinearHawkes(
        process.baseline - np.log(c), process.weights, LogTimeFilters(c * FILTERS.knots), memory=3
    )
    moved = hawkeys.Events.from_arrays(
        c * events.times + 1.7e9,
        events.marks,
        offsets=events.offsets,
        start_times=c * events.start_times + 1.7e9,
        end_times=c * events.end_times + 1.7e9,
    )
    wanted = process.log_likelihood(events) - events.n_events * np.log(c)
    assert scaled.log_likelihood(moved) == pytest.approx(wanted, rel=1e-8)


def test_filters_are_the_tents_of_the_definition():
    times = np.array([0.0, 0.05, 0.1, 0.13, 0.25, 0.4, 0.5, 1.0, 1.5, 9.0])
    wanted = [naive.filter_values(FILTERS.knots, t) for t in times]
    np.testing.assert_allclose(FILTERS.values(times), wanted, atol=1e-14)
    np.testing.assert_allclose(
        ONE.kernel_at([0.25, 0.1])[:, :, 0, 0], [[0.5, 0.2], [-1.0, 0.5]], atol=1e-14
    )


def test_quadrature_rule_keeps_its_precision_for_powers():
    """Within a piece a kernel is a power of the age."""
    for widest in (1.2, 2.0, 4.0):
        nodes, weights = LogTimeFilters([1.0, widest]).rule()
        ages = 1.0 + (widest - 1.0) * nodes
        for power in (-7.7, -4.0, -0.5, 1.5, 8.0):
            exact = (widest ** (power + 1.0) - 1.0) / (power + 1.0)
            assert (widest - 1.0) * weights @ ages**power == pytest.approx(exact, rel=2e-8)


def test_simulation_has_the_rate_of_renewal_theory():
    """With one remembered event the intervals are independent with a known hazard."""
    process = NonlinearHawkes([0.2], [[[[-3.0, 0.5, 1.2]]]], FILTERS, memory=1)
    kernel = process.weights[0, 0, 0]

    def hazard(u):
        return np.exp(0.2 + kernel @ naive.filter_values(FILTERS.knots, u))

    grid = np.concatenate([[0.0], np.geomspace(1e-3, 14.0, 4000)])
    rates = np.array([hazard(u) for u in grid])
    gone = np.concatenate([[0.0], np.cumsum(np.diff(grid) * 0.5 * (rates[1:] + rates[:-1]))])
    mean = float(trapezoid(np.exp(-gone), x=grid))
    sample = hawkeys.simulate_nonlinear(process, end_time=30_000.0, rng=0)
    steps = np.diff(sample.times)
    assert steps.mean() == pytest.approx(mean, abs=4 * steps.std() / np.sqrt(steps.size))
    uniform = -np.expm1(-np.interp(steps, grid, gone))
    assert kstest(uniform, "uniform").pvalue > 0.01


@pytest.mark.parametrize("link", ["exponential", "softplus"])
def test_residuals_of_simulations_are_exponential_and_wrong_ones_are_not(link):
    process = random_process(np.random.default_rng(7), link, 3, 3)
    sample = hawkeys.simulate_nonlinear(
        process, end_time=[800.0, 500.0], start_time=[0.0, 30.0], rng=1
    )
    residuals = rescale(process, sample).residuals
    assert kstest(residuals, "expon").pvalue > 0.01
    wrong = NonlinearHawkes(process.baseline, -process.weights, FILTERS, memory=3, link=link)
    assert kstest(rescale(wrong, sample).residuals, "expon").pvalue < 1e-6


def test_simulation_agrees_with_small_steps():
    """Counts and short intervals, against at most one event per step of 2 ms."""
    rng = np.random.default_rng(8)
    slow = [naive.simulate_steps(ONE, rng, 40.0, 0.002) for _ in range(3)]
    fast = hawkeys.simulate_nonlinear(ONE, end_time=4000.0, rng=0)
    n_slow = sum(times.size for times in slow)
    n_wanted = fast.n_events * 120.0 / 4000.0
    assert abs(n_slow - n_wanted) < 4 * np.sqrt(n_wanted)
    short = np.mean(np.diff(fast.times) < 0.15)
    few = np.mean(np.concatenate([np.diff(times) for times in slow]) < 0.15)
    assert abs(short - few) < 4 * np.sqrt(short * (1 - short) / n_slow) + 0.01


def test_simulation_is_reproducible_and_continues_over_buffers(monkeypatch):
    whole = hawkeys.simulate_nonlinear(ONE, end_time=100.0, rng=3)
    monkeypatch.setattr("hawkeys.simulation.nonlinear._BUFFER", 7)
    again = hawkeys.simulate_nonlinear(ONE, end_time=100.0, rng=3)
    np.testing.assert_array_equal(whole.times, again.times)


def test_fit_meets_its_optimum_and_never_falls():
    sample = hawkeys.simulate_nonlinear(ONE, end_time=600.0, rng=2)
    for penalty in (0.0, 2.0):
        result = hawkeys.fit_nonlinear(sample, filters=FILTERS, memory=2, penalty=penalty)
        assert result.converged
        assert result.method == ("mle" if penalty == 0.0 else "penalised mle")
        assert all(np.diff(trace).min() > 0.0 for trace in result.traces)
        matrix = roughness(2, 3, penalty)
        every = np.ones(1)

        def objective(theta, matrix=matrix, every=every):
            terms = nonlinear_terms(sample, 0, theta, ONE.shape, every, derivatives=True)
            return terms[0][0] - 0.5 * theta @ matrix @ theta, terms[1] - matrix @ theta

        theta = result.parameters[0]
        value, gradient = objective(theta)
        assert value == pytest.approx(result.objective, rel=1e-12)
        assert np.abs(gradient).max() < 1e-3
        for rng in (np.random.default_rng(k) for k in range(10)):
            assert objective(theta + 0.01 * rng.normal(size=theta.size))[0] < value
        assert value >= objective(ONE.parameters[0])[0]


def test_penalty_is_the_sum_of_squared_steps():
    theta = np.array([9.0, 1.0, 3.0, -2.0, 0.5, 0.5, 0.0])
    wanted = 0.7 * (4.0 + 25.0 + 4.0 + 0.0 + 0.25 + 0.0)
    assert theta @ roughness(2, 3, 0.7) @ theta == pytest.approx(wanted)


def test_intervals_cover_the_truth():
    """95 % intervals of 7 parameters in 60 samples: 399 expected, sd about 4.5 if independent."""
    inside = 0
    for seed in range(60):
        sample = hawkeys.simulate_nonlinear(ONE, end_time=400.0, rng=seed)
        frame = hawkeys.fit_nonlinear(sample, filters=FILTERS, memory=2, penalty=0.0).to_frame()
        truth = ONE.parameters[0]
        inside += int(((frame["lower"] <= truth) & (truth <= frame["upper"])).sum())
    assert 383 <= inside <= 413


def test_two_marks_and_weights_are_recovered():
    truth = random_process(np.random.default_rng(9), "softplus", 2, 1)
    sample = hawkeys.simulate_nonlinear(truth, end_time=3000.0, n_realizations=2, rng=0)
    result = hawkeys.fit_nonlinear(
        sample, filters=FILTERS, memory=2, by_order=False, link="softplus", penalty=0.0
    )
    score = (result.parameters - truth.parameters) / result.std_err
    assert np.abs(score).max() < 4.0
    assert np.sqrt((score**2).mean()) < 1.5
    twice = hawkeys.fit_nonlinear(
        sample,
        filters=FILTERS,
        memory=2,
        by_order=False,
        link="softplus",
        penalty=0.0,
        weights=[1.0, 0.0],
    )
    part = hawkeys.Events.from_arrays(
        sample.times[: sample.offsets[1]],
        sample.marks[: sample.offsets[1]],
        end_times=[3000.0],
        offsets=sample.offsets[:2],
        mark_names=sample.mark_names,
    )
    alone = hawkeys.fit_nonlinear(
        part, filters=FILTERS, memory=2, by_order=False, link="softplus", penalty=0.0
    )
    np.testing.assert_allclose(twice.parameters, alone.parameters, atol=1e-5)


def test_goodness_of_fit_accepts_the_right_process_and_rejects_a_wrong_one():
    sample = hawkeys.simulate_nonlinear(ONE, end_time=250.0, rng=4)
    fitted = hawkeys.fit_nonlinear(sample, filters=FILTERS, memory=2, penalty=0.0)
    right = hawkeys.goodness_of_fit(fitted, sample, n_mc_samples=49)
    assert right.pvalue > 0.05
    same = hawkeys.goodness_of_fit(fitted.process, sample, n_mc_samples=49)
    assert same.pvalue == right.pvalue
    coarse = LogTimeFilters([0.02, 0.04])
    wrong = hawkeys.goodness_of_fit(
        hawkeys.fit_nonlinear(sample, filters=coarse, memory=1), sample, n_mc_samples=49
    )
    assert wrong.pvalue == pytest.approx(1.0 / 50.0)


def test_weights_without_events_are_said_to_be_open():
    events = hawkeys.Events.from_lists([[[1.0, 2.0, 3.0, 4.2, 5.2]]], end_times=6.0)
    with pytest.warns(
        IdentifiabilityWarning, match="mark '0': the data do not determine 3 weights"
    ):
        result = hawkeys.fit_nonlinear(
            events, filters=LogTimeFilters([0.1, 0.2, 0.4, 0.8]), memory=1, penalty=0.0
        )
    np.testing.assert_array_equal(result.at_bound, [[False, True, True, True]])
    assert np.isnan(result.std_err[0, 1:]).all()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        hawkeys.fit_nonlinear(events, filters=LogTimeFilters([0.1, 0.2, 0.4, 0.8]), memory=1)


def test_few_steps_are_said():
    sample = hawkeys.simulate_nonlinear(ONE, end_time=100.0, rng=2)
    with pytest.warns(ConvergenceWarning, match=r"no convergence in max_iter=1 steps"):
        hawkeys.fit_nonlinear(sample, filters=FILTERS, memory=2, max_iter=1)


@pytest.mark.parametrize(
    ("how", "message"),
    [
        (
            {"filters": [0.1, 0.2]},
            "filters must be hawkeys.process.LogTimeFilters or LagFilters; got list",
        ),
        ({"memory": 0}, "memory must be at least 1; got 0"),
        ({"link": "log"}, "must be one of 'exponential', 'softplus', 'rectified'; got 'log'"),
        ({"ridge": 1.0}, "no option 'ridge'; the options are penalty, weights, n_given"),
        ({"penalty": -1.0}, "penalty must be one number of at least 0"),
        ({"weights": [1.0, 2.0]}, r"weights must have shape \(1,\) \(one per realisation\)"),
        ({"n_given": -1}, "n_given must be at least 0"),
    ],
)
def test_wrong_options_of_the_fit(how, message):
    events = hawkeys.Events.from_lists([[[1.0, 2.0]]], end_times=3.0)
    with pytest.raises(InvalidParameterError, match=message):
        hawkeys.fit_nonlinear(events, **{"filters": FILTERS, **how})


def test_a_silent_mark_is_refused():
    events = hawkeys.Events.from_lists([[[1.0, 2.0], []]], end_times=3.0)
    with pytest.raises(InvalidEventsError, match="mark '1' has no event that counts"):
        hawkeys.fit_nonlinear(events, filters=FILTERS)
    given = hawkeys.Events.from_lists([[[1.0, 2.0]], [[1.5]]], end_times=3.0)
    with pytest.raises(InvalidEventsError, match="mark '0' has no event that counts"):
        hawkeys.fit_nonlinear(given, filters=FILTERS, n_given=2)


@pytest.mark.parametrize(
    ("knots", "message"),
    [
        ([0.1], "two or more times; got shape"),
        ([0.0, 1.0], "knots must be positive"),
        ([0.2, 0.1], r"knots must increase.*knots\[0\] = 0.2 and knots\[1\] = 0.1"),
        ([0.1, 0.5], "at most 4 times the one before"),
    ],
)
def test_wrong_knots(knots, message):
    with pytest.raises(InvalidParameterError, match=message):
        LogTimeFilters(knots)


@pytest.mark.parametrize(
    ("weights", "how", "message"),
    [
        (np.zeros((1, 1, 3)), {}, "weights must have four dimensions"),
        (
            np.zeros((2, 1, 1, 3)),
            {"memory": 3},
            r"weights must have shape \(1 or memory=3, 1, 1, 3",
        ),
        (np.zeros((1, 1, 1, 2)), {}, r"got \(1, 1, 1, 2\)"),
        (np.full((1, 1, 1, 3), np.nan), {}, "every value must be finite"),
        (np.zeros((1, 1, 1, 3)), {"link": "identity"}, "link must be one of"),
    ],
)
def test_wrong_processes(weights, how, message):
    with pytest.raises(InvalidParameterError, match=message):
        NonlinearHawkes([0.0], weights, FILTERS, **how)
    with pytest.raises(InvalidParameterError, match="filters must be"):
        NonlinearHawkes([0.0], np.zeros((1, 1, 1, 3)), [0.1, 0.2])


def test_wrong_simulations():
    with pytest.raises(InvalidParameterError, match=r"expected a hawkeys\.NonlinearHawkes"):
        hawkeys.simulate_nonlinear(hawkeys.Hawkes([1.0], [[0.5]], decay=1.0), end_time=1.0)
    with pytest.raises(UnstableProcessError, match="grows beyond 10 events"):
        hawkeys.simulate_nonlinear(ONE, end_time=1e4, rng=0, max_events=10)


def test_texts_and_records():
    sample = hawkeys.simulate_nonlinear(ONE, end_time=100.0, rng=2)
    result = hawkeys.fit_nonlinear(sample, filters=FILTERS, memory=2)
    assert "Process with a link" in result.summary()
    assert repr(result).startswith("NonlinearResult(n_marks=1, link='exponential'")
    assert repr(ONE) == (
        "NonlinearHawkes(n_marks=1, link='exponential', memory=2, n_orders=2, n_filters=3)"
    )
    record = ONE.to_dict()
    again = NonlinearHawkes(
        record["baseline"],
        record["weights"],
        LogTimeFilters(**record["filters"]),
        memory=record["memory"],
        link=record["link"],
    )
    assert again.log_likelihood(sample) == ONE.log_likelihood(sample)
    frame = result.to_frame()
    assert frame["order"].tolist() == [0, 1, 1, 1, 2, 2, 2]
    np.testing.assert_allclose(frame["knot"][1:4], FILTERS.knots[:-1])


def test_softplus_of_large_and_small_arguments():
    """log(1 + e^x) without overflow, and its logarithm without underflow."""
    events = hawkeys.Events.from_lists([[[1.0]]], end_times=2.0)
    for x, log_rate in (
        (800.0, np.log(800.0)),
        (-60.0, -60.0),
        (-29.0, np.log(np.log1p(np.exp(-29.0)))),
    ):
        process = NonlinearHawkes([x], np.zeros((1, 1, 1, 3)), FILTERS, link="softplus")
        mass = 2.0 * np.logaddexp(0.0, x)
        assert process.log_likelihood(events) == pytest.approx(log_rate - mass, rel=1e-12)
    shape = filter_shape(FILTERS, 1, 1, "softplus")
    _, gradient, _ = nonlinear_terms(
        events, 0, np.array([-60.0, 0.0, 0.0, 0.0]), shape, np.ones(1), derivatives=True
    )
    assert gradient[0] == pytest.approx(1.0)
