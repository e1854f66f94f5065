"""Fit with the decay fixed: hawkeys against tick's model under L-BFGS-B, equality proved first.

Usage: python benchmarks/speed_against_tick.py [--output DIR] [--quick]

Writes speed_against_tick.csv and, if the CMU data are at hand, keystroke_speed.csv. Everything runs
on one thread, warm, best of several repeats; compare the ratios, not the seconds.
"""

import argparse
import platform
import time
from importlib.metadata import version
from pathlib import Path

import numba
import numpy as np
import pandas as pd
from scipy.optimize import minimize
from tick.hawkes import ModelHawkesExpKernLogLik

import hawkeys
from hawkeys.datasets import load_dataset, timings_to_events

DECAY = 1.5
# number of marks: time observed, for about 100,000, 100,000 and 200,000 events
CASES = {1: 60_000.0, 5: 9_000.0, 20: 5_300.0}
GAP = 1e-6


def make_process(size, seed=0):
    """Half the off-diagonal entries 0, spectral radius 0.6."""
    rng = np.random.default_rng(seed)
    adjacency = rng.uniform(0.1, 1.0, (size, size))
    adjacency[(rng.random((size, size)) < 0.5) & ~np.eye(size, dtype=bool)] = 0.0
    adjacency *= 0.6 / np.abs(np.linalg.eigvals(adjacency)).max()
    return hawkeys.Hawkes(rng.uniform(0.5, 1.0, size), adjacency, decay=DECAY)


def tick_model(events):
    """Return tick's model, its data in the arrays it takes."""
    model = ModelHawkesExpKernLogLik(DECAY, n_threads=1)
    model.fit(events.to_lists()[0], end_times=float(events.end_times[0]))
    return model


def tick_log_likelihood(model, events, x):
    """Undo tick's convention: loss = (-log L - total time of all marks) / n_events."""
    return -(model.loss(x) * events.n_events + events.n_marks * events.end_times[0])


def tick_fit(lists, end_time, n_events, tolerance):
    """Fit by L-BFGS-B, building the model from raw arrays included."""
    model = ModelHawkesExpKernLogLik(DECAY, n_threads=1)
    model.fit(lists, end_times=end_time)
    size = len(lists)
    start = np.concatenate((np.full(size, 0.5), np.full(size * size, 0.1)))
    found = minimize(
        lambda x: (model.loss(x) * n_events, model.grad(x) * n_events),
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(1e-10, None)] * start.size,
        options={"maxiter": 5000, "maxfun": 20_000, "ftol": tolerance, "gtol": 1e-6},
    )
    return found.x


def best_of(function, repeats):
    """Return the smallest processor time of several calls, in seconds."""
    times = []
    for _ in range(repeats):
        started = time.process_time()
        function()
        times.append(time.process_time() - started)
    return min(times)


def loosest_tolerance(events, lists, optimum):
    """Return the loosest `ftol` with which tick's fit comes within GAP of the optimum."""
    end_time = float(events.end_times[0])
    model = tick_model(events)
    for power in range(8, 17):
        x = tick_fit(lists, end_time, events.n_events, 10.0**-power)
        gap = optimum - tick_log_likelihood(model, events, x)
        if gap <= GAP:
            break
    return 10.0**-power, gap


def compare(size, end_time, repeats):
    """Prove equality, then time; return one row of the table."""
    events = hawkeys.simulate(make_process(size), end_time=end_time, rng=1)
    lists = events.to_lists()[0]
    result = hawkeys.fit(events, decay=DECAY)
    x = np.concatenate((result.baseline, result.adjacency.ravel()))
    theirs = tick_log_likelihood(tick_model(events), events, x)
    difference = abs(theirs / result.log_likelihood - 1.0)
    if difference > 1e-10:
        raise SystemExit(f"D = {size}: log-likelihoods differ by {difference:.1e}; nothing timed")
    tolerance, gap = loosest_tolerance(events, lists, result.log_likelihood)
    mine = best_of(lambda: hawkeys.fit(events, decay=DECAY), repeats)
    tick = best_of(lambda: tick_fit(lists, end_time, events.n_events, tolerance), repeats)
    return {
        "n_marks": size,
        "n_events": events.n_events,
        "relative_difference": difference,
        "hawkeys_gap_bound": result.optimality_gap,
        "tick_gap": gap,
        "tick_ftol": tolerance,
        "hawkeys_seconds": mine,
        "tick_seconds": tick,
        "ratio": tick / mine,
    }


def keystroke_case(n_samples):
    """Time separate fits of typing samples of 22 events."""
    data, origin = load_dataset("auto")
    events = timings_to_events(data.timings().to_numpy()[:n_samples])
    rows = []
    for method in ("mle", "map"):
        each = hawkeys.fit_each(events[:50], decay=0.1, method=method)  # compiles
        seconds = best_of(
            lambda method=method: hawkeys.fit_each(events, decay=0.1, method=method), 3
        )
        each = hawkeys.fit_each(events, decay=0.1, method=method)
        rows.append(
            {
                "data": origin.name,
                "method": method,
                "n_samples": len(events),
                "ms_per_sample": 1e3 * seconds / len(events),
                "total_seconds": seconds,
                "largest_gap_bound": each.optimality_gap.max(),
            }
        )
    return pd.DataFrame(rows)


def describe_machine(frame):
    """Add machine and versions to every row."""
    return frame.assign(
        machine=f"{platform.machine()}, {platform.system()}, Python {platform.python_version()}",
        versions=", ".join(f"{name} {version(name)}" for name in ("hawkeys", "tick", "numba")),
    )


def main(arguments=None):
    """Run both comparisons and write their tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--quick", action="store_true", help="small sizes, to test the script")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    numba.set_num_threads(1)
    cases = {1: 500.0, 3: 300.0} if options.quick else CASES
    rows = [compare(size, end, 1 if options.quick else 5) for size, end in cases.items()]
    tables = {
        "speed_against_tick": pd.DataFrame(rows),
        "keystroke_speed": keystroke_case(100 if options.quick else 20_400),
    }
    for name, table in tables.items():
        print(table.to_string(index=False, float_format=lambda value: f"{value:.3g}"))
        describe_machine(table).to_csv(options.output / f"{name}.csv", index=False)


if __name__ == "__main__":
    main()
