"""Linear-response covariances against tilts of the bound and against the exact posterior."""

import dataclasses

import naive_hawkes as naive
import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.special import polygamma

import hawkeys
from hawkeys._design import Design
from hawkeys._jit import variational as jit
from hawkeys._loops import variational as loops
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference import VIOptions
from hawkeys.inference.rows.bound import base_draws
from hawkeys.inference.rows.linear_response import linear_response
from hawkeys.inference.rows.variational import solve_vi
from hawkeys.kernels import Exponential

PROCESS = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.05, 0.5]], decay=2.0)
SEEDS = np.zeros(2, dtype=np.int64)
FIXED = VIOptions(relevance_determination=False, prior_coefficient=2.0, tolerance=1e-13)


@pytest.fixture(scope="module")
def design():
    events = hawkeys.simulate(PROCESS, end_time=60.0, n_realizations=2, rng=1)
    return Design.build(events, Exponential(2.0))


def test_covariance_is_the_answer_of_the_means_to_a_tilt(design):
    """A tilt t * theta of the log posterior is a smaller cost."""
    found = solve_vi(design, FIXED, SEEDS, keep=True)
    step = 1e-3 * design.cost[:, 0].min()
    for p in range(3):
        means = []
        for sign in (1.0, -1.0):
            cost = design.cost.copy()
            cost[:, p] -= sign * step
            tilted = dataclasses.replace(design, cost=cost)
            means.append(solve_vi(tilted, FIXED, SEEDS, keep=False).x)
        slopes = (means[0] - means[1]) / (2.0 * step)
        # second order in the step: the error is about (step * sd)^2
        np.testing.assert_allclose(found.covariance[:, :, p], slopes, rtol=2e-3, atol=1e-7)


def test_log_covariance_is_the_answer_of_the_locations_to_a_tilt():
    """The bound is the naive one, raised by a general optimiser."""
    draws = base_draws(8, 3, 0)
    short = Design.build(hawkeys.simulate(PROCESS, end_time=8.0, rng=1), Exponential(2.0))
    found = solve_vi(short, dataclasses.replace(FIXED, n_draws=8), SEEDS, keep=True)
    start = np.stack((found.posterior.location[0], np.log(found.posterior.scale[0])))

    def locations(tilt):
        def loss(point):
            a, b = point.reshape(2, 3)
            bound = naive.variational_bound(a, np.exp(b), short.block(0), short.cost[0], 2.0, draws)
            return -bound - tilt @ a

        return minimize(loss, start.ravel(), method="BFGS", options={"gtol": 1e-7}).x[:3]

    for p, tilt in enumerate(0.02 * np.eye(3)):
        slopes = (locations(tilt) - locations(-tilt)) / 0.04
        np.testing.assert_allclose(found.log_covariance[0, p], slopes, rtol=5e-3, atol=1e-3)


def exact_log_covariance(design, coefficient):
    """Covariance of the log-parameters (D = 1) by quadrature over the exact posterior."""
    mode = np.log(solve_vi(design, FIXED, SEEDS, keep=False).x[0])
    grids = [
        np.linspace(m - w, m + v, 300) for m, w, v in zip(mode, (1, 2.5), (1, 1.2), strict=True)
    ]
    logs = np.stack(np.meshgrid(*grids, indexing="ij"), axis=-1).reshape(-1, 2)
    theta = np.exp(logs)
    density = -theta @ design.cost[0] - (theta**2).sum(axis=1) / coefficient + logs.sum(axis=1)
    for c in design.block(0)[0]:
        density += np.log(theta @ np.array([1.0, c]))
    weights = np.exp(density - density.max())
    return np.cov(logs.T, aweights=weights, ddof=0), np.cov(theta.T, aweights=weights, ddof=0)


