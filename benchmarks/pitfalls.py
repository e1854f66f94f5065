"""By how much is a fit off when the data are not what the model says?

Usage: python benchmarks/pitfalls.py [--data-sets 200] [--output DIR]

Each pitfall is laid into simulated data (one mark, baseline .5, adjacency .6, decay 1, window
1,000, some 1,250 events, if nothing else is said) and fitted with the decay estimated, as a reader
would do it, and with what the library offers against it. Writes pitfalls.csv: mean and standard
deviation over the data sets of the branching ratio (the adjacency), the decay and the baseline, and
for tests the share of rejections at 5 %. Data sets whose decay has no estimate (the library says
so) are counted and left out of the figures of the decay. The page docs/pitfalls.md shows the table.
"""

import argparse
from functools import partial
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import Parallel, delayed
from machine import one_thread, unwarned, write_table
from scipy.stats import chi2, kstest

import hawkeys
from hawkeys import baselines, kernels

BASELINE, RATIO, DECAY, WINDOW = 0.5, 0.6, 1.0, 1_000.0
TRUTH = {"branching ratio": RATIO, "decay": DECAY, "baseline": BASELINE}
PROCESS = hawkeys.Hawkes([BASELINE], [[RATIO]], decay=DECAY)
STEP = 3.0
# density (p - 1) c^(p-1) / (u + c)^p of the lags of the power law
POWER = {"p": 1.5, "c": 0.2}
POWER_DECAYS = {1: [0.5], 2: [0.1, 1.0], 3: [0.02, 0.2, 2.0]}
NULL = hawkeys.Hawkes([0.4, 0.4], [[0.4, 0.0], [0.3, 0.4]], decay=1.0)


def sample(rng, process=PROCESS, window=None):
    """Return the sorted times of the one mark."""
    return hawkeys.simulate(process, end_time=WINDOW if window is None else window, rng=rng).times


def estimated(times, **options):
    """Return branching ratio, decay and mean baseline of a fit with the decay estimated."""
    options.setdefault("decay", "estimate")
    result = hawkeys.fit([times], end_time=WINDOW, **options)
    return figures(result)


def figures(result):
    """Return the figures of one result; the decay is missing where the data do not determine it."""
    profile = result.decay_profile
    known = profile is None or profile.limit is None
    baseline = result.process.baseline
    mean = np.mean(baseline.rates if hasattr(baseline, "rates") else baseline)
    found = {"branching ratio": result.process.adjacency[0, 0], "baseline": mean}
    if isinstance(result.process.kernel, kernels.Exponential):
        found["decay"] = float(np.mean(result.process.kernel.decay)) if known else np.nan
    return found


def as_it_is(rng):
    """Nothing is wrong: what the estimates do by themselves."""
    return estimated(sample(rng))


def rounded(rng, tick, jitter):
    """Times to the lower multiple of a tick, kept or spread evenly over it."""
    times = np.floor(sample(rng) / tick) * tick
    if jitter:
        times = np.sort(times + rng.uniform(0, tick, times.size))
    return estimated(times)


def thinned(rng, share):
    """Events missing at random."""
    times = sample(rng)
    return estimated(times[rng.uniform(size=times.size) >= share])


def from_first_to_last(rng, window, guessed):
    """The window guessed from the events, or as it was; many short records."""
    records = [sample(rng, window=window) for _ in range(int(WINDOW / window))]
    records = [one for one in records if one.size > 1]
    ends = [one[-1] if guessed else window for one in records]
    starts = [one[0] if guessed else 0.0 for one in records]
    events = hawkeys.Events.from_lists(
        [[one] for one in records], start_times=starts, end_times=ends
    )
    return figures(hawkeys.fit(events, decay="estimate"))


def stepping(rng, treated):
    """The baseline triples half-way; a constant one is fitted, or one with the step."""
    knots = [0.0, WINDOW / 2, WINDOW]
    truth = baselines.PiecewiseConstant(knots, [[BASELINE / 2, STEP * BASELINE / 2]])
    times = sample(rng, hawkeys.Hawkes(truth, [[RATIO]], decay=DECAY))
    return estimated(times, baseline=baselines.PiecewiseConstant(knots) if treated else None)


def mid_stream(rng, window, joined):
    """A process that has run for long, in short windows, each taken to start from nothing."""
    burn = 50.0
    times = sample(rng, window=WINDOW + burn) - burn
    if joined:
        return estimated(times[times >= 0])
    edges = np.arange(0.0, WINDOW + window, window)
    records = [[times[(times >= a) & (times < b)]] for a, b in pairwise(edges)]
    events = hawkeys.Events.from_lists(records, start_times=edges[:-1], end_times=edges[1:])
    return figures(hawkeys.fit(events, decay="estimate"))


