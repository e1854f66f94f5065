"""Threshold policies: which verifier scores which training sample."""

import numpy as np
import pytest
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hawkeys.datasets import load_demo
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import (
    POHMM,
    THRESHOLD_POLICIES,
    AutoAssociativeNet,
    HawkesLikelihood,
    HeldOutThreshold,
    Manhattan,
    RecencyNearestNeighbors,
    ScaledManhattan,
    StandardNet,
    held_out_scores,
    resubstitution_threshold,
)

RNG = np.random.default_rng(3)
TRAIN = RNG.normal(size=(24, 3)) + np.repeat(RNG.normal(size=(4, 3)), 6, axis=0)
SESSIONS = np.repeat(["c", "a", "d", "b"], 6)  # in order of time, not of the alphabet


def by_hand(policy, sessions):
    """One row after the other: train on the rows the policy allows, score that row."""
    n = len(TRAIN)
    order = list(dict.fromkeys(sessions))
    scores = []
    for k in range(n):
        place = order.index(sessions[k])
        allowed = {
            "resubstitution": range(n),
            "leave-one-out": [i for i in range(n) if i != k],
            "leave-one-session-out": [i for i in range(n) if sessions[i] != sessions[k]],
            "prequential": [i for i in range(n) if order.index(sessions[i]) < place],
        }[policy]
        if len(allowed):
            fitted = ScaledManhattan().fit(TRAIN[list(allowed)])
            scores.append(fitted.score_samples(TRAIN[k : k + 1])[0])
    return scores


@pytest.mark.parametrize("policy", THRESHOLD_POLICIES)
def test_each_policy_trains_on_what_it_says(policy):
    scores = held_out_scores(ScaledManhattan(), TRAIN, policy=policy, sessions=SESSIONS)
    np.testing.assert_array_equal(scores, by_hand(policy, SESSIONS))
    assert scores.size == (18 if policy == "prequential" else 24)


@pytest.mark.parametrize("policy", ["leave-one-session-out", "prequential"])
@pytest.mark.parametrize("sessions", [None, np.zeros(24)])
def test_five_blocks_stand_in_for_sessions(policy, sessions):
    scores = held_out_scores(ScaledManhattan(), TRAIN, policy=policy, sessions=sessions)
    blocks = [0] * 5 + [1] * 5 + [2] * 5 + [3] * 5 + [4] * 4
    np.testing.assert_array_equal(scores, by_hand(policy, blocks))


@pytest.mark.parametrize("policy", THRESHOLD_POLICIES)
def test_the_meta_estimator_scores_as_its_verifier_and_takes_the_held_out_threshold(policy):
    inner = make_pipeline(StandardScaler(), Manhattan())
    fitted = HeldOutThreshold(inner, policy=policy, false_alarm=0.2).fit(TRAIN, sessions=SESSIONS)
    np.testing.assert_array_equal(
        fitted.score_samples(TRAIN), clone(inner).fit(TRAIN).score_samples(TRAIN)
    )
    scores = held_out_scores(inner, TRAIN, policy=policy, sessions=SESSIONS)
    assert fitted.offset_ == -resubstitution_threshold(-scores, 0.2)
    assert not hasattr(inner[-1], "offset_")


def test_careful_policies_give_lower_thresholds_when_sessions_differ():
    offsets = [
        HeldOutThreshold(Manhattan(), policy=policy).fit(TRAIN, sessions=SESSIONS).offset_
        for policy in ("resubstitution", "leave-one-out", "leave-one-session-out")
    ]
    assert offsets[2] < offsets[1] < offsets[0]


class KnowsItself(Manhattan):
    """A verifier that scores its own training samples in another way."""

    def _training_score(self, samples):
        return self._score(samples) - 1.0


def test_resubstitution_is_the_threshold_of_the_verifier_itself():
    many = np.random.default_rng(3).normal(size=(40, 3))  # of fewer, each is judged by the others
    own = KnowsItself().fit(many)
    outer = HeldOutThreshold(KnowsItself(), policy="resubstitution").fit(many)
    assert outer.offset_ == own.offset_
    np.testing.assert_array_equal(own.training_scores(many), own.score_samples(many) - 1.0)


class Foreign(BaseEstimator):
    """A detector that is none of ours."""

    def fit(self, X, y=None):
        self.mean_ = X.mean()
        return self

    def score_samples(self, X):
        return -np.abs(X - self.mean_).sum(axis=1)


def test_other_detectors_can_be_used():
    scores = held_out_scores(Foreign(), TRAIN, policy="resubstitution")
    np.testing.assert_array_equal(scores, Foreign().fit(TRAIN).score_samples(TRAIN))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"policy": "jackknife"}, "policy must be one of 'resubstitution', 'leave-one-out'"),
        ({"sessions": [1, 2]}, r"sessions must have shape \(24,\), one per sample; got \(2,\)"),
        (
            {"policy": "prequential", "sessions": [0] + [1] * 23},
            "'prequential' leaves 1 samples to train on.*Give more samples",
        ),
    ],
)
def test_what_cannot_be_held_out_is_refused(arguments, message):
    with pytest.raises(InvalidParameterError, match=message):
        held_out_scores(Manhattan(), TRAIN, **arguments)


def test_a_flat_array_is_refused():
    with pytest.raises(InvalidParameterError, match=r"one row per sample; got shape \(3,\)"):
        held_out_scores(Manhattan(), [1.0, 2.0, 3.0])


def test_slow_verifiers_say_so():
    slow = [POHMM(), AutoAssociativeNet(), StandardNet(), HawkesLikelihood()]
    quick = [Manhattan(), HeldOutThreshold(Manhattan())]
    assert [one.slow_to_fit for one in (*slow, *quick)] == [True] * 4 + [False] * 2


class NoShortCut(Manhattan):
    """Its own `fit`, so that every round checks its samples anew."""

    def fit(self, X, y=None, sample_weight=None):
        return super().fit(X, y, sample_weight)


@pytest.mark.parametrize("policy", ["leave-one-out", "leave-one-session-out", "prequential"])
def test_checking_once_changes_nothing(policy):
    np.testing.assert_array_equal(
        held_out_scores(Manhattan(), TRAIN, policy=policy),
        held_out_scores(NoShortCut(), TRAIN, policy=policy),
    )
    broken = TRAIN.copy()
    broken[3, 1] = np.nan
    with pytest.raises(InvalidParameterError, match="X, row 3, column 1 is NaN"):
        held_out_scores(Manhattan(), broken, policy=policy)


def test_scores_of_training_samples_compare_none_with_itself():
    data = load_demo(n_subjects=1).timings().to_numpy()[:40]
    plain = RecencyNearestNeighbors().fit(data)
    careful = HeldOutThreshold(RecencyNearestNeighbors()).fit(data)
    np.testing.assert_array_equal(careful.training_scores(data), plain.training_scores(data))
    np.testing.assert_array_equal(
        held_out_scores(careful, data, policy="resubstitution"), plain.training_scores(data)
    )
