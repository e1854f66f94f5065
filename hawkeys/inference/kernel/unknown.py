"""The methods that estimate the parameters of a delayed kernel."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from hawkeys._typing import ArrayLike, BoolArray
from hawkeys.events import Events
from hawkeys.exceptions import IdentifiabilityWarning, InvalidParameterError
from hawkeys.inference.branching_options import BranchingKernelOptions
from hawkeys.inference.kernel.branching import fit_kernel_vi
from hawkeys.inference.kernel.em import fit_kernel
from hawkeys.inference.kernel.limits import Limits
from hawkeys.inference.methods import make_options
from hawkeys.inference.options import EMOptions
from hawkeys.kernels import DelayedKernel
from hawkeys.results.fit_result import FitResult

__all__ = ["fit_unknown"]

_METHODS: dict[str, tuple[type, Callable[..., tuple[FitResult, Limits]]]] = {
    "mle": (EMOptions, fit_kernel),
    "vi_branching": (BranchingKernelOptions, fit_kernel_vi),
}


def fit_unknown(
    events: Events,
    kernel: DelayedKernel,
    how: tuple[str, dict[str, Any]],
    *,
    support: ArrayLike | None,
    weights: ArrayLike | None,
) -> tuple[FitResult, BoolArray]:
    """Fit baseline, adjacency and the parameters of `kernel`.

    Parameters
    ----------
    events : Events
        The data.
    kernel : DelayedKernel
        Kernel whose parameters are left out.
    how : tuple (method, options)
        Name of the method, and its options by name.
    support : array_like of bool, shape (n_marks, n_marks), or None
        Which pairs (target, source) may be child and parent. None: all.
    weights : array_like, shape (n_realizations,), or None
        Weight of the log-likelihood of each realisation. None: 1.

    Returns
    -------
    LikelihoodResult or VariationalResult
        With ``kernel`` the estimated one.
    ndarray of bool, shape (n_marks, n_marks)
        Pairs (target, source) without a kernel, of which a warning has told.

    Raises
    ------
    InvalidParameterError
        A method that estimates no kernel, an unknown option, or a value out of range.

    Warns
    -----
    IdentifiabilityWarning
        The likelihood of a kernel rises to the edge of what the data can tell.
    """
    method, given = how
    if method not in _METHODS:
        raise InvalidParameterError(
            "the kernel's parameters are left out, and only the methods 'mle' and 'vi_branching' "
            f"estimate them; got method {method!r}. Use one of these, or give the parameters, for "
            "example those of a fit by 'mle'."
        )
    kind, run = _METHODS[method]
    options = make_options(kind, given, "estimating the kernel")
    found, limits = run(events, kernel, options, support=support, weights=weights)
    if limits.text:
        warnings.warn(
            f"no kernel is identified by the data. {limits.text}. The kernel parameters and the "
            "adjacency that goes with them have no intervals and are flagged in result.identified. "
            "Give the kernel, a prior for it (KernelPrior), or observe more.",
            IdentifiabilityWarning,
            stacklevel=4,
        )
    return found, limits.pairs
