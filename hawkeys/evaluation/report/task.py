"""The page of a task: what it said, its tables, and what each system needs, holds and costs."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from hawkeys._files import write_text
from hawkeys._version import __version__
from hawkeys.evaluation.report.write import environment

__all__ = ["TaskPage", "write_task_page"]

_PAGE = "report.html"


@dataclass(frozen=True)
class TaskPage:
    """What the page of a task says.

    Attributes
    ----------
    title : str
        Of the page.
    lead : str
        What was compared, in a sentence or two.
    parts : list of (str, list of str or DataFrame)
        Heading, and paragraphs and tables in their order.
    command : str
        Command that repeats it.
    notice : str
        What must be known of the data first, or "".
    """

    title: str
    lead: str
    parts: Sequence[tuple[str, Sequence[str | pd.DataFrame]]]
    command: str
    notice: str = ""


@dataclass
class _Block:
    """Paragraphs, and the table that follows them."""

    heading: str = ""
    texts: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)


def write_task_page(page: TaskPage, directory: str | Path) -> Path:
    """Write the page of a task.

    Parameters
    ----------
    page : TaskPage
        What it says.
    directory : str or Path
        Folder to write to, which exists.

    Returns
    -------
    Path
        The page, report.html.

    Raises
    ------
    OutputError
        It cannot be written.
    """
    blocks = [block for heading, said in page.parts for block in _blocks(heading, said)]
    content: dict[str, Any] = {
        "title": page.title,
        "lead": page.lead,
        "notice": page.notice,
        "parts": blocks,
        "command": page.command,
        "version": __version__,
    }
    path = Path(directory) / _PAGE
    write_text(path, environment().get_template("task.html.jinja").render(content))
    return path


def _blocks(heading: str, said: Sequence[str | pd.DataFrame]) -> list[_Block]:
    """Return what was said, cut after each table."""
    out = [_Block(heading)]
    for one in said:
        if isinstance(one, str):
            out[-1].texts.extend([one] if one else [])
            continue
        out[-1].columns = [str(name) for name in one.columns]
        cells = [_written(one.iloc[:, k].tolist()) for k in range(one.shape[1])]
        out[-1].rows = [list(row) for row in zip(*cells, strict=True)]
        out.append(_Block())
    return [block for block in out if block.texts or block.rows or block.heading]


def _written(column: list[Any]) -> list[str]:
    """Return the values of a column, its numbers with as many decimals as one of them needs."""
    numbers = [value for value in column if isinstance(value, float) and math.isfinite(value)]
    decimals = max((len(f"{value:.6g}".partition(".")[2]) for value in numbers), default=0)
    return [
        ("" if math.isnan(value) else f"{value:.{decimals}f}") if isinstance(value, float)
        else str(value)
        for value in column
    ]  # fmt: skip
