"""A verifier for few samples: the typist's law, drawn to that of other people, against theirs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeVar

import numpy as np
import scipy

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import check_positive_number
from hawkeys.datasets import Keystrokes, check_timings, timing_columns
from hawkeys.datasets._units import check_usual_unit
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers._samples import recency_weights
from hawkeys.verifiers.base import OneClassVerifier
from hawkeys.verifiers.fixed_text._intervals import log_intervals
from hawkeys.verifiers.fixed_text.background import (
    MIN_INTERVAL,
    Background,
    check_background,
    clipped_logs,
    effective,
    typists_of,
    weighted_level,
)

__all__ = ["BackgroundRatio"]

# training samples, measured like the number without one, with eleven typists in the background
_ENOUGH_WITH_BACKGROUND = 3

Ratio = TypeVar("Ratio", bound="BackgroundRatio")


class BackgroundRatio(OneClassVerifier):
    r"""Log-likelihood ratio of the typist against other people, for enrolment with few samples.

    Each log interval y of a sample, of 2 K - 1 holds and press intervals, follows Student laws:
    one for the typist, whose level and spread are drawn to those of a background of other typists
    (an empirical prior, in closed form), and one for people in general. The score is

    .. math:: \frac{1}{2 K - 1} \sum_j \max\left(-c, \min\left(c, \;
        \ln \frac{t_{\nu + n - 1}(y_j; m_j, s_j^2)}{t_\nu(y_j; \mu_j, \omega_j^2)}\right)\right)

    Parameters
    ----------
    background : Keystrokes, iterable of array_like, or Background, optional
        Samples of other typists of the same text, three or more, who are never tested; see
        `Background.of`. None for wide laws that suit any text. `fit` can be given one instead.
    bound : float, default 2.0
        Largest evidence c of one interval, in nats, so that a hesitation does not make an impostor.
    half_life : float or None, default 25
        Samples after which a training sample counts half in the level; None if all count alike.
    false_alarm : float, default 0.05
        Share of the training samples, strictly between 0 and 1, that the threshold may reject.

    Attributes
    ----------
    background_ : Background
        The laws of people in general.
    location_, scale_ : ndarray, shape (2 K - 1,)
        m and s of the typist, of natural logarithms of seconds; holds first.
    degrees_ : float
        nu + n - 1.
    offset_ : float
        Score below which a sample is rejected.

    Raises
    ------
    InvalidParameterError
        By `fit`, if a parameter is not valid, or the background is of another text, has fewer than
        three typists, or holds most of the training samples.
    InvalidTimingsError
        By `fit` and scoring, if `X` is no timing matrix; by `fit`, if it is not in seconds.

    Warns
    -----
    EnrolmentWarning
        By `fit`, for a background of fewer than five typists.

    Notes
    -----
    `X` is the timing matrix (n, 3 K - 2) in seconds, its rows in the order of typing. With a the
    weighted mean of y over the n training samples, and over typists of the background the mean
    level b of the first n samples, mean l and variance T of the level of the next 50, variance E
    of the change between the two (without what chance gives), typical variance v of one typist's
    samples, worth nu samples, the level of the samples to come is normal with

    .. math:: m = l + \frac{T}{T + D} (a - b), \quad \mathrm{var} = \frac{T D}{T + D}, \quad
        D = E + v / n_w, \qquad
        s^2 = \frac{\nu v + \sum_i w_i (y_i - a)^2}{\nu + n - 1} + \mathrm{var}

    where weights w of recency have mean 1 and n_w is their effective number. So the prior also
    knows how much faster people get, and how differently, after n samples. nu solves
    psi'(nu / 2) = scatter of the log variances over typists [1]_. Training values further than
    3 sqrt(v) from their median count as that far; intervals below 5 ms as 5 ms.

    Bound and half-life were chosen on 23 development subjects of the CMU benchmark, half of them
    being the background of the other half: after 3, 5, 7 and 10 samples the mean equal-error rate
    is .11, .09, .08 and .07, of the best verifier without a background .17, .15, .12 and .09. It
    hardly changed with five typists in the background instead of eleven, and with three it was
    .16, .13, .12 and .09. Without a background the laws are wide ones, and it was .20, .17, .15 and
    .11. On the 28 other subjects, with the 23 as background, it is .11, .10, .09 and .08 (.16, .13,
    .12 and .10 without); with 100 samples or more other verifiers do as well or better. A ratio to
    people in general is known as a universal background model [2]_.

    References
    ----------
    .. [1] G. K. Smyth (2004), "Linear models and empirical Bayes methods for assessing differential
       expression in microarray experiments", Statistical Applications in Genetics and Molecular
       Biology 3, article 3, doi:10.2202/1544-6115.1027, section 6.2.
    .. [2] D. A. Reynolds, T. F. Quatieri and R. B. Dunn (2000), "Speaker verification using adapted
       Gaussian mixture models", Digital Signal Processing 10, doi:10.1006/dspr.1999.0361.

    Examples
    --------
    >>> from hawkeys.datasets import load_demo
    >>> from hawkeys.verifiers import BackgroundRatio
    >>> demo = load_demo(n_subjects=10)
    >>> X = demo.timings().to_numpy()
    >>> typist, other = (X[demo.subject == name] for name in demo.subjects[:2])
    >>> background = demo[~(demo.subject == demo.subjects[0]) & ~(demo.subject == demo.subjects[1])]
    >>> verifier = BackgroundRatio().fit(typist[:5], background=background)
    >>> bool(verifier.score_samples(typist[5:50]).mean() > verifier.score_samples(other).mean())
    True
    """

    enough_samples = 20
    _fit_checks_and_learns = True

    def __init__(
        self,
        *,
        background: Keystrokes | Iterable[Any] | Background | None = None,
        bound: float = 2.0,
        half_life: float | None = 25.0,
        false_alarm: float = 0.05,
    ) -> None:
        super().__init__(false_alarm=false_alarm)
        self.background = background
        self.bound = bound
        self.half_life = half_life

    def fit(self: Ratio, X: ArrayLike, y: Any = None, *, background: Any = None) -> Ratio:
        """Enrol the typist of `X` and set the threshold.

        Parameters
        ----------
        X : array_like, shape (n_samples, 3 K - 2)
            Training samples of one typist, at least two, oldest first, in seconds.
        y : object, optional
            Ignored; there for scikit-learn's pipelines.
        background : Keystrokes, iterable of array_like, or Background, optional
            Samples of other typists, instead of those of the parameter.

        Returns
        -------
        object
            The verifier itself.

        Raises
        ------
        InvalidParameterError
            If a parameter or the background is not valid, or `X` holds NaN or infinity.
        ValueError
            If `X` is no matrix of numbers with two rows or more.
        """
        self._given = background
        return super().fit(X)

    def _own_need(self, n_features: int) -> int | None:
        known = self.background is not None or getattr(self, "_given", None) is not None
        return _ENOUGH_WITH_BACKGROUND if known else super()._own_need(n_features)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_positive_number(self.bound, "bound")
        recency_weights(1, self.half_life)
        check_background(self.background)

    def _check_training(self, X: ArrayLike) -> FloatArray:
        samples = super()._check_training(X)
        self._set_background(samples)
        return samples

    def _set_background(self, samples: FloatArray) -> None:
        """Set `background_` for so many training samples (n_samples, 3 K - 2)."""
        check_usual_unit(check_timings(samples))
        given: Any = getattr(self, "_given", None)
        if given is None:
            given = self.background
        n_keys = (samples.shape[1] + 2) // 3
        if given is None:
            self.background_ = Background.wide(n_keys, half_life=self.half_life)
        elif isinstance(given, Background):
            self.background_ = given
        else:
            others = typists_of(given)
            _refuse_own(samples, others)
            self.background_ = Background.of(others, len(samples), half_life=self.half_life)
        names = getattr(self, "feature_names_in_", None)
        self._check_background(n_keys, given, names)

    def _check_background(self, n_keys: int, given: Any, names: np.ndarray | None) -> None:
        """Refuse a background of another text, or of another half-life."""
        found = self.background_
        named = isinstance(given, Keystrokes)
        other = named and names is not None and names.tolist() != timing_columns(given.keys)
        if found.n_keys != n_keys or other:
            which = f" ({' '.join(given.keys)})" if named else ""
            raise InvalidParameterError(
                f"background is of {found.n_keys} keys{which}, the samples are of {n_keys}; both "
                "must be of one text. Give other typists of this text."
            )
        if found.half_life != self.half_life:
            raise InvalidParameterError(
                f"background was learned with half_life={found.half_life}, this verifier has "
                f"half_life={self.half_life}. Give both the same."
            )

    def _learn(self, samples: FloatArray) -> None:
        prior = self.background_
        logs = clipped_logs(samples, np.sqrt(prior.within_variance))
        weights = recency_weights(len(logs), self.half_life)
        own = weighted_level(logs, weights)
        change = prior.change_variance + prior.within_variance / effective(weights)
        share = prior.level_variance / (prior.level_variance + change)
        self.location_ = prior.level + share * (own - prior.first)
        self.degrees_ = prior.degrees + len(logs) - 1.0
        squares = weights @ (logs - own) ** 2
        variance = (prior.degrees * prior.within_variance + squares) / self.degrees_
        self.scale_ = np.sqrt(variance + share * change)

    def _score(self, samples: FloatArray) -> FloatArray:
        prior = self.background_
        logs = log_intervals(samples, MIN_INTERVAL)
        own = _log_student(logs, self.location_, self.scale_, self.degrees_)
        wide = np.sqrt(prior.everyone_variance)
        people = _log_student(logs, prior.everyone, wide, prior.degrees)
        return np.clip(own - people, -self.bound, self.bound).mean(axis=1)


def _log_student(
    y: FloatArray, location: FloatArray, scale: FloatArray, degrees: float
) -> FloatArray:
    """Return the log density of Student's law of each column of y (n_samples, m)."""
    z = (y - location) / scale
    constant = scipy.special.gammaln(0.5 * (degrees + 1.0)) - scipy.special.gammaln(0.5 * degrees)
    constant -= 0.5 * np.log(np.pi * degrees)
    return np.asarray(constant - np.log(scale) - 0.5 * (degrees + 1.0) * np.log1p(z**2 / degrees))


def _refuse_own(samples: FloatArray, others: list[FloatArray]) -> None:
    """Refuse a background that holds most of the training samples: the typist's own."""
    known = {row.tobytes() for one in others for row in np.ascontiguousarray(one)}
    found = sum(row.tobytes() in known for row in samples)
    if 2 * found > len(samples):
        raise InvalidParameterError(
            f"background holds {found} of the {len(samples)} training samples: the typist is among "
            "the others. Leave the typist's samples out of the background."
        )
