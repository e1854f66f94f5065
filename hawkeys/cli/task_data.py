"""What a task of ``hawkeys benchmark`` is asked, and its data: real ones, or simulated ones."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from hawkeys.cli.console import print_notice, print_table, print_text
from hawkeys.datasets import (
    EventTimes,
    Keystrokes,
    Strokes,
    load_aalto,
    load_dataset,
    load_press_times,
    simulate_event_times,
    simulate_keyed_text,
)
from hawkeys.exceptions import DatasetNotFoundError

__all__ = ["TaskOptions", "event_time_data", "fixed_text_data", "keyed_data"]

_PEOPLE, _COHORT = 137, 200
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
    networks : bool, default False
        Whether the networks of the task are trained beside the other systems.
    as_json : bool, default False
        Print the tables as JSON.
    """

    dataset: str
    data_path: str | None
    output: str | None
    false_alarm: float
    seed: int
    networks: bool = False
    as_json: bool = False

    def say(self, text: str) -> None:
        """Print a paragraph, unless stdout holds JSON."""
        if not self.as_json:
            print_text(text)

    def show(self, table: pd.DataFrame) -> None:
        """Print a table, unless stdout holds JSON."""
        if not self.as_json:
            print_table(table)


def event_time_data(asked: TaskOptions) -> EventTimes:
    """Return event times; raises `DatasetNotFoundError` or `DatasetError` for real ones."""
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


def keyed_data(asked: TaskOptions) -> tuple[Strokes, tuple[str, ...], tuple[str, ...]]:
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


def fixed_text_data(asked: TaskOptions) -> Keystrokes:
    """Return samples of one text; raises `DatasetNotFoundError` or `DatasetError` for real ones."""
    samples, _ = load_dataset(asked.dataset, path=asked.data_path)
    if samples.provenance.get("notice"):
        print_notice(samples.provenance["notice"], err=asked.as_json)
    return samples
