"""Branching probabilities: who triggered whom."""

import naive_branching as naive
import numpy as np
import pytest
from matplotlib.figure import Figure

import hawkeys
from hawkeys import Events, Hawkes, baselines
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError
from hawkeys.kernels import (
    Exponential,
    Gamma,
    Histogram,
    Kernel,
    LogNormal,
    PowerLaw,
    SumExponential,
    pairs,
)

BASELINE, ADJACENCY = [0.3, 0.2], [[0.2, 0.5], [0.4, 0.0]]
PAIR_DECAY = [[1.0, 20.0], [0.05, 3.0]]


class Foreign(Kernel):
    """A kernel of someone else's, exponential inside, with a density of every pair."""

    inner = Exponential(PAIR_DECAY)

    def check_marks(self, n_marks):
        self.inner.check_marks(n_marks)

    def excitation(self, *args):
        return self.inner.excitation(*args)

    def integrals(self, *args):
        return self.inner.integrals(*args)

    def excitation_at(self, *args):
        return self.inner.excitation_at(*args)

    def sample_lags(self, *args):
        return self.inner.sample_lags(*args)

    def density(self, lags):
        return self.inner.density(lags)

    def to_dict(self):
        return self.inner.to_dict()


KERNELS = {
    "exponential": Exponential(2.0),
    "per source": Exponential([0.5, 3.0]),
    "per pair": Exponential(PAIR_DECAY),
    "sum": SumExponential([0.5, 9.0], weights=[[[0.2, 0.8], [1, 0]], [[0, 1], [0.5, 0.5]]]),
    "log-normal": LogNormal([[-0.5, 0.2], [0.0, 0.4]], [[0.4, 0.6], [1.2, 0.3]]),
    "gamma": Gamma(3.0, 4.0),
    "power law": PowerLaw(0.3, 1.4),
    "histogram": Histogram([0.1, 0.5, 1.0, 4.0], [0.5, 0.2, 0.3]),
}


def uniform(seed, sizes, end):
    rng = np.random.default_rng(seed)
    return [np.sort(rng.uniform(0, end, size)) for size in sizes]


DATA = {
    "no event": Events.from_lists([[[], []]], end_times=4.0),
    "one event": Events.from_lists([[[], [1.0]]], end_times=4.0),
    "ties": Events.from_lists([[np.round(t) for t in uniform(0, (8, 7), 5.0)]], end_times=5.0),
    "silent mark": Events.from_lists([[*uniform(1, (9,), 5.0), []]], end_times=5.0),
    "huge gap": Events.from_lists([[[1.0, 1e6], [1.5, 1e6 + 1.0]]], end_times=2e6),
    "many": Events.from_lists(
        [uniform(s, (6, 5), 6.0) for s in range(3)], end_times=[6.0, 7.0, 8.0], start_times=-1.0
    ),
}


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("data", DATA)
def test_agrees_with_double_loops(name, data):
    process = Hawkes(BASELINE, ADJACENCY, kernel=KERNELS[name])
    found = hawkeys.branching_probabilities(process, DATA[data])
    immigrant, matrix = naive.probabilities(process, DATA[data])
    # the horizon of delayed kernels leaves out a mass of 1e-12
    np.testing.assert_allclose(found.immigrant, immigrant, rtol=1e-10)
    np.testing.assert_allclose(found.matrix().toarray(), matrix, rtol=1e-10, atol=1e-11)
    total = found.immigrant + found.matrix().sum(axis=1)
    np.testing.assert_allclose(total, 1.0, rtol=1e-14)


def test_a_foreign_kernel_is_evaluated_by_its_density():
    events = DATA["many"]
    own = hawkeys.branching_probabilities(Hawkes(BASELINE, ADJACENCY, decay=PAIR_DECAY), events)
    foreign = Hawkes(BASELINE, ADJACENCY, kernel=Foreign())
    found = hawkeys.branching_probabilities(foreign, events)
    np.testing.assert_allclose(found.matrix().toarray(), own.matrix().toarray(), rtol=1e-12)


