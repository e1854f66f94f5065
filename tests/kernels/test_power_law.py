"""The power law: closed forms, and sums over events that are those of a certified approximation."""

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import integrate, stats

import hawkeys
from hawkeys import Events, Hawkes
from hawkeys._loops import choice
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels import Exponential, PowerLaw, kernel_from_dict
from hawkeys.kernels.exponential_sums import power_as_exponentials
from hawkeys.plotting import plot_kernels

BASELINE, ADJACENCY = [0.4, 0.2], np.array([[0.3, 0.1], [0.4, 0.0]])
RNG = np.random.default_rng(7)
DATA = {
    "no event": Events.from_lists([[[], []]], end_times=4.0),
    "one event": Events.from_lists([[[], [1.0]]], end_times=4.0),
    "ties": Events.from_lists(
        [[np.sort(np.round(RNG.uniform(0, 5, n))) for n in (8, 7)]], end_times=5.0
    ),
    "silent mark": Events.from_lists([[np.sort(RNG.uniform(0, 5, 9)), []]], end_times=5.0),
    "huge gap": Events.from_lists([[[1.0, 1e6], [1.5, 1e6 + 1.0]]], end_times=2e6),
    "many": Events.from_lists(
        [[np.sort(RNG.uniform(-1, 20, n)) for n in (30, 20)] for _ in range(3)],
        start_times=-1.0, end_times=[20.0, 31.0, 22.0],
    ),
}  # fmt: skip


def naive_density(lag, c, p):
    return (p - 1.0) * c ** (p - 1.0) / (lag + c) ** p if lag > 0 else 0.0


def naive_mass(lag, c, p):
    return 1.0 - (c / (lag + c)) ** (p - 1.0) if lag > 0 else 0.0


def naive_rate(events, r, target, when, law):
    """One intensity and compensator, term by term."""
    rows = slice(events.offsets[r], events.offsets[r + 1])
    rate, total = BASELINE[target], BASELINE[target] * (when - events.start_times[r])
    for time, source in zip(events.times[rows], events.marks[rows], strict=True):
        rate += ADJACENCY[target, source] * naive_density(when - time, *law)
        total += ADJACENCY[target, source] * naive_mass(when - time, *law)
    return rate, total


def naive_log_likelihood(events, law):
    out = 0.0
    for r in range(events.n_realizations):
        rows = slice(events.offsets[r], events.offsets[r + 1])
        for time, mark in zip(events.times[rows], events.marks[rows], strict=True):
            out += np.log(naive_rate(events, r, mark, time, law)[0])
        out -= sum(naive_rate(events, r, i, events.end_times[r], law)[1] for i in (0, 1))
    return out


class TestExponentials:
    """The bound of the error is computed, and holds."""

    @pytest.mark.parametrize("tolerance", [1e-3, 1e-10, 1e-13])
    @pytest.mark.parametrize("longest", [0.0, 1e-6, 1.0, 1e3, 1e10])
    @pytest.mark.parametrize("p", [1.0001, 1.2, 2.0, 5.0, 50.0, 1000.0])
    def test_error_is_within_its_bound(self, p, longest, tolerance):
        rates, heights, bound = power_as_exponentials(p, longest, tolerance)
        assert 0.0 < bound <= tolerance
        assert (rates > 0).all()
        assert (heights > 0).all()
        lags = np.concatenate(([0.0], np.geomspace(1e-9, 1.0, 2000) * longest))
        lags = lags[p * np.log1p(lags) < 549.0]
        error = np.abs(np.exp(-np.outer(lags, rates)) @ heights * np.exp(p * np.log1p(lags)) - 1)
        rounding = 3e-14 * max(1.0, p)
        assert error.max() <= bound + rounding

    def test_bound_is_no_more_than_a_few_times_the_error(self):
        rates, heights, bound = power_as_exponentials(1.2, 1e6, 1e-8)
        lags = np.geomspace(1e-3, 1e6, 5000)
        error = np.abs(np.exp(-np.outer(lags, rates)) @ heights * (1 + lags) ** 1.2 - 1).max()
        assert error > bound / 4.0

    @pytest.mark.parametrize(("longest", "most"), [(1e3, 33), (1e6, 53), (1e10, 79)])
    def test_number_of_terms_grows_as_a_logarithm(self, longest, most):
        assert power_as_exponentials(1.2, longest, 1e-10).rates.size <= most

    def test_past_its_range_the_sum_is_wrong(self):
        """The check of the error can fail: the range is not longer than it was asked to be."""
        rates, heights, bound = power_as_exponentials(1.2, 1e3, 1e-10)
        found = np.exp(-1e5 * rates) @ heights
        assert abs(found * (1 + 1e5) ** 1.2 - 1) > 1e3 * bound

    def test_where_the_power_is_nothing_so_is_the_sum(self):
        rates, heights, _ = power_as_exponentials(1000.0, 1e10, 1e-10)
        assert np.exp(-2.0 * rates) @ heights < 1e-230


