"""Kernels within a horizon, and what their estimation needs: plain loops against compiled ones."""

import itertools

import numpy as np
import pytest
from test_plain_loops import both, close  # noqa: F401

import hawkeys
from hawkeys import Events
from hawkeys._jit import delayed as jit
from hawkeys._jit import lags as jit_lags
from hawkeys._loops import choice
from hawkeys._plain import delayed, lags
from hawkeys.kernels import BlockLayout, Gamma, Histogram, LogNormal

RNG = np.random.default_rng(4)
NUMBERS = np.arange(9.0).reshape(3, 3) / 9
KERNELS = {
    "log-normal": LogNormal(-0.5, 0.6),
    "log-normal per pair": LogNormal(NUMBERS - 0.5, 0.3 + NUMBERS.T),
    "log-normal, all but sure": LogNormal(NUMBERS, 1e-3),
    "gamma": Gamma(3.0, 2.0),
    "gamma per pair": Gamma(0.5 + 4 * NUMBERS, 1.0 + NUMBERS.T),
    "gamma, large shape": Gamma(1e7, 1e7),
    "histogram": Histogram([0.1, 0.5, 1.0, 4.0], [0.5, 0.3, 0.2]),
    "histogram per pair": Histogram([0.0, 0.25, 1.0, 3.0], RNG.dirichlet([1.0, 2.0, 0.5], (3, 3))),
}


def drawn(seed, sizes, end):
    rng = np.random.default_rng(seed)
    return [np.sort(rng.uniform(0, end, size)) for size in sizes]


DATA = {
    "no event": Events.from_lists([[[], [], []], [[], [], []]], end_times=4.0),
    "one event": Events.from_lists([[[], [1.0], []]], end_times=4.0),
    "at the end": Events.from_lists([[[4.0], [], [3.0]], [[], [4.0], []]], end_times=4.0),
    "ties": Events.from_lists([[np.round(t) for t in drawn(0, (15, 12, 9), 9.0)]], end_times=9.0),
    "silent mark": Events.from_lists([[*drawn(1, (9, 7), 5.0), []]], end_times=5.0),
    "huge gaps": Events.from_lists([[[0.1, 0.2, 5e5], [0.15, 5e5 + 0.1], [9e5]]], end_times=1e6),
    "many": Events.from_lists(
        [drawn(s, (4, 5, 3), 6.0) for s in range(4)],
        end_times=[6.0, 7.0, 8.0, 9.0], start_times=[0.0, -1.0, -2.0, 0.0],
    ),
    "several blocks of pairs": Events.from_lists([drawn(3, (90, 80, 70), 9.0)], end_times=9.0),
}  # fmt: skip
SUPPORT = np.array([[True, True, False], [True, False, True], [True, True, True]])
X = np.array([[0.5, 0.2, 0.3, 0.0], [0.0, 0.2, 0.0, 0.4], [0.1, 0.3, 0.0, 0.1]])


def each(function, modules=(delayed, jit)):
    """Return what a function fills with plain and with compiled loops."""
    return [function(module) for module in modules]


@pytest.fixture(params=itertools.product(DATA, KERNELS), ids=str)
def case(request):
    data, name = request.param
    return DATA[data], KERNELS[name].compiled(3)


def weighted(events):
    """The data as an update takes them: every other realisation counts."""
    weights = 0.5 + np.arange(events.n_realizations)
    weights[1::2] = 0.0
    return events.times, events.marks, events.offsets, events.end_times, weights


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch):
    monkeypatch.setattr(delayed, "_BLOCK", 1_000)


