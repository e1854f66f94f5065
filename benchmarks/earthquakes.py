"""Earthquakes: what magnitudes and a slow decay are worth, and how long the fits take.

    HAWKEYS_DATA=FOLDER python benchmarks/earthquakes.py

Data: the San Jacinto catalogue of EarthquakeNPP (magnitudes from 1.0 on; `data/README.md`). Events
of 2008 are the history, 2009 to 2015 the training window, 2016 and 2017 the test window; nothing is
chosen on the test window. A model's score is its log-likelihood of the test window, given all
before, over that of a Poisson process of the training rate, in nats per test event.

Models: exponential; exponential with magnitudes; three exponentials with magnitudes, whose decays
make the training window most likely (a search beforehand, not timed); the law of Omori and Utsu
without and with magnitudes (the temporal ETAS model). Each is fitted twice, and the second time is
written down (one thread, of the processor), so that nothing is compiled in it.

Against ETAS as it is usually fitted, by Nelder-Mead with every pair of events, here in numpy: on
the first events of the training window, since a step costs their number squared. First the two
log-likelihoods at one point are compared, then the maxima, both over p from 1.002 on, as hawkeys
has it, then the times. Writes
``results/earthquakes.csv`` and ``results/earthquakes_etas.csv``.
"""

from __future__ import annotations

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
from hawkeys.kernels.productive import value_of

RESULTS = Path(__file__).parent / "results"
START, TRAIN, TEST, END = (f"{year}-01-01T00:00Z" for year in (2008, 2009, 2016, 2018))
LEAST = 1.0
# of the classical implementation
PART, AGREEMENT, LEAST_P = 3_000, 1e-5, 1.002
MAGNITUDES = productivity.Exponential(v0=LEAST)
MODELS: dict[str, dict[str, Any]] = {
    "exponential": {"decay": "estimate"},
    "exponential, magnitudes": {"decay": "estimate", "productivity": MAGNITUDES},
    "three exponentials, magnitudes": {"kernel": "three", "productivity": MAGNITUDES},
    "Omori-Utsu": {"kernel": PowerLaw()},
    "Omori-Utsu, magnitudes (ETAS)": {"kernel": PowerLaw(), "productivity": MAGNITUDES},
}


def load() -> Events:
    """Return the catalogue, days since its start, with magnitudes as values."""
    path = Path(os.environ["HAWKEYS_DATA"]) / "earthquakes" / "sanjac.csv.gz"
    table = pd.read_csv(path)[["time", "magnitude"]]
    table["time"] = pd.to_datetime(table["time"], utc=True)
    return Events.from_frame(
        table[table["magnitude"] >= LEAST],
        time="time",
        values="magnitude",
        sort=True,
        unit="day",
        start_times=START,
        end_times=END,
    )


