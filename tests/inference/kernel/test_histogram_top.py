"""Estimated histograms and variational kernels: derivatives, and what is left to gain, by search.

The searches use arrays of lags counted here, one by one, not the library's excitations.
"""

import numpy as np
import pytest
from scipy import optimize

import hawkeys
from hawkeys import Events, GammaPrior
from hawkeys.inference import KernelPrior
from hawkeys.inference.kernel.bin_curvature import Bins
from hawkeys.inference.kernel.branching import BranchingProblem
from hawkeys.inference.kernel.newton import curvature
from hawkeys.inference.kernel.problem import EMProblem
from hawkeys.inference.kernel.roughness import roughness_matrix
from hawkeys.inference.kernel.setup import set_up
from hawkeys.inference.options import EMOptions
from hawkeys.kernels import Gamma, Histogram, LogNormal

UNTOLD = pytest.mark.filterwarnings("ignore::hawkeys.exceptions.HawkeysWarning")


def draw(seed):
    """One to three marks, sparse adjacency, a delay of any width; ties, weights, support, bins."""
    rng = np.random.default_rng(seed)
    size, n = int(rng.integers(1, 4)), int(rng.integers(1, 6))
    end = float(rng.uniform(5.0, 60.0))
    adjacency = rng.uniform(0.0, 0.8, (size, size)) * (rng.random((size, size)) < 0.6)
    adjacency *= min(1.0, 0.8 / max(np.abs(np.linalg.eigvals(adjacency)).max(), 1e-9))
    kernel = LogNormal(rng.uniform(-1.5, 0.5), rng.uniform(0.1, 1.0))
    process = hawkeys.Hawkes(rng.uniform(0.02, 0.5, size), adjacency, kernel=kernel)
    events = hawkeys.simulate(process, end_time=end, n_realizations=n, rng=seed)
    if rng.random() < 0.3:
        lists = [
            [np.minimum(np.round(times, 1), end) for times in one] for one in events.to_lists()
        ]
        events = Events.from_lists(lists, end_times=end, mark_names=events.mark_names)
    edges = np.append(0.0, np.cumsum(rng.exponential(1.0, int(rng.integers(2, 12)))))
    edges *= rng.uniform(1.0, 8.0) / edges[-1]
    if rng.random() < 0.2:
        edges = np.append(edges, 1.5 * end)
    groups = ["shared", "edge", np.repeat(np.arange(size)[:, None], size, axis=1)][rng.integers(3)]
    support = np.ones((size, size), dtype=bool)
    if rng.random() < 0.3:
        support = rng.random((size, size)) < 0.85
    weights = np.ones(n)
    if rng.random() < 0.3:
        weights = rng.choice([0.5, 1.0, 2.3], n)
    options = {"groups": groups, "support": support, "weights": weights}
    return events, edges, options, float(rng.choice([0.0, 0.0, 0.0, 0.5, 5.0]))


def counted(events, edges):
    """Heights of all lags by event of each target, source and bin; their weights; the costs."""
    size, widths = events.n_marks, np.diff(edges)
    lags = [[] for _ in range(size)]
    owners = [[] for _ in range(size)]
    costs = np.zeros((events.n_realizations, size, widths.size))
    for r in range(events.n_realizations):
        part = slice(events.offsets[r], events.offsets[r + 1])
        times, marks = events.times[part], events.marks[part]
        for k, mark in enumerate(marks):
            row = np.zeros((size, widths.size))
            for at in range(k):
                b = np.searchsorted(edges, times[k] - times[at]) - 1
                if times[at] < times[k] and 0 <= b < widths.size:
                    row[marks[at], b] += 1.0 / widths[b]
            lags[mark].append(row)
            owners[mark].append(r)
            left = events.end_times[r] - times[k]
            costs[r, mark] += np.clip((left - edges[:-1]) / widths, 0.0, 1.0)
    lags = [np.array(rows).reshape(-1, size, widths.size) for rows in lags]
    return lags, [np.array(r, dtype=int) for r in owners], costs


def group_numbers(options, size):
    groups, support = options["groups"], options["support"]
    if isinstance(groups, str):
        groups = np.zeros((size, size)) if groups == "shared" else np.arange(size**2)
    out = np.zeros((size, size), dtype=int)
    given = np.reshape(groups, (size, size))
    out[support] = np.unique(given[support], return_inverse=True)[1]
    return out


