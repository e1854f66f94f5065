"""Fits to times known up to a tick, and to counts by bins."""

import warnings

import numpy as np
import pytest
from scipy.special import gammaln
from scipy.stats import poisson

import hawkeys
from hawkeys import Events
from hawkeys.exceptions import (
    ConvergenceWarning,
    EventsWarning,
    IdentifiabilityWarning,
    InvalidEventsError,
    InvalidParameterError,
)
from hawkeys.inference.coarse.cells import cells_of_counts
from hawkeys.inference.coarse.path import without_excitation

TRUTH = hawkeys.Hawkes([0.5], [[0.6]], decay=1.0)


def sample(end=600.0, seed=1, truth=TRUTH, **options):
    return hawkeys.simulate(truth, end_time=end, rng=seed, **options)


def floored(events, tick):
    return Events.from_arrays(
        np.floor(events.times / tick) * tick,
        events.marks,
        offsets=events.offsets,
        end_times=events.end_times,
        mark_names=events.mark_names,
    )


@pytest.fixture(scope="module")
def exact():
    return sample()


@pytest.fixture(scope="module")
def daily(exact):
    """Rounded down to 1 / decay."""
    return hawkeys.fit(floored(exact, 1.0), decay="estimate", resolution=1.0)


def test_a_fine_tick_is_as_good_as_none(exact):
    whole = hawkeys.fit(exact, decay="estimate")
    found = hawkeys.fit(floored(exact, 2.0**-12), decay="estimate", resolution=2.0**-12)
    np.testing.assert_allclose(found.estimates, whole.estimates, rtol=2e-3)
    np.testing.assert_allclose(found.std_err, whole.std_err, rtol=5e-3)
    assert float(found.kernel.decay) == pytest.approx(float(whole.kernel.decay), rel=5e-3)
    interval = found.decay_profile.interval()
    np.testing.assert_allclose(interval, whole.decay_profile.interval(), rtol=5e-3)
    assert found.log_likelihood == pytest.approx(whole.log_likelihood, abs=0.3)
    assert found.n_parameters == whole.n_parameters == 3


def test_a_coarse_tick_is_allowed_for(exact, daily):
    """Which the ticks taken for times are not: their intervals exclude the truth."""
    with pytest.warns(EventsWarning, match=r"resolution=0\.25 if"):
        wrong = hawkeys.fit(floored(exact, 0.25), decay="estimate")
    assert wrong.decay_profile.interval()[1] < 0.8
    whole = hawkeys.fit(exact, decay="estimate")
    lower, upper = daily.conf_int()
    assert (lower[0] < [0.5, 0.6]).all()
    assert (upper[0] > [0.5, 0.6]).all()
    low, high = daily.decay_profile.interval()
    assert low < 1.0 < high
    assert (daily.std_err >= 0.97 * whole.std_err).all()
    assert np.abs((daily.estimates - whole.estimates) / whole.std_err).max() < 0.7
    assert daily.converged
    assert daily.decay_profile.limit is None
    assert "Monte Carlo error" in daily.message


def test_counts_are_times_known_up_to_their_bins(exact, daily):
    edges = np.arange(601.0)
    counts = np.histogram(exact.times, edges)[0]
    found = hawkeys.fit(Events.from_counts(counts, edges=edges, unit="day"), decay="estimate")
    np.testing.assert_allclose(found.estimates, daily.estimates, rtol=1e-9)
    assert found.kernel.decay == daily.kernel.decay
    # Poisson counts beside a Poisson density
    without = (counts * np.log(counts.mean())).sum() - counts.sum() - gammaln(counts + 1.0).sum()
    gain = daily.log_likelihood - exact.n_events * (np.log(exact.n_events / 600.0) - 1.0)
    assert found.log_likelihood == pytest.approx(without + gain, rel=1e-9)
    assert (found.unit, found.options["resolution"]) == ("day", "bins")


