"""Training samples as a set with numbers of repetitions."""

import numpy as np

from hawkeys._typing import FloatArray

__all__ = ["merge_repeats"]


def merge_repeats(
    samples: FloatArray, weights: FloatArray | None = None
) -> tuple[FloatArray, FloatArray]:
    """Return the different rows in lexicographic order, and how often each counts.

    An algorithm that sees these only gives the same numbers whatever the order of the training
    samples, and whether a repetition was said by a weight or by a second row.
    """
    rows, places = np.unique(samples, axis=0, return_inverse=True)
    return rows, np.bincount(places.ravel(), weights=weights, minlength=len(rows)).astype(float)
