"""Coverage of 95 % intervals from few events to many: 20, 80, 400 and 2,000, 1,000 data sets each.

Usage: python benchmarks/coverage_small.py [--output DIR] [--quick] [--simulations N]

Two processes whose parameters no default was chosen on: the four marks of
notebooks/small_samples.ipynb, nine of whose sixteen adjacency entries are 0, and two marks whose
kernel is estimated, too. Parameters that are 0 are fitted, but not counted: an interval of a
positive parameter never holds 0. Every hundredth data set the counts are saved, and a run that is
started again goes on from there. One thread. Writes coverage_small_counts.csv (one row per
parameter) and coverage_small.csv.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from machine import one_thread, write_table

import hawkeys
from hawkeys.exceptions import HawkeysWarning
from hawkeys.results.few_events import events_per_parameter, few_events

LEVEL = 0.95
SIZES = (20, 80, 400, 2000)
BLOCK = 100  # data sets between two saves
FOUR = hawkeys.Hawkes(
    [0.3, 0.2, 0.2, 0.1],
    [[0.3, 0, 0, 0], [0.5, 0.1, 0, 0], [0, 0.6, 0.1, 0], [0, 0, 0.3, 0.2]],
    decay=2.0,
)
TWO = [0.4, 0.3], [[0.3, 0.2], [0.2, 0.3]]
LOG_NORMAL = hawkeys.kernels.LogNormal(-1.0, 0.5)
GIVEN = {"decay": 2.0}
# name: process, options of the fit
METHODS = {
    "mle": (FOUR, GIVEN),
    "map": (FOUR, GIVEN | {"method": "map"}),
    "vi": (FOUR, GIVEN | {"method": "vi"}),
    "vi, relevance determination": (
        FOUR,
        GIVEN | {"method": "vi", "relevance_determination": True},
    ),
    "vi_branching": (FOUR, GIVEN | {"method": "vi_branching"}),
    "mle, decay estimated": (hawkeys.Hawkes(*TWO, decay=2.0), {"decay": "estimate"}),
    "mle, log-normal kernel estimated": (
        hawkeys.Hawkes(*TWO, kernel=LOG_NORMAL),
        {"kernel": hawkeys.kernels.LogNormal()},
    ),
}
KEYS = ["method", "n_events", "parameter"]
COUNTS = ["n_simulations", "n_given", "n_covered", "n_silent", "n_silent_covered", "events",
          "events_per_parameter"]  # fmt: skip


def window(process, n_events):
    """Return the length in which the stationary process has so many events on average."""
    size = process.n_marks
    return n_events / np.linalg.solve(np.eye(size) - process.adjacency, process.baseline).sum()


def intervals(fit):
    """Return lower and upper bounds of all parameters by name, those of the kernel last."""
    lower, upper = fit.interval(LEVEL)
    out = dict(zip(names(fit.process.n_marks), zip(lower.ravel(), upper.ravel(), strict=True),
                   strict=True))  # fmt: skip
    if getattr(fit, "decay_profile", None) is not None:
        profile = fit.decay_profile
        out["decay"] = profile.interval(LEVEL) if profile.limit is None else (np.nan, np.nan)
    elif getattr(fit, "kernel_std_err", None) is not None:
        out |= {name: tuple(map(float, ends)) for name, ends in fit.kernel_interval(LEVEL).items()}
    return out


def names(n_marks):
    """Return the names of baseline and adjacency row of each target, in the order of results."""
    return [
        name
        for i in range(n_marks)
        for name in (f"baseline[{i}]", *(f"adjacency[{i}, {j}]" for j in range(n_marks)))
    ]


def truth_of(process, fit):
    """Return the true values above 0 by name, with those that the fit estimates of the kernel."""
    values = np.column_stack((process.baseline, process.adjacency)).ravel()
    out = {n: v for n, v in zip(names(process.n_marks), values, strict=True) if v > 0}
    if fit.get("decay") == "estimate":
        out["decay"] = 2.0
    if "kernel" in fit:
        out |= {"location": LOG_NORMAL.location, "scale": LOG_NORMAL.scale}
    return out


def target_of(name):
    """Return the target mark of a parameter, None of the kernel's."""
    return int(name[name.index("[") + 1]) if "[" in name else None


def simulated(process, n_events, seed):
    """Return events: a single window, but several of 100 events if the kernel is estimated.

    The work of expectation-maximisation grows with the square of the events in a window.
    """
    n_windows = 1 if isinstance(process.kernel, hawkeys.kernels.Exponential) else n_events // 100
    end = window(process, n_events) / max(n_windows, 1)
    repeats = {"n_realizations": n_windows} if n_windows > 1 else {}
    return hawkeys.simulate(process, end_time=end, rng=[n_events, seed], **repeats)


