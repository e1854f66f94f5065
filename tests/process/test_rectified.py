"""Processes with inhibition: exact likelihood, simulation, maximum likelihood."""

import json
import math
import warnings

import naive_rectified as naive
import numpy as np
import pytest
from matplotlib.figure import Figure
from naive_hawkes import realizations
from scipy.optimize import minimize

import hawkeys
from hawkeys._jit import rectified as jit
from hawkeys.diagnostics.residual_tests import TESTS, scopes_of
from hawkeys.diagnostics.time_rescaling import rescale
from hawkeys.exceptions import (
    ConvergenceWarning,
    IdentifiabilityWarning,
    InvalidEventsError,
    InvalidParameterError,
    ResultFileError,
    UnstableProcessError,
)
from hawkeys.process.rectified import row_terms

DECAY = np.array([2.0, 0.7])
TRUTH = hawkeys.RectifiedHawkes(
    [1.0, 0.8], [[0.3, -0.7], [0.4, -0.2]], decay=DECAY, mark_names="ab"
)


@pytest.fixture(scope="module")
def sample():
    return hawkeys.simulate_rectified(TRUTH, end_time=[400.0, 250.0], start_time=[0.0, 30.0], rng=2)


def small(rng, n_marks=2):
    """Two short windows that start late, with ties; the last mark is silent."""
    lists = [
        [np.sort(rng.uniform(3.0, 9.0, 5).round(1)) for _ in range(n_marks)] + [[]]
        for _ in range(2)
    ]
    return hawkeys.Events.from_lists(lists, start_times=[2.0, 1.0], end_times=[9.0, 12.0])


EDGES = [
    hawkeys.Events.from_lists([[[], []]], end_times=3.0),
    hawkeys.Events.from_lists([[[1.0], []]], end_times=3.0),
    hawkeys.Events.from_lists([[[0.0, 1.0, 1.0, 3.0], [1.0, 3.0]]], end_times=3.0),
    hawkeys.Events.from_lists([[[1.0, 900.0], [1.5]]], end_times=1000.0),
    hawkeys.Events.from_lists([[[1.0, 2.0], [1.5]], [[], []], [[0.5], [0.4]]], end_times=4.0),
]


@pytest.mark.parametrize("events", EDGES)
def test_log_likelihood_equals_quadrature(events):
    for adjacency in ([[0.2, -0.5], [-3.0, 0.4]], [[-0.1, 0.0], [0.3, 0.2]]):
        process = hawkeys.RectifiedHawkes([1.0, 0.5], adjacency, decay=DECAY)
        expected = naive.log_likelihood(events, process.baseline, process.adjacency, DECAY)
        assert process.log_likelihood(events) == pytest.approx(expected, rel=1e-8)


def test_log_likelihood_with_weights_and_late_windows():
    rng = np.random.default_rng(0)
    weights = np.array([0.5, 2.0])
    finite = 0
    for _ in range(6):
        events = small(rng)
        theta = np.array([1.5, *rng.normal(-0.2, 0.4, 3), 2.0])
        value, _, _ = row_terms(events, 0, theta, weights)
        expected = naive.row_log_likelihood(events, 0, theta[0], theta[1:-1], 2.0, weights)
        assert value == pytest.approx(expected, rel=1e-8)
        finite += math.isfinite(value)
    assert finite >= 2


def test_without_inhibition_it_is_the_linear_process(sample):
    decay = np.tile(DECAY[:, None], (1, 2))
    adjacency = [[0.3, 0.1], [0.2, 0.0]]
    linear = hawkeys.Hawkes([0.5, 0.4], adjacency, decay=decay)
    process = hawkeys.RectifiedHawkes([0.5, 0.4], adjacency, decay=decay)
    assert process.log_likelihood(sample) == pytest.approx(linear.log_likelihood(sample), rel=1e-12)
    times = np.random.default_rng(0).uniform(30.0, 250.0, 50)
    for name in ("intensity", "compensator"):
        ours, theirs = (getattr(p, name)(sample, times, realization=1) for p in (process, linear))
        np.testing.assert_allclose(ours, theirs, rtol=1e-10)
    assert process.spectral_radius == pytest.approx(linear.spectral_radius)


