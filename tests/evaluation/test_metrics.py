"""Error rates against their naive twins, scikit-learn and hand-made cases."""

import math

import naive_metrics
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import roc_auc_score

from hawkeys.evaluation import metrics
from hawkeys.exceptions import InvalidParameterError

# Few distinct values, so that ties within and between the two classes are common.
tied = st.lists(st.integers(0, 12), min_size=1, max_size=40)
smooth = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=40)
scores = st.one_of(tied, smooth)
PAIR_METRICS = (
    metrics.roc_curve,
    metrics.equal_error_threshold,
    metrics.miss_rate_at,
    metrics.equal_error_rate,
    metrics.auc,
    metrics.zero_miss_false_alarm,
)


@settings(derandomize=True, deadline=None)
@given(genuine=scores, impostor=scores)
def test_every_metric_equals_its_naive_twin(genuine, impostor):
    # Both sides divide the same counts: only the last bits of the interpolation may differ.
    exact = {"rtol": 0.0, "atol": 1e-14}
    curve = metrics.roc_curve(genuine, impostor)
    points = np.array(naive_metrics.roc_points(genuine, impostor))
    np.testing.assert_allclose(
        np.column_stack([curve.threshold, curve.false_alarm, curve.miss]), points, **exact
    )
    for name in ("equal_error_rate", "auc", "zero_miss_false_alarm"):
        ours = getattr(metrics, name)(genuine, impostor)
        twin = getattr(naive_metrics, name)(genuine, impostor)
        assert ours == pytest.approx(twin, abs=1e-14), name


@settings(derandomize=True, deadline=None)
@given(genuine=scores, impostor=scores, percent=st.integers(1, 99))
def test_miss_rate_is_the_lowest_over_admissible_thresholds(genuine, impostor, percent):
    ours = metrics.miss_rate_at(genuine, impostor, percent / 100)
    assert ours == pytest.approx(
        naive_metrics.miss_rate_at(genuine, impostor, percent / 100), abs=1e-14
    )


@settings(derandomize=True, deadline=None)
@given(genuine=scores, impostor=scores)
def test_equal_error_threshold_is_the_lowest_of_the_best(genuine, impostor):
    points = naive_metrics.roc_points(genuine, impostor)
    least = min(abs(false_alarm - miss) for _, false_alarm, miss in points)
    best = [at for at, false_alarm, miss in points if abs(false_alarm - miss) == least]
    assert metrics.equal_error_threshold(genuine, impostor) == best[0]


@settings(derandomize=True, deadline=None)
@given(genuine=scores, impostor=scores)
def test_auc_agrees_with_scikit_learn(genuine, impostor):
    truth = np.repeat([1, 0], [len(genuine), len(impostor)])
    expected = roc_auc_score(truth, np.concatenate([genuine, impostor]).astype(float))
    assert metrics.auc(genuine, impostor) == pytest.approx(expected, abs=1e-12)


@settings(derandomize=True, deadline=None)
@given(genuine=tied, impostor=tied)
def test_rates_depend_on_the_order_of_scores_only(genuine, impostor):
    transformed = [np.exp(np.array(x) / 3.0) for x in (genuine, impostor)]
    for metric in PAIR_METRICS[2:]:  # the first two tell thresholds
        assert metric(*transformed) == metric(genuine, impostor)


def test_roc_ends_reject_nobody_and_everybody():
    curve = metrics.roc_curve([3.0, 1.0, 2.0], [0.0, 2.0])
    assert (curve.false_alarm[0], curve.miss[0]) == (0.0, 1.0)
    assert (curve.false_alarm[-1], curve.miss[-1]) == (1.0, 0.0)
    assert (np.diff(curve.false_alarm) >= 0).all()
    assert (np.diff(curve.miss) <= 0).all()


def test_ten_of_two_hundred_may_be_rejected_and_a_tie_is_accepted():
    genuine = np.arange(200.0)
    assert metrics.threshold_at(genuine, 0.05) == 10.0
    assert metrics.error_counts(genuine, [10.0], 10.0) == metrics.ErrorCounts(10, 200, 1, 1)
    assert metrics.miss_rate_at(genuine, [9.5, 10.0]) == 0.5


