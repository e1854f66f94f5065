"""Do the intervals beside a log-linear baseline cover the truth?

Usage: python benchmarks/log_linear_coverage.py [--samples 1000] [--output DIR]

Processes of one mark whose baseline depends on two covariates, one of no effect, are simulated and
fitted with their decay given and estimated. Writes log_linear_coverage.csv: how often the 95 % Wald
interval of each parameter covers the truth (of an estimated decay's, too), and how far estimates
are off on the whole. Fits in which a warning says what the data do not tell are counted apart.
"""

import argparse
import sys
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import hawkeys
from hawkeys.baselines import LogLinear
from hawkeys.exceptions import IdentifiabilityWarning

NAMES = "x0", "x1", "rate", "adjacency", "decay"
TRUTH = np.array([0.6, 0.0, 0.6, 0.4, 1.5])
# length of the window: some 80, 400 and 2,000 events
LENGTHS = (70.0, 350.0, 1_750.0)
STRETCH = 5.0


def design(length):
    """Return knots and covariates of a window, the same in every sample."""
    knots = np.arange(0.0, length + 0.5 * STRETCH, STRETCH)
    return knots, np.random.default_rng(7).normal(size=(knots.size - 1, 2))


def one(length, decay, seed):
    """Return estimates and standard errors, (5,) each, and whether a warning was given."""
    knots, covariates = design(length)
    baseline = LogLinear(knots, covariates, TRUTH[:2], [[TRUTH[2]]])
    process = hawkeys.Hawkes(baseline, [[TRUTH[3]]], decay=TRUTH[4])
    sample = hawkeys.simulate(process, end_time=length, rng=seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        found = hawkeys.fit(sample, decay=decay, baseline=LogLinear(knots, covariates))
    fitted = found.process.baseline_function
    estimates = [*fitted.coefficients, *found.estimates[0], float(found.kernel.decay)]
    error = np.nan if found.kernel_std_err is None else float(found.kernel_std_err["decay"])
    errors = [*found.coefficient_std_err, *found.std_err[0], error]
    told = any(issubclass(each.category, IdentifiabilityWarning) for each in caught)
    return np.array(estimates), np.array(errors), told


def rows(length, decay, samples):
    """Return the rows of one setting, a parameter each."""
    runs = [one(length, decay, seed) for seed in range(samples)]
    values, errors = (np.array([run[k] for run in runs]) for k in range(2))
    told = np.array([run[2] for run in runs])
    out = []
    for k, name in enumerate(NAMES):
        known = np.isfinite(errors[:, k]) & ~told
        if not known.any():
            continue
        off = (values[known, k] - TRUTH[k]) / errors[known, k]
        out.append({
            "length": length, "decay": str(decay), "parameter": name, "truth": TRUTH[k],
            "samples": samples, "told": int(told.sum()), "with_interval": int(known.sum()),
            "covered": round(float((abs(off) < 1.959964).mean()), 4),
            "median_estimate": round(float(np.median(values[:, k])), 5),
            "mean_off_in_std_err": round(float(off.mean()), 3),
        })  # fmt: skip
    return out


def main(argv=None):
    """Run all settings and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=1_000)
    parser.add_argument("--lengths", type=float, nargs="+", default=list(LENGTHS))
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    options = parser.parse_args(argv)
    table = pd.DataFrame([
        row
        for length in options.lengths
        for decay in (float(TRUTH[4]), "estimate")
        for row in rows(length, decay, options.samples)
    ])  # fmt: skip
    table.to_csv(options.output / "log_linear_coverage.csv", index=False)
    print(table.to_string(index=False))
    return 0


if __name__ == "__main__":
    sys.exit(main())
