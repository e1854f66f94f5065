"""Excitation kernels: how the influence of an event is spread over the time after it.

A kernel is a probability density g on lags u > 0; the process multiplies it by the adjacency. A new
kernel implements the methods of `Kernel`.
"""

from hawkeys.kernels.base import BlockLayout, Kernel
from hawkeys.kernels.exponential import Exponential
from hawkeys.kernels.records import kernel_from_dict

__all__ = ["BlockLayout", "Exponential", "Kernel", "kernel_from_dict"]
