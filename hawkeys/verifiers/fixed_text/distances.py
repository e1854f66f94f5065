"""Distances from the mean of the training samples."""

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys._validation import check_choice, check_positive_number
from hawkeys.verifiers._samples import center_of, mean_abs_deviation_of, no_zero, std_of
from hawkeys.verifiers.fixed_text._distance import DistanceToMean, over_lengths

__all__ = [
    "Euclidean",
    "EuclideanNormed",
    "FilteredManhattan",
    "Manhattan",
    "OutlierCount",
    "ScaledManhattan",
]


class Manhattan(DistanceToMean):
    r"""Manhattan distance from the mean of the training samples.

    .. math:: d(x) = \sum_j |x_j - m_j|

    Parameters
    ----------
    false_alarm : float, default 0.05
        Share of the training samples, strictly between 0 and 1, that the threshold may reject.

    Attributes
    ----------
    center_ : ndarray, shape (n_features,)
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

    enough_samples = 15

    def _distance(self, deviation: FloatArray) -> FloatArray:
        return np.abs(deviation).sum(axis=1)


class Euclidean(DistanceToMean):
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
    center_ : ndarray, shape (n_features,)
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

    enough_samples = 20

    def __init__(self, *, definition: str = "squared", false_alarm: float = 0.05) -> None:
        super().__init__(false_alarm=false_alarm)
        self.definition = definition

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_choice(self.definition, "definition", ("squared", "l1"))

    def _distance(self, deviation: FloatArray) -> FloatArray:
        if self.definition == "squared":
            return np.square(deviation).sum(axis=1)
        return np.abs(deviation).sum(axis=1)


class ScaledManhattan(DistanceToMean):
    r"""Manhattan distance from the mean, each feature divided by its spread in training.

    .. math:: d(x) = \sum_j |x_j - m_j| / a_j

    Parameters
    ----------
    scale : {"mean_abs_deviation", "std"}, default "mean_abs_deviation"
        The spread a. "mean_abs_deviation": mean of ``|x - m|``, as Killourhy and Maxion [1]_.
        "std": standard deviation with divisor n - 1, as Zhang, Zhang and Li [2]_.
    false_alarm : float, default 0.05
        Share of the training samples, strictly between 0 and 1, that the threshold may reject.

    Attributes
    ----------
    center_ : ndarray, shape (n_features,)
        The mean m, in the unit of the features.
    scale_ : ndarray, shape (n_features,)
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

    enough_samples = 10

    def __init__(self, *, scale: str = "mean_abs_deviation", false_alarm: float = 0.05) -> None:
        super().__init__(false_alarm=false_alarm)
        self.scale = scale

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_choice(self.scale, "scale", ("mean_abs_deviation", "std"))

    def _learn(self, samples: FloatArray, weights: FloatArray | None = None) -> None:
        super()._learn(samples, weights)
        spread = std_of if self.scale == "std" else mean_abs_deviation_of
        self.scale_ = no_zero(spread(samples, self.center_, weights))

    def _distance(self, deviation: FloatArray) -> FloatArray:
        return (np.abs(deviation) / self.scale_).sum(axis=1)


class EuclideanNormed(DistanceToMean):
    r"""Squared Euclidean distance from the mean over the lengths of sample and mean.

    .. math:: d(x) = \sum_j (x_j - m_j)^2 \,/\, (|m| |x|)

    Parameters
    ----------
    false_alarm : float, default 0.05
        Share of the training samples, strictly between 0 and 1, that the threshold may reject.

    Attributes
    ----------
    center_ : ndarray, shape (n_features,)
        The mean m, in the unit of the features.
    offset_ : float
        Score below which a sample is rejected.

    Raises
    ------
    InvalidParameterError
        By `fit`, if `false_alarm` is not strictly between 0 and 1.

    Notes
    -----
    Invariant under rotation and a common change of unit, not under translation. A slow sample is
    forgiven more than a fast one: far away, the distance grows as ``|x|`` only. Where x or m is 0
    the product of lengths is taken as 1e-10. Fit and score are O(n_samples n_features).

    References
    ----------
    .. [1] K. S. Killourhy and R. A. Maxion (2009), "Comparing anomaly-detection algorithms for
       keystroke dynamics", DSN 2009, doi:10.1109/DSN.2009.5270346, detector "Euclidean
       (normed)", after S. Bleha, C. Slivinsky and B. Hussien (1990), doi:10.1109/34.62613.

    Examples
    --------
    >>> from hawkeys.verifiers import EuclideanNormed
    >>> verifier = EuclideanNormed().fit([[0.0, 2.0], [2.0, 0.0], [2.0, 2.0], [0.0, 0.0]])
    >>> verifier.score_samples([[1.0, 1.0], [2.0, 2.0]]).round(12)
    array([-0. , -0.5])
    """

    enough_samples = 45

    def _score(self, samples: FloatArray) -> FloatArray:
        return over_lengths(super()._score(samples), samples, self.center_)

    def _distance(self, deviation: FloatArray) -> FloatArray:
        return np.square(deviation).sum(axis=1)


