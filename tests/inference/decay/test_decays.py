"""Decays chosen by the data, support masks and weights of realisations."""

import contextlib
import warnings

import naive_hawkes
import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2

import hawkeys
from hawkeys._design import Design
from hawkeys._jit import decay_slope as jit_decay_slope
from hawkeys._loops.choice import compiled_only
from hawkeys._loops.decay_slope import decay_curvatures, log_decay_slopes
from hawkeys.exceptions import HawkeysWarning, IdentifiabilityWarning, InvalidParameterError
from hawkeys.kernels import Exponential
from hawkeys.results.decay_profile import DecayProfile

TRUTH = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)
SAMPLE = hawkeys.simulate(TRUTH, end_time=400.0, n_realizations=3, rng=4)


def total(sample, x, decay, weights):
    design = Design.build(sample, Exponential(decay), realization_weights=weights)
    return design.log_likelihood(x).sum()


def tied(sample, digits=1):
    """The same events with times rounded, so that many coincide."""
    lists = [[np.round(times, digits) for times in marks] for marks in sample.to_lists()]
    return hawkeys.Events.from_lists(lists, end_times=sample.end_times + 0.1)


CASES = {
    "plain": SAMPLE,
    "ties": tied(SAMPLE),
    "one event": hawkeys.Events.from_lists([[[1.0], []]], end_times=2.0),
    "no event": hawkeys.Events.from_lists([[[], []]], end_times=2.0),
    "huge gaps": hawkeys.Events.from_lists([[[1.0, 1e6], [1.5]]], end_times=2e6),
    "event at the end": hawkeys.Events.from_lists([[[1.0, 2.0], [2.0]]], end_times=2.0),
}


@pytest.mark.parametrize("case", CASES)
def test_slopes_are_those_of_differences(case):
    sample = CASES[case]
    rng = np.random.default_rng(1)
    decay = rng.uniform(0.3, 4.0, (2, 2))
    x = rng.uniform(0.1, 0.6, (2, 3))
    x[0, 2] = 0.0
    weights = np.arange(1.0, sample.n_realizations + 1.0)
    slopes = np.full((2, 2), np.nan)
    arrays = sample.times, sample.marks, sample.offsets
    log_decay_slopes(arrays, sample.end_times, weights, decay, x, slopes)
    step = 1e-5
    for i, j in np.ndindex(2, 2):
        up, down = decay.copy(), decay.copy()
        up[i, j] *= np.exp(step)
        down[i, j] *= np.exp(-step)
        change = total(sample, x, up, weights) - total(sample, x, down, weights)
        assert slopes[i, j] == pytest.approx(change / (2 * step), rel=1e-5, abs=1e-5)


def test_the_estimate_is_the_best_decay_there_is():
    result = hawkeys.fit(SAMPLE, decay="estimate")
    decay = float(result.kernel.decay)
    for factor in (0.9, 0.99, 1.01, 1.1):
        assert hawkeys.fit(SAMPLE, decay=decay * factor).objective < result.objective
    assert result.objective == hawkeys.fit(SAMPLE, decay=decay).objective
    lower, upper = result.decay_profile.interval()
    assert lower < 2.0 < upper
    assert lower < decay < upper


def test_the_interval_ends_where_the_profile_falls_by_the_quantile():
    result = hawkeys.fit(SAMPLE, decay="estimate")
    for end in result.decay_profile.interval(0.9):
        fall = 2.0 * (result.objective - hawkeys.fit(SAMPLE, decay=end).objective)
        # read off between the points tried
        assert fall == pytest.approx(chi2.ppf(0.9, 1), rel=0.02)


def test_the_kernel_counts_as_parameters():
    result = hawkeys.fit(SAMPLE, decay="estimate")
    given = hawkeys.fit(SAMPLE, decay=float(result.kernel.decay))
    assert result.n_parameters == given.n_parameters + 1
    assert result.aic == pytest.approx(given.aic + 2.0, abs=1e-9)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_the_unit_of_time_does_not_matter(unit):
    lists = [[times * unit for times in marks] for marks in SAMPLE.to_lists()]
    scaled = hawkeys.Events.from_lists(lists, end_times=SAMPLE.end_times * unit)
    one, other = (hawkeys.fit(events, decay="estimate") for events in (SAMPLE, scaled))
    assert float(other.kernel.decay) * unit == pytest.approx(float(one.kernel.decay), rel=1e-4)
    np.testing.assert_allclose(other.adjacency, one.adjacency, atol=1e-5)


