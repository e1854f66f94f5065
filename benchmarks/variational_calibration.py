"""Simulation-based calibration and coverage of variational inference.

Usage: python benchmarks/variational_calibration.py [--output DIR] [--quick]

Calibration: parameters from the prior that the fit assumes (half-normal of variance C / 2), data
from the parameters, then the rank of the truth among posterior draws, which is uniform if the
posterior is exact; for the independent log-normal marginals and the Gamma ones of linear response,
for short and long records. Coverage: 95 % credible intervals of a fixed process, every parameter
well inside. One thread. Writes variational_calibration.csv and .png.
"""

import argparse
import math
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from machine import one_thread, write_table
from scipy.special import gammainc, ndtr
from scipy.stats import chi2

import hawkeys
from hawkeys.exceptions import IdentifiabilityWarning

DECAY = 2.0
N_MARKS = 2
COEFFICIENT = 0.1  # half-normal with scale sqrt(C / 2) = 0.22; mean 0.18
N_RANKS = 20
SCALES = ("independent", "linear response")
SIZES = {"short": 100.0, "long": 3000.0}
REGULAR = hawkeys.Hawkes([0.5, 0.4], [[0.3, 0.2], [0.2, 0.3]], decay=DECAY)
REGULAR_END = 2500.0
WEAK = 10.0


def draw_from_prior(rng):
    """Return a stable process whose parameters are half-normal."""
    while True:  # the half-normal prior restricted to stable processes, nearly all of it
        values = np.abs(rng.normal(0.0, math.sqrt(COEFFICIENT / 2.0), (N_MARKS, N_MARKS + 1)))
        process = hawkeys.Hawkes(values[:, 0], values[:, 1:], decay=DECAY)
        if process.spectral_radius < 0.99:
            return process, values


