"""Options of ``hawkeys benchmark``, and the protocol that they come to on some data."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

import click
import numpy as np

from hawkeys.cli.logs import Log
from hawkeys.cli.tasks import TASKS
from hawkeys.datasets import Keystrokes
from hawkeys.evaluation import VERIFIERS, Protocol, get_protocol
from hawkeys.evaluation.report.files import UNFINISHED
from hawkeys.evaluation.report.write import check_formats
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import THRESHOLD_POLICIES
from hawkeys.verifiers.thresholds import SESSION_POLICIES

__all__ = ["BenchmarkOptions", "check_task"]

_DATA_OF = {
    "fixed-text": ("cmu", "bksd-password", "bksd-phrase"),
    "event-times": ("press-times",),
    "few-shot": ("cmu",),
    "free-text": ("aalto",),
}


# options that a command names only if they were given
_ASKED = ("train", "test", "impostors", "impostor_column", "impostors_from", "background")


@dataclass(frozen=True)
class BenchmarkOptions:
    """Options of the command, as parsed."""

    data: Path | None
    dataset: str
    data_path: str | None
    protocol: str | None
    train: str | None
    test: str | None
    impostors: str | None
    impostor_column: str | None
    impostors_from: str | None
    background: str | None
    verifiers: str
    thresholds: str
    output: str
    report: bool
    figures: str
    jobs: int
    studies: bool
    paper: bool
    false_alarm: float
    seed: int
    as_json: bool
    log: Log

    @property
    def names(self) -> list[str]:
        """The verifiers asked for; raises `InvalidParameterError` if there is none."""
        return _words(self.verifiers, "--verifiers", tuple(VERIFIERS))

    @property
    def policies(self) -> tuple[str, ...]:
        """The threshold policies asked for; raises `InvalidParameterError` if there is none."""
        words = _words(self.thresholds, "--thresholds", THRESHOLD_POLICIES)
        return THRESHOLD_POLICIES if words == ["all"] else tuple(words)

    @property
    def formats(self) -> tuple[str, ...]:
        """The formats of figures asked for; raises `InvalidParameterError` if there is another."""
        return check_formats(_words(self.figures.lower(), "--figures", ("png", "svg", "pdf")))

    def protocol_name(self, dataset: str) -> str:
        """Return the name of the protocol asked for, or of the one for such data."""
        if self.protocol is not None:
            return self.protocol
        if self.data is not None:
            return "first-half"
        return "first-200" if dataset.startswith("bksd") else "five-subjects"

    def rules(self, typed: Keystrokes, background: tuple[str, ...] = ()) -> Protocol:
        """Return the protocol for these samples, with what was asked for put in.

        Of all policies, those that hold out sessions are left out where somebody trains on one.
        """
        dataset = typed.provenance.get("dataset", "")
        rules = replace(
            get_protocol(self.protocol_name(dataset)),
            policies=self.policies,
            background=background,
        )
        own = self.data is not None or self.impostors_from is not None
        impostors = self.impostors or (_likely(typed, background) if own else rules.impostors)
        if self.train or self.test or impostors != rules.impostors:
            rules = replace(
                rules,
                name="own",
                n_train=self.train or rules.n_train,
                n_genuine=self.test or rules.n_genuine,
                impostors=impostors,
                short="leave out",
                reference="",
            )
        if self.thresholds.strip() == "all":
            trained = [np.unique(typed.session[one.train]).size for one in rules.split(typed)]
            if min(trained) < 2:
                rules = replace(
                    rules,
                    policies=tuple(one for one in self.policies if one not in SESSION_POLICIES),
                )
        return rules

    @property
    def unfinished(self) -> Path | None:
        """Where finished subjects are kept until the report is written."""
        return Path(self.output) / UNFINISHED if self.report else None

    def as_command(self, dataset: str) -> str:
        """Return the command that repeats this run on the data set that was found."""
        words = ["hawkeys", "benchmark"]
        words += ["--dataset", dataset] if self.data is None else [str(self.data)]
        words += ["--protocol", self.protocol_name(dataset)]
        for name in _ASKED:
            value = getattr(self, name)
            words += [] if value is None else [f"--{name.replace('_', '-')}", value]
        words += ["--verifiers", ",".join(self.names), "--false-alarm", f"{self.false_alarm:g}"]
        words += ["--thresholds", self.thresholds]
        words += ["--seed", str(self.seed), "--jobs", str(self.jobs)]
        for field in fields(Log):
            value = getattr(self.log, field.name)
            if value != field.default:
                words += [f"--{field.name.replace('_', '-')}", value]
        words += ["--paper"] if self.paper else []
        words += ["--studies"] if self.studies else []
        words += ["--data-path", self.data_path] if self.data_path else []
        words += ["--figures", self.figures] if self.figures != "png" else []
        words += ["--output", self.output] if self.report else ["--no-report"]
        return shlex.join(words)


def _likely(typed: Keystrokes, background: tuple[str, ...]) -> str:
    """Return who can play the impostor in samples of one's own."""
    if (typed.impostor != "").any():
        return "labelled"
    return "others" if len(set(typed.subjects) - set(background)) > 1 else "none"


def _words(text: str, option: str, known: tuple[str, ...]) -> list[str]:
    """Split a list at its commas; raises `InvalidParameterError` if nothing is in it."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        raise InvalidParameterError(f"{option} names none; choose from: {', '.join(known)}.")
    return words


def check_task(task: str, options: Mapping[str, Any]) -> None:
    """Refuse, with `InvalidParameterError`, data of another task, and options it does not use."""
    dataset, data = options["dataset"], options["data"]
    if dataset not in ("auto", "demo", *_DATA_OF[task]):
        raise InvalidParameterError(
            f"--task {task} takes --dataset auto, {', '.join(_DATA_OF[task])} or demo; got "
            f"{dataset}."
        )
    if data is not None and (task != TASKS[0] or dataset != "auto" or options["data_path"]):
        raise InvalidParameterError(
            f"DATA ({data}) is for --task {TASKS[0]}, without --dataset and --data-path. Leave one "
            "of them out."
        )
    if data is None and options["impostor_column"]:
        raise InvalidParameterError(
            "--impostor-column is for DATA of your own; got none. Name a table, or leave it out."
        )
    if options["networks"] and task == TASKS[0]:
        raise InvalidParameterError(
            f"--networks is for --task {', '.join(TASKS[1:])}; got --task {task}. Leave it out."
        )
    context = click.get_current_context()
    used = {"task", "networks", "dataset", "data_path", "output", "report", "false_alarm", "seed",
            "as_json"}  # fmt: skip
    for name in sorted(set(context.params) - used) if task != TASKS[0] else ():
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise InvalidParameterError(
                f"--{name} is for --task {TASKS[0]} alone; got it with --task {task}. Leave it out."
            )