class FilteredManhattan(Manhattan):
    r"""Manhattan distance from a mean without the slowest training values.

    Of each feature, the training values above mean + 3 standard deviations (divisor n - 1) are
    left out and the mean m is taken again over the others:

    .. math:: d(x) = \sum_j |x_j - m_j|

    Parameters
    ----------
    false_alarm : float, default 0.05
        Share of the training samples, strictly between 0 and 1, that the threshold may reject.

    Attributes
    ----------
    center_ : ndarray, shape (n_features,)
        The filtered mean m, in the unit of the features.
    offset_ : float
        Score below which a sample is rejected.

    Raises
    ------
    InvalidParameterError
        By `fit`, if `false_alarm` is not strictly between 0 and 1.

    Notes
    -----
    Long values alone are left out, once. With fewer than 11 samples no value is that far away.
    Invariant under a common translation of training and test samples; not under a change of sign.
    Fit and score are O(n_samples n_features).

    References
    ----------
    .. [1] K. S. Killourhy and R. A. Maxion (2009), "Comparing anomaly-detection algorithms for
       keystroke dynamics", DSN 2009, doi:10.1109/DSN.2009.5270346, detector "Manhattan
       (filtered)", after R. Joyce and G. Gupta (1990), doi:10.1145/75577.75582.

    Examples
    --------
    >>> from hawkeys.verifiers import FilteredManhattan
    >>> verifier = FilteredManhattan().fit([[0.0]] * 10 + [[1.0]] * 10 + [[100.0]])
    >>> verifier.center_
    array([0.5])
    """

    def _learn(self, samples: FloatArray, weights: FloatArray | None = None) -> None:
        super()._learn(samples, weights)
        limit = self.center_ + 3.0 * std_of(samples, self.center_, weights)
        outside = samples > limit
        for feature in np.flatnonzero(outside.any(axis=0)):
            kept = ~outside[:, feature]
            rest = samples[kept, feature, None]
            self.center_[feature] = center_of(rest, None if weights is None else weights[kept])[0]


class OutlierCount(DistanceToMean):
    r"""Number of features whose z-score is beyond a threshold.

    .. math:: d(x) = \#\{j : |x_j - m_j| / s_j > c\}

    Parameters
    ----------
    threshold : float, default 1.96
        The threshold c of the z-score; by default 95 % of a normal distribution lie within.
    false_alarm : float, default 0.05
        Share of the training samples, strictly between 0 and 1, that the threshold may reject.

    Attributes
    ----------
    center_ : ndarray, shape (n_features,)
        The mean m, in the unit of the features.
    scale_ : ndarray, shape (n_features,)
        The standard deviation s with divisor n - 1, in the unit of the features.
    offset_ : float
        Score below which a sample is rejected.

    Raises
    ------
    InvalidParameterError
        By `fit`, if `threshold` is not one number that is positive.

    Notes
    -----
    Scores are whole numbers, so many samples tie, and fewer training samples than `false_alarm`
    allows may be rejected. A feature that never varied in training has s = 1e-10: any other value
    counts. Invariant under a common translation and a change of the unit of each feature.
    Fit and score are O(n_samples n_features).

    References
    ----------
    .. [1] K. S. Killourhy and R. A. Maxion (2009), "Comparing anomaly-detection algorithms for
       keystroke dynamics", DSN 2009, doi:10.1109/DSN.2009.5270346, detector "Outlier counting
       (z-score)", after S. Haider, A. Abbas and A. K. Zaidi (2000), "A multi-technique approach
       for user identification through keystroke dynamics", SMC 2000, 1336-1341.

    Examples
    --------
    >>> from hawkeys.verifiers import OutlierCount
    >>> verifier = OutlierCount().fit([[0.0, 0.0], [2.0, 20.0]])
    >>> verifier.score_samples([[1.0, 10.0], [4.0, 20.0], [4.0, 99.0]])
    array([-0., -1., -2.])
    """

    enough_samples = 10

    def __init__(self, *, threshold: float = 1.96, false_alarm: float = 0.05) -> None:
        super().__init__(false_alarm=false_alarm)
        self.threshold = threshold

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_positive_number(self.threshold, "threshold")

    def _learn(self, samples: FloatArray, weights: FloatArray | None = None) -> None:
        super()._learn(samples, weights)
        self.scale_ = no_zero(std_of(samples, self.center_, weights))

    def _distance(self, deviation: FloatArray) -> FloatArray:
        beyond = np.abs(deviation) / self.scale_ > self.threshold
        return beyond.sum(axis=1).astype(np.float64)
