"""Sequences on which flows and networks are compared: hawkeys on their published portions.

Run with HAWKEYS_DATA set: ``python benchmarks/public_sets.py``. Writes ``results/public_sets.csv``:
every candidate is fitted to the training sequences, the one with the lowest validation figure is
chosen, and it alone (and the exponential process with 24 pieces, which is not chosen) is judged on
the test sequences. Figures are negative log-likelihoods per sequence over the mean length of a
training sequence, in nats; seconds are processor time of one fit on one thread.

"At the ticks" is no candidate: with steps as narrow as one pleases at the ticks of a clock the
likelihood of what it has rounded has no limit.
"""

import argparse
import time
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from machine import one_thread, unwarned, write_table

import hawkeys
from hawkeys.baselines import PiecewiseConstant, Spline
from hawkeys.datasets import load_event_sequences
from hawkeys.kernels import SumExponential
from hawkeys.process import LagFilters

RESULTS = Path(__file__).parent / "results"
SETS = ("taxi", "twitter", "yelp_airport", "pubg", "hawkes1", "hawkes2", "self_correcting")
REFERENCE = "exponential, 24 pieces"
# of the mean time between events
DECAYS = 1.0 / np.array([1.0, 0.1, 0.01])
SLOW_TO_FAST = 1.0 / np.array([100.0, 1.0, 0.1])
STEPS = np.concatenate([[0.0], 0.05 * 2.0 ** np.arange(9)])
TICKS, N_TICKS, WIDTHS = {"pubg": 1.0 / 60.0}, 8, (0.02, 0.002)


def main(arguments=None):
    """Fit, choose and judge on every set asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", nargs="+", default=SETS, choices=SETS)
    parser.add_argument("--quick", action="store_true", help="40 training sequences, few models")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    tables = []
    with one_thread(), unwarned():
        for name in options.sets:
            tables.append(compare(name, options.quick))
            print(tables[-1].to_string(index=False, float_format="%.3f"), flush=True)
    table = pd.concat(tables)
    write_table(table, options.output / "public_sets.csv", ("scipy",))


def compare(name, quick=False):
    """Return the figures of a set."""
    data = load_event_sequences(name)
    training = data.training[:40] if quick else data.training
    rows = [judge(data, training, model, fit) for model, fit in candidates(data, quick).items()]
    table = pd.DataFrame(rows).assign(set=name, chosen=False)
    table.loc[table["validation"].idxmin(), "chosen"] = True
    if name in TICKS and not quick:
        steps = {f"at the ticks, {w:g} wide": at_ticks(data, TICKS[name], w) for w in WIDTHS}
        ticks = [judge(data, training, model, fit) for model, fit in steps.items()]
        table = pd.concat([table, pd.DataFrame(ticks).assign(set=name, chosen=False)])
    shown = table["chosen"] | (table["model"] == REFERENCE)
    table["test"] = [
        data.loss(process.log_likelihood(data.test), data.test) if wanted else np.nan
        for process, wanted in zip(table.pop("process"), shown, strict=True)
    ]
    return table[["set", "model", "seconds", "converged", "validation", "chosen", "test"]]


def judge(data, training, model, fit):
    """Return a row of the table, the test figure left out."""
    began = time.process_time()
    result = fit(training)
    seconds = time.process_time() - began
    validation = data.loss(result.process.log_likelihood(data.validation), data.validation)
    return {
        "model": model,
        "seconds": seconds,
        "converged": result.converged,
        "validation": validation,
        "process": result.process,
    }


def candidates(data, quick=False):
    """Return what is fitted to the training sequences, by name."""
    between = data.training.end_times[0] / data.mean_length
    kernel = SumExponential(DECAYS / between)
    out = {"Poisson, 24 pieces": with_pieces(data, 24, decay=1.0, support=[[False]])}
    for n in (24,) if quick else (1, 24, 96):
        out[f"exponential, {counted(n)}"] = with_pieces(data, n, decay="estimate")
        out[f"three exponentials, {counted(n)}"] = with_pieces(data, n, kernel=kernel)
    smooth = Spline(np.linspace(0.0, data.training.end_times[0], 25 if quick else 49))
    how = {"exponential": {"decay": "estimate"}, "three exponentials": {"kernel": kernel}}
    for name, one in how.items():
        out[f"{name}, spline"] = partial(hawkeys.fit, baseline=smooth, **one)
    filters = {
        "steps": LagFilters(edges=STEPS * between),
        "decays": LagFilters(decays=SLOW_TO_FAST / between),
    }
    for link in ("softplus", "exponential"):
        for n in (24,) if quick else (1, 24):
            for shape, one in filters.items():
                signed = signed_with_pieces(data, n, filters=one, link=link)
                out[f"{link} link, {shape}, {counted(n)}"] = signed
    return out


def counted(n):
    """Return a number of pieces in words."""
    return "1 piece" if n == 1 else f"{n} pieces"


def with_pieces(data, n, **options):
    """Return a fit by maximum likelihood with a baseline in n equal pieces."""
    return lambda training: hawkeys.fit(training, baseline=pieces(data, n), **options)


def signed_with_pieces(data, n, **options):
    """Return a fit of a process with a link, with a baseline in n equal pieces."""
    baseline = {} if n == 1 else {"baseline": pieces(data, n)}
    return lambda training: hawkeys.fit_nonlinear(training, penalty=0.0, **baseline, **options)


def at_ticks(data, tick, width):
    """Return a fit with a step at each of the first lags that a clock can show, width in ticks."""
    lags = tick * np.arange(1, N_TICKS + 1)[:, None]
    edges = np.concatenate([[0.0], (lags + tick * np.array([-0.5, 0.5]) * width).ravel()])
    return signed_with_pieces(data, 24, filters=LagFilters(edges=edges), link="exponential")


def pieces(data, n):
    """Return a baseline in n equal pieces of the window."""
    return PiecewiseConstant(np.linspace(0.0, data.training.end_times[0], n + 1))


if __name__ == "__main__":
    main()
