"""Forecasts and plots over time, with fixed seeds; tolerances as in test_simulation_history."""

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import linalg, stats

import hawkeys
from hawkeys import Events
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError, UnstableProcessError
from hawkeys.forecasting.next_event import next_event, shown_time
from hawkeys.forecasting.parameter_draws import draw_parameters, draw_positive_normal
from hawkeys.kernels import Exponential, Gamma, Histogram, LogNormal
from hawkeys.plotting import plot_intensity

mpl.use("agg")

BASELINE = np.array([0.5, 0.3])
ADJACENCY = np.array([[0.4, 0.3], [0.1, 0.5]])
KERNELS = {
    "exponential": Exponential(1.5),
    "log-normal": LogNormal(0.0, 0.5),
    "gamma": Gamma([[2.0, 3.0], [1.5, 4.0]], 2.0),
    "histogram": Histogram([0.5, 1.0, 2.0, 3.0], [0.5, 0.0, 0.5]),
}
PAST = Events.from_lists(
    [[[0.2, 3.5, 4.8, 5.0], [1.0, 4.9, 5.0]]], end_times=5.0, mark_names=["a", "b"]
)
POISSON = hawkeys.Hawkes(BASELINE, np.zeros((2, 2)), decay=1.0, mark_names=["a", "b"])


def process_with(kernel):
    return hawkeys.Hawkes(BASELINE, ADJACENCY, kernel=kernel, mark_names=["a", "b"])


class TestCounts:
    def test_mean_against_theory(self):
        """The mean intensity of one shared decay b solves m' = b mu - b (1 - W) m (Hawkes 1971)."""
        process = process_with(Exponential(1.5))
        future = hawkeys.forecast(process, PAST, 6.0, n_paths=4000)
        late = Events.from_arrays(PAST.times, PAST.marks, end_times=6.0, n_marks=2)
        start = process.intensity(late, [np.nextafter(5.0, 6.0)])[0]
        # state (m, 1, integral of m)
        system = np.zeros((5, 5))
        system[:2, :2] = -1.5 * (np.eye(2) - ADJACENCY)
        system[:2, 2] = 1.5 * BASELINE
        system[3:, :2] = np.eye(2)
        expected = (linalg.expm(6.0 * system) @ [*start, 1.0, 0.0, 0.0])[3:]
        error = future.counts.std(axis=0) / np.sqrt(4000)
        assert (np.abs(future.mean - expected) < 4 * error).all()
        assert (4 * error < 0.1 * expected).all()  # the tolerance is worth something

    @pytest.mark.parametrize("name", ["exponential", "log-normal"])
    def test_calibration(self, name):
        """The truth ranks uniformly among the paths, and the intervals cover it."""
        process = process_with(KERNELS[name])
        pasts = hawkeys.simulate(process, end_time=10.0, n_realizations=200, rng=1)
        truth = hawkeys.simulate(process, end_time=14.0, history=pasts, rng=2).counts
        rng = np.random.default_rng(3)
        ranks, covered = np.empty((200, 2)), np.empty((200, 2))
        for r in range(200):
            future = hawkeys.forecast(process, pasts[r], 4.0, n_paths=200, level=0.8, rng=rng)
            below = (future.counts < truth[r]).mean(axis=0)
            ranks[r] = below + rng.random(2) * (future.counts == truth[r]).mean(axis=0)
            lower, upper = future.interval()
            covered[r] = (lower <= truth[r]) & (truth[r] <= upper)
        assert all(stats.kstest(column, "uniform").pvalue > 1e-3 for column in ranks.T)
        # 80 %, and more where counts are few; the standard error is 2.8 %
        assert ((covered.mean(axis=0) > 0.69) & (covered.mean(axis=0) < 0.97)).all()

    def test_bins(self):
        future = hawkeys.forecast(process_with(LogNormal(0.0, 0.5)), PAST, 6.0, n_paths=50)
        frame = future.to_frame(n_bins=3)
        assert frame.columns.tolist() == [
            "start", "end", "mark", "mean", "median", "lower", "upper",
        ]  # fmt: skip
        assert frame["mark"].tolist() == ["a", "b", "all"] * 3
        assert frame["start"].iloc[[0, 3, 6]].tolist() == [5.0, 7.0, 9.0]
        total = frame.groupby("mark", sort=False)["mean"].sum()
        np.testing.assert_allclose(total[["a", "b"]], future.mean, rtol=1e-12)
        np.testing.assert_allclose(total["all"], future.mean.sum(), rtol=1e-12)
        assert (frame["lower"] <= frame["median"]).all()
        assert (frame["median"] <= frame["upper"]).all()
        lower, upper = future.interval(0.5)
        whole = future.to_frame(level=0.5)
        np.testing.assert_array_equal(whole["lower"][:2], lower)
        np.testing.assert_array_equal(whole["upper"][:2], upper)

    def test_counts_up_to(self):
        future = hawkeys.forecast(process_with(Exponential(1.5)), PAST, 6.0, n_paths=20)
        times = [5.0, 6.3, 9.0, 11.0]
        counts = future.counts_up_to(times)
        for k, time in enumerate(times):
            for r, per_mark in enumerate(future.paths.to_lists()):
                assert counts[k, r].tolist() == [(one <= time).sum() for one in per_mark]
        np.testing.assert_array_equal(counts[-1], future.counts)

    def test_same_seed(self):
        process = process_with(Exponential(1.5))
        one, two = (hawkeys.forecast(process, PAST, 6.0, n_paths=30) for _ in range(2))
        np.testing.assert_array_equal(one.paths.times, two.paths.times)
        other = hawkeys.forecast(process, PAST, 6.0, n_paths=30, rng=1)
        assert not np.array_equal(one.counts, other.counts)

    def test_epoch_seconds(self):
        process = process_with(LogNormal(0.0, 0.5))
        origin = 1.7e9
        shifted = Events.from_arrays(
            PAST.times + origin, PAST.marks, start_times=origin, end_times=5.0 + origin, n_marks=2
        )
        here = hawkeys.forecast(process, PAST, 6.0, n_paths=40)
        there = hawkeys.forecast(process, shifted, 6.0, n_paths=40)
        np.testing.assert_array_equal(here.counts, there.counts)
        # times near 1.7e9 are stored in steps of 2.4e-7
        assert abs(there.next_event.median - origin - here.next_event.median) < 1e-5
        np.testing.assert_allclose(
            there.next_event.mark_probabilities, here.next_event.mark_probabilities, atol=1e-5
        )


