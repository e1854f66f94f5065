"""Sums of standardised scores, and training samples moved along practice, against loops."""

import naive_hawkes_likelihood as naive
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError

from hawkeys.datasets import join_timings, load_demo
from hawkeys.evaluation import evaluate, make_verifiers
from hawkeys.exceptions import EnrolmentWarning, InvalidParameterError, InvalidTimingsError
from hawkeys.verifiers import (
    HawkesLikelihood,
    Manhattan,
    NeighborsAndHawkes,
    PracticeCorrected,
    RecencyNearestNeighbors,
    ScaledManhattan,
    ScoreSum,
    StandardNet,
    enrol,
    held_out_scores,
    load_template,
)
from hawkeys.verifiers.wrappers.practice import slopes


def typing(seed, n_samples, n_keys=4, trend=0.0):
    rng = np.random.default_rng(seed)
    pace = (np.arange(n_samples)[:, None] + 10.0) ** trend
    press = np.cumsum(pace * rng.lognormal(-1.8, 0.3, size=(n_samples, n_keys)), axis=1)
    hold = pace * rng.lognormal(-2.4, 0.3, size=(n_samples, n_keys))
    return join_timings(press, press + hold)


TRAIN, TEST = typing(1, 60), typing(2, 12)
DEMO = load_demo(n_subjects=1)
PARTS = [Manhattan(), RecencyNearestNeighbors(), HawkesLikelihood()]


@pytest.mark.parametrize("weights", [None, (2.0, 1.0, 0.0)])
@pytest.mark.parametrize("policy", ["resubstitution", "leave-one-session-out"])
def test_scores_are_standardised_and_added(policy, weights):
    found = ScoreSum(PARTS, weights=weights, policy=policy).fit(TRAIN)
    expected = np.zeros(len(TEST))
    for part, weight in zip(PARTS, weights or (1.0, 1.0, 1.0), strict=True):
        known = sorted(held_out_scores(part, TRAIN, policy=policy))
        middle = (known[29] + known[30]) / 2
        away = sorted(abs(score - middle) for score in known)
        spread = 1.4826 * (away[29] + away[30]) / 2
        expected += weight * (clone(part).fit(TRAIN).score_samples(TEST) - middle) / spread
    np.testing.assert_allclose(found.score_samples(TEST), expected, rtol=1e-11)


def test_threshold_comes_from_the_training_scores():
    found = ScoreSum(PARTS, false_alarm=0.1).fit(TRAIN)
    scores = found.training_scores(TRAIN)
    assert (scores < found.offset_).sum() <= 6
    assert found.offset_ in scores
    # a part that compares with single samples must not meet the sample itself
    assert (scores < found.score_samples(TRAIN)).all()


def test_one_verifier_orders_as_it_does_alone():
    alone = Manhattan().fit(TRAIN).score_samples(TEST)
    summed = ScoreSum([Manhattan()]).fit(TRAIN).score_samples(TEST)
    np.testing.assert_array_equal(np.argsort(alone), np.argsort(summed))


def test_scores_without_spread_have_the_scale_one():
    assert ScoreSum([Manhattan()]).fit(np.tile(TRAIN[0], (5, 1))).scales_[0] == 1.0
    mostly = np.vstack([np.tile(TRAIN[0], (9, 1)), TRAIN[1:2]])
    scales = ScoreSum([Manhattan()]).fit(mostly).scales_
    assert scales[0] == np.std(Manhattan().fit(mostly).score_samples(mostly))


def test_parts_are_cloned():
    part = Manhattan()
    ScoreSum([part]).fit(TRAIN)
    PracticeCorrected(part).fit(TRAIN)
    assert not hasattr(part, "center_")
    assert ScoreSum([Manhattan(), StandardNet()]).slow_to_fit
    assert PracticeCorrected(Manhattan()).slow_to_fit
    assert ScoreSum(PARTS).slow_to_fit  # HawkesLikelihood is
    assert not ScoreSum([Manhattan(), RecencyNearestNeighbors()]).slow_to_fit


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"verifiers": []}, r"verifiers must be a list of one or more estimators; got \[\]"),
        ({"verifiers": 3}, r"verifiers must be a list of one or more estimators; got 3"),
        ({"weights": [1.0]}, r"weights must have shape \(3,\)"),
        ({"weights": [1.0, -1.0, 0.0]}, r"weights must be >= 0|weights must not be negative|-1"),
        ({"weights": [0.0, 0.0, 0.0]}, r"weights must not all be zero; got \[0.0, 0.0, 0.0\]"),
        ({"policy": "guess"}, r"policy must be one of"),
    ],
)
def test_sums_that_make_no_sense_are_refused(options, message):
    with pytest.raises(InvalidParameterError, match=message):
        ScoreSum(**{"verifiers": PARTS} | options).fit(TRAIN)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"ahead": 7.0},
        {"strength": 1.0, "ahead": 0.0},
        {"strength": 0.3, "ahead": 50.0, "head_start": 2.5},
    ],
)
def test_training_samples_move_as_in_the_loop(options):
    X = typing(3, 30, trend=-0.2)
    found = PracticeCorrected(ScaledManhattan(), **options).fit(X)
    given = {"strength": None, "ahead": 15.0, "head_start": 10.0} | options
    moved, trend = naive.practised(X.tolist(), **given)
    np.testing.assert_allclose(found.trend_, trend, rtol=1e-9, atol=1e-12)
    np.testing.assert_allclose(found.corrected(X), moved, rtol=1e-9, atol=1e-12)
    alone = ScaledManhattan().fit(moved)
    np.testing.assert_allclose(
        found.score_samples(TEST), alone.score_samples(TEST), rtol=1e-8
    )  # columns of wide range
    assert found.offset_ == pytest.approx(alone.offset_, rel=1e-8)


