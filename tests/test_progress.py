"""What long work says: on stderr, on a terminal and without one, to a function, and to the log."""

import io
import logging
import re
import subprocess
import sys
import time

import pytest

import hawkeys
from hawkeys import _progress
from hawkeys._progress import keep_quiet, progress_on_stderr
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference import bootstrap, edge_tests, penalty_path, profile_interval


@pytest.fixture
def impatient(monkeypatch):
    monkeypatch.setattr(_progress, "PATIENCE", 0.05)


def test_a_short_run_says_nothing(capsys):
    with progress_on_stderr() as report:
        report("Reading", 0, 1)
        report("Reading", 1, 1)
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("impatient")
def test_one_line_a_stage_without_a_terminal(capsys):
    with progress_on_stderr() as report:
        report("Reading", 0, 1)
        report("Reading", 1, 1)  # over before it is worth a word
        time.sleep(0.1)
        for done in range(4):
            report("Fitting marks", done, 3)
        report("Drawing", 0, 1)
        report("Drawing", 1, 1)
    assert capsys.readouterr().err == "hawkeys: fitting marks (0 of 3) ...\nhawkeys: drawing ...\n"


@pytest.mark.usefixtures("impatient")
def test_a_stage_that_reports_nothing_is_named_all_the_same(capsys):
    with progress_on_stderr() as report:
        report("Fitting", 0, 1)
        time.sleep(0.3)
        assert capsys.readouterr().err == "hawkeys: fitting ...\n"
        report("Fitting", 1, 1)
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("impatient")
def test_nothing_after_the_end(capsys):
    with progress_on_stderr() as report:
        report("Fitting", 0, 1)
    time.sleep(0.2)
    assert capsys.readouterr().err == ""


@pytest.mark.usefixtures("impatient")
def test_quiet(capsys):
    with keep_quiet(), progress_on_stderr() as report:
        report("Fitting", 0, 9)
        time.sleep(0.1)
        report("Fitting", 1, 9)
    assert capsys.readouterr().err == ""


class _Recorded:
    """Stands for rich's bars and keeps the totals and positions that were shown."""

    def __init__(self):
        self.tasks, self.shown = [], []

    def add_task(self, what, total):
        self.tasks.append(type("Task", (), {"id": len(self.tasks), "finished": False})())
        self.shown.append([])
        return len(self.tasks) - 1

    def update(self, task, completed, total):
        self.shown[task].append((completed, total))
        self.tasks[task].finished = completed >= total


def test_the_total_of_a_bar_never_jumps():
    """A stage that is one step to who calls it, and 7 to who does it, and 14 in another unit."""
    recorded = _Recorded()
    bars = _progress._Bars(recorded)
    for done, total in [(0, 1), (0, 7), (3, 7), (8, 14), (7, 7), (1, 1)]:
        bars.report("Computing", done, total)
    assert recorded.shown == [[(0, 7), (3, 7), (4, 7), (7, 7), (7, 7)]]
    bars.report("Computing", 0, 1)  # the next of that name
    bars.report("Computing", 1, 1)
    assert recorded.shown[1] == [(1, 1)]


