"""Mahalanobis distances: from the mean, normed, and from the nearest training sample."""

import numpy as np
import scipy.linalg
from scipy.spatial.distance import cdist

from hawkeys._typing import FloatArray
from hawkeys._validation import check_fraction
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers._samples import center_of, check_own, covariance_of, distinct_rows
from hawkeys.verifiers.base import WeightedVerifier
from hawkeys.verifiers.fixed_text._distance import DistanceToMean, over_lengths, whiten

__all__ = ["Mahalanobis", "MahalanobisNormed", "NearestNeighborMahalanobis"]

_RCOND = 1e-10


class Mahalanobis(DistanceToMean):
    r"""Squared Mahalanobis distance from the mean of the training samples.

    .. math:: d(x) = (x - m)^T S^+ (x - m)

    S is the covariance matrix (divisor n - 1) of the training samples, and :math:`S^+` its
    pseudo-inverse: the inverse in the directions in which training samples vary, 0 in the others.

    Parameters
    ----------
    rcond : float, default 1e-10
        Share of the largest eigenvalue of S, strictly between 0 and 1, up to which an eigenvalue
        counts as 0.
    false_alarm : float, default 0.05
        Share of the training samples, strictly between 0 and 1, that the threshold may reject.

    Attributes
    ----------
    center_ : ndarray, shape (n_features,)
        The mean m, in the unit of the features.
    whitener_ : ndarray, shape (n_features, rank)
        W with :math:`S^+ = W W^T`, per unit of the features.
    rank_ : int
        Rank of S: at most the number of features and one less than that of training samples.
    offset_ : float
        Score below which a sample is rejected.

    Raises
    ------
    InvalidParameterError
        By `fit`, if `rcond` is not strictly between 0 and 1, or all training samples are alike.

    Notes
    -----
    A timing matrix has the rank 2 K - 1 at most, because DD = H + UD: with the 11 keys of the
    benchmark of [1]_ 21 of 31. There the smallest true eigenvalue is 1.3e-5 or more of the largest
    one, and rounding leaves 4e-16 or less in place of the zeros. The default lies in the middle of
    that gap, so that neither the order of the columns nor the linear algebra library matters.

    What a direction without variance holds is ignored: a feature that never varied in training is
    as good as absent. (`ScaledManhattan` rejects any other value of it.) A training set of n
    samples has at most n - 1 directions, so use many more samples than features.

    Invariant under a common translation and rotation and a common unit of all features; under a
    change of unit of one feature, if S has full rank. Fit is O(n_samples n_features^2 +
    n_features^3), score O(n_samples n_features rank).

    References
    ----------
    .. [1] K. S. Killourhy and R. A. Maxion (2009), "Comparing anomaly-detection algorithms for
       keystroke dynamics", DSN 2009, doi:10.1109/DSN.2009.5270346, detector "Mahalanobis".

    Examples
    --------
    >>> from hawkeys.verifiers import Mahalanobis
    >>> train = [[0.0, 0.0], [2.0, 0.0], [0.0, 4.0], [2.0, 4.0]]
    >>> Mahalanobis().fit(train).score_samples([[3.0, 2.0], [1.0, 6.0]]).round(12)
    array([-3., -3.])
    """

    # a covariance of as many directions as there are features
    enough_samples_per_feature = 2

    def __init__(self, *, rcond: float = _RCOND, false_alarm: float = 0.05) -> None:
        super().__init__(false_alarm=false_alarm)
        self.rcond = rcond

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_fraction(self.rcond, "rcond")

    def _learn(self, samples: FloatArray, weights: FloatArray | None = None) -> None:
        super()._learn(samples, weights)
        self.whitener_ = _whitener(samples, self.center_, weights, self.rcond)
        self.rank_ = self.whitener_.shape[1]

    def _distance(self, deviation: FloatArray) -> FloatArray:
        return np.square(whiten(deviation, self.whitener_)).sum(axis=1)


class MahalanobisNormed(Mahalanobis):
    r"""Squared Mahalanobis distance from the mean over the lengths of sample and mean.

    .. math:: d(x) = (x - m)^T S^+ (x - m) \,/\, (|m| |x|)

    Parameters
    ----------
    rcond : float, default 1e-10
        As in `Mahalanobis`.
    false_alarm : float, default 0.05
        Share of the training samples, strictly between 0 and 1, that the threshold may reject.

    Attributes
    ----------
    center_, whitener_, rank_, offset_
        As in `Mahalanobis`.

    Raises
    ------
    InvalidParameterError
        By `fit`, as `Mahalanobis`.

    Notes
    -----
    [1]_ prints the error rates of "Mahalanobis" for this detector too (mean equal-error rate
    0.1101). They do not follow from its definition in the text, which is the one here: it gives
    0.162. Where x or m is 0 the product of lengths is taken as 1e-10.

    References
    ----------
    .. [1] K. S. Killourhy and R. A. Maxion (2009), "Comparing anomaly-detection algorithms for
       keystroke dynamics", DSN 2009, doi:10.1109/DSN.2009.5270346, detector "Mahalanobis
       (normed)", after S. Bleha, C. Slivinsky and B. Hussien (1990), doi:10.1109/34.62613.

    Examples
    --------
    >>> from hawkeys.verifiers import MahalanobisNormed
    >>> train = [[2.0, 2.0], [4.0, 2.0], [2.0, 6.0], [4.0, 6.0]]
    >>> MahalanobisNormed().fit(train).score_samples([[0.0, 5.0]]).round(12)
    array([-0.2775])
    """

    enough_samples_per_feature = 3

    def _score(self, samples: FloatArray) -> FloatArray:
        return over_lengths(super()._score(samples), samples, self.center_)


