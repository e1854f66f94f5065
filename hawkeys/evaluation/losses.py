"""Typists whom a verifier could not be trained for, and what a report says of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from hawkeys.evaluation.trials import Outcome
from hawkeys.exceptions import InvalidParameterError

__all__ = ["Loss", "complete_subjects", "few_tests_note", "loss_note", "refuse_total_loss"]

_SHOWN = 5


@dataclass(frozen=True)
class Loss:
    """A typist whom a verifier could not be trained for, or not judged.

    Attributes
    ----------
    verifier, subject : str
        Which verifier has no row for whom.
    reason : str
        What its `fit`, or its scores, had to say.
    """

    verifier: str
    subject: str
    reason: str


def refuse_total_loss(losses: Sequence[Loss], subjects: Sequence[str]) -> None:
    """Refuse an evaluation in which a verifier has no row left.

    Parameters
    ----------
    losses : sequence of Loss
        Rows that are missing.
    subjects : sequence of str
        All genuine typists.

    Raises
    ------
    InvalidParameterError
        If a verifier is lost for all of them; the message has the reason for the first.
    """
    for name in dict.fromkeys(one.verifier for one in losses):
        own = [one for one in losses if one.verifier == name]
        if len(own) == len(subjects):
            raise InvalidParameterError(
                f"verifier {name!r}, subject {own[0].subject!r}: {own[0].reason} It cannot be "
                f"evaluated for any of the {len(own)} subjects. Leave it out, or change it or the "
                "data."
            )


def loss_note(losses: Sequence[Loss]) -> str:
    """Say which verifiers lack the rows of whom, and why.

    Parameters
    ----------
    losses : sequence of Loss
        Rows that are missing.

    Returns
    -------
    str
        Empty if there is none; one sentence per verifier, with the reason for the first typist.

    Examples
    --------
    >>> from hawkeys.evaluation.losses import Loss, loss_note
    >>> loss_note([Loss("pohmm", "ann", "An interval is 0.")])[:66]
    'pohmm has no row for 1 subject (ann), for whom it could not be tra'
    """
    sentences = []
    for name in dict.fromkeys(one.verifier for one in losses):
        own = [one for one in losses if one.verifier == name]
        who = ", ".join(one.subject for one in own[:_SHOWN])
        rest = f" and {len(own) - _SHOWN} more" if len(own) > _SHOWN else ""
        sentences.append(
            f"{name} has no row for {len(own)} subject{'s' * (len(own) > 1)} ({who}{rest}), for "
            "whom it could not be trained or judged; its means are over the others, and verifiers "
            f"are compared on the subjects that all have. {own[0].subject}: {own[0].reason}"
        )
    return " ".join(sentences)


def few_tests_note(outcomes: Sequence[Outcome], false_alarm: float) -> str:
    """Say for whom the stated false-alarm rate rejects no genuine test at all.

    Parameters
    ----------
    outcomes : sequence of Outcome
        One per verifier and subject.
    false_alarm : float
        The stated false-alarm rate.

    Returns
    -------
    str
        Empty if everybody has 1 / `false_alarm` genuine tests or more.
    """
    sizes = {one.subject: one.genuine.size for one in outcomes}
    few = {who: n for who, n in sizes.items() if int(n * false_alarm + 1e-9) < 1}
    return few_tests(few, len(sizes), false_alarm)


def few_tests(few: dict[str, int], n_subjects: int, false_alarm: float) -> str:
    """Say that `few` subjects, with so many genuine tests each, cannot have one rejected."""
    if not few:
        return ""
    shown = ", ".join(f"{who} has {n}" for who, n in list(few.items())[:_SHOWN])
    rest = f", and so on, {len(few)} in all" if len(few) > _SHOWN else ""
    whom = "every subject" if len(few) == n_subjects else f"{len(few)} of {n_subjects} subjects"
    share = f"{100 * false_alarm:g} %"
    return (
        f"The miss rate at {share} false alarms is the one with no genuine test rejected for "
        f"{whom}: one rejected of fewer than {1 / false_alarm:.10g} is more than {share} "
        f"({shown}{rest})."
    )


def complete_subjects(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the subjects whom every verifier has.

    Parameters
    ----------
    frame : DataFrame
        One row per verifier and subject, with these columns.

    Returns
    -------
    DataFrame
        The same rows if none is missing.
    """
    counts = frame["subject"].map(frame["subject"].value_counts())
    return frame[counts == frame["verifier"].nunique()]
