"""Distances from the median: definitions, bounds, invariances, degenerate data."""

import math
import statistics

import naive_verifiers as naive
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from hawkeys.datasets import join_timings
from hawkeys.exceptions import InvalidParameterError, InvalidTimingsError
from hawkeys.verifiers import ClippedManhattan, RobustMahalanobis

TRAIN = np.random.default_rng(4).lognormal(-2.0, 0.4, size=(25, 6))
TEST = np.random.default_rng(5).lognormal(-2.0, 0.8, size=(12, 6))


def typing(seed, n_samples, n_keys=4, spread=0.3):
    rng = np.random.default_rng(seed)
    press = np.cumsum(rng.lognormal(-1.8, spread, size=(n_samples, n_keys)), axis=1)
    return join_timings(press, press + rng.lognormal(-2.4, spread, size=press.shape))


TYPED, OTHER = typing(1, 31), typing(2, 12, spread=0.7)


@pytest.mark.parametrize("clip", [0.5, 3.0, 1e9])
def test_clipped_scores_are_those_of_the_definition(clip):
    verifier = ClippedManhattan(clip=clip).fit(TRAIN)
    columns = TRAIN.T.tolist()
    expected = [
        -math.fsum(
            min(abs(x - statistics.median(column)) / naive.scale(column, 0.0), clip)
            for x, column in zip(row, columns, strict=True)
        )
        for row in TEST.tolist()
    ]
    np.testing.assert_allclose(verifier.score_samples(TEST), expected, rtol=1e-13)


def test_it_does_not_matter_how_wild_a_training_sample_is():
    one, other = (
        ClippedManhattan().fit(np.vstack([TRAIN, np.full((5, 6), wild)])) for wild in (1e3, 1e9)
    )
    np.testing.assert_array_equal(one.center_, other.center_)
    np.testing.assert_array_equal(one.scale_, other.scale_)
    np.testing.assert_array_equal(one.score_samples(TEST), other.score_samples(TEST))


def test_a_coarse_clock_falls_back_on_the_mean_absolute_deviation():
    mostly = np.array([2.0] * 7 + [1.0, 3.0, 4.0])
    verifier = ClippedManhattan(clip=10.0).fit(np.column_stack([mostly, np.full(10, 5.0)]))
    assert verifier.scale_[0] == pytest.approx(math.sqrt(math.pi / 2) * 0.4, rel=1e-14)
    assert verifier.scale_[1] == 1e-10
    assert verifier.score_samples([[2.0, 5.0], [2.0, 5.001]]).tolist() == [0.0, -10.0]


def test_training_samples_that_are_all_alike():
    verifier = ClippedManhattan().fit(np.full((5, 3), 0.1))
    assert verifier.offset_ == 0.0
    assert verifier.predict([[0.1, 0.1, 0.1], [0.1, 0.1, 0.2]]).tolist() == [1, -1]
    same = np.tile(TYPED[0], (5, 1))
    robust = RobustMahalanobis(clock=0.01).fit(same)
    np.testing.assert_array_equal(robust.whitener_, np.eye(7))
    assert robust.offset_ == 0.0
    later = same[:1].copy()
    later[0, -1] += 0.01
    change = math.log1p(0.01 / same[0, -1]) / (0.01 / same[0, -1])
    assert robust.score_samples(later)[0] == pytest.approx(-(change**2), rel=1e-9)


@pytest.mark.parametrize("clip", [1.5, 3.5])
@pytest.mark.parametrize("shrinkage", [0.05, 0.5])
def test_robust_scores_are_those_of_the_definition(clip, shrinkage):
    options = {"clip": clip, "shrinkage": shrinkage, "min_interval": 0.09, "clock": 0.01}
    verifier = RobustMahalanobis(**options).fit(TYPED)
    logs = [naive.log_timings(row, 0.09) for row in TYPED.tolist()]
    columns = list(zip(*logs, strict=True))
    changes = naive.ticks(columns, 0, 0.01, 0.09)
    middle = [statistics.median(column) for column in columns]
    scales = [naive.scale(column, tick) for column, tick in zip(columns, changes, strict=True)]

    def standard(row):
        pairs = zip(naive.log_timings(row, 0.09), middle, scales, strict=True)
        return [max(-clip, min(clip, (y - m) / a)) for y, m, a in pairs]

    z = np.array([standard(row) for row in TYPED.tolist()])
    covariance = np.cov(z.T)
    level = np.trace(covariance) / 7
    inverse = np.linalg.inv((1 - shrinkage) * covariance + shrinkage * level * np.eye(7))
    gaps = np.array([standard(row) for row in OTHER.tolist()]) - z.mean(axis=0)
    expected = -np.einsum("ij,jk,ik->i", gaps, inverse, gaps)
    # two ways to an inverse of condition below 1e2
    np.testing.assert_allclose(verifier.score_samples(OTHER), expected, rtol=1e-11)
    np.testing.assert_allclose(verifier.whitener_ @ verifier.whitener_.T, inverse, rtol=1e-10)