def test_chunks_do_not_matter(monkeypatch):
    process = Hawkes(BASELINE, ADJACENCY, decay=0.3)
    events = hawkeys.simulate(process, end_time=100.0, n_realizations=3, rng=0)
    whole = hawkeys.branching_probabilities(process, events)
    monkeypatch.setattr(pairs, "_MOST_PAIRS", 50)
    parts = hawkeys.branching_probabilities(process, events)
    for name in ("immigrant", "children", "parents", "probability"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(parts, name))


def test_the_only_possible_parent_is_found_however_far():
    """Without a baseline, an exponential kernel must reach back over any number of lifetimes."""
    process = Hawkes([0.0], [[0.5]], decay=1.0)
    events = Events.from_lists([[[0.0, 300.0]]], end_times=301.0)
    found = hawkeys.branching_probabilities(process, events)
    assert found.probability.tolist() == [1.0]
    assert np.isnan(found.immigrant[0])  # nothing can have caused the first event
    assert found.immigrant[1] == 0.0


def test_baselines_that_change_over_time():
    baseline = baselines.Periodic([0.0, 1.0], 2.0, rates=[[0.1, 0.9], [0.5, 0.0]])
    process = Hawkes(baseline, ADJACENCY, decay=2.0)
    found = hawkeys.branching_probabilities(process, DATA["many"])
    immigrant, matrix = naive.probabilities(process, DATA["many"])
    np.testing.assert_allclose(found.immigrant, immigrant, rtol=1e-12)
    np.testing.assert_allclose(found.matrix().toarray(), matrix, rtol=1e-12)


def test_expected_counts_are_those_of_expectation_maximisation():
    """At the maximum, expected children over kernel mass is the adjacency itself."""
    process = Hawkes(BASELINE, ADJACENCY, decay=2.0)
    events = hawkeys.simulate(process, end_time=300.0, n_realizations=2, rng=1)
    fitted = hawkeys.fit(events, decay=2.0).process
    counts = hawkeys.branching_probabilities(fitted, events).expected_counts
    np.testing.assert_allclose(counts.sum(axis=1), events.counts.sum(axis=0), rtol=1e-12)
    mass = fitted.kernel.integrals(events).sum(axis=0)
    # the fit stops within 1e-7 nats
    np.testing.assert_allclose(counts[:, 0], fitted.baseline * 600.0, rtol=1e-4)
    np.testing.assert_allclose(counts[:, 1:], fitted.adjacency * mass, rtol=1e-4, atol=1e-2)


def test_probabilities_are_calibrated():
    """The part of true immigrants agrees with the probabilities, over simulated branchings."""
    process = Hawkes([0.5], [[0.6]], kernel=LogNormal(-1.0, 0.4))
    rng = np.random.default_rng(0)
    expected, seen = 0.0, 0
    for _ in range(20):
        times, kinds = cascade(process, 100.0, rng)
        events = Events.from_lists([[times]], end_times=100.0)
        expected += hawkeys.branching_probabilities(process, events).immigrant.sum()
        seen += int(kinds.sum())
    # the difference has a variance below that of the 1,000 immigrants
    assert seen == pytest.approx(expected, abs=3 * np.sqrt(seen))


def cascade(process, end, rng):
    """Return sorted times of immigrants and descendants, and which are immigrants."""
    line = [(t, True) for t in rng.uniform(0, end, rng.poisson(process.baseline[0] * end))]
    for when, _ in line:
        for _ in range(rng.poisson(process.adjacency[0, 0])):
            born = when + float(np.exp(rng.normal(-1.0, 0.4)))
            if born < end:
                line.append((born, False))
    line.sort()
    return np.array([t for t, _ in line]), np.array([kind for _, kind in line])


