"""Log-normal, gamma and histogram kernels against quadrature and their naive twins."""

import itertools

import naive_delayed as naive
import numpy as np
import pytest
from scipy import integrate, stats

import hawkeys
from hawkeys import Events
from hawkeys._design import Design
from hawkeys._jit import delayed as jit
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels import Gamma, Histogram, Kernel, LogNormal, kernel_from_dict

BASELINE = np.array([0.5, 0.2, 0.1])
ADJACENCY = np.array([[0.2, 0.3, 0.0], [0.1, 0.4, 0.2], [0.3, 0.0, 0.1]])
NUMBERS = np.arange(9.0).reshape(3, 3) / 9
MASSES = np.random.default_rng(0).dirichlet([1.0, 2.0, 0.5], (3, 3))
KERNELS = {
    "log-normal": LogNormal(-0.5, 0.6),
    "log-normal per pair": LogNormal(NUMBERS - 0.5, 0.3 + NUMBERS.T),
    "log-normal mixed": LogNormal(0.2, 0.3 + NUMBERS),
    "gamma": Gamma(3.0, 2.0),
    "gamma per pair": Gamma(0.5 + 4 * NUMBERS, 1.0 + NUMBERS.T),
    "histogram": Histogram([0.1, 0.5, 1.0, 4.0], [0.5, 0.3, 0.2]),
    "histogram per pair": Histogram([0.0, 0.25, 1.0, 3.0], MASSES),
}


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
}  # fmt: skip


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("data", DATA)
class TestAgainstNaive:
    def test_log_likelihood(self, data, name):
        process = hawkeys.Hawkes(BASELINE, ADJACENCY, kernel=KERNELS[name])
        expected = naive.log_likelihood(DATA[data], process)
        # the naive twin has no horizon: up to 1e-12 of the mass of each event
        assert process.log_likelihood(DATA[data]) == pytest.approx(expected, rel=1e-11)

    def test_intensity_and_compensator(self, data, name):
        process = hawkeys.Hawkes(BASELINE, ADJACENCY, kernel=KERNELS[name])
        events = DATA[data]
        r = events.n_realizations - 1
        start, end = events.start_times[r], events.end_times[r]
        own = events.times[events.offsets[r] : events.offsets[r + 1]]
        times = np.concatenate(([end, start], own, np.linspace(start, end, 5)))
        rates = process.intensity(events, times, realization=r)
        masses = process.compensator(events, times, realization=r)
        for k, t in enumerate(times):
            rate, mass = (
                naive.intensity(events, r, process, t),
                naive.compensator(events, r, process, t),
            )
            np.testing.assert_allclose(rates[k], rate, rtol=1e-10)
            np.testing.assert_allclose(masses[k], mass, rtol=1e-10)

    def test_separate_designs_add_up(self, data, name):
        process = hawkeys.Hawkes(BASELINE, ADJACENCY, kernel=KERNELS[name])
        events = DATA[data]
        parts = [process.log_likelihood(events[r]) for r in range(events.n_realizations)]
        assert sum(parts) == pytest.approx(process.log_likelihood(events), rel=1e-12)
        design = Design.build(events, process.kernel, separate=True)
        x = np.tile(np.column_stack((BASELINE, ADJACENCY)), (events.n_realizations, 1))
        rows = design.log_likelihood(x).reshape(-1, 3).sum(axis=1)
        np.testing.assert_allclose(rows, parts, rtol=1e-12)


