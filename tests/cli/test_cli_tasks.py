"""``hawkeys benchmark --task``: event times and free text."""

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
        "hawkeys.cli.tasks.simulate_event_times",
        lambda rng: simulate_event_times(n_sessions=5, n_events=300, rng=rng),
    )


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
    events = pd.read_csv(tmp_path / "here" / "event_times_events.csv")
    assert sorted(events["n_events"].unique()) == [30, 60, 120, 240, 480]


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
