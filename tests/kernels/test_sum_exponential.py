"""Sums of exponentials: the kernel, the process, and weights that are estimated."""

import naive_columns as naive
import numpy as np
import pytest
from scipy import integrate, stats

import hawkeys
from hawkeys.baselines import Periodic
from hawkeys.diagnostics.time_rescaling import rescale
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels import Exponential, Kernel, SumExponential, kernel_from_dict

DECAYS = [0.5, 3.0, 20.0]
PAIRS = np.array([[[0.2, 0.3, 0.5], [1.0, 0.0, 0.0]], [[0.0, 0.6, 0.4], [0.1, 0.1, 0.8]]])
ADJACENCY = np.array([[0.4, 0.1], [0.2, 0.3]])


def process_with(weights=PAIRS):
    return hawkeys.Hawkes([0.6, 0.3], ADJACENCY, kernel=SumExponential(DECAYS, weights))


@pytest.fixture(scope="module")
def small():
    return hawkeys.simulate(process_with(), start_time=[0, 5.0], end_time=[40.0, 50.0], rng=1)


def naive_parameters(weights):
    """Baseline, then decay after decay the rows of the adjacency times the weight."""
    parts = np.broadcast_to(weights, (2, 2, 3)) * ADJACENCY[:, :, None]
    return np.column_stack(([0.6, 0.3], *np.moveaxis(parts, 2, 0)))


@pytest.mark.parametrize("weights", [[0.2, 0.3, 0.5], PAIRS])
def test_density_has_mass_one_and_the_likelihood_is_the_naive_one(weights, small):
    kernel = SumExponential(DECAYS, weights)
    n = kernel.density(0.3).shape[1]
    for q in range(n):
        part = integrate.quad(lambda u, q=q: kernel.density(u)[0, q], 0, 60, limit=200)[0]
        assert part == pytest.approx(1.0, abs=1e-8)
    assert (kernel.density([-1.0, 0.0]) == 0).all()
    expected = naive.log_likelihood(small, naive_parameters(weights), DECAYS)
    assert process_with(weights).log_likelihood(small) == pytest.approx(expected, abs=1e-9)
    separate = hawkeys.fit_each(small, kernel=kernel)
    alone = hawkeys.fit(small[1:], kernel=kernel)
    np.testing.assert_allclose(separate.adjacency[1], alone.adjacency, atol=1e-4)


def test_likelihood_equals_ticks(tick):
    process = process_with()
    events = hawkeys.simulate(process, end_time=200.0, rng=2)
    model = tick.ModelHawkesSumExpKernLogLik(np.array(DECAYS))
    model.fit(events.to_lists()[0], end_times=200.0)
    parts = ADJACENCY[:, :, None] * PAIRS
    coefficients = np.concatenate((process.baseline, parts.ravel()))
    expected = -(model.loss(coefficients) * events.n_events + events.n_marks * 200.0)
    assert process.log_likelihood(events) == pytest.approx(expected, rel=1e-10)
    converted = hawkeys.interop.from_tick(process.baseline, parts, DECAYS)
    assert converted.log_likelihood(events) == pytest.approx(expected, rel=1e-10)
    parts[1, 0] = 0.0  # a pair that does not excite has any weights
    assert hawkeys.interop.from_tick(process.baseline, parts, DECAYS).adjacency[1, 0] == 0
    parts[1, 0] = ADJACENCY[1, 0] * PAIRS[1, 0]
    transposed = np.concatenate((process.baseline, parts.transpose(1, 0, 2).ravel()))
    assert abs(model.loss(transposed) * events.n_events + 400.0 + expected) > 1.0


def test_one_decay_is_the_exponential(small):
    plain = hawkeys.fit(small, decay=3.0)
    for weights in (None, [1.0]):
        same = hawkeys.fit(small, kernel=SumExponential([3.0], weights))
        assert same.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-9)
        np.testing.assert_allclose(same.std_err, plain.std_err, rtol=1e-7)
        assert same.n_parameters == plain.n_parameters
    kernel, exponential = SumExponential([3.0]), Exponential(3.0)
    lags = np.linspace(0, 2, 9)
    np.testing.assert_allclose(kernel.density(lags), exponential.density(lags), rtol=1e-15)


