"""Compiling groups of code in processes side by side."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

from joblib import Parallel, delayed

from hawkeys._progress import progress_on_stderr
from hawkeys._validation import check_jobs
from hawkeys.exceptions import InvalidParameterError, OutputError
from hawkeys.warming.groups import GROUPS, run_group

__all__ = ["WarmupResult", "warmup"]


@dataclass(frozen=True)
class WarmupResult:
    """What was compiled, and where compiled code is kept.

    Attributes
    ----------
    seconds : mapping of str to float
        Time each group took by the clock, what other processes compiled meanwhile included.
    compiled : mapping of str to int
        Number of compiled forms of functions that each group added; 0 if all was there.
    loaded : mapping of str to int
        Number that each group read from disk.
    folders : tuple of Path
        Where compiled code is kept, as numba chose.
    n_files : int
        Number of files there.
    n_bytes : int
        Their size.
    asked_for : str
        What ``NUMBA_CACHE_DIR`` says, "" if it is not set.
    """

    seconds: Mapping[str, float]
    compiled: Mapping[str, int]
    loaded: Mapping[str, int]
    folders: tuple[Path, ...]
    n_files: int
    n_bytes: int
    asked_for: str = ""

    def summary(self) -> str:
        """Return all of it as text.

        Returns
        -------
        str
            One line per group, then the folders.

        Examples
        --------
        >>> from hawkeys.warming import WarmupResult
        >>> print(WarmupResult({"events": 3.2}, {"events": 29}, {"events": 0}, (), 0, 0).summary())
        group             compiled  from disk  seconds
        events                  29          0      3.2
        Nothing is kept: numba is switched off (NUMBA_DISABLE_JIT).
        """
        lines = [f"{'group':<16}{'compiled':>10}{'from disk':>11}{'seconds':>9}"]
        lines += [
            f"{name:<16}{self.compiled[name]:>10}{self.loaded[name]:>11}{taken:>9.1f}"
            for name, taken in self.seconds.items()
        ]
        if not self.folders:
            lines.append("Nothing is kept: numba is switched off (NUMBA_DISABLE_JIT).")
            return "\n".join(lines)
        size = f"{self.n_files} files, {self.n_bytes / 1e6:.1f} MB"
        lines += [f"Kept in {folder}" for folder in self.folders]
        lines.append(f"In all {size}.")
        asked = Path(self.asked_for).absolute()
        used = all(asked in folder.absolute().parents for folder in self.folders)
        if self.asked_for and not used:
            lines.append(f"NUMBA_CACHE_DIR is {self.asked_for}, which cannot be written: not used.")
        return "\n".join(lines)


def warmup(
    groups: Sequence[str] | str | None = None, *, n_jobs: int = -1, progress: bool = False
) -> WarmupResult:
    """Compile numerical code before it is needed.

    Small data need no compiler. What does is compiled at the first call, 5 to 20 s a method, and
    read from disk by later processes. This makes a few small calls of every kind, so that no later
    call compiles.

    Parameters
    ----------
    groups : str or sequence of str, optional
        Names of `hawkeys.warming.GROUPS`. Default: all.
    n_jobs : int, default -1
        Number of processes side by side; -1 for one per core. With 1 the calls are made in this
        process. Groups that share code wait for one another.
    progress : bool, default False
        Whether to show a bar on stderr, if that is a terminal.

    Returns
    -------
    WarmupResult
        What each group compiled and found on disk, and where it is kept.

    Raises
    ------
    InvalidParameterError
        A group is unknown or none is named, or `n_jobs` is not a number of processes.
    OutputError
        numba finds no folder that can be written, so that nothing could be kept.

    Notes
    -----
    **Where.** numba keeps compiled code in the folder that ``NUMBA_CACHE_DIR`` names, in a
    sub-folder for the path of the installed package; if that is not set, or cannot be written, in
    ``hawkeys/_jit/__pycache__`` of the package; if that cannot be written, in the user's cache
    folder (``~/.cache/numba`` on Linux). The folder must be writable for whoever runs, also when
    all is there: numba passes over one where it cannot make a file. Where none can be written
    each process compiles anew, and says so by the logger ``hawkeys``.

    **What counts.** A file is valid for one version of Python, numba and hawkeys (the content of
    the source, not its date, so that reinstallation and copies keep it), and for one model of
    processor: elsewhere code is compiled again and put beside the other, which stays valid. On
    clusters with several models run `warmup` on each, or set ``NUMBA_CPU_NAME=generic`` and
    ``NUMBA_CPU_FEATURES=""`` everywhere, at the price of slower code. The path of the package
    counts, too, under ``NUMBA_CACHE_DIR``.

    **Images.** In a Dockerfile, after installation and as the user who will run::

        ENV NUMBA_CACHE_DIR=/opt/hawkeys-cache
        RUN mkdir -m 1777 $NUMBA_CACHE_DIR && hawkeys warmup && chmod -R a+rwX $NUMBA_CACHE_DIR

    Build on the model of processor that will run it, or for "generic" as above.

    **Continuous integration.** Keep the folder between runs, keyed by what makes it valid::

        env:
          NUMBA_CACHE_DIR: ${{ github.workspace }}/.numba
        steps:
          - uses: actions/cache@v4
            with:
              path: .numba
              key: numba-${{ runner.os }}-${{ runner.arch }}-${{ hashFiles('requirements.txt') }}
          - run: hawkeys warmup

    **Clusters.** Set ``NUMBA_CACHE_DIR`` to a folder on a disk that all nodes share and run
    ``hawkeys warmup`` once, on a node of each kind, before the jobs are handed out. Processes that
    start at once into an empty folder wait for the one that compiles (not on Windows), and are
    right in any case.

    Examples
    --------
    >>> import hawkeys
    >>> result = hawkeys.warmup("events", n_jobs=1)
    >>> result.n_files > 0
    True
    """
    names = _check_groups(groups)
    check_jobs(n_jobs)
    folders, asked, is_kept = import_module("hawkeys._jit.loading").places()
    if not is_kept:
        raise OutputError(
            "compiled code cannot be kept: numba found no folder that it can write "
            f"(NUMBA_CACHE_DIR is {asked or 'not set'}). Set NUMBA_CACHE_DIR to a folder that can "
            "be written."
        )
    with progress_on_stderr() if progress else nullcontext(_silent) as report:
        report("Compiling", 0, len(names))
        done = []
        jobs = (delayed(_measure)(name) for name in names)
        for one in Parallel(n_jobs=n_jobs, backend="loky", return_as="generator")(jobs):
            done.append(one)
            report("Compiling", len(done), len(names))
    files = [file for folder in folders for file in folder.glob("*.nb[ic]")]
    seconds, compiled, loaded = zip(*done, strict=True)
    return WarmupResult(
        seconds=dict(zip(names, seconds, strict=True)),
        compiled=dict(zip(names, compiled, strict=True)),
        loaded=dict(zip(names, loaded, strict=True)),
        folders=tuple(folders),
        n_files=len(files),
        n_bytes=sum(file.stat().st_size for file in files),
        asked_for=asked,
    )


def _silent(what: str, done: int, total: int) -> None:
    """Report nothing."""


def _check_groups(groups: Sequence[str] | str | None) -> list[str]:
    """Return names of groups, each once."""
    if groups is None:
        return list(GROUPS)
    names = [groups] if isinstance(groups, str) else list(dict.fromkeys(groups))
    unknown = [name for name in names if name not in GROUPS]
    if unknown or not names:
        what = f"there is no group {unknown[0]!r}" if unknown else "no group is named"
        raise InvalidParameterError(
            f"{what} of compiled code; choose from: {', '.join(GROUPS)}, or give none for all."
        )
    return names


def _measure(name: str) -> tuple[float, int, int]:
    """Make the calls of a group; return seconds, forms compiled and forms read from disk."""
    before = _counts()
    started = time.perf_counter()
    if before is not None:
        run_group(name)
    seconds = time.perf_counter() - started
    compiled, loaded = _counts() or (0, 0)
    return seconds, compiled - (before or (0, 0))[0], loaded - (before or (0, 0))[1]


def _counts() -> tuple[int, int] | None:
    """Return how often this process compiled, and read from disk; None without numba."""
    stats = [one.stats for one in import_module("hawkeys._jit.loading").functions()]
    if not stats:
        return None
    return (sum(sum(one.cache_misses.values()) for one in stats),
            sum(sum(one.cache_hits.values()) for one in stats))  # fmt: skip