def test_a_grid_chooses_the_best_candidate_and_keeps_the_profile(tmp_path):
    grid = [4.0, 0.5, 2.0, 1.0]
    result = hawkeys.fit(SAMPLE, decay_grid=grid)
    values = {decay: hawkeys.fit(SAMPLE, decay=decay).log_likelihood for decay in grid}
    assert float(result.kernel.decay) == max(values, key=values.get) == 2.0
    frame = result.decay_profile.to_frame()
    assert frame["decay"].tolist() == sorted(grid)
    assert frame["objective"].tolist() == [values[decay] for decay in sorted(grid)]
    assert frame["chosen"].tolist() == [False, False, True, False]
    result.save(tmp_path / "fit.json")
    again = hawkeys.load_result(tmp_path / "fit.json")
    np.testing.assert_array_equal(again.decay_profile.objective, result.decay_profile.objective)
    assert again.n_parameters == result.n_parameters


def test_candidates_may_differ_by_source_or_pair():
    grid = [[1.0, 4.0], [4.0, 1.0]]
    truth = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.3], [0.3, 0.3]], decay=[1.0, 4.0])
    sample = hawkeys.simulate(truth, end_time=2_000.0, rng=0)
    result = hawkeys.fit(sample, decay_grid=grid)
    np.testing.assert_array_equal(result.kernel.decay, [1.0, 4.0])
    assert result.n_kernel_parameters == 2


def test_cross_validation_prefers_what_predicts():
    many = hawkeys.simulate(TRUTH, end_time=60.0, n_realizations=20, rng=1)
    result = hawkeys.fit(
        many, decay_grid=[0.02, 2.0, 200.0], decay_selection="cross-validation", n_folds=4
    )
    assert float(result.kernel.decay) == 2.0
    fold = np.arange(20) % 4
    by_hand = 0.0
    for k in range(4):
        part = hawkeys.fit(many[fold != k], decay=2.0)
        by_hand += part.process.log_likelihood(many[fold == k])
    assert result.decay_profile.score[1] == pytest.approx(by_hand, rel=1e-12)


@pytest.mark.parametrize(("sharing", "shape"), [("source", (2,)), ("pair", (2, 2))])
def test_decays_of_their_own_reach_at_least_what_a_shared_one_does(sharing, shape):
    decays = np.array([0.7, 5.0]) if sharing == "source" else np.array([[0.7, 5.0], [3.0, 1.0]])
    truth = hawkeys.Hawkes([0.3, 0.3], [[0.3, 0.3], [0.3, 0.3]], decay=decays)
    sample = hawkeys.simulate(truth, end_time=4_000.0, rng=3)
    shared = hawkeys.fit(sample, decay="estimate")
    own = hawkeys.fit(sample, decay="estimate", decay_sharing=sharing)
    assert own.kernel.decay.shape == shape
    assert own.objective > shared.objective + 5.0
    np.testing.assert_allclose(own.kernel.decay, decays, rtol=0.5)
    # the gradient vanishes: no decay can gain by itself
    for index in np.ndindex(shape):
        for factor in (0.97, 1.03):
            other = own.kernel.decay.copy()
            other[index] *= factor
            assert hawkeys.fit(sample, decay=other).objective < own.objective + 1e-6


def test_estimates_cover_the_truth():
    """Profile intervals of 95 % hold the decay in about 95 % of 60 samples (binomial, 0.1 %)."""
    truth = hawkeys.Hawkes([0.5], [[0.5]], decay=1.5)
    held = 0
    for seed in range(60):
        sample = hawkeys.simulate(truth, end_time=400.0, rng=seed)
        lower, upper = hawkeys.fit(sample, decay="estimate").decay_profile.interval()
        held += lower < 1.5 < upper
    assert held >= 50


def test_a_decay_that_cannot_be_told_is_reported():
    poisson = hawkeys.simulate(hawkeys.Hawkes([1.0], [[0.0]], decay=1.0), end_time=50.0, rng=2)
    with pytest.warns(IdentifiabilityWarning, match="the decay is not identified"):
        hawkeys.fit(poisson, decay="estimate")


def test_map_estimates_decays_too():
    prior = hawkeys.GammaPrior(shape=1.5, rate=2.0)
    result = hawkeys.fit(SAMPLE, decay="estimate", method="map", prior=prior)
    decay = float(result.kernel.decay)
    for factor in (0.95, 1.05):
        other = hawkeys.fit(SAMPLE, decay=decay * factor, method="map", prior=prior)
        assert other.objective < result.objective


