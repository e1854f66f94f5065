"""Templates that follow a typist who changes, without following an impostor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from hawkeys._estimators import clone
from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import as_float_array, check_choice, check_count, check_fraction
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers.base import OneClassVerifier
from hawkeys.verifiers.thresholds import seen_scores

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

__all__ = ["UPDATE_POLICIES", "UpdatingVerifier"]

UPDATE_POLICIES = ("none", "confirmed", "self")
"""Names of the policies by which a template is updated."""

Updating = TypeVar("Updating", bound="UpdatingVerifier")


class UpdatingVerifier(OneClassVerifier):
    """A verifier that goes on learning from samples presented after enrolment.

    The template is a list of at most `memory` samples, oldest first. `partial_fit` appends the
    samples that the policy lets in, drops the oldest, and trains the inner verifier anew:

    * "none": nothing is ever learned after enrolment;
    * "confirmed": every `every`-th sample that is known to be genuine (somebody proved it in
      another way) is learned;
    * "self": a sample is learned if its score is above the share `confidence` of the template's
      own training scores, and if a frozen copy of the verifier, as it was at enrolment, accepts
      it too.

    Two bounds keep an accepted impostor from walking the template away. The frozen copy decides
    for ever with the enrolment alone, so that what it rejects is never learned by itself. And
    enrolment samples keep the share `anchor` of the memory for good, so that one learned sample
    moves the mean of a full template by at most 1 / `memory` of the distance between two samples,
    and all learned samples together by at most the share 1 - `anchor` of it.

    Parameters
    ----------
    verifier : estimator
        The inner verifier, an outlier detector with `fit`, `score_samples` and `offset_`; cloned,
        left unchanged. Its own threshold is used, learned anew at each update.
    policy : {"none", "confirmed", "self"}, default "self"
        Which samples are learned.
    every : int, default 1
        With "confirmed": one of so many confirmed samples is learned.
    confidence : float, default 0.05
        With "self": share of the template's training scores, strictly between 0 and 1, that a
        sample's score must exceed.
    memory : int, default 200
        Largest number of samples in the template.
    anchor : float, default 0.5
        Share of the memory, from 0 to 1, that enrolment samples keep; the latest of them.

    Attributes
    ----------
    verifier_ : estimator
        The inner verifier, trained on the template.
    frozen_ : estimator
        The inner verifier as it was at enrolment.
    template_ : ndarray of float64, shape (n_template, n_features)
        The samples learned from, oldest first.
    n_learned_ : int
        Samples learned since enrolment.
    offset_ : float
        Score below which a sample is rejected, as the inner verifier has it now.

    Raises
    ------
    InvalidParameterError
        By `fit`, if a parameter is not valid.

    Notes
    -----
    A high `confidence` makes "self" learn typical samples only. The template then grows narrow and
    rejects its owner more and more, in the end more often than without updates.

    References
    ----------
    .. [1] F. Roli, L. Didaci and G. L. Marcialis (2008), "Adaptive biometric systems that can
       improve with use", in Advances in Biometrics, doi:10.1007/978-1-84628-921-7_23.
    .. [2] P. H. Pisani, R. Giot, A. C. P. L. F. de Carvalho and A. C. Lorena (2016), "Enhanced
       template update: application to keystroke dynamics", Computers and Security 60, 134-153,
       doi:10.1016/j.cose.2016.04.004.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.verifiers import ScaledManhattan, UpdatingVerifier
    >>> rng = np.random.default_rng(0)
    >>> early, later = rng.normal(size=(100, 5)), 1.0 + rng.normal(size=(100, 5))
    >>> verifier = UpdatingVerifier(ScaledManhattan(), policy="confirmed").fit(early)
    >>> before = (verifier.predict(later[50:]) > 0).mean()
    >>> after = (verifier.partial_fit(later[:50]).predict(later[50:]) > 0).mean()
    >>> bool(after > before), verifier.n_learned_
    (True, 50)
    """

    def __init__(
        self,
        verifier: BaseEstimator,
        *,
        policy: str = "self",
        every: int = 1,
        confidence: float = 0.05,
        memory: int = 200,
        anchor: float = 0.5,
    ) -> None:
        self.verifier = verifier
        self.policy = policy
        self.every = every
        self.confidence = confidence
        self.memory = memory
        self.anchor = anchor

    def fit(self: Updating, X: ArrayLike, y: Any = None) -> Updating:
        """Enrol the typist of `X`, forgetting whatever was learned before.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            Training samples of one typist, oldest first, at least two. If there are more than
            `memory`, the frozen copy learns from all and the template keeps the latest.
        y : object, optional
            Ignored; there for scikit-learn's pipelines.

        Returns
        -------
        object
            The verifier itself.

        Raises
        ------
        InvalidParameterError
            If a parameter is not valid, or `X` holds NaN or infinity.
        ValueError
            If `X` is no matrix of numbers with two rows or more.
        """
        self._check_parameters()
        return self._enrol(self._check_samples(X, reset=True))

    def _enrol(self: Updating, samples: FloatArray) -> Updating:
        self.frozen_ = clone(self.verifier).fit(samples)
        self.n_learned_ = 0
        self._n_confirmed = 0
        self._enrolment = samples[-self.memory :]
        self._learned = np.empty((0, samples.shape[1]))
        self._learn(self._enrolment)
        return self

    def partial_fit(self: Updating, X: ArrayLike, y: ArrayLike | None = None) -> Updating:
        """Learn from samples presented to the enrolled verifier, as far as the policy allows.

        Before enrolment this is `fit`, as scikit-learn expects; with "confirmed" on the samples
        that are known to be genuine.

        All samples of one call are judged by the template as it was before the call.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            Samples in the order in which they were typed.
        y : array_like, shape (n_samples,), optional
            With "confirmed": positive where the sample is known to be genuine; by default all
            are. The other policies take no notice of it.

        Returns
        -------
        object
            The verifier itself.

        Raises
        ------
        InvalidParameterError
            If a parameter is not valid, `X` holds NaN or infinity, or `y` has another length.
        ValueError
            If `X` is no matrix of numbers of the width seen in `fit`.
        """
        self._check_parameters()
        if not hasattr(self, "frozen_"):
            samples = self._check_samples(X, reset=True)
            marks = y if self.policy == "confirmed" else None
            return self._enrol(samples[_confirmed(marks, samples.shape[0])])
        samples = self._check_samples(X, reset=False)
        taken = samples[self._admitted(samples, y)]
        if taken.shape[0]:
            self.n_learned_ += taken.shape[0]
            self._learned = np.concatenate((self._learned, taken))[-self.memory :]
            self._learn(self._renewed())
        return self

    def _check_parameters(self) -> None:
        check_choice(self.policy, "policy", UPDATE_POLICIES)
        check_count(self.every, "every")
        check_fraction(self.confidence, "confidence")
        check_count(self.memory, "memory", minimum=2)
        anchor = as_float_array(self.anchor, "anchor")
        if anchor.ndim != 0 or not 0 <= anchor <= 1:
            raise InvalidParameterError(
                f"anchor must be one number from 0 to 1 (a quarter is 0.25); got {self.anchor!r}."
            )

    def _admitted(self, samples: FloatArray, y: ArrayLike | None) -> np.ndarray:
        """Return which samples the policy lets in, as booleans."""
        if self.policy == "none":
            return np.zeros(samples.shape[0], dtype=bool)
        if self.policy == "confirmed":
            return self._every_nth(_confirmed(y, samples.shape[0]))
        own = seen_scores(self.verifier_, self.template_)
        confident = self.verifier_.score_samples(samples) > np.quantile(own, self.confidence)
        return confident & (self.frozen_.predict(samples) > 0)

    def _every_nth(self, confirmed: np.ndarray) -> np.ndarray:
        number = self._n_confirmed + np.cumsum(confirmed)
        self._n_confirmed += int(confirmed.sum())
        return confirmed & (number % self.every == 0)

    def _renewed(self) -> FloatArray:
        """Return the latest samples, with the anchored share from the enrolment."""
        anchored = int(np.ceil(self.anchor * self.memory))
        n_learned = min(self._learned.shape[0], self.memory - anchored)
        n_enrolled = min(self._enrolment.shape[0], self.memory - n_learned)
        return np.concatenate(
            (
                self._enrolment[self._enrolment.shape[0] - n_enrolled :],
                self._learned[self._learned.shape[0] - n_learned :],
            )
        )

    def _learn(self, samples: FloatArray) -> None:
        self.template_ = samples
        self.verifier_ = clone(self.verifier).fit(samples)
        last = self.verifier_[-1] if hasattr(self.verifier_, "steps") else self.verifier_
        self.offset_ = float(last.offset_)

    def _score(self, samples: FloatArray) -> FloatArray:
        return np.asarray(self.verifier_.score_samples(samples), dtype=np.float64)


def _confirmed(y: ArrayLike | None, n_samples: int) -> np.ndarray:
    if y is None:
        return np.ones(n_samples, dtype=bool)
    marks = as_float_array(y, "y")
    if marks.shape != (n_samples,):
        raise InvalidParameterError(
            f"y must have shape ({n_samples},), one mark per sample, positive where the sample is "
            f"known to be genuine; got shape {marks.shape}."
        )
    return marks > 0
