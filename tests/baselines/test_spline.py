"""`Spline`: B-splines against scipy's, areas and roughness against quadrature and closed forms."""

import itertools

import numpy as np
import pytest
from scipy import integrate, stats
from scipy.interpolate import BSpline

import hawkeys
from hawkeys.baselines import Spline, baseline_from_dict
from hawkeys.exceptions import InvalidParameterError

KNOTS = np.array([0.0, 1.0, 2.5, 3.0, 6.0, 10.0])
DEGREES = (1, 2, 3, 5)


def rates_of(spline, function):
    """Return the weights under which a spline is a polynomial."""
    times = np.linspace(*spline.knots[[0, -1]], 200)
    return np.linalg.lstsq(spline.basis(times), function(times), rcond=None)[0]


@pytest.mark.parametrize("degree", DEGREES)
def test_pieces_are_the_b_splines_of_scipy(degree):
    spline = Spline(KNOTS, degree=degree)
    whole = np.concatenate((np.repeat(0.0, degree), KNOTS, np.repeat(10.0, degree)))
    times = np.linspace(0.0, 10.0, 101)
    wanted = [
        np.nan_to_num(BSpline.basis_element(whole[q : q + degree + 2], extrapolate=False)(times))
        for q in range(spline.n_pieces)
    ]
    wanted[-1][-1] = 1.0  # at the last knot from the left
    np.testing.assert_allclose(spline.basis(times), np.transpose(wanted), atol=1e-12)
    assert spline.n_pieces == KNOTS.size + degree - 1 == len(spline.labels)


@pytest.mark.parametrize("degree", DEGREES)
def test_periodic_pieces_repeat_are_smooth_at_the_seam_and_add_up_to_one(degree):
    spline = Spline([0.5, 1.0, 2.0, 3.5, 4.0, 6.0], period=7.0, degree=degree)
    times = np.linspace(-20.0, 20.0, 4_001)
    basis = spline.basis(times)
    assert spline.n_pieces == 6 == len(spline.labels)
    assert basis.min() >= 0.0
    np.testing.assert_allclose(basis.sum(axis=1), 1.0, atol=1e-12)
    np.testing.assert_allclose(basis, spline.basis(times + 7.0 * 1_000), atol=1e-9)
    step = 1e-6
    jump = spline.basis(np.array([0.5 + step])) - spline.basis(np.array([0.5 - step]))
    assert abs(jump).max() < 5.0 * step


@pytest.mark.parametrize("period", [None, 11.0])
@pytest.mark.parametrize("degree", DEGREES)
def test_integrals_are_areas(degree, period):
    knots = np.array([0.0, 1.0, 2.0, 4.0, 6.0, 10.0])
    spline = Spline(knots, degree=degree, period=period)
    starts = np.array([0.0, 0.3, 5.0, 2.0])
    ends = np.array([10.0, 0.4, 9.9, 2.0]) + (0.0 if period is None else 25.0)
    found = spline.integrals(starts, ends)
    for row, low, high in zip(found, starts, ends, strict=True):
        turns = np.arange(0.0, 41.0, 11.0)[:, None]
        stops = knots if period is None else (turns + knots).ravel()
        inner = stops[(stops > low) & (stops < high)]
        cuts = np.unique(np.concatenate(([low], inner, [high])))
        areas = [
            integrate.fixed_quad(lambda t: spline.basis(t).T, a, b, n=4)[0]
            for a, b in itertools.pairwise(cuts)
        ]
        np.testing.assert_allclose(row, np.sum(areas, axis=0), atol=1e-11)
    span = 10.0 if period is None else period
    whole = spline.integrals(np.array([0.0]), np.array([span]))[0]
    np.testing.assert_allclose(spline.shares, whole / span, rtol=1e-12)


def test_roughness_of_polynomials_is_the_integral_of_the_squared_second_derivative():
    spline = Spline(KNOTS)
    straight = rates_of(spline, lambda t: 3.0 - 0.2 * t)
    square = rates_of(spline, lambda t: t**2)
    cubic = rates_of(spline, lambda t: t**3)
    assert straight @ spline.roughness @ straight == pytest.approx(0.0, abs=1e-10)
    assert square @ spline.roughness @ square == pytest.approx(4.0 * 10.0)
    assert cubic @ spline.roughness @ cubic == pytest.approx(36.0 * 10.0**3 / 3.0)
    line = Spline(KNOTS, degree=1)
    level = rates_of(line, np.ones_like)
    straight = rates_of(line, lambda t: 3.0 - 0.2 * t)
    assert level @ line.roughness @ level == pytest.approx(0.0, abs=1e-12)
    assert straight @ line.roughness @ straight == pytest.approx(0.04 * 10.0)


