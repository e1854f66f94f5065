"""`ContrastResult`: the result of least squares."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

import numpy as np

from hawkeys._typing import FloatArray
from hawkeys.results.by_name import wald_pvalues
from hawkeys.results.point_result import PointResult

__all__ = ["ContrastResult"]


@dataclass(frozen=True, eq=False, repr=False)
class ContrastResult(PointResult):
    r"""Result of ``method="least_squares"``; `objective` is minus the contrast, per unit of time.

    The contrast is no likelihood: there is no bound in nats (`optimality_gap` is NaN) and no
    information criterion. `log_likelihood` is that of the data under the estimate, minus infinity
    if it makes some event impossible.

    Attributes
    ----------
    kkt_residual : float
        Largest violation of the optimality conditions, relative to the largest linear term.
    information : ndarray, shape (n_marks, n_marks + 1, n_marks + 1)
        Minus the second derivatives of the objective, 2 G.
    noise : ndarray, shape (n_marks, n_marks + 1, n_marks + 1)
        Estimated covariance of the linear terms b: the sum over a target's events of the products
        of their excitations (1, c_1, ..., c_D).

    Notes
    -----
    Standard errors are those of the sandwich :math:`G^{-1} V G^{-1}` over the parameters above 0, V
    the `noise`, which estimates :math:`\int c c^T \lambda\, dt`. At the bound 0 they are NaN.

    References
    ----------
    Hansen, N. R., Reynaud-Bouret, P. and Rivoirard, V. (2015). Lasso and probabilistic inequalities
    for multivariate point processes. Bernoulli 21, 83-143. doi:10.3150/13-BEJ562
    """

    kind: ClassVar[str] = "contrast"

    kkt_residual: float
    information: FloatArray
    noise: FloatArray

    @property
    def contrast(self) -> float:
        """The least-squares contrast at the estimate, summed over targets, per unit of time."""
        return -self.objective

    @cached_property
    def covariance(self) -> FloatArray:
        """Covariance of each target's estimates, (n_marks, n_marks + 1, n_marks + 1), or NaN."""
        out = np.full_like(self.information, np.nan)
        free = self.identified & ~self.at_bound
        for i, index in ((i, np.flatnonzero(row)) for i, row in enumerate(free)):
            if index.size == 0:
                continue
            block = np.ix_(index, index)
            gram = 0.5 * self.information[i][block]
            scale = 1.0 / np.sqrt(np.diagonal(gram))
            both = np.outer(scale, scale)
            inverse = np.linalg.inv(gram * both)
            out[i][block] = both * (inverse @ (self.noise[i][block] * both) @ inverse)
        return out

    @property
    def pvalues(self) -> FloatArray:
        r"""One-sided Wald p-values of the adjacency, shape (n_marks, n_marks), target by source.

        Of the hypothesis that an entry is 0: :math:`1 - \Phi(\hat W / \mathrm{se})`, and 1 at the
        bound; NaN where there is no standard error.
        """
        size = self.adjacency.shape[0]
        errors, bound = self.std_err[:, -size:], self.at_bound[:, -size:]
        return wald_pvalues(self.adjacency, errors, bound, signed=False)

    def _facts(self) -> dict[str, str]:
        return {
            **super()._facts(),
            "Contrast": f"{self.contrast:.6g}",
            "KKT residual": f"{self.kkt_residual:.1e}",
        }

    def _notes(self, level: float) -> list[str]:
        notes = super()._notes(level)
        if self.at_bound.any():
            notes.append(f"{self.at_bound.sum()} estimates are at the bound 0: no normal interval.")
        return notes

    def _interval_name(self) -> str:
        return "sandwich intervals, cut at 0"
