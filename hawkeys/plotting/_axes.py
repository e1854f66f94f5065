"""What all pictures share: where they are drawn, and numbers on logarithmic scales."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.axis import Axis
    from matplotlib.ticker import FuncFormatter

__all__ = ["current_axes", "label_logarithms", "plain_numbers"]

# decades up to which 2 and 5 times a power of ten are labelled, too
_FEW_DECADES = 2.5
_MAX_LABELS = 8


def current_axes() -> Axes:
    """Return the current axes of pyplot; a figure made for them makes room for all labels."""
    import matplotlib.pyplot as plt

    if not plt.get_fignums():
        plt.figure(layout="constrained")
    return plt.gca()


def plain_numbers() -> FuncFormatter:
    """Return a formatter that writes 0.001 or 1e-05, never a formula.

    matplotlib writes powers of ten as formulas, which are shown as raw text where formulas are
    switched off (``text.parse_math``), as they are in reports.
    """
    from matplotlib.ticker import FuncFormatter

    return FuncFormatter(lambda value, _: f"{value:g}")


def label_logarithms(axis: Axis) -> None:
    """Label a logarithmic axis, whose limits are set, by plain numbers that do not overlap."""
    from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter

    low, high = sorted(axis.get_view_interval())
    decades = math.log10(high / low)
    if decades < 1.0:
        axis.set_major_locator(MaxNLocator(_MAX_LABELS - 2))
    else:
        shown = (1.0, 2.0, 5.0) if decades < _FEW_DECADES else (1.0,)
        axis.set_major_locator(LogLocator(subs=shown, numticks=_MAX_LABELS))
    axis.set_major_formatter(plain_numbers())
    axis.set_minor_formatter(NullFormatter())
