"""Plain loops for small data: what compiled ones return, chosen by size alone, without numba."""

import ast
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hawkeys
from hawkeys._jit import exponential as jit_exponential
from hawkeys._jit import layout as jit_layout
from hawkeys._jit import likelihood as jit_likelihood
from hawkeys._jit import over_time as jit_over_time
from hawkeys._jit import rows as jit_rows
from hawkeys._jit import variational as jit_variational
from hawkeys._loops import choice, delayed
from hawkeys._plain import bound_ascent, exponential, layout, likelihood, rows, variational
from hawkeys.inference.rows.bound import base_draws
from hawkeys.kernels import BlockLayout, Exponential

PAIRS = [
    (exponential, jit_exponential),
    (exponential, jit_over_time),
    (layout, jit_layout),
    (likelihood, jit_likelihood),
    (rows, jit_rows),
    (variational, jit_variational),
]
PACKAGE = Path(hawkeys.__file__).parent
TRUTH = hawkeys.Hawkes([0.4, 0.2, 0.1], [[0.3, 0.1, 0], [0, 0.5, 0], [0.2, 0, 0.1]], decay=2.0)


def lists(*realizations, end=10.0):
    return hawkeys.Events.from_lists([[np.array(c, float) for c in r] for r in realizations],
                                     end_times=end)  # fmt: skip


CASES = {
    "usual": hawkeys.simulate(TRUTH, end_time=60.0, n_realizations=4, rng=1),
    "no event": lists([[], []], [[], []]),
    "one event": lists([[], [3.0]]),
    "one event each": lists([[1.0], []], [[], []], [[], [9.0]]),
    "ties": lists([[1, 1, 2, 2, 2, 5], [1, 2, 2, 7]], [[4, 4], [4, 4]]),
    "silent mark": lists([[1, 1.5, 2, 6], [], [2, 4, 9.5]]),
    "huge gaps": lists([[0, 1e-9, 3e5], [0.5, 9e8, 9e8 + 1]], end=1e9),
    "gaps that fade to nothing": lists([[0, 347], [2, 345.5]], end=381.0),
    "at both ends": lists([[0, 10], [0, 10]]),
    "one mark": lists([[1, 2, 2.5, 7]], [[]], [[0.1]]),
}
DECAYS = {"shared": 1.3, "source": "source", "pair": "pair"}


def decay_of(kind, size):
    if kind == "shared":
        return 1.3
    rng = np.random.default_rng(5)
    return rng.uniform(0.3, 4.0, size if kind == "source" else (size, size))


@pytest.fixture
def both(monkeypatch):
    """Return what a function returns with plain loops, and with compiled ones."""

    def run(function):
        out = []
        for most in (10**12, -1):
            monkeypatch.setattr(choice, "MOST", most)
            out.append(function())
        return out

    return run


def close(plain, compiled, rtol=1e-11):
    for ours, theirs in zip(plain, compiled, strict=True):
        scale = np.abs(np.nan_to_num(theirs, posinf=0, neginf=0)).max(initial=0)
        np.testing.assert_allclose(ours, theirs, rtol=rtol, atol=rtol * scale)


@pytest.mark.parametrize(("plain", "compiled"), PAIRS, ids=lambda module: module.__name__)
def test_names_and_arguments_are_those_of_the_compiled_twins(plain, compiled):
    def signatures(module):
        tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
        return {
            node.name: [a.arg for a in node.args.args]
            for node in tree.body
            if isinstance(node, ast.FunctionDef) and node.name in compiled.__all__
        }

    found = signatures(plain)
    assert found == {name: signatures(compiled)[name] for name in found}
    # a number; what `decay_slope.decay_curvatures` does, for one mark as for many;
    # `Events.counts`; and sums that `excitation_at` gives for small data, or only large data need
    elsewhere = {"SILENT", "curvature_alone", "count_events"}
    elsewhere |= {"own_mass", "pulls", "selected_excitation", "source_sums_at"}
    assert set(found) == set(compiled.__all__) - elsewhere


