"""Who types, by times of events alone."""

from __future__ import annotations

import pandas as pd

from hawkeys.cli.console import progress_on_stderr
from hawkeys.cli.tasks.data import event_time_data
from hawkeys.cli.tasks.options import REPORTED, TaskOptions, print_costs, with_reported
from hawkeys.datasets import cut_slices
from hawkeys.evaluation import (
    accuracy_by_events,
    event_time_networks,
    event_time_rates,
    event_time_systems,
    score_event_times,
)
from hawkeys.verifiers.event_times import ClockResidualClassifier

__all__ = ["run_event_times"]


def run_event_times(asked: TaskOptions) -> dict[str, pd.DataFrame]:
    """Compare systems on event times, print it, and return the tables by name."""
    data = event_time_data(asked)
    raw = cut_slices(data)
    slices = raw.snapped(rng=asked.seed)
    probe = {"clock residuals": ClockResidualClassifier()}
    networks = event_time_networks(random_state=asked.seed) if asked.networks else {}
    systems = {**event_time_systems(), **networks}
    with progress_on_stderr() as progress:
        folds = score_event_times(slices, systems, rng=asked.seed, report=progress)
        progress("Scoring the clock", 0, 1)
        before = score_event_times(raw, probe, rng=asked.seed)
        after = score_event_times(slices, probe, rng=asked.seed)
        progress("Scoring the clock", 1, 1)
    rates = event_time_rates(folds, false_alarm=asked.false_alarm)
    rates = with_reported(rates, asked)
    probes = pd.concat([event_time_rates(before), event_time_rates(after)], ignore_index=True)
    probes["system"] = ["clock, not snapped", "clock, snapped"]
    growth = accuracy_by_events(folds)
    growth.insert(2, "n_events", growth["n_slices"] * slices.length)
    asked.say(
        f"Task event times: {slices}. Sessions are disjoint; {rates['n_folds'][0]} folds, sd over "
        "folds; intervals snapped to 4 ms and spread again."
    )
    _print_rates(pd.concat([rates, probes], ignore_index=True), asked)
    asked.say(
        "The last two rows see how intervals scatter about the clock's ticks and nothing else: "
        "what they reach without snapping is known of the machine, not of the person.\n\n"
        "Accuracy against the number of events:\n"
    )
    wide = growth.pivot(index="system", columns="n_events", values="accuracy")
    asked.show(wide.loc[rates["system"]].round(3).reset_index())
    print_costs(rates, {name: system.needs for name, system in systems.items()}, asked)
    return {
        "event_times_rates": pd.concat([rates, probes], ignore_index=True),
        "event_times_events": growth,
    }


def _print_rates(rates: pd.DataFrame, asked: TaskOptions) -> None:
    shown = pd.DataFrame(
        {
            "system": rates["system"],
            "accuracy": [
                f"{mean:.3f} +- {sd:.3f}"
                for mean, sd in zip(rates["accuracy"], rates["accuracy_sd"], strict=True)
            ],
            "EER": rates["eer"].round(3),
            "one": rates["eer_one_threshold"].round(3),
            "alarm": rates["false_alarm_kept"].round(3),
            "miss": rates["miss_kept"].round(3),
        }
    )
    if "reported" in rates:
        shown["reported"] = rates["reported"].fillna("")
    asked.show(shown)
    asked.say(
        "EER: equal-error rate with a threshold per subject; one: with one threshold for all. "
        "alarm, miss: rates at the threshold that the training sessions set. "
        "The other person is the background and the impostor, so that his training sessions "
        "are known.\n" + REPORTED * ("reported" in rates)
    )
