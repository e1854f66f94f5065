"""What every system of the comparison says of itself, whatever it is made of.

Verification: `Scorer`, fitted to one person's samples and, if it needs them, to other people's.
Identification: `Identifier`, fitted to samples with their persons. Both declare their `Needs`.
Samples are what `Needs.data` says: intervals (n_samples, n_intervals) in seconds for event times,
a timing matrix for fixed text, keystrokes in recordings for free text.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import check_choice

__all__ = ["DATA_KINDS", "Identifier", "Needs", "Scorer"]

DATA_KINDS = ("event times", "fixed text", "free text")
"""Kinds of samples."""


@dataclass(frozen=True)
class Needs:
    """What a system must be given.

    Attributes
    ----------
    data : {"event times", "fixed text", "free text"}
        Kind of samples.
    holds : bool
        Whether it uses how long keys are held.
    keys : bool
        Whether it uses which keys are struck.
    background : bool
        Whether it needs samples of other people.

    Raises
    ------
    InvalidParameterError
        An unknown kind of samples.

    Examples
    --------
    >>> from hawkeys.verifiers import Needs
    >>> Needs("event times", holds=False, keys=False, background=True).background
    True
    """

    data: str
    holds: bool
    keys: bool
    background: bool

    def __post_init__(self) -> None:
        check_choice(self.data, "data", DATA_KINDS)


@runtime_checkable
class Scorer(Protocol):
    """A system that verifies one person.

    Attributes
    ----------
    needs : Needs
        What it must be given.
    """

    @property
    def needs(self) -> Needs:
        """What the system must be given."""
        ...

    def fit(self, genuine: Any, background: Any = None) -> Any:
        """Enrol a person.

        Parameters
        ----------
        genuine : samples
            Of the person.
        background : samples, optional
            Of other people, none of whom is tested as an impostor unless that is said.

        Returns
        -------
        object
            The system itself.
        """
        ...

    def score_samples(self, samples: Any) -> FloatArray:
        """Return how genuine samples are.

        Parameters
        ----------
        samples : samples
            Of anybody.

        Returns
        -------
        ndarray of float64, shape (n_samples,)
            Higher for more genuine.
        """
        ...


@runtime_checkable
class Identifier(Protocol):
    """A system that tells several people apart.

    Attributes
    ----------
    needs : Needs
        What it must be given.
    classes_ : ndarray, shape (n_people,)
        The people, sorted; after `fit`.
    """

    classes_: np.ndarray

    @property
    def needs(self) -> Needs:
        """What the system must be given."""
        ...

    def fit(self, X: Any, y: ArrayLike) -> Any:
        """Learn the people.

        Parameters
        ----------
        X : samples
            Of all of them.
        y : array_like, shape (n_samples,)
            The person of each sample.

        Returns
        -------
        object
            The system itself.
        """
        ...

    def predict_log_proba(self, X: Any) -> FloatArray:
        """Return how likely each person is.

        Parameters
        ----------
        X : samples
            Of any of them.

        Returns
        -------
        ndarray of float64, shape (n_samples, n_people)
            Log of the probability, in the order of `classes_`.
        """
        ...
