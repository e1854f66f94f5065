"""Error rates of a one-class verifier, from the scores of genuine and impostor samples.

Everywhere a higher score means more genuine, a sample is rejected if its score is strictly below
the threshold, a *false alarm* is a genuine sample rejected and a *miss* is an impostor accepted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import check_fraction
from hawkeys.exceptions import InvalidParameterError

__all__ = [
    "ErrorCounts",
    "RocCurve",
    "auc",
    "equal_error_rate",
    "equal_error_threshold",
    "error_counts",
    "miss_rate_at",
    "roc_curve",
    "threshold_at",
    "zero_miss_false_alarm",
]


@dataclass(frozen=True, eq=False)
class RocCurve:
    """Both error rates at every threshold that matters, from rejecting nobody to everybody.

    Attributes
    ----------
    threshold : ndarray of float64, shape (n_thresholds,)
        The distinct scores in increasing order, then infinity. A sample is rejected if its score
        is below the threshold.
    false_alarm : ndarray of float64, shape (n_thresholds,)
        Share of the genuine samples rejected; increases from 0 to 1.
    miss : ndarray of float64, shape (n_thresholds,)
        Share of the impostor samples accepted; decreases from 1 to 0.
    """

    threshold: FloatArray
    false_alarm: FloatArray
    miss: FloatArray


@dataclass(frozen=True)
class ErrorCounts:
    """Errors made at one threshold.

    Attributes
    ----------
    n_false_alarm, n_genuine : int
        Genuine samples rejected, and genuine samples in all.
    n_miss, n_impostor : int
        Impostor samples accepted, and impostor samples in all.
    """

    n_false_alarm: int
    n_genuine: int
    n_miss: int
    n_impostor: int

    @property
    def false_alarm(self) -> float:
        """Share of the genuine samples rejected."""
        return self.n_false_alarm / self.n_genuine

    @property
    def miss(self) -> float:
        """Share of the impostor samples accepted."""
        return self.n_miss / self.n_impostor


def roc_curve(genuine: ArrayLike, impostor: ArrayLike) -> RocCurve:
    """Compute the false-alarm and the miss rate at every threshold.

    Parameters
    ----------
    genuine : array_like, shape (n_genuine,)
        Scores of samples typed by the true typist; higher means more genuine.
    impostor : array_like, shape (n_impostor,)
        Scores of samples typed by others.

    Returns
    -------
    RocCurve
        Thresholds and the two rates, each of shape (n_thresholds,), where n_thresholds is one
        more than the number of distinct scores.

    Raises
    ------
    InvalidParameterError
        If there is no score, a score is NaN or positive infinity, or an array is not flat.

    Notes
    -----
    O(n log n) in the number of scores.

    Examples
    --------
    >>> curve = roc_curve([2.0, 3.0], [1.0, 2.0])
    >>> curve.false_alarm
    array([0. , 0. , 0.5, 1. ])
    >>> curve.miss
    array([1. , 0.5, 0. , 0. ])
    """
    own, other = _sorted_scores(genuine, impostor)
    distinct = np.unique(np.concatenate([own, other]))
    threshold = np.append(distinct, np.inf)
    false_alarm = np.searchsorted(own, threshold, side="left") / own.size
    # Counts are divided once, so that equal rates are equal numbers (the EER compares them).
    miss = (other.size - np.searchsorted(other, threshold, side="left")) / other.size
    return RocCurve(threshold, false_alarm, miss)


def threshold_at(genuine: ArrayLike, false_alarm: float = 0.05) -> float:
    """Find the highest threshold that rejects at most the stated share of these samples.

    Parameters
    ----------
    genuine : array_like, shape (n_genuine,)
        Scores of genuine samples; higher means more genuine.
    false_alarm : float, default 0.05
        Largest share of `genuine` that may be rejected, strictly between 0 and 1.

    Returns
    -------
    float
        One of the scores: with n scores, the one of rank floor(false_alarm * n), counted from 0
        in increasing order. A score equal to the threshold is accepted.

    Raises
    ------
    InvalidParameterError
        If `false_alarm` is not a fraction, or the scores are empty, NaN or positive infinity.

    Examples
    --------
    >>> threshold_at(range(200), 0.05)
    10.0
    """
    ordered = np.sort(_check_scores(genuine, "genuine"))
    # 0.29 * 100 is 28.999999999999996 in floating point; 29 rejections are meant.
    allowed = int(np.floor(check_fraction(false_alarm, "false_alarm") * ordered.size + 1e-9))
    return float(ordered[allowed])


def miss_rate_at(genuine: ArrayLike, impostor: ArrayLike, false_alarm: float = 0.05) -> float:
    """Compute the miss rate at a stated false-alarm rate, the main figure of an evaluation.

    It is the lowest miss rate over all thresholds that reject at most the share `false_alarm` of
    the genuine scores given here. Those are test scores, so the figure describes how well the
    scores separate; a deployed verifier has to choose its threshold without them.

    Parameters
    ----------
    genuine : array_like, shape (n_genuine,)
        Scores of samples typed by the true typist; higher means more genuine.
    impostor : array_like, shape (n_impostor,)
        Scores of samples typed by others.
    false_alarm : float, default 0.05
        Largest share of `genuine` that may be rejected (10 of 200 at 5 %).

    Returns
    -------
    float
        Share of the impostor samples accepted, from 0 to 1.

    Raises
    ------
    InvalidParameterError
        If `false_alarm` is not a fraction, or scores are empty, NaN or positive infinity.

    Examples
    --------
    >>> miss_rate_at(range(100, 300), [90, 109, 110, 111], false_alarm=0.05)
    0.5
    """
    threshold = threshold_at(genuine, false_alarm)
    return error_counts(genuine, impostor, threshold).miss


def equal_error_rate(genuine: ArrayLike, impostor: ArrayLike) -> float:
    """Compute the error rate at which misses and false alarms balance, as published.

    With (m1, f1) the miss and false-alarm rates at the last threshold where m >= f, and (m2, f2)
    at the next one, the rate is read off the straight line between the two::

        a = (m1 - f1) / (f2 - m2 - f1 + m1),     EER = m1 + a (m2 - m1)

    Parameters
    ----------
    genuine : array_like, shape (n_genuine,)
        Scores of samples typed by the true typist; higher means more genuine.
    impostor : array_like, shape (n_impostor,)
        Scores of samples typed by others.

    Returns
    -------
    float
        The equal-error rate, from 0 to 1.

    Raises
    ------
    InvalidParameterError
        If there is no score, a score is NaN or positive infinity, or an array is not flat.

    References
    ----------
    .. [1] K. S. Killourhy and R. A. Maxion (2009), "Comparing anomaly-detection algorithms for
       keystroke dynamics", DSN 2009, doi:10.1109/DSN.2009.5270346, and the evaluation script
       published beside its data.

    Examples
    --------
    >>> equal_error_rate([1.0, 2.0, 3.0, 4.0], [0.0, 0.5, 1.5, 2.5])
    0.25
    """
    curve = roc_curve(genuine, impostor)
    excess = curve.miss - curve.false_alarm
    # The excess falls from 1 (nobody rejected) to -1 (everybody rejected): a next point exists.
    last = int(np.flatnonzero(excess >= 0)[-1])
    share = excess[last] / (excess[last] - excess[last + 1])
    return float(curve.miss[last] + share * (curve.miss[last + 1] - curve.miss[last]))


def equal_error_threshold(genuine: ArrayLike, impostor: ArrayLike) -> float:
    """Find the threshold at which misses and false alarms differ least, to keep it for later.

    Parameters
    ----------
    genuine : array_like, shape (n_genuine,)
        Scores of samples typed by the true typist; higher means more genuine.
    impostor : array_like, shape (n_impostor,)
        Scores of samples typed by others.

    Returns
    -------
    float
        One of the scores, the lowest of several.

    Raises
    ------
    InvalidParameterError
        If there is no score, a score is NaN or positive infinity, or an array is not flat.

    Examples
    --------
    >>> equal_error_threshold([1.0, 2.0, 3.0, 4.0], [0.0, 0.5, 1.5, 2.5])
    2.0
    """
    curve = roc_curve(genuine, impostor)
    return float(curve.threshold[np.argmin(np.abs(curve.miss - curve.false_alarm))])


def auc(genuine: ArrayLike, impostor: ArrayLike) -> float:
    """Compute the area under the ROC curve.

    It is the probability that a random genuine score exceeds a random impostor score, a tie
    counting one half.

    Parameters
    ----------
    genuine : array_like, shape (n_genuine,)
        Scores of samples typed by the true typist; higher means more genuine.
    impostor : array_like, shape (n_impostor,)
        Scores of samples typed by others.

    Returns
    -------
    float
        From 0 to 1; 0.5 is chance.

    Raises
    ------
    InvalidParameterError
        If there is no score, a score is NaN or positive infinity, or an array is not flat.

    References
    ----------
    .. [1] J. A. Hanley and B. J. McNeil (1982), "The meaning and use of the area under a receiver
       operating characteristic (ROC) curve", Radiology 143, doi:10.1148/radiology.143.1.7063747.

    Examples
    --------
    >>> auc([2.0, 3.0], [1.0, 2.0])
    0.875
    """
    own, other = _sorted_scores(genuine, impostor)
    below = np.searchsorted(other, own, side="left").sum()
    not_above = np.searchsorted(other, own, side="right").sum()
    return float((below + not_above) / (2 * own.size * other.size))


def zero_miss_false_alarm(genuine: ArrayLike, impostor: ArrayLike) -> float:
    """Compute the false-alarm rate at a threshold that just rejects every impostor sample.

    Parameters
    ----------
    genuine : array_like, shape (n_genuine,)
        Scores of samples typed by the true typist; higher means more genuine.
    impostor : array_like, shape (n_impostor,)
        Scores of samples typed by others.

    Returns
    -------
    float
        Share of the genuine scores that are not above the best impostor score, from 0 to 1.

    Raises
    ------
    InvalidParameterError
        If there is no score, a score is NaN or positive infinity, or an array is not flat.

    References
    ----------
    .. [1] K. S. Killourhy and R. A. Maxion (2009), doi:10.1109/DSN.2009.5270346, table 3.

    Examples
    --------
    >>> zero_miss_false_alarm([1.0, 2.0, 3.0, 4.0], [0.0, 2.0])
    0.5
    """
    own, other = _sorted_scores(genuine, impostor)
    return float((own <= other[-1]).mean())


def error_counts(genuine: ArrayLike, impostor: ArrayLike, threshold: float) -> ErrorCounts:
    """Count the errors at one threshold, for example at a verifier's own.

    Parameters
    ----------
    genuine : array_like, shape (n_genuine,)
        Scores of samples typed by the true typist; higher means more genuine.
    impostor : array_like, shape (n_impostor,)
        Scores of samples typed by others.
    threshold : float
        A sample is rejected if its score is below it; a score equal to it is accepted.

    Returns
    -------
    ErrorCounts
        Numbers of false alarms and misses, with the numbers of samples.

    Raises
    ------
    InvalidParameterError
        If the threshold is NaN, or scores are empty, NaN or positive infinity.

    Examples
    --------
    >>> error_counts([1.0, 2.0, 3.0], [0.0, 2.0], threshold=2.0)
    ErrorCounts(n_false_alarm=1, n_genuine=3, n_miss=1, n_impostor=2)
    """
    if np.isnan(threshold):
        raise InvalidParameterError(
            "threshold is nan; it must be a number. Check the verifier that set it."
        )
    own, other = _sorted_scores(genuine, impostor)
    n_false_alarm = int(np.searchsorted(own, threshold, side="left"))
    n_rejected = int(np.searchsorted(other, threshold, side="left"))
    return ErrorCounts(n_false_alarm, own.size, other.size - n_rejected, other.size)


def _sorted_scores(genuine: ArrayLike, impostor: ArrayLike) -> tuple[FloatArray, FloatArray]:
    return (
        np.sort(_check_scores(genuine, "genuine")),
        np.sort(_check_scores(impostor, "impostor")),
    )


def _check_scores(scores: ArrayLike, name: str) -> FloatArray:
    """Return scores as a flat float array; minus infinity is a score, NaN and +infinity are not."""
    try:
        array = np.asarray(scores, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidParameterError(f"{name} scores must be numbers ({error}).") from error
    if array.ndim != 1 or array.size == 0:
        raise InvalidParameterError(
            f"{name} scores must be a flat array with at least one score; got shape {array.shape}."
        )
    bad = np.flatnonzero(np.isnan(array) | (array == np.inf))
    if bad.size:
        raise InvalidParameterError(
            f"{name} scores must not be nan or +inf, which no threshold can rank; "
            f"{name}[{bad[0]}] is {array[bad[0]]} ({bad.size} of {array.size} in all). "
            "Check the verifier and its input."
        )
    return array
