"""`fit_each_on_disk`: each realisation alone, a file of estimates for each partition."""

from __future__ import annotations

import io
import os
from functools import partial
from typing import Any

import numpy as np

from hawkeys._loops.choice import compiled_only
from hawkeys._threads import limit_threads
from hawkeys._typing import ArrayLike
from hawkeys._validation import brief, check_choice
from hawkeys.exceptions import InvalidParameterError
from hawkeys.inference.each.fit import fit_each
from hawkeys.inference.examine import quietly
from hawkeys.inference.methods import METHODS, make_options, name_of_method
from hawkeys.kernels import Kernel
from hawkeys.partitions import PartitionedEvents
from hawkeys.partitions.fan_out import fan_out, manifest_of, open_output, plain_option
from hawkeys.partitions.frames import FramesOnDisk
from hawkeys.partitions.layout import require_pyarrow
from hawkeys.process.hawkes import choose_kernel

__all__ = ["EachOnDisk", "fit_each_on_disk"]

_METHODS = ("mle", "map", "vi")


class EachOnDisk(FramesOnDisk):
    """Estimates of every realisation, in one file for each partition of the events.

    Iterating gives one frame for each partition, read when it is asked for. Its columns are
    realization, log_likelihood, optimality_gap, converged, and one per parameter, "adjacency[a, b]"
    (target, source) for one.

    Attributes
    ----------
    folder : Path
        Where the files are: ``part-00000.parquet``, ... and ``manifest.json``.
    n_partitions : int
        Number of files.
    """


def fit_each_on_disk(
    data: PartitionedEvents,
    output: str | os.PathLike[str],
    *,
    decay: ArrayLike | None = None,
    kernel: Kernel | None = None,
    method: str = "mle",
    n_jobs: int | None = None,
    **options: Any,
) -> EachOnDisk:
    """Fit every realisation alone, partition by partition, by processes that may die.

    Parameters
    ----------
    data : PartitionedEvents
        Events on disk, of `hawkeys.open_events`.
    output : path-like
        Folder for the estimates, a file per partition: a new one, or that of the same fit that was
        ended, which then goes on where it was.
    decay : float or array_like, shape (), (n_marks,) or (n_marks, n_marks), optional
        Decay of the exponential kernel, per unit of time.
    kernel : Kernel, optional
        Instead of `decay`.
    method : {"mle", "map", "vi"}, default "mle"
        As for `hawkeys.fit_each`.
    n_jobs : int, optional
        Number of processes, one thread each. Default: 1, or what `joblib.parallel_config` says,
        which also chooses another backend, such as a cluster of Dask.
    **options
        Options of the method that are numbers or words.

    Returns
    -------
    EachOnDisk
        The estimates, read when they are asked for.

    Raises
    ------
    InvalidParameterError
        Kernel, method or an option is wrong.
    InvalidEventsError
        A partition is damaged; the message names its file.
    OutputError
        The folder holds other work, or cannot be written.
    PartitionError
        A process died three times at the same partition.

    Notes
    -----
    The estimates of a realisation do not depend on the partition that it is in, nor on what died
    on the way: the files are the same, byte by byte.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import hawkeys
    >>> process = hawkeys.Hawkes([0.5], [[0.4]], decay=2.0)
    >>> sample = hawkeys.simulate(process, end_time=50.0, n_realizations=6, rng=0)
    >>> with tempfile.TemporaryDirectory() as place:
    ...     path = hawkeys.write_events(sample, Path(place) / "e", events_per_partition=100)
    ...     data = hawkeys.open_events(path)
    ...     fits = hawkeys.inference.fit_each_on_disk(data, Path(place) / "f", decay=2.0)
    ...     fits.to_frame().shape
    (6, 6)
    """
    if not isinstance(data, PartitionedEvents):
        raise InvalidParameterError(
            f"data must be events on disk, of hawkeys.open_events; got {brief(data)}. Use "
            "hawkeys.fit_each for events in memory."
        )
    name = check_choice(name_of_method(method), "method", _METHODS)
    excitation = choose_kernel(decay, kernel)
    for component in excitation.components:
        component.check_marks(data.n_marks)
    make_options(METHODS[name].options, options, f"method {name!r}")
    told = {key: plain_option(value, key) for key, value in options.items()}
    what = {"method": name, "kernel": excitation.to_dict(), **told}
    folder = open_output(output, manifest_of(data, "fit_each", what))
    work = partial(_estimates, data, excitation, name, options)
    fan_out(work, data.n_partitions, folder, n_jobs=n_jobs)
    return EachOnDisk(folder, data.n_partitions)


def _estimates(
    data: PartitionedEvents, kernel: Kernel, method: str, options: dict[str, Any], k: int
) -> bytes:
    """Return the file of one partition."""
    pa, parquet = require_pyarrow()
    with compiled_only(), limit_threads(1), quietly():
        found = fit_each(data.partition(k), kernel=kernel, method=method, **options)
    columns = {
        "realization": np.arange(data.bounds[k], data.bounds[k + 1]),
        "log_likelihood": found.log_likelihood,
        "optimality_gap": found.optimality_gap,
        "converged": found.converged,
    }
    params = found.params
    columns |= {name: params[name].to_numpy() for name in params}
    held = io.BytesIO()
    parquet.write_table(pa.table(columns), held)
    return held.getvalue()
