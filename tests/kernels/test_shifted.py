"""A kernel that begins after a latency: every kernel, and everything that goes through one."""

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import gamma

import hawkeys
from hawkeys.baselines import Periodic
from hawkeys.diagnostics.time_rescaling import rescale
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference import edge_tests, profile_interval, sandwich_covariance
from hawkeys.kernels import (
    BlockLayout,
    Exponential,
    Gamma,
    Histogram,
    LogNormal,
    PowerLaw,
    Productive,
    Shifted,
    SumExponential,
    kernel_from_dict,
)
from hawkeys.productivity import Power

ADJACENCY = np.array([[0.3, 0.1], [0.2, 0.4]])
SHIFT = 0.8
KERNELS = {
    "exponential": Exponential(0.9),
    "by source": Exponential([0.5, 2.0]),
    "by pair": Exponential([[0.5, 1.0], [2.0, 0.3]]),
    "sum": SumExponential([0.5, 3.0], [0.4, 0.6]),
    "log-normal": LogNormal(0.0, 0.5),
    "gamma": Gamma(2.0, 1.5),
    "histogram": Histogram([0.0, 0.5, 2.0], [0.6, 0.4]),
    "power law": PowerLaw(1.0, 1.5),
}
EVENTS = hawkeys.simulate(
    hawkeys.Hawkes([0.5, 0.4], ADJACENCY, kernel=Shifted(Exponential(0.9), SHIFT)),
    end_time=[40.0, 0.5, 30.0],
    rng=4,
)


def heights(kernel, lags, target, source):
    """The density of one pair at lags, as an array."""
    every = np.asarray(kernel.density(np.maximum(lags, 0.0)))
    if every.ndim == 1:
        return every
    return every[:, {1: 0, 2: source, 4: 2 * target + source}[every.shape[1]]]


def by_quadrature(kernel, target, source, upper):
    if upper <= 0.0:
        return 0.0
    points = [edge for edge in (0.5, 2.0) if edge < upper]
    one = lambda u: float(heights(kernel, np.array([u]), target, source)[0])  # noqa: E731
    return quad(one, 0.0, upper, points=points or None, limit=200)[0]


@pytest.mark.parametrize("name", KERNELS)
def test_sums_and_integrals_by_brute_force(name):
    inner = KERNELS[name]
    kernel = Shifted(inner, SHIFT)
    for separate in (False, True):
        layout = BlockLayout.build(EVENTS, separate=separate)
        flat = kernel.excitation(EVENTS, layout)
        slots = layout.slots
        for b, (begin, end) in enumerate(zip(layout.offsets[:-1], layout.offsets[1:], strict=True)):
            block = flat[2 * begin : 2 * end].reshape(2, -1)
            own = [k for k in range(EVENTS.n_events) if begin <= slots[k] < end]
            for k in own:
                r, i = int(EVENTS.realization[k]), b % 2
                assert EVENTS.marks[k] == i
                first = EVENTS.offsets[r]
                lags = EVENTS.times[k] - EVENTS.times[first:k]
                for j in range(2):
                    late = lags[(EVENTS.marks[first:k] == j) & (lags > SHIFT)] - SHIFT
                    expected = heights(inner, late, i, j).sum() if late.size else 0.0
                    assert block[j, slots[k] - begin] == pytest.approx(expected, abs=1e-9)
    integrals = kernel.integrals(EVENTS)
    assert (integrals[1] == 0.0).all()  # a window shorter than the latency
    for r in range(3):
        one = EVENTS[r]
        for i, j in np.ndindex(2, 2):
            left = one.end_times[0] - one.times[one.marks == j] - SHIFT
            expected = sum(by_quadrature(inner, i, j, float(x)) for x in left)
            assert integrals[r, i, j] == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("name", KERNELS)
def test_compensator_is_the_integral_of_the_intensity(name):
    kernel = Shifted(KERNELS[name], SHIFT)
    baseline = Periodic([0.0, 4.0], 10.0, [[0.5, 0.2], [0.1, 0.4]])
    process = hawkeys.Hawkes(baseline, ADJACENCY, kernel=kernel)
    grid = np.linspace(0.0, 40.0, 400_001)
    middle = 0.5 * (grid[:-1] + grid[1:])
    intensity = process.intensity(EVENTS, middle)
    whole = process.compensator(EVENTS, np.array([40.0]))[0]
    # rectangles; the kernels jump, by at most the height, at each event
    np.testing.assert_allclose(intensity.sum(axis=0) * 1e-4, whole, atol=2e-3)
    own = rescale(process, EVENTS[0])
    logs = np.log(process.intensity(EVENTS, EVENTS[0].times))
    total = logs[np.arange(EVENTS[0].n_events), EVENTS[0].marks].sum() - own.totals.sum()
    assert process.log_likelihood(EVENTS[0]) == pytest.approx(total, abs=1e-8)
    each = process.compensator(EVENTS, EVENTS[0].times)
    np.testing.assert_allclose(
        own.times, each[np.arange(EVENTS[0].n_events), EVENTS[0].marks], atol=1e-9
    )


