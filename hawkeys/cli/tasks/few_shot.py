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
    wide = wide.loc[list(dict.fromkeys(means["system"]))].round(3).astype(object)
    asked.say(
        f"Task few samples: {rates['fold'].nunique()} folds of {len(samples.subjects)} people; "
        "those of a fold are new, the others known beforehand. Equal-error rate with a threshold "
        "per subject, by the number of samples of an enrolment:\n"
    )
    asked.show(wide.where(wide.notna(), "").reset_index())
    largest = means[means["n_enrolled"] == means["n_enrolled"].max()]
    shown = {"eer": "EER", "eer_one_threshold": "one"}
    asked.say(f"\nWith {means['n_enrolled'].max()} samples:\n")
    print_columns(with_reported(largest, asked), ["eer", "eer_one_threshold"], shown, asked)
    asked.say(
        "EER: with a threshold per subject; one: with one threshold for all. "
        + KEPT
        + REPORTED * asked.networks
    )
    _print_costs(largest, asked)
    return {"few_shot_rates": with_reported(rates, asked)}


def _print_costs(means: pd.DataFrame, asked: TaskOptions) -> None:
    """Print what each system costs and stores."""
    asked.say("\nWhat each system costs and stores:\n")
    asked.show(
        pd.DataFrame(
            {
                "system": means["system"],
                "template s": [f"{one:.2g}" for one in means["prepare_seconds"]],
                "enrol s": [f"{one:.2g}" for one in means["enrol_seconds"]],
                "ms": [f"{one:.2g}" for one in means["decide_ms"]],
                "bytes": means["n_stored"].round().astype(int),
            }
        )
    )
    asked.say(
        "template s, enrol s: processor time to learn the people known beforehand, and one new "
        "person; ms: to decide one sample. bytes: stored of a person, numbers of 8 bytes; what "
        "is known beforehand, such as a network's template, is shared and is not in them.\n"
    )
