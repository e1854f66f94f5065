"""Earthquakes: what magnitudes and a slow decay are worth, and how long the fits take.

Usage: HAWKEYS_DATA=FOLDER python benchmarks/earthquakes.py [--output DIR] [--quick]

Data: the San Jacinto catalogue of EarthquakeNPP (magnitudes from 1.0 on; `data/README.md`). Events
of 2008 are the history, 2009 to 2015 the training window, 2016 and 2017 the test window; nothing is
chosen on the test window. A model's score is its log-likelihood of the test window, given all
before, over that of a Poisson process of the training rate, in nats per test event.

Models: exponential; exponential with magnitudes; three exponentials with magnitudes, whose decays
are estimated, then given as they were estimated; the law of Omori and Utsu without and with
magnitudes (the temporal ETAS model). Each is fitted twice, and the second time is written down (one
thread, of the processor, 95 % intervals included), so that nothing is compiled in it. Weights of
exponentials have no intervals, nor has what is at a bound.

Against ETAS as it is usually fitted, by Nelder-Mead with every pair of events, here in numpy: on
the first events of 2009, since a step costs their number squared, without a history. First the two
log-likelihoods at one point are compared, then, after the fits, at the estimates of hawkeys. Both
maximise over the same five parameters, p from 1.002 on, as hawkeys has it; Nelder-Mead is told
this bound. Writes ``earthquakes.csv`` and ``earthquakes_etas.csv``. With --quick magnitudes from
2.0 on and a race of a few events.
"""

from __future__ import annotations

import argparse
import os
import time
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from machine import one_thread, write_table
from scipy import optimize

import hawkeys
from hawkeys import Events, productivity
from hawkeys.exceptions import HawkeysWarning
from hawkeys.kernels import PowerLaw, SumExponential
from hawkeys.kernels.productive import spread_of, value_of

RESULTS = Path(__file__).parent / "results"
START, TRAIN, TEST, END = (f"{year}-01-01T00:00Z" for year in (2008, 2009, 2016, 2018))
LEAST = 1.0
# of the race against pairs: numbers of events, and the relative difference that is refused
PARTS, AGREEMENT, LEAST_P = (1_500, 3_000, 6_000), 1e-9, 1.002
QUICK_LEAST, QUICK_PARTS = 2.0, (300, 500)
NAMES = "baseline", "adjacency", "c", "p", "a"
MAGNITUDES = productivity.Exponential(v0=LEAST)
JOINT, GIVEN = (
    "three exponentials with estimated decays, magnitudes",
    "three exponentials, magnitudes",
)
MODELS: dict[str, dict[str, Any]] = {
    "exponential": {"decay": "estimate"},
    "exponential, magnitudes": {"decay": "estimate", "productivity": MAGNITUDES},
    JOINT: {"kernel": SumExponential(n_decays=3), "productivity": MAGNITUDES},
    GIVEN: {"productivity": MAGNITUDES},
    "Omori-Utsu": {"kernel": PowerLaw()},
    "Omori-Utsu, magnitudes (ETAS)": {"kernel": PowerLaw(), "productivity": MAGNITUDES},
}


def load(least: float = LEAST) -> Events:
    """Return the catalogue, days since its start, with magnitudes as values."""
    path = Path(os.environ["HAWKEYS_DATA"]) / "earthquakes" / "sanjac.csv.gz"
    table = pd.read_csv(path)[["time", "magnitude"]]
    table["time"] = pd.to_datetime(table["time"], utc=True)
    return Events.from_frame(
        table[table["magnitude"] >= least],
        time="time",
        values="magnitude",
        sort=True,
        unit="day",
        start_times=START,
        end_times=END,
    )


