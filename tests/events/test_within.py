"""Windows of longer recordings: which events belong to them, and what is outside."""

import datetime as dt

import numpy as np
import pandas as pd
import pytest

import hawkeys
from hawkeys.events.observed import History
from hawkeys.events.windows import (
    continued,
    history_before,
    history_from_record,
    history_to_record,
    pick_history,
)
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError


def two():
    lists = [[[0.0, 1.0, 4.0], [2.0]], [[], [0.5, 3.5]]]
    return hawkeys.Events.from_lists(lists, end_times=[5.0, 6.0], mark_names=["a", "b"])


def parts(windows):
    """Start, end and times of each window."""
    return [
        (float(one.start_times[0]), float(one.end_times[0]), one.times.tolist()) for one in windows
    ]


def same(one, other):
    for name in ("times", "marks", "offsets", "start_times", "end_times"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


def test_each_interval_is_a_window():
    windows, history = two().within([(0.0, 1.0), (2.0, 5.5)])
    assert parts(windows) == [
        (0.0, 1.0, [0.0, 1.0]),  # an event that starts the recording belongs to it
        (2.0, 5.0, [4.0]),  # one at the start of another interval is before; cut at the end
        (0.0, 1.0, [0.5]),
        (2.0, 5.5, [3.5]),
    ]
    assert history.owners.tolist() == [0, 0, 1, 1]
    assert history.observed is None
    assert history.outside.times.tolist() == [2.0]
    assert history.n_events == 1


def test_intervals_of_each_realisation():
    windows, history = two().within([[(1.0, 2.0), (3.0, 4.0)], []])
    assert parts(windows) == [(1.0, 2.0, [2.0]), (3.0, 4.0, [4.0])]
    assert history.owners.tolist() == [0, 0]
    assert history.outside.counts.tolist() == [[2, 0], [0, 2]]


def test_marks_with_windows_of_their_own():
    windows, history = two().within({"b": [(0.0, 3.0)], "a": [(1.0, 5.0)]})
    assert parts(windows)[:3] == [(0.0, 1.0, []), (1.0, 3.0, [2.0]), (3.0, 5.0, [4.0])]
    assert history.observed[:3].tolist() == [[False, True], [True, True], [True, False]]
    assert history.outside.times.tolist() == [0.0, 1.0, 3.5]
    # a mark that is not named is observed throughout
    windows, history = two().within({1: [(0.0, 3.0)]})
    assert parts(windows)[:2] == [(0.0, 3.0, [0.0, 1.0, 2.0]), (3.0, 5.0, [4.0])]
    assert history.observed[:2].tolist() == [[True, True], [True, False]]


def test_the_parts_make_the_whole_again():
    rng = np.random.default_rng(1)
    for seed in range(20):
        times = np.sort(rng.integers(0, 30, 40)).astype(float)  # many at once, and at the bounds
        marks = rng.integers(0, 3, 40)
        events = hawkeys.Events.from_arrays(times, marks, end_times=30.0, n_marks=3)
        cuts = np.sort(rng.choice(np.arange(31.0), 8, replace=False)).reshape(-1, 2)
        observed = cuts if seed % 2 else {"1": cuts, "2": [(3.0, 20.0)]}
        windows, history = events.within(observed)
        assert windows.n_events + history.n_events == events.n_events
        whole, later = continued(history_before(windows, history), windows)
        np.testing.assert_array_equal(whole.times, events.times)
        for one in (whole, events):
            order = np.lexsort((one.marks, one.times))
            np.testing.assert_array_equal(one.marks[order], marks[np.lexsort((marks, times))])
        np.testing.assert_array_equal(whole.times[later], windows.times)
        np.testing.assert_array_equal(whole.marks[later], windows.marks)


def test_dates_and_values():
    table = {"x": np.array(["2024-01-01T10:00", "2024-01-02T11:00", "2024-01-02T23:00"], "M8[m]")}
    events = hawkeys.Events.from_data(
        table, unit="h", start_time="2024-01-01", end_time="2024-01-04"
    ).with_values([1.0, 2.0, 3.0])
    days = [("2024-01-01T09:00", "2024-01-01T17:00"), ("2024-01-02T09:00", "2024-01-02T17:00")]
    windows, history = events.within(days)
    assert parts(windows) == [(9.0, 17.0, [10.0]), (33.0, 41.0, [35.0])]
    assert windows.values.tolist() == [1.0, 2.0]
    assert history.outside.values.tolist() == [3.0]
    assert windows.clock == events.clock
    stamps = [(dt.datetime(2024, 1, 1, 9), dt.datetime(2024, 1, 1, 17))]
    assert parts(events.within(stamps)[0]) == parts(windows)[:1]
    with pytest.raises(InvalidParameterError, match="date"):
        events.within([("never", "2024-01-02")])
    with pytest.raises(InvalidParameterError, match=r"bounds of observed must be a date.*got 0"):
        events.within([(0, 17)])
    hours = pd.IntervalIndex.from_arrays(*np.array(days, "M8[m]").T)
    with pytest.raises(InvalidParameterError, match=r"Of pandas Intervals, pass"):
        events.within(hours)
    assert parts(events.within([(one.left, one.right) for one in hours])[0]) == parts(windows)


def test_large_integers_keep_their_digits():
    start = 1_700_000_000_000_000_000
    events = hawkeys.Events.from_lists(
        [[[start + 5, start + 70]]], start_times=start, end_times=start + 90
    )
    windows, history = events.within([(start, start + 10), (start + 60, start + 90)])
    assert parts(windows) == [(0.0, 10.0, [5.0]), (60.0, 90.0, [70.0])]
    assert windows.origins == (start, start)
    read = history_from_record(history_to_record(history), windows)
    assert read.outside.origins == (start,)
    # a clock of seconds is told apart, in digits that the caller knows
    with pytest.raises(InvalidParameterError, match=rf"no window .* \[{start}, {start + 90}\]"):
        events.within([(start // 10**9, start // 10**9 + 5)])
    with pytest.raises(InvalidParameterError, match=rf"starts at {start + 9} and ends at {start}"):
        events.within([(start + 9, start)])


@pytest.mark.parametrize("observed", [[(0.0, 1.0), (2.0, 5.0)], {"b": [(0.0, 3.0)]}])
def test_a_record_is_read_back(observed):
    windows, history = two().within(observed)
    record = history_to_record(history)
    lists = {name: value.tolist() for name, value in record.items()}  # as from a file
    for one in (record, lists):
        read = history_from_record(one, windows)
        assert isinstance(read, History)
        same(read.outside, history.outside)
        for name in ("owners", "start_times", "end_times"):
            np.testing.assert_array_equal(getattr(read, name), getattr(history, name))
        if history.observed is not None:
            np.testing.assert_array_equal(read.observed, history.observed)


def test_windows_that_are_left_out_are_outside():
    windows, history = two().within({"b": [(0.0, 3.0)], "a": [(1.0, 5.0)]})
    rows = np.array([True, False, True, False, True, True])
    rows = rows[: windows.n_realizations]
    picked = pick_history(history, windows, rows)
    assert picked.owners.tolist() == history.owners[rows].tolist()
    assert picked.n_events == history.n_events + windows[~rows].n_events
    np.testing.assert_array_equal(picked.observed, history.observed[rows])
    np.testing.assert_array_equal(picked.start_times, windows.start_times[rows])
    np.testing.assert_array_equal(picked.end_times, windows.end_times[rows])
    same(continued(picked, windows[rows])[0], continued(history, windows)[0])


@pytest.mark.parametrize(
    ("observed", "message"),
    [
        (3.0, r"must be intervals \[\(start, end\), \.\.\.\], also if there is but one; got 3\.0"),
        ((0.0, 3.0), r"also if there is but one; got \(0\.0, 3\.0\)"),
        ([slice(0, 3), slice(3, 4)], r"must be intervals .*; got a list of 2|slice"),
        (pd.interval_range(0.0, 2.0), r"got an IntervalIndex .* \[\(one\.left, one\.right\)"),
        ({"a": (0.0, 3.0)}, r"observed\['a'\] must be intervals"),
        (np.ma.array([[0.0, 1.0], [2.0, 3.0]], mask=[[0, 0], [1, 1]]), "2 of 4 entries are masked"),
        ({True: [(0.0, 1.0)]}, "must be a name .* got True"),
        ("2024", "must be intervals"),
        ([(1.0, 2.0, 3.0)], r"pairs of start and end; got \[1\.0, 2\.0, 3\.0\]"),
        ([(2.0, 1.0)], r"interval 0 starts at 2\.0 and ends at 1\.0"),
        ([(0.0, 2.0), (1.0, 3.0)], r"interval 1 starts at 1\.0, before interval 0 ends at 2\.0"),
        ([(0.0, np.nan)], "must be finite"),
        ([[(0.0, 1.0)]], "1 lists of intervals, the events have 2 realisations"),
        ([[(0.0, 1.0)], [(3.0, 2.0)]], r"observed\[1\]: interval 0 starts at 3\.0"),
        ([(10.0, 12.0)], "no window overlaps the intervals observed"),
        ({}, "one or more marks, each once; got an empty mapping"),
        ({"a": [(0.0, 1.0)], 0: [(0.0, 1.0)]}, "one or more marks, each once"),
        ({"c": [(0.0, 1.0)]}, r"mark must be a name"),
        ({"a": [(2.0, 1.0)]}, r"observed\['a'\]: interval 0"),
    ],
)
def test_what_is_no_observation_is_refused(observed, message):
    with pytest.raises(InvalidParameterError, match=message):
        two().within(observed)


def test_a_mask_is_no_list_of_marks():
    """True and False would be the marks 1 and 0, in another order."""
    with pytest.raises(InvalidParameterError, match="number from 0 to 1; got True"):
        two().with_marks([True, False])


def test_windows_and_history_belong_together():
    windows, history = two().within([(0.0, 1.0), (2.0, 5.0)])
    with pytest.raises(InvalidParameterError, match=r"4 windows, the events have 3.*fewer interv"):
        history_before(windows[:3], history)
    others = [
        windows[[1, 0, 2, 3]],
        windows.between(0.5, 5.0),
        windows.between(0.0, 4.5),
        two().within([(0.0, 1.0), (2.5, 5.0)])[0],
    ]
    for other in others:
        with pytest.raises(InvalidParameterError, match=r"not that of the history, from .* weight"):
            history_before(other, history)
    # the same windows, and a mark that one call has and the other has not
    observed = {"a": [(0.0, 1.0)], "b": [(0.0, 1.0), (2.0, 5.0)]}
    with pytest.raises(InvalidParameterError, match=r"event at 4\.0 has the mark 'a', which"):
        history_before(windows, two().within(observed)[1])
    with pytest.raises(InvalidEventsError, match="has the marks"):
        history_before(windows.with_marks(["b"]), history)