class TestTwins:
    def test_excitation_and_integrals(self, case):
        events, kernel = case
        for separate in (False, True):
            where = BlockLayout.build(events, separate=separate)
            layout = where.slots, where.offsets, where.stride

            def run(module, layout=layout):
                out, total = np.zeros(3 * events.n_events), np.zeros((events.n_realizations, 3, 3))
                flat = events.times, events.marks, events.offsets
                for part in ((0, 1), (1, events.n_realizations)):
                    module.excitation(*flat, kernel, layout, out, part)
                module.integrals(*flat, events.end_times, kernel, total)
                return out, total

            close(*each(run), rtol=1e-10)

    def test_excitation_at(self, case):
        events, kernel = case
        own = slice(events.offsets[0], events.offsets[1])
        queries = np.linspace(events.start_times[0], events.end_times[0], 23)
        queries = np.sort(np.concatenate((queries, events.times[own])))

        def run(module):
            out = np.full((2, queries.size, 3, 3), 7.0)
            module.excitation_at(events.times[own], events.marks[own], kernel, queries, *out)
            return out

        close(*each(run), rtol=1e-10)

    def test_weighted_sums(self, case):
        events, kernel = case
        own = slice(events.offsets[0], events.offsets[1])
        given = events.times[own], events.marks[own], kernel, X[:, 1:].copy()
        queries = np.linspace(events.start_times[0], events.end_times[0], 23)
        queries = np.sort(np.concatenate((queries, events.times[own])))
        targets = np.arange(queries.size) % 3

        def run(module):
            out = np.full((2, queries.size, 3), 7.0), np.full(queries.size, 7.0)
            for mass in (False, True):
                module.sums_at(*given, queries, mass, out[0][int(mass)])
            module.own_mass_at(*given, queries, targets, out[1])
            return out

        close(*each(run), rtol=1e-10)

    @pytest.mark.parametrize("x", [X, X + 0.1], ids=["some are 0", "all above 0"])
    def test_responsibilities_and_tails(self, case, x):
        events, (family, sets, edges, which, reach) = case
        kernel = family, sets, edges, which, np.where(SUPPORT, reach, 0.0)
        width = edges.size - 1 if edges.size else 3

        def run(module):
            counts, moments = np.zeros((3, 4)), np.zeros((len(sets), width))
            cost, beyond = np.zeros((3, 3)), np.zeros((3, 3, width))
            value = module.responsibilities(weighted(events), x, kernel, counts, moments)
            module.tails(weighted(events), kernel, cost, beyond)
            if value == -np.inf:  # then the others mean nothing
                counts[:], moments[:] = 0.0, 0.0
            return np.array([value]), counts, moments, cost, beyond

        close(*each(run), rtol=1e-10)

    def test_densities_at_lags(self, case):
        _, (family, sets, edges, _, _) = case
        some = np.concatenate((np.geomspace(1e-9, 1e9, 60), np.linspace(0.9, 1.1, 40), edges))

        def run(module):
            out = np.empty((2, some.size + 2, len(sets)))
            module.density_and_mass(family, np.append(some, [0.0, -1.0]), sets, edges, out)
            own, which = np.empty(some[some > 0].size), np.arange(some.size) % len(sets)
            module.pair_densities(family, some[some > 0], which[some > 0], sets, edges, own)
            return *out, own

        close(*each(run), rtol=1e-10)


@pytest.mark.parametrize("name", DATA)
class TestLags:
    def test_nearest_lags(self, name):
        def run(module):
            out = np.zeros((3, 3, 3))
            module.nearest_lags(weighted(DATA[name]), SUPPORT, out)
            return (out,)

        close(*each(run, (lags, jit_lags)), rtol=1e-12)

    @pytest.mark.parametrize(("first", "width"), [(-2.0, 0.3), (-1.0, 1.0), (9.0, 0.5)])
    def test_count_lags(self, name, first, width):
        groups = np.where(SUPPORT, np.arange(9).reshape(3, 3) % 4, -1)

        def run(module):
            out = np.zeros((4, 9))
            module.count_lags(weighted(DATA[name]), groups, first, width, out)
            return (out,)

        close(*each(run, (lags, jit_lags)), rtol=1e-12)


PROCESS = hawkeys.Hawkes([0.5, 0.3], [[0.3, 0.2], [0.0, 0.4]], kernel=LogNormal(-0.5, 0.4))


@pytest.mark.parametrize("kernel", [LogNormal(), Gamma(), Histogram([0, 0.3, 0.6, 1.0, 2.0])])
def test_an_estimated_kernel(both, kernel):  # noqa: F811
    events = hawkeys.simulate(PROCESS, end_time=100.0, n_realizations=3, rng=0)

    def run():
        found = hawkeys.fit(events, kernel=kernel)
        assert found.converged
        values = [getattr(found.kernel, name) for name in found.kernel.parameter_names]
        return found.objective, found.estimates, *values

    plain, compiled = both(run)
    assert plain[0] == pytest.approx(compiled[0], abs=1e-6)
    close(plain[1:], compiled[1:], rtol=1e-4)


def test_on_both_sides_of_the_switch(monkeypatch):
    """Pairs within reach count, and events; what is chosen there differs by rounding alone."""
    events = hawkeys.simulate(PROCESS, end_time=400.0, rng=0)
    n = events.n_events
    kernel = PROCESS.kernel.compiled(2)
    lag = events.times[:, None] - events.times
    n_pairs = int(((lag <= kernel[4].max()) & np.tri(n, k=-1, dtype=bool)).sum())
    assert n_pairs < n * (n - 1) // 2  # the horizon counts
    found = []
    for most in (n_pairs + 20 * n, n_pairs + 20 * n - 500):
        monkeypatch.setattr(choice, "MOST", most // 500)
        from hawkeys._loops.delayed import _loops

        found.append(_loops(events.times, events.marks, events.offsets, kernel) is delayed)
        found.append(PROCESS.log_likelihood(events))
    assert (found[0], found[2]) == (True, False)
    assert found[1] == pytest.approx(found[3], rel=1e-12)
