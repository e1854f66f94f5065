"""The timing matrix: its columns, its checks, and its conversion to key times and events.

A sample of a fixed text of K keys is a row of 3 K - 2 intervals in seconds, in the order of the
CMU keystroke benchmark [1]_: H.k1, DD.k1.k2, UD.k1.k2, H.k2, ..., H.kK. With p and r the press and
release times of a key,

    H_i = r_i - p_i,    DD_i = p_(i+1) - p_i,    UD_i = p_(i+1) - r_i,    so DD_i = H_i + UD_i.

A hold H is never negative, nor is DD (keys are listed in the order of their presses). UD is
negative under rollover, where a key goes down before the one before it comes up.

References
----------
.. [1] K. S. Killourhy and R. A. Maxion, "Comparing anomaly-detection algorithms for keystroke
   dynamics", DSN 2009, doi:10.1109/DSN.2009.5270346.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import numpy as np

from hawkeys._typing import ArrayLike, BoolArray, FloatArray, IntArray
from hawkeys._validation import check_choice
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError, InvalidTimingsError

__all__ = [
    "LONGEST_HOLD",
    "LONGEST_INTERVAL",
    "TOLERANCE",
    "check_keys",
    "check_timings",
    "check_unit",
    "join_timings",
    "press_release",
    "split_timings",
    "timing_columns",
    "timings_to_events",
    "wrong_units",
]

# DD = H + UD may be off by this many seconds: three numbers, each rounded to the millisecond,
# disagree by up to 1.5 ms. (The relative part is the rounding of float32.)
TOLERANCE = 2e-3
_RELATIVE_TOLERANCE = 1e-6
# Half of the holds of a sample longer than this, or one interval longer than that, in seconds: the
# unit is another one, or the clock was broken.
LONGEST_HOLD, LONGEST_INTERVAL = 5.0, 3600.0
# Key times are kept to the nanosecond, so that two events which the record puts at the same
# instant stay simultaneous although their times are different sums of floats.
_DECIMALS = 9


def timing_columns(keys: Iterable[str]) -> list[str]:
    """Return the names of the columns of the timing matrix of a text.

    Parameters
    ----------
    keys : iterable of str, length K
        Names of the keys in the order in which they are pressed, all different.

    Returns
    -------
    list of str, length 3 K - 2
        H.k1, DD.k1.k2, UD.k1.k2, H.k2, ..., H.kK.

    Raises
    ------
    InvalidParameterError
        No key, an empty name or a name used twice.

    Examples
    --------
    >>> from hawkeys.datasets import timing_columns
    >>> timing_columns(["a", "b"])
    ['H.a', 'DD.a.b', 'UD.a.b', 'H.b']
    """
    names = check_keys(keys)
    columns = [f"H.{names[0]}"]
    for before, after in pairwise(names):
        columns += [f"DD.{before}.{after}", f"UD.{before}.{after}", f"H.{after}"]
    return columns


def check_timings(X: ArrayLike, *, keys: Iterable[str] | None = None) -> FloatArray:
    """Return a timing matrix as a new float64 array, or refuse it.

    Parameters
    ----------
    X : array_like, shape (n_samples, 3 K - 2)
        Intervals in seconds, K >= 1.
    keys : iterable of str, length K, optional
        Names of the keys, for the messages. Default: "key1", "key2", ...

    Returns
    -------
    ndarray of float64, shape (n_samples, 3 K - 2)
        The checked matrix.

    Raises
    ------
    InvalidTimingsError
        Not a matrix of numbers of such a width; NaN, infinite; a negative H or DD; DD further than
        2 ms from H + UD. The message names row (counted from 0), column and value.
    InvalidParameterError
        Not K different names of keys.

    Examples
    --------
    >>> from hawkeys.datasets import check_timings
    >>> check_timings([[0.1, 0.25, 0.15, 0.12]]).shape
    (1, 4)
    """
    matrix = _as_matrix(X)
    n_keys = (matrix.shape[1] + 2) // 3
    columns = timing_columns(default_keys(n_keys) if keys is None else check_keys(keys, n_keys))
    _refuse(~np.isfinite(matrix), matrix, columns, "every interval must be finite.")
    negative = matrix < 0
    negative[:, 2::3] = False
    _refuse(negative, matrix, columns, "H and DD must not be negative: list keys as pressed.")
    hold, down_down, up_down = matrix[:, 0::3], matrix[:, 1::3], matrix[:, 2::3]
    slack = TOLERANCE + _RELATIVE_TOLERANCE * down_down
    wrong = np.zeros(matrix.shape, dtype=bool)
    wrong[:, 1::3] = np.abs(down_down - hold[:, :-1] - up_down) > slack
    rule = (
        f"DD must equal H + UD within {TOLERANCE:g} s. Check the order of the columns (H, DD, UD, "
        "H, ...) and that the unit is seconds."
    )
    _refuse(wrong, matrix, columns, rule)
    return matrix


def wrong_units(samples: FloatArray) -> IntArray:
    """Return the rows of a checked timing matrix that cannot be in seconds, counted from 0."""
    slow = np.median(samples[:, 0::3], axis=1) > LONGEST_HOLD
    return np.flatnonzero(slow | (np.abs(samples).max(axis=1, initial=0.0) > LONGEST_INTERVAL))


def check_unit(samples: FloatArray) -> None:
    """Refuse a checked timing matrix with samples that cannot be in seconds.

    Raises `InvalidTimingsError`.
    """
    rows = wrong_units(samples)
    for row in rows[:1]:
        hold, longest = np.median(samples[row, 0::3]), np.abs(samples[row]).max()
        others = f" (and {rows.size - 1} more)" if rows.size > 1 else ""
        raise InvalidTimingsError(
            f"timing matrix, row {row}{others}: the median hold is {hold:g} and the longest "
            f"interval {longest:g}; expected seconds, with holds below {LONGEST_HOLD:g} and "
            f"intervals below {LONGEST_INTERVAL:g}. Convert milliseconds to seconds, or leave out "
            "the broken samples."
        )


def split_timings(X: ArrayLike) -> tuple[FloatArray, FloatArray, FloatArray]:
    """Split a timing matrix into holds, press-to-press and release-to-press intervals.

    Parameters
    ----------
    X : array_like, shape (n_samples, 3 K - 2)
        Intervals in seconds, as `check_timings` accepts them.

    Returns
    -------
    hold : ndarray, shape (n_samples, K)
        H, in seconds.
    down_down, up_down : ndarray, shape (n_samples, K - 1)
        DD and UD, in seconds.

    Raises
    ------
    InvalidTimingsError
        As `check_timings`.

    Examples
    --------
    >>> from hawkeys.datasets import split_timings
    >>> hold, down_down, up_down = split_timings([[0.1, 0.25, 0.15, 0.12]])
    >>> hold
    array([[0.1 , 0.12]])
    """
    matrix = check_timings(X)
    return matrix[:, 0::3].copy(), matrix[:, 1::3].copy(), matrix[:, 2::3].copy()


def press_release(X: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """Return the press and release times of every key of a timing matrix.

    p_1 = 0, p_(i+1) = p_i + DD_i and r_i = p_i + H_i, kept to the nanosecond. UD is not used: it
    follows from the two others.

    Parameters
    ----------
    X : array_like, shape (n_samples, 3 K - 2)
        Intervals in seconds, as `check_timings` accepts them.

    Returns
    -------
    press, release : ndarray, shape (n_samples, K)
        Seconds since the first press.

    Raises
    ------
    InvalidTimingsError
        As `check_timings`.

    Examples
    --------
    >>> from hawkeys.datasets import press_release
    >>> press, release = press_release([[0.1, 0.25, 0.15, 0.12]])
    >>> press, release
    (array([[0.  , 0.25]]), array([[0.1 , 0.37]]))
    """
    hold, down_down, _ = split_timings(X)
    press = np.zeros_like(hold)
    np.cumsum(down_down, axis=1, out=press[:, 1:])
    return np.round(press, _DECIMALS), np.round(press + hold, _DECIMALS)


def join_timings(press: ArrayLike, release: ArrayLike) -> FloatArray:
    """Return the timing matrix of press and release times: the inverse of `press_release`.

    Parameters
    ----------
    press, release : array_like, shape (n_samples, K)
        Seconds, from any origin.

    Returns
    -------
    ndarray of float64, shape (n_samples, 3 K - 2)
        Intervals in seconds.

    Raises
    ------
    InvalidTimingsError
        Shapes that differ, or times that give no valid timing matrix (see `check_timings`).

    Examples
    --------
    >>> from hawkeys.datasets import join_timings
    >>> join_timings([[0.0, 0.25]], [[0.125, 0.375]])
    array([[0.125, 0.25 , 0.125, 0.125]])
    """
    down, up = np.asarray(press, dtype=np.float64), np.asarray(release, dtype=np.float64)
    if down.ndim != 2 or down.shape != up.shape or down.shape[1] == 0:
        raise InvalidTimingsError(
            "press and release must be matrices of one shape (n_samples, K), K >= 1; got "
            f"{down.shape} and {up.shape}."
        )
    matrix = np.empty((down.shape[0], 3 * down.shape[1] - 2))
    matrix[:, 0::3] = up - down
    matrix[:, 1::3] = np.diff(down, axis=1)
    matrix[:, 2::3] = down[:, 1:] - up[:, :-1]
    return check_timings(matrix)


def timings_to_events(
    X: ArrayLike, *, marks: str = "keys", keys: Sequence[str] | None = None
) -> Events:
    """Return one realisation per sample with the press and release of every key as events.

    Time starts at the first press (0) and the window ends at the last event, which is where the
    recording of a fixed text ends.

    Parameters
    ----------
    X : array_like, shape (n_samples, 3 K - 2)
        Intervals in seconds, as `check_timings` accepts them.
    marks : {"keys", "actions"}, default "keys"
        "keys": mark i is key i, its press and its release are two events of that mark (D = K).
        "actions": mark 2 i is the press and mark 2 i + 1 the release of key i (D = 2 K).
    keys : sequence of str, length K, optional
        Names of the keys. Default: "key1", "key2", ...

    Returns
    -------
    Events
        2 K events per realisation; simultaneous events are ordered by mark, press first.

    Raises
    ------
    InvalidTimingsError
        As `check_timings`, or no sample.
    InvalidParameterError
        An unknown kind of marks, or not K different names.

    Notes
    -----
    O(n_samples K log K) time and memory for a few copies of the data.

    Examples
    --------
    >>> from hawkeys.datasets import timings_to_events
    >>> events = timings_to_events([[0.1, 0.25, 0.15, 0.12]], keys=["a", "b"])
    >>> events.times, events.marks
    (array([0.  , 0.1 , 0.25, 0.37]), array([0, 0, 1, 1]))
    """
    return key_events(*press_release(X), marks=marks, keys=keys)


def key_events(
    press: FloatArray, release: FloatArray, *, marks: str, keys: Sequence[str] | None
) -> Events:
    """Return the events of checked press and release times (n_samples, K) that start at 0.

    Raises `InvalidTimingsError` if there is no sample.
    """
    check_choice(marks, "marks", ("keys", "actions"))
    n_samples, n_keys = press.shape
    if n_samples == 0:
        raise InvalidTimingsError("there is no sample to turn into events.")
    names = check_keys(keys, n_keys) if keys is not None else default_keys(n_keys)
    times = np.stack([press, release], axis=2).reshape(n_samples, 2 * n_keys)
    order = np.argsort(times, axis=1, kind="stable")
    times = np.take_along_axis(times, order, axis=1)
    return Events.from_arrays(
        times.ravel(),
        _mark_of(order, marks).ravel(),
        offsets=np.arange(n_samples + 1) * 2 * n_keys,
        end_times=times[:, -1],
        mark_names=_mark_names(names, marks),
    )


def default_keys(n_keys: int) -> tuple[str, ...]:
    """Return names for keys that have none."""
    return tuple(f"key{i + 1}" for i in range(n_keys))


def check_keys(keys: Iterable[str], n_keys: int | None = None) -> tuple[str, ...]:
    """Return the names of the keys; empty, repeated or too few names raise.

    Raises `InvalidParameterError`.
    """
    names = tuple(str(key) for key in keys)
    repeated = sorted({name for name in names if names.count(name) > 1})
    if not names or "" in names or repeated:
        raise InvalidParameterError(
            f"keys must be one or more different names; got {names}. Number repeated keys: 's', "
            "'s2'."
        )
    if n_keys is not None and len(names) != n_keys:
        raise InvalidParameterError(
            f"keys must name all {n_keys} keys of the text (the timing matrix has 3 K - 2 = "
            f"{3 * n_keys - 2} columns); got {len(names)}: {names}."
        )
    return names


def _as_matrix(X: ArrayLike) -> FloatArray:
    try:
        matrix = np.array(X, dtype=np.float64, order="C")
    except (TypeError, ValueError) as error:
        raise InvalidTimingsError(
            f"a timing matrix must hold numbers only; {error}. Drop the columns that are not "
            "timings."
        ) from error
    if matrix.ndim != 2 or matrix.shape[1] % 3 != 1:
        raise InvalidTimingsError(
            "a timing matrix must have shape (n_samples, 3 K - 2) for a text of K keys (H, DD, UD, "
            f"H, ...); got shape {matrix.shape}."
        )
    return matrix


def _refuse(bad: BoolArray, matrix: FloatArray, columns: Sequence[str], rule: str) -> None:
    for row, column in np.argwhere(bad)[:1]:
        raise InvalidTimingsError(
            f"timing matrix, row {row}: {columns[column]} is {matrix[row, column]:g}; {rule}"
        )


def _mark_of(position: IntArray, marks: str) -> IntArray:
    """Return the mark of event `position` of a sample, counted press, release, press, ..."""
    return position // 2 if marks == "keys" else position


def _mark_names(keys: Sequence[str], marks: str) -> list[str]:
    if marks == "keys":
        return list(keys)
    return [f"{action} {key}" for key in keys for action in ("press", "release")]
