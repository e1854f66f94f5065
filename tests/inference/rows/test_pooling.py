"""Pooling of realisations: hyper-parameters, monotone bounds, prediction of held-out records."""

import math
from functools import lru_cache

import naive_hawkes as naive
import numpy as np
import pytest

import hawkeys
from hawkeys._design import Design
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.rows.ascent import Groups, Step, ascend
from hawkeys.inference.rows.bound import base_draws
from hawkeys.inference.rows.pooling import _gamma_shape, _GammaFamily, _LogNormalFamily
from hawkeys.kernels import Exponential

N = 40
SPREAD = 0.4


@lru_cache
def records(end_time, seed):
    """Return one record each of N sources whose log-parameters vary with sd 0.4."""
    rng = np.random.default_rng(4)
    baseline = np.exp(rng.normal(math.log(0.5), SPREAD, N))
    adjacency = np.exp(rng.normal(math.log(0.3), SPREAD, N))
    lists = [
        hawkeys.simulate(
            hawkeys.Hawkes([m], [[w]], decay=2.0), end_time=end_time, rng=[seed, r]
        ).to_lists()[0]
        for r, (m, w) in enumerate(zip(baseline, adjacency, strict=True))
    ]
    return hawkeys.Events.from_lists(lists, end_times=end_time), baseline, adjacency


def held_out(each, events):
    """Return the log-likelihood of each record under the process fitted to its source's other."""
    design = Design.build(events, Exponential(2.0), separate=True)
    return design.log_likelihood(np.column_stack((each.baseline, each.adjacency[:, 0])))


@pytest.mark.parametrize("method", ["vi", "map"])
def test_pooled_fits_predict_held_out_records_better(method):
    events, later = records(20.0, 1)[0], records(20.0, 2)[0]
    each = hawkeys.fit_each(events, decay=2.0, method=method, pooling="parameter")
    assert each.converged.all()
    assert (np.diff(each.pool.trace) > 0).all()
    pooled = held_out(each, later)
    for other in (method, "mle"):
        gain = pooled - held_out(hawkeys.fit_each(events, decay=2.0, method=other), later)
        gain = np.minimum(gain, 10.0)  # a likelihood of 0 would decide alone
        error = gain.std() / math.sqrt(N)
        # the default Gamma prior happens to suit the adjacency
        assert gain.mean() > (2.0 * error if other != "map" else 0.0)


@pytest.mark.parametrize("method", ["vi", "map"])
def test_hyper_parameters_are_recovered(method):
    events, baseline, adjacency = records(80.0, 3)
    pool = hawkeys.fit_each(events, decay=2.0, method=method, pooling="parameter").pool
    drawn = np.log([baseline, adjacency])
    if method == "vi":
        np.testing.assert_allclose(pool.location[0], drawn.mean(axis=1), atol=0.12)
        # 50 draws: the standard error of a standard deviation is a tenth of it
        np.testing.assert_allclose(pool.scale[0], drawn.std(axis=1), rtol=0.25)
    else:
        assert 0.6 / SPREAD**2 < pool.shape[0, 0] < 1.8 / SPREAD**2
    np.testing.assert_allclose(pool.mean[0], [baseline.mean(), adjacency.mean()], rtol=0.1)


def test_equal_sources_are_shrunk_to_one():
    truth = hawkeys.Hawkes([0.5], [[0.4]], decay=2.0)
    events = hawkeys.simulate(truth, end_time=30.0, n_realizations=30, rng=0)
    each = hawkeys.fit_each(events, decay=2.0, method="vi", pooling="parameter")
    whole = hawkeys.fit(events, decay=2.0)
    separate = hawkeys.fit_each(events, decay=2.0)
    assert each.adjacency.std() < 0.3 * separate.adjacency.std()
    assert each.adjacency.mean() == pytest.approx(whole.adjacency[0, 0], rel=0.1)
    assert (each.pool.scale >= 0.01).all()  # the documented floor


@pytest.mark.parametrize(("method", "name"), [("vi", "location"), ("map", "rate")])
def test_hyper_parameters_are_shared_as_told(method, name):
    process = hawkeys.Hawkes([0.5, 0.3], [[0.3, 0.1], [0.2, 0.3]], decay=2.0)
    events = hawkeys.simulate(process, end_time=10.0, n_realizations=3, rng=0)
    n_values = {}
    for pooling in ("row", "all"):
        each = hawkeys.fit_each(events, decay=2.0, method=method, pooling=pooling)
        values = getattr(each.pool, name)
        n_values[pooling] = len(np.unique(values))
        assert (values[:, 1] == values[:, 2]).all()
        assert (values[:, 0] != values[:, 1]).all()
    assert n_values == {"row": 4, "all": 2}


def test_what_a_realisation_does_not_identify_is_known_from_the_others():
    one, two = [[1.0, 1.2], [0.5]], [[0.3, 0.9, 1.1], []]
    events = hawkeys.Events.from_lists([one, two, one], end_times=2.0)
    vi = hawkeys.fit_each(events, decay=1.0, method="vi", pooling="parameter")
    assert not vi.identified[1, :, 2].any()
    np.testing.assert_allclose(vi.adjacency[1, :, 1], vi.pool.mean[:, 2])
    mode = hawkeys.fit_each(events, decay=1.0, method="map", pooling="parameter")
    expected = (mode.pool.shape - 1.0) / mode.pool.rate
    np.testing.assert_allclose(mode.adjacency[1, :, 1], expected[:, 2], rtol=1e-4)