def test_a_share_that_rounds_below_a_whole_number_still_counts_it():
    # 0.29 * 100 is 28.999999999999996 in floating point.
    assert metrics.threshold_at(np.arange(100.0), 0.29) == 29.0


def test_perfect_and_inverted_scores():
    genuine, impostor = [5.0, 6.0], [1.0, 2.0]
    assert metrics.equal_error_rate(genuine, impostor) == 0.0
    assert metrics.auc(genuine, impostor) == 1.0
    assert metrics.miss_rate_at(genuine, impostor) == 0.0
    assert metrics.zero_miss_false_alarm(genuine, impostor) == 0.0
    assert metrics.equal_error_rate(impostor, genuine) == 1.0
    assert metrics.auc(impostor, genuine) == 0.0
    assert metrics.miss_rate_at(impostor, genuine) == 1.0
    assert metrics.zero_miss_false_alarm(impostor, genuine) == 1.0


def test_saturated_scores_keep_the_last_piece_of_the_curve():
    """Yes or no: P(genuine > impostor) + P(tie) / 2, and an error rate between the two."""
    impostor = np.repeat([1.0, 0.0], [10, 90])
    for right, area, rate in ((90, 0.9, 0.1), (95, 0.925, 0.2 / 2.1)):
        genuine = np.repeat([1.0, 0.0], [right, 100 - right])
        assert metrics.auc(genuine, impostor) == pytest.approx(area, abs=1e-12)
        assert metrics.equal_error_rate(genuine, impostor) == pytest.approx(rate, abs=1e-12)


def test_constant_scores_are_chance():
    assert metrics.equal_error_rate([1.0, 1.0], [1.0]) == 0.5
    assert metrics.auc([1.0, 1.0], [1.0]) == 0.5
    assert metrics.miss_rate_at([1.0, 1.0], [1.0]) == 1.0


def test_published_interpolation_by_hand():
    # Thresholds 1, 2, 3, 4, inf: misses 1, 2/3, 1/3, 0, 0; false alarms 0, 0, 1/2, 1/2, 1.
    # The last m >= f is (2/3, 0), the next (1/3, 1/2): a = (2/3) / (5/6) = 4/5.
    assert metrics.equal_error_rate([2.0, 4.0], [1.0, 2.0, 3.0]) == pytest.approx(2 / 5, abs=1e-15)


def test_minus_infinity_is_an_ordinary_lowest_score():
    assert metrics.miss_rate_at([-math.inf, 1.0], [-math.inf], 0.5) == 0.0
    assert metrics.roc_curve([1.0], [-math.inf]).miss.tolist() == [1.0, 0.0, 0.0]


def test_rates_of_counts():
    counts = metrics.error_counts([1.0, 2.0, 3.0, 4.0], [0.0, 2.0], 2.0)
    assert (counts.false_alarm, counts.miss) == (0.25, 0.5)


@pytest.mark.parametrize("metric", PAIR_METRICS)
@pytest.mark.parametrize(
    ("genuine", "impostor", "match"),
    [
        ([], [1.0], r"genuine scores must be a flat array with at least one.*shape \(0,\)"),
        ([1.0], [], r"impostor scores must be a flat array"),
        ([[1.0]], [1.0], r"genuine scores must be a flat array.*shape \(1, 1\)"),
        ([1.0, math.nan], [1.0], r"genuine\[1\] is nan \(1 of 2"),
        ([1.0], [math.inf], r"impostor\[0\] is inf.*Check the verifier"),
        (["a"], [1.0], r"genuine scores must be numbers"),
    ],
)
def test_bad_scores_are_refused(metric, genuine, impostor, match):
    with pytest.raises(InvalidParameterError, match=match):
        metric(genuine, impostor)


@pytest.mark.parametrize("false_alarm", [0.0, 1.0, 5, -0.1, math.nan])
def test_bad_false_alarm_is_refused(false_alarm):
    with pytest.raises(InvalidParameterError, match="false_alarm"):
        metrics.miss_rate_at([1.0], [0.0], false_alarm)


def test_nan_threshold_is_refused():
    with pytest.raises(InvalidParameterError, match="threshold is nan"):
        metrics.error_counts([1.0], [0.0], math.nan)
