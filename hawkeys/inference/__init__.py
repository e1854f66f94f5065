"""Inference: `fit` for one process, `fit_each` for many short realisations, and their options."""

from hawkeys.inference.branching_options import BranchingKernelOptions, BranchingVIOptions
from hawkeys.inference.each import EachResult, fit_each
from hawkeys.inference.edges import EdgeTests, edge_tests
from hawkeys.inference.goodness import goodness_of_fit
from hawkeys.inference.information_criteria import PredictiveAccuracy, psis_loo, waic
from hawkeys.inference.options import (
    EMOptions,
    LeastSquaresOptions,
    MAPOptions,
    MLEOptions,
    StochasticVIOptions,
    VIOptions,
)
from hawkeys.inference.path_result import PenaltyPath
from hawkeys.inference.penalties import ElasticNet, GroupLasso, Lasso, Penalty, Ridge
from hawkeys.inference.penalty_path import PathOptions, penalty_path
from hawkeys.inference.pooling import GammaPool, LogNormalPool
from hawkeys.inference.priors import GammaPrior, KernelPrior
from hawkeys.inference.profile import ProfileIntervals, profile_interval
from hawkeys.inference.rectified import fit_rectified
from hawkeys.inference.replicates import BootstrapResult, bootstrap
from hawkeys.inference.sandwich import SandwichCovariance, sandwich_covariance
from hawkeys.inference.single import fit

__all__ = [
    "BootstrapResult",
    "BranchingKernelOptions",
    "BranchingVIOptions",
    "EMOptions",
    "EachResult",
    "EdgeTests",
    "ElasticNet",
    "GammaPool",
    "GammaPrior",
    "GroupLasso",
    "KernelPrior",
    "Lasso",
    "LeastSquaresOptions",
    "LogNormalPool",
    "MAPOptions",
    "MLEOptions",
    "PathOptions",
    "Penalty",
    "PenaltyPath",
    "PredictiveAccuracy",
    "ProfileIntervals",
    "Ridge",
    "SandwichCovariance",
    "StochasticVIOptions",
    "VIOptions",
    "bootstrap",
    "edge_tests",
    "fit",
    "fit_each",
    "fit_rectified",
    "goodness_of_fit",
    "penalty_path",
    "profile_interval",
    "psis_loo",
    "sandwich_covariance",
    "waic",
]