def test_what_no_realisation_identifies_stays_unknown():
    events = hawkeys.Events.from_lists([[[1.0, 1.2], []], [[0.3, 0.9], []]], end_times=2.0)
    for method, names in (("vi", ("location", "scale")), ("map", ("shape", "rate"))):
        each = hawkeys.fit_each(events, decay=1.0, method=method, pooling="parameter")
        for name in names:
            assert np.isnan(getattr(each.pool, name)[:, 2]).all()
            assert np.isfinite(getattr(each.pool, name)[:, :2]).all()
        assert (each.adjacency[:, :, 1] == 0).all()


@pytest.mark.parametrize("method", ["vi", "map"])
def test_answer_does_not_depend_on_the_unit_of_time(method):
    events = records(20.0, 1)[0][:12]
    longer = hawkeys.Events.from_arrays(
        1e6 * events.times, events.marks, offsets=events.offsets, end_times=1e6 * events.end_times
    )
    options = {"method": method, "pooling": "all"}
    first = hawkeys.fit_each(events, decay=2.0, **options)
    second = hawkeys.fit_each(longer, decay=2e-6, **options)
    np.testing.assert_allclose(second.adjacency, first.adjacency, rtol=1e-3)
    np.testing.assert_allclose(1e6 * second.baseline, first.baseline, rtol=1e-3)


def test_log_normal_bound_against_naive():
    """The naive bound has half-normal priors; only the expected log prior is exchanged."""
    events = records(20.0, 1)[0][:4]
    each = hawkeys.fit_each(events, decay=2.0, method="vi", pooling="parameter", rng=1)
    design = Design.build(events, Exponential(2.0), separate=True)
    seed = np.random.SeedSequence(1).generate_state(4)[0]
    draws = base_draws(32, 2, int(seed))
    total = 0.0
    m, v = each.pool.location[0], each.pool.scale[0] ** 2
    for r in range(4):
        a, s = each.posterior.location[r, 0], each.posterior.scale[r, 0]
        bound = naive.variational_bound(a, s, design.block(r), design.cost[r], 1.0, draws)
        half_normal = -np.exp(2 * a + 2 * s**2) + math.log(2) - 0.5 * math.log(math.pi)
        normal = -a - 0.5 * np.log(2 * math.pi * v) - ((a - m) ** 2 + s**2) / (2 * v)
        total += bound + (normal - half_normal).sum()
    assert each.pool.trace[-1] == pytest.approx(total, abs=1e-8)
    assert each.objective.sum() == pytest.approx(total, abs=1e-8)


class _Fake:
    """Posteriors in one group each."""

    def __init__(self, n, size):
        self.groups = Groups(np.tile(np.arange(size), (n, 1)), size)
        self.used = np.ones((n, size), dtype=bool)


@pytest.mark.parametrize("family", [_LogNormalFamily, _GammaFamily])
def test_hyper_parameters_maximise_the_expected_log_prior(family):
    rng = np.random.default_rng(0)
    params = np.stack((rng.normal(-1, 0.6, (9, 2)), rng.normal(-1, 0.3, (9, 2))), axis=1)
    pooled = _Fake(9, 2)
    best = family.optimum(params, pooled)

    def value(point):
        prior, rate = family.prior(point, pooled.groups)
        return family.expected_log(prior, rate, params).sum()

    for step in 1e-2 * np.eye(4):
        assert value(best) > max(value(best + step), value(best - step))
        assert value(best + 0.1 * step) == pytest.approx(value(best - 0.1 * step), abs=1e-5)
    away = best + np.array([0.3, -0.2, 0.1, 0.4])
    slope = [(value(away + s) - value(away - s)) / 2e-4 for s in 1e-4 * np.eye(4)]
    np.testing.assert_allclose(family.slope(away, params, pooled), slope, rtol=1e-5)


def test_gamma_shape_solves_its_equation_within_the_limits():
    from scipy.special import digamma

    for shape in (1.5, 30.0, 5000.0):
        assert _gamma_shape(np.log(shape) - digamma(shape)) == pytest.approx(shape, rel=1e-6)
    assert _gamma_shape(np.array([5.0, 0.0])).tolist() == [1.0, 1e4]


def test_ascent_never_decreases_and_heeds_its_limits():
    def step(point, state):
        following = np.minimum(0.97 * point, [9.0, -1.0])
        return Step(state + 1, float(-(point**2).sum()), -2.0 * point, following)

    upper = np.array([9.0, -1.0])
    end = ascend(step, np.array([3.0, -2.0]), 0, upper=upper, tolerance=1e-10)
    assert end.converged
    np.testing.assert_allclose(end.point, [0.0, -1.0], atol=1e-6)
    assert (np.diff(end.trace) > 0).all()
    assert end.trace[-1] == pytest.approx(-1.0, abs=1e-9)
    assert end.state < 30  # plain steps would need 400


@pytest.mark.parametrize("seed", [1, 2])
def test_the_ascent_arrives_where_priors_are_narrow(seed):
    """With posteriors solved no closer than they are returned, it crept and gave up."""
    truth = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)
    many = hawkeys.simulate(truth, end_time=20.0, n_realizations=30, rng=seed)
    each = hawkeys.fit_each(many, decay=2.0, method="map", pooling="parameter")
    assert each.pool.converged
    assert each.converged.all()
    assert "trace" not in repr(each.pool)


def test_an_ascent_that_does_not_end_says_so():
    def step(point, state):
        return Step(None, float(point[0]), np.zeros(1), point + 1.0)

    assert not ascend(step, np.zeros(1), None, tolerance=0.1).converged


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"method": "mle"}, "pooling needs method 'vi' or 'map', which have priors"),
        ({"method": "vi", "pooling": "mean"}, "pooling must be one of 'parameter', 'row', 'all'"),
    ],
)
def test_bad_pooling(options, match):
    with pytest.raises(InvalidParameterError, match=match):
        hawkeys.fit_each([[1.0]], decay=1.0, end_time=2.0, **{"pooling": "row", **options})
