"""Prior distributions of the parameters."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys._validation import as_float_array, brief, check_nonnegative
from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels import DelayedKernel, LogNormal

__all__ = ["GammaPrior", "KernelPrior"]


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
                    f"{brief(getattr(self, name))}."
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


@dataclass(frozen=True)
class KernelPrior:
    r"""Prior of the parameters of a kernel: pseudo-lags drawn from a reference kernel.

    The log prior of each kernel g is the expected log density of `weight` lags from the reference
    kernel, :math:`w \int g_0(u) \log g(u)\, du` up to a constant: greatest at the reference, and as
    informative as w lags whose parents are known. For a log-normal kernel with reference location
    :math:`\eta_0` and scale :math:`\rho_0` it is normal in the location and inverse-gamma in the
    squared scale,

    .. math:: -\frac{v (\eta - \eta_0)^2}{2 \rho^2} - w \log \rho - \frac{w \rho_0^2}{2 \rho^2},

    with v = `location_weight`; for a gamma kernel it is the conjugate prior, for a histogram a
    Dirichlet one.

    Parameters
    ----------
    kernel : LogNormal, Gamma or Histogram
        Reference kernel, of the family that is estimated, all parameters given: shared, or one per
        pair (equal within pairs that share an estimate).
    weight : float, default 1.0
        Number w > 0 of pseudo-lags behind each estimated kernel.
    location_weight : float, optional
        Number v >= 0 of them that inform the location of a log-normal kernel. Default: `weight`.
        Smaller leaves the location to the data and steadies the scale.

    Raises
    ------
    InvalidParameterError
        The kernel is of another kind or its parameters are not given; a weight out of range; a
        `location_weight` for another family.

    References
    ----------
    Gelman, A. et al. (2013). Bayesian Data Analysis, 3rd ed., section 3.3 (normal and scaled
    inverse chi-square). doi:10.1201/b16018

    Examples
    --------
    >>> from hawkeys.inference import KernelPrior
    >>> from hawkeys.kernels import LogNormal
    >>> KernelPrior(LogNormal(-2.0, 0.5), weight=5.0)
    KernelPrior(kernel=LogNormal(location=-2.0, scale=0.5), weight=5.0, location_weight=None)
    """

    kernel: DelayedKernel
    weight: float = 1.0
    location_weight: float | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.kernel, DelayedKernel) or not self.kernel.known:
            raise InvalidParameterError(
                f"KernelPrior: kernel must be a LogNormal, Gamma or Histogram with all parameters "
                f"given; got {brief(self.kernel)}."
            )
        weight = check_nonnegative(self.weight, "weight")
        own = check_nonnegative(
            self.weight if self.location_weight is None else self.location_weight, "location_weight"
        )
        if weight.ndim or own.ndim or weight == 0:
            raise InvalidParameterError(
                f"KernelPrior: weight must be one number > 0 and location_weight one >= 0; got "
                f"{brief(self.weight)} and {brief(self.location_weight)}. Without a prior use "
                "prior=None."
            )
        if self.location_weight is not None and not isinstance(self.kernel, LogNormal):
            raise InvalidParameterError(
                f"KernelPrior: location_weight is for LogNormal kernels; the kernel is "
                f"{brief(self.kernel)}. Use weight alone."
            )
