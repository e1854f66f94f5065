"""Which verifier errs least after 3, 5, 7, 10, ... training samples?

Usage: python benchmarks/few_samples.py [--background] [--output DIR] [--data NAME ...]
                                        [--sizes N ...]

Every verifier is trained on the first n samples of a typist and scores that typist's next 60
samples and the first five of each other typist. Data: the 23 development subjects of the CMU
benchmark that point_process_research.py names, and the password and the phrase of BKSD
(HAWKEYS_DATA/bksd), on which nothing was chosen. Rows of BKSD with a negative hold or press
interval are left out, and typists with fewer than 260 other rows. `plain-sum` is
neighbors-and-hawkes without correction for practice; `difference` is the mean EER less that of
plain-sum, `standard_error` that of the paired differences over typists. Writes few_samples.csv.

With --background the typists are halved (every other one), and each half is the background of the
other: never tested there, neither as genuine nor as impostors, so that figures differ from those
above, which have twice as many impostors. The 28 other CMU subjects have the 23 development
subjects as background, once. `difference` is then from neighbors-and-hawkes. Writes
few_samples_background.csv.
"""

import argparse
import os
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
from machine import one_thread, write_table
from sklearn.base import clone

from hawkeys.datasets import load_cmu
from hawkeys.evaluation import equal_error_rate, make_verifiers, miss_rate_at
from hawkeys.exceptions import HawkeysWarning
from hawkeys.verifiers import Background, BackgroundRatio, NeighborsAndHawkes
from hawkeys.verifiers._few import within_another

SIZES = (3, 5, 7, 10, 20, 35, 50, 100, 200)
TESTS, IMPOSTORS = 60, 5
MAIN = (
    "neighbors-and-hawkes",
    "recency-nearest-neighbors",
    "hawkes-likelihood",
    "clipped-manhattan",
    "pohmm",
    "scaled-manhattan",
    "nearest-neighbor-mahalanobis",
)
FIVE = ("s002", "s032", "s036", "s047", "s052")
BKSD = {"bksd-password": "password_english.csv.gz", "bksd-phrase": "phrase_english.csv.gz"}
DATA = ("cmu-development", *BKSD)
HELD_OUT = "cmu-held-out"
WITH_BACKGROUND = ("neighbors-and-hawkes", "pohmm", "scaled-manhattan", "hawkes-likelihood")


def main(arguments=None):
    """Measure, and write the table after every data set."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--output", type=Path, default=Path(__file__).parent / "results")
    parser.add_argument("--background", action="store_true", help="the other half as background")
    parser.add_argument("--data", nargs="+", choices=(*DATA, HELD_OUT))
    parser.add_argument("--sizes", nargs="+", type=int, default=SIZES)
    options = parser.parse_args(arguments)
    tables = []
    file = "few_samples_background.csv" if options.background else "few_samples.csv"
    with one_thread():
        for name in options.data or (*DATA, *[HELD_OUT] * options.background):
            for size in options.sizes:
                if options.background:
                    tables.append(measure_halves(*halves(name), size=size).assign(data=name))
                else:
                    people = typists(name)
                    tables.append(measure(people, size).assign(data=name, n_typists=len(people)))
                print(tables[-1].to_string(index=False), flush=True)
                write_table(pd.concat(tables), options.output / file, ["scikit-learn"])


def typists(name):
    """Return the timings of each typist of a data set by its name."""
    if name in BKSD:
        return bksd(BKSD[name])
    development, others = cmu_subjects()
    return others if name == HELD_OUT else development


def halves(name):
    """Return pairs of the typists that are tested and those of their background."""
    people = typists(name)
    if name == HELD_OUT:
        return ((people, typists("cmu-development")),)
    names = list(people)
    one, two = ({who: people[who] for who in names[start::2]} for start in (0, 1))
    return (one, two), (two, one)


def cmu_subjects():
    """Return the timings of each development subject, and of each other one."""
    data = load_cmu()
    timings = data.timings().to_numpy()
    names = [name for name in data.subjects if name not in FIVE][::2]
    own = {name: timings[data.subject == name] for name in data.subjects}
    return {name: own[name] for name in names}, {k: v for k, v in own.items() if k not in names}


def bksd(file):
    """Return the timings of each typist of a BKSD file in seconds, as the docstring says."""
    frame = pd.read_csv(Path(os.environ["HAWKEYS_DATA"]) / "bksd" / file)
    timings = frame.iloc[:, 2:].to_numpy() / 1000.0
    good = (timings[:, 0::3] >= 0).all(axis=1) & (timings[:, 1::3] >= 0).all(axis=1)
    subject = frame["subject"].to_numpy()
    own = {name: timings[good & (subject == name)] for name in dict.fromkeys(subject)}
    return {name: rows for name, rows in own.items() if len(rows) >= SIZES[-1] + TESTS}


def measure(people, size):
    """Return one row per verifier: mean error rates over typists after `size` samples."""
    verifiers = {**make_verifiers(list(MAIN)), "plain-sum": NeighborsAndHawkes(strength=0.0)}
    rates = np.array([[judge(one, people, who, size) for who in people]
                      for one in verifiers.values()])  # fmt: skip
    difference = rates[:, :, 0] - rates[-1, :, 0]
    return pd.DataFrame(
        {
            "n_samples": size,
            "verifier": list(verifiers),
            "eer": rates[:, :, 0].mean(axis=1),
            "miss_at_5": rates[:, :, 1].mean(axis=1),
            "difference": difference.mean(axis=1),
            "standard_error": difference.std(axis=1, ddof=1) / np.sqrt(len(people)),
        }
    ).round(4)


def measure_halves(*pairs, size):
    """Return one row per verifier: mean error rates over the tested typists of all pairs."""
    made = make_verifiers(list(WITH_BACKGROUND))
    rates = []
    for people, background in pairs:
        known = BackgroundRatio(background=Background.of(background.values(), size))
        verifiers = {**made, "background-ratio": known, "background-ratio, wide": BackgroundRatio()}
        rates.append([[judge(one, people, who, size) for who in people]
                      for one in verifiers.values()])  # fmt: skip
    rates = np.concatenate(rates, axis=1)
    difference = rates[:, :, 0] - rates[0, :, 0]
    return pd.DataFrame(
        {
            "n_samples": size,
            "verifier": list(verifiers),
            "eer": rates[:, :, 0].mean(axis=1),
            "miss_at_5": rates[:, :, 1].mean(axis=1),
            "difference": difference.mean(axis=1),
            "standard_error": difference.std(axis=1, ddof=1) / np.sqrt(rates.shape[1]),
            "n_typists": rates.shape[1],
            "n_background": min(len(background) for _, background in pairs),
        }
    ).round(4)


def judge(verifier, people, who, size):
    """Return equal-error rate and miss rate at 5 % false alarms of one typist."""
    own = people[who]
    others = np.vstack([rows[:IMPOSTORS] for name, rows in people.items() if name != who])
    with warnings.catch_warnings(), within_another():  # thresholds are not looked at
        warnings.simplefilter("ignore", HawkeysWarning)
        fitted = clone(verifier).fit(own[:size])
    genuine, impostor = (fitted.score_samples(X) for X in (own[size : size + TESTS], others))
    return equal_error_rate(genuine, impostor), miss_rate_at(genuine, impostor, 0.05)


if __name__ == "__main__":
    main()
