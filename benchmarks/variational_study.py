"""What variational inference gives on samples of 22 events: closed forms, bounds, seeds, time.

Usage: HAWKEYS_DATA=FOLDER python benchmarks/variational_study.py [--output DIR] [--quick]

Needs the CMU data (s002, s032, s036, s047, s052). One thread, processor time. Writes
variational_study.csv.
"""

import argparse
import time
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from machine import one_thread, unwarned, write_table

import hawkeys
from hawkeys._design import Design
from hawkeys.datasets import load_cmu, timings_to_events
from hawkeys.exceptions import IdentifiabilityWarning
from hawkeys.inference.rows.variational import evidence_bound
from hawkeys.kernels import Exponential

FIVE = ["s002", "s032", "s036", "s047", "s052"]
SETTINGS = {"decay": 0.1, "likelihood_weight": 10.0}
EDGE = 0.1


def pick_events(n_samples):
    """Return samples of the five subjects, drawn with a fixed seed."""
    data = load_cmu()
    rows = np.flatnonzero(np.isin(data.subject, FIVE))
    picked = np.random.default_rng(0).choice(rows, n_samples, replace=False)
    return timings_to_events(data.timings().to_numpy()[picked])


def timed(events, method, **more):
    """Return the fits and the seconds of processor time per sample."""
    started = time.process_time()
    with warnings.catch_warnings():
        # a kernel of 10 s in samples of 2 s: adjacencies beyond any process
        warnings.simplefilter("ignore", IdentifiabilityWarning)
        each = hawkeys.fit_each(events, method=method, **SETTINGS, **more)
    return each, (time.process_time() - started) / len(events)


def bounds(events, posterior, draws):
    """Return the evidence bound of each sample at C = 0.1, on given draws."""
    design = Design.build(events, Exponential(0.1), separate=True, weight=10.0)
    params = np.stack((posterior.location, np.log(posterior.scale)), axis=2).reshape(-1, 2, 12)
    fixed = np.full((len(params), 12), 0.1)
    rows = evidence_bound(design, np.ascontiguousarray(params), fixed, draws)
    return rows.reshape(len(events), 11).sum(axis=1)


def main_parents(events, posterior):
    """Return each row's main parent (0: baseline) and what it and all explain, in events."""
    cost = Design.build(events, Exponential(0.1), separate=True).cost.reshape(-1, 11, 12)
    share = posterior.mean * cost
    parent = share.argmax(axis=2)
    return cost, parent, of_parent(share, parent), share.sum(axis=2)


def of_parent(values, parent):
    """Return the entry of each row's main parent."""
    return np.take_along_axis(values, parent[..., None], 2)[..., 0]


def closed_forms(events, posterior):
    """Return the figures of rows with a single parent, whose posterior has a closed form."""
    cost, parent, own, total = main_parents(events, posterior)
    alone = total - own < 0.02
    ratio = own[alone] / 2.0
    precision = 1.0 / of_parent(posterior.scale, parent)[alone] ** 2
    within = np.mean((np.abs(ratio - 1.0) <= 0.02) & (np.abs(precision / 22.0 - 1.0) <= 0.05))
    return [
        ("single parent: share of rows", alone.mean(), ""),
        ("single parent: mean of E[theta] K / n", ratio.mean(), "1 (2 %)"),
        ("single parent: mean of 1 / s^2", precision.mean(), "22 (5 %)"),
        ("single parent: share of rows within 2 % and 5 %", within, ""),
        *time_left(events, posterior, (cost, parent, alone)),
    ]


def time_left(events, posterior, rows):
    """Return how much of the log features the time left until Enter explains."""
    cost, parent, alone = rows
    triggered = alone & (parent > 0)
    times, marks = (array.reshape(len(events), -1) for array in (events.times, events.marks))
    left = np.full((len(events), 12), np.nan)
    for j in range(11):
        remaining = events.end_times[:, None] - times
        left[:, j + 1] = np.where(marks == j, remaining, 0.0).sum(axis=1)
    target = np.broadcast_to(np.arange(11), parent.shape)
    feature = np.log(of_parent(posterior.mode, parent)[triggered])
    log_cost = np.log(of_parent(cost, parent)[triggered])
    spread = np.broadcast_to(left[:, None, :], cost.shape)
    log_left = np.log(of_parent(spread, parent)[triggered])
    entry = (target * 12 + parent)[triggered]
    return [
        ("features: R^2 of log feature on log K", r_squared(feature, log_cost), ""),
        ("features: R^2 on log time left", r_squared(feature, log_left), ""),
        (
            "features: R^2 on log time left, within each entry",
            r_squared(centre(feature, entry), centre(log_left, entry)),
            "",
        ),
    ]


