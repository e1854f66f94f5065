"""A stranger's kernel, ten lines, does what a built-in one does, and the same numbers come out."""

import dataclasses

import numpy as np
import pytest
from matplotlib.figure import Figure
from scipy import integrate, stats

import hawkeys
from hawkeys import Events, Hawkes
from hawkeys.exceptions import InvalidParameterError, ResultFileError
from hawkeys.features._factors import WithFactors
from hawkeys.kernels import DensityKernel, Exponential, Gamma, Kernel, kernel_from_dict
from hawkeys.plotting.adjacency import plot_kernels


class Mine(DensityKernel):
    def __init__(self, decay):
        self.decay = decay

    def density(self, lags):
        return self.decay * np.exp(-self.decay * lags)

    def cdf(self, lags):
        return -np.expm1(-self.decay * lags)

    def sample(self, rng, size):
        return rng.exponential(1 / self.decay, size)


class Delayed(DensityKernel):
    """Gamma of shape 3: of no use at lag 0."""

    name = "tests/delayed"

    def __init__(self, rates):
        self.rates = rates

    def density(self, lags):
        return stats.gamma.pdf(lags, 3.0, scale=1 / self.rates[0])

    def cdf(self, lags):
        return stats.gamma.cdf(lags, 3.0, scale=1 / self.rates[0])

    def sample(self, rng, size):
        return rng.gamma(3.0, 1 / self.rates[0], size)


PAIRS = {
    "exponential": (Mine(2.0), Exponential(2.0)),
    "gamma": (Delayed(np.array([4.0])), Gamma(3.0, 4.0)),
}
BASELINE, ADJACENCY = [0.4, 0.2], np.array([[0.3, 0.1], [0.4, 0.0]])


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
        [uniform(s, (30, 20), 20.0) for s in range(3)], end_times=[20.0, 31.0, 22], start_times=-1.0
    ),
}


@pytest.mark.parametrize("data", DATA)
@pytest.mark.parametrize("name", PAIRS)
def test_is_the_built_in_kernel(name, data):
    events = DATA[data]
    mine, own = (Hawkes(BASELINE, ADJACENCY, kernel=kernel) for kernel in PAIRS[name])
    assert mine.log_likelihood(events) == pytest.approx(own.log_likelihood(events), rel=1e-9)
    times = np.linspace(events.start_times[0], events.end_times[0], 7)
    for what in ("intensity", "compensator"):
        found, expected = (getattr(p, what)(events, times) for p in (mine, own))
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12)
    for what in ("immigrant", "children", "parents", "probability"):
        found, expected = (
            getattr(hawkeys.branching_probabilities(p, events, threshold=1e-9), what)
            for p in (mine, own)
        )
        np.testing.assert_allclose(found, expected, rtol=1e-7)


@pytest.mark.parametrize("name", PAIRS)
def test_separate_row_problems_are_the_same(name):
    events = DATA["many"]
    mine, own = (hawkeys.fit_each(events, kernel=kernel) for kernel in PAIRS[name])
    np.testing.assert_allclose(mine.adjacency, own.adjacency, atol=1e-7)
    np.testing.assert_allclose(mine.baseline, own.baseline, atol=1e-7)


@pytest.mark.parametrize("name", PAIRS)
def test_simulate_fit_save_load_and_the_rest(name, tmp_path):
    mine, own = PAIRS[name]
    truth = Hawkes(BASELINE, ADJACENCY, kernel=mine)
    events = hawkeys.simulate(truth, end_time=400.0, n_realizations=2, rng=0)
    result, expected = (hawkeys.fit(events, kernel=kernel) for kernel in (mine, own))
    np.testing.assert_allclose(result.estimates, expected.estimates, atol=1e-6)
    np.testing.assert_allclose(result.std_err, expected.std_err, rtol=1e-5)
    off = (result.estimates - np.column_stack((BASELINE, ADJACENCY))) / result.std_err
    assert np.nanmax(np.abs(off)) < 4.0
    result.save(tmp_path / "fit.json")
    loaded = hawkeys.load_result(tmp_path / "fit.json")
    assert type(loaded.process.kernel) is type(mine)
    assert loaded.process.log_likelihood(events) == result.process.log_likelihood(events)
    checked, other = (
        hawkeys.goodness_of_fit(found, events, n_mc_samples=0) for found in (loaded, expected)
    )
    np.testing.assert_allclose(checked.residuals, other.residuals, rtol=1e-5, atol=1e-8)
    ahead = hawkeys.forecast(loaded, events[:1], 5.0, n_paths=50, rng=1)
    assert np.isfinite(ahead.mean).all()
    axes = plot_kernels(loaded.process, [(0, 1)], longest=2.0, ax=Figure().subplots())
    lags, height = axes.lines[0].get_data()
    np.testing.assert_allclose(height, result.adjacency[0, 1] * own.density(lags)[:, 0])


