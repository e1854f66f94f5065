"""What verifiers of free text read: strokes in recordings, checked, with the lags between them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.datasets.key_events.strokes import Strokes
from hawkeys.exceptions import InvalidParameterError, InvalidTimingsError
from hawkeys.verifiers.free_text._key_classes import class_pairs, classes_of

__all__ = ["EDGES", "Edge", "Lags", "Recordings", "as_recordings", "find_sorted", "pair_numbers"]

_COLUMNS = ("key", "press", "release")


class Edge(NamedTuple):
    """A kind of excitation: from the press or release of a key to that of a later one.

    Attributes
    ----------
    name : str
        Its name.
    target, source : {"press", "release"}
        Which event of the keystroke is excited, and which excites.
    back : int
        How many keystrokes the source lies before the target; 0 is the same keystroke.
    """

    name: str
    target: str
    source: str
    back: int


EDGES = {
    edge.name: edge
    for edge in (
        Edge("press-press", "press", "press", 1),
        Edge("release-press", "press", "release", 1),
        Edge("press-press-2", "press", "press", 2),
        Edge("press-release", "release", "press", 0),
        Edge("release-release", "release", "release", 1),
    )
}
"""The kinds of excitation, by name."""


@dataclass(frozen=True, eq=False)
class Lags:
    """Times since the source of one edge, for the keystrokes whose source lies in the recording.

    Attributes
    ----------
    rows : ndarray of int64, shape (n_lags,)
        The target keystrokes.
    lag : ndarray of float64, shape (n_lags,)
        Seconds; zero or negative where the source did not come before the target.
    first, second : ndarray of int64, shape (n_lags,)
        Source and target key, places in `Recordings.names`.
    classes : ndarray of int64, shape (n_lags,)
        Pair of key classes.
    """

    rows: IntArray
    lag: FloatArray
    first: IntArray
    second: IntArray
    classes: IntArray

    def forward(self, width: float = 0.0) -> Lags:
        """Return the lags above zero: simultaneous and later events excite nothing.

        Of a clock with ticks of some width zero is a reading, too: anything up to half a tick.
        """
        return self.pick(self.lag >= 0.0 if width > 0.0 else self.lag > 0.0)

    def pick(self, wanted: BoolArray) -> Lags:
        """Return the wanted lags."""
        return Lags(
            self.rows[wanted],
            self.lag[wanted],
            self.first[wanted],
            self.second[wanted],
            self.classes[wanted],
        )


@dataclass(frozen=True, eq=False)
class Recordings:
    """Keystrokes of one or more recordings, each in the order of its presses.

    Attributes
    ----------
    names : tuple of str
        Distinct keys.
    key : ndarray of int64, shape (n_strokes,)
        Places in `names`.
    press, release : ndarray of float64, shape (n_strokes,)
        Seconds.
    number : ndarray of int64, shape (n_strokes,)
        Recording of each keystroke, 0, 1, ...; a recording's keystrokes follow each other.
    """

    names: tuple[str, ...]
    key: IntArray
    press: FloatArray
    release: FloatArray
    number: IntArray

    def __len__(self) -> int:
        return self.key.size

    @property
    def n_recordings(self) -> int:
        """How many there are."""
        return int(self.number[-1]) + 1

    @cached_property
    def place(self) -> IntArray:
        """Place of each keystroke in its recording, counted from 0."""
        begins = np.flatnonzero(np.diff(self.number, prepend=-1))
        return np.arange(len(self)) - begins[self.number]

    @cached_property
    def classes(self) -> IntArray:
        """Class of each of the `names`."""
        return classes_of(self.names)

    @cached_property
    def _lags(self) -> dict[str, Lags]:
        return {name: self._find_lags(edge) for name, edge in EDGES.items()}

    def lags(self, edge: str) -> Lags:
        """Return the lags of one edge, by its name."""
        return self._lags[edge]

    def _find_lags(self, edge: Edge) -> Lags:
        times = {"press": self.press, "release": self.release}
        rows = np.flatnonzero(self.place >= edge.back)
        sources = rows - edge.back
        first, second = self.key[sources], self.key[rows]
        same = (first == second) & (edge.back > 0)
        return Lags(
            rows,
            times[edge.target][rows] - times[edge.source][sources],
            first,
            second,
            class_pairs(self.classes[first], self.classes[second], same),
        )


def as_recordings(strokes: Any, name: str = "strokes") -> Recordings:
    """Check keystrokes and return them as recordings.

    Parameters
    ----------
    strokes : Strokes, DataFrame or mapping
        Keystrokes; a frame or mapping has columns key, press and release (seconds) and, if there is
        more than one recording, recording.
    name : str
        The argument, for messages.

    Returns
    -------
    Recordings
        In the order given.

    Raises
    ------
    InvalidParameterError
        If it is nothing of the kind, lacks a column, or its columns differ in length.
    InvalidTimingsError
        If there is no recording, one has fewer than two keystrokes or is interrupted by another,
        times are not finite, presses are not in order, or a release is before its press.
    """
    if isinstance(strokes, Recordings):
        return strokes
    key, press, release, number = _columns(strokes, name)
    names, codes = np.unique(key, return_inverse=True)
    found = Recordings(tuple(names.tolist()), codes.astype(np.int64), press, release, number)
    _check_times(found, name)
    _check_recordings(found, name)
    return found


def pair_numbers(lags: Lags, names: tuple[str, ...], known: tuple[str, ...]) -> IntArray:
    """Return the number of each lag's pair among known keys, -1 if one of the two is not known.

    It is the place of the source key times the number of known keys, plus that of the target.
    """
    places = {name: place for place, name in enumerate(known)}
    own = np.array([places.get(name, -1) for name in names], dtype=np.int64)
    first, second = own[lags.first], own[lags.second]
    return np.where((first < 0) | (second < 0), -1, first * len(known) + second)


def find_sorted(table: IntArray, wanted: IntArray) -> tuple[IntArray, IntArray]:
    """Return which of the wanted numbers a sorted table holds, and their places in it."""
    place = np.searchsorted(table, wanted)
    held = place < table.size
    held[held] = table[place[held]] == wanted[held]
    return np.flatnonzero(held), place[held]


def _columns(strokes: Any, name: str) -> tuple[np.ndarray, FloatArray, FloatArray, IntArray]:
    if isinstance(strokes, Strokes):
        return strokes.key, strokes.press, strokes.release, strokes.groups()
    if not isinstance(strokes, Mapping | pd.DataFrame):
        raise InvalidParameterError(
            f"{name}: expected a Strokes record, or a frame or mapping with the columns key, press "
            f"and release (seconds); got {type(strokes).__name__}."
        )
    missing = [column for column in _COLUMNS if column not in strokes]
    if missing:
        raise InvalidParameterError(
            f"{name} has no column {missing[0]!r}; key, press and release (seconds) are needed."
        )
    key = np.asarray(strokes["key"]).astype(np.str_)
    press, release = (_numbers(strokes[column], f"{name}[{column!r}]") for column in _COLUMNS[1:])
    labels = strokes["recording"] if "recording" in strokes else np.zeros(key.size)
    number = pd.factorize(np.asarray(labels))[0].astype(np.int64)
    if not key.shape == press.shape == release.shape == number.shape or key.ndim != 1:
        raise InvalidParameterError(
            f"{name}: key, press, release and recording must be one-dimensional and of one length; "
            f"got shapes {key.shape}, {press.shape}, {release.shape} and {number.shape}."
        )
    return key, press, release, number


def _numbers(values: Any, name: str) -> FloatArray:
    try:
        return np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise InvalidParameterError(f"{name}: expected numbers of seconds ({error}).") from error


def _check_times(strokes: Recordings, name: str) -> None:
    for column, times in (("press", strokes.press), ("release", strokes.release)):
        for row in np.flatnonzero(~np.isfinite(times))[:1]:
            raise InvalidTimingsError(
                f"{name}: {column}[{row}] is {times[row]}; every time must be finite. Leave the "
                "keystroke out first."
            )
    for row in np.flatnonzero(strokes.release < strokes.press)[:1]:
        raise InvalidTimingsError(
            f"{name}: release[{row}] = {strokes.release[row]:g} is before press[{row}] = "
            f"{strokes.press[row]:g}. Pair the events anew, for example with pair_events."
        )
    early = (np.diff(strokes.press) < 0) & (np.diff(strokes.number) == 0)
    for row in np.flatnonzero(early)[:1]:
        raise InvalidTimingsError(
            f"{name}: press[{row + 1}] = {strokes.press[row + 1]:g} is before press[{row}] = "
            f"{strokes.press[row]:g} of the same recording. Sort each recording by its presses."
        )


def _check_recordings(strokes: Recordings, name: str) -> None:
    if not len(strokes):
        raise InvalidTimingsError(f"{name} holds no keystroke; two or more are needed.")
    for row in np.flatnonzero(~np.isin(np.diff(strokes.number), (0, 1)))[:1]:
        raise InvalidTimingsError(
            f"{name}: keystroke {row + 1} goes back to an earlier recording. Sort the keystrokes "
            "by recording."
        )
    for place in np.flatnonzero(np.bincount(strokes.number) < 2)[:1]:
        raise InvalidTimingsError(
            f"{name}: recording {place} (counted from 0) has one keystroke; a recording or block "
            "needs two or more, because the first only sets the clock."
        )
