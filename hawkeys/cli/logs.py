"""What a command reads and writes: files, stdin and stdout (-), logs and tables of samples."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any

import click
import pandas as pd

from hawkeys._files import check_output_directory, is_device, write_text
from hawkeys._records import encode
from hawkeys.datasets import (
    KeyEvents,
    Strokes,
    pair_events,
    press_intervals,
    to_keystrokes,
)
from hawkeys.datasets._tables.faults import Faults
from hawkeys.datasets._tables.files import load_bytes
from hawkeys.datasets._tables.times import TIME_UNITS
from hawkeys.datasets.formats import EVENT_FORMATS, TIMING_FORMATS
from hawkeys.datasets.key_events._layouts import LAYOUTS
from hawkeys.datasets.key_events.files import ReadOptions, parse_key_events
from hawkeys.datasets.timing_files.reading import parse_timings
from hawkeys.exceptions import DatasetError, HawkeysWarning, InvalidParameterError, OutputError

__all__ = [
    "STDIN",
    "Log",
    "check_output",
    "check_output_file",
    "json_option",
    "keys_of",
    "log_options",
    "print_json",
    "read_input",
    "reading_options",
    "refuse_same_file",
    "refuse_two_outputs",
    "warnings_at_the_end",
    "write_output",
]

STDIN = Path("-")


@dataclass(frozen=True)
class Log:
    """How a log is read and turned into samples, as the options of a command say."""

    format: str = "auto"
    time_unit: str | None = None
    on_error: str = "raise"
    user: str | None = None
    session: str | None = None
    text: str | None = None
    end_key: str | None = None
    typos: str = "reject"
    rest: str = "reject"
    shift: str = "fold"
    layout: str = "auto"
    order: str = "auto"

    def events(self, path: Path) -> KeyEvents:
        """Return the key events in a file; raises `DatasetError`."""
        content, source = read_input(path)
        return self._parse(content, source)

    def samples(self, path: Path) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return timings and labels from a table of samples, or with `text` from a log.

        Raises `DatasetError`.
        """
        content, source = read_input(path)
        if self.text is not None:
            return self.spelt(pair_events(
                self._parse(content, source),
                shift=self.shift,
                layout=None if self.layout == "none" else self.layout,
                order=self.order,
            ))  # fmt: skip
        kind = self.format if self.format in TIMING_FORMATS else "auto"
        try:
            return parse_timings(content, source, kind, self.time_unit, Faults(self.on_error))
        except DatasetError as error:
            found = self._log_in(content, source)
            if found is None:
                raise
            raise DatasetError(
                f"{source}: holds {len(found):,} key events (format {found.format}) and no table "
                "of samples. Say what was typed with --text, as in --text 'hello<Return>'."
            ) from error

    def spelt(self, strokes: Strokes) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return timings (from press to press alone if there are no releases) and labels."""
        keys = keys_of(self.text or "", self.end_key)
        how: dict[str, Any] = {"text": keys, "typos": self.typos, "rest": self.rest}
        how["end_key"] = None if self.end_key is None else keys[-1]
        if strokes.press_only:
            return press_intervals(strokes, **how)
        typed = to_keystrokes(strokes, **how)
        labels = {"subject": typed.subject, "session": typed.session}
        timings = typed.timings().round(9)
        return timings, pd.DataFrame({**labels, "repetition": typed.repetition})

    def _log_in(self, content: bytes, source: str) -> KeyEvents | None:
        """Return the key events that the bytes hold, None if they hold none."""
        try:
            return self._parse(content, source)
        except DatasetError:
            return None

    def _parse(self, content: bytes, source: str) -> KeyEvents:
        if self.format in TIMING_FORMATS:
            raise InvalidParameterError(
                f"--format {self.format} is a table of samples, not a log of key events. Leave out "
                "--text, or name another format (see hawkeys formats)."
            )
        options = ReadOptions(
            format=self.format,
            time_unit=self.time_unit,
            on_error=self.on_error,
            user=self.user,
            session=self.session,
        )
        return parse_key_events(content, source, options)


_READING = (
    click.option(
        "--format",
        type=click.Choice(["auto", *EVENT_FORMATS, *TIMING_FORMATS]),
        default="auto",
        show_default=True,
        metavar="NAME",
        help="Format of the file; hawkeys formats lists them.",
    ),
    click.option(
        "--time-unit",
        type=click.Choice(TIME_UNITS),
        help="Unit of the times. Default: the format's own; seconds for csv.",
    ),
    click.option(
        "--on-error",
        type=click.Choice(["raise", "drop"]),
        default="raise",
        show_default=True,
        help="drop leaves broken rows out, and says how many.",
    ),
    click.option("--user", help="Typist, for a log that does not say."),
    click.option("--session", help="Sitting, for a log that does not say."),
)
_SPELLING = (
    click.option(
        "--text",
        help="What was typed, for a log of key events: characters, other keys as <Return>.",
    ),
    click.option("--end-key", help="An attempt ends with each stroke of this key."),
    click.option(
        "--typos",
        type=click.Choice(["reject", "strip"]),
        default="reject",
        show_default=True,
        help="Attempts with a Backspace: no sample, or what was undone is left out.",
    ),
    click.option(
        "--rest",
        type=click.Choice(["reject", "ignore"]),
        default="reject",
        show_default=True,
        help="Attempts that go on after the text.",
    ),
    click.option(
        "--shift",
        type=click.Choice(["fold", "keep"]),
        default="fold",
        show_default=True,
        help="fold: capitals for letters typed with Shift; keep: Shift is a key of the text.",
    ),
    click.option(
        "--layout",
        type=click.Choice(["auto", *LAYOUTS, "none"]),
        default="auto",
        show_default=True,
        help="Layout of the keyboard, for logs without physical keys.",
    ),
    click.option(
        "--order",
        type=click.Choice(["auto", "file", "time"]),
        default="auto",
        show_default=True,
        help="What to do where time goes back.",
    ),
)


json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the answer as one line of JSON, for programs."
)


def log_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options by which a log becomes samples, as one argument `log`."""
    return _with_options(command, (*_READING, *_SPELLING))


