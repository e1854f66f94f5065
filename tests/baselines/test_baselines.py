"""Baselines that change over time: the functions, the process, fits, simulation, tests of fit."""

import naive_columns as naive
import numpy as np
import pytest
from scipy import stats

import hawkeys
from hawkeys._records import seal
from hawkeys.baselines import Baseline, Constant, Periodic, PiecewiseConstant, baseline_from_dict
from hawkeys.diagnostics.time_rescaling import rescale
from hawkeys.exceptions import IdentifiabilityWarning, InvalidParameterError, ResultFileError

STEPS = PiecewiseConstant([0.0, 10.0, 15.0, 40.0])
DAY = Periodic([1.0, 3.0, 6.5], period=8.0)
ADJACENCY = [[0.3, 0.1], [0.2, 0.4]]
RATES = np.array([[0.5, 2.0, 0.8], [1.0, 0.2, 0.3]])


def naive_arguments(baseline):
    return list(baseline.knots), getattr(baseline, "period", None)


def process_with(baseline, rates=RATES, **changed):
    return hawkeys.Hawkes(baseline.with_rates(rates), ADJACENCY, **{"decay": 1.5, **changed})


@pytest.fixture(scope="module")
def small():
    """Two windows within all knots; one starts late."""
    return hawkeys.simulate(
        process_with(STEPS), start_time=[0.0, 12.0], end_time=[40.0, 31.0], rng=3
    )


@pytest.mark.parametrize("baseline", [STEPS, DAY, Periodic([2.0], 3.0), Constant()])
def test_basis_and_integrals_are_those_of_the_pieces(baseline):
    starts, ends = np.array([0.0, 3.0, 9.9, 20.0]), np.array([40.0, 3.0, 10.1, 29.5])
    times = np.linspace(0.0, 39.9, 57)
    basis, integrals = baseline.basis(times), baseline.integrals(starts, ends)
    if not isinstance(baseline, Constant):
        knots, period = naive_arguments(baseline)
        pieces = [naive.piece_at(t, knots, period) for t in times]
        np.testing.assert_array_equal(basis.argmax(axis=1), pieces)
        expected = [
            naive.time_in_pieces(a, b, knots, period) for a, b in zip(starts, ends, strict=True)
        ]
        np.testing.assert_allclose(integrals, expected, atol=1e-12)
    np.testing.assert_array_equal(basis.sum(axis=1), 1.0)
    # midpoint rule, exact but for the cells that hold a jump
    cells = 20.0 + (np.arange(95_000) + 0.5) * 1e-4
    np.testing.assert_allclose(baseline.basis(cells).sum(axis=0) * 1e-4, integrals[3], atol=2e-4)
    assert baseline.shares.sum() == pytest.approx(1.0, abs=1e-15)
    assert len(baseline.labels) == baseline.n_pieces == basis.shape[1]


def test_knots_are_on_the_clock_of_the_events():
    far = 1.7e9
    late = PiecewiseConstant(STEPS.knots + far, RATES)
    np.testing.assert_array_equal(
        late.integrals(np.array([far + 5]), np.array([far + 12])), [[5.0, 2.0, 0.0]]
    )
    assert late.labels[0] == "[1700000000, 1700000010)"
    day = Periodic([0, 8, 20], period=24)
    assert day.labels == ("[0, 8) mod 24", "[8, 20) mod 24", "[20, 24) mod 24")
    whole = 24 * 1e6
    np.testing.assert_allclose(
        day.integrals(np.array([whole + 7]), np.array([whole + 33])), [[9, 13, 4]], atol=1e-6
    )
    # an end computed as start + length may miss the last knot by rounding
    edge = PiecewiseConstant([0.1, 0.1 + 0.7])
    edge.check_windows(np.array([0.1]), np.array([np.nextafter(edge.knots[1], 9.0)]))


@pytest.mark.parametrize("baseline", [STEPS, DAY])
def test_log_likelihood_is_the_naive_one(baseline, small):
    process = process_with(baseline)
    x = np.column_stack((RATES, ADJACENCY))
    expected = naive.log_likelihood(small, x, [1.5], *naive_arguments(baseline))
    assert process.log_likelihood(small) == pytest.approx(expected, abs=1e-9)


