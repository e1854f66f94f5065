"""Coverage of intervals, size and power of the edge tests, for likelihood fits.

Usage: python benchmarks/coverage_study.py [--output DIR] [--quick]

Simulated data of the model that is fitted, decay known, 2 marks and about 2,100 events unless said
otherwise. One thread. Writes coverage_study.csv (one figure a row, with its standard error) and
coverage_study.png.
"""

import argparse
import time
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pandas as pd
from machine import one_thread, write_table
from scipy import stats

import hawkeys
from hawkeys import inference

LEVEL = 0.95
DECAY = 2.0
END = 1500.0
REGULAR = hawkeys.Hawkes([0.4, 0.3], [[0.3, 0.2], [0.2, 0.3]], decay=DECAY)
# true values of the entry next to the bound; 0.01 is about 0.4 standard errors
NEAR = (0.0, 0.01, 0.02, 0.04, 0.06)
CORRELATIONS = (-0.9, -0.5, 0.0, 0.5, 0.9)
EFFECTS = (0.02, 0.04, 0.06, 0.08, 0.1, 0.15, 0.2)
EDGE = (0, 2)  # adjacency[0, 1], among baseline and adjacency row
NAMES = [
    name
    for i in range(2)
    for name in (f"baseline[{i}]", f"adjacency[{i}, 0]", f"adjacency[{i}, 1]")
]


def with_edge(value):
    """Return the two marks with another adjacency[0, 1]."""
    return hawkeys.Hawkes([0.4, 0.3], [[0.3, value], [0.2, 0.3]], decay=DECAY)


