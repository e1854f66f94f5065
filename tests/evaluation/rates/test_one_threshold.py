"""One threshold for several people, by scores that are counted by hand."""

import numpy as np
import pytest

from hawkeys.evaluation.rates.one_threshold import equal_errors, kept_errors


def test_each_and_together():
    """Two people whom a threshold of their own separates, and one for both does not."""
    genuine = [np.array([1.0, 2.0]), np.array([11.0, 12.0])]
    impostor = [np.array([-1.0, 0.0]), np.array([9.0, 10.0])]
    each, together = equal_errors(genuine, impostor)
    assert each.tolist() == [0.0, 0.0]
    # at 9: own 1 and 2 are rejected, the others' 9 and 10 accepted
    assert together == 0.5


def test_who_was_not_tested_is_an_impostor_all_the_same():
    genuine = [np.array([1.0, 2.0]), np.empty(0)]
    impostor = [np.array([-1.0, 0.0]), np.array([5.0, 6.0])]
    each, together = equal_errors(genuine, impostor)
    assert each.tolist() == [0.0]
    assert together == 0.5


def test_the_threshold_of_the_first_session_is_kept():
    genuine, impostor = np.array([3.0, 4.0, 1.0, 5.0]), np.array([0.0, 1.0, 0.5, 3.5])
    first = np.array([True, True, False, False])
    kept = kept_errors(genuine, impostor, first, first)
    assert 1.0 < kept["threshold_kept"] <= 3.0
    assert kept["false_alarm_kept"] == 0.5  # 1 of 1 and 5
    assert kept["miss_kept"] == 0.5  # 3.5 of 0.5 and 3.5


@pytest.mark.parametrize("later", ["genuine", "impostor"])
def test_without_a_later_session_nothing_is_kept(later):
    first = {"genuine": np.ones(3, bool), "impostor": np.ones(3, bool)}
    first[later][2] = False
    kept = kept_errors(np.arange(3.0), np.arange(3.0), first["genuine"], first["impostor"])
    assert list(kept) == ["threshold_kept", "false_alarm_kept", "miss_kept"]
    assert np.isnan(list(kept.values())).all()
