"""A user's own baseline: what its methods return is checked, and what is right passes."""

from dataclasses import dataclass

import numpy as np
import pytest

import hawkeys
from hawkeys.baselines import Baseline, Constant, PiecewiseConstant
from hawkeys.baselines.checks import checked_integrals
from hawkeys.exceptions import InvalidParameterError

TURN = 2 * np.pi / 24
EVENTS = hawkeys.Events.from_lists(
    [[np.arange(1.0, 240.0, 1.7), np.arange(0.5, 240.0, 2.9)]], end_times=240.0
)
FAR = 1.7e9  # seconds since 1970


class Wave(Baseline):
    """A constant, and a wave with a period of 24."""

    n_pieces = 2
    labels = ("always", "by day")
    shares = np.array([1.0, 1.0])

    def basis(self, times):
        return np.column_stack((np.ones(times.size), 1 + np.sin(TURN * times)))

    def integrals(self, starts, ends):
        wave = ends - starts + (np.cos(TURN * starts) - np.cos(TURN * ends)) / TURN
        return np.column_stack((ends - starts, wave))


class Steps(PiecewiseConstant):
    """An own class, of which nothing is trusted."""

    name = "own steps"


class Spike(Baseline):
    """One thousandth of a second in an hour and a half."""

    n_pieces, labels, shares = 1, ("spike",), (1e-6,)
    first, last = 1000.123, 1000.124

    def basis(self, times):
        return ((times >= self.first) & (times < self.last)).astype(float)[:, None]

    def integrals(self, starts, ends):
        low, high = np.maximum(starts, self.first), np.minimum(ends, self.last)
        return np.maximum(high - low, 0.0)[:, None]


class Root(Baseline):
    """1 / sqrt(t), infinite at 0."""

    n_pieces, labels, shares = 1, ("root",), (1.0,)

    def basis(self, times):
        return times[:, None] ** -0.5

    def integrals(self, starts, ends):
        return 2.0 * (np.sqrt(ends) - np.sqrt(starts))[:, None]


@dataclass(frozen=True)
class Frozen(Wave):
    """One that cannot be written to."""

    rates: np.ndarray | None = None


def changed(**methods):
    """A wave with other attributes."""
    return type("Own", (Wave,), methods)


@pytest.mark.parametrize(
    ("baseline", "start", "end"),
    [
        (Wave(), 0.0, 240.0),
        (Wave(), 0.0, 24.0 * 3650),  # many periods in a part
        (Wave(), FAR, FAR + 50.0),
        (Wave(), FAR, FAR + 1e-6),
        (Wave(), 5.0, 5.0),
        (Steps([0.0, 1.1, 1.2, 70.0, 70.0001, 240.0]), 0.0, 240.0),
        (Steps(FAR + np.array([0.0, 1.1, 1.2, 70.0, 240.0])), FAR, FAR + 240.0),
        (Spike(), 0.0, 5400.0),
        (Root(), 0.0, 240.0),
        (Frozen(), 0.0, 240.0),
    ],
)
def test_right_ones_pass(baseline, start, end):
    window = np.array([start]), np.array([end])
    found = checked_integrals(baseline, *window)
    np.testing.assert_array_equal(found, np.maximum(baseline.integrals(*window), 0.0))


def test_integrals_are_compared_once_for_each_object():
    sizes = []

    class Counted(Wave):
        def basis(self, times):
            sizes.append(times.size)
            return super().basis(times)

    windows = np.array([0.0, 3.0]), np.array([2.0, 100.0])
    first = Counted()
    for _ in range(2):
        checked_integrals(first, *windows)
        checked_integrals(first.with_rates([[1.0, 2.0]]), *windows)
        assert sum(sizes) == 512
    checked_integrals(Counted(), *windows)
    assert sum(sizes) == 1024


SHARE = "integrals must be those of basis: of piece 1 over .* the area under basis is"


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"basis": lambda _, t: np.full((t.size, 2), np.nan)}, "basis must be finite numbers >= 0"),
        ({"basis": lambda _, t: Wave().basis(t)[:, 0]}, r"basis must be .* one row per time"),
        ({"basis": lambda _, t: Wave().basis(t).T}, r"basis must be .* one row per time"),
        ({"basis": lambda _, t: Wave().basis(t)[:, :1]}, r"shape \(\d+, 2\).* shape \(\d+, 1\)"),
        ({"basis": lambda _, t: Wave().basis(t) - 0.5}, "basis must be finite numbers >= 0"),
        ({"basis": lambda *_: "a wave"}, "basis must be an array of numbers; got 'a wave'"),
        ({"integrals": lambda _, a, b: Wave().integrals(a, b)[:, 1]}, "one row per window"),
        ({"integrals": lambda _, a, b: -Wave().integrals(a, b)}, "integrals must be finite"),
        ({"integrals": lambda _, a, b: Wave().integrals(a, b) * [1, 3]}, SHARE),
        ({"integrals": lambda _, a, b: Wave().integrals(a, b) * [1, 1.02]}, SHARE),
        ({"integrals": lambda _, a, b: Wave().integrals(a, b) * [1, 0.0]}, SHARE),
        ({"integrals": lambda _, a, b: Wave().integrals(0 * a, b)}, "its parts add up to"),
        (
            {"integrals": lambda _, a, b: Wave().basis(0.5 * (a + b)) * (b - a)[:, None]},
            "its parts add up to",
        ),
        ({"n_pieces": 0}, "n_pieces must be a whole number of at least 1; got 0"),
        ({"labels": ("one",)}, r"labels must name each of 2 pieces \(n_pieces\); got \('one',\)"),
        ({"labels": "no"}, "labels must name each of 2 pieces"),
        ({"shares": np.ones((1, 2))}, "shares must be numbers of shape .2,., one share"),
        ({"shares": (np.inf, 1.0)}, "shares must be finite numbers >= 0"),
        ({"__init__": lambda _: None}, r"__init__ must keep the rates, given or None"),
    ],
)
def test_wrong_ones_are_refused_by_a_fit(methods, message):
    with pytest.raises(InvalidParameterError, match=message):
        hawkeys.fit(EVENTS, decay=2.0, baseline=changed(**methods)())


