"""What an estimated kernel gains over no excitation where there is none: Poisson data.

Usage: python benchmarks/kernel_null.py [--output DIR] [--samples N]

The hurdle of `hawkeys.inference.kernel.limits.hurdle` follows this table. A row is a family, a
number of marks that share the kernel, of events a mark and of windows; `gain_95` is the 95 %
quantile of the gain in nats among all samples, those set to 0 whose kernel runs into another limit
(a burst, a trend, fewer than 5 lags); `hurdle` is the rule's, and `kept` the share of samples whose
kernel passes it and so counts as identified. Of exponential kernels the decay is estimated, and the
hurdle is that of `hawkeys.inference.decay.problem.DecayProblem.hurdle`.
"""

import argparse
import warnings
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd
from machine import one_thread, write_table

import hawkeys
from hawkeys.exceptions import IdentifiabilityWarning
from hawkeys.inference.decay.choice import choose_decay
from hawkeys.inference.decay.options import DecaySearch
from hawkeys.inference.decay.problem import DecayProblem
from hawkeys.inference.kernel import limits
from hawkeys.inference.kernel.em import maximise
from hawkeys.inference.kernel.problem import EMProblem
from hawkeys.inference.kernel.setup import set_up
from hawkeys.inference.methods import choose_method
from hawkeys.inference.options import EMOptions
from hawkeys.inference.task import Task
from hawkeys.kernels import Gamma, Histogram, LogNormal

RESULTS = Path(__file__).parent / "results"


def bins(n, end=8.0):
    """Return a maker of histograms of n bins."""
    return lambda: Histogram(np.linspace(0.0, end, n + 1))


FAMILIES = {
    "log-normal": LogNormal,
    "gamma": Gamma,
    "2 bins": bins(2),
    "4 bins": bins(4),
    "8 bins": bins(8),
    "8 bins, narrow": bins(8, 2.0),
    "16 bins": bins(16),
}
# family, marks, events a mark, windows, samples
CELLS = [
    *((name, 1, 100, 1, 500) for name in FAMILIES),
    *((name, 1, 30, 1, 300) for name in ("log-normal", "gamma", "2 bins", "8 bins")),
    *((name, 1, 400, 1, 300) for name in ("log-normal", "2 bins", "8 bins", "16 bins")),
    *((name, 1, 100, 20, 200) for name in ("log-normal", "gamma")),
    ("8 bins", 1, 100, 20, 300),
    *((name, 2, 100, 1, 200) for name in ("log-normal", "gamma")),
    *((name, 2, 100, 1, 300) for name in ("2 bins", "8 bins")),
    *((name, 3, 60, 1, 100) for name in ("log-normal", "gamma")),
    ("8 bins", 3, 60, 1, 200),
    *(("exponential", n_marks, 100, 1, 300) for n_marks in (1, 2, 3)),
    ("exponential", 2, 30, 1, 300),
    ("exponential", 2, 100, 20, 300),
]


def poisson(rng, n_marks, n_events, n_windows):
    """Return events at a rate of 1 for every mark, `n_events` of each expected in all."""
    end = n_events / n_windows
    lists = [
        [np.sort(rng.uniform(0.0, end, rng.poisson(end))) for _ in range(n_marks)]
        for _ in range(n_windows)
    ]
    return hawkeys.Events.from_lists(lists, end_times=end)


def gain(events, kernel):
    """Return what the best kernel gains (0 if it runs into another limit), and the hurdle."""
    options = EMOptions()
    problem = EMProblem(
        **set_up(events, kernel, options, None, support=None, weights=None), baseline_floor=0.0
    )
    least = float(limits.hurdle(problem)[0])
    with mock.patch.object(limits, "hurdle", lambda problem: np.full(problem.n_groups, -np.inf)):
        found = maximise(problem, options)
    counts, time = events.counts.sum(axis=0), float(events.durations.sum())
    none = sum(n * np.log(n / time) - n for n in counts.tolist() if n)
    value = found.path.state.objective - none
    return (value if found.codes[0] == limits.NONE else 0.0), least


def gain_of_decay(events):
    """Return the same of one exponential kernel for all pairs, its decay estimated."""
    task, how = Task.check(events, None, None, {}), choose_method("mle", {})
    problem = DecayProblem(task, *how, 0)
    least, none = problem.hurdle, problem.without_excitation()
    nothing = mock.PropertyMock(return_value=-np.inf)
    with (
        warnings.catch_warnings(record=True) as told,
        mock.patch.object(DecayProblem, "hurdle", nothing),
    ):
        warnings.simplefilter("always", IdentifiabilityWarning)
        profile = choose_decay(problem, DecaySearch())
    clear = profile.limit is None and not told
    return (float(profile.objective.max()) - none if clear else 0.0), least


def study(cell, n_samples=None):
    """Return one row of the table."""
    name, n_marks, n_events, n_windows, samples = cell
    found = []
    for seed in range(n_samples or samples):
        rng = np.random.default_rng([seed, n_marks, n_events, n_windows])
        events = poisson(rng, n_marks, n_events, n_windows)
        found.append(gain(events, FAMILIES[name]()) if name in FAMILIES else gain_of_decay(events))
    gains, hurdles = np.array(found).T
    return {
        "family": name,
        "n_marks": n_marks,
        "events_per_mark": n_events,
        "windows": n_windows,
        "samples": len(gains),
        "gain_95": np.quantile(gains, 0.95),
        "hurdle": hurdles.max(),
        "kept": np.mean(gains >= hurdles),
        "kept_at_1.92": np.mean(gains >= 1.92),
    }


def main(arguments=None):
    """Write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--samples", type=int, help="of each row; default: 150 to 500")
    given = parser.parse_args(arguments)
    rows = []
    with one_thread():
        for cell in CELLS:
            rows.append(study(cell, given.samples))
            print(rows[-1], flush=True)
    write_table(pd.DataFrame(rows), given.output / "kernel_null.csv", [])


if __name__ == "__main__":
    main()
