"""Profiles, sandwiches and edge tests of fits by other methods than maximum likelihood."""

import naive_uncertainty as naive
import numpy as np
import pytest
from scipy import optimize, stats

import hawkeys
from hawkeys._loops.variational import curvature_rows
from hawkeys.baselines import PiecewiseConstant
from hawkeys.exceptions import IdentifiabilityWarning, InvalidParameterError
from hawkeys.inference import (
    ElasticNet,
    GroupLasso,
    Lasso,
    Ridge,
    edge_tests,
    profile_interval,
    sandwich_covariance,
)
from hawkeys.inference.post_estimation import jackknife
from hawkeys.inference.post_estimation.fitted_rows import FittedRows
from hawkeys.inference.post_estimation.jackknife import posterior_influence
from hawkeys.kernels import LogNormal, SumExponential

DECAY = 1.5
CUT = stats.chi2.ppf(0.95, 1)
TRUTH = hawkeys.Hawkes([0.3, 0.2], [[0.2, 0.3], [0.0, 0.4]], decay=DECAY)
OPTIONS = {
    "plain": {},
    "weights": {"weights": np.linspace(0.2, 2.0, 8)},
    "support": {"support": [[True, False], [True, True]]},
    "a weight 0": {"weights": [0.0, 1.0, 1.0, 0.5, 1.0, 1.0, 2.0, 1.0]},
}
# log prior of a row and minus its slope and curvature, by definition
PRIORS = {
    "gamma": hawkeys.GammaPrior(shape=1.5, rate=2.0, baseline_shape=2.0, baseline_rate=3.0),
    "ridge": Ridge(20.0, baseline=5.0),
    "lasso": Lasso(4.0),
    "elastic net": ElasticNet(10.0, l1_ratio=0.3),
    "groups": GroupLasso(2.0, groups="target"),
    "groups of sources": GroupLasso(2.0, groups="source"),
}
PIECES = PiecewiseConstant([0.0, 8.0, 20.0])


@pytest.fixture(scope="module")
def events():
    return hawkeys.simulate(TRUTH, end_time=20.0, n_realizations=8, rng=6)


def fit(events, method, **options):
    return hawkeys.fit(events, decay=DECAY, method=method, **options)


def log_prior(name, x):
    """The log prior of the parameters (2, 3) of both targets, or minus the penalty."""
    base, pairs = x[:, 0], x[:, 1:]
    if name == "gamma":
        return np.sum(0.5 * np.log(pairs) - 2.0 * pairs) + np.sum(np.log(base) - 3.0 * base)
    if name == "ridge":
        return -10.0 * np.sum(pairs**2) - 2.5 * np.sum(base**2)
    if name == "lasso":
        return -4.0 * np.sum(pairs)
    if name == "elastic net":
        return -3.0 * np.sum(pairs) - 3.5 * np.sum(pairs**2)
    axis = 1 if name == "groups" else 0
    return -2.0 * np.sqrt(2.0) * np.sum(np.sqrt(np.sum(pairs**2, axis=axis)))


def objective(data, name, x):
    with np.errstate(divide="ignore"):
        return sum(naive.log_likelihood(data[i], x[i]) for i in range(2)) + log_prior(name, x)


def maximum(data, name, start, held):
    """The largest objective with some entries of the start held; by L-BFGS-B from near there."""
    open_ = np.argwhere(~held)

    def loss(part):
        x = start.copy()
        x[tuple(open_.T)] = part
        value = -objective(data, name, x)
        return value if np.isfinite(value) else 1e10

    begin = np.maximum(start[tuple(open_.T)], 1e-3)
    for _ in range(3):
        found = optimize.minimize(
            loss, begin, method="L-BFGS-B", bounds=[(1e-12, None)] * len(open_),
            options={"ftol": 1e-15, "gtol": 1e-9, "eps": 1e-7, "maxiter": 2000},
        )  # fmt: skip
        begin = found.x
    return -found.fun


