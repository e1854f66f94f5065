"""What the commands print: tables and notes on stdout, progress on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from hawkeys._progress import progress_on_stderr
from hawkeys.evaluation.report.tables import summary_rows

if TYPE_CHECKING:
    from hawkeys.evaluation import Evaluation

__all__ = [
    "print_evaluation",
    "print_notice",
    "print_summary",
    "print_table",
    "print_text",
    "progress_on_stderr",
]

_GAP = 3  # characters between two columns of SIMPLE_HEAD


def print_notice(notice: str, *, err: bool = False) -> None:
    """Print something that must not be overlooked, in a frame.

    Parameters
    ----------
    notice : str
        One or more sentences.
    err : bool, default False
        Print it on stderr, where stdout holds JSON.
    """
    panel = Panel(Text(notice), title="NOTICE", border_style="bold yellow")
    Console(stderr=err).print(panel)


def print_text(text: str = "") -> None:
    """Print a paragraph, wrapped to the width of the terminal.

    Parameters
    ----------
    text : str, default ""
        The paragraph; it is printed as it is, without markup.
    """
    Console().print(Text(text), soft_wrap=False)


def print_table(table: pd.DataFrame) -> None:
    """Print a table as it is, its first column to the left and the others to the right.

    A table that is wider than the terminal is printed in parts, each with the first column: no
    figure is cut. What is wider than half the terminal is wrapped.

    Parameters
    ----------
    table : DataFrame
        Numbers are printed as they are: round them first.
    """
    console = Console()
    cells = [[str(name), *(str(value) for value in table[name])] for name in table]
    for columns in _parts(cells, console.width):
        shown = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for place, column in enumerate(columns):
            shown.add_column(
                Text(column[0]), justify="right" if place else "left", overflow="fold",
                max_width=console.width // 2,
            )  # fmt: skip
        for row in zip(*(column[1:] for column in columns), strict=True):
            shown.add_row(*(Text(cell) for cell in row))
        console.print(shown)


def _parts(columns: list[list[str]], width: int) -> list[list[list[str]]]:
    """Return columns of cells in groups that fit into a width, the first one in each."""
    first, *others = columns
    widths = [min(max(cell_len(cell) for cell in one), width // 2) for one in columns]
    parts, taken = [[first]], widths[0]
    for one, own in zip(others, widths[1:], strict=True):
        if taken + _GAP + own > width and len(parts[-1]) > 1:
            parts.append([first])
            taken = widths[0]
        parts[-1].append(one)
        taken += _GAP + own
    return parts


def print_summary(summary: pd.DataFrame, false_alarm: float) -> None:
    """Print one row per verifier: mean rates with their intervals.

    Parameters
    ----------
    summary : DataFrame
        As `Evaluation.summary` returns it.
    false_alarm : float
        The stated false-alarm rate.
    """
    table = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    table.add_column("verifier", overflow="fold")
    for title in (f"miss at {100 * false_alarm:g} %", "EER", "AUC"):
        table.add_column(title, no_wrap=True)
    for row in summary_rows(summary):
        table.add_row(*(Text(cell) for cell in row))
    Console().print(table)


def print_evaluation(evaluation: Evaluation) -> None:
    """Print the protocol and the summary of an evaluation.

    Parameters
    ----------
    evaluation : Evaluation
        What its data say of themselves was printed before the work.
    """
    told = evaluation.provenance.get("notice", "")  # before the work
    rest = evaluation.notice.removeprefix(told).strip()
    if rest:
        print_notice(rest)
    print_text(f"Protocol {evaluation.protocol.name}. {evaluation.protocol_text}")
    print_text(
        f"\nMiss rate at {100 * evaluation.false_alarm:g} % false alarms, equal-error rate (EER), "
        "area under the ROC curve (AUC):\n"
    )
    print_summary(evaluation.summary(), evaluation.false_alarm)
    print_text(f"\n{evaluation.interval_note}")
