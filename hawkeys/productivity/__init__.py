"""Productivity: how many children an event has, by its value (a magnitude, the size of a trade).

``hawkeys.fit(events, kernel=..., productivity=Exponential())`` multiplies the excitation of each
event by exp(a (v - v0)), v its value, and estimates a with all else; `Power` is (v / v0)^a. The law
of the values themselves is what a simulation draws them from: `ExponentialValues`,
`EmpiricalValues`.
"""

from hawkeys.productivity.base import Productivity, as_productivity
from hawkeys.productivity.families import Exponential, Power
from hawkeys.productivity.laws import EmpiricalValues, ExponentialValues, ValueLaw

__all__ = [
    "EmpiricalValues",
    "Exponential",
    "ExponentialValues",
    "Power",
    "Productivity",
    "ValueLaw",
    "as_productivity",
]
