"""Features of typing samples by the million, from disk to disk: time, memory, restart.

Usage: python benchmarks/typing_scale.py [--samples N ...] [--jobs 2] [--output DIR]

Real samples (CMU; HAWKEYS_DATA is set) are drawn with repetition, each interval multiplied by
exp(.02 z), and written as Parquet files of 100,000. `HawkesFeatures(method="map")` turns them into
features, in a process of its own with `--jobs` others. Writes typing_scale.csv: processor and wall
time, and the peak memory of the largest process.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from joblib.externals.loky import get_reusable_executor
from machine import write_table

from hawkeys.datasets import load_cmu, open_timings
from hawkeys.features import HawkesFeatures

PER_FILE, PER_GROUP = 100_000, 10_000
SPREAD = 0.02


def write_samples(folder, n_samples, real, per_group=PER_GROUP):
    """Write so many samples, all kinds of intervals positive but the time from key to key."""
    rng = np.random.default_rng(0)
    holds, waits = real.release - real.press, np.diff(real.press, axis=1)
    names = [("H." + key) for key in real.keys]
    pairs = [f"{one}.{other}" for one, other in zip(real.keys[:-1], real.keys[1:], strict=True)]
    for k in range(0, n_samples, PER_FILE):
        rows = rng.integers(0, len(holds), min(PER_FILE, n_samples - k))
        hold = holds[rows] * np.exp(SPREAD * rng.standard_normal((rows.size, holds.shape[1])))
        wait = waits[rows] * np.exp(SPREAD * rng.standard_normal((rows.size, waits.shape[1])))
        table = dict(zip(names, hold.T, strict=True))
        table |= {f"DD.{pair}": wait[:, j] for j, pair in enumerate(pairs)}
        table |= {f"UD.{pair}": wait[:, j] - hold[:, j] for j, pair in enumerate(pairs)}
        frame = pd.DataFrame({"subject": np.asarray(real.subject)[rows], **table})
        frame.to_parquet(folder / f"part-{k // PER_FILE:04d}.parquet", row_group_size=per_group)


def transform(source, target, jobs):
    """Write the features, print what it took."""
    started, wall = time.process_time(), time.perf_counter()
    found = HawkesFeatures(method="map").transform_on_disk(
        open_timings(source), target, n_jobs=jobs
    )
    wall = time.perf_counter() - wall
    get_reusable_executor().shutdown(wait=True)  # their processor time counts once they have ended
    own = time.process_time() - started
    took = {"wall_seconds": wall, "n_samples": sum(map(len, found))}
    for side in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN):
        used = resource.getrusage(side)
        took.setdefault("peaks", []).append(used.ru_maxrss / 1024.0)
        if side == resource.RUSAGE_CHILDREN:
            own += used.ru_utime + used.ru_stime
    took["seconds"] = own
    print(json.dumps(took), flush=True)


def row(n_samples, jobs):
    """Return the row of one size."""
    with tempfile.TemporaryDirectory() as folder:
        source, target = Path(folder) / "samples", Path(folder) / "features"
        source.mkdir()
        write_samples(source, n_samples, load_cmu())
        command = [sys.executable, __file__, "--transform", str(source), str(target), str(jobs)]
        found = subprocess.run(command, capture_output=True, text=True, check=True)
        took = json.loads(found.stdout.splitlines()[-1])
        size = sum(file.stat().st_size for file in target.rglob("*") if file.is_file())
    if took["n_samples"] != n_samples:
        raise SystemExit(f"{took['n_samples']} samples have features, not {n_samples}.")
    return {
        "n_samples": n_samples,
        "jobs": jobs,
        "seconds": took["seconds"],
        "wall_seconds": took["wall_seconds"],
        "microseconds_per_sample": 1e6 * took["seconds"] / n_samples,
        "peak_megabytes": max(took["peaks"]),
        "bytes_per_sample": size / n_samples,
    }


def main(argv=None):
    """Measure each size and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, nargs="+", default=[50_000, 1_000_000])
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--transform", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(argv)
    if options.transform:
        source, target, jobs = options.transform
        return transform(source, target, int(jobs))
    table = pd.DataFrame([row(size, options.jobs) for size in options.samples])
    write_table(table, options.output / "typing_scale.csv", [])
    print(table.to_string(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
