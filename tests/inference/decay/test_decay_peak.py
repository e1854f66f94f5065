"""The decay of long data from few evaluations: the same maximum and interval as from a grid."""

import numpy as np
import pytest

import hawkeys
from hawkeys._design import Design
from hawkeys.inference.decay import choice, problem
from hawkeys.inference.decay.peak import (
    climb_parabola,
    extrapolate,
    first_part,
    is_parabola,
    look_aside,
    refine,
)
from hawkeys.inference.options import MLEOptions
from hawkeys.inference.rows.newton import solve_mle


def test_the_short_way_and_the_long_way_agree(monkeypatch):
    truth = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)
    sample = hawkeys.simulate(truth, end_time=25_000.0, rng=0)
    short = hawkeys.fit(sample, decay="estimate")
    monkeypatch.setattr(problem, "first_part", lambda events, share: None)
    long = hawkeys.fit(sample, decay="estimate")
    assert short.decay_profile.decays.size < 15 < long.decay_profile.decays.size
    assert short.log_likelihood == pytest.approx(long.log_likelihood, abs=1e-6)
    error = np.log(long.decay_profile.interval(0.68)[1] / long.decay_profile.chosen)
    assert abs(np.log(short.decay_profile.chosen / long.decay_profile.chosen)) < 1e-3 * error
    for level in (0.5, 0.9, 0.95, 0.99):
        mine, other = short.decay_profile.interval(level), long.decay_profile.interval(level)
        np.testing.assert_allclose(np.log(mine), np.log(other), atol=0.02 * error)


def test_the_part_is_of_one_realisation():
    events = hawkeys.Events.from_lists([[[1.0]], [np.arange(1.0, 30_001.0)]], end_times=30_001.0)
    part = first_part(events)
    assert part.n_events == 4_000
    assert part.end_times[0] == part.times[-1] == 4_000.0
    assert first_part(part) is None


def test_many_short_windows_go_the_short_way_too(monkeypatch):
    truth = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)
    sample = hawkeys.simulate(truth, end_time=30.0, n_realizations=1_200, rng=0)
    short = hawkeys.fit(sample, decay="estimate")
    monkeypatch.setattr(problem, "first_part", lambda events, share: None)
    long = hawkeys.fit(sample, decay="estimate")
    assert short.decay_profile.decays.size < 15 < long.decay_profile.decays.size
    assert short.log_likelihood == pytest.approx(long.log_likelihood, abs=1e-6)
    error = np.log(long.decay_profile.interval(0.68)[1] / long.decay_profile.chosen)
    assert abs(np.log(short.decay_profile.chosen / long.decay_profile.chosen)) < 1e-3 * error
    for level in (0.5, 0.95):
        mine, other = short.decay_profile.interval(level), long.decay_profile.interval(level)
        np.testing.assert_allclose(np.log(mine), np.log(other), atol=0.02 * error)


def test_the_part_of_short_windows_is_spread_over_all():
    counts = np.where(np.arange(6_000) % 2, 5, 6)
    times = np.concatenate([np.arange(1.0, n + 1.0) for n in counts])
    offsets = np.concatenate(([0], np.cumsum(counts)))
    marks = np.zeros(times.size, dtype=np.int64)
    events = hawkeys.Events.from_arrays(times, marks, offsets=offsets, end_times=10.0)
    part = first_part(events)
    # 33,000 events, of which a part of 4,000 is wanted: every 8th window, from the 5th on
    assert part.n_realizations == 750
    np.testing.assert_array_equal(part.counts[:, 0], counts[4::8])
    assert first_part(events[:3_000]) is None
    # a few windows of several thousand events would not stand for the others
    few = hawkeys.Events.from_lists([[np.arange(1.0, 5_001.0)]] * 10, end_times=5_001.0)
    assert first_part(few) is None


@pytest.mark.parametrize("power", [2.0, 4.0])
def test_a_smooth_peak_is_found(power):
    tried = {}
    found = climb_parabola(lambda x: -np.cosh(power * (x - 0.3)), tried, 0.0, 0.5)
    assert found
    assert max(tried, key=tried.get) == pytest.approx(0.3, abs=1e-4)


@pytest.mark.parametrize(
    "function", [np.exp, abs, lambda x: 0.0, lambda x: x * x, lambda x: 0.05 * np.sin(9.0 * x)]
)
def test_no_peak_is_not_found(function):
    assert not climb_parabola(function, {}, 0.0, 0.5)


