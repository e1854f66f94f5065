"""``hawkeys capture``: what it says, what it refuses, and that Ctrl-C ends it well."""

import json
import os
import re
import shlex
import signal
import subprocess
import sys
import time
import urllib.request
from importlib.resources import files
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from hawkeys.capture import AttemptFile
from hawkeys.cli import main
from hawkeys.datasets import load_demo
from hawkeys.verifiers import enrol, load_template

ROOT = Path(__file__).parents[2]


def run(capsys, *arguments):
    status = main(["capture", *arguments])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture
def served(monkeypatch):
    """The sessions that would be served."""
    pytest.importorskip("uvicorn", reason="the capture page needs the extra [capture]")
    sessions = []

    class Server:
        address = "http://127.0.0.1:1/start?token=t"

        def __init__(self, session, *, port):
            sessions.append((session, port))

        def __enter__(self):
            return self

        def __exit__(self, *_):
            pass

        def run(self):
            raise KeyboardInterrupt

    monkeypatch.setattr("hawkeys.cli.capture.CaptureServer", Server)
    return sessions


def test_the_options_reach_the_session(capsys, served, tmp_path):
    output, store = tmp_path / "own.jsonl", tmp_path / "template.json"
    status, out, err = run(
        capsys, "--text", "hello", "--enrol", "7", "-o", str(output), "--store", str(store),
        "--user", "ann", "--false-alarm", "0.1", "--port", "5",
    )  # fmt: skip
    ((session, port),) = served
    assert (status, err, port) == (0, "", 5)
    assert (session.typed.characters, session.n_enrol, session.user) == ("hello", 7, "ann")
    assert (session.file.path, session.store) == (output, store)
    assert session.verifier.false_alarm == 0.1
    assert out.splitlines() == [
        "Open this address in a browser on this machine; it works once:",
        "  http://127.0.0.1:1/start?token=t",
        f"Attempts, wrong ones too, are appended to {output}.",
        "Ctrl-C ends it.",
        "0 attempts, 0 of them samples of the text.",
    ]


def test_answers_for_programs(capsys, served, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, "--text", "ab", "-o", "own.jsonl", "--json")
    assert (status, err) == (0, "")
    assert [json.loads(line) for line in out.splitlines()] == [
        {"schema": "hawkeys-capture/1", "address": "http://127.0.0.1:1/start?token=t",
         "output": "own.jsonl", "store": None},
        {"schema": "hawkeys-capture-end/1", "n_attempts": 0, "n_samples": 0, "n_enrolled": None,
         "threshold": None},
    ]  # fmt: skip


@pytest.mark.parametrize("as_json", [False, True])
def test_what_came_of_it(capsys, served, tmp_path, monkeypatch, as_json):
    """Five attempts at a text with a blank and a quote, and what goes on from there."""
    monkeypatch.chdir(tmp_path)

    def typed(self):
        rng = np.random.default_rng(0)
        (session, _) = served[0]
        for _ in range(5):
            session.add(_attempt(rng, "a 'b"))
        raise KeyboardInterrupt

    monkeypatch.setattr("hawkeys.cli.capture.CaptureServer.run", typed)
    given = ["--text", "a 'b", "--enrol", "5", "-o", "own.jsonl", "--store", "t.json"]
    status, out, _ = run(capsys, *given, *["--json"] * as_json)
    template = load_template("t.json")
    assert (status, template.n_samples) == (0, 5)
    if as_json:
        answer = json.loads(out.splitlines()[-1])
        assert (answer["n_samples"], answer["n_enrolled"]) == (5, 5)
        assert answer["threshold"] == template.threshold
        return
    *_, counts, stored, following = out.splitlines()
    assert counts == "5 attempts, 5 of them samples of the text."
    assert stored == "template of 5 samples: t.json"
    assert main(shlex.split(following)[1:]) == 0
    table = pd.read_csv("timings.csv")
    np.testing.assert_array_equal(table.to_numpy()[:, 3:].astype(float), template.samples)


def _attempt(rng, text):
    events = []
    for place, key in enumerate([*text, "Enter"]):
        down, up = 150.0 * place + rng.normal(0.0, 9.0), 150.0 * place + rng.normal(90.0, 9.0)
        for kind, at in (("keydown", down), ("keyup", up)):
            events.append({"type": kind, "key": key, "code": key, "timeStamp": 100.0 + at})
    return {"events": events, "clock_resolution_ms": 0.1}


