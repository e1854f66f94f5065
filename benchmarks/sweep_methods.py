"""Checks of variational inference, least squares and processes with inhibition."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.integrate import quad
from scipy.optimize import minimize
from scipy.special import digamma, gammaln
from sweep_brute import full_parameters, rows_of
from sweep_model import Array, Exponentials, Problem, Window
from sweep_random import draw_problem, draw_weights, draw_windows, typical_gap
from sweep_report import Report

import hawkeys

__all__ = ["check_branching_vi", "check_least_squares", "check_rectified", "check_vi"]

_HALF_LOG = 0.5 * np.log(2.0 * np.pi * np.e)
_FAINT = 1.93  # half the 95 % quantile of chi-square with one degree of freedom, and a bit
_NUDGES = (-0.2, -0.03, 0.03, 0.2)


@dataclass(frozen=True)
class Block:
    """One target of a plain problem: events by parameter, their weights, costs."""

    matrix: Array
    weights: Array
    cost: Array


def blocks_of(problem: Problem) -> list[Block]:
    """Return the row problem of each target; pairs outside the support cost nothing."""
    rows = rows_of(problem)
    size = problem.n_marks
    width = rows.matrix.shape[1] // size
    allowed = rows.merge @ (rows.cost > 0) > 0
    cost = np.where(allowed, rows.window_weights @ rows.costs, 0.0)
    marks = np.concatenate([window.marks for window in problem.windows])
    out = []
    for i in range(size):
        own = slice(i * width, (i + 1) * width)
        matrix = rows.matrix[marks == i][:, own] * allowed[own]
        out.append(Block(matrix, rows.weights[marks == i], cost[own]))
    return out


Prior = Callable[[Array, Array], Array]  # expected log priors at locations and scales


def check_vi(report: Report, rng: np.random.Generator) -> None:
    """Check the bound of log-normal posteriors, and that no nudge of a parameter raises it."""
    problem = replace(draw_problem(rng, most_events=80), tied=None)
    coefficient = float(10.0 ** rng.uniform(-1.5, 1.0))
    option = str(rng.choice(["switched", "held", "default"]))
    options: dict[str, Any] = {"relevance_determination": option == "switched"}
    if option == "held" or hawkeys.inference.VIOptions().prior_coefficient is not None:
        options |= {} if option == "switched" else {"prior_coefficient": coefficient}
    with report.listening():
        result: Any = hawkeys.fit(problem.events, method="vi", **problem.options, **options)
    report.finite("estimates", result.estimates)
    draws = _base_draws(problem)
    total = 0.0
    for i, block in enumerate(blocks_of(problem)):
        used = block.cost > 0
        report.true("identified", option == "switched" or (result.identified[i] == used).all())
        where, scale = result.posterior.location[i][used], result.posterior.scale[i][used]
        report.finite("posterior", [where, scale])
        prior = _half_normal(options.get("prior_coefficient"))
        if option == "default" and "prior_coefficient" not in options:
            prior = _default_prior(block, used, problem.steps.n_pieces)
        bound = _bound_of(block, used, prior, draws)
        point = np.concatenate((where, np.log(scale)))
        value = bound(point)
        total += value
        if result.converged:
            _nudge(report, bound, point, value)
    report.close("elbo", result.elbo, total, rtol=1e-7, atol=1e-5)
    lower, upper = result.credible_interval()
    known = result.identified & ~np.isnan(lower) & ~np.isnan(upper)
    report.true("interval", (lower[known] <= upper[known]).all(), f"{lower} {upper}")
    sample = result.posterior.sample(50, rng=1)[:, result.identified]
    report.true("draws", np.isfinite(sample).all() and (sample >= 0).all())


def _base_draws(problem: Problem) -> Array:
    """Return the fixed draws of seed 0: antithetic, white, one column per parameter of a row.

    They are written down again from their definition. With a baseline in pieces the first column
    of the row problems of hawkeys is not used.
    """
    constant = problem.steps.knots is None
    size = problem.n_marks + (1 if constant else 1 + problem.steps.n_pieces)
    sequence = np.random.default_rng(0).bit_generator.seed_seq
    seed = int(sequence.generate_state(1)[0])  # type: ignore[attr-defined]
    half = max(max(32, 4 * size) // 2, size + 1)
    draws = np.random.default_rng(seed).standard_normal((half, size))
    white = np.linalg.solve(np.linalg.cholesky(draws.T @ draws / half), draws.T).T
    both = np.concatenate((white, -white))
    return both if constant else both[:, 1:]


def _half_normal(coefficient: float | None) -> Prior:
    """Return half-normal priors of variance C / 2, C at its optimum if it is not given."""

    def expected(a: Array, s: Array) -> Array:
        second = np.exp(2.0 * a + 2.0 * s**2)
        c = 2.0 * second if coefficient is None else np.full(a.size, coefficient)
        return np.asarray(-second / c + np.log(2.0) - 0.5 * np.log(np.pi * c))

    return expected


def _default_prior(block: Block, used: NDArray[np.bool_], n_pieces: int) -> Prior:
    """Return the default: exponential baselines, Gamma(2 / (J + 1), 1) for each of J sources."""
    n_sources = int(used[n_pieces:].sum())
    shape = np.where(np.arange(used.size) < n_pieces, 1.0, 2.0 / (n_sources + 1.0))[used]
    amount = float(block.weights.sum()) or 1.0
    level = float(block.cost[:n_pieces].sum()) / amount
    rate = np.where(np.arange(used.size) < n_pieces, level, 1.0)[used]

    def expected(a: Array, s: Array) -> Array:
        mean = np.exp(a + 0.5 * s**2)
        return np.asarray(shape * np.log(rate) - gammaln(shape) + (shape - 1.0) * a - rate * mean)

    return expected


def _bound_of(
    block: Block, used: NDArray[np.bool_], prior: Prior, draws: Array
) -> Callable[[Array], float]:
    """Return the evidence bound as a function of locations and log scales."""

    def bound(point: Array) -> float:
        a, b = np.split(point, 2)
        s = np.exp(b)
        theta = np.exp(a + s * draws[:, used])
        rate = theta @ block.matrix[:, used].T
        expected = float((np.log(np.maximum(rate, 1e-300)) @ block.weights).mean())
        mean = np.exp(a + 0.5 * s**2)
        terms = prior(a, s) + a + b + _HALF_LOG
        return float(expected - block.cost[used] @ mean + terms.sum())

    return bound


def _nudge(report: Report, bound: Callable[[Array], float], point: Array, value: float) -> None:
    """Check that moving single coordinates does not raise the bound."""
    slack = 1e-4 + 1e-9 * abs(value)
    for p in range(point.size):
        for by in _NUDGES:
            moved = point.copy()
            moved[p] += by
            report.below("bound after a nudge", bound(moved), value + slack, f"({p}, {by})")


def check_branching_vi(report: Report, rng: np.random.Generator) -> None:
    """Check the bound of Gamma posteriors, and that no nudge of a parameter raises it."""
    problem = replace(draw_problem(rng, most_events=80), tied=None)
    shapes, rates = 1.0 + rng.gamma(1.0, 0.7, 2), rng.gamma(1.0, 1.0, 2) + 0.01
    prior = hawkeys.GammaPrior(shapes[0], rates[0], shapes[1], rates[1])
    with report.listening():
        result: Any = hawkeys.fit(
            problem.events, method="vi_branching", prior=prior, **problem.options
        )
    report.finite("estimates", result.estimates)
    size, n_pieces = problem.n_marks, problem.steps.n_pieces
    shape = np.array([shapes[1]] * n_pieces + [shapes[0]] * size)
    rate = np.array([rates[1]] * n_pieces + [rates[0]] * size)
    total = 0.0
    for i, block in enumerate(blocks_of(problem)):
        used = np.isfinite(result.posterior.shape[i])
        a, b = result.posterior.shape[i][used], result.posterior.rate[i][used]
        report.close("rate", b, block.cost[used] + rate[used], rtol=1e-9)

        def bound(point: Array, block: Block = block, used: Any = used) -> float:
            p, q = np.split(np.exp(point), 2)
            logs, mean = digamma(p) - np.log(q), p / q
            g, r = shape[used], rate[used]
            expected = block.weights @ np.log(block.matrix[:, used] @ np.exp(logs))
            prior_term = g * np.log(r) - gammaln(g) + (g - 1.0) * logs - r * mean
            entropy = p - np.log(q) + gammaln(p) + (1.0 - p) * digamma(p)
            return float(expected - block.cost[used] @ mean + (prior_term + entropy).sum())

        point = np.log(np.concatenate((a, b)))
        total += bound(point)
        if result.converged:
            _nudge(report, bound, point, bound(point))
    report.close("elbo", result.elbo, total, rtol=1e-7, atol=1e-5)


def check_least_squares(report: Report, rng: np.random.Generator) -> None:
    """Check the contrast and its minimum over parameters >= 0."""
    problem = draw_problem(rng, kernels=("exponential",), most_events=80)
    problem = replace(problem, steps=type(problem.steps)(), tied=None)
    with report.listening():
        result: Any = hawkeys.fit(problem.events, method="least_squares", **problem.options)
    report.finite("estimates", result.estimates)
    rows = rows_of(problem)
    full = full_parameters(problem, result.process)
    total = rows.log_likelihood(full)
    report.close("log_likelihood", result.log_likelihood, total, rtol=1e-9, atol=1e-8)
    value, best = 0.0, 0.0
    for i, block in enumerate(blocks_of(problem)):
        gram = _gram(problem, i)
        used = np.flatnonzero(block.cost > 0)
        linear = block.matrix.T @ block.weights
        x = result.estimates[i]
        value += float(x @ gram @ x - 2.0 * linear @ x)
        best += _least(gram[np.ix_(used, used)], linear[used], x[used])
    scale = max(abs(value), 1e-300)
    report.close("contrast", result.contrast, value, rtol=1e-7, atol=1e-9 * scale)
    report.below("contrast", value - best, 1e-6 * scale)


def _gram(problem: Problem, target: int) -> Array:
    """Return the integrals of products of (1, c_1, ..., c_D), pair of events by pair of events."""
    size = problem.n_marks
    shape = problem.shapes[0]
    if not isinstance(shape, Exponentials):
        raise TypeError("least squares needs exponential kernels")
    rates = shape.rates[target]
    weights = np.ones(len(problem.windows)) if problem.weights is None else problem.weights
    out = np.zeros((size + 1, size + 1))
    for window, weight in zip(problem.windows, weights, strict=True):
        t, b = window.times, rates[window.marks]
        ahead = window.end - t
        later = np.maximum(t[:, None], t[None, :])
        first = np.exp(-b[:, None] * (later - t[:, None]) - b[None, :] * (later - t[None, :]))
        last = np.exp(-b[:, None] * ahead[:, None] - b[None, :] * ahead[None, :])
        products = b[:, None] * b[None, :] / (b[:, None] + b[None, :]) * (first - last)
        one = np.eye(size)[window.marks]
        part = np.zeros_like(out)
        part[0, 0] = window.end - window.start
        part[0, 1:] = part[1:, 0] = one.T @ -np.expm1(-b * ahead)
        part[1:, 1:] = one.T @ products @ one
        out += weight * part
    if problem.support is not None:
        allowed = np.append(True, problem.support[target])
        out *= allowed[:, None] & allowed[None, :]
    return out


def _least(gram: Array, linear: Array, start: Array) -> float:
    """Return the least contrast that L-BFGS-B finds."""
    unit = 1.0 / np.sqrt(np.diagonal(gram))
    scaled, target = gram * np.outer(unit, unit), linear * unit
    best = np.inf
    for begin in (start / unit, np.maximum(target, 0.0), np.zeros(start.size)):
        found = minimize(
            lambda u: (u @ scaled @ u - 2.0 * target @ u, 2.0 * (scaled @ u - target)),
            begin,
            jac=True,
            method="L-BFGS-B",
            bounds=[(0.0, None)] * start.size,
            options={"ftol": 1e-15, "gtol": 1e-12, "maxiter": 500},
        )
        best = min(best, float(found.fun))
    return best


def check_rectified(report: Report, rng: np.random.Generator) -> None:
    """Check a process with inhibition: likelihood, and its maximum for given decays."""
    size = int(rng.choice([1, 2, 2, 3]))
    windows = draw_windows(rng, size, 60)
    decays = 10.0 ** rng.uniform(-1.0, 1.3, size) / typical_gap(windows)
    problem = Problem(size, windows, None, ())
    events = problem.events
    total = events.n_events / float(events.durations.sum()) / size
    base = rng.gamma(2.0, 0.5 * total, size) + 0.1 * total
    process = hawkeys.RectifiedHawkes(base, rng.normal(0.0, 0.5, (size, size)), decay=decays)
    expected = sum(
        _row_value(problem, i, np.append(process.baseline[i], process.adjacency[i]), decays[i])
        for i in range(size)
    )
    report.close("log_likelihood", process.log_likelihood(events), expected, rtol=1e-8, atol=1e-8)
    if events.n_events <= 20 and rng.random() < 0.3:
        _check_integral(report, problem, process)
    given = decays if rng.random() < 0.7 else "estimate"
    if len(windows) > 1 and rng.random() < 0.5:
        problem = replace(problem, weights=draw_weights(rng, len(windows)))
    if rng.random() < 0.3:
        problem = replace(problem, support=rng.random((size, size)) < 0.7)
    chosen = {"weights": problem.weights, "support": problem.support}
    with report.listening():
        result = hawkeys.fit_rectified(events, decay=given, **chosen)
    report.finite("estimates", result.estimates)
    report.finite("decay", result.decay)
    if problem.support is not None:
        report.true("support", (result.adjacency[~problem.support] == 0).all())
    every = replace(problem, weights=None)
    parts = [_row_value(every, i, result.estimates[i], result.decay[i]) for i in range(size)]
    report.close("log_likelihood of the fit", result.log_likelihood, sum(parts), atol=1e-7)
    for i in range(size):
        _check_row(report, rng, problem, i, result, result.decay[i])


def _check_row(
    report: Report,
    rng: np.random.Generator,
    problem: Problem,
    target: int,
    result: Any,
    decay: float,
) -> None:
    """Compare one target's row with what L-BFGS-B makes of it."""
    x = result.estimates[target]
    value = _row_value(problem, target, x, decay)
    given = np.ones(len(problem.windows)) if problem.weights is None else problem.weights
    sizes = [(window.marks == target).sum() for window in problem.windows]
    count = float(given @ np.array(sizes))
    time = float(given @ np.array([window.end - window.start for window in problem.windows]))
    if not report.true("possible", np.isfinite(value)) or count == 0:
        return
    unit = np.append(count / time, np.ones(x.size - 1))

    def loss(u: Array) -> float:
        found = _row_value(problem, target, u * unit, decay)
        return -found if np.isfinite(found) else 1e12

    best = value
    flat = np.append(1.0, np.zeros(x.size - 1))
    allowed = np.ones(x.size - 1, bool) if problem.support is None else problem.support[target]
    bounds = [(0.0, None), *[(-1e6, None) if free else (0.0, 0.0) for free in allowed]]
    for start in (x / unit, flat, np.maximum(flat + 0.2 * rng.normal(size=x.size), 0.05)):
        if np.abs(start).max() < 1e4:
            found = minimize(loss, start, method="L-BFGS-B", bounds=bounds)
            best = max(best, -float(found.fun))
    slack = 1e-5 + 1e-9 * abs(value)
    nothing = not result.identified[target, 1:].any() and not x[1:].any()
    if nothing and result.decay_estimated and allowed.any():
        slack = _FAINT  # no decay gains clearly: the influence is left out, and that is said
        report.true("said", bool(report.heard), "an influence left out without a word")
    if result.converged:
        report.below("a better row", best - value, slack, f"target {target}")


