"""WAIC and PSIS-LOO of changing baselines, estimated weights and tied parameters, by quadrature."""

import dataclasses
import warnings

import naive_columns as naive
import numpy as np
import pytest

import hawkeys
from hawkeys import Events
from hawkeys.baselines import Constant, PiecewiseConstant
from hawkeys.exceptions import ImportanceWarning, InvalidParameterError
from hawkeys.inference import psis_loo, waic
from hawkeys.kernels import LogNormal, SumExponential

PRIOR = {"relevance_determination": False, "prior_coefficient": 2.0}
GAMMA = hawkeys.GammaPrior(shape=2.0, rate=3.0, baseline_shape=1.5, baseline_rate=1.0)
KNOTS = [0.0, 10.0, 25.0]
ONE = hawkeys.Hawkes(
    [0.5], [[0.5]], kernel=SumExponential([1.0, 6.0], [0.5, 0.5])
)  # fmt: skip
TWO = hawkeys.Hawkes([0.4, 0.4], [[0.3, 0.3], [0.3, 0.3]], decay=1.0)
TIED = {"baseline": [0, 0], "adjacency": [[1, 1], [1, 1]]}
# model, how `columns` makes it, number of each column, which of the numbers are baselines
MODELS = {
    "piecewise": (
        ONE, {"decay": 1.0, "baseline": PiecewiseConstant(KNOTS)}, ([1.0], KNOTS), [[0, 1, 2]], 2,
    ),
    "components": (ONE, {"kernel": SumExponential([1.0, 6.0])}, ([1.0, 6.0],), [[0, 1, 2]], 1),
    "tied": (TWO, {"decay": 1.0, "tied": TIED}, ([1.0],), [[0, 1, 1], [0, 1, 1]], 1),
}  # fmt: skip


def on_a_grid(sample, how, labels):
    """Return points theta (n, K) and the log-likelihood of each realisation there, (R, n)."""
    labels = np.array(labels)
    size = labels.max() + 1
    axis = np.linspace(0.012, 1.5, 120 if size == 2 else 56)
    theta = np.stack(np.meshgrid(*[axis] * size), axis=-1).reshape(-1, size)
    values = np.zeros((len(sample), len(theta)))
    for r in range(len(sample)):
        rows, cost = naive.columns(sample[r : r + 1], *how)
        for v, label in zip(rows, labels, strict=True):
            x = theta[:, label]
            values[r] -= x @ cost
            for one in v:
                values[r] += np.log(x @ one)
    return theta, values


def log_mean(values, log_weights):
    return np.logaddexp.reduce(values + log_weights) - np.logaddexp.reduce(log_weights)


@pytest.fixture(scope="module", params=MODELS)
def case(request):
    truth, options, how, labels, n_baselines = MODELS[request.param]
    sample = hawkeys.simulate(truth, end_time=25.0, n_realizations=10, rng=5)
    return sample, options, *on_a_grid(sample, how, labels), n_baselines


def test_leave_one_out_is_that_of_the_exact_posterior(case, tmp_path):
    sample, options, theta, values, _ = case
    log_prior = -(theta**2).sum(axis=1) / 2.0
    total = values.sum(axis=0)
    exact = [log_mean(row, log_prior + total - row) for row in values]
    result = hawkeys.fit(sample, method="vi", **options, **PRIOR)
    found = psis_loo(result, sample, n_draws=4000)
    # Monte Carlo error of 4000 draws, and the grid's
    np.testing.assert_allclose(found.pointwise, exact, atol=0.03)
    assert found.pareto_k.shape == (10, sample.n_marks)
    result.save(tmp_path / "fit.json")
    again = psis_loo(hawkeys.load_result(tmp_path / "fit.json"), sample, n_draws=4000)
    np.testing.assert_allclose(again.pointwise, found.pointwise, atol=1e-9)


def test_waic_is_that_of_the_exact_posterior(case):
    sample, options, theta, values, _ = case
    log_weights = -(theta**2).sum(axis=1) / 2.0 + values.sum(axis=0)
    weights = np.exp(log_weights - np.logaddexp.reduce(log_weights))
    density = np.array([log_mean(row, log_weights) for row in values])
    variance = (values**2) @ weights - (values @ weights) ** 2
    result = hawkeys.fit(sample, method="vi", **options, **PRIOR)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ImportanceWarning)
        found = waic(result, sample, n_draws=20_000)
    np.testing.assert_allclose(found.pointwise, density - variance, atol=0.04)
    assert found.n_effective == pytest.approx(variance.sum(), abs=0.1)
    assert found.posterior_k.shape == (sample.n_marks,)


