"""Functions of the shape of a gamma density against 40-digit arithmetic."""

import naive_delayed as naive
import numpy as np
import pytest
from scipy import integrate, special

from hawkeys import Events, Hawkes
from hawkeys._jit import delayed as jit
from hawkeys.kernels import Gamma
from hawkeys.kernels.gamma_series import log_excess, log_excess_slope, log_front

SHAPES = [1e-3, 0.3, 1.0, 4.0, 9.99, 10.0, 10.01, 37.0, 300.0, 1e4, 1e6, 1e8]


@pytest.mark.parametrize("shape", SHAPES)
def test_no_digit_is_lost(shape):
    value = np.array(shape)
    # below 10 they are differences of larger numbers, some 50 times as large
    assert log_excess(value) == pytest.approx(float(naive.gamma_excess(shape)), rel=1e-14)
    assert log_front(value) == pytest.approx(float(naive.gamma_log_front(shape)), rel=1e-13)
    up, down = naive.gamma_excess(shape * 1.001), naive.gamma_excess(shape * 0.999)
    far_up, far_down = naive.gamma_excess(shape * 1.002), naive.gamma_excess(shape * 0.998)
    slope = float(8 * (up - down) - (far_up - far_down)) / (0.012 * shape)
    assert log_excess_slope(value) == pytest.approx(slope, rel=1e-9)


@pytest.mark.parametrize("shape", [0.3, 1.0, 30.0, 3e3, 1e4])
def test_mass_and_deviance_beyond_a_lag(shape):
    """Against scipy's incomplete gamma functions and quadrature, from deep tail to deep tail."""
    sets, _ = Gamma.tabulate(np.array([shape]), np.array([shape]))
    front, mean = sets[0, 2:]
    width = 1.0 / np.sqrt(shape)

    def density(t):  # by the log of the lag over its mean
        return np.exp(front - shape * (np.expm1(t) - t))

    for z in (-4.0, -1.0, -0.1, 0.0, 0.3, 1.0, 2.5, 6.0):
        log_lag = z * min(width, 1.0)
        mass, beyond, deviance, _ = jit._gamma_split(np.exp(log_lag), sets, 0)
        x = shape * np.exp(log_lag)
        assert mass == pytest.approx(special.gammainc(shape, x), rel=1e-12)
        assert beyond == pytest.approx(special.gammaincc(shape, x), rel=1e-12)
        ends = (log_lag, min(log_lag + 12.0 * width, 8.0))
        if z < 0:
            ends = (log_lag - 12.0 * width - 40.0 / shape, log_lag)
        part = integrate.quad(
            lambda t: density(t) * (np.expm1(t) - t), *ends, epsabs=0.0, epsrel=1e-12, limit=900
        )[0]
        # the deviance is 1 / (2 shape) on average: an absolute error would not do
        expected = part if z >= 0 else mean - part
        assert deviance == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize("shape", [0.4, 15.0, 1e4])
def test_the_likelihood_at_large_shapes(shape):
    """Against densities of 40 digits."""
    rng = np.random.default_rng(0)
    first = np.sort(rng.uniform(0.0, 50.0, 40))
    lags = 0.7 * np.exp(rng.standard_normal(40) / np.sqrt(shape + 1.0))
    events = Events.from_lists([[first, np.sort(first + lags)]], end_times=60.0)
    process = Hawkes([1.0, 0.01], [[0.0, 0.0], [0.8, 0.0]], kernel=Gamma(shape, shape / 0.7))
    front = float(naive.gamma_log_front(shape))
    expected = -60.0 * 1.01
    for time in first:
        expected -= 0.8 * special.gammainc(shape, shape / 0.7 * (60.0 - time))
    for time in np.sort(first + lags):
        ratio = (time - first[first < time]) / 0.7
        deviance = (ratio - 1.0) - np.log(ratio)
        rates = 0.8 * np.exp(front - shape * deviance) / (0.7 * ratio)
        expected += np.log(0.01 + rates.sum())
    assert process.log_likelihood(events) == pytest.approx(expected, rel=1e-12)
