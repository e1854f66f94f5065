"""The constant baseline."""

from __future__ import annotations

from typing import Any

import numpy as np

from hawkeys._typing import ArrayLike, FloatArray, IntArray
from hawkeys._validation import check_nonnegative, refuse_labels
from hawkeys.baselines.base import Baseline

__all__ = ["Constant"]


class Constant(Baseline):
    """A baseline that does not change: one piece, b = 1.

    Parameters
    ----------
    rates : array_like, shape (n_marks,) or (n_marks, 1), optional
        Rate of each mark, per unit of time; the attribute has shape (n_marks, 1). Left out, it is
        estimated by `hawkeys.fit`; given, it is held.

    Raises
    ------
    InvalidParameterError
        A rate is negative or not finite, or the shape is wrong.

    Examples
    --------
    >>> import numpy as np
    >>> from hawkeys.baselines import Constant
    >>> Constant([0.5, 2.0]).integral(np.array([0.0]), np.array([4.0]))
    array([[2., 8.]])
    """

    name = "constant"
    n_pieces = 1
    labels = ("constant",)

    def __init__(self, rates: ArrayLike | None = None) -> None:
        self._keep(rates)

    def __repr__(self) -> str:
        return "Constant()"

    @property
    def shares(self) -> FloatArray:
        """One: the mean of 1."""
        return np.ones(1)

    @property
    def is_positive(self) -> bool:
        """True: one b_q is 1 at every time."""
        return True

    def basis(self, times: FloatArray) -> FloatArray:
        """Return ones, shape (n_times, 1)."""
        return np.ones((times.size, 1))

    def integrals(self, starts: FloatArray, ends: FloatArray) -> FloatArray:
        """Return the lengths of the windows, shape (n_windows, 1)."""
        return (ends - starts)[:, None]

    def sample_times(
        self, rng: np.random.Generator, pieces: IntArray, starts: FloatArray, ends: FloatArray
    ) -> FloatArray:
        """Draw uniform times; see `Baseline.sample_times`."""
        return rng.uniform(starts, ends)

    def with_rates(self, rates: ArrayLike | None) -> Constant:
        """Return a constant with other rates."""
        return type(self)(rates)

    def _keep(self, rates: ArrayLike | None) -> None:
        """Check and keep the rates, which may be one number per mark."""
        if rates is not None:
            refuse_labels(rates, "rates")
            array = check_nonnegative(rates, "rates")
            rates = array[:, None] if array.ndim == 1 else array
        super()._keep(rates)

    def _advice(self, rates: FloatArray) -> str:
        return " Write one rate for each mark: Constant([0.4, 0.15])."

    def to_dict(self) -> dict[str, Any]:
        """Return ``{"name": "constant", "rates": ...}``."""
        return {"name": self.name, "rates": self.rates_to_json()}
