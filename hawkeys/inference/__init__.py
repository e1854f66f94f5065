"""Inference: `fit` for one process, `fit_each` for many short realisations, and their options."""

from hawkeys.inference.each import EachResult, fit_each
from hawkeys.inference.goodness import goodness_of_fit
from hawkeys.inference.options import MAPOptions, MLEOptions, StochasticVIOptions, VIOptions
from hawkeys.inference.priors import GammaPrior
from hawkeys.inference.single import fit

__all__ = [
    "EachResult",
    "GammaPrior",
    "MAPOptions",
    "MLEOptions",
    "StochasticVIOptions",
    "VIOptions",
    "fit",
    "fit_each",
    "goodness_of_fit",
]
