"""Simulation from a history, until n events, and with parents: the laws, with fixed seeds.

A KS p-value below 1e-3 or a mean off by more than 4 standard errors fails: by chance, less than
once in a hundred runs of this file with other seeds.
"""

import numpy as np
import pytest
from scipy import stats

import hawkeys
from hawkeys import Events
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError, UnstableProcessError
from hawkeys.kernels import Exponential, Gamma, Histogram, Kernel, LogNormal, SumExponential
from hawkeys.simulation._clusters import draw_due_children, recent_part
from hawkeys.simulation.sampling import simulate_clusters

BASELINE = [0.5, 0.3]
ADJACENCY = [[0.4, 0.3], [0.1, 0.5]]
KERNELS = {
    "exponential": Exponential(1.5),
    "per pair": Exponential([[1.0, 2.0], [0.5, 3.0]]),
    "log-normal": LogNormal(0.0, 0.5),
    "gamma": Gamma([[2.0, 3.0], [1.5, 4.0]], 2.0),
    "histogram": Histogram([0.5, 1.0, 2.0, 3.0], [0.5, 0.0, 0.5]),
    "sum": SumExponential([0.5, 3.0], [0.4, 0.6]),
}
# the last two events happen at the very start of what is to be simulated
PAST = Events.from_lists([[[0.2, 3.5, 4.8, 5.0], [1.0, 4.9, 5.0]]], end_times=5.0)


def process_with(kernel):
    return hawkeys.Hawkes(BASELINE, ADJACENCY, kernel=kernel)


def first_times(events):
    """Time of each realisation's first event, infinite if it has none."""
    filled = np.diff(events.offsets) > 0
    out = np.full(events.n_realizations, np.inf)
    out[filled] = events.times[events.offsets[:-1][filled]]
    return out


def joined(past, future):
    """History and continuation of one realisation as one record."""
    return Events.from_arrays(
        np.concatenate((past.times, future.times)),
        np.concatenate((past.marks, future.marks)),
        start_times=past.start_times,
        end_times=future.end_times,
        n_marks=past.n_marks,
    )


def close_means(one, two):
    """Whether the column means of two samples differ by less than 4 standard errors."""
    error = np.sqrt(one.var(axis=0) / len(one) + two.var(axis=0) / len(two))
    return (np.abs(one.mean(axis=0) - two.mean(axis=0)) < 4 * error).all()


@pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
class TestContinuation:
    def test_same_law_as_without_interruption(self, kernel):
        process = process_with(kernel)
        whole = hawkeys.simulate(process, end_time=12.0, n_realizations=3000, rng=1)
        before = hawkeys.simulate(process, end_time=6.0, n_realizations=3000, rng=2)
        after = hawkeys.simulate(process, end_time=12.0, history=before, rng=3)
        assert after.n_realizations == 3000
        late = Events.from_arrays(
            whole.times[whole.times > 6.0],
            whole.marks[whole.times > 6.0],
            offsets=np.searchsorted(
                whole.realization[whole.times > 6.0], np.arange(whole.n_realizations + 1)
            ),
            start_times=6.0,
            end_times=12.0,
            n_marks=2,
        )
        assert close_means(late.counts, after.counts)
        assert close_means(late.counts**2, after.counts**2)
        assert stats.ks_2samp(first_times(late), first_times(after)).pvalue > 1e-3

    def test_next_event_given_one_history(self, kernel):
        """The compensator up to the next event is Exp(1), whatever has happened before."""
        process = process_with(kernel)
        future = hawkeys.simulate(process, end_time=40.0, history=PAST, n_realizations=2000, rng=4)
        extended = Events.from_arrays(PAST.times, PAST.marks, end_times=40.0, n_marks=2)
        times = np.append(first_times(future), 5.0)
        assert np.isfinite(times).all()
        mass = process.compensator(extended, times).sum(axis=1)
        assert stats.kstest(mass[:-1] - mass[-1], "expon").pvalue > 1e-3

    def test_residuals_of_the_joined_record(self, kernel):
        process = process_with(kernel)
        past = hawkeys.simulate(process, end_time=20.0, rng=5)
        whole = joined(past, hawkeys.simulate(process, end_time=800.0, history=past, rng=6))
        mass = process.compensator(whole, whole.times)
        for i in range(2):
            residuals = np.diff(mass[whole.marks == i, i], prepend=0.0)
            assert stats.kstest(residuals, "expon").pvalue > 1e-3, i

    def test_first_n_of_a_long_run(self, kernel):
        process = process_with(kernel)
        few = hawkeys.simulate_until(process, 12, n_realizations=1500, rng=7)
        long = hawkeys.simulate(process, end_time=80.0, n_realizations=1500, rng=8)
        assert np.diff(long.offsets).min() >= 12
        rows = long.offsets[:-1, None] + np.arange(12)
        assert stats.ks_2samp(few.end_times, long.times[rows[:, -1]]).pvalue > 1e-3
        assert stats.ks_2samp(few.times[4::12], long.times[rows[:, 4]]).pvalue > 1e-3
        share = (few.marks.reshape(-1, 12) == 0).astype(float)
        assert close_means(share, (long.marks[rows] == 0).astype(float))

    def test_remaining_lags_against_rejection(self, kernel):
        """The inverted tails, and the mass left in them, against the general ways of the base."""
        rng = np.random.default_rng(9)
        targets, sources = np.tile([0, 1, 0, 1], 3000), np.tile([0, 0, 1, 1], 3000)
        elapsed = np.repeat([0.0, 0.3, 1.2], 4000)
        left = kernel.remaining_mass(elapsed, sources, 2)
        np.testing.assert_allclose(
            left, Kernel.remaining_mass(kernel, elapsed, sources, 2), atol=1e-15
        )
        direct = kernel.sample_residual_lags(rng, targets, sources, elapsed)
        rejected = Kernel.sample_residual_lags(kernel, rng, targets, sources, elapsed)
        for past in (0.0, 0.3, 1.2):
            for pair in range(4):
                rows = (elapsed == past) & (2 * sources + targets == pair)
                assert stats.ks_2samp(direct[rows], rejected[rows]).pvalue > 1e-3, (past, pair)
        nothing = np.zeros(1000)
        assert (kernel.remaining_mass(nothing, sources[:1000], 2) == 1.0).all()


