"""Combinations of features by different hands, against slow computations and invariances."""

from __future__ import annotations

import contextlib
import dataclasses
import math

import numpy as np
import pytest
from scipy import stats

import hawkeys
from hawkeys import baselines, inference, kernels
from hawkeys.exceptions import HawkeysError, IdentifiabilityWarning, InvalidParameterError

TRUTH = hawkeys.Hawkes([0.4, 0.3], [[0.3, 0.2], [0.1, 0.4]], decay=2.0)


@pytest.fixture(scope="module")
def sample():
    return hawkeys.simulate(TRUTH, end_time=40.0, n_realizations=3, rng=0)


@pytest.fixture(scope="module")
def short():
    return hawkeys.simulate(TRUTH, end_time=12.0, n_realizations=20, rng=0)


@pytest.mark.parametrize(
    "penalty",
    [
        inference.Ridge(3.0),
        inference.Lasso([[1.0, 2.0], [3.0, 4.0]], baseline=1.0),
        inference.ElasticNet(3.0, l1_ratio=0.2),
        inference.GroupLasso(3.0, groups="target"),
    ],
    ids=lambda penalty: type(penalty).__name__,
)
def test_a_saved_penalised_fit_is_fitted_again_in_the_same_way(sample, tmp_path, penalty):
    result = hawkeys.fit(sample, decay=2.0, method="map", prior=penalty)
    result.save(tmp_path / "fit.json")
    saved = hawkeys.load_result(tmp_path / "fit.json")
    assert saved.options["prior"]["name"] == type(penalty).__name__
    fresh, again = (
        inference.bootstrap(fit, sample, n_replicates=3, rng=1) for fit in (result, saved)
    )
    np.testing.assert_array_equal(fresh.replicates, again.replicates)


def test_an_unknown_penalty_in_a_file_is_named(sample):
    result = hawkeys.fit(sample, decay=2.0, method="map", prior=inference.Ridge())
    result.options["prior"] = {"name": "Bridge", "strength": 1.0}
    with pytest.raises(HawkeysError, match=r"unknown penalty 'Bridge'.*'Ridge', 'Lasso'"):
        hawkeys.goodness_of_fit(result, sample, n_mc_samples=1)


def test_the_sandwich_of_an_estimated_kernel_holds_it_in_bread_and_meat(short):
    """Its scores are those of baseline and adjacency alone, so must be the information."""
    estimated = hawkeys.fit(short, kernel=kernels.LogNormal(), max_iter=4000)
    process = estimated.process
    x = np.column_stack((process.baseline, process.adjacency))
    expected = np.empty_like(x)
    for i in range(2):
        scores, information = np.zeros((short.n_realizations, 3)), np.zeros((3, 3))
        for r in range(short.n_realizations):
            one = short[r]
            own = one.times[one.marks == i]
            c = [np.ones(own.size)]
            mass = [float(one.durations[0])]
            for j in range(2):
                only = np.zeros((2, 2))
                only[i, j] = 1.0
                lit = hawkeys.Hawkes([0.0, 0.0], only, kernel=process.kernel)
                c.append(lit.intensity(one, own)[:, i])
                mass.append(float(lit.compensator(one, one.end_times)[0, i]))
            basis = np.array(c)
            rate = x[i] @ basis
            scores[r] = (basis / rate).sum(axis=1) - mass
            information += (basis / rate**2) @ basis.T
        inverse = np.linalg.inv(information)
        spread = 20 / 19 * inverse @ scores.T @ scores @ inverse
        expected[i] = np.sqrt(np.diagonal(spread))
    robust = inference.sandwich_covariance(estimated, short)
    np.testing.assert_allclose(robust.std_err, expected, rtol=1e-8)


def _fit(sample, **how):
    return hawkeys.fit(sample, **({} if "kernel" in how else {"decay": 2.0}), **how)


