"""Compiling before it is needed: no later call compiles, and what is said of it is true."""

import json
import os
import subprocess
import sys
from collections import Counter

import pytest

import hawkeys
from hawkeys._jit import loading
from hawkeys.cli import main
from hawkeys.exceptions import InvalidParameterError
from hawkeys.warming import GROUPS, WarmupResult

# data above the size up to which numpy does the work; public calls, none of them made by warmup
CATALOGUE = """
import sys, tempfile, warnings
from pathlib import Path
warnings.simplefilter("ignore")
import numpy as np
import hawkeys
from hawkeys._loops import choice
from hawkeys.baselines import Periodic
from hawkeys.datasets import load_demo
from hawkeys.features import HawkesFeatures
from hawkeys.inference import Lasso, bootstrap, edge_tests, profile_interval, sandwich_covariance
from hawkeys.kernels import Exponential, Gamma, Histogram, LogNormal, SumExponential
from hawkeys.process import LogTimeFilters
from hawkeys.verifiers import POHMM, HawkesLikelihood, RecencyNearestNeighbors, enrol, verify
from hawkeys.verifiers import load_template

rng = np.random.default_rng(0)
MATRIX = [[0.3, 0.1], [0.2, 0.4]]
PAIRS = np.array([[1.0, 2.0], [0.5, 3.0]])
truth = hawkeys.Hawkes([0.5, 0.4], MATRIX, kernel=Exponential(PAIRS))
long = hawkeys.simulate(truth, end_time=9_000.0, rng=1)
lists = [[long.times[long.marks == j] for j in range(2)]]
short = hawkeys.simulate(truth, end_time=60.0, n_realizations=300, rng=2)
delayed = hawkeys.Hawkes([0.3, 0.2], MATRIX, kernel=LogNormal(-1.0, 0.5))
lagged = hawkeys.simulate(delayed, end_time=700.0, rng=3)
assert min(long.n_events, short.n_events) * 2 > 20_000

hawkeys.fit([np.sort(rng.uniform(0.0, 9_000.0, 30_000))], decay=1.5, end_time=9_000.0)
bursts = hawkeys.simulate(hawkeys.Hawkes([0.5], [[0.5]], decay=2.0), end_time=30_000.0, rng=4)
hawkeys.fit(bursts, decay="estimate")
result = hawkeys.fit(lists, decay=1.5, end_time=9_000.0)
for decay in (1.5, PAIRS[0], PAIRS):
    for method in ("mle", "map", "vi", "least_squares"):
        hawkeys.fit(short, decay=decay, method=method)
    process = hawkeys.Hawkes([0.5, 0.4], MATRIX, kernel=Exponential(decay))
    process.log_likelihood(long)
    process.intensity(long, np.linspace(1.0, 8_000.0, 20_000), realization=0)
    process.compensator(long, np.linspace(1.0, 8_000.0, 20_000), realization=0)
    hawkeys.LogLikelihood(long, decay=decay).value_and_gradient(np.full((2, 3), 0.3))
hawkeys.fit(short, decay=2.0, method="vi_branching")
hawkeys.fit(short, decay=2.0, method="vi_stochastic", n_steps=50)
hawkeys.fit(long, decay=2.0, method="map", prior=Lasso(2.0))
hawkeys.fit(long, decay=2.0, baseline=Periodic([0.0, 12.0], 24.0))
hawkeys.fit(long, decay=2.0, tied=[[0, 2, 3], [1, 3, 2]])
hawkeys.fit(long, kernel=SumExponential([0.5, 4.0]))
hawkeys.fit(short, decay=2.0, weights=rng.uniform(0.5, 2.0, 300))
for sharing in ("shared", "source", "pair"):
    hawkeys.fit(long, decay="estimate", decay_sharing=sharing)
for method in ("mle", "map", "vi"):
    hawkeys.fit_each(short, decay=2.0, method=method)
for kernel in (LogNormal(), Gamma(), Histogram([0.0, 0.5, 1.0, 2.0])):
    estimated = hawkeys.fit(lagged, kernel=kernel)
hawkeys.fit(lagged, kernel=LogNormal(-1.0, 0.5), method="vi")
hawkeys.goodness_of_fit(hawkeys.fit(lagged, kernel=LogNormal()), lagged, n_mc_samples=2, rng=0)
profile_interval(result, long)
sandwich_covariance(hawkeys.fit(short, decay=2.0), short)
edge_tests(result, long)
bootstrap(result, long, n_replicates=2, rng=0)
hawkeys.goodness_of_fit(result, long, n_mc_samples=2, rng=0)
hawkeys.branching_probabilities(delayed, lagged)
hawkeys.forecast(result, long, 5.0, n_paths=200, rng=0)
signed = hawkeys.RectifiedHawkes([0.8, 0.6], [[0.2, -0.3], [0.1, 0.2]], decay=2.0)
spikes = hawkeys.simulate_rectified(signed, end_time=[100.0, 50.0], rng=0)
hawkeys.fit_rectified(spikes, decay=2.0)
tents = LogTimeFilters([0.1, 0.2, 0.4])
linked = hawkeys.NonlinearHawkes([0.0], [[[[-1.0, 0.5]]]], tents, memory=1)
clicks = hawkeys.simulate_nonlinear(linked, end_time=[200.0, 100.0], rng=0)
linked.intensity(clicks, [1.0, 2.0], realization=0)
hawkeys.goodness_of_fit(hawkeys.fit_nonlinear(clicks, filters=tents), clicks, n_mc_samples=2)

demo = load_demo(n_subjects=2)
own = demo.timings()[demo.subject == demo.subjects[0]]
HawkesFeatures(decay=0.1).fit_transform(own)
for verifier in (POHMM(), HawkesLikelihood(), RecencyNearestNeighbors()):
    verifier.fit(own[:200]).predict(own[200:])
choice.MOST = -1  # few samples as many are: a template tries each of its samples
for verifier in (POHMM(), HawkesLikelihood(), RecencyNearestNeighbors()):
    template = enrol(own[:15], verifier=verifier)
    with tempfile.TemporaryDirectory() as folder:
        template.save(Path(folder) / "t.json")
        verify(load_template(Path(folder) / "t.json"), own.iloc[200])
"""
# prints the forms of compiled functions that a process has called, or compiled for those
FORMS = """
import json
import hawkeys._jit.loading as loading
print(json.dumps([f"{one.py_func.__module__}.{one.py_func.__name__} {form}"
                  for one in loading.functions() for form in one.overloads]))
"""
# functions that need more than one form, and how many
SEVERAL: dict[str, int] = {}
# numba finds no folder that it can write; a test cannot take that from root
NO_PLACE = """
from numba.core import caching
# with an underscore before numba NUM
Provided = getattr(caching, "UserProvidedCacheLocator", None) or caching._UserProvidedCacheLocator
class Nowhere(Provided):
    @classmethod
    def from_function(cls, py_func, py_file):
        from numba import config
        parent = super().from_function(py_func, py_file)
        return parent if "hawkeys-" in config.CACHE_DIR else None
for kind in caching.CacheImpl.__subclasses__():
    kind._locator_classes = [Nowhere]
"""