def test_gradient_by_differences(small):
    process = process_with(STEPS)
    by_rate, by_weight = process.log_likelihood_gradient(small)
    assert by_rate.shape == (2, 3)
    step = 1e-6
    for i, q in np.ndindex(2, 3):
        up, down = RATES.copy(), RATES.copy()
        up[i, q] += step
        down[i, q] -= step
        rise = process_with(STEPS, up).log_likelihood(small)
        rise -= process_with(STEPS, down).log_likelihood(small)
        assert by_rate[i, q] == pytest.approx(rise / (2 * step), abs=1e-5)
    assert by_weight.shape == (2, 2)


@pytest.mark.parametrize("baseline", [STEPS, DAY])
def test_intensity_and_compensator(baseline, small):
    process = process_with(baseline)
    knots, period = naive_arguments(baseline)
    times = np.linspace(12.0, 31.0, 40)
    excited = hawkeys.Hawkes([0.0, 0.0], ADJACENCY, decay=1.5)
    rise = process.intensity(small, times, realization=1)
    rise = rise - excited.intensity(small, times, realization=1)
    pieces = [naive.piece_at(t, knots, period) for t in times]
    np.testing.assert_allclose(rise, RATES[:, pieces].T, atol=1e-12)
    total = process.compensator(small, times, realization=1)
    total = total - excited.compensator(small, times, realization=1)
    spent = [naive.time_in_pieces(12.0, t, knots, period) for t in times]
    np.testing.assert_allclose(total, spent @ RATES.T, atol=1e-12)


def test_mean_and_stationary_rates():
    day = process_with(DAY)
    np.testing.assert_allclose(day.baseline, RATES @ [0.25, 0.4375, 0.3125], rtol=1e-14)
    expected = np.linalg.solve(np.eye(2) - ADJACENCY, day.baseline)
    np.testing.assert_allclose(day.stationary_rate, expected, rtol=1e-14)
    steps = process_with(STEPS)
    np.testing.assert_allclose(steps.baseline, RATES @ [0.25, 0.125, 0.625], rtol=1e-14)
    with pytest.raises(InvalidParameterError, match="no stationary rate exists: the baseline is"):
        steps.stationary_rate  # noqa: B018


def test_one_piece_is_the_constant(small):
    plain = hawkeys.fit(small, decay=1.5)
    for baseline in (PiecewiseConstant([0.0, 40.0]), Periodic([3.0], 7.0)):
        same = hawkeys.fit(small, decay=1.5, baseline=baseline)
        assert same.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-9)
        np.testing.assert_allclose(same.estimates, plain.estimates, rtol=1e-7)
        np.testing.assert_allclose(same.std_err, plain.std_err, rtol=1e-7)
        assert same.aic == pytest.approx(plain.aic, abs=1e-8)
    assert plain.columns is None
    assert isinstance(plain.process.baseline_function, Constant)
    constant = hawkeys.Hawkes(Constant([[0.5], [0.2]]), ADJACENCY, decay=1.5)
    assert constant.log_likelihood(small) == hawkeys.Hawkes(
        [0.5, 0.2], ADJACENCY, decay=1.5
    ).log_likelihood(small)


@pytest.mark.parametrize("baseline", [STEPS, DAY])
def test_fit_is_the_maximum_found_by_another_optimiser(baseline, small):
    result = hawkeys.fit(small, decay=1.5, baseline=baseline)
    labels = np.arange(10).reshape(2, 5)
    best, estimates = naive.maximise(small, [1.5], labels, *naive_arguments(baseline))
    assert result.log_likelihood == pytest.approx(best, abs=1e-6)
    assert result.log_likelihood == pytest.approx(result.process.log_likelihood(small), abs=1e-9)
    np.testing.assert_allclose(result.estimates, estimates, atol=2e-4)
    assert result.n_parameters == 10


def test_standard_errors_invert_the_naive_information(small):
    result = hawkeys.fit(small, decay=1.5, baseline=DAY)
    rows, _ = naive.columns(small, [1.5], *naive_arguments(DAY))
    for v, x, std_err in zip(rows, result.estimates, result.std_err, strict=True):
        free = x > 0
        scaled = v[:, free] / (v @ x)[:, None]
        expected = np.sqrt(np.diag(np.linalg.inv(scaled.T @ scaled)))
        np.testing.assert_allclose(std_err[free], expected, rtol=1e-6)
        assert np.isnan(std_err[~free]).all()


