"""The contract of a verifier: threshold, scores, decisions, refusals."""

import math
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from hawkeys import verifiers
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import (
    POHMM,
    Euclidean,
    Manhattan,
    OneClassVerifier,
    ScaledManhattan,
    ScoreSum,
    resubstitution_threshold,
)

TRAIN = np.random.default_rng(1).lognormal(-2.0, 0.3, size=(40, 5))
TEST = np.random.default_rng(2).lognormal(-2.0, 0.6, size=(30, 5))


PUBLIC = {
    "AutoAssociativeNet",
    "Background",
    "BackgroundRatio",
    "ClippedManhattan",
    "DATA_KINDS",
    "DigraphDisorder",
    "DigraphManhattan",
    "Euclidean",
    "EuclideanNormed",
    "FilteredManhattan",
    "FreeTextPOHMM",
    "FreeTextProcess",
    "FreeTextVerifier",
    "FuzzyLogic",
    "HawkesLikelihood",
    "HeldOutThreshold",
    "Identifier",
    "KMeans",
    "Mahalanobis",
    "MahalanobisNormed",
    "Manhattan",
    "MarkedRenewal",
    "MarkedRenewalVerifier",
    "NearestNeighborMahalanobis",
    "Needs",
    "NeighborsAndHawkes",
    "OneClassSVM",
    "OneClassScorer",
    "OneClassVerifier",
    "OutlierCount",
    "POHMM",
    "PracticeCorrected",
    "RecencyNearestNeighbors",
    "RecencyWeighted",
    "RobustMahalanobis",
    "ScaledManhattan",
    "ScoreSum",
    "Scorer",
    "StandardNet",
    "THRESHOLD_POLICIES",
    "Template",
    "UPDATE_POLICIES",
    "UpdatingVerifier",
    "Verification",
    "WeightedVerifier",
    "enrol",
    "held_out_scores",
    "load_template",
    "recency_weights",
    "resubstitution_threshold",
    "verify",
    "verify_many",
}


class FirstColumn(OneClassVerifier):
    """Score = minus the first column, so that thresholds can be read off."""

    def _learn(self, samples):
        self.n_seen_ = samples.shape[0]

    def _score(self, samples):
        return -samples[:, 0]


def test_public_names():
    assert set(verifiers.__all__) == PUBLIC
    assert all(hasattr(verifiers, name) for name in PUBLIC)


@pytest.mark.parametrize(
    ("n_samples", "false_alarm", "place"),
    [
        (200, 0.05, 190),
        (200, 1 - 0.95, 190),
        (3, 1 / 3, 2),
        (3, 2 / 3, 1),
        (3, 1 - 1 / 3, 1),
        (10, 0.3, 7),
        (10, 0.01, 9),
        (7, 0.05, 6),
        (1, 0.5, 0),
        (5, 1e-15, 4),
        (5, 1 - 1e-12, 0),
    ],
)
def test_threshold_is_at_the_stated_place(n_samples, false_alarm, place):
    distances = np.random.default_rng(0).permutation(n_samples)
    assert resubstitution_threshold(distances, false_alarm) == place


def test_threshold_place_is_that_of_exact_arithmetic():
    for percent in range(1, 100):
        for n_samples in (1, 2, 3, 19, 20, 50, 100, 199, 200, 201, 1000):
            exact = math.floor(n_samples * (1 - Fraction(percent, 100)))
            assert resubstitution_threshold(range(n_samples), percent / 100) == exact


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=60), st.floats(1e-3, 0.999))
def test_at_most_the_stated_share_of_training_is_rejected(distances, false_alarm):
    threshold = resubstitution_threshold(distances, false_alarm)
    rejected = sum(d > threshold for d in distances)
    assert rejected <= len(distances) * false_alarm + 1e-9
    assert threshold in distances


