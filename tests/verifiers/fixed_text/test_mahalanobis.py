"""Mahalanobis distances against matrix definitions, their invariances and refusals."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone
from sklearn.covariance import EmpiricalCovariance

from hawkeys.datasets import join_timings
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import (
    Mahalanobis,
    MahalanobisNormed,
    NearestNeighborMahalanobis,
    resubstitution_threshold,
)

MIX = np.random.default_rng(3).normal(size=(5, 5))
TRAIN = np.random.default_rng(4).normal(size=(25, 5)) @ MIX + 7.0
TEST = np.random.default_rng(5).normal(size=(12, 5)) @ MIX * 1.5 + 7.0
ALL = [Mahalanobis(), MahalanobisNormed(), NearestNeighborMahalanobis()]


def timings(seed, n_samples, n_keys=5):
    rng = np.random.default_rng(seed)
    press = np.cumsum(rng.lognormal(-1.8, 0.3, size=(n_samples, n_keys)), axis=1)
    return join_timings(press, press + rng.lognormal(-2.4, 0.3, size=press.shape))


def slow_distance(train, x, center):
    inverse = np.linalg.inv(np.cov(np.transpose(train)))
    return float((x - center) @ inverse @ (x - center))


def slow_scores(verifier, train, test):
    mean = train.mean(axis=0)
    if isinstance(verifier, NearestNeighborMahalanobis):
        return [-min(slow_distance(train, x, t) for t in train) for x in test]
    lengths = np.linalg.norm(mean) * np.linalg.norm(test, axis=1)
    divisor = lengths if isinstance(verifier, MahalanobisNormed) else np.ones(len(test))
    return [-slow_distance(train, x, mean) / d for x, d in zip(test, divisor, strict=True)]


@pytest.mark.parametrize("verifier", ALL, ids=repr)
def test_scores_are_those_of_the_definition(verifier):
    scores = clone(verifier).fit(TRAIN).score_samples(TEST)
    # the inverse of a matrix of condition 1e3 or so
    np.testing.assert_allclose(scores, slow_scores(verifier, TRAIN, TEST), rtol=1e-10)


def test_the_distance_is_that_of_scikit_learn_but_for_the_divisor():
    theirs = EmpiricalCovariance().fit(TRAIN).mahalanobis(TEST) * (len(TRAIN) - 1) / len(TRAIN)
    np.testing.assert_allclose(-Mahalanobis().fit(TRAIN).score_samples(TEST), theirs, rtol=1e-10)


def test_training_distances_sum_to_rank_times_n_minus_one():
    for train in (TRAIN, timings(6, 40), TRAIN[:4]):
        verifier = Mahalanobis().fit(train)
        total = -verifier.score_samples(train).sum()
        assert total == pytest.approx(verifier.rank_ * (len(train) - 1), rel=1e-9)


@pytest.mark.parametrize("verifier", ALL, ids=repr)
def test_dependent_columns_neither_matter_by_their_order_nor_cost_precision(verifier):
    """DD = H + UD: five keys have 13 columns of rank 9."""
    train, test = timings(7, 40), timings(8, 20)
    one = clone(verifier).fit(train)
    assert one.rank_ == 9
    pseudo = np.linalg.pinv(np.cov(train.T), rcond=1e-10, hermitian=True)
    np.testing.assert_allclose(one.whitener_ @ one.whitener_.T, pseudo, rtol=1e-8, atol=1e-9)
    for seed in range(5):
        order = np.random.default_rng(seed).permutation(train.shape[1])
        other = clone(verifier).fit(train[:, order])
        # nine digits: the condition of the nine true directions is 1e3 or so
        np.testing.assert_allclose(
            other.score_samples(test[:, order]), one.score_samples(test), rtol=1e-9
        )
        assert other.offset_ == pytest.approx(one.offset_, rel=1e-9)
        assert other.rank_ == 9


def test_rank_of_the_benchmark(cmu):
    """The gap in the eigenvalues that the default of rcond lies in, for all typists."""
    timing, who = cmu.timings().to_numpy(), np.asarray(cmu.subject)
    for name in cmu.subjects:
        train = timing[who == name][:200]
        values = np.linalg.eigvalsh(np.cov(train.T))
        values /= values[-1]
        assert values[10] > 1.3e-5
        assert abs(values[9]) < 4e-16
        assert Mahalanobis().fit(train).rank_ == 21


@pytest.mark.parametrize("verifier", ALL, ids=repr)
def test_the_order_of_training_rows_does_not_matter(verifier):
    order = np.random.default_rng(6).permutation(len(TRAIN))
    one, other = clone(verifier).fit(TRAIN), clone(verifier).fit(TRAIN[order])
    np.testing.assert_allclose(one.score_samples(TEST), other.score_samples(TEST), rtol=1e-10)
    assert one.offset_ == pytest.approx(other.offset_, rel=1e-10)


@pytest.mark.parametrize("verifier", [ALL[0], ALL[2]], ids=repr)
def test_translation_rotation_and_units_do_not_matter(verifier):
    shift, unit = np.arange(5.0), np.array([0.05, 0.5, 1.0, 2.0, 20.0])
    rotation, _ = np.linalg.qr(MIX)
    one = clone(verifier).fit(TRAIN)
    for change in (lambda x: x + shift, lambda x: x @ rotation, lambda x: x * unit):
        other = clone(verifier).fit(change(TRAIN))
        np.testing.assert_allclose(
            other.score_samples(change(TEST)), one.score_samples(TEST), rtol=1e-7
        )  # the units spread the eigenvalues over seven decades


@pytest.mark.parametrize("verifier", ALL, ids=repr)
@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_a_common_unit_changes_no_decision(verifier, unit):
    one, other = clone(verifier).fit(TRAIN), clone(verifier).fit(TRAIN * unit)
    np.testing.assert_array_equal(one.predict(TEST), other.predict(TEST * unit))


@settings(max_examples=50)
@given(st.integers(0, 11), st.floats(1.0, 100.0))
def test_moving_away_from_the_mean_never_raises_the_score(row, factor):
    verifier = Mahalanobis().fit(TRAIN)
    far = verifier.center_ + factor * (TEST[row] - verifier.center_)
    before, after = verifier.score_samples([TEST[row], far])
    assert after == pytest.approx(before * factor**2, rel=1e-10)


@pytest.mark.parametrize("verifier", ALL, ids=repr)
def test_a_row_scores_alike_in_any_company(verifier):
    verifier = clone(verifier).fit(TRAIN)
    alone = [verifier.score_samples(row[None])[0] for row in TEST]
    np.testing.assert_array_equal(verifier.score_samples(TEST), alone)


@pytest.mark.parametrize("verifier", ALL, ids=repr)
def test_a_weight_is_a_number_of_repetitions(verifier):
    times = np.random.default_rng(8).integers(0, 4, size=len(TRAIN))
    weighted = clone(verifier).fit(TRAIN, sample_weight=times)
    repeated = clone(verifier).fit(np.repeat(TRAIN, times, axis=0))
    np.testing.assert_allclose(
        weighted.score_samples(TEST), repeated.score_samples(TEST), rtol=1e-10
    )
    assert weighted.offset_ == pytest.approx(repeated.offset_, rel=1e-10)


def test_a_training_sample_meets_neither_itself_nor_its_copies():
    train = np.vstack([TRAIN, TRAIN[:3]])
    verifier = NearestNeighborMahalanobis().fit(train)
    # templates are whitened from another mean: some digits of 1e-30
    assert (verifier.score_samples(train) > -1e-20).all()
    expected = [
        -min(slow_distance(train, x, t) for t in train if not np.array_equal(t, x)) for x in train
    ]
    np.testing.assert_allclose(verifier.training_scores(train), expected, rtol=1e-9)
    left_out = [
        NearestNeighborMahalanobis().fit(train[(train != x).any(axis=1)]).score_samples([x])[0]
        for x in train
    ]
    assert verifier.offset_ == -resubstitution_threshold(-np.array(left_out), 0.05)
    assert verifier.offset_ < -0.1


def test_training_scores_want_the_training_samples():
    verifier = NearestNeighborMahalanobis().fit(TRAIN)
    for other in (TEST, TRAIN[::-1], TRAIN[:5]):
        with pytest.raises(InvalidParameterError, match=r"takes the 25 training samples .* order"):
            verifier.training_scores(other)


@pytest.mark.parametrize("verifier", ALL, ids=repr)
def test_a_feature_that_never_varied_is_as_good_as_absent(verifier):
    train, test = (np.column_stack([x, np.full(len(x), 0.1)]) for x in (TRAIN, TEST))
    one, other = clone(verifier).fit(train), clone(verifier).fit(TRAIN)
    assert one.rank_ == 5
    lengths = 1.0
    if isinstance(verifier, MahalanobisNormed):  # whose lengths it enters
        with_it = np.linalg.norm(test, axis=1) * np.linalg.norm(one.center_)
        lengths = np.linalg.norm(TEST, axis=1) * np.linalg.norm(other.center_) / with_it
    np.testing.assert_allclose(
        one.score_samples(test), other.score_samples(TEST) * lengths, rtol=1e-10
    )


@pytest.mark.parametrize("verifier", ALL, ids=repr)
def test_training_samples_that_are_all_alike_are_refused(verifier):
    with pytest.raises(InvalidParameterError, match=r"all 4 training samples are alike.*typed"):
        clone(verifier).fit(np.full((4, 3), 0.1))


@pytest.mark.parametrize("verifier", ALL, ids=repr)
def test_two_samples_have_one_direction(verifier):
    verifier = clone(verifier).fit([[1.0, 1.0, 0.0], [3.0, 1.0, 0.0]])
    assert verifier.rank_ == 1
    near, far = verifier.score_samples([[2.0, 1.0, 0.0], [9.0, 1.0, 0.0]])
    assert far < near


@pytest.mark.parametrize("verifier", ALL, ids=repr)
@pytest.mark.parametrize("rcond", [0.0, 1.0, -1e-3])
def test_rcond_out_of_range_is_refused(verifier, rcond):
    with pytest.raises(InvalidParameterError, match=r"rcond must be one number strictly between"):
        clone(verifier).set_params(rcond=rcond).fit(TRAIN)


def test_a_sample_of_zeros_has_a_finite_score():
    scores = MahalanobisNormed().fit(TRAIN).score_samples(np.zeros((1, 5)))
    assert np.isfinite(scores).all()
    assert scores[0] < -1e9
