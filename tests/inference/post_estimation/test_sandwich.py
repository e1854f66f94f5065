"""Sandwich covariance over realisations."""

import naive_uncertainty as naive
import numpy as np
import pytest

import hawkeys
from hawkeys._jit.profile import scores
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError
from hawkeys.inference import sandwich_covariance
from hawkeys.inference.post_estimation.fitted_rows import rows_again

DECAY = 1.5
TRUTH = hawkeys.Hawkes([0.3, 0.2], [[0.2, 0.3], [0.0, 0.4]], decay=DECAY)


@pytest.fixture(scope="module")
def events():
    return hawkeys.simulate(TRUTH, end_time=20.0, n_realizations=12, rng=6)


OPTIONS = {
    "plain": {},
    "weights": {"weights": np.linspace(0.2, 2.0, 12)},
    "support": {"support": [[True, False], [True, True]]},
}


@pytest.mark.parametrize("name", OPTIONS)
def test_it_is_what_the_formula_says(events, name):
    result = hawkeys.fit(events, decay=DECAY, **OPTIONS[name])
    found = sandwich_covariance(result, events)
    free = result.identified & ~result.at_bound
    for i in range(2):
        data = naive.row_data(events, DECAY, i, **OPTIONS[name])
        index = np.flatnonzero(free[i])
        expected = naive.sandwich(data, result.estimates[i], index)
        assert np.allclose(found.covariance[i][np.ix_(index, index)], expected, rtol=1e-8)
    assert np.array_equal(np.isnan(found.std_err), ~free)


def test_scores_of_realisations_add_to_the_gradient(events):
    result = hawkeys.fit(events, decay=DECAY)
    x = np.array([[0.3, 0.1, 0.2], [0.1, 0.3, 0.5]])
    design = rows_again(result, events, separate=True)
    each = scores(design.excitation, design.weights, design.offsets, design.cost, x)
    assert each.shape == (24, 3)
    for i in range(2):
        expected = naive.scores(naive.row_data(events, DECAY, i), x[i])
        assert np.allclose(each[i::2], expected, rtol=1e-9, atol=1e-12)
    process = hawkeys.Hawkes(x[:, 0], x[:, 1:], decay=DECAY)
    baseline, adjacency = process.log_likelihood_gradient(events)
    total = each.reshape(12, 2, 3).sum(axis=0)
    assert np.allclose(total, np.column_stack((baseline, adjacency)), rtol=1e-9)


def test_a_weight_0_is_no_realisation(events):
    weights = np.ones(12)
    weights[[2, 7]] = 0.0
    found = sandwich_covariance(hawkeys.fit(events, decay=DECAY, weights=weights), events)
    rest = events[weights > 0]
    expected = sandwich_covariance(hawkeys.fit(rest, decay=DECAY), rest)
    assert found.n_realizations == 10
    assert np.allclose(found.covariance, expected.covariance, rtol=1e-6, equal_nan=True)


def test_it_is_near_the_information_when_the_model_is_right():
    events = hawkeys.simulate(TRUTH, end_time=20.0, n_realizations=2_000, rng=0)
    result = hawkeys.fit(events, decay=DECAY)
    ratio = sandwich_covariance(result, events).std_err / result.std_err
    # a standard error from 2,000 squares is known to about 2 %
    assert np.nanmax(np.abs(ratio - 1.0)) < 0.06


def test_it_is_larger_when_realisations_differ():
    rng = np.random.default_rng(0)
    rates = rng.gamma(4.0, 0.1, 300)
    parts = [
        hawkeys.simulate(hawkeys.Hawkes([rate], [[0.0]], decay=1.0), end_time=50.0, rng=rng)
        for rate in rates
    ]
    events = hawkeys.Events.from_lists([part.to_lists()[0] for part in parts], end_times=50.0)
    result = hawkeys.fit(events, decay=1.0, support=[[False]])
    found = sandwich_covariance(result, events)
    # var of the mean count: Poisson plus that of the rates
    expected = np.sqrt((0.4 / 50.0 + 0.04) / 300)
    assert found.std_err[0, 0] == pytest.approx(expected, rel=0.1)
    assert result.std_err[0, 0] == pytest.approx(np.sqrt(0.4 / 50.0 / 300), rel=0.05)


def test_intervals_and_frame(events):
    result = hawkeys.fit(events, decay=DECAY)
    found = sandwich_covariance(result, events)
    lower, upper = found.conf_int(0.9)
    frame = found.to_frame(level=0.9)
    assert list(frame)[3:] == ["estimate", "std_err", "lower", "upper"]
    assert np.array_equal(frame["upper"][:2], upper[:, 0])
    free = ~np.isnan(upper)
    assert (lower[free] >= 0.0).all()
    reach = 1.6448536 * found.std_err
    assert np.allclose((upper - result.estimates)[free], reach[free], rtol=1e-6)
    assert repr(found) == "SandwichCovariance(n_marks=2, n_realizations=12)"


def test_refused(events):
    one = events[:1]
    with pytest.raises(InvalidParameterError, match=r"at least 2 realisations that count; got 1"):
        sandwich_covariance(hawkeys.fit(one, decay=DECAY), one)
    result = hawkeys.fit(events, decay=DECAY)
    with pytest.raises(InvalidParameterError, match="fitted to other events"):
        sandwich_covariance(result, one)
    with pytest.raises(InvalidParameterError, match=r"result of hawkeys\.fit; got 'Hawkes'"):
        sandwich_covariance(TRUTH, events)
    with pytest.raises(InvalidEventsError, match="3 marks, the process has 2"):
        sandwich_covariance(result, hawkeys.Events.from_lists([[[1.0], [2.0], []]], end_times=3.0))
    with pytest.raises(InvalidParameterError, match="level must be one number"):
        sandwich_covariance(result, events).conf_int(1.0)
