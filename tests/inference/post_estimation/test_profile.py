"""Profile-likelihood intervals: end points, the bound 0, and what is refused."""

import dataclasses
import math

import naive_uncertainty as naive
import numpy as np
import pytest
from scipy import stats

import hawkeys
from hawkeys import Events
from hawkeys._jit.profile import climb, profile_ends
from hawkeys.exceptions import (
    ConvergenceWarning,
    IdentifiabilityWarning,
    InvalidEventsError,
)
from hawkeys.exceptions import InvalidParameterError as Wrong
from hawkeys.inference import ProfileIntervals, edge_tests, profile_interval
from hawkeys.inference.post_estimation.fitted_rows import FittedRows

DECAY = 1.5
TRUTH = hawkeys.Hawkes(
    [0.3, 0.2, 0.1], [[0.2, 0.3, 0.0], [0.1, 0.4, 0.2], [0.3, 0.0, 0.1]], decay=DECAY
)
CUT = stats.chi2.ppf(0.95, 1)
NONE = np.zeros(5, dtype=bool)
RIDGE = np.array([0.0, 3.0, 0.0, 0.5, 1.0])
SUPPORT = np.array([[1, 1, 0], [1, 1, 1], [1, 0, 1]], dtype=bool)


@pytest.fixture(scope="module")
def events():
    return hawkeys.simulate(TRUTH, end_time=[40.0, 60.0, 30.0], rng=3)


def fit(events, **options):
    return hawkeys.fit(events, decay=DECAY, **options)


