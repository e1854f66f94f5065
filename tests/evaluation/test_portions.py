"""Which samples train and test: numbers, shares, sessions; typists with few samples; labels."""

import numpy as np
import pytest

from hawkeys.datasets import Keystrokes, load_demo
from hawkeys.evaluation import Protocol, enrolment_sizes, evaluate
from hawkeys.evaluation.portions import as_portion
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import Manhattan

SESSION = np.repeat([2, 3, 5, 7], [3, 4, 2, 1])


def people(sizes, *, per_session=4, impostors=None):
    """Samples of typists with so many each, `per_session` a session, rows of all mixed."""
    subject = np.repeat(list(sizes), list(sizes.values()))
    place = np.concatenate([np.arange(n) for n in sizes.values()])
    other = np.full(subject.size, "", dtype="U20")
    for name, labels in (impostors or {}).items():
        other[np.flatnonzero(subject == name)[-len(labels) :]] = labels
    order = np.random.default_rng(1).permutation(subject.size)
    hold = np.random.default_rng(0).uniform(0.05, 0.15, (subject.size, 2))
    timings = np.column_stack([hold[:, 0], hold[:, 0] + 0.1, np.full(len(hold), 0.1), hold[:, 1]])
    return Keystrokes.from_timings(
        timings[order],
        subject=subject[order],
        session=(place // per_session + 1)[order],
        repetition=(place % per_session + 1)[order],
        impostor=other[order],
    )


def numbers(data, rows, per_session=4):
    """Place of each row in the order of typing, from 0."""
    return ((data.session[rows] - 1) * per_session + data.repetition[rows] - 1).tolist()


@pytest.mark.parametrize(
    ("value", "start", "places"),
    [
        (4, 0, [0, 1, 2, 3]),
        ("4", 3, [3, 4, 5, 6]),
        (99, 7, [7, 8, 9]),
        (0.5, 0, [0, 1, 2, 3, 4]),
        ("0.29", 2, [2, 3]),
        ("50 %", 6, [6, 7, 8, 9]),
        ("rest", 8, [8, 9]),
        ("first 2 sessions", 0, [0, 1, 2, 3, 4, 5, 6]),
        ("First  1 session", 0, [0, 1, 2]),
        ("last 2 sessions", 0, [7, 8, 9]),
        ("session 5", 0, [7, 8]),
        ("sessions 2, 5-7", 9, [0, 1, 2, 7, 8, 9]),
        ("session 4", 0, []),
    ],
)
def test_portions(value, start, places):
    assert as_portion(value, "n_train").take(SESSION, start).tolist() == places


def test_a_share_is_not_cut_by_rounding():
    assert as_portion(0.29, "n_train").take(np.ones(100, dtype=int)).size == 29


@pytest.mark.parametrize(
    "value", ["", "half", "1.0", "0.0", "120 %", "first 0 sessions", "sessions 5-3", 1.0, 2.5, None,
              "sessions 1-999999999", "session 12345678901"]
)  # fmt: skip
def test_what_is_no_portion(value):
    with pytest.raises(
        InvalidParameterError, match=r"n_train must be a whole number \(200\), a sh"
    ):
        Protocol("odd", n_train=value)


def test_rules_that_cannot_be():
    with pytest.raises(InvalidParameterError, match="n_train must leave samples to test with"):
        Protocol("odd", n_train="rest")
    with pytest.raises(InvalidParameterError, match="impostors must be one of 'others', 'lab"):
        Protocol("odd", impostors="friends")
    with pytest.raises(InvalidParameterError, match="short must be one of 'refuse', 'leave out'"):
        Protocol("odd", short="ignore")
    twice = Protocol("twice", n_train="first 2 sessions", n_genuine="sessions 2-3")
    with pytest.raises(InvalidParameterError, match=r"4 samples of subject 'a', the first of sess"):
        twice.split(people({"a": 12, "b": 12}))


def test_each_typist_has_as_many_tests_as_there_are():
    data = people({"a": 12, "b": 9, "c": 6, "d": 4})
    rules = Protocol("own", n_train=5, n_genuine=5, n_impostor=None, short="leave out")
    splits = {one.subject: one for one in rules.split(data)}
    assert {name: numbers(data, one.genuine) for name, one in splits.items()} == {
        "a": [5, 6, 7, 8, 9], "b": [5, 6, 7, 8], "c": [5]}  # fmt: skip
    assert all(numbers(data, one.train) == [0, 1, 2, 3, 4] for one in splits.values())
    # who has too few samples is an impostor all the same
    assert sorted(set(data.subject[splits["a"].impostor])) == ["b", "c", "d"]
    assert splits["a"].impostor.size == 19
    assert rules.left_out(data) == {"d": "4 repetitions"}
    text = rules.describe(data)
    assert "repetitions 1-5, in the order they were typed, train the verifier; the next 5" in text
    assert "at most (1 to 5) are the genuine tests" in text
    assert "each of the other 3 subjects (19 to 25 samples)" in text
    assert "Left out as genuine typists, but impostors of the others: d (4 repetitions)." in text


def test_shares_and_sessions():
    data = people({"a": 12, "b": 9, "c": 7})
    half = Protocol("half", n_train=0.5, n_genuine="rest").split(data)
    assert [numbers(data, one.train) for one in half] == [
        [0, 1, 2, 3, 4, 5],
        [0, 1, 2, 3],
        [0, 1, 2],
    ]
    assert [one.genuine.size for one in half] == [6, 5, 4]
    by_day = Protocol("by day", n_train="session 1", n_genuine="last 1 session")
    assert [numbers(data, one.genuine) for one in by_day.split(data)] == [
        [8, 9, 10, 11], [8], [4, 5, 6]]  # fmt: skip
    assert "the samples of session 1, in the order they were typed (4), train" in (
        by_day.describe(data)
    )
    assert "the first 50 % of the samples, in the order they were typed (3 to 6), train" in (
        Protocol("half", n_train=0.5, n_genuine="rest").describe(data)
    )
    third = Protocol("third", n_train="sessions 1-2", n_genuine="session 3", short="leave out")
    assert third.left_out(data) == {"c": "no test sample in the samples of session 3"}
    with pytest.raises(
        InvalidParameterError, match=r"subject 'a' has no training sample in the sa"
    ):
        Protocol("none", n_train="session 9", n_genuine="rest", short="leave out").split(data)


def test_labelled_impostors_are_never_genuine():
    data = people({"a": 12, "b": 10, "c": 8}, impostors={"a": ["eve", "eve", "impostor"],
                                                         "b": ["eve"]})  # fmt: skip
    rules = {who: Protocol("own", 4, "rest", impostors=who, short="leave out", n_impostor=None)
             for who in ("others", "labelled", "both")}  # fmt: skip
    found = {who: {one.subject: one for one in each.split(data)} for who, each in rules.items()}
    assert numbers(data, found["labelled"]["a"].impostor) == [9, 10, 11]
    assert numbers(data, found["labelled"]["a"].genuine) == [4, 5, 6, 7, 8]
    assert list(found["labelled"]) == ["a", "b"]
    assert rules["labelled"].left_out(data) == {"c": "no impostor sample"}
    text = rules["labelled"].describe(data)
    assert (
        "Impostors: the samples that are labelled as an impostor's at the subject's text (1 to 3"
        in (text)
    )
    assert "Left out as genuine typists: c (no impostor sample)." in text
    assert found["others"]["c"].impostor.size == 9 + 9
    assert found["both"]["a"].impostor.size == 3 + 9 + 8
    assert sorted(found["both"]) == ["a", "b", "c"]
    alone = data[data.subject == "a"]
    assert [one.subject for one in rules["labelled"].split(alone)] == ["a"]
    with pytest.raises(InvalidParameterError, match="needs at least 2 subjects"):
        rules["others"].split(alone)


def test_labelled_impostors_keep_their_names_in_an_evaluation():
    data = people({"a": 30, "b": 26}, impostors={"a": ["eve"] * 6 + ["impostor"], "b": ["eve"] * 3})
    rules = Protocol("own", 15, "rest", impostors="labelled")
    result = evaluate({"manhattan": Manhattan()}, data, protocol=rules, n_bootstrap=10)
    one = {each.subject: each for each in result.outcomes}["a"]
    assert one.impostor_subject.tolist() == ["eve"] * 6 + ["impostor of a"]
    assert (one.genuine.size, result.to_frame()["n_impostor"].tolist()) == (8, [7, 3])


def test_the_mask_of_labels():
    timings = [[0.1, 0.25, 0.15, 0.12]] * 2
    labelled = Keystrokes.from_timings(timings, subject="a", impostor=[False, True])
    assert labelled.impostor.tolist() == ["", "impostor"]
    assert labelled[[1]].impostor.tolist() == ["impostor"]
    assert Keystrokes.from_timings(timings, subject="a").impostor.tolist() == ["", ""]
    with pytest.raises(InvalidParameterError, match="impostor must be True or False, or a name"):
        Keystrokes.from_timings(timings, subject="a", impostor=[0.5, 1.0])


def test_an_enrolment_study_goes_up_to_the_fewest_that_train():
    data = load_demo(n_subjects=3)
    rows = (data.subject != data.subjects[0]) | (data.session <= 3)
    with pytest.raises(InvalidParameterError, match="must not exceed the 75 training repetitions"):
        enrolment_sizes({"m": Manhattan()}, data[rows], sizes=(5, 80), protocol="first-half")