@pytest.mark.parametrize("kind", [np.array, tuple, pd.Series])
def test_a_grid_may_be_any_sequence(kind):
    assert hawkeys.fit(SAMPLE, decay_grid=kind([1.0, 2.0, 4.0])).kernel.decay == 2.0


def test_goodness_of_fit_estimates_the_decay_again():
    result = hawkeys.fit(SAMPLE, decay_grid=[1.0, 2.0, 4.0])
    gof = hawkeys.goodness_of_fit(result, SAMPLE, n_mc_samples=19, rng=0)
    assert 0.05 <= gof.pvalue <= 1.0


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decay": "guess"}, "decay must be one of 'estimate'; got 'guess'"),
        ({"decay": 1.0, "decay_grid": [1.0]}, "exactly one of decay, decay_grid and kernel"),
        ({"decay": 1.0, "decay_sharing": "pair"}, "decay_sharing need decay='estimate'"),
        ({"decay_grid": []}, "decay_grid is empty"),
        ({"decay_grid": 2.0}, "decay_grid must be a sequence of candidate decays; got 2.0"),
        ({"decay_grid": [1.0, 2.0], "decay_sharing": "pair"}, "'pair' is for decay='estimate'"),
        ({"decay_grid": [1.0, -2.0]}, r"decay_grid\[1\] must be positive"),
        ({"decay_grid": [[1.0, 2.0, 3.0]]}, r"arrays of one shape, \(n_marks,\)"),
        ({"decay": "estimate", "decay_sharing": "rows"}, "decay_sharing must be one of"),
        (
            {"decay": "estimate", "decay_selection": "cross-validation"},
            "compares candidates; give decay_grid",
        ),
        ({"decay": "estimate", "method": "vi"}, "with the methods 'mle' and 'map'; got 'vi'"),
    ],
)
def test_wrong_searches_are_refused(options, message):
    with pytest.raises(InvalidParameterError, match=message):
        hawkeys.fit(SAMPLE, **options)


def test_a_profile_of_arrays_has_no_interval():
    profile = DecayProfile(np.ones((1, 2)), np.zeros(1), np.zeros(1))
    with pytest.raises(InvalidParameterError, match=r"candidates have shape \(2,\) each"):
        profile.interval()


def test_the_profile_is_drawn_with_its_interval():
    from matplotlib.figure import Figure

    ax = Figure().subplots()
    assert hawkeys.fit(SAMPLE, decay="estimate").decay_profile.plot(ax) is ax
    assert ax.get_xscale() == "log"
    assert "95 % interval" in ax.get_title()


SUPPORT = np.array([[True, False], [False, True]])


@pytest.mark.parametrize("method", ["mle", "map", "vi"])
def test_outside_the_support_nothing_excites(method):
    result = hawkeys.fit(SAMPLE, decay=2.0, method=method, support=SUPPORT)
    assert (result.adjacency[~SUPPORT] == 0).all()
    assert not result.identified[:, 1:][~SUPPORT].any()
    free = hawkeys.fit(SAMPLE, decay=2.0, method=method)
    assert result.objective < free.objective
    # each mark alone is a problem of one mark
    for mark in range(2):
        alone = hawkeys.Events.from_lists(
            [[marks[mark]] for marks in SAMPLE.to_lists()], end_times=SAMPLE.end_times
        )
        one = hawkeys.fit(alone, decay=2.0, method=method)
        np.testing.assert_allclose(result.baseline[mark], one.baseline[0], rtol=1e-4)
        np.testing.assert_allclose(result.adjacency[mark, mark], one.adjacency[0, 0], rtol=1e-4)


def test_a_support_gives_no_warning_for_what_it_excludes(recwarn):
    hawkeys.fit(SAMPLE, decay=2.0, support=SUPPORT)
    assert not recwarn.list


def test_weights_of_whole_numbers_are_repetitions():
    lists, weights = SAMPLE.to_lists(), [2.0, 0.0, 1.0]
    repeated = hawkeys.Events.from_lists(
        [lists[0], lists[0], lists[2]], end_times=SAMPLE.end_times[[0, 0, 2]]
    )
    for method in ("mle", "map"):
        weighted = hawkeys.fit(SAMPLE, decay=2.0, weights=weights, method=method)
        plain = hawkeys.fit(repeated, decay=2.0, method=method)
        np.testing.assert_allclose(weighted.estimates, plain.estimates, atol=1e-5)
        assert weighted.objective == pytest.approx(plain.objective, rel=1e-9)


