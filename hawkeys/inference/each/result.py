"""What `fit_each` returns: an estimate of every realisation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from hawkeys._typing import BoolArray, FloatArray
from hawkeys.baselines import Baseline, Constant
from hawkeys.inference.rows.pooling import GammaPool, LogNormalPool
from hawkeys.kernels import Kernel, SumExponential
from hawkeys.process.hawkes import Hawkes
from hawkeys.results.by_name import estimates_by_name
from hawkeys.results.frames import parameter_frame, piece_labels
from hawkeys.results.gamma_posterior import GammaPosterior
from hawkeys.results.posterior import LogNormalPosterior

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["EachResult"]


@dataclass(frozen=True, eq=False, repr=False)
class EachResult:
    """One fit per realisation.

    Attributes
    ----------
    baseline : ndarray, shape (n_realizations, n_marks)
        Estimates (posterior means for variational methods), per unit of time; of a baseline that
        changes over time its mean, as `rates` has the pieces.
    adjacency : ndarray, shape (n_realizations, n_marks, n_marks)
        Estimates, target by source. A parameter that is not identified is 0.
    log_likelihood : ndarray, shape (n_realizations,)
        At the estimates, in nats, nothing dropped.
    objective : ndarray, shape (n_realizations,)
        What was maximised: log-likelihood, log posterior or evidence bound.
    optimality_gap : ndarray, shape (n_realizations,)
        What is still to gain, in nats; see `FitResult`.
    converged : ndarray of bool, shape (n_realizations,)
        Whether every target mark met the tolerance.
    identified : ndarray of bool, shape (n_realizations, n_marks, n_marks + 1)
        Baseline, then adjacency row, of each target: False where the realisation says nothing. A
        baseline with several pieces has a column for each, here and in `posterior`.
    posterior : LogNormalPosterior, GammaPosterior (of "vi_branching") or None
        Marginals of shape (n_realizations, n_marks, n_marks + 1); None unless variational.
    kernel : Kernel
        Excitation kernel; its weights are unknown if they were estimated.
    mark_names : tuple of str
        Labels of the marks.
    method : str
        Name of the inference method.
    pool : LogNormalPool, GammaPool or None
        The prior common to all realisations, if it was estimated; see `pooling` of `fit_each`.
    baseline_function : Baseline
        Baseline over time, its rates unknown; constant unless another was asked for.
    rates : ndarray, shape (n_realizations, n_marks, n_pieces), or None
        Estimates of the pieces of the baseline; None if it is constant.
    kernel_weights : ndarray, shape (n_realizations, n_marks, n_marks, n_components), or None
        Estimated weights of `SumExponential`; None if the kernel was given.
    unit : str or None, of the time
    """

    baseline: FloatArray
    adjacency: FloatArray
    log_likelihood: FloatArray
    objective: FloatArray
    optimality_gap: FloatArray
    converged: BoolArray
    identified: BoolArray
    posterior: LogNormalPosterior | GammaPosterior | None
    kernel: Kernel
    mark_names: tuple[str, ...]
    method: str
    pool: LogNormalPool | GammaPool | None = None
    baseline_function: Baseline = field(default_factory=Constant)
    rates: FloatArray | None = None
    kernel_weights: FloatArray | None = None
    unit: str | None = None

    def process(self, realization: int) -> Hawkes:
        """Return the process fitted to one realisation.

        Parameters
        ----------
        realization : int
            Which one.

        Returns
        -------
        Hawkes
            With that realisation's baseline, adjacency and weights of the kernel.
        """
        baseline, kernel = self.baseline[realization], self.kernel
        if self.kernel_weights is not None and isinstance(kernel, SumExponential):
            kernel = SumExponential(kernel.decays, self.kernel_weights[realization])
        function = self.baseline_function
        return Hawkes(
            baseline if self.rates is None else function.with_rates(self.rates[realization]),
            self.adjacency[realization],
            kernel=kernel,
            mark_names=self.mark_names,
        )

    @property
    def spectral_radius(self) -> FloatArray:
        """Spectral radius of each process, stable below 1; shape (n_realizations,)."""
        return np.asarray(np.abs(np.linalg.eigvals(self.adjacency)).max(axis=1))

    @property
    def params(self) -> pd.DataFrame:
        """Estimates by name, such as "adjacency[a, b]" (target, source); a row per realisation."""
        import pandas as pd

        n = len(self)
        baseline = self.baseline[:, :, None] if self.rates is None else self.rates
        first = np.concatenate((baseline[0], self.adjacency[0]), axis=1)
        pieces = piece_labels(self.baseline_function)
        named = estimates_by_name(parameter_frame(self.mark_names, pieces, estimate=first))
        values = np.hstack((baseline.reshape(n, -1), self.adjacency.reshape(n, -1)))
        return pd.DataFrame(values, columns=named.index.tolist())

    def __len__(self) -> int:
        return self.baseline.shape[0]

    def __repr__(self) -> str:
        n, size = self.baseline.shape
        return (
            f"EachResult(method={self.method!r}, n_realizations={n}, n_marks={size}, "
            f"converged={int(self.converged.sum())} of {n})"
        )
