"""Dates and durations: exact in Universal Time, in the unit asked for, remembered by results."""

import datetime as dt
from fractions import Fraction
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pytest

import hawkeys
from hawkeys import Events
from hawkeys.events.clock import Clock, Instants, check_unit
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError

NANOSECONDS = {
    "ns": 1, "us": 1_000, "ms": 1_000_000, "s": 10**9, "min": 60 * 10**9, "h": 3600 * 10**9,
    "day": 86_400 * 10**9, "week": 7 * 86_400 * 10**9,
}  # fmt: skip
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("unit", NANOSECONDS)
@pytest.mark.parametrize("tick", ["ns", "us", "ms", "s"])
def test_times_are_rounded_once(unit, tick):
    """Against exact fractions: half a unit in the last place of the double, and at most one more.

    Numbers beyond 2**51 are divided in two steps.
    """
    rng = np.random.default_rng(0)
    size = 10**9 // NANOSECONDS[tick]
    ticks = np.sort(rng.integers(1_700_000_000 * size, 1_702_000_000 * size, 300))
    start = 1_699_999_999_123_456_789
    found = Instants(ticks, NANOSECONDS[tick], True, None).since(start, NANOSECONDS[unit])
    for time, value in zip(ticks.tolist(), found.tolist(), strict=True):
        exact = Fraction(time * NANOSECONDS[tick] - start, NANOSECONDS[unit])
        assert abs(Fraction(value) - exact) <= Fraction(np.spacing(value))


def test_dates_round_trip_to_the_nanosecond():
    dates = np.array(["2024-05-01T00:00:00.000000001", "2024-05-03T12:34:56.789012345"], "M8[ns]")
    events = Events.from_data(dates, unit="s", start_time="2024-05-01", end_time="2024-05-04")
    assert events.dates.tolist() == dates.tolist()
    assert events.clock.show(events.times[1]) == "2024-05-03T12:34:56.789012345"


@pytest.mark.parametrize("make", [list, np.array, pd.Series, pd.DatetimeIndex])
def test_every_kind_of_date(make):
    days = [dt.datetime(2024, 1, 2), dt.datetime(2024, 1, 3, 12)]
    kinds = [days, [pd.Timestamp(day) for day in days], [np.datetime64(day) for day in days]]
    for values in kinds:
        events = Events.from_data(
            make(values),
            unit="days",
            start_time=dt.date(2024, 1, 1),
            end_time=pd.Timestamp("2024-01-05"),
        )
        assert events.times.tolist() == [1.0, 2.5]
        assert events.end_times.tolist() == [4.0]


def test_the_hour_that_is_counted_twice():
    """Local clocks go back in October: the same reading twice, one hour apart."""
    early = dt.datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN, fold=0)
    late = dt.datetime(2024, 10, 27, 2, 30, tzinfo=BERLIN, fold=1)
    start = dt.datetime(2024, 10, 27, tzinfo=BERLIN)
    end = dt.datetime(2024, 10, 28, tzinfo=BERLIN)
    events = Events.from_data([early, late], unit="h", start_time=start, end_time=end)
    assert events.times.tolist() == [2.5, 3.5]
    assert events.end_times.tolist() == [25.0]
    assert events.clock.zone == "Europe/Berlin"
    assert events.clock.show(3.5) == "2024-10-27T02:30:00+01:00"


def test_zones_are_not_guessed():
    aware, naive = dt.datetime(2024, 1, 2, tzinfo=dt.timezone.utc), dt.datetime(2024, 1, 2)
    given = {"unit": "h", "start_time": "2024-01-01", "end_time": "2024-01-03"}
    with pytest.raises(InvalidEventsError, match=r"times\[1\] has no time zone, but 1 others have"):
        Events.from_data([aware, naive], **given)
    with pytest.raises(InvalidParameterError, match=r"times have a time zone \(UTC\) and start"):
        Events.from_data([aware], **given)
    zoned = {"start_time": "2024-01-01T00:00:00Z", "end_time": "2024-01-03T00:00:00+01:00"}
    events = Events.from_data([aware], unit="h", **zoned)
    assert (events.times.tolist(), events.end_times.tolist()) == ([24.0], [47.0])
    with pytest.raises(InvalidParameterError, match=r"start_time have a time zone"):
        Events.from_data([naive], unit="h", **zoned)


