"""Coefficients of a productivity, alone and with the kernel: maximum, errors, limits."""

import numpy as np
import pytest
from scipy import optimize, stats

import hawkeys
from hawkeys import Events, Hawkes, productivity
from hawkeys.baselines import Periodic
from hawkeys.exceptions import IdentifiabilityWarning, InvalidEventsError, InvalidParameterError
from hawkeys.inference import bootstrap, edge_tests, profile_interval, sandwich_covariance
from hawkeys.inference.post_estimation.refits import fit_again
from hawkeys.kernels import Exponential, LogNormal, PowerLaw, Productive, SumExponential
from hawkeys.productivity import ExponentialValues

LAW = ExponentialValues(mean=0.45, start=3.0)
A = 1.3
TRUTH = np.array([0.5, 0.2, 0.2, 1.8, A])  # baseline, adjacency, c, p, a


def simulate(end=400.0, seed=1, kernel=None, a=A, adjacency=0.2, **how):
    size = productivity.Exponential(a=a, v0=3.0, law=LAW)
    kernel = kernel or PowerLaw(*TRUTH[2:4])
    truth = Hawkes([TRUTH[0]], [[adjacency]], kernel=kernel, productivity=size)
    return hawkeys.simulate(truth, end_time=end, rng=seed, **how)


SIZE = productivity.Exponential(v0=3.0)


def values(result):
    """Baseline, adjacency and what was estimated of the kernel, with their errors."""
    kernel, errors = result.kernel, result.kernel_std_err
    own = {"a": kernel.productivity.a}
    own |= {name: getattr(kernel.kernel, name, None) for name in ("c", "p", "decay")}
    found = [*result.estimates[0], *(float(own[name]) for name in errors)]
    return np.array(found), np.append(result.std_err[0], [float(e) for e in errors.values()])


@pytest.fixture(scope="module")
def events():
    return simulate()


@pytest.fixture(scope="module")
def result(events):
    return hawkeys.fit(events, kernel=PowerLaw(), productivity=SIZE)


@pytest.fixture(scope="module")
def likelihood(events):
    """All pairs of events, in the joint parameters; nothing shared with the package."""
    times, end, size = events.times, events.end_times[0], events.values - 3.0
    later, earlier = np.tril_indices(times.size, -1)
    lags = times[later] - times[earlier]

    def evaluate(theta):
        baseline, adjacency, c, p, a = theta
        strength = np.exp(a * size)
        density = np.exp(np.log(p - 1) + (p - 1) * np.log(c) - p * np.log(lags + c))
        rates = baseline + adjacency * np.bincount(later, density * strength[earlier], times.size)
        mass = strength @ (1.0 - ((end - times) / c + 1.0) ** (1.0 - p))
        return np.log(rates).sum() - baseline * end - adjacency * mass

    return evaluate


def test_another_optimiser_finds_no_more(likelihood, result):
    def theta(logs):
        return np.array([*np.exp(logs[:3]), 1.0 + np.exp(logs[3]), logs[4]])

    at, _ = values(result)
    start = np.array([*np.log(at[:3]), np.log(at[3] - 1), at[4]])
    found = optimize.minimize(
        lambda logs: -likelihood(theta(logs)),
        start + np.array([0.2, -0.2, 0.3, -0.3, 0.4]),
        method="Nelder-Mead",
        options={"maxiter": 3000, "fatol": 1e-8, "xatol": 1e-5},
    )
    assert likelihood(at) == pytest.approx(result.log_likelihood, abs=1e-6)
    assert result.log_likelihood == pytest.approx(-found.fun, abs=1e-5)
    np.testing.assert_allclose(at, theta(found.x), rtol=3e-3)
    assert result.converged
    assert result.optimality_gap < 1e-6
    assert result.n_kernel_parameters == 3
    assert result.aic == pytest.approx(2 * 5 - 2 * result.log_likelihood)


def test_standard_errors_invert_the_joint_information(likelihood, result):
    at, errors = values(result)
    steps = 1e-3 * np.array([*at[:3], at[3] - 1, 1.0])
    information = np.empty((5, 5))
    for i in range(5):
        for j in range(5):
            moves = [np.eye(5)[k] * steps[k] for k in (i, j)]
            information[i, j] = -sum(
                a * b * likelihood(at + a * moves[0] + b * moves[1])
                for a in (1, -1) for b in (1, -1)
            ) / (4 * steps[i] * steps[j])  # fmt: skip
    expected = np.sqrt(np.diag(np.linalg.inv(information)))
    np.testing.assert_allclose(errors, expected, rtol=5e-3)
    lower, upper = result.kernel_interval()["a"]
    assert upper - lower == pytest.approx(2 * 1.959964 * errors[4])