def test_empty_history_is_none():
    process = process_with(LogNormal(0.0, 0.5))
    empty = Events.from_lists([[[], []]], start_times=-3.0, end_times=2.0)
    with_it = hawkeys.simulate(process, end_time=9.0, history=empty, n_realizations=50, rng=1)
    without = hawkeys.simulate(process, start_time=2.0, end_time=9.0, n_realizations=50, rng=1)
    assert with_it.start_times.tolist() == [2.0] * 50
    np.testing.assert_array_equal(with_it.times, without.times)


def test_history_long_past_is_without_effect():
    process = process_with(Histogram([0.0, 1.0], [1.0]))
    old = Events.from_lists([[[1.0, 2.0], [1.5]]], end_times=3.5)
    assert (process.kernel.remaining_mass(3.5 - old.times, old.marks, 2) == 0.0).all()
    with_it = hawkeys.simulate(process, end_time=9.0, history=old, rng=1)
    without = hawkeys.simulate(process, start_time=3.5, end_time=9.0, rng=1)
    np.testing.assert_array_equal(with_it.times, without.times)


def test_recent_part_of_histories():
    """One realisation whose first event is over, and one with nothing left."""
    process = process_with(Histogram([0.0, 1.0], [1.0]))
    both = Events.from_lists([[[1.0, 3.0], [2.8]], [[1.0], [2.0]]], end_times=3.5)
    recent = recent_part(process, both)
    assert recent.to_lists()[0][0].tolist() == [3.0]
    assert recent.counts.tolist() == [[1, 1], [0, 0]]


def test_history_at_epoch_seconds():
    """The law does not depend on the origin of time: the same draws, shifted."""
    process = process_with(LogNormal(0.0, 0.5))
    origin = 1.7e9
    shifted = Events.from_arrays(
        PAST.times + origin, PAST.marks, start_times=origin, end_times=5.0 + origin
    )
    here = hawkeys.simulate(process, end_time=25.0, history=PAST, rng=1)
    there = hawkeys.simulate(process, end_time=25.0 + origin, history=shifted, rng=1)
    np.testing.assert_array_equal(here.marks, there.marks)
    # a time near 1.7e9 is stored in steps of 2.4e-7
    np.testing.assert_allclose(there.times - origin, here.times, atol=2e-6)


