"""Do the intervals beside a smooth baseline cover the truth?

Usage: python benchmarks/spline_coverage.py [--samples 500] [--output DIR]

Processes of one mark, decay 2, adjacency .4, are simulated. Their baseline is level, a wave, or a
hump, over the whole window or a day that repeats 40 times. Fitted are a `Spline` (24 stretches, the
smoothing chosen), 24 steps of equal length, and a constant. Writes spline_coverage.csv: how often
the 95 % interval of the baseline covers the truth, on average over 200 moments, how far the
baseline is off on average (the root of the mean square, over its mean), and the same of the
adjacency.
"""

import argparse
import sys
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import hawkeys
from hawkeys.baselines import Constant, Periodic, PiecewiseConstant, Spline
from hawkeys.exceptions import HawkeysWarning

ADJACENCY, DECAY, FINE, N_PIECES, DAYS = 0.4, 2.0, 400, 24, 40
SHAPES = {
    "level": lambda phase: np.ones_like(phase),
    "wave": lambda phase: 1.0 + 0.8 * np.sin(4.0 * np.pi * phase),
    "hump": lambda phase: 0.4 + 2.4 * np.exp(-0.5 * ((phase - 0.6) / 0.08) ** 2),
}
LENGTHS = (200.0, 1_000.0)


def truth_of(shape, length, repeats):
    """Return the process of a shape, and its baseline at the moments of interest."""
    period = length / repeats
    knots = np.linspace(0.0, period, FINE + 1)
    rates = SHAPES[shape]((np.arange(FINE) + 0.5) / FINE)[None, :]
    if repeats > 1:
        baseline = Periodic(knots[:-1], period, rates)
    else:
        baseline = PiecewiseConstant(knots, rates)
    moments = period * (np.arange(200) + 0.5) / 200
    return hawkeys.Hawkes(baseline, [[ADJACENCY]], decay=DECAY), moments


def models(length, repeats):
    """Return what is fitted, by name."""
    period = length / repeats
    knots = np.linspace(0.0, period, N_PIECES + 1)
    if repeats > 1:
        smooth, steps = Spline(knots[:-1], period=period), Periodic(knots[:-1], period)
    else:
        smooth, steps = Spline(knots), PiecewiseConstant(knots)
    return {"spline": smooth, "24 steps": steps, "constant": Constant()}


def rows(shape, length, repeats, samples):
    """Return the rows of one setting, a model each."""
    process, moments = truth_of(shape, length, repeats)
    level = process.baseline_function.at(moments)[:, 0]
    out = {name: [] for name in models(length, repeats)}
    for seed in range(samples):
        sample = hawkeys.simulate(process, end_time=length, rng=seed)
        for name, baseline in models(length, repeats).items():
            began = time.process_time()
            found = hawkeys.fit(sample, decay=DECAY, baseline=baseline)
            seconds = time.process_time() - began
            low, high = (bound[:, 0] for bound in found.baseline_interval(moments))
            inside = np.where(np.isnan(low), np.nan, (low <= level) & (level <= high))
            here = found.process.baseline_function.at(moments)[:, 0]
            off = np.sqrt(np.mean((here - level) ** 2)) / level.mean()
            value, error = found.adjacency[0, 0], found.std_err[0, -1]
            out[name].append((inside, off, value, error, found.n_parameters, seconds))
    return [summary(shape, length, repeats, name, runs) for name, runs in out.items()]


def summary(shape, length, repeats, name, runs):
    """Return the row of one model."""
    inside = np.array([run[0] for run in runs])
    off, value, error, n_parameters, seconds = np.array([run[1:] for run in runs]).T
    known = np.isfinite(error)
    return {
        "baseline": shape,
        "repeats": repeats,
        "length": length,
        "model": name,
        "samples": len(runs),
        "baseline_covered": round(float(np.nanmean(inside)), 4),
        "without_interval": round(float(np.isnan(inside).mean()), 4),
        "baseline_off": round(float(off.mean()), 4),
        "adjacency_covered": round(
            float((abs(value - ADJACENCY) < 1.959964 * error)[known].mean()), 4
        ),
        "adjacency_mean": round(float(value.mean()), 4),
        "parameters": round(float(n_parameters.mean()), 2),
        "median_ms": round(1e3 * float(np.median(seconds)), 2),
    }


def main(argv=None):
    """Run all settings and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=500)
    parser.add_argument("--lengths", type=float, nargs="+", default=list(LENGTHS))
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args(argv)
    table = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HawkeysWarning)
        for length in options.lengths:
            for repeats in (1, DAYS):
                for shape in SHAPES:
                    table += rows(shape, length, repeats, options.samples)
    table = pd.DataFrame(table)
    table.to_csv(options.output / "spline_coverage.csv", index=False)
    print(table.to_string(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