@pytest.mark.parametrize(
    ("kernel", "how", "names"),
    [
        (Exponential(2.0), {"decay": 2.0}, ["a"]),
        (Exponential(2.0), {"decay": "estimate"}, ["decay", "a"]),
        (PowerLaw(0.2, 1.8), {"kernel": PowerLaw()}, ["c", "p", "a"]),
    ],
)
def test_truth_is_recovered_and_another_is_not(kernel, how, names):
    fits = []
    for seed in range(24):
        sample = simulate(500.0, 100 + seed, kernel)
        fits.append(hawkeys.fit(sample, productivity=SIZE, **how))
    assert list(fits[0].kernel_std_err) == names
    truth = [0.5, 0.2, *({"a": A, "decay": 2.0, "c": 0.2, "p": 1.8}[name] for name in names)]
    off = np.array([(at - truth) / errors for at, errors in map(values, fits)])
    # the mean of 24 standard normals, and the share within their intervals
    assert (np.abs(np.median(off, axis=0)) < 4 * 1.25 / np.sqrt(24)).all()
    inside = (np.abs(off) < 1.96).mean(axis=0)
    assert (inside > stats.binom.ppf(1e-3, 24, 0.95) / 24 - 1e-9).all()
    wrong = np.array([(at[-1] - 0.0) / errors[-1] for at, errors in map(values, fits)])
    assert np.median(wrong) > 5


def test_where_values_do_not_matter_none_is_found():
    found = [
        hawkeys.fit(
            simulate(400.0, 200 + seed, Exponential(2.0), a=0.0, adjacency=0.5),
            decay=2.0,
            productivity=SIZE,
        )
        for seed in range(24)
    ]
    off = np.array([float(one.kernel.productivity.a / one.kernel_std_err["a"]) for one in found])
    assert abs(off.mean()) < 4 / np.sqrt(24)
    assert (np.abs(off) < 1.96).mean() > stats.binom.ppf(1e-3, 24, 0.95) / 24 - 1e-9


@pytest.mark.parametrize("scale", [1e-6, 1e6])
def test_the_unit_of_time_does_not_matter(events, result, scale):
    other = Events.from_arrays(
        events.times * scale,
        events.marks,
        end_times=events.end_times * scale,
        values=events.values,
    )
    same = hawkeys.fit(other, kernel=PowerLaw(), productivity=SIZE)
    units = np.array([1 / scale, 1.0, scale, 1.0, 1.0])
    for found, expected in zip(values(same), values(result), strict=True):
        np.testing.assert_allclose(found, expected * units, rtol=2e-3)
    assert float(same.kernel.productivity.a) == pytest.approx(values(result)[0][4], rel=1e-5)


@pytest.mark.parametrize(("shift", "v0"), [(0.0, 4.0), (0.0, 0.0), (20.0, 23.0), (20.0, 3.0)])
def test_v0_and_the_origin_of_the_values_do_not_matter(events, result, shift, v0):
    moved = events.with_values(events.values + shift)
    same = hawkeys.fit(moved, kernel=PowerLaw(), productivity=productivity.Exponential(v0=v0))
    assert same.log_likelihood == pytest.approx(result.log_likelihood, abs=1e-6)
    at, errors = values(same)
    expected, own = values(result)
    # the climb ends where a step promises 1e-6 nats, some thousandths of a standard error
    assert (np.abs(np.delete((at - expected) / own, 1)) < 5e-3).all()
    np.testing.assert_allclose(np.delete(errors, 1), np.delete(own, 1), rtol=2e-3)
    # K of a shock of v0
    assert at[1] == pytest.approx(expected[1] * np.exp(at[4] * (v0 - 3.0 - shift)), rel=1e-2)
    assert same.spectral_radius == pytest.approx(result.spectral_radius, rel=1e-3)


