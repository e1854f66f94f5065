"""`LogTimeFilters`: tents on the logarithm of the time since an event."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import check_nonnegative, check_positive
from hawkeys.exceptions import InvalidParameterError

__all__ = ["LogTimeFilters"]

_WIDEST = 4.0
# relative, of the integral of a power of the age over one piece
_PRECISION = 1e-8
_STEEPEST = 8.0
_MOST_NODES = 32


class LogTimeFilters:
    r"""Piecewise linear functions of the log of the time since an event, for signed kernels.

    Filter b is 1 at knot b and 0 at the other knots, straight in the logarithm between them. Below
    the first knot the first filter is 1; from the last knot on all are 0, so that an influence
    ends there. A kernel :math:`h(u) = \sum_b w_b f_b(u)` takes the value w_b at knot b.

    Parameters
    ----------
    knots : array_like, shape (n_filters + 1,)
        Increasing times, in the unit of the events, each at most four times the one before.

    Raises
    ------
    InvalidParameterError
        Fewer than two knots, one that is not positive, or a step that is not upwards or too wide.

    Examples
    --------
    >>> from hawkeys.process import LogTimeFilters
    >>> filters = LogTimeFilters([0.1, 0.2, 0.4])
    >>> filters.values([0.05, 0.1, 0.2, 0.4]).round(4)
    array([[1., 0.],
           [1., 0.],
           [0., 1.],
           [0., 0.]])
    """

    def __init__(self, knots: ArrayLike) -> None:
        given = check_positive(knots, "knots")
        if given.ndim != 1 or given.size < 2:
            raise InvalidParameterError(
                f"knots must be a flat array of two or more times; got shape {given.shape}."
            )
        ratio = given[1:] / given[:-1]
        for place in np.flatnonzero(~((ratio > 1.0) & (ratio <= _WIDEST)))[:1]:
            raise InvalidParameterError(
                f"knots must increase, each to at most {_WIDEST:g} times the one before; got "
                f"knots[{place}] = {given[place]:g} and knots[{place + 1}] = {given[place + 1]:g}. "
                "Sort them, or put more between."
            )
        self.knots = given
        self.knots.flags.writeable = False

    @classmethod
    def spaced(cls, first: float, last: float, n_filters: int) -> LogTimeFilters:
        """Return filters whose knots are evenly spaced in the logarithm.

        Parameters
        ----------
        first, last : float
            First and last knot.
        n_filters : int
            Number of filters, one less than that of the knots.

        Returns
        -------
        LogTimeFilters
            The filters.

        Raises
        ------
        InvalidParameterError
            As the class.

        Examples
        --------
        >>> from hawkeys.process import LogTimeFilters
        >>> LogTimeFilters.spaced(0.1, 0.4, 2).knots.round(4)
        array([0.1, 0.2, 0.4])
        """
        ends = check_positive([first, last], "first and last")
        return cls(np.geomspace(ends[0], ends[1], n_filters + 1))

    @property
    def n_filters(self) -> int:
        """Number of filters."""
        return self.knots.size - 1

    @property
    def labels(self) -> tuple[tuple[str, float], ...]:
        """Name and knot of each filter, for tables."""
        return tuple(("weight", knot) for knot in self.knots[:-1].tolist())

    def values(self, times: ArrayLike) -> FloatArray:
        """Return the filters at given times since an event.

        Parameters
        ----------
        times : array_like, shape (n_times,)
            Times >= 0.

        Returns
        -------
        ndarray of float64, shape (n_times, n_filters)
            From 0 to 1.

        Raises
        ------
        InvalidParameterError
            A time is negative or not finite.
        """
        since = np.maximum(check_nonnegative(times, "times"), self.knots[0])
        unit = np.eye(self.n_filters + 1)
        columns = [np.interp(np.log(since), np.log(self.knots), row) for row in unit[:-1]]
        return np.stack(columns, axis=-1)

    def integrals(self) -> FloatArray:
        """Return the integral of each filter over all times since an event, shape (n_filters,)."""
        low, high = self.knots[:-1], self.knots[1:]
        reach = np.log(high / low)
        rising = (high * (reach - 1.0) + low) / reach
        out = (high - low) - rising
        out[1:] += rising[:-1]
        out[0] += self.knots[0]
        return out

    def rule(self) -> tuple[FloatArray, FloatArray]:
        """Return nodes and weights on [0, 1] that integrate over a piece between knots.

        Within a piece the exponential of a kernel is a power of the age. The rule has as many
        nodes as powers from -8 to 8 need over the widest step between knots for a relative error
        below 1e-8; steeper kernels, that change by more than 8 times the log of a step within it,
        are integrated less precisely.

        Returns
        -------
        nodes, weights : ndarray of float64, shape (n_nodes,)
            Gauss-Legendre.

        Examples
        --------
        >>> from hawkeys.process import LogTimeFilters
        >>> nodes, weights = LogTimeFilters([1.0, 2.0]).rule()
        >>> bool(abs(weights @ (1.0 + nodes) ** 8 - (2.0**9 - 1.0) / 9.0) < 1e-6)
        True
        """
        nodes, weights = _rule(float((self.knots[1:] / self.knots[:-1]).max()))
        return nodes.copy(), weights.copy()

    def to_dict(self) -> dict[str, Any]:
        """Return the filters as plain JSON types.

        Returns
        -------
        dict
            Key knots.
        """
        return {"knots": self.knots.tolist()}

    def __repr__(self) -> str:
        return f"LogTimeFilters({self.knots.round(6).tolist()})"


@lru_cache(maxsize=64)
def _rule(widest: float) -> tuple[FloatArray, FloatArray]:
    powers = np.arange(-_STEEPEST, _STEEPEST + 0.25, 0.5)
    powers = powers[powers != -1.0]
    exact = (widest ** (powers + 1.0) - 1.0) / (powers + 1.0) / (widest - 1.0)
    for n_nodes in range(3, _MOST_NODES):
        nodes, weights = np.polynomial.legendre.leggauss(n_nodes)
        found = 0.5 * weights @ (1.0 + 0.5 * (widest - 1.0) * (nodes + 1.0))[:, None] ** powers
        if np.abs(found / exact - 1.0).max() < _PRECISION:
            break
    return 0.5 * (nodes + 1.0), 0.5 * weights
