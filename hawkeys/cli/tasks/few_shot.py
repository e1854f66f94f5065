"""New people who enrol with few samples of fixed text."""

from __future__ import annotations

import pandas as pd

from hawkeys.cli.console import progress_on_stderr
from hawkeys.cli.tasks.data import fixed_text_data
from hawkeys.cli.tasks.options import KEPT, REPORTED, TaskOptions, print_columns, with_reported
from hawkeys.evaluation import few_shot_networks, few_shot_rates, few_shot_systems, score_few_shot

__all__ = ["run_few_shot"]


def run_few_shot(asked: TaskOptions) -> dict[str, pd.DataFrame]:
    """Compare systems by few samples of fixed text, print it, and return the table by name."""
    samples = fixed_text_data(asked)
    networks = few_shot_networks(random_state=asked.seed) if asked.networks else {}
    with progress_on_stderr() as progress:
        scores = score_few_shot(
            samples, {**few_shot_systems(), **networks}, rng=asked.seed, report=progress
        )
    rates = few_shot_rates(scores)
    means = rates.groupby(["system", "n_enrolled"], sort=False, as_index=False).mean()
    wide = means.pivot(index="system", columns="n_enrolled", values="eer")
    wide = wide.loc[list(dict.fromkeys(means["system"]))]
    asked.say(
        f"Task few samples: {rates['fold'].nunique()} folds of {len(samples.subjects)} people; "
        "those of a fold are new, the others known beforehand. Equal-error rate with a threshold "
        "per subject, by the number of samples of an enrolment:\n"
    )
    asked.show(wide.round(3).reset_index())
    largest = means[means["n_enrolled"] == means["n_enrolled"].max()].drop(columns="n_enrolled")
    shown = {
        "eer": "EER",
        "eer_one_threshold": "one",
        "prepare_seconds": "template s",
        "enrol_seconds": "enrol s",
        "n_stored": "bytes",
    }
    asked.say(f"\nWith {means['n_enrolled'].max()} samples:\n")
    print_columns(with_reported(largest, asked), ["eer", "eer_one_threshold"], shown, asked)
    asked.say(
        "EER: with a threshold per subject; one: with one threshold for all. bytes: stored of a "
        "person, numbers of 8 bytes; a network's template is shared and is not in them. "
        + KEPT
        + REPORTED * asked.networks
    )
    return {"few_shot_rates": with_reported(rates, asked)}