def test_constants_are_those_of_the_compiled_code():
    from hawkeys._jit import delayed as jit

    assert (delayed.LOG_NORMAL, delayed.GAMMA, delayed.HISTOGRAM) == (
        jit.LOG_NORMAL, jit.GAMMA, jit.HISTOGRAM,
    )  # fmt: skip
    for name in ("SILENT", "_LOC_LIMIT", "_SCALE_LIMIT", "_SMALL", "_WANING", "_RETURNS"):
        assert getattr(bound_ascent, name) == getattr(jit_variational, name)
    for name in ("_RIDGE", "_ARMIJO", "_SHORTEST", "_SILENT"):
        assert getattr(rows, name) == getattr(jit_rows, name)


@pytest.mark.parametrize("name", CASES)
def test_numbers_of_events(both, name):
    """By plain and compiled loops, against counting one by one."""
    events = CASES[name]
    expected = np.zeros((events.n_realizations, events.n_marks), dtype=np.int64)
    for r in range(events.n_realizations):
        for mark in events.marks[events.offsets[r] : events.offsets[r + 1]]:
            expected[r, mark] += 1
    for found in both(lambda: events.counts):
        assert found.dtype == np.int64
        np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("kind", DECAYS)
@pytest.mark.parametrize("name", CASES)
class TestExcitation:
    def test_at_events(self, both, name, kind):
        events = CASES[name]
        kernel = Exponential(decay_of(kind, events.n_marks))
        for separate in (False, True):

            def run(separate=separate):
                where = BlockLayout.build(events, separate=separate)
                found = kernel.excitation(events, where), kernel.integrals(events)
                return *found, where.offsets, where.first, where.slots

            close(*both(run))

    def test_at_times(self, both, name, kind):
        events = CASES[name]
        kernel = Exponential(decay_of(kind, events.n_marks))
        for r in range(events.n_realizations):
            own = events.times[events.offsets[r] : events.offsets[r + 1]]
            grid = np.linspace(events.start_times[r], events.end_times[r], 41)
            times = np.sort(np.concatenate((grid, own, own)))
            close(*both(lambda r=r, times=times: kernel.excitation_at(events, r, times)))
            close(*both(lambda r=r: kernel.excitation_at(events, r, np.empty(0))))


ALONE = [
    {},
    {"method": "map"},
    {"method": "map", "prior": hawkeys.GammaPrior(2.0, 3.0)},
]
OPTIONS = [*ALONE, {"weights": "some"}, {"support": True}]


@pytest.mark.parametrize("name", CASES)
@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.HawkeysWarning")
class TestFit:
    @staticmethod
    def given(name, options):
        events, given = CASES[name], dict(options)
        if "support" in given:
            given["support"] = ~np.eye(events.n_marks, dtype=bool)
        if "weights" in given:
            given["weights"] = np.arange(events.n_realizations) + 0.5
        return events, given

    @pytest.mark.parametrize("options", OPTIONS, ids=str)
    def test_fit(self, both, name, options):
        events, given = self.given(name, options)

        def run():
            found = hawkeys.fit(events, decay=2.0, **given)
            assert found.converged
            value = found.process.log_likelihood(events)
            return found.objective, value, found.estimates, found.std_err

        plain, compiled = both(run)
        # the tolerance of the certificate, which the value meets by far at these sizes
        assert plain[0] == pytest.approx(compiled[0], abs=1e-6)
        close(plain, compiled, rtol=2e-4)

    @pytest.mark.parametrize("options", ALONE, ids=str)
    def test_fit_each(self, both, name, options):
        events = CASES[name]

        def run():
            found = hawkeys.fit_each(events, decay=2.0, **options)
            assert found.converged.all()
            return found.objective, found.log_likelihood, found.baseline, found.adjacency

        plain, compiled = both(run)
        assert plain[0] == pytest.approx(compiled[0], abs=1e-6)
        close(plain, compiled, rtol=2e-4)


@pytest.mark.parametrize("options", [
    {"prior_coefficient": 2.0}, {"relevance_determination": True}, {"weights": "some"},
], ids=str)  # fmt: skip
@pytest.mark.parametrize("name", [name for name in CASES if name != "huge gaps"])
@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.HawkeysWarning")
def test_variational_inference(both, name, options):
    events, given = CASES[name], dict(options)
    if "weights" in given:
        given["weights"] = np.arange(events.n_realizations) + 0.5

    def run():
        found = hawkeys.fit(events, decay=2.0, method="vi", rng=3, tolerance=1e-11, **given)
        lower, upper = found.interval()
        return found.objective, found.estimates, lower, upper

    plain, compiled = both(run)
    assert plain[0] == pytest.approx(compiled[0], abs=1e-5)
    close(plain, compiled, rtol=1e-4)