def power_law(rng, n):
    """Lags by a power law, fitted by n exponentials (one: decay estimated; else weights)."""
    times, generation = [], rng.uniform(0, WINDOW, rng.poisson(BASELINE * WINDOW))
    while generation.size:
        times.append(generation)
        parents = np.repeat(generation, rng.poisson(RATIO, generation.size))
        lags = POWER["c"] * (rng.uniform(size=parents.size) ** (-1 / (POWER["p"] - 1)) - 1)
        generation = (parents + lags)[parents + lags < WINDOW]
    times = np.sort(np.concatenate(times))
    if n == 1:
        return estimated(times)
    return estimated(times, decay=None, kernel=kernels.SumExponential(POWER_DECAYS[n]))


def kolmogorov(rng, refit):
    """Reject at 5 % a model that is right, by the test with fitted parameters."""
    events = hawkeys.simulate(PROCESS, end_time=WINDOW / 4, rng=rng)
    result = hawkeys.fit(events, decay=DECAY)
    tested = hawkeys.goodness_of_fit(result, events, n_mc_samples=39 if refit else 1, rng=rng)
    if refit:
        return {"rejected": float(tested.pvalues.loc["pooled", "ks"] <= 0.05)}
    return {"rejected": float(kstest(tested.residuals_of(0), "expon").pvalue <= 0.05)}


def edge(rng, halved):
    """Likelihood ratio of an edge that is not there, the decay estimated with and without it."""
    events = hawkeys.simulate(NULL, end_time=WINDOW / 2, rng=rng)
    free = hawkeys.fit(events, decay="estimate")
    held = hawkeys.fit(events, decay="estimate", support=[[True, False], [True, True]])
    ratio = 2 * (free.log_likelihood - held.log_likelihood)
    return {"rejected": float(ratio >= chi2.isf(0.10 if halved else 0.05, 1))}


def cases():
    """Return (pitfall, treatment, function) of every row."""
    return [("none", "", as_it_is), *coarse_cases(), *window_cases(), *other_cases()]


def coarse_cases():
    """Return the rows on clocks and lost events."""
    treatments = {"ties kept": False, "spread evenly over the tick": True}
    return [
        *(
            (
                f"times rounded to {tick:g} of 1/decay",
                how,
                partial(rounded, tick=tick, jitter=flag),
            )
            for tick in (0.1, 0.5, 1.0)
            for how, flag in treatments.items()
        ),
        ("10 % of the events missing", "", partial(thinned, share=0.1)),
        ("30 % of the events missing", "", partial(thinned, share=0.3)),
    ]


def window_cases():
    """Return the rows on windows and baselines."""
    ends = "windows of 20, from the first to the last event"
    step = "the baseline triples half-way"
    met = "met mid-stream, windows of 10"
    return [
        (ends, "guessed", partial(from_first_to_last, window=20.0, guessed=True)),
        (ends, "end_time given", partial(from_first_to_last, window=20.0, guessed=False)),
        (step, "constant baseline", partial(stepping, treated=False)),
        (step, "PiecewiseConstant", partial(stepping, treated=True)),
        (met, "each from nothing", partial(mid_stream, window=10.0, joined=False)),
        (met, "joined to one window", partial(mid_stream, window=10.0, joined=True)),
    ]


def other_cases():
    """Return the rows on kernels and tests."""
    law, test, absent = "lags by a power law", "KS test, right model", "test of an absent edge"
    return [
        (law, "1 exponential", partial(power_law, n=1)),
        (law, "2 exponentials", partial(power_law, n=2)),
        (law, "3 exponentials", partial(power_law, n=3)),
        (test, "uncorrected", partial(kolmogorov, refit=False)),
        (test, "goodness_of_fit", partial(kolmogorov, refit=True)),
        (absent, "chi-squared, 1 df", partial(edge, halved=False)),
        (absent, "half of it (edge_tests)", partial(edge, halved=True)),
    ]


def one(function, seed):
    """Return the figures of one data set."""
    with one_thread(), unwarned():
        return function(np.random.default_rng(seed))


def main(argv=None):
    """Fit all data sets and write the table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data-sets", type=int, default=200)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--jobs", type=int, default=1)
    args = parser.parse_args(argv)
    rows = []
    for number, (pitfall, treatment, function) in enumerate(cases()):
        seeds = [[number, k] for k in range(args.data_sets)]
        found = pd.DataFrame(Parallel(args.jobs)(delayed(one)(function, seed) for seed in seeds))
        for name in found:
            known = found[name].dropna()
            row = {"pitfall": pitfall, "treatment": treatment, "figure": name}
            row |= {"truth": TRUTH.get(name, 0.05), "mean": known.mean(), "sd": known.std()}
            rows.append(row | {"n": known.size, "no_estimate": found[name].isna().sum()})
        print(
            pd.DataFrame(rows[-found.shape[1] :]).to_string(header=False, index=False), flush=True
        )
    write_table(pd.DataFrame(rows), args.output / "pitfalls.csv", ())


if __name__ == "__main__":
    main()
