"""Fits of windows given what happened before them, and what is asked of such fits."""

import warnings

import numpy as np
import pytest

import hawkeys
from hawkeys.baselines import PiecewiseConstant
from hawkeys.diagnostics.time_rescaling import rescale
from hawkeys.exceptions import InvalidParameterError, ResultFileError
from hawkeys.inference import (
    bootstrap,
    edge_tests,
    penalty_path,
    profile_interval,
    sandwich_covariance,
)
from hawkeys.kernels import Exponential, LogNormal, SumExponential

ADJACENCY = np.array([[0.3, 0.1], [0.2, 0.4]])
TRUTH = hawkeys.Hawkes([0.5, 0.4], ADJACENCY, decay=0.4)
TRAIN, TEST = hawkeys.simulate(TRUTH, end_time=70.0, n_realizations=4, rng=3).split(at=40.0)


def given(x, decay=0.4, rows=slice(None)):
    """The log-likelihood of the test windows at parameters (baseline, adjacency row) by row."""
    process = hawkeys.Hawkes(x[:, 0], x[:, 1:], decay=decay)
    return process.log_likelihood(TEST[rows], history=TRAIN[rows])


def by_differences(function, x, step=1e-4):
    """Gradient by central differences."""
    out = np.empty(x.size)
    for k in range(x.size):
        up, down = x.copy(), x.copy()
        up.flat[k] += step
        down.flat[k] -= step
        out[k] = (function(up) - function(down)) / (2.0 * step)
    return out


def hessian(function, x, step=1e-4):
    rows = []
    for k in range(x.size):
        up, down = x.copy(), x.copy()
        up.flat[k] += step
        down.flat[k] -= step
        rows.append(
            (by_differences(function, up, step) - by_differences(function, down, step)) / (2 * step)
        )
    return np.array(rows)


@pytest.fixture(scope="module")
def result():
    return hawkeys.fit(TEST, decay=0.4, history=TRAIN)


def test_it_is_the_maximum_of_the_likelihood_given_the_history(result):
    assert result.log_likelihood == pytest.approx(given(result.estimates), abs=1e-9)
    assert result.converged
    assert (result.estimates > 0).all()
    covariance = np.linalg.inv(-hessian(given, result.estimates))
    slope = by_differences(given, result.estimates, 1e-5)
    assert slope @ covariance @ slope < 1e-7  # nats to gain
    errors = np.sqrt(np.diagonal(covariance))
    np.testing.assert_allclose(result.std_err.ravel(), errors, rtol=1e-4)
    # the fit that starts from nothing is another one
    assert np.abs(hawkeys.fit(TEST, decay=0.4).estimates - result.estimates).max() > 0.01


METHODS = {
    "map": {"method": "map"},
    "vi": {"method": "vi"},
    "branching": {"method": "vi_branching"},
    "stochastic": {"method": "vi_stochastic", "n_steps": 300},
    "steps": {"baseline": PiecewiseConstant([40.0, 50.0, 70.0])},
    "tied": {"tied": [[0, 1, 2], [0, 2, 1]]},
    "support": {"support": np.eye(2, dtype=bool)},
    "weights": {"weights": [1.0, 2.0, 0.5, 1.0]},
    "mixture": {"kernel": SumExponential([0.2, 2.0])},
    "log-normal": {"kernel": LogNormal(0.0, 0.5)},
}


@pytest.mark.parametrize("case", METHODS)
def test_every_method_and_model_is_conditional(case):
    options = {"kernel": Exponential(0.4), **METHODS[case]}
    found = hawkeys.fit(TEST, history=TRAIN, **options)
    expected = found.process.log_likelihood(TEST, history=TRAIN)
    assert found.log_likelihood == pytest.approx(expected, abs=1e-8)
    alone = hawkeys.fit(TEST, **options)
    assert alone.process.log_likelihood(TEST, history=TRAIN) < expected


