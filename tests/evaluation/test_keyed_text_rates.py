"""Keyed text: scores of everybody against everybody, error rates, blocks, figures on real data."""

import numpy as np
import pytest
from scipy.special import logsumexp

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


def test_blocks_are_whole_and_start_at_the_start(strokes):
    few = strokes[(strokes.session < 2) & np.isin(strokes.user, strokes.subjects[:2])]
    blocks, typist = cut_blocks(few[5:], 8)  # recordings of 25, 30, 30, 30 keystrokes
    assert typist.tolist() == [*["simulated-00"] * 6, *["simulated-01"] * 6]
    assert np.bincount(np.unique(blocks["recording"], return_inverse=True)[1]).tolist() == [8] * 12
    kept = [*range(24), *range(25, 49), *range(55, 79), *range(85, 109)]
    np.testing.assert_array_equal(blocks["press"], few[5:].press[kept])
    np.testing.assert_array_equal(blocks["key"], few[5:].key[kept])
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
