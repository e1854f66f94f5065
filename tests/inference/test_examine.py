"""Windows, units and clocks that cannot be meant are said, once; what can be meant is not."""

import warnings

import numpy as np
import pytest

import hawkeys
from hawkeys import Events
from hawkeys.baselines import Periodic, PiecewiseConstant
from hawkeys.datasets.timings import timings_to_events
from hawkeys.exceptions import EventsWarning, HawkeysWarning
from hawkeys.features import HawkesFeatures
from hawkeys.inference.coarse.clock import clock_step
from hawkeys.inference.examine import examine, quietly
from hawkeys.kernels import Exponential, Gamma, Histogram, LogNormal, PowerLaw, SumExponential

DAY, YEAR = 86_400.0, 365.25 * 86_400.0
NOW = 1.7e9


def said(*arguments, **how):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        examine(*arguments, **how)
    assert all(warning.category is EventsWarning for warning in caught)
    return [str(warning.message) for warning in caught]


def uniform(n, begin, end, seed=0):
    return np.sort(np.random.default_rng(seed).uniform(begin, end, n))


def one(*marks, end, start=0.0):
    return Events.from_lists([list(marks)], end_times=end, start_times=start)


class TestWindow:
    @pytest.mark.parametrize(
        ("length", "n"),
        [(60.0, 5), (3600.0, 5), (DAY, 5), (7 * DAY, 30), (YEAR, 100), (10 * YEAR, 250),
         (30 * YEAR, 900)],
    )  # fmt: skip
    @pytest.mark.parametrize("seed", range(5))
    def test_seconds_since_1970_without_a_start_are_questioned(self, length, n, seed):
        times = uniform(n, NOW - length, NOW, seed)
        (message,) = said(one(times, end=NOW), None)
        share = 100 * times[0] / NOW
        expected = f"has no event before {times[0]:.12g}, {share:.4g} % of it, but {n} in the rest"
        assert expected in message
        assert "If observation began later, give start_time= (start_times= of Events)" in message
        assert said(one(times, end=NOW, start=NOW - length), None) == []

    def test_the_fit_is_wrong_then_and_right_with_the_remedy(self):
        truth = hawkeys.Hawkes([1 / 60.0], [[0.4]], decay=1 / 20.0)
        times = NOW + hawkeys.simulate(truth, end_time=2 * DAY, rng=0).times
        with pytest.warns(EventsWarning, match="give start_time="):
            wrong = hawkeys.fit([times], decay=1 / 20.0, end_time=NOW + 2 * DAY)
        assert wrong.baseline[0] < 1e-4
        right = hawkeys.fit([times], decay=1 / 20.0, start_time=NOW, end_time=NOW + 2 * DAY)
        assert right.baseline[0] == pytest.approx(1 / 60.0, rel=0.1)
        assert right.adjacency[0, 0] == pytest.approx(0.4, abs=0.06)

    def test_an_end_far_after_the_last_event_is_questioned(self):
        times = uniform(200, 0.0, 100.0)
        (message,) = said(one(times, end=1e5), None)  # in ms
        assert f"has no event after {times[-1]:.12g}, 99.9 % of it, but 200 in the rest" in message
        assert "If observation ended earlier, give end_time=" in message

    def test_few_events_cannot_tell(self):
        for n in range(5):
            assert said(one(uniform(n, NOW - 60.0, NOW), end=NOW), None) == []

    @pytest.mark.parametrize("n_realizations", [2, 3, 40])
    def test_realisations_are_judged_together(self, n_realizations):
        ends = NOW + DAY * np.arange(n_realizations)
        lists = [[uniform(4, end - 3600, end, r)] for r, end in enumerate(ends)]
        (message,) = said(Events.from_lists(lists, end_times=ends), None)
        assert f"the windows of {n_realizations} realisations have no event in the first" in message
        starts = ends - 3600
        assert said(Events.from_lists(lists, end_times=ends, start_times=starts), None) == []

    def test_realisations_without_events_are_no_sign(self):
        lists = [[uniform(2, 0.0, 10.0, 1)], *[[[]]] * 500]
        assert said(Events.from_lists(lists, end_times=10.0), None) == []

    @pytest.mark.parametrize("seed", range(20))
    def test_many_short_windows_with_an_event_or_two_are_none(self, seed):
        sparse = hawkeys.Hawkes([0.3], [[0.8]], decay=5.0)
        sample = hawkeys.simulate(sparse, end_time=1.0, n_realizations=300, rng=seed)
        assert said(sample, None) == []

    def test_the_probability_by_hand(self):
        """Six events, the first after a share g, count as three clusters: (1 - g)^3 < 1e-9."""
        shape = np.array([0.0, 0.2, 0.4, 0.6, 0.8, 0.99])
        for left, expected in ((0.99e-3, 1), (1.01e-3, 0)):
            assert len(said(one(1.0 - left + left * shape, end=1.0), None)) == expected
        # 280 evenly spread events stand for 280 / 7 = 40 clusters: 40 log(1 - g) < log(1e-9)
        shape = np.arange(280) / 280
        for left, expected in ((0.99 * 1e-9 ** (1 / 40), 1), (1.01 * 1e-9 ** (1 / 40), 0)):
            assert len(said(one(1.0 - left + left * shape, end=1.0), None)) == expected

    def test_clusters_count_less_than_events(self):
        """300 events in six bunches are no more than six."""
        bunches = 0.6 + np.linspace(0.0, 0.39, 6)[:, None] + 1e-4 * np.arange(50) / 50
        assert said(one(bunches.ravel(), end=1.0), None) == []
        assert len(said(one(np.linspace(0.6, 0.99, 300), end=1.0), None)) == 1

    def test_a_baseline_that_is_given_explains_the_silence(self):
        times = uniform(100, 90.0, 100.0)
        events = one(times, end=100.0)
        assert len(said(events, None)) == 1
        assert said(events, None, PiecewiseConstant([0, 90, 100])) == []
        assert said(events, None, Periodic([0, 90], period=100.0)) == []
        assert len(said(events, None, Periodic([0, 1], period=2.0))) == 1
        hawkeys.fit(events, decay=1.0, baseline=PiecewiseConstant([0, 90, 100]))

    @pytest.mark.parametrize("branching", [0.0, 0.5, 0.9])
    def test_simulated_windows_are_never_questioned(self, branching):
        process = hawkeys.Hawkes([1.0], [[branching]], decay=2.0)
        for seed in range(300):
            assert said(hawkeys.simulate(process, end_time=20.0, rng=seed), None) == []


