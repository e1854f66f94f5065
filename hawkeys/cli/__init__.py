"""The command line: parse, call, print.

Each command is a module of this package with a function `command`. Modules are imported when their
command runs, because scikit-learn and pandas take two seconds to import and ``hawkeys --help``
needs neither.
"""

from __future__ import annotations

import importlib
import logging
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import click

from hawkeys._progress import keep_quiet, stages
from hawkeys._version import __version__
from hawkeys.exceptions import HawkeysError

__all__ = ["command_line", "main"]

# Name of each command, which is also its module (import, a word of Python, apart), and its line in
# the help.
_COMMANDS = {
    "benchmark": "Measure how well verifiers tell typists apart.",
    "capture": "Record one's own typing in a browser, and judge it.",
    "datasets": "List the data sets and where they are.",
    "enrol": "Make a template of a typist's samples.",
    "features": "Turn typing samples into Hawkes features.",
    "fit": "Fit a Hawkes process to a table of events.",
    "formats": "List the files of loggers that can be read.",
    "import": "Turn a logger's file into a table of key events.",
    "timings": "Turn key events into typing samples of a text.",
    "verifiers": "List the verifiers and their parameters.",
    "verify": "Check typing samples against a template.",
    "warmup": "Compile numerical code before it is needed.",
}

_STATUSES = """\b
Exit status:
  0    all is well
  1    verify: a sample was rejected
  2    an error, told in one line on stderr
  130  interrupted (Ctrl-C)"""


class _CommandTable(click.Group):
    """A group that lists its commands from a table and imports only the one that runs."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in _COMMANDS:
            return None
        module = {"import": "import_log"}.get(cmd_name, cmd_name)
        command: click.Command = importlib.import_module(f"hawkeys.cli.{module}").command
        if not any(option.name == "quiet" for option in command.params):
            command.params.append(_quiet_option())
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(sorted(_COMMANDS.items()))


def _quiet_option() -> click.Option:
    """Return the option --quiet, which every command has."""
    return click.Option(
        ["-q", "--quiet"],
        is_flag=True,
        expose_value=False,
        callback=_be_quiet,
        help="No progress and no notes on stderr, only warnings and errors.",
    )


def _be_quiet(context: click.Context, _option: click.Parameter, quiet: bool) -> None:
    if quiet:
        context.meta["quiet"] = True
        context.with_resource(keep_quiet())
        logging.getLogger("hawkeys").setLevel(logging.WARNING)


@click.group(
    cls=_CommandTable,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog=_STATUSES,
)
@click.version_option(__version__, message="hawkeys %(version)s")
@click.pass_context
def command_line(context: click.Context) -> None:
    """Statistical Hawkes processes, and a laboratory for keystroke dynamics."""
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; the entry point of ``hawkeys``.

    Parameters
    ----------
    arguments : sequence of str, optional
        Command and options; by default those of the process.

    Returns
    -------
    int
        Exit status: 0, 1 if ``verify`` rejected a sample, 2 after an error (one line on stderr),
        130 after an interruption.

    Examples
    --------
    >>> from hawkeys.cli import main
    >>> main(["--version"])  # doctest: +ELLIPSIS
    hawkeys ...
    0
    """
    given = None if arguments is None else list(arguments)
    if any("\0" in word for word in given or ()):
        return _fail("an argument holds a NUL character, which no path or name has.", 2)
    try:
        with _log_on_stderr():
            status = command_line.main(
                args=given,
                prog_name="hawkeys",
                standalone_mode=False,
            )
    except (click.Abort, KeyboardInterrupt):
        return _fail("interrupted", 130)
    except click.ClickException as error:
        return _fail(f"{error.format_message()} {_hint(error)}", 2)
    except (HawkeysError, OSError) as error:
        return _fail(str(error), 2)
    except MemoryError as error:
        return _fail(f"not enough memory ({error}). Give fewer data or smaller parameters.", 2)
    return status if isinstance(status, int) else 0


class _StderrHandler(logging.Handler):
    """Writes to what is stderr at that time: while bars are shown, to the lines above them."""

    def emit(self, record: logging.LogRecord) -> None:
        click.echo(self.format(record), file=sys.stderr)


@contextmanager
def _log_on_stderr() -> Iterator[None]:
    """Show what the library logs, that it compiles for long, while the block runs.

    Its stages are not shown: the commands tell them as they go on.
    """
    logger = logging.getLogger("hawkeys")
    handler, level = _StderrHandler(), logger.level
    handler.setFormatter(logging.Formatter("hawkeys: %(message)s"))
    handler.addFilter(lambda record: record.name != stages.name)
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)


def _hint(error: click.ClickException) -> str:
    context = getattr(error, "ctx", None)
    path = "hawkeys" if context is None else context.command_path
    return f"Try '{path} --help'."


def _fail(message: str, status: int) -> int:
    kind = "" if status == 130 else "error: "
    click.echo(f"hawkeys: {kind}{' '.join(message.split())}", err=True)
    return status
