"""Marked renewal of keyed text: log-normal holds by key and lags by pair of keys, shrunk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy.special import gammaln, log_softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import as_float_array, check_positive_number
from hawkeys.datasets.key_events.strokes import Strokes
from hawkeys.exceptions import InvalidParameterError
from hawkeys.verifiers.free_text.recordings import Recordings, as_recordings
from hawkeys.verifiers.protocol import Needs

__all__ = ["MarkedRenewal"]

# seconds: shorter and longer times count as these
_SHORTEST, _LONGEST = 0.005, 5.0
# keystrokes that the general law is worth in that of a key, and a spread in that of a key
_KEY_COUNT, _KEY_SCALE_COUNT = 5.0, 20.0
# keystrokes that the general pace and spread are worth in those of a person
_PACE_COUNT, _SPREAD_COUNT = 5.0, 20.0
# share of a key's variance that is left when a person's own location is known
_WITHIN = 0.7


@dataclass(frozen=True, eq=False)
class _Marks:
    """Log times of one kind with their labels: the keystroke, what was struck, and by whom."""

    rows: IntArray
    log: FloatArray
    label: np.ndarray


@dataclass(frozen=True, eq=False)
class _Law:
    """Student laws of log times by person and label; the last column is for unknown labels."""

    labels: np.ndarray
    location: FloatArray
    scale: FloatArray
    degrees: FloatArray

    def log_density(self, person: int, marks: _Marks) -> FloatArray:
        """Return the log density of each mark under the law of one person."""
        place = np.searchsorted(self.labels, marks.label)
        place[place == self.labels.size] = 0
        column = np.where(self.labels[place] == marks.label, place, self.labels.size)
        degrees, scale = self.degrees[person, column], self.scale[person, column]
        squared = (marks.log - self.location[person, column]) ** 2 / (degrees * scale)
        constant = gammaln(0.5 * (degrees + 1.0)) - gammaln(0.5 * degrees)
        log = constant - 0.5 * np.log(np.pi * degrees * scale)
        return np.asarray(log - 0.5 * (degrees + 1.0) * np.log1p(squared))


class MarkedRenewal(ClassifierMixin, BaseEstimator):
    r"""Identify people by how long they hold keys and how fast pairs of keys follow each other.

    Given the keys, log hold x of key c and log press-press time x of a pair c are independent with

    .. math:: x \sim t_{n + \nu}\big(m_c + a + \frac{n}{n + k} r,\; s^2 (1 + 1 / (n + k))\big):

    m_c is the mean of people in general, a this person's pace, r the mean of this person's n own
    times of c less both, and s^2 pools their variance with that of people in general, which is
    worth nu times. A label that nobody typed before has the law of all labels.

    Parameters
    ----------
    location_count : float, default 2.0
        Number k of times that the general location is worth.
    scale_count : float, default 4.0
        Number nu of times that the general variance is worth.
    hold_weight : float, default 1.0
        Weight of holds; 1 makes it a log-likelihood.
    floor : float, default -4.0
        Least log density (of a log time) that a keystroke can contribute.

    Attributes
    ----------
    classes_ : ndarray of str, shape (n_people,)
        The people, sorted.

    References
    ----------
    Gelman, A. et al. (2013). Bayesian Data Analysis, 3rd ed., section 3.3 (the predictive law of a
    normal sample with a conjugate prior).

    Examples
    --------
    >>> from hawkeys.datasets import simulate_keyed_text
    >>> from hawkeys.verifiers import MarkedRenewal
    >>> strokes = simulate_keyed_text()
    >>> early, late = strokes[strokes.session < 6], strokes[strokes.session >= 6]
    >>> people = MarkedRenewal().fit(early)
    >>> bool((people.predict(late) == people.people_of(late)).mean() > 0.9)
    True
    """

    needs = Needs("free text", holds=True, keys=True, background=True)

    def __init__(
        self,
        location_count: float = 2.0,
        scale_count: float = 4.0,
        hold_weight: float = 1.0,
        floor: float = -4.0,
    ) -> None:
        self.location_count = location_count
        self.scale_count = scale_count
        self.hold_weight = hold_weight
        self.floor = floor

    def fit(self, X: Any, y: ArrayLike | None = None, population: Any = None) -> MarkedRenewal:
        """Learn the people.

        Parameters
        ----------
        X : Strokes, DataFrame or mapping
            Keystrokes in recordings, of all of them.
        y : array_like, shape (n_recordings,), optional
            The person of each recording. Default: the users of a Strokes record.
        population : Strokes, DataFrame or mapping, optional
            Keystrokes from which people in general are learned. Default: X.

        Returns
        -------
        MarkedRenewal
            The classifier itself.

        Raises
        ------
        InvalidParameterError
            If a parameter is not valid, or there is not one person per recording.
        InvalidTimingsError
            If times are not finite or not in order, or a recording has fewer than two keystrokes.
        """
        check_positive_number(self.location_count, "location_count")
        check_positive_number(self.scale_count, "scale_count")
        check_positive_number(self.hold_weight, "hold_weight")
        as_float_array(self.floor, "floor")
        strokes = as_recordings(X, "X")
        labels = self.people_of(X) if y is None else np.asarray(y).astype(np.str_)
        if labels.shape != (strokes.n_recordings,):
            raise InvalidParameterError(
                f"y must hold one person per recording, shape ({strokes.n_recordings},); got shape "
                f"{labels.shape}."
            )
        self.classes_, person = np.unique(labels, return_inverse=True)
        general = strokes if population is None else as_recordings(population, "population")
        self._laws = [
            self._learn(own, other, person[strokes.number[own.rows]])
            for own, other in zip(_marks(strokes), _marks(general), strict=True)
        ]
        return self

    def log_likelihood(self, X: Any) -> FloatArray:
        """Return the log-likelihood of each recording under each person.

        Parameters
        ----------
        X : Strokes, DataFrame or mapping
            Keystrokes in recordings.

        Returns
        -------
        ndarray of float64, shape (n_recordings, n_people)
            In nats, of densities of log times, each at least `floor`.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        InvalidParameterError, InvalidTimingsError
            As `fit`.
        """
        check_is_fitted(self)
        strokes = as_recordings(X, "X")
        out = np.zeros((strokes.n_recordings, self.classes_.size))
        weights = (self.hold_weight, 1.0)
        for law, marks, weight in zip(self._laws, _marks(strokes), weights, strict=True):
            for person in range(self.classes_.size):
                density = np.maximum(law.log_density(person, marks), self.floor)
                out[:, person] += weight * np.bincount(
                    strokes.number[marks.rows], density, strokes.n_recordings
                )
        return out

    def predict_log_proba(self, X: Any) -> FloatArray:
        """Return how likely each person is, all equally likely beforehand.

        Parameters
        ----------
        X : Strokes, DataFrame or mapping
            Keystrokes in recordings.

        Returns
        -------
        ndarray of float64, shape (n_recordings, n_people)
            Log of the probability, in the order of `classes_`.

        Raises
        ------
        InvalidParameterError, InvalidTimingsError
            As `fit`.
        """
        return np.asarray(log_softmax(self.log_likelihood(X), axis=1))

    def predict(self, X: Any) -> np.ndarray:
        """Return the most likely person of each recording.

        Parameters
        ----------
        X : Strokes, DataFrame or mapping
            Keystrokes in recordings.

        Returns
        -------
        ndarray of str, shape (n_recordings,)
            Of `classes_`.

        Raises
        ------
        InvalidParameterError, InvalidTimingsError
            As `fit`.
        """
        return np.asarray(self.classes_[self.log_likelihood(X).argmax(axis=1)])

    @staticmethod
    def people_of(strokes: Any) -> np.ndarray:
        """Return the user of each recording of a Strokes record.

        Parameters
        ----------
        strokes : Strokes
            Keystrokes with their users.

        Returns
        -------
        ndarray of str, shape (n_recordings,)
            In the order of the recordings.

        Raises
        ------
        InvalidParameterError
            If it is no Strokes record.
        """
        if not isinstance(strokes, Strokes):
            raise InvalidParameterError(
                "who typed is known of a hawkeys.datasets.Strokes record alone; got "
                f"{type(strokes).__name__}. Give y, one person per recording."
            )
        _, first = np.unique(strokes.groups(), return_index=True)
        return np.asarray(strokes.user[first])

    def _learn(self, own: _Marks, general: _Marks, person: IntArray) -> _Law:
        labels = np.union1d(own.label, general.label)
        mean, variance = _general(general, labels)
        size, people = labels.size + 1, self.classes_.size
        column = np.searchsorted(labels, own.label)
        left, precision = own.log - mean[column], 1.0 / variance[column]
        number = np.bincount(person, minlength=people)
        pace = np.bincount(person, left * precision, people) / (
            np.bincount(person, precision, people) + _PACE_COUNT / variance[-1]
        )
        left = left - pace[person]
        spread = (np.bincount(person, left**2 * precision, people) + _SPREAD_COUNT) / (
            number + _SPREAD_COUNT
        )
        cell = person * size + column
        n, total, square = (
            np.bincount(cell, weight, people * size).reshape(people, size)
            for weight in (np.ones_like(left), left, left**2)
        )
        worth = n + self.location_count
        prior = _WITHIN * variance * spread[:, None]
        degrees = n + self.scale_count
        scale = (self.scale_count * prior + square - total**2 / worth) / degrees
        location = mean + pace[:, None] + total / worth
        return _Law(labels, location, scale * (1.0 + 1.0 / worth), np.asarray(degrees, np.float64))


def _marks(strokes: Recordings) -> Iterator[_Marks]:
    """Yield holds by key, then press-press times by pair of keys."""
    names = np.array(strokes.names)
    hold = strokes.release - strokes.press
    yield _Marks(np.arange(len(strokes)), _log(hold), names[strokes.key])
    lags = strokes.lags("press-press")
    pair = np.char.add(np.char.add(names[lags.first], "\x1f"), names[lags.second])
    yield _Marks(lags.rows, _log(lags.lag), pair)


def _log(seconds: FloatArray) -> FloatArray:
    return np.log(np.clip(seconds, _SHORTEST, _LONGEST))


def _general(marks: _Marks, labels: np.ndarray) -> tuple[FloatArray, FloatArray]:
    """Return mean and variance of people in general by label; last, those of all labels."""
    column, size = np.searchsorted(labels, marks.label), labels.size + 1
    mean, variance = float(marks.log.mean()), float(marks.log.var()) + 1e-4
    n = np.bincount(column, minlength=size)
    location = (np.bincount(column, marks.log, size) + _KEY_COUNT * mean) / (n + _KEY_COUNT)
    left = marks.log - location[column]
    square = np.bincount(column, left**2, size)
    spread = (square + _KEY_SCALE_COUNT * variance) / (n + _KEY_SCALE_COUNT)
    return location, spread
