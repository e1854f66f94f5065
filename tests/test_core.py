"""The compiled core against its naive twins, and what every method of inference must obey."""

import naive_hawkes as naive
import numpy as np
import pytest
from scipy import stats

import hawkeys
from hawkeys import Events
from hawkeys._design import Design
from hawkeys._jit import variational
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.rows.bound import base_draws
from hawkeys.kernels import BlockLayout, Exponential

DECAYS = {
    "shared": np.array(1.3),
    "per source": np.array([1.3, 0.2, 4.0]),
    "per pair": np.array([[1.0, 2.0, 0.3], [3.0, 0.5, 1.0], [0.1, 1.0, 9.0]]),
}
BASELINE = np.array([0.5, 0.2, 0.1])
ADJACENCY = np.array([[0.2, 0.3, 0.0], [0.1, 0.4, 0.2], [0.3, 0.0, 0.1]])


def random_lists(seed, sizes, end):
    rng = np.random.default_rng(seed)
    return [np.sort(rng.uniform(0, end, size)) for size in sizes]


DATA = {
    "no event": Events.from_lists([[[], [], []]], end_times=4.0),
    "one event": Events.from_lists([[[], [1.0], []]], end_times=4.0),
    "ties": Events.from_lists(
        [[np.round(t, 0) for t in random_lists(0, (15, 12, 9), 9.0)]], end_times=9.0
    ),
    "silent mark": Events.from_lists([[*random_lists(1, (9, 7), 5.0), []]], end_times=5.0),
    "huge gaps": Events.from_lists([[[0.1, 0.2, 5e5], [0.15, 5e5 + 0.1], [9e5]]], end_times=1e6),
    "many": Events.from_lists(
        [random_lists(s, (4, 5, 3), 6.0) for s in range(4)],
        end_times=[6.0, 7.0, 8.0, 9.0], start_times=[0.0, -1.0, -2.0, 0.0],
    ),
    "negative times": Events.from_lists(
        [[t - 50.0 for t in random_lists(3, (6, 5, 4), 8.0)]], start_times=-50.0, end_times=-42.0
    ),
}  # fmt: skip


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("kind", DECAYS)
class TestAgainstNaive:
    def process(self, kind):
        decay = np.broadcast_to(DECAYS[kind], (3, 3))
        return hawkeys.Hawkes(BASELINE, ADJACENCY, decay=DECAYS[kind]), decay

    def test_log_likelihood(self, data, kind):
        process, decay = self.process(kind)
        expected = naive.log_likelihood(DATA[data], BASELINE, ADJACENCY, decay)
        assert process.log_likelihood(DATA[data]) == pytest.approx(expected, rel=1e-12)

    def test_intensity_and_compensator(self, data, kind):
        process, decay = self.process(kind)
        events = DATA[data]
        r = events.n_realizations - 1
        start, end = events.start_times[r], events.end_times[r]
        own = events.times[events.offsets[r] : events.offsets[r + 1]]
        times = np.concatenate(([end, start], own, np.linspace(start, end, 5)))
        rates = process.intensity(events, times, realization=r)
        masses = process.compensator(events, times, realization=r)
        for k, t in enumerate(times):
            arguments = (events, r, BASELINE, ADJACENCY, decay, t)
            np.testing.assert_allclose(rates[k], naive.intensity(*arguments), rtol=1e-12)
            np.testing.assert_allclose(masses[k], naive.compensator(*arguments), rtol=1e-11)

    def test_pooled_and_separate_designs_agree(self, data, kind):
        process, _ = self.process(kind)
        events = DATA[data]
        parts = [process.log_likelihood(events[r]) for r in range(events.n_realizations)]
        assert sum(parts) == pytest.approx(process.log_likelihood(events), rel=1e-12)
        design = Design.build(events, process.kernel, separate=True)
        x = np.tile(np.column_stack((BASELINE, ADJACENCY)), (events.n_realizations, 1))
        rows = design.log_likelihood(x).reshape(-1, 3).sum(axis=1)
        np.testing.assert_allclose(rows, parts, rtol=1e-12)

    @pytest.mark.filterwarnings("ignore::hawkeys.exceptions.IdentifiabilityWarning")
    @pytest.mark.filterwarnings("ignore::hawkeys.exceptions.EventsWarning")
    def test_the_optimum_is_a_fixed_point_of_em(self, data, kind):
        for method, exponent, rate in (("mle", 0.0, 0.0), ("map", 0.5, 1.0)):
            result = hawkeys.fit(DATA[data], decay=DECAYS[kind], method=method, tolerance=1e-10)
            design = Design.build(DATA[data], result.kernel)
            for i in range(3):
                add = np.array([0.0, rate, rate, rate])
                power = np.array([0.0, exponent, exponent, exponent])
                cost = design.cost[i] + add
                if design.counts[i] == 0 or (cost == 0).any():
                    continue
                x = result.estimates[i]
                moved = naive.em_step(x, design.block(i), cost, power)
                np.testing.assert_allclose(moved * cost, x * cost, atol=2e-4)