class TestProfileOfAPosterior:
    @pytest.mark.parametrize("name", ["gamma", "ridge", "lasso", "elastic net"])
    def test_it_falls_by_the_cut_off_at_each_end(self, events, name):
        result = fit(events, "map", prior=PRIORS[name], tolerance=1e-12)
        found = profile_interval(result, events)
        data = [naive.row_data(events, DECAY, i) for i in range(2)]
        best = objective(data, name, np.maximum(result.estimates, 1e-300))
        for i, p in np.ndindex(2, 3):
            held = np.zeros((2, 3), dtype=bool)
            held[i, p] = held[1 - i] = True
            for end in {found.lower[i, p], found.upper[i, p]} - {0.0}:
                at = result.estimates.copy()
                at[i, p] = end
                fall = 2.0 * (best - maximum(data, name, np.maximum(at, 1e-300), held))
                assert fall == pytest.approx(CUT, abs=2e-4)
            assert found.lower[i, p] <= result.estimates[i, p] < found.upper[i, p]
        assert found.method == "map"
        expected = "log posterior" if name == "gamma" else "penalised log-likelihood"
        assert found.objective == expected
        assert repr(found).endswith(f"n_parameters=6, {expected}, method='map')")

    def test_zero_is_judged_as_any_other_value(self, events):
        found = profile_interval(fit(events, "map", prior=Ridge(20.0)), events)
        assert found.cutoff_at_zero == found.cutoff == pytest.approx(CUT)
        assert np.array_equal(found.includes_zero, found.lower == 0.0)
        assert found.includes_zero.any()
        # a Gamma prior of shape above 1 is 0 there
        found = profile_interval(fit(events, "map"), events)
        assert (found.statistic_at_zero[:, 1:] == np.inf).all()
        assert not found.includes_zero[:, 1:].any()
        assert (found.lower > 0.0).all()

    def test_a_prior_that_says_nothing_gives_the_profile_of_the_likelihood(self, events):
        flat = hawkeys.GammaPrior(shape=1.0, rate=0.0)
        for prior in (flat, Ridge(1e-12), Lasso(1e-12)):
            found = profile_interval(fit(events, "map", prior=prior), events)
            expected = profile_interval(fit(events, "mle"), events)
            np.testing.assert_allclose(found.upper, expected.upper, rtol=1e-5)
            np.testing.assert_allclose(found.lower, expected.lower, rtol=1e-5, atol=1e-7)

    def test_what_is_tied_and_summed_has_one_interval(self, events):
        tied = [[0, 1, 2], [3, 2, 1]]
        found = profile_interval(fit(events, "map", prior=Ridge(20.0), tied=tied), events)
        assert found.upper[0, 1] == found.upper[1, 2]
        data = [naive.row_data(events, DECAY, i) for i in range(2)]
        result = fit(events, "map", prior=Ridge(20.0), tied=tied, tolerance=1e-12)

        def value(a, base, b):  # each of the tied entries bears its penalty twice
            x = np.array([[base[0], a, b], [base[1], b, a]])
            return sum(naive.log_likelihood(data[i], x[i]) for i in range(2)) - 20.0 * (a**2 + b**2)

        def along(a):
            start = [*result.baseline, max(result.adjacency[0, 1], 1e-3)]
            best = optimize.minimize(
                lambda y: -value(a, y[:2], y[2]), start, method="L-BFGS-B",
                bounds=[(1e-9, None)] * 3, options={"ftol": 1e-15, "gtol": 1e-9},
            )  # fmt: skip
            return -best.fun

        fall = 2.0 * (along(result.adjacency[0, 0]) - along(found.upper[0, 1]))
        assert fall == pytest.approx(CUT, abs=2e-4)
        kernel = SumExponential([1.0, 6.0])
        mixed = hawkeys.fit(events, kernel=kernel, method="map", prior=Ridge(5.0), tolerance=1e-12)
        ends = profile_interval(mixed, events)
        assert (ends.lower <= mixed.estimates).all()
        assert (ends.upper > mixed.estimates).all()

    def test_groups_are_refused(self, events):
        result = fit(events, "map", prior=PRIORS["groups"])
        with pytest.raises(InvalidParameterError, match=r"penalty with groups.*bootstrap"):
            profile_interval(result, events)

    def test_a_result_that_was_saved_gives_the_same(self, events, tmp_path):
        for prior in (PRIORS["gamma"], PRIORS["ridge"]):
            result = fit(events, "map", prior=prior, weights=OPTIONS["weights"]["weights"])
            result.save(tmp_path / "fit.json")
            again = hawkeys.load_result(tmp_path / "fit.json")
            for call, what in ((profile_interval, "upper"), (sandwich_covariance, "covariance")):
                expected = getattr(call(result, events), what)
                assert np.array_equal(getattr(call(again, events), what), expected, equal_nan=True)


