"""Plots of processes and results. Each takes `ax`, returns it, and never shows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import as_float_array, check_positive_number, check_square, same_names
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels.pairs import one_pair
from hawkeys.plotting._axes import current_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from hawkeys.process import Hawkes

__all__ = ["cluster_marks", "label_marks", "plot_adjacency", "plot_kernels"]

_ANNOTATE_UP_TO = 8
# more labels than this would overlap: the rest stay out, evenly
_MAX_LABELS = 40
_SMALL_LABELS_FROM = 16
# points of a picture across: of more marks a point stands for several
_MOST_POINTS = 250
_N_LAGS = 400


def plot_adjacency(
    adjacency: ArrayLike,
    *,
    mark_names: Sequence[str] | None = None,
    vmax: float | None = None,
    colorbar: bool = True,
    cluster: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw an adjacency matrix as a heat map, sources across and targets down.

    Of more than 250 marks each point of the picture stands for several entries, and shows the
    largest of them, so that single pairs among a million can be seen.

    Parameters
    ----------
    adjacency : array_like, shape (n_marks, n_marks)
        Expected direct children of the row's mark from one event of the column's mark. Negative
        entries, which inhibit, turn the scale of blues into one from red to blue.
    mark_names : sequence of str, length n_marks, optional
        Tick labels. Default: those of a data frame, else "0", "1", ... With more than 40 marks
        every second, third, ... one is shown.
    vmax : float, optional
        Value of the darkest colour. Default: the largest absolute entry.
    colorbar : bool, default True
        Whether to add a colour bar.
    cluster : bool, default False
        Whether marks with much the same sources and targets are put side by side, by average
        linkage of the cosine distance (Sokal and Michener 1958), in place of their given order.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: the current axes.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on.

    Raises
    ------
    InvalidParameterError
        The matrix is not square and finite, or the labels do not fit.

    References
    ----------
    Sokal, R. R. and Michener, C. D. (1958). A statistical method for evaluating systematic
    relationships. University of Kansas Science Bulletin 38, 1409-1438.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from hawkeys.plotting.adjacency import plot_adjacency
    >>> ax = plot_adjacency([[0.3, 0.1], [0.0, 0.5]], mark_names=["a", "b"], ax=Figure().subplots())
    >>> ax.get_xlabel()
    'source'
    """
    mark_names, adjacency = same_names(mark_names, adjacency=adjacency)
    matrix = check_square(as_float_array(adjacency, "adjacency"), "adjacency")
    size = matrix.shape[0]
    names = [str(m) for m in range(size)] if mark_names is None else list(mark_names)
    if len(names) != size:
        raise InvalidParameterError(f"got {len(names)} mark_names for {size} marks: {names}.")
    if cluster:
        order = cluster_marks(matrix)
        matrix, names = matrix[np.ix_(order, order)], [names[k] for k in order]
    axes = current_axes() if ax is None else ax
    signed = bool((matrix < 0).any())
    top = float(vmax if vmax is not None else np.abs(matrix).max() or 1.0)
    shown = _largest_of_blocks(matrix)
    edge = len(shown) * -(-size // len(shown)) - 0.5
    image = axes.imshow(
        shown,
        cmap="RdBu" if signed else "Blues",
        vmin=-top if signed else 0.0,
        vmax=top,
        extent=(-0.5, edge, edge, -0.5),
    )
    axes.set(xlim=(-0.5, size - 0.5), ylim=(size - 0.5, -0.5))
    label_marks(axes, names)
    if size <= _ANNOTATE_UP_TO:
        for i, j in np.ndindex(size, size):
            colour = "white" if abs(matrix[i, j]) > 0.6 * top else "black"
            axes.text(j, i, _short(float(matrix[i, j])), ha="center", va="center", color=colour)
    if colorbar:
        label = "influence" if signed else "expected direct children"
        axes.figure.colorbar(image, ax=axes, label=label, fraction=0.046, pad=0.04)
    return axes


def cluster_marks(adjacency: FloatArray) -> IntArray:
    """Return an order of the marks in which those with much the same edges are side by side.

    Parameters
    ----------
    adjacency : ndarray of float64, shape (n_marks, n_marks)
        Target by source.

    Returns
    -------
    ndarray of int64, shape (n_marks,)
        The marks; those without any edge, in the order given, come last.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.plotting.adjacency import cluster_marks
    >>> blocks = np.kron(np.ones((2, 2)), np.eye(2))  # 0 and 2 are connected, 1 and 3
    >>> sorted(cluster_marks(blocks)[:2].tolist()) in ([0, 2], [1, 3])
    True
    """
    import scipy.cluster.hierarchy

    edges = np.hstack((adjacency, adjacency.T))
    connected = np.flatnonzero(edges.any(axis=1))
    alone = np.setdiff1d(np.arange(len(edges)), connected)
    if connected.size > 2:
        tree = scipy.cluster.hierarchy.linkage(edges[connected], "average", metric="cosine")
        connected = connected[scipy.cluster.hierarchy.leaves_list(tree)]
    return np.concatenate((connected, alone))


def plot_kernels(
    process: Hawkes,
    pairs: Sequence[tuple[int, int]],
    *,
    longest: float,
    ax: Axes | None = None,
    **style: Any,
) -> Axes:
    """Draw excitation kernels, adjacency times density, against the lag.

    Parameters
    ----------
    process : Hawkes
        The process.
    pairs : sequence of (target, source)
        Indices of the marks.
    longest : float
        Longest lag drawn, in the process's unit of time.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: the current axes.
    **style
        Style of the lines, as matplotlib's `plot` takes it.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on. The area under a line is the expected number of direct children.

    Raises
    ------
    InvalidParameterError
        A mark does not exist, or `longest` is not positive.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import hawkeys
    >>> from hawkeys.plotting.adjacency import plot_kernels
    >>> process = hawkeys.Hawkes([1.0], [[0.5]], kernel=hawkeys.kernels.LogNormal(-2.0, 0.3))
    >>> ax = plot_kernels(process, [(0, 0)], longest=0.4, ax=Figure().subplots())
    >>> ax.get_legend().get_texts()[0].get_text()
    '0 to 0'
    """
    size, names = process.n_marks, process.mark_names
    lags = np.linspace(0.0, check_positive_number(longest, "longest"), _N_LAGS + 1)[1:]
    every = process.kernel.density(lags)
    axes = current_axes() if ax is None else ax
    for target, source in pairs:
        if not (0 <= target < size and 0 <= source < size):
            raise InvalidParameterError(
                f"pairs must hold marks from 0 to {size - 1}; got ({target}, {source})."
            )
        height = process.adjacency[target, source] * one_pair(every, size, target, source)
        axes.plot(lags, height, **{"label": f"{names[source]} to {names[target]}", **style})
    axes.set_xlabel("lag")
    axes.set_ylabel("children per unit of time")
    axes.set_ylim(bottom=0.0, auto=True)  # further kernels may be higher
    axes.legend(fontsize="small")
    return axes


def label_marks(axes: Axes, names: Sequence[str]) -> None:
    """Write the marks' names below and beside a matrix, sources across and targets down.

    Parameters
    ----------
    axes : matplotlib.axes.Axes
        Axes that show the matrix.
    names : sequence of str, length n_marks
        Names of the marks; of more than 40 every second, third, ... one is written.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> from hawkeys.plotting.adjacency import label_marks
    >>> axes = Figure().subplots()
    >>> label_marks(axes, [str(mark) for mark in range(100)])
    >>> [text.get_text() for text in axes.get_xticklabels()][:3]
    ['0', '3', '6']
    """
    shown = range(0, len(names), -(-len(names) // _MAX_LABELS))
    labels = [names[k] for k in shown]
    many = len(labels) >= _SMALL_LABELS_FROM
    size = "x-small" if many else None
    rotation = 90 if many or max(map(len, labels)) > 2 else 0
    axes.set_xticks(shown, labels, rotation=rotation, fontsize=size)
    axes.set_yticks(shown, labels, fontsize=size)
    axes.set_xlabel("source")
    axes.set_ylabel("target")


def _largest_of_blocks(matrix: FloatArray) -> FloatArray:
    """Return a matrix of at most 250 rows, each entry the largest, by size, of a block of others.

    A blank edge makes the blocks equal.
    """
    side = -(-len(matrix) // _MOST_POINTS)
    if side == 1:
        return matrix
    n_blocks = -(-len(matrix) // side)
    padded = np.zeros((n_blocks * side, n_blocks * side))
    padded[: len(matrix), : len(matrix)] = matrix
    blocks = padded.reshape(n_blocks, side, n_blocks, side).swapaxes(1, 2)
    flat = blocks.reshape(n_blocks, n_blocks, side * side)
    largest = np.abs(flat).argmax(axis=2)
    return np.take_along_axis(flat, largest[:, :, None], axis=2)[:, :, 0]


def _short(value: float) -> str:
    """Write an entry so that it fits its square; what is small but not 0 must not look like 0."""
    if 0 < abs(value) < 0.005:
        return "<.01" if value > 0 else ">-.01"
    return f"{value:.2g}"