def without_excitation(result, options):
    """Whether a group has no excitation: its kernel is then anything, another one may have some."""
    numbers = group_numbers(options, len(result.adjacency))
    alive = numbers[options["support"] & (result.adjacency > 0)]
    return np.unique(alive).size <= numbers.max()


class Search:
    """The log-likelihood over rates and unnormalised masses (or their logarithms)."""

    def __init__(self, events, edges, options, smoothing):
        size = events.n_marks
        self.lags, owners, costs = counted(events, edges)
        self.weights = [options["weights"][own] for own in owners]
        self.cost = np.tensordot(options["weights"], costs, axes=1)
        self.time = options["weights"] @ events.durations
        self.support, self.groups = options["support"], group_numbers(options, size)
        self.n_sets = self.groups.max() + 1
        self.used = np.column_stack((np.ones(size, dtype=bool), self.support))
        self.rough, self.widths = smoothing * roughness_matrix(edges), np.diff(edges)
        self.smooth = smoothing > 0

    def point(self, result):
        pairs = [np.argwhere(self.support & (self.groups == s))[0] for s in range(self.n_sets)]
        masses = result.kernel.masses
        masses = np.array([masses if masses.ndim == 1 else masses[i, j] for i, j in pairs])
        if self.smooth:
            masses = np.log(np.maximum(masses, 1e-300))
        return np.concatenate((result.estimates[self.used], masses.ravel()))

    def loss(self, point):
        x, n = np.zeros(self.used.shape), self.used.sum()
        x[self.used] = point[:n]
        masses = point[n:].reshape(self.n_sets, -1)
        masses = np.exp(masses) if self.smooth else masses
        value, by_rate, by_mass = 0.0, np.zeros_like(x), np.zeros_like(masses)
        for i, lags in enumerate(self.lags):
            own = masses[self.groups[i]] * self.support[i][:, None]
            theta = x[i, 1:, None] * own
            rate = x[i, 0] + np.tensordot(lags, theta, axes=2)
            if (rate <= 0).any():
                return 1e10, np.zeros_like(point)
            value += self.weights[i] @ np.log(rate) - x[i, 0] * self.time
            value -= (theta * self.cost).sum()
            pull = self.weights[i] / rate
            by_theta = np.tensordot(pull, lags, axes=1) - self.cost
            by_rate[i] = np.append(pull.sum() - self.time, (by_theta * own).sum(axis=1))
            some = self.support[i]
            np.add.at(by_mass, self.groups[i][some], (x[i, 1:, None] * by_theta)[some])
        if self.smooth:
            total = masses.sum(axis=1, keepdims=True)
            logs = np.log(masses / total / self.widths)
            value -= 0.5 * ((logs @ self.rough) * logs).sum()
            pull = -(logs @ self.rough)
            by_mass = by_mass * masses + pull - pull.sum(axis=1, keepdims=True) * masses / total
        return -value, -np.concatenate((by_rate[self.used], by_mass.ravel()))

    def highest(self, start, rng):
        n = self.used.sum()
        least = -690.0 if self.smooth else 0.0
        bounds = [(0.0, None)] * n + [(least, 8.0 if self.smooth else None)] * (start.size - n)
        found = []
        for away in (0.0, 1e-4):
            found.append(
                -optimize.minimize(
                    self.loss, start + away * rng.random(start.size), jac=True, bounds=bounds,
                    method="L-BFGS-B", options={"maxiter": 300, "ftol": 1e-15, "gtol": 1e-10},
                ).fun
            )  # fmt: skip
        return max(found)


