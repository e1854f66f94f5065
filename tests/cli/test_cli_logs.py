"""``hawkeys formats``, ``import`` and ``timings``; enrolment and verification from a log."""

import io
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hawkeys.cli import main
from hawkeys.cli.logs import keys_of
from hawkeys.datasets import available_formats, pair_events, read_key_events, read_timings
from hawkeys.verifiers import load_template

TEXT = ".tie5Roanl<Return>"
CODES = {".": "KEY_DOT", "5": "KEY_5", "Return": "KEY_ENTER"}
SPELT = [".", "t", "i", "e", "5", "R", "o", "a", "n", "l", "Return"]


def attempts(n, seed=0, pace=1.0):
    """Return the press and release of every key, in whole microseconds."""
    rng = np.random.default_rng(seed)
    press = np.cumsum(rng.integers(150_000, 260_000, (n, 11)) * pace, axis=1).astype(int)
    return press, press + rng.integers(60_000, 110_000, (n, 11))


def evtest(n, seed=0, pace=1.0):
    """Return the log of a text typed n times with Shift."""
    press, release = attempts(n, seed, pace)
    rows = []
    for k in range(n):
        start = 1_700_000_000_000_000 + 10_000_000 * k
        for key, down, up in zip(SPELT, press[k].tolist(), release[k].tolist(), strict=True):
            code = CODES.get(key, f"KEY_{key.upper()}")
            rows += [(start + down, code, 1), (start + up, code, 0)]
            if key == "R":
                rows += [(start + down - 50_000, "KEY_LEFTSHIFT", 1),
                         (start + down + 30_000, "KEY_LEFTSHIFT", 0)]  # fmt: skip
    return "".join(
        f"Event: time {us // 10**6}.{us % 10**6:06d}, type 1 (EV_KEY), code 9 ({code}), value {v}\n"
        for us, code, v in sorted(rows))  # fmt: skip


def run(capsys, *arguments):
    status = main(arguments)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture(autouse=True)
def _workplace(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "log.txt").write_text(evtest(60))
    (tmp_path / "new.txt").write_text(evtest(3, seed=1))
    (tmp_path / "other.txt").write_text(evtest(3, seed=2, pace=2.5))


def feed(monkeypatch, text):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))


def check_samples(path):
    timings, labels = read_timings(path)
    press, release = attempts(60)
    hold = np.round(timings.to_numpy()[:, 0::3] * 1e6)
    assert np.array_equal(hold, release - press)
    assert np.array_equal(np.round(timings.to_numpy()[:, 1::3] * 1e6), np.diff(press, axis=1))
    assert list(timings)[-1] == "H.Return"
    return labels


def test_formats_are_listed(capsys):
    status, out, err = run(capsys, "formats")
    assert (status, err) == (0, "")
    for info in available_formats():
        assert f"  {info.name}: " in out


def test_from_a_log_to_samples(capsys):
    status, out, err = run(capsys, "import", "log.txt", "-o", "events.csv", "--user", "ann")
    assert (status, err) == (0, "")
    assert "log.txt: evtest, read 1,440; times from 1700000000 s on" in out
    raw, plain = read_key_events("log.txt", user="ann"), read_key_events("events.csv")
    assert plain.format == "csv"
    assert np.array_equal(raw.time, plain.time)
    for name in ("user", "session", "key", "code", "down"):
        assert np.array_equal(getattr(raw, name), getattr(plain, name))
    options = ["--text", TEXT, "--end-key", "Return"]
    status, out, err = run(capsys, "timings", "events.csv", "-o", "timings.csv", *options)
    assert (status, err) == (0, "")
    assert out == "60 samples (ann 60), 31 timings: timings.csv\n"
    labels = check_samples("timings.csv")
    assert set(labels["subject"]) == {"ann"}
    assert labels["repetition"].tolist() == list(range(1, 61))
    run(capsys, "timings", "log.txt", "-o", "direct.csv", *options, "--user", "ann")
    with open("timings.csv") as one, open("direct.csv") as other:
        assert one.read() == other.read()


def test_stdin_and_stdout(capsys, monkeypatch):
    feed(monkeypatch, evtest(60))
    status, events, err = run(capsys, "import", "-", "-o", "-")
    assert status == 0
    assert "1,440 rows: -" in err
    feed(monkeypatch, events)
    status, out, err = run(capsys, "timings", "-", "-o", "-", "--text", TEXT, "--end-key", "Return")
    assert status == 0
    assert "60 samples" in err
    with open("t.csv", "w") as file:
        file.write(out)
    check_samples("t.csv")


def test_from_a_log_to_a_decision(capsys, monkeypatch):
    options = ["--text", TEXT, "--end-key", "Return"]
    arguments = ["enrol", "log.txt", "-o", "t.json", "--verifier", "scaled-manhattan", *options]
    assert run(capsys, *arguments)[0] == 0
    assert load_template("t.json").n_samples == 60
    status, out, _ = run(capsys, "verify", "t.json", "new.txt", *options)
    assert (status, out.splitlines()[-1].split(",")[0]) == (0, "3 of 3 accepted")
    feed(monkeypatch, evtest(3, seed=2, pace=2.5))
    status, out, _ = run(capsys, "verify", "t.json", "-", *options)
    assert (status, out.splitlines()[-1].split(",")[0]) == (1, "0 of 3 accepted")