def test_the_likelihood_of_a_weighted_fit_is_that_of_the_data():
    result = hawkeys.fit(SAMPLE, decay=2.0, weights=[2.0, 0.5, 1.0])
    slow = naive_hawkes.log_likelihood(
        SAMPLE, result.baseline, result.adjacency, np.full((2, 2), 2.0)
    )
    assert result.log_likelihood == pytest.approx(slow, rel=1e-10)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"weights": [1.0]}, r"weights must have shape \(3,\)"),
        ({"weights": [1.0, -1.0, 1.0]}, "weights must not be negative"),
        ({"weights": [0.0, 0.0, 0.0]}, "weights are all 0"),
        ({"support": [[True]]}, r"support must .*\(2, 2\)"),
    ],
)
def test_wrong_weights_and_masks_are_refused(options, message):
    with pytest.raises(InvalidParameterError, match=message):
        hawkeys.fit(SAMPLE, decay=2.0, **options)


LIMITS = {
    "accelerating": ([[1, 4, 6, 7.5, 8.5, 9.2, 9.8]], 10.0, "no excitation"),
    "one burst": ([[1, 5, 5.0001, 5.0002, 5.0003]], 10.0, "burst"),
    "even": ([np.arange(1.0, 50.0)], 50.0, "no excitation"),
    "one event": ([[1.0]], 10.0, "no excitation"),
    "no event": ([[]], 10.0, "no excitation"),
}


@pytest.mark.parametrize("name", LIMITS)
def test_a_profile_without_maximum_gives_no_estimate(name, tmp_path):
    lists, end, limit = LIMITS[name]
    with pytest.warns(IdentifiabilityWarning, match="the decay is not identified: .* is held at"):
        result = hawkeys.fit(lists, decay="estimate", end_time=end)
    profile = result.decay_profile
    assert profile.limit == limit
    low, high = profile.bounds
    assert low == pytest.approx(1.0 / end)
    assert low * (1 - 1e-9) <= float(result.kernel.decay) <= high * (1 + 1e-9)
    assert profile.held(1).all()
    assert not result.identified[0, 1]
    assert result.process.spectral_radius < 10
    # no interval of what is not identified, and the numbers are those of the decay held
    assert np.isnan(result.std_err[0, 1])
    assert result.to_frame()["lower"].isna()[1]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentifiabilityWarning)  # there may be no event at all
        given = hawkeys.fit(lists, decay=float(result.kernel.decay), end_time=end)
    assert result.log_likelihood == pytest.approx(given.log_likelihood, abs=1e-9)
    np.testing.assert_allclose(result.adjacency, given.adjacency, rtol=1e-6)
    np.testing.assert_allclose(result.std_err[:, 0], given.std_err[:, 0], rtol=1e-6)
    assert result.aic >= given.aic
    assert "not identified: " in result.summary()
    result.save(tmp_path / "fit.json")
    again = hawkeys.load_result(tmp_path / "fit.json")
    assert (again.decay_profile.limit, again.decay_profile.bounds) == (limit, (low, high))


def test_the_profile_stays_within_what_the_data_can_tell():
    rng = np.random.default_rng(0)
    weeks = np.repeat(7.0 * np.arange(1, 523), rng.poisson(np.linspace(5, 34, 522)))
    samples = [([weeks], 7.0 * 523), ([1000.0 * np.sqrt(np.sort(rng.uniform(size=500)))], 1000.0)]
    for lists, end in samples:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HawkeysWarning)
            result = hawkeys.fit(lists, decay="estimate", end_time=end)
        profile = result.decay_profile
        assert profile.decays.min() >= profile.bounds[0] * (1 - 1e-9)
        assert profile.decays.max() <= profile.bounds[1] * (1 + 1e-9)
        assert result.process.spectral_radius < 2


@pytest.mark.parametrize("sharing", ["source", "pair"])
def test_decays_of_their_own_can_be_at_a_bound_alone(sharing):
    """Mark a becomes more frequent over time, which no mark's own decay describes; b is noise."""
    rng = np.random.default_rng(5)
    growing = 1000.0 * np.sqrt(np.sort(rng.uniform(size=600)))
    noise = np.sort(rng.uniform(0, 1000, 200))
    with pytest.warns(IdentifiabilityWarning, match="some decays are not identified: the smaller"):
        result = hawkeys.fit(
            [growing, noise], decay="estimate", decay_sharing=sharing, end_time=1000.0
        )
    held = result.decay_profile.held(2)
    assert result.decay_profile.limit == "trend"
    assert held.any()
    assert not held[0, 0]
    assert (result.kernel.decay_matrix(2)[held] <= 1.001e-3).all()
    assert (result.kernel.decay_matrix(2)[~held] > 1.001e-3).all()
    np.testing.assert_array_equal(result.identified[:, 1:], ~held)
    assert np.isnan(result.std_err[:, 1:][held]).all()


