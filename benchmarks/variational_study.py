"""What variational inference gives on samples of 22 events: closed forms, bounds, seeds, time.

Usage: HAWKEYS_DATA=FOLDER python benchmarks/variational_study.py [--output DIR] [--samples N]

Needs the CMU data (s002, s032, s036, s047, s052). One thread. Writes variational_study.csv.
"""

import argparse
import platform
import time
from pathlib import Path

import numba
import numpy as np
import pandas as pd

import hawkeys
from hawkeys._design import Design
from hawkeys.datasets import load_cmu, timings_to_events
from hawkeys.inference.variational import evidence_bound
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
    """Return the fits and the seconds per sample."""
    started = time.perf_counter()
    each = hawkeys.fit_each(events, method=method, **SETTINGS, **more)
    return each, (time.perf_counter() - started) / len(events)


def bounds(events, posterior, draws):
    """Return the evidence bound of each sample at C = 0.1, on given draws."""
    design = Design.build(events, Exponential(0.1), separate=True, weight=10.0)
    params = np.stack((posterior.location, np.log(posterior.scale)), axis=2).reshape(-1, 2, 12)
    fixed = np.full((len(params), 12), 0.1)
    rows = evidence_bound(design, np.ascontiguousarray(params), fixed, draws)
    return rows.reshape(len(events), 11).sum(axis=1)


def single_parents(events, posterior):
    """Return mean * K / 2, 1 / s^2 and log(mode) against log(K) of rows with a single parent."""
    cost = Design.build(events, Exponential(0.1), separate=True).cost.reshape(-1, 11, 12)
    share = posterior.mean * cost
    parent = share.argmax(axis=2)[..., None]
    own = np.take_along_axis(share, parent, 2)[..., 0]
    alone = share.sum(axis=2) - own < 0.02
    chosen = [np.take_along_axis(a, parent, 2)[..., 0][alone] for a in (cost, posterior.mode)]
    precision = 1.0 / np.take_along_axis(posterior.scale, parent, 2)[..., 0][alone] ** 2
    correlation = np.corrcoef(np.log(chosen[0]), np.log(chosen[1]))[0, 1]
    return alone.mean(), own[alone].mean() / 2.0, precision.mean(), correlation**2


def edge_disagreement(one, two):
    """Return the share of edges that only one of two fits has."""
    a, b = (fit.posterior.mode[:, :, 1:] > EDGE for fit in (one, two))
    return (a ^ b).sum() / (a | b).sum()


def study(n_samples):
    """Return the figures as (name, value, expected)."""
    events = pick_events(n_samples)
    for method in ("vi", "vi_stochastic"):
        timed(events[:2], method, relevance_determination=False)  # compiles
    held = {"relevance_determination": False}
    fast, seconds_fast = timed(events, "vi", **held)
    slow, seconds_slow = timed(events, "vi_stochastic", rng=1, **held)
    draws = np.random.default_rng(5).standard_normal((10_000, 12))
    ahead = bounds(events, fast.posterior, draws) - bounds(events, slow.posterior, draws)
    one, _ = timed(events, "vi_stochastic", rng=1)
    two, _ = timed(events, "vi_stochastic", rng=2)
    exact, _ = timed(events, "vi")
    share, mean, precision, r_squared = single_parents(events, one.posterior)
    return [
        ("stochastic, seconds per sample", seconds_slow, "<= 0.3"),
        ("deterministic, seconds per sample", seconds_fast, ""),
        ("time ratio, stochastic / deterministic", seconds_slow / seconds_fast, ">= 50"),
        ("C = 0.1: share with bound >= stochastic - 0.01", np.mean(ahead >= -0.01), ">= 0.95"),
        ("C = 0.1: mean advantage of the deterministic bound, nats", ahead.mean(), ""),
        ("stochastic: share of rows with a single parent", share, ""),
        ("  their mean E[theta] K / n", mean, "1 (2 %)"),
        ("  their mean 1 / s^2", precision, "22 (5 %)"),
        ("  R^2 of log mode on log K", r_squared, ""),
        ("edges that one of two seeds has and the other lacks", edge_disagreement(one, two), ""),
        ("edges that one of stochastic, deterministic lacks", edge_disagreement(one, exact), ""),
        (
            "possible edges (66 a sample) that two seeds judge differently",
            entry_difference(one, two),
            "",
        ),
    ]


def entry_difference(one, two):
    """Return the share of possible edges, j <= i, that are an edge in one fit only."""
    a, b = (fit.posterior.mode[:, :, 1:] > EDGE for fit in (one, two))
    return (a ^ b).sum() / (66 * len(one))


def main(arguments=None):
    """Run the study and write its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--samples", type=int, default=100)
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    numba.set_num_threads(1)
    table = pd.DataFrame(study(options.samples), columns=["figure", "value", "expected"])
    print(table.to_string(index=False, float_format=lambda value: f"{value:.4g}"))
    table.assign(n_samples=options.samples, machine=platform.machine()).to_csv(
        options.output / "variational_study.csv", index=False
    )


if __name__ == "__main__":
    main()