def test_windows_of_dates_are_checked_exactly():
    """One nanosecond outside is outside, 200 days after the start, where doubles round it away."""
    end = 200 * 86_400 * 10**9
    inside = np.array([end - 1, end]).astype("M8[ns]")
    given = {"unit": "day", "start_time": "1970-01-01", "end_time": np.datetime64(end, "ns")}
    with pytest.raises(InvalidEventsError, match="1 of 2 times become equal to the one before"):
        Events.from_data(inside, **given)
    assert Events.from_data(inside[1:], **given).times.tolist() == [200.0]
    with pytest.raises(InvalidEventsError, match=r"times\[0\]=1970-07-20T00:00:00.000000001 lies"):
        Events.from_data(np.array([end + 1]).astype("M8[ns]"), **given)
    late = given | {"start_time": np.datetime64(5, "ns")}
    with pytest.raises(InvalidEventsError, match=r"the window \[1970-01-01T00:00:00\.000000005,"):
        Events.from_data(np.array([4]).astype("M8[ns]"), **late)


def test_realisations_share_one_clock():
    frame = pd.DataFrame(
        {
            "time": pd.to_datetime(["2024-01-01T06:00", "2024-01-03T06:00", "2024-01-03T18:00"]),
            "realization": ["mon", "wed", "wed"],
        }
    )
    events = Events.from_data(
        frame,
        unit="h",
        start_time={"mon": "2024-01-01", "wed": "2024-01-03"},
        end_time={"mon": "2024-01-02", "wed": "2024-01-04"},
    )
    assert events.times.tolist() == [6.0, 54.0, 66.0]
    assert events.start_times.tolist() == [0.0, 48.0]
    assert events[1].clock.show(54.0) == "2024-01-03T06:00:00"


def test_lists_of_dates_per_mark():
    a, b = [dt.datetime(2024, 1, 1, 5), dt.datetime(2024, 1, 1, 7)], [dt.datetime(2024, 1, 1, 6)]
    given = {"unit": "h", "start_time": "2024-01-01", "end_time": "2024-01-02"}
    events = Events.from_data([a, b], **given)
    assert (events.times.tolist(), events.marks.tolist()) == ([5.0, 6.0, 7.0], [0, 1, 0])
    assert Events.from_data([[a, b], [b, a]], **given).n_realizations == 2
    named = Events.from_data({"x": a, "y": b}, **given)
    assert (named.times.tolist(), named.mark_names) == ([5.0, 6.0, 7.0], ("x", "y"))
    with pytest.raises(InvalidEventsError, match=r"mark 0: times must not .*; times\[1\]=2024"):
        Events.from_data([a[::-1], b], **given)
    assert Events.from_data([a[::-1], b], sort=True, **given).times.tolist() == [5.0, 6.0, 7.0]
    with pytest.raises(InvalidEventsError, match="some times are dates and others are numbers"):
        Events.from_data([a, [0.5]], **given)


