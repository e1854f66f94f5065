"""Stochastic variational inference at rates that make no sense: an error, never a number."""

import pytest

import hawkeys
from hawkeys.exceptions import InvalidParameterError

TRUTH = hawkeys.Hawkes([0.5, 0.4], [[0.3, 0.2], [0.1, 0.4]], decay=2.0)
EVENTS = hawkeys.simulate(TRUTH, end_time=30.0, n_realizations=3, rng=1)


@pytest.mark.parametrize("fit", [hawkeys.fit, hawkeys.fit_each])
@pytest.mark.parametrize("rate", [1.5, 100.0, 1e300])
def test_rates_above_1_are_refused(fit, rate):
    with pytest.raises(InvalidParameterError, match=r"learning_rate must be at most 1.*default is"):
        fit(EVENTS, decay=2.0, method="vi_stochastic", learning_rate=rate)


@pytest.mark.parametrize("fit", [hawkeys.fit, hawkeys.fit_each])
def test_steps_that_leave_the_numbers_are_an_error(fit):
    growing = {"learning_rate": 1.0, "learning_rate_factor": 1.01, "n_steps": 3_000}
    message = r"left the range of numbers in \d of \d row problems.*learning_rate=1 .*Lower them"
    with pytest.raises(InvalidParameterError, match=message):
        fit(EVENTS, decay=2.0, method="vi_stochastic", **growing)
