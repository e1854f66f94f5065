"""``hawkeys benchmark --task``: event times and free text."""

import re
import sys

import numpy as np
import pandas as pd
import pytest

from hawkeys.cli import main


def run(capsys, *arguments):
    status = main(["benchmark", *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture(autouse=True)
def _workplace(tmp_path, monkeypatch):
    """An empty working folder and no data; demo people of few events."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HAWKEYS_DATA", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setattr("hawkeys._progress.PATIENCE", 3600.0)  # however slow the machine
    from hawkeys.datasets import simulate_event_times

    monkeypatch.setattr(
        "hawkeys.cli.tasks.data.simulate_event_times",
        lambda rng: simulate_event_times(n_sessions=5, n_events=120, rng=rng),
    )


@pytest.mark.parametrize("width", [24, 40, 80, 200])
def test_tables_lose_no_figure(capsys, monkeypatch, width):
    """Parts of a wide table repeat the first column; together they have every cell once."""
    from hawkeys.cli.console import print_table

    monkeypatch.setenv("COLUMNS", str(width))
    names = ["log-linear", "renewal"]
    table = pd.DataFrame({"system": names} | {f"c{k}": [f"1.{k}7", f"2.{k}"] for k in range(9)})
    print_table(table)
    lines = capsys.readouterr().out.splitlines()
    assert max(len(line) for line in lines) <= width
    for k, row in enumerate(table.itertuples(index=False)):
        shown = [line.split() for line in lines if line.startswith(names[k])]
        assert [cell for part in shown for cell in part[1:]] == list(row[1:])
    parts = [line.split()[1:] for line in lines if line.startswith("system")]
    assert [name for part in parts for name in part] == [f"c{k}" for k in range(9)]
    assert len(parts) == {24: 5, 40: 3, 80: 1, 200: 1}[width]


def test_titles_are_wrapped_before_a_table_is_parted(capsys, monkeypatch):
    from hawkeys.cli.console import print_table

    monkeypatch.setenv("COLUMNS", "28")
    print_table(pd.DataFrame({"system": ["x"], "one, ratio": [0.125], "template s": [12.5]}))
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert lines[:2] == [["one,", "template"], ["system", "ratio", "s"]]
    assert lines[3] == ["x", "0.125", "12.5"]


def test_fractions_of_a_column_have_equally_many_decimals(capsys):
    from hawkeys.cli.console import print_table

    given = {"system": list("abcde"), "EER": [0.37, 0.368, 1.0, float("nan"), 1e-12],
             "n": [1, 20, 3, 4, 5], "some": [0.5, "", -0.25, "x", 2.0]}  # fmt: skip
    print_table(pd.DataFrame(given))
    rows = [line.split() for line in capsys.readouterr().out.splitlines()[2:]]
    assert rows == [["a", "0.370", "1", "0.50"], ["b", "0.368", "20"], ["c", "1.000", "3", "-0.25"],
                    ["d", "nan", "4", "x"], ["e", "1e-12", "5", "2.00"]]  # fmt: skip


def test_long_cells_are_wrapped(capsys, monkeypatch):
    from hawkeys.cli.console import print_table

    monkeypatch.setenv("COLUMNS", "30")
    text = "accuracy of other people on other data"
    print_table(pd.DataFrame({"system": ["x" * 20], "reported": [text], "EER": [0.125]}))
    out = capsys.readouterr().out
    assert "…" not in out
    assert out.count("x") == 2 * 20  # two parts
    assert all(word in out.split() for word in [*text.split(), "0.125"])


def test_event_times_of_the_demo(capsys, tmp_path):
    status, out, err = run(capsys, "--task", "event-times", "--dataset", "demo", "--output", "here")
    assert (status, err) == (0, "")
    assert "SIMULATED event times, no real person" in out
    for text in ("markov-renewal", "stack", "clock, not snapped", "clock, snapped", "+-", "480"):
        assert text in out
    rates = pd.read_csv(tmp_path / "here" / "event_times_rates.csv").set_index("system")
    assert len(rates) == 10
    assert {"eer", "eer_one_threshold", "false_alarm_kept", "accuracy_sd"} <= set(rates.columns)
    assert rates["n_folds"].eq(10).all()
    assert rates["n_learned"].loc["lognormal-renewal"] == 4  # location and scale of two people
    page = (tmp_path / "here" / "report.html").read_text(encoding="utf-8")
    assert "SIMULATED event times, no real person" in page
    tables = [re.findall("<tr>(.*?)</tr>", one) for one in page.split("<table>")[1:]]
    assert [len(rows) - 1 for rows in tables] == [10, 8, 8]
    names = ("system", "uses", "numbers", "train s", "ms")
    assert tables[2][0] == "".join(f"<th>{name}</th>" for name in names)
    shown = [int(re.findall("<td>(.*?)</td>", row)[2]) for row in tables[2][1:]]
    assert shown == rates["n_learned"].iloc[:8].round().tolist()
    assert "hawkeys benchmark --task event-times --dataset demo --false-alarm 0.05 --seed 0" in page
    events = pd.read_csv(tmp_path / "here" / "event_times_events.csv")
    assert sorted(events["n_events"].unique()) == [30, 60, 120, 240, 480]


def few_people(monkeypatch):
    """The demo of fixed text, with six people and two sessions."""
    from hawkeys.datasets import load_demo

    whole = load_demo()
    kept = np.isin(whole.subject, whole.subjects[:6]) & np.isin(whole.session, [1, 2])
    few = whole[kept]
    monkeypatch.setattr("hawkeys.cli.tasks.data.load_dataset", lambda name, path: (few, None))


def test_few_samples_of_the_demo(capsys, tmp_path, monkeypatch):
    few_people(monkeypatch)
    monkeypatch.setenv("COLUMNS", "80")
    status, out, err = run(capsys, "--task", "few-shot", "--dataset", "demo", "--output", "here")
    assert (status, err) == (0, "")
    for text in ("scaled Manhattan", "marked renewal, ratio to the others", "With 10 samples"):
        assert text in out
    assert "reported" not in out
    assert "…" not in out
    assert "nan" not in out
    stored = re.search(r"^scaled Manhattan .* (\d+)$", out.split("bytes\n")[1], re.MULTILINE)
    assert int(stored[1]) == 8 * (2 * 31 + 1)  # centre, scale and threshold
    rates = pd.read_csv(tmp_path / "here" / "few_shot_rates.csv")
    assert rates.groupby("system").size().tolist() == [
        12,
        15,
        12,
        12,
    ]  # folds by sizes, one too few
    assert rates[["eer", "eer_one_threshold", "miss_kept"]].notna().all(axis=None)


def test_networks_stand_beside(capsys, tmp_path, monkeypatch):
    """Of all three tasks, each network trained for one epoch or replaced by one that is."""
    pytest.importorskip("torch", reason="networks need the extra [neural]")
    from hawkeys import evaluation
    from hawkeys.neural import ContrastiveClassifier, Recipe, Runtime, Schedule, TemporalCharacters

    cpu, once = Runtime("cpu"), Schedule("adam", 1e-3, batch_size=32, epochs=1)
    small = ContrastiveClassifier(
        Recipe("log-intervals", *[once] * 3), recurrent=False, runtime=cpu
    )
    made = {
        "event_times.event_time_networks": {"contrastive network": small},
        "free_text.keyed_text_networks": {"temporal characters": TemporalCharacters(schedule=once)},
        "few_shot.few_shot_networks": evaluation.few_shot_networks(once, cpu),
    }
    for name, networks in made.items():
        monkeypatch.setattr(f"hawkeys.cli.tasks.{name}", lambda networks=networks, **_: networks)
    few_people(monkeypatch)
    for task, table in (("event-times", "event_times_rates"), ("few-shot", "few_shot_rates"),
                        ("free-text", "free_text_rates")):  # fmt: skip
        status, out, _ = run(capsys, "--task", task, "--dataset", "demo", "--networks", "-o", task)
        assert status == 0
        assert "reported: by the authors of the networks" in " ".join(out.split())
        rates = pd.read_csv(tmp_path / task / f"{table}.csv")
        told = rates.dropna(subset=["reported"]).groupby("system")["reported"].first()
        assert len(told) == 1
        assert told.iloc[0] == evaluation.REPORTED_FIGURES[told.index[0]]
        assert {"contrastive network", "LSTM codes, triplet loss", "temporal characters"} & set(
            rates["system"]
        )


def test_networks_without_torch(capsys, monkeypatch):
    """One line that names the extra, before any work."""
    monkeypatch.setitem(sys.modules, "torch", None)
    status, out, err = run(capsys, "--task", "event-times", "--dataset", "demo", "--networks")
    assert (status, out) == (2, "")
    assert 'pip install "hawkeys[neural]"' in err


def test_free_text_of_the_demo(capsys, tmp_path):
    status, out, err = run(capsys, "--task", "free-text", "--no-report")
    assert (status, err) == (0, "")
    assert "Aalto sentences are not available, so these are SIMULATED" in out
    assert "with one threshold for all" in " ".join(out.split())
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--task", "event-times", "--dataset", "cmu"],
            "takes --dataset auto, press-times or demo",
        ),
        (
            ["--task", "free-text", "--dataset", "press-times"],
            "takes --dataset auto, aalto or demo",
        ),
        (
            ["--dataset", "aalto"],
            "--task fixed-text takes --dataset auto, cmu, bksd-password, bksd-phrase or demo; got",
        ),
        (["--task", "event-times", "--jobs", "2"], "--jobs is for --task fixed-text alone"),
        (["--networks"], "--networks is for --task event-times, few-shot, free-text; got"),
        (["--task", "few-shot", "--dataset", "aalto"], "takes --dataset auto, cmu or demo"),
        (["--task", "free-text", "--studies"], "--studies is for --task fixed-text alone"),
        (["--task", "event-times", "--dataset", "press-times"], "HAWKEYS_DATA is not set"),
        (["--task", "event-times", "--data-path", "x"], "x: no file timestamps_*.bin"),
        (["--task", "free-text", "--data-path", "x.npz"], "x.npz: no such file"),
        (["--task", "free-text", "--dataset", "demo", "--data-path", "x"], "demo is simulated"),
        (["--task", "free-text", "--false-alarm", "2"], "false_alarm must be one number"),
        (["--task", "free-text", "--output", "/dev/null/x"], "cannot"),
    ],
)
def test_errors_are_one_line(capsys, arguments, message):
    status, _, err = run(capsys, *arguments)
    assert status == 2
    assert message in err
    assert err.count("\n") == 1
