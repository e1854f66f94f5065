"""`HeldBaseline`: a baseline that goes on as it was at the end of its span."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys.baselines.base import Baseline
from hawkeys.exceptions import InvalidParameterError

__all__ = ["HeldBaseline"]


class HeldBaseline(Baseline):
    """Another baseline, whose value at its last moment is held after it.

    No baseline of its own: a forecast has it where it goes beyond what a fit can know.

    Parameters
    ----------
    baseline : Baseline
        With its rates.
    end : float
        Up to when it is held, later than ``baseline.last``.
    """

    _kind: ClassVar[str] = "baseline"  # said again, so that no file finds it by its name

    def __init__(self, baseline: Baseline, end: float) -> None:
        self.baseline, self.end = baseline, end
        super().__init__(baseline.rates)

    @property
    def n_pieces(self) -> int:
        """Number of functions b_q."""
        return self.baseline.n_pieces

    @property
    def labels(self) -> tuple[str, ...]:
        """Name of each piece."""
        return self.baseline.labels

    @property
    def shares(self) -> FloatArray:
        """Mean of each b_q over the span of the baseline that is held."""
        return self.baseline.shares

    @property
    def is_positive(self) -> bool:
        """Whether some b_q is above 0 at every time."""
        return self.baseline.is_positive

    @property
    def is_stationary(self) -> bool:
        """False: nothing is said of the time after the end."""
        return False

    @property
    def last(self) -> float:
        """Up to when the baseline is held."""
        return self.end

    def check_windows(self, starts: FloatArray, ends: FloatArray) -> None:
        """Refuse windows that start too early, or go beyond the end."""
        self.baseline.check_windows(*(np.minimum(x, self.baseline.last) for x in (starts, ends)))
        if (ends > self.end).any():
            raise InvalidParameterError(
                f"the baseline is held up to {self.end:.12g}, and a window ends at "
                f"{ends.max():.12g}. Forecast further, or end the window earlier."
            )

    def basis(self, times: FloatArray) -> FloatArray:
        """Return b_q at times, from `last` of the baseline on as it is there."""
        return self.baseline.basis(np.minimum(times, self.baseline.last))

    def integrals(self, starts: FloatArray, ends: FloatArray) -> FloatArray:
        """Return the integral of each b_q over each window, shape (n_windows, n_pieces)."""
        last = self.baseline.last
        inside = self.baseline.integrals(np.minimum(starts, last), np.minimum(ends, last))
        after = np.maximum(ends, last) - np.maximum(starts, last)
        return inside + after[:, None] * self.baseline.basis(np.array([last]))
