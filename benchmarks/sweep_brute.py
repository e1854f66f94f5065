"""Likelihood and optimum of a problem by brute force: sums over all pairs of events, scipy.

For given densities the log-likelihood is sum_k w_k log(a_k . z) - cost . z in the free parameters
z: rates of baseline pieces, then adjacency entries by component. `Rows` holds the a_k.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from sweep_model import TAIL, Array, Problem, Window

__all__ = [
    "Objective",
    "Rows",
    "compensators",
    "full_parameters",
    "intensities",
    "numerical_hessian",
    "objective_of",
    "rows_of",
]

_WORST = 1e300
_FAR = 1e150


@dataclass(frozen=True)
class Rows:
    """The row problems of all targets side by side, in all (untied) parameters.

    `matrix` (n_events, D * P), `weights` (n_events,), `costs` (n_windows, D * P) unweighted; P is
    the number of pieces plus D per component. `merge` (D * P, F) takes free parameters to all.
    `whole` (D * P,) is what each would cost if no kernel were cut by the end of a window.
    """

    matrix: Array
    weights: Array
    costs: Array
    window_weights: Array
    merge: Array
    whole: Array

    @property
    def cost(self) -> Array:
        """Weighted cost of each free parameter; 0 if the windows show less than 1e-12 of it."""
        cost = (self.window_weights @ self.costs) @ self.merge
        return np.where(cost < TAIL * (self.whole @ self.merge), 0.0, cost)

    def log_likelihood(self, full: Array, *, weighted: bool = False) -> float:
        """Return the log-likelihood at all parameters."""
        rate = self.matrix @ full
        weights = self.weights if weighted else np.ones(rate.size)
        scale = self.window_weights if weighted else np.ones(len(self.costs))
        some = weights > 0
        if (rate[some] <= 0).any():
            return -np.inf
        return float(weights[some] @ np.log(rate[some]) - scale @ (self.costs @ full))

    def gradient(self, full: Array) -> Array:
        """Return the gradient of the unweighted log-likelihood by all parameters."""
        return self.matrix.T @ (1.0 / (self.matrix @ full)) - self.costs.sum(axis=0)


def rows_of(problem: Problem) -> Rows:
    """Return the rows of a problem, every pair of events looked at."""
    size, n_pieces = problem.n_marks, problem.steps.n_pieces
    width = n_pieces + size * len(problem.shapes)
    scale = np.ones(len(problem.windows)) if problem.weights is None else problem.weights
    matrix, costs, weights = [], [], []
    for window, weight in zip(problem.windows, scale, strict=True):
        block = np.zeros((window.times.size, size * width))
        cost = np.zeros((size, width))
        pieces = problem.steps.basis(window)
        for i in range(size):
            own = window.marks == i
            first = i * width
            block[own, first : first + n_pieces] = pieces[own]
            cost[i, :n_pieces] = problem.steps.integrals(window.start, window.end)
            _fill_row(problem, window, i, own, block[:, first + n_pieces : first + width], cost[i])
        matrix.append(block)
        costs.append(cost.ravel())
        weights.append(np.full(window.times.size, weight))
    whole = np.zeros((size, width))
    for window, weight in zip(problem.windows, scale, strict=True):
        counts = np.bincount(window.marks, minlength=size)
        whole[:, n_pieces:] += weight * np.tile(counts, len(problem.shapes))
    return Rows(
        np.concatenate(matrix),
        np.concatenate(weights),
        np.array(costs),
        scale,
        _merge(problem),
        whole.ravel(),
    )


def _fill_row(
    problem: Problem, window: Window, target: int, own: Array, block: Array, cost: Array
) -> None:
    """Write the excitations of one target's events, and what its sources cost."""
    size = problem.n_marks
    for c, shape in enumerate(problem.shapes):
        for j in range(size):
            sources = window.times[window.marks == j]
            column = c * size + j
            lags = window.times[own][:, None] - sources[None, :]
            block[own, column] = shape.density(target, j, lags).sum(axis=1)
            left = shape.mass(target, j, window.end - sources)
            cost[problem.steps.n_pieces + column] = left.sum()


