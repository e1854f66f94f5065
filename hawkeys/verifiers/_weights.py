"""Weights of training samples, and the threshold that they give."""

from __future__ import annotations

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import check_fraction, check_nonnegative, check_shape
from hawkeys.exceptions import InvalidParameterError

__all__ = ["check_enough", "resubstitution_threshold", "weights_of"]

# n * (1 - false_alarm) in floating point may fall short of a whole number by some ulp.
_ROUNDING = 1e-9


def resubstitution_threshold(
    distances: ArrayLike, false_alarm: float, sample_weight: ArrayLike | None = None
) -> float:
    """Return the distance above which a sample is rejected, learned from the training samples.

    The n training distances are sorted ascending and the one at place
    floor(n (1 - false_alarm)), counted from 0, is the threshold. A product within 1e-9 of a whole
    number counts as that number, so that 200 * 0.95 is 190 whatever its rounding.

    Parameters
    ----------
    distances : array_like, shape (n_samples,)
        Distances of the training samples, larger for less genuine.
    false_alarm : float
        Share of the training samples that may lie beyond the threshold, between 0 and 1.
    sample_weight : array_like, shape (n_samples,), optional
        How often each sample counts; every one once by default.

    Returns
    -------
    float
        The threshold. At most floor(n false_alarm) training samples exceed it; without ties it is
        the largest whole number below n false_alarm (9 of 200 at 0.05).

    Raises
    ------
    InvalidParameterError
        If `false_alarm` is not strictly between 0 and 1, there is no distance, or a weight is
        missing, negative or not finite.

    References
    ----------
    .. [1] C. Zhang, Y. Zhang and F. Li (2021), "Feature extraction of sequence of keystrokes in
       fixed text using the multivariate Hawkes process", Mathematical Problems in Engineering,
       doi:10.1155/2021/6648726, whose table 1 uses this threshold.

    Examples
    --------
    >>> from hawkeys.verifiers import resubstitution_threshold
    >>> resubstitution_threshold(range(200), 0.05)
    190.0
    """
    kept = 1.0 - check_fraction(false_alarm, "false_alarm")
    values = np.asarray(distances, dtype=np.float64)
    if values.ndim != 1 or values.size == 0:
        raise InvalidParameterError(
            f"distances must be one or more numbers in one dimension; got shape {values.shape}."
        )
    weights = (
        np.ones(values.size) if sample_weight is None else weights_of(sample_weight, values.size)
    )
    order = np.argsort(values, kind="stable")
    below = np.cumsum(weights[order])
    place = int(np.searchsorted(below, below[-1] * kept + _ROUNDING, side="right"))
    return float(values[order[min(place, values.size - 1)]])


def weights_of(sample_weight: ArrayLike, n_samples: int) -> FloatArray:
    """Return weights as an array; one number stands for all."""
    weights = check_nonnegative(sample_weight, "sample_weight")
    if weights.ndim == 0:
        return np.full(n_samples, float(weights))
    return check_shape(weights, "sample_weight", (n_samples,), "one per training sample")


def check_enough(weights: FloatArray) -> None:
    """Refuse weights that leave fewer than two samples."""
    if weights.size < 2 or weights.sum() <= 1.0:
        raise InvalidParameterError(
            f"sample_weight leaves {weights.size} samples whose weight is not zero, with the sum "
            f"{weights.sum():g}; a weight is a number of repetitions, so at least two samples and "
            "a sum above 1 are needed. Scale the weights, for example to a mean of 1."
        )
