"""What anybody has, read as events: frames, mappings, flat times, labels, every kind of number."""

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import pytest

import hawkeys
from hawkeys import Events
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError

TIMES = [0.5, 1.0, 1.25, 2.0, 2.5, 3.75]
LABELS = ["b", "a", "b", "b", "c", "a"]
RUNS = [7, 7, 7, 8, 8, 8]
# by hand: the marks a, b, c are 0, 1, 2
MARKS = [1, 0, 1, 1, 2, 0]


def pandas_frame(**columns):
    return pd.DataFrame(columns)


def polars_frame(**columns):
    return pytest.importorskip("polars", reason="polars is not installed").DataFrame(columns)


def arrow_table(**columns):
    return pytest.importorskip("pyarrow", reason="pyarrow is not installed").table(columns)


FRAMES = [pandas_frame, polars_frame, arrow_table]


def same(found, expected):
    for name in ("times", "marks", "offsets", "start_times", "end_times"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name), err_msg=name)
    assert found.mark_names == expected.mark_names


@pytest.fixture(scope="module")
def expected():
    return Events.from_arrays(
        TIMES, MARKS, offsets=[0, 3, 6], end_times=4.0, mark_names=["a", "b", "c"]
    )


@pytest.mark.parametrize("frame", FRAMES)
class TestFrames:
    def test_columns_by_name(self, frame, expected):
        table = frame(sec=TIMES, who=LABELS, n=RUNS)
        found = Events.from_frame(table, time="sec", mark="who", realization="n", end_time=4.0)
        same(found, expected)

    def test_columns_by_the_rules(self, frame, expected):
        for time, mark in (("time", "mark"), ("T", "Event_Type"), ("Timestamp", "some text")):
            table = frame(**{time: TIMES, mark: LABELS, "realization": RUNS})
            same(Events.from_data(table, end_times=[4.0, 4.0]), expected)

    def test_integers_and_single_precision(self, frame):
        for dtype in (np.int32, np.int64, np.uint8, np.float32):
            table = frame(time=np.array([1, 2, 3], dtype=dtype))
            found = Events.from_data(table, end_time=4)
            assert found.times.tolist() == [1.0, 2.0, 3.0]
            assert found.mark_names == ("0",)

    def test_integers_beyond_doubles_stay_exact(self, frame):
        start = 1_700_000_000_000_000_001
        table = frame(time=[start + 1, start + 4])
        found = Events.from_data(table, start_time=start, end_time=start + 10)
        assert found.times.tolist() == [1.0, 4.0]
        assert found.origins == (start,)

    def test_labels_of_numbers_and_truths(self, frame):
        found = Events.from_data(frame(time=TIMES, mark=[10, 9, 10, 10, 9, 9]), end_time=4.0)
        assert found.mark_names == ("9", "10")
        assert found.marks.tolist() == [1, 0, 1, 1, 0, 0]
        truths = [True, False, True, True, False, False]
        found = Events.from_data(frame(time=TIMES, mark=truths), end_time=4.0)
        assert found.mark_names == ("False", "True")
        assert found.marks.tolist() == [1, 0, 1, 1, 0, 0]

    @pytest.mark.parametrize("zone", [None, "UTC", "Europe/Berlin"])
    def test_dates(self, frame, zone):
        dates = pd.to_datetime(["2024-03-30T12:00", "2024-03-31T00:30", "2024-03-31T23:30"])
        start = pd.Timestamp("2024-03-30", tz=zone)
        table = frame(time=dates.tz_localize(zone).to_pydatetime().tolist(), mark=["a", "b", "a"])
        end = pd.Timestamp("2024-04-01", tz=zone)
        found = Events.from_data(table, unit="h", start_time=start, end_time=end)
        # an hour is left out in Berlin in the night of 31 March at 2 o'clock
        lost = 1.0 if zone == "Europe/Berlin" else 0.0
        assert found.times.tolist() == [12.0, 24.5, 47.5 - lost]
        assert found.end_times.tolist() == [48.0 - lost]
        assert found.unit == "h"
        assert found.clock.show(24.5).startswith("2024-03-31T00:30:00")

    def test_durations(self, frame):
        lags = [dt.timedelta(minutes=30), dt.timedelta(minutes=45)]
        found = Events.from_data(frame(time=lags), unit="min", end_time=dt.timedelta(hours=1))
        assert found.times.tolist() == [30.0, 45.0]
        assert found.end_times.tolist() == [60.0]

    def test_days_without_hours(self, frame):
        days = [dt.date(2024, 2, 28), dt.date(2024, 3, 1)]
        found = Events.from_data(
            frame(time=days), unit="day", start_time="2024-02-28", end_time="2024-03-02"
        )
        assert found.times.tolist() == [0.0, 2.0]  # a leap year

    def test_missing_values_are_refused_by_row(self, frame):
        for column, table in (
            ("time", frame(time=[0.5, None, 1.0], mark=["a", "b", "a"])),
            ("mark", frame(time=[0.5, 0.7, 1.0], mark=["a", None, "a"])),
            ("time", frame(time=[dt.datetime(2024, 1, 1), None], mark=["a", "b"])),
        ):
            with pytest.raises(InvalidEventsError, match=f"column '{column}'.*is empty at row 1"):
                Events.from_data(table, unit="s", end_time=3.0)

    def test_text_where_times_are_expected(self, frame):
        with pytest.raises(InvalidEventsError, match=r"column 'time': times .*pandas.to_datetime"):
            Events.from_data(frame(time=["2024-01-01", "2024-01-02"]), unit="s", end_time=3.0)

    def test_what_is_open_is_asked(self, frame):
        table = frame(time=TIMES, mark=LABELS, session=RUNS)
        with pytest.raises(InvalidEventsError, match="does the column 'session' tell realisations"):
            Events.from_data(table, end_time=4.0)
        found = Events.from_data(table, time="time", mark="mark", end_time=4.0)
        assert found.n_realizations == 1
        two = frame(time=TIMES, mark=LABELS, run=RUNS, trial=RUNS)
        with pytest.raises(
            InvalidEventsError, match="'run', 'trial' could all be the realizations"
        ):
            Events.from_data(two, end_time=4.0)
        with pytest.raises(InvalidEventsError, match="'mark', 'kind' could all be the marks"):
            Events.from_data(frame(time=TIMES, mark=LABELS, kind=LABELS), end_time=4.0)
        with pytest.raises(InvalidEventsError, match="columns 'price' holds the marks"):
            Events.from_data(frame(time=TIMES, price=TIMES), end_time=4.0)
        with pytest.raises(InvalidEventsError, match="which column holds the times"):
            Events.from_data(frame(x=TIMES, mark=LABELS), end_time=4.0)

    def test_sorted_on_request_alone(self, frame, expected):
        order = [5, 0, 3, 1, 4, 2]
        shuffled = {"time": TIMES, "mark": LABELS, "realization": RUNS}
        table = frame(**{k: [v[i] for i in order] for k, v in shuffled.items()})
        with pytest.raises(InvalidEventsError, match=r"Sort them \(sort=True"):
            Events.from_data(table, end_time=4.0)
        same(Events.from_data(table, end_time=4.0, sort=True), expected)

    def test_the_same_fit(self, frame, expected):
        found = hawkeys.fit(frame(time=TIMES, mark=LABELS, realization=RUNS), decay=1.0, end_time=4)
        np.testing.assert_array_equal(found.estimates, hawkeys.fit(expected, decay=1.0).estimates)