def count(method, n_events, seeds):
    """Return the counts of some data sets, one row per parameter."""
    process, how = METHODS[method]
    truth = truth_of(process, how)
    targets = [target_of(name) for name in truth]
    totals = np.zeros((len(truth), len(COUNTS)))
    for seed in seeds:
        events = simulated(process, n_events, seed)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HawkeysWarning)
            fit = hawkeys.fit(events, **how)
        few, each, found = few_events(fit), events_per_parameter(fit), intervals(fit)
        for row, (name, value), i in zip(totals, truth.items(), targets, strict=True):
            lower, upper = found.get(name, (np.nan, np.nan))
            given, covered = not np.isnan(upper), lower <= value <= upper
            silent = given and not (few.any() if i is None else few[i])
            own = each.mean() if i is None else each[i]
            row += 1, given, covered, silent, silent and covered, events.n_events, own
    table = pd.DataFrame(totals, columns=COUNTS).assign(parameter=list(truth))
    return table.assign(method=method, n_events=n_events)[[*KEYS, *COUNTS]]


def added(counts, part):
    """Return the counts with those of some more data sets."""
    together = part if counts.empty else pd.concat([counts, part], ignore_index=True)
    return together.groupby(KEYS, sort=False, as_index=False)[COUNTS].sum()


def done(counts, method, n_events):
    """Return how many data sets of a kind are counted."""
    if counts.empty:
        return 0
    own = counts[(counts["method"] == method) & (counts["n_events"] == n_events)]
    return int(own["n_simulations"].max()) if len(own) else 0


def study(path, n_simulations):
    """Count until every method and size has its data sets; return the counts."""
    counts = pd.read_csv(path) if path.exists() else pd.DataFrame(columns=[*KEYS, *COUNTS])
    for n_events in SIZES:
        for method in METHODS:
            first = done(counts, method, n_events)
            for begin in range(first, n_simulations, BLOCK):
                seeds = range(begin, min(begin + BLOCK, n_simulations))
                counts = added(counts, count(method, n_events, seeds))
                counts.to_csv(path, index=False, float_format="%.10g")
            print(f"{time.process_time():7.0f} s  {n_events:5d} events, {method}", flush=True)
    return counts


def summary(counts):
    """Return one row per method, size and kind of parameter, and one for all kinds together."""
    kinds = counts["parameter"].str.replace(r"\[.*", "", regex=True)
    kinds = kinds.where(kinds.isin(["baseline", "adjacency"]), "kernel")
    lowest = (counts["n_covered"] / counts["n_given"].where(counts["n_given"] > 0)).rename("lowest")
    table = pd.concat([counts, lowest], axis=1)
    table = pd.concat([table.assign(kind=kinds), table.assign(kind="all")])
    groups = table.groupby(["method", "n_events", "kind"], sort=False)
    out = groups[COUNTS].sum().join(groups["lowest"].min())
    given = out["n_given"].where(out["n_given"] > 0)
    silent = out["n_silent"].where(out["n_silent"] > 0)
    coverage = out["n_covered"] / given
    n_simulations = groups["n_simulations"].max()
    table = pd.DataFrame({
        "n_simulations": n_simulations,
        "mean_events": out["events"] / out["n_simulations"],
        "events_per_parameter": out["events_per_parameter"] / out["n_simulations"],
        "coverage": coverage,
        # as if the parameters of one data set were one: at most this
        "std_err_at_most": np.sqrt(coverage * (1.0 - coverage) / n_simulations),
        "lowest_of_a_parameter": out["lowest"],
        "none_given": 1.0 - out["n_given"] / out["n_simulations"],
        "said_to_be_few": 1.0 - out["n_silent"] / out["n_given"],
        "coverage_of_the_rest": out["n_silent_covered"] / silent,
    }).reset_index()  # fmt: skip
    place = {name: k for k, name in enumerate(METHODS)}
    return table.sort_values(
        ["n_events", "method"],
        kind="stable",
        ignore_index=True,
        key=lambda column: column.map(place) if column.name == "method" else column,
    )


def main(arguments=None):
    """Run the study, write its counts and its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--quick", action="store_true", help="four data sets of each kind")
    parser.add_argument("--simulations", type=int, default=1000, help="data sets of each kind")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    with one_thread():
        n_simulations = 4 if options.quick else options.simulations
        counts = study(options.output / "coverage_small_counts.csv", n_simulations)
    table = summary(counts)
    print(table.to_string(index=False, float_format="{:.3f}".format))
    write_table(table, options.output / "coverage_small.csv", [])


if __name__ == "__main__":
    main()
