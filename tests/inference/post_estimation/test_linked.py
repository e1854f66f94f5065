"""What is asked of fits with a link: against a general optimiser, brute sums and simulation."""

import re

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import chi2, norm

import hawkeys
from hawkeys import inference
from hawkeys.baselines import Periodic
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.nonlinear.terms import terms_of_targets
from hawkeys.process import LagFilters, LogTimeFilters, RectifiedHawkes
from hawkeys.process.rectified import row_terms

SIGNED = RectifiedHawkes([1.0, 0.8], [[0.3, -0.5], [0.0, 0.2]], decay=2.0, mark_names="ab")
DATA = hawkeys.simulate(SIGNED, end_time=[150.0, 100.0, 50.0], rng=1)
FILTERS = LagFilters([0.0, 0.3], [1.0])
FITS = {
    "rectified": hawkeys.fit_rectified(DATA, decay=2.0),
    "softplus": hawkeys.fit_nonlinear(DATA, filters=FILTERS, link="softplus"),
}


def objective(name, target):
    """Minus the log-likelihood of a target and its gradient, by parameters."""
    fit, every = FITS[name], np.ones(DATA.n_realizations)
    if name == "rectified":

        def rectified(x):
            value, gradient, _ = row_terms(DATA, target, np.append(x, 2.0), every)
            return -value, -gradient[:-1]

        return rectified
    terms = list(terms_of_targets(DATA, fit.process.predictor, "softplus", every))[target]

    def linked(x):
        value, gradient, _ = terms.weighted(x)
        return -value, -gradient

    return linked


def least(name, target, held):
    """The least objective with some parameters held, {place: value}, by L-BFGS-B."""
    fit, lowest = FITS[name], FITS[name].lowest
    loss = objective(name, target)

    def finite(x):
        value, gradient = loss(x)
        return (value, gradient) if np.isfinite(value) else (1e10, np.zeros(x.size))

    alone = np.zeros(fit.estimates.shape[1])
    alone[0] = 1.0 + 4.0 * sum(abs(value) for value in held.values())
    best = np.inf
    for start in (fit.estimates[target].copy(), alone):
        start[list(held)] = list(held.values())
        bounds = [(held[k],) * 2 if k in held else (lowest[k], None) for k in range(start.size)]
        for _ in range(4):  # again from where it stopped
            found = minimize(
                finite, start, jac=True, method="L-BFGS-B", bounds=bounds,
                options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 5000},
            )  # fmt: skip
            best, start = min(best, found.fun), found.x
    return best


@pytest.mark.parametrize("name", FITS)
def test_profile_ends_are_where_another_optimiser_finds_the_fall(name):
    fit = FITS[name]
    found = inference.profile_interval(fit, DATA, level=0.9)
    assert found.to_frame().shape[0] == fit.estimates.size
    drop = 0.5 * chi2.ppf(0.9, 1)
    for target, parameter in ((0, 2), (1, 1), (0, 0)):
        best = least(name, target, {})
        for end in (found.lower, found.upper):
            value = float(end[target, parameter])
            assert least(name, target, {parameter: value}) - best == pytest.approx(drop, abs=1e-3)
        statistic = 2.0 * (least(name, target, {parameter: 0.0}) - best)
        statistic = np.inf if statistic > 1e9 else statistic  # events without a rate
        assert found.statistic_at_zero[target, parameter] == pytest.approx(statistic, abs=1e-3)
    lower, upper = fit.conf_int(0.9)
    # near a normal likelihood both kinds of interval agree
    np.testing.assert_allclose(found.lower, lower, atol=0.6 * np.nanmax(fit.std_err))
    np.testing.assert_allclose(found.upper, upper, atol=0.6 * np.nanmax(fit.std_err))


