"""Whether a model fits the data, and which of several fits better."""

from hawkeys.diagnostics.comparison import compare
from hawkeys.diagnostics.likelihood_ratio import likelihood_ratio_test
from hawkeys.diagnostics.time_rescaling import rescale

__all__ = ["compare", "likelihood_ratio_test", "rescale"]
