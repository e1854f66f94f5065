"""Attempts at a fixed text among strokes, and the samples they give."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import pandas as pd

from hawkeys.datasets.key_events._attempts import (
    check_arguments,
    number_attempts,
    samples_among,
    sort_attempts,
    tally_of,
    typed_text,
)
from hawkeys.datasets.key_events.strokes import Strokes
from hawkeys.datasets.keystrokes import Keystrokes
from hawkeys.datasets.timing_files._layouts import number_keys
from hawkeys.datasets.timings import timing_columns
from hawkeys.exceptions import DatasetError, InvalidParameterError

__all__ = ["list_attempts", "press_intervals", "to_keystrokes"]


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
        Names of the keys in order, as the strokes name them; the blank, Return and Backspace by any
        of their names (" ", "space", "Key.space"). A name may occur again; in the result it is then
        numbered ("l", "l2").
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
        No attempt spells the text, or no release is known.
    InvalidParameterError
        Another kind of argument.

    Warns
    -----
    HawkeysWarning
        Fewer than half of the attempts spell the text: says how many of how many, and what was
        typed instead most often.

    See Also
    --------
    list_attempts : Every attempt, what was typed and what became of it.
    press_intervals : The same of logs without releases.

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
    keys = check_arguments(strokes, text, typos, end_key, rest)
    attempts = sort_attempts(strokes, keys, typos, end_key, rest)
    if strokes.press_only:
        raise DatasetError(
            "the strokes have no release, so that no hold is known: samples of both are not to be "
            "had. press_intervals makes samples of the presses alone."
        )
    good = samples_among(strokes, attempts, keys)
    rows = np.array([attempt.spelling for attempt in good])
    session, repetition = number_attempts(strokes, attempts, end_key)
    chosen = [place for place, attempt in enumerate(attempts) if attempt.outcome == "sample"]
    typed = Keystrokes.from_press_release(
        strokes.press[rows],
        strokes.release[rows],
        subject=strokes.user[rows[:, 0]],
        session=session[chosen],
        repetition=repetition[chosen],
        keys=number_keys(keys),
    )
    return replace(typed, tally=tally_of(attempts))


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
        ("sample", "typo", "other text" or "unfinished"), n_strokes, n_undone, and text: what was
        typed, keys of more than one character in angle brackets ("ab<Backspace>"), its first 100
        characters.

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
    keys = check_arguments(strokes, text, typos, end_key, rest)
    attempts = sort_attempts(strokes, keys, typos, end_key, rest)
    session, repetition = number_attempts(strokes, attempts, end_key)
    return pd.DataFrame(
        {
            "user": strokes.user[[attempt.strokes[0] for attempt in attempts]],
            "session": session,
            "repetition": repetition,
            "outcome": [attempt.outcome for attempt in attempts],
            "n_strokes": [attempt.strokes.size for attempt in attempts],
            "n_undone": [attempt.n_undone for attempt in attempts],
            "text": [typed_text(strokes, attempt) for attempt in attempts],
        }
    )


def press_intervals(
    strokes: Strokes,
    *,
    text: Iterable[str],
    typos: str = "reject",
    end_key: str | None = None,
    rest: str = "reject",
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the attempts that spell a fixed text as intervals from press to press.

    What a log without releases can give. Of the verifiers the distances, nearest neighbours and
    one-class machines take such a table as they take any matrix of features; those that model holds
    (POHMM, Hawkes likelihood) and templates need `to_keystrokes`.

    Parameters
    ----------
    strokes, text, typos, end_key, rest
        As for `to_keystrokes`; the releases are not used.

    Returns
    -------
    intervals : pandas.DataFrame, shape (n_samples, K - 1)
        Seconds; columns DD.k1.k2, DD.k2.k3, ...
    labels : pandas.DataFrame, shape (n_samples, 3)
        subject, session and repetition, numbered as in `to_keystrokes`.

    Raises
    ------
    DatasetError
        No attempt spells the text.
    InvalidParameterError
        Another kind of argument, or a text of one key.

    Warns
    -----
    HawkeysWarning
        As `to_keystrokes`.

    Examples
    --------
    >>> import pandas as pd
    >>> from hawkeys.datasets import pair_events, press_intervals, read_key_events
    >>> frame = pd.DataFrame({"key": ["a", "b"], "press": [0.0, 0.25]})
    >>> strokes = pair_events(read_key_events(frame, user="ann", session=1))
    >>> press_intervals(strokes, text="ab")[0]
       DD.a.b
    0    0.25
    """
    keys = check_arguments(strokes, text, typos, end_key, rest)
    if len(keys) < 2:
        raise InvalidParameterError(
            f"text must have two or more keys to have an interval; got {keys}."
        )
    attempts = sort_attempts(strokes, keys, typos, end_key, rest)
    good = samples_among(strokes, attempts, keys)
    session, repetition = number_attempts(strokes, attempts, end_key)
    chosen = [place for place, attempt in enumerate(attempts) if attempt.outcome == "sample"]
    rows = np.array([attempt.spelling for attempt in good])
    names = timing_columns(number_keys(keys))[1::3]
    labels = {
        "subject": strokes.user[rows[:, 0]],
        "session": session[chosen],
        "repetition": repetition[chosen],
    }
    intervals = np.diff(strokes.press[rows], axis=1)
    return pd.DataFrame(intervals, columns=names), pd.DataFrame(labels)