@pytest.mark.parametrize("false_alarm", [0.0, 1.0, -0.1, 5, math.nan])
def test_false_alarm_outside_zero_and_one_is_refused(false_alarm):
    with pytest.raises(InvalidParameterError, match=r"false_alarm"):
        resubstitution_threshold([1.0, 2.0], false_alarm)
    with pytest.raises(InvalidParameterError, match=r"false_alarm"):
        Manhattan(false_alarm=false_alarm).fit(TRAIN)


@pytest.mark.parametrize("distances", [[], [[1.0, 2.0]]])
def test_threshold_of_no_or_nested_distances_is_refused(distances):
    with pytest.raises(InvalidParameterError, match=r"distances must be one or more numbers"):
        resubstitution_threshold(distances, 0.05)


def test_a_sample_at_the_threshold_is_accepted_and_beyond_rejected():
    verifier = FirstColumn(false_alarm=0.25).fit(np.arange(4.0)[:, None])
    assert verifier.offset_ == -3.0
    verifier = FirstColumn(false_alarm=0.5).fit(np.arange(4.0)[:, None])
    assert verifier.offset_ == -2.0
    np.testing.assert_array_equal(verifier.predict([[2.0], [np.nextafter(2.0, 3.0)]]), [1, -1])


def test_nine_of_two_hundred_are_rejected_at_five_percent():
    train = np.random.default_rng(3).permutation(200)[:, None].astype(float)
    predicted = FirstColumn().fit(train).predict(train)
    assert (predicted == -1).sum() == 9


@pytest.mark.parametrize("verifier", [Manhattan(), Euclidean(), ScaledManhattan()])
def test_scores_decisions_and_predictions_agree(verifier):
    verifier = clone(verifier).fit(TRAIN)
    scores = verifier.score_samples(TEST)
    decision = verifier.decision_function(TEST)
    np.testing.assert_array_equal(decision, scores - verifier.offset_)
    np.testing.assert_array_equal(verifier.predict(TEST), np.where(decision < 0, -1, 1))
    np.testing.assert_array_equal(verifier.fit_predict(TRAIN), verifier.predict(TRAIN))
    assert scores.shape == (30,)
    assert {-1, 1} == set(verifier.predict(TEST))


@pytest.mark.parametrize("verifier", [Manhattan(), Euclidean(), ScaledManhattan()])
def test_a_row_scores_alike_in_any_company_and_memory_order(verifier):
    verifier = clone(verifier).fit(TRAIN)
    together = verifier.score_samples(TEST)
    alone = [verifier.score_samples(row[None])[0] for row in TEST]
    np.testing.assert_array_equal(together, alone)
    np.testing.assert_array_equal(together, verifier.score_samples(np.asfortranarray(TEST)))
    np.testing.assert_array_equal(together, verifier.score_samples(TEST.tolist()))


def test_a_fit_leaves_its_data_unchanged_and_forgets_the_previous_one():
    data = TRAIN.copy()
    verifier = ScaledManhattan().fit(data)
    np.testing.assert_array_equal(data, TRAIN)
    again = verifier.fit(TEST[:, :3])
    fresh = ScaledManhattan().fit(TEST[:, :3])
    assert again is verifier
    assert verifier.n_features_in_ == 3
    np.testing.assert_array_equal(verifier.scale_, fresh.scale_)


def by_hand(verifier, samples):
    """Return the score of each sample by a verifier of the others."""
    n = len(samples)
    return [verifier.fit(np.delete(samples, i, 0)).score_samples(samples[[i]])[0] for i in range(n)]


@pytest.mark.parametrize("n_samples", [3, 7, 29])
def test_few_samples_are_judged_by_the_others(n_samples):
    rng = np.random.default_rng(1)
    samples = rng.normal(size=(n_samples, 12))
    scores = by_hand(ScaledManhattan(), samples)
    few = ScaledManhattan().fit(samples)
    assert few.offset_ == pytest.approx(-resubstitution_threshold(np.negative(scores), 0.05))
    fresh = rng.normal(size=(400, 12))
    assert (few.predict(fresh) == -1).mean() < 0.35
    if n_samples == 7:  # fitted to few samples, the scale of each column is too small for others
        known = -resubstitution_threshold(-few.score_samples(samples), 0.05)
        assert (few.score_samples(fresh) < known).mean() > 0.4