def test_a_profile_keeps_the_bound_of_a_baseline_and_may_have_no_end():
    """One event of b inhibits a forever after, in a single window: no lower end of its effect."""
    wide = inference.profile_interval(FITS["rectified"], DATA, level=1.0 - 1e-9)
    assert (wide.lower[:, 0] >= 0.0).all()
    times = np.arange(0.5, 20.0, 0.5)
    data = hawkeys.Events.from_lists([[times, [19.9]]], end_times=20.0)
    with pytest.warns(hawkeys.exceptions.HawkeysWarning):
        fit = hawkeys.fit_rectified(data, decay=1.0)
    found = inference.profile_interval(fit, data)
    assert np.isnan(found.lower[0, 2])  # not identified, at its limit
    assert np.isfinite(found.upper[0, 1])


@pytest.mark.parametrize("name", FITS)
def test_edge_tests_are_likelihood_ratios_of_all_weights_of_a_pair(name):
    fit = FITS[name]
    tests = inference.edge_tests(fit, DATA, correction=None)
    width = 1 if name == "rectified" else FILTERS.n_filters
    for target, source in ((0, 1), (1, 0)):
        places = 1 + source * width + np.arange(width)
        held = {int(p): 0.0 for p in places}
        statistic = 2.0 * (least(name, target, held) - least(name, target, {}))
        assert tests.statistic[target, source] == pytest.approx(statistic, abs=1e-3)
        assert tests.pvalues[target, source] == pytest.approx(chi2.sf(statistic, width), rel=1e-2)
    assert tests.rejected(0.05)[0, 1]  # the truth inhibits
    effects = fit.adjacency if name == "rectified" else fit.process.kernel_integrals
    np.testing.assert_allclose(tests.estimates, effects)


@pytest.mark.parametrize("name", FITS)
def test_sandwich_is_that_of_the_scores_by_differences(name):
    fit = FITS[name]
    found = inference.sandwich_covariance(fit, DATA)
    wanted = np.zeros_like(found.covariance[0])
    for r in range(DATA.n_realizations):
        x, score = fit.estimates[0], np.empty(fit.estimates.shape[1])
        for k in range(score.size):
            step = np.zeros_like(x)
            step[k] = 1e-5
            values = [_alone(name, x + s * step, r) for s in (1.0, -1.0)]
            score[k] = (values[0] - values[1]) / 2e-5
        wanted += 1.5 * np.outer(score, score)  # R / (R - 1)
    size = wanted.shape[0]
    bread = np.linalg.inv(fit.information[0][:size, :size])
    np.testing.assert_allclose(found.covariance[0], bread @ wanted @ bread, rtol=2e-4, atol=1e-8)
    assert found.to_frame().shape[0] == fit.estimates.size
    assert found.conf_int()[0].min() < 0.0  # inhibition is not cut


def _alone(name, x, realization):
    """The log-likelihood of mark a in one realisation."""
    one, every = DATA[realization], np.ones(1)
    if name == "rectified":
        return row_terms(one, 0, np.append(x, 2.0), every)[0]
    model = FITS[name].process.predictor
    return next(iter(terms_of_targets(one, model, "softplus", every))).weighted(x)[0]


def test_bootstrap_of_a_link_spreads_as_the_information_says():
    for fit in FITS.values():
        spread = inference.bootstrap(fit, DATA, n_replicates=40, rng=2)
        assert spread.n_failed == 0
        ratio = spread.std_err / fit.std_err
        assert 0.6 < np.nanmedian(ratio) < 1.6
        assert spread.to_frame().shape[0] == fit.estimates.size
        lower, _ = spread.interval(kind="basic")
        assert lower.min() < 0.0  # inhibition is not cut at 0
    resampled = inference.bootstrap(FITS["softplus"], DATA, kind="realizations", n_replicates=3)
    assert np.isfinite(resampled.std_err).any()


