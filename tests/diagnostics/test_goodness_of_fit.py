"""Time rescaling, the tests of residuals, and their p-values with known and fitted parameters."""

import dataclasses
import math
import warnings

import matplotlib.pyplot as plt
import naive_goodness as naive
import numpy as np
import pytest
from scipy import stats

import hawkeys
from hawkeys import Events
from hawkeys.diagnostics.gof_result import _path, _qq_band
from hawkeys.diagnostics.residual_tests import TESTS, Scope, measure, monte_carlo_pvalues, scopes_of
from hawkeys.diagnostics.time_rescaling import rescale, steps
from hawkeys.exceptions import (
    ConvergenceWarning,
    IdentifiabilityWarning,
    InvalidEventsError,
    InvalidParameterError,
    UnstableProcessError,
)
from hawkeys.kernels import Kernel

NAMES = [test.name for test in TESTS]
BY_NAME = {test.name: test for test in TESTS}
BASELINE = np.array([0.5, 0.2, 0.1])
ADJACENCY = np.array([[0.2, 0.3, 0.0], [0.1, 0.4, 0.2], [0.3, 0.0, 0.1]])
DECAYS = {
    "shared": np.array(1.3),
    "per source": np.array([1.3, 0.2, 4.0]),
    "per pair": np.array([[1.0, 2.0, 0.3], [3.0, 0.5, 1.0], [0.1, 1.0, 9.0]]),
}


class Box(Kernel):
    """Uniform lags on (0, width): a kernel of which hawkeys knows nothing but the contract."""

    def __init__(self, width):
        self.width = width

    def check_marks(self, n_marks):
        pass

    def excitation(self, events, layout):
        out = np.zeros(events.n_events * events.n_marks)
        for k in range(events.n_events):
            r, i = events.realization[k], events.marks[k]
            block = r * layout.stride + i
            begin, end = layout.offsets[block : block + 2]
            at = self.excitation_at(events, r, events.times[k : k + 1])[0][0, i]
            place = events.n_marks * begin + layout.slots[k] - begin
            out[place + np.arange(events.n_marks) * (end - begin)] = at
        return out

    def integrals(self, events):
        windows = np.split(events.end_times, len(events))
        return np.array([self.excitation_at(events, r, w)[1][0] for r, w in enumerate(windows)])

    def excitation_at(self, events, realization, times):
        rows = slice(events.offsets[realization], events.offsets[realization + 1])
        density, mass = np.zeros((2, times.size, events.n_marks, events.n_marks))
        for t, j in zip(events.times[rows], events.marks[rows], strict=True):
            lag = times - t
            density[:, :, j] += np.where((lag > 0) & (lag < self.width), 1 / self.width, 0)[:, None]
            mass[:, :, j] += np.clip(lag / self.width, 0.0, 1.0)[:, None]
        return density, mass

    def density(self, lags):
        lags = np.asarray(lags)
        return np.where((lags > 0) & (lags < self.width), 1 / self.width, 0.0)

    def sample_lags(self, rng, targets, sources):
        return rng.uniform(0, self.width, sources.size)

    def to_dict(self):
        return {"name": "box", "width": self.width}


class LogNormalDelay(Box):
    """Log-normal lags around 1, to simulate from."""

    def __init__(self):
        super().__init__(1.0)

    def sample_lags(self, rng, targets, sources):
        return rng.lognormal(0.0, 0.5, sources.size)


def random_lists(seed, sizes, end):
    rng = np.random.default_rng(seed)
    return [np.sort(rng.uniform(0, end, size)) for size in sizes]


DATA = {
    "no event": Events.from_lists([[[], [], []]], end_times=4.0),
    "one event": Events.from_lists([[[], [1.0], []]], end_times=4.0),
    "ties": Events.from_lists(
        [[np.round(t, 0) for t in random_lists(0, (8, 7, 6), 9.0)]], end_times=9.0
    ),
    "silent mark": Events.from_lists([[*random_lists(1, (6, 5), 5.0), []]], end_times=5.0),
    "huge gaps": Events.from_lists([[[0.1, 0.2, 5e2], [0.15, 5e2 + 0.1], [9e2]]], end_times=1e3),
    "many": Events.from_lists(
        [*(random_lists(s, (4, 3, 3), 6.0) for s in range(2)), [[], [], []],
         random_lists(5, (1, 0, 2), 3.0)],
        end_times=[6.0, 7.0, 8.0, 3.0], start_times=[0.0, -1.0, 2.0, 0.0],
    ),
    "epoch": Events.from_lists(
        [[t + 1.7e9 for t in random_lists(3, (6, 5, 4), 8.0)]],
        start_times=1.7e9, end_times=1.7e9 + 8.0,
    ),
}  # fmt: skip


