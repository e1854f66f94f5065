"""Data that say next to nothing: finite numbers, no nonsense, a word where it matters."""

import dataclasses
import warnings

import numpy as np
import pytest
from scipy.optimize import minimize

import hawkeys
from hawkeys.exceptions import IdentifiabilityWarning
from hawkeys.inference.identify import warn_if_unseen
from hawkeys.kernels import LogNormal, SumExponential

# small data: by plain loops, and by compiled ones
pytestmark = pytest.mark.usefixtures("loops")

RISING = [[1, 4, 6, 7.5, 8.5, 9.2, 9.8]]


@pytest.mark.parametrize("empty", [0, 1, 2])
def test_realisations_without_events_do_not_disturb_the_range_of_decays(empty):
    lists = [[[1.0, 1.4, 2.0, 2.5, 4.0, 4.1]], [[0.5, 0.6, 3.0]]]
    lists.insert(empty, [[]])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentifiabilityWarning)
        result = hawkeys.fit(lists, decay="estimate", end_time=5.0)
    lags = np.sort([0.4, 0.6, 0.5, 1.5, 0.1, 0.1, 2.4])
    assert result.decay_profile.bounds == pytest.approx((1 / 5, max(10 / lags[-1], 100 / 5)))


@pytest.mark.parametrize("unit", [1e-6, 1.0, 1e6])
@pytest.mark.parametrize("sharing", ["shared", "source", "pair"])
def test_evenly_spaced_events_have_no_excitation(sharing, unit):
    times = unit * np.array([0.5, 1.5, 2.5, 3.5])
    with pytest.warns(IdentifiabilityWarning, match="no decay fits clearly better than no excit"):
        result = hawkeys.fit([times], decay="estimate", decay_sharing=sharing, end_time=4.0 * unit)
    assert result.adjacency[0, 0] == 0.0
    assert result.baseline[0] * unit == pytest.approx(1.0, rel=1e-5)
    assert not result.identified[0, 1]


FITS = {
    "mle": {"decay": 1e-6},
    "least_squares": {"decay": 1e-6, "method": "least_squares"},
    "sum": {"kernel": SumExponential([1e-6, 2e-6])},
}


@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.EventsWarning")
@pytest.mark.parametrize("name", FITS)
def test_an_adjacency_beyond_any_process_is_explained(name):
    with pytest.warns(IdentifiabilityWarning, match=r"adjacency\[0, 0\] is .* the windows show a"):
        result = hawkeys.fit(RISING, end_time=10.0, **FITS[name])
    assert result.process.spectral_radius > 10


def test_an_entry_beside_the_diagonal_is_explained_too():
    with pytest.warns(IdentifiabilityWarning, match=r"adjacency\[0, 1\] is .* radius 0\. Of the"):
        result = hawkeys.fit([[9.9999995], [9.999999]], decay=1.0, end_time=10.0)
    assert result.adjacency[0, 1] > 1e5


def test_an_influence_beyond_any_process_is_explained_in_the_callers_line():
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = hawkeys.fit_rectified(RISING, end_time=10.0, decay=1e-3)
        hawkeys.fit(RISING, end_time=10.0, decay=1e-3)
        hawkeys.fit(RISING, end_time=10.0, decay="estimate")
    data = hawkeys.Events.from_lists([RISING], end_times=10.0)
    for factor in (0.98, 1.02):  # it is the maximum, all the same
        beside = hawkeys.RectifiedHawkes(
            result.baseline, factor * result.adjacency, decay=result.decay
        )
        assert beside.log_likelihood(data) < result.log_likelihood
    assert result.process.spectral_radius > 10
    told = [w for w in caught if w.category is IdentifiabilityWarning]
    assert "Give a kernel that is shorter than the windows" in str(told[0].message)
    assert ["beyond any process" in str(w.message) for w in told[:3]] == [True, True, False]
    assert {w.filename for w in told} == {__file__}


@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.EventsWarning")
def test_single_realisations_beyond_any_process_are_counted():
    with pytest.warns(IdentifiabilityWarning, match=r"of 1 of 2 .* over 10 \(realization 0: "):
        each = hawkeys.fit_each([RISING, [[5.0]]], decay=1e-6, end_time=10.0)
    assert each.adjacency[0, 0, 0] > 1e4


@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.EventsWarning")
def test_lags_longer_than_every_window_are_not_identified():
    """The median lag is 223, the windows end at 70: of the mass 1e-166 is inside."""
    kernel = LogNormal(5.405812102749444, 0.04165547330394946)
    lists = [[[12.49, 48.21], [47.59], [13.24, 48.2356]], [[], [0.0], [70.0]]]
    for method in ("mle", "vi"):
        with pytest.warns(IdentifiabilityWarning, match="9 parameters are not identified"):
            result = hawkeys.fit(lists, kernel=kernel, end_time=[66.0, 70.0], method=method)
        np.testing.assert_array_equal(result.adjacency, 0.0)
        assert np.isfinite(result.std_err[:, 0]).all()
        assert np.isfinite(result.objective)
    with pytest.warns(IdentifiabilityWarning):
        plain = hawkeys.fit(lists, kernel=kernel, end_time=[66.0, 70.0])
    np.testing.assert_allclose(plain.baseline, np.array([2, 2, 3]) / 136.0, rtol=1e-6)
    # the likelihood of a process that somebody gives is what it is
    given = hawkeys.Hawkes([0.1], [[1e160]], kernel=LogNormal(5.4, 0.0417))
    events = hawkeys.Events.from_lists([[[0.0, 70.0]]], end_times=70.0)
    density = kernel_density(70.0, 5.4, 0.0417)
    expected = np.log(0.1) + np.log(0.1 + 1e160 * density) - 7.0
    assert given.log_likelihood(events) == pytest.approx(expected, abs=1e-6)


