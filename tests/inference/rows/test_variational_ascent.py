"""Ascent of the evidence bound: leaving coordinates out, and taking them back, loses nothing."""

import numpy as np
import pytest

import hawkeys
from hawkeys._jit import variational as jit
from hawkeys.exceptions import IdentifiabilityWarning
from hawkeys.inference.rows.bound import base_draws

# small data: by plain loops, and by compiled ones
pytestmark = pytest.mark.usefixtures("loops")

NO_WEIGHTS = np.empty(0)


def problem_of(seed):
    """Return a random row problem (excitation, acting, terms, draws) and the usual start."""
    rng = np.random.default_rng(seed)
    size, width = rng.integers(2, 7), rng.integers(1, 8)
    matrix = rng.exponential(1.0, (size - 1, width)) * (rng.random((size - 1, width)) < 0.7)
    terms = np.zeros((4, size))
    terms[0] = rng.exponential(1.0, size) + 0.05
    acting, _ = jit._select(matrix.ravel(), NO_WEIGHTS, terms[0])
    share = np.log(width / size / terms[0, acting])
    start = np.concatenate((share, np.full(acting.size, np.log(0.3))))
    return matrix.ravel(), acting, terms, base_draws(16, int(size), 0), start


def raised(problem, start, leave):
    """Return F, the end point and the trace, with or without leaving coordinates out."""
    excitation, acting, terms, draws = problem
    point, trace = start.copy(), np.full(300, np.nan)
    if leave:
        whole = np.full((2, terms.shape[1]), np.nan)
        whole[:, acting] = point.reshape(2, -1)
        arguments = excitation, NO_WEIGHTS, acting, terms, draws, whole, 1e-6, trace
        value, gain, steps = jit._raise_acting(*arguments)
        point = whole[:, acting].ravel()
    else:
        arguments = (excitation, NO_WEIGHTS, acting, terms, draws), point, 1e-6, trace, False
        value, gain, steps, _ = jit._raise(*arguments)
    assert 0.0 <= gain <= 1e-6
    return value, point, trace[:steps]


def means(point):
    location, log_scale = np.split(point, 2)
    return np.exp(location + 0.5 * np.exp(2.0 * log_scale))


def test_the_same_optimum_as_without_leaving_out():
    gone = fewer = 0
    for seed in range(200):
        *problem, start = problem_of(seed)
        plain, _, plain_trace = raised(problem, start, leave=False)
        value, point, trace = raised(problem, start, leave=True)
        assert value == pytest.approx(plain, abs=2e-6), seed
        assert np.all(np.diff(trace) >= -1e-9), seed
        gone += np.sum(means(point) * problem[2][0, problem[1]] < 1e-9)
        fewer += plain_trace.size - trace.size
    assert gone > 200
    assert fewer > 1000


def test_a_coordinate_left_out_too_early_comes_back():
    """From a start where the baseline explains all, the parent is left out; in truth it rules."""
    matrix = np.full((1, 6), 5.0)
    terms = np.zeros((4, 2))
    terms[0] = 10.0, 0.5
    problem = matrix.ravel(), np.array([0, 1]), terms, base_draws(16, 2, 0)
    start = np.array([7.0, np.log(1e-3), np.log(0.1), np.log(0.1)])
    idx, draws = problem[1], problem[3]
    whole = matrix.ravel(), NO_WEIGHTS, idx, terms, draws
    *_, dying = jit._raise(whole, start.copy(), 1e-6, np.empty(300), True)
    assert dying.tolist() == [False, True]
    value, point, _ = raised(problem, start, leave=True)
    usual = np.array([np.log(0.3), np.log(6.0), np.log(0.3), np.log(0.3)])
    assert value == pytest.approx(raised(problem, usual, leave=False)[0], abs=2e-6)
    assert means(point)[1] == pytest.approx(6.0 / 0.5, rel=0.05)


@pytest.mark.parametrize("seed", range(20))
def test_wanted_is_the_sign_of_the_slope_at_zero(seed):
    excitation, acting, terms, draws, start = problem_of(seed)
    if acting.size < 3:
        acting, start = acting[:2], start[[0, 1, acting.size, acting.size + 1]]
    d = acting.size
    kept, gone = acting[:-1], acting[-1:]
    point = np.delete(start, [d - 1, 2 * d - 1])
    problem = excitation, NO_WEIGHTS, kept, terms, draws
    found = jit._wanted(problem, point, gone)

    def bound(level):
        quiet = jit._quiet(gone, terms, level)
        both = np.concatenate((point[: d - 1], quiet[:1], point[d - 1 :], quiet[1:]))
        idx = np.concatenate((kept, gone))
        room = np.empty((d, 16)), np.empty((d, 16))
        # its log theta and log s are constants of no interest here: level alone moves F
        return jit._bound((excitation, NO_WEIGHTS, idx, terms, draws), both, *room)

    assert found.tolist() == [bound(2e-4) > bound(1e-4)]


@pytest.mark.parametrize("changing", [False, True])
def test_events_of_weight_0_are_as_good_as_absent(changing):
    """Mark b has events where the weight is 0 only: all of its row is 0, and exactly so."""
    events = hawkeys.Events.from_lists(
        [[[0.5, 1.0, 2.2, 3.0], [], [1.1, 4.0]], [[0.3, 0.8], [0.5, 1.2, 2.0], [0.9]]],
        end_times=[5.0, 3.0],
    )
    options = {"decay": 2.0, "method": "vi", "relevance_determination": True}
    if changing:
        options["baseline"] = hawkeys.baselines.PiecewiseConstant([0, 1, 5])
    with pytest.warns(IdentifiabilityWarning):
        weighted = hawkeys.fit(events, **options, weights=[1.0, 0.0])
    with pytest.warns(IdentifiabilityWarning):
        alone = hawkeys.fit(events[:1], **options)
    np.testing.assert_array_equal(weighted.estimates[1], 0.0)
    np.testing.assert_array_equal(weighted.at_bound, alone.at_bound)
    np.testing.assert_allclose(weighted.estimates, alone.estimates, atol=2e-3)
    assert weighted.elbo == pytest.approx(alone.elbo, abs=3e-6)
