"""`ColumnPosterior`: the posterior of the columns that the parameters of a fit are made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from hawkeys._design.columns import ColumnMap
from hawkeys._typing import BoolArray, FloatArray
from hawkeys.results.gamma_posterior import GammaPosterior
from hawkeys.results.posterior import LogNormalPosterior

__all__ = ["ColumnPosterior"]


@dataclass(frozen=True, eq=False)
class ColumnPosterior:
    """Marginals by column of row problems, from which those by parameter were derived.

    Attributes
    ----------
    map : ColumnMap
        Where the parameters are.
    posterior : LogNormalPosterior or GammaPosterior
        Marginals of shape (n_blocks, n_columns); NaN where a column is not estimated.
    prior_coefficient : ndarray of float64, shape (n_blocks, n_columns)
        C of the log prior -theta^2 / C of each column; NaN under Gamma priors.
    log_covariance : ndarray of float64, shape (n_blocks, n_columns, n_columns), or None
        Linear-response covariance of the logarithms, if the method has it.
    prior : GammaPosterior or None
        Gamma priors of the columns, if the fit had them by default.
    """

    map: ColumnMap
    posterior: LogNormalPosterior | GammaPosterior
    prior_coefficient: FloatArray
    log_covariance: FloatArray | None
    prior: GammaPosterior | None = None

    @property
    def used(self) -> BoolArray:
        """Which columns are estimated, (n_blocks, n_columns)."""
        marginals = self.posterior
        known = marginals.shape if isinstance(marginals, GammaPosterior) else marginals.location
        return ~np.isnan(known)