class TestUnit:
    def test_milliseconds_beside_a_decay_per_second(self):
        truth = hawkeys.Hawkes([0.5], [[0.3]], decay=2.0)
        sample = hawkeys.simulate(truth, end_time=1000.0, rng=0)
        times = 1e3 * sample.times
        with pytest.warns(EventsWarning, match="Are times and decay in one unit") as caught:
            hawkeys.fit([times], decay=2.0, end_time=1e6)
        gaps = np.diff(times)
        near = int((gaps < 2.5).sum())
        median = float(np.median(gaps))
        assert str(caught[0].message).startswith(
            f"the time scale 1/decay of the kernel is 0.5, the median distance between events "
            f"{median:.4g}, {median / 0.5:.3g} times as long: {near} of {gaps.size} events have "
            "one within 2.5 before them"
        )
        assert said(sample, Exponential(2.0)) == []

    def test_few_events_too_far_apart_for_any_excitation(self):
        far, near = one([1.0, 50.0, 99.0], end=100.0), one([1.0, 40.9, 99.0], end=100.0)
        assert len(said(far, Exponential(1.0))) == 1
        assert said(near, Exponential(1.0)) == []
        result = None
        with pytest.warns(EventsWarning, match="0 of 2 events have one within 40 before them"):
            result = hawkeys.fit(far, decay=1.0)
        assert result.adjacency[0, 0] == 0.0

    def test_the_slowest_decay_counts(self):
        far = one([1.0, 50.0, 99.0], [10.0], end=100.0)
        assert said(far, Exponential([1e9, 1.0])) == []
        assert len(said(far, Exponential([1e9, 1e8]))) == 1
        assert said(far, SumExponential([0.1, 1e9])) == []
        assert len(said(far, SumExponential([1e8, 1e9]))) == 1

    def test_other_kernels(self):
        far = one([1.0, 50.0, 99.0], end=100.0)
        assert len(said(far, LogNormal(0.0, 0.1))) == 1
        assert said(far, LogNormal(3.5, 0.5)) == []
        assert len(said(far, Histogram([0.0, 1.0, 2.0], [0.5, 0.5]))) == 1
        assert len(said(far, Gamma(2.0, 1e-6))) == 1  # mean 2e6
        assert said(far, LogNormal()) == []  # to be estimated
        assert said(far, SumExponential([0.1, 1.0])) == []

    def test_a_kernel_slower_than_every_window(self):
        events = one(uniform(50, 0.0, 100.0), end=100.0)
        (message,) = said(events, Exponential(0.99e-5))
        assert "the time scale 1/decay of the kernel is 1.01e+05, the longest window 100" in message
        assert said(events, Exponential(1.01e-5)) == []  # 1 - exp(-100 decay) is 1/1000
        assert said(events, Exponential([1e-9, 1.0])) == []

    def test_a_power_law(self):
        events = one(uniform(50, 0.0, 100.0), end=100.0)
        (message,) = said(events, PowerLaw(1e6, 2.0))  # its mass is 1e-4
        assert "the time scale c of the kernel is 1e+06, the longest window 100" in message
        assert said(events, PowerLaw(1e4, 2.0)) == []
        far = one(uniform(50, 0.0, 1e6), end=1e6)
        assert said(far, PowerLaw(0.1, 1.2)) == []  # exp(-40) of it is left at 1e86
        (message,) = said(far, PowerLaw(0.1, 50.0))
        assert "have one within 0.1262 before them, the others feel no excitation" in message

    def test_a_decay_that_is_estimated_has_no_unit(self):
        far = one(uniform(50, 0.0, 1e6), end=1e6)
        assert said(far, None) == []


