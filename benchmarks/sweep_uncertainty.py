"""Checks of profile intervals, tests of edges, sandwich errors and paths of penalties."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2
from sweep_brute import Objective, Rows, full_parameters, objective_of, rows_of
from sweep_known import penalised
from sweep_model import Array, Problem
from sweep_random import draw_problem
from sweep_report import Report

import hawkeys
from hawkeys.inference import ElasticNet, Lasso

__all__ = ["check_intervals", "check_path"]

_LEAST_EIGENVALUE = 1e-7
_CUTOFF = float(chi2.ppf(0.95, 1))


def check_intervals(report: Report, rng: np.random.Generator) -> None:
    """Check profile intervals, statistics of edges and sandwich errors of a fit."""
    problem = replace(draw_problem(rng, most_events=60), tied=None)
    events, rows = problem.events, rows_of(problem)
    with report.listening():
        result: Any = hawkeys.fit(events, **problem.options)
        if not result.converged or not result.identified.any():
            return
        profile = hawkeys.inference.profile_interval(result, events)
        edges = hawkeys.inference.edge_tests(result, events)
    objective, kept = objective_of(rows)
    free = rows.merge.T @ full_parameters(problem, result.process)
    z = free[kept]
    top = objective.maximise([z])[0]
    if not np.isfinite(top):
        return
    first = rows.merge.argmax(axis=0)[kept]
    size, n_pieces = problem.n_marks, problem.steps.n_pieces
    places = [divmod(int(p), n_pieces + size) for p in first]
    chosen = rng.permutation(len(places))[:4]
    for f in chosen:
        place = places[f]
        if result.identified[place]:
            _check_one(report, objective, (int(f), place), (z, top), profile)
        if place[1] >= n_pieces and result.identified[place]:
            pair = place[0], place[1] - n_pieces
            statistic = 2.0 * (top - _held(objective, int(f), 0.0, z))
            report.close("edge statistic", edges.statistic[pair], max(statistic, 0.0), rtol=1e-4,
                         atol=2e-4)  # fmt: skip
            expected = 0.5 * chi2.sf(statistic, 1) if statistic > 1e-5 else np.nan
            if np.isfinite(expected):
                report.close("edge p-value", edges.pvalues[pair], expected, rtol=1e-2, atol=1e-6)
    _check_sandwich(report, problem, rows, (objective, kept, z), result)


def _held(objective: Objective, parameter: int, value: float, z: Array) -> float:
    """Return the maximum with one parameter held."""
    held = objective.hold(parameter, value)
    start = np.maximum(np.delete(z, parameter), 1e-9 / held.cost)
    starts = [start, *held.random_starts(np.random.default_rng(0), 1)] if start.size else [start]
    if start.size == 0:
        return held.value(start) - float(objective.cost[parameter]) * value
    return held.maximise(starts)[0] - float(objective.cost[parameter]) * value


def _check_one(
    report: Report,
    objective: Objective,
    which: tuple[int, tuple[int, int]],
    best: tuple[Array, float],
    profile: Any,
) -> None:
    """Check that the profile falls by the cut-off at the ends of an interval."""
    f, place = which
    z, top = best
    lower, upper = float(profile.lower[place]), float(profile.upper[place])
    report.true("interval", lower <= z[f] + 1e-9 <= upper * (1.0 + 1e-9) + 2e-9, f"{lower} {upper}")
    if np.isfinite(upper):
        drop = 2.0 * (top - _held(objective, f, upper, z))
        report.close("drop at the upper end", drop, _CUTOFF, rtol=1e-3, atol=1e-3)
    if lower > 0:
        drop = 2.0 * (top - _held(objective, f, lower, z))
        report.close("drop at the lower end", drop, _CUTOFF, rtol=1e-3, atol=1e-3)
    elif np.isfinite(lower):
        drop = 2.0 * (top - _held(objective, f, 0.0, z))
        report.below("drop at 0", drop, _CUTOFF + 1e-3)


def _check_sandwich(
    report: Report,
    problem: Problem,
    rows: Rows,
    brute: tuple[Objective, NDArray[np.int64], Array],
    result: Any,
) -> None:
    """Compare the sandwich with scores of realisations by brute force."""
    objective, kept, z = brute
    scale = rows.window_weights
    n_counted = int((scale > 0).sum())
    inside = np.flatnonzero(z > 0)
    if n_counted < 2 or inside.size == 0:
        return
    scaled = objective.matrix[:, inside] / objective.rate(z)[:, None]
    bread = (scaled * objective.weights[:, None]).T @ scaled
    unit = 1.0 / np.sqrt(np.maximum(np.diagonal(bread), 1e-300))
    values = np.linalg.eigvalsh(bread * np.outer(unit, unit))
    if values[0] < _LEAST_EIGENVALUE * values[-1]:
        return
    own = np.repeat(np.arange(len(scale)), [w.times.size for w in problem.windows])
    own = own[rows.weights > 0]
    scores = np.zeros((len(scale), inside.size))
    np.add.at(scores, own, scaled * objective.weights[:, None])
    scores -= scale[:, None] * (rows.costs @ rows.merge)[:, kept[inside]]
    meat = scores[scale > 0].T @ scores[scale > 0] * n_counted / (n_counted - 1.0)
    inverse = np.linalg.inv(bread * np.outer(unit, unit)) * np.outer(unit, unit)
    errors = np.sqrt(np.diagonal(inverse @ meat @ inverse))
    found = hawkeys.inference.sandwich_covariance(result, problem.events).std_err.ravel()
    first = rows.merge.argmax(axis=0)[kept[inside]]
    report.close("sandwich", found[first], errors, rtol=2e-2, atol=1e-6 * float(errors.max()))


def check_path(report: Report, rng: np.random.Generator) -> None:
    """Check points of a path of penalties against L-BFGS-B."""
    problem = replace(draw_problem(rng, most_events=60), tied=None)
    options = {k: v for k, v in problem.options.items() if k != "baseline"}
    problem = replace(problem, steps=type(problem.steps)())
    share = float(rng.choice([0.4, 1.0]))
    penalty = Lasso(1.0) if share == 1.0 else ElasticNet(1.0, l1_ratio=share)
    given = np.sort(10.0 ** rng.uniform(-1.0, 1.5, 3))[::-1]
    with report.listening():
        path = hawkeys.inference.penalty_path(
            problem.events, penalty=penalty, strengths=given, **options
        )
    rows = rows_of(problem)
    plain, kept = objective_of(rows)
    is_pair = rows.merge.argmax(axis=0) % (problem.n_marks + 1) >= 1
    report.finite("coefficients", path.coefficients)
    for k, strength in enumerate(path.strengths):
        objective = penalised(problem, plain, is_pair, kept, penalty.scaled(float(strength)), share)
        z = (rows.merge.T @ path.coefficients[k].ravel())[kept]
        value = objective.value(z)
        best = objective.maximise([z, *objective.random_starts(rng, 1)])[0]
        slack = 2e-6 + 1e-9 * abs(value) + max(float(path.optimality_gap[k]), 0.0)
        if path.converged[k]:
            report.below("shortfall on the path", best - value, slack, f"at {strength:.3g}")
        total = rows.log_likelihood(path.coefficients[k].ravel(), weighted=True)
        report.close("log_likelihood", path.log_likelihood[k], total, rtol=1e-8, atol=1e-6)
