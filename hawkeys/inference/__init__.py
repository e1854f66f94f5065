"""Inference: `fit` for one process, `fit_each` for many short realisations, and their options."""

from typing import TYPE_CHECKING

from hawkeys._faces import named_on_demand

if TYPE_CHECKING:
    from hawkeys.inference.branching_options import BranchingKernelOptions, BranchingVIOptions
    from hawkeys.inference.coarse.fit import CoarseOptions
    from hawkeys.inference.each.fit import fit_each
    from hawkeys.inference.each.result import EachResult
    from hawkeys.inference.fit_pooled import fit
    from hawkeys.inference.kernel.latency import LatencyFit, fit_latency
    from hawkeys.inference.on_disk.each import EachOnDisk, fit_each_on_disk
    from hawkeys.inference.options import (
        EMOptions,
        LeastSquaresOptions,
        MAPOptions,
        MLEOptions,
        StochasticVIOptions,
        VIOptions,
    )
    from hawkeys.inference.post_estimation.bootstrap import BootstrapResult, bootstrap
    from hawkeys.inference.post_estimation.edge_tests import EdgeTests, edge_tests
    from hawkeys.inference.post_estimation.goodness_of_fit import goodness_of_fit
    from hawkeys.inference.post_estimation.predictive import PredictiveAccuracy, psis_loo, waic
    from hawkeys.inference.post_estimation.profile import ProfileIntervals, profile_interval
    from hawkeys.inference.post_estimation.sandwich import SandwichCovariance, sandwich_covariance
    from hawkeys.inference.priors.conjugate import GammaPrior, KernelPrior
    from hawkeys.inference.priors.path_result import PenaltyPath
    from hawkeys.inference.priors.penalties import ElasticNet, GroupLasso, Lasso, Penalty, Ridge
    from hawkeys.inference.priors.penalty_path import PathOptions, penalty_path
    from hawkeys.inference.rectified.fit import fit_rectified
    from hawkeys.inference.rows.pooling import GammaPool, LogNormalPool

__all__ = [
    "BootstrapResult",
    "BranchingKernelOptions",
    "BranchingVIOptions",
    "CoarseOptions",
    "EMOptions",
    "EachOnDisk",
    "EachResult",
    "EdgeTests",
    "ElasticNet",
    "GammaPool",
    "GammaPrior",
    "GroupLasso",
    "KernelPrior",
    "Lasso",
    "LatencyFit",
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
    "fit_each_on_disk",
    "fit_latency",
    "fit_rectified",
    "goodness_of_fit",
    "penalty_path",
    "profile_interval",
    "psis_loo",
    "sandwich_covariance",
    "waic",
]

_HOME = {
    "BootstrapResult": "post_estimation.bootstrap",
    "BranchingKernelOptions": "branching_options",
    "BranchingVIOptions": "branching_options",
    "CoarseOptions": "coarse.fit",
    "EMOptions": "options",
    "EachOnDisk": "on_disk.each",
    "EachResult": "each.result",
    "EdgeTests": "post_estimation.edge_tests",
    "ElasticNet": "priors.penalties",
    "GammaPool": "rows.pooling",
    "GammaPrior": "priors.conjugate",
    "GroupLasso": "priors.penalties",
    "KernelPrior": "priors.conjugate",
    "Lasso": "priors.penalties",
    "LatencyFit": "kernel.latency",
    "LeastSquaresOptions": "options",
    "LogNormalPool": "rows.pooling",
    "MAPOptions": "options",
    "MLEOptions": "options",
    "PathOptions": "priors.penalty_path",
    "Penalty": "priors.penalties",
    "PenaltyPath": "priors.path_result",
    "PredictiveAccuracy": "post_estimation.predictive",
    "ProfileIntervals": "post_estimation.profile",
    "Ridge": "priors.penalties",
    "SandwichCovariance": "post_estimation.sandwich",
    "StochasticVIOptions": "options",
    "VIOptions": "options",
    "bootstrap": "post_estimation.bootstrap",
    "edge_tests": "post_estimation.edge_tests",
    "fit": "fit_pooled",
    "fit_each": "each.fit",
    "fit_each_on_disk": "on_disk.each",
    "fit_latency": "kernel.latency",
    "fit_rectified": "rectified.fit",
    "goodness_of_fit": "post_estimation.goodness_of_fit",
    "penalty_path": "priors.penalty_path",
    "profile_interval": "post_estimation.profile",
    "psis_loo": "post_estimation.predictive",
    "sandwich_covariance": "post_estimation.sandwich",
    "waic": "post_estimation.predictive",
}

__getattr__ = named_on_demand(__name__, _HOME)


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
