"""Each realisation alone, from disk to disk: the same estimates, whatever dies on the way."""

import subprocess
import sys
import time

import numpy as np
import pytest

import hawkeys
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError, OutputError
from hawkeys.inference import fit_each_on_disk

TRUTH = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0, 0.5]], decay=2.0, mark_names=["a", "b"])
EVENTS = hawkeys.simulate(TRUTH, end_time=30.0, n_realizations=40, rng=1)


@pytest.fixture
def data(tmp_path):
    path = hawkeys.write_events(EVENTS, tmp_path / "events", events_per_partition=200)
    return hawkeys.open_events(path)


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize("method", ["mle", "map", "vi"])
def test_the_estimates_are_those_in_memory(tmp_path, data, method):
    found = fit_each_on_disk(data, tmp_path / "out", decay=2.0, method=method).to_frame()
    with hawkeys._loops.choice.compiled_only():
        expected = hawkeys.fit_each(EVENTS, decay=2.0, method=method)
    assert found["realization"].tolist() == list(range(40))
    names = expected.params.columns.tolist()
    assert found.columns.tolist()[4:] == names
    np.testing.assert_array_equal(found[names], expected.params)
    for name in ("log_likelihood", "optimality_gap", "converged"):
        np.testing.assert_array_equal(found[name], getattr(expected, name))


def test_partitions_and_processes_do_not_matter(tmp_path, data):
    one = fit_each_on_disk(data, tmp_path / "one", decay=2.0)
    two = fit_each_on_disk(data, tmp_path / "two", decay=2.0, n_jobs=2)
    assert contents(one.folder) == contents(two.folder)
    path = hawkeys.write_events(EVENTS, tmp_path / "whole")
    whole = fit_each_on_disk(hawkeys.open_events(path), tmp_path / "three", decay=2.0)
    assert len(whole) == 1 < len(one) == data.n_partitions
    assert whole.to_frame().equals(one.to_frame())
    assert one.partition(1)["realization"].iloc[0] == data.bounds[1]


RUN = """
import sys, hawkeys
from hawkeys.inference import fit_each_on_disk
fit_each_on_disk(hawkeys.open_events(sys.argv[1]), sys.argv[2], decay=2.0, n_jobs=2)
"""


def test_a_killed_run_goes_on(tmp_path, data):
    expected = contents(fit_each_on_disk(data, tmp_path / "whole", decay=2.0).folder)
    folder = tmp_path / "killed"
    for n_before in (1, 3):
        run = subprocess.Popen([sys.executable, "-c", RUN, str(data.path), str(folder)])
        for _ in range(1_200):
            if len(list(folder.glob("part-*"))) >= n_before or run.poll() is not None:
                break
            time.sleep(0.05)
        run.kill()
        run.wait()
        assert len(list(folder.glob("part-*"))) >= n_before
    found = fit_each_on_disk(data, folder, decay=2.0, n_jobs=2)
    assert contents(found.folder) == expected


def test_a_damaged_partition_is_named(tmp_path, data):
    last = sorted(data.path.glob("events-*"))[-1]
    last.write_bytes(last.read_bytes()[:-10])
    with pytest.raises(InvalidEventsError, match=r"events-00000\.parquet, row group 0"):
        fit_each_on_disk(data, tmp_path / "out", decay=2.0)


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({"decay": 2.0, "method": "vi_stochastic"}, "method must be"),
        ({"decay": 2.0, "max_iter": 0}, "max_iter"),
        ({"decay": 2.0, "speed": 1}, "has no option 'speed'"),
        ({"decay": 2.0, "method": "map", "prior": hawkeys.GammaPrior()}, "numbers and words"),
        ({}, "decay is missing"),
    ],
)
def test_what_cannot_be_asked(tmp_path, data, asked, message):
    with pytest.raises(InvalidParameterError, match=message):
        fit_each_on_disk(data, tmp_path / "out", **asked)
    assert not (tmp_path / "out").exists()


def test_events_in_memory_and_other_folders(tmp_path, data):
    with pytest.raises(InvalidParameterError, match=r"Use hawkeys\.fit_each for events in memory"):
        fit_each_on_disk(EVENTS, tmp_path / "out", decay=2.0)
    found = fit_each_on_disk(data, tmp_path / "out", decay=2.0)
    with pytest.raises(OutputError, match="holds results of other work"):
        fit_each_on_disk(data, tmp_path / "out", decay=3.0)
    with pytest.raises(InvalidParameterError, match=r"partition must lie in 0\.\."):
        found.partition(99)
