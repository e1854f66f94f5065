import naive_events
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from hawkeys.datasets import (
    check_timings,
    join_timings,
    press_release,
    split_timings,
    timing_columns,
    timings_to_events,
)
from hawkeys.exceptions import InvalidParameterError, InvalidTimingsError

ROW = [0.1, 0.25, 0.15, 0.12]


@st.composite
def timing_matrices(draw):
    """Timing matrices with ties, rollover and long pauses."""
    n_samples, n_keys = draw(st.integers(1, 5)), draw(st.integers(1, 6))
    ticks = st.integers(1, 30) | st.integers(1, 10**6)
    hold = draw(hnp.arrays(np.int64, (n_samples, n_keys), elements=ticks))
    down_down = draw(hnp.arrays(np.int64, (n_samples, n_keys - 1), elements=ticks))
    matrix = np.empty((n_samples, 3 * n_keys - 2))
    matrix[:, 0::3], matrix[:, 1::3] = hold, down_down
    matrix[:, 2::3] = down_down - hold[:, :-1]
    return matrix / 1e4


@given(timing_matrices())
def test_round_trip_of_press_and_release_times(matrix):
    # Times are kept to the nanosecond; each interval is a difference of two of them.
    np.testing.assert_allclose(join_timings(*press_release(matrix)), matrix, rtol=0, atol=1.01e-9)


@given(timing_matrices(), st.sampled_from(["keys", "actions"]))
def test_events_equal_the_naive_twin(matrix, marks):
    events = timings_to_events(matrix, marks=marks)
    assert events.n_marks == (matrix.shape[1] + 2) // 3 * (1 if marks == "keys" else 2)
    for r, row in enumerate(matrix):
        expected = naive_events.sample_events(row.tolist(), marks)
        assert list(zip(events[r].times, events[r].marks, strict=True)) == expected
        assert events.end_times[r] == expected[-1][0]


@given(timing_matrices())
def test_timings_come_back_from_events(matrix):
    n_keys = (matrix.shape[1] + 2) // 3
    lists = timings_to_events(matrix, marks="actions").to_lists()
    times = np.array([[times[0] for times in marks] for marks in lists])
    press, release = times[:, 0::2], times[:, 1::2]
    assert press.shape == (len(matrix), n_keys)
    np.testing.assert_allclose(join_timings(press, release), matrix, rtol=0, atol=1.01e-9)


def test_simultaneous_by_the_record_is_simultaneous_in_the_events():
    # 0.1 + 0.2 != 0.3 in floats: without rounding, key 3 would go down 5e-17 s before key 2 is up.
    matrix = [[0.05, 0.1, 0.05, 0.2, 0.2, 0.0, 0.1]]
    events = timings_to_events(matrix)
    assert np.sum(np.diff(events.times) == 0) == 1
    one_key = timings_to_events([[0.0, 0.3, 0.3, 0.1]])
    assert one_key.times.tolist() == [0.0, 0.0, 0.3, 0.4]


def test_split_and_columns_agree():
    matrix = np.array([[0.1, 0.3, 0.2, 0.05, 0.4, 0.35, 0.15]])
    hold, down_down, up_down = split_timings(matrix)
    columns = timing_columns("abc")
    assert columns == ["H.a", "DD.a.b", "UD.a.b", "H.b", "DD.b.c", "UD.b.c", "H.c"]
    assert hold.tolist() == [[0.1, 0.05, 0.15]]
    assert down_down.tolist() == [[0.3, 0.4]]
    assert up_down.tolist() == [[0.2, 0.35]]


def test_one_key():
    assert timing_columns(["a"]) == ["H.a"]
    events = timings_to_events([[0.25], [0.5]])
    assert events.times.tolist() == [0.0, 0.25, 0.0, 0.5]
    assert events.end_times.tolist() == [0.25, 0.5]


