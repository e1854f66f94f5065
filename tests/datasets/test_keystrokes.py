import dataclasses
import pickle

import numpy as np
import pandas as pd
import pytest

from hawkeys.datasets import Keystrokes, load_demo, timings_to_events
from hawkeys.exceptions import InvalidParameterError, InvalidTimingsError

ROWS = np.array([[0.1, 0.25, 0.15, 0.12], [0.11, 0.2, 0.09, 0.1], [0.2, 0.15, -0.05, 0.1]])


@pytest.fixture
def typed():
    return Keystrokes.from_timings(ROWS, subject=["b", "a", "b"], keys=["x", "y"])


def test_fields(typed):
    assert typed.subject.tolist() == ["b", "a", "b"]
    assert typed.session.tolist() == [1, 1, 1]
    assert typed.repetition.tolist() == [1, 1, 2]
    assert typed.keys == ("x", "y")
    assert typed.subjects == ("b", "a")
    assert len(typed) == 3
    assert typed.origin is None
    assert typed.provenance == {}
    np.testing.assert_allclose(typed.press, [[0, 0.25], [0, 0.2], [0, 0.15]], rtol=0, atol=1e-12)
    np.testing.assert_allclose(
        typed.release, [[0.1, 0.37], [0.11, 0.3], [0.2, 0.25]], rtol=0, atol=1e-12
    )


def test_timings_are_exactly_the_input(typed):
    frame = typed.timings()
    assert list(frame.columns) == ["H.x", "DD.x.y", "UD.x.y", "H.y"]
    assert np.array_equal(frame.to_numpy(), ROWS)


def test_it_cannot_be_changed(typed):
    with pytest.raises(dataclasses.FrozenInstanceError):
        typed.keys = ()
    for name in ("subject", "session", "repetition", "press", "release"):
        with pytest.raises(ValueError, match="read-only"):
            getattr(typed, name)[0] = getattr(typed, name)[1]
    frame = typed.timings()
    frame.iloc[0, 0] = 7.0
    assert typed.timings().iloc[0, 0] == 0.1


def test_the_input_is_copied():
    matrix, subject, session = ROWS.copy(), np.array(["b", "a", "b"]), np.array([1, 1, 2])
    typed = Keystrokes.from_timings(matrix, subject=subject, session=session)
    matrix[0, 0], subject[0], session[0] = 9.0, "z", 9
    assert typed.timings().iloc[0, 0] == 0.1
    assert typed.subject[0] == "b"
    assert typed.session[0] == 1


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        (np.array([True, False, True]), [0, 2]),
        ([True, False, True], [0, 2]),
        (pd.Series([True, False, True], index=[5, 6, 7]), [0, 2]),
        ([2, 0, 0], [2, 0, 0]),
        (slice(1, None), [1, 2]),
        (-1, [2]),
        ([], []),
        (np.zeros(3, dtype=bool), []),
    ],
)
def test_indexing(typed, rows, expected):
    part = typed[rows]
    assert isinstance(part, Keystrokes)
    assert len(part) == len(expected)
    assert part.keys == typed.keys
    for name in ("subject", "session", "repetition", "press", "release"):
        assert np.array_equal(getattr(part, name), getattr(typed, name)[expected])
    assert np.array_equal(part.timings(), ROWS[expected])


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([True, False], r"a mask must have one entry per sample \(3\); got shape \(2,\)"),
        (["b"], "picked by a boolean mask, integers or a slice; got an index of type <U1"),
        ([0.0], "got an index of type float64"),
        ([[0, 1]], r"shape \(1, 2\)"),
    ],
)
def test_bad_index(typed, rows, message):
    with pytest.raises(InvalidParameterError, match=message):
        typed[rows]


def test_index_beyond_the_end(typed):
    with pytest.raises(IndexError, match="out of bounds"):
        typed[3]
    assert [len(sample) for sample in typed] == [1, 1, 1]


def test_origin_stays_with_a_part():
    demo = load_demo(n_subjects=1, n_sessions=1)
    assert demo[:2].origin is demo.origin
    assert "SIMULATED" in repr(demo[:2])


def test_pickle(typed):
    copy = pickle.loads(pickle.dumps(typed))
    assert np.array_equal(copy.timings(), typed.timings())
    assert copy.subjects == typed.subjects


@pytest.mark.parametrize("rows", [slice(None), slice(0, 0), [0]])
def test_repr_is_short(typed, rows):
    text = repr(typed[rows])
    assert text.count("\n") <= 9
    assert "array" not in text


def test_repr_shortens_many_names():
    names = [f"person{i}" for i in range(40)]
    typed = Keystrokes.from_timings(np.tile(ROWS[:1], (40, 1)), subject=names)
    assert "person9 ... person39" in repr(typed)
    assert "person11" not in repr(typed)


