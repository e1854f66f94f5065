"""`fan_out`: work on every partition, a file each, by processes that may die.

A file is written under a temporary name and renamed, so that what is there is whole: a run that
was ended goes on with the partitions that have none. `joblib.parallel_config` chooses the backend,
processes of this machine (loky) unless told otherwise; no data go through it, workers read paths.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from hawkeys._files import explained, remove_abandoned, write_bytes, write_text
from hawkeys._validation import brief
from hawkeys._version import __version__
from hawkeys.exceptions import InvalidParameterError, OutputError, PartitionError
from hawkeys.partitions.dataset import PartitionedEvents
from hawkeys.partitions.layout import WINDOWS, file_name

__all__ = [
    "MANIFEST",
    "fan_out",
    "manifest_of",
    "manifest_of_input",
    "open_output",
    "plain_option",
    "result_name",
]

MANIFEST = "manifest.json"
FORMAT = "hawkeys-partitions/1"
_MOST_DEATHS = 3


def result_name(number: int) -> str:
    """Return the name of the file of a partition."""
    return f"part-{number:05d}.parquet"


def manifest_of(data: PartitionedEvents, what: str, options: dict[str, Any]) -> dict[str, Any]:
    """Return what decides the results: the input by its hash, what is done, options, version."""
    windows = (data.path / WINDOWS).read_bytes()
    files = sorted({int(file) for file in data.places[:, 0]})
    sizes = {file_name(k): (data.path / file_name(k)).stat().st_size for k in files}
    known = {"windows_sha256": hashlib.sha256(windows).hexdigest(), "bytes": sizes}
    return manifest_of_input(known, data.n_partitions, what, options)


def manifest_of_input(
    known: dict[str, Any], n_partitions: int, what: str, options: dict[str, Any]
) -> dict[str, Any]:
    """Return the same of any input, `known` by a hash."""
    return {
        "format": FORMAT,
        "what": what,
        "input": known,
        "n_partitions": n_partitions,
        "options": options,
        "version": __version__,
    }


def plain_option(value: Any, name: str) -> Any:
    """Return an option as a manifest can hold it.

    Raises `InvalidParameterError` for what is neither a number nor a word.
    """
    if isinstance(value, bool | int | float | str) or value is None:
        return value
    if isinstance(value, np.bool_ | np.integer | np.floating):
        return value.item()
    raise InvalidParameterError(
        f"options of work on disk are numbers and words, which a manifest can hold; got {name}="
        f"{brief(value)}."
    )


def open_output(folder: str | os.PathLike[str], manifest: dict[str, Any]) -> Path:
    """Make a folder of results, or open one of the same work that was ended.

    Raises `OutputError` if the folder holds anything else, or cannot be written.
    """
    target = Path(folder)
    with explained(target):
        target.mkdir(parents=True, exist_ok=True)
        remove_abandoned(target)
        text = json.dumps(manifest, indent=1, sort_keys=True) + "\n"
        if (target / MANIFEST).is_file():
            old = (target / MANIFEST).read_text(encoding="utf-8")
            if old != text:
                raise OutputError(
                    f"{str(target)!r} holds results of other work ({_difference(old, manifest)}). "
                    "Name another folder, or remove that one."
                )
        elif any(target.iterdir()):
            raise OutputError(
                f"{str(target)!r} is not empty and has no {MANIFEST}, as results of a fit have. "
                "Name another folder."
            )
        else:
            write_text(target / MANIFEST, text)
    return target


def _difference(old: str, manifest: dict[str, Any]) -> str:
    """Say which entry of a manifest is another."""
    try:
        found = json.loads(old)
        names = [name for name, value in manifest.items() if found.get(name) != value]
    except (ValueError, AttributeError):
        return "its manifest is damaged"
    return f"another {brief(', '.join(names))}"


def fan_out(
    work: Callable[[int], bytes], n_partitions: int, folder: Path, *, n_jobs: int | None = None
) -> None:
    """Write ``work(k)`` to the file of each partition that has none yet.

    Parameters
    ----------
    work : callable
        Returns the content of the file of partition k; it travels to other processes.
    n_partitions : int
        Number of partitions.
    folder : Path
        Where the files are.
    n_jobs : int, optional
        Number of processes, as joblib counts them. Default: 1, or what
        `joblib.parallel_config` says.

    Raises
    ------
    PartitionError
        A process died three times at the same partition, or three times before any; all other
        files that were made are kept.
    """
    from joblib import Parallel, delayed
    from joblib.externals.loky.process_executor import BrokenProcessPool

    deaths, at_once = dict.fromkeys(range(n_partitions), 0), 0
    _clear(folder)
    while left := [k for k in range(n_partitions) if not (folder / result_name(k)).is_file()]:
        # those that were there at two deaths are tried last and alone: only one is to blame
        free = [k for k in left if deaths[k] < _MOST_DEATHS - 1]
        try:
            Parallel(n_jobs=n_jobs, batch_size=1)(
                delayed(_one)(work, k, folder) for k in free or left[:1]
            )
        except BrokenProcessPool as error:
            begun = _clear(folder)
            at_once += not begun
            if at_once >= _MOST_DEATHS:
                raise PartitionError(
                    f"processes died {at_once} times before they began with a partition (out of "
                    "memory while they start, or killed). Ask for fewer (n_jobs), and run it again."
                ) from error
            for k, count in begun.items():
                deaths[k] += count
            _end_at_most_deaths(deaths, folder, error)


def _end_at_most_deaths(deaths: dict[int, int], folder: Path, error: BaseException) -> None:
    """Raise `PartitionError` that names the partition at which most processes died, if three."""
    worst = max(deaths, key=lambda k: deaths[k])
    if deaths[worst] >= _MOST_DEATHS:
        raise PartitionError(_died(worst, deaths[worst], folder)) from error


def _died(k: int, count: int, folder: Path) -> str:
    return (
        f"the process that worked on partition {k} died {count} times (out of memory, or killed). "
        f"The files of the others are kept in {str(folder)!r}. Give it more memory, or write the "
        "data in smaller partitions, and run it again."
    )


def _one(work: Callable[[int], bytes], k: int, folder: Path) -> None:
    """Work on one partition, under a mark that tells how often it was begun.

    Dask begins again by itself what killed a worker, three times. Its fourth death would never be
    told: joblib waits for a task that Dask has given up. So the fourth attempt ends the run.
    """
    mark = folder / f".begun-{k}"
    if (folder / result_name(k)).is_file():  # computed, but the answer was lost with its worker
        return
    with mark.open("ab") as begun:
        count = begun.tell()
        begun.write(b".")
    try:
        if count >= _MOST_DEATHS:
            raise PartitionError(_died(k, count, folder))
        write_bytes(folder / result_name(k), work(k))
    finally:
        mark.unlink(missing_ok=True)


def _clear(folder: Path) -> dict[int, int]:
    """Remove the marks of partitions that were begun; return how often those without a file."""
    remove_abandoned(folder)
    out = {}
    for mark in folder.glob(".begun-*"):
        k, count = int(mark.name.removeprefix(".begun-")), 0
        with suppress(FileNotFoundError):  # a process that lives ends with it at this moment
            count = mark.stat().st_size
            mark.unlink()
        if count and not (folder / result_name(k)).is_file():
            out[k] = count
    return out
