"""Smooth baselines: optimum, certificate, choice of the smoothing, and what a fit says of them."""

import copy
import dataclasses
import json

import numpy as np
import pytest
from scipy import optimize

import hawkeys
from hawkeys._design import Design
from hawkeys.baselines import Constant, PiecewiseConstant, Spline
from hawkeys.exceptions import IdentifiabilityWarning, InvalidParameterError, ResultFileError
from hawkeys.inference.rows import smooth
from hawkeys.inference.rows.smooth import SmoothRow, climb, solve_smooth
from hawkeys.inference.rows.smoothing import choose_smoothing
from hawkeys.kernels import Exponential, Gamma, PowerLaw, SumExponential
from hawkeys.process import LagFilters
from hawkeys.results.row_matrices import RowMatrices

END, DECAY = 200.0, 2.0
KNOTS = np.linspace(0.0, END, 13)
NOTHING = np.empty((0, 0))


def wave(length=END, periods=2.0, n=400):
    """Return steps that follow a wave around 1."""
    knots = np.linspace(0.0, length, n + 1)
    middle = (np.arange(n) + 0.5) / n
    return PiecewiseConstant(knots, [1.0 + 0.8 * np.sin(2.0 * np.pi * periods * middle)])


@pytest.fixture(scope="module")
def sample():
    truth = hawkeys.Hawkes(wave(), [[0.4]], decay=DECAY)
    return hawkeys.simulate(truth, end_time=END, rng=5)


@pytest.fixture(scope="module")
def pair():
    steps = wave()
    rates = np.vstack((steps.rates, 0.5 * steps.rates[:, ::-1]))
    truth = hawkeys.Hawkes(steps.with_rates(rates), [[0.3, 0.1], [0.0, 0.3]], decay=DECAY)
    return hawkeys.simulate(truth, end_time=END, rng=3)


@pytest.fixture(scope="module")
def fitted(sample):
    return hawkeys.fit(sample, decay=DECAY, baseline=Spline(KNOTS))


def penalised(design, b, smoothing, matrix):
    """Return minus the objective of a row problem and its slope, written out."""
    v, cost = design.rows(b)[1:], design.cost[b, 1:]
    size = len(matrix)

    def loss(x):
        lam, bent = x @ v, np.zeros(x.size)
        bent[:size] = smoothing * matrix @ x[:size]
        if lam.min() <= 0.0:
            return 1e12, np.zeros(x.size)
        return (
            cost @ x + 0.5 * x @ bent - np.log(lam).sum(),
            cost + bent - (v / lam).sum(axis=1),
        )

    return loss


def lowest(loss, size):
    """Minimise from a level start with scipy, to the last digits."""
    return optimize.minimize(
        loss,
        np.full(size, 0.1),
        jac=True,
        bounds=[(0.0, None)] * size,
        method="L-BFGS-B",
        options={"maxiter": 50_000, "maxfun": 500_000, "ftol": 1e-16, "gtol": 1e-11},
    )


@pytest.mark.parametrize("many", [1, 10**9])
@pytest.mark.parametrize("smoothing", [0.0, 30.0, 3e4, 3e7])
def test_optimum_is_that_of_a_general_optimiser(pair, monkeypatch, smoothing, many):
    monkeypatch.setattr(smooth, "_MANY", many)  # events summed by their pieces, or all together
    spline = Spline(KNOTS)
    design = Design.build(pair, Exponential(DECAY), baseline=spline)
    each = np.array([smoothing, 2.0 * smoothing])
    found = solve_smooth(design.smoothed(spline.roughness, each), (1e-9, 200), NOTHING, keep=True)
    assert found.converged.all()
    for b in range(2):
        loss = penalised(design, b, each[b], spline.roughness)
        best = lowest(loss, design.n_columns)
        assert found.objective[b] == pytest.approx(-best.fun, abs=1e-6)
        assert found.objective[b] >= -best.fun - 1e-9
        assert -loss(found.x[b, 1:])[0] == pytest.approx(found.objective[b], abs=1e-7)