class TestNextEvent:
    def test_poisson(self):
        empty = Events.from_lists([[[], []]], end_times=2.0)
        coming = hawkeys.forecast(POISSON, empty, 3.0, n_paths=1).next_event
        np.testing.assert_allclose(coming.survival, np.exp(-0.8 * (coming.times - 2.0)), rtol=1e-12)
        total = 1 - np.exp(-2.4)
        np.testing.assert_allclose(coming.mark_probabilities, BASELINE / 0.8 * total, rtol=1e-12)
        np.testing.assert_allclose(coming.quantile([0.1, 0.5]), 2 - np.log([0.9, 0.5]) / 0.8)
        assert coming.quantile(0.95) == np.inf
        assert abs(coming.probability - total) < 1e-12

    @pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
    def test_against_simulation(self, kernel):
        """Both sides of the horizon: 0.5 leaves a good part of the paths without an event."""
        future = hawkeys.forecast(process_with(kernel), PAST, 0.5, n_paths=4000, rng=5)
        coming, paths = future.next_event, future.paths
        filled = np.diff(paths.offsets) > 0
        first = paths.offsets[:-1][filled]
        share = np.searchsorted(np.sort(paths.times[first]), coming.times, side="right") / 4000
        # 1.95 / sqrt(n): the 0.1 % point of Kolmogorov's statistic
        assert np.abs(1 - coming.survival - share).max() < 1.95 / np.sqrt(4000)
        for i in range(2):
            p = coming.mark_probabilities[i]
            simulated = (paths.marks[first] == i).sum() / 4000
            assert abs(simulated - p) < 4 * np.sqrt(p * (1 - p) / 4000), i
        np.testing.assert_allclose(coming.mark_probabilities.sum(), coming.probability, rtol=1e-12)

    @pytest.mark.parametrize("kernel", KERNELS.values(), ids=KERNELS)
    def test_against_quadrature(self, kernel):
        """Integrals of lambda_i S by 40,000 midpoints; the own steps promise about 1e-5."""
        process = process_with(kernel)
        coming = next_event([process], PAST, 8.0)
        late = Events.from_arrays(PAST.times, PAST.marks, end_times=13.0, n_marks=2)
        times = 5.0 + (np.arange(40_000) + 0.5) * (8.0 / 40_000)
        mass = process.compensator(late, np.append(times, 5.0)).sum(axis=1)
        alive = np.exp(mass[-1] - mass[:-1])
        expected = (process.intensity(late, times) * alive[:, None]).mean(axis=0) * 8.0
        np.testing.assert_allclose(coming.mark_probabilities, expected, atol=2e-5)
        assert -np.diff(coming.survival).max() <= 0.002
        middle = np.interp(0.5, 1 - alive, times)
        assert abs(coming.median - middle) < 1e-4

    def test_mixture(self):
        """Of two processes that are equally likely, the mean of the two laws."""
        fast = hawkeys.Hawkes(4 * BASELINE, ADJACENCY, decay=1.0)
        slow = hawkeys.Hawkes(BASELINE, ADJACENCY, decay=1.0)
        both = next_event([fast, slow], PAST, 3.0)
        alone = [next_event([one], PAST, 3.0) for one in (fast, slow)]
        marks = np.mean([one.mark_probabilities for one in alone], axis=0)
        np.testing.assert_allclose(both.mark_probabilities, marks, atol=1e-4)
        expected = np.mean([one.survival[-1] for one in alone])
        np.testing.assert_allclose(both.survival[-1], expected, rtol=1e-12)

    def test_impossible(self):
        silent = hawkeys.Hawkes([0.0, 0.0], ADJACENCY, decay=1.0)
        empty = Events.from_lists([[[], []]], end_times=2.0)
        coming = hawkeys.forecast(silent, empty, 3.0, n_paths=5).next_event
        assert coming.probability == 0.0
        assert coming.median == np.inf

    def test_wrong_probability(self):
        coming = next_event([POISSON], PAST, 3.0)
        with pytest.raises(InvalidParameterError, match="probability must lie strictly between"):
            coming.quantile(1.0)


