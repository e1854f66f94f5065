"""Fifty random problems, most of them awkward: no other optimiser finds a better fit."""

import numpy as np
import pytest
from scipy.optimize import minimize

import hawkeys
from hawkeys._design import Design
from hawkeys._jit import rows
from hawkeys.inference.rows.newton import solve_mle
from hawkeys.kernels import Exponential

# small data: by plain loops, and by compiled ones
pytestmark = pytest.mark.usefixtures("loops")

KINDS = ["plain", "empty mark", "no excitation", "large entry", "ties", "epoch", "few", "burst"]
DECAY = 1.5
PROBLEMS = [(KINDS[k % len(KINDS)], k) for k in range(50)]


def truth_of(kind, size, rng):
    """A stable process; with a large entry one event of mark 1 has three children of mark 0."""
    adjacency = rng.uniform(0.1, 1.0, (size, size)) * (rng.random((size, size)) < 0.6)
    adjacency *= 0.6 / max(np.abs(np.linalg.eigvals(adjacency)).max(), 0.6)
    if kind == "no excitation":
        adjacency[:] = 0.0
    if kind == "large entry":
        adjacency = np.tril(adjacency)
        np.fill_diagonal(adjacency, 0.3)
        adjacency[0, 1:] = 3.0 / (size - 1)
        adjacency[1:, 0] = 0.0
    return hawkeys.Hawkes(rng.uniform(0.3, 1.0, size), adjacency, decay=DECAY)


def problem(kind, seed):
    """Events of one kind, one realisation."""
    rng = np.random.default_rng(seed)
    size = 2 + seed % 4
    end = 8.0 if kind == "few" else 60.0
    events = hawkeys.simulate(truth_of(kind, size, rng), end_time=end, rng=rng)
    times, marks, start = events.times, events.marks, 0.0
    if kind == "empty mark":
        marks = np.where(marks == size - 1, 0, marks)
    elif kind == "ties":
        times = np.round(times, 0 if seed % 2 else 1)
    elif kind == "epoch":
        start = 1.7e9
        times = times + start
    elif kind == "burst":
        times = end - 1e-6 * (end - times)
    return hawkeys.Events.from_arrays(
        times, marks, start_times=start, end_times=start + end + 1e-6, n_marks=size
    )


def best_row(matrix, cost, starts):
    """Return the largest log-likelihood of one row that L-BFGS-B finds, in z = cost * x."""
    if matrix.shape[1] == 0:
        return 0.0
    free = cost > 0
    scaled = np.vstack((np.ones(matrix.shape[1]), matrix))[free] / cost[free, None]

    def loss(z):
        rate = np.maximum(z @ scaled, 1e-300)
        return z.sum() - np.log(rate).sum(), 1.0 - scaled @ (1.0 / rate)

    total, size = matrix.shape[1], len(scaled)
    firsts = [np.full(size, total * share / size) for share in starts]
    runs = [
        minimize(
            loss,
            first,
            jac=True,
            method="L-BFGS-B",
            bounds=[(1e-9, None)] + [(0.0, None)] * (size - 1),
            options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 2_000, "maxfun": 5_000},
        )
        for first in firsts
    ]
    return -min(run.fun for run in runs)


@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.EventsWarning")
@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.IdentifiabilityWarning")
@pytest.mark.parametrize(("kind", "seed"), PROBLEMS)
def test_no_optimiser_finds_more(kind, seed):
    events = problem(kind, seed)
    result = hawkeys.fit(events, decay=DECAY)
    design = Design.build(events, Exponential(DECAY))
    best = sum(best_row(design.block(b), design.cost[b], (1.0,)) for b in range(design.n_blocks))
    assert result.converged
    assert best - result.log_likelihood < 1e-6
    assert result.optimality_gap < 1e-6
    assert design.log_likelihood(result.estimates).sum() == pytest.approx(
        result.log_likelihood, rel=1e-12, abs=1e-9
    )


@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.EventsWarning")
@pytest.mark.parametrize("kind", ["plain", "no excitation", "large entry", "ties"])
def test_tick_finds_no_more(tick, kind):
    """tick's own value of the likelihood, at its own optimum and at ours."""
    events = problem(kind, KINDS.index(kind))
    result = hawkeys.fit(events, decay=DECAY)
    model = tick.ModelHawkesExpKernLogLik(DECAY)
    model.fit(events.to_lists()[0], end_times=float(events.end_times[0]))
    size = events.n_marks
    found = minimize(
        model.loss_and_grad,
        np.full(size + size**2, 0.3),
        jac=True,
        method="L-BFGS-B",
        bounds=[(1e-9, None)] * (size + size**2),
        options={"ftol": 1e-15, "gtol": 1e-9, "maxiter": 2_000},
    )
    value = -(found.fun * events.n_events + size * events.end_times[0])
    assert value - result.log_likelihood < 1e-6
    mine = np.concatenate((result.baseline, result.adjacency.ravel()))
    at_mine = -(model.loss(mine) * events.n_events + size * events.end_times[0])
    assert at_mine == pytest.approx(result.log_likelihood, rel=1e-11)


def test_the_problems_are_as_awkward_as_they_say():
    tied = problem("ties", 4)
    share = np.mean(np.diff(tied.times) == 0)
    assert max(share, np.mean(np.diff(problem("ties", 13).times) == 0)) > 0.27
    rng = np.random.default_rng(3)
    large = truth_of("large entry", 3, rng)
    assert large.adjacency.max() > 1.0 > large.spectral_radius
    assert (problem("empty mark", 1).counts == 0).any()