def test_the_parameters_are_recovered_and_a_wrong_latency_is_worse():
    truth = hawkeys.Hawkes([0.5, 0.4], ADJACENCY, kernel=Shifted(Exponential(0.9), SHIFT))
    held, better = np.zeros((2, 3)), 0
    for seed in range(60):
        events = hawkeys.simulate(truth, end_time=800.0, rng=seed)
        found = hawkeys.fit(events, kernel=Shifted(Exponential(0.9), SHIFT))
        assert found.converged
        target = np.column_stack((truth.baseline, truth.adjacency))
        held += np.abs(found.estimates - target) < 1.96 * found.std_err
        wrong = [
            hawkeys.fit(events, kernel=kernel).log_likelihood
            for kernel in (
                Exponential(0.9),
                Shifted(Exponential(0.9), 0.4),
                Shifted(Exponential(0.9), 1.6),
            )
        ]
        better += found.log_likelihood > max(wrong)
    assert (held >= 51).all()  # 95 % of 60; binomial, 1 %
    assert better >= 57


def test_samples_have_the_rate_and_the_residuals_of_the_process():
    process = hawkeys.Hawkes([0.5, 0.4], ADJACENCY, kernel=Shifted(Gamma(2.0, 1.5), SHIFT))
    events = hawkeys.simulate(process, end_time=20_000.0, rng=3)
    rate = events.counts[0] / 20_000.0
    np.testing.assert_allclose(rate, process.stationary_rate, rtol=0.04)
    test = hawkeys.goodness_of_fit(process, events, refit=False, n_mc_samples=0)
    assert test.observed is not None
    residuals = rescale(process, events).residuals
    assert abs(residuals.mean() - 1.0) < 0.03
    # the same windows simulated as a continuation: children due of the past come after the latency
    past = hawkeys.Events.from_lists([[[9.9], []]], end_times=10.0)
    lone = hawkeys.Hawkes([1e-9, 1e-9], [[0.9, 0.0], [0.0, 0.0]], kernel=process.kernel)
    drawn = hawkeys.simulate(lone, end_time=60.0, history=past, n_realizations=2000, rng=1)
    firsts = drawn.times[drawn.offsets[:-1][np.diff(drawn.offsets) > 0]]
    assert firsts.min() > 9.9 + SHIFT
    # none up to a lag u with probability exp(-0.9 G(u)), given that none came in the first 0.1
    none = lambda u: np.exp(-0.9 * gamma.cdf(u, 2.0, scale=1.0 / 1.5))  # noqa: E731
    mean = quad(lambda u: (none(u) - np.exp(-0.9)) / (1.0 - np.exp(-0.9)), 0.0, 40.0)[0]
    error = firsts.std() / np.sqrt(firsts.size)
    assert abs((firsts - 9.9).mean() - (SHIFT + mean)) < 4.0 * error


def test_unit_and_origin_do_not_matter():
    kernel = Shifted(LogNormal(0.0, 0.5), SHIFT)
    found = hawkeys.fit(EVENTS, kernel=kernel)
    scaled = hawkeys.Events.from_arrays(
        60.0 * EVENTS.times + 7.0,
        EVENTS.marks,
        offsets=EVENTS.offsets,
        start_times=7.0,
        end_times=60.0 * EVENTS.end_times + 7.0,
    )
    again = hawkeys.fit(scaled, kernel=Shifted(LogNormal(np.log(60.0), 0.5), 60.0 * SHIFT))
    np.testing.assert_allclose(again.estimates * [60.0, 1.0, 1.0], found.estimates, rtol=1e-6)


def on_a_grid(unit):
    """Events at multiples of a tick, some of them at a lag that is the latency."""
    ticks = np.cumsum(np.random.default_rng(0).integers(1, 4, 300))
    marks = np.random.default_rng(1).integers(0, 2, 300)
    return (
        ticks,
        marks,
        hawkeys.Events.from_arrays(
            ticks * unit, marks, start_times=-3.0 * unit, end_times=1000 * unit, n_marks=2
        ),
    )