class TestParameterUncertainty:
    truth = process_with(Exponential(1.5))
    events = hawkeys.simulate(truth, end_time=150.0, rng=4)

    def test_truncated_normal_against_rejection(self):
        covariance = np.array([[0.04, -0.02], [-0.02, 0.0225]])
        mean = np.array([0.1, 0.15])
        rng = np.random.default_rng(0)
        draws = draw_positive_normal(mean, np.linalg.inv(covariance), 4000, rng)
        plain = rng.multivariate_normal(mean, covariance, size=12_000)
        kept = plain[(plain > 0).all(axis=1)]
        assert (draws > 0).all()
        for k in range(2):
            assert stats.ks_2samp(draws[:, k], kept[:, k]).pvalue > 1e-3
        assert stats.ks_2samp(draws.sum(axis=1), kept.sum(axis=1)).pvalue > 1e-3

    def test_far_below_zero(self):
        """A mean 50 standard deviations below 0: nearly exponential with mean 1 / 50."""
        rng = np.random.default_rng(0)
        draws = draw_positive_normal(np.array([-50.0]), np.eye(1), 2000, rng)
        assert abs(draws.mean() * 50 - 1) < 0.1

    def test_likelihood_draws(self):
        result = hawkeys.fit(self.events, decay=1.5)
        draws = draw_parameters(result, 3000, np.random.default_rng(1))
        far = result.estimates > 4 * result.std_err  # where the truncation does nothing
        assert far.sum() >= 2
        error = result.std_err[far] / np.sqrt(3000)
        assert (np.abs(draws[:, far].mean(axis=0) - result.estimates[far]) < 6 * error).all()
        np.testing.assert_allclose(draws[:, far].std(axis=0), result.std_err[far], rtol=0.1)
        assert (draws >= 0).all()

    def test_at_the_bound(self):
        """Each mark comes long before the other: an estimate is exactly 0, and stays so."""
        lonely = Events.from_lists([[[1.0, 1.1, 21.0], [10.0, 10.2, 29.0]]], end_times=30.0)
        result = hawkeys.fit(lonely, decay=5.0)
        assert result.at_bound.any()
        draws = draw_parameters(result, 10, np.random.default_rng(0))
        assert (draws[:, result.at_bound] == 0.0).all()
        assert (draws[:, ~result.at_bound] > 0.0).all()

    def test_periodic_baseline(self):
        """Nothing in the second half of each day: neither in the paths nor in the draws."""
        day = hawkeys.baselines.Periodic([0.0, 0.5], 1.0, rates=[[8.0, 0.0]])
        truth = hawkeys.Hawkes(day, [[0.2]], decay=50.0)
        past = hawkeys.simulate(truth, end_time=40.5, rng=0)
        unknown = hawkeys.baselines.Periodic([0.0, 0.5], 1.0)
        result = hawkeys.fit(past, decay=50.0, baseline=unknown)
        future = hawkeys.forecast(result, past, 1.0, n_paths=400, parameter_uncertainty=True)
        night = future.counts_up_to([41.0])[0]
        assert night.mean() < 0.1 * future.mean[0]
        assert future.next_event.median > 41.0
        drawn = draw_parameters(result, 500, np.random.default_rng(0))
        assert drawn.shape == (500, 1, 3)
        np.testing.assert_allclose(drawn[:, 0, 0].std(), result.std_err[0, 0], rtol=0.15)

    def test_posterior_draws(self):
        result = hawkeys.fit(self.events, decay=1.5, method="vi", rng=0)
        draws = draw_parameters(result, 4000, np.random.default_rng(1))
        marginals = result.linear_response
        error = marginals.sd / np.sqrt(4000)
        assert (np.abs(draws.mean(axis=0) - marginals.mean) < 5 * error).all()
        # jointly, not mark by mark: the correlation of baseline and adjacency is kept
        for i, covariance in enumerate(result.log_covariance):
            found = np.corrcoef(np.log(draws[:, i]).T)
            scale = np.sqrt(np.diagonal(covariance))
            np.testing.assert_allclose(found, covariance / np.outer(scale, scale), atol=0.08)

    @pytest.mark.parametrize("method", ["mle", "vi", "vi_branching", "vi_stochastic"])
    def test_tied_parameters_are_one_in_every_draw(self, method):
        tied = {"baseline": [0, 0], "adjacency": [[1, 2], [2, -1]]}
        options = {"n_steps": 100} if method == "vi_stochastic" else {}
        result = hawkeys.fit(self.events, decay=1.5, method=method, tied=tied, **options)
        draws = draw_parameters(result, 4000, np.random.default_rng(0))
        np.testing.assert_array_equal(draws[:, 0, 0], draws[:, 1, 0])
        np.testing.assert_array_equal(draws[:, 0, 2], draws[:, 1, 1])
        if result.method in ("vi", "vi_branching"):  # what is drawn given the ties keeps its law
            marginals, covariance = result.linear_response, result.log_covariance[1]
            error = marginals.sd / np.sqrt(4000)
            assert (np.abs(draws.mean(axis=0) - marginals.mean) < 5 * error).all()
            scale = np.sqrt(np.diagonal(covariance))
            found = np.corrcoef(np.log(draws[:, 1]).T)
            np.testing.assert_allclose(found, covariance / np.outer(scale, scale), atol=0.08)

    def test_wider_intervals(self):
        result = hawkeys.fit(self.events, decay=1.5)
        held = hawkeys.forecast(result, self.events, 50.0, n_paths=600)
        drawn = hawkeys.forecast(result, self.events, 50.0, n_paths=600, parameter_uncertainty=True)
        assert (held.n_draws, drawn.n_draws) == (0, 200)
        assert drawn.n_paths == 600
        assert drawn.counts.sum(axis=1).std() > 1.1 * held.counts.sum(axis=1).std()
        assert "200 draws" in drawn.summary()

    def test_needs_a_fit(self):
        with pytest.raises(InvalidParameterError, match=r"got Hawkes\. Pass such a result"):
            hawkeys.forecast(self.truth, PAST, 5.0, parameter_uncertainty=True)


