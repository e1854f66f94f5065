"""Integers too large for doubles: an exact origin is subtracted first, or nothing is accepted."""

import numpy as np
import pandas as pd
import pytest

import hawkeys
from hawkeys import Events
from hawkeys.datasets import read_events
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError

START = 1_700_000_000_123_456_789  # nanoseconds since 1970
SECOND = 1_000_000_000
LAGS = [1, 300, 301, 5_000_000]
TIMES = [START + lag for lag in LAGS]


@pytest.mark.parametrize(
    "convert",
    [
        list,
        tuple,
        np.array,
        lambda x: np.array(x, dtype=np.uint64),
        lambda x: np.array(x, dtype=object),
        pd.Series,
        lambda x: pd.Series(x, dtype="Int64"),
        lambda x: pd.Series(x, dtype="uint64[pyarrow]") if _has_arrow() else pd.Series(x),
    ],
)
def test_whatever_holds_the_integers_they_stay_exact(convert):
    whole = {"start_times": START, "end_times": START + SECOND}
    ones = [0] * len(TIMES)
    both = [
        Events.from_lists([[convert(TIMES)]], **whole),
        Events.from_arrays(convert(TIMES), ones, **whole),
        Events.from_frame(
            pd.DataFrame({"t": convert(TIMES), "m": "a"}), time="t", mark="m", **whole
        ),
    ]
    for events in both:
        assert events.times.tolist() == LAGS
        assert events.times.dtype == np.float64
        assert events.origins == (START,)
        assert (events.start_times.tolist(), events.end_times.tolist()) == ([0.0], [1e9])


def _has_arrow():
    try:
        import pyarrow  # noqa: F401
    except ImportError:
        return False
    return True


def test_each_realisation_has_its_own_origin():
    days = [START + day * 86_400 * SECOND for day in range(3)]
    lists = [[[day + 1, day + 3], np.array([day + 2])] for day in days]
    events = Events.from_lists(lists, start_times=days, end_times=[day + 10 for day in days])
    assert events.origins == tuple(days)
    assert events.times.tolist() == [1.0, 2.0, 3.0] * 3
    assert events.marks.tolist() == [0, 1, 0] * 3
    assert events[[2, 0]].origins == (days[2], days[0])
    assert events[1:].origins == tuple(days[1:])
    frame = pd.DataFrame({"t": [day + 1 for day in days], "m": "a", "day": ["x", "y", "z"]})
    named = Events.from_frame(
        frame, time="t", mark="m", realization="day",
        start_times={"z": days[2], "w": START, "y": days[1], "x": days[0]},
        end_times={"x": days[0] + 9, "y": days[1] + 9, "z": days[2] + 9, "w": START + 5},
    )  # fmt: skip
    assert named.origins == (START, *days)  # of w, which has no event, first
    assert named.times.tolist() == [1.0] * 3
    assert named.end_times.tolist() == [5.0, 9.0, 9.0, 9.0]


def test_integers_larger_than_any_machine_word():
    start = 10**25
    events = Events.from_lists([[[start + 1, start + 4]]], start_times=start, end_times=start + 9)
    assert (events.times.tolist(), events.origins) == ([1.0, 4.0], (start,))
    mixed = Events.from_lists([[[2**63, 2**63 + 7]]], start_times=2**63 - 1, end_times=2**63 + 9)
    assert mixed.times.tolist() == [1.0, 8.0]


def test_small_integers_and_doubles_are_left_where_they_are():
    for times in ([1, 5], np.array([1, 5]), [1.0, 5.0], np.array([2**53 - 1, 2**53])):
        events = Events.from_lists([[times]], start_times=-3, end_times=2**53)
        assert events.origins is None
        assert events.times.tolist() == list(times)
    epoch = Events.from_lists([[[1.7e9 + 1]]], start_times=1.7e9, end_times=1.7e9 + 2)
    assert (epoch.origins, epoch.times.tolist()) == (None, [1.7e9 + 1])


def test_doubles_beside_integers_are_what_they_are():
    """1.7e18 + 256 is a double, and a whole number."""
    start = 1_700_000_000_000_000_000
    for bounds in ((start, start + 1024), (1.7e18, start + 1024), (start, 1.7e18 + 1024)):
        events = Events.from_lists(
            [[np.array([1.7e18 + 256]), [start + 257]]], start_times=bounds[0], end_times=bounds[1]
        )
        assert events.times.tolist() == [256.0, 257.0]
        assert events.end_times.tolist() == [1024.0]


def test_to_frame_and_to_lists_count_from_the_origin():
    events = Events.from_lists([[TIMES]], start_times=START, end_times=START + SECOND)
    assert events.to_frame()["time"].tolist() == LAGS
    assert events.to_lists()[0][0].tolist() == LAGS


