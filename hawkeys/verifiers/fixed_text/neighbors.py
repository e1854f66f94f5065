"""Nearest neighbours among training samples of which the latest count most."""

import numpy as np

from hawkeys._loops import neighbors as loops
from hawkeys._typing import FloatArray, IntArray
from hawkeys._validation import check_fraction, check_positive_number
from hawkeys.datasets._units import check_usual_unit
from hawkeys.verifiers._samples import check_own, distinct_rows, median_of, recency_weights
from hawkeys.verifiers.base import WeightedVerifier
from hawkeys.verifiers.fixed_text._intervals import (
    check_tick,
    interval_features,
    interval_ticks,
    robust_scale,
    tick_of,
)

__all__ = ["RecencyNearestNeighbors"]


class RecencyNearestNeighbors(WeightedVerifier):
    r"""Mean clipped distance from the nearest training samples, of which the latest count most.

    A sample of a text of K keys has the 4 K - 2 features

    .. math::
        \phi(x) = (H_i, \; UD_i, \; \ln \max(H_i, \delta), \; \ln \max(DD_i, \delta))

    with the floor :math:`\delta` = `min_interval`. Two samples are at the distance

    .. math:: d(x, t) = \frac{1}{4 K - 2} \sum_j \min(|\phi_j(x) - \phi_j(t)| / a_j, \; c), \qquad
        a_j = 1.4826 \operatorname{median}_t |\phi_j(t) - \operatorname{median} \phi_j|

    with c = `clip`. Training sample i of n, oldest first, has the weight
    :math:`w_i \propto 2^{-(n - 1 - i) / h}`, h = `half_life`. The score of x is minus the weighted
    mean of d(x, t) over the nearest training samples, as many as it takes to use the share
    `neighbor_mass` of all weight; of the last one, only the part that is needed counts.

    Parameters
    ----------
    half_life : float or None, default 30
        Samples after which a training sample counts half; None if all count alike.
    neighbor_mass : float, default 10 / 200
        Share of the weight of the training samples that the neighbours hold, strictly between 0
        and 1. The default is 10 of 200 samples that count alike.
    clip : float, default 2.5
        Largest contribution c of one feature, in robust standard deviations, so that a hesitation
        at one key does not make an impostor.
    min_interval : float, default 0.005
        Seconds; the logarithm takes shorter intervals as this long.
    clock : float, optional
        Tick of the clock in seconds. Default: from the training samples, at least 1 ms. No a is
        less than the change of its feature by one tick: in a logarithm, `clock` over the median
        interval (or `min_interval`, if longer).
    false_alarm : float, default 0.05
        Share of the training samples, strictly between 0 and 1, that the threshold may reject.

    Attributes
    ----------
    templates_ : ndarray, shape (n_templates, 4 K - 2)
        Features phi of the different training samples, sorted.
    weights_ : ndarray, shape (n_templates,)
        Their weights.
    scale_ : ndarray, shape (4 K - 2,)
        The scales a, in seconds and in units of the natural logarithm.
    clock_ : float
        The tick used.
    offset_ : float
        Score below which a sample is rejected.

    Raises
    ------
    InvalidParameterError
        By `fit`, if a parameter is not valid.
    InvalidTimingsError
        By `fit` and scoring, if `X` is no timing matrix; by `fit`, if it is not in seconds.

    Notes
    -----
    `X` is the timing matrix (n_samples, 3 K - 2) in seconds, H.k1, DD.k1.k2, UD.k1.k2, H.k2, ...,
    and its rows are in the order of typing, oldest first. Weights given to `fit` multiply those of
    recency; with ``half_life=None`` they are numbers of repetitions.

    A training sample is at the distance 0 from itself, which says nothing about the typist. So
    `fit` takes the threshold from distances for which neither a sample itself nor a copy of it is a
    neighbour; the others' weights are divided by their sum. It still knows samples typed right
    before and after, so that later sessions see more false alarms than `false_alarm`; see
    `HeldOutThreshold`.

    Scores lie between -clip and 0. Invariant under a change of the unit of time, if
    `min_interval` and `clock` are changed with it. Fit is O(n_samples^2 K), score O(n_samples
    n_templates (K + log n_templates)).

    References
    ----------
    .. [1] K. S. Killourhy and R. A. Maxion (2009), "Comparing anomaly-detection algorithms for
       keystroke dynamics", DSN 2009, doi:10.1109/DSN.2009.5270346, whose detector "Nearest neighbor
       (Mahalanobis)" takes the nearest training sample alone.
    .. [2] Y. Zhong, Y. Deng and A. K. Jain (2012), "Keystroke dynamics for user authentication",
       CVPR Workshops 2012, 117-123, doi:10.1109/CVPRW.2012.6239225, whose distance from the
       nearest neighbour also makes outlying features count less.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.verifiers import RecencyNearestNeighbors
    >>> demo = load_demo()
    >>> X = demo.timings().to_numpy()
    >>> typist, other = (X[demo.subject == name] for name in demo.subjects[:2])
    >>> verifier = RecencyNearestNeighbors().fit(typist[:200])
    >>> bool(verifier.score_samples(typist[200:]).mean() > verifier.score_samples(other).mean())
    True
    """

    enough_samples = 8

    def __init__(
        self,
        *,
        half_life: float | None = 30.0,
        neighbor_mass: float = 10 / 200,
        clip: float = 2.5,
        min_interval: float = 0.005,
        clock: float | None = None,
        false_alarm: float = 0.05,
    ) -> None:
        super().__init__(false_alarm=false_alarm)
        self.half_life = half_life
        self.neighbor_mass = neighbor_mass
        self.clip = clip
        self.min_interval = min_interval
        self.clock = clock

    def _check_parameters(self) -> None:
        super()._check_parameters()
        recency_weights(1, self.half_life)
        check_fraction(self.neighbor_mass, "neighbor_mass")
        for name in ("clip", "min_interval"):
            check_positive_number(getattr(self, name), name)
        check_tick(self.clock)

    def _learn(self, samples: FloatArray, weights: FloatArray | None = None) -> None:
        recency = recency_weights(samples.shape[0], self.half_life)
        features = self._features(samples)
        center = median_of(features, weights)
        check_usual_unit(samples)
        self.clock_ = tick_of(samples, self.clock)
        ticks = interval_ticks(center, self.clock_, self.min_interval)
        self.scale_ = robust_scale(features, center, ticks, weights)
        self.templates_, self._template_of = distinct_rows(features)
        each = recency if weights is None else recency * weights
        self.weights_ = np.bincount(self._template_of, weights=each).astype(np.float64, copy=False)

    def _score(self, samples: FloatArray) -> FloatArray:
        nobody = np.full(samples.shape[0], -1, dtype=np.int64)
        return -self._distances(self._features(samples), nobody)

    def _training_score(self, samples: FloatArray) -> FloatArray:
        features = check_own(self._features(samples), self.templates_[self._template_of])
        return -self._distances(features, self._template_of)

    def _features(self, samples: FloatArray) -> FloatArray:
        return interval_features(samples, self.min_interval)

    def _distances(self, features: FloatArray, own: IntArray) -> FloatArray:
        distances = np.empty(features.shape[0])
        loops.neighbor_distances(
            features / self.scale_,
            own,
            np.ascontiguousarray((self.templates_ / self.scale_).T),
            self.weights_,
            self.neighbor_mass,
            self.clip,
            distances,
        )
        return distances