def test_gap_is_a_bound_away_from_the_optimum_too(pair):
    spline, rng = Spline(KNOTS), np.random.default_rng(0)
    design = Design.build(pair, Exponential(DECAY), baseline=spline)
    design = design.smoothed(spline.roughness, np.array([1e3, 1e3]))
    best = solve_smooth(design, (1e-10, 200), NOTHING, keep=True)
    finite = 0
    for b in range(2):
        row = SmoothRow(design, b)
        row.penalise(design.roughness[b])
        top = best.x[b, row.index] * row.unit
        for size in (1e-4, 1e-2, 0.1):
            z = np.maximum(top * (1.0 + size * rng.normal(size=top.size)), 0.0)
            value, _, _, first = row.sums(z)
            bound = row.gap(z, first, np.inf)
            finite += np.isfinite(bound)
            assert bound >= best.objective[b] - value - 1e-9
    assert finite >= 4


def test_information_is_minus_the_second_derivative(fitted, sample):
    spline = fitted.process.baseline_function
    design = Design.build(sample, Exponential(DECAY), baseline=spline)
    loss = penalised(design, 0, spline.smoothing[0], spline.roughness)
    x, step = fitted.columns.estimates[0, 1:], 1e-6
    moves = step * np.eye(x.size)
    numeric = np.array([(loss(x + d)[1] - loss(x - d)[1]) / (2 * step) for d in moves])
    np.testing.assert_allclose(fitted.information[0, 1:, 1:], numeric, rtol=2e-5, atol=1e-3)


def test_without_smoothing_it_is_the_plain_maximum(sample):
    plain = hawkeys.fit(sample, decay=DECAY, baseline=Spline(KNOTS, smoothing=None))
    nothing = hawkeys.fit(sample, decay=DECAY, baseline=Spline(KNOTS, smoothing=0.0))
    assert plain.log_likelihood == pytest.approx(nothing.log_likelihood, abs=1e-7)
    np.testing.assert_allclose(plain.estimates, nothing.estimates, atol=1e-4)
    assert plain.n_parameters == 16
    assert nothing.n_parameters == pytest.approx(np.count_nonzero(nothing.estimates), abs=1e-6)


def test_with_all_smoothing_it_is_a_straight_line(sample):
    line = hawkeys.fit(sample, decay=DECAY, baseline=Spline([0, END], degree=1, smoothing=None))
    stiff = hawkeys.fit(sample, decay=DECAY, baseline=Spline(KNOTS, smoothing=1e11))
    assert stiff.log_likelihood == pytest.approx(line.log_likelihood, abs=1e-4)
    assert stiff.n_parameters == pytest.approx(3.0, abs=1e-3)
    np.testing.assert_allclose(stiff.adjacency, line.adjacency, atol=1e-4)
    np.testing.assert_allclose(stiff.std_err[:, -1], line.std_err[:, -1], rtol=1e-3)
    assert stiff.identified.all()


def marginal_likelihood(design, smoothing, matrix):
    """Return the Laplace approximation in another way: scipy's optimum, numeric derivatives."""
    loss, size = penalised(design, 0, smoothing, matrix), design.n_columns
    best = lowest(loss, size)
    step = 1e-6
    moves = step * np.eye(size)
    bend = np.array([(loss(best.x + d)[1] - loss(best.x)[1]) / step for d in moves])
    values = np.linalg.eigvalsh(smoothing * matrix)
    half = np.log(values[values > 1e-10 * values.max()]).sum() - np.linalg.slogdet(bend)[1]
    return -best.fun + 0.5 * half


def test_smoothing_has_the_largest_marginal_likelihood(sample):
    spline = Spline(np.linspace(0.0, END, 9))
    design = Design.build(sample, Exponential(DECAY), baseline=spline)
    chosen = choose_smoothing(design, spline.roughness)[0]
    at = {
        ratio: marginal_likelihood(design, ratio * chosen, spline.roughness)
        for ratio in (0.01, 0.5, 0.9, 1.0, 1.1, 2.0, 100.0)
    }
    assert at[1.0] >= max(at.values()) - 1e-4
    assert at[1.0] > max(at[0.01], at[100.0]) + 0.1


def test_level_data_are_left_level():
    flat = hawkeys.simulate(hawkeys.Hawkes([1.0], [[0.3]], decay=DECAY), end_time=500.0, rng=2)
    found = hawkeys.fit(flat, decay=DECAY, baseline=Spline(np.linspace(0, 500, 25), period=600.0))
    assert found.n_parameters < 4.0
    constant = hawkeys.fit(flat, decay=DECAY)
    assert found.adjacency[0, 0] == pytest.approx(constant.adjacency[0, 0], abs=0.06)


