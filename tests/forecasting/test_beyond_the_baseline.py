"""Forecasts beyond the last knot of a baseline: its value there is held, and that is said."""

import warnings

import numpy as np
import pytest
from scipy.integrate import quad

import hawkeys
from hawkeys.baselines import LogLinear, Periodic, PiecewiseConstant, Spline
from hawkeys.baselines.held import HeldBaseline
from hawkeys.exceptions import EventsWarning, InvalidParameterError
from hawkeys.process import LagFilters

PAST = hawkeys.simulate(hawkeys.Hawkes([0.8], [[0.3]], decay=1.0), end_time=100.0, rng=0)
BASELINES = {
    "steps": PiecewiseConstant([0.0, 50.0, 105.0], [[0.2, 0.9]]),
    "spline": Spline([0.0, 30.0, 70.0, 105.0], rates=[[0.1, 0.4, 0.2, 0.9, 1.4]], degree=2),
    "covariates": LogLinear([0.0, 50.0, 105.0], [[0.0], [1.0]], [0.5], [[0.3]]),
}
HELD = {"steps": 0.9, "spline": 1.4, "covariates": 0.3 * np.exp(0.5)}


@pytest.mark.parametrize("name", BASELINES)
def test_the_last_value_is_held(name):
    held = BASELINES[name].held_until(120.0)
    times = np.array([10.0, 60.0, 104.0, 110.0, 119.0])
    np.testing.assert_allclose(held.at(times)[:3], BASELINES[name].at(times[:3]), rtol=1e-12)
    np.testing.assert_allclose(held.at(times)[3:, 0], HELD[name], rtol=1e-12)
    for start, end in ((0.0, 120.0), (90.0, 119.0), (106.0, 118.0), (1.0, 3.0)):
        expected = quad(lambda t: held.at(np.array([t]))[0, 0], start, end, points=[50, 105])[0]
        found = held.integral(np.array([start]), np.array([end]))[0, 0]
        assert found == pytest.approx(expected, abs=1e-6)
    with pytest.raises(InvalidParameterError, match=r"held up to 120|within the knots"):
        held.check_windows(np.array([0.0]), np.array([121.0]))
    assert BASELINES[name].held_until(50.0).last >= 105.0


@pytest.mark.parametrize("name", BASELINES)
def test_paths_have_the_rate_that_is_held(name):
    process = hawkeys.Hawkes(BASELINES[name], [[0.0]], decay=1.0)
    with pytest.warns(EventsWarning, match="goes to 140, and the baseline ends at 105: its value"):
        found = hawkeys.forecast(process, PAST, 40.0, n_paths=4000, rng=1)
    assert found.held_from == 105.0
    assert "held from 105" in found.summary()
    counts = found.counts_up_to([105.0, 140.0])[:, :, 0]
    later = counts[1] - counts[0]
    expected = 35.0 * HELD[name]
    assert abs(later.mean() - expected) < 4.0 * np.sqrt(expected / 4000)
    early = process.baseline_function.integral(np.array([100.0]), np.array([105.0]))[0, 0]
    assert abs(counts[0].mean() - early) < 4.0 * np.sqrt(early / 4000)
    # the law of the next event knows it, too
    whole = early + expected
    assert found.next_event.probability == pytest.approx(1.0 - np.exp(-whole), abs=1e-6)


def test_of_a_fit_and_of_draws():
    result = hawkeys.fit(PAST, decay=1.0, baseline=PiecewiseConstant([0.0, 50.0, 100.0]))
    with pytest.warns(EventsWarning, match="its value there is held"):
        found = hawkeys.forecast(result, PAST, 10.0, n_paths=50, parameter_uncertainty=True)
    assert found.n_draws == 50
    assert found.held_from == 100.0
    assert found.process.baseline_function.last == 110.0


def test_of_a_process_with_a_link():
    result = hawkeys.fit_nonlinear(
        PAST,
        filters=LagFilters(edges=[0.0, 0.2, 0.6]),
        baseline=PiecewiseConstant([0.0, 50.0, 100.0]),
        link="softplus",
    )
    with pytest.warns(EventsWarning, match="its value there is held"):
        found = hawkeys.forecast(result, PAST, 10.0, n_paths=50)
    assert found.mean.shape == (1,)


def test_what_goes_on_is_not_held():
    process = hawkeys.Hawkes(Periodic([0.0, 4.0], 10.0, [[0.5, 0.2]]), [[0.2]], decay=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = hawkeys.forecast(process, PAST, 40.0, n_paths=10)
        near = hawkeys.forecast(
            hawkeys.Hawkes(BASELINES["steps"], [[0.2]], decay=1.0), PAST, 5.0, n_paths=10
        )
    assert found.held_from is None
    assert near.held_from is None
    assert "held from" not in near.summary()


def test_a_held_baseline_is_not_found_by_its_name():
    assert not hasattr(HeldBaseline, "name")
