"""Text and HTML of results: data first (a frame), rendering second."""

from __future__ import annotations

import html
from collections.abc import Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["MAX_ROWS", "render", "render_html", "strongest"]

MAX_ROWS = 40
"""Rows of a table that a summary shows."""

_BASELINES = 10


def strongest(table: pd.DataFrame) -> tuple[pd.DataFrame, str]:
    """Return the largest baselines and the strongest influences, and what they are, in words.

    Parameters
    ----------
    table : pandas.DataFrame, shape (n_parameters, any)
        With the columns parameter and estimate; all that is no baseline is an influence.

    Returns
    -------
    pandas.DataFrame, shape (at most 40, any)
        10 baselines, then the others, each kind from the largest absolute estimate down.
    str
        A sentence that says how many there are of each.
    """
    first = (table["parameter"] == "baseline").to_numpy()
    size = table["estimate"].abs()
    parts = [
        table.loc[size[kind].nlargest(n).index]
        for kind, n in ((first, _BASELINES), (~first & (size > 0), MAX_ROWS - _BASELINES))
    ]
    shown = table.loc[parts[0].index.append(parts[1].index)]
    n_others, n_above = int((~first).sum()), int((size[~first] > 0).sum())
    return shown, (
        f"Shown: the {len(parts[0])} largest of {int(first.sum())} baselines, and the "
        f"{len(parts[1])} strongest of {n_above} influences that are not 0, of {n_others}; all: "
        "to_frame()."
    )


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
    shown = table.head(MAX_ROWS).to_string(
        index=False, float_format=lambda value: f"{value:.4g}", na_rep="-"
    )
    width = max(len(line) for line in [title, *pairs, *shown.splitlines()])
    rule = "=" * width
    lines = [title, rule, *pairs, "-" * width, *shown.splitlines(), rule]
    if len(table) > MAX_ROWS:
        lines.append(f"{len(table) - MAX_ROWS} more rows: see to_frame().")
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
    shown = table.head(MAX_ROWS).to_html(
        index=False, float_format=lambda value: f"{value:.4g}", na_rep="-", border=0
    )
    more = [f"{len(table) - MAX_ROWS} more rows: see to_frame()."] * (len(table) > MAX_ROWS)
    below = "".join(f"<p>{html.escape(line)}</p>" for line in [*more, *notes])
    return (
        f"<div><strong>{html.escape(title)}</strong><table>{rows}</table>\n{shown}\n{below}</div>"
    )
