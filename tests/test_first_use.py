"""The first call on a machine: its budget, as benchmarks/first_use.py measures it."""

import importlib
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