OPTIONS = {
    "plain": {},
    "weights": {"weights": [0.5, 2.0, 1.0]},
    "support": {"support": SUPPORT},
    "a weight 0": {"weights": [0.0, 1.0, 1.0], "support": SUPPORT},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_the_likelihood_falls_by_the_cut_off_at_each_end(events, name):
    options = OPTIONS[name]
    result = fit(events, **options)
    found = profile_interval(result, events)
    assert found.cutoff == pytest.approx(CUT)
    for i in range(3):
        data = naive.row_data(events, DECAY, i, **options)
        best = naive.profile(data, {})
        for p in range(4):
            if p > 0 and not options.get("support", np.ones((3, 3)))[i][p - 1]:
                assert np.isnan(found.upper[i, p])
                continue
            for end in {found.lower[i, p], found.upper[i, p]} - {0.0}:
                fall = 2.0 * (best - naive.profile(data, {p: end}))
                assert fall == pytest.approx(CUT, abs=1e-6)
            at_zero = 2.0 * (best - naive.profile(data, {p: 0.0}))
            # both optima are known to about 1e-8 nats
            assert found.statistic_at_zero[i, p] == pytest.approx(at_zero, abs=1e-6)
            assert (found.lower[i, p] == 0.0) == (at_zero <= CUT)
            assert found.lower[i, p] <= result.estimates[i, p] < found.upper[i, p]


def test_zero_is_judged_by_the_mixture(events):
    found = profile_interval(fit(events), events, level=0.9)
    assert found.cutoff_at_zero == pytest.approx(stats.chi2.ppf(0.8, 1))
    assert np.array_equal(found.includes_zero, found.statistic_at_zero <= found.cutoff_at_zero)
    events = hawkeys.simulate(TRUTH, end_time=[40.0, 60.0, 30.0], rng=5)
    found = profile_interval(fit(events), events, level=0.9)
    bound = fit(events).at_bound
    assert bound.any()
    assert (found.statistic_at_zero[bound] == 0.0).all()
    assert (found.lower[bound] == 0.0).all()
    assert found.includes_zero[bound].all()
    assert profile_interval(fit(events), events, level=0.5).cutoff_at_zero == 0.0


def test_one_mark_without_excitation_is_a_gamma_likelihood():
    # n log x - x T: the profile of a Poisson rate, whose ends scipy finds on the formula
    events = Events.from_lists([[np.linspace(1.0, 9.0, 5)]], end_times=10.0)
    result = hawkeys.fit(events, decay=1.0, support=[[False]])
    found = profile_interval(result, events)
    assert np.isnan(found.upper[0, 1])
    for end in (found.lower[0, 0], found.upper[0, 0]):
        fall = 2.0 * (5 * math.log(0.5) - 5.0 - 5 * math.log(end) + 10.0 * end)
        assert fall == pytest.approx(CUT, abs=1e-7)
    assert found.statistic_at_zero[0, 0] == math.inf


def test_a_linear_likelihood_has_its_end_at_the_cut_off_over_the_slope():
    # the only event of "a" comes first: nothing excites it, and the profile falls on a line
    events = Events.from_lists([[[1.0], [2.0, 3.0]]], end_times=50.0)
    result = hawkeys.fit(events, decay=1.0)
    found = profile_interval(result, events)
    mass = 2.0 - math.exp(-48.0) - math.exp(-47.0)
    assert found.upper[0, 2] == pytest.approx(0.5 * CUT / mass, rel=1e-8)
    assert found.lower[0, 2] == 0.0


def test_a_mark_without_events_has_an_upper_end_only():
    events = Events.from_lists([[[1.0, 1.5, 4.0], []]], end_times=10.0)
    with pytest.warns(IdentifiabilityWarning):
        result = hawkeys.fit(events, decay=1.0)
    found = profile_interval(result, events)
    assert found.lower[1, 0] == 0.0
    assert found.upper[1, 0] == pytest.approx(0.5 * CUT / 10.0)
    assert np.isnan(found.upper[:, 2]).all()
    assert np.isnan(found.estimates[:, 2]).all()
    assert not found.includes_zero[:, 2].any()


def test_units_of_time_do_not_matter(events):
    found = profile_interval(fit(events), events)
    for unit in (1e-9, 1e9):
        other = Events.from_arrays(
            events.times * unit,
            events.marks,
            offsets=events.offsets,
            end_times=events.end_times * unit,
            n_marks=3,
        )
        scaled = profile_interval(hawkeys.fit(other, decay=DECAY / unit), other)
        assert np.allclose(scaled.upper[:, 1:], found.upper[:, 1:], rtol=1e-6)
        assert np.allclose(scaled.lower[:, 0] * unit, found.lower[:, 0], rtol=1e-6)


def test_parameters_are_chosen_by_a_mask(events):
    result = fit(events)
    whole = profile_interval(result, events)
    mask = np.zeros((3, 4), dtype=bool)
    mask[1, 2] = True
    part = profile_interval(result, events, parameters=mask)
    assert part.upper[1, 2] == whole.upper[1, 2]
    assert np.isnan(part.upper[~mask]).all()
    assert repr(part) == "ProfileIntervals(level=0.95, n_parameters=1)"


def test_an_estimated_kernel_is_held_and_a_wider_level_is_wider(events):
    result = hawkeys.fit(events, decay="estimate")
    narrow = profile_interval(result, events, level=0.5)
    wide = profile_interval(result, events, level=0.99)
    inside = result.estimates > 0
    assert (wide.upper > narrow.upper).all()
    assert (wide.lower[inside] <= narrow.lower[inside]).all()


def test_a_result_that_was_saved_gives_the_same(events, tmp_path):
    result = fit(events, **OPTIONS["weights"], **OPTIONS["support"])
    result.save(tmp_path / "fit.json")
    again = profile_interval(hawkeys.load_result(tmp_path / "fit.json"), events)
    expected = profile_interval(result, events)
    assert np.array_equal(again.upper, expected.upper, equal_nan=True)


def test_the_frame_has_a_row_per_parameter(events):
    found = profile_interval(fit(events), events)
    frame = found.to_frame()
    assert list(frame) == [
        "parameter", "target", "source", "estimate", "lower", "upper", "includes_zero",
    ]  # fmt: skip
    row = frame[(frame["target"] == "2") & (frame["source"] == "0")].iloc[0]
    assert (row["lower"], row["upper"]) == (found.lower[2, 1], found.upper[2, 1])
    assert frame["parameter"].tolist() == ["baseline"] * 3 + ["adjacency"] * 9
    assert isinstance(found, ProfileIntervals)


@pytest.mark.parametrize("call", [profile_interval, edge_tests])
def test_a_profile_that_is_lost_is_told(events, monkeypatch, call):
    def losing(*arguments):
        out, gain = profile_ends(*arguments)
        out[1] = np.nan
        return out, gain

    result = fit(events)
    monkeypatch.setattr(
        "hawkeys.inference.post_estimation.profile.falls_at_zero", lambda *arguments: None
    )
    monkeypatch.setattr("hawkeys.inference.post_estimation.profile.loops.profile_ends", losing)
    with pytest.warns(ConvergenceWarning, match="profiles of 3 parameters could not be followed"):
        call(result, events)


def test_wald_and_profile_agree_with_many_events():
    process = hawkeys.Hawkes([0.5], [[0.5]], decay=2.0)
    events = hawkeys.simulate(process, end_time=20_000.0, rng=0)
    result = hawkeys.fit(events, decay=2.0)
    found = profile_interval(result, events)
    lower, upper = result.conf_int()
    # the difference is of the order of 1 / n_events, relative to the estimate
    assert np.allclose(found.lower, lower, rtol=1e-3)
    assert np.allclose(found.upper, upper, rtol=1e-3)


class TestRefused:
    def test_other_events(self, events):
        other = hawkeys.simulate(TRUTH, end_time=[40.0, 60.0, 30.0], rng=4)
        with pytest.raises(Wrong, match=r"fitted to other events.*Pass the events of"):
            profile_interval(fit(events), other)

    def test_other_marks(self, events):
        other = Events.from_lists([[[1.0], [2.0]]], end_times=3.0)
        with pytest.raises(InvalidEventsError, match="2 marks, the process has 3"):
            profile_interval(fit(events), other)
        with pytest.raises(Wrong, match="end_time is missing: the end of observation is data"):
            profile_interval(fit(events), [[1.0]])

    def test_what_is_no_fit(self, events):
        with pytest.raises(Wrong, match=r"result of hawkeys\.fit; got 'Hawkes'"):
            profile_interval(TRUTH, events)

    def test_wrong_arguments(self, events):
        result = fit(events)
        with pytest.raises(Wrong, match="level must be one number strictly between"):
            profile_interval(result, events, level=95)
        with pytest.raises(Wrong, match="level is nan"):
            profile_interval(result, events, level=math.nan)
        with pytest.raises(Wrong, match=r"parameters must have shape \(3, 4\)"):
            profile_interval(result, events, parameters=np.ones((3, 3)))

    def test_a_fit_that_stopped_early(self, events):
        with pytest.warns(ConvergenceWarning):
            result = fit(events, max_iter=1)
        with pytest.raises(Wrong, match=r"a fit that converged.*Raise max_iter"):
            profile_interval(result, events)

    def test_a_fit_under_constraints(self, events):
        result = fit(events)
        process = hawkeys.Hawkes([0.5, 0.1, 0.1], result.adjacency, decay=DECAY)
        moved = dataclasses.replace(
            result, process=process, log_likelihood=process.log_likelihood(events)
        )
        with pytest.raises(Wrong, match=r"not the maximum.* target '0'.*baseline_floor"):
            profile_interval(moved, events)


def problem(seed, n=30, size=4):
    """Return a random row problem with a source that never acts and one that is excluded."""
    rng = np.random.default_rng(seed)
    basis = np.vstack((np.ones(n), rng.exponential(1.0, (size, n)) * (rng.random((size, n)) < 0.5)))
    basis[3] = 0.0
    cost = np.concatenate(([n / 2.0], rng.uniform(1.0, 30.0, size)))
    basis[4], cost[4] = 0.0, 0.0
    return basis, rng.choice([0.0, 0.5, 1.0, 2.0], n), cost


@pytest.mark.parametrize("seed", range(4))
def test_climb_finds_the_optimum(seed):
    basis, weights, cost = problem(seed)
    held = cost <= 0
    x = np.zeros(5)  # no event is possible here: it must find a start of its own
    slope, hessian = np.empty(5), np.empty((5, 5))
    value = climb((basis, weights, cost, np.zeros(5)), held, NONE, x, slope, hessian)
    data = basis.T[weights > 0], weights[weights > 0], cost[None], None
    assert value == pytest.approx(naive.profile(data, {}), abs=1e-8)
    assert value == pytest.approx(naive.log_likelihood(data, x), abs=1e-10)
    assert (x >= 0).all()
    assert (slope[~held] <= 1e-5).all()
    assert np.abs(slope[x > 0]).max() < 1e-5


@pytest.mark.parametrize("seed", range(4))
def test_derivatives_match_differences(seed):
    basis, weights, cost = problem(seed)
    x = np.array([0.3, 0.2, 0.0, 0.1, 0.0])
    everything = np.ones(5, dtype=bool)
    slope, hessian, other, spare = np.empty(5), np.empty((5, 5)), np.empty(5), np.empty((5, 5))
    base = climb((basis, weights, cost, RIDGE), everything, NONE, x.copy(), slope, hessian)
    step = 1e-6
    for p in range(5):
        moved = x.copy()
        moved[p] += step
        value = climb((basis, weights, cost, RIDGE), everything, NONE, moved, other, spare)
        assert value - base == pytest.approx(step * slope[p], abs=1e-9)
        assert np.allclose((slope - other) / step, hessian[p], rtol=1e-4, atol=1e-4)


def test_an_impossible_event_is_infinitely_bad():
    basis, weights, cost = np.array([[1.0, 1.0], [0.0, 2.0]]), np.ones(2), np.array([4.0, 1.5])
    ends, gain = profile_ends(
        (basis, weights, cost, np.zeros(2)),
        np.zeros(2, bool),
        np.eye(2, dtype=bool),
        np.array([0.5, 0.0]),
        0.5 * CUT,
    )
    assert gain > 0.0
    assert ends[0, 2] == math.inf  # the first event needs the baseline
    assert ends[0, 0] > 0.0
    assert math.isfinite(ends[1, 2])


def degenerate(seed):
    """Return few events on a coarse clock, empty marks among them, a decay and options."""
    rng = np.random.default_rng(seed)
    n_marks, ends = rng.integers(1, 6), rng.uniform(1.0, 30.0, rng.integers(1, 4))
    lists = [
        [np.sort(rng.uniform(0.0, end, rng.poisson(rng.choice([0, 3, 20])))).round(1).clip(0, end)
         for _ in range(n_marks)] for end in ends
    ]  # fmt: skip
    events = Events.from_lists(lists, end_times=ends)
    weights = rng.choice([0.0, 0.5, 3.0], ends.size) + (np.arange(ends.size) == 0)
    support = rng.random((n_marks, n_marks)) < 0.7
    options = {"weights": weights, "support": support} if rng.random() < 0.5 else {}
    return events, rng.choice([0.01, 0.5, 50.0]), options


@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.EventsWarning")
@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.IdentifiabilityWarning")
@pytest.mark.parametrize("seed", range(12))
def test_degenerate_data(seed):
    events, decay, options = degenerate(seed)
    result = hawkeys.fit(events, decay=decay, **options)
    found = profile_interval(result, events)
    rows = FittedRows.check(result, events, "this test")
    size = events.n_marks + 1
    none = np.zeros(size, dtype=bool)
    spare = np.empty(size), np.empty((size, size))
    for i in range(events.n_marks):
        given = rows.row(i)
        best = climb(given, rows.held[i], none, np.zeros(size), *spare)
        for p in np.flatnonzero(result.identified[i]):
            held, x = rows.held[i].copy(), np.zeros(size)
            held[p] = True
            ends = found.lower[i, p], found.upper[i, p]
            assert ends[0] <= result.estimates[i, p] + 1e-9 < ends[1]
            for end in {*ends} - {0.0}:
                x[p] = end
                fall = 2.0 * (best - climb(given, held, none, x, *spare))
                assert fall == pytest.approx(CUT, abs=1e-6)
