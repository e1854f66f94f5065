"""The log-linear baseline as a function: values, integrals, draws, what it refuses."""

import numpy as np
import pandas as pd
import polars as pl
import pytest
from scipy import integrate, stats

import hawkeys
from hawkeys.baselines import LogLinear, baseline_from_dict
from hawkeys.exceptions import InvalidParameterError

KNOTS = np.array([0.0, 1.0, 2.5, 4.0, 10.0])
COVARIATES = np.array([[0.0, 1.0], [1.0, -1.0], [2.0, 0.5], [-0.5, 0.0]])
EXPOSURE = np.array([1.0, 0.5, 0.0, 2.0])
BASELINE = LogLinear(KNOTS, COVARIATES, [0.7, -0.4], [[1.5], [0.2]], exposure=EXPOSURE)


def by_hand(time):
    """The factor at one time, from the definition."""
    s = max(k for k in range(4) if KNOTS[k] <= time)
    return EXPOSURE[s] * np.exp(0.7 * COVARIATES[s, 0] - 0.4 * COVARIATES[s, 1])


def test_values_and_integrals_are_those_of_the_definition():
    times = np.array([0.0, 0.5, 1.0, 2.4, 3.0, 4.0, 9.99])
    np.testing.assert_allclose(
        BASELINE.at(times), np.outer([by_hand(t) for t in times], [1.5, 0.2]), rtol=1e-14
    )
    for start, end in [(0.0, 10.0), (0.3, 0.7), (0.3, 7.7), (2.5, 4.0), (3.0, 3.0)]:
        area = integrate.quad(by_hand, start, end, points=KNOTS[1:-1], limit=200)[0]
        found = BASELINE.integral(np.array([start]), np.array([end]))
        np.testing.assert_allclose(found, [[1.5 * area, 0.2 * area]], atol=1e-12)
    whole = integrate.quad(by_hand, 0.0, 10.0, points=KNOTS[1:-1], limit=200)[0]
    np.testing.assert_allclose(BASELINE.mean_rates, [0.15 * whole, 0.02 * whole], rtol=1e-10)


def test_drawn_times_have_the_density_of_the_baseline():
    starts, ends = np.full(40_000, 0.5), np.full(40_000, 9.0)
    drawn = BASELINE.sample_times(np.random.default_rng(0), np.zeros(40_000, int), starts, ends)
    cuts = np.array([0.5, 1.0, 1.8, 2.5, 4.0, 6.0, 9.0])
    area = BASELINE.integrals(cuts[:-1], cuts[1:])[:, 0]
    counts = np.histogram(drawn, cuts)[0]
    assert counts[3] == 0  # the exposure is 0 from 2.5 to 4
    seen = area > 0
    assert stats.chisquare(counts[seen], 40_000 * area[seen] / area.sum()).pvalue > 0.001


def test_time_in_stretches_is_the_sum_of_overlaps():
    rng = np.random.default_rng(1)
    starts = rng.uniform(0.0, 9.0, 50)
    ends = starts + rng.uniform(0.0, 1.0, 50)
    weights = rng.uniform(0.0, 2.0, 50)
    overlap = np.minimum(ends[:, None], KNOTS[1:]) - np.maximum(starts[:, None], KNOTS[:-1])
    expected = weights @ np.maximum(overlap, 0.0) * EXPOSURE
    found = BASELINE.time_in_stretches(starts, ends, weights)
    np.testing.assert_allclose(found, expected, atol=1e-10)
    np.testing.assert_allclose(
        BASELINE.time_in_stretches(starts, ends), np.maximum(overlap, 0.0).sum(0) * EXPOSURE,
        atol=1e-10,
    )  # fmt: skip


@pytest.mark.parametrize("kind", [pd.DataFrame, pl.DataFrame])
def test_columns_of_a_frame_name_the_covariates(kind):
    frame = kind({"rain": COVARIATES[:, 0], "heat": COVARIATES[:, 1]})
    assert LogLinear(KNOTS, frame).names == ("rain", "heat")
    np.testing.assert_array_equal(LogLinear(KNOTS, frame).covariates, COVARIATES)
    assert LogLinear(KNOTS, frame, names=["a", "b"]).names == ("a", "b")
    assert LogLinear(KNOTS, COVARIATES[:, 0]).names == ("x0",)


