"""What long work says on stderr, on a terminal and without one."""

import io
import time

import pytest

from hawkeys import _progress
from hawkeys._progress import keep_quiet, progress_on_stderr


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