def test_the_unit_of_the_values_does_not_matter(events, result):
    same = hawkeys.fit(
        events.with_values(1e3 * events.values),
        kernel=PowerLaw(),
        productivity=productivity.Exponential(v0=3e3),
    )
    assert float(same.kernel.productivity.a) == pytest.approx(values(result)[0][4] / 1e3, rel=1e-5)
    assert float(same.kernel_std_err["a"]) == pytest.approx(values(result)[1][4] / 1e3, rel=1e-3)


def test_a_power_is_an_exponential_of_logarithms(events, result):
    same = hawkeys.fit(
        events.with_values(np.exp(events.values)),
        kernel=PowerLaw(),
        productivity=productivity.Power(v0=np.exp(3.0)),
    )
    np.testing.assert_allclose(values(same)[0], values(result)[0], rtol=1e-5)
    np.testing.assert_allclose(values(same)[1], values(result)[1], rtol=1e-3)


def test_given_parameters_are_held(events, result):
    law = result.kernel.kernel.law()
    given = productivity.Exponential(a=float(result.kernel.productivity.a), v0=3.0)
    held = hawkeys.fit(events, kernel=PowerLaw(*law), productivity=given)
    np.testing.assert_allclose(held.estimates, result.estimates, rtol=1e-4)
    assert (held.std_err < result.std_err).all()
    assert held.n_kernel_parameters == 0
    only = hawkeys.fit(events, kernel=PowerLaw(), productivity=given)
    assert list(only.kernel_std_err) == ["c", "p"]
    assert only.log_likelihood == pytest.approx(result.log_likelihood, abs=1e-4)
    named = hawkeys.fit(events, kernel=Productive(PowerLaw(*law), SIZE))
    assert list(named.kernel_std_err) == ["a"]
    by_name = hawkeys.fit(events, kernel=PowerLaw(*law), productivity="exponential")
    assert by_name.kernel.productivity.v0 == events.values.min()
    assert by_name.log_likelihood == pytest.approx(named.log_likelihood, abs=1e-6)


def test_sources_may_have_their_own():
    size = productivity.Exponential(a=[1.2, -0.6], v0=3.0, law=LAW)
    truth = Hawkes([0.3, 0.3], [[0.1, 0.2], [0.1, 0.3]], decay=2.0, productivity=size)
    sample = hawkeys.simulate(truth, end_time=3_000.0, rng=0)
    own = productivity.Exponential(v0=3.0, sharing="source")
    found = hawkeys.fit(sample, decay=2.0, productivity=own)
    off = (found.kernel.productivity.a - [1.2, -0.6]) / found.kernel_std_err["a"]
    assert found.kernel_std_err["a"].shape == (2,)
    assert (np.abs(off) < 3.5).all()
    assert found.kernel_interval()["a"][0].shape == (2,)
    shared = hawkeys.fit(sample, decay=2.0, productivity=SIZE)
    assert found.log_likelihood - shared.log_likelihood > 10


def test_history_baseline_weights_and_mixtures():
    clock = Periodic([0.0, 12.0], 24.0, rates=[[0.3, 0.9]])
    size = productivity.Exponential(a=A, v0=3.0, law=LAW)
    truth = Hawkes(clock, [[0.2]], kernel=Exponential(2.0), productivity=size)
    sample = hawkeys.simulate(truth, end_time=1_500.0, rng=4)
    past, events = sample.split(share=0.3)
    how = {"baseline": clock.with_rates(None), "productivity": SIZE, "history": past}
    found = hawkeys.fit(events, decay=2.0, **how)
    direct = found.process.log_likelihood(events, history=past)
    assert found.log_likelihood == pytest.approx(direct, abs=1e-6)
    off = (found.kernel.productivity.a - A) / found.kernel_std_err["a"]
    assert abs(float(off)) < 4
    # no a does better with all else fitted again
    for step in (-0.02, 0.02):
        near = productivity.Exponential(a=float(found.kernel.productivity.a) + step, v0=3.0)
        other = hawkeys.fit(events, decay=2.0, **(how | {"productivity": near}))
        curve = (step / float(found.kernel_std_err["a"])) ** 2 / 2
        lost = found.log_likelihood - other.log_likelihood
        assert lost == pytest.approx(curve, rel=0.1)
    mixed = hawkeys.fit(events, kernel=SumExponential([2.0, 0.05]), **how)
    assert mixed.log_likelihood >= found.log_likelihood - 1e-6
    assert mixed.kernel.kernel.weights.shape == (1, 1, 2)
    assert mixed.n_kernel_parameters == 2
    assert mixed.n_parameters <= 6
    doubled = hawkeys.fit(sample[[0, 0]], decay=2.0, productivity=SIZE)
    weighted = hawkeys.fit(sample, decay=2.0, productivity=SIZE, weights=[2.0])
    np.testing.assert_allclose(weighted.std_err, doubled.std_err, rtol=1e-4)
    assert weighted.kernel_std_err["a"] == pytest.approx(doubled.kernel_std_err["a"], rel=1e-4)