def test_an_estimate_in_a_wide_profile_is_warned_of_but_given():
    """The maximum is inside, if not clearly above an edge: the interval is open there."""
    for seed in range(40):
        sample = hawkeys.simulate(
            hawkeys.Hawkes([0.5], [[0.3]], decay=1.0), end_time=80.0, rng=seed
        )
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            result = hawkeys.fit(sample, decay="estimate")
        profile = result.decay_profile
        if profile.limit is None and caught:
            assert "its interval is open" in str(caught[0].message)
            assert result.identified.all()
            lower, upper = profile.interval()
            assert lower == 0.0 or upper == np.inf
            break
    else:
        pytest.fail("no such profile among the samples")


def test_refits_and_resamples_keep_to_the_bounds():
    sample = hawkeys.simulate(hawkeys.Hawkes([1.0], [[0.0]], decay=1.0), end_time=40.0, rng=5)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentifiabilityWarning)
        result = hawkeys.fit(sample, decay="estimate")
    gof = hawkeys.goodness_of_fit(result, sample, n_mc_samples=19, rng=0)
    assert np.isfinite(gof.null[:, 0, 0]).all()
    assert gof.failures == ()
    boot = hawkeys.inference.bootstrap(result, sample, n_replicates=19, rng=0, kind="parametric")
    assert np.nanmax(boot.replicates) < 10


@pytest.mark.parametrize("sharing", ["source", "pair"])
def test_a_decay_without_excitation_at_the_start_is_not_stuck_there(sharing):
    """At the best shared decay mark b excites nothing; at one of its own it does."""
    a = [3.52854, 12.72321, 14.05986, 16.18461, 17.12107, 18.27415, 20.38484, 29.08361, 31.77986,
         34.94042, 35.86805, 36.25741, 38.91644, 39.19918, 50.22749, 51.60822]  # fmt: skip
    b = [13.35884, 32.0466, 47.84537, 49.19169, 62.31377]
    events = hawkeys.Events.from_lists([[a, b], [[], [3.58165]]], end_times=66.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentifiabilityWarning)
        result = hawkeys.fit(events, decay="estimate", decay_sharing=sharing)
        shared = hawkeys.fit(events, decay="estimate")
        assert shared.adjacency[:, 1].max() == 0.0
        assert result.adjacency[:, 1].max() > 0.1
        low, high = result.decay_profile.bounds
        decays = result.kernel.decay.copy()
        for index in np.ndindex(decays.shape):
            for decay in np.geomspace(low, high, 15):
                other = decays.copy()
                other[index] = decay
                assert hawkeys.fit(events, decay=other).objective < result.objective + 1e-4


def curvatures_by_differences(sample, x, decay, weights, step=1e-3):
    """Minus the second derivatives by (row of x, log decays), from the log-likelihood alone."""
    n_x, size = x.shape[1], decay.size

    def value(i, move):
        there = x.copy()
        there[i] += move[:n_x]
        moved = decay * np.exp(move[n_x:].reshape(decay.shape))
        full = np.broadcast_to(moved, (2, 2))
        return Design.build(
            sample, Exponential(full), realization_weights=weights
        ).log_likelihood(there)[i]  # fmt: skip

    out = []
    for i in range(len(x)):
        steps = step * np.eye(n_x + size)
        out.append(
            [
                [
                    value(i, a - b) + value(i, b - a) - value(i, a + b) - value(i, -a - b)
                    for b in steps
                ]
                for a in steps
            ]
        )
    return np.array(out) / (4.0 * step**2)


