"""Results of fits: estimates, uncertainty, files."""

from hawkeys.results.estimates import LikelihoodResult, VariationalResult
from hawkeys.results.files import load_result

__all__ = ["LikelihoodResult", "VariationalResult", "load_result"]
