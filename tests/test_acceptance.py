"""What the library promises, checked end to end against independent oracles."""

import itertools
import json
import subprocess
import sys
import time

import numpy as np
import pytest
from scipy import integrate, optimize

import hawkeys
from hawkeys._design import Design
from hawkeys.datasets.timings import timings_to_events
from hawkeys.inference.rows.variational import evidence_bound
from hawkeys.kernels import Exponential

FIVE = ["s002", "s032", "s036", "s047", "s052"]

# the published decay is a kernel of 10 s in samples of 2 s
LARGE_RADII = pytest.mark.filterwarnings("ignore:the spectral radii of")


def random_process(size, seed, *, decay=1.5):
    rng = np.random.default_rng(seed)
    adjacency = rng.uniform(0.1, 1.0, (size, size))
    adjacency *= 0.6 / np.abs(np.linalg.eigvals(adjacency)).max()
    return hawkeys.Hawkes(rng.uniform(0.5, 1.0, size), adjacency, decay=decay)


def tick_log_likelihood(tick, process, events):
    """Return tick's log-likelihood: its loss is (-log L - total time of all marks) / n_events."""
    model = tick.ModelHawkesExpKernLogLik(float(process.kernel.decay))
    model.fit(events.to_lists()[0], end_times=float(events.end_times[0]))
    coefficients = np.concatenate((process.baseline, process.adjacency.ravel()))
    shift = events.n_marks * events.end_times[0]
    return -(model.loss(coefficients) * events.n_events + shift)


@pytest.mark.parametrize("size", [1, 3, 10])
def test_log_likelihood_equals_ticks(tick, size):
    process = random_process(size, seed=size)
    events = hawkeys.simulate(process, end_time=300.0, rng=1)
    expected = tick_log_likelihood(tick, process, events)
    assert process.log_likelihood(events) == pytest.approx(expected, rel=1e-10)
    transposed = hawkeys.Hawkes(process.baseline, process.adjacency.T, decay=1.5)
    if size > 1:  # negative control: the orientation matters and is the same as tick's
        assert abs(transposed.log_likelihood(events) - expected) > 1.0


@pytest.mark.parametrize("decay", [1.3, [1.3, 0.4], [[1.0, 2.0], [3.0, 0.5]]])
def test_gradient_by_differences(decay):
    truth = hawkeys.Hawkes([0.5, 0.3], [[0.2, 0.1], [0.3, 0.4]], decay=decay)
    events = hawkeys.simulate(truth, end_time=40.0, n_realizations=2, rng=3)

    def value(x):
        process = hawkeys.Hawkes(x[:2], x[2:].reshape(2, 2), decay=decay)
        return process.log_likelihood(events)

    x = np.concatenate((truth.baseline, truth.adjacency.ravel()))
    gradient = np.concatenate([part.ravel() for part in truth.log_likelihood_gradient(events)])
    steps = 1e-6 * np.eye(6)
    numeric = [(value(x + h) - value(x - h)) / 2e-6 for h in steps]
    np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-5)


def test_compensator_by_quadrature():
    truth = hawkeys.Hawkes([0.5, 0.3], [[0.2, 0.1], [0.3, 0.4]], decay=[1.3, 0.4])
    events = hawkeys.simulate(truth, end_time=12.0, rng=3)
    edges = np.concatenate(([0.0], events.times, [12.0]))
    for i in range(2):
        pieces = [
            integrate.quad(lambda t, i=i: truth.intensity(events, [t])[0, i], a, b)[0]
            for a, b in itertools.pairwise(edges)
        ]
        assert truth.compensator(events, [12.0])[0, i] == pytest.approx(sum(pieces), rel=1e-8)