def test_unit_and_origin_of_time_do_not_matter(exact, daily):
    """By a power of 2, and a whole number of ticks: the same draws, but for rounding."""
    events = floored(exact, 1.0)
    moved = Events.from_arrays(
        1024.0 * (events.times + 4096.0),
        events.marks,
        start_times=1024.0 * 4096.0,
        end_times=1024.0 * 4696.0,
    )
    found = hawkeys.fit(moved, decay="estimate", resolution=1024.0)
    np.testing.assert_allclose(found.adjacency, daily.adjacency, rtol=1e-3)
    np.testing.assert_allclose(1024.0 * found.process.baseline, daily.process.baseline, rtol=1e-3)
    np.testing.assert_allclose(1024.0 * found.kernel.decay, daily.kernel.decay, rtol=1e-2)


def test_the_nearest_tick(exact, daily):
    nearest = Events.from_arrays(np.rint(exact.times - 0.5) + 0.5, exact.marks, end_times=600.0)
    moved = hawkeys.fit(nearest, decay="estimate", resolution=1.0, rounding="nearest")
    np.testing.assert_allclose(moved.estimates, daily.estimates, rtol=1e-9)
    assert moved.options["rounding"] == "nearest"


def test_the_tick_is_found(exact):
    events = floored(exact, 0.25)
    found = hawkeys.fit(events, decay=1.0, resolution="detect")
    assert found.options["resolution"] == 0.25
    same = hawkeys.fit(events, decay=1.0, resolution=0.25)
    np.testing.assert_array_equal(found.estimates, same.estimates)
    assert found.decay_profile is None
    assert found.kernel.decay.tolist() == [1.0]


def test_a_decay_that_bins_do_not_tell_is_said():
    """Twenty times 1 / decay, and few of them."""
    counts = np.histogram(sample(160.0, seed=4).times, np.arange(0.0, 161.0, 20.0))[0]
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = hawkeys.fit(Events.from_counts(counts, width=20.0), decay="estimate", precision=0.9)
    said = [str(one.message) for one in caught if one.category is IdentifiabilityWarning]
    assert [one[:30] for one in said] == ["the decay is not identified: c"]
    low, high = found.decay_profile.interval()
    assert low == 0.0 or high == np.inf


def test_marks_realisations_and_support():
    truth = hawkeys.Hawkes([0.4, 0.2], [[0.2, 0.0], [0.6, 0.2]], decay=[1.0, 2.0])
    events = sample(100.0, 5, truth, n_realizations=6)
    support = [[True, False], [True, True]]
    given = {"decay": [1.0, 2.0], "support": support}
    found = hawkeys.fit(floored(events, 0.5), resolution=0.5, **given)
    whole = hawkeys.fit(events, **given)
    known = whole.identified & ~whole.at_bound
    off = np.abs(found.estimates - whole.estimates)[known] / whole.std_err[known]
    assert off.max() < 1.0
    assert found.adjacency[0, 1] == 0.0
    assert not found.identified[0, 2]
    assert (found.n_realizations, found.total_time) == (6, 600.0)
    # the transpose is another process
    assert abs(found.adjacency[1, 0] - 0.6) < 0.25


def test_poisson_counts_have_no_decay():
    counts = np.random.default_rng(0).poisson(2.0, 60)
    with pytest.warns(IdentifiabilityWarning, match="the decay is not identified: with any decay"):
        found = hawkeys.fit(Events.from_counts(counts, width=1.0), decay="estimate", precision=0.5)
    assert found.adjacency[0, 0] < 0.4


def test_a_mark_without_events_is_not_identified():
    counts = np.column_stack((np.random.default_rng(1).poisson(1.0, 80), np.zeros(80)))
    found = hawkeys.fit(Events.from_counts(counts, width=1.0), decay=1.0)
    assert found.identified.tolist() == [[True, True, False], [True, True, False]]
    assert found.process.baseline[1] == 0.0


def test_too_few_steps_are_said(exact):
    with pytest.warns(ConvergenceWarning, match="Raise max_iter, or precision"):
        hawkeys.fit(floored(exact, 1.0), decay=1.0, resolution=1.0, max_iter=1, precision=0.001)


def test_a_saved_fit_is_read_again(daily, tmp_path):
    daily.save(tmp_path / "fit.json")
    again = hawkeys.load_result(tmp_path / "fit.json")
    assert again.log_likelihood == daily.log_likelihood
    assert again.options["resolution"] == 1.0
    assert again.decay_profile.interval() == daily.decay_profile.interval()


