"""Keyed text: scores of everybody against everybody, error rates, blocks, figures on real data."""

import numpy as np
import pytest
from scipy.special import logsumexp
from sklearn.base import BaseEstimator, ClassifierMixin

from hawkeys.datasets import load_aalto, load_free_text, simulate_keyed_text
from hawkeys.evaluation import (
    KeyedTextScores,
    cut_blocks,
    equal_error_rate,
    keyed_text_rates,
    score_keyed_text,
)
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import MarkedRenewal
from hawkeys.verifiers.free_text.recordings import as_recordings


@pytest.fixture(scope="module")
def strokes():
    return simulate_keyed_text(8, n_sessions=6, n_keys=30, rng=2)


def test_scores_are_those_of_the_model_and_its_cohort(strokes):
    tested = np.isin(strokes.user, strokes.subjects[:4])
    early, late = strokes[tested & (strokes.session < 4)], strokes[tested & (strokes.session >= 4)]
    others = strokes[~tested]
    scores = score_keyed_text(early, late, MarkedRenewal.people_of(late), background=others)
    people = MarkedRenewal().fit(early, population=others)
    np.testing.assert_array_equal(scores.log_likelihood, people.log_likelihood(late))
    cohort = MarkedRenewal().fit(others).log_likelihood(late)
    np.testing.assert_allclose(scores.cohort, logsumexp(cohort, axis=1) - np.log(4))
    assert scores.people == strokes.subjects[:4]


def test_rates_one_by_one():
    rng = np.random.default_rng(0)
    typist = np.repeat(["a", "b", "c"], 20)
    values = rng.normal(0.0, 1.0, (60, 3)) + 2.0 * (typist[:, None] == ["a", "b", "c"])
    cohort = rng.normal(0.0, 0.5, 60)
    one = KeyedTextScores("some", ("a", "b", "c"), typist, values, cohort, 1.0, 0.6)
    row = keyed_text_rates([one]).iloc[0]
    posterior = values - logsumexp(values, axis=1, keepdims=True)
    for name, scores in (("posterior", posterior), ("ratio", values - cohort[:, None])):
        own, pooled = [], ([], [])
        for k, who in enumerate("abc"):
            sides = scores[typist == who, k], scores[typist != who, k]
            own.append(equal_error_rate(*sides))
            for pool, side in zip(pooled, sides, strict=True):
                pool.extend(side)
        assert row[f"eer_{name}"] == pytest.approx(np.mean(own))
        assert row[f"eer_{name}_one_threshold"] == pytest.approx(equal_error_rate(*pooled))
    best = np.array(["a", "b", "c"])[values.argmax(axis=1)]
    assert row["accuracy"] == np.mean(best == typist)
    assert row["decide_ms"] == pytest.approx(10.0)
    alone = KeyedTextScores("some", ("a", "b", "c"), typist, values, None, 1.0, 0.6)
    assert np.isnan(keyed_text_rates([alone])["eer_ratio"][0])


def test_a_threshold_of_the_first_session_is_kept():
    """Equal errors in session 1: a quarter each, at .6; in session 2 a half and a third."""
    people = ("a", "b")
    genuine = {1: [0.5, 0.6, 0.7, 0.8], 2: [0.55, 0.9]}
    impostor = {1: [0.1, 0.2, 0.3, 0.65], 2: [0.2, 0.3, 0.6]}
    rows, typist, session = [], [], []
    for number in (2, 1):
        for kind, shares in (("a", genuine[number]), ("b", impostor[number])):
            rows += [[share, -np.inf] for share in np.log(shares)]
            typist += [kind] * len(shares)
            session += [number] * len(shares)
    values = np.array(rows)
    values[:, 1] = np.log1p(-np.exp(values[:, 0]))  # of two people the other has the rest
    one = KeyedTextScores("some", people, np.array(typist), values, None, 1.0, 1.0,
                          np.array(session))  # fmt: skip
    row = keyed_text_rates([one]).iloc[0]
    own = {
        1: genuine[1] + [1 - p for p in impostor[1]],
        2: genuine[2] + [1 - p for p in impostor[2]],
    }
    other = {
        1: impostor[1] + [1 - p for p in genuine[1]],
        2: impostor[2] + [1 - p for p in genuine[2]],
    }
    levels = sorted(own[1] + other[1])
    gaps = [abs(np.mean(np.less(own[1], at)) - np.mean(np.greater_equal(other[1], at)))
            for at in levels]  # fmt: skip
    at = levels[int(np.argmin(gaps))]
    assert row["threshold_kept"] == pytest.approx(np.log(at))
    assert row["false_alarm_kept"] == pytest.approx(np.mean(np.less(own[2], at - 1e-9)))
    assert row["miss_kept"] == pytest.approx(np.mean(np.greater(other[2], at - 1e-9)))
    without = KeyedTextScores("some", people, np.array(typist), values, None, 1.0, 1.0)
    assert keyed_text_rates([without])[["threshold_kept", "miss_kept"]].isna().all(axis=None)


