"""``hawkeys fit``: a Hawkes process fitted to a table of events."""

from __future__ import annotations

import warnings
from pathlib import Path

import click

from hawkeys.datasets import read_events
from hawkeys.exceptions import HawkeysWarning, InvalidParameterError
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
@click.option("--end-time", type=float, required=True, help="End of observation.")
@click.option("--start-time", type=float, default=0.0, show_default=True)
@click.option("--method", type=click.Choice(list(METHODS)), default="mle", show_default=True)
@click.option("--time", "time_column", default="time", show_default=True, help="Column of times.")
@click.option("--mark", "mark_column", help="Column of marks. Default: all events have one mark.")
@click.option("--realization", help="Column that tells realisations apart.")
@click.option("--seed", type=int, default=0, show_default=True, help="For variational methods.")
@click.option("--output", type=click.Path(path_type=Path), help="Save the result here (JSON).")
def command(
    events: Path, decay: str, end_time: float, start_time: float, output: Path | None, **how: str
) -> None:
    """Fit a Hawkes process to EVENTS, a csv table with one row per event, and print the summary.

    All realisations are observed from the start time to the end time.
    """
    kernel = Exponential(_decays(decay))
    data = read_events(
        events,
        end_times=end_time,
        start_times=start_time,
        time=how["time_column"],
        mark=how["mark_column"],
        realization=how["realization"],
    )
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", HawkeysWarning)
        result = fit(data, kernel=kernel, method=how["method"], rng=int(how["seed"]))
    if output is not None:
        result.save(output)
    click.echo(result.summary())
    for warning in caught:
        click.echo(f"hawkeys: warning: {warning.message}", err=True)


def _decays(text: str) -> float | list[float]:
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InvalidParameterError(
            f"--decay must be one number, or one per mark separated by commas; got {text!r}."
        ) from error
    return values[0] if len(values) == 1 else values
