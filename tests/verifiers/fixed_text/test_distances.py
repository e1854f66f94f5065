"""Distances from the mean against loops, their invariances, and counts on the CMU data."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import (
    Euclidean,
    EuclideanNormed,
    FilteredManhattan,
    MahalanobisNormed,
    Manhattan,
    OutlierCount,
    ScaledManhattan,
)

TRAIN = np.random.default_rng(4).lognormal(-2.0, 0.4, size=(25, 6))
TEST = np.random.default_rng(5).lognormal(-2.0, 0.8, size=(12, 6))
ALL = [
    Manhattan(),
    Euclidean(),
    Euclidean(definition="l1"),
    ScaledManhattan(),
    ScaledManhattan(scale="std"),
    FilteredManhattan(),
    OutlierCount(),
    OutlierCount(threshold=0.7),
]


def mean_abs_deviation(column):
    mean = statistics.fmean(column)
    return statistics.fmean(abs(x - mean) for x in column)


def slow_score(train, sample, term):
    """Minus the sum over features of term(x - mean, training column), one number at a time."""
    columns = [list(map(float, column)) for column in np.transpose(train)]
    gaps = [x - statistics.fmean(column) for x, column in zip(sample, columns, strict=True)]
    return -math.fsum(term(gap, column) for gap, column in zip(gaps, columns, strict=True))


@pytest.mark.parametrize(
    ("verifier", "term"),
    [
        (Manhattan(), lambda gap, column: abs(gap)),
        (Euclidean(), lambda gap, column: gap**2),
        (Euclidean(definition="l1"), lambda gap, column: math.sqrt(gap**2)),
        (ScaledManhattan(), lambda gap, column: abs(gap) / mean_abs_deviation(column)),
        (
            ScaledManhattan(scale="std"),
            lambda gap, column: abs(gap) / statistics.stdev(column),
        ),
        (OutlierCount(), lambda gap, column: abs(gap) / statistics.stdev(column) > 1.96),
        (
            OutlierCount(threshold=0.5),
            lambda gap, column: abs(gap) / statistics.stdev(column) > 0.5,
        ),
    ],
)
def test_scores_are_those_of_the_definition(verifier, term):
    scores = clone(verifier).fit(TRAIN).score_samples(TEST)
    expected = [slow_score(TRAIN, row, term) for row in TEST]
    # both are exact but for the rounding of six terms
    np.testing.assert_allclose(scores, expected, rtol=1e-13)


def test_the_normed_distance_is_the_squared_one_over_both_lengths():
    mean = [statistics.fmean(column) for column in TRAIN.T.tolist()]
    expected = [
        slow_score(TRAIN, row, lambda gap, column: gap**2) / math.hypot(*mean) / math.hypot(*row)
        for row in TEST.tolist()
    ]
    np.testing.assert_allclose(
        EuclideanNormed().fit(TRAIN).score_samples(TEST), expected, rtol=1e-13
    )


def test_a_sample_or_mean_of_zeros_has_a_finite_normed_distance():
    verifier = EuclideanNormed().fit([[1.0, 2.0], [3.0, 2.0]])
    assert verifier.score_samples([[0.0, 0.0]])[0] == pytest.approx(-8e10)
    around_zero = EuclideanNormed().fit([[1.0, -1.0], [-1.0, 1.0]])
    assert around_zero.score_samples([[0.0, 0.0], [1.0, 0.0]]).tolist() == [0.0, -1e10]


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_a_common_unit_does_not_change_the_normed_distance(unit):
    one, other = EuclideanNormed().fit(TRAIN), EuclideanNormed().fit(TRAIN * unit)
    np.testing.assert_allclose(
        one.score_samples(TEST), other.score_samples(TEST * unit), rtol=1e-12
    )


def test_far_away_the_normed_distance_grows_as_the_length():
    verifier = EuclideanNormed().fit(TRAIN)
    near, far = verifier.score_samples([TEST[0] * 1e6, TEST[0] * 1e8])
    assert far / near == pytest.approx(100.0, rel=1e-4)


def slow_filtered_mean(column):
    limit = statistics.fmean(column) + 3.0 * statistics.stdev(column)
    return statistics.fmean(x for x in column if not x > limit)


def test_values_above_three_standard_deviations_are_left_out_once():
    rng = np.random.default_rng(9)
    train = rng.normal(size=(60, 4))
    train[[0, 1], [0, 1]] = 50.0, -50.0  # too low does not count
    train[[2, 3, 4], 2] = 9.0, 30.0, 300.0  # 9 is far out only once the others have gone
    verifier = FilteredManhattan().fit(train)
    expected = [slow_filtered_mean(column) for column in train.T.tolist()]
    np.testing.assert_allclose(verifier.center_, expected, rtol=1e-13)
    assert verifier.center_[1] == pytest.approx(train[:, 1].mean(), rel=1e-14)
    assert verifier.center_[2] == pytest.approx(np.delete(train[:, 2], 4).mean(), rel=1e-13)
    scores = -np.abs(train - verifier.center_).sum(axis=1)
    np.testing.assert_array_equal(verifier.score_samples(train), scores)


def test_filtering_needs_eleven_samples():
    ten = np.append(np.zeros(9), 100.0)[:, None]
    assert FilteredManhattan().fit(ten).center_[0] == 10.0
    assert FilteredManhattan().fit(np.vstack([[0.0], ten])).center_[0] == 0.0


def test_outliers_are_counted_beyond_the_threshold_alone():
    verifier = OutlierCount(threshold=2.0).fit([[-1.0, 5.0], [0.0, 5.0], [1.0, 5.0]])
    assert (verifier.scale_[0], verifier.scale_[1]) == (1.0, 1e-10)
    samples = [[0.0, 5.0], [2.0, 5.0], [-2.1, 5.0], [0.0, 5.0001], [9.0, 9.0]]
    assert verifier.score_samples(samples).tolist() == [0, 0, -1, -1, -2]


def test_units_do_not_matter_to_the_outlier_count():
    unit = np.array([1e-9, 1e-3, 1.0, 60.0, 1e3, 1e9])
    one, other = OutlierCount().fit(TRAIN), OutlierCount().fit(TRAIN * unit)
    np.testing.assert_array_equal(one.score_samples(TEST), other.score_samples(TEST * unit))


@pytest.mark.parametrize("verifier", [EuclideanNormed(), FilteredManhattan(), OutlierCount()])
def test_a_row_scores_alike_in_any_company(verifier):
    verifier = clone(verifier).fit(TRAIN)
    alone = [verifier.score_samples(row[None])[0] for row in TEST]
    np.testing.assert_array_equal(verifier.score_samples(TEST), alone)


@pytest.mark.parametrize(
    "verifier", [EuclideanNormed(), FilteredManhattan(), OutlierCount(threshold=1.0)], ids=repr
)
def test_a_weight_is_a_number_of_repetitions(verifier):
    times = np.random.default_rng(8).integers(0, 4, size=len(TRAIN))
    weighted = clone(verifier).fit(TRAIN, sample_weight=times)
    repeated = clone(verifier).fit(np.repeat(TRAIN, times, axis=0))
    np.testing.assert_allclose(
        weighted.score_samples(TEST), repeated.score_samples(TEST), rtol=1e-12
    )
    assert weighted.offset_ == pytest.approx(repeated.offset_, rel=1e-12)


def test_the_filter_counts_weights_as_repetitions():
    train, times = np.array([[0.0], [1.0], [100.0]]), [8, 9, 1]
    weighted = FilteredManhattan().fit(train, sample_weight=times)
    assert weighted.center_[0] == pytest.approx(9 / 17, rel=1e-15)
    assert FilteredManhattan().fit(train).center_[0] == pytest.approx(101 / 3, rel=1e-15)


def test_the_l1_definition_is_the_manhattan_distance():
    np.testing.assert_array_equal(
        Euclidean(definition="l1").fit(TRAIN).score_samples(TEST),
        Manhattan().fit(TRAIN).score_samples(TEST),
    )


@pytest.mark.parametrize(
    ("verifier", "message"),
    [
        (Euclidean(definition="l2"), r"definition must be one of 'squared', 'l1'; got 'l2'"),
        (
            ScaledManhattan(scale="mad"),
            r"scale must be one of 'mean_abs_deviation', 'std'; got 'mad'",
        ),
        (OutlierCount(threshold=0.0), r"threshold must be one positive number; got 0.0"),
    ],
)
def test_an_unknown_definition_is_refused(verifier, message):
    with pytest.raises(InvalidParameterError, match=message):
        verifier.fit(TRAIN)


@pytest.mark.parametrize("scale", ["mean_abs_deviation", "std"])
def test_a_feature_that_never_varied_makes_any_other_value_a_certain_reject(scale):
    # the floating-point mean of 0.1, 0.1, 0.1 is not 0.1
    train = np.column_stack([TRAIN[:3], np.full(3, 0.1)])
    verifier = ScaledManhattan(scale=scale).fit(train)
    assert verifier.scale_[-1] == 1e-10
    assert verifier.center_[-1] == 0.1
    same, other = train[0].copy(), train[0].copy()
    other[-1] += 1e-4
    without = ScaledManhattan(scale=scale).fit(train[:, :-1])
    np.testing.assert_array_equal(
        verifier.score_samples([same]), without.score_samples([same[:-1]])
    )
    assert verifier.predict([same, other]).tolist() == [1, -1]
    assert verifier.score_samples([other])[0] == pytest.approx(-1e6, rel=1e-4)


def test_training_samples_that_are_all_alike():
    verifier = ScaledManhattan().fit(np.full((5, 3), 0.1))
    assert verifier.offset_ == 0.0
    assert verifier.predict([[0.1, 0.1, 0.1], [0.1, 0.1, 0.2]]).tolist() == [1, -1]


@pytest.mark.parametrize("verifier", ALL)
def test_the_order_of_training_rows_does_not_matter(verifier):
    order = np.random.default_rng(6).permutation(len(TRAIN))
    one, other = clone(verifier).fit(TRAIN), clone(verifier).fit(TRAIN[order])
    # the mean is summed in another order
    np.testing.assert_allclose(one.score_samples(TEST), other.score_samples(TEST), rtol=1e-12)
    assert one.offset_ == pytest.approx(other.offset_, rel=1e-12)


@pytest.mark.parametrize("verifier", ALL)
def test_a_common_translation_changes_nothing(verifier):
    shift = np.array([0.0, 1.0, -2.0, 10.0, 0.3, 5.0])
    one, other = clone(verifier).fit(TRAIN), clone(verifier).fit(TRAIN + shift)
    # adding 10 costs two digits
    np.testing.assert_allclose(
        one.score_samples(TEST), other.score_samples(TEST + shift), rtol=1e-11
    )


@pytest.mark.parametrize("scale", ["mean_abs_deviation", "std"])
def test_units_do_not_matter_to_the_scaled_distance(scale):
    unit = np.array([1e-9, 1e-3, 1.0, 60.0, 1e3, 1e9])
    one = ScaledManhattan(scale=scale).fit(TRAIN)
    other = ScaledManhattan(scale=scale).fit(TRAIN * unit)
    np.testing.assert_allclose(
        one.score_samples(TEST), other.score_samples(TEST * unit), rtol=1e-12
    )
    np.testing.assert_array_equal(one.predict(TEST), other.predict(TEST * unit))


@pytest.mark.parametrize("verifier", ALL)
@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_a_common_unit_changes_no_decision(verifier, unit):
    one, other = clone(verifier).fit(TRAIN), clone(verifier).fit(TRAIN * unit)
    np.testing.assert_array_equal(one.predict(TEST), other.predict(TEST * unit))


@settings(max_examples=50, deadline=None)
@given(
    st.sampled_from(ALL),
    st.integers(0, 11),
    st.integers(0, 5),
    st.floats(1.0, 100.0),
)
def test_moving_away_from_the_mean_never_raises_the_score(verifier, row, feature, factor):
    fitted = clone(verifier).fit(TRAIN)
    near = TEST[row]
    far = near.copy()
    far[feature] += (factor - 1.0) * (near[feature] - fitted.center_[feature])
    before, after = fitted.score_samples([near, far])
    assert after <= before
    centre, away = fitted.score_samples([fitted.center_, near])
    assert centre == 0.0
    assert away < 0.0 or isinstance(verifier, OutlierCount)


@pytest.mark.parametrize(
    ("subject", "false_alarms", "misses"),
    [("s002", 38, 465), ("s032", 48, 503), ("s036", 0, 0), ("s047", 17, 760), ("s052", 4, 0)],
)
def test_published_counts_of_five_subjects(cmu, subject, false_alarms, misses):
    """Table 1 of Zhang, Zhang and Li (2021), raw timings: of 200 genuine, 1,600 impostors."""
    five = ["s002", "s032", "s036", "s047", "s052"]
    timings, who = cmu.timings().to_numpy(), np.asarray(cmu.subject)
    own = timings[who == subject]
    others = timings[np.isin(who, [name for name in five if name != subject])]
    verifier = ScaledManhattan(scale="std").fit(own[:200])
    genuine, impostor = verifier.predict(own[200:]), verifier.predict(others)
    assert (genuine.size, impostor.size) == (200, 1600)
    assert ((genuine == -1).sum(), (impostor == 1).sum()) == (false_alarms, misses)


@pytest.mark.parametrize("verifier", [EuclideanNormed(), MahalanobisNormed()])
@pytest.mark.parametrize("unit", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("size", [1e100, 1e154, 1e200, 1e300])
def test_numbers_whose_squares_overflow_are_rejected(verifier, unit, size):
    verifier.fit(TRAIN * unit)
    with np.errstate(over="ignore", invalid="ignore"):
        samples = np.vstack([TRAIN[:1] * size, np.where(np.arange(6) == 2, size, TRAIN[:1])])
        scores, accepted = verifier.score_samples(samples), verifier.predict(samples)
    assert not np.isnan(scores).any()
    assert accepted.tolist() == [-1, -1]