OTHERS = {
    "map": {"method": "map"},
    "penalty": {"method": "map", "prior": Ridge(5.0)},
    "least_squares": {"method": "least_squares"},
    "vi": {"method": "vi"},
    "vi_branching": {"method": "vi_branching"},
    "vi_stochastic": {"method": "vi_stochastic", "n_steps": 500},
}
MODELS = {
    **OPTIONS,
    "decay by source": {"decay": [1.0, 3.0]},
    "pieces": {"baseline": PIECES},
    "tied": {"tied": [[0, 1, 2], [0, 2, 1]]},
    "kernel": {"decay": None, "kernel": LogNormal(-0.5, 0.7)},
    "two decays": {"decay": None, "kernel": SumExponential([1.0, 6.0])},
}


def same(found, expected, names):
    for name in names:
        np.testing.assert_allclose(
            getattr(found, name), getattr(expected, name), rtol=1e-5, atol=2e-6, err_msg=name
        )


class TestOfTheModel:
    @pytest.mark.parametrize("name", OTHERS)
    def test_they_equal_those_of_the_fit_by_maximum_likelihood(self, events, name):
        for key, model in MODELS.items():
            if name == "least_squares" and key in ("pieces", "tied", "kernel", "two decays"):
                continue
            options = {"decay": DECAY, **model}
            result = hawkeys.fit(events, **options, **OTHERS[name])
            best = hawkeys.fit(events, **options, tolerance=1e-10)
            found = edge_tests(result, events)
            assert found.method == f"mle, from {result.method!r}"
            assert f"method=\"mle, from '{result.method}'\"" in repr(found)
            same(found, edge_tests(best, events), ("estimates", "statistic", "pvalues"))
            if result.method == "map":
                continue  # it has a profile of its own
            ends = profile_interval(result, events)
            assert (ends.method, ends.objective) == (found.method, "log-likelihood")
            expected = profile_interval(best, events)
            same(ends, expected, ("estimates", "lower", "upper", "statistic_at_zero"))
            assert np.array_equal(ends.includes_zero, expected.includes_zero)

    def test_a_decay_that_was_estimated_is_estimated_again(self, events):
        for sharing in ("shared", "source"):
            result = fit_decay(events, sharing, method="map", prior=Ridge(20.0))
            best = fit_decay(events, sharing)
            assert not np.allclose(result.kernel.decay, best.kernel.decay, rtol=1e-3)
            same(edge_tests(result, events), edge_tests(best, events), ("statistic",))
        grid = {"decay_grid": [0.5, 1.0, 2.0, 4.0]}
        result = hawkeys.fit(events, method="map", **grid)
        best = hawkeys.fit(events, **grid)
        same(edge_tests(result, events), edge_tests(best, events), ("statistic",))

    def test_a_decay_for_every_pair_is_refused_all_the_same(self, events):
        with pytest.warns(IdentifiabilityWarning, match="some decays are not identified"):
            result = fit_decay(events, "pair", method="map")
        with pytest.raises(InvalidParameterError, match="without excitation a pair has no kernel"):
            edge_tests(result, events)

    @pytest.mark.parametrize("method", ["map", "vi", "least_squares"])
    def test_other_events_are_refused(self, events, method):
        for call in (edge_tests, profile_interval, sandwich_covariance):
            with pytest.raises(InvalidParameterError, match="fitted to other events"):
                call(fit(events, method), events[:5])

    def test_row_problems_of_a_likelihood_are_not_those_of_another_method(self, events):
        with pytest.raises(InvalidParameterError, match=r"needs a fit by 'mle' or 'map'.*by 'vi'"):
            FittedRows.check(fit(events, "vi"), events, "this")

    def test_a_fit_by_maximum_likelihood_is_taken_as_it_is(self, events):
        result = fit(events, "mle")
        assert edge_tests(result, events).method == "mle"
        assert profile_interval(result, events).method == "mle"
        assert "method" not in repr(edge_tests(result, events))