def test_unequal_repetitions_in_repr(typed):
    assert "2 subjects (b a), 1 session, 1 to 2 repetitions each" in repr(typed)


def test_frame_is_read_by_column_names():
    frame = pd.DataFrame(ROWS, columns=["H.x", "DD.x.y", "UD.x.y", "H.y"])
    shuffled = frame[["UD.x.y", "H.x", "H.y", "DD.x.y"]].assign(note="ignored")
    typed = Keystrokes.from_timings(shuffled, subject="b")
    assert typed.keys == ("x", "y")
    assert np.array_equal(typed.timings(), ROWS)


@pytest.mark.parametrize(
    ("columns", "keys", "message"),
    [
        (["a", "b", "c", "d"], None, "no column named H.<key>"),
        (["H.x", "DD.x.y", "UDxy", "H.y"], None, r"no column 'UD.x.y' \(1 of 4"),
        (["H.x", "DD.x.y", "UD.x.y", "H.y"], ["y", "x"], "no column 'DD.y.x'"),
    ],
)
def test_frame_without_the_columns(columns, keys, message):
    with pytest.raises(InvalidTimingsError, match=message):
        Keystrokes.from_timings(pd.DataFrame(ROWS, columns=columns), subject="b", keys=keys)


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"subject": ["a", "b"]}, r"subject must be one value or one per sample \(3\); got shape"),
        ({"subject": "a", "session": [1, 2]}, "session must be one value or one per sample"),
        ({"subject": "a", "session": 1.0}, "session must be whole numbers.*got type float64"),
        ({"subject": "a", "repetition": ["1", "2", "3"]}, "repetition must be whole numbers"),
        ({"subject": "a", "keys": ["x"]}, "keys must name all 2 keys"),
    ],
)
def test_wrong_labels(labels, message):
    with pytest.raises(InvalidParameterError, match=message):
        Keystrokes.from_timings(ROWS, **labels)


def test_broken_timings_name_the_key():
    with pytest.raises(InvalidTimingsError, match=r"row 0: H\.x is -0\.1;"):
        Keystrokes.from_timings([[-0.1, 0.2, 0.3, 0.1]], subject="a", keys="xy")


def test_from_press_release_forgets_the_origin(typed):
    shift = np.array([[100.0], [7.0], [0.0]])
    again = Keystrokes.from_press_release(
        typed.press + shift, typed.release + shift, subject=typed.subject, keys=typed.keys
    )
    # At 100 s a float is exact to 1.4e-14 s, below the nanosecond that key times are kept to.
    assert np.array_equal(again.press, typed.press)
    assert np.array_equal(again.release, typed.release)
    np.testing.assert_allclose(again.timings(), ROWS, rtol=0, atol=1e-12)


@pytest.mark.parametrize("marks", ["keys", "actions"])
def test_events_are_those_of_the_timing_matrix(typed, marks):
    ours = typed.to_events(marks=marks)
    matrix = timings_to_events(ROWS, marks=marks, keys=typed.keys)
    for name in ("times", "marks", "offsets", "start_times", "end_times"):
        assert np.array_equal(getattr(ours, name), getattr(matrix, name))
    assert ours.mark_names == matrix.mark_names
    assert ours.start_times.tolist() == [0.0] * 3


@pytest.mark.parametrize(("unit", "per_second"), [("ms", 1000), ("us", 10**6), ("ns", 10**9)])
def test_units(unit, per_second):
    """Milliseconds are not taken for seconds, from whatever entrance."""
    matrix = np.array([[0.1, 0.25, 0.15, 0.12], [0.11, 0.2, 0.09, 0.1]])
    whole = np.round(matrix * per_second).astype(np.int64)
    typed = Keystrokes.from_timings(whole, subject="ann", time_unit=unit)
    assert typed.timings().to_numpy().tolist() == matrix.tolist()
    with pytest.raises(InvalidTimingsError, match=r"the median hold .* with time_unit=.s"):
        Keystrokes.from_timings(whole, subject="ann")
    start = 1_700_000_000 * per_second
    press = start + np.round(np.array([[0, 0.25]]) * per_second).astype(np.int64)
    release = start + np.round(np.array([[0.1, 0.37]]) * per_second).astype(np.int64)
    typed = Keystrokes.from_press_release(press, release, subject="ann", time_unit=unit)
    assert typed.timings().to_numpy().tolist() == [matrix[0].tolist()]
    with pytest.raises(InvalidTimingsError, match="the median hold of the timings is"):
        Keystrokes.from_press_release(press, release, subject="ann")
    with pytest.raises(InvalidParameterError, match="time_unit must be one of 's', 'ms'"):
        Keystrokes.from_timings(matrix, subject="ann", time_unit="iso")
