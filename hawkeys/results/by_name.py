"""Estimates as a series with the name of each, and p-values of single entries."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from hawkeys._typing import BoolArray, FloatArray

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["estimates_by_name", "wald_pvalues"]


def estimates_by_name(frame: pd.DataFrame) -> pd.Series:
    """Return the estimates of a result's table, in its order, by names such as "baseline[a]"."""
    places = [name for name in ("target", "source", "order", "knot") if name in frame]
    names = []
    for parameter, *where in frame[["parameter", *places]].itertuples(index=False):
        # without a source nothing behind it means anything
        known = where if where[1] is not None and where[1] == where[1] else where[:1]
        told = [f"{one:g}" if isinstance(one, float) else str(one) for one in known]
        names.append(f"{parameter}[{', '.join(told)}]")
    return frame["estimate"].set_axis(names)


def wald_pvalues(
    estimates: FloatArray, std_err: FloatArray, at_bound: BoolArray, *, signed: bool
) -> FloatArray:
    """Return p-values of the hypothesis that an entry is 0, NaN where there is no standard error.

    One-sided where entries cannot be negative: then an estimate at the bound 0 has p-value 1.
    """
    tail = np.vectorize(math.erfc, otypes=[np.float64])
    out = 0.5 * tail(np.abs(estimates) / std_err / math.sqrt(2.0))
    return 2.0 * out if signed else np.where(at_bound, 1.0, out)
