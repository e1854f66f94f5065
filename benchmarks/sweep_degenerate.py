"""Degenerate cases: few events, trends, bursts, ties, one value, huge and tiny units.

There is often no answer. What is asked is that no number is not finite, that an explosive fit
comes with a warning, and that nothing breaks.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sweep_brute import objective_of, rows_of
from sweep_known import check_optimum
from sweep_model import Array, Problem, Window
from sweep_random import exponential_problem
from sweep_report import Report

import hawkeys
from hawkeys.kernels import Gamma, Histogram, LogNormal, SumExponential

__all__ = ["METHODS", "check_degenerate", "compare", "fit_as", "look_at", "radius_of"]

_UNITS = (1.0, 1.0, 1e-12, 1e-6, 1e6, 1e12)
_STARTS = (0.0, 0.0, 0.0, -3.0, 1e6)
_LAYOUTS = ("random", "rising", "falling", "burst", "tied", "one value", "ends", "pairs", "even")
METHODS = (
    "given",
    "estimate",
    "estimate",
    "source",
    "pair",
    "log_normal",
    "gamma",
    "histogram",
    "sum",
    "map",
    "vi",
    "vi_branching",
    "least_squares",
    "rectified",
    "rectified estimate",
    "each",
    "pieces",
    "map estimate",
    "goodness of fit",
    "intervals",
    "bootstrap",
)
_BUILT_ON = ("goodness of fit", "intervals", "bootstrap")


def check_degenerate(report: Report, rng: np.random.Generator) -> None:
    """Fit degenerate data in some way, and look at all that is returned."""
    size = int(rng.choice([1, 1, 1, 2, 3]))
    unit = float(rng.choice(_UNITS))
    layout = str(rng.choice(_LAYOUTS))
    windows = tuple(
        _window(rng, layout, size, unit) for _ in range(int(rng.choice([1, 1, 1, 2, 3])))
    )
    problem = Problem(size, windows, None, ())
    method = str(rng.choice(METHODS))
    report.kind = f"degenerate {method}"
    length = max(window.end - window.start for window in windows)
    with report.listening() as texts:
        decay = float(10.0 ** rng.uniform(-6.0, 6.0)) / length
        result = fit_as(problem, method, length, decay)
        look_at(report, result, problem)
        if method in _BUILT_ON:
            _build(report, method, result, problem.events)
    radius = float(np.max(radius_of(result)))
    report.explained(radius, texts, f"{layout}, {problem.n_events} events")
    if method == "given":
        with report.listening():
            compare(report, rng, problem, result)


def _window(rng: np.random.Generator, layout: str, size: int, unit: float) -> Window:
    """Return a window of length about 10 units with 0 to 8 events."""
    n = int(rng.integers(0, 9))
    start, length = float(rng.choice(_STARTS)), float(np.round(rng.uniform(5.0, 20.0), 3))
    times = np.sort(_layout(rng, layout, n)) * length
    times = np.clip((start + times) * unit, start * unit, (start + length) * unit)
    marks = rng.integers(size, size=n)
    if layout == "pairs" and size > 1:
        marks = np.arange(n) % size
    return Window(times, marks, start * unit, (start + length) * unit)


def _layout(rng: np.random.Generator, layout: str, n: int) -> Array:
    """Return n places in [0, 1]."""
    place = float(rng.random())
    if layout == "rising":
        return 1.0 - np.cumprod(np.full(n, 0.6))
    if layout == "falling":
        return np.cumprod(np.full(n, 0.6))
    if layout == "burst":
        return place * 0.9 + 1e-6 * rng.random(n)
    if layout == "tied":
        return rng.choice([0.25, 0.5, 0.75], n)
    if layout == "one value":
        return np.full(n, place)
    if layout == "ends":
        return rng.choice([0.0, 1.0], n)
    if layout == "pairs":
        return np.repeat(rng.random((n + 1) // 2), 2)[:n] + np.arange(n) % 2 * 1e-3 * (place < 0.5)
    if layout == "even":
        return (np.arange(n) + 0.5) / max(n, 1)
    return rng.random(n)


def fit_as(problem: Problem, method: str, length: float, decay: float) -> Any:
    """Return a fit by the method named, to windows of a length, with a decay if one is given."""
    events = problem.events
    if method in ("source", "pair"):
        return hawkeys.fit(events, decay="estimate", decay_sharing=method)
    if method in ("estimate", "map estimate"):
        return hawkeys.fit(events, decay="estimate", method="map" if "map" in method else "mle")
    if method == "log_normal":
        return hawkeys.fit(events, kernel=LogNormal())
    if method == "gamma":
        return hawkeys.fit(events, kernel=Gamma())
    if method == "histogram":
        return hawkeys.fit(events, kernel=Histogram(length * np.array([0.0, 0.01, 0.1, 0.5])))
    if method == "sum":
        return hawkeys.fit(events, kernel=SumExponential([decay, 3.0 * decay]))
    if method == "rectified":
        return hawkeys.fit_rectified(events, decay=decay)
    if method == "rectified estimate":
        return hawkeys.fit_rectified(events, decay="estimate")
    if method == "each":
        return hawkeys.fit_each(events, decay=decay)
    if method == "pieces":
        low = min(window.start for window in problem.windows)
        high = max(window.end for window in problem.windows)
        middle = [float(t) for t in events.times[:1] if low < t < high]
        knots = np.unique([low, *middle, high])
        return hawkeys.fit(events, decay=decay, baseline=hawkeys.baselines.PiecewiseConstant(knots))
    plain = method == "given" or method in _BUILT_ON
    return hawkeys.fit(events, decay=decay, method="mle" if plain else method)


def _build(report: Report, method: str, result: Any, events: hawkeys.Events) -> None:
    """Check what is built on a fit: no number outside its range."""
    if method == "bootstrap":
        again = hawkeys.inference.bootstrap(result, events, n_replicates=5)
        report.true("bootstrap", len(repr(again)) > 0)
    elif method == "intervals":
        profile = hawkeys.inference.profile_interval(result, events)
        lower, upper = profile.lower, profile.upper
        both = ~np.isnan(lower) & ~np.isnan(upper)
        report.true("interval", (lower[both] <= upper[both]).all(), f"{lower} {upper}")
        pvalues = hawkeys.inference.edge_tests(result, events).pvalues
        known = pvalues[~np.isnan(pvalues)]
        report.true("p-values", ((known >= 0) & (known <= 1)).all(), f"{pvalues}")
    else:
        gof = hawkeys.goodness_of_fit(result, events, n_mc_samples=5)
        report.true("residuals", (gof.residuals >= 0).all(), f"{gof.residuals}")
        report.true("p-value", np.isnan(gof.pvalue) or 0 < gof.pvalue <= 1, f"{gof.pvalue}")


def look_at(report: Report, result: Any, problem: Problem) -> None:
    """Check that every number that a result shows is finite, or missing where it says so."""
    for name in ("baseline", "adjacency"):
        report.finite(name, getattr(result, name))
    values = np.ravel(result.log_likelihood)
    report.true(
        "log_likelihood", not np.isnan(values).any() and (values < np.inf).all(), f"{values}"
    )
    if isinstance(result, hawkeys.inference.EachResult):
        report.true("gap", not np.isnan(result.optimality_gap).any())
        return
    kernel = result.process.kernel
    for name in ("decay", "location", "scale", "shape", "rate", "masses", "weights"):
        value = getattr(kernel, name, None)
        if value is not None:
            report.finite(f"kernel {name}", value)
    free = result.identified & ~result.at_bound
    errors = np.asarray(result.std_err)
    report.true("std_err", not np.isinf(errors).any(), f"{errors}")
    report.true("std_err of what is not identified", np.isnan(errors[~result.identified]).all(),
                f"{errors}")  # fmt: skip
    report.true("free and above 0", np.isfinite(result.estimates[free]).all())
    report.true("summary", len(result.summary()) > 0)
    frame = result.to_frame()
    both = frame[["lower", "upper"]].dropna()
    report.true("interval", (both["lower"] <= both["upper"]).all(), f"{both}")
    report.true("file", len(result.to_dict()) > 0)


def radius_of(result: Any) -> Array:
    """Return the spectral radius of the fit, or of each, over what is said to be identified."""
    size = result.adjacency.shape[-1]
    adjacency = np.maximum(np.where(result.identified[..., -size:], result.adjacency, 0.0), 0.0)
    if not np.isfinite(adjacency).all():
        return np.array([np.inf])
    return np.abs(np.linalg.eigvals(adjacency)).max(axis=-1)


def compare(report: Report, rng: np.random.Generator, problem: Problem, result: Any) -> None:
    """Compare a fit with a given decay with brute force."""
    problem = exponential_problem(problem, float(result.kernel.decay))
    rows = rows_of(problem)
    objective, kept = objective_of(rows)
    check_optimum(report, rng, problem, (rows, objective, kept), result)
