"""What is left of branching ratio and decay when times are known up to a tick, or counted by bins?

    python benchmarks/coarse_clocks.py [--samples 100] [--ticks .01,.1,1,7] [--raw FILE]

Truth: one mark, baseline .5, branching ratio (adjacency) .6, decay 1 a day, 2,000 days, some 2,500
events. Each sample is rounded down to the tick and fitted in three ways, the decay estimated:

- as it is: ``fit(floored)``, the ticks taken for exact times;
- spread: multiple imputation, times spread evenly over their ticks 5 times, estimates and variances
  put together by Rubin's rule (1987, eq. 3.1.2 to 3.1.5), the decay by its logarithm;
- resolution: ``fit(floored, resolution=tick)``, the likelihood of the ticks.

``results/coarse_clocks.csv`` has for each tick, way and parameter: number of samples, mean estimate
(of the decay the median), its bias in standard errors of the mean (of the decay by its logarithm),
and how often the 95 % interval (Wald for the branching ratio, profile likelihood for the decay, by
Rubin's rule Wald of the logarithm) covers the truth; and how often the interval of the decay is
open. With ``--raw`` the single samples are added to a file, and those that it has are not repeated.
"""

from __future__ import annotations

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import hawkeys

OUTPUT = Path(__file__).parent / "results" / "coarse_clocks.csv"
BASELINE, RATIO, DECAY, DAYS = 0.5, 0.6, 1.0, 2_000.0
TRUTH = hawkeys.Hawkes([BASELINE], [[RATIO]], decay=DECAY)
N_IMPUTATIONS = 5
FIRST_SEED = 50_000
NORMAL = 1.959964


def figures(result):
    """Return estimate, lower and upper of the ratio and of the decay."""
    lower, upper = result.conf_int()
    ratio = result.adjacency[0, 0], lower[0, 1], upper[0, 1]
    return *ratio, float(result.kernel.decay), *result.decay_profile.interval()


def spread(times, tick, rng):
    """Return the same of several imputations, by Rubin's rule."""
    values, variances = [], []
    for _ in range(N_IMPUTATIONS):
        drawn = np.sort(times + rng.uniform(0.0, tick, times.size))
        found = hawkeys.fit([np.minimum(drawn, DAYS)], end_time=DAYS, decay="estimate")
        low, high = found.decay_profile.interval()
        width = (np.log(high) - np.log(low)) / (2.0 * NORMAL)
        values.append((found.adjacency[0, 0], np.log(float(found.kernel.decay))))
        variances.append((found.std_err[0, 1] ** 2, width**2))
    mean = np.mean(values, axis=0)
    between = np.var(values, axis=0, ddof=1)
    reach = NORMAL * np.sqrt(np.mean(variances, axis=0) + (1.0 + 1.0 / N_IMPUTATIONS) * between)
    decay = np.exp([mean[1], mean[1] - reach[1], mean[1] + reach[1]])
    return mean[0], mean[0] - reach[0], mean[0] + reach[0], *decay


def one(tick, seed):
    """Return a row for each way of fitting one sample."""
    rng = np.random.default_rng(seed)
    exact = hawkeys.simulate(TRUTH, end_time=DAYS, rng=rng).times
    times = np.floor(exact / tick) * tick
    ways = {
        "as it is": lambda: figures(hawkeys.fit([times], end_time=DAYS, decay="estimate")),
        "spread": lambda: spread(times, tick, rng),
        "resolution": lambda: figures(
            hawkeys.fit([times], end_time=DAYS, decay="estimate", resolution=tick)
        ),
    }
    rows = []
    for way, run in ways.items():
        begin = time.process_time()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", hawkeys.exceptions.HawkeysWarning)
            found = run()
        names = ("ratio", "ratio_low", "ratio_high", "decay", "decay_low", "decay_high")
        seconds = time.process_time() - begin
        values = dict(zip(names, found, strict=True))
        rows.append({"tick": tick, "way": way, "seed": seed, **values, "seconds": seconds})
    return rows


def summary(raw):
    """Return a row for each tick, way and parameter."""
    rows = []
    for (tick, way), part in raw.groupby(["tick", "way"], sort=True):
        for name, truth in (("ratio", RATIO), ("decay", DECAY)):
            value = part[name].to_numpy()
            scale = np.log(value / truth) if name == "decay" else value - truth
            scale = scale[np.isfinite(scale)]
            low, high = part[f"{name}_low"], part[f"{name}_high"]
            error = scale.std(ddof=1) / np.sqrt(scale.size)
            rows.append({
                "tick_days": tick, "way": way, "parameter": name, "truth": truth,
                "n_samples": len(part),
                "estimate": round(float(np.median(value) if name == "decay" else value.mean()), 4),
                "bias_in_standard_errors": round(float(scale.mean() / error), 2),
                "covered": round(float(((low <= truth) & (truth <= high)).mean()), 3),
                "open_intervals": int((~np.isfinite(high) | (low <= 0)).sum()),
                "median_seconds": round(float(part["seconds"].median()), 2),
            })  # fmt: skip
    return pd.DataFrame(rows)


def main():
    """Run what is missing, and write the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--ticks", default=".01,.1,1,7")
    parser.add_argument("--raw", type=Path, default=Path("coarse_clocks_samples.csv"))
    chosen = parser.parse_args()
    known = pd.read_csv(chosen.raw) if chosen.raw.exists() else pd.DataFrame(columns=["tick"])
    done = set(zip(known["tick"], known.get("seed", []), strict=True))
    for seed in range(FIRST_SEED, FIRST_SEED + chosen.samples):
        for tick in map(float, chosen.ticks.split(",")):
            if (tick, seed) in done:
                continue
            rows = pd.DataFrame(one(tick, seed))
            rows.to_csv(chosen.raw, mode="a", header=not chosen.raw.exists(), index=False)
    table = summary(pd.read_csv(chosen.raw))
    table.to_csv(OUTPUT, index=False)
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
