"""Tables with one row per parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from hawkeys.baselines import Baseline, Constant

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["parameter_frame", "piece_labels"]


def piece_labels(baseline: Baseline) -> tuple[str | None, ...]:
    """Return the labels of the pieces of a baseline, ``(None,)`` if it is constant.

    Parameters
    ----------
    baseline : Baseline
        Of a fit.

    Returns
    -------
    tuple of str or None, length n_pieces
        For `parameter_frame`.
    """
    return (None,) if isinstance(baseline, Constant) else baseline.labels


def parameter_frame(
    names: tuple[str, ...],
    pieces: tuple[str | None, ...] = (None,),
    places: pd.DataFrame | None = None,
    **columns: np.ndarray,
) -> pd.DataFrame:
    """Return one row per parameter: the baselines, then the adjacency row by row.

    Parameters
    ----------
    names : tuple of str, length n_marks
        Labels of the marks.
    pieces : tuple of str or None, length n_pieces, default (None,)
        Labels of the pieces of a baseline; None if it is constant.
    places : pandas.DataFrame, optional
        What each parameter is, if they are no baselines and adjacency; target after target.
    **columns : ndarray, shape (n_marks, n_pieces + n_marks)
        Baseline, then adjacency row, of each target.

    Returns
    -------
    pandas.DataFrame, shape (n_marks * (n_pieces + n_marks), 3 + n_columns)
        Columns parameter ("baseline" or "adjacency"), target, source, and those given.
    """
    import pandas as pd

    if places is not None:
        return places.assign(**{name: values.ravel() for name, values in columns.items()})
    size, wide = len(names), len(pieces)
    place = {
        "parameter": ["baseline"] * (size * wide) + ["adjacency"] * size**2,
        "target": [*np.repeat(names, wide), *np.repeat(names, size)],
        "source": [*pieces * size, *names * size],
    }
    flat = {
        name: np.concatenate((values[:, :wide].ravel(), values[:, wide:].ravel()))
        for name, values in columns.items()
    }
    return pd.DataFrame({**place, **flat})