def fit_decay(events, sharing, **options):
    return hawkeys.fit(events, decay="estimate", decay_sharing=sharing, **options)


def test_a_kernel_that_vi_estimated_is_estimated_again():
    truth = hawkeys.Hawkes([0.4], [[0.5]], kernel=LogNormal(-1.0, 0.4))
    sample = hawkeys.simulate(truth, end_time=300.0, n_realizations=2, rng=0)
    result = hawkeys.fit(sample, kernel=LogNormal(), method="vi_branching")
    found = edge_tests(result, sample)
    expected = edge_tests(hawkeys.fit(sample, kernel=LogNormal()), sample)
    assert found.statistic[0, 0] == pytest.approx(expected.statistic[0, 0], rel=1e-6)
    assert found.statistic[0, 0] > 20.0
    # the sandwich is of the posterior itself, the kernel held
    robust = sandwich_covariance(result, sample)
    assert np.array_equal(robust.estimates, result.estimates)


def m_estimate(events, name, x, weights):
    """Return the sandwich by the definition: numerical slopes and curvature of the objective."""
    data = [naive.row_data(events, DECAY, i, weights=weights) for i in range(2)]
    free = np.argwhere(x > 0)

    def value(part):
        y = np.where(x > 0, x, 1e-300)
        y[tuple(free.T)] = part
        return objective(data, name, y)

    at, size, step = x[tuple(free.T)], len(free), 1e-4
    hessian = np.empty((size, size))
    for a, b in np.ndindex(size, size):
        total = 0.0
        for s, t in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            moved = at.copy()
            moved[a] += s * step
            moved[b] += t * step
            total += s * t * value(moved)
        hessian[a, b] = total / (4.0 * step**2)
    kept = np.asarray(weights) > 0
    each = np.stack([naive.scores(data[i], x[i])[kept] for i in range(2)], axis=1)
    each = each[:, free[:, 0], free[:, 1]]
    each = each - each.mean(axis=0)
    count = kept.sum()
    inverse = np.linalg.inv(hessian)
    return free, count / (count - 1) * inverse @ (each.T @ each) @ inverse