def _merge(problem: Problem) -> Array:
    """Return the map from free to all parameters: support left out, ties joined."""
    size, n_pieces, n_parts = problem.n_marks, problem.steps.n_pieces, len(problem.shapes)
    names: dict[Any, list[int]] = {}
    width = n_pieces + size * n_parts
    labels = np.full((size, size + 1), -1) if problem.tied is None else problem.tied
    for i in range(size):
        for q in range(n_pieces):
            name: Any = ("base", labels[i, 0], q) if labels[i, 0] >= 0 else ("base", i, q, "free")
            names.setdefault(name, []).append(i * width + q)
        for j in range(size):
            if problem.support is not None and not problem.support[i, j]:
                continue
            for c in range(n_parts):
                label = labels[i, j + 1]
                name = ("pair", label, c) if label >= 0 else ("pair", i, j, c, "free")
                names.setdefault(name, []).append(i * width + n_pieces + c * size + j)
    out = np.zeros((size * width, len(names)))
    for f, members in enumerate(names.values()):
        out[members, f] = 1.0
    return out


def full_parameters(problem: Problem, process: Any) -> Array:
    """Return all parameters of a process of hawkeys, in the order of `Rows`."""
    rates = process.baseline_function.known_rates
    adjacency = process.adjacency
    n_parts = len(problem.shapes)
    if n_parts == 1:
        return np.column_stack((rates, adjacency)).ravel()
    shares = np.broadcast_to(process.kernel.weights, (*adjacency.shape, n_parts))
    parts = [adjacency * shares[:, :, c] for c in range(n_parts)]
    return np.column_stack((rates, *parts)).ravel()


@dataclass(frozen=True)
class Objective:
    """What is maximised over free parameters z >= 0.

    Weighted log-likelihood plus sum powers log z - slope . z - 1/2 curve . z^2 - sum over groups
    of strength times the norm of the group.
    """

    matrix: Array
    weights: Array
    cost: Array
    powers: Array
    curve: Array
    groups: tuple[tuple[NDArray[np.int64], float], ...] = ()
    fixed: Array | float = 0.0  # what parameters that are held add to the rate of each event

    def rate(self, z: Array) -> Array:
        """Return the intensity at each event."""
        return self.matrix @ z + self.fixed

    def hold(self, parameter: int, value: float) -> Objective:
        """Return the objective of the other parameters; what the held one costs is left out."""
        return replace(
            self,
            matrix=np.delete(self.matrix, parameter, axis=1),
            cost=np.delete(self.cost, parameter),
            powers=np.delete(self.powers, parameter),
            curve=np.delete(self.curve, parameter),
            fixed=self.fixed + self.matrix[:, parameter] * value,
        )

    def value(self, z: Array) -> float:
        """Return the objective; minus infinity outside its domain."""
        rate = self.rate(z)
        held = self.powers > 0
        if not (rate > 0).all() or (z[held] <= 0).any() or z.max(initial=0.0) > _FAR:
            return -np.inf
        total = self.weights @ np.log(rate) - self.cost @ z - 0.5 * self.curve @ z**2
        norms = sum(s * np.linalg.norm(z[g]) for g, s in self.groups)
        return float(total + self.powers[held] @ np.log(z[held]) - norms)

    def gradient(self, z: Array) -> Array:
        """Return the gradient inside the domain."""
        out = self.matrix.T @ (self.weights / self.rate(z)) - self.cost - self.curve * z
        held = self.powers > 0
        out[held] += self.powers[held] / z[held]
        for members, strength in self.groups:
            norm = np.linalg.norm(z[members])
            if norm > 0:
                out[members] -= strength * z[members] / norm
        return out

    def maximise(self, starts: Sequence[Array]) -> tuple[float, Array]:
        """Return the best value that L-BFGS-B reaches from any start, and where."""
        size = max(float(self.weights.sum() + self.powers.sum()), 1.0)
        unit = size / np.where(self.cost > 0, self.cost, 1.0)
        lower = np.where(self.powers > 0, 1e-14, 0.0)
        bounds = [(low, None) for low in lower]
        best, where = -np.inf, np.asarray(starts[0])

        def loss(u: Array) -> tuple[float, Array]:
            value = self.value(u * unit)
            if not np.isfinite(value):
                return _WORST, np.zeros(u.size)
            return -value, -self.gradient(u * unit) * unit

        for start in starts:
            begin = np.maximum(self.climb(start) / unit, lower)
            options = {"ftol": 1e-15, "gtol": 1e-9, "maxiter": 400}
            found = minimize(loss, begin, jac=True, method="L-BFGS-B", bounds=bounds,
                             options=options)  # fmt: skip
            for point in (found.x * unit, np.asarray(start)):
                value = self.value(point)
                if value > best:
                    best, where = value, point
        return best, where

    def climb(self, z: Array, n_steps: int = 60) -> Array:
        """Return z after steps of expectation-maximisation, which come near from anywhere."""
        if self.groups or not np.isfinite(self.value(z)):
            return z
        for _ in range(n_steps):
            counts = self.powers + z * (self.matrix.T @ (self.weights / self.rate(z)))
            z = 2.0 * counts / (self.cost + np.sqrt(self.cost**2 + 4.0 * self.curve * counts))
        return z

    def random_starts(self, rng: np.random.Generator, n: int) -> list[Array]:
        """Return starts inside the domain: equal shares of the events, and random ones."""
        size = max(float(self.weights.sum()), 1.0)
        unit = size / np.where(self.cost > 0, self.cost, 1.0)
        shares = np.vstack((np.full(unit.size, 1.0), rng.gamma(0.5, size=(n, unit.size)) + 1e-6))
        return [unit * share / share.sum() for share in shares]


