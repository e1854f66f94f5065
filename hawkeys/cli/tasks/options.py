"""Options of the tasks, and what all of them print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

import click
import pandas as pd

from hawkeys.cli.console import print_table, print_text
from hawkeys.evaluation import REPORTED_FIGURES

__all__ = [
    "KEPT",
    "REPORTED",
    "TASKS",
    "TaskOptions",
    "networks_option",
    "print_columns",
    "with_reported",
]

TASKS = ("fixed-text", "event-times", "few-shot", "free-text")
"""Names of the tasks; the first is that of all other options."""

KEPT = (
    "alarm, miss: rates in later sessions (recordings) at the one threshold of equal errors in the "
    "first. ms: to decide one sample.\n"
)
"""What the columns of kept thresholds are."""

REPORTED = (
    "reported: by the authors of the networks, on other data or on splits that leak; no measure "
    "for the figures beside it.\n"
)
"""What the column of reported figures is."""

networks_option = click.option(
    "--networks",
    is_flag=True,
    help="Train also the networks of --task event-times, few-shot or free-text (extra [neural]; "
    "minutes).",
)
"""The option --networks."""


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

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> TaskOptions:
        """Return what was asked of the command, as parsed."""
        taken = {field.name: options[field.name] for field in fields(cls)}
        return cls(**{**taken, "output": options["output"] if options["report"] else None})

    def say(self, text: str) -> None:
        """Print a paragraph, unless stdout holds JSON."""
        if not self.as_json:
            print_text(text)

    def show(self, table: pd.DataFrame) -> None:
        """Print a table, unless stdout holds JSON."""
        if not self.as_json:
            print_table(table)


def with_reported(rates: pd.DataFrame, asked: TaskOptions) -> pd.DataFrame:
    """Return rates with what authors of networks report, if there are networks."""
    if not asked.networks:
        return rates
    return rates.assign(reported=[REPORTED_FIGURES.get(name, "") for name in rates["system"]])


def print_columns(
    rates: pd.DataFrame, rounded: Sequence[str], names: Mapping[str, str], asked: TaskOptions
) -> None:
    """Print system, the rounded columns, kept thresholds, costs, and reported figures if any."""
    kept = {"false_alarm_kept": "alarm", "miss_kept": "miss"}
    costs = {"train_seconds": "train s", **names, "decide_ms": "ms", "reported": "reported"}
    columns = dict.fromkeys(name for name in ("system", *rounded, *kept, *costs) if name in rates)
    shown = rates[[*columns]].round(3).rename(columns={**costs, **names, **kept})
    asked.show(shown.astype(object).where(shown.notna(), ""))
