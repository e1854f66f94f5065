"""Plain loops of branching rows, contrasts and slopes of decays against the compiled ones."""

import numpy as np
import pytest
from scipy import special
from test_plain_loops import CASES, both, close  # noqa: F401

import hawkeys
from hawkeys._jit import branching as jit_branching
from hawkeys._jit import contrast as jit_contrast
from hawkeys._jit import decay_slope as jit_decay_slope
from hawkeys._plain import branching, contrast, decay_slope

QUIET = pytest.mark.filterwarnings("ignore::hawkeys.exceptions.HawkeysWarning")


@pytest.mark.parametrize("name", CASES)
class TestExponential:
    def test_slopes_of_decays(self, name):
        events = CASES[name]
        n, rng = events.n_marks, np.random.default_rng(0)
        x = rng.uniform(0.1, 1.0, (n, n + 1))
        x[0, 1] = 0.0
        weights = rng.uniform(0.5, 2.0, events.n_realizations)
        given = events.times, events.marks, events.offsets
        found = []
        for module in (decay_slope, jit_decay_slope):
            out = np.full((n, n), 7.0)
            decay = np.random.default_rng(1).uniform(0.3, 4.0, (n, n))
            for part in ((0, 1), (1, n)):
                module.log_decay_slopes(given, events.end_times, weights, decay, x, out, part)
            found.append([out])
        close(*found, rtol=1e-10)

    def test_slopes_are_those_of_the_likelihood(self, name):
        """By differences of the log-likelihood at two decays near by."""
        events = CASES[name]
        n, rng = events.n_marks, np.random.default_rng(2)
        x = rng.uniform(0.1, 0.4, (n, n + 1))
        decay = rng.uniform(0.5, 2.0, (n, n))
        out = np.empty((n, n))
        decay_slope.log_decay_slopes(
            (events.times, events.marks, events.offsets), events.end_times,
            np.ones(events.n_realizations), decay, x, out, (0, n),
        )  # fmt: skip
        step = 1e-5
        for i, j in np.ndindex(n, n):
            values = []
            for sign in (-1, 1):
                other = decay.copy()
                other[i, j] *= np.exp(sign * step)
                process = hawkeys.Hawkes(x[:, 0], x[:, 1:], decay=other)
                values.append(process.log_likelihood(events))
            slope = (values[1] - values[0]) / (2 * step)
            # rounding of the likelihood, which is large where windows are long
            error = 1e-6 + 1e-15 * abs(values[0]) / step
            assert out[i, j] == pytest.approx(slope, rel=1e-6, abs=error)

    def test_products(self, name):
        events = CASES[name]
        n = events.n_marks
        scale = np.random.default_rng(3).uniform(0.5, 2.0, events.n_realizations)
        found = []
        for module in (contrast, jit_contrast):
            out = np.ones((n, n))
            decay = np.random.default_rng(4).uniform(0.3, 4.0, n)
            data = events.times, events.marks, events.offsets
            module.add_products(data, events.end_times, scale, decay, out)
            found.append([out])
        close(*found, rtol=1e-10)


def test_products_against_quadrature():
    """Between events the product is smooth; simultaneous events meet each other too."""
    times, marks = np.array([1.0, 2.0, 2.0, 2.5]), np.array([0, 1, 0, 1])
    decay, end, out = np.array([0.7, 1.9]), 4.0, np.zeros((2, 2))
    data = times, marks, np.array([0, 4])
    contrast.add_products(data, np.array([end]), np.array([3.0]), decay, out)
    nodes, weights = np.polynomial.legendre.leggauss(30)
    total = np.zeros((2, 2))
    for low, high in ((1.0, 2.0), (2.0, 2.5), (2.5, 4.0)):
        t = low + (high - low) * 0.5 * (nodes + 1.0)
        lags = t[:, None] - times
        parts = np.where(lags > 0, decay[marks] * np.exp(-decay[marks] * lags), 0.0)
        state = np.stack([parts[:, marks == j].sum(axis=1) for j in (0, 1)])
        total += 1.5 * (high - low) * (state * weights) @ state.T
    np.testing.assert_allclose(out, total, rtol=1e-12)


class TestBranching:
    def test_special_functions(self):
        x = np.geomspace(1e-3, 1e6, 50)
        np.testing.assert_allclose(branching.digamma(x), special.digamma(x), rtol=1e-13)
        for plain, jit in ((branching.digamma, jit_branching.digamma),
                           (branching.trigamma, jit_branching.trigamma)):  # fmt: skip
            np.testing.assert_allclose(plain(x), [jit(one) for one in x], rtol=1e-12, atol=1e-15)

    @pytest.mark.parametrize("weighted", [False, True])
    def test_share_events(self, weighted):
        rng = np.random.default_rng(0)
        matrix, e = rng.gamma(0.5, 1.0, (3, 20)), np.array([0.2, 0.5, 0.0, 1.0])
        weights = rng.integers(0, 3, 20) / 2.0 if weighted else np.empty(0)
        found = []
        for module in (branching, jit_branching):
            counts, cross = np.full(4, 7.0), np.full((4, 4), 7.0)
            value = module.share_events(matrix, weights, e, counts, cross)
            found.append([np.array([value]), counts, cross])
        close(*found, rtol=1e-12)

    def test_an_impossible_event(self):
        given = np.zeros((1, 2)), np.empty(0), np.array([0.0, 1.0])
        for module in (branching, jit_branching):
            assert module.share_events(*given, np.zeros(2), np.zeros((2, 2))) == -np.inf

    @QUIET
    @pytest.mark.parametrize("options", [{}, {"weights": "some"}, {"support": True}], ids=str)
    @pytest.mark.parametrize("name", CASES)
    def test_fit(self, both, name, options):  # noqa: F811
        events, given = CASES[name], dict(options)
        if "support" in given:
            given["support"] = ~np.eye(events.n_marks, dtype=bool)
        if "weights" in given:
            given["weights"] = np.arange(events.n_realizations) + 0.5

        def run():
            found = hawkeys.fit(events, decay=2.0, method="vi_branching", **given)
            assert found.converged
            lower, upper = found.interval()
            return found.objective, found.estimates, lower, upper

        plain, compiled = both(run)
        assert plain[0] == pytest.approx(compiled[0], abs=1e-6)
        close(plain[1:], compiled[1:], rtol=2e-4)


SAMPLE = hawkeys.simulate(
    hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0),
    end_time=300.0, n_realizations=2, rng=0,
)  # fmt: skip


@pytest.mark.parametrize(
    "options", [{"method": "least_squares", "decay": 2.0}, {"decay": "estimate"}], ids=str
)
def test_fits(both, options):  # noqa: F811
    def run():
        found = hawkeys.fit(SAMPLE, **options)
        return found.objective, found.estimates, found.kernel.decay

    plain, compiled = both(run)
    assert plain[0] == pytest.approx(compiled[0], abs=1e-6)
    close(plain[1:], compiled[1:], rtol=1e-4)
