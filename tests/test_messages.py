"""Messages are one line of readable length, whatever came; and say what helps."""

import errno
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
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


NASTY = {
    "array": MANY,
    "matrix": np.outer(MANY, MANY),
    "list": MANY.tolist(),
    "NaN": np.where(MANY > 1.5, np.nan, MANY),
    "falling": -MANY,
    "text": "x" * 1000,
    "texts": [f"mark {k}" for k in range(190)],
    "mapping": {k: float(k) for k in range(190)},
    "set": set(range(190)),
    "bytes": b"x" * 500,
    "lines": "a\nb",
    "object": Unnamed(),
    "frame": pd.DataFrame({f"column {k}": MANY for k in range(60)}),
    "events": hawkeys.Events.from_lists([LISTS], end_times=3.0),
}
READING = ("end_time", "start_time", "time", "mark", "realization", "unit", "sort", "mark_names")
MODEL = ("decay", "kernel", "method", "rng", "support", "weights", "tied", "baseline", "tolerance")
PROCESS = hawkeys.Hawkes([0.5, 0.3], [[0.3, 0.2], [0.1, 0.4]], decay=1.5)
SAMPLE = hawkeys.simulate(PROCESS, end_time=[20.0, 20.0], rng=0)
FIT = hawkeys.fit(SAMPLE, decay=1.5)
TABLE = pd.DataFrame({"time": [1.0, 2.0], "mark": ["a", "b"]})
ASKED = {
    "fit": (hawkeys.fit, {"data": LISTS, "decay": 1.5, "end_time": 3.0}, MODEL + READING),
    "fit_each": (hawkeys.fit_each, {"data": LISTS, "decay": 1.5, "end_time": 3.0}, READING),
    "fit_rectified": (
        hawkeys.fit_rectified,
        {"data": LISTS, "decay": 1.5, "end_time": 3.0},
        READING,
    ),
    "from_data": (hawkeys.Events.from_data, {"data": [1.0, 2.0], "end_time": 3.0}, READING),
    "from_frame": (hawkeys.Events.from_frame, {"frame": TABLE, "end_times": 3.0}, READING),
    "from_lists": (
        hawkeys.Events.from_lists,
        {"realizations": [LISTS], "end_times": 3.0},
        ("end_times", "start_times", "mark_names"),
    ),
    "from_arrays": (
        hawkeys.Events.from_arrays,
        {"times": [1.0, 2.0], "marks": [0, 1], "end_times": 3.0},
        ("times", "marks", "end_times", "start_times", "offsets", "n_marks", "mark_names"),
    ),
    "Hawkes": (
        hawkeys.Hawkes,
        {"baseline": [0.5, 0.5], "adjacency": np.full((2, 2), 0.1), "decay": 1.0},
        ("baseline", "adjacency", "decay", "kernel", "mark_names"),
    ),
    "simulate": (
        hawkeys.simulate,
        {"process": PROCESS, "end_time": 5.0},
        ("process", "end_time", "start_time", "n_realizations", "history", "max_events", "rng"),
    ),
    "forecast": (
        hawkeys.forecast,
        {"model": FIT, "events": SAMPLE[0], "horizon": 1.0},
        ("model", "horizon", "n_paths", "level", "parameter_uncertainty", "rng"),
    ),
    "goodness_of_fit": (
        hawkeys.goodness_of_fit,
        {"fitted": FIT, "events": SAMPLE, "n_mc_samples": 1},
        ("fitted", "refit", "n_mc_samples", "rng", "verbose"),
    ),
    "intensity": (PROCESS.intensity, {"events": SAMPLE, "times": [1.0]}, ("times", "realization")),
    "log_likelihood": (PROCESS.log_likelihood, {"events": SAMPLE}, ("per_event", *READING)),
    "edge_tests": (
        hawkeys.inference.edge_tests,
        {"result": FIT, "events": SAMPLE},
        ("result", "correction", "verbose"),
    ),
    "with_marks": (SAMPLE.with_marks, {}, ("marks",)),
    "between": (SAMPLE.between, {}, ("start", "end")),
}
NUMBER = re.compile(r"(?<![\w.])-?\d+(?:\.\d+)?(?:e[-+]?\d+)?")


@pytest.mark.filterwarnings("ignore::hawkeys.exceptions.HawkeysWarning")
@pytest.mark.parametrize("case", ASKED)
def test_no_error_is_long_whatever_came(case):
    """Each argument with each of the values above: a short error of ours, or an answer."""
    ask, given, names = ASKED[case]
    provoked = 0
    for name in names:
        for kind, value in NASTY.items():
            try:
                ask(**{**given, name: value})
            except HawkeysError as error:
                text = str(error)
                provoked += 1
                assert len(text) <= 400, (name, kind, text[:500])
                assert len(NUMBER.findall(text)) <= 12, (name, kind, text)
                assert "\n" not in text, (name, kind, text)
                assert " at 0x" not in text, (name, kind, text)
    assert provoked >= len(names) * len(NASTY) // 2
