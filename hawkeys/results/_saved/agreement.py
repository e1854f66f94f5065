"""Whether the fields of a saved result agree with each other."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from msgspec import UNSET

from hawkeys._typing import BoolArray, FloatArray
from hawkeys.baselines import Constant, LogLinear, Spline
from hawkeys.kernels import SumExponential
from hawkeys.kernels.productive import spread_of
from hawkeys.process import Hawkes, RectifiedHawkes
from hawkeys.results._saved import schema
from hawkeys.results._saved.estimated_errors import check_coefficients, check_kernel_errors
from hawkeys.results._saved.option_schema import KernelOptions, ModelOptions
from hawkeys.results._saved.reading import check_shape, demand
from hawkeys.results.decay_profile import DecayProfile

__all__ = [
    "check_blanks",
    "check_common",
    "check_fit",
    "check_matrices",
    "check_rectified",
    "check_shape",
    "check_weights",
    "is_close",
]

_CLOSE = 1e-6


def check_common(record: schema.Common, n_marks: int, n_parameters: int) -> None:
    """Check what every fit holds: of so many marks, and parameters of each target."""
    check_shape(record.identified, "identified", n_marks, n_parameters)
    check_shape(record.event_counts, "event_counts", n_marks)
    demand((record.event_counts >= 0).all(), "event_counts", "a count is negative")
    demand(record.total_time > 0, "total_time", f"must be above 0, is {record.total_time}")
    demand(record.log_likelihood < math.inf, "log_likelihood", "is infinite")
    trace = record.trace
    fits = trace.ndim == 1 and not np.isnan(trace).any()
    demand(fits, "trace", "expected a list of numbers")


def check_fit(record: Any, process: Hawkes, options: ModelOptions | KernelOptions) -> None:
    """Check a fit without inhibition; `columns` and posteriors by column are left to others."""
    n_marks, rates = process.n_marks, process.baseline_function.known_rates
    check_common(record, n_marks, rates.shape[1] + n_marks)
    _check_gap(record)
    check_weights(options.weights, record.n_realizations)
    _check_support(options.support, record, process)
    _check_likelihood(record, rates, options)
    _check_model(record, process, options)
    if isinstance(record, schema.LikelihoodRecord):
        _check_profile(record, process, options)
        check_kernel_errors(record, process, options)
        check_coefficients(record, process, options)
    _check_steps(record, options)


def _check_steps(record: Any, options: Any) -> None:
    """Check the number of steps: those in the trace, or one in so many of the stochastic form."""
    found, taken = record.trace.size, record.n_iterations
    if record.method == "vi_stochastic":
        expected = -(-options.n_steps // options.update_every)
        demand(taken == options.n_steps, "n_iterations", "is not options.n_steps")
    else:  # of some methods the trace begins before the first step
        from_start = isinstance(options, KernelOptions) or record.method == "vi_branching"
        expected = taken + from_start
        if record.method == "vi":  # the bound of a row may have no value along the way
            expected = min(expected, found)
    what = f"{expected} values are expected of {taken} steps, and there are {found}"
    demand(found == expected, "trace", what)


def _check_gap(record: schema.FitRecord) -> None:
    unknown = record.method in ("vi_stochastic", "least_squares")  # type: ignore[attr-defined]
    what = "is null exactly of 'vi_stochastic' and 'least_squares'"
    demand((record.optimality_gap is None) == unknown, "optimality_gap", what)


def check_weights(weights: Any, n_realizations: int) -> None:
    if weights is not UNSET and weights is not None:
        check_shape(weights, "options.weights", n_realizations)
        fine = (weights >= 0).all() and (weights > 0).any()
        demand(fine, "options.weights", "a weight is negative, or all are 0")


def _check_support(support: Any, record: schema.FitRecord, process: Hawkes) -> None:
    if support is UNSET or support is None:
        return
    n_marks = process.n_marks
    check_shape(support, "options.support", n_marks, n_marks)
    outside = ~np.asarray(support)
    held = not process.adjacency[outside].any()
    demand(held, "process.adjacency", "is not 0 outside options.support")
    flagged = record.identified[:, -n_marks:][outside].any()
    demand(not flagged, "identified", "is true outside options.support")


def _check_likelihood(record: Any, rates: FloatArray, options: Any) -> None:
    """Check the log-likelihood, and that it is what was maximised where nothing else was."""
    plain = options.weights is UNSET or options.weights is None
    by_mle = record.method == "mle" and plain and not _penalised(options)
    if record.log_likelihood == -math.inf:
        possible = (rates == 0).any() and not (by_mle and record.converged)
        demand(possible, "log_likelihood", "no event is impossible under the process")
    if record.trace.size and (
        isinstance(record, schema.LikelihoodRecord) or record.method == "vi_branching"
    ):
        last = float(record.trace[-1])
        demand(is_close(last, record.objective), "objective", f"the trace ends at {last}")
    smooth = getattr(options, "baseline", UNSET)
    if by_mle and isinstance(smooth, dict) and smooth.get("smoothing") is not None:
        what = f"a penalty was taken off; objective is {record.objective}"
        demand(record.log_likelihood >= record.objective, "log_likelihood", what)
    elif by_mle:
        what = f"by 'mle' it is what was maximised, and objective is {record.objective}"
        demand(is_close(record.log_likelihood, record.objective), "log_likelihood", what)


def _penalised(options: Any) -> bool:
    if not isinstance(options, KernelOptions):
        return False
    return getattr(options, "prior", None) is not None or options.smoothing > 0


def is_close(one: float, other: float) -> bool:
    return math.isclose(one, other, rel_tol=_CLOSE, abs_tol=_CLOSE)


def _check_smoothing(function: Spline, free: bool, n_marks: int) -> None:
    """Check that a baseline which was smoothed says by how much; `free` is one that was not."""
    smoothing = function.smoothing
    numbers = isinstance(smoothing, np.ndarray) and smoothing.shape in ((), (n_marks,))
    what = f"expected the smoothing that was chosen, a number or one for each of {n_marks} marks"
    demand(free or numbers, "process.baseline.smoothing", what)


def _check_model(record: Any, process: Hawkes, options: Any) -> None:
    """Check which model was fitted: baseline, ties, and parameters of the kernel."""
    given = getattr(options, "baseline", UNSET)
    function = process.baseline_function
    known = given == function.to_dict()
    changing = not isinstance(function, Constant)
    what = "says when the baseline changes, or is given, exactly if it does or is"
    demand((changing or known) == (given is not UNSET), "options.baseline", what)
    if given is not UNSET:
        left = [function.with_rates(None)]
        left += [function.with_coefficients(None)] if isinstance(function, LogLinear) else []
        if isinstance(function, Spline):  # as it was asked for
            left += [function.with_smoothing(given.get("smoothing")).with_rates(None)]
            _check_smoothing(function, known or given.get("smoothing") is None, process.n_marks)
        same = known or given in [one.to_dict() for one in left]
        demand(same, "options.baseline", "is not that of the process, without rates or with them")
    tied = getattr(options, "tied", UNSET)
    columns = getattr(record, "columns", None) or getattr(record, "column_posterior", None)
    where = "columns" if isinstance(record, schema.LikelihoodRecord) else "column_posterior"
    rich_ties = tied is not UNSET
    rich = changing or rich_ties
    mixture = isinstance(spread_of(process.kernel), SumExponential)
    fits = columns is not None if rich else columns is None or mixture
    demand(fits, where, "is null exactly of a plain model")
    if columns is not None:
        check_columns(columns, where, process)
        both = np.append(columns.map.baseline, columns.map.adjacency[columns.map.adjacency >= 0])
        shared = np.unique(both).size < both.size
        demand(not shared or rich_ties, f"{where}.map", "parameters share columns without ties")
    most = _most_kernel_parameters(record, process, options, columns)
    what = f"{most} at most were estimated"
    demand(record.n_kernel_parameters <= most, "n_kernel_parameters", what)


def _most_kernel_parameters(record: Any, process: Hawkes, options: Any, columns: Any) -> int:
    if isinstance(options, KernelOptions):
        values = process.kernel.to_dict()
        names = values.keys() & {"location", "scale", "shape", "rate", "masses"}
        return sum(np.size(values[name]) for name in names)
    profile = getattr(record, "decay_profile", None)
    errors = getattr(record, "kernel_std_err", None) or {}
    most = sum(np.size(error) for error in errors.values())
    if profile is not None:
        most = int(np.size(process.kernel.decay))  # type: ignore[attr-defined]
    if columns is not None:
        pairs = np.unique(columns.map.adjacency[record.identified[:, -process.n_marks :]][:, 0])
        most += pairs.size * (columns.map.adjacency.shape[2] - 1)
    return most


def _check_profile(record: schema.LikelihoodRecord, process: Hawkes, options: Any) -> None:
    profile = record.decay_profile
    names = ("decay_sharing", "decay_grid", "decay_selection", "n_folds")
    searched = [getattr(options, name, UNSET) is not UNSET for name in names]
    known = ([True, False, False, False], [False, True, True, True])
    fits = not any(searched) if profile is None else searched in known
    demand(fits, "decay_profile", f"it and options ({', '.join(names)}) do not fit")
    if profile is None:
        return
    decays, n_marks = profile.decays, process.n_marks
    where = "decay_profile"
    shapes = [decays.shape[:1] + (n_marks,) * k for k in range(3)]
    demand(decays.ndim > 0 and decays.shape in shapes, f"{where}.decays", "of another shape")
    demand(decays.size > 0 and (decays > 0).all(), f"{where}.decays", "must be above 0")
    for name in ("objective", "score"):
        values = getattr(profile, name)
        check_shape(values, f"{where}.{name}", decays.shape[0])
        demand(not np.isnan(values).any(), f"{where}.{name}", "null is no value")
    selection = getattr(options, "decay_selection", UNSET)
    expected = "likelihood" if selection is UNSET else selection
    demand(profile.selection == expected, f"{where}.selection", f"options say {expected!r}")
    same = expected != "likelihood" or np.array_equal(profile.score, profile.objective)
    demand(same, f"{where}.score", "is not the objective, by which the decay was chosen")
    if options.decay_grid is not UNSET:
        _check_grid(decays, options.decay_grid)
    _check_limit(record, profile, n_marks)
    chosen = decays[int(np.argmax(profile.score))]
    found = getattr(process.kernel, "decay", None)
    what = "its best candidate is not the decay of process.kernel"
    demand(found is not None and np.array_equal(chosen, found), where, what)


def _check_limit(record: schema.LikelihoodRecord, profile: Any, n_marks: int) -> None:
    """Check the bounds of a search, and that what is held at one is not identified."""
    where, bounds = "decay_profile", profile.bounds
    if bounds is None:
        demand(profile.limit is None, f"{where}.limit", "there are no bounds")
        return
    demand(0 < bounds[0] <= bounds[1], f"{where}.bounds", "must be above 0 and increase")
    built = DecayProfile(
        np.asarray(profile.decays),
        np.asarray(profile.objective),
        np.asarray(profile.score),
        bounds=(float(bounds[0]), float(bounds[1])),
        limit=profile.limit,
    )
    flagged = record.identified[:, -n_marks:][built.held(n_marks)].any()
    demand(not flagged, "identified", "is true where decay_profile has no estimate")


def _check_grid(decays: FloatArray, grid: list[Any]) -> None:
    tried = [np.asarray(each) for each in grid]
    same = {each.shape for each in tried} == {decays.shape[1:]}
    if same:
        stacked = np.stack(tried)
        same = np.array_equal(np.unique(stacked) if stacked.ndim == 1 else stacked, decays)
    demand(same, "options.decay_grid", "is not what was tried, decay_profile.decays")


def check_symmetric(array: np.ndarray, where: str, shape: tuple[int, int, int]) -> None:
    """Refuse what are no symmetric matrices of this size, one per row problem."""
    check_shape(array, where, *shape)
    for one in np.asarray(array):
        nans, known = np.isnan(one), np.nan_to_num(one)
        scale = np.abs(known).max(initial=0.0)
        same = (np.abs(known - known.T) <= _CLOSE * scale).all() and (nans == nans.T).all()
        demand(same, where, "is not symmetric")


def check_matrices(array: np.ndarray, where: str, shape: tuple[int, int, int]) -> None:
    """Refuse what are no symmetric matrices with a diagonal of at least 0, one per row problem."""
    check_symmetric(array, where, shape)
    diagonal = np.diagonal(array, axis1=1, axis2=2)
    demand(not (diagonal < 0).any(), where, "a diagonal entry is negative")


def check_blanks(array: np.ndarray, where: str, known: BoolArray) -> None:
    """Refuse null where a parameter is known, and a number where it is not.

    Of matrices, those of a target may be null as a whole.
    """
    if array.ndim == known.ndim:
        expected = ~known
    else:
        both = known[:, :, None] & known[:, None, :]
        none = np.isnan(array).all(axis=(1, 2), keepdims=True)
        expected = ~both | none
    fits = (np.isnan(array) == expected).all()
    demand(fits, where, "null is where a parameter is known, or a number where it is not")


def check_columns(record: Any, where: str, process: Hawkes) -> None:
    """Check where the parameters are: record.map, in arrays of the shape of `estimates`."""
    values = record.estimates if hasattr(record, "estimates") else record.prior_coefficient
    found, n_marks = record.map, process.n_marks
    demand(values.ndim == 2 and values.size > 0, where, "expected one list of numbers per row")
    check_shape(values, f"{where}.map.n_columns", values.shape[0], found.n_columns)
    n_pieces = process.baseline_function.known_rates.shape[1]
    check_shape(found.baseline, f"{where}.map.baseline", n_marks, n_pieces)
    indices = found.adjacency
    n_components = indices.shape[-1] if indices.ndim == 3 else 0
    demand(n_components > 0, f"{where}.map.adjacency", "expected lists of lists of lists")
    check_shape(indices, f"{where}.map.adjacency", n_marks, n_marks, n_components)
    both = np.concatenate((found.baseline, indices.reshape(n_marks, -1)), axis=1)
    inside = (both < values.size).all() and (found.baseline >= 0).all() and (both >= -1).all()
    demand(inside, f"{where}.map", "an index is outside")
    block = found.baseline[:, :1] // found.n_columns
    same = ((both < 0) | (both // found.n_columns == block)).all()
    demand(same, f"{where}.map", "a parameter is in the row problem of another target")


def check_rectified(record: schema.RectifiedRecord, process: RectifiedHawkes, options: Any) -> None:
    """Check a fit with inhibition."""
    n_marks = process.n_marks
    check_common(record, n_marks, n_marks + 1)
    check_shape(record.at_bound, "at_bound", n_marks, n_marks + 1)
    estimates = np.column_stack((process.baseline, process.adjacency))
    bound = estimates[np.asarray(record.at_bound)]
    fits = not (record.at_bound & ~record.identified).any() and (bound <= 0).all()
    demand(fits, "at_bound", "a parameter that is not identified, or above its bound, is at it")
    estimated = record.information.shape[-1:] == (n_marks + 2,)
    size = n_marks + 1 + estimated
    # at the edge of the range the second derivative by a decay may have either sign
    check_symmetric(record.information, "information", (n_marks, size, size))
    check_shape(record.decay_identified, "decay_identified", n_marks)
    fits = estimated or not record.decay_identified.any()
    demand(fits, "decay_identified", "no decay was estimated")
    for name in ("to_gain", "gradient_norm"):
        demand(getattr(record, name) >= 0, name, "must not be negative")
    what = f"{record.trace.size} steps are in trace"
    demand(record.n_iterations == record.trace.size - 1, "n_iterations", what)
    check_weights(options.weights, record.n_realizations)
    if options.support is not None:
        check_shape(options.support, "options.support", n_marks, n_marks)
    if options.weights is None:
        last = float(record.trace[-1])
        demand(is_close(record.log_likelihood, last), "log_likelihood", f"the trace ends at {last}")
