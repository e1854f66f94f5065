"""Fits with steps, exponentials, changing baselines and penalties: optima, recovery, refusals."""

import numpy as np
import pytest
from scipy.optimize import minimize

import hawkeys
from hawkeys.baselines import Periodic, PiecewiseConstant
from hawkeys.exceptions import ConvergenceWarning, InvalidParameterError
from hawkeys.inference import ElasticNet, GroupLasso, Lasso, Ridge
from hawkeys.inference.nonlinear import climb as climb_module
from hawkeys.inference.nonlinear import fit as fit_module
from hawkeys.inference.nonlinear.climb import climb
from hawkeys.inference.nonlinear.terms import terms_of_targets
from hawkeys.process import LagFilters, LogTimeFilters, NonlinearHawkes

FILTERS = LagFilters([0.0, 0.05, 0.1, 0.3], [1.0])
DAY = Periodic([0.0, 6.0], 10.0)
TRUTH = NonlinearHawkes(
    [[1.0, 0.2], [0.0, 0.8]],
    [
        [
            [[-3.0, -1.0, 1.5, 0.3], [0.0, 0.0, 0.5, -0.3]],
            [[0.0, 0.0, 0.0, 0.0], [-3.0, 0.5, 0.5, -0.4]],
        ]
    ],
    FILTERS,
    link="softplus",
    pieces=DAY,
)
DATA = hawkeys.simulate(TRUTH, end_time=[200.0, 130.0], rng=1)
KINDS = {
    "softplus": {"link": "softplus", "baseline": DAY},
    "exponential": {"baseline": PiecewiseConstant([0.0, 60.0, 200.0])},
    "rough": {"link": "softplus", "penalty": 2.0},
    "ridge": {"link": "softplus", "penalty": Ridge(3.0, baseline=0.5)},
    "lasso": {"link": "softplus", "penalty": Lasso([[1.0, 5.0], [9.0, 2.0]])},
    "net": {"link": "exponential", "penalty": ElasticNet(4.0, l1_ratio=0.6), "baseline": DAY},
}


def cost(how, parts, target):
    """The penalty by its definition, for one target, whose parameters are two parts >= 0."""
    penalty, n_pieces = how.get("penalty", 0.0), 1 if "baseline" not in how else 2
    theta, absolute = np.subtract(*np.split(parts, 2)), np.add(*np.split(parts, 2))
    weights = theta[n_pieces:].reshape(2, FILTERS.n_filters)
    if isinstance(penalty, float):
        steps = np.column_stack((weights[:, :3], np.zeros(2)))
        return 0.5 * penalty * (np.diff(steps, axis=1) ** 2).sum()
    pair = np.repeat(np.broadcast_to(penalty.strength, (2, 2))[target], FILTERS.n_filters)
    strength = np.r_[np.full(n_pieces, penalty.baseline), pair]
    a = penalty.l1_share
    return strength @ (a * absolute + 0.5 * (1.0 - a) * theta**2)


def parts_of(theta):
    return np.r_[np.maximum(theta, 0.0), np.maximum(-theta, 0.0)]


OPEN = pytest.mark.filterwarnings("ignore::hawkeys.exceptions.IdentifiabilityWarning")
"""A refractory weight without any event is minus infinity, which is said."""