def test_thirty_samples_or_two_or_copies_judge_themselves():
    rng = np.random.default_rng(1)
    for samples in (rng.normal(size=(30, 3)), rng.normal(size=(2, 3)),
                    np.repeat(rng.normal(size=(2, 3)), 5, axis=0)):  # fmt: skip
        one = Manhattan().fit(samples)
        assert one.offset_ == -resubstitution_threshold(-one.score_samples(samples), 0.05)


def test_the_verifiers_inside_are_not_judged_again():
    """Else a sum of few samples would take n^3 fits."""
    samples = np.random.default_rng(1).normal(size=(9, 4))
    whole = ScoreSum([ScoreSum([Counting()]), Counting()])
    Counting.fits = 0
    whole.fit(samples)
    assert Counting.fits == 2 * (1 + 9)


class Counting(Manhattan):
    fits = 0

    def _learn(self, samples, weights=None):
        Counting.fits += 1
        super()._learn(samples, weights)


def test_works_in_a_pipeline():
    pipeline = make_pipeline(StandardScaler(), Manhattan(false_alarm=0.1)).fit(TRAIN)
    assert pipeline.score_samples(TEST).shape == (30,)
    scaled = StandardScaler().fit(TRAIN)
    alone = Manhattan(false_alarm=0.1).fit(scaled.transform(TRAIN))
    np.testing.assert_array_equal(pipeline.predict(TEST), alone.predict(scaled.transform(TEST)))


@pytest.mark.parametrize(
    ("verifier", "parameters"),
    [
        (Manhattan(), {"false_alarm"}),
        (Euclidean(), {"false_alarm", "definition"}),
        (ScaledManhattan(), {"false_alarm", "scale"}),
        (
            POHMM(),
            {"false_alarm", "n_states", "smoothing", "tol", "max_iter", "distribution", "keys"}
            | {"clock"},
        ),
    ],
)
def test_parameters_are_read_set_and_cloned(verifier, parameters):
    assert set(verifier.get_params()) == parameters
    changed = clone(verifier).set_params(false_alarm=0.2)
    assert clone(changed).false_alarm == 0.2
    assert verifier.false_alarm == 0.05


@pytest.mark.parametrize("verifier", [Manhattan(), Euclidean(), ScaledManhattan(), POHMM()])
@pytest.mark.parametrize("method", ["score_samples", "decision_function", "predict"])
def test_use_before_fit_is_refused(verifier, method):
    with pytest.raises(NotFittedError, match=r"is not fitted yet"):
        getattr(verifier, method)(TEST)


@pytest.mark.parametrize("verifier", [Manhattan(), POHMM()])
@pytest.mark.parametrize(
    ("value", "word"), [(math.nan, "NaN"), (math.inf, "inf"), (-math.inf, "-inf")]
)
def test_values_that_are_not_finite_are_refused_with_their_place(verifier, value, word):
    data = np.full((6, 4), 0.1)
    data[3, 2] = value
    name = type(verifier).__name__
    message = rf"X, row 3, column 2 is {word}; {name} needs finite numbers"
    with pytest.raises(InvalidParameterError, match=message):
        verifier.fit(data)
    frame = pd.DataFrame(data, columns=["H.a", "DD.a.b", "UD.a.b", "H.b"])
    with pytest.raises(InvalidParameterError, match=rf"row 3, column 'UD.a.b' is {word}"):
        verifier.fit(frame)


