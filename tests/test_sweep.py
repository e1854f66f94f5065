"""Random problems against brute force: some cases of benchmarks/sweep.py, and its saved counts."""

import ast
import importlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hawkeys

FOLDER = Path(__file__).parents[1] / "benchmarks"
INDEPENDENT = {"numpy", "scipy", "dataclasses", "collections", "typing", "__future__"}
N_CASES = 70


@pytest.fixture(scope="module")
def sweep():
    """The script as Python runs it, its folder first on the path."""
    patch = pytest.MonkeyPatch()
    patch.syspath_prepend(str(FOLDER))
    yield importlib.import_module("sweep")
    patch.undo()


@pytest.mark.parametrize("number", range(N_CASES))
def test_no_silent_wrong_number(sweep, number):
    report = sweep.run_case(number)
    assert report.failures == []
    assert report.n_checks > 0 or report.refused


def test_one_cycle_has_all_kinds(sweep):
    assert len(sweep.CYCLE) == N_CASES
    assert set(sweep.CYCLE) == set(sweep.CHECKS)
    assert sweep.CYCLE.count("degenerate") == 20


def test_a_case_follows_from_its_number(sweep):
    one, two = sweep.run_case(3), sweep.run_case(3)
    assert (one.kind, one.n_checks, one.heard) == (two.kind, two.n_checks, two.heard)


def test_the_brute_force_is_independent_of_the_package():
    """The sums and the optimum know numpy and scipy only; the densities one type for events."""
    tree = ast.parse((FOLDER / "sweep_brute.py").read_text(encoding="utf-8"))
    names = {
        (node.module if isinstance(node, ast.ImportFrom) else node.names[0].name).split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert names - INDEPENDENT == {"sweep_model"}


def kinds_that_fail(sweep, kinds, n=12):
    """Return which kinds have a case with a failure among the first ones."""
    return [kind for kind in kinds if any(sweep.run_case(case, kind).failures for case in range(n))]


def test_a_wrong_log_likelihood_is_found(sweep, monkeypatch):
    whole = hawkeys.Hawkes._log_likelihood
    monkeypatch.setattr(
        hawkeys.Hawkes, "_log_likelihood", lambda self, events: whole(self, events) * (1 + 1e-6)
    )
    assert kinds_that_fail(sweep, ["mle"]) == ["mle"]


class Bent:
    """A fit whose estimates are off by a few per cent of themselves."""

    def __init__(self, fit, factor):
        self.fit, self.factor = fit, factor

    def __call__(self, events, **options):
        found = self.fit(events, **options)
        process = hawkeys.Hawkes(
            found.process.baseline_function.with_rates(
                found.process.baseline_function.known_rates * self.factor
            ),
            found.adjacency,
            kernel=found.kernel,
            mark_names=found.process.mark_names,
        )
        object.__setattr__(found, "process", process)
        return found


def test_a_fit_beside_the_optimum_is_found(sweep, monkeypatch):
    monkeypatch.setattr(hawkeys, "fit", Bent(hawkeys.fit, 1.05))
    kinds = ["mle", "map", "penalty", "decay", "weights of a sum", "least_squares"]
    assert kinds_that_fail(sweep, kinds) == kinds


def test_a_simulation_of_too_many_events_is_found(sweep, monkeypatch):
    whole = hawkeys.simulate

    def doubled(process, **options):
        more = hawkeys.Hawkes(process.baseline * 1.5, process.adjacency, kernel=process.kernel)
        return whole(more, **options)

    monkeypatch.setattr(hawkeys, "simulate", doubled)
    kinds = ["simulation", "spread of counts"]
    assert kinds_that_fail(sweep, kinds) == kinds


def test_a_stray_warning_and_a_nan_are_found(sweep, monkeypatch):
    whole = hawkeys.fit

    def shaky(events, **options):
        np.log(np.zeros(1))
        return whole(events, **options)

    monkeypatch.setattr(hawkeys, "fit", shaky)
    report = sweep.run_case(0, "mle")
    assert any("stray RuntimeWarning" in failure for failure in report.failures)
    own = sweep.Report(0, "mle")
    assert not own.finite("estimates", [1.0, np.nan])
    assert not own.close("value", [1.0, np.nan], [1.0, 2.0])
    assert not own.below("gap", np.nan, 1.0)
    assert own.outcome == "wrong"


def test_the_script_writes_counts_and_its_exit_status(sweep, tmp_path, monkeypatch, capsys):
    output = tmp_path / "counts.csv"
    assert sweep.main(["--first", "2", "--cases", "4", "--output", str(output)]) == 0
    table = pd.read_csv(output).set_index("kind")
    assert table.loc["all", "cases"] == 4
    outcomes = table.loc["all", ["agrees", "said", "refused", "wrong"]]
    assert outcomes.sum() == 4
    assert {"machine", "versions"} <= set(table)
    monkeypatch.setattr(hawkeys, "fit", Bent(hawkeys.fit, 1.05))
    assert sweep.main(["--case", "0", "--kind", "mle"]) == 1
    shown = capsys.readouterr().out
    assert "case 0 (mle)" in shown
    assert "wrong" in shown


def test_saved_counts_have_no_silent_wrong_number():
    table = pd.read_csv(FOLDER / "results" / "sweep.csv").set_index("kind")
    degenerate = table[table.index.str.startswith("degenerate")]
    assert degenerate["cases"].sum() >= 2000
    assert table.loc["all", "cases"] - degenerate["cases"].sum() >= 5000
    assert table.loc["all", "wrong"] == 0
    assert table["cases"].drop("all").sum() == table.loc["all", "cases"]
