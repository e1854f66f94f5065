"""Forecasts: counts and the next event, with the uncertainty of the parameters."""

from hawkeys.forecasting.prediction import forecast

__all__ = ["forecast"]
