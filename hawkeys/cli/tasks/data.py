"""Data of the tasks: real ones, or simulated ones that say so."""

from __future__ import annotations

from hawkeys.cli.tasks.options import TaskOptions
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

__all__ = ["event_time_data", "fixed_text_data", "keyed_data"]

_PEOPLE, _COHORT = 137, 200
_DEMO = (
    "{what} are not available, so these are SIMULATED, no real person. The figures say nothing "
    "about people. Why: {why}"
)
_SIMULATED = "SIMULATED typists, no real person. The figures say nothing about people."


def event_time_data(asked: TaskOptions) -> EventTimes:
    """Return event times; raises `DatasetNotFoundError` or `DatasetError` for real ones."""
    if asked.dataset == "demo":
        data = simulate_event_times(rng=asked.seed)
        asked.tell(data.provenance["notice"])
        return data
    try:
        return load_press_times(asked.data_path)
    except DatasetNotFoundError as error:
        if asked.dataset != "auto" or asked.data_path is not None:
            raise
        asked.tell(_DEMO.format(what="Press times", why=error))
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
            asked.tell(_DEMO.format(what="Aalto sentences", why=error))
    else:
        asked.tell(_SIMULATED)
    if strokes is None:
        strokes = simulate_keyed_text(24, n_sessions=10, n_keys=40, rng=asked.seed)
    subjects = strokes.subjects
    n_people = min(_PEOPLE, len(subjects) // 2)
    return strokes, subjects[:n_people], subjects[-min(_COHORT, len(subjects) - n_people) :]


def fixed_text_data(asked: TaskOptions) -> Keystrokes:
    """Return samples of one text; raises `DatasetNotFoundError` or `DatasetError` for real ones."""
    samples, _ = load_dataset(asked.dataset, path=asked.data_path)
    if samples.provenance.get("notice"):
        asked.tell(samples.provenance["notice"])
    return samples