def test_any_identifier_of_free_text_is_scored(strokes):
    class ByHolds(ClassifierMixin, BaseEstimator):
        """Nearest mean hold."""

        def fit(self, X, y):
            self.classes_ = np.unique(y)
            means = self._means(X)
            self.means_ = np.array([means[y == one].mean() for one in self.classes_])
            return self

        def _means(self, X):
            found = as_recordings(X)
            return np.bincount(found.number, found.release - found.press) / np.bincount(
                found.number
            )

        def predict_log_proba(self, X):
            return -1e3 * np.abs(self._means(X)[:, None] - self.means_)

    early, late = strokes[strokes.session < 4], strokes[strokes.session >= 4]
    typist = MarkedRenewal.people_of(late)
    scores = score_keyed_text(early, late, typist, model=ByHolds(), system="holds")
    alone = ByHolds().fit(early, MarkedRenewal.people_of(early)).predict_log_proba(late)
    np.testing.assert_array_equal(scores.log_likelihood, alone)
    assert scores.cohort is None
    mine = strokes.user == strokes.subjects[0]
    with pytest.raises(InvalidParameterError, match="background is for a MarkedRenewal; got it"):
        score_keyed_text(strokes[mine], strokes[mine], typist[:1].repeat(6), model=ByHolds(),
                         background=strokes[~mine])  # fmt: skip


def test_blocks_are_whole_and_start_at_the_start(strokes):
    few = strokes[(strokes.session < 2) & np.isin(strokes.user, strokes.subjects[:2])]
    blocks, typist = cut_blocks(few[5:], 8)  # recordings of 25, 30, 30, 30 keystrokes
    assert typist.tolist() == [*["simulated-00"] * 6, *["simulated-01"] * 6]
    assert np.bincount(np.unique(blocks["recording"], return_inverse=True)[1]).tolist() == [8] * 12
    kept = [*range(24), *range(25, 49), *range(55, 79), *range(85, 109)]
    np.testing.assert_array_equal(blocks["press"], few[5:].press[kept])
    np.testing.assert_array_equal(blocks["key"], few[5:].key[kept])
    np.testing.assert_array_equal(blocks["session"], few[5:].session[kept])
    with pytest.raises(InvalidParameterError, match=r"no recording has 99 keystrokes.*30"):
        cut_blocks(few, 99)


def test_wrong_input(strokes):
    first = strokes[strokes.user == strokes.subjects[0]]
    with pytest.raises(InvalidParameterError, match="typist 'nobody' is not enrolled"):
        score_keyed_text(first, first, ["nobody"] * 6)
    with pytest.raises(InvalidParameterError, match="background holds 'simulated-00', who is"):
        score_keyed_text(first, first, [strokes.subjects[0]] * 6, background=strokes)
    with pytest.raises(InvalidParameterError, match=r"one person per test recording.*\(6,\)"):
        score_keyed_text(first, first, [strokes.subjects[0]])
    with pytest.raises(InvalidParameterError, match=r"one label per test recording.*\(6,\)"):
        score_keyed_text(first, first, [strokes.subjects[0]] * 6, session=[0, 1])


def test_aalto_people_by_one_sentence(aalto_path):
    """137 people, 12 sentences enrolled, decided from one: .79; the cohort are 200 others."""
    strokes = load_aalto(aalto_path)
    subjects = strokes.subjects
    tested, others = (np.isin(strokes.user, part) for part in (subjects[:137], subjects[-200:]))
    early = strokes.session < 12
    late = strokes[tested & ~early]
    scores = score_keyed_text(
        strokes[tested & early],
        late,
        MarkedRenewal.people_of(late),
        background=strokes[others & early],
    )
    row = keyed_text_rates([scores]).iloc[0]
    assert (row["n_subjects"], row["n_samples"]) == (137, 411)
    assert row["accuracy"] >= 0.76
    assert row["eer_ratio"] <= 0.025
    assert row["eer_ratio_one_threshold"] <= 0.04
    assert row["eer_posterior_one_threshold"] <= 0.03


def test_free_text_people_across_sessions_by_50_keystrokes(free_text_path):
    strokes = load_free_text(free_text_path / "free_text.csv.gz")
    early = strokes.session.astype(np.int64) < 3
    blocks, typist = cut_blocks(strokes[~early], 50)
    scores = score_keyed_text(strokes[early], blocks, typist)
    row = keyed_text_rates([scores]).iloc[0]
    assert (row["n_subjects"], row["n_samples"]) == (55, 1650)
    assert row["accuracy"] >= 0.70
    assert row["eer_posterior"] <= 0.06