def test_intervals_cover_the_truth_and_not_its_transpose():
    """150 fits: each Wald interval covers its own truth as often as it says (5 sigma)."""
    truth = hawkeys.Hawkes([0.5, 0.4], [[0.3, 0.25], [0.1, 0.4]], decay=2.0)
    wanted = np.column_stack((truth.baseline, truth.adjacency))
    swapped = np.column_stack((truth.baseline, truth.adjacency.T))
    hits = np.zeros((2, 2, 3))
    for seed in range(150):
        result = hawkeys.fit(hawkeys.simulate(truth, end_time=1500.0, rng=seed), decay=2.0)
        lower, upper = result.conf_int(0.95)
        hits[0] += (lower <= wanted) & (wanted <= upper)
        hits[1] += (lower <= swapped) & (swapped <= upper)
    assert (hits[0] / 150 > 0.95 - 5 * np.sqrt(0.95 * 0.05 / 150)).all()
    assert hits[0].mean() / 150 == pytest.approx(0.95, abs=0.03)
    assert hits[1, 0, 2] / 150 < 0.5
    assert hits[1, 1, 1] / 150 < 0.5


def lbfgs_optimum(design, block):
    """Return the maximum of one row problem by scipy, from several starts."""
    matrix, cost = design.block(block), design.cost[block]

    def loss(x):
        lam = x[0] + x[1:] @ matrix
        share = 1.0 / lam
        gradient = cost - np.concatenate(([share.sum()], matrix @ share))
        return cost @ x - np.log(lam).sum(), gradient

    best = -np.inf
    for start in (0.1, 1.0, 10.0):
        found = optimize.minimize(
            loss,
            np.full(cost.size, start),
            jac=True,
            method="L-BFGS-B",
            bounds=[(1e-12, None)] + [(0.0, None)] * (cost.size - 1),
            options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 5000, "maxfun": 20000},
        )
        best = max(best, -found.fun)
    return best


def degenerate(events):
    """Copies of typing samples with ties, one time for all, and a mark without events."""
    rows = events.times.reshape(-1, 22)
    marks = events.marks.reshape(-1, 22)
    coarse = np.round(rows, 1)
    same = np.broadcast_to(rows[:, -1:], rows.shape)
    fewer = np.where(marks == 3, 4, marks)
    made = [(coarse, marks), (same, marks), (rows, fewer)]
    return [
        hawkeys.Events.from_arrays(
            t.ravel(), m.ravel(), offsets=events.offsets, end_times=t[:, -1], n_marks=11
        )
        for t, m in made
    ]


@LARGE_RADII
@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.EventsWarning")  # a coarse clock
def test_fit_each_reaches_the_optimum_of_typing_samples(cmu):
    rng = np.random.default_rng(0)
    picked = timings_to_events(cmu.timings().to_numpy()[rng.choice(20_400, 60, replace=False)])
    for events in [picked, *degenerate(picked[:10])]:
        each = hawkeys.fit_each(events, decay=0.1)
        design = Design.build(events, Exponential(0.1), separate=True)
        best = [lbfgs_optimum(design, b) for b in range(design.n_blocks)]
        short = np.reshape(best, (-1, 11)).sum(axis=1) - each.log_likelihood
        assert each.converged.all()
        assert short.max() < 1e-6


def single_parents(events, posterior):
    """Return (row mask, K of its parent, marginals) where one parent explains a row's 2 events."""
    design = Design.build(events, Exponential(0.1), separate=True)
    cost = design.cost.reshape(-1, 11, 12)
    share = posterior.mean * cost
    parent = share.argmax(axis=2)[..., None]
    taken = np.take_along_axis(share, parent, 2)[..., 0]
    alone = share.sum(axis=2) - taken < 0.02
    pick = lambda array: np.take_along_axis(array, parent, 2)[..., 0]  # noqa: E731
    return alone, pick(cost), pick(posterior.mean), pick(posterior.scale), pick(posterior.mode)


@pytest.fixture(scope="module")
def five_events(cmu):
    rows = np.flatnonzero(np.isin(cmu.subject, FIVE))
    picked = np.random.default_rng(0).choice(rows, 20, replace=False)
    return timings_to_events(cmu.timings().to_numpy()[picked])


