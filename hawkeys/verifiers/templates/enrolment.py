"""Checks of typing samples before enrolment.

A verifier learns whatever it is given, so samples that are not one person's typing must be found
before. Shape, NaN, infinity, negative holds and DD = H + UD are checked by
`hawkeys.datasets.check_timings`. The rules here, by name:

too-few-samples
    Error below 5. Warning below 10: the spread of an interval is then known to 24 to 35 % (standard
    error 1 / sqrt(2 (n - 1)) of a normal sample), the threshold is the worst sample judged by the
    others, and of 12 typists of the CMU benchmark the default verifier rejected 9 to 11 % of later
    samples and accepted 24 to 37 % of the impostors'. Warning below 50, where fewer than 3 samples
    lie beyond a threshold at 5 %.
too-many-samples
    Error above 2,000 samples or 500,000 intervals, the most that a template holds.
wrong-unit
    Error for samples whose median hold exceeds 5 s, or with an interval of more than an hour: not
    seconds, or a broken clock. `verify` refuses such samples, too.
not-typed
    Error for samples of two keys or more with all holds or all press-to-press intervals below
    5 ms (pasted, or sent by a program), and for samples of four keys or more with all holds alike
    and all press-to-press intervals alike, to 0.1 ms (synthesised).
copies
    A sample equal to an earlier one in every interval. Error if the clock is fine, because nobody
    types the same text twice alike; warning if it is coarse (next rule).
coarse-clock
    Warning if intervals come in steps (ticks) of 5 ms or more, with jitter or without; see
    `hawkeys.datasets.clocks.clock_tick`. It adds an error with standard deviation tick / sqrt(6) to
    each interval.
constant-interval
    Warning for intervals that are the same in all samples: verifiers that divide by the spread
    reject every other value.
extreme-samples
    Warning for samples that last more than twice or less than half as long as the median sample,
    such as those with a long pause. They widen what is accepted.

Rules read the columns H and DD; UD follows from them. Rows are counted from 0.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys.datasets._tables.columns import is_called
from hawkeys.datasets.clocks import clock_tick
from hawkeys.datasets.keystrokes import Keystrokes
from hawkeys.datasets.timings import (
    LONGEST_HOLD,
    LONGEST_INTERVAL,
    check_timings,
    timing_columns,
    wrong_units,
)
from hawkeys.exceptions import EnrolmentError, EnrolmentWarning, InvalidTimingsError

__all__ = [
    "FEWEST_SAMPLES",
    "MOST_INTERVALS",
    "MOST_SAMPLES",
    "Finding",
    "check_enrolment",
    "column_names",
    "read_samples",
    "refuse_or_warn",
    "refuse_several_typists",
]

FEWEST_SAMPLES = 5
"""Samples that an enrolment needs."""

MOST_SAMPLES, MOST_INTERVALS = 2_000, 500_000
"""The most that a template holds."""

_SOME, _FEW = 10, 50
_FASTEST = 0.005
_COARSE = 0.005
# Clocks of browsers and files are rarely finer than 0.1 ms; smaller differences are rounding.
_ALIKE = 1e-4
_TOO_LONG, _TOO_SHORT = 2.0, 0.5
_SHOWN = 5


@dataclass(frozen=True)
class Finding:
    """What a check of typing samples found.

    Attributes
    ----------
    rule : str
        Name of the rule; see `hawkeys.verifiers.templates.enrolment`.
    is_error : bool
        Whether it prevents enrolment; if not, it is a warning.
    message : str
        What was found, what was expected, where, and what to do.
    rows : tuple of int
        Samples concerned, counted from 0; empty if all are.
    """

    rule: str
    is_error: bool
    message: str
    rows: tuple[int, ...] = ()


def read_samples(samples: ArrayLike | pd.DataFrame) -> tuple[FloatArray, tuple[str, ...] | None]:
    """Return a checked timing matrix, and the names of the keys if the samples have them.

    Parameters
    ----------
    samples : array_like or DataFrame, shape (n_samples, 3 K - 2)
        Intervals in seconds. A frame is read by the names of its columns (H.k1, DD.k1.k2, ...);
        other columns of it are ignored.

    Returns
    -------
    matrix : ndarray of float64, shape (n_samples, 3 K - 2)
        The intervals.
    keys : tuple of str, length K, or None
        Names of the keys of a frame.

    Raises
    ------
    InvalidTimingsError
        Samples of different lengths, or as `hawkeys.datasets.check_timings`.

    Examples
    --------
    >>> from hawkeys.verifiers.templates.enrolment import read_samples
    >>> read_samples([[0.1, 0.25, 0.15, 0.12]])
    (array([[0.1 , 0.25, 0.15, 0.12]]), None)
    """
    if isinstance(samples, pd.DataFrame):
        typed = Keystrokes.from_timings(samples, subject="typist")
        return typed.timings().to_numpy(), typed.keys
    _refuse_ragged(samples)
    return check_timings(samples), None


def refuse_several_typists(samples: Any) -> None:
    """Refuse a frame whose column of typists names more than one.

    Parameters
    ----------
    samples : object
        What is to be enrolled; only a DataFrame can have such a column (subject, user, ...).

    Raises
    ------
    EnrolmentError
        If there are two typists or more.

    Examples
    --------
    >>> import pandas as pd
    >>> from hawkeys.verifiers.templates.enrolment import refuse_several_typists
    >>> refuse_several_typists(pd.DataFrame({"subject": ["ann", "ann"], "H.a": [0.1, 0.2]}))
    """
    if not isinstance(samples, pd.DataFrame):
        return
    for column in samples.columns:
        names = samples[column].unique() if is_called(str(column), "user") else []
        if len(names) > 1:
            shown = ", ".join(str(name) for name in names[:_SHOWN])
            raise EnrolmentError(
                f"the column {column!r} names {len(names)} typists ({shown}); a template is of "
                "one. Pick the rows of one typist."
            )


def _refuse_ragged(samples: Any) -> None:
    if not isinstance(samples, list | tuple):
        return
    for row, sample in enumerate(samples):
        if np.size(sample) != np.size(samples[0]):
            raise InvalidTimingsError(
                f"sample {row} (counted from 0) has {np.size(sample)} intervals, the first has "
                f"{np.size(samples[0])}; all must be of the same text. Leave out samples with "
                "missing or additional keys."
            )


def column_names(keys: tuple[str, ...] | None, n_columns: int) -> list[str]:
    """Return names of the columns of a timing matrix, with key 1, key 2, ... for nameless keys.

    Parameters
    ----------
    keys : tuple of str, length K, or None
        Names of the keys.
    n_columns : int
        3 K - 2.

    Returns
    -------
    list of str, length 3 K - 2
        H.k1, DD.k1.k2, UD.k1.k2, H.k2, ...

    Examples
    --------
    >>> from hawkeys.verifiers.templates.enrolment import column_names
    >>> column_names(None, 4)
    ['H.key 1', 'DD.key 1.key 2', 'UD.key 1.key 2', 'H.key 2']
    """
    return timing_columns(keys or [f"key {k}" for k in range(1, (n_columns + 2) // 3 + 1)])


def check_enrolment(samples: FloatArray) -> tuple[Finding, ...]:
    """Look for signs that samples are not fit for enrolment.

    Parameters
    ----------
    samples : ndarray, shape (n_samples, 3 K - 2)
        A timing matrix that `hawkeys.datasets.check_timings` accepts, in seconds.

    Returns
    -------
    tuple of Finding
        In the order of the rules of `hawkeys.verifiers.templates.enrolment`; empty if all is well.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.verifiers.templates.enrolment import check_enrolment
    >>> [finding.rule for finding in check_enrolment(np.zeros((3, 4)))]
    ['too-few-samples', 'not-typed', 'copies', 'constant-interval']
    """
    amount = tuple(_check_amount(samples))
    if samples.shape[0] == 0:
        return amount
    checks = (_check_unit, _check_typed, _check_copies, _check_clock, _check_varied, _check_extreme)
    return amount + tuple(finding for check in checks for finding in check(samples))


def refuse_or_warn(findings: tuple[Finding, ...]) -> None:
    """Raise the errors among findings together, or else issue the warnings.

    Parameters
    ----------
    findings : tuple of Finding
        As `check_enrolment` returns them.

    Raises
    ------
    EnrolmentError
        If one finding or more is an error.

    Warns
    -----
    EnrolmentWarning
        One for each other finding.

    Examples
    --------
    >>> from hawkeys.verifiers.templates.enrolment import refuse_or_warn
    >>> refuse_or_warn(())
    """
    errors = [f"{finding.rule}: {finding.message}" for finding in findings if finding.is_error]
    if errors:
        raise EnrolmentError(" ".join(errors))
    for finding in findings:
        warnings.warn(f"{finding.rule}: {finding.message}", EnrolmentWarning, stacklevel=3)


def _check_amount(samples: FloatArray) -> Iterator[Finding]:
    n = samples.shape[0]
    if n < _FEW:
        reason = (
            "the spread of the typing is known badly and the threshold is the worst sample: expect "
            "1 in 10 of the typist's samples to be rejected and 1 in 3 of others' to be accepted"
            if n < _SOME
            else "less than 3 of them lie beyond a threshold at 5 % false alarms"
        )
        yield Finding(
            "too-few-samples",
            n < FEWEST_SAMPLES,
            f"{n} samples; at least {FEWEST_SAMPLES} are needed and {_FEW} or more advised, "
            f"because with fewer {reason}. Collect more samples.",
        )
    if n > MOST_SAMPLES or samples.size > MOST_INTERVALS:
        yield Finding(
            "too-many-samples",
            True,
            f"{n} samples, {samples.size} intervals; a template holds at most {MOST_SAMPLES} "
            f"samples and {MOST_INTERVALS} intervals. Keep the latest samples.",
        )


def _check_unit(samples: FloatArray) -> Iterator[Finding]:
    rows = wrong_units(samples)
    if rows.size:
        wrong = samples[rows]
        hold, longest = float(np.median(wrong[:, 0::3])), float(np.abs(wrong).max())
        yield Finding(
            "wrong-unit",
            True,
            f"{_samples(rows)} are not in seconds: the median hold is {hold:g} and the longest "
            f"interval {longest:g}; expected holds below {LONGEST_HOLD:g} and intervals below "
            f"{LONGEST_INTERVAL:g}. Convert milliseconds to seconds, or leave out the broken "
            "samples.",
            tuple(rows.tolist()),
        )


def _check_typed(samples: FloatArray) -> Iterator[Finding]:
    hold, interval = samples[:, 0::3], samples[:, 1::3]
    n_keys = hold.shape[1]
    if n_keys < 2:
        return
    bad = (hold < _FASTEST).all(axis=1) | (interval < _FASTEST).all(axis=1)
    if n_keys >= 4:
        bad |= (np.ptp(hold, axis=1) < _ALIKE) & (np.ptp(interval, axis=1) < _ALIKE)
    rows = np.flatnonzero(bad)
    if rows.size:
        yield Finding(
            "not-typed",
            True,
            f"{_samples(rows)} cannot have been typed: all holds or all intervals are below "
            f"{1000 * _FASTEST:g} ms, or all are alike, as in pasted or generated text. Leave out "
            "what was not typed key by key.",
            tuple(rows.tolist()),
        )


def _check_copies(samples: FloatArray) -> Iterator[Finding]:
    _, first = np.unique(samples, axis=0, return_index=True)
    rows = np.setdiff1d(np.arange(samples.shape[0]), first)
    if rows.size:
        yield Finding(
            "copies",
            clock_tick(samples) < _COARSE,
            f"{_samples(rows)} repeat an earlier sample in every interval, which typing does not "
            "(unless the clock is coarse). A copy makes the typist look steadier than true. Leave "
            "out the copies.",
            tuple(rows.tolist()),
        )


def _check_clock(samples: FloatArray) -> Iterator[Finding]:
    tick = clock_tick(samples)
    if tick >= _COARSE:
        yield Finding(
            "coarse-clock",
            False,
            f"the intervals come in steps of about {1000 * tick:.1f} ms (the clock's tick), which "
            f"adds an error of {1000 * tick / np.sqrt(6):.1f} ms to each; below "
            f"{1000 * _COARSE:g} ms is expected. More impostors will be accepted; record with a "
            "finer clock.",
        )


def _check_varied(samples: FloatArray) -> Iterator[Finding]:
    fixed = np.ptp(samples, axis=0) == 0
    fixed[2::3] = False
    if fixed.any() and samples.shape[0] > 1:
        names = np.array(column_names(None, samples.shape[1]))[fixed]
        yield Finding(
            "constant-interval",
            False,
            f"{_listed(names)} never varied; a verifier that divides by the spread will reject any "
            "other value. Check how these intervals were recorded.",
        )


def _check_extreme(samples: FloatArray) -> Iterator[Finding]:
    duration = samples[:, 1::3].sum(axis=1) + samples[:, -1]
    middle = float(np.median(duration))
    rows = np.flatnonzero((duration > _TOO_LONG * middle) | (duration < _TOO_SHORT * middle))
    if rows.size:
        times = dict.fromkeys(f"{f(duration[rows]):.2f} s" for f in (np.min, np.max))
        yield Finding(
            "extreme-samples",
            False,
            f"{_samples(rows)} took {' to '.join(times)}; expected "
            f"{_TOO_SHORT:g} to {_TOO_LONG:g} times the median, {middle:.2f} s. Leave out samples "
            "in which the typist was interrupted.",
            tuple(rows.tolist()),
        )


def _samples(rows: IntArray) -> str:
    name = "row" if rows.size == 1 else "rows"
    return f"{rows.size} of the samples ({name} {_listed(rows)} of them, counted from 0)"


def _listed(names: np.ndarray) -> str:
    rest = f" and {names.size - _SHOWN} more" if names.size > _SHOWN else ""
    return ", ".join(str(name) for name in names[:_SHOWN]) + rest
