"""Paired comparisons: signed ranks, Holm, the table of all pairs."""

import naive_comparisons as naive
import numpy as np
import pandas as pd
import pytest
from scipy.stats import wilcoxon

from hawkeys.evaluation.rates.bootstrap import Bootstrap
from hawkeys.evaluation.rates.comparisons import (
    compare_pairs,
    holm,
    least_pvalue,
    signed_rank_pvalue,
)
from hawkeys.exceptions import InvalidParameterError


def table(**columns):
    """A frame of one figure per verifier, in the order of the subjects."""
    return pd.concat(
        pd.DataFrame({"verifier": name, "subject": [f"s{k:02d}" for k in range(len(v))], "eer": v})
        for name, v in columns.items()
    )


@pytest.mark.parametrize(
    "differences",
    [
        [1.0],
        [0.0, -2.0],
        [1.0, 2.0, -3.0, 4.0, 5.0],
        [1.0, 1.0, -1.0, 1.0, 2.0, -2.0],
        [0.0, 0.0, 1.0, -1.0, 3.0, 3.0, 4.0],
        [-0.1, -0.1, -0.1, -0.4, 0.0, 0.2, -0.7, 0.8, -0.9, 0.1],
    ],
)
def test_signed_ranks_against_all_signs(differences):
    assert signed_rank_pvalue(differences) == pytest.approx(
        naive.signed_rank_pvalue(differences), abs=1e-15
    )


def test_signed_ranks_against_scipy():
    """Without ties and zeros, scipy's exact law; with them its normal approximation is near."""
    rng = np.random.default_rng(1)
    for size in (5, 12, 40):
        values = rng.normal(0.3, 1.0, size)
        expected = wilcoxon(values, method="exact").pvalue
        assert signed_rank_pvalue(values) == pytest.approx(expected, rel=1e-10)
    counts = rng.integers(-8, 11, size=120)
    expected = wilcoxon(counts, zero_method="pratt", method="approx").pvalue
    assert signed_rank_pvalue(counts) == pytest.approx(expected, rel=0.03)


def test_many_differences_use_the_normal_approximation():
    values = np.random.default_rng(2).normal(0.1, 1.0, 201)
    expected = wilcoxon(values, zero_method="pratt", method="approx").pvalue
    assert signed_rank_pvalue(values) == expected
    assert signed_rank_pvalue(values[:200]) == pytest.approx(
        wilcoxon(values[:200], method="approx").pvalue, rel=0.02
    )


def test_by_hand():
    assert signed_rank_pvalue([1, 2, 3, 4, 5]) == 2 / 32
    assert signed_rank_pvalue([-1, -2, -3, -4, -5]) == 2 / 32
    assert signed_rank_pvalue([0, 0, 0]) == 1.0
    assert signed_rank_pvalue([0.0, 3.0]) == 1.0


def test_rounding_errors_make_no_ranks():
    """0.3 - 0.2 and 0.2 - 0.1 differ in floating point; as ranks they are equal."""
    assert 0.3 - 0.2 != 0.2 - 0.1
    rough = [0.3 - 0.2, -(0.2 - 0.1), 0.5, 0.1 + 0.2 - 0.3]
    assert signed_rank_pvalue(rough) == signed_rank_pvalue([1, -1, 5, 0])


def test_level_of_the_test():
    """Under symmetry at most 5 % of the p-values are at most 5 %; 2000 draws, sd 0.5 %."""
    rng = np.random.default_rng(3)
    p_values = [signed_rank_pvalue(rng.integers(-4, 5, size=12)) for _ in range(2000)]
    assert 0.02 < np.mean(np.array(p_values) <= 0.05) <= 0.06


@pytest.mark.parametrize(
    ("p_values", "expected"),
    [
        ([0.01, 0.04, 0.03, 0.005], [0.03, 0.06, 0.06, 0.02]),
        ([0.5, 0.5], [1.0, 1.0]),
        ([0.2], [0.2]),
        ([], []),
    ],
)
def test_holm_by_hand(p_values, expected):
    np.testing.assert_allclose(holm(p_values), expected, rtol=1e-14)


def test_holm_against_the_step_down_procedure():
    rng = np.random.default_rng(4)
    for size in (1, 2, 3, 6):
        for _ in range(10):
            p_values = np.round(rng.uniform(0, 0.4, size), 2)
            np.testing.assert_allclose(holm(p_values), naive.holm(p_values), rtol=1e-14)


