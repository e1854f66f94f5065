"""Sums of exponentials whose decays are estimated: do intervals cover, and how long does it take?

Usage: python benchmarks/sum_exponential.py [--samples 300] [--large 1000000] [--output DIR]

Coverage: one mark, decays .3 and 6, weights .5 each, adjacency .6, fitted with two decays. Writes
sum_exponential_coverage.csv: how often the 95 % Wald interval of each parameter covers the truth;
fits whose warning says what the data do not tell are counted apart. Size: twelve marks, three
decays (.3, 3, 40) with weights of their own for each pair, a baseline in four pieces of a day, in a
process of its own, on one thread. Writes sum_exponential_size.csv: processor seconds and peak
memory of the fit, decays and their standard errors.
"""

import argparse
import json
import resource
import subprocess
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from machine import one_thread, write_table

import hawkeys
from hawkeys.baselines import Periodic
from hawkeys.exceptions import IdentifiabilityWarning
from hawkeys.kernels import SumExponential

RESULTS = Path(__file__).parent / "results"
NAMES = "baseline", "adjacency", "slow", "fast"
TRUTH = np.array([0.5, 0.6, 0.3, 6.0])
LENGTHS = (400.0, 2_000.0)
N_MARKS, DECAYS, QUARTERS = 12, (0.3, 3.0, 40.0), (0.0, 6.0, 12.0, 18.0)


def one(length, seed):
    """Return estimates and standard errors, (4,) each, and whether a warning was given."""
    truth = hawkeys.Hawkes(TRUTH[:1], [[TRUTH[1]]], kernel=SumExponential(TRUTH[2:], [0.5, 0.5]))
    sample = hawkeys.simulate(truth, end_time=length, rng=seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = hawkeys.fit(sample, kernel=SumExponential(n_decays=2))
    told = any(issubclass(each.category, IdentifiabilityWarning) for each in caught)
    errors = (found.kernel_std_err or {}).get("decays", np.full(2, np.nan))
    estimates = [*found.estimates[0], *found.kernel.decays]
    return np.array(estimates), np.array([*found.std_err[0], *errors]), told, sample.n_events


def coverage(length, samples):
    """Return a row for each parameter."""
    runs = [one(length, seed) for seed in range(samples)]
    values, errors = (np.array([run[k] for run in runs]) for k in range(2))
    told = np.array([run[2] for run in runs])
    rows = []
    for k, name in enumerate(NAMES):
        known = np.isfinite(errors[:, k]) & ~told
        off = (values[known, k] - TRUTH[k]) / errors[known, k]
        rows.append({
            "length": length, "median_events": float(np.median([run[3] for run in runs])),
            "parameter": name, "truth": TRUTH[k], "samples": samples, "told": int(told.sum()),
            "with_interval": int(known.sum()),
            "covered": round(float((abs(off) < 1.959964).mean()), 4),
            "median_estimate": round(float(np.median(values[known, k])), 5),
            "mean_off_in_std_err": round(float(off.mean()), 3),
        })  # fmt: skip
    return pd.DataFrame(rows)


def large(n_events):
    """Fit one large sample and print what it took."""
    rng = np.random.default_rng(0)
    size = N_MARKS, N_MARKS
    adjacency = np.where(rng.random(size) < 0.3, rng.uniform(0.02, 0.2, size), 0.0)
    adjacency *= 0.6 / np.abs(np.linalg.eigvals(adjacency)).max()
    day = Periodic(QUARTERS, 24.0, rng.uniform(0.5, 2.0, (N_MARKS, len(QUARTERS))))
    kernel = SumExponential(DECAYS, rng.dirichlet([2.0, 2.0, 2.0], size))
    truth = hawkeys.Hawkes(day, adjacency, kernel=kernel)
    total = float((np.linalg.inv(np.eye(N_MARKS) - adjacency) @ day.mean_rates).sum())
    days = max(1, round(n_events / total / 24.0))
    sample = hawkeys.simulate(truth, end_time=24.0 * days, rng=1)
    before, began = peak(), time.process_time()
    found = hawkeys.fit(
        sample, kernel=SumExponential(n_decays=len(DECAYS)), baseline=Periodic(QUARTERS, 24.0)
    )
    seconds = time.process_time() - began
    off = (found.adjacency - adjacency) / found.std_err[:, -N_MARKS:]
    row = {
        "n_events": sample.n_events, "n_marks": N_MARKS, "seconds": round(seconds, 2),
        "peak_megabytes": round(peak()), "megabytes_before": round(before),
        "converged": found.converged, "gap": found.optimality_gap,
        "adjacency_covered": round(float((abs(off) < 1.959964)[np.isfinite(off)].mean()), 3),
    }  # fmt: skip
    for k, decay in enumerate(DECAYS):
        row[f"decay {decay:g}"] = round(float(found.kernel.decays[k]), 4)
        row[f"std_err {decay:g}"] = round(float(found.kernel_std_err["decays"][k]), 4)
    print(json.dumps(row))


def peak():
    """Return the largest resident memory of this process so far, in megabytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0


def main(argv=None):
    """Run both parts and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=300)
    parser.add_argument("--lengths", type=float, nargs="+", default=list(LENGTHS))
    parser.add_argument("--large", type=int, nargs="*", default=[100_000, 1_000_000])
    parser.add_argument("--case", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args(argv)
    if options.case:
        with one_thread():
            large(options.case)
        return 0
    options.output.mkdir(parents=True, exist_ok=True)
    rows = []
    for size in options.large:
        command = [sys.executable, __file__, "--case", str(size)]
        found = subprocess.run(command, capture_output=True, text=True, check=True)
        rows.append(json.loads(found.stdout.splitlines()[-1]))
        print(pd.DataFrame(rows).T.to_string(header=False), flush=True)
        write_table(pd.DataFrame(rows), options.output / "sum_exponential_size.csv", ())
    with one_thread():
        table = pd.concat([coverage(length, options.samples) for length in options.lengths])
    write_table(table, options.output / "sum_exponential_coverage.csv", ())
    print(table.to_string(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
