"""The README stays true: its commands, its code, its links and its figures."""

import re
import shlex
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hawkeys
from hawkeys.cli import command_line, main
from hawkeys.cli.benchmark import command as benchmark
from hawkeys.evaluation import PUBLISHED_FIGURES
from hawkeys.evaluation.report.tables import interval_text, rate_text
from hawkeys.verifiers import load_template

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


def test_python_examples_run(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    scope: dict[str, object] = {}
    for code in re.findall(r"```python\n(.*?)```", README, re.DOTALL):
        exec(compile(code, "README.md", "exec"), scope)
    shown = capsys.readouterr().out
    assert "Hawkes process by mle" in shown
    assert len(scope["each"]) == 5
    assert "accepted" in shown
    assert load_template(tmp_path / "template.json").n_samples == 200


def own_events(n_realizations):
    truth = hawkeys.Hawkes([0.4, 0.3], [[0.3, 0.1], [0.0, 0.4]], decay=2.0, mark_names=("a", "b"))
    return hawkeys.simulate(truth, end_time=[60.0] * n_realizations, rng=4)


@pytest.mark.parametrize("name", ["visits.csv", "spikes.parquet"])
def test_a_file_of_ones_own_in_one_command(name, tmp_path, capsys, monkeypatch):
    """The commands of the README, word for word, give intervals, a test and a picture."""
    monkeypatch.chdir(tmp_path)
    if name == "visits.csv":
        frame = own_events(3).to_frame().rename(columns={"realization": "run"})
        frame["time"] = pd.Timestamp("2024-03-01") + pd.to_timedelta(frame["time"], unit="D")
        frame.to_csv(name, index=False)
    else:
        pytest.importorskip("pyarrow")
        frame = own_events(1).to_frame().drop(columns="realization")
        frame.to_parquet(name)
    (line,) = [line for line in COMMANDS if line.startswith(f"hawkeys fit {name}")]
    words = shlex.split(line)[1:]
    assert main(words) == 0
    shown = capsys.readouterr().out
    assert re.search(rf"Events: +{len(frame)}", shown)
    assert re.search(rf"Realisations: +{3 if 'run' in frame else 1} ", shown)
    assert "95 % Wald intervals" in shown
    assert re.search(r"^Goodness of fit", shown, re.MULTILINE)
    picture = (tmp_path / words[-1]).read_bytes()
    assert picture[:4] == (b"%PDF" if name == "visits.csv" else b"<?xm")
    assert len(picture) > 5_000


def test_a_frame_of_nanoseconds_in_five_lines(capsys, tmp_path, monkeypatch):
    """The lines of the README after those that make the frame."""
    monkeypatch.chdir(tmp_path)
    (block,) = [code for code in re.findall(r"```python\n(.*?)```", README, re.DOTALL)
                if "ticks.svg" in code]  # fmt: skip
    made, lines = block.split("\n\n")
    assert "# yours" in made
    assert len(lines.splitlines()) == 5
    one = own_events(1)
    start = pd.Timestamp("2024-03-01").value
    ticks = pd.DataFrame({"time": start + (one.times * 3.6e12).astype("int64"), "mark": one.marks})
    scope = {"hawkeys": hawkeys, "pd": pd, "ticks": ticks}
    exec(compile(lines, "README.md", "exec"), scope)
    assert scope["events"].n_events == one.n_events
    np.testing.assert_allclose(scope["events"].times, one.times, atol=1e-9)
    assert scope["result"].unit == "h"
    shown = capsys.readouterr().out
    assert "95 % Wald intervals" in shown
    assert "Goodness of fit" in shown
    assert (tmp_path / "ticks.svg").stat().st_size > 5_000


def test_the_first_screen_says_how_to_install():
    first = README.split("## ")[0]
    assert "`pip install .`" in first
    assert "Python 3.10 or newer" in first
    # no address that leads nowhere: there is none yet, here and in the package's metadata
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert "[project.urls]" not in project
    assert not re.search(r"https?://", README + project)


def test_files_are_written_where_it_says():
    """The bare command writes a report: the README, the help and the option say one thing."""
    default = next(o.default for o in benchmark.params if o.name == "output")
    assert f"`{default}/`" in README.split("## ")[0]
    assert f"`{default}`, or into the one that `--output DIR` names" in " ".join(README.split())
    assert f"{default}/" in (ROOT / ".gitignore").read_text(encoding="utf-8").splitlines()
    assert next(o for o in benchmark.params if o.name == "report").default is True
    assert "Writes the report" in benchmark.help


COMMANDS = re.findall(r"^(?:\S*/)?hawkeys [a-z].*", README, re.MULTILINE)


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_has_the_options_it_is_shown_with(line, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("samples.csv", "new.csv", "template.json", "EVENTS.csv", "TIMINGS.csv"):
        (tmp_path / name).touch()
    _, name, *words = shlex.split(line, comments=True)
    command = command_line.get_command(None, name)
    with command.make_context(name, words) as context:  # parses, checks, does not run
        assert context.params is not None


def test_the_events_of_the_readme_are_fitted_as_shown(tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = [f"{0.5 * k + (k % 3) * 0.1},{'ab'[k % 2]}" for k in range(100)]
    (tmp_path / "EVENTS.csv").write_text("\n".join(["time,mark", *rows]), encoding="utf-8")
    (line,) = [line for line in COMMANDS if line.startswith("hawkeys fit EVENTS.csv")]
    assert main(shlex.split(line, comments=True)[1:]) == 0
    assert re.search(r"Events: +100", capsys.readouterr().out)


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


def test_the_killourhy_maxion_table_is_the_saved_one():
    results = ROOT / "benchmarks" / "results"
    summary = pd.read_csv(results / "killourhy_maxion_summary.csv", index_col="verifier")
    achieved = pd.read_csv(results / "killourhy_maxion_achieved.csv")
    achieved = achieved[achieved["policy"] == "prequential"].set_index("verifier")
    table = README.split("| EER published |")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    assert len(rows) >= 10
    for name, miss, eer, published, kept in rows:
        row = summary.loc[name]
        for cell, figure in ((miss, "miss_rate"), (eer, "eer")):
            ends = row[figure], row[f"{figure}_lower"], row[f"{figure}_upper"]
            assert cell == interval_text(*ends), name
        assert kept == rate_text(achieved.loc[name, "achieved_false_alarm"]), name
        paper = PUBLISHED_FIGURES.get(name)
        assert published == ("" if paper is None else rate_text(paper.eer)), name


def test_the_table_of_other_texts_is_the_saved_one():
    saved = pd.read_csv(ROOT / "benchmarks" / "results" / "bksd.csv").set_index(
        ["verifier", "data"]
    )
    table = README.split("| verifier | password: miss at 5 % |")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    assert {row[0] for row in rows} == set(saved.index.get_level_values(0))
    for name, *cells in rows:
        told = [
            interval_text(
                *saved.loc[(name, data), [f"{rate}{end}" for end in ("", "_lower", "_upper")]]
            )
            for data in ("bksd-password", "bksd-phrase")
            for rate in ("miss_rate", "eer")
        ]
        assert cells == told, name


def test_the_table_of_few_samples_is_the_saved_one():
    saved = pd.read_csv(ROOT / "benchmarks" / "results" / "few_samples_background.csv")
    table = README.split("| | 3 samples |")[1].split("\n\n")[0]
    rows = [[cell.strip() for cell in line.split("|")[1:-1]] for line in table.splitlines()[2:]]
    assert len(rows) == 8
    for name, *cells in rows:
        data, verifier = name.split(": ")
        own = saved[
            (saved["data"] == data.lower().replace(" ", "-")) & (saved["verifier"] == verifier)
        ].set_index("n_samples")["eer"]
        assert cells == [f"{own[n]:.3f}".lstrip("0") for n in (3, 5, 7, 10, 20, 50)], name


def test_times_of_the_published_fit_are_the_saved_ones():
    saved = pd.read_csv(ROOT / "benchmarks" / "results" / "variational_study.csv", index_col=0)
    seconds = saved.iloc[:, 0].astype(float)
    slow, fast = (
        seconds[f"{form}: seconds per sample"] for form in ("stochastic", "deterministic")
    )
    words = f"{slow:.1f} s a sample here) and the deterministic one ({1e3 * fast:.0f} ms)"
    assert words in " ".join(README.split())


def test_changelog_knows_the_version():
    assert f"## {hawkeys.__version__} " in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_one_version_everywhere():
    cited = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    newest = re.search(r"^## (\S+) \((.*)\)$", changes, re.MULTILINE)
    version, date = newest.groups()
    assert version == hawkeys.__version__
    assert f"\nversion: {version}\n" in cited
    assert f"\ndate-released: {date}\n" in cited