def sparse(n_marks):
    """Return a process in which half of the entries are 0, spectral radius 0.6."""
    rng = np.random.default_rng(7)
    adjacency = rng.uniform(0.1, 1.0, (n_marks, n_marks))
    absent = rng.permutation(n_marks**2)[: n_marks**2 // 2]
    adjacency.flat[absent] = 0.0
    adjacency *= 0.6 / np.abs(np.linalg.eigvals(adjacency)).max()
    return hawkeys.Hawkes(np.full(n_marks, 0.3), adjacency, decay=DECAY)


def fits(process, ends, n_datasets, stream):
    """Yield simulated events and the fit to them."""
    for seed in np.random.SeedSequence(stream).spawn(n_datasets):
        events = hawkeys.simulate(process, end_time=ends, rng=seed)
        yield events, hawkeys.fit(events, decay=DECAY)


def truth_of(process):
    """Return the true values as results hold them."""
    return np.column_stack((process.baseline, process.adjacency))


def covers(interval, truth):
    """Return whether each interval holds the truth; NaN where there is none."""
    lower, upper = interval
    inside = (lower <= truth) & (truth <= upper)
    return np.where(np.isnan(upper), np.nan, inside)


def rows(study, setting, figures, values):
    """Return one row per figure: the mean over data sets, and its standard error."""
    array = np.asarray(values, dtype=float).reshape(len(values), -1)
    known = (~np.isnan(array)).sum(axis=0)
    mean = np.nanmean(array, axis=0)
    spread = np.nanstd(array, axis=0) / np.sqrt(known)
    return pd.DataFrame({"study": study, "setting": setting, "figure": figures,
                         "n_datasets": known, "value": mean, "std_err": spread})  # fmt: skip


def regular(n_datasets, n_bootstraps, n_replicates):
    """Return the coverage of every parameter, all well above 0."""
    truth = truth_of(REGULAR)
    wald, profile, robust, percentile = [], [], [], []
    for k, (events, fit) in enumerate(fits(REGULAR, END, n_datasets, 1)):
        ends = inference.profile_interval(fit, events, level=LEVEL)
        wald.append(covers(fit.conf_int(LEVEL), truth))
        profile.append(covers((ends.lower, ends.upper), truth))
        if k < n_bootstraps:
            spread = inference.bootstrap(fit, events, n_replicates=n_replicates, rng=k)
            percentile.append(covers(spread.interval(LEVEL), truth))
    for events, fit in fits(REGULAR, np.full(100, END / 100), n_datasets, 2):
        sandwich = inference.sandwich_covariance(fit, events)
        robust.append(covers(sandwich.conf_int(LEVEL), truth))
    return [
        rows("coverage", "Wald", NAMES, wald),
        rows("coverage", "profile", NAMES, profile),
        rows("coverage", "sandwich, 100 windows", NAMES, robust),
        rows("coverage", "parametric bootstrap, percentile", NAMES, percentile),
    ]


def near_bound(value, n_datasets):
    """Return the coverage of an entry at or near 0, and the figures of a truth 0."""
    process = with_edge(value)
    truth = truth_of(process)
    found = []
    for events, fit in fits(process, END, n_datasets, (3, int(1e4 * value))):
        ends = inference.profile_interval(fit, events, level=LEVEL)
        profile = covers((ends.lower, ends.upper), truth)
        wald = covers(fit.conf_int(LEVEL), truth)
        by_set = ends.includes_zero[EDGE] if value == 0.0 else profile[EDGE]
        others = np.delete(profile[0], EDGE[1])
        found.append([fit.at_bound[EDGE], wald[EDGE], profile[EDGE], by_set, *others])
    figures = ["estimate is 0", "Wald, where there is one", "profile", "profile, exact at 0",
               "profile, baseline[0]", "profile, adjacency[0, 0]"]  # fmt: skip
    return rows("near the bound", f"adjacency[0, 1] = {value:g}", figures, found)


def null_pvalues(process, ends, n_datasets, stream):
    """Return the p-values of the entries that are 0, one row per data set."""
    absent = process.adjacency == 0.0
    out = [
        inference.edge_tests(fit, events, correction=None).pvalues[absent]
        for events, fit in fits(process, ends, n_datasets, stream)
    ]
    return np.array(out)


def uniformity(setting, pvalues):
    """Return what a p-value under the null must be: 1 in half of all cases, else uniform."""
    below = pvalues[pvalues < 1.0]
    rng = np.random.default_rng(0)
    # 1 stands for anything from 1/2 to 1; drawn there, the whole is uniform
    spread = np.where(pvalues < 1.0, pvalues, rng.uniform(0.5, 1.0, pvalues.shape))
    half = stats.binomtest(int((pvalues == 1.0).sum()), pvalues.size, 0.5).pvalue
    tests = {
        "KS p-value of p below 1/2 against U(0, 1/2)": stats.kstest(2.0 * below, "uniform").pvalue,
        "KS p-value of p, 1 drawn from U(1/2, 1)": stats.kstest(spread, "uniform").pvalue,
        "p-value of P(p = 1) = 1/2": half,
    }
    table = rows("null p-values", setting, ["share of p = 1"], pvalues == 1.0)
    return [table, single("null p-values", setting, tests, pvalues.size)]


def single(study, setting, figures, n_datasets):
    """Return one row per figure without a standard error."""
    return pd.DataFrame({"study": study, "setting": setting, "figure": list(figures),
                         "n_datasets": n_datasets, "value": list(figures.values()),
                         "std_err": np.nan})  # fmt: skip


def sizes(setting, pvalues):
    """Return how often a true null is rejected, all null entries of a data set taken together."""
    levels = (0.01, 0.05, 0.1)
    shares = [[np.mean(row <= level) for level in levels] for row in pvalues]
    return rows("size", setting, [f"rejected at {level:g}" for level in levels], shares)


def limit(correlation, n_draws):
    """Return how often a test at 5 % rejects in the limit if a second parameter is 0 as well.

    The likelihood is then that of two normal estimates with this correlation, both at least 0.
    """
    covariance = np.array([[1.0, correlation], [correlation, 1.0]])
    information = np.linalg.inv(covariance)
    rng = np.random.default_rng(9)
    free = rng.multivariate_normal(np.zeros(2), covariance, n_draws)
    pull = free @ information
    # twice the log-likelihood at its maximum with one parameter alone, and with both
    alone = np.maximum(pull, 0.0) ** 2 / np.diag(information)
    both = np.where((free > 0.0).all(axis=1), (free * pull).sum(axis=1), alone.max(axis=1))
    rejected = both - alone[:, 1] > stats.chi2.ppf(0.9, 1)
    setting = f"in the limit, one other parameter 0, correlation {correlation:g}"
    return rows("size", setting, ["rejected at 0.05"], rejected)


def power(value, n_datasets):
    """Return how often an entry is found at 5 %."""
    process = with_edge(value)
    found = [
        inference.edge_tests(fit, events).pvalues[0, 1] <= 0.05
        for events, fit in fits(process, END, n_datasets, (5, int(1e4 * value)))
    ]
    return rows("power", f"adjacency[0, 1] = {value:g}", ["rejected at 0.05"], found)


def discoveries(process, end, n_datasets):
    """Return the false-discovery rate and the power of each correction, at 5 %."""
    absent = process.adjacency == 0.0
    parts = []
    found = list(fits(process, end, n_datasets, 6))
    for correction in ("benjamini-hochberg", "benjamini-yekutieli", "holm"):
        shares = []
        for events, fit in found:
            rejected = inference.edge_tests(fit, events, correction=correction).rejected(0.05)
            false = (rejected & absent).sum()
            shares.append([false / max(rejected.sum(), 1), false > 0, rejected[~absent].mean()])
        figures = ["false-discovery rate", "any false discovery", "share of entries found"]
        setting = f"{process.n_marks} marks, half of all entries 0, {correction}"
        parts.append(rows("discoveries", setting, figures, shares))
    return parts


def study(quick):
    """Return the table of figures, and the null p-values."""
    count = 20 if quick else 4000
    few = 10 if quick else 500
    null = null_pvalues(with_edge(0.0), END, count, 4)
    small = null_pvalues(with_edge(0.0), END / 10, count, 8)
    _tell("null p-values")
    ten = sparse(10)
    many = null_pvalues(ten, 1000.0, few, 7)
    _tell("ten marks")
    parts = [
        *uniformity("one entry 0", null.ravel()),
        sizes("one entry 0", null),
        sizes("one entry 0, a tenth of the events", small),
        sizes("10 marks, half of all entries 0", many),
        *(limit(correlation, 100 * count) for correlation in CORRELATIONS),
        *discoveries(ten, 1000.0, few),
        *(power(value, count // 4) for value in EFFECTS),
    ]
    _tell("power")
    parts += [near_bound(value, count) for value in NEAR]
    _tell("near the bound")
    parts += regular(count, few // 2, 39 if quick else 399)
    _tell("regular")
    return pd.concat(parts, ignore_index=True), null.ravel()


def draw(table, null, path):
    """Draw coverage, the null p-values and the power."""
    mpl.use("agg")
    from matplotlib.figure import Figure

    figure = Figure(figsize=(13.0, 4.0), layout="constrained")
    left, middle, right = figure.subplots(1, 3)
    chosen = table[table["study"] == "coverage"]
    for k, (setting, part) in enumerate(chosen.groupby("setting", sort=False)):
        place = np.arange(len(part)) + 0.15 * (k - 1.5)
        left.errorbar(place, part["value"], 1.96 * part["std_err"], fmt="o", ms=4, label=setting)
    left.axhspan(0.93, 0.97, color="0.92", zorder=0)
    left.axhline(LEVEL, color="0.4", lw=0.8)
    left.set_xticks(range(len(NAMES)), NAMES, rotation=30, ha="right", fontsize="small")
    left.set_ylim(0.88, 1.0)
    left.set_title("coverage of 95 % intervals", fontsize="medium")
    left.legend(fontsize="x-small", ncols=2)
    middle.plot(np.sort(null), (np.arange(null.size) + 1) / null.size, color="#0072b2")
    middle.plot([0.0, 0.5, 1.0, 1.0], [0.0, 0.5, 0.5, 1.0], color="0.4", lw=0.8, ls="--")
    middle.set_title("p-values of an entry that is 0: distribution", fontsize="medium")
    middle.set_xlabel("p-value (dashed: 1 in half of all cases, else uniform)")
    found = table[table["study"] == "power"]
    right.errorbar(EFFECTS, found["value"], 1.96 * found["std_err"], fmt="o-", ms=4)
    right.axhline(0.05, color="0.4", lw=0.8)
    right.set_ylim(0.0, 1.02)
    right.set_xlabel("true adjacency[0, 1]")
    right.set_title("power at 5 %, about 2,000 events", fontsize="medium")
    figure.savefig(path, dpi=110)


def _tell(done):
    print(f"{time.process_time():7.0f} s  {done}", flush=True)


def main(arguments=None):
    """Run the study, write its table and its picture."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--quick", action="store_true", help="20 data sets of each kind")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    with one_thread():
        table, null = study(options.quick)
    print(table.to_string(index=False, float_format="{:.4g}".format))
    write_table(table, options.output / "coverage_study.csv", [])
    draw(table, null, options.output / "coverage_study.png")


if __name__ == "__main__":
    main()
