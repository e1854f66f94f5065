"""A picture of who triggered whom."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from hawkeys._typing import FloatArray, IntArray
from hawkeys.events import Events
from hawkeys.events.showing import label_time, on_axis
from hawkeys.exceptions import InvalidParameterError
from hawkeys.plotting._axes import current_axes

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["plot_branching"]

# heights of the arcs, as a part of the distance between neighbouring marks
_LOWEST = 0.15
_HIGHEST = 0.75
_N_POINTS = 33


def plot_branching(
    events: Events,
    pairs: tuple[IntArray, IntArray, FloatArray],
    immigrant: FloatArray,
    *,
    realization: int = 0,
    threshold: float = 0.05,
    ax: Axes | None = None,
) -> Axes:
    """Draw the events of one realisation in time, a line per mark, and arcs to their children.

    Parameters
    ----------
    events : Events
        The events.
    pairs : tuple (children, parents, probability), each an ndarray of shape (n_pairs,)
        Which event may have triggered which, and how probably.
    immigrant : ndarray, shape (n_events,)
        Probability that no event triggered it: dots are the darker the greater it is.
    realization : int, default 0
        Which realisation.
    threshold : float, default 0.05
        Pairs less probable than this are not drawn.
    ax : matplotlib.axes.Axes, optional
        Where to draw. Default: the current axes.

    Returns
    -------
    matplotlib.axes.Axes
        The axes drawn on. An arc leads from the parent to its later child, in the colour of the
        parent's mark, the darker the more probable; children on the same line are reached from
        above.

    Raises
    ------
    InvalidParameterError
        No such realisation.

    Examples
    --------
    >>> from matplotlib.figure import Figure
    >>> import hawkeys
    >>> process = hawkeys.Hawkes([0.1], [[0.5]], decay=2.0)
    >>> events = hawkeys.Events.from_lists([[[1.0, 1.2, 5.0]]], end_times=6.0)
    >>> branching = hawkeys.branching_probabilities(process, events)
    >>> ax = branching.plot(ax=Figure().subplots())
    >>> len(ax.lines)  # one arc: 1.0 to 1.2
    1
    """
    if not -events.n_realizations <= realization < events.n_realizations:
        raise InvalidParameterError(
            f"realization must lie in 0..{events.n_realizations - 1}; got {realization}."
        )
    r = realization % events.n_realizations
    axes = current_axes() if ax is None else ax
    begin, end = events.offsets[r : r + 2]
    children, parents, probability = pairs
    shown = (children >= begin) & (children < end) & (probability >= threshold)
    longest = float(np.max(events.times[children[shown]] - events.times[parents[shown]], initial=0))
    for k, e, p in zip(children[shown], parents[shown], probability[shown], strict=True):
        ends = ((events.times[e], events.marks[e]), (events.times[k], events.marks[k]))
        colour = f"C{events.marks[e] % 10}"
        line, height = _arc(*ends, longest)
        look: dict[str, Any] = {"color": colour, "alpha": float(p), "linewidth": 1.2, "zorder": 1}
        axes.plot(on_axis(events, line), height, **look)
    own = slice(begin, end)
    axes.scatter(
        *(on_axis(events, events.times[own]), events.marks[own]),
        c=np.nan_to_num(immigrant[own]),
        cmap="Greys",
        vmin=0.0,
        vmax=1.0,
        edgecolors="black",
        s=28,
        zorder=2,
    )
    _label(axes, events, r)
    return axes


def _arc(
    start: tuple[float, int], end: tuple[float, int], longest: float
) -> tuple[FloatArray, FloatArray]:
    """Return a parabola from parent to child, the higher the longer the lag."""
    s = np.linspace(0.0, 1.0, _N_POINTS)
    lag = end[0] - start[0]
    height = _LOWEST + (_HIGHEST - _LOWEST) * np.sqrt(lag / longest)
    line = start[1] + (end[1] - start[1]) * s
    return start[0] + lag * s, line + 4.0 * height * s * (1.0 - s)


def _label(axes: Axes, events: Events, realization: int) -> None:
    window = np.array([events.start_times[realization], events.end_times[realization]])
    axes.set_xlim(*on_axis(events, window))
    axes.set_ylim(-0.5, events.n_marks)
    axes.set_yticks(range(events.n_marks), events.mark_names)
    label_time(axes, events)
    axes.set_ylabel("mark")
    axes.set_title("dark dots: immigrants; arcs: parent to child", fontsize="small")
