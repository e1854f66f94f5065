"""Checks of simulation against theory, and of residuals, files and forecasts of a fit."""

from __future__ import annotations

import tempfile
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
from scipy.integrate import solve_ivp
from sweep_brute import compensators, full_parameters, intensities, rows_of
from sweep_known import random_process
from sweep_model import Array, Problem, Window
from sweep_random import draw_problem
from sweep_report import Report

import hawkeys

__all__ = ["check_built_on", "check_simulation", "check_spread"]

_SIGMAS = 5.0
_CELLS = 300


def check_simulation(report: Report, rng: np.random.Generator) -> None:
    """Compare mean counts of simulated windows with a renewal equation solved on a grid.

    The windows follow from nothing, or from what is drawn as their history.
    """
    problem = draw_problem(rng, plain=True, most_events=30)
    past = problem.windows[0]
    length = past.end - past.start
    process = _stable(rng, problem)
    n, seed = 300, int(rng.integers(2**31))
    follows = bool(rng.random() < 0.4)
    start = past.end if follows else past.start
    window: dict[str, Any] = {"start_time": start, "end_time": start + length}
    window |= {"n_realizations": n, "rng": seed}
    if follows:
        window["history"] = problem.events[0]
    sample = hawkeys.simulate(process, **window)
    counts = sample.counts.astype(float)
    expected = _mean_counts(problem, process, length, past if follows else None)
    error = counts.std(axis=0, ddof=1) / np.sqrt(n) + 0.02 * expected + 0.05
    off = np.abs(counts.mean(axis=0) - expected) / error
    report.below("mean count", float(off.max()), _SIGMAS, f"{counts.mean(axis=0)} for {expected}")
    inside = (sample.times >= start) & (sample.times <= start + length)
    report.true("inside the window", inside.all())
    again = hawkeys.simulate(process, **window)
    report.true("same seed", np.array_equal(again.times, sample.times))
    branching = hawkeys.simulate_branching(process, **window)
    child = branching.parents >= 0
    own = branching.events
    older = own.times[branching.parents[child]] <= own.times[child]
    report.true("parents come first", older.all())
    _check_immigrants(report, branching, process.baseline * length * n)


def _check_immigrants(report: Report, branching: Any, expected: Array) -> None:
    """Compare the number of immigrants with its Poisson law."""
    found = np.bincount(branching.events.marks[branching.is_immigrant], minlength=expected.size)
    off = np.abs(found - expected) / np.sqrt(expected + 1.0)
    report.below("immigrants", float(off.max()), _SIGMAS + 0.5)


def _stable(rng: np.random.Generator, problem: Problem) -> hawkeys.Hawkes:
    """Return a random process with a spectral radius below 0.8 and some events per window."""
    process = random_process(rng, problem)
    radius = max(process.spectral_radius, 1e-9)
    adjacency = process.adjacency * min(1.0, rng.uniform(0.1, 0.8) / radius)
    length = problem.windows[0].end - problem.windows[0].start
    base = rng.uniform(1.0, 15.0, problem.n_marks) / length
    return hawkeys.Hawkes(base, adjacency, kernel=process.kernel)


def _mean_counts(problem: Problem, process: Any, length: float, past: Window | None) -> Array:
    """Return E N(length) from E N(t) = mu t + sum W_ij integral of G_ij(t - s) dE N_j(s).

    Increments of E N over cells are taken to lie in the middle of each cell; the events of the
    past, before the window, add what they bring about in each.
    """
    size = problem.n_marks
    step = length / _CELLS
    ends = step * np.arange(1, _CELLS + 1)
    shape = problem.shapes[0]
    mass = np.array(
        [[shape.mass(i, j, np.append(0.5 * step, ends + 0.5 * step)) for j in range(size)]
         for i in range(size)]
    )  # fmt: skip
    gains = np.diff(mass, axis=2)  # of a cell k + 1 later
    own = process.adjacency * mass[:, :, 0]
    brought = np.tile(process.baseline * step, (_CELLS, 1))
    if past is not None:
        for i, j in np.ndindex(size, size):
            since = past.end - past.times[past.marks == j]
            reached = shape.mass(i, j, since[:, None] + np.append(0.0, ends)).sum(axis=0)
            brought[:, i] += process.adjacency[i, j] * np.diff(reached)
    increments = np.zeros((_CELLS, size))
    solve = np.linalg.inv(np.eye(size) - own)
    for k in range(_CELLS):
        past = increments[:k][::-1]
        driven = np.einsum("ij,ijk,kj->i", process.adjacency, gains[:, :, :k], past)
        increments[k] = solve @ (brought[k] + driven)
    return increments.sum(axis=0)


