"""Error rates subject by subject, their spread, and costs."""

import naive_metrics
import numpy as np
import pandas as pd
import pytest
from trials import normal_outcomes, outcome

from hawkeys.evaluation.rates.by_subject import costs, miss_name, spread, subject_rates
from hawkeys.exceptions import InvalidParameterError


@pytest.mark.parametrize(
    ("rate", "name"), [(0.05, "miss_at_5"), (0.01, "miss_at_1"), (0.29, "miss_at_29")]
)
def test_names_of_columns(rate, name):
    assert miss_name(rate) == name


def test_rates_against_loops():
    outcomes = normal_outcomes(4)
    table = subject_rates(outcomes, (0.05, 0.01, 0.25))
    for one, row in zip(outcomes, table.itertuples(), strict=True):
        scores = one.genuine.tolist(), one.impostor.tolist()
        assert row.subject == one.subject
        assert row.miss_at_5 == naive_metrics.miss_rate_at(*scores, 0.05)
        assert row.miss_at_1 == naive_metrics.miss_rate_at(*scores, 0.01)
        assert row.miss_at_25 == naive_metrics.miss_rate_at(*scores, 0.25)
        assert row.eer == pytest.approx(naive_metrics.equal_error_rate(*scores), abs=1e-14)
        achieved = naive_metrics.rates(*scores, one.threshold)
        assert (row.achieved_false_alarm, row.achieved_miss) == achieved


def test_fewer_false_alarms_mean_more_misses():
    table = subject_rates(normal_outcomes(8, n_genuine=200))
    assert (table["miss_at_1"] >= table["miss_at_5"]).all()
    assert (table["miss_at_1"] > table["miss_at_5"]).any()


def test_spread_by_hand():
    rates = pd.DataFrame(
        {
            "verifier": ["b"] * 4 + ["a"] * 4,
            "subject": ["s1", "s2", "s3", "s4"] * 2,
            "eer": [0.1, 0.4, 0.2, 0.4, 0.0, 0.0, 0.0, 0.0],
            "auc": [0.9, 0.8, 1.0, 0.6, 1.0, 1.0, 1.0, 0.5],
        }
    )
    table = spread(rates)
    keys = list(zip(table["verifier"], table["metric"], strict=True))
    assert keys == [("b", "eer"), ("b", "auc"), ("a", "eer"), ("a", "auc")]
    row = table.iloc[0]
    assert row["mean"] == pytest.approx(0.275)
    assert row["sd"] == pytest.approx(np.sqrt((0.175**2 + 2 * 0.125**2 + 0.075**2) / 3))
    quartiles = row[["lower_quartile", "median", "upper_quartile"]].astype(float)
    np.testing.assert_allclose(quartiles, [0.175, 0.3, 0.4], rtol=1e-12)
    assert table["worst"].tolist() == [0.4, 0.6, 0.0, 0.5]
    assert table["worst_subject"].tolist() == ["s2", "s4", "s1", "s4"]
    assert table["n_subjects"].tolist() == [4] * 4


def test_worst_subject_with_repeated_row_numbers():
    """Frames of two evaluations stacked without renumbering their rows."""
    half = pd.DataFrame({"verifier": "a", "subject": ["s1", "s2"], "eer": [0.1, 0.2]})
    both = pd.concat([half, half.assign(subject=["s3", "s4"], eer=[0.5, 0.0])])
    assert spread(both)[["worst", "worst_subject"]].values.tolist() == [[0.5, "s3"]]


def test_one_subject_has_no_standard_deviation():
    table = spread(subject_rates(normal_outcomes(2)[:1]))
    assert table["sd"].isna().all()
    assert (table["median"] == table["worst"]).all()


def test_costs_are_medians_over_subjects():
    common = {"genuine": [1.0] * 2, "impostor": {"x": [0.0] * 3}}
    outcomes = [
        outcome("s1", **common, fit_seconds=1.0, score_seconds=0.010, template_bytes=80),
        outcome("s2", **common, fit_seconds=3.0, score_seconds=0.005, template_bytes=80),
        outcome("s3", **common, fit_seconds=2.0, score_seconds=0.500, template_bytes=160),
        outcome("s1", **common, verifier="a", fit_seconds=0.0, template_bytes=8),
    ]
    table = costs(outcomes)
    assert table.index.tolist() == ["v", "a"]
    assert table.loc["v"].tolist() == pytest.approx([2.0, 2.0, 80.0])
    assert table.loc["a"].tolist() == pytest.approx([0.0, 50.0, 8.0])


@pytest.mark.parametrize(
    ("call", "match"),
    [
        (lambda: subject_rates(normal_outcomes(2), (0.05, 5)), "strictly between 0 and 1"),
        (lambda: spread(pd.DataFrame({"verifier": ["a"]})), "rates has no column 'subject'"),
        (lambda: spread(pd.DataFrame(columns=["verifier", "subject"])), "rates has no row"),
    ],
)
def test_bad_arguments(call, match):
    with pytest.raises(InvalidParameterError, match=match):
        call()