def test_against_the_exact_posterior():
    events = hawkeys.simulate(hawkeys.Hawkes([0.5], [[0.5]], decay=1.0), end_time=400.0, rng=3)
    design = Design.build(events, Exponential(1.0))
    found = solve_vi(design, dataclasses.replace(FIXED, n_draws=200), SEEDS, keep=True)
    exact_log, exact = exact_log_covariance(design, 2.0)
    np.testing.assert_allclose(found.log_covariance[0], exact_log, rtol=0.08)
    np.testing.assert_allclose(found.covariance[0], exact, rtol=0.08)
    # independent marginals are too narrow by the correlation, here about -0.6
    narrow = found.posterior.scale[0] ** 2 / np.diag(exact_log)
    correlation = exact_log[0, 1] / np.sqrt(exact_log[0, 0] * exact_log[1, 1])
    assert correlation < -0.5
    np.testing.assert_allclose(narrow, 1.0 - correlation**2, rtol=0.1)


@pytest.mark.parametrize("prior", [(0.3, 0, 0), (0, 0.4, 2.5), (0, 1.5, -1)])
def test_curvature_by_differences_of_the_slope(design, prior):
    draws = base_draws(16, 3, 0)
    params = np.stack((np.full((2, 3), -1.0), np.full((2, 3), -1.5)), axis=1)
    priors = np.broadcast_to(np.array(prior, dtype=float)[:, None], (2, 3, 3)).copy()
    arrays = design.excitation, design.weights, design.offsets, design.cost, priors, draws
    found = loops.curvature_rows(*arrays, params)[0]
    assert np.array_equal(found, found.T)
    terms = np.vstack((design.cost[0], priors[0]))
    problem = (design.block(0).ravel(), np.empty(0), np.arange(3), terms, draws)
    point, step = params[0].ravel(), 1e-3

    def value(at):
        return jit._bound(problem, at, np.empty((3, 16)), np.empty((3, 16)))

    for a, u in enumerate(step * np.eye(6)):
        for c, v in enumerate(step * np.eye(6)):
            second = value(point + u + v) - value(point + u - v)
            second += value(point - u - v) - value(point - u + v)
            assert found[a, c] == pytest.approx(-second / (4 * step**2), rel=1e-3, abs=1e-3)


def test_result_carries_it_and_files_keep_it(tmp_path):
    events = hawkeys.simulate(PROCESS, end_time=200.0, rng=0)
    result = hawkeys.fit(events, decay=2.0, method="vi")
    assert result.posterior_covariance.shape == (2, 3, 3)
    wide = np.diff(np.log(result.credible_interval()), axis=0)[0]
    narrow = np.diff(np.log(result.credible_interval(linear_response=False)), axis=0)[0]
    np.testing.assert_array_equal(result.credible_interval(), result.interval())
    np.testing.assert_array_equal(result.std_err, result.linear_response.sd)
    assert "linear response" in result.summary()
    assert (wide > narrow).all()
    moments = result.linear_response.mean_log, polygamma(1, result.linear_response.shape)
    np.testing.assert_allclose(moments[0], result.posterior.location, rtol=1e-12)
    variance = np.diagonal(result.log_covariance, axis1=1, axis2=2)
    np.testing.assert_allclose(moments[1], variance, rtol=1e-12)
    result.save(tmp_path / "fit.json")
    again = hawkeys.load_result(tmp_path / "fit.json")
    np.testing.assert_array_equal(again.log_covariance, result.log_covariance)
    np.testing.assert_array_equal(again.posterior_covariance, result.posterior_covariance)


def test_what_nothing_identifies_has_none():
    events = hawkeys.Events.from_lists([[[1.0, 2.0, 2.5], []]], end_times=4.0)
    with pytest.warns(hawkeys.exceptions.IdentifiabilityWarning):
        result = hawkeys.fit(events, decay=1.0, method="vi")
    silent = np.isnan(result.posterior.location)
    assert silent.any()
    diagonal = np.diagonal(result.posterior_covariance, axis1=1, axis2=2)
    assert np.array_equal(np.isnan(diagonal), silent)


def test_no_maximum_no_covariance(design):
    """The expected log intensities are not concave, and here nothing else is curved."""
    params = np.stack((np.full((2, 3), 3.0), np.full((2, 3), -8.0)), axis=1)
    prior = np.tile([[0.0], [1.0], [-1.0]], (2, 1, 3))
    cheap = dataclasses.replace(design, cost=1e-9 * design.cost)
    log_covariance, covariance = linear_response(cheap, params, prior, base_draws(8, 3, 0))
    assert np.isnan(log_covariance).all()
    assert np.isnan(covariance).all()


