"""Checks that need no brute force: the same question asked in another way has the same answer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from sweep_model import Bins, Problem, Window
from sweep_random import draw_problem
from sweep_report import Report

import hawkeys
from hawkeys.kernels import Exponential, Gamma, Histogram, LogNormal, SumExponential

__all__ = ["check_invariance"]

_EXACT_SCALES = (2.0**30, 2.0**-30)
_SCALES = (*_EXACT_SCALES, 1e9, 1e-9)


def check_invariance(report: Report, rng: np.random.Generator) -> None:
    """Fit a problem and one of its disguises, and compare."""
    problem = draw_problem(rng)
    name = str(rng.choice(list(_DISGUISES)))
    found = _DISGUISES[name](rng, problem)
    if found is None:
        name, found = "scale", _scaled(rng, problem)
    other, back = found
    method = str(rng.choice(["mle", "mle", "mle", "map", "least_squares"]))
    if method == "least_squares" and not _is_plain(problem):
        method = "mle"
    prior: dict[str, Any] = {}
    if method == "map":
        prior = {"prior": hawkeys.GammaPrior(1.5, 1.0)}
    with report.listening():
        one = hawkeys.fit(problem.events, method=method, **problem.options, **prior)
        two = hawkeys.fit(other.events, method=method, **other.options, **prior)
    report.true(
        f"{name}: converged", one.converged == two.converged, f"{one.message} {two.message}"
    )
    gap = 2e-6 * problem.n_marks + 1e-8 * abs(one.objective)
    if method == "least_squares":
        gap = 1e-7 * abs(one.objective)
    shift = back(two)
    if method != "least_squares" or name != "scale":
        report.close(f"{name}: objective", shift["objective"], one.objective, rtol=0.0, atol=gap)
        if np.isfinite(one.log_likelihood) or np.isfinite(two.log_likelihood):
            value = shift["log_likelihood"]
            if value is not None:
                report.close(
                    f"{name}: log_likelihood", value, one.log_likelihood, rtol=1e-8, atol=1e-4
                )
    _compare(report, name, one, shift)


def _compare(report: Report, name: str, one: Any, shift: dict[str, Any]) -> None:
    """Compare flags and estimates; the latter in standard errors."""
    report.true(f"{name}: identified", (one.identified == shift["identified"]).all(),
                f"{one.identified} {shift['identified']}")  # fmt: skip
    if not (one.identified == shift["identified"]).all() or not one.converged:
        return
    known = one.identified
    scale = np.where(np.isfinite(one.std_err) & (one.std_err > 0), one.std_err, 1.0)
    moved = (
        np.abs(shift["estimates"] - one.estimates)[known]
        / np.maximum(scale, 1e-9 * np.abs(one.estimates))[known]
    )
    report.below(f"{name}: estimates", float(moved.max(initial=0.0)), 1e-2, "standard errors")
    both = known & np.isfinite(one.std_err) & np.isfinite(shift["std_err"])
    report.close(f"{name}: std_err", shift["std_err"][both], one.std_err[both], rtol=1e-2, atol=0.0)
    report.true(f"{name}: at_bound", (one.at_bound == shift["at_bound"]).all(),
                f"{one.estimates} {shift['estimates']}")  # fmt: skip


def _is_plain(problem: Problem) -> bool:
    return (
        isinstance(problem.kernel, Exponential)
        and problem.steps.knots is None
        and problem.tied is None
    )


def _same(result: Any) -> dict[str, Any]:
    """Return what is compared, unchanged."""
    names = ("objective", "log_likelihood", "estimates", "std_err", "identified", "at_bound")
    return {name: getattr(result, name) for name in names}


Disguise = tuple[Problem, Callable[[Any], dict[str, Any]]]


def _scaled(rng: np.random.Generator, problem: Problem) -> Disguise:
    """Return the problem in another unit of time."""
    # a knot may fall on an event: then only an exact scale leaves it there
    by = float(rng.choice(_SCALES if problem.steps.knots is None else _EXACT_SCALES))
    windows = tuple(
        replace(w, times=w.times * by, start=w.start * by, end=w.end * by) for w in problem.windows
    )
    steps = problem.steps
    if steps.knots is not None:
        period = None if steps.period is None else steps.period * by
        steps = replace(steps, knots=steps.knots * by, period=period)
    other = replace(problem, windows=windows, kernel=_in_unit(problem.kernel, by), steps=steps)
    n_pieces = steps.n_pieces
    weights = np.ones(len(windows)) if problem.weights is None else problem.weights
    counts = np.array([w.times.size for w in windows])

    def back(result: Any) -> dict[str, Any]:
        out = _same(result)
        for name in ("estimates", "std_err"):
            value = out[name].copy()
            value[:, :n_pieces] *= by
            out[name] = value
        out["objective"] = out["objective"] + np.log(by) * float(weights @ counts)
        out["log_likelihood"] = out["log_likelihood"] + np.log(by) * float(counts.sum())
        return out

    return other, back


def _in_unit(kernel: Any, by: float) -> Any:
    """Return a kernel in another unit of time."""
    if isinstance(kernel, Exponential):
        return Exponential(kernel.decay / by)
    if isinstance(kernel, SumExponential):
        return SumExponential(kernel.decays / by, kernel.weights)
    if isinstance(kernel, LogNormal):
        return LogNormal(kernel.location + np.log(by), kernel.scale)
    if isinstance(kernel, Gamma):
        return Gamma(kernel.shape, np.asarray(kernel.rate) / by)
    return Histogram(kernel.edges * by, kernel.masses)


def _shifted(rng: np.random.Generator, problem: Problem) -> Disguise:
    """Return the problem on another clock; times are multiples of 2^-20, so that it is exact."""
    by = float(rng.choice([1.7e9, -1234.0, 86_400.0]))
    if any(abs(window.start) > 1e9 for window in problem.windows):
        by = -1.7e9
    windows = tuple(
        replace(w, times=w.times + by, start=w.start + by, end=w.end + by) for w in problem.windows
    )
    steps = problem.steps
    if steps.knots is not None:
        steps = replace(steps, knots=steps.knots + by)
    return replace(problem, windows=windows, steps=steps), _same


def _permuted(rng: np.random.Generator, problem: Problem) -> Disguise | None:
    """Return the problem with its marks in another order."""
    size, n_pieces = problem.n_marks, problem.steps.n_pieces
    if size == 1:
        return None
    order = rng.permutation(size)  # the new mark k is the old mark order[k]
    new = np.argsort(order)
    square = np.ix_(order, order)
    windows = tuple(replace(w, marks=new[w.marks]) for w in problem.windows)
    tied = problem.tied
    if tied is not None:
        tied = np.column_stack((tied[order, 0], tied[:, 1:][square]))
    support = None if problem.support is None else problem.support[square]
    kernel = _reordered(problem.kernel, square, order)
    other = replace(problem, windows=windows, support=support, tied=tied, kernel=kernel)

    def back(result: Any) -> dict[str, Any]:
        out = _same(result)
        for name in ("estimates", "std_err", "identified", "at_bound"):
            value = out[name]
            rows = np.column_stack((value[:, :n_pieces], value[:, n_pieces:][:, new]))
            out[name] = rows[new]
        return out

    return other, back


def _reordered(kernel: Any, square: Any, order: Any) -> Any:
    """Return a kernel for marks in another order."""

    def pick(value: Any) -> Any:
        if value.ndim == 1 and isinstance(kernel, Exponential):
            return value[order]
        return value[square] if value.ndim >= 2 else value

    if isinstance(kernel, Exponential):
        return Exponential(pick(kernel.decay))
    if isinstance(kernel, SumExponential):
        return SumExponential(kernel.decays, pick(kernel.weights))
    if isinstance(kernel, LogNormal):
        return LogNormal(pick(kernel.location), pick(kernel.scale))
    if isinstance(kernel, Gamma):
        return Gamma(pick(kernel.shape), pick(kernel.rate))
    return Histogram(kernel.edges, pick(kernel.masses))


def _left_out(rng: np.random.Generator, problem: Problem) -> Disguise | None:
    """Return the problem without the realisations of weight 0, made so if there are none."""
    n = len(problem.windows)
    if n == 1:
        return None
    weights = problem.weights
    if weights is None or (weights > 0).all():
        return None
    kept = np.flatnonzero(weights > 0)
    windows = tuple(problem.windows[r] for r in kept)
    other = replace(problem, windows=windows, weights=weights[kept])

    def back(result: Any) -> dict[str, Any]:
        return _same(result) | {"log_likelihood": None}

    return other, back


def _repeated(rng: np.random.Generator, problem: Problem) -> Disguise:
    """Return the problem with its realisations in another order, repeated for whole weights."""
    n = len(problem.windows)
    weights = np.ones(n) if problem.weights is None else problem.weights
    if (weights % 1.0).any():
        order = rng.permutation(n)
        windows = tuple(problem.windows[r] for r in order)
        return replace(problem, windows=windows, weights=weights[order]), _same
    order = rng.permutation(np.repeat(np.arange(n), weights.astype(int)))
    other = replace(problem, windows=tuple(problem.windows[r] for r in order), weights=None)

    def back(result: Any) -> dict[str, Any]:
        out = _same(result)
        return out if problem.weights is None else out | {"log_likelihood": None}

    return other, back


def _split(rng: np.random.Generator, problem: Problem) -> Disguise | None:
    """Return the problem with a window cut where the reach of a histogram is over."""
    shape = problem.shapes[0]
    if not isinstance(shape, Bins):
        return None
    reach = float(shape.edges[-1])
    windows, weights = [], []
    given = np.ones(len(problem.windows)) if problem.weights is None else problem.weights
    for window, weight in zip(problem.windows, given, strict=True):
        for part in _cut(window, reach):
            windows.append(part)
            weights.append(weight)
    if len(windows) == len(problem.windows):
        return None
    other = replace(problem, windows=tuple(windows), weights=np.array(weights))
    if problem.weights is None:
        other = replace(other, weights=None)
    return other, _same


def _cut(window: Window, reach: float) -> list[Window]:
    """Return a window in two, cut once more than `reach` after an event, if there is such a gap."""
    gaps = np.diff(window.times)
    long = np.flatnonzero(gaps > 2.5 * reach)
    if long.size == 0:
        return [window]
    k = int(long[0])
    at = float(window.times[k] + 1.25 * reach)
    first = Window(window.times[: k + 1], window.marks[: k + 1], window.start, at)
    return [first, Window(window.times[k + 1 :], window.marks[k + 1 :], at, window.end)]


_DISGUISES: dict[str, Callable[[np.random.Generator, Problem], Disguise | None]] = {
    "scale": _scaled,
    "shift": _shifted,
    "permutation": _permuted,
    "weight 0": _left_out,
    "repetition": _repeated,
    "split": _split,
}