@pytest.mark.parametrize("n_sources", [1, 2, 9])
@pytest.mark.parametrize("n", [3, 45, 512, 1_300])
@pytest.mark.parametrize("odd", [1.0, 0.0, 1e60])
@pytest.mark.parametrize("weighted", [False, True])
def test_sums_over_events_are_as_defined(n_sources, n, odd, weighted):
    """One division for four events, unless an intensity is extreme or there are weights."""
    rng = np.random.default_rng(0)
    excitation = rng.gamma(1.0, 1.0, (n_sources, n))
    excitation[:, n - 3] = odd
    weights = rng.integers(0, 3, n).astype(float) if weighted else np.empty(0)
    w = weights if weighted else np.ones(n)
    v, gram = np.zeros((9, n_sources + 1)), np.zeros((n_sources + 2, n_sources + 2))
    v[rows._X] = x = rng.uniform(0.1, 1.0, n_sources + 1)
    if n_sources > 2:
        x[2] = v[rows._X, 2] = 0.0
    tile = np.empty((n_sources + 3, max(8, min(n + 7, 512) // 8 * 8)))
    value = rows._accumulate(excitation.ravel(), weights, n, v, gram, tile)
    lam = x[0] + x[1:] @ excitation
    q = np.sqrt(w) * np.concatenate((np.ones((1, n)), excitation, lam[None])) / lam
    assert value == pytest.approx(w @ np.log(lam), rel=1e-13)
    # the last entry is of no use
    below = np.tril_indices(n_sources + 1)
    np.testing.assert_allclose(gram[below], (q @ q.T)[below], rtol=1e-12)
    np.testing.assert_allclose(gram[-1, :-1], (q @ q.T)[-1, :-1], rtol=1e-12)


@pytest.mark.parametrize("n_rows", [3, 4, 11])
def test_tiles_begin_with_a_line_of_the_cache(n_rows):
    tiles = [rows._aligned(n_rows, 8 * k) for k in range(1, 20)]
    assert all(tile.ctypes.data % 64 == 0 for tile in tiles)
    assert [tile.shape for tile in tiles] == [(n_rows, 8 * k) for k in range(1, 20)]


@pytest.mark.parametrize("kind", ["plain", "large entry", "few", "ties"])
@pytest.mark.parametrize("baseline", [0.0, 0.3])
def test_the_maximum_does_not_depend_on_the_start(kind, baseline):
    """Coordinates that start at 0 rise if they should, also where no event would be possible."""
    design = Design.build(problem(kind, KINDS.index(kind)), Exponential(DECAY))
    options, seeds = hawkeys.inference.MLEOptions(tolerance=1e-9), np.empty(0, dtype=np.int64)
    cold = solve_mle(design, options, seeds, keep=False)
    start = np.zeros_like(cold.x)
    start[:, 0] = baseline
    start[:, -1] = 0.1
    warm = solve_mle(design, options, seeds, keep=False, start=start)
    assert warm.converged.all()
    np.testing.assert_allclose(warm.objective, cold.objective, atol=2e-9, rtol=0)


def test_sums_over_the_first_events():
    excitation = np.random.default_rng(1).gamma(1.0, 1.0, (2, 30))
    v, gram, tile = np.zeros((9, 3)), np.zeros((4, 4)), np.empty((5, 16))
    v[rows._X] = 0.5
    value = rows._accumulate(excitation.ravel(), np.empty(0), 19, v, gram, tile)
    lam = 0.5 + 0.5 * excitation[:, :19].sum(axis=0)
    assert value == pytest.approx(np.log(lam).sum(), rel=1e-13)
    assert gram[3, 2] == pytest.approx((excitation[1, :19] / lam).sum(), rel=1e-13)


def test_rows_of_few_events_are_left_out_where_others_begin_on_a_part():
    rng = np.random.default_rng(2)
    sizes = np.array([30_000, 500])
    data = rng.gamma(1.0, 1.0, sizes.sum()), np.empty(0), np.append(0, np.cumsum(sizes))
    cost = np.array([[3e4, 3e4], [5e2, 5e2]])
    out = np.zeros((2, 2)), np.zeros((2, 4)), np.zeros((0, 2, 2)), np.zeros((0, 50))
    rows.solve_rows(data, cost, np.zeros(2), (1e-2, 50, 8), np.empty((0, 2)), out, (0, 2))
    assert (out[0][1] == 0).all()
    part, cost_of_part = data[0][:3_750], cost[0] / 8
    best = minimize(
        lambda x: cost_of_part @ x - np.log(x[0] + x[1] * part).sum(),
        out[0][0], method="L-BFGS-B", bounds=[(1e-9, None)] * 2,
    )  # fmt: skip
    assert -best.fun == pytest.approx(out[1][0, 0], abs=0.02)
    np.testing.assert_allclose(out[0][0], best.x, atol=0.01)


def test_a_step_that_rounding_left_below_its_bound_is_put_on_it():
    """The bound blocks at once, even where the step would lead away from it or not at all."""
    v, factor = np.zeros((9, 2)), np.empty((2, 2))
    v[rows._SLOPE], v[rows._FREE] = [1.0, 3.0], [1.0, 1.0]
    v[rows._LOWER] = [1e-300, -1.0]
    rows._newton_step(np.diag([1.0, 2.0]), v, factor)
    np.testing.assert_allclose(v[rows._STEP], [1e-300, 1.0], rtol=1e-8)
