"""``hawkeys fit``: a Hawkes process fitted to a table of events."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from hawkeys.cli.console import progress_on_stderr
from hawkeys.cli.inputs.events import open_folder_of_events, read_table_of_events
from hawkeys.cli.logs import STDIN, check_output, warnings_at_the_end
from hawkeys.datasets._tables.events import EventColumns
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError, OutputError
from hawkeys.inference import fit, goodness_of_fit
from hawkeys.inference.methods import METHODS
from hawkeys.kernels import Gamma, LogNormal, PowerLaw
from hawkeys.partitions import PartitionedEvents

__all__ = ["command"]

_SAMPLES = 199  # p-values down to .005, in seconds
# what says how a table is read, or asks for its events in memory
_OF_TABLES = {
    "--start-time": "start_time", "--end-time": "end_time", "--time": "time_column",
    "--mark": "mark_column", "--realization": "realization", "--ignore": "ignore", "--unit": "unit",
    "--sort": "sort", "--test": "test", "--values": "values", "--resolution": "resolution",
}  # fmt: skip
_KERNELS: dict[str, Any] = {
    "exponential": None, "power-law": PowerLaw, "log-normal": LogNormal, "gamma": Gamma,
}  # fmt: skip
_PICTURES = (".png", ".svg", ".pdf")
_EPILOG = """\b
Examples:
  hawkeys fit visits.csv --end-time 2024-03-01 --start-time 2024-01-01
  hawkeys fit spikes.parquet --end-time 60 --test --plot spikes.svg
  zcat events.csv.gz | hawkeys fit - --end-time last -o result.json
  hawkeys fit quakes.csv --end-time last --kernel power-law --values magnitude
  hawkeys fit cases.csv --end-time 365 --resolution 1"""


@click.command("fit", epilog=_EPILOG)
@click.argument("events", type=click.Path(path_type=Path))
@click.option(
    "--decay",
    default="estimate",
    show_default=True,
    help="Decay of the exponential kernel, per unit of time (of dates: per --unit): one number, or "
    "one per mark separated by commas.",
)
@click.option(
    "--end-time",
    metavar="TIME",
    help="End of observation, a number or a date; with several realisations also one for each: "
    "LABEL=TIME,... 'last': with the last event.",
)
@click.option(
    "--start-time",
    metavar="TIME",
    help="Start, in the same way. Default: 0; of dates it must be said. 'first': with the first "
    "event.",
)
@click.option(
    "--method",
    type=click.Choice(list(METHODS), case_sensitive=False),
    default="mle",
    show_default=True,
)
@click.option("--time", "time_column", help="Column of times. Default: by its name.")
@click.option("--mark", "mark_column", help="Column of marks. Default: by its name, or one mark.")
@click.option(
    "--realization",
    help="Column that tells realisations apart. Default: by its name, or there is one.",
)
@click.option(
    "--values",
    metavar="COLUMN",
    help="Column of numbers, such as magnitudes, by which "
    "events excite more or less (see --productivity).",
)
@click.option("--ignore", help="Columns that are neither, separated by commas.")
@click.option("--unit", help="Unit for dates: ms, s, min, h, day. Default: by their steps.")
@click.option("--sort", is_flag=True, help="Sort the times of each realisation.")
@click.option(
    "--kernel",
    type=click.Choice(list(_KERNELS)),
    default="exponential",
    show_default=True,
    help="Law of the lags, whose parameters are estimated.",
)
@click.option(
    "--productivity",
    type=click.Choice(["exponential", "power"]),
    help="How --values act: exp(a v), the default, or v to the power a; a is estimated.",
)
@click.option(
    "--resolution",
    metavar="TICK",
    help="Tick of a coarse clock, in the unit of the "
    "times, or 'detect': times are then known up to it.",
)
@click.option(
    "--rounding",
    type=click.Choice(["floor", "nearest"]),
    help="How the clock rounded: down (floor, the default), or to the nearest tick.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="For all that is random.")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    help="Save the result here (JSON); - for stdout, in place of the summary.",
)
@click.option("--json", "as_json", is_flag=True, help="The same as --output -.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw it: .png, .svg or .pdf.")
@click.option(
    "--test", is_flag=True, help=f"Test the goodness of fit, against {_SAMPLES} simulated samples."
)
def command(events: Path, output: Path | None, plot: Path | None, **how: Any) -> None:
    """Fit a Hawkes process to EVENTS, and print the summary.

    EVENTS is a table with one row per event (csv, gzipped or not, Excel sheet, Parquet; - for
    stdin). Times are numbers, or dates as 2024-05-01T12:00:00. Columns are found by their names
    (time, timestamp, date; mark, type; realization, run, trial), which is said on stderr. A further
    column that could be marks or realisations is an error, unless --ignore names it. Or EVENTS is a
    folder that hawkeys.write_events made, which need not fit in memory.
    """
    if how["as_json"]:
        output = _refuse_two_outputs(output)
    for path in (output, plot):
        if path is not None:
            check_output(path, events)
    _check_picture(plot)
    model = _model(how)
    with warnings_at_the_end(), progress_on_stderr() as progress:
        progress("Reading events", 0, 1)
        data, said = _read(events, how)
        progress("Reading events", 1, 1)
        progress(f"Fitting {data.n_events:,} events", 0, 1)
        result = fit(data, method=how["method"], rng=how["seed"], **model)
        progress(f"Fitting {data.n_events:,} events", 1, 1)
        told = [result.summary()]
        if how["test"] and isinstance(data, Events):
            told.append(_test(result, data, how["seed"], progress))
        _write(result, output, plot, progress)
    if model.get("decay") == "estimate":
        said.append("the decay was estimated (--decay gives one)")
    for line in said if "quiet" not in click.get_current_context().meta else []:
        click.echo(f"hawkeys: {line}", err=True)
    shown = told[1:] if output == STDIN else told  # stdout has the result alone, for load_result
    if shown:
        click.echo("\n\n".join(shown), err=output == STDIN)


def _read(path: Path, how: dict[str, Any]) -> tuple[Events | PartitionedEvents, list[str]]:
    """Return the events of a table or a folder, and what was chosen for the caller."""
    if path.is_dir():
        given = {option: how[name] for option, name in _OF_TABLES.items()}
        return open_folder_of_events(path, given), []
    named = how["mark_column"], how["realization"], how["values"]
    columns = EventColumns(how["time_column"] or "", *named)
    bounds = {"--start-time": how["start_time"], "--end-time": how["end_time"]}
    ignore = tuple(name.strip() for name in (how["ignore"] or "").split(",") if name.strip())
    decay = _decays(how["decay"])
    read = {"ignore": ignore, "unit": how["unit"], "sort": how["sort"], "decay": decay}
    return read_table_of_events(path, columns, bounds, read)


def _model(how: dict[str, Any]) -> dict[str, Any]:
    """Return what is fitted, as `hawkeys.fit` is told it."""
    out: dict[str, Any] = {"decay": _decays(how["decay"])}
    if how["kernel"] != "exponential":
        if out["decay"] != "estimate":
            raise InvalidParameterError(
                f"--decay is that of the exponential kernel; got it beside --kernel "
                f"{how['kernel']}, which is estimated. Leave one out."
            )
        out = {"kernel": _KERNELS[how["kernel"]]()}
    if how["values"]:
        out["productivity"] = how["productivity"] or "exponential"
    elif how["productivity"]:
        raise InvalidParameterError("--productivity needs the column of the values: --values NAME.")
    if how["resolution"]:
        if how["test"]:
            raise InvalidParameterError(
                "--test needs exact times, and --resolution says that they are known up to a tick. "
                "Leave one out."
            )
        out["resolution"] = _tick(how["resolution"])
        out |= {"rounding": how["rounding"]} if how["rounding"] else {}
    elif how["rounding"]:
        raise InvalidParameterError("--rounding needs the tick of the clock: --resolution TICK.")
    return out


def _tick(text: str) -> str | float:
    if text.strip().lower() == "detect":
        return "detect"
    try:
        return float(text)
    except ValueError as error:
        raise InvalidParameterError(
            f"--resolution must be a number in the unit of the times, or 'detect'; got {text!r}."
        ) from error


def _test(result: Any, data: Events, seed: int, progress: Any) -> str:
    """Return the text of the test of the fit."""
    tested = goodness_of_fit(result, data, n_mc_samples=_SAMPLES, rng=seed, verbose=progress)
    return tested.summary()


def _write(result: Any, output: Path | None, plot: Path | None, progress: Any) -> None:
    """Write the result and its picture where asked."""
    if output == STDIN:
        click.echo(json.dumps(result.to_dict()))
    elif output is not None:
        result.save(output)
    if plot is None:
        return
    progress("Drawing", 0, 1)
    figure = result.plot()
    try:
        figure.savefig(plot)
    except OSError as error:
        told = f"cannot write {plot}: {error.strerror}. Choose another place."
        raise OutputError(told) from error
    progress("Drawing", 1, 1)


def _refuse_two_outputs(output: Path | None) -> Path:
    if output not in (None, STDIN):
        raise InvalidParameterError(
            f"--json prints the result and --output {output} saves it; got both. Leave one out."
        )
    return STDIN


def _check_picture(plot: Path | None) -> None:
    if plot is not None and plot.suffix.lower() not in _PICTURES:
        raise InvalidParameterError(
            f"--plot must name a file that ends in {', '.join(_PICTURES)}; got {str(plot)!r}."
        )


def _decays(text: str) -> str | float | list[float]:
    if text.strip().lower() == "estimate":
        return "estimate"
    try:
        values = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise InvalidParameterError(
            "--decay must be one number, or one per mark separated by commas, or 'estimate'; got "
            f"{text!r}."
        ) from error
    return values[0] if len(values) == 1 else values
