"""Processes with fixed parameters: intensity, compensator, likelihood, branching."""

from hawkeys.process.hawkes import Hawkes
from hawkeys.process.rectified import RectifiedHawkes

__all__ = ["Hawkes", "RectifiedHawkes"]
