"""Typists from elsewhere: a background that is never tested, and labelled impostors."""

from dataclasses import replace
from typing import ClassVar

import numpy as np
import pytest

from hawkeys.datasets import Keystrokes, load_demo
from hawkeys.evaluation import (
    Protocol,
    evaluate,
    false_alarm_rates,
    join_typists,
    label_impostors,
    make_verifiers,
)
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import BackgroundRatio, Manhattan

DATA = load_demo(n_subjects=9)
KNOWN = DATA.subjects[:5]
RULES = Protocol("few", n_train=6, n_genuine=40, n_impostor=5, background=KNOWN)
TESTED = DATA[~np.isin(DATA.subject, KNOWN)]
BACKGROUND = DATA[np.isin(DATA.subject, KNOWN)]


class Spy(BackgroundRatio):
    """Keeps what it was given."""

    seen: ClassVar[list] = []

    def _learn(self, samples):
        Spy.seen.append((samples.copy(), self.background))
        super()._learn(samples)


def rows_of(data):
    return {row.tobytes() for row in np.ascontiguousarray(data.timings().to_numpy())}


def test_the_background_is_never_tested():
    for split in RULES.split(DATA):
        used = np.concatenate([split.train, split.genuine, split.impostor])
        assert not set(DATA.subject[used]) & set(KNOWN)
        assert split.impostor.size == 5 * 3
    Spy.seen.clear()
    result = evaluate({"spy": Spy()}, DATA, protocol=RULES, n_bootstrap=10)
    assert [one.subject for one in result.outcomes] == list(TESTED.subjects)
    tested, known = rows_of(TESTED), rows_of(BACKGROUND)
    for samples, background in Spy.seen:
        assert rows_of(background) == known
        assert {row.tobytes() for row in samples} <= tested
    assert not known & tested
    for one in result.outcomes:
        assert set(one.impostor_subject) <= set(TESTED.subjects)


def test_figures_are_those_of_the_tested_alone():
    """To verifiers without a background its typists do not exist; with one, all of them do."""
    both = make_verifiers(["manhattan", "background-ratio"])
    result = evaluate(both, DATA, protocol=RULES, n_bootstrap=10).to_frame().set_index("verifier")
    by_hand = {
        "manhattan": Manhattan(),
        "background-ratio": BackgroundRatio(background=BACKGROUND),
    }
    rules = replace(RULES, background=())
    alone = evaluate(by_hand, TESTED, protocol=rules, n_bootstrap=10).to_frame()
    alone = alone.set_index("verifier")
    for name in both:
        assert result.loc[name, "eer"].tolist() == alone.loc[name, "eer"].tolist()
        assert result.loc[name, "threshold"].tolist() == alone.loc[name, "threshold"].tolist()
    assert both["background-ratio"].background is None  # left unchanged
    eer = result.groupby("verifier")["eer"].mean()
    assert eer["background-ratio"] < eer["manhattan"]


def test_the_report_says_who_is_known():
    text = RULES.describe(DATA)
    assert "Background: 2,000 samples of 5 other typists, who are neither genuine nor imp" in text
    assert "each of the other 3 subjects" in text
    assert "Background" not in replace(RULES, background=()).describe(DATA)


def test_false_alarms_with_a_background():
    verifiers = {"ratio": BackgroundRatio()}
    rates = false_alarm_rates(verifiers, DATA, protocol=RULES)
    assert rates["subject"].unique().tolist() == list(TESTED.subjects)
    fixed = {"ratio": BackgroundRatio(background=BACKGROUND)}
    rules = replace(RULES, background=())
    expected = false_alarm_rates(fixed, TESTED, protocol=rules)
    assert rates["n_false_alarm"].tolist() == expected["n_false_alarm"].tolist()


def test_wrong_backgrounds():
    with pytest.raises(InvalidParameterError, match=r"background must name typists once who are n"):
        Protocol("x", subjects=("a", "b"), background=("b", "c"))
    with pytest.raises(InvalidParameterError, match="Who is tested must not be known"):
        Protocol("x", background=("c", "c"))
    with pytest.raises(InvalidParameterError, match="has 'zoe' in its background; the data hold"):
        Protocol("x", background=("zoe",)).choose_subjects(DATA)
    with pytest.raises(InvalidParameterError, match="needs at least 2 subjects; the data hold 1"):
        Protocol("x", background=DATA.subjects[1:]).choose_subjects(DATA)
    with pytest.raises(InvalidParameterError, match=r"none of the verifiers \(m\) learns from a"):
        evaluate({"m": Manhattan()}, DATA, protocol=RULES)


def test_joining_keeps_samples_and_refuses_the_same_people():
    joined = join_typists(TESTED, BACKGROUND)
    assert joined.subjects == (*TESTED.subjects, *KNOWN)
    for name in DATA.subjects:
        one, two = (each[each.subject == name].timings().to_numpy() for each in (joined, DATA))
        assert (one == two).all()
    with pytest.raises(InvalidParameterError, match="4 of the others are in the data, too"):
        join_typists(DATA, TESTED)
    renamed = replace(TESTED, subject=np.char.add("x", TESTED.subject))
    with pytest.raises(InvalidParameterError, match=r"400 of the 400 samples of 'xdemo06' are in"):
        join_typists(DATA, renamed)
    other = Keystrokes.from_timings(
        BACKGROUND.timings().to_numpy(), subject=BACKGROUND.subject, keys=list("abcdefghijk")
    )
    with pytest.raises(InvalidParameterError, match="the others typed the keys a b c"):
        join_typists(TESTED, other)
    with pytest.raises(InvalidParameterError, match="others must be Keystrokes of other typists"):
        join_typists(TESTED, [1.0])


def test_labelled_impostors_from_elsewhere():
    own = DATA[np.isin(DATA.subject, DATA.subjects[:2])]
    others = DATA[~np.isin(DATA.subject, DATA.subjects[:2])]
    shuffled = others[np.random.default_rng(0).permutation(len(others))]
    both = label_impostors(own, shuffled, 3)
    assert both.subjects == own.subjects
    for name in own.subjects:
        played = both[(both.subject == name) & (both.impostor != "")]
        expected = np.vstack(
            [others[others.subject == who].timings()[:3] for who in others.subjects]
        )
        assert (played.timings().to_numpy() == expected).all()
        assert played.impostor.tolist() == np.repeat(others.subjects, 3).tolist()
    rules = Protocol("one", n_train=100, n_genuine=40, impostors="labelled")
    result = evaluate({"m": Manhattan()}, both, protocol=rules, n_bootstrap=10)
    # the same rates as with all of them in one set, where the others are tested, too
    whole = evaluate(
        {"m": Manhattan()},
        DATA[(DATA.subject == own.subjects[0]) | ~np.isin(DATA.subject, own.subjects)],
        protocol=Protocol("all", n_train=100, n_genuine=40, n_impostor=3),
        n_bootstrap=10,
    )
    assert result.outcomes[0].eer == whole.outcomes[0].eer
    scores = [sorted(one.outcomes[0].impostor.tolist()) for one in (result, whole)]
    assert scores[0] == scores[1]
    with pytest.raises(InvalidParameterError, match="n_samples"):
        label_impostors(own, others, 0)
    assert (label_impostors(own, others, None).impostor != "").sum() == 2 * len(others)
