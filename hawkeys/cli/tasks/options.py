"""Options of the tasks, and what all of them print."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import click
import pandas as pd

from hawkeys.cli.console import print_notice, print_table, print_text
from hawkeys.evaluation import REPORTED_FIGURES
from hawkeys.evaluation.studies.learned import uses
from hawkeys.verifiers import Needs

__all__ = [
    "KEPT",
    "REPORTED",
    "TASKS",
    "TaskOptions",
    "networks_option",
    "print_columns",
    "print_costs",
    "with_reported",
]

TASKS = ("fixed-text", "event-times", "few-shot", "free-text")
"""Names of the tasks; the first is that of all other options."""

KEPT = (
    "alarm, miss: rates in later sessions (recordings) at the one threshold of equal errors in the "
    "first.\n"
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
    said : list of str or DataFrame
        What the task has said and shown so far, for the page.
    notices : list of str
        What it has told of the data.
    """

    dataset: str
    data_path: str | None
    output: str | None
    false_alarm: float
    seed: int
    networks: bool = False
    as_json: bool = False
    said: list[str | pd.DataFrame] = field(default_factory=list)
    notices: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, options: Mapping[str, Any]) -> TaskOptions:
        """Return what was asked of the command, as parsed."""
        taken = {
            one.name: options[one.name]
            for one in fields(cls)
            if one.name not in ("said", "notices")
        }
        return cls(**{**taken, "output": options["output"] if options["report"] else None})

    def command(self, task: str) -> str:
        """Return the command that repeats this run of a task."""
        parts = ["hawkeys", "benchmark", "--task", task, "--dataset", self.dataset]
        parts += ["--data-path", self.data_path] if self.data_path is not None else []
        parts += ["--networks"] if self.networks else []
        parts += ["--false-alarm", f"{self.false_alarm:g}", "--seed", str(self.seed)]
        return shlex.join([*parts, "--output", str(self.output)])

    def tell(self, notice: str) -> None:
        """Print what must be known of the data first, and keep it for the page."""
        self.notices.append(notice)
        print_notice(notice, err=self.as_json)

    def say(self, text: str) -> None:
        """Print a paragraph, unless stdout holds JSON, and keep it for the page."""
        self.said.extend(part.strip() for part in text.split("\n\n"))
        if not self.as_json:
            print_text(text)

    def show(self, table: pd.DataFrame) -> None:
        """Print a table, unless stdout holds JSON, and keep it for the page."""
        self.said.append(table)
        if not self.as_json:
            print_table(table)


def with_reported(rates: pd.DataFrame, asked: TaskOptions) -> pd.DataFrame:
    """Return rates with what authors of networks report, if there are networks."""
    if not asked.networks:
        return rates
    return rates.assign(reported=[REPORTED_FIGURES.get(name, "") for name in rates["system"]])


def print_costs(rates: pd.DataFrame, needs: Mapping[str, Needs], asked: TaskOptions) -> None:
    """Print what each system looks at, what it holds, and what it costs."""
    asked.say("\nWhat each system uses, holds and costs:\n")
    asked.show(
        pd.DataFrame(
            {
                "system": rates["system"],
                "uses": [uses(needs[name]) for name in rates["system"]],
                "numbers": rates["n_learned"].round().astype(int),
                "train s": rates["train_seconds"].round(2),
                "ms": rates["decide_ms"].round(3),
            }
        )
    )
    asked.say(
        "numbers: learned of all people together, weights of networks among them. train s: "
        "processor time to learn them; ms: to decide one sample.\n"
    )


def print_columns(
    rates: pd.DataFrame, rounded: Sequence[str], names: Mapping[str, str], asked: TaskOptions
) -> None:
    """Print system, the rounded columns, kept thresholds, and reported figures if any."""
    kept = {"false_alarm_kept": "alarm", "miss_kept": "miss"}
    wanted = ("system", *rounded, *kept, "reported")
    shown = rates[[name for name in wanted if name in rates]].round(3)
    shown = shown.rename(columns={**names, **kept})
    asked.show(shown.astype(object).where(shown.notna(), ""))