@pytest.mark.parametrize("name", FITS)
def test_forecasts_count_what_simulation_from_the_history_does(name):
    fit, past = FITS[name], DATA[0]
    coming = hawkeys.forecast(fit, past, 5.0, n_paths=400, rng=3)
    paths = hawkeys.simulate(fit, end_time=155.0, n_realizations=400, history=past, rng=4)
    error = np.sqrt(2.0 * paths.counts.var(axis=0) / 400)
    assert (np.abs(coming.mean - paths.counts.mean(axis=0)) < 4.0 * error).all()
    none = (coming.paths.counts.sum(axis=1) == 0).mean()
    assert 1.0 - coming.next_event.probability == pytest.approx(none, abs=0.05)
    drawn = hawkeys.forecast(fit, past, 5.0, n_paths=60, parameter_uncertainty=True, rng=3)
    rates = np.array([one.parameters for one in drawn.draws])
    assert rates[:, 0, 0].std() == pytest.approx(fit.std_err[0, 0], rel=0.4)
    assert "Forecast" in drawn.summary()


def test_fits_with_different_links_are_compared():
    table = hawkeys.compare({**FITS, "plain": hawkeys.fit(DATA, decay=2.0)})
    for name, fit in FITS.items():
        place = table.names.index(name)
        assert table.log_likelihood[place] == fit.log_likelihood
        assert table.n_parameters[place] == fit.estimates.size
        assert fit.aic == pytest.approx(2 * fit.estimates.size - 2 * fit.log_likelihood)
    given = hawkeys.fit_nonlinear(DATA, filters=FILTERS, link="softplus", n_given=1)
    with pytest.raises(InvalidParameterError, match="n_given 0 and 1"):
        hawkeys.compare(FITS["softplus"], given)
    with pytest.raises(InvalidParameterError, match="whether its filters contain"):
        hawkeys.likelihood_ratio_test(FITS["softplus"], FITS["softplus"])


SAVED = {
    "tents": {"filters": LogTimeFilters([0.1, 0.3, 0.8]), "memory": 2},
    "steps": {"filters": FILTERS, "link": "softplus", "baseline": Periodic([0.0, 5.0], 10.0)},
    "lasso": {"filters": LagFilters([0.0, 0.3, 0.6]), "penalty": inference.Lasso(3.0)},
    "weights": {"filters": FILTERS, "weights": [1.0, 2.0, 0.5], "n_given": 1},
}


@pytest.mark.parametrize("name", SAVED)
def test_what_is_saved_is_read_and_damage_is_seen(name, tmp_path):
    fit = hawkeys.fit_nonlinear(DATA, **SAVED[name])
    path = tmp_path / "fit.json"
    fit.save(path)
    again = hawkeys.load_result(path)
    assert again.params.equals(fit.params)
    assert again.summary() == fit.summary() or name == "lasso"
    assert again.process.log_likelihood(DATA) == fit.process.log_likelihood(DATA)
    np.testing.assert_array_equal(again.std_err, fit.std_err)
    text = path.read_text()
    path.write_text(re.sub(r'"n_iterations":\s*', '"n_iterations": 1', text))
    with pytest.raises(hawkeys.exceptions.ResultFileError, match="n_iterations"):
        hawkeys.load_result(path)
    path.write_text(re.sub(r'"converged":\s*true', '"converged": false', text))
    with pytest.raises(hawkeys.exceptions.ResultFileError, match="checksum"):
        hawkeys.load_result(path)


@pytest.mark.parametrize("ask", ["profile_interval", "sandwich_covariance", "edge_tests"])
def test_other_events_and_fits_that_stopped_short_are_refused(ask):
    with pytest.raises(InvalidParameterError, match="fitted to other events"):
        getattr(inference, ask)(FITS["softplus"], DATA[0])
    with pytest.warns(hawkeys.exceptions.ConvergenceWarning):
        short = hawkeys.fit_nonlinear(DATA, filters=FILTERS, link="softplus", max_iter=1)
    with pytest.raises(InvalidParameterError, match="needs a fit that converged"):
        getattr(inference, ask)(short, DATA)


