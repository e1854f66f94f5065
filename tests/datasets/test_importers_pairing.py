"""pair_events: each rule on a tiny example, with its tally and notes."""

import pickle

import numpy as np
import pandas as pd
import pytest

from hawkeys.datasets import Tally, pair_events, read_key_events
from hawkeys.exceptions import InvalidParameterError

KINDS = {"+": "down", "-": "up"}


def log(text, **labels):
    """Return events of text such as "+a0 -a2": press of a at 0, release at 2."""
    rows = [(token[1:-1], KINDS[token[0]], int(token[-1])) for token in text.split()]
    frame = pd.DataFrame(rows, columns=["key", "type", "time"])
    return read_key_events(frame.assign(**{"user": "ann", "session": 1, **labels}))


def told(strokes):
    """Return strokes as (key, press, release)."""
    return list(
        zip(strokes.key.tolist(), strokes.press.tolist(), strokes.release.tolist(), strict=True)
    )


CASES = {
    "one after the other": ("+a0 -a1 +b2 -b3", [("a", 0, 1), ("b", 2, 3)], {"paired": 4}, {}),
    "rollover": ("+a0 +b1 -a2 -b3", [("a", 0, 2), ("b", 1, 3)], {"paired": 4}, {"rollover": 1}),
    "release out of order": (
        "+a0 +b1 -b2 -a3", [("a", 0, 3), ("b", 1, 2)], {"paired": 4},
        {"rollover": 1, "release out of order": 1}),
    "missing release at the end": ("+a0 -a1 +b2", [("a", 0, 1)],
                                   {"paired": 2, "missing release": 1}, {}),
    "missing release before another key": (
        "+a0 +b1 -b2 +a3 -a4", [("b", 1, 2), ("a", 3, 4)],
        {"paired": 4, "missing release": 1}, {}),
    "release without press": ("-a0 +b1 -b2 -b3", [("b", 1, 2)],
                              {"paired": 2, "release without press": 2}, {}),
    "auto-repeat": ("+a0 +a1 +a2 -a3", [("a", 0, 3)], {"paired": 2, "auto-repeat": 2}, {}),
    "auto-repeat beside a release": (
        "+b0 +a1 -b2 +a3 -a4", [("b", 0, 2), ("a", 1, 4)],
        {"paired": 4, "auto-repeat": 1}, {"rollover": 1}),
    "simultaneous release and press": (
        "+a0 -a1 +b1 -b2", [("a", 0, 1), ("b", 1, 2)], {"paired": 4}, {"simultaneous": 2}),
    "simultaneous presses": (
        "+b0 +a0 -a1 -b2", [("b", 0, 2), ("a", 0, 1)], {"paired": 4},
        {"rollover": 1, "release out of order": 1, "simultaneous": 2}),
    "no hold": ("+a0 -a0", [("a", 0, 0)], {"paired": 2}, {"simultaneous": 2}),
    "again at the time of the release": (
        "+a0 -a1 +a1 -a2", [("a", 0, 2)], {"paired": 2, "auto-repeat pair": 2}, {}),
    "letters in either case": ("+A0 -a1 +1_2 -!_3", [("A", 0, 1)],
                               {"paired": 2, "missing release": 1, "release without press": 1},
                               {}),
    "nothing": ("-a0 +b1", [], {"missing release": 1, "release without press": 1}, {}),
}  # fmt: skip


@pytest.mark.parametrize("name", CASES)
def test_rules(name):
    text, expected, tally, notes = CASES[name]
    events = log(text)
    strokes = pair_events(events)
    assert told(strokes) == expected
    assert strokes.tally == tally
    assert strokes.tally.total == len(events)
    assert strokes.notes == notes


FOLDS = {
    "one letter": ("+Shift0 +a1 -a2 -Shift3", [("A", 1, 2)], {"paired": 2, "shift folded": 2}),
    "Shift let go first": ("+shift0 +a1 -shift2 -a3", [("A", 1, 3)],
                           {"paired": 2, "shift folded": 2}),
    "two letters": ("+shift_l0 +a1 -a2 +b3 -b4 -shift_l5", [("A", 1, 2), ("B", 3, 4)],
                    {"paired": 4, "shift folded": 2}),
    "letter at the release": ("+shift0 -shift1 +a1 -a2", [("a", 1, 2)],
                              {"paired": 2, "shift without letter": 2}),
    "letter down before": ("+a0 +shift1 -a2 -shift3", [("a", 0, 2)],
                           {"paired": 2, "shift without letter": 2}),
    "other keys": ("+shift0 +11 -12 +space3 -space4 -shift5", [("1", 1, 2), ("space", 3, 4)],
                   {"paired": 4, "shift without letter": 2}),
    "no single capital": ("+shift0 +ß1 -ß2 -shift3", [("ß", 1, 2)],
                          {"paired": 2, "shift without letter": 2}),
    "both Shifts": ("+lshift0 +rshift1 -rshift2 +a3 -a4 -lshift5", [("A", 3, 4)],
                    {"paired": 2, "shift folded": 2, "shift without letter": 2}),
    "repeating Shift": ("+shift0 +shift1 +a2 -a3 -shift4", [("A", 2, 3)],
                        {"paired": 2, "auto-repeat": 1, "shift folded": 2}),
}  # fmt: skip


