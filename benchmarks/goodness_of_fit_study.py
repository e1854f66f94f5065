"""Size and power of the goodness-of-fit tests at 5 %, with estimated parameters.

Usage: python benchmarks/goodness_of_fit_study.py [--output DIR] [--quick]

Size: data of the model that is fitted, about 300 events. Power: log-normal delays, an exponential
kernel fitted (the best of seven decays). Every p-value is from 39 simulated and re-fitted samples,
with which the test is one of exactly 5 %. One thread. Writes goodness_of_fit_study.csv.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from machine import one_thread, write_table

import hawkeys
from hawkeys.diagnostics.time_rescaling import rescale
from hawkeys.kernels import Kernel

LEVEL = 0.05
DECAYS = (0.1, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)
ONE = hawkeys.Hawkes([0.5], [[0.5]], decay=2.0)
TWO = hawkeys.Hawkes([0.4, 0.2], [[0.3, 0.1], [0.2, 0.4]], decay=2.0)
# name: process, windows, data sets
SIZES = {
    "one mark, one window": (ONE, np.array([300.0]), 1200),
    "two marks, one window": (TWO, np.array([250.0]), 1200),
    "two marks, 100 windows": (TWO, np.full(100, 3.6), 1200),
}
SHORT = (hawkeys.Hawkes([0.05] * 22, np.eye(22, k=-1), decay=2.0), np.full(200, 1.0))


class LogNormalDelay(Kernel):
    """Log-normal lags, for simulation only."""

    def __init__(self, median, sigma):
        self.location, self.sigma = np.log(median), sigma

    def check_marks(self, n_marks):
        """Accept any number of marks."""

    def sample_lags(self, rng, targets, sources):
        """Draw a lag for each pair."""
        return rng.lognormal(self.location, self.sigma, sources.size)

    def excitation(self, *arguments):
        """Refuse: not needed to simulate."""
        raise NotImplementedError

    integrals = excitation_at = density = to_dict = excitation


DELAYED = hawkeys.Hawkes([0.2], [[0.6]], kernel=LogNormalDelay(1.0, 0.5))


def shares(study, setting, pvalues, n_mc_samples):
    """Return a row per test: the share of p-values up to 5 %, and its standard error."""
    array = np.array(pvalues)
    share = np.nanmean(array <= LEVEL, axis=0)
    return pd.DataFrame(
        {
            "study": study,
            "setting": setting,
            "test": pvalues[0].index,
            "n_datasets": len(array),
            "n_mc_samples": n_mc_samples,
            "rejected": share,
            "std_err": np.sqrt(share * (1.0 - share) / len(array)),
        }
    )


def size(setting, n_datasets, n_mc_samples):
    """Return how often a right model is rejected, re-fitting and (wrongly) taken as known."""
    process, ends, _ = SIZES[setting]
    refitted, known = [], []
    for k in range(n_datasets):
        data, draws = np.random.SeedSequence([k, len(ends), process.n_marks]).spawn(2)
        events = hawkeys.simulate(process, end_time=ends, rng=data)
        result = hawkeys.fit(events, kernel=process.kernel)
        again = hawkeys.goodness_of_fit(result, events, n_mc_samples=n_mc_samples, rng=draws)
        once = hawkeys.goodness_of_fit(result, events, refit=False, n_mc_samples=0)
        refitted.append(again.pvalues.loc["pooled"])
        known.append(once.asymptotic_pvalues.loc["pooled"])
    return [
        shares("size", setting, refitted, n_mc_samples),
        shares("size if fitted parameters pass as known", setting, known, 0),
    ]


def power(n_events, n_datasets, n_mc_samples):
    """Return how often the best exponential fit to log-normal delays is rejected."""
    end = n_events / float(DELAYED.stationary_rate[0])
    pvalues = []
    for k in range(n_datasets):
        data, draws = np.random.SeedSequence([k, n_events]).spawn(2)
        events = hawkeys.simulate(DELAYED, end_time=end, rng=data)
        fits = [hawkeys.fit(events, decay=decay) for decay in DECAYS]
        best = max(fits, key=lambda fit: fit.log_likelihood)
        gof = hawkeys.goodness_of_fit(best, events, n_mc_samples=n_mc_samples, rng=draws)
        pvalues.append(gof.pvalues.loc["pooled"])
    return [shares("power, log-normal delays", f"{n_events} events", pvalues, n_mc_samples)]


def drop_cut_intervals(process, events):
    """Return the residuals if each window starts afresh and its cut interval is dropped."""
    parts = [rescale(process, events[r]).residuals for r in range(len(events))]
    return np.concatenate(parts)


def windows(n_datasets):
    """Return the size at 22 marks in 200 windows, parameters known, cut intervals joined or not."""
    process, ends = SHORT
    joined, dropped = [], []
    for k in range(n_datasets):
        events = hawkeys.simulate(process, end_time=ends, rng=k)
        gof = hawkeys.goodness_of_fit(process, events, refit=False, n_mc_samples=0)
        joined.append(gof.asymptotic_pvalues.loc["pooled", ["ks"]])
        residuals = drop_cut_intervals(process, events)
        u = np.sort(-np.expm1(-residuals))
        distance = np.max(np.arange(1, u.size + 1) / u.size - u)
        dropped.append(pd.Series({"ks": np.exp(-2.0 * u.size * distance**2)}))
    setting = "22 marks, 200 windows, known"
    return [
        shares("size, cut intervals joined", setting, joined, 0),
        shares("size, cut intervals dropped", setting, dropped, 0),
    ]


def study(quick):
    """Return the table of shares."""
    few, n_mc_samples = (10, 19) if quick else (None, 39)
    parts = []
    for setting, (_, _, n_datasets) in SIZES.items():
        parts += size(setting, few or n_datasets, n_mc_samples)
        _tell(setting)
    for n_events in (2000,) if quick else (250, 500, 1000, 2000):
        parts += power(n_events, few or 100, n_mc_samples)
        _tell(f"power at {n_events}")
    return pd.concat([*parts, *windows(few or 300)], ignore_index=True)


def _tell(done):
    print(f"{time.process_time():7.0f} s  {done}", flush=True)


def main(arguments=None):
    """Run the study and write its table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--quick", action="store_true", help="10 data sets, 19 samples each")
    options = parser.parse_args(arguments)
    options.output.mkdir(parents=True, exist_ok=True)
    with one_thread():
        table = study(options.quick)
    print(table.to_string(index=False, float_format="{:.3g}".format))
    write_table(table, options.output / "goodness_of_fit_study.csv", [])


if __name__ == "__main__":
    main()
