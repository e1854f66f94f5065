"""Fuzzy sets of times."""

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys._validation import check_choice, check_positive_number
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers._samples import center_of
from hawkeys.verifiers.base import WeightedVerifier

__all__ = ["FuzzyLogic"]

# Sums that differ by rounding only count as equal; the lower set is taken.
_ROUNDING = 1e-9
_MOST_SETS = 1000


class FuzzyLogic(WeightedVerifier):
    r"""Lack of membership in the fuzzy set of times that suits each feature.

    .. math:: d(x) = \frac{1}{p} \sum_j \min(1, |x_j - c_j| / h)

    The sets are triangles of half-width h around the multiples of `spacing`; training chooses for
    each of the p features one of them, with the centre c.

    Parameters
    ----------
    spacing : float, default 0.04
        Distance between the centres of neighbouring sets, in the unit of the features (s).
    half_width : float, default 0.08
        Distance h from the centre at which membership ends, in the unit of the features (s); more
        than half of `spacing`, so that every time belongs to a set.
    matching : {"membership", "mean"}, default "membership"
        Which set suits a feature. "membership": the one to which the training samples belong most
        on average. "mean": the one to which the mean of the training samples belongs most. The
        lower of two that are equal.
    false_alarm : float, default 0.05
        Share of the training samples, strictly between 0 and 1, that the threshold may reject.

    Attributes
    ----------
    center_ : ndarray, shape (n_features,)
        Centres c of the sets chosen, in the unit of the features.
    offset_ : float
        Score below which a sample is rejected.

    Raises
    ------
    InvalidParameterError
        By `fit`, if a width is not positive, `half_width` leaves gaps between the sets, or
        `matching` is unknown.

    Notes
    -----
    The published equal error rate (mean of 51 typists of the CMU data, protocol of [1]_) is .2213
    and the zero-miss false-alarm rate .935. Computed, "membership" gives .0736 and .482: the
    published figures do not follow from it. "mean" gives .1884 and .870, the nearer of the two;
    one slow training sample moves a mean to another set, but not the set that suits most samples.

    The score does not depend on the scale of a feature in training, so a feature that never varied
    counts like any other. The order of the training samples does not matter. Fit is
    O(n_samples n_features half_width / spacing), a score O(n_features).

    References
    ----------
    .. [1] K. S. Killourhy and R. A. Maxion (2009), "Comparing anomaly-detection algorithms for
       keystroke dynamics", DSN 2009, doi:10.1109/DSN.2009.5270346, detector "fuzzy logic".

    Examples
    --------
    >>> from hawkeys.verifiers import FuzzyLogic
    >>> verifier = FuzzyLogic().fit([[0.11], [0.12], [0.13], [1.0]])
    >>> verifier.center_
    array([0.12])
    >>> verifier.score_samples([[0.12], [0.14], [1.0]]).round(4)
    array([-0.  , -0.25, -1.  ])
    >>> FuzzyLogic(matching="mean").fit([[0.11], [0.12], [0.13], [1.0]]).center_
    array([0.32])
    """

    enough_samples = 15

    def __init__(
        self,
        *,
        spacing: float = 0.04,
        half_width: float = 0.08,
        matching: str = "membership",
        false_alarm: float = 0.05,
    ) -> None:
        super().__init__(false_alarm=false_alarm)
        self.spacing = spacing
        self.half_width = half_width
        self.matching = matching

    def _learn(self, samples: FloatArray, weights: FloatArray | None = None) -> None:
        counts = np.ones(samples.shape[0]) if weights is None else weights
        if self.matching == "mean":
            samples, counts = center_of(samples, weights)[None, :], np.ones(1)
        self.center_ = np.array([self._best_center(column, counts) for column in samples.T])

    def _score(self, samples: FloatArray) -> FloatArray:
        return -np.minimum(1.0, np.abs(samples - self.center_) / self.half_width).mean(axis=1)

    def _best_center(self, times: FloatArray, counts: FloatArray) -> float:
        """Return the centre of the set with the largest sum of counts times memberships."""
        reach = int(np.ceil(self.half_width / self.spacing))
        # only sets within reach of a sample can win
        near = np.rint(times / self.spacing)[:, None] + np.arange(-reach, reach + 1)
        membership = 1.0 - np.abs(times[:, None] - near * self.spacing) / self.half_width
        weighted = counts[:, None] * np.maximum(membership, 0.0)
        sets, places = np.unique(near, return_inverse=True)
        totals = np.bincount(places.ravel(), weights=weighted.ravel())
        best = int((totals >= totals.max() * (1.0 - _ROUNDING)).argmax())
        return float(sets[best] * self.spacing)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_choice(self.matching, "matching", ("membership", "mean"))
        spacing = check_positive_number(self.spacing, "spacing")
        half_width = check_positive_number(self.half_width, "half_width")
        if half_width <= spacing / 2:
            raise InvalidParameterError(
                f"half_width must be more than half of spacing, which is {spacing:g}, or times "
                f"between two sets belong to neither; got {half_width:g}. Widen the sets or bring "
                "them closer."
            )
        if half_width > _MOST_SETS * spacing:
            raise InvalidParameterError(
                f"half_width must be at most {_MOST_SETS} times spacing, or every time belongs to "
                f"as many sets; got {half_width:g} and {spacing:g}. Narrow the sets or bring them "
                "apart."
            )