def test_what_a_part_of_the_day_hides_is_found():
    def integrals(self, starts, ends):  # wrong in one hour of ten days only
        extra = np.clip(np.minimum(ends, 131.0) - np.maximum(starts, 130.0), 0.0, None)
        return Wave.integrals(self, starts, ends) + extra[:, None] * [0.0, 0.5]

    with pytest.raises(InvalidParameterError, match=r"over \[1[23]\d\.?\d*, 13\d\.?\d*\]"):
        hawkeys.fit(EVENTS, decay=2.0, baseline=changed(integrals=integrals)())


RATES = [[0.2, 0.8], [0.3, 0.1]]


@pytest.mark.parametrize(
    "ask",
    [
        lambda process: hawkeys.simulate(process, end_time=50.0, rng=0),
        lambda process: process.log_likelihood(EVENTS),
        lambda process: process.compensator(EVENTS, [3.0]),
        lambda process: hawkeys.goodness_of_fit(process, EVENTS, refit=False),
    ],
)
def test_whatever_uses_a_process_refuses_it(ask):
    adjacency = np.full((2, 2), 0.1)
    threefold = changed(integrals=lambda _, a, b: 3.0 * Wave().integrals(a, b))
    with pytest.raises(InvalidParameterError, match="integrals must be those of basis"):
        ask(hawkeys.Hawkes(threefold(RATES), adjacency, decay=1.0))
    hollow = changed(basis=lambda _, t: np.full((t.size, 2), np.nan))
    with pytest.raises(InvalidParameterError, match="basis must be finite"):
        ask(hawkeys.Hawkes(hollow(RATES), adjacency, decay=1.0))
    kept = changed(__init__=lambda self, rates: setattr(self, "rates", np.array(rates)[:, :1]))
    with pytest.raises(InvalidParameterError, match=r"rates must be .* one column per piece"):
        hawkeys.Hawkes(kept(RATES), adjacency, decay=1.0)
    ask(hawkeys.Hawkes(Wave(RATES), adjacency, decay=1.0))


def test_an_intensity_of_nonsense_is_refused():
    hollow = changed(basis=lambda _, t: np.full((t.size, 2), np.inf))(RATES)
    process = hawkeys.Hawkes(hollow, np.zeros((2, 2)), decay=1.0)
    with pytest.raises(InvalidParameterError, match="basis must be finite"):
        process.intensity(EVENTS, [3.0])


@pytest.mark.parametrize(
    "drawn",
    [lambda low, high: high + 1.0, lambda low, high: low[1:], lambda low, high: low * np.nan],
)
def test_drawn_times_are_within_their_windows(drawn):
    own = changed(sample_times=lambda _, rng, pieces, low, high: drawn(low, high))
    process = hawkeys.Hawkes(own(RATES), np.zeros((2, 2)), decay=1.0)
    with pytest.raises(InvalidParameterError, match=r"sample_times must be .* within its window"):
        hawkeys.simulate(process, end_time=50.0, rng=0)


def test_a_constant_takes_one_rate_for_each_mark():
    flat, tall = Constant([0.4, 0.15]), Constant([[0.4], [0.15]])
    np.testing.assert_array_equal(flat.rates, tall.rates)
    assert flat.rates.shape == (2, 1)
    np.testing.assert_array_equal(Constant().with_rates([0.4, 0.15]).rates, tall.rates)
    held = hawkeys.fit(EVENTS, decay=2.0, baseline=flat)
    np.testing.assert_array_equal(held.baseline, [0.4, 0.15])
    same = hawkeys.fit(EVENTS, decay=2.0, baseline=tall)
    np.testing.assert_array_equal(held.adjacency, same.adjacency)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Constant(0.4), r"shape \(n_marks, 1\); got shape \(\)\. .*Constant\(\[0.4, 0.15"),
        (lambda: Constant([[0.4, 0.2]]), r"got shape \(1, 2\)\. Write one rate for each mark"),
        (lambda: PiecewiseConstant([0, 1, 2], [0.4, 0.2]), r"\(2,\)\. Of one mark .* \[\[r1, r2"),
        (lambda: PiecewiseConstant([0, 1, 2], [0.4, 0.2, 1]), r"\[\[r1, ...\], ...\], a list for"),
        (lambda: hawkeys.fit(EVENTS, decay=2.0, baseline=[0.4, 0.15]), r"Constant\(\[0.4, 0.15\]"),
    ],
)
def test_how_rates_are_written_is_told(make, message):
    with pytest.raises(InvalidParameterError, match=message):
        make()