def test_intensity_and_compensator(small):
    process = process_with()
    times = np.linspace(6.0, 49.0, 30)
    parts = []
    for u, decay in enumerate(DECAYS):
        part = hawkeys.Hawkes([0.0, 0.0], ADJACENCY * PAIRS[:, :, u], decay=decay)
        parts.append(
            (
                part.intensity(small, times, realization=1),
                part.compensator(small, times, realization=1),
            )
        )
    intensity, mass = np.sum(parts, axis=0)
    found = process.intensity(small, times, realization=1)
    np.testing.assert_allclose(found, process.baseline + intensity, rtol=1e-12)
    total = np.outer(times - 5.0, process.baseline) + mass
    compensator = process.compensator(small, times, realization=1)
    np.testing.assert_allclose(compensator, total, rtol=1e-12)
    # time rescaling runs in linear time and must say the same
    own = rescale(process, small[1:])
    at_events = process.compensator(small, small[1:].times, realization=1)
    expected = at_events[np.arange(own.marks.size), own.marks]
    np.testing.assert_allclose(own.times, expected, atol=1e-10)


@pytest.mark.parametrize("support", [None, [[True, False], [True, True]]])
def test_fit_is_the_maximum_found_by_another_optimiser(support, small):
    result = hawkeys.fit(small, kernel=SumExponential(DECAYS), support=support)
    labels = np.arange(14).reshape(2, 7)
    if support is not None:
        labels[0, [2, 4, 6]] = -1  # source 1 of target 0, decay after decay
        numbers = np.unique(labels, return_inverse=True)[1]
        labels = np.where(labels < 0, -1, numbers.reshape(2, 7) - 1)
        assert not result.identified[0, 2]
    best, x = naive.maximise(small, DECAYS, labels)
    assert result.log_likelihood == pytest.approx(best, abs=1e-6)
    np.testing.assert_allclose(result.adjacency, x[:, 1:].reshape(2, 3, 2).sum(axis=1), atol=2e-3)
    again = result.process.log_likelihood(small)
    assert result.log_likelihood == pytest.approx(again, abs=1e-9)
    np.testing.assert_allclose(result.kernel.weights.sum(axis=2), 1.0, atol=1e-12)


def test_the_error_of_a_sum_follows_from_its_parts(small):
    result = hawkeys.fit(small, kernel=SumExponential(DECAYS[:2]))
    rows, _ = naive.columns(small, DECAYS[:2])
    for i, v in enumerate(rows):
        parts = result.adjacency[i][:, None] * result.kernel.weights[i]
        x = np.concatenate(([result.baseline[i]], parts.T.ravel()))
        free = np.flatnonzero(x > 0)
        scaled = v[:, free] / (v @ x)[:, None]
        covariance = np.zeros((5, 5))
        covariance[np.ix_(free, free)] = np.linalg.inv(scaled.T @ scaled)
        to_sum = np.array([[1, 0, 0, 0, 0], [0, 1, 0, 1, 0], [0, 0, 1, 0, 1.0]])
        expected = to_sum @ covariance @ to_sum.T
        at_bound = result.at_bound[i]
        expected[at_bound] = expected[:, at_bound] = np.nan
        np.testing.assert_allclose(result.covariance[i], expected, rtol=1e-6, atol=1e-12)
    assert result.n_parameters == 10
    assert result.n_kernel_parameters == 4


def test_weights_are_recovered():
    truth = process_with([0.0, 1.0, 0.0])
    sample = hawkeys.simulate(truth, end_time=2500.0, rng=6)
    result = hawkeys.fit(sample, kernel=SumExponential([0.2, 3.0, 40.0]))
    off = (result.adjacency - ADJACENCY) / result.std_err[:, 1:]
    assert np.abs(off).max() < 3.5
    weight = (result.kernel.weights[..., 1] * result.adjacency).sum() / result.adjacency.sum()
    assert weight > 0.85


def test_nearly_equal_decays_leave_the_sum_identified(small):
    result = hawkeys.fit(small, kernel=SumExponential([3.0, 3.0 * (1 + 1e-12)]))
    plain = hawkeys.fit(small, decay=3.0)
    assert result.log_likelihood == pytest.approx(plain.log_likelihood, abs=1e-7)
    assert result.identified.all()
    np.testing.assert_allclose(result.adjacency, plain.adjacency, atol=1e-4)
    free = ~plain.at_bound & ~result.at_bound
    np.testing.assert_allclose(result.std_err[free], plain.std_err[free], rtol=1e-3)


def test_other_methods(small):
    kernel = SumExponential(DECAYS[:2])
    mle = hawkeys.fit(small, kernel=kernel)
    flat = hawkeys.GammaPrior(shape=1.0, rate=0.0)
    mode = hawkeys.fit(small, kernel=kernel, method="map", prior=flat)
    np.testing.assert_allclose(mode.estimates, mle.estimates, atol=1e-4)
    vi = hawkeys.fit(small, kernel=kernel, method="vi", relevance_determination=False,
                     prior_coefficient=100.0)  # fmt: skip
    assert vi.posterior.location.shape == (2, 3)
    np.testing.assert_allclose(vi.posterior.mean, vi.estimates, rtol=1e-12)
    assert np.isnan(vi.prior_coefficient[:, 1:]).all()
    assert vi.n_kernel_parameters == 4
    lower, upper = vi.credible_interval(linear_response=True)
    assert ((lower < vi.estimates) & (vi.estimates < upper)).all()
    np.testing.assert_allclose(vi.adjacency, mle.adjacency, atol=0.15)