def test_a_piece_without_windows_is_not_identified(small):
    baseline = PiecewiseConstant([0.0, 20.0, 40.0, 50.0])
    with pytest.warns(IdentifiabilityWarning, match=r"baseline\[0, \[40, 50\)\]"):
        result = hawkeys.fit(small, decay=1.5, baseline=baseline)
    np.testing.assert_array_equal(result.identified[:, 2], False)
    assert result.identified[:, [0, 1, 3, 4]].all()
    frame = result.to_frame()
    assert list(frame.source[:3]) == ["[0, 20)", "[20, 40)", "[40, 50)"]
    assert frame.loc[frame.source == "[40, 50)", ["estimate", "std_err"]].isna().all(axis=None)
    assert result.n_parameters == 8


def test_periodic_recovers():
    truth = process_with(DAY)
    sample = hawkeys.simulate(truth, end_time=1500.0, rng=8)
    result = hawkeys.fit(sample, decay=1.5, baseline=DAY)
    off = (result.estimates - np.column_stack((RATES, ADJACENCY))) / result.std_err
    assert np.abs(off).max() < 3.5
    assert result.log_likelihood > hawkeys.fit(sample, decay=1.5).log_likelihood + 100


def expected_counts(process, end, n_cells=4000):
    """Solve the renewal equation of the mean intensity of an exponential kernel on a grid."""
    step = end / n_cells
    middle = (np.arange(n_cells) + 0.5) * step
    rates = process.baseline_function.at(middle)
    decay, excited = float(process.kernel.decay), np.zeros(process.n_marks)
    total = np.zeros(process.n_marks)
    for rate in rates:
        mean = rate + excited
        total += mean * step
        excited += step * decay * (process.adjacency @ mean - excited)
    return total


@pytest.mark.parametrize("baseline", [STEPS, DAY])
def test_simulated_counts_have_the_mean_of_theory(baseline):
    process = process_with(baseline)
    sample = hawkeys.simulate(process, end_time=20.0, n_realizations=1500, rng=0)
    counts = sample.counts
    error = counts.std(axis=0, ddof=1) / np.sqrt(len(counts))
    np.testing.assert_array_less(
        np.abs(counts.mean(axis=0) - expected_counts(process, 20.0)), 3.5 * error
    )


@pytest.mark.parametrize("baseline", [STEPS, DAY])
def test_immigrants_are_poisson_in_every_piece(baseline):
    known = baseline.with_rates(RATES)
    starts, ends = np.full(4000, 2.5), np.full(4000, 21.0)
    times, marks, windows = known.immigrants(np.random.default_rng(5), starts, ends)
    assert times.min() >= 2.5
    assert times.max() <= 21.0
    expected = baseline.integrals(starts[:1], ends[:1])[0] * RATES
    piece = baseline.basis(times).argmax(axis=1)
    for i, q in np.ndindex(RATES.shape):
        counts = np.bincount(windows[(marks == i) & (piece == q)], minlength=4000)
        assert abs(counts.mean() - expected[i, q]) < 4.0 * np.sqrt(expected[i, q] / 4000)
        assert counts.var() == pytest.approx(counts.mean(), rel=0.12)
    scaled = known.integral(np.full(times.size, 2.5), times)[np.arange(times.size), marks]
    total = known.integral(starts[:1], ends[:1])[0, marks]
    assert stats.kstest(scaled / total, "uniform").pvalue > 0.001


def test_residuals_are_exponential_under_the_truth_only():
    truth = process_with(DAY, [[0.2, 2.0, 0.2], [1.5, 0.1, 0.1]])
    sample = hawkeys.simulate(truth, end_time=60.0, n_realizations=10, rng=4)
    assert stats.kstest(rescale(truth, sample).residuals, "expon").pvalue > 0.01
    flat = hawkeys.Hawkes(truth.baseline, ADJACENCY, decay=1.5)
    assert stats.kstest(rescale(flat, sample).residuals, "expon").pvalue < 1e-4