PIECES = baselines.PiecewiseConstant([0, 10, 40])
NOT_NESTED = {
    "knots": ({"baseline": PIECES}, {"baseline": baselines.PiecewiseConstant([0, 5, 20, 40])}),
    "phases": (
        {"baseline": baselines.Periodic([0, 3], 8)},
        {"baseline": baselines.Periodic([0, 2, 5], 8)},
    ),
    "ties": ({"tied": [[0, 1, 2], [0, 2, 1]]}, {"tied": [[0, 1, 2], [3, 1, 2]]}),
    "decays": (
        {"tied": [[0, 1, 1], [0, 1, 1]]},
        {"kernel": kernels.SumExponential([1.5, 8.0])},
    ),
    "kernels": ({"tied": [[0, 1, 1], [0, 1, 1]]}, {"kernel": kernels.LogNormal()}),
}


@pytest.mark.parametrize("name", NOT_NESTED)
def test_models_that_are_not_nested_have_no_likelihood_ratio_test(sample, name):
    """The larger one may well have the larger likelihood: that alone says nothing."""
    small, large = (_fit(sample[0], **how) for how in NOT_NESTED[name])
    # as if the larger one had fitted better, whatever the data
    large = dataclasses.replace(large, log_likelihood=small.log_likelihood + 3.0)
    with pytest.raises(InvalidParameterError, match="not nested"):
        hawkeys.likelihood_ratio_test(small, large)


@pytest.mark.parametrize(
    ("small", "large"),
    [
        ({"baseline": PIECES}, {"baseline": baselines.PiecewiseConstant([0, 10, 25, 40])}),
        ({}, {"baseline": PIECES}),
        ({}, {"kernel": kernels.SumExponential([2.0, 8.0])}),
        ({"tied": [[0, 1, 1], [0, 1, 1]]}, {"tied": [[0, 1, 2], [0, 2, 1]]}),
        (
            {"support": np.eye(2), "tied": [[0, 1, -1], [0, -1, 1]]},
            {"tied": [[0, 1, 2], [0, 2, 1]]},
        ),
        ({"support": np.zeros((2, 2))}, {"kernel": kernels.LogNormal()}),
    ],
    ids=["pieces", "constant", "decays", "ties", "support", "no excitation"],
)
def test_models_that_are_nested_are_tested(sample, small, large):
    fits = [_fit(sample[0], **how) for how in (small, large)]
    found = hawkeys.likelihood_ratio_test(*fits)
    gain = fits[1].log_likelihood - fits[0].log_likelihood
    assert found.statistic == pytest.approx(2.0 * gain, abs=1e-5)
    assert found.n_added == fits[1].n_parameters - fits[0].n_parameters


def test_a_kernel_with_a_prior_is_no_maximum_of_the_likelihood(sample):
    prior = inference.KernelPrior(kernels.LogNormal(-1.0, 0.5), weight=20.0)
    result = hawkeys.fit(sample, kernel=kernels.LogNormal(), prior=prior)
    assert hawkeys.compare({"with prior": result}).maximised.tolist() == [False]
    free = hawkeys.fit(sample, kernel=kernels.LogNormal())
    assert hawkeys.compare({"free": free}).maximised.tolist() == [True]


def test_waic_refuses_other_events_with_the_same_counts(sample):
    result = hawkeys.fit(sample, decay=2.0, method="vi")
    moved = hawkeys.Events.from_arrays(
        sample.times**2 / 40.0, sample.marks, offsets=sample.offsets, start_times=0.0,
        end_times=sample.end_times,
    )  # fmt: skip
    for criterion in (inference.waic, inference.psis_loo):
        with pytest.raises(InvalidParameterError, match="fitted to other events"):
            criterion(result, moved)
        with pytest.raises(InvalidParameterError, match=r"has none\. Fit with method='vi'"):
            criterion(TRUTH, sample)


