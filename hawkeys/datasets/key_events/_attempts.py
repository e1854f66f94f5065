"""Strokes cut into attempts at a fixed text, and what became of each."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from hawkeys._typing import IntArray
from hawkeys._validation import check_choice
from hawkeys.datasets._tables.codes import group_numbers
from hawkeys.datasets.key_events._layouts import is_shift
from hawkeys.datasets.key_events.strokes import Strokes
from hawkeys.datasets.tally import Tally
from hawkeys.events.tables import plain
from hawkeys.exceptions import DatasetError, HawkeysWarning, InvalidParameterError

__all__ = [
    "Attempt",
    "check_arguments",
    "is_backspace",
    "number_attempts",
    "samples_among",
    "sort_attempts",
    "tally_of",
    "typed_text",
]

_ALIASES = {
    " ": "Space",
    "space": "Space",
    "spacebar": "Space",
    "enter": "Return",
    "return": "Return",
    "\n": "Return",
    "\r": "Return",
    "backspace": "Backspace",
    "bksp": "Backspace",
    "\b": "Backspace",
}
_SHOWN = 100


class Attempt(NamedTuple):
    """One attempt: the strokes it spans, those that spell the text, and what became of it."""

    strokes: IntArray
    spelling: IntArray
    n_undone: int
    outcome: str


def is_backspace(key: str) -> bool:
    """Return whether a key is the Backspace key."""
    return _canonical(key) == "Backspace"


def check_arguments(strokes: Any, text: Any, typos: Any, end_key: Any, rest: Any) -> list[str]:
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
    names = [_canonical(key) for key in keys]
    end = _canonical(end_key) if isinstance(end_key, str) else end_key
    if end is not None and (end in names[:-1] or (rest == "reject" and end != names[-1])):
        raise InvalidParameterError(
            f"end_key must be the last key of text, and no other ({keys[-1]!r} is the last of "
            f"{len(keys)}); got {end_key!r}. Add it to text, or choose another."
        )
    return keys


def sort_attempts(
    strokes: Strokes, text: list[str], typos: str, end_key: str | None, rest: str
) -> list[Attempt]:
    """Return every attempt with its outcome, in the order of the strokes."""
    keys = [_canonical(key) for key in strokes.key.tolist()]
    text = [_canonical(key) for key in text]
    end_key = None if end_key is None else _canonical(end_key)
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
        closing = [_canonical(key) == _canonical(end_key) for key in strokes.key[:-1].tolist()]
        ends = ends | np.array(closing, dtype=bool)
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


def number_attempts(
    strokes: Strokes, attempts: list[Attempt], end_key: str | None
) -> tuple[IntArray, IntArray]:
    """Return session and repetition of each attempt as whole numbers."""
    first = [attempt.strokes[0] for attempt in attempts]
    user, session = strokes.user[first], strokes.session[first]
    if session.dtype.kind != "i":
        session = _count_within(user, session)
    if end_key is None and strokes.repetition is not None and strokes.segment is None:
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


def tally_of(attempts: list[Attempt]) -> Tally:
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


def samples_among(strokes: Strokes, attempts: list[Attempt], keys: list[str]) -> list[Attempt]:
    """Return the attempts that spell the text; warns if they are few, raises if there is none."""
    good = [attempt for attempt in attempts if attempt.outcome == "sample"]
    n_all, text = len(attempts), f"the text of {len(keys)} keys ({' '.join(keys)[:60]})"
    if not good:
        raise DatasetError(
            f"no attempt of {n_all:,} spells {text}; {_instead(strokes, attempts)}. "
            "Check text, end_key and the names of the keys, or allow typos and rest."
        )
    if 2 * len(good) < len(attempts):
        warnings.warn(
            f"{len(good):,} of {n_all:,} attempts spell {text}; {_instead(strokes, attempts)}. "
            "list_attempts shows every attempt; check text and end_key, or allow typos and rest.",
            HawkeysWarning,
            stacklevel=3,
        )
    return good


def _instead(strokes: Strokes, attempts: list[Attempt]) -> str:
    """Say what was typed most often in the attempts that are no sample."""
    others = Counter(typed_text(strokes, one) for one in attempts if one.outcome != "sample")
    what, count = others.most_common(1)[0]
    outcomes = Counter(one.outcome for one in attempts if one.outcome != "sample")
    rules = ", ".join(f"{number:,} {rule}" for rule, number in outcomes.most_common())
    times = "once" if count == 1 else f"{count:,} times"
    return f"the others: {rules}, most often {what[:60]!r} ({times})"


def typed_text(strokes: Strokes, attempt: Attempt) -> str:
    """Return what an attempt holds, keys of more than one character in angle brackets."""
    keys = strokes.key[attempt.strokes[:_SHOWN]].tolist()
    return "".join(key if len(key) == 1 else f"<{key}>" for key in keys)[:_SHOWN]


def _canonical(key: str) -> str:
    """Return one name for the keys that loggers call differently."""
    return key if len(key) == 1 and key not in " \n\r\b" else _ALIASES.get(_bare(key), key)


def _bare(key: str) -> str:
    return plain(key).removeprefix("key") or key