def test_realisations_of_weight_0_leave_out_their_history():
    some = hawkeys.fit(TEST, decay=0.4, history=TRAIN, weights=[1.0, 0.0, 1.0, 0.0])
    picked = hawkeys.fit(TEST[[0, 2]], decay=0.4, history=TRAIN[[0, 2]])
    np.testing.assert_allclose(some.estimates, picked.estimates, rtol=1e-6)
    whole = some.process.log_likelihood(TEST, history=TRAIN)
    assert some.log_likelihood == pytest.approx(whole, abs=1e-9)


def test_the_parameters_are_found_where_windows_are_short():
    """Windows of 3 after 27: the parents of most events lie before them."""
    truth = hawkeys.Hawkes([0.3], [[0.6]], decay=0.3)
    events = hawkeys.simulate(truth, end_time=30.0, n_realizations=1500, rng=5)
    train, test = events.split(at=27.0)
    found = hawkeys.fit(test, decay=0.3, history=train)
    assert (np.abs(found.estimates[0] - [0.3, 0.6]) < 3.0 * found.std_err[0]).all()
    alone = hawkeys.fit(test, decay=0.3)
    assert alone.adjacency[0, 0] > 0.6 + 5.0 * found.std_err[0, 1]
    scaled = hawkeys.Events.from_lists(
        [[60.0 * marks[0] + 7.0] for marks in events.to_lists()], start_times=7.0, end_times=1807.0
    )
    before, after = scaled.split(at=60.0 * 27.0 + 7.0)
    seconds = hawkeys.fit(after, decay=0.3 / 60.0, history=before)
    np.testing.assert_allclose(seconds.estimates * [60.0, 1.0], found.estimates, rtol=1e-5)


def test_intervals_cover_the_truth():
    """95 % intervals of 80 samples, baseline and adjacency; binomial, 1 %."""
    truth = hawkeys.Hawkes([0.5], [[0.5]], decay=0.5)
    held = np.zeros(2)
    for seed in range(80):
        train, test = hawkeys.simulate(truth, end_time=300.0, rng=seed).split(at=100.0)
        found = hawkeys.fit(test, decay=0.5, history=train)
        held += np.abs(found.estimates[0] - 0.5) < 1.96 * found.std_err[0]
    assert (held >= 70).all()


@pytest.mark.parametrize("n_realizations", [1, 4])
def test_an_estimated_decay(n_realizations):
    truth = hawkeys.Hawkes([0.5], [[0.6]], decay=0.7)
    train, test = hawkeys.simulate(
        truth, end_time=300.0, n_realizations=n_realizations, rng=2
    ).split(at=100.0)
    found = hawkeys.fit(test, decay="estimate", history=train)

    def value(theta):
        process = hawkeys.Hawkes(theta[:1], [[theta[1]]], decay=np.exp(theta[2]))
        return process.log_likelihood(test, history=train)

    best = np.array([*found.estimates[0], np.log(float(found.kernel.decay))])
    assert found.log_likelihood == pytest.approx(value(best), abs=1e-8)
    np.testing.assert_allclose(by_differences(value, best), 0.0, atol=2e-2)
    errors = np.sqrt(np.diagonal(np.linalg.inv(-hessian(value, best))))
    np.testing.assert_allclose(found.std_err[0], errors[:2], rtol=1e-3)
    chosen = hawkeys.fit(
        test, decay_grid=[0.05, 0.7, 20.0], decay_selection="cross-validation", history=train
    )
    assert float(chosen.kernel.decay) == 0.7


def test_what_is_asked_of_the_fit_knows_the_history(result, tmp_path):
    result.save(tmp_path / "fit.json")
    read = hawkeys.load_result(tmp_path / "fit.json")
    assert "events before the windows" in result.summary()
    assert read.summary() == result.summary()
    for one in (result, read):
        # a pair is left out: twice the fall of the maximum
        without = hawkeys.fit(TEST, decay=0.4, history=TRAIN, support=[[True, False], [True, True]])
        fall = 2.0 * (result.log_likelihood - without.log_likelihood)
        assert edge_tests(one, TEST).statistic[0, 1] == pytest.approx(fall, abs=1e-5)
        profile = profile_interval(one, TEST)
        assert profile.statistic_at_zero[0, 2] == pytest.approx(fall, abs=1e-5)
        robust = sandwich_covariance(one, TEST)
        scores = np.array(
            [by_differences(lambda x, r=r: given(x, rows=[r]), result.estimates) for r in range(4)]
        )
        bread = np.linalg.inv(-hessian(given, result.estimates))
        expected = 4.0 / 3.0 * bread @ scores.T @ scores @ bread
        np.testing.assert_allclose(
            robust.std_err.ravel(), np.sqrt(np.diagonal(expected)), rtol=1e-3
        )
    by_vi = hawkeys.fit(TEST, decay=0.4, history=TRAIN, method="vi")
    edges = edge_tests(by_vi, TEST)
    assert edges.statistic[0, 1] == pytest.approx(fall, abs=1e-5)


