"""Values of events: a number for each, through every door and every cut."""

import copy
import pickle

import numpy as np
import pandas as pd
import pytest

import hawkeys
from hawkeys import Events
from hawkeys.events.windows import continued, history_before, history_from_record, history_to_record
from hawkeys.exceptions import InvalidEventsError

TIMES = [0.5, 1.0, 1.0, 2.5, 0.2, 3.0]
MARKS = [0, 1, 0, 1, 1, 0]
VALUES = [5.0, 3.5, 4.25, 3.0, 6.0, 3.25]


def sample(**more):
    return Events.from_arrays(
        TIMES, MARKS, offsets=[0, 4, 6], end_times=[3.0, 4.0], values=VALUES, **more
    )


def test_values_stay_beside_their_events_from_arrays():
    events = sample()
    assert events.values.tolist() == VALUES
    assert not events.values.flags.writeable
    assert "values=3..6" in repr(events)
    assert "values" not in repr(events.with_values(None))


def test_values_of_lists_are_merged_as_the_times_are():
    times = [[[0.5, 1.0], [1.0, 2.5]], [[3.0], [0.2]]]
    values = [[[5.0, 4.25], [3.5, 3.0]], [[3.25], [6.0]]]
    events = Events.from_lists(times, end_times=[3.0, 4.0], values=values)
    plain = Events.from_lists(times, end_times=[3.0, 4.0])
    assert events.times.tolist() == plain.times.tolist() == [0.5, 1.0, 1.0, 2.5, 0.2, 3.0]
    assert events.marks.tolist() == plain.marks.tolist()
    # of simultaneous events the one of the lower mark comes first
    assert events.values.tolist() == [5.0, 4.25, 3.5, 3.0, 6.0, 3.25]
    again = Events.from_data(times, end_time=[3.0, 4.0], values=values)
    assert again.values.tolist() == events.values.tolist()
    one = Events.from_data(times[0], end_time=3.0, values=values[0])
    assert one.values.tolist() == [5.0, 4.25, 3.5, 3.0]


def test_integers_beyond_doubles_keep_their_values():
    start = 1_700_000_000_000_000_000
    events = Events.from_lists(
        [[[start + 7], [start + 5]]], start_times=start, end_times=start + 60, values=[[[1], [2]]]
    )
    assert events.times.tolist() == [5.0, 7.0]
    assert events.values.tolist() == [2.0, 1.0]


def test_values_follow_when_times_are_sorted():
    events = Events.from_data([3.0, 1.0, 2.0], end_time=4.0, sort=True, values=[30, 10, 20])
    assert events.values.tolist() == [10.0, 20.0, 30.0]
    by_mark = Events.from_data(
        {"b": [3.0, 1.0], "a": [2.0]},
        end_time=4.0,
        sort=True,
        values={"b": [30.0, 10.0], "a": [20.0]},
    )
    assert by_mark.values.tolist() == [10.0, 20.0, 30.0]
    assert by_mark.marks.tolist() == [0, 1, 0]


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_a_column_of_a_frame_holds_the_values(library):
    columns = {"t": [2.0, 0.5, 1.5], "run": [1, 1, 0], "magnitude": [4.5, 3.0, 6.0]}
    module = pytest.importorskip(library)
    frame = module.table(columns) if library == "pyarrow" else module.DataFrame(columns)
    events = Events.from_frame(
        frame, time="t", realization="run", end_times=3.0, values="magnitude", sort=True
    )
    assert events.n_marks == 1  # the column of values is none of marks
    assert events.times.tolist() == [1.5, 0.5, 2.0]
    assert events.values.tolist() == [6.0, 3.0, 4.5]


def test_dates_may_have_values():
    days = np.array(["2024-03-03", "2024-03-02"], "M8[D]")
    window = {"start_time": "2024-03-01", "end_time": "2024-03-05", "unit": "day"}
    events = Events.from_data(days, values=[1.5, 2.5], sort=True, **window)
    assert events.values.tolist() == [2.5, 1.5]


def test_a_frame_and_back():
    frame = sample(mark_names=["a", "b"]).to_frame()
    assert list(frame.columns) == ["realization", "time", "mark", "value"]
    back = Events.from_frame(
        frame,
        time="time",
        mark="mark",
        realization="realization",
        end_times=[3.0, 4.0],
        values="value",
    )
    assert back.values.tolist() == VALUES
    assert list(sample().with_values(None).to_frame().columns) == ["realization", "time", "mark"]