class TestSandwich:
    @pytest.mark.parametrize("name", PRIORS)
    @pytest.mark.parametrize("weights", ["plain", "a weight 0"])
    def test_it_is_what_the_formula_says(self, events, name, weights):
        options = OPTIONS[weights]
        result = fit(events, "map", prior=PRIORS[name], tolerance=1e-12, **options)
        found = sandwich_covariance(result, events)
        given = options.get("weights", np.ones(8))
        free, expected = m_estimate(events, name, result.estimates, given)
        for i in range(2):
            own = np.flatnonzero(free[:, 0] == i)
            index = free[own, 1]
            part = found.covariance[i][np.ix_(index, index)]
            np.testing.assert_allclose(part, expected[np.ix_(own, own)], rtol=2e-4, atol=1e-9)
        assert np.array_equal(np.isnan(found.std_err), result.estimates == 0)
        assert found.n_realizations == int((np.asarray(given) > 0).sum())
        assert repr(found).endswith("method='map')")

    def test_what_a_prior_alone_determines_has_none(self):
        silent = hawkeys.Events.from_lists(
            [[[1.0, 1.5, 4.0], []], [[0.5, 2.0], []], [[3.0, 3.1], []]], end_times=10.0
        )
        for method in ("map", "vi_branching"):
            result = hawkeys.fit(silent, decay=1.0, method=method)
            assert result.identified[0, 2]
            found = sandwich_covariance(result, silent)
            assert np.isnan(found.std_err[:, 2]).all()
            assert np.isfinite(found.std_err[0, :2]).all()

    @pytest.mark.parametrize("name", OPTIONS)
    def test_of_least_squares(self, events, name):
        options = OPTIONS[name]
        result = fit(events, "least_squares", **options)
        found = sandwich_covariance(result, events)
        weights = np.array(options.get("weights", np.ones(8)))
        kept = np.flatnonzero(weights > 0)
        # derivatives of the contrast by fits to weighted realisations: it is quadratic
        alone = [
            hawkeys.fit(events[r], decay=DECAY, method="least_squares", **{
                key: value for key, value in options.items() if key == "support"})
            for r in kept.tolist()
        ]  # fmt: skip
        gram = np.array([0.5 * one.information for one in alone])
        linear = np.array([_linear(events, r, options.get("support")) for r in kept.tolist()])
        for i in range(2):
            free = np.flatnonzero(result.identified[i] & (result.estimates[i] > 0))
            scores = linear[:, i] - gram[:, i] @ result.estimates[i]
            scores = (weights[kept][:, None] * scores)[:, free]
            total = np.einsum("r,rpq->pq", weights[kept], gram[:, i])[np.ix_(free, free)]
            np.testing.assert_allclose(scores.sum(axis=0), 0.0, atol=1e-9)
            inverse, count = np.linalg.inv(total), kept.size
            expected = count / (count - 1) * inverse @ (scores.T @ scores) @ inverse
            part = found.covariance[i][np.ix_(free, free)]
            np.testing.assert_allclose(part, expected, rtol=1e-8)

    def test_of_least_squares_is_the_covariance_of_the_result_on_many_realisations(self):
        sample = hawkeys.simulate(TRUTH, end_time=20.0, n_realizations=1_000, rng=0)
        result = fit(sample, "least_squares")
        ratio = sandwich_covariance(result, sample).std_err / result.std_err
        assert np.nanmax(np.abs(ratio - 1.0)) < 0.08


def _linear(events, realization, support):
    """The sums over a realisation's events of (1, c), target by target."""
    out = np.zeros((2, 3))
    for i in range(2):
        vectors, *_ = naive.row_data(events[realization], DECAY, i, support=support)
        out[i] = vectors.sum(axis=0)
    return out


VARIATIONAL = {
    "vi": ({"method": "vi"}, 1e-6),
    "likelihood weight": ({"method": "vi", "likelihood_weight": 3.0}, 1e-6),
    "half-normal": ({"method": "vi", "prior_coefficient": 0.5}, 1e-6),
    "relevance": ({"method": "vi", "relevance_determination": True}, 1e-6),
    "pieces": ({"method": "vi", "baseline": PIECES}, 1e-6),
    "two decays": ({"method": "vi", "decay": None, "kernel": SumExponential([1.0, 6.0])}, 1e-5),
    "tied": ({"method": "vi", "tied": [[0, 1, 2], [3, 2, 1]]}, 1e-6),
    "branching": ({"method": "vi_branching"}, 1e-6),
    "branching, pieces": ({"method": "vi_branching", "baseline": PIECES}, 1e-6),
    "branching, tied": ({"method": "vi_branching", "tied": [[0, 1, 2], [3, 2, 1]]}, 1e-6),
    # the variances in common are found to the precision of a quasi-Newton method
    "relevance by row": (
        {"method": "vi", "relevance_determination": True, "prior_sharing": "row"}, 1e-3,
    ),
    "relevance of all": (
        {"method": "vi", "relevance_determination": True, "prior_sharing": "all"}, 1e-3,
    ),
}  # fmt: skip