def hawkes(decay=2.0, n_marks=1):
    if n_marks == 1:
        return hawkeys.Hawkes([0.5], [[0.5]], decay=decay)
    return hawkeys.Hawkes(BASELINE, ADJACENCY, decay=decay, mark_names="abc")


class TestTimeRescaling:
    @pytest.mark.parametrize("kind", DECAYS)
    @pytest.mark.parametrize("data", DATA)
    def test_against_quadrature(self, data, kind):
        decay = np.broadcast_to(DECAYS[kind], (3, 3))
        process = hawkeys.Hawkes(BASELINE, ADJACENCY, decay=DECAYS[kind])
        times, expected = naive.rescaled(
            DATA[data], BASELINE, ADJACENCY,
            lambda i, j, lag: decay[i, j] * math.exp(-decay[i, j] * lag),
        )  # fmt: skip
        found = rescale(process, DATA[data])
        # what the quadrature is asked for
        np.testing.assert_allclose(found.times, times, atol=1e-9)
        np.testing.assert_allclose(found.expected, expected, atol=1e-9)
        np.testing.assert_array_equal(found.counts, DATA[data].counts)

    @pytest.mark.parametrize("data", ["ties", "many", "silent mark"])
    def test_any_kernel(self, data):
        process = hawkeys.Hawkes(BASELINE, ADJACENCY, kernel=Box(1.7))
        times, expected = naive.rescaled(
            DATA[data], BASELINE, ADJACENCY, lambda i, j, lag: (lag < 1.7) / 1.7, width=1.7
        )
        found = rescale(process, DATA[data])
        np.testing.assert_allclose(found.times, times, atol=1e-9)
        np.testing.assert_allclose(found.expected, expected, atol=1e-9)

    def test_residuals_are_steps_on_the_joined_axis(self):
        found = rescale(hawkes(n_marks=3), DATA["many"])
        axis, start = [], 0.0
        for i in range(3):
            axis.extend(start + found.of_mark(i))
            start += found.totals[i]
        order = np.argsort(found.marks, kind="stable")
        np.testing.assert_allclose(found.residuals[order], np.diff(axis, prepend=0), atol=1e-12)

    def test_simultaneous_events_of_one_mark_have_residual_zero(self):
        events = Events.from_lists([[[1.0, 2.0, 2.0, 2.0]]], end_times=3.0)
        residuals = rescale(hawkes(), events).residuals
        assert (residuals[:2] > 0).all()
        np.testing.assert_array_equal(residuals[2:], 0.0)

    def test_a_cut_interval_goes_on_in_the_next_window(self):
        events = Events.from_lists([[[1.0]], [[]], [[0.5, 2.0]]], end_times=[4.0, 3.0, 2.5])
        process = hawkeys.Hawkes([2.0], [[0.0]], decay=1.0)
        np.testing.assert_allclose(
            rescale(process, events).residuals, [2.0, 6.0 + 6.0 + 1.0, 3.0], rtol=1e-14
        )

    def test_dropping_cut_intervals_is_biased(self):
        """One event per window: the intervals kept have mean 1/e, the joined ones 1."""
        process = hawkeys.Hawkes([1.0], [[0.0]], decay=1.0)
        events = hawkeys.simulate(process, end_time=np.ones(20_000), rng=0)
        own = [rescale(process, events[r]).residuals for r in range(500)]
        joined = rescale(process, events).residuals
        # at least three standard errors
        assert np.concatenate(own).mean() == pytest.approx(math.exp(-1), abs=0.05)
        assert joined.mean() == pytest.approx(1.0, abs=0.03)

    def test_the_right_model_gives_exponential_residuals_and_its_transpose_does_not(self):
        process = hawkeys.Hawkes([0.3, 0.3], [[0.1, 0.8], [0.0, 0.1]], decay=1.0)
        turned = hawkeys.Hawkes([0.3, 0.3], process.adjacency.T, decay=1.0)
        events = hawkeys.simulate(process, end_time=4_000.0, rng=1)
        assert stats.kstest(rescale(process, events).residuals, "expon").pvalue > 0.05
        assert stats.kstest(rescale(turned, events).residuals, "expon").pvalue < 1e-10

    def test_wrong_arguments(self):
        with pytest.raises(InvalidParameterError, match=r"expected a hawkeys.Hawkes.*got dict"):
            rescale({}, DATA["many"])
        with pytest.raises(InvalidParameterError, match="end_time is missing"):
            rescale(hawkes(), [[1.0]])
        with pytest.raises(InvalidEventsError, match=r"expected Events, a list .*; got int"):
            rescale(hawkes(), 3)
        with pytest.raises(InvalidEventsError, match=r"events have 3 marks, the process has 1"):
            rescale(hawkes(), DATA["many"])