def test_it_recovers_a_wave_and_its_intervals_cover():
    truth = hawkeys.Hawkes(wave(), [[0.4]], decay=DECAY)
    moments = (np.arange(100) + 0.5) * END / 100
    level = truth.baseline_function.at(moments)
    inside, off, steps, adjacency = [], [], [], []
    for seed in range(60):
        sample = hawkeys.simulate(truth, end_time=END, rng=seed)
        found = hawkeys.fit(sample, decay=DECAY, baseline=Spline(KNOTS))
        low, high = found.baseline_interval(moments)
        inside.append((low <= level) & (level <= high))
        off.append(found.process.baseline_function.at(moments) - level)
        adjacency.append(found.adjacency[0, 0])
        other = hawkeys.fit(sample, decay=DECAY, baseline=PiecewiseConstant(KNOTS))
        steps.append(other.process.baseline_function.at(moments) - level)
    # more: benchmarks/spline_coverage.py
    assert 0.87 <= np.mean(inside) <= 0.98
    assert np.mean(np.square(off)) < 0.6 * np.mean(np.square(steps))
    assert np.mean(adjacency) == pytest.approx(0.4, abs=0.05)


def test_neither_unit_nor_origin_of_time_matters(fitted, sample):
    hours = hawkeys.Events.from_lists(
        [[60.0 * sample.times + 1e4]], end_times=60.0 * END + 1e4, start_times=1e4
    )
    there = hawkeys.fit(hours, decay=DECAY / 60.0, baseline=Spline(60.0 * KNOTS + 1e4))
    assert there.n_parameters == pytest.approx(fitted.n_parameters, abs=0.05)
    np.testing.assert_allclose(60.0 * there.estimates[:, :-1], fitted.estimates[:, :-1], atol=0.02)
    np.testing.assert_allclose(there.adjacency, fitted.adjacency, atol=2e-3)
    ratio = there.process.baseline_function.smoothing / fitted.process.baseline_function.smoothing
    assert ratio[0] == pytest.approx(60.0**5, rel=0.1)
    assert there.log_likelihood == pytest.approx(
        fitted.log_likelihood - sample.n_events * np.log(60.0), abs=0.1
    )


def test_time_that_no_window_covers_is_bridged(pair):
    times = pair.times[pair.marks == 0]
    parts = [times[times < 60.0], times[times > 140.0]]
    data = hawkeys.Events.from_lists(
        [[parts[0]], [parts[1]]], start_times=[0.0, 140.0], end_times=[60.0, END]
    )
    spline = Spline(np.linspace(0.0, END, 21), smoothing=1e3)
    found = hawkeys.fit(data, decay=DECAY, baseline=spline)
    assert found.identified.all()
    low, high = found.baseline_interval(np.array([30.0, 100.0, 170.0]))
    assert ((high - low)[1] > 2.0 * (high - low)[0]).all()
    level = found.process.baseline_function.at(np.array([59.0, 100.0, 141.0]))[:, 0]
    assert level[1] > 0.0


def test_weights_count_like_repetitions(pair):
    twice = hawkeys.Events.from_lists(
        [[pair.times[pair.marks == i] for i in range(2)]] * 2, end_times=END
    )
    spline = Spline(KNOTS, smoothing=50.0)
    repeated = hawkeys.fit(twice, decay=DECAY, baseline=spline)
    weighted = hawkeys.fit(pair, decay=DECAY, baseline=spline, weights=[2.0])
    np.testing.assert_allclose(weighted.estimates, repeated.estimates, atol=1e-6)
    np.testing.assert_allclose(weighted.std_err, repeated.std_err, rtol=1e-5)


def test_estimated_decay_maximises_the_penalised_likelihood(sample):
    found = hawkeys.fit(sample, decay="estimate", baseline=Spline(KNOTS))
    given = found.process.baseline_function.with_rates(None)
    decay = float(found.kernel.decay)
    here = hawkeys.fit(sample, decay=decay, baseline=given).objective
    assert here == pytest.approx(found.objective, abs=1e-6)
    for other in (0.97 * decay, 1.03 * decay):
        assert hawkeys.fit(sample, decay=other, baseline=given).objective < here
    again = choose_smoothing(
        Design.build(sample, Exponential(decay), baseline=given), given.roughness
    )
    assert again == pytest.approx(given.smoothing, rel=0.1)
    assert "profile interval" in str(found.summary())


