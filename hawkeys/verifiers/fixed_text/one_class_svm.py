"""One-class support vector machine."""

import numpy as np
from sklearn import svm

from hawkeys._typing import FloatArray
from hawkeys._validation import check_fraction, check_positive_number
from hawkeys.verifiers._samples import center_of, merge_repeats, no_zero, std_of
from hawkeys.verifiers.base import WeightedVerifier

__all__ = ["OneClassSVM"]

# With scikit-learn's default, 1e-3, the solution depends on the order of the samples.
_TOLERANCE = 1e-8


class OneClassSVM(WeightedVerifier):
    r"""One-class support vector machine on standardised features.

    .. math::
        s(x) = \sum_i \alpha_i \exp(-\gamma \lVert z(x) - z_i \rVert^2), \qquad
        z(x)_j = (x_j - m_j) / s_j

    with :math:`\alpha` minimising :math:`\sum_{ik} \alpha_i \alpha_k k(z_i, z_k)` under
    :math:`\sum_i \alpha_i = 1` and :math:`0 \le \alpha_i \le w_i / (\nu \sum_k w_k)`.

    Parameters
    ----------
    nu : float, default 0.5
        Strictly between 0 and 1: at most this share of the training samples lies outside the
        learned region, and at least this share are support vectors.
    gamma : float, optional
        Rate of the Gaussian kernel, per squared standard deviation; 1 / n_features by default.
    false_alarm : float, default 0.05
        Share of the training samples, strictly between 0 and 1, that the threshold may reject.

    Attributes
    ----------
    center_ : ndarray, shape (n_features,)
        The mean m, in the unit of the features.
    scale_ : ndarray, shape (n_features,)
        The standard deviation s, with divisor n - 1, in the unit of the features.
    gamma_ : float
        Rate of the kernel.
    support_vectors_ : ndarray, shape (n_vectors, n_features)
        The standardised training samples with :math:`\alpha_i > 0`.
    dual_coef_ : ndarray, shape (n_vectors,)
        Their :math:`\alpha_i`, with the sum 1.
    offset_ : float
        Score below which a sample is rejected.

    Raises
    ------
    InvalidParameterError
        By `fit`, if `nu` is not strictly between 0 and 1 or `gamma` is not positive.

    Notes
    -----
    The offset of the support vector machine itself is not used: the threshold is that of
    `OneClassVerifier`. On the CMU data, under the protocol of [1]_, the mean equal error rate of
    51 typists is .1021 (published .1025) and the zero-miss false-alarm rate .503 (.504).

    A feature that never varied in training gets the scale 1e-10, as in `ScaledManhattan`: any
    other value of it brings the score to 0. Scores so far from every training sample that they
    fall below 1e-308 are 0 as well, and tie.

    The order of the training samples does not matter. Fit costs O(n_samples^2 n_features) at
    least, a score O(n_vectors n_features).

    References
    ----------
    .. [1] K. S. Killourhy and R. A. Maxion (2009), "Comparing anomaly-detection algorithms for
       keystroke dynamics", DSN 2009, doi:10.1109/DSN.2009.5270346, detector "SVM (one-class)".
    .. [2] B. Schölkopf, J. C. Platt, J. Shawe-Taylor, A. J. Smola and R. C. Williamson (2001),
       "Estimating the support of a high-dimensional distribution", Neural Computation 13(7),
       doi:10.1162/089976601750264965.

    Examples
    --------
    >>> from hawkeys.verifiers import OneClassSVM
    >>> verifier = OneClassSVM().fit([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    >>> verifier.score_samples([[0.5, 0.5], [1.0, 1.0], [2.0, 2.0]]).round(3)
    array([0.472, 0.374, 0.013])
    >>> verifier.predict([[0.5, 0.5], [1.0, 1.0], [2.0, 2.0]])
    array([ 1,  1, -1])
    """

    enough_samples = 35

    def __init__(
        self, *, nu: float = 0.5, gamma: float | None = None, false_alarm: float = 0.05
    ) -> None:
        super().__init__(false_alarm=false_alarm)
        self.nu = nu
        self.gamma = gamma

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_fraction(self.nu, "nu")
        if self.gamma is not None:
            check_positive_number(self.gamma, "gamma")

    def _learn(self, samples: FloatArray, weights: FloatArray | None = None) -> None:
        self.gamma_ = 1.0 / samples.shape[1] if self.gamma is None else float(self.gamma)
        rows, counts = merge_repeats(samples, weights)
        self.center_ = center_of(rows, counts)
        self.scale_ = no_zero(std_of(rows, self.center_, counts))
        machine = svm.OneClassSVM(nu=float(self.nu), gamma=self.gamma_, tol=_TOLERANCE)
        machine.fit(self._standardise(rows), sample_weight=counts / counts.mean())
        self.support_vectors_ = machine.support_vectors_
        self.dual_coef_ = machine.dual_coef_[0] / machine.dual_coef_.sum()

    def _score(self, samples: FloatArray) -> FloatArray:
        scores = np.zeros(samples.shape[0])
        standard = self._standardise(samples)
        # one support vector at a time, so that a row scores alike in whatever company
        for vector, share in zip(self.support_vectors_, self.dual_coef_, strict=True):
            squared = np.square(standard - vector).sum(axis=1)
            scores += share * np.exp(-self.gamma_ * squared)
        return scores

    def _standardise(self, samples: FloatArray) -> FloatArray:
        return (samples - self.center_) / self.scale_
