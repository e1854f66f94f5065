"""Work on every partition, by processes that die."""

import json
import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

import hawkeys
from hawkeys.exceptions import OutputError, PartitionError
from hawkeys.partitions.fan_out import MANIFEST, fan_out, manifest_of, open_output, result_name


def content(k):
    return f"partition {k}".encode()


def dies(deaths, place, k):
    """Kill the own process at some partitions, so many times each."""
    if deaths.get(k, 0):
        count = place / f"deaths-{k}"
        before = int(count.read_text()) if count.exists() else 0
        if before < deaths[k]:
            count.write_text(str(before + 1))
            os.kill(os.getpid(), signal.SIGKILL)
    return content(k)


def files(folder):
    return {file.name: file.read_bytes() for file in sorted(folder.glob("part-*"))}


EXPECTED = {result_name(k): content(k) for k in range(6)}


def test_a_file_for_each(tmp_path):
    fan_out(content, 6, tmp_path)
    assert files(tmp_path) == EXPECTED
    assert not list(tmp_path.glob(".*"))


def test_what_is_there_is_left(tmp_path):
    (tmp_path / result_name(2)).write_bytes(b"kept")
    fan_out(content, 6, tmp_path)
    assert files(tmp_path) == EXPECTED | {result_name(2): b"kept"}


def test_dead_workers_are_replaced(tmp_path):
    output = tmp_path / "out"
    output.mkdir()
    fan_out(partial(dies, {1: 1, 4: 2}, tmp_path), 6, output, n_jobs=2)
    assert files(output) == EXPECTED
    assert (tmp_path / "deaths-4").read_text() == "2"
    assert not list(output.glob(".*"))


def test_three_deaths_of_one_partition_end_the_run(tmp_path):
    output = tmp_path / "out"
    output.mkdir()
    with pytest.raises(PartitionError, match="partition 3 died 3 times"):
        fan_out(partial(dies, {3: 99}, tmp_path), 6, output, n_jobs=2)
    kept = files(output)
    assert result_name(3) not in kept
    assert kept.items() <= EXPECTED.items()
    fan_out(content, 6, output)
    assert files(output) == EXPECTED


def beside(place, k):
    """Partition 3 kills its process, twice while partition 4 is worked on beside it."""
    if k == 4:
        (place / "begun-4").touch()
        time.sleep(1.5)
    if k == 3:
        for _ in range(40):
            if (place / "begun-4").exists():
                break
            time.sleep(0.05)
        (place / "begun-4").unlink(missing_ok=True)
        os.kill(os.getpid(), signal.SIGKILL)
    return content(k)


def test_the_partition_that_kills_is_named_and_not_one_beside_it(tmp_path):
    output = tmp_path / "out"
    output.mkdir()
    with pytest.raises(PartitionError, match="partition 3 died 3 times"):
        fan_out(partial(beside, tmp_path), 6, output, n_jobs=2)
    kept = files(output)
    assert result_name(3) not in kept
    assert {result_name(k) for k in (0, 1, 2, 5)} <= kept.keys()
    assert kept.items() <= EXPECTED.items()


def die():
    os.kill(os.getpid(), signal.SIGKILL)


class DiesOnArrival:
    """Work that ends the process which it is sent to."""

    def __reduce__(self):
        return die, ()

    def __call__(self, k):
        return content(k)


def test_processes_that_die_before_they_begin_end_the_run(tmp_path):
    with pytest.raises(PartitionError, match="died 3 times before they began"):
        fan_out(DiesOnArrival(), 6, tmp_path, n_jobs=2)
    assert not list(tmp_path.iterdir())


def broken(k):
    if k == 2:
        raise ValueError("partition 2 is broken")
    return content(k)


def test_an_error_of_the_work_is_raised_as_it_is(tmp_path):
    with pytest.raises(ValueError, match="partition 2 is broken"):
        fan_out(broken, 6, tmp_path)
    assert result_name(0) in files(tmp_path)
    assert not list(tmp_path.glob(".*"))


@pytest.fixture
def data(tmp_path):
    sample = hawkeys.Events.from_lists([[[1.0]], [[2.0]]], end_times=3.0)
    return hawkeys.open_events(
        hawkeys.write_events(sample, tmp_path / "events", events_per_partition=1)
    )


def test_only_the_same_work_goes_on(tmp_path, data):
    manifest = manifest_of(data, "a fit", {"decay": 2.0})
    folder = open_output(tmp_path / "out", manifest)
    assert json.loads((folder / MANIFEST).read_text()) == manifest
    assert open_output(folder, manifest) == folder
    with pytest.raises(OutputError, match=r"holds results of other work \(another 'options'\)"):
        open_output(folder, manifest_of(data, "a fit", {"decay": 3.0}))
    (folder / MANIFEST).write_text("{")
    with pytest.raises(OutputError, match="its manifest is damaged"):
        open_output(folder, manifest)
    with pytest.raises(OutputError, match=r"is not empty and has no manifest\.json"):
        open_output(data.path, manifest)


def test_other_events_are_other_work(tmp_path, data):
    manifest = manifest_of(data, "a fit", {})
    other = hawkeys.Events.from_lists([[[1.0]], [[2.5]]], end_times=3.5)
    again = hawkeys.open_events(hawkeys.write_events(other, tmp_path / "other"))
    assert manifest_of(again, "a fit", {})["input"] != manifest["input"]
    assert Path(data.path).is_dir()