def test_intensity_and_compensator(sample):
    events = sample[1]
    times = np.array([31.0, 30.0, 34.5, 33.0, events.times[3]])
    intensity = TRUTH.intensity(events, times)
    compensator = TRUTH.compensator(events, times)
    when, marks, start, _ = next(realizations(events))
    early = slice(0, 40)
    for i in range(2):
        row = (TRUTH.baseline[i], TRUTH.adjacency[i], DECAY[i])
        path = (when[early], marks[early])
        expected = [max(0.0, naive.underlying(*path, *row, t)) for t in times]
        np.testing.assert_allclose(intensity[:, i], expected, atol=1e-12)
        expected = [naive.integral(*path, *row, start, t) for t in times]
        np.testing.assert_allclose(compensator[:, i], expected, atol=1e-9)
    assert (TRUTH.intensity(events, np.linspace(30, 250, 2000))[:, 0] == 0).mean() > 0.1


def test_gradient_and_curvature_by_differences():
    rng = np.random.default_rng(3)
    weights = np.array([0.5, 2.0])
    compared = 0
    for _ in range(12):
        events = small(rng)
        theta = np.array([1.5, *rng.normal(-0.2, 0.3, 3), 2.0])
        value, gradient, curvature = row_terms(events, 0, theta, weights)
        if not math.isfinite(value):
            continue
        steps = 1e-6 * np.eye(theta.size)
        ends = [[row_terms(events, 0, theta + s * h, weights) for s in (1, -1)] for h in steps]
        slope = [(up[0] - down[0]) / 2e-6 for up, down in ends]
        np.testing.assert_allclose(gradient, slope, atol=1e-6)
        bend = [-(up[1] - down[1])[:-1] / 2e-6 for up, down in ends[:-1]]
        np.testing.assert_allclose(curvature, bend, atol=1e-6)
        assert np.linalg.eigvalsh(curvature).min() > -1e-10
        compared += 1
    assert compared >= 4


def test_impossible_events():
    events = hawkeys.Events.from_lists([[[1.0, 1.01]]], end_times=3.0)
    process = hawkeys.RectifiedHawkes([1.0], [[-2.0]], decay=2.0)
    assert process.log_likelihood(events) == -math.inf
    silent = hawkeys.RectifiedHawkes([0.0], [[-2.0]], decay=2.0)  # never comes back
    assert silent.compensator(events, [3.0])[0, 0] == 0.0
    assert silent.log_likelihood(events) == -math.inf


def test_simulation_equals_naive_thinning():
    draws = np.random.default_rng(5)
    times, marks = np.empty(500), np.empty(500, dtype=np.int64)
    parameters = (TRUTH.baseline, TRUTH.adjacency, TRUTH.decay)
    n = jit.simulate_events(draws, np.array([0.0, 40.0]), *parameters, np.zeros(2), times, marks)
    when, which = naive.simulate_events(np.random.default_rng(5), 40.0, *parameters)
    np.testing.assert_allclose(times[:n], when, rtol=1e-10)
    assert marks[:n].tolist() == which


def test_simulation_goes_on_when_a_buffer_is_full():
    parameters = (TRUTH.baseline, TRUTH.adjacency, TRUTH.decay)
    clock, excess, found = np.array([0.0, 40.0]), np.zeros(2), []
    draws = np.random.default_rng(5)
    while clock[0] < clock[1]:
        times, marks = np.empty(7), np.empty(7, dtype=np.int64)
        n = jit.simulate_events(draws, clock, *parameters, excess, times, marks)
        found.extend(times[:n])
    expected = hawkeys.simulate_rectified(TRUTH, end_time=40.0, rng=5)
    np.testing.assert_array_equal(found, expected.times)
    assert expected.mark_names == ("a", "b")


