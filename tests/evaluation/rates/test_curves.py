"""Mean error curves."""

import naive_metrics
import numpy as np

from hawkeys.evaluation.rates.curves import mean_curve


def test_curve_of_one_subject_is_the_lowest_miss_rate_at_each_false_alarm_rate():
    rng = np.random.default_rng(1)
    genuine, impostor = rng.integers(3, 15, size=20), rng.integers(0, 12, size=33)
    curve = mean_curve([(genuine.astype(float), impostor.astype(float))])
    np.testing.assert_array_equal(curve.false_alarm, np.arange(21) / 20)
    expected = [
        naive_metrics.miss_rate_at(genuine.tolist(), impostor.tolist(), f)
        for f in curve.false_alarm
    ]
    np.testing.assert_allclose(curve.miss, expected, atol=1e-14)


def test_subjects_are_averaged_at_equal_false_alarm_rates():
    first = (np.array([1.0, 2.0]), np.array([0.0, 1.5]))
    second = (np.array([5.0, 7.0]), np.array([6.0, 8.0]))
    both = mean_curve([first, second]).miss
    np.testing.assert_allclose(
        both, (mean_curve([first]).miss + mean_curve([second]).miss) / 2, atol=1e-15
    )
    assert both.tolist() == [0.75, 0.25, 0.0]


def test_unequal_numbers_of_genuine_samples():
    curve = mean_curve([(np.arange(3.0), np.array([0.5])), (np.arange(4.0), np.array([2.5]))])
    # At 2 of 4 the first subject may lose floor(1.5) = 1 of 3: threshold 1, impostor rejected.
    assert curve.miss.tolist() == [1.0, 1.0, 0.5, 0.0, 0.0]
