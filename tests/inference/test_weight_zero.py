"""A realisation of weight 0 is left out of the fit as if it were not there."""

import numpy as np
import pytest

import hawkeys
from hawkeys.baselines import PiecewiseConstant
from hawkeys.inference import Lasso, penalty_path, profile_interval, sandwich_covariance
from hawkeys.kernels import LogNormal, SumExponential

# small data: by plain loops, and by compiled ones
pytestmark = pytest.mark.usefixtures("loops")

WAYS = {
    "mle": {"decay": 1.3},
    "map": {"decay": 1.3, "method": "map"},
    "lasso": {"decay": 1.3, "method": "map", "prior": Lasso(0.5)},
    "vi": {"decay": 1.3, "method": "vi"},
    "vi_branching": {"decay": 1.3, "method": "vi_branching"},
    "least_squares": {"decay": 1.3, "method": "least_squares"},
    "pieces": {"decay": 1.3, "baseline": PiecewiseConstant([0, 4, 8, 16])},
    "pieces by vi": {"decay": 1.3, "baseline": PiecewiseConstant([0, 4, 8, 16]), "method": "vi"},
    "components": {"kernel": SumExponential([0.5, 3.0])},
    "tied": {"decay": 1.3, "tied": [[-1, 1, -1], [-1, -1, 1]]},
    "decay": {"decay": "estimate"},
    "decays": {"decay": "estimate", "decay_sharing": "source"},
    "log-normal": {"kernel": LogNormal()},
}


def draw(seed):
    rng = np.random.default_rng(seed)
    ends = rng.uniform(5.0, 15.0, 3)
    lists = [[np.sort(rng.uniform(0.0, end, rng.integers(0, 8))) for _ in range(2)] for end in ends]
    return hawkeys.Events.from_lists(lists, end_times=ends)


@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.HawkeysWarning")
@pytest.mark.parametrize("way", WAYS)
def test_the_fit_is_that_of_the_others(way):
    for seed in range(8 if way not in {"decay", "decays", "log-normal"} else 3):
        events = draw(seed)
        weighted = hawkeys.fit(events, weights=[0.0, 1.0, 1.0], **WAYS[way])
        alone = hawkeys.fit(events[1:], **WAYS[way])
        np.testing.assert_allclose(weighted.estimates, alone.estimates, rtol=1e-6, atol=1e-9)
        np.testing.assert_array_equal(weighted.at_bound, alone.at_bound)
        np.testing.assert_array_equal(weighted.identified, alone.identified)
        np.testing.assert_allclose(weighted.std_err, alone.std_err, rtol=1e-5)
        assert weighted.objective == pytest.approx(alone.objective, abs=1e-7)
        assert weighted.converged == alone.converged
        # what is said about the data is said of all of them
        assert weighted.n_realizations == 3
        assert weighted.n_events == events.n_events
        assert weighted.log_likelihood == pytest.approx(weighted.process.log_likelihood(events))


@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.HawkeysWarning")
def test_inhibition_too():
    events = draw(1)
    weighted = hawkeys.fit_rectified(events, decay=1.0, weights=[0.0, 1.0, 1.0])
    alone = hawkeys.fit_rectified(events[1:], decay=1.0)
    np.testing.assert_array_equal(weighted.estimates, alone.estimates)
    np.testing.assert_array_equal(weighted.std_err, alone.std_err)
    assert weighted.log_likelihood == pytest.approx(weighted.process.log_likelihood(events))


def test_what_builds_on_the_fit_leaves_it_out_too():
    truth = hawkeys.Hawkes([0.5, 0.3], [[0.4, 0.1], [0.2, 0.3]], decay=1.3)
    events = hawkeys.simulate(truth, end_time=60.0, n_realizations=6, rng=0)
    weights = np.array([1.0, 0.0, 1.0, 1.0, 0.0, 1.0])
    weighted = hawkeys.fit(events, decay=1.3, weights=weights)
    some = events[weights > 0]
    alone = hawkeys.fit(some, decay=1.3)
    for build in (profile_interval, sandwich_covariance):
        one, other = build(weighted, events).to_frame(), build(alone, some).to_frame()
        for name in ("lower", "upper"):
            np.testing.assert_allclose(one[name], other[name], rtol=1e-5, atol=1e-8)
    path = penalty_path(events, decay=1.3, weights=weights, n_strengths=5)
    plain = penalty_path(some, decay=1.3, n_strengths=5)
    np.testing.assert_allclose(path.coefficients, plain.coefficients, atol=1e-6)
    np.testing.assert_allclose(path.cv_log_likelihood, plain.cv_log_likelihood, rtol=1e-6)


def test_an_impossible_event_of_weight_0_does_not_matter():
    """Mark 1 is silent where the weight is above 0, so its event elsewhere is impossible."""
    events = hawkeys.Events.from_lists([[[1.0, 2.0], []], [[0.5], [0.7]]], end_times=4.0)
    steps = PiecewiseConstant([0, 2, 4])
    with pytest.warns(hawkeys.exceptions.IdentifiabilityWarning):
        result = hawkeys.fit(events, decay=1.0, weights=[1.0, 0.0], baseline=steps)
    assert np.isfinite(result.objective)
    assert result.log_likelihood == -np.inf
