"""The benchmark scripts run end to end, on small sizes."""

import importlib.util
from pathlib import Path

import numba
import pandas as pd
import pytest

FOLDER = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def threads():
    before = numba.get_num_threads()
    yield
    numba.set_num_threads(before)


def script(name):
    spec = importlib.util.spec_from_file_location(name, FOLDER / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.usefixtures("cmu")
def test_speed_against_tick(tmp_path):
    script("speed_against_tick").main(["--quick", "--output", str(tmp_path)])
    table = pd.read_csv(tmp_path / "speed_against_tick.csv")
    assert table["n_marks"].tolist() == [1, 3]
    assert (table["relative_difference"] < 1e-10).all()
    assert (table["tick_gap"].abs() < 1e-6).all()
    keystrokes = pd.read_csv(tmp_path / "keystroke_speed.csv")
    assert keystrokes["method"].tolist() == ["mle", "map"]
    assert (keystrokes["largest_gap_bound"] < 1.1e-6).all()


@pytest.mark.usefixtures("cmu")
def test_variational_study(tmp_path):
    script("variational_study").main(["--samples", "4", "--output", str(tmp_path)])
    figures = pd.read_csv(tmp_path / "variational_study.csv").set_index("figure")["value"]
    assert figures["C = 0.1: share with bound >= stochastic - 0.01"] == 1.0
    assert figures["  R^2 of log mode on log K"] > 0.99


def test_the_readme_states_the_saved_figures():
    text = (FOLDER / "README.md").read_text(encoding="utf-8")
    table = pd.read_csv(FOLDER / "results" / "speed_against_tick.csv")
    for row in table.itertuples():
        shown = f"{row.ratio:.0f}" if row.ratio >= 10 else f"{row.ratio:.1f}"
        assert f"| {row.n_marks} | {row.n_events:,} | {shown} |" in text