@pytest.mark.parametrize(
    ("times", "message"),
    [
        (
            [START + 3, START + 2],
            rf"times\[1\]={START + 2} < times\[0\]={START + 3}",
        ),
        (
            [START - 1],
            rf"times\[0\]={START - 1} lies outside the window \[{START}, {START + SECOND}\]",
        ),
        ([START + 2 * SECOND], "lies outside the window"),
    ],
)
def test_errors_name_the_integers_that_came(times, message):
    whole = {"start_times": START, "end_times": START + SECOND}
    for make in (
        lambda: Events.from_lists([[times]], **whole),
        lambda: Events.from_arrays(times, [0] * len(times), **whole),
    ):
        with pytest.raises(InvalidEventsError, match=message):
            make()
    with pytest.raises(InvalidEventsError, match=f"got start {START} and end {START - 1}"):
        Events.from_lists([[[START]]], start_times=START, end_times=START - 1)


def test_a_start_too_far_away_is_refused():
    """Counted from 0 the times are multiples of 256: of 4 integers 2 become equal to another."""
    message = "window, 0, that doubles lie 256 apart there, and 2 of 4 times become equal"
    near = [TIMES[0], TIMES[0] + 1, TIMES[3], TIMES[3] + 1]
    for make in (
        lambda: Events.from_lists([[near]], end_times=START + SECOND),
        lambda: Events.from_arrays(near, [0] * 4, end_times=START + SECOND),
        lambda: hawkeys.fit([near], decay=1e-3, end_time=START + SECOND),
    ):
        with pytest.raises(InvalidEventsError, match=message):
            make()
    # none is equal, but each is moved by up to 128, of distances of 1000
    apart = [START + 1000 * k for k in range(9)]
    with pytest.raises(InvalidEventsError, match="0 of 9 times become equal"):
        Events.from_lists([[apart]], end_times=START + SECOND)
    # rounding that moves no event by a thousandth of the distances does no harm
    apart = [START + SECOND * k for k in range(9)]
    events = Events.from_lists([[apart]], end_times=START + 10 * SECOND)
    assert events.origins is None
    np.testing.assert_allclose(np.diff(events.times), 1e9, rtol=1e-6)


def test_missing_and_other_objects_are_refused():
    for times in (pd.Series([1, None], dtype="Int64"), [START, None], [START, "x"], [1.5, "x"]):
        with pytest.raises(InvalidEventsError, match=r"sequence of numbers|must be finite"):
            Events.from_lists([[times]], end_times=START + SECOND)
    with pytest.raises(InvalidEventsError, match=r"x\.astype\('datetime64\[ns\]'\)"):
        Events.from_lists([[pd.to_datetime(["2024-01-01"])]], end_times=START)
    for date in (np.datetime64("2024-01-01"), np.array(["2024-01-01"], dtype="M8[ns]")):
        with pytest.raises(InvalidParameterError, match=r"end_times: .*dates; count them in"):
            Events.from_lists([[[1.0]]], end_times=date)
    with pytest.raises(InvalidParameterError, match="end_times: expected numbers"):
        Events.from_lists([[[1.0]]], end_times=pd.Timestamp("2024-01-01"))
    with pytest.raises(InvalidParameterError, match="end_times is inf"):
        Events.from_lists([[TIMES]], start_times=START, end_times=np.inf)


@pytest.fixture(scope="module")
def nanoseconds():
    """A process with decay 5e6 per second, and its times as int64 nanoseconds since 1970."""
    truth = hawkeys.Hawkes([1000.0], [[0.5]], decay=5e6)
    sample = hawkeys.simulate(truth, end_time=4.0, rng=5)
    times = START + np.round(sample.times * 1e9).astype(np.int64)
    return sample, times


def test_a_fast_kernel_is_recovered_from_integers(nanoseconds):
    """As doubles, 1/4 of these times tie, and decay and adjacency come out far too small."""
    sample, times = nanoseconds
    fine = hawkeys.fit(sample, decay="estimate")
    window = {"start_time": START, "end_time": START + 4 * SECOND}
    result = hawkeys.fit([times], decay="estimate", **window)
    decay = 1e9 * float(result.kernel.decay)
    assert decay == pytest.approx(5e6, rel=0.05)
    assert result.adjacency[0, 0] == pytest.approx(0.5, abs=0.03)
    # rounding to 1 ns of a time scale of 200 ns is all that differs
    assert decay == pytest.approx(float(fine.kernel.decay), rel=0.01)
    assert result.adjacency[0, 0] == pytest.approx(fine.adjacency[0, 0], abs=2e-3)
    assert 1e9 * result.baseline[0] == pytest.approx(fine.baseline[0], rel=5e-3)


def test_every_face_that_takes_lists_takes_start_time(nanoseconds):
    times = nanoseconds[1]
    window = {"start_time": START, "end_time": START + 4 * SECOND}
    lags = [(times - START).astype(np.float64)]
    plain = {"end_time": 4.0 * SECOND}
    for fit in (hawkeys.fit, hawkeys.fit_each, hawkeys.fit_rectified):
        near, far = fit(lags, decay=5e-3, **plain), fit([times], decay=5e-3, **window)
        np.testing.assert_array_equal(near.adjacency, far.adjacency)
        np.testing.assert_array_equal(near.log_likelihood, far.log_likelihood)
    for method in ("least_squares", "map", "vi"):
        near, far = (
            hawkeys.fit(data, decay=5e-3, method=method, **where)
            for data, where in ((lags, plain), ([times], window))
        )
        np.testing.assert_array_equal(near.adjacency, far.adjacency)
    values = [
        hawkeys.LogLikelihood(data, decay=5e-3, **where).value([[1e-6, 0.5]])
        for data, where in ((lags, plain), ([times], window))
    ]
    assert values[0] == values[1]
    paths = [
        hawkeys.inference.penalty_path(data, decay=5e-3, n_strengths=3, **where)
        for data, where in ((lags, plain), ([times], window))
    ]
    np.testing.assert_array_equal(paths[0].coefficients, paths[1].coefficients)


