"""Distances from the mean against loops, their invariances, and counts on the CMU data."""

import math
import statistics

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import clone

from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import Euclidean, Manhattan, ScaledManhattan

TRAIN = np.random.default_rng(4).lognormal(-2.0, 0.4, size=(25, 6))
TEST = np.random.default_rng(5).lognormal(-2.0, 0.8, size=(12, 6))
ALL = [
    Manhattan(),
    Euclidean(),
    Euclidean(definition="l1"),
    ScaledManhattan(),
    ScaledManhattan(scale="std"),
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
    ],
)
def test_scores_are_those_of_the_definition(verifier, term):
    scores = clone(verifier).fit(TRAIN).score_samples(TEST)
    expected = [slow_score(TRAIN, row, term) for row in TEST]
    # both are exact but for the rounding of six terms
    np.testing.assert_allclose(scores, expected, rtol=1e-13)


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


@settings(max_examples=50)
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
    assert away < centre == 0.0


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