class TestTies:
    def test_whole_seconds(self):
        times = np.floor(uniform(600, 0.0, 1000.0))
        ties = int((np.diff(times) == 0).sum())
        with pytest.warns(EventsWarning, match="allows for it: resolution=1 if times were rounded"):
            hawkeys.fit([times], decay=2.0, end_time=1000.0)
        (message,) = said(one(times, end=1000.0), Exponential(2.0))
        assert message.startswith(
            f"{ties} of 600 events ({100 * ties / 600:.2g} %) are at the time of the event before. "
            "The clock steps by 1; the time scale 1/decay of the kernel is 0.5, 0.5 steps."
        )
        (message,) = said(one(times, end=1000.0), None)
        assert "The clock steps by 1; compare that with the time scale of the kernel." in message

    def test_across_marks_and_not_across_realisations(self):
        times = uniform(100, 0.0, 100.0)
        (message,) = said(one(times, times, end=100.0), None)
        assert "100 of 200 events" in message
        assert "No step of a clock is apparent; were events recorded twice?" in message
        apart = Events.from_lists([[[1.0, 5.0]]] * 300, end_times=5.0, start_times=1.0)
        assert said(apart, None) == []

    @pytest.mark.parametrize(("given", "factor"), [(True, 0.5), (False, 0.2)])
    def test_from_how_many_on(self, given, factor):
        for n in (16, 400, 10_000):
            least = max(3, int(np.ceil(factor * np.sqrt(n) - 1e-9)))
            for ties in (least - 1, least):
                times = uniform(n, 0.0, n)
                times[2 * np.arange(ties) + 1] = times[2 * np.arange(ties)]
                found = said(one(times, end=n), Exponential(1.0) if given else None)
                assert len(found) == (ties >= least), (n, ties)

    def test_rounding_that_is_not_warned_of_moves_little(self):
        """The rule by its own measure: the shift in standard errors, one grid below, one above."""
        truth = hawkeys.Hawkes([0.43], [[0.31]], decay=1.0)
        shifts = {0.01: [], 0.3: []}
        for seed in range(4):
            sample = hawkeys.simulate(truth, end_time=5000.0, rng=seed)
            fine = hawkeys.fit(sample, decay=1.0)
            for step, out in shifts.items():
                times = np.floor(sample.times / step) * step
                coarse = one(times, end=5000.0)
                assert len(said(coarse, Exponential(1.0))) == (step > 0.1)
                with quietly():
                    found = hawkeys.fit(coarse, decay=1.0)
                move = found.adjacency[0, 0] - fine.adjacency[0, 0]
                out.append(move / fine.std_err[0, 1])
        assert abs(np.mean(shifts[0.01])) < 0.3
        assert np.mean(shifts[0.3]) < -1.0

    def test_edge_tests_are_not_valid(self):
        truth = hawkeys.Hawkes([0.3, 0.3], np.zeros((2, 2)), decay=1.0)
        sample = hawkeys.simulate(truth, end_time=2000.0, rng=0)
        tied = Events.from_arrays(np.round(sample.times), sample.marks, end_times=2000.0)
        with pytest.warns(EventsWarning, match="of the event before"):
            result = hawkeys.fit(tied, decay=1.0)
        with pytest.warns(EventsWarning, match="edge_tests: .* events .* edge_tests not valid"):
            hawkeys.inference.edge_tests(result, tied)
        fine = hawkeys.fit(sample, decay=1.0)
        hawkeys.inference.edge_tests(fine, sample)