def r_squared(a, b):
    """Return the squared correlation."""
    return np.corrcoef(a, b)[0, 1] ** 2


def centre(values, groups):
    """Subtract the mean of each group."""
    _, index = np.unique(groups, return_inverse=True)
    return values - (np.bincount(index, values) / np.bincount(index))[index]


def disagreement(events, one, two, label, expected=""):
    """Return how often two fits choose other parents, by three counts."""
    a, b = (fit.posterior.mode[:, :, 1:] > EDGE for fit in (one, two))
    lag = np.subtract.outer(np.arange(11), np.arange(11))
    band = (lag >= 0) & (lag <= 2)
    parents = [main_parents(events, fit.posterior)[1] for fit in (one, two)]
    differ = a ^ b
    return [
        (f"{label}: rows with another main parent", np.mean(parents[0] != parents[1]), ""),
        (f"{label}: entries j <= i that only one has", differ[:, lag >= 0].mean(), ""),
        (f"{label}: entries of the band that only one has", differ[:, band].mean(), expected),
        (f"{label}: edges of either that only one has", differ.sum() / (a | b).sum(), ""),
    ]


def agreement(one, two, label):
    """Return how well the features of two fits agree: all, and entries that both have."""
    a, b = (fit.posterior.mode for fit in (one, two))
    used = one.identified & two.identified
    both = used & (np.where(used, a, 0.0) > EDGE) & (np.where(used, b, 0.0) > EDGE)
    return [
        (f"{label}: correlation of all features", np.corrcoef(a[used], b[used])[0, 1], ""),
        (
            f"{label}: features that both have, median difference",
            np.median(np.abs(a[both] / b[both] - 1.0)),
            "",
        ),
    ]


def hold_prior(events):
    """Return bounds and times of both forms with the prior variances held at C = 0.1."""
    held = {"relevance_determination": False, "prior_coefficient": 0.1}
    fast, seconds_fast = timed(events, "vi", **held)
    slow, seconds_slow = timed(events, "vi_stochastic", rng=1, **held)
    draws = np.random.default_rng(5).standard_normal((10_000, 12))
    ahead = bounds(events, fast.posterior, draws) - bounds(events, slow.posterior, draws)
    return [
        ("stochastic: seconds per sample", seconds_slow, "<= 0.3"),
        ("deterministic: seconds per sample", seconds_fast, ""),
        ("stochastic / deterministic time", seconds_slow / seconds_fast, ">= 50"),
        ("C = 0.1: share with bound >= stochastic - 0.01", np.mean(ahead >= -0.01), ">= 0.95"),
        ("C = 0.1: mean advantage of the deterministic bound, nats", ahead.mean(), ""),
        ("C = 0.1: least advantage, nats", ahead.min(), ""),
    ]


def study(n_samples):
    """Return the figures as (name, value, expected)."""
    events = pick_events(n_samples)
    for method in ("vi", "vi_stochastic"):
        timed(events[:2], method, relevance_determination=True)  # compiles
    figures = hold_prior(events)
    one, seconds_one = timed(events, "vi_stochastic", rng=1)
    two, _ = timed(events, "vi_stochastic", rng=2)
    exact, seconds_exact = timed(events, "vi", relevance_determination=True)
    return [
        *figures,
        ("published: stochastic, seconds per sample", seconds_one, "<= 0.3"),
        ("published: deterministic, seconds per sample", seconds_exact, ""),
        *closed_forms(events, one.posterior),
        *disagreement(events, one, two, "two seeds", "about 0.11"),
        *disagreement(events, one, exact, "both forms"),
        *agreement(one, two, "two seeds"),
        *agreement(one, exact, "both forms"),
    ]


def main(arguments=None):
    """Run the study and write its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--samples", type=int, default=100)
    parser.add_argument("--quick", action="store_true", help="4 samples, to test the script")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    n_samples = 4 if options.quick else options.samples
    with one_thread(), unwarned():
        table = pd.DataFrame(study(n_samples), columns=["figure", "value", "expected"])
    print(table.to_string(index=False, float_format="{:.4g}".format))
    write_table(table.assign(n_samples=n_samples), options.output / "variational_study.csv", [])


if __name__ == "__main__":
    main()