def test_until_from_a_history_of_an_unstable_process():
    """The total compensator increments are Exp(1) also where no stationary state exists."""
    process = hawkeys.Hawkes([0.5, 0.1], [[0.9, 0.4], [0.3, 0.8]], decay=1.0)
    assert process.spectral_radius > 1.1
    many = hawkeys.simulate_until(process, 40, history=PAST, n_realizations=25, rng=2)
    assert np.diff(many.offsets).tolist() == [40] * 25
    residuals = []
    for r in range(25):
        whole = joined(PAST, many[r])
        mass = process.compensator(whole, np.append(5.0, many[r].times)).sum(axis=1)
        residuals.append(np.diff(mass))
    assert stats.kstest(np.concatenate(residuals), "expon").pvalue > 1e-3


def test_until_one_event():
    process = process_with(Exponential(1.0))
    one = hawkeys.simulate_until(process, 1, start_time=3.0, n_realizations=2000, rng=3)
    assert stats.kstest(0.8 * (one.times - 3.0), "expon").pvalue > 1e-3
    np.testing.assert_array_equal(one.end_times, one.times)


class TestChangingBaseline:
    day = hawkeys.baselines.Periodic([0.0, 0.25], 1.0, rates=[[8.0, 0.0]])
    process = hawkeys.Hawkes(day, [[0.4]], decay=200.0)

    def test_windows_and_histories(self):
        """Expected: 2 immigrants a day in its first quarter, each with 1 / 0.6 events in all."""
        past = hawkeys.simulate(self.process, end_time=0.1, rng=1)
        sample = hawkeys.simulate(
            self.process, end_time=[3.0, 5.1], history=past, n_realizations=2, rng=2
        )
        assert (sample.times % 1.0 < 0.35).all()
        many = hawkeys.simulate(self.process, start_time=10.1, end_time=[12.1] * 2000, rng=3)
        counts = many.counts.ravel()
        assert abs(counts.mean() - 4 / 0.6) < 4 * counts.std() / np.sqrt(2000)

    def test_until(self):
        few = hawkeys.simulate_until(self.process, 30, start_time=0.3, n_realizations=200, rng=4)
        assert np.diff(few.offsets).tolist() == [30] * 200
        assert (few.times % 1.0 < 0.35).all()
        assert few.times.min() > 1.0
        mass = [
            self.process.compensator(one, one.end_times)[0, 0]
            for one in map(few.__getitem__, range(200))
        ]
        assert abs(np.mean(mass) - 30) < 4 * np.sqrt(30 / 200)  # a sum of 30 Exp(1)

    def test_outside_the_knots(self):
        steps = hawkeys.baselines.PiecewiseConstant([0.0, 1.0, 2.0], rates=[[1.0, 5.0]])
        process = hawkeys.Hawkes(steps, [[0.4]], decay=200.0)
        inside = hawkeys.simulate(process, end_time=2.0, rng=0)
        for call in (
            lambda: hawkeys.simulate(process, end_time=3.0, history=inside),
            lambda: hawkeys.simulate(process, end_time=3.0, max_events=99),
        ):
            with pytest.raises(
                InvalidParameterError, match="not within the knots of the piecewise"
            ):
                call()


class TestUnstable:
    process = hawkeys.Hawkes([1.0], [[1.5]], decay=1.0)

    def test_short_window(self):
        """Mean count; the mean intensity m solves m' = 1 + m / 2 with m(0) = 1."""
        sample = hawkeys.simulate(
            self.process, end_time=2.0, n_realizations=4000, max_events=10**6, rng=0
        )
        expected = 6 * (np.exp(1.0) - 1) - 4  # the integral of 3 e^(t/2) - 2 up to 2
        counts = sample.counts.ravel()
        assert abs(counts.mean() - expected) < 4 * counts.std() / np.sqrt(4000)

    def test_explosion(self):
        with pytest.raises(UnstableProcessError, match=r"grow beyond 1e\+04 events.*1\.5.*Shorten"):
            hawkeys.simulate(self.process, end_time=100.0, max_events=10_000, rng=0)

    def test_without_a_limit(self):
        with pytest.raises(UnstableProcessError, match="give max_events= to simulate it on a"):
            hawkeys.simulate(self.process, end_time=1.0)


