"""What long work says on stderr: bars on a terminal, elsewhere one line a stage."""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

__all__ = ["PATIENCE", "keep_quiet", "progress_on_stderr"]

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


@contextmanager
def progress_on_stderr() -> Iterator[Callable[[str, int, int], None]]:
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
        yield lambda what, done, total: None
        return
    from rich.console import Console

    console = Console(stderr=True)
    # a bar that is switched off still ends with an empty line
    kind: Any = _bars(console) if console.is_terminal else _lines()
    with kind as report:
        yield report


@contextmanager
def _bars(console: Any) -> Iterator[Callable[[str, int, int], None]]:
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
def _lines() -> Iterator[Callable[[str, int, int], None]]:
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
