"""`Trial`: what one verifier gave one typist's test samples, before any rate is computed."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator, clone
from sklearn.pipeline import Pipeline

from hawkeys._typing import FloatArray
from hawkeys.evaluation.protocols import Split
from hawkeys.evaluation.stages import Samples, Stage
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers import held_out_scores, resubstitution_threshold

__all__ = ["Trial", "run_trial"]


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
    sessions = samples.session[split.train]
    thresholds = {
        policy: _threshold(stage.estimator, train, sessions, policy, false_alarm)
        for policy in policies
        if _affordable(stage.estimator, policy)
    }
    return Trial(
        stage.name,
        split.subject,
        genuine,
        impostor,
        genuine_session=samples.session[split.genuine],
        impostor_subject=samples.subject[split.impostor],
        threshold=_own_threshold(fitted, stage.name),
        policy_thresholds=thresholds,
        fit_seconds=trained - started,
        score_seconds=scored - trained,
        template_bytes=_size(fitted),
    )


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


def _own_threshold(fitted: BaseEstimator, name: str) -> float:
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
