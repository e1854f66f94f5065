"""Standard errors of kernel parameters, from the joint observed information."""

import naive_uncertainty_of_kernels as naive
import numpy as np
import pytest

import hawkeys
from hawkeys import Events
from hawkeys.exceptions import IdentifiabilityWarning, InvalidParameterError
from hawkeys.inference import EMOptions, KernelPrior
from hawkeys.inference.kernel.errors import colours
from hawkeys.inference.kernel.problem import EMProblem
from hawkeys.inference.kernel.setup import set_up
from hawkeys.kernels import Gamma, Histogram, LogNormal

BASELINE = np.array([0.3, 0.2])
ADJACENCY = np.array([[0.2, 0.5], [0.4, 0.1]])
TRUTH = LogNormal(-0.2, 0.5)
UNKNOWN = {"log-normal": LogNormal(), "gamma": Gamma()}
PRIORS = {"log-normal": LogNormal(0.1, 0.7), "gamma": Gamma(2.0, 3.0)}


def sample_of(kernel=TRUTH, *, end_time=100.0, n=2, seed=0):
    process = hawkeys.Hawkes(BASELINE, ADJACENCY, kernel=kernel)
    return hawkeys.simulate(process, end_time=end_time, n_realizations=n, rng=seed)


@pytest.mark.parametrize("name", UNKNOWN)
@pytest.mark.parametrize("weight", [None, 3.0])
def test_score_is_the_slope_of_the_objective(name, weight):
    """At random points, by groups, on short windows, with and without a prior."""
    events = sample_of(end_time=4.0, n=20)
    options = EMOptions(groups=[[0, 1], [1, 2]])
    prior = None if weight is None else KernelPrior(PRIORS[name], weight=weight)
    problem = EMProblem(
        **set_up(
            events, UNKNOWN[name], options, prior, support=[[1, 1], [1, 1]],
            weights=np.linspace(0.5, 2.0, 20),
        ),
        baseline_floor=0.0,
    )  # fmt: skip
    rng = np.random.default_rng(0)
    x = rng.uniform(0.2, 0.6, (2, 3))
    ones = np.ones(3)
    kernel = problem.step.start(rng.normal(0.0, 0.3, 3), rng.uniform(0.4, 0.8, 3))
    point = problem.step.pack(kernel, ones)

    def at(point):
        own = problem.step.unpack(point.ravel(), ones, kernel)
        return problem.evaluate(x, own, problem.window(own)), own

    state, own = at(point)
    score = problem.step.score(state.moments, own)
    for s, m in np.ndindex(point.shape):
        step = np.zeros_like(point)
        step[s, m] = 1e-5
        slope = (at(point + step)[0].objective - at(point - step)[0].objective) / 2e-5
        # the tails of gamma kernels are differences themselves
        assert score[s, m] == pytest.approx(slope, rel=1e-5, abs=1e-5)
    jacobian = problem.step.jacobian(own)
    for m in range(2):
        step = np.zeros_like(point)
        step[:, m] = 1e-6
        ahead, behind = (at(point + sign * step)[1] for sign in (1, -1))
        change = (np.array(ahead) - np.array(behind)).T / 2e-6
        np.testing.assert_allclose(jacobian[:, :, m], change, rtol=1e-7, atol=1e-8)


@pytest.mark.parametrize("name", UNKNOWN)
@pytest.mark.parametrize("groups", ["shared", [[0, 1], [1, 0]]])
def test_agrees_with_second_differences_of_the_likelihood(name, groups):
    events = sample_of()
    result = hawkeys.fit(events, kernel=UNKNOWN[name], groups=groups, tolerance=1e-8)
    shared = isinstance(groups, str)
    expected, kernel_errors = naive.standard_errors(
        events, result, np.zeros((2, 2), dtype=int) if shared else np.array(groups)
    )
    np.testing.assert_allclose(result.std_err, expected, rtol=2e-3)
    for own, values in zip(result.kernel_std_err.values(), kernel_errors, strict=True):
        assert own.shape == (() if shared else (2, 2))
        np.testing.assert_allclose(own, values[0, 0] if shared else values, rtol=2e-3)