@OPEN
@pytest.mark.parametrize("kind", KINDS)
def test_the_optimum_is_that_of_another_optimiser_and_its_gap_is_a_bound(kind):
    """L-BFGS-B on positive and negative parts, from elsewhere; and random points."""
    how = KINDS[kind]
    fit = hawkeys.fit_nonlinear(DATA, filters=FILTERS, **how)
    assert fit.converged
    assert fit.optimality_gap < 1e-6
    assert fit.quadrature_error < 1e-7
    every = np.ones(2)
    terms = list(terms_of_targets(DATA, fit.process.predictor, fit.process.link, every))
    best, size = 0.0, fit.parameters.shape[1]
    rng = np.random.default_rng(0)
    for i, one in enumerate(terms):

        def value(theta, one=one, i=i):
            return one.weighted(theta)[0] - cost(how, parts_of(theta), i)

        def loss(parts, one=one, i=i):
            level, gradient, _ = one.weighted(np.subtract(*np.split(parts, 2)))
            each = 1e-6 * np.eye(parts.size)
            slopes = [(cost(how, parts + h, i) - cost(how, parts - h, i)) / 2e-6 for h in each]
            return cost(how, parts, i) - level, np.array(slopes) - np.r_[gradient, -gradient]

        found = minimize(
            loss, 0.5 * parts_of(fit.parameters[i]) + 0.01, jac=True, method="L-BFGS-B",
            bounds=[(0, 30)] * (2 * size), options={"maxiter": 1000, "ftol": 1e-13},
        )  # fmt: skip
        here = value(fit.parameters[i])
        best += here
        assert -found.fun <= here + fit.optimality_gap + 1e-9
        assert here + found.fun < 0.05  # and it comes near
        for _ in range(20):
            near = fit.parameters[i] + rng.normal(0.0, 0.3, size)
            assert value(near) <= here + fit.optimality_gap
    assert best == pytest.approx(fit.objective, rel=1e-10)


def test_gradient_and_curvature_by_differences():
    for link in ("exponential", "softplus"):
        every = np.array([1.0, 0.4])
        terms = next(terms_of_targets(DATA, TRUTH.predictor, link, every))
        theta = 0.3 * TRUTH.parameters[0]
        _, gradient, curvature = terms.weighted(theta)
        np.testing.assert_allclose(terms.scores(theta).sum(axis=0), gradient, rtol=1e-9)
        for k in range(theta.size):
            h = np.zeros_like(theta)
            h[k] = 1e-5
            up, down = terms.weighted(theta + h), terms.weighted(theta - h)
            assert gradient[k] == pytest.approx((up[0] - down[0]) / 2e-5, rel=1e-5, abs=1e-4)
            np.testing.assert_allclose(
                -curvature[k], (up[1] - down[1]) / 2e-5, rtol=1e-4, atol=1e-3
            )


@OPEN
def test_an_l1_penalty_sets_weights_to_zero_and_the_strongest_sets_all():
    fit = hawkeys.fit_nonlinear(DATA, filters=FILTERS, **KINDS["lasso"])
    zero = fit.parameters == 0.0
    assert zero[1, 1:5].all()  # the pair without influence, strength 9
    assert not zero[:, 0].any()
    assert np.isnan(fit.std_err[zero]).all()
    assert np.isfinite(fit.std_err[~zero]).all()
    none = hawkeys.fit_nonlinear(DATA, filters=FILTERS, link="softplus", penalty=Lasso(1e4))
    assert not none.process.weights.any()
    rate = DATA.counts.sum(axis=0) / DATA.durations.sum()
    np.testing.assert_allclose(np.logaddexp(0.0, none.process.baseline), rate, rtol=1e-6)


@OPEN
def test_parameters_are_recovered_and_intervals_cover():
    """20 parameters in 12 samples; the refractory weights, of few events, are negative."""
    inside, count = 0, 0
    for seed in range(12):
        sample = hawkeys.simulate(TRUTH, end_time=300.0, rng=10 + seed)
        fit = hawkeys.fit_nonlinear(sample, filters=FILTERS, link="softplus", baseline=DAY)
        lower, upper = fit.conf_int()
        known = np.isfinite(lower) & (TRUTH.parameters > -2.9)
        inside += int(((lower <= TRUTH.parameters) & (TRUTH.parameters <= upper))[known].sum())
        count += int(known.sum())
        assert fit.process.weights[0, [0, 1], [0, 1], 0].max() < -1.0
    assert count > 200
    assert inside >= count * 0.95 - 3.0 * np.sqrt(count * 0.95 * 0.05) - 2


