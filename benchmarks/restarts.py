"""Work on partitions that is killed at random moments: are the files those of an undisturbed run?

Usage: python benchmarks/restarts.py [--samples 100000] [--per-partition 1000] [--times 5]
       [--killed worker parent "dask worker"] [--demo] [--output DIR]

Typing samples (as in typing_scale.py; HAWKEYS_DATA is set, or `--demo`) become features from disk
to disk with two processes, once undisturbed. Then each of these is done `--times` times: one of the
two processes is killed (SIGKILL) and the run goes on; the process that started them is killed and
the same command is run again at once; one of two workers of a Dask LocalCluster is killed (needs
dask and distributed). The moment is drawn: so many partitions are done, and part of the time of one
later. Writes restarts.csv: how far the run was, and how many files of the folder, manifest
included, differ from those of the undisturbed run. Ends with an error where one does.
"""

import argparse
import os
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
from machine import write_table
from typing_scale import write_samples

from hawkeys.datasets import load_cmu, load_demo, open_timings
from hawkeys.features import HawkesFeatures

KILLED = ("worker", "parent", "dask worker")
SEED = 20
# seconds between two looks at how far a run is, and after which nothing is waited for any more
LOOK, PATIENCE = 0.002, 600.0
# what the command lines of the two processes hold
WORKERS = {"loky": b"popen_loky_posix", "dask": b"spawn_main"}


def transform(source, target, backend, per_partition):
    """Write the features, by two processes."""
    with ExitStack() as stack:
        if backend == "dask":
            from distributed import Client, LocalCluster  # an extra

            cluster = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
            client = stack.enter_context(Client(stack.enter_context(cluster)))
            client.wait_for_workers(2, timeout=PATIENCE)
            stack.enter_context(joblib.parallel_config(backend="dask"))
        n_jobs = None if backend == "dask" else 2
        features = HawkesFeatures(method="map")
        data = open_timings(source, samples_per_partition=int(per_partition))
        features.transform_on_disk(data, target, n_jobs=n_jobs)


def start(source, target, backend, per_partition):
    """Start that in a process of its own."""
    command = [sys.executable, __file__, "--transform", str(source), str(target), backend]
    return subprocess.Popen([*command, str(per_partition)])


def finish(run):
    """Wait for a run that must succeed."""
    if run.wait(PATIENCE):
        raise SystemExit(f"a run that should have ended well ended with status {run.returncode}.")


def contents(folder):
    """Return the content of every file of a folder, hidden ones too."""
    return {file.name: file.read_bytes() for file in folder.iterdir()}


def n_done(folder):
    """Return how many partitions have their file."""
    return sum(1 for _ in folder.glob("part-*")) if folder.is_dir() else 0


def workers_of(parent, backend):
    """Return the processes that a run works with: its children that joblib or Dask started."""
    out = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            status = (place / "stat").read_text().rpartition(")")[2].split()
            line = (place / "cmdline").read_bytes()
        except (FileNotFoundError, ProcessLookupError):  # it has ended meanwhile
            continue
        if int(status[1]) == parent and status[0] != "Z" and WORKERS[backend] in line:
            out.append(int(place.name))
    return sorted(out)


def kill_at(run, victim, moment, target):
    """Kill the victim once so many partitions are done, and a while later; say how far it came."""
    partitions, delay, choice = moment
    ends = time.monotonic() + PATIENCE
    while n_done(target) < partitions:
        if run.poll() is not None or time.monotonic() > ends:
            raise SystemExit(f"a run ended, or stood still, before partition {partitions}.")
        time.sleep(LOOK)
    time.sleep(delay)
    if run.poll() is not None:
        raise SystemExit("a run ended before it was killed: ask for more samples.")
    process = run.pid
    if victim != "parent":
        found = workers_of(run.pid, "dask" if victim == "dask worker" else "loky")
        process = found[int(choice * len(found))]
    os.kill(process, signal.SIGKILL)
    return n_done(target), any(target.glob(".*"))


def disturbed(source, target, victim, moment, per_partition):
    """Return how far a run was when it was killed, and what it left after it was run to its end."""
    backend = "dask" if victim == "dask worker" else "loky"
    run = start(source, target, backend, per_partition)
    try:
        done, begun = kill_at(run, victim, moment, target)
        if victim == "parent":
            run.wait(PATIENCE)
            run = start(source, target, backend, per_partition)  # its workers may live yet
        finish(run)
    finally:
        run.kill()
        run.wait()
    return {"done": done, "begun_by_others": begun}, contents(target)


def study(options, folder):
    """Yield a row for each run that is killed."""
    source = folder / "samples"
    source.mkdir()
    real = load_demo() if options.demo else load_cmu()
    write_samples(source, options.samples, real, options.per_partition)
    whole = folder / "undisturbed"
    finish(start(source, whole, "loky", options.per_partition))
    expected, n_partitions = contents(whole), n_done(whole)
    written = [file.stat().st_mtime for file in whole.glob("part-*")]
    each = (max(written) - min(written)) / n_partitions
    rng = np.random.default_rng(SEED)
    for victim in options.killed:
        for k in range(options.times):
            moment = (
                int(rng.integers(1, max(n_partitions - 4, 2))),
                float(rng.uniform(0.0, 2.0 * each)),
                float(rng.uniform()),
            )
            target = folder / f"{victim}-{k}"
            reached, found = disturbed(source, target, victim, moment, options.per_partition)
            names = expected.keys() | found.keys()
            yield {
                "killed": victim,
                "run": k,
                "n_partitions": n_partitions,
                "done_at_kill": reached["done"],
                "in_work_at_kill": reached["begun_by_others"],
                "files": len(expected),
                "files_that_differ": sum(found.get(name) != expected.get(name) for name in names),
                "files_missing": len(expected.keys() - found.keys()),
                "files_left_over": len(found.keys() - expected.keys()),
            }


def main(argv=None):
    """Run the study and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=100_000)
    parser.add_argument("--per-partition", type=int, default=1_000)
    parser.add_argument("--times", type=int, default=5)
    parser.add_argument("--killed", nargs="+", choices=KILLED, default=KILLED)
    parser.add_argument("--demo", action="store_true", help="simulated typists")
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--transform", nargs=4, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.transform:
        transform(*options.transform)
        return 0
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for row in study(options, Path(folder)):
            rows.append(row)
            print(row, flush=True)
    packages = ["joblib", "pyarrow"]
    packages += ["distributed"] if "dask worker" in options.killed else []
    write_table(pd.DataFrame(rows), options.output / "restarts.csv", packages)
    return int(any(row["files_that_differ"] for row in rows))


if __name__ == "__main__":
    sys.exit(main())