def test_nothing_is_stored_unless_asked(capsys, served, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    status, out, _ = run(capsys, "--text", "hello")
    assert status == 0
    assert "Nothing is stored; --output keeps the attempts, --store the template." in out
    assert list(tmp_path.iterdir()) == []
    assert served[0][0].file is None


def test_an_earlier_template(capsys, served, tmp_path):
    demo = load_demo(n_subjects=1).timings()
    enrol(demo[:60]).save(tmp_path / "t.json")
    # with Return as many keys as the demo's
    given = ["--text", "0123456789", "--template", str(tmp_path / "t.json")]
    status, _, err = run(capsys, *given)
    assert (status, err) == (0, "")
    assert served[0][0].template.n_samples == 60
    for option in (["--enrol", "10"], ["--store", "x.json"], ["--false-alarm", "0.05"]):
        status, _, err = run(capsys, *given, *option)
        assert status == 2
        assert f"so that {option[0]} has no effect. Leave one of the two out" in err
    status, _, err = run(capsys, "--text", "ab", "--template", str(tmp_path / "t.json"))
    assert status == 2
    assert "the template is of 11 keys, the text with Return of 3" in err


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ([], "Missing option '--text'"),
        (["--text", ""], "text must be 1 to 100 characters"),
        (["--text", "ab", "--enrol", "4"], "n_enrol must be at least 5; got 4"),
        (["--text", "ab", "--false-alarm", "1"], "--false-alarm must"),
        (["--text", "ab", "--user", ""], "user must be a name"),
        (["--text", "ab", "-o", "nowhere/own.jsonl"], "cannot write to 'nowhere/own.jsonl'"),
        (["--text", "ab", "--store", "nowhere/t.json"], "there is no folder '"),
        (["--text", "ab", "-o", "x", "--store", "x"], "the output 'x' is the input 'x'"),
        (["--text", "", "-o", "x"], "text must be 1 to 100 characters"),
        (["--text", "ab", "--template", "nowhere.json"], "nowhere.json"),
    ],
)
def test_what_is_refused(capsys, served, tmp_path, monkeypatch, options, said):
    monkeypatch.chdir(tmp_path)
    status, out, err = run(capsys, *options)
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_half_an_attempt_that_was_removed_is_told(capsys, served, tmp_path):
    path = tmp_path / "own.jsonl"
    path.write_bytes(b'{"schema":"hawk')
    _, _, err = run(capsys, "--text", "ab", "-o", str(path))
    assert "ended in half an attempt (15 bytes), which was removed" in err
    with AttemptFile(path) as file:  # closed by the command
        assert file.n_bytes_removed == 0


def test_the_port_is_refused(capsys):
    pytest.importorskip("uvicorn", reason="the capture page needs the extra [capture]")
    status, _, err = run(capsys, "--text", "ab", "--port", "70000")
    assert status == 2
    assert "port must be a whole number from 0" in err


@pytest.mark.parametrize("package", ["starlette", "uvicorn"])
def test_without_the_extra(capsys, monkeypatch, package):
    monkeypatch.setitem(sys.modules, package, None)
    status, out, err = run(capsys, "--text", "ab")
    assert (status, out) == (2, "")
    assert err == (
        "hawkeys: error: the capture page needs starlette and uvicorn, which are not installed "
        'here. Install the extra: pip install "hawkeys[capture]".\n'
    )


@pytest.mark.skipif(os.name != "posix", reason="sends SIGINT as a terminal does")
def test_ctrl_c_ends_the_server_with_a_summary(tmp_path):
    pytest.importorskip("uvicorn", reason="the capture page needs the extra [capture]")
    command = [sys.executable, "-m", "hawkeys", "capture", "--text", "hello", "-o", "own.jsonl"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        said = [process.stdout.readline() for _ in range(4)]
        address = said[1].strip()
        assert re.fullmatch(r"http://127\.0\.0\.1:\d+/start\?token=[\w-]{43}", address)
        deadline = time.monotonic() + 60
        while True:  # once it answers, it also takes the signal
            try:
                assert urllib.request.urlopen(address, timeout=30).status == 200
                break
            except urllib.error.URLError:
                assert time.monotonic() < deadline
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert (process.returncode, err) == (0, "")
    assert out == "0 attempts, 0 of them samples of the text.\n"


def test_the_files_of_the_page_are_part_of_the_package():
    static = {one.name for one in (files("hawkeys.capture") / "static").iterdir()}
    assert static == {"page.css", "page.html", "page.js"}
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert '"capture/static/*"' in project