def reading_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options by which a log is read, as one argument `log`."""
    return _with_options(command, _READING)


def _with_options(command: Callable[..., Any], options: tuple[Any, ...]) -> Callable[..., Any]:
    @wraps(command)
    def wrapped(**given: Any) -> Any:
        names = [name for name in Log.__dataclass_fields__ if name in given]
        log = Log(**{name: given.pop(name) for name in names})
        return command(log=log, **given)

    decorated: Callable[..., Any] = wrapped
    for option in reversed(options):
        decorated = option(decorated)
    return decorated


def keys_of(text: str, end_key: str | None = None) -> list[str]:
    """Return the keys of a text: its characters, and names in angle brackets; `end_key` last."""
    keys, rest = [], text
    while rest:
        name, mark, after = rest[1:].partition(">")
        if rest[0] == "<" and mark and len(name) > 1 and name.replace("_", "").isalnum():
            keys.append(name)
            rest = after
        else:
            keys.append(rest[0])
            rest = rest[1:]
    if end_key is not None and (not keys or keys[-1].lower() != end_key.lower()):
        keys.append(end_key)
    return keys


def read_input(path: Path) -> tuple[bytes, str]:
    """Return what a file or stdin holds, and its name."""
    if path == STDIN:
        return sys.stdin.buffer.read(), "stdin"
    return load_bytes(path), str(path)


def check_output(output: Path, *inputs: Path) -> None:
    """Make sure that a file can be written and is none of those read; - is stdout.

    Raises `OutputError`.
    """
    if output != STDIN:
        check_output_file(output, *(path for path in inputs if path != STDIN))


def write_output(output: Path, table: pd.DataFrame) -> None:
    """Write a table as csv, on stdout if it is -."""
    text = table.to_csv(index=False, lineterminator="\n")
    if output == STDIN:
        click.echo(text, nl=False)
    else:
        write_text(output, text)


def print_json(command: str, answer: Mapping[str, Any]) -> None:
    """Print what a command answers as one line of JSON, which names its schema.

    Parameters
    ----------
    command : str
        Name of the schema, that of the command; docs/command_line.md has the fields.
    answer : mapping
        Values that JSON knows, arrays and records. NaN is null.
    """
    click.echo(json.dumps({"schema": f"hawkeys-{command}/1", **encode(answer)}))


def refuse_two_outputs(output: Path | None) -> None:
    """Refuse --json where stdout holds the table; raises `InvalidParameterError`."""
    if output == STDIN:
        raise InvalidParameterError(
            "--json prints the answer, and --output - the table, both on stdout. Write the table "
            "to a file, or leave --json out."
        )


@contextmanager
def warnings_at_the_end() -> Iterator[None]:
    """Print the warnings of a block on stderr, one line each, when it is done.

    Yields
    ------
    None
        To the block.
    """
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", HawkeysWarning)
        yield
    for text in dict.fromkeys(" ".join(str(warning.message).split()) for warning in caught):
        click.echo(f"hawkeys: warning: {text}", err=True)


def check_output_file(output: Path, *inputs: Path) -> None:
    """Make sure, before any work, that a file can be written and is none of those read.

    Parameters
    ----------
    output : Path
        File to be written.
    *inputs : Path
        Files that the command reads.

    Raises
    ------
    OutputError
        If the output is one of the inputs, by whatever name, or its folder is missing or cannot be
        written to.
    """
    refuse_same_file(output, *inputs)
    if output.is_dir():
        raise OutputError(f"cannot write to {str(output)!r}: it is a folder. Name a file in it.")
    if is_device(output):
        return
    folder = output.absolute().parent
    if not folder.exists():  # it would be found out after the work
        raise OutputError(
            f"cannot write to {str(output)!r}: there is no folder {str(folder)!r}. Create it, or "
            "name another one."
        )
    check_output_directory(folder)


def refuse_same_file(output: Path, *inputs: Path) -> None:
    """Refuse an output that is one of the inputs: through a link or in other letters, too.

    Parameters
    ----------
    output : Path
        File to be written.
    *inputs : Path
        Files that the command reads.

    Raises
    ------
    OutputError
        If it is one of them.
    """
    for one in inputs:
        if _is_same(output, one):
            raise OutputError(
                f"the output {str(output)!r} is the input {str(one)!r}, which would be lost. Name "
                "another file for the output."
            )


def _is_same(one: Path, other: Path) -> bool:
    try:
        # also finds hard links, and names that differ by case where the disk does not see it
        if one.samefile(other):
            return True
    except (OSError, ValueError):  # one of them does not exist, or is no path
        pass
    return os.path.realpath(one) == os.path.realpath(other)
