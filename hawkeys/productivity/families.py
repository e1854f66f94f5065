"""The two families of productivity."""

from __future__ import annotations

from typing import Any

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys.exceptions import InvalidEventsError, InvalidParameterError
from hawkeys.productivity.base import Productivity

__all__ = ["Exponential", "Power"]


class Exponential(Productivity):
    r"""Productivity exp(a (v - v0)) of an event of value v, as of earthquakes of magnitude v.

    Parameters
    ----------
    a : float or array_like, shape (n_marks,), optional
        Coefficient, per unit of the values: one for all, or one per source mark. Left out, it is
        estimated by `hawkeys.fit`.
    v0 : float, optional
        Value at which the productivity is 1. Default: the least value of the data of the fit.
    sharing : {"shared", "source"}, default "shared"
        Whether an `a` that is estimated is one for all, or one per source mark.
    law : ValueLaw, optional
        Law of the values themselves. Default: that of the data of the fit.

    Raises
    ------
    InvalidParameterError
        An argument is not what is said above.

    Notes
    -----
    The number of children of an event of mark j is W_ij exp(a (v - v0)) on average; with values
    that are exponential above v0 with mean m the mean over all events is W_ij / (1 - a m), infinite
    from a m = 1 on. In seismology a = alpha log(10) = 2.3 alpha, and W_ij is K of a shock of v0.

    References
    ----------
    Ogata, Y. (1988). Statistical models for earthquake occurrences and residual analysis for point
    processes. Journal of the American Statistical Association 83, 9-27, eq. 17.
    doi:10.1080/01621459.1988.10478560

    Examples
    --------
    >>> import hawkeys
    >>> from hawkeys.productivity import Exponential, ExponentialValues
    >>> law = ExponentialValues(mean=0.5, start=3.0)
    >>> size = Exponential(a=1.0, v0=3.0, law=law)
    >>> truth = hawkeys.Hawkes([0.5], [[0.3]], decay=2.0, productivity=size)
    >>> round(truth.spectral_radius, 6)  # 0.3 / (1 - 1.0 * 0.5)
    0.6
    >>> events = hawkeys.simulate(truth, end_time=4_000.0, rng=0)
    >>> result = hawkeys.fit(events, decay=2.0, productivity=Exponential(v0=3.0))
    >>> round(float(result.process.productivity.a), 1)
    1.0
    """

    name = "exponential"

    def scores(self, values: FloatArray) -> FloatArray:
        """Return v - v0.

        Parameters
        ----------
        values : ndarray of float64, shape (n,)
            Values.

        Returns
        -------
        ndarray of float64, shape (n,)
            In the unit of the values.
        """
        return values - (0.0 if self.v0 is None else self.v0)


class Power(Productivity):
    r"""Productivity (v / v0)^a of an event of value v > 0, as of the size of a trade.

    Parameters
    ----------
    a : float or array_like, shape (n_marks,), optional
        Exponent, without unit: one for all, or one per source mark. Left out, it is estimated by
        `hawkeys.fit`.
    v0 : float, optional
        Value > 0 at which the productivity is 1. Default: the least value of the data of the fit.
    sharing : {"shared", "source"}, default "shared"
        Whether an `a` that is estimated is one for all, or one per source mark.
    law : ValueLaw, optional
        Law of the values themselves. Default: that of the data of the fit.

    Raises
    ------
    InvalidParameterError
        An argument is not what is said above.
    InvalidEventsError
        Later: a value is not positive.

    References
    ----------
    Rambaldi, M., Bacry, E. and Lillo, F. (2017). The role of volume in order book dynamics: a
    multivariate Hawkes process analysis. Quantitative Finance 17, 999-1020.
    doi:10.1080/14697688.2016.1260759

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.productivity import Power
    >>> Power(a=0.5, v0=100.0).factors(np.array([100.0, 400.0]), np.array([0, 0]))
    array([1., 2.])
    """

    name = "power"

    def scores(self, values: FloatArray) -> FloatArray:
        """Return log(v / v0).

        Parameters
        ----------
        values : ndarray of float64, shape (n,)
            Values > 0.

        Returns
        -------
        ndarray of float64, shape (n,)
            Without unit.

        Raises
        ------
        InvalidEventsError
            A value is not positive.
        """
        if (values <= 0).any():
            raise InvalidEventsError(
                f"the productivity Power is of values above 0; got {values.min():g}. Use "
                "Exponential, or leave out the events."
            )
        return np.log(values / (1.0 if self.v0 is None else self.v0))

    def _check_v0(self, v0: Any) -> float:
        value = super()._check_v0(v0)
        if value <= 0:
            raise InvalidParameterError(f"v0 of Power must be above 0; got {value:g}.")
        return value
