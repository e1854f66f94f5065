"""Marked renewal of keyed text: its law against plain loops, and what it refuses."""

import math

import numpy as np
import pytest
from scipy.stats import t as student
from sklearn.exceptions import NotFittedError

from hawkeys.datasets import simulate_keyed_text
from hawkeys.exceptions import InvalidParameterError, InvalidTimingsError
from hawkeys.verifiers import Identifier, MarkedRenewal, MarkedRenewalVerifier


@pytest.fixture(scope="module")
def strokes():
    return simulate_keyed_text(6, n_sessions=6, n_keys=40, rng=3)


def marks_of(strokes, kind):
    """(user, recording, label, log time) of each keystroke, or of each but the first."""
    group, out = strokes.groups(), []
    for k in range(len(strokes)):
        if kind == "hold":
            label, time = strokes.key[k], strokes.release[k] - strokes.press[k]
        elif k and group[k] == group[k - 1]:
            label = (strokes.key[k - 1], strokes.key[k])
            time = strokes.press[k] - strokes.press[k - 1]
        else:
            continue
        out.append((strokes.user[k], group[k], label, math.log(min(max(time, 0.005), 5.0))))
    return out


def general_law(marks):
    """Mean and variance by label, and those of all labels under None."""
    every = [x for *_, x in marks]
    mean, variance = np.mean(every), np.var(every) + 1e-4
    law = {None: (mean, variance)}
    for label in {label for _, _, label, _ in marks}:
        own = [x for _, _, other, x in marks if other == label]
        centre = (sum(own) + 5.0 * mean) / (len(own) + 5.0)
        spread = sum((x - centre) ** 2 for x in own) + 20.0 * variance
        law[label] = (centre, spread / (len(own) + 20.0))
    return law


def density(train, general, person, label, x, k=2.0, nu=4.0):
    """Log density of one log time under the person's law."""
    law = general_law(general)
    own = [(c, y) for who, _, c, y in train if who == person]
    left = [(y - law.get(c, law[None])[0], law.get(c, law[None])[1]) for c, y in own]
    pace = sum(r / v for r, v in left) / (sum(1 / v for _, v in left) + 5.0 / law[None][1])
    spread = (sum((r - pace) ** 2 / v for r, v in left) + 20.0) / (len(left) + 20.0)
    # a label that neither people in general nor the training holds is the last column
    centre, variance = law.get(label, law[None])
    times = [r - pace for (c, _), (r, _) in zip(own, left, strict=True) if c == label]
    n, total = len(times), sum(times)
    scale = nu * 0.7 * variance * spread + sum(r * r for r in times) - total**2 / (n + k)
    scale = scale / (n + nu) * (1.0 + 1.0 / (n + k))
    return student.logpdf(x, n + nu, centre + pace + total / (n + k), math.sqrt(scale))


def by_hand(enrolment, tests, people, general=None, weight=1.0, floor=-4.0):
    out = np.zeros((int(tests.groups().max()) + 1, len(people)))
    for kind, factor in (("hold", weight), ("lag", 1.0)):
        train = marks_of(enrolment, kind)
        other = train if general is None else marks_of(general, kind)
        for _, recording, label, x in marks_of(tests, kind):
            for place, person in enumerate(people):
                value = density(train, other, person, label, x)
                out[recording, place] += factor * max(value, floor)
    return out


def test_likelihoods_are_those_by_hand(strokes):
    three = np.isin(strokes.user, strokes.subjects[:3])
    early, late = strokes[three & (strokes.session < 2)], strokes[three & (strokes.session == 5)]
    model = MarkedRenewal().fit(early)
    assert isinstance(model, Identifier)
    wanted = by_hand(early, late[:60], model.classes_)
    np.testing.assert_allclose(model.log_likelihood(late[:60]), wanted, rtol=1e-9)


def test_population_weight_and_floor_do_what_they_say(strokes):
    mine = np.isin(strokes.user, strokes.subjects[:2]) & (strokes.session < 2)
    others = np.isin(strokes.user, strokes.subjects[2:4]) & (strokes.session < 2)
    late = strokes[np.isin(strokes.user, strokes.subjects[:2]) & (strokes.session == 4)][:40]
    model = MarkedRenewal(hold_weight=0.5, floor=-1.0)
    model.fit(strokes[mine], population=strokes[others])
    wanted = by_hand(strokes[mine], late, model.classes_, strokes[others], weight=0.5, floor=-1.0)
    np.testing.assert_allclose(model.log_likelihood(late), wanted, rtol=1e-9)


def test_keys_that_nobody_struck_are_scored_by_the_general_law(strokes):
    model = MarkedRenewal().fit(strokes)
    typed = {"key": ["Q", "Z"], "press": [0.0, 0.2], "release": [0.1, 0.3]}
    got = model.log_likelihood(typed)
    assert np.isfinite(got).all()
    swapped = {**typed, "key": ["Z", "X"]}
    np.testing.assert_array_equal(got, model.log_likelihood(swapped))


def test_people_are_told_apart_and_others_are_not(strokes):
    early, late = strokes[strokes.session < 5], strokes[strokes.session == 5]
    model = MarkedRenewal().fit(early)
    who = MarkedRenewal.people_of(late)
    assert (model.predict(late) == who).mean() == 1.0
    np.testing.assert_allclose(np.exp(model.predict_log_proba(late)).sum(axis=1), 1.0)
    shuffled = np.random.default_rng(0).permutation(MarkedRenewal.people_of(early))
    wrong = MarkedRenewal().fit(early, shuffled)
    assert (wrong.predict(late) == who).mean() < 0.7


def test_verifier_is_the_ratio_to_the_mean_likelihood_of_the_cohort(strokes):
    mine = strokes.user == strokes.subjects[0]
    own, others = strokes[mine & (strokes.session < 4)], strokes[~mine & (strokes.session < 4)]
    verifier = MarkedRenewalVerifier().fit(own, others)
    late = strokes[strokes.session >= 4]
    cohort = np.exp(MarkedRenewal().fit(others).log_likelihood(late)).mean(axis=1)
    person = MarkedRenewal().fit(own, population=others).log_likelihood(late)[:, 0]
    scores = verifier.score_samples(late)
    np.testing.assert_allclose(scores, person - np.log(cohort), rtol=1e-9)
    genuine = MarkedRenewal.people_of(late) == strokes.subjects[0]
    assert scores[genuine].min() > scores[~genuine].max()


def test_wrong_input(strokes):
    with pytest.raises(NotFittedError):
        MarkedRenewal().log_likelihood(strokes)
    with pytest.raises(InvalidParameterError, match="location_count must be one positive number"):
        MarkedRenewal(location_count=0.0).fit(strokes)
    with pytest.raises(
        InvalidParameterError, match=r"y must hold one person per recording.*\(36,\)"
    ):
        MarkedRenewal().fit(strokes, ["a"])
    typed = {"key": ["a", "b"], "press": [0.0, 0.2], "release": [0.1, 0.3]}
    with pytest.raises(InvalidParameterError, match=r"Strokes record alone; got dict. Give y"):
        MarkedRenewal().fit(typed)
    with pytest.raises(InvalidTimingsError, match="press"):
        MarkedRenewal().fit({**typed, "press": [0.3, 0.2], "release": [0.4, 0.3]}, ["a"])
    with pytest.raises(InvalidParameterError, match="background is needed: keystrokes of other"):
        MarkedRenewalVerifier().fit(strokes)