@pytest.mark.parametrize(
    ("verifier", "train", "test"),
    [(ClippedManhattan(), TRAIN, TEST), (RobustMahalanobis(), TYPED, OTHER)],
    ids=["clipped", "robust"],
)
class TestBoth:
    def test_the_order_of_training_rows_does_not_matter(self, verifier, train, test):
        order = np.random.default_rng(6).permutation(len(train))
        one, other = clone(verifier).fit(train), clone(verifier).fit(train[order])
        np.testing.assert_allclose(one.score_samples(test), other.score_samples(test), rtol=1e-10)
        assert one.offset_ == pytest.approx(other.offset_, rel=1e-10)

    def test_a_weight_is_a_number_of_repetitions(self, verifier, train, test):
        times = np.random.default_rng(8).integers(0, 4, size=len(train))
        weighted = clone(verifier).fit(train, sample_weight=times)
        repeated = clone(verifier).fit(np.repeat(train, times, axis=0))
        np.testing.assert_allclose(
            weighted.score_samples(test), repeated.score_samples(test), rtol=1e-10
        )
        assert weighted.offset_ == pytest.approx(repeated.offset_, rel=1e-10)

    def test_a_row_scores_alike_in_any_company(self, verifier, train, test):
        fitted = clone(verifier).fit(train)
        alone = [fitted.score_samples(row[None])[0] for row in test]
        np.testing.assert_array_equal(fitted.score_samples(test), alone)

    def test_the_unit_of_time_does_not_matter(self, verifier, train, test):
        other = clone(verifier)
        if isinstance(verifier, RobustMahalanobis):
            other.set_params(min_interval=0.05, clock=0.01)
        one, other = clone(verifier).fit(train), other.fit(train * 10)
        np.testing.assert_allclose(
            one.score_samples(test), other.score_samples(test * 10), rtol=1e-9
        )

    def test_options_out_of_range_are_refused(self, verifier, train, test):
        with pytest.raises(InvalidParameterError, match=r"clip must be one positive number"):
            clone(verifier).set_params(clip=0.0).fit(train)


def test_translation_and_units_of_features_do_not_matter_to_the_clipped_distance():
    unit, shift = np.array([1e-9, 1e-3, 1.0, 60.0, 1e3, 1e9]), np.arange(6.0)
    one = ClippedManhattan().fit(TRAIN).score_samples(TEST)
    moved = ClippedManhattan().fit(TRAIN + shift).score_samples(TEST + shift)
    np.testing.assert_allclose(moved, one, rtol=1e-12)
    scaled = ClippedManhattan().fit(TRAIN * unit).score_samples(TEST * unit)
    np.testing.assert_allclose(scaled, one, rtol=1e-12)


@settings(max_examples=50, deadline=None)
@given(st.integers(0, 11), st.integers(0, 5), st.floats(1.0, 100.0))
def test_moving_away_from_the_median_never_raises_the_score(row, feature, factor):
    verifier = ClippedManhattan().fit(TRAIN)
    far = TEST[row].copy()
    far[feature] += (factor - 1.0) * (far[feature] - verifier.center_[feature])
    before, after, centre = verifier.score_samples([TEST[row], far, verifier.center_])
    assert after <= before < centre == 0.0
    assert before - after <= 3.0 + 1e-12


def test_beyond_the_bound_longer_makes_no_difference_to_the_robust_distance():
    verifier = RobustMahalanobis().fit(TYPED)
    slow, slower = TYPED[:1].copy(), TYPED[:1].copy()
    slow[0, 1:3] += 10.0
    slower[0, 1:3] += 60.0
    assert verifier.score_samples(slow)[0] == verifier.score_samples(slower)[0]
    assert verifier.score_samples(slow)[0] < verifier.score_samples(TYPED[:1])[0]


def test_up_down_intervals_follow_from_the_others():
    verifier = RobustMahalanobis().fit(TYPED)
    rounded = OTHER.copy()
    rounded[:, 2::3] += 0.001  # within the tolerance of the timing matrix
    np.testing.assert_array_equal(verifier.score_samples(OTHER), verifier.score_samples(rounded))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"shrinkage": 0.0}, r"shrinkage must be one number strictly between 0 and 1"),
        ({"shrinkage": 1.0}, r"shrinkage must be one number strictly between 0 and 1"),
        ({"min_interval": -0.1}, r"min_interval must be one positive number; got -0.1"),
        ({"clock": 0.0}, r"clock must be one positive number; got 0.0"),
    ],
)
def test_robust_options_out_of_range_are_refused(options, message):
    with pytest.raises(InvalidParameterError, match=message):
        RobustMahalanobis(**options).fit(TYPED)


def test_what_is_no_timing_matrix_is_refused():
    with pytest.raises(InvalidTimingsError, match=r"shape \(n_samples, 3 K - 2\)"):
        RobustMahalanobis().fit(TYPED[:, :-1])
