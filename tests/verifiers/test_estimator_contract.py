"""scikit-learn's own checks of an estimator, on every verifier."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils.estimator_checks import parametrize_with_checks

from hawkeys.datasets import join_timings
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import (
    POHMM,
    AutoAssociativeNet,
    BackgroundRatio,
    ClippedManhattan,
    Euclidean,
    EuclideanNormed,
    FilteredManhattan,
    FuzzyLogic,
    HawkesLikelihood,
    HeldOutThreshold,
    KMeans,
    Mahalanobis,
    MahalanobisNormed,
    Manhattan,
    NearestNeighborMahalanobis,
    OneClassSVM,
    OutlierCount,
    PracticeCorrected,
    RecencyNearestNeighbors,
    RecencyWeighted,
    RobustMahalanobis,
    ScaledManhattan,
    ScoreSum,
    StandardNet,
    UpdatingVerifier,
)

DISTANCES = [
    Manhattan(),
    Euclidean(),
    Euclidean(definition="l1"),
    ScaledManhattan(),
    ScaledManhattan(scale="std"),
    EuclideanNormed(),
    FilteredManhattan(),
    OutlierCount(),
    Mahalanobis(),
    MahalanobisNormed(),
    NearestNeighborMahalanobis(),
    ClippedManhattan(),
    HeldOutThreshold(Manhattan(), policy="leave-one-out"),
    UpdatingVerifier(Manhattan()),
    RecencyWeighted(Manhattan()),
    ScoreSum([Manhattan(), Euclidean()]),
]

LEARNED = [
    OneClassSVM(),
    KMeans(),
    # the data of the checks spread over 10 units, not over 0.1 s
    FuzzyLogic(spacing=1.0, half_width=10.0),
    FuzzyLogic(spacing=1.0, half_width=10.0, matching="mean"),
    AutoAssociativeNet(n_epochs=50),
    StandardNet(n_epochs=50),
]


class AnyMatrixPOHMM(POHMM):
    """POHMM of a timing matrix made from any matrix, because scikit-learn's checks draw any.

    Column j becomes the interval before key j and its hold.
    """

    def _learn(self, samples):
        super()._learn(as_timings(samples))

    def _score(self, samples):
        return super()._score(as_timings(samples))


class AnyMatrixNeighbors(RecencyNearestNeighbors):
    """Nearest neighbours in a timing matrix made from any matrix."""

    def _learn(self, samples, weights=None):
        super()._learn(as_timings(samples), weights)

    def _score(self, samples):
        return super()._score(as_timings(samples))

    def _training_score(self, samples):
        return super()._training_score(as_timings(samples))


class AnyMatrixMahalanobis(RobustMahalanobis):
    """Robust Mahalanobis distance in a timing matrix made from any matrix."""

    def _learn(self, samples, weights=None):
        super()._learn(as_timings(samples), weights)

    def _score(self, samples):
        return super()._score(as_timings(samples))


class AnyMatrixBackground(BackgroundRatio):
    """Ratio to people in general of a timing matrix made from any matrix."""

    def _set_background(self, samples):
        super()._set_background(as_timings(samples))

    def _learn(self, samples):
        super()._learn(as_timings(samples))

    def _score(self, samples):
        return super()._score(as_timings(samples))


class AnyMatrixHawkes(HawkesLikelihood):
    """Hawkes process of a timing matrix made from any matrix."""

    def _learn(self, samples, weights=None):
        super()._learn(as_timings(samples), weights)

    def _score(self, samples):
        return super()._score(as_timings(samples))


def as_timings(matrix):
    interval = 0.1 * np.exp(np.clip(matrix, -3.0, 3.0))
    interval = np.column_stack([interval, interval[:, -1]])
    press = np.cumsum(interval, axis=1)
    return join_timings(press, press + interval)


OUTLIERS = ("check_outliers_fit_predict", "check_outliers_train")
EXCEPTIONS = {
    OutlierCount: (OUTLIERS, "with two features most counts tie at the threshold"),
    NearestNeighborMahalanobis: (OUTLIERS, "a training sample is at distance 0 from itself"),
    AnyMatrixBackground: (
        OUTLIERS,
        "evidence is bounded, so that strange data tie at the threshold",
    ),
    # rows age with those after them, so that a row that comes twice makes those before it older
    AnyMatrixNeighbors: (("check_sample_weight_equivalence_on_dense_data",), "rows age"),
    AnyMatrixHawkes: (("check_sample_weight_equivalence_on_dense_data",), "rows age"),
}


def documented(estimator):
    names, reason = EXCEPTIONS.get(type(estimator), ((), ""))
    return dict.fromkeys(names, reason)


@parametrize_with_checks(DISTANCES, expected_failed_checks=documented)
def test_distances_pass_scikit_learn_checks(estimator, check):
    check(estimator)


@parametrize_with_checks(LEARNED)
def test_learned_verifiers_pass_scikit_learn_checks(estimator, check):
    check(estimator)


@parametrize_with_checks([AnyMatrixPOHMM()])
def test_pohmm_passes_scikit_learn_checks(estimator, check):
    check(estimator)


@parametrize_with_checks([AnyMatrixMahalanobis()])
def test_robust_mahalanobis_passes_scikit_learn_checks(estimator, check):
    check(estimator)


@parametrize_with_checks([AnyMatrixNeighbors()], expected_failed_checks=documented)
def test_neighbors_pass_scikit_learn_checks(estimator, check):
    check(estimator)


@parametrize_with_checks([AnyMatrixHawkes()], expected_failed_checks=documented)
def test_hawkes_likelihood_passes_scikit_learn_checks(estimator, check):
    check(estimator)


@parametrize_with_checks([AnyMatrixBackground()], expected_failed_checks=documented)
def test_background_ratio_passes_scikit_learn_checks(estimator, check):
    check(estimator)


TIMINGS = as_timings(np.random.default_rng(0).normal(size=(20, 4)))
BARE = [
    POHMM(),
    BackgroundRatio(),
    HawkesLikelihood(),
    RecencyNearestNeighbors(),
    RobustMahalanobis(),
    PracticeCorrected(Manhattan()),
]


@pytest.mark.parametrize("verifier", [*DISTANCES, *BARE], ids=repr)
def test_nan_one_sample_and_another_width_are_refused(verifier):
    fitted = clone(verifier).fit(TIMINGS)
    holed = TIMINGS.copy()
    holed[3, 2] = np.nan
    with pytest.raises(InvalidParameterError, match=r"X, row 3, column 2 is NaN.*Remove or impute"):
        clone(verifier).fit(holed)
    with pytest.raises(InvalidParameterError, match=r"X, row 3, column 2 is NaN"):
        fitted.score_samples(holed)
    with pytest.raises(ValueError, match=r"minimum of 2 is required"):
        clone(verifier).fit(TIMINGS[:1])
    with pytest.raises(ValueError, match=r"X has 10 features, but \w+ is expecting 13"):
        fitted.score_samples(TIMINGS[:, :10])
