"""`Keystrokes`: repetitions of one fixed text by one or many typists."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys.datasets._units import check_usual_unit, in_seconds
from hawkeys.datasets.provenance import Provenance, sha256_of
from hawkeys.datasets.tally import Tally
from hawkeys.datasets.timings import (
    check_keys,
    default_keys,
    key_events,
    press_release,
    timing_columns,
)
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError, InvalidTimingsError

__all__ = ["Keystrokes"]


@dataclass(frozen=True, eq=False, repr=False, slots=True)
class Keystrokes:
    """Samples of typing of one fixed text: who, when, and every press and release.

    Build it with `from_timings` or `from_press_release`, which check the data. The arrays are
    read-only. ``keystrokes[rows]`` picks samples by a boolean mask, indices, a slice or an integer.

    Attributes
    ----------
    subject : ndarray of str, shape (n_samples,)
        The typist.
    session, repetition : ndarray of int64, shape (n_samples,)
        Sitting, and repetition of the text within it, as numbered in the source.
    keys : tuple of str, length K
        Names of the keys in the order in which they are pressed.
    press, release : ndarray of float64, shape (n_samples, K)
        Seconds since the first press of the sample.
    impostor : ndarray of str, shape (n_samples,)
        Who typed the sample if it was not `subject` but somebody at the subject's text: a labelled
        impostor, by name or as "impostor". Empty text for genuine samples.
    origin : Provenance or None
        Where the samples come from, set by the functions that load a data set.
    tally : Tally
        What became of every stroke, set by `to_keystrokes`; empty otherwise, and after picking.

    Examples
    --------
    >>> from hawkeys.datasets import Keystrokes
    >>> typed = Keystrokes.from_timings(
    ...     [[0.1, 0.25, 0.15, 0.12], [0.11, 0.2, 0.09, 0.1]], subject="ann", keys=["a", "b"]
    ... )
    >>> typed
    Keystrokes: 2 samples of 2 keys (a b)
      1 subject (ann), 1 session, 2 repetitions each
    >>> typed[typed.repetition == 2].release
    array([[0.11, 0.3 ]])
    """

    subject: np.ndarray
    session: IntArray
    repetition: IntArray
    keys: tuple[str, ...]
    press: FloatArray
    release: FloatArray
    # The intervals as given: sums of them, taken back apart, would differ in the last bits.
    _intervals: FloatArray
    impostor: np.ndarray
    origin: Provenance | None = None
    tally: Tally = field(default_factory=Tally)

    def __post_init__(self) -> None:
        labels = (self.subject, self.session, self.repetition, self.impostor)
        for array in (*labels, self.press, self.release, self._intervals):
            array.flags.writeable = False

    @classmethod
    def from_timings(
        cls,
        X: ArrayLike | pd.DataFrame,
        *,
        subject: ArrayLike,
        session: ArrayLike = 1,
        repetition: ArrayLike | None = None,
        keys: Sequence[str] | None = None,
        time_unit: str = "s",
        impostor: ArrayLike = "",
    ) -> Keystrokes:
        """Build from a timing matrix.

        Parameters
        ----------
        X : array_like or DataFrame, shape (n_samples, 3 K - 2)
            Intervals in seconds in the order H, DD, UD, H, ... A frame is read by the names of
            its columns (H.k1, DD.k1.k2, ...) and may have further columns, which are ignored.
        subject : str or array_like, shape (n_samples,)
            The typist of each sample; one name serves all.
        session : int or array_like of int, shape (n_samples,), default 1
            Sitting of each sample.
        repetition : int or array_like of int, shape (n_samples,), optional
            Repetition within the sitting. Default: 1, 2, ... in the order of the rows.
        keys : sequence of str, length K, optional
            Names of the keys. Default: those in the names of the columns, or "key1", "key2", ...
        time_unit : {"s", "ms", "us", "ns", "100ns"}, default "s"
            Unit of X.
        impostor : str, bool or array_like, shape (n_samples,), default ""
            Which samples were typed by somebody else at the text of `subject`: True or a name, and
            False or empty text for genuine samples.

        Returns
        -------
        Keystrokes
            Read-only copy of the data, in seconds.

        Raises
        ------
        InvalidTimingsError
            Broken timing matrix (see `check_timings`), a column missing, or a typist whose
            intervals are hardly in that unit: half of the holds longer than 5 s, or the median
            interval from press to press longer than 1 min or below 0.5 ms.
        InvalidParameterError
            Labels that are not one per sample or not whole numbers, or wrong keys.

        Examples
        --------
        >>> from hawkeys.datasets import Keystrokes
        >>> Keystrokes.from_timings([[0.1, 0.25, 0.15, 0.12]], subject="ann").keys
        ('key1', 'key2')
        """
        if isinstance(X, pd.DataFrame):
            X, keys = _read_frame(X, keys)
        matrix = in_seconds(X, time_unit, keys=keys)
        n_samples, n_keys = matrix.shape[0], (matrix.shape[1] + 2) // 3
        names = default_keys(n_keys) if keys is None else check_keys(keys, n_keys)
        who = _names_of(subject, n_samples)
        for name in np.unique(who):
            check_usual_unit(matrix[who == name], f"timing matrix, subject {str(name)!r}:")
        sitting = _numbers_of(session, "session", n_samples)
        if repetition is None:
            groups = pd.DataFrame({"subject": who, "session": sitting}).groupby(
                ["subject", "session"]
            )
            repetition = groups.cumcount().to_numpy() + 1
        count = _numbers_of(repetition, "repetition", n_samples)
        press, release = press_release(matrix)
        other = _impostors_of(impostor, n_samples)
        return cls(who, sitting, count, names, press, release, matrix, other)

    @classmethod
    def from_press_release(cls, press: ArrayLike, release: ArrayLike, **labels: Any) -> Keystrokes:
        """Build from press and release times.

        Parameters
        ----------
        press, release : array_like, shape (n_samples, K)
            Times from any origin, in seconds or in `time_unit`, or dates (datetime64); only
            differences within a sample are kept.
        **labels
            `subject`, `session`, `repetition`, `keys`, `time_unit` and `impostor`, as in
            `from_timings`.

        Returns
        -------
        Keystrokes
            Read-only copy of the data, each sample starting at 0.

        Raises
        ------
        InvalidTimingsError
            Shapes that differ, a key released before its press, presses out of order, or half of
            the holds longer than 5 s.
        InvalidParameterError
            As `from_timings`.

        Examples
        --------
        >>> from hawkeys.datasets import Keystrokes
        >>> Keystrokes.from_press_release([[7.0, 7.25]], [[7.125, 7.5]], subject="ann").release
        array([[0.125, 0.5  ]])
        """
        unit = labels.pop("time_unit", "s")
        return cls.from_timings(in_seconds(press, unit, release=release), **labels)

    @property
    def subjects(self) -> tuple[str, ...]:
        """The typists, in the order in which they first appear."""
        return tuple(dict.fromkeys(self.subject.tolist()))

    @property
    def provenance(self) -> dict[str, str]:
        """Where the samples come from, as text for a report; empty if it is not known."""
        return {} if self.origin is None else self.origin.to_dict()

    def timings(self) -> pd.DataFrame:
        """Return the timing matrix, exactly as it was given.

        Returns
        -------
        pandas.DataFrame, shape (n_samples, 3 K - 2)
            Seconds; columns H.k1, DD.k1.k2, UD.k1.k2, H.k2, ... (see `timing_columns`).

        Examples
        --------
        >>> from hawkeys.datasets import Keystrokes
        >>> Keystrokes.from_timings([[0.1, 0.25, 0.15, 0.12]], subject="ann").timings()
           H.key1  DD.key1.key2  UD.key1.key2  H.key2
        0     0.1          0.25          0.15    0.12
        """
        return pd.DataFrame(self._intervals.copy(), columns=timing_columns(self.keys))

    def to_events(self, *, marks: str = "keys") -> Events:
        """Return one realisation per sample, on the window from 0 to its last event.

        Parameters
        ----------
        marks : {"keys", "actions"}, default "keys"
            "keys": the press and the release of a key are two events of one mark (D = K).
            "actions": they are events of two marks, "press k" and "release k" (D = 2 K).

        Returns
        -------
        Events
            Times in seconds since the first press.

        Raises
        ------
        InvalidParameterError
            An unknown kind of marks.
        InvalidTimingsError
            No sample.

        Examples
        --------
        >>> from hawkeys.datasets import Keystrokes
        >>> typed = Keystrokes.from_timings([[0.1, 0.25, 0.15, 0.12]], subject="ann", keys="ab")
        >>> typed.to_events(marks="actions").mark_names
        ('press a', 'release a', 'press b', 'release b')
        """
        return key_events(self.press, self.release, marks=marks, keys=self.keys)

    def __getitem__(self, rows: int | slice | ArrayLike) -> Keystrokes:
        """Return the samples picked by a boolean mask, indices, a slice or an integer."""
        picked = pick_rows(rows, len(self))
        return Keystrokes(
            subject=self.subject[picked],
            session=self.session[picked],
            repetition=self.repetition[picked],
            keys=self.keys,
            press=self.press[picked],
            release=self.release[picked],
            _intervals=self._intervals[picked],
            impostor=self.impostor[picked],
            origin=self.origin,
        )

    def __len__(self) -> int:
        return self.subject.size

    def __repr__(self) -> str:
        repetitions = np.unique(self.subject, return_counts=True)[1]
        sessions = np.unique(self.session).size
        simulated = ", SIMULATED" if self.origin is not None and self.origin.simulated else ""
        return (
            f"Keystrokes: {_count(len(self), 'sample')} of {_count(len(self.keys), 'key')} "
            f"({_shorten(self.keys)})\n"
            f"  {_count(len(self.subjects), 'subject')} ({_shorten(self.subjects)}), "
            f"{_count(sessions, 'session')}, {_span(repetitions)} each{simulated}"
        )


def with_origin(
    keystrokes: Keystrokes,
    name: str,
    source: str,
    *,
    content: bytes,
    notice: str = "",
    tally: Tally | None = None,
) -> tuple[Keystrokes, Provenance]:
    """Return the samples of a data set with the record of where they come from, and the record."""
    origin = Provenance(
        name=name,
        source=source,
        sha256=sha256_of(content),
        n_samples=len(keystrokes),
        n_subjects=len(keystrokes.subjects),
        simulated=name == "demo",
        notice=notice,
    )
    return replace(keystrokes, origin=origin, tally=tally or keystrokes.tally), origin


def _read_frame(
    frame: pd.DataFrame, keys: Sequence[str] | None
) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Return the timing columns of a frame and the keys they name."""
    found = [str(column)[2:] for column in frame.columns if str(column).startswith("H.")]
    if keys is None and not found:
        raise InvalidTimingsError(
            "the frame has no column named H.<key>; name the columns as timing_columns(keys) "
            "does, or pass an array."
        )
    names = check_keys(found if keys is None else keys)
    columns = timing_columns(names)
    missing = [column for column in columns if column not in frame.columns]
    if missing:
        raise InvalidTimingsError(
            f"the frame has no column {missing[0]!r} ({len(missing)} of {len(columns)} timing "
            "columns missing). Expected H.k1, DD.k1.k2, UD.k1.k2, H.k2, ..."
        )
    return frame[columns], names


