"""Figures of the studies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from hawkeys._validation import check_choice
from hawkeys.evaluation.looks import LEGEND, MARKERS, styles
from hawkeys.plotting._axes import current_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_study"]

_LABELS = {
    "eer": "Equal-error rate (%)",
    "achieved_false_alarm": "False alarms at the verifier's own threshold (%)",
    "achieved_miss": "Misses at the verifier's own threshold (%)",
}


def plot_study(table: pd.DataFrame, metric: str = "miss_at_5", ax: Axes | None = None) -> Axes:
    """Draw one figure of a study against its setting, with intervals.

    Parameters
    ----------
    table : DataFrame
        As a function of `hawkeys.evaluation.studies` returns it. The settings stand at equal
        distances.
    metric : str, default "miss_at_5"
        Figure to draw.
    ax : Axes, optional
        Where to draw; the current axes by default.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    InvalidParameterError
        If the table does not hold the metric.
    """
    check_choice(metric, "metric", tuple(table["metric"].unique()))
    ax = current_axes() if ax is None else ax
    rows = table[table["metric"] == metric]
    settings = list(dict.fromkeys(rows["setting"]))
    groups = list(rows.groupby("verifier", sort=False))
    # Side by side, so that no interval hides another.
    offsets = np.linspace(-0.1, 0.1, len(groups)) if len(groups) > 1 else np.zeros(1)
    looks = zip(groups, offsets, styles(len(groups)), strict=True)
    for index, ((name, group), offset, style) in enumerate(looks):
        x = np.array([settings.index(setting) for setting in group["setting"]]) + offset
        mean, lower, upper = (100 * group[part].to_numpy() for part in ("mean", "lower", "upper"))
        style |= {"marker": MARKERS[index % len(MARKERS)], "ms": 5, "capsize": 2, "elinewidth": 1}
        ax.errorbar(x, mean, yerr=(mean - lower, upper - mean), label=name, **style)
    ax.set_xticks(range(len(settings)), [_text(setting) for setting in settings])
    ax.set(xlabel=table["study"].iloc[0], ylabel=_label(metric), xlim=(-0.4, len(settings) - 0.6))
    ax.set_ylim(bottom=0)
    ax.grid(axis="y", color="0.92", lw=0.8)
    # above the axes: inside, it would hide an interval of some study
    ax.legend(loc="lower left", bbox_to_anchor=(0.0, 1.0), ncols=2, **LEGEND)
    return ax


def _label(metric: str) -> str:
    stated = metric.removeprefix("miss_at_")
    return _LABELS.get(metric, f"Misses at {stated} % false alarms (%)")


def _text(setting: object) -> str:
    return f"{setting:g}" if isinstance(setting, int | float) else str(setting)