@pytest.mark.parametrize("name", KERNELS)
def test_compensator_is_the_integral_of_the_intensity(name):
    process = hawkeys.Hawkes(BASELINE, ADJACENCY, kernel=KERNELS[name])
    events = DATA["many"][3]
    corners = np.unique(np.concatenate([[0.0, 9.0], events.times]))
    if name.startswith("histogram"):  # where the intensity jumps
        lags = np.add.outer(events.times, KERNELS[name].edges).ravel()
        corners = np.unique(np.concatenate((corners, lags[lags < 9.0])))
    total = np.zeros(3)
    for low, high in itertools.pairwise(corners):
        # Gauss-Legendre: 40 points per smooth piece; a gamma of shape 0.5 starts at infinity
        nodes, weights = np.polynomial.legendre.leggauss(40)
        u = 0.5 * (nodes + 1.0)
        times = low + (high - low) * u**4
        values = process.intensity(events, np.clip(times, low, high))
        total += (high - low) * 0.5 * ((weights * 4 * u**3) @ values)
    np.testing.assert_allclose(total, process.compensator(events, [9.0])[0], rtol=1e-5)


@pytest.mark.parametrize("name", KERNELS)
def test_density_cdf_and_horizon(name):
    kernel = KERNELS[name]
    lags = np.concatenate(([-1.0, 0.0], np.logspace(-4, 1, 60), [0.1, 0.25, 0.5, 1.0, 3.0, 4.0]))
    n_sets = kernel.density(1.0).shape[1]
    assert n_sets == (9 if kernel.pair_shape else 1)
    for s in range(n_sets):
        own = naive.pair_density(kernel, *divmod(s, 3))
        pdf = [own.pdf(u) if u > 0 else 0.0 for u in lags]
        np.testing.assert_allclose(kernel.density(lags)[:, s], pdf, rtol=1e-11, atol=1e-300)
        np.testing.assert_allclose(
            kernel.cdf(lags)[:, s], [own.cdf(u) for u in lags], rtol=1e-12, atol=1e-14
        )
        horizon = kernel.horizon.ravel()[s]
        assert own.cdf(horizon) >= 1 - 2e-12
        if not name.startswith("histogram"):
            assert own.sf(horizon) == pytest.approx(1e-12, rel=1e-6)
        mass, _ = integrate.quad(own.pdf, 0.0, horizon, limit=400, points=[0.1, 0.25, 0.5, 1.0])
        assert mass == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("shape", [1e-3, 0.3, 1.0, 7.0, 400.0, 1e5])
def test_incomplete_gamma_function(shape):
    kernel = Gamma(shape, shape)
    lags = np.concatenate((np.logspace(-8, 0, 40), np.linspace(0.9, 1.1, 41), [2.0, 10.0]))
    exact = stats.gamma(shape, scale=1 / shape)
    # the relative error of exp(a log x) grows with a, and with the logarithm of the result
    np.testing.assert_allclose(
        kernel.cdf(lags)[:, 0], exact.cdf(lags), rtol=1e-13 + 2e-15 * shape, atol=1e-200
    )


def test_histogram_horizon_ends_with_its_mass():
    kernel = Histogram([0.0, 1.0, 2.0, 9.0], [0.4, 0.6, 0.0])
    assert kernel.horizon == 2.0
    process = hawkeys.Hawkes([0.1], [[0.5]], kernel=kernel)
    events = Events.from_lists([[[1.0]]], end_times=20.0)
    # bins are closed on the right: the lag 2 belongs to the second, the lag 2 + 1e-9 to the third
    rates = process.intensity(events, [2.0, 3.0, 3.000000001])[:, 0]
    np.testing.assert_allclose(rates, [0.1 + 0.2, 0.1 + 0.3, 0.1], rtol=1e-14)


def test_a_horizon_of_bins_makes_impossible_events():
    process = hawkeys.Hawkes([0.0], [[0.5]], kernel=Histogram([0.0, 1.0], [1.0]))
    assert process.log_likelihood(Events.from_lists([[[1.0, 5.0]]], end_times=6.0)) == -np.inf


def test_simultaneous_events_do_not_excite_each_other():
    kernel = Histogram([0.0, 1.0], [1.0])
    process = hawkeys.Hawkes([1.0, 1.0], np.full((2, 2), 0.3), kernel=kernel)
    tied = Events.from_lists([[[1.0, 1.0, 1.0], [1.0]]], end_times=5.0)
    np.testing.assert_array_equal(process.intensity(tied, [1.0]), [[1.0, 1.0]])
    assert process.log_likelihood(tied) == pytest.approx(-10.0 - 2 * 4 * 0.3)