def test_parameters_are_guessed_along_a_parabola():
    found = {}
    assert extrapolate(found, 1.0).size == 0
    found[1.0] = np.array([[2.0, 0.5]])
    np.testing.assert_array_equal(extrapolate(found, 3.0), found[1.0])
    found[2.0] = np.array([[3.0, 0.25]])
    np.testing.assert_allclose(extrapolate(found, 2.5), [[3.5, 0.125]], rtol=1e-15)
    np.testing.assert_allclose(extrapolate(found, 5.0), [[6.0, 0.0]], rtol=1e-15)
    found |= {2.5: np.array([[4.0, 1.0]]), -9.0: np.array([[0.0, 9.0]])}
    curves = [np.polyfit([1.0, 2.0, 2.5], values, 2) for values in ([2, 3, 4], [0.5, 0.25, 1.0])]
    expected = [[np.polyval(curve, 2.7) for curve in curves]]
    np.testing.assert_allclose(extrapolate(found, 2.7), expected, rtol=1e-12)
    np.testing.assert_array_equal(extrapolate(found, 2.0), found[2.0])


def test_very_many_events_are_searched_from_a_larger_part(monkeypatch):
    truth = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)
    sample = hawkeys.simulate(truth, end_time=30.0, n_realizations=8_000, rng=3)
    assert first_part(sample, 0.1).n_events == pytest.approx(0.1 * sample.n_events, rel=0.05)
    assert first_part(sample[:1_000], 0.1) is None
    quick = hawkeys.fit(sample, decay="estimate")
    monkeypatch.setattr(choice, "_between", lambda problem, start, width: (start, width))
    plain = hawkeys.fit(sample, decay="estimate")
    assert quick.decay_profile.decays.size <= 10
    assert quick.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-6)
    mine, other = (np.log(result.decay_profile.interval()) for result in (quick, plain))
    np.testing.assert_allclose(mine, other, atol=0.02 * (other[1] - other[0]) / 4.0)


def test_a_start_spares_steps_and_changes_nothing_else():
    truth = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)
    sample = hawkeys.simulate(truth, end_time=25_000.0, rng=0)
    design = Design.build(sample, hawkeys.kernels.Exponential(2.0))
    options, seeds = MLEOptions(tolerance=1e-10), np.empty(0, dtype=np.int64)
    cold = solve_mle(design, options, seeds, keep=False)
    for start in (cold.x, 1.1 * cold.x, np.array([[0.0, 0.0, 1.0], [9.0, 0.0, 0.0]])):
        warm = solve_mle(design, options, seeds, keep=False, start=start)
        assert warm.converged.all()
        np.testing.assert_allclose(warm.objective, cold.objective, rtol=1e-14)
        np.testing.assert_allclose(warm.x, cold.x, rtol=1e-7, atol=1e-9)
    near = solve_mle(design, options, seeds, keep=False, start=1.001 * cold.x)
    assert (near.n_iterations < cold.n_iterations).all()


def noted(function, points):
    return {point: function(point) for point in points}


def test_a_maximum_is_refined_from_three_points_around_it():
    value = lambda point: -np.cosh(3.0 * (point - 0.123)) + 0.1 * point  # noqa: E731
    best = 0.123 + np.arcsinh(0.1 / 3.0) / 3.0
    tried = noted(value, (-0.8, 0.0, 0.8))
    error = refine(value, tried, (-0.8, 0.8))
    assert max(tried, key=tried.get) == pytest.approx(best, abs=1e-4 * error)
    assert error == pytest.approx(1.0 / np.sqrt(9.0 * np.cosh(3.0 * (best - 0.123))), rel=1e-2)
    # roughly is enough where no more is wanted
    rough = noted(value, (-0.8, 0.0, 0.8))
    refine(value, rough, (-0.8, 0.8), 0.05)
    assert len(rough) < len(tried)


def test_what_is_no_maximum_within_is_not_refined():
    rising = noted(lambda point: point - 0.1 * point**2, (0.0, 1.0, 2.0))
    assert refine(lambda point: point - 0.1 * point**2, rising, (0.0, 2.0)) is None
    valley = noted(lambda point: point**2, (-1.0, 0.0, 1.0))
    assert refine(lambda point: point**2, valley, (-1.0, 1.0)) is None


def test_sides_are_tried_where_nothing_was_and_within_the_edges():
    value = lambda point: -0.5 * point**2  # noqa: E731
    tried = noted(value, (-2.2, 0.0))
    look_aside(value, tried, 1.0, (-10.0, 3.0))
    assert sorted(tried) == [-4.0, -2.2, 0.0, 2.0]
    assert is_parabola(tried, 1.0)


@pytest.mark.parametrize(
    ("values", "answer"),
    [
        ({-2.0: -2.3, 0.0: 0.0, 2.0: -1.7}, True),
        ({-2.0: -2.5, 0.0: 0.0, 2.0: -2.0}, False),
        ({-2.0: -2.0, 0.0: 0.0}, False),
    ],
)
def test_a_skewed_profile_is_no_parabola(values, answer):
    assert is_parabola(values, 1.0) is answer