def test_a_baseline_that_is_given_is_held():
    clock = Periodic([0.0, 12.0], 24.0, rates=[[0.3, 0.9]])
    size = productivity.Exponential(a=A, v0=3.0, law=LAW)
    truth = Hawkes(clock, [[0.2]], decay=2.0, productivity=size)
    sample = hawkeys.simulate(truth, end_time=1_000.0, rng=4)
    found = hawkeys.fit(sample, decay=2.0, productivity=SIZE, baseline=clock)
    assert found.estimates[0, :2].tolist() == [0.3, 0.9]
    assert np.isnan(found.std_err[0, :2]).all()
    assert found.n_parameters == 2
    step = 0.5 * float(found.kernel_std_err["a"])
    lost = []
    for sign in (-1, 1):
        near = SIZE.replaced(a=float(found.kernel.productivity.a) + sign * step)
        other = hawkeys.fit(sample, decay=2.0, productivity=near, baseline=clock)
        lost.append(found.log_likelihood - other.log_likelihood)
    assert np.mean(lost) == pytest.approx(0.125, rel=0.02)


class TestAfterwards:
    """What is asked of a fit with a productivity."""

    def test_saved_and_fitted_again(self, events, result, tmp_path):
        result.save(tmp_path / "fit.json")
        loaded = hawkeys.load_result(tmp_path / "fit.json")
        assert loaded.kernel.to_dict() == result.kernel.to_dict()
        assert loaded.kernel_std_err == result.kernel_std_err
        assert loaded.process.log_likelihood(events) == pytest.approx(result.log_likelihood)
        again = fit_again(loaded)(events)
        np.testing.assert_allclose(values(again)[0], values(result)[0], rtol=1e-4)
        np.testing.assert_allclose(values(again)[1], values(result)[1], rtol=1e-3)

    def test_what_was_given_is_not_estimated_again(self, events):
        given = productivity.Exponential(a=1.0, v0=3.0)
        for how in ({"decay": "estimate"}, {"decay": 2.0}, {"kernel": SumExponential([2.0, 0.1])}):
            found = hawkeys.fit(events, productivity=given, **how)
            again = fit_again(found)(events)
            assert again.kernel.to_dict() == found.kernel.to_dict()
            assert float(again.kernel.productivity.a) == 1.0

    def test_goodness_of_fit_simulates_and_fits_again(self, events):
        sample = events.between(end=150.0)
        found = hawkeys.fit(sample, decay=2.0, productivity=SIZE)
        tested = hawkeys.goodness_of_fit(found, sample, n_mc_samples=19, rng=0)
        assert tested.pvalue >= 0.05
        assert tested.parameters == "re-fitted by mle"

    def test_bootstrap_and_others(self, events):
        found = hawkeys.fit(events, decay=2.0, productivity=SIZE)
        scattered = bootstrap(found, events, n_replicates=30, rng=0)
        assert scattered.std_err[0, 1] == pytest.approx(found.std_err[0, 1], rel=0.6)
        intervals = profile_interval(found, events)
        assert intervals.lower[0, 1] < found.adjacency[0, 0] < intervals.upper[0, 1]
        several = Events.joined([events.between(k, k + 20.0) for k in range(0, 400, 20)])
        cut = hawkeys.fit(several, decay=2.0, productivity=SIZE)
        robust = sandwich_covariance(cut, several).std_err
        np.testing.assert_allclose(robust, cut.std_err, rtol=0.6)
        assert edge_tests(found, events).pvalues[0, 0] < 1e-3
        assert hawkeys.forecast(found, events, horizon=5.0, n_paths=20, rng=0).paths.values.size
        assert "Productivity:" in found.summary()

    @pytest.mark.parametrize("method", ["map", "vi", "vi_branching"])
    def test_other_methods_know_a_given_productivity(self, events, method):
        given = productivity.Exponential(a=A, v0=3.0)
        found = hawkeys.fit(events, decay=2.0, productivity=given, method=method)
        best = hawkeys.fit(events, decay=2.0, productivity=given)
        np.testing.assert_allclose(found.estimates, best.estimates, rtol=0.2)
        assert found.process.productivity.a == A