def _names_of(subject: ArrayLike, n_samples: int) -> np.ndarray:
    """Return one name per sample."""
    return _one_each(np.asarray(subject), "subject", n_samples).astype(np.str_)


def _impostors_of(impostor: ArrayLike, n_samples: int) -> np.ndarray:
    """Return one name per sample, empty where it is genuine."""
    given = np.asarray(impostor)
    if given.dtype.kind not in "bU":
        raise InvalidParameterError(
            "impostor must be True or False, or a name or empty text, one per sample; got type "
            f"{given.dtype}."
        )
    labels = np.where(given, "impostor", "") if given.dtype.kind == "b" else given
    return _one_each(labels, "impostor", n_samples).astype(np.str_)


def _numbers_of(value: ArrayLike, name: str, n_samples: int) -> IntArray:
    """Return one whole number per sample."""
    array = np.asarray(value)
    if array.dtype.kind not in "iu":
        raise InvalidParameterError(
            f"{name} must be whole numbers, one per sample; got type {array.dtype}."
        )
    return _one_each(array, name, n_samples).astype(np.int64)


def _one_each(array: np.ndarray, name: str, n_samples: int) -> np.ndarray:
    if array.ndim == 0:
        return np.full(n_samples, array[()])
    if array.shape != (n_samples,):
        raise InvalidParameterError(
            f"{name} must be one value or one per sample ({n_samples}); got shape {array.shape}."
        )
    return array


