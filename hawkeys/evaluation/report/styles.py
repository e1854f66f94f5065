"""How the figures of an evaluation look: colours, dashes, markers, legends."""

from __future__ import annotations

from typing import Any

__all__ = ["COLOURS", "DASHES", "LEGEND", "MARKERS", "styles"]

# Okabe and Ito's palette, told apart by colour-blind readers; markers and dashes help in grey.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", "-.", ":")
MARKERS = ("o", "^", "s", "D", "v", "P", "X")
LEGEND: dict[str, Any] = {"fontsize": "small", "framealpha": 1.0, "edgecolor": "none"}


def styles(n_curves: int) -> list[dict[str, Any]]:
    """Return keyword arguments of `Axes.plot` for several lines, each with a look of its own.

    Parameters
    ----------
    n_curves : int
        Number of lines; up to 28 differ.

    Returns
    -------
    list of dict
        Colour, dashes and width of each line.

    Examples
    --------
    >>> styles(2)[1]["ls"]
    '--'
    """
    return [
        {"color": COLOURS[k % len(COLOURS)], "ls": DASHES[k % len(DASHES)], "lw": 1.8}
        for k in range(n_curves)
    ]