def test_goodness_of_fit_fits_the_baseline_again(small, tmp_path):
    result = hawkeys.fit(small, decay=1.5, baseline=STEPS)
    gof = hawkeys.goodness_of_fit(result, small, n_mc_samples=9)
    result.save(tmp_path / "fit.json")
    again = hawkeys.load_result(tmp_path / "fit.json")
    loaded = hawkeys.goodness_of_fit(again, small, n_mc_samples=9)
    of_process = hawkeys.goodness_of_fit(result.process, small, n_mc_samples=9)
    assert gof.pvalue == loaded.pvalue == of_process.pvalue
    np.testing.assert_array_equal(again.std_err, result.std_err)
    np.testing.assert_array_equal(again.estimates, result.estimates)
    assert again.aic == result.aic
    assert again.summary() == result.summary()
    assert "PiecewiseConstant(n_pieces=3, from 0 to 40)" in result.summary()


def test_other_methods(small):
    mle = hawkeys.fit(small, decay=1.5, baseline=DAY)
    flat = hawkeys.GammaPrior(shape=1.0, rate=0.0)
    mode = hawkeys.fit(small, decay=1.5, baseline=DAY, method="map", prior=flat)
    np.testing.assert_allclose(mode.estimates, mle.estimates, atol=1e-4)
    strong = hawkeys.GammaPrior(shape=1.0, rate=0.0, baseline_shape=1e6, baseline_rate=1e6)
    pulled = hawkeys.fit(small, decay=1.5, baseline=DAY, method="map", prior=strong)
    np.testing.assert_allclose(pulled.estimates[:, :3], 1.0, atol=0.01)
    vi = hawkeys.fit(small, decay=1.5, baseline=DAY, method="vi")
    assert vi.posterior.location.shape == (2, 5)
    assert vi.prior_coefficient.shape == (2, 5)
    assert vi.posterior_covariance.shape == (2, 5, 5)
    np.testing.assert_array_equal(vi.estimates, vi.posterior.mean)
    large = mle.estimates > 4 * mle.std_err
    np.testing.assert_allclose(vi.estimates[large], mle.estimates[large], rtol=0.25)
    steps = {"n_steps": 200}
    rough = hawkeys.fit(small, decay=1.5, baseline=DAY, method="vi_stochastic", **steps)
    assert rough.estimates.shape == (2, 5)


def test_support_and_weights(small):
    support = [[True, False], [True, True]]
    result = hawkeys.fit(small, decay=1.5, baseline=STEPS, support=support, weights=[2.0, 1.0])
    twice = hawkeys.Events.from_lists(
        [small.to_lists()[r] for r in (0, 0, 1)],
        start_times=[0.0, 0.0, 12.0],
        end_times=[40.0, 40.0, 31.0],
    )
    same = hawkeys.fit(twice, decay=1.5, baseline=STEPS, support=support)
    np.testing.assert_allclose(result.estimates, same.estimates, rtol=1e-5, atol=1e-9)
    assert result.adjacency[0, 1] == 0
    assert not result.identified[0, 4]
    assert result.log_likelihood == pytest.approx(result.process.log_likelihood(small))


def test_decays_are_chosen_with_it(small):
    grid = hawkeys.fit(small, decay_grid=[0.5, 1.5, 4.0], baseline=STEPS)
    values = [
        hawkeys.fit(small, decay=decay, baseline=STEPS).log_likelihood for decay in (0.5, 1.5, 4.0)
    ]
    np.testing.assert_allclose(grid.decay_profile.objective, values, atol=1e-6)
    assert grid.n_parameters == 11
    halves = PiecewiseConstant([0.0, 20.0, 40.0])  # both windows have events in both
    options = {"decay_selection": "cross-validation", "n_folds": 2}
    score = hawkeys.fit(small, decay_grid=[4.0], baseline=halves, **options).decay_profile.score
    one = hawkeys.fit(small[:1], decay=4.0, baseline=halves).process.log_likelihood(small[1:])
    other = hawkeys.fit(small[1:], decay=4.0, baseline=halves).process.log_likelihood(small[:1])
    assert score[0] == pytest.approx(one + other, abs=1e-3)
    with pytest.raises(InvalidParameterError, match="decay_sharing='pair' needs one constant"):
        hawkeys.fit(small, decay="estimate", decay_sharing="pair", baseline=STEPS)