PRIORS = {"half-normal": (0.7, 0, 0), "optimal": (0, 0, 0), "log-normal": (0, 0.4, 2.5),
          "gamma": (0, 1.5, -1)}  # fmt: skip


class TestVariationalRows:
    @staticmethod
    def problem(seed, prior, n=30):
        rng = np.random.default_rng(seed)
        offsets = np.array([0, n, n + 3])
        excitation = rng.gamma(0.5, 1.0, 3 * offsets[-1])
        excitation[3 * n - n : 3 * n] = 0.0  # the last source of the first row is silent
        weights = rng.uniform(0.0, 2.0, offsets[-1]) * (rng.random(offsets[-1]) > 0.2)
        cost = rng.uniform(5.0, 20.0, (2, 4))
        cost[1, 2] = 0.0
        priors = np.broadcast_to(np.array(prior, float)[:, None], (2, 3, 4)).copy()
        start = rng.normal(-2.0, 0.3, (2, 2, 4))
        return (excitation, weights, offsets), cost, priors, base_draws(16, 4, 0), start

    @pytest.mark.parametrize("prior", PRIORS.values(), ids=PRIORS)
    @pytest.mark.parametrize("seed", range(4))
    def test_raise_rows(self, seed, prior):
        data, cost, priors, draws, start = self.problem(seed, prior)
        found = []
        for module in (variational, jit_variational):
            out = np.empty(start.shape), np.empty((2, 3)), np.empty((2, 200))
            module.raise_rows(data, cost, priors, draws, start, 1e-9, out, (0, 2))
            found.append(out)
        (params, report, traces), (others, wanted, theirs) = found
        np.testing.assert_allclose(report[:, 0], wanted[:, 0], rtol=0, atol=1e-6)
        costs = cost[:, None] > 0
        close([np.exp(params)[np.broadcast_to(costs, params.shape)]],
              [np.exp(others)[np.broadcast_to(costs, params.shape)]], rtol=1e-4)  # fmt: skip
        # the same steps, but for those of the last digits
        both = ~(np.isnan(traces) | np.isnan(theirs))
        assert both[:, :3].all()
        np.testing.assert_allclose(traces[both], theirs[both], rtol=1e-9)
        for trace in traces:
            assert (np.diff(trace[~np.isnan(trace)]) >= -1e-9).all()

    @pytest.mark.parametrize("step", [[6.0, 0, 2.0, 0], [1, 0, 4, 0], [9, 1, -1, 0], [1, 1, 1, 1]])
    def test_steps_are_cut_where_they_are_longest(self, step):
        step = np.array(step, dtype=float)
        ours, theirs = bound_ascent._shorten(step), step.copy()
        jit_variational._shorten(theirs)
        np.testing.assert_allclose(ours, theirs, rtol=1e-15)

    def test_events_that_are_held_at_once_do_not_matter(self, monkeypatch):
        (excitation, weights, _), _, _, draws, params = self.problem(1, PRIORS["gamma"])
        v = np.vstack((np.ones(30), excitation[:90].reshape(3, 30)))
        idx, gone = np.array([0, 2]), np.array([1, 3])
        ask = bound_ascent.Ask(idx, params[0][:, idx].ravel(), gone, np.ones((2, len(draws))))
        whole = variational.sums_over(v, weights[:30], draws, ask)
        monkeypatch.setattr(variational, "_AT_ONCE", 140)
        close(variational.sums_over(v, weights[:30], draws, ask), whole, rtol=1e-12)
        theta, _ = bound_ascent.draws_at(idx, draws, ask.point)
        shares = np.mean([weights[:30] @ (v[gone] / lam).T for lam in theta.T @ v[idx]], axis=0)
        np.testing.assert_allclose(whole.share, shares, rtol=1e-12)

    @pytest.mark.parametrize("prior", PRIORS.values(), ids=PRIORS)
    @pytest.mark.parametrize("scale", [1.0, 1e-200, 1e150])
    def test_bounds_and_curvature(self, prior, scale):
        (excitation, weights, offsets), cost, priors, draws, params = self.problem(9, prior)
        data = scale * excitation, weights, offsets
        params[:, 0, 0] += np.log(scale)  # all intensities are of the same, extreme size
        found = []
        for module in (variational, jit_variational):
            value, curvature = np.zeros(2), np.full((2, 8, 8), np.nan)
            module.expected_log_rows(data, draws, params, value, (0, 2))
            cheap = cost / np.array([scale, 1.0, 1.0, 1.0])
            module.curvature_rows(data, cheap, priors, draws, params, curvature, (0, 2))
            found.append((value, curvature))
        close(*found, rtol=1e-10)