@OPEN
def test_delay_and_inhibition_together_beat_the_rectified_process():
    """The right model is better by its likelihood and its residuals; the other is rejected."""
    right = hawkeys.fit_nonlinear(DATA, filters=FILTERS, link="softplus", baseline=DAY)
    wrong = hawkeys.fit_rectified(DATA, decay=2.0)
    assert right.aic < wrong.aic - 20.0
    assert hawkeys.goodness_of_fit(right, DATA, n_mc_samples=19).pvalue > 0.05
    assert hawkeys.goodness_of_fit(wrong, DATA, n_mc_samples=19).pvalue <= 0.05


@OPEN
def test_a_fit_in_another_unit_is_the_same():
    c = 1e3
    scaled = hawkeys.Events.from_arrays(
        c * DATA.times, DATA.marks, offsets=DATA.offsets, end_times=c * DATA.end_times
    )
    filters = LagFilters(c * FILTERS.edges, FILTERS.decays / c)
    one = hawkeys.fit_nonlinear(DATA, filters=FILTERS)
    other = hawkeys.fit_nonlinear(scaled, filters=filters)
    np.testing.assert_allclose(other.process.weights, one.process.weights, atol=1e-5)
    np.testing.assert_allclose(other.process.baseline, one.process.baseline - np.log(c), atol=1e-6)


def test_the_rectified_link_is_fit_rectified():
    fit = hawkeys.fit_nonlinear(DATA, filters=LagFilters(decays=[2.0]), link="rectified")
    same = hawkeys.fit_rectified(DATA, decay=2.0)
    assert isinstance(fit, type(same))
    np.testing.assert_array_equal(fit.estimates, same.estimates)


@OPEN
def test_weights_of_realisations_and_pieces_without_events():
    whole = hawkeys.fit_nonlinear(DATA, filters=FILTERS, link="softplus", weights=[1.0, 0.0])
    alone = hawkeys.fit_nonlinear(DATA[0], filters=FILTERS, link="softplus")
    known = alone.parameters > -20.0  # what is minus infinity ends anywhere below
    np.testing.assert_allclose(whole.parameters[known], alone.parameters[known], atol=1e-5)
    assert whole.objective == pytest.approx(alone.objective, abs=1e-7)
    late = hawkeys.Events.from_lists([[[6.0, 7.0, 9.5]]], end_times=10.0)
    with pytest.warns(hawkeys.exceptions.IdentifiabilityWarning):
        fit = hawkeys.fit_nonlinear(
            late, filters=LagFilters([0.0, 2.0]), baseline=PiecewiseConstant([0.0, 5.0, 10.0])
        )
    assert fit.at_bound[0].tolist() == [True, False, False]
    assert fit.process.inside[0, 0] < -20.0


@OPEN
def test_coarse_quadrature_is_refined_or_said():
    """Two events at once, then hundreds soon after: a weight far beyond what nodes can follow."""
    rng = np.random.default_rng(0)
    bursts = np.concatenate([t + rng.exponential(0.001, 300) for t in (1.0, 40.0)])
    data = hawkeys.Events.from_lists([[np.sort(bursts), [1.0, 40.0]]], end_times=80.0)
    with pytest.warns(ConvergenceWarning, match="the integral of the intensity is not precise"):
        hawkeys.fit_nonlinear(data, filters=LagFilters(decays=[0.5]), penalty=Ridge(1e-6))


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"penalty": GroupLasso(1.0)}, "must be a number, Ridge, Lasso or ElasticNet; got Group"),
        ({"penalty": Lasso(np.ones((3, 3)))}, r"Lasso: strength must have shape \(2, 2\)"),
        ({"by_order": True}, "by_order must be True or False with LogTimeFilters"),
        ({"memory": 2}, "with LagFilters all events have an influence"),
        ({"link": "rectified"}, "takes LagFilters of one decay, without edges"),
        ({"baseline": PiecewiseConstant([0.0, 50.0])}, "is not within the knots"),
        ({"filters": LagFilters(decays=[[1.0]])}, "decays have 1 rows, and there are 2 target"),
    ],
)
def test_wrong_options(how, message):
    with pytest.raises(InvalidParameterError, match=message):
        hawkeys.fit_nonlinear(DATA, **{"filters": FILTERS, **how})