def test_grouping_of_events():
    events = DATA["many"]
    for separate, stride in ((True, 3), (False, 0)):
        layout = BlockLayout.build(events, separate=separate)
        block = events.marks + stride * events.realization
        np.testing.assert_array_equal(layout.slots[np.argsort(block, kind="stable")], np.arange(48))
        np.testing.assert_array_equal(np.diff(layout.offsets), np.bincount(block))


@pytest.mark.parametrize("method", ["mle", "map", "vi"])
def test_the_objective_never_decreases(method):
    for seed in range(10):
        events = Events.from_lists([random_lists(seed, (20, 3, 11), 9.0)], end_times=9.0)
        result = hawkeys.fit(events, decay=1.0, method=method)
        slack = 1e-9 * abs(result.objective)
        assert (np.diff(result.trace) >= -slack).all()
        assert result.trace[-1] == pytest.approx(result.objective, abs=1e-6)
        assert result.converged


def test_the_gap_bounds_what_is_to_gain():
    """Stopped early, the fit is at most as far from the optimum as it says."""
    for seed in range(10):
        events = Events.from_lists([random_lists(seed, (40, 3, 25), 9.0)], end_times=9.0)
        best = hawkeys.fit(events, decay=1.0, tolerance=1e-10).objective
        for steps in (1, 2, 3):
            with pytest.warns(hawkeys.exceptions.ConvergenceWarning, match="raise max_iter"):
                early = hawkeys.fit(events, decay=1.0, max_iter=steps, tolerance=1e-13)
            assert best - early.objective <= early.optimality_gap + 1e-9


def test_exchangeable_sources_are_flagged():
    """Two sources that always fire together cannot be told apart."""
    rng = np.random.default_rng(0)
    both = np.sort(rng.uniform(0, 50, 60))
    child = np.sort(both + rng.exponential(0.5, 60))
    with (
        pytest.warns(hawkeys.exceptions.IdentifiabilityWarning),
        pytest.warns(hawkeys.exceptions.EventsWarning, match="60 of 180 events"),
    ):
        result = hawkeys.fit([both, both, child], decay=2.0, end_time=60.0)
    pair = result.identified[2, 1:3]
    assert not pair.all()
    assert result.identified[2, 0]


@pytest.mark.parametrize("coefficient", [None, 0.1])
def test_variational_bound_against_naive(coefficient):
    events = DATA["many"]
    options = {"relevance_determination": True} if coefficient is None else {}
    options |= {"prior_coefficient": coefficient}
    result = hawkeys.fit(events, decay=1.3, method="vi", rng=3, **options)
    design = Design.build(events, Exponential(1.3))
    seed = np.random.SeedSequence(3).generate_state(3)[0]
    draws = base_draws(32, 4, int(seed))
    total = sum(
        naive.variational_bound(
            result.posterior.location[i], result.posterior.scale[i], design.block(i),
            design.cost[i], coefficient, draws,
        )
        for i in range(3)
    )  # fmt: skip
    assert result.elbo == pytest.approx(total, abs=1e-9)


