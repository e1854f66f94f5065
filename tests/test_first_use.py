"""The first call on a machine: its budget, as benchmarks/first_use.py measures it."""

import importlib
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

ROOT = Path(__file__).parents[1]
FOLDER = ROOT / "benchmarks"


@pytest.fixture
def script(monkeypatch):
    """Import the benchmark script as Python runs it, its folder first on the path."""
    monkeypatch.syspath_prepend(str(FOLDER))
    return importlib.import_module("first_use")


def test_a_small_budget(script, tmp_path, monkeypatch):
    """Against itself: the same functions are compiled, in the first process of each side only."""
    monkeypatch.setattr(script, "adopt_orphans", lambda: None)  # this process has others
    monkeypatch.setattr(script, "orphans", lambda: 0.0)
    asked = ["--quick", "--repeats", "1", "--against", str(ROOT), "--output", str(tmp_path)]
    assert script.main(asked) == 0
    nothing, few = pd.read_csv(tmp_path / "first_use.csv").to_dict("records")
    assert nothing["compiled"] == nothing["of_hawkeys"] == nothing["before_compiled"] == 0
    assert 2 <= few["of_hawkeys"] < few["compiled"]
    assert few["before_compiled"] == few["compiled"]
    assert few["cold_call"] > 2.0 * few["warm_call"] > 0.0
    assert few["later"] < 0.1 * few["warm_call"]
    for row in (nothing, few):
        assert row["cold"] > row["cold_call"]
        assert row["cold_ratio"] == pytest.approx(row["before_cold"] / row["cold"], rel=1e-4)
    assert few["cold_ratio"] == pytest.approx(1.0, abs=0.5)


def test_a_case_that_fails_is_told(script, tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(script, "adopt_orphans", lambda: None)
    monkeypatch.setattr(script, "orphans", lambda: 0.0)
    monkeypatch.setattr(script, "QUICK", [script.Case("wrong", "", "1 / 0")])
    assert script.main(["--quick", "--repeats", "1", "--output", str(tmp_path)]) == 1
    assert "wrong, " + str(ROOT) + ": ZeroDivisionError" in capsys.readouterr().err
    assert pd.read_csv(tmp_path / "first_use.csv")["cold"].isna().all()


def test_rows_of_other_cases_are_kept(script, tmp_path):
    rows = [script.row_of(case, [dict.fromkeys(script.MEASURED, 1.0)]) for case in script.CASES[:3]]
    script.save(rows, tmp_path / "first_use.csv")
    kept = script.saved_rows(tmp_path / "first_use.csv", [script.CASES[1].name])
    assert [row["case"] for row in kept] == [script.CASES[0].name, script.CASES[2].name]


def test_the_cases(script):
    """Each is a program; each aim belongs to a case; a word that none holds is refused."""
    for case in script.CASES:
        compile(script.script_of(case), case.name, "exec")
    names = [case.name for case in script.CASES]
    assert len(set(names)) == len(names)
    aims = [case.name for case in script.chosen(["aims"], False)]
    assert len(aims) == 14
    with pytest.raises(SystemExit, match=r"no case holds any of .*; there are: import hawkeys;"):
        script.chosen(["nothing of the kind"], False)


# what a newcomer does with small data, step by step
STEPS = """
import os, sys, warnings
warnings.simplefilter("ignore")

def step(name):
    print(name, "numba" in sys.modules, any("hawkeys._jit." in module for module in sys.modules))

import hawkeys
step("import")
events = hawkeys.Events.from_lists([[[0.5, 2.0], [1.0]], [[], [2.5]]], end_times=3.0)
events = hawkeys.Events.from_frame(events.to_frame(), time="time", mark="mark",
                                   realization="realization", end_times=3.0)
step("events")
truth = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.0, 0.5]], decay=2.0)
sample = hawkeys.simulate(truth, end_time=300.0, n_realizations=3, rng=0)
truth.log_likelihood(sample)
truth.intensity(sample, [1.0, 2.0], realization=0)
hawkeys.LogLikelihood(sample, decay=2.0).value_and_gradient([[0.3, 0.2, 0.1], [0.2, 0.1, 0.3]])
step("likelihood")
for method in ("mle", "map", "vi"):
    result = hawkeys.fit(sample, decay=2.0, method=method)
    hawkeys.fit_each(sample, decay=2.0, method=method)
hawkeys.fit(sample, decay="estimate")
result = hawkeys.fit(sample, decay=2.0)
step("fit")
hawkeys.goodness_of_fit(result, sample, n_mc_samples=9, rng=0)
hawkeys.forecast(result, hawkeys.simulate(truth, end_time=20.0, rng=1), 5.0, n_paths=20, rng=0)
result.save("fit.json")
hawkeys.load_result("fit.json")
step("after the fit")
from hawkeys.datasets import load_demo
from hawkeys.verifiers import ScaledManhattan, enrol, load_template, verify
demo = load_demo(n_subjects=1)
template = enrol(demo.timings()[:200], verifier=ScaledManhattan())
template.save("template.json")
verify(load_template("template.json"), demo.timings().iloc[200])
step("enrol and verify")
from hawkeys.cli import main
with open("events.csv", "w") as file:
    file.write("time,mark\\n" + "".join(f"{t},{t % 2}\\n" for t in range(1, 300)))
sys.stdout = open(os.devnull, "w")
main(["--help"])
main(["datasets"])
assert main(["fit", "events.csv", "--mark", "mark", "--decay", "2", "--end-time", "300"]) == 0
sys.stdout = sys.__stdout__
step("commands")
"""


def test_small_data_never_import_numba(tmp_path):
    """Nor any compiled code of ours, which takes half a second even where it is on disk."""
    done = subprocess.run([sys.executable, "-c", STEPS], capture_output=True, text=True,
                          check=False, cwd=tmp_path)  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    steps = ["import", "events", "likelihood", "fit", "after the fit", "enrol and verify",
             "commands"]  # fmt: skip
    assert done.stdout.splitlines() == [f"{name} False False" for name in steps]
