"""``hawkeys import``: a logger's file as a plain table of key events."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click
import numpy as np
import pandas as pd

from hawkeys.cli.logs import (
    STDIN,
    Log,
    check_output,
    json_option,
    print_json,
    reading_options,
    refuse_two_outputs,
    warnings_at_the_end,
    write_output,
)
from hawkeys.datasets import KeyEvents
from hawkeys.exceptions import DatasetError

__all__ = ["command"]


@click.command("import")
@click.argument("logs", nargs=-1, required=True, metavar="LOG...", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Table to write (csv); - for stdout.",
)
@json_option
@reading_options
def command(logs: tuple[Path, ...], output: Path, as_json: bool, log: Log) -> None:
    """Write the key events of LOG, a logger's file in any known format, as a plain table.

    The format is found from the file (- for stdin). The table has one row per press and release,
    or per keystroke if the log has, with seconds; times since 1970 are counted from a whole second
    before the first. Of several logs that do not name the typist, each is of the one that its
    file is called after.
    """
    if as_json:
        refuse_two_outputs(output)
    check_output(output, *logs)
    with warnings_at_the_end():
        tables, read = [], []
        for path in logs:
            one = log
            if len(logs) > 1 and log.user is None:
                one = replace(log, user=path.name.split(".")[0] or "user")
            events = one.events(path)
            tables.append(_table(events))
            read.append(events)
        table = _joined(tables)
        write_output(output, table)
    if as_json:
        answer = {"output": str(output), "n_rows": len(table), "logs": list(map(_answer, read))}
        print_json("import", answer)
        return
    lines = [line for events in read for line in _lines(events)]
    for line in [*lines, f"{len(table):,} rows: {output}"]:
        click.echo(line, err=output == STDIN)


def _answer(events: KeyEvents) -> dict[str, object]:
    """Return what was read of a log as JSON holds it."""
    return {
        "source": events.source,
        "format": events.format,
        "counts": dict(events.tally),
        "origin": events.origin,
        "left_out": list(events.dropped),
    }


def _joined(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Return tables one below the other; raises `DatasetError` if their columns differ."""
    kinds = {"press" in table for table in tables}
    if len(kinds) > 1:
        raise DatasetError(
            "some of the logs have one row per keystroke and others one per event; import them "
            "into tables of their own."
        )
    return pd.concat(tables, ignore_index=True)


def _table(events: KeyEvents) -> pd.DataFrame:
    """Return key events as a table that `read_key_events` reads as csv."""
    step = 2 if events.paired else 1
    columns: dict[str, object] = {"user": events.user[::step], "session": events.session[::step]}
    if events.repetition is not None:
        columns["repetition"] = events.repetition[::step]
    columns["key"] = events.key[::step]
    if events.code is not None:
        columns["code"] = events.code[::step]
    time = np.round(events.time, 9)
    if events.paired:
        columns |= {"press": time[::2], "release": time[1::2]}
    elif events.press_only:
        columns["press"] = time
    else:
        columns |= {"type": np.where(events.down, "down", "up"), "time": time}
    if events.repeat is not None:
        columns["repeat"] = events.repeat.astype(int)
    return pd.DataFrame(columns)


def _lines(events: KeyEvents) -> list[str]:
    """Say what was read, and what was left out."""
    counts = ", ".join(f"{rule} {count:,}" for rule, count in events.tally.items())
    start = f"; times from {events.origin:.0f} s on" if events.origin else ""
    return [f"{events.source}: {events.format}, {counts}{start}", *events.dropped]