def scope_of(times, total, n_cells=4):
    cells = np.linspace(0, total, n_cells + 1)
    counts = np.histogram(times, cells)[0].astype(float)
    return Scope(np.asarray(times), total, counts, np.full(n_cells, total / n_cells))


class TestStatistics:
    times = np.cumsum(np.random.default_rng(4).gamma(1.3, size=37))
    scope = scope_of(times, times[-1] + 0.7)

    def value(self, name):
        return BY_NAME[name].statistic(self.scope)

    def test_kolmogorov_smirnov(self):
        own = stats.kstest(steps(self.times), "expon")
        assert self.value("ks") == pytest.approx(math.sqrt(37) * own.statistic, rel=1e-12)
        tail = BY_NAME["ks"].asymptotic(self.value("ks"), self.scope)
        assert tail == pytest.approx(own.pvalue, rel=1e-9)

    def test_anderson_darling(self):
        expected = naive.anderson_darling(steps(self.times))
        assert self.value("anderson_darling") == pytest.approx(expected, rel=1e-9)

    def test_autocorrelations(self):
        expected = naive.correlations(steps(self.times), 10)
        assert self.value("lag_1") == pytest.approx(abs(expected[0]), rel=1e-12)
        assert self.value("ljung_box") == pytest.approx((expected**2).sum(), rel=1e-12)

    def test_dispersion(self):
        pairs = zip(self.scope.counts, self.scope.expected, strict=True)
        total = sum((count - expected) ** 2 for count, expected in pairs)
        assert self.value("dispersion") == pytest.approx(total / self.scope.total, rel=1e-12)

    def test_residual_process(self):
        expected = naive.largest_deviation(self.times, self.scope.total)
        # the grid of the naive twin is 1e-9 wide
        assert self.value("residual_process") == pytest.approx(expected, abs=1e-8)

    @pytest.mark.parametrize(
        ("name", "points"),
        [
            # Stephens (1974), table 1A, case 0
            ("anderson_darling", {1.933: 0.10, 2.492: 0.05, 3.857: 0.01}),
            ("ks", {1.224: 0.10, 1.358: 0.05, 1.628: 0.01}),
            ("lag_1", {1.644854: 0.10, 1.959964: 0.05}),
            ("ljung_box", {18.307: 0.05, 23.209: 0.01}),
            # sup of |Brownian motion|: 4 (1 - Phi(x)) to the first order
            ("residual_process", {2.2414: 0.05, 2.8070: 0.01}),
        ],
    )
    def test_known_percentage_points(self, name, points):
        many = scope_of(np.arange(1.0, 1e5), 1e5)
        for statistic, probability in points.items():
            found = BY_NAME[name].asymptotic(statistic, many)
            assert found == pytest.approx(probability, rel=0.03)  # points to 4 digits

    @pytest.mark.parametrize("test", [test for test in TESTS if not test.two_sided])
    def test_tails_decrease_from_one_to_zero(self, test):
        grid = np.geomspace(1e-3, 60.0, 400)
        tail = [test.asymptotic(x, self.scope) for x in grid]
        assert (np.diff(tail) <= 1e-9).all()
        assert tail[0] > 0.999
        assert 0.0 <= tail[-1] < 1e-6

    def test_two_sided_dispersion(self):
        cells = scope_of(np.arange(50.0), 50.0, n_cells=10)
        tail = [BY_NAME["dispersion"].asymptotic(x, cells) for x in (0.02, 1.0, 4.0)]
        assert tail[0] < 0.01 < 0.5 < tail[1]
        assert tail[2] < 0.01

    def test_a_zero_residual_has_infinite_anderson_darling(self):
        scope = scope_of([1.0, 1.0, 2.0], 3.0)
        assert BY_NAME["anderson_darling"].statistic(scope) == math.inf
        assert BY_NAME["anderson_darling"].asymptotic(math.inf, scope) == 0.0
        assert math.isfinite(BY_NAME["ks"].statistic(scope))

    @pytest.mark.parametrize(
        ("times", "missing"),
        [
            ([], {"ks", "anderson_darling", "lag_1", "ljung_box"}),
            ([0.4], {"lag_1", "ljung_box"}),
        ],
    )
    def test_too_few_events(self, times, missing):
        scope = scope_of(np.array(times), 2.0)
        nan = {test.name for test in TESTS if math.isnan(test.statistic(scope))}
        assert nan == missing

    def test_scopes(self):
        found = rescale(hawkes(n_marks=3), DATA["many"])
        pooled, *single = scopes_of(found)
        np.testing.assert_array_equal(pooled.counts, DATA["many"].counts.sum(axis=1))
        np.testing.assert_allclose(pooled.expected, found.expected.sum(axis=1))
        np.testing.assert_allclose(np.sort(pooled.residuals), np.sort(found.residuals), atol=1e-13)
        for i, scope in enumerate(single):
            np.testing.assert_array_equal(scope.times, found.of_mark(i))
            np.testing.assert_array_equal(scope.counts, DATA["many"].counts[:, i])

    def test_one_window_is_cut_into_stretches(self):
        events = hawkeys.simulate(hawkes(), end_time=100.0, rng=0)
        scope = scopes_of(rescale(hawkes(), events))[0]
        assert scope.counts.size == round(math.sqrt(scope.total))
        assert scope.counts.sum() == events.n_events
        np.testing.assert_allclose(scope.expected.sum(), scope.total)


