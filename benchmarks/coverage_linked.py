"""Coverage of intervals of processes with a link, and size of their tests, by simulation.

    python benchmarks/coverage_linked.py [--samples 200]

Samples of a process with inhibition (rectified link) and of one with a refractory part and an
exponential (softplus link), fitted again: how often 95 % Wald and profile intervals hold the truth,
and how often a pair without influence is rejected at 5 %. Writes results/coverage_linked.csv.
"""

from __future__ import annotations

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd

import hawkeys
from hawkeys import inference
from hawkeys.process import LagFilters, NonlinearHawkes, RectifiedHawkes

RESULTS = Path(__file__).parent / "results"
SIGNED = RectifiedHawkes([1.0, 0.8], [[0.3, -0.5], [0.0, 0.2]], decay=2.0)
FILTERS = LagFilters([0.0, 0.3], [1.0])
LINKED = NonlinearHawkes(
    [0.8, 0.5], [[[[-2.0, 0.4], [-0.5, 0.2]], [[0.0, 0.0], [-1.5, 0.3]]]], FILTERS, link="softplus"
)
CASES = {
    "rectified": (SIGNED, lambda events: hawkeys.fit_rectified(events, decay=2.0)),
    "softplus": (
        LINKED,
        lambda events: hawkeys.fit_nonlinear(events, filters=FILTERS, link="softplus"),
    ),
}


def truth_of(process: NonlinearHawkes) -> np.ndarray:
    """Return the parameters in the order of the estimates."""
    if isinstance(process, RectifiedHawkes):
        return np.column_stack((process.baseline, process.adjacency))
    return process.parameters


def row(name: str, end: float, n_samples: int) -> dict[str, object]:
    """Return the shares of one process and length of window."""
    process, fit = CASES[name]
    truth = truth_of(process)
    wald, profile, rejected, n_events = [], [], 0, []
    for seed in range(n_samples):
        sample = hawkeys.simulate(process, end_time=end, rng=seed)
        result = fit(sample)
        n_events.append(sample.n_events)
        lower, upper = result.conf_int()
        known = np.isfinite(lower)
        wald.append(((lower <= truth) & (truth <= upper))[known].mean())
        ends = inference.profile_interval(result, sample)
        known = np.isfinite(ends.estimates)
        profile.append(((ends.lower <= truth) & (truth <= ends.upper))[known].mean())
        tests = inference.edge_tests(result, sample, correction=None)
        rejected += int(tests.pvalues[1, 0] < 0.05)
    return {
        "link": name,
        "end_time": end,
        "n_samples": n_samples,
        "mean_events": float(np.mean(n_events)),
        "n_parameters": truth.size,
        "wald_95": round(float(np.mean(wald)), 4),
        "profile_95": round(float(np.mean(profile)), 4),
        "rejected_at_5": round(rejected / n_samples, 4),
    }


def main() -> None:
    """Run all cases and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--samples", type=int, default=200)
    samples = parser.parse_args().samples
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        rows = [row(name, end, samples) for name in CASES for end in (150.0, 400.0)]
    table = pd.DataFrame(rows).assign(version=hawkeys.__version__)
    table.to_csv(RESULTS / "coverage_linked.csv", index=False)
    print(table.to_string())


if __name__ == "__main__":
    main()