class TestShown:
    future = hawkeys.forecast(process_with(Exponential(1.5)), PAST, 6.0, n_paths=100)

    def test_summary(self):
        text = self.future.summary(n_bins=2)
        assert text == self.future.summary(n_bins=2)
        for part in ("Forecast of a Hawkes process", "median at 5.", "95 % prediction", "held"):
            assert part in text
        assert repr(self.future).startswith("Forecast(start=5, horizon=6, n_paths=100, n_draws=0")
        assert repr(self.future.next_event).startswith("NextEvent(probability=0.99")

    def test_plot_of_the_forecast(self):
        axes = Figure().subplots()
        assert self.future.plot(axes, mark="b") is axes
        history, mean, now = axes.lines
        np.testing.assert_array_equal(history.get_xdata(), [0.0, 1.0, 4.9, 5.0, 5.0])
        np.testing.assert_array_equal(history.get_ydata(), [0, 1, 2, 3, 3])
        assert mean.get_xdata()[-1] == 11.0
        assert abs(mean.get_ydata()[-1] - 3 - self.future.mean[1]) < 1e-12
        assert now.get_xdata()[0] == 5.0
        low, high = self.future.interval()
        band = axes.collections[0].get_paths()[0].vertices
        assert band[:, 1].max() == 3 + high[1]
        assert (low[1] <= band[band[:, 0] == 11.0, 1] - 3).all()

    def test_plot_of_all_marks(self):
        axes = self.future.plot(Figure().subplots())
        assert axes.lines[0].get_ydata()[-1] == 7
        assert [text.get_text() for text in axes.get_legend().get_texts()] == [
            "all marks", "95 % of the futures", "mean",
        ]  # fmt: skip

    def test_plot_of_the_intensity(self):
        process = process_with(Exponential(1.5))
        axes = Figure().subplots()
        assert plot_intensity(process, PAST, ax=axes) is axes
        for i, line in enumerate(axes.lines[:2]):
            times, rates = line.get_data()
            np.testing.assert_array_equal(rates, process.intensity(PAST, times)[:, i])
            assert set(PAST.times) <= set(times)
            assert np.diff(rates).max() > 0.4  # the jump at an event is drawn upright
        ticks = [len(rows.get_paths()) for rows in axes.collections]
        assert ticks == [4, 3]
        assert axes.get_yticks().min() >= 0

    def test_many_marks(self):
        """Names beside the ticks instead of a long legend."""
        process = hawkeys.Hawkes(np.full(9, 0.1), np.zeros((9, 9)), decay=1.0)
        axes = plot_intensity(
            process, hawkeys.simulate(process, end_time=9.0, rng=0), ax=Figure().subplots()
        )
        assert axes.get_legend() is None
        assert [text.get_text() for text in axes.texts] == list("012345678")

    def test_part_of_the_intensity(self):
        process = process_with(LogNormal(0.0, 0.5))
        two = Events.from_lists([[[], []], [[1.0, 2.0], [4.0]]], end_times=5.0)
        axes = plot_intensity(
            process, two, realization=1, marks=["b"], window=(1.5, 4.5), ax=Figure().subplots()
        )
        assert axes.get_xlim() == (1.5, 4.5)
        assert [text.get_text() for text in axes.get_legend().get_texts()] == ["b"]
        assert len(axes.collections[0].get_paths()) == 1


