"""What each step of a first session imports: they are what is left to wait for."""

import importlib
import json
import subprocess
import sys

import pytest

HEAVY = ("numpy", "scipy", "scipy.special", "scipy.optimize", "scipy.stats", "pandas", "narwhals",
         "sklearn", "matplotlib", "numba", "joblib", "msgspec", "click", "rich", "jinja2", "pooch",
         "hawkeys.inference", "hawkeys.kernels", "hawkeys.evaluation")  # fmt: skip
# the steps follow each other in one process; each may import what is named with it, and no more
STEPS = [
    ("the package", "import hawkeys", set()),
    (
        "the faces",
        "import hawkeys.datasets, hawkeys.features, hawkeys.verifiers\n"
        "from hawkeys import inference",
        {"hawkeys.inference"},
    ),
    ("help", "from hawkeys.cli import main\nmain(['--help'])\nmain(['--version'])", {"click"}),
    (
        "timings of the demo",
        "from hawkeys.datasets import load_demo, timings_to_events\n"
        "demo = load_demo()\nown = demo.timings()[demo.subject == demo.subjects[3]]",
        {"numpy", "pandas"},
    ),
    (
        "verifiers, features and templates by name",
        "from hawkeys.features import HawkesFeatures\n"
        "from hawkeys.verifiers import POHMM, HawkesLikelihood, NeighborsAndHawkes\n"
        "from hawkeys.verifiers import RecencyNearestNeighbors, enrol, verify",
        {"scipy"},
    ),
    ("a verifier", "POHMM().fit(own[:100]).predict(own[100:])", set()),
    ("a decision", "verify(enrol(own[:60]), own.iloc[60])", set()),
    ("the likelihood", "HawkesLikelihood().fit(own[:60]).predict(own[60:])", {"scipy.special"}),
    ("the verifier to begin with", "NeighborsAndHawkes().fit(own[:60]).predict(own[60:])", set()),
]
FIT = """
import hawkeys, json, sys
truth = hawkeys.Hawkes(baseline=[0.4, 0.2], adjacency=[[0.3, 0.1], [0.0, 0.5]], decay=2.0)
sample = hawkeys.simulate(truth, end_time=100.0, n_realizations=5, rng=0)
hawkeys.fit(sample, decay=2.0)
"""


def imported(program):
    """Run a program that prints a line of JSON last, and return it."""
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", program], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


def test_keystrokes():
    """To hold and to judge samples takes no scikit-learn, compiler, download or inference."""
    program = f"import json, sys\nheavy, found = {HEAVY}, []\n"
    program += "".join(
        f"{code}\nfound.append([name for name in heavy if name in sys.modules])\n"
        for _, code, _ in STEPS
    )
    found = imported(program + "print(json.dumps(found))")
    allowed = set()
    for (step, _, new), names in zip(STEPS, found, strict=True):
        allowed |= new
        assert set(names) == allowed, step


def test_a_fit():
    """A process with exponential kernels is simulated and fitted with numpy alone."""
    program = f"{FIT}print(json.dumps([name for name in {HEAVY} if name in sys.modules]))"
    assert set(imported(program)) <= {"numpy", "scipy", "hawkeys.inference", "hawkeys.kernels"}


@pytest.mark.parametrize(
    "face", ["", ".datasets", ".evaluation", ".features", ".inference", ".verifiers"]
)
def test_names_of_a_package_are_found_when_they_are_asked_for(face):
    package = importlib.import_module(f"hawkeys{face}")
    assert set(package._HOME) <= set(package.__all__) <= set(dir(package))
    for name in package.__all__:
        assert getattr(package, name) is not None
    with pytest.raises(AttributeError, match=rf"module .hawkeys{face}. has no attribute 'Nobody"):
        _ = package.Nobody


def test_modules_are_attributes_of_their_package():
    """As if the package had imported them; but nothing that is not there."""
    found = imported(
        "import hawkeys, json\n"
        "named = hawkeys.datasets.timings.__name__, hawkeys.inference.fit_pooled.__name__\n"
        "print(json.dumps([*named, hasattr(hawkeys, '__wrapped__'), hasattr(hawkeys, 'numpy')]))"
    )
    assert found == ["hawkeys.datasets.timings", "hawkeys.inference.fit_pooled", False, False]
