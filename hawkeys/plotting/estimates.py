"""The picture of a fit: estimates with intervals, and the adjacency."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hawkeys.plotting.adjacency import plot_adjacency

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from hawkeys.process.base import Process

__all__ = ["plot_estimates"]

# with more rows their labels cannot be read, and the largest are shown
_MOST_ROWS = 40
_ROW = 0.22


def plot_estimates(frame: pd.DataFrame, process: Process, *, level: float) -> Figure:
    """Return a figure of a result's table (parameter, target, source, estimate, lower, upper).

    Baselines and adjacency have a panel each, with one row a parameter; the matrix is beside them.
    """
    import matplotlib.pyplot as plt
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    names = set(frame["parameter"])
    second = next(kind for kind in ("adjacency", "weight", "fading") if kind in names)
    # the weights of steps and of exponentials are shown together
    also = {second, "fading"}
    kinds = [frame[frame["parameter"].isin(kinds)] for kinds in ({"baseline"}, also)]
    shown = [part.nlargest(_MOST_ROWS, "estimate").sort_index() for part in kinds]
    rows = [max(len(part), 2) for part in shown]
    # without room at the edge the first letters of the labels are cut
    layout = ConstrainedLayoutEngine(w_pad=0.12, h_pad=0.08)
    figure = plt.figure(figsize=(9.5, 1.6 + _ROW * sum(rows) + 0.4), layout=layout)
    wide = second == "adjacency"
    columns: dict[str, Any] = {"width_ratios": (1.0, 1.1)} if wide else {}
    grid = figure.add_gridspec(2, 1 + wide, height_ratios=rows, **columns)
    for k, (part, every) in enumerate(zip(shown, kinds, strict=True)):
        axes = figure.add_subplot(grid[k, 0])
        _draw_rows(axes, part)
        name = str(every["parameter"].iloc[0])
        left_out = f", the {len(part)} largest of {len(every)}" if len(part) < len(every) else ""
        axes.set_title(f"{name}, {100 * level:g} % intervals{left_out}", fontsize="medium")
    if wide:
        beside = figure.add_subplot(grid[:, 1])
        plot_adjacency(process.adjacency, mark_names=process.mark_names, ax=beside)
    return figure


def _draw_rows(axes: Axes, part: pd.DataFrame) -> None:
    """Draw one row a parameter, the first at the top: the interval, and the estimate on it."""
    places = np.arange(len(part))
    axes.hlines(places, part["lower"], part["upper"], color="0.55", lw=1.5)
    axes.plot(part["estimate"], places, "o", color="#0072b2", ms=4)
    labels = [_label(row) for row in part.to_dict("records")]
    axes.set_yticks(places, labels, fontsize="small")
    axes.set_ylim(len(part) - 0.5, -0.5)
    axes.axvline(0.0, color="0.8", lw=0.8, zorder=0)
    axes.tick_params(axis="x", labelsize="small")


def _label(row: dict[str, Any]) -> str:
    """Return what a row of the picture is called: a mark, a pair, a pair with its filter."""
    source = row["source"]
    if row["parameter"] == "baseline":
        named = source is not None and source == source
        return f"{row['target']}, {source}" if named else str(row["target"])
    pair = f"{source} \N{RIGHTWARDS ARROW} {row['target']}"
    return f"{pair}, {row['order']}, {row['knot']:g}" if "knot" in row else pair
