"""Distances from the mean of the training samples."""

from abc import abstractmethod

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys._validation import check_choice
from hawkeys.verifiers._base import WeightedVerifier
from hawkeys.verifiers._moments import center_of, mean_abs_deviation_of, no_zero, std_of

__all__ = ["Euclidean", "Manhattan", "ScaledManhattan"]


class _DistanceToMean(WeightedVerifier):
    """Score = minus a distance from the (weighted) mean of the training samples."""

    def _learn(self, samples: FloatArray, weights: FloatArray | None = None) -> None:
        self.center_ = center_of(samples, weights)

    def _score(self, samples: FloatArray) -> FloatArray:
        return -self._distance(samples - self.center_)

    @abstractmethod
    def _distance(self, deviation: FloatArray) -> FloatArray:
        """Return the length of deviations from the mean, (n_samples, n_features)."""


class Manhattan(_DistanceToMean):
    r"""Manhattan distance from the mean of the training samples.

    .. math:: d(x) = \sum_j |x_j - m_j|

    Parameters
    ----------
    false_alarm : float, default 0.05
        Share of the training samples, strictly between 0 and 1, that the threshold may reject.

    Attributes
    ----------
    center_ : ndarray, shape (n_features_in_,)
        The mean m, in the unit of the features.
    offset_ : float
        Score below which a sample is rejected.

    Raises
    ------
    InvalidParameterError
        By `fit`, if `false_alarm` is not strictly between 0 and 1.

    Notes
    -----
    Invariant under a common translation of training and test samples, not under a change of the
    unit of one feature. Fit and score are O(n_samples n_features).

    References
    ----------
    .. [1] K. S. Killourhy and R. A. Maxion (2009), "Comparing anomaly-detection algorithms for
       keystroke dynamics", DSN 2009, doi:10.1109/DSN.2009.5270346, detector "Manhattan".

    Examples
    --------
    >>> from hawkeys.verifiers import Manhattan
    >>> verifier = Manhattan().fit([[0.0, 0.0], [2.0, 2.0]])
    >>> verifier.score_samples([[1.0, 1.0], [4.0, 5.0]])
    array([-0., -7.])
    """

    def _distance(self, deviation: FloatArray) -> FloatArray:
        return np.abs(deviation).sum(axis=1)


class Euclidean(_DistanceToMean):
    r"""Euclidean distance from the mean of the training samples, in either published definition.

    .. math::
        d(x) = \sum_j (x_j - m_j)^2 \quad \text{("squared")}, \qquad
        d(x) = \sum_j \sqrt{(x_j - m_j)^2} \quad \text{("l1")}

    Parameters
    ----------
    definition : {"squared", "l1"}, default "squared"
        "squared": Killourhy and Maxion [1]_; samples are ranked as by the Euclidean distance.
        "l1": what Zhang, Zhang and Li [2]_ call Euclidean, the square root taken feature by
        feature before the sum. It equals the distance of `Manhattan`.
    false_alarm : float, default 0.05
        Share of the training samples, strictly between 0 and 1, that the threshold may reject.

    Attributes
    ----------
    center_ : ndarray, shape (n_features_in_,)
        The mean m, in the unit of the features.
    offset_ : float
        Score below which a sample is rejected.

    Raises
    ------
    InvalidParameterError
        By `fit`, if `definition` is unknown.

    Notes
    -----
    Invariant under a common translation of training and test samples; "squared" also under
    rotation. Fit and score are O(n_samples n_features).

    References
    ----------
    .. [1] K. S. Killourhy and R. A. Maxion (2009), "Comparing anomaly-detection algorithms for
       keystroke dynamics", DSN 2009, doi:10.1109/DSN.2009.5270346, detector "Euclidean".
    .. [2] C. Zhang, Y. Zhang and F. Li (2021), "Feature extraction of sequence of keystrokes in
       fixed text using the multivariate Hawkes process", Mathematical Problems in Engineering,
       doi:10.1155/2021/6648726.

    Examples
    --------
    >>> from hawkeys.verifiers import Euclidean
    >>> train, test = [[0.0, 0.0], [2.0, 2.0]], [[4.0, 5.0]]
    >>> Euclidean().fit(train).score_samples(test)
    array([-25.])
    >>> Euclidean(definition="l1").fit(train).score_samples(test)
    array([-7.])
    """

    def __init__(self, *, definition: str = "squared", false_alarm: float = 0.05) -> None:
        super().__init__(false_alarm=false_alarm)
        self.definition = definition

    def _learn(self, samples: FloatArray, weights: FloatArray | None = None) -> None:
        check_choice(self.definition, "definition", ("squared", "l1"))
        super()._learn(samples, weights)

    def _distance(self, deviation: FloatArray) -> FloatArray:
        if self.definition == "squared":
            return np.square(deviation).sum(axis=1)
        return np.abs(deviation).sum(axis=1)


