"""The same work on a cluster of Dask, of which a worker is killed."""

from functools import partial

import pytest
from test_fan_out import EXPECTED, content, dies, files

import hawkeys
from hawkeys.exceptions import PartitionError
from hawkeys.inference import fit_each_on_disk
from hawkeys.partitions.fan_out import fan_out, result_name

distributed = pytest.importorskip(
    "distributed", reason="a cluster of Dask takes the extra [dask] (dask and distributed)"
)
joblib = pytest.importorskip("joblib")

# what Dask itself says of a worker that was killed, and of how it starts processes
pytestmark = [
    pytest.mark.filterwarnings("ignore::ResourceWarning"),
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@pytest.fixture
def cluster():
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as two,
        distributed.Client(two) as client,
    ):
        client.wait_for_workers(2, timeout=60)
        with joblib.parallel_config(backend="dask"):
            yield client


@pytest.mark.usefixtures("cluster")
def test_a_worker_that_is_killed_is_replaced(tmp_path):
    output = tmp_path / "out"
    output.mkdir()
    fan_out(partial(dies, {1: 1}, tmp_path), 6, output)
    assert (tmp_path / "deaths-1").read_text() == "1"
    assert files(output) == EXPECTED
    assert not list(output.glob(".begun-*"))


@pytest.mark.usefixtures("cluster")
def test_a_partition_that_kills_every_worker_is_named(tmp_path):
    """And joblib does not wait for ever for what Dask has given up; all else is kept."""
    output = tmp_path / "out"
    output.mkdir()
    with pytest.raises(PartitionError, match=r"partition 3 died 3 times .* others are kept in"):
        fan_out(partial(dies, {3: 99}, tmp_path), 6, output)
    assert int((tmp_path / "deaths-3").read_text()) == 3
    kept = files(output)
    assert result_name(3) not in kept
    assert kept.items() <= EXPECTED.items()
    fan_out(content, 6, output)
    assert files(output) == EXPECTED


def test_the_files_are_those_of_one_process(tmp_path, cluster):
    truth = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0, 0.5]], decay=2.0)
    events = hawkeys.simulate(truth, end_time=30.0, n_realizations=40, rng=1)
    path = hawkeys.write_events(events, tmp_path / "events", events_per_partition=200)
    data = hawkeys.open_events(path)
    there = fit_each_on_disk(data, tmp_path / "there", decay=2.0)
    assert len(cluster.scheduler_info()["workers"]) == 2
    with joblib.parallel_config(backend="loky"):
        here = fit_each_on_disk(data, tmp_path / "here", decay=2.0)
    assert files(there.folder) == files(here.folder)
    assert len(files(here.folder)) == data.n_partitions > 3
