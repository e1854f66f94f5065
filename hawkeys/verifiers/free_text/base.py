"""The contract of verifiers of free text: enrol one typist, then score blocks of keystrokes."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, TypeVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from hawkeys._typing import FloatArray
from hawkeys.verifiers.free_text.recordings import Recordings, as_recordings

__all__ = ["FreeTextVerifier"]

Verifier = TypeVar("Verifier", bound="FreeTextVerifier")


class FreeTextVerifier(BaseEstimator, ABC):
    """Base of the verifiers of free text, whose samples are recordings of any keys.

    A subclass gives `_learn`, which sets fitted attributes (with a trailing underscore), and
    `_score`, which returns one number per recording, higher for more genuine. Keystrokes are a
    `Strokes` record, whose recordings are its sessions (and repetitions), or a frame or mapping
    with columns key, press, release (seconds) and, for more than one, recording.

    Examples
    --------
    A verifier of one's own:

    >>> import numpy as np
    >>> from hawkeys.verifiers import FreeTextVerifier
    >>> class Tempo(FreeTextVerifier):
    ...     def _learn(self, strokes):
    ...         self.pace_ = np.median(strokes.lags("press-press").lag)
    ...     def _score(self, strokes):
    ...         lags = strokes.lags("press-press")
    ...         pace = [np.median(lags.lag[strokes.number[lags.rows] == recording])
    ...                 for recording in range(strokes.n_recordings)]
    ...         return -np.abs(np.array(pace) - self.pace_)
    >>> typed = {"key": list("abc"), "press": [0.0, 0.25, 0.5], "release": [0.125, 0.375, 0.625]}
    >>> Tempo().fit(typed).score(typed)
    0.0
    """

    @abstractmethod
    def _learn(self, strokes: Recordings) -> None:
        """Set the fitted attributes."""

    @abstractmethod
    def _score(self, strokes: Recordings) -> FloatArray:
        """Return a score per recording, (n_recordings,), higher for more genuine."""

    def fit(self: Verifier, strokes: Any, y: Any = None) -> Verifier:
        """Enrol a typist.

        Parameters
        ----------
        strokes : Strokes, DataFrame or mapping
            Keystrokes of one typist, in one or more recordings of two or more.
        y : object, optional
            Ignored.

        Returns
        -------
        object
            The verifier itself.

        Raises
        ------
        InvalidParameterError
            If a parameter is not valid, or `strokes` is nothing of the kind or lacks a column.
        InvalidTimingsError
            If times are not finite or not in order, or a recording has fewer than two keystrokes.
        """
        self._learn(as_recordings(strokes))
        return self

    def score_recordings(self, strokes: Any) -> FloatArray:
        """Return how genuine each recording is.

        Parameters
        ----------
        strokes : Strokes, DataFrame or mapping
            Keystrokes in one or more recordings (blocks) of two or more.

        Returns
        -------
        ndarray of float64, shape (n_recordings,)
            Higher for more genuine; each recording is scored alone.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        InvalidParameterError, InvalidTimingsError
            As `fit`.
        """
        check_is_fitted(self)
        return self._score(as_recordings(strokes))

    def score(self, strokes: Any, y: Any = None) -> float:
        """Return how genuine a block of keystrokes is, the mean over its recordings.

        Parameters
        ----------
        strokes : Strokes, DataFrame or mapping
            Keystrokes, usually of one recording.
        y : object, optional
            Ignored.

        Returns
        -------
        float
            Higher for more genuine.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        InvalidParameterError, InvalidTimingsError
            As `fit`.
        """
        return float(np.mean(self.score_recordings(strokes)))