class TestViews:
    process = Hawkes(BASELINE, ADJACENCY, kernel=KERNELS["log-normal"])
    events = DATA["many"]

    @pytest.fixture
    def found(self):
        return hawkeys.branching_probabilities(self.process, self.events)

    def test_frame(self, found):
        frame = found.to_frame()
        assert frame.groupby("child")["probability"].sum().to_numpy() == pytest.approx(1.0)
        own = frame[frame["parent"] >= 0]
        assert len(own) == found.probability.size
        np.testing.assert_allclose(own["lag"], own["child_time"] - own["parent_time"])
        assert (own["lag"] > 0).all()
        first = frame.iloc[0]
        assert (first["parent"], first["probability"]) == (-1, 1.0)
        assert first[["parent_time", "parent_mark", "lag"]].isna().all()

    def test_threshold(self, found):
        less = hawkeys.branching_probabilities(self.process, self.events, threshold=0.2)
        kept = found.probability >= 0.2
        np.testing.assert_array_equal(less.probability, found.probability[kept])
        np.testing.assert_array_equal(less.immigrant, found.immigrant)
        assert (found.to_frame(threshold=0.2)["probability"] >= 0.2).all()

    def test_most_likely_parent(self, found):
        matrix = np.column_stack((found.immigrant, found.matrix().toarray()))
        np.testing.assert_array_equal(found.most_likely_parent, matrix.argmax(axis=1) - 1)

    def test_sampled_parents_have_these_probabilities(self, found):
        rng = np.random.default_rng(0)
        draws = np.array([found.sample(rng=rng) for _ in range(4_000)])
        matrix = np.column_stack((found.immigrant, found.matrix().toarray()))
        seen = np.array([(draws == p - 1).mean(axis=0) for p in range(matrix.shape[1])]).T
        # four standard errors of a share of 4,000 draws
        np.testing.assert_allclose(seen, matrix, atol=4 * 0.5 / np.sqrt(4_000))

    def test_repr(self, found):
        assert repr(found).startswith("Branching(n_events=33, n_pairs=")

    def test_plot(self, found):
        ax = found.plot(realization=1, ax=Figure().subplots())
        begin, end = self.events.offsets[1:3]
        drawn = (found.children >= begin) & (found.children < end) & (found.probability >= 0.05)
        assert len(ax.lines) == drawn.sum() > 0
        assert len(ax.collections[0].get_offsets()) == end - begin
        assert [label.get_text() for label in ax.get_yticklabels()] == ["0", "1"]
        with pytest.raises(InvalidParameterError, match=r"realization must lie in 0\.\.2; got 3"):
            found.plot(realization=3, ax=Figure().subplots())

    def test_plot_without_events(self):
        empty = hawkeys.branching_probabilities(self.process, DATA["no event"])
        assert len(empty.plot(ax=Figure().subplots()).lines) == 0
        assert empty.to_frame().empty
        assert empty.sample(rng=0).size == 0


def test_bad_input():
    process = Hawkes(BASELINE, ADJACENCY, decay=1.0)
    with pytest.raises(InvalidEventsError, match="events have 1 marks, the process has 2"):
        hawkeys.branching_probabilities(process, Events.from_lists([[[1.0]]], end_times=2.0))
    with pytest.raises(InvalidParameterError, match="end_time is missing"):
        hawkeys.branching_probabilities(process, [[1.0], []])
    with pytest.raises(InvalidEventsError, match="expected Events, a list of D sequences"):
        hawkeys.branching_probabilities(process, 3.0, end_time=4.0)
    with pytest.raises(InvalidParameterError, match=r"must be a hawkeys\.Hawkes; got float"):
        hawkeys.branching_probabilities(1.0, DATA["many"])
    for wrong in (1.0, -0.1, [0.1]):
        with pytest.raises(InvalidParameterError, match="one probability from 0 to below 1"):
            hawkeys.branching_probabilities(process, DATA["many"], threshold=wrong)