FUTURE = TestShown.future
WRONG = {
    "model": (
        lambda: hawkeys.forecast(3, PAST, 1.0),
        InvalidParameterError,
        "model must be a process or the result of a fit; got 3",
    ),
    "events": (
        lambda: hawkeys.forecast(POISSON, [[1.0], [2.0]], 1.0),
        InvalidParameterError,
        "end_time is missing",
    ),
    "marks": (
        lambda: hawkeys.forecast(POISSON, Events.from_lists([[[1.0]]], end_times=2.0), 1.0),
        InvalidEventsError,
        "events has 1 marks, the process has 2",
    ),
    "realisations": (
        lambda: hawkeys.forecast(POISSON, PAST[[0, 0]], 1.0),
        InvalidParameterError,
        r"continues one realisation; events has 2. Pick one with events\[k\]",
    ),
    "horizon": (
        lambda: hawkeys.forecast(POISSON, PAST, -1.0),
        InvalidParameterError,
        "horizon must be one positive number",
    ),
    "paths": (
        lambda: hawkeys.forecast(POISSON, PAST, 1.0, n_paths=0),
        InvalidParameterError,
        "n_paths must be at least 1",
    ),
    "level": (
        lambda: hawkeys.forecast(POISSON, PAST, 1.0, level=95),
        InvalidParameterError,
        "level must be one number strictly between 0 and 1",
    ),
    "times": (
        lambda: FUTURE.counts_up_to([6.0, 4.0]),
        InvalidParameterError,
        r"times must increase and lie in the forecast \[5.0, 11.0\]",
    ),
    "bins": (
        lambda: FUTURE.to_frame(n_bins=0),
        InvalidParameterError,
        "n_bins must be at least 1",
    ),
    "mark": (
        lambda: FUTURE.plot(Figure().subplots(), mark="c"),
        InvalidParameterError,
        "mark must be one of the names 'a', 'b' or a number from 0 to 1; got 'c'",
    ),
    "drawn mark": (
        lambda: plot_intensity(POISSON, PAST, marks=[2], ax=Figure().subplots()),
        InvalidParameterError,
        "a number from 0 to 1; got 2",
    ),
    "window": (
        lambda: plot_intensity(POISSON, PAST, window=(3.0, 9.0), ax=Figure().subplots()),
        InvalidParameterError,
        r"window must be two increasing times within the observation \[0.0, 5.0\]",
    ),
    "realisation": (
        lambda: plot_intensity(POISSON, PAST, realization=1, ax=Figure().subplots()),
        InvalidParameterError,
        r"realization must lie in 0..0; got 1",
    ),
}


