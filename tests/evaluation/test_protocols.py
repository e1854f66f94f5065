"""Who trains, who tests and who plays the impostor."""

import numpy as np
import pytest

from hawkeys.datasets import Keystrokes, load_demo
from hawkeys.evaluation import PROTOCOLS, Protocol, get_protocol
from hawkeys.exceptions import InvalidParameterError

SMALL = Protocol("small", n_train=3, n_genuine=2, n_impostor=2)


def make_data(*, subjects=("b", "a", "c"), n_sessions=2, n_repetitions=3, seed=0):
    """Samples whose rows are shuffled, so that order has to come from the labels."""
    rng = np.random.default_rng(seed)
    labels = [
        (name, session, repetition)
        for name in subjects
        for session in range(1, n_sessions + 1)
        for repetition in range(1, n_repetitions + 1)
    ]
    rng.shuffle(labels)
    subject, session, repetition = map(np.array, zip(*labels, strict=True))
    hold = rng.uniform(0.05, 0.15, size=(len(labels), 2))
    timings = np.column_stack([hold[:, 0], hold[:, 0] + 0.1, np.full(len(labels), 0.1), hold[:, 1]])
    return Keystrokes.from_timings(
        timings,
        subject=subject,
        session=session.astype(int),
        repetition=repetition.astype(int),
        keys=["x", "y"],
    )


def times_of(data, rows):
    return [(int(data.session[k]), int(data.repetition[k])) for k in rows]


def test_rows_are_ordered_by_session_and_repetition():
    data = make_data()
    split = SMALL.split(data)[0]
    assert split.subject == "a"
    assert times_of(data, split.train) == [(1, 1), (1, 2), (1, 3)]
    assert times_of(data, split.genuine) == [(2, 1), (2, 2)]
    assert set(data.subject[split.train]) | set(data.subject[split.genuine]) == {"a"}


def test_impostors_are_the_first_repetitions_of_every_other_subject():
    data = make_data()
    impostor = SMALL.split(data)[0].impostor
    assert sorted(data.subject[impostor]) == ["b", "b", "c", "c"]
    assert sorted(times_of(data, impostor)) == [(1, 1), (1, 1), (1, 2), (1, 2)]


def test_no_impostor_limit_takes_every_repetition_of_the_others():
    data = make_data()
    split = Protocol("all", n_train=3, n_genuine=2, n_impostor=None).split(data)[0]
    assert sorted(split.impostor) == sorted(np.flatnonzero(data.subject != "a"))


def test_named_subjects_alone_take_part():
    data = make_data()
    rules = Protocol("named", n_train=3, n_genuine=2, n_impostor=None, subjects=("c", "a"))
    splits = rules.split(data)
    assert [split.subject for split in splits] == ["a", "c"]
    assert set(data.subject[splits[0].impostor]) == {"c"}
    assert "lack" not in rules.describe(data)


def test_missing_subjects_are_replaced_by_the_first_and_the_text_says_so():
    data = make_data()
    rules = Protocol("named", n_train=3, n_genuine=2, subjects=("a", "zed"))
    assert rules.choose_subjects(data) == ("a", "b")
    text = rules.describe(data)
    assert "NOTE: the data lack the subjects of this protocol (a, zed)" in text
    assert "the first 2 subjects of the data stand in" in text


def test_published_protocols(demo):
    numbers = {
        name: (rules.n_train, rules.n_genuine, rules.n_impostor)
        for name, rules in PROTOCOLS.items()
    }
    assert numbers == {
        "killourhy-maxion": (200, 200, 5),
        "killourhy-maxion-all": (200, 200, None),
        "five-subjects": (200, 200, None),
        "first-200": (200, "rest", 5),
        "first-half": (0.5, "rest", 5),
    }
    split = PROTOCOLS["killourhy-maxion"].split(demo)[0]
    assert set(demo.session[split.train]) == {1, 2, 3, 4}
    assert set(demo.session[split.genuine]) == {5, 6, 7, 8}
    assert split.impostor.size == 5 * 5
    assert PROTOCOLS["killourhy-maxion-all"].split(demo)[0].impostor.size == 5 * 400
    assert len(PROTOCOLS["five-subjects"].split(demo)) == 5


def test_real_subjects(cmu):
    splits = PROTOCOLS["five-subjects"].split(cmu)
    assert [split.subject for split in splits] == ["s002", "s032", "s036", "s047", "s052"]
    assert {split.impostor.size for split in splits} == {1600}
    splits = PROTOCOLS["killourhy-maxion"].split(cmu)
    assert len(splits) == 51
    assert {split.impostor.size for split in splits} == {250}


def test_description_names_everything_a_reader_needs(demo):
    text = get_protocol("killourhy-maxion").describe(demo, 0.1)
    for words in (
        "each of 6 subjects",
        "repetitions 1-200",
        "repetitions 201-400 are the genuine tests",
        "Zero-effort impostors: the first 5 repetitions of each of the other 5 subjects (25 sam",
        "miss rate at 10 % false alarms",
        "set on the test samples",
        "own threshold is set on its training samples alone (resubstitution)",
    ):
        assert words in text
    assert "FAR" not in text


def test_unequal_numbers_of_impostors_are_a_range():
    data = make_data()
    rows = np.flatnonzero(~((data.subject == "c") & (data.session == 2) & (data.repetition == 3)))
    rules = Protocol("all", n_train=3, n_genuine=2, n_impostor=None)
    assert "(11 to 12 samples)" in rules.describe(data[rows])


def test_a_protocol_passes_through_get_protocol():
    assert get_protocol(SMALL) is SMALL


def test_unknown_protocol_lists_the_known_ones():
    with pytest.raises(InvalidParameterError, match="protocol must be one of 'killourhy-maxion'"):
        get_protocol("km")


def test_too_few_repetitions():
    data = make_data()
    short = data[~((data.subject == "b") & (data.session == 2))]
    with pytest.raises(
        InvalidParameterError,
        match=r"subject 'b' has 3 repetitions.*needs 5 \(3 to train, 2 as genuine.*Leave the",
    ):
        SMALL.split(short)


def test_too_few_subjects():
    with pytest.raises(InvalidParameterError, match=r"at least 2 subjects; the data hold 1 \(a\)"):
        SMALL.split(make_data(subjects=("a",)))
    with pytest.raises(InvalidParameterError, match=r"'five-subjects' needs at least 5.*hold 3"):
        get_protocol("five-subjects").split(load_demo(n_subjects=3))


@pytest.mark.parametrize(
    ("rules", "message"),
    [
        ({"n_train": 0}, "n_train must be at least 1; got 0"),
        ({"n_genuine": -3}, "n_genuine must be at least 1; got -3"),
        ({"n_impostor": -5}, "n_impostor must be at least 1; got -5"),
        ({"n_impostor": 2.5}, "n_impostor must be a whole number"),
        ({"subjects": ("a",)}, r"subjects must be two or more different names.*got \('a',\)"),
        ({"subjects": ("a", "b", "a")}, "Name each typist once"),
    ],
)
def test_rules_that_make_no_sense(rules, message):
    with pytest.raises(InvalidParameterError, match=message):
        Protocol("odd", **rules)