def test_gamma_posteriors_under_their_prior(case):
    sample, options, theta, values, n_baselines = case
    result = hawkeys.fit(sample, method="vi_branching", prior=GAMMA, **options)
    split = [n_baselines, theta.shape[1] - n_baselines]
    power, rate = np.repeat([0.5, 1.0], split), np.repeat([1.0, 3.0], split)
    log_prior = np.log(theta) @ power - theta @ rate
    exact = [log_mean(row, log_prior + values.sum(axis=0) - row) for row in values]
    np.testing.assert_allclose(psis_loo(result, sample, n_draws=8000).pointwise, exact, atol=0.05)


def test_the_stochastic_form(case):
    sample, options, *_ = case
    one = hawkeys.fit(sample, method="vi", **options, **PRIOR)
    other = hawkeys.fit(sample, method="vi_stochastic", n_steps=10_000, **options, **PRIOR)
    # the last steps still move by their own noise
    np.testing.assert_allclose(other.posterior.location, one.posterior.location, atol=0.1)
    np.testing.assert_allclose(other.posterior.scale, one.posterior.scale, rtol=0.25)
    assert psis_loo(other, sample).elpd == pytest.approx(psis_loo(one, sample).elpd, abs=0.3)


def test_one_piece_is_the_plain_model():
    sample = hawkeys.simulate(TWO, end_time=25.0, n_realizations=8, rng=1)
    plain = psis_loo(hawkeys.fit(sample, decay=1.0, method="vi", **PRIOR), sample)
    steps = PiecewiseConstant([0.0, 25.0])
    wide = hawkeys.fit(sample, decay=1.0, method="vi", baseline=steps, **PRIOR)
    assert not isinstance(wide.process.baseline_function, Constant)
    assert psis_loo(wide, sample).elpd == pytest.approx(plain.elpd, abs=0.05)


@pytest.mark.parametrize("unit", [1e-9, 1e9])
def test_units_of_time_do_not_matter(unit):
    # flat priors: C and the density of the baselines have units of time, which cancel in ratios
    sample = hawkeys.simulate(ONE, end_time=25.0, n_realizations=8, rng=1)
    other = Events.from_arrays(
        sample.times * unit,
        sample.marks,
        offsets=sample.offsets,
        end_times=sample.end_times * unit,
        n_marks=1,
    )
    found = []
    for events, scale in ((sample, 1.0), (other, unit)):
        steps = PiecewiseConstant(np.array(KNOTS) * scale)
        kernel = SumExponential(np.array([1.0, 6.0]) / scale)
        result = hawkeys.fit(events, kernel=kernel, baseline=steps, method="vi")
        found.append(psis_loo(result, events, n_draws=4000))
    # densities of n events have the unit 1 / time**n
    shift = np.log(unit) * np.bincount(sample.realization, minlength=8)
    np.testing.assert_allclose(found[1].pointwise + shift, found[0].pointwise, atol=0.02)


def test_the_right_model_predicts_better():
    truth = hawkeys.Hawkes(PiecewiseConstant(KNOTS, [[0.2, 1.2]]), [[0.3]], decay=2.0)
    sample = hawkeys.simulate(truth, end_time=25.0, n_realizations=20, rng=1)
    right = hawkeys.fit(sample, decay=2.0, method="vi", baseline=PiecewiseConstant(KNOTS))
    wrong = hawkeys.fit(sample, decay=2.0, method="vi")
    difference = psis_loo(right, sample).pointwise - psis_loo(wrong, sample).pointwise
    assert difference.sum() > 2.0 * np.sqrt(20) * difference.std()


@pytest.mark.parametrize("criterion", [waic, psis_loo])
def test_a_fit_without_its_posterior_is_refused(criterion):
    sample = hawkeys.simulate(ONE, end_time=25.0, n_realizations=4, rng=1)
    result = hawkeys.fit(sample, decay=1.0, method="vi", baseline=PiecewiseConstant(KNOTS))
    older = dataclasses.replace(result, column_posterior=None)
    with pytest.raises(InvalidParameterError, match="an earlier version saved must be made again"):
        criterion(older, sample)
    kernel = hawkeys.fit(sample, kernel=LogNormal(), method="vi_branching")
    with pytest.raises(InvalidParameterError, match="parameters were estimated must be given"):
        criterion(kernel, sample)
