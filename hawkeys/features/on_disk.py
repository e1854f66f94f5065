"""Features of typing samples on disk: a file for each partition, by processes that may die."""

from __future__ import annotations

import io
import os
from functools import partial
from typing import Any

import numpy as np

from hawkeys._estimators import clone
from hawkeys._threads import limit_threads
from hawkeys._validation import brief
from hawkeys.datasets.timing_files.partitioned import PartitionedTimings
from hawkeys.exceptions import DatasetError, InvalidParameterError
from hawkeys.partitions.fan_out import fan_out, manifest_of_input, open_output, plain_option
from hawkeys.partitions.frames import FramesOnDisk
from hawkeys.partitions.layout import require_pyarrow

__all__ = ["FeaturesOnDisk", "write_features"]


class FeaturesOnDisk(FramesOnDisk):
    """Labels and features of typing samples, in one file for each partition of the samples.

    Iterating gives one frame for each partition, read when it is asked for; each has the labels of
    the samples, then a column per feature.

    Attributes
    ----------
    folder : Path
        Where the files are: ``part-00000.parquet``, ... and ``manifest.json``.
    n_partitions : int
        Number of files.
    """


def write_features(
    features: Any,
    data: PartitionedTimings,
    output: str | os.PathLike[str],
    n_jobs: int | None,
) -> FeaturesOnDisk:
    """Write the features of every partition; see `HawkesFeatures.transform_on_disk`.

    Raises `InvalidParameterError` and `DatasetError`.
    """
    if not isinstance(data, PartitionedTimings):
        raise InvalidParameterError(
            "data must be typing samples on disk, of hawkeys.datasets.open_timings; got "
            f"{brief(data)}. Use transform for a timing matrix in memory."
        )
    asked = features.get_params(deep=False)
    asked.pop("progress")
    own = {f"options.{key}": value for key, value in (asked.pop("options") or {}).items()}
    told = {name: plain_option(value, name) for name, value in (asked | own).items()}
    names = features.get_feature_names_out(data.columns).tolist()
    twice = sorted(set(names) & set(data.labels))
    if twice:
        raise DatasetError(
            f"{data.paths[0]}: a label has the name of a feature, {twice[0]!r}. Rename the column."
        )
    worker = clone(features).set_params(progress=None)
    # what is wrong is found out now, and compiled code is compiled once
    worker.transform(np.tile([0.1, 0.2, 0.1], len(data.keys))[None, :-2])
    known = {"sha256": data.sha256, "time_unit": data.time_unit, "bounds": data.bounds.tolist()}
    manifest = manifest_of_input(known, data.n_partitions, "features", told)
    folder = open_output(output, manifest)
    work = partial(_features_of, worker, data, names)
    fan_out(work, data.n_partitions, folder, n_jobs=n_jobs)
    return FeaturesOnDisk(folder, data.n_partitions)


def _features_of(features: Any, data: PartitionedTimings, names: list[str], k: int) -> bytes:
    """Return the file of one partition."""
    import pandas as pd

    pa, parquet = require_pyarrow()
    timings, labels = data.partition(k)
    with limit_threads(1):
        values = features.transform(timings.to_numpy())
    frame = pd.concat((labels, pd.DataFrame(values, columns=names)), axis=1)
    held = io.BytesIO()
    parquet.write_table(pa.Table.from_pandas(frame, preserve_index=False), held)
    return held.getvalue()