def pick_rows(rows: int | slice | ArrayLike, n_samples: int) -> IntArray:
    """Return the row numbers that an index stands for.

    Raises `InvalidParameterError`.
    """
    index = rows if isinstance(rows, slice) else np.asarray(rows)
    if isinstance(index, np.ndarray):
        if index.size == 0 and index.dtype.kind != "b":
            index = index.astype(np.int64)
        if index.ndim > 1 or index.dtype.kind not in "biu":
            raise InvalidParameterError(
                "samples are picked by a boolean mask, integers or a slice; got an index of type "
                f"{index.dtype}, shape {index.shape}."
            )
        if index.dtype.kind == "b" and index.shape != (n_samples,):
            raise InvalidParameterError(
                f"a mask must have one entry per sample ({n_samples}); got shape {index.shape}."
            )
    return np.atleast_1d(np.arange(n_samples)[index])


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def _span(counts: np.ndarray) -> str:
    """Describe repetitions per subject: one number if all agree."""
    low, high = counts.min(initial=10**9), counts.max(initial=0)
    return _count(int(high), "repetition") if low >= high else f"{low} to {high} repetitions"


def _shorten(names: Sequence[str], limit: int = 12) -> str:
    return " ".join(names if len(names) <= limit else [*names[: limit - 2], "...", names[-1]])
