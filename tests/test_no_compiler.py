"""Each family of models, on data as small as those of the README and the notebooks: no compiler."""

import json
import os
import subprocess
import sys

import pytest

SETUP = """
import sys, warnings
warnings.simplefilter("ignore")
import numpy as np
import hawkeys
from hawkeys import inference, kernels

truth = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)

def sample(end_time=1_000.0):
    return hawkeys.simulate(truth, end_time=end_time, n_realizations=5, rng=0)

def timings():
    from hawkeys.datasets import load_demo
    demo = load_demo()
    return demo.timings()[demo.subject == demo.subjects[3]]
"""
FAMILIES = {
    "kernels that are given": """
for kernel in (kernels.LogNormal(-1.0, 0.5), kernels.Gamma(2.0, 4.0),
               kernels.Histogram([0.0, 0.5, 1.0], [0.6, 0.4])):
    process = hawkeys.Hawkes([0.4, 0.2], truth.adjacency, kernel=kernel)
    data = hawkeys.simulate(process, end_time=200.0, n_realizations=2, rng=0)
    process.log_likelihood(data), hawkeys.branching_probabilities(process, data)
    process.intensity(data, [1.0, 5.0], realization=0)
    process.compensator(data, [1.0, 5.0], realization=1)
    hawkeys.fit(data, kernel=kernel)
    hawkeys.goodness_of_fit(process, data, refit=False, rng=0)
""",
    "kernels that are estimated": """
process = hawkeys.Hawkes([0.5, 0.2], [[0.5, 0.0], [0.4, 0.3]],
                         kernel=kernels.LogNormal(location=0.0, scale=0.15))
data = hawkeys.simulate(process, end_time=400.0, rng=0)
result = hawkeys.fit(data, kernel=kernels.LogNormal())
hawkeys.goodness_of_fit(result, data, n_mc_samples=2, rng=0)
hawkeys.fit(data, kernel=kernels.LogNormal(), method="vi_branching")
for kernel in (kernels.Gamma(), kernels.Histogram([0.0, 0.5, 1.0, 2.0])):
    hawkeys.fit(data, kernel=kernel)
""",
    "decays": """
hawkeys.fit(sample(), decay=[[1.0, 2.0], [2.0, 3.0]])
hawkeys.fit(sample(), decay_grid=[0.5, 1, 2, 4])
hawkeys.fit(sample(), decay="estimate")
for sharing in ("source", "pair"):
    hawkeys.fit(sample(200.0), decay="estimate", decay_sharing=sharing)
""",
    "methods": """
for method in ("vi_branching", "least_squares"):
    hawkeys.fit(sample(), decay=2.0, method=method)
hawkeys.fit_each(sample(), decay=2.0, method="vi_branching")
""",
    "penalties": """
for penalty in (inference.Ridge(1.0), inference.Lasso(2.0), inference.GroupLasso(1.0)):
    hawkeys.fit(sample(), decay=2.0, method="map", prior=penalty)
path = inference.penalty_path(sample(300.0), decay=2.0)
""",
    "uncertainty": """
result = hawkeys.fit(sample(), decay=2.0)
inference.profile_interval(result, sample())
inference.sandwich_covariance(result, sample())
inference.edge_tests(result, sample())
inference.bootstrap(result, sample(), n_replicates=2, rng=0)
""",
    "inhibition": """
signed = hawkeys.RectifiedHawkes([0.8, 0.5], [[0.3, -0.4], [0.2, 0.1]], decay=3.0)
data = hawkeys.simulate_rectified(signed, end_time=np.full(5, 100.0), rng=0)
result = hawkeys.fit_rectified(data, decay=3.0)
signed.log_likelihood(data), signed.compensator(data, [1.0, 2.0], realization=0)
hawkeys.goodness_of_fit(result, data, n_mc_samples=2, rng=0)
""",
    "POHMM": """
from hawkeys.verifiers import POHMM
own = timings()
POHMM().fit(own[:200]).predict(own[200:])
""",
    "HawkesLikelihood": """
from hawkeys.verifiers import HawkesLikelihood
own = timings()
HawkesLikelihood().fit(own[:200]).predict(own[200:])
""",
    "enrol and verify": """
import tempfile
from pathlib import Path
from hawkeys.verifiers import RecencyNearestNeighbors, enrol, load_template, verify
own = timings()
for verifier in (None, RecencyNearestNeighbors()):
    template = enrol(own[:200]) if verifier is None else enrol(own[:200], verifier=verifier)
    verify(template, own.iloc[200])
    with tempfile.TemporaryDirectory() as folder:
        template.save(Path(folder) / "template.json")
        verify(load_template(Path(folder) / "template.json"), own.iloc[200])
""",
    "the commands": """
import tempfile
from pathlib import Path
from hawkeys.cli import main
with tempfile.TemporaryDirectory() as folder:
    samples, new, template = (str(Path(folder) / name) for name in ("s.csv", "n.csv", "t.json"))
    timings()[:200].to_csv(samples, index=False)
    timings()[200:201].to_csv(new, index=False)
    assert main(["enrol", samples, "-o", template]) == 0
    assert main(["verify", template, new]) in (0, 1)
""",
}


# one after the other, each with names of its own; what went wrong, and what is imported by then
ONE_BY_ONE = """
import json, traceback
names = dict(globals())
found = {}
for family, code in json.loads(sys.argv[1]).items():
    error = ""
    try:
        exec(code, dict(names))
    except BaseException:
        error = traceback.format_exc()
    jit = any("hawkeys._jit." in name for name in sys.modules)
    found[family] = error, "numba" in sys.modules, jit
print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(scope="module")
def found(cache):
    """What each family said, from an empty cache."""
    done = subprocess.run(
        [sys.executable, "-c", SETUP + ONE_BY_ONE, json.dumps(FAMILIES)],
        capture_output=True, text=True, check=False,
        env={**os.environ, "NUMBA_CACHE_DIR": str(cache)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("family", FAMILIES)
def test_small_data_need_no_compiler(family, found):
    """numba is not imported, nor any of the compiled loops; the first that fails is to blame."""
    assert found[family] == ["", False, False]


@pytest.mark.usefixtures("found")
def test_nothing_is_compiled_and_kept(cache):
    assert list(cache.iterdir()) == []