class ScaledManhattan(_DistanceToMean):
    r"""Manhattan distance from the mean, each feature divided by its spread in training.

    .. math:: d(x) = \sum_j |x_j - m_j| / a_j

    Parameters
    ----------
    scale : {"mean_abs_deviation", "std"}, default "mean_abs_deviation"
        The spread a. "mean_abs_deviation": mean of |x - m|, as Killourhy and Maxion [1]_.
        "std": standard deviation with divisor n - 1, as Zhang, Zhang and Li [2]_.
    false_alarm : float, default 0.05
        Share of the training samples, strictly between 0 and 1, that the threshold may reject.

    Attributes
    ----------
    center_ : ndarray, shape (n_features_in_,)
        The mean m, in the unit of the features.
    scale_ : ndarray, shape (n_features_in_,)
        The spread a, in the unit of the features.
    offset_ : float
        Score below which a sample is rejected.

    Raises
    ------
    InvalidParameterError
        By `fit`, if `scale` is unknown.

    Notes
    -----
    A feature that never varied in training gets the scale 1e-10 of [2]_, with both definitions:
    any other value of it is a certain reject. It is not left out, because to type such a feature
    differently is evidence. The value 1e-10 suits features of the size of seconds.

    Invariant under a common translation and, except for features that never vary, under a change
    of the unit of each feature. Fit and score are O(n_samples n_features).

    References
    ----------
    .. [1] K. S. Killourhy and R. A. Maxion (2009), "Comparing anomaly-detection algorithms for
       keystroke dynamics", DSN 2009, doi:10.1109/DSN.2009.5270346, detector "Manhattan
       (scaled)", after Araujo et al. (2005), doi:10.1109/TSP.2004.839903.
    .. [2] C. Zhang, Y. Zhang and F. Li (2021), "Feature extraction of sequence of keystrokes in
       fixed text using the multivariate Hawkes process", Mathematical Problems in Engineering,
       doi:10.1155/2021/6648726.

    Examples
    --------
    >>> from hawkeys.verifiers import ScaledManhattan
    >>> verifier = ScaledManhattan().fit([[0.0, 0.0], [2.0, 20.0]])
    >>> verifier.scale_
    array([ 1., 10.])
    >>> verifier.score_samples([[2.0, 20.0], [4.0, 10.0]])
    array([-2., -3.])
    """

    def __init__(self, *, scale: str = "mean_abs_deviation", false_alarm: float = 0.05) -> None:
        super().__init__(false_alarm=false_alarm)
        self.scale = scale

    def _learn(self, samples: FloatArray, weights: FloatArray | None = None) -> None:
        check_choice(self.scale, "scale", ("mean_abs_deviation", "std"))
        super()._learn(samples, weights)
        spread = std_of if self.scale == "std" else mean_abs_deviation_of
        self.scale_ = no_zero(spread(samples, self.center_, weights))

    def _distance(self, deviation: FloatArray) -> FloatArray:
        return (np.abs(deviation) / self.scale_).sum(axis=1)
