"""What a warning advises where a fit did not converge is an option that the method has."""

import numpy as np
import pytest

import hawkeys
from hawkeys.exceptions import ConvergenceWarning

EVENTS = hawkeys.simulate(
    hawkeys.Hawkes([0.5, 0.3], [[0.3, 0.2], [0.1, 0.4]], decay=2.0), end_time=200.0, rng=0
)


def test_least_squares_has_no_max_iter():
    with pytest.warns(ConvergenceWarning, match="is above tolerance=1.0e-30") as told:
        result = hawkeys.fit(EVENTS, decay=2.0, method="least_squares", tolerance=1e-30)
    assert "max_iter" not in str(told[0].message)
    assert f"{result.kkt_residual:.1e}" in str(told[0].message)
    assert "max_iter" not in result.options


def test_too_few_steps():
    with pytest.warns(ConvergenceWarning, match="raise max_iter"):
        hawkeys.fit(EVENTS, decay=2.0, max_iter=1)


def test_an_estimated_kernel_that_rounding_stops():
    kernel = hawkeys.kernels.Histogram(np.linspace(0.0, 3.0, 5))
    with pytest.warns(ConvergenceWarning, match="raise tolerance") as told:
        result = hawkeys.fit(EVENTS, kernel=kernel, tolerance=1e-300)
    assert result.n_iterations < result.options["max_iter"]
    assert "max_iter" not in str(told[0].message)


def test_stochastic_steps_have_no_tolerance(recwarn):
    result = hawkeys.fit(EVENTS, decay=2.0, method="vi_stochastic", n_steps=20, rng=0)
    assert result.converged
    assert not recwarn.list
