"""Do the intervals of an estimated power law cover the truth?

    python benchmarks/power_law_coverage.py [n_samples]

For each setting, samples are simulated from a process with one mark and fitted with
``kernel=PowerLaw()``; how often the 95 % Wald interval of each parameter covers the truth, and how
far estimates are off on the whole, is written to ``results/power_law_coverage.csv``. Fits at a
limit (a warning says so) have no interval of what is at it; their number is a column of its own.
"""

from __future__ import annotations

import csv
import sys
import warnings
from pathlib import Path

import numpy as np

import hawkeys
from hawkeys.exceptions import IdentifiabilityWarning
from hawkeys.kernels import PowerLaw

OUTPUT = Path(__file__).parent / "results" / "power_law_coverage.csv"
# baseline, adjacency, c, p, length of the window
SETTINGS = {
    "1,000 events": (0.5, 0.5, 0.2, 2.0, 1_000.0),
    "4,000 events": (0.5, 0.5, 0.2, 2.0, 4_000.0),
}
NAMES = "baseline", "adjacency", "c", "p"


def one(setting: tuple[float, ...], seed: int) -> tuple[np.ndarray, np.ndarray, bool]:
    """Return estimates and standard errors, (4,) each, and whether a limit was met."""
    baseline, adjacency, c, p, end = setting
    truth = hawkeys.Hawkes([baseline], [[adjacency]], kernel=PowerLaw(c, p))
    sample = hawkeys.simulate(truth, end_time=end, rng=seed)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", IdentifiabilityWarning)
        found = hawkeys.fit(sample, kernel=PowerLaw())
    limit = any(issubclass(each.category, IdentifiabilityWarning) for each in caught)
    kernel = [found.kernel.to_dict()[name] for name in ("c", "p")]
    errors = [float(found.kernel_std_err[name]) for name in ("c", "p")]
    return np.append(found.estimates[0], kernel), np.append(found.std_err[0], errors), limit


def main() -> None:
    """Run all settings and write the table."""
    n_samples = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    rows = []
    for label, setting in SETTINGS.items():
        truth = np.array(setting[:4])
        runs = [one(setting, seed) for seed in range(n_samples)]
        values, errors = (np.array([run[k] for run in runs]) for k in range(2))
        limits = np.array([run[2] for run in runs])
        for k, name in enumerate(NAMES):
            known = np.isfinite(errors[:, k])
            off = (values[known, k] - truth[k]) / errors[known, k]
            rows.append({
                "setting": label, "parameter": name, "truth": truth[k], "n_samples": n_samples,
                "n_at_limit": int(limits.sum()), "n_with_interval": int(known.sum()),
                "covered": round(float((np.abs(off) < 1.959964).mean()), 4),
                "median_estimate": round(float(np.median(values[:, k])), 5),
                "mean_off_in_std_err": round(float(off.mean()), 3),
            })  # fmt: skip
            print(rows[-1], flush=True)
    with OUTPUT.open("w", newline="", encoding="utf-8") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)


if __name__ == "__main__":
    main()
