"""`Outcome`: one verifier on one typist."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from hawkeys.evaluation.metrics import (
    ErrorCounts,
    auc,
    equal_error_rate,
    error_counts,
    miss_rate_at,
    zero_miss_false_alarm,
)
from hawkeys.evaluation.trials import Trial
from hawkeys.exceptions import InvalidParameterError

__all__ = ["Outcome", "make_outcome"]


@dataclass(frozen=True, eq=False)
class Outcome(Trial):
    """One verifier on one genuine typist: its scores and the error rates they give.

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
