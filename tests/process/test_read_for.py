"""Frames, mappings and dates where a process or a result is given: marks by name, one unit."""

import datetime as dt

import numpy as np
import pytest

import hawkeys
from hawkeys import Events
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError

TRUTH = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0, mark_names=["b", "a"])
PAST = hawkeys.simulate(TRUTH, end_time=200.0, rng=0)
FRAME = PAST.to_frame()[["time", "mark"]].astype({"mark": str})


def test_marks_are_found_by_name():
    """The frame's labels sort as a, b; the process has b before a."""
    expected = TRUTH.log_likelihood(PAST)
    assert TRUTH.log_likelihood(FRAME, end_time=200.0) == expected
    lists = dict(zip("ba", PAST.to_lists()[0], strict=True))
    assert TRUTH.log_likelihood(lists, end_time=200.0) == expected
    swapped = Events.from_frame(FRAME, end_time=200.0)
    assert swapped.mark_names == ("a", "b")
    with pytest.raises(InvalidEventsError, match=r"in another order .*with_marks\(process"):
        TRUTH.log_likelihood(swapped)
    assert TRUTH.log_likelihood(swapped.with_marks(TRUTH.mark_names)) == expected
    few = FRAME[FRAME["mark"] == "a"]
    alone = Events.from_lists([[[], lists["a"]]], end_times=200.0, mark_names=["b", "a"])
    assert TRUTH.log_likelihood(few, end_time=200.0) == TRUTH.log_likelihood(alone)
    with pytest.raises(InvalidEventsError, match="have the mark 'c', which is none of 'b', 'a'"):
        TRUTH.log_likelihood({"c": [1.0], "a": []}, end_time=200.0)


def test_diagnostics_and_forecasts():
    result = hawkeys.fit(PAST, decay=2.0)
    gof = hawkeys.goodness_of_fit(result, FRAME, n_mc_samples=0, end_time=200.0)
    expected = hawkeys.goodness_of_fit(result, PAST, n_mc_samples=0)
    np.testing.assert_array_equal(gof.residuals, expected.residuals)
    future = hawkeys.forecast(result, FRAME, 5.0, n_paths=10, end_time=200.0)
    same = hawkeys.forecast(result, PAST, 5.0, n_paths=10)
    assert future.to_frame()["mean"].tolist() == same.to_frame()["mean"].tolist()
    branching = hawkeys.branching_probabilities(result, FRAME, end_time=200.0)
    same = hawkeys.branching_probabilities(result, PAST)
    np.testing.assert_array_equal(branching.immigrant, same.immigrant)


def test_histories():
    how = {"start_time": 200.0, "end_time": 220.0, "rng": 1}
    expected = hawkeys.simulate(TRUTH, history=PAST, **how)
    found = hawkeys.simulate(TRUTH, history=FRAME, **how)
    np.testing.assert_array_equal(found.times, expected.times)
    np.testing.assert_array_equal(found.marks, expected.marks)
    with pytest.raises(InvalidParameterError, match="history that is no Events ends where"):
        hawkeys.simulate(TRUTH, history=FRAME, end_time=220.0)


def test_histories_of_dates_give_dates():
    start = np.datetime64("2024-01-01", "us")
    dates = start + (PAST.times * 3600e6).astype("m8[us]")
    end = start + np.timedelta64(200, "h")
    past = Events.from_data(
        dates, mark=FRAME["mark"], mark_names=["b", "a"], unit="h", start_time=start, end_time=end
    )
    future = hawkeys.simulate(TRUTH, history=past, end_time="2024-01-10", rng=1)
    assert future.end_times.tolist() == [216.0]
    assert future.clock == past.clock
    assert (future.dates > end).all()


def test_one_unit():
    days = [dt.datetime(2024, 1, 1) + dt.timedelta(hours=float(t)) for t in PAST.times]
    window = {"start_time": "2024-01-01", "end_time": "2024-01-10"}
    labels = FRAME["mark"]
    result = hawkeys.fit(days, mark=labels, decay=2.0, unit="h", **window)
    gof = hawkeys.goodness_of_fit(result, days, n_mc_samples=0, mark=labels, **window)
    events = Events.from_data(days, mark=labels, unit="h", **window)
    expected = hawkeys.goodness_of_fit(result, events, n_mc_samples=0)
    np.testing.assert_array_equal(gof.residuals, expected.residuals)
    for given in ({"unit": "day"}, {"unit": "s"}):
        with pytest.raises(InvalidParameterError, match=r"are counted in .*, the fit in 'h'"):
            hawkeys.goodness_of_fit(result, days, mark=labels, **window, **given)
