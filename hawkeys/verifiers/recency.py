"""Weights that favour the latest training samples."""

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys._validation import check_count, check_positive_number

__all__ = ["recency_weights"]


def recency_weights(n_samples: int, half_life: float | None) -> FloatArray:
    r"""Return weights of samples that were typed one after the other, oldest first.

    .. math:: w_i \propto 2^{-(n - 1 - i) / h}, \quad i = 0, \ldots, n - 1, \quad
        \sum_i w_i = n

    Parameters
    ----------
    n_samples : int
        Samples n.
    half_life : float or None
        Samples h after which a weight is halved; None for weights that are all 1.

    Returns
    -------
    ndarray of float64, shape (n_samples,)
        Not decreasing, mean 1; a `sample_weight` for any verifier that takes one.

    Raises
    ------
    InvalidParameterError
        If `n_samples` is no positive int or `half_life` neither None nor one positive number.

    Notes
    -----
    Age is counted in samples, not in days: the data sets tell sessions, not dates.

    Examples
    --------
    >>> from hawkeys.verifiers import ScaledManhattan, recency_weights
    >>> recency_weights(3, half_life=1.0) * 7 / 3
    array([1., 2., 4.])
    >>> X = [[0.0], [3.0], [6.0]]
    >>> ScaledManhattan().fit(X, sample_weight=recency_weights(3, 1.0)).center_.round(9)
    array([4.28571429])
    """
    count = check_count(n_samples, "n_samples")
    if half_life is None:
        return np.ones(count)
    age = np.arange(count - 1, -1, -1)
    weights = np.exp2(-age / check_positive_number(half_life, "half_life"))
    return weights * (count / weights.sum())
