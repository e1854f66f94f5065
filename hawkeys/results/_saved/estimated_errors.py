"""Whether a saved result has standard errors of exactly what was estimated beside the rates."""

from __future__ import annotations

from typing import Any

import numpy as np
from msgspec import UNSET

from hawkeys.baselines import LogLinear
from hawkeys.kernels import Exponential, Gamma, LogNormal, PowerLaw, Productive, SumExponential
from hawkeys.kernels.productive import spread_of, value_of
from hawkeys.process import Hawkes
from hawkeys.results._saved.option_schema import KernelOptions
from hawkeys.results._saved.reading import check_shape, demand
from hawkeys.results._saved.schema import LikelihoodRecord

__all__ = ["check_coefficients", "check_kernel_errors"]

# what is estimated of a kernel with a productivity
_JOINT = [
    set(names)
    for names in ("a", "cp", "cpa", ["decay"], ["decay", "a"], ["decays"], ["decays", "a"])
]


def check_kernel_errors(record: LikelihoodRecord, process: Hawkes, options: Any) -> None:
    """Check that standard errors are those of kernel parameters that were left to the fit."""
    errors, kernel = record.kernel_std_err, process.kernel
    estimated = isinstance(options, KernelOptions) and isinstance(kernel, LogNormal | Gamma)
    estimated |= isinstance(kernel, PowerLaw) and record.n_kernel_parameters > 0
    beside = record.coefficient_std_err is not None
    estimated |= isinstance(kernel, Exponential) and beside and record.n_kernel_parameters > 0
    where, names = "kernel_std_err", getattr(kernel, "parameter_names", ())
    if isinstance(kernel, Exponential):
        names = ("decay",)
    if isinstance(kernel, SumExponential):
        names, estimated = ("decays",), errors is not None
    if isinstance(kernel, Productive):
        names = tuple(errors or ())
        estimated = errors is not None and set(names) in _JOINT
    demand((errors is not None) == estimated, where, "does not fit the kernel")
    if errors is None:
        return
    demand(set(errors) == set(names), where, f"expected {' and '.join(names)}")
    for name, error in errors.items():
        demand(hasattr(spread_of(kernel), name) or name == "a", where, f"there is no {name}")
        check_shape(error, f"{where}.{name}", *np.shape(value_of(kernel, name)))
        demand(not (error < 0).any(), f"{where}.{name}", "a standard error is negative")


def check_coefficients(record: LikelihoodRecord, process: Hawkes, options: Any) -> None:
    """Check that standard errors are those of coefficients that were left to the fit."""
    errors, where = record.coefficient_std_err, "coefficient_std_err"
    fitted, asked = process.baseline_function, getattr(options, "baseline", UNSET)
    asked = asked if isinstance(asked, dict) and asked.get("name") == LogLinear.name else {}
    estimated = isinstance(fitted, LogLinear) and asked.get("coefficients", ()) is None
    demand((errors is not None) == estimated, where, "does not fit the baseline and options")
    if errors is None or not isinstance(fitted, LogLinear):
        return
    check_shape(errors, where, len(fitted.names))
    demand(not (errors < 0).any(), where, "a standard error is negative")