@pytest.mark.parametrize(("call", "error", "message"), WRONG.values(), ids=WRONG)
def test_wrong_arguments(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_explosion(monkeypatch):
    monkeypatch.setattr("hawkeys.forecasting.prediction._MAX_EVENTS", 1e4)
    explosive = hawkeys.Hawkes([1.0, 1.0], [[1.5, 0.0], [0.0, 1.5]], decay=1.0)
    assert hawkeys.forecast(explosive, PAST, 1.0, n_paths=2).n_paths == 2
    message = r"the forecast is too large: .*spectral radius is 1\.5.*shorter horizon or fewer"
    with pytest.raises(UnstableProcessError, match=message):
        hawkeys.forecast(explosive, PAST, 1e3, n_paths=2)


@pytest.mark.parametrize(
    ("time", "horizon", "shown"),
    [
        (7800.1, 3600.0, "7800.1"),
        (7800.1, 1e9, "7800.1"),
        (7800.0, 60.0, "7800"),
        (1_700_000_000.126, 60.0, "1700000000.13"),
        (1_700_000_000.0, 86400.0, "1700000000"),
        (4.46112, 4.0, "4.461"),
        (1.23456e-6, 1e-6, "0.000001235"),
        (-7800.1, 10.0, "-7800.1"),
        (np.inf, 10.0, "inf"),
    ],
)
def test_times_are_shown_to_a_thousandth_of_the_horizon(time, horizon, shown):
    assert shown_time(time, horizon) == shown


def test_a_forecast_late_on_the_clock_shows_its_times():
    process = hawkeys.Hawkes([0.001], [[0.0]], decay=1.0)
    past = hawkeys.Events.from_lists([[[100.0]]], end_times=7106.95281944)
    future = hawkeys.forecast(process, past, horizon=3600.0, n_paths=10, rng=0)
    # the median wait of a Poisson process of .001 per unit of time is 693.147
    assert "median=7800.1," in repr(future.next_event)
    assert "median at 7800.1" in future.summary()
    assert "7107" in future.summary()


def test_children_still_due_are_limited_before_they_are_drawn():
    """One event has 1e12 children to come; nothing in the spectral radius, 0, says so."""
    process = hawkeys.Hawkes([0.01, 0.01], [[0.0, 1e12], [0.0, 0.0]], decay=1.0)
    past = hawkeys.Events.from_lists([[[], [9.9]]], end_times=10.0)
    # 2e12 (exp(-.1) - exp(-1.1)) within the horizon
    with pytest.raises(UnstableProcessError, match=r"about 1\.14e\+12 children of past events"):
        hawkeys.forecast(process, past, 1.0, n_paths=2)
    with pytest.raises(UnstableProcessError, match="children of past events are still to come"):
        hawkeys.simulate_until(process, 5, history=past, rng=0)
