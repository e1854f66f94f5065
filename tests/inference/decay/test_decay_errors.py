"""Errors beside estimated decays: Hessians of the public log-likelihood, by differences."""

import numpy as np
import pytest

import hawkeys
from hawkeys import GammaPrior

TRUTH = hawkeys.Hawkes([0.4, 0.3], [[0.3, 0.2], [0.4, 0.25]], decay=[[2.0, 1.0], [3.0, 1.5]])


def sample(n=8, end=150.0, seed=2):
    return hawkeys.simulate(TRUTH, end_time=end, n_realizations=n, rng=seed)


def hessian(value, point, step=1e-3):
    steps = step * np.diag(np.maximum(np.abs(point), 0.1))
    size = np.diagonal(steps)
    out = np.array(
        [
            [value(point + a + b) - value(point + a - b) - value(point - a + b)
             + value(point - a - b) for b in steps]
            for a in steps
        ]
    )  # fmt: skip
    return out / (4.0 * np.outer(size, size))


def by_differences(result, events, weights, log_prior=lambda x: 0.0):
    """Standard errors of the rates above 0, from all of them and the log decays together."""
    free = result.estimates > 0
    decay = np.asarray(result.decay_profile.chosen)
    ones = [events[r] for r in range(events.n_realizations)]

    def value(point):
        x = np.zeros_like(result.estimates)
        x[free] = point[: free.sum()]
        there = hawkeys.Hawkes(
            x[:, 0], x[:, 1:], decay=np.exp(point[free.sum() :]).reshape(decay.shape)
        )
        total = sum(w * there.log_likelihood(one) for w, one in zip(weights, ones, strict=True))
        return total + log_prior(x)

    used = np.broadcast_to((result.adjacency > 0), (2, 2))
    used = {0: used.any().reshape(1), 1: used.any(axis=0), 2: used.ravel()}[decay.ndim]
    point = np.concatenate((result.estimates[free], np.log(decay).ravel()))
    kept = np.append(np.ones(free.sum(), dtype=bool), used)
    matrix = -hessian(value, point)[np.ix_(kept, kept)]
    out = np.full(result.estimates.shape, np.nan)
    out[free] = np.sqrt(np.diagonal(np.linalg.inv(matrix)))[: free.sum()]
    return out


@pytest.mark.parametrize("sharing", ["shared", "source", "pair"])
@pytest.mark.parametrize("weighted", [False, True])
def test_they_are_those_of_all_parameters_together(sharing, weighted):
    events = sample()
    weights = np.linspace(0.5, 1.5, 8) if weighted else np.ones(8)
    result = hawkeys.fit(
        events, decay="estimate", decay_sharing=sharing, weights=weights if weighted else None
    )
    expected = by_differences(result, events, weights)
    np.testing.assert_allclose(result.std_err, expected, rtol=2e-3)
    held = hawkeys.fit(events, decay=result.decay_profile.chosen, weights=weights)
    assert (result.std_err[:, 0] > 1.01 * held.std_err[:, 0]).all()
    for name in ("aic", "bic", "log_likelihood"):
        extra = {"aic": 2.0, "bic": np.log(events.n_events), "log_likelihood": 0.0}[name]
        expected = getattr(held, name) + extra * np.size(result.decay_profile.chosen)
        assert getattr(result, name) == pytest.approx(expected, rel=1e-9)


def test_of_a_posterior_mode_too():
    events = sample(n=2)
    prior = GammaPrior(shape=2.0, rate=1.0, baseline_shape=2.0, baseline_rate=1.0)
    result = hawkeys.fit(events, decay="estimate", method="map", prior=prior)

    def log_prior(x):
        return (np.log(x) - x).sum()

    expected = by_differences(result, events, np.ones(2), log_prior)
    np.testing.assert_allclose(result.std_err, expected, rtol=2e-3)


def test_pieces_of_a_baseline_and_ties():
    """Two pieces, one tied adjacency entry: against differences over all columns."""
    events = hawkeys.simulate(
        hawkeys.Hawkes([0.6], [[0.5]], decay=1.5), end_time=100.0, n_realizations=5, rng=3
    )
    steps = hawkeys.baselines.PiecewiseConstant([0.0, 50.0, 100.0])
    result = hawkeys.fit(events, decay="estimate", baseline=steps)

    def value(point):
        process = hawkeys.Hawkes(
            steps.with_rates([point[:2]]), [[point[2]]], decay=np.exp(point[3])
        )
        return process.log_likelihood(events)

    point = np.append(result.estimates[0], np.log(result.decay_profile.chosen))
    errors = np.sqrt(np.diagonal(np.linalg.inv(-hessian(value, point))))
    np.testing.assert_allclose(result.std_err[0], errors[:3], rtol=2e-3)


def test_an_entry_at_the_bound_has_none_and_its_decay_does_not_count():
    truth = hawkeys.Hawkes([0.5, 0.5], [[0.4, 0.0], [0.3, 0.0]], decay=2.0)
    for seed in range(20):
        events = hawkeys.simulate(truth, end_time=100.0, n_realizations=3, rng=seed)
        result = hawkeys.fit(events, decay="estimate")
        if (result.adjacency[:, 1] == 0).any():
            break
    assert (result.adjacency == 0).any()
    np.testing.assert_allclose(
        result.std_err, by_differences(result, events, np.ones(3)), rtol=2e-3
    )


@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.HawkeysWarning")
def test_a_decay_at_a_bound_is_held():
    times = [1.0, 4.0, 6.0, 7.5, 8.5, 9.2, 9.8]
    result = hawkeys.fit([times], end_time=10.0, decay="estimate")
    assert result.decay_profile.limit is not None
    held = hawkeys.fit([times], end_time=10.0, decay=result.decay_profile.chosen)
    np.testing.assert_array_equal(result.information, held.information)


def test_a_decay_from_a_grid_is_held():
    events = sample(n=2)
    result = hawkeys.fit(events, decay_grid=[1.0, 2.0, 4.0])
    held = hawkeys.fit(events, decay=result.decay_profile.chosen)
    np.testing.assert_array_equal(result.information, held.information)