class TestMonteCarloPvalues:
    def test_ranks(self):
        observed = np.full((1, len(TESTS)), 2.5)
        null = np.broadcast_to(np.arange(4.0)[:, None, None], (4, 1, len(TESTS)))
        found = dict(zip(NAMES, monte_carlo_pvalues(observed, null)[0], strict=True))
        assert found.pop("dispersion") == pytest.approx(2 * 2 / 5)
        assert set(found.values()) == {2 / 5}

    def test_ties_count_and_infinity_is_a_value(self):
        observed = np.full((1, len(TESTS)), math.inf)
        null = np.array([1.0, math.inf, math.nan])[:, None, None] * np.ones((1, 1, len(TESTS)))
        assert monte_carlo_pvalues(observed, null)[0, 0] == pytest.approx(2 / 3)

    def test_missing(self):
        observed = np.full((1, len(TESTS)), 1.0)
        observed[0, 0] = math.nan
        null = np.full((3, 1, len(TESTS)), math.nan)
        null[:, :, :2] = 0.5
        found = monte_carlo_pvalues(observed, null)[0]
        assert np.isnan(found).tolist() == [True, False, True, True, True, True]
        assert np.isnan(monte_carlo_pvalues(observed, null[:0])).all()


def known_pvalues(process, ends, n_datasets):
    """Return the asymptotic p-values, pooled, of data sets from a known process."""
    rows = []
    for k in range(n_datasets):
        events = hawkeys.simulate(process, end_time=ends, rng=k)
        gof = hawkeys.goodness_of_fit(process, events, refit=False, n_mc_samples=0)
        rows.append(gof.asymptotic_pvalues.to_numpy()[0])
    return np.array(rows)


class TestKnownParameters:
    def test_asymptotic_pvalues_of_a_poisson_process_are_uniform(self):
        process = hawkeys.Hawkes([1.5], [[0.0]], decay=1.0)
        values = known_pvalues(process, 400.0, 300)
        for name, column in zip(NAMES, values.T, strict=True):
            assert stats.kstest(column, "uniform").pvalue > 0.01, name

    @pytest.mark.parametrize("n_windows", [1, 200])
    def test_asymptotic_pvalues_of_a_hawkes_process_are_uniform(self, n_windows):
        process = hawkes()
        values = known_pvalues(process, np.full(n_windows, 800.0 / n_windows), 100)
        for name, column in zip(NAMES, values.T, strict=True):
            if name == "dispersion" and n_windows > 1:
                assert np.isnan(column).all()
            else:
                assert stats.kstest(column, "uniform").pvalue > 0.01, name

    def test_many_short_windows_of_many_marks(self):
        """22 marks in 200 windows; with the cut intervals dropped, every data set is rejected."""
        process = hawkeys.Hawkes([0.05] * 22, np.eye(22, k=-1), decay=2.0)
        ends, dropped = np.ones(200), []
        values = known_pvalues(process, ends, 100)
        for k in range(5):
            events = hawkeys.simulate(process, end_time=ends, rng=k)
            parts = [rescale(process, events[r]).residuals for r in range(200)]
            dropped.append(stats.kstest(np.concatenate(parts), "expon").pvalue)
        assert stats.kstest(values[:, NAMES.index("ks")], "uniform").pvalue > 0.01
        assert max(dropped) < 1e-4

    def test_monte_carlo_agrees_with_the_limit(self):
        events = hawkeys.simulate(hawkes(), end_time=400.0, rng=3)
        gof = hawkeys.goodness_of_fit(hawkes(), events, refit=False, n_mc_samples=999)
        # three standard errors of 999 samples, and the limit's own error
        difference = (gof.pvalues - gof.asymptotic_pvalues).abs().to_numpy()
        assert difference.max() < 0.06
        assert gof.known
        assert gof.parameters == "known"

    def test_fitted_parameters_have_no_asymptotic_pvalue(self):
        events = hawkeys.simulate(hawkes(), end_time=100.0, rng=3)
        gof = hawkeys.goodness_of_fit(hawkeys.fit(events, decay=2.0), events, n_mc_samples=3)
        assert gof.asymptotic_pvalues.isna().all(axis=None)
        assert not gof.known
        assert gof.parameters == "re-fitted by mle"