class TestJackknife:
    @pytest.mark.parametrize("name", VARIATIONAL)
    def test_it_is_the_derivative_of_fits_by_weights(self, events, name):
        options, near = VARIATIONAL[name]
        options = {"decay": DECAY, "tolerance": 1e-12, **options}
        weights = np.linspace(0.5, 1.5, 8)
        result = hawkeys.fit(events, weights=weights, **options)
        found = posterior_influence(result, events)
        step = 0.03 if near > 1e-4 else 3e-3
        for r in (1, 6):
            moved = []
            for sign in (2, 1, -1, -2):
                changed = weights.copy()
                changed[r] *= np.exp(sign * step)
                moved.append(hawkeys.fit(events, weights=changed, **options).estimates)
            by_weight = (8.0 * (moved[1] - moved[2]) - moved[0] + moved[3]) / (12.0 * step)
            np.testing.assert_allclose(found[r], by_weight, atol=near)
            assert np.abs(by_weight).max() > 0.01
        covariance = sandwich_covariance(result, events).covariance
        centred = found - found.mean(axis=0)
        expected = 8 / 7 * np.einsum("rip,riq->ipq", centred, centred)
        known = ~np.isnan(covariance)
        np.testing.assert_allclose(covariance[known], expected[known], rtol=1e-9)
        assert known.any()

    def test_of_the_stochastic_form_it_is_that_of_the_optimum(self, events):
        slow = {"n_steps": 4_000, "learning_rate_factor": 0.999}
        fixed = {"relevance_determination": False, "prior_coefficient": 0.5}
        result = fit(events, "vi_stochastic", **slow, **fixed)
        found = sandwich_covariance(result, events)
        expected = sandwich_covariance(fit(events, "vi", prior_coefficient=0.5), events)
        np.testing.assert_allclose(found.covariance, expected.covariance, rtol=1e-4)
        assert np.array_equal(found.estimates, result.estimates)
        determined = fit(events, "vi_stochastic", **slow)
        robust = sandwich_covariance(determined, events)
        assert np.array_equal(np.isnan(robust.std_err), determined.at_bound)
        expected = sandwich_covariance(fit(events, "vi", relevance_determination=True), events)
        both = ~(np.isnan(robust.std_err) | np.isnan(expected.std_err))
        np.testing.assert_allclose(robust.std_err[both], expected.std_err[both], rtol=1e-3)

    def test_other_draws_change_little(self, events):
        others = [
            sandwich_covariance(fit(events, "vi", rng=seed), events).std_err for seed in (0, 1, 2)
        ]
        np.testing.assert_allclose(others[1], others[0], rtol=1e-5)
        wide = sandwich_covariance(fit(events, "vi", n_draws=2_000), events).std_err
        np.testing.assert_allclose(others[0], wide, rtol=0.1)

    def test_what_is_no_maximum_is_refused(self, events, monkeypatch):
        result = fit(events, "vi")

        def saddle(*given):
            return -curvature_rows(*given)

        monkeypatch.setattr(jackknife.loops, "curvature_rows", saddle)
        with pytest.raises(InvalidParameterError, match=r"row problem 0 has no proper maximum"):
            sandwich_covariance(result, events)

    @pytest.mark.parametrize("method", ["vi", "vi_branching", "map"])
    def test_it_is_the_scatter_of_estimates_if_realisations_differ(self, method):
        # rates that change from one realisation to the next: no posterior of the model knows it
        rng = np.random.default_rng(3)
        errors, own, estimates = [], [], []
        for _ in range(60):
            rates = rng.gamma(4.0, 0.1, 60)
            lists = [[np.sort(rng.uniform(0.0, 30.0, rng.poisson(30.0 * rate)))] for rate in rates]
            sample = hawkeys.Events.from_lists(lists, end_times=30.0)
            result = hawkeys.fit(sample, decay=1.0, method=method, support=[[False]])
            errors.append(sandwich_covariance(result, sample).std_err[0, 0])
            own.append(result.std_err[0, 0])
            estimates.append(result.baseline[0])
        # variance of the mean rate: of the rates, and Poisson
        truth = np.sqrt((0.04 + 0.4 / 30.0) / 60)
        assert np.mean(errors) == pytest.approx(truth, rel=0.05)
        assert np.std(estimates) == pytest.approx(truth, rel=0.25)
        assert np.mean(own) < 0.6 * truth