def test_saved_and_fitted_again(small, tmp_path):
    result = hawkeys.fit(small, kernel=SumExponential(DECAYS[:2]), baseline=Periodic([0, 3], 7.0))
    result.save(tmp_path / "fit.json")
    again = hawkeys.load_result(tmp_path / "fit.json")
    np.testing.assert_allclose(again.kernel.weights, result.kernel.weights, rtol=1e-14)
    np.testing.assert_array_equal(again.std_err, result.std_err)
    first, second = (
        hawkeys.goodness_of_fit(fit, small, n_mc_samples=5).null for fit in (result, again)
    )
    np.testing.assert_array_equal(first, second)
    for weights in (None, [0.25, 0.75]):
        record = SumExponential(DECAYS[:2], weights).to_dict()
        assert kernel_from_dict(record).to_dict() == record


def test_simulated_lags_and_what_remains_of_them():
    kernel = SumExponential(DECAYS, PAIRS)
    rng = np.random.default_rng(0)
    n = 20_000
    for i, j in np.ndindex(2, 2):
        targets, sources = np.full(n, i), np.full(n, j)
        lags = kernel.sample_lags(rng, targets, sources)
        cdf = lambda u, p=PAIRS[i, j]: 1.0 - np.exp(-np.outer(u, DECAYS)) @ p  # noqa: E731
        assert stats.kstest(lags, cdf).pvalue > 0.001
        late = kernel.sample_residual_lags(rng, targets, sources, np.full(n, 0.4))
        left = 1.0 - cdf(np.array([0.4]))
        conditional = lambda u, c=cdf, m=left: 1.0 - (1.0 - c(u + 0.4)) / m  # noqa: E731
        assert stats.kstest(late, conditional).pvalue > 0.001
    elapsed, sources = np.array([0.0, 0.3, 2.0, 500.0]), np.array([0, 1, 1, 0])
    mass = kernel.remaining_mass(elapsed, sources, 2)
    np.testing.assert_allclose(mass, Kernel.remaining_mass(kernel, elapsed, sources, 2), atol=1e-12)


def test_simulation_is_the_model():
    truth = process_with()
    sample = hawkeys.simulate(truth, end_time=60.0, n_realizations=12, rng=9)
    assert stats.kstest(rescale(truth, sample).residuals, "expon").pvalue > 0.01
    wrong = hawkeys.Hawkes(truth.baseline, ADJACENCY, decay=0.5)
    assert stats.kstest(rescale(wrong, sample).residuals, "expon").pvalue < 1e-4


def test_repr():
    assert repr(SumExponential([1.0, 2.0])) == "SumExponential(decays=[1.0, 2.0])"
    known = SumExponential([1.0, 2.0], [0.25, 0.75])
    assert repr(known) == "SumExponential(decays=[1.0, 2.0], weights=[0.25, 0.75])"
    assert "<shape (2, 2, 3)>" in repr(SumExponential(DECAYS, PAIRS))
    assert not SumExponential([1.0, 2.0]).known
    assert not known.unknown().known


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: SumExponential(2.0), "decays must be a list of numbers, one per component; got"),
        (lambda: SumExponential([]), "decays must be a list of numbers, one per component; got"),
        (lambda: SumExponential([1.0, -2.0]), r"decays must be positive; got decays\[1\]"),
        (lambda: SumExponential([2.0, 1.0, 2.0]), "decays must be different; 2 comes 2 times"),
        (lambda: SumExponential([1, 2], [1.0]), r"weights must have shape \(2,\), one per decay"),
        (lambda: SumExponential([1, 2], [0.5, 0.6]), "weights must sum to 1 over the decays; a"),
        (lambda: SumExponential([1, 2], [1.5, -0.5]), "weights must not be negative"),
        (lambda: SumExponential([1, 2]).density(1.0), "the weights of SumExponential are not kno"),
        (lambda: hawkeys.Hawkes([1.0], [[0.1]], kernel=SumExponential([1, 2])), "are not known;"),
        (
            lambda: hawkeys.Hawkes([1.0], [[0.1]], kernel=SumExponential(DECAYS, PAIRS)),
            "weights of the kernel are for 2 marks, but there are 1",
        ),
        (lambda: hawkeys.interop.to_tick(process_with()), "converted for exponential kernels only"),
    ],
)
def test_bad_input(make, message):
    with pytest.raises(InvalidParameterError, match=message):
        make()
