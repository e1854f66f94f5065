"""The periodic baseline."""

from __future__ import annotations

from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import check_positive_number
from hawkeys.baselines.base import Baseline
from hawkeys.baselines.steps import increasing_knots, indicators, stretches
from hawkeys.exceptions import InvalidParameterError

__all__ = ["Periodic"]


class Periodic(Baseline):
    """A baseline that repeats: constant between knots within one period.

    b_q is 1 from knots[q] to knots[q + 1], the last one from knots[-1] to knots[0] + period, and
    the same a whole number of periods later or earlier.

    Parameters
    ----------
    knots : array_like, shape (n_pieces,)
        Increasing times within one period: the last less than `period` after the first.
    period : float
        Length of the period, in the unit of time of the events.
    rates : array_like, shape (n_marks, n_pieces), optional
        Rate of each mark in each piece, per unit of time. Left out, they are estimated by
        `hawkeys.fit`; given, they are held.

    Attributes
    ----------
    knots : ndarray of float64
        The knots, read-only.
    period : float
        The period.

    Raises
    ------
    InvalidParameterError
        Knots that do not increase or do not fit into one period, a period that is not positive, or
        rates that are negative, not finite or of the wrong shape.

    Notes
    -----
    The mean rate, `Hawkes.baseline`, is that over one period.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.baselines import Periodic
    >>> day = Periodic([0, 8, 20], period=24, rates=[[0.0, 3.0, 1.0]])
    >>> day.at(np.array([9.0, 23.0, 24.0 * 365 + 9.0]))[:, 0]
    array([3., 1., 3.])
    >>> day.mean_rates  # (12 * 3 + 4 * 1) / 24
    array([1.66666667])
    """

    name = "periodic"

    def __init__(self, knots: ArrayLike, period: float, rates: ArrayLike | None = None) -> None:
        self.knots = increasing_knots(knots, minimum=1)
        self.period = check_positive_number(period, "period")
        if self.knots[-1] - self.knots[0] >= self.period:
            raise InvalidParameterError(
                f"the knots of a periodic baseline must lie within one period of {self.period:g}; "
                f"they go from {self.knots[0]:.12g} to {self.knots[-1]:.12g}. The end of the last "
                "piece is the first knot, one period later, and is not given."
            )
        self._keep(rates)

    def __repr__(self) -> str:
        return f"Periodic(n_pieces={self.n_pieces}, period={self.period:g})"

    @property
    def n_pieces(self) -> int:
        """Number of stretches of a period."""
        return int(self.knots.size)

    @property
    def labels(self) -> tuple[str, ...]:
        """The stretches of the first period, as "[0, 8) mod 24"."""
        whole = np.append(self.knots, self.knots[0] + self.period)
        return tuple(f"{label} mod {self.period:.12g}" for label in stretches(whole))

    @property
    def shares(self) -> FloatArray:
        """Share of each stretch in the period."""
        return self._widths / self.period

    @property
    def is_positive(self) -> bool:
        """True: one b_q is 1 at every time."""
        return True

    @property
    def _bounds(self) -> FloatArray:
        """Phases at which stretches begin, from 0, and the period."""
        return np.append(self.knots - self.knots[0], self.period)

    @property
    def _widths(self) -> FloatArray:
        return np.diff(self._bounds)

    def _phases(self, times: FloatArray) -> FloatArray:
        """Return the time since the period began."""
        return np.mod(times - self.knots[0], self.period)

    def _spent(self, phases: FloatArray) -> FloatArray:
        """Return the time spent in each stretch since the period began, (n, n_pieces)."""
        return np.clip(phases[:, None] - self._bounds[:-1], 0.0, self._widths)

    def basis(self, times: FloatArray) -> FloatArray:
        """Return which stretch each time is in, shape (n_times, n_pieces)."""
        found = np.searchsorted(self._bounds, self._phases(times), side="right") - 1
        return indicators(np.minimum(found, self.n_pieces - 1), self.n_pieces)

    def integrals(self, starts: FloatArray, ends: FloatArray) -> FloatArray:
        """Return the time each window spends in each stretch."""
        begin = self._phases(starts)
        whole, rest = np.divmod(begin + (ends - starts), self.period)
        spent = self._spent(rest) - self._spent(begin)
        return np.maximum(whole[:, None] * self._widths + spent, 0.0)  # below 0 by rounding only

    def sample_times(
        self, rng: np.random.Generator, pieces: IntArray, starts: FloatArray, ends: FloatArray
    ) -> FloatArray:
        """Draw uniform times in the stretches covered; see `Baseline.sample_times`."""
        each = np.arange(pieces.size)
        total = self.integrals(starts, ends)[each, pieces]
        begin, width = self._phases(starts), self._widths[pieces]
        # time spent in the stretch since the period of the start began
        spent = self._spent(begin)[each, pieces] + rng.uniform(0.0, total)
        whole, rest = np.divmod(spent, width)
        elapsed = whole * self.period + self._bounds[pieces] + rest - begin
        return np.clip(starts + elapsed, starts, ends)

    def with_rates(self, rates: ArrayLike | None) -> Periodic:
        """Return a baseline with these knots, this period and other rates."""
        return type(self)(self.knots, self.period, rates)

    def to_dict(self) -> dict[str, Any]:
        """Return the class, the knots, the period and the rates."""
        own = {"knots": self.knots.tolist(), "period": self.period}
        return {"name": self.name, **own, "rates": self.rates_to_json()}
