"""The contract of baselines."""

from __future__ import annotations

import copy
from abc import ABC, abstractmethod
from typing import Any, ClassVar

import numpy as np

from hawkeys._registry import Named
from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import check_nonnegative, refuse_labels
from hawkeys.baselines.checks import check_times, checked_basis, checked_integrals
from hawkeys.exceptions import InvalidParameterError

__all__ = ["Baseline"]

# of a window, until a time in it is known to the last bit
_HALVINGS = 60


class Baseline(Named, ABC):
    r"""Contract of a baseline: :math:`\mu_i(t) = \sum_q r_{iq} \, b_q(t)` with all b_q >= 0.

    The b_q have no unit, the rates r are per unit of time. A subclass says what the pieces are:
    `n_pieces`, `labels`, `shares`, `basis` and `integrals`. Its `name` (that of the class unless it
    says another) is what a file calls it; `to_dict` writes the arguments of the constructor from
    the attributes of the same names, unless a subclass writes others.

    Parameters
    ----------
    rates : array_like, shape (n_marks, n_pieces), optional
        Rate of each mark and piece. Left out, they are estimated by
        `hawkeys.fit`; given, they are held.

    Attributes
    ----------
    rates : ndarray of float64, shape (n_marks, n_pieces), or None
        Read-only; None if they are to be estimated by `hawkeys.fit`.

    Raises
    ------
    InvalidParameterError
        Rates that are negative, not finite or of the wrong shape. Later, of a class of your own:
        what a method returned is not finite, negative or of another shape, or `integrals` is not
        the area under `basis` (they are compared on one window, once for each object).
    """

    _kind: ClassVar[str] = "baseline"
    rates: FloatArray | None
    # weight of the penalty r' S r / 2 on the rates of each mark, whose matrix S is `roughness`
    smoothing: Any = None

    def __init__(self, rates: ArrayLike | None = None) -> None:
        self._keep(rates)

    @property
    @abstractmethod
    def n_pieces(self) -> int:
        """Number of functions b_q."""

    @property
    @abstractmethod
    def labels(self) -> tuple[str, ...]:
        """Name of each piece, for tables and messages."""

    @property
    @abstractmethod
    def shares(self) -> FloatArray:
        """Mean of each b_q over the span of the baseline, shape (n_pieces,)."""

    @abstractmethod
    def basis(self, times: FloatArray) -> FloatArray:
        """Return b_q at times within the span, shape (n_times, n_pieces)."""

    @abstractmethod
    def integrals(self, starts: FloatArray, ends: FloatArray) -> FloatArray:
        """Return the integral of each b_q over windows within the span, (n_windows, n_pieces)."""

    def sample_times(
        self, rng: np.random.Generator, pieces: IntArray, starts: FloatArray, ends: FloatArray
    ) -> FloatArray:
        """Draw a time with density proportional to b_pieces[k] on each [starts[k], ends[k]].

        By inversion of `integrals`; a baseline that knows a quicker way overrides this.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness.
        pieces : ndarray of int64, shape (n,)
            Which function; its integral over the window is above 0.
        starts, ends : ndarray of float64, shape (n,)
            Windows within the span.

        Returns
        -------
        ndarray of float64, shape (n,)
            Times.
        """
        each = np.arange(pieces.size)
        wanted = rng.random(pieces.size) * self.integrals(starts, ends)[each, pieces]
        low, high = starts.astype(np.float64), ends.astype(np.float64)
        for _ in range(_HALVINGS):
            middle = 0.5 * (low + high)
            below = self.integrals(starts, middle)[each, pieces] < wanted
            low, high = np.where(below, middle, low), np.where(below, high, middle)
        return 0.5 * (low + high)

    def with_rates(self, rates: ArrayLike | None) -> Baseline:
        """Return these functions with other rates; None leaves the rates to `hawkeys.fit`."""
        out = copy.copy(self)
        out._keep(rates)
        return out

    @property
    def known(self) -> bool:
        """Whether the rates are given; if not, `hawkeys.fit` estimates them."""
        return self.rates is not None

    @property
    def is_positive(self) -> bool:
        """Whether some b_q is known to be above 0 at every time of the span."""
        return False

    @property
    def roughness(self) -> FloatArray | None:
        """Matrix S of a penalty on the rates of a mark, (n_pieces, n_pieces); None: no penalty."""
        return None

    @property
    def is_stationary(self) -> bool:
        """Whether a mean over all time exists, so that a process can have a stationary rate."""
        return True

    @property
    def last(self) -> float:
        """The moment after which the baseline says nothing; infinite if there is none."""
        return np.inf

    def held_until(self, end: float) -> Baseline:
        """Return a baseline that stays, after `last` and up to `end`, as it is at `last`."""
        return self

    @property
    def known_rates(self) -> FloatArray:
        """The rates, shape (n_marks, n_pieces). Raises InvalidParameterError while unknown."""
        if self.rates is None:
            raise InvalidParameterError(
                f"the rates of {type(self).__name__} are not known; give rates=..., one row per "
                "mark and one column per piece, or let hawkeys.fit estimate them."
            )
        return self.rates

    @property
    def mean_rates(self) -> FloatArray:
        """Mean of each mark's baseline over the span, shape (n_marks,), per unit of time."""
        return self.known_rates @ self.shares

    def check_windows(self, starts: FloatArray, ends: FloatArray) -> None:
        """Refuse windows, each (n_windows,), on which the baseline is not defined."""

    def at(self, times: FloatArray) -> FloatArray:
        """Return each mark's baseline at times within the span, shape (n_times, n_marks)."""
        return checked_basis(self, times) @ self.known_rates.T

    def basis_within(self, times: FloatArray, ends: FloatArray) -> FloatArray:
        """Return b_q at times in windows that end at `ends`, shape (n_times, n_pieces).

        Windows are closed. A time exactly at the end of its window is judged from the left: by the
        piece that the window covers, not by one that only begins there.
        """
        inside = np.where(times == ends, np.nextafter(ends, -np.inf), times)
        return checked_basis(self, inside)

    def at_within(self, times: FloatArray, ends: FloatArray) -> FloatArray:
        """Return each mark's baseline as `basis_within`, shape (n_times, n_marks)."""
        return self.basis_within(times, ends) @ self.known_rates.T

    def integral(self, starts: FloatArray, ends: FloatArray) -> FloatArray:
        """Return the expected number of events without parents, shape (n_windows, n_marks)."""
        return checked_integrals(self, starts, ends) @ self.known_rates.T

    def immigrants(
        self, rng: np.random.Generator, starts: FloatArray, ends: FloatArray
    ) -> tuple[FloatArray, IntArray, IntArray]:
        """Draw the events that nothing excites on windows, exactly.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness.
        starts, ends : ndarray of float64, shape (n_windows,)
            Windows within the span.

        Returns
        -------
        times, marks, windows : ndarray, shape (n,)
            Time, mark and window of each event, in no order of time: the pieces are independent
            Poisson processes, drawn one after the other.
        """
        integrals = checked_integrals(self, starts, ends)
        expected = integrals[:, None, :] * self.known_rates[None, :, :]
        counts = rng.poisson(expected)
        windows, marks, pieces = (
            np.repeat(index.ravel(), counts.ravel()) for index in np.indices(counts.shape)
        )
        low, high = starts[windows], ends[windows]
        times = check_times(self, self.sample_times(rng, pieces, low, high), low, high)
        return times, marks, windows

    def _keep(self, rates: ArrayLike | None) -> None:
        """Check and keep the rates, or keep that they are unknown."""
        self.rates = None
        if rates is None:
            return
        refuse_labels(rates, "rates")
        array = check_nonnegative(rates, "rates")
        if array.ndim != 2 or array.shape[1] != self.n_pieces:
            raise InvalidParameterError(
                f"rates of {type(self).__name__} must have one row per mark and one column per "
                f"piece, shape (n_marks, {self.n_pieces}); got shape {array.shape}."
                f"{self._advice(array)}"
            )
        array.flags.writeable = False
        self.rates = array

    def _advice(self, rates: FloatArray) -> str:
        """Return how to write rates that came without a row or column for each mark."""
        if rates.ndim == 1 and rates.size == self.n_pieces:
            return " Of one mark they are a row: write [[r1, r2, ...]]."
        return " Write [[r1, ...], ...], a list for each mark."

    def rates_to_json(self) -> list[list[float]] | None:
        """Return the rates as lists, None while unknown."""
        return None if self.rates is None else self.rates.tolist()