class TestRefit:
    events = hawkeys.simulate(hawkes(), end_time=150.0, rng=5)

    def check_same(self, one, two):
        np.testing.assert_array_equal(one.null, two.null)
        assert one.pvalue == two.pvalue

    def test_ways_to_say_the_same(self):
        result = hawkeys.fit(self.events, decay=2.0)
        first = hawkeys.goodness_of_fit(result, self.events, n_mc_samples=9)
        self.check_same(first, hawkeys.goodness_of_fit(result.process, self.events, n_mc_samples=9))
        own = hawkeys.goodness_of_fit(
            result.process, self.events, n_mc_samples=9, refit=lambda e: hawkeys.fit(e, decay=2.0)
        )
        self.check_same(first, own)
        assert own.parameters == "re-fitted by the function given"

    def test_each_sample_is_fitted_again(self):
        result = hawkeys.fit(self.events, decay=2.0)
        gof = hawkeys.goodness_of_fit(result, self.events, n_mc_samples=3, rng=11)
        for b, generator in enumerate(np.random.default_rng(11).spawn(3)):
            sample = hawkeys.simulate(result.process, end_time=150.0, rng=generator)
            again = hawkeys.fit(sample, decay=2.0).process
            np.testing.assert_array_equal(gof.null[b], measure(rescale(again, sample)))

    @pytest.mark.parametrize(
        ("method", "options"),
        [("map", {"prior": hawkeys.GammaPrior(shape=3.0)}), ("vi", {"likelihood_weight": 2.0})],
    )
    def test_method_and_options_of_the_result(self, method, options, tmp_path):
        result = hawkeys.fit(self.events, decay=2.0, method=method, **options)
        gof = hawkeys.goodness_of_fit(result, self.events, n_mc_samples=3)
        own = hawkeys.goodness_of_fit(
            result, self.events, n_mc_samples=3,
            refit=lambda e: hawkeys.fit(e, decay=2.0, method=method, **options).process,
        )  # fmt: skip
        self.check_same(gof, own)
        assert gof.parameters == f"re-fitted by {method}"
        result.save(tmp_path / "fit.json")
        loaded = hawkeys.load_result(tmp_path / "fit.json")
        self.check_same(gof, hawkeys.goodness_of_fit(loaded, self.events, n_mc_samples=3))

    def test_any_kernel(self):
        process = hawkeys.Hawkes([0.5], [[0.5]], kernel=Box(1.0))
        events = hawkeys.simulate(process, end_time=40.0, rng=0)
        result = hawkeys.fit(events, kernel=process.kernel)
        gof = hawkeys.goodness_of_fit(result, events, n_mc_samples=9)
        assert gof.pvalue > 0.05

    def test_re_fits_that_fail_are_counted_and_left_out(self):
        result = hawkeys.fit(self.events, decay=2.0)
        calls = []

        def refit(events):
            calls.append(events)
            if len(calls) % 3 == 0:
                raise InvalidParameterError("no fit of this one.")
            return hawkeys.fit(events, decay=2.0)

        with pytest.warns(ConvergenceWarning, match="3 of 9 re-fits failed; .* no fit of this one"):
            gof = hawkeys.goodness_of_fit(result, self.events, refit=refit, n_mc_samples=9)
        assert gof.failures == ("no fit of this one.",) * 3
        assert np.isnan(gof.null[2::3]).all()
        kept = np.delete(gof.null[:, 0, 0], [2, 5, 8])
        rank = 1 + (kept >= gof.observed[0, 0]).sum()
        assert gof.pvalue == pytest.approx(rank / 7)
        assert "3 of 9 re-fits failed" in gof.summary()

        def never(events):
            raise InvalidParameterError("no fit at all.")

        with pytest.raises(InvalidParameterError, match="Too few are left for p-values"):
            hawkeys.goodness_of_fit(result, self.events, refit=never, n_mc_samples=9)

    def test_seeds(self):
        result = hawkeys.fit(self.events, decay=2.0)

        def run(n=9, **options):
            return hawkeys.goodness_of_fit(result, self.events, n_mc_samples=n, **options)

        self.check_same(run(), run(rng=0))
        assert run().seed == 0
        assert not np.array_equal(run().null, run(rng=1).null)
        np.testing.assert_array_equal(run(4).null, run().null[:4])
        free = run(rng=None)
        self.check_same(free, run(rng=free.seed))
        assert run(rng=np.random.default_rng(0)).seed is None
        self.check_same(run(), run(rng=np.random.default_rng(0)))

    def test_size_with_estimated_parameters(self):
        """The quick version of benchmarks/goodness_of_fit_study.py."""
        rejected = 0
        for k in range(100):
            data, draws = np.random.SeedSequence(k).spawn(2)
            events = hawkeys.simulate(hawkes(), end_time=100.0, rng=data)
            result = hawkeys.fit(events, decay=2.0)
            gof = hawkeys.goodness_of_fit(result, events, n_mc_samples=19, rng=draws)
            rejected += gof.pvalue <= 0.05
        # 5 expected; outside with probability 0.02 each side if the size is 5 %
        assert 1 <= rejected <= 10

    def test_an_exponential_fit_to_delayed_data_is_rejected(self):
        truth = hawkeys.Hawkes([0.2], [[0.6]], kernel=LogNormalDelay())
        for k in range(10):
            events = hawkeys.simulate(truth, end_time=4_000.0, rng=k)
            fits = [hawkeys.fit(events, decay=decay) for decay in (0.25, 0.5, 1.0, 2.0)]
            best = max(fits, key=lambda fit: fit.log_likelihood)
            gof = hawkeys.goodness_of_fit(best, events, n_mc_samples=19)
            assert gof.pvalue == pytest.approx(1 / 20)

    def test_short_windows_fitted(self):
        process = hawkeys.Hawkes([0.05] * 22, np.eye(22, k=-1), decay=2.0)
        ends = np.full(200, 3.0)
        events = hawkeys.simulate(process, end_time=ends, rng=0)
        gof = hawkeys.goodness_of_fit(hawkeys.fit(events, decay=2.0), events, n_mc_samples=19)
        assert gof.pvalue > 0.05
        # on windows shorter than the decay the spectral radius is above 1, and all is finite
        with pytest.warns(
            IdentifiabilityWarning, match="beyond any process that lasts: .* radius 13"
        ):
            slow = hawkeys.fit(events, decay=0.05)
        assert slow.process.spectral_radius > 5
        gof = hawkeys.goodness_of_fit(slow, events, n_mc_samples=19)
        assert np.isfinite(gof.null[:, 0]).all()


