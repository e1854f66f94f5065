"""Checks of processes and of fits whose kernel is given: likelihood, optimum, errors, flags."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import fixed_quad
from sweep_brute import (
    Objective,
    Rows,
    compensators,
    full_parameters,
    intensities,
    numerical_hessian,
    objective_of,
    rows_of,
)
from sweep_model import Array, Problem
from sweep_random import draw_problem
from sweep_report import Report

import hawkeys
from hawkeys.inference import ElasticNet, GroupLasso, Lasso, Ridge

__all__ = [
    "check_map",
    "check_mle",
    "check_optimum",
    "check_penalty",
    "check_process",
    "penalised",
    "random_process",
]

_SLACK = 2e-6  # nats
_FLAT = 1e-12
_REGULAR = 1e-6
_QUADRATURE_EVENTS = 25
_LOG_STEP = 1e-3  # of a decay, for differences


def random_process(rng: np.random.Generator, problem: Problem) -> hawkeys.Hawkes:
    """Return a process with the kernel and the pieces of a problem; some entries are 0."""
    size, n_pieces = problem.n_marks, problem.steps.n_pieces
    duration = sum(window.end - window.start for window in problem.windows)
    rates = rng.gamma(1.0, problem.n_events / duration / size, (size, n_pieces)) + 1e-3 / duration
    adjacency = rng.gamma(0.7, 0.5 / size, (size, size)) * (rng.random((size, size)) < 0.7)
    function = problem.steps.function(rates)
    base = rates[:, 0] if function is None or n_pieces == 1 else function
    return hawkeys.Hawkes(base if function is None else function, adjacency, kernel=problem.kernel)


def check_process(
    report: Report, rng: np.random.Generator, problem: Problem, rows: Rows, process: Any
) -> None:
    """Compare log-likelihood, gradient, intensity and compensator of a process."""
    events, full = problem.events, full_parameters(problem, process)
    total = rows.log_likelihood(full)
    report.close("log_likelihood", process.log_likelihood(events), total, rtol=1e-9, atol=1e-8)
    if np.isfinite(total):
        parts = process.log_likelihood_gradient(events)
        found = np.column_stack([part.reshape(problem.n_marks, -1) for part in parts]).ravel()
        expected = rows.gradient(full)
        scale = float(np.abs(rows.costs.sum(axis=0)).max())
        report.close("gradient", found, expected, rtol=1e-7, atol=1e-7 * max(scale, 1.0))
        if problem.steps.knots is None:
            likelihood = hawkeys.LogLikelihood(events, kernel=problem.kernel)
            value, slope = likelihood.value_and_gradient(full)
            report.close("LogLikelihood", value, total, rtol=1e-9, atol=1e-8)
            report.close("its gradient", slope, expected, rtol=1e-7, atol=1e-7 * max(scale, 1.0))
    r = int(rng.integers(len(problem.windows)))
    window = problem.windows[r]
    when = np.concatenate((rng.uniform(window.start, window.end, 5), window.times[:5]))
    when = when[(when < window.end)]
    found = process.intensity(events, when, realization=r)
    report.close("intensity", found, intensities(problem, window, full, when), rtol=1e-7)
    when = np.append(when, window.end)
    found = process.compensator(events, when, realization=r)
    expected = compensators(problem, window, full, when)
    report.close("compensator", found, expected, rtol=1e-8, atol=1e-9)
    if window.times.size <= _QUADRATURE_EVENTS and rng.random() < 0.25:
        _check_quadrature(report, problem, full, r, found[-1])


def _check_quadrature(
    report: Report, problem: Problem, full: Array, realization: int, found: Array
) -> None:
    """Compare the compensator of one mark with the integral of its intensity by scipy."""
    window = problem.windows[realization]
    ends = [low for low, _, _ in problem.steps.cuts(window.start, window.end)]
    knots = np.unique(np.concatenate((window.times, ends, [window.start, window.end])))
    edges = _landmarks(problem)
    jumps = (window.times[:, None] + edges).ravel()
    inside = jumps[(jumps > window.start) & (jumps < window.end)]
    knots = np.unique(np.concatenate((knots, inside)))
    total, error = 0.0, 0.0

    def rate(times: Array) -> Array:
        return intensities(problem, window, full, times)[:, 0]

    for low, high in itertools.pairwise(knots):
        part = fixed_quad(rate, low, high, n=30)[0]
        error += abs(part - fixed_quad(rate, low, high, n=21)[0])
        total += part
    if error < 1e-5 * max(total, 1.0):
        report.close("quadrature", found[0], total, rtol=1e-5, atol=1e-5 + 10.0 * error)


def _landmarks(problem: Problem) -> Array:
    """Return lags at which a density jumps, or between which all of a narrow one lies."""
    shape = problem.shapes[0]
    if hasattr(shape, "law"):
        levels = [1e-9, 0.01, 0.2, 0.5, 0.8, 0.99]
        pairs = np.ndindex(problem.n_marks, problem.n_marks)
        return np.concatenate([shape.law(i, j).ppf(levels) for i, j in pairs])
    return np.asarray(getattr(shape, "edges", np.empty(0)))


def check_mle(report: Report, rng: np.random.Generator) -> None:
    """Check a maximum-likelihood fit with a kernel that is given, and its process."""
    problem = draw_problem(rng)
    rows = rows_of(problem)
    check_process(report, rng, problem, rows, random_process(rng, problem))
    with report.listening():
        result: Any = hawkeys.fit(problem.events, **problem.options)
    objective, kept = objective_of(rows)
    check_optimum(report, rng, problem, (rows, objective, kept), result)


def check_map(report: Report, rng: np.random.Generator) -> None:
    """Check a posterior mode under Gamma priors."""
    problem = replace(draw_problem(rng), tied=None)
    rows = rows_of(problem)
    shapes, rates = 1.0 + rng.gamma(1.0, 0.7, 2) * (rng.random(2) < 0.7), rng.gamma(1.0, 1.0, 2)
    prior = hawkeys.GammaPrior(shapes[0], rates[0], shapes[1], rates[1])
    with report.listening():
        result: Any = hawkeys.fit(problem.events, method="map", prior=prior, **problem.options)
    pair = _is_pair(problem, rows)
    objective, kept = objective_of(rows, np.where(pair, rates[0], rates[1]))
    objective = replace(objective, powers=np.where(pair[kept], shapes[0], shapes[1]) - 1.0)
    check_optimum(report, rng, problem, (rows, objective, kept), result)


def check_penalty(report: Report, rng: np.random.Generator) -> None:
    """Check a penalised maximum: ridge, L1, elastic net, groups."""
    problem = replace(draw_problem(rng), tied=None)
    size = problem.n_marks
    rows = rows_of(problem)
    strength = np.asarray(
        10.0 ** rng.uniform(-1.0, 1.5, (size, size) if rng.random() < 0.5 else ())
    )
    base = float(rng.choice([0.0, 0.0, 0.5]))
    share = float(rng.choice([0.0, 1.0, 0.4, -1.0]))
    kinds = {0.0: Ridge(strength, base), 1.0: Lasso(strength, base)}
    prior = kinds.get(share) or ElasticNet(strength, base, max(share, 0.0))
    if share < 0:
        prior = GroupLasso(strength, base, groups=str(rng.choice(["source", "target", "pair"])))
    with report.listening():
        result: Any = hawkeys.fit(problem.events, method="map", prior=prior, **problem.options)
    objective, kept = objective_of(rows)
    objective = penalised(problem, objective, _is_pair(problem, rows), kept, prior, share)
    check_optimum(report, rng, problem, (rows, objective, kept), result, smooth=share >= 0)


def penalised(
    problem: Problem,
    objective: Objective,
    pair: NDArray[np.bool_],
    kept: NDArray[np.int64],
    prior: Any,
    share: float,
) -> Objective:
    """Return the objective with a penalty added."""
    size = problem.n_marks
    where = _pairs_of(problem)[kept]
    strength = np.broadcast_to(prior.strength, (size, size))
    own = np.array([strength[i, j] if j >= 0 else prior.baseline for i, j in where])
    if share >= 0:
        return replace(
            objective, cost=objective.cost + share * own, curve=objective.curve + (1 - share) * own
        )
    label = {
        "source": lambda i, j: j,
        "target": lambda i, j: i,
        "pair": lambda i, j: (min(i, j), max(i, j)),
    }
    names: dict[Any, list[int]] = {}
    for f, (i, j) in enumerate(where):
        if j >= 0:
            names.setdefault(label[prior.groups](i, j), []).append(f)
    groups = tuple(
        (np.array(members), float(own[members].mean() * np.sqrt(len(members))))
        for members in names.values()
    )
    base = np.where(pair[kept], 0.0, prior.baseline)
    return replace(objective, cost=objective.cost + base, groups=groups)


def _pairs_of(problem: Problem) -> NDArray[np.int64]:
    """Return (target, source) of each free parameter, source -1 for baselines; nothing tied."""
    size, n_pieces = problem.n_marks, problem.steps.n_pieces
    width = n_pieces + size * len(problem.shapes)
    merge = rows_of(replace(problem, windows=problem.windows[:1], weights=None)).merge
    first = merge.argmax(axis=0)
    column = first % width - n_pieces
    return np.column_stack((first // width, np.where(column < 0, -1, column % size)))


def _is_pair(problem: Problem, rows: Rows) -> NDArray[np.bool_]:
    """Return which free parameters are entries of the adjacency."""
    width = rows.merge.shape[0] // problem.n_marks
    return rows.merge.argmax(axis=0) % width >= problem.steps.n_pieces


def check_optimum(
    report: Report,
    rng: np.random.Generator,
    problem: Problem,
    brute: tuple[Rows, Objective, NDArray[np.int64]],
    result: Any,
    *,
    smooth: bool = True,
    beside: tuple[int, Callable[[Array], Objective]] | None = None,
) -> None:
    """Compare a fit with the optimum that L-BFGS-B finds from several starts.

    `beside` are how many logarithms of decays were estimated too, and the objective after a step
    of them.
    """
    rows, objective, kept = brute
    full = full_parameters(problem, result.process)
    report.finite("estimates", full)
    free = rows.merge.T @ full / rows.merge.sum(axis=0)
    report.close("ties and support", full, rows.merge @ free, rtol=1e-9, atol=1e-12)
    total = rows.log_likelihood(full)
    report.close("log_likelihood of the fit", result.log_likelihood, total, rtol=1e-9, atol=1e-8)
    z = free[kept]
    value = objective.value(z)
    if kept.size == rows.merge.shape[1] and result.method == "mle":
        report.close("objective", result.objective, value, rtol=1e-9, atol=1e-8)
    if not report.true("possible", np.isfinite(value), f"objective {value!r}"):
        return
    starts = [z, *objective.random_starts(rng, 2)]
    best = objective.maximise(starts)[0]
    gap = result.optimality_gap
    slack = _SLACK + 1e-10 * abs(value)
    report.below("shortfall", best - value, gap + slack, "nats: the stated gap")
    if result.converged:
        report.below("shortfall though converged", best - value, 1e-6 * problem.n_marks + slack)
    if result.converged and smooth:
        _check_slopes(report, problem, brute, result, z, beside)


def _check_slopes(
    report: Report,
    problem: Problem,
    brute: tuple[Rows, Objective, NDArray[np.int64]],
    result: Any,
    z: Array,
    beside: tuple[int, Callable[[Array], Objective]] | None,
) -> None:
    """Check the optimality conditions, standard errors and flags by a numerical Hessian."""
    rows, objective, kept = brute
    slope = objective.gradient(z)
    safe = np.maximum(z, 1e-7 * np.where(objective.cost > 0, 1.0 / objective.cost, 1.0))
    exact = _curvature(objective, z)
    diagonal = np.maximum(np.diagonal(exact), 1e-300)
    up = np.maximum(slope, 0.0) ** 2 / (2.0 * diagonal)
    report.below("slope upwards", float(up.max(initial=0.0)), 1e-5, "nats promised")
    down = np.where(z > 0, slope / np.sqrt(diagonal), 0.0)
    report.below("slope downwards above 0", -float(down.min(initial=0.0)), 0.05, f"at {z}")
    inside = np.flatnonzero(z > 0)
    if inside.size == 0:
        return
    steps = np.zeros(z.size)
    steps[inside] = 1e-5 * safe[inside]
    hessian = -numerical_hessian(
        objective.gradient, z, np.where(steps > 0, steps, 1e-9 * safe + 1e-300)
    )
    block = hessian[np.ix_(inside, inside)]
    scale = 1.0 / np.sqrt(np.maximum(np.diagonal(exact)[inside], 1e-300))
    scaled = exact[np.ix_(inside, inside)] * np.outer(scale, scale)
    values = np.linalg.eigvalsh(scaled)
    least = values[0] / values[-1]
    _check_flags(report, problem, brute, result, least)
    if beside is not None and least > _REGULAR:
        less = _taken(objective, z, inside, *beside)
        scaled = (block - less) * np.outer(scale, scale)
        least = 0.0 if np.linalg.eigvalsh(scaled)[0] < _REGULAR else least
        block = block - less
    if least > _REGULAR:
        _check_errors(report, problem, rows, result, kept[inside], (block, scale))


def _taken(
    objective: Objective,
    z: Array,
    inside: NDArray[np.int64],
    n_decays: int,
    moved: Callable[[Array], Objective],
) -> Array:
    """Return what decays that are estimated take from the information of the parameters."""
    mixed, own = np.zeros((inside.size, n_decays)), np.zeros((n_decays, n_decays))
    steps = _LOG_STEP * np.eye(n_decays)
    for d, step in enumerate(steps):
        up, down = (moved(sign * step).gradient(z)[inside] for sign in (1.0, -1.0))
        mixed[:, d] = (down - up) / (2.0 * _LOG_STEP)
        for e, other in enumerate(steps[: d + 1]):
            signs = itertools.product((1.0, -1.0), repeat=2)
            corners = [moved(a * step + b * other).value(z) * a * b for a, b in signs]
            own[d, e] = own[e, d] = -sum(corners) / (4.0 * _LOG_STEP**2)
    felt = np.abs(mixed).max(axis=0, initial=0.0) > 0
    part = own[np.ix_(felt, felt)]
    return np.asarray(mixed[:, felt] @ np.linalg.solve(part, mixed[:, felt].T))


def _curvature(objective: Objective, z: Array) -> Array:
    """Return minus the second derivatives, groups left out."""
    scaled = objective.matrix / (objective.matrix @ z)[:, None]
    out = (scaled * objective.weights[:, None]).T @ scaled + np.diag(objective.curve)
    some = z > 0
    out[some, some] += objective.powers[some] / z[some] ** 2
    return out


def _check_flags(
    report: Report,
    problem: Problem,
    brute: tuple[Rows, Objective, NDArray[np.int64]],
    result: Any,
    least: float,
) -> None:
    """Check which parameters are said to be identified."""
    rows, _, kept = brute
    used = np.zeros(rows.merge.shape[1], dtype=bool)
    used[kept] = True
    flags = _by_parameter(problem, rows.merge @ used) > 0
    if least > _REGULAR:
        report.true("identified", (result.identified == flags).all(), f"{result.identified}")
    if least < _FLAT:
        lost = flags & ~result.identified
        report.true("flat directions flagged", lost.any(), f"least eigenvalue {least:.1e}")
    report.true("nothing more identified", not (result.identified & ~flags).any())


def _by_parameter(problem: Problem, full: Array) -> Array:
    """Return (D, pieces + D): the components of a kernel added."""
    size, n_pieces = problem.n_marks, problem.steps.n_pieces
    x = full.reshape(size, -1)
    parts = x[:, n_pieces:].reshape(size, len(problem.shapes), size).sum(axis=1)
    return np.column_stack((x[:, :n_pieces], parts))


def _check_errors(
    report: Report,
    problem: Problem,
    rows: Rows,
    result: Any,
    inside: NDArray[np.int64],
    hessian: tuple[Array, Array],
) -> None:
    """Compare standard errors with the inverse of a numerical Hessian."""
    block, scale = hessian
    inverse = np.linalg.inv(block * np.outer(scale, scale)) * np.outer(scale, scale)
    to_free = rows.merge[:, inside]
    to_parameters = np.array([_by_parameter(problem, column).ravel() for column in to_free.T]).T
    variance = np.einsum("pf,fg,pg->p", to_parameters, inverse, to_parameters)
    shape = result.std_err.shape
    expected = np.sqrt(np.maximum(variance, 0.0)).reshape(shape)
    wanted = result.identified & ~result.at_bound
    found = result.std_err
    report.true("errors where due", np.isfinite(found[wanted]).all(), f"{found}")
    report.true("no error at the bound", np.isnan(found[~wanted]).all(), f"{found}")
    report.close("std_err", found[wanted], expected[wanted], rtol=5e-3, atol=0.0)