def test_simulation_windows():
    sample = hawkeys.simulate_rectified(TRUTH, start_time=[5.0, 1.7e9], end_time=[9.0, 1.7e9 + 5.0],
                                        rng=0)  # fmt: skip
    assert sample.n_realizations == 2
    assert (sample.times >= sample.start_times[sample.realization]).all()
    nothing = hawkeys.RectifiedHawkes([0.0], [[0.5]], decay=1.0)
    assert hawkeys.simulate_rectified(nothing, end_time=9.0, rng=0).n_events == 0
    growing = hawkeys.RectifiedHawkes([1.0], [[3.0]], decay=1.0)
    with pytest.raises(UnstableProcessError, match="spectral radius of its positive"):
        hawkeys.simulate_rectified(growing, end_time=1e4, rng=0, max_events=1000)
    with pytest.raises(InvalidParameterError, match="RectifiedHawkes process, got Hawkes"):
        hawkeys.simulate_rectified(hawkeys.Hawkes([1.0], [[0.5]], decay=1.0), end_time=1.0)


def test_residuals_are_exponential(sample):
    rescaled = rescale(TRUTH, sample)
    assert rescaled.totals == pytest.approx(rescaled.counts.sum(axis=0), rel=0.1)
    pvalues = [
        test.asymptotic(test.statistic(scope), scope)
        for scope in scopes_of(rescaled)
        for test in TESTS[:2]
    ]
    assert min(pvalues) > 0.01
    wrong = hawkeys.RectifiedHawkes(TRUTH.baseline, TRUTH.adjacency.T, decay=DECAY)
    scope = scopes_of(rescale(wrong, sample))[0]
    assert TESTS[0].asymptotic(TESTS[0].statistic(scope), scope) < 1e-6


def test_residuals_equal_those_of_the_linear_process(sample):
    decay = np.tile(DECAY[:, None], (1, 2))
    pair = ([0.5, 0.4], [[0.3, 0.1], [0.2, 0.0]])
    ours = rescale(hawkeys.RectifiedHawkes(*pair, decay=decay), sample)
    theirs = rescale(hawkeys.Hawkes(*pair, decay=decay), sample)
    np.testing.assert_allclose(ours.times, theirs.times, rtol=1e-9)
    np.testing.assert_allclose(ours.expected, theirs.expected, rtol=1e-10)


def test_goodness_of_fit(sample, tmp_path):
    found = hawkeys.fit_rectified(sample, decay=DECAY)
    right = hawkeys.goodness_of_fit(found, sample, n_mc_samples=49)
    assert right.pvalue > 0.05
    assert right.parameters == "re-fitted by rectified mle"
    assert "RectifiedHawkes" in repr(right.process)
    of_process = hawkeys.goodness_of_fit(found.process, sample, n_mc_samples=9)
    np.testing.assert_allclose(of_process.null, right.null[:9], rtol=1e-6)
    found.save(tmp_path / "fit.json")
    read = hawkeys.goodness_of_fit(
        hawkeys.load_result(tmp_path / "fit.json"), sample, n_mc_samples=9
    )
    np.testing.assert_allclose(read.null, of_process.null, rtol=1e-6)


def test_goodness_of_fit_sees_missing_inhibition():
    """Silence after every event: the linear process can only be Poisson, and that is refused."""
    truth = hawkeys.RectifiedHawkes([1.0], [[-3.0]], decay=1.0)
    sample = hawkeys.simulate_rectified(truth, end_time=500.0, rng=2)
    linear = hawkeys.fit(sample, decay=1.0)
    assert hawkeys.goodness_of_fit(linear, sample, n_mc_samples=49).pvalue <= 0.02
    fitted = hawkeys.fit_rectified(sample, decay=1.0)
    assert hawkeys.goodness_of_fit(fitted, sample, n_mc_samples=49).pvalue > 0.05


def test_goodness_of_fit_with_estimated_decays(sample):
    found = hawkeys.fit_rectified(sample, decay="estimate")
    gof = hawkeys.goodness_of_fit(found, sample, n_mc_samples=9)
    held = hawkeys.goodness_of_fit(found.process, sample, n_mc_samples=9, refit=False)
    assert gof.pvalue > 0.05
    assert (gof.null[:, 0, 0] < held.null[:, 0, 0]).mean() > 0.5  # fitting takes some of it away


def test_goodness_of_fit_refuses_another_fit(sample):
    with pytest.raises(InvalidParameterError, match="not the maximum-likelihood fit"):
        hawkeys.goodness_of_fit(TRUTH, sample)
    other = hawkeys.simulate_rectified(TRUTH, end_time=100.0, rng=5)
    with pytest.raises(InvalidParameterError, match="fitted to other events"):
        hawkeys.goodness_of_fit(hawkeys.fit_rectified(other, decay=DECAY), sample)


