"""The tasks of ``hawkeys benchmark`` besides fixed text: event times, and free text."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd

from hawkeys._files import write_text
from hawkeys._validation import check_fraction
from hawkeys.cli.console import print_notice, print_table, print_text, progress_on_stderr
from hawkeys.cli.logs import print_json
from hawkeys.datasets import (
    EventTimes,
    Strokes,
    cut_slices,
    load_aalto,
    load_press_times,
    simulate_event_times,
    simulate_keyed_text,
)
from hawkeys.evaluation import (
    accuracy_by_events,
    check_output_directory,
    event_time_rates,
    keyed_text_rates,
    score_event_times,
    score_keyed_text,
)
from hawkeys.exceptions import DatasetNotFoundError, InvalidParameterError
from hawkeys.verifiers import MarkedRenewal
from hawkeys.verifiers.event_times import ClockResidualClassifier

__all__ = ["TASKS", "TaskOptions", "run_task"]

TASKS = ("fixed-text", "event-times", "free-text")
"""Names of the tasks; the first is that of all other options."""

_PEOPLE, _COHORT, _ENROLLED = 137, 200, 0.8
_DEMO = (
    "{what} are not available, so these are SIMULATED, no real person. The figures say nothing "
    "about people. Why: {why}"
)
_SIMULATED = "SIMULATED typists, no real person. The figures say nothing about people."


@dataclass(frozen=True)
class TaskOptions:
    """Options of a task.

    Attributes
    ----------
    dataset : {"auto", "demo", "real"}
        Real data, simulated ones, or real ones if they are there.
    data_path : str or None
        Folder of the press times, or file of the Aalto sentences.
    output : str or None
        Folder for the tables, or None: print only.
    false_alarm : float
        Share of genuine samples that a kept threshold rejects.
    seed : int
        Seed of all that is random.
    as_json : bool
        Print the tables as JSON.
    """

    dataset: str
    data_path: str | None
    output: str | None
    false_alarm: float
    seed: int
    as_json: bool = False

    def say(self, text: str) -> None:
        """Print a paragraph, unless stdout holds JSON."""
        if not self.as_json:
            print_text(text)


def run_task(task: str, asked: TaskOptions) -> None:
    """Run a task, print its tables and write them as csv.

    Parameters
    ----------
    task : {"event-times", "free-text"}
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
    """
    check_fraction(asked.false_alarm, "false_alarm")
    if asked.dataset == "demo" and asked.data_path is not None:
        raise InvalidParameterError(
            f"the demo is simulated and reads no file, got --data-path {asked.data_path!r}. Leave "
            "one of the two out."
        )
    if asked.output is not None:
        check_output_directory(asked.output)
    tables = _event_times(asked) if task == "event-times" else _free_text(asked)
    if asked.output is not None:
        Path(asked.output).mkdir(parents=True, exist_ok=True)
        for name, table in tables.items():
            write_text(Path(asked.output) / f"{name}.csv", table.to_csv(index=False))
        asked.say(f"\nTables: {asked.output}/{', '.join(f'{name}.csv' for name in tables)}")
    if asked.as_json:
        rows = {name: table.to_dict("records") for name, table in tables.items()}
        print_json(f"benchmark-{task}", {"output": asked.output, **rows})


def _event_times(asked: TaskOptions) -> dict[str, pd.DataFrame]:
    data = _event_time_data(asked)
    raw = cut_slices(data)
    slices = raw.snapped(rng=asked.seed)
    probe = {"clock residuals": ClockResidualClassifier()}
    with progress_on_stderr() as progress:
        folds = score_event_times(slices, rng=asked.seed, report=progress)
        progress("Scoring the clock", 0, 1)
        before = score_event_times(raw, probe, rng=asked.seed)
        after = score_event_times(slices, probe, rng=asked.seed)
        progress("Scoring the clock", 1, 1)
    rates = event_time_rates(folds, false_alarm=asked.false_alarm)
    probes = pd.concat([event_time_rates(before), event_time_rates(after)], ignore_index=True)
    probes["system"] = ["clock, not snapped", "clock, snapped"]
    growth = accuracy_by_events(folds)
    growth.insert(2, "n_events", growth["n_slices"] * slices.length)
    asked.say(
        f"Task event times: {slices}. Sessions are disjoint; {rates['n_folds'][0]} folds, sd over "
        "folds; intervals snapped to 4 ms and spread again."
    )
    if not asked.as_json:
        _print_rates(pd.concat([rates, probes], ignore_index=True))
    asked.say(
        "The last two rows see how intervals scatter about the clock's ticks and nothing else: "
        "what they reach without snapping is known of the machine, not of the person.\n\n"
        "Accuracy against the number of events:\n"
    )
    wide = growth.pivot(index="system", columns="n_events", values="accuracy")
    if not asked.as_json:
        print_table(wide.loc[rates["system"]].round(3).reset_index())
    return {
        "event_times_rates": pd.concat([rates, probes], ignore_index=True),
        "event_times_events": growth,
    }


def _free_text(asked: TaskOptions) -> dict[str, pd.DataFrame]:
    strokes, people, cohort = _keyed_data(asked)
    session = strokes.session.astype(np.int64)
    n_enrolled = int(_ENROLLED * (session.max() + 1))
    tested = np.isin(strokes.user, people)
    late = strokes[tested & (session >= n_enrolled)]
    background = strokes[np.isin(strokes.user, cohort) & (session < n_enrolled)]
    with progress_on_stderr() as progress:
        progress("Training and scoring people", 0, 1)
        scores = score_keyed_text(
            strokes[tested & (session < n_enrolled)],
            late,
            MarkedRenewal.people_of(late),
            background=background,
        )
        progress("Training and scoring people", 1, 1)
    rates = keyed_text_rates([scores])
    asked.say(
        f"Task free text: {len(people)} people, enrolled on their first {n_enrolled} recordings "
        f"and tested on each of the others alone; a cohort of {len(cohort)} other people."
    )
    row = rates.iloc[0]
    asked.say(
        f"\nmarked renewal: accuracy {row['accuracy']:.3f} from one recording of "
        f"{row['n_samples']}.\nEqual-error rate, by the probability among all enrolled people: "
        f"{row['eer_posterior']:.3f} per subject, {row['eer_posterior_one_threshold']:.3f} with "
        f"one threshold for all;\nby the likelihood ratio to the cohort: {row['eer_ratio']:.3f} "
        f"per subject, {row['eer_ratio_one_threshold']:.3f} with one threshold for all."
    )
    return {"free_text_rates": rates}


def _print_rates(rates: pd.DataFrame) -> None:
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
    print_table(shown)
    print_text(
        "EER: equal-error rate with a threshold per subject; one: with one threshold for all. "
        "alarm, miss: rates at the threshold that the training sessions set. ms: to decide one "
        "slice. The other person is the background and the impostor, so that his training sessions "
        "are known.\n"
    )


def _event_time_data(asked: TaskOptions) -> EventTimes:
    if asked.dataset == "demo":
        data = simulate_event_times(rng=asked.seed)
        print_notice(data.provenance["notice"], err=asked.as_json)
        return data
    try:
        return load_press_times(asked.data_path)
    except DatasetNotFoundError as error:
        if asked.dataset != "auto" or asked.data_path is not None:
            raise
        print_notice(_DEMO.format(what="Press times", why=error), err=asked.as_json)
        return simulate_event_times(rng=asked.seed)


def _keyed_data(asked: TaskOptions) -> tuple[Strokes, tuple[str, ...], tuple[str, ...]]:
    """Return keystrokes, the people tested, and the cohort: the last users of the set."""
    strokes = None
    if asked.dataset != "demo":
        try:
            strokes = load_aalto(asked.data_path)
        except DatasetNotFoundError as error:
            if asked.dataset != "auto" or asked.data_path is not None:
                raise
            print_notice(_DEMO.format(what="Aalto sentences", why=error), err=asked.as_json)
    else:
        print_notice(_SIMULATED, err=asked.as_json)
    if strokes is None:
        strokes = simulate_keyed_text(24, n_sessions=10, n_keys=40, rng=asked.seed)
    subjects = strokes.subjects
    n_people = min(_PEOPLE, len(subjects) // 2)
    return strokes, subjects[:n_people], subjects[-min(_COHORT, len(subjects) - n_people) :]