@pytest.mark.parametrize("name", FOLDS)
def test_shift_folding(name):
    text, expected, tally = FOLDS[name]
    events = log(text)
    strokes = pair_events(events, shift="fold")
    assert told(strokes) == expected
    assert strokes.tally == tally
    assert strokes.tally.total == len(events)
    kept = pair_events(events)
    assert kept.tally["paired"] == 2 * len(kept)
    assert sum(key.lower().count("shift") for key in kept.key.tolist()) > 0


def test_a_shift_never_reaches_into_the_next_session():
    events = log("+shift0 -shift9 +a1 -a2", session=[1, 1, 2, 2])
    strokes = pair_events(events, shift="fold")
    assert told(strokes) == [("a", 1, 2)]


def test_recordings_are_apart():
    """Users, sessions and repetitions that take turns in the file."""
    text = "+a0 +a1 +a2 +a3 -a4 -a5 -a6 -a7"
    labels = {"user": list("xxyyxxyy"), "session": [1, 2] * 4}
    strokes = pair_events(log(text, **labels))
    assert strokes.tally == {"paired": 8}
    assert strokes.user.tolist() == ["x", "x", "y", "y"]
    assert strokes.session.tolist() == [1, 2, 1, 2]
    assert told(strokes) == [("a", 0, 4), ("a", 1, 5), ("a", 2, 6), ("a", 3, 7)]
    strokes = pair_events(log("+a5 -a6 +a0 -a1", rep=[1, 1, 2, 2]))
    assert strokes.repetition.tolist() == [1, 2]
    assert told(strokes) == [("a", 5, 6), ("a", 0, 1)]
    assert strokes.notes == {}


def table(*rows):
    names = ["user", "session", "key", "press", "release"]
    return read_key_events(pd.DataFrame(rows, columns=names))


def test_rows_of_keystrokes_are_paired_as_they_stand():
    """Even if a key overlaps itself; the order of presses is restored."""
    events = table(("x", 1, "a", 5, 9), ("x", 1, "a", 0, 7), ("y", 1, "b", 1, 2))
    strokes = pair_events(events, order="time")
    assert told(strokes) == [("a", 0, 7), ("a", 5, 9), ("b", 1, 2)]
    assert strokes.tally == {"paired": 6}
    assert strokes.tally.total == len(events)
    folded = pair_events(table(("x", 1, "shift", 0, 9), ("x", 1, "a", 1, 2)), shift="fold")
    assert told(folded) == [("A", 1, 2)]
    assert folded.tally == {"paired": 2, "shift folded": 2}


def test_picking_keeps_the_tally_complete():
    strokes = pair_events(log("+a0 -a1 +b2 -b3 +c4"))
    part = strokes[strokes.key == "b"]
    assert told(part) == [("b", 2, 3)]
    assert part.tally == {"paired": 2, "missing release": 1, "not picked": 2}
    assert told(strokes[[1, 0]]) == told(strokes)
    assert part[:0].tally == {"missing release": 1, "not picked": 4}
    assert part[:0].notes == {}
    with pytest.raises(InvalidParameterError, match="picked twice"):
        strokes[[0, 0]]
    with pytest.raises(ValueError, match="read-only"):
        part.press[0] = 1


def test_events_of_a_session():
    strokes = pair_events(log("+b5 +a6 -b7 -a8 +a1 -a2", session=[1, 1, 1, 1, 2, 2]))
    events = strokes.events("ann", 1)
    assert events.times.tolist() == [0, 1, 2, 3]
    assert events.marks.tolist() == [1, 0, 1, 0]
    assert events.mark_names == ("a", "b")
    assert events.end_times.tolist() == [3]
    assert strokes.events("ann", 2).mark_names == ("a", "b")
    with pytest.raises(InvalidParameterError, match="user 'bob', session 1: there are no such"):
        strokes.events("bob", 1)
    with pytest.raises(InvalidParameterError, match="its repetitions may have clocks of their own"):
        pair_events(log("+a0 -a1", rep=1)).events("ann", 1)


def test_wrong_arguments():
    with pytest.raises(InvalidParameterError, match=r"events must be KeyEvents.*got list"):
        pair_events([])
    with pytest.raises(InvalidParameterError, match="shift must be one of 'keep', 'fold'"):
        pair_events(log("+a0"), shift="drop")


def test_tally_is_read_only_and_travels():
    tally = Tally({"paired": np.int64(2), "auto-repeat": 0})
    assert tally == {"paired": 2}
    assert tally.total == 2
    assert repr(tally) == "Tally(paired=2)"
    with pytest.raises(TypeError):
        tally["paired"] = 3
    assert pickle.loads(pickle.dumps(tally)) == tally  # between processes


def test_repr():
    assert repr(pair_events(log("+a0 -a1 +b2"))) == (
        "Strokes: 1 stroke of 1 user (ann) in 1 recording\n  paired 2, missing release 1"
    )