class TestDegenerate:
    def test_empty_mark(self):
        data = hawkeys.simulate(hawkes(), end_time=60.0, rng=1)
        events = Events.from_arrays(data.times, data.marks, end_times=60.0, n_marks=2)
        with pytest.warns(IdentifiabilityWarning):
            result = hawkeys.fit(events, decay=2.0)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            gof = hawkeys.goodness_of_fit(result, events, n_mc_samples=19)
        assert gof.pvalues.loc["1"].isna().all()
        assert gof.statistics.loc["1"].isna().all()
        assert gof.pvalues.loc["0"].notna().all()
        assert gof.pvalue > 0.05
        assert gof.residuals_of(1).size == 0
        assert "-" in gof.summary()

    @pytest.mark.parametrize("n_events", [0, 1])
    def test_hardly_any_event(self, n_events):
        events = Events.from_lists([[[1.5] * n_events]], end_times=4.0)
        process = hawkeys.Hawkes([0.3], [[0.2]], decay=1.0)
        gof = hawkeys.goodness_of_fit(process, events, refit=False, n_mc_samples=99)
        assert gof.residuals.size == n_events
        assert math.isnan(gof.pvalue) == (n_events == 0)
        assert math.isnan(gof.pvalues.loc["pooled", "lag_1"])
        assert 0 < gof.pvalues.loc["pooled", "residual_process"] <= 1
        assert "p-value (KS)" in gof.summary()

    def test_one_event_fitted(self):
        events = Events.from_lists([[[1.5]]], end_times=4.0)
        gof = hawkeys.goodness_of_fit(hawkeys.fit(events, decay=1.0), events, n_mc_samples=19)
        assert 0 < gof.pvalue <= 1

    def test_ties_are_evidence_against_any_process_with_an_intensity(self):
        data = hawkeys.simulate(hawkes(), end_time=100.0, rng=2)
        events = Events.from_arrays(np.round(data.times, 1), data.marks, end_times=100.0)
        gof = hawkeys.goodness_of_fit(hawkes(), events, refit=False, n_mc_samples=19)
        assert (gof.residuals == 0).any()
        assert gof.statistics.loc["pooled", "anderson_darling"] == math.inf
        assert gof.pvalues.loc["pooled", "anderson_darling"] == 1 / 20
        assert math.isfinite(gof.statistics.loc["pooled", "ks"])

    @pytest.mark.parametrize("factor", [1e-9, 1e9])
    def test_unit_of_time(self, factor):
        data = hawkeys.simulate(hawkes(), end_time=100.0, rng=2)
        scaled = Events.from_arrays(data.times * factor, data.marks, end_times=100.0 * factor)
        one = hawkeys.goodness_of_fit(hawkeys.fit(data, decay=2.0), data, n_mc_samples=9)
        two = hawkeys.goodness_of_fit(
            hawkeys.fit(scaled, decay=2.0 / factor), scaled, n_mc_samples=9
        )
        # the fits stop within 1e-7 nats of the optimum
        np.testing.assert_allclose(two.residuals, one.residuals, rtol=1e-4, atol=1e-6)
        assert two.pvalue == one.pvalue