@pytest.mark.parametrize("penalty", [1.0, inference.Ridge(2.0), inference.Lasso(3.0)])
def test_a_penalised_fit_is_asked_of_its_model(penalty):
    how = {"filters": FILTERS, "link": "softplus"}
    pulled = hawkeys.fit_nonlinear(DATA, penalty=penalty, **how)
    free = hawkeys.fit_nonlinear(DATA, penalty=0.0, **how)
    tests, expected = (inference.edge_tests(fit, DATA) for fit in (pulled, free))
    assert tests.method == "mle, from 'penalised mle'"
    np.testing.assert_allclose(tests.statistic, expected.statistic, rtol=1e-5)
    found, wanted = (inference.profile_interval(fit, DATA) for fit in (pulled, free))
    assert found.method == "mle, from 'penalised mle'"
    np.testing.assert_allclose(found.lower, wanted.lower, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(found.upper, wanted.upper, rtol=1e-4, atol=1e-6)


def test_the_sandwich_of_a_penalised_fit_is_that_of_its_objective():
    """The jackknife's influence: what the estimates do as a realisation's weight changes."""
    how = {"filters": FILTERS, "link": "softplus", "tolerance": 1e-12}
    events = hawkeys.simulate(SIGNED, end_time=60.0, n_realizations=6, rng=3)
    penalty = inference.Ridge(2.0)
    pulled = hawkeys.fit_nonlinear(events, penalty=penalty, **how)
    step, moved = 1e-4, []
    for r in range(6):
        each = []
        for sign in (1, -1):
            weights = np.ones(6)
            weights[r] += sign * step
            fit = hawkeys.fit_nonlinear(events, penalty=penalty, weights=weights, **how)
            each.append(fit.estimates)
        moved.append((each[0] - each[1]) / (2 * step))
    # all weights up together is the penalty down: the mean is what it pulls each realisation by
    moved = np.array(moved) - np.mean(moved, axis=0)
    expected = 6 / 5 * np.einsum("rip,riq->ipq", moved, moved)
    found = inference.sandwich_covariance(pulled, events)
    np.testing.assert_allclose(found.covariance, expected, rtol=1e-3, atol=1e-8)


def test_intervals_cover_the_truth_and_true_zeros_are_kept():
    """30 samples, 95 %: Wald and profile of 6 parameters each, and tests of a true 0 at 10 %."""
    inside, profiled, small = 0, 0, 0
    truth = np.column_stack((SIGNED.baseline, SIGNED.adjacency))
    for seed in range(30):
        sample = hawkeys.simulate(SIGNED, end_time=250.0, rng=100 + seed)
        fit = hawkeys.fit_rectified(sample, decay=2.0)
        lower, upper = fit.conf_int()
        inside += int(((lower <= truth) & (truth <= upper)).sum())
        chosen = np.zeros((2, 3), dtype=bool)
        chosen[0, 2] = True
        found = inference.profile_interval(fit, sample, parameters=chosen)
        profiled += int(found.lower[0, 2] <= -0.5 <= found.upper[0, 2])
        small += int(fit.pvalues[1, 0] < 0.1)
    assert inside >= 180 * 0.95 - 3 * np.sqrt(180 * 0.95 * 0.05) - 1
    assert profiled >= 26
    assert small <= 8


def test_wald_and_profile_agree_in_the_limit():
    """Ten times the data: the ends of both are within a tenth of a standard error."""
    sample = hawkeys.simulate(SIGNED, end_time=4000.0, rng=5)
    fit = hawkeys.fit_rectified(sample, decay=2.0)
    found = inference.profile_interval(fit, sample)
    reach = norm.ppf(0.975) * fit.std_err
    np.testing.assert_allclose(found.upper - fit.estimates, reach, rtol=0.1)
    np.testing.assert_allclose(fit.estimates - found.lower, reach, rtol=0.1)
