"""Text and HTML of results: data first (a frame), rendering second."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["render", "render_html"]

_MAX_ROWS = 40


def render(title: str, facts: Mapping[str, str], table: pd.DataFrame, notes: list[str]) -> str:
    """Lay out a title, facts in two columns, a table and notes.

    Parameters
    ----------
    title : str
        First line.
    facts : mapping
        Label and value, shown two to a line.
    table : pandas.DataFrame, shape (n_rows, any)
        Shown without its index; at most 40 rows.
    notes : list of str
        One line each, below the table.

    Returns
    -------
    str
        Plain text without a trailing newline; the same input gives the same text.
    """
    labels = [f"{label + ':':<18} {value}" for label, value in facts.items()]
    left = max(map(len, labels[::2]), default=0) + 3
    pairs = [
        f"{labels[k]:<{left}}{labels[k + 1] if k + 1 < len(labels) else ''}".rstrip()
        for k in range(0, len(labels), 2)
    ]
    shown = table.head(_MAX_ROWS).to_string(
        index=False, float_format=lambda value: f"{value:.4g}", na_rep="-"
    )
    width = max(len(line) for line in [title, *pairs, *shown.splitlines()])
    rule = "=" * width
    lines = [title, rule, *pairs, "-" * width, *shown.splitlines(), rule]
    if len(table) > _MAX_ROWS:
        lines.append(f"{len(table) - _MAX_ROWS} more rows: see to_frame().")
    return "\n".join([*lines, *notes])


def render_html(title: str, facts: Mapping[str, str], table: pd.DataFrame, notes: list[str]) -> str:
    """Lay out the same as `render` in HTML, for notebooks.

    Parameters
    ----------
    title : str
        Caption.
    facts : mapping
        Label and value, shown two to a row.
    table : pandas.DataFrame, shape (n_rows, any)
        Shown without its index; at most 40 rows.
    notes : list of str
        One line each, below the table.

    Returns
    -------
    str
        A ``<div>``; names and values are escaped, and the same input gives the same text.
    """
    cells = [f"<th>{html.escape(k)}</th><td>{html.escape(v)}</td>" for k, v in facts.items()]
    rows = "".join(f"<tr>{''.join(cells[k : k + 2])}</tr>" for k in range(0, len(cells), 2))
    shown = table.head(_MAX_ROWS).to_html(
        index=False, float_format=lambda value: f"{value:.4g}", na_rep="-", border=0
    )
    more = [f"{len(table) - _MAX_ROWS} more rows: see to_frame()."] * (len(table) > _MAX_ROWS)
    below = "".join(f"<p>{html.escape(line)}</p>" for line in [*more, *notes])
    return (
        f"<div><strong>{html.escape(title)}</strong><table>{rows}</table>\n{shown}\n{below}</div>"
    )