class TestClosedForms:
    @pytest.mark.parametrize(("c", "p"), [(0.5, 1.05), (0.5, 2.0), (30.0, 1.4), (1e-3, 9.0)])
    def test_density_is_the_derivative_of_the_mass(self, c, p):
        kernel = PowerLaw(c, p)
        lags = c * np.array([1e-3, 0.3, 2.0, 40.0])
        expected = [naive_density(lag, c, p) for lag in lags]
        np.testing.assert_allclose(kernel.density(lags), expected, rtol=1e-12)
        for lag in lags:
            mass = integrate.quad(naive_density, 0, lag, args=(c, p), epsabs=0, epsrel=1e-11)[0]
            assert kernel.cdf(lag)[0] == pytest.approx(mass, rel=1e-9)
        assert kernel.density([-1.0, 0.0]).tolist() == [0.0, 0.0]
        assert kernel.cdf([-1.0, 0.0]).tolist() == [0.0, 0.0]

    @pytest.mark.parametrize("elapsed", [0.0, 0.2, 700.0])
    def test_lags_and_what_is_left_of_them(self, elapsed):
        kernel, zeros = PowerLaw(0.5, 1.3), np.zeros(4000, dtype=np.int64)
        past = np.full(zeros.size, elapsed)
        left = kernel.remaining_mass(past, zeros, 3)
        assert left.shape == (4000, 3)
        np.testing.assert_allclose(left, 1.0 - naive_mass(elapsed, 0.5, 1.3), rtol=1e-12)
        lags = kernel.sample_residual_lags(np.random.default_rng(1), zeros, zeros, past)
        if elapsed == 0.0:
            same = kernel.sample_lags(np.random.default_rng(1), zeros, zeros)
            np.testing.assert_array_equal(lags, same)
        law = stats.lomax(0.3, scale=0.5 + elapsed)
        assert stats.kstest(lags, law.cdf).pvalue > 0.01
        assert stats.kstest(lags, stats.lomax(0.4, scale=0.5 + elapsed).cdf).pvalue < 1e-6

    def test_a_lag_is_a_number_even_where_the_mass_never_comes(self):
        lags = PowerLaw(1.0, 1.0005).sample(np.random.default_rng(0), 1000)
        assert np.isfinite(lags).all()
        assert (lags == 1e300).any()

    def test_reach(self):
        kernel = PowerLaw(0.5, 3.0)
        assert kernel.reach(10.0) == pytest.approx(10.0, rel=1e-12)
        reach = kernel.reach(1e9)
        assert 1.0 - kernel.cdf(reach)[0] == pytest.approx(1e-12, rel=1e-3)
        assert PowerLaw(0.5, 1.1).reach(1e9) == pytest.approx(1e9, rel=1e-12)

    def test_large_p_is_the_exponential(self):
        lags = np.array([0.1, 1.0, 3.0])
        found = PowerLaw(500.0, 1000.0).density(lags)
        np.testing.assert_allclose(found, Exponential(2.0).density(lags)[:, 0], rtol=0.02)


@pytest.mark.parametrize("most", [-1, 10**9], ids=["compiled", "plain"])
@pytest.mark.parametrize("law", [(0.5, 1.2), (0.02, 1.01), (3.0, 4.0)])
@pytest.mark.parametrize("data", DATA)
def test_process_is_the_naive_one(data, law, most, monkeypatch):
    monkeypatch.setattr(choice, "MOST", most)
    events, process = DATA[data], Hawkes(BASELINE, ADJACENCY, kernel=PowerLaw(*law))
    expected = naive_log_likelihood(events, law)
    assert process.log_likelihood(events) == pytest.approx(expected, rel=1e-9)
    for r in range(events.n_realizations):
        times = np.linspace(events.start_times[r], events.end_times[r], 5)
        rows = slice(events.offsets[r], events.offsets[r + 1])
        times = np.sort(np.append(times, events.times[rows][:3]))
        each = np.array([[naive_rate(events, r, i, t, law) for i in (0, 1)] for t in times])
        found = process.intensity(events, times, realization=r)
        np.testing.assert_allclose(found, each[..., 0], rtol=2e-10)
        found = process.compensator(events, times, realization=r)
        np.testing.assert_allclose(found, each[..., 1], rtol=2e-10, atol=1e-13)