def run(code, **environment):
    """Run code in a fresh process; return what it prints, on stdout and on stderr."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=False,
        env={**os.environ, **environment},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout.strip(), done.stderr.strip()


def forms(code, **environment):
    """Return the compiled forms that a process ran, as "file.function signature"."""
    return set(json.loads(run(code + FORMS, **environment)[0].splitlines()[-1]))


@pytest.fixture(scope="module")
def warmed():
    """Return the forms of the calls that warmup makes; the folder is that of the other tests."""
    return forms("import hawkeys\nhawkeys.warmup(n_jobs=1)\n")


def test_no_later_call_compiles(warmed):
    """Whatever else has been compiled in that folder, by tests or before."""
    found = forms(CATALOGUE)
    assert len(found) > 25
    assert sorted(found - warmed) == []


def test_a_call_that_compiles_is_seen(warmed, tmp_path):
    """The test above could fail: marks of 32 bits are a form of their own."""
    code = """
import numpy as np
from hawkeys._loops.layout import jit
jit.count_events(np.zeros(3, dtype=np.int32), np.array([0, 3]), 2)
"""
    (form,) = forms(code, NUMBA_CACHE_DIR=str(tmp_path)) - warmed
    assert form.startswith("hawkeys._jit.layout.count_events (Array(int32")


def test_hardly_a_function_is_compiled_in_several_forms(warmed):
    """A second form, for arguments that are read-only for one, costs as much as the first."""
    count = Counter(form.partition(" ")[0].removeprefix("hawkeys._jit.") for form in warmed)
    assert {name: n for name, n in count.items() if n > 1} == SEVERAL


def rows_of(summary):
    """Return {group: (compiled, from disk)} of a printed summary."""
    lines = [line.split() for line in summary.splitlines()]
    return {words[0]: tuple(map(int, words[1:3])) for words in lines if words[0] in GROUPS}


def test_what_is_said_is_true(tmp_path):
    """Everything compiled at first, nothing the second time; folder and size."""
    code = "from hawkeys.cli import main; main(['warmup', {}])".format
    first = run(code("'least_squares', 'stochastic'"), NUMBA_CACHE_DIR=str(tmp_path))[0]
    rows = rows_of(first)
    assert list(rows) == ["least_squares", "stochastic"]
    (inner,) = (path for path in tmp_path.iterdir() if path.is_dir())
    kept = list(inner.glob("*.nbc"))
    # on Windows, without locks, two processes may compile the same
    assert sum(compiled for compiled, _ in rows.values()) == len(kept) or sys.platform == "win32"
    again = run(code("'stochastic', 'least_squares', '--jobs', '1'"), NUMBA_CACHE_DIR=str(tmp_path))
    rows = rows_of(again[0])
    assert list(rows) == ["stochastic", "least_squares"]
    assert all(compiled == 0 and loaded > 0 for compiled, loaded in rows.values())
    files = [*kept, *inner.glob("*.nbi")]
    size = sum(path.stat().st_size for path in files) / 1e6
    assert again[0].endswith(f"Kept in {inner}\nIn all {len(files)} files, {size:.1f} MB.")


def test_the_cache_of_this_process():
    result = hawkeys.warmup("least_squares", n_jobs=1)
    assert isinstance(result, WarmupResult)
    assert list(result.seconds) == ["least_squares"]
    assert result.seconds["least_squares"] > 0.0
    assert result.folders == tuple(loading.places()[0])
    assert len(result.folders) == 1
    assert result.n_bytes > result.n_files > 0


@pytest.mark.parametrize("groups", ["nothing", ["events", "nothing"], []])
def test_unknown_groups_are_refused(groups):
    with pytest.raises(InvalidParameterError, match=r"no group .*; choose from: events, .*, or"):
        hawkeys.warmup(groups)


def test_jobs_are_checked():
    with pytest.raises(InvalidParameterError, match="n_jobs must be a whole number other than 0"):
        hawkeys.warmup("events", n_jobs=0)


def test_command(capsys):
    assert main(["warmup", "--list"]) == 0
    listed = [line.split()[0] for line in capsys.readouterr().out.splitlines()]
    assert listed == list(GROUPS)
    assert main(["warmup", "--help"]) == 0
    shown = capsys.readouterr().out
    for words in ("NUMBA_CACHE_DIR", "actions/cache", "shared disk", *GROUPS):
        assert words in shown
    assert main(["warmup", "nothing"]) == 2
    assert "hawkeys: error: there is no group 'nothing'" in capsys.readouterr().err


def test_no_folder_can_be_written():
    """A call works, says that nothing is kept and leaves nothing behind; warmup refuses."""
    code = f"""{NO_PLACE}
