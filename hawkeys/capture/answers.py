"""What the page is told: the state of a session, and an answer, in numbers and words."""

from __future__ import annotations

from typing import Any

from hawkeys.capture.session import Answer, Session

__all__ = ["answer_in_words", "state_of"]

_DRAWN = 12


def state_of(session: Session) -> dict[str, Any]:
    """Return what the page shows beside the last answer."""
    template = session.template
    return {
        "text": session.typed.characters,
        "keys": session.typed.keys,
        "n_enrol": session.n_enrol,
        "n_attempts": session.n_attempts,
        "n_samples": session.n_samples,
        "enrolled": None if template is None else template.n_samples,
        "false_alarm": None if template is None else template.parameters["false_alarm"],
        "notes": list(session.notes),
        "stored": None if session.file is None else str(session.file.path),
        "rhythm": session.rhythm(_DRAWN),
    }


def answer_in_words(answer: Answer, session: Session) -> dict[str, Any]:
    """Return an answer with its deviations told in words and milliseconds."""
    said: dict[str, Any] = {
        "attempt": answer.attempt,
        "outcome": answer.outcome,
        "message": answer.message,
        "enrolled": answer.enrolled,
    }
    decision = answer.verification
    if decision is None:
        return said
    columns = session.typed.columns
    said["decision"] = {
        "accepted": decision.accepted,
        "score": decision.score,
        "threshold": decision.threshold,
        "deviations": [
            {
                "interval": session.typed.in_words(columns.index(one.column)),
                "ms": 1e3 * one.value,
                "usual_ms": 1e3 * one.median,
                "z": one.z,
            }
            for one in decision.deviations
        ],
    }
    return said
