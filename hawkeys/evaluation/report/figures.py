"""Figures of an evaluation, drawn from plain arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import as_float_array, check_shape
from hawkeys.evaluation.rates.curves import MeanCurve
from hawkeys.evaluation.report.styles import COLOURS, LEGEND, MARKERS, styles
from hawkeys.exceptions import InvalidParameterError
from hawkeys.plotting._axes import current_axes, plain_numbers

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage


from typing import TYPE_CHECKING

import pandas as pd

from hawkeys._validation import check_choice

if TYPE_CHECKING:
    from matplotlib.axes import Axes


__all__ = [
    "draw_adjacency",
    "draw_embedding",
    "draw_roc",
    "plot_study",
    "redraw_adjacency",
    "session_means",
]

# Entries of an adjacency differ by orders of magnitude: a key near the end of the text, observed
# for an instant, can explain an event only by a large entry.
_DECADES = 1e3


def draw_roc(
    curves: Mapping[str, MeanCurve], *, false_alarm: float = 0.05, ax: Axes | None = None
) -> Axes:
    """Draw the share of impostors rejected against the share of genuine samples rejected.

    Parameters
    ----------
    curves : mapping of str to MeanCurve
        One curve per verifier.
    false_alarm : float, default 0.05
        The stated false-alarm rate, marked by a vertical line.
    ax : Axes, optional
        Where to draw; the current axes by default.

    Returns
    -------
    Axes
        The axes drawn on.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.evaluation.rates.curves import mean_curve
    >>> from hawkeys.evaluation.report.figures import draw_roc
    >>> curve = mean_curve([(np.array([1.0, 2.0]), np.array([0.0, 1.5]))])
    >>> draw_roc({"verifier": curve}).get_xlabel()
    'False alarms: genuine samples rejected (%)'
    """
    ax = current_axes() if ax is None else ax
    for (name, curve), style in zip(curves.items(), styles(len(curves)), strict=True):
        ax.plot(100 * curve.false_alarm, 100 * (1 - curve.miss), label=name, **style)
    ax.plot([0, 100], [0, 100], color="0.75", lw=1, zorder=0)
    ax.axvline(100 * false_alarm, color="0.4", lw=1, ls=(0, (1, 2)), zorder=0)
    ax.set(xlim=(0, 100), ylim=(0, 101), aspect="equal")
    ax.set_xlabel("False alarms: genuine samples rejected (%)")
    ax.set_ylabel("Impostor samples rejected (%)")
    ax.legend(loc="lower right", **LEGEND)
    return ax


def session_means(
    adjacency: ArrayLike, session: ArrayLike
) -> tuple[FloatArray, tuple[object, ...]]:
    """Average adjacency matrices session by session.

    Parameters
    ----------
    adjacency : array_like, shape (n_samples, n_marks, n_marks)
        One matrix per typing sample; NaN marks an entry that was not estimated.
    session : array_like, shape (n_samples,)
        Session of each sample.

    Returns
    -------
    means : ndarray of float64, shape (n_sessions, n_marks, n_marks)
        Mean matrices.
    sessions : tuple
        Their sessions in increasing order.

    Raises
    ------
    InvalidParameterError
        If the shapes do not fit together.

    Examples
    --------
    >>> from hawkeys.evaluation.report.figures import session_means
    >>> means, sessions = session_means([[[1.0]], [[3.0]], [[5.0]]], [1, 1, 2])
    >>> means.ravel(), sessions
    (array([2., 5.]), (1, 2))
    """
    matrices = np.asarray(adjacency, dtype=np.float64)
    labels = np.asarray(session)
    if matrices.ndim != 3 or matrices.shape[1] != matrices.shape[2]:
        raise InvalidParameterError(
            "adjacency must have shape (n_samples, n_marks, n_marks), one square matrix per "
            f"sample; got shape {matrices.shape}."
        )
    if labels.shape != matrices.shape[:1]:
        raise InvalidParameterError(
            f"session must have shape {matrices.shape[:1]}, one label per adjacency matrix; "
            f"got shape {labels.shape}."
        )
    sessions = np.unique(labels)
    means = np.stack([matrices[labels == label].mean(axis=0) for label in sessions])
    return means, tuple(sessions.tolist())


def draw_adjacency(
    adjacency: ArrayLike,
    session: ArrayLike,
    key_names: Sequence[str],
    *,
    title: str = "",
    vmax: float | None = None,
) -> Figure:
    """Draw the mean adjacency matrix of every session as heat maps in one figure.

    Colours are on a logarithmic scale of three decades; entries below it are white.

    Parameters
    ----------
    adjacency : array_like, shape (n_samples, n_marks, n_marks)
        One matrix per typing sample: entry [i, j] is the expected number of events of key i that
        one event of key j triggers directly. NaN (not estimated) is drawn grey.
    session : array_like, shape (n_samples,)
        Session of each sample.
    key_names : sequence of str, length n_marks
        Labels of the keys.
    title : str, default ""
        Title of the figure.
    vmax : float, optional
        Value of the darkest colour, positive; by default the largest mean. Pass the same number for
        figures that are to be compared.

    Returns
    -------
    Figure
        A figure that belongs to no window: save it, or show it in a notebook.

    Raises
    ------
    InvalidParameterError
        If the shapes do not fit together.

    Examples
    --------
    >>> from hawkeys.evaluation.report.figures import draw_adjacency
    >>> figure = draw_adjacency([[[0.0, 2.0], [1.0, 0.0]]], [1], ["a", "b"], title="a typist")
    >>> [ax.get_title() for ax in figure.axes][:1]
    ['session 1']
    """
    from matplotlib.figure import Figure

    means, sessions = session_means(adjacency, session)
    _check_names(key_names, means.shape[1])
    n_columns = min(4, len(sessions))
    n_rows = -(-len(sessions) // n_columns)
    figure = Figure(figsize=(2.5 * n_columns + 1.2, 2.5 * n_rows + 0.9), layout="constrained")
    axes = figure.subplots(n_rows, n_columns, squeeze=False, sharex=True, sharey=True)
    limit = _largest(means) if vmax is None else vmax
    for ax, matrix, label in zip(axes.flat, means, sessions, strict=False):
        image = _heat_map(ax, matrix, limit)
        ax.set_title(f"session {label}", fontsize="medium")
    # all axes share their ticks, which are made anew in each whenever they are set in one
    axes[0, 0].set_xticks(range(len(key_names)), key_names)
    axes[0, 0].set_yticks(range(len(key_names)), key_names)
    for ax in axes.flat[len(sessions) :]:
        ax.set_axis_off()
    figure.colorbar(
        image,
        ax=axes,
        shrink=0.8,
        extend="min",
        format=plain_numbers(),
        label="mean number of events triggered",
    )
    figure.supxlabel("triggering key")
    figure.supylabel("triggered key")
    figure.suptitle(title)  # last of the texts, for `redraw_adjacency`
    return figure


def draw_embedding(
    points: ArrayLike, subject: ArrayLike, *, title: str = "", ax: Axes | None = None
) -> Axes:
    """Draw samples as points in a plane, one colour and marker per subject.

    Parameters
    ----------
    points : array_like, shape (n_samples, 2)
        Coordinates, for example the first two principal components.
    subject : array_like of str, shape (n_samples,)
        Typist of each sample.
    title : str, default ""
        Title of the axes.
    ax : Axes, optional
        Where to draw; the current axes by default.

    Returns
    -------
    Axes
        The axes drawn on.

    Raises
    ------
    InvalidParameterError
        If the shapes do not fit together, or a coordinate is not finite.

    Examples
    --------
    >>> from hawkeys.evaluation.report.figures import draw_embedding
    >>> draw_embedding([[0.0, 1.0], [2.0, 3.0]], ["s1", "s2"], title="PCA").get_title()
    'PCA'
    """
    place = as_float_array(points, "points")
    names = np.asarray(subject)
    check_shape(place, "points", (names.size, 2), "n_samples, 2")
    ax = current_axes() if ax is None else ax
    for index, name in enumerate(np.unique(names)):
        own = place[names == name]
        colour = COLOURS[index % len(COLOURS)]
        marker = MARKERS[index % len(MARKERS)]
        ax.scatter(
            own[:, 0], own[:, 1], s=9, c=colour, marker=marker, alpha=0.6, lw=0, label=str(name)
        )
    ax.set(xticks=[], yticks=[], title=title)
    ax.legend(loc="best", fontsize="small", markerscale=2, handletextpad=0.1)
    return ax


def _largest(means: FloatArray) -> float:
    """Return the largest entry, or 1 if there is no positive one."""
    positive = means[means > 0]  # NaN compares false
    return float(positive.max()) if positive.size else 1.0


def redraw_adjacency(figure: Figure, means: FloatArray, *, title: str) -> None:
    """Show other matrices in a figure of `draw_adjacency`, whose layout stays as it was drawn.

    Parameters
    ----------
    figure : Figure
        As `draw_adjacency` returned it, drawn or saved since.
    means : ndarray of float64, shape (n_sessions, n_marks, n_marks)
        Mean matrices of as many sessions, of the same names.
    title : str
        Title of the figure.
    """
    figure.set_layout_engine("none")
    for ax, matrix in zip(figure.axes, means, strict=False):
        ax.images[0].set_data(np.ma.masked_invalid(matrix))
    figure.texts[-1].set_text(title)  # `suptitle` would move it


def _heat_map(ax: Axes, matrix: FloatArray, vmax: float) -> AxesImage:
    from matplotlib import colormaps
    from matplotlib.colors import LogNorm

    colours = colormaps["viridis_r"].with_extremes(under="white", bad="0.9")
    scale = LogNorm(vmax / _DECADES, vmax)
    image = ax.imshow(np.ma.masked_invalid(matrix), cmap=colours, norm=scale)
    ax.tick_params(length=2, labelsize="x-small")
    ax.tick_params("x", labelrotation=90)
    return image


def _check_names(names: Sequence[str], n_marks: int) -> None:
    if len(names) != n_marks:
        raise InvalidParameterError(
            f"key_names must hold {n_marks} names, one per row of adjacency; got {len(names)}."
        )


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