class TestErrors:
    events = hawkeys.simulate(hawkes(), end_time=100.0, rng=0)

    def test_not_the_fit(self):
        with pytest.raises(InvalidParameterError, match=r"not the maximum-likelihood fit.*refit=F"):
            hawkeys.goodness_of_fit(hawkes(), self.events)

    def test_an_impossible_event_is_not_the_fit(self):
        silent = hawkeys.Hawkes([0.0], [[0.5]], decay=2.0)
        with pytest.raises(InvalidParameterError, match=r"which is inf nats better"):
            hawkeys.goodness_of_fit(silent, self.events)

    def test_other_events(self):
        result = hawkeys.fit(self.events, decay=2.0)
        other = hawkeys.simulate(hawkes(), end_time=100.0, rng=1)
        with pytest.raises(InvalidParameterError, match=r"was fitted to other events.*refit=False"):
            hawkeys.goodness_of_fit(result, other)
        gof = hawkeys.goodness_of_fit(result, other, refit=False, n_mc_samples=9)
        assert gof.known

    def test_wrong_types(self):
        result = hawkeys.fit(self.events, decay=2.0)
        with pytest.raises(InvalidParameterError, match=r"expected a hawkeys.Hawkes.*got ndarray"):
            hawkeys.goodness_of_fit(np.zeros(3), self.events)
        with pytest.raises(InvalidParameterError, match="end_time is missing"):
            hawkeys.goodness_of_fit(result, [[1.0, 2.0]])
        with pytest.raises(InvalidEventsError, match=r"events have 3 marks, the process has 1"):
            hawkeys.goodness_of_fit(result, DATA["many"])
        with pytest.raises(InvalidParameterError, match=r"refit must be True, False or a function"):
            hawkeys.goodness_of_fit(result, self.events, refit="mle")
        with pytest.raises(InvalidParameterError, match=r"refit must return a Hawkes.*returned 3"):
            hawkeys.goodness_of_fit(result, self.events, refit=lambda e: 3, n_mc_samples=1)
        with pytest.raises(InvalidEventsError, match=r"events have 1 marks, the process has 3"):
            hawkeys.goodness_of_fit(
                result, self.events, refit=lambda e: hawkes(n_marks=3), n_mc_samples=1
            )
        with pytest.raises(InvalidParameterError, match=r"n_mc_samples must be at least 0; got -1"):
            hawkeys.goodness_of_fit(result, self.events, n_mc_samples=-1)
        with pytest.raises(InvalidParameterError, match=r"rng must be"):
            hawkeys.goodness_of_fit(result, self.events, rng="today")

    def test_unstable(self):
        process = hawkeys.Hawkes([0.5], [[1.5]], decay=2.0)
        with pytest.raises(
            UnstableProcessError, match=r"cannot be simulated.* radius is 1.5.*n_mc_samples=0"
        ):
            hawkeys.goodness_of_fit(process, self.events, refit=False, n_mc_samples=1)
        gof = hawkeys.goodness_of_fit(process, self.events, refit=False, n_mc_samples=0)
        assert gof.residuals.size == self.events.n_events


@pytest.fixture(scope="module")
def three_marks():
    events = hawkeys.simulate(hawkes(n_marks=3), end_time=80.0, rng=0)
    return hawkeys.goodness_of_fit(hawkeys.fit(events, decay=2.0), events, n_mc_samples=39)