class TestRefused:
    @pytest.mark.parametrize("method", ["map", "vi", "vi_stochastic", "vi_branching"])
    def test_other_methods_do_not_estimate_it(self, events, method):
        with pytest.raises(InvalidParameterError, match="a of the kernel and its productivity are"):
            hawkeys.fit(events, decay=2.0, productivity=SIZE, method=method)

    def test_least_squares(self, events):
        given = productivity.Exponential(a=A, v0=3.0)
        with pytest.raises(InvalidParameterError, match="least_squares' needs exponential kernels"):
            hawkeys.fit(events, decay=2.0, productivity=given, method="least_squares")

    @pytest.mark.parametrize("kernel", [LogNormal(), LogNormal(0.0, 1.0)])
    def test_kernels_that_take_none(self, events, kernel):
        with pytest.raises(InvalidParameterError, match="a productivity goes with the kernels"):
            hawkeys.fit(events, kernel=kernel, productivity=SIZE)

    def test_searches_of_decays_that_it_does_not_go_with(self, events):
        for how in (
            {"decay_grid": [1.0, 2.0]},
            {"decay": "estimate", "decay_sharing": "source"},
        ):
            with pytest.raises(InvalidParameterError, match="beside a productivity a decay is one"):
                hawkeys.fit(events, productivity=SIZE, **how)

    def test_events_without_values_and_values_that_are_equal(self, events):
        with pytest.raises(InvalidEventsError, match="no values to draw from"):
            hawkeys.fit(events.with_values(None), decay=2.0, productivity=SIZE)
        level = events.with_values(np.full(events.n_events, 3.0))
        with pytest.raises(InvalidParameterError, match="the values are all equal, so that a"):
            hawkeys.fit(level, decay=2.0, productivity=SIZE)

    def test_other_doors(self, events):
        given = Productive(Exponential(2.0), productivity.Exponential(a=A, v0=3.0))
        with pytest.raises(InvalidParameterError, match="fit_each knows no productivity"):
            hawkeys.fit_each(events, kernel=given)
        with pytest.raises(InvalidParameterError, match="has no option 'productivity'"):
            hawkeys.fit_each(events, decay=2.0, productivity=SIZE)
        with pytest.raises(InvalidParameterError, match="converted for exponential kernels only"):
            hawkeys.interop.to_tick(Hawkes([0.5], [[0.2]], kernel=given))
        with pytest.raises(InvalidParameterError, match="has a productivity already"):
            hawkeys.fit(events, kernel=given, productivity=SIZE)


def test_without_excitation_it_is_said():
    rng = np.random.default_rng(0)
    sample = Events.from_data(
        np.sort(rng.uniform(0, 400, 400)), end_time=400.0, values=rng.exponential(1.0, 400)
    )
    with pytest.warns(IdentifiabilityWarning, match="nats over none, less than 3, as by chance"):
        found = hawkeys.fit(sample, decay=2.0, productivity="exponential")
    assert not found.identified[0, 1]
    assert np.isnan(found.kernel_std_err["a"])


def test_partitions_take_a_productivity_that_is_given(events, tmp_path):
    pytest.importorskip("pyarrow")
    kernel = Productive(Exponential(2.0), productivity.Exponential(a=A, v0=3.0))
    many = Events.joined([events.between(0.0, 200.0), events.between(200.0, 400.0)])
    data = hawkeys.open_events(
        hawkeys.write_events(many, tmp_path / "events", events_per_partition=100)
    )
    in_memory = hawkeys.fit(many, kernel=kernel)
    np.testing.assert_allclose(
        hawkeys.fit(data, kernel=kernel).estimates, in_memory.estimates, rtol=1e-6
    )
    with pytest.raises(InvalidParameterError, match="productivity"):
        hawkeys.fit(data, decay=2.0, productivity=SIZE)
