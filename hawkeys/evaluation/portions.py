"""`Portion`: which of a typist's samples train or test, as a number, a share or sessions."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from hawkeys._typing import IntArray
from hawkeys._validation import check_count
from hawkeys.exceptions import InvalidParameterError

__all__ = ["Portion", "as_portion"]

_KNOWN = (
    'a whole number (200), a share (0.5 or "50 %"), "first 4 sessions", "last 2 sessions", '
    '"session 1", "sessions 1, 3-5" or "rest"'
)
_SOME_SESSIONS = re.compile(r"(first|last) (\d{1,6}) sessions?")
_NAMED_SESSIONS = re.compile(r"sessions? (\d{1,9}(?:-\d{1,9})?(?:, ?\d{1,9}(?:-\d{1,9})?)*)")
_MOST_SESSIONS = 10_000


@dataclass(frozen=True)
class Portion:
    """Part of the samples of a typist, which are in the order of typing.

    Attributes
    ----------
    kind : {"count", "share", "first sessions", "last sessions", "sessions", "rest"}
        What is counted.
    number : float
        How many samples or sessions, or which share of the samples; 0 for named sessions and the
        rest.
    sessions : tuple of int
        Numbers of the sessions that are named.
    """

    kind: str
    number: float = 0.0
    sessions: tuple[int, ...] = ()

    def take(self, session: IntArray, start: int = 0) -> IntArray:
        """Return the places of the samples that belong to the portion.

        Parameters
        ----------
        session : ndarray of int64, shape (n_samples,)
            Session of each sample of one typist, in the order of typing.
        start : int, default 0
            First place that a number, a share or the rest may take. Sessions are where they are.

        Returns
        -------
        ndarray of int64, shape (n_taken,)
            Ascending; as many as there are.

        Examples
        --------
        >>> import numpy as np
        >>> from hawkeys.evaluation.portions import as_portion
        >>> session = np.array([1, 1, 2, 2, 3])
        >>> as_portion("first 2 sessions", "n_train").take(session).tolist()
        [0, 1, 2, 3]
        >>> as_portion(0.4, "n_genuine").take(session, start=2).tolist()
        [2, 3]
        """
        places = np.arange(session.size, dtype=np.int64)
        if self.kind == "rest":
            return places[start:]
        if self.kind in ("count", "share"):
            # a share of 0.29 of 100 samples is 29 of them, not the 28 of floating-point numbers
            size = self.number * (session.size if self.kind == "share" else 1)
            return places[start : start + int(size + 1e-9)]
        own, number = np.unique(session), int(self.number)
        named = {"first sessions": own[:number], "last sessions": own[-number:]}
        return places[np.isin(session, named.get(self.kind, np.array(self.sessions)))]

    def describe(self) -> str:
        """Return the portion in words, as in "the first 50 % of the samples"."""
        if self.kind == "rest":
            return "all samples that follow"
        if self.kind == "count":
            return f"{self.number:.0f} samples"
        if self.kind == "share":
            return f"{100 * self.number:g} % of the samples"
        if self.kind == "sessions":
            many = "s" * (len(self.sessions) > 1)
            return f"the samples of session{many} {', '.join(map(str, self.sessions))}"
        many = "s" * (self.number > 1)
        return f"the samples of the {self.kind.split()[0]} {self.number:.0f} session{many}"


def as_portion(value: int | float | str, name: str) -> Portion:
    """Read a portion.

    Parameters
    ----------
    value : int, float or str
        A whole number of samples, a share strictly between 0 and 1, or words: "200", "0.5",
        "50 %", "first 4 sessions", "last 2 sessions", "session 1", "sessions 1, 3-5", "rest".
    name : str
        What is read, for messages.

    Returns
    -------
    Portion
        What was said.

    Raises
    ------
    InvalidParameterError
        None of these.
    """
    if isinstance(value, str):
        return _of_words(" ".join(value.lower().split()), value, name)
    if isinstance(value, int | np.integer):
        return Portion("count", check_count(value, name))
    if isinstance(value, float | np.floating) and 0.0 < value < 1.0:
        return Portion("share", float(value))
    raise _unknown(value, name)


def _of_words(words: str, given: str, name: str) -> Portion:
    """Return the portion that words stand for; raises `InvalidParameterError`."""
    if words == "rest":
        return Portion("rest")
    if words.isascii() and words.isdecimal() and len(words) < 10:
        return Portion("count", check_count(int(words), name))
    if re.fullmatch(r"\d*\.\d+|\d+(\.\d+)? ?%", words, re.ASCII):
        share = float(words.rstrip("% ")) / (100.0 if words.endswith("%") else 1.0)
        if 0.0 < share < 1.0:
            return Portion("share", share)
    some = _SOME_SESSIONS.fullmatch(words)
    if some and int(some[2]) > 0:
        return Portion(f"{some[1]} sessions", int(some[2]))
    named = _NAMED_SESSIONS.fullmatch(words)
    numbers = _numbers(named[1]) if named else ()
    if numbers:
        return Portion("sessions", sessions=numbers)
    raise _unknown(given, name)


def _numbers(text: str) -> tuple[int, ...]:
    """Return the numbers in a list such as "1, 3-5", ascending; none if it makes no sense."""
    found: set[int] = set()
    for part in text.split(","):
        low, _, high = part.strip().partition("-")
        first, last = int(low), int(high or low)
        if last < first or last - first > _MOST_SESSIONS:
            return ()
        found |= set(range(first, last + 1))
    return tuple(sorted(found))


def _unknown(value: object, name: str) -> InvalidParameterError:
    return InvalidParameterError(f"{name} must be {_KNOWN}; got {value!r}.")