def timed(events: Events, **how: Any) -> tuple[Any, float]:
    """Return a fit and the seconds of a second one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HawkeysWarning)
        hawkeys.fit(events, **how)
        begun = time.process_time()
        found = hawkeys.fit(events, **how)
    return found, time.process_time() - begun


def three_decays(train: Events, history: Events) -> SumExponential:
    """Return three decays under which the training window is most likely, weights unknown."""

    def loss(logs: np.ndarray) -> float:
        kernel = SumExponential(np.exp(np.sort(logs)))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", HawkeysWarning)
            found = hawkeys.fit(
                train, history=history, kernel=kernel, productivity=MAGNITUDES.replaced(a=1.45)
            )
        return -found.log_likelihood

    start = np.log([0.01, 1.0, 100.0])
    steps = start + np.vstack((np.zeros(3), np.eye(3)))
    options = {"initial_simplex": steps, "fatol": 0.1, "xatol": 0.02, "maxfev": 150}
    found = optimize.minimize(loss, start, method="Nelder-Mead", options=options)
    return SumExponential(np.exp(np.sort(found.x)).round(6))


def parameters(found: Any) -> dict[str, float]:
    """Return estimates and standard errors by name; at a bound the latter are NaN."""
    out = {"baseline": found.baseline[0], "adjacency": found.adjacency[0, 0]}
    errors = {"baseline": found.std_err[0, 0], "adjacency": found.std_err[0, 1]}
    for name, error in (found.kernel_std_err or {}).items():
        out[name], errors[name] = float(value_of(found.kernel, name)), float(error)
    return out | {f"{name}_std_err": value for name, value in errors.items()}


def compare_models(events: Events) -> list[dict[str, Any]]:
    """Return one row per model."""
    past, test = events.split(TEST)
    history, train = past.split(TRAIN)
    rate = train.n_events / train.durations[0]
    poisson = test.n_events * np.log(rate) - rate * test.durations[0]
    rows = []
    for name, model in MODELS.items():
        how = dict(model)
        if how.get("kernel") == "three":
            how["kernel"] = three_decays(train, history)
        found, seconds = timed(train, history=history, **how)
        score = found.process.log_likelihood(test, history=past) - poisson
        rows.append({
            "model": name, "n_train": train.n_events, "n_test": test.n_events,
            "nats_per_test_event": round(score / test.n_events, 5),
            "log_likelihood": round(found.log_likelihood, 3), "seconds": round(seconds, 3),
            "spectral_radius": round(found.spectral_radius, 4), "converged": found.converged,
            "kernel": repr(getattr(found.kernel, "kernel", found.kernel)),
            **{key: float(f"{value:.5g}") for key, value in parameters(found).items()},
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
        self.counts = 0

    def log_likelihood(self, theta: np.ndarray) -> float:
        """Evaluate at (baseline, adjacency, c, p, a)."""
        self.counts += 1
        baseline, adjacency, c, p, a = theta
        strength = np.exp(a * self.sizes)
        density = (p - 1.0) * c ** (p - 1.0) * (self.lags + c) ** -p
        rates = baseline + adjacency * np.bincount(
            self.later, strength[self.earlier] * density, self.times.size
        )
        mass = strength @ (1.0 - (1.0 + (self.end - self.times) / c) ** (1.0 - p))
        return float(np.log(rates).sum() - baseline * self.end - adjacency * mass)

    def fit(self) -> np.ndarray:
        """Return the estimates by Nelder-Mead from the usual start."""

        def theta(logs: np.ndarray) -> np.ndarray:
            return np.array([*np.exp(logs[:3]), LEAST_P + np.exp(logs[3]), logs[4]])

        start = np.array([np.log(0.5 * self.times.size / self.end), np.log(0.2), np.log(0.01),
                          np.log(0.2), 1.0])  # fmt: skip
        found = optimize.minimize(
            lambda logs: -self.log_likelihood(theta(logs)), start, method="Nelder-Mead",
            options={"maxiter": 2_000, "fatol": 1e-4, "xatol": 1e-4},
        )  # fmt: skip
        return theta(found.x)


def compare_etas(events: Events) -> dict[str, Any]:
    """Return the row of hawkeys against Nelder-Mead over pairs, on the first events of training."""
    train = events.split(TRAIN)[1]
    part = train.between(end=train.clock.dates(train.times[[PART]])[0].astype(str) + "Z")
    pairs = PairwiseETAS(part)
    point = np.array([1.0, 0.2, 0.01, 1.2, 1.5])
    process = hawkeys.Hawkes(
        point[:1], [[point[1]]], kernel=PowerLaw(*point[2:4]),
        productivity=MAGNITUDES.replaced(a=point[4]),
    )  # fmt: skip
    difference = abs(process.log_likelihood(part) - pairs.log_likelihood(point))
    if difference > AGREEMENT:
        raise SystemExit(f"the two likelihoods differ by {difference}")
    found, seconds = timed(part, kernel=PowerLaw(), productivity=MAGNITUDES)
    pairs.counts, begun = 0, time.process_time()
    theirs = pairs.fit()
    taken = time.process_time() - begun
    row = {
        "n_events": part.n_events, "likelihoods_differ_by": difference,
        "hawkeys_log_likelihood": round(found.log_likelihood, 4),
        "nelder_mead_log_likelihood": round(pairs.log_likelihood(theirs), 4),
        "hawkeys_seconds": round(seconds, 3), "nelder_mead_seconds": round(taken, 2),
        "times_faster": round(taken / seconds, 1), "nelder_mead_evaluations": pairs.counts - 1,
        **{f"hawkeys_{k}": float(f"{v:.5g}") for k, v in parameters(found).items()},
        **{f"nelder_mead_{k}": float(f"{v:.5g}")
           for k, v in zip(("baseline", "adjacency", "c", "p", "a"), theirs, strict=True)},
    }  # fmt: skip
    print(row, flush=True)
    return row


def main() -> None:
    """Write both tables."""
    events = load()
    with one_thread():
        models, against = compare_models(events), compare_etas(events)
    write_table(pd.DataFrame(models), RESULTS / "earthquakes.csv", ("pandas",))
    write_table(pd.DataFrame([against]), RESULTS / "earthquakes_etas.csv", ("pandas",))


if __name__ == "__main__":
    main()
