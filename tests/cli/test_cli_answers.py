"""What every command has in common: JSON by a documented schema, --quiet, and exit statuses."""

import json
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hawkeys
from hawkeys.cli import _COMMANDS, command_line, main
from hawkeys.datasets import load_demo

PAGE = (Path(__file__).parents[2] / "docs" / "command_line.md").read_text(encoding="utf-8")
SCHEMAS = {
    name: dict(re.findall(r"^\| `([^`]+)` \| ([a-z ]+) \|", text, re.MULTILINE))
    for name, text in re.findall(r"^### `(.+?)`$(.*?)(?=^### |\Z)", PAGE, re.MULTILINE | re.DOTALL)
}
TYPES = {
    "text": (str,),
    "number": (int, float),
    "integer": (int,),
    "boolean": (bool,),
    "text or null": (str, type(None)),
    "number or null": (int, float, type(None)),
    "integer or null": (int, type(None)),
    "object": (dict,),
    "objects": (list,),
}
DEMO = load_demo(n_subjects=2)


def walk(value, fields, path=""):
    """Yield the path and the value of every field, down to what the page does not divide."""
    if path in fields:
        yield path, value
    elif isinstance(value, dict):
        for name, part in value.items():
            yield from walk(part, fields, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for part in value:
            yield from walk(part, fields, f"{path}[]")
    else:
        yield path, value


def answer_of(text):
    """Return a line of JSON, checked against the page: each field is known and of its type."""
    assert text.count("\n") == 1
    answer = json.loads(text, parse_constant=lambda name: pytest.fail(f"{name} is no JSON"))
    fields = SCHEMAS[answer.pop("schema")]
    seen = list(walk(answer, fields))
    for path, value in seen:
        assert path in fields, f"{path} is not on the page"
        assert type(value) in TYPES[fields[path]], (path, value)
        if fields[path] == "objects":
            assert value
            assert all(type(one) is dict for one in value)
    missing = set(fields) - {path for path, _ in seen} - {"logs[].left_out[]"}  # may be empty
    assert missing == set()
    return answer


@pytest.fixture
def place(tmp_path, monkeypatch):
    """Files of one typist and of another, a log, and no data sets."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HAWKEYS_DATA", raising=False)
    monkeypatch.setattr("hawkeys._progress.PATIENCE", 3600.0)  # however slow the machine
    table = DEMO.timings().assign(subject=DEMO.subject, session=DEMO.session)
    own = DEMO.subject == DEMO.subjects[0]
    table[own][:60].to_csv("own.csv", index=False)
    table[own][60:63].to_csv("later.csv", index=False)
    table[~own][:3].to_csv("others.csv", index=False)
    pd.concat([table[own][:40], table[~own][:40]]).to_csv("both.csv", index=False)
    rows = ["user,session,key,type,time"]
    for k in range(12):
        rows += [f"ann,1,{key},{kind},{k + 0.1 * place + late}" for place, key in enumerate("abc")
                 for kind, late in (("down", 0.0), ("up", 0.05))]  # fmt: skip
    Path("log.csv").write_text("\n".join(rows) + "\n")
    rng = np.random.default_rng(0)
    pd.DataFrame({"time": np.sort(rng.uniform(0, 50, 80)), "mark": rng.choice(["a", "b"], 80)}
                 ).to_csv("events.csv", index=False)  # fmt: skip
    return tmp_path


ENROL = ["enrol", "own.csv", "-o", "t.json", "--verifier", "scaled-manhattan"]
BENCHMARK = ["benchmark", "--verifiers", "manhattan", "--jobs", "1"]
ANSWERS = {
    "enrol": ENROL,
    "features": ["features", "later.csv", "-o", "f.csv"],
    "timings": ["timings", "log.csv", "-o", "s.csv", "--text", "abc", "--end-key", "c"],
    "import": ["import", "log.csv", "-o", "k.csv"],
    "formats": ["formats"],
    "datasets": ["datasets"],
    "verifiers": ["verifiers"],
    "warmup, list": ["warmup", "--list"],
    "benchmark": [*BENCHMARK, "both.csv", "--no-report"],
    "benchmark, one typist": [*BENCHMARK, "own.csv", "--impostors", "none", "-o", "out"],
}


@pytest.mark.parametrize("case", ANSWERS)
def test_json_is_what_the_page_says(case, place, capsys):
    assert main([*ANSWERS[case], "--json"]) == 0
    out, err = capsys.readouterr()
    assert err == ""
    answer_of(out)


def test_json_of_decisions(place, capsys):
    main(ENROL)
    capsys.readouterr()
    status = main(["verify", "t.json", "others.csv", "--json"])
    answer = answer_of(capsys.readouterr().out)
    assert (status, answer["n_samples"]) == (1, 3)
    assert answer["n_accepted"] == sum(one["accepted"] for one in answer["samples"]) < 3
    assert [one["row"] for one in answer["samples"]] == [1, 2, 3]
    assert answer["samples"][0]["labels"]["subject"] == DEMO.subjects[1]
    main(["verify", "t.json", "others.csv", "-o", "d.csv"])
    table = pd.read_csv("d.csv")
    assert table["score"].tolist() == pytest.approx([one["score"] for one in answer["samples"]])


@pytest.mark.usefixtures("no_pictures")
def test_json_of_the_benchmark_is_its_table(place, capsys):
    main([*BENCHMARK, "both.csv", "-o", "out", "--json"])
    answer = answer_of(capsys.readouterr().out)
    assert answer["report"] == str(Path("out") / "report.html")
    saved = pd.read_csv("out/summary.csv")
    assert [one["verifier"] for one in answer["summary"]] == saved["verifier"].tolist()
    assert answer["summary"][0]["eer"] == pytest.approx(saved["eer"][0])


@pytest.mark.parametrize("task", ["event-times", "free-text"])
def test_json_of_the_tasks(task, place, capsys, monkeypatch):
    """Of the event times by two quick systems; test_cli_tasks.py runs all."""
    from hawkeys.datasets import simulate_event_times
    from hawkeys.evaluation import event_time_systems

    monkeypatch.setattr(
        "hawkeys.cli.tasks.data.simulate_event_times",
        lambda rng: simulate_event_times(n_sessions=5, n_events=300, rng=rng),
    )
    quick = {name: event_time_systems()[name] for name in ("two-statistics", "lognormal-renewal")}
    monkeypatch.setattr("hawkeys.cli.tasks.event_times.event_time_systems", lambda: quick)
    how = ["--task", task, "--dataset", "demo", "--no-report", "--json"]
    assert main(["benchmark", *how]) == 0
    out, err = capsys.readouterr()
    assert "SIMULATED" in err  # where it does not spoil the JSON
    assert answer_of(out)["output"] is None


def test_json_of_warmup(place, capsys):
    assert main(["warmup", "events", "--jobs", "1", "--json"]) == 0
    answer = answer_of(capsys.readouterr().out)
    assert [one["name"] for one in answer["groups"]] == ["events"]


def test_json_of_capture(place, capsys, monkeypatch):
    pytest.importorskip("uvicorn", reason="the capture page needs the extra [capture]")

    def interrupted(_self):
        raise KeyboardInterrupt

    monkeypatch.setattr("hawkeys.cli.capture.CaptureServer.run", interrupted)
    assert main(["capture", "--text", "abc", "--json"]) == 0
    first, last = capsys.readouterr().out.splitlines(keepends=True)
    assert answer_of(first)["address"].startswith("http://127.0.0.1:")
    assert answer_of(last)["n_attempts"] == 0


def test_json_of_a_fit_is_a_result_file(place, capsys):
    how = ["--end-time", "50", "--decay", "1", "--json", "--quiet", "--test"]
    assert main(["fit", "events.csv", *how]) == 0
    out, err = capsys.readouterr()
    (place / "r.json").write_text(out)
    assert hawkeys.load_result(place / "r.json").n_events == 80
    assert "Goodness of fit" in err


@pytest.mark.parametrize("command", ["timings", "import"])
def test_two_answers_on_stdout_are_refused(command, place, capsys):
    arguments = [*ANSWERS[command], "--json"]
    arguments[arguments.index("-o") + 1] = "-"
    assert main(arguments) == 2
    assert "--json prints the answer, and --output - the table" in capsys.readouterr().err


def test_every_schema_is_made_by_a_command():
    made = {"hawkeys-verify/1", "hawkeys-warmup/1", "hawkeys-benchmark-event-times/1",
            "hawkeys-benchmark-free-text/1", "hawkeys-warmup-groups/1",
            "hawkeys-benchmark-alarms/1", "hawkeys-capture/1", "hawkeys-capture-end/1"}  # fmt: skip
    made |= {f"hawkeys-{name}/1" for name in ANSWERS if "," not in name}
    assert made == set(SCHEMAS)


@pytest.mark.parametrize("name", sorted(_COMMANDS))
def test_every_command_has_the_common_options(name):
    command = command_line.get_command(None, name)
    options = {word for option in command.params for word in option.opts}
    assert {"--json", "--quiet", "-q"} <= options


WRONG = {
    "benchmark": ["benchmark", "missing.csv"],
    "capture": ["capture"],
    "datasets": ["datasets", "--where"],
    "enrol": ["enrol", "missing.csv", "-o", "t.json"],
    "features": ["features", "missing.csv", "-o", "f.csv"],
    "fit": ["fit", "missing.csv", "--end-time", "1"],
    "formats": ["formats", "csv"],
    "import": ["import", "missing.csv", "-o", "k.csv"],
    "timings": ["timings", "missing.csv", "-o", "s.csv", "--text", "abc", "--end-key", "c"],
    "verifiers": ["verifiers", "--all"],
    "verify": ["verify", "missing.json", "later.csv"],
    "warmup": ["warmup", "coffee"],
}
INTERRUPTED = {
    "benchmark": "hawkeys.cli.benchmark.make_verifiers",
    "capture": "hawkeys.cli.capture.Session",
    "datasets": "hawkeys.cli.datasets.available_datasets",
    "enrol": "hawkeys.cli.enrol.enrol",
    "features": "hawkeys.cli.features.read_timings",
    "fit": "hawkeys.cli.fit.fit",
    "formats": "hawkeys.cli.formats.available_formats",
    "import": "hawkeys.cli.logs.parse_key_events",
    "timings": "hawkeys.cli.logs.parse_key_events",
    "verifiers": "hawkeys.cli.verifiers.make_verifiers",
    "verify": "hawkeys.cli.verify.load_template",
    "warmup": "hawkeys.cli.warmup.warmup",
}
RIGHT = {name: words for name, words in ANSWERS.items() if "," not in name} | {
    "capture": ["capture", "--text", "abc"],
    "fit": ["fit", "events.csv", "--end-time", "50", "--decay", "1"],
    "verify": ["verify", "t.json", "later.csv"],
    "warmup": ["warmup"],
}


def test_statuses_are_tried_for_every_command():
    assert set(WRONG) == set(INTERRUPTED) == set(RIGHT) == set(_COMMANDS)


@pytest.mark.parametrize("name", WRONG)
@pytest.mark.parametrize("extra", [[], ["--json"], ["--quiet"]])
def test_an_error_has_status_2_and_is_one_line(name, extra, place, capsys):
    assert main([*WRONG[name], *extra]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert re.fullmatch(r"hawkeys: error: [^\n]+\n", err)


@pytest.mark.parametrize("name", INTERRUPTED)
def test_an_interruption_has_status_130(name, place, capsys, monkeypatch):
    def interrupted(*_args, **_kwargs):
        raise KeyboardInterrupt

    command_line.get_command(None, name)  # so that the module is there to be changed
    monkeypatch.setattr(INTERRUPTED[name], interrupted)
    before = sorted(place.iterdir())
    assert main(RIGHT[name]) == 130
    assert capsys.readouterr().err.endswith("hawkeys: interrupted\n")
    assert sorted(place.iterdir()) == before


@pytest.mark.parametrize("name", ["datasets", "features", "fit", "formats", "import", "timings"])
def test_quiet_leaves_the_answer(name, place, capsys, monkeypatch):
    monkeypatch.setattr("hawkeys._progress.PATIENCE", 0.0)
    assert main([*RIGHT[name], "--quiet"]) == 0
    out, err = capsys.readouterr()
    assert out
    assert err == ""


def test_the_page_and_the_help_name_the_same_statuses(capsys):
    table = re.findall(r"^\| (\d+) \| [^|]+ \| (.+?) \|$", PAGE, re.MULTILINE)
    main(["--help"])
    shown = dict(re.findall(r"^  +(\d+) +(?:verify: )?(.+)$", capsys.readouterr().out, re.M))
    assert shown == dict(table)


KILLED = """
import os, signal, sys, threading
from pathlib import Path
from hawkeys.cli import main
from hawkeys.evaluation.report import write
def killed(*arguments):
    os.kill(os.getpid(), signal.SIGKILL)
write.page_content = killed
main(sys.argv[1:])
"""


@pytest.mark.skipif(sys.platform == "win32", reason="there is no kill -9")
def test_what_a_run_killed_by_signal_9_left_in_output_is_removed_by_the_next(place, no_pictures):
    how = [*BENCHMARK, "both.csv", "--output", "out"]
    done = subprocess.run([sys.executable, "-c", KILLED, *how], check=False, capture_output=True)
    assert done.returncode == -signal.SIGKILL
    left = [path for path in (*place.iterdir(), *place.glob("out/*")) if "hawkeys-" in path.name]
    assert any((path / "summary.csv").exists() for path in left)
    assert main(how) == 0
    assert [path for path in left if path.exists()] == []
    assert (place / "out" / "report.html").exists()


def test_a_run_of_over_two_seconds_says_what_it_does(place):
    """A real process without a terminal: one line a stage on stderr, nothing else on stdout."""
    code = (
        "import sys, time\n"
        "from hawkeys.cli import fit, main\n"
        "work = fit.fit\n"
        "def slow(*a, **k):\n"
        "    time.sleep(2.5)\n"
        "    return work(*a, **k)\n"
        "fit.fit = slow\n"
        "sys.exit(main(sys.argv[1:]))\n"
    )
    how = ["fit", "events.csv", "--end-time", "50", "--decay", "1", "--json"]
    begun = time.monotonic()
    done = subprocess.run(
        [sys.executable, "-c", code, *how], capture_output=True, text=True, check=True
    )
    assert time.monotonic() - begun > 2.0
    assert "hawkeys: fitting 80 events ...\n" in done.stderr
    assert json.loads(done.stdout)["method"] == "mle"


def test_figures_in_every_format_that_is_asked_for(place, capsys):
    """The page embeds PNG files; further formats stand beside them, the same bytes each time."""
    how = [*BENCHMARK, "both.csv", "--figures", "SVG,pdf"]
    assert main([*how, "-o", "one"]) == 0
    assert main([*how, "-o", "two"]) == 0
    names = sorted(path.name for path in Path("one/figures").iterdir())
    stems = {name.split(".")[0] for name in names}
    assert names == sorted(f"{stem}.{end}" for stem in stems for end in ("pdf", "png", "svg"))
    assert {"roc", "det"} <= stems
    begins = {"pdf": b"%PDF", "png": b"\x89PNG", "svg": b"<?xml"}
    for name in names:
        content = Path("one/figures", name).read_bytes()
        assert content.startswith(begins[name[-3:]])
        assert content == Path("two/figures", name).read_bytes(), name
    assert "--figures SVG,pdf" in Path("one/report.html").read_text()


def test_a_format_that_does_not_exist_is_refused_before_the_work(place, capsys):
    assert main([*BENCHMARK, "both.csv", "--figures", "png,tiff", "-o", "out"]) == 2
    assert "figures must be some of 'png', 'svg', 'pdf'; got" in capsys.readouterr().err
    assert not Path("out").exists()
    assert main([*BENCHMARK, "both.csv", "--figures", "", "-o", "out"]) == 2
    assert "--figures names none; choose from: png, svg, pdf" in capsys.readouterr().err
