"""`EventTimeModel`: a law of the intervals between one person's events."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any, TypeVar

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from hawkeys._typing import FloatArray
from hawkeys._validation import as_float_array
from hawkeys.exceptions import InvalidTimingsError

__all__ = ["EventTimeModel", "check_intervals"]

Model = TypeVar("Model", bound="EventTimeModel")


class EventTimeModel(BaseEstimator, ABC):
    """Base of the laws of intervals: a subclass gives `_learn` and `_log_likelihood`.

    The log-likelihood of a sample is that of its intervals, given its first event: a density per
    second for each, nothing dropped.

    Examples
    --------
    A law of one's own:

    >>> import numpy as np
    >>> from hawkeys.verifiers.event_times import EventTimeModel
    >>> class Poisson(EventTimeModel):
    ...     def _learn(self, intervals):
    ...         self.rate_ = 1.0 / intervals.mean()
    ...     def _log_likelihood(self, intervals):
    ...         return (np.log(self.rate_) - self.rate_ * intervals).sum(axis=1)
    >>> Poisson().fit([[0.5, 1.5]]).log_likelihood([[1.0, 1.0]])
    array([-2.])
    """

    @abstractmethod
    def _learn(self, intervals: FloatArray) -> None:
        """Set the fitted attributes from checked intervals, (n_samples, n_intervals)."""

    @abstractmethod
    def _log_likelihood(self, intervals: FloatArray) -> FloatArray:
        """Return one number per sample of checked intervals, (n_samples,)."""

    def fit(self: Model, samples: Any, y: Any = None) -> Model:
        """Learn the law of one person's intervals.

        Parameters
        ----------
        samples : array_like, shape (n_samples, n_intervals)
            Seconds, > 0.
        y : object, optional
            Ignored.

        Returns
        -------
        object
            The model itself.

        Raises
        ------
        InvalidTimingsError
            If there is no sample, or an interval is not positive or not finite.
        InvalidParameterError
            If the samples are no regular array of numbers, or a parameter is not valid.
        """
        self._learn(check_intervals(samples))
        return self

    def log_likelihood(self, samples: Any) -> FloatArray:
        """Return the log-likelihood of each sample.

        Parameters
        ----------
        samples : array_like, shape (n_samples, n_intervals)
            Seconds, > 0; any number of intervals.

        Returns
        -------
        ndarray of float64, shape (n_samples,)
            In nats, of densities per second.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            Before `fit`.
        InvalidTimingsError, InvalidParameterError
            As `fit`.
        """
        check_is_fitted(self)
        return self._log_likelihood(check_intervals(samples))


def check_intervals(samples: Any, name: str = "samples", *, positive: bool = True) -> FloatArray:
    """Return intervals as a float array.

    Parameters
    ----------
    samples : array_like, shape (n_samples, n_intervals)
        Seconds.
    name : str, default "samples"
        The argument, for messages.
    positive : bool, default True
        Whether to refuse intervals of 0, too.

    Returns
    -------
    ndarray of float64, shape (n_samples, n_intervals)
        All positive, or at least 0.

    Raises
    ------
    InvalidTimingsError
        If the shape is not two-dimensional, there is no sample or no interval, or an interval is
        negative or, if that is refused, 0.
    InvalidParameterError
        If they are no regular array of finite numbers.
    """
    array = as_float_array(samples, name)
    if array.ndim != 2 or array.size == 0:
        raise InvalidTimingsError(
            f"{name} must have shape (n_samples, n_intervals) with at least one of each; got shape "
            f"{array.shape}. Cut event times with hawkeys.datasets.cut_slices."
        )
    for row, column in np.argwhere(array < 0.0)[:1]:
        raise InvalidTimingsError(
            f"{name}: interval {column} of sample {row} is {array[row, column]:g} s; events must "
            "be in the order of time. Sort them first."
        )
    for row, column in np.argwhere((array == 0.0) & positive)[:1]:
        raise InvalidTimingsError(
            f"{name}: interval {column} of sample {row} is {array[row, column]:g} s; intervals "
            "must be positive, because their logarithms are used. On a coarse clock events "
            "coincide: spread them with hawkeys.datasets.snap_intervals."
        )
    return array
