"""The power law of Omori and Utsu."""

from __future__ import annotations

import numpy as np

from hawkeys._loops import over_time as loops
from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import check_positive_number
from hawkeys.events import Events
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels.base import TAIL, BlockLayout
from hawkeys.kernels.density import DensityKernel
from hawkeys.kernels.exponential import Exponential
from hawkeys.kernels.exponential_sums import ExponentialSum, power_as_exponentials

__all__ = ["PowerLaw"]

# beyond, the sum of exponentials is not known to the digits it promises
_STEEPEST = 1000.0
_FINEST, _USUAL, _COARSEST = 1e-13, 1e-10, 0.1
# a lag that is drawn is a number, however little of it any window will see
_LONGEST = 1e300


class PowerLaw(DensityKernel):
    r"""The power law of Omori and Utsu, the same for all pairs of marks.

    .. math:: g(u) = \frac{(p - 1) \, c^{p - 1}}{(u + c)^p}

    Parameters
    ----------
    c : float, optional
        Lag > 0, in the unit of time, from which on the density falls as a power; before, it is
        about level. Left out with p, both are estimated by `hawkeys.fit`.
    p : float, optional
        Exponent, above 1 and at most 1000. The mean lag is c / (p - 2) if p > 2, else infinite.
    tolerance : float, default 1e-10
        Largest relative error of the sums over events, between 1e-13 and 0.1; see Notes.

    Attributes
    ----------
    c, p : float or None
        As given; None if they are to be estimated.
    tolerance : float
        As given.

    Raises
    ------
    InvalidParameterError
        c is not positive; p is not above 1, where the mass of the density would be infinite, or
        above 1000; one of them is given alone; the tolerance is out of range.

    Notes
    -----
    Density, distribution function, random lags, what remains of a kernel and the integrals over
    windows are closed forms. The sums over earlier events are those of some tens of exponentials
    (`exponentials`), whose sum differs from the density by at most `tolerance`, relatively, at
    every lag up to the longest window; the bound is computed from the terms, not measured. An
    intensity is then right to this tolerance, and a log-likelihood to this tolerance times the
    number of events. The cost is O(n_events n_marks n_terms), with n_terms growing as the logarithm
    of the longest window over c: 53 for a factor of a million.

    A power law with p near 1 spreads its mass over all scales of time: of p = 1.1, a window of
    1e6 c sees 75 %. The adjacency counts all children, those after the window too, so that it and p
    can hardly be told apart there.

    Left out, c and p are estimated by "mle", with c from a tenth of the shortest lags to the
    longest window and p from 1.002 to 51; a warning says if it rises to one of these bounds.
    In 100 simulated samples of 1,000 events (c = 0.2, p = 2) the 95 % intervals of c and p covered
    in 90 and 93 % (benchmarks/power_law_coverage.py).

    References
    ----------
    Utsu, T. (1961). A statistical study on the occurrence of aftershocks. Geophysical Magazine 30,
    521-605.

    Ogata, Y. (1988). Statistical models for earthquake occurrences and residual analysis for point
    processes. Journal of the American Statistical Association 83, 9-27, eq. 17.
    doi:10.1080/01621459.1988.10478560

    Examples
    --------
    >>> from hawkeys.kernels import PowerLaw
    >>> kernel = PowerLaw(c=0.5, p=2.0)
    >>> kernel.density([0.5, 4.5]).round(6)  # 0.5 / (u + 0.5)^2
    array([0.5 , 0.02])
    >>> kernel.exponentials(1_000.0).rates.size
    38
    """

    name = "power_law"
    parameter_names = ("c", "p")

    def __init__(
        self, c: float | None = None, p: float | None = None, *, tolerance: float = _USUAL
    ) -> None:
        if (c is None) != (p is None):
            raise InvalidParameterError(
                f"c and p are given or estimated together; got c={c}, p={p}. Give both, or neither."
            )
        self.c = None if c is None else check_positive_number(c, "c")
        self.p = None if p is None else check_positive_number(p, "p")
        self.tolerance = check_positive_number(tolerance, "tolerance")
        if self.p is not None and not 1.0 < self.p <= _STEEPEST:
            raise InvalidParameterError(
                f"p must be above 1, so that the mass is finite, and at most {_STEEPEST:g}; got "
                f"{self.p:g}. A power law with a larger p is the exponential of decay p / c."
            )
        if not _FINEST <= self.tolerance <= _COARSEST:
            raise InvalidParameterError(
                f"tolerance must be between {_FINEST:g} and {_COARSEST:g}; got {self.tolerance:g}."
            )

    def __repr__(self) -> str:
        parts = [] if self.c is None else [f"c={self.c:.6g}", f"p={self.p:.6g}"]
        parts += [] if self.tolerance == _USUAL else [f"tolerance={self.tolerance:.6g}"]
        return f"PowerLaw({', '.join(parts)})"

    @property
    def known(self) -> bool:
        """Whether c and p are given; if not, `hawkeys.fit` estimates them."""
        return self.c is not None

    def unknown(self) -> PowerLaw:
        """Return the kernel without c and p, for `hawkeys.fit` to estimate."""
        return PowerLaw(tolerance=self.tolerance)

    def law(self) -> tuple[float, float]:
        """Return c and p.

        Returns
        -------
        c, p : float
            As given.

        Raises
        ------
        InvalidParameterError
            They are not known.
        """
        if self.c is None or self.p is None:
            raise InvalidParameterError(
                "c and p of PowerLaw are not known; give both, or let hawkeys.fit estimate them by "
                "method 'mle'."
            )
        return self.c, self.p

    def check_marks(self, n_marks: int) -> None:
        """Refuse unknown parameters; they are the same for any number of marks.

        Parameters
        ----------
        n_marks : int
            Number of marks of the process.

        Raises
        ------
        InvalidParameterError
            c and p are not known.
        """
        self.law()

    def density(self, lags: ArrayLike) -> FloatArray:
        """Evaluate g at lags.

        Parameters
        ----------
        lags : float or array_like, shape (n,)
            Lags in the unit of time of c; the density is 0 at lags <= 0.

        Returns
        -------
        ndarray of float64, shape (n,)
            Density per unit of time.
        """
        lag = np.atleast_1d(np.asarray(lags, dtype=np.float64))
        c, p = self.law()
        return np.where(lag > 0, (p - 1.0) / c * np.exp(-p * self._logs(lag)), 0.0)

    def cdf(self, lags: ArrayLike) -> FloatArray:
        """Return the mass of g up to lags, 1 - (1 + u / c)^(1 - p).

        Parameters
        ----------
        lags : float or array_like, shape (n,)
            Lags in the unit of time of c; 0 at lags <= 0.

        Returns
        -------
        ndarray of float64, shape (n,)
            Between 0 and 1.
        """
        lag = np.atleast_1d(np.asarray(lags, dtype=np.float64))
        _, p = self.law()
        return -np.expm1((1.0 - p) * self._logs(lag))

    def sample(self, rng: np.random.Generator, size: int) -> FloatArray:
        """Draw lags from g by inversion.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness.
        size : int
            How many.

        Returns
        -------
        ndarray of float64, shape (size,)
            Lags; 1e300 at most.
        """
        return self._beyond(rng, np.zeros(size))

    def reach(self, longest: float) -> float:
        """Return the lag, `longest` at most, beyond which less than 1e-12 of the mass is left.

        Parameters
        ----------
        longest : float
            Longest lag of interest, > 0.

        Returns
        -------
        float
            In the unit of time of c.
        """
        c, p = self.law()
        powers = -np.log(TAIL) / (p - 1.0)
        return min(longest, c * float(np.expm1(min(powers, np.log1p(longest / c)))))

    def exponentials(self, longest: float) -> ExponentialSum:
        """Return the exponentials that stand for g in sums over events.

        Parameters
        ----------
        longest : float
            Longest lag, >= 0, in the unit of time of c.

        Returns
        -------
        ExponentialSum
            Rates, heights, and the bound of the relative error of their sum at lags up to
            `longest`, as far as g there is above 1e-238 of its height.

        Examples
        --------
        >>> import numpy as np
        >>> from hawkeys.kernels import PowerLaw
        >>> kernel = PowerLaw(c=0.01, p=1.2)
        >>> rates, heights, error = kernel.exponentials(2_500.0)
        >>> bool(abs(heights @ np.exp(-rates * 7.0) / kernel.density(7.0)[0] - 1) < error < 1e-10)
        True
        """
        c, p = self.law()
        found = power_as_exponentials(p, longest / c, self.tolerance)
        return ExponentialSum(found.rates / c, found.heights * ((p - 1.0) / c), found.error)

    def excitation(self, events: Events, layout: BlockLayout) -> FloatArray:
        """Return c_ij at each event; see `Kernel.excitation`."""
        out = np.zeros(events.n_events * events.n_marks)
        for part, weight in self._parts(float(events.durations.max(initial=0.0))):
            out += weight * part.excitation(events, layout)
        return out

    def integrals(self, events: Events) -> FloatArray:
        """Return K_ij over each window; see `Kernel.integrals`."""
        owners, size = events.realization, events.n_marks
        mass = self.cdf(events.end_times[owners] - events.times)
        found = np.bincount(owners * size + events.marks, mass, events.n_realizations * size)
        shape = events.n_realizations, size, size
        return np.broadcast_to(found.reshape(-1, 1, size), shape)

    def remaining_mass(self, elapsed: FloatArray, sources: IntArray, n_marks: int) -> FloatArray:
        """Return (1 + elapsed / c)^(1 - p) for every target; see `Kernel.remaining_mass`."""
        left = np.exp((1.0 - self.law()[1]) * self._logs(elapsed))
        return np.broadcast_to(np.where(left > TAIL, left, 0.0)[:, None], (elapsed.size, n_marks))

    def sample_residual_lags(
        self,
        rng: np.random.Generator,
        targets: IntArray,
        sources: IntArray,
        elapsed: FloatArray,
    ) -> FloatArray:
        """Draw remaining lags: those of a power law whose c is larger by `elapsed`."""
        return self._beyond(rng, elapsed)

    def sample_lags_until(
        self,
        rng: np.random.Generator,
        targets: IntArray,
        sources: IntArray,
        elapsed: FloatArray,
        horizon: float,
    ) -> FloatArray:
        """Draw remaining lags of at most `horizon`, by inversion."""
        c, p = self.law()
        # of what is left, the share that comes within the horizon
        share = -np.expm1((1.0 - p) * np.log1p(horizon / (c + elapsed)))
        powers = -np.log1p(-share * rng.random(elapsed.size)) / (p - 1.0)
        return np.minimum((c + elapsed) * np.expm1(powers), horizon)

    def _beyond(self, rng: np.random.Generator, elapsed: FloatArray) -> FloatArray:
        """Draw what remains of lags that exceed `elapsed`, (n,)."""
        c, p = self.law()
        powers = rng.standard_exponential(elapsed.size) / (p - 1.0)
        with np.errstate(over="ignore"):
            return np.minimum((c + elapsed) * np.expm1(powers), _LONGEST)

    def _logs(self, lags: FloatArray) -> FloatArray:
        """Return log(1 + u / c), 0 at lags <= 0."""
        return np.log1p(np.maximum(lags, 0.0) / self.law()[0])

    def _parts(self, longest: float) -> list[tuple[Exponential, float]]:
        """Return exponential kernels and their weights for lags up to `longest`."""
        found = self.exponentials(longest)
        return [
            (Exponential(rate), height / rate)
            for rate, height in zip(found.rates, found.heights, strict=True)
        ]

    def _by_source(
        self, events: Events, realization: int, times: FloatArray, *, mass: bool
    ) -> FloatArray:
        """Return c_j or its integral at sorted times of one realisation, (n_times, n_marks)."""
        rows = slice(events.offsets[realization], events.offsets[realization + 1])
        path = events.times[rows], events.marks[rows]
        out = np.zeros((times.size, events.n_marks))
        ends = np.append(times - events.start_times[realization], events.durations)
        for part, weight in self._parts(float(ends.max())):
            decay = np.full(events.n_marks, float(part.decay))
            out += weight * loops.source_sums_at(*path, decay, times, mass=mass)
        return out