@pytest.mark.parametrize("name", KERNELS)
def test_lags_follow_the_density(name):
    kernel = KERNELS[name]
    for i, j in ((0, 1), (2, 0)):
        pair = np.full(4000, i), np.full(4000, j)
        lags = kernel.sample_lags(np.random.default_rng(1), *pair)
        assert (lags > 0).all()
        own = naive.pair_density(kernel, i, j)
        cdf = np.vectorize(own.cdf)
        assert stats.kstest(lags, cdf).pvalue > 1e-3


@pytest.mark.parametrize("name", [n for n in KERNELS if "per pair" in n])
def test_simulation_agrees_with_theory(name):
    """Mean counts against the stationary rate (5 standard errors), residuals against Exp(1)."""
    process = hawkeys.Hawkes(BASELINE, ADJACENCY, kernel=KERNELS[name])
    sample = hawkeys.simulate(process, end_time=3000.0, n_realizations=20, rng=7)
    error = sample.counts.std(axis=0, ddof=1) / np.sqrt(20)
    expected = process.stationary_rate * 3000.0
    # 30: the windows start empty
    assert (np.abs(sample.counts.mean(axis=0) - expected) < 5 * error + 30).all()
    one = sample[0]
    mass = process.compensator(one, one.times)
    for i in range(3):
        residuals = np.diff(mass[one.marks == i, i], prepend=0.0)
        assert stats.kstest(residuals, "expon").pvalue > 1e-3


@pytest.mark.parametrize("name", ["log-normal per pair", "gamma", "histogram per pair"])
class TestInference:
    def sample(self, name):
        process = hawkeys.Hawkes(BASELINE, ADJACENCY, kernel=KERNELS[name])
        return process, hawkeys.simulate(process, end_time=400.0, n_realizations=5, rng=3)

    def test_every_method_fits(self, name):
        process, sample = self.sample(name)
        truth = np.column_stack((BASELINE, ADJACENCY))
        for method in ("mle", "map", "vi"):
            result = hawkeys.fit(sample, kernel=process.kernel, method=method)
            assert result.converged
            assert result.kernel is process.kernel
            # about four standard errors of the least certain parameter
            assert np.abs(result.estimates - truth).max() < 0.25
        each = hawkeys.fit_each(sample, kernel=process.kernel)
        assert each.adjacency.shape == (5, 3, 3)
        assert np.abs(each.adjacency.mean(axis=0) - ADJACENCY).max() < 0.25

    def test_gradient_by_differences(self, name):
        process, sample = self.sample(name)
        x = np.column_stack((BASELINE, ADJACENCY))
        baseline, adjacency = process.log_likelihood_gradient(sample)
        slopes = np.column_stack((baseline, adjacency))

        def value(y):
            moved = hawkeys.Hawkes(y[:, 0], y[:, 1:], kernel=process.kernel)
            return moved.log_likelihood(sample)

        for index in ((0, 0), (1, 2), (2, 1), (0, 3)):
            step = np.zeros_like(x)
            step[index] = 1e-6
            if x[index] == 0.0:  # at the bound: to one side, second order
                change = (4 * value(x + step) - value(x + 2 * step) - 3 * value(x)) / 2e-6
            else:
                change = (value(x + step) - value(x - step)) / 2e-6
            assert change == pytest.approx(slopes[index], rel=1e-4, abs=1e-3)

    def test_goodness_of_fit_tells_right_from_wrong(self, name):
        process, sample = self.sample(name)
        right = hawkeys.fit(sample, kernel=process.kernel)
        wrong = hawkeys.fit(sample, decay=0.01)
        p_right, p_wrong = (
            hawkeys.goodness_of_fit(fitted, sample, n_mc_samples=19, rng=0).pvalue
            for fitted in (right, wrong)
        )
        assert p_right > 0.05 >= p_wrong

    def test_results_are_saved_and_read_back(self, name, tmp_path):
        process, sample = self.sample(name)
        result = hawkeys.fit(sample, kernel=process.kernel)
        result.save(tmp_path / "fit.json")
        back = hawkeys.load_result(tmp_path / "fit.json")
        assert back.kernel.to_dict() == process.kernel.to_dict()
        again = back.process.log_likelihood(sample)
        assert again == result.process.log_likelihood(sample)
        assert again == pytest.approx(result.log_likelihood, rel=1e-13)


