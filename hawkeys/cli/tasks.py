"""The tasks of ``hawkeys benchmark`` besides fixed text: event times, few samples, free text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from hawkeys._files import write_text
from hawkeys._validation import check_fraction
from hawkeys.cli.console import progress_on_stderr
from hawkeys.cli.logs import print_json
from hawkeys.cli.task_data import TaskOptions, event_time_data, fixed_text_data, keyed_data
from hawkeys.datasets import cut_slices
from hawkeys.evaluation import (
    REPORTED_FIGURES,
    accuracy_by_events,
    check_output_directory,
    event_time_networks,
    event_time_rates,
    event_time_systems,
    few_shot_networks,
    few_shot_rates,
    few_shot_systems,
    keyed_text_networks,
    keyed_text_rates,
    score_event_times,
    score_few_shot,
    score_keyed_text,
)
from hawkeys.exceptions import InvalidParameterError
from hawkeys.neural import require_torch
from hawkeys.verifiers import MarkedRenewal
from hawkeys.verifiers.event_times import ClockResidualClassifier

__all__ = ["TASKS", "TaskOptions", "run_task"]

TASKS = ("fixed-text", "event-times", "few-shot", "free-text")
"""Names of the tasks; the first is that of all other options."""

_ENROLLED = 0.8
_KEPT = (
    "alarm, miss: rates in later sessions (recordings) at the one threshold of equal errors in the "
    "first. ms: to decide one sample.\n"
)
_REPORTED = (
    "reported: by the authors of the networks, on other data or on splits that leak; no measure "
    "for the figures beside it.\n"
)


def run_task(task: str, asked: TaskOptions) -> None:
    """Run a task, print its tables and write them as csv.

    Parameters
    ----------
    task : {"event-times", "few-shot", "free-text"}
        Which.
    asked : TaskOptions
        How.

    Raises
    ------
    InvalidParameterError
        A path is given for simulated data, or `false_alarm` is no fraction.
    DatasetNotFoundError, DatasetError
        Real data were asked for and are not there, or are damaged.
    OutputError
        The tables cannot be written.
    MissingExtraError
        Networks are asked for without torch.
    """
    if asked.networks:
        require_torch()
    check_fraction(asked.false_alarm, "false_alarm")
    if asked.dataset == "demo" and asked.data_path is not None:
        raise InvalidParameterError(
            f"the demo is simulated and reads no file, got --data-path {asked.data_path!r}. Leave "
            "one of the two out."
        )
    if asked.output is not None:
        check_output_directory(asked.output)
    tables = {"event-times": _event_times, "few-shot": _few_shot, "free-text": _free_text}[task](
        asked
    )
    if asked.output is not None:
        Path(asked.output).mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            write_text(Path(asked.output) / f"{name}.csv", table.to_csv(index=False))
        asked.say(f"\nTables: {asked.output}/{', '.join(f'{name}.csv' for name in tables)}")
    if asked.as_json:
        rows = {name: table.to_dict("records") for name, table in tables.items()}
        print_json(f"benchmark-{task}", {"output": asked.output, **rows})


def _event_times(asked: TaskOptions) -> dict[str, pd.DataFrame]:
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
    rates = _with_reported(rates, asked)
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
    return {
        "event_times_rates": pd.concat([rates, probes], ignore_index=True),
        "event_times_events": growth,
    }


def _free_text(asked: TaskOptions) -> dict[str, pd.DataFrame]:
    strokes, people, cohort = keyed_data(asked)
    session = strokes.session.astype(np.int64)
    n_enrolled = int(_ENROLLED * (session.max() + 1))
    tested = np.isin(strokes.user, people)
    late = strokes[tested & (session >= n_enrolled)]
    background = strokes[np.isin(strokes.user, cohort) & (session < n_enrolled)]
    early = strokes[tested & (session < n_enrolled)]
    who, first = MarkedRenewal.people_of(late), np.unique(late.groups(), return_index=True)[1]
    networks = keyed_text_networks(random_state=asked.seed) if asked.networks else {}
    with progress_on_stderr() as progress:
        progress("Training and scoring people", 0, 1 + len(networks))
        scores = [
            score_keyed_text(early, late, who, background=background, session=late.session[first])
        ]
        for name, model in networks.items():
            progress("Training and scoring people", len(scores), 1 + len(networks))
            scores.append(
                score_keyed_text(
                    early, late, who, model=model, system=name, session=late.session[first]
                )
            )
        progress("Training and scoring people", len(scores), len(scores))
    rates = _with_reported(keyed_text_rates(scores), asked)
    asked.say(
        f"Task free text: {len(people)} people, enrolled on their first {n_enrolled} recordings "
        f"and tested on each of the others alone, {late.session[first].size} in all; a cohort of "
        f"{len(cohort)} other people.\n"
    )
    shown = {
        "eer_posterior": "EER",
        "eer_posterior_one_threshold": "one",
        "eer_ratio": "EER, ratio",
        "eer_ratio_one_threshold": "one, ratio",
    }
    _print_columns(rates, ["accuracy", *shown], shown, asked)
    asked.say(
        "accuracy: of naming the person from one recording. EER: equal-error rate with a threshold "
        "per subject; one: with one threshold for all; by the probability among all enrolled "
        "people, or by the likelihood ratio to the cohort. " + _KEPT + _REPORTED * asked.networks
    )
    return {"free_text_rates": rates}


def _few_shot(asked: TaskOptions) -> dict[str, pd.DataFrame]:
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
    _print_columns(_with_reported(largest, asked), ["eer", "eer_one_threshold"], shown, asked)
    asked.say(
        "EER: with a threshold per subject; one: with one threshold for all. bytes: stored of a "
        "person, of networks. " + _KEPT + _REPORTED * asked.networks
    )
    return {"few_shot_rates": _with_reported(rates, asked)}


def _with_reported(rates: pd.DataFrame, asked: TaskOptions) -> pd.DataFrame:
    """Return rates with what authors of networks report, if there are networks."""
    if not asked.networks:
        return rates
    return rates.assign(reported=[REPORTED_FIGURES.get(name, "") for name in rates["system"]])


def _print_columns(
    rates: pd.DataFrame, rounded: Sequence[str], names: Mapping[str, str], asked: TaskOptions
) -> None:
    """Print system, the rounded columns, kept thresholds, costs, and reported figures if any."""
    kept = {"false_alarm_kept": "alarm", "miss_kept": "miss"}
    costs = {"train_seconds": "train s", **names, "decide_ms": "ms", "reported": "reported"}
    columns = [name for name in ("system", *rounded, *kept, *costs) if name in rates]
    columns = list(dict.fromkeys(columns))
    shown = rates[columns].round(3).rename(columns={**costs, **names, **kept})
    asked.show(shown.astype(object).where(shown.notna(), ""))


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
            "train s": rates["train_seconds"].round(2),
            "ms": rates["decide_ms"].round(3),
        }
    )
    if "reported" in rates:
        shown["reported"] = rates["reported"].fillna("")
    asked.show(shown)
    asked.say(
        "EER: equal-error rate with a threshold per subject; one: with one threshold for all. "
        "alarm, miss: rates at the threshold that the training sessions set. ms: to decide one "
        "slice. The other person is the background and the impostor, so that his training sessions "
        "are known.\n" + _REPORTED * ("reported" in rates)
    )