def test_other_events_are_refused(result):
    with pytest.raises(InvalidParameterError, match=r"observed up to 40\.0 but the window starts"):
        profile_interval(result, TRAIN)
    with pytest.raises(InvalidParameterError, match="was fitted to other events"):
        profile_interval(result, TEST.between(end=60.0))


def test_a_damaged_history_is_refused(result, tmp_path):
    path = tmp_path / "fit.json"
    result.save(path)
    text = path.read_text()
    first = repr(float(TRAIN.times[0]))
    assert '"history"' in text
    path.write_text(text.replace(first, "-3.5", 1))
    with pytest.raises(ResultFileError, match=r"options\.history: .*-3\.5"):
        hawkeys.load_result(path)


def test_goodness_of_fit_given_the_history(result):
    assert hawkeys.goodness_of_fit(result, TEST, n_mc_samples=99, rng=1).pvalue > 0.02
    gof = hawkeys.goodness_of_fit(result, TEST, n_mc_samples=39, rng=1)
    again = hawkeys.goodness_of_fit(result, TEST, n_mc_samples=39, rng=1, history=TRAIN)
    assert again.pvalue == gof.pvalue
    by_process = hawkeys.goodness_of_fit(
        result.process, TEST, n_mc_samples=39, rng=1, history=TRAIN
    )
    assert by_process.pvalue == gof.pvalue


def test_p_values_given_the_history_are_uniform():
    """Mean of 30: 1/2 within 2.6 standard errors; a share of .1 is below .1 (binomial, 1 %)."""
    found = []
    for seed in range(30):
        train, test = hawkeys.simulate(TRUTH, end_time=60.0, rng=100 + seed).split(at=40.0)
        fitted = hawkeys.fit(test, decay=0.4, history=train)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # in 20 units of time a mark may lack parents
            gof = hawkeys.goodness_of_fit(fitted, test, n_mc_samples=19, rng=seed)
        found.append(gof.pvalue)
    assert np.mean(found) == pytest.approx(0.5, abs=2.6 * np.sqrt(1.0 / 12.0 / 30.0))
    assert np.mean(np.array(found) <= 0.1) <= 0.27


def test_the_test_period_given_the_training_period():
    """Residuals are those of the whole; from nothing, far too few events are expected."""
    truth = hawkeys.Hawkes([0.2], [[0.8]], decay=0.2)
    events = hawkeys.simulate(truth, end_time=32.0, n_realizations=150, rng=4)
    train, test = events.split(at=30.0)
    right = hawkeys.goodness_of_fit(truth, test, refit=False, history=train, n_mc_samples=99, rng=0)
    assert right.pvalue > 0.02
    wrong = hawkeys.goodness_of_fit(truth, test, refit=False, n_mc_samples=99, rng=0)
    assert wrong.pvalue == 0.01
    found = rescale(truth, test, history=train)
    for r in (0, 7):
        path = truth.compensator(events, [30.0, 32.0], realization=r)[:, 0]
        assert found.expected[r, 0] == pytest.approx(path[1] - path[0], abs=1e-10)


