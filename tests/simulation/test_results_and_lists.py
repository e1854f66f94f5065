"""Results where processes are expected, and lists of times where Events are."""

import datetime as dt

import numpy as np
import pytest

import hawkeys
from hawkeys.exceptions import InvalidParameterError

TRUTH = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0, mark_names="ab")
PAST = hawkeys.simulate(TRUTH, end_time=200.0, rng=0)
LISTS = PAST.to_lists()[0]


@pytest.fixture(scope="module")
def fitted():
    return hawkeys.fit(PAST, decay=2.0)


def same(one, other):
    np.testing.assert_array_equal(one.times, other.times)
    np.testing.assert_array_equal(one.marks, other.marks)
    assert one.mark_names == other.mark_names


def test_simulations_take_results(fitted):
    how = {"end_time": 50.0, "rng": 3}
    same(hawkeys.simulate(fitted, **how), hawkeys.simulate(fitted.process, **how))
    tree = hawkeys.simulate_branching(fitted, **how)
    same(tree.events, hawkeys.simulate_branching(fitted.process, **how).events)
    until = hawkeys.simulate_until(fitted, 20, rng=3)
    same(until, hawkeys.simulate_until(fitted.process, 20, rng=3))
    future = {"end_time": 250.0, "history": PAST, "rng": 3}
    same(hawkeys.simulate(fitted, **future), hawkeys.simulate(fitted.process, **future))


def test_one_function_simulates_every_process():
    rectified = hawkeys.fit_rectified(PAST, decay=2.0)
    linked = hawkeys.fit_nonlinear(PAST, filters=hawkeys.process.LogTimeFilters([0.2, 0.6, 1.5]))
    how = {"end_time": [30.0, 20.0], "start_time": [0.0, 5.0], "rng": 3}
    expected = hawkeys.simulate_rectified(rectified.process, **how)
    same(hawkeys.simulate(rectified, **how), expected)
    same(hawkeys.simulate_rectified(rectified, **how), expected)
    expected = hawkeys.simulate_nonlinear(linked.process, **how)
    same(hawkeys.simulate(linked, **how), expected)
    same(hawkeys.simulate_nonlinear(linked, **how), expected)
    for model in (rectified, linked):
        future = hawkeys.simulate(model, end_time=300.0, history=PAST, rng=0)
        assert future.start_times.tolist() == PAST.end_times.tolist()
        assert future.times.min() > PAST.end_times[0]
    with pytest.raises(InvalidParameterError, match="Clusters of parents and children"):
        hawkeys.simulate_branching(rectified, end_time=300.0)
    with pytest.raises(InvalidParameterError, match="got int"):
        hawkeys.simulate(3, end_time=300.0)


def test_one_process_of_many_is_chosen():
    each = hawkeys.fit_each(PAST, decay=2.0)
    with pytest.raises(InvalidParameterError, match=r"EachResult .*Pass one, result\.process\(r\)"):
        hawkeys.simulate(each, end_time=3.0)


def test_branching_takes_results_and_lists(fitted):
    expected = hawkeys.branching_probabilities(fitted.process, PAST)
    for found in (
        hawkeys.branching_probabilities(fitted, PAST),
        hawkeys.branching_probabilities(fitted, LISTS, end_time=200.0),
    ):
        np.testing.assert_array_equal(found.immigrant, expected.immigrant)
        np.testing.assert_array_equal(found.probability, expected.probability)


def test_forecast_takes_lists(fitted):
    expected = hawkeys.forecast(fitted, PAST, 10.0, n_paths=20)
    found = hawkeys.forecast(fitted, LISTS, 10.0, n_paths=20, end_time=200.0)
    assert found.to_frame()["mean"].tolist() == expected.to_frame()["mean"].tolist()


def test_compare_takes_lists_and_one_after_another(fitted):
    selves = hawkeys.fit(PAST, decay=2.0, support=[[1, 0], [0, 1]])
    named = hawkeys.compare({"fit 1": fitted, "fit 2": selves}).to_frame()
    assert hawkeys.compare([fitted, selves]).to_frame().equals(named)
    assert hawkeys.compare(fitted, selves).to_frame().equals(named)
    assert hawkeys.compare(fits={"fit 1": fitted, "fit 2": selves}).to_frame().equals(named)
    for wrong in (({"a": fitted}, selves), ([],), ({},)):
        with pytest.raises(InvalidParameterError, match="fits must be a mapping"):
            hawkeys.compare(*wrong)


def test_bounds_of_a_history_of_dates_are_named():
    window = {"start_time": "2024-03-01", "end_time": "2024-03-02"}
    days = np.arange("2024-03-01T01", "2024-03-01T20", dtype="M8[h]")
    history = hawkeys.Events.from_data(days, unit="h", **window)
    process = hawkeys.Hawkes([1.0], [[0.2]], decay=1.0)
    for length in (np.timedelta64(2, "h"), dt.timedelta(hours=2)):
        with pytest.raises(InvalidParameterError, match=r"end_time must be .*Write end_time='"):
            hawkeys.simulate(process, history=history, end_time=length, rng=0)
    found = hawkeys.simulate(process, history=history, end_time="2024-03-03", rng=0)
    same = hawkeys.simulate(process, history=history, end_time=48.0, rng=0)
    np.testing.assert_array_equal(found.times, same.times)
    assert found.end_times.tolist() == [48.0]