@pytest.mark.parametrize("shape", [(), (2,), (2, 2)])
@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("case", CASES)
def test_curvatures_are_those_of_differences(case, small, shape):
    sample = CASES[case]
    rng = np.random.default_rng(3)
    decay = np.asarray(rng.uniform(0.5, 2.0, shape))
    x = rng.uniform(0.2, 0.6, (2, 3))
    weights = rng.uniform(0.5, 1.5, sample.n_realizations)
    arrays = sample.times, sample.marks, sample.offsets
    with contextlib.nullcontext() if small else compiled_only():
        slopes, mixed, own = decay_curvatures(arrays, sample.end_times, weights, decay, x)
    full = np.array(np.broadcast_to(decay, (2, 2)))
    expected = np.empty((2, 2))
    log_decay_slopes(arrays, sample.end_times, weights, full, x, expected)
    np.testing.assert_allclose(slopes, expected, rtol=1e-10, atol=1e-12)
    found = curvatures_by_differences(sample, x, decay, weights)
    for i in range(2):
        # of a matrix, a row's own decays
        picked = slice(None) if decay.ndim < 2 else slice(2 * i, 2 * i + 2)
        scale = 1.0 + np.abs(found[i]).max()
        np.testing.assert_allclose(mixed[i], found[i][:3, 3:][:, picked], atol=2e-5 * scale)
        np.testing.assert_allclose(own[i], found[i][3:, 3:][picked, picked], atol=2e-5 * scale)


def test_what_is_zero_changes_with_no_decay():
    x = np.array([[0.4, 0.0, 0.1], [0.2, 0.3, 0.0]])
    arrays = SAMPLE.times, SAMPLE.marks, SAMPLE.offsets
    slopes, _, own = decay_curvatures(arrays, SAMPLE.end_times, np.ones(3), np.ones(2), x)
    assert slopes[0, 0] == slopes[1, 1] == 0.0
    assert (own[0][0] == 0.0).all()
    assert (own[1][:, 1] == 0.0).all()
    assert own[0][1, 1] != 0.0


# of more events than exponentials are taken at once
LONG = hawkeys.simulate(TRUTH, end_time=1_000.0, n_realizations=2, rng=5)


def curvatures_alone_by_definition(sample, x, b, weights):
    """Slope, mixed and own curvature of one mark, from the sums over all pairs of events."""
    baseline, effect = x[0]
    slope, mixed, own = 0.0, np.zeros(2), 0.0
    for r, weight in enumerate(weights):
        times = sample.times[sample.offsets[r] : sample.offsets[r + 1]]
        lags = times[:, None] - times
        with np.errstate(over="ignore"):
            fade = np.where(lags > 0, np.exp(-b * np.maximum(lags, 0.0)), 0.0)
        u = b * np.maximum(lags, 0.0)
        c, c1, c2 = (b * (fade * part).sum(axis=1) for part in (1.0, 1.0 - u, 1.0 - 3.0 * u + u**2))
        rate = baseline + effect * c
        paid = b * (sample.end_times[r] - times)
        cost, more = paid * np.exp(-paid), paid * (1.0 - paid) * np.exp(-paid)
        slope += weight * effect * ((c1 / rate).sum() - cost.sum())
        pushed = effect * c1 / rate**2
        mixed += weight * np.array([pushed.sum(), (c * pushed - c1 / rate).sum() + cost.sum()])
        own += weight * ((pushed * effect * c1).sum() - effect * (c2 / rate).sum())
        own += weight * effect * more.sum()
    return slope, mixed, own


@pytest.mark.parametrize("small", [True, False])
@pytest.mark.parametrize("baseline", [0.4, 0.0])
@pytest.mark.parametrize("case", [*CASES, "long"])
def test_curvatures_of_a_single_mark_are_those_of_the_definition(case, baseline, small):
    """Also over several chunks of exponentials, and where nothing excites an event."""
    whole = LONG if case == "long" else CASES[case]
    sample = hawkeys.Events.from_arrays(
        whole.times, np.zeros_like(whole.marks),
        offsets=whole.offsets, end_times=whole.end_times, n_marks=1,
    )  # fmt: skip
    x, b = np.array([[baseline, 0.7]]), 1.3
    weights = np.linspace(0.5, 1.5, sample.n_realizations)
    arrays = sample.times, sample.marks, sample.offsets
    with contextlib.nullcontext() if small else compiled_only():
        found = decay_curvatures(arrays, sample.end_times, weights, np.asarray(b), x)
    if baseline:
        expected = curvatures_alone_by_definition(sample, x, b, weights)
        for one, other in zip(found, expected, strict=True):
            np.testing.assert_allclose(one.ravel(), np.ravel(other), rtol=1e-10, atol=1e-10)
    else:  # an event of rate 0 has no derivative, and is left out
        several = jit_decay_slope.decay_curvatures
        out = np.zeros((1, 1)), np.zeros((1, 2, 1)), np.zeros((1, 1, 1))
        several(arrays, sample.end_times, weights, np.array([[b]]), x, out, (0, 1))
        for one, other in zip(found, out, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-10, atol=1e-10)