class TestDoubles:
    def test_doubles_that_lie_too_far_apart(self):
        times = NOW + uniform(1000, 0.0, 1e-3)
        events = one(times, end=NOW + 1e-3, start=NOW)
        ties = int((np.diff(times) == 0).sum())
        (message,) = said(events, None)
        assert "doubles as large as the times, 1.7e+09, lie 2.38e-07 apart" in message
        assert f"{ties} of 1000 events are at the time of the event before" in message
        seconds = one(NOW + uniform(1000, 0.0, 1000.0), end=NOW + 1000.0, start=NOW)
        assert said(seconds, Exponential(1.0)) == []
        assert len(said(seconds, Exponential(1e5))) == 2  # and hardly any event is so near

    def test_nanoseconds_that_were_made_doubles(self):
        start = 1_700_000_000_000_000_000
        lags = np.cumsum(np.random.default_rng(0).exponential(500.0, 4000)).astype(np.int64)
        end = int(lags[-1]) + 100
        events = one((start + lags).astype(np.float64), end=float(start + end), start=float(start))
        (message,) = said(events, None)
        assert "doubles as large as the times, 1.7e+18, lie 256 apart" in message
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            hawkeys.fit([start + lags], decay=1e-3, start_time=start, end_time=start + end)


@pytest.fixture(scope="module")
def tied():
    truth = hawkeys.Hawkes([0.5], [[0.3]], decay=1.0)
    times = np.floor(hawkeys.simulate(truth, end_time=400.0, rng=0).times)
    return one(times, end=400.0)


