"""Bars on stderr while long work goes on."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

__all__ = ["progress_on_stderr"]


@contextmanager
def progress_on_stderr() -> Iterator[Callable[[str, int, int], None]]:
    """Show bars on stderr while the block runs, one per kind of work.

    Nothing is shown if stderr is not a terminal.

    Yields
    ------
    callable
        To be called as ``progress(what, done, total)``.
    """
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        SpinnerColumn,
        TextColumn,
        TimeElapsedColumn,
    )

    console = Console(stderr=True)
    if not console.is_terminal:
        # a bar that is switched off still ends with an empty line
        yield lambda what, done, total: None
        return
    columns = (
        SpinnerColumn(finished_text=" "),
        TextColumn("{task.description}"),
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    tasks = {}
    with Progress(*columns, console=console) as bars:

        def report(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=total)
            bars.update(tasks[what], completed=done, total=total)

        yield report
