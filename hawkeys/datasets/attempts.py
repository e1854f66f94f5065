"""Attempts at a fixed text among strokes, and the samples they give."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from hawkeys._typing import IntArray
from hawkeys._validation import check_choice
from hawkeys.datasets._columns import plain
from hawkeys.datasets.key_events import group_numbers
from hawkeys.datasets.keystrokes import Keystrokes
from hawkeys.datasets.pairing import is_shift
from hawkeys.datasets.strokes import Strokes
from hawkeys.datasets.tally import Tally
from hawkeys.exceptions import DatasetError, InvalidParameterError

__all__ = ["list_attempts", "to_keystrokes"]

_BACKSPACES = {"backspace", "bksp"}


class Attempt(NamedTuple):
    """One attempt: the strokes it spans, those that spell the text, and what became of it."""

    strokes: IntArray
    spelling: IntArray
    n_undone: int
    outcome: str


def to_keystrokes(
    strokes: Strokes,
    *,
    text: Iterable[str],
    typos: str = "reject",
    end_key: str | None = None,
    rest: str = "reject",
) -> Keystrokes:
    """Return the attempts that spell a fixed text as samples.

    Parameters
    ----------
    strokes : Strokes
        Keystrokes, as `pair_events` returns them.
    text : iterable of str, length K
        Names of the keys in order, as the strokes name them. A name may occur again; in the result
        it is then numbered ("l", "l2").
    typos : {"reject", "strip"}, default "reject"
        "reject": an attempt with a Backspace is no sample. "strip": every Backspace is left out
        with the stroke it undoes, which is the last one still standing, and with Shift strokes
        next to that one. The times of the others stay, so that the interval across the gap holds
        the whole correction. A Backspace held down is one stroke and undoes one.
    end_key : str, optional
        An attempt ends with each stroke of this key, which belongs to the text; what follows the
        last one is an unfinished attempt. Default: each recording is one attempt, that is, a
        repetition if the source numbers them and else a session.
    rest : {"reject", "ignore"}, default "reject"
        Whether an attempt that begins with the text and goes on is rejected, or gives a sample of
        its beginning.

    Returns
    -------
    Keystrokes
        Session and repetition as numbered in the source; labels that are not whole numbers, and
        attempts within a recording, are numbered 1, 2, ..., rejected attempts included. `tally`
        counts strokes by what became of them, so that the counts add up to ``len(strokes)``:
        "sample", "after the text", "undone" (with the Backspaces, in samples), and those of
        rejected attempts: "typo" (a Backspace in it), "other text" and "unfinished".

    Raises
    ------
    DatasetError
        No attempt spells the text.
    InvalidParameterError
        Another kind of argument.

    See Also
    --------
    list_attempts : Every attempt and what became of it.

    Examples
    --------
    >>> import pandas as pd
    >>> from hawkeys.datasets import pair_events, read_key_events, to_keystrokes
    >>> rows = [("a", 0.0), ("x", 0.3), ("Backspace", 0.6), ("b", 1.0), ("Return", 1.2)]
    >>> frame = pd.DataFrame(rows, columns=["key", "press"])
    >>> frame = frame.assign(user="ann", session=1, release=frame["press"] + 0.125)
    >>> strokes = pair_events(read_key_events(frame))
    >>> typed = to_keystrokes(
    ...     strokes, text=["a", "b", "Return"], typos="strip", end_key="Return"
    ... )
    >>> typed.press, typed.tally
    (array([[0. , 1. , 1.2]]), Tally(sample=3, undone=2))
    """
    keys = _check_arguments(strokes, text, typos, end_key, rest)
    attempts = _sort_attempts(strokes, keys, typos, end_key, rest)
    good = [attempt for attempt in attempts if attempt.outcome == "sample"]
    if not good:
        raise DatasetError(
            f"no attempt of {len(attempts)} spells the text of {len(keys)} keys "
            f"({' '.join(keys)[:60]}); the first is {_beginning(strokes, attempts)}. Check text, "
            "end_key and the names of the keys, or allow typos and rest."
        )
    rows = np.array([attempt.spelling for attempt in good])
    session, repetition = _numbers(strokes, attempts, end_key)
    chosen = [place for place, attempt in enumerate(attempts) if attempt.outcome == "sample"]
    typed = Keystrokes.from_press_release(
        strokes.press[rows],
        strokes.release[rows],
        subject=strokes.user[rows[:, 0]],
        session=session[chosen],
        repetition=repetition[chosen],
        keys=_number_keys(keys),
    )
    return replace(typed, tally=_tally(attempts))


def list_attempts(
    strokes: Strokes,
    *,
    text: Iterable[str],
    typos: str = "reject",
    end_key: str | None = None,
    rest: str = "reject",
) -> pd.DataFrame:
    """Return every attempt at a fixed text and what became of it.

    Parameters
    ----------
    strokes, text, typos, end_key, rest
        As for `to_keystrokes`.

    Returns
    -------
    pandas.DataFrame
        One row per attempt: user, session and repetition (numbered as in `to_keystrokes`), outcome
        ("sample", "typo", "other text" or "unfinished"), n_strokes, n_undone.

    Raises
    ------
    InvalidParameterError
        Another kind of argument.

    Examples
    --------
    >>> import pandas as pd
    >>> from hawkeys.datasets import list_attempts, pair_events, read_key_events
    >>> frame = pd.DataFrame({"key": ["a", "b"], "press": [0.0, 0.3], "release": [0.1, 0.4]})
    >>> strokes = pair_events(read_key_events(frame.assign(user="ann", session=1)))
    >>> list_attempts(strokes, text="ac")["outcome"].tolist()
    ['other text']
    """
    keys = _check_arguments(strokes, text, typos, end_key, rest)
    attempts = _sort_attempts(strokes, keys, typos, end_key, rest)
    session, repetition = _numbers(strokes, attempts, end_key)
    return pd.DataFrame(
        {
            "user": strokes.user[[attempt.strokes[0] for attempt in attempts]],
            "session": session,
            "repetition": repetition,
            "outcome": [attempt.outcome for attempt in attempts],
            "n_strokes": [attempt.strokes.size for attempt in attempts],
            "n_undone": [attempt.n_undone for attempt in attempts],
        }
    )


def is_backspace(key: str) -> bool:
    """Return whether a key is the Backspace key."""
    return plain(key) in _BACKSPACES


def _check_arguments(strokes: Any, text: Any, typos: Any, end_key: Any, rest: Any) -> list[str]:
    """Return the text as a list of keys, refusing wrong arguments."""
    if not isinstance(strokes, Strokes) or not len(strokes):
        raise InvalidParameterError(
            "strokes must be one or more Strokes, as pair_events returns; got "
            f"{type(strokes).__name__}{' without strokes' * isinstance(strokes, Strokes)}."
        )
    check_choice(typos, "typos", ("reject", "strip"))
    check_choice(rest, "rest", ("reject", "ignore"))
    keys = list(text) if isinstance(text, Iterable) else []
    if not keys or not all(isinstance(key, str) and key for key in keys):
        raise InvalidParameterError(
            f"text must be the names of one or more keys; got {str(text)[:60]!r}."
        )
    if end_key is not None and (end_key in keys[:-1] or (rest == "reject" and end_key != keys[-1])):
        raise InvalidParameterError(
            f"end_key must be the last key of text, and no other ({keys[-1]!r} is the last of "
            f"{len(keys)}); got {end_key!r}. Add it to text, or choose another."
        )
    return keys


def _sort_attempts(
    strokes: Strokes, text: list[str], typos: str, end_key: str | None, rest: str
) -> list[Attempt]:
    """Return every attempt with its outcome, in the order of the strokes."""
    keys = strokes.key.tolist()
    attempts = []
    for span in _split(strokes, end_key):
        target = text if rest == "ignore" else None
        spelling, n_seen = _spell(span.tolist(), keys, strip=typos == "strip", until=target)
        if [keys[stroke] for stroke in spelling] == text:
            outcome, n_undone = "sample", n_seen - len(spelling)
        else:
            outcome, n_undone = _fault([keys[stroke] for stroke in span], typos, end_key), 0
        attempts.append(Attempt(span, np.array(spelling, dtype=np.int64), n_undone, outcome))
    return attempts


def _fault(keys: list[str], typos: str, end_key: str | None) -> str:
    """Say why an attempt is no sample."""
    if typos == "reject" and any(is_backspace(key) for key in keys):
        return "typo"
    return "unfinished" if end_key is not None and keys[-1] != end_key else "other text"


def _split(strokes: Strokes, end_key: str | None) -> list[IntArray]:
    """Return the strokes of each attempt."""
    group = strokes.groups()
    ends = group[1:] != group[:-1]
    if end_key is not None:
        ends = ends | (strokes.key[:-1] == end_key)
    return np.split(np.arange(len(strokes)), np.flatnonzero(ends) + 1)


def _spell(
    span: list[int], keys: Sequence[str], *, strip: bool, until: list[str] | None
) -> tuple[list[int], int]:
    """Return the strokes left standing at the end, or once they spell `until`.

    And the number of strokes gone through.
    """
    standing: list[int] = []
    for n_seen, stroke in enumerate(span, 1):
        if strip and is_backspace(keys[stroke]):
            _drop_shifts(standing, keys)
            if standing:
                standing.pop()
            _drop_shifts(standing, keys)
        else:
            standing.append(stroke)
        same_length = until is not None and len(standing) == len(until)
        if same_length and [keys[place] for place in standing] == until:
            return standing, n_seen
    return standing, len(span)


def _drop_shifts(standing: list[int], keys: Sequence[str]) -> None:
    """Remove Shift strokes from the end: they make no character of their own."""
    while standing and is_shift(keys[standing[-1]]):
        standing.pop()


def _numbers(
    strokes: Strokes, attempts: list[Attempt], end_key: str | None
) -> tuple[IntArray, IntArray]:
    """Return session and repetition of each attempt as whole numbers."""
    first = [attempt.strokes[0] for attempt in attempts]
    user, session = strokes.user[first], strokes.session[first]
    if session.dtype.kind != "i":
        session = _count_within(user, session)
    if end_key is None and strokes.repetition is not None:
        repetition = strokes.repetition[first]
        if repetition.dtype.kind == "i":
            return session, repetition
    sitting = group_numbers(user, session)
    counted = pd.Series(sitting).groupby(sitting).cumcount().to_numpy(dtype=np.int64) + 1
    return session, counted


def _count_within(user: np.ndarray, label: np.ndarray) -> IntArray:
    """Return labels as 1, 2, ... in order of first appearance within each user."""
    numbers = np.empty(user.size, dtype=np.int64)
    for name in np.unique(user):
        numbers[user == name] = group_numbers(label[user == name]) + 1
    return numbers


def _number_keys(keys: list[str]) -> list[str]:
    """Return names that are all different: a name that occurs again gets a number."""
    names: list[str] = []
    taken = set(keys)
    for key in keys:
        name, number = key, 2
        while name in names or (name != key and name in taken):
            name, number = f"{key}{number}", number + 1
        names.append(name)
    return names


def _tally(attempts: list[Attempt]) -> Tally:
    """Return the number of strokes by what became of them."""
    tally: dict[str, int] = {}
    for attempt in attempts:
        parts = {attempt.outcome: attempt.strokes.size}
        if attempt.outcome == "sample":
            n_after = attempt.strokes.size - attempt.n_undone - attempt.spelling.size
            parts = {
                "sample": attempt.spelling.size,
                "undone": attempt.n_undone,
                "after the text": n_after,
            }
        for rule, count in parts.items():
            tally[rule] = tally.get(rule, 0) + count
    return Tally(tally)


def _beginning(strokes: Strokes, attempts: list[Attempt]) -> str:
    """Quote the beginning of the first attempt."""
    return repr(" ".join(strokes.key[attempts[0].strokes[:20]].tolist())[:60])