class TestOnce:
    """A fit warns; what repeats it, or fits what it simulated, does not."""

    @staticmethod
    def count(call):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            call()
        return sum(issubclass(warning.category, EventsWarning) for warning in caught)

    def test_one_warning_for_each_call(self, tied):
        four = Events.from_lists(tied.to_lists() * 4, end_times=400.0)
        calls = [
            lambda: hawkeys.fit(tied, decay=1.0),
            lambda: hawkeys.fit(tied, decay=1.0, method="map"),
            lambda: hawkeys.fit(tied, decay=1.0, method="least_squares"),
            lambda: hawkeys.fit(tied, kernel=SumExponential([0.5, 2.0])),
            lambda: hawkeys.fit(tied, kernel=Histogram([0.0, 2.0, 4.0])),
            lambda: hawkeys.fit(
                tied, decay_grid=[0.5, 1.0], decay_selection="cross-validation", n_folds=2
            ),
            lambda: hawkeys.fit_each(four, decay=1.0),
            lambda: hawkeys.fit_rectified(tied, decay=1.0),
            lambda: hawkeys.inference.penalty_path(tied, decay=1.0, n_strengths=3, n_folds=2),
        ]
        assert [self.count(call) for call in calls] == [1] * len(calls)

    def test_no_warning_of_fits_again(self, tied):
        with quietly():
            result = hawkeys.fit(tied, decay=1.0)
            rectified = hawkeys.fit_rectified(tied, decay=1.0)
            path = hawkeys.inference.penalty_path(tied, decay=1.0, n_strengths=3)

        def refit(sample):
            return hawkeys.fit(Events.from_lists(tied.to_lists(), end_times=400.0), decay=1.0)

        gof = hawkeys.goodness_of_fit
        calls = [
            lambda: hawkeys.inference.bootstrap(result, tied, n_replicates=2),
            lambda: gof(result, tied, n_mc_samples=3),
            lambda: gof(rectified, tied, n_mc_samples=3),
            lambda: gof(result.process, tied, refit=refit, n_mc_samples=3),
            lambda: path.choose("ebic"),
        ]
        assert [self.count(call) for call in calls] == [0] * len(calls)

    def test_the_laboratory_does_not_warn_of_its_clock(self):
        demo = hawkeys.datasets.load_demo()[:8]
        timings = np.round(demo.timings().to_numpy(), 1)
        timings[:, 1::3] = timings[:, :-1:3] + timings[:, 2::3]  # DD = H + UD
        events = timings_to_events(timings)
        assert len(said(events, Exponential(0.1), separate=True)) == 1
        assert (
            self.count(lambda: HawkesFeatures(decay=0.1, method="map").fit_transform(timings)) == 0
        )

    def test_the_warning_is_a_warning_of_the_package_and_names_the_callers_line(self, tied):
        with pytest.warns(HawkeysWarning) as caught:
            hawkeys.fit(tied, decay=1.0)
        assert caught[0].filename == __file__
        with pytest.warns(HawkeysWarning) as caught:
            hawkeys.fit_each(tied, decay=1.0)
        assert caught[0].filename == __file__


class TestClock:
    @pytest.mark.parametrize("step", [1.0, 0.1, 1e-3, 1 / 60, 0.0156, 256.0])
    @pytest.mark.parametrize("start", [0.0, 1e6])
    def test_the_step_of_a_grid(self, step, start):
        rng = np.random.default_rng(1)
        times = start + step * np.sort(rng.integers(0, 5000, 300))
        rounding = 16 * np.spacing(times[-1])
        assert clock_step(np.diff(times), rounding) == pytest.approx(step, rel=1e-6)

    def test_the_largest_common_step(self):
        assert clock_step(np.array([6.0, 10.0, 15.0]), 1e-12) == 1.0
        assert clock_step(np.array([6.0, 10.0, 0.0, 4.0]), 1e-12) == 2.0
        assert clock_step(np.array([7.0, 7.0]), 1e-12) == 7.0

    def test_no_grid(self):
        assert clock_step(np.diff(uniform(300, 0.0, 1.0)), 1e-15) is None
        assert clock_step(np.array([]), 1e-15) is None
        assert clock_step(np.zeros(4), 1e-15) is None