@UNTOLD
@pytest.mark.parametrize("part", range(4))
def test_no_search_gains_more_than_is_stated(part):
    """Some 50 random cases; whose pairs have each their own histogram, from far away too.

    A gap told as 0 fails a third of them.
    """
    n_cases = 0
    for seed in range(18 * part, 18 * part + 18):
        events, edges, options, smoothing = draw(seed)
        result = hawkeys.fit(events, kernel=Histogram(edges), smoothing=smoothing, **options)
        if "left out" in result.message or not options["support"].any():
            continue
        if smoothing and without_excitation(result, options):
            continue
        n_cases += 1
        search = Search(events, edges, options, smoothing)
        start, rng = search.point(result), np.random.default_rng(seed)
        here = -search.loss(start)[0]
        # the roughness of masses next to 0 rounds
        assert here == pytest.approx(result.objective, abs=1e-6 if smoothing else 1e-9)
        # a penalty among next to no lags: a valley so long that a fit may not reach its end
        hardly = smoothing > 0 and "fewer than 5 lags" in result.message
        assert result.converged or hardly, seed
        slack = 1e-6 if smoothing else 1e-9
        assert search.highest(start, rng) - here <= result.optimality_gap + slack, seed
        assert result.optimality_gap < 1e-4 or not result.converged
        if "with any baseline" in result.message:
            n = search.used.sum()
            far = np.append(start[:n] + 0.1, np.full(start.size - n, 0.2))
            found = search.highest(far, rng)
            assert found - here <= result.optimality_gap + slack, seed
    assert n_cases >= 12


@pytest.mark.parametrize("smoothing", [0.0, 1.0])
@pytest.mark.parametrize("pseudo", [0.0, 3.0])
@pytest.mark.parametrize("variational", [False, True])
def test_exact_derivatives_are_those_of_the_objective(smoothing, pseudo, variational):
    """Gradient and information against central differences, with weights, support and groups."""
    process = hawkeys.Hawkes([0.4, 0.3], [[0.3, 0.2], [0.4, 0.1]], kernel=LogNormal(-0.3, 0.5))
    events = hawkeys.simulate(process, end_time=15.0, n_realizations=4, rng=1)
    edges = np.array([0.0, 0.4, 0.9, 1.7, 3.0])
    prior = KernelPrior(Histogram(edges, [0.1, 0.2, 0.3, 0.4]), weight=pseudo) if pseudo else None
    fields = set_up(
        events,
        Histogram(edges),
        EMOptions(groups=[[0, 1], [1, 0]], smoothing=smoothing),
        prior,
        support=[[True, True], [True, False]],
        weights=[1.0, 0.5, 2.0, 1.5],
    )
    problem = EMProblem(**fields, baseline_floor=0.0)
    if variational:
        gamma = GammaPrior(shape=1.5, rate=0.7, baseline_shape=1.2, baseline_rate=0.3)
        problem = BranchingProblem(**fields, baseline_floor=0.0, prior=gamma)
    masses = np.array([[0.4, 0.3, 0.2, 0.1], [0.15, 0.2, 0.25, 0.4]])
    x = np.array([[0.5, 0.3, 0.2], [0.4, 0.35, 0.0]])
    state = problem.evaluate(x, (masses,), problem.window((masses,)))
    near = curvature(problem, state, Bins.of(problem))
    assert near.value == pytest.approx(state.objective, rel=1e-12)
    points = problem.point(state), problem.step.point(state.kernel)
    used = np.array([[True, True, True], [True, True, False]])
    size = used.sum()

    def value(step):
        moved = points[0].copy()
        moved[used] += step[:size]
        kernel = problem.step.of_point(points[1] + step[size:].reshape(points[1].shape), (masses,))
        return problem.at(moved, kernel).objective

    gradient = np.concatenate((near.gradient[used], near.score))
    steps = 1e-4 * np.eye(gradient.size)
    expected = np.array([(value(step) - value(-step)) / 2e-4 for step in steps])
    np.testing.assert_allclose(gradient, expected, rtol=1e-6, atol=1e-5)
    information = np.zeros((gradient.size, gradient.size))
    own = np.flatnonzero(used[0]).size
    rows = slice(0, own), slice(own, size)
    for i, part in enumerate(rows):
        information[part, part] = near.rows[i][np.ix_(used[i], used[i])]
        information[size:, part] = near.mixed[i][:, used[i]]
        information[part, size:] = near.mixed[i][:, used[i]].T
    information[size:, size:] = near.own
    second = np.array(
        [
            [
                value(a + b) - value(a - b) - value(b - a) + value(-a - b)
                for b in steps
            ]
            for a in steps
        ]
    )  # fmt: skip
    np.testing.assert_allclose(information, -second / 4e-8, rtol=2e-4, atol=2e-3)