@pytest.mark.parametrize("prior", [(0, 0, 0), (0.3, 0, 0), (0, 0.4, 2.5), (0, 1.5, -1)])
def test_variational_derivatives_by_differences(prior):
    rng = np.random.default_rng(2)
    matrix = rng.exponential(1.0, (3, 5))
    idx = np.array([0, 1, 3])
    terms = np.array([[2.0, 1.0, 0.5, 0.7], *[[value] * 4 for value in prior]])
    draws = base_draws(32, 4, 0)
    problem = (matrix.ravel(), np.empty(0), idx, terms, draws)
    theta, shock = np.empty((3, 32)), np.empty((3, 32))
    point = rng.normal(0.0, 0.4, 6) - np.repeat([0.0, 1.0], 3)

    def derivatives(at):
        gradient, curvature = np.zeros(6), np.zeros((6, 6))
        variational._draws_of(idx, draws, at, theta, shock)
        variational._add_likelihood(
            matrix.ravel(), np.empty(0), idx, 3, theta, shock, gradient, curvature
        )
        variational._add_closed_form(idx, terms, at, gradient, curvature)
        return gradient, np.tril(curvature) + np.tril(curvature, -1).T

    gradient, curvature = derivatives(point)
    for p, step in enumerate(1e-5 * np.eye(6)):
        up, down = (variational._bound(problem, point + s, theta, shock) for s in (step, -step))
        assert (up - down) / 2e-5 == pytest.approx(gradient[p], rel=1e-6, abs=1e-8)
        slopes = (derivatives(point + step)[0] - derivatives(point - step)[0]) / 2e-5
        np.testing.assert_allclose(-slopes, curvature[p], rtol=1e-5, atol=1e-7)


def test_base_draws_have_exact_moments():
    draws = base_draws(32, 6, 1)
    np.testing.assert_allclose(draws.mean(axis=0), 0.0, atol=1e-15)
    np.testing.assert_allclose(draws.T @ draws / len(draws), np.eye(6), atol=1e-12)


@pytest.mark.parametrize("method", ["vi", "vi_stochastic"])
def test_same_seed_same_answer_on_any_number_of_threads(method):
    options = {"n_steps": 500} if method == "vi_stochastic" else {}
    events = Events.from_lists([random_lists(s, (6, 5), 5.0) for s in range(20)], end_times=5.0)

    def run(seed, n_jobs, data=events):
        each = hawkeys.fit_each(data, decay=1.0, method=method, rng=seed, n_jobs=n_jobs, **options)
        return each.posterior.location

    np.testing.assert_array_equal(run(1, 1), run(1, None))
    np.testing.assert_array_equal(run(1, 1)[:3], run(1, 1, events[:3]))
    assert not np.array_equal(run(1, 1), run(2, 1))


def test_simulation_agrees_with_theory():
    """Mean counts and residuals, for each kind of decay (5 sigma, KS at 0.1 %)."""
    for kind, decay in DECAYS.items():
        process = hawkeys.Hawkes(BASELINE, ADJACENCY, decay=decay)
        sample = hawkeys.simulate(process, end_time=3000.0, n_realizations=20, rng=7)
        counts = sample.counts
        error = counts.std(axis=0, ddof=1) / np.sqrt(20)
        expected = process.stationary_rate * 3000.0
        assert (np.abs(counts.mean(axis=0) - expected) < 5 * error + 30).all(), kind
        one = sample[0]
        mass = process.compensator(one, one.times)
        for i in range(3):
            residuals = np.diff(mass[one.marks == i, i], prepend=0.0)
            assert stats.kstest(residuals, "expon").pvalue > 1e-3, (kind, i)


def test_simulation_seeds_and_windows():
    process = hawkeys.Hawkes([1.0], [[0.5]], decay=1.0, mark_names=["x"])
    one, two = (hawkeys.simulate(process, end_time=[5, 9], start_time=1, rng=3) for _ in range(2))
    np.testing.assert_array_equal(one.times, two.times)
    assert one.end_times.tolist() == [5.0, 9.0]
    assert one.start_times.tolist() == [1.0, 1.0]
    assert one.mark_names == ("x",)
    assert not np.array_equal(one.times, hawkeys.simulate(process, end_time=[5, 9], rng=4).times)


def test_layout_of_the_design():
    """Excitations lie block by block: each target mark has a matrix of its own."""
    events = DATA["many"]
    design = Design.build(events, Exponential(DECAYS["per pair"]))
    times, marks, _, _ = next(naive.realizations(events))
    first = next((t, i) for t, i in zip(times, marks, strict=True) if i == 1)
    expected = naive.excitation(times, marks, DECAYS["per pair"], 1, first[0], 3)
    np.testing.assert_allclose(design.block(1)[:, 0], expected, rtol=1e-12)


