"""Time and memory of a fit from ten thousand to ten million events, 20 marks, decay fixed.

Usage: python benchmarks/scaling.py [--output DIR] [--quick]

Each size is fitted in a process of its own, one thread, to events simulated in another. Writes
scaling.csv and .png.
"""

import argparse
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

SIZES = (10_000, 30_000, 100_000, 300_000, 1_000_000, 3_000_000, 10_000_000)
QUICK_SIZES = (1_000,)
N_MARKS = 20
MEGABYTE = 2.0**20


def make_events(n_events, path):
    """Simulate about so many events and save times, marks and the end of the window."""
    process = make_process(N_MARKS)
    end_time = n_events / float(process.stationary_rate.sum())
    events = hawkeys.simulate(process, end_time=end_time, rng=1)
    np.savez(path, times=events.times, marks=events.marks, end_time=end_time)


def peak():
    """Return the largest resident memory of this process so far, in bytes."""
    return 1024 * resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def fit_events(path):
    """Fit saved events; print events, processor seconds, peak bytes, and the gap in nats."""
    with one_thread():
        warm = hawkeys.simulate(make_process(N_MARKS), end_time=20.0, rng=0)
        hawkeys.fit(warm, decay=DECAY)  # loads compiled code
        with np.load(path) as saved:
            end_time = float(saved["end_time"])
            events = hawkeys.Events.from_arrays(
                saved["times"], saved["marks"], end_times=end_time, n_marks=N_MARKS
            )
        before, started = peak(), time.process_time()
        result = hawkeys.fit(events, decay=DECAY)
        seconds = time.process_time() - started
    print(events.n_events, seconds, before, peak(), result.optimality_gap)


def measure(n_events, folder):
    """Return one row of the table."""
    path = Path(folder) / "events.npz"
    script = [sys.executable, __file__]
    subprocess.run([*script, "--make", str(n_events), str(path)], check=True)
    printed = subprocess.check_output([*script, "--fit", str(path)], text=True).split()
    size, seconds, before, after, gap = (float(word) for word in printed)
    return {
        "n_marks": N_MARKS,
        "n_events": int(size),
        "seconds": seconds,
        "microseconds_per_event": 1e6 * seconds / size,
        "peak_megabytes": after / MEGABYTE,
        "megabytes_before_the_fit": before / MEGABYTE,
        "dense_excitation_megabytes": 8.0 * size * N_MARKS / MEGABYTE,
        "gap": gap,
    }


def plot(table, path):
    """Draw time and memory by number of events, with lines of slope one."""
    figure, axes = plt.subplots(1, 2, figsize=(9, 4), layout="constrained")
    n = table["n_events"]
    for ax, column, label in (
        (axes[0], "seconds", "processor time (s)"),
        (axes[1], "peak_megabytes", "peak resident memory (MB)"),
    ):
        ax.loglog(n, table[column], "o-", color="#0072b2", label="fit, one thread")
        ax.set_xlabel("events")
        ax.set_ylabel(label)
        ax.grid(alpha=0.3)
    last = table.iloc[-1]
    axes[0].loglog(n, last.seconds * n / last.n_events, "k--", lw=0.8, label="linear")
    axes[1].loglog(n, table["dense_excitation_megabytes"], "k--", lw=0.8, label="excitations alone")
    for ax in axes:
        ax.legend(fontsize=8)
    figure.suptitle(f"Fit with {N_MARKS} marks, decay fixed")
    figure.savefig(path, dpi=110)
    plt.close(figure)


def main(arguments=None):
    """Run all sizes, or be one of their processes."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--quick", action="store_true", help="small sizes, to test the script")
    parser.add_argument("--make", nargs=2, help=argparse.SUPPRESS)
    parser.add_argument("--fit", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.make:
        make_events(int(options.make[0]), options.make[1])
        return
    if options.fit:
        fit_events(options.fit)
        return
    options.output.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder:
        sizes = QUICK_SIZES if options.quick else SIZES
        table = pd.DataFrame([measure(size, folder) for size in sizes])
    print(table.to_string(index=False, float_format="{:.4g}".format))
    write_table(table, options.output / "scaling.csv", [])
    plot(table, options.output / "scaling.png")


if __name__ == "__main__":
    main()