def test_units_and_epochs_do_not_matter(small):
    plain = hawkeys.fit(small, decay=1.5, baseline=STEPS)
    factor = 1e9
    scaled = hawkeys.Events.from_arrays(
        small.times * factor,
        small.marks,
        offsets=small.offsets,
        start_times=small.start_times * factor,
        end_times=small.end_times * factor,
    )
    slow = hawkeys.fit(scaled, decay=1.5 / factor, baseline=PiecewiseConstant(STEPS.knots * factor))
    np.testing.assert_allclose(slow.adjacency, plain.adjacency, rtol=1e-5, atol=1e-9)
    np.testing.assert_allclose(slow.estimates[:, :3] * factor, plain.estimates[:, :3], rtol=1e-5)


def test_many_events_of_one_realisation_are_solved_from_a_part_of_them():
    """The solver starts on a sixteenth of a long row, which must not be all of one piece."""
    rng = np.random.default_rng(1)
    counts = [30_000, 10_000, 20_000]
    times = np.concatenate([q + np.sort(rng.uniform(size=n)) for q, n in enumerate(counts)])
    events = hawkeys.Events.from_lists([[times]], end_times=3.0)
    result = hawkeys.fit(
        events, decay=1e4, baseline=PiecewiseConstant([0, 1, 2, 3]), support=[[False]]
    )
    assert result.converged
    assert result.n_iterations <= 5
    np.testing.assert_allclose(result.estimates[0, :3], counts, rtol=1e-6)


def test_ticks_periodic_baseline_is_the_same_function(tick):
    """Without excitation tick's contrast is (int mu^2 - 2 sum mu(t_k)) / n, shared by all marks."""
    times = np.sort(np.random.default_rng(4).uniform(0.0, 50.0, 80))
    rates = [[0.5, 2.0, 1.0, 0.2]]
    model = tick.ModelHawkesSumExpKernLeastSq(np.array([2.0]), n_baselines=4, period_length=8.0)
    model.fit([times], end_times=50.0)
    process = hawkeys.interop.from_tick(rates, [[[0.0]]], [2.0], period_length=8.0)
    function = process.baseline_function
    spent = function.integrals(np.zeros(1), np.full(1, 50.0))[0]
    contrast = spent @ np.square(rates[0]) - 2.0 * function.at(times).sum()
    assert model.loss(np.array([*rates[0], 0.0])) * 80 == pytest.approx(contrast, rel=1e-10)
    with pytest.raises(InvalidParameterError, match=r"shape \(1, 4\) has several rates per mark"):
        hawkeys.interop.from_tick(rates, [[0.0]], 2.0)


class Ramp(Baseline):
    """1 and t / 10 on [0, 10]: what a further baseline takes."""

    name = "ramp"
    n_pieces = 2
    labels = ("level", "slope")
    shares = np.array([1.0, 0.5])

    def __init__(self, rates=None):
        self._keep(rates)

    def basis(self, times):
        return np.column_stack((np.ones(times.size), times / 10))

    def integrals(self, starts, ends):
        return np.column_stack((ends - starts, (ends**2 - starts**2) / 20))

    def sample_times(self, rng, pieces, starts, ends):
        share = rng.random(pieces.size)
        rising = np.sqrt(starts**2 + share * (ends**2 - starts**2))
        return np.where(pieces == 1, rising, starts + share * (ends - starts))

    def with_rates(self, rates):
        return Ramp(rates)

    def to_dict(self):
        return {"name": self.name, "rates": self.rates_to_json()}


def test_a_further_baseline_is_a_page():
    truth = hawkeys.Hawkes(Ramp([[1.0, 5.0]]), [[0.3]], decay=4.0)
    sample = hawkeys.simulate(truth, end_time=10.0, n_realizations=60, rng=3)
    result = hawkeys.fit(sample, decay=4.0, baseline=Ramp())
    off = (result.estimates[0] - [1.0, 5.0, 0.3]) / result.std_err[0]
    assert np.abs(off).max() < 3.0
    assert list(result.to_frame().source[:2]) == ["level", "slope"]
    assert result.baseline[0] == result.estimates[0, :2] @ [1.0, 0.5]
    assert stats.kstest(rescale(truth, sample).residuals, "expon").pvalue > 0.01
    times = np.linspace(0, 10, 6)
    step = 1e-6
    slope = truth.compensator(sample, times[1:-1] + step) - truth.compensator(sample, times[1:-1])
    intensity = truth.intensity(sample, times[1:-1])
    np.testing.assert_allclose(slope / step, intensity, rtol=1e-4)


