"""From how many training samples on a verifier means something.

Usage: python benchmarks/enough_samples.py [--output DIR] [--quick]

Every verifier is trained on the first n samples of a typist, n from 2 to 200, and scores that
typist's samples 201 to 260 and the first five of each other typist. Two figures, means over
typists: 2 AUC - 1, whatever the threshold, and 1 - misses - false alarms at the verifier's own
threshold; both are 0 for a coin. `enough` is the least n from which on both are at least half of
what they are at 200. The typists are development subjects of the CMU benchmark (12 of the 23 that
point_process_research.py names, impostors from the 23); with --quick three typists of the demo.
Writes enough_samples.csv, and the numbers that the classes state beside the measured ones.
"""

import argparse
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from machine import one_thread, write_table
from sklearn.base import clone
from sklearn.pipeline import Pipeline

from hawkeys.datasets import load_cmu, load_demo
from hawkeys.evaluation import VERIFIERS, auc, make_verifiers
from hawkeys.exceptions import HawkeysWarning
from hawkeys.features import HawkesFeatures

SIZES = (2, 3, 5, 8, 10, 12, 15, 20, 25, 30, 35, 40, 45, 50, 60, 70, 80, 90, 100, 150, 200)
QUICK = ("manhattan", "nearest-neighbor-mahalanobis", "standard-net")
FIVE = ("s002", "s032", "s036", "s047", "s052")
FULL = SIZES[-1]


def main(arguments=None):
    """Measure, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--quick", action="store_true")
    options = parser.parse_args(arguments)
    with one_thread():
        table = measure(*samples(options.quick), QUICK if options.quick else ["all"])
    write_table(table, options.output / "enough_samples.csv", ["scikit-learn"])
    print(
        table.drop_duplicates("verifier")[["verifier", "enough", "stated"]].to_string(index=False)
    )


def samples(quick):
    """Return timings, subject of each row, the typists and the impostors."""
    data = load_demo(n_subjects=5) if quick else load_cmu()
    people = [name for name in data.subjects if name not in FIVE]
    people = people if quick else people[::2]
    return data.timings().to_numpy(), data.subject, people[: 3 if quick else 12], people


def measure(timings, subject, typists, people, names):
    """Return one row per verifier and size."""
    rows = {name: np.flatnonzero(subject == name) for name in people}
    first_five = np.concatenate([rows[name][:5] for name in people])
    used = np.union1d(first_five, np.concatenate([rows[name][:260] for name in typists]))
    made = make_verifiers(list(names))
    features = None
    if any(isinstance(one, Pipeline) for one in made.values()):
        computed = HawkesFeatures().fit_transform(timings[used])
        features = np.zeros((subject.size, computed.shape[1]))
        features[used] = computed
    found = []
    for name, verifier in made.items():
        seen = features if isinstance(verifier, Pipeline) else timings
        detector = verifier.steps[-1][1] if isinstance(verifier, Pipeline) else verifier
        for size in SIZES:
            figures = [
                judge(detector, seen, rows[typist], first_five, subject, size) for typist in typists
            ]
            found.append((name, size, stated(name, detector, seen), *np.mean(figures, 0)))
    columns = ["verifier", "n_samples", "stated", "auc", "misses", "false_alarms"]
    table = pd.DataFrame(found, columns=columns)
    return table.groupby("verifier", sort=False)[table.columns].apply(with_enough)


def stated(name, detector, seen):
    """Return the number that class or catalogue states."""
    needed = detector.samples_needed(seen.shape[1])
    return None if needed is None else max(needed, VERIFIERS[name].enough_samples)


def judge(detector, seen, own, first_five, subject, size):
    """Return AUC, misses and false alarms of one typist."""
    others = first_five[subject[first_five] != subject[own[0]]]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", HawkeysWarning)
        fitted = clone(detector).fit(seen[own[:size]])
    genuine, impostor = (fitted.score_samples(seen[part]) for part in (own[200:260], others))
    misses, alarms = impostor >= fitted.offset_, genuine < fitted.offset_
    return auc(genuine, impostor), misses.mean(), alarms.mean()


def with_enough(table):
    """Add the least size from which on both figures are at least half of those at the last."""
    both = np.column_stack([2 * table["auc"] - 1, 1 - table["misses"] - table["false_alarms"]])
    good = (both >= both[-1] / 2).all(axis=1) & (both[-1] > 0).all()
    first = good.size - np.argmin(good[::-1]) if not good.all() else 0
    enough = table["n_samples"].iloc[first] if first < good.size else None
    return table.assign(enough=enough)


if __name__ == "__main__":
    main()