def test_the_table_of_all_pairs():
    rng = np.random.default_rng(5)
    columns = {name: rng.uniform(0, 0.3, 20) for name in ("b", "a", "c")}
    result = compare_pairs(table(**columns), "eer", bootstrap=Bootstrap(300, 9))
    pairs = [("b", "a"), ("b", "c"), ("a", "c")]
    assert list(zip(result["first"], result["second"], strict=True)) == pairs
    for row, (first, second) in zip(result.itertuples(), pairs, strict=True):
        difference = columns[first] - columns[second]
        assert row.n_subjects == 20
        assert row.mean_difference == pytest.approx(difference.mean(), abs=1e-12)
        np.testing.assert_allclose(
            (row.lower, row.upper), Bootstrap(300, 9).interval(difference), atol=1e-12
        )
        assert row.p_value == pytest.approx(wilcoxon(difference, method="exact").pvalue, rel=1e-9)
        assert row.share_first_better == (columns[first] < columns[second]).mean()
    np.testing.assert_array_equal(result["p_holm"], holm(result["p_value"]))


def test_subjects_are_paired_by_name_not_by_row():
    frame = table(a=[0.1, 0.2, 0.3], b=[0.2, 0.3, 0.4])
    shuffled = frame.iloc[[2, 0, 1, 4, 5, 3]]
    pd.testing.assert_frame_equal(compare_pairs(frame, "eer"), compare_pairs(shuffled, "eer"))


def test_a_larger_area_is_better():
    frame = table(a=[0.9, 0.9, 0.8], b=[0.8, 0.8, 0.8]).rename(columns={"eer": "auc"})
    row = compare_pairs(frame, "auc").iloc[0]
    assert row["share_first_better"] == pytest.approx(2 / 3)
    assert row["share_equal"] == pytest.approx(1 / 3)


def test_same_verifier_twice_is_no_difference():
    row = compare_pairs(table(a=[0.1, 0.2], b=[0.1, 0.2]), "eer").iloc[0]
    assert (row["mean_difference"], row["lower"], row["upper"], row["p_value"]) == (0, 0, 0, 1)


@pytest.mark.parametrize(
    ("frame", "metric", "match"),
    [
        (table(a=[0.1], b=[0.2]), "eer", "at least 2 verifiers and 2 subjects; got 2 and 1"),
        (table(a=[0.1, 0.2]), "eer", "at least 2 verifiers and 2 subjects; got 1 and 2"),
        (table(a=[0.1, 0.2], b=[0.1]), "eer", "'b' has 0 rows for subject 's01'"),
        (table(a=[0.1, 0.2], b=[0.1, 0.1]), "gini", "no column 'gini'; it has verifier, sub"),
    ],
)
def test_frames_that_cannot_be_compared(frame, metric, match):
    with pytest.raises(InvalidParameterError, match=match):
        compare_pairs(frame, metric)


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: signed_rank_pvalue([]), r"flat array with at least one number; got shape \(0,\)"),
        (lambda: signed_rank_pvalue([np.nan]), r"differences\[0\] is nan"),
        (lambda: holm([0.5, 1.5]), "p_values must be a flat array of numbers from 0 to 1"),
    ],
)
def test_bad_numbers(call, match):
    with pytest.raises(InvalidParameterError, match=match):
        call()


@pytest.mark.parametrize("n_subjects", [2, 3, 4, 5, 6, 8])
@pytest.mark.parametrize("n_verifiers", [2, 3, 4])
def test_the_least_p_is_that_of_one_verifier_better_everywhere(n_subjects, n_verifiers):
    """No table of so many subjects has a smaller one; by all signs of the differences."""
    best = {f"v{k}": k + np.arange(1, n_subjects + 1) / 100 for k in range(n_verifiers)}
    pairs = compare_pairs(table(**best), "eer")
    assert pairs["p_holm"].min() == least_pvalue(n_subjects, len(pairs))
    ranks = np.arange(1, n_subjects + 1)
    signs = (2 * (np.arange(2**n_subjects)[:, None] >> np.arange(n_subjects) & 1)) - 1
    assert min(signed_rank_pvalue(ranks * sign) for sign in signs) == least_pvalue(n_subjects)


def test_the_least_p_needs_subjects():
    with pytest.raises(InvalidParameterError, match="n_subjects must be at least 1; got 0"):
        least_pvalue(0)
