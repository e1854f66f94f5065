"""Training samples kept as templates: which are alike, and that a sample does not meet itself."""

import numpy as np

from hawkeys._typing import FloatArray, IntArray
from hawkeys.exceptions import InvalidParameterError

__all__ = ["check_own", "distinct_rows"]


def distinct_rows(samples: FloatArray) -> tuple[FloatArray, IntArray]:
    """Return the different rows, sorted, and for each sample the row that it is."""
    rows, which = np.unique(samples, axis=0, return_inverse=True)
    return rows, which.reshape(-1)


def check_own(samples: FloatArray, own: FloatArray) -> FloatArray:
    """Return `samples` if they are the training samples `own`, row by row."""
    if not np.array_equal(samples, own):
        raise InvalidParameterError(
            f"training_scores takes the {own.shape[0]} training samples given to fit, in the same "
            f"order, without those of weight 0; got {samples.shape[0]} samples that differ from "
            "them. Use score_samples for others."
        )
    return samples
