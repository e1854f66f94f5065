"""Where a verifier's threshold comes from: scores of training samples it has or has not seen."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from hawkeys._estimators import clone, pipeline_end
from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import check_choice
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers._wrapper import Wrapper
from hawkeys.verifiers.base import (
    OneClassVerifier,
    WeightedVerifier,
    resubstitution_threshold,
)

if TYPE_CHECKING:
    from sklearn.base import BaseEstimator

__all__ = [
    "SESSION_POLICIES",
    "THRESHOLD_POLICIES",
    "HeldOutThreshold",
    "check_detector",
    "held_out_scores",
    "seen_scores",
]

THRESHOLD_POLICIES = (
    "resubstitution",
    "leave-one-out",
    "leave-one-session-out",
    "prequential",
)
"""Names of the policies, from the most optimistic to the most careful."""

SESSION_POLICIES = THRESHOLD_POLICIES[2:]
"""Those that hold out whole sessions."""

_BLOCKS = 5

Held = TypeVar("Held", bound="HeldOutThreshold")


def held_out_scores(
    verifier: BaseEstimator,
    X: ArrayLike,
    *,
    policy: str = "leave-one-session-out",
    sessions: ArrayLike | None = None,
) -> FloatArray:
    """Score training samples by verifiers that did not see them.

    A verifier knows its own training samples, and a typist changes from session to session. Both
    make resubstitution thresholds too strict on later samples. The policies differ in how much of
    this they let the threshold see:

    * "resubstitution": one verifier, trained on all, scores all, as published (a verifier that
      compares with single training samples does not compare one with itself);
    * "leave-one-out": each sample is scored by a verifier trained on all others;
    * "leave-one-session-out": each session is scored by a verifier trained on the others;
    * "prequential": each session but the first is scored by a verifier trained on the sessions
      before it, as in use [1]_.

    Parameters
    ----------
    verifier : estimator
        An outlier detector with `fit` and `score_samples`, or a pipeline ending in one. It is
        cloned and left unchanged.
    X : array_like, shape (n_samples, n_features)
        Training samples of one typist, oldest first.
    policy : str, default "leave-one-session-out"
        One of `THRESHOLD_POLICIES`.
    sessions : array_like, shape (n_samples,), optional
        Session of each sample. Without it, or if all are alike, five blocks of consecutive
        samples stand in for sessions.

    Returns
    -------
    ndarray of float64, shape (n_scored,)
        In the order of `X`; n_scored is n_samples, less the first session if prequential.

    Raises
    ------
    InvalidParameterError
        If `policy` is unknown, `sessions` do not fit `X`, or too few samples are left to train.

    Notes
    -----
    Costs one fit for resubstitution, n_samples for leave-one-out and one per session for the
    others. Scores of verifiers trained on fewer samples are compared with one threshold as if they
    came from the final verifier; for prequential scores this errs on the side of acceptance.

    References
    ----------
    .. [1] A. P. Dawid (1984), "Present position and potential developments: some personal views:
       statistical theory: the prequential approach", Journal of the Royal Statistical Society A
       147, 278-292, doi:10.2307/2981683.

    Examples
    --------
    >>> from hawkeys.verifiers import Manhattan, held_out_scores
    >>> held_out_scores(Manhattan(), [[0.0], [1.0], [5.0]], policy="leave-one-out")
    array([-3. , -1.5, -4.5])
    """
    samples = np.asarray(X)
    if samples.ndim != 2:
        raise InvalidParameterError(
            f"X must be a matrix, one row per sample; got shape {samples.shape}."
        )
    check_choice(policy, "policy", THRESHOLD_POLICIES)
    if policy == "resubstitution":
        return seen_scores(clone(verifier).fit(samples), samples)
    groups = _groups(policy, samples.shape[0], sessions)
    judge = _judge(verifier, samples)
    scores = np.full(samples.shape[0], np.nan)
    for train, test in _folds(groups, past_only=policy == "prequential"):
        if train.size < 2:
            raise InvalidParameterError(
                f"policy {policy!r} leaves {train.size} samples to train on in one of its rounds; "
                "a verifier needs at least 2. Give more samples or sessions of at least 2."
            )
        scores[test] = judge(samples[train], samples[test])
    return scores[groups != groups[0]] if policy == "prequential" else scores


def _judge(
    verifier: BaseEstimator, samples: np.ndarray
) -> Callable[[np.ndarray, np.ndarray], FloatArray]:
    """Return what trains a copy of the verifier on some of the samples and scores others.

    Of this package's verifiers the samples are checked once and no threshold is set, which takes
    most of the time of a quick fit.
    """
    if not (isinstance(verifier, OneClassVerifier) and _is_plain(type(verifier))):
        return lambda train, test: clone(verifier).fit(train).score_samples(test)
    checked = clone(verifier)
    checked._check_training(samples)

    def judge(train: np.ndarray, test: np.ndarray) -> FloatArray:
        one = copy.copy(checked)
        one._learn(np.ascontiguousarray(train, dtype=np.float64))
        return one._score(np.ascontiguousarray(test, dtype=np.float64))

    return judge


def _is_plain(kind: type[OneClassVerifier]) -> bool:
    """Tell whether `fit` and `score_samples` do nothing but check, learn, score."""
    plain = (OneClassVerifier.fit, WeightedVerifier.fit)
    known = kind.fit in plain or kind._fit_checks_and_learns
    return known and kind.score_samples is OneClassVerifier.score_samples


def check_detector(verifier: Any, name: str) -> None:
    """Refuse a parameter that is no outlier detector or pipeline of one, or has a wrong parameter.

    Raises `InvalidParameterError`.
    """
    last = pipeline_end(verifier)
    able = all(callable(getattr(last, method, None)) for method in ("fit", "score_samples"))
    if isinstance(last, type) or not able or not hasattr(last, "get_params"):
        raise InvalidParameterError(
            f"{name} must be an outlier detector with fit and score_samples, such as "
            f"ScaledManhattan(), or a pipeline that ends in one; got {str(verifier)[:60]!r}, a "
            f"{type(verifier).__name__}."
        )
    if isinstance(last, OneClassVerifier):
        last._check_parameters()


def seen_scores(fitted: BaseEstimator, samples: FloatArray) -> FloatArray:
    """Return scores of the samples a verifier was trained on, none compared with itself.

    Parameters
    ----------
    fitted : estimator
        A fitted outlier detector.
    samples : ndarray of float64, shape (n_samples, n_features)
        Its training samples.

    Returns
    -------
    ndarray of float64, shape (n_samples,)
        Higher for more genuine.
    """
    if isinstance(fitted, OneClassVerifier):
        return fitted.training_scores(samples)
    return _as_scores(fitted.score_samples(samples))


def _as_scores(scores: ArrayLike) -> FloatArray:
    return np.array(scores, dtype=np.float64)


def _groups(policy: str, n_samples: int, sessions: ArrayLike | None) -> IntArray:
    """Return the number of the group of each sample, counted in order of appearance."""
    if policy == "leave-one-out":
        return np.arange(n_samples)
    if sessions is None:
        return _blocks(n_samples)
    labels = np.asarray(sessions)
    if labels.shape != (n_samples,):
        raise InvalidParameterError(
            f"sessions must have shape ({n_samples},), one per sample; got {labels.shape}."
        )
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    if first.size == 1:
        return _blocks(n_samples)
    return np.argsort(np.argsort(first))[inverse]


def _blocks(n_samples: int) -> IntArray:
    return np.arange(n_samples) * _BLOCKS // max(n_samples, _BLOCKS)


def _folds(groups: IntArray, *, past_only: bool) -> Iterator[tuple[IntArray, IntArray]]:
    """Yield training and test rows, one pair per group that is tested."""
    for group in range(1 if past_only else 0, int(groups.max()) + 1):
        train = groups < group if past_only else groups != group
        yield np.flatnonzero(train), np.flatnonzero(groups == group)


class HeldOutThreshold(Wrapper):
    """A verifier whose threshold comes from samples that it did not see in training.

    The inner verifier is trained on all samples; its threshold is then chosen on
    `held_out_scores`, so that the share `false_alarm` of them is rejected.

    Parameters
    ----------
    verifier : estimator
        The verifier whose scores are used; cloned, left unchanged.
    policy : str, default "leave-one-session-out"
        One of `THRESHOLD_POLICIES`.
    false_alarm : float, default 0.05
        Share of the held-out scores, strictly between 0 and 1, that the threshold may reject.

    Attributes
    ----------
    verifier_ : estimator
        The inner verifier, trained on all samples.
    offset_ : float
        Score below which a sample is rejected.

    Raises
    ------
    InvalidParameterError
        By `fit`, if `policy` is unknown or too few samples are left in a round.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.verifiers import HeldOutThreshold, ScaledManhattan
    >>> rng = np.random.default_rng(0)
    >>> train = rng.normal(size=(100, 8)) + np.repeat(rng.normal(size=(4, 8)), 25, axis=0)
    >>> plain = ScaledManhattan().fit(train)
    >>> careful = HeldOutThreshold(ScaledManhattan()).fit(train, sessions=np.repeat(range(4), 25))
    >>> bool(careful.offset_ < plain.offset_)
    True
    """

    def __init__(
        self,
        verifier: BaseEstimator,
        *,
        policy: str = "leave-one-session-out",
        false_alarm: float = 0.05,
    ) -> None:
        super().__init__(false_alarm=false_alarm)
        self.verifier = verifier
        self.policy = policy

    def _parts(self) -> Sequence[BaseEstimator]:
        return (self.verifier,)

    def _check_parameters(self) -> None:
        super()._check_parameters()
        check_choice(self.policy, "policy", THRESHOLD_POLICIES)
        check_detector(self.verifier, "verifier")

    def fit(self: Held, X: ArrayLike, y: Any = None, sessions: ArrayLike | None = None) -> Held:
        """Enrol the typist of `X` and set the threshold.

        Parameters
        ----------
        X : array_like, shape (n_samples, n_features)
            Training samples of one typist, oldest first.
        y : object, optional
            Ignored; there for scikit-learn's pipelines.
        sessions : array_like, shape (n_samples,), optional
            Session of each sample; see `held_out_scores`.

        Returns
        -------
        object
            The verifier itself.

        Raises
        ------
        InvalidParameterError
            If a parameter is not valid, or too few samples are left in a round.
        ValueError
            If `X` is no matrix of numbers with two rows or more.
        """
        samples = self._check_training(X)
        scores = held_out_scores(self.verifier, samples, policy=self.policy, sessions=sessions)
        self._learn(samples)
        self.offset_ = -resubstitution_threshold(-scores, self.false_alarm)
        return self

    def _learn(self, samples: FloatArray) -> None:
        self.verifier_ = self._trained(self.verifier, samples)

    def _training_score(self, samples: FloatArray) -> FloatArray:
        return seen_scores(self.verifier_, samples)
