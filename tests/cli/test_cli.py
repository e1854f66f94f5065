"""The command line: what is printed where, exit statuses, one-line errors."""

import gzip
import json
import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

import hawkeys
from hawkeys import cli
from hawkeys.cli import benchmark, main
from hawkeys.evaluation import VERIFIERS, runner, trials
from hawkeys.evaluation.report.exports import REPORT_FILES

QUICK = ["benchmark", "--dataset", "demo", "--verifiers", "manhattan,scaled-manhattan"]
QUICK += ["--jobs", "1"]


def _without_notice(out):
    """Return what was printed but for the notice of the demo, which comes before the work."""
    lines = [
        line for line in out.splitlines() if not line.startswith(("\u256d", "\u2502", "\u2570"))
    ]
    return "\n".join(lines)


def run(capsys, *arguments):
    status = main(arguments)
    captured = capsys.readouterr()
    return status, captured.out, captured.err


@pytest.fixture(autouse=True)
def _workplace(tmp_path, monkeypatch):
    """An empty working folder and no data."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("HAWKEYS_DATA", raising=False)
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr("hawkeys._progress.PATIENCE", 3600.0)  # however slow the machine


@pytest.mark.usefixtures("no_pictures")
def test_a_long_run_says_what_it_does(capsys, monkeypatch):
    """One line a stage; the notice that the typists are simulated comes before the work."""
    monkeypatch.setattr("hawkeys._progress.PATIENCE", 0.0)
    order = []
    monkeypatch.setattr(benchmark, "print_notice", lambda text, err: order.append(text))
    work = benchmark.evaluate
    monkeypatch.setattr(
        benchmark, "evaluate", lambda *a, **k: order.append("work") or work(*a, **k)
    )
    status, _, err = run(capsys, *QUICK)
    assert status == 0
    assert order[1] == "work"
    assert "typists are simulated" in order[0]
    assert not any("simulated" in text for text in order[2:])
    lines = err.splitlines()
    assert lines[0] == "hawkeys: loading data ..."
    assert "hawkeys: training and scoring subjects (0 of 5) ..." in lines
    assert len(set(lines)) == len(lines)
    assert all(line.startswith("hawkeys: ") and line.endswith(" ...") for line in lines)


def test_quiet_says_nothing_of_progress(capsys, monkeypatch):
    monkeypatch.setattr("hawkeys._progress.PATIENCE", 0.0)
    status, out, err = run(capsys, *QUICK, "--no-report", "--quiet")
    assert (status, err) == (0, "")
    assert "manhattan" in out


def test_help_says_what_the_exit_status_means(capsys):
    out = run(capsys, "-h")[1]
    for words in ("0    all is well", "1    verify", "2    an error", "130  interrupted"):
        assert words in out
    assert "-q, --quiet" in run(capsys, "warmup", "-h")[1]


@pytest.mark.parametrize("module", ["hawkeys", "hawkeys.cli"])
def test_it_runs_where_the_command_is_not_on_the_path(module):
    done = subprocess.run(
        [sys.executable, "-m", module, "--version"], capture_output=True, text=True, check=True
    )
    assert done.stdout == f"hawkeys {hawkeys.__version__}\n"


def test_version(capsys):
    assert run(capsys, "--version") == (0, f"hawkeys {hawkeys.__version__}\n", "")


@pytest.mark.parametrize(
    "arguments", [[], ["--help"], ["-h"], ["benchmark", "-h"], ["datasets", "-h"]]
)
def test_help_fits_eighty_columns(capsys, arguments):
    status, out, err = run(capsys, *arguments)
    assert (status, err) == (0, "")
    assert out.startswith("Usage: hawkeys")
    assert max(map(len, out.splitlines())) <= 80


def test_help_lists_the_commands(capsys):
    _, out, _ = run(capsys, "--help")
    for name, words in cli._COMMANDS.items():
        assert name in out
        assert words in out


def test_benchmark_help_lists_verifiers_and_protocols(capsys):
    _, out, _ = run(capsys, "benchmark", "--help")
    for words in ("raw-scaled-manhattan", "hawkes-euclidean", "killourhy-maxion-all", "auto"):
        assert words in out


def test_table_on_stdout_and_silence_on_stderr(capsys, tmp_path):
    status, out, err = run(capsys, *QUICK, "--no-report")
    assert (status, err) == (0, "")
    assert max(map(len, out.splitlines())) <= 80
    text = " ".join(out.split())
    assert "NOTICE" in text
    assert "simulated" in text
    assert "Protocol five-subjects. NOTE: the data lack the subjects" in text
    assert "Miss rate at 5 % false alarms, equal-error rate (EER)" in text
    rows = [line for line in out.splitlines() if line.startswith(("manhattan", "scaled-man"))]
    assert len(rows) == 2
    assert "2,000 resamples, seed 0" in text
    assert list(tmp_path.iterdir()) == []


def test_same_seed_same_table(capsys):
    first = run(capsys, *QUICK, "--no-report", "--seed", "3")
    assert run(capsys, *QUICK, "--no-report", "--seed", "3") == first


@pytest.mark.usefixtures("no_pictures")
def test_report_is_written_where_asked(capsys, tmp_path):
    status, out, _ = run(capsys, *QUICK, "--output", "a/b", "--false-alarm", "0.1")
    assert status == 0
    assert out.rstrip().endswith("Report: a/b/report.html")
    record = json.loads((tmp_path / "a" / "b" / "evaluation.json").read_text())
    assert record["false_alarm"] == 0.1
    assert record["command"] == (
        "hawkeys benchmark --dataset demo --protocol five-subjects --verifiers "
        "manhattan,scaled-manhattan --false-alarm 0.1 --thresholds all --seed 0 --jobs 1 "
        "--output a/b"
    )


@pytest.mark.usefixtures("no_pictures")
def test_the_recorded_command_names_the_data_that_were_found(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "none"))
    monkeypatch.setattr("hawkeys.datasets.named.cmu.download", _no_network)
    assert (
        run(capsys, "benchmark", "--verifiers", "manhattan", "--jobs", "1", "--output", "one")[0]
        == 0
    )
    record = json.loads((tmp_path / "one" / "evaluation.json").read_text())
    assert record["command"].startswith("hawkeys benchmark --dataset demo ")
    assert "DEMO" in record["notice"]


@pytest.mark.usefixtures("no_pictures")
def test_the_recorded_command_repeats_the_run(capsys, tmp_path):
    import shlex

    run(capsys, *QUICK, "--output", "one")
    record = json.loads((tmp_path / "one" / "evaluation.json").read_text())
    program, *arguments = shlex.split(record["command"])
    assert program == "hawkeys"
    before = (tmp_path / "one" / "per_subject.csv").read_bytes()
    (tmp_path / "one" / "per_subject.csv").unlink()
    assert run(capsys, *arguments)[0] == 0
    assert (tmp_path / "one" / "per_subject.csv").read_bytes() == before


@pytest.mark.usefixtures("no_pictures")
def test_an_interrupted_run_goes_on_and_writes_the_same_table(capsys, tmp_path, monkeypatch):
    assert run(capsys, *QUICK, "--output", "whole")[0] == 0
    calls = []

    def interrupted(*arguments, **options):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return trials.run_trial(*arguments, **options)

    monkeypatch.setattr(runner, "run_trial", interrupted)
    status, _, err = run(capsys, *QUICK, "--output", "half")
    assert (status, "interrupted" in err) == (130, True)
    assert [path.name for path in (tmp_path / "half").iterdir()] == [".unfinished"]
    assert run(capsys, *QUICK, "--output", "half")[0] == 0
    # of five subjects with two verifiers each, two were finished
    assert len(calls) == 5 + 6
    for name in ("per_subject.csv", "summary.csv", "operating_point.csv"):
        assert (tmp_path / "half" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert not (tmp_path / "half" / ".unfinished").exists()


def test_studies_are_reported_on_request(capsys, tmp_path):
    status, _, err = run(capsys, *QUICK, "--studies", "--thresholds", "resubstitution",
                         "--output", "studied")  # fmt: skip
    assert (status, err) == (0, "")
    for name in ("enrolment", "clock", "practice"):
        assert (tmp_path / "studied" / "figures" / f"study_{name}.png").stat().st_size > 1000
        table = pd.read_csv(tmp_path / "studied" / f"{name}.csv")
        assert set(table["verifier"]) == {"manhattan", "scaled-manhattan"}
    names = {path.name for path in (tmp_path / "studied").iterdir() if path.is_file()}
    assert names <= set(REPORT_FILES)
    record = json.loads((tmp_path / "studied" / "evaluation.json").read_text())
    assert "--studies" in record["command"]


@pytest.mark.parametrize(
    ("option", "message"),
    [
        (["--thresholds", "jackknife"], "policies must be one of 'resubstitution'"),
        (["--studies"], "--studies is shown in the report only"),
        (["--thresholds", ","], "--thresholds names none; choose from: resubstitution"),
        (["--verifiers", "pohmm:n_state=3"], "'n_state=3' is no parameter of POHMM"),
    ],
)
def test_wrong_thresholds_and_parameters_are_one_line(capsys, option, message):
    status, out, err = run(capsys, *QUICK, "--no-report", *option)
    assert (status, _without_notice(out)) == (2, "")
    assert message in " ".join(err.split())


def test_verifiers_are_listed_with_reference_and_parameters(capsys):
    status, out, err = run(capsys, "verifiers")
    text = " ".join(out.split())
    assert (status, err) == (0, "")
    for name in VERIFIERS:
        assert f"{name}: " in out or f"{name} (default): " in out
    assert 'published as "Mahalanobis (normed)": EER 0.1101; does not follow' in text
    assert "POHMM(clock=None, distribution='lognormal', false_alarm=0.05" in text
    assert text.count("training samples: ") == len(VERIFIERS)
    assert "training samples: means something from about 62 (2 for each of 31 timings)" in text
    assert "training samples: with no number of them does it tell typists apart" in text


@pytest.mark.usefixtures("no_pictures")
def test_default_output_folder(capsys, tmp_path):
    status, out, _ = run(capsys, *QUICK)
    assert status == 0
    assert "Report: hawkeys-output/report.html" in out
    assert (tmp_path / "hawkeys-output" / "report.html").exists()


@pytest.mark.usefixtures("no_pictures")
def test_auto_falls_back_to_the_demo_and_says_so(capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", os.getcwd())
    monkeypatch.setattr("hawkeys.datasets.named.cmu.download", _no_network)
    status, out, _ = run(
        capsys,
        "benchmark",
        "--verifiers",
        "manhattan",
        "--no-report",
        "--protocol",
        "five-subjects",
    )
    assert status == 0
    text = " ".join(out.replace("│", " ").split())
    assert "not available, so this is the DEMO" in text
    assert "take the simulated demo" not in text
    assert "by the environment variable HAWKEYS_DATA to have it." in text


def test_named_dataset_never_falls_back(capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", os.getcwd())
    monkeypatch.setattr("hawkeys.datasets.named.cmu.download", _no_network)
    status, out, err = run(capsys, "benchmark", "--dataset", "cmu")
    assert (status, _without_notice(out)) == (2, "")
    assert err.startswith("hawkeys: error: CMU benchmark: no file")
    assert err.endswith("HAWKEYS_DATA, or take the simulated demo.\n")


def _no_network(*args, **kwargs):
    from hawkeys.exceptions import DatasetNotFoundError

    raise DatasetNotFoundError("the download failed.")


def test_datasets_lists_where_each_is(capsys, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", os.getcwd())
    status, out, err = run(capsys, "datasets")
    assert (status, err) == (0, "")
    assert "cmu: CMU keystroke benchmark" in out
    assert "demo: 20 SIMULATED typists" in out
    assert "found: built in" in out
    assert "found: no" in out


@pytest.mark.parametrize("folder", [None, "nowhere"])
def test_datasets_says_where_free_text_is_looked_for(capsys, monkeypatch, folder):
    monkeypatch.delenv("HAWKEYS_DATA", raising=False)
    if folder:
        monkeypatch.setenv("HAWKEYS_DATA", folder)
    _, out, _ = run(capsys, "datasets")
    text = out[out.index("free-text: 55 users") :]
    assert ("found: no; looked for" in text) == bool(folder)
    assert ("found: no (HAWKEYS_DATA is not set)" in text) != bool(folder)


def test_real_data_are_found_by_path(capsys, cmu):
    path = cmu.provenance["source"]
    status, out, _ = run(
        capsys, "benchmark", "--data-path", path, "--verifiers", "manhattan", "--no-report"
    )
    assert status == 0
    assert "NOTICE" not in out
    assert "(s002, s032, s036, s047, s052)" in " ".join(out.split())


# Everything that can be wrong with the input: arguments, files to make, words of the message.
def _make(name, content):
    def write():
        with open(name, "wb") as file:
            file.write(content)

    return write


@pytest.mark.usefixtures("no_pictures")
def test_the_finished_subjects_of_another_run_are_kept(capsys, tmp_path, monkeypatch):
    """Two evaluations with one folder: the second one ends, the first goes on where it stopped."""
    calls = []

    def interrupted(*arguments, **options):
        calls.append(1)
        if len(calls) == 5:
            raise KeyboardInterrupt
        return trials.run_trial(*arguments, **options)

    monkeypatch.setattr(runner, "run_trial", interrupted)
    assert run(capsys, *QUICK, "--output", "both")[0] == 130
    kept = sorted(tmp_path.glob("both/.unfinished/*/*.npz"))
    assert len(kept) == 2
    assert run(capsys, *QUICK, "--output", "both", "--false-alarm", "0.2")[0] == 0
    assert sorted(tmp_path.glob("both/.unfinished/*/*.npz")) == kept
    calls[:] = [1] * 5
    assert run(capsys, *QUICK, "--output", "both")[0] == 0
    assert len(calls) == 5 + 6
    assert not (tmp_path / "both" / ".unfinished").exists()


_HEADER = b"subject,sessionIndex,rep,H.period\n"
BAD_INPUT = {
    "unknown command": (["bench"], None, "No such command 'bench'"),
    "unknown option": (["benchmark", "--colour"], None, "--colour"),
    "unknown dataset": (["benchmark", "--dataset", "x"], None, "'auto', 'cmu', 'bksd-password'"),
    "unknown protocol": (["benchmark", "--protocol", "x"], None, "'killourhy-maxion'"),
    "unknown verifier": (
        [*QUICK[:3], "--verifiers", "x"],
        None,
        "known ones: raw-scaled",
    ),
    "verifier twice": ([*QUICK[:3], "--verifiers", "pohmm,pohmm"], None, "named twice"),
    "no verifier": ([*QUICK[:3], "--verifiers", " , "], None, "--verifiers names none"),
    "percent": ([*QUICK, "--false-alarm", "5"], None, "strictly between 0 and 1 (5 % is 0.05)"),
    "text for a number": ([*QUICK, "--jobs", "many"], None, "'many' is not a valid int"),
    "no process": ([*QUICK, "--jobs", "0"], None, "n_jobs must be a whole number other than 0"),
    "negative seed": ([*QUICK, "--seed", "-1"], None, "random_state must be at least 0"),
    "output is a file": ([*QUICK, "--output", "f"], _make("f", b"1"), "cannot write to 'f'"),
    "output below a file": ([*QUICK, "--output", "f/x"], _make("f", b"1"), "cannot write to 'f/x'"),
    "output unwritable": ([*QUICK, "--output", "/proc/x"], None, "cannot write to '/proc/x'"),
    "report over its data": (
        ["benchmark", "--data-path", "a/rates.csv", "--output", "a"],
        lambda: (os.mkdir("a"), _make("a/rates.csv", b"1")()),
        "the output 'a/rates.csv' is the input 'a/rates.csv', which would be lost",
    ),
    "output of no name": ([*QUICK, "--output", ""], None, "--output names no folder; write . for"),
    "a NUL": ([*QUICK, "--output", "a\0b"], None, "an argument holds a NUL character"),
    "path for the demo": ([*QUICK, "--data-path", "f"], None, "the demo is simulated"),
    "missing file": (["benchmark", "--data-path", "f.csv"], None, "f.csv: no such file"),
    "folder for a file": (["benchmark", "--data-path", "."], None, "is a folder"),
    "empty file": (["benchmark", "--data-path", "f.csv"], _make("f.csv", b""), "f.csv"),
    "missing columns": (["benchmark", "--data-path", "f.csv"], _make("f.csv", _HEADER), "f.csv"),
    "binary file": (["benchmark", "--data-path", "f.csv"], _make("f.csv", b"\0\xff" * 9), "f.csv"),
    "truncated gz": (
        ["benchmark", "--data-path", "f.csv.gz"],
        _make("f.csv.gz", gzip.compress(_HEADER * 500, mtime=0)[:-20]),
        "f.csv.gz",
    ),
}


@pytest.mark.parametrize("case", BAD_INPUT)
def test_bad_input_is_one_line_and_leaves_nothing(capsys, tmp_path, case):
    arguments, prepare, words = BAD_INPUT[case]
    if prepare is not None:
        prepare()
    before = sorted(path.name for path in tmp_path.rglob("*"))
    status, out, err = run(capsys, *arguments)
    assert (status, _without_notice(out)) == (2, "")
    assert err.startswith("hawkeys: error: ")
    assert err.count("\n") == 1
    assert err.endswith("\n")
    assert words in err
    assert sorted(path.name for path in tmp_path.rglob("*")) == before


def test_output_is_checked_before_any_work(capsys, monkeypatch):
    def never(*args, **kwargs):
        raise AssertionError("work began before the output was checked")

    monkeypatch.setattr(benchmark, "load_dataset", never)
    status, _, err = run(capsys, *QUICK, "--output", "/proc/x")
    assert status == 2
    assert "cannot write" in err


def only_finished_subjects(folder):
    """Whether a folder holds nothing but what lets the run go on."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return bool(files) and all(
        path.parts[len(folder.parts) :][:2] == ("hawkeys-output", ".unfinished")
        and path.suffix == ".npz"
        for path in files
    )


