"""Keystrokes of keyed text: the Aalto sentences as flat arrays, and simulated ones."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from hawkeys._typing import FloatArray, IntArray, RandomState
from hawkeys._validation import as_generator, check_count
from hawkeys.datasets.key_events.events import group_numbers
from hawkeys.datasets.key_events.strokes import Strokes
from hawkeys.datasets.named._arrays import find_array_file, read_array_file
from hawkeys.datasets.tally import Tally
from hawkeys.exceptions import DatasetError

__all__ = ["aalto_places", "load_aalto", "simulate_keyed_text"]

_AALTO = "aalto_1646users_15sentences.npz"
_COLUMNS = ("user", "sentence", "keycode", "hold_ms", "dd_ms")
_ADVICE = (
    "There is no download (non-commercial use with attribution): place it in the folder aalto of a "
    "folder named by the environment variable HAWKEYS_DATA, or give its path."
)


def load_aalto(path: str | os.PathLike[str] | None = None) -> Strokes:
    """Load transcribed English sentences of the Aalto set [1]_, 15 of each user.

    Parameters
    ----------
    path : path, optional
        The file (.npz) with the flat arrays user, sentence, keycode, hold_ms and dd_ms (press to
        press). Default: ``aalto/aalto_1646users_15sentences.npz`` in the folder named by the
        environment variable HAWKEYS_DATA. There is no download.

    Returns
    -------
    Strokes
        One session per sentence; keys are key codes, such as "65" for A; press in seconds from the
        first press of the sentence. Strokes that end before they start are left out and counted in
        `tally`.

    Raises
    ------
    DatasetNotFoundError
        There is no such file; the message says where it was looked for.
    DatasetError
        An array is missing or of another length, or a press is before the one before it.

    Notes
    -----
    All sentences of a user are of one sitting: to enrol on some and test on others does not cross
    sessions. The set's own text files are read by ``read_key_events(path, format="aalto")``.

    References
    ----------
    .. [1] V. Dhakal, A. M. Feit, P. O. Kristensson and A. Oulasvirta, "Observations on typing from
       136 million keystrokes", CHI 2018, doi:10.1145/3173574.3174220.

    Examples
    --------
    >>> from hawkeys.datasets import load_aalto
    >>> load_aalto("nowhere.npz")
    Traceback (most recent call last):
    ...
    hawkeys.exceptions.DatasetNotFoundError: nowhere.npz: no such file. Check the path.
    """
    file = find_array_file(path, aalto_places(), "Aalto sentences", _ADVICE)
    columns = read_array_file(file, _COLUMNS, "the file of Aalto sentences")
    sizes = {name: array.shape for name, array in columns.items()}
    if len(set(sizes.values())) > 1 or columns["user"].ndim != 1 or not columns["user"].size:
        raise DatasetError(f"{file}: the arrays must be flat and of one length; got {sizes}.")
    return _chain(
        user=columns["user"].astype(np.str_),
        session=columns["sentence"].astype(np.int64),
        key=columns["keycode"].astype(np.str_),
        hold=columns["hold_ms"] / 1000.0,
        step=columns["dd_ms"] / 1000.0,
        source=str(file),
    )


def simulate_keyed_text(
    n_users: int = 12,
    *,
    n_sessions: int = 8,
    n_keys: int = 60,
    rng: RandomState = 0,
) -> Strokes:
    """Simulate people who type keyed text, so that nothing has to be downloaded.

    Every person has a pace, and holds of each key and lags of each pair of keys of their own, all
    log-normal around those of people in general; texts are drawn from the same letters for all.

    Parameters
    ----------
    n_users : int, default 12
        How many people.
    n_sessions : int, default 8
        Sessions of each.
    n_keys : int, default 60
        Keystrokes of each session.
    rng : int, numpy.random.Generator, numpy.random.SeedSequence or None, default 0
        Seed.

    Returns
    -------
    Strokes
        Users "simulated-00", "simulated-01", ...; they say nothing about people.

    Raises
    ------
    InvalidParameterError
        A count or the seed is not valid.

    Examples
    --------
    >>> from hawkeys.datasets import simulate_keyed_text
    >>> len(simulate_keyed_text(2, n_sessions=3, n_keys=10))
    60
    """
    check_count(n_users, "n_users")
    check_count(n_sessions, "n_sessions")
    check_count(n_keys, "n_keys", minimum=2)
    draws = as_generator(rng)
    letters = np.array(list("etaoinsrhl "))
    share = np.arange(letters.size, 0, -1) / np.arange(1, letters.size + 1).sum()
    size = n_users * n_sessions * n_keys
    code = draws.choice(letters.size, size, p=share)
    user = np.repeat(np.arange(n_users), n_sessions * n_keys)
    before = np.concatenate([[0], code[:-1]])
    pace = draws.normal(0.0, 0.2, n_users)
    hold_of = draws.normal(-2.4, 0.1, letters.size) + draws.normal(0, 0.2, (n_users, letters.size))
    lag_of = draws.normal(-1.8, 0.25, (letters.size,) * 2)
    own = draws.normal(0.0, 0.2, (n_users, letters.size, letters.size))
    lag = lag_of[before, code] + own[user, before, code] + pace[user]
    session = np.tile(np.repeat(np.arange(n_sessions), n_keys), n_users)
    step = np.exp(lag + draws.normal(0.0, 0.3, size))
    first = np.arange(size) % n_keys == 0
    return _chain(
        user=np.array([f"simulated-{k:02d}" for k in range(n_users)])[user],
        session=session,
        key=letters[code],
        hold=np.exp(hold_of[user, code] + draws.normal(0.0, 0.2, size)),
        step=np.where(first, 0.0, step),
        source="simulation",
    )


def aalto_places() -> list[Path]:
    """Return the places where the file of `load_aalto` is looked for, in order."""
    folder = os.environ.get("HAWKEYS_DATA")
    return [Path(folder).expanduser() / "aalto" / _AALTO] if folder else []


def _chain(
    *,
    user: np.ndarray,
    session: np.ndarray,
    key: np.ndarray,
    hold: FloatArray,
    step: FloatArray,
    source: str,
) -> Strokes:
    """Return strokes whose presses add up steps within each session; broken ones are left out."""
    for name, values in (("hold", hold), ("time from press to press", step)):
        for row in np.flatnonzero(~np.isfinite(values))[:1]:
            raise DatasetError(
                f"{source}: keystroke {row} has no finite {name}. Leave it out first, and add its "
                "time to that of the next keystroke."
            )
    group = group_numbers(user, session)
    new = np.concatenate([[True], np.diff(group) != 0])
    for row in np.flatnonzero(np.diff(group[new]) != 1)[:1]:
        raise DatasetError(
            f"{source}: session {session[new][row + 1]} of user {user[new][row + 1]} is "
            "interrupted by another one. Sort the keystrokes by user and session."
        )
    for row in np.flatnonzero((step < 0.0) & ~new)[:1]:
        raise DatasetError(
            f"{source}: keystroke {row} is pressed {-step[row]:g} s before the one before it. Sort "
            "each session by its presses."
        )
    press = _within(np.where(new, 0.0, step), np.flatnonzero(new))
    kept = hold >= 0.0
    return Strokes(
        user=user[kept],
        session=session[kept],
        key=key[kept],
        press=press[kept],
        release=(press + hold)[kept],
        repetition=None,
        tally=Tally({"paired": 2 * kept.sum(), "release before press": 2 * (~kept).sum()}),
    )


def _within(step: FloatArray, begin: IntArray) -> FloatArray:
    """Return sums within each session, each added up from its own 0, without rounding before."""
    length = np.diff(np.append(begin, step.size))
    out = np.concatenate([np.cumsum(part) for part in np.split(step, begin[1:])])
    return out[: length.sum()]