def test_fit_is_the_global_maximum(sample):
    """No start, sign-flipped ones included, climbs higher: the likelihood is concave."""
    result = hawkeys.fit_rectified(sample, decay=DECAY)
    linear = hawkeys.fit(sample, decay=np.tile(DECAY[:, None], (1, 2)))
    assert result.converged
    assert result.gradient_norm < 1e-5
    assert (np.diff(result.trace) > 0).all()
    assert result.log_likelihood > linear.log_likelihood + 100  # inhibition is strong here
    assert result.log_likelihood == pytest.approx(result.process.log_likelihood(sample), rel=1e-12)
    weights = np.ones(2)
    total = 0.0
    for i in range(2):

        def loss(x, i=i):
            value, gradient, _ = row_terms(sample, i, np.append(x, DECAY[i]), weights)
            return (-value, -gradient[:-1]) if math.isfinite(value) else (1e10, 0 * x)

        row = linear.adjacency[i]
        starts = [[linear.baseline[i], *row], [3.0, *(-0.1 * row)], [2.0, -0.1, 0.3]]
        bounds = [(0, None), (None, None), (None, None)]
        found = [minimize(loss, s, jac=True, method="L-BFGS-B", bounds=bounds).fun for s in starts]
        total -= min(found)
    assert total <= result.log_likelihood + 1e-7
    assert total == pytest.approx(result.log_likelihood, abs=1e-3)


def test_fit_without_inhibition_equals_the_linear_fit():
    truth = hawkeys.Hawkes([0.5, 0.4], [[0.4, 0.2], [0.2, 0.3]], decay=2.0)
    events = hawkeys.simulate(truth, end_time=1000.0, rng=0)
    linear = hawkeys.fit(events, decay=2.0)
    ours = hawkeys.fit_rectified(events, decay=2.0)
    np.testing.assert_allclose(ours.estimates, linear.estimates, atol=1e-4)
    np.testing.assert_allclose(ours.std_err, linear.std_err, rtol=1e-3)
    assert ours.log_likelihood == pytest.approx(linear.log_likelihood, abs=1e-6)


@pytest.mark.parametrize("seed", range(8))
def test_never_worse_than_the_linear_fit(seed):
    rng = np.random.default_rng(seed)
    size = int(rng.integers(1, 4))
    truth = hawkeys.RectifiedHawkes(
        rng.uniform(0.2, 1.0, size), rng.normal(-0.2, 0.4, (size, size)), decay=1.5
    )
    events = hawkeys.simulate_rectified(truth, end_time=20.0, n_realizations=3, rng=seed)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentifiabilityWarning)
        linear = hawkeys.fit(events, decay=1.5)
        ours = hawkeys.fit_rectified(events, decay=1.5)
        free = hawkeys.fit_rectified(events, decay=1.5, support=np.zeros((size, size)))
    assert ours.converged
    assert ours.log_likelihood >= linear.log_likelihood - 1e-6
    assert (free.adjacency == 0).all()
    assert free.baseline == pytest.approx(events.counts.sum(axis=0) / 60.0)


def study(end_time, n_windows):
    """Return deviations from the truth, standard errors and coverage over simulated windows."""
    true = np.column_stack((TRUTH.baseline, TRUTH.adjacency))
    deviations, claimed, inside = [], [], []
    for seed in range(n_windows):
        events = hawkeys.simulate_rectified(TRUTH, end_time=end_time, rng=seed)
        result = hawkeys.fit_rectified(events, decay=DECAY)
        lower, upper = result.conf_int()
        deviations.append(result.estimates - true)
        claimed.append(result.std_err)
        inside.append((lower <= true) & (true <= upper))
    return np.array(deviations), np.array(claimed), np.mean(inside, axis=0)


def test_recovery():
    """Long windows: the mean is within 3 of its standard errors (the bias falls as 1 / T)."""
    deviations, _, _ = study(2400.0, 50)
    spread = deviations.std(axis=0, ddof=1)
    assert (np.abs(deviations.mean(axis=0)) < 3 * spread / math.sqrt(50)).all()