@pytest.mark.parametrize("dtype", ["Int64", "Float64", "Int32", "object", "float32"])
def test_types_of_pandas(dtype):
    frame = pd.DataFrame({"time": pd.Series([1, 2, 3], dtype=dtype)})
    assert Events.from_data(frame, end_time=4).times.tolist() == [1.0, 2.0, 3.0]
    assert Events.from_data(frame["time"], end_time=4).times.tolist() == [1.0, 2.0, 3.0]


@pytest.mark.parametrize("dtype", ["Int64", "Float64"])
def test_missing_values_of_nullable_types(dtype):
    frame = pd.DataFrame({"time": pd.Series([1, None, 3], dtype=dtype)})
    with pytest.raises(InvalidEventsError, match="column 'time' is empty at row 1"):
        Events.from_data(frame, end_time=4)


@pytest.mark.parametrize("dtype", ["object", "category", "string"])
def test_labels_of_pandas(dtype, expected):
    labels = pd.Series(LABELS, dtype=dtype)
    frame = pd.DataFrame({"time": TIMES, "mark": labels, "realization": RUNS})
    same(Events.from_data(frame, end_time=4.0), expected)
    frame.loc[2, "mark"] = None
    with pytest.raises(InvalidEventsError, match="column 'mark' is empty at row 2"):
        Events.from_data(frame, end_time=4.0)


def test_categories_keep_their_order_and_their_silent_ones():
    labels = pd.Categorical(["x", "a", "x"], categories=["x", "silent", "a"])
    frame = pd.DataFrame({"time": [1, 2, 3], "mark": labels})
    found = Events.from_data(frame, end_time=4)
    assert found.mark_names == ("x", "silent", "a")
    assert found.marks.tolist() == [0, 2, 0]


