"""Plain loops of penalised rows, profiles, scores and rectified intensities against compiled."""

import sys

import numpy as np
import pytest
from test_plain_loops import CASES, both, close  # noqa: F401

import hawkeys
from hawkeys._jit import penalized as jit_penalized
from hawkeys._jit import profile as jit_profile
from hawkeys._jit import rectified as jit_rectified
from hawkeys._loops import penalized as choice_of_penalized
from hawkeys._plain import penalized, profile, rectified
from hawkeys._plain.interpreted import interpreted
from hawkeys.inference import (
    ElasticNet,
    GroupLasso,
    Lasso,
    Ridge,
    edge_tests,
    penalty_path,
    profile_interval,
    sandwich_covariance,
)

QUIET = pytest.mark.filterwarnings("ignore::hawkeys.exceptions.HawkeysWarning")


class TestInterpreted:
    def test_is_the_text_of_the_compiled_loops_without_numba(self):
        module = interpreted("layout")
        code = module.count_events.__code__
        assert code.co_filename == sys.modules["hawkeys._jit.layout"].__file__
        assert type(module.count_events).__name__ == "function"
        given = np.array([1, 0, 1]), np.array([0, 2, 3]), 2
        assert module.count_events(*given).tolist() == [[1, 1], [0, 1]]
        assert module.__name__ not in sys.modules
        assert "njit" not in vars(module)

    def test_functions_take_the_place_of_its_own(self):
        module = interpreted("penalized", _log_terms=penalized._log_terms)
        assert module._log_terms is penalized._log_terms
        assert interpreted("penalized")._log_terms is not penalized._log_terms

    def test_what_is_not_there_cannot_be_replaced(self):
        with pytest.raises(AttributeError, match="no attribute '_nothing'"):
            interpreted("penalized", _nothing=len)


def rows(seed, weighted):
    rng = np.random.default_rng(seed)
    v = np.vstack((np.ones(40), rng.gamma(0.5, 1.0, (3, 40)) * (rng.random((3, 40)) > 0.4)))
    weights = rng.integers(0, 3, 40) / 2.0 if weighted else np.ones(40)
    return v, weights, np.array([10.0, 12.0, 9.0, 15.0])


class TestSums:
    """The sums over events that were written anew."""

    @pytest.mark.parametrize("weighted", [False, True])
    def test_of_penalised_rows(self, weighted):
        v, weights, _ = rows(0, weighted)
        x = np.array([0.3, 0.0, 0.7, 1.1])
        found = []
        for module in (penalized, jit_penalized):
            slope, hessian = np.zeros(4), np.zeros((4, 4))
            value = module._log_terms(
                v.ravel(), weights if weighted else np.empty(0), x, slope, hessian
            )
            found.append([np.array([value]), slope, hessian])
        close(*found, rtol=1e-12)
        for module in (penalized, jit_penalized):
            out = module._log_terms(v.ravel(), np.ones(40), np.zeros(4), slope, hessian)
            assert out == -np.inf

    @pytest.mark.parametrize("weighted", [False, True])
    def test_of_profiles(self, weighted):
        row = *rows(1, weighted), np.array([0.5, 2.0, 0.0, 3.0])
        x = np.array([0.3, 0.0, 0.7, 1.1])
        found = []
        for module in (profile, jit_profile):
            slope, hessian = np.empty(4), np.empty((4, 4))
            value = module._evaluate(row, x, slope, hessian)
            same = module._value(row, x)
            found.append([np.array([value, same]), slope, hessian])
        close(*found, rtol=1e-12)
        for module in (profile, jit_profile):
            assert module._value(row, np.zeros(4)) == -np.inf
            assert module._evaluate(row, np.zeros(4), slope, hessian) == -np.inf

    @pytest.mark.parametrize("weighted", [False, True])
    def test_of_scores(self, weighted):
        rng = np.random.default_rng(2)
        offsets = np.array([0, 3, 3, 10, 12])
        excitation, x = rng.gamma(0.5, 1.0, 24), rng.uniform(0.1, 1.0, (2, 3))
        weights = rng.integers(0, 3, 12) / 2.0 if weighted else np.empty(0)
        given = excitation, weights, offsets, rng.uniform(1.0, 2.0, (4, 3)), x
        close([profile.scores(*given)], [jit_profile.scores(*given)], rtol=1e-12)


@QUIET
@pytest.mark.parametrize("name", ["usual", "ties", "silent mark", "one event each", "one mark"])
@pytest.mark.parametrize(
    "penalty", [Ridge(2.0), Lasso(1.5), ElasticNet(1.0, 0.5), GroupLasso(1.0)], ids=repr
)
def test_penalised_fits(both, name, penalty):  # noqa: F811
    def run():
        found = hawkeys.fit(CASES[name], decay=2.0, method="map", prior=penalty, tolerance=1e-9)
        assert found.converged
        return found.objective, found.estimates

    plain, compiled = both(run)
    assert plain[0] == pytest.approx(compiled[0], abs=1e-8)
    close(plain[1:], compiled[1:], rtol=1e-4)