def test_coverage():
    """About 470 events: 95 % Wald intervals cover in 90 to 99 % of 200 simulations."""
    deviations, claimed, inside = study(300.0, 200)
    np.testing.assert_allclose(claimed.mean(axis=0), deviations.std(axis=0), rtol=0.15)
    assert (inside > 0.90).all()
    assert (inside < 0.99).all()


def test_decays_are_estimated(sample):
    result = hawkeys.fit_rectified(sample, decay="estimate")
    held = hawkeys.fit_rectified(sample, decay=DECAY)
    assert result.decay_estimated
    assert not held.decay_estimated
    assert result.log_likelihood >= held.log_likelihood
    assert 2 * (result.log_likelihood - held.log_likelihood) < 13.8  # chi-square(2) at 0.1 %
    _, gradient, _ = row_terms(
        sample, 0, np.array([*result.estimates[0], result.decay[0]]), np.ones(2)
    )
    assert abs(gradient[-1]) < 1e-2  # nats per unit of decay
    assert result.n_parameters == held.n_parameters + 2
    assert (result.std_err >= held.std_err * 0.9).all()
    frame = result.to_frame()
    assert frame["parameter"].tolist() == ["baseline"] * 2 + ["adjacency"] * 4 + ["decay"] * 2
    last = frame.tail(2)
    np.testing.assert_allclose(last["lower"] * last["upper"], last["estimate"] ** 2)
    assert np.isnan(held.decay_std_err).all()


def uniform_times(seed, n, power=1.0):
    return 100.0 * np.sort(np.random.default_rng(seed).uniform(0.0, 1.0, n) ** power)


LIMITS = {
    # (times, end of the window, part of the message, whether the influence is left out)
    "one event": ([1.0], 3.0, "gains less than 1.92 nats over none", True),
    "seven events": ([1, 4, 6, 7.5, 8.5, 9.2, 9.8], 10.0, "fastest that the lags", False),
    "trend": (uniform_times(0, 30, 0.5), 100.0, "slowest that the windows", True),
    "steep trend": (uniform_times(0, 400, 0.2), 100.0, "told from the slowest", False),
    "no influence": (uniform_times(1, 60), 100.0, "gains less than 1.92", True),
}


@pytest.mark.parametrize("case", LIMITS)
def test_a_decay_at_the_edge_is_no_estimate(case):
    times, end, text, left_out = LIMITS[case]
    with pytest.warns(IdentifiabilityWarning, match=text) as told:
        result = hawkeys.fit_rectified([times], decay="estimate", end_time=end)
    assert len(told) == 1
    assert text in result.message
    assert not result.decay_identified.any()
    assert result.identified.tolist() == [[True, False]]
    assert np.isnan(result.std_err[0, 1])
    assert np.isnan(result.decay_std_err).all()
    assert np.isfinite(result.estimates).all()
    if left_out:
        assert result.adjacency.tolist() == [[0.0]]
        assert result.baseline[0] == pytest.approx(len(times) / end)
        constant = len(times) * (np.log(len(times) / end) - 1.0)
        assert result.log_likelihood == pytest.approx(constant)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_unit_of_time(sample, unit):
    plain = hawkeys.fit_rectified(sample, decay=DECAY)
    events = hawkeys.Events.from_arrays(
        sample.times * unit, sample.marks, offsets=sample.offsets,
        start_times=sample.start_times * unit, end_times=sample.end_times * unit,
    )  # fmt: skip
    scaled = hawkeys.fit_rectified(events, decay=DECAY / unit)
    np.testing.assert_allclose(scaled.adjacency, plain.adjacency, rtol=1e-5)
    np.testing.assert_allclose(scaled.baseline * unit, plain.baseline, rtol=1e-5)
    expected = plain.log_likelihood - sample.n_events * math.log(unit)
    assert scaled.log_likelihood == pytest.approx(expected, rel=1e-9)


