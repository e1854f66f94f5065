"""The baseline that is log-linear in covariates."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import as_float_array, brief, brief_names, check_nonnegative, check_shape
from hawkeys.baselines.base import Baseline
from hawkeys.baselines.steps import increasing_knots, refuse_outside
from hawkeys.exceptions import InvalidParameterError

__all__ = ["LogLinear"]

# the largest exponent whose exponential has a square with room for a rate
_LARGEST = 300.0


class LogLinear(Baseline):
    r"""A baseline of covariates: :math:`\mu_i(t) = r_i \, e(t) \exp(\sum_k \beta_k x_k(t))`.

    The covariates x are constant between knots; so is the exposure e, which is known, or 1. There
    is one piece, whose rate r_i is that of a mark where all covariates are 0 and the exposure is 1.
    All marks share the coefficients. A function of time is given by its values on narrow stretches.

    Parameters
    ----------
    knots : array_like, shape (n_stretches + 1,)
        Increasing times, on the same clock as the events. Every window must lie within them.
    covariates : array_like or frame, shape (n_stretches, n_covariates), or None
        Value of each covariate between knots[s] and knots[s + 1]; one covariate may be a list of
        numbers. The columns of a frame name the covariates. None: the exposure alone.
    coefficients : array_like, shape (n_covariates,), optional
        The :math:`\beta`, per unit of each covariate. Left out, they are estimated by
        `hawkeys.fit` with the method "mle".
    rates : array_like, shape (n_marks, 1), optional
        Rate of each mark, per unit of time. Left out, they are estimated by `hawkeys.fit`; given,
        they are held, and the coefficients must be given, too.
    exposure : array_like, shape (n_stretches,), optional
        Known factor >= 0 of the baseline: people at risk, the share of a shop that is open, a
        published trend. Default: 1.
    names : sequence of str, optional
        Names of the covariates. Default: those of the frame's columns, or x0, x1, ...

    Attributes
    ----------
    knots : ndarray of float64
        The knots, read-only.
    covariates : ndarray of float64, shape (n_stretches, n_covariates)
        Read-only.
    coefficients : ndarray of float64, shape (n_covariates,), or None
        Read-only; None if they are to be estimated by `hawkeys.fit`.
    exposure : ndarray of float64, shape (n_stretches,)
        Read-only.
    names : tuple of str
        One name for each covariate.

    Raises
    ------
    InvalidParameterError
        Knots that do not increase; values that are not finite or of another shape; an exposure that
        is negative or 0 throughout; rates without coefficients; coefficients under which the
        baseline is beyond what a number can hold. Later: a window that is not within the knots.

    Notes
    -----
    The log-likelihood of a Poisson process is concave in the coefficients (log-linear regression of
    counts, the exposure being the length of a stretch times e); beside excitation it need not be:
    `hawkeys.fit` climbs from the coefficients without excitation and from 0, and keeps the better.

    References
    ----------
    Cox, D. R. and Lewis, P. A. W. (1966). The Statistical Analysis of Series of Events, chapter 3.
    Methuen. doi:10.1007/978-94-011-7801-3

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.baselines import LogLinear
    >>> wet = LogLinear([0, 1, 2, 4], [0, 1, 0.5], [0.7], [[2.0]], names=["rain"])
    >>> wet.at(np.array([0.5, 1.5, 3.0]))[:, 0].round(2)
    array([2.  , 4.03, 2.84])
    >>> wet
    LogLinear(n_stretches=3, from 0 to 4, rain=0.7)
    """

    name = "log_linear"
    n_pieces = 1
    labels = ("rate",)

    def __init__(
        self,
        knots: ArrayLike,
        covariates: Any,
        coefficients: ArrayLike | None = None,
        rates: ArrayLike | None = None,
        *,
        exposure: ArrayLike | None = None,
        names: Sequence[str] | None = None,
    ) -> None:
        self.knots = increasing_knots(knots, minimum=2)
        self.covariates = _checked_covariates(covariates, self.knots.size - 1)
        self.names = _checked_names(names, covariates, self.covariates.shape[1])
        self.exposure = _checked_exposure(exposure, self.knots.size - 1)
        self.coefficients: FloatArray | None = None
        if coefficients is not None or not self.names:
            self._keep_coefficients(() if coefficients is None else coefficients)
        self._keep(rates)

    def __repr__(self) -> str:
        first, last = self.knots[[0, -1]]
        shown = ", ".join(self.names)
        if self.coefficients is not None:
            pairs = zip(self.names, self.coefficients, strict=True)
            shown = ", ".join(f"{name}={value:.4g}" for name, value in pairs)
        size = self.knots.size - 1
        return f"LogLinear(n_stretches={size}, from {first:.12g} to {last:.12g}, {shown})"

    def with_coefficients(self, coefficients: ArrayLike | None) -> LogLinear:
        """Return this baseline with other coefficients; None leaves them to `hawkeys.fit`.

        Parameters
        ----------
        coefficients : array_like, shape (n_covariates,), or None
            Per unit of each covariate.

        Returns
        -------
        LogLinear
            With the same knots, covariates, exposure and rates; without coefficients the rates are
            unknown, too.

        Raises
        ------
        InvalidParameterError
            They are of another shape, not finite or too large.

        Examples
        --------
        >>> from hawkeys.baselines import LogLinear
        >>> LogLinear([0, 1, 2], [0, 1]).with_coefficients([2.0]).coefficients
        array([2.])
        """
        out = copy.copy(self)
        out.coefficients = None
        if coefficients is None and self.names:
            out.rates = None
        else:
            out._keep_coefficients(() if coefficients is None else coefficients)
        return out

    @property
    def factors(self) -> FloatArray:
        """What the rates are multiplied by on each stretch, shape (n_stretches,).

        Raises
        ------
        InvalidParameterError
            The coefficients are unknown.
        """
        if self.coefficients is None:
            raise InvalidParameterError(
                f"the coefficients of LogLinear ({brief_names(self.names)}) are not known; give "
                "coefficients=..., one for each covariate, or let hawkeys.fit estimate them by "
                "method 'mle'."
            )
        return np.asarray(self.exposure * np.exp(self.covariates @ self.coefficients))

    @property
    def shares(self) -> FloatArray:
        """Mean factor between the first and the last knot, shape (1,)."""
        return np.array([np.average(self.factors, weights=np.diff(self.knots))])

    @property
    def is_positive(self) -> bool:
        """Whether the exposure is above 0 throughout."""
        return bool((self.exposure > 0.0).all())

    @property
    def is_stationary(self) -> bool:
        """False: nothing is said of the time outside the knots."""
        return False

    @property
    def last(self) -> float:
        """The last knot."""
        return float(self.knots[-1])

    def held_until(self, end: float) -> LogLinear:
        """Return the baseline with the last stretch drawn out; see `Baseline.held_until`."""
        return type(self)(
            np.append(self.knots[:-1], max(end, self.last)),
            self.covariates,
            self.coefficients,
            self.rates,
            exposure=self.exposure,
            names=self.names,
        )

    def check_windows(self, starts: FloatArray, ends: FloatArray) -> None:
        """Refuse windows that are not within the knots; see `Baseline.check_windows`."""
        refuse_outside(self.knots, starts, ends, "log-linear")

    def basis(self, times: FloatArray) -> FloatArray:
        """Return the factor at each time, shape (n_times, 1)."""
        return self.factors[self._stretches(times)][:, None]

    def integrals(self, starts: FloatArray, ends: FloatArray) -> FloatArray:
        """Return the integral of the factors over each window, shape (n_windows, 1)."""
        self.check_windows(starts, ends)
        return np.maximum(self._spent(ends) - self._spent(starts), 0.0)[:, None]

    def sample_times(
        self, rng: np.random.Generator, pieces: IntArray, starts: FloatArray, ends: FloatArray
    ) -> FloatArray:
        """Draw times by inversion of the integral; see `Baseline.sample_times`."""
        whole = self._whole
        wanted = rng.uniform(self._spent(starts), self._spent(ends))
        # the stretch in which the integral reaches what is wanted, none whose factor is 0
        found = np.searchsorted(whole, wanted, side="left") - 1
        found = np.clip(found, 0, self.knots.size - 2)
        times = self.knots[found] + (wanted - whole[found]) / np.maximum(
            self.factors[found], np.finfo(np.float64).tiny
        )
        return np.clip(np.minimum(times, self.knots[found + 1]), starts, ends)

    def time_in_stretches(
        self, starts: FloatArray, ends: FloatArray, weights: FloatArray | None = None
    ) -> FloatArray:
        """Return the time that windows spend in each stretch, times the exposure.

        Parameters
        ----------
        starts, ends : ndarray of float64, shape (n_windows,)
            Windows within the knots.
        weights : ndarray of float64, shape (n_windows,), optional
            Weight of each window. Default: 1.

        Returns
        -------
        ndarray of float64, shape (n_stretches,)
            Weighted sums over the windows.
        """
        weight = np.ones(starts.size) if weights is None else weights
        # the windows that a knot has behind it, and how long before it they began or ended
        spent = np.zeros(self.knots.size)
        for times, sign in ((starts, 1.0), (ends, -1.0)):
            order = np.argsort(times, kind="stable")
            behind = np.searchsorted(times[order], self.knots, side="right")
            many = np.append(0.0, np.cumsum(weight[order]))[behind]
            moments = np.append(0.0, np.cumsum((weight * (times - self.knots[0]))[order]))[behind]
            spent += sign * (many * (self.knots - self.knots[0]) - moments)
        return np.maximum(np.diff(spent), 0.0) * self.exposure

    def with_rates(self, rates: ArrayLike | None) -> LogLinear:
        """Return a baseline with these covariates and coefficients, and other rates."""
        out = copy.copy(self)
        out._keep(rates)
        return out

    def to_dict(self) -> dict[str, Any]:
        """Return the class and the arguments of its constructor."""
        coefficients = None if self.coefficients is None else self.coefficients.tolist()
        return {
            "name": self.name,
            "knots": self.knots.tolist(),
            "covariates": self.covariates.tolist(),
            "coefficients": coefficients,
            "rates": self.rates_to_json(),
            "exposure": self.exposure.tolist(),
            "names": list(self.names),
        }

    @property
    def _whole(self) -> FloatArray:
        """Integral of the factors from the first knot to each, shape (n_stretches + 1,)."""
        return np.concatenate(([0.0], np.cumsum(self.factors * np.diff(self.knots))))

    def _stretches(self, times: FloatArray) -> IntArray:
        """Return which stretch each time is in."""
        found = np.searchsorted(self.knots, times, side="right") - 1
        return np.clip(found, 0, self.knots.size - 2)

    def _spent(self, times: FloatArray) -> FloatArray:
        """Return the integral of the factors from the first knot to each time."""
        inside = np.clip(times, self.knots[0], self.knots[-1])
        found = self._stretches(inside)
        return np.asarray(self._whole[found] + self.factors[found] * (inside - self.knots[found]))

    def _keep(self, rates: ArrayLike | None) -> None:
        """Check and keep the rates, which need coefficients."""
        if rates is not None and self.coefficients is None:
            raise InvalidParameterError(
                f"rates of LogLinear are those at coefficients that are known; got rates "
                f"{brief(rates)} without coefficients. Give both, or leave both to hawkeys.fit."
            )
        super()._keep(rates)

    def _keep_coefficients(self, coefficients: ArrayLike) -> None:
        array = as_float_array(coefficients, "coefficients")
        shape = (self.covariates.shape[1],)
        check_shape(array, "coefficients", shape, f"one for each of {brief_names(self.names)}")
        exponents = self.covariates @ array
        most = float(abs(exponents).max(initial=0.0))
        if not most <= _LARGEST:
            s = int(abs(exponents).argmax())
            raise InvalidParameterError(
                f"coefficients {brief(coefficients)} make the baseline exp({exponents[s]:.4g}) "
                f"times the rate between knots {self.knots[s]:.6g} and {self.knots[s + 1]:.6g}, "
                "beyond what a number can hold. Give covariates around 0, in units in which they "
                "differ by about 1."
            )
        array.flags.writeable = False
        self.coefficients = array


def _checked_covariates(covariates: Any, size: int) -> FloatArray:
    """Return the covariates, read-only, (n_stretches, n_covariates)."""
    if covariates is None:
        covariates = np.empty((size, 0))
    elif hasattr(covariates, "columns") and hasattr(covariates, "to_numpy"):
        covariates = covariates.to_numpy()
    array = as_float_array(covariates, "covariates")
    array = array[:, None] if array.ndim == 1 else array
    if array.ndim != 2 or len(array) != size:
        raise InvalidParameterError(
            f"covariates must have one row for each of the {size} stretches between knots, and one "
            f"column for each covariate; got shape {array.shape}. There is one knot more than rows."
        )
    array.flags.writeable = False
    return array


def _checked_names(names: Any, covariates: Any, size: int) -> tuple[str, ...]:
    if names is None:
        columns = getattr(covariates, "columns", None)
        names = [f"x{k}" for k in range(size)] if columns is None else map(str, columns)
    elif isinstance(names, str):
        names = [names]
    found = tuple(names)
    if len(found) != size or len(set(found)) != size or not all(map(_is_text, found)):
        raise InvalidParameterError(
            f"names must be {size} different texts, one for each covariate; got "
            f"{brief_names(found)}."
        )
    return found


def _checked_exposure(exposure: ArrayLike | None, size: int) -> FloatArray:
    array = np.ones(size) if exposure is None else check_nonnegative(exposure, "exposure")
    check_shape(array, "exposure", (size,), "one for each stretch between knots")
    if not (array > 0.0).any():
        raise InvalidParameterError("exposure is 0 throughout; no event could be without parent.")
    array.flags.writeable = False
    return array


def _is_text(name: Any) -> bool:
    return isinstance(name, str) and bool(name)