def test_what_dates_need():
    days = [dt.datetime(2024, 1, 2)]
    with pytest.raises(InvalidParameterError, match=r"unit= is missing: the times are dates"):
        Events.from_data(days, start_time="2024-01-01", end_time="2024-01-03")
    with pytest.raises(InvalidParameterError, match=r"start_time is missing: .* 2024-01-02T00:00"):
        Events.from_data(days, unit="day", end_time="2024-01-03")
    with pytest.raises(InvalidParameterError, match=r"end_time must be a date.*got 3\.0"):
        Events.from_data(days, unit="day", start_time="2024-01-01", end_time=3.0)
    with pytest.raises(InvalidParameterError, match="is no date"):
        Events.from_data(days, unit="day", start_time="01/02/2024", end_time="2024-01-03")
    with pytest.raises(InvalidParameterError, match="months and years differ in length"):
        Events.from_data(days, unit="month", start_time="2024-01-01", end_time="2024-01-03")
    with pytest.raises(InvalidEventsError, match=r"times\[1\] is missing \(NaT\)"):
        Events.from_data(
            np.array(["2024-01-02", "NaT"], "M8[s]"),
            unit="s", start_time="2024-01-01", end_time="2024-01-03",
        )  # fmt: skip


@pytest.mark.parametrize(
    ("word", "unit"),
    [("seconds", "s"), ("D", "day"), ("Hours", "h"), ("minute", "min"), ("ms", "ms"), ("µs", "us")],
)
def test_names_of_units(word, unit):
    assert check_unit(word) == unit


def test_numbers_of_a_unit_are_taken_as_they_are():
    events = Events.from_data([0.5, 1.5], unit="h", end_time=2.0)
    assert (events.times.tolist(), events.clock) == ([0.5, 1.5], Clock("h"))
    now = 1_700_000_000_000_000_000
    with pytest.raises(InvalidEventsError, match=r"would be .*e\+10 years in the unit 's'.*astype"):
        Events.from_data([now + 1, now + 5], unit="s", start_time=now, end_time=now + 9)
    exact = Events.from_data([now + 1, now + 5], unit="ns", start_time=now, end_time=now + 9)
    assert exact.times.tolist() == [1.0, 5.0]


@pytest.fixture(scope="module")
def days():
    truth = hawkeys.Hawkes([2.0], [[0.5]], decay=8.0)
    return hawkeys.simulate(truth, end_time=300.0, rng=0).times


def test_results_speak_in_the_unit(days, tmp_path):
    dates = np.datetime64("2024-01-01", "ns") + (days * 86_400e9).astype("m8[ns]")
    given = {"start_time": "2024-01-01", "end_time": np.datetime64("2024-10-27"), "unit": "day"}
    found = hawkeys.fit(dates, decay="estimate", **given)
    plain = hawkeys.fit([days], decay="estimate", end_time=300.0)
    np.testing.assert_allclose(found.estimates, plain.estimates, rtol=1e-6)
    assert (found.unit, plain.unit) == ("day", None)
    summary = found.summary()
    assert "300 days" in summary
    assert f"Exponential(decay={found.kernel.decay:.4g}) per day" in summary
    assert "Times are in days: baseline and decay are per day." in summary
    assert "days" not in plain.summary()
    found.save(tmp_path / "fit.json")
    assert hawkeys.load_result(tmp_path / "fit.json").unit == "day"
    hours = hawkeys.fit(dates, decay=8.0 / 24, **given | {"unit": "h"})
    same = hawkeys.fit(dates, decay=8.0, **given)
    np.testing.assert_allclose(hours.baseline, same.baseline / 24, rtol=1e-6)
    np.testing.assert_allclose(hours.adjacency, same.adjacency, rtol=1e-6)
    assert hawkeys.fit_each(dates, decay=8.0, **given).unit == "day"
    rectified = hawkeys.fit_rectified(dates, decay=8.0, **given)
    assert "300 days" in rectified.summary()
    rectified.save(tmp_path / "rectified.json")
    assert hawkeys.load_result(tmp_path / "rectified.json").unit == "day"


def test_files_saved_before_results_had_a_unit(days, tmp_path):
    import json

    from hawkeys._records import CHECKSUM, checksum_of

    record = hawkeys.fit([days], decay=8.0, end_time=300.0).to_dict()
    del record["unit"], record[CHECKSUM]
    path = tmp_path / "old.json"
    path.write_text(json.dumps(record | {CHECKSUM: checksum_of(record)}))
    assert hawkeys.load_result(path).unit is None
