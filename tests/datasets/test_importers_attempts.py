"""to_keystrokes and list_attempts: each outcome on a tiny example, with its tally."""

from contextlib import nullcontext

import numpy as np
import pandas as pd
import pytest

from hawkeys.datasets import Keystrokes, list_attempts, pair_events, read_key_events, to_keystrokes
from hawkeys.exceptions import DatasetError, HawkeysWarning, InvalidParameterError

SHORT = {"<": "Backspace", "/": "Return", "^": "Shift"}


def typed(text, **labels):
    """Return strokes, one a second and half a second long; "<" is Backspace, "/" Return."""
    frame = pd.DataFrame({"key": [SHORT.get(letter, letter) for letter in text]})
    press = np.arange(len(text), dtype=float)
    frame = frame.assign(press=press, release=press + 0.5, user="ann", session=1)
    return pair_events(read_key_events(frame.assign(**labels)))


def keys(text):
    return [SHORT.get(letter, letter) for letter in text]


CASES = [
    # typed, text, options, presses of the samples, tally
    ("ab", "ab", {}, [[0, 1]], {"sample": 2}),
    ("ab/ab/", "ab/", {"end_key": "Return"}, [[0, 1, 2]] * 2, {"sample": 6}),
    ("ab/xb/ab/a", "ab/", {"end_key": "Return"}, [[0, 1, 2]] * 2,
     {"sample": 6, "other text": 3, "unfinished": 1}),
    ("ab/ax<b/abc/", "ab/", {"end_key": "Return"}, [[0, 1, 2]],
     {"sample": 3, "typo": 5, "other text": 4}),
    ("ax<b", "ab", {"typos": "strip"}, [[0, 3]], {"sample": 2, "undone": 2}),
    ("axy<<b", "ab", {"typos": "strip"}, [[0, 5]], {"sample": 2, "undone": 4}),
    ("<ab", "ab", {"typos": "strip"}, [[0, 1]], {"sample": 2, "undone": 1}),
    ("abx<", "ab", {"typos": "strip"}, [[0, 1]], {"sample": 2, "undone": 2}),
    ("^ax<b", "^ab", {"typos": "strip"}, [[0, 1, 4]], {"sample": 3, "undone": 2}),
    ("c^x<^ab", "c^ab", {"typos": "strip"}, [[0, 4, 5, 6]], {"sample": 4, "undone": 3}),
    ("cx^<^ab", "c^ab", {"typos": "strip"}, [[0, 4, 5, 6]], {"sample": 4, "undone": 3}),
    ("abc", "ab", {"rest": "ignore"}, [[0, 1]], {"sample": 2, "after the text": 1}),
    ("abc<", "ab", {"rest": "ignore"}, [[0, 1]], {"sample": 2, "after the text": 2}),
    ("x<abc<<<", "ab", {"rest": "ignore", "typos": "strip"}, [[0, 1]],
     {"sample": 2, "undone": 2, "after the text": 4}),
    ("abab", "abab", {}, [[0, 1, 2, 3]], {"sample": 4}),
]  # fmt: skip


@pytest.mark.parametrize(("letters", "text", "options", "presses", "tally"), CASES)
def test_outcomes(letters, text, options, presses, tally):
    strokes = typed(letters)
    few = 2 * len(presses) < len(list_attempts(strokes, text=keys(text), **options))
    with pytest.warns(HawkeysWarning, match="attempts spell the text") if few else nullcontext():
        samples = to_keystrokes(strokes, text=keys(text), **options)
    assert isinstance(samples, Keystrokes)
    assert samples.press.tolist() == presses
    assert np.array_equal(samples.release, samples.press + 0.5)
    assert samples.tally == tally
    assert samples.tally.total == len(strokes)
    attempts = list_attempts(strokes, text=keys(text), **options)
    assert attempts["n_strokes"].sum() == len(strokes)
    assert (attempts["outcome"] == "sample").sum() == len(samples)
    assert attempts["n_undone"].sum() == tally.get("undone", 0)
    for outcome in ("typo", "other text", "unfinished"):
        rejected = attempts.loc[attempts["outcome"] == outcome, "n_strokes"].sum()
        assert rejected == tally.get(outcome, 0)