def objective_of(rows: Rows, slope: Array | float = 0.0) -> tuple[Objective, NDArray[np.int64]]:
    """Return the weighted log-likelihood as an objective, and which free parameters it has.

    Those without cost can explain nothing and are left out; a `slope` (F,) adds to the cost.
    """
    seen = rows.cost
    cost = seen + slope
    kept = np.flatnonzero(cost > 0)
    some = rows.weights > 0
    matrix = (rows.matrix[some] @ rows.merge * (seen > 0))[:, kept]
    none = np.zeros(kept.size)
    return Objective(matrix, rows.weights[some], cost[kept], none, none), kept


def numerical_hessian(gradient: Callable[[Array], Array], z: Array, steps: Array) -> Array:
    """Return second derivatives as central differences of a gradient."""
    out = np.empty((z.size, z.size))
    for p in range(z.size):
        step = np.zeros(z.size)
        step[p] = steps[p]
        out[p] = (gradient(z + step) - gradient(z - step)) / (2.0 * steps[p])
    return 0.5 * (out + out.T)


def intensities(problem: Problem, window: Window, full: Array, when: Array) -> Array:
    """Return the intensity of every mark at times, events at the time not counted, (n, D)."""
    return _over_time(problem, window, full, when, mass=False)


def compensators(problem: Problem, window: Window, full: Array, when: Array) -> Array:
    """Return the integral of the intensity from the start of the window, (n, D)."""
    return _over_time(problem, window, full, when, mass=True)


def _over_time(problem: Problem, window: Window, full: Array, when: Array, *, mass: bool) -> Array:
    size, n_pieces = problem.n_marks, problem.steps.n_pieces
    x = full.reshape(size, -1)
    if mass:
        basis = np.array([problem.steps.integrals(window.start, t) for t in when])
    else:
        basis = problem.steps.basis(
            Window(when, np.zeros(when.size, int), window.start, window.end)
        )
    out = basis.reshape(when.size, n_pieces) @ x[:, :n_pieces].T
    for i in range(size):
        for c, shape in enumerate(problem.shapes):
            for j in range(size):
                lags = when[:, None] - window.times[window.marks == j][None, :]
                part = shape.mass(i, j, lags) if mass else shape.density(i, j, lags)
                out[:, i] += x[i, n_pieces + c * size + j] * part.sum(axis=1)
    return out
