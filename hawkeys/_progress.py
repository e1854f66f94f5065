"""What long work says: on stderr bars or lines, to the caller's function, and to the log.

The log is ``logging.getLogger("hawkeys")``: its child "hawkeys.stages" is told, at the level INFO,
of what is fitted, simulated and fitted again, and "hawkeys" itself of what is compiled for long.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeAlias

from hawkeys.exceptions import InvalidParameterError

__all__ = ["PATIENCE", "Report", "Verbose", "keep_quiet", "progress_on_stderr", "stages", "told"]

Report: TypeAlias = Callable[[str, int, int], None]
"""Called as ``report(what, done, total)``; a total of 1 means that it is not known."""
Verbose: TypeAlias = "bool | Report"
stages = logging.getLogger("hawkeys.stages")

PATIENCE = 2.0  # seconds; who waits no longer need not be told for what
_QUIET: ContextVar[bool] = ContextVar("quiet", default=False)


@contextmanager
def keep_quiet() -> Iterator[None]:
    """Have `progress_on_stderr` say nothing while the block runs."""
    token = _QUIET.set(True)
    try:
        yield
    finally:
        _QUIET.reset(token)


def _silent(what: str, done: int, total: int) -> None:
    """Say nothing."""


@contextmanager
def told(verbose: Verbose, what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Tell of one stage of work while the block runs, and log that it begins.

    Parameters
    ----------
    verbose : bool or callable
        False says nothing; True shows a bar on a terminal, and elsewhere a line on stderr if the
        work takes longer than `PATIENCE`; a function is called as ``verbose(what, done, total)``.
    what : str
        What is done, such as "Fitting samples".
    total : int
        How many steps it has; 1 if that is not known.

    Yields
    ------
    callable
        To be called with the number of steps that are done, but for none and all.

    Raises
    ------
    InvalidParameterError
        `verbose` is neither.
    """
    if not (isinstance(verbose, bool) or callable(verbose)):
        raise InvalidParameterError(
            "verbose must be True, False or a function of (what, done, total); got "
            f"{type(verbose).__name__}."
        )
    stages.info("%s (%d)" if total > 1 else "%s", *((what, total) if total > 1 else (what,)))
    if verbose is True:
        with progress_on_stderr() as report:
            yield from _steps(report, what, total)
    else:
        yield from _steps(verbose or _silent, what, total)


def _steps(report: Report, what: str, total: int) -> Iterator[Callable[[int], None]]:
    """Yield what reports steps, between the reports of none and of all."""
    report(what, 0, total)
    yield lambda done: report(what, done, total)
    report(what, total, total)


@contextmanager
def progress_on_stderr() -> Iterator[Report]:
    """Say on stderr what goes on while the block runs.

    On a terminal there is a bar for each kind of work. Elsewhere, as in a log, there is one line
    for each, from the moment on that the block has taken `PATIENCE` seconds.

    Yields
    ------
    callable
        To be called as ``progress(what, done, total)``. A total of 1 means that it is not known:
        what is told later counts.
    """
    if _QUIET.get():
        yield _silent
        return
    from rich.console import Console

    console = Console(stderr=True)
    # a bar that is switched off still ends with an empty line
    kind: Any = _bars(console) if console.is_terminal else _lines()
    with kind as report:
        yield report


@contextmanager
def _bars(console: Any) -> Iterator[Report]:
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        SpinnerColumn(finished_text=" "),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bars:
        yield _Bars(bars).report


class _Bars:
    """A bar for each kind of work, whose total is told once and never jumps."""

    def __init__(self, bars: Any) -> None:
        self._bars = bars
        self._tasks: dict[str, Any] = {}
        self._totals: dict[str, int | None] = {}

    def report(self, what: str, done: int, total: int) -> None:
        """Move the bar of `what`; work of that name that was finished has a new bar."""
        if what not in self._tasks or (done == 0 and self._finished(what)):
            self._tasks[what] = self._bars.add_task(what, total=None)
            self._totals[what] = None
        if self._totals[what] is None and (total != 1 or done >= total):
            self._totals[what] = total
        known = self._totals[what]
        if known is None:
            return
        moved = known * done // total if total else known
        self._bars.update(self._tasks[what], completed=moved, total=known)

    def _finished(self, what: str) -> bool:
        return any(task.id == self._tasks[what] and task.finished for task in self._bars.tasks)


@contextmanager
def _lines() -> Iterator[Report]:
    lines = _Lines()
    timer = threading.Timer(PATIENCE, lines.say)
    timer.daemon = True
    timer.start()
    try:
        yield lines.report
    finally:
        timer.cancel()


class _Lines:
    """One line a stage, none of a run that is over soon."""

    def __init__(self) -> None:
        self._begun = time.monotonic()
        self._lock = threading.Lock()
        self._said: set[str] = set()
        self._now: tuple[str, int, int] | None = None

    def report(self, what: str, done: int, total: int) -> None:
        """Note what goes on, and say it if the run is a long one."""
        self._now = (what, done, total) if done < total else None
        if time.monotonic() - self._begun >= PATIENCE:
            self.say()

    def say(self) -> None:
        """Write the line of what goes on, once."""
        with self._lock:
            now = self._now
            if now is None or now[0] in self._said:
                return
            what, done, total = now
            self._said.add(what)
            count = f" ({done:,} of {total:,})" if total > 1 else ""
            sys.stderr.write(f"hawkeys: {what[:1].lower()}{what[1:]}{count} ...\n")
            sys.stderr.flush()