def _row_value(problem: Problem, target: int, x: Array, decay: float) -> float:
    """Return the log-likelihood of one target with the rate cut at 0, event by event."""
    total = 0.0
    given = np.ones(len(problem.windows)) if problem.weights is None else problem.weights
    for window, weight in zip(problem.windows, given, strict=True):
        part = 0.0
        level, now = x[0], window.start  # x - mu decays between events
        excess = 0.0
        pending = 0.0
        for t, mark in zip(
            np.append(window.times, window.end), np.append(window.marks, -1), strict=True
        ):
            if t > now:
                excess += pending
                pending = 0.0
                part -= _area(level, excess, decay, t - now)
                excess *= np.exp(-decay * (t - now))
                now = t
            if mark == target:
                rate = level + excess
                part += np.log(rate) if rate > 0 else -np.inf
            if mark >= 0:
                pending += x[1 + mark] * decay
        total += weight * part if weight > 0 else 0.0
    return float(total)


def _area(level: float, excess: float, decay: float, width: float) -> float:
    """Return the integral of max(0, level + excess exp(-decay u)) from 0 to width."""
    begin = 0.0
    if level + excess < 0:
        if level <= 0 or level + excess * np.exp(-decay * width) <= 0:
            return 0.0
        begin = np.log(-excess / level) / decay
    tail = np.exp(-decay * begin) - np.exp(-decay * width)
    return float(level * (width - begin) + excess / decay * tail)


def _check_integral(report: Report, problem: Problem, process: Any) -> None:
    """Compare the compensator of a process with inhibition with scipy's quadrature."""
    window: Window = problem.windows[0]
    found = process.compensator(problem.events, [window.end])[0, 0]
    knots = np.unique(np.concatenate(([window.start, window.end], window.times)))

    def rate(t: float, high: float) -> float:
        return float(process.intensity(problem.events, [min(t, high)])[0, 0])

    total = 0.0
    for low, high in itertools.pairwise(knots):
        total += quad(rate, low, high, args=(high,), epsabs=1e-9, limit=200)[0]
    report.close("quadrature", found, total, rtol=1e-5, atol=1e-6)