def check_report(folder):
    rates = pd.read_csv(Path(folder) / "per_subject.csv")
    assert rates["subject"].tolist() == ["ann", "bob"]
    assert rates["n_genuine"].tolist() == [15, 15]
    assert (rates["eer"] < 0.1).all()
    assert (Path(folder) / "report.html").stat().st_size > 10_000
    return rates


def test_from_logs_to_a_report(capsys):
    """One command from a folder of logs; three by way of events and samples, with one answer."""
    Path("logs").mkdir()
    for seed, (name, pace) in enumerate((("ann", 1.0), ("bob", 2.5))):
        (Path("logs") / f"{name}.txt").write_text(evtest(30, seed=seed, pace=pace))
    options = ["--text", TEXT, "--end-key", "Return"]
    how = ["--verifiers", "manhattan", "--jobs", "1", "--train", "15"]
    assert run(capsys, "benchmark", "logs", *options, *how, "--output", "one")[0] == 0
    logs = ["logs/ann.txt", "logs/bob.txt"]
    assert run(capsys, "import", *logs, "-o", "events.csv")[0] == 0
    assert run(capsys, "timings", "events.csv", *options, "-o", "samples.csv")[0] == 0
    assert run(capsys, "benchmark", "samples.csv", *how, "--output", "three")[0] == 0
    pd.testing.assert_frame_equal(check_report("one"), check_report("three"))


def test_several_logs_are_of_several_typists(capsys):
    assert run(capsys, "import", "new.txt", "other.txt", "-o", "both.csv")[0] == 0
    assert pair_events(read_key_events("both.csv")).subjects == ("new", "other")


def test_logs_without_releases(capsys):
    frame = pd.DataFrame({"key": list("abab"), "press": [0, 0.25, 5, 5.5], "rep": [1, 1, 2, 2]})
    frame.to_csv("presses.csv", index=False)
    who = ["--user", "ann", "--session", "1"]
    status, out, _ = run(capsys, "timings", "presses.csv", "-o", "-", "--text", "ab", *who)
    assert status == 0
    assert out == "subject,session,repetition,DD.a.b\nann,1,1,0.25\nann,1,2,0.5\n"
    assert run(capsys, "import", "presses.csv", "-o", "e.csv", *who)[0] == 0
    assert read_key_events("e.csv").press_only


def test_what_was_left_out_is_said(capsys):
    with open("log.txt", "a") as file:
        file.write("Event: time 1700000000.1234567, type 1 (EV_KEY), code 30 (KEY_A), value 1\n")
    status, _, err = run(capsys, "import", "log.txt", "-o", "e.csv")
    assert status == 2
    assert "line 1441: expected seconds and up to 6 digits" in err
    status, out, _ = run(capsys, "import", "log.txt", "-o", "e.csv", "--on-error", "drop")
    assert status == 0
    assert "no time in time: 1 row left out, the first: line 1441" in out
    status, _, err = run(capsys, "timings", "log.txt", "-o", "t.csv", "--text", "tie",
                         "--on-error", "drop", "--rest", "ignore")  # fmt: skip
    assert status == 2
    assert "no attempt of 1 spells the text of 3 keys (t i e); the others: 1 other" in err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["timings", "log.txt", "-o", "t.csv"], "--text is missing: say what was typed"),
        (["timings", "log.txt", "-o", "log.txt", "--text", "a"], "the output 'log.txt' is the inp"),
        (["import", "log.txt", "-o", "log.txt"], "the output 'log.txt' is the input"),
        (["import", "log.txt", "-o", "e.csv", "--format", "cmu"], "--format cmu is a table of sam"),
        (["import", "nowhere", "-o", "e.csv"], "nowhere: no such file"),
        (["enrol", "log.txt", "-o", "t.json"], "log.txt: holds 1,440 key events (format evtest)"),
        (["import", "log.txt", "-o", "e.csv", "--format", "browser"], "no valid JSON"),
    ],
)
def test_wrong_commands(capsys, arguments, message):
    status, _, err = run(capsys, *arguments)
    assert status == 2
    assert message in err


def test_texts():
    assert keys_of("ab<Return>") == ["a", "b", "Return"]
    assert keys_of("a<b>") == ["a", "<", "b", ">"]
    assert keys_of("<<x") == ["<", "<", "x"]
    assert keys_of("ab", "Return") == ["a", "b", "Return"]
    assert keys_of("ab<Return>", "return") == ["a", "b", "Return"]


def test_logs_of_two_kinds_are_not_joined(capsys):
    frame = pd.DataFrame({"user": "a", "session": 1, "key": ["x"], "press": [0], "release": [0.1]})
    frame.to_csv("strokes.csv", index=False)
    status, _, err = run(capsys, "import", "log.txt", "strokes.csv", "-o", "e.csv")
    assert status == 2
    assert "some of the logs have one row per keystroke and others one per event" in err
