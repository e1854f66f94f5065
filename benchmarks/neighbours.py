"""Event times and keyed text: point processes on the tasks of three neural systems.

Run with HAWKEYS_DATA set: ``python benchmarks/neighbours.py``. Writes ``results/event_times.csv``
(two people, sessions disjoint, ten folds; with the probe that sees the clock alone, and with
random folds to show what they leak), ``results/event_times_events.csv`` (accuracy against the
number of events) and ``results/keyed_text.csv`` (137 people of the Aalto sentences, 55 of the free
text). Settings were chosen on other Aalto users (the 201st to the 611th) and, for free text, on
the 1st, 3rd, 5th ... of the users. ``--quick`` takes simulated data, to see that it runs.
"""

import argparse
from pathlib import Path

import numpy as np
import pandas as pd
from machine import one_thread, write_table

from hawkeys.datasets import (
    balanced,
    cut_slices,
    load_aalto,
    load_free_text,
    load_press_times,
    random_folds,
    session_folds,
    simulate_event_times,
    simulate_keyed_text,
)
from hawkeys.evaluation import (
    accuracy_by_events,
    cut_blocks,
    equal_error_rate,
    event_time_rates,
    keyed_text_rates,
    score_event_times,
    score_keyed_text,
)
from hawkeys.verifiers import MarkedRenewal
from hawkeys.verifiers.event_times import ClockResidualClassifier, MarkovRenewal

RESULTS = Path(__file__).parent / "results"
PACKAGES = ("scikit-learn",)


def event_times(data, n_folds):
    """Return rates, and accuracy against the number of events."""
    raw = cut_slices(data)
    slices = raw.snapped(rng=0)
    probe = {"clock residuals": ClockResidualClassifier()}
    folds = score_event_times(slices, n_folds=n_folds)
    leaky = score_event_times(
        slices, splits=random_folds(slices.subject, n_folds, rng=0), systems=None
    )
    tables = {
        ("sessions disjoint", "snapped"): folds,
        ("sessions disjoint, probe", "snapped"): score_event_times(slices, probe, n_folds=n_folds),
        ("sessions disjoint, probe", "raw"): score_event_times(raw, probe, n_folds=n_folds),
        ("random, leaks", "snapped"): leaky,
    }
    rates = pd.concat(
        [event_time_rates(part).assign(split=split, intervals=kind)
         for (split, kind), part in tables.items()], ignore_index=True,
    )  # fmt: skip
    growth = accuracy_by_events(folds)
    growth.insert(2, "n_events", growth["n_slices"] * slices.length)
    return rates, growth


def raw_likelihood(data, n_folds):
    """Return the EER of each person by the likelihood alone, without a background."""
    slices = cut_slices(data).snapped(rng=0)
    rows = []
    for fold, split in enumerate(session_folds(slices.subject, slices.session, n_folds, rng=0)):
        test = slices[balanced(slices.subject, split.test, rng=0)]
        for person in np.unique(slices.subject):
            own = split.train[slices.subject[split.train] == person]
            model = MarkovRenewal().fit(slices.intervals[own])
            scores = model.log_likelihood(test.intervals)
            mine = test.subject == person
            eer = equal_error_rate(scores[mine], scores[~mine])
            rows.append({"subject": person, "fold": fold, "eer": eer})
    return pd.DataFrame(rows).groupby("subject", as_index=False)["eer"].mean()


def keyed_text(strokes, n_people, n_cohort, n_enrolled, system):
    """Return scores of people by one recording each, against a cohort of the last users."""
    subjects, early = strokes.subjects, strokes.session < n_enrolled
    tested = np.isin(strokes.user, subjects[:n_people])
    others = np.isin(strokes.user, subjects[-n_cohort:])
    late = strokes[tested & ~early]
    return score_keyed_text(
        strokes[tested & early],
        late,
        MarkedRenewal.people_of(late),
        background=strokes[others & early],
        system=system,
    )


def blocks_of(strokes, size):
    """Return scores of blocks of the last three sessions, the first three enrolled."""
    early = strokes.session.astype(np.int64) < 3
    blocks, typist = cut_blocks(strokes[~early], size)
    name = f"free text, blocks of {size}, sessions disjoint"
    return score_keyed_text(strokes[early], blocks, typist, system=name)


def main(arguments=None):
    """Run everything and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="simulated data")
    parser.add_argument("--output", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    asked.output.mkdir(parents=True, exist_ok=True)
    data = simulate_event_times(n_events=500) if asked.quick else load_press_times()
    with one_thread():
        if asked.quick:
            scores = [keyed_text(simulate_keyed_text(), 6, 6, 6, "simulated")]
        else:
            name = "Aalto, one sentence, 12 enrolled, one sitting"
            scores = [keyed_text(load_aalto(), 137, 200, 12, name)]
            text = load_free_text()
            scores += [blocks_of(text, size) for size in (50, 100, 200)]
        rates, growth = event_times(data, 3 if asked.quick else 5)
        alone = raw_likelihood(data, 3 if asked.quick else 5)
    tables = {
        "keyed_text": keyed_text_rates(scores),
        "event_times": rates,
        "event_times_events": growth,
        "event_times_without_background": alone,
    }
    for name, table in tables.items():
        write_table(table, asked.output / f"{name}.csv", PACKAGES)
        print(f"\n{name}\n{table.round(4).to_string(index=False)}")


if __name__ == "__main__":
    main()