def test_start_time_of_many_realisations_and_of_events():
    lists = [[[11.0, 12.5]], [[21.0]]]
    result = hawkeys.fit_each(lists, decay=1.0, start_time=[10.0, 20.0], end_time=[14.0, 24.0])
    alone = hawkeys.fit_each([[[1.0, 2.5]], [[1.0]]], decay=1.0, end_time=4.0)
    np.testing.assert_allclose(result.log_likelihood, alone.log_likelihood, rtol=1e-12)
    events = Events.from_lists(lists, start_times=[10.0, 20.0], end_times=[14.0, 24.0])
    for fit in (hawkeys.fit, hawkeys.fit_each, hawkeys.fit_rectified):
        with pytest.raises(InvalidParameterError, match="end_time and start_time belong to lists"):
            fit(events, decay=1.0, start_time=10.0)


def test_a_continuation_keeps_the_origin():
    process = hawkeys.Hawkes([1e-6], [[0.5]], decay=1e-5)
    past = Events.from_lists([[TIMES]], start_times=START, end_times=START + SECOND)
    end = START + SECOND + 50_000_000
    ahead = hawkeys.simulate(process, end_time=end, history=past, rng=1)
    near = Events.from_lists([[LAGS]], end_times=1.0e9)
    expected = hawkeys.simulate(process, end_time=1.05e9, history=near, rng=1)
    np.testing.assert_array_equal(ahead.times, expected.times)
    assert (ahead.origins, ahead.start_times.tolist()) == ((START,), [1e9])
    # counted from the origin, as the events are, is the same
    again = hawkeys.simulate(process, end_time=1.05e9, history=past, rng=1)
    np.testing.assert_array_equal(ahead.times, again.times)
    many = hawkeys.simulate(process, end_time=end, n_realizations=3, history=past, rng=1)
    assert many.origins == (START,) * 3
    tree = hawkeys.simulate_branching(process, end_time=end, history=past, rng=1)
    assert tree.events.origins == (START,)
    assert hawkeys.simulate_until(process, 5, history=past, rng=1).origins == (START,)
    future = hawkeys.forecast(process, past, horizon=5e7, n_paths=4, rng=1)
    assert future.paths.origins == (START,) * 4
    with pytest.raises(InvalidParameterError, match=r"observed up to 1000000000\.0 but the window"):
        hawkeys.simulate(process, start_time=START, end_time=end, history=past)
    with pytest.raises(InvalidParameterError, match="one number or one per realisation"):
        hawkeys.simulate(process, end_time=[end] * 2, n_realizations=3, history=past)


def test_a_table_of_nanoseconds(tmp_path):
    path = tmp_path / "events.csv"
    pd.DataFrame({"time": TIMES, "mark": list("abab")}).to_csv(path, index=False)
    events = read_events(path, start_times=START, end_times=START + SECOND)
    assert (events.times.tolist(), events.origins) == (LAGS, (START,))


def test_queries_count_from_the_origin():
    process = hawkeys.Hawkes([1.0], [[0.5]], decay=1e-3)
    past = Events.from_lists([[TIMES]], start_times=START, end_times=START + SECOND)
    near = Events.from_lists([[LAGS]], end_times=1e9)
    np.testing.assert_array_equal(
        process.intensity(past, [302.0, 5e8]), process.intensity(near, [302.0, 5e8])
    )
    with pytest.raises(InvalidParameterError, match=r"Subtract events\.origins first"):
        process.intensity(past, [START + 302])


@pytest.mark.parametrize("seed", range(30))
def test_against_integers_of_python(seed):
    rng = np.random.default_rng(seed)
    lists, starts, ends, expected = [], [], [], []
    for _ in range(int(rng.integers(1, 4))):
        start = int(rng.integers(2**55, 2**62)) * int(rng.choice([1, -1, 2**40]))
        length = int(rng.integers(10**6, 2**50))
        marks = [sorted(int(t) for t in rng.integers(0, length, 8)) for _ in range(2)]
        lists.append([[start + t for t in mark] for mark in marks])
        starts.append(start)
        ends.append(start + length)
        expected += sorted(marks[0] + marks[1])
    events = Events.from_lists(lists, start_times=starts, end_times=ends)
    assert [int(t) for t in events.times] == expected
    assert events.origins == tuple(starts)
    assert events.durations.tolist() == [e - s for s, e in zip(starts, ends, strict=True)]