class TestRows:
    def test_value_and_gradient(self, both):
        events = CASES["usual"]
        x = np.random.default_rng(2).uniform(0.1, 1.0, (3, 4))
        likelihood = {}

        def run():
            likelihood["f"] = hawkeys.LogLikelihood(events, decay=2.0)
            return likelihood["f"].value_and_gradient(x)

        close(*both(run))

    @pytest.mark.parametrize("module", [likelihood, jit_likelihood])
    def test_an_impossible_event(self, module):
        """It makes the likelihood 0, unless its weight is 0."""
        data = np.array([0.0, 1.0]), np.array([1.0, 2.0]), np.array([0, 2])
        cost, x, out, gradient = (
            np.ones((1, 2)),
            np.array([[0.0, 1.0]]),
            np.zeros(1),
            np.zeros((1, 2)),
        )
        module.row_values(data, cost, x, out, gradient, (0, 1))
        assert out[0] == -np.inf
        data[1][0] = 0.0
        gradient[:] = 0.0
        module.row_values(data, cost, x, out, gradient, (0, 1))
        assert out[0] == -1.0
        assert gradient[0].tolist() == [1.0, 1.0]

    def test_parts(self):
        """Rows outside the range are left alone."""
        rng = np.random.default_rng(0)
        data = rng.gamma(0.5, 1.0, 20), np.empty(0), np.array([0, 5, 12, 20])
        cost = np.ones((3, 2))
        out = np.full((3, 2), 7.0), np.full((3, 4), 7.0), np.empty((0, 2, 2)), np.empty((0, 50))
        rows.solve_rows(data, cost, np.zeros(2), (1e-6, 50), np.empty((0, 0)), out, (1, 2))
        assert (out[0][[0, 2]] == 7).all()
        assert (out[0][1] != 7).all()


class TestMerging:
    WINDOW = np.array([[0.0, 0.0], [10.0, 10.0]])

    @staticmethod
    def merged(module, columns, windows):
        """Columns of two marks, for each of two realisations."""
        flat = np.concatenate(columns)
        ends = np.cumsum([0, *(c.size for c in columns)])
        bounds = np.stack((ends[[0, 1, 2]], ends[[2, 3, 4]]))
        times, marks = np.empty(flat.size), np.empty(flat.size, dtype=np.int64)
        good = module.merge_realizations(flat, bounds, windows, times, marks)
        regular = module.are_regular(flat, ends, np.repeat(windows, 2, axis=1))
        return good, regular, times.tolist(), marks.tolist()

    @pytest.mark.parametrize("seed", range(20))
    def test_is_the_compiled_one(self, seed):
        rng = np.random.default_rng(seed)
        sizes = rng.integers(0, 6, 4)
        columns = [np.sort(rng.integers(0, 11, n)).astype(float) for n in sizes]
        plain = self.merged(layout, columns, self.WINDOW)
        assert plain == self.merged(jit_layout, columns, self.WINDOW)
        assert plain[:2] == (True, True)

    @pytest.mark.parametrize("bad", [[2.0, 1.0], [-1.0], [11.0], [np.nan], [1.0, np.nan, 2.0],
                                     [np.inf]])  # fmt: skip
    @pytest.mark.parametrize("place", range(4))
    def test_refuses_what_is_not_sorted_or_outside(self, bad, place):
        columns = [np.array([1.0, 5.0]), np.empty(0), np.array([0.0]), np.array([3.0])]
        columns[place] = np.array(bad)
        for module in (layout, jit_layout):
            assert self.merged(module, columns, self.WINDOW)[:2] == (False, False)