@LARGE_RADII
def test_single_parent_rows_of_deterministic_inference(five_events):
    options = {"likelihood_weight": 10.0, "relevance_determination": True}
    each = hawkeys.fit_each(five_events, decay=0.1, method="vi", **options)
    alone, cost, mean, scale, mode = single_parents(five_events, each.posterior)
    assert alone.mean() > 0.5
    # what the other, pruned parents keep is below the solver's tolerance
    np.testing.assert_allclose(mean[alone] * cost[alone] / 2, 1.0, rtol=2e-2)
    np.testing.assert_allclose(1 / scale[alone] ** 2, 22.0, rtol=2e-2)
    np.testing.assert_allclose(mode[alone] * cost[alone] / 2, np.exp(-1.5 / 22), rtol=2e-2)


@LARGE_RADII
def test_single_parent_rows_of_the_published_algorithm(five_events):
    """On average over rows: E[theta] = n / K within 2 %, 1 / s^2 = R n + 2 within 5 %."""
    each = hawkeys.fit_each(
        five_events, decay=0.1, method="vi_stochastic", likelihood_weight=10.0, rng=1
    )
    alone, cost, mean, scale, _ = single_parents(five_events, each.posterior)
    assert alone.sum() > 50
    assert np.mean(mean[alone] * cost[alone] / 2) == pytest.approx(1.0, rel=0.02)
    assert np.mean(1 / scale[alone] ** 2) == pytest.approx(22.0, rel=0.05)


def test_deterministic_bound_is_at_least_the_stochastic_one(five_events):
    settings = {"decay": 0.1, "likelihood_weight": 10.0, "prior_coefficient": 0.1}
    settings["relevance_determination"] = False
    design = Design.build(five_events, Exponential(0.1), separate=True, weight=10.0)
    draws = np.random.default_rng(5).standard_normal((10_000, 12))

    def bound(method):
        started = time.perf_counter()
        posterior = hawkeys.fit_each(five_events, method=method, **settings).posterior
        seconds = time.perf_counter() - started
        params = np.stack((posterior.location, np.log(posterior.scale)), axis=2)
        values = evidence_bound(
            design,
            np.ascontiguousarray(params.reshape(-1, 2, 12)),
            np.full((220, 12), 0.1),
            draws,
        )
        return values.reshape(20, 11).sum(axis=1), seconds

    bound("vi")  # compiles
    deterministic, fast = bound("vi")
    stochastic, slow = bound("vi_stochastic")
    assert np.mean(deterministic >= stochastic - 0.01) >= 0.95
    assert slow / fast > 25  # 70 on an idle machine; the rest is noise of a shared one


def test_import_is_light_and_first_fit_quick():
    """A fresh process with a warm cache: no heavy package, import <= 0.6 s, first fit <= 1 s."""
    code = (
        "import time; a = time.perf_counter(); import hawkeys; b = time.perf_counter()\n"
        "hawkeys.Events, hawkeys.Hawkes, hawkeys.simulate, hawkeys.fit\n"
        "import sys, json\n"
        "heavy = [m for m in ('pandas', 'sklearn', 'matplotlib', 'scipy.stats', 'torch')"
        " if m in sys.modules]\n"
        "c = time.perf_counter(); hawkeys.fit([[0.1, 0.5], [0.3]], decay=1.0, end_time=1.0)\n"
        "print(json.dumps([heavy, b - a, time.perf_counter() - c]))"
    )
    best = [np.inf, np.inf]
    for _ in range(3):  # the machine is shared: the best of three
        run = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        )
        heavy, seconds_import, seconds_fit = json.loads(run.stdout)
        assert heavy == []
        best = [min(best[0], seconds_import), min(best[1], seconds_fit)]
    assert best[0] <= 0.6
    assert best[1] <= 1.0