def test_bad_values_at_scoring_are_refused_too():
    verifier = Manhattan().fit(TRAIN)
    bad = TEST.copy()
    bad[0, 4] = math.nan
    with pytest.raises(InvalidParameterError, match=r"X, row 0, column 4 is NaN"):
        verifier.predict(bad)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (TRAIN[:1], r"1 sample\(s\).*minimum of 2 is required by Manhattan"),
        (TRAIN[:0], r"0 sample\(s\).*minimum of 2 is required by Manhattan"),
        (TRAIN[:, :0], r"0 feature\(s\)"),
        (TRAIN[0], r"Expected 2D array, got 1D array"),
        ([["a", "b"], ["c", "d"]], r"could not convert string to float"),
        (TRAIN + 1j, r"Complex data not supported"),
    ],
)
def test_what_is_no_training_matrix_is_refused(data, message):
    with pytest.raises(ValueError, match=message):
        Manhattan().fit(data)


def test_another_width_than_in_training_is_refused():
    verifier = Manhattan().fit(TRAIN)
    with pytest.raises(ValueError, match=r"X has 4 features, but Manhattan is expecting 5"):
        verifier.score_samples(TEST[:, :4])


def test_columns_in_another_order_than_in_training_are_refused():
    names = list("abcde")
    verifier = Manhattan().fit(pd.DataFrame(TRAIN, columns=names))
    with pytest.raises(ValueError, match=r"feature names"):
        verifier.score_samples(pd.DataFrame(TEST, columns=names[::-1]))


WEIGHTED = [Manhattan(), Euclidean(), ScaledManhattan(), ScaledManhattan(scale="std")]


@pytest.mark.parametrize("verifier", WEIGHTED, ids=repr)
def test_a_weight_is_a_number_of_repetitions(verifier):
    rng = np.random.default_rng(8)
    train, test = rng.normal(size=(40, 3)), rng.normal(size=(9, 3))
    times = rng.integers(0, 4, size=40)
    weighted = clone(verifier).fit(train, sample_weight=times)
    repeated = clone(verifier).fit(np.repeat(train, times, axis=0))
    # the same sums in another order
    assert weighted.offset_ == pytest.approx(repeated.offset_, rel=1e-12)
    np.testing.assert_allclose(
        weighted.score_samples(test), repeated.score_samples(test), rtol=1e-12
    )


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([1.0, 0.0, 0.0], r"leaves 1 samples whose weight is not zero, with the sum 1"),
        ([0.2, 0.2, 0.2], r"with the sum 0.6.*Scale the weights"),
        ([1.0, 1.0], r"sample_weight must have shape \(3,\) \(one per training sample\)"),
        ([1.0, -1.0, 2.0], r"sample_weight must not be negative; got sample_weight\[1\] = -1"),
        ([1.0, np.nan, 2.0], r"sample_weight\[1\] is nan"),
    ],
)
def test_weights_that_count_nothing_are_refused(weights, message):
    with pytest.raises(InvalidParameterError, match=message):
        Manhattan().fit([[0.0], [1.0], [2.0]], sample_weight=weights)


@given(
    st.lists(st.tuples(st.floats(0, 9), st.integers(0, 3)), min_size=1, max_size=30).filter(
        lambda pairs: sum(times for _, times in pairs) > 0
    ),
    st.floats(0.01, 0.99),
)
def test_the_threshold_counts_weights_as_repetitions(pairs, false_alarm):
    distances, times = (np.array(part) for part in zip(*pairs, strict=True))
    repeated = resubstitution_threshold(np.repeat(distances, times), false_alarm)
    kept = times > 0
    assert (
        resubstitution_threshold(distances[kept], false_alarm, sample_weight=times[kept])
        == repeated
    )


class Broken(OneClassVerifier):
    """A verifier whose scores are NaN beyond 1."""

    def _learn(self, samples):
        self.center_ = samples.mean(axis=0)

    def _score(self, samples):
        return np.where(samples[:, 0] > 1.0, np.nan, -samples[:, 0])


def test_a_score_that_is_nan_is_rejected():
    verifier = Broken().fit(TRAIN)
    assert verifier.predict(np.vstack([np.full((1, 5), 2.0), TRAIN[:1]])).tolist() == [-1, 1]
