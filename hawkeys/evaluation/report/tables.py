"""Tables of an evaluation as text."""

from __future__ import annotations

import pandas as pd

__all__ = ["interval_text", "rate_text", "summary_rows", "summary_table"]


def rate_text(rate: float) -> str:
    """Write a rate in four characters: three decimals, no leading zero.

    Parameters
    ----------
    rate : float
        From 0 to 1.

    Returns
    -------
    str
        For example ``.284``, or ``1.00``.

    Examples
    --------
    >>> rate_text(0.2841)
    '.284'
    """
    text = f"{rate:.3f}"
    return text[1:] if text.startswith("0") else text[:4]


def interval_text(mean: float, lower: float, upper: float) -> str:
    """Write a mean with its interval.

    Parameters
    ----------
    mean, lower, upper : float
        Rates from 0 to 1.

    Returns
    -------
    str
        For example ``.284 (.123-.456)``.

    Examples
    --------
    >>> interval_text(0.284, 0.123, 1.0)
    '.284 (.123-1.00)'
    """
    return f"{rate_text(mean)} ({rate_text(lower)}-{rate_text(upper)})"


def summary_rows(summary: pd.DataFrame) -> list[tuple[str, ...]]:
    """Write the main figures of a summary, one row per verifier.

    Parameters
    ----------
    summary : DataFrame
        As `Evaluation.summary` returns it.

    Returns
    -------
    list of tuple of str, length 4
        Verifier, miss rate, equal-error rate and area under the ROC curve, with intervals.
    """
    return [
        (
            str(name),
            *(
                interval_text(row[figure], row[f"{figure}_lower"], row[f"{figure}_upper"])
                for figure in ("miss_rate", "eer", "auc")
            ),
        )
        for name, row in summary.iterrows()
    ]


def summary_table(summary: pd.DataFrame, false_alarm: float) -> str:
    """Write the main figures of a summary as an aligned table.

    Parameters
    ----------
    summary : DataFrame
        As `Evaluation.summary` returns it.
    false_alarm : float
        The stated false-alarm rate.

    Returns
    -------
    str
        One line per verifier below a header, at most 80 characters wide unless a verifier has a
        long name.
    """
    header = ("verifier", f"miss at {100 * false_alarm:g} %", "EER", "AUC")
    rows = [header, *summary_rows(summary)]
    widths = [max(len(row[k]) for row in rows) for k in range(4)]
    lines = ["  ".join(cell.ljust(w) for cell, w in zip(row, widths, strict=True)) for row in rows]
    return "\n".join(line.rstrip() for line in lines)