def test_late_window(sample):
    plain = hawkeys.fit_rectified(sample, decay=DECAY)
    shift = 2.0**31
    events = hawkeys.Events.from_arrays(
        sample.times + shift, sample.marks, offsets=sample.offsets,
        start_times=sample.start_times + shift, end_times=sample.end_times + shift,
    )  # fmt: skip
    late = hawkeys.fit_rectified(events, decay=DECAY)
    np.testing.assert_allclose(late.estimates, plain.estimates, rtol=1e-4)


def test_weights(sample):
    twice = hawkeys.fit_rectified(sample[[0, 0, 1]], decay=DECAY)
    weighted = hawkeys.fit_rectified(sample, decay=DECAY, weights=[2.0, 1.0])
    np.testing.assert_allclose(weighted.estimates, twice.estimates, atol=1e-5)
    assert weighted.log_likelihood == pytest.approx(weighted.process.log_likelihood(sample))
    alone = hawkeys.fit_rectified(sample, decay=DECAY, weights=[0.0, 1.0])
    own = hawkeys.fit_rectified(sample[1], decay=DECAY)
    np.testing.assert_allclose(alone.estimates, own.estimates, atol=1e-5)


def test_silent_marks():
    events = hawkeys.Events.from_lists([[[1.0, 2.0, 2.2, 6.0], []]], end_times=8.0)
    with pytest.warns(IdentifiabilityWarning, match="adjacency.0, 1."):
        result = hawkeys.fit_rectified(events, decay=1.0)
    assert result.converged
    assert result.identified.tolist() == [[True, True, False], [True, False, False]]
    assert result.at_bound.tolist() == [[False, False, False], [True, False, False]]
    assert np.isnan(result.std_err[1]).all()
    assert np.isnan(result.std_err[0, 2])
    assert np.isfinite(result.std_err[0, :2]).all()
    assert "not identified" in result.summary()
    nothing = hawkeys.Events.from_lists([[[], []]], end_times=8.0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentifiabilityWarning)
        assert (hawkeys.fit_rectified(nothing, decay=1.0).baseline == 0).all()
        assert hawkeys.fit_rectified(nothing, decay="estimate").log_likelihood == 0


def test_inhibition_without_limit():
    """No event of a follows that of b: the adjacency ends at the strongest value tried."""
    events = hawkeys.Events.from_lists([[np.arange(1.0, 50.0), [50.5]]], end_times=100.0)
    result = hawkeys.fit_rectified(events, decay=1.0)
    assert result.converged
    assert result.adjacency[0, 1] == -1e6
    assert result.at_bound[0].tolist() == [False, False, True]
    assert np.isnan(result.std_err[0, 2])
    assert np.isfinite(result.std_err[0, :2]).all()
    assert result.process.intensity(events, [60.0])[0, 0] == 0.0


def test_result(sample, tmp_path):
    result = hawkeys.fit_rectified(sample, decay=DECAY, support=[[1, 1], [0, 1]])
    assert result.n_parameters == 5
    assert result.aic == pytest.approx(10 - 2 * result.log_likelihood)
    assert result.bic == pytest.approx(5 * math.log(sample.n_events) - 2 * result.log_likelihood)
    frame = result.to_frame(level=0.9)
    linear = hawkeys.fit(sample, decay=1.0).to_frame()
    assert frame.columns.tolist() == linear.columns.tolist()
    assert frame[["parameter", "target"]].equals(linear[["parameter", "target"]])
    assert frame["identified"].tolist() == [True, True, True, True, False, True]
    assert np.isnan(frame.loc[4, "std_err"])
    text = result.summary()
    assert text.startswith("Hawkes process with inhibition")
    assert max(map(len, text.splitlines())) <= 100
    assert len(repr(result)) < 120
    path = tmp_path / "fit.json"
    result.save(path)
    again = hawkeys.load_result(path)
    assert again.summary() == text
    np.testing.assert_array_equal(again.information, result.information)
    estimated = hawkeys.fit_rectified(sample[1], decay="estimate")
    estimated.save(path)
    assert hawkeys.load_result(path).to_frame().equals(estimated.to_frame())