def test_it_is_what_its_record_says():
    for one in (BASELINE, LogLinear(KNOTS, COVARIATES, names=["rain", "heat"]),
                LogLinear(KNOTS, None, exposure=EXPOSURE)):  # fmt: skip
        again = baseline_from_dict(one.to_dict())
        assert again.to_dict() == one.to_dict()
        assert repr(again) == repr(one)


def test_a_known_exposure_alone_has_no_coefficients():
    trend = LogLinear(KNOTS, None, exposure=EXPOSURE)
    np.testing.assert_array_equal(trend.coefficients, [])
    np.testing.assert_array_equal(trend.factors, EXPOSURE)
    np.testing.assert_array_equal(trend.with_coefficients(None).factors, EXPOSURE)


def test_unknown_coefficients_leave_the_rates_unknown():
    left = BASELINE.with_coefficients(None)
    assert left.coefficients is None
    assert left.rates is None
    with pytest.raises(InvalidParameterError, match=r"coefficients of LogLinear \('x0', 'x1'\)"):
        _ = left.factors
    with pytest.raises(InvalidParameterError, match=r"got rates .* without coefficients"):
        left.with_rates([[1.0]])
    np.testing.assert_array_equal(BASELINE.with_coefficients([1.0, 2.0]).rates, BASELINE.rates)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0.0, 2.0, 1.0], [1.0, 2.0]), "knots must increase"),
        ((KNOTS, COVARIATES[:3]), r"one row for each of the 4 stretches .* shape \(3, 2\)"),
        ((KNOTS, [0.0, np.nan, 1.0, 2.0]), r"covariates\[1\] is nan"),
        ((KNOTS, COVARIATES, [1.0]), r"coefficients must have shape \(2,\)"),
        ((KNOTS, COVARIATES, [1e4, 0.0]), r"exp\(2e\+04\) times the rate between knots 2.5 and 4"),
        ((KNOTS, COVARIATES, None, [[1.0]]), "without coefficients"),
        ((KNOTS, COVARIATES, [0.0, 0.0], [1.0]), r"rates of LogLinear must have one row per mark"),
    ],
)
def test_what_it_cannot_be_made_of_is_refused(arguments, message):
    with pytest.raises(InvalidParameterError, match=message):
        LogLinear(*arguments)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"exposure": -EXPOSURE}, "exposure must not be negative"),
        ({"exposure": np.zeros(4)}, "exposure is 0 throughout"),
        ({"exposure": [1.0]}, r"exposure must have shape \(4,\)"),
        ({"names": ["a", "a"]}, "2 different texts"),
        ({"names": ["a"]}, "2 different texts, one for each covariate; got 'a'"),
    ],
)
def test_exposure_and_names_are_checked(given, message):
    with pytest.raises(InvalidParameterError, match=message):
        LogLinear(KNOTS, COVARIATES, **given)


def test_windows_beyond_the_knots_are_refused():
    process = hawkeys.Hawkes(BASELINE, [[0.2, 0.0], [0.1, 0.1]], decay=1.0)
    with pytest.raises(InvalidParameterError, match=r"of the log-linear baseline, .* 0 to 10"):
        hawkeys.simulate(process, end_time=11.0, rng=0)


def test_simulated_counts_are_those_that_theory_expects():
    base = LogLinear([0.0, 50.0, 100.0], [0.0, 1.0], [1.0], [[0.5]])
    process = hawkeys.Hawkes(base, [[0.5]], decay=50.0)  # children follow at once
    events = hawkeys.simulate(process, end_time=100.0, n_realizations=400, rng=0)
    late = np.add.reduceat(events.times >= 50.0, events.offsets[:-1])
    mean = 0.5 * 50.0 * np.e / (1.0 - 0.5)
    sd = np.sqrt(mean / (1.0 - 0.5) ** 2 / 400)
    assert abs(late.mean() - mean) < 4 * sd + 0.05 * 2  # a few children cross the knot