def test_frame_and_summary_of_a_fit():
    result = hawkeys.fit(
        Events.from_lists(
            [random_lists(5, (30, 20), 20.0)], end_times=20.0, mark_names=["up", "down"]
        ),
        decay=1.0,
    )
    frame = result.to_frame()
    assert list(frame)[:8] == [
        "parameter", "target", "source", "estimate", "std_err", "lower", "upper", "at_bound",
    ]  # fmt: skip
    assert frame["parameter"].tolist() == ["baseline"] * 2 + ["adjacency"] * 4
    row = frame[(frame["target"] == "down") & (frame["source"] == "up")].iloc[0]
    assert row["estimate"] == result.adjacency[1, 0]
    assert (frame.loc[frame["at_bound"], "std_err"].isna()).all()
    assert result.summary() == result.summary()
    assert "Log-likelihood" in result.summary()
    assert len(repr(result).splitlines()) == 1
    assert result.aic == pytest.approx(2 * 6 - 2 * result.log_likelihood)


def test_observed_information_by_differences():
    truth = hawkeys.Hawkes([0.5, 0.3], [[0.3, 0.2], [0.2, 0.3]], decay=1.5)
    sample = hawkeys.simulate(truth, end_time=500.0, rng=0)
    result = hawkeys.fit(sample, decay=1.5)
    assert not result.at_bound.any()

    def gradient(row, x):
        estimates = result.estimates.copy()
        estimates[row] = x
        process = hawkeys.Hawkes(estimates[:, 0], estimates[:, 1:], decay=1.5)
        baseline, adjacency = process.log_likelihood_gradient(sample)
        return np.concatenate(([baseline[row]], adjacency[row]))

    for i in range(2):
        x = result.estimates[i]
        for p, step in enumerate(1e-6 * np.eye(3)):
            slopes = (gradient(i, x + step) - gradient(i, x - step)) / 2e-6
            np.testing.assert_allclose(result.information[i, p], -slopes, rtol=1e-4)
        inverse = np.linalg.inv(result.information[i])
        np.testing.assert_allclose(result.std_err[i], np.sqrt(np.diag(inverse)), rtol=1e-9)


def test_plot_takes_and_returns_axes():
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt

    result = hawkeys.fit(random_lists(0, (9, 8), 5.0), decay=1.0, end_time=5.0)
    figure, ax = plt.subplots()
    assert result.plot_adjacency(ax) is ax
    assert ax.get_ylabel() == "target"
    assert len(ax.texts) == 4
    plt.close(figure)
    with pytest.raises(hawkeys.exceptions.InvalidParameterError, match="1 mark_names for 2"):
        hawkeys.plotting.plot_adjacency(np.eye(2), mark_names=["a"])


@pytest.mark.parametrize(
    "kernel",
    [
        Exponential(2.0),
        Exponential([1.0, 4.0]),
        Exponential([[1.0, 2.0], [3.0, 4.0]]),
        hawkeys.kernels.LogNormal(-1.0, 0.5),
        hawkeys.kernels.Gamma([[2.0, 3.0], [4.0, 5.0]], 8.0),
        hawkeys.kernels.Histogram([0.0, 0.5, 2.0], [0.25, 0.75]),
    ],
    ids=repr,
)
def test_the_area_under_a_kernel_plot_is_the_adjacency(kernel):
    from matplotlib.figure import Figure

    process = hawkeys.Hawkes([1.0, 1.0], [[0.1, 0.2], [0.3, 0.4]], kernel=kernel)
    ax = Figure().subplots()
    pairs = [(0, 0), (0, 1), (1, 0), (1, 1)]
    assert hawkeys.plotting.plot_kernels(process, pairs, longest=12.0, ax=ax) is ax
    assert ax.get_ylim()[1] >= max(line.get_ydata().max() for line in ax.lines)
    for line, (target, source) in zip(ax.lines, pairs, strict=True):
        lags, height = line.get_data()
        step = lags[1] - lags[0]
        # midpoints of 400 steps; the kernels are over long before the lag of 12
        assert height.sum() * step == pytest.approx(process.adjacency[target, source], rel=0.08)
        assert line.get_label() == f"{source} to {target}"


def test_kernel_plots_of_unknown_marks_are_refused():
    process = hawkeys.Hawkes([1.0], [[0.5]], decay=1.0)
    with pytest.raises(InvalidParameterError, match=r"marks from 0 to 0; got \(0, 1\)"):
        hawkeys.plotting.plot_kernels(process, [(0, 1)], longest=1.0)
