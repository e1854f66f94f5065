"""`Trial`: what one verifier gave one typist's test samples, before any rate is computed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline

from hawkeys._typing import FloatArray
from hawkeys.evaluation.metrics import (
    ErrorCounts,
    auc,
    equal_error_rate,
    error_counts,
    miss_rate_at,
    zero_miss_false_alarm,
)
from hawkeys.evaluation.protocols import Split
from hawkeys.evaluation.stages import Samples, Stage
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import held_out_scores, resubstitution_threshold

__all__ = ["Outcome", "Trial", "make_outcome", "run_trial"]


@dataclass(frozen=True, eq=False)
class Trial:
    """Scores and thresholds of one verifier on one genuine typist.

    Attributes
    ----------
    verifier, subject : str
        Who is judged, and on whom.
    genuine, impostor : ndarray of float64, shapes (n_genuine,) and (n_impostor,)
        Scores of the test samples; higher means more genuine.
    genuine_session : ndarray, shape (n_genuine,)
        Session of each genuine test.
    impostor_subject : ndarray of str, shape (n_impostor,)
        Who typed each impostor sample.
    threshold : float
        The verifier's own threshold, set on its training samples.
    policy_thresholds : mapping of str to float
        Threshold by each policy that the protocol asks for; a policy that would take too many
        fits of a slow verifier is missing.
    fit_seconds, score_seconds : float
        Wall time of one fit, and of scoring all test samples.
    template_bytes : int
        Size of what was learned: the numbers in the fitted attributes.
    """

    verifier: str
    subject: str
    genuine: FloatArray
    impostor: FloatArray
    genuine_session: np.ndarray
    impostor_subject: np.ndarray
    threshold: float
    policy_thresholds: Mapping[str, float]
    fit_seconds: float
    score_seconds: float
    template_bytes: int


def run_trial(
    stage: Stage,
    features: FloatArray,
    split: Split,
    samples: Samples,
    *,
    policies: tuple[str, ...] = ("resubstitution",),
    false_alarm: float = 0.05,
) -> Trial:
    """Train one verifier on one typist and score the tests.

    Parameters
    ----------
    stage : Stage
        The verifier; a clone is trained.
    features : ndarray of float64, shape (n_samples, n_features)
        What the verifier sees of all samples.
    split : Split
        Rows that train, are genuine tests and zero-effort impostors.
    samples : Samples
        Typist and session of all samples.
    policies : tuple of str
        Threshold policies, of `hawkeys.verifiers.THRESHOLD_POLICIES`.
    false_alarm : float, default 0.05
        Aim of the policies' thresholds. A verifier's own threshold has an aim of its own.

    Returns
    -------
    Trial
        Scores and thresholds.

    Raises
    ------
    InvalidParameterError
        If the verifier sets no threshold or a policy cannot be carried out.
    """
    train = features[split.train]
    started = time.perf_counter()
    fitted = clone(stage.estimator).fit(train)
    trained = time.perf_counter()
    genuine, impostor = (
        np.array(fitted.score_samples(features[part]), dtype=np.float64)
        for part in (split.genuine, split.impostor)
    )
    scored = time.perf_counter()
    thresholds = policy_thresholds(
        stage.estimator, train, samples.session[split.train], policies, false_alarm
    )
    return Trial(
        stage.name,
        split.subject,
        genuine,
        impostor,
        genuine_session=samples.session[split.genuine],
        impostor_subject=samples.subject[split.impostor],
        threshold=own_threshold(fitted, stage.name),
        policy_thresholds=thresholds,
        fit_seconds=trained - started,
        score_seconds=scored - trained,
        template_bytes=_size(fitted),
    )


def policy_thresholds(
    estimator: BaseEstimator,
    train: FloatArray,
    sessions: np.ndarray,
    policies: tuple[str, ...],
    false_alarm: float,
) -> dict[str, float]:
    """Return the threshold by each policy that does not take too many fits of a slow verifier."""
    return {
        policy: _threshold(estimator, train, sessions, policy, false_alarm)
        for policy in policies
        if _affordable(estimator, policy)
    }


def _threshold(
    estimator: BaseEstimator,
    train: FloatArray,
    sessions: np.ndarray,
    policy: str,
    false_alarm: float,
) -> float:
    scores = held_out_scores(estimator, train, policy=policy, sessions=sessions)
    return -resubstitution_threshold(-scores, false_alarm)


def _affordable(estimator: BaseEstimator, policy: str) -> bool:
    """Say whether a policy's fits are few enough; a verifier says itself if it is slow."""
    return policy != "leave-one-out" or not getattr(_detector(estimator), "slow_to_fit", False)