def check_spread(report: Report, rng: np.random.Generator) -> None:
    """Compare the covariance of counts with its differential equation (one shared decay)."""
    problem = draw_problem(rng, plain=True, kernels=("exponential",), most_events=30)
    length = problem.windows[0].end - problem.windows[0].start
    decay = float(10.0 ** rng.uniform(-0.5, 1.5) / length)
    process = _stable(rng, problem)
    process = hawkeys.Hawkes(process.baseline, process.adjacency, decay=decay)
    n = 400
    sample = hawkeys.simulate(
        process, end_time=length, n_realizations=n, rng=int(rng.integers(2**31))
    )
    counts = sample.counts.astype(float)
    mean, covariance = _moments(process.baseline, process.adjacency, decay, length)
    error = np.sqrt(np.diagonal(covariance) / n)
    off = np.abs(counts.mean(axis=0) - mean) / error
    report.below("mean count", float(off.max()), _SIGMAS)
    centred = counts - mean
    products = centred[:, :, None] * centred[:, None, :]
    error_2 = products.std(axis=0, ddof=1) / np.sqrt(n) + 0.03 * np.sqrt(
        np.outer(np.diagonal(covariance), np.diagonal(covariance))
    )
    off = np.abs(products.mean(axis=0) - covariance) / error_2
    report.below("covariance of counts", float(off.max()), _SIGMAS)


def _moments(base: Array, adjacency: Array, decay: float, length: float) -> tuple[Array, Array]:
    """Return mean and covariance of the counts of an exponential process that starts empty.

    With x the excitation, dx = -b x dt + b W dN and rate mu + x, the moments of (x, N) up to the
    second obey linear differential equations.
    """
    size = base.size
    jump = decay * adjacency

    def slope(_: float, state: Array) -> Array:
        x, n = state[:size], state[size : 2 * size]
        xx, nx, _nn = state[2 * size :].reshape(3, size, size)
        rate = base + x
        x_rate = np.outer(x, base) + xx  # E x rate'
        n_rate = np.outer(n, base) + nx  # E N rate'
        d_x = -decay * x + jump @ rate
        d_xx = -2.0 * decay * xx + x_rate @ jump.T + jump @ x_rate.T
        d_xx += jump @ np.diag(rate) @ jump.T
        d_nx = -decay * nx + n_rate @ jump.T + x_rate.T + np.diag(rate) @ jump.T
        d_nn = n_rate + n_rate.T + np.diag(rate)
        return np.concatenate((d_x, rate, d_xx.ravel(), d_nx.ravel(), d_nn.ravel()))

    start = np.zeros(2 * size + 3 * size**2)
    end = solve_ivp(slope, (0.0, length), start, rtol=1e-7, atol=1e-9).y[:, -1]
    mean = end[size : 2 * size]
    return mean, end[2 * size :].reshape(3, size, size)[2] - np.outer(mean, mean)