def test_actions_are_interleaved_marks():
    events = timings_to_events([[0.5, 0.25, -0.25, 0.5]], marks="actions", keys="ab")
    assert events.mark_names == ("press a", "release a", "press b", "release b")
    assert events.marks.tolist() == [0, 2, 1, 3]


def test_input_is_neither_changed_nor_shared():
    matrix = np.array([ROW])
    checked = check_timings(matrix)
    checked[0, 0] = 9.0
    assert matrix[0].tolist() == ROW


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_rounding_to_the_millisecond_passes(dtype):
    # H = 0.10049, UD = 0.10049, DD = 0.20098: each rounded, they disagree by 1 ms.
    assert check_timings(np.array([[0.1, 0.201, 0.1, 0.1]], dtype=dtype)).dtype == np.float64


@pytest.mark.parametrize(
    ("matrix", "message"),
    [
        (ROW, r"shape \(n_samples, 3 K - 2\).*got shape \(4,\)"),
        (np.zeros((2, 5)), r"got shape \(2, 5\)"),
        (np.zeros((2, 0)), r"got shape \(2, 0\)"),
        ([["a", 1, 1, 1]], "must hold numbers only.*could not convert string to float: 'a'"),
        ([[1j, 1, 1, 1]], "must hold numbers only"),
        ([[1, 2], [1]], "must hold numbers only"),
        ([ROW, [0.1, np.nan, 0.15, 0.12]], "row 1: DD.key1.key2 is nan; every interval must be f"),
        ([ROW, [0.1, 0.25, np.inf, 0.12]], "row 1: UD.key1.key2 is inf; every interval must be f"),
        ([[-0.1, 0.25, 0.35, 0.12]], "row 0: H.key1 is -0.1; H and DD must not be negative"),
        ([[0.1, -0.25, -0.35, 0.12]], "row 0: DD.key1.key2 is -0.25; H and DD must not be neg"),
        ([ROW, [0.1, 0.25, 0.14, 0.12]], r"row 1: DD.key1.key2 is 0.25; DD must equal H \+ UD"),
        ([[100, 250, 152, 120]], "Check the order of the columns .* the unit is seconds"),
    ],
)
@pytest.mark.parametrize("function", [check_timings, split_timings, timings_to_events])
def test_broken_matrices_are_refused(matrix, message, function):
    with pytest.raises(InvalidTimingsError, match=message):
        function(matrix)


def test_no_sample_gives_no_events():
    with pytest.raises(InvalidTimingsError, match="no sample to turn into events"):
        timings_to_events(np.empty((0, 4)))


def test_messages_use_the_names_of_the_keys():
    with pytest.raises(InvalidTimingsError, match=r"row 0: UD\.a\.b is nan"):
        check_timings([[0.1, 0.2, np.nan, 0.1]], keys="ab")


@pytest.mark.parametrize(
    ("keys", "message"),
    [
        (["a"], r"must name all 2 keys .* 4 columns\); got 1: \('a',\)"),
        (["a", "a"], "different names.*Number repeated keys"),
        (["a", ""], "one or more different names"),
        ([], "one or more different names"),
    ],
)
def test_wrong_keys(keys, message):
    with pytest.raises(InvalidParameterError, match=message):
        timings_to_events([ROW], keys=keys)


def test_unknown_marks():
    with pytest.raises(InvalidParameterError, match="marks must be one of 'keys', 'actions'"):
        timings_to_events([ROW], marks="letters")


@pytest.mark.parametrize(
    ("press", "release", "message"),
    [
        ([[0.0, 1.0]], [[0.5]], r"one shape .*got \(1, 2\) and \(1, 1\)"),
        ([0.0], [0.5], "one shape"),
        ([[0.0, 1.0]], [[0.5, 0.9]], "H.key2 is -0.1; H and DD must not be negative"),
        ([[0.0, -1.0]], [[0.5, 0.9]], "DD.key1.key2 is -1; H and DD"),
    ],
)
def test_join_refuses(press, release, message):
    with pytest.raises(InvalidTimingsError, match=message):
        join_timings(press, release)