@pytest.mark.parametrize("name", PAIRS)
def test_what_is_left_of_a_kernel_is_drawn_by_inversion(name):
    mine, own = PAIRS[name]
    rng, zeros = np.random.default_rng(5), np.zeros(4000, dtype=np.int64)
    elapsed = np.full(zeros.size, 1.5)
    left = mine.remaining_mass(elapsed, zeros, 2)
    np.testing.assert_allclose(left, own.remaining_mass(elapsed, zeros, 2), rtol=1e-9)
    drawn = mine.sample_residual_lags(rng, zeros, zeros, elapsed)

    def of_the_rest(lag):
        before = own.integrals(Events.from_lists([[[0.0]]], end_times=1.5)).item()
        found = [own.integrals(Events.from_lists([[[0.0]]], end_times=1.5 + x)).item() for x in lag]
        return (np.array(found) - before) / (1 - before)

    assert stats.kstest(drawn, lambda lags: of_the_rest(np.atleast_1d(lags))).pvalue > 0.01
    late = mine.sample_residual_lags(rng, zeros[:5], zeros[:5], np.full(5, 12.0))
    assert (late > 0).all()
    assert (late < 10).all()  # of mass 1e-8 or so: rejection would draw 1e8 times


def test_a_heavy_tail_reaches_over_the_whole_window():
    class Lomax(DensityKernel):
        def density(self, lags):
            return 1.5 * (1 + lags) ** -2.5

        def cdf(self, lags):
            return 1 - (1 + lags) ** -1.5

        def sample(self, rng, size):
            return rng.pareto(1.5, size)

    kernel = Lomax()
    assert kernel.reach(1e4) == 1e4
    events = Events.from_lists([[[0.0, 3.0, 900.0], [1.0]]], end_times=1000.0)
    process = Hawkes(BASELINE, ADJACENCY, kernel=kernel)
    expected = 0.4 * 1000 + sum(
        ADJACENCY[0, j] * integrate.quad(kernel.density, 0, 1000 - t)[0]
        for t, j in ((0.0, 0), (3.0, 0), (900.0, 0), (1.0, 1))
    )
    assert process.compensator(events, [1000.0])[0, 0] == pytest.approx(expected, rel=1e-7)
    expected = 0.4 + 0.3 * (kernel.density(900.0) + kernel.density(897.0))
    expected += 0.1 * kernel.density(899.0)
    assert process.intensity(events, [900.0])[0, 0] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("longest", [0.1, 9.0, 1e3, 1e9])
def test_reach_leaves_next_to_nothing_out(longest):
    reach = Mine(2.0).reach(longest)
    exact = min(longest, np.log(1e12) / 2)
    assert exact <= reach <= min(longest, 1.02 * exact)


def test_arrays_come_back_as_arrays_and_names_are_the_class():
    kernel = kernel_from_dict(Delayed(np.array([4.0])).to_dict())
    assert isinstance(kernel, Delayed)
    assert kernel.rates.tolist() == [4.0]
    assert Mine(2.0).to_dict() == {"name": "Mine", "decay": 2.0}
    assert repr(Mine(2.0)) == "Mine(decay=2.0)"


def test_a_subclass_does_not_inherit_the_name_of_a_kernel():
    class Twice(Exponential):
        """Another kernel, whose files must not be read as those of `Exponential`."""

    assert Twice(1.0).to_dict() == {"name": "Twice", "decay": 1.0}
    assert type(kernel_from_dict(Twice(1.0).to_dict())) is Twice


def test_a_dataclass_will_do():
    @dataclasses.dataclass
    class Flat(DensityKernel):
        width: float = 2.0

        def density(self, lags):
            return np.where(lags < self.width, 1 / self.width, 0.0)

        def cdf(self, lags):
            return np.minimum(lags / self.width, 1.0)

        def sample(self, rng, size):
            return rng.uniform(0, self.width, size)

    assert kernel_from_dict(Flat(3.0).to_dict()) == Flat(3.0)
    assert 2.0 <= Flat().reach(1e6) <= 2.02