import numpy as np, sys
from pathlib import Path
from hawkeys._loops.layout import jit
print(jit.count_events(np.zeros(3, dtype=np.int64), np.array([0, 3]), 2).tolist())
import hawkeys._jit.loading as loading
print(loading._temporary[0].name)
import hawkeys
try:
    hawkeys.warmup("events", n_jobs=1)
except hawkeys.exceptions.OutputError as error:
    print(error)
"""
    out, errors = run(code, NUMBA_CACHE_DIR="")  # as where none is set
    counts, folder, refusal = out.splitlines()
    assert counts == "[[3, 0]]"
    assert errors.startswith("no folder for compiled code can be written (numba tried")
    assert f"keeps it in {folder}, which is removed when it ends" in errors
    assert not os.path.exists(folder)
    assert refusal.startswith("compiled code cannot be kept: numba found no folder")
    assert "Set NUMBA_CACHE_DIR to a folder that can be written." in refusal


def test_a_folder_that_cannot_be_used_is_told(tmp_path):
    """numba takes another one without a word where NUMBA_CACHE_DIR cannot be written."""
    (tmp_path / "file").write_text("")
    asked = str(tmp_path / "file" / "cache")
    # one function stands for a group
    code = """
import importlib
import numpy as np
import hawkeys
from hawkeys._loops.layout import jit
calls = importlib.import_module("hawkeys.warming.run")
calls.run_group = lambda name: jit.count_events(np.zeros(3, dtype=np.int64), np.array([0, 3]), 2)
print(hawkeys.warmup("events", n_jobs=1).summary())
"""
    out, _ = run(code, NUMBA_CACHE_DIR=asked)
    assert sum(rows_of(out)["events"]) == 1
    assert out.endswith(f"NUMBA_CACHE_DIR is {asked}, which cannot be written: not used.")


def test_without_numba():
    out, _ = run("import hawkeys; print(hawkeys.warmup('events', n_jobs=1).summary())",
                 NUMBA_DISABLE_JIT="1")  # fmt: skip
    assert rows_of(out) == {"events": (0, 0)}
    assert out.endswith("Nothing is kept: numba is switched off (NUMBA_DISABLE_JIT).")


def test_a_command_that_compiles_says_so_once(tmp_path):
    (tmp_path / "events.csv").write_text("time\n" + "\n".join(str(t) for t in range(1, 40)))
    code = f"""
from hawkeys.cli import main
main(["fit", {str(tmp_path / "events.csv")!r}, "--decay", "2", "--end-time", "60",
      "--method", "vi_stochastic"])
"""
    folder = tmp_path / "cache"
    told = [run(code, NUMBA_CACHE_DIR=str(folder))[1].splitlines() for _ in range(2)]
    (inner,) = folder.iterdir()
    said = [[line for line in one if "compiling" in line] for one in told]
    assert said[1] == []
    (line,) = said[0]
    assert line.startswith("hawkeys: compiling numerical code for the first use, about 5 to 20 s; ")
    assert f"later runs read it from {inner}. " in line