def test_the_trend_of_practice_is_found_and_followed():
    X = typing(4, 400, trend=-0.2)
    corrected = PracticeCorrected(ScaledManhattan(), strength=1.0).fit(X[:200])
    assert corrected.trend_.shape == (7,)
    # 200 samples, log-normal 0.3: the standard error of each exponent is 0.3 / sqrt(200 x 0.6)
    np.testing.assert_allclose(corrected.trend_, -0.2, atol=0.08)
    before, moved = X[:200].mean(axis=0), corrected.corrected(X[:200]).mean(axis=0)
    later = X[200:].mean(axis=0)
    assert np.abs(moved - later).sum() < 0.3 * np.abs(before - later).sum()


def test_few_samples_are_left_nearly_where_they_are():
    """Under no trend at all, the exponent of 8 samples is chance, and is not carried far."""
    X = typing(6, 8, trend=0.0)
    few = PracticeCorrected(ScaledManhattan()).fit(X)
    assert few.ahead_ == 4.0
    assert few.strength_.max() < 0.3
    assert np.abs(np.log(few.corrected(X)[:, ::3] / X[:, ::3])).max() < 0.08
    old = PracticeCorrected(ScaledManhattan(), strength=0.6, ahead=100.0).fit(X)
    assert np.abs(np.log(old.corrected(X)[:, ::3] / X[:, ::3])).max() > 0.3
    two = PracticeCorrected(Manhattan()).fit(X[:2])
    np.testing.assert_array_equal(two.strength_, 0.0)
    many = PracticeCorrected(Manhattan()).fit(typing(6, 2000, trend=-0.2))
    assert many.ahead_ == 100.0
    assert many.strength_.min() > 0.8


def test_sittings_make_a_trend_less_certain():
    """Residuals that are alike for 10 samples say less than so many independent ones."""
    rng = np.random.default_rng(0)
    practice = np.log(np.arange(200) + 10.0)
    practice -= practice.mean()
    alone = rng.normal(size=(200, 300))
    alike = np.repeat(rng.normal(size=(20, 300)), 10, axis=0)
    slope, error = slopes(practice, alone)
    assert slope.std() == pytest.approx(error.mean(), rel=0.15)
    slope, error = slopes(practice, alike)
    independent = np.sqrt((alike**2).sum(axis=0) / 198 / (practice @ practice)).mean()
    assert slope.std() > 2.5 * independent
    assert error.mean() > 0.5 * slope.std()


def test_the_recommended_verifier_is_the_sum_after_correction():
    X = DEMO.timings().to_numpy()[:60]
    one = NeighborsAndHawkes().fit(X)
    parts = [RecencyNearestNeighbors(half_life=25.0), HawkesLikelihood()]
    other = PracticeCorrected(ScoreSum(parts, weights=[2.0, 1.0])).fit(X)
    np.testing.assert_array_equal(one.score_samples(X), other.score_samples(X))
    assert one.offset_ == other.offset_
    assert one.slow_to_fit
    assert one.samples_needed(31) == 20


def test_the_recommended_verifier_can_be_enrolled_and_loaded(tmp_path):
    own = DEMO.timings()[:20]
    with pytest.warns(EnrolmentWarning, match="few"):
        template = enrol(own, verifier=NeighborsAndHawkes(half_life=20.0))
    template.save(tmp_path / "template.json")
    again = load_template(tmp_path / "template.json")
    assert again.threshold == template.threshold
    assert again.parameters["half_life"] == 20.0


def test_without_strength_nothing_changes():
    one = PracticeCorrected(Manhattan(), strength=0.0).fit(TRAIN)
    np.testing.assert_allclose(
        one.score_samples(TEST), Manhattan().fit(TRAIN).score_samples(TEST), rtol=1e-9
    )


def test_zero_intervals_stay_and_samples_stay_timings():
    X = TRAIN.copy()
    X[5, 3], X[5, 5] = 0.0, X[5, 4]  # a key of no length
    corrected = PracticeCorrected(Manhattan()).fit(X).corrected(X)
    assert corrected[5, 3] == 0.0
    np.testing.assert_allclose(
        corrected[:, 1::3], corrected[:, 0:-1:3] + corrected[:, 2::3], rtol=1e-12, atol=1e-15
    )


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"strength": -0.1}, r"strength must .*-0.1"),
        ({"strength": [0.1]}, r"strength must be one number of at least 0"),
        ({"ahead": -1.0}, r"ahead must .*-1"),
        ({"head_start": 0.0}, r"head_start must be one positive number; got 0.0"),
    ],
)
def test_practice_that_makes_no_sense_is_refused(options, message):
    with pytest.raises(InvalidParameterError, match=message):
        PracticeCorrected(Manhattan(), **options).fit(TRAIN)


def test_practice_wants_timings_and_a_fit():
    with pytest.raises(InvalidTimingsError, match=r"shape \(n_samples, 3 K - 2\)"):
        PracticeCorrected(Manhattan()).fit(TRAIN[:, :-1])
    with pytest.raises(NotFittedError):
        PracticeCorrected(Manhattan()).corrected(TRAIN)


def test_error_rate_on_the_cmu_benchmark(cmu):
    """0.0415 for neighbours without the correction and the process."""
    verifiers = make_verifiers(["neighbors-and-hawkes"])
    frame = evaluate(verifiers, cmu, protocol="killourhy-maxion", n_bootstrap=10).to_frame()
    assert len(frame) == 51
    assert frame["eer"].mean() == pytest.approx(0.0370, abs=5e-4)