def test_a_missing_class_is_named(tmp_path):
    class Gone(Mine):
        pass

    result = hawkeys.fit([[0.5, 1.0, 2.5]], kernel=Gone(1.0), end_time=4.0)
    result.save(tmp_path / "fit.json")
    text = (tmp_path / "fit.json").read_text()
    record = result.to_dict()
    record["process"]["kernel"]["name"] = "Forgotten"
    from hawkeys._records import seal

    (tmp_path / "fit.json").write_text(seal({k: v for k, v in record.items() if k != "checksum"}))
    with pytest.raises(
        ResultFileError,
        match=r"process\.kernel\.name: .*'Forgotten': no kernel .*import the module",
    ):
        hawkeys.load_result(tmp_path / "fit.json")
    (tmp_path / "fit.json").write_text(text)
    assert type(hawkeys.load_result(tmp_path / "fit.json").process.kernel) is Gone


def test_a_class_that_takes_other_arguments_is_named(tmp_path):
    result = hawkeys.fit([[0.5, 1.0, 2.5]], kernel=Mine(1.0), end_time=4.0)
    record = {k: v for k, v in result.to_dict().items() if k != "checksum"}
    record["process"]["kernel"]["speed"] = 1.0
    from hawkeys._records import seal

    (tmp_path / "fit.json").write_text(seal(record))
    with pytest.raises(ResultFileError, match=r"Mine cannot be made of decay, speed: .*must take"):
        hawkeys.load_result(tmp_path / "fit.json")


def answer(**functions):
    return type("Wrong", (Mine,), functions)(1.0)


def in_likelihood(kernel):
    return Hawkes(BASELINE, ADJACENCY, kernel=kernel).log_likelihood(DATA["many"])


BAD = {
    "shape": (
        lambda: in_likelihood(answer(density=lambda self, lags: np.ones(3))),
        r"Wrong.density must return the shape of the lags \(\d+,\); it returned .* shape \(3,\)",
    ),
    "negative": (
        lambda: in_likelihood(answer(density=lambda self, lags: -lags)),
        "density must return finite numbers >= 0",
    ),
    "not a number": (
        lambda: in_likelihood(answer(cdf=lambda self, lags: lags * np.nan)),
        "cdf must return finite numbers >= 0",
    ),
    "a density that is none": (
        lambda: in_likelihood(answer(cdf=lambda self, lags: 2 * Mine(1.0).cdf(lags))),
        "cdf must return at most 1",
    ),
    "negative lag": (
        lambda: hawkeys.simulate(
            Hawkes([5.0], [[0.9]], kernel=answer(sample=lambda self, rng, size: -np.ones(size))),
            end_time=50.0,
            rng=0,
        ),
        "sample must return lags >= 0",
    ),
    "one lag for all": (
        lambda: hawkeys.simulate(
            Hawkes([5.0], [[0.9]], kernel=answer(sample=lambda self, rng, size: 1.0)),
            end_time=50.0,
            rng=0,
        ),
        r"sample must return shape \(\d+,\)",
    ),
    "the name of a built-in": (
        lambda: type("Taken", (Mine,), {"name": "gamma"}),
        "the name 'gamma' is that of a kernel of hawkeys",
    ),
    "an argument that is not kept": (
        lambda: type("Lost", (Mine,), {"__init__": lambda self, speed: None})(1.0).to_dict(),
        "Lost has no attribute 'speed'",
    ),
    "a parameter without a JSON type": (
        lambda: Mine(np.sin).to_dict(),
        r"Mine.decay cannot be written to a file: .*<ufunc 'sin'>",
    ),
    "an infinite parameter": (lambda: Mine(np.inf).to_dict(), "finite numbers"),
}


@pytest.mark.parametrize("case", BAD)
def test_what_is_wrong_is_said(case):
    run, words = BAD[case]
    with pytest.raises(InvalidParameterError, match=words):
        run()


def test_two_classes_of_one_name_are_not_guessed_at():
    def make():
        class Twin(Mine):
            pass

        return Twin

    first = make()
    assert type(kernel_from_dict(first(1.0).to_dict())) is first
    again = make()  # the same place: a cell that was run again
    assert type(kernel_from_dict(first(1.0).to_dict())) is again

    class Twin(Mine):
        pass

    with pytest.raises(InvalidParameterError, match=r"kernel 'Twin' may be .*another name"):
        kernel_from_dict(Twin(1.0).to_dict())


def test_density_is_part_of_the_contract():
    assert "density" in Kernel.__abstractmethods__


def test_density_with_factors_is_theirs():
    kernel = WithFactors(Exponential([0.5, 3.0]), np.array([2.0, 5.0]))
    lags = np.array([0.2, 1.0])
    one = [2 * 0.5 * np.exp(-0.5 * lags), 5 * 3.0 * np.exp(-3 * lags)]
    np.testing.assert_allclose(kernel.density(lags), np.column_stack(one * 2))
    again = kernel_from_dict(kernel.to_dict())
    np.testing.assert_array_equal(again.density(lags), kernel.density(lags))