@pytest.mark.usefixtures("no_pictures")
def test_interruption_has_status_130_and_leaves_no_half_report(capsys, tmp_path, monkeypatch):
    def interrupt(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("hawkeys.evaluation.report.write._write_manifest", interrupt)
    status, out, err = run(capsys, *QUICK)
    assert (status, _without_notice(out)) == (130, "")
    assert err.strip() == "hawkeys: interrupted"
    assert only_finished_subjects(tmp_path)


@pytest.mark.skipif(os.name == "nt", reason="POSIX signals")
def test_a_real_interrupt_leaves_no_half_report(tmp_path):
    command = [sys.executable, "-m", "hawkeys.cli", "benchmark", "--dataset", "demo", "--jobs", "1"]
    command += ["--thresholds", "resubstitution"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    deadline = time.monotonic() + 60
    while process.poll() is None and time.monotonic() < deadline:
        if list(tmp_path.rglob("*.png")):
            break
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (process.returncode, _without_notice(out)) == (130, "")
    aside = ("hawkeys: compiling", " ...")
    told = [
        line
        for line in err.splitlines()
        if line and not line.startswith(aside[0]) and not line.endswith(aside[1])
    ]
    assert told == ["hawkeys: interrupted"]
    assert only_finished_subjects(tmp_path)


def test_help_is_fast_because_it_loads_no_laboratory():
    code = (
        "import sys; from hawkeys.cli import main; main(['--help']); "
        "heavy = {'sklearn', 'pandas', 'matplotlib'} & set(sys.modules); sys.exit(bool(heavy))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