class Hump(Baseline):
    """1 and a hump, 1 + sin(t), on all times: what a stranger must write."""

    n_pieces = 2
    labels = ("level", "hump")
    shares = np.array([1.0, 1.0])

    def basis(self, times):
        return np.column_stack((np.ones(times.size), 1 + np.sin(times)))

    def integrals(self, starts, ends):
        hump = ends - starts + np.cos(starts) - np.cos(ends)
        return np.column_stack((ends - starts, hump))


def test_a_baseline_of_ones_own_is_five_members(tmp_path):
    truth = hawkeys.Hawkes(Hump([[0.5, 2.0], [1.0, 0.0]]), [[0.3, 0.0], [0.2, 0.1]], decay=4.0)
    sample = hawkeys.simulate(truth, end_time=200.0, n_realizations=3, rng=3)
    result = hawkeys.fit(sample, decay=4.0, baseline=Hump())
    off = (result.estimates[0] - [0.5, 2.0, 0.3, 0.0])[:3] / result.std_err[0, :3]
    assert np.abs(off).max() < 4.0
    assert stats.kstest(rescale(truth, sample).residuals, "expon").pvalue > 0.01
    result.save(tmp_path / "fit.json")
    loaded = hawkeys.load_result(tmp_path / "fit.json")
    assert isinstance(loaded.process.baseline_function, Hump)
    assert loaded.process.log_likelihood(sample) == result.process.log_likelihood(sample)
    assert loaded.to_dict() == result.to_dict()
    again = hawkeys.goodness_of_fit(loaded, sample, n_mc_samples=3, rng=0)  # fits again
    assert again.residuals.size == sample.n_events
    record = {key: value for key, value in result.to_dict().items() if key != "checksum"}
    record["process"]["baseline"]["name"] = record["options"]["baseline"]["name"] = "Gone"
    (tmp_path / "fit.json").write_text(seal(record))
    with pytest.raises(ResultFileError, match=r"process\.baseline\.name: .*'Gone': no baseline"):
        hawkeys.load_result(tmp_path / "fit.json")


def test_times_are_drawn_by_inversion_of_the_integrals():
    rng, size = np.random.default_rng(1), 3000
    starts, ends = np.full(size, 1.0), np.full(size, 7.0)
    drawn = Hump().sample_times(rng, np.ones(size, dtype=np.int64), starts, ends)

    def mass(times):
        return times - 1.0 + np.cos(1.0) - np.cos(times)

    assert stats.kstest(drawn, lambda times: mass(times) / mass(7.0)).pvalue > 0.01


def test_json_and_repr():
    for baseline in (STEPS, DAY, Constant()):
        for rates in (None, RATES[:, : baseline.n_pieces]):
            again = baseline_from_dict(baseline.with_rates(rates).to_dict())
            assert type(again) is type(baseline)
            assert again.to_dict() == baseline.with_rates(rates).to_dict()
    process = process_with(DAY)
    assert process.to_dict()["baseline"]["name"] == "periodic"
    assert "baseline=Periodic(n_pieces=3, period=8)" in repr(process)
    assert "baseline" not in repr(hawkeys.Hawkes([1.0], [[0.1]], decay=1.0))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: PiecewiseConstant([1.0]), "knots must be a list of at least 2 times; got shape"),
        (lambda: PiecewiseConstant([0.0, 2.0, 1.0]), r"knots must increase; knots\[2\] = 1 comes"),
        (lambda: PiecewiseConstant([0, 1], rates=[1.0]), "one row per mark and one column per"),
        (lambda: PiecewiseConstant([0, 1], rates=[[-1.0]]), "rates must not be negative"),
        (lambda: Periodic([0, 24], 24), "knots of a periodic baseline must lie within one period"),
        (lambda: Periodic([0], -1.0), "period must be one positive number"),
        (
            lambda: baseline_from_dict({"name": "wavelet"}),
            "unknown baseline 'wavelet'; this version",
        ),
        (lambda: STEPS.mean_rates, "the rates of PiecewiseConstant are not known; give rates="),
        (lambda: process_with(STEPS, RATES[:1]), r"baseline.rates\[:, 0\] must have shape \(2,\)"),
        (lambda: hawkeys.Hawkes(STEPS, ADJACENCY, decay=1.0), "the rates of PiecewiseConstant are"),
    ],
)
def test_bad_baselines(make, message):
    with pytest.raises(InvalidParameterError, match=message):
        make()


