"""``hawkeys benchmark``: error rates of verifiers on typing data."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import click
import pandas as pd
from sklearn.base import BaseEstimator

from hawkeys.cli.console import print_notice, print_summary, print_text, progress_on_stderr
from hawkeys.cli.paths import refuse_same_file
from hawkeys.cli.tasks import TASKS, TaskOptions, run_task
from hawkeys.datasets import Keystrokes, load_dataset
from hawkeys.evaluation import (
    DEFAULT_VERIFIERS,
    PROTOCOLS,
    VERIFIERS,
    Evaluation,
    Protocol,
    Run,
    check_output_directory,
    clock_resolutions,
    discard_checkpoints,
    enrolment_sizes,
    evaluate,
    get_protocol,
    make_verifiers,
    practice_rates,
)
from hawkeys.evaluation.report.exports import REPORT_FILES
from hawkeys.evaluation.report.files import UNFINISHED
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import THRESHOLD_POLICIES

__all__ = ["command"]

_OUTPUT = "hawkeys-output"
_EPILOG = "\b\nVerifiers (parameters: hawkeys verifiers):\n" + "\n".join(
    f"  {entry.name:<28} {entry.description}" for entry in VERIFIERS.values()
)


@dataclass(frozen=True)
class _Options:
    """Options of the command, as parsed."""

    dataset: str
    data_path: str | None
    protocol: str
    verifiers: str
    thresholds: str
    output: str
    report: bool
    jobs: int
    studies: bool
    paper: bool
    false_alarm: float
    seed: int

    @property
    def names(self) -> list[str]:
        """The verifiers asked for; raises `InvalidParameterError` if there is none."""
        return _words(self.verifiers, "--verifiers", tuple(VERIFIERS))

    @property
    def rules(self) -> Protocol:
        """The protocol with the threshold policies asked for."""
        policies = _words(self.thresholds, "--thresholds", THRESHOLD_POLICIES)
        chosen = THRESHOLD_POLICIES if policies == ["all"] else tuple(policies)
        return replace(get_protocol(self.protocol), policies=chosen)

    @property
    def unfinished(self) -> Path | None:
        """Where finished subjects are kept until the report is written."""
        return Path(self.output) / UNFINISHED if self.report else None

    def as_command(self, dataset: str) -> str:
        """Return the command that repeats this run on the data set that was found."""
        words = ["hawkeys", "benchmark", "--dataset", dataset, "--protocol", self.protocol]
        words += ["--verifiers", ",".join(self.names), "--false-alarm", f"{self.false_alarm:g}"]
        words += ["--thresholds", self.thresholds]
        words += ["--seed", str(self.seed), "--jobs", str(self.jobs)]
        words += ["--paper"] if self.paper else []
        words += ["--studies"] if self.studies else []
        words += ["--data-path", self.data_path] if self.data_path else []
        words += ["--output", self.output] if self.report else ["--no-report"]
        return shlex.join(words)


@click.command("benchmark", epilog=_EPILOG)
@click.option(
    "--task",
    type=click.Choice(TASKS),
    default=TASKS[0],
    show_default=True,
    help="fixed-text: verifiers of one password. event-times: who types, by times without keys. "
    "free-text: who typed a sentence. The latter two use --dataset, --data-path, --output, "
    "--report, --false-alarm and --seed alone.",
)
@click.option(
    "--dataset",
    type=click.Choice(["auto", "cmu", "press-times", "aalto", "demo"]),
    default="auto",
    show_default=True,
    help="auto takes the real data of the task (cmu, press-times or aalto), or simulated ones if "
    "they cannot be had.",
)
@click.option(
    "--data-path",
    type=click.Path(),
    help="File of the CMU benchmark or of the Aalto sentences, or folder of the press times.",
)
@click.option(
    "--protocol",
    type=click.Choice(list(PROTOCOLS)),
    default="five-subjects",
    show_default=True,
    help="Who trains, who tests and who plays the impostor.",
)
@click.option(
    "--verifiers",
    default=",".join(DEFAULT_VERIFIERS),
    help="Names, listed below, separated by commas, or all. Default: the first four.",
)
@click.option(
    "--thresholds",
    default="all",
    show_default=True,
    help="Where thresholds come from, separated by commas: " + ", ".join(THRESHOLD_POLICIES) + ".",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(),
    default=_OUTPUT,
    show_default=True,
    help="Folder for the report: one web page, tables (CSV) and figures (PNG).",
)
@click.option("--report/--no-report", default=True, help="Write the report, or print only.")
@click.option(
    "--jobs", type=int, default=-1, show_default=True, help="Processes; -1: one per core."
)
@click.option(
    "--studies",
    is_flag=True,
    help="Report also how enrolment size, clock and impostors' practice matter (minutes).",
)
@click.option(
    "--paper",
    is_flag=True,
    help="Hawkes features exactly as published, by stochastic inference (minutes).",
)
@click.option(
    "--false-alarm",
    type=float,
    default=0.05,
    show_default=True,
    help="Share of genuine samples that may be rejected.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Seed of all that is random.")
def command(**options: Any) -> None:
    """Measure how well verifiers tell typists apart.

    Prints one row per verifier, with the mean over subjects and its 95 % bootstrap interval: the
    share of impostor samples accepted when 5 % of the genuine ones may be rejected (miss at 5 %),
    the equal-error rate (EER) and the area under the ROC curve (AUC). Writes the report, with
    tables and figures, into the folder that --output names.

    With --task event-times or free-text it compares the systems of that task across sessions or
    recordings instead, with one threshold per subject and with one for all.

    Interrupted, it keeps the finished subjects in the output folder; the same command goes on from
    there.
    """
    task = options.pop("task")
    _check_task(task, options["dataset"])
    if task != TASKS[0]:
        run_task(task, _task_options(options))
        return
    asked = _Options(**options)
    with progress_on_stderr() as progress:
        run = Run(progress=progress, checkpoint=asked.unfinished)
        evaluation, studies = _evaluate(asked, run)
        page = None
        if asked.report:
            repeat = asked.as_command(evaluation.provenance["dataset"])
            page = evaluation.report(
                asked.output, command=repeat, studies=studies, progress=progress
            )
            discard_checkpoints(run)
    _print(evaluation)
    if page is not None:
        print_text(f"\nReport: {page}")


_DATA_OF = {"fixed-text": "cmu", "event-times": "press-times", "free-text": "aalto"}


def _check_task(task: str, dataset: str) -> None:
    """Refuse, with `InvalidParameterError`, data of another task, and options it does not use."""
    if dataset not in ("auto", "demo", _DATA_OF[task]):
        raise InvalidParameterError(
            f"--task {task} takes --dataset auto, {_DATA_OF[task]} or demo; got {dataset}."
        )
    context = click.get_current_context()
    used = {"task", "dataset", "data_path", "output", "report", "false_alarm", "seed"}
    for name in sorted(set(context.params) - used) if task != TASKS[0] else ():
        if context.get_parameter_source(name) is click.core.ParameterSource.COMMANDLINE:
            raise InvalidParameterError(
                f"--{name} is for --task {TASKS[0]} alone; got it with --task {task}. Leave it out."
            )


def _task_options(options: Mapping[str, Any]) -> TaskOptions:
    return TaskOptions(
        dataset=options["dataset"],
        data_path=options["data_path"],
        output=options["output"] if options["report"] else None,
        false_alarm=options["false_alarm"],
        seed=options["seed"],
    )


def _evaluate(asked: _Options, run: Run) -> tuple[Evaluation, Mapping[str, pd.DataFrame]]:
    """Check everything that can be wrong before the long work, then do it."""
    verifiers = make_verifiers(
        asked.names,
        false_alarm=asked.false_alarm,
        published=asked.paper,
        random_state=asked.seed,
    )
    rules = asked.rules
    if asked.studies and not asked.report:
        raise InvalidParameterError(
            "--studies is shown in the report only, which --no-report leaves out. Drop one of them."
        )
    if asked.report:
        if not asked.output:
            raise InvalidParameterError("--output names no folder; write . for this one.")
        check_output_directory(asked.output)
        if asked.data_path is not None:
            for name in REPORT_FILES:
                refuse_same_file(Path(asked.output) / name, Path(asked.data_path))
    data = _load(asked, run)
    how: dict[str, Any] = {
        "false_alarm": asked.false_alarm,
        "random_state": asked.seed,
        "n_jobs": asked.jobs,
    }
    evaluation = evaluate(verifiers, data, protocol=rules, run=run, **how)
    studies = _studies(evaluation, verifiers, data, how) if asked.studies and asked.report else {}
    return evaluation, studies


def _load(asked: _Options, run: Run) -> Keystrokes:
    """Return the data; of simulated ones the notice comes before the long work, not after it."""
    run.report("Loading data", 0, 1)
    data, provenance = load_dataset(asked.dataset, path=asked.data_path)
    run.report("Loading data", 1, 1)
    if provenance.notice:
        print_notice(provenance.notice)
    return data


def _studies(
    evaluation: Evaluation,
    verifiers: Mapping[str, BaseEstimator],
    data: Keystrokes,
    how: Mapping[str, Any],
) -> dict[str, pd.DataFrame]:
    """Return the studies that take evaluations of their own."""
    rules = evaluation.protocol
    studies = {"enrolment": enrolment_sizes(verifiers, data, protocol=rules, **how)}
    # a log-normal model has no place for holds of 0, which a coarse clock makes
    coarse = {name: one for name, one in verifiers.items() if not name.startswith("pohmm")}
    if coarse:
        studies["clock"] = clock_resolutions(coarse, data, protocol=rules, **how)
    if rules.n_impostor is None:
        studies["practice"] = practice_rates(evaluation)
    return studies


def _words(text: str, option: str, known: tuple[str, ...]) -> list[str]:
    """Split a list at its commas; raises `InvalidParameterError` if nothing is in it."""
    words = [word.strip() for word in text.split(",") if word.strip()]
    if not words:
        raise InvalidParameterError(f"{option} names none; choose from: {', '.join(known)}.")
    return words


def _print(evaluation: Evaluation) -> None:
    told = evaluation.provenance.get("notice", "")  # before the work
    rest = evaluation.notice.removeprefix(told).strip()
    if rest:
        print_notice(rest)
    print_text(f"Protocol {evaluation.protocol.name}. {evaluation.protocol_text}")
    print_text(
        f"\nMiss rate at {100 * evaluation.false_alarm:g} % false alarms, equal-error rate (EER), "
        "area under the ROC curve (AUC):\n"
    )
    print_summary(evaluation.summary(), evaluation.false_alarm)
    print_text(f"\n{evaluation.interval_note}")