def test_parameters_are_counted_by_what_smoothing_leaves(fitted):
    spline = fitted.process.baseline_function
    keep = np.flatnonzero(fitted.columns.estimates[0] > 0.0)
    whole = fitted.information[0][np.ix_(keep, keep)]
    penalty = np.zeros(fitted.information[0].shape)
    penalty[1:-1, 1:-1] = spline.smoothing[0] * spline.roughness
    wanted = np.trace(np.linalg.solve(whole, whole - penalty[np.ix_(keep, keep)]))
    assert fitted.n_parameters == pytest.approx(wanted, rel=1e-8)
    assert 4.0 < wanted < 14.0
    assert fitted.aic == pytest.approx(2.0 * wanted - 2.0 * fitted.log_likelihood)
    assert fitted.objective < fitted.log_likelihood
    assert f"0 {wanted:.1f}" in str(fitted.summary())


def test_log_likelihood_is_that_of_the_process(fitted, sample):
    assert fitted.log_likelihood == pytest.approx(fitted.process.log_likelihood(sample), abs=1e-8)


def test_it_is_saved_and_loaded(fitted, tmp_path):
    fitted.save(tmp_path / "fit.json")
    again = hawkeys.load_result(tmp_path / "fit.json")
    assert again.n_parameters == pytest.approx(fitted.n_parameters, rel=1e-12)
    assert str(again.summary()) == str(fitted.summary())
    np.testing.assert_array_equal(again.std_err, fitted.std_err)
    assert again.process.baseline_function.to_dict() == fitted.process.baseline_function.to_dict()


def test_refits_smooth_again(fitted, sample):
    drawn = hawkeys.inference.bootstrap(fitted, sample, n_replicates=3, rng=0)
    assert drawn.replicates.shape[0] == 3
    test = hawkeys.goodness_of_fit(fitted, sample, rng=0)
    assert 0.0 <= test.pvalue <= 1.0


def test_given_rates_are_held(fitted, sample):
    held = hawkeys.fit(sample, decay=DECAY, baseline=fitted.process.baseline_function)
    np.testing.assert_array_equal(held.estimates[:, :-1], fitted.estimates[:, :-1])
    assert held.n_parameters == 1


def test_each_realisation_is_smoothed_as_given(pair):
    spline = Spline(KNOTS, smoothing=[20.0, 60.0])
    each = hawkeys.fit_each(pair, decay=DECAY, baseline=spline)
    alone = hawkeys.fit(pair, decay=DECAY, baseline=spline)
    np.testing.assert_allclose(each.adjacency[0], alone.adjacency, atol=1e-6)


def test_interval_of_steps_is_that_of_their_rates(sample):
    steps = hawkeys.fit(sample, decay=DECAY, baseline=PiecewiseConstant([0, 80, END]))
    low, high = steps.baseline_interval([10.0, 150.0], level=0.9)
    table = steps.to_frame(level=0.9)
    wanted = table[table["parameter"] == "baseline"]
    np.testing.assert_allclose(low[:, 0], wanted["lower"])
    np.testing.assert_allclose(high[:, 0], wanted["upper"])
    constant = hawkeys.fit(sample, decay=DECAY).baseline_interval([1.0])
    assert constant[0][0, 0] < constant[1][0, 0]
    with pytest.raises(InvalidParameterError, match="times must be a list"):
        steps.baseline_interval(3.0)
    with pytest.raises(InvalidParameterError, match=r"go from 1 to 201, beyond the baseline Piec"):
        steps.baseline_interval([1.0, END + 1.0])


def test_a_mark_without_events_is_no_trouble():
    data = hawkeys.Events.from_lists([[[1.0, 2.0, 2.5, 7.0, 8.0], []]], end_times=10.0)
    with pytest.warns(IdentifiabilityWarning, match="Drop the marks without events"):
        found = hawkeys.fit(data, decay=DECAY, baseline=Spline(np.linspace(0, 10, 6)))
    assert np.isfinite(found.process.baseline_function.rates).all()
    assert (found.estimates[1] == 0.0).all()


def on_disk(sample, folder):
    pytest.importorskip("pyarrow")
    return hawkeys.open_events(hawkeys.write_events(sample, folder / "events"))