def scaled(name, factor):
    kernel = KERNELS[name]
    if name.startswith("log-normal"):
        return LogNormal(kernel.location + np.log(factor), kernel.scale)
    if name.startswith("gamma"):
        return Gamma(kernel.shape, kernel.rate / factor)
    return Histogram(kernel.edges * factor, kernel.masses)


@pytest.mark.parametrize("name", KERNELS)
@pytest.mark.parametrize("factor", [1e-9, 1e9])
def test_the_unit_of_time_does_not_matter(name, factor):
    lists = random_lists(2, (60, 50, 40), 50.0)
    here = hawkeys.fit(lists, end_time=50.0, kernel=KERNELS[name])
    there = hawkeys.fit(
        [t * factor for t in lists], end_time=50.0 * factor, kernel=scaled(name, factor)
    )
    np.testing.assert_allclose(there.adjacency, here.adjacency, rtol=1e-6, atol=1e-6)
    np.testing.assert_allclose(there.baseline * factor, here.baseline, rtol=1e-6, atol=1e-6)
    shift = 150 * np.log(factor)
    assert there.log_likelihood + shift == pytest.approx(here.log_likelihood, abs=1e-6)


@pytest.mark.parametrize("name", KERNELS)
def test_a_window_may_start_at_an_epoch(name):
    # multiples of 1/1024 are exact at 1.7e9
    lists = [np.round(t * 1024) / 1024 for t in random_lists(2, (60, 50, 40), 50.0)]
    process = hawkeys.Hawkes(BASELINE, ADJACENCY, kernel=KERNELS[name])
    here = Events.from_lists([lists], end_times=50.0)
    epoch = 1.7e9
    there = Events.from_lists(
        [[t + epoch for t in lists]], start_times=epoch, end_times=50.0 + epoch
    )
    assert process.log_likelihood(there) == process.log_likelihood(here)


def test_cost_is_linear_for_a_bounded_memory():
    """The sources visited per event do not grow with the number of events."""
    kernel = Histogram([0.0, 0.5], [1.0]).compiled(1)
    times = np.arange(200_000) * 0.1
    marks = np.zeros(times.size, dtype=np.int64)
    offsets = np.array([0, times.size])
    out = np.zeros(times.size)
    slots = np.arange(times.size)
    jit.excitation(times, marks, offsets, kernel, (slots, offsets, 0), out, (0, 1))
    # four or five events at lags 0.1 to 0.5, each of density 2; quadratic cost would take minutes
    assert set(np.round(out[10:])) <= {8.0, 10.0}


@pytest.mark.parametrize("name", KERNELS)
def test_round_trip_and_repr(name):
    kernel = KERNELS[name]
    back = kernel_from_dict(kernel.to_dict())
    assert type(back) is type(kernel)
    assert back.to_dict() == kernel.to_dict()
    assert repr(back) == repr(kernel)
    assert isinstance(back, Kernel)
    assert back.known


def test_reprs():
    assert repr(LogNormal(-0.5, 0.6)) == "LogNormal(location=-0.5, scale=0.6)"
    assert repr(Gamma(np.ones((4, 4)), 2)) == "Gamma(shape=<shape (4, 4)>, rate=2.0)"
    assert repr(LogNormal()) == "LogNormal()"
    assert repr(Histogram([0, 1])) == "Histogram(edges=[0.0, 1.0])"
    assert repr(Histogram([0, 1], [1])) == "Histogram(edges=[0.0, 1.0], masses=[1.0])"