def test_bars_on_a_terminal(monkeypatch):
    import rich.console

    class Terminal(io.StringIO):
        def isatty(self):
            return True

    stream = Terminal()
    monkeypatch.setattr("sys.stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    assert rich.console.Console(stderr=True).is_terminal
    with progress_on_stderr() as report:
        report("Fitting marks", 0, 3)
        report("Fitting marks", 3, 3)
    assert "Fitting marks" in stream.getvalue()
    assert "3/3" in stream.getvalue()


TRUTH = hawkeys.Hawkes([0.5, 0.3], [[0.3, 0.2], [0.1, 0.4]], decay=1.5)
SAMPLE = hawkeys.simulate(TRUTH, end_time=[40.0, 40.0, 40.0], rng=0)
FIT = hawkeys.fit(SAMPLE, decay=1.5)

LONG_WORK = {
    "goodness_of_fit": (
        lambda **how: hawkeys.goodness_of_fit(FIT, SAMPLE, n_mc_samples=4, **how),
        ("Simulating and fitting again", 4),
    ),
    "goodness of fit, parameters known": (
        lambda **how: hawkeys.goodness_of_fit(FIT, SAMPLE, n_mc_samples=4, refit=False, **how),
        ("Simulating", 4),
    ),
    "bootstrap": (
        lambda **how: bootstrap(FIT, SAMPLE, n_replicates=4, **how),
        ("Fitting replicates", 4),
    ),
    "bootstrap in processes": (
        lambda **how: bootstrap(FIT, SAMPLE, n_replicates=4, n_jobs=2, **how),
        ("Fitting replicates", 4),
    ),
    "edge_tests": (lambda **how: edge_tests(FIT, SAMPLE, **how), ("Testing pairs", 2)),
    "profile_interval": (
        lambda **how: profile_interval(FIT, SAMPLE, **how),
        ("Following profiles", 2),
    ),
    "fit_each": (
        lambda **how: hawkeys.fit_each(SAMPLE, decay=1.5, **how),
        ("Fitting realisations", 3),
    ),
    "simulate": (
        lambda **how: hawkeys.simulate(TRUTH, end_time=40.0, rng=0, **how),
        ("Simulating", 1),
    ),
}


@pytest.mark.parametrize("case", LONG_WORK)
def test_a_function_is_told_how_far_it_is(case):
    work, (what, total) = LONG_WORK[case]
    told = []
    work(verbose=lambda *where: told.append(where))
    assert {where[0] for where in told} == {what}
    assert {where[2] for where in told} == {total}
    done = [where[1] for where in told]
    assert done == sorted(done)
    assert (done[0], done[-1]) == (0, total)
    assert len(set(done)) >= min(total + 1, 3) or case == "fit_each"  # which works in chunks


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("case", LONG_WORK)
def test_true_says_it_on_stderr_and_nothing_is_the_default(case, capsys, monkeypatch):
    work, (what, _) = LONG_WORK[case]
    monkeypatch.setattr(_progress, "PATIENCE", 0.0)
    work()
    assert capsys.readouterr().err == ""
    work(verbose=True)
    assert re.match(rf"hawkeys: {what[0].lower()}{what[1:]}.* \.\.\.\n", capsys.readouterr().err)


@pytest.mark.parametrize("case", LONG_WORK)
@pytest.mark.parametrize("wrong", ["yes", 2, None])
def test_verbose_is_checked(case, wrong):
    with pytest.raises(InvalidParameterError, match="verbose must be True, False or a function"):
        LONG_WORK[case][0](verbose=wrong)


def test_the_log_has_the_stages(caplog):
    """Of `logging.getLogger("hawkeys")`; re-fits are one stage, not as many fits as there are."""
    with caplog.at_level(logging.INFO, "hawkeys"):
        sample = hawkeys.simulate(TRUTH, end_time=30.0, rng=1)
        result = hawkeys.fit(sample, decay=1.5)
        hawkeys.goodness_of_fit(result, sample, n_mc_samples=3)
        bootstrap(result, sample, n_replicates=3)
        hawkeys.fit_each(SAMPLE, decay=1.5)
        hawkeys.fit_rectified(sample, decay=1.5)
        penalty_path(sample, decay=1.5, n_strengths=3)
    size = f"{sample.n_events} events of 2 marks in 1 realisations"
    assert [record.getMessage() for record in caplog.records] == [
        "Simulating",
        f"fit by mle: {size}",
        "Simulating and fitting again (3)",
        "Fitting replicates (3)",
        "Fitting realisations (3)",
        f"fit_rectified: {size}",
        f"penalty_path: {size}",
    ]
    assert all(record.name.startswith("hawkeys") for record in caplog.records)


def test_who_does_not_ask_hears_nothing():
    code = (
        "import hawkeys\n"
        "sample = hawkeys.simulate(hawkeys.Hawkes([0.5], [[0.5]], decay=1), end_time=9, rng=0)\n"
        "hawkeys.fit(sample, decay=1.0)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True, text=True)
    assert (done.stdout, done.stderr) == ("", "")