USUAL = CASES["usual"]
FIT = hawkeys.fit(USUAL, decay=2.0)


@QUIET
class TestAfterAFit:
    def test_path(self, both):  # noqa: F811
        plain, compiled = both(lambda: penalty_path(USUAL, decay=2.0, n_strengths=5))
        close([plain.strengths], [compiled.strengths])
        close([plain.adjacency], [compiled.adjacency], rtol=1e-3)

    @pytest.mark.parametrize("prior", [None, Ridge(2.0), hawkeys.GammaPrior()], ids=repr)
    def test_profiles(self, both, prior):  # noqa: F811
        by_map = {} if prior is None else {"method": "map", "prior": prior}
        fit = hawkeys.fit(USUAL, decay=2.0, **by_map)

        def run():
            found = profile_interval(fit, USUAL)
            return found.lower, found.upper

        close(*both(run), rtol=1e-6)

    def test_edges(self, both):  # noqa: F811
        plain, compiled = both(lambda: edge_tests(FIT, USUAL).to_frame())
        columns = [name for name in plain if plain[name].dtype == float]
        assert columns
        close([plain[columns].to_numpy()], [compiled[columns].to_numpy()], rtol=1e-6)

    def test_sandwich(self, both):  # noqa: F811
        def run():
            return [sandwich_covariance(FIT, USUAL).covariance]

        close(*both(run), rtol=1e-9)


def test_problems_of_many_parameters_are_compiled():
    assert choice_of_penalized.solvers(1_000, 3, 30) is penalized
    assert choice_of_penalized.solvers(1_000, 3, 31) is choice_of_penalized.jit
    assert choice_of_penalized.solvers(18_800, 3, 4) is penalized
    assert choice_of_penalized.solvers(18_801, 3, 4) is choice_of_penalized.jit


THETAS = {
    "inhibited": (0.7, (-0.5, 0.2, -0.1), 1.5),
    "excited": (0.7, (0.3, 0.2, 0.1), 1.5),
    "without baseline": (0.0, (0.6, 0.9, 0.4), 0.8),
    "mostly off": (0.1, (-2.0, -1.0, 0.5), 4.0),
}


@pytest.mark.parametrize("theta", THETAS)
@pytest.mark.parametrize("name", CASES)
class TestRectified:
    def test_row(self, name, theta):
        events = CASES[name]
        mu, row, decay = THETAS[theta]
        given = np.array([mu, *row[: events.n_marks], decay])
        windows = np.column_stack((events.start_times, events.end_times))
        weights = 0.5 + np.arange(events.n_realizations)
        weights[1:2] = 0.0
        for target in range(events.n_marks):
            found = []
            for module in (rectified, jit_rectified):
                out = np.zeros((given.size, given.size))
                value = module.row_log_likelihood(
                    events.times, events.marks, events.offsets, windows, weights, target, given, out
                )
                found.append([np.array([value]), out * (value > -np.inf)])
            close(*found, rtol=1e-10)

    def test_compensator(self, name, theta):
        events = CASES[name][0]
        mu, row, decay = THETAS[theta]
        given = np.array([mu, *row[: events.n_marks], decay])
        start, end = events.start_times[0], events.end_times[0]
        queries = np.sort(np.concatenate((np.linspace(start, end, 30), events.times)))
        found = []
        for module in (rectified, jit_rectified):
            out = np.empty(queries.size)
            module.compensator_at(events.times, events.marks, start, given, queries, out)
            found.append([out])
        close(*found, rtol=1e-10)


SIGNED = hawkeys.RectifiedHawkes([0.8, 0.5], [[0.3, -0.6], [0.2, 0.1]], decay=[3.0, 1.0])


def test_rectified_simulation_takes_the_same_draws(both):  # noqa: F811
    def run():
        found = hawkeys.simulate_rectified(SIGNED, end_time=[300.0, 900.0, 5.0], rng=3)
        return found.times, found.marks.astype(float), found.offsets.astype(float)

    plain, compiled = both(run)
    assert plain[0].size > 600  # more than one buffer
    close(plain, compiled, rtol=1e-12)


def test_rectified_simulation_on_both_sides_of_the_switch(both):  # noqa: F811
    """Events of all windows of a call count: the later ones are compiled, with the same draws."""

    def run():
        return hawkeys.simulate_rectified(SIGNED, end_time=[6_000.0] * 3, rng=3).times

    chosen = run()
    assert 2 * chosen.size > 20_000
    for one in both(run):
        close([one], [chosen], rtol=1e-12)


@QUIET
def test_rectified_fit(both):  # noqa: F811
    sample = hawkeys.simulate_rectified(SIGNED, end_time=[200.0, 300.0], rng=1)

    def run():
        found = hawkeys.fit_rectified(sample, decay=[3.0, 1.0])
        values = found.process.baseline, found.process.adjacency
        return found.process.log_likelihood(sample), *values

    plain, compiled = both(run)
    assert plain[0] == pytest.approx(compiled[0], abs=1e-6)
    close(plain[1:], compiled[1:], rtol=1e-3)
