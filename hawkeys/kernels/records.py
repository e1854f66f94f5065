"""Kernels from plain JSON types."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from hawkeys.exceptions import InvalidParameterError
from hawkeys.kernels.base import Kernel
from hawkeys.kernels.exponential import Exponential
from hawkeys.kernels.histogram import Histogram
from hawkeys.kernels.parametric import Gamma, LogNormal
from hawkeys.kernels.sum_exponential import SumExponential

__all__ = ["kernel_from_dict"]

_KERNELS: dict[str, Callable[..., Kernel]] = {
    "exponential": Exponential,
    Gamma.name: Gamma,
    Histogram.name: Histogram,
    LogNormal.name: LogNormal,
    SumExponential.name: SumExponential,
}


def kernel_from_dict(record: dict[str, Any]) -> Kernel:
    """Rebuild a kernel from `Kernel.to_dict`.

    Parameters
    ----------
    record : dict
        Plain JSON types.

    Returns
    -------
    Kernel
        The kernel that was written.

    Raises
    ------
    InvalidParameterError
        The name is unknown.

    Examples
    --------
    >>> from hawkeys.kernels import kernel_from_dict
    >>> kernel_from_dict({"name": "exponential", "decay": 2.0})
    Exponential(decay=2.0)
    """
    name = record.get("name")
    if name not in _KERNELS:
        known = ", ".join(repr(kernel) for kernel in _KERNELS)
        raise InvalidParameterError(f"unknown kernel {name!r}; this version knows {known}.")
    return _KERNELS[name](**{key: value for key, value in record.items() if key != "name"})