@pytest.mark.parametrize("method", ["mle", "vi_branching"])
def test_a_kernel_estimated_from_no_events_is_estimated_again(method):
    nothing = hawkeys.Events.from_lists([[[]]], end_times=5.0)
    with pytest.warns(IdentifiabilityWarning) if method == "mle" else contextlib.nullcontext():
        result = hawkeys.fit(nothing, kernel=kernels.LogNormal(), method=method)
    found = hawkeys.goodness_of_fit(result, nothing, n_mc_samples=2, rng=0)
    assert found.parameters == f"re-fitted by {method}"


def test_pooling_refuses_a_prior_of_ones_own(sample):
    """It would be replaced by the one that is estimated, without a word."""
    how = {"decay": 2.0, "method": "map", "pooling": "row"}
    with pytest.raises(InvalidParameterError, match=r"estimated from all realisations; got also"):
        hawkeys.fit_each(sample, **how, prior=inference.Lasso(1.0))


DAY = baselines.Periodic([0.0, 3.0], 7.0)
TIED = [[0, 1, 2], [0, 2, 1]]
MODELS = {
    "plain": {},
    "day": {"baseline": DAY},
    "tied day": {"baseline": DAY, "tied": {"baseline": [0, 0], "adjacency": [[1, 2], [2, 1]]}},
    "sum": {"kernel": kernels.SumExponential([1.0, 8.0])},
    "tied sum": {"kernel": kernels.SumExponential([1.0, 8.0]), "tied": TIED},
    "day, delayed, support": {
        "baseline": DAY, "kernel": kernels.LogNormal(-0.5, 0.7), "support": [[1, 1], [0, 1]],
    },
    "lasso": {"method": "map", "prior": inference.Lasso(3.0)},
    "group lasso, sum": {
        "method": "map", "prior": inference.GroupLasso(3.0),
        "kernel": kernels.SumExponential([1.0, 8.0]),
    },
    "branching, tied": {"method": "vi_branching", "tied": TIED},
    "least squares": {"method": "least_squares"},
}  # fmt: skip


def naive_log_likelihood(process, events):
    """Event by event and pair by pair, with densities and cumulative laws of scipy."""

    def law(i, j):
        kernel = process.kernel
        if isinstance(kernel, kernels.LogNormal):
            found = stats.lognorm(float(kernel.scale), scale=math.exp(float(kernel.location)))
            mass = found.cdf(kernel.horizon)
            return (
                lambda t: found.pdf(t) / mass if t <= kernel.horizon else 0.0,
                lambda t: min(found.cdf(t) / mass, 1.0),
            )
        decays, weights = np.atleast_1d(getattr(kernel, "decays", getattr(kernel, "decay", 0))), 1.0
        if isinstance(kernel, kernels.SumExponential):
            weights = np.broadcast_to(kernel.weights, (2, 2, decays.size))[i, j]
        return (
            lambda t: float(np.sum(weights * decays * np.exp(-decays * t))),
            lambda t: float(np.sum(weights * (1.0 - np.exp(-decays * t)))),
        )

    function, total = process.baseline_function, 0.0
    laws = [[law(i, j) for j in range(2)] for i in range(2)]
    for r in range(events.n_realizations):
        own = events.realization == r
        times, marks, end = events.times[own], events.marks[own], events.end_times[r]
        grid = np.append(np.arange(0.0, end, 0.5), end)  # no knot of `DAY` lies between
        for i in range(2):
            middle = function.at(0.5 * (grid[1:] + grid[:-1]))[:, i]
            total -= float(middle @ np.diff(grid))
            for s, j in zip(times, marks, strict=True):
                total -= process.adjacency[i, j] * laws[i][j][1](end - s)
        for t, i in zip(times, marks, strict=True):
            rate = float(function.at(np.array([t]))[0, i])
            for s, j in zip(times, marks, strict=True):
                if s < t and process.adjacency[i, j] > 0:
                    rate += process.adjacency[i, j] * laws[i][j][0](t - s)
            total += math.log(rate)
    return total


