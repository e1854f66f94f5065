"""``hawkeys capture``: own typing recorded in a browser, enrolled, and judged."""

from __future__ import annotations

import shlex
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from hawkeys._validation import check_fraction
from hawkeys.capture import AttemptFile, CaptureServer, Session
from hawkeys.cli.logs import check_output_file, json_option, print_json
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import load_template
from hawkeys.verifiers.templates.template import DEFAULT_VERIFIER

__all__ = ["command"]


@click.command("capture")
@click.option("--text", required=True, help="What is to be typed; Return, which ends it, is added.")
@click.option(
    "--enrol",
    "n_enrol",
    type=int,
    default=10,
    show_default=True,
    help="Samples that make the template, 5 or more.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Append every attempt to this file (JSON lines). Default: what is typed is not stored.",
)
@click.option(
    "--store", type=click.Path(path_type=Path), help="Write the template here once enrolled (JSON)."
)
@click.option(
    "--template",
    "template_path",
    type=click.Path(path_type=Path),
    help="Judge attempts by this template; nothing is enrolled.",
)
@click.option("--user", default="user", show_default=True, help="Name of the typist in --output.")
@click.option("--false-alarm", type=float, default=0.05, show_default=True, help="Share aimed at.")
@click.option("--port", type=int, default=0, help="Port of 127.0.0.1. Default: a free one.")
@json_option
def command(
    text: str,
    output: Path | None,
    store: Path | None,
    template_path: Path | None,
    port: int,
    as_json: bool,
    **how: Any,
) -> None:
    """Record one's own typing of --text in a browser on this machine, and judge it.

    Prints the address of a page, which works once. The first attempts that spell the text enrol;
    each further one is answered with its score, the threshold, the decision and the intervals that
    deviate most. Ctrl-C ends it. The page is served on 127.0.0.1 alone and asks no other machine
    for anything. Needs the extra: pip install "hawkeys[capture]". With --json a line when it
    begins has the address, and one when it ends the counts.
    """
    check_fraction(how["false_alarm"], "--false-alarm")
    if template_path is not None:
        _refuse_what_enrols()
    if store is not None:
        check_output_file(store, *([] if output is None else [output]))
    session = Session(
        text,
        n_enrol=how["n_enrol"],
        user=how["user"],
        verifier=DEFAULT_VERIFIER(false_alarm=how["false_alarm"]),
        template=None if template_path is None else load_template(template_path),
        store=store,
    )
    with ExitStack() as stack:
        server = stack.enter_context(CaptureServer(session, port=port))
        if output is not None:  # last, so that nothing that is refused leaves a file
            session.file = stack.enter_context(AttemptFile(output))
        _say_where(server, session, as_json=as_json)
        with suppress(KeyboardInterrupt):
            server.run()
    _say_what(session, as_json=as_json)


def _refuse_what_enrols() -> None:
    """Refuse options of an enrolment beside --template."""
    context = click.get_current_context()
    options = {"n_enrol": "--enrol", "store": "--store", "false_alarm": "--false-alarm"}
    for name, option in options.items():
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise InvalidParameterError(
                f"--template judges by an earlier enrolment, so that {option} has no effect. Leave "
                "one of the two out."
            )


def _say_where(server: CaptureServer, session: Session, *, as_json: bool) -> None:
    """Print the address, and what is stored."""
    file = session.file
    if file is not None and file.n_bytes_removed:
        click.echo(
            f"hawkeys: warning: {file.path} ended in half an attempt ({file.n_bytes_removed} "
            "bytes), which was removed.",
            err=True,
        )
    if as_json:
        output = None if file is None else str(file.path)
        store = None if session.store is None else str(session.store)
        print_json("capture", {"address": server.address, "output": output, "store": store})
        return
    click.echo("Open this address in a browser on this machine; it works once:")
    click.echo(f"  {server.address}")
    if file is not None:
        click.echo(f"Attempts, wrong ones too, are appended to {file.path}.")
    elif session.store is None:
        click.echo("Nothing is stored; --output keeps the attempts, --store the template.")
    click.echo("Ctrl-C ends it.")


def _say_what(session: Session, *, as_json: bool) -> None:
    """Print what came of the session, and the command that goes on from there."""
    template = session.template
    if as_json:
        threshold = None if template is None else template.threshold
        counts = {"n_attempts": session.n_attempts, "n_samples": session.n_samples}
        n_enrolled = None if template is None else template.n_samples
        enrolled = {"n_enrolled": n_enrolled, "threshold": threshold}
        print_json("capture-end", {**counts, **enrolled})
        return
    click.echo(f"{session.n_attempts} attempts, {session.n_samples} of them samples of the text.")
    if template is not None and session.is_stored:
        click.echo(f"template of {template.n_samples} samples: {session.store}")
    if session.file is not None and session.n_samples:
        command_line = ["hawkeys", "timings", str(session.file.path), "--text"]
        command_line += [session.typed.spelling, "-o", "timings.csv"]
        click.echo(shlex.join(command_line))
