"""Checks of fits that estimate the kernel: decays, weights of sums, delayed kernels."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy.optimize import minimize
from sweep_brute import Objective, full_parameters, numerical_hessian, objective_of, rows_of
from sweep_known import check_optimum
from sweep_model import Array, Bins, Exponentials, GammaLags, LogNormalLags, Problem
from sweep_random import draw_problem, draw_windows, exponential_problem, typical_gap
from sweep_report import Report

import hawkeys
from hawkeys.kernels import Gamma, Histogram, LogNormal, SumExponential

__all__ = [
    "check_decay",
    "check_decay_grid",
    "check_decays",
    "check_delayed",
    "check_histogram",
    "check_pairs",
    "check_sum",
]

_PER_DECADE = 8
_CLEARLY = 1.93  # half the 95 % quantile of chi-square with one degree of freedom, and a bit
_SIMPLEX = 0.3  # share of the cases in which a simplex looks farther away
_GAIN = 2e-3  # nats, of a simplex from the reported optimum; the tolerance is 1e-4, extrapolated


@dataclass
class Profile:
    """The likelihood of a problem maximised over all but a kernel, by brute force."""

    problem: Problem
    change: Callable[[Array], Problem]
    warm: Array | None = None

    def __call__(self, point: Array) -> float:
        """Return the maximum at kernel parameters."""
        objective, kept = objective_of(rows_of(self.change(np.atleast_1d(point))))
        starts = objective.random_starts(np.random.default_rng(0), 0)
        if self.warm is not None and self.warm.size == kept.size:
            starts.append(np.maximum(self.warm, 1e-12))
        values = [objective.maximise([start]) for start in starts]
        best, self.warm = max(values, key=lambda pair: pair[0])
        return best


def check_decay(report: Report, rng: np.random.Generator) -> None:
    """Check an estimated decay: the maximum of the profile, or a warning that there is none."""
    problem = draw_problem(rng, kernels=("exponential",), most_events=120, clusters=0.5)
    if rng.random() < 0.7:
        problem = replace(problem, steps=type(problem.steps)(), tied=None, support=None)
    options = {k: v for k, v in problem.options.items() if k != "kernel"}
    with report.listening() as texts:
        result: Any = hawkeys.fit(problem.events, decay="estimate", **options)
    decay = float(np.ravel(result.kernel.decay)[0])
    _check_decay_fit(report, rng, problem, result, texts)
    profile = Profile(problem, lambda point: exponential_problem(problem, float(np.exp(point[0]))))
    found = result.decay_profile
    if found.bounds is None:
        low, high = decay_range(problem)
    else:
        low, high = np.log(found.bounds)
    grid = np.linspace(low, high, max(int(_PER_DECADE * (high - low) / np.log(10.0)), 8))
    values = np.array([profile(np.array([point])) for point in grid])
    gain = float(values.max() - result.objective)
    if found.limit == "no excitation":
        none = profile_without(problem)
        report.below("a decay better than none", float(values.max()) - none, 1.92 + 5e-3)
        return
    # of a decay that is held at a bound it is said that nothing inside is clearly better
    slack = 1e-3 if found.limit is None else _CLEARLY
    report.below(
        "a better decay", gain, slack, f"at {np.exp(grid[values.argmax()]):.6g} for {decay}"
    )
    if found.limit is not None:
        report.true(
            "held at a bound", min(abs(np.log(decay) - low), abs(np.log(decay) - high)) < 0.01
        )
    elif 0 < values.argmax() < grid.size - 1 and gain < 1e-3:
        lower, upper = found.interval()
        report.true("interval holds the decay", lower <= decay <= upper, f"{lower}, {upper}")


def _check_decay_fit(
    report: Report, rng: np.random.Generator, problem: Problem, result: Any, texts: list[str]
) -> None:
    """Check the fit with the decay that was chosen; one that is held identifies no adjacency."""
    decay = np.asarray(result.kernel.decay)
    report.finite("decay", decay)
    report.explained(result.process.spectral_radius, texts)
    fitted = exponential_problem(problem, decay)
    brute = rows_of(fitted)
    held = result.decay_profile.limit is not None
    with report.listening():
        moved = decay.size, lambda step: _at_decay(problem, decay, step)
        all_of_it = brute, *objective_of(brute)
        check_optimum(report, rng, fitted, all_of_it, result, smooth=not held, beside=moved)
    if held:
        report.true("said", any("not identified" in text for text in texts), f"{texts}")
        pairs = result.decay_profile.held(problem.n_marks)
        flags = result.identified[:, -problem.n_marks :]
        report.true("held pairs", not (flags & pairs).any(), f"{flags}")
        errors = result.std_err[:, -problem.n_marks :]
        report.true("no error of held pairs", np.isnan(errors[pairs]).all(), f"{errors}")


def _at_decay(problem: Problem, decay: Array, step: Array) -> Objective:
    """Return the objective after a step of the logarithms of decays."""
    rates = decay * np.exp(step.reshape(decay.shape))
    return objective_of(rows_of(exponential_problem(problem, rates)))[0]


def profile_without(problem: Problem) -> float:
    """Return the maximum without any excitation."""
    size = problem.n_marks
    none = replace(exponential_problem(problem, 1.0), support=np.zeros((size, size), dtype=bool))
    objective, _ = objective_of(rows_of(none))
    return objective.maximise(objective.random_starts(np.random.default_rng(0), 0))[0]


def check_decays(report: Report, rng: np.random.Generator) -> None:
    """Check decays estimated by source or pair: no nudge of one of them gains anything."""
    problem = draw_problem(rng, kernels=("exponential",), most_events=120, plain=True, clusters=0.5)
    sharing = str(rng.choice(["source", "pair"]))
    with report.listening() as texts:
        result: Any = hawkeys.fit(problem.events, decay="estimate", decay_sharing=sharing)
    decay = np.asarray(result.kernel.decay)
    _check_decay_fit(report, rng, problem, result, texts)
    if not result.converged or result.decay_profile.limit is not None:
        return
    profile = Profile(problem, lambda d: exponential_problem(problem, d.reshape(decay.shape)))
    low, high = result.decay_profile.bounds or np.exp(decay_range(problem))
    for p in range(min(decay.size, 4)):
        for by in (-0.3, -0.03, 0.03, 0.3):
            moved = decay.ravel().copy()
            moved[p] *= np.exp(by)
            if low <= moved[p] <= high:
                gain = profile(moved) - result.objective
                report.below("a better decay", gain, 2e-3, f"{decay.ravel()[p]} by {by}")


def decay_range(problem: Problem) -> tuple[float, float]:
    """Return the logs of the decays that hawkeys says the data can tell anything about."""
    lags = np.concatenate([np.diff(window.times) for window in problem.windows])
    lags = np.sort(lags[lags > 0])
    longest = max(window.end - window.start for window in problem.windows)
    if lags.size == 0:
        return np.log(1.0 / longest), np.log(1e3 / longest)
    short = lags[min(20, lags.size) - 1]
    return np.log(1.0 / longest), np.log(max(10.0 / short, 100.0 / longest))


def check_decay_grid(report: Report, rng: np.random.Generator) -> None:
    """Check the best of some decays, and its fit."""
    problem = draw_problem(rng, kernels=("exponential",), most_events=80)
    options = {k: v for k, v in problem.options.items() if k != "kernel"}
    grid = list(10.0 ** rng.uniform(-1.5, 2.0, 4) / typical_gap(problem.windows))
    with report.listening():
        result: Any = hawkeys.fit(problem.events, decay_grid=grid, **options)
    profile = Profile(problem, lambda p: exponential_problem(problem, float(p[0])))
    values = [profile(np.array([decay])) for decay in np.sort(grid)]
    chosen = float(np.ravel(result.kernel.decay)[0])
    best = float(np.sort(grid)[int(np.argmax(values))])
    order = np.argsort(values)
    if len(values) > 1 and values[order[-1]] - values[order[-2]] > 1e-4:
        report.close("chosen decay", chosen, best, rtol=1e-12)
    report.close("profile", result.decay_profile.objective, values, rtol=1e-8, atol=5e-6)


def check_sum(report: Report, rng: np.random.Generator) -> None:
    """Check estimated weights of a sum of exponentials; decays may nearly be equal."""
    problem = draw_problem(rng, kernels=("exponential",), most_events=120)
    n_parts = int(rng.integers(2, 4))
    base = 10.0 ** rng.uniform(-1.0, 1.5) / typical_gap(problem.windows)
    spread = float(rng.choice([1.0001, 1.5, 5.0, 30.0]))
    rates = base * spread ** np.arange(n_parts)
    size = problem.n_marks
    shapes = tuple(Exponentials(np.full((size, size), rate)) for rate in rates)
    problem = replace(problem, kernel=SumExponential(rates), shapes=shapes)
    rows = rows_of(problem)
    with report.listening():
        result: Any = hawkeys.fit(problem.events, **problem.options)
    report.close("shares", np.asarray(result.kernel.weights).sum(axis=-1), np.ones((size, size)))
    objective, kept = objective_of(rows)
    check_optimum(report, rng, problem, (rows, objective, kept), result)


def check_delayed(report: Report, rng: np.random.Generator) -> None:
    """Check estimated log-normal and gamma kernels against a simplex and a numerical Hessian."""
    size = int(rng.choice([1, 1, 2]))
    windows = draw_windows(rng, size, 120, clusters=0.5)
    family = str(rng.choice(["log_normal", "gamma"]))
    problem = Problem(size, windows, LogNormal() if family == "log_normal" else Gamma(), ())
    if len(windows) > 1 and rng.random() < 0.3:
        problem = replace(problem, weights=rng.choice([1.0, 2.0], len(windows)))
    with report.listening() as texts:
        result: Any = hawkeys.fit(problem.events, **problem.options)
    report.finite("estimates", result.estimates)
    values = [float(getattr(result.kernel, name)) for name in result.kernel.parameter_names]
    report.finite("kernel", values)
    report.explained(result.process.spectral_radius, texts)
    point = _pack(family, *values)
    profile = Profile(problem, lambda p: _with_kernel(problem, family, p))
    fitted = _with_kernel(problem, family, point)
    total = rows_of(fitted).log_likelihood(full_parameters(fitted, result.process))
    report.close("log_likelihood", result.log_likelihood, total, rtol=1e-8, atol=1e-6)
    objective, kept = objective_of(rows_of(fitted))
    free = np.column_stack((result.baseline, result.adjacency)).ravel()[kept]
    value = objective.value(free)
    if not result.converged or result.adjacency.max() == 0 or not np.isfinite(value):
        return
    if any("kernel identified" in text for text in (*texts, result.message)):
        return  # it is held at a bound, beyond which more could be gained, and that is said
    gain = _uphill(profile, point, value)
    report.below("uphill", gain, _GAIN + max(result.optimality_gap, 0.0), f"from {values}")
    if gain < _GAIN:
        _check_kernel_errors(report, result, profile, point, family)
    if rng.random() < _SIMPLEX and _simplex(profile, point) - value > _GAIN + max(gain, 0.0):
        report.notes.add("another maximum")  # the likelihood of a delayed kernel can have several


def _uphill(profile: Profile, point: Array, value: float) -> float:
    """Return what is gained by walking from a point as long as the profile rises."""
    gained = 0.0
    for angle in np.arange(8) * np.pi / 4.0:
        last = value
        for radius in (0.002, 0.01, 0.03, 0.1):
            there = point + radius * np.array([np.cos(angle), np.sin(angle)])
            found = profile(there) if there[1] >= np.log(0.01) else -np.inf
            if found <= last + 1e-9:
                break
            last = found
        gained = max(gained, last - value)
    return gained


def check_pairs(report: Report, rng: np.random.Generator) -> None:
    """Check kernels estimated for every pair: no nudge of one of them gains anything."""
    size = 2
    windows = draw_windows(rng, size, 120, clusters=0.7)
    family = str(rng.choice(["log_normal", "gamma"]))
    problem = Problem(size, windows, LogNormal() if family == "log_normal" else Gamma(), ())
    if rng.random() < 0.4:
        problem = replace(problem, support=rng.random((size, size)) < 0.7)
    with report.listening() as texts:
        result: Any = hawkeys.fit(problem.events, groups="edge", **problem.options)
    report.finite("estimates", result.estimates)
    values = [np.asarray(getattr(result.kernel, name)) for name in result.kernel.parameter_names]
    report.finite("kernel", values)
    report.explained(result.process.spectral_radius, texts)
    law = LogNormalLags if family == "log_normal" else GammaLags
    kind = LogNormal if family == "log_normal" else Gamma
    first, second = (np.array(np.broadcast_to(value, (size, size))) for value in values)

    def at(point: Array) -> Problem:
        a, b = np.vectorize(lambda p, q: _unpack(family, np.array([p, q])))(*point.reshape(2, 4))
        a, b = a.reshape(size, size), b.reshape(size, size)
        return replace(problem, kernel=kind(a, b), shapes=(law(a, b),))

    points = [
        _pack(family, float(a), float(b))
        for a, b in zip(first.ravel(), second.ravel(), strict=True)
    ]
    point = np.array(points).T.ravel()
    total = rows_of(at(point)).log_likelihood(full_parameters(at(point), result.process))
    report.close("log_likelihood", result.log_likelihood, total, rtol=1e-8, atol=1e-6)
    if not result.converged or not np.isfinite(total):
        return
    if texts:  # pairs whose kernel has run off are left out, and said not to be identified
        problem = replace(problem, support=result.identified[:, 1:])
    profile = Profile(at(point), at)
    for p in np.flatnonzero(np.tile((result.adjacency > 1e-3).ravel(), 2)):
        for by in (-0.03, 0.03):
            moved = point.copy()
            moved[p] += by
            if p >= 4 and moved[p] < np.log(0.01):
                continue
            gain = profile(moved) - result.objective
            report.below(
                "kernel nudged", gain, _GAIN + max(result.optimality_gap, 0.0), f"{p}, {by}"
            )


def _pack(family: str, first: float, second: float) -> Array:
    """Return (log median or log mean, log spread) of a kernel."""
    if family == "log_normal":
        return np.array([first, np.log(second)])
    return np.array([np.log(first / second), -0.5 * np.log(first)])


def _unpack(family: str, point: Array) -> tuple[float, float]:
    if family == "log_normal":
        return float(point[0]), float(np.exp(point[1]))
    shape = float(np.exp(-2.0 * point[1]))
    return shape, shape / float(np.exp(point[0]))


def _with_kernel(problem: Problem, family: str, point: Array) -> Problem:
    """Return the problem with a kernel that is given."""
    pair = (problem.n_marks, problem.n_marks)
    a, b = _unpack(family, point)
    law = LogNormalLags if family == "log_normal" else GammaLags
    kernel = LogNormal(a, b) if family == "log_normal" else Gamma(a, b)
    return replace(problem, kernel=kernel, shapes=(law(np.full(pair, a), np.full(pair, b)),))


def _simplex(profile: Profile, point: Array) -> float:
    """Return the best value that a simplex of kernels reaches; the spread stays in its bounds."""

    def loss(p: Array) -> float:
        return -profile(p) if np.log(0.01) <= p[1] <= 3.0 else 1e10

    simplex = point + np.array([[0.0, 0.0], [0.05, 0.0], [0.0, 0.05]])
    simplex[:, 1] = np.maximum(simplex[:, 1], np.log(0.01))
    options = {"initial_simplex": simplex, "maxfev": 40, "xatol": 1e-5, "fatol": 1e-6}
    return -float(minimize(loss, point, method="Nelder-Mead", options=options).fun)


def _check_kernel_errors(
    report: Report, result: Any, profile: Profile, point: Array, family: str
) -> None:
    """Compare the standard errors of the kernel with the curvature of its profile."""
    errors = [float(result.kernel_std_err[name]) for name in result.kernel.parameter_names]
    if not np.isfinite(errors).all():
        return
    step = np.full(2, 2e-3)

    def slope(p: Array) -> Array:
        out = np.empty(2)
        for k in range(2):
            move = np.zeros(2)
            move[k] = step[k]
            out[k] = (profile(p + move) - profile(p - move)) / (2.0 * step[k])
        return out

    hessian = -numerical_hessian(slope, point, step)
    if np.linalg.eigvalsh(hessian)[0] <= 1e-2:
        return
    if family == "log_normal":
        jacobian = np.diag([1.0, np.exp(point[1])])
    else:
        shape, rate = _unpack(family, point)
        jacobian = np.array([[0.0, -2.0 * shape], [-rate, -2.0 * rate]])
    expected = np.sqrt(np.diagonal(jacobian @ np.linalg.inv(hessian) @ jacobian.T))
    report.close("kernel_std_err", errors, expected, rtol=0.1, atol=0.0)


def check_histogram(report: Report, rng: np.random.Generator) -> None:
    """Check an estimated histogram, with empty bins: no mass moved gains anything."""
    size = int(rng.choice([1, 1, 2]))
    windows = draw_windows(rng, size, 120, clusters=0.5)
    reach = typical_gap(windows) * 10.0 ** rng.uniform(-0.5, 1.0)
    edges = np.concatenate(([0.0], np.cumsum(rng.uniform(0.1, 1.0, int(rng.integers(2, 7))))))
    edges *= reach / edges[-1]
    with report.listening() as texts:
        result: Any = hawkeys.fit(Problem(size, windows, None, ()).events, kernel=Histogram(edges))
    report.finite("estimates", result.estimates)
    masses = np.asarray(result.kernel.masses)
    report.close("mass", masses.sum(), 1.0, rtol=1e-9)
    report.explained(result.process.spectral_radius, texts)

    def at(m: Array) -> Problem:
        shape = Bins(edges, np.array(np.broadcast_to(m, (size, size, m.size))))
        return Problem(size, windows, Histogram(edges, m), (shape,))

    total = rows_of(at(masses)).log_likelihood(full_parameters(at(masses), result.process))
    report.close("log_likelihood", result.log_likelihood, total, rtol=1e-8, atol=1e-6)
    if not result.converged or result.adjacency.max() == 0:
        return
    profile = Profile(at(masses), at)
    best = profile(masses)
    report.below("rows", best - total, _GAIN + result.optimality_gap)
    for b in range(masses.size):
        for share in (0.02, 0.2):
            moved = (1.0 - share) * masses
            moved[b] += share
            gain = profile(moved) - total
            report.below("mass moved", gain, _GAIN + result.optimality_gap, f"{masses} bin {b}")