def test_parameters_are_read_only():
    for kernel in (LogNormal(0, 1), Gamma(1, 1), Histogram([0, 1], [1.0])):
        for name in kernel.parameter_names:
            assert not getattr(kernel, name).flags.writeable


NAN, INF = float("nan"), float("inf")
BAD = {
    "NaN": (lambda: LogNormal(NAN, 1.0), "location is nan; every value must be finite"),
    "infinite": (lambda: Gamma(1.0, [[1.0, INF], [1.0, 1.0]]), r"rate\[0, 1\] is inf"),
    "negative scale": (lambda: LogNormal(0.0, -1.0), "scale must be positive; got -1.0"),
    "zero shape": (lambda: Gamma(0.0, 1.0), "shape must be positive; got 0.0"),
    "vector": (lambda: LogNormal([0.0, 1.0], 1.0), r"location must be a square matrix.*\(2,\)"),
    "not square": (lambda: Gamma(np.ones((2, 3)), 1.0), "shape must be a square matrix"),
    "two sizes": (
        lambda: LogNormal(np.ones((2, 2)), np.ones((3, 3))),
        r"different numbers of marks: location \(2, 2\) and scale \(3, 3\)",
    ),
    "one missing": (
        lambda: LogNormal(0.0), "needs location and scale, or neither.*scale is missing",
    ),
    "other missing": (lambda: Gamma(rate=1.0), "shape is missing"),
    "edges back": (
        lambda: Histogram([0, 2, 1], [0.5, 0.5]),
        r"edges must increase; edges\[2\]=1.0 does not exceed edges\[1\]=2.0",
    ),
    "edges equal": (lambda: Histogram([0, 1, 1], [0.5, 0.5]), "drop repeated ones"),
    "edges negative": (lambda: Histogram([-1, 1], [1.0]), r"edges must not be negative; got"),
    "no bin": (lambda: Histogram([1.0], []), "bounds of at least one bin"),
    "masses": (lambda: Histogram([0, 1, 2], [0.5, 0.6]), "must sum to 1 over the bins; got a sum"),
    "negative mass": (lambda: Histogram([0, 1, 2], [-0.5, 1.5]), "masses must not be negative"),
    "number of masses": (lambda: Histogram([0, 1, 2], [1.0]), r"shape \(2,\).*got shape \(1,\)"),
    "masses per source": (lambda: Histogram([0, 1], np.ones((2, 3, 1))), r"got shape \(2, 3, 1\)"),
    "no marks": (lambda: Histogram([0, 1], np.ones((0, 0, 1))), r"got shape \(0, 0, 1\)"),
    "other marks": (
        lambda: hawkeys.Hawkes([1, 1], np.eye(2) / 2, kernel=LogNormal(np.zeros((3, 3)), 1.0)),
        r"LogNormal: the parameters are arrays for 3 marks but there are 2",
    ),
    "unknown in a process": (
        lambda: hawkeys.Hawkes([1.0], [[0.5]], kernel=LogNormal()),
        r"LogNormal\(\) has no values for location and scale; give them, or estimate them with "
        r"hawkeys.fit\(events, kernel=LogNormal\(\)\)",
    ),
    "unknown density": (lambda: Gamma().density(1.0), "no values for shape and rate"),
    "unknown horizon": (lambda: Histogram([0, 1]).horizon, "no values for masses"),
    "unknown lags": (
        lambda: Gamma().sample_lags(np.random.default_rng(), np.array([0]), np.array([0])),
        "no values for shape and rate",
    ),
    "unknown in fit_each": (
        lambda: hawkeys.fit_each([[1.0]], end_time=2.0, kernel=Gamma()),
        "no values for shape and rate",
    ),
    "record": (lambda: kernel_from_dict({"name": "square"}), "unknown kernel 'square'; this"),
}  # fmt: skip


@pytest.mark.parametrize("case", BAD)
def test_bad_parameters_are_refused(case):
    make, message = BAD[case]
    with pytest.raises(InvalidParameterError, match=message):
        make()
