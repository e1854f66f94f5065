"""What a type checker sees of results; read by mypy alone (`files` in setup.cfg)."""

import datetime as dt

import pandas as pd

import hawkeys
from hawkeys._typing import FloatArray
from hawkeys.forecasting.result import Forecast
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


def windows_of_any_kind(frame: pd.DataFrame, start: dt.datetime, end: pd.Timestamp) -> None:
    """Dates, durations, texts and mappings by label are windows, in every overload."""
    dates: float = hawkeys.fit(frame, decay=1.0, unit="h", start_time=start, end_time=end).aic
    texts: float = hawkeys.fit(
        frame, decay=1.0, start_time="2024-01-01", end_times="2024-02-01"
    ).aic
    lasting: VariationalResult = hawkeys.fit(
        frame, decay=1.0, unit="s", end_time=dt.timedelta(hours=1), method="vi"
    )
    label: ContrastResult = hawkeys.fit(
        frame, decay=1.0, end_time={"a": 5.0, "b": 6}, method="least_squares"
    )
    several: LikelihoodResult = hawkeys.fit(frame, decay=1.0, end_times=[5.0, 6.0], start_times=0)
    given: FitResult = hawkeys.fit(frame, kernel=None, end_time=end, method=str(start))
    radii: FloatArray = hawkeys.fit_each(frame, decay=1.0, end_time=start).spectral_radius
    signed: float = hawkeys.fit_rectified(frame, decay=1.0, end_time=start, start_time=end).aic
    events: hawkeys.Events = hawkeys.Events.from_frame(frame, end_times=end, start_times=start)
    future: hawkeys.Events = hawkeys.simulate(given, end_time=end, history=events)
    del dates, texts, lasting, label, several, given, radii, signed, future


def members_of_results(sample: hawkeys.Events) -> None:
    """What users of other libraries look for has a type."""
    result = hawkeys.fit(sample, decay=2.0)
    radius: float = result.spectral_radius
    names: list[str] = list(result.params.index)
    edges: FloatArray = result.pvalues
    ahead: Forecast = result.forecast(sample, 5.0)
    del radius, names, edges, ahead


def values_of_events(process: hawkeys.Hawkes, sample: hawkeys.Events) -> None:
    """One number, or one per event."""
    whole: float = process.log_likelihood(sample)
    each: FloatArray = process.log_likelihood(sample, per_event=True)
    del whole, each