def test_tolerance_is_kept():
    law, events = (0.02, 1.1), DATA["many"]
    expected = naive_log_likelihood(events, law)
    for tolerance in (0.1, 1e-4, 1e-8):
        process = Hawkes(BASELINE, ADJACENCY, kernel=PowerLaw(*law, tolerance=tolerance))
        error = abs(process.log_likelihood(events) - expected)
        assert error <= tolerance * events.n_events
    coarse = Hawkes(BASELINE, ADJACENCY, kernel=PowerLaw(*law, tolerance=0.1))
    assert abs(coarse.log_likelihood(events) - expected) > 1e-6
    wide, narrow = (PowerLaw(*law, tolerance=t).exponentials(100.0).rates.size for t in (0.1, 1e-8))
    assert wide < 0.5 * narrow


@pytest.mark.parametrize("scale", [1e-9, 1e9])
def test_the_unit_of_time_does_not_matter(scale):
    events = DATA["many"]
    other = Events.from_arrays(
        events.times * scale, events.marks, offsets=events.offsets,
        start_times=events.start_times * scale, end_times=events.end_times * scale,
    )  # fmt: skip
    result = hawkeys.fit(events, kernel=PowerLaw(0.5, 1.2))
    same = hawkeys.fit(other, kernel=PowerLaw(0.5 * scale, 1.2))
    np.testing.assert_allclose(same.adjacency, result.adjacency, atol=1e-7)
    np.testing.assert_allclose(same.baseline * scale, result.baseline, rtol=1e-7)


@pytest.mark.parametrize(
    ("method", "close"),
    [("mle", 4.0), ("map", 4.0), ("vi", 4.0), ("vi_branching", 4.0), ("least_squares", None)],
)
def test_methods(method, close, sample):
    if close is None:
        with pytest.raises(InvalidParameterError, match="least_squares"):
            hawkeys.fit(sample, kernel=PowerLaw(0.2, 1.6), method=method)
        return
    result = hawkeys.fit(sample, kernel=PowerLaw(0.2, 1.6), method=method)
    truth = np.column_stack((BASELINE, ADJACENCY))
    reference = hawkeys.fit(sample, kernel=PowerLaw(0.2, 1.6))
    assert (np.abs(result.estimates - truth) < close * np.nan_to_num(reference.std_err, nan=0.02)
            + 1e-3).all()  # fmt: skip
    assert result.converged


@pytest.fixture(scope="module")
def sample():
    truth = Hawkes(BASELINE, ADJACENCY, kernel=PowerLaw(0.2, 1.6))
    return hawkeys.simulate(truth, end_time=1_500.0, n_realizations=2, rng=0)


def test_fit_is_the_maximum_and_rejects_another_law(sample):
    result = hawkeys.fit(sample, kernel=PowerLaw(0.2, 1.6))
    own = naive_gradient_by_differences(result, sample)
    free = result.estimates > 0
    assert np.abs(own[free]).max() < 1e-2
    assert (own[~free] < 1e-2).all()
    checked = hawkeys.goodness_of_fit(result, sample, n_mc_samples=0)
    assert stats.kstest(checked.residuals, "expon").pvalue > 0.01
    wrong = hawkeys.fit(sample, kernel=PowerLaw(20.0, 1.6))
    assert wrong.log_likelihood < result.log_likelihood - 50.0


def naive_gradient_by_differences(result, events):
    """How the log-likelihood changes with each parameter, by central differences."""
    base = result.estimates
    out = np.zeros_like(base)
    for index in np.ndindex(*base.shape):
        values = []
        for sign in (1.0, -1.0):
            moved = base.copy()
            moved[index] = max(moved[index] + sign * 1e-5, 0.0)
            process = Hawkes(moved[:, 0], moved[:, 1:], kernel=result.kernel)
            values.append((process.log_likelihood(events), moved[index]))
        out[index] = (values[0][0] - values[1][0]) / (values[0][1] - values[1][1])
    return out


def mean_counts(first, adjacency, cells):
    """Expected events of each mark; `first` (n, D) are those per step that the past explains.

    The renewal equation on a grid; `cells` (n,) is the mass of the kernel within each step.
    """
    size = adjacency.shape[0]
    rate = np.empty_like(first)
    for k in range(len(first)):
        before = cells[1 : k + 1] @ rate[:k][::-1]
        rate[k] = np.linalg.solve(
            np.eye(size) - adjacency * cells[0], first[k] + adjacency @ before
        )
    return rate.sum(axis=0)


