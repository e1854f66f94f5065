"""What the options of a saved result hold, by method; a new option is a line here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, get_args

import msgspec
import numpy as np
from msgspec import UNSET, UnsetType

from hawkeys._records import RecordError, shown, words
from hawkeys.events import Events
from hawkeys.exceptions import HawkeysError
from hawkeys.kernels import kernel_from_dict
from hawkeys.results._saved.parts import read_part
from hawkeys.results._saved.reading import (
    AGAIN,
    Bools,
    Floats,
    Fraction,
    Integers,
    Mask,
    Number,
    Numbers,
    Positive,
    Record,
    Several,
    check_shape,
    demand,
    read,
)
from hawkeys.results._saved.schema import BASELINES, KERNELS

__all__ = ["ModelOptions", "NonlinearOptions", "read_linked_options", "read_options"]


class TiedRecord(Record):
    baseline: Integers
    adjacency: Integers


class HistoryRecord(Record):
    times: Floats
    marks: Integers
    offsets: Integers
    start_times: Floats
    end_times: Floats
    values: Floats | UnsetType = UNSET
    owners: Integers | UnsetType = UNSET  # of what happened outside windows
    window_starts: Floats | UnsetType = UNSET
    window_ends: Floats | UnsetType = UNSET
    observed: Bools | UnsetType = UNSET


class ModelOptions(Record):
    """Which model was fitted; what was not given is absent."""

    support: Bools | UnsetType = UNSET
    weights: Floats | UnsetType = UNSET
    baseline: Any = UNSET  # an object of BASELINES, or of a user's own
    tied: TiedRecord | UnsetType = UNSET
    history: HistoryRecord | UnsetType = UNSET


class SearchOptions(ModelOptions, kw_only=True):
    """How a decay was chosen, if it was."""

    decay_sharing: Literal["shared", "source", "pair"] | UnsetType = UNSET
    decay_grid: list[Numbers] | UnsetType = UNSET
    decay_selection: Literal["likelihood", "cross-validation"] | UnsetType = UNSET
    n_folds: Annotated[int, msgspec.Meta(ge=2)] | UnsetType = UNSET


class MLERecord(SearchOptions, kw_only=True):
    tolerance: Positive
    max_iter: Several


class CoarseRecord(SearchOptions, kw_only=True):
    """Of times known up to a tick, or of counts."""

    resolution: Any  # the tick, or "bins"
    rounding: Literal["floor", "nearest"] | UnsetType = UNSET
    precision: Fraction
    max_iter: Several


class MAPRecord(MLERecord, kw_only=True):
    prior: Any


class LeastSquaresRecord(ModelOptions, kw_only=True):
    tolerance: Positive


class VIRecord(ModelOptions, kw_only=True):
    likelihood_weight: Positive
    relevance_determination: bool
    prior_coefficient: Positive | None
    prior_sharing: Literal["parameter", "row", "all"]
    n_draws: Several | None
    tolerance: Positive
    max_iter: Several


class StochasticVIRecord(ModelOptions, kw_only=True):
    likelihood_weight: Positive
    n_steps: Several
    learning_rate: Positive
    learning_rate_factor: Number
    first_moment: Fraction
    second_moment: Fraction
    epsilon: Positive
    prior_coefficient: Positive
    relevance_determination: bool
    damping: Fraction
    update_every: Several
    start_location: Number
    start_scale: Number
    start_jitter: Number


class BranchingRecord(ModelOptions, kw_only=True):
    prior: Any
    tolerance: Positive
    max_iter: Several


class KernelPriorRecord(Record):
    kernel: KERNELS
    weight: Positive
    location_weight: Number | None


class KernelOptions(Record):
    """What the methods that estimate a kernel have in common; what was not given is null."""

    tolerance: Positive
    max_iter: Several
    groups: Any
    smoothing: Number
    min_spread: Positive
    start: KERNELS | None
    support: Bools | None
    weights: Floats | None


class EMRecord(KernelOptions):
    prior: KernelPriorRecord | None
    baseline_floor: Number


class BranchingKernelRecord(KernelOptions):
    prior: Any
    kernel_prior: KernelPriorRecord | None


class RectifiedOptions(Record):
    support: Mask | None
    weights: Numbers | None
    tolerance: Positive
    max_iter: Several


class NonlinearOptions(Record):
    penalty: Any  # a number, or an object of Ridge, Lasso or ElasticNet
    weights: Numbers | None
    n_given: Annotated[int, msgspec.Meta(ge=0)]
    tolerance: Positive
    max_iter: Several
    by_order: bool


class GammaPriorRecord(Record):
    shape: Number
    rate: Number
    baseline_shape: Number
    baseline_rate: Number


class Penalty(Record, tag_field="name"):
    strength: Numbers
    baseline: Number


class Ridge(Penalty, tag="Ridge"):
    pass


class Lasso(Penalty, tag="Lasso"):
    pass


class ElasticNet(Penalty, tag="ElasticNet"):
    l1_ratio: Number


class GroupLasso(Penalty, tag="GroupLasso"):
    groups: Any


_BY_METHOD: Mapping[str, type[Record]] = {
    "mle": MLERecord,
    "map": MAPRecord,
    "least_squares": LeastSquaresRecord,
    "vi": VIRecord,
    "vi_stochastic": StochasticVIRecord,
    "vi_branching": BranchingRecord,
    "rectified mle": RectifiedOptions,
}
_OF_KERNELS: Mapping[str, type[KernelOptions]] = {
    "mle": EMRecord,
    "vi_branching": BranchingKernelRecord,
}


def read_options(options: Mapping[str, Any], method: str, n_marks: int) -> Record:
    """Return the options of a method, of a fit of so many marks; raises `RecordError`."""
    estimated = "min_spread" in options and method in _OF_KERNELS
    kind = _OF_KERNELS[method] if estimated else _BY_METHOD[method]
    if "resolution" in options and method == "mle":
        kind = CoarseRecord
    found: Any = read(options, kind, ".options")
    if kind is CoarseRecord and options["resolution"] != "bins":
        read(options["resolution"], Positive, ".options.resolution")
    if "prior" in options and kind is not EMRecord:
        _read_prior(options["prior"], n_marks, penalties=method == "map")
    if isinstance(found, KernelOptions):
        _read_groups(options["groups"], ".options.groups", n_marks, "shared", "edge")
        _check_kernel(options["start"], "options.start", n_marks)
        name = "prior" if kind is EMRecord else "kernel_prior"
        prior = options[name]
        _check_kernel(None if prior is None else prior["kernel"], f"options.{name}", n_marks)
    baseline = getattr(found, "baseline", UNSET)
    if baseline is not UNSET:
        read_part(baseline, "baseline", BASELINES, "options.baseline")
    tied = getattr(found, "tied", UNSET)
    if tied is not UNSET:
        check_shape(tied.baseline, "options.tied.baseline", n_marks)
        check_shape(tied.adjacency, "options.tied.adjacency", n_marks, n_marks)
    if getattr(found, "history", UNSET) is not UNSET:
        _check_history(options["history"], n_marks)
    return found


def read_linked_options(options: Mapping[str, Any], n_marks: int) -> NonlinearOptions:
    """Return the options of `hawkeys.fit_nonlinear`; raises `RecordError`."""
    found: NonlinearOptions = read(options, NonlinearOptions, ".options")
    penalty, where = options["penalty"], ".options.penalty"
    if not isinstance(penalty, dict):
        demand(float(read(penalty, Number, where)) >= 0.0, where[1:], "must not be negative")
        return found
    size: Any = read(penalty, Ridge | Lasso | ElasticNet, where)  # type: ignore[arg-type]
    if size.strength.ndim:
        check_shape(size.strength, f"{where[1:]}.strength", n_marks, n_marks)
    return found


def _check_history(record: dict[str, Any], n_marks: int) -> None:
    of_windows = ("owners", "window_starts", "window_ends", "observed")
    arrays = {key: value for key, value in record.items() if key not in of_windows}
    try:
        events = Events.from_arrays(**arrays, n_marks=n_marks)
    except HawkeysError as error:
        raise RecordError(f"field options.history: {words(error)} {AGAIN}") from error
    owners = np.asarray(record.get("owners", []), dtype=np.int64)
    inside = (owners >= 0) & (owners < events.n_realizations)
    demand(bool(inside.all()), "options.history.owners", "must be realisations of the history")
    for name in of_windows[1:3] if "owners" in record else ():
        check_shape(np.asarray(record.get(name, [])), f"options.history.{name}", owners.size)
    if "observed" in record:
        observed = np.asarray(record["observed"])
        check_shape(observed, "options.history.observed", owners.size, n_marks)


def _check_kernel(record: dict[str, Any] | None, where: str, n_marks: int) -> None:
    if record is None:
        return
    try:
        kernel_from_dict(record).check_marks(n_marks)
    except HawkeysError as error:
        raise RecordError(f"field {where}: {words(error)} {AGAIN}") from error


def _read_prior(value: Any, n_marks: int, *, penalties: bool) -> None:
    if not (penalties and isinstance(value, dict) and "name" in value):
        read(value, GammaPriorRecord, ".options.prior")
        return
    schema: Any = Ridge | Lasso | ElasticNet | GroupLasso
    read_part(value, "penalty", schema, "options.prior")
    if value["name"] not in (one.__name__ for one in get_args(schema)):
        return
    found: Any = read(value, schema, ".options.prior")
    if found.strength.ndim:
        check_shape(found.strength, "options.prior.strength", n_marks, n_marks)
    if isinstance(found, GroupLasso):
        where = ".options.prior.groups"
        _read_groups(value["groups"], where, n_marks, "source", "target", "pair")


def _read_groups(value: Any, where: str, n_marks: int, *names: str) -> None:
    if isinstance(value, str):
        demand(value in names, where[1:], f"expected one of {', '.join(names)}; got {shown(value)}")
    else:
        groups = read(value, Numbers, where)
        check_shape(groups, where[1:], n_marks, n_marks)
        demand(not (groups % 1).any(), where[1:], "expected whole numbers")
