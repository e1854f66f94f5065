"""``hawkeys fit``: a Hawkes process fitted to a table of events."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from hawkeys.cli.logs import warnings_at_the_end
from hawkeys.cli.paths import check_output_file
from hawkeys.datasets import read_events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference import fit
from hawkeys.inference.methods import METHODS
from hawkeys.kernels import Exponential

__all__ = ["command"]


@click.command("fit")
@click.argument("events", type=click.Path(path_type=Path))
@click.option(
    "--decay",
    required=True,
    help="Decay of the exponential kernel, per unit of time: one number, or one per mark separated "
    "by commas.",
)
@click.option(
    "--end-time",
    required=True,
    metavar="TIME",
    help="End of observation; with --realization also one per realisation: LABEL=TIME,...",
)
@click.option(
    "--start-time", default="0", show_default=True, metavar="TIME", help="Start, in the same way."
)
@click.option("--method", type=click.Choice(list(METHODS)), default="mle", show_default=True)
@click.option("--time", "time_column", default="time", show_default=True, help="Column of times.")
@click.option("--mark", "mark_column", help="Column of marks. Default: all events have one mark.")
@click.option("--realization", help="Column that tells realisations apart. Default: there is one.")
@click.option("--ignore", help="Columns that are neither, separated by commas.")
@click.option("--seed", type=int, default=0, show_default=True, help="For variational methods.")
@click.option("--output", type=click.Path(path_type=Path), help="Save the result here (JSON).")
def command(
    events: Path, decay: str, end_time: str, start_time: str, output: Path | None, **how: Any
) -> None:
    """Fit a Hawkes process to EVENTS, a csv table with one row per event, and print the summary.

    Each realisation is observed from the start time to the end time. A further column of the table
    that could be marks or realisations is an error, unless --ignore names it.
    """
    if output is not None:
        check_output_file(output, events)
    kernel = Exponential(_decays(decay))
    ignore = tuple(name.strip() for name in (how["ignore"] or "").split(",") if name.strip())
    with warnings_at_the_end():
        data = read_events(
            events,
            end_times=_window(end_time, "--end-time", how["realization"]),
            start_times=_window(start_time, "--start-time", how["realization"]),
            time=how["time_column"],
            mark=how["mark_column"],
            realization=how["realization"],
            ignore=ignore,
        )
        result = fit(data, kernel=kernel, method=how["method"], rng=how["seed"])
        if output is not None:
            result.save(output)
        click.echo(result.summary())


def _time(text: str) -> float:
    """Return a number; a whole one stays an integer, which may be too large for a float."""
    with suppress(ValueError):
        return int(text)
    return float(text)


def _window(text: str, option: str, realization: str | None) -> float | dict[str, float]:
    """Return one time, or one per label of a realisation."""
    with suppress(ValueError):
        return _time(text)
    times: dict[str, float] = {}
    for part in text.split(","):
        label, sign, value = (word.strip() for word in part.rpartition("="))
        time = None
        with suppress(ValueError):
            time = _time(value)
        if not sign or not label or time is None or realization is None or label in times:
            raise InvalidParameterError(
                f"{option} must be one time, or with --realization one for each label, as in "
                f"{option} a=50,b=60; got {text!r}."
            )
        times[label] = time
    return times


def _decays(text: str) -> float | list[float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InvalidParameterError(
            f"--decay must be one number, or one per mark separated by commas; got {text!r}."
        ) from error
    return values[0] if len(values) == 1 else values
