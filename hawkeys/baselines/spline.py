"""The smooth baseline."""

from __future__ import annotations

import copy
from functools import cached_property
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray
from hawkeys._validation import brief, check_nonnegative, check_positive_number
from hawkeys.baselines.base import Baseline
from hawkeys.baselines.held import HeldBaseline
from hawkeys.baselines.steps import increasing_knots, refuse_outside
from hawkeys.exceptions import InvalidParameterError

__all__ = ["Spline"]

_DEGREES = (1, 2, 3, 4, 5)
_ESTIMATE = "estimate"


class Spline(Baseline):
    r"""A smooth baseline: :math:`\mu_i(t) = \sum_q r_{iq} B_q(t)`, the B_q being B-splines.

    What is fitted is :math:`\ell - \sum_i \frac{s_i}{2} \int \mu_i''(t)^2 dt`: the log-likelihood
    less a penalty on curvature, so that more knots than are needed do no harm. The smoothing s of
    each mark is chosen by the data, or given.

    Parameters
    ----------
    knots : array_like, shape (n_knots,)
        Increasing times, on the same clock as the events, where the polynomials meet. Every window
        must lie between the first and the last. Of a periodic baseline as for `Periodic`: within
        one period.
    rates : array_like, shape (n_marks, n_pieces), optional
        Weights of the B-splines for each mark, per unit of time. Left out, they are estimated by
        `hawkeys.fit`; given, they are held.
    period : float, optional
        Length of the period, in the unit of time of the events, if the baseline repeats. Then
        there are as many B-splines as knots, else `degree` - 1 more.
    degree : int, default 3
        Of the polynomials, from 1 to 5.
    smoothing : "estimate", None, float or array_like of shape (n_marks,), default "estimate"
        The s, for a penalty that is in nats; of degree 1 the penalty is on the first derivative.
        "estimate" lets `hawkeys.fit` choose one for each mark; None is no penalty.

    Attributes
    ----------
    knots : ndarray of float64
        The knots, read-only.
    period : float or None
        The period.
    degree : int
        Of the polynomials.
    smoothing : "estimate", None, or ndarray of float64, shape (n_marks,) or ()
        As given; of a fitted process what was chosen.

    Raises
    ------
    InvalidParameterError
        Knots that do not increase, are too few or do not fit into one period; a degree that is not
        from 1 to 5; smoothing that is negative or no number; rates that are negative, not finite
        or of the wrong shape. Later: a window that is not within the knots.

    Notes
    -----
    B-splines are at least 0 and add up to 1, so that with rates of at least 0 the baseline cannot
    fall below 0. The smoothing that is chosen maximises the Laplace approximation of the marginal
    likelihood, the rates being normal a priori with a precision of s times the penalty's matrix
    (Wood 2011, section 2); standard errors then are those of the posterior, which include what
    smoothing hides. The number of parameters in AIC and BIC is the effective one.

    References
    ----------
    Eilers, P. H. C. and Marx, B. D. (1996). Flexible smoothing with B-splines and penalties.
    Statistical Science 11(2), 89-121. doi:10.1214/ss/1038425655

    Wood, S. N. (2011). Fast stable restricted maximum likelihood and marginal likelihood estimation
    of semiparametric generalized linear models. Journal of the Royal Statistical Society B 73(1),
    3-36, section 2. doi:10.1111/j.1467-9868.2010.00749.x

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.baselines import Spline
    >>> day = Spline(np.arange(0, 24, 3), period=24, rates=[[0, 0, 1, 2, 3, 2, 1, 0]])
    >>> day.at(np.array([0.0, 15.0, 39.0]))[:, 0].round(3)
    array([0.167, 1.   , 1.   ])
    >>> day
    Spline(n_pieces=8, period=24)
    """

    name = "spline"

    def __init__(
        self,
        knots: ArrayLike,
        rates: ArrayLike | None = None,
        *,
        period: float | None = None,
        degree: int = 3,
        smoothing: Any = _ESTIMATE,
    ) -> None:
        if isinstance(degree, bool) or degree not in _DEGREES:
            raise InvalidParameterError(
                f"degree must be a whole number from 1 to 5; got {brief(degree)}. 3 gives cubic "
                "splines; for steps take PiecewiseConstant or Periodic."
            )
        self.degree = int(degree)
        self.period = None if period is None else check_positive_number(period, "period")
        self.knots = increasing_knots(knots, minimum=2)
        if self.period is not None and self.knots.size <= self.degree:
            raise InvalidParameterError(
                f"a periodic spline of degree {self.degree} has {self.degree + 1} knots or more in "
                f"its period; got {self.knots.size}. Give more, or a lower degree."
            )
        if self.period is not None and self.knots[-1] - self.knots[0] >= self.period:
            raise InvalidParameterError(
                f"the knots of a periodic spline must lie within one period of {self.period:g}; "
                f"they go from {self.knots[0]:.12g} to {self.knots[-1]:.12g}. The first knot one "
                "period later is the end, and is not given."
            )
        self.smoothing = _checked_smoothing(smoothing)
        self._keep(rates)

    def __repr__(self) -> str:
        if self.period is not None:
            return f"Spline(n_pieces={self.n_pieces}, period={self.period:g})"
        first, last = self.knots[[0, -1]]
        return f"Spline(n_pieces={self.n_pieces}, from {first:.12g} to {last:.12g})"

    @property
    def n_pieces(self) -> int:
        """Number of B-splines."""
        return int(self.knots.size) - (0 if self.period is not None else 1 - self.degree)

    @property
    def labels(self) -> tuple[str, ...]:
        """Where each B-spline has its mass, as "near 12"."""
        t, k = self._whole_knots, self.degree
        centres = [float(t[q + 1 : q + k + 1].mean()) for q in range(self.n_pieces)]
        if self.period is None:
            return tuple(f"near {centre:.6g}" for centre in centres)
        first, period = self.knots[0], self.period
        return tuple(
            f"near {first + (centre - first) % period:.6g} mod {period:.12g}" for centre in centres
        )

    @property
    def shares(self) -> FloatArray:
        """Mean of each B-spline over the span, or over one period."""
        return self._total / self._length

    @property
    def is_positive(self) -> bool:
        """True: B-splines add up to 1."""
        return True

    @property
    def is_stationary(self) -> bool:
        """Whether the baseline repeats; else nothing is said of the time outside the knots."""
        return self.period is not None

    @property
    def roughness(self) -> FloatArray | None:
        """The matrix S of the penalty r' S r, (n_pieces, n_pieces); None without smoothing.

        r' S r is the integral of the squared second derivative (of degree 1, the first) over the
        span, or over one period.
        """
        return None if self.smoothing is None else self._roughness

    def with_smoothing(self, smoothing: Any) -> Spline:
        """Return this baseline with another smoothing.

        Parameters
        ----------
        smoothing : "estimate", None, float or array_like of shape (n_marks,)
            As for the constructor.

        Returns
        -------
        Spline
            With the same knots and rates.

        Raises
        ------
        InvalidParameterError
            It is negative or no number.

        Examples
        --------
        >>> from hawkeys.baselines import Spline
        >>> Spline([0, 1, 2]).with_smoothing(None).roughness is None
        True
        """
        out = copy.copy(self)
        out.smoothing = _checked_smoothing(smoothing)
        return out

    def with_rates(self, rates: ArrayLike | None) -> Spline:
        """Return a baseline with these knots and this smoothing, and other rates."""
        out = copy.copy(self)
        out._keep(rates)
        return out

    @property
    def last(self) -> float:
        """The last knot; infinite if the baseline repeats."""
        return float(self.knots[-1]) if self.period is None else np.inf

    def held_until(self, end: float) -> Baseline:
        """Return the baseline with its last value held; see `Baseline.held_until`."""
        return HeldBaseline(self, end) if end > self.last else self

    def check_windows(self, starts: FloatArray, ends: FloatArray) -> None:
        """Refuse windows that are not within the knots; see `Baseline.check_windows`."""
        if self.period is None:
            refuse_outside(self.knots, starts, ends, "spline")

    def basis(self, times: FloatArray) -> FloatArray:
        """Return the B-splines at each time, shape (n_times, n_pieces)."""
        t = self._whole_knots
        if not times.size:
            return np.empty((0, self.n_pieces))
        if self.period is None:
            inside = np.clip(times, self.knots[0], self.knots[-1])
        else:
            inside = self.knots[0] + np.mod(times - self.knots[0], self.period)
        from scipy.interpolate import BSpline

        values = BSpline.design_matrix(inside, t, self.degree).toarray()
        return self._folded(np.maximum(values, 0.0))

    def integrals(self, starts: FloatArray, ends: FloatArray) -> FloatArray:
        """Return the integral of each B-spline over each window, shape (n_windows, n_pieces)."""
        self.check_windows(starts, ends)
        if self.period is None:
            low, high = (np.clip(x, *self.knots[[0, -1]]) for x in (starts, ends))
            return np.maximum(self._spent(high) - self._spent(low), 0.0)
        first = self.knots[0]
        begin = np.mod(starts - first, self.period)
        whole, rest = np.divmod(begin + (ends - starts), self.period)
        spent = self._spent(first + rest) - self._spent(first + begin)
        return np.maximum(whole[:, None] * self._total + spent, 0.0)

    def to_dict(self) -> dict[str, Any]:
        """Return the class and the arguments of its constructor."""
        smoothing = self.smoothing
        return {
            "name": self.name,
            "knots": self.knots.tolist(),
            "rates": self.rates_to_json(),
            "period": self.period,
            "degree": self.degree,
            "smoothing": smoothing.tolist() if isinstance(smoothing, np.ndarray) else smoothing,
        }

    @property
    def _length(self) -> float:
        if self.period is not None:
            return self.period
        return float(self.knots[-1] - self.knots[0])

    @cached_property
    def _whole_knots(self) -> FloatArray:
        """The knots of all B-splines, those beyond the span included."""
        k = self.degree
        if self.period is None:
            first, last = self.knots[[0, -1]]
            return np.concatenate((np.full(k, first), self.knots, np.full(k, last)))
        n = self.knots.size
        index = np.arange(-k, n + k + 1)
        return self.knots[index % n] + self.period * (index // n)

    def _folded(self, values: FloatArray) -> FloatArray:
        """Add up what is one B-spline, one period later; `values` (..., n_functions)."""
        if self.period is None:
            return values
        n = self.n_pieces
        out = values[..., :n].copy()
        out[..., : self.degree] += values[..., n:]
        return out

    @cached_property
    def _antiderivative(self) -> Any:
        from scipy.interpolate import BSpline

        t = self._whole_knots
        return BSpline(t, np.eye(t.size - self.degree - 1), self.degree).antiderivative()

    def _spent(self, times: FloatArray) -> FloatArray:
        """Return the integral of each B-spline from the first knot to each time in the span."""
        whole = self._antiderivative
        return self._folded(whole(times) - whole(self.knots[:1]))

    @cached_property
    def _total(self) -> FloatArray:
        """Integral of each B-spline over the span, (n_pieces,)."""
        return self._spent(self.knots[:1] + self._length)[0]

    @cached_property
    def _roughness(self) -> FloatArray:
        """Integrals of products of derivatives, by Gauss' rule, which is exact for polynomials."""
        from scipy.interpolate import BSpline

        t, k, order = self._whole_knots, self.degree, min(2, self.degree)
        stops = np.append(self.knots, self.knots[0] + self._length)
        stops = np.unique(stops) if self.period is None else stops
        nodes, weights = np.polynomial.legendre.leggauss(k)
        half = 0.5 * np.diff(stops)[:, None]
        times = (stops[:-1, None] + half * (1.0 + nodes)).ravel()
        bends = BSpline(t, np.eye(t.size - k - 1), k).derivative(order)(times)
        bends = self._folded(bends)
        out = (bends * (half * weights).ravel()[:, None]).T @ bends
        return np.asarray(0.5 * (out + out.T))


def _checked_smoothing(smoothing: Any) -> Any:
    """Return smoothing as it is kept: None, "estimate" or an array of numbers >= 0."""
    if smoothing is None or (isinstance(smoothing, str) and smoothing == _ESTIMATE):
        return smoothing
    if isinstance(smoothing, str):
        raise InvalidParameterError(
            f"smoothing must be 'estimate', None or numbers of at least 0; got {brief(smoothing)}."
        )
    array = check_nonnegative(smoothing, "smoothing")
    if array.ndim > 1:
        raise InvalidParameterError(
            f"smoothing must be one number, or one for each mark; got shape {array.shape}."
        )
    array.flags.writeable = False
    return array