def test_the_stochastic_form_has_none(tmp_path):
    events = hawkeys.simulate(PROCESS, end_time=20.0, rng=0)
    result = hawkeys.fit(events, decay=2.0, method="vi_stochastic", n_steps=50)
    with pytest.raises(InvalidParameterError, match="of method 'vi_stochastic' and has none"):
        result.credible_interval(linear_response=True)
    result.save(tmp_path / "fit.json")
    assert hawkeys.load_result(tmp_path / "fit.json").log_covariance is None


@pytest.mark.parametrize("sharing", ["row", "all"])
def test_shared_coefficients_are_the_mean_of_their_group(sharing):
    events = hawkeys.simulate(PROCESS, end_time=200.0, rng=0)
    options = {"decay": 2.0, "method": "vi", "relevance_determination": True}
    result = hawkeys.fit(events, **options, prior_sharing=sharing)
    assert result.converged
    assert (np.diff(result.trace) >= 0).all()
    assert result.trace[-1] == pytest.approx(result.elbo, abs=1e-9)
    own = 2.0 * result.posterior.mean**2 * np.exp(result.posterior.scale**2)
    excites = np.array([False, True, True])
    groups = own[:, excites], own[:, ~excites]
    axis = 1 if sharing == "row" else None
    for group, mask in zip(groups, (excites, ~excites), strict=True):
        means = np.broadcast_to(group.mean(axis=axis, keepdims=True), group.shape)
        # the gain of the last round is below the tolerance, the change its square root
        np.testing.assert_allclose(result.prior_coefficient[:, mask], means, rtol=5e-3)
    # fewer hyper-parameters cannot reach a higher bound
    assert result.elbo < hawkeys.fit(events, **options).elbo


@pytest.mark.parametrize(("seed", "sharing"), [(3, "row"), (7, "all"), (15, "row")])
def test_shared_coefficients_near_0_are_found_too(seed, sharing):
    """Where a group fades the bound has a long shallow slope; 1e-3 nats and more were left."""
    adjacency = np.zeros((2, 2)) if seed % 2 else [[0.3, 0.1], [0.0, 0.5]]
    truth = hawkeys.Hawkes([0.4, 0.2], adjacency, decay=2.0)
    events = hawkeys.simulate(truth, end_time=8.0 if seed % 3 == 0 else 20.0, rng=seed)
    options = {"decay": 2.0, "method": "vi", "relevance_determination": True}
    options["prior_sharing"] = sharing
    found = hawkeys.fit(events, **options)
    assert found.converged
    assert "the next step promises" in found.message
    best = hawkeys.fit(events, **options, tolerance=1e-9)
    assert found.elbo == pytest.approx(best.elbo, abs=5e-4)


@pytest.mark.parametrize("linear_response", [None, False])
def test_what_was_switched_off_has_no_interval(linear_response):
    events = hawkeys.simulate(PROCESS, end_time=20.0, rng=0)
    result = hawkeys.fit(events, decay=2.0, method="vi", relevance_determination=True)
    off = result.at_bound
    assert off.any()
    np.testing.assert_array_equal(off, result.switched_off)
    np.testing.assert_array_equal(off, result.estimates == 0.0)
    lower, upper = result.credible_interval(linear_response=linear_response)
    for bound in (lower, upper, result.std_err):
        np.testing.assert_array_equal(np.isnan(bound), off)
    assert (lower[~off] < result.estimates[~off]).all()
    assert (result.estimates[~off] < upper[~off]).all()
    assert f"{off.sum()} estimates were switched off by relevance det" in result.summary()


def test_bad_sharing():
    with pytest.raises(InvalidParameterError, match="prior_sharing must be one of 'parameter', 'r"):
        VIOptions(relevance_determination=True, prior_sharing="column")


def test_priors_that_contradict_each_other():
    with pytest.raises(InvalidParameterError, match="sets the coefficient of every prior; got als"):
        VIOptions(relevance_determination=True, prior_coefficient=0.1)
    with pytest.raises(InvalidParameterError, match=r"is off. Add relevance_determination=True"):
        VIOptions(prior_sharing="row")
    with pytest.raises(InvalidParameterError, match="prior_coefficient"):
        VIOptions(prior_coefficient=0.0)