def test_enumerations_of_polars_keep_their_order():
    polars = pytest.importorskip("polars", reason="polars is not installed")
    kind = polars.Enum(["x", "silent", "a"])
    frame = polars.DataFrame(
        {"time": [1, 2, 3], "mark": polars.Series(["x", "a", "x"], dtype=kind)}
    )
    found = Events.from_data(frame, end_time=4)
    assert found.mark_names == ("x", "silent", "a")
    assert found.marks.tolist() == [0, 2, 0]


def test_the_index_of_dates_holds_the_times():
    frame = pd.DataFrame({"mark": ["a", "b"]}, index=pd.to_datetime(["2024-01-02", "2024-01-03"]))
    found = Events.from_data(frame, unit="day", start_time="2024-01-01", end_time="2024-01-04")
    assert found.times.tolist() == [1.0, 2.0]
    assert found.mark_names == ("a", "b")


def test_columns_of_polars_and_pyarrow_alone(expected):
    polars = pytest.importorskip("polars", reason="polars is not installed")
    arrow = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    for make in (pd.Series, pd.Index, polars.Series, arrow.array, np.array, list, tuple):
        found = Events.from_data(
            make(TIMES), mark=make(LABELS), realization=make(RUNS), end_time=4.0
        )
        same(found, expected)


def test_flat_times_are_one_mark():
    for flat in (TIMES, np.array(TIMES), pd.Series(TIMES), tuple(TIMES)):
        result = hawkeys.fit(flat, decay=1.0, end_time=4.0)
        wrapped = hawkeys.fit([TIMES], decay=1.0, end_time=4.0)
        np.testing.assert_array_equal(result.estimates, wrapped.estimates)


def test_numbers_of_any_kind():
    given = [Decimal("0.5"), np.float32(1.0), np.int16(2), 3, 3.5]
    assert Events.from_data(given, end_time=4.0).times.tolist() == [0.5, 1.0, 2.0, 3.0, 3.5]
    exact = Events.from_data([2**53 + 1, 2**53 + 3], start_time=2**53, end_time=2**53 + 9)
    assert exact.times.tolist() == [1.0, 3.0]


def test_mark_names_in_the_order_wanted():
    names = ["c", "b", "silent", "a"]
    found = Events.from_data(TIMES, mark=LABELS, mark_names=names, end_time=4.0)
    assert found.mark_names == tuple(names)
    assert found.marks.tolist() == [names.index(label) for label in LABELS]
    with pytest.raises(InvalidEventsError, match="have the mark 'c', which is none of 'a', 'b'"):
        Events.from_data(TIMES, mark=LABELS, mark_names=["a", "b"], end_time=4.0)


def test_windows_by_label_name_realisations_without_events():
    frame = pd.DataFrame({"time": [1.0, 2.0], "mark": ["a", "a"], "realization": ["x", "z"]})
    found = Events.from_data(frame, end_time={"x": 3.0, "y": 5.0, "z": 4.0})
    assert found.end_times.tolist() == [3.0, 5.0, 4.0]
    assert found.counts.ravel().tolist() == [1, 0, 1]


def test_both_names_of_the_windows():
    one = Events.from_data([1.0], end_time=2.0, start_time=0.5)
    same(Events.from_data([1.0], end_times=2.0, start_times=0.5), one)
    same(Events.from_frame(pd.DataFrame({"t": [1.0]}), end_times=2.0, start_time=0.5), one)
    with pytest.raises(InvalidParameterError, match="end_time and end_times are two names of one"):
        Events.from_data([1.0], end_time=2.0, end_times=2.0)
    for fit in (hawkeys.fit, hawkeys.fit_each, hawkeys.fit_rectified):
        a = fit([TIMES], decay=1.0, end_times=4.0, start_times=0.25)
        b = fit([TIMES], decay=1.0, end_time=4.0, start_time=0.25)
        np.testing.assert_array_equal(a.baseline, b.baseline)


def test_entrances_take_the_same_data():
    truth = hawkeys.Hawkes([0.4, 0.3], [[0.3, 0.1], [0.2, 0.3]], decay=2.0, mark_names="ab")
    events = hawkeys.simulate(truth, end_time=200.0, n_realizations=2, rng=0)
    frame, point = events.to_frame(), np.full((2, 3), 0.1)
    value = hawkeys.LogLikelihood(frame, decay=1.0, end_time=200.0).value(point)
    assert value == hawkeys.LogLikelihood(events, decay=1.0).value(point)
    for fit in (hawkeys.fit, hawkeys.fit_each, hawkeys.fit_rectified):
        found, other = fit(frame, decay=1.0, end_time=200.0), fit(events, decay=1.0)
        np.testing.assert_array_equal(found.adjacency, other.adjacency)
    path = hawkeys.inference.penalty_path(frame, decay=1.0, end_time=200.0, n_strengths=3)
    other = hawkeys.inference.penalty_path(events, decay=1.0, n_strengths=3)
    np.testing.assert_array_equal(path.strengths, other.strengths)
    filters = hawkeys.process.LogTimeFilters([0.1, 0.2, 0.4])
    given = {"filters": filters, "memory": 1, "end_time": 200.0}
    nonlinear = hawkeys.fit_nonlinear(frame, **given)
    other = hawkeys.fit_nonlinear(events, filters=filters, memory=1)
    np.testing.assert_array_equal(nonlinear.parameters, other.parameters)
    with pytest.raises(InvalidParameterError, match="there is no argument 'endtime' here"):
        hawkeys.LogLikelihood(frame, decay=1.0, endtime=200.0)


