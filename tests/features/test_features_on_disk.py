"""Features from disk to disk: the same files, whatever dies on the way."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import hawkeys
from hawkeys.datasets import open_timings
from hawkeys.exceptions import DatasetError, InvalidParameterError, OutputError
from hawkeys.features import HawkesFeatures

pytest.importorskip("pyarrow", reason="Parquet takes the extra [parquet] (pyarrow)")


def samples(n, seed):
    rng = np.random.default_rng(seed)
    hold, gap = rng.uniform(0.05, 0.15, (n, 4)), rng.uniform(0.0, 0.3, (n, 3))
    frame = pd.DataFrame({"subject": [f"s{seed}"] * n, "rep": np.arange(n)})
    for k, key in enumerate("abcd"):
        frame[f"H.{key}"] = hold[:, k]
        if k < 3:
            pair = f"{key}.{'abcd'[k + 1]}"
            frame[f"DD.{pair}"], frame[f"UD.{pair}"] = hold[:, k] + gap[:, k], gap[:, k]
    return frame


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "timings"
    path.mkdir()
    for k in range(6):
        samples(8 + k, k).to_parquet(path / f"{k}.parquet")
    return path


def contents(folder):
    return {file.name: file.read_bytes() for file in folder.iterdir()}


@pytest.mark.parametrize(
    "how",
    [{}, {"method": "mle"}, {"method": "vi_stochastic", "options": {"n_steps": 50}},
     {"estimate": "mean", "n_bands": 2, "options": {"likelihood_weight": np.float64(3.0)}}],
    ids=["default", "mle", "stochastic", "mean"],
)  # fmt: skip
def test_the_features_are_those_in_memory(folder, tmp_path, how):
    data = open_timings(folder, samples_per_partition=20)
    found = HawkesFeatures(**how).transform_on_disk(data, tmp_path / "out")
    frame, (timings, labels) = found.to_frame(), data.read()
    assert len(found) == data.n_partitions > 2
    pd.testing.assert_frame_equal(frame[["subject", "rep"]], labels)
    transformer = HawkesFeatures(**how).fit(timings)
    assert frame.columns[2:].tolist() == transformer.get_feature_names_out().tolist()
    with hawkeys._threads.limit_threads(1):
        np.testing.assert_array_equal(frame.iloc[:, 2:], transformer.transform(timings))
    assert [len(part) for part in found] == [len(part) for part, _ in data]
    with pytest.raises(InvalidParameterError, match=r"partition must lie in 0\.\."):
        found.partition(99)


def test_partitions_and_processes_do_not_matter(folder, tmp_path):
    data = open_timings(folder, samples_per_partition=20)
    one = HawkesFeatures(method="mle").transform_on_disk(data, tmp_path / "one")
    two = HawkesFeatures(method="mle").transform_on_disk(data, tmp_path / "two", n_jobs=2)
    assert contents(one.folder) == contents(two.folder)
    whole = HawkesFeatures(method="mle").transform_on_disk(open_timings(folder), tmp_path / "whole")
    assert len(whole) == 1
    pd.testing.assert_frame_equal(whole.to_frame(), one.to_frame(), check_exact=True)


def test_what_cannot_be_asked(folder, tmp_path):
    data, output = open_timings(folder), tmp_path / "out"
    with pytest.raises(InvalidParameterError, match=r"of hawkeys\.datasets\.open_timings; got"):
        HawkesFeatures().transform_on_disk(data.read()[0], output)
    prior = HawkesFeatures(method="map", options={"prior": hawkeys.GammaPrior()})
    with pytest.raises(InvalidParameterError, match=r"numbers and words, .* options\.prior="):
        prior.transform_on_disk(data, output)
    with pytest.raises(InvalidParameterError, match="estimate must be"):
        HawkesFeatures(estimate="median").transform_on_disk(data, output)
    with pytest.raises(InvalidParameterError, match="decay"):
        HawkesFeatures(decay=-1.0).transform_on_disk(data, output)
    assert not output.exists()
    HawkesFeatures(method="mle").transform_on_disk(data, output)
    with pytest.raises(OutputError, match="holds results of other work"):
        HawkesFeatures(method="mle", decay=0.2).transform_on_disk(data, output)
    samples(9, 9).to_parquet(folder / "9.parquet")
    with pytest.raises(OutputError, match=r"holds results of other work \(another 'input'"):
        HawkesFeatures(method="mle").transform_on_disk(open_timings(folder), output)
    samples(3, 1).rename(columns={"rep": "baseline.a"}).to_parquet(tmp_path / "t.parquet")
    with pytest.raises(DatasetError, match=r"t\.parquet: a label has the name of a feature"):
        HawkesFeatures().transform_on_disk(open_timings(tmp_path / "t.parquet"), tmp_path / "more")


def test_a_damaged_partition_is_named_and_the_others_are_kept(folder, tmp_path):
    frame = samples(5, 9)
    frame.loc[2, "H.b"] = -0.1
    frame.to_parquet(folder / "5.parquet")
    data, output = open_timings(folder, samples_per_partition=1), tmp_path / "out"
    with pytest.raises(DatasetError, match=r"5\.parquet, row group 0: .* row 2: H\.b is -0\.1"):
        HawkesFeatures(method="mle").transform_on_disk(data, output)
    assert {file.name for file in output.iterdir()} == {
        "manifest.json", *(f"part-{k:05d}.parquet" for k in range(5)),
    }  # fmt: skip


RUN = """
import sys, time
import hawkeys
from hawkeys.datasets import open_timings
from hawkeys.features import HawkesFeatures
data = open_timings(sys.argv[1], samples_per_partition=1)
HawkesFeatures(method="mle").transform_on_disk(data, sys.argv[2], n_jobs=2)
"""


def started(folder, output):
    return subprocess.Popen([sys.executable, "-c", RUN, str(folder), str(output)])


def wait_for(output, n_files, run):
    for _ in range(2_400):
        if len(list(output.glob("part-*"))) >= n_files or run.poll() is not None:
            return
        time.sleep(0.025)


def workers_of(run):
    """Return the processes that a run of this test has started."""
    out = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            command = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if int(parent) == run.pid and b"loky" in command and b"resource_tracker" not in command:
            out.append(int(entry.name))
    return out


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks for processes in /proc")
def test_a_worker_and_a_parent_that_are_killed(folder, tmp_path):
    """The files are, byte for byte, those of a run that nothing disturbed."""
    for k in range(6, 16):
        samples(60, k).to_parquet(folder / f"{k}.parquet")
    data = open_timings(folder, samples_per_partition=1)
    expected = contents(
        HawkesFeatures(method="mle").transform_on_disk(data, tmp_path / "whole").folder
    )
    output = tmp_path / "killed"
    run = started(folder, output)
    wait_for(output, 1, run)
    found = workers_of(run)
    assert found or run.poll() is not None
    for worker in found[:1]:
        os.kill(worker, signal.SIGKILL)
    wait_for(output, 4, run)
    run.kill()
    run.wait()
    assert len(list(output.glob("part-*"))) >= 4
    run = started(folder, output)
    run.wait()
    assert run.returncode == 0
    for _ in range(400):  # workers of a parent that was killed end soon
        if contents(output).keys() == expected.keys():
            break
        time.sleep(0.025)
    assert contents(output) == expected
