"""Any verifier of timings, with training samples moved along the trend of practice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from hawkeys._estimators import check_fitted
from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import check_nonnegative_number, check_positive_number
from hawkeys.datasets._units import check_usual_unit
from hawkeys.datasets.timings import split_timings
from hawkeys.verifiers._wrapper import Wrapper
from hawkeys.verifiers.fixed_text._intervals import MAD_TO_STD, log_intervals
from hawkeys.verifiers.thresholds import check_detector, seen_scores

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

__all__ = ["PracticeCorrected"]

# Standard deviation of the exponents of practice, over intervals and typists. Of 0.03, 0.06 and 0.1
# the one that never hurt 23 development subjects of the CMU benchmark by more than chance, with 5
# to 200 training samples, and helped later sessions nearly as much as the largest.
_TYPICAL = 0.06
# How far ahead tests lie, if it is not said: half the number of samples, and at most so many.
_FURTHEST = 100.0
# Beyond this many robust standard deviations from the median an interval counts as that far.
_CLIP = 3.0
_MIN_INTERVAL = 0.005


class PracticeCorrected(Wrapper):
    r"""A verifier trained on samples moved to where practice will have taken the typist.

    Who types a text again and again gets faster, by a power law of practice [1]_. Each hold and
    each press interval x of the training samples i = 0, ..., n - 1, oldest first, has the trend

    .. math:: \ln x_i \approx a + b \ln(i + c)

    by least squares, where values beyond 3 robust standard deviations from the median count as that
    far. Every training sample is moved along a part s of its trend to the place n + m of a later
    sample,

    .. math:: x'_i = x_i \Big(\frac{n + m + c}{i + c}\Big)^{s b}

    and the inner verifier learns from those. Samples to be scored are left as they are.

    Unless it is given, the part s of each interval follows from the data: with the standard error e
    of b it is the mean of b given the data, over b, if exponents scatter normally about 0 with the
    standard deviation t = 0.06 over typists and intervals,

    .. math:: s = \frac{t^2}{t^2 + e^2},

    so that few samples, whose exponents follow chance, are left nearly where they are.

    Parameters
    ----------
    verifier : estimator
        A verifier of the timing matrix; cloned, left unchanged.
    strength : float, optional
        Part s of the trend that is believed, 0 or more, the same for all intervals; 0 changes
        nothing. Default: from the data, as above.
    ahead : float, optional
        Samples m after training, 0 or more, for which the verifier is to be right. Default: n / 2,
        and at most 100: a trend is not carried much further than it was seen.
    head_start : float, default 10
        Samples c typed before the first one, positive.
    false_alarm : float, default 0.05
        Share of the training samples, strictly between 0 and 1, that the threshold may reject.

    Attributes
    ----------
    trend_ : ndarray, shape (2 K - 1,)
        The exponents b of the holds H.k1, ..., H.kK, then of the press intervals DD.k1.k2, ...;
        negative for intervals that become shorter.
    trend_error_ : ndarray, shape (2 K - 1,)
        Their standard errors e.
    strength_ : ndarray, shape (2 K - 1,)
        The parts s.
    ahead_ : float
        Samples m.
    verifier_ : estimator
        The inner verifier, trained with the moved samples.
    offset_ : float
        Score below which a sample is rejected.

    Raises
    ------
    InvalidParameterError
        By `fit`, if a parameter is not valid.
    InvalidTimingsError
        By `fit`, if `X` is no timing matrix.

    Notes
    -----
    `X` is the timing matrix (n_samples, 3 K - 2) in seconds, its rows in the order of typing. UD is
    made from the moved DD and H. The threshold comes from the moved training samples. O(n_samples
    K), besides the inner verifier.

    Moods and sittings last for many samples, so that neighbouring residuals are alike and say less
    than their number. The standard error takes this into account [2]_: with p_i the centred
    logarithms of practice and r_i the residuals,

    .. math:: e^2 = \frac{n}{n - 2} \, \frac{\sum_{|i - k| \le L} (1 - |i - k| / (L + 1)) \,
        p_i r_i p_k r_k}{(\sum_i p_i^2)^2}, \qquad L = \lfloor n / 4 \rfloor,

    at least the standard error of independent residuals. With two samples e is infinite.

    References
    ----------
    .. [1] A. Newell and P. S. Rosenbloom (1981), "Mechanisms of skill acquisition and the law of
       practice", in J. R. Anderson (ed.), Cognitive Skills and Their Acquisition, 1-55, Erlbaum.
    .. [2] W. K. Newey and K. D. West (1987), "A simple, positive semi-definite, heteroskedasticity
       and autocorrelation consistent covariance matrix", Econometrica 55, 703-708,
       doi:10.2307/1913610, eq. 5.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.verifiers import PracticeCorrected, RecencyNearestNeighbors
    >>> practice = (np.arange(200) + 10.0) ** -0.1
    >>> hold, down = 0.1 * practice, 0.3 * practice
    >>> X = np.column_stack([hold, down, down - hold, hold])
    >>> fitted = PracticeCorrected(RecencyNearestNeighbors()).fit(X)
    >>> fitted.trend_.round(2), fitted.strength_.round(2)
    (array([-0.1, -0.1, -0.1]), array([1., 1., 1.]))
    """

    # of neighbours; the corrected likelihood of the process needs 35
    enough_samples = 8

    def __init__(
        self,
        verifier: BaseEstimator,
        *,
        strength: float | None = None,
        ahead: float | None = None,
        head_start: float = 10.0,
        false_alarm: float = 0.05,
    ) -> None:
        super().__init__(false_alarm=false_alarm)
        self.verifier = verifier
        self.strength = strength
        self.ahead = ahead
        self.head_start = head_start

    @property
    def slow_to_fit(self) -> bool:
        """Whether a fit takes too long for one per training sample: trend and inner fit do."""
        return True

    def corrected(self, X: ArrayLike) -> FloatArray:
        """Return the training samples as the inner verifier sees them.

        Parameters
        ----------
        X : array_like, shape (n_samples, 3 K - 2)
            The training samples given to `fit`, in the same order.

        Returns
        -------
        ndarray of float64, shape (n_samples, 3 K - 2)
            The timing matrix after the trend.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        ValueError
            As `score_samples`.
        """
        check_fitted(self)
        return self._corrected(self._check_samples(X, reset=False))

    def _parts(self) -> Sequence[BaseEstimator]:
        return (self.verifier,)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        for name in ("strength", "ahead"):
            if getattr(self, name) is not None:
                check_nonnegative_number(getattr(self, name), name)
        check_positive_number(self.head_start, "head_start")
        check_detector(self.verifier, "verifier")

    def _learn(self, samples: FloatArray) -> None:
        n_samples = samples.shape[0]
        logs = log_intervals(samples, _MIN_INTERVAL)
        check_usual_unit(samples)
        center = np.median(logs, axis=0)
        reach = _CLIP * MAD_TO_STD * np.median(np.abs(logs - center), axis=0)
        practice = np.log(np.arange(n_samples) + self.head_start)
        practice -= practice.mean()
        self.trend_, self.trend_error_ = slopes(
            practice, np.clip(logs, center - reach, center + reach)
        )
        self.strength_ = np.full(self.trend_.size, self.strength, dtype=np.float64)
        if self.strength is None:
            self.strength_ = _TYPICAL**2 / (_TYPICAL**2 + self.trend_error_**2)
        self.ahead_ = min(n_samples / 2.0, _FURTHEST) if self.ahead is None else float(self.ahead)
        self.verifier_ = self._trained(self.verifier, self._corrected(samples))

    def _training_score(self, samples: FloatArray) -> FloatArray:
        return seen_scores(self.verifier_, self._corrected(samples))

    def _corrected(self, samples: FloatArray) -> FloatArray:
        hold, down_down, _ = split_timings(samples)
        n_samples, n_keys = hold.shape
        practice = np.arange(n_samples) + self.head_start
        left = (n_samples + self.ahead_ + self.head_start) / practice
        factor = left[:, None] ** (self.strength_ * self.trend_)
        moved = np.empty_like(samples)
        moved[:, 0::3] = hold * factor[:, :n_keys]
        moved[:, 1::3] = down_down * factor[:, n_keys:]
        moved[:, 2::3] = moved[:, 1::3] - moved[:, 0:-1:3]
        return moved


def slopes(practice: FloatArray, logs: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return the slope of each column of `logs` (n, m) on centred `practice` (n,), and its error.

    The error of `PracticeCorrected`: of residuals like their neighbours, infinite for two samples.
    """
    n, total = practice.size, practice @ practice
    slope = practice @ logs / total
    if n < 3:
        return slope, np.full(slope.size, np.inf)
    residual = logs - logs.mean(axis=0) - practice[:, None] * slope
    alone = (residual**2).sum(axis=0) / ((n - 2) * total)
    terms = practice[:, None] * residual
    summed = (terms**2).sum(axis=0)
    reach = n // 4
    for lag in range(1, reach + 1):
        summed += 2.0 * (1.0 - lag / (reach + 1)) * (terms[lag:] * terms[:-lag]).sum(axis=0)
    alike = n / (n - 2) * summed / total**2
    return slope, np.sqrt(np.maximum(alone, alike))