class TestBranching:
    @pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
    def test_mean_children(self, kernel):
        """Poisson counts: the mean over n parents has the standard error sqrt(W / n)."""
        tree = hawkeys.simulate_branching(process_with(kernel), end_time=20_000.0, rng=1)
        error = np.sqrt(np.array(ADJACENCY) / tree.events.counts.sum(axis=0))
        # lags of about 1 at the end of 20,000 cut off less than 1e-4 of the children
        assert (np.abs(tree.mean_children - ADJACENCY) < 4 * error).all()

    def test_parents_and_generations(self):
        process = process_with(KERNELS["log-normal"])
        tree = hawkeys.simulate_branching(
            process, end_time=30.0, history=PAST, n_realizations=40, rng=2
        )
        parents, events = tree.parents, tree.events
        child = np.flatnonzero(parents >= 0)
        assert (events.times[parents[child]] < events.times[child]).all()
        assert (events.realization[parents[child]] == events.realization[child]).all()
        depth = tree.generations
        assert (depth[child] == depth[parents[child]] + 1).all()
        assert (depth[parents == -1] == 0).all()
        assert (depth[parents == -2] == 1).all()
        assert (parents == -2).any()
        assert depth.max() > 2
        assert tree.children.sum() == child.size
        np.testing.assert_array_equal(tree.is_immigrant, depth == 0)

    def test_children_of_the_history(self):
        """Their number is Poisson with the mass still to come."""
        process = process_with(KERNELS["log-normal"])
        tree = hawkeys.simulate_branching(
            process, end_time=60.0, history=PAST, n_realizations=4000, rng=3
        )
        left = process.kernel.remaining_mass(5.0 - PAST.times, PAST.marks, 2)
        expected = (left * process.adjacency[:, PAST.marks].T).sum(axis=0)
        due = tree.parents == -2
        for i in range(2):
            mine = tree.events.realization[due & (tree.events.marks == i)]
            counts = np.bincount(mine, minlength=4000)
            assert abs(counts.mean() - expected[i]) < 4 * np.sqrt(expected[i] / 4000)
            assert abs(counts.var() / expected[i] - 1) < 4 * np.sqrt(3.0 / 4000)

    def test_same_events_as_simulate(self):
        process = process_with(KERNELS["gamma"])
        tree = hawkeys.simulate_branching(process, end_time=[9.0, 5.0], rng=4)
        plain = hawkeys.simulate(process, end_time=[9.0, 5.0], rng=4)
        np.testing.assert_array_equal(tree.events.times, plain.times)
        assert repr(tree).startswith(f"Branching(n_events={plain.n_events}, ")

    def test_nothing_happened(self):
        silent = hawkeys.Hawkes([0.0, 0.0], ADJACENCY, decay=1.0)
        tree = hawkeys.simulate_branching(silent, end_time=5.0, rng=0)
        assert repr(tree) == "Branching(n_events=0, n_immigrants=0, n_generations=0)"
        assert np.isnan(tree.mean_children).all()


STABLE = hawkeys.Hawkes(BASELINE, ADJACENCY, decay=1.0)
TWICE = Events.from_lists([[[1.0], []], [[], [2.0]]], end_times=5.0)
WRONG = {
    "realisations": (
        lambda: hawkeys.simulate(STABLE, end_time=9.0, history=TWICE, n_realizations=5),
        InvalidParameterError,
        r"history has 2 realisations, but 5 are to be simulated.*history\[k\]",
    ),
    "marks": (
        lambda: hawkeys.simulate(
            STABLE, end_time=9.0, history=Events.from_lists([[[1.0]]], end_times=5.0)
        ),
        InvalidEventsError,
        "history has 1 marks, the process has 2.*empty ones included",
    ),
    "type": (
        lambda: hawkeys.simulate_until(STABLE, 3, history=[[1.0], [2.0]]),
        InvalidParameterError,
        "history that is no Events ends where the simulation starts",
    ),
    "after the start": (
        lambda: hawkeys.simulate(STABLE, start_time=4.0, end_time=9.0, history=PAST),
        InvalidParameterError,
        "realization 0: the history is observed up to 5.0 but the window starts at 4.0",
    ),
    "before the start": (
        lambda: hawkeys.simulate_branching(STABLE, start_time=6.0, end_time=9.0, history=PAST),
        InvalidParameterError,
        "observed up to 5.0 but the window starts at 6.0. Leave start_time out",
    ),
    "end": (
        lambda: hawkeys.simulate(STABLE, end_time=5.0, history=PAST),
        InvalidParameterError,
        "realization 0: every window must end after it starts; got start_time 5.0 and end_time 5.0",
    ),
    "no baseline": (
        lambda: hawkeys.simulate_until(hawkeys.Hawkes([0.0], [[0.5]], decay=1.0), 3),
        InvalidParameterError,
        "3 events may never come: every baseline is 0",
    ),
    "n_events": (
        lambda: hawkeys.simulate_until(STABLE, 0),
        InvalidParameterError,
        "n_events must be at least 1; got 0",
    ),
    "max_events": (
        lambda: hawkeys.simulate(STABLE, end_time=1.0, max_events=2.5),
        InvalidParameterError,
        r"max_events must be a whole number \(int\); got 2.5",
    ),
}


