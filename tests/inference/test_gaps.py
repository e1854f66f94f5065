"""Recordings with gaps, and marks that are observed for part of the time."""

import warnings

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy.stats import kstest

import hawkeys
from hawkeys.baselines import LogLinear, Periodic, PiecewiseConstant
from hawkeys.diagnostics.time_rescaling import rescale
from hawkeys.exceptions import (
    IdentifiabilityWarning,
    InvalidEventsError,
    InvalidParameterError,
    ResultFileError,
)
from hawkeys.inference import edge_tests, penalty_path, profile_interval, sandwich_covariance
from hawkeys.inference.task import Task
from hawkeys.kernels import Exponential, Gamma, LogNormal, PowerLaw, Shifted, SumExponential
from hawkeys.plotting import plot_intensity
from hawkeys.simulation._gaps import simulate_windows

TRUTH = hawkeys.Hawkes([0.5, 0.4], [[0.3, 0.1], [0.2, 0.4]], decay=0.7)
EVENTS = hawkeys.simulate(TRUTH, end_time=60.0, n_realizations=3, rng=3)
GAPS = [(0.0, 20.0), (25.0, 40.0), (40.0, 41.0), (48.0, 60.0)]
OWN = {"0": [(0.0, 22.0)], "1": GAPS}
CASES = {"gaps": GAPS, "own windows": OWN}


def brute(process, events, observed, decay=0.7):
    """Log-likelihood of all events within the intervals, pair by pair."""
    total = 0.0
    for r in range(len(events)):
        times, marks = events[r].times, events[r].marks
        for i in range(events.n_marks):
            intervals = observed[str(i)] if isinstance(observed, dict) else observed
            for start, end in intervals:
                total -= process.baseline[i] * (end - start)
                until = np.exp(-decay * np.maximum(start - times, 0.0))
                after = np.exp(-decay * np.maximum(end - times, 0.0))
                total -= (process.adjacency[i, marks] * (until - after)).sum()
            for k in np.flatnonzero(marks == i):
                if not any(start < times[k] <= end for start, end in intervals):
                    continue
                lags = times[k] - times[:k]
                excited = process.adjacency[i, marks[:k]] * decay * np.exp(-decay * lags)
                total += np.log(process.baseline[i] + excited.sum())
    return total


@pytest.mark.parametrize("case", CASES)
def test_the_likelihood_counts_what_was_observed(case):
    windows, history = EVENTS.within(CASES[case])
    expected = brute(TRUTH, EVENTS, CASES[case])
    assert TRUTH.log_likelihood(windows, history=history) == pytest.approx(expected, abs=1e-9)


@pytest.mark.parametrize(
    "kernel",
    [
        Exponential(0.7),
        Exponential([[0.5, 1.0], [2.0, 0.3]]),
        SumExponential([0.5, 3.0], [0.4, 0.6]),
        LogNormal(0.0, 0.5),
        Gamma(2.0, 1.5),
        PowerLaw(1.0, 1.5),
        Shifted(Exponential(0.7), 0.4),
    ],
    ids=lambda kernel: type(kernel).__name__,
)
@pytest.mark.parametrize(
    "baseline",
    [
        [0.5, 0.4],
        PiecewiseConstant([0.0, 30.0, 60.0], [[0.5, 0.2], [0.1, 0.4]]),
        Periodic([0.0, 4.0], 10.0, [[0.5, 0.2], [0.1, 0.4]]),
    ],
    ids=["constant", "pieces", "periodic"],
)
def test_windows_without_gaps_add_up_to_the_recording(kernel, baseline):
    process = hawkeys.Hawkes(baseline, TRUTH.adjacency, kernel=kernel)
    windows, history = EVENTS.within([(0.0, 20.0), (20.0, 41.0), (41.0, 60.0)])
    assert history.n_events == 0
    whole = process.log_likelihood(EVENTS)
    assert process.log_likelihood(windows, history=history) == pytest.approx(whole, abs=1e-8)
    # the compensators of the windows, too
    parts = rescale(process, windows, history=history)
    alone = rescale(process, EVENTS)
    np.testing.assert_allclose(parts.totals, alone.totals, rtol=1e-9)
    for i in range(2):
        np.testing.assert_allclose(parts.of_mark(i), alone.of_mark(i), rtol=1e-8)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("baseline", [None, PiecewiseConstant([0.0, 15.0, 60.0])])
