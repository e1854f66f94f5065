"""`Session`: attempts at a text judged, enrolled, and from then on verified."""

from __future__ import annotations

import os
import warnings
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any

import numpy as np
import pandas as pd

from hawkeys._typing import FloatArray
from hawkeys._validation import check_count
from hawkeys.capture.attempts import AttemptFile
from hawkeys.capture.judging import Judgement, judge
from hawkeys.capture.picture import FEWEST, picture_of
from hawkeys.capture.records import line_of, read_record
from hawkeys.capture.text import TypedText
from hawkeys.datasets.timings import press_release
from hawkeys.exceptions import HawkeysWarning, InvalidParameterError, OutputError
from hawkeys.verifiers import OneClassVerifier, Template, Verification, enrol, verify
from hawkeys.verifiers.templates._storable import plain_parameters
from hawkeys.verifiers.templates.enrolment import (
    FEWEST_SAMPLES,
    MOST_INTERVALS,
    MOST_SAMPLES,
    check_enrolment,
)

__all__ = ["Answer", "Session"]

_LONGEST_NAME = 100
_DRAWN = 200  # the latest samples that the picture is of


@dataclass(frozen=True)
class Answer:
    """The result of one attempt.

    Attributes
    ----------
    attempt : int
        Its number, counted from 1 over all attempts; 0 if it could not be read.
    outcome : str
        "sample" if it spells the text; or "other text", "typo", "focus lost", "unfinished",
        "not typed" (it cannot have been typed so) and "unreadable" (the browser hid the keys, or
        its clock went back).
    message : str
        The outcome in a sentence.
    enrolled : bool
        Whether this attempt completed the enrolment.
    verification : Verification or None
        The decision, for a sample after enrolment; its deviations name the keys of the text.
    """

    attempt: int
    outcome: str
    message: str
    enrolled: bool = False
    verification: Verification | None = None