def test_the_gap_holds_the_correction():
    samples = to_keystrokes(typed("ax<b"), text="ab", typos="strip")
    assert samples.timings().to_numpy().tolist() == [[0.5, 3.0, 2.5, 0.5]]


def test_attempts_are_numbered_with_the_rejected():
    samples = to_keystrokes(typed("xb/ab/ab/"), text=keys("ab/"), end_key="Return")
    assert samples.repetition.tolist() == [2, 3]
    assert samples.session.tolist() == [1, 1]
    assert samples.subjects == ("ann",)


def test_attempts_by_a_column():
    """Each repetition may have a clock of its own."""
    labels = {"rep": [4, 4, 7, 7], "press": [0, 1, 0, 1], "release": [1, 2, 1, 2]}
    samples = to_keystrokes(typed("abab", **labels), text="ab")
    assert samples.repetition.tolist() == [4, 7]
    assert samples.tally == {"sample": 4}
    named = typed("abab", **labels | {"rep": list("xxyy"), "session": "first"})
    samples = to_keystrokes(named, text="ab")
    assert samples.session.tolist() == [1, 1]
    assert samples.repetition.tolist() == [1, 2]


def test_sessions_with_names_are_numbered_for_each_user():
    strokes = typed("abababab", user=list("xxxxyyyy"), session=["q", "q", "p", "p"] * 2)
    samples = to_keystrokes(strokes, text="ab")
    assert samples.subject.tolist() == ["x", "x", "y", "y"]
    assert samples.session.tolist() == [1, 2, 1, 2]
    assert samples.repetition.tolist() == [1, 1, 1, 1]


def test_repeated_keys_are_numbered():
    strokes = typed("aaa", key=["l", "l2", "l"])
    assert to_keystrokes(strokes, text=["l", "l2", "l"]).keys == ("l", "l2", "l3")


def test_folding_gives_capitals():
    frame = pd.DataFrame(
        {"key": ["shift", "r", "o"], "press": [0.0, 0.25, 1.0], "release": [0.5, 0.75, 1.5]}
    )
    events = read_key_events(frame.assign(user="ann", session=1))
    samples = to_keystrokes(pair_events(events, shift="fold"), text=["R", "o"])
    assert samples.press.tolist() == [[0.0, 0.75]]


def test_picked_samples_have_no_tally():
    samples = to_keystrokes(typed("ab/ab/"), text=keys("ab/"), end_key="Return")
    assert samples[:1].tally == {}


def test_no_sample():
    said = r"no attempt of 1 spells the text of 2 keys \(a c\); the others: 1 other text, most "
    with pytest.raises(DatasetError, match=said + r"often 'ab' \(once\). Check text, end_key"):
        to_keystrokes(typed("ab"), text="ac")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"text": []}, r"text must be the names of one or more keys; got '\[\]'"),
        ({"text": 3}, "text must be the names of one or more keys; got '3'"),
        ({"text": ["a", ""]}, "text must be the names of one or more keys"),
        ({"text": "ab", "typos": "keep"}, "typos must be one of 'reject', 'strip'"),
        ({"text": "ab", "rest": "keep"}, "rest must be one of 'reject', 'ignore'"),
        ({"text": "ab", "end_key": "c"}, "end_key must be the last key of text.*; got 'c'. Add"),
        ({"text": "aba", "end_key": "a"}, "end_key must be the last key of text, and no other"),
    ],
)
def test_wrong_arguments(options, message):
    for function in (to_keystrokes, list_attempts):
        with pytest.raises(InvalidParameterError, match=message):
            function(typed("ab"), **options)


def test_no_strokes():
    with pytest.raises(InvalidParameterError, match=r"one or more Strokes.*; got list\."):
        to_keystrokes([], text="ab")
    with pytest.raises(InvalidParameterError, match="got Strokes without strokes"):
        list_attempts(typed("ab")[:0], text="ab")