def test_what_needs_exact_times_refuses(exact, daily):
    events = floored(exact, 1.0)
    for ask in (
        hawkeys.goodness_of_fit,
        hawkeys.inference.bootstrap,
        hawkeys.inference.edge_tests,
        hawkeys.inference.profile_interval,
        hawkeys.inference.sandwich_covariance,
        hawkeys.inference.waic,
        hawkeys.branching_probabilities,
        lambda result, data: hawkeys.forecast(result, data, 5.0),
    ):
        with pytest.raises(InvalidParameterError, match="of times known up to their ticks"):
            ask(daily, events)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EventsWarning)
        plain = hawkeys.fit(events, decay=1.0)
    with pytest.raises(InvalidParameterError, match=r"different data: resolution None and 1\.0"):
        hawkeys.compare(plain, daily)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "vi"}, "is by method='mle'; got 'vi'"),
        ({"weights": [1.0]}, "weights: a fit to times known up to a tick"),
        ({"baseline": hawkeys.baselines.PiecewiseConstant([0, 5, 10])}, "baseline: a fit to"),
        ({"decay": None, "decay_grid": [1.0, 2.0]}, "estimates one decay for all"),
        ({"decay": "estimate", "decay_sharing": "pair"}, "estimates one decay for all"),
        ({"decay": None, "kernel": hawkeys.kernels.LogNormal()}, "has an exponential kernel"),
        ({"decay": [[1.0]]}, "has an exponential kernel"),
        ({"decay": None}, "decay is missing"),
        ({"tolerance": 1e-3}, "has no option 'tolerance'; it has precision, max_iter"),
        ({"precision": 2.0}, "precision"),
        ({"resolution": -1.0}, "resolution"),
        ({"resolution": "guess"}, "resolution"),
        ({"rounding": "up"}, "rounding"),
        ({"resolution": 0.7}, r"times are no whole ticks from the first.*one of 0\.5"),
        ({"decay": 1e6}, "of the width of a cell"),
    ],
)
def test_what_is_not_known_is_refused(options, message):
    given = {"decay": 1.0, "resolution": 0.5} | options
    with pytest.raises(InvalidParameterError, match=message):
        hawkeys.fit([[0.5, 1.0, 3.5, 3.5]], end_time=10.0, **given)


def test_times_without_a_grid_have_no_tick(exact):
    with pytest.raises(InvalidParameterError, match="the times lie on no grid that is apparent"):
        hawkeys.fit(exact, decay=1.0, resolution="detect")


def test_a_tick_outside_the_window_is_refused():
    with pytest.raises(InvalidEventsError, match="add the tick to it"):
        hawkeys.fit([[1.0, 10.0]], end_time=10.0, decay=1.0, resolution=1.0)
    with pytest.raises(InvalidEventsError, match="there are no events"):
        hawkeys.fit([[]], end_time=10.0, decay=1.0, resolution=1.0)


def test_counts_refuse_what_belongs_to_times():
    counts = Events.from_counts([1, 2, 0], width=1.0)
    for name, value in (("resolution", 1.0), ("rounding", "floor")):
        with pytest.raises(InvalidParameterError, match=f"{name} belongs to times"):
            hawkeys.fit(counts, decay=1.0, **{name: value})
    with pytest.raises(InvalidParameterError, match="end_time: counts carry their bins"):
        hawkeys.fit(counts, decay=1.0, end_time=3.0)
    with pytest.raises(InvalidEventsError, match="all counts are 0"):
        hawkeys.fit(Events.from_counts([0, 0], width=1.0), decay=1.0)
    for ask in (
        lambda: TRUTH.log_likelihood(counts),
        lambda: hawkeys.fit_each(counts, decay=1.0),
        lambda: hawkeys.goodness_of_fit(TRUTH, counts),
        lambda: Events.from_data(counts),
    ):
        with pytest.raises(InvalidEventsError, match="counts by bins, of EventCounts, and times"):
            ask()


def test_no_excitation_is_the_poisson_likelihood():
    table = np.array([[3, 0], [1, 2], [0, 4]])
    cells = cells_of_counts(Events.from_counts(table, edges=[0.0, 1.0, 3.0, 4.5]))
    widths = np.array([1.0, 2.0, 1.5])
    expected = poisson.logpmf(table, table.sum(axis=0) / 4.5 * widths[:, None]).sum()
    assert without_excitation(cells) == pytest.approx(expected, rel=1e-12)
