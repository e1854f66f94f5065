"""Excitation kernels: how the influence of an event is spread over the time after it.

A kernel is a probability density g on lags u > 0; the process multiplies it by the adjacency. A new
kernel of one's own is given by three functions, see `DensityKernel`; one that is evaluated in less
time implements the methods of `Kernel`.
"""

from hawkeys.kernels.base import BlockLayout, Kernel
from hawkeys.kernels.delayed import DelayedKernel
from hawkeys.kernels.density import DensityKernel
from hawkeys.kernels.exponential import Exponential
from hawkeys.kernels.histogram import Histogram
from hawkeys.kernels.parametric import Gamma, LogNormal
from hawkeys.kernels.power_law import PowerLaw
from hawkeys.kernels.productive import Productive
from hawkeys.kernels.records import kernel_from_dict
from hawkeys.kernels.shifted import Shifted
from hawkeys.kernels.sum_exponential import SumExponential

__all__ = [
    "BlockLayout",
    "DelayedKernel",
    "DensityKernel",
    "Exponential",
    "Gamma",
    "Histogram",
    "Kernel",
    "LogNormal",
    "PowerLaw",
    "Productive",
    "Shifted",
    "SumExponential",
    "kernel_from_dict",
]
