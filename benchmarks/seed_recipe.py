"""The contrastive network exactly as published: its recipe, its split, its two phases.

Run with HAWKEYS_DATA set: ``python benchmarks/seed_recipe.py --checkpoint FOLDER`` (needs the extra
``[neural]``; some 50 minutes of processor time; stopped and called again, it goes on after the last
whole epoch). Writes ``results/seed_recipe.csv``, the mean loss of each epoch of both phases, and
prints the accuracy on the validating slices. The published split leaks: a validating slice shares
events with training ones. ``--sessions`` takes one fold with sessions disjoint instead. ``--quick``
takes simulated data and one epoch, to see that it runs.
"""

import argparse
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
from machine import one_thread, write_table

from hawkeys.datasets import (
    balanced,
    cut_slices,
    load_press_times,
    published_split,
    session_folds,
    simulate_event_times,
)
from hawkeys.neural import SEED_RECIPE, ContrastiveClassifier, Runtime

RESULTS = Path(__file__).parent / "results"


def parts(data, sessions):
    """Return training and validating slices."""
    slices = cut_slices(data, 30, step_back=15, whole_seconds=True)
    if not sessions:
        split = published_split(slices, rng=0)
        return slices[split.train], slices[split.test]
    split = session_folds(slices.subject, slices.session, 5, rng=0)[0]
    fresh = split.test[~slices.overlapping[split.test]]
    rows = (balanced(slices.subject, some, rng=0) for some in (split.train, fresh))
    return tuple(slices[some] for some in rows)


def main(arguments=None):
    """Train, write the curve and print the accuracy."""
    import torch

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="simulated data, one epoch")
    parser.add_argument("--sessions", action="store_true", help="sessions disjoint")
    parser.add_argument("--checkpoint", type=Path, default=None)
    parser.add_argument("--output", type=Path, default=RESULTS)
    asked = parser.parse_args(arguments)
    asked.output.mkdir(parents=True, exist_ok=True)
    torch.set_num_threads(1)
    recipe = SEED_RECIPE
    if asked.quick:
        changes = {name: replace(getattr(recipe, name), epochs=1) for name in ("encoder", "head")}
        recipe = replace(recipe, **changes)
    data = simulate_event_times(n_events=200) if asked.quick else load_press_times()
    train, test = parts(data, asked.sessions)
    runtime = Runtime("cpu", asked.checkpoint, lambda *told: print(*told, flush=True))
    with one_thread():
        system = ContrastiveClassifier(recipe, runtime=runtime)
        system.fit(train.intervals, train.subject)
        accuracy = np.mean(system.predict(test.intervals) == test.subject)
    table = pd.concat(
        [pd.DataFrame({"phase": name, "epoch": np.arange(len(curve)) + 1, "loss": curve})
         for name, curve in system.curves_.items()], ignore_index=True,
    )  # fmt: skip
    split = "sessions disjoint" if asked.sessions else "published, leaks"
    table = table.assign(split=split, accuracy=accuracy, n_train=len(train), n_test=len(test))
    write_table(table, asked.output / "seed_recipe.csv", ("torch",))
    print(f"{split}: accuracy {accuracy:.3f} of {len(test)} slices")


if __name__ == "__main__":
    main()