def test_plots(sample):
    result = hawkeys.fit_rectified(sample, decay=DECAY)
    figure = Figure()
    ax = result.plot_adjacency(ax=figure.subplots())
    image = ax.images[0]
    assert image.norm.vmin == -image.norm.vmax == result.adjacency.min()
    assert figure.axes[1].get_ylabel() == "influence"
    process = result.process
    ax = hawkeys.plotting.plot_intensity(process, sample, window=(0, 9), ax=Figure().subplots())
    times, rates = ax.lines[0].get_data()
    np.testing.assert_allclose(rates, process.intensity(sample, times)[:, 0])


def test_bad_files(sample, tmp_path):
    path = tmp_path / "fit.json"
    hawkeys.fit_rectified(sample, decay=DECAY).save(path)
    record = json.loads(path.read_text())
    del record["trace"]
    path.write_text(json.dumps(record))
    with pytest.raises(ResultFileError, match="lacks the field 'trace'"):
        hawkeys.load_result(path)
    record["trace"], record["process"]["baseline"] = [0.0], [-1.0, 1.0]
    path.write_text(json.dumps(record))
    with pytest.raises(ResultFileError, match="field process: baseline must not be negative"):
        hawkeys.load_result(path)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1.0], [[0.5, 0.1]], 1.0), "adjacency must be a square matrix"),
        (([-1.0], [[0.5]], 1.0), "baseline must not be negative"),
        (([1.0, 1.0], [[0.5]], 1.0), "one rate per mark of the adjacency"),
        (([1.0], [[np.nan]], 1.0), "every value must be finite"),
        (([1.0], [[0.5]], 0.0), "decay must be positive"),
        (([1.0], [[0.5]], [1.0, 2.0]), "one per target mark"),
        (([1.0, 1.0], np.eye(2), [[1.0, 2.0], [1.0, 1.0]]), "same for all sources of a target"),
        (([1.0, 1.0], np.eye(2), np.ones((2, 3))), "target by source"),
    ],
)
def test_bad_parameters(arguments, message):
    baseline, adjacency, decay = arguments
    with pytest.raises(InvalidParameterError, match=message):
        hawkeys.RectifiedHawkes(baseline, adjacency, decay=decay)


def test_bad_questions(sample):
    with pytest.raises(InvalidEventsError, match="the events have 2 marks, the process has 1"):
        hawkeys.RectifiedHawkes([1.0], [[0.5]], decay=1.0).log_likelihood(sample)
    with pytest.raises(InvalidParameterError, match="end_time is missing"):
        TRUTH.log_likelihood([[1.0], [2.0]])
    with pytest.raises(InvalidParameterError, match=r"realization must lie in 0\.\.1; got 2"):
        TRUTH.intensity(sample, [1.0], realization=2)
    with pytest.raises(InvalidParameterError, match=r"lie in the window \[30\.0, 250\.0\]"):
        TRUTH.compensator(sample, [1.0], realization=1)
    with pytest.raises(InvalidParameterError, match=r"hawkeys\.NonlinearHawkes process, got int"):
        rescale(3, sample)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"decay": "guess"}, "or 'estimate'; got 'guess'"),
        ({"decay": -1.0}, "decay must be positive"),
        ({"decay": 1.0, "support": [[1, 0]]}, "support must have shape"),
        ({"decay": 1.0, "weights": [0.0, 0.0]}, "weights are all 0"),
        ({"decay": 1.0, "tolerance": 0.0}, "tolerance must be one positive number"),
        ({"decay": 1.0, "max_iter": 0}, "max_iter must be at least 1"),
        ({"decay": 1.0, "end_time": 3.0}, "end_time and start_time belong to lists"),
    ],
)
def test_bad_fits(sample, options, message):
    with pytest.raises(InvalidParameterError, match=message):
        hawkeys.fit_rectified(sample, **options)


def test_stopped_early(sample):
    with pytest.warns(ConvergenceWarning, match="raise max_iter"):
        result = hawkeys.fit_rectified(sample, decay=DECAY, max_iter=1)
    assert not result.converged


def test_frozen():
    with pytest.raises(ValueError, match="read-only"):
        TRUTH.adjacency[0, 0] = 1.0
    assert repr(TRUTH) == "RectifiedHawkes(n_marks=2, n_inhibiting=2, spectral_radius=0.3)"
    assert hawkeys.RectifiedHawkes(**TRUTH.to_dict()).mark_names == ("a", "b")
