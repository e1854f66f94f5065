"""``hawkeys benchmark``: error rates of verifiers on typing data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
from sklearn.base import BaseEstimator

from hawkeys.cli.console import (
    print_evaluation,
    print_notice,
    print_text,
    progress_on_stderr,
)
from hawkeys.cli.logs import (
    json_option,
    log_options,
    print_json,
    refuse_same_file,
    warnings_at_the_end,
)
from hawkeys.cli.tasks import TASKS, TaskOptions, networks_option, run_task
from hawkeys.cli.typists.alarms import ALARMS, print_alarms
from hawkeys.cli.typists.options import BenchmarkOptions, check_task
from hawkeys.cli.typists.others import with_others
from hawkeys.cli.typists.own_data import read_own
from hawkeys.cli.typists.studies import run_studies
from hawkeys.datasets import Keystrokes, load_dataset
from hawkeys.evaluation import (
    DEFAULT_VERIFIERS,
    PROTOCOLS,
    VERIFIERS,
    Evaluation,
    Protocol,
    Run,
    check_output_directory,
    discard_checkpoints,
    evaluate,
    false_alarm_rates,
    make_verifiers,
)
from hawkeys.evaluation.report.exports import REPORT_FILES
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import THRESHOLD_POLICIES

__all__ = ["command"]

_OUTPUT = "hawkeys-output"
_EPILOG = "\b\nVerifiers (parameters: hawkeys verifiers):\n" + "\n".join(
    f"  {entry.name:<28} {entry.description}" for entry in VERIFIERS.values()
)
_EPILOG += "\n\n\b\nProtocols (training, genuine tests, samples of each impostor):\n" + "\n".join(
    f"  {rules.name:<28} {rules.n_train}, {rules.n_genuine}, {rules.n_impostor or 'all'}"
    for rules in PROTOCOLS.values()
)


@click.command("benchmark", epilog=_EPILOG)
@click.argument("data", required=False, type=click.Path(path_type=Path))
@click.option(
    "--task",
    type=click.Choice(TASKS),
    default=TASKS[0],
    show_default=True,
    help="fixed-text: verifiers of one password. event-times: who types, by times without keys. "
    "few-shot: new people enrol with 1 to 10 samples of a password. free-text: who typed a "
    "sentence. The latter three use --networks, --dataset, --data-path, --output, --report, "
    "--false-alarm, --seed and --json alone.",
)
@networks_option
@click.option(
    "--dataset",
    type=click.Choice(
        ["auto", "cmu", "bksd-password", "bksd-phrase", "press-times", "aalto", "demo"]
    ),
    default="auto",
    show_default=True,
    metavar="NAME",
    help="cmu, bksd-password, bksd-phrase, press-times, aalto, demo, or auto: the real data of the "
    "task (cmu, press-times or aalto), or simulated ones if they cannot be had.",
)
@click.option(
    "--data-path",
    type=click.Path(),
    help="File of the data set that --dataset names, or folder of the press times.",
)
@click.option(
    "--protocol",
    type=click.Choice(list(PROTOCOLS)),
    metavar="NAME",
    help="Who trains, who tests and who plays the impostor, as listed below. Default: "
    "five-subjects; first-200 of BKSD; first-half of DATA.",
)
@click.option(
    "--train",
    metavar="PORTION",
    help="What trains of each typist: a number (200), a share (0.5) or sessions (first 4 sessions; "
    "session 1).",
)
@click.option(
    "--test", metavar="PORTION", help="What tests, likewise, or rest: all that follows training."
)
@click.option(
    "--impostors",
    type=click.Choice(["others", "labelled", "both", "none"]),
    help="Who plays the impostor. Default: labelled samples of DATA if there are, else the others; "
    "none, with false alarms alone, of a single typist.",
)
@click.option(
    "--impostor-column",
    metavar="NAME",
    help="Column of DATA that says which samples are an impostor's, or who typed. Default: the one "
    "called impostor.",
)
@click.option(
    "--impostors-from",
    metavar="SOURCE",
    help="Others at the same text who play the impostor, their first five samples each: a file or "
    "folder like DATA, or a name of --dataset. For a single typist.",
)
@click.option(
    "--background",
    metavar="SOURCE",
    help="Others at the same text from whom background-ratio learns how people differ, and who are "
    "never tested: a file or folder like DATA, or so many typists of the data (10).",
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
    "--figures",
    default="png",
    show_default=True,
    help="Formats of the report's figures, separated by commas: png, svg, pdf. The page has png.",
)
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
@json_option
@log_options
def command(**options: Any) -> None:
    """Measure how well verifiers tell typists apart.

    Prints one row per verifier, with the mean over subjects and its 95 % bootstrap interval: the
    share of impostor samples accepted when 5 % of the genuine ones may be rejected (miss at 5 %),
    the equal-error rate (EER) and the area under the ROC curve (AUC). Writes the report, with
    tables and figures, into the folder that --output names.

    DATA is your own: a table of typing samples, a log of key events in any known format with --text
    (- for stdin), or a folder of such files. Of files that do not say who typed, each is of the
    typist that it, or its subfolder, is called after. Without DATA, the set of --dataset is taken.

    With --task event-times, few-shot or free-text it compares the systems of that task across
    sessions or recordings instead, with one threshold per subject, with one for all, and with one
    that the first session sets; --networks puts the networks of the task beside them.

    Interrupted, it keeps the finished subjects in the output folder; the same command goes on from
    there.
    """
    task, as_json = options.pop("task"), options["as_json"]
    check_task(task, options)
    if task != TASKS[0]:
        run_task(task, TaskOptions.of(options))
        return
    options.pop("networks")
    asked = BenchmarkOptions(**options)
    with warnings_at_the_end(), progress_on_stderr() as progress:
        run = Run(progress=progress, checkpoint=asked.unfinished)
        verifiers = _check(asked)
        typed, background = with_others(asked, _load(asked, run))
        rules = asked.rules(typed, background)
        if rules.impostors == "none":
            rates = false_alarm_rates(
                verifiers, typed, protocol=rules, false_alarm=asked.false_alarm, progress=progress
            )
        else:
            evaluation, page = _evaluate(asked, verifiers, typed, rules, run)
    if rules.impostors == "none":
        print_alarms(asked, typed, rules, rates)
    elif as_json:
        print_json("benchmark", _answer(evaluation, page))
    else:
        print_evaluation(evaluation)
        if page is not None:
            print_text(f"\nReport: {page}")


def _check(asked: BenchmarkOptions) -> Mapping[str, BaseEstimator]:
    """Return the verifiers, after a look at everything that can be wrong before the long work."""
    verifiers = make_verifiers(
        asked.names,
        false_alarm=asked.false_alarm,
        published=asked.paper,
        random_state=asked.seed,
    )
    _ = asked.policies, asked.formats
    if asked.studies and not asked.report:
        raise InvalidParameterError(
            "--studies is shown in the report only, which --no-report leaves out. Drop one of them."
        )
    if asked.report:
        if not asked.output:
            raise InvalidParameterError("--output names no folder; write . for this one.")
        check_output_directory(asked.output)
        given = (asked.data, asked.data_path, asked.impostors_from, asked.background)
        inputs = [Path(one) for one in given if one]
        for name in (*REPORT_FILES, ALARMS):
            refuse_same_file(Path(asked.output) / name, *inputs)
    return verifiers


def _load(asked: BenchmarkOptions, run: Run) -> Keystrokes:
    """Return the samples; what must be known of them is said before the long work, not after."""
    run.report("Loading data", 0, 1)
    if asked.data is None:
        typed, _ = load_dataset(asked.dataset, path=asked.data_path)
    else:
        typed = read_own(asked.data, asked.log, asked.impostor_column)
    run.report("Loading data", 1, 1)
    if typed.provenance.get("notice"):
        print_notice(typed.provenance["notice"], err=asked.as_json)
    return typed


def _evaluate(
    asked: BenchmarkOptions,
    verifiers: Mapping[str, BaseEstimator],
    typed: Keystrokes,
    rules: Protocol,
    run: Run,
) -> tuple[Evaluation, Path | None]:
    """Return the evaluation and the page of the report, if there is one."""
    how: dict[str, Any] = {
        "false_alarm": asked.false_alarm,
        "random_state": asked.seed,
        "n_jobs": asked.jobs,
    }
    evaluation = evaluate(verifiers, typed, protocol=rules, run=run, **how)
    if not asked.report:
        return evaluation, None
    studies = run_studies(evaluation, verifiers, typed, how) if asked.studies else {}
    repeat = asked.as_command(evaluation.provenance["dataset"])
    page = evaluation.report(
        asked.output,
        command=repeat,
        studies=studies,
        progress=run.progress,
        figures=asked.formats,
    )
    discard_checkpoints(run)
    return evaluation, page


def _answer(evaluation: Evaluation, page: Path | None) -> dict[str, Any]:
    """Return the summary as JSON holds it."""
    return {
        "protocol": evaluation.protocol.name,
        "protocol_text": evaluation.protocol_text,
        "false_alarm": evaluation.false_alarm,
        "interval_note": evaluation.interval_note,
        "notice": evaluation.notice,
        "report": None if page is None else str(page),
        "summary": evaluation.summary().reset_index().to_dict("records"),
    }