def _transformed(events, *, scale=1.0, shift=0.0, marks=None):
    return hawkeys.Events.from_arrays(
        events.times * scale + shift,
        events.marks if marks is None else marks,
        offsets=events.offsets,
        start_times=events.start_times * scale + shift,
        end_times=events.end_times * scale + shift,
        mark_names=events.mark_names,
    )


def _in_unit(how, scale):
    """Return how to fit the same events with all times multiplied."""
    kernel = how.get("kernel", kernels.Exponential(2.0))
    if isinstance(kernel, kernels.SumExponential):
        changed = kernels.SumExponential(kernel.decays / scale)
    elif isinstance(kernel, kernels.LogNormal):
        changed = kernels.LogNormal(kernel.location + math.log(scale), kernel.scale)
    else:
        changed = kernels.Exponential(kernel.decay / scale)
    out = {**how, "kernel": changed}
    if "baseline" in how:
        out["baseline"] = baselines.Periodic(DAY.knots * scale, DAY.period * scale)
    return out


@pytest.mark.parametrize("model", MODELS)
def test_log_likelihood_of_every_model(sample, model):
    result = _fit(sample, **MODELS[model])
    # 1e-8: horizons and integrals are exact, sums of some hundred terms round
    expected = naive_log_likelihood(result.process, sample)
    assert result.log_likelihood == pytest.approx(expected, rel=1e-8)


# of parameters: fits stop within 1e-7 nats of the optimum, which is flat there
CLOSE = {"rtol": 1e-4, "atol": 1e-5}


@pytest.mark.parametrize("model", MODELS)
def test_weights_are_repetitions_and_order_is_nothing(sample, model):
    how = MODELS[model]
    weighted = _fit(sample, **how, weights=[2, 1, 0])
    repeated = _fit(sample[[1, 0, 0]], **how)
    np.testing.assert_allclose(weighted.estimates, repeated.estimates, **CLOSE)
    if model != "least squares":  # whose sandwich squares the weights, as sandwiches do
        np.testing.assert_allclose(weighted.std_err, repeated.std_err, **CLOSE)
        assert weighted.objective == pytest.approx(repeated.objective, rel=1e-6)


@pytest.mark.parametrize("scale", [1e-9, 1e9])
@pytest.mark.parametrize("model", MODELS)
def test_the_unit_of_time_is_arbitrary(sample, model, scale):
    result = _fit(sample, **MODELS[model])
    other = _fit(_transformed(sample, scale=scale), **_in_unit(MODELS[model], scale))
    unit = np.ones(result.estimates.shape[1])
    unit[:-2] = scale
    np.testing.assert_allclose(other.estimates * unit, result.estimates, **CLOSE)
    np.testing.assert_allclose(other.std_err * unit, result.std_err, **CLOSE)
    shift = sample.n_events * math.log(scale)
    assert other.log_likelihood + shift == pytest.approx(result.log_likelihood, abs=1e-4)


@pytest.mark.parametrize("model", sorted(MODELS.keys() - {"day, delayed, support"}))
def test_names_of_marks_and_the_epoch_are_arbitrary(sample, model):
    how = MODELS[model]
    result = _fit(sample, **how)
    swapped = _fit(_transformed(sample, marks=1 - sample.marks), **how).estimates[::-1]
    back = np.column_stack((swapped[:, :-2], swapped[:, :-3:-1]))
    np.testing.assert_allclose(back, result.estimates, **CLOSE)
    late = {**how, "baseline": baselines.Periodic(DAY.knots + 1.7e9, 7.0)}
    epoch = _fit(_transformed(sample, shift=1.7e9), **(late if "baseline" in how else how))
    # times since 1970 have a resolution of 2e-7
    np.testing.assert_allclose(epoch.estimates, result.estimates, **CLOSE)
    assert epoch.log_likelihood == pytest.approx(result.log_likelihood, abs=1e-3)