@pytest.mark.parametrize("unit", [1.0, 0.1, 1.0 / 30_000.0, 86.4])
@pytest.mark.parametrize("ticks_later", [1, 2, 7])
def test_a_lag_that_is_the_latency_does_not_count_whatever_the_unit(unit, ticks_later):
    ticks, marks, events = on_a_grid(unit)
    kernel = Shifted(Exponential(0.5 / unit), ticks_later * unit)
    process = hawkeys.Hawkes([0.2 / unit, 0.1 / unit], ADJACENCY, kernel=kernel)
    late = ticks[:, None] - ticks - ticks_later
    height = np.where(late > 0, 0.5 * np.exp(-0.5 * np.maximum(late, 0)), 0.0)
    assert (late == 0).any()
    shares = ADJACENCY[marks[:, None], marks] * height
    own = np.array([0.2, 0.1])[marks] + shares.sum(axis=1)
    rates = process.intensity(events, events.times)[np.arange(300), marks] * unit
    np.testing.assert_allclose(rates, own, rtol=1e-9)
    reached = 1.0 - np.exp(-0.5 * np.maximum(1000 - ticks - ticks_later, 0))
    spent = 0.3 * 1003 + ADJACENCY.sum(axis=0)[marks] @ reached
    expected = np.log(own / unit).sum() - spent
    assert process.log_likelihood(events) == pytest.approx(expected, rel=1e-9)
    branching = hawkeys.branching_probabilities(process, events)
    matrix = branching.matrix().toarray()
    np.testing.assert_allclose(matrix, shares / own[:, None], atol=1e-8)


@pytest.mark.parametrize("name", ["exponential", "log-normal", "power law"])
def test_parents_are_older_than_the_latency(name):
    process = hawkeys.Hawkes([0.5, 0.4], ADJACENCY, kernel=Shifted(KERNELS[name], SHIFT))
    branching = hawkeys.branching_probabilities(process, EVENTS)
    matrix = branching.matrix().toarray()
    np.testing.assert_allclose(matrix.sum(axis=1) + branching.immigrant, 1.0, rtol=1e-12)
    lags = EVENTS.times[:, None] - EVENTS.times
    assert (lags[matrix > 0] > SHIFT).all()
    rates = process.intensity(EVENTS, EVENTS[0].times)
    own = rates[np.arange(EVENTS[0].n_events), EVENTS[0].marks]
    expected = process.baseline[EVENTS[0].marks] / own
    np.testing.assert_allclose(branching.immigrant[: EVENTS[0].n_events], expected, rtol=1e-10)


def test_what_is_asked_of_a_fit(tmp_path):
    events = EVENTS[[0, 2]]
    kernel = Shifted(Exponential(0.9), SHIFT)
    found = hawkeys.fit(events, kernel=kernel)
    found.save(tmp_path / "fit.json")
    read = hawkeys.load_result(tmp_path / "fit.json")
    assert read.summary() == found.summary()
    assert "shift=0.8" in found.summary()
    assert repr(kernel_from_dict(kernel.to_dict())) == repr(kernel)
    without = hawkeys.fit(events, kernel=kernel, support=[[True, False], [True, True]])
    fall = 2.0 * (found.log_likelihood - without.log_likelihood)
    assert edge_tests(read, events).statistic[0, 1] == pytest.approx(fall, abs=1e-5)
    assert profile_interval(read, events).statistic_at_zero[0, 2] == pytest.approx(fall, abs=1e-5)
    assert sandwich_covariance(read, events).std_err.shape == (2, 3)
    assert hawkeys.goodness_of_fit(read, events, n_mc_samples=9).pvalue > 0.05
    assert hawkeys.forecast(read, events[0], 5.0, n_paths=10).start == 40.0
    early, late = events.between(end=30.0).split(at=20.0)
    parts = found.process.log_likelihood(early) + found.process.log_likelihood(late, history=early)
    whole = found.process.log_likelihood(events.between(end=30.0))
    assert parts == pytest.approx(whole, abs=1e-8)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((2.0, 0.5), r"must be one of hawkeys\.kernels; got 2\.0"),
        ((Exponential(2.0), 0.0), "shift"),
        ((Exponential(2.0), float("nan")), "shift"),
        ((Shifted(Exponential(2.0), 0.5), 0.5), "has a latency"),
        ((Productive(Exponential(2.0), Power(a=0.5, v0=1.0)), 0.5), "has a productivity"),
        ((LogNormal(), 0.5), "left out"),
        ((SumExponential([0.5, 3.0]), 0.5), "left out"),
    ],
)
def test_what_is_no_latency_is_refused(arguments, message):
    with pytest.raises(InvalidParameterError, match=message):
        Shifted(*arguments)


def test_a_productivity_does_not_go_with_a_latency():
    kernel = Shifted(Exponential(2.0), 0.5)
    events = EVENTS.with_values(np.ones(EVENTS.n_events))
    with pytest.raises(InvalidParameterError, match="a productivity goes with the kernels"):
        hawkeys.fit(events, kernel=kernel, productivity=Power(a=0.5, v0=1.0))
