"""Prior distributions of the parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys._validation import as_float_array
from hawkeys.exceptions import InvalidParameterError

__all__ = ["GammaPrior"]


@dataclass(frozen=True)
class GammaPrior:
    r"""Independent Gamma priors, density :math:`\propto \theta^{g-1} e^{-r\theta}`.

    Parameters
    ----------
    shape : float, default 1.5
        Shape g >= 1 of every adjacency entry. Above 1 the estimate is never 0.
    rate : float, default 1.0
        Rate r >= 0 of every adjacency entry (no unit).
    baseline_shape : float, default 1.0
        Shape of every baseline. With the default and rate 0 the baseline has a flat prior, so that
        the estimate does not depend on the unit of time.
    baseline_rate : float, default 0.0
        Rate of every baseline, in units of time.

    Raises
    ------
    InvalidParameterError
        A shape below 1 (the posterior would be unbounded at 0) or a negative rate.

    References
    ----------
    Xu, H., Farajtabar, M. and Zha, H. (2016). Learning Granger causality for Hawkes processes.
    ICML. arXiv:1602.04511 (expectation-maximisation updates of which these priors are the
    conjugate addition).

    Examples
    --------
    >>> import hawkeys
    >>> hawkeys.GammaPrior(shape=2.0, rate=3.0).mode
    0.3333333333333333
    """

    shape: float = 1.5
    rate: float = 1.0
    baseline_shape: float = 1.0
    baseline_rate: float = 0.0

    def __post_init__(self) -> None:
        for name, minimum in (
            ("shape", 1.0),
            ("rate", 0.0),
            ("baseline_shape", 1.0),
            ("baseline_rate", 0.0),
        ):
            value = as_float_array(getattr(self, name), name)
            if value.ndim != 0 or value < minimum:
                raise InvalidParameterError(
                    f"GammaPrior: {name} must be one number >= {minimum:g}; got "
                    f"{getattr(self, name)!r}."
                )

    @property
    def mode(self) -> float:
        """Mode of the prior of an adjacency entry, (g - 1) / r."""
        if self.rate == 0:
            return 0.0 if self.shape == 1 else np.inf
        return (self.shape - 1.0) / self.rate

    def exponents(self, n_marks: int) -> FloatArray:
        """Return g - 1 of the baseline and of each adjacency entry of a row.

        Parameters
        ----------
        n_marks : int
            Number of marks.

        Returns
        -------
        ndarray of float64, shape (n_marks + 1,)
            The powers of theta in the prior density.
        """
        return np.array([self.baseline_shape - 1.0, *[self.shape - 1.0] * n_marks])

    def rates(self, n_marks: int) -> FloatArray:
        """Return r of the baseline and of each adjacency entry of a row.

        Parameters
        ----------
        n_marks : int
            Number of marks.

        Returns
        -------
        ndarray of float64, shape (n_marks + 1,)
            What the prior adds to the cost of each parameter.
        """
        return np.array([self.baseline_rate, *[self.rate] * n_marks])