def check_built_on(report: Report, rng: np.random.Generator) -> None:
    """Check residuals, branching probabilities, files and forecasts of a fit."""
    problem = replace(draw_problem(rng, most_events=60), tied=None)
    rows, events = rows_of(problem), problem.events
    with report.listening():
        result: Any = hawkeys.fit(events, **problem.options)
    full = full_parameters(problem, result.process)
    possible = np.isfinite(rows.log_likelihood(full))
    _check_file(report, result)
    if possible:
        _check_parents(report, problem, full, result)
        _check_residuals(report, problem, full, result)
    if problem.steps.knots is None:
        _check_forecast(report, rng, problem, full, result)


def _check_file(report: Report, result: Any) -> None:
    """Check that a saved result comes back as it was."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "fit.json"
        result.save(path)
        again = hawkeys.load_result(path)
    report.true("file: type", type(again) is type(result))
    report.true("file: text", again.summary() == result.summary())
    for field in fields(result):
        one, two = getattr(result, field.name), getattr(again, field.name)
        if isinstance(one, np.ndarray):
            report.true(
                f"file: {field.name}", np.array_equal(one, two, equal_nan=one.dtype == float)
            )
        elif isinstance(one, float):
            report.true(
                f"file: {field.name}", one == two or (one != one and two != two), f"{one} {two}"
            )
    for name in ("estimates", "std_err", "at_bound"):
        same = np.array_equal(getattr(result, name), getattr(again, name), equal_nan=True)
        report.true(f"file: {name}", same)


def _check_parents(report: Report, problem: Problem, full: Array, result: Any) -> None:
    """Check that the probabilities of all origins of an event sum to 1, and some of them."""
    found = hawkeys.branching_probabilities(result.process, problem.events)
    total = found.immigrant.copy()
    np.add.at(total, found.children, found.probability)
    report.close("origins sum to 1", total, np.ones(total.size), rtol=1e-9)
    size, n_pieces = problem.n_marks, problem.steps.n_pieces
    x = full.reshape(size, -1)
    first = 0
    for window in problem.windows:
        rate = intensities(problem, window, full, window.times)
        own = rate[np.arange(window.times.size), window.marks]
        basis = problem.steps.basis(window)
        base = (basis * x[window.marks, :n_pieces]).sum(axis=1)
        part = found.immigrant[first : first + window.times.size]
        report.close("immigrant", part, base / own, rtol=1e-7, atol=1e-9)
        first += window.times.size


def _check_residuals(report: Report, problem: Problem, full: Array, result: Any) -> None:
    """Compare the residuals of each mark with steps of the compensator by brute force."""
    gof = hawkeys.goodness_of_fit(result.process, problem.events, refit=False, n_mc_samples=0)
    for i in range(problem.n_marks):
        before: float = 0.0
        times: list[float] = []
        for window in problem.windows:
            own = window.times[window.marks == i]
            when = np.append(own, window.end)
            mass = compensators(problem, window, full, when)[:, i]
            times.extend(before + mass[:-1])
            before += mass[-1]
        expected = np.diff(np.array(times), prepend=0.0)
        report.close("residuals", gof.residuals_of(i), expected, rtol=1e-6, atol=1e-7)


def _check_forecast(
    report: Report, rng: np.random.Generator, problem: Problem, full: Array, result: Any
) -> None:
    """Check a forecast of the last realisation: finite, and its survival by brute force."""
    if result.process.spectral_radius >= 0.95:
        return
    window = problem.windows[-1]
    horizon = 0.2 * (window.end - window.start)
    events = problem.events[len(problem.windows) - 1]
    future = hawkeys.forecast(result, events, horizon, n_paths=50, rng=int(rng.integers(2**31)))
    report.finite("forecast", future.mean)
    law = future.next_event
    longer = replace(window, end=window.end + horizon)
    when = np.array([window.end, law.times[-1]])
    mass = compensators(problem, longer, full, when).sum(axis=1)
    report.close("survival", law.survival[-1], np.exp(mass[0] - mass[1]), rtol=1e-6, atol=1e-9)
    total = law.mark_probabilities.sum() + law.survival[-1]
    report.close("next event", total, 1.0, rtol=2e-3)