def test_a_fit_is_the_maximum(case, baseline):
    windows, history = EVENTS.within(CASES[case])
    found = hawkeys.fit(windows, decay=0.7, history=history, baseline=baseline)
    assert found.converged
    here = found.process.log_likelihood(windows, history=history)
    assert found.log_likelihood == pytest.approx(here, abs=1e-9)
    rng = np.random.default_rng(0)
    function = found.process.baseline_function
    for _ in range(50):
        rates = function.known_rates * np.exp(rng.normal(0, 0.05, function.known_rates.shape))
        adjacency = found.adjacency * np.exp(rng.normal(0, 0.05, (2, 2)))
        other = hawkeys.Hawkes(function.with_rates(rates), adjacency, decay=0.7)
        assert other.log_likelihood(windows, history=history) <= here + 1e-9


@pytest.mark.parametrize("case", CASES)
def test_row_problems_of_each_window_add_up_to_those_of_all(case):
    windows, history = EVENTS.within(CASES[case])
    x = np.tile([[0.5, 0.3, 0.1], [0.4, 0.2, 0.4]], (len(windows), 1))
    wide = np.insert(x, 0, 0.0, axis=1)
    for baseline, values in ((None, x), (Periodic([0.0], 10.0), wide)):
        task = Task.check(windows, None, None, {"baseline": baseline}).after(history)
        for kernel in (Exponential(0.7), LogNormal(0.0, 0.5)):
            each = task.design(kernel, separate=True).log_likelihood(values)
            pooled = task.design(kernel).log_likelihood(values[:2])
            np.testing.assert_allclose(each.reshape(-1, 2).sum(axis=0), pooled, rtol=1e-10)


def test_a_covariate_that_tells_marks_apart_alone_is_refused():
    """One mark is observed before a change and the other after it: their rates say it already."""
    baseline = LogLinear([0.0, 20.0, 60.0], [0.0, 1.0])
    windows, history = EVENTS.within({"0": [(0.0, 20.0)], "1": [(20.0, 41.0)]})
    with pytest.raises(InvalidParameterError, match="coefficients of 'x0' cannot be told apart"):
        hawkeys.fit(windows, decay=0.7, history=history, baseline=baseline)
    # rates that are one leave it to the coefficient
    tied = {"baseline": [0, 0], "adjacency": [[1, 2], [3, 4]]}
    found = hawkeys.fit(windows, decay=0.7, history=history, baseline=baseline, tied=tied)
    free = hawkeys.fit(windows, decay=0.7, history=history)
    function = found.process.baseline_function
    rates = function.known_rates[:, 0] * np.exp([0.0, function.coefficients[0]])
    np.testing.assert_allclose(rates, free.baseline, rtol=1e-3)
    assert found.log_likelihood == pytest.approx(free.log_likelihood, abs=1e-6)


def test_the_coefficient_of_a_covariate_is_the_maximum_of_the_likelihood():
    baseline = LogLinear(np.arange(0.0, 61.0, 5.0), np.cos(np.arange(12)))
    for observed in CASES.values():
        windows, history = EVENTS.within(observed)
        found = hawkeys.fit(windows, decay=0.7, history=history, baseline=baseline)
        best = found.process.baseline_function.coefficients[0]

        def value(coefficient, windows=windows, history=history):
            held = baseline.with_coefficients([coefficient])
            return hawkeys.fit(windows, decay=0.7, history=history, baseline=held).log_likelihood

        assert found.log_likelihood == pytest.approx(value(best), abs=1e-8)
        assert max(value(best - 0.05), value(best + 0.05)) < found.log_likelihood


@pytest.mark.parametrize("case", CASES)
def test_values_per_event(case):
    windows, history = EVENTS.within(CASES[case])
    each = TRUTH.log_likelihood(windows, history=history, per_event=True)
    silence = 0.0
    for r in range(len(windows)):
        one = windows[r]
        last = one.times[-1] if one.n_events else one.start_times[0]
        process = TRUTH._after(history, windows)
        bounds = np.array([last, one.end_times[0]])
        until = process.compensator(windows, bounds, realization=r).sum(axis=1)
        silence += until[1] - until[0]
    whole = TRUTH.log_likelihood(windows, history=history)
    assert each.sum() - silence == pytest.approx(whole, abs=1e-9)


