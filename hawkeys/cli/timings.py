"""``hawkeys timings``: the samples of a fixed text in a log of key events, as a table."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import click
import pandas as pd

from hawkeys.cli.logs import (
    STDIN,
    Log,
    check_output,
    json_option,
    log_options,
    print_json,
    refuse_two_outputs,
    warnings_at_the_end,
    write_output,
)
from hawkeys.exceptions import InvalidParameterError

__all__ = ["command"]


@click.command("timings")
@click.argument("events", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Table to write (csv); - for stdout.",
)
@json_option
@log_options
def command(events: Path, output: Path, as_json: bool, log: Log) -> None:
    """Write the attempts in EVENTS that spell --text, one sample per row, for 'hawkeys enrol'.

    EVENTS is a log in any known format, or what 'hawkeys import' wrote; - for stdin. The columns
    are those of the CMU benchmark (H.k1, DD.k1.k2, UD.k1.k2, H.k2, ...), in seconds; of a log
    without releases DD alone.
    """
    _check_text(log)
    if as_json:
        refuse_two_outputs(output)
    check_output(output, events)
    with warnings_at_the_end():
        timings, labels = log.samples(events)
        write_output(output, pd.concat((labels, timings), axis=1))
    who, width = Counter(labels["subject"].tolist()), timings.shape[1]
    if as_json:
        print_json("timings", {
            "output": str(output),
            "n_samples": len(timings),
            "n_timings": width,
            "typists": [{"name": name, "n_samples": count} for name, count in who.items()],
        })  # fmt: skip
        return
    people = ", ".join(f"{name} {count:,}" for name, count in list(who.items())[:5])
    more = f" and {len(who) - 5} more" if len(who) > 5 else ""
    said = f"{len(timings):,} samples ({people}{more}), {width} timings: {output}"
    click.echo(said, err=output == STDIN)


def _check_text(log: Log) -> None:
    """Refuse a call that does not say what was typed; raises `InvalidParameterError`."""
    if log.text is None:
        raise InvalidParameterError(
            "--text is missing: say what was typed, other keys than characters in angle brackets, "
            "as in --text 'hello<Return>'."
        )