def test_two_marks_that_share_everything_are_two_realisations_of_one():
    one = hawkeys.simulate(hawkeys.Hawkes([0.5], [[0.4]], decay=2.0), end_time=60.0,
                           n_realizations=2, rng=0)  # fmt: skip
    first, second = (one.times[one.realization == r] for r in (0, 1))
    both = hawkeys.Events.from_lists([[first, second]], end_times=60.0)
    tied = hawkeys.fit(both, decay=2.0, tied=[[0, 1, -1], [0, -1, 1]], support=np.eye(2))
    pooled = hawkeys.fit(one, decay=2.0)
    for name in ("estimates", "std_err"):
        got, expected = getattr(tied, name), getattr(pooled, name)[0]
        np.testing.assert_allclose(got[[0, 1], [1, 2]], expected[1], rtol=1e-4)
        np.testing.assert_allclose(got[:, 0], expected[0], rtol=1e-4)
    assert tied.log_likelihood == pytest.approx(pooled.log_likelihood, abs=1e-6)
    assert tied.n_parameters == pooled.n_parameters == 2


def test_a_window_cut_where_nothing_crosses():
    """The horizon ends the influence of the first half before the second begins."""
    kernel = kernels.LogNormal(-2.0, 0.3)
    assert kernel.horizon < 4.0 - 2.2
    first, second = [0.4, 0.6, 1.1, 1.9, 2.2], [5.1, 5.3, 5.9, 6.0, 7.2]
    whole = hawkeys.Events.from_lists([[[*first, *second]]], end_times=8.0)
    halves = hawkeys.Events.from_lists([[first], [second]], start_times=[0.0, 4.0],
                                       end_times=[4.0, 8.0])  # fmt: skip
    day = baselines.Periodic([0.0, 1.0], 2.0)
    fits = [hawkeys.fit(e, kernel=kernel, baseline=day) for e in (whole, halves)]
    np.testing.assert_allclose(fits[0].estimates, fits[1].estimates, rtol=1e-9)
    assert fits[0].log_likelihood == pytest.approx(fits[1].log_likelihood, rel=1e-12)


def test_forecast_of_a_changing_baseline_and_a_sum_of_exponentials():
    """Against the exact linear equations of the mean, and the chance of silence."""
    rates = [[0.3, 0.8], [0.6, 0.2]]
    kernel = kernels.SumExponential([1.0, 6.0], weights=[0.4, 0.6])
    process = hawkeys.Hawkes(DAY.with_rates(rates), TRUTH.adjacency, kernel=kernel)
    past = hawkeys.simulate(process, end_time=20.0, rng=3)
    found = hawkeys.forecast(process, past, 4.0, n_paths=4000, rng=1)
    step = 0.002
    state = np.array([
        [np.exp(-beta * (20.0 - past.times[past.marks == j])).sum() for beta in kernel.decays]
        for j in range(2)
    ])  # fmt: skip
    alone, mean, silence = state.copy(), np.zeros(2), 0.0
    weight = kernel.weights * kernel.decays
    fade = np.exp(-step * kernel.decays)
    for t in 20.0 + step * (np.arange(round(4.0 / step)) + 0.5):
        base = process.baseline_function.at(np.array([t]))[0]
        middle = np.exp(-0.5 * step * kernel.decays)
        silence += step * (base + TRUTH.adjacency @ (alone * middle @ weight)).sum()
        rate = base + TRUTH.adjacency @ (state * middle @ weight)
        mean += step * rate
        state = state * fade + step * rate[:, None] * middle
        alone *= fade
    assert found.next_event.probability == pytest.approx(1.0 - math.exp(-silence), abs=1e-6)
    spread = found.counts.reshape(4000, -1)[:, :2].std(axis=0) / math.sqrt(4000.0)
    assert (np.abs(found.mean[:2] - mean) < 4.0 * spread).all()


def test_what_a_fit_with_inhibition_does_not_have_is_said(sample):
    process = hawkeys.fit_rectified(sample, decay=2.0).process
    with pytest.raises(
        InvalidParameterError, match="inhibition or a link there is no branching structure"
    ):
        hawkeys.branching_probabilities(process, sample)
