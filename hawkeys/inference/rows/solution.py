"""`Solution`: what every inference method returns for a batch of row problems."""

from __future__ import annotations

from dataclasses import dataclass

from hawkeys._typing import BoolArray, FloatArray, IntArray
from hawkeys.results.gamma_posterior import GammaPosterior
from hawkeys.results.posterior import LogNormalPosterior
from hawkeys.results.row_matrices import RowMatrices

__all__ = ["Solution"]


@dataclass(frozen=True, eq=False)
class Solution:
    """Solutions of row problems; P = n_marks + 1, baseline first.

    Attributes
    ----------
    x : ndarray, shape (n_blocks, P)
        Point estimates; 0 where a parameter is not identified.
    identified : ndarray of bool, shape (n_blocks, P)
        False where the data (and the prior) say nothing about a parameter.
    objective : ndarray, shape (n_blocks,)
        What was maximised: log-likelihood, log posterior or evidence bound, in nats.
    gap : ndarray, shape (n_blocks,)
        What is still to gain, in nats: an upper bound for likelihoods, the next step's promise for
        bounds, NaN where nothing is known.
    converged : ndarray of bool, shape (n_blocks,)
        Whether the tolerance was met.
    n_iterations : ndarray of int, shape (n_blocks,)
        Steps taken.
    traces : ndarray, shape (n_blocks, steps) or (0, 0)
        Objective along the way, NaN after the last step.
    violation : ndarray, shape (n_blocks,) or None
        Largest violation of the optimality conditions, without unit.
    information : ndarray, shape (n_blocks, P, P), RowMatrices or None
        Minus the second derivatives of the objective in x; of many marks those above 0 alone.
    posterior : LogNormalPosterior or GammaPosterior or None
        Marginals of shape (n_blocks, P).
    prior_coefficient : ndarray, shape (n_blocks, P) or None
        C of the half-normal priors; NaN under Gamma priors.
    prior : GammaPosterior or None
        Gamma priors of the columns, if they have them.
    inclusion : ndarray, shape (n_blocks, P), or None
        Probability that what relevance determination switched off is on; NaN for all others.
    log_covariance, covariance : ndarray, shape (n_blocks, P, P) or None
        Linear-response covariances of log-parameters and parameters.
    """

    x: FloatArray
    identified: BoolArray
    objective: FloatArray
    gap: FloatArray
    converged: BoolArray
    n_iterations: IntArray
    traces: FloatArray
    violation: FloatArray | None = None
    information: FloatArray | RowMatrices | None = None
    posterior: LogNormalPosterior | GammaPosterior | None = None
    prior_coefficient: FloatArray | None = None
    prior: GammaPosterior | None = None
    inclusion: FloatArray | None = None
    log_covariance: FloatArray | None = None
    covariance: FloatArray | None = None
