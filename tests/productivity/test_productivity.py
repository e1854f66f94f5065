"""How many children an event has by its value; and the laws of the values."""

import numpy as np
import pytest
from scipy import stats

from hawkeys import Events, productivity
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError
from hawkeys.productivity import EmpiricalValues, ExponentialValues, as_productivity


def test_factors_are_those_of_the_formulas():
    values, marks = np.array([3.0, 4.0, 5.5]), np.array([0, 1, 1])
    one = productivity.Exponential(a=0.7, v0=3.0)
    np.testing.assert_allclose(one.factors(values, marks), np.exp(0.7 * (values - 3.0)))
    each = productivity.Exponential(a=[0.7, -0.2], v0=3.0)
    expected = np.exp(np.array([0.7, -0.2, -0.2]) * (values - 3.0))
    np.testing.assert_allclose(each.factors(values, marks), expected)
    power = productivity.Power(a=0.5, v0=2.0)
    np.testing.assert_allclose(power.factors(values, marks), np.sqrt(values / 2.0))


@pytest.mark.parametrize("a", [-2.0, -0.3, 0.0, 0.5, 1.9, 1.9999])
def test_mean_of_exponential_values_is_the_closed_form(a):
    law = ExponentialValues(mean=[0.5, 0.2], start=3.0)
    found = productivity.Exponential(a=a, v0=2.5, law=law).mean_factors(2)
    expected = np.exp(0.5 * a) / (1.0 - a * np.array([0.5, 0.2]))
    np.testing.assert_allclose(found, expected, rtol=1e-9)


def test_a_mean_that_is_infinite_is_infinite():
    law = ExponentialValues(mean=[0.5, 0.2])
    found = productivity.Exponential(a=2.0, v0=0.0, law=law).mean_factors(2)
    assert found[0] == np.inf
    assert found[1] == pytest.approx(1 / 0.6)


def test_mean_of_a_power_is_that_of_draws():
    law = ExponentialValues(mean=2.0, start=1.0)
    own = productivity.Power(a=1.5, v0=1.0, law=law)
    draws = law.sample(np.random.default_rng(0), np.zeros(400_000, int))
    factors = own.factors(draws, np.zeros(draws.size, int))
    assert own.mean_factors(1)[0] == pytest.approx(factors.mean(), abs=4 * stats.sem(factors))


def test_empirical_law_is_that_of_the_data_by_mark():
    events = Events.from_arrays(
        [1.0, 2.0, 3.0, 4.0], [0, 0, 0, 1], end_times=5.0, n_marks=3, values=[1.0, 1.0, 2.0, 5.0]
    )
    law = EmpiricalValues.of(events)
    mean = productivity.Exponential(a=1.0, v0=0.0, law=law).mean_factors(3)
    e = np.exp([1.0, 2.0, 5.0])
    whole = (2 * e[0] + e[1] + e[2]) / 4  # of a mark without events: that of all
    np.testing.assert_allclose(mean, [(2 * e[0] + e[1]) / 3, e[2], whole])
    drawn = law.sample(np.random.default_rng(0), np.repeat([0, 1], 30_000))
    assert set(drawn[:30_000]) == {1.0, 2.0}
    assert (drawn[:30_000] == 1.0).mean() == pytest.approx(2 / 3, abs=0.012)
    assert set(drawn[30_000:]) == {5.0}


def test_exponential_values_are_drawn_from_their_law():
    law = ExponentialValues(mean=[0.5, 2.0], start=3.0)
    drawn = law.sample(np.random.default_rng(1), np.repeat([0, 1], 4_000))
    assert stats.kstest(drawn[:4_000] - 3.0, "expon", (0, 0.5)).pvalue > 0.01
    assert stats.kstest(drawn[4_000:] - 3.0, "expon", (0, 2.0)).pvalue > 0.01
    assert stats.kstest(drawn[4_000:] - 3.0, "expon", (0, 0.5)).pvalue < 1e-6


def test_what_is_left_out_is_filled_from_the_data():
    events = Events.from_data([1.0, 2.0], values=[4.5, 3.5], end_time=3.0)
    own = as_productivity("power").filled(events)
    assert own.v0 == 3.5
    assert own.law.values.tolist() == [3.5, 4.5]
    given = productivity.Power(v0=2.0, law=ExponentialValues(1.0)).filled(events)
    assert given.v0 == 2.0
    assert isinstance(given.law, ExponentialValues)


@pytest.mark.parametrize(
    "own",
    [
        productivity.Exponential(a=1.5, v0=3.0, law=ExponentialValues([0.4, 0.5], 3.0)),
        productivity.Power(a=[0.5, 0.1], v0=3.0, sharing="source"),
        productivity.Exponential(),
        productivity.Power(a=1.0, v0=2.0, law=EmpiricalValues([1.0, 2.0], [[3, 1], [0, 2]])),
    ],
)
def test_records_bring_everything_back(own):
    again = as_productivity(own.to_dict())
    assert type(again) is type(own)
    assert again.to_dict() == own.to_dict()
    assert repr(again) == repr(own)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: productivity.Exponential(a=[[1.0]]), r"shape \(1, 1\)"),
        (lambda: productivity.Exponential(a=np.nan), "a"),
        (lambda: productivity.Exponential(v0=[1.0, 2.0]), "v0 must be one number"),
        (lambda: productivity.Power(v0=-1.0), "v0 of Power must be above 0; got -1"),
        (lambda: productivity.Exponential(sharing="pair"), "sharing"),
        (lambda: productivity.Exponential(law=3.0), "law must be one of hawkeys.productivity"),
        (lambda: as_productivity("linear"), "unknown productivity 'linear'"),
        (lambda: as_productivity(3.0), "productivity must be 'exponential', 'power' or one"),
        (lambda: productivity.Exponential(v0=1.0).check_marks(1), "a of the productivity"),
        (lambda: productivity.Exponential(a=[1.0, 2.0], v0=1.0).check_marks(3), "2 entries"),
        (lambda: ExponentialValues(0.0), "mean"),
        (lambda: ExponentialValues([[1.0]]), r"shape \(1, 1\)"),
        (lambda: ExponentialValues(1.0, [1.0, 2.0]), "start must be one number"),
        (lambda: ExponentialValues([1.0, 2.0]).check_marks(3), "has 2 means"),
        (lambda: EmpiricalValues([1.0], [1.0, 2.0]), "one number per value"),
        (lambda: EmpiricalValues([1.0, 2.0], [0.0, 0.0]), "nor all 0"),
        (lambda: EmpiricalValues([1.0], [[1.0], [2.0]]).check_marks(3), "is of 2 marks"),
        (
            lambda: productivity.Exponential(a=100.0, v0=0.0).factors(
                np.array([9.0]), np.zeros(1, int)
            ),
            r"exp\(900\). Give a v0 among the values",
        ),
    ],
)
def test_what_makes_no_sense_is_refused(make, message):
    with pytest.raises(InvalidParameterError, match=message):
        make()


def test_events_without_values_or_with_wrong_ones_are_refused():
    events = Events.from_data([1.0, 2.0], end_time=3.0)
    with pytest.raises(InvalidEventsError, match=r"these have none\. Build them with values="):
        productivity.Exponential(a=1.0, v0=1.0).strengths(events)
    with pytest.raises(InvalidEventsError, match="no values to draw from"):
        EmpiricalValues.of(events)
    with pytest.raises(InvalidEventsError, match="is of values above 0; got -1"):
        productivity.Power(a=1.0, v0=1.0).strengths(events.with_values([-1.0, 2.0]))
