"""The README stays true: its commands, its code, its links and its figures."""

import re
from pathlib import Path

import pandas as pd
import pytest

import hawkeys

ROOT = Path(__file__).parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
ROWS = {
    "raw timings, scaled Manhattan": "raw-scaled-manhattan",
    "POHMM": "pohmm",
    "Hawkes features, scaled Manhattan": "hawkes-scaled-manhattan",
    "Hawkes features, Euclidean": "hawkes-euclidean",
}


def test_ci_runs_the_test_command_of_the_readme():
    commands = re.findall(r"^python3 -m venv .*pytest$", README, re.MULTILINE)
    assert len(commands) == 1
    assert commands[0] in (ROOT / ".ci" / "run").read_text().splitlines()


def test_python_example_runs(capsys):
    (code,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    scope: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), scope)
    assert "Hawkes process by mle" in capsys.readouterr().out
    assert len(scope["each"]) == 5


def test_links_lead_to_files():
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert len(links) >= 5
    missing = [link for link in links if not (ROOT / link).exists()]
    assert missing == []


@pytest.mark.parametrize("title", ROWS)
def test_table_shows_the_saved_benchmark(title):
    saved = pd.read_csv(ROOT / "benchmarks" / "results" / "five_subjects.csv", index_col=0)
    row = saved.loc[ROWS[title]]
    cells = [
        f"{row[name]:.3f} ({row[f'{name}_lower']:.3f}-{row[f'{name}_upper']:.3f})".replace(
            "0.", "."
        )
        for name in ("miss_rate", "eer", "auc")
    ]
    assert f"| {title} | {' | '.join(cells)} |" in README


def test_changelog_knows_the_version():
    assert f"## {hawkeys.__version__} " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