@pytest.mark.parametrize("degree", DEGREES)
def test_roughness_of_a_periodic_spline_is_that_over_one_period(degree):
    spline = Spline([0.0, 1.0, 2.5, 4.0, 5.0, 6.0], period=8.0, degree=degree)
    rates = np.random.default_rng(3).random(6)
    step, times = 2e-3, (np.arange(40_000) + 0.5) * 8.0 / 40_000
    before, here, after = (spline.basis(times + d) @ rates for d in (-step, 0.0, step))
    bends = (after - before) / (2 * step) if degree == 1 else (before - 2 * here + after) / step**2
    wanted = np.mean(bends**2) * 8.0
    assert rates @ spline.roughness @ rates == pytest.approx(wanted, rel=5e-3)
    assert np.ones(6) @ spline.roughness @ np.ones(6) == pytest.approx(0.0, abs=1e-12)


def test_simulated_immigrants_follow_the_spline():
    spline = Spline(KNOTS, [[0.0, 4.0, 1.0, 0.0, 3.0, 2.0, 0.5, 0.0]])
    process = hawkeys.Hawkes(spline, [[0.0]], decay=1.0)
    many = hawkeys.simulate(process, end_time=np.full(400, 10.0), rng=1)
    mean = spline.integral(np.array([0.0]), np.array([10.0]))[0, 0]
    assert many.n_events == pytest.approx(400 * mean, abs=4 * np.sqrt(400 * mean))
    spent = spline.integral(np.zeros(many.n_events), many.times)[:, 0] / mean
    assert stats.kstest(spent, "uniform").pvalue > 1e-3


@pytest.mark.parametrize(
    "spline",
    [
        Spline(KNOTS),
        Spline(KNOTS, degree=2, smoothing=None),
        Spline(KNOTS, np.ones((2, 8)), smoothing=[1.0, 2.5]),
        Spline(KNOTS, period=12.0, smoothing=3.0),
    ],
)
def test_it_is_rebuilt_from_its_record(spline):
    again = baseline_from_dict(spline.to_dict())
    assert again.to_dict() == spline.to_dict()
    assert repr(again) == repr(spline)


def test_other_rates_and_smoothing_leave_the_rest():
    spline = Spline(KNOTS, np.ones((1, 8)), smoothing=2.0)
    assert spline.with_rates(None).smoothing == 2.0
    assert spline.with_smoothing(None).rates is spline.rates
    assert spline.with_smoothing(None).roughness is None
    assert spline.smoothing == 2.0
    assert not spline.is_stationary
    assert Spline(KNOTS, period=12.0).is_stationary


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ({"knots": [1.0]}, "at least 2 times"),
        (
            {"knots": [0.0, 1.0, 2.0], "period": 3.0},
            "has 4 knots or more in its period; got 3",
        ),
        ({"knots": KNOTS, "period": 10.0}, "must lie within one period of 10"),
        ({"knots": KNOTS, "degree": 0}, "from 1 to 5; got 0"),
        ({"knots": KNOTS, "degree": True}, "from 1 to 5; got True"),
        ({"knots": KNOTS, "degree": 2.5}, "from 1 to 5; got 2.5"),
        ({"knots": KNOTS, "smoothing": "auto"}, "must be 'estimate', None or numbers"),
        ({"knots": KNOTS, "smoothing": -1.0}, "smoothing must not be negative"),
        ({"knots": KNOTS, "smoothing": [[1.0]]}, "one for each mark; got shape"),
        ({"knots": KNOTS, "rates": [[1.0, 2.0]]}, r"shape \(n_marks, 8\)"),
    ],
)
def test_what_is_no_spline_is_refused(arguments, told):
    with pytest.raises(InvalidParameterError, match=told):
        Spline(**arguments)


def test_no_times_have_no_pieces():
    assert Spline(KNOTS).basis(np.empty(0)).shape == (0, 8)
    assert Spline(KNOTS, period=11.0).integrals(np.empty(0), np.empty(0)).shape == (0, 6)


def test_windows_outside_the_knots_are_refused():
    with pytest.raises(InvalidParameterError, match="not within the knots of the spline baseline"):
        hawkeys.fit([[1.0, 2.0]], end_time=12.0, decay=1.0, baseline=Spline(KNOTS))