def test_every_edge_its_own_kernel():
    support = np.array([[True, True], [True, False]])
    events = sample_of(end_time=200.0, seed=1)
    result = hawkeys.fit(events, kernel=LogNormal(), groups="edge", support=support, tolerance=1e-8)
    expected, kernel_errors = naive.standard_errors(events, result, np.arange(4).reshape(2, 2))
    np.testing.assert_allclose(result.std_err[0], expected[0], rtol=2e-3)
    for own, values in zip(result.kernel_std_err.values(), kernel_errors, strict=True):
        np.testing.assert_allclose(own[support], values[support], rtol=2e-3)
        assert np.isnan(own[~support]).all()


def test_estimating_the_kernel_costs_precision():
    events = sample_of()
    result = hawkeys.fit(events, kernel=LogNormal())
    held = hawkeys.fit(events, kernel=result.kernel)
    assert (result.std_err >= held.std_err * (1 - 1e-3)).all()
    assert (result.std_err > held.std_err * 1.001).any()


def test_groups_moved_together_do_not_meet():
    near = np.eye(5, dtype=bool) | np.eye(5, k=1, dtype=bool) | np.eye(5, k=-1, dtype=bool)
    parts = colours(near @ near, np.array([True, True, True, True, False]))
    assert [part.tolist() for part in parts] == [[0, 3], [1], [2]]
    many = colours(np.eye(100, dtype=bool), np.ones(100, dtype=bool))
    assert len(many) == 1


def test_the_intervals_cover():
    """In 20 samples, as a quick look; of 300 the docstring of `kernel_interval` reports."""
    hits = {"location": 0, "scale": 0}
    truth = LogNormal(-0.2, 0.3)
    process = hawkeys.Hawkes([0.3], [[0.5]], kernel=truth)
    for seed in range(20):
        events = hawkeys.simulate(process, end_time=400.0, rng=seed)
        intervals = hawkeys.fit(events, kernel=LogNormal()).kernel_interval()
        for name in hits:
            lower, upper = intervals[name]
            hits[name] += bool(lower < getattr(truth, name) < upper)
    assert min(hits.values()) >= 17  # nominally 19


def test_no_interval_at_a_bound():
    lags = np.arange(1.0, 60.0)
    events = Events.from_lists([[lags]], end_times=60.0)
    with pytest.warns(IdentifiabilityWarning, match="the kernel: its spread falls to min_spread"):
        result = hawkeys.fit(events, kernel=LogNormal(), min_spread=0.05)
    assert result.kernel.scale == pytest.approx(0.05)
    assert np.isnan(result.kernel_std_err["scale"])
    assert np.isnan(result.kernel_interval()["scale"][0])


def test_other_kernels_have_none(tmp_path):
    events = sample_of(n=1)
    for kernel in (Histogram(np.linspace(0.0, 4.0, 9)), TRUTH):
        result = hawkeys.fit(events, kernel=kernel)
        assert result.kernel_std_err is None
        assert result.kernel_interval() == {}


def test_without_events():
    events = Events.from_lists([[[], []]], end_times=4.0)
    with pytest.warns(hawkeys.exceptions.IdentifiabilityWarning):
        result = hawkeys.fit(events, kernel=LogNormal())
    assert np.isnan(result.kernel_std_err["location"])


def test_they_are_saved(tmp_path):
    result = hawkeys.fit(sample_of(), kernel=Gamma(), groups=[[0, 1], [1, 0]])
    assert np.isfinite(list(result.kernel_std_err.values())).all()
    result.save(tmp_path / "fit.json")
    again = hawkeys.load_result(tmp_path / "fit.json")
    for name in ("shape", "rate"):
        np.testing.assert_array_equal(again.kernel_std_err[name], result.kernel_std_err[name])


def test_bad_input():
    result = hawkeys.fit(sample_of(n=1), kernel=LogNormal())
    with pytest.raises(InvalidParameterError, match="level must be one number strictly between"):
        result.kernel_interval(95)
