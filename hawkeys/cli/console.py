"""What the commands print: tables and notes on stdout, progress on stderr."""

from __future__ import annotations

import pandas as pd
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from hawkeys._progress import progress_on_stderr
from hawkeys.evaluation.report.tables import summary_rows

__all__ = ["print_notice", "print_summary", "print_table", "print_text", "progress_on_stderr"]


def print_notice(notice: str) -> None:
    """Print something that must not be overlooked, in a frame.

    Parameters
    ----------
    notice : str
        One or more sentences.
    """
    panel = Panel(Text(notice), title="NOTICE", border_style="bold yellow")
    Console().print(panel)


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

    Parameters
    ----------
    table : DataFrame
        Numbers are printed as they are: round them first.
    """
    shown = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for place, column in enumerate(table.columns):
        shown.add_column(str(column), justify="right" if place else "left", no_wrap=True)
    for row in table.itertuples(index=False):
        shown.add_row(*(str(value) for value in row))
    Console().print(shown)


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
