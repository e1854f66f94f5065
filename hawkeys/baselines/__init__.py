"""Baselines: how the rate of events that nothing excites changes over time.

A baseline is a sum of known functions of time, the pieces, with one rate per mark and piece that is
given or estimated. A new one implements the abstract methods of `Baseline`, which say what its
pieces are.
"""

from hawkeys.baselines.base import Baseline
from hawkeys.baselines.constant import Constant
from hawkeys.baselines.log_linear import LogLinear
from hawkeys.baselines.periodic import Periodic
from hawkeys.baselines.piecewise import PiecewiseConstant
from hawkeys.baselines.records import baseline_from_dict
from hawkeys.baselines.spline import Spline

__all__ = [
    "Baseline",
    "Constant",
    "LogLinear",
    "Periodic",
    "PiecewiseConstant",
    "Spline",
    "baseline_from_dict",
]
