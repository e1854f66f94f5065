"""Kernels from plain JSON types."""

from __future__ import annotations

from typing import Any

from hawkeys._registry import rebuild
from hawkeys.kernels.base import Kernel

__all__ = ["kernel_from_dict"]


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
        No class of this name is defined (import the module that defines your own), or its
        constructor refuses the rest.

    Examples
    --------
    >>> from hawkeys.kernels import kernel_from_dict
    >>> kernel_from_dict({"name": "exponential", "decay": 2.0})
    Exponential(decay=2.0)
    """
    kernel: Kernel = rebuild("kernel", record)
    return kernel
