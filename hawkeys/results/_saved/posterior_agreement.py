"""Whether the uncertainty in a saved result fits its process: covariances and posteriors."""

from __future__ import annotations

from typing import Any

import numpy as np

from hawkeys._typing import BoolArray, FloatArray
from hawkeys.process import Hawkes
from hawkeys.results._saved import schema
from hawkeys.results._saved.agreement import (
    check_blanks,
    check_matrices,
)
from hawkeys.results._saved.option_schema import KernelOptions
from hawkeys.results._saved.reading import Record, check_shape, demand
from hawkeys.results.row_matrices import RowMatrices

__all__ = ["check_contrast", "check_likelihood", "check_variational"]

_CLOSE = 1e-6


def check_likelihood(record: schema.LikelihoodRecord, process: Hawkes, options: Record) -> None:
    """Check the information, and where the parameters are in it."""
    columns, estimates = record.columns, _estimates(process)
    demand(record.kkt_residual >= 0, "kkt_residual", "must not be negative")
    if isinstance(record.information, RowMatrices):
        _check_kept(record.information, columns, estimates)
        return
    information = np.asarray(record.information)
    if columns is None:
        _check_information(information, estimates.shape, options)
        free = np.asarray(record.identified) & (estimates > 0)
        free[:, 0] &= estimates[:, 0] > getattr(options, "baseline_floor", 0.0)
        _check_failed(information, free)
        return
    check_shape(columns.used, "columns.used", *columns.estimates.shape)
    demand((columns.estimates >= 0).all(), "columns.estimates", "an estimate is negative")
    _check_information(information, columns.estimates.shape, options)
    values = np.append(np.asarray(columns.estimates).ravel(), 0.0)
    rates, mixture = values[columns.map.baseline], values[columns.map.adjacency].sum(axis=2)
    found = np.column_stack((rates, mixture))
    demand(_same(found, estimates), "columns.estimates", "are not those of the process")


def _check_kept(information: RowMatrices, columns: object, estimates: FloatArray) -> None:
    """Check the information of many marks: which parameters it is kept for."""
    demand(columns is None, "columns", "is null where few entries of the information are kept")
    what = f"the other fields ask for {estimates.shape}"
    fits = information.shape[:2] == estimates.shape
    demand(fits, "information", f"{what}, and it has {information.shape[:2]}")
    kept = np.zeros(estimates.shape, dtype=bool)
    rows = np.repeat(np.arange(len(information)), np.diff(information.offsets))
    kept[rows, information.index] = True
    demand((kept == (estimates > 0)).all(), "information.index", "is not what is above 0")
    negative = (information.diagonals() < 0).any()
    demand(not negative, "information.values", "a diagonal entry is negative")


def _check_information(information: FloatArray, shape: tuple[int, ...], options: Record) -> None:
    check_matrices(information, "information", (shape[0], shape[1], shape[1]))
    known = isinstance(options, KernelOptions) or np.isfinite(information).all()
    demand(bool(known), "information", "null is no value")


def _check_failed(information: FloatArray, free: BoolArray) -> None:
    """Refuse null but for all (free) parameters of a target: an inverse that does not exist."""
    blank = np.isnan(information)
    both = free[:, :, None] & free[:, None, :]
    every = blank.all(axis=(1, 2), keepdims=True)
    inside = (blank | ~both).all(axis=(1, 2), keepdims=True) & both
    fits = (blank == every | inside).all() or not blank.any()
    demand(fits, "information", "null is no value of a single entry")


def check_contrast(record: schema.ContrastRecord, process: Hawkes) -> None:
    """Check the two matrices of the sandwich."""
    demand(record.kkt_residual >= 0, "kkt_residual", "must not be negative")
    shape = _estimates(process).shape
    for name in ("information", "noise"):
        check_matrices(getattr(record, name), name, (*shape, shape[1]))


def check_variational(record: schema.VariationalRecord, process: Hawkes, options: Record) -> None:
    """Check the posteriors, by parameter and by column."""
    identified, estimates = np.asarray(record.identified), _estimates(process)
    branching = record.method == "vi_branching"
    mean = _check_marginals(record.posterior, "posterior", branching, identified)
    chosen = identified & (estimates > 0)  # 0 is what is switched off
    demand(_same(mean[chosen], estimates[chosen]), "posterior", "its mean is not the estimate")
    by_column = record.column_posterior
    n_components = 1 if by_column is None else by_column.map.adjacency.shape[-1]
    sums = np.zeros_like(identified)
    sums[:, -process.n_marks :] = n_components > 1
    _check_priors(record, identified & ~sums, options)
    _check_off(record, identified, sums, options)
    linear = record.method == "vi" or (
        branching and not isinstance(options, KernelOptions) and n_components == 1
    )
    _check_covariance(record.log_covariance, "log_covariance", identified, linear)
    where = "posterior_covariance"
    _check_covariance(record.posterior_covariance, where, identified, record.method == "vi")
    if by_column is not None:
        _check_column_posterior(by_column, record.method)


