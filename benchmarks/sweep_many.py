"""Checks of many realisations, each fitted alone, and of many marks."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from sweep_brute import Objective, full_parameters, objective_of, rows_of
from sweep_model import Problem
from sweep_random import KERNELS, draw_problem, draw_windows, exponential_problem
from sweep_report import Report

import hawkeys

__all__ = ["check_each", "check_wide"]

_SLACK = 2e-6  # nats


def check_each(report: Report, rng: np.random.Generator) -> None:
    """Compare `fit_each` with the fit of each realisation alone."""
    kernels = KERNELS if rng.random() < 0.5 else ("exponential",)
    problem = draw_problem(rng, kernels=kernels, most_events=80)
    problem = replace(problem, support=None, weights=None, tied=None)
    method = str(rng.choice(["mle", "mle", "map", "vi", "vi_branching"]))
    options: dict[str, Any] = (
        {} if method != "vi" else {"relevance_determination": bool(rng.random() < 0.5)}
    )
    events = problem.events
    with report.listening():
        each = hawkeys.fit_each(events, method=method, **problem.options, **options)
        alone = [
            hawkeys.fit(events[r], method=method, **problem.options, **options)
            for r in range(len(events))
        ]
    report.finite("estimates", np.concatenate((each.baseline.ravel(), each.adjacency.ravel())))
    tolerance = 1e-4 * (1.0 if method in ("mle", "map") else 100.0)
    for r, one in enumerate(alone):
        own = each.process(r)
        found = own.log_likelihood(events[r])
        report.close("log_likelihood", each.log_likelihood[r], found, rtol=1e-9, atol=1e-8)
        report.close("objective", each.objective[r], one.objective, rtol=1e-8, atol=tolerance)
        report.true("identified", (each.identified[r] | ~one.identified).all())
        if one.converged and one.identified.all() and method in ("mle", "map"):
            errors = np.where(np.isfinite(one.std_err), one.std_err, 1.0)
            both = np.column_stack((own.baseline_function.known_rates, own.adjacency))
            moved = np.abs(both - one.estimates) / errors
            report.below("estimates", float(moved.max()), 1e-2, "standard errors")


def check_wide(report: Report, rng: np.random.Generator) -> None:
    """Check some targets of a fit with many marks and few events, lags up to thousands of 1 / b."""
    size = int(rng.choice([10, 20, 40]))
    windows = draw_windows(rng, size, 200)
    length = windows[0].end - windows[0].start
    problem = Problem(size, windows, None, ())
    problem = exponential_problem(problem, float(10.0 ** rng.uniform(0.5, 4.0)) / length)
    with report.listening():
        result = hawkeys.fit(problem.events, **problem.options)
        each = hawkeys.fit_each(problem.events, **problem.options)
    report.finite("estimates", result.estimates)
    report.finite("baseline of each", each.baseline)
    report.finite("adjacency of each", each.adjacency)
    rows = rows_of(problem)
    total = rows.log_likelihood(full_parameters(problem, result.process))
    report.close("log_likelihood", result.log_likelihood, total, rtol=1e-9, atol=1e-7)
    objective, kept = objective_of(rows)
    z = full_parameters(problem, result.process)[kept]
    for target in rng.permutation(size)[:4]:
        own = kept // (size + 1) == target
        marks = np.concatenate([window.marks for window in windows]) == target
        part = Objective(
            objective.matrix[np.ix_(marks, own)],
            objective.weights[marks],
            objective.cost[own],
            objective.powers[own],
            objective.curve[own],
        )
        value = part.value(z[own])
        best = part.maximise([z[own], *part.random_starts(rng, 1)])[0]
        report.below("shortfall", best - value, result.optimality_gap + _SLACK, f"target {target}")