def test_bad_fits(small):
    with pytest.raises(InvalidParameterError, match=r"baseline must be one of hawkeys\.baselines"):
        hawkeys.fit(small, decay=1.5, baseline=[0, 10, 20])
    with pytest.raises(InvalidParameterError, match=r"for each of the 2 marks .* got 1 rows"):
        hawkeys.fit(small, decay=1.5, baseline=STEPS.with_rates(RATES[:1]))
    outside = r"realization 0: the window \[0, 40\] is not within the knots .* from 0 to 30"
    with pytest.raises(InvalidParameterError, match=outside):
        hawkeys.fit(small, decay=1.5, baseline=PiecewiseConstant([0, 20, 30]))
    with pytest.raises(InvalidParameterError, match=r"realization 0: the window .* not within"):
        hawkeys.simulate(process_with(STEPS), end_time=50.0, rng=0)
    with pytest.raises(InvalidParameterError, match="fit of kernel parameters has one constant"):
        hawkeys.fit(small, kernel=hawkeys.kernels.LogNormal(), baseline=STEPS)
    with pytest.raises(InvalidParameterError, match="converted for constant baselines only"):
        hawkeys.interop.to_tick(process_with(STEPS))


KNOT_ENDS = {
    "pieces": hawkeys.baselines.PiecewiseConstant([0, 10, 20]),
    "periodic": hawkeys.baselines.Periodic([0, 10], period=20),
}


@pytest.mark.parametrize("name", KNOT_ENDS)
@pytest.mark.parametrize("method", ["mle", "map", "vi"])
def test_an_event_at_the_closed_end_of_a_window_belongs_to_the_piece_before(name, method):
    """The second piece has no part in the window [0, 10], though an event is at 10."""
    # many base draws of two dimensions and of three agree
    more = {"n_draws": 20_000, "tolerance": 1e-10} if method == "vi" else {}
    with pytest.warns(IdentifiabilityWarning, match=r"baseline\[0, \[10, 20\)"):
        result = hawkeys.fit(
            [[1.0, 4.0, 7.0, 10.0]], decay=1.0, end_time=10.0, baseline=KNOT_ENDS[name],
            method=method, **more,
        )  # fmt: skip
    plain = hawkeys.fit([[1.0, 4.0, 7.0, 10.0]], decay=1.0, end_time=10.0, method=method, **more)
    if method == "mle":  # 4 log(4 / 10) - 4
        assert result.adjacency[0, 0] == 0.0
        assert result.log_likelihood == pytest.approx(4.0 * np.log(0.4) - 4.0, abs=1e-6)
    np.testing.assert_allclose(result.estimates[:, 0], plain.estimates[:, 0], rtol=1e-4)
    np.testing.assert_allclose(result.adjacency, plain.adjacency, rtol=1e-3, atol=1e-6)
    assert not result.identified[0, 1]


def test_the_end_of_a_window_is_the_left_limit_everywhere():
    steps = hawkeys.baselines.PiecewiseConstant([0, 10, 20], rates=[[0.5, 3.0]])
    process = hawkeys.Hawkes(steps, [[0.0]], decay=1.0)
    events = hawkeys.Events.from_lists([[[2.0, 10.0]], [[10.0, 12.0]]], end_times=[10.0, 20.0],
                                       start_times=[0.0, 10.0])  # fmt: skip
    assert process.intensity(events, [9.0, 10.0], realization=0).ravel().tolist() == [0.5, 0.5]
    assert process.intensity(events, [10.0], realization=1).ravel().tolist() == [3.0]
    expected = 2 * np.log(0.5) - 5.0 + 2 * np.log(3.0) - 30.0
    assert process.log_likelihood(events) == pytest.approx(expected, rel=1e-12)
    branching = hawkeys.branching_probabilities(process, events)
    np.testing.assert_array_equal(branching.immigrant, 1.0)
