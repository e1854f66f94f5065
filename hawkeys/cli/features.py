"""``hawkeys features``: typing samples turned into Hawkes features."""

from __future__ import annotations

from functools import partial
from pathlib import Path

import click
import pandas as pd
from click.core import ParameterSource

from hawkeys._files import write_text
from hawkeys.cli.console import progress_on_stderr
from hawkeys.cli.logs import check_output_file, json_option, print_json
from hawkeys.datasets import open_timings, read_timings
from hawkeys.exceptions import DatasetError, InvalidParameterError
from hawkeys.features import HawkesFeatures
from hawkeys.inference.methods import METHODS

__all__ = ["command"]


@click.command("features")
@click.argument("timings", type=click.Path(path_type=Path))
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    required=True,
    help="Table to write (csv); of Parquet files a folder.",
)
@click.option("--decay", type=float, default=0.1, show_default=True, help="Per second.")
@click.option("--method", type=click.Choice(list(METHODS)), default="vi", show_default=True)
@click.option("--paper", is_flag=True, help="Exactly as published (slow); decay and method fixed.")
@click.option("--seed", type=int, default=0, show_default=True, help="For variational methods.")
@click.option(
    "--jobs", type=click.IntRange(min=1), help="Processes for Parquet files.  [default: 1]"
)
@json_option
def command(
    timings: Path,
    output: Path,
    decay: float,
    method: str,
    paper: bool,
    seed: int,
    jobs: int | None,
    as_json: bool,
) -> None:
    """Write the Hawkes features of TIMINGS, a csv table with one typing sample per row.

    Its timing columns are named as in the CMU benchmark (H.k1, DD.k1.k2, UD.k1.k2, H.k2, ...);
    other columns are copied in front of the features. TIMINGS may be a Parquet file, or a folder of
    them: they are read part by part, OUTPUT is a folder with a file for each part, and the same
    command goes on where it was ended.
    """
    if paper:
        _refuse_with_paper("decay", "method")
        features = HawkesFeatures.published(random_state=seed)
    else:
        features = HawkesFeatures(decay=decay, method=method, random_state=seed)
    if timings.is_dir() or timings.suffix == ".parquet":
        _write_folder(timings, output, features, jobs, as_json=as_json)
        return
    _refuse_jobs(jobs)
    check_output_file(output, timings)
    table, labels = read_timings(timings)
    _refuse_empty(timings, table)
    with progress_on_stderr() as progress:
        features.set_params(progress=partial(progress, "Fitting samples"))
        values = features.fit_transform(table)
    frame = pd.DataFrame(values, columns=features.get_feature_names_out(), index=labels.index)
    write_text(output, pd.concat((labels, frame), axis=1).to_csv(index=False))
    if as_json:
        size = {"n_samples": len(frame), "n_features": frame.shape[1]}
        print_json("features", {"output": str(output), **size})
        return
    click.echo(f"{len(frame)} samples, {frame.shape[1]} features: {output}")


def _write_folder(
    timings: Path, output: Path, features: HawkesFeatures, jobs: int | None, *, as_json: bool
) -> None:
    """Write the features of Parquet files, and say so."""
    data = open_timings(timings)
    features.transform_on_disk(data, output, n_jobs=jobs)
    n_features = len(features.get_feature_names_out(data.columns))
    if as_json:
        size = {"n_samples": data.n_samples, "n_features": n_features}
        print_json("features", {"output": str(output), **size, "n_files": data.n_partitions})
        return
    files = f"{data.n_partitions} file{'s' * (data.n_partitions > 1)}"
    click.echo(f"{data.n_samples} samples, {n_features} features in {files}: {output}")


def _refuse_jobs(jobs: int | None) -> None:
    if jobs is not None:
        raise InvalidParameterError(
            "--jobs is for Parquet files; a csv table is fitted by threads. Leave it out."
        )


def _refuse_empty(path: Path, table: pd.DataFrame) -> None:
    if table.empty:
        raise DatasetError(f"{path}: there is no sample, only a header. Check the file.")


def _refuse_with_paper(*names: str) -> None:
    context = click.get_current_context()
    for name in names:
        if context.get_parameter_source(name) is not ParameterSource.DEFAULT:
            raise InvalidParameterError(
                f"--paper fixes decay and method; got --{name}, too. Leave one of them out."
            )