def test_a_unit_that_is_lost_half_way():
    """Its own influence is .59 where the time after it counts, and .30 in truth."""
    empty = hawkeys.Events.from_lists([[[], []]], end_times=4000.0)
    windows, history = empty.within({"0": [(0.0, 2000.0)]})
    sample = simulate_windows(TRUTH, windows, history, np.random.default_rng(2), limit=1e6)
    assert sample.counts[1, 0] == 0
    found = hawkeys.fit(sample, decay=0.7, history=history)
    truth = np.column_stack((TRUTH.baseline, TRUTH.adjacency))
    assert (np.abs(found.estimates - truth) < 3.0 * found.std_err).all()
    joined = hawkeys.Events.from_arrays(sample.times, sample.marks, end_times=4000.0, n_marks=2)
    naive = hawkeys.fit(joined, decay=0.7)
    assert naive.adjacency[0, 0] > 0.5
    np.testing.assert_allclose(naive.estimates[1], found.estimates[1], rtol=1e-6)


def test_intervals_cover_the_truth():
    """95 % intervals of 60 samples with a gap of 8 after every 12; binomial, 1 %."""
    truth = hawkeys.Hawkes([0.5], [[0.5]], decay=0.5)
    empty = hawkeys.Events.from_lists([[[]]], end_times=800.0)
    windows, history = empty.within([(20.0 * k, 20.0 * k + 12.0) for k in range(40)])
    held = np.zeros(2)
    for seed in range(60):
        rng = np.random.default_rng(seed)
        sample = simulate_windows(truth, windows, history, rng, limit=1e6)
        found = hawkeys.fit(sample, decay=0.5, history=history)
        held += np.abs(found.estimates[0] - 0.5) < 1.96 * found.std_err[0]
    assert (held >= 51).all()


def test_samples_are_those_of_the_process():
    """Numbers of events are their compensators on average, and residuals are Exp(1)."""
    empty = hawkeys.Events.from_lists([[[], []]] * 2, end_times=60.0)
    process = hawkeys.Hawkes([0.5, 0.4], [[0.3, 0.1], [0.2, 0.4]], decay=0.2)
    for observed in CASES.values():
        windows, history = empty.within(observed)
        residuals, surplus = [], []
        for seed in range(60):
            rng = np.random.default_rng(seed)
            sample = simulate_windows(process, windows, history, rng, limit=1e6)
            found = rescale(process, sample, history=history)
            surplus.append((found.counts - found.expected).sum(axis=0))
            residuals.append(found.residuals)
        scores = np.mean(surplus, axis=0) / (np.std(surplus, axis=0) / np.sqrt(60))
        assert (np.abs(scores) < 3.5).all()
        assert kstest(np.concatenate(residuals), "expon").pvalue > 1e-3


def test_samples_continue_what_happened_outside():
    """A burst in a gap raises the number of events after it by its children that are still due."""
    process = hawkeys.Hawkes([0.2], [[0.5]], decay=0.1)
    burst = np.linspace(10.0, 19.9, 300)
    recording = hawkeys.Events.from_lists([[burst]], end_times=30.0)
    windows, history = recording.within([(0.0, 10.0), (20.0, 30.0)])
    assert windows.n_events == 1
    rng = np.random.default_rng(1)
    drawn = [
        simulate_windows(process, windows, history, rng, limit=1e6).counts[:, 0] for _ in range(200)
    ]
    # mean of immigrants and of descendants of the burst: rate m' = due + (R - 1) decay m + ...
    grid = np.linspace(0.0, 10.0, 20001)
    step = grid[1] - grid[0]
    due = 0.5 * 0.1 * np.exp(-0.1 * (20.0 + grid[:, None] - burst)).sum(axis=1)
    rate, state = np.empty(grid.size), 0.0
    for k in range(grid.size):
        rate[k] = 0.2 + due[k] + state
        state += step * (0.5 * 0.1 * rate[k] - 0.1 * state)
    expected = np.trapezoid(rate, grid)
    counts = np.array(drawn)[:, 1]
    assert abs(counts.mean() - expected) < 4.0 * counts.std() / np.sqrt(200)