@pytest.mark.parametrize(
    ("asked", "who"),
    [
        ({"method": "vi", "decay": DECAY}, "'vi' does not smooth a baseline"),
        ({"method": "map", "decay": DECAY}, "'map' does not smooth a baseline"),
        ({"kernel": PowerLaw()}, "a fit of c and p of PowerLaw does not smooth"),
        ({"kernel": SumExponential(n_decays=2)}, "of SumExponential does not smooth a baseline"),
        ({"kernel": Gamma()}, "baseline"),
        ({"decay": DECAY, "tied": [[0, 1]]}, "does not go with tied parameters"),
        ({"decay": DECAY, "baseline": Spline(KNOTS, smoothing=[1.0, 2.0])}, "each of the 1 marks"),
    ],
)
def test_what_does_not_smooth_says_so(sample, asked, who):
    with pytest.raises(InvalidParameterError, match=who):
        hawkeys.fit(sample, **{"baseline": Spline(KNOTS), **asked})


def test_other_doors_say_so_too(fitted, sample, tmp_path):
    spline = Spline(KNOTS)
    with pytest.raises(InvalidParameterError, match="events on disk does not smooth a baseline"):
        hawkeys.fit(on_disk(sample, tmp_path), decay=DECAY, baseline=spline)
    with pytest.raises(InvalidParameterError, match="a baseline inside a link changes as"):
        hawkeys.fit_nonlinear(sample, filters=LagFilters(decays=[DECAY]), baseline=spline)
    with pytest.raises(InvalidParameterError, match=r"smoothing of the baseline .* is to be"):
        hawkeys.fit_each(sample, decay=DECAY, baseline=spline)
    with pytest.raises(InvalidParameterError, match="a test, a profile or a robust error"):
        hawkeys.inference.edge_tests(fitted, sample)
    small = hawkeys.fit(sample, decay=DECAY, baseline=Constant())
    with pytest.raises(InvalidParameterError, match="'large' is no plain maximum"):
        hawkeys.likelihood_ratio_test(small, fitted)


def test_climb_ends_where_rounding_hides_the_rest(sample):
    spline = Spline(np.linspace(0.0, END, 97))
    design = Design.build(sample, Exponential(DECAY), baseline=spline)
    row = SmoothRow(design, 0)
    row.penalise(design.smoothed(spline.roughness, np.array([1e12])).roughness[0])
    steps = climb(row, row.start(None), 1e-12, np.empty(200))[2][3]
    assert steps < 40


def test_a_file_whose_smoothing_was_edited_is_refused(fitted, tmp_path):
    fitted.save(tmp_path / "fit.json")
    text = (tmp_path / "fit.json").read_text()
    chosen = json.loads(text)
    for edited in ("estimate", None, [1.0, 2.0]):
        changed = copy.deepcopy(chosen)
        changed["process"]["baseline"]["smoothing"] = edited
        (tmp_path / "edited.json").write_text(json.dumps(changed))
        with pytest.raises(ResultFileError, match=r"process\.baseline\.smoothing"):
            hawkeys.load_result(tmp_path / "edited.json")


def test_without_smoothing_nothing_determines_what_no_window_covers():
    data = hawkeys.Events.from_lists(
        [[[1.0, 3.0, 5.0, 8.0]], [[92.0, 95.0, 99.0]]],
        start_times=[0.0, 90.0], end_times=[10.0, 100.0],
    )  # fmt: skip
    knots = np.linspace(0.0, 100.0, 21)
    with pytest.warns(IdentifiabilityWarning, match="not identified"):
        rough = hawkeys.fit(data, decay=DECAY, baseline=Spline(knots, smoothing=0.0))
    assert not rough.identified[0, 10]
    assert rough.estimates[0, 10] == 0.0
    smooth = hawkeys.fit(data, decay=DECAY, baseline=Spline(knots, smoothing=1e7))
    assert smooth.identified.all()
    assert smooth.estimates[0, 10] > 0.0


def test_band_of_many_marks_needs_no_dense_covariances(fitted, monkeypatch):
    moments = np.linspace(0.0, END, 20)
    plain = fitted.baseline_interval(moments)
    kept = RowMatrices.of(
        [(np.arange(len(one)), one) for one in fitted.covariance], fitted.covariance.shape[1],
        np.nan,
    )  # fmt: skip
    monkeypatch.setattr(RowMatrices, "__array__", None)
    other = dataclasses.replace(fitted)
    object.__setattr__(other, "covariance", kept)
    np.testing.assert_array_equal(other.baseline_interval(moments), plain)