def _check_priors(record: schema.VariationalRecord, known: BoolArray, options: Record) -> None:
    """Check the priors: Gamma ones of "vi" unless others were asked for, else half-normal ones."""
    determined = getattr(options, "relevance_determination", False)
    asked = determined or getattr(options, "prior_coefficient", None) is not None
    gamma = record.method == "vi" and not asked
    what = "is null exactly if the options ask for other priors"
    demand((record.prior is not None) == gamma, "prior", what)
    check_shape(record.prior_coefficient, "prior_coefficient", *known.shape)
    other = gamma or record.method == "vi_branching"
    _check_prior(record.prior_coefficient, "prior_coefficient", known, other)
    if record.prior is not None:
        _check_marginals(record.prior, "prior", True, known)


def _check_off(
    record: schema.VariationalRecord, identified: BoolArray, sums: BoolArray, options: Record
) -> None:
    """Check what relevance determination switched off, and how probable it is to be on."""
    determined = getattr(options, "relevance_determination", False)
    off, on = record.posterior.get("switched_off"), record.inclusion_probability
    older = off is None and on is None  # of a version that did not say
    demand(older or determined, "posterior.switched_off", "needs relevance determination")
    if off is not None:
        inside = not (np.asarray(off) & ~identified).any()
        demand(inside, "posterior.switched_off", "is true of what is not identified")
    if on is not None:
        demand(off is not None, "inclusion_probability", "needs posterior.switched_off")
        check_shape(on, "inclusion_probability", *identified.shape)
        check_blanks(on, "inclusion_probability", np.asarray(off) & ~sums)
        known = on[~np.isnan(on)]
        fine = ((known >= 0) & (known <= 1)).all()
        demand(bool(fine), "inclusion_probability", "must lie between 0 and 1")


def _check_marginals(
    values: dict[str, Any], where: str, branching: bool, known: BoolArray
) -> FloatArray:
    """Check the parameters of marginals and return the means."""
    names = ("shape", "rate") if branching else ("location", "scale")
    values = dict(values)
    off = values.pop("switched_off", None)
    if off is not None:
        demand(off.dtype == bool, f"{where}.switched_off", "expected true and false")
        check_shape(off, f"{where}.switched_off", *known.shape)
    demand(set(values) == set(names), where, f"expected {' and '.join(names)}")
    for name, array in values.items():
        fine = array is not None and array.dtype != bool
        demand(fine, f"{where}.{name}", "expected numbers")
        check_shape(array, f"{where}.{name}", *known.shape)
        check_blanks(array, f"{where}.{name}", known)
        demand(not np.isinf(array).any(), f"{where}.{name}", "is infinite")
        above = name == "location" or not (array <= 0).any()
        demand(bool(above), f"{where}.{name}", "must be above 0")
    if branching:
        return np.asarray(values["shape"] / values["rate"])
    with np.errstate(over="ignore"):
        return np.asarray(np.exp(values["location"] + 0.5 * values["scale"] ** 2))


def _check_prior(array: np.ndarray, where: str, known: BoolArray, branching: bool) -> None:
    known = np.zeros_like(known) if branching else known
    held = ~known & (array == 0)  # of a pair outside the support
    check_blanks(np.where(held, np.nan, array), where, known)
    demand(not (array[known] <= 0).any(), where, "must be above 0")


def _check_covariance(
    array: np.ndarray | None, where: str, known: BoolArray, expected: bool
) -> None:
    demand((array is not None) == expected, where, "does not fit the method")
    if array is not None:
        check_matrices(array, where, (*known.shape, known.shape[1]))
        check_blanks(array, where, known)


def _check_column_posterior(record: schema.ColumnPosteriorRecord, method: str) -> None:
    where, branching = "column_posterior", method == "vi_branching"
    name = "rate" if branching else "scale"
    spread = np.asarray(record.posterior.get(name, np.empty(0)))
    check_shape(spread, f"{where}.posterior.{name}", *record.prior_coefficient.shape)
    known = ~np.isnan(spread)
    _check_marginals(record.posterior, f"{where}.posterior", branching, known)
    gamma = record.prior is not None
    other = branching or gamma
    _check_prior(record.prior_coefficient, f"{where}.prior_coefficient", known, other)
    if record.prior is not None:
        _check_marginals(record.prior, f"{where}.prior", True, known)
    linear = method != "vi_stochastic"
    _check_covariance(record.log_covariance, f"{where}.log_covariance", known, linear)


def _estimates(process: Hawkes) -> FloatArray:
    return np.column_stack((process.baseline_function.known_rates, process.adjacency))


def _same(one: FloatArray, other: FloatArray) -> bool:
    return bool(np.allclose(one, other, rtol=_CLOSE, atol=0.0))