@pytest.mark.parametrize("case", CASES)
def test_what_is_asked_of_the_fit_knows_the_gaps(case, tmp_path):
    windows, history = EVENTS.within(CASES[case])
    found = hawkeys.fit(windows, decay=0.7, history=history)
    found.save(tmp_path / "fit.json")
    read = hawkeys.load_result(tmp_path / "fit.json")
    assert f"{history.n_events} events outside the windows" in found.summary()
    assert read.summary() == found.summary()
    without = hawkeys.fit(
        windows, decay=0.7, history=history, support=[[True, False], [True, True]]
    )
    fall = 2.0 * (found.log_likelihood - without.log_likelihood)
    for one in (found, read):
        assert edge_tests(one, windows).statistic[0, 1] == pytest.approx(fall, abs=1e-5)
        profile = profile_interval(one, windows)
        assert profile.statistic_at_zero[0, 2] == pytest.approx(fall, abs=1e-5)
        assert (sandwich_covariance(one, windows).std_err > 0).all()
    with pytest.raises(InvalidParameterError, match="whose events are parents too"):
        hawkeys.branching_probabilities(found, windows)
    with pytest.raises(InvalidParameterError, match="starts where a recording ends"):
        hawkeys.forecast(found, windows, 5.0, history=history)
    future = hawkeys.forecast(found, EVENTS[0], 5.0, n_paths=20)
    assert future.start == 60.0


def test_fits_to_other_windows_are_not_compared():
    """The same events and the same time in windows that are elsewhere."""
    events = hawkeys.Events.from_lists([[[1.0, 2.0, 12.0, 13.0, 13.5]]], end_times=30.0)
    fits = []
    for observed in ([(0.0, 5.0), (10.0, 15.0)], [(0.5, 5.5), (10.0, 15.0)]):
        windows, history = events.within(observed)
        fits.append(hawkeys.fit(windows, decay=1.0, history=history))
    assert fits[0].n_events == fits[1].n_events
    assert fits[0].total_time == fits[1].total_time
    assert fits[0].log_likelihood != fits[1].log_likelihood
    with pytest.raises(InvalidParameterError, match="other windows of their recordings"):
        hawkeys.compare(fits)
    with pytest.raises(InvalidParameterError, match="other windows of their recordings"):
        hawkeys.likelihood_ratio_test(*fits)


def test_the_summary_tells_the_time_of_marks():
    windows, history = EVENTS.within(OWN)  # of 60: 22, and 20 + 15 + 1 + 12
    found = hawkeys.fit(windows, decay=0.7, history=history)
    assert "(of a mark: 66 to 144)" in found.summary()
    np.testing.assert_allclose(found._time_of_marks, [66.0, 144.0])
    windows, history = EVENTS.within(GAPS)
    found = hawkeys.fit(windows, decay=0.7, history=history)
    assert "of a mark" not in found.summary()
    np.testing.assert_allclose(found._time_of_marks, [144.0, 144.0])


def test_rates_without_excitation_are_by_the_time_of_each_mark():
    times = [np.arange(1.0, 100.0, 2.0), np.arange(0.6, 50.0)]
    events = hawkeys.Events.from_lists([times], end_times=100.0)
    windows, history = events.within({1: [(0.0, 50.0)]})
    with pytest.warns(IdentifiabilityWarning, match="no decay fits clearly better"):
        found = hawkeys.fit(
            windows, decay="estimate", history=history, support=np.eye(2, dtype=bool)
        )
    assert "events by time, 0: 0.5, 1: 1;" in found.summary()  # 50 in 100, and 50 in 50


@pytest.mark.parametrize("case", CASES)
def test_the_picture_of_a_fit_knows_what_happened_outside(case):
    windows, history = EVENTS.within(CASES[case])
    found = hawkeys.fit(windows, decay=0.7, history=history)
    axes = Figure().subplots()
    plot_intensity(found, windows, realization=1, ax=axes)
    start, end = windows.start_times[1], windows.end_times[1]
    for i, line in enumerate(axes.lines[:2]):
        times, rates = line.get_data()
        assert times[0] == start
        assert times[-1] == end
        lags = start - EVENTS[0].times[EVENTS[0].times < start]
        marks = EVENTS[0].marks[: lags.size]
        first = found.baseline[i] + found.adjacency[i, marks] @ (0.7 * np.exp(-0.7 * lags))
        seen = history.observed is None or history.observed[1, i]
        assert rates[0] == pytest.approx(first if seen else 0.0, rel=1e-9)
    with pytest.raises(InvalidParameterError, match="the history has"):
        plot_intensity(found, EVENTS, ax=axes)