def _detector(estimator: BaseEstimator) -> Any:
    return estimator.steps[-1][1] if isinstance(estimator, Pipeline) else estimator


def own_threshold(fitted: BaseEstimator, name: str) -> float:
    """Return the threshold that a trained verifier has set itself.

    Raises `InvalidParameterError` if it has none.
    """
    detector = _detector(fitted)
    offset = np.ravel(getattr(detector, "offset_", ()))
    if offset.size != 1:
        raise InvalidParameterError(
            f"verifier {name!r} sets no threshold: after fit, {type(detector).__name__} has no "
            "single number offset_. Use an outlier detector such as those of hawkeys.verifiers."
        )
    return float(offset[0])


def _size(value: Any) -> int:
    """Return the bytes of the numbers and words in what was learned."""
    if isinstance(value, np.ndarray):
        return int(value.nbytes)
    if isinstance(value, int | float | np.number):
        return 8
    if isinstance(value, str):
        return len(value.encode())
    if isinstance(value, Mapping):
        return sum(map(_size, value.values()))
    if isinstance(value, list | tuple):
        return sum(map(_size, value))
    if isinstance(value, Pipeline):
        return sum(_size(step) for _, step in value.steps)
    if isinstance(value, BaseEstimator):
        return sum(_size(part) for name, part in vars(value).items() if _is_learned(name))
    return 0


def _is_learned(name: str) -> bool:
    return name.endswith("_") and name not in ("n_features_in_", "feature_names_in_")


@dataclass(frozen=True, eq=False)
class Outcome(Trial):
    """Scores of one verifier for one genuine typist, and the error rates that follow from them.

    Attributes
    ----------
    errors : ErrorCounts
        Errors at the verifier's own threshold.
    policy_errors : mapping of str to ErrorCounts
        Errors at the threshold of each policy.
    eer, auc, miss_rate, zero_miss : float
        Equal-error rate, area under the ROC curve, miss rate at the stated false-alarm rate and
        false-alarm rate without a miss, all on the test scores.
    """

    errors: ErrorCounts
    policy_errors: Mapping[str, ErrorCounts]
    eer: float
    auc: float
    miss_rate: float
    zero_miss: float

    def as_row(self) -> dict[str, object]:
        """Return the figures under the column names of `Evaluation.to_frame`."""
        return {
            "verifier": self.verifier,
            "subject": self.subject,
            "eer": self.eer,
            "auc": self.auc,
            "miss_rate": self.miss_rate,
            "zero_miss": self.zero_miss,
            "threshold": self.threshold,
            "achieved_false_alarm": self.errors.false_alarm,
            "achieved_miss": self.errors.miss,
            "n_genuine": self.errors.n_genuine,
            "n_impostor": self.errors.n_impostor,
            "n_false_alarm": self.errors.n_false_alarm,
            "n_miss": self.errors.n_miss,
        }


def make_outcome(trial: Trial, false_alarm: float) -> Outcome:
    """Compute every figure of one verifier on one typist.

    Parameters
    ----------
    trial : Trial
        Scores and thresholds; its scores are made read-only.
    false_alarm : float
        The stated false-alarm rate.

    Returns
    -------
    Outcome
        The trial and its figures.

    Raises
    ------
    InvalidParameterError
        If a score or a threshold is NaN, or a score is positive infinity; the message names
        the verifier and the subject.
    """
    genuine, impostor = trial.genuine, trial.impostor
    try:
        outcome = Outcome(
            **{field.name: getattr(trial, field.name) for field in fields(Trial)},
            errors=error_counts(genuine, impostor, trial.threshold),
            policy_errors={
                policy: error_counts(genuine, impostor, threshold)
                for policy, threshold in trial.policy_thresholds.items()
            },
            eer=equal_error_rate(genuine, impostor),
            auc=auc(genuine, impostor),
            miss_rate=miss_rate_at(genuine, impostor, false_alarm),
            zero_miss=zero_miss_false_alarm(genuine, impostor),
        )
    except InvalidParameterError as error:
        raise InvalidParameterError(
            f"verifier {trial.verifier!r}, subject {trial.subject!r}: {error}"
        ) from error
    genuine.flags.writeable = impostor.flags.writeable = False
    return outcome
