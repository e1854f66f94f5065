"""Tables with one row per parameter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["parameter_frame"]


def parameter_frame(names: tuple[str, ...], **columns: np.ndarray) -> pd.DataFrame:
    """Return one row per parameter: the baselines, then the adjacency row by row.

    Parameters
    ----------
    names : tuple of str, length n_marks
        Labels of the marks.
    **columns : ndarray, shape (n_marks, n_marks + 1)
        Baseline, then adjacency row, of each target.

    Returns
    -------
    pandas.DataFrame, shape (n_marks * (n_marks + 1), 3 + n_columns)
        Columns parameter ("baseline" or "adjacency"), target, source, and those given.
    """
    import pandas as pd

    size = len(names)
    place = {
        "parameter": ["baseline"] * size + ["adjacency"] * size**2,
        "target": [*names, *np.repeat(names, size)],
        "source": [None] * size + list(names) * size,
    }
    flat = {
        name: np.concatenate((values[:, 0], values[:, 1:].ravel()))
        for name, values in columns.items()
    }
    return pd.DataFrame({**place, **flat})
