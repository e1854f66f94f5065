"""A decision on one sample takes no more of the package than it needs, and no compiler."""

import json
import subprocess
import sys
import warnings

import pytest

from hawkeys.datasets import load_demo
from hawkeys.exceptions import EnrolmentWarning
from hawkeys.verifiers import enrol

PROGRAM = """
import json, sys
from hawkeys.cli import main
status = main(["verify", "template.json", "sample.csv"])
print(json.dumps([status, sorted(sys.modules)]))
"""
NOT_NEEDED = ("numba", "llvmlite", "matplotlib", "sklearn", "scipy.special", "pooch",
              "hawkeys.kernels", "hawkeys.evaluation", "hawkeys.inference", "hawkeys.features",
              "hawkeys.verifiers.fixed_text.pohmm")  # fmt: skip


@pytest.mark.parametrize("n_samples", [60, 150])
def test_what_a_decision_imports(tmp_path, n_samples):
    own = load_demo(n_subjects=1).timings()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", EnrolmentWarning)  # the demo has pauses
        enrol(own[:n_samples]).save(tmp_path / "template.json")
    own[151:152].to_csv(tmp_path / "sample.csv", index=False)
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    *shown, last = done.stdout.splitlines()
    status, modules = json.loads(last)
    assert status in (0, 1)
    assert shown[-1].startswith(f"{1 - status} of 1 accepted, threshold")
    assert [name for name in NOT_NEEDED if name in modules] == []