def timed(events: Events, **how: Any) -> tuple[Any, dict[str, float], float]:
    """Return a fit, its parameters and the seconds that a second run of both took."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HawkeysWarning)
        parameters(hawkeys.fit(events, **how))
        begun = time.process_time()
        found = hawkeys.fit(events, **how)
        values = parameters(found)
    return found, values, time.process_time() - begun


def parameters(found: Any) -> dict[str, float]:
    """Return estimates and 95 % intervals by name; at a bound the latter are NaN."""
    lower, upper = found.interval()
    out = {}
    for k, name in enumerate(NAMES[:2]):
        out |= named(name, found.estimates[0, k], lower[0, k], upper[0, k])
    for name, (least, most) in found.kernel_interval().items():
        values = np.ravel(value_of(found.kernel, name))
        for k, (value, *bounds) in enumerate(
            zip(values, *map(np.ravel, (least, most)), strict=True)
        ):
            out |= named(name if values.size == 1 else f"{name}_{k + 1}", value, *bounds)
    return out


def named(name: str, value: float, lower: float, upper: float) -> dict[str, float]:
    """Return the columns of one parameter, five digits."""
    numbers = {name: value, f"{name}_lower": lower, f"{name}_upper": upper}
    return {key: float(f"{number:.5g}") for key, number in numbers.items()}


def compare_models(events: Events) -> list[dict[str, Any]]:
    """Return one row per model."""
    past, test = events.split(TEST)
    history, train = past.split(TRAIN)
    rate = train.n_events / train.durations[0]
    poisson = test.n_events * np.log(rate) - rate * test.durations[0]
    rows: list[dict[str, Any]] = []
    decays: Any = None
    for name, model in MODELS.items():
        how = {"kernel": SumExponential(decays), **model} if name == GIVEN else model
        found, values, seconds = timed(train, history=history, **how)
        kernel = spread_of(found.kernel)
        decays = kernel.decays if name == JOINT else decays
        score = found.process.log_likelihood(test, history=past) - poisson
        rows.append({
            "model": name, "n_train": train.n_events, "n_test": test.n_events,
            "nats_per_test_event": round(score / test.n_events, 5),
            "log_likelihood": round(found.log_likelihood, 3), "seconds": round(seconds, 3),
            "spectral_radius": round(found.spectral_radius, 4), "converged": found.converged,
            "kernel": repr(kernel), **values,
        })  # fmt: skip
        print(rows[-1], flush=True)
    return rows


class PairwiseETAS:
    """The temporal ETAS likelihood over all pairs, as it is usually written."""

    def __init__(self, events: Events) -> None:
        self.times, self.end = events.times - events.start_times[0], float(events.durations[0])
        self.sizes = events.values - LEAST
        self.later, self.earlier = np.tril_indices(self.times.size, -1)
        self.lags = self.times[self.later] - self.times[self.earlier]

    def log_likelihood(self, theta: np.ndarray) -> float:
        """Evaluate at (baseline, adjacency, c, p, a)."""
        baseline, adjacency, c, p, a = theta
        strength = np.exp(a * self.sizes)
        density = (p - 1.0) * c ** (p - 1.0) * (self.lags + c) ** -p
        rates = baseline + adjacency * np.bincount(
            self.later, strength[self.earlier] * density, self.times.size
        )
        mass = strength @ (1.0 - (1.0 + (self.end - self.times) / c) ** (1.0 - p))
        return float(np.log(rates).sum() - baseline * self.end - adjacency * mass)

    def fit(self) -> tuple[Any, np.ndarray]:
        """Return what Nelder-Mead ends with (logarithms, but of p and a) and the estimates."""

        def theta(x: np.ndarray) -> np.ndarray:
            return np.array([*np.exp(x[:3]), *x[3:]])

        start = [np.log(0.5 * self.times.size / self.end), np.log(0.2), np.log(0.01), 1.2, 1.0]
        bounds = [(None, None)] * 3 + [(LEAST_P, None), (None, None)]
        found = optimize.minimize(
            lambda x: -self.log_likelihood(theta(x)), start, method="Nelder-Mead", bounds=bounds,
            options={"maxiter": 2_000, "fatol": 1e-4, "xatol": 1e-4},
        )  # fmt: skip
        return found, theta(found.x)


def compare_etas(events: Events, n_events: int) -> dict[str, Any]:
    """Return the row of hawkeys against Nelder-Mead over pairs, on the first events of training."""
    train = events.split(TRAIN)[1]
    part = train.between(end=train.clock.dates(train.times[[n_events]])[0].astype(str) + "Z")
    pairs = PairwiseETAS(part)
    difference = apart(part, pairs, np.array([1.0, 0.2, 0.01, 1.2, 1.5]))
    found, values, seconds = timed(part, kernel=PowerLaw(), productivity=MAGNITUDES)
    own = np.array([*found.estimates[0], *(value_of(found.kernel, name) for name in "cpa")])
    difference = max(difference, apart(part, pairs, own))
    begun = time.process_time()
    ended, theirs = pairs.fit()
    taken = time.process_time() - begun
    row = {
        "n_events": part.n_events, "likelihoods_differ_by": difference,
        "hawkeys_log_likelihood": pairs.log_likelihood(own),
        "nelder_mead_log_likelihood": -ended.fun,
        "hawkeys_higher_by": pairs.log_likelihood(own) + ended.fun,
        "hawkeys_seconds": round(seconds, 3), "nelder_mead_seconds": round(taken, 2),
        "times_faster": round(taken / seconds, 1), "hawkeys_converged": found.converged,
        "nelder_mead_converged": ended.success, "nelder_mead_evaluations": ended.nfev,
        **{f"hawkeys_{k}": v for k, v in values.items()},
        **{f"nelder_mead_{k}": float(f"{v:.5g}") for k, v in zip(NAMES, theirs, strict=True)},
    }  # fmt: skip
    print(row, flush=True)
    return row


def apart(events: Events, pairs: PairwiseETAS, theta: np.ndarray) -> float:
    """Return the relative difference of the two log-likelihoods; too large a one is an error."""
    process = hawkeys.Hawkes(
        theta[:1], [[theta[1]]], kernel=PowerLaw(*theta[2:4]),
        productivity=MAGNITUDES.replaced(a=theta[4]),
    )  # fmt: skip
    value = pairs.log_likelihood(theta)
    difference = abs(process.log_likelihood(events) - value) / abs(value)
    if difference > AGREEMENT:
        raise SystemExit(f"the two likelihoods at {theta} differ by {difference}, relatively")
    return float(difference)


def main(arguments: list[str] | None = None) -> None:
    """Write both tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=RESULTS)
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args(arguments)
    events = load(QUICK_LEAST if options.quick else LEAST)
    parts = QUICK_PARTS if options.quick else PARTS
    with one_thread():
        models = compare_models(events)
        against = [compare_etas(events, n_events) for n_events in parts]
    write_table(pd.DataFrame(models), options.output / "earthquakes.csv", ("pandas",))
    write_table(pd.DataFrame(against), options.output / "earthquakes_etas.csv", ("pandas",))


if __name__ == "__main__":
    main()
