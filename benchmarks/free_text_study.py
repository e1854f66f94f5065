"""Free text: identification and verification of 55 users by blocks of 50, 100 and 200 keystrokes.

Run with HAWKEYS_DATA set: ``python benchmarks/free_text_study.py``. Writes
``results/free_text.csv``, with paired differences from the digraph Manhattan. Every user is
enrolled on their first three sessions and tested on the last three; see
`hawkeys.evaluation.studies.free_text` for the protocol. Settings were chosen on the development
users alone (the 1st, 3rd, 5th ... of the sorted users), with backgrounds among them;
``--development`` repeats the main comparisons and writes ``results/free_text_development.csv``.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pandas as pd
from machine import one_thread, write_table

from hawkeys.datasets import load_free_text
from hawkeys.evaluation import Bootstrap, free_text_rates, score_free_text, split_halves
from hawkeys.verifiers import DigraphDisorder, DigraphManhattan, FreeTextPOHMM, FreeTextProcess

RESULTS = Path(__file__).parent / "results"

BASELINE = "digraph Manhattan"
SYSTEMS = {
    "free-text process": FreeTextProcess(),
    "free-text process without release edges": FreeTextProcess(
        edges=("press-press", "press-release")
    ),
    "POHMM": FreeTextPOHMM(n_states=3),
    "digraph Manhattan": DigraphManhattan(longest=0.3),
    "digraph disorder": DigraphDisorder(longest=0.3),
}
# settings whose development figures were looked at before the held-out users were run
N_TRIED = {
    "free-text process": 121,
    "free-text process without release edges": 121,
    "POHMM": 3,
    "digraph Manhattan": 6,
    "digraph disorder": 4,
}
WITH_TWO_BACK = ("press-press", "release-press", "press-press-2", "press-release")
ALTERNATIVES = {
    "free-text process": FreeTextProcess(),
    "process, releases weigh 0.3": FreeTextProcess(release_weight=0.3),
    "process, releases weigh 0.5": FreeTextProcess(release_weight=0.5),
    "process, releases weigh 1": FreeTextProcess(release_weight=1.0),
    "process, releases weigh 0": FreeTextProcess(release_weight=0.0),
    "process, press edges only": FreeTextProcess(edges=("press-press", "press-release")),
    "process, release edges only": FreeTextProcess(edges=("release-press", "press-release")),
    "process, two presses back": FreeTextProcess(edges=WITH_TWO_BACK),
    "process, location counts 0.5": FreeTextProcess(location_counts=(0.5, 0.5, 0.5)),
    "process, location counts 5": FreeTextProcess(location_counts=(5.0, 5.0, 5.0)),
    "process, scale counts 5": FreeTextProcess(scale_counts=(5.0, 5.0, 5.0)),
    "process, scale counts 10": FreeTextProcess(scale_counts=(10.0, 10.0, 10.0)),
    "POHMM, 1 state": FreeTextPOHMM(n_states=1),
    "POHMM, 2 states": FreeTextPOHMM(),
    "POHMM, 3 states": FreeTextPOHMM(n_states=3),
    "digraph Manhattan, up to 0.3 s": DigraphManhattan(longest=0.3),
    "digraph Manhattan, up to 0.5 s": DigraphManhattan(longest=0.5),
    "digraph Manhattan, up to 1 s": DigraphManhattan(longest=1.0),
    "digraph disorder, up to 0.3 s": DigraphDisorder(longest=0.3),
    "digraph disorder, up to 0.5 s": DigraphDisorder(longest=0.5),
}


def main(arguments=None):
    """Run the study, or the comparisons on the development users."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--development", action="store_true")
    parser.add_argument("--quick", action="store_true", help="eight users, two systems")
    parser.add_argument("--output", type=Path, default=RESULTS)
    options = parser.parse_args(arguments)
    strokes = load_free_text()
    if options.quick:
        strokes = strokes[np.isin(strokes.user, split_halves(strokes.subjects)[0][:8])]
    began = time.perf_counter()
    with one_thread():
        table = development(strokes) if options.development else study(strokes, options.quick)
    name = "free_text_development.csv" if options.development else "free_text.csv"
    write_table(table, options.output / name, ("pandas", "scikit-learn"))
    shown = ["users", "block_size", "system", "accuracy", "eer", "miss_rate"]
    print(table[shown].to_string(index=False, float_format="%.3f"))
    print(f"{time.perf_counter() - began:.0f} s; written to {options.output / name}")


def study(strokes, quick=False):
    """Return the figures of all users, the development and the held-out ones."""
    few = ("free-text process", BASELINE)
    systems = {name: SYSTEMS[name] for name in few} if quick else SYSTEMS
    scores = score_free_text(systems, strokes, background=tuple(systems))
    development_users, held_out = split_halves(strokes.subjects)
    groups = {"all": strokes.subjects, "development": development_users, "held out": held_out}
    tables = []
    for name, users in groups.items():
        picked = [one.pick(users) for one in scores]
        table = free_text_rates(picked).assign(users=name)
        tables.append(table.join(paired_differences(picked)))
    table = pd.concat(tables, ignore_index=True)
    return table.assign(n_tried=table["system"].str.split(",").str[0].map(N_TRIED))


def paired_differences(scores):
    """Return each system's error minus that of the baseline, user by user, with intervals."""
    bootstrap, rows = Bootstrap(n_resamples=2000, seed=0), []
    baseline = {one.block_size: one.rates() for one in scores if one.system == BASELINE}
    for one in scores:
        row = {}
        for figure in ("eer", "miss_rate"):
            gap = (one.rates()[figure] - baseline[one.block_size][figure]).to_numpy()
            row[f"{figure}_minus_baseline"] = gap.mean()
            ends = bootstrap.interval(gap)
            row[f"{figure}_minus_baseline_lower"], row[f"{figure}_minus_baseline_upper"] = ends
        rows.append(row)
    return pd.DataFrame(rows)


def development(strokes):
    """Return the figures of the development users, whose backgrounds are development users too."""
    users, _ = split_halves(strokes.subjects)
    own = strokes[np.isin(strokes.user, users)]
    scores = score_free_text(ALTERNATIVES, own, background=tuple(ALTERNATIVES))
    return free_text_rates(scores).assign(users="development")


if __name__ == "__main__":
    main()
