"""Time and memory of a fit of events on disk beside that in memory, 20 marks, decay fixed.

Usage: python benchmarks/scale.py [--output DIR] [--sizes N ...] [--largest-in-memory N]
       [--memory 1GB] [--quick]

Each fit runs in a process of its own, one thread. The events, in realisations of some 20,000, are
simulated part by part and written to Parquet before, which is not timed. Where both fit the same
events, it is checked first that they find the same. Writes scale.csv and .png.
"""

import argparse
import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import matplotlib

matplotlib.use("agg")

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from machine import one_thread, write_table
from processes import DECAY, make_process

import hawkeys

SIZES = (1_000_000, 10_000_000)
QUICK_SIZES = (20_000, 60_000)
N_MARKS = 20
PER_REALIZATION = 20_000
PER_PART = 50
MEGABYTE = 2.0**20


def stream(n_events):
    """Yield about so many simulated events, 50 realisations at a time."""
    process = make_process(N_MARKS)
    end_time = PER_REALIZATION / float(process.stationary_rate.sum())
    left, seed = max(1, round(n_events / PER_REALIZATION)), 0
    while left > 0:
        size = min(left, PER_PART)
        yield hawkeys.simulate(process, end_time=end_time, n_realizations=size, rng=[1, seed])
        left, seed = left - size, seed + 1


def peak():
    """Return the largest resident memory of this process so far, in bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def fit_events(path, where, memory):
    """Fit events on disk, or all of them read before; print what it took and what was found."""
    with one_thread():
        process = make_process(N_MARKS)
        data = hawkeys.open_events(path)
        warm = hawkeys.simulate(process, end_time=3_000.0, n_realizations=2, rng=0)
        hawkeys.fit(warm, decay=DECAY)  # loads compiled code
        with tempfile.TemporaryDirectory() as folder:
            warm = hawkeys.open_events(hawkeys.write_events(warm, Path(folder) / "events"))
            hawkeys.fit(warm, decay=DECAY)
        events, options = data, {"memory": memory}
        if where == "in memory":
            events, options = data.read(), {}
        started, wall = time.process_time(), time.perf_counter()
        result = hawkeys.fit(events, decay=DECAY, **options)
        took = {
            "seconds": time.process_time() - started,
            "wall_seconds": time.perf_counter() - wall,
            "peak_megabytes": peak() / MEGABYTE,
            "n_events": result.n_events,
            "optimality_gap": result.optimality_gap,
            "log_likelihood": result.log_likelihood,
            "estimates": result.estimates.tolist(),
            "std_err": result.std_err.tolist(),
        }
    print(json.dumps(took))


def measured(path, where, memory):
    """Return what `fit_events` prints in a process of its own."""
    command = [sys.executable, __file__, "--fit", str(path), where, memory]
    found = subprocess.run(command, capture_output=True, text=True, check=True)
    return json.loads(found.stdout.splitlines()[-1])


def difference(one, other):
    """Return by how many standard errors estimates differ at most, and relative standard errors."""
    errors = np.asarray(other["std_err"], dtype=float)
    apart = np.abs(np.subtract(one["estimates"], other["estimates"])) / errors
    of_errors = np.abs(np.asarray(one["std_err"], dtype=float) / errors - 1.0)
    return float(np.nanmax(apart)), float(np.nanmax(of_errors))


def study(sizes, largest, memory):
    """Return a row for each size and place; fail where the two find something else."""
    rows = []
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            path = hawkeys.write_events(stream(size), Path(folder) / "events")
            on_disk = sum(file.stat().st_size for file in path.iterdir())
            places = ("on disk", "in memory") if size <= largest else ("on disk",)
            found = {where: measured(path, where, memory) for where in places}
        apart = (np.nan, np.nan)
        if len(found) == 2:
            apart = difference(found["on disk"], found["in memory"])
            if max(apart) > 1e-6:
                raise SystemExit(f"{size} events: the estimates differ by {apart}")
        for where, took in found.items():
            rows.append(
                {
                    "where": where,
                    "n_events": took["n_events"],
                    "seconds": took["seconds"],
                    "wall_seconds": took["wall_seconds"],
                    "nanoseconds_per_event": 1e9 * took["seconds"] / took["n_events"],
                    "peak_megabytes": took["peak_megabytes"],
                    "memory": memory if where == "on disk" else "",
                    "bytes_on_disk_per_event": on_disk / took["n_events"],
                    "optimality_gap": took["optimality_gap"],
                    "most_standard_errors_apart": apart[0],
                    "relative_difference_of_errors": apart[1],
                }
            )
            print(pd.DataFrame(rows[-1:]).to_string(index=False, header=len(rows) == 1), flush=True)
    return pd.DataFrame(rows)


def draw(table):
    """Return the picture: processor time and peak memory by the number of events."""
    figure, axes = plt.subplots(1, 2, figsize=(9.0, 3.4), constrained_layout=True)
    for where, part in table.groupby("where"):
        axes[0].plot(part["n_events"], part["nanoseconds_per_event"], "o-", label=where)
        axes[1].plot(part["n_events"], part["peak_megabytes"], "o-", label=where)
    for ax, label in zip(axes, ("processor time per event [ns]", "peak memory [MB]"), strict=True):
        ax.set(xscale="log", xlabel="events", ylabel=label, ylim=(0, None))
        ax.legend(frameon=False)
    return figure


def main(arguments=None):
    """Run the study, or the one fit that it was started for."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES)
    parser.add_argument("--largest-in-memory", type=int, default=10_000_000)
    parser.add_argument("--memory", default="1GB")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--fit", nargs=3, help=argparse.SUPPRESS)
    given = parser.parse_args(arguments)
    if given.fit:
        fit_events(*given.fit)
        return
    sizes = QUICK_SIZES if given.quick else given.sizes
    table = study(sizes, given.largest_in_memory, given.memory)
    given.output.mkdir(parents=True, exist_ok=True)
    write_table(table, given.output / "scale.csv", ("pyarrow",))
    draw(table).savefig(given.output / "scale.png", dpi=150)


if __name__ == "__main__":
    main()
