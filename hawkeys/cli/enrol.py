"""``hawkeys enrol``: the samples of one typist made into a template."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import click
import pandas as pd

from hawkeys._validation import check_fraction
from hawkeys.cli.inputs.labels import only_column
from hawkeys.cli.logs import (
    Log,
    check_output_file,
    json_option,
    log_options,
    print_json,
    warnings_at_the_end,
)
from hawkeys.cli.typists.own_data import read_own
from hawkeys.datasets import Keystrokes
from hawkeys.datasets._tables.columns import is_called
from hawkeys.evaluation import make_verifiers
from hawkeys.exceptions import DatasetError, HawkeysWarning, InvalidParameterError
from hawkeys.verifiers import THRESHOLD_POLICIES, BackgroundRatio, OneClassVerifier, enrol
from hawkeys.verifiers.templates.template import DEFAULT_VERIFIER, Template, is_storable

__all__ = ["command"]

_SHOWN = 5
_ANSWERED = ("verifier", "n_samples", "n_keys", "threshold")


@click.command("enrol")
@click.argument("samples", type=click.Path(path_type=Path))
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), required=True, help="Template (JSON)."
)
@click.option(
    "--verifier",
    metavar="NAME",
    help="As for 'hawkeys benchmark', but one of raw timings. Default: "
    f"{DEFAULT_VERIFIER.__name__}.",
)
@click.option("--false-alarm", type=float, default=0.05, show_default=True, help="Share aimed at.")
@click.option(
    "--threshold",
    "policy",
    type=click.Choice(THRESHOLD_POLICIES),
    metavar="POLICY",
    default="leave-one-out",
    show_default=True,
    help=f"Where the threshold comes from: {', '.join(THRESHOLD_POLICIES)}.",
)
@click.option("--subject", help="Typist to enrol, if the table has samples of several.")
@click.option(
    "--background",
    type=click.Path(path_type=Path),
    help="Samples of other typists at the same text (three or more, in a table or folder), to whom "
    "those of a typist with few samples are drawn. The verifier is then background-ratio.",
)
@click.option("--keep-keys", is_flag=True, help="Store the names of the keys, which tell the text.")
@json_option
@log_options
def command(samples: Path, output: Path, log: Log, as_json: bool, **how: Any) -> None:
    """Enrol the typist of SAMPLES, a csv table with one typing sample per row, oldest first.

    Or of a logger's file in any known format, with --text for what was typed; - for stdin.

    Its timing columns are named as in the CMU benchmark (H.k1, DD.k1.k2, UD.k1.k2, H.k2, ...), in
    seconds. A column called subject, user, participant or typist tells typists apart, and one
    called session, sessionIndex or sitting the sessions. The template holds the timings: keep it
    like a password file.
    """
    check_output_file(output, *([samples] if samples != Path("-") else []))
    check_fraction(how["false_alarm"], "--false-alarm")
    with warnings_at_the_end():
        timings, labels = _of_one_typist(samples, log, how["subject"])
        others = None if how["background"] is None else read_own(how["background"], log)
    column = only_column(labels, "session", str(samples))
    _report_unread(labels)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", HawkeysWarning)
        template = enrol(
            timings,
            verifier=_verifier(how["verifier"], how["false_alarm"], others),
            policy=how["policy"],
            sessions=None if column is None else labels[column],
            keep_keys=how["keep_keys"],
            background=others,
        )
    template.save(output)
    for text in dict.fromkeys(str(warning.message) for warning in caught):
        click.echo(f"hawkeys: warning: {text}", err=True)
    _say(template, how["policy"], output, as_json=as_json)


def _say(template: Template, policy: str, output: Path, *, as_json: bool) -> None:
    """Print what was enrolled."""
    aim = template.parameters["false_alarm"]  # --verifier may have set its own
    if as_json:
        answer = {name: getattr(template, name) for name in _ANSWERED}
        print_json("enrol", {"output": str(output), **answer, "policy": policy, "false_alarm": aim})
        return
    click.echo(
        f"{template.verifier}, {template.n_samples} samples of {template.n_keys} keys, threshold "
        f"{template.threshold:.4g} ({policy}, {100 * aim:g} % false alarms): {output}"
    )


def _verifier(
    name: str | None, false_alarm: float, background: Keystrokes | None
) -> OneClassVerifier:
    if name is None:
        kind = DEFAULT_VERIFIER if background is None else BackgroundRatio
        return kind(false_alarm=false_alarm)
    made = make_verifiers([name], false_alarm=false_alarm)
    if len(made) != 1:
        raise InvalidParameterError(
            f"--verifier {name} names {len(made)} verifiers; a template has one. Name one."
        )
    chosen = made[name]
    if not is_storable(chosen):
        raise InvalidParameterError(
            f"--verifier {name}: a template stores verifiers of raw timings only, not "
            f"{type(chosen).__name__}. Choose another one."
        )
    return chosen


def _of_one_typist(path: Path, log: Log, subject: str | None) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return timings and labels of the typist asked for, or of the only one."""
    timings, labels = log.samples(path)
    column = only_column(labels, "user", str(path))
    if column is None:
        if subject is not None:
            raise DatasetError(
                f"{path}: --subject {subject} needs a column 'subject'; the table has none. Leave "
                "the option out if all samples are of one typist."
            )
        return timings, labels
    names = labels[column]
    known = list(dict.fromkeys(names))
    if len(known) > 1 if subject is None else subject not in known:
        what = "a template is of one typist" if subject is None else f"none is {subject!r}"
        rest = f" and {len(known) - _SHOWN} more" if len(known) > _SHOWN else ""
        raise DatasetError(
            f"{path}: samples of {', '.join(known[:_SHOWN])}{rest}; {what}. Choose with --subject."
        )
    rows = names == (known[0] if subject is None and known else subject)
    return timings[rows], labels[rows]


def _report_unread(labels: pd.DataFrame) -> None:
    """Say on stderr which columns might have told typists apart and were not read."""
    parts = ("user", "session", "repetition")
    unread = [
        repr(name)
        for name in labels
        if labels[name].nunique(dropna=False) > 1 and not any(is_called(name, p) for p in parts)
    ]
    if unread:
        click.echo(
            f"hawkeys: warning: not read: {', '.join(unread)}; the {len(labels)} samples are taken "
            "for those of one typist.",
            err=True,
        )