def test_samples_of_the_test_continue_the_history():
    """Their mean is that of the mean intensity given the history, in closed form."""
    truth = hawkeys.Hawkes([0.0], [[0.5]], decay=1.0)
    past = hawkeys.Events.from_lists([[np.linspace(0.5, 1.0, 40)]], end_times=1.0)
    window = hawkeys.Events.from_lists([[[2.0]]], start_times=1.0, end_times=3.0)
    gof = hawkeys.goodness_of_fit(
        truth, window, refit=lambda sample: note(sample), history=past, n_mc_samples=400, rng=0
    )
    assert len(COUNTS) == len(gof.null) == 400
    start = float(np.exp(past.times - 1.0).sum())
    # m' = (W - 1) beta m for the expected intensity m of a process without immigrants
    mean = 0.5 * start * (1.0 - np.exp(-0.5 * 2.0)) / 0.5
    counts = np.array(COUNTS)
    assert counts.mean() == pytest.approx(mean, abs=4.0 * counts.std() / 20.0)


COUNTS = []


def note(sample):
    """Note the number of events of a sample; the process is known."""
    COUNTS.append(sample.n_events)
    return hawkeys.Hawkes([0.001], [[0.5]], decay=1.0)


def test_a_forecast_knows_what_was_before():
    process = hawkeys.Hawkes([0.5, 0.4], ADJACENCY, decay=0.4)
    events = hawkeys.simulate(process, end_time=70.0, rng=6)
    train, test = events.split(at=69.0)
    whole = hawkeys.forecast(process, events, 5.0, n_paths=50, rng=0)
    parts = hawkeys.forecast(process, test, 5.0, n_paths=50, rng=0, history=train)
    np.testing.assert_array_equal(whole.paths.times, parts.paths.times)
    alone = hawkeys.forecast(process, test, 5.0, n_paths=50, rng=0)
    assert alone.paths.n_events < whole.paths.n_events
    with pytest.raises(InvalidParameterError, match=r"observed up to 69\.0 but the window starts"):
        hawkeys.forecast(process, events, 5.0, history=train)


REFUSED = {
    "kernel estimated": (
        lambda: hawkeys.fit(TEST, kernel=LogNormal(), history=TRAIN),
        "fitted to the windows alone",
    ),
    "least squares": (
        lambda: hawkeys.fit(TEST, decay=0.4, method="least_squares", history=TRAIN),
        "fitted to the windows alone",
    ),
    "decays apart": (
        lambda: hawkeys.fit(TEST, decay="estimate", decay_sharing="pair", history=TRAIN),
        "nothing tied and no history",
    ),
    "each": (lambda: hawkeys.fit_each(TEST, decay=0.4, history=TRAIN), "no option 'history'"),
    "path": (lambda: penalty_path(TEST, decay=0.4, history=TRAIN), "no option 'history'"),
    "no events": (
        lambda: hawkeys.fit(TEST, decay=0.4, history=TEST),
        "observed up to 70.0 but the window starts at 40.0",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_history_refuses_it(case):
    call, message = REFUSED[case]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(InvalidParameterError, match=message):
            call()


def test_replicates_and_known_parameters_refuse_it(result):
    with pytest.raises(InvalidParameterError, match="bootstrap draws windows that start from"):
        bootstrap(result, TEST, n_replicates=2)
    with pytest.raises(InvalidParameterError, match="with refit=False the events may be others"):
        hawkeys.goodness_of_fit(result, TEST, refit=False, n_mc_samples=0)


def test_a_history_with_values_is_read_back(tmp_path):
    values = np.random.default_rng(0).exponential(1.0, TEST.n_events + TRAIN.n_events)
    before, after = (
        TRAIN.with_values(values[: TRAIN.n_events]),
        TEST.with_values(values[TRAIN.n_events :]),
    )
    raised = hawkeys.productivity.Exponential(a=0.5, v0=0.0)
    found = hawkeys.fit(after, decay=0.4, history=before, productivity=raised)
    found.save(tmp_path / "fit.json")
    read = hawkeys.load_result(tmp_path / "fit.json")
    assert read.summary() == found.summary()
    profile = profile_interval(read, after)
    np.testing.assert_array_equal(profile.lower, profile_interval(found, after).lower)
    # samples of a process without a productivity have no values
    plain = hawkeys.fit(after, decay=0.4, history=before)
    assert 0.0 < hawkeys.goodness_of_fit(plain, after, n_mc_samples=5).pvalue <= 1.0