def test_goodness_of_fit_draws_on_the_windows():
    windows, history = EVENTS.within(GAPS)
    found = hawkeys.fit(windows, decay=0.7, history=history)
    test = hawkeys.goodness_of_fit(found, windows, n_mc_samples=39)
    assert test.pvalue > 0.01
    assert not test.failures
    # without excitation it is another process
    poisson = hawkeys.fit(windows, decay=1e-3, history=history)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        wrong = hawkeys.goodness_of_fit(poisson, windows, n_mc_samples=39, history=history)
    assert wrong.pvalue < test.pvalue
    own, rest = EVENTS.within(OWN)
    with pytest.raises(InvalidParameterError, match="belongs to a mark that is not observed"):
        hawkeys.goodness_of_fit(hawkeys.fit(own, decay=0.7, history=rest), own, n_mc_samples=9)


def test_a_decay_is_found_by_estimate_and_by_folds():
    truth = hawkeys.Hawkes([0.5], [[0.6]], decay=0.7)
    events = hawkeys.simulate(truth, end_time=900.0, rng=2)
    windows, history = events.within([(100.0 * k, 100.0 * k + 70.0) for k in range(9)])
    found = hawkeys.fit(windows, decay="estimate", history=history)
    lower, upper = found.decay_profile.interval()
    assert lower < 0.7 < upper

    def value(decay):
        return hawkeys.fit(windows, decay=decay, history=history).log_likelihood

    best = float(found.kernel.decay)
    assert found.log_likelihood == pytest.approx(value(best), abs=1e-8)
    assert max(value(0.97 * best), value(1.03 * best)) < found.log_likelihood
    chosen = hawkeys.fit(
        windows,
        decay_grid=[0.05, 0.7, 20.0],
        decay_selection="cross-validation",
        history=history,
    )
    assert float(chosen.kernel.decay) == 0.7


def test_a_window_of_weight_0_excites_but_does_not_count():
    windows, history = EVENTS.within(GAPS)
    weights = np.tile([1.0, 0.0, 1.0, 1.0], 3)
    some = hawkeys.fit(windows, decay=0.7, history=history, weights=weights)
    fewer, rest = EVENTS.within([GAPS[0], *GAPS[2:]])
    np.testing.assert_allclose(
        some.estimates, hawkeys.fit(fewer, decay=0.7, history=rest).estimates, rtol=1e-6
    )


@pytest.mark.parametrize("method", ["mle", "map", "vi"])
def test_what_is_asked_of_a_fit_with_windows_of_weight_0(method):
    """As of the fit to the other windows, with those of weight 0 outside."""
    windows, history = EVENTS.within(GAPS)
    weights = np.tile([1.0, 0.0, 2.0, 1.0], 3)
    some = hawkeys.fit(windows, decay=0.7, history=history, weights=weights, method=method)
    fewer, rest = EVENTS.within([GAPS[0], *GAPS[2:]])
    kept = weights[weights > 0]
    alone = hawkeys.fit(fewer, decay=0.7, history=rest, weights=kept, method=method)
    for ask, name in (
        (edge_tests, "statistic"),
        (profile_interval, "statistic_at_zero"),
        (sandwich_covariance, "std_err"),
    ):
        if ask is profile_interval and method == "vi":
            continue
        one, other = (getattr(ask(*pair), name) for pair in ((some, windows), (alone, fewer)))
        np.testing.assert_allclose(one, other, rtol=1e-4)


def test_weights_of_0_leave_out_their_history():
    past, present = EVENTS.split(at=20.0)
    some = hawkeys.fit(present, decay=0.7, history=past, weights=[1.0, 0.0, 1.0])
    alone = hawkeys.fit(present[[0, 2]], decay=0.7, history=past[[0, 2]])
    np.testing.assert_allclose(
        edge_tests(some, present).statistic, edge_tests(alone, present[[0, 2]]).statistic, rtol=1e-4
    )


