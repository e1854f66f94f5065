"""`Outcome`: one verifier on one typist."""

from __future__ import annotations

from dataclasses import dataclass

from hawkeys._typing import FloatArray
from hawkeys.evaluation.metrics import (
    ErrorCounts,
    auc,
    equal_error_rate,
    error_counts,
    miss_rate_at,
    zero_miss_false_alarm,
)
from hawkeys.exceptions import InvalidParameterError

__all__ = ["Outcome", "make_outcome"]


@dataclass(frozen=True, eq=False)
class Outcome:
    """One verifier on one genuine typist.

    Attributes
    ----------
    verifier, subject : str
        Who is judged, and on whom.
    genuine, impostor : ndarray of float64, shapes (n_genuine,) and (n_impostor,)
        Scores of the test samples; higher means more genuine.
    threshold : float
        The verifier's own threshold, set on its training samples.
    errors : ErrorCounts
        Errors at that threshold.
    eer, auc, miss_rate, zero_miss : float
        Equal-error rate, area under the ROC curve, miss rate at the stated false-alarm rate and
        false-alarm rate without a miss, all on the test scores.
    """

    verifier: str
    subject: str
    genuine: FloatArray
    impostor: FloatArray
    threshold: float
    errors: ErrorCounts
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


def make_outcome(
    verifier: str,
    subject: str,
    genuine: FloatArray,
    impostor: FloatArray,
    *,
    threshold: float,
    false_alarm: float,
) -> Outcome:
    """Compute every figure of one verifier on one typist.

    Parameters
    ----------
    verifier, subject : str
        Who is judged, and on whom.
    genuine, impostor : ndarray of float64, shapes (n_genuine,) and (n_impostor,)
        Scores of the test samples; higher means more genuine.
    threshold : float
        The verifier's own threshold.
    false_alarm : float
        The stated false-alarm rate.

    Returns
    -------
    Outcome
        The figures, with the scores made read-only.

    Raises
    ------
    InvalidParameterError
        If a score or the threshold is NaN, or a score is positive infinity; the message names
        the verifier and the subject.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.evaluation.outcomes import make_outcome
    >>> genuine, impostor = np.array([2.0, 3.0]), np.array([1.0, 2.5])
    >>> make_outcome("v", "s1", genuine, impostor, threshold=2.0, false_alarm=0.05).miss_rate
    0.5
    """
    try:
        outcome = Outcome(
            verifier,
            subject,
            genuine,
            impostor,
            threshold=threshold,
            errors=error_counts(genuine, impostor, threshold),
            eer=equal_error_rate(genuine, impostor),
            auc=auc(genuine, impostor),
            miss_rate=miss_rate_at(genuine, impostor, false_alarm),
            zero_miss=zero_miss_false_alarm(genuine, impostor),
        )
    except InvalidParameterError as error:
        raise InvalidParameterError(
            f"verifier {verifier!r}, subject {subject!r}: {error}"
        ) from error
    genuine.flags.writeable = impostor.flags.writeable = False
    return outcome