@pytest.mark.parametrize(("call", "error", "message"), WRONG.values(), ids=WRONG)
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


class TestManyChildrenDue:
    """Of a slow law nearly all children of the past come after the end: only the others count."""

    law = hawkeys.kernels.PowerLaw(0.01, 1.01)
    past = hawkeys.Events.from_lists([[np.linspace(0.5, 99.5, 200)]], end_times=100.0)

    @pytest.mark.parametrize("productive", [False, True])
    def test_counts_within_a_short_window(self, productive):
        acting = hawkeys.productivity.Exponential(
            a=0.5, v0=0.0, law=hawkeys.productivity.ExponentialValues(0.1)
        )
        options = {"productivity": acting} if productive else {}
        past = self.past.with_values(np.full(200, 0.3)) if productive else self.past
        process = hawkeys.Hawkes([1e-9], [[0.4]], kernel=self.law, **options)
        starts, ends = np.full(3000, 100.0), np.full(3000, 102.0)
        strength = np.exp(0.15) if productive else 1.0
        elapsed = 100.0 - past.times
        share = self.law.cdf(elapsed + 2.0) - self.law.cdf(elapsed)
        expected = 0.4 * strength * share.sum()
        whole = 0.4 * strength * (1.0 - self.law.cdf(elapsed)).sum()
        assert whole > 5.0 * expected  # nearly all come later
        limits = 3000 * whole + 1e6, 0.5 * 3000 * whole
        found = []
        for limit in limits:  # all are drawn; only those within the window
            points = draw_due_children(
                process, past, 3000, np.random.default_rng(1), limit=limit, horizon=2.0
            )
            inside = points.times[points.times <= 2.0]
            assert abs(inside.size / 3000 - expected) < 4.0 * np.sqrt(expected / 3000)
            found.append(inside)
        assert points.times.max() <= 2.0
        assert points.times.min() > 0.0
        assert stats.ks_2samp(*found).pvalue > 1e-3
        with pytest.raises(UnstableProcessError, match="still to come"):
            draw_due_children(
                process, past, 3000, np.random.default_rng(1), limit=100.0, horizon=2.0
            )
        sample = simulate_clusters(
            process, starts, ends, np.random.default_rng(2), limit=limits[1], history=past
        )
        assert sample.counts.mean() >= expected - 4.0 * np.sqrt(expected / 3000)

    def test_by_rejection_too(self):
        kernel = hawkeys.kernels.LogNormal(3.0, 1.0)
        rng = np.random.default_rng(0)
        zeros, elapsed = np.zeros(4000, dtype=np.int64), np.full(4000, 5.0)
        lags = kernel.sample_lags_until(rng, zeros, zeros, elapsed, 3.0)
        assert 0.0 < lags.min() < lags.max() <= 3.0
        law = stats.lognorm(1.0, scale=np.exp(3.0))
        low, high = law.cdf([5.0, 8.0])
        found = stats.kstest(lags, lambda x: (law.cdf(x + 5.0) - low) / (high - low))
        assert found.pvalue > 1e-3

    def test_a_forecast_of_a_slow_law(self):
        process = hawkeys.Hawkes([0.1], [[0.5]], kernel=hawkeys.kernels.PowerLaw(1e-3, 1.002))
        rng = np.random.default_rng(0)
        times = np.sort(rng.uniform(0.0, 1000.0, 60_000))
        past = hawkeys.Events.from_lists([[times]], end_times=1000.0)
        found = hawkeys.forecast(process, past, 1.0, n_paths=1000, rng=1)
        due = process.kernel.cdf(1001.0 - times) - process.kernel.cdf(1000.0 - times)
        assert found.mean[0] > 0.9 * (0.1 + 0.5 * due.sum())