def test_large_frames_take_little_memory():
    """Peak of what is allocated while a frame is read: at most twice the result."""
    import tracemalloc

    n = 1_000_000
    rng = np.random.default_rng(0)
    ticks = np.sort(rng.integers(0, 30 * 86_400 * 10**9, n))
    what = np.array(["buy", "sell", "amend"], dtype=object)[rng.integers(0, 3, n)]
    frame = pd.DataFrame({"time": ticks.astype("datetime64[ns]"), "mark": what})
    Events.from_data(frame[:10], unit="s", start_time="1970-01-01", end_time="1970-01-31")
    tracemalloc.start()
    found = Events.from_data(frame, unit="s", start_time="1970-01-01", end_time="1970-01-31")
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak <= 2 * (found.times.nbytes + found.marks.nbytes)
    np.testing.assert_allclose(found.times, ticks / 1e9, rtol=1e-15)


def test_labels_in_the_index_of_a_series_are_not_lost():
    times, labels = [1.0, 2.0, 3.5], ["buy", "view", "buy"]
    series = pd.Series(times, index=labels)
    for index in (labels, pd.CategoricalIndex(labels), pd.Index(labels, dtype="string")):
        with pytest.raises(InvalidEventsError, match=r"labels \('buy', 'view'\), .* mark=x\.index"):
            Events.from_data(pd.Series(times, index=index), end_time=4.0)
    found = Events.from_data(series.to_numpy(), mark=series.index, end_time=4.0)
    assert found.mark_names == ("buy", "view")
    assert found.marks.tolist() == [0, 1, 0]
    picked = Events.from_data(pd.Series(times, index=[7, 3, 12]), end_time=4.0)
    assert picked.times.tolist() == times


def test_a_list_without_marks_is_told():
    with pytest.raises(InvalidEventsError, match=r"there is no mark: got an empty list"):
        hawkeys.fit([], end_time=5.0, decay=1.0)
    assert hawkeys.Events.from_data([[]], end_time=5.0).n_marks == 1


TABLE = pd.DataFrame({"time": [1.0, 2.0, 3.5, 4.0], "mark": list("abab")})


def test_record_arrays_and_batches_are_tables():
    pa = pytest.importorskip("pyarrow", reason="pyarrow is not installed")
    wanted = Events.from_data(TABLE, end_time=5.0)
    for data in (TABLE.to_records(index=False), pa.RecordBatch.from_pandas(TABLE)):
        read = Events.from_data(data, end_time=5.0)
        np.testing.assert_array_equal(read.times, wanted.times)
        np.testing.assert_array_equal(read.marks, wanted.marks)
        assert read.mark_names == wanted.mark_names


@pytest.mark.parametrize(
    ("data", "told"),
    [
        ([[1.0, 2.0], [[1.5], [2.5]]], r"one is \[1.0, 2.0\]: it is not clear how many"),
        (TABLE.set_axis(["time", "time"], axis=1), "several columns of one name, 'time'"),
        (TABLE.iloc[:0], r"there are no rows.*pass mark_names="),
        ({"x": TABLE, "y": TABLE}, "got DataFrame under 'x'.*pandas.concat"),
        (["2024-03-01", "2024-03-02"], "parse text first, by pandas.to_datetime"),
    ],
)
def test_what_is_no_data_is_named_with_what_to_do(data, told):
    with pytest.raises(InvalidEventsError, match=told):
        Events.from_data(data, end_time=5.0)


def test_several_events_are_told_to_be_joined_before_their_windows_are_asked_for():
    events = Events.from_data(TABLE, end_time=5.0)
    with pytest.raises(InvalidEventsError, match=r"put them together by Events\.joined"):
        hawkeys.fit([events, events], decay=1.0)


def test_an_empty_realisation_among_full_ones_is_still_one():
    events = Events.from_data([[[1.0]], [[]]], end_time=5.0)
    assert events.counts.ravel().tolist() == [1, 0]
