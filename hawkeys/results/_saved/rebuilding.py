"""From the record of a saved result, checked field by field, to the result."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np

from hawkeys._design.columns import ColumnMap, FittedColumns
from hawkeys._records import RecordError, words
from hawkeys.baselines import baseline_from_dict
from hawkeys.exceptions import HawkeysError
from hawkeys.kernels import kernel_from_dict
from hawkeys.process import Hawkes, LagFilters, LogTimeFilters, NonlinearHawkes
from hawkeys.process.rectified import RectifiedHawkes
from hawkeys.results._saved.agreement import (
    check_fit,
    check_matrices,
    check_rectified,
    check_weights,
    is_close,
)
from hawkeys.results._saved.option_schema import read_linked_options, read_options
from hawkeys.results._saved.parts import read_part
from hawkeys.results._saved.posterior_agreement import (
    check_contrast,
    check_likelihood,
    check_variational,
)
from hawkeys.results._saved.reading import AGAIN, Floats, Unbounded, check_shape, demand, read
from hawkeys.results._saved.schema import (
    ADDED,
    BASELINES,
    KERNELS,
    KINDS,
    ONLY_OF,
    ContrastRecord,
    NonlinearRecord,
    RectifiedRecord,
    RowMatricesRecord,
    VariationalRecord,
)
from hawkeys.results.column_posterior import ColumnPosterior
from hawkeys.results.contrast import ContrastResult
from hawkeys.results.decay_profile import DecayProfile
from hawkeys.results.estimates import LikelihoodResult, VariationalResult
from hawkeys.results.fit_result import FitResult
from hawkeys.results.gamma_posterior import GammaPosterior
from hawkeys.results.nonlinear import NonlinearResult
from hawkeys.results.posterior import LogNormalPosterior
from hawkeys.results.rectified import RectifiedResult
from hawkeys.results.row_matrices import RowMatrices

__all__ = ["as_of_now", "fit_result", "nonlinear_result", "rectified_result"]

_KINDS: dict[str, type[FitResult]] = {
    kind.kind: kind for kind in (ContrastResult, LikelihoodResult, VariationalResult)
}
_PARTS: dict[str, Any] = {
    "decay_profile": DecayProfile,
    "columns": FittedColumns,
    "column_posterior": ColumnPosterior,
    "map": ColumnMap,
}


def as_of_now(record: dict[str, Any]) -> dict[str, Any]:
    """Return a record of schema 1 in the form of today: -inf was null, and fields were added."""
    new = dict(record)
    if new.get("log_likelihood", 0.0) is None:
        new["log_likelihood"] = "-inf"
    too_few_steps = new.get("converged") is False and "min_spread" in (new.get("options") or ())
    if too_few_steps and new.get("optimality_gap", 0.0) is None:
        new["optimality_gap"] = "inf"
    options = new.get("options")
    determined = isinstance(options, dict) and options.get("relevance_determination") is True
    if new.get("method") == "vi" and determined:  # the coefficient was there, and not used
        new["options"] = dict(options or {}) | {"prior_coefficient": None}
    for path, value in ADDED.items():
        if ONLY_OF.get(path, new.get("kind")) != new.get("kind"):
            continue
        parent, _, name = path.rpartition(".")
        if not parent:
            new.setdefault(name, value)
        elif isinstance(new.get(parent), dict):
            new[parent] = {name: value, **new[parent]}
    return new


def fit_result(record: dict[str, Any]) -> FitResult:
    """Return a fit without inhibition; raises `RecordError`."""
    found: Any = read(record, KINDS)  # type: ignore[arg-type]
    process = _process(record["process"])
    options: Any = read_options(record["options"], found.method, process.n_marks)
    check_fit(found, process, options)
    if isinstance(found, VariationalRecord):
        check_variational(found, process, options)
    elif isinstance(found, ContrastRecord):
        check_contrast(found, process)
    else:
        found.information = _matrices(found.information)
        check_likelihood(found, process, options)
    fields = _fields(found, _KINDS[record["kind"]], process, record["options"])
    if fields["optimality_gap"] is None:
        fields["optimality_gap"] = float("nan")
    return _KINDS[record["kind"]](**fields)


def rectified_result(record: dict[str, Any]) -> RectifiedResult:
    """Return a fit with inhibition; raises `RecordError`."""
    found = read(record, RectifiedRecord)
    demand(found.process.decay.ndim == 1, "process.decay", "expected a list of numbers")
    try:
        process = RectifiedHawkes(**record["process"])
    except HawkeysError as error:
        raise RecordError(f"field process: {words(error)} {AGAIN}") from error
    options = read_options(record["options"], found.method, process.n_marks)
    check_rectified(found, process, options)
    return RectifiedResult(**_fields(found, RectifiedResult, process, record["options"]))


def nonlinear_result(record: dict[str, Any]) -> NonlinearResult:
    """Return a fit with a link; raises `RecordError`."""
    found = read(record, NonlinearRecord)
    process = _linked(record["process"])
    options = read_linked_options(record["options"], process.n_marks)
    _check_linked(found, process, options)
    return NonlinearResult(**_fields(found, NonlinearResult, process, record["options"]))


def _check_linked(record: Any, process: NonlinearHawkes, options: Any) -> None:
    """Check a fit of a process with a link."""
    n_marks, size = process.parameters.shape
    check_shape(record.event_counts, "event_counts", n_marks)
    demand(not (record.event_counts < 0).any(), "event_counts", "a count is negative")
    check_shape(record.at_bound, "at_bound", n_marks, size)
    check_matrices(record.information, "information", (n_marks, size, size))
    demand(record.total_time > 0, "total_time", "must be above 0")
    for name in ("to_gain", "optimality_gap", "quadrature_error"):
        demand(getattr(record, name) >= 0, name, "must not be negative")
    what = f"expected one list of numbers for each of {n_marks} marks"
    lists = [np.asarray(one) for one in record.traces]
    fits = len(lists) == n_marks and all(one.ndim == 1 and one.size for one in lists)
    demand(fits, "traces", what)
    demand(all((np.diff(one) > 0).all() for one in lists), "traces", "a step falls")
    longest = max(one.size for one in lists) - 1
    demand(record.n_iterations == longest, "n_iterations", f"{longest} steps are in traces")
    ends = float(sum(one[-1] for one in lists))
    demand(is_close(record.objective, ends), "objective", f"the traces end at {ends}")
    check_weights(options.weights, record.n_realizations)
    plain = options.weights is None and options.penalty == 0
    if plain and record.quadrature_error == 0.0:
        fits = is_close(record.log_likelihood, float(record.objective))
        demand(fits, "log_likelihood", "is not the objective, without penalty and weights")
    orders = process.memory if options.by_order else 1
    demand(process.n_orders == orders, "options.by_order", "does not fit process.weights")


def _linked(record: dict[str, Any]) -> NonlinearHawkes:
    pieces = record["pieces"]
    if pieces is not None:
        read_part(pieces, "baseline", BASELINES, "process.pieces")
    kind = LogTimeFilters if "knots" in record["filters"] else LagFilters
    try:
        return NonlinearHawkes(
            record["baseline"],
            record["weights"],
            kind(**record["filters"]),
            memory=record["memory"],
            link=record["link"],
            pieces=None if pieces is None else baseline_from_dict(pieces),
            mark_names=record["mark_names"],
        )
    except (HawkeysError, TypeError) as error:
        raise RecordError(f"field process: {words(error)} {AGAIN}") from error


def _matrices(value: Any) -> np.ndarray | RowMatrices:
    """Return the information of a fit: of all parameters, or of many marks those kept."""
    if not isinstance(value, dict) or "index" not in value:
        return read(value, Unbounded, ".information")
    kept = read(value, RowMatricesRecord, ".information")
    index, offsets = np.asarray(kept.index), np.asarray(kept.offsets)
    values = np.asarray(kept.values).ravel()
    where, sizes = "information.offsets", np.diff(offsets)
    whole = index.ndim == offsets.ndim == 1 and offsets.size > 1 and offsets[0] == 0
    demand(whole and (sizes >= 0).all(), where, "expected a list of numbers, increasing from 0")
    demand(offsets[-1] == index.size, where, f"index has {index.size} entries")
    inside = (index >= 0).all() and (index < kept.n_columns).all()
    demand(inside, "information.index", f"expected numbers below {kept.n_columns}")
    rising = np.diff(index) > 0
    rising[offsets[1:-1][(offsets[1:-1] > 0) & (offsets[1:-1] < index.size)] - 1] = True
    demand(rising.all(), "information.index", "a row does not increase")
    expected = int((sizes * (sizes + 1) // 2).sum())
    demand(values.size == expected, "information.values", f"expected {expected} numbers")
    return RowMatrices(index, offsets, values, int(kept.n_columns))


def _process(record: dict[str, Any]) -> Hawkes:
    baseline = record["baseline"]
    changing = isinstance(baseline, dict)
    where = "process.baseline"
    if changing:
        read_part(baseline, "baseline", BASELINES, where)
    else:
        demand(read(baseline, Floats, f".{where}").ndim == 1, where, "expected a list of numbers")
    read_part(record["kernel"], "kernel", KERNELS, "process.kernel")
    try:
        return Hawkes(
            baseline_from_dict(baseline) if changing else baseline,
            record["adjacency"],
            kernel=kernel_from_dict(record["kernel"]),
            mark_names=record["mark_names"],
        )
    except HawkeysError as error:
        raise RecordError(f"field process: {words(error)} {AGAIN}") from error


def _fields(found: Any, kind: type, process: Any, options: dict[str, Any]) -> dict[str, Any]:
    """Return the fields of a result by name, from those of its record."""
    own = {"process": process, "options": options}
    names = [field.name for field in dataclasses.fields(kind) if field.name not in own]
    return {name: _built(getattr(found, name), name) for name in names} | own


def _built(value: Any, name: str) -> Any:
    """Return what a field of a record stands for: an array, a float, or a class of its parts."""
    if isinstance(value, np.ndarray):
        return np.asarray(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, tuple):
        return tuple(_built(part, name) for part in value)
    if isinstance(value, dict):
        parts = {key: _built(part, key) for key, part in value.items()}
        if name in ("posterior", "prior"):
            return GammaPosterior(**parts) if "rate" in parts else LogNormalPosterior(**parts)
        return parts
    if name in _PARTS and value is not None:
        kind = _PARTS[name]
        own = (field.name for field in dataclasses.fields(kind))
        return kind(**{key: _built(getattr(value, key), key) for key in own})
    return value
