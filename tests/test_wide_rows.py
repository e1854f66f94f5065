"""Row problems of many columns: the solution of the other loops, certified by all columns."""

import numpy as np
import pytest

import hawkeys
from hawkeys._design.design import row_values
from hawkeys._jit import rows as compiled
from hawkeys._loops.choice import is_wide
from hawkeys._plain import rows as plain
from hawkeys._plain import wide_rows

LIMITS = 1e-9, 200, 1
NONE = np.empty((0, 0))


def problem(seed, n_columns=80, n_moments=6_000, *, rate=0.05, weighted=False, silent=False):
    """Return two sparse row problems, as arrays of a `Design`: thinned moments of gamma columns."""
    rng = np.random.default_rng(seed)
    matrix = rng.gamma(0.3, 1.0, (n_columns, n_moments))
    if silent:
        matrix[::7] = 0.0
    parts, costs = [], []
    for _ in range(2):
        true = np.where(rng.uniform(size=n_columns) < 0.15, rng.uniform(0.2, 0.5), 0.0)
        share = rate * (0.2 + true @ matrix)
        parts.append(matrix[:, rng.uniform(size=n_moments) < share])
        costs.append(rate * np.concatenate(([n_moments], matrix.sum(axis=1))))
    offsets = np.concatenate(([0], np.cumsum([part.shape[1] for part in parts])))
    weights = rng.uniform(0.0, 2.0, offsets[-1]) if weighted else np.empty(0)
    weights[::9] = 0.0
    return (np.concatenate([part.ravel() for part in parts]), weights, offsets), np.array(costs)


def solve(module, data, cost, shape, start=NONE):
    n_blocks, size = cost.shape
    out = (
        np.empty((n_blocks, size)),
        np.empty((n_blocks, 4)),
        np.empty((n_blocks, size, size)),
        np.empty((n_blocks, LIMITS[1])),
    )
    module.solve_rows(data, cost, shape, LIMITS, start, out, (0, n_blocks))
    return out


@pytest.mark.parametrize("other", [plain, compiled], ids=["plain", "compiled"])
@pytest.mark.parametrize("kind", [{}, {"weighted": True}, {"silent": True}], ids=str)
@pytest.mark.parametrize("exponent", [0.0, 0.5])
def test_the_solution_is_that_of_the_other_loops(kind, exponent, other):
    data, cost = problem(1, **kind)
    shape = np.full(cost.shape[1], exponent)
    found, expected = (solve(module, data, cost, shape) for module in (wide_rows, other))
    assert (found[1][:, 1] <= LIMITS[0]).all()
    np.testing.assert_allclose(found[1][:, 0], expected[1][:, 0], atol=2e-9, rtol=1e-13)
    np.testing.assert_allclose(found[0], expected[0], atol=1e-5)
    assert 0.1 < (found[0] > 1e-9).mean() < 0.6 or exponent
    for b in range(2):
        v, weights = plain.row_of(data, cost.shape[1] - 1, b)
        q = v * np.sqrt(weights) / (found[0][b] @ v)
        curvature = q @ q.T * np.outer(cost[b] > 0, cost[b] > 0)
        moving = found[0][b] > 0
        curvature[moving, moving] += shape[moving] / found[0][b][moving] ** 2
        scale = 1e-11 * np.abs(curvature).max()
        np.testing.assert_allclose(found[2][b], curvature, rtol=1e-9, atol=scale)
    np.testing.assert_array_equal(found[2], found[2].transpose(0, 2, 1))
    trace = found[3][0][~np.isnan(found[3][0])]
    assert trace.size == found[1][0, 3]
    assert (np.diff(trace) > -1e-9).all()


@pytest.mark.parametrize("seed", range(20))
def test_the_certificate_counts_columns_that_do_not_move(seed):
    data, cost = problem(seed, n_columns=100, rate=0.02)
    x, report, _, _ = solve(wide_rows, data, cost, np.zeros(cost.shape[1]))
    gradient = np.zeros(cost.shape)
    value = row_values(data, cost, x, gradient)
    np.testing.assert_allclose(report[:, 0], value, rtol=1e-12)
    assert (report[:, 1] <= LIMITS[0]).all()
    # no column could rise, and those above 0 are at their optimum
    assert (gradient / cost <= 1e-4).all()
    assert (np.abs(gradient / cost)[x > 1e-6] < 1e-4).all()
    finer = compiled_optimum(data, cost)
    assert (finer - value <= 1e-8).all()


def compiled_optimum(data, cost):
    return solve(compiled, data, cost, np.zeros(cost.shape[1]))[1][:, 0]


def test_a_start_near_the_optimum_spares_steps_and_changes_nothing():
    data, cost = problem(3)
    shape = np.zeros(cost.shape[1])
    x, report, _, _ = solve(wide_rows, data, cost, shape)
    again = solve(wide_rows, data, cost, shape, start=x * 1.001)
    assert (again[1][:, 3] < report[:, 3]).all()
    np.testing.assert_allclose(again[1][:, 0], report[:, 0], atol=1e-8)
    # a start at which events are impossible is no obstacle
    away = np.zeros_like(x)
    away[:, 1] = 1.0
    n = data[2][1]
    data[0][:n] = np.where(np.arange(n) % 2, data[0][:n], 0.0)
    far = solve(wide_rows, data, cost, shape, start=away)
    np.testing.assert_allclose(far[1][:, 0], compiled_optimum(data, cost), atol=1e-8)


def test_a_row_without_events_is_zero():
    cost = problem(4)[1]
    empty = np.empty(0), np.empty(0), np.array([0, 0, 0])
    x, report, hessian, _ = solve(wide_rows, empty, cost, np.zeros(cost.shape[1]))
    assert not x.any()
    assert not report.any()
    assert not hessian.any()


def test_fewer_events_than_columns_have_an_optimum_too():
    data, cost = problem(5, n_columns=90, n_moments=600)
    report = solve(wide_rows, data, cost, np.zeros(cost.shape[1]))[1]
    assert (report[:, 1] <= LIMITS[0]).all()
    np.testing.assert_allclose(report[:, 0], compiled_optimum(data, cost), atol=2e-9)


def test_width_is_a_matter_of_size_alone():
    assert is_wide(np.array([0, 100, 200]), 64)
    assert not is_wide(np.array([0, 100, 200]), 63)
    assert not is_wide(np.array([0, 100, 120]), 64)  # fewer events than columns
    assert not is_wide(np.array([0, 100, 30_000]), 64)  # a long row


def test_a_wide_fit_is_the_maximum():
    size = 70
    rng = np.random.default_rng(0)
    adjacency = np.where(rng.uniform(size=(size, size)) < 0.05, 0.12, 0.0)
    truth = hawkeys.Hawkes(np.full(size, 0.4), adjacency, decay=1.5)
    events = hawkeys.simulate(truth, end_time=250.0, rng=1)
    result = hawkeys.fit(events, decay=1.5)
    assert result.optimality_gap <= size * 1e-6
    baseline, pairs = result.process.log_likelihood_gradient(events)
    cost = events.durations.sum()
    assert np.abs(baseline[result.process.baseline > 1e-4]).max() < 0.01 * cost
    at_zero = result.adjacency == 0.0
    assert at_zero.mean() > 0.5
    # at the bound the likelihood does not rise, above it it is flat: all in nats per excited event
    exposure = result.process.kernel.integrals(events).sum(axis=0)
    assert (pairs[at_zero] / exposure[at_zero] < 1e-3).all()
    assert (np.abs(pairs / exposure)[result.adjacency > 1e-3] < 1e-2).all()