@pytest.mark.parametrize("method", ["mle", "map", "vi", "vi_stochastic", "vi_branching"])
@pytest.mark.parametrize(
    "model",
    [
        {"decay": 0.7},
        {"kernel": SumExponential([0.5, 3.0])},
        {"kernel": Gamma(2.0, 1.5)},
        {"decay": 0.7, "baseline": PiecewiseConstant([0.0, 15.0, 60.0])},
    ],
    ids=["exponential", "weights", "gamma", "pieces"],
)
def test_each_mark_is_fitted_in_its_own_windows(method, model):
    """Marks share nothing but the events: a row is that of a fit on the windows of its mark."""
    windows, history = EVENTS.within(OWN)
    found = hawkeys.fit(windows, history=history, method=method, **model)
    for mark, intervals in OWN.items():
        windows, history = EVENTS.within(intervals)
        alone = hawkeys.fit(windows, history=history, method=method, **model)
        i = int(mark)
        np.testing.assert_allclose(found.estimates[i], alone.estimates[i], rtol=1e-9, atol=1e-12)
        np.testing.assert_allclose(found.std_err[i], alone.std_err[i], rtol=1e-7, atol=1e-12)


def test_unit_and_origin_do_not_matter():
    scaled = hawkeys.Events.from_lists(
        [[60.0 * times + 7.0 for times in marks] for marks in EVENTS.to_lists()],
        start_times=7.0,
        end_times=3607.0,
    )
    windows, history = EVENTS.within(GAPS)
    seconds, rest = scaled.within(60.0 * np.array(GAPS) + 7.0)
    found = hawkeys.fit(windows, decay=0.7, history=history)
    again = hawkeys.fit(seconds, decay=0.7 / 60.0, history=rest)
    np.testing.assert_allclose(again.estimates * [60.0, 1.0, 1.0], found.estimates, rtol=1e-6)


@pytest.mark.parametrize(
    "options",
    [
        {"decay": 0.7, "method": "least_squares"},
        {"kernel": LogNormal()},
        {"decay": "estimate", "decay_sharing": "pair"},
    ],
)
def test_what_knows_no_history_says_so(options):
    windows, history = EVENTS.within(GAPS)
    with pytest.raises(InvalidParameterError, match="history"):
        hawkeys.fit(windows, history=history, **options)
    with pytest.raises(InvalidParameterError, match=r"here: hawkeys\.fit_each, and"):
        hawkeys.fit_each(windows, decay=0.7, history=history)
    with pytest.raises(InvalidEventsError, match=r"got History\. Write windows, history"):
        hawkeys.fit(history, decay=0.7)
    with pytest.raises(InvalidEventsError, match=r"events and a history in one\. Write"):
        hawkeys.fit((windows, history), decay=0.7)
    with pytest.raises(InvalidEventsError, match="Pass the recordings, history=events"):
        hawkeys.simulate(TRUTH, start_time=60.0, end_time=70.0, history=history)
    with pytest.raises(InvalidEventsError, match="Pass the recordings, history=events"):
        hawkeys.simulate_until(TRUTH, 10, history=history)
    with pytest.raises(InvalidParameterError, match="history"):
        penalty_path(windows, decay=0.7, history=history)
    with pytest.raises(InvalidParameterError, match="history"):
        hawkeys.RectifiedHawkes([0.5, 0.4], TRUTH.adjacency, decay=0.7).log_likelihood(
            windows, history=history
        )


def test_a_damaged_history_is_refused(tmp_path):
    windows, history = EVENTS.within(GAPS)
    path = tmp_path / "fit.json"
    hawkeys.fit(windows, decay=0.7, history=history).save(path)
    text = path.read_text()
    assert '"owners"' in text
    i = text.index('"owners"')
    path.write_text(text[:i] + text[i:].replace("0", "7", 1))
    with pytest.raises(ResultFileError, match=r"options\.history\.owners"):
        hawkeys.load_result(path)
    i = text.index('"window_ends"')
    path.write_text(text[:i] + text[i:].replace("20.0,", "", 1))
    with pytest.raises(ResultFileError, match=r"options\.history\.window_ends"):
        hawkeys.load_result(path)
