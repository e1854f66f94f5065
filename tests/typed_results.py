"""What a type checker sees of results; read by mypy alone (`files` in setup.cfg)."""

import hawkeys
from hawkeys._typing import FloatArray
from hawkeys.results import LikelihoodResult, VariationalResult
from hawkeys.results.contrast import ContrastResult
from hawkeys.results.fit_result import FitResult


def results_by_method(sample: hawkeys.Events, method: str) -> None:
    """The method decides which result it is."""
    likelihood: LikelihoodResult = hawkeys.fit(sample, decay=2.0)
    aic: float = hawkeys.fit(sample, decay="estimate").aic
    mode: LikelihoodResult = hawkeys.fit(sample, decay=2.0, method="map")
    bound: VariationalResult = hawkeys.fit(sample, decay=2.0, method="vi")
    contrast: ContrastResult = hawkeys.fit(sample, decay=2.0, method="least_squares")
    unknown: FitResult = hawkeys.fit(sample, decay=2.0, method=method)
    missing: float = hawkeys.fit(sample, decay=2.0, method="vi").aic  # type: ignore[attr-defined]
    del likelihood, aic, mode, bound, contrast, unknown, missing


def values_of_events(process: hawkeys.Hawkes, sample: hawkeys.Events) -> None:
    """One number, or one per event."""
    whole: float = process.log_likelihood(sample)
    each: FloatArray = process.log_likelihood(sample, per_event=True)
    del whole, each
