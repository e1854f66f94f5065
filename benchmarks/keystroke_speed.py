"""Separate fits of many short realisations: typing samples of 22 events, 11 marks.

Called by speed_against_tick.py. The CMU data if HAWKEYS_DATA holds them, else simulated typists.
"""

import numpy as np
import pandas as pd
from machine import best_of
from scipy.optimize import minimize

import hawkeys
from hawkeys.datasets import available_datasets, load_dataset, timings_to_events

__all__ = ["keystroke_case"]

DECAY = 0.1
N_MARKS = 11


def keystroke_case(*, quick=False):
    """Return one row per method: time per sample, and the gap to L-BFGS-B for maximum likelihood.

    No download is tried.
    """
    here = any(info.name == "cmu" and info.found for info in available_datasets())
    data, origin = load_dataset("cmu" if here else "demo")
    events = timings_to_events(data.timings().to_numpy())
    sizes = {"mle": 100, "map": 200} if quick else {"mle": 5_000, "map": len(events)}
    n_checked = 12 if quick else 200
    gaps = gaps_to_lbfgs(events, n_checked)
    rows = []
    for method, n_samples in sizes.items():
        part = spread(events, n_samples)
        seconds = best_of(lambda m=method, e=part: hawkeys.fit_each(e, decay=DECAY, method=m), 4)
        rows.append(
            {
                "data": origin.name,
                "method": method,
                "n_samples": len(part),
                "ms_per_sample": 1e3 * seconds / len(part),
                "total_seconds": seconds,
                "n_checked": n_checked if method == "mle" else 0,
                "largest_gap_to_lbfgs": gaps.max() if method == "mle" else np.nan,
                "largest_own_certificate": largest_certificate(part, method),
            }
        )
    return pd.DataFrame(rows)


def largest_certificate(events, method):
    """Return the largest gap that `fit_each` itself reports."""
    return hawkeys.fit_each(events, decay=DECAY, method=method).optimality_gap.max()


def spread(events, n):
    """Return n realisations, evenly spaced over all."""
    return events[np.linspace(0, len(events) - 1, n).astype(int)]


def gaps_to_lbfgs(events, n):
    """Return how far `fit_each` falls short of L-BFGS-B, in nats, on n samples.

    Of these a quarter is degenerate: ties, all events at one time, an empty mark, a late burst.
    """
    plain = spread(events, n - n // 4)
    gaps = []
    for times, marks in [*samples(plain), *degenerate(plain, n // 4)]:
        sample = hawkeys.Events.from_arrays(
            times, marks, end_times=float(times[-1]), n_marks=N_MARKS
        )
        each = hawkeys.fit_each(sample, decay=DECAY)
        gaps.append(shortfall(times, marks, np.hstack((each.baseline.T, each.adjacency[0]))))
    return np.array(gaps)


def samples(events):
    """Return times and marks of each realisation."""
    bounds = events.offsets[1:-1]
    return list(zip(np.split(events.times, bounds), np.split(events.marks, bounds), strict=True))


def degenerate(events, n):
    """Return n altered samples."""
    made = []
    for k, (times, marks) in enumerate(samples(events)[:n]):
        kind = k % 4
        if kind == 0:  # many ties
            made.append((np.round(times, 1), marks))
        elif kind == 1:  # all at one time
            made.append((np.full_like(times, times[-1]), marks))
        elif kind == 2:  # two marks without events
            made.append((times, np.where((marks == 3) | (marks == 7), 4, marks)))
        else:  # everything in the last microseconds of a long window
            made.append((1e4 + 1e-6 * times, marks))
    return made


def shortfall(times, marks, x):
    """Return how much more log-likelihood L-BFGS-B finds than the rows of x have, in nats.

    Excitations and costs are computed here, from the definition.
    """
    lag = times[:, None] - times[None, :]
    density = np.where(lag > 0, DECAY * np.exp(-DECAY * np.maximum(lag, 0.0)), 0.0)
    sources = (marks[:, None] == np.arange(N_MARKS)).astype(float)
    matrix = np.column_stack((np.ones(times.size), density @ sources))
    cost = np.concatenate((times[-1:], -np.expm1(-DECAY * (times[-1] - times)) @ sources))
    return sum(
        best_row(matrix[marks == i], cost) - row_value(matrix[marks == i], cost, x[i])
        for i in range(N_MARKS)
    )


def row_value(matrix, cost, x):
    """Return the log-likelihood of one target mark."""
    return np.log(matrix @ x).sum() - cost @ x


def best_row(matrix, cost):
    """Return the largest log-likelihood that L-BFGS-B finds from two starts.

    In z = cost * x, without sources that cost nothing: those excite no event either.
    """
    if not len(matrix):
        return 0.0
    scaled = matrix[:, cost > 0] / cost[cost > 0]

    def loss(z):
        rate = scaled @ z
        return z.sum() - np.log(rate).sum(), 1.0 - (1.0 / rate) @ scaled

    size = scaled.shape[1]
    found = [
        minimize(
            loss,
            np.full(size, start),
            jac=True,
            method="L-BFGS-B",
            bounds=[(1e-12, None)] + [(0.0, None)] * (size - 1),
            options={"ftol": 1e-15, "gtol": 1e-10, "maxiter": 5_000, "maxfun": 20_000},
        ).fun
        for start in (len(matrix) / size, 1.0)
    ]
    return -min(found)