@dataclass
class Session:
    """A session of attempts at one text: it enrols the typist, then verifies each further attempt.

    Parameters
    ----------
    text : str
        What is typed; Return ends each attempt and belongs to the sample, as in the CMU benchmark.
    n_enrol : int, default 10
        Samples of the text that make the template, 5 to 2,000.
    user : str, default "user"
        Name of the typist in the file of attempts.
    verifier : OneClassVerifier, optional
        As for `hawkeys.verifiers.enrol`.
    template : Template, optional
        An earlier enrolment of the text: attempts are verified from the first one on.
    file : AttemptFile, optional
        Where every attempt that can be read is appended, those of another text, too. Default: what
        is typed is kept in memory alone.
    store : str or path-like, optional
        Where the template is written once enrolled. Default: nowhere.

    Attributes
    ----------
    template : Template or None
        Once enrolled.
    n_attempts : int
        Attempts so far that could be read.
    notes : tuple of str
        What the enrolment warned of: what decisions after so few samples mean.
    is_stored : bool
        Whether the template was written to `store`.

    Raises
    ------
    InvalidParameterError
        A text that the page cannot ask for, a wrong number, a verifier that a template cannot
        store, or a template of a text with another number of keys.

    Examples
    --------
    >>> from hawkeys.capture import Session
    >>> session = Session("ab", n_enrol=5)
    >>> times = {"a": (0.0, 80.0), "b": (150.0, 240.0), "Enter": (300.0, 390.0)}
    >>> events = [
    ...     {"type": kind, "key": key, "code": key, "timeStamp": time}
    ...     for key, both in times.items()
    ...     for kind, time in zip(("keydown", "keyup"), both)
    ... ]
    >>> answer = session.add({"events": events, "clock_resolution_ms": 0.1})
    >>> answer.outcome, session.n_samples
    ('sample', 1)
    """

    text: str
    n_enrol: int = 10
    user: str = "user"
    verifier: OneClassVerifier | None = None
    template: Template | None = None
    file: AttemptFile | None = None
    store: str | os.PathLike[str] | None = None
    n_attempts: int = field(default=0, init=False)
    notes: tuple[str, ...] = field(default=(), init=False)
    is_stored: bool = field(default=False, init=False)

    def __post_init__(self) -> None:
        self.typed = TypedText(self.text)
        most = min(MOST_SAMPLES, MOST_INTERVALS // len(self.typed.columns))
        if check_count(self.n_enrol, "n_enrol", minimum=FEWEST_SAMPLES) > most:
            raise InvalidParameterError(
                f"n_enrol must be at most {most}, the most that a template of this text holds; got "
                f"{self.n_enrol}."
            )
        if self.verifier is not None:
            plain_parameters(self.verifier)  # refuses what a template cannot store
        _check_name(self.user)
        n_keys = len(self.typed.keys)
        if self.template is not None and self.template.n_keys != n_keys:
            raise InvalidParameterError(
                f"the template is of {self.template.n_keys} keys, the text with Return of "
                f"{n_keys}. Give the text that was enrolled."
            )
        self._label = datetime.now(timezone.utc).isoformat(timespec="microseconds")
        self._rows: list[FloatArray] = []
        self._decisions: list[tuple[int, bool | None]] = []

    @property
    def n_samples(self) -> int:
        """Attempts so far that are samples of the text."""
        return len(self._rows)

    @property
    def _missing(self) -> int:
        """Samples that the enrolment still needs."""
        return self.n_enrol - self.n_samples

    def timings(self) -> pd.DataFrame:
        """Return the samples so far.

        Returns
        -------
        pandas.DataFrame, shape (n_samples, 3 K - 2)
            Seconds; columns H.k1, DD.k1.k2, UD.k1.k2, H.k2, ..., oldest first.
        """
        matrix = np.array(self._rows).reshape(-1, len(self.typed.columns))
        return pd.DataFrame(matrix, columns=self.typed.columns)

    def add(self, record: Any) -> Answer:
        """Judge an attempt; store it if there is a file; enrol or verify if it is a sample.

        Parameters
        ----------
        record : bytes or mapping
            As the page sends it, JSON or its plain types: clock_resolution_ms (ms), and events,
            each with type ("keydown", "keyup", or "blur" and "hidden" for a loss of focus),
            timeStamp (ms), key, code and repeat, as a browser's KeyboardEvent has them.

        Returns
        -------
        Answer
            What became of it.

        Raises
        ------
        InvalidParameterError
            The record is none.
        OutputError
            It cannot be appended to the file; it does not count then.
        """
        checked = read_record(record)
        labels = {
            "user": self.user,
            "session": self._label,
            "attempt": self.n_attempts + 1,
            "text": self.typed.spelling,
        }
        judged = self._checked(judge(checked, line_of(checked, labels), self.typed))
        if judged.outcome == "unreadable":  # nor could a reader of the file
            return Answer(0, judged.outcome, judged.message)
        if self.file is not None:
            self.file.append(line_of(checked, {**labels, "outcome": judged.outcome}))
        self.n_attempts += 1
        if judged.timings is None:
            return Answer(self.n_attempts, judged.outcome, judged.message)
        return self._take(judged.timings)

    def picture(self) -> dict[str, Any] | None:
        """Return the Hawkes process of the enrolment, or of the samples so far, for drawing.

        Returns
        -------
        dict or None
            `marks`, the presses and releases; `edges`, each with target, source, weight, and the
            median lag and its spread in milliseconds. None before there are three samples.
        """
        rows = self._rows if self.template is None else self.template.samples
        if len(rows) < FEWEST:
            return None
        return picture_of(np.array(rows[-_DRAWN:]), self.typed.numbered)

    def rhythm(self, n_latest: int) -> list[dict[str, Any]]:
        """Return when each key of the latest samples was pressed and let go.

        Parameters
        ----------
        n_latest : int
            Number of samples at most.

        Returns
        -------
        list of dict
            `attempt`, its number; `accepted`, the decision, None if there was none; `press` and
            `release`, milliseconds since the first press, length K. Oldest first.
        """
        if not self._rows:
            return []
        press, release = press_release(np.array(self._rows[-n_latest:]))
        return [
            {
                "attempt": number,
                "accepted": accepted,
                "press": np.round(1e3 * down, 3).tolist(),
                "release": np.round(1e3 * up, 3).tolist(),
            }
            for (number, accepted), down, up in zip(
                self._decisions[-n_latest:], press, release, strict=True
            )
        ]

    def _checked(self, judged: Judgement) -> Judgement:
        """Return the judgement, another one for a sample that no enrolment would take."""
        if judged.timings is None:
            return judged
        matrix = np.array([*self._rows, judged.timings])
        for finding in check_enrolment(matrix):
            if finding.is_error and len(matrix) - 1 in finding.rows:
                return Judgement("not typed", f"Not counted. {finding.rule}: {finding.message}")
        return judged

    def _take(self, timings: FloatArray) -> Answer:
        """Return the answer to a sample."""
        number = self.n_attempts
        if self.template is not None:
            decision = verify(self.template, timings)
            self._keep(timings, decision.accepted)
            named = tuple(
                one._replace(column=self.typed.columns[self.template.columns.index(one.column)])
                for one in decision.deviations
            )
            word = "accepted" if decision.accepted else "rejected"
            return Answer(
                number,
                "sample",
                f"Attempt {number} is {word}.",
                verification=Verification(
                    decision.score, decision.threshold, decision.accepted, named
                ),
            )
        self._keep(timings, None)
        if self._missing > 0:
            return Answer(number, "sample", f"Counted; {self._missing} to go.")
        return self._enrol(number)

    def _keep(self, timings: FloatArray, accepted: bool | None) -> None:
        self._rows.append(timings)
        self._decisions.append((self.n_attempts, accepted))

    def _enrol(self, number: int) -> Answer:
        """Make the template, or say which samples cannot be part of one and leave them out."""
        refused = [one for one in check_enrolment(np.array(self._rows)) if one.is_error]
        bad = {row for finding in refused for row in finding.rows}
        if bad:
            kept = [row for row in range(self.n_samples) if row not in bad]
            self._rows = [self._rows[row] for row in kept]
            self._decisions = [self._decisions[row] for row in kept]
            why = " ".join(f"{one.rule}: {one.message}" for one in refused)
            left = f"They were left out; {self._missing} to go."
            return Answer(number, "sample", f"Not enrolled. {why} {left}")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", HawkeysWarning)
            self.template = enrol(self.timings(), verifier=self.verifier)
        self.notes = tuple(dict.fromkeys(str(one.message) for one in caught))
        return Answer(number, "sample", self._stored(), enrolled=True)

    def _stored(self) -> str:
        """Write the new template if that was asked for, and say that there is one."""
        said = f"Enrolled with {self.n_samples} samples."
        if self.template is not None and self.store is not None:
            try:
                self.template.save(self.store)
                self.is_stored = True
            except OutputError as error:
                said += f" The template is not stored: {error}"
        return said


def _check_name(user: Any) -> None:
    """Refuse a name that a line of the file cannot hold."""
    if not isinstance(user, str) or not 0 < len(user) <= _LONGEST_NAME or not user.isprintable():
        raise InvalidParameterError(
            f"user must be a name of 1 to {_LONGEST_NAME} printable characters; got "
            f"{str(user)[:40]!a}."
        )