@pytest.mark.parametrize("how", [{"penalty": Ridge(1.0)}, {"n_given": 1}])
def test_the_rectified_link_takes_neither_penalty_nor_given_events(how):
    with pytest.raises(InvalidParameterError, match="takes neither penalty nor n_given"):
        hawkeys.fit_nonlinear(DATA, filters=LagFilters(decays=[1.0]), link="rectified", **how)


def test_tents_take_changing_baselines_and_lasso():
    fit = hawkeys.fit_nonlinear(
        DATA, filters=LogTimeFilters([0.05, 0.1, 0.3]), memory=1, baseline=DAY, penalty=Lasso(2.0)
    )
    assert fit.converged
    assert fit.optimality_gap < 1e-6
    assert fit.places["source"].tolist()[:2] == ["[0, 6) mod 10", "[6, 10) mod 10"]


def many_windows(size):
    """Return so many short windows of a process with an inhibiting kernel."""
    filters = LogTimeFilters([0.1, 0.3, 1.0])
    truth = NonlinearHawkes([0.3], [[[[-1.5, 0.5]]]], filters, memory=1)
    return filters, hawkeys.simulate_nonlinear(truth, end_time=np.full(size, 5.0), rng=2)


def test_a_part_of_many_realisations_shows_the_way_to_the_same_optimum(monkeypatch):
    filters, data = many_windows(300)
    how = {"filters": filters, "memory": 1, "penalty": 0.5}
    seen = []
    monkeypatch.setattr(fit_module, "climb", lambda *args: seen.append(args[4][0]) or climb(*args))
    quick = hawkeys.fit_nonlinear(data, **how)
    assert seen == [1.0, 1e-8]  # a part, roughly, and all
    monkeypatch.setattr(fit_module, "_MANY", 10**9)
    slow = hawkeys.fit_nonlinear(data, **how)
    assert seen[2:] == [1e-8]
    assert quick.n_iterations < slow.n_iterations
    np.testing.assert_allclose(quick.process.weights, slow.process.weights, atol=1e-7)
    assert quick.objective == pytest.approx(slow.objective, abs=1e-8)


def test_who_asks_for_a_coarse_optimum_gets_one_that_is_near_and_unpolished(monkeypatch):
    filters, data = many_windows(40)
    counted = []
    monkeypatch.setattr(climb_module, "_polished", lambda *args: counted.append(1) or args[1])
    how = {"filters": filters, "memory": 1, "penalty": 0.5}
    coarse = hawkeys.fit_nonlinear(data, tolerance=1e-3, **how)
    assert not counted
    fine = hawkeys.fit_nonlinear(data, **how)
    assert counted
    assert coarse.converged
    assert 0.0 <= fine.objective - coarse.objective < 1e-3


def test_a_part_without_events_of_a_mark_shows_no_way(monkeypatch):
    """The rare mark has its events in realisations that the part leaves out."""
    filters, data = many_windows(300)
    rare = np.zeros(data.n_events, dtype=np.int64)
    rare[(data.realization % 8 == 1) & (np.arange(data.n_events) % 3 == 0)] = 1
    marked = hawkeys.Events.from_arrays(
        data.times, rare, offsets=data.offsets, end_times=data.end_times
    )
    how = {"filters": filters, "memory": 1, "penalty": 0.5}
    seen = []
    monkeypatch.setattr(fit_module, "climb", lambda *args: seen.append(args[4][0]) or climb(*args))
    found = hawkeys.fit_nonlinear(marked, **how)
    assert found.converged
    assert seen == [1.0, 1e-8, 1e-8]