@UNTOLD
def test_the_bound_has_no_more_to_gain_either():
    """A simplex over kernels, each given to a fit of its own, from the estimate of vi_branching."""
    n_cases = 0
    for seed in range(24):
        events, edges, options, _ = draw(seed)
        if events.n_events > 200 or events.n_events < 10:
            continue
        kind = [LogNormal, Gamma, Histogram][seed % 3]
        del options["groups"]
        prior = GammaPrior(shape=1.0 + 0.5 * (seed % 2), rate=0.5)
        kernel = kind(edges) if kind is Histogram else kind()
        given = {**options, "method": "vi_branching", "prior": prior}
        result = hawkeys.fit(events, kernel=kernel, **given)
        assert result.converged
        if "no kernel identified" in result.message:
            continue
        n_cases += 1
        names = result.kernel.parameter_names
        start = np.concatenate([np.ravel(getattr(result.kernel, name)) for name in names])

        def loss(point, kind=kind, edges=edges, given=given, events=events):
            if kind is Histogram:
                masses = np.maximum(point, 0.0)
                there = Histogram(edges, masses / masses.sum())
            else:
                there = kind(point[0], abs(point[1])) if kind is LogNormal else kind(*abs(point))
            exact = {"tolerance": 1e-10, "max_iter": 5000}
            return -hawkeys.fit(events, kernel=there, **given, **exact).objective

        here = -loss(start)
        assert here == pytest.approx(result.objective, abs=result.optimality_gap + 1e-7)
        simplex = start + 0.01 * np.vstack((np.zeros(start.size), np.eye(start.size)))
        found = optimize.minimize(
            loss, start, method="Nelder-Mead",
            options={"maxfev": 80, "initial_simplex": simplex, "fatol": 1e-10},
        )  # fmt: skip
        assert -found.fun - result.objective <= result.optimality_gap + 1e-7, seed
    assert n_cases >= 4


@UNTOLD
def test_unseen_bins_keep_their_share():
    """A window of 10 tells nothing of lags beyond it, whether histograms are shared or not."""
    process = hawkeys.Hawkes([1.0], [[0.5]], kernel=LogNormal(-0.5, 0.4))
    events = hawkeys.simulate(process, end_time=10.0, n_realizations=20, rng=0)
    edges = [0.0, 0.5, 1.0, 2.0, 10.0, 20.0]
    result = hawkeys.fit(events, kernel=Histogram(edges), groups="edge")
    narrow = hawkeys.fit(events, kernel=Histogram(edges[:-1]), groups="edge")
    assert np.ravel(result.kernel.masses)[-1] == pytest.approx(0.5)  # as the flat start has it
    assert result.adjacency[0, 0] == pytest.approx(2.0 * narrow.adjacency[0, 0], rel=1e-4)
    assert result.log_likelihood == pytest.approx(narrow.log_likelihood, abs=1e-6)


def test_many_bins_of_many_pairs_say_that_they_are_extrapolated(monkeypatch):
    monkeypatch.setattr("hawkeys.inference.kernel.bin_curvature._MOST_MASSES", 3)
    process = hawkeys.Hawkes([1.0], [[0.5]], kernel=LogNormal(-0.5, 0.4))
    events = hawkeys.simulate(process, end_time=100.0, n_realizations=5, rng=0)
    result = hawkeys.fit(events, kernel=Histogram(np.linspace(0.0, 3.0, 7)))
    assert "extrapolated" in result.message
    assert result.converged


def test_bins_that_are_not_kept_are_computed_when_needed(monkeypatch):
    process = hawkeys.Hawkes([1.0, 0.5], np.full((2, 2), 0.2), kernel=LogNormal(-0.5, 0.4))
    events = hawkeys.simulate(process, end_time=50.0, n_realizations=5, rng=0)
    kept = hawkeys.fit(events, kernel=Histogram(np.linspace(0.0, 3.0, 7)))
    monkeypatch.setattr("hawkeys.inference.kernel.bin_curvature._MOST_KEPT", 6 * events.n_events)
    computed = hawkeys.fit(events, kernel=Histogram(np.linspace(0.0, 3.0, 7)))
    assert "by gradient and curvature" in computed.message
    np.testing.assert_allclose(computed.estimates, kept.estimates, rtol=1e-9)