def kernel_density(lag, location, scale):
    z = (np.log(lag) - location) / scale
    return np.exp(-0.5 * z * z) / (lag * scale * np.sqrt(2 * np.pi))


def test_inhibition_at_its_bound_is_the_maximum():
    times = [
        13.9655,
        16.98606,
        28.92747,
        35.20632,
        37.64885,
        41.54673,
        43.94534,
        54.06071,
        60.17551,
    ]
    events = hawkeys.Events.from_arrays(
        times, [2, 0, 0, 1, 1, 2, 0, 0, 2], end_times=64.0, n_marks=3
    )
    decay = [1.35297, 1.60115, 0.13332]
    result = hawkeys.fit_rectified(events, decay=decay)
    assert result.converged
    assert result.at_bound[1, 3]
    assert result.adjacency[1, 2] == -1e6

    def loss(theta):
        baseline, adjacency = result.baseline.copy(), result.adjacency.copy()
        baseline[1], adjacency[1, :2] = abs(theta[0]), theta[1:]
        value = hawkeys.RectifiedHawkes(baseline, adjacency, decay=decay).log_likelihood(events)
        return -value if np.isfinite(value) else 1e10

    start = np.array([result.baseline[1], *result.adjacency[1, :2]])
    options = {"xatol": 1e-9, "fatol": 1e-11, "maxiter": 4000, "maxfev": 4000}
    best = minimize(loss, 1.02 * start, method="Nelder-Mead", options=options)
    assert result.log_likelihood >= -best.fun - 1e-6


def test_inhibition_that_stops_short_says_so():
    """Where the baseline is 0 the likelihood has edges; a damped step promises next to nothing."""
    lists = [[[-5.888587951660156], [-5.982263565063477, 27.061585426330566]]]
    events = hawkeys.Events.from_lists(lists, start_times=-7.5, end_times=75.5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", hawkeys.exceptions.HawkeysWarning)
        result = hawkeys.fit_rectified(events, decay=[0.03173432, 0.03188615])
    known = hawkeys.RectifiedHawkes(
        [0.0, result.baseline[1]], [[-1561.35939196, 336.89116562], result.adjacency[1]],
        decay=result.decay,
    )  # fmt: skip
    short = known.log_likelihood(events) - result.log_likelihood
    assert short < 1e-6 or not result.converged


def test_no_variance_below_0_reaches_a_square_root():
    events = hawkeys.Events.from_lists([[[0.0, 14.879], [], [14.879]]], end_times=14.879)
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", hawkeys.exceptions.HawkeysWarning)
        errors = hawkeys.fit_rectified(events, decay="estimate").std_err
    assert not (errors < 0).any()


def test_a_rate_along_which_the_likelihood_does_not_bend_has_no_error():
    lists = [
        [[2.0, 2.0, 3.0], [], [1.0, 1.0, 2.0]],
        [[0.736, 0.736], [0.736, 2.209, 2.209], [2.209, 2.209]],
        [[0.94], [0.94], [1.881, 1.881, 2.821]],
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)
        warnings.simplefilter("ignore", hawkeys.exceptions.HawkeysWarning)
        result = hawkeys.fit(lists, kernel=hawkeys.kernels.Gamma(), end_time=[4.0, 2.945, 3.761])
    assert np.isfinite(result.estimates).all()
    assert not (result.std_err < 0).any()


def test_a_radius_of_many_small_entries_is_explained():
    """No entry is above 10, but twelve marks that all excite each other make a radius of 12."""
    size = 12
    process = hawkeys.Hawkes(np.full(size, 0.1), np.ones((size, size)), decay=1.0)
    events = hawkeys.Events.from_lists([[[1.0 + 0.1 * i] for i in range(size)]], end_times=5.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentifiabilityWarning)
        result = hawkeys.fit(events, decay=1.0)
    wide = dataclasses.replace(result, process=process)
    with pytest.warns(IdentifiabilityWarning, match="spectral radius 12"):
        warn_if_unseen(wide, events, "Use a kernel", stacklevel=1)
    half = hawkeys.Hawkes(np.full(size, 0.1), 0.5 * np.ones((size, size)), decay=1.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error", IdentifiabilityWarning)
        warn_if_unseen(dataclasses.replace(result, process=half), events, "-", stacklevel=1)
