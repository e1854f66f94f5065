"""Samples that occur more than once: copies, which nobody types to the millisecond twice."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pandas as pd

from hawkeys._typing import BoolArray, FloatArray

__all__ = ["Copies", "find_copies"]


class Copies(NamedTuple):
    """Rows that repeat an earlier one: shape (n_samples,) each.

    Attributes
    ----------
    of_others, of_own : ndarray of bool
        Whether the earlier row is another typist's, or the same one's.
    """

    of_others: BoolArray
    of_own: BoolArray


def find_copies(timings: FloatArray, subject: np.ndarray) -> Copies:
    """Return which rows of timings (n_samples, n_columns) equal an earlier row in every number.

    Parameters
    ----------
    timings : ndarray of float64, shape (n_samples, n_columns)
        Intervals.
    subject : ndarray, shape (n_samples,)
        The typist of each row.

    Returns
    -------
    Copies
        A row that is a copy of both is one of others.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.datasets._repeats import find_copies
    >>> copies = find_copies(np.array([[1.0], [1.0], [1.0], [2.0]]), np.array([*"aabb"]))
    >>> copies.of_others.tolist(), copies.of_own.tolist()
    ([False, False, True, False], [False, True, False, False])
    """
    if not len(timings):
        return Copies(np.zeros(0, dtype=bool), np.zeros(0, dtype=bool))
    first = pd.DataFrame(timings).groupby(list(range(timings.shape[1])), sort=False).ngroup()
    place = np.unique(first.to_numpy(), return_index=True)
    source = place[1][np.searchsorted(place[0], first.to_numpy())]
    again = source != np.arange(len(timings))
    others = subject != subject[source]
    return Copies(again & others, again & ~others)