def fitted(events, coefficient):
    """Return the variational fit under a fixed prior."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", IdentifiabilityWarning)
        return hawkeys.fit(
            events,
            decay=DECAY,
            method="vi",
            prior_coefficient=coefficient,
        )


def levels(result, truth):
    """Return the posterior probability below the truth, by kind of scale and parameter."""
    alone, response = result.posterior, result.linear_response
    return {
        "independent": ndtr((np.log(truth) - alone.location) / alone.scale),
        "linear response": gammainc(response.shape, response.rate * truth),
    }


def calibration(end_time, n_datasets, key):
    """Return the posterior level of every true parameter, (n_datasets, D, D + 1) by scale."""
    found = {name: [] for name in SCALES}
    n_events = []
    for k in range(n_datasets):
        rng = np.random.default_rng([k, key])
        process, truth = draw_from_prior(rng)
        events = hawkeys.simulate(process, end_time=end_time, rng=rng)
        result = fitted(events, COEFFICIENT)
        for name, level in levels(result, truth).items():
            # of a silent mark nothing is learnt: the posterior is the prior
            level = np.where(result.identified, level, prior_level(truth))
            found[name].append(level)
        n_events.append(events.n_events)
    return {name: np.array(values) for name, values in found.items()}, float(np.mean(n_events))


def prior_level(truth):
    """Return the prior probability below the truth."""
    return 2.0 * ndtr(truth / math.sqrt(COEFFICIENT / 2.0)) - 1.0


def coverage(n_datasets):
    """Return the posterior levels of the true parameters of a regular process."""
    found = {name: [] for name in SCALES}
    truth = np.column_stack((REGULAR.baseline, REGULAR.adjacency))
    n_events = []
    for k in range(n_datasets):
        events = hawkeys.simulate(REGULAR, end_time=REGULAR_END, rng=k)
        result = fitted(events, WEAK)
        for name, level in levels(result, truth).items():
            found[name].append(level)
        n_events.append(events.n_events)
    return {name: np.array(values) for name, values in found.items()}, float(np.mean(n_events))


def rows_of(study, size, n_events, found):
    """Return a row per scale and kind of parameter: ranks, chi-square, coverage."""
    rows = []
    for name, values in found.items():
        for kind, part in (("baseline", values[:, :, 0]), ("adjacency", values[:, :, 1:])):
            counts = ranks(part.ravel())
            expected = part.size / N_RANKS
            # pooled parameters of a data set are not independent: the test takes one of them
            single = ranks(part.reshape(len(part), -1)[:, 0])
            statistic = float((((single - len(part) / N_RANKS) ** 2) / (len(part) / N_RANKS)).sum())
            inside = (part > 0.025) & (part < 0.975)
            rows.append(
                {
                    "study": study,
                    "size": size,
                    "scale": name,
                    "parameter": kind,
                    "n_datasets": len(part),
                    "mean_events": n_events,
                    "chi_square": statistic,
                    "chi_square_pvalue": float(chi2.sf(statistic, N_RANKS - 1)),
                    "coverage_95": float(inside.mean()),
                    "lowest_coverage_95": float(inside.mean(axis=0).min()),
                    "highest_coverage_95": float(inside.mean(axis=0).max()),
                    "outer_ranks": float((counts[0] + counts[-1]) / (2.0 * expected)),
                    "ranks": " ".join(str(count) for count in counts),
                }
            )
    return rows


def ranks(values):
    """Return how many posterior levels fall into each of N_RANKS equal bins."""
    return np.histogram(values, bins=N_RANKS, range=(0.0, 1.0))[0]


def study(quick):
    """Return the table of all figures."""
    rows = []
    for key, (size, end_time) in enumerate(SIZES.items()):
        found, n_events = calibration(end_time, 25 if quick else 1000, key)
        rows += rows_of("calibration", size, n_events, found)
        _tell(f"calibration, {size}")
    found, n_events = coverage(25 if quick else 1000)
    rows += rows_of("coverage", "regular", n_events, found)
    _tell("coverage")
    return pd.DataFrame(rows)


def plot(table, path):
    """Draw the rank histograms, each with the band that holds 99 % of uniform counts."""
    import matplotlib

    matplotlib.use("agg")
    import matplotlib.pyplot as plt
    from scipy.stats import binom

    columns = list(table.drop_duplicates(["study", "size"])[["study", "size"]].itertuples())
    kinds = [(name, kind) for kind in ("baseline", "adjacency") for name in SCALES]
    figure, axes = plt.subplots(4, len(columns), figsize=(11, 9), sharex=True)
    for c, column in enumerate(columns):
        for a, (name, kind) in enumerate(kinds):
            own = table[
                (table["study"] == column.study)
                & (table["size"] == column.size)
                & (table["scale"] == name)
                & (table["parameter"] == kind)
            ].iloc[0]
            counts = np.array([int(n) for n in own["ranks"].split()])
            ax = axes[a, c]
            low, high = binom.interval(0.99, counts.sum(), 1.0 / N_RANKS)
            ax.axhspan(low, high, color="0.85", zorder=0)
            ax.bar((np.arange(N_RANKS) + 0.5) / N_RANKS, counts, 0.9 / N_RANKS, color="C0")
            ax.set_title(
                f"{kind}, {name}: {100 * own['coverage_95']:.1f} % inside 95 %", fontsize=8
            )
        axes[0, c].annotate(
            f"{column.study}: {column.size}, {own['mean_events']:.0f} events",
            (0.5, 1.25),
            xycoords="axes fraction",
            ha="center",
        )
        axes[-1, c].set_xlabel("posterior level of the truth")
    for ax in axes[:, 0]:
        ax.set_ylabel("count")
    figure.tight_layout()
    figure.savefig(path, dpi=110)
    plt.close(figure)


def _tell(done):
    print(f"{time.process_time():7.0f} s  {done}", flush=True)


def main(arguments=None):
    """Run the study and write its table and picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--quick", action="store_true", help="25 data sets each")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    with one_thread():
        table = study(options.quick)
    print(table.drop(columns="ranks").to_string(index=False, float_format="{:.3g}".format))
    plot(table, options.output / "variational_calibration.png")
    write_table(table, options.output / "variational_calibration.csv", [])


if __name__ == "__main__":
    main()
