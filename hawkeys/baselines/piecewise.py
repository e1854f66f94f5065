"""The piecewise-constant baseline."""

from __future__ import annotations

from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys.baselines.base import Baseline
from hawkeys.baselines.steps import increasing_knots, indicators, refuse_outside, stretches

__all__ = ["PiecewiseConstant"]


class PiecewiseConstant(Baseline):
    """A baseline that is constant between given knots: b_q is 1 on [knots[q], knots[q + 1]).

    Parameters
    ----------
    knots : array_like, shape (n_pieces + 1,)
        Increasing times, on the same clock as the events. Every window must lie within them.
    rates : array_like, shape (n_marks, n_pieces), optional
        Rate of each mark in each piece, per unit of time. Left out, they are estimated by
        `hawkeys.fit`; given, they are held.

    Attributes
    ----------
    knots : ndarray of float64
        The knots, read-only.

    Raises
    ------
    InvalidParameterError
        Fewer than two knots, or knots that do not increase; a rate that is negative or not finite,
        or rates of the wrong shape. Later: a window that is not within the knots.

    Notes
    -----
    A piece that no window covers is not identified. The mean rate, `Hawkes.baseline`, is that over
    the time between the first and the last knot; a stationary rate does not exist.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.baselines import PiecewiseConstant
    >>> baseline = PiecewiseConstant([0, 10, 30], rates=[[0.5, 2.0]])
    >>> baseline.integral(np.array([5.0]), np.array([12.0]))  # 5 * 0.5 + 2 * 2.0
    array([[6.5]])
    >>> baseline.labels
    ('[0, 10)', '[10, 30)')
    """

    name = "piecewise_constant"

    def __init__(self, knots: ArrayLike, rates: ArrayLike | None = None) -> None:
        self.knots = increasing_knots(knots, minimum=2)
        self._keep(rates)

    def __repr__(self) -> str:
        first, last = self.knots[[0, -1]]
        return f"PiecewiseConstant(n_pieces={self.n_pieces}, from {first:.12g} to {last:.12g})"

    @property
    def n_pieces(self) -> int:
        """Number of stretches between knots."""
        return int(self.knots.size - 1)

    @property
    def labels(self) -> tuple[str, ...]:
        """The stretches, as "[0, 10)"."""
        return stretches(self.knots)

    @property
    def shares(self) -> FloatArray:
        """Share of each stretch in the time between the first and the last knot."""
        return np.diff(self.knots) / (self.knots[-1] - self.knots[0])

    @property
    def is_positive(self) -> bool:
        """True: one b_q is 1 at every time."""
        return True

    @property
    def is_stationary(self) -> bool:
        """False: nothing is said of the time outside the knots."""
        return False

    @property
    def last(self) -> float:
        """The last knot."""
        return float(self.knots[-1])

    def held_until(self, end: float) -> PiecewiseConstant:
        """Return the baseline with the last stretch drawn out; see `Baseline.held_until`."""
        knots = np.append(self.knots[:-1], max(end, self.last))
        return type(self)(knots, self.rates)

    def check_windows(self, starts: FloatArray, ends: FloatArray) -> None:
        """Refuse windows that are not within the knots; see `Baseline.check_windows`."""
        refuse_outside(self.knots, starts, ends, "piecewise-constant")

    def basis(self, times: FloatArray) -> FloatArray:
        """Return which stretch each time is in, shape (n_times, n_pieces)."""
        found = np.searchsorted(self.knots, times, side="right") - 1
        return indicators(np.clip(found, 0, self.n_pieces - 1), self.n_pieces)

    def integrals(self, starts: FloatArray, ends: FloatArray) -> FloatArray:
        """Return the length of each window's overlap with each stretch."""
        self.check_windows(starts, ends)
        low = np.maximum(starts[:, None], self.knots[:-1])
        return np.maximum(np.minimum(ends[:, None], self.knots[1:]) - low, 0.0)

    def sample_times(
        self, rng: np.random.Generator, pieces: IntArray, starts: FloatArray, ends: FloatArray
    ) -> FloatArray:
        """Draw uniform times in the overlap; see `Baseline.sample_times`."""
        low = np.maximum(starts, self.knots[pieces])
        return rng.uniform(low, np.minimum(ends, self.knots[pieces + 1]))

    def with_rates(self, rates: ArrayLike | None) -> PiecewiseConstant:
        """Return a baseline with these knots and other rates."""
        return type(self)(self.knots, rates)

    def to_dict(self) -> dict[str, Any]:
        """Return the class, the knots and the rates."""
        return {"name": self.name, "knots": self.knots.tolist(), "rates": self.rates_to_json()}