def test_simulation_agrees_with_theory():
    kernel, end, n = PowerLaw(0.5, 1.5), 40.0, 4000
    process = Hawkes([0.7], [[0.6]], kernel=kernel)
    sample = hawkeys.simulate(process, end_time=end, n_realizations=4000, rng=3)
    counts = np.diff(sample.offsets)
    cells = np.diff(kernel.cdf(np.linspace(0.0, end, n + 1)))
    expected = mean_counts(np.full((n, 1), 0.7 * end / n), np.array([[0.6]]), cells)[0]
    error = counts.std() / np.sqrt(counts.size)
    assert abs(counts.mean() - expected) < 4 * error
    assert abs(counts.mean() - 0.7 * end / 0.4) > 10 * error  # what an endless window would have


def test_forecast_agrees_with_theory(sample):
    process = Hawkes(BASELINE, ADJACENCY, kernel=PowerLaw(0.2, 1.6))
    past, n = sample[:1], 2000
    grid = np.linspace(1_500.0, 1_550.0, n + 1)
    longer = Events.from_arrays(past.times, past.marks, end_times=1_550.0, n_marks=2)
    first = np.diff(process.compensator(longer, grid), axis=0)
    expected = mean_counts(first, ADJACENCY, np.diff(process.kernel.cdf(grid - 1_500.0)))
    ahead = hawkeys.forecast(process, past, 50.0, n_paths=4000, rng=1)
    counts = ahead.counts.reshape(4000, 2)
    error = counts.std(axis=0) / np.sqrt(4000)
    assert (np.abs(counts.mean(axis=0) - expected) < 4 * error).all()
    assert (expected - first.sum(axis=0) > 20 * error).all()  # without children of children


def test_separate_fits_are_those_alone():
    events = DATA["many"]
    each = hawkeys.fit_each(events, kernel=PowerLaw(0.5, 1.3))
    for r in range(events.n_realizations):
        alone = hawkeys.fit(events[r : r + 1], kernel=PowerLaw(0.5, 1.3))
        np.testing.assert_allclose(each.adjacency[r], alone.adjacency, atol=1e-6)


def test_saved_and_drawn(sample, tmp_path):
    result = hawkeys.fit(sample, kernel=PowerLaw(0.2, 1.6, tolerance=1e-9))
    result.save(tmp_path / "fit.json")
    loaded = hawkeys.load_result(tmp_path / "fit.json")
    assert loaded.kernel.to_dict() == {
        "name": "power_law", "c": 0.2, "p": 1.6, "tolerance": 1e-9
    }  # fmt: skip
    assert loaded.process.log_likelihood(sample) == result.process.log_likelihood(sample)
    axes = plot_kernels(loaded.process, [(0, 1)], longest=2.0, ax=Figure().subplots())
    lags, height = axes.lines[0].get_data()
    expected = result.adjacency[0, 1] * PowerLaw(0.2, 1.6).density(lags)
    np.testing.assert_allclose(height, expected)


def test_repr_and_round_trip():
    kernel = PowerLaw(0.5, 1.25)
    assert repr(kernel) == "PowerLaw(c=0.5, p=1.25)"
    assert repr(PowerLaw(0.5, 1.25, tolerance=1e-8)) == "PowerLaw(c=0.5, p=1.25, tolerance=1e-08)"
    assert repr(PowerLaw()) == "PowerLaw()"
    assert not PowerLaw().known
    assert PowerLaw(2.0, 3.0, tolerance=1e-8).unknown().to_dict() == {
        "name": "power_law", "c": None, "p": None, "tolerance": 1e-8
    }  # fmt: skip
    assert kernel_from_dict(kernel.to_dict()).to_dict() == kernel.to_dict()


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ((0.0, 1.2), "c must be one positive number; got 0"),
        (([0.1, 0.2], 1.2), "c must be one positive number; got"),
        ((0.1, 1.0), "p must be above 1, so that the mass is finite, and at most 1000; got 1"),
        ((0.1, 1001.0), "p must be above 1, .* is the exponential of decay p / c"),
        ((0.1,), "c and p are given or estimated together; got c=0.1, p=None. Give both, or nei"),
        ((0.1, float("nan")), "p is nan; every value must be finite"),
    ],
)
def test_bad_input(given, message):
    with pytest.raises(InvalidParameterError, match=message):
        PowerLaw(*given)


@pytest.mark.parametrize("tolerance", [1e-14, 0.2])
def test_bad_tolerance(tolerance):
    with pytest.raises(InvalidParameterError, match=r"tolerance must be between 1e-13 and 0\.1;"):
        PowerLaw(0.1, 1.2, tolerance=tolerance)