def test_describe_tells_the_mean_value_of_each_mark():
    table = sample().describe()
    assert table["mean_value"].tolist() == [(5.0 + 4.25 + 3.25) / 3, (3.5 + 3.0 + 6.0) / 3]
    assert "mean_value" not in sample().with_values(None).describe()


def test_every_cut_keeps_values_beside_their_events():
    events = sample(mark_names=["a", "b"])
    key = dict(zip(zip(events.times, events.marks, strict=True), VALUES, strict=True))
    for part in (
        events.between(0.5, 2.0),
        *events.split(1.0),
        *events.split(share=0.5),
        events[1],
        events[[1, 0]],
        events[np.array([False, True])],
        Events.joined([events[1], events[0]]),
    ):
        assert part.values.tolist() == [key[at] for at in zip(part.times, part.marks, strict=True)]
    swapped = events.with_marks(["b", "a"])
    assert swapped.values.tolist() == VALUES
    assert events.with_marks(["b"]).values.tolist() == [3.5, 3.0, 6.0]


def test_copies_and_pickles_keep_values():
    events = sample()
    for again in (copy.copy(events), copy.deepcopy(events), pickle.loads(pickle.dumps(events))):
        assert again.values.tolist() == VALUES


def test_a_history_is_continued_with_its_values():
    first, second = sample().split(share=0.5)
    past = history_before(second, first)
    whole, later = continued(past, second)
    assert whole.values[later].tolist() == second.values.tolist()
    assert whole.values[~later].tolist() == first.values.tolist()
    again = history_from_record(history_to_record(past), second)
    assert again.values.tolist() == first.values.tolist()
    with pytest.raises(InvalidEventsError, match="the events have values, the history have none"):
        history_before(second, first.with_values(None))


def test_parts_with_and_without_values_are_not_joined():
    with pytest.raises(InvalidEventsError, match="part 1 has no values, part 0 has"):
        Events.joined([sample(), sample().with_values(None)])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([1.0, 2.0], "got 2 values for 3 events"),
        ([1.0, np.nan, 2.0], r"values\[1\]=nan. Drop the event, or fill in"),
        ([1.0, None, 2.0], r"values\[1\]=nan"),
        ([1.0, 2.0, np.inf], r"values\[2\]=inf"),
        (["a", "b", "c"], "sequence of numbers"),
        ([True, False, True], "bool"),
        ("magnitude", "column goes with a frame"),
        (3.0, "one number per event"),
        ([[1.0, 2.0, 3.0]], r"shape \(1, 3\)"),
    ],
)
def test_what_is_no_number_per_event_is_refused(values, message):
    with pytest.raises(InvalidEventsError, match=message):
        Events.from_arrays([1.0, 2.0, 3.0], [0, 0, 0], end_times=4.0, values=values)


def test_a_value_that_is_missing_is_named_by_realisation():
    with pytest.raises(InvalidEventsError, match=r"realization 1: .* values\[0\]=nan"):
        sample().with_values([1, 2, 3, 4, np.nan, 6])


def test_values_of_another_form_than_the_times_are_refused():
    frame = pd.DataFrame({"t": [1.0], "m": [2.0]})
    with pytest.raises(InvalidEventsError, match="name of a column of the frame"):
        Events.from_frame(frame, time="t", end_times=3.0, values="size")
    with pytest.raises(InvalidEventsError, match="a mapping with the same marks"):
        Events.from_data({"a": [1.0]}, end_time=3.0, values=[1.0])
    with pytest.raises(InvalidEventsError, match="lists of the same lengths as the times"):
        Events.from_lists([[[1.0]]], end_times=3.0, values=[1.0])
    with pytest.raises(InvalidEventsError, match=r"realization 0, mark 1: .* got 1 values for 2"):
        Events.from_lists([[[1.0], [1.0, 2.0]]], end_times=3.0, values=[[[1.0], [2.0]]])


def test_other_libraries_have_no_place_for_values():
    with pytest.raises(InvalidEventsError, match=r"no place\. Leave them behind"):
        hawkeys.interop.events_to_tick(sample())


def test_partitions_keep_values(tmp_path):
    pytest.importorskip("pyarrow")
    path = hawkeys.write_events(sample(), tmp_path / "events", events_per_partition=4)
    data = hawkeys.open_events(path)
    assert data.n_partitions == 2
    assert data.read().values.tolist() == VALUES
    parts = [sample(), sample().with_values(None)]
    with pytest.raises(InvalidEventsError, match="first has values, part 1 has none"):
        hawkeys.write_events(parts, tmp_path / "others")
