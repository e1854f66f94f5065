"""10^7 events of a frame with marks as text and times as dates, read as `Events`: time and memory.

Usage: python benchmarks/reading_speed.py [--against FOLDER] [--rows N ...] [--frames KIND ...]
       [--output DIR]

`--against FOLDER` reads the same frames with the package in that checkout, by what its users had to
write: it refused dates. Two conversions are timed there, the shortest to write ("seconds, then
from_frame") and the quickest ("codes, then from_arrays"). The saved table is against the build
before dates could be read (the parent of commit 4e26e90). All ways must give the same times, marks
and windows, which a checksum tells; each runs in a process of its own, twice, and the shorter
time counts. The peak of memory is what the process had at most while it read, less what it had
before; the result's own memory is part of it. Writes reading_speed.csv.
"""

import argparse
import json
import os
import subprocess
import sys
import zlib
from pathlib import Path

import pandas as pd
from machine import write_table

ROOT = Path(__file__).resolve().parents[1]
ROWS = (1_000_000, 10_000_000)
FRAMES = ("pandas, objects", "pandas, str", "pandas, categories", "polars", "pyarrow")
NOW = "Events.from_data"
BEFORE = ("seconds, then from_frame", "codes, then from_arrays")
START, END = "2024-01-01", "2025-01-01"


def make_frame(kind, n):
    """Dates in order within a year, and one of eight names each."""
    import numpy as np

    rng = np.random.default_rng(0)
    steps = np.sort(rng.integers(0, 366 * 86_400 * 10**9, n))
    dates = pd.Series(np.datetime64(START, "ns") + steps.astype("m8[ns]"))
    names = np.array([f"sensor-{k}" for k in range(8)], dtype=object)[rng.integers(0, 8, n)]
    dtype = {"pandas, objects": object, "pandas, categories": "category"}.get(kind, "str")
    frame = pd.DataFrame({"time": dates, "mark": pd.Series(names, dtype=dtype)})
    if kind == "polars":
        import polars

        return polars.from_pandas(frame)
    if kind == "pyarrow":
        import pyarrow

        return pyarrow.Table.from_pandas(frame, preserve_index=False)
    return frame


def read(frame, way):
    """Return the events of a frame, in seconds."""
    import hawkeys

    if way == NOW:
        return hawkeys.Events.from_data(frame, unit="s", start_time=START, end_time=END)
    table = frame if isinstance(frame, pd.DataFrame) else frame.to_pandas()
    start = pd.Timestamp(START)
    end = (pd.Timestamp(END) - start).total_seconds()
    seconds = (table["time"] - start).dt.total_seconds()
    if way == BEFORE[0]:
        plain = pd.DataFrame({"time": seconds, "mark": table["mark"]})
        return hawkeys.Events.from_frame(plain, time="time", mark="mark", end_times=end)
    codes, names = pd.factorize(table["mark"], sort=True)
    return hawkeys.Events.from_arrays(seconds, codes, end_times=end, mark_names=names)


def worker(kind, way, n):
    """Read once and print what it took."""
    import gc
    import time

    frame = make_frame(kind, n)
    read(make_frame(kind, 1_000), way)  # imports are not what is measured
    gc.collect()
    before = _memory("VmRSS")
    Path("/proc/self/clear_refs").write_text("5")  # the peak counts from here
    begun = time.perf_counter()
    events = read(frame, way)
    taken = time.perf_counter() - begun
    peak = _memory("VmHWM") - before
    result = events.times.nbytes + events.marks.nbytes
    rounded = (events.times * 1e3).round().astype("int64")  # both ways round the last digits
    sums = [zlib.crc32(rounded.tobytes()), zlib.crc32(events.marks.tobytes())]
    check = [*sums, float(events.end_times[0]), list(events.mark_names)]
    print(json.dumps({"seconds": taken, "peak": peak, "result": result, "check": check}))


def _memory(name):
    for line in Path("/proc/self/status").read_text().splitlines():
        if line.startswith(name):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/self/status has no {name}")


def measure(package, kind, way, n):
    """Return the better of two runs in processes of their own."""
    environment = {**os.environ, "PYTHONPATH": str(package), "OMP_NUM_THREADS": "1"}
    command = [sys.executable, __file__, "--worker", kind, way, str(n)]
    runs = []
    for _ in range(2):
        done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        runs.append(json.loads(done.stdout))
    best = min(runs, key=lambda run: run["seconds"])
    return {**best, "peak": min(run["peak"] for run in runs)}


def compare(kind, n, against):
    """Return a row for each way, after making sure that all of them read the same."""
    ways = [(ROOT, NOW)] + [(against, way) for way in BEFORE if against]
    found = {way: measure(package, kind, way, n) for package, way in ways}
    checks = {json.dumps(one["check"]) for one in found.values()}
    if len(checks) > 1:
        raise SystemExit(f"{kind}: the ways read different events: {checks}")
    return [
        {
            "frame": kind,
            "rows": n,
            "way": way,
            "seconds": round(one["seconds"], 3),
            "times_as_long": round(one["seconds"] / found[NOW]["seconds"], 1),
            "peak_mb": round(one["peak"] / 1e6),
            "peak_over_result": round(one["peak"] / one["result"], 2),
        }
        for way, one in found.items()
    ]


def main(arguments=None):
    """Read the command line, measure, print and save."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--against", type=Path, help="another checkout, to compare with")
    parser.add_argument("--rows", type=int, nargs="+", default=ROWS)
    parser.add_argument("--frames", nargs="+", choices=FRAMES, default=FRAMES)
    parser.add_argument("--output", type=Path, default=ROOT / "benchmarks" / "results")
    parser.add_argument("--worker", nargs=3, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.worker:
        kind, way, n = options.worker
        worker(kind, way, int(n))
        return
    against = options.against.resolve() if options.against else None
    rows = [
        row for n in options.rows for kind in options.frames for row in compare(kind, n, against)
    ]
    table = pd.DataFrame(rows)
    print(table.to_string(index=False))
    write_table(table, options.output / "reading_speed.csv", ("pandas", "polars", "pyarrow"))


if __name__ == "__main__":
    main()