class TestManyShortRows:
    """Rows with equally many events are summed together, each as alone."""

    @pytest.mark.parametrize("n_sources", [1, 3, 11])
    @pytest.mark.parametrize("weighted", [False, True])
    @pytest.mark.parametrize("n_columns", [0, 1])
    def test_are_the_compiled_ones_and_those_alone(self, n_sources, weighted, n_columns):
        rng = np.random.default_rng(n_sources)
        offsets = np.concatenate(([0], np.cumsum(rng.integers(0, 5, 60))))
        weights = rng.integers(0, 3, offsets[-1]).astype(float) if weighted else np.empty(0)
        data = rng.random(n_sources * offsets[-1]), weights, offsets
        cost, x = rng.random((2, 60, n_sources + 1))
        x[::7] = 0.0  # impossible events

        def values(module, *part):
            out, gradient = np.zeros(60), np.zeros((60, n_columns * (n_sources + 1)))
            module.row_values(data, cost, x, out, gradient, part)
            return out, gradient

        found, compiled = values(likelihood, 0, 60), values(jit_likelihood, 0, 60)
        close(found, compiled, rtol=1e-12)
        assert np.isneginf(found[0]).any()
        each = [values(likelihood, b, b + 1) for b in range(60)]
        for whole, alone in zip(found, zip(*each, strict=True), strict=True):
            np.testing.assert_array_equal(whole, np.sum(alone, axis=0))


class TestChoice:
    def test_by_size_alone(self):
        assert choice.is_small(choice.MOST)
        assert not choice.is_small(choice.MOST + 1)
        assert choice.is_small(0, choice.MOST // 400)
        assert not choice.is_small(1, choice.MOST // 400)

    def test_unless_a_realisation_must_not_depend_on_those_beside_it(self):
        with choice.compiled_only():
            assert not choice.is_small(1)
        assert choice.is_small(1)

    def test_or_for_solvers_alone(self):
        with choice.compiled_only(sums=False):
            assert not choice.is_small(1)
            assert choice.is_small_sum(choice.MOST + 1)
        assert choice.is_small_sum(1)
        assert not choice.is_small_sum(choice.MOST + 1)
        with choice.compiled_only():
            assert not choice.is_small_sum(1)

    @pytest.mark.parametrize("n_events", [9_990, 10_010])
    def test_on_both_sides_of_the_switch(self, both, n_events):
        """With two marks; what is chosen there differs from either by less than the certificate."""
        process = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)
        drawn = hawkeys.simulate(process, end_time=12_000.0, rng=0)
        end = drawn.times[n_events]
        events = hawkeys.Events.from_arrays(
            drawn.times[:n_events], drawn.marks[:n_events], end_times=end, n_marks=2
        )

        def run():
            found = hawkeys.fit(events, decay=2.0)
            return found.log_likelihood, found.estimates, found.std_err

        chosen = run()
        for one in both(run):
            assert one[0] == pytest.approx(chosen[0], abs=1e-6)
            close(one, chosen, rtol=1e-4)


def test_the_first_answers_need_no_compiler():
    """The example of the README neither imports numba nor writes a cache."""
    readme = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")
    example = readme.split("```python\n")[1].split("```")[0]
    assert "goodness_of_fit" in example
    code = (
        example + "\nimport sys\nprint('numba' in sys.modules, 'hawkeys._jit.rows' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1] == "False False"


LOGGED = """
import logging, sys
logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(name)s: %(message)s")
from hawkeys._loops.layout import jit
import numpy as np
for n_marks in (2, np.int32(2)):  # two compilations, of which one is told
    jit.count_events(np.zeros(3, dtype=np.int64), np.array([0, 3]), n_marks)
"""


def test_compilation_is_logged_once(tmp_path):
    def run():
        return subprocess.run(
            [sys.executable, "-c", LOGGED], capture_output=True, text=True, check=True,
            env={**os.environ, "NUMBA_CACHE_DIR": str(tmp_path)},
        ).stdout.splitlines()  # fmt: skip

    (line,) = run()
    assert line.startswith("hawkeys: compiling numerical code for the first use, about ")
    (folder,) = tmp_path.iterdir()
    assert f" s; later runs read it from {folder}. " in line
    assert run() == []  # from the cache