class TestResult:
    def test_frames(self, three_marks):
        frame = three_marks.to_frame()
        assert list(frame) == [
            "scope", "test", "n_events", "statistic", "pvalue", "asymptotic_pvalue"
        ]  # fmt: skip
        assert frame["scope"].unique().tolist() == ["pooled", "a", "b", "c"]
        assert len(frame) == 4 * len(TESTS)
        wide = frame.pivot(index="scope", columns="test", values="pvalue")
        assert wide.loc["b", "ks"] == three_marks.pvalues.loc["b", "ks"]
        assert frame["n_events"].iloc[0] == three_marks.residuals.size
        assert three_marks.pvalue == three_marks.pvalues.loc["pooled", "ks"]
        assert three_marks.statistics.loc["a", "ks"] == three_marks.observed[1, 0]

    def test_one_mark_is_the_pool(self):
        events = hawkeys.simulate(hawkes(), end_time=80.0, rng=0)
        gof = hawkeys.goodness_of_fit(hawkes(), events, refit=False, n_mc_samples=9)
        np.testing.assert_array_equal(gof.pvalues.loc["pooled"], gof.pvalues.loc["0"])
        np.testing.assert_array_equal(gof.residuals_of(0), gof.residuals)

    def test_residuals_of_a_mark(self, three_marks):
        gof = three_marks
        own = gof.residuals_of("b")
        np.testing.assert_array_equal(own, gof.residuals_of(1))
        # all but the first agree with the pooled ones
        np.testing.assert_allclose(own[1:], gof.residuals[gof.rescaled.marks == 1][1:], atol=1e-12)
        for wrong in ("d", 3, -1, 0.5):
            with pytest.raises(InvalidParameterError, match=r"mark must be one of .*'a', 'b', 'c'"):
                gof.residuals_of(wrong)

    def test_frozen(self, three_marks):
        with pytest.raises(dataclasses.FrozenInstanceError):
            three_marks.seed = 3

    def test_summary_and_repr(self, three_marks):
        text = three_marks.summary()
        assert "39 samples, seed 0" in text
        assert "re-fitted by mle" in text
        assert [line.split()[0] for line in text.splitlines()[7:11]] == ["pooled", "a", "b", "c"]
        assert repr(three_marks).startswith(f"GoodnessOfFit(pvalue={three_marks.pvalue:.4g}, ")

    def test_single_window_mean_is_one_at_the_maximum(self, three_marks):
        """At the maximum each mark's compensator equals its number of events."""
        np.testing.assert_allclose(
            three_marks.rescaled.totals, three_marks.rescaled.counts.sum(axis=0), rtol=1e-4
        )


class TestPlots:
    @pytest.fixture(autouse=True)
    def _close(self):
        yield
        plt.close("all")

    @pytest.mark.parametrize("mark", [None, "b", 2])
    def test_qq(self, three_marks, mark):
        _, ax = plt.subplots()
        assert three_marks.plot_qq(ax, mark=mark) is ax
        points = ax.lines[-1].get_xydata()
        expected = three_marks.residuals if mark is None else three_marks.residuals_of(mark)
        np.testing.assert_allclose(points[:, 1], np.sort(expected), atol=1e-12)
        assert len(ax.collections) == 1

    @pytest.mark.parametrize("mark", [None, "b"])
    def test_residual_process(self, three_marks, mark):
        _, ax = plt.subplots()
        assert three_marks.plot_residual_process(ax, mark=mark) is ax
        path = ax.lines[-1].get_xydata()
        index = 0 if mark is None else 2
        scope = scopes_of(three_marks.rescaled)[index]
        largest = np.abs(path[:, 1]).max() / math.sqrt(scope.total)
        column = NAMES.index("residual_process")
        assert largest == pytest.approx(three_marks.observed[index, column], rel=1e-12)
        assert len(ax.lines) == (4 if mark is None else 2)

    def test_current_axes(self, three_marks):
        _, ax = plt.subplots()
        assert three_marks.plot_qq() is ax

    def test_the_bands_are_the_tests(self, three_marks):
        """A point leaves the QQ band exactly if the statistic exceeds the 95 % point."""
        x = np.sort(three_marks.residuals)
        statistic = three_marks.observed[0, 0]
        for factor in (0.999, 1.001):
            _, lower, upper = _qq_band(x.size, factor * statistic / math.sqrt(x.size))
            assert ((lower <= x) & (x <= upper)).all() == (factor > 1)

    def test_path(self):
        s, height = _path(np.array([1.0, 1.5]), 4.0)
        assert s.tolist() == [0, 1, 1, 1.5, 1.5, 4]
        assert height.tolist() == [0, -1, 0, -0.5, 0.5, -2]

    def test_without_monte_carlo(self, three_marks):
        known = dataclasses.replace(three_marks, parameters="known", null=three_marks.null[:0])
        fitted = dataclasses.replace(three_marks, null=three_marks.null[:0])
        for gof, bands in ((known, 1), (fitted, 0)):
            for draw in (gof.plot_qq, gof.plot_residual_process):
                assert len(draw(plt.figure().gca()).collections) == bands
            assert math.isnan(gof.pvalue)

    def test_nothing_to_draw(self):
        events = Events.from_lists([[[1.0, 2.0], []]], end_times=4.0)
        process = hawkeys.Hawkes([0.5, 0.5], np.zeros((2, 2)), decay=1.0)
        gof = hawkeys.goodness_of_fit(process, events, refit=False, n_mc_samples=2)
        for draw in (gof.plot_qq, gof.plot_residual_process):
            with pytest.raises(InvalidParameterError, match=r"mark 1 has no event"):
                draw(mark=1)
