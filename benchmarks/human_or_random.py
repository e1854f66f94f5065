"""Did a person type, or were the times drawn at random? Statistics, processes, searched networks.

Run with HAWKEYS_DATA set: ``python benchmarks/human_or_random.py``; ``--search`` adds the genetic
search (needs the extra ``[neural]``). The times of both people are one class, sessions disjoint;
the other are the published "random class", 30 independent intervals of 80 to 300 ms. All
intervals are snapped to 4 ms and spread again, as many slices of each class; the search is trained
on at most ``--slices`` of each. Writes ``results/human_or_random.csv``, one row per system and
fold, as they come; rows of systems that are not asked for are kept. ``--quick`` takes simulated
data, to see that it runs.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from machine import one_thread, write_table

from hawkeys.datasets import (
    cut_slices,
    load_press_times,
    session_folds,
    simulate_event_times,
    uniform_slices,
)
from hawkeys.evaluation import event_time_systems
from hawkeys.neural import GeneticClassifier, Runtime

RESULTS = Path(__file__).parent / "results"
SYSTEMS = ("two-statistics", "lognormal-renewal", "markov-renewal", "stack")


def folds(asked):
    """Yield training and testing intervals with their classes, balanced."""
    data = simulate_event_times(n_events=300) if asked.quick else load_press_times()
    human = cut_slices(data).snapped(rng=0)
    drawn = uniform_slices(len(human), rng=1).snapped(rng=2)
    draws = np.random.default_rng(3)
    pairs = [session_folds(one.subject, one.session, 5, rng=0) for one in (human, drawn)]
    for typed, made in zip(*pairs, strict=True):
        parts = []
        for side in ("train", "test"):
            rows = [draws.permutation(getattr(split, side)) for split in (typed, made)]
            size = min(map(len, rows))
            intervals = [one.intervals[part[:size]]
                         for one, part in zip((human, drawn), rows, strict=True)]  # fmt: skip
            parts += [np.concatenate(intervals), np.repeat(["human", "random"], size)]
        yield parts


def systems(asked):
    """Yield name, unfitted system, and in how many folds it is tried."""
    for name in asked.systems:
        yield name, event_time_systems()[name], 5
    if asked.search:
        small = {"population": 6, "generations": 2, "epochs": 1} if asked.quick else {}
        yield "genetic search", GeneticClassifier(runtime=Runtime("cpu"), **small), asked.folds


def main(arguments=None):
    """Run the folds and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="simulated data")
    parser.add_argument("--search", action="store_true", help="the genetic search, too")
    parser.add_argument("--systems", nargs="*", default=SYSTEMS, choices=[*event_time_systems()])
    parser.add_argument("--slices", type=int, default=600, help="of a class, for the search")
    parser.add_argument("--folds", type=int, default=1, help="of the search")
    parser.add_argument("--output", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    asked.output.mkdir(parents=True, exist_ok=True)
    packages = ("scikit-learn", *(["torch"] if asked.search else []))
    parts = list(folds(asked))
    asked_for = {name for name, *_ in systems(asked)}
    path = asked.output / "human_or_random.csv"
    kept = pd.read_csv(path) if path.exists() else pd.DataFrame({"system": []})
    rows = kept[~kept["system"].isin(asked_for)].to_dict("records")
    with one_thread():
        for name, system, n_folds in systems(asked):
            for fold, (train, people, test, truth) in enumerate(parts[:n_folds]):
                if isinstance(system, GeneticClassifier):
                    half = len(train) // 2
                    few = np.flatnonzero(np.arange(len(train)) % half < asked.slices)
                    train, people = train[few], people[few]
                started = time.process_time()
                system.fit(train, people)
                trained = time.process_time()
                right = (system.predict(test) == truth).mean()
                row = {"system": name, "fold": fold, "accuracy": right,
                       "n_train": len(train), "n_test": len(test),
                       "train_seconds": trained - started,
                       "decide_ms": 1000 * (time.process_time() - trained) / len(test)}  # fmt: skip
                if isinstance(system, GeneticClassifier):
                    row |= {"n_evaluations": system.evolution_.n_evaluations,
                            "n_generations": system.evolution_.trace.size}  # fmt: skip
                rows.append(row)
                table = pd.DataFrame(rows)
                write_table(table, path, packages)
    print(table.groupby("system", sort=False)["accuracy"].agg(["mean", "std", "size"]).round(4))


if __name__ == "__main__":
    main()
