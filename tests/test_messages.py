"""Messages are one line of readable length, whatever came; and say what helps."""

import errno
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import hawkeys
from hawkeys._files import _MACHINE, remove_abandoned, temporary_name, write_text
from hawkeys._validation import brief
from hawkeys.evaluation.report.files import staged_directory
from hawkeys.exceptions import HawkeysError, OutputError

MANY = np.linspace(1.0, 2.0, 190)
LISTS = [[0.5, 1.0, 2.5], [0.7]]


class Unnamed:
    """An object whose repr is its address."""


class Ramp(hawkeys.baselines.Baseline):
    """A user's own baseline, as far as it is needed to be shown."""

    n_pieces = 1
    labels = ("ramp",)
    is_stationary = False

    def __init__(self, slope, rates=None):
        self.slope = slope
        self.rates = rates

    basis = integrals = shares = with_rates = None


WRONG = {
    "decay": {"decay": np.outer(MANY, MANY), "decay_grid": [1.0]},
    "decay list": {"decay": MANY.tolist(), "decay_grid": [1.0]},
    "kernel": {"kernel": MANY},
    "kernel object": {"kernel": Unnamed()},
    "prior": {"decay": 1.0, "method": "map", "prior": MANY},
    "method": {"decay": 1.0, "method": MANY},
    "method name": {"decay": 1.0, "method": "x" * 500},
    "baseline": {"decay": 1.0, "baseline": MANY},
    "baseline object": {"decay": 1.0, "baseline": Unnamed()},
    "weights": {"decay": 1.0, "weights": MANY},
    "support": {"decay": 1.0, "support": MANY},
    "tied": {"decay": 1.0, "tied": MANY},
    "tolerance": {"decay": 1.0, "tolerance": MANY},
    "max_iter": {"decay": 1.0, "max_iter": MANY},
    "windows": {"decay": 1.0, "end_time": MANY},
    "sort": {"decay": 1.0, "sort": MANY},
    "mark": {"decay": 1.0, "mark": MANY},
    "unit": {"decay": 1.0, "unit": MANY},
}


@pytest.mark.parametrize("case", WRONG)
def test_messages_are_short(case):
    with pytest.raises(HawkeysError) as caught:
        hawkeys.fit(LISTS, **{"end_time": 3.0, **WRONG[case]})
    text = str(caught.value)
    assert len(text) < 300
    assert "\n" not in text
    assert " at 0x" not in text


def test_messages_of_events_are_short():
    for build in (
        lambda: hawkeys.fit([[MANY, 3.0]], decay=1.0, end_time=3.0),
        lambda: hawkeys.Events.from_arrays(MANY, MANY, end_times=3.0),
        lambda: hawkeys.Events.from_arrays(MANY, MANY > 0, offsets=MANY, end_times=3.0),
        lambda: hawkeys.Events.from_lists({"a": MANY}, end_times=3.0),
        lambda: hawkeys.Events.from_lists([[MANY]], end_times=3.0, mark_names=["a"] * 190),
    ):
        with pytest.raises(HawkeysError) as caught:
            build()
        assert len(str(caught.value)) < 300
        assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (np.zeros((3, 2)), "an array of shape (3, 2)"),
        (list(range(100)), "a list of 100"),
        ([1, 2], "[1, 2]"),
        (np.float64(0.5), "np.float64(0.5)"),
        (Unnamed(), f"an Unnamed from {__name__}"),
    ],
)
def test_what_came_in_brief(value, text):
    assert brief(value).replace("0.5", "0.5") in (text, text.removeprefix("np.float64(")[:-1])


def test_a_baseline_of_ones_own_has_a_name():
    assert repr(Ramp(2.0)) == "Ramp(slope=2.0, rates=None)"
    assert repr(Ramp(MANY)) == "Ramp(slope=an array of shape (190,), rates=None)"


@pytest.mark.parametrize(
    ("code", "helps"),
    [
        (errno.ENOSPC, "Make room on that disk, or write to another one."),
        (errno.EDQUOT, "Make room on that disk, or write to another one."),
        (errno.EACCES, "Choose a folder that exists and that you may write to."),
        (errno.ENAMETOOLONG, "Choose a shorter name of plain letters."),
        (errno.EIO, "The disk or its connection fails: write to another one."),
    ],
)
def test_what_helps_depends_on_what_failed(tmp_path, monkeypatch, code, helps):
    def fails(*args, **kwargs):
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(Path, "replace", fails)
    with pytest.raises(OutputError) as caught:
        write_text(tmp_path / "fit.json", "{}")
    assert str(caught.value).endswith(f"{os.strerror(code)}. {helps}")
    with pytest.raises(OutputError) as caught, staged_directory(tmp_path / "out") as folder:
        (folder / "a.txt").write_text("done")
    assert str(caught.value).endswith(f"{os.strerror(code)}. {helps}")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name != "posix", reason="Windows does not tell which processes run")
def test_what_a_killed_run_left_is_removed_by_the_next(tmp_path):
    """A run that is killed while it writes; another that still writes keeps its folder."""
    target = tmp_path / "out"
    code = (
        "import os, signal, sys\n"
        "from hawkeys.evaluation.report.files import staged_directory\n"
        "with staged_directory(sys.argv[1]) as folder:\n"
        "    (folder / 'table.csv').write_text('1,2')\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    killed = subprocess.run([sys.executable, "-c", code, str(target)], check=False)
    assert killed.returncode < 0
    (left,) = tmp_path.iterdir()
    assert (left / "table.csv").exists()
    own, other = tmp_path / temporary_name(), tmp_path / ".hawkeys-ffffffff-1-a"
    own.mkdir()
    other.mkdir()
    with staged_directory(target) as folder:
        assert not left.exists()
        (folder / "a.txt").write_text("done")
    assert sorted(tmp_path.iterdir()) == sorted([own, other, target])
    assert _MACHINE in own.name
    remove_abandoned(tmp_path / "absent")
