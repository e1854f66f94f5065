"""`LogLikelihood`: value and gradient by definition, by differences, and where they end."""

import naive_hawkes as naive
import numpy as np
import pytest

import hawkeys
from hawkeys import Events, Hawkes, LogLikelihood
from hawkeys._jit import exponential, likelihood
from hawkeys.exceptions import InvalidParameterError

# small data: by plain loops, and by compiled ones
pytestmark = pytest.mark.usefixtures("loops")


def random_events(seed, *, n_marks, n_events, n_realizations=1, kind="plain"):
    """Events by kind: plain, tied to tenths, at an epoch time, or with huge gaps."""
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(0.0, 9.0, (n_realizations, n_events)), axis=1)
    start = 0.0
    if kind == "ties":
        times = np.round(times, 1)
    elif kind == "epoch":
        start = 1.7e9
        times = times + start
    elif kind == "gaps":
        times = times * 1e4
    marks = rng.integers(0, max(1, n_marks - 1), times.shape)  # the last mark is silent
    return Events.from_arrays(
        times.ravel(),
        marks.ravel(),
        offsets=n_events * np.arange(n_realizations + 1),
        start_times=start,
        end_times=times.max(initial=start) + 1.0,
        n_marks=n_marks,
    )


CASES = [
    (n_marks, n_events, n_realizations, kind)
    for n_marks, n_events, n_realizations in [(1, 30, 2), (3, 0, 1), (3, 1, 2), (4, 40, 1)]
    for kind in ("plain", "ties", "epoch", "gaps")
]


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("per_source", [False, True])
def test_value_by_definition(case, per_source):
    n_marks, n_events, n_realizations, kind = case
    events = random_events(
        1, n_marks=n_marks, n_events=n_events, n_realizations=n_realizations, kind=kind
    )
    rng = np.random.default_rng(2)
    x = rng.uniform(0.1, 1.0, (n_marks, n_marks + 1))
    decay = np.full((n_marks, n_marks), 1.3)
    expected = naive.log_likelihood(events, x[:, 0], x[:, 1:], decay)
    model = LogLikelihood(events, decay=decay[0] if per_source else 1.3)
    assert model.value(x) == pytest.approx(expected, rel=1e-12, abs=1e-12)
    value, gradient = model.value_and_gradient(x.ravel())
    assert value == pytest.approx(expected, rel=1e-12, abs=1e-12)
    steps = 1e-6 * np.eye(x.size)
    numeric = [(model.value(x.ravel() + h) - model.value(x.ravel() - h)) / 2e-6 for h in steps]
    # a difference is known to rounding of the value over the step
    np.testing.assert_allclose(gradient, numeric, rtol=1e-6, atol=1e-6 + 1e-9 * abs(value))


@pytest.mark.parametrize("n_marks", [1, 2, 25])
def test_long_records_in_tiles_equal_the_process(n_marks):
    """Many tiles and held columns, a weight of every size."""
    events = random_events(3, n_marks=n_marks, n_events=5_000)
    shared = LogLikelihood(events, decay=700.0)
    apart = LogLikelihood(events, decay=np.full(n_marks, 700.0))
    x = np.random.default_rng(4).uniform(0.1, 1.0, (n_marks, n_marks + 1))
    mine, other = shared.value_and_gradient(x), apart.value_and_gradient(x)
    assert mine[0] == pytest.approx(other[0], rel=1e-13)
    np.testing.assert_allclose(mine[1], other[1], rtol=1e-11)
    process = Hawkes(x[:, 0], x[:, 1:], decay=700.0)
    assert process.log_likelihood(events) == mine[0]
    np.testing.assert_array_equal(process.log_likelihood_gradient(events)[1], mine[1][:, 1:])


def test_the_exponential_is_within_one_unit_in_the_last_place():
    rng = np.random.default_rng(5)
    lags = np.concatenate((10.0 ** rng.uniform(-20, 2.8, 20_000), [0.0, 1e-300, 1e300, 708.1]))
    fade, scale = np.empty(lags.size), np.empty(lags.size)
    exponential._fades(np.zeros(lags.size), lags, 1.0, scale, fade)
    exact = np.exp(-lags.astype(np.longdouble))
    inside = lags < 708.0
    unit = np.spacing(exact[inside].astype(float))
    assert (np.abs(fade[inside] - exact[inside]) / unit).max() < 1.0
    assert (fade[~inside] == 0.0).all()
    assert fade[lags == 0.0] == 1.0


@pytest.mark.parametrize("power", [0, 3, 30, 150, 300])
def test_logs_of_products(power):
    rng = np.random.default_rng(power)
    values = 10.0 ** rng.uniform(-power, power, 1_003)
    scratch = np.empty(200)
    expected = np.log(values).sum()
    total = likelihood._log_total(values, scratch)
    assert total == pytest.approx(expected, rel=1e-12, abs=1e-10)
    values[500] = 0.0
    assert likelihood._log_total(values, scratch) == -np.inf


def test_an_impossible_event():
    model = LogLikelihood([[1.0, 3.0], [2.0]], decay=1.0, end_time=4.0)
    value, gradient = model.value_and_gradient([[0.5, 0.1, 0.1], [0.0, 0.0, 0.0]])
    assert value == -np.inf
    assert gradient[1, 0] == np.inf
    assert np.isfinite(gradient[0]).all()


def test_an_optimiser_of_ones_own_finds_the_fit():
    from scipy.optimize import minimize

    truth = Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)
    sample = hawkeys.simulate(truth, end_time=500.0, rng=0)
    model = LogLikelihood(sample, decay=2.0)
    assert repr(model) == f"LogLikelihood(n_events={sample.n_events}, n_marks=2)"

    def loss(x):
        value, gradient = model.value_and_gradient(x)
        return -value, -gradient

    found = minimize(loss, np.full(6, 0.2), jac=True, method="L-BFGS-B", bounds=[(1e-9, None)] * 6)
    assert -found.fun == pytest.approx(hawkeys.fit(sample, decay=2.0).log_likelihood, abs=1e-4)


@pytest.mark.parametrize(
    ("x", "message"),
    [
        (np.zeros((2, 2)), r"x must have shape \(1, 2\).*got shape \(2, 2\)"),
        ([1.0, np.nan], r"x\[1\]"),
        ("text", "x: expected numbers"),
    ],
)
def test_wrong_parameters(x, message):
    model = LogLikelihood([[1.0, 3.0]], decay=1.0, end_time=4.0)
    with pytest.raises(InvalidParameterError, match=message):
        model.value(x)
