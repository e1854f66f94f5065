"""What the commands print: tables and notes on stdout, progress on stderr."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

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

    In a table that is wider than the terminal, titles are wrapped; one that is still wider is
    printed in parts, each with the first column: no figure is cut. What is wider than half the
    terminal is wrapped.

    Parameters
    ----------
    table : DataFrame
        Numbers are printed as they are, those of a column with equally many decimals: round them
        first.
    """
    console = Console()
    columns = [[str(name), *_cells(table[name].tolist())] for name in table]
    widths = _widths(columns, console.width)
    for number, part in enumerate(_parts(widths, console.width)):
        shown = Table(box=SIMPLE_HEAD, pad_edge=False, show_edge=False)
        for place in part:
            title = Text(columns[place][0])
            shown.add_column(
                title, justify="right" if place else "left", overflow="fold", width=widths[place]
            )
        for row in zip(*(columns[place][1:] for place in part), strict=True):
            shown.add_row(*(Text(cell) for cell in row))
        if number:
            console.print()
        console.print(shown)


def _cells(values: list[Any]) -> list[str]:
    """Return values as text, fractions with as many decimals as the longest of them."""
    texts = [str(value) for value in values]
    plain = [isinstance(value, float) and text.replace(".", "").lstrip("-").isdigit()
             for value, text in zip(values, texts, strict=True)]  # fmt: skip
    decimals = [len(text.partition(".")[2]) for text, one in zip(texts, plain, strict=True) if one]
    digits = max(decimals, default=0)
    return [f"{value:.{digits}f}" if one else text
            for value, text, one in zip(values, texts, plain, strict=True)]  # fmt: skip


def _widths(columns: list[list[str]], room: int) -> list[int]:
    """Return the width of each column: as wide as its title and cells, if the room is enough."""
    natural = [min(max(cell_len(cell) for cell in one), room // 2) for one in columns]
    if sum(natural) + _GAP * (len(columns) - 1) <= room:
        return natural
    titles = [max((cell_len(word) for word in one[0].split()), default=0) for one in columns]
    cells = [max((cell_len(cell) for cell in one[1:]), default=0) for one in columns]
    return [max(1, min(max(both), room // 2)) for both in zip(titles, cells, strict=True)]


def _parts(widths: list[int], room: int) -> list[list[int]]:
    """Return numbers of columns in groups that fit into the room, the first column in each."""
    parts, taken = [[0]], widths[0]
    for place, own in enumerate(widths[1:], start=1):
        if taken + _GAP + own > room and len(parts[-1]) > 1:
            parts.append([0])
            taken = widths[0]
        parts[-1].append(place)
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
