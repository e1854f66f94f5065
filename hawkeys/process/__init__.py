"""Processes with fixed parameters: intensity, compensator, likelihood, branching."""

from hawkeys.process.filters import LogTimeFilters
from hawkeys.process.hawkes import Hawkes
from hawkeys.process.lag_filters import LagFilters
from hawkeys.process.nonlinear import NonlinearHawkes
from hawkeys.process.rectified import RectifiedHawkes

__all__ = ["Hawkes", "LagFilters", "LogTimeFilters", "NonlinearHawkes", "RectifiedHawkes"]