class NearestNeighborMahalanobis(WeightedVerifier):
    r"""Squared Mahalanobis distance from the nearest training sample.

    .. math:: d(x) = \min_t \, (x - t)^T S^+ (x - t)

    t runs over the training samples; :math:`S^+` is as in `Mahalanobis`.

    Parameters
    ----------
    rcond : float, default 1e-10
        As in `Mahalanobis`.
    false_alarm : float, default 0.05
        Share of the training samples, strictly between 0 and 1, that the threshold may reject.

    Attributes
    ----------
    templates_ : ndarray, shape (n_templates, n_features)
        The different training samples, sorted.
    center_, whitener_, rank_, offset_
        As in `Mahalanobis`.

    Raises
    ------
    InvalidParameterError
        By `fit`, as `Mahalanobis`.

    Notes
    -----
    A training sample is at the distance 0 from itself, which says nothing about the typist. So
    `fit` takes the threshold from the distances of the training samples from those that differ
    from them: neither a sample itself nor a copy of it counts. S is that of all of them. Published
    error rates need no threshold and do not depend on this.

    Weights act on S and, as numbers of repetitions, on the threshold; a repeated sample is no
    nearer. Invariances as `Mahalanobis`. Fit is O(n_samples^2 rank + n_samples n_features^2), score
    O(n_samples n_templates rank).

    References
    ----------
    .. [1] K. S. Killourhy and R. A. Maxion (2009), "Comparing anomaly-detection algorithms for
       keystroke dynamics", DSN 2009, doi:10.1109/DSN.2009.5270346, detector "Nearest neighbor
       (Mahalanobis)", after S. Cho, C. Han, D. H. Han and H. Kim (2000),
       doi:10.1207/S15327744JOCE1004_07.

    Examples
    --------
    >>> from hawkeys.verifiers import NearestNeighborMahalanobis
    >>> train = [[0.0, 0.0], [2.0, 0.0], [0.0, 4.0], [2.0, 4.0]]
    >>> verifier = NearestNeighborMahalanobis().fit(train)
    >>> verifier.score_samples([[3.0, 4.0], [2.0, 4.0]]).round(12)
    array([-0.75, -0.  ])
    >>> verifier.training_scores(train).round(12)
    array([-3., -3., -3., -3.])
    """

    enough_samples_per_feature = 2

    def __init__(self, *, rcond: float = _RCOND, false_alarm: float = 0.05) -> None:
        super().__init__(false_alarm=false_alarm)
        self.rcond = rcond

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_fraction(self.rcond, "rcond")

    def _learn(self, samples: FloatArray, weights: FloatArray | None = None) -> None:
        self.center_ = center_of(samples, weights)
        self.whitener_ = _whitener(samples, self.center_, weights, self.rcond)
        self.rank_ = self.whitener_.shape[1]
        self.templates_, self._template_of = distinct_rows(samples)

    def _score(self, samples: FloatArray) -> FloatArray:
        return -self._distances(samples).min(axis=1)

    def _training_score(self, samples: FloatArray) -> FloatArray:
        check_own(samples, self.templates_[self._template_of])
        distances = self._distances(samples)
        distances[np.arange(samples.shape[0]), self._template_of] = np.inf
        return -distances.min(axis=1)

    def _distances(self, samples: FloatArray) -> FloatArray:
        """Return the squared distances from the templates, (n_samples, n_templates)."""
        return cdist(
            whiten(samples - self.center_, self.whitener_),
            whiten(self.templates_ - self.center_, self.whitener_),
            "sqeuclidean",
        )


def _whitener(
    samples: FloatArray, center: FloatArray, weights: FloatArray | None, rcond: float
) -> FloatArray:
    """Return W, (n_features, rank), such that W W' is the pseudo-inverse of the covariance."""
    covariance = covariance_of(samples, center, weights)
    if not covariance.any():
        raise InvalidParameterError(
            f"X: all {samples.shape[0]} training samples are alike, so that they have no "
            "covariance and no other sample has a distance from them. Give samples that were "
            "typed, not copied."
        )
    # numpy's own starts threads for this small matrix, which on a busy machine cost 50 times more
    values, vectors = scipy.linalg.eigh(covariance, driver="evr")
    kept = values > rcond * values[-1]
    return np.asarray(vectors[:, kept] / np.sqrt(values[kept]))
