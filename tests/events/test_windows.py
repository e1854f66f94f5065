"""A history before windows: where it ends, which marks it has, what clock it counts on."""

import numpy as np
import pytest

import hawkeys
from hawkeys.events.windows import (
    continued,
    history_before,
    history_from_record,
    history_to_record,
)
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError


def two():
    lists = [[[1.0, 4.0], [2.0]], [[], [0.5, 3.5]]]
    return hawkeys.Events.from_lists(lists, end_times=[5.0, 6.0], mark_names=["a", "b"])


def same(one, other):
    for name in ("times", "marks", "offsets", "start_times", "end_times"):
        np.testing.assert_array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("at", [0.1, 2.0, 3.0, 4.9])
def test_the_parts_of_a_split_make_the_whole_again(at):
    events = two()
    train, test = events.split(at=at)
    whole, later = continued(history_before(test, train), test)
    same(whole, events)
    assert (events.times[later] > at).all()
    assert (events.times[~later] <= at).all()


def test_all_realisations_may_share_one_history():
    shared = hawkeys.Events.from_lists(
        [[[-1.0], []]], start_times=-3.0, end_times=0.0, mark_names=["a", "b"]
    )
    found = history_before(two(), shared)
    assert found.n_realizations == 2
    assert found.times.tolist() == [-1.0, -1.0]


def test_dates_are_counted_from_one_moment():
    day = {"unit": "h", "mark_names": ["x"]}
    train = hawkeys.Events.from_data(
        {"x": np.array(["2024-01-01T20:00"], "M8[m]")},
        start_time="2024-01-01", end_time="2024-01-02", **day,
    )  # fmt: skip
    test = hawkeys.Events.from_data(
        {"x": np.array(["2024-01-02T01:30"], "M8[m]")},
        start_time="2024-01-02", end_time="2024-01-03", **day,
    )  # fmt: skip
    found = history_before(test, train)
    assert found.times.tolist() == [-4.0]
    assert found.start_times.tolist() == [-24.0]
    assert found.end_times.tolist() == [0.0]
    assert continued(found, test)[0].times.tolist() == [-4.0, 1.5]


def test_nanoseconds_are_counted_from_one_moment():
    start = 1_700_000_000_000_000_000
    train = hawkeys.Events.from_lists([[[start + 5]]], start_times=start, end_times=start + 60)
    test = hawkeys.Events.from_lists([[[start + 63]]], start_times=start + 60, end_times=start + 90)
    found = history_before(test, train)
    assert found.times.tolist() == [-55.0]
    assert found.origins == test.origins


def test_a_record_is_read_back():
    train, test = two().split(at=3.0)
    record = history_to_record(train)
    lists = {name: value.tolist() for name, value in record.items()}  # as from a file
    for one in (record, lists):
        same(history_from_record(one, test), train)


def test_histories_that_do_not_fit_are_refused():
    train, test = two().split(at=3.0)
    other = hawkeys.Events.from_lists([[[1.0], []]], end_times=3.0, mark_names=["b", "a"])
    with pytest.raises(
        InvalidEventsError, match="the history has the marks 'b', 'a', the events 'a', 'b'"
    ):
        history_before(test, other)
    in_days = hawkeys.Events.from_data({"a": [1.0], "b": []}, end_time=3.0, unit="day")
    with pytest.raises(InvalidEventsError, match="the times of the history are numbers in days"):
        history_before(test, in_days)
    three = hawkeys.Events.joined([train, train[0]])
    with pytest.raises(InvalidParameterError, match="history has 3 realisations, the events have"):
        history_before(test, three)
    with pytest.raises(InvalidParameterError, match="one before each window"):
        continued(three, test)
    with pytest.raises(InvalidParameterError, match=r"realization 1: .* up to 2.9 but .* at 3.0"):
        history_before(test, hawkeys.Events.joined([train[0], train[1].between(end=2.9)]))
    with pytest.raises(InvalidEventsError, match=r"must be hawkeys\.Events, got dict"):
        history_before(test, {"a": [1.0]})
