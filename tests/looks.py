"""What every picture is held to: plain words, a colour bar, nothing under a legend."""

import io
import itertools
import re

import numpy as np
from matplotlib import rc_context
from matplotlib.collections import LineCollection


def words_in(figure):
    """Every text of the picture, as it is drawn where formulas are switched off."""
    written = io.StringIO()
    with rc_context({"svg.fonttype": "none", "text.parse_math": False}):
        figure.savefig(written, format="svg")
    return re.findall(r"<text[^>]*>(.*?)</text>", written.getvalue(), re.DOTALL)


def check_words(figure):
    """Numbers are numbers, not formulas that nobody typeset."""
    words = words_in(figure)
    assert words
    assert [word for word in words if "math" in word or "$" in word] == []


def heat_maps_without_bar(figure):
    """Axes that show a matrix in colours which no colour bar explains."""
    explained = [ax._colorbar.mappable.norm for ax in figure.axes if getattr(ax, "_colorbar", None)]
    own = [(ax, image) for ax in figure.axes if not hasattr(ax, "_colorbar") for image in ax.images]
    return [
        ax
        for ax, image in own
        if not any(
            (norm.vmin, norm.vmax) == (image.norm.vmin, image.norm.vmax) for norm in explained
        )
    ]


def hidden_by_legend(ax):
    """Lines and error bars, by label, of which a point lies under the legend."""
    figure = ax.figure
    figure.draw_without_rendering()
    box = ax.get_legend().get_window_extent()
    paths = [(line.get_label(), line.get_xydata()) for line in ax.lines]
    for collection in ax.collections:
        if isinstance(collection, LineCollection):
            paths += [(collection.get_label(), part) for part in collection.get_segments()]
    found = set()
    for label, path in paths:
        if len(path) == 0:
            continue
        steps = [np.linspace(a, b, 50) for a, b in itertools.pairwise(path)]
        dense = np.concatenate(steps or [path])
        shown = ax.transData.transform(dense)
        inside = (shown >= box.min).all(axis=1) & (shown <= box.max).all(axis=1)
        if inside.any():
            found.add(label)
    return found
