"""The law of the values themselves, from which simulations draw them."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from itertools import pairwise
from typing import ClassVar, TypeAlias

import numpy as np
import scipy

from hawkeys._registry import Named
from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import as_float_array, brief, check_positive
from hawkeys.events import Events
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError

__all__ = ["EmpiricalValues", "ExponentialValues", "ValueLaw"]

# a function of values and their mark
ByMark: TypeAlias = Callable[[FloatArray, int], FloatArray]

# an exponential's length beyond which so little is left that it is not integrated
_FAR = 700.0
# and the rate at which a function falls there that counts as none
_FLAT = 1e-12


class ValueLaw(Named, ABC):
    """Contract of a law of values: independent of the times, perhaps different by mark."""

    _kind: ClassVar[str] = "law of values"

    @abstractmethod
    def check_marks(self, n_marks: int) -> None:
        """Refuse a number of marks that the law does not fit."""

    @abstractmethod
    def sample(self, rng: np.random.Generator, marks: IntArray) -> FloatArray:
        """Draw a value for each event of the given marks, (n_events,)."""

    @abstractmethod
    def mean_of(self, function: ByMark, n_marks: int) -> FloatArray:
        """Return the mean of ``function(values, mark)`` over the values of each mark, (n_marks,).

        Infinite where it has none.
        """


class ExponentialValues(ValueLaw):
    r"""Values above `start`, their excess exponential: the law of Gutenberg and Richter.

    Parameters
    ----------
    mean : float or array_like, shape (n_marks,)
        Mean excess over `start`, > 0: of magnitudes 1 / (b log 10).
    start : float, default 0.0
        Least value.

    Raises
    ------
    InvalidParameterError
        A mean is not positive, or `start` is no number.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.productivity import ExponentialValues
    >>> law = ExponentialValues(mean=0.43, start=3.0)  # b = 1
    >>> law.sample(np.random.default_rng(0), np.zeros(3, int)).round(2)
    array([3.29, 3.44, 3.01])
    """

    name = "exponential"

    def __init__(self, mean: ArrayLike, start: float = 0.0) -> None:
        self.mean = check_positive(mean, "mean")
        if self.mean.ndim > 1:
            raise InvalidParameterError(
                f"mean must be one number or one per mark; got shape {self.mean.shape}."
            )
        self.mean.flags.writeable = False
        value = as_float_array(start, "start")
        if value.ndim:
            raise InvalidParameterError(f"start must be one number; got {brief(start)}.")
        self.start = float(value)

    def check_marks(self, n_marks: int) -> None:
        """Refuse another number of marks than there are means.

        Parameters
        ----------
        n_marks : int
            Number of marks of the process.

        Raises
        ------
        InvalidParameterError
            There are several means, and not as many.
        """
        if self.mean.ndim and self.mean.size != n_marks:
            raise InvalidParameterError(
                f"the law of the values has {self.mean.size} means, but there are {n_marks} marks."
            )

    def sample(self, rng: np.random.Generator, marks: IntArray) -> FloatArray:
        """Draw a value for each event; see `ValueLaw.sample`."""
        mean = self.mean[marks] if self.mean.ndim else self.mean
        return self.start + mean * rng.standard_exponential(marks.size)

    def mean_of(self, function: ByMark, n_marks: int) -> FloatArray:
        """Return means by quadrature; see `ValueLaw.mean_of`."""
        means = np.broadcast_to(self.mean, (n_marks,))
        return np.array([self._mean_of(function, float(m), j) for j, m in enumerate(means)])

    def _mean_of(self, function: ByMark, mean: float, mark: int) -> float:
        """Return the mean for one mark; infinite if the function grows as fast as the law falls."""

        def term(x: float) -> float:
            with np.errstate(over="ignore"):
                value = float(function(np.array([self.start + mean * x]), mark)[0])
            return value * float(np.exp(-x))

        middle, far = term(0.5 * _FAR), term(_FAR)
        rest = 0.0
        if far > 0.0:  # what is beyond falls like an exponential, if at all
            falls = np.log(middle / far) / (0.5 * _FAR) if np.isfinite(far) else 0.0
            if falls < _FLAT:
                return np.inf
            rest = far / falls
        edges = [0.0, 1.0, 5.0, 25.0, 100.0, _FAR]
        parts = [
            scipy.integrate.quad(term, low, high, epsabs=0.0, epsrel=1e-11, limit=200)[0]
            for low, high in pairwise(edges)
        ]
        return float(np.sum(parts)) + rest


class EmpiricalValues(ValueLaw):
    """The distribution of values observed in data, of each mark or of all together.

    Parameters
    ----------
    values : array_like, shape (n,)
        What values there are.
    counts : array_like, shape (n_marks, n) or (n,)
        How often each came among the events of each mark, or of all.

    Raises
    ------
    InvalidParameterError
        Values that are no numbers, or counts of another shape, negative, or all 0.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys import Events
    >>> from hawkeys.productivity import EmpiricalValues
    >>> events = Events.from_data([0.1, 0.2, 0.9], values=[2.0, 3.0, 2.0], end_time=1.0)
    >>> law = EmpiricalValues.of(events)
    >>> law.values, law.counts
    (array([2., 3.]), array([[2., 1.]]))
    """

    name = "empirical"

    def __init__(self, values: ArrayLike, counts: ArrayLike) -> None:
        self.values, found = as_float_array(values, "values"), as_float_array(counts, "counts")
        self.counts = found[None] if found.ndim == 1 else found
        fits = self.values.ndim == 1 and self.values.size and self.counts.ndim == 2
        if not fits or self.counts.shape[1] != self.values.size:
            raise InvalidParameterError(
                f"counts must have one number per value, by mark; got shape {found.shape} for "
                f"values of shape {self.values.shape}."
            )
        if (self.counts < 0).any() or not self.counts.any():
            raise InvalidParameterError("counts must not be negative, nor all 0.")
        self.values.flags.writeable = self.counts.flags.writeable = False

    @classmethod
    def of(cls, events: Events) -> EmpiricalValues:
        """Return the law of the values of events.

        Parameters
        ----------
        events : Events
            With values.

        Returns
        -------
        EmpiricalValues
            One row of counts per mark.

        Raises
        ------
        InvalidEventsError
            The events have no values, or there is no event.
        """
        if events.values is None or events.n_events == 0:
            raise InvalidEventsError(
                "the events have no values to draw from. Read them with values=, or give a law of "
                "the values."
            )
        found, which = np.unique(events.values, return_inverse=True)
        cells = events.marks * found.size + which.ravel()
        counts = np.bincount(cells, minlength=events.n_marks * found.size)
        return cls(found, counts.reshape(events.n_marks, found.size))

    def __repr__(self) -> str:
        return f"EmpiricalValues(of {self.counts.sum():g} events)"

    def check_marks(self, n_marks: int) -> None:
        """Refuse another number of marks than there are rows of counts.

        Parameters
        ----------
        n_marks : int
            Number of marks of the process.

        Raises
        ------
        InvalidParameterError
            There are several rows, and not as many.
        """
        if len(self.counts) not in (1, n_marks):
            raise InvalidParameterError(
                f"the law of the values is of {len(self.counts)} marks, but there are {n_marks}."
            )

    def sample(self, rng: np.random.Generator, marks: IntArray) -> FloatArray:
        """Draw a value for each event; see `ValueLaw.sample`."""
        edges = np.cumsum(self._shares(int(marks.max(initial=0)) + 1), axis=1)
        points = rng.random(marks.size)
        out = np.empty(marks.size)
        for j in np.unique(marks):
            own = marks == j
            found = np.searchsorted(edges[j], points[own], side="right")
            out[own] = self.values[np.minimum(found, self.values.size - 1)]
        return out

    def mean_of(self, function: ByMark, n_marks: int) -> FloatArray:
        """Return means over the data; see `ValueLaw.mean_of`."""
        shares = self._shares(n_marks)
        return np.array([shares[j] @ function(self.values, j) for j in range(n_marks)])

    def _shares(self, n_marks: int) -> FloatArray:
        """Return the probability of each value by mark; a mark without events has those of all."""
        whole = self.counts.sum(axis=0)
        seen = self.counts.sum(axis=1, keepdims=True) > 0
        counts = np.where(seen, self.counts, whole)
        counts = np.broadcast_to(counts, (max(n_marks, len(counts)), whole.size))
        return counts / counts.sum(axis=1, keepdims=True)
